"""``results.json``: one run in figures, words and verdicts; the transcripts lie beside it.

While a run goes on, each case that is over is a line of ``results.jsonl``, on the disk before the next one begins;
``results.json`` takes the lines in at the end of a session. Whatever ends the run costs the case in flight alone.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from ocppj.secrets import masked
from ocppj.transcript import Record, settle, write, write_whole

VERDICTS = ("pass", "fail", "inconclusive", "error", "not_applicable")
KNOWN_FAILURE = "known_failure"  # how a fail counts that somebody has named beforehand, with a reason
OUTDATED = "is known to fail and has passed: take it out of the known failures"
FORMAT = 1  # of results.json: the next one is not read by who knows this one alone

RESULTS = "results.json"
JOURNAL = "results.jsonl"

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
class Attempt:
    """What came of a case before it was run again. ``session``: the place of its session among those of the run."""

    verdict: str
    strict_verdict: str
    reason: str
    session: int = 0
    started: str = ""
    remarks: list[str] = field(default_factory=list)
    failure: dict[str, Any] | None = None


@dataclass
class CaseResult:
    """One test case.

    ``started``: the instant in ISO 8601 at which the case began, by the calendar of the play; empty for what was not
    played. ``duration_s`` is that of the wire: virtual seconds in a self-rehearsal. ``residue``: what the case before
    has left behind in the device and could not be undone; it stands among the remarks too. ``failure``: what is known
    of the end of a case that did not pass, None for the others:

    ``sentence``: the step that ended it; ``text``: the reason without clauses; ``clauses``, ``requirements``: each
    clause, and what it demands in words of our own (empty where nothing is known); ``expected``: {field, expected,
    seen} of every field that is wrong; ``nearest``: what came instead of what was waited for; ``frame``: the place of
    the wrong frame in the transcript, or None; ``frames``: the places of the last frames before; ``next``: what to do
    next; ``cause``: the same for two failures of one cause.

    ``testimony``: what the wire does not show, as the operator has told it, {asked, answer, words, note, by}: what he
    was asked for, with ``answer`` done, device cannot or gave up, or a statement, with confirmed, denied or not known;
    ``by``: the name of the person, empty if it was none.

    ``session``: the place, among the sessions of the run, of that in which it was played. ``attempts``: what came of it
    before, the first attempt first; the transcript of attempt n is ``cases/<id>/attempts/<n>/transcript.jsonl``.
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
    residue: list[str] = field(default_factory=list)
    started: str = ""
    failure: dict[str, Any] | None = None
    testimony: list[dict[str, str]] = field(default_factory=list)
    session: int = 0
    attempts: list[Attempt] = field(default_factory=list)


@dataclass
class Results:
    """One run: what was run, on which device, and every case.

    ``run``: {tool, version, started, ended, time: real or virtual, strict, shuffle, command, folder: in which it was
    called, options: those that were given, as ``bench.sessions`` reads them again, fail_on: verdicts, known_failures:
    reasons by id, configuration: of a Charge Point before the first case, sessions, outages: when the device was
    gone}. A session is {kind: run, resume or rerun, started,
    ended, cases: the ids that were to be played in it, notes: what is to be known of it}, an outage {after: the id of a
    case, since, until: instants, words: what there was instead of an answer}; ``until`` is empty if the device has not
    come back. ``device``: as ``bench.device.Device.describe`` has it, and ``about``: {vendor, product,
    software_version, place, reference, laboratory}, texts.
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

    # Sessions: a run that was interrupted is resumed, and cases of one that is over are run again

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """The sessions of the run, the first one first; empty for a run of which none is told."""
        return cast("list[dict[str, Any]]", self.run.get("sessions", []))

    @property
    def outages(self) -> list[dict[str, str]]:
        """The times in which the device was gone."""
        return cast("list[dict[str, str]]", self.run.get("outages", []))

    @property
    def left(self) -> list[str]:
        """The ids of what the last session was to play and has not: none if the run is over."""
        if not self.sessions:
            return []
        played = {case.id for case in self.cases if case.session == len(self.sessions) - 1}
        return [case_id for case_id in self.sessions[-1]["cases"] if case_id not in played]

    @property
    def run_again(self) -> list[CaseResult]:
        """The cases whose verdict is not that of their first attempt."""
        return [case for case in self.cases if case.attempts]

    def begin_session(self, kind: str, started: str, cases: Iterable[str]) -> None:
        """Another session begins, in which these cases are to be played."""
        session = {"kind": kind, "started": started, "ended": "", "cases": list(cases), "notes": []}
        self.run["sessions"] = [*self.sessions, session]

    def add(self, case: CaseResult) -> None:
        """Put a case among the others. What came of it before is an earlier attempt from now on."""
        case.session = max(0, len(self.sessions) - 1)
        for earlier in [each for each in self.cases if each.id == case.id]:
            case.attempts = [*earlier.attempts, _attempt(earlier)]
            self.cases.remove(earlier)
        self.cases.append(case)

    @property
    def configuration(self) -> dict[str, str]:
        """The configuration keys of a Charge Point under test and their values before the first case, once known."""
        return cast("dict[str, str]", self.run.get("configuration", {}))

    # Known failures: they run like all others, and are counted apart

    @property
    def known_failures(self) -> dict[str, str]:
        """The reason of each known failure, by the id of the case."""
        return cast("dict[str, str]", self.run.get("known_failures", {}))

    def counts_as(self, case: CaseResult) -> str:
        """The verdict in the reading of this run; ``known_failure`` for a fail that was known."""
        verdict = self.verdict(case)
        return KNOWN_FAILURE if verdict == "fail" and case.id in self.known_failures else verdict

    @property
    def unexpected_passes(self) -> list[CaseResult]:
        """The cases that are known to fail and have passed."""
        return [case for case in self.cases if case.id in self.known_failures and self.verdict(case) == "pass"]

    @property
    def untried_failures(self) -> dict[str, str]:
        """The known failures of which nobody knows whether they still fail: why not, by the id of the case."""
        found = {case.id: case for case in self.cases}
        told = {}
        for case_id in sorted(self.known_failures):
            if (case := found.get(case_id)) is None:
                told[case_id] = "it was not run"
            elif (verdict := self.verdict(case)) not in ("pass", "fail"):
                told[case_id] = f"{verdict.replace('_', ' ')}: {case.reason}"
        return told

    # Files

    def write(self, folder: Path) -> None:
        """Write ``results.json``, which holds from now on what stood in ``results.jsonl``. Raises ``OSError``."""
        folder.mkdir(parents=True, exist_ok=True)
        cases = [asdict(case) for case in sorted(self.cases, key=lambda case: case.id)]
        document = {"format": FORMAT, "run": self.run, "device": self.device, "cases": cases, "summary": self.summary}
        write_whole(folder / RESULTS, masked(json.dumps(document, indent=2)) + "\n")
        settle(folder)  # before the lines go that it has taken in
        (folder / JOURNAL).unlink(missing_ok=True)
        for path in folder.glob(f"{RESULTS}.*.part"):  # whoever wrote it was killed
            path.unlink()


def write_case(folder: Path, case: CaseResult) -> None:
    """Add a case that is over to ``results.jsonl``: after this it is on the disk. Raises ``OSError``."""
    path = folder / JOURNAL
    is_new = not path.exists()
    with path.open("a", encoding="utf-8") as journal:
        journal.write(masked(json.dumps(asdict(case))) + "\n")
        journal.flush()
        os.fsync(journal.fileno())
    if is_new:
        settle(folder)


def half_transcript(folder: Path, case: str) -> Path:
    """Where what crosses the wire is written while a case is played with a device: there after a kill alone."""
    return folder / "cases" / case / "transcript.part"


def write_transcript(folder: Path, case: str, records: list[Record]) -> None:
    """Write ``cases/<id>/transcript.jsonl``. Raises ``OSError``."""
    write(records, folder / "cases" / case / "transcript.jsonl")


def _attempt(case: CaseResult) -> Attempt:
    return Attempt(
        case.verdict, case.strict_verdict, case.reason, case.session, case.started, case.remarks, case.failure
    )
