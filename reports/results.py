"""``results.json``: one run in figures, words and verdicts; the transcripts lie beside it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ocppj.secrets import masked
from ocppj.transcript import Record, write

VERDICTS = ("pass", "fail", "inconclusive", "error", "not_applicable")
FORMAT = 1  # of results.json: the next one is not read by who knows this one alone

# The records of cases by their ids; a case without a transcript is none of the keys.
Transcripts = Mapping[str, Sequence[Record]]


@dataclass
class StepResult:
    """One sentence with its table, and how it ended: passed, the verdict it ended the case with, or not reached."""

    keyword: str
    sentence: str
    outcome: str
    table: list[list[str]] = field(default_factory=list)


@dataclass
class CaseResult:
    """One test case.

    ``started``: the instant in ISO 8601 at which the case began, by the calendar of the play; empty for what was not
    played. ``duration_s`` is that of the wire: virtual seconds in a self-rehearsal. ``failure``: what is known of the
    end of a case that did not pass, None for the others:

    ``sentence``: the step that ended it; ``text``: the reason without clauses; ``clauses``, ``requirements``: each
    clause, and what it demands in words of our own (empty where nothing is known); ``expected``: {field, expected,
    seen} of every field that is wrong; ``nearest``: what came instead of what was waited for; ``frame``: the place of
    the wrong frame in the transcript, or None; ``frames``: the places of the last frames before; ``next``: what to do
    next; ``cause``: the same for two failures of one cause.

    ``testimony``: what the wire does not show, {asked, answer, words, note, by} as the operator has told it: what was
    asked, ``done`` where it was a statement that he has confirmed, and his name; empty for a program.
    """

    id: str
    title: str
    role: str
    profile: str
    verdict: str
    strict_verdict: str
    reason: str
    duration_s: float
    clauses: list[str] = field(default_factory=list)
    steps: list[StepResult] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    started: str = ""
    failure: dict[str, Any] | None = None
    testimony: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Results:
    """One run: what was run, on which device, and every case.

    ``run``: {tool, version, started, ended, time: real or virtual, strict, shuffle, command}. ``device``: as
    ``bench.device.Device.describe`` has it, and ``about``: {vendor, product, software_version, place, reference,
    laboratory}, texts.
    """

    run: dict[str, object]
    device: dict[str, object]
    cases: list[CaseResult] = field(default_factory=list)

    @property
    def summary(self) -> dict[str, int]:
        """How many cases ended with each verdict."""
        counted = Counter(case.verdict for case in self.cases)
        return {verdict: counted[verdict] for verdict in VERDICTS}

    def verdict(self, case: CaseResult) -> str:
        """The verdict of a case in the reading of this run, the strict or the default one."""
        return case.strict_verdict if self.run.get("strict") else case.verdict

    def write(self, folder: Path) -> None:
        """Write ``results.json``. Raises ``OSError``."""
        folder.mkdir(parents=True, exist_ok=True)
        cases = [asdict(case) for case in sorted(self.cases, key=lambda case: case.id)]
        document = {"format": FORMAT, "run": self.run, "device": self.device, "cases": cases, "summary": self.summary}
        (folder / "results.json").write_text(masked(json.dumps(document, indent=2)) + "\n", encoding="utf-8")


def write_transcript(folder: Path, case: str, records: list[Record]) -> None:
    """Write ``cases/<id>/transcript.jsonl``. Raises ``OSError``."""
    write(records, folder / "cases" / case / "transcript.jsonl")
