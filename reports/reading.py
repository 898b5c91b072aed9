"""A folder that a run has left, read again: whole and of the right shape, or one line that says what is the matter."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import jsonschema_rs

from ocppj.transcript import BEFORE, BENCH, SENDERS, Record, read
from reports.results import FORMAT, JOURNAL, RESULTS, Attempt, CaseResult, Results, StepResult
from reports.texts import shown

LONGEST = 500  # columns of the line about a document that has another shape, for the schema quotes it


class BadResults(ValueError):
    """A folder that cannot be read as what a run has left: what is the matter with it, in one line."""


def read_results(folder: Path) -> Results:
    """Read ``results.json``, and of a run that goes on or was killed what stands in ``results.jsonl`` already.

    Raises ``BadResults`` if it is missing, cut off, from a newer version, or something else altogether. A last line
    that is cut off is no result: nobody has finished writing it.
    """
    path = folder / RESULTS
    document = _document(path)
    if (fault := _fault(document)) is not None:
        raise BadResults(shown(f"{path} is not what a rehearsal writes: {fault}", LONGEST))
    cases = [_case(each) for each in document["cases"]]
    ids = [case.id for case in cases]
    if twice := sorted({each for each in ids if ids.count(each) > 1}):
        raise BadResults(shown(f"{path} holds {twice[0]} more than once"))
    over = {case.id: case for case in _journal(folder / JOURNAL)}
    kept = [case for case in cases if case.id not in over]
    return Results(document["run"], document["device"], sorted([*kept, *over.values()], key=lambda case: case.id))


class StoredTranscripts(Mapping[str, list[Record]]):
    """The transcripts in a folder of results, by the id of the case: each is read when it is asked for.

    That of the latest attempt, where there are several. Raises ``BadResults`` for one that is cut off or holds
    something else.
    """

    def __init__(self, folder: Path) -> None:
        _look_into(folder / "cases")
        # What is about to be run again has its transcript among the attempts until another one is there.
        attempts = sorted(folder.glob("cases/*/attempts/[0-9]*/transcript.jsonl"), key=_attempt)
        self._paths = {path.parents[2].name: path for path in attempts}
        self._paths |= {path.parent.name: path for path in folder.glob("cases/*/transcript.jsonl")}
        self._paths = dict(sorted(self._paths.items()))

    def __getitem__(self, case: str) -> list[Record]:
        return read_transcript(self._paths[case])

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _look_into(folder: Path) -> None:
    """Raise ``BadResults`` if a folder cannot be read, of which a search for files in it says nothing."""
    try:
        next(folder.iterdir(), None)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise BadResults(shown(f"{folder} cannot be read: {error.strerror}")) from None


def _journal(path: Path) -> Iterator[CaseResult]:
    try:
        *lines, _ = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise BadResults(shown(f"{path} cannot be read: {error.strerror}")) from None
    for number, line in enumerate(lines, 1):
        try:
            case = json.loads(line, parse_constant=_no_number)
            fault = _fault(case, "case")
        except (ValueError, RecursionError) as error:
            fault = str(error)
        if fault is not None:
            raise BadResults(shown(f"{path}, line {number}, is not what a rehearsal writes: {fault}", LONGEST))
        yield _case(case)


def _document(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text, parse_constant=_no_number)
    except (FileNotFoundError, NotADirectoryError):
        raise BadResults(shown(f"{path} is missing: {_instead(path.parent)}")) from None
    except OSError as error:
        raise BadResults(shown(f"{path} cannot be read: {error.strerror}")) from None
    except (ValueError, RecursionError) as error:
        raise BadResults(shown(f"{path} is cut off or no JSON: {error}")) from None
    written = document.get("format") if isinstance(document, dict) else None
    if not isinstance(written, int):
        raise BadResults(shown(f"{path} is not what a rehearsal writes: it has no format number"))
    if written > FORMAT:
        raise BadResults(shown(f"{path} is from a newer version: format {written}, known here is {FORMAT}"))
    return document


def _fault(document: Any, kind: str = "") -> str | None:
    """The first way in which a document has not the shape of results, or of a ``case``; None if it has it."""
    return first_fault(_schema(kind), document)


def first_fault(schema: Any, document: Any) -> str | None:
    """The first way in which a document does not hold to a schema: where, and what is wrong; None if it does."""
    try:
        error = next(schema.iter_errors(document), None)
    except UnicodeEncodeError:  # jsonschema_rs quotes what is wrong, but cannot quote half a surrogate pair
        return "something in it is wrong, and no text"
    if error is None:
        return None
    return f"{'/'.join(map(str, error.instance_path)) or 'it'}: {error.message}"


def _instead(folder: Path) -> str:
    try:
        is_empty = not any(folder.iterdir())
    except FileNotFoundError:
        return "there is no such folder"
    except NotADirectoryError:
        return f"{folder} is no folder"
    except OSError as error:
        return f"the folder cannot be read: {error.strerror}"
    return "the folder is empty" if is_empty else "the folder holds something else than results"


def _case(document: dict[str, Any]) -> CaseResult:
    known = _known(CaseResult, document)
    for name, kind in (("steps", StepResult), ("attempts", Attempt)):
        known[name] = [kind(**_known(kind, each)) for each in known.get(name, [])]
    return CaseResult(**known)


def _known(kind: type[CaseResult | StepResult | Attempt], document: dict[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass: a version that knows more of them within this format has written the others."""
    return {each.name: document[each.name] for each in fields(kind) if each.name in document}


def read_transcript(path: Path) -> list[Record]:
    """Read one transcript. Raises ``BadResults`` if it is cut off or holds something else."""
    try:
        records = read(path)
    except OSError as error:
        raise BadResults(shown(f"{path} cannot be read: {error.strerror}")) from None
    except (ValueError, RecursionError) as error:
        raise BadResults(shown(f"{path} is cut off or no transcript: {error}")) from None
    for number, record in enumerate(records, 1):
        if not _is_record(record):
            raise BadResults(shown(f"{path}, line {number}: no record of a transcript"))
    return records


def _attempt(path: Path) -> int:
    name = path.parent.name
    return int(name) if name.isdecimal() else 0


def _is_record(record: object) -> bool:
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        return False
    if record["kind"] in ("frame", BEFORE) and not (
        record.get("direction") in [*SENDERS] and isinstance(record.get("raw"), str)
    ):
        return False
    if record["kind"] == BENCH and not _tells_where(record):
        return False
    try:
        return datetime.fromisoformat(record["timestamp"]).tzinfo is not None
    except (KeyError, TypeError, ValueError):
        return False


def _tells_where(record: Record) -> bool:
    """Whether a record of the bench is one: that a sentence begins, that one is done, or a fact."""
    match record.get("event"):
        case "step":
            return isinstance(record.get("text"), str)
        case "fact":
            return isinstance(record.get("name"), str) and "value" in record
        case event:
            return event == "done"


@cache
def _schema(kind: str) -> Any:
    """Of the whole document, or of one of its definitions."""
    schema = json.loads(files("reports").joinpath("results.schema.json").read_text(encoding="utf-8"))
    if kind:
        schema = {"$ref": f"#/definitions/{kind}", "definitions": schema["definitions"]}
    return jsonschema_rs.Draft7Validator(schema, validate_formats=True)


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
