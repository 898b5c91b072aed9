"""Firmware management: how far a Charge Point is with its firmware and its diagnostics (4.4, 4.5)."""

from ocppj.frames import Payload
from reference_csms.core import Handler
from reference_csms.store import View


def diagnostics_status_notification(store: View, request: Payload) -> Payload:
    """4.4."""
    store.charge_point.diagnostics_status = request["status"]
    return {}


def firmware_status_notification(store: View, request: Payload) -> Payload:
    """4.5."""
    store.charge_point.firmware_status = request["status"]
    return {}


HANDLERS: dict[str, Handler] = {
    "DiagnosticsStatusNotification": diagnostics_status_notification,
    "FirmwareStatusNotification": firmware_status_notification,
}
