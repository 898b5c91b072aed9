"""A single transcript, of ours or in Open OCPP Trace form as another tool writes it."""

import json
from pathlib import Path
from typing import Any

from ocppj.clock import parse_timestamp
from ocppj.transcript import SENDERS, Record, describe
from reports.reading import BadResults
from reports.texts import shown

TYPES = {"CALL": 2, "CALLRESULT": 3, "CALLERROR": 4}


def read_trace(path: Path, identity: str | None = None) -> tuple[list[Record], list[str]]:
    """The records of a file, and what they lack. ``identity``: whose, where the file tells of several Charge Points.

    Raises ``BadResults`` for what is no trace, or not one of OCPP 1.6J. A last line that is cut off is among
    what is lacking.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadResults(shown(f"{path} cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise BadResults(shown(f"{path} is no text: {error}")) from None
    lines = text.splitlines()
    records: list[Record] = []
    lacking: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == len(lines) and records:
                lacking.append(f"line {number} is cut off")
                continue
            raise BadResults(shown(f"{place} is no JSON: {error}")) from None
        records.append(_record(record, place))
        lacking += [f"line {number} has no {name}" for name in _lacks(records[-1])]
    if not records:
        raise BadResults(shown(f"{path} holds no record"))
    records = _of_one(records, path, identity)
    return sorted(records, key=lambda record: parse_timestamp(record["timestamp"])), lacking


def _record(told: Any, place: str) -> Record:
    """A record as the bench reads it, made of what there is of one."""
    if not isinstance(told, dict):
        raise BadResults(shown(f"{place} is no record: an object is due"))
    try:
        parse_timestamp(told["timestamp"])
    except (KeyError, TypeError, ValueError):
        raise BadResults(shown(f"{place} has no timestamp in ISO 8601")) from None
    if "kind" in told and told["kind"] != "frame":
        return told
    if told.get("transport", "json") != "json" or told.get("ocppVersion", "1.6") != "1.6":
        raise BadResults(shown(f"{place} is not of OCPP 1.6 over JSON, which alone is judged here"))
    if told.get("direction") not in SENDERS:
        raise BadResults(shown(f"{place} has no direction: {' or '.join(SENDERS)}"))
    raw = told.get("raw") if isinstance(told.get("raw"), str) else _raw(told)
    if raw is None:
        raise BadResults(shown(f"{place} has no raw frame, and no messageType of {', '.join(TYPES)}"))
    return {"chargePointId": "", **told, "kind": "frame", "raw": raw, **describe(raw)}


def _raw(told: Record) -> str | None:
    """The frame that a record tells of in its fields."""
    kind, payload = told.get("messageType"), told.get("payload", {})
    if kind not in TYPES:
        return None
    begin = [TYPES[kind], str(told.get("messageId", ""))]
    if kind == "CALL":
        return json.dumps([*begin, told.get("action"), payload])
    if kind == "CALLRESULT":
        return json.dumps([*begin, payload])
    error = told.get("error") or {}
    return json.dumps([*begin, error.get("code", ""), error.get("description", ""), error.get("details", {})])


def _lacks(record: Record) -> list[str]:
    """What a frame cannot be judged without."""
    return ["messageId"] if record["kind"] == "frame" and record.get("messageId") == "" else []


def _of_one(records: list[Record], path: Path, identity: str | None) -> list[Record]:
    """The records of one Charge Point."""
    known = {record["chargePointId"] for record in records if record.get("chargePointId")}
    if identity is None and len(known) > 1:
        names = ", ".join(sorted(known))
        raise BadResults(shown(f"{path} tells of several Charge Points: say whose with --identity: {names}"))
    if identity is not None and identity not in known:
        raise BadResults(shown(f"{path} tells nothing of the Charge Point {identity}"))
    return [record for record in records if identity in (None, record.get("chargePointId") or identity)]
