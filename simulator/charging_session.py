"""From the first sign of an EV driver to the last: what cables, idTags and remote requests do to a connector.

The clauses: 3.10, 4.1, 4.9, 4.10, 5.11, 9.1.6 and errata 3.5, 3.20, 3.21.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ocppj.frames import Payload
from simulator import reservation, transaction
from simulator.connector import Connector, Event, IdTagHolder

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint


def prepare(charge_point: "ChargePoint", connector: Connector) -> None:
    """Usage begins: the connector is Preparing, for ConnectionTimeOut seconds at most."""
    connector.happens(Event.USAGE_BEGINS)
    charge_point.spawn(_time_out(charge_point, connector, connector.preparations))


async def _time_out(charge_point: "ChargePoint", connector: Connector, preparation: int) -> None:
    # 9.1.6 with errata 3.77 and 3.89: counted from the beginning of Preparing, whatever began it.
    await asyncio.sleep(charge_point.configuration.number("ConnectionTimeOut"))
    if connector.beneath != "Preparing" or connector.preparations != preparation:
        return
    connector.authorized = None
    if connector.is_occupied:
        connector.timed_out = True  # B6 (errata 3.20): otherwise the next idTag would start with this cable
        connector.happens(Event.TIMED_OUT)
    else:
        charge_point.end_usage(connector)


def plugged(charge_point: "ChargePoint", connector: Connector) -> None:
    """A cable was put in, at one side or at both."""
    if connector.transaction:
        connector.adjust_energy()  # 4.10: reconnected, energy transfer is allowed again
    elif connector.authorized:
        if connector.is_connected:
            transaction.start(charge_point, connector, connector.authorized)
    elif connector.is_occupied and _may_begin(charge_point, connector):
        connector.timed_out = False
        prepare(charge_point, connector)  # A2, or F2 for a cable that was reconnected


def _may_begin(charge_point: "ChargePoint", connector: Connector) -> bool:
    if connector.beneath == "Finishing":
        return charge_point.is_operative(connector) and connector.kept_for is None
    return connector.beneath == "Available"


def unplugged_at_ev(charge_point: "ChargePoint", connector: Connector) -> None:
    """The cable was pulled out of the EV (4.9, 4.10)."""
    if connector.transaction is None:
        _nothing_left(charge_point, connector)
        return
    connector.adjust_energy(transaction.EV_SIDE_DISCONNECTED)
    configuration = charge_point.configuration
    if configuration.flag("StopTransactionOnEVSideDisconnect"):
        transaction.stop(
            charge_point,
            connector,
            "EVDisconnected",
            info=transaction.EV_SIDE_DISCONNECTED,
            unlocks=configuration.flag("UnlockConnectorOnEVSideDisconnect"),
        )


def unplugged(charge_point: "ChargePoint", connector: Connector) -> None:
    """The cable was taken out of the Charge Point."""
    if connector.transaction:  # without a lock nothing held it
        transaction.stop(charge_point, connector, "EVDisconnected", info=transaction.EV_SIDE_DISCONNECTED)
    _nothing_left(charge_point, connector)


def _nothing_left(charge_point: "ChargePoint", connector: Connector) -> None:
    if connector.is_occupied:
        return
    connector.timed_out = False
    if connector.number in charge_point.memory.used_cables:
        charge_point.memory.used_cables.remove(connector.number)
    if connector.fault == "ConnectorLockFailure":  # the plug that could not be held is gone
        connector.repair()
    if connector.beneath == "Finishing" or (connector.beneath == "Preparing" and not connector.authorized):
        charge_point.end_usage(connector)


async def presented(charge_point: "ChargePoint", id_tag: str, number: int | None) -> None:
    """An EV driver presented an idTag, at this connector or at a reader for all of them."""
    connector = charge_point.connectors[number] if number is not None else _meant(charge_point, id_tag)
    if connector is None:
        return
    if connector.transaction:
        if await _belongs(charge_point, connector, _starter(connector), id_tag):
            transaction.stop(charge_point, connector, "Local", id_tag=id_tag)
    elif connector.kept_for:
        if await _belongs(charge_point, connector, connector.kept_for, id_tag):
            connector.unlock()
    elif connector.authorized:
        if connector.authorized.is_same(id_tag):  # B1: second presentation of the idTag
            connector.authorized = None
            charge_point.end_usage(connector)
    elif _may_come(charge_point, connector, id_tag):
        await _authorize_and_begin(charge_point, connector, id_tag)


def _may_come(charge_point: "ChargePoint", connector: Connector, id_tag: str) -> bool:
    """Whether it makes sense to ask about an idTag for this connector."""
    reserved = reservation.refuses_unasked(charge_point, connector, id_tag)
    return can_start(charge_point, connector) and not connector.timed_out and not reserved


def _starter(connector: Connector) -> IdTagHolder:
    assert connector.transaction is not None
    return IdTagHolder(connector.transaction["idTag"], connector.transaction["parentIdTag"])


async def _belongs(charge_point: "ChargePoint", connector: Connector, holder: IdTagHolder, id_tag: str) -> bool:
    """Whether an idTag may end what another began: it is the same one, or of its group.

    4.1: for the same idTag there is no Authorize.req. Nor is there one when the first has no known group, because
    no answer could then make the second one equal to it (3.10).
    """
    if holder.is_same(id_tag):
        return True
    if not holder.parent_id_tag:
        return False
    running = connector.transaction
    info = await charge_point.authorization.ask(id_tag)
    unchanged = connector.transaction is running and (running is not None or connector.kept_for is holder)
    return unchanged and info is not None and holder.is_in_group(info.get("parentIdTag"))


def _meant(charge_point: "ChargePoint", id_tag: str) -> Connector | None:
    """The connector that an EV driver means who presents an idTag at a reader for all connectors."""

    def free(connector: Connector) -> bool:
        return _may_come(charge_point, connector, id_tag)

    preferences: list[Callable[[Connector], bool]] = [
        lambda connector: connector.transaction is not None and _starter(connector).is_same(id_tag),
        lambda connector: connector.kept_for is not None and connector.kept_for.is_same(id_tag),
        lambda connector: connector.authorized is not None and connector.authorized.is_same(id_tag),
        lambda connector: free(connector) and reservation.is_reserved_for(charge_point, connector, id_tag),
        lambda connector: free(connector) and connector.beneath == "Preparing",
        lambda connector: free(connector) and connector.beneath == "Available",
        free,
        lambda connector: connector.transaction is not None and _starter(connector).parent_id_tag is not None,
        lambda connector: connector.kept_for is not None and connector.kept_for.parent_id_tag is not None,
    ]
    return next(_matches(charge_point, preferences), None)


def _matches(charge_point: "ChargePoint", preferences: list[Callable[[Connector], bool]]) -> Iterator[Connector]:
    for fits in preferences:
        for connector in charge_point.connectors.values():
            if fits(connector):
                yield connector


def can_start(charge_point: "ChargePoint", connector: Connector) -> bool:
    """Whether a transaction could be started here."""
    return (
        connector.fault is None
        and charge_point.is_operative(connector)
        and connector.beneath in ("Available", "Preparing", "Finishing", "Reserved")
        and connector.transaction is None
        and connector.authorized is None
        and connector.kept_for is None
        and not connector.claimed
    )


def choose_for_remote_start(charge_point: "ChargePoint", number: int | None, id_tag: str) -> Connector | None:
    """The connector for a RemoteStartTransaction.req: the one named, else the best.

    One that is reserved for the idTag is better than one with a cable in, that than a free one; one that is reserved
    for a group comes last.
    """
    candidates = [
        connector
        for connector in charge_point.connectors.values()
        if number in (None, connector.number)
        and can_start(charge_point, connector)
        and not reservation.refuses_unasked(charge_point, connector, id_tag)
    ]
    candidates.sort(key=lambda connector: ("Preparing", "Available", "Finishing", "Reserved").index(connector.beneath))
    candidates.sort(key=lambda connector: not reservation.is_reserved_for(charge_point, connector, id_tag))
    return candidates[0] if candidates else None


async def start_remotely(
    charge_point: "ChargePoint", connector: Connector, id_tag: str, charging_profile: Payload | None = None
) -> None:
    """Do what RemoteStartTransaction.req asked for (5.11)."""
    # 5.13 has the Charge Point ask for the group of an idTag, also where it need not ask whether it may charge.
    by_group = reservation.depends_on_group(charge_point, connector, id_tag)
    if charge_point.configuration.flag("AuthorizeRemoteTxRequests") or by_group:
        await _authorize_and_begin(charge_point, connector, id_tag, charging_profile)
    elif can_start(charge_point, connector):
        _begin(charge_point, connector, IdTagHolder(id_tag, None, charging_profile))


async def _authorize_and_begin(
    charge_point: "ChargePoint", connector: Connector, id_tag: str, charging_profile: Payload | None = None
) -> None:
    known = charge_point.authorization.local_opinion(id_tag) or {}  # 5.13: a parentIdTag may be looked up
    connector.claimed = True
    try:
        info = await charge_point.authorization.ask(id_tag)
    finally:
        connector.claimed = False
    if info is None or not can_start(charge_point, connector):
        return
    told, looked_up = info.get("parentIdTag"), known.get("parentIdTag")
    if not reservation.refuses(charge_point, connector, IdTagHolder(id_tag, looked_up or told)):
        _begin(charge_point, connector, IdTagHolder(id_tag, told or looked_up, charging_profile))


def _begin(charge_point: "ChargePoint", connector: Connector, holder: IdTagHolder) -> None:
    connector.authorized = holder
    if connector.beneath != "Preparing":
        prepare(charge_point, connector)  # A2, G2, or F2: the EV driver goes on with the cable that is in
    if connector.is_connected:
        transaction.start(charge_point, connector, holder)
