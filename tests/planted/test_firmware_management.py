"""A small fault around files turns exactly those cases red that speak of it: see test_planted_faults."""

from collections.abc import Callable
from typing import Any

import pytest

from ocppj.frames import Payload
from simulator import file_transfer, firmware_management
from simulator.charge_point import ChargePoint
from simulator.firmware_management import FirmwareManagement
from tests.planted.test_planted_faults import (
    Plant,
    cases,
    central_system_asks,
    central_system_refuses,
    due,
    not_passed,
    with_fields,
)

UPDATES, UPLOADS = "044_1 044_2 044_3", "045_1 045_2"
IDS = frozenset(cases(f"{UPDATES} {UPLOADS}", "CS") | cases(f"{UPDATES} {UPLOADS}", "CSMS"))


def tells_instead(**others: str | None) -> Plant:
    """The Charge Point tells one status for another, or, for None, does not tell it."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        tell = FirmwareManagement._tell

        async def otherwise(self: FirmwareManagement, action: str, payload: Payload) -> None:
            told = others.get(payload["status"], payload["status"])
            if told is not None:
                await tell(self, action, payload | {"status": told})

        patch.setattr(FirmwareManagement, "_tell", otherwise)

    return plant


def with_transfers(name: str, transfer: Callable[..., Any]) -> Plant:
    return lambda patch: patch.setattr(firmware_management, name, transfer)


async def downloads_nothing(*_: object, **__: object) -> bytes:
    return firmware_management.firmware_image("1.1.0")


async def uploads_nothing(*_: object, **__: object) -> None:
    return


def uploads_changed(edit: Callable[[bytes], bytes]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        async def changed(location: str, name: str, content: bytes, **more: Any) -> None:
            await file_transfer.upload(location, name, edit(content), **more)

        patch.setattr(firmware_management, "upload", changed)

    return plant


def installs_anything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(firmware_management, "version_of", lambda image: "9")


def does_not_restart(patch: pytest.MonkeyPatch) -> None:
    async def stays(self: ChargePoint) -> None:
        self.firmware_management.holds_connectors = False
        self.settle_availability()
        self.firmware_management.power_up()

    patch.setattr(ChargePoint, "restart", stays)


def stays_unavailable(patch: pytest.MonkeyPatch) -> None:
    power_down = FirmwareManagement.power_down

    def forgetful(self: FirmwareManagement) -> None:
        holds = self.holds_connectors
        power_down(self)
        self.holds_connectors = holds

    patch.setattr(FirmwareManagement, "power_down", forgetful)


def keeps_connectors(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ChargePoint, "settle_availability", lambda self: None)


def uploads_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FirmwareManagement, "_upload", lambda *_: uploads_nothing())


# A fault, the cases that fail, those that end as our error, and those that end inconclusive: after a reboot of ours the
# connection was closed, and nobody knows that the Central System had no part in it.
FAULTS: dict[str, tuple[Plant, set[str], set[str], set[str]]] = {
    "Downloading is not told": (
        tells_instead(Downloading=None),
        cases("044_1 044_3", "CS"),  # TC_044_2_CS: optional
        cases(UPDATES, "CSMS"),
        set(),
    ),
    "Downloaded is not told": (
        tells_instead(Downloaded=None),
        cases("044_1 044_3", "CS"),
        cases("044_1 044_3", "CSMS"),
        set(),
    ),
    "Installing is not told": (tells_instead(Installing=None), {"TC_044_1_CS"}, set(), cases("044_1 044_3", "CSMS")),
    "Installed is not told": (tells_instead(Installed=None), {"TC_044_1_CS"}, set(), {"TC_044_1_CSMS"}),
    "a failed download is Downloaded": (
        tells_instead(DownloadFailed="Downloaded"),
        {"TC_044_2_CS"},
        {"TC_044_2_CSMS"},
        set(),
    ),
    "a failed installation is Installed": (
        tells_instead(InstallationFailed="Installed"),
        {"TC_044_3_CS"},
        set(),
        {"TC_044_3_CSMS"},
    ),
    "a failed installation is a failed download": (
        tells_instead(InstallationFailed="DownloadFailed"),
        {"TC_044_3_CS"},
        set(),
        {"TC_044_3_CSMS"},
    ),
    "what is no image is installed": (installs_anything, {"TC_044_3_CS"}, set(), set()),
    "Downloaded without a download": (
        with_transfers("download", downloads_nothing),
        cases(UPDATES, "CS"),
        {"TC_044_2_CSMS"},
        set(),
    ),
    "connectors do not become Unavailable": (
        keeps_connectors,
        set(),
        set(),
        cases("044_1 044_3", "CSMS"),
    ),
    "no reboot": (does_not_restart, set(), cases("044_1 044_3", "CSMS"), set()),
    "Unavailable after the reboot": (stays_unavailable, {"TC_044_1_CS"}, set(), cases("044_1 044_3", "CSMS")),
    "Uploading is not told": (tells_instead(Uploading=None), cases(UPLOADS, "CS"), cases(UPLOADS, "CSMS"), set()),
    "Uploaded is not told": (tells_instead(Uploaded=None), {"TC_045_1_CS"}, {"TC_045_1_CSMS"}, set()),
    "a failed upload is Uploaded": (tells_instead(UploadFailed="Uploaded"), {"TC_045_2_CS"}, {"TC_045_2_CSMS"}, set()),
    "Uploaded without an upload": (
        with_transfers("upload", uploads_nothing),
        cases(UPLOADS, "CS"),
        {"TC_045_2_CSMS"},
        set(),
    ),
    "an empty file is uploaded": (uploads_changed(lambda _: b""), {"TC_045_1_CS"}, set(), set()),
    "a byte is lost on the way": (uploads_changed(lambda content: content[1:]), {"TC_045_1_CS"}, set(), set()),
    "FirmwareStatusNotification.req is refused": (
        central_system_refuses("FirmwareStatusNotification"),
        cases(UPDATES, "CSMS"),
        cases(UPDATES, "CS"),
        set(),
    ),
    "DiagnosticsStatusNotification.req is refused": (
        central_system_refuses("DiagnosticsStatusNotification"),
        cases(UPLOADS, "CSMS"),
        cases(UPLOADS, "CS"),
        set(),
    ),
    "another location": (
        central_system_asks("UpdateFirmware", with_fields(location="ftp://127.0.0.1:1/x")),
        set(),
        cases(UPDATES, "CS"),
        cases("044_1 044_3", "CSMS"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found(name: str) -> None:
    plant, failed, errors, inconclusive = FAULTS[name]
    assert not_passed(plant, IDS) == due(failed, errors) | dict.fromkeys(inconclusive, "inconclusive")
