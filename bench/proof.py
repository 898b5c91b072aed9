"""Proof that the test cases bite: mutants are played, and every assertion that has found one is taken out once.

A case that fails with a mutant, and passes with the same mutant once a single assertion is taken out, shows that this
assertion finds what nothing else in the case does.
"""

import gc
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import pytest

from bench.assertions import ways_to_spare
from bench.bench import Spared
from bench.cases import all_cases
from bench.device import Device, Security
from bench.mutants import Mutant, all_mutants
from bench.obligations import OBLIGATIONS
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from bench.surplus import SURPLUS
from reports.assertions import asserted, flow, sentences, validations
from reports.coverage import name_of
from reports.requirements import tag_of
from reports.results import CaseResult, Results

OBLIGATION_NAMES = (*(each.__name__ for each in OBLIGATIONS), SURPLUS)


@dataclass(frozen=True, slots=True)
class Kill:
    """A case that has found a mutant.

    ``by``: the sentence that failed, with its keyword, or empty where it was an obligation. ``validations``: the
    numbers of those of the case that alone have found it, ``obligation`` the name of one that has. ``left``: where
    there is neither, why the case did not pass without what has found it.
    """

    case: str
    reason: str
    by: str = ""
    validations: tuple[int, ...] = ()
    obligation: str = ""
    left: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a mutant.

    ``survived``: cases that should have found it, with what they made of it. ``accused``: cases that blamed the other
    party for it. ``others``: cases that found it beside those that had to.
    """

    mutant: str
    kills: tuple[Kill, ...] = ()
    survived: Mapping[str, str] = field(default_factory=dict)
    accused: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def is_killed(self) -> bool:
        """Whether every case that had to find it has, and nobody else was blamed."""
        return bool(self.kills) and not self.survived and not self.accused


@dataclass(frozen=True)
class Proof:
    """What all trials together have shown: who proves what."""

    trials: tuple[Trial, ...]

    def of_validations(self) -> dict[str, dict[int, list[str]]]:
        """The mutants that prove each validation, by case and number; an empty list where none does."""
        found = {case: {each.number: list[str]() for each in rows} for case, rows in sorted(validations().items())}
        for trial, kill in self._kills():
            for number in kill.validations:
                found[kill.case][number].append(trial.mutant)
        return found

    def of_obligations(self) -> dict[str, list[str]]:
        """The mutants that an obligation alone has found, by its name."""
        found: dict[str, list[str]] = {name: [] for name in OBLIGATION_NAMES}
        for trial, kill in self._kills():
            if kill.obligation and trial.mutant not in found[kill.obligation]:
                found[kill.obligation].append(trial.mutant)
        return found

    def of_cases(self) -> dict[str, list[str]]:
        """The mutants that each case has found."""
        found: dict[str, list[str]] = {case: [] for case in all_cases()}
        for trial, kill in self._kills():
            found[kill.case].append(trial.mutant)
        return found

    def of_assertions(self) -> dict[str, str]:
        """A mutant for each assertion that one of them proves, by the name of the assertion; an obligation by its own.

        One that breaks the very clause that the assertion rests on comes before others. A sentence that is no
        validation is proven by those alone.
        """
        found: dict[str, str] = {}
        for case, proven in self.of_validations().items():
            for each in validations()[case]:
                if mutants := proven[each.number]:
                    broken = [name for name in mutants if _breaks(name, each.requirements)]
                    found[name_of(case, each.number)] = (broken or mutants)[0]
        for trial, kill in self._kills():
            for requirement, sentence in flow().get(kill.case, {}).items():
                if kill.by == sentence and _breaks(trial.mutant, [requirement]):
                    found.setdefault(name_of(kill.case, requirement), trial.mutant)
        obligations = {name: mutants[0] for name, mutants in self.of_obligations().items() if mutants}
        return dict(sorted(found.items())) | obligations

    def _kills(self) -> Iterator[tuple[Trial, Kill]]:
        return ((trial, kill) for trial in self.trials for kill in trial.kills)


def _breaks(mutant: str, requirements: Iterable[str]) -> bool:
    """Whether a mutant breaks a clause of one of these requirements."""
    broken = {tag_of(each) for each in all_mutants()[mutant].clause.split(", ")}
    return not broken.isdisjoint(each.partition(":")[0] for each in requirements)


def prove(
    mutants: Iterable[Mutant],
    *,
    processes: int = 1,
    against_all: bool = False,
    told: Callable[[Trial], None] = lambda _: None,
) -> Proof:
    """Try mutants, each against the cases that it names and their twins, or against all cases."""
    names = [mutant.name for mutant in mutants]
    work = partial(_try_named, against_all=against_all)
    trials: list[Trial] = []
    with ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("fork"), initializer=_begin_process
    ) as pool:
        for trial in pool.map(work, names):
            trials.append(trial)
            told(trial)
    return Proof(tuple(trials))


def _begin_process() -> None:
    """What is loaded already stays to the end: the searches for garbage after each play leave it out."""
    gc.collect()
    gc.freeze()


def _try_named(name: str, *, against_all: bool) -> Trial:
    return tried(all_mutants()[name], against_all=against_all)


def tried(mutant: Mutant, *, against_all: bool = False) -> Trial:
    """Play a mutant, then each case that has found it once more without what has found it."""
    allowed = frozenset(mutant.accuses.split())
    wanted = frozenset(all_cases()) if against_all else mutant.cases | _twins(mutant.cases) | allowed
    played = _played(mutant, wanted)
    role = "CS" if mutant.party == "Charge Point" else "CSMS"
    found = {case: each for case, each in played.items() if each.role == role and _has_found(mutant, each)}
    blaming = {case: each.reason for case, each in played.items() if each.role != role and each.verdict == "fail"}
    survived = {case: f"{played[case].verdict}: {played[case].reason}" for case in mutant.cases - found.keys()}
    survived |= dict.fromkeys(allowed - blaming.keys(), "blames the other party no more: take it out of accuses")
    return Trial(
        mutant.name,
        tuple(_kills(mutant, found)),
        dict(sorted(survived.items())),
        {case: reason for case, reason in sorted(blaming.items()) if case not in allowed},
        tuple(sorted(found.keys() - mutant.cases)),
    )


def _has_found(mutant: Mutant, case: CaseResult) -> bool:
    return case.verdict == "pass" and bool(case.remarks) if mutant.is_remarked else case.verdict == "fail"


def _is_relieved(mutant: Mutant, case: CaseResult, without: CaseResult) -> bool:
    """Whether a case passes without what was taken out; if it had but remarks, with fewer of them and no other."""
    fewer = not mutant.is_remarked or set(without.remarks) < set(case.remarks)
    return without.verdict == "pass" and fewer


def _twins(cases: frozenset[str]) -> frozenset[str]:
    """The cases of the same name that judge the other party."""
    twins = {each.removesuffix("MS") if each.endswith("_CSMS") else f"{each}MS" for each in cases}
    return frozenset(twins & all_cases().keys())


def _played(mutant: Mutant, cases: Iterable[str], spared: Mapping[str, Spared] | None = None) -> dict[str, CaseResult]:
    run = Run(Device(security=Security(profile=mutant.security_profile)))
    rehearsal = Rehearsal(run, Results({}, {}), frozenset(cases), spared=spared or {})
    with pytest.MonkeyPatch.context() as patch:
        mutant.plant(patch)
        play(rehearsal)
    run.close()
    return {each.id: each for each in rehearsal.results.cases}


def _kills(mutant: Mutant, found: Mapping[str, CaseResult]) -> Iterator[Kill]:
    """What has found it in each case: each way to take something out is played for all cases at once."""
    attempts = {case: _attempts(result) for case, result in found.items()}
    alone: dict[str, list[int | str]] = {case: [] for case in found}
    left: dict[str, str] = {}
    while any(attempts.values()):
        now = {case: those.pop(0) for case, those in attempts.items() if those}
        without = _played(mutant, now, {case: spared for case, (_, spared) in now.items()})
        for case, (what, _) in now.items():
            if not _is_relieved(mutant, found[case], without[case]):
                left[case] = f"{without[case].verdict} without {what}: {without[case].reason}"
            elif what not in alone[case]:
                alone[case].append(what)
    for case, result in sorted(found.items()):
        step = _failed_step(result)
        yield Kill(
            case,
            result.reason or "; ".join(result.remarks),
            sentences(result.steps)[step - 1] if step else "",
            tuple(each for each in alone[case] if isinstance(each, int)),
            next((each for each in alone[case] if isinstance(each, str)), ""),
            "" if alone[case] else left.get(case, "no validation stands there"),
        )


def _attempts(result: CaseResult) -> list[tuple[int | str, Spared]]:
    """What may have found it: the validations of the step that failed, or else the obligations.

    What a request has to be that may be sent, shows in the step after it: that one gets the request then.
    """
    step = _failed_step(result)
    if step is None:
        return [*((name, Spared(obligation=name)) for name in OBLIGATION_NAMES), *_tolerating(result)]
    wrong = [(each["field"], each["expected"]) for each in (result.failure or {}).get("expected", ())]
    about_wrong = {
        "=".join(row) for row in result.steps[step - 1].table if any(_is_about(row, *each) for each in wrong)
    }
    found = asserted(result.id, result.steps, step)
    by_rows = [each for each in found if each.rows & about_wrong]
    without_rows = [each for each in found if wrong and not each.rows]
    attempts: list[tuple[int | str, Spared]] = [
        (validation.number, spared)
        for validation in by_rows or without_rows or [each for each in found if not (about_wrong and each.rows)]
        for spared in ways_to_spare(validation, result.steps, step)
    ]
    if step > 1 and " may send " in result.steps[step - 2].sentence:
        attempts += [
            (each.number, Spared(frozenset({step - 1}), each.rows))
            for each in asserted(result.id, result.steps, step - 1)
        ]
    return attempts


def _tolerating(result: CaseResult) -> Iterator[tuple[int, Spared]]:
    """The validations that tolerate what they do not want, with a remark."""
    if result.verdict != "pass":
        return
    for step in range(1, len(result.steps) + 1):
        for each in asserted(result.id, result.steps, step):
            if any(", tolerated " in row for row in each.rows):
                yield each.number, Spared(frozenset({step}))


def _is_about(row: Sequence[str], field: str, expected: str) -> bool:
    """Whether a row is about a field that was expected to be something: «reason by hand» is about the reason.

    A sentence may speak of two messages that have the field: the status of its row is that of one of them.
    """
    if len(row) != 2:
        return False  # a grid, with a head
    path, cell = row
    return path.partition(" ")[0] == field and (not cell.isalpha() or cell == expected)


def _failed_step(result: CaseResult) -> int | None:
    return next((number for number, each in enumerate(result.steps, 1) if each.outcome == "fail"), None)
