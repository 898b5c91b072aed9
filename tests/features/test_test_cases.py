"""The list of all test cases, and the scenarios: one for each case, or several of which every device meets one."""

import csv
import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from bench.cases import FEATURES, PROFILES, Case, cases_for, scenarios
from bench.device import CAPABILITIES, Device
from reports.results import VERDICTS
from tests.bench.test_command_line import results
from tests.steps.test_vocabulary import ROOT, scratch_copy

LISTED = list(csv.DictReader((FEATURES / "test_cases.csv").read_text(encoding="utf-8").splitlines()))
BY_ID = {row["id"]: row for row in LISTED}
TO_BE_WRITTEN = [row["id"] for row in LISTED]


# --- the list


def test_the_list_is_whole() -> None:
    assert [row["id"] for row in LISTED] == sorted(BY_ID)
    assert len(LISTED) == len(BY_ID) == 184
    assert Counter((row["profile"], row["role"]) for row in LISTED) == {
        ("Core", "CS"): 51,
        ("Core", "CSMS"): 34,
        ("LocalAuthListManagement", "CS"): 8,
        ("LocalAuthListManagement", "CSMS"): 6,
        ("FirmwareManagement", "CS"): 5,
        ("FirmwareManagement", "CSMS"): 5,
        ("Reservation", "CS"): 16,
        ("Reservation", "CSMS"): 10,
        ("RemoteTrigger", "CS"): 2,
        ("RemoteTrigger", "CSMS"): 2,
        ("SmartCharging", "CS"): 10,
        ("SmartCharging", "CSMS"): 5,
        ("Security", "CS"): 15,
        ("Security", "CSMS"): 15,
    }


CERTIFICATION_PROFILES = {
    "Core": {"Core"},
    "FirmwareManagement": {"Core"},
    "RemoteTrigger": {"Core"},
    "LocalAuthListManagement": {"Core"},
    "Reservation": {"Core"},
    "SmartCharging": {"Smart Charging"},
    "Security": {"Core", "Advanced Security"},
}
OPTIONAL_FEATURES = {"LocalAuthListManagement": "Local Authorization List", "Reservation": "Reservation"}


@pytest.mark.parametrize("row", LISTED, ids=lambda row: row["id"])
def test_a_row_of_the_list(row: dict[str, str]) -> None:
    assert row["title"] == row["title"].strip() != ""
    assert row["role"] == row["id"].rpartition("_")[2]
    assert row["profile"] in PROFILES.values()
    assert row["certification_profile"] in CERTIFICATION_PROFILES[row["profile"]]
    assert row["optional_feature"] == OPTIONAL_FEATURES.get(row["profile"], "")
    assert row["status"] in (("not known",) if row["role"] == "CS" else ("M", "C (inferred)"))
    assert int(row["validations"]) >= 0


# --- the scenarios


@pytest.mark.parametrize("case_id", TO_BE_WRITTEN)
def test_a_case_has_its_scenario(case_id: str) -> None:
    assert case_id in scenarios(), "no scenario has this id"
    for case in scenarios()[case_id]:
        assert case.title == BY_ID[case_id]["title"]
        assert case.role == BY_ID[case_id]["role"]
        assert case.profile == BY_ID[case_id]["profile"]


def test_no_scenario_has_an_id_that_nobody_knows() -> None:
    own = {case_id for case_id in scenarios() if case_id.startswith("TC_9")}  # no edition numbers that high
    assert scenarios().keys() - own <= BY_ID.keys()


def wrong_devices(found: tuple[Case, ...]) -> list[set[str]]:
    """What devices lack to whom not exactly one of several scenarios applies, beside what all scenarios ask for."""
    common = set.intersection(*({*case.needs} for case in found))
    own = sorted({name for case in found for name in (*case.needs, *case.without)} - common)
    lacking = [set(some) for count in range(len(own) + 1) for some in combinations(own, count)]

    def applies(case: Case, lacks: set[str]) -> bool:
        return lacks.isdisjoint(case.needs) and lacks.issuperset(case.without)

    return [lacks for lacks in lacking if len(found) > 1 and sum(applies(case, lacks) for case in found) != 1]


@pytest.mark.parametrize("case_id", scenarios())
def test_every_device_meets_one_scenario(case_id: str) -> None:
    found = scenarios()[case_id]
    assert wrong_devices(found) == []
    for case in found:
        assert {*case.needs, *case.without} <= CAPABILITIES.keys()
        assert {*case.needs}.isdisjoint(case.without), "no device is of this kind"


# --- several scenarios of one case


def a_case(needs: str = "", without: str = "") -> Case:
    return Case(
        "TC_900_CS", "Tiny", "CS", "Core", "core/tiny.feature", (), tuple(needs.split()), tuple(without.split())
    )


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        ([a_case()], []),
        ([a_case("a")], []),
        ([a_case("a"), a_case("", "a")], []),
        ([a_case("x a"), a_case("x", "a")], []),
        ([a_case("a b"), a_case("a", "b"), a_case("", "a")], []),
        ([a_case("a"), a_case("b")], [set(), {"a", "b"}]),
        ([a_case("a"), a_case()], [set()]),
        ([a_case("a b"), a_case("", "a")], [{"b"}]),
        ([a_case("a"), a_case("", "a b")], [{"a"}]),
    ],
)
def test_which_devices_several_scenarios_fit(found: list[Case], wrong: list[set[str]]) -> None:
    assert wrong_devices(tuple(found)) == wrong
    overlaps = any(not one.excludes(other) for one, other in combinations(found, 2))
    own = {name for case in found for name in (*case.needs, *case.without)}
    lacking = [set(some) for count in range(len(own) + 1) for some in combinations(own, count)]
    several = [
        lacks
        for lacks in lacking
        if sum(lacks.isdisjoint(case.needs) and lacks.issuperset(case.without) for case in found) > 1
    ]
    assert overlaps == bool(several)


TINY = """Feature: A tiny one

  @TC_900_CS @TC_900_CSMS @OCPP_5_18 @without_reservation
  Scenario: Tiny (judging the Central System)
    Given the Charge Point is booted

  @TC_900_CS @TC_900_CSMS @OCPP_5_18 @needs_reservation
  Scenario: Tiny (judging the Charge Point)
    Then the Charge Point sends Authorize.req
"""


START = "import sys; sys.path.insert(0, ''); from _ocpp_rehearsal import main; main()"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """The tool with a case of two scenarios: what has Reservation fails it, what has it not passes."""
    root = scratch_copy(tmp_path)
    for path in FEATURES.rglob("*.feature"):
        (root / path.relative_to(ROOT)).unlink()
    (root / "features" / "core" / "tiny.feature").write_text(TINY)
    (root / "_ocpp_rehearsal.py").write_text((ROOT / "_ocpp_rehearsal.py").read_text())
    return root


@pytest.mark.parametrize(
    ("lacks", "verdict"), [([], "fail"), (["--lacks", "reservation"], "pass"), (["--lacks", "backup_power"], "fail")]
)
def test_the_scenario_that_is_for_the_device_is_played(two: Path, lacks: list[str], verdict: str) -> None:
    process = subprocess.run(  # noqa: S603
        [sys.executable, "-c", START, "run", "--out", "out", *lacks, "--case", "TC_900_CS"],
        cwd=two,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    document = results(two / "out")
    assert [(case["id"], case["verdict"]) for case in document["cases"]] == [("TC_900_CS", verdict)], process.stdout
    assert document["summary"] == {name: int(name == verdict) for name in VERDICTS}


def test_the_case_of_a_device() -> None:
    for device in (Device(), Device(url="ws://x"), Device(listen=("", 0), lacks=frozenset(CAPABILITIES))):
        found = cases_for(device)
        assert found.keys() == scenarios().keys()
        assert all(found[case_id] in scenarios()[case_id] for case_id in found)
