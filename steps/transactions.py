"""Sentences about transactions that a reboot, a power cut or a lost connection interrupts."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bench.bench import Bench
from bench.messages import Message, messages, registration_told
from bench.verdicts import OurError
from ocppj.clock import parse_timestamp
from ocppj.frames import Payload
from ocppj.transcript import Party, Record
from steps.cells import Table, mismatches, rows
from steps.messages import bench_seconds, bench_text, claim_request
from steps.metering import judge_message, judge_value
from steps.station import at_connector
from steps.words import then

GOES_ON = ("Charging", "SuspendedEV", "SuspendedEVSE")

BY_ITSELF, BY_HAND = " by itself", " by hand"  # what a row says after its path


@then("the {party:Party} may have sent {action:Action}.req")
async def may_have_sent(bench: Bench, party: Party, action: str, datatable: Table = ()) -> None:
    """Looks back. What is not forbidden needs no sentence; this one is for what must be right if it comes."""
    for message in list(bench.wire.calls(party, action)):
        bench.take(message, ordered=False)
        bench.judge(message, f"{action}.req", mismatches(message.payload, datatable, bench.value))


@then("the Charge Point sends StopTransaction.req before or after it reboots")
async def stops_around_a_reboot(bench: Bench, datatable: Table = ()) -> None:
    """Errata 3.36: a hard reset need not wait for it, and then it follows the BootNotification.conf."""
    within = bench.long_timeout + bench.timeout

    def look() -> Message | None:
        for message in messages(bench.wire.records, bench.wire.floor):
            if registration_told(message, bench.wire.records) not in (None, "Accepted"):
                text = f"the Central System answered BootNotification.req with {message}"
                raise bench.blame("Central System", text, frame=message.index)
        return next(bench.wire.calls("Charge Point", "StopTransaction"), None)

    deadline = bench.loop.time() + within
    await bench.wire.until(look, deadline)
    within = max(0.0, deadline - bench.loop.time())
    await claim_request(bench, "Charge Point", "StopTransaction", datatable, within=within, ordered=False)


@then("connector {n:N} is {status:Status}, where the transaction was stopped before a reboot")
async def is_before_a_reboot(bench: Bench, n: str, status: str) -> None:
    """What lasts no longer than until it goes down may stay untold (4.9, errata 3.19): a remark."""
    connector = int(bench_text(bench, n))
    stop = bench.wire.latest_claim("Charge Point", "StopTransaction")
    if stop is None:
        raise OurError(f"«{bench.sentence}» counts from a StopTransaction.req, and none was claimed: a faulty feature")
    if _booted_before(bench, stop):
        return

    def look() -> str | None:
        for message in bench.wire.calls("Charge Point"):
            if message.action == "BootNotification":
                return "it booted"
            if _reports(message, connector) == status:
                return status
        closed = any(record.get("event") == "closed" for record in bench.wire.records[stop.index :])
        return "its connection was closed" if closed else None

    found = await bench.wire.until(look, bench.loop.time() + bench.timeout)
    if found in (status, None):
        await bench.reaches(connector, status)
    else:
        bench.remark(f"connector {connector} was not reported {status} before {found}", "OCPP 1.6 4.9", strict=True)


@then("the Charge Point sends StopTransaction.req by itself, or when the EV driver presents idTag {id_tag:IdTag}")
async def is_stopped_somehow(bench: Bench, id_tag: str, datatable: Table) -> None:
    """A transaction that goes on after a power cut is stopped by hand. A row may count for one of the two ways only."""

    def look() -> str | None:
        if next(bench.wire.calls("Charge Point", "StopTransaction"), None):
            return "stopped"
        told = _statuses(bench, bench.connector)
        return "goes on" if told and told[-1] in GOES_ON else None

    if await bench.wire.until(look, bench.loop.time() + bench.timeout) == "goes on":
        late = bench.loop.time() + bench.device.limits.silence_time
        await bench.wire.until(lambda: look() == "stopped" or None, late)  # it may yet be stopped by itself
    if look() == "goes on":
        value = bench_text(bench, id_tag)
        await at_connector(bench, "present", f"the EV driver presents idTag {value}", idTag=value)
    message = await bench.claim("Charge Point", "StopTransaction", ordered=False)
    way, other_way = (BY_HAND, BY_ITSELF) if _was_stopped_by_hand(bench, message) else (BY_ITSELF, BY_HAND)
    table = [(path.removesuffix(way), cell) for path, cell in rows(datatable) if not path.endswith(other_way)]
    bench.judge(message, "StopTransaction.req", mismatches(message.payload, table, bench.value))


@then("connector {n:N} is Preparing or Finishing, unless it was reported Finishing before")
async def is_left_over(bench: Bench, n: str) -> None:
    """Since the boot. Who was Preparing and stays so has nothing new to tell (4.9): a remark."""
    connector = int(bench_text(bench, n))
    last = ""

    def look() -> str | None:
        nonlocal last
        for message in list(bench.wire.calls("Charge Point", "StatusNotification")):
            if (status := _reports(message, connector)) is not None:
                bench.take(message, ordered=False)
                last = status
        return last if last in ("Preparing", "Finishing") else None

    if "Finishing" in _statuses(bench, connector):
        look()
        return
    if await bench.wire.until(look, bench.loop.time() + bench.timeout) is None:
        told = _statuses(bench, connector)
        text = f"connector {connector} was not reported Preparing or Finishing when the transaction had ended"
        if told[-1:] != ["Preparing"]:
            missing = "StatusNotification.req Finishing"
            raise bench.blame("Charge Point", text, "StatusNotification", missing=missing)
        bench.remark(text, "OCPP 1.6 4.9", strict=True)


@then(
    "the Charge Point sends MeterValues.req for at least {n:N} samples that it took without connection, "
    "{duration:Duration} apart"
)
async def delivers_samples(bench: Bench, n: str, duration: str, datatable: Table = ()) -> None:
    """Every one that was due, in chronological order and before any newer one (3.7).

    The rows ``sampledValue.`` are about each of the values.

    Periodic samples only: clock-aligned ones have another context. Its clock is taken for what it showed when the
    transaction began.
    """
    apart, least = bench_seconds(bench, duration), int(bench_text(bench, n))
    outage = _Outage(bench)

    def is_complete() -> bool | None:  # the one taken last may come first
        came = [moment for _, moment in outage.samples()]
        return True if len(outage.without_connection(came)) >= least and not outage.flaw(came, apart) else None

    await bench.wire.until(is_complete, bench.loop.time() + apart + bench.timeout)
    found = outage.samples()
    for index in dict.fromkeys(message.index for message, _ in found):
        bench.take(Message(index, bench.wire.records[index]), ordered=False)
    for message, _ in found:
        judge_message(bench, message, datatable)
        for value in _sampled_values(message.payload):
            judge_value(bench, message, value, datatable)
    moments = [moment for _, moment in found]
    _judge_samples(bench, outage, moments, least, apart)
    _judge_order(bench, outage, moments)


class _Outage:
    """The time without connection, by the clock of the Charge Point."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        records = bench.wire.records
        lost, back = (_latest_stimulus(records, action) for action in ("lose_connection", "restore_connection"))
        reconnected = next(
            (each for each in records[back:] if each["kind"] == "connect" and each.get("status") == 101), records[back]
        )
        self._from = lost
        skew = self._skew()
        self.begin = parse_timestamp(records[lost]["timestamp"]) + skew
        self.end = parse_timestamp(reconnected["timestamp"]) + skew

    def _skew(self) -> timedelta:
        start = self._bench.wire.latest_claim("Charge Point", "StartTransaction")
        return parse_timestamp(start.payload["timestamp"]) - start.time if start else timedelta()

    def samples(self) -> list[tuple[Message, datetime]]:
        """The periodic samples that came since it began and were not taken before, in the order in which they came."""
        return [
            (message, moment)
            for message in messages(self._bench.wire.records, self._from)
            if message.type == "CALL" and message.action == "MeterValues"
            if message.payload.get("connectorId") == self._bench.connector
            for moment in _periodic_moments(message.payload)
            if moment > self.begin
        ]

    def without_connection(self, moments: Sequence[datetime]) -> list[datetime]:
        """The instants that lie in it, each once."""
        return sorted({moment for moment in moments if moment <= self.end})

    def flaw(self, moments: Sequence[datetime], apart: float) -> str | None:
        """Where the samples taken without connection are not so many seconds apart; None if they are."""
        slack = self._bench.device.limits.tolerance
        offline = self.without_connection(moments)
        for number, (before, after) in enumerate(pairwise([self.begin, *offline, self.end])):
            gap = (after - before).total_seconds()
            is_edge = number in (0, len(offline))
            if gap > apart + slack or (not is_edge and gap < apart - slack):
                where = "beside the time without connection" if is_edge else "between two samples"
                return f"{gap:g} s lie {where} of {after.isoformat()}, {apart:g} s are due"
        return None


def _judge_samples(bench: Bench, outage: _Outage, moments: Sequence[datetime], least: int, apart: float) -> None:
    offline = outage.without_connection(moments)
    if len(offline) < least:
        text = f"{len(offline)} samples taken without connection came, at least {least} were due"
        raise bench.blame("Charge Point", text, missing="MeterValues.req")
    if flaw := outage.flaw(moments, apart):
        raise bench.blame("Charge Point", flaw)


def _judge_order(bench: Bench, outage: _Outage, moments: Sequence[datetime]) -> None:
    latest = outage.begin
    for moment in moments:
        if moment < latest:
            text = f"the sample of {moment.isoformat()} was sent after that of {latest.isoformat()}"
            if latest > outage.end:
                raise bench.blame("Charge Point", text)
            bench.remark(text, "OCPP 1.6 3.7", strict=True)
        latest = max(latest, moment)


def _periodic_moments(payload: Payload) -> list[datetime]:
    try:
        return [
            parse_timestamp(entry["timestamp"])
            for entry in payload["meterValue"]
            if all(value.get("context", "Sample.Periodic") == "Sample.Periodic" for value in entry["sampledValue"])
        ]
    except (AttributeError, KeyError, TypeError, ValueError):
        return []  # the obligations speak of it


def _sampled_values(payload: Payload) -> Iterator[Payload]:
    for entry in payload.get("meterValue", []):
        yield from entry["sampledValue"]


def _reports(message: Message, connector: int) -> str | None:
    """The status that a request reports of a connector."""
    if message.action != "StatusNotification" or message.payload.get("connectorId") != connector:
        return None
    return str(message.payload.get("status"))


def _statuses(bench: Bench, connector: int) -> list[str]:
    """The statuses of a connector that were reported since the Charge Point booted."""
    told: list[str] = []
    for message in messages(bench.wire.records):
        if message.type == "CALL" and message.action == "BootNotification":
            told.clear()
        elif message.type == "CALL" and (status := _reports(message, connector)) is not None:
            told.append(status)
    return told


def _booted_before(bench: Bench, stop: Message) -> bool:
    """Whether the Charge Point has booted since something was last done, and before it stopped the transaction."""
    for record in reversed(bench.wire.records[: stop.index]):
        if record["kind"] == "stimulus":
            return False
        if record.get("action") == "BootNotification":
            return True
    return False


def _was_stopped_by_hand(bench: Bench, stop: Message) -> bool:
    """Whether the idTag was presented before, unless it says of itself that the idTag came too late."""
    before = bench.wire.records[: stop.index]
    is_presented = before[_latest_stimulus(before)]["action"] == "present"
    return is_presented and ("idTag" in stop.payload or stop.payload.get("reason") != "PowerLoss")


def _latest_stimulus(records: Sequence[Record], action: str | None = None) -> int:
    for index in range(len(records) - 1, -1, -1):
        if records[index]["kind"] == "stimulus" and action in (None, records[index]["action"]):
            return index
    raise OurError(f"nobody has done {action or 'anything'} in this case: a faulty feature")
