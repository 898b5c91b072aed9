"""Sentences about reservations (OCPP 1.6, 3.11, 5.1 and 5.13)."""

import asyncio
from datetime import UTC, datetime, timedelta

from bench.bench import Bench
from bench.messages import Message
from bench.seats import ExternalChargePoint, SimulatedChargePoint
from bench.verdicts import Inconclusive
from ocppj.clock import parse_timestamp, timestamp
from steps.cells import Table
from steps.configuration import simulated
from steps.messages import bench_seconds, bench_text, claim_conf, make_send
from steps.states import authorize_if_it_asks
from steps.words import given, then, when

SLACK = timedelta(minutes=2)  # by which an expiryDate may differ: people type whole minutes, clocks differ


@given("every other connector is Unavailable")
async def others_unavailable(bench: Bench) -> None:
    """The reusable state SetConnectorUnavailable: over the wire at a Charge Point under test, by hand at ours."""
    with bench.state("SetConnectorUnavailable"):
        for number in _connectors(bench):
            if number == bench.connector:
                continue
            if bench.judged == "Charge Point":
                wanted = (("connectorId", str(number)), ("type", "Inoperative"))
                await make_send(bench, "Central System", "ChangeAvailability", wanted)
                await claim_conf(bench, "Charge Point", "ChangeAvailability", (("status", "Accepted"),))
            else:  # 7.7: a Charge Point may make a connector unavailable at its discretion
                charge_point = simulated(bench)
                charge_point.memory.availability[str(number)] = "Inoperative"
                charge_point.settle_availability()
            await bench.reaches(number, "Unavailable")


@given("connector {n:N} is reserved for idTag {id_tag:IdTag}")
async def reserved(bench: Bench, n: str, id_tag: str) -> None:
    """The reusable state Reserved, for an hour."""
    with bench.state("Reserved"):
        wanted = (("connectorId", n), ("idTag", id_tag), ("expiryDate", "after now, such as now + 1 hour"))
        await make_send(bench, "Central System", "ReserveNow", wanted)
        await claim_conf(bench, "Charge Point", "ReserveNow", (("status", "Accepted"),))
        await bench.reaches(int(bench_text(bench, n)), "Reserved")


@given("every connector is occupied")
async def all_occupied(bench: Bench) -> None:
    """The reusable state SetConnectorOccupied, for all connectors."""
    with bench.state("SetConnectorOccupied"):
        for number in _connectors(bench):
            sentence = f"the EV driver plugs in the cable at connector {number}"
            await bench.do("Charge Point", "plug_in", {"connectorId": number}, sentence)
            await bench.reaches(number, "Preparing")
    for message in bench.wire.calls("Charge Point", "StatusNotification"):
        if message.payload.get("connectorId") and message.payload.get("status") == "Available":  # 9.1.6
            number = message.payload["connectorId"]
            raise Inconclusive(f"connector {number} became Available before a cable was in at every connector")


@given("the Charge Point knows idTag {id_tag:IdTag} as one of the reserved group")
async def knows_group(bench: Bench, id_tag: str) -> None:
    """Ours finds it in its cache (5.13): a Central System may tell the group, and may not (errata 4.12)."""
    info = {"status": "Accepted", "parentIdTag": bench.value("ReserveNow.req.parentIdTag")}
    simulated(bench).authorization.learn(bench_text(bench, id_tag), info)


@when("the Central System sends ReserveNow.req that expires after {duration:Duration}")
async def reserves_for(bench: Bench, duration: str, datatable: Table = ()) -> None:
    """The expiryDate counts from when it is asked for, or from when it is sent."""
    lasts = timedelta(seconds=bench_seconds(bench, duration))
    now = _now(bench)
    ahead, asked_for = now - datetime.now(UTC), now + lasts
    wanted = [*datatable, ("expiryDate", f"any, such as {timestamp(asked_for)}")]
    message = await make_send(bench, "Central System", "ReserveNow", wanted)
    expiry, at_most = _expiry(bench, message), message.time + ahead + lasts
    text = f"expiryDate is {timestamp(expiry)}, {timestamp(asked_for)} was asked for"
    if not max(message.time + ahead, asked_for - SLACK) < expiry <= at_most + SLACK:
        raise bench.blame("Central System", text, "ReserveNow", frame=message.index)
    tolerance = timedelta(seconds=bench.device.limits.tolerance)
    if not asked_for - tolerance <= expiry <= at_most + tolerance:
        bench.remark(text, strict=True)


@then("connector {n:N} is Available when the reservation expires")
async def available_at_expiry(bench: Bench, n: str) -> None:
    """5.13: the connector is made available, and the Central System is told."""
    connector = int(bench_text(bench, n))
    expiry = parse_timestamp(str(bench.value("ReserveNow.req.expiryDate")))
    left = max(0.0, (expiry - _now(bench)).total_seconds())
    await bench.reaches(connector, "Available", within=left + bench.timeout)
    if bench.judged != "Charge Point":
        return
    late = (bench.latest_report(connector).time - expiry).total_seconds()
    tolerance = bench.device.limits.tolerance
    text = f"connector {connector} was Available {abs(late):g} s {'after' if late > 0 else 'before'} the expiryDate"
    if late < -5 * tolerance:
        raise bench.blame("Charge Point", text, "ReserveNow", frame=bench.latest_report(connector).index)
    if abs(late) > tolerance:
        bench.remark(text, strict=True)


@then("a connector above 0 is reported Reserved, or none")
async def reserved_somewhere(bench: Bench) -> None:
    """5.13: a reservation of connector 0 reserves no connector in particular; 7.7: connector 0 is never Reserved.

    The test case document has a report, without saying of which connector: none at all is a remark.
    """

    def is_reserved(message: Message) -> bool:
        return message.payload.get("status") == "Reserved"

    deadline = bench.loop.time() + bench.timeout
    message = await bench.wire.next_call("Charge Point", "StatusNotification", is_reserved, deadline)
    if message is None:
        if bench.judged == "Charge Point":
            bench.remark("no connector was reported Reserved", "OCPP 1.6 5.13", strict=True)
        return
    bench.take(message)
    connector = message.payload["connectorId"]
    before = bench.status_told(connector, message.index)
    if connector == 0 or before in ("Faulted", "Unavailable"):
        text = f"connector {connector} is reported Reserved" + (f", which is {before}" if connector else "")
        raise bench.blame("Charge Point", text, "StatusNotification", frame=message.index)
    await bench.conf_to(message)


@then("the Charge Point refuses idTag {id_tag:IdTag}")
async def refuses(bench: Bench, id_tag: str) -> None:
    """5.13: no charging for it. The specification lets the Charge Point ask about it all the same."""
    await asyncio.sleep(bench.device.limits.silence_time)
    value = bench_text(bench, id_tag)
    for message in list(bench.wire.calls("Charge Point")):
        told = message.payload
        if message.action == "StartTransaction" or (
            message.action == "StatusNotification"
            and told.get("connectorId") == bench.connector
            and told.get("status") != "Reserved"
        ):
            text = f"idTag {value} was presented, and the Charge Point sent {message}"
            raise bench.blame("Charge Point", text, frame=message.index)
        if message.action == "Authorize" and str(told.get("idTag")).casefold() == value.casefold():
            bench.take(message, ordered=False)
            text = f"idTag {value} was asked about, although the connector is reserved for another one"
            bench.remark(text, "OCPP 1.6 5.13", strict=True)


@then("the Charge Point may have idTag {id_tag:IdTag} authorized")
async def may_authorize(bench: Bench, id_tag: str) -> None:
    """Before or after it reports the connector Preparing."""

    def prepares() -> Message | None:
        reports = bench.wire.calls("Charge Point", "StatusNotification")
        return next((each for each in reports if each.payload.get("status") == "Preparing"), None)

    await authorize_if_it_asks(bench, id_tag, prepares)


def _now(bench: Bench) -> datetime:
    """The time by the clock of a Charge Point of ours, which follows that of its Central System (4.2)."""
    seat = bench.seats["Charge Point"]
    now = datetime.now(UTC)
    if not isinstance(seat, SimulatedChargePoint):
        return now
    ahead = bench.transcript.fact("clockAhead", lambda: (seat.charge_point.now() - now).total_seconds())
    return now + timedelta(seconds=ahead)


def _connectors(bench: Bench) -> range:
    """All that there are, also where the Charge Point tells of more than the test data do (9.1.21)."""
    seat = bench.seats["Charge Point"]
    told = seat.device.configured("NumberOfConnectors") if isinstance(seat, ExternalChargePoint) else None
    number = bench.number_of_connectors
    return range(1, max(number, int(told) if told and told.isdigit() else 0) + 1)


def _expiry(bench: Bench, message: Message) -> datetime:
    try:
        return parse_timestamp(str(message.payload["expiryDate"]))
    except (OverflowError, ValueError):
        text = f"expiryDate is {message.payload['expiryDate']}, which is no instant"
        raise bench.blame("Central System", text, "ReserveNow", frame=message.index) from None
