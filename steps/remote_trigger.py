"""Sentences about remote trigger (OCPP 1.6, 5.17)."""

import asyncio

from bench.bench import Bench
from bench.messages import Message, messages
from bench.seats import SimulatedChargePoint
from bench.verdicts import Inconclusive, OurError
from steps.cells import Table
from steps.configuration import entry_of, read_key
from steps.messages import claim_conf, claim_request, make_send
from steps.metering import is_of
from steps.words import given, then, when

# Keys that have a Charge Point send something by itself while it is idle, and values that have it send none: a
# Heartbeat.req once a day is what 4.6 asks for at least, an hour is for those that go no further.
ROUTINE: dict[str, tuple[str, ...]] = {"ClockAlignedDataInterval": ("0",), "HeartbeatInterval": ("86400", "3600")}

SAMPLED = "MeterValuesSampledData"


@given("the Charge Point has nothing routine to send")
async def nothing_routine(bench: Bench) -> None:
    """Set over the wire at a Charge Point under test, as far as it lets. A Heartbeat.req that is due gets its time."""
    seat = bench.seats["Charge Point"]
    if bench.judged != "Charge Point":
        assert isinstance(seat, SimulatedChargePoint)
        for key, values in ROUTINE.items():
            seat.charge_point.configuration.set(key, values[0])
        return
    with bench.state("nothing routine"):
        due = 0.0
        for key, values in ROUTINE.items():
            due = max(due, await _set_first(bench, key, values))
        await read_key(bench, SAMPLED)
        # One that had begun to count before has been seen by then, and what comes later is none of its kind.
        late = 1.5 * bench.device.limits.tolerance if due else 0.0
        await asyncio.sleep(min(due + late, bench.long_timeout))


@then("the Charge Point sends the triggered {action:Action}.req")
async def sends_triggered(bench: Bench, action: str, datatable: Table = ()) -> None:
    """After the TriggerMessage.conf (5.17)."""
    await _claim_triggered(bench, action, datatable)


@then("if it Accepted, the Charge Point sends the triggered {action:Action}.req and is answered")
async def sends_if_accepted(bench: Bench, action: str, datatable: Table = ()) -> None:
    """As its TriggerMessage.conf says: whoever has not implemented the message sends none."""
    if (await _trigger_conf(bench)).payload["status"] == "Accepted":
        await _claim_triggered(bench, action, datatable)
        await claim_conf(bench, "Central System", action)


@when("the Central System sends TriggerMessage.req for the connector after the last")
async def triggers_beyond(bench: Bench, datatable: Table) -> None:
    """One above NumberOfConnectors, as the Charge Point itself reports it; as the test data say if it does not."""
    _, entry = await read_key(bench, "NumberOfConnectors")
    reported = str(entry.get("value", "")) if entry else ""
    last = int(reported) if reported.isdecimal() else bench.number_of_connectors
    await make_send(bench, "Central System", "TriggerMessage", [*datatable, ("connectorId", str(last + 1))])


async def _trigger_conf(bench: Bench) -> Message:
    call = bench.wire.latest_claim("Central System", "TriggerMessage")
    if call is None:
        raise OurError(f"«{bench.sentence}» follows a TriggerMessage.req, and none was claimed: a faulty feature")
    return await bench.conf_to(call)


async def _claim_triggered(bench: Bench, action: str, table: Table) -> None:
    bench.wire.raise_floor(await _trigger_conf(bench))
    message = await claim_request(bench, "Charge Point", action, table, why="5.17")
    if action == "MeterValues" and bench.judged == "Charge Point":
        _look_for_measurands(bench, message)
    if action == "Heartbeat" and bench.judged == "Charge Point" and _may_be_routine(bench, message):
        allowed = bench.device.limits.tolerance
        if await bench.claim_if_any("Charge Point", "Heartbeat", within=2 * allowed) is None:
            text = "Heartbeat.req came when a routine one was due, whatever HeartbeatInterval is: nobody can tell which"
            raise Inconclusive(text)


def _look_for_measurands(bench: Bench, message: Message) -> None:
    """Errata 3.46: all that MeterValuesSampledData names. A remark: without an EV there is no SoC, nor much else."""
    values = [value for each in message.payload["meterValue"] for value in each["sampledValue"]]
    names = [name.strip() for name in _told(bench, SAMPLED).split(",") if name.strip()]
    missing = [name for name in names if not any(is_of(name, value) for value in values)]
    if missing:
        bench.remark(f"the triggered MeterValues.req has no {', '.join(missing)}", "OCPP 1.6 5.17")


def _may_be_routine(bench: Bench, beat: Message) -> bool:
    """Whether a Heartbeat.req came as it would have by the interval of before, which a device may go on with.

    It counts from the latest Heartbeat.req or from the latest message of any kind (9.1.10).
    """
    value = _told(bench, "HeartbeatInterval")
    if not value.isdecimal():
        return False
    earlier = [message for message in messages(bench.wire.records) if message.index < beat.index]
    latest = [earlier[-1:], [message for message in earlier if message.action == "Heartbeat"][-1:]]
    gaps = [(beat.time - message.time).total_seconds() for found in latest for message in found]
    return any(abs(gap - int(value)) <= bench.device.limits.tolerance for gap in gaps)


def _told(bench: Bench, key: str) -> str:
    """The value that the Charge Point reported last for a key; empty if it reported none."""
    entry = entry_of(bench, key)
    return str(entry.get("value", "")) if entry else ""


async def _set_first(bench: Bench, key: str, values: tuple[str, ...]) -> float:
    """Set the first value that the Charge Point takes. The seconds for which its old one may still count."""
    _, entry = await read_key(bench, key)
    before = str(entry.get("value", "")) if entry else ""
    if entry is None or before in values:
        return 0.0
    for value in values:
        await make_send(bench, "Central System", "ChangeConfiguration", (("key", key), ("value", value)))
        if (await bench.answer("Charge Point", "ChangeConfiguration")).payload.get("status") == "Accepted":
            return float(before) if before.isdecimal() else 0.0
    # 5.3: it may refuse any value.
    bench.remark(f"{key} stays {before}: what was triggered may be routine", "OCPP 1.6 5.17")
    return 0.0
