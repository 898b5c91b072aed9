"""Security: the white paper «Improved security for OCPP 1.6-J», edition 3, as far as messages tell of it.

Its signed update and its logs are in ``firmware_management``, its triggers in ``remote_trigger``; what it demands of a
connection is done where the connection is made.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from ocppj.authority import Credential, Kind, key_pem, new_key, signing_request
from ocppj.certificates import (
    HASH_ALGORITHMS,
    BadCertificate,
    Certificate,
    charge_point_faults,
    common_name,
    faults,
    hash_data,
    is_authority,
    is_root,
    is_signed_by,
    key_fingerprint,
    load,
    load_chain,
    load_key,
    load_request,
    organization,
    pem,
    same_hash_data,
    verify_path,
)
from ocppj.errors import CallFailed, Disconnected, Refused, Unanswered
from ocppj.frames import Payload
from simulator import firmware_management, remote_trigger
from simulator.configuration import ChangeStatus, Key
from simulator.core import Handler

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

NAME = "Security"  # among the profiles of a Charge Point; no feature profile of OCPP 1.6 (3.2) is called so

AUTHORIZATION_KEY = Key("AuthorizationKey", "string", "", pattern="([0-9A-Fa-f]{2}){16,20}", write_only=True)  # 7.2
KEYS = [
    Key("AdditionalRootCertificateCheck", "boolean", "false", read_only=True),
    AUTHORIZATION_KEY,
    Key("CertificateSignedMaxChainSize", "integer", "10000", read_only=True),
    Key("CertificateStoreMaxLength", "integer", "10", read_only=True),
    # RFC 5280, appendix A.1: an organizationName has 64 characters at most.
    Key("CpoName", "string", "", pattern=r"[^\x00-\x1f]{0,64}"),
    Key("SecurityProfile", "integer", "0", maximum=3),
]

# Chapter 8: those that the Central System is told of.
CRITICAL = frozenset(
    {
        "FirmwareUpdated",
        "MemoryExhaustion",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "TamperDetectionActivated",
    }
)
LONGEST_SECURITY_LOG = 1000  # entries; the oldest go first (A04.FR.04)
LONGEST_TECH_INFO = 255  # characters (5.15)
RETRY_INTERVAL = 60.0  # seconds until an event that was not confirmed is told again
MONTH = timedelta(days=30)  # A03.FR.02
_LONGEST_WAIT = 3600.0  # seconds after which the clock is asked again: the Central System may have set it

Send = Callable[[str, Payload], Awaitable[Payload]]


class Security:
    """What a Charge Point does about keys, certificates and security events.

    ``hash_algorithm`` (white paper 6.12), ``rejects_certificates`` (InstallCertificate.req),
    ``rejects_signed_certificate`` (CertificateSigned.req), ``reconnects_by_itself`` (whether it uses a new
    SecurityProfile at once or after the next boot), ``refuses_unsigned_firmware`` (L01.FR.20, while a security profile
    is in use) and ``key_kind`` are facts that whoever plays with the Charge Point may set. ``profile`` is the security
    profile that its connections use. ``root_in_use`` has verified the certificate of the Central System on the present
    connection. ``former_authorization_key`` is the one before the last change since it was made.
    """

    def __init__(self, charge_point: "ChargePoint") -> None:
        self.hash_algorithm = HASH_ALGORITHMS[0]
        self.rejects_certificates = False
        self.rejects_signed_certificate = False
        self.reconnects_by_itself = True
        self.refuses_unsigned_firmware = True
        self.key_kind: Kind = "EC"
        self.on_change: Callable[[], None] = lambda: None  # called when its password or its certificate has changed
        self.root_in_use: Certificate | None = None
        self.former_authorization_key: bytes | None = None
        self._charge_point = charge_point
        self._memory = charge_point.memory
        self._configuration = charge_point.configuration
        self._is_implemented = NAME in charge_point.profiles
        self._pauses = False  # an event was not confirmed
        self.profile = self._configured_profile
        if self._is_implemented:
            self._configuration.deciders.update(
                {"AuthorizationKey": self._change_authorization_key, "SecurityProfile": self._change_profile}
            )

    def power_up(self, reason: str) -> None:
        """Begin to work; ``reason`` as in StopTransaction.req (7.36)."""
        if not self._is_implemented:
            return
        self.profile = self._configured_profile
        self.happened("StartupOfTheDevice")
        if reason != "PowerLoss":
            self.happened("ResetOrReboot", reason)
        for certificate in self._own_certificates():
            if certificate.not_valid_before_utc > self._charge_point.now():
                self._switch(certificate)
        self._charge_point.spawn(self._renew())

    def power_down(self) -> None:
        """The power is gone."""
        self._pauses = False
        self.root_in_use = None

    # Events

    def happened(self, event: str, tech_info: str = "", *, tell: bool = False) -> None:
        """Log a security event (chapter 8, A04.FR.04) and tell the Central System if it is critical, or if ``tell``."""
        if not self._is_implemented:
            return
        notification: Payload = {"type": event, "timestamp": self._charge_point.timestamp()}
        if tech_info:
            notification["techInfo"] = tech_info[:LONGEST_TECH_INFO]
        self._memory.security_log.append(notification)
        del self._memory.security_log[:-LONGEST_SECURITY_LOG]
        if tell or event in CRITICAL:
            self._memory.security_events.append(notification)
            self._charge_point.deliver_events()

    async def deliver(self, call: Send) -> None:
        """Tell the Central System of the events that wait, the oldest first (A04.FR.02). Raises ``Disconnected``."""
        events = self._memory.security_events
        while events and not self._pauses:
            event = events[0]
            try:
                await call("SecurityEventNotification", event)
            except Disconnected:
                raise
            except Unanswered:
                self._pauses = True
                self._charge_point.spawn(self._go_on_later())
                return
            except CallFailed:
                pass  # who refuses it has received it, and would refuse it again
            events.remove(event)

    async def _go_on_later(self) -> None:
        await asyncio.sleep(RETRY_INTERVAL)
        self._pauses = False
        self._charge_point.deliver_events()

    # Keys

    @property
    def authorization_key(self) -> bytes | None:
        """The password of HTTP Basic authentication (A00.FR.205). Secret."""
        return bytes.fromhex(self._memory.authorization_key) or None

    def _change_authorization_key(self, value: str) -> ChangeStatus:
        self.former_authorization_key = self.authorization_key
        self._memory.authorization_key = value
        self.on_change()
        self.happened("ReconfigurationOfSecurityParameters", "AuthorizationKey")  # A01.FR.11, A01.FR.12
        if self.profile in (1, 2):  # A01, prerequisites: no other profile has a use for it
            self._charge_point.afterwards(self._charge_point.reconnect)
        return "Accepted"

    @property
    def _configured_profile(self) -> int:
        return self._configuration.number("SecurityProfile") if self._is_implemented else 0

    def _change_profile(self, value: str) -> ChangeStatus:
        former, wanted = self._configured_profile, int(value)
        if wanted <= former or not self._is_ready_for(wanted):  # A05.FR.01
            return "Rejected"
        self._memory.former_security_profile = former
        self._configure_profile(wanted)
        if self.reconnects_by_itself:  # A05.FR.06, A05.FR.07
            self.profile = wanted
            self._charge_point.afterwards(self._charge_point.reconnect)
        return "Accepted"

    def _is_ready_for(self, profile: int) -> bool:
        now = self._charge_point.now()
        if profile in (1, 2) and AUTHORIZATION_KEY.understood(self._memory.authorization_key) is None:  # A05.FR.02
            return False
        if profile in (2, 3) and all(faults(root, now) for root in self.roots):  # A05.FR.03
            return False
        return profile != 3 or self.credential is not None  # A05.FR.04

    def _configure_profile(self, profile: int) -> None:
        self._configuration.set("SecurityProfile", str(profile))
        self.happened("ReconfigurationOfSecurityParameters", f"SecurityProfile {profile}")

    def connected(self, root: Certificate | None = None) -> None:
        """A connection was made; ``root`` has verified the certificate of the Central System."""
        self.root_in_use = root
        if root in self.roots:
            self._memory.fallback_root = None  # M05.FR.12
        if self.profile == self._configured_profile:
            self._memory.former_security_profile = None

    def fall_back(self) -> bool:
        """Use the former security profile again, since no connection can be made with the new one (A05.FR.08).

        Whether there is one, and the new one is in use.
        """
        former = self._memory.former_security_profile
        if former is None or self.profile != self._configured_profile:
            return False
        self._memory.former_security_profile = None
        self._configure_profile(former)
        self.profile = former
        return True

    # Roots

    @property
    def roots(self) -> list[Certificate]:
        """Those that the Central System's certificate is verified with, the newest last, without the fallback."""
        return [load_chain(text)[0] for text in self._memory.central_system_roots]

    @property
    def fallback_root(self) -> Certificate | None:
        """The one to try when the new one does not verify the certificate of the Central System (M05.FR.13)."""
        return load_chain(self._memory.fallback_root)[0] if self._memory.fallback_root else None

    def install(self, use: str, text: str) -> bool:
        """Install a root; ``use`` is a CertificateUseEnumType. Whether there was room. Raises ``BadCertificate``."""
        memory = self._memory
        if sum(1 for _ in self._installed()) >= self._configuration.number("CertificateStoreMaxLength"):  # M05.FR.03
            return False
        certificate = self._checked_root(text)
        if use == "ManufacturerRootCertificate":
            _add(memory.manufacturer_roots, certificate)
        elif self._configuration.flag("AdditionalRootCertificateCheck") and memory.central_system_roots:
            self._replace_root(certificate)
        else:
            _add(memory.central_system_roots, certificate)
        self.happened("ReconfigurationOfSecurityParameters", f"{use} installed: {_named(certificate)}")
        return True

    def _checked_root(self, text: str) -> Certificate:
        # M05.FR.06
        if self.rejects_certificates:
            raise BadCertificate("no certificate is taken")
        certificate = load(text)
        if found := faults(certificate, self._charge_point.now()):
            raise BadCertificate(found[0])
        if not is_authority(certificate):
            raise BadCertificate("it is no certificate of an authority")
        return certificate

    def _replace_root(self, certificate: Certificate) -> None:
        # M05.FR.08 to M05.FR.11
        memory = self._memory
        former = memory.central_system_roots[-1]
        issuer = load_chain(former)[0]
        if certificate == issuer:
            return
        if not is_signed_by(certificate, issuer):
            raise BadCertificate("the root that it is to replace has not signed it")
        memory.central_system_roots[:] = [pem(certificate, issuer)]
        memory.fallback_root = former

    def _installed(self) -> Iterator[tuple[str, str]]:
        """The use of each root and its text."""
        for text in self._memory.central_system_roots:
            yield "CentralSystemRootCertificate", text
        if self._memory.fallback_root is not None:
            yield "CentralSystemRootCertificate", self._memory.fallback_root
        for text in self._memory.manufacturer_roots:
            yield "ManufacturerRootCertificate", text

    def installed(self, use: str) -> list[dict[str, str]]:
        """The CertificateHashDataType of each root of a use (M03.FR.04)."""
        return [_hash_data(text, self.hash_algorithm) for each, text in self._installed() if each == use]

    def delete(self, wanted: Payload) -> str:
        """Delete the root that a CertificateHashDataType means; the status of DeleteCertificate.conf (M04)."""
        algorithm = wanted["hashAlgorithm"]
        for use, text in self._installed():
            if same_hash_data(_hash_data(text, algorithm), wanted):
                return self._delete(use, text)
        if any(same_hash_data(each, wanted) for each in self._own_hash_data(algorithm)):
            return "Failed"  # M04.FR.05
        return "NotFound"

    def _delete(self, use: str, text: str) -> str:
        memory, certificate = self._memory, load_chain(text)[0]
        if use == "ManufacturerRootCertificate":
            memory.manufacturer_roots.remove(text)
        elif certificate == self.root_in_use:  # M04.FR.06
            return "Failed"
        elif text == memory.fallback_root:
            memory.fallback_root = None
        else:
            memory.central_system_roots.remove(text)
            if not memory.central_system_roots and memory.fallback_root is not None:  # it is all that is left
                memory.central_system_roots.append(memory.fallback_root)
                memory.fallback_root = None
        self.happened("ReconfigurationOfSecurityParameters", f"{use} deleted: {_named(certificate)}")
        return "Accepted"

    # The certificate of the Charge Point

    @property
    def credential(self) -> Credential | None:
        """The private key and the certificate to use: of those that are valid, the newest (A02.FR.09)."""
        now = self._charge_point.now()
        valid = [
            (stored, chain)
            for stored in reversed(self._memory.certificates)
            for chain in [load_chain(stored["chain"])]
            if chain[0].not_valid_before_utc <= now <= chain[0].not_valid_after_utc
        ]
        if not valid:
            return None
        stored, chain = max(valid, key=lambda each: each[1][0].not_valid_before_utc)
        return Credential(load_key(stored["key"]), tuple(chain))

    def _own_certificates(self) -> list[Certificate]:
        return [load_chain(stored["chain"])[0] for stored in self._memory.certificates]

    def _own_hash_data(self, algorithm: str) -> Iterator[dict[str, str]]:
        for stored in self._memory.certificates:
            certificate, *chain = load_chain(stored["chain"])
            for issuer in (*chain, *self.roots):
                if is_signed_by(certificate, issuer):
                    yield hash_data(certificate, issuer, algorithm)

    @property
    def can_ask_for_certificate(self) -> bool:
        """Whether a CSR can be made: CpoName MUST be set (A02, prerequisites), and CN is to be unique (A00.FR.429)."""
        return bool(self._configuration.value("CpoName").strip() and self._serial_number)

    @property
    def _serial_number(self) -> str:
        return str(self._charge_point.boot_information["chargePointSerialNumber"])

    def ask_for_certificate(self) -> None:
        """Make a new key and ask the Central System to have it signed (A02.FR.02, A02.FR.03)."""
        self._charge_point.spawn(self._ask_for_certificate())

    async def _ask_for_certificate(self) -> None:
        key = new_key(self.key_kind)
        cpo = self._configuration.value("CpoName")  # A02.FR.13
        csr = signing_request(key, common_name=self._serial_number, organization=cpo)
        asked = self._memory.signing_request = {"key": key_pem(key), "csr": csr}
        try:
            accepted = (await self._charge_point.request("SignCertificate", {"csr": csr}))["status"] == "Accepted"
        except Refused:
            accepted = False
        except CallFailed:
            return  # it may be signed nevertheless; A02, error handling: the Charge Point does not ask again
        if not accepted and self._memory.signing_request is asked:
            self._memory.signing_request = None

    async def _renew(self) -> None:
        # A03.FR.02
        await self._charge_point.wait_told()
        credential = self.credential
        if credential and credential.certificate.not_valid_after_utc - self._charge_point.now() < MONTH:
            if self.can_ask_for_certificate:
                self.ask_for_certificate()
            else:
                self._charge_point.note("the certificate expires soon, but CpoName is not set")

    def take_signed(self, text: str) -> None:
        """Keep the certificate that was asked for; the former ones stay (A02.FR.10). Raises ``BadCertificate``."""
        asked = self._memory.signing_request
        if asked is None or self.rejects_signed_certificate:
            raise BadCertificate("it was not asked for" if asked is None else "no certificate is taken")
        if len(text) > self._configuration.number("CertificateSignedMaxChainSize"):  # 7.3
            raise BadCertificate("the chain is too long")
        chain = load_chain(text)
        certificate, request = chain[0], load_request(asked["csr"])
        if key_fingerprint(certificate.public_key()) != key_fingerprint(request.public_key()):
            raise BadCertificate("its key is not the one that was to be signed")
        if (common_name(certificate), organization(certificate)) != (common_name(request), organization(request)):
            raise BadCertificate("its CN or O is not what was asked for")
        # A02.FR.08: one that becomes valid later is used later.
        at = max(self._charge_point.now(), certificate.not_valid_before_utc)
        if found := charge_point_faults(certificate, at):  # A02.FR.06
            raise BadCertificate(found[0])
        verify_path(chain, self.roots, at)
        self._memory.signing_request = None
        self._memory.certificates.append({"key": asked["key"], "chain": text})
        self.on_change()
        self.happened("ReconfigurationOfSecurityParameters", f"Charge Point certificate: {_named(certificate)}")
        self._charge_point.afterwards(partial(self._switch, certificate))

    def _switch(self, certificate: Certificate) -> None:
        self._charge_point.spawn(self._switch_to(certificate))

    async def _switch_to(self, certificate: Certificate) -> None:
        # A02.FR.08
        wait = 1.0
        while wait > 0:
            wait = (certificate.not_valid_before_utc - self._charge_point.now()).total_seconds()
            await asyncio.sleep(min(max(0.0, wait), _LONGEST_WAIT))
        if self.profile == 3:
            self._charge_point.reconnect()


def _add(kept: list[str], certificate: Certificate) -> None:
    if not is_root(certificate):  # and 6.1 wants the key of the one that has signed it
        raise BadCertificate("it is no root: another has signed it")
    if all(load_chain(text)[0] != certificate for text in kept):
        kept.append(pem(certificate))


def _hash_data(text: str, algorithm: str) -> dict[str, str]:
    chain = load_chain(text)
    return hash_data(chain[0], chain[-1], algorithm)


def _named(certificate: Certificate) -> str:
    return f"{certificate.subject.rfc4514_string()}, serial number {certificate.serial_number:X}"


def certificate_signed(charge_point: "ChargePoint", request: Payload) -> Payload:
    """White paper A02, A03."""
    security = charge_point.security
    try:
        security.take_signed(request["certificateChain"])
    except BadCertificate as fault:  # A02.FR.07
        charge_point.afterwards(partial(security.happened, "InvalidChargePointCertificate", str(fault), tell=True))
        return {"status": "Rejected"}
    return {"status": "Accepted"}


def delete_certificate(charge_point: "ChargePoint", request: Payload) -> Payload:
    """White paper M04."""
    return {"status": charge_point.security.delete(request["certificateHashData"])}


def get_installed_certificate_ids(charge_point: "ChargePoint", request: Payload) -> Payload:
    """White paper M03."""
    found = charge_point.security.installed(request["certificateType"])
    return {"status": "Accepted", "certificateHashData": found} if found else {"status": "NotFound"}


def install_certificate(charge_point: "ChargePoint", request: Payload) -> Payload:
    """White paper M05."""
    security, use = charge_point.security, request["certificateType"]
    try:
        return {"status": "Accepted" if security.install(use, request["certificate"]) else "Rejected"}
    except BadCertificate as fault:
        charge_point.note(f"{use} rejected: {fault}")
        if use == "CentralSystemRootCertificate":  # chapter 8 has no event for the other
            tell = partial(security.happened, "InvalidCentralSystemCertificate", str(fault), tell=True)
            charge_point.afterwards(tell)
        return {"status": "Rejected"}


HANDLERS: dict[str, Handler] = {
    "CertificateSigned": certificate_signed,
    "DeleteCertificate": delete_certificate,
    "ExtendedTriggerMessage": remote_trigger.extended_trigger_message,
    "GetInstalledCertificateIds": get_installed_certificate_ids,
    "GetLog": firmware_management.get_log,
    "InstallCertificate": install_certificate,
    "SignedUpdateFirmware": firmware_management.signed_update_firmware,
}
