"""The table of wrong requests is whole, and what we take for a fault is what it holds."""

import pytest

from ocppj.schemas import ACTIONS, faults, severe
from tests.ocppj.payloads import full
from tests.ocppj.wrong import FITTING, huge_requests, wrong_requests


def names(value: object) -> set[str]:
    """The names of all fields in a payload."""
    if isinstance(value, list):
        return {name for entry in value for name in names(entry)}
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in names(inner)}
    return set()


def last_name(path: str) -> str:
    return path.rpartition(".")[2].partition("[")[0]


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_no_field_is_forgotten(action: str) -> None:
    wrong = list(wrong_requests(action))
    for fault in ("null", "of another type"):
        assert {last_name(each.path) for each in wrong if each.fault == fault} == names(full(action, "req"))
    assert any(each.fault == "unknown" and each.path == "" for each in wrong)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_each_has_its_fault(action: str) -> None:
    for wrong in wrong_requests(action):
        found = severe(faults(action, "req", wrong.payload))
        assert found, wrong
        assert found[0].codes == wrong.fitting, (wrong, found)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_a_number_that_is_only_huge_has_none(action: str) -> None:
    for path, payload in huge_requests(action):
        assert faults(action, "req", payload) == [], path


def test_every_fault_occurs() -> None:
    assert {wrong.fault for action in ACTIONS for wrong in wrong_requests(action)} == FITTING.keys()
