"""What validations and sentences say that they check, and what proves it: the lists agree with each other."""

import pytest

from bench.mutants import all_mutants
from reports import coverage
from reports.assertions import flow, validations
from reports.requirements import requirements
from reports.tables import rows
from tests.features.test_validations import STEPS

# Validations that no demand of the table stands behind: what a device breaks which fails them is written nowhere.
BEYOND = {
    ("TC_019_CS", 6): "it names keys that no device has to have, and can fail for nothing",
    ("TC_080_CS", 9): "it permits any order, and can fail for nothing",
    ("TC_087_CSMS", 2): "that valid credentials are let in goes without saying in the white paper",
}
REQUIREMENTS = {str(each): each for each in requirements()}
FLOW = [(case, name, sentence) for case, checked in flow().items() for name, sentence in checked.items()]


@pytest.mark.parametrize("case", validations())
def test_a_validation_rests_on_demands_that_name_its_case(case: str) -> None:
    named = {each.number: [REQUIREMENTS[name] for name in each.requirements] for each in validations()[case]}
    assert [number for number, demands in named.items() if not demands and (case, number) not in BEYOND] == []
    lost = {
        str(each) for demands in named.values() for each in demands if case not in each.cases and not each.obligation
    }
    assert lost == set()


@pytest.mark.parametrize(("case", "requirement", "sentence"), FLOW)
def test_a_sentence_checks_a_demand_that_no_validation_asserts(case: str, requirement: str, sentence: str) -> None:
    assert case in REQUIREMENTS[requirement].cases
    assert sentence in {step.sentence for step in STEPS[case]}
    asserting = [each for each in validations().get(case, ()) if requirement in each.requirements]
    assert asserting == []


def test_no_row_is_lost() -> None:
    assert len(FLOW) == len(rows("flow.csv"))
    assert len(coverage.proofs()) == len(rows("proofs.csv"))


def test_what_is_proven_is_there() -> None:
    named = {name for of_cases in coverage.assertions().values() for names in of_cases.values() for name in names} | {
        each.obligation for each in requirements() if each.obligation
    }
    beyond = {coverage.name_of(*each) for each in BEYOND}
    assert coverage.proofs().keys() - named <= beyond | {"surplus"}  # no clause names all that a case does not know
    assert {*coverage.proofs().values()} <= all_mutants().keys()


def test_every_validation_is_proven() -> None:
    wanted = {coverage.name_of(case, each.number) for case, of_case in validations().items() for each in of_case}
    assert wanted - coverage.proofs().keys() == set()
