"""Reservations of a connector or of the whole Charge Point: 3.11, 5.1 and 5.13, and its key (9.3).

A reservation of connector 0 reserves no connector in particular: one always stays free for its idTag (5.13). Only
when no more connectors are free than are needed for that, these become Reserved.

Reservations are kept over a reboot: 5.13 names what ends one, and a reboot is not among it.
"""

import asyncio
from typing import TYPE_CHECKING

from ocppj.clock import parse_timestamp
from ocppj.errors import ErrorCode, Refused
from ocppj.frames import Payload
from simulator.configuration import Key
from simulator.connector import Connector, Event, IdTagHolder
from simulator.memory import StoredReservation

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint
    from simulator.core import Handler

KEYS = [Key("ReserveConnectorZeroSupported", "boolean", "true", read_only=True)]


def reserve_now(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.13. Raises ``Refused`` for an expiryDate that no clock can show."""
    try:
        parse_timestamp(request["expiryDate"])
    except (OverflowError, ValueError):
        raise Refused(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "the expiryDate is no instant") from None
    number = request["connectorId"]
    if number not in (charge_point.connectors if number else _zero(charge_point)):
        return {"status": "Rejected"}
    reservations = charge_point.memory.reservations
    former = _by_id(charge_point, request["reservationId"])
    if former is None or former["connectorId"] != number:  # otherwise what it replaces has the place already
        others = [each for each in reservations if each is not former]
        if obstacle := _obstacle(charge_point, number, others):
            return {"status": obstacle}
    stored: StoredReservation = {
        "reservationId": request["reservationId"],
        "connectorId": number,
        "idTag": request["idTag"],
        "parentIdTag": request.get("parentIdTag"),
        "expiryDate": request["expiryDate"],
    }
    reservations[:] = [each for each in reservations if each is not former]
    reservations.append(stored)
    charge_point.spawn(_expire(charge_point, stored))
    charge_point.afterwards(lambda: _settle_after(charge_point, former))
    return {"status": "Accepted"}


def cancel_reservation(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.1."""
    stored = _by_id(charge_point, request["reservationId"])
    if stored is None:
        return {"status": "Rejected"}
    charge_point.memory.reservations.remove(stored)
    charge_point.afterwards(lambda: _settle_after(charge_point, stored))
    return {"status": "Accepted"}


def _reject(charge_point: "ChargePoint", request: Payload) -> Payload:
    return {"status": "Rejected"}


HANDLERS: dict[str, "Handler"] = {"CancelReservation": cancel_reservation, "ReserveNow": reserve_now}

# Of a Charge Point without the profile: 5.13 has Rejected for one that is configured not to accept reservations.
WITHOUT: dict[str, "Handler"] = {"CancelReservation": _reject, "ReserveNow": _reject}


def refuses_unasked(charge_point: "ChargePoint", connector: Connector, id_tag: str) -> bool:
    """Whether an idTag may not charge here, whatever its group is."""
    standing = _standing(charge_point, connector)
    return bool(standing) and not any(each["parentIdTag"] or _is_for(each, id_tag) for each in standing)


def depends_on_group(charge_point: "ChargePoint", connector: Connector, id_tag: str) -> bool:
    """Whether the group of an idTag decides if it may charge here."""
    standing = _standing(charge_point, connector)
    return bool(standing) and not any(_is_for(each, id_tag) for each in standing)


def is_reserved_for(charge_point: "ChargePoint", connector: Connector, id_tag: str) -> bool:
    """Whether this connector waits for this idTag."""
    return any(_is_for(each, id_tag) for each in _standing(charge_point, connector))


def refuses(charge_point: "ChargePoint", connector: Connector, holder: IdTagHolder) -> bool:
    """Whether a reservation has to refuse charging to an idTag whose group is known (5.13)."""
    standing = _standing(charge_point, connector)
    return bool(standing) and not any(_fits(each, holder) for each in standing)


def used(charge_point: "ChargePoint", connector: Connector, holder: IdTagHolder) -> int | None:
    """End the reservation that a transaction makes use of; its reservationId."""
    for number in (connector.number, 0):
        for stored in charge_point.memory.reservations:
            if stored["connectorId"] == number and _fits(stored, holder):
                charge_point.memory.reservations.remove(stored)
                return stored["reservationId"]
    return None


def follow(charge_point: "ChargePoint", connector: Connector) -> None:
    """A status has changed. 5.13: a reservation ends when what it reserves becomes Faulted or Unavailable.

    I7 of 4.9 would have a repaired connector be Reserved again; 5.13 leaves it nothing to be reserved for.
    """
    if connector.status in ("Faulted", "Unavailable"):
        concerned = connector is charge_point.whole
        reservations = charge_point.memory.reservations
        ended = [each for each in reservations if concerned or each["connectorId"] == connector.number]
        reservations[:] = [each for each in reservations if each not in ended]
        for each in charge_point.connectors.values() if concerned else [connector]:
            _lift(charge_point, each)
    settle(charge_point)


def resume(charge_point: "ChargePoint") -> None:
    """There is power again."""
    for stored in charge_point.memory.reservations:
        charge_point.spawn(_expire(charge_point, stored))
    settle(charge_point)


def settle(charge_point: "ChargePoint") -> None:
    """Bring every status in line with the reservations, where nobody charges."""
    own = {each["connectorId"] for each in charge_point.memory.reservations}
    free = [it for it in charge_point.connectors.values() if it.number not in own and _is_free(charge_point, it)]
    kept = [it for it in free if it.beneath == "Reserved"]
    needed = len(_open(charge_point, charge_point.memory.reservations))
    for connector in kept[needed:]:
        _lift(charge_point, connector)
    becoming = [it for it in charge_point.connectors.values() if it.number in own and _is_free(charge_point, it)]
    if len(free) <= needed:
        becoming += free
    for connector in becoming:
        if connector.beneath == "Available":  # its report may have had this settled meanwhile
            connector.happens(Event.RESERVED)


def _settle_after(charge_point: "ChargePoint", ended: StoredReservation | None) -> None:
    connector = charge_point.connectors.get(ended["connectorId"]) if ended else None
    if connector and _on(charge_point.memory.reservations, connector.number) is None:
        _lift(charge_point, connector)
    settle(charge_point)


async def _expire(charge_point: "ChargePoint", stored: StoredReservation) -> None:
    expiry = parse_timestamp(stored["expiryDate"])
    # Once may be too little: the clock may be set meanwhile.
    while (left := (expiry - charge_point.now()).total_seconds()) > 0:  # noqa: ASYNC110
        await asyncio.sleep(min(left, 3600.0))
    reservations = charge_point.memory.reservations
    if any(each is stored for each in reservations):
        reservations[:] = [each for each in reservations if each is not stored]
        _settle_after(charge_point, stored)


def _lift(charge_point: "ChargePoint", connector: Connector) -> None:
    if connector.beneath == "Reserved":
        charge_point.lift_reservation(connector)


def _standing(charge_point: "ChargePoint", connector: Connector) -> list[StoredReservation]:
    """The reservations one of which must be an idTag's own for it to charge at a connector."""
    reservations = charge_point.memory.reservations
    if own := _on(reservations, connector.number):
        return [own]
    return _open(charge_point, reservations) if connector.beneath == "Reserved" else []


def _open(charge_point: "ChargePoint", reservations: list[StoredReservation]) -> list[StoredReservation]:
    """The reservations of connector 0 whose idTag has not come yet."""
    there = [it.authorized for it in charge_point.connectors.values() if it.authorized]
    return [
        each for each in reservations if not each["connectorId"] and not any(_fits(each, holder) for holder in there)
    ]


def _zero(charge_point: "ChargePoint") -> tuple[int, ...]:
    return (0,) if charge_point.configuration.flag("ReserveConnectorZeroSupported") else ()


def _obstacle(charge_point: "ChargePoint", number: int, others: list[StoredReservation]) -> str | None:
    """Why no connector can be reserved, or not this one, beside other reservations: a ReservationStatus (7.40)."""
    concerned = [charge_point.connectors[number]] if number else [*charge_point.connectors.values()]
    states = {charge_point.whole.status} | ({it.status for it in concerned} if number else set())
    reserved = {each["connectorId"] for each in others}
    free = [
        it
        for it in charge_point.connectors.values()
        if it.number not in reserved and _is_free(charge_point, it) and not it.is_occupied
    ]
    for status in ("Faulted", "Unavailable"):
        if status in states or all(it.status == status for it in concerned):
            return status
    remain = len(free) - len(_open(charge_point, others))
    return None if remain > 0 and (not number or concerned[0] in free) else "Occupied"


def _is_free(charge_point: "ChargePoint", connector: Connector) -> bool:
    return (
        connector.fault is None
        and not connector.claimed
        and charge_point.is_operative(connector)
        and (connector.beneath == "Reserved" or (connector.beneath == "Available" and not connector.is_occupied))
    )


def _by_id(charge_point: "ChargePoint", reservation_id: int) -> StoredReservation | None:
    return next((each for each in charge_point.memory.reservations if each["reservationId"] == reservation_id), None)


def _on(reservations: list[StoredReservation], number: int) -> StoredReservation | None:
    return next((each for each in reservations if each["connectorId"] == number), None)


def _fits(stored: StoredReservation, holder: IdTagHolder) -> bool:
    return _is_for(stored, holder.id_tag) or holder.is_in_group(stored["parentIdTag"])


def _is_for(stored: StoredReservation, id_tag: str) -> bool:
    return stored["idTag"].lower() == id_tag.lower()  # 7.28
