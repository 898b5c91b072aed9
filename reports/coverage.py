"""Which demands of the specification a run has tried: the cases that ran an assertion on each, and what proves that
the assertion can fail.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from reports.assertions import asserted, flow, sentences, validations
from reports.requirements import Requirement, requirements
from reports.results import CaseResult, Results
from reports.tables import rows

JUDGED = ("passed", "fail")  # how a sentence ends that has judged what it is about


@dataclass(frozen=True, slots=True)
class Tried:
    """A demand, and what a run has made of it.

    ``ran``: the cases that came to an assertion on it. ``mutants``: small faults of our own parties, each found by one
    of these assertions alone. ``why_not``: if no case came to one.
    """

    requirement: Requirement
    ran: tuple[CaseResult, ...] = ()
    mutants: tuple[str, ...] = ()
    why_not: str = ""


def coverage(results: Results) -> list[Tried]:
    """Every demand on a party that the run is about, in the order of the table of requirements."""
    by_id = {case.id: case for case in sorted(results.cases, key=lambda case: case.id)}
    ran = {case.id: frozenset(_ran(case)) for case in by_id.values()}
    judged = tuple(case for case in by_id.values() if case.verdict in ("pass", "fail"))
    roles = {case.role for case in by_id.values()}
    found = []
    for requirement in requirements():
        if requirement.untried:
            found.append(Tried(requirement, why_not=requirement.untried))
        elif requirement.obligation:
            proof = (proofs()[requirement.obligation],) if requirement.obligation in proofs() else ()
            found.append(Tried(requirement, judged, proof, "" if judged else "no case was judged"))
        elif roles & {_role(case) for case in requirement.cases}:
            found.append(_tried(requirement, by_id, ran))
    return found


def _role(case: str) -> str:
    return case.rpartition("_")[2]


def _tried(requirement: Requirement, by_id: Mapping[str, CaseResult], ran: Mapping[str, frozenset[str]]) -> Tried:
    ours = assertions().get(str(requirement), {})
    there = {case: [name for name in names if name in ran.get(case, ())] for case, names in ours.items()}
    mutants = dict.fromkeys(proofs()[name] for names in there.values() for name in names if name in proofs())
    cases = tuple(case for case in by_id.values() if there.get(case.id))
    return Tried(requirement, cases, tuple(mutants), "" if cases else _why_not(requirement, ours, by_id))


def _why_not(requirement: Requirement, ours: Mapping[str, object], by_id: Mapping[str, CaseResult]) -> str:
    if not ours:
        return f"no sentence of {', '.join(requirement.cases)} can fail for it alone"
    roles = {case.role for case in by_id.values()}
    said: dict[str, list[str]] = defaultdict(list)
    for case in sorted(ours):
        if _role(case) in roles:
            said[_what_became_of(by_id.get(case))].append(case)
    return "; ".join(f"{words}: {', '.join(cases)}" for words, cases in said.items())


def _what_became_of(case: CaseResult | None) -> str:
    if case is None:
        return "not run"
    return "not applicable" if case.verdict == "not_applicable" else "over before it came to that"


def _ran(case: CaseResult) -> Iterator[str]:
    """The names of the assertions that a case has come to."""
    told = sentences(case.steps)
    for number, step in enumerate(case.steps, 1):
        if step.outcome in JUDGED:
            yield from (name_of(each.case, each.number) for each in asserted(case.id, case.steps, number))
            checked = flow().get(case.id, {}).items()
            yield from (name_of(case.id, name) for name, sentence in checked if sentence == told[number - 1])


def name_of(case: str, what: int | str) -> str:
    """How an assertion is called: a case with the number of its validation, or with the requirement that it checks."""
    return f"{case} {what}"


@cache
def assertions() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """The names of the assertions on each requirement, by the case that has them."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for case, of_case in validations().items():
        for each in of_case:
            for requirement in each.requirements:
                found[requirement][case].append(name_of(case, each.number))
    for case, checked in flow().items():
        for requirement in checked:
            found[requirement][case].append(name_of(case, requirement))
    return found


@cache
def proofs() -> Mapping[str, str]:
    """A mutant for each assertion that one of them has proven: ``features/proofs.csv``, held against each
    ``rehearse mutants``."""
    return {row["assertion"]: row["mutant"] for row in rows("proofs.csv")}
