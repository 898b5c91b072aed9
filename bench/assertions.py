"""What a test case asserts, entry by entry, and where in a played case each entry stands."""

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bench.bench import Spared
from bench.cases import FEATURES
from bench.surplus import SURPLUS
from reports.results import StepResult

_FORBIDS = re.compile(r"the (Charge Point|Central System) (?:sends|has sent) no (\w+)\.req .+")
_KEY = re.compile(r"\[key=(\w+)\]")


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


def ways_to_spare(validation: Validation, steps: Sequence[StepResult], step: int) -> list[Spared]:
    """How a validation at a step can be taken out, the least first: its rows; then the message itself.

    Who does not demand a message does not demand an answer to it either, nor what rests on a key that it tells, nor
    what it has the other party do. Who does not forbid a message in one sentence forbids it in no other, and not in the
    end.
    """
    if forbidden := _forbidden(steps[step - 1]):
        alike = {number for number, each in enumerate(steps, 1) if _forbidden(each) == forbidden}
        return [Spared(frozenset(those), obligation=SURPLUS) for those in ({step}, alike)]
    answer = {step + 1} if step < len(steps) and " responds with " in steps[step].sentence else set()
    rests_on = tuple(f"if {key} " for key in _KEY.findall(" ".join(validation.rows)))
    resting = {number for number, each in enumerate(steps, 1) if each.sentence.startswith(rests_on)}
    whole = Spared(frozenset({step, *answer, *resting}))
    with_consequences = Spared(whole.steps | _consequences(steps, step))
    rows = [Spared(frozenset({step}), validation.rows)] if validation.rows else []
    return list(dict.fromkeys([*rows, whole, with_consequences]))


def _consequences(steps: Sequence[StepResult], step: int) -> set[int]:
    """The later sentences about the other party, and the answers to what it sends in them."""
    told = sentences(steps)
    judged = _party(told[step - 1])
    found: set[int] = set()
    for number in range(step + 1, len(steps) + 1):
        sentence = told[number - 1]
        answers_other = " responds with " in sentence and number - 1 in found
        if sentence.startswith("Then ") and (_party(sentence) != judged or answers_other):
            found.add(number)
    return found


def _party(sentence: str) -> str:
    """The party that a sentence is about: its connectors, keys and samples are the Charge Point's."""
    return "Central System" if " the Central System " in sentence.split(" with ")[0] else "Charge Point"


def _forbidden(step: StepResult) -> tuple[str, ...] | None:
    """The party and the action of the message that must not come; None if a step forbids none."""
    match = _FORBIDS.fullmatch(step.sentence)
    return match.groups() if match else None
