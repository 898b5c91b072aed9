"""No case passes against a device that does nothing sensible, but for those in the table, each with its reason."""

import asyncio
from contextlib import suppress

import pytest

from bench.cases import all_cases
from bench.device import Security, device
from bench.plugin import Rehearsal
from ocppj.clock import Calendar, VirtualLoop
from reports.results import CaseResult, Results
from tests.variants.foreign import ID_TAGS, _VirtualRun, play_all
from tests.variants.null_devices import NULLS, Yes, null_central_system, null_charge_point

AGREES = "the case has a valid idTag accepted and reports answered, and both are; a remark says how little that proves"

# What such a device really satisfies, and why that is no fault of the case.
PASSES: dict[str, dict[str, str]] = {
    "agreeable Central System": {
        "TC_001_CSMS": "it accepts the boot, and answers every report after it",
        "TC_003_CSMS": AGREES,
        "TC_004_1_CSMS": AGREES,
        "TC_004_2_CSMS": AGREES,
        "TC_005_1_CSMS": AGREES,
        "TC_007_CSMS": AGREES,
        "TC_024_CSMS": AGREES,
        "TC_032_1_CSMS": AGREES,
        "TC_037_1_CSMS": AGREES,
        "TC_039_CSMS": AGREES,
        "TC_064_CSMS": "Accepted is tolerated for data that nobody knows, with a warning",
        "TC_088_CSMS": "it speaks ocpp1.6, and nothing else",
    },
    "echoing Charge Point": {
        "TC_062_CS": "it sends our DataTransfer.req, and then our own answer: UnknownVendorId, as is due",
    },
    "agreeable Charge Point": {
        "TC_017_1_CS": "Unlocked is the first word of the schema, its operator has seen the connector unlocked",
        "TC_062_CS": "Accepted is tolerated for data that nobody knows, with a warning",
    },
}


def _played(run: _VirtualRun, role: str) -> list[CaseResult]:
    run.asks_for_life = False  # each case is played, though the device has long been given up
    wanted = frozenset(each for each in all_cases() if each.endswith(f"_{role}"))
    rehearsal = Rehearsal(run, Results({}, {}), wanted)
    play_all(rehearsal)
    return rehearsal.results.cases


@pytest.mark.parametrize("name", NULLS)
def test_null_central_system(name: str, calendar: Calendar) -> None:
    loop = VirtualLoop(calendar)
    server = loop.run_until_complete(null_central_system(NULLS[name]))
    url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
    run = _VirtualRun(device(url=url, data=ID_TAGS, security=Security(0)), Yes(), loop)
    try:
        run.open()
        cases = _played(run, "CSMS")
    finally:
        server.close()
        loop.run_until_complete(server.wait_closed())
        run.close()
    _hold(f"{name} Central System", cases)


@pytest.mark.parametrize("name", NULLS)
def test_null_charge_point(name: str, calendar: Calendar) -> None:
    loop = VirtualLoop(calendar)
    run = _VirtualRun(device(listen=("127.0.0.1", 0), data=ID_TAGS, security=Security(0)), Yes(), loop)
    run.open()
    charge_point = loop.create_task(null_charge_point(NULLS[name], f"{run.endpoint}/CP1"))
    try:
        run.await_charge_point()
        cases = _played(run, "CS")
    finally:
        charge_point.cancel()
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(charge_point)
        run.close()
    _hold(f"{name} Charge Point", cases)


def _hold(name: str, cases: list[CaseResult]) -> None:
    """Raises ``AssertionError`` for a pass without a reason, a reason without a pass, and an error of ours."""
    assert not {case.id: case.reason for case in cases if case.verdict == "error"}
    assert {case.id for case in cases if case.verdict == "pass"} == PASSES.get(name, {}).keys()
