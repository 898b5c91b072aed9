"""The bench of one test case: what a step may ask for, and whose fault it is when it does not come."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

from bench.cases import Case
from bench.claims import Wire
from bench.connections import departure, openings
from bench.device import DEFAULT_DATA, Device
from bench.hands import unseen
from bench.messages import Message, answer_to, messages, open_calls, spans_connections, told_first
from bench.obligations import TELL_PROGRESS, Breach, breaches, clause_of
from bench.operators import CONFIRM, Operator, Outcome, Request
from bench.residue import Residue
from bench.surplus import CONSEQUENTIAL, QUEUED, SURPLUS, ends_for_no_reason, excuse
from bench.verdicts import (
    CaseOver,
    Crash,
    Difference,
    Evidence,
    Failed,
    Inconclusive,
    NotApplicable,
    OurError,
    Remark,
    Verdict,
    without_clauses,
)
from ocppj.clock import parse_timestamp, timestamp
from ocppj.errors import CallFailed
from ocppj.frames import Payload
from ocppj.peer import Script, Scripted, Silence
from ocppj.schemas import ACTIONS, Kind, faults, severe
from ocppj.secrets import masked
from ocppj.transcript import BENCH, Party, Record, Transcript, other

log = logging.getLogger(__name__)

NOTICED = 0.1  # seconds until the end of a connection is

# What a Charge Point answers at which hands have done nothing; any other refusal is its own.
AS_IF_UNTOUCHED = ("Accepted", "Unlocked")

NEVER_TOLD = "NewAuthorizationKey"  # no fact for a transcript: whoever needs it in a recording makes another

KEPT_OPEN = "OCPP-J 1.6 5.5"  # the connection is, for what the Central System may want

# Requests that come by themselves and explain nothing.
ROUTINE = frozenset({"Heartbeat", "MeterValues"})

# What a Charge Point tells when it does not go on at once (white paper L01.FR.13, 14, 16): it may, in any case.
PUT_OFF = ("DownloadPaused", "DownloadScheduled", "InstallScheduled")

# What a connector may go through on its way to a status (OCPP 1.6, 4.9), a real EV taking its time.
ON_THE_WAY = {
    "Charging": {"Preparing", "SuspendedEV", "SuspendedEVSE"},
    "SuspendedEVSE": {"SuspendedEV"},
    "Finishing": {"SuspendedEV", "SuspendedEVSE"},
    "Available": {"Finishing"},
}


class Seat(Protocol):
    """A party on the bench: ours, or somebody else's."""

    party: Party
    is_ours: bool
    script: Script | None

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        """Have the party send a request. Raises a kind of ``CaseOver`` if an operator could not."""
        ...

    async def do(self, action: str, payload: Payload, sentence: str) -> None:
        """Have something done at the party by hand. Raises a kind of ``CaseOver``."""
        ...

    def faults(self) -> list[BaseException]:
        """What went wrong inside a party of ours."""
        ...


@runtime_checkable
class Network(Protocol):
    """What a seat of ours is beside its party: the network between the two."""

    async def lose_connection(self) -> None:
        """Drop the connection; no other can be made."""
        ...

    async def restore_connection(self) -> None:
        """Let connections be made again."""
        ...

    async def wait_connected(self) -> None:
        """Wait until there is a connection."""
        ...


@dataclass(frozen=True, slots=True)
class Spared:
    """An assertion of a case that is taken out, which shows what nothing else of the case would have found.

    ``steps``: the numbers of its sentences, from 1. ``rows``: those of their tables, as ``path=cell``; none for all
    that the sentences assert. ``obligation``: the name of one.
    """

    steps: frozenset[int] = frozenset()
    rows: frozenset[str] = frozenset()
    obligation: str = ""

    def table(self, step: int, table: Sequence[Sequence[str]]) -> list[Sequence[str]]:
        """What is left of the table of a step."""
        return [row for row in table if step not in self.steps or "=".join(row) not in self.rows]


class Bench:
    """One test case on the bench."""

    def __init__(
        self,
        case: Case,
        device: Device,
        loop: asyncio.AbstractEventLoop,
        transcript: Transcript,
        operator: Operator,
    ) -> None:
        self.case = case
        self.device = device
        self.loop = loop
        self.transcript = transcript
        self.operator = operator
        self.wire = Wire(transcript)
        self.judged: Party = "Charge Point" if case.role == "CS" else "Central System"
        self.seats: dict[Party, Seat] = {}
        self.remarks: list[Remark] = []
        self.residue: list[Residue] = []  # of the cases before
        self.locations: dict[str, str] = {}  # the places on our file servers, by their names in sentences
        self.material: Mapping[str, Callable[[], object]] = {}  # keys and certificates, likewise, made when asked for
        self.security_profile = 0  # of the connection with which the case begins
        self.follows_white_paper = False  # whether the Charge Point under test has told of a SecurityProfile
        self.sentence = ""  # the step that is running
        self.reached: list[str] = []  # the steps that have begun
        self.spared: Spared | None = None
        self.ahead: tuple[str, ...] = ()  # the steps after this one that only look at the wire
        self.testimony: list[dict[str, str]] = []  # what the operator has told, as the results have it
        self.accepts_anyone = False  # whether the Central System accepts an idTag that nobody has told it of
        self.hands_are_proven = True  # whether anything that hands did in this run has shown on the wire
        self.gives_time = True  # whether a party gets a moment before something is done; in a trace nobody tells when
        self.is_clear = False  # whether the parties have left
        self.misbehaved = False  # whether a step had our party break the rules on purpose
        self.at_new_stage = False  # whether nothing was done since the latest Then
        self.allowed: list[Callable[[Message], bool]] = []  # what may come beside the case, told by a sentence
        self.status_delay = 0.0  # seconds by which a case has reports come later: MinimumStatusDuration (9.1.20)
        self._state: list[str] = []
        self.started = timestamp()  # when the case began, by the calendar of the play
        self._began = loop.time()
        self._cut_at = 0.0  # loop time at which the connection was cut
        self._frozen: list[Record] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._faults: list[BaseException] = []

    def begin_stage(self) -> None:
        """A sentence begins that answers nothing: let later claims look only at what comes from now on."""
        self.wire.raise_floor()
        self.at_new_stage = True

    @contextmanager
    def sparing(self) -> Iterator[None]:
        """Go on after a sentence that is spared, whatever it has found or remarked on."""
        is_spared = self.spared is not None and not self.spared.rows and len(self.reached) in self.spared.steps
        remarks = [*self.remarks]
        try:
            yield
        except CaseOver:
            if not is_spared:
                raise
        finally:
            if is_spared:
                self.remarks = remarks

    # What a sentence knows

    def value(self, name: str) -> object:
        """What a placeholder stands for. Raises ``Inconclusive`` for missing test data."""
        if "." not in name:
            if name in self.locations and name not in self.device.values:
                return self.transcript.fact(name, lambda: self.locations[name])
            known = {**self.locations, **self.device.values}
            if name in known:
                return known[name]
            if name not in self.material:
                raise self.missing(name)
            if name == NEVER_TOLD or name.endswith("SecurityProfile"):
                return self.material[name]()
            return self.transcript.fact(name, self.material[name])
        action, kind, *path = name.split(".")
        for message in self._latest_messages(action, kind):
            found: object = message.payload
            for step in path:
                found = found.get(step) if isinstance(found, dict) else None
            if found is not None:
                return found
        raise Inconclusive(f"no {action}.{kind} with {'.'.join(path)} was seen")

    @staticmethod
    def missing(name: str) -> CaseOver:
        """The end of the case because of test data that nobody has given."""
        option, what = f"--data {name}=...", "what the device knows"
        if name == "FirmwareUrl":
            option, what = "--data FirmwareFile=...", "an image that it can install"
        elif name in ("FirmwareSignature", "InvalidFirmwareSignature", "FirmwareSigningCertificate"):
            option = "--data FirmwareSignatureFile=... and --data FirmwareSigningCertificateFile=..."
            what = "what its manufacturer has signed the image with"
        elif name not in DEFAULT_DATA:
            return OurError(f"there is no test data of the name {name}: a faulty feature")
        text = f"test data is missing: give {option} with {what}"
        return Inconclusive(text, Evidence(text, advice=f"Play the case again with {option}"))

    @property
    def connector(self) -> int:
        """The connector that the case is about."""
        return int(str(self.value("ConnectorId")))

    @property
    def number_of_connectors(self) -> int:
        """How many connectors the Charge Point has, as far as we were told."""
        return int(str(self.value("NumberOfConnectors")))

    def begin(self) -> None:
        """The parties are seated and at rest: from here on it is the case."""
        self._began = self.loop.time()
        self.started = timestamp()

    @property
    def elapsed(self) -> float:
        """Seconds since the case began, virtual ones in a self-rehearsal."""
        return self.loop.time() - self._began

    @property
    def timeout(self) -> float:
        """Seconds in which a message must come."""
        return self.device.limits.message_timeout

    @property
    def settle_time(self) -> float:
        """Seconds until what comes by itself has come: after the last step, for instance, a surplus message."""
        return self.device.limits.settle_time

    @property
    def long_timeout(self) -> float:
        """Seconds in which a long operation, such as a reboot, must show."""
        return self.device.limits.long_operation_timeout

    def reported_configuration(self) -> Iterator[Payload]:
        """The configuration keys that the Charge Point has reported, the latest report of each first."""
        for message in self._latest_messages("GetConfiguration", "conf"):
            yield from message.payload.get("configurationKey", [])

    def longest_configuration(self) -> list[Payload]:
        """The longest list of configuration keys that the Charge Point has reported."""
        lists = [
            message.payload.get("configurationKey", []) for message in self._latest_messages("GetConfiguration", "conf")
        ]
        return max(lists, key=len, default=[])

    def latest_report(self, connector: int) -> Message:
        """The StatusNotification of a connector that was claimed last."""
        report = self.wire.latest_claim("Charge Point", "StatusNotification", connector)
        if report is None:
            raise OurError(f"no report of connector {connector} was claimed: a faulty feature")
        return report

    def status_told(self, connector: int, before: int) -> object:
        """The status that was last reported of a connector, claimed or not, before a place of the transcript."""
        for message in self._latest_messages("StatusNotification", "req"):
            if message.index < before and message.payload.get("connectorId") == connector:
                return message.payload.get("status")
        return None

    # Whose fault

    def blame(
        self,
        party: Party,
        text: str,
        action: str = "",
        *,
        frame: int | None = None,
        missing: str = "",
        nearest: Message | None = None,
        differences: Sequence[Difference] = (),
    ) -> CaseOver:
        """The end of the case because of what a party did or did not do, for a message the action it is about.

        ``frame``: the place of what is wrong in the transcript. ``missing``: what was waited for in vain, and
        ``nearest`` what came that resembles it most.
        """
        if party != self.judged and (left := self._left()):
            return self._gone(left)
        reason = f"{f'in state {self._state[-1]}: ' if self._state else ''}{text}"
        told, clauses = without_clauses(reason)
        evidence = Evidence(
            told,
            clauses,
            tuple(differences),
            missing,
            frame,
            until=len(self.records),
            nearest=str(nearest) if nearest else "",
            cause="" if differences else without_clauses(text)[0],
        )
        if party == self.judged:
            return self._blame_judged(reason, evidence, action)
        if disturbance := self._disturbance():
            advice = f"See first to what came before: {disturbance}."
            reason = f"{reason}; before that {disturbance}"
            return Inconclusive(reason, replace(evidence, text=reason, advice=advice, cause=disturbance))
        return OurError(reason, evidence)

    def _blame_judged(self, reason: str, evidence: Evidence, action: str) -> CaseOver:
        """The end of the case because of the judged party. It has failed, unless hands may have done nothing."""
        is_as_before = any(each.seen in AS_IF_UNTOUCHED for each in evidence.differences)
        is_refused = evidence.frame is not None and not is_as_before
        if not self.hands_are_proven and not is_refused and (done := unseen(self.wire.records)):
            told = f"the {self.judged} was told ({', '.join(done)}) and sent nothing, as far as hands go"
            text = f"{told}: {evidence.text}"
            advice = "See whether it was really done, and at this Charge Point: nothing on the wire has shown it."
            return Inconclusive(text, replace(evidence, text=text, advice=advice, cause="told, sent nothing"))
        if "(white paper" in reason:
            return Failed(reason, evidence)
        section = clause_of(action)
        ours = (section,) if section else self.case.clauses
        evidence = replace(evidence, clauses=(*evidence.clauses, *ours))
        return Failed(f"{reason} ({', '.join(ours)})" if ours else reason, evidence)

    def _gone(self, left: str) -> Failed:
        """The end of the case because the judged party is no longer there, whatever was waited for."""
        reason = f"in state {self._state[-1]}: {left}" if self._state else left
        advice = f"Look up in the log of the {self.judged} why it ended the connection, or did not admit one."
        evidence = Evidence(reason, (KEPT_OPEN,), until=len(self.records), advice=advice, cause=left)
        return Failed(f"{reason} ({KEPT_OPEN})", evidence)

    def remark(self, text: str, clause: str = "", *, strict: bool = False) -> None:
        """Note something beside the verdict."""
        remark = Remark(text, clause, strict)
        if remark not in self.remarks:
            self.remarks.append(remark)

    def sent_nothing(self, party: Party, action: str) -> CaseOver:
        """The end of the case because an operator said done and nothing came."""
        if left := self._left():
            return self._gone(left)
        text = f"the {party} was told to send {action}.req and sent nothing in {self.timeout:g} s"
        advice = (
            f"See whether what the operator did has reached the {party}; if it takes longer, give it the time with "
            "--data MessageTimeout=SECONDS."
        )
        nearest = self._nearest(party, action)
        seen = str(nearest) if nearest else ""
        return Inconclusive(text, Evidence(text, until=len(self.records), nearest=seen, advice=advice))

    @contextmanager
    def state(self, name: str) -> Iterator[None]:
        """Name the state that is being reached, for the reason of a failure."""
        self._state.append(name)
        yield
        self._state.pop()

    def _disturbance(self) -> str | None:
        """What the judged party did that may have led ours astray."""
        for message in messages(self.wire.records):
            if message.sender == self.judged and message.type == "CALLERROR":
                return f"the {self.judged} answered {message}"
        for message in self.wire.unclaimed():
            is_passed = message.index < self.wire.floor  # no sentence to come can claim it
            if is_passed and message.sender == self.judged and message.action in CONSEQUENTIAL[self.judged]:
                return f"the {self.judged} sent {message}"
        for record in reversed(self.wire.records):
            if record["kind"] == "stimulus" and record["party"] == "Charge Point":
                break
            if record["kind"] == "connect" and record.get("event") == "closed":
                return "the connection was closed"
        for record in self.wire.records:
            if "failure" in record and record["kind"] == "file" and record["location"] not in self._masked_locations():
                return f"the {record['operation']} failed at {record['location']}: {record['failure']}"
        severe = [breach for breach in self._breaches() if breach.party == self.judged and breach.severe]
        return f"the {self.judged} broke a rule: {severe[0]}" if severe else None

    def _masked_locations(self) -> set[str]:
        return {masked(location) for location in self.locations.values()}

    # Doing

    async def send(self, party: Party, action: str, payload: Payload, sentence: str) -> None:
        """Have a party send a request."""
        self.transcript.add("stimulus", party=party, action=action, payload=payload, sentence=sentence)
        await self.seats[party].request(action, payload, sentence)
        self._was_done()

    async def do(self, party: Party, action: str, payload: Payload, sentence: str) -> None:
        """Have something done at a party.

        A device of somebody else gets a moment first: what it sends by then is no answer to what is about to be done.
        """
        if not self.seats[party].is_ours and self.at_new_stage:
            await asyncio.sleep(self.settle_time if self.gives_time else 0)
            self.wire.raise_floor()
        self.at_new_stage = False
        self.transcript.add("stimulus", party=party, action=action, payload=payload, sentence=sentence)
        await self.seats[party].do(action, payload, sentence)
        self._was_done()

    def _was_done(self) -> None:
        """Note when a party has done what it was told to: from here on the steps wait."""
        self.transcript.add(BENCH, event="done")

    @property
    def _network(self) -> Network:
        """The network, which is ours at the seat that is not judged."""
        seat = self.seats[other(self.judged)]
        if not isinstance(seat, Network):
            raise OurError(f"the connection at the {other(self.judged)} is not ours to cut")
        return seat

    async def cut_connection(self, sentence: str) -> None:
        """Be the network that fails: the socket is dropped and no other is admitted. Nobody is asked to do it."""
        self.transcript.add("stimulus", party="Charge Point", action="lose_connection", payload={}, sentence=sentence)
        self._cut_at = self.loop.time()
        await self._network.lose_connection()
        self._was_done()
        if self.device.is_external:
            await asyncio.sleep(self.settle_time)  # until the other side has noticed
        self.at_new_stage = False

    async def restore_network(self, sentence: str) -> None:
        """Be the network that works again."""
        action = "restore_connection"
        self.transcript.add("stimulus", party="Charge Point", action=action, payload={}, sentence=sentence)
        await self._network.restore_connection()

    async def wait_connected(self) -> None:
        """Wait until there is a connection again. Ends the case if there is none."""
        # Whoever doubles its back-off (OCPP-J errata 3.4) is back after as long again as the connection was lost.
        limit = self.long_timeout + (self.loop.time() - self._cut_at)
        try:
            async with asyncio.timeout(limit):
                await self._network.wait_connected()
        except TimeoutError:
            did = "did not connect again" if self.judged == "Charge Point" else "admitted no connection again"
            text = f"the {self.judged} {did} in {limit:g} s (LongOperationTimeout, and the time without connection)"
            raise self.blame(self.judged, text) from None
        self._was_done()

    async def ask_operator(self, party: Party, action: str, payload: Payload, sentence: str) -> None:
        """Ask the operator of an external party. Raises a kind of ``CaseOver`` if it was not done."""
        outcome = await self._asked(party, action, payload, sentence)
        told = {"note": outcome.note} if outcome.note else {}
        self.transcript.add("operator", party=party, action=action, answer=outcome.answer, words=outcome.words, **told)
        if outcome.note:
            self._testify(sentence, outcome.answer, outcome)
        if outcome.answer == "device cannot":
            raise self.blame(party, outcome.words) if party == self.judged else Inconclusive(outcome.words)
        if outcome.answer != "done":
            if left := await self._waited_for():
                raise self._gone(left)  # nobody could have done it
            advice = "Have it done: answer at a terminal, or give a program with --operator command:PROGRAM."
            # What was asked for stands behind the colon, and differs from case to case.
            raise Inconclusive(outcome.words, Evidence(outcome.words, advice=advice, cause=outcome.words.split(":")[0]))

    async def may_confirm(self, statement: str) -> None:
        """Ask whoever can see the Charge Point under test whether it is so. Ends the case if it is not.

        No test case demands it: where nobody can tell, the wire alone judges.
        """
        if self.judged != "Charge Point":
            return
        told: Payload = {"statement": statement}
        if self.seats[self.judged].is_ours:
            outcome = Outcome("gave up", "in a self-rehearsal nobody is asked")
        else:
            outcome = await self._asked(self.judged, CONFIRM, told, f"{statement}: is it so?")
            answer = {"done": "confirmed", "denied": "denied"}.get(outcome.answer, "not known")
            self._testify(statement, answer, outcome)
        self.transcript.add(
            "operator",
            party=self.judged,
            action=CONFIRM,
            payload=told,
            sentence=self.sentence,
            answer=outcome.answer,
            words=outcome.words,
            **{name: it for name, it in (("note", outcome.note), ("by", outcome.by)) if it},
        )
        if outcome.answer == "denied":
            by = outcome.by or "the operator"
            more = f" ({outcome.note or outcome.words})" if outcome.note or outcome.words else ""
            raise self.blame(self.judged, f"{by} says that it is not so: {statement}{more}")
        if outcome.answer != "done" and not self.seats[self.judged].is_ours:
            self.remark(f"nobody has confirmed that {statement}: the wire alone judges")

    async def _asked(self, party: Party, action: str, payload: Payload, sentence: str) -> Outcome:
        limit = self.device.operator_timeout
        case, identity = self.case.id, self.device.identity
        return await self.operator.ask(Request(party, action, payload, sentence, case, identity, limit, self.ahead))

    def _testify(self, asked: str, answer: str, outcome: Outcome) -> None:
        told = {"asked": asked, "answer": answer, "words": outcome.words, "note": outcome.note, "by": outcome.by}
        self.testimony.append(told)

    def answer_next(self, party: Party, action: str, answer: Scripted) -> None:
        """Have a party of ours answer the next request of an action otherwise. Raises ``OurError`` for one not ours."""
        script = self.seats[party].script
        if script is None:
            raise OurError(f"the {party} is not ours: nobody can prescribe its answers")
        script.answer_next(action, answer)
        self.misbehaved = self.misbehaved or isinstance(answer, Silence)

    def in_background(self, work: Coroutine[object, object, object]) -> None:
        """Let work of a party of ours go on while the steps look at the wire."""

        async def run() -> None:
            try:
                await work
            except CallFailed as failure:
                log.debug("%s", failure)  # the wire shows it
            except Exception as fault:
                self._faults.append(fault)

        task = self.loop.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Seeing

    async def claim(
        self,
        sender: Party,
        action: str,
        *,
        connector: int | None = None,
        status: str = "",
        within: float | None = None,
        ordered: bool = True,
        why: str = "",
    ) -> Message:
        """Claim the next request of a party; for reports, of one connector. Ends the case if none comes.

        ``status``: the one that is waited for; a report that only repeats another is passed over. ``why``: the clause
        that has the request come, where it is not the one about its action.
        """
        limit = self._patience(sender, within)
        deadline = self.loop.time() + limit
        message = await self.wire.next_call(sender, action, self._about(connector, status), deadline)
        if message is None:
            where = f" for connector {connector}" if connector is not None else ""
            due = f", which is due by {why}" if why else ""
            time = f" in {limit:g} s" if limit else ""  # a step may have waited before
            text = f"the {sender} sent no {action}.req{where}{time}{due}{self._too_early(sender, action)}"
            text += self._closings(self.wire.floor) + self._instead(sender)
            nearest = self._nearest(sender, action)
            raise self.blame(sender, text, action, missing=f"{action}.req", nearest=nearest)
        self.take(message, ordered=ordered)
        return message

    async def claim_if_any(
        self, sender: Party, action: str, *, connector: int | None = None, within: float, ordered: bool = False
    ) -> Message | None:
        """Claim the next request of a party if it comes in time."""
        message = await self.wire.next_call(sender, action, self._about(connector), self.loop.time() + within)
        if message is not None:
            self.take(message, ordered=ordered)
        return message

    async def claim_asked(self, sender: Party, action: str, is_it: Callable[[Message], bool], since: int) -> Message:
        """Claim the request that an operator was asked for, from a place of the transcript on.

        What the device sends of its own accord is not taken for it: the first that is as it was asked for is the one.
        If there is none, another may be meant. Ends the case if nothing comes.
        """
        deadline = self.loop.time() + self.timeout

        def comes(message: Message) -> bool:
            return message.index >= since

        message = await self.wire.next_call(sender, action, comes, deadline)
        if message is None:
            raise self.sent_nothing(sender, action)
        if not is_it(message):
            deadline = min(deadline, self.loop.time() + self.settle_time)
            fitting = await self.wire.next_call(sender, action, lambda it: comes(it) and is_it(it), deadline)
            if fitting is not None and action in CONSEQUENTIAL[sender]:
                text = f"the {sender} sent {message}, which it was not asked for"
                raise self.blame(sender, text, action, frame=message.index)
            message = fitting or message
        self.take(message, ordered=False)
        return message

    def _patience(self, sender: Party, within: float | None) -> float:
        """Seconds to wait for a request. Ours comes when the judged party has answered those before it."""
        limit = self.timeout if within is None else within
        limit += self.status_delay if sender == "Charge Point" else 0.0
        return limit if sender == self.judged else limit + 3 * self.timeout

    def take(self, message: Message, *, ordered: bool = True) -> None:
        """Claim a message that was found. Ends the case if it came before one that is listed before it."""
        overtaken = self.wire.claim(message, ordered=ordered)
        if message.action == "BootNotification":
            self.wire.raise_floor(message)  # what came before it tells nothing of the Charge Point since
        self._check(message, message.action, "req")
        if message.action == "MeterValues" and self._is_told_already(message):
            text = f"the {message.sender} sent {message} once more, which was confirmed before"
            raise self.blame(message.sender, text, message.action, frame=message.index)
        if overtaken is None:
            return
        text = f"the {message.sender} sent {message.action}.req before {overtaken.action}.req"
        if "StatusNotification" not in (message.action, overtaken.action):
            raise self.blame(message.sender, text, message.action, frame=message.index)
        # The specification ties a report to no other message; the test case lists it in its place.
        if message.sender == self.judged:
            self.remark(text, "OCPP 1.6 4.9", strict=True)

    async def answer(self, party: Party, action: str) -> Message:
        """The answer of a party to the request that was claimed last, which must be of that action."""
        call = self.wire.latest_claim(other(party))
        if call is None or call.action != action:
            found = call.action if call else "nothing"
            raise OurError(f"the step speaks of {action}.conf, the request claimed last is {found}: a faulty feature")
        return await self.answer_to(call)

    async def answer_to(self, call: Message) -> Message:
        """The answer to a request. Ends the case if none comes."""
        party = other(call.sender)
        answer = await self.wire.answer(call, self.loop.time() + self.timeout)
        if answer is None and call.sender == self.judged and call.action in QUEUED and self._was_cut_short(call):
            call = await self._sent_again(call)
            answer = await self.wire.answer(call, self.loop.time() + self.timeout)
        if answer is None:
            text = f"the {party} did not answer {call.action}.req in {self.timeout:g} s{self._closings(call.index)}"
            missing = f"answer to {call.action}.req"
            raise self.blame(party, text, call.action, frame=call.index, missing=missing)
        return answer

    def _was_cut_short(self, call: Message) -> bool:
        """Whether its connection ended before the time for an answer was over: who has let that pass is to blame."""
        ends = (record for record in self.wire.records[call.index :] if record.get("event") == "closed")
        end = next(ends, None)
        return end is not None and (parse_timestamp(end["timestamp"]) - call.time).total_seconds() < self.timeout

    async def _sent_again(self, call: Message) -> Message:
        """The repetition of a request that the end of its connection left unanswered (3.7), claimed."""
        deadline = self.loop.time() + self._patience(call.sender, self.long_timeout)
        again = await self.wire.next_call(call.sender, call.action, lambda it: it.payload == call.payload, deadline)
        if again is None:
            text = f"{call.action}.req was not answered before the connection ended, and not sent again (OCPP 1.6 3.7)"
            raise self.blame(call.sender, text, frame=call.index, missing=f"{call.action}.req")
        self.take(again, ordered=False)
        return again

    async def conf(self, party: Party, action: str) -> Message:
        """The CALLRESULT of a party to the request that was claimed last. Ends the case if it is none."""
        return self.as_conf(await self.answer(party, action), action)

    async def conf_to(self, call: Message) -> Message:
        """The CALLRESULT that answers a request. Ends the case if it is none."""
        return self.as_conf(await self.answer_to(call), call.action)

    def as_conf(self, answer: Message, action: str) -> Message:
        """An answer that must be a CALLRESULT, and one of its action."""
        if answer.type != "CALLRESULT":
            follows = self.security_profile or self.follows_white_paper
            if action == "UpdateFirmware" and follows and answer.error["code"] == "NotSupported":
                text = "UpdateFirmware.req is refused, as the white paper has it (L01.FR.20)"
                again = "rehearse this case with --security-profile 0"
                raise Inconclusive(f"{text}: {again if self.security_profile else 'the test case wants it accepted'}")
            text = f"the {answer.sender} answered {action}.req with {answer}"
            raise self.blame(answer.sender, text, action, frame=answer.index)
        self._check(answer, action, "conf")
        return answer

    def _check(self, message: Message, action: str, kind: Kind) -> None:
        if self.misbehaved and message.sender != self.judged:
            return
        found = severe(faults(action, kind, message.payload)) if action in ACTIONS else []
        self.judge(message, f"{action}.{kind}", [str(fault) for fault in found])

    def judge(self, message: Message, name: str, found: Sequence[str | Difference]) -> None:
        """End the case if a message is not as it should be."""
        if found:
            text = f"{name} of the {message.sender}: {'; '.join(map(str, found))}"
            differences = [each for each in found if isinstance(each, Difference)]
            action = name.partition(".")[0]
            raise self.blame(message.sender, text, action, frame=message.index, differences=differences)

    async def silence(self, sender: Party, duration: float, action: str | None = None) -> None:
        """End the case if a party sends a request (of an action) in a time. Claims nothing."""
        start = len(self.wire.records)
        await asyncio.sleep(duration)
        for message in messages(self.wire.records, start):
            if message.type == "CALL" and message.sender == sender and action in (None, message.action):
                text = f"the {sender} sent {message} where nothing was due for {duration:g} s"
                raise self.blame(sender, text, message.action, frame=message.index)

    async def reports_above(self, connector: int) -> list[Message]:
        """The unclaimed reports of connectors above one that have come, claimed; nothing is waited for in vain."""
        if not self.seats["Charge Point"].is_ours:
            await asyncio.sleep(self.settle_time)
        found = [
            message
            for message in self.wire.calls("Charge Point", "StatusNotification")
            if message.payload.get("connectorId", 0) > connector
        ]
        for message in found:
            self.take(message, ordered=False)
        return found

    async def reaches(
        self, connector: int, *statuses: str, within: float | None = None, by_way_of: Collection[str] = ()
    ) -> list[Message]:
        """Wait for a report that a connector has one of these statuses, sooner or later.

        The reports until then, in order; the last is the one waited for. Only the first of the statuses has its place
        among the other messages. Ends the case on any other way than those there are from one status to the next, and
        if a Central System under test does not take a report.
        """
        due = " or ".join(statuses)
        on_the_way = set(by_way_of).union(*(ON_THE_WAY.get(each, ()) for each in (*by_way_of, *statuses)))
        deadline = self.loop.time() + self._patience("Charge Point", within)
        reports: list[Message] = []
        while True:
            fits = self._about(connector, *statuses)
            message = await self.wire.next_call("Charge Point", "StatusNotification", fits, deadline)
            if message is None:
                passed = ", ".join(report.payload["status"] for report in reports)
                way = f" (it went through {passed})" if passed else ""
                instead = self._instead("Charge Point")
                text = f"connector {connector} was not reported {due} in time{way}{instead}"
                nearest = reports[-1] if reports else self._nearest("Charge Point", "StatusNotification")
                raise self.blame("Charge Point", text, missing=f"StatusNotification.req {due}", nearest=nearest)
            reported = str(message.payload.get("status"))
            self.take(message, ordered=reported == statuses[0])
            reports.append(message)
            if self.judged == "Central System":
                await self.conf_to(message)
            if reported in statuses:
                return reports
            if reported not in on_the_way:
                text = f"connector {connector} is {reported}, expected {due}"
                wrong = Difference("status", expected=due, seen=reported)
                raise self.blame("Charge Point", text, frame=message.index, differences=[wrong])

    def _about(self, connector: int | None, *statuses: str) -> Callable[[Message], bool]:
        def fits(message: Message) -> bool:
            if connector is not None and message.payload.get("connectorId") != connector:
                return False
            reported = message.payload.get("status")
            if (
                message.action == "SignedFirmwareStatusNotification"
                and reported in PUT_OFF
                and reported not in statuses
            ):
                return False
            if message.action in TELL_PROGRESS and reported == "Idle" and any(statuses) and reported not in statuses:
                return False  # 4.4, 4.5: told unasked it is a remark, and no end of what is going on
            if connector is None and message.action == "StatusNotification" and any(statuses):
                return reported in statuses  # of whichever connector: the others have lives of their own
            # 4.9 has a report for each change and forbids none without one, for a new info or errorCode for instance.
            return not any(statuses) or reported in statuses or reported != self._reported_before(message)

        return fits

    def repeats(self, report: Message) -> bool:
        """Whether a report tells the status that the one before it has told."""
        return bool(report.payload.get("status") == self._reported_before(report))

    def _reported_before(self, report: Message) -> object:
        """The status that a report of the same connector has told before, since the boot; None if there is none.

        For the progress of a transfer (4.4, 4.5), the status told before, whether or not there was a boot since: who
        goes on after a pause (white paper L01.FR.14) tells what he does once more.
        """
        for record in reversed(self.wire.records[: report.index]):
            if record["kind"] != "frame" or record.get("messageType") != "CALL":
                continue
            told = record["payload"]
            if record["action"] == report.action != "StatusNotification" and told.get("status") not in PUT_OFF:
                return told.get("status")
            if report.action != "StatusNotification":
                continue
            if record["action"] == "BootNotification":
                return None
            if record["action"] == "StatusNotification" and told.get("connectorId") == report.payload["connectorId"]:
                return told.get("status")
        return None

    def sent_since(self, stimulus: str, sender: Party, action: str) -> Message | None:
        """The first request of a party since something was last done by hand, claimed or not."""
        places = [index for index, record in enumerate(self.wire.records) if record.get("action") == stimulus]
        stimuli = [index for index in places if self.wire.records[index]["kind"] == "stimulus"]
        if not stimuli:
            raise OurError(f"nobody has done {stimulus} in this case: a faulty feature")
        for message in messages(self.wire.records, stimuli[-1]):
            if message.type == "CALL" and (message.sender, message.action) == (sender, action):
                return message
        return None

    def _closings(self, since: int) -> str:
        codes = [record["code"] for record in self.wire.records[since:] if record.get("event") == "closed"]
        if not codes:
            return ""
        times = "once" if len(codes) == 1 else f"{len(codes)} times"
        stays = " and not opened again" if self._left() else ""
        return f"; the connection was closed {times} meanwhile (code {codes[-1]}){stays}"

    async def _waited_for(self) -> str:
        """The same as ``_left``, once a party whose connection has ended had its time to make another."""
        deadline = self.loop.time() + self.timeout
        was_open = self.judged == "Charge Point"
        await asyncio.sleep(NOTICED)
        await self.wire.until(lambda: departure(self.wire.records, was_open=was_open) is None or None, deadline)
        return self._left()

    def _left(self) -> str:
        """How the judged party has dropped off, if it has; empty if it is there, or if it was us who cut it off."""
        tried = [*openings(self.wire.records)]
        if self.judged == "Central System" and tried and not any(opening.is_granted for opening in tried):
            return f"the Central System refuses the connection: {tried[-1]}"
        left = departure(self.wire.records, was_open=self.judged == "Charge Point")
        if left is None:
            return ""
        gone = (datetime.now(UTC) - parse_timestamp(left.record["timestamp"])).total_seconds()
        if gone < self.timeout and not left.refusal:
            return ""  # it has hardly had the time
        refusal = f"; the latest attempt: {left.refusal}" if left.refusal else ""
        ended = f"the connection to the {self.judged} ended (code {left.code})"
        return f"{ended} and was not made again within {gone:.0f} s{refusal}"

    def _too_early(self, sender: Party, action: str) -> str:
        early = any(
            message.index < self.wire.floor and (message.sender, message.action) == (sender, action)
            for message in self.wire.unclaimed()
        )
        return f"; {action}.req came before what should have led to it" if early else ""

    def _instead(self, sender: Party) -> str:
        came = [str(message) for message in self.wire.calls(sender) if message.action not in ROUTINE]
        return f"; instead came {', '.join(came[:3])}" if came else ""

    def _nearest(self, sender: Party, action: str) -> Message | None:
        """What came of a party and resembles most a request that did not: one of its action, or what came instead."""
        unclaimed = [message for message in self.wire.unclaimed() if message.sender == sender]
        alike = [message for message in unclaimed if message.action == action]
        instead = [message for message in self.wire.calls(sender) if message.action not in ROUTINE]
        return alike[-1] if alike else next(iter(instead), None)

    def _latest_messages(self, action: str, kind: str) -> Iterator[Message]:
        for message in reversed(list(messages(self.wire.records))):
            if message.type == "CALL" and message.action == action:
                if kind == "req":
                    yield message
                elif answer := answer_to(message, self.wire.records):
                    yield answer

    # The end

    async def settle(self) -> None:
        """Wait until no CALL is open, and a little for what nobody expects."""
        deadline = self.loop.time() + self.timeout + self.settle_time
        await asyncio.sleep(self.settle_time if self.gives_time else 0)
        await self.wire.until(lambda: None if open_calls(self.wire.records) else True, deadline)

    def _own_faults(self) -> list[BaseException]:
        """What went wrong inside parties of ours."""
        return [*self._faults, *(fault for seat in self.seats.values() for fault in seat.faults())]

    def end_watch(self) -> None:
        """Note until when the wire was watched, and what went wrong beside it."""
        told = {"faults": [masked(repr(fault)) for fault in found]} if (found := self._own_faults()) else {}
        self.transcript.add("end", **told)

    def conclude(self, over: CaseOver | None) -> CaseOver | None:
        """The end of the case, from how its steps ended and from what holds in every case; None is a pass.

        A breach of an obligation by the judged party counts even if its case got nowhere for another reason.
        """
        if isinstance(over, NotApplicable):
            return over
        ours = self._own_faults()
        if ours and not isinstance(over, OurError):
            over = OurError(f"our own code failed: {ours[0]!r}")
        if isinstance(over, Crash):  # perhaps on something that nobody should have been sent
            broken = self._broken_obligation(None)
            return broken if isinstance(broken, Failed) else over
        if isinstance(over, OurError):
            return over
        over = self._broken_obligation(over) or over
        if over is None:
            for record in ends_for_no_reason(self.wire.records):
                ended = f"the connection ended (code {record['code']}) for no reason that the case gives"
                self.remark(f"{ended}, and was made again", "OCPP-J 1.6 5.4")
        if over is None and self.accepts_anyone and self._rests_on_accepted():
            self.remark("the Central System accepts any idTag, even one it cannot know: this pass proves little")
        return over

    def _rests_on_accepted(self) -> bool:
        return any(
            message.sender == "Central System" and message.payload.get("idTagInfo", {}).get("status") == "Accepted"
            for message in messages(self.wire.records)
            if message.type == "CALLRESULT"
        )

    def _broken_obligation(self, over: CaseOver | None) -> CaseOver | None:
        for breach in self._breaches():
            if not breach.severe:
                if breach.party == self.judged:
                    self.remark(breach.text, breach.clause)
            elif breach.party == self.judged:
                return over if isinstance(over, Failed) else Failed(str(breach), _evidence_of(breach))
            elif not self.misbehaved:
                # Who is spoken to wrongly may answer as it likes: what came of it is no judgement.
                return OurError(f"{breach}{f'; then {over}' if over else ''}", _evidence_of(breach))
        # Where the case ended early, what its later sentences would have claimed is no surplus.
        is_spared = self.spared is not None and self.spared.obligation == SURPLUS
        return self._surplus() if over is None and not is_spared else over

    def _surplus(self) -> CaseOver | None:
        ours: list[CaseOver] = []
        for message in self.wire.unclaimed():
            is_excused, remark = excuse(message, self.wire.records, self.judged)
            if remark:
                self.remark(remark.text, remark.clause, strict=remark.strict)
            if is_excused:
                continue
            if any(fits(message) for fits in self.allowed):
                self.remark(f"{message.action}.req was sent, which the test case does not list", strict=True)
                continue
            if message.action in CONSEQUENTIAL[message.sender]:
                text = f"the {message.sender} sent {message}, which the test case does not know"
                if message.sender == self.judged:
                    return self.blame(message.sender, text, message.action, frame=message.index)
                if self.spared is None:  # else it may come of what was spared
                    ours.append(OurError(text, Evidence(text, frame=message.index)))
            elif message.sender == self.judged and not _comes_by_itself(message):
                self.remark(f"{message.action}.req was sent beside the test case", strict=True)
        return ours[0] if ours else None

    def _is_told_already(self, message: Message) -> bool:
        """Whether a reading of the case's connector was told, and confirmed on the same connection (3.7.1)."""
        earlier = (
            told_first(message, self.wire.records) if message.payload.get("connectorId") == self.connector else None
        )
        if earlier is None:
            return False
        between = self.wire.records[: message.index]
        answer = answer_to(earlier, between)
        broken = spans_connections(between[earlier.index :])
        return not broken and answer is not None and answer.type == "CALLRESULT"

    def _breaches(self) -> list[Breach]:
        found = breaches(self.wire.records, self.device.limits)
        return [each for each in found if self.spared is None or each.obligation != self.spared.obligation]

    @property
    def records(self) -> list[Record]:
        """What crossed the wire in this case."""
        return self._frozen if self._frozen is not None else self.wire.records

    def freeze(self) -> None:
        """End the recording: what follows is clearing up."""
        if self._frozen is None:
            self._frozen = self.transcript.cut()

    async def clear(self) -> None:
        """End what is still going on."""
        self.transcript.listeners.remove(self.wire.heard)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def strict_verdict(self, verdict: Verdict) -> Verdict:
        """The verdict in the strict reading, that of the official tool."""
        if verdict is Verdict.PASS and any(remark.strict for remark in self.remarks):
            return Verdict.FAIL
        return verdict


def _evidence_of(breach: Breach) -> Evidence:
    return Evidence(breach.text, clauses=(breach.clause,), frame=breach.index)


def _comes_by_itself(message: Message) -> bool:
    """Whether a request comes whenever an interval is over (4.6, 3.16): a beat, a reading in a transaction.

    Or when it happens that there is a security event (white paper A04): at every boot, for instance.
    """
    if message.action == "SecurityEventNotification":
        return True
    return message.action in ROUTINE and (message.action == "Heartbeat" or "transactionId" in message.payload)
