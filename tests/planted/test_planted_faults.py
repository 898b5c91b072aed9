"""Faults that touch cases of all kinds: each party is blamed for its own alone.

The cases that judge the faulty party fail; where it only sits beside the judged one, the same fault is our own error
and never a verdict about the other. Faults that single cases must find are in bench/mutants.
"""

import pytest

from bench.device import Device
from bench.mutants import Plant
from bench.mutants.obligations import ids_are_used_again
from bench.mutants.planting import refuses
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from reference_csms.central_system import HANDLERS
from reports.results import Results
from tests import basic_cases

IDS = basic_cases.IDS


def not_passed(plant: Plant | None = None, among: frozenset[str] = IDS) -> dict[str, str]:
    """What a self-rehearsal of some cases does not pass, with its verdict."""
    run = Run(Device())
    rehearsal = Rehearsal(run, Results({}, {}), among)
    with pytest.MonkeyPatch.context() as patch:
        if plant:
            plant(patch)
        play(rehearsal)
    run.close()
    assert {case.id for case in rehearsal.results.cases} == among
    return {case.id: case.verdict for case in rehearsal.results.cases if case.verdict != "pass"}


def test_meter_values_that_are_not_taken_are_no_fault_of_who_sends_them() -> None:
    """Our own error; no case looks at what a Central System makes of them."""
    sampling = frozenset({"TC_070_CS", "TC_071_CS"})
    assert not_passed(refuses(HANDLERS, "MeterValues"), sampling) == dict.fromkeys(sampling, "error")


def test_who_cannot_be_talked_to_fails_everything() -> None:
    """A Central System that refuses every report passes nothing, and a Charge Point beside it fails nothing."""
    verdicts = not_passed(refuses(HANDLERS, "StatusNotification"))
    assert {case: verdict for case, verdict in verdicts.items() if case.endswith("CSMS")} == dict.fromkeys(
        (case for case in verdicts if case.endswith("CSMS")), "fail"
    )
    assert set(verdicts.values()) == {"fail", "error"}
    assert len(verdicts) >= 44


def test_ids_used_again_are_found_everywhere() -> None:
    verdicts = not_passed(ids_are_used_again)
    assert all((verdict == "fail") == case.endswith("_CS") for case, verdict in verdicts.items())
    assert len(verdicts) >= 44
