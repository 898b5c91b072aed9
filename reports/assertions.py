"""What a test case asserts, entry by entry, and where in a played case each entry stands.

``features/validations.csv`` has what the test case document validates, ``features/flow.csv`` the sentences that check a
demand of the specification besides.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from reports.results import StepResult
from reports.tables import rows


@dataclass(frozen=True, slots=True)
class Validation:
    """One thing that a test case validates, a row of ``features/validations.csv``.

    ``number``: among those of the case, from 1. ``sentence``: with its Given, When or Then. ``rows``: those of the
    table of the sentence that assert it, as ``path=cell``; empty if the sentence asserts it. ``requirements``: what it
    is that a device breaks which fails it, as ``OCPP_4_9:18``, the weightiest first.
    """

    case: str
    number: int
    text: str
    sentence: str
    rows: frozenset[str]
    requirements: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.case} {self.number} ({self.text})"


@cache
def validations() -> dict[str, tuple[Validation, ...]]:
    """The validations of every case that has some, by its id."""
    found: dict[str, list[Validation]] = defaultdict(list)
    for row in rows("validations.csv"):
        cells = frozenset(each.strip() for each in row["rows"].split("; ") if each.strip())
        of_case = found[row["case"]]
        number = len(of_case) + 1
        named = tuple(row["requirements"].split())
        of_case.append(Validation(row["case"], number, row["validation"], row["sentence"], cells, named))
    return {case: tuple(of_case) for case, of_case in found.items()}


@cache
def flow() -> dict[str, dict[str, str]]:
    """The sentence of a case that checks a requirement which none of its validations asserts, by the two."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows("flow.csv"):
        found[row["case"]][f"{row['clause']}:{row['number']}"] = row["sentence"]
    return dict(found)


def sentences(steps: Sequence[StepResult]) -> list[str]:
    """The sentences of a played case, with the keyword that And and But stand for."""
    found, keyword = [], ""
    for step in steps:
        keyword = keyword if step.keyword.strip() in ("And", "But", "*") else step.keyword.strip()
        found.append(f"{keyword} {step.sentence}")
    return found


def asserted(case_id: str, steps: Sequence[StepResult], step: int) -> list[Validation]:
    """The validations that a step of a played case asserts; ``step`` from 1.

    Where as many validations as steps say the same, each is that of the step in its place.
    """
    told = sentences(steps)
    found = []
    for validation in (ours := validations().get(case_id, ())):
        places = [
            number
            for number, (sentence, each) in enumerate(zip(told, steps, strict=True), 1)
            if sentence == validation.sentence and validation.rows <= {"=".join(row) for row in each.table}
        ]
        alike = [each for each in ours if (each.sentence, each.rows) == (validation.sentence, validation.rows)]
        if step in places and (len(alike) != len(places) or places[alike.index(validation)] == step):
            found.append(validation)
    return found
