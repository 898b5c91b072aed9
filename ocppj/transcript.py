"""What crossed the wire, in order, with its time: the only witness.

A record is a plain dict with a ``kind``: ``frame`` (in the fields of Open OCPP Trace 1.1), ``connect``, ``tls``,
``auth``, ``file``, ``stimulus``, ``operator``, ``before``, ``bench``, ``end``. Recorded once, on our side. Secrets
never get here: what can be judged of them does, as facts.

``bench`` records tell nothing of the wire, but where the bench was, so that a recording can be judged again: ``event``
``step`` (``text``: the sentence that begins), ``done`` (a party has done what it was told to; ``failure``: it could
not), ``fact`` (``name``, ``value``: what a sentence took from a party of ours and not from the wire).
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from ocppj.clock import timestamp
from ocppj.errors import RemoteViolation
from ocppj.frames import Call, CallError, CallResult, decode
from ocppj.secrets import hidden_deeply, hidden_in_frame, masked

Record = dict[str, Any]
Party = Literal["Charge Point", "Central System"]

BEFORE = "before"  # the kind of a CALL that was sent before the case began
BENCH = "bench"  # the kind of what tells where the bench was
_ANSWERS = ("CALLRESULT", "CALLERROR")

DIRECTIONS: dict[Party, str] = {"Charge Point": "cp-to-csms", "Central System": "csms-to-cp"}
SENDERS: dict[str, Party] = {direction: party for party, direction in DIRECTIONS.items()}


def other(party: Party) -> Party:
    """The party at the other end of the wire."""
    return "Central System" if party == "Charge Point" else "Charge Point"


class Transcript:
    """The records of one test case, and whoever wants to know of new ones."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.records: list[Record] = list(records)
        self.listeners: list[Callable[[Record], None]] = []

    def add(self, kind: str, **fields: object) -> Record:
        """Add a record with the present time."""
        return self._append(kind, hidden_deeply(fields))

    def _append(self, kind: str, fields: Record) -> Record:
        record: Record = {"kind": kind, "timestamp": timestamp(), **fields}
        self.records.append(record)
        for listener in self.listeners:
            listener(record)
        return record

    def fact(self, name: str, tell: Callable[[], Any]) -> Any:
        """What a sentence takes from a party of ours, written down where it is not what was told of it last."""
        value = tell()
        told = [record["value"] for record in self.records if is_fact(record, name)]
        if not told or told[-1] != value:
            self.add(BENCH, event="fact", name=name, value=value)
        return value

    def frame(self, sender: Party, charge_point: str, raw: str, **fields: object) -> Record:
        """Add a frame as it was sent or received; what cannot be read is kept as raw text alone.

        With a ``fault`` the sender of the record says itself why it cannot be read. ``authorizationKey``: what can be
        judged of one that the frame tells.
        """
        raw, key = hidden_in_frame(raw)
        if key is not None:
            fields["authorizationKey"] = key
        told: Record = {
            "schemaVersion": "1.1",
            "ocppVersion": "1.6",
            "transport": "json",
            "chargePointId": charge_point,
            "direction": DIRECTIONS[sender],
        }
        told |= {"messageType": "INVALID"} if "fault" in fields else describe(raw)
        return self._append("frame", told | {"raw": raw} | fields)

    def file(
        self, operation: str, location: str, *, name: str = "", content: bytes | None = None, failure: str = ""
    ) -> Record:
        """Add a file transfer, a ``download`` or an ``upload`` of the Charge Point: what came across, or why not."""
        facts: dict[str, object] = {"operation": operation, "location": masked(location)}
        if name:
            facts["fileName"] = name
        if content is not None:
            facts |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        if failure:
            facts["failure"] = failure
        return self.add("file", **facts)

    def cut(self) -> list[Record]:
        """Hand over the records so far and go on without: a test case ends, its connection does not.

        CALLs stay as what was ``before``, so that an answer that comes late finds its own.
        """
        records, self.records = self.records, []
        answered = {record["messageId"] for record in records if record.get("messageType") in _ANSWERS}
        for record in records:
            if record.get("messageType") == "CALL" and record["messageId"] not in answered:
                self.records.append(record | {"kind": BEFORE})
        return records


def is_fact(record: Record, name: str) -> bool:
    """Whether a record tells a fact of that name."""
    return record["kind"] == BENCH and record.get("event") == "fact" and record.get("name") == name


def describe(raw: str) -> dict[str, object]:
    """The fields of Open OCPP Trace that can be read off a frame."""
    try:
        frame, _ = decode(raw)
    except RemoteViolation as violation:
        return {"messageType": "INVALID", "fault": violation.finding.text}
    match frame:
        case Call(unique_id, action, payload):
            return {"messageType": "CALL", "messageId": unique_id, "action": action, "payload": payload}
        case CallResult(unique_id, payload):
            return {"messageType": "CALLRESULT", "messageId": unique_id, "payload": payload}
        case CallError(unique_id, code, description, details):
            error = {"code": code, "description": description, "details": details}
            return {"messageType": "CALLERROR", "messageId": unique_id, "error": error}
        case None:
            return {"messageType": "UNKNOWN"}


def write(records: list[Record], path: Path) -> None:
    """Write JSON Lines, all of them or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(f"{masked(json.dumps(record))}\n" for record in records))


@contextmanager
def written_as_it_comes(transcript: Transcript, path: Path) -> Iterator[None]:
    """Write each record while the context lasts, and take the file away in the end: only a kill leaves it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:

        def write_record(record: Record) -> None:
            file.write(f"{masked(json.dumps(record))}\n")
            file.flush()

        for record in transcript.records:
            write_record(record)
        transcript.listeners.append(write_record)
        try:
            yield
        finally:
            transcript.listeners.remove(write_record)
            path.unlink(missing_ok=True)


def read_what_came(path: Path) -> list[Record]:
    """The records in a file that was written as they came, up to where it is cut off. Raises ``OSError``."""
    *lines, _ = path.read_text(encoding="utf-8", errors="replace").split("\n")
    records: list[Record] = []
    with suppress(ValueError):
        records.extend(map(json.loads, lines))
    return records


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there as a whole, or as it was before: also after a kill or a power cut. Raises ``OSError``.

    What was not finished is called ``.part``.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.part")  # two processes may write one transcript
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def settle(folder: Path) -> None:
    """Let the names of the files in a folder be on the disk. Raises ``OSError``."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # a system on which no folder can be opened
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def read(path: Path) -> list[Record]:
    """Read JSON Lines. Raises ``OSError``, or ``ValueError`` with the line number."""
    records = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
    return records


# What differs from run to run: the port that the system chose, and what is made of random numbers.
_OWN_TO_A_RUN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), r"\1:PORT"),
    (re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----(?:\\+n)?"), r"PEM OF A \1"),
    (
        re.compile(
            r"(issuerNameHash|issuerKeyHash|serialNumber|signature|publicKeySha256|certificateSha256)"
            r'(\\?": ?\\?")[^"\\]+'
        ),
        r"\1\2RANDOM",
    ),
    (re.compile(r'("name": "(?:publicKeySha256|\w*Signature)", "value": ")[^"]+'), r"\1RANDOM"),
)


def normalised(text: str) -> str:
    """A transcript's text without what differs from run to run."""
    for pattern, words in _OWN_TO_A_RUN:
        text = pattern.sub(words, text)
    return text
