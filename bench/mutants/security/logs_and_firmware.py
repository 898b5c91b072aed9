"""Faults about the security log and signed firmware (white paper L01, N01)."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from bench.mutants import Mutant
from bench.mutants.planting import (
    Change,
    answers,
    asks,
    asks_not,
    asks_wrongly,
    downloads_nothing,
    instead,
    notifies,
    notifies_with,
    refuses,
    refuses_reports_of,
    stays_unavailable,
    uploads,
    with_fields,
)
from bench.mutants.security.certificates import base64_alone
from ocppj.frames import Payload
from ocppj.peer import Peer
from reference_csms import central_system
from simulator import firmware_management
from simulator.charge_point import ChargePoint
from simulator.firmware_management import FirmwareManagement
from simulator.security import HANDLERS

CSMS = central_system.HANDLERS
LOG, FIRMWARE = "LogStatusNotification", "SignedFirmwareStatusNotification"


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


def does_not_restart(patch: pytest.MonkeyPatch) -> None:
    """The new firmware begins to work without."""

    async def stays(self: ChargePoint) -> None:
        self.firmware_management.holds_connectors = False
        self.settle_availability()
        self.firmware_management.power_up()

    patch.setattr(ChargePoint, "restart", stays)


def says_nothing_after_an_update(patch: pytest.MonkeyPatch) -> None:
    """Of its connectors."""
    send = ChargePoint._send_notice

    async def send_later(self: ChargePoint, peer: Peer, notice: Any) -> None:
        if self.firmware_management.is_installing and notice.payload["status"] == "Available":
            self._notices.remove(notice)
        else:
            await send(self, peer, notice)

    patch.setattr(ChargePoint, "_send_notice", send_later)


def tells_of_the_update_before_it(patch: pytest.MonkeyPatch) -> None:
    verify = FirmwareManagement._verify

    async def verify_and_tell(self: FirmwareManagement, update: Any) -> bool:
        self._charge_point.security.happened("FirmwareUpdated")
        return await verify(self, update)

    patch.setattr(FirmwareManagement, "_verify", verify_and_tell)


def of_firmware(change: Change) -> Change:
    return lambda payload: payload | {"firmware": change(payload["firmware"])}


def signed(change: Callable[[bytes], bytes]) -> Change:
    """Another signature."""

    def signature_changed(firmware: Payload) -> Payload:
        signature = change(base64.b64decode(firmware["signature"]))
        return firmware | {"signature": base64.b64encode(signature).decode()}

    return of_firmware(signature_changed)


def flips_a_bit(signature: bytes) -> bytes:
    """What is right becomes wrong, and what was made wrong in this way right."""
    return bytes([*signature[:-1], signature[-1] ^ 1])


def certified_in_base64(firmware: Payload) -> Payload:
    return firmware | {"signingCertificate": base64_alone(firmware["signingCertificate"])}


def told(action: str, status: str, instead: str | None, clause: str, kills: str) -> Mutant:
    name = f"{action}.req tells {instead} for {status}" if instead else f"{action}.req does not tell {status}"
    return Mutant(name, "Charge Point", clause, notifies(action, status, instead), kills)


OF_CHARGE_POINT = [
    Mutant(
        "the log is uploaded, and GetLog is Rejected",
        "Charge Point",
        "white paper N01.FR.01",
        answers(HANDLERS, "GetLog", instead("Rejected")),
        "TC_079_CS",
    ),
    Mutant(
        "GetLog.conf names no file",
        "Charge Point",
        "white paper N01.FR.01",
        answers(HANDLERS, "GetLog", with_fields(filename=...)),
        "TC_079_CS",
    ),
    told(LOG, "Uploading", None, "white paper N01.FR.08", "TC_079_CS"),
    told(LOG, "Uploading", "Idle", "white paper N01.FR.08", "TC_079_CS"),
    told(LOG, "Uploaded", None, "white paper N01.FR.09", "TC_079_CS"),
    Mutant(
        "a log is Uploaded without an upload",
        "Charge Point",
        "white paper N01.FR.02, white paper N01",
        uploads(lambda _: None),
        "TC_079_CS",
    ),
    Mutant("an empty log is uploaded", "Charge Point", "white paper N01.FR.03", uploads(lambda _: b""), "TC_079_CS"),
    Mutant(
        "the requestId of a log is another",
        "Charge Point",
        "white paper N01.FR.07",
        notifies_with(LOG, next_request_id),
        "TC_079_CS",
    ),
    Mutant(
        "the requestId of a log is missing",
        "Charge Point",
        "white paper N01.FR.12",
        notifies_with(LOG, with_fields(requestId=...)),
        "TC_079_CS",
    ),
    Mutant(
        "firmware is updated, and its certificate is called invalid",
        "Charge Point",
        "white paper L01.FR.24",
        answers(HANDLERS, "SignedUpdateFirmware", instead("InvalidCertificate")),
        "TC_080_CS TC_081_CS",
    ),
    told(FIRMWARE, "Downloading", None, "white paper L01.FR.01", "TC_080_CS TC_081_CS"),
    told(FIRMWARE, "Downloading", "Idle", "white paper 6.8", "TC_080_CS TC_081_CS"),
    told(FIRMWARE, "Downloaded", "Idle", "white paper 6.8", "TC_080_CS TC_081_CS"),
    told(FIRMWARE, "SignatureVerified", "Idle", "white paper 6.8", "TC_080_CS"),
    told(FIRMWARE, "Installing", "Idle", "white paper 6.8", "TC_080_CS"),
    told(FIRMWARE, "Downloaded", None, "white paper L01.FR.01", "TC_080_CS TC_081_CS"),
    told(FIRMWARE, "SignatureVerified", None, "white paper L01.FR.01", "TC_080_CS"),
    told(FIRMWARE, "Installing", None, "white paper L01.FR.01", "TC_080_CS"),
    told(FIRMWARE, "Installed", None, "white paper L01.FR.01", "TC_080_CS"),
    told(FIRMWARE, "Installed", "Idle", "white paper L01.FR.01", "TC_080_CS"),
    told(FIRMWARE, "InvalidSignature", None, "white paper L01.FR.01", "TC_081_CS"),
    told(FIRMWARE, "InvalidSignature", "InstallationFailed", "white paper 6.8", "TC_081_CS"),
    Mutant(
        "signed firmware is Downloaded without a download",
        "Charge Point",
        "white paper L01.FR.04, white paper 6.9",
        downloads_nothing,
        "TC_080_CS TC_081_CS",
    ),
    Mutant(
        "no signature of firmware is verified",
        "Charge Point",
        "white paper L01.FR.12",
        without_signature_check,
        "TC_081_CS",
    ),
    Mutant(
        "firmware with an invalid signature is installed",
        "Charge Point",
        "white paper 6.8",
        installs_in_spite_of_it,
        "TC_081_CS",
    ),
    Mutant(
        "the requestId of an update is another",
        "Charge Point",
        "white paper L01.FR.10",
        notifies_with(FIRMWARE, next_request_id),
        "TC_080_CS TC_081_CS",
    ),
    Mutant(
        "the requestId of an update is missing",
        "Charge Point",
        "white paper L01.FR.21",
        notifies_with(FIRMWARE, with_fields(requestId=...)),
        "TC_080_CS TC_081_CS",
    ),
    Mutant(
        "connectors stay Unavailable after a signed update",
        "Charge Point",
        "white paper L01.FR.07",
        stays_unavailable,
        "TC_080_CS",
    ),
    Mutant(
        "Available is not reported after an update",
        "Charge Point",
        "OCPP 1.6 errata 3.26",
        says_nothing_after_an_update,
        "TC_080_CS",
    ),
    Mutant(
        "new firmware begins to work without a reboot",
        "Charge Point",
        "OCPP 1.6 errata 3.47",
        does_not_restart,
        "TC_080_CS",
        is_remarked=True,
    ),
    Mutant(
        "FirmwareUpdated is told before the installation",
        "Charge Point",
        "white paper 8",
        tells_of_the_update_before_it,
        "TC_080_CS",
    ),
]

OF_CENTRAL_SYSTEM = [
    Mutant(
        "the diagnostics are asked for",
        "Central System",
        "white paper 6.13",
        asks("GetLog", with_fields(logType="DiagnosticsLog")),
        "TC_079_CSMS",
    ),
    Mutant(
        "LogStatusNotification.req is refused",
        "Central System",
        "white paper 5.14",
        refuses(CSMS, LOG),
        "TC_079_CSMS",
    ),
    Mutant(
        "the last bit of a signature is wrong",
        "Central System",
        "white paper L01.FR.09",
        asks("SignedUpdateFirmware", signed(flips_a_bit)),
        "TC_080_CSMS TC_081_CSMS",
    ),
    Mutant(
        "a signature is not in base64",
        "Central System",
        "white paper 6.9",
        asks("SignedUpdateFirmware", of_firmware(with_fields(signature="====="))),
        "TC_080_CSMS",
    ),
    Mutant(
        "the signing certificate is no PEM",
        "Central System",
        "white paper 6.9",
        asks("SignedUpdateFirmware", of_firmware(certified_in_base64)),
        "TC_080_CSMS TC_081_CSMS",
    ),
    Mutant(
        "the signing certificate is missing",
        "Central System",
        "white paper L01.FR.11",
        asks_wrongly("SignedUpdateFirmware", of_firmware(with_fields(signingCertificate=...))),
        "TC_080_CSMS TC_081_CSMS",
    ),
    Mutant(
        "no signed firmware is sent out",
        "Central System",
        "white paper L01, white paper 6.9",
        asks_not("SignedUpdateFirmware"),
        "TC_080_CSMS TC_081_CSMS",
    ),
    Mutant(
        "the signature is missing",
        "Central System",
        "white paper L01.FR.09",
        asks_wrongly("SignedUpdateFirmware", of_firmware(with_fields(signature=...))),
        "TC_080_CSMS TC_081_CSMS",
    ),
    Mutant(
        "SignedFirmwareStatusNotification.req is refused",
        "Central System",
        "white paper 5.20",
        refuses(CSMS, FIRMWARE),
        "TC_080_CSMS TC_081_CSMS",
    ),
    Mutant(
        "reports of Unavailable during an update are refused",
        "Central System",
        "OCPP 1.6 4.9",
        refuses_reports_of("Unavailable"),
        "TC_080_CSMS",
    ),
]

MUTANTS = [*OF_CHARGE_POINT, *OF_CENTRAL_SYSTEM]
