"""Which demands a run has tried: what counts as exercised, what proves it, and what is said of the others."""

from collections.abc import Iterator

import pytest

import reports.assertions
import reports.coverage
from reports.assertions import Validation
from reports.coverage import Tried, coverage
from reports.requirements import Requirement
from reports.results import CaseResult, StepResult
from tests.reports.few import case, results

TRIED = Requirement("OCPP_4_1", 1, "SHALL", "It is so", "", "", ("TC_901_CS", "TC_902_CS", "TC_901_CSMS"))
IN_THE_FLOW = Requirement("OCPP_4_1", 2, "SHALL", "It is else", "", "", ("TC_901_CS",))
IN_EVERY_CASE = Requirement("OCPP_4_1", 3, "SHALL", "It is always so", "answered", "", ())
BY_NONE = Requirement("OCPP_4_1", 4, "MAY", "It may be so", "", "a permission", ())
VAGUE = Requirement("OCPP_4_1", 5, "SHALL", "It is somehow so", "", "", ("TC_901_CS",))
OF_THE_OTHER = Requirement("OCPP_4_1", 6, "SHALL", "The other does so", "", "", ("TC_902_CSMS",))


@pytest.fixture(autouse=True)
def few_demands(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    ours = {
        each: (Validation(each, 1, "it", "Then it is so", frozenset(), ("OCPP_4_1:1",)),)
        for each in ("TC_901_CS", "TC_902_CS", "TC_901_CSMS")
    }
    monkeypatch.setattr(reports.assertions, "validations", lambda: ours)
    monkeypatch.setattr(reports.coverage, "validations", lambda: ours)
    monkeypatch.setattr(reports.coverage, "flow", lambda: {"TC_901_CS": {"OCPP_4_1:2": "Then it is else"}})
    demands = (TRIED, IN_THE_FLOW, IN_EVERY_CASE, BY_NONE, VAGUE, OF_THE_OTHER)
    monkeypatch.setattr(reports.coverage, "requirements", lambda: demands)
    proven = {"TC_901_CS 1": "it is not so", "TC_902_CS 1": "it is seldom so", "answered": "it is silent"}
    monkeypatch.setattr(reports.coverage, "proofs", lambda: proven)
    reports.coverage.assertions.cache_clear()
    yield
    reports.coverage.assertions.cache_clear()


def played(
    case_id: str = "TC_901_CS", verdict: str = "pass", first: str = "passed", then: str = "passed"
) -> CaseResult:
    return case(case_id, verdict, steps=[StepResult("Then", "it is so", first), StepResult("And", "it is else", then)])


def of(demand: Requirement, *cases: CaseResult) -> Tried:
    return next(each for each in coverage(results(*cases)) if each.requirement == demand)


def test_a_case_that_came_to_the_assertion_has_exercised_it() -> None:
    done = played()
    assert of(TRIED, done) == Tried(TRIED, (done,), ("it is not so",))


def test_each_case_brings_its_proof() -> None:
    assert of(TRIED, played(), played("TC_902_CS")).mutants == ("it is not so", "it is seldom so")


def test_an_assertion_that_failed_was_exercised() -> None:
    assert of(TRIED, played(verdict="fail", first="fail", then="not reached")).ran


@pytest.mark.parametrize("outcome", ["not reached", "inconclusive", "error"])
def test_an_assertion_that_did_not_judge_was_not(outcome: str) -> None:
    found = of(TRIED, played(verdict="inconclusive", first=outcome, then="not reached"))
    assert (found.ran, found.mutants) == ((), ())
    assert found.why_not == "over before it came to that: TC_901_CS; not run: TC_902_CS"  # and none of the other party


def test_a_sentence_besides_the_validations_counts() -> None:
    assert of(IN_THE_FLOW, played()).ran
    assert not of(IN_THE_FLOW, played(verdict="fail", first="fail", then="not reached")).ran


def test_what_nothing_has_proven_is_exercised_all_the_same() -> None:
    assert of(IN_THE_FLOW, played()).mutants == ()


def test_a_case_that_does_not_apply_exercises_nothing() -> None:
    gone = case("TC_901_CS", "not_applicable")
    assert of(TRIED, gone, case("TC_902_CS", "not_applicable")).why_not == "not applicable: TC_901_CS, TC_902_CS"


def test_an_obligation_is_exercised_by_what_was_judged() -> None:
    failed = played(verdict="fail", first="fail")
    assert of(IN_EVERY_CASE, failed, case("TC_902_CS", "error")) == Tried(IN_EVERY_CASE, (failed,), ("it is silent",))
    assert of(IN_EVERY_CASE, case("TC_902_CS", "error")).why_not == "no case was judged"


def test_what_no_case_tries_says_why() -> None:
    assert of(BY_NONE, played()) == Tried(BY_NONE, why_not="a permission")
    assert of(VAGUE, played()).why_not == "no sentence of TC_901_CS can fail for it alone"


def test_demands_on_the_other_party_are_left_out() -> None:
    asked = {each.requirement for each in coverage(results(played()))}
    assert OF_THE_OTHER not in asked
    assert OF_THE_OTHER in {each.requirement for each in coverage(results(played(), case("TC_902_CSMS")))}
