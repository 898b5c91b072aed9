"""A recording in both chairs: the records of a transcript come again, and what was done is not done but waited for.

The bench plays a test case as ever, on a loop whose time jumps. When nobody can run, the next record comes or time
becomes the next timer, whichever is earlier. Where the bench itself has written a record (a stimulus, what an operator
answered, the beginning of a sentence), the recording waits until the bench comes to it, and what crossed the wire
before it has come by then. No socket is opened and nobody is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Any

from bench.bench import Bench
from bench.connections import openings
from bench.operators import Outcome, Request
from bench.seats import ReferenceCentralSystem, SimulatedChargePoint
from bench.verdicts import CaseOver, Evidence, Inconclusive, OurError
from ocppj.clock import VIRTUAL_START, Calendar, JumpingSelector, VirtualLoop, parse_timestamp, timestamp
from ocppj.frames import Payload
from ocppj.transcript import BEFORE, BENCH, Record, Transcript, is_fact
from simulator.connector import Locked

OF_THE_BENCH = ("stimulus", "operator", BENCH, "end")
NEVER = 1e9  # seconds; whoever waits so long has set himself a limit
MOMENT = 0.002  # seconds, for timestamps are whole milliseconds


class Recording:
    """The records of a case, and how far they have come."""

    def __init__(self, records: Sequence[Record], start: datetime | None = None) -> None:
        """``start``: when the case began; None for the time of its first record."""
        self.records = list(records)
        self.came = 0  # how many have come
        own = [record for record in self.records if record["kind"] != BEFORE]
        self.start = start or min((_time(record) for record in own), default=None) or VIRTUAL_START
        self.end = max((self._at(record) for record in own), default=0.0)  # loop time of the last record
        self.is_whole = any(record["kind"] == "end" for record in self.records)

    @property
    def tells_steps(self) -> bool:
        """Whether it tells where the sentences began."""
        return any(record["kind"] == BENCH and record["event"] == "step" for record in self.records)

    def due(self) -> float:
        """The loop time of the next record, if it comes by itself."""
        if self.came == len(self.records) or self.records[self.came]["kind"] in OF_THE_BENCH:
            return inf
        return self._at(self.records[self.came])

    def ahead(self, kind: str, **told: object) -> int | None:
        """The place of the next record of a kind that tells so."""
        for place in range(self.came, len(self.records)):
            record = self.records[place]
            if record["kind"] == kind and all(record.get(name) == value for name, value in told.items()):
                return place
        return None

    def next_done(self) -> Record | None:
        """That a party has done what it was told to, if this is what the bench comes to next."""
        for record in self.records[self.came :]:
            if record["kind"] in OF_THE_BENCH and not (record["kind"] == BENCH and record["event"] == "fact"):
                return record if record.get("event") == "done" else None
        return None

    def forget_steps(self) -> None:
        """The sentences are others today: what comes is told by its time alone."""
        self.records[self.came :] = [
            record for record in self.records[self.came :] if record["kind"] != BENCH or record["event"] == "fact"
        ]

    def time_of(self, place: int) -> float:
        """The loop time of the record at a place."""
        return self._at(self.records[place])

    def _at(self, record: Record) -> float:
        return (_time(record) - self.start).total_seconds()


def _time(record: Record) -> datetime:
    return parse_timestamp(record["timestamp"])


class RecordedLoop(VirtualLoop):
    """A loop in whose idle moments the records come."""

    def __init__(self, calendar: Calendar, recording: Recording) -> None:
        self.transcript = RecordedTranscript(recording, self)
        super().__init__(calendar, recording.start, _Playing(self.transcript))


class _Playing(JumpingSelector):
    def __init__(self, transcript: "RecordedTranscript") -> None:
        super().__init__()
        self._transcript = transcript

    def pass_time(self, seconds: float) -> None:
        due = self._transcript.recording.due()
        if due <= self.elapsed + seconds:
            self.elapsed = max(self.elapsed, due)
            self._transcript.release()
        else:
            super().pass_time(seconds)


class RecordedTranscript(Transcript):
    """A transcript into which a recording comes. What the bench adds is found in the recording, with all before it."""

    def __init__(self, recording: Recording, loop: VirtualLoop) -> None:
        super().__init__()
        self.recording = recording
        self._loop = loop

    def release(self) -> Record:
        """Let the next record come."""
        record = self.recording.records[self.recording.came]
        self.recording.came += 1
        self.records.append(record)
        for listener in self.listeners:
            listener(record)
        return record

    def add(self, kind: str, **fields: object) -> Record:
        recording = self.recording
        match kind:
            case "stimulus":
                place = recording.ahead(kind, party=fields["party"], action=fields["action"])
            case "operator":
                place = recording.ahead(kind, action=fields["action"])
            case "bench" if fields["event"] == "step":
                place = recording.ahead(kind, event="step")
                if place is not None and recording.records[place]["text"] != fields["text"]:
                    recording.forget_steps()
                    place = None
            case "bench":  # done
                done = recording.next_done()
                place = None if done is None else recording.records.index(done, recording.came)
            case _:
                place = recording.ahead(kind)
                place = len(recording.records) - 1 if place is None and recording.due() < inf else place
        if place is not None:
            return self._come_to(place)
        if kind == "stimulus" and any(record["kind"] == kind for record in recording.records):
            words = str(fields["action"]).replace("_", " ")
            raise Inconclusive(f"the recording does not tell that this was done at the {fields['party']}: {words}")
        record = super().add(kind, **fields)
        if kind == "end":  # nobody has watched the wire any longer than this
            record["timestamp"] = timestamp(recording.start + timedelta(seconds=recording.end))
        return record

    def fact(self, name: str, tell: Callable[[], Any]) -> Any:
        """What was told of a party that is not here. Raises ``Inconclusive`` if nothing was."""
        recording = self.recording
        told = [record for record in self.records if is_fact(record, name)]
        place = recording.ahead(BENCH, event="fact", name=name)
        if place is not None and (not told or self._is_next(place)):
            return self._come_to(place)["value"]
        if not told:
            text = f"the recording does not tell what the sentence must know beside the wire: {name}"
            raise Inconclusive(text)
        return told[-1]["value"]

    def pass_boot(self) -> None:
        """Pass over a boot at the beginning and what belongs to it: it was no part of the case."""
        recording = self.recording
        calls = [place for place, record in enumerate(recording.records) if record.get("messageType") == "CALL"]
        if not calls or recording.records[calls[0]].get("action") != "BootNotification" or recording.tells_steps:
            return
        after = [place for place in calls if not _is_of_boot(recording.records[place])]
        until = after[0] if after else len(recording.records)
        while recording.came < until:
            self.release()
        self._loop.reach(recording.time_of(until - 1))
        self.records.clear()

    def _is_next(self, place: int) -> bool:
        """Whether nothing that the bench writes stands before a place, and no time passes until then."""
        between = self.recording.records[self.recording.came : place]
        return not any(record["kind"] in OF_THE_BENCH for record in between) and all(
            _time(record) <= self.recording.start + timedelta(seconds=self._loop.time() + MOMENT) for record in between
        )

    def _come_to(self, place: int) -> Record:
        record = self.recording.records[place]
        self._loop.reach(max(map(self.recording.time_of, range(self.recording.came, place + 1))))
        while self.recording.came <= place:
            self.release()
        return record


def _is_of_boot(call: Record) -> bool:
    if call["action"] == "StatusNotification":
        return call["payload"].get("status") in ("Available", "Unavailable")
    return call["action"] in ("BootNotification", "Heartbeat", "SecurityEventNotification")


class RecordedOperator:
    """Answers what the operator has answered then."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    async def ask(self, request: Request) -> Outcome:
        place = self._recording.ahead("operator", action=request.action)
        if place is not None:
            told = self._recording.records[place]
            return Outcome(told["answer"], told.get("words", ""), told.get("note", ""), told.get("by", ""))
        if any(record["kind"] == "operator" for record in self._recording.records):
            return Outcome("gave up", "the recording does not tell what the operator has answered")
        return Outcome("done")  # a recording without operators: whether it was done is seen on the wire


@dataclass(frozen=True)
class _Fault(Exception):
    """What has gone wrong in one of our parties then."""

    text: str

    def __repr__(self) -> str:
        return self.text


class _Recorded:
    """What both seats of a recording have in common: everything was done already."""

    def __init__(self, bench: Bench, recording: Recording) -> None:
        self._bench = bench
        self._recording = recording

    async def lose_connection(self) -> None:
        """The connection was lost."""

    async def restore_connection(self) -> None:
        """It could be made again."""

    async def wait_connected(self) -> None:
        """Come to where there was a connection; without one this never returns."""
        if self._recording.tells_steps and self._recording.next_done():
            return
        start = len(self._bench.wire.records)

        def connected() -> bool | None:
            records = self._bench.wire.records
            return any(each.is_granted for each in openings(records, start)) or _has_frame(records[start:]) or None

        await self._bench.wire.until(connected, self._bench.loop.time() + NEVER)

    def faults(self) -> list[BaseException]:
        """As the end of the recording tells them."""
        ends = [record for record in self._bench.wire.records if record["kind"] == "end"]
        return [_Fault(text) for record in ends for text in record.get("faults", [])]


def _has_frame(records: Sequence[Record]) -> bool:
    return any(record["kind"] == "frame" for record in records)


class RecordedChargePoint(_Recorded, SimulatedChargePoint):
    """Our Charge Point as it was: the one behind it is never switched on."""

    def __init__(self, bench: Bench, recording: Recording, charge_point: Any) -> None:
        SimulatedChargePoint.__init__(self, bench, charge_point, "")
        self._recording = recording
        charge_point.security.former_authorization_key = b""  # what it was is nobody's business any more

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        """It was sent."""

    async def do(self, action: str, payload: Payload, sentence: str) -> None:
        done = self._recording.next_done()
        if done is not None and "failure" in done:
            self._bench.transcript.add(BENCH, event="done", failure=done["failure"])
            raise self._bench.blame(self.party, str(Locked(done["failure"])))

    async def knock(self, **how: Any) -> None:
        """It was tried; where nobody tells when that was over, until its attempt is seen."""
        start = len(self._bench.wire.records)
        if self._recording.next_done() is None:
            deadline = self._bench.loop.time() + self._bench.timeout
            await self._bench.wire.until(lambda: next(openings(self._bench.wire.records, start), None), deadline)


class RecordedCentralSystem(_Recorded, ReferenceCentralSystem):
    """Our Central System as it was: the one behind it is never started."""

    def __init__(self, bench: Bench, recording: Recording, central_system: Any) -> None:
        ReferenceCentralSystem.__init__(self, bench, central_system)
        self._recording = recording

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        """It was sent, if there was a connection."""
        if self._recording.tells_steps and self._recording.next_done() is None:
            await self._wait_connected(self._bench.device.identity)


class DeviceThen:
    """What was known of a Charge Point under test, in place of ``ChargePointUnderTest``."""

    def __init__(self, bench: Bench, beginning: dict[str, Any]) -> None:
        self._bench = bench
        self._beginning = beginning
        self._configuration = {key.casefold(): str(it) for key, it in beginning.get("configuration", {}).items()}

    def configured(self, key: str) -> str | None:
        """The value that a configuration key had before the first case; None if it told of none."""
        return self._configuration.get(key.casefold())

    @property
    def connection_time_out(self) -> float:
        """Seconds that it waits for the EV driver (9.1.6), as far as it has told."""
        told = self.configured("ConnectionTimeOut") or ""
        return float(told) if told.isdigit() else inf

    def status(self, number: int) -> str | None:
        """The status that it had reported of a connector before the case."""
        status: str | None = self._beginning.get("statuses", {}).get(str(number))
        return status

    @property
    def is_connected(self) -> bool:
        """Whether it was connected at this place of the recording."""
        is_connected = bool(self._beginning.get("isConnected", True))
        granted = {opening.index for opening in openings(self._bench.wire.records) if opening.is_granted}
        for index, record in enumerate(self._bench.wire.records):
            if index in granted or record["kind"] == "frame":
                is_connected = True
            elif record.get("event") == "closed" or record.get("action") == "lose_connection":
                is_connected = False
        return is_connected

    async def wait_connected(self) -> None:
        """It was. Where another tool has recorded how it booted, the case begins after that."""
        transcript = self._bench.transcript
        if isinstance(transcript, RecordedTranscript) and not self._beginning:
            transcript.pass_boot()

    def was_done(self, action: str, payload: Payload) -> None:
        """Nobody does anything at it any more."""


def as_far_as_told(recording: Recording, over: CaseOver | None, at: float) -> CaseOver | None:
    """The end of a case whose steps were over at a loop time, if the recording tells enough to judge it by.

    A recording that was not watched to an end does not tell that something did not come. Where another tool, or an
    older version, has recorded, what our parties seem to have done wrong is what it has not told.
    """
    if isinstance(over, OurError) and not recording.tells_steps:
        text = f"the recording does not tell enough: {over}"
        return Inconclusive(text, Evidence(text, cause="the recording does not tell enough"))
    if recording.is_whole or isinstance(over, Inconclusive):
        return over
    ended = f"the recording ends at {timestamp(recording.start + timedelta(seconds=recording.end))}"
    if over is None and recording.tells_steps:
        text = f"{ended}, before the wire was watched to the end of the case"
    elif over is None or at <= recording.end + MOMENT:
        return over
    else:
        text = f"{ended}, and does not tell what came of this: {over}"
    return Inconclusive(text, Evidence(text, cause="the recording ends"))
