"""The RPC rules of OCPP-J 1.6, section 4, for one side of one connection.

No socket, no clock: text in, frames out. Both parties use the same class, so neither can hold the other to different
rules. Ids come from a source that belongs to the party and outlives the connection (errata 3.1: unique over all
connections of one Charge Point).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ocppj.errors import ErrorCode, Finding, LocalMisuse, RemoteViolation
from ocppj.frames import CALL, MAX_UNIQUE_ID, Call, CallError, CallResult, Frame, Payload, decode, encode


@dataclass(slots=True)
class Received:
    """What one message meant.

    ``frame``: a CALL to be handled, or the answer to ``answers``. ``reply``: a CALLERROR to be sent at once.
    ``broken``: why the answer to ``answers`` cannot be used. All may be empty: the message is then only noted.
    """

    frame: Frame | None = None
    answers: Call | None = None
    reply: str | None = None
    broken: str | None = None
    findings: list[Finding] = field(default_factory=list)


class Session:
    """One side of one OCPP-J connection."""

    def __init__(self, unique_ids: Iterator[str]) -> None:
        self._unique_ids = unique_ids
        self.pending: Call | None = None  # our CALL without an answer
        self.unanswered: dict[str, Call] = {}  # the peer's CALLs without an answer
        self._given_up: set[str] = set()

    def call(self, action: str, payload: Payload) -> tuple[Call, str]:
        """Start a request: the CALL and its text. 4.1.1: one at a time in each direction."""
        if self.pending:
            raise LocalMisuse(f"{action} while {self.pending.action} is unanswered")
        unique_id = next(self._unique_ids)
        if len(unique_id) > MAX_UNIQUE_ID:
            raise LocalMisuse(f"the id source gave {unique_id!r}, which is longer than {MAX_UNIQUE_ID} characters")
        self.pending = Call(unique_id, action, payload)
        return self.pending, encode(self.pending)

    def respond(self, call: Call, payload: Payload) -> str:
        """The text of the CALLRESULT to a CALL of the peer."""
        self._answered(call)
        return encode(CallResult(call.unique_id, payload))

    def refuse(self, call: Call, code: str, description: str = "", details: Payload | None = None) -> str:
        """The text of the CALLERROR to a CALL of the peer."""
        self._answered(call)
        return encode(CallError(call.unique_id, code, description[:255], details or {}))

    def give_up(self) -> None:
        """Forget our request, or the peer's: its time is over (4.1.1)."""
        if self.pending:
            self._given_up.add(self.pending.unique_id)
        self.pending = None

    def receive(self, text: str) -> Received:
        """Take in one message. Never raises: what cannot be understood is a finding."""
        try:
            frame, findings = decode(text)
        except RemoteViolation as violation:
            return self._not_understood(violation)
        match frame:
            case None:
                return Received(findings=findings)
            case Call():
                return self._called(frame, findings)
            case _:
                return self._answer(frame, findings)

    def _answered(self, call: Call) -> None:
        if self.unanswered.pop(call.unique_id, None) is None:
            raise LocalMisuse(f"{call.action} {call.unique_id} has been answered before")

    def _called(self, call: Call, findings: list[Finding]) -> Received:
        if call.unique_id in self.unanswered:  # 4.2.3: a CALL with this id is being handled already
            finding = Finding("4.1.4", f"unique id {call.unique_id} is that of a CALL still unanswered")
            error = CallError(call.unique_id, ErrorCode.GENERIC_ERROR, "a CALL with this unique id is being handled")
            return Received(reply=encode(error), findings=[*findings, finding])
        if self.unanswered:
            text = f"{call.action} was sent while an earlier CALL was unanswered"
            findings.append(Finding("4.1.1", text, severe=False))
        self.unanswered[call.unique_id] = call
        return Received(frame=call, findings=findings)

    def _answer(self, frame: CallResult | CallError, findings: list[Finding]) -> Received:
        call = self._take_pending(frame.unique_id)
        if call:
            return Received(frame=frame, answers=call, findings=findings)
        if frame.unique_id in self._given_up:
            findings.append(Finding("4.1.1", f"the answer to {frame.unique_id} came after its time-out", severe=False))
        else:
            findings.append(Finding("4.1.4", f"an answer to {frame.unique_id!r}, which no open CALL bears"))
        return Received(findings=findings)

    def _not_understood(self, violation: RemoteViolation) -> Received:
        received = Received(findings=[violation.finding])
        if violation.unique_id is None:
            return received
        if violation.message_type == CALL:
            error = CallError(violation.unique_id, violation.code, violation.finding.text)
            received.reply = encode(error)
        else:
            received.answers = self._take_pending(violation.unique_id)
            received.broken = violation.finding.text
        return received

    def _take_pending(self, unique_id: str) -> Call | None:
        if self.pending is None or self.pending.unique_id != unique_id:
            return None
        call, self.pending = self.pending, None
        return call
