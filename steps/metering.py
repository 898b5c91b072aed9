"""Sentences about meter values: 3.16, 4.7 and 7.31 to 7.35.

A measurand is judged by its own instants: 9.1.5 lets per-period data bear the beginning of their interval, and a
Charge Point may spread what it measured at an instant over several messages.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

from bench.bench import Bench
from bench.messages import Message
from ocppj.clock import parse_timestamp
from ocppj.frames import Payload
from steps.cells import Table, rows
from steps.configuration import items_of
from steps.messages import bench_seconds, bench_text, judge_rows
from steps.words import then

DEFAULT_MEASURAND = "Energy.Active.Import.Register"  # 7.31
DEFAULT_CONTEXT = "Sample.Periodic"  # 7.43
RECURRING = ("Sample.Clock", "Sample.Periodic")
VALUE = "sampledValue."
_DAY = 86_400.0


class Seen(dict[str, list[datetime]]):
    """The measurands, as the key names them, and when each was measured.

    Phases and locations of one instant (3.16.3), and signed values beside the plain ones, count once.
    """

    def __init__(self, names: Iterable[str], near: timedelta) -> None:
        super().__init__((name, []) for name in names)
        self._near = near

    def note(self, name: str, instant: datetime) -> None:
        """One of the values of a measurand was measured then."""
        if all(abs(instant - other) > self._near for other in self[name]):
            self[name].append(instant)


@then("the Charge Point sends the values of {key:MeasurandKey} {n:N} times, {duration:Duration} apart")
async def sends_values(bench: Bench, key: str, n: str, duration: str, datatable: Table) -> None:
    """Every measurand of the key; the rows ``sampledValue.`` are about each of its values."""
    await _regular_values(bench, key, int(bench_text(bench, n)), bench_seconds(bench, duration), datatable)


@then("the Charge Point sends the values of {key:MeasurandKey} {n:N} times, at multiples of {duration:Duration}")
async def sends_aligned_values(bench: Bench, key: str, n: str, duration: str, datatable: Table) -> None:
    """The same, and every instant is a multiple of the time since midnight (3.16.2)."""
    interval = bench_seconds(bench, duration)
    seen = await _regular_values(bench, key, int(bench_text(bench, n)), interval, datatable)
    tolerance = bench.device.limits.tolerance
    for name, instants in seen.items():
        for instant in instants:
            if _off_the_clock(instant, interval) > tolerance:
                text = f"{name} was measured at {instant.isoformat()}, which is no multiple of {interval:g} s"
                raise bench.blame("Charge Point", text, "MeterValues", frame=_latest(bench))
    began = parse_timestamp(str(bench.value("StartTransaction.req.timestamp")))
    if _off_the_clock(began, interval) <= tolerance:
        bench.remark("the transaction began at such an instant by chance: its values would lie there in any case")


async def _regular_values(bench: Bench, key: str, n: int, interval: float, table: Table) -> Seen:
    near = timedelta(seconds=min(bench.device.limits.tolerance, interval / 4))
    seen = Seen(items_of(bench, key) or [DEFAULT_MEASURAND], near)
    end = bench.loop.time() + (n + 1) * interval + bench.timeout
    while max(map(len, seen.values())) < n and bench.loop.time() < end:
        message = await bench.claim("Charge Point", "MeterValues", within=interval + bench.timeout, ordered=False)
        await _take_in(bench, message, key, seen, table)
    # The other measurands and connectors may have messages of their own.
    while bench.loop.time() < end and (
        more := await bench.claim_if_any("Charge Point", "MeterValues", within=bench.settle_time)
    ):
        await _take_in(bench, more, key, seen, table)
    _judge_instants(bench, seen, n, interval)
    return seen


async def _take_in(bench: Bench, message: Message, key: str, seen: Seen, table: Table) -> None:
    """Check the values of a message and note when they were measured."""
    await bench.conf_to(message)
    if message.payload["connectorId"] != bench.connector:
        return
    judge_message(bench, message, table)
    for meter_value in message.payload["meterValue"]:
        instant = parse_timestamp(meter_value["timestamp"])
        for value in meter_value["sampledValue"]:
            if value.get("context", DEFAULT_CONTEXT) not in RECURRING:
                bench.remark(f"a value with the context {value['context']} was sent beside the test case", strict=True)
                continue
            judge_value(bench, message, value, table)
            _judge_location(bench, value)
            _note(bench, instant, value, key, seen)


def judge_message(bench: Bench, message: Message, table: Table) -> None:
    """Check a MeterValues.req against the rows of a table that are not about its values."""
    judge_rows(bench, message, "MeterValues.req", [row for row in rows(table) if not row[0].startswith(VALUE)])


def judge_value(bench: Bench, message: Message, value: Payload, table: Table) -> None:
    """Check one of its values against the rows that are, ``sampledValue.format`` for instance."""
    about_values = [row for row in rows(table) if row[0].startswith(VALUE)]
    judge_rows(bench, message, "MeterValues.req", about_values, {"sampledValue": value})


def _note(bench: Bench, instant: datetime, value: Payload, key: str, seen: Seen) -> None:
    told = [name for name in seen if is_of(name, value)]
    if not told:
        # 3.16: the key prescribes the set of measurands.
        text = f"{value.get('measurand', DEFAULT_MEASURAND)} was sent, which {key} does not name"
        bench.remark(text, "OCPP 1.6 3.16.1", strict=True)
    for name in told:
        seen.note(name, instant)


def is_of(name: str, value: Payload) -> bool:
    """Whether a value is one of a measurand, or of a measurand combined with a phase, as in Voltage.L1 (9.1.17)."""
    measurand = value.get("measurand", DEFAULT_MEASURAND)
    phase = value.get("phase", "")
    names = (measurand, f"{measurand}.{phase}", f"{measurand}.{phase.removesuffix('-N')}")
    return name.casefold() in [each.casefold() for each in names]


def _judge_location(bench: Bench, value: Payload) -> None:
    measurand = value.get("measurand", DEFAULT_MEASURAND)
    if value.get("location") == "EV" and measurand != "SoC":
        bench.remark(f"{measurand} has the location EV, which the test case has for SoC alone", strict=True)


def _judge_instants(bench: Bench, seen: Seen, n: int, interval: float) -> None:
    tolerance = bench.device.limits.tolerance
    for name, instants in seen.items():
        if len(instants) < n:
            text = f"{name} was sent {len(instants)} times, where {n} were due"
            raise bench.blame("Charge Point", text, "MeterValues", frame=_latest(bench))
        for earlier, later in pairwise(sorted(instants)):
            gap = (later - earlier).total_seconds()
            if abs(gap - interval) > tolerance:
                text = f"{name} was measured {gap:g} s after the one before, expected {interval:g} s"
                raise bench.blame("Charge Point", text, "MeterValues", frame=_latest(bench))


def _latest(bench: Bench) -> int | None:
    """The place of the values that came last: those before it are near."""
    message = bench.wire.latest_claim("Charge Point", "MeterValues")
    return message.index if message else None


def _off_the_clock(instant: datetime, interval: float) -> float:
    """Seconds to the nearest multiple of an interval since midnight, by UTC or by the offset that was written."""
    return min(_to_multiple(_since_midnight(moment), interval) for moment in _readings(instant))


def _readings(instant: datetime) -> Iterable[datetime]:
    offset = instant.utcoffset() or timedelta()
    return instant.replace(tzinfo=None), instant.replace(tzinfo=None) - offset


def _since_midnight(moment: datetime) -> float:
    return (moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()


def _to_multiple(seconds: float, interval: float) -> float:
    past = seconds % interval
    return min(past, interval - past, _DAY - seconds)  # midnight begins anew
