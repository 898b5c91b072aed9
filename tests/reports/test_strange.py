"""A folder of results in which a field is anything at all: it is refused in a line, or every view can be made of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ocppj.transcript import write
from reports import timing
from reports.compare import Side, compare
from reports.reading import BadResults, StoredTranscripts, read_results
from reports.results import Attempt, Results
from reports.times import Times
from reports.views import write_views
from tests.reports.few import NASTY, case, failure
from tests.reports.prepared import ID, RECORDS, run_of

GONE = object()
STRANGE: tuple[object, ...] = (
    *(GONE, None, True, -1, 7, 2.5, 10**400, "", NASTY, "2026-02-03T04:05:06Z", "0001-01-01T00:00:00+14:00", "CS"),
    *([], {}, [None], {"a": 1}, {"a": "b"}, ["x"], [["x"]]),
)
# Of the things that are put at a place each so-and-so-many-th, other ones at each place: all would take a minute.
FILES = {"results.json": 3, "measurements.json": 5, f"cases/{ID}/transcript.jsonl": 13}


def run() -> Results:
    """A run in which everything is told that results can tell."""
    found, _ = run_of("fail")
    found.cases[0].attempts.append(Attempt("fail", "fail", "late", failure=failure()))
    found.cases[0].testimony.append(dict.fromkeys(("asked", "answer", "words", "note", "by"), "a"))
    found.cases.append(case("TC_010_CSMS"))
    found.run |= {"known_failures": {ID: "why", "TC_010_CSMS": "why"}, "configuration": {"a": "b"}, "ended": "b"}
    found.run |= {"fail_on": ["fail"], "shuffle": 1, "folder": "f", "options": {"strict": True}, "command": "c"}
    for kind in ("run", "rerun"):
        found.begin_session(kind, "2026-02-03T04:05:06Z", [ID, "TC_016_CSMS"])
    found.run["outages"] = [{"after": ID, "since": "a", "words": "b", "until": ""}]
    found.device |= {"lacks": ["backup_power"], "file_servers": {"FtpPort": "1"}}
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = run()
    found.write(tmp_path)
    write(RECORDS, tmp_path / "cases" / ID / "transcript.jsonl")
    times = (Times("response", "Authorize", "Central System", (0.002, 0.003)),)
    timing.Session("ocpp-rehearsal", "0.1.0", "a", "b", "here", found.device, times, ("c",)).write(tmp_path)
    return tmp_path


def places(document: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a document."""
    if way:
        yield way
    within = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in within:
        yield from places(value, (*way, name))


def changed(text: str, every: int) -> Iterator[tuple[str, str]]:
    """A document with something strange at one place, for each place and each thing; and what was done."""
    for number, way in enumerate(places(json.loads(text))):
        for strange in STRANGE[number % every :: every]:
            document = inner = json.loads(text)
            for name in way[:-1]:
                inner = inner[name]
            if strange is GONE:
                del inner[way[-1]]
            else:
                inner[way[-1]] = strange
            yield (
                json.dumps(document),
                f"{'/'.join(map(str, way))} is {'gone' if strange is GONE else repr(strange)[:40]}",
            )


def show(folder: Path, out: Path) -> list[object]:
    """Do what ``rehearse report`` and ``rehearse compare`` do; what could not be made of what was read."""
    try:
        side = Side(read_results(folder), dict(StoredTranscripts(folder)), timing.read(folder))
    except BadResults:
        return []
    json.dumps(compare(side, Side(run(), {})).as_dict())
    failed: list[object] = [*write_views(side.results, side.transcripts, out, side.session)]
    for path in (*out.rglob("*.svg"), out / "junit.xml"):
        ElementTree.parse(path)  # noqa: S314  # our own
    return failed


@pytest.mark.parametrize(("name", "every"), FILES.items())
def test_a_strange_field_is_refused_or_can_be_shown(folder: Path, tmp_path: Path, name: str, every: int) -> None:
    whole = (folder / name).read_text()
    documents = whole.splitlines() if name.endswith(".jsonl") else [whole]
    out = tmp_path / "out"
    assert show(folder, out) == []
    for number, document in enumerate(documents):
        for strange, what in changed(document, every):
            lines = [*documents[:number], strange, *documents[number + 1 :]]
            (folder / name).write_text("\n".join(lines) + "\n")
            try:
                assert show(folder, out) == []
            except Exception as fault:
                fault.add_note(f"{name}, line {number + 1}: {what}")
                raise
