"""``results.json``: one run in figures, words and verdicts; the transcripts lie beside it."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ocppj.secrets import masked
from ocppj.transcript import Record, write

VERDICTS = ("pass", "fail", "inconclusive", "error", "not_applicable")


@dataclass
class StepResult:
    """One sentence with its table, and how it ended: passed, the verdict it ended the case with, or not reached."""

    keyword: str
    sentence: str
    outcome: str
    table: list[list[str]] = field(default_factory=list)


@dataclass
class CaseResult:
    """One test case. ``duration_s`` is that of the wire: virtual seconds in a self-rehearsal."""

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


@dataclass
class Results:
    """One run: what was run, on which device, and every case."""

    run: dict[str, object]
    device: dict[str, object]
    cases: list[CaseResult] = field(default_factory=list)

    @property
    def summary(self) -> dict[str, int]:
        """How many cases ended with each verdict."""
        counted = Counter(case.verdict for case in self.cases)
        return {verdict: counted[verdict] for verdict in VERDICTS}

    def write(self, folder: Path) -> None:
        """Write ``results.json``. Raises ``OSError``."""
        folder.mkdir(parents=True, exist_ok=True)
        cases = [asdict(case) for case in sorted(self.cases, key=lambda case: case.id)]
        document = {"run": self.run, "device": self.device, "cases": cases, "summary": self.summary}
        (folder / "results.json").write_text(masked(json.dumps(document, indent=2)) + "\n", encoding="utf-8")


def write_transcript(folder: Path, case: str, records: list[Record]) -> None:
    """Write ``cases/<id>/transcript.jsonl``. Raises ``OSError``."""
    write(records, folder / "cases" / case / "transcript.jsonl")
