"""What the test case document has validated, entry by entry: the sentence and the rows that assert it."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from bench.cases import FEATURES, case_ids
from tests.features.test_test_cases import BY_ID, TO_BE_WRITTEN
from tests.steps.test_vocabulary import feature_files, parsed

Row = Mapping[str, str]

VALIDATIONS: list[Row] = list(csv.DictReader((FEATURES / "validations.csv").read_text(encoding="utf-8").splitlines()))


@dataclass(frozen=True)
class Step:
    """A sentence of a scenario, And and But resolved, with the rows of its table as ``path=cell``."""

    sentence: str
    rows: frozenset[str]


def steps_of(block: Mapping[str, object]) -> list[Step]:
    found = []
    keyword = ""
    steps = block["steps"]
    assert isinstance(steps, list)
    for step in steps:
        word = step["keyword"].strip()
        keyword = keyword if word in ("And", "But", "*") else word
        cells = [[cell["value"] for cell in row["cells"]] for row in step.get("dataTable", {}).get("rows", [])]
        found.append(Step(f"{keyword} {step['text']}", frozenset("=".join(row) for row in cells)))
    return found


def steps_by_case() -> dict[str, list[Step]]:
    """The sentences of every case, those of the background and of each of its scenarios."""
    found: dict[str, list[Step]] = defaultdict(list)
    for path in feature_files():
        feature = parsed(path)
        background: list[Step] = []
        for child in feature["children"]:
            if "background" in child:
                background = steps_of(child["background"])
            else:
                tags = [tag["name"].removeprefix("@") for tag in [*feature["tags"], *child["scenario"]["tags"]]]
                for case_id in case_ids(tags):
                    found[case_id] += [*background, *steps_of(child["scenario"])]
    return found


STEPS = steps_by_case()


def fault(row: Row, steps: Mapping[str, Sequence[Step]]) -> str | None:
    """What is wrong with a row; None if nothing is."""
    if row.keys() != {"case", "validation", "sentence", "rows", "requirements"} or None in row.values():
        return "not five columns"
    if not row["validation"].strip():
        return "no words for what is validated"
    if row["case"] not in steps:
        return "no scenario has this id"
    alike = [step for step in steps[row["case"]] if step.sentence == row["sentence"]]
    if not alike:
        return f"the scenario does not say «{row['sentence']}»"
    wanted = {each.strip() for each in row["rows"].split("; ")} - {""}
    if not any(wanted <= step.rows for step in alike):
        there = "; or ".join(", ".join(sorted(step.rows)) or "no table" for step in alike)
        return f"«{row['sentence']}» has {there}, and not {row['rows']}"
    return None


def miscounted(case_ids: Iterable[str], rows: Sequence[Row], numbers: Mapping[str, int]) -> dict[str, str]:
    """The cases that have fewer or more rows than the test case document has validations."""
    counted = Counter(row["case"] for row in rows)
    return {
        case_id: f"{counted[case_id]} rows for {numbers[case_id]} validations"
        for case_id in case_ids
        if counted[case_id] != numbers[case_id]
    }


@pytest.mark.parametrize("row", VALIDATIONS, ids=lambda row: f"{row['case']} {row['validation']}")
def test_a_validation_is_asserted(row: Row) -> None:
    assert fault(row, STEPS) is None


NUMBERS = {case_id: int(row["validations"]) for case_id, row in BY_ID.items()}


@pytest.mark.parametrize("case_id", TO_BE_WRITTEN)
def test_every_validation_of_a_case_has_a_row(case_id: str) -> None:
    assert miscounted([case_id], VALIDATIONS, NUMBERS) == {}


def test_no_row_is_of_a_case_that_nobody_knows() -> None:
    assert {row["case"] for row in VALIDATIONS} <= BY_ID.keys()


# --- wrong rows are found

CASE: Row = {
    "case": "TC_003_CS",
    "validation": "status Preparing",
    "sentence": "Then the Charge Point sends StatusNotification.req",
    "rows": "status=Preparing",
    "requirements": "OCPP_4_9:1",
}
SCENARIO = {
    "TC_003_CS": [
        Step("Given the Charge Point is booted", frozenset()),
        Step(CASE["sentence"], frozenset({"status=Preparing", "connectorId={ConnectorId}"})),
        Step(CASE["sentence"], frozenset({"status=Charging, tolerated SuspendedEV", "errorCode=NoError"})),
    ]
}


@pytest.mark.parametrize(
    "right",
    [
        {},
        {"rows": ""},
        {"rows": "connectorId={ConnectorId}; status=Preparing"},
        {"rows": "status=Charging, tolerated SuspendedEV"},
        {"sentence": "Given the Charge Point is booted", "rows": ""},
    ],
)
def test_a_right_row(right: Row) -> None:
    assert fault({**CASE, **right}, SCENARIO) is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"case": "TC_003"}, "no scenario has this id"),
        ({"validation": " "}, "no words"),
        ({"sentence": "When the Charge Point sends StatusNotification.req"}, "does not say"),
        ({"sentence": "And the Charge Point sends StatusNotification.req"}, "does not say"),
        ({"sentence": "Then the Charge Point sends StatusNotification"}, "does not say"),
        ({"rows": "status=Charging"}, "and not status=Charging"),
        ({"rows": "status=Preparing; errorCode=NoError"}, "and not"),  # rows of two sentences
        ({"sentence": "Given the Charge Point is booted"}, "has no table"),
        ({"more": "x"}, "not five columns"),
    ],
)
def test_a_wrong_row(wrong: Row, words: str) -> None:
    found = fault({**CASE, **wrong}, SCENARIO)
    assert found is not None
    assert words in found


def test_a_row_with_a_cell_too_few_or_too_many() -> None:
    lines = ["case,validation,sentence,rows", "TC_003_CS,x,y", "TC_003_CS,x,y,z,more"]
    assert [fault(row, SCENARIO) for row in csv.DictReader(lines)] == ["not five columns"] * 2


def test_rows_too_few_and_too_many() -> None:
    numbers = {"TC_001_CS": 2, "TC_002_CS": 1, "TC_003_CS": 0}
    rows = [{"case": "TC_001_CS"}, {"case": "TC_002_CS"}, {"case": "TC_003_CS"}]
    assert miscounted(numbers, rows, numbers) == {
        "TC_001_CS": "1 rows for 2 validations",
        "TC_003_CS": "1 rows for 0 validations",
    }
    assert miscounted(["TC_002_CS"], rows, numbers) == {}


def test_what_and_stands_for() -> None:
    texts = [("Given ", "a"), ("And ", "b"), ("When ", "c"), ("But ", "d"), ("Then ", "e"), ("And ", "f")]
    block = {"steps": [{"keyword": keyword, "text": text} for keyword, text in texts]}
    assert [step.sentence for step in steps_of(block)] == ["Given a", "Given b", "When c", "When d", "Then e", "Then f"]
    assert any(step.sentence == "Given the Charge Point is booted" for step in STEPS["TC_003_CS"])
