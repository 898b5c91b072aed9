"""A Charge Point that others have made, rehearsed over the wire: the crate ocppsim, at the hands of devices/ocppsim.py.

docs/field-notes/charge-points.md says of every fail who is wrong.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bench.cases import all_cases
from tests.interop.rehearsals import (
    HERE,
    SECURED,
    Due,
    Rehearsed,
    Rehearsing,
    foreign_device,
    free_port,
    rehearsing,
    require,
)

PROGRAM = HERE / "ocppsim" / "bin" / "ocppsim"
INSTALL = f"cargo install ocppsim --version 0.3.0 --locked --root {PROGRAM.parents[1]}"
DEVICES = HERE.parents[1] / "devices"
PARTS = 3


def _lacks(what: str) -> Due:
    return Due("not_applicable", "its device file says so", f"the device lacks {what}")


def _has(what: str) -> Due:
    return Due("not_applicable", "the case is for one that has it not", f"the device has {what}")


def _cases(numbers: str, due: Due) -> dict[str, Due]:
    return {f"TC_{number}_CS": due for number in numbers.split()}


_KEY = "chapter 9 requires it"
_RIGHT = Due("pass", "it does as the specification has it")
_RESERVED = Due("fail", "5.13: a reservation refuses others, not who has made it", "connector 1")

DUE = {
    **_cases("001 002 003 004_1 010 012 014 017_1 021 026 027 028 031 040_1 041 048_1 048_3 051", _RIGHT),
    **_cases("052 054 055 056 057 059 062 082", _RIGHT),
    **_cases("004_2 011_2", Due("fail", _KEY, "no ConnectionTimeOut, which is a required key")),
    **_cases("005_1 005_2 005_3", _lacks("StopTransactionOnEVSideDisconnect that is true or can be set")),
    **_cases("007_1 007_2 061_1 061_2", _lacks("an Authorization Cache")),
    **_cases("008_1 023_4", Due("fail", _KEY, "no LocalPreAuthorize, which is a required key")),
    **_cases("008_2 023_5 043_1 048_4 050_4 053_2", _has("")),
    "TC_011_1_CS": Due("fail", "it charges without a cable (4.9)", "status is Charging, expected Preparing"),
    "TC_013_CS": Due("fail", "it accepts a hard reset and does not restart (5.14)", "sent no BootNotification.req"),
    **_cases("015 016", Due("fail", "a reset stops no transaction (5.14)", "sent no StopTransaction.req")),
    **_cases("017_2 018_2", _has("a cable that is not fixed")),
    "TC_018_1_CS": Due("fail", "it unlocks nothing while it charges (5.18)", "status is UnlockFailed"),
    "TC_019_CS": Due("fail", "chapter 9 requires 15 keys that it has not", "ClockAlignedDataInterval is missing"),
    "TC_024_CS": Due("inconclusive", "it has no lock", "prevent_locking"),
    "TC_030_CS": _lacks("a connector lock that can be made to fail"),
    "TC_032_1_CS": _lacks("a back-up power supply"),
    "TC_032_2_CS": Due("fail", "a power cut loses the transaction (4.10)", "connector 1 is reported Available"),
    "TC_034_CS": Due("fail", "it does not report that connector 0 has changed (5.2)", "for connector 0"),
    "TC_036_CS": Due("fail", "it takes no samples (9.1.19)", "0 samples taken without connection came"),
    **_cases("037_1 037_2 037_3 039", _lacks("transactions that begin while it is offline")),
    **_cases("038 068 069", Due("inconclusive", "its terminal does not show it", "tells whose transaction it is")),
    "TC_040_2_CS": Due("fail", "it takes any value for a key (5.3)", "status is Accepted, expected Rejected"),
    **_cases("042_1 042_2 043 043_2", Due("inconclusive", "9.2.1 requires it", "has no LocalAuthListEnabled")),
    "TC_043_3_CS": _lacks("a Local Authorization List that it can be made to fail to store"),
    **_cases("044_1 044_2 044_3", Due("inconclusive", "white paper L01.FR.20 wants it refused", "L01.FR.20")),
    "TC_045_1_CS": Due("fail", "it says Uploaded and has not (5.9)", "no diagnostics file has arrived"),
    "TC_045_2_CS": Due("fail", "it says Uploaded and has not (4.4)", "status is Uploaded, expected UploadFailed"),
    **_cases("046_1 053_1", _RESERVED),
    "TC_046_2_CS": Due("fail", "5.13: a reservation refuses others, not who has made it", "status is Rejected"),
    "TC_047_CS": Due("fail", "a reservation never ends (5.13)", "connector 1 was not reported Available"),
    "TC_048_2_CS": Due("fail", "it reserves a connector that is Preparing (5.13)", "expected Occupied"),
    **_cases("049 050_1 050_2 050_3", _lacks("reservations of connector 0")),
    **_cases("058_1 058_2", Due("fail", "it takes a TxProfile for no transaction (3.13.1)", "expected Rejected")),
    "TC_060_CS": Due("fail", "it takes any purpose in a remote start (6.33)", "status is Accepted, expected Rejected"),
    **_cases(
        "066 072", Due("fail", "it tells the first limit of one profile (5.7)", "after scheduleStart the limit is")
    ),
    "TC_067_CS": Due("fail", "it keeps one profile for each connector (3.13.2)", "status is Unknown"),
    "TC_070_CS": Due("fail", _KEY, "expected MeterValuesSampledData"),
    "TC_071_CS": Due("fail", _KEY, "no ClockAlignedDataInterval, which is a required key"),
    **SECURED["CS"],
}


@contextmanager
def _judged(folder: Path, cases: Iterable[str]) -> Iterator[Rehearsing]:
    port = free_port()
    hands = (sys.executable, DEVICES / "ocppsim.py", f"ws://127.0.0.1:{port}", "CP1", "--program", PROGRAM)
    with foreign_device(*hands) as [interface]:
        operator = f"http:http://127.0.0.1:{interface}/charge-points/{{charge_point}}/{{action}}"
        device = ("--device", str(DEVICES / "ocppsim.toml"), "--listen", f"127.0.0.1:{port}", "--operator", operator)
        with rehearsing(folder, *device, *(f"--case={case}" for case in cases)) as rehearsal:
            yield rehearsal


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rehearsed, ...]:
    """Each has a part of the cases and a Charge Point of its own, all at the same time: most of it is waiting."""
    require(PROGRAM.is_file(), f"no foreign Charge Point: {INSTALL}")
    folder = tmp_path_factory.mktemp("ocppsim")
    of_charge_points = sorted(case.id for case in all_cases().values() if case.role == "CS")
    with ExitStack() as stack:
        parts = [_judged(folder / f"part {part}", of_charge_points[part::PARTS]) for part in range(PARTS)]
        started = [stack.enter_context(part) for part in parts]
        return tuple(rehearsal.finish() for rehearsal in started)


def test_it_is_judged(rehearsed: tuple[Rehearsed, ...]) -> None:
    every_case = {case_id: case for part in rehearsed for case_id, case in part.cases.items()}
    assert Rehearsed(1, "", every_case).against(DUE) == ""
    assert [part.status for part in rehearsed] == [1] * PARTS  # in each there is a case that fails
