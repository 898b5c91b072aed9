"""Foreign devices meet the Security cases: who differs within the law passes, who breaks it fails."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from pathlib import Path
from secrets import token_bytes
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from websockets.asyncio.server import ServerConnection

from bench.pki import ORGANIZATION, Pki
from ocppj.authority import Authority, Credential, Kind, key_pem, new_key, sign, signing_request
from ocppj.certificates import Certificate, Key, load_request, pem
from ocppj.clock import Calendar, timestamp
from ocppj.connection import Admission, Attempt, ClientSocket, ServerSocket, connect
from ocppj.errors import CallFailed
from ocppj.frames import Call, Payload
from ocppj.peer import Conf, Raw, Refusal, Silence
from ocppj.tls import ECDSA_SUITES, RSA_SUITES, client_context, server_context
from reference_csms import security
from reference_csms.central_system import CentralSystem
from reference_csms.store import SaltedHash
from simulator.charge_point import ChargePoint
from simulator.firmware_management import firmware_image
from simulator.memory import DiagnosticsUpload, FirmwareUpdate
from tests.variants.foreign import HOST, PASSWORD, SERIAL_NUMBER, Change, Frame, Variant, call, echo, hang_up
from tests.variants.test_charge_points import always

# The cases of each security profile, by role.
CHARGE_POINT = {
    1: "073 079 080 081 083 085",
    2: "073 075_1 075_2 076 078 079 080 081 083 084 085 086",
    3: "074 075_1 075_2 076 077 078 079 080 081 084 086 087",
}
CENTRAL_SYSTEM = {
    1: "073 076 079 080 081 083 085 088",
    2: "073 075_1 075_2 076 078 079 080 081 083 085 086 088",
    3: "074 075_1 075_2 076 077 078 079 080 081 086 087 088",
}
PROFILES = (1, 2, 3)
EVENT, SIGNED, LOG = "SecurityEventNotification", "SignedFirmwareStatusNotification", "LogStatusNotification"

Setup = Callable[[ChargePoint], None]
Arrangement = Callable[[CentralSystem], None]


@cache
def _pki(folder: Path) -> Pki:
    return Pki(folder, host=HOST, serial_number=SERIAL_NUMBER)


@pytest.fixture(scope="module")
def premises(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys and certificates of both sides, and a signed image."""
    folder = tmp_path_factory.mktemp("pki")
    pki, image = _pki(folder), firmware_image("2.0")
    assert pki.server
    assert pki.charge_point
    (folder / "image.bin").write_bytes(image)
    (folder / "image.sig").write_text(pki.firmware_signature(image), encoding="ascii")
    return folder


def of_charge_point(variant: Variant, premises: Path) -> Variant:
    files = {
        "FirmwareFile": str(premises / "image.bin"),
        "FirmwareSignatureFile": str(premises / "image.sig"),
        "FirmwareSigningCertificateFile": str(premises / "FirmwareSigning.pem"),
    }
    numbers = variant.numbers or CHARGE_POINT[variant.profile]
    return replace(variant, pki=premises, data={**files, **variant.data}, numbers=numbers)


def of_central_system(variant: Variant, premises: Path) -> Variant:
    given = {"tls_ca": premises / "CentralSystemRoot.pem"}
    numbers = variant.numbers or CENTRAL_SYSTEM[variant.profile]
    return replace(variant, pki=premises, security={**given, **variant.security}, numbers=numbers)


# Changes of frames


def answers(action: str, **fields: object) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.answers(action) else None


def requests(action: str, **fields: object) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.requests(action) else None


def refused(*actions: str) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.refused("NotImplemented")] if frame.answers(*actions) else None


def untold(action: str, **fields: object) -> Callable[[], Change]:
    return lambda: lambda frame: [] if frame.requests(action, **fields) else None


def edited(action: str, edit: Callable[[Any], object], *path: str) -> Callable[[], Change]:
    """A field of a request or of a .conf, somewhere inside, edited where it is."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if frame.action != action or path[0] not in frame.payload:
            return None
        payload = json.loads(json.dumps(frame.payload))
        at = payload
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = edit(at[path[-1]])
        return [frame.holding(payload)]

    return lambda: change


def key_told(edit: Callable[[str], str]) -> Callable[[], Change]:
    """The AuthorizationKey that a Central System asks for, in other words."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.requests("ChangeConfiguration", key="AuthorizationKey"):
            return None
        return [frame.with_fields(value=edit(frame.payload["value"]))]

    return lambda: change


def hash_data(edit: Callable[[str], str], *names: str) -> Callable[[], Change]:
    def edit_all(entries: list[dict[str, str]]) -> object:
        return [entry | {name: edit(entry[name]) for name in names} for entry in entries]

    return edited("GetInstalledCertificateIds", edit_all, "certificateHashData")


def tells(event: str) -> Frame:
    return call(EVENT, {"type": event, "timestamp": timestamp()})


def events_everywhere(*, after: bool) -> Callable[[], Change]:
    """A security event beside every answer and, as soon as it may speak, beside every request."""

    def make() -> Change:
        may_speak = False

        def change(frame: Frame) -> Iterable[Frame] | None:
            nonlocal may_speak
            may_speak = may_speak if not frame.is_call else frame.action != "BootNotification"
            if not may_speak or frame.action in (EVENT, "BootNotification"):
                return None
            event = tells("SettingSystemTime")
            return [frame, event] if after else [event, frame]

        return change

    return make


def statuses(*told: str, instead_of: str) -> Callable[[], Change]:
    """One status of a signed update is told as others, or not at all."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.requests(SIGNED, status=instead_of):
            return None
        if not told:
            return []
        *others, last = [call(SIGNED, frame.payload | {"status": status}) for status in told]
        return [*others, frame if told[-1] == instead_of else last]

    return lambda: change


def twice(frame: Frame) -> Iterable[Frame] | None:
    return [frame, frame.again()] if frame.is_call and frame.action in (EVENT, SIGNED, LOG) else None


# Charge Points


def has(**facts: object) -> Setup:
    """Facts about its security."""

    def setup(it: ChargePoint) -> None:
        for name, value in facts.items():
            assert hasattr(it.security, name)
            setattr(it.security, name, value)

    return setup


def configured(**keys: str) -> Setup:
    def setup(it: ChargePoint) -> None:
        for key, value in keys.items():
            it.configuration.set(key, value)

    return setup


def all_of(*setups: Setup) -> Setup:
    def setup(it: ChargePoint) -> None:
        for each in setups:
            each(it)

    return setup


def in_words(action: str, status: str = "Accepted") -> Setup:
    """It answers so and does nothing."""
    return lambda it: it.handlers.update({action: lambda *_: {"status": status}})


def before_each_connection(work: Callable[[ChargePoint], Awaitable[None]]) -> Setup:
    def setup(it: ChargePoint) -> None:
        ordinary = it.network.open

        async def open_then() -> ClientSocket:
            await work(it)
            return await ordinary()

        it.network.open = open_then  # type: ignore[method-assign]  # for this one alone

    return setup


def connects_after(seconds: float) -> Setup:
    """It takes its time before each connection but the first."""

    async def wait(it: ChargePoint) -> None:
        await asyncio.sleep(seconds if it.is_accepted else 0)

    return before_each_connection(wait)


def instead_of_reconnecting(work: Callable[[ChargePoint, Callable[[], None]], Awaitable[None]]) -> Setup:
    """What it does where it would close its connection and make another."""

    def setup(it: ChargePoint) -> None:
        ordinary = it.reconnect

        def reconnect() -> None:
            async def do() -> None:
                await work(it, ordinary)

            it.spawn(do())

        it.reconnect = reconnect  # type: ignore[method-assign]  # for this one alone

    return setup


def hangs_up_after(seconds: float) -> Setup:
    async def wait(_: ChargePoint, reconnect: Callable[[], None]) -> None:
        await asyncio.sleep(seconds)
        reconnect()

    return instead_of_reconnecting(wait)


async def restart(it: ChargePoint, _: Callable[[], None]) -> None:
    await it.restart()


async def nothing(_it: ChargePoint, _reconnect: Callable[[], None]) -> None:
    """It keeps its connection."""


async def with_former_key(it: ChargePoint) -> None:
    if former := it.security.former_authorization_key:
        await it.network.knock(former_key=former)


async def without_http(it: ChargePoint) -> None:
    """Two connections of TCP, one with a byte of TLS and nothing more, and a TLS handshake that it ends itself."""
    url = urlsplit(it.network.endpoint_of(it.security.profile))
    for first in (b"", b"\x16"):
        _, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(first)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    if it.security.profile > 1:
        with suppress(ssl.SSLError):
            await asyncio.open_connection(url.hostname, url.port, ssl=ssl.create_default_context())


async def anew(it: ChargePoint) -> None:
    """Every connection begins with a BootNotification.req."""
    it.registration = None


def takes_to_boot(seconds: float) -> Setup:
    def setup(it: ChargePoint) -> None:
        ordinary = it._stay_connected

        async def stay_connected(delay: float) -> None:
            await ordinary(seconds if delay else delay)

        it._stay_connected = stay_connected  # type: ignore[method-assign]  # for this one alone

    return setup


def speaks(**how: Any) -> Setup:
    """Its TLS is another, as ``client_context`` has it."""

    def setup(it: ChargePoint) -> None:
        async def connect_so(profile: int, roots: Sequence[Certificate]) -> ClientSocket:
            password = it.security.authorization_key if profile in (1, 2) else None
            credential = it.security.credential if profile == 3 else None
            tls = client_context(roots, credential, **how) if profile > 1 else None
            return await connect(it.network.endpoint_of(profile), it.identity, tls=tls, password=password)

        it.network._connect = connect_so  # type: ignore[method-assign]  # for this one alone

    return setup


def decides(key: str, status: str, *, reconnects: bool = True) -> Setup:
    """It says so of each new value of a key and keeps the former one."""

    def setup(it: ChargePoint) -> None:
        def decide(_: str) -> Any:
            if reconnects:
                it.afterwards(it.reconnect)
            return status

        it.configuration.deciders[key] = decide

    return setup


def says_reboot(key: str) -> Setup:
    """It takes a new value over, and says that it takes a reboot."""

    def setup(it: ChargePoint) -> None:
        ordinary = it.configuration.deciders[key]

        def decide(value: str) -> Any:
            return "RebootRequired" if ordinary(value) == "Accepted" else "Rejected"

        it.configuration.deciders[key] = decide

    return setup


def asks_with(make_key: Callable[[ChargePoint], Any], common_name: str, organization: str) -> Setup:
    """Its CSR is another."""

    def setup(it: ChargePoint) -> None:
        async def ask() -> None:
            key = make_key(it)
            csr = signing_request(key, common_name=common_name, organization=organization)
            it.memory.signing_request = {"key": key_pem(key), "csr": csr}
            with suppress(CallFailed):
                await it.request("SignCertificate", {"csr": csr})

        it.security._ask_for_certificate = ask  # type: ignore[method-assign]  # for this one alone

    return setup


def with_key(make: Callable[[], Any]) -> Setup:
    return asks_with(lambda _: make(), SERIAL_NUMBER, ORGANIZATION)


weak_key = rsa.generate_private_key


def key_in_use(it: ChargePoint) -> Key:
    assert it.security.credential
    return it.security.credential.key


def uploads(work: Callable[[DiagnosticsUpload], Coroutine[Any, Any, None]]) -> Setup:
    """Another way to bring a log where it should go."""

    def setup(it: ChargePoint) -> None:
        async def upload(task: DiagnosticsUpload) -> str:
            await work(task)
            return "Uploaded"

        it.firmware_management._upload = upload  # type: ignore[method-assign]  # for this one alone

    return setup


async def not_at_all(_: DiagnosticsUpload) -> None:
    """It says Uploaded."""


async def by_post(task: DiagnosticsUpload) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(f"{task['location']}/{task['fileName']}", content=b"log")


async def by_form(task: DiagnosticsUpload) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(f"{task['location']}/", files={"file": (task["fileName"], b"log")})


def downloads_nothing(it: ChargePoint) -> None:
    part = it.firmware_management

    async def download(update: FirmwareUpdate) -> bool:
        await part._tell_firmware(update, "Downloading")
        update["verified"], update["version"], update["status"] = "RSA-PSS", "3.0", "Downloaded"
        await part._tell_firmware(update, "Downloaded")
        return True

    part._download = download  # type: ignore[method-assign]  # for this one alone


def verifies_nothing(it: ChargePoint) -> None:
    it.firmware_management._verified = lambda *_: "RSA-PSS"  # type: ignore[method-assign]  # for this one alone


def knows_short_key(it: ChargePoint) -> None:
    it.memory.authorization_key = (b"A" * 16).hex()


def of(profiles: Iterable[int], name: str, variant: Variant) -> dict[str, Variant]:
    """The same with several security profiles."""
    return {f"{name}, profile {profile}": replace(variant, profile=profile) for profile in profiles}


UPDATES = "080 081"
LAWFUL_CHARGE_POINTS = {
    **of(PROFILES, "ours", Variant("our own", strictly=True)),
    **of(PROFILES, "security events before everything", Variant("A04.FR.01", events_everywhere(after=False))),
    **of(PROFILES, "security events after everything", Variant("A04.FR.01", events_everywhere(after=True))),
    "it tells everything twice": Variant(
        "L01.FR.01, N01.FR.08 forbid it not", lambda: twice, profile=2, numbers="078 079 080 081"
    ),
    # How it connects again: A01, A02.FR.08 and A05.FR.07 name no time and no way.
    **of(
        (1, 3),
        "it reconnects after 100 s",
        Variant("no time is named", charge_point=connects_after(100), numbers="073 074 079 083"),
    ),
    "it hangs up after 25 s and reconnects 50 s later": Variant(
        "the next case waits until it is there",
        charge_point=all_of(hangs_up_after(25), connects_after(50)),
        profile=1,
        strictly=True,
    ),
    "the former password first": Variant(
        "what is refused is no connection",
        charge_point=before_each_connection(with_former_key),
        profile=2,
        numbers="073 079",
    ),
    **of((1, 2), "attempts without HTTP first", Variant("as above", charge_point=before_each_connection(without_http))),
    **of(
        PROFILES,
        "BootNotification.req on every connection",
        Variant(
            "OCPP-J 5.4 is no SHALL",
            charge_point=before_each_connection(anew),
            numbers="073 074 079 083 085 087",
            remark="on a mere reconnection",
            strict_fails="073 074 083",
        ),
    ),
    **of(
        (1, 3),
        "it reboots where it need only reconnect",
        Variant(
            "as above", charge_point=instead_of_reconnecting(restart), numbers="073 074 079", strict_fails="073 074"
        ),
    ),
    "it boots in 110 s": Variant(
        "a long operation has 120 s", charge_point=takes_to_boot(110), profile=2, strictly=True
    ),
    # TLS: A00.FR.312, A00.FR.318.
    "TLS 1.2 alone": Variant(
        "A00.FR.312", charge_point=speaks(newest=ssl.TLSVersion.TLSv1_2), profile=2, numbers="086", strictly=True
    ),
    **of(
        (2, 3),
        "the ECDSA suites alone",
        Variant("A00.FR.318", charge_point=speaks(suites=ECDSA_SUITES), numbers="086 087", strictly=True),
    ),
    "the RSA suites alone": Variant(
        "A00.FR.318", charge_point=speaks(suites=RSA_SUITES), profile=2, numbers="086", strictly=True
    ),
    "an AuthorizationKey of 16 bytes": Variant(
        "A00.FR.205",
        charge_point=knows_short_key,
        security={"password": b"A" * 16},
        profile=1,
        numbers="073 085",
        strictly=True,
    ),
    # Certificates
    "RSA keys": Variant(
        "A00.FR.502", charge_point=has(key_kind="RSA"), profile=3, numbers="074 077 087", strictly=True
    ),
    **{
        f"a CSR {name}": Variant(
            "A02.FR.03: PEM", edited("SignCertificate", edit, "csr"), profile=3, numbers="074", strictly=True
        )
        for name, edit in {
            "with CRLF": lambda csr: csr.replace("\n", "\r\n"),
            "that ends without a line end": str.rstrip,
            "behind text": lambda csr: f"Certificate Request:\n    Data:\n{csr}",
        }.items()
    },
    **{
        f"a certificate is {fault}": Variant(
            "A02.FR.06", data={"CertificateFault": fault}, profile=3, numbers="077 074"
        )
        for fault in ("not_yet_valid", "unknown_authority", "other_key")
    },
    "SHA512": Variant(
        "6.12", charge_point=has(hash_algorithm="SHA512"), profile=2, numbers="075_1 075_2 076", strictly=True
    ),
    **{
        f"hashes and serial numbers in {name} case": Variant(
            "6.1: a CiString",
            hash_data(edit, "issuerNameHash", "issuerKeyHash", "serialNumber"),
            profile=2,
            numbers="075_1 076",
            strictly=True,
        )
        for name, edit in (("upper", str.upper), ("lower", str.lower))
    },
    "AdditionalRootCertificateCheck is true": Variant(
        "M05.FR.08 to M05.FR.13",
        charge_point=configured(AdditionalRootCertificateCheck="true"),
        profile=2,
        strictly=True,
    ),
    # Firmware and logs
    "DownloadScheduled, DownloadPaused and Downloading once more": Variant(
        "L01.FR.13, L01.FR.14",
        statuses("DownloadScheduled", "Downloading", "DownloadPaused", "Downloading", instead_of="Downloading"),
        profile=1,
        numbers=UPDATES,
    ),
    "InstallScheduled": Variant(
        "L01.FR.16",
        statuses("InstallScheduled", "Installing", instead_of="Installing"),
        profile=1,
        numbers="080",
    ),
    "InstallRebooting before Installing": Variant(
        "L01.FR.15", statuses("InstallRebooting", "Installing", instead_of="Installing"), profile=1, numbers="080"
    ),
    "no InstallRebooting": Variant(
        "6.8: it may be omitted", statuses(instead_of="InstallRebooting"), profile=1, numbers="080", strictly=True
    ),
    "Installed before the reboot": Variant(
        "TC_080: either order",
        statuses("InstallRebooting", "Installed", instead_of="InstallRebooting"),
        profile=1,
        numbers="080",
    ),
    "no FirmwareUpdated": Variant(
        "TC_080: optional", untold(EVENT, type="FirmwareUpdated"), profile=1, numbers="080", strictly=True
    ),
    "no InvalidFirmwareSignature": Variant(
        "L01.FR.03, which TC_081 does not look at",
        untold(EVENT, type="InvalidFirmwareSignature"),
        profile=1,
        numbers="081",
        remark="InvalidFirmwareSignature was not told",
    ),
    **{
        f"it brings its log {name}": Variant(
            "chapter 8",
            charge_point=uploads(work),
            profile=1,
            numbers="079",
            data={"FileTransferProtocol": "HTTP"},
            strictly=True,
        )
        for name, work in (("by POST", by_post), ("in a form", by_form))
    },
    # Security profiles
    **of(
        (1, 2),
        "a new SecurityProfile takes a reset",
        Variant("TC_083", charge_point=has(reconnects_by_itself=False), numbers="083", remark="takes a reset"),
    ),
    "SecurityProfile: RebootRequired": Variant(
        "TC_083",
        charge_point=all_of(has(reconnects_by_itself=False), says_reboot("SecurityProfile")),
        profile=2,
        numbers="083",
        remark="takes a reset",
    ),
}


def broken(because: str, profile: int, fails: str, **what: Any) -> Variant:
    """One that breaks a rule and fails just these; played are they and TC_079, which must not suffer from it."""
    return Variant(because, profile=profile, fails=fails, numbers=" ".join({*fails.split(), "079"}), **what)


UNLAWFUL_CHARGE_POINTS = {
    "it never reconnects": broken(
        "A01", 1, "073", charge_point=instead_of_reconnecting(nothing), reason="did not connect again"
    ),
    "it never reconnects with its certificate": broken(
        "A02.FR.08", 3, "074", charge_point=instead_of_reconnecting(nothing)
    ),
    "it keeps its AuthorizationKey": broken(
        "A01", 1, "073", charge_point=decides("AuthorizationKey", "Accepted"), reason="HTTP 401"
    ),
    "AuthorizationKey: RebootRequired": broken("TC_073", 2, "073", charge_point=says_reboot("AuthorizationKey")),
    "it keeps its security profile": broken(
        "A05.FR.07", 1, "083", charge_point=decides("SecurityProfile", "Accepted"), reason="its security profile is 1"
    ),
    "it rejects a higher security profile": broken(
        "A05.FR.05", 1, "083", charge_point=decides("SecurityProfile", "Rejected", reconnects=False)
    ),
    "it accepts a lower security profile": broken(
        "A05.FR.01", 3, "084", charge_point=decides("SecurityProfile", "Accepted", reconnects=False)
    ),
    "it reconnects for a lower security profile": broken(
        "A05.FR.01", 2, "084", charge_point=decides("SecurityProfile", "Rejected"), reason="ended its connection"
    ),
    "Reset.req is not done": broken("5.14", 2, "085 086", charge_point=in_words("Reset")),
    "one suite of a pair": broken("A00.FR.318", 3, "086 087", charge_point=speaks(suites=ECDSA_SUITES[:1])),
    "one suite of each pair": broken(
        "A00.FR.318", 2, "086", charge_point=speaks(suites=(ECDSA_SUITES[1], RSA_SUITES[1]))
    ),
    # Certificates
    "ExtendedTriggerMessage.req is not known": broken(
        "5.5", 3, "074 077", change=refused("ExtendedTriggerMessage"), reason="NotImplemented"
    ),
    "no SignCertificate.req": broken("A02.FR.03", 3, "074 077", charge_point=in_words("ExtendedTriggerMessage")),
    "a CSR that is none": broken("A02.FR.03", 3, "074 077", change=requests("SignCertificate", csr="garbage")),
    "a CSR that is none, for profile 3": broken(
        "A02.FR.03", 2, "083", change=requests("SignCertificate", csr="garbage")
    ),
    "a CSR for the key in use": broken(
        "A02.FR.02", 3, "074 077", charge_point=asks_with(key_in_use, SERIAL_NUMBER, ORGANIZATION)
    ),
    "a CSR of another O": broken(
        "A02.FR.13", 3, "074 077", charge_point=asks_with(lambda _: new_key(), SERIAL_NUMBER, "Vendor")
    ),
    "a CSR of another CN": broken(
        "A00.FR.511",
        3,
        "074 077",
        charge_point=asks_with(lambda _: new_key(), "CP1", ORGANIZATION),
        data={"SerialNumber": SERIAL_NUMBER},
    ),
    "a CSR for RSA with 1024 bits": broken(
        "A00.FR.502", 3, "074 077", charge_point=with_key(lambda: weak_key(65537, 1024))
    ),
    "a CSR for 192 bits": broken("A00.FR.503", 3, "074 077", charge_point=with_key(lambda: new_key("EC", 192))),
    "CertificateSigned.req is accepted, and no more": broken(
        "A02.FR.08", 3, "074 077", charge_point=in_words("CertificateSigned")
    ),
    "CertificateSigned.req is rejected": broken(
        "A02", 3, "074 077", charge_point=in_words("CertificateSigned", "Rejected")
    ),
    "InstallCertificate.req is accepted, and no more": broken(
        "M05.FR.02", 2, "075_1 075_2 076 078", charge_point=in_words("InstallCertificate")
    ),
    "InstallCertificate.req fails": broken(
        "M05.FR.02", 2, "075_1 075_2 076 078", charge_point=in_words("InstallCertificate", "Failed")
    ),
    "DeleteCertificate.req is accepted, and no more": broken(
        "M04.FR.02", 2, "076", charge_point=in_words("DeleteCertificate"), reason="still installed"
    ),
    "DeleteCertificate.req finds nothing": broken(
        "M04.FR.02", 2, "076", charge_point=in_words("DeleteCertificate", "NotFound")
    ),
    "issuerKeyHash of something else": broken(
        "6.1", 2, "075_1 076", change=hash_data(lambda text: text[::-1], "issuerKeyHash"), reason="issuerKeyHash is"
    ),
    "serial numbers in decimal digits": broken(
        "6.1",
        2,
        "075_1 076",
        change=hash_data(lambda text: str(int(text, 16))[:40], "serialNumber"),
        reason="does not name",
    ),
    "no hash data": broken(
        "M03.FR.04", 2, "075_1 076", change=answers("GetInstalledCertificateIds", certificateHashData=...)
    ),
    "no security event": broken("A02.FR.07", 3, "077 078", change=untold(EVENT), reason="told no Invalid"),
    "another security event": broken(
        "chapter 8",
        3,
        "077 078",
        change=edited(EVENT, lambda _: "InvalidMessages", "type"),
        reason="but InvalidMessages",
    ),
    # Firmware and logs
    "no requestId": broken(
        "L01.FR.10", 1, UPDATES, change=requests(SIGNED, requestId=...), reason="requestId is absent"
    ),
    "another requestId": broken("L01.FR.10", 1, UPDATES, change=requests(SIGNED, requestId=1), reason="requestId is 1"),
    "no requestId of a log": broken(
        "N01.FR.07", 1, "079", change=requests(LOG, requestId=...), reason="requestId is absent"
    ),
    "Uploaded, and nothing was": broken("N01.FR.02", 1, "079", charge_point=uploads(not_at_all), reason="no log file"),
    "GetLog.req is accepted, and no more": broken("N01.FR.02", 1, "079", charge_point=in_words("GetLog")),
    "Downloaded, and nothing was": broken(
        "L01.FR.04", 1, UPDATES, charge_point=downloads_nothing, reason="nobody has fetched"
    ),
    "no SignatureVerified": broken("L01.FR.01", 1, "080", change=statuses(instead_of="SignatureVerified")),
    "it verifies no signature": broken(
        "L01.FR.12", 1, "081", charge_point=verifies_nothing, reason="expected InvalidSignature"
    ),
    "Installing after InvalidSignature": broken(
        "6.8: an end",
        1,
        "081",
        change=statuses("InvalidSignature", "Installing", instead_of="InvalidSignature"),
        reason="after InvalidSignature",
    ),
    "no Downloaded": broken("L01.FR.01", 1, UPDATES, change=statuses(instead_of="Downloaded")),
    "SignedUpdateFirmware.req is accepted, and no more": broken(
        "L01.FR.01", 1, UPDATES, charge_point=in_words("SignedUpdateFirmware")
    ),
}

# One answer for all requests; TC_084 asks for Rejected and no more.
NULL_CHARGE_POINTS = {
    **of(PROFILES, "it never answers", Variant("nothing is as it should be", charge_point=always(Silence()))),
    **of(PROFILES, "it answers {}", Variant("as above", charge_point=always(Conf(dict)))),
    **of(
        PROFILES,
        "it accepts everything",
        Variant("as above", charge_point=always(Conf(lambda: {"status": "Accepted"}))),
    ),
    **of(
        PROFILES,
        "it rejects everything",
        Variant("as above", charge_point=always(Conf(lambda: {"status": "Rejected"}))),
    ),
    **of(PROFILES, "it refuses everything", Variant("as above", charge_point=always(Refusal("NotSupported")))),
    **of((2,), "it answers garbage", Variant("as above", charge_point=always(Raw("garbage")))),
    **of((2,), "it sends everything back", Variant("as above", reflex=echo)),
    **of((2,), "it closes at once", Variant("as above", reflex=hang_up)),
}


@pytest.mark.parametrize("name", LAWFUL_CHARGE_POINTS)
def test_lawful_charge_point(calendar: Calendar, premises: Path, name: str) -> None:
    variant = LAWFUL_CHARGE_POINTS[name]
    here = set(CHARGE_POINT[variant.profile].split())

    def applicable(numbers: str) -> str:
        return " ".join(number for number in numbers.split() if number in here)

    strict = None if variant.strict_fails is None else applicable(variant.strict_fails)
    variant = replace(variant, numbers=applicable(variant.numbers), strict_fails=strict)
    of_charge_point(variant, premises).check(calendar, "Charge Point")


@pytest.mark.parametrize("name", UNLAWFUL_CHARGE_POINTS)
def test_unlawful_charge_point(calendar: Calendar, premises: Path, name: str) -> None:
    of_charge_point(UNLAWFUL_CHARGE_POINTS[name], premises).check(calendar, "Charge Point")


@pytest.mark.parametrize("name", NULL_CHARGE_POINTS)
def test_null_charge_point(calendar: Calendar, premises: Path, name: str) -> None:
    variant = NULL_CHARGE_POINTS[name]
    passes = "084" if name.startswith("it rejects") else ""
    fails = " ".join(number for number in CHARGE_POINT[variant.profile].split() if number != passes)
    of_charge_point(replace(variant, fails=fails, is_missed=False), premises).check(calendar, "Charge Point")


def of_kind(kind: Kind) -> Callable[[Authority], Credential]:
    return lambda root: root.issue("client", common_name=SERIAL_NUMBER, organization=ORGANIZATION, kind=kind)


def through_another(root: Authority) -> Credential:
    return of_kind("EC")(root.subordinate("Subordinate", ORGANIZATION))


def of_another(root: Authority) -> Credential:
    return root.issue("client", common_name="SN-0002", organization=ORGANIZATION)


@pytest.mark.parametrize(
    ("issue", "fails"), [(of_kind("RSA"), ""), (through_another, ""), (of_another, "087")], ids=["RSA", "chain", "CN"]
)
def test_certificate_of_charge_point(
    calendar: Calendar, premises: Path, issue: Callable[[Authority], Credential], fails: str
) -> None:
    """A00.FR.502, 2.6.2 and, where the user tells its serial number by BootNotification.req alone, A00.FR.511."""
    credential = issue(_pki(premises).central_system_root)

    def setup(it: ChargePoint) -> None:
        it.memory.certificates = [{"key": credential.key_pem, "chain": credential.chain_pem}]

    variant = Variant("2.6.1", charge_point=setup, profile=3, numbers="086 087", inconclusive=fails)
    of_charge_point(variant, premises).check(calendar, "Charge Point")


# Central Systems


def admits(judge: Callable[[CentralSystem, Attempt, Admission], Admission]) -> Arrangement:
    """What becomes of an attempt, instead of what would."""

    def setup(it: CentralSystem) -> None:
        ordinary = it._admits
        it._admits = lambda attempt: judge(it, attempt, ordinary(attempt))  # type: ignore[method-assign]  # for this one alone

    return setup


def everyone(_it: CentralSystem, _attempt: Attempt, admission: Admission) -> Admission:
    return Admission(HTTPStatus.SWITCHING_PROTOCOLS, "", admission.facts)


def who_knows_the_former_key(it: CentralSystem, attempt: Attempt, admission: Admission) -> Admission:
    return everyone(it, attempt, admission) if admission.facts.get("key") == "former" else admission


def with_status(status: int) -> Arrangement:
    """It refuses with another HTTP status."""
    return admits(
        lambda _it, _attempt, found: found if found.is_granted else Admission(HTTPStatus(status), "", found.facts)
    )


def drops(it: CentralSystem) -> None:
    """It refuses by closing the connection, without a word."""
    start, ordinary = it.start, it._admits
    newcomers: dict[asyncio.Task[Any] | None, ServerConnection] = {}

    async def start_and_watch() -> None:
        await start()
        assert it._listening is not None
        server = it._listening._server
        handler = server.handler

        async def handle(websocket: ServerConnection) -> None:
            newcomers[asyncio.current_task()] = websocket
            await handler(websocket)

        server.handler = handle

    def admit(attempt: Attempt) -> Admission:
        admission = ordinary(attempt)
        if not admission.is_granted:
            newcomers[asyncio.current_task()].transport.abort()
        return admission

    it.start, it._admits = start_and_watch, admit  # type: ignore[assignment, method-assign]  # for this one alone


def opens_then_closes(text: str = "") -> Arrangement:
    """It refuses when the WebSocket is open."""

    def setup(it: CentralSystem) -> None:
        ordinary, serve = it._admits, it._serve
        refused: list[Attempt] = []

        def admit(attempt: Attempt) -> Admission:
            admission = ordinary(attempt)
            if not admission.is_granted:
                refused.append(attempt)
            return everyone(it, attempt, admission)

        async def serve_or_close(websocket: ServerSocket) -> None:
            if any(websocket.attempt is each for each in refused):
                if text:
                    await websocket.send(text)
                await websocket.close(1008, "")
                return
            await serve(websocket)

        it._admits, it._serve = admit, serve_or_close  # type: ignore[method-assign]  # for this one alone

    return setup


def forgets_new_key(it: CentralSystem) -> None:
    """It goes on with the password that it was given."""
    ordinary = it._admits

    def admit(attempt: Attempt) -> Admission:
        known = it.store.charge_points["CP1"]
        known.password, known.proposed_passwords, known.former_password = SaltedHash.of(PASSWORD), [], None
        return ordinary(attempt)

    it._admits = admit  # type: ignore[method-assign]  # for this one alone


def asks(
    action: str, payload: Callable[[CentralSystem], Payload], *, after: str = "", wait: float = 0.5
) -> Arrangement:
    """It sends a request of its own accord after a request of the Charge Point, or after every connection."""

    def setup(it: CentralSystem) -> None:
        answer, serve = it._answer, it._serve
        tasks: set[asyncio.Task[None]] = set()

        async def ask() -> None:
            await asyncio.sleep(wait)
            with suppress(CallFailed):
                await it.request("CP1", action, payload(it))

        def soon() -> None:
            tasks.add(task := asyncio.create_task(ask()))
            task.add_done_callback(tasks.discard)

        async def answer_and_ask(identity: str, call: Call) -> Payload:
            conf = await answer(identity, call)
            if call.action == after:
                soon()
            return conf

        async def serve_and_ask(websocket: ServerSocket) -> None:
            if not after:
                soon()
            await serve(websocket)

        it._answer, it._serve = answer_and_ask, serve_and_ask  # type: ignore[method-assign]  # for this one alone

    return setup


def new_password(_: CentralSystem) -> Payload:
    return {"key": "AuthorizationKey", "value": token_bytes(20).hex()}


def root(it: CentralSystem) -> Payload:
    assert it.store.authority
    return {"certificateType": "CentralSystemRootCertificate", "certificate": pem(it.store.authority.certificate)}


def signs(make: Callable[[Authority, str], str], wait: float = 0.1) -> Arrangement:
    """What it sends for a CSR, after so many seconds."""

    def setup(it: CentralSystem) -> None:
        authority = it.store.authority
        assert authority
        tasks: set[asyncio.Task[None]] = set()

        async def send(identity: str, csr: str) -> None:
            await asyncio.sleep(wait)
            with suppress(CallFailed):
                await it.request(identity, "CertificateSigned", {"certificateChain": make(authority, csr)})

        def after_answer(identity: str) -> None:
            known = it.store.of(identity).charge_point
            asked, known.signing_requests = known.signing_requests, []
            for csr in asked:
                tasks.add(task := asyncio.create_task(send(identity, csr)))
                task.add_done_callback(tasks.discard)

        it._after_answer = after_answer  # type: ignore[method-assign]  # for this one alone

    return setup


def chain_of(authority: Authority, csr: str) -> list[Certificate]:
    """Through another authority."""
    return list(authority.subordinate("Subordinate", ORGANIZATION).sign_request(load_request(csr)))


def shows(make: Callable[[Authority], Sequence[Credential]]) -> Arrangement:
    def setup(it: CentralSystem) -> None:
        assert it.store.authority
        it._credentials = make(it.store.authority)

    return setup


def servers(authority: Authority, *kinds: Kind, name: str = HOST, names: Sequence[str] = ()) -> list[Credential]:
    return [
        authority.issue("server", common_name=name, organization=ORGANIZATION, kind=kind, dns_names=names)
        for kind in kinds or ("RSA", "EC")
    ]


def speaking(change: Callable[[ssl.SSLContext], None]) -> Arrangement:
    """Its TLS is another."""

    def setup(it: CentralSystem) -> None:
        def tls() -> ssl.SSLContext:
            context = server_context(it._credentials, it._client_roots, it._client_certificate)
            change(context)
            return context

        it._tls = tls  # type: ignore[method-assign]  # for this one alone

    return setup


def newest_is_12(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def oldest_is_13(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_3


def ciphers(*names: str) -> Callable[[ssl.SSLContext], None]:
    return lambda context: context.set_ciphers(":".join(("@SECLEVEL=2", *names)))


def opens_without_subprotocol(it: CentralSystem) -> None:
    it.store.refuses_unknown_subprotocol = False


def never_signs(it: CentralSystem) -> None:
    it._after_answer = lambda identity: None  # type: ignore[method-assign]  # for this one alone


def installs(edit: Callable[[str], str]) -> Callable[[], Change]:
    return edited("InstallCertificate", edit, "certificate")


LAWFUL_CENTRAL_SYSTEMS = {
    **of(PROFILES, "ours", Variant("our own", strictly=True)),
    **of(
        (1, 2),
        "it refuses with HTTP 403",
        Variant("no status is prescribed", central_system=with_status(403), numbers="073 083 085"),
    ),
    "it refuses with HTTP 404": Variant("as above", central_system=with_status(404), profile=1, numbers="073 083 085"),
    **of(
        (1, 2),
        "it refuses by closing the connection",
        Variant("as above", central_system=drops, numbers="073 083 085", remark="without an HTTP status"),
    ),
    # What many a Central System does by itself.
    **of(
        PROFILES,
        "GetConfiguration.req on every connection",
        Variant("5.8", central_system=asks("GetConfiguration", lambda _: {})),
    ),
    "TriggerMessage.req on every connection": Variant(
        "5.17", central_system=asks("TriggerMessage", lambda _: {"requestedMessage": "StatusNotification"}), profile=2
    ),
    **of(
        (1, 2),
        "another password after every boot",
        Variant(
            "A01",
            central_system=asks("ChangeConfiguration", new_password, after="BootNotification"),
            remark="after the boot",
        ),
    ),
    "its root after every boot": Variant(
        "M05",
        central_system=asks("InstallCertificate", root, after="BootNotification"),
        profile=2,
        remark="after the boot",
    ),
    **of(
        (2, 3),
        "another certificate after every boot",
        Variant(
            "A02",
            central_system=asks(
                "ExtendedTriggerMessage",
                lambda _: {"requestedMessage": "SignChargePointCertificate"},
                after="BootNotification",
            ),
            numbers="078 079 083 086 087",
            remark="followed SignCertificate.req",
        ),
    ),
    "everything takes 25 s": Variant(
        "the time-out is 30 s", lambda: lambda frame: [25.0, frame], profile=2, numbers="073 075_1 078 079"
    ),
    **of(
        (2, 3),
        "CertificateSigned.req a minute later",
        Variant(
            "A02: it is another who signs",
            central_system=signs(lambda by, csr: pem(*chain_of(by, csr)), 60.0),
            numbers="074 077 083",
        ),
    ),
    "a chain with its root": Variant(
        "5.1",
        central_system=signs(lambda by, csr: pem(*chain_of(by, csr), by.certificate)),
        profile=3,
        numbers="074 077",
    ),
    "a chain with CRLF": Variant(
        "5.1",
        central_system=signs(lambda by, csr: pem(*chain_of(by, csr)).replace("\n", "\r\n")),
        profile=3,
        numbers="074",
    ),
    "AuthorizationKey in lower case": Variant(
        "7.2: hexadecimal", key_told(str.lower), profile=1, numbers="073", strictly=True
    ),
    **{
        f"a root {name}": Variant("5.11: PEM", installs(edit), profile=2, numbers="075_1 075_2 076")
        for name, edit in {
            "with CRLF": lambda text: text.replace("\n", "\r\n"),
            "that ends without a line end": str.rstrip,
            "behind text": lambda text: f"subject=Root\n{text}",
        }.items()
    },
    "hashes in upper case": Variant(
        "6.1: a CiString",
        edited("DeleteCertificate", str.upper, "certificateHashData", "issuerNameHash"),
        profile=2,
        numbers="076",
    ),
    # Subprotocols and TLS
    "101 without a subprotocol, and closed": Variant(
        "OCPP-J 3.2", central_system=opens_without_subprotocol, profile=1, numbers="088", strict_fails="088"
    ),
    "TLS 1.2 alone": Variant(
        "A00.FR.312", central_system=speaking(newest_is_12), profile=3, numbers="086 087", strictly=True
    ),
    "every suite there is": Variant(
        "A00.FR.317", central_system=speaking(ciphers("ALL", "!aNULL")), profile=2, numbers="086", strictly=True
    ),
    "certificates through another authority": Variant(
        "2.6.2",
        central_system=shows(lambda by: servers(by.subordinate("Subordinate", ORGANIZATION))),
        profile=2,
        numbers="086",
        strictly=True,
    ),
    "a subjectAltName besides": Variant(
        "the note on A00.FR.511",
        central_system=shows(lambda by: servers(by, names=["csms.example"])),
        profile=2,
        numbers="086",
        strictly=True,
    ),
    "a subjectAltName alone names the endpoint": Variant(
        "the note on A00.FR.511: several ways lead to it",
        central_system=shows(lambda by: servers(by, name="csms.example", names=[HOST])),
        profile=2,
        numbers="086",
        remark="is but a subjectAltName",
        strict_fails="086",
    ),
    "GetLog.req into a directory": Variant(
        "6.14", edited("GetLog", lambda url: f"{url}/", "log", "remoteLocation"), profile=1, numbers="079"
    ),
}

UNLAWFUL_CENTRAL_SYSTEMS = {
    "everyone may connect": broken(
        "A00.FR.301", 1, "073 083 085", central_system=admits(everyone), reason="accepts the connection"
    ),
    "it closes the WebSocket of whom it should refuse": broken(
        "TC_085", 2, "073 085", central_system=opens_then_closes(), reason="accepts the connection"
    ),
    "it refuses in words of OCPP": broken(
        "TC_085",
        1,
        "073 083 085",
        central_system=opens_then_closes('[4,"1","SecurityError","",{}]'),
        reason="accepts the connection",
    ),
    "the former password still counts": broken(
        "A01.FR.03", 1, "073", central_system=admits(who_knows_the_former_key), reason="accepts the connection"
    ),
    "the new password does not count": broken("A01.FR.03", 1, "073", central_system=forgets_new_key, reason="HTTP 401"),
    "an AuthorizationKey of 8 bytes": broken(
        "A00.FR.205", 1, "073", change=key_told(lambda _: "4142434445464748"), reason="16 characters"
    ),
    "an AuthorizationKey in characters": broken(
        "7.2", 1, "073", change=key_told(lambda _: "password-password-"), reason="not all of them hexadecimal"
    ),
    "an AuthorizationKey of 33 digits": broken(
        "7.2", 2, "073", change=key_told(lambda _: "A" * 33), reason="33 characters"
    ),
    "SecurityProfile is raised by two": broken(
        "TC_083", 1, "083", change=edited("ChangeConfiguration", lambda _: "3", "value"), reason="value is 3"
    ),
    "Reset.req Soft": broken("TC_083", 2, "083", change=requests("Reset", type="Soft"), reason="type is Soft"),
    # Certificates
    "it signs nothing": broken("A02", 3, "074 077", central_system=never_signs, reason="sent no CertificateSigned.req"),
    "SignCertificate.conf, Rejected": broken(
        "A02.FR.11", 3, "074 077", change=answers("SignCertificate", status="Rejected")
    ),
    "SignCertificate.req is not known": broken(
        "A02", 3, "074 077", change=refused("SignCertificate"), reason="NotImplemented"
    ),
    "a chain in the wrong order": broken(
        "5.1",
        3,
        "074 077",
        central_system=signs(lambda by, csr: pem(*chain_of(by, csr)[::-1])),
        reason="its key is not",
    ),
    "a chain in the wrong order, for profile 3": broken(
        "5.1", 2, "083", central_system=signs(lambda by, csr: pem(*chain_of(by, csr)[::-1]))
    ),
    "a certificate for another key": broken(
        "A02",
        3,
        "074 077",
        central_system=signs(lambda by, csr: security.sign(by, csr, "other_key")),
        reason="its key is not that of the CSR",
    ),
    "a certificate that has expired": broken(
        "A02.FR.06",
        3,
        "074 077",
        central_system=signs(lambda by, csr: security.sign(by, csr, "expired")),
        reason="it expired",
    ),
    "a certificate that is none": broken(
        "5.1", 3, "074 077", central_system=signs(lambda _by, _csr: "garbage"), reason="PEM"
    ),
    "connectorId in ExtendedTriggerMessage.req": broken(
        "TC_074", 3, "074 077", change=requests("ExtendedTriggerMessage", connectorId=1)
    ),
    "a root that is none": broken("5.11", 2, "075_1 075_2 076 078", change=installs(lambda _: "garbage"), reason="PEM"),
    "two roots": broken(
        "5.11", 2, "075_1 075_2 076 078", change=installs(lambda text: text + text), reason="2 certificates"
    ),
    "a root of another use": broken(
        "TC_075", 2, "075_1", change=requests("InstallCertificate", certificateType="CentralSystemRootCertificate")
    ),
    "another hashAlgorithm": broken(
        "M04.FR.07",
        2,
        "076",
        change=edited("DeleteCertificate", lambda _: "SHA384", "certificateHashData", "hashAlgorithm"),
    ),
    "another certificate is deleted": broken(
        "TC_076", 2, "076", change=edited("DeleteCertificate", lambda _: "ABC", "certificateHashData", "serialNumber")
    ),
    "SecurityEventNotification.req is not known": broken(
        "A04.FR.03", 3, "077 078", change=refused(EVENT), reason="NotImplemented"
    ),
    # Firmware and logs
    "GetLog.req of the diagnostics": broken("TC_079", 1, "079", change=requests("GetLog", logType="DiagnosticsLog")),
    "GetLog.req without requestId": broken(
        "5.8", 1, "079", change=requests("GetLog", requestId=...), reason="requestId"
    ),
    "SignedUpdateFirmware.req without requestId": broken(
        "5.21", 1, UPDATES, change=requests("SignedUpdateFirmware", requestId=...), reason="requestId"
    ),
    "another signature": broken(
        "L01.FR.04", 1, "080", change=edited("SignedUpdateFirmware", lambda _: "AAAA", "firmware", "signature")
    ),
    "LogStatusNotification.req is not known": broken("N01", 1, "079", change=refused(LOG), reason="NotImplemented"),
    "SignedFirmwareStatusNotification.req is not known": broken(
        "L01", 1, UPDATES, change=refused(SIGNED), reason="NotImplemented"
    ),
    # TLS
    "TLS 1.3 alone": broken(
        "A00.FR.421", 3, "086 087", central_system=speaking(oldest_is_13), reason="(white paper A00.FR.421)"
    ),
    "one suite of each pair": broken(
        "A00.FR.317",
        2,
        "086",
        central_system=speaking(ciphers("ECDHE-ECDSA-AES128-GCM-SHA256", "AES256-GCM-SHA384")),
        reason="(white paper A00.FR.317)",
    ),
    "no RSA certificate": broken(
        "the note on A00.FR.317", 3, "086 087", central_system=shows(lambda by: servers(by, "EC"))
    ),
    "no ECDSA certificate": broken(
        "the note on A00.FR.317", 2, "086", central_system=shows(lambda by: servers(by, "RSA"))
    ),
    "no CN": broken(
        "A00.FR.510", 2, "086", central_system=shows(lambda by: servers(by, name="", names=[HOST])), reason="no CN"
    ),
    "a CN that is no name": broken(
        "A00.FR.510",
        2,
        "086",
        central_system=shows(lambda by: servers(by, name="Our Central System", names=[HOST])),
        reason="is no FQDN",
    ),
}

# Who answers as he should, sends nothing and asks nobody for more passes what is about connections and the boot alone.
PASSES_OF_THE_IDLE = "085 086 087 088"


def idle(frame: Frame) -> Iterable[Frame] | None:
    return [] if frame.is_call else None


NULL_CENTRAL_SYSTEMS: dict[str, Variant] = {
    **of(PROFILES, "it answers {}", Variant("6.9", lambda: lambda frame: [] if frame.is_call else [frame.holding({})])),
    **of(
        (2,),
        "it refuses everything",
        Variant("4.2", lambda: lambda frame: [] if frame.is_call else [frame.refused("NotSupported")]),
    ),
    **of((2,), "it never answers", Variant("4.2", lambda: lambda _: [])),
    **of((2,), "it answers garbage", Variant("OCPP-J 4.2", lambda: lambda _: ["garbage"])),
    **of((2,), "it sends everything back", Variant("OCPP-J 4.1.4", reflex=echo)),
    **of((2,), "it closes at once", Variant("4.2", reflex=hang_up)),
}


@pytest.mark.parametrize("name", LAWFUL_CENTRAL_SYSTEMS)
def test_lawful_central_system(calendar: Calendar, premises: Path, name: str) -> None:
    variant = LAWFUL_CENTRAL_SYSTEMS[name]
    here = set(CENTRAL_SYSTEM[variant.profile].split())
    numbers = " ".join(number for number in variant.numbers.split() if number in here)
    of_central_system(replace(variant, numbers=numbers), premises).check(calendar, "Central System")


@pytest.mark.parametrize("name", UNLAWFUL_CENTRAL_SYSTEMS)
def test_unlawful_central_system(calendar: Calendar, premises: Path, name: str) -> None:
    of_central_system(UNLAWFUL_CENTRAL_SYSTEMS[name], premises).check(calendar, "Central System")


@pytest.mark.parametrize("name", NULL_CENTRAL_SYSTEMS)
def test_null_central_system(calendar: Calendar, premises: Path, name: str) -> None:
    variant = NULL_CENTRAL_SYSTEMS[name]
    fails = CENTRAL_SYSTEM[variant.profile]
    of_central_system(replace(variant, fails=fails, is_missed=False), premises).check(calendar, "Central System")


@pytest.mark.parametrize("profile", PROFILES)
def test_idle_central_system(calendar: Calendar, premises: Path, profile: int) -> None:
    """Nobody knows why nothing came: the operator has confirmed."""
    others = " ".join({*CENTRAL_SYSTEM[profile].split()}.difference(PASSES_OF_THE_IDLE.split()))
    variant = Variant("a session alone", lambda: idle, profile=profile, inconclusive=others, reason="sent nothing")
    of_central_system(variant, premises).check(calendar, "Central System")


@pytest.mark.parametrize("pkcs1v15", [False, True])
def test_firmware_signed_with_rsa(calendar: Calendar, premises: Path, pkcs1v15: bool) -> None:
    """L01.FR.04 wants RSA-PSS; SHA256withRSA, which official tools send, is a remark."""
    signer = _pki(premises).manufacturer_root.issue("firmware", common_name="RSA", organization="Rehearsal", kind="RSA")
    told = {
        "signingCertificate": signer.chain_pem,
        "signature": sign(signer.key, firmware_image("1.1.0"), pkcs1v15=pkcs1v15),
    }

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.requests("SignedUpdateFirmware"):
            return None
        return [frame.with_fields(firmware=frame.payload["firmware"] | told)]

    variant = Variant("L01", lambda: change, profile=1, numbers="080", remark="SHA256withRSA" if pkcs1v15 else "")
    of_central_system(variant, premises).check(calendar, "Central System")


def test_a_new_password_is_written_down_before_the_charge_point_answers(calendar: Calendar, premises: Path) -> None:
    """A01: whoever is cut off in between finds on the disk what may count by now."""
    held = []

    def look(frame: Frame) -> None:
        if frame.answers("ChangeConfiguration"):
            held.append((premises / "credentials.json").exists())

    seen = Variant("nothing is changed", change=lambda: look, profile=1, numbers="073")
    of_charge_point(seen, premises).check(calendar, "Charge Point")
    assert held
    assert all(held)
