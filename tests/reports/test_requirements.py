"""What a clause demands, read off the table of requirements."""

import csv
from pathlib import Path

import pytest

from bench.cases import all_cases
from bench.obligations import CLAUSES, WHITE_PAPER, clause_of
from reports.requirements import MOST, clause, summary_of

TABLE = Path(__file__).parents[2] / "features" / "requirements.csv"


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8") as table:
        return list(csv.DictReader(table))


def test_the_demands_that_name_the_case_come_first() -> None:
    named = [
        row["requirement"] for row in rows() if "TC_023_1_CSMS" in row["cases"].split() and row["clause"] == "OCPP_4_1"
    ]
    assert named
    assert summary_of("OCPP 1.6 4.1", "TC_023_1_CSMS") == ". ".join(named[:MOST])
    assert summary_of("OCPP 1.6 4.1", "TC_900_CS") not in ("", summary_of("OCPP 1.6 4.1", "TC_023_1_CSMS"))


def test_every_clause_of_a_case_is_known() -> None:
    unknown = {
        (case.id, each) for case in all_cases().values() for each in case.clauses if not summary_of(each, case.id)
    }
    assert unknown == set()


def test_every_clause_of_the_table_is_found() -> None:
    for row in rows():
        assert summary_of(clause(row["clause"]), "TC_900_CS"), row["clause"]


@pytest.mark.parametrize("action", [*CLAUSES, *WHITE_PAPER])
def test_the_clause_about_an_action_is_known(action: str) -> None:
    assert summary_of(clause_of(action), "TC_900_CS")


@pytest.mark.parametrize(
    ("told", "tag"),
    [
        ("OCPP-J 4.1.4", "OCPPJ_4_1_4"),
        ("OCPP-J 4.2.3, table 7", "OCPPJ_4_2_3"),
        ("OCPP-J errata 3.1", "OCPPJE_3_1"),
        ("OCPP 1.6 errata 3.40", "OCPPE_3_40"),
        ("white paper M03.FR.04", "OCPPW_M03_FR_04"),
    ],
)
def test_the_spellings_of_a_clause(told: str, tag: str) -> None:
    demands = [row["requirement"] for row in rows() if row["clause"] == tag]
    assert demands
    assert summary_of(told, "TC_900_CS").split(". ")[0] in demands


@pytest.mark.parametrize("told", ["", "OCPP 1.6 99.9", "white paper", "nonsense (", "OCPP 1.6 chapters 4 and 5"])
def test_what_the_table_does_not_know(told: str) -> None:
    assert summary_of(told, "TC_003_CS") == ""


def test_a_schema_is_a_clause_too() -> None:
    assert summary_of("schema of Authorize.conf", "X") == "Every field of Authorize.conf is as the JSON schema has it"
    assert "chapter 6" in summary_of("specification of Authorize.conf", "X")
