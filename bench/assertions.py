"""What a test case asserts, entry by entry, and where in a played case each entry stands."""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bench.bench import Spared
from bench.cases import FEATURES
from reports.results import StepResult


@dataclass(frozen=True, slots=True)
class Validation:
    """One thing that a test case validates, a row of ``features/validations.csv``.

    ``number``: among those of the case, from 1. ``sentence``: with its Given, When or Then. ``rows``: those of the
    table of the sentence that assert it, as ``path=cell``; empty if the sentence asserts it.
    """

    case: str
    number: int
    text: str
    sentence: str
    rows: frozenset[str]

    def __str__(self) -> str:
        return f"{self.case} {self.number} ({self.text})"


@cache
def validations() -> dict[str, tuple[Validation, ...]]:
    """The validations of every case that has some, by its id."""
    found: dict[str, list[Validation]] = defaultdict(list)
    with (FEATURES / "validations.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows = frozenset(each.strip() for each in row["rows"].split("; ") if each.strip())
            of_case = found[row["case"]]
            of_case.append(Validation(row["case"], len(of_case) + 1, row["validation"], row["sentence"], rows))
    return {case: tuple(of_case) for case, of_case in found.items()}


def sentences(steps: Sequence[StepResult]) -> list[str]:
    """The sentences of a played case, with the keyword that And and But stand for."""
    found, keyword = [], ""
    for step in steps:
        keyword = keyword if step.keyword.strip() in ("And", "But", "*") else step.keyword.strip()
        found.append(f"{keyword} {step.sentence}")
    return found


def asserted(case_id: str, steps: Sequence[StepResult], step: int) -> list[Validation]:
    """The validations that a step of a played case asserts; ``step`` from 1."""
    sentence = sentences(steps)[step - 1]
    rows = {"=".join(row) for row in steps[step - 1].table}
    return [each for each in validations().get(case_id, ()) if each.sentence == sentence and each.rows <= rows]


def ways_to_spare(validation: Validation, steps: Sequence[StepResult], step: int) -> list[Spared]:
    """How a validation at a step can be taken out, the least first: its rows; then the message itself.

    Who does not demand a message does not demand an answer to it either.
    """
    answer = {step + 1} if step < len(steps) and " responds with " in steps[step].sentence else set()
    whole = Spared(frozenset({step, *answer}))
    return [Spared(frozenset({step}), validation.rows), whole] if validation.rows else [whole]
