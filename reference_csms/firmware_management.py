"""Firmware Management profile: the answers to 4.4 and 4.5."""

from ocppj.frames import Payload
from reference_csms.core import Handler
from reference_csms.store import View


def diagnostics_status_notification(store: View, request: Payload) -> Payload:
    """4.4."""
    return {}


def firmware_status_notification(store: View, request: Payload) -> Payload:
    """4.5."""
    return {}


HANDLERS: dict[str, Handler] = {
    "DiagnosticsStatusNotification": diagnostics_status_notification,
    "FirmwareStatusNotification": firmware_status_notification,
}
