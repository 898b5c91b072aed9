"""Messages on request: 5.17 with errata 3.35 and 3.46, and ExtendedTriggerMessage.req of the white paper (5.5)."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ocppj.errors import CallFailed
from ocppj.frames import Payload
from simulator.connector import Connector
from simulator.core import Handler
from simulator.metering import meter_value, sampled_measurands

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

Sending = Callable[[], None]

# What makes ready to send a message, for a connector if one was named; None if it will not be sent.
Trigger = Callable[["ChargePoint", int | None], Sending | None]


def trigger_message(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.17. The answer goes first; what is unknown or not implemented is NotImplemented."""
    return _trigger(charge_point, request, TRIGGERS)


def extended_trigger_message(charge_point: "ChargePoint", request: Payload) -> Payload:
    """White paper 5.5: as 5.17, with messages of its own (6.16)."""
    return _trigger(charge_point, request, EXTENDED_TRIGGERS)


def _trigger(charge_point: "ChargePoint", request: Payload, triggers: dict[str, Trigger]) -> Payload:
    message = request["requestedMessage"]
    if message not in triggers or not _is_implemented(charge_point, message):
        return {"status": "NotImplemented"}
    may_send = charge_point.may_be_triggered or message == "BootNotification"
    sending = triggers[message](charge_point, request.get("connectorId")) if may_send else None
    if sending is None:
        return {"status": "Rejected"}
    charge_point.afterwards(sending)
    return {"status": "Accepted"}


def _is_implemented(charge_point: "ChargePoint", message: str) -> bool:
    return message not in _OF_FIRMWARE or "FirmwareManagement" in charge_point.profiles


def _boot_notification(charge_point: "ChargePoint", _: int | None) -> Sending | None:
    return None if charge_point.is_accepted else charge_point.boot_now  # errata 3.35


def _heartbeat(charge_point: "ChargePoint", _: int | None) -> Sending:
    return charge_point.beat


def _diagnostics_status(charge_point: "ChargePoint", _: int | None) -> Sending:
    def tell() -> None:
        status = charge_point.firmware_management.diagnostics_status
        _send(charge_point, "DiagnosticsStatusNotification", [{"status": status}])

    return tell


def _firmware_status(charge_point: "ChargePoint", _: int | None) -> Sending:
    def tell() -> None:
        status = charge_point.firmware_management.firmware_status
        _send(charge_point, "FirmwareStatusNotification", [{"status": status}])

    return tell


def _signed_firmware_status(charge_point: "ChargePoint", _: int | None) -> Sending:
    def tell() -> None:
        status = charge_point.firmware_management.signed_firmware_status
        _send(charge_point, "SignedFirmwareStatusNotification", [status])

    return tell


def _log_status(charge_point: "ChargePoint", _: int | None) -> Sending:
    def tell() -> None:
        _send(charge_point, "LogStatusNotification", [charge_point.firmware_management.log_status])

    return tell


def _sign_charge_point_certificate(charge_point: "ChargePoint", _: int | None) -> Sending | None:
    # White paper A02, prerequisites: CpoName MUST be set.
    return charge_point.security.ask_for_certificate if charge_point.security.can_ask_for_certificate else None


def _status_notification(charge_point: "ChargePoint", number: int | None) -> Sending | None:
    concerned = _concerned([charge_point.whole, *charge_point.connectors.values()], number)
    return partial(_tell_statuses, charge_point, concerned) if concerned else None


def _tell_statuses(charge_point: "ChargePoint", concerned: list[Connector]) -> None:
    if charge_point.is_accepted:
        for connector in concerned:
            charge_point.tell_again(connector)
    else:
        _send(charge_point, "StatusNotification", [charge_point.report(connector) for connector in concerned])


def _meter_values(charge_point: "ChargePoint", number: int | None) -> Sending | None:
    # 4.7 has 0 for the main meter, which this Charge Point lacks.
    measured = [
        connector
        for connector in _concerned(list(charge_point.connectors.values()), number)
        if _reading(charge_point, connector) is not None
    ]
    return partial(_tell_readings, charge_point, measured) if measured else None


def _tell_readings(charge_point: "ChargePoint", measured: list[Connector]) -> None:
    for connector in measured:
        if (reading := _reading(charge_point, connector)) is None:
            continue
        payload = {"connectorId": connector.number, "meterValue": [reading]}
        if charge_point.is_accepted and connector.transaction:
            charge_point.queue_meter_values(payload, connector.transaction)
        else:  # no transaction that the Central System could know
            _send(charge_point, "MeterValues", [payload])


def _reading(charge_point: "ChargePoint", connector: Connector) -> Payload | None:
    measurands = sampled_measurands(charge_point, "MeterValuesSampledData")  # errata 3.46
    interval = connector.interval("Sample.Periodic")
    return meter_value(connector, measurands, "Trigger", charge_point.now(), interval)


def _concerned(candidates: list[Connector], number: int | None) -> list[Connector]:
    """5.17: without a number all of them."""
    return [connector for connector in candidates if number in (None, connector.number)]


def _send(charge_point: "ChargePoint", action: str, payloads: Sequence[Payload]) -> None:
    async def send() -> None:
        with suppress(CallFailed):  # the Central System may ask again
            for payload in payloads:
                if charge_point.may_be_triggered:
                    await charge_point.request(action, payload)

    charge_point.spawn(send())


TRIGGERS: dict[str, Trigger] = {
    "BootNotification": _boot_notification,
    "DiagnosticsStatusNotification": _diagnostics_status,
    "FirmwareStatusNotification": _firmware_status,
    "Heartbeat": _heartbeat,
    "MeterValues": _meter_values,
    "StatusNotification": _status_notification,
}

EXTENDED_TRIGGERS: dict[str, Trigger] = {
    "BootNotification": _boot_notification,
    "FirmwareStatusNotification": _signed_firmware_status,
    "Heartbeat": _heartbeat,
    "LogStatusNotification": _log_status,
    "MeterValues": _meter_values,
    "SignChargePointCertificate": _sign_charge_point_certificate,
    "StatusNotification": _status_notification,
}

_OF_FIRMWARE = ("DiagnosticsStatusNotification", "FirmwareStatusNotification")

HANDLERS: dict[str, Handler] = {"TriggerMessage": trigger_message}
