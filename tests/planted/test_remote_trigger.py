"""Small faults in one of our parties that the cases about remote trigger find."""

import asyncio
from functools import partial

import pytest

from ocppj.frames import Call, Payload
from simulator import remote_trigger
from simulator.charge_point import ChargePoint
from simulator.remote_trigger import HANDLERS, TRIGGERS, Trigger
from tests.planted.test_planted_faults import (
    Plant,
    answer,
    cases,
    central_system_asks,
    central_system_refuses,
    due,
    instead,
    not_passed,
    with_fields,
)

IDS = frozenset(cases("054 055", "CS") | cases("054 055", "CSMS"))


def does(message: str, instead: Trigger) -> Plant:
    """The Charge Point does something else when this message is asked for."""
    return lambda patch: patch.setitem(TRIGGERS, message, instead)


def always_of(message: str, connector: int | None) -> Plant:
    trigger = TRIGGERS[message]
    return does(message, lambda charge_point, _: trigger(charge_point, connector))


def tells(action: str, status: str) -> Plant:
    return does(action, lambda it, _: partial(remote_trigger._send, it, action, [{"status": status}]))


def charge_point_sends_before_it_answers(patch: pytest.MonkeyPatch) -> None:
    handle = ChargePoint._handle

    async def handle_slowly(self: ChargePoint, call: Call) -> Payload:
        conf = await handle(self, call)
        if call.action == "TriggerMessage":
            await asyncio.sleep(1)
        return conf

    patch.setattr(ChargePoint, "afterwards", lambda _, hook: hook())
    patch.setattr(ChargePoint, "_handle", handle_slowly)


def mixes_up(asked: str, sent: str) -> Plant:
    """The Central System asks for another message."""

    def change(payload: Payload) -> Payload:
        return payload | {"requestedMessage": sent} if payload["requestedMessage"] == asked else payload

    return central_system_asks("TriggerMessage", change)


def asks(**fields: object) -> Plant:
    return central_system_asks("TriggerMessage", with_fields(**fields))


TRIGGERED = ("DiagnosticsStatusNotification", "FirmwareStatusNotification", "Heartbeat", "MeterValues")
SENDS_IT_WRONGLY = (cases("054", "CS"), cases("054", "CSMS"))
ASKS_WRONGLY = (cases("054", "CSMS"), cases("054", "CS"))

# A fault, the cases that fail, the cases that end as our error.
FAULTS: dict[str, tuple[Plant, set[str], set[str]]] = {
    **{
        f"{message} is accepted and not sent": (does(message, lambda *_: lambda: None), *SENDS_IT_WRONGLY)
        for message in (*TRIGGERED[:3], "StatusNotification")
    },
    "MeterValues is accepted and not sent": (
        does("MeterValues", lambda *_: lambda: None),
        cases("054 055", "CS"),
        cases("054", "CSMS"),
    ),
    "a status is always that of connector 0": (always_of("StatusNotification", 0), *SENDS_IT_WRONGLY),
    "meter values are always those of connector 2": (
        always_of("MeterValues", 2),
        cases("054 055", "CS"),
        cases("054", "CSMS"),
    ),
    "the connectorId is ignored": (always_of("MeterValues", None), cases("055", "CS"), set()),
    "idle diagnostics are Uploaded": (tells("DiagnosticsStatusNotification", "Uploaded"), *SENDS_IT_WRONGLY),
    "idle firmware is Installed": (tells("FirmwareStatusNotification", "Installed"), *SENDS_IT_WRONGLY),
    "what was triggered goes before the .conf": (charge_point_sends_before_it_answers, *SENDS_IT_WRONGLY),
    "every trigger is Rejected": (answer(HANDLERS, "TriggerMessage", instead("Rejected")), *SENDS_IT_WRONGLY),
    "every trigger is NotImplemented": (
        answer(HANDLERS, "TriggerMessage", instead("NotImplemented")),
        cases("054 055", "CS"),
        cases("054", "CSMS"),
    ),
    "every trigger is Accepted": (answer(HANDLERS, "TriggerMessage", instead("Accepted")), cases("055", "CS"), set()),
    **{f"{message} is mixed up": (mixes_up(message, "StatusNotification"), *ASKS_WRONGLY) for message in TRIGGERED[:3]},
    "MeterValues is mixed up": (
        mixes_up("MeterValues", "StatusNotification"),
        cases("054 055", "CSMS"),
        cases("054 055", "CS"),
    ),
    "StatusNotification is mixed up": (mixes_up("StatusNotification", "Heartbeat"), *ASKS_WRONGLY),
    "another connector is asked for": (asks(connectorId=2), cases("054", "CSMS"), cases("054 055", "CS")),
    "no connector is asked for": (asks(connectorId=...), cases("054", "CSMS"), cases("054 055", "CS")),
    **{f"{action}.req is refused": (central_system_refuses(action), *ASKS_WRONGLY) for action in TRIGGERED},
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found(name: str) -> None:
    plant, failed, errors = FAULTS[name]
    assert not_passed(plant, among=IDS) == due(failed, errors)
