"""How long everything took that a transcript tells of, each time computed from the instants of its records alone.

A time is measured where the transcript is recorded, at our end of the wire: what the network takes is part of it.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from ocppj.clock import parse_timestamp
from ocppj.transcript import BEFORE, SENDERS, Party, Record, other

HANDS_THAT_BOOT = ("power_on", "restart", "lose_power", "regain_power")

# What a trigger asks for, where the action has another name (white paper 6.16).
TRIGGERED_BY_OTHER_NAMES = {
    ("ExtendedTriggerMessage", "FirmwareStatusNotification"): "SignedFirmwareStatusNotification",
    ("ExtendedTriggerMessage", "SignChargePointCertificate"): "SignCertificate",
}

# Kind -> what is read of each of its actions.
NAMES = {
    # From the CALL to the CALLRESULT or CALLERROR that answers it.
    "response": "{action}",
    # From the request to the message that shows its effect, where no hand was needed in between.
    "effect": "{action} to its effect",
    # From the connection, or from Reset.conf, to the BootNotification.conf that tells Accepted at once.
    "boot": "{action} to Accepted",
    # From the moment when the network is there again to the connection.
    "reconnection": "reconnection",
    # From the connection to the answer of the last transaction message of the time before.
    "queue": "emptying of the offline queue",
    # How much later than the interval says the next one comes; sooner, if below zero.
    "drift": "drift of {action}",
}


@dataclass(frozen=True, slots=True)
class Times:
    """All times of one kind (a key of ``NAMES``) and action, in seconds, in their order; there is at least one.

    ``party``: whose times they are. ``action``: as the wire has it, or what has drifted.
    """

    kind: str
    action: str
    party: Party
    times_s: tuple[float, ...]

    @property
    def name(self) -> str:
        """What these are the times of. The action may be anything that a device has sent."""
        return NAMES[self.kind].format(action=self.action)

    @property
    def count(self) -> int:
        return len(self.times_s)

    @property
    def shortest(self) -> float:
        return min(self.times_s)

    @property
    def median(self) -> float:
        return statistics.median(self.times_s)

    @property
    def p95(self) -> float:
        """The shortest that 95 of 100 do not exceed: one of the times, not something between two."""
        return sorted(self.times_s)[math.ceil(0.95 * self.count) - 1]

    @property
    def longest(self) -> float:
        return max(self.times_s)


def of_transcript(records: Sequence[Record], party: Party, heartbeat_interval: float | None = None) -> list[Times]:
    """What one transcript tells of a party. ``heartbeat_interval``: seconds, where the transcript does not tell it."""
    calls = _calls(records)
    found = [*responses(calls, party), *boots(records, calls, party)]
    if party == "Charge Point":
        found += effects(records, calls)
        found += reconnections(records)
        found += queues(records, calls)
        found += heartbeats(records, calls, heartbeat_interval)
        found += sampled_values(calls)
    return together(found)


def together(found: Iterable[Times]) -> list[Times]:
    """All times of a kind, an action and a party as one, in the order in which tables show them."""
    kinds = [*NAMES]
    gathered: dict[tuple[Party, str, str], list[float]] = defaultdict(list)
    for each in found:
        gathered[each.party, each.kind, each.action].extend(each.times_s)
    order = sorted(gathered, key=lambda key: (key[0] == "Charge Point", kinds.index(key[1]), key[2]))
    return [Times(kind, action, party, (*gathered[party, kind, action],)) for party, kind, action in order]


# A transcript read as CALLs with their answers


@dataclass(slots=True)
class Call:
    """A CALL at its place in the transcript, and what has answered it on the same connection, if anything."""

    index: int
    sender: Party
    action: str
    payload: dict[str, Any]
    at: datetime
    answer: Record | None = None

    @property
    def answered_at(self) -> datetime | None:
        return _at(self.answer) if self.answer is not None else None

    @property
    def conf(self) -> dict[str, Any]:
        """The payload of the CALLRESULT; empty if there is none."""
        is_result = self.answer is not None and self.answer.get("messageType") == "CALLRESULT"
        return _payload(self.answer) if is_result and self.answer is not None else {}


def _calls(records: Sequence[Record]) -> list[Call]:
    calls: list[Call] = []
    pending: dict[tuple[Party, str], Call] = {}
    for index, record in enumerate(records):
        if _changes_connection(record):
            pending.clear()
        elif record["kind"] in ("frame", BEFORE):
            sender, unique_id = SENDERS[record["direction"]], str(record.get("messageId"))
            if record.get("messageType") == "CALL":
                call = Call(index, sender, str(record.get("action")), _payload(record), _at(record))
                calls.append(call)
                pending[sender, unique_id] = call
            elif record.get("messageType") in ("CALLRESULT", "CALLERROR"):
                if (asked := pending.pop((other(sender), unique_id), None)) is not None:
                    asked.answer = record
    return calls


def responses(calls: Sequence[Call], party: Party) -> Iterator[Times]:
    """How long a party took to answer."""
    for call in calls:
        if call.sender != party and call.answered_at is not None:
            yield from _time("response", call.action, party, call.at, call.answered_at)


def boots(records: Sequence[Record], calls: Sequence[Call], party: Party) -> Iterator[Times]:
    """How long a Charge Point waits until it is accepted; what was refused first waits as long as it is told to."""
    by_place = {call.index: call for call in calls}
    connected: datetime | None = None
    reset: datetime | None = None
    for index, record in enumerate(records):
        call = by_place.get(index)
        if _opens(record):
            connected = _at(record)
        elif _is_by_hand(record):
            reset = None
        elif call and call.action == "Reset" and call.conf.get("status") == "Accepted":
            reset = call.answered_at
        elif call and call.action == "BootNotification":
            if call.conf.get("status") == "Accepted" and call.answered_at is not None:
                yield from _time("boot", "connection", party, connected, call.answered_at)
                if party == "Charge Point":
                    yield from _time("boot", "Reset", party, reset, call.answered_at)
            connected = reset = None


def effects(records: Sequence[Record], calls: Sequence[Call]) -> Iterator[Times]:
    """How long what the Central System asks for takes to show in a message of the Charge Point."""
    by_place = {call.index: call for call in calls}
    for call in calls:
        wanted = _effect_of(call) if _is_accepted(call) else None
        if wanted is None:
            continue
        for index in range(call.index + 1, len(records)):
            later = by_place.get(index)
            if _interferes(records[index], later, call):
                break
            if later is not None and _fits(later, *wanted):
                yield from _time("effect", call.action, "Charge Point", call.at, later.at)
                break


def _is_accepted(call: Call) -> bool:
    # 6.28: GetDiagnostics.conf has no status, but a file name if there is something to upload.
    return call.conf.get("status", "Accepted" if call.conf.get("fileName") else None) == "Accepted"


def _effect_of(call: Call) -> tuple[str, dict[str, Any]] | None:
    """The message, and what it must hold, that shows what a request asks for; None if nothing need show it."""
    asked = call.payload
    at = {"connectorId": asked["connectorId"]} if "connectorId" in asked else {}
    match call.action:
        case "RemoteStartTransaction":
            return "StartTransaction", at | {"idTag": asked.get("idTag")}
        case "RemoteStopTransaction":
            return "StopTransaction", {"transactionId": asked.get("transactionId")}
        case "TriggerMessage" | "ExtendedTriggerMessage":
            message = str(asked.get("requestedMessage"))
            return TRIGGERED_BY_OTHER_NAMES.get((call.action, message), message), at
        case "Reset":
            return "BootNotification", {}
        case "GetDiagnostics":
            return "DiagnosticsStatusNotification", {}
        case "GetLog":
            return "LogStatusNotification", {}
        case "ReserveNow":
            return "StatusNotification", at | {"status": "Reserved"}
        case "ChangeAvailability" if asked.get("type") == "Inoperative":
            return "StatusNotification", at | {"status": "Unavailable"}
    return None


def _interferes(record: Record, later: Call | None, call: Call) -> bool:
    """Whether what comes after it need not come from the request: a hand, another request, another connection."""
    if later is not None and later.sender == "Central System":
        return _effect_of(later) is not None
    return _is_by_hand(record) or (_changes_connection(record) and call.action != "Reset")


def _fits(later: Call, action: str, fields: Mapping[str, Any]) -> bool:
    if later.sender != "Charge Point" or later.action != action:
        return False
    return all(_same(later.payload.get(name), value) for name, value in fields.items())


def _same(one: object, another: object) -> bool:
    if isinstance(one, str) and isinstance(another, str):
        return one.casefold() == another.casefold()  # 7.28: idTags
    return one == another


def reconnections(records: Sequence[Record]) -> Iterator[Times]:
    """How long the Charge Point takes to connect when the network is there again."""
    restored: datetime | None = None
    for record in records:
        if record["kind"] == "stimulus" and record.get("action") == "restore_connection":
            restored = _at(record)
        elif record.get("action") == "lose_connection" or (
            _is_by_hand(record) and record.get("action") in HANDS_THAT_BOOT
        ):
            restored = None
        elif _opens(record):
            yield from _time("reconnection", "", "Charge Point", restored, _at(record))
            restored = None


def queues(records: Sequence[Record], calls: Sequence[Call]) -> Iterator[Times]:
    """How long the Charge Point takes, once connected, to tell of the transactions that went on without connection."""
    edges = [index for index, record in enumerate(records) if _changes_connection(record)]
    was_closed = False
    for edge, end in pairwise([*edges, len(records)]):
        if not _opens(records[edge]):
            was_closed = True
        elif was_closed:
            connected = _at(records[edge])
            sent = [call for call in calls if edge < call.index < end and call.sender == "Charge Point"]
            queued = [call for call in sent if (moment := _moment(call)) is not None and moment < connected]
            answered = [call.answered_at for call in queued if call.answered_at is not None]
            if queued and len(answered) == len(queued):
                yield from _time("queue", "", "Charge Point", connected, max(answered))


def _moment(call: Call) -> datetime | None:
    """When it happened what a transaction message tells."""
    if call.action in ("StartTransaction", "StopTransaction"):
        return _instant(call.payload.get("timestamp"))
    return _measured_at(call) if call.action == "MeterValues" and "transactionId" in call.payload else None


def heartbeats(records: Sequence[Record], calls: Sequence[Call], interval: float | None) -> Iterator[Times]:
    """How much later than its interval a Heartbeat.req comes.

    4.6 lets another message take its place, and so only those count between which nothing else is sent.
    """
    last: datetime | None = None
    by_place = {call.index: call for call in calls}
    for index, record in enumerate(records):
        call = by_place.get(index)
        if call is None:
            last = None if _changes_connection(record) or _is_by_hand(record) else last
        elif (told := _interval_told(call, "HeartbeatInterval")) is not None:
            interval, last = told, None
        elif call.action != "Heartbeat":
            last = None if call.sender == "Charge Point" or "Trigger" in call.action else last
        else:
            if last is not None and interval:
                yield Times("drift", "Heartbeat", "Charge Point", (_seconds(last, call.at, interval),))
            last = call.at


def sampled_values(calls: Sequence[Call]) -> Iterator[Times]:
    """How much later than the interval a value of a transaction is sampled than the one before."""
    interval: float | None = None
    last: dict[object, datetime] = {}
    for call in calls:
        if (told := _interval_told(call, "MeterValueSampleInterval")) is not None:
            interval, last = told, {}
        elif call.action == "MeterValues" and _contexts(call) == {"Sample.Periodic"}:
            transaction = str(call.payload.get("transactionId"))
            moment, before = _measured_at(call), last.get(transaction)
            if moment is None or "transactionId" not in call.payload:
                continue
            if before is not None and interval:
                yield Times("drift", "sampled values", "Charge Point", (_seconds(before, moment, interval),))
            last[transaction] = moment


def _interval_told(call: Call, key: str) -> float | None:
    """The interval that counts from this request on, in seconds, if it tells one."""
    if call.action == "BootNotification" and call.conf.get("status") == "Accepted" and key == "HeartbeatInterval":
        return seconds_told(call.conf.get("interval"))
    if call.action == "ChangeConfiguration" and call.conf.get("status") == "Accepted":
        return seconds_told(call.payload.get("value")) if _same(call.payload.get("key"), key) else None
    entries = call.conf.get("configurationKey") if call.action == "GetConfiguration" else None
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and _same(entry.get("key"), key):
            return seconds_told(entry.get("value"))
    return None


def _contexts(call: Call) -> set[str]:
    return {str(value.get("context", "Sample.Periodic")) for value in _values(call)}  # 7.43: the default


def _values(call: Call) -> Iterator[dict[str, Any]]:
    for entry in _entries(call):
        values = entry.get("sampledValue")
        yield from (value for value in (values if isinstance(values, list) else []) if isinstance(value, dict))


def _measured_at(call: Call) -> datetime | None:
    entry = next(_entries(call), {})
    return _instant(entry.get("timestamp"))


def _entries(call: Call) -> Iterator[dict[str, Any]]:
    entries = call.payload.get("meterValue")
    yield from (entry for entry in (entries if isinstance(entries, list) else []) if isinstance(entry, dict))


def _time(kind: str, action: str, party: Party, since: datetime | None, until: datetime) -> Iterator[Times]:
    # A calendar that was set back in between tells no time.
    if since is not None and until >= since:
        yield Times(kind, action, party, (_seconds(since, until),))


def _seconds(since: datetime, until: datetime, interval: float = 0.0) -> float:
    return (until - since - timedelta(seconds=interval)).total_seconds()


def _payload(record: Record) -> dict[str, Any]:
    payload = record.get("payload")
    return payload if isinstance(payload, dict) else {}


def _at(record: Record) -> datetime:
    return parse_timestamp(record["timestamp"])


def _instant(text: object) -> datetime | None:
    try:
        return parse_timestamp(text) if isinstance(text, str) else None
    except ValueError:
        return None


def seconds_told(value: object) -> float | None:
    """A number of seconds, be it told as text or not; 0 where none is told, for that says never."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    return float(value) if isinstance(value, int) and 0 <= value < 2**31 else None


def _changes_connection(record: Record) -> bool:
    """Whether a connection opened or closed; a refused attempt does neither."""
    return bool(record["kind"] == "connect" and record.get("status", 101) == 101)


def _opens(record: Record) -> bool:
    return _changes_connection(record) and record.get("event") != "closed"


def _is_by_hand(record: Record) -> bool:
    return record["kind"] in ("stimulus", "operator") and record.get("party") == "Charge Point"
