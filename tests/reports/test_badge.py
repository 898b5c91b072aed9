"""The badge: it counts applicable cases, and is green for nothing less than all."""

import csv
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reports.badge import AMBER, GREEN, GREY, RED, badge
from reports.results import CaseResult, Results
from tests.reports.few import case, results

SVG = "{http://www.w3.org/2000/svg}"
TABLE = Path(__file__).parents[2] / "features" / "test_cases.csv"


def official(role: str) -> list[str]:
    with TABLE.open(encoding="utf-8") as table:
        return [row["id"] for row in csv.DictReader(table) if row["role"] == role]


def run_of(role: str, **verdicts: str) -> list[CaseResult]:
    """Every case of a role; those that are named with another verdict than pass."""
    return [case(each, verdicts.get(each, "pass")) for each in official(role)]


def shown(run: Results) -> tuple[str, str]:
    """What a badge says, and its colour."""
    root = ElementTree.fromstring(badge(run, {}))  # noqa: S314  # our own
    texts = [each.text or "" for each in root.iter(f"{SVG}text")]
    title = root.find(f"{SVG}title")
    assert title is not None
    assert " ".join(texts) == title.text == root.get("aria-label")
    return " ".join(texts), next(each.get("fill", "") for each in root.iter(f"{SVG}rect"))


def test_all_of_a_central_system() -> None:
    assert shown(results(*run_of("CSMS"))) == ("OCPP 1.6J CSMS 77/77", GREEN)


def test_all_of_both_roles() -> None:
    both = results(*run_of("CS"), *run_of("CSMS"), kind="self-rehearsal")
    assert shown(both) == ("OCPP 1.6J CS 107/107 · CSMS 77/77", GREEN)


def test_what_does_not_apply_is_not_counted() -> None:
    without = dict.fromkeys(official("CSMS")[-9:], "not_applicable")
    assert shown(results(*run_of("CSMS", **without))) == ("OCPP 1.6J CSMS 68/68, 9 n/a", GREEN)


@pytest.mark.parametrize(("verdict", "colour"), [("fail", RED), ("inconclusive", AMBER), ("error", AMBER)])
def test_what_did_not_pass(verdict: str, colour: str) -> None:
    assert shown(results(*run_of("CSMS", TC_003_CSMS=verdict))) == ("OCPP 1.6J CSMS 76/77", colour)


def test_what_was_not_run_is_not_green() -> None:
    assert shown(results(case("TC_003_CSMS"))) == ("OCPP 1.6J CSMS 1/1, 76 not run", AMBER)


def test_cases_of_ones_own_make_up_for_none() -> None:
    own = [case(f"TC_9{number:02}_CSMS") for number in range(80)]
    assert shown(results(*own, *run_of("CSMS")[1:])) == ("OCPP 1.6J CSMS 156/156, 1 not run", AMBER)


def test_the_strict_reading_of_a_strict_run() -> None:
    cases = run_of("CSMS")
    cases[0].strict_verdict = "fail"
    assert shown(results(*cases)) == ("OCPP 1.6J CSMS 77/77", GREEN)
    assert shown(results(*cases, strict=True)) == ("OCPP 1.6J CSMS 76/77", RED)


def test_nothing_that_applies() -> None:
    assert shown(results(*run_of("CSMS", **dict.fromkeys(official("CSMS"), "not_applicable")))) == (
        "OCPP 1.6J CSMS 0/0, 77 n/a",
        GREY,
    )
    assert shown(results()) == ("OCPP 1.6J nothing ran", GREY)


def brightness(colour: str) -> float:
    """The relative luminance of WCAG 2.2."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", [GREEN, RED, AMBER, GREY])
def test_white_can_be_read_on_each_colour(colour: str) -> None:
    assert 1.05 / (brightness(colour) + 0.05) >= 4.5
