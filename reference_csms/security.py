"""Security: who may connect as a Charge Point, and the Central System's side of the messages of the white paper.

Source: "Improved security for OCPP 1.6-J", edition 3, cited as «white paper»; its tables number the requirements.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple, assert_never

from cryptography.hazmat.primitives.asymmetric import rsa

from ocppj import certificates
from ocppj.authority import EXPIRED, NOT_YET, Authority, Kind, new_key
from ocppj.certificates import BadCertificate, Certificate
from ocppj.connection import Admission, Attempt
from ocppj.errors import LocalMisuse
from ocppj.frames import Payload
from reference_csms.core import Handler
from reference_csms.store import (
    CertificateFault,
    ChargePoint,
    InstalledCertificate,
    Outcome,
    SaltedHash,
    Store,
    View,
    folded,
)

HIGHEST_PROFILE = 3
LEAST_KEY, LONGEST_KEY = 16, 20  # bytes of an AuthorizationKey (A00.FR.205, A00.FR.304)
_PLAIN_PROFILES, _TLS_PROFILES = (0, 1), (2, 3)
_WITH_PASSWORD = (1, 2)
_WITH_CERTIFICATE = 3


def know_credentials(
    store: Store,
    identity: str,
    *,
    security_profile: int = 0,
    authorization_key: bytes | None = None,
    serial_number: str | None = None,
) -> ChargePoint:
    """Provision a Charge Point (A00.FR.803): all its credentials, so that none of those before counts any more.

    One that is not known becomes known; all else that is known of it stays. ``authorization_key`` is the password of
    profiles 1 and 2, ``serial_number`` the CN of the certificate of profile 3.
    Raises ``LocalMisuse`` for a profile that does not exist.
    """
    if not 0 <= security_profile <= HIGHEST_PROFILE:
        raise LocalMisuse(f"{security_profile} is no security profile: 0 to {HIGHEST_PROFILE}")
    charge_point = store.charge_points.get(identity) or store.know_charge_point(identity)
    charge_point.security_profile = security_profile
    charge_point.pending_security_profile = charge_point.proposed_security_profile = None
    charge_point.password = None if authorization_key is None else SaltedHash.of(authorization_key)
    charge_point.proposed_passwords = []
    charge_point.former_password = None
    charge_point.serial_number = serial_number
    return charge_point


def propose_key(store: Store, identity: str, authorization_key: bytes) -> None:
    """Let a Charge Point use another password: nobody knows whether it has taken it over."""
    store.of(identity).charge_point.proposed_passwords.append(SaltedHash.of(authorization_key))


# Who may connect


class _Refusal(NamedTuple):
    status: HTTPStatus
    event: str
    words: str


def admit(store: Store, attempt: Attempt) -> Admission:
    """Judge who wants to connect. A refusal is entered into the security log; nothing else changes.

    Facts: ``securityProfile`` is the one that the attempt is judged by; ``scheme`` Basic or None; ``userIsIdentity``;
    ``keyBytes``; ``key`` is current, proposed, former or unknown, None where it does not matter; ``certificate`` as
    ``ocppj.certificates.facts`` tells it, or None.
    """
    charge_point = store.charge_points.get(attempt.identity) or ChargePoint(attempt.identity)
    profile = _profile_of(charge_point, attempt)
    user, key = attempt.credentials or (None, b"")
    which = _which_key(charge_point, key) if attempt.credentials and profile in _WITH_PASSWORD else None
    facts: dict[str, Any] = {
        "securityProfile": profile,
        "scheme": "Basic" if attempt.credentials else None,
        "userIsIdentity": user == attempt.identity,
        "keyBytes": len(key),
        "key": which,
        "certificate": certificates.facts(attempt.certificate) if attempt.certificate else None,
    }
    refusal = _refusal(store, charge_point, attempt, facts)
    if refusal is None:
        return Admission(HTTPStatus.SWITCHING_PROTOCOLS, facts=facts)
    store.log_security_event(refusal.event, attempt.identity, refusal.words)
    return Admission(refusal.status, refusal.words, facts)


def connected(store: Store, attempt: Attempt, admission: Admission) -> None:
    """Learn from an attempt that was admitted and has become a connection.

    A05.FR.09: from now on no lower profile is admitted. A password that was only proposed has been taken over.
    """
    charge_point = store.of(attempt.identity).charge_point
    profile = admission.facts["securityProfile"]
    if profile > charge_point.security_profile:
        charge_point.security_profile = profile
        charge_point.pending_security_profile = charge_point.proposed_security_profile = None
    if admission.facts["key"] == "proposed" and attempt.credentials:
        _take_over(charge_point, attempt.credentials[1])


def handshake_failed(store: Store, facts: dict[str, Any]) -> None:
    """Log a TLS handshake that failed (A00.FR.323, A00.FR.408): its ``cause``, and ``failure`` in words."""
    event = _HANDSHAKE_EVENTS.get(facts.get("cause", ""), "FailedTLSHandshake")
    store.log_security_event(event, "", facts["failure"])


_HANDSHAKE_EVENTS = {
    "certificate": "InvalidChargePointCertificate",
    "tls version": "InvalidTLSVersion",
    "cipher suite": "InvalidTLSCipherSuite",
}


def profiles_of(charge_point: ChargePoint) -> set[int]:
    """The security profiles that a Charge Point may connect with."""
    later = (charge_point.pending_security_profile, charge_point.proposed_security_profile)
    return {charge_point.security_profile, *(each for each in later if each is not None)}


def _profile_of(charge_point: ChargePoint, attempt: Attempt) -> int:
    """The profile that an attempt is made with: what it shows decides only where two are possible.

    In profile 0 nobody looks at a password, in profile 2 nobody at a certificate.
    """
    channel = _TLS_PROFILES if attempt.is_secure else _PLAIN_PROFILES
    possible = [profile for profile in channel if profile in profiles_of(charge_point)]
    if len(possible) == 1:
        return possible[0]
    shows_more = attempt.certificate if attempt.is_secure else attempt.credentials
    return channel[shows_more is not None]


def _which_key(charge_point: ChargePoint, key: bytes) -> str:
    if charge_point.password and charge_point.password.matches(key):
        return "current"
    if any(proposed.matches(key) for proposed in charge_point.proposed_passwords):
        return "proposed"
    if charge_point.former_password and charge_point.former_password.matches(key):
        return "former"
    return "unknown"


def _refusal(store: Store, charge_point: ChargePoint, attempt: Attempt, facts: dict[str, Any]) -> _Refusal | None:
    profile = facts["securityProfile"]
    if not attempt.identity or not store.knows_charge_point(attempt.identity):
        return _Refusal(HTTPStatus.NOT_FOUND, "UnknownChargePoint", "nobody knows its identity (OCPP-J 3.2)")
    if profile not in profiles_of(charge_point):
        words = f"security profile {profile} instead of {charge_point.security_profile} (A00.FR.002)"
        return _Refusal(HTTPStatus.FORBIDDEN, "WrongSecurityProfile", words)
    if profile in _WITH_PASSWORD and (fault := _fault_of_credentials(facts)):
        return _Refusal(HTTPStatus.UNAUTHORIZED, "FailedToAuthenticationAtCentralSystem", fault)
    if profile == _WITH_CERTIFICATE and (fault := _fault_of_certificate(store, charge_point, facts["certificate"])):
        return _Refusal(HTTPStatus.FORBIDDEN, "InvalidChargePointCertificate", fault)
    return None


def _fault_of_credentials(facts: dict[str, Any]) -> str:
    if facts["scheme"] is None:
        return "no user and password of HTTP Basic authentication (A00.FR.203, A00.FR.302)"
    if not facts["userIsIdentity"]:
        return "the user is not the identity (A00.FR.204, A00.FR.303)"
    if facts["key"] == "former":
        return "the password was replaced by another (A01.FR.03)"
    if facts["key"] == "unknown":
        return "the password is wrong (A00.FR.202, A00.FR.301)"
    return ""


def _fault_of_certificate(store: Store, charge_point: ChargePoint, certificate: certificates.Facts | None) -> str:
    if certificate is None:
        return "no certificate (A00.FR.401)"
    if faults := certificates.charge_point_faults(certificate, datetime.now(UTC)):
        return f"its certificate: {faults[0]}"
    subject = certificate["subject"]
    return _fault_of_subject(store, charge_point, subject["organizationName"], subject["commonName"])


def _fault_of_subject(store: Store, charge_point: ChargePoint, organization: str, common_name: str) -> str:
    """Whose certificate it is, so far as it is known whose it should be."""
    if store.cpo_name not in (None, organization):
        return "its O is not the name of the CPO (A00.FR.404, A02.FR.13)"
    if charge_point.serial_number not in (None, common_name):
        return "its CN is not the serial number of the Charge Point (A00.FR.405)"
    return ""


def _take_over(charge_point: ChargePoint, key: bytes) -> None:
    if charge_point.password is None or not charge_point.password.matches(key):
        charge_point.former_password = charge_point.password
        charge_point.password = SaltedHash.of(key)
    charge_point.proposed_passwords = []


# What a Charge Point sends


def security_event_notification(store: View, request: Payload) -> Payload:
    """A04.FR.03."""
    store.charge_point.security_events.append(request)
    return {}


def sign_certificate(store: View, request: Payload) -> Payload:
    """A02, A03: whether the request can be processed (FR.11, FR.12). The certificate follows the answer."""
    fault = _fault_of_request(store, request["csr"])
    if fault:
        store.shared.log_security_event("InvalidSignCertificateRequest", store.charge_point.identity, fault)
        return {"status": "Rejected"}
    store.charge_point.signing_requests.append(request["csr"])
    return {"status": "Accepted"}


def log_status_notification(store: View, request: Payload) -> Payload:
    """N01."""
    store.charge_point.log_status = request["status"]
    return {}


def signed_firmware_status_notification(store: View, request: Payload) -> Payload:
    """L01."""
    store.charge_point.signed_firmware_status = request["status"]
    return {}


def _fault_of_request(store: View, csr: str) -> str:
    if store.shared.authority is None:
        return "there is no authority that signs certificates"
    try:
        request = certificates.load_request(csr)
    except BadCertificate as error:
        return str(error)
    kind, bits = certificates.key_size(request.public_key())
    least = {"RSA": certificates.LEAST_RSA_BITS, "EC": certificates.LEAST_EC_BITS}.get(kind)
    if least is None:
        return f"no certificate is made for a key of the kind {kind}"
    if bits < least:
        return f"the {kind} key has {bits} bits, not {least} (A00.FR.502, A00.FR.503)"
    # Remark 8 of A02: what a CSR says is checked before it is signed.
    names = certificates.organization(request), certificates.common_name(request)
    return _fault_of_subject(store.shared, store.charge_point, *names)


def certificates_to_send(store: View) -> list[str]:
    """The chains for what a Charge Point has asked to be signed: PEM, once each, for CertificateSigned.req."""
    shared, charge_point = store.shared, store.charge_point
    if shared.authority is None:
        return []
    requests, charge_point.signing_requests = charge_point.signing_requests, []
    return [sign(shared.authority, csr, shared.certificate_fault) for csr in requests]


def sign(authority: Authority, csr: str, fault: CertificateFault | None = None) -> str:
    """Sign a CSR in PEM: the chain in PEM, the new certificate first. With a ``fault`` it is invalid in that one way.

    Raises ``BadCertificate`` for what is no CSR.
    """
    request = certificates.load_request(csr)
    match fault:
        case None:
            chain = authority.sign_request(request)
        case "expired":
            chain = authority.sign_request(request, validity=EXPIRED)
        case "not_yet_valid":
            chain = authority.sign_request(request, validity=NOT_YET)
        case "unknown_authority":  # of the name of the one that is known
            own = authority.certificate
            namesake = Authority.root(certificates.common_name(own), certificates.organization(own))
            chain = namesake.sign_request(request)
        case "other_key":
            kind: Kind = "RSA" if isinstance(request.public_key(), rsa.RSAPublicKey) else "EC"
            key = new_key(kind).public_key()
            chain = (authority.certify(key, "client", request.subject), *authority.chain)
        case _:
            assert_never(fault)
    return certificates.pem(*chain)


# What a Charge Point is sent


def about_to_send(store: View, action: str, request: Payload, *, wrong: bool = False) -> Payload:
    """Prepare for a request, and complete it by what its wisher left to the Central System.

    ``wrong``: it may break the rules. Raises ``LocalMisuse`` for one that does though it may not.
    """
    prepare = _PREPARATIONS.get(action)
    return prepare(store, request, wrong) if prepare else request


def about_to_change(store: View, request: Payload, wrong: bool) -> Payload:
    """Note what ChangeConfiguration.req proposes: if the answer gets lost, the Charge Point may use it all the same."""
    match folded(str(request.get("key"))):
        case "authorizationkey":
            _propose_key(store.charge_point, request.get("value"), wrong)
        case "securityprofile":
            _propose_profile(store.charge_point, request.get("value"), wrong)
    return request


def _propose_key(charge_point: ChargePoint, value: object, wrong: bool) -> None:
    key = _key_in(value)
    if not wrong and (key is None or not LEAST_KEY <= len(key) <= LONGEST_KEY):
        raise LocalMisuse(
            f"A00.FR.205: an AuthorizationKey is {LEAST_KEY} to {LONGEST_KEY} bytes in hexadecimal digits"
        )
    if key is not None:
        charge_point.proposed_passwords.append(SaltedHash.of(key))


def _propose_profile(charge_point: ChargePoint, value: object, wrong: bool) -> None:
    profile = _profile_in(value)
    if not wrong and profile is None:
        raise LocalMisuse(f"white paper 7.6: a SecurityProfile is a number from 0 to {HIGHEST_PROFILE}")
    if not wrong and profile is not None and profile < charge_point.security_profile:
        raise LocalMisuse("A00.FR.005: the security profile is not lowered through OCPP")
    if profile is not None and profile > charge_point.security_profile:
        charge_point.proposed_security_profile = profile


def _key_in(value: object) -> bytes | None:
    is_hexadecimal = isinstance(value, str) and re.fullmatch("(?:[0-9A-Fa-f]{2})+", value)
    return bytes.fromhex(str(value)) if is_hexadecimal else None


def _profile_in(value: object) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch(f"[0-{HIGHEST_PROFILE}]", value) else None


def change_configuration(store: View, request: Payload, conf: Payload) -> None:
    """A01, A05: what has become of what was proposed. After RebootRequired nobody knows when it begins to count."""
    match folded(str(request.get("key"))):
        case "authorizationkey":
            _learn_key(store.charge_point, _key_in(request.get("value")), conf["status"])
        case "securityprofile":
            _learn_profile(store.charge_point, _profile_in(request.get("value")), conf["status"])


def _learn_key(charge_point: ChargePoint, key: bytes | None, status: str) -> None:
    if key is None:
        return
    if status == "Accepted":  # A01.FR.03
        _take_over(charge_point, key)
    elif status != "RebootRequired":  # A01.FR.04
        proposed = charge_point.proposed_passwords
        charge_point.proposed_passwords = [each for each in proposed if not each.matches(key)]


def _learn_profile(charge_point: ChargePoint, profile: int | None, status: str) -> None:
    charge_point.proposed_security_profile = None
    if status in ("Accepted", "RebootRequired"):
        # A00.FR.005: who agrees to a lower one is not admitted with it.
        if profile is not None and profile > charge_point.security_profile:
            charge_point.pending_security_profile = profile


def with_request_id(store: View, request: Payload, wrong: bool) -> Payload:
    """GetLog.req, SignedUpdateFirmware.req: each has a requestId, by which its notifications are known (N01.FR.07)."""
    shared = store.shared
    if "requestId" in request:
        told = request["requestId"]
        if isinstance(told, int):
            shared.next_request_id = max(shared.next_request_id, told + 1)
        return request
    request = {"requestId": shared.next_request_id, **request}
    shared.next_request_id += 1
    return request


# The certificates in a Charge Point

_HASH_DATA = {"hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber"}  # white paper 6.1


def about_to_delete(store: View, request: Payload, wrong: bool) -> Payload:
    """M04.FR.07: a certificate that the Charge Point has reported is named as it did, with its hashAlgorithm."""
    if wrong:
        return request
    wanted = request.get("certificateHashData")
    named = next((each for each in store.charge_point.installed_certificates if _means(store, each, wanted)), None)
    return {**request, "certificateHashData": named.hash_data} if named and named.hash_data else request


def hash_data_of(store: View, certificate: Certificate) -> Payload:
    """The CertificateHashData (white paper 6.1) that names a certificate to a Charge Point: as it has reported it.

    With SHA256 if it has not.
    """
    for each in store.charge_point.installed_certificates:
        if each.certificate == certificate and each.hash_data:
            return each.hash_data
    return _hash_data(store, certificate, certificates.HASH_ALGORITHMS[0])


def get_installed_certificate_ids(store: View, request: Payload, conf: Payload) -> None:
    """M03: of the type that was asked for, there is what is reported and nothing else."""
    installed = store.charge_point.installed_certificates
    asked_for = str(request.get("certificateType"))
    reported = conf.get("certificateHashData", [])  # M03.FR.02: none if NotFound
    found = [InstalledCertificate(asked_for, each, _certificate_meant(store, each)) for each in reported]
    others = [each for each in installed if each.certificate_type != asked_for]
    store.charge_point.installed_certificates = others + found


def install_certificate(store: View, request: Payload, conf: Payload) -> None:
    """M05.FR.02."""
    if conf["status"] != "Accepted":
        return
    try:
        certificate = certificates.load(str(request.get("certificate")))
    except BadCertificate:
        return  # whoever has accepted it will report what it takes it for
    installed, certificate_type = store.charge_point.installed_certificates, str(request.get("certificateType"))
    if not any((each.certificate_type, each.certificate) == (certificate_type, certificate) for each in installed):
        installed.append(InstalledCertificate(certificate_type, certificate=certificate))


def delete_certificate(store: View, request: Payload, conf: Payload) -> None:
    """M04.FR.02, M04.FR.04: it is not there any more, or never was."""
    if conf["status"] in ("Accepted", "NotFound"):
        installed, gone = store.charge_point.installed_certificates, request.get("certificateHashData")
        store.charge_point.installed_certificates = [each for each in installed if not _means(store, each, gone)]


def _means(store: View, installed: InstalledCertificate, hash_data: Any) -> bool:
    """Whether hash data name an installed certificate, in whatever algorithm."""
    if not isinstance(hash_data, dict) or not hash_data.keys() >= _HASH_DATA:
        return False
    algorithm = hash_data["hashAlgorithm"]
    if installed.hash_data and certificates.same_hash_data(installed.hash_data, hash_data):
        return True
    if installed.certificate is None or algorithm not in certificates.HASH_ALGORITHMS:
        return False
    return certificates.same_hash_data(_hash_data(store, installed.certificate, algorithm), hash_data)


def _certificate_meant(store: View, hash_data: Payload) -> Certificate | None:
    installed = store.charge_point.installed_certificates
    return next((each.certificate for each in installed if each.certificate and _means(store, each, hash_data)), None)


def _hash_data(store: View, certificate: Certificate, algorithm: str) -> Payload:
    # A root may be signed by the one that it replaces (M05.FR.09).
    known = [each.certificate for each in store.charge_point.installed_certificates if each.certificate]
    issuer = next((each for each in (certificate, *known) if certificates.is_signed_by(certificate, each)), certificate)
    return dict(certificates.hash_data(certificate, issuer, algorithm))


Preparation = Callable[[View, Payload, bool], Payload]

_PREPARATIONS: dict[str, Preparation] = {
    "ChangeConfiguration": about_to_change,
    "DeleteCertificate": about_to_delete,
    "GetLog": with_request_id,
    "SignedUpdateFirmware": with_request_id,
}

HANDLERS: dict[str, Handler] = {
    "LogStatusNotification": log_status_notification,
    "SecurityEventNotification": security_event_notification,
    "SignCertificate": sign_certificate,
    "SignedFirmwareStatusNotification": signed_firmware_status_notification,
}

OUTCOMES: dict[str, Outcome] = {
    "ChangeConfiguration": change_configuration,
    "DeleteCertificate": delete_certificate,
    "GetInstalledCertificateIds": get_installed_certificate_ids,
    "InstallCertificate": install_certificate,
}
