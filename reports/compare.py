"""Two runs side by side: which verdicts are others, which times are longer or shorter than noise explains."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reports.results import OUTDATED, CaseResult, Results, Transcripts
from reports.timing import Session, Times, times

# Medians differ if they do so by more than both, each of so many times at least: below that it is noise.
PART = 0.2
SECONDS = 0.02
LEAST = 10


@dataclass(frozen=True)
class Side:
    """One of the two: a run, its transcripts by case, and what ``rehearse measure`` has measured beside it."""

    results: Results
    transcripts: Transcripts
    session: Session | None = None


@dataclass(frozen=True)
class VerdictChange:
    """A case with another verdict than before; None where the run has no such case."""

    id: str
    title: str
    old: str | None
    new: str | None
    reason: str

    @property
    def is_regression(self) -> bool:
        """Whether it passed and does so no more: a case that is left out opens no gate."""
        return self.old == "pass" and self.new != "pass"


@dataclass(frozen=True)
class TimeChange:
    """A time with another median than before, in seconds. ``source``: measured in the test cases or by a session."""

    source: str
    party: str
    name: str
    old_count: int
    old_median_s: float
    new_count: int
    new_median_s: float

    @property
    def is_regression(self) -> bool:
        """Whether it takes longer than it did."""
        return self.new_median_s > self.old_median_s


@dataclass(frozen=True)
class Comparison:
    """What changed between two runs.

    ``reading``: which of the two verdicts was compared, default or strict. ``compared``: how many cases both runs have.
    """

    reading: str
    compared: int
    verdicts: list[VerdictChange]
    times: list[TimeChange]
    notes: list[str]

    @property
    def regressions(self) -> list[VerdictChange | TimeChange]:
        """What was good and has become worse."""
        changes: list[VerdictChange | TimeChange] = [*self.verdicts, *self.times]
        return [each for each in changes if each.is_regression]

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        changes = {
            "verdicts": [asdict(each) | {"regression": each.is_regression} for each in self.verdicts],
            "times": [asdict(each) | {"regression": each.is_regression} for each in self.times],
        }
        told = {"reading": self.reading, "compared": self.compared}
        return {**told, **changes, "notes": self.notes, "regressions": len(self.regressions)}


def compare(old: Side, new: Side) -> Comparison:
    """What changed from one run to another, in the reading in which the new one was judged.

    Left out are the cases of a role that only one of the two has judged.
    """
    roles = {case.role for case in old.results.cases} & {case.role for case in new.results.cases}
    strict = bool(new.results.run["strict"])
    changed, time_notes = _times(old, new)
    return Comparison(
        reading="strict" if strict else "default",
        compared=len({case.id for case in old.results.cases} & {case.id for case in new.results.cases}),
        verdicts=_verdicts(old.results, new.results, roles, strict),
        times=changed,
        notes=[*_notes(old.results, new.results, roles), *time_notes],
    )


def _verdicts(old: Results, new: Results, roles: set[str], strict: bool) -> list[VerdictChange]:
    before, after = ({case.id: case for case in run.cases if case.role in roles} for run in (old, new))
    changes = []
    for case_id in sorted(before.keys() | after.keys()):
        was, now = (_verdict(run.get(case_id), strict) for run in (before, after))
        if was != now:
            shown = after.get(case_id) or before[case_id]
            reason = after[case_id].reason if case_id in after else "it was not run again"
            if now == "fail" and case_id in new.known_failures:
                reason = f"known failure ({new.known_failures[case_id]}): {reason}"
            changes.append(VerdictChange(case_id, shown.title, was, now, reason))
    return changes


def _verdict(case: CaseResult | None, strict: bool) -> str | None:
    if case is None:
        return None
    return case.strict_verdict if strict else case.verdict


def _times(old: Side, new: Side) -> tuple[list[TimeChange], list[str]]:
    """The times that changed, and why others were not compared."""
    before, after = _measured(old), _measured(new)
    if not before or not after:
        which = [name for name, found in (("OLD", before), ("NEW", after)) if not found]
        return [], [f"response times are not compared: {' and '.join(which)} measured none"]
    changes, few = [], 0
    for key in before.keys() | after.keys():
        was, now = before.get(key), after.get(key)
        if was is None or now is None or min(was.count, now.count) < LEAST:
            few += 1
        elif abs(now.median - was.median) > max(PART * was.median, SECONDS):
            changes.append(TimeChange(key[0], now.party, now.name, was.count, was.median, now.count, now.median))
    note = f"{few} of the times were measured in one run alone, or less than {LEAST} times, and are not compared"
    return sorted(changes, key=lambda each: (each.source, each.party, each.name)), [note] if few else []


def _measured(side: Side) -> dict[tuple[str, str, str, str], Times]:
    """The times of one side by what they are of. Drift is left out: it is good where it is small, not where it falls.

    Those of the cases and of a session stay apart: another device under another load, for all we know.
    """
    sources: dict[str, Sequence[Times]] = {"test cases": times(side.results, side.transcripts)}
    if side.session is not None and side.session.is_of(side.results):
        sources["measure"] = side.session.measurements
    return {
        (source, each.party, each.kind, each.action): each
        for source, found in sources.items()
        for each in found
        if each.kind != "drift"
    }


def _notes(old: Results, new: Results, roles: set[str]) -> list[str]:
    """What else is different, so that nobody takes one device for another."""
    notes = []
    for name, run, other in (("OLD", old, new), ("NEW", new, old)):
        if alone := sorted({case.role for case in run.cases} - roles):
            judged = " and ".join(sorted({case.role for case in other.cases})) or "nothing"
            notes.append(f"the cases of {' and '.join(alone)} in {name} are left out: the other judged {judged}")
    for name, was, now in (
        *((name, old.run.get(name), new.run.get(name)) for name in ("version", "time", "strict")),
        *((name, old.device.get(name), new.device.get(name)) for name in ("kind", "address", "identity", "lacks")),
    ):
        if was != now:
            notes.append(f"{name} was {_told(was)}, is {_told(now)}")
    for name, run in (("OLD", old), ("NEW", new)):
        if again := [case.id for case in run.run_again if run.verdict(case) == "pass"]:
            notes.append(f"in {name} not at the first attempt passed {', '.join(again)}")
        if left := run.left:
            notes.append(f"{name} was interrupted: {len(left)} of its cases are left")
    for case in new.unexpected_passes:
        notes.append(f"{case.id} {OUTDATED}")
    return notes


def _told(value: object) -> str:
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, list) else str(value)
