"""Firmware and diagnostics: 4.4, 4.5, 5.9 and 5.19, with files that really cross."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.device import FILE_SERVERS
from bench.files import FileServer, Images
from ocppj.clock import VIRTUAL_START, timestamp
from ocppj.peer import Refusal
from ocppj.transcript import Transcript
from simulator.charge_point import ChargePoint
from simulator.firmware_management import diagnostics_status, firmware_image, firmware_status, version_of
from simulator.memory import Memory
from tests.simulator.scene import Scene, conf, scene

NOW = timestamp(VIRTUAL_START)
UPDATE = [
    "UpdateFirmware.conf",
    "FirmwareStatusNotification Downloading",
    "FirmwareStatusNotification Downloaded",
    "StatusNotification 0 Unavailable",
    "StatusNotification 1 Unavailable",
    "FirmwareStatusNotification Installing",
    "BootNotification",
    "StatusNotification 0 Available",
    "StatusNotification 1 Available",
    "FirmwareStatusNotification Installed",
]


class Files:
    """A file server and what has crossed, seen from there."""

    def __init__(self, **settings: str) -> None:
        self.transcript = Transcript()
        self.server = FileServer(Images(), {**FILE_SERVERS, **settings}, self.transcript)

    def __getitem__(self, name: str) -> str:
        return self.server.locations()[name]

    @property
    def crossed(self) -> list[tuple[str, str]]:
        """Each transfer and when it was, in seconds."""
        return [(record["operation"], record["timestamp"][11:19]) for record in self.transcript.records]


@asynccontextmanager
async def with_files(*, protocol: str = "FTP", **options: Any) -> AsyncIterator[tuple[Scene, Files]]:
    files = Files(FileTransferProtocol=protocol)
    await files.server.start()
    try:
        async with scene(**options) as stage:
            yield stage, files
    finally:
        await files.server.stop()


def told(stage: Scene, action: str = "FirmwareStatusNotification") -> list[tuple[float, str]]:
    return [(seen.at, seen.payload["status"]) for seen in stage.calls(action)]


def part_status(stage: Scene) -> str:
    return firmware_status(stage.charge_point)


# Firmware


@pytest.mark.parametrize("protocol", ["FTP", "HTTP"])
async def test_an_update(protocol: str) -> None:
    async with with_files(protocol=protocol) as (stage, files):
        assert await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW) == {}
        await stage.pass_time(60)
        assert stage.calls("BootNotification")[0].payload["firmwareVersion"] == "1.1.0"
        assert stage.story() == UPDATE
        (record,) = files.transcript.records
        assert record["bytes"] == len(firmware_image("1.1.0"))
        assert part_status(stage) == "Idle"


async def test_the_image_is_not_retrieved_before_its_date() -> None:
    async with with_files() as (stage, files):
        later = timestamp(VIRTUAL_START.replace(hour=20))
        await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=later)
        wait = (VIRTUAL_START.replace(hour=20) - VIRTUAL_START).total_seconds()
        await stage.pass_time(wait - 1)
        assert told(stage) == []
        assert part_status(stage) == "Idle"
        await stage.pass_time(60)
        at, status = told(stage)[0]
        assert status == "Downloading"
        assert at == pytest.approx(wait, abs=0.1)


async def test_what_is_told_while_it_lasts() -> None:
    async with with_files(connectors=2) as (stage, files):
        await stage.charge(1)
        await stage.ask(
            "UpdateFirmware", location=files["MissingFirmwareUrl"], retrieveDate=NOW, retries=1, retryInterval=100
        )
        await stage.pass_time(50)
        assert part_status(stage) == "Downloading"
        await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(50)
        assert part_status(stage) == "Downloaded"  # it waits for the end of the session
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time(1)
        assert part_status(stage) == "Downloaded"  # the cable is still in
        await stage.charge_point.unplug(1)
        await stage.pass_time(1)
        assert part_status(stage) == "Installing"


@pytest.mark.parametrize(("retries", "at"), [(0, [0]), (2, [0, 60, 120])])
async def test_a_download_is_tried_again_as_often_as_wanted(retries: int, at: list[int]) -> None:
    async with with_files() as (stage, files):
        await stage.ask(
            "UpdateFirmware",
            location=files["MissingFirmwareUrl"],
            retrieveDate=NOW,
            retries=retries,
            retryInterval=60,
        )
        await stage.pass_time(1000)
        assert [status for _, status in told(stage)] == ["Downloading", "DownloadFailed"]
        assert told(stage)[1][0] == pytest.approx(at[-1], abs=0.1)
        assert len(files.crossed) == len(at)
        assert part_status(stage) == "Idle"


@pytest.mark.parametrize(
    "location",
    [
        "x:y",
        "sftp://h/x",
        "ftp://127.0.0.1:1/x",
        "http://127.0.0.1:1",
        "http:///x",
        "ftp://h:99999/x",
        "http://h:99999/",
    ],
)
async def test_what_cannot_be_downloaded(location: str) -> None:
    async with scene() as stage:
        assert await stage.ask("UpdateFirmware", location=location, retrieveDate=NOW, retries=0) == {}
        await stage.pass_time(100)
        assert [status for _, status in told(stage)] == ["Downloading", "DownloadFailed"]


async def test_a_line_that_breaks() -> None:
    for protocol in ("FTP", "HTTP"):
        async with with_files(protocol=protocol) as (stage, files):
            stage.charge_point.firmware_management.download_fails = True
            await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW, retries=0)
            await stage.pass_time(100)
            assert [status for _, status in told(stage)] == ["Downloading", "DownloadFailed"]


async def test_what_is_no_image_is_not_installed() -> None:
    async with with_files() as (stage, files):
        await stage.ask("UpdateFirmware", location=files["BadFirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(100)
        assert stage.story() == [
            "UpdateFirmware.conf",
            "FirmwareStatusNotification Downloading",
            "FirmwareStatusNotification Downloaded",
            "FirmwareStatusNotification InstallationFailed",
        ]


async def test_an_image_of_somebody_else_is_installed_by_who_takes_any() -> None:
    async with with_files() as (stage, files):
        stage.charge_point.firmware_management.takes_any_image = True
        await stage.ask("UpdateFirmware", location=files["BadFirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(100)
        assert stage.story() == UPDATE


async def test_an_installation_that_fails_leaves_the_former_firmware() -> None:
    async with with_files() as (stage, files):
        stage.charge_point.firmware_management.installation_fails = True
        await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(100)
        assert stage.calls("BootNotification")[0].payload["firmwareVersion"] == "1.0.0"
        assert stage.story() == [*UPDATE[:-1], "FirmwareStatusNotification InstallationFailed"]


async def test_it_waits_for_the_charging_session_and_takes_no_other() -> None:
    async with with_files(connectors=2) as (stage, files):
        await stage.charge(1)
        await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(1000)
        assert stage.story() == [*UPDATE[:3], "StatusNotification 2 Unavailable"]
        await stage.charge_point.plug_in(2)
        await stage.charge_point.present("CAFE", 2)
        conf = await stage.ask("RemoteStartTransaction", connectorId=2, idTag="CAFE")
        assert conf == {"status": "Rejected"}
        await stage.charge_point.unplug(2)
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time(1)
        await stage.charge_point.unplug(1)
        await stage.pass_time(100)
        assert stage.story() == [
            "RemoteStartTransaction.conf Rejected",
            "StopTransaction Local",
            "StatusNotification 1 Finishing",
            "StatusNotification 0 Unavailable",
            "StatusNotification 1 Unavailable",
            "FirmwareStatusNotification Installing",
            "BootNotification",
            "StatusNotification 0 Available",
            "StatusNotification 1 Available",
            "StatusNotification 2 Available",
            "FirmwareStatusNotification Installed",
        ]


async def test_availability_is_what_the_central_system_wants_afterwards() -> None:
    async with with_files() as (stage, files):
        await stage.ask("ChangeAvailability", connectorId=1, type="Inoperative")
        await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(100)
        assert stage.charge_point.connectors[1].status == "Unavailable"
        assert stage.charge_point.whole.status == "Available"


@pytest.mark.parametrize(
    ("at", "ending"), [(0.5, "Installed"), (3, "InstallationFailed"), (7, "Installed"), (100, "Installed")]
)
async def test_a_power_cut_loses_no_update(at: float, ending: str) -> None:
    """Before the second try, during the installation, in the reboot, and long after it."""
    async with with_files() as (stage, files):
        part = stage.charge_point.firmware_management
        part.download_fails = True
        await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW, retries=1, retryInterval=1)
        part.download_fails = False
        await stage.pass_time(at)
        await stage.charge_point.lose_power()
        memory = stage.charge_point.memory
        assert Memory.from_dict(json.loads(json.dumps(memory.as_dict()))) == memory
        await stage.pass_time(1000)
        await stage.charge_point.regain_power()
        await stage.pass_time(100)
        assert told(stage)[-1][1] == ending
        assert part_status(stage) == "Idle"
        assert stage.charge_point.connectors[1].status == "Available"


async def test_a_later_request_takes_the_place_of_one_that_waits() -> None:
    async with with_files() as (stage, files):
        await stage.ask("UpdateFirmware", location="ftp://127.0.0.1:1/", retrieveDate="2099-01-01T00:00:00Z")
        await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(100)
        assert stage.story() == ["UpdateFirmware.conf", *UPDATE]
        assert stage.charge_point.memory.firmware_updates == []


async def test_a_request_during_an_installation_comes_after_it() -> None:
    async with with_files() as (stage, files):
        await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(1)
        assert part_status(stage) == "Installing"
        await stage.ask("UpdateFirmware", location=files["BadFirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(100)
        assert [status for _, status in told(stage)][-4:] == [
            "Installed",
            "Downloading",
            "Downloaded",
            "InstallationFailed",
        ]


async def test_the_central_system_is_told_when_it_is_there_again() -> None:
    async with with_files() as (stage, files):
        await stage.ask(
            "UpdateFirmware", location=files["MissingFirmwareUrl"], retrieveDate=NOW, retries=1, retryInterval=60
        )
        await stage.charge_point.lose_connection()
        await stage.pass_time(300)
        stage.seen.clear()
        await stage.charge_point.restore_connection()
        await stage.pass_time(10)
        assert [status for _, status in told(stage)] == ["DownloadFailed"]


async def test_a_notification_that_is_refused_stops_nothing() -> None:
    async with with_files() as (stage, files):
        stage.central_system.script.answer_next("FirmwareStatusNotification", Refusal("NotSupported"))
        await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(100)
        assert stage.story() == UPDATE


def test_an_image_is_known_by_its_checksum() -> None:
    image = firmware_image("7.8")
    assert version_of(image) == "7.8"
    assert version_of(image[:-1]) is None
    assert version_of(image.replace(b"7.8", b"7.9")) == "7.9"  # the version is not what the checksum is about
    assert version_of(b"") is None


# Diagnostics


@pytest.mark.parametrize("protocol", ["FTP", "HTTP"])
async def test_an_upload(protocol: str) -> None:
    async with with_files(protocol=protocol) as (stage, files):
        answer = await stage.ask("GetDiagnostics", location=files["DiagnosticsUrl"])
        await stage.pass_time(10)
        assert stage.story() == [
            "GetDiagnostics.conf",
            "DiagnosticsStatusNotification Uploading",
            "DiagnosticsStatusNotification Uploaded",
        ]
        (record,) = files.transcript.records
        assert record["fileName"] == answer["fileName"]
        uploaded = stage.charge_point.firmware_management.uploaded
        assert record["sha256"] == hashlib.sha256(uploaded).hexdigest()
        assert uploaded.decode().splitlines() == [
            f"{NOW} start after PowerLoss",
            f"{NOW} registration Accepted",
            f"{timestamp(VIRTUAL_START)[:-4]}390Z GetDiagnostics.req came",
        ]


async def test_only_the_time_that_is_asked_for() -> None:
    async with with_files() as (stage, files):
        await stage.pass_time(100)
        start = stage.charge_point.timestamp()
        await stage.charge_point.plug_in(1)
        stop = stage.charge_point.timestamp()
        await stage.pass_time(10)
        await stage.ask("GetDiagnostics", location=files["DiagnosticsUrl"], startTime=start, stopTime=stop)
        await stage.pass_time(10)
        assert stage.charge_point.firmware_management.uploaded.decode() == f"{start} connector 1 is Preparing\n"


async def test_without_diagnostics_no_file_is_named_and_none_uploaded() -> None:
    async with with_files() as (stage, files):
        answer = await stage.ask("GetDiagnostics", location=files["DiagnosticsUrl"], stopTime="2001-01-01T00:00:00Z")
        assert answer == {}
        await stage.pass_time(100)
        assert stage.story() == ["GetDiagnostics.conf"]
        assert files.crossed == []


@pytest.mark.parametrize("protocol", ["FTP", "HTTP"])
@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (3, 4)])
async def test_an_upload_is_tried_again_as_often_as_wanted(protocol: str, retries: int, tries: int) -> None:
    async with with_files(protocol=protocol) as (stage, files):
        await stage.ask("GetDiagnostics", location=files["RefusedDiagnosticsUrl"], retries=retries, retryInterval=60)
        await stage.pass_time(1)
        assert diagnostics_status(stage.charge_point) == ("Uploading" if retries else "Idle")
        await stage.pass_time(1000)
        statuses = told(stage, "DiagnosticsStatusNotification")
        assert [status for _, status in statuses] == ["Uploading", "UploadFailed"]
        assert statuses[1][0] == pytest.approx(60 * retries, abs=0.1)
        assert len(files.crossed) == tries
        assert diagnostics_status(stage.charge_point) == "Idle"


async def test_one_file_after_the_other() -> None:
    async with with_files() as (stage, files):
        await stage.ask("GetDiagnostics", location=files["RefusedDiagnosticsUrl"], retries=1, retryInterval=60)
        await stage.ask("GetDiagnostics", location=files["DiagnosticsUrl"])
        await stage.pass_time(100)
        assert [status for _, status in told(stage, "DiagnosticsStatusNotification")] == [
            "Uploading",
            "UploadFailed",
            "Uploading",
            "Uploaded",
        ]


async def test_a_power_cut_loses_no_upload() -> None:
    async with with_files() as (stage, files):
        await stage.ask("GetDiagnostics", location=files["RefusedDiagnosticsUrl"], retries=1, retryInterval=60)
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(100)
        assert [status for _, status in told(stage, "DiagnosticsStatusNotification")][-1] == "UploadFailed"


async def test_without_the_profile_it_does_neither() -> None:
    async with scene(profiles=("Core",)) as stage:
        with pytest.raises(Exception, match="NotSupported"):
            await stage.ask("UpdateFirmware", location="ftp://h/x", retrieveDate=NOW)
        assert stage.charge_point.configuration.find("SupportedFileTransferProtocols") is None


async def test_the_log_forgets_the_oldest() -> None:
    it = ChargePoint()
    for number in range(1100):
        it.note(str(number))
    assert [entry["text"] for entry in it.memory.log] == [str(number) for number in range(100, 1100)]


async def test_no_notification_overtakes_the_boot() -> None:
    async with with_files() as (stage, files):
        stage.central_system.script.answer_next(
            "BootNotification", conf(status="Rejected", currentTime=NOW, interval=30)
        )
        await stage.ask("UpdateFirmware", location=files["FirmwareUrl"], retrieveDate=NOW)
        await stage.pass_time(100)
        story = stage.story()
        assert story.count("BootNotification") == 2
        assert story[-1] == "FirmwareStatusNotification Installed"
        await asyncio.sleep(0)
