"""What the specification demands, clause by clause, and where it is tried."""

import ast
import csv
import inspect
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from bench import obligations
from bench.cases import FEATURES, scenarios
from bench.obligations import CLAUSES, OBLIGATIONS
from ocppj import frames
from reports.requirements import clause
from tests.features.test_test_cases import BY_ID, TO_BE_WRITTEN

Row = Mapping[str, str]

REQUIREMENTS: list[Row] = list(csv.DictReader((FEATURES / "requirements.csv").read_text(encoding="utf-8").splitlines()))
CLAUSES_LISTED = {row["clause"] for row in REQUIREMENTS}
NAMES_OF_OBLIGATIONS = {obligation.__name__ for obligation in OBLIGATIONS}

COLUMNS = ["clause", "number", "keyword", "requirement", "testable", "cases"]
KEYWORDS = {"SHALL", "SHOULD", "MAY", "fact"}

# A section by its numbers; of the white paper also a use case, or one of the requirements that its tables number.
CLAUSE = re.compile(r"OCPP(J?E?|W)(_\d+)+|OCPPW_[ALMN]\d\d(_FR_\d+)?")

# The numbers of the requirements that edition 3 of the white paper has; those that are missing were taken out.
OF_THE_WHITE_PAPER = {
    "A00": [
        *(*range(1, 7), *range(201, 207), *range(301, 325), *range(401, 430), *range(501, 513), *range(601, 604)),
        *(*range(701, 705), 706, *range(801, 807)),
    ],
    "A01": [*range(1, 13)],
    "A02": [*range(1, 14)],
    "A03": [*range(1, 14)],
    "A04": [*range(1, 5)],
    "A05": [*range(1, 10)],
    "L01": [*range(1, 30)],
    "M03": [*range(1, 5)],
    "M04": [*range(1, 8)],
    "M05": [*range(1, 5), 6, *range(8, 14)],
    "N01": [*range(1, 6), *range(7, 13)],
}


def title(row: Row) -> str:
    return f"{row['clause']} {row['number']}"


def tags_by_case() -> dict[str, frozenset[str]]:
    """The clauses that the scenarios of each case are tagged with."""
    return {
        case_id: frozenset(tag for case in found for tag in case.tags if tag.startswith("OCPP"))
        for case_id, found in scenarios().items()
    }


TAGS = tags_by_case()


# --- the list


def test_the_list_has_its_columns() -> None:
    assert all([*row] == COLUMNS for row in REQUIREMENTS)
    assert len(REQUIREMENTS) > 400


def test_the_rows_of_a_clause_are_numbered() -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    for row in REQUIREMENTS:
        numbers[row["clause"]].append(int(row["number"]))
    assert {clause: found for clause, found in numbers.items() if found != [*range(1, len(found) + 1)]} == {}
    twice = Counter((row["clause"], row["requirement"]) for row in REQUIREMENTS)
    assert [row for row, count in twice.items() if count > 1] == []


@pytest.mark.parametrize("row", REQUIREMENTS, ids=title)
def test_a_row_is_well_formed(row: Row) -> None:
    assert wrong(row) is None


def wrong(row: Row) -> str | None:
    """What is wrong with a row; None if nothing is."""
    if not CLAUSE.fullmatch(row["clause"]):
        return "the clause is not written as a tag"
    if row["keyword"] not in KEYWORDS:
        return "unknown keyword"
    if not 0 < len(row["requirement"]) <= 180 or row["requirement"] != row["requirement"].strip(" ."):
        return "the requirement is no line"
    if unknown := [case for case in row["cases"].split() if case not in BY_ID]:
        return f"unknown test case {', '.join(unknown)}"
    kind, colon, more = row["testable"].partition(": ")
    match kind:
        case "yes" if not colon:
            return None if row["cases"] else "no test case is named"
        case "obligation":
            if more not in NAMES_OF_OBLIGATIONS:
                return f"unknown obligation {more}"
        case "no":
            if not more:
                return "no reason"
        case _:
            return "neither testable nor not"
    return "test cases are named in vain" if row["cases"] else None


RIGHT: Row = dict(zip(COLUMNS, ["OCPP_4_1", "1", "SHALL", "It is so", "yes", "TC_003_CS TC_003_CSMS"], strict=True))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"testable": "no: nobody knows", "cases": ""}, None),
        ({"testable": "obligation: answered", "cases": ""}, None),
        ({"clause": "OCPPJE_3_1"}, None),
        ({"clause": "OCPPW_6_1"}, None),
        ({"clause": "OCPPW_A01"}, None),
        ({"clause": "OCPPW_A01_FR_03"}, None),
        ({"clause": "4.1"}, "not written as a tag"),
        ({"clause": "OCPPX_4_1"}, "not written as a tag"),
        ({"clause": "OCPP_A01_FR_03"}, "not written as a tag"),
        ({"clause": "OCPPW_A01_03"}, "not written as a tag"),
        ({"clause": "OCPPWE_6_1"}, "not written as a tag"),
        ({"keyword": "MUST"}, "unknown keyword"),
        ({"requirement": ""}, "no line"),
        ({"requirement": "It is so."}, "no line"),
        ({"cases": "TC_003_CS TC_999_CS"}, "unknown test case TC_999_CS"),
        ({"cases": ""}, "no test case is named"),
        ({"testable": "yes: maybe"}, "neither"),
        ({"testable": "perhaps"}, "neither"),
        ({"testable": "no", "cases": ""}, "no reason"),
        ({"testable": "no: nobody knows"}, "named in vain"),
        ({"testable": "obligation: answered"}, "named in vain"),
        ({"testable": "obligation: honoured", "cases": ""}, "unknown obligation honoured"),
    ],
)
def test_what_is_wrong_with_a_row(change: Row, words: str | None) -> None:
    found = wrong({**RIGHT, **change})
    assert found == words if words is None or found is None else words in found


def test_every_requirement_of_the_white_paper_is_listed() -> None:
    numbered = {
        f"OCPPW_{use_case}_FR_{number:0{3 if use_case == 'A00' else 2}}"
        for use_case, numbers in OF_THE_WHITE_PAPER.items()
        for number in numbers
    }
    assert {each for each in CLAUSES_LISTED if "_FR_" in each} == numbered


def test_a_clause_of_the_white_paper_in_words() -> None:
    assert clause("OCPPW_A00_FR_202") == "white paper A00.FR.202"
    assert clause("OCPPW_A01") == "white paper A01"
    assert clause("OCPPW_6_1") == "white paper 6.1"


# --- from the scenarios to the list


def test_every_clause_of_a_scenario_is_listed() -> None:
    tagged = {clause: case_id for case_id, clauses in TAGS.items() for clause in clauses}
    assert {clause: case_id for clause, case_id in tagged.items() if clause not in CLAUSES_LISTED} == {}


# --- from the list to the scenarios


def is_traced(clause: str, cases: Iterable[str], tags: Mapping[str, Iterable[str]]) -> bool:
    """Whether one of the cases is tagged with a clause, or with the section that holds it."""
    found = {tag for case_id in cases for tag in tags.get(case_id, ())}
    return any(clause == tag or clause.startswith(f"{tag}_") for tag in found)


TRIED = [row for row in REQUIREMENTS if not set(TO_BE_WRITTEN).isdisjoint(row["cases"].split())]


@pytest.mark.parametrize("row", TRIED, ids=title)
def test_a_testable_requirement_is_traced_to_a_scenario(row: Row) -> None:
    cases = row["cases"].split()
    assert is_traced(row["clause"], cases, TAGS), f"none of {', '.join(cases)} is tagged @{row['clause']}"


def test_what_traces_a_clause() -> None:
    tags = {"A": ["OCPP_4_1", "OCPP_9"], "B": ["OCPP_5_1"]}
    assert is_traced("OCPP_4_1", ["A"], tags)
    assert is_traced("OCPP_9_1_3", ["B", "A"], tags)
    assert not is_traced("OCPP_4_1", ["B"], tags)
    assert not is_traced("OCPP_4_10", ["A"], tags)
    assert not is_traced("OCPP_4", ["A"], tags)
    assert not is_traced("OCPP_4_1", ["C"], tags)


# Here a Central System has but to answer (the obligation ``answered``), or to send what it may send.
OF_AN_OBLIGATION = {"TC_004_2_CSMS", "TC_005_1_CSMS", "TC_024_CSMS", "TC_028_CSMS"}


def test_every_case_serves_a_requirement() -> None:
    named = {case_id for row in REQUIREMENTS for case_id in row["cases"].split()}
    assert {*BY_ID} - named == OF_AN_OBLIGATION


# --- what holds in every case


def cited(source: str) -> set[str]:
    """The clauses that the code cites as text: those of OCPP-J also by their number alone."""
    names = {"": "OCPPJ", "OCPP-J": "OCPPJ", "OCPP-J errata": "OCPPJE", "OCPP 1.6": "OCPP", "OCPP 1.6 errata": "OCPPE"}
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            match = re.fullmatch(r"((?:OCPP 1\.6|OCPP-J)(?: errata)?|) ?(\d+(?:\.\d+)+)(, .*)?", node.value)
            if match:
                found.add(f"{names[match[1]]}_{match[2].replace('.', '_')}")
    return found


def clauses_of_obligations() -> set[str]:
    text = inspect.getsource(obligations)
    table = text.index("CLAUSES = {")  # numbers of OCPP 1.6, not of OCPP-J
    found = cited(text[:table]) | cited(Path(frames.__file__).read_text(encoding="utf-8"))
    return found | {f"OCPP_{number.replace('.', '_')}" for number in CLAUSES.values()}


def test_the_clauses_of_the_obligations_are_found() -> None:
    assert clauses_of_obligations() >= {"OCPP_3_7", "OCPP_4_2", "OCPP_4_6", "OCPP_5_19", "OCPPJ_4_1_1", "OCPPJ_4_2_3"}
    assert cited(
        'a = "4.2.3, errata 5", "OCPP-J errata 3.1", "OCPP 1.6 4.2", "OCPP 1.6 errata 3.40", "1.5", "OCPP 1.6"'
    ) == {
        *("OCPPJ_4_2_3", "OCPPJE_3_1", "OCPP_4_2", "OCPPE_3_40", "OCPPJ_1_5"),
    }


def test_every_clause_of_an_obligation_is_listed() -> None:
    assert clauses_of_obligations() - CLAUSES_LISTED == set()


def test_every_obligation_stands_for_a_requirement() -> None:
    named = {row["testable"].removeprefix("obligation: ") for row in REQUIREMENTS}
    assert sorted(NAMES_OF_OBLIGATIONS - named) == []


def test_every_action_that_is_answered_has_its_row() -> None:
    """The clauses by which ``answered`` blames whoever stays silent."""
    rows: Sequence[Row] = [row for row in REQUIREMENTS if row["testable"] == "obligation: answered"]
    assert {f"OCPP_{number.replace('.', '_')}" for number in CLAUSES.values()} <= {row["clause"] for row in rows}
