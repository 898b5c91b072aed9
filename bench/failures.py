"""What ``results.json`` tells of a case that did not pass: the evidence of its end, read off its transcript."""

import json
import re
from collections.abc import Sequence
from typing import Any

from bench.cases import Case
from bench.messages import Message, call_of
from bench.obligations import name_of
from bench.verdicts import CaseOver, Evidence, Verdict
from ocppj.secrets import masked
from ocppj.transcript import Record
from reports.requirements import summary_of
from reports.texts import shown

FRAMES_BEFORE = 6
_PARTIES = {"CS": "Charge Point", "CSMS": "Central System"}
_UNKNOWN_ACTION = ("NotImplemented", "NotSupported")
_DECLARE = "if it does not have the feature, say so with --lacks"
_PAYLOAD = re.compile(r"\{.*\}|\[.*\]", re.DOTALL)
_VALUE = re.compile(r"\S*\d\S*")  # a time, an id, a number: what differs from case to case


def failure(over: CaseOver, case: Case, sentence: str, records: Sequence[Record]) -> dict[str, Any]:
    """Why a case did not pass, in the shape of ``reports.results.CaseResult.failure``.

    ``sentence``: the step that ended it, empty if none did.
    """
    evidence = over.evidence
    until = len(records) if evidence.until is None else evidence.until
    before = _frames_before(records, until if evidence.frame is None else evidence.frame)
    name = evidence.message or _name(records, evidence.frame)
    found = {
        "sentence": sentence,
        "text": evidence.text,
        "clauses": list(evidence.clauses),
        "requirements": [summary_of(clause, case.id) for clause in evidence.clauses],
        "expected": [
            {"field": each.field, "expected": each.expected, "seen": each.seen} for each in evidence.differences
        ],
        "nearest": evidence.nearest,
        "frame": evidence.frame,
        "frames": before,
        "next": evidence.advice or _advice(over, case, name, records),
        "cause": f"{over.verdict}: {_cause(evidence, name)}",
    }
    told: dict[str, Any] = json.loads(masked(json.dumps(found)))
    return told


def _frames_before(records: Sequence[Record], place: int) -> list[int]:
    """The last frames before a place; if an answer stands there, its request is one of them."""
    places = [index for index in range(min(place, len(records))) if records[index]["kind"] == "frame"]
    latest = places[-FRAMES_BEFORE:]
    call = _call(records, place)
    if call is not None and call.index not in latest and records[call.index]["kind"] == "frame":
        latest = [call.index, *latest[1:]]
    return latest


def _call(records: Sequence[Record], place: int | None) -> Message | None:
    """The request that a frame answers, if it is an answer."""
    if place is None or place >= len(records) or records[place].get("messageType") not in ("CALLRESULT", "CALLERROR"):
        return None
    return call_of(Message(place, records[place]), records)


def _name(records: Sequence[Record], place: int | None) -> str:
    if place is None or place >= len(records) or records[place]["kind"] != "frame":
        return ""
    return name_of(Message(place, records[place]), records)


def _advice(over: CaseOver, case: Case, name: str, records: Sequence[Record]) -> str:
    if over.verdict is Verdict.ERROR:
        return (
            "This is a fault of ocpp-rehearsal and none of the device: please report it, with results.json and "
            f"cases/{case.id}/transcript.jsonl."
        )
    if over.verdict is Verdict.INCONCLUSIVE:
        return "See to what the reason names, then play the case again: nothing is known of the device yet."
    party, evidence = _PARTIES[case.role], over.evidence
    if evidence.differences:
        if (id_tag := _not_known(evidence, records)) is not None:
            return (
                f"See that the {party} knows idTag {id_tag} as the case expects it, or name another one with --data, "
                "then play the case again."
            )
        fields = ", ".join(each.field for each in evidence.differences)
        of = f" of {name}" if name else ""
        is_missing = case.role == "CS" and any(each.seen in _UNKNOWN_ACTION for each in evidence.differences)
        hint = f"; {_DECLARE}" if is_missing else ""
        return f"Have the {party} fill in {fields}{of} as expected, then play the case again{hint}."
    if evidence.message:
        return f"Look up in the log of the {party} why there was no {name}{_when(records, _last(evidence, records))}."
    when = _when(records, evidence.frame)
    record = records[evidence.frame] if evidence.frame is not None and evidence.frame < len(records) else {}
    if (code := record.get("error", {}).get("code")) is not None:
        call = _call(records, evidence.frame)
        hint = f"; {_DECLARE}" if code in _UNKNOWN_ACTION else ""
        asked = f"{call.action}.req" if call else "the request"
        return f"Look up in the log of the {party}{when} why it answered {asked} with {code}{hint}."
    if record:
        return f"Look up in the log of the {party}{when} what led to this {name or 'connection'}."
    return f"Look up in the log of the {party} what it did{_when(records, _last(evidence, records))}."


def _not_known(evidence: Evidence, records: Sequence[Record]) -> str | None:
    """The idTag that a Central System calls Invalid where another status is expected: nobody may have told it of it."""
    if not any((each.field, each.seen) == ("idTagInfo.status", "Invalid") for each in evidence.differences):
        return None
    call = _call(records, evidence.frame)
    id_tag = call.payload.get("idTag") if call else None
    return shown(id_tag, 100) if isinstance(id_tag, str) else None


def _last(evidence: Evidence, records: Sequence[Record]) -> int:
    return (len(records) if evidence.until is None else min(evidence.until, len(records))) - 1


def _when(records: Sequence[Record], place: int | None) -> str:
    if place is None or not 0 <= place < len(records):
        return ""
    return f" at {records[place]['timestamp']}"


def _cause(evidence: Evidence, name: str) -> str:
    """The same wrong answer in twelve cases is one cause, whatever each of them expected instead."""
    if evidence.differences and not evidence.cause:
        wrong = [f"{each.field} is {_VALUE.sub('#', each.seen)}" for each in evidence.differences]
        return f"{name}: {', '.join(wrong)}"
    text = evidence.cause or evidence.text
    if evidence.message:
        text = text.partition("; ")[0]  # what came instead stands behind it
    return _VALUE.sub("#", _PAYLOAD.sub("", text))
