"""Faults about firmware and diagnostics (OCPP 1.6 4.4, 4.5, 5.9, 5.19)."""

from typing import Any

import pytest

from bench.mutants import Mutant, Plant
from bench.mutants.planting import (
    asks,
    asks_not,
    downloads_nothing,
    mutants_of,
    notifies,
    refuses,
    stays_unavailable,
    uploads,
)
from ocppj.frames import Payload
from reference_csms import central_system
from simulator import file_transfer, firmware_management
from simulator.charge_point import ChargePoint
from simulator.connector import Connector
from simulator.firmware_management import FirmwareManagement
from simulator.memory import FirmwareUpdate

CSMS = central_system.HANDLERS
FIRMWARE, DIAGNOSTICS = "FirmwareStatusNotification", "DiagnosticsStatusNotification"

# The Charge Point


def tells_before(ended: str, status: str) -> Plant:
    """It tells one more status before one with which something has ended."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        tell = FirmwareManagement._tell

        async def tell_more(self: FirmwareManagement, action: str, payload: Payload) -> None:
            if payload["status"] == ended:
                await tell(self, action, payload | {"status": status})
            await tell(self, action, payload)

        patch.setattr(FirmwareManagement, "_tell", tell_more)

    return plant


def uploads_to_another_place(patch: pytest.MonkeyPatch) -> None:
    async def upload(location: str, name: str, content: bytes, **more: Any) -> None:
        await file_transfer.upload(location.rpartition("/")[0], name, content, **more)

    patch.setattr(firmware_management, "upload", upload)


def installs_anything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(firmware_management, "version_of", lambda image: "9")


def reboots_when_it_has_failed(patch: pytest.MonkeyPatch) -> None:
    """What is no image makes it reboot, and it stays Unavailable after that."""
    end = FirmwareManagement._end_update

    async def end_and_reboot(self: FirmwareManagement, update: FirmwareUpdate, status: str) -> bool:
        ended = await end(self, update, status)
        if status == "InstallationFailed":
            await self._charge_point.restart()
        return ended

    report = ChargePoint.report

    def report_unavailable(self: ChargePoint, connector: Connector) -> Payload:
        failed = any("InstallationFailed" in entry["text"] for entry in self.memory.log)
        return report(self, connector) | ({"status": "Unavailable"} if failed else {})

    patch.setattr(FirmwareManagement, "_end_update", end_and_reboot)
    patch.setattr(ChargePoint, "report", report_unavailable)


def is_silent_after_an_installation(patch: pytest.MonkeyPatch) -> None:
    """After the reboot with new firmware the connectors are not reported Available."""
    report = ChargePoint._send_notice

    async def report_less(self: ChargePoint, peer: Any, notice: Any) -> None:
        if self.memory.firmware_version and notice.number:
            self._notices.remove(notice)
        else:
            await report(self, peer, notice)

    patch.setattr(ChargePoint, "_send_notice", report_less)


UPDATES = (
    mutants_of(
        "Charge Point",
        "OCPP 1.6 4.5",
        {
            "Downloading is told as Installing": (
                notifies(FIRMWARE, "Downloading", "Installing"),
                "TC_044_1_CS TC_044_2_CS TC_044_3_CS",
            ),
            "Downloading is not told": (notifies(FIRMWARE, "Downloading", None), "TC_044_1_CS TC_044_3_CS"),
            "Downloaded is not told": (notifies(FIRMWARE, "Downloaded", None), "TC_044_1_CS TC_044_3_CS"),
            "firmware that is downloaded is told as Idle": (
                notifies(FIRMWARE, "Downloaded", "Idle"),
                "TC_044_1_CS TC_044_3_CS",
            ),
            "Installing is told as Downloading": (notifies(FIRMWARE, "Installing", "Downloading"), "TC_044_1_CS"),
            "Installing is not told": (notifies(FIRMWARE, "Installing", None), "TC_044_1_CS"),
            "Installed is told as InstallationFailed": (
                notifies(FIRMWARE, "Installed", "InstallationFailed"),
                "TC_044_1_CS",
            ),
            "Installed is not told": (notifies(FIRMWARE, "Installed", None), "TC_044_1_CS"),
            "a failed download is Downloaded": (notifies(FIRMWARE, "DownloadFailed", "Downloaded"), "TC_044_2_CS"),
            "a failed download is not told": (notifies(FIRMWARE, "DownloadFailed", None), "TC_044_2_CS"),
            "a failed installation is Installed": (
                notifies(FIRMWARE, "InstallationFailed", "Installed"),
                "TC_044_3_CS",
            ),
            "a failed installation is a failed download": (
                notifies(FIRMWARE, "InstallationFailed", "DownloadFailed"),
                "TC_044_3_CS",
            ),
            "what is no image is told as Downloading once more": (
                tells_before("InstallationFailed", "Downloading"),
                "TC_044_3_CS",
            ),
        },
    )
    + mutants_of(
        "Charge Point",
        "OCPP 1.6 5.19",
        {
            "what is no image is installed": (installs_anything, "TC_044_3_CS"),
            "firmware is Downloaded without a download": (
                downloads_nothing,
                "TC_044_1_CS TC_044_2_CS TC_044_3_CS",
            ),
        },
    )
    + mutants_of(
        "Charge Point",
        "OCPP 1.6 4.9",
        {
            "the connectors stay Unavailable after an installation": (stays_unavailable, "TC_044_1_CS"),
            "nothing is told of the connectors after an installation": (is_silent_after_an_installation, "TC_044_1_CS"),
            "the connectors are Unavailable for ever after a failed installation": (
                reboots_when_it_has_failed,
                "TC_044_3_CS",
            ),
        },
    )
)

UPLOADS = (
    mutants_of(
        "Charge Point",
        "OCPP 1.6 4.4",
        {
            "Uploading is told as Idle": (notifies(DIAGNOSTICS, "Uploading", "Idle"), "TC_045_1_CS TC_045_2_CS"),
            "Uploading is not told": (notifies(DIAGNOSTICS, "Uploading", None), "TC_045_1_CS TC_045_2_CS"),
            "Uploaded is told as UploadFailed": (notifies(DIAGNOSTICS, "Uploaded", "UploadFailed"), "TC_045_1_CS"),
            "Uploaded is not told": (notifies(DIAGNOSTICS, "Uploaded", None), "TC_045_1_CS"),
            "a failed upload is Uploaded": (notifies(DIAGNOSTICS, "UploadFailed", "Uploaded"), "TC_045_2_CS"),
        },
    )
    + mutants_of(
        "Charge Point",
        "OCPP 1.6 5.9",
        {
            "diagnostics are Uploaded without an upload": (
                uploads(lambda _: None),
                "TC_045_1_CS TC_045_2_CS",
            ),
            "an empty file is uploaded": (uploads(lambda _: b""), "TC_045_1_CS"),
            "the first byte of the diagnostics is lost": (uploads(lambda content: content[1:]), "TC_045_1_CS"),
        },
    )
    + mutants_of(
        "Charge Point",
        "OCPP 1.6 5.9, OCPP 1.6 8.2",
        {
            "the diagnostics go to another folder": (uploads_to_another_place, "TC_045_1_CS"),
        },
    )
)

# The Central System

OF_CENTRAL_SYSTEM = [
    *mutants_of(
        "Central System",
        "OCPP 1.6 4.5",
        {
            "FirmwareStatusNotification.req is refused": (
                refuses(CSMS, FIRMWARE),
                "TC_044_1_CSMS TC_044_2_CSMS TC_044_3_CSMS",
            ),
            "the end of an update is refused": (
                refuses(CSMS, FIRMWARE, status="InstallationFailed"),
                "TC_044_3_CSMS",
            ),
        },
    ),
    *mutants_of(
        "Central System",
        "OCPP 1.6 4.4",
        {
            "DiagnosticsStatusNotification.req is refused": (
                refuses(CSMS, DIAGNOSTICS),
                "TC_045_1_CSMS TC_045_2_CSMS",
            ),
            "a failed upload is refused": (
                refuses(CSMS, DIAGNOSTICS, status="UploadFailed"),
                "TC_045_2_CSMS",
            ),
        },
    ),
    *mutants_of(
        "Central System",
        "OCPP 1.6 5.19",
        {
            "no update of the firmware is asked for": (
                asks_not("UpdateFirmware"),
                "TC_044_1_CSMS TC_044_2_CSMS TC_044_3_CSMS",
            ),
        },
    ),
    *mutants_of(
        "Central System",
        "OCPP 1.6 5.9",
        {"no diagnostics are asked for": (asks_not("GetDiagnostics"), "TC_045_1_CSMS TC_045_2_CSMS")},
    ),
    Mutant(
        "the firmware is asked for with a question mark behind its name",
        "Central System",
        "OCPP 1.6 6.55",
        asks("UpdateFirmware", lambda request: request | {"location": f"{request['location']}?"}),
        "TC_044_1_CSMS",
        is_remarked=True,
    ),
]

MUTANTS = [*UPDATES, *UPLOADS, *OF_CENTRAL_SYSTEM]
