"""A ``Session`` on a WebSocket: calls, answers, times out, records, and can be told to misbehave."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from ocppj.connection import CLOSE_TIMEOUT, Socket, drop
from ocppj.errors import (
    BadAnswer,
    Disconnected,
    ErrorCode,
    LocalMisuse,
    Refused,
    RemoteViolation,
    Unanswered,
)
from ocppj.frames import Call, CallError, CallResult, Payload
from ocppj.schemas import ACTIONS, Kind, check, faults, severe
from ocppj.session import Received, Session
from ocppj.transcript import Party, Transcript, other

log = logging.getLogger(__name__)

Handler = Callable[[Call], Awaitable[Payload]]


@dataclass(frozen=True, slots=True)
class Conf:
    """Answer with this payload, whatever it is; made when it is needed, since it may hold the present time."""

    payload: Callable[[], Payload]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answer with a CALLERROR."""

    code: str
    description: str = ""
    details: Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Silence:
    """Do not answer."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Answer with this text; ``{uniqueId}`` in it becomes the id of the CALL."""

    text: str


Scripted = Conf | Refusal | Silence | Raw


class Script:
    """What a party shall answer instead of what it would: by action, in order. Outlives a connection."""

    def __init__(self) -> None:
        self._answers: dict[str, deque[Scripted]] = defaultdict(deque)

    def answer_next(self, action: str, answer: Scripted) -> None:
        """Have the next CALL of an action, that has no scripted answer yet, answered so."""
        self._answers[action].append(answer)

    def take(self, action: str) -> Scripted | None:
        """The scripted answer to a CALL that has come, if there is one."""
        answers = self._answers.get(action)
        return answers.popleft() if answers else None

    def forget(self) -> None:
        """Drop what was not used."""
        self._answers.clear()


def fresh_ids() -> Iterator[str]:
    """Unique ids that no other run of ours has used: for real devices (4.1.4 and errata 3.1)."""
    return (str(uuid4()) for _ in count())


def counted_ids(prefix: str) -> Iterator[str]:
    """Unique ids that two runs have in common: for a self-rehearsal, whose parties live as long as their source."""
    return (f"{prefix}-{number}" for number in count(1))


class Peer:
    """One party at one end of one OCPP-J connection.

    ``handle`` gets the CALLs of the other party and returns the payload of the .conf, or raises ``Refused``.
    ``after_answer`` is called when an answer has been sent, for what a party does because of a request. ``on_fault``
    gets what went wrong on our own side; without it the log does.
    """

    def __init__(
        self,
        websocket: Socket,
        *,
        party: Party,
        identity: str,
        handle: Handler,
        unique_ids: Iterator[str],
        script: Script | None = None,
        transcript: Transcript | None = None,
        after_answer: Callable[[], None] = lambda: None,
        on_fault: Callable[[Exception], None] | None = None,
        message_timeout: float = 30.0,
    ) -> None:
        self.websocket = websocket
        self.party = party
        self.identity = identity
        self.message_timeout = message_timeout
        self.session = Session(unique_ids)
        self._handle = handle
        self._after_answer = after_answer
        self._on_fault = on_fault
        self._script = script or Script()
        self._transcript = transcript
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[Received] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self.websocket.state is State.OPEN

    async def call(self, action: str, payload: Payload, *, wrong: bool = False) -> Payload:
        """Send a request and return the payload of its .conf. Raises a kind of ``CallFailed``.

        ``wrong``: it may break the rules.
        """
        if not wrong:
            _refuse_misuse(action, "req", payload)
        async with self._turn:  # 4.1.1: one outstanding CALL in each direction
            call, text = self.session.call(action, payload)
            self._answer = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(self.message_timeout):
                    await self.send_text(text)
                    received = await self._answer
            except TimeoutError:
                raise Unanswered(f"{action} {call.unique_id} not answered in {self.message_timeout:g} s") from None
            finally:
                self.session.give_up()
                self._answer = None
        return _conf(call, received)

    async def send_text(self, text: str) -> None:
        """Send any text, right or wrong. Raises ``Disconnected``."""
        if not self.is_open:
            raise Disconnected(f"no connection to {other(self.party)}")
        self._record(self.party, text)
        try:
            await self.websocket.send(text)
        except ConnectionClosed:
            raise Disconnected(f"the connection to {other(self.party)} is lost") from None

    async def run(self) -> None:
        """Read until the connection ends. No input ends it."""
        try:
            while True:
                await self._take(*await self.websocket.receive())
        except ConnectionClosed:
            pass
        finally:
            if self._transcript is not None:
                code = self.websocket.close_code
                self._transcript.add("connect", chargePointId=self.identity, event="closed", code=code)
            if self._answer and not self._answer.done():
                self._answer.set_exception(Disconnected("the connection ended before the answer came"))
            for task in list(self._tasks):
                task.cancel()

    async def close(self, code: int = 1000) -> None:
        """Close the connection with a handshake; without one if the other side does not even read."""
        try:
            async with asyncio.timeout(2 * CLOSE_TIMEOUT):
                await self.websocket.close(code)
        except TimeoutError:
            await drop(self.websocket)

    async def _take(self, data: bytes, binary: bool) -> None:
        if binary:
            self._record(other(self.party), data.hex(), encoding="hex", fault="a binary WebSocket message")
            return
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            fault = f"the message is not UTF-8: {error.reason} at byte {error.start}"
            self._record(other(self.party), data.decode(errors="backslashreplace"), fault=fault)
            return
        self._record(other(self.party), text)
        received = self.session.receive(text)
        if received.reply:
            await self._send_quietly(received.reply)
        if received.answers:
            if self._answer and not self._answer.done():
                self._answer.set_result(received)
        elif isinstance(received.frame, Call):
            task = asyncio.create_task(self._serve(received.frame))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, call: Call) -> None:
        match self._script.take(call.action):
            case None:
                text = await self._ordinary_answer(call)
            case Conf(payload):
                text = self.session.respond(call, payload())
            case Refusal(code, description, details):
                text = self.session.refuse(call, code, description, details)
            case Silence():
                self.session.unanswered.pop(call.unique_id)
                return
            case Raw(raw):
                self.session.unanswered.pop(call.unique_id)
                text = raw.replace("{uniqueId}", call.unique_id)
        await self._send_quietly(text)
        self._after_answer()

    async def _ordinary_answer(self, call: Call) -> str:
        try:
            if call.action not in ACTIONS:  # table 7: not known
                raise Refused(ErrorCode.NOT_IMPLEMENTED, f"{call.action[:60]} is not known")
            check(call.action, "req", call.payload, call.unique_id)
            payload = await self._handle(call)
            _refuse_misuse(call.action, "conf", payload)
        except Refused as refusal:
            return self.session.refuse(call, refusal.code, refusal.description, refusal.details)
        except RemoteViolation as violation:
            return self.session.refuse(call, violation.code, violation.finding.text)
        except Exception as fault:
            # Errata 3.3: a failure to process a message is always reported as CALLERROR. The bug stays ours.
            if self._on_fault:
                self._on_fault(fault)
            else:
                log.exception("%s could not process %s", self.party, call.action)
            return self.session.refuse(call, ErrorCode.INTERNAL_ERROR, f"{call.action} could not be processed")
        return self.session.respond(call, payload)

    async def _send_quietly(self, text: str) -> None:
        try:
            await self.send_text(text)
        except Disconnected:
            log.debug("%s: the connection ended before an answer could be sent", self.party)

    def _record(self, sender: Party, raw: str, **fields: object) -> None:
        if self._transcript is not None:
            self._transcript.frame(sender, self.identity, raw, **fields)


def _refuse_misuse(action: str, kind: Kind, payload: Payload) -> None:
    if bad := severe(faults(action, kind, payload)):
        raise LocalMisuse(f"{action}.{kind} of ours is wrong: {'; '.join(map(str, bad))}")


def _conf(call: Call, received: Received) -> Payload:
    match received.frame:
        case CallResult(_, payload):
            try:
                check(call.action, "conf", payload, call.unique_id)
            except RemoteViolation as violation:
                raise BadAnswer(str(violation)) from None
            return payload
        case CallError(_, code, description, details):
            raise Refused(code, description, details)
    raise BadAnswer(received.broken or "the answer could not be read")
