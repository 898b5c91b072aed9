"""Faults about triggered messages (OCPP 1.6 5.17)."""

import asyncio
from functools import partial

import pytest

from bench.mutants import Mutant, Plant
from bench.mutants.planting import answers, asks, instead, refuses, where, with_fields
from ocppj.frames import Call, Payload
from reference_csms import central_system
from simulator import remote_trigger
from simulator.charge_point import ChargePoint
from simulator.remote_trigger import HANDLERS, TRIGGERS, Trigger

CLAUSE = "OCPP 1.6 5.17"


def does(message: str, instead: Trigger) -> Plant:
    """The Charge Point does something else when this message is asked for."""
    return lambda patch: patch.setitem(TRIGGERS, message, instead)


def sends_nothing(message: str) -> Plant:
    return does(message, lambda *_: lambda: None)


def always_of(message: str, connector: int | None) -> Plant:
    trigger = TRIGGERS[message]
    return does(message, lambda charge_point, _: trigger(charge_point, connector))


def tells(action: str, status: str) -> Plant:
    return does(action, lambda it, _: partial(remote_trigger._send, it, action, [{"status": status}]))


def sends_before_it_answers(patch: pytest.MonkeyPatch) -> None:
    handle = ChargePoint._handle

    async def handle_slowly(self: ChargePoint, call: Call) -> Payload:
        conf = await handle(self, call)
        if call.action == "TriggerMessage":
            await asyncio.sleep(1)
        return conf

    patch.setattr(ChargePoint, "afterwards", lambda _, hook: hook())
    patch.setattr(ChargePoint, "_handle", handle_slowly)


def answers_trigger_of(message: str, status: str) -> Plant:
    """The message is sent, and the answer says otherwise."""
    return answers(HANDLERS, "TriggerMessage", instead(status), requestedMessage=message)


def asks_for(message: str, sent: str) -> Plant:
    return asks("TriggerMessage", where(with_fields(requestedMessage=sent), requestedMessage=message))


def asks_for_connector(connector: object, message: str) -> Plant:
    return asks("TriggerMessage", where(with_fields(connectorId=connector), requestedMessage=message))


OF_CHARGE_POINT = [
    *(
        Mutant(f"a triggered {message} is accepted and not sent", "Charge Point", CLAUSE, sends_nothing(message), kills)
        for message, kills in {
            "DiagnosticsStatusNotification": "TC_054_CS",
            "FirmwareStatusNotification": "TC_054_CS",
            "Heartbeat": "TC_054_CS",
            "MeterValues": "TC_054_CS TC_055_CS",
            "StatusNotification": "TC_054_CS",
        }.items()
    ),
    Mutant(
        "a triggered status is always that of connector 0",
        "Charge Point",
        CLAUSE,
        always_of("StatusNotification", 0),
        "TC_054_CS",
    ),
    Mutant(
        "triggered meter values are always those of connector 2",
        "Charge Point",
        CLAUSE,
        always_of("MeterValues", 2),
        "TC_054_CS TC_055_CS",
    ),
    Mutant(
        "the connectorId of a trigger is ignored", "Charge Point", CLAUSE, always_of("MeterValues", None), "TC_055_CS"
    ),
    Mutant(
        "idle diagnostics are told as Uploaded",
        "Charge Point",
        "OCPP 1.6 7.24",
        tells("DiagnosticsStatusNotification", "Uploaded"),
        "TC_054_CS",
    ),
    Mutant(
        "idle firmware is told as Installed",
        "Charge Point",
        "OCPP 1.6 7.25",
        tells("FirmwareStatusNotification", "Installed"),
        "TC_054_CS",
    ),
    Mutant("what was triggered goes before the answer", "Charge Point", CLAUSE, sends_before_it_answers, "TC_054_CS"),
    Mutant(
        "a trigger of meter values is Rejected, and they are sent",
        "Charge Point",
        CLAUSE,
        answers_trigger_of("MeterValues", "Rejected"),
        "TC_054_CS",
    ),
    Mutant(
        "a trigger of the firmware status is Rejected, and it is sent",
        "Charge Point",
        CLAUSE,
        answers_trigger_of("FirmwareStatusNotification", "Rejected"),
        "TC_054_CS",
    ),
    Mutant(
        "every trigger is NotImplemented",
        "Charge Point",
        CLAUSE,
        answers(HANDLERS, "TriggerMessage", instead("NotImplemented")),
        "TC_054_CS TC_055_CS",
    ),
    Mutant(
        "every trigger is Accepted",
        "Charge Point",
        CLAUSE,
        answers(HANDLERS, "TriggerMessage", instead("Accepted")),
        "TC_055_CS",
    ),
]

OF_CENTRAL_SYSTEM = [
    *(
        Mutant(
            f"a status is triggered where {message} is wanted",
            "Central System",
            CLAUSE,
            asks_for(message, "StatusNotification"),
            kills,
        )
        for message, kills in {
            "DiagnosticsStatusNotification": "TC_054_CSMS",
            "FirmwareStatusNotification": "TC_054_CSMS",
            "Heartbeat": "TC_054_CSMS",
            "MeterValues": "TC_054_CSMS TC_055_CSMS",
        }.items()
    ),
    Mutant(
        "a heartbeat is triggered where a status is wanted",
        "Central System",
        CLAUSE,
        asks_for("StatusNotification", "Heartbeat"),
        "TC_054_CSMS",
    ),
    Mutant(
        "meter values of another connector are triggered",
        "Central System",
        "OCPP 1.6 6.51",
        asks_for_connector(2, "MeterValues"),
        "TC_054_CSMS",
    ),
    Mutant(
        "the status of no certain connector is triggered",
        "Central System",
        "OCPP 1.6 6.51",
        asks_for_connector(..., "StatusNotification"),
        "TC_054_CSMS",
    ),
    *(
        Mutant(
            f"a triggered {action} is refused",
            "Central System",
            CLAUSE,
            refuses(central_system.HANDLERS, action),
            "TC_054_CSMS",
        )
        for action in ("DiagnosticsStatusNotification", "FirmwareStatusNotification", "Heartbeat", "MeterValues")
    ),
]

MUTANTS = [*OF_CHARGE_POINT, *OF_CENTRAL_SYSTEM]
