"""Who may connect, and the Central System's side of the messages of the security white paper."""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ocppj import certificates
from ocppj.authority import EXPIRED, VALID_FROM, Authority, new_key, signing_request
from ocppj.certificates import BadCertificate, Certificate, Key, hash_data, pem
from ocppj.connection import Admission, Attempt, ConnectFailed, connect
from ocppj.errors import LocalMisuse, Refused
from ocppj.frames import Call, Payload
from ocppj.schemas import faults, severe
from reference_csms import remote_trigger
from reference_csms.security import (
    HANDLERS,
    OUTCOMES,
    about_to_send,
    admit,
    certificates_to_send,
    connected,
    handshake_failed,
    hash_data_of,
    know_credentials,
    propose_key,
    sign,
)
from reference_csms.store import LONGEST_SECURITY_LOG, CertificateFault, SecurityEvent, Store, View
from tests.reference_csms.scene import charge_point, furnished, running

pytestmark = pytest.mark.usefixtures("loop")  # the calendar stands at NOW

NOW = "2031-05-13T08:41:17.389Z"
KEY = bytes(range(20))
NEW_KEY = bytes(range(100, 116))
THIRD_KEY = bytes(range(200, 216))
SERIAL, CPO = "SN-0001", "Operator"
MANUFACTURER, CENTRAL_SYSTEM = "ManufacturerRootCertificate", "CentralSystemRootCertificate"

_ROOT = Authority.root("Operator Root", CPO)
_INTERMEDIATE = _ROOT.subordinate("Operator CA", CPO)


def client(common_name: str = SERIAL, organization: str = CPO, **more: Any) -> Certificate:
    return _ROOT.issue("client", common_name=common_name, organization=organization, **more).certificate


_CLIENT = client()


def store(profile: int = 0, key: bytes | None = KEY, serial_number: str | None = SERIAL) -> Store:
    store = Store(cpo_name=CPO, authority=_INTERMEDIATE, next_request_id=7)
    know_credentials(store, "CP-1", security_profile=profile, authorization_key=key, serial_number=serial_number)
    return store


def plain(key: bytes | None = None, user: str = "CP-1") -> Attempt:
    return Attempt("CP-1", credentials=None if key is None else (user, key))


def secure(key: bytes | None = None, certificate: Certificate | None = None, user: str = "CP-1") -> Attempt:
    return Attempt("CP-1", True, certificate, None if key is None else (user, key))


def status(store: Store, attempt: Attempt) -> int:
    return admit(store, attempt).status


def enters(store: Store, attempt: Attempt) -> Admission:
    admission = admit(store, attempt)
    assert admission.is_granted, admission
    connected(store, attempt, admission)
    return admission


def change(key: str, value: str, conf_status: str | None, shared: Store, *, wrong: bool = False) -> None:
    """A ChangeConfiguration.req as CentralSystem.request sends it; None: it is not answered."""
    view = shared.of("CP-1")
    request = about_to_send(view, "ChangeConfiguration", {"key": key, "value": value}, wrong=wrong)
    if conf_status is not None:
        OUTCOMES["ChangeConfiguration"](view, request, {"status": conf_status})


# Who may connect


@pytest.mark.parametrize(
    ("profile", "attempt", "expected"),
    [
        (0, plain(), 101),
        (0, plain(b"whatever"), 101),  # nobody looks at it
        (0, secure(KEY), 403),
        (0, secure(KEY, _CLIENT), 403),
        (1, plain(KEY), 101),
        (1, plain(), 401),
        (1, plain(b""), 401),
        (1, plain(KEY[:-1]), 401),
        (1, plain(KEY.hex().encode()), 401),
        (1, plain(KEY, "CP-2"), 401),
        (1, plain(KEY, "cp-1"), 401),
        (1, secure(KEY), 403),
        (2, secure(KEY), 101),
        (2, secure(KEY, _CLIENT), 101),  # nobody looks at it
        (2, secure(), 401),
        (2, secure(None, _CLIENT), 401),
        (2, secure(NEW_KEY), 401),
        (2, secure(KEY, None, "CP-2"), 401),
        (2, plain(KEY), 403),
        (2, plain(), 403),
        (3, secure(None, _CLIENT), 101),
        (3, secure(NEW_KEY, _CLIENT), 101),  # nobody looks at it
        (3, secure(), 403),
        (3, secure(KEY), 403),
        (3, plain(KEY), 403),
        (3, plain(), 403),
    ],
)
def test_only_the_profile_in_use_with_its_credentials_is_admitted(
    profile: int, attempt: Attempt, expected: int
) -> None:
    shared = store(profile)
    admission = admit(shared, attempt)
    assert admission.status == expected
    assert bool(admission.reason) == (expected != 101) == bool(shared.security_log)


def test_a_charge_point_without_a_password_has_none_that_is_right() -> None:
    assert status(store(1, None), plain(b"")) == 401
    assert status(store(2, None), secure(KEY)) == 401


@pytest.mark.parametrize("identity", ["CP-2", "", "cp-1", "CP-1\r\nforged: line\x1b[2J" + "x" * 1000, "\udc80é"])
def test_an_unknown_identity_leaves_nothing_behind_but_an_escaped_entry(identity: str) -> None:
    shared = store()
    admission = admit(shared, Attempt(identity, credentials=(identity, KEY)))
    assert admission.status == HTTPStatus.NOT_FOUND
    assert list(shared.charge_points) == ["CP-1"]
    [event] = shared.security_log
    assert event.type == "UnknownChargePoint"
    assert len(event.identity) < 400
    for text in (event.identity, event.tech_info, admission.reason):
        assert text.isascii()
        assert text.isprintable()


def test_who_is_welcome_though_unknown_is_known_when_it_is_connected() -> None:
    shared = Store(accept_unknown_charge_points=True)
    assert admit(shared, Attempt("")).status == HTTPStatus.NOT_FOUND
    attempt = Attempt("CP-9")
    admission = admit(shared, attempt)
    assert admission.is_granted
    assert not shared.charge_points
    connected(shared, attempt, admission)
    assert shared.charge_points["CP-9"].security_profile == 0
    assert status(shared, Attempt("CP-9", is_secure=True, credentials=("CP-9", KEY))) == 403


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (None, "A00.FR.401"),
        (client(organization="Somebody"), "A00.FR.404"),
        (client(organization=CPO.lower()), "A00.FR.404"),
        (client(organization=""), "A00.FR.509"),
        (client("SN-0002"), "A00.FR.405"),
        (client("CP-1"), "A00.FR.405"),
        (client(""), "A00.FR.511"),
        (client("192.0.2.1"), "A00.FR.511"),
        (client(validity=EXPIRED), "expired"),
        (client(bits=192), "A00.FR.503"),
        (client(kind="RSA", bits=1024), "A00.FR.502"),
        (_ROOT.certificate, "authority"),
    ],
)
def test_a_certificate_that_does_not_do(certificate: Certificate | None, words: str) -> None:
    shared = store(3)
    admission = admit(shared, secure(None, certificate))
    assert admission.status == HTTPStatus.FORBIDDEN
    assert words in admission.reason
    assert [event.type for event in shared.security_log] == ["InvalidChargePointCertificate"]


def test_a_certificate_is_judged_by_the_present_time() -> None:
    until_yesterday = (VALID_FROM, datetime(2031, 5, 12, tzinfo=UTC))
    assert "expired" in admit(store(3), secure(None, client(validity=until_yesterday))).reason


def test_what_is_not_known_of_a_certificate_is_not_compared() -> None:
    other = secure(None, client("Any", "Body"))
    shared = store(3)
    shared.cpo_name = None
    assert "A00.FR.405" in admit(shared, other).reason
    assert "A00.FR.404" in admit(store(3, serial_number=None), other).reason
    shared.charge_points["CP-1"].serial_number = None
    assert status(shared, other) == 101
    assert status(shared, secure()) == 403


@pytest.mark.parametrize(
    ("attempt", "words"),
    [(plain(), "A00.FR.203"), (plain(KEY, "CP-2"), "A00.FR.204"), (plain(NEW_KEY), "A00.FR.202")],
)
def test_a_refusal_says_why(attempt: Attempt, words: str) -> None:
    assert words in admit(store(1), attempt).reason


def test_what_is_told_of_an_attempt() -> None:
    assert admit(store(1), plain(KEY)).facts == {
        "securityProfile": 1,
        "scheme": "Basic",
        "userIsIdentity": True,
        "keyBytes": 20,
        "key": "current",
        "certificate": None,
    }
    assert admit(store(1), plain(NEW_KEY, "Else")).facts == {
        "securityProfile": 1,
        "scheme": "Basic",
        "userIsIdentity": False,
        "keyBytes": 16,
        "key": "unknown",
        "certificate": None,
    }
    nothing = {"scheme": None, "userIsIdentity": False, "keyBytes": 0, "key": None, "certificate": None}
    assert admit(store(1), plain()).facts == {"securityProfile": 1, **nothing}
    assert admit(store(2), plain()).facts == {"securityProfile": 0, **nothing}
    assert admit(store(3), secure(None, _CLIENT)).facts == {
        "securityProfile": 3,
        **nothing,
        "certificate": certificates.facts(_CLIENT),
    }
    assert admit(Store(), plain(KEY)).facts["key"] is None


def test_no_password_is_written_down() -> None:
    shared = store(1)
    change("AuthorizationKey", NEW_KEY.hex(), None, shared)
    told = [repr(shared)]
    for attempt in (plain(KEY), plain(NEW_KEY), plain(KEY, "Else"), plain(THIRD_KEY), secure(NEW_KEY)):
        told.append(repr(admit(shared, attempt)))
    with pytest.raises(LocalMisuse) as misuse:
        change("AuthorizationKey", THIRD_KEY.hex() * 2, None, shared)
    told += [str(misuse.value), repr(shared)]
    for key in (KEY, NEW_KEY, THIRD_KEY):
        for form in (key.hex(), repr(key)[2:-1]):
            assert not any(form in text for text in told)
    [charge_point] = shared.charge_points.values()
    assert charge_point.password
    assert charge_point.password.digest not in (KEY, b"")
    again = store(1).charge_points["CP-1"].password
    assert again
    assert again.digest != charge_point.password.digest  # A01.FR.08: salted


def test_a_refusal_is_logged() -> None:
    shared = store(1)
    admission = admit(shared, plain())
    assert list(shared.security_log) == [
        SecurityEvent("FailedToAuthenticationAtCentralSystem", NOW, "CP-1", admission.reason)
    ]
    status(shared, secure(KEY))
    assert shared.security_log[-1].type == "WrongSecurityProfile"
    shared.log_security_event("Else", "CP-1", "a\nb" + "x" * 1000)
    assert shared.security_log[-1].tech_info == "a\\nb" + "x" * 252
    for number in range(LONGEST_SECURITY_LOG):
        shared.log_security_event("Else", "CP-1", str(number))
    assert len(shared.security_log) == LONGEST_SECURITY_LOG
    assert {event.type for event in shared.security_log} == {"Else"}


@pytest.mark.parametrize(
    ("facts", "event"),
    [
        ({"cause": "certificate", "failure": "words"}, "InvalidChargePointCertificate"),
        ({"cause": "tls version", "failure": "words"}, "InvalidTLSVersion"),
        ({"cause": "cipher suite", "failure": "words"}, "InvalidTLSCipherSuite"),
        ({"cause": "tls", "failure": "words"}, "FailedTLSHandshake"),
        ({"failure": "words"}, "FailedTLSHandshake"),
    ],
)
def test_a_handshake_that_failed_is_logged(facts: dict[str, Any], event: str) -> None:
    shared = Store()
    handshake_failed(shared, facts)
    assert list(shared.security_log) == [SecurityEvent(event, NOW, "", "words")]


def test_credentials_are_provisioned_afresh() -> None:
    shared = store(1)
    charge_point = shared.charge_points["CP-1"]
    charge_point.registration_status = "Pending"
    change("AuthorizationKey", NEW_KEY.hex(), "Accepted", shared)
    change("AuthorizationKey", THIRD_KEY.hex(), None, shared)
    change("SecurityProfile", "2", "Accepted", shared)
    change("SecurityProfile", "3", None, shared)
    assert know_credentials(shared, "CP-1", security_profile=1, authorization_key=b"fresh") is charge_point
    assert charge_point.registration_status == "Pending"
    for key in (KEY, NEW_KEY, THIRD_KEY):
        assert admit(shared, plain(key)).facts["key"] == "unknown"
    assert status(shared, plain(b"fresh")) == 101
    assert status(shared, secure(b"fresh")) == 403
    assert status(shared, secure(None, _CLIENT)) == 403


@pytest.mark.parametrize("profile", [-1, 4])
def test_a_profile_that_does_not_exist(profile: int) -> None:
    with pytest.raises(LocalMisuse, match="no security profile"):
        know_credentials(Store(), "CP-1", security_profile=profile)


# Another password: A01


def test_an_accepted_password_replaces_the_former() -> None:
    shared = store(1)
    change("authorizationKEY", NEW_KEY.hex().upper(), "Accepted", shared)
    assert enters(shared, plain(NEW_KEY)).facts["key"] == "current"
    admission = admit(shared, plain(KEY))
    assert (admission.status, admission.facts["key"]) == (401, "former")  # A01.FR.03
    assert "A01.FR.03" in admission.reason


@pytest.mark.parametrize("conf_status", ["Rejected", "NotSupported"])
def test_a_refused_password_never_counts(conf_status: str) -> None:
    shared = store(1)
    change("AuthorizationKey", NEW_KEY.hex(), conf_status, shared)
    assert status(shared, plain(KEY)) == 101  # A01.FR.04
    assert admit(shared, plain(NEW_KEY)).facts["key"] == "unknown"


@pytest.mark.parametrize("conf_status", ["RebootRequired", None])
def test_both_passwords_count_until_the_new_one_is_used(conf_status: str | None) -> None:
    shared = store(1)
    change("AuthorizationKey", NEW_KEY.hex(), conf_status, shared)
    assert enters(shared, plain(KEY)).facts["key"] == "current"
    assert admit(shared, plain(NEW_KEY)).facts["key"] == "proposed"
    assert admit(shared, plain(KEY)).is_granted  # nobody has connected with the new one
    assert enters(shared, plain(NEW_KEY)).facts["key"] == "proposed"
    assert admit(shared, plain(NEW_KEY)).facts["key"] == "current"
    assert (status(shared, plain(KEY)), admit(shared, plain(KEY)).facts["key"]) == (401, "former")


def test_whichever_proposal_was_taken_over_counts() -> None:
    shared = store(1)
    change("AuthorizationKey", NEW_KEY.hex(), None, shared)
    change("AuthorizationKey", THIRD_KEY.hex(), "Rejected", shared)
    assert enters(shared, plain(NEW_KEY)).facts["key"] == "proposed"
    assert [admit(shared, plain(key)).facts["key"] for key in (KEY, NEW_KEY, THIRD_KEY)] == [
        "former",
        "current",
        "unknown",
    ]


def test_an_accepted_password_ends_what_was_proposed_before() -> None:
    shared = store(1)
    change("AuthorizationKey", NEW_KEY.hex(), None, shared)
    change("AuthorizationKey", THIRD_KEY.hex(), "Accepted", shared)
    assert [admit(shared, plain(key)).facts["key"] for key in (KEY, NEW_KEY, THIRD_KEY)] == [
        "former",
        "unknown",
        "current",
    ]


def test_a_password_may_be_proposed_beside_the_wire() -> None:
    shared = store(1)
    propose_key(shared, "CP-1", NEW_KEY)
    assert status(shared, plain(KEY)) == 101
    assert enters(shared, plain(NEW_KEY)).facts["key"] == "proposed"
    assert status(shared, plain(KEY)) == 401


def test_an_answer_that_is_read_after_the_new_password_was_used() -> None:
    shared = store(1)
    change("AuthorizationKey", NEW_KEY.hex(), None, shared)
    enters(shared, plain(NEW_KEY))
    OUTCOMES["ChangeConfiguration"](
        shared.of("CP-1"), {"key": "AuthorizationKey", "value": NEW_KEY.hex()}, {"status": "Accepted"}
    )
    assert [admit(shared, plain(key)).facts["key"] for key in (KEY, NEW_KEY)] == ["former", "current"]


@pytest.mark.parametrize("value", ["", "00" * 15, "00" * 21, "0" * 33, "g0" * 16, " 0" * 20, "00 " * 16, "é0" * 16])
def test_what_is_no_authorization_key_is_sent_only_to_break_the_rules(value: str) -> None:
    shared = store(1)
    with pytest.raises(LocalMisuse, match=r"A00\.FR\.205"):
        change("AuthorizationKey", value, None, shared)
    change("AuthorizationKey", value, "Rejected", shared, wrong=True)
    assert enters(shared, plain(KEY)).facts["key"] == "current"


def test_who_takes_over_a_key_that_is_too_short_is_let_in_to_be_judged() -> None:
    shared = store(1)
    change("AuthorizationKey", "00" * 8, "Accepted", shared, wrong=True)
    assert admit(shared, plain(bytes(8))).facts["keyBytes"] == 8
    assert status(shared, plain(bytes(8))) == 101


# A higher profile: A05


@pytest.mark.parametrize("conf_status", ["Accepted", "RebootRequired", None])
@pytest.mark.parametrize(
    ("profile", "before", "value", "after"),
    [
        (0, plain(), "1", plain(KEY)),
        (0, plain(), "2", secure(KEY)),
        (1, plain(KEY), "2", secure(KEY)),
        (1, plain(KEY), "3", secure(None, _CLIENT)),
        (2, secure(KEY), "3", secure(None, _CLIENT)),
    ],
)
def test_once_the_higher_profile_was_used_the_lower_is_over(
    profile: int, before: Attempt, value: str, after: Attempt, conf_status: str | None
) -> None:
    shared = store(profile)
    assert not admit(shared, after).is_granted or profile == 0
    change("SecurityProfile", value, conf_status, shared)
    assert enters(shared, before).facts["securityProfile"] == profile  # A05.FR.08: it may fall back
    assert enters(shared, after).facts["securityProfile"] == int(value)
    assert shared.charge_points["CP-1"].security_profile == int(value)
    assert not admit(shared, before).is_granted  # A05.FR.09
    assert admit(shared, after).is_granted


@pytest.mark.parametrize("conf_status", ["Rejected", "NotSupported"])
def test_a_profile_that_was_refused_is_not_admitted(conf_status: str) -> None:
    shared = store(1)
    change("SecurityProfile", "2", "Accepted", shared)
    change("securityPROFILE", "3", conf_status, shared)
    assert status(shared, secure(None, _CLIENT)) == 401  # judged by profile 2, which has no use for a certificate
    assert enters(shared, secure(KEY)).facts["securityProfile"] == 2  # that agreement stands


def test_where_two_profiles_are_possible_what_is_shown_decides() -> None:
    shared = store(0)
    change("SecurityProfile", "1", "Accepted", shared)
    assert admit(shared, plain()).facts["securityProfile"] == 0
    assert status(shared, plain(NEW_KEY)) == 401
    shared = store(2)
    change("SecurityProfile", "3", "Accepted", shared)
    assert status(shared, secure()) == 401
    assert "A00.FR.405" in admit(shared, secure(KEY, client("Else"))).reason


def test_an_upgrade_has_credentials_of_its_own() -> None:
    shared = store(1)
    change("SecurityProfile", "3", "Accepted", shared)
    assert status(shared, secure(KEY)) == 403
    assert status(shared, secure(None, client("Else"))) == 403


@pytest.mark.parametrize(("profile", "value"), [(1, "0"), (2, "1"), (3, "0"), (3, "2")])
def test_a_lower_profile_is_sent_only_to_break_the_rules(profile: int, value: str) -> None:
    shared = store(profile)
    with pytest.raises(LocalMisuse, match=r"A00\.FR\.005"):
        change("SecurityProfile", value, None, shared)
    for conf_status in (None, "Accepted"):
        change("SecurityProfile", value, conf_status, shared, wrong=True)
        for attempt in (plain(), plain(KEY), secure(KEY)):
            admission = admit(shared, attempt)
            assert not admission.is_granted or admission.facts["securityProfile"] == profile


@pytest.mark.parametrize("value", ["", "4", "-1", "two", "1.0", " 1", "01", "١"])
def test_what_is_no_profile_is_sent_only_to_break_the_rules(value: str) -> None:
    shared = store(0)
    with pytest.raises(LocalMisuse, match=r"white paper 7\.6"):
        change("SecurityProfile", value, None, shared)
    change("SecurityProfile", value, "Accepted", shared, wrong=True)
    assert status(shared, secure(KEY)) == 403


def test_other_keys_are_nobody_elses_business() -> None:
    shared = store(1)
    before = repr(shared)
    change("HeartbeatInterval", "60", "Accepted", shared)
    view = shared.of("CP-1")
    for request in ({}, {"key": None, "value": 3}, {"key": "AuthorizationKey"}, {"key": "SecurityProfile", "value": 2}):
        assert about_to_send(view, "ChangeConfiguration", request, wrong=True) == request
        OUTCOMES["ChangeConfiguration"](view, request, {"status": "Accepted"})
    assert repr(shared) == before
    assert about_to_send(view, "Reset", {"type": "Hard"}) == {"type": "Hard"}


# What a Charge Point sends


def answer(action: str, request: Payload, shared: Store) -> Payload:
    conf = HANDLERS[action](shared.of("CP-1"), request)
    assert not severe(faults(action, "conf", conf))
    return conf


def csr(key: Key, common_name: str = SERIAL, organization: str = CPO) -> str:
    return signing_request(key, common_name=common_name, organization=organization)


def request_of(key: Any, algorithm: Any) -> str:
    name = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, CPO), x509.NameAttribute(NameOID.COMMON_NAME, SERIAL)]
    )
    request = x509.CertificateSigningRequestBuilder(name).sign(key, algorithm)
    return request.public_bytes(Encoding.PEM).decode()


def forged() -> str:
    """A CSR that was changed after it was signed."""
    der = x509.load_pem_x509_csr(csr(new_key(), "SN-0002").encode()).public_bytes(Encoding.DER)
    changed = der.replace(b"SN-0002", SERIAL.encode())
    return x509.load_der_x509_csr(changed).public_bytes(Encoding.PEM).decode()


_KEY = new_key()


def test_reports_are_remembered() -> None:
    shared = store()
    event = {"type": "FirmwareUpdated", "timestamp": NOW, "techInfo": "words"}
    assert answer("SecurityEventNotification", event, shared) == {}  # A04.FR.03
    assert answer("LogStatusNotification", {"status": "Uploading", "requestId": 7}, shared) == {}
    assert answer("SignedFirmwareStatusNotification", {"status": "Downloading", "requestId": 8}, shared) == {}
    charge_point = shared.charge_points["CP-1"]
    assert charge_point.security_events == [event]
    assert (charge_point.log_status, charge_point.signed_firmware_status) == ("Uploading", "Downloading")
    assert (charge_point.firmware_status, charge_point.diagnostics_status) == (None, None)


@pytest.mark.parametrize(
    "request_pem",
    [csr(_KEY), csr(new_key("RSA"))],
    ids=["EC", "RSA"],
)
def test_a_request_is_accepted_and_the_certificate_follows(request_pem: str) -> None:
    shared = store(3)
    assert answer("SignCertificate", {"csr": request_pem}, shared) == {"status": "Accepted"}  # A02.FR.11
    [text] = certificates_to_send(shared.of("CP-1"))
    chain = certificates.load_chain(text)
    certificates.verify_path(chain, [_ROOT.certificate], datetime.now(UTC))
    assert certificates.key_fingerprint(chain[0].public_key()) == certificates.key_fingerprint(
        certificates.load_request(request_pem).public_key()
    )
    assert not severe(faults("CertificateSigned", "req", {"certificateChain": text}))
    assert status(shared, secure(None, chain[0])) == 101
    assert certificates_to_send(shared.of("CP-1")) == []


def test_requests_are_signed_in_turn_each_for_whom_it_came_from() -> None:
    shared = store()
    shared.know_charge_point("CP-2")
    requests = [csr(new_key()) for _ in range(2)]
    for each in requests:
        answer("SignCertificate", {"csr": each}, shared)
    assert certificates_to_send(shared.of("CP-2")) == []
    signed = [certificates.load_chain(text)[0].public_key() for text in certificates_to_send(shared.of("CP-1"))]
    assert signed == [certificates.load_request(each).public_key() for each in requests]


@pytest.mark.parametrize(
    ("request_pem", "words"),
    [
        ("", "no certificate signing request"),
        ("no PEM", "no certificate signing request"),
        (pem(_CLIENT), "no certificate signing request"),
        (forged(), "not signed with its own key"),
        (csr(new_key("RSA", 1024)), "A00.FR.502"),
        (csr(new_key("EC", 192)), "A00.FR.503"),
        (request_of(dsa.generate_private_key(2048), SHA256()), "DSA"),
        (request_of(ed25519.Ed25519PrivateKey.generate(), None), "Ed25519"),
        (csr(_KEY, organization="Somebody"), "A02.FR.13"),
        (csr(_KEY, organization=""), "A02.FR.13"),
        (csr(_KEY, "SN-0002"), "A00.FR.405"),
    ],
)
def test_a_request_that_cannot_be_processed_is_rejected(request_pem: str, words: str) -> None:
    shared = store()
    assert answer("SignCertificate", {"csr": request_pem}, shared) == {"status": "Rejected"}  # A02.FR.12
    assert certificates_to_send(shared.of("CP-1")) == []
    [event] = shared.security_log
    assert (event.type, event.identity) == ("InvalidSignCertificateRequest", "CP-1")
    assert words in event.tech_info


def test_without_an_authority_nothing_is_signed() -> None:
    shared = store()
    shared.authority = None
    assert answer("SignCertificate", {"csr": csr(_KEY)}, shared) == {"status": "Rejected"}
    shared.authority = _ROOT
    answer("SignCertificate", {"csr": csr(_KEY)}, shared)
    shared.authority = None
    assert certificates_to_send(shared.of("CP-1")) == []
    shared.authority = _ROOT
    assert len(certificates_to_send(shared.of("CP-1"))) == 1


def test_what_is_not_known_of_a_request_is_not_compared() -> None:
    shared = Store(authority=_ROOT)
    shared.know_charge_point("CP-1")
    assert answer("SignCertificate", {"csr": csr(_KEY, "Any", "Body")}, shared) == {"status": "Accepted"}


@pytest.mark.parametrize("authority", [_ROOT, _INTERMEDIATE], ids=["root", "beneath"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("expired", "expired"),
        ("not_yet_valid", "not valid before"),
        ("unknown_authority", "nobody who is trusted"),
        ("other_key", ""),
    ],
)
def test_a_certificate_is_invalid_in_just_one_way(fault: CertificateFault, words: str, authority: Authority) -> None:
    chain = certificates.load_chain(sign(authority, csr(_KEY), fault))
    roots, now = [_ROOT.certificate], datetime.now(UTC)
    is_of_the_key = chain[0].public_key() == _KEY.public_key()
    found = certificates.charge_point_faults(chain[0], now)
    assert is_of_the_key == (fault != "other_key")
    assert (certificates.organization(chain[0]), certificates.common_name(chain[0])) == (CPO, SERIAL)
    assert len(found) == (fault in ("expired", "not_yet_valid"))
    if words:
        with pytest.raises(BadCertificate, match=words):
            certificates.verify_path(chain, roots, now)
    else:
        certificates.verify_path(chain, roots, now)
    assert (
        chain[0].issuer
        == (_ROOT if fault == "unknown_authority" and authority is _ROOT else authority).certificate.subject
    )


def test_a_certificate_with_another_key_has_one_of_the_same_kind() -> None:
    [certificate] = certificates.load_chain(sign(_ROOT, csr(new_key("RSA")), "other_key"))
    assert certificates.key_size(certificate.public_key()) == ("RSA", 2048)


def test_a_fault_is_signed_into_what_is_sent() -> None:
    shared = store()
    shared.certificate_fault = "expired"
    answer("SignCertificate", {"csr": csr(_KEY)}, shared)
    [text] = certificates_to_send(shared.of("CP-1"))
    assert certificates.load_chain(text)[0].not_valid_after_utc == EXPIRED[1]


def test_what_is_no_request_is_not_signed() -> None:
    with pytest.raises(BadCertificate):
        sign(_ROOT, "no PEM")


# What a Charge Point is sent


@pytest.mark.parametrize("action", ["GetLog", "SignedUpdateFirmware"])
def test_each_request_has_an_id_of_its_own(action: str) -> None:
    view = store().of("CP-1")
    wish = {"retries": 1}
    assert about_to_send(view, action, wish) == {"retries": 1, "requestId": 7}
    assert about_to_send(view, action, wish) == {"retries": 1, "requestId": 8}
    assert about_to_send(view, action, {"requestId": 20}) == {"requestId": 20}
    assert about_to_send(view, action, wish)["requestId"] == 21
    assert about_to_send(view, action, {"requestId": 3}) == {"requestId": 3}
    assert about_to_send(view, action, {"requestId": "wrong"}, wrong=True) == {"requestId": "wrong"}
    assert about_to_send(view, action, wish)["requestId"] == 22
    assert wish == {"retries": 1}


# The certificates in a Charge Point

_OTHER = Authority.root("Other Root", CPO)


def install(view: View, certificate: Certificate, conf_status: str = "Accepted", kind: str = CENTRAL_SYSTEM) -> None:
    request = {"certificateType": kind, "certificate": pem(certificate)}
    OUTCOMES["InstallCertificate"](view, request, {"status": conf_status})


def report(view: View, *hashes: Payload, kind: str = CENTRAL_SYSTEM) -> None:
    conf: Payload = {"status": "Accepted", "certificateHashData": [*hashes]} if hashes else {"status": "NotFound"}
    OUTCOMES["GetInstalledCertificateIds"](view, {"certificateType": kind}, conf)


def there(view: View) -> list[tuple[str, Payload | None, Certificate | None]]:
    installed = view.charge_point.installed_certificates
    return [(each.certificate_type, each.hash_data, each.certificate) for each in installed]


def hashed(authority: Authority, algorithm: str = "SHA256") -> Payload:
    return dict(hash_data(authority.certificate, authority.certificate, algorithm))


def test_what_was_installed_is_there() -> None:
    view = store().of("CP-1")
    install(view, _ROOT.certificate, "Rejected")
    install(view, _ROOT.certificate, "Failed")
    assert there(view) == []
    install(view, _ROOT.certificate)
    install(view, _ROOT.certificate)
    install(view, _ROOT.certificate, kind=MANUFACTURER)
    for request in ({"certificateType": CENTRAL_SYSTEM, "certificate": "no PEM"}, {}):
        OUTCOMES["InstallCertificate"](view, request, {"status": "Accepted"})
    assert there(view) == [
        (CENTRAL_SYSTEM, None, _ROOT.certificate),
        (MANUFACTURER, None, _ROOT.certificate),
    ]


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_what_is_reported_is_there_and_nothing_else(algorithm: str) -> None:
    view = store().of("CP-1")
    install(view, _ROOT.certificate)
    install(view, _ROOT.certificate, kind=MANUFACTURER)
    reported, foreign = hashed(_ROOT, algorithm), hashed(_OTHER, algorithm)
    report(view, foreign, reported)
    assert there(view) == [
        (MANUFACTURER, None, _ROOT.certificate),
        (CENTRAL_SYSTEM, foreign, None),
        (CENTRAL_SYSTEM, reported, _ROOT.certificate),
    ]
    report(view)
    assert there(view) == [(MANUFACTURER, None, _ROOT.certificate)]
    report(view, kind=MANUFACTURER)
    assert there(view) == []


@pytest.mark.parametrize("reported", ["SHA256", "SHA384", "SHA512"])
@pytest.mark.parametrize("wished", ["SHA256", "SHA384", "SHA512"])
def test_a_certificate_is_deleted_with_the_algorithm_that_was_reported(wished: str, reported: str) -> None:
    view = store().of("CP-1")
    install(view, _OTHER.certificate)
    install(view, _ROOT.certificate)
    wish = {"certificateHashData": hashed(_ROOT, wished)}
    assert about_to_send(view, "DeleteCertificate", wish) == wish  # nothing is reported
    assert hash_data_of(view, _ROOT.certificate) == hashed(_ROOT)
    as_it_writes = hashed(_ROOT, reported)
    as_it_writes["issuerKeyHash"] = as_it_writes["issuerKeyHash"].upper()
    report(view, hashed(_OTHER, reported), as_it_writes)
    assert about_to_send(view, "DeleteCertificate", wish) == {"certificateHashData": as_it_writes}  # M04.FR.07
    assert hash_data_of(view, _ROOT.certificate) == as_it_writes
    assert about_to_send(view, "DeleteCertificate", wish, wrong=True) == wish


@pytest.mark.parametrize(
    ("conf_status", "left"), [("Accepted", [_OTHER]), ("NotFound", [_OTHER]), ("Failed", [_OTHER, _ROOT])]
)
@pytest.mark.parametrize("is_reported", [True, False])
def test_a_deleted_certificate_is_gone(conf_status: str, left: list[Authority], is_reported: bool) -> None:
    view = store().of("CP-1")
    install(view, _OTHER.certificate)
    install(view, _ROOT.certificate)
    if is_reported:
        report(view, hashed(_OTHER), hashed(_ROOT))
    request = {"certificateHashData": hashed(_ROOT)}
    OUTCOMES["DeleteCertificate"](view, request, {"status": conf_status})
    assert [each.certificate for each in view.charge_point.installed_certificates] == [
        authority.certificate for authority in left
    ]


def test_a_certificate_of_somebody_else_is_deleted_as_it_was_reported() -> None:
    view = store().of("CP-1")
    report(view, hashed(_OTHER, "SHA512"))
    request = {"certificateHashData": hashed(_OTHER, "SHA512")}
    assert about_to_send(view, "DeleteCertificate", request) == request
    OUTCOMES["DeleteCertificate"](view, request, {"status": "Accepted"})
    assert there(view) == []


def test_a_root_that_its_predecessor_has_signed() -> None:
    view = store().of("CP-1")
    successor = Authority.root("Next Root", CPO, signed_by=_ROOT)
    install(view, _ROOT.certificate)
    install(view, successor.certificate)
    expected = dict(hash_data(successor.certificate, _ROOT.certificate, "SHA256"))
    assert hash_data_of(view, successor.certificate) == expected
    report(view, expected)
    assert there(view) == [(CENTRAL_SYSTEM, expected, successor.certificate)]


@pytest.mark.parametrize(
    "wrong", [None, "text", {}, {"hashAlgorithm": "SHA256"}, hashed(_ROOT, "SHA256") | {"hashAlgorithm": []}]
)
def test_a_wrong_deletion_that_is_accepted_deletes_nothing(wrong: object) -> None:
    view = store().of("CP-1")
    install(view, _ROOT.certificate)
    request: Payload = {} if wrong is None else {"certificateHashData": wrong}
    assert about_to_send(view, "DeleteCertificate", request) == request
    OUTCOMES["DeleteCertificate"](view, request, {"status": "Accepted"})
    assert len(there(view)) == 1


# What it may send while it is Pending


@pytest.mark.parametrize(
    ("requested", "action"),
    [
        ("BootNotification", "BootNotification"),
        ("LogStatusNotification", "LogStatusNotification"),
        ("FirmwareStatusNotification", "SignedFirmwareStatusNotification"),
        ("Heartbeat", "Heartbeat"),
        ("MeterValues", "MeterValues"),
        ("SignChargePointCertificate", "SignCertificate"),
        ("StatusNotification", "StatusNotification"),
    ],
)
def test_an_extended_trigger_lets_in_what_it_asks_for(requested: str, action: str) -> None:
    view = store().of("CP-1")
    request: Payload = {"requestedMessage": requested}
    assert not severe(faults("ExtendedTriggerMessage", "req", request))
    remote_trigger.about_to_trigger(view, request, "ExtendedTriggerMessage")
    assert list(view.charge_point.triggered) == [action]
    assert remote_trigger.was_triggered(view, action)
    remote_trigger.came(view, action)
    assert remote_trigger.was_triggered(view, action) == (action in ("MeterValues", "StatusNotification"))


def test_an_ordinary_trigger_asks_for_the_ordinary_status() -> None:
    view = store().of("CP-1")
    remote_trigger.about_to_trigger(view, {"requestedMessage": "FirmwareStatusNotification"})
    assert list(view.charge_point.triggered) == ["FirmwareStatusNotification"]


def test_an_accepted_charge_point_is_asked_for_no_boot() -> None:
    view = store().of("CP-1")
    view.charge_point.accepted = True
    with pytest.raises(LocalMisuse, match=r"errata 3\.40"):
        remote_trigger.about_to_trigger(view, {"requestedMessage": "BootNotification"}, "ExtendedTriggerMessage")


# On the wire


async def test_a_password_is_changed_and_the_former_one_refused() -> None:
    shared = furnished()
    know_credentials(shared, "CP-1", security_profile=1, authorization_key=KEY)
    async with running(shared) as central_system:

        async def knock(password: bytes | None) -> int | None:
            try:
                websocket = await connect(central_system.endpoint, "CP-1", password=password)
            except ConnectFailed as failure:
                return failure.status
            await websocket.close()
            return 101

        assert [await knock(password) for password in (None, NEW_KEY, KEY)] == [401, 401, 101]
        assert {event.type for event in shared.security_log} == {"FailedToAuthenticationAtCentralSystem"}
        change("AuthorizationKey", NEW_KEY.hex(), "Accepted", shared)
        assert [await knock(password) for password in (KEY, NEW_KEY)] == [401, 101]


async def test_the_certificate_follows_the_answer_and_the_request_its_trigger() -> None:
    shared = furnished()
    shared.know_charge_point("CP-1", "Pending")
    shared.authority = _INTERMEDIATE
    received: list[Payload] = []

    async def handle(call: Call) -> Payload:
        received.append({call.action: call.payload})
        return {"status": "Accepted"}

    async with running(shared) as central_system, charge_point(central_system, handle=handle) as peer:
        with pytest.raises(Refused, match="SecurityError"):
            await peer.call("SignCertificate", {"csr": csr(_KEY)})
        trigger = {"requestedMessage": "SignChargePointCertificate"}
        await central_system.request("CP-1", "ExtendedTriggerMessage", trigger)
        assert await peer.call("SignCertificate", {"csr": csr(_KEY)}) == {"status": "Accepted"}
        await asyncio.sleep(1)
        assert [list(each) for each in received] == [["ExtendedTriggerMessage"], ["CertificateSigned"]]
        chain = certificates.load_chain(received[1]["CertificateSigned"]["certificateChain"])
        certificates.verify_path(chain, [_ROOT.certificate], datetime.now(UTC))
