"""A small fault about keys, certificates and security turns exactly those cases red that speak of it.

See test_planted_faults. Where a connection is refused, nobody can tell whether who shows something or who looks at it
is wrong: then the fault of either is a failure of the one that is judged. Once a connection was closed, our own part of
a failure is inconclusive, and no error. What is called lawful fails no case of the party that does so; a case that
judges the other may need ours to do it otherwise.
"""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import Callable, Sequence
from http import HTTPStatus
from itertools import count
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.typing import Subprotocol

import bench.run
import ocppj.authority
import ocppj.connection
import reference_csms.security
import simulator.network
import simulator.security
from bench.cases import all_cases
from ocppj.authority import EXPIRED, Authority, Credential, new_key, signing_request
from ocppj.certificates import load_chain, load_key, pem
from ocppj.connection import Admission, Attempt, ServerSocket
from ocppj.errors import Refused
from ocppj.frames import Payload
from ocppj.tls import ECDSA_SUITES, REQUIRED_SUITES, RSA_SUITES, client_context, server_context, suite_name
from reference_csms import central_system
from reference_csms.central_system import CentralSystem
from reference_csms.store import CertificateFault, Store
from simulator import core, firmware_management
from simulator.charge_point import ChargePoint
from simulator.firmware_management import FirmwareManagement
from simulator.security import Security
from tests.planted.test_firmware_management import (
    downloads_nothing,
    stays_unavailable,
    tells_instead,
    uploads_changed,
    uploads_nothing,
    with_transfers,
)
from tests.planted.test_planted_faults import (
    Plant,
    answer,
    cases,
    central_system_asks,
    central_system_refuses,
    due,
    instead,
    not_passed,
    the_other_reset,
    with_fields,
)

SECURITY = [case for case in all_cases().values() if case.profile == "Security"]
IDS = frozenset(case.id for case in SECURITY)


def both(*plants: Plant) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        for each in plants:
            each(patch)

    return plant


# The Charge Point


def changes_key(change: Callable[[Security, str], str]) -> Plant:
    """What it does about another AuthorizationKey."""
    return lambda patch: patch.setattr(Security, "_change_authorization_key", change)


def forgets_key(security: Security, value: str) -> str:
    security._charge_point.afterwards(security._charge_point.reconnect)
    return "Accepted"


def does_not_reconnect(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ChargePoint, "reconnect", lambda self: None)


def with_password(show: Callable[[bytes | None], bytes | None]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        get: Any = vars(Security)["authorization_key"].fget
        patch.setattr(Security, "authorization_key", property(lambda self: show(get(self))))

    return plant


def in_digits(password: bytes | None) -> bytes | None:
    return password.hex().upper().encode() if password else None


def after_a_boot(fault: Plant) -> Plant:
    """The fault begins with the second boot of a Charge Point, and ends with the Charge Point."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        power_up, stop = Security.power_up, ChargePoint.stop
        faults: list[pytest.MonkeyPatch] = []

        def later(self: Security, reason: str) -> None:
            if reason != "PowerLoss":
                faults.append(pytest.MonkeyPatch())
                fault(faults[-1])
            power_up(self, reason)

        async def mended(self: ChargePoint) -> None:
            await stop(self)
            while faults:
                faults.pop().undo()

        patch.setattr(Security, "power_up", later)
        patch.setattr(ChargePoint, "stop", mended)

    return plant


def with_user(name: str) -> Plant:
    ordinary = ocppj.connection.basic_authentication
    return lambda patch: patch.setattr(
        ocppj.connection, "basic_authentication", lambda identity, password: ordinary(name, password)
    )


def with_keys_of(size: int) -> Plant:
    """The key that both parties know is too short."""
    return lambda patch: patch.setattr(bench.run, "token_bytes", lambda _: bytes(range(1, size + 1)))


def asks_with(change: Callable[..., str]) -> Plant:
    return lambda patch: patch.setattr(simulator.security, "signing_request", change)


def other_subject(**others: str) -> Plant:
    return asks_with(lambda key, **names: signing_request(key, **names | others))


def makes_keys(*kind: Any) -> Plant:
    return lambda patch: patch.setattr(simulator.security, "new_key", lambda _: new_key(*kind))


def asks_with_the_key_in_use(patch: pytest.MonkeyPatch) -> None:
    ask = Security._ask_for_certificate

    async def ask_again(self: Security) -> None:
        credential = self.credential
        assert credential
        patch.setattr(simulator.security, "new_key", lambda _: credential.key)
        await ask(self)

    patch.setattr(Security, "_ask_for_certificate", ask_again)


def without_pem(text: str) -> str:
    """The base64 of a PEM text alone."""
    return "".join(line for line in text.splitlines() if not line.startswith("-----"))


def does_not_ask(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Security, "ask_for_certificate", lambda self: None)


def does_not_switch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Security, "_switch", lambda self, certificate: None)


def shows_its_first_certificate(patch: pytest.MonkeyPatch) -> None:
    def first(self: Security) -> Credential | None:
        if not self._memory.certificates:
            return None
        stored = self._memory.certificates[0]
        return Credential(load_key(stored["key"]), tuple(load_chain(stored["chain"])))

    patch.setattr(Security, "credential", property(first))


def installs_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Security, "install", lambda *_: True)


def lists_the_other_type(patch: pytest.MonkeyPatch) -> None:
    def installed(self: Security, use: str) -> list[dict[str, str]]:
        return [
            simulator.security._hash_data(text, self.hash_algorithm) for each, text in self._installed() if each != use
        ]

    patch.setattr(Security, "installed", installed)


def with_hash_data(change: Callable[[dict[str, str]], dict[str, str]]) -> Plant:
    """Lists its certificates so, and finds them so."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = simulator.security._hash_data
        patch.setattr(simulator.security, "_hash_data", lambda *told: change(ordinary(*told)))

    return plant


def hashes_the_whole_key(patch: pytest.MonkeyPatch) -> None:
    """With tag and length."""
    ordinary = simulator.security._hash_data

    def whole(text: str, algorithm: str) -> dict[str, str]:
        key = load_chain(text)[-1].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return ordinary(text, algorithm) | {"issuerKeyHash": hashlib.new(algorithm, key).hexdigest()}

    patch.setattr(simulator.security, "_hash_data", whole)


HASHES = ("issuerNameHash", "issuerKeyHash")


def in_capitals(told: dict[str, str]) -> dict[str, str]:
    return {name: value.upper() for name, value in told.items()}


def with_small_serial_numbers(patch: pytest.MonkeyPatch) -> None:
    numbers = count(0x0ABC)
    patch.setattr(x509, "random_serial_number", lambda: next(numbers))


def with_leading_zeroes(told: dict[str, str]) -> dict[str, str]:
    return told | {"serialNumber": told["serialNumber"].zfill(40)}


def with_0x(told: dict[str, str]) -> dict[str, str]:
    return told | {"serialNumber": f"0x{told['serialNumber']}"}


def deletes_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Security, "delete", lambda *_: "Accepted")


def takes_any_signed_certificate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(simulator.security, "charge_point_faults", lambda *_: [])
    patch.setattr(simulator.security, "verify_path", lambda *_: None)


def takes_any_root(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(simulator.security, "faults", lambda *_: [])


def events_instead(**others: str | None) -> Plant:
    """It notes one event for another, or, for None, none."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        happened = Security.happened

        def otherwise(self: Security, event: str, tech_info: str = "", *, tell: bool = False) -> None:
            noted = others.get(event, event)
            if noted is not None:
                happened(self, noted, tech_info, tell=tell)

        patch.setattr(Security, "happened", otherwise)

    return plant


def tells_with(change: Callable[[Payload], Payload], *actions: str) -> Plant:
    """The notifications of some actions hold something else."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        tell = FirmwareManagement._tell

        async def otherwise(self: FirmwareManagement, action: str, payload: Payload) -> None:
            await tell(self, action, change(payload) if action in actions else payload)

        patch.setattr(FirmwareManagement, "_tell", otherwise)

    return plant


def next_request_id(payload: Payload) -> Payload:
    return payload | {"requestId": payload["requestId"] + 1}


def without_signature_check(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(firmware_management, "verify_signature", lambda *_: "RSA-PSS")


def installs_in_spite_of_it(patch: pytest.MonkeyPatch) -> None:
    verify = FirmwareManagement._verify

    async def verify_in_vain(self: FirmwareManagement, update: Any) -> bool:
        if update["verified"] is not None:
            return await verify(self, update)
        await self._tell_firmware(update, "InvalidSignature")
        update["status"] = "Verified"
        return True

    patch.setattr(FirmwareManagement, "_verify", verify_in_vain)


def changes_profile(change: Callable[[Security, str], str]) -> Plant:
    return lambda patch: patch.setattr(Security, "_change_profile", change)


def needs_a_reboot(security: Security, value: str) -> str:
    security._configure_profile(int(value))
    return "RebootRequired"


def reconnects_with_it(security: Security, value: str) -> str:
    """Whatever it answers."""
    security._configure_profile(int(value))
    security.profile = int(value)
    security._charge_point.afterwards(security._charge_point.reconnect)
    return "Rejected"


def reconnects_in_vain(security: Security, value: str) -> str:
    security._charge_point.afterwards(security._charge_point.reconnect)
    return "Accepted"


def is_unavailable_after_a_boot(patch: pytest.MonkeyPatch) -> None:
    def plant(later: pytest.MonkeyPatch) -> None:
        later.setattr(ChargePoint, "is_operative", lambda *_: False)

    after_a_boot(plant)(patch)


def offers(*suites: str) -> Plant:
    return lambda patch: patch.setattr(
        simulator.network, "client_context", lambda *told, **more: client_context(*told, **{"suites": suites} | more)
    )


def speaks_tls_1_1(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(simulator.network, "client_context", lambda *told, **more: _old(client_context(*told, **more)))


def issues(usage: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Plant:
    """What the certificates for a usage are made with."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        issue = Authority.issue

        def otherwise(self: Authority, wanted: Any, **told: Any) -> Credential:
            return issue(self, wanted, **(change(told) if wanted == usage else told))

        patch.setattr(Authority, "issue", otherwise)

    return plant


def with_client_certificate(**others: Any) -> Plant:
    return issues("client", lambda told: told | others)


def weak_openssl(patch: pytest.MonkeyPatch) -> None:
    """Both parties have an OpenSSL that takes everything."""
    set_ciphers = ssl.SSLContext.set_ciphers

    def anything(self: ssl.SSLContext, ciphers: str) -> None:
        set_ciphers(self, ciphers.replace("SECLEVEL=2", "SECLEVEL=0"))

    patch.setattr(ssl.SSLContext, "set_ciphers", anything)


def admits_any_certificate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reference_csms.security, "_fault_of_certificate", lambda *_: "")


# The Central System


def asks_wrongly(action: str, change: Callable[[Payload], Payload]) -> Plant:
    """The Central System sends what its own checks would keep it from."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem.request

        async def request(self: CentralSystem, identity: str, asked: str, payload: Payload, **more: bool) -> Payload:
            if asked != action:
                return await ordinary(self, identity, asked, payload, **more)
            return await ordinary(self, identity, asked, change(payload), wrong=True)

        patch.setattr(CentralSystem, "request", request)

    return plant


def with_value(key: str, value: str) -> Callable[[Payload], Payload]:
    return lambda asked: asked | {"value": value} if asked["key"] == key else asked


def of_the_other_type(asked: Payload) -> Payload:
    one, other = "CentralSystemRootCertificate", "ManufacturerRootCertificate"
    return asked | {"certificateType": other if asked["certificateType"] == one else one}


def other_root(**kind: Any) -> Callable[[Payload], Payload]:
    return lambda asked: asked | {"certificate": pem(Authority.root("Other", "CPO", **kind).certificate)}


def with_certificate_as_base64(asked: Payload) -> Payload:
    return asked | {"certificate": without_pem(asked["certificate"])}


def with_signing_certificate_as_base64(asked: Payload) -> Payload:
    return of_firmware(signingCertificate=without_pem(asked["firmware"]["signingCertificate"]))(asked)


def changes_cpo_name(asked: Payload) -> Payload:
    return asked | {"key": asked["key"].replace("AuthorizationKey", "CpoName")}


def a_leaf() -> str:
    """A certificate that is no root."""
    return Authority.root("Root", "CPO").issue("server", common_name="localhost", organization="CPO").chain_pem


def lets_pass(fault: Callable[[dict[str, Any]], bool]) -> Plant:
    """It lets some pass who do not authenticate themselves."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = reference_csms.security._fault_of_credentials
        patch.setattr(
            reference_csms.security, "_fault_of_credentials", lambda facts: "" if fault(facts) else ordinary(facts)
        )

    return plant


def refuses(who: Callable[[Store, Attempt, Admission], bool]) -> Plant:
    """It refuses whom it would admit."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        admit = reference_csms.security.admit

        def refuse(store: Store, attempt: Attempt) -> Admission:
            admission = admit(store, attempt)
            if admission.is_granted and who(store, attempt, admission):
                return Admission(HTTPStatus.FORBIDDEN, "not today", admission.facts)
            return admission

        patch.setattr(reference_csms.security, "admit", refuse)

    return plant


def shows_another_certificate_than_at_first() -> Callable[[Store, Attempt, Admission], bool]:
    first: list[tuple[Store, object]] = []

    def differs(store: Store, attempt: Attempt, _: Admission) -> bool:
        if attempt.certificate is None:
            return False
        known = [certificate for each, certificate in first if each is store]
        if not known:
            first.append((store, attempt.certificate))
        return bool(known) and known[0] != attempt.certificate

    return differs


def forgets_new_key(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reference_csms.security, "_take_over", lambda *_: None)
    patch.setattr(reference_csms.security, "_propose_key", lambda *_: None)


def forgets_new_profile(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reference_csms.security, "_learn_profile", lambda *_: None)
    patch.setattr(reference_csms.security, "_propose_profile", lambda *_: None)


def admits_former_profile(patch: pytest.MonkeyPatch) -> None:
    profiles_of = reference_csms.security.profiles_of

    def and_lower(charge_point: Any) -> set[int]:
        return {*profiles_of(charge_point), *range(1, charge_point.security_profile)}

    patch.setattr(reference_csms.security, "profiles_of", and_lower)


sign = reference_csms.security.sign


def signs(change: Callable[..., str]) -> Plant:
    """It signs otherwise, unless it is to sign wrongly anyway."""

    def otherwise(authority: Authority, csr: str, fault: Any = None) -> str:
        return change(authority, csr) if fault is None else sign(authority, csr, fault)

    return lambda patch: patch.setattr(reference_csms.security, "sign", otherwise)


def signs_wrongly(fault: CertificateFault) -> Plant:
    return signs(lambda authority, csr: sign(authority, csr, fault))


def for_another(authority: Authority, csr: str) -> str:
    """Another CN."""
    request = ocppj.certificates.load_request(csr)
    name = ocppj.authority._name("SN-9999", ocppj.certificates.organization(request))
    return pem(authority.certify(request.public_key(), "client", name))  # type: ignore[arg-type]  # EC


def under_a_stranger(authority: Authority, csr: str) -> str:
    """The chain goes on with one that has not signed it."""
    return sign(authority, csr) + pem(Authority.root("Stranger", "Strangers").certificate)


def sends_no_certificate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reference_csms.security, "certificates_to_send", lambda _: [])


def deletes_with_sha256(patch: pytest.MonkeyPatch) -> None:
    def about_to_delete(store: Any, request: Payload, wrong: bool) -> Payload:
        certificate = store.charge_point.installed_certificates[-1].certificate
        told = reference_csms.security._hash_data(store, certificate, "SHA256")
        return {"certificateHashData": told}

    patch.setitem(reference_csms.security._PREPARATIONS, "DeleteCertificate", about_to_delete)


def deletes_with(change: Callable[[dict[str, str]], dict[str, str]]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        about_to_delete = reference_csms.security.about_to_delete

        def otherwise(store: Any, request: Payload, wrong: bool) -> Payload:
            told = about_to_delete(store, request, wrong)
            return {"certificateHashData": change(told["certificateHashData"])}

        patch.setitem(reference_csms.security._PREPARATIONS, "DeleteCertificate", otherwise)

    return plant


def of_firmware(**fields: Any) -> Callable[[Payload], Payload]:
    return lambda payload: payload | {"firmware": with_fields(**fields)(payload["firmware"])}


def flips_a_bit(payload: Payload) -> Payload:
    """A right signature becomes wrong, and the wrong one of TC_081 right."""
    raw = bytearray(base64.b64decode(payload["firmware"]["signature"]))
    raw[-1] ^= 1
    return of_firmware(signature=base64.b64encode(raw).decode())(payload)


def refuses_reports_of(status: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        handle = central_system.HANDLERS["StatusNotification"]

        def refuse(store: Any, request: Payload) -> Payload:
            if request["status"] == status:
                raise Refused("InternalError")
            return handle(store, request)

        patch.setitem(central_system.HANDLERS, "StatusNotification", refuse)

    return plant


def pends_after_the_first_boot(patch: pytest.MonkeyPatch) -> None:
    handle = central_system.HANDLERS["BootNotification"]
    seen: list[Any] = []

    def pend(store: Any, request: Payload) -> Payload:
        conf = handle(store, request)
        again = any(each is store.shared for each in seen)
        seen.append(store.shared)
        return conf | {"status": "Pending"} if again else conf

    patch.setitem(central_system.HANDLERS, "BootNotification", pend)


def speaks_tls_without(suite: str) -> Plant:
    def otherwise(*arguments: Any) -> ssl.SSLContext:
        context = server_context(*arguments)
        names = [each["name"] for each in context.get_ciphers()]
        context.set_ciphers(":".join(["@SECLEVEL=2", *(name for name in names if suite_name(name) != suite)]))
        return context

    return lambda patch: patch.setattr(central_system, "server_context", otherwise)


def speaks_only_tls_1_1(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(central_system, "server_context", lambda *arguments: _old(server_context(*arguments)))


def _old(context: ssl.SSLContext) -> ssl.SSLContext:
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def with_server_certificate(**others: Any) -> Plant:
    return issues("server", lambda told: told | others)


def with_weak_rsa(patch: pytest.MonkeyPatch) -> None:
    """The other one, with the ECDSA key, is as it should be."""
    issues("server", lambda told: told | {"bits": 1024} if told.get("kind") == "RSA" else told)(patch)


def looks_at_no_name(patch: pytest.MonkeyPatch) -> None:
    """The Charge Point beside it takes a certificate for another host."""

    def careless(*arguments: Any, **more: Any) -> ssl.SSLContext:
        context = client_context(*arguments, **more)
        context.check_hostname = False
        return context

    patch.setattr(simulator.network, "client_context", careless)


def agrees_to(choose: Callable[[Sequence[Subprotocol]], str | None]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        serve: Any = vars(ocppj.connection)["serve"]

        def otherwise(*arguments: Any, **more: Any) -> Any:
            return serve(*arguments, **more | {"select_subprotocol": lambda _, offered: choose(offered)})

        patch.setattr(ocppj.connection, "serve", otherwise)

    return plant


def leaves_it_open(patch: pytest.MonkeyPatch) -> None:
    """A connection without a subprotocol."""
    close = ServerSocket.close

    async def stay(self: ServerSocket, *arguments: Any) -> None:
        if self.subprotocol is None:
            await asyncio.sleep(60)
        await close(self, *arguments)

    patch.setattr(ServerSocket, "close", stay)


def opens_without_subprotocol(patch: pytest.MonkeyPatch) -> None:
    """As OCPP-J 3.2 has it."""
    begin = Store.__init__

    def otherwise(self: Store, *arguments: Any, **more: Any) -> None:
        begin(self, *arguments, **more)
        self.refuses_unknown_subprotocol = False

    patch.setattr(Store, "__init__", otherwise)


CS, CSMS = simulator.security.HANDLERS, central_system.HANDLERS

# A fault, the cases that fail, those that end as our error, and those that end inconclusive.
Faults = dict[str, tuple[Plant, set[str], set[str], set[str]]]

OF_THE_CHARGE_POINT: Faults = {
    "a new AuthorizationKey is Rejected": (
        changes_key(lambda *_: "Rejected"),
        cases("073", "CS"),
        cases("073", "CSMS"),
        set(),
    ),
    "a new AuthorizationKey is Accepted, and the old one shown": (
        changes_key(forgets_key),
        cases("073", "CS") | cases("073", "CSMS"),
        set(),
        set(),
    ),
    "the Charge Point does not connect again": (
        does_not_reconnect,
        cases("073 074", "CS"),
        cases("073 074", "CSMS"),
        set(),
    ),
    "after a boot the AuthorizationKey is shown in hexadecimal digits": (
        after_a_boot(with_password(in_digits)),
        cases("080 085 086", "CS") | cases("083", "CSMS"),
        set(),
        cases("080", "CSMS"),
    ),
    "after a boot the user is not the identity": (
        after_a_boot(with_user("SN-0001")),
        cases("080 085 086", "CS") | cases("083", "CSMS"),
        set(),
        cases("080", "CSMS"),
    ),
    "after a boot no AuthorizationKey is shown": (
        after_a_boot(with_password(lambda _: None)),
        cases("080 085 086", "CS") | cases("083", "CSMS"),
        set(),
        cases("080", "CSMS"),
    ),
    "the AuthorizationKey has 10 bytes": (with_keys_of(10), cases("083 085 086", "CS"), cases("083", "CSMS"), set()),
    "the AuthorizationKey has 21 bytes": (with_keys_of(21), cases("083 085 086", "CS"), cases("083", "CSMS"), set()),
    "the AuthorizationKey has 16 bytes: lawful": (with_keys_of(16), set(), set(), set()),
    "ExtendedTriggerMessage is NotImplemented": (
        answer(CS, "ExtendedTriggerMessage", instead("NotImplemented")),
        cases("074 077", "CS"),
        cases("074 077", "CSMS"),
        set(),
    ),
    "no SignCertificate.req follows": (does_not_ask, cases("074 077", "CS"), cases("074 077", "CSMS"), set()),
    "the CSR is for the key in use": (
        asks_with_the_key_in_use,
        cases("074 077", "CS"),
        cases("074 077", "CSMS"),
        set(),
    ),
    "the CSR has another O": (
        other_subject(organization="Somebody"),
        cases("074 077", "CS"),
        cases("074 077", "CSMS"),
        set(),
    ),
    "the CSR has no O": (other_subject(organization=""), cases("074 077", "CS"), cases("074 077", "CSMS"), set()),
    "the CSR has another CN": (
        other_subject(common_name="CP1"),
        cases("074 077", "CS"),
        cases("074 077", "CSMS"),
        set(),
    ),
    "the CSR has no CN": (other_subject(common_name=""), cases("074 077", "CS"), cases("074 077", "CSMS"), set()),
    "the CSR is for an RSA key of 1024 bits": (
        makes_keys("RSA", 1024),
        cases("074 077", "CS"),
        cases("074 077", "CSMS"),
        set(),
    ),
    "the CSR is for an RSA key of 2048 bits: lawful": (makes_keys("RSA", 2048), set(), set(), set()),
    "the CSR is for a key on a curve of 192 bits": (
        makes_keys("EC", 192),
        cases("074 077", "CS"),
        cases("074 077", "CSMS"),
        set(),
    ),
    "the CSR is no PEM": (
        asks_with(lambda *key, **subject: without_pem(signing_request(*key, **subject))),
        cases("074 077", "CS"),
        cases("074 077", "CSMS"),
        set(),
    ),
    "a valid certificate is Rejected": (
        answer(CS, "CertificateSigned", instead("Rejected")),
        cases("074", "CS"),
        cases("074", "CSMS"),
        set(),
    ),
    "a signed certificate is not used": (does_not_switch, cases("074", "CS"), cases("074", "CSMS"), set()),
    "the former certificate is shown": (shows_its_first_certificate, cases("074", "CS"), set(), cases("074", "CSMS")),
    "every signed certificate is Accepted": (takes_any_signed_certificate, cases("077", "CS"), set(), set()),
    "InvalidChargePointCertificate is not told": (
        events_instead(InvalidChargePointCertificate=None),
        cases("077", "CS"),
        cases("077", "CSMS"),
        set(),
    ),
    "InvalidChargePointCertificate is told as another event": (
        events_instead(InvalidChargePointCertificate="InvalidCentralSystemCertificate"),
        cases("077", "CS"),
        cases("077", "CSMS"),
        set(),
    ),
    "InstallCertificate is Rejected": (
        answer(CS, "InstallCertificate", instead("Rejected")),
        cases("075_1 075_2 076 083", "CS"),
        cases("075_1 075_2 076 083", "CSMS"),
        set(),
    ),
    "an Accepted root is not installed": (
        installs_nothing,
        cases("075_1 075_2 076 078 083", "CS"),
        cases("075_1 075_2 076 078 083", "CSMS"),
        set(),
    ),
    "no certificate is ever found": (
        answer(CS, "GetInstalledCertificateIds", lambda _: {"status": "NotFound"}),
        cases("075_1 075_2 076", "CS"),
        cases("075_1 075_2 076", "CSMS"),
        set(),
    ),
    "the roots of the other type are listed": (
        lists_the_other_type,
        cases("075_1 075_2 076", "CS"),
        cases("075_1 075_2 083", "CSMS"),
        set(),
    ),
    "hash data are in capitals: lawful": (with_hash_data(in_capitals), set(), set(), set()),
    "serialNumber has leading zeroes": (
        both(with_small_serial_numbers, with_hash_data(with_leading_zeroes)),
        cases("075_1 075_2 076", "CS"),
        cases("075_1 075_2 076", "CSMS"),
        set(),
    ),
    "serialNumber begins with 0x": (
        both(with_small_serial_numbers, with_hash_data(with_0x)),
        cases("075_1 075_2 076", "CS"),
        cases("075_1 075_2 076", "CSMS"),
        set(),
    ),
    "issuerKeyHash is made with tag and length": (
        hashes_the_whole_key,
        cases("075_1 075_2 076", "CS"),
        cases("075_1 075_2 076", "CSMS"),
        set(),
    ),
    "the hashes are as long as those of SHA-1": (
        with_hash_data(lambda told: told | {name: told[name][:40] for name in HASHES}),
        cases("075_1 075_2 076", "CS"),
        cases("075_1 075_2 076", "CSMS"),
        set(),
    ),
    "another hashAlgorithm is named": (
        with_hash_data(lambda told: told | {"hashAlgorithm": "SHA512"}),
        cases("075_1 075_2 076", "CS"),
        cases("075_1 075_2 076", "CSMS"),
        set(),
    ),
    "issuerNameHash and issuerKeyHash are mixed up": (
        with_hash_data(lambda told: told | dict(zip(HASHES, [told[name] for name in HASHES[::-1]], strict=True))),
        cases("075_1 075_2 076", "CS"),
        cases("075_1 075_2 076", "CSMS"),
        set(),
    ),
    "nothing is deleted": (deletes_nothing, cases("076", "CS"), set(), set()),
    "DeleteCertificate is Failed": (
        answer(CS, "DeleteCertificate", instead("Failed")),
        cases("076", "CS"),
        cases("076", "CSMS"),
        set(),
    ),
    "DeleteCertificate is NotFound": (
        answer(CS, "DeleteCertificate", instead("NotFound")),
        cases("076", "CS"),
        cases("076", "CSMS"),
        set(),
    ),
    "every root is Accepted": (takes_any_root, cases("078", "CS"), set(), set()),
    "InvalidCentralSystemCertificate is not told": (
        events_instead(InvalidCentralSystemCertificate=None),
        cases("078", "CS"),
        cases("078", "CSMS"),
        set(),
    ),
    "InvalidCentralSystemCertificate is told as another event": (
        events_instead(InvalidCentralSystemCertificate="InvalidChargePointCertificate"),
        cases("078", "CS"),
        cases("078", "CSMS"),
        set(),
    ),
    "GetLog is Rejected": (answer(CS, "GetLog", instead("Rejected")), cases("079", "CS"), cases("079", "CSMS"), set()),
    "GetLog.conf names no file": (answer(CS, "GetLog", with_fields(filename=...)), cases("079", "CS"), set(), set()),
    "Uploading is not told": (tells_instead(Uploading=None), cases("079", "CS"), cases("079", "CSMS"), set()),
    "Uploaded is not told": (tells_instead(Uploaded=None), cases("079", "CS"), cases("079", "CSMS"), set()),
    "Uploaded without an upload": (with_transfers("upload", uploads_nothing), cases("079", "CS"), set(), set()),
    "an empty log is uploaded": (uploads_changed(lambda _: b""), cases("079", "CS"), set(), set()),
    "the requestId of a log is another": (
        tells_with(next_request_id, "LogStatusNotification"),
        cases("079", "CS"),
        set(),
        set(),
    ),
    "the requestId of a log is missing": (
        tells_with(with_fields(requestId=...), "LogStatusNotification"),
        cases("079", "CS"),
        set(),
        set(),
    ),
    "SignedUpdateFirmware is InvalidCertificate": (
        answer(CS, "SignedUpdateFirmware", instead("InvalidCertificate")),
        cases("080 081", "CS"),
        cases("080 081", "CSMS"),
        set(),
    ),
    "Downloading is not told": (
        tells_instead(Downloading=None),
        cases("080 081", "CS"),
        cases("080 081", "CSMS"),
        set(),
    ),
    "Downloaded is not told": (tells_instead(Downloaded=None), cases("080 081", "CS"), cases("080 081", "CSMS"), set()),
    "SignatureVerified is not told": (
        tells_instead(SignatureVerified=None),
        cases("080", "CS"),
        cases("080", "CSMS"),
        set(),
    ),
    "Installing is not told": (tells_instead(Installing=None), cases("080", "CS"), cases("080", "CSMS"), set()),
    "InstallRebooting is not told: lawful": (tells_instead(InstallRebooting=None), set(), set(), cases("080", "CSMS")),
    "Installed is not told": (tells_instead(Installed=None), cases("080", "CS"), set(), cases("080", "CSMS")),
    "InvalidSignature is not told": (
        tells_instead(InvalidSignature=None),
        cases("081", "CS"),
        cases("081", "CSMS"),
        set(),
    ),
    "InvalidSignature is told as InstallationFailed": (
        tells_instead(InvalidSignature="InstallationFailed"),
        cases("081", "CS"),
        cases("081", "CSMS"),
        set(),
    ),
    "Downloaded without a download": (
        with_transfers("download", downloads_nothing),
        cases("080 081", "CS"),
        set(),
        set(),
    ),
    "no signature is verified": (without_signature_check, cases("081", "CS"), cases("081", "CSMS"), set()),
    "what has an invalid signature is installed": (installs_in_spite_of_it, cases("081", "CS"), set(), set()),
    "the requestId of an update is another": (
        tells_with(next_request_id, "SignedFirmwareStatusNotification"),
        cases("080 081", "CS"),
        set(),
        set(),
    ),
    "the requestId of an update is missing": (
        tells_with(with_fields(requestId=...), "SignedFirmwareStatusNotification"),
        cases("080 081", "CS"),
        set(),
        set(),
    ),
    "FirmwareUpdated is not told: lawful": (events_instead(FirmwareUpdated=None), set(), set(), cases("080", "CSMS")),
    "Unavailable after an update": (stays_unavailable, cases("080", "CS"), set(), cases("080", "CSMS")),
    "every SecurityProfile is Rejected": (
        changes_profile(lambda *_: "Rejected"),
        cases("083", "CS"),
        cases("083", "CSMS"),
        set(),
    ),
    "SecurityProfile is NotSupported": (
        changes_profile(lambda *_: "NotSupported"),
        cases("083 084", "CS"),
        cases("083", "CSMS"),
        set(),
    ),
    "every SecurityProfile is RebootRequired": (
        changes_profile(needs_a_reboot),
        cases("084", "CS"),
        cases("083", "CSMS"),
        set(),
    ),
    "every SecurityProfile is Accepted, and none used": (
        changes_profile(lambda *_: "Accepted"),
        cases("083 084", "CS"),
        set(),
        cases("083", "CSMS"),
    ),
    "a new SecurityProfile is Accepted, and the former one used": (
        changes_profile(reconnects_in_vain),
        cases("083 084", "CS"),
        set(),
        cases("083", "CSMS"),
    ),
    "a Rejected SecurityProfile is used": (
        changes_profile(reconnects_with_it),
        cases("083 084", "CS"),
        cases("083", "CSMS"),
        set(),
    ),
    "Reset is Rejected": (
        both(changes_profile(needs_a_reboot), answer(core.HANDLERS, "Reset", instead("Rejected"))),
        cases("083 084 085 086 087", "CS"),
        cases("083", "CSMS"),
        set(),
    ),
    "Unavailable after a boot": (
        both(changes_profile(needs_a_reboot), is_unavailable_after_a_boot),
        cases("080 083 084 085 086 087", "CS"),
        cases("083", "CSMS"),
        cases("080", "CSMS"),
    ),
    "both ECDSA suites are offered: lawful": (offers(*ECDSA_SUITES), set(), set(), set()),
    "both RSA suites are offered: lawful": (offers(*RSA_SUITES), set(), set(), set()),
    "one suite of each pair is offered": (offers(ECDSA_SUITES[0], RSA_SUITES[1]), cases("086 087", "CS"), set(), set()),
    "no required suite is offered": (
        offers("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        cases("086 087", "CS"),
        set(),
        set(),
    ),
    "after a boot it speaks TLS 1.1": (
        after_a_boot(speaks_tls_1_1),
        cases("086 087", "CS") | cases("083", "CSMS"),
        set(),
        cases("080", "CSMS"),
    ),
    "the CN of its certificate is a URL": (
        both(with_client_certificate(common_name="https://localhost/CP1"), admits_any_certificate),
        cases("087", "CS"),
        set(),
        set(),
    ),
    "the CN of its certificate is its identity": (
        both(with_client_certificate(common_name="CP1"), admits_any_certificate),
        cases("087", "CS"),
        set(),
        set(),
    ),
    "its certificate has no CN": (
        both(with_client_certificate(common_name=""), admits_any_certificate),
        cases("087", "CS"),
        set(),
        set(),
    ),
    "its certificate has an RSA key of 1024 bits": (
        both(with_client_certificate(kind="RSA", bits=1024), admits_any_certificate, weak_openssl),
        cases("087", "CS"),
        set(),
        set(),
    ),
}

OF_THE_CENTRAL_SYSTEM: Faults = {
    "an AuthorizationKey has 10 bytes": (
        asks_wrongly("ChangeConfiguration", with_value("AuthorizationKey", "0F" * 10)),
        cases("073", "CSMS"),
        cases("073", "CS"),
        set(),
    ),
    "an AuthorizationKey has 21 bytes": (
        asks_wrongly("ChangeConfiguration", with_value("AuthorizationKey", "0F" * 21)),
        cases("073", "CSMS"),
        cases("073", "CS"),
        set(),
    ),
    "an AuthorizationKey is text": (
        asks_wrongly("ChangeConfiguration", with_value("AuthorizationKey", "a secret of 24 characters")),
        cases("073", "CSMS"),
        cases("073", "CS"),
        set(),
    ),
    "another key than AuthorizationKey is changed": (
        central_system_asks("ChangeConfiguration", changes_cpo_name),
        cases("073", "CSMS"),
        cases("073", "CS"),
        set(),
    ),
    "the former AuthorizationKey is still admitted": (
        lets_pass(lambda facts: facts["key"] == "former"),
        cases("073", "CSMS"),
        set(),
        set(),
    ),
    "any AuthorizationKey is admitted": (
        lets_pass(lambda facts: facts["scheme"] == "Basic"),
        cases("073", "CSMS"),
        set(),
        set(),
    ),
    "no AuthorizationKey is admitted as well": (
        lets_pass(lambda facts: facts["scheme"] is None),
        cases("085", "CSMS"),
        set(),
        set(),
    ),
    "a new AuthorizationKey is forgotten": (forgets_new_key, cases("073", "CS") | cases("073", "CSMS"), set(), set()),
    "after a refusal nobody is admitted": (
        refuses(lambda store, *_: bool(store.security_log)),
        cases("083 085", "CSMS"),
        set(),
        set(),
    ),
    "a renewed certificate is not admitted": (
        refuses(shows_another_certificate_than_at_first()),
        cases("074", "CS") | cases("074", "CSMS"),
        set(),
        set(),
    ),
    "another message is triggered": (
        central_system_asks("ExtendedTriggerMessage", with_fields(requestedMessage="Heartbeat")),
        cases("074 077", "CSMS"),
        cases("074 077", "CS"),
        set(),
    ),
    "a message of a connector is triggered": (
        central_system_asks("ExtendedTriggerMessage", with_fields(connectorId=1)),
        cases("074 077", "CSMS"),
        cases("074 077", "CS"),
        set(),
    ),
    "SignCertificate is Rejected": (
        answer(CSMS, "SignCertificate", instead("Rejected")),
        cases("074 077", "CSMS"),
        cases("074 077", "CS"),
        set(),
    ),
    "no CertificateSigned.req follows": (sends_no_certificate, cases("074 077", "CSMS"), cases("074 077", "CS"), set()),
    "the certificate is for another key": (
        signs_wrongly("other_key"),
        cases("074 077", "CSMS"),
        cases("074", "CS"),
        set(),
    ),
    "the certificate has expired": (signs_wrongly("expired"), cases("074 077", "CSMS"), cases("074", "CS"), set()),
    "the certificate is not valid yet": (
        signs_wrongly("not_yet_valid"),
        cases("074 077", "CSMS"),
        cases("074", "CS"),
        set(),
    ),
    "nobody knows who has signed the certificate": (
        signs_wrongly("unknown_authority"),
        set(),
        cases("074", "CS"),
        cases("074 077", "CSMS"),
    ),
    "the certificate has another CN": (signs(for_another), cases("074 077", "CSMS"), cases("074", "CS"), set()),
    "the chain leads astray": (signs(under_a_stranger), cases("074 077", "CSMS"), set(), cases("074", "CS")),
    "the chain begins with its end": (
        signs(lambda authority, csr: pem(authority.certificate) + sign(authority, csr)),
        cases("074 077", "CSMS"),
        cases("074", "CS"),
        set(),
    ),
    "the chain is no PEM": (
        signs(lambda *asked: without_pem(sign(*asked))),
        cases("074 077", "CSMS"),
        cases("074", "CS"),
        set(),
    ),
    "a root of the other type is installed": (
        central_system_asks("InstallCertificate", of_the_other_type),
        cases("075_1 075_2 076 078 083", "CSMS"),
        cases("075_1 075_2 076 078 083", "CS"),
        set(),
    ),
    "what is no PEM is installed": (
        central_system_asks("InstallCertificate", with_certificate_as_base64),
        cases("075_1 075_2 076 078 083", "CSMS"),
        cases("075_1 075_2 076 078 083", "CS"),
        set(),
    ),
    "an expired root is installed": (
        central_system_asks("InstallCertificate", other_root(validity=EXPIRED)),
        cases("075_1 075_2 076 078 083", "CSMS"),
        cases("075_1 075_2 076 078 083", "CS"),
        set(),
    ),
    "a root with an RSA key of 1024 bits is installed": (
        central_system_asks(
            "InstallCertificate",
            lambda asked: (
                asked | {"certificate": pem(Authority.root("Weak", "CPO", kind="RSA", bits=1024).certificate)}
            ),
        ),
        cases("075_1 075_2 076 078 083", "CSMS"),
        cases("075_1 075_2 076 078 083", "CS"),
        set(),
    ),
    "what is no root is installed": (
        central_system_asks("InstallCertificate", lambda asked: asked | {"certificate": a_leaf()}),
        cases("075_1 075_2 076 078 083", "CSMS"),
        cases("075_1 075_2 076 078 083", "CS"),
        set(),
    ),
    "the roots of the other type are asked for": (
        central_system_asks("GetInstalledCertificateIds", of_the_other_type),
        cases("075_1 075_2 076 083", "CSMS"),
        cases("075_1 075_2 076 083", "CS"),
        set(),
    ),
    "a certificate is named with SHA256 whatever it was reported with": (
        deletes_with_sha256,
        cases("076", "CSMS"),
        set(),
        set(),
    ),
    "hash data are in capitals: lawful": (deletes_with(in_capitals), set(), cases("076", "CS"), set()),
    "serialNumber has leading zeroes": (
        both(with_small_serial_numbers, deletes_with(with_leading_zeroes)),
        cases("076", "CSMS"),
        cases("076", "CS"),
        set(),
    ),
    "another certificate is deleted": (
        deletes_with(lambda told: told | {"serialNumber": "ABC"}),
        cases("076", "CSMS"),
        cases("076", "CS"),
        set(),
    ),
    "issuerNameHash is another": (
        deletes_with(lambda told: told | {"issuerNameHash": told["issuerKeyHash"]}),
        cases("076", "CSMS"),
        cases("076", "CS"),
        set(),
    ),
    "issuerKeyHash is another": (
        deletes_with(lambda told: told | {"issuerKeyHash": told["issuerNameHash"]}),
        cases("076", "CSMS"),
        cases("076", "CS"),
        set(),
    ),
    "SecurityEventNotification.req is refused": (
        central_system_refuses("SecurityEventNotification"),
        cases("077 078 080", "CSMS"),
        cases("077 078", "CS"),
        cases("080", "CS"),
    ),
    "the diagnostics are asked for": (
        central_system_asks("GetLog", with_fields(logType="DiagnosticsLog")),
        cases("079", "CSMS"),
        cases("079", "CS"),
        set(),
    ),
    "LogStatusNotification.req is refused": (
        central_system_refuses("LogStatusNotification"),
        cases("079", "CSMS"),
        cases("079", "CS"),
        set(),
    ),
    "the last bit of the signature is wrong": (
        central_system_asks("SignedUpdateFirmware", flips_a_bit),
        cases("080 081", "CSMS"),
        cases("080 081", "CS"),
        set(),
    ),
    "the signature is not base64": (
        central_system_asks("SignedUpdateFirmware", of_firmware(signature="=====")),
        cases("080", "CSMS"),
        cases("080 081", "CS"),
        set(),
    ),
    "the signing certificate is no PEM": (
        central_system_asks("SignedUpdateFirmware", with_signing_certificate_as_base64),
        cases("080 081", "CSMS"),
        cases("080 081", "CS"),
        set(),
    ),
    "the signing certificate is missing": (
        asks_wrongly("SignedUpdateFirmware", of_firmware(signingCertificate=...)),
        cases("080 081", "CSMS"),
        cases("080 081", "CS"),
        set(),
    ),
    "the signature is missing": (
        asks_wrongly("SignedUpdateFirmware", of_firmware(signature=...)),
        cases("080 081", "CSMS"),
        cases("080 081", "CS"),
        set(),
    ),
    "SignedFirmwareStatusNotification.req is refused": (
        central_system_refuses("SignedFirmwareStatusNotification"),
        cases("080 081", "CSMS"),
        cases("080 081", "CS"),
        set(),
    ),
    "reports of Unavailable are refused": (
        refuses_reports_of("Unavailable"),
        cases("080", "CSMS"),
        set(),
        cases("080", "CS"),
    ),
    "Pending after the first boot": (
        pends_after_the_first_boot,
        cases("080", "CS") | cases("080 083 085 086 087", "CSMS"),
        set(),
        cases("085 086 087", "CS"),
    ),
    "SecurityProfile does not rise": (
        central_system_asks("ChangeConfiguration", with_value("SecurityProfile", "1")),
        cases("083", "CSMS"),
        cases("083", "CS"),
        set(),
    ),
    "SecurityProfile rises by two": (
        central_system_asks("ChangeConfiguration", with_value("SecurityProfile", "3")),
        cases("083", "CSMS"),
        cases("083 084", "CS"),
        set(),
    ),
    "Hard and Soft are mixed up": (
        central_system_asks("Reset", the_other_reset),
        cases("083", "CSMS"),
        cases("085 086 087", "CS"),
        set(),
    ),
    "the former security profile is still admitted": (admits_former_profile, cases("083", "CSMS"), set(), set()),
    "a new security profile is forgotten": (
        forgets_new_profile,
        cases("083", "CS") | cases("083", "CSMS"),
        set(),
        set(),
    ),
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 is not spoken": (
        speaks_tls_without(REQUIRED_SUITES[0]),
        cases("086 087", "CSMS"),
        set(),
        set(),
    ),
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 is not spoken": (
        speaks_tls_without(REQUIRED_SUITES[1]),
        cases("086 087", "CSMS"),
        set(),
        set(),
    ),
    "TLS_RSA_WITH_AES_128_GCM_SHA256 is not spoken": (
        speaks_tls_without(REQUIRED_SUITES[2]),
        cases("086 087", "CSMS"),
        set(),
        set(),
    ),
    "TLS_RSA_WITH_AES_256_GCM_SHA384 is not spoken": (
        speaks_tls_without(REQUIRED_SUITES[3]),
        cases("086 087", "CSMS"),
        set(),
        set(),
    ),
    "a subjectAltName has the name instead of CN: lawful": (
        with_server_certificate(common_name="example.com", dns_names=("localhost",)),
        set(),
        set(),
        set(),
    ),
    "the CN of its certificate is another host": (
        both(with_server_certificate(common_name="example.com"), looks_at_no_name),
        cases("086", "CSMS"),
        set(),
        set(),
    ),
    "its certificate has no CN": (
        both(with_server_certificate(common_name=""), looks_at_no_name),
        cases("086", "CSMS"),
        set(),
        set(),
    ),
    "its certificates have RSA keys of 1024 bits": (
        both(with_server_certificate(kind="RSA", bits=1024), weak_openssl),
        cases("086 087", "CSMS"),
        set(),
        set(),
    ),
    "its RSA certificate has 1024 bits": (both(with_weak_rsa, weak_openssl), cases("086", "CSMS"), set(), set()),
    "ocpp1.6 is agreed unasked": (
        both(opens_without_subprotocol, agrees_to(lambda _: "ocpp1.6")),
        cases("088", "CSMS"),
        set(),
        set(),
    ),
    "the first subprotocol is agreed": (
        both(opens_without_subprotocol, agrees_to(lambda offered: offered[0] if offered else None)),
        cases("088", "CSMS"),
        set(),
        set(),
    ),
    "no subprotocol is agreed of several": (
        agrees_to(lambda offered: "ocpp1.6" if [*offered] == ["ocpp1.6"] else None),
        cases("088", "CSMS"),
        set(),
        set(),
    ),
    "a connection without a subprotocol stays open": (
        both(opens_without_subprotocol, leaves_it_open),
        cases("088", "CSMS"),
        set(),
        set(),
    ),
    "a connection without a subprotocol is closed at once: lawful": (opens_without_subprotocol, set(), set(), set()),
}


@pytest.mark.parametrize("name", OF_THE_CHARGE_POINT)
def test_fault_of_the_charge_point_is_found(name: str) -> None:
    judge(*OF_THE_CHARGE_POINT[name])


@pytest.mark.parametrize("name", OF_THE_CENTRAL_SYSTEM)
def test_fault_of_the_central_system_is_found(name: str) -> None:
    judge(*OF_THE_CENTRAL_SYSTEM[name])


def judge(plant: Plant, failed: set[str], errors: set[str], inconclusive: set[str]) -> None:
    assert not_passed(plant, IDS) == due(failed, errors) | dict.fromkeys(inconclusive, "inconclusive")


def test_every_case_has_been_red() -> None:
    of_charge_point = {case for _, failed, *_ in OF_THE_CHARGE_POINT.values() for case in failed}
    of_central_system = {case for _, failed, *_ in OF_THE_CENTRAL_SYSTEM.values() for case in failed}
    assert {case for case in IDS if case.endswith("_CS")} <= of_charge_point
    assert {case for case in IDS if case.endswith("_CSMS")} <= of_central_system


# Who cannot connect at all: a fault, its party, and the cases in which it connects with a profile that is concerned.
WITHOUT_CONNECTION: dict[str, tuple[Plant, str, str]] = {
    "the AuthorizationKey is shown in hexadecimal digits": (with_password(in_digits), "CS", "085 086"),
    "the user is not the identity": (with_user("SN-0001"), "CS", "085 086"),
    "the Charge Point speaks TLS 1.1": (speaks_tls_1_1, "CS", "086 087"),
    "the certificate of the Charge Point has expired": (with_client_certificate(validity=EXPIRED), "CS", "087"),
    "the CN of the Charge Point is another": (with_client_certificate(common_name="CP1"), "CS", "087"),
    "the Central System speaks TLS 1.1": (speaks_only_tls_1_1, "CSMS", "086 087"),
    "the certificate of the Central System has expired": (with_server_certificate(validity=EXPIRED), "CSMS", "086 087"),
    "the CN of the Central System is another host": (
        with_server_certificate(common_name="example.com"),
        "CSMS",
        "086 087",
    ),
}


@pytest.mark.parametrize("name", WITHOUT_CONNECTION)
def test_who_cannot_connect_passes_nothing(name: str) -> None:
    plant, role, numbers = WITHOUT_CONNECTION[name]
    verdicts = not_passed(plant, frozenset(cases("085 086 087", role)))
    assert verdicts.keys() == cases(numbers, role)
    assert set(verdicts.values()) == {"fail"}


# With another security profile than a case would take by itself.
WITH_PROFILE: dict[str, tuple[Plant, int, set[str]]] = {
    "after a boot no AuthorizationKey is shown": (
        after_a_boot(with_password(lambda _: None)),
        2,
        cases("085 086", "CS"),
    ),
    "a valid certificate is Rejected": (answer(CS, "CertificateSigned", instead("Rejected")), 2, cases("083", "CS")),
    "no AuthorizationKey is admitted as well": (
        lets_pass(lambda facts: facts["scheme"] is None),
        2,
        cases("085", "CSMS"),
    ),
    "the former security profile is still admitted": (admits_former_profile, 2, cases("083", "CSMS")),
    "the certificate has expired": (signs_wrongly("expired"), 2, cases("083", "CSMS")),
    "one suite of each pair is offered": (offers(ECDSA_SUITES[0], RSA_SUITES[1]), 3, cases("086", "CS")),
    "TLS_RSA_WITH_AES_256_GCM_SHA384 is not spoken": (speaks_tls_without(REQUIRED_SUITES[3]), 3, cases("086", "CSMS")),
}


@pytest.mark.parametrize("name", WITH_PROFILE)
def test_fault_is_found_with_another_profile(name: str) -> None:
    plant, profile, failed = WITH_PROFILE[name]
    numbers = "083 085 086" if profile == 2 else "086"
    among = frozenset(cases(numbers, "CS" if any(case.endswith("_CS") for case in failed) else "CSMS"))
    assert not_passed(plant, among, security_profile=profile) == due(failed, set())
