"""What hands do at the Charge Point, by the names by which an operator is asked for it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ocppj.frames import Payload
from ocppj.schemas import schema
from simulator.charge_point import ChargePoint

CONNECTOR = {"connectorId": {"type": "integer", "minimum": 1}}
ANY_CONNECTOR = {"connectorId": {"type": "integer", "minimum": 0}}  # 0 is the whole Charge Point
ID_TAG = {"idTag": {"type": "string", "minLength": 1, "maxLength": 20}}  # 7.28
FAULTS = [each for each in schema("StatusNotification", "req")["properties"]["errorCode"]["enum"] if each != "NoError"]
WORK = {"work": {"enum": ["download", "installation", "upload"]}}


@dataclass(frozen=True)
class Hand:
    """Something that can be done.

    ``fields``: what its payload must tell, as properties of a JSON schema; ``optional`` need not be there.
    """

    words: str
    do: Callable[[ChargePoint, Payload], Awaitable[None]]
    fields: Mapping[str, Any] = field(default_factory=dict)
    optional: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of its payload."""
        return {
            "type": "object",
            "properties": {**self.fields, **self.optional},
            "required": [*self.fields],
            "additionalProperties": False,
        }


async def _power_cycle(charge_point: ChargePoint, _: Payload) -> None:
    await charge_point.lose_power()
    await charge_point.regain_power()


async def _prevent_locking(charge_point: ChargePoint, at: Payload) -> None:
    _spoil_lock(charge_point, at["connectorId"], cannot_lock=True)


async def _prevent_unlocking(charge_point: ChargePoint, at: Payload) -> None:
    _spoil_lock(charge_point, at["connectorId"], lock_fails=True)


async def _repair(charge_point: ChargePoint, at: Payload) -> None:
    number = at["connectorId"]
    for each in [number] if number else charge_point.connectors:
        _spoil_lock(charge_point, each)
    await charge_point.repair(number)


def _spoil_lock(charge_point: ChargePoint, number: int, *, cannot_lock: bool = False, lock_fails: bool = False) -> None:
    connector = charge_point.connectors[number]
    connector.cannot_lock, connector.lock_fails = cannot_lock, lock_fails


async def _prevent_storing(charge_point: ChargePoint, _: Payload) -> None:
    charge_point.local_auth_list.storage_fails = True


async def _allow_storing(charge_point: ChargePoint, _: Payload) -> None:
    charge_point.local_auth_list.storage_fails = False


async def _spoil(charge_point: ChargePoint, at: Payload) -> None:
    setattr(charge_point.firmware_management, f"{at['work']}_fails", True)


async def _mend(charge_point: ChargePoint, at: Payload) -> None:
    setattr(charge_point.firmware_management, f"{at['work']}_fails", False)


HANDS: dict[str, Hand] = {
    "plug_in": Hand("Put the cable in at both sides", lambda it, at: it.plug_in(at["connectorId"]), CONNECTOR),
    "unplug": Hand("Take the cable out at both sides", lambda it, at: it.unplug(at["connectorId"]), CONNECTOR),
    "unplug_ev_side": Hand(
        "Take the cable out of the EV", lambda it, at: it.unplug_ev_side(at["connectorId"]), CONNECTOR
    ),
    "present": Hand(
        "Present an idTag, at a connector or at the reader for all of them",
        lambda it, at: it.present(at["idTag"], at.get("connectorId")),
        ID_TAG,
        optional=CONNECTOR,
    ),
    "stop_taking_energy": Hand(
        "Have the EV stop taking energy, its cable staying in",
        lambda it, at: it.ev_stops_taking_energy(at["connectorId"]),
        CONNECTOR,
    ),
    "take_energy": Hand(
        "Have the EV take energy again", lambda it, at: it.ev_takes_energy(at["connectorId"]), CONNECTOR
    ),
    "restart": Hand("Cut the power and give it back", _power_cycle),
    "lose_power": Hand("Cut the power", lambda it, _: it.lose_power()),
    "regain_power": Hand("Give the power back", lambda it, _: it.regain_power()),
    "lose_connection": Hand("Cut the network", lambda it, _: it.lose_connection()),
    "restore_connection": Hand("Give the network back", lambda it, _: it.restore_connection()),
    "fail": Hand(
        "Break a connector, or with 0 the whole Charge Point",
        lambda it, at: it.fail(at["connectorId"], at.get("errorCode", "OtherError")),
        ANY_CONNECTOR,
        optional={"errorCode": {"enum": FAULTS}},
    ),
    "repair": Hand("Repair a connector, or with 0 the whole Charge Point", _repair, ANY_CONNECTOR),
    "prevent_locking": Hand("Have a connector be unable to lock its cable, until repair", _prevent_locking, CONNECTOR),
    "prevent_unlocking": Hand(
        "Have a connector be unable to release its cable, until repair", _prevent_unlocking, CONNECTOR
    ),
    "prevent_storing": Hand("Have every update of the Local Authorization List fail", _prevent_storing),
    "allow_storing": Hand("Have the Local Authorization List be stored again", _allow_storing),
    "spoil": Hand("Have every download, installation or upload fail", _spoil, WORK),
    "mend": Hand("Have downloads, installations or uploads succeed again", _mend, WORK),
}
