"""Foreign devices around firmware and diagnostics: who differs within the law passes, who breaks it fails."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import pytest

from ocppj.clock import Calendar, timestamp
from ocppj.errors import ErrorCode, Refused
from ocppj.frames import Payload
from simulator.charge_point import ChargePoint
from simulator.configuration import Key
from simulator.firmware_management import FirmwareManagement, firmware_image
from simulator.memory import DiagnosticsUpload, FirmwareUpdate
from tests.variants.foreign import Change, Frame, Variant, call
from tests.variants.test_charge_points import in_turn

UPDATES, UPLOADS = "044_1 044_2 044_3", "045_1 045_2"
ALL = f"{UPDATES} {UPLOADS}"
FIRMWARE, DIAGNOSTICS = "FirmwareStatusNotification", "DiagnosticsStatusNotification"
BEGUN = ("Downloading", "Installing", "Uploading")
ENDED = ("Downloaded", "DownloadFailed", "Installed", "InstallationFailed", "Uploaded", "UploadFailed")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image that the operator of a foreign Charge Point would give."""
    path = tmp_path_factory.mktemp("firmware") / "image.bin"
    path.write_bytes(firmware_image("2.0"))
    return str(path)


def report(connector: int, status: str) -> Frame:
    payload = {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": timestamp()}
    return call("StatusNotification", payload)


def beside(action: str, status: str, *frames: Callable[[], Frame], after: bool = False) -> Callable[[], Change]:
    """Other requests before or after one of its own."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.requests(action, status=status):
            return None
        others = [make() for make in frames]
        return [frame, *others] if after else [*others, frame]

    return lambda: change


def without(action: str, status: str) -> Callable[[], Change]:
    return lambda: lambda frame: [] if frame.requests(action, status=status) else None


def retold(action: str, status: str, *instead: str) -> Callable[[], Change]:
    """One status is told as others."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.requests(action, status=status):
            return None
        return [frame.with_fields(status=instead[0]), *(call(action, {"status": each}) for each in instead[1:])]

    return lambda: change


def progress(status: str) -> Callable[[], Frame]:
    return lambda: call(FIRMWARE, {"status": status})


def twice(frame: Frame) -> Iterable[Frame] | None:
    return [frame, frame.again()] if frame.is_call and frame.action in (FIRMWARE, DIAGNOSTICS) else None


def installed_before_the_reboot() -> Change:
    """It tells Installed and reboots then."""
    told = False

    def change(frame: Frame) -> Iterable[Frame] | None:
        nonlocal told
        if frame.requests(FIRMWARE, status="Installing"):
            told = True
            return [frame, call(FIRMWARE, {"status": "Installed"})]
        if told and frame.requests(FIRMWARE, status="Installed"):
            return []
        return None

    return change


def breaks_in_the_reboot() -> Change:
    installing = False

    def change(frame: Frame) -> Iterable[Frame] | None:
        nonlocal installing
        installing = installing or frame.requests(FIRMWARE, status="Installing")
        if installing and frame.requests("StatusNotification", connectorId=1):
            return [frame.with_fields(status="Faulted", errorCode="OtherError")]
        return None

    return change


def late_for_service(frame: Frame) -> Iterable[Frame | float] | None:
    """Its connectors are Unavailable for a while after each boot."""
    if not frame.requests("StatusNotification", status="Available"):
        return None
    return [report(frame.payload["connectorId"], "Unavailable"), 20.0, frame]


def takes(seconds: float, *statuses: str) -> Callable[[ChargePoint], None]:
    """It takes its time before it tells these."""

    def setup(it: ChargePoint) -> None:
        tell = it.firmware_management._tell

        async def tell_late(action: str, payload: Payload) -> None:
            await asyncio.sleep(seconds if payload["status"] in statuses else 0)
            await tell(action, payload)

        it.firmware_management._tell = tell_late  # type: ignore[method-assign]  # for this one alone

    return setup


def uploads_in_words(status: str) -> Callable[[ChargePoint], None]:
    """It only says that it has tried."""

    def setup(it: ChargePoint) -> None:
        async def upload(task: DiagnosticsUpload) -> str:
            return status

        it.firmware_management._upload = upload  # type: ignore[method-assign]  # for this one alone

    return setup


def uploads_to(place: Callable[[str], str], prefix: str = "") -> Callable[[ChargePoint], None]:
    """It takes another place and another name than those that were said."""

    def setup(it: ChargePoint) -> None:
        part = it.firmware_management
        ordinary = part._upload

        async def upload(task: DiagnosticsUpload) -> str:
            task["location"], task["fileName"] = place(task["location"]), prefix + task["fileName"]
            return await ordinary(task)

        part._upload = upload  # type: ignore[method-assign]  # for this one alone

    return setup


def downloads_in_words(it: ChargePoint) -> None:
    """It only says that the download has failed."""
    part = it.firmware_management

    async def download(update: FirmwareUpdate) -> bool:
        await part._tell_firmware(update, "Downloading")
        return await part._end_update(update, "DownloadFailed")

    part._download = download  # type: ignore[method-assign]  # for this one alone


def uploads_two(it: ChargePoint) -> None:
    part = it.firmware_management
    ordinary = part._upload

    async def upload(task: DiagnosticsUpload) -> str:
        await ordinary(task)
        task["fileName"] = "another.log"
        return await ordinary(task)

    part._upload = upload  # type: ignore[method-assign]  # for this one alone


def uploads_late(it: ChargePoint) -> None:
    """It tells Uploaded ten seconds before it uploads."""
    part = it.firmware_management
    ordinary = part._upload

    async def upload_later(task: DiagnosticsUpload) -> None:
        await asyncio.sleep(10)
        await ordinary(task)

    async def upload(task: DiagnosticsUpload) -> str:
        it.spawn(upload_later(task))
        return "Uploaded"

    part._upload = upload  # type: ignore[method-assign]  # for this one alone


def conf(action: str, **fields: object) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.answers(action) else None


def req(action: str, **fields: object) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.requests(action) else None


def stays(it: ChargePoint) -> None:
    """Its firmware takes effect without a reboot."""

    async def restart() -> None:
        it.firmware_management.holds_connectors = False
        it.settle_availability()
        it.firmware_management.power_up()

    it.restart = restart  # type: ignore[method-assign]  # for this one alone


def installs_whatever(it: ChargePoint) -> None:
    it.firmware_management.takes_any_image = True


def installs_in_vain(it: ChargePoint) -> None:
    installs_whatever(it)
    it.firmware_management.installation_fails = True


def refuses_unsigned(it: ChargePoint) -> None:
    def refuse(*_: object) -> Payload:
        raise Refused(ErrorCode.NOT_SUPPORTED, "")

    it.handlers["UpdateFirmware"] = refuse


def knows_security_profiles(it: ChargePoint) -> None:
    it.configuration._keys["securityprofile"] = Key("SecurityProfile", "integer", "0", maximum=3)


def transfers_over(protocols: str) -> Callable[[ChargePoint], None]:
    return lambda it: it.configuration.set("SupportedFileTransferProtocols", protocols)


def has_no_diagnostics(it: ChargePoint) -> None:
    def none(request: Payload) -> None:
        return None

    it.firmware_management.diagnostics = none  # type: ignore[method-assign]  # for this one alone


def fails(work: str) -> Callable[[ChargePoint], None]:
    return lambda it: setattr(it.firmware_management, f"{work}_fails", True)


CHARGE_POINTS = {
    "ours": Variant("our own", numbers=ALL, strictly=True),
    "it updates signed firmware alone": Variant(
        "white paper L01.FR.20, with whatever security profile",
        charge_point=in_turn(refuses_unsigned, knows_security_profiles),
        numbers=UPDATES,
        inconclusive=UPDATES,
        reason="as the white paper has it (L01.FR.20): the test case wants it accepted",
    ),
    "it updates nothing": Variant(
        "5.19, and nothing says that it follows the white paper",
        charge_point=refuses_unsigned,
        numbers=UPDATES,
        fails=UPDATES,
        reason="answered UpdateFirmware.req with CALLERROR NotSupported",
    ),
    "no FTP": Variant(
        "errata 3.90: it tells so",
        charge_point=transfers_over("HTTP"),
        numbers=ALL,
        inconclusive=ALL,
        reason="give --data FileTransferProtocol=HTTP",
    ),
    "neither FTP nor HTTP": Variant(
        "errata 3.90: it tells so",
        charge_point=transfers_over("FTPS,HTTPS"),
        numbers=ALL,
        inconclusive=ALL,
        reason="transfers files over FTPS,HTTPS alone",
    ),
    "no FTP, as its owner says": Variant(
        "errata 3.90",
        charge_point=transfers_over("http"),
        numbers=ALL,
        data={"FileTransferProtocol": "HTTP"},
        strictly=True,
    ),
    "it tells everything twice": Variant("4.4, 4.5: nothing forbids it", lambda: twice, numbers=ALL),
    "no Downloading before DownloadFailed": Variant(
        "TC_044_2: optional; 5.19 MUST tell the others",
        without(FIRMWARE, "Downloading"),
        numbers=UPDATES,
        fails="044_1 044_3",
        reason="Downloaded, expected Downloading",
    ),
    "Installing before InstallationFailed": Variant(
        "TC_044_3: optional",
        beside(FIRMWARE, "InstallationFailed", progress("Installing")),
        numbers="044_3",
        strictly=True,
    ),
    "Installed before the reboot": Variant(
        "5.19, errata 3.47: either order", installed_before_the_reboot, numbers="044_1", strictly=True
    ),
    "no reboot": Variant(
        "errata 3.47: not required", charge_point=stays, numbers="044_1", remark="there was no reboot"
    ),
    "a reboot after a failed installation": Variant(
        "TC_044_3: optional",
        charge_point=installs_in_vain,
        numbers="044_3",
        strictly=True,
    ),
    "Unavailable until the download is over": Variant(
        "TC_044: connectors may become Unavailable before the download",
        beside(FIRMWARE, "Downloading", lambda: report(0, "Unavailable"), lambda: report(1, "Unavailable")),
        numbers="044_1",
        strictly=True,
    ),
    "Unavailable around a failed download": Variant(
        "TC_044_2: connectors may become Unavailable",
        lambda: (
            lambda frame: (
                [report(1, "Unavailable"), frame, report(1, "Available")]
                if frame.requests(FIRMWARE, status="DownloadFailed")
                else None
            )
        ),
        numbers="044_2",
        strictly=True,
    ),
    "Unavailable after a failed download": Variant(
        "nothing says when a connector becomes Available again",
        beside(FIRMWARE, "DownloadFailed", lambda: report(1, "Unavailable")),
        numbers="044_2",
        remark="still Unavailable",
    ),
    "Unavailable for 20 s after a boot": Variant(
        "4.9: Unavailable while updating firmware", lambda: late_for_service, numbers="044_1"
    ),
    "everything takes 100 s": Variant(
        "a long operation has 120 s", charge_point=takes(100, *BEGUN, *ENDED), numbers=ALL, strictly=True
    ),
    "a download takes 130 s": Variant(
        "a long operation has 120 s",
        charge_point=takes(130, "Downloaded"),
        numbers="044_1 044_2",
        fails="044_1",
        reason="in 120 s",
    ),
    "GetDiagnostics.conf without fileName, yet it uploads": Variant(
        "5.9 wants the name; what arrived was seen",
        conf("GetDiagnostics", fileName=...),
        numbers=UPLOADS,
        remark="GetDiagnostics.conf names no file",
    ),
    "GetDiagnostics.conf with another fileName": Variant(
        "5.9; what arrived was seen", conf("GetDiagnostics", fileName="x.zip"), numbers=UPLOADS, remark="names x.zip"
    ),
    "no diagnostics": Variant(
        "5.9 allows it; the test cases ask for an upload, and a rehearsal without one proves nothing",
        charge_point=has_no_diagnostics,
        numbers=UPLOADS,
        fails=UPLOADS,
        reason="OCPP 1.6 4.4",
    ),
    "UpdateFirmware.conf with a status": Variant(
        "6.56 has no fields", conf("UpdateFirmware", status="Accepted"), numbers=ALL, fails=UPDATES, reason="status"
    ),
    "Uploaded although nothing was": Variant(
        "5.9: the file SHALL be uploaded",
        charge_point=uploads_in_words("Uploaded"),
        numbers=UPLOADS,
        fails=UPLOADS,
    ),
    "UploadFailed where it could": Variant(
        "5.9", charge_point=fails("upload"), numbers=UPLOADS, fails="045_1", reason="UploadFailed, expected Uploaded"
    ),
    "DownloadFailed where it could": Variant(
        "5.19", charge_point=fails("download"), numbers=UPDATES, fails="044_1 044_3", reason="expected Downloaded"
    ),
    "it installs whatever it gets": Variant(
        "errata 3.48: a valid image", charge_point=installs_whatever, numbers=UPDATES, fails="044_3"
    ),
    "Idle before Downloading": Variant(
        "4.5: Idle SHALL only be sent when triggered",
        beside(FIRMWARE, "Downloading", progress("Idle")),
        numbers="044_1",
        fails="044_1",
    ),
    "Idle after Uploaded and UploadFailed": Variant(
        "4.4: Idle SHALL only be sent when triggered; no test case minds",
        lambda: (
            lambda frame: (
                [frame, call(DIAGNOSTICS, {"status": "Idle"})]
                if frame.requests(DIAGNOSTICS) and frame.payload["status"] != "Uploading"
                else None
            )
        ),
        numbers=UPLOADS,
        remark="told Idle, which nobody had asked for",
    ),
    "Idle between Installed and the reboot": Variant(
        "4.5: Idle SHALL only be sent when triggered; no test case minds",
        lambda: (
            lambda frame: (
                [call(FIRMWARE, {"status": "Installed"}), call(FIRMWARE, {"status": "Idle"}), frame]
                if frame.requests("BootNotification")
                else []
                if frame.requests(FIRMWARE, status="Installed")
                else None
            )
        ),
        numbers="044_1",
        remark="told Idle",
    ),
    "its connectors are told before BootNotification.req": Variant(
        "4.2",
        lambda: lambda frame: [report(1, "Available"), frame] if frame.requests("BootNotification") else None,
        numbers="044_1",
        fails="044_1",
        reason="4.2",
    ),
    **{
        f"{other} after {status}": Variant(
            "4.4, 4.5: one of them is not true",
            beside(action, status, partial(call, action, {"status": other}), after=True),
            numbers=numbers,
            fails=numbers,
            reason=f"told {other} after {status}",
        )
        for action, status, other, numbers in (
            (DIAGNOSTICS, "Uploaded", "UploadFailed", "045_1"),
            (DIAGNOSTICS, "UploadFailed", "Uploaded", "045_2"),
            (FIRMWARE, "DownloadFailed", "Downloaded", "044_2"),
            (FIRMWARE, "Installed", "InstallationFailed", "044_1"),
            (FIRMWARE, "InstallationFailed", "Installed", "044_3"),
        )
    },
    "the diagnostics go elsewhere": Variant(
        "5.9: to the location that was named",
        charge_point=uploads_to(lambda location: location.replace("/diagnostics", "/")),
        numbers="045_1",
        fails="045_1",
        reason="the diagnostics went to",
    ),
    "UploadFailed without a try": Variant(
        "TC_045_2 looks at the status alone",
        charge_point=uploads_in_words("UploadFailed"),
        numbers="045_2",
        remark="nothing was seen of a try at",
    ),
    "DownloadFailed without a try": Variant(
        "TC_044_2 looks at the status alone",
        charge_point=downloads_in_words,
        numbers="044_2",
        remark="nothing was seen of a try at",
    ),
    "two files": Variant(
        "5.9: a single file", charge_point=uploads_two, numbers="045_1", fails="045_1", reason="2 files have arrived"
    ),
    "no slash between location and name": Variant(
        "6.25 does not say who puts it there",
        charge_point=uploads_to(lambda location: location.replace("/diagnostics", "/"), "diagnostics"),
        numbers="045_1",
        remark="has arrived",
    ),
    "Uploaded is told before the upload": Variant(
        "4.4; the file comes", charge_point=uploads_late, numbers="045_1", remark="had not arrived"
    ),
    "Installed is never told": Variant(
        "5.19; what comes after it is a case of its own",
        without(FIRMWARE, "Installed"),
        numbers=ALL,
        fails="044_1",
        reason="sent no FirmwareStatusNotification.req in 120 s",
    ),
    "Uploaded is never told": Variant(
        "5.9", without(DIAGNOSTICS, "Uploaded"), numbers=UPLOADS, fails="045_1", reason="in 120 s"
    ),
    "a connector breaks in the reboot": Variant(
        "TC_044_1: Available",
        breaks_in_the_reboot,
        numbers="044_1",
        fails="044_1",
        reason="connector 1 is reported Faulted, expected Available",
    ),
    "Installed before Installing": Variant(
        "5.19",
        retold(FIRMWARE, "Installing", "Installed", "Installing"),
        numbers="044_1",
        fails="044_1",
        reason="Installed, expected Installing",
    ),
}


@pytest.mark.parametrize("name", CHARGE_POINTS)
def test_charge_point(calendar: Calendar, image: str, name: str) -> None:
    variant = CHARGE_POINTS[name]
    replace(variant, data={"FirmwareFile": image, **variant.data}).check(calendar, "Charge Point")


@pytest.mark.parametrize("protocol", ["FTP", "HTTP"])
def test_both_protocols(calendar: Calendar, image: str, protocol: str) -> None:
    data = {"FirmwareFile": image, "FileTransferProtocol": protocol}
    Variant("chapter 8", numbers=ALL, data=data, strictly=True).check(calendar, "Charge Point")


def test_without_an_image_nobody_knows(calendar: Calendar) -> None:
    variant = Variant("no image of ours fits", numbers=UPDATES, inconclusive="044_1", reason="--data FirmwareFile=")
    variant.check(calendar, "Charge Point")


CENTRAL_SYSTEMS = {
    "ours": Variant("our own", numbers=ALL, strictly=True),
    "retries and a retryInterval": Variant(
        "6.55: as it likes; what fails takes longer then",
        lambda: (
            lambda frame: (
                [frame.with_fields(retries=2, retryInterval=600)]
                if frame.is_call and frame.action in ("UpdateFirmware", "GetDiagnostics")
                else None
            )
        ),
        numbers=ALL,
    ),
    "a retrieveDate in ten minutes": Variant(
        "6.55: as it likes",
        lambda: (
            lambda frame: (
                [frame.with_fields(retrieveDate="2031-05-13T09:00:00Z")] if frame.requests("UpdateFirmware") else None
            )
        ),
        numbers="044_1",
    ),
    "a retrieveDate next year": Variant(
        "nobody waits for it",
        req("UpdateFirmware", retrieveDate="2032-05-13T09:00:00Z"),
        numbers=UPDATES,
        inconclusive=UPDATES,
        reason="put the end off",
    ),
    "a location of its own": Variant(
        "5.19: wherever it likes; the test case wants the configured one",
        lambda: (
            lambda frame: (
                [frame.with_fields(location=frame.payload["location"].replace("good", "bad"))]
                if frame.requests("UpdateFirmware")
                else None
            )
        ),
        numbers="044_1",
        remark="UpdateFirmware.req: location is ftp://127.0.0.1:",
    ),
    "no retrieveDate": Variant("6.55: required", req("UpdateFirmware", retrieveDate=...), numbers=ALL, fails=UPDATES),
    "no location": Variant("6.25: required", req("GetDiagnostics", location=...), numbers=ALL, fails=UPLOADS),
    "a location where nothing is": Variant(
        "5.19: wherever it likes; what lies there is nobody's fault",
        req("UpdateFirmware", location="http://user:secret@127.0.0.1:1/x"),
        numbers=UPDATES,
        inconclusive="044_1 044_3",
        reason="the download failed at http://***@127.0.0.1:1/x",
    ),
    "a location that takes nothing": Variant(
        "5.9",
        req("GetDiagnostics", location="ftp://127.0.0.1:1/x"),
        numbers=UPLOADS,
        inconclusive="045_1",
        reason="the upload failed",
    ),
    "a location of no protocol that we speak": Variant(
        "chapter 8 knows FTP, FTPS, HTTP and HTTPS",
        req("GetDiagnostics", location="sftp://x/y"),
        numbers=UPLOADS,
        inconclusive="045_1",
    ),
    "FirmwareStatusNotification.req is refused": Variant(
        "4.5",
        lambda: lambda frame: [frame.refused("NotSupported")] if frame.answers(FIRMWARE) else None,
        numbers=ALL,
        fails=UPDATES,
        reason="4.5",
    ),
    "DiagnosticsStatusNotification.req is refused": Variant(
        "4.4",
        lambda: lambda frame: [frame.refused("NotSupported")] if frame.answers(DIAGNOSTICS) else None,
        numbers=ALL,
        fails=UPLOADS,
        reason="4.4",
    ),
    "it sends GetDiagnostics for UpdateFirmware": Variant(
        "the operator said done and nothing came",
        lambda: (
            lambda frame: (
                [call("GetDiagnostics", {"location": "ftp://127.0.0.1:1/"})]
                if frame.requests("UpdateFirmware")
                else None
            )
        ),
        numbers=UPDATES,
        inconclusive=UPDATES,
        reason="sent nothing",
    ),
}


@pytest.mark.parametrize("name", CENTRAL_SYSTEMS)
def test_central_system(calendar: Calendar, name: str) -> None:
    CENTRAL_SYSTEMS[name].check(calendar, "Central System")


def test_the_part_can_be_told_to_fail() -> None:
    """The names that the sentences use are those of the simulator."""
    part = FirmwareManagement(ChargePoint())
    assert {name for name in vars(part) if name.endswith("_fails")} == {
        "download_fails",
        "installation_fails",
        "upload_fails",
    }
