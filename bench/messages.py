"""A transcript read as messages: who sent which request when, and what answered it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ocppj.clock import parse_timestamp
from ocppj.frames import Payload
from ocppj.transcript import BEFORE, SENDERS, Party, Record, other


@dataclass(frozen=True, slots=True)
class Message:
    """One frame at its place in the transcript."""

    index: int
    record: Record

    @property
    def sender(self) -> Party:
        return SENDERS[self.record["direction"]]

    @property
    def type(self) -> str:
        """CALL, CALLRESULT, CALLERROR; UNKNOWN or INVALID for what is none of them."""
        return str(self.record["messageType"])

    @property
    def unique_id(self) -> str:
        return str(self.record.get("messageId", ""))

    @property
    def action(self) -> str:
        return str(self.record.get("action", ""))

    @property
    def payload(self) -> Payload:
        payload: Payload = self.record.get("payload", {})
        return payload

    @property
    def error(self) -> dict[str, Any]:
        """Code, description and details of a CALLERROR."""
        error: dict[str, Any] = self.record.get("error", {})
        return error

    @property
    def time(self) -> datetime:
        return parse_timestamp(self.record["timestamp"])

    def __str__(self) -> str:
        match self.type:
            case "CALL":
                return f"{self.action}.req {_short(self.payload)}"
            case "CALLRESULT":
                return f"CALLRESULT {_short(self.payload)}"
            case "CALLERROR":
                return f"CALLERROR {self.error['code']} {self.error['description']!r}"
        return f"{self.type.lower()} frame {_short(self.record['raw'])}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else f"{text[:157]}..."


def messages(records: Sequence[Record], start: int = 0) -> Iterator[Message]:
    """The frames of a transcript, from a place on."""
    for index in range(start, len(records)):
        if records[index]["kind"] == "frame":
            yield Message(index, records[index])


def answer_to(call: Message, records: Sequence[Record]) -> Message | None:
    """The CALLRESULT or CALLERROR of the other party that bears the id of a CALL, if it has come."""
    for message in messages(records, call.index + 1):
        is_answer = message.type in ("CALLRESULT", "CALLERROR")
        if is_answer and message.sender != call.sender and message.unique_id == call.unique_id:
            return message
    return None


def call_of(answer: Message, records: Sequence[Record]) -> Message | None:
    """The CALL that an answer belongs to: the latest one of the other party with its id.

    It may have been sent before the case began.
    """
    for index in range(answer.index - 1, -1, -1):
        record = records[index]
        if record["kind"] in ("frame", BEFORE) and record["messageType"] == "CALL":
            call = Message(index, record)
            if call.sender != answer.sender and call.unique_id == answer.unique_id:
                return call
    return None


def told_first(message: Message, records: Sequence[Record]) -> Message | None:
    """The first request that tells the same as a later one, if there is one before it."""
    for earlier in messages(records[: message.index]):
        same = (earlier.sender, earlier.action, earlier.payload)
        if earlier.type == "CALL" and same == (message.sender, message.action, message.payload):
            return earlier
    return None


def registration_told(message: Message, records: Sequence[Record]) -> str | None:
    """The status that a BootNotification.conf tells; None if the message is none."""
    call = call_of(message, records) if message.type == "CALLRESULT" else None
    return str(message.payload.get("status")) if call and call.action == "BootNotification" else None


def is_accepted(call: Message, records: Sequence[Record]) -> bool:
    """Whether the status that answers a request is Accepted."""
    answer = answer_to(call, records)
    return answer is not None and answer.payload.get("status") == "Accepted"


def begins_connection(record: Record) -> bool:
    """Whether a record tells that a connection opened."""
    return begins_or_ends_connection(record) and record.get("event") != "closed"


def begins_or_ends_connection(record: Record) -> bool:
    """Whether a record tells that a connection opened or closed; a refused attempt does neither."""
    return bool(record["kind"] == "connect" and record.get("status", 101) == 101)


def spans_connections(records: Sequence[Record]) -> bool:
    """Whether a connection opened or closed in a stretch of a transcript."""
    return any(map(begins_or_ends_connection, records))


def open_calls(records: Sequence[Record]) -> list[Message]:
    """The CALLs without an answer whose connection still stands."""
    pending: dict[tuple[Party, str], Message] = {}
    for index, record in enumerate(records):
        if begins_or_ends_connection(record):
            pending.clear()
        elif record["kind"] == "frame":
            message = Message(index, record)
            if message.type == "CALL":
                pending[message.sender, message.unique_id] = message
            elif message.type in ("CALLRESULT", "CALLERROR"):
                pending.pop((other(message.sender), message.unique_id), None)
    return list(pending.values())
