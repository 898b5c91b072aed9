"""A Central System that others have made, rehearsed over the wire: a small one on the ``ocpp`` package."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.interop.central_system import ACCEPTS_EVERY_ID_TAG, FAULTS, MALFORMED_STOP, SILENT_ABOUT_STATUS
from tests.interop.rehearsals import (
    HERE,
    LIMITS,
    Due,
    Rehearsed,
    Rehearsing,
    foreign_device,
    operator,
    rehearsing,
)

ID_TAGS = {"ValidIdTag": "GOOD-04A1B2", "BlockedIdTag": "LOST-77C0DE", "ExpiredIdTag": "LAST-YEAR-31"}
KNOWS = ("--valid", "GOOD-04A1B2", "--blocked", "LOST-77C0DE", "--expired", "LAST-YEAR-31")

HONEST = {
    "TC_001_CSMS": Due("pass", "it accepts a BootNotification and answers what follows"),
    "TC_003_CSMS": Due("pass", "a regular charging session, the cable first"),
    "TC_004_1_CSMS": Due("pass", "a regular charging session, the idTag first"),
    "TC_004_2_CSMS": Due("pass", "an idTag without a cable is no matter to it"),
    "TC_005_1_CSMS": Due("pass", "it answers a StopTransaction"),
    "TC_007_CSMS": Due("pass", "it starts a transaction that it was not asked about before"),
    "TC_010_CSMS": Due("pass", "it starts remotely, the cable first"),
    "TC_011_1_CSMS": Due("pass", "it starts remotely, the cable later"),
    "TC_011_2_CSMS": Due("pass", "it starts remotely, and no cable comes"),
    "TC_012_CSMS": Due("pass", "it stops remotely"),
    "TC_013_CSMS": Due("pass", "it sends a hard Reset and takes the Charge Point back"),
    "TC_014_CSMS": Due("pass", "it sends a soft Reset and takes the Charge Point back"),
    "TC_017_1_CSMS": Due("pass", "it sends an UnlockConnector"),
    "TC_019_1_CSMS": Due("pass", "it reads all keys"),
    "TC_021_CSMS": Due("pass", "it sets a key"),
    "TC_023_1_CSMS": Due("pass", "an idTag that it does not know is Invalid"),
    "TC_023_2_CSMS": Due("pass", "it knows an Expired idTag"),
    "TC_023_3_CSMS": Due("pass", "it knows a Blocked idTag"),
    "TC_024_CSMS": Due("pass", "it takes a report of a fault"),
    "TC_026_CSMS": Due("pass", "it takes a Rejected for an answer"),
    "TC_028_CSMS": Due("pass", "it takes a Rejected for an answer"),
    "TC_030_CSMS": Due("pass", "it takes an UnlockFailed for an answer"),
    "TC_031_CSMS": Due("pass", "it takes a NotSupported for an answer"),
    "TC_032_1_CSMS": Due("pass", "it takes a Charge Point back that has lost its power"),
    "TC_037_1_CSMS": Due("pass", "a transaction may have begun without it"),
    "TC_037_3_CSMS": Due("pass", "an idTag that it does not know is Invalid, however late"),
    "TC_039_CSMS": Due("pass", "a whole transaction may have gone by without it"),
    "TC_040_1_CSMS": Due("pass", "it takes a NotSupported for an answer"),
    "TC_040_2_CSMS": Due("pass", "it takes a Rejected for an answer"),
}


def _asks(wish: str) -> Due:
    return Due("inconclusive", "nobody can have it sent", f"no operator who could be asked: {wish}")


# What the Charge Point begins is judged all the same.
WITHOUT_OPERATOR = HONEST | {
    "TC_010_CSMS": _asks("RemoteStartTransaction (connectorId = 1, idTag = GOOD-04A1B2) at the Central System"),
    "TC_011_1_CSMS": _asks("RemoteStartTransaction (connectorId = 1, idTag = GOOD-04A1B2) at the Central System"),
    "TC_011_2_CSMS": _asks("RemoteStartTransaction (connectorId = 1, idTag = GOOD-04A1B2) at the Central System"),
    "TC_012_CSMS": _asks("RemoteStopTransaction (transactionId = "),
    "TC_013_CSMS": _asks("Reset (type = Hard) at the Central System"),
    "TC_014_CSMS": _asks("Reset (type = Soft) at the Central System"),
    "TC_017_1_CSMS": _asks("UnlockConnector (connectorId = 1) at the Central System"),
    "TC_019_1_CSMS": _asks("GetConfiguration at the Central System"),
    "TC_021_CSMS": _asks("ChangeConfiguration (key = MeterValueSampleInterval, value = 60) at the Central System"),
    "TC_026_CSMS": _asks("RemoteStartTransaction (idTag = GOOD-04A1B2) at the Central System"),
    "TC_028_CSMS": _asks("RemoteStopTransaction (transactionId = "),
    "TC_030_CSMS": _asks("UnlockConnector (connectorId = 1) at the Central System"),
    "TC_031_CSMS": _asks("UnlockConnector (connectorId = 1) at the Central System"),
    "TC_040_1_CSMS": _asks("ChangeConfiguration (key = Testing, value = true) at the Central System"),
    "TC_040_2_CSMS": _asks("ChangeConfiguration (key = MeterValueSampleInterval, value = -1) at the Central System"),
}

_UNTOLD = Due("inconclusive", "a made-up idTag would be refused, and rightly so", "give --data ValidIdTag=...")

NEED_A_VALID_ID_TAG = (
    "TC_003_CSMS",
    "TC_004_1_CSMS",
    "TC_004_2_CSMS",
    "TC_005_1_CSMS",
    "TC_007_CSMS",
    "TC_010_CSMS",
    "TC_011_1_CSMS",
    "TC_011_2_CSMS",
    "TC_012_CSMS",
    "TC_024_CSMS",
    "TC_026_CSMS",
    "TC_028_CSMS",
    "TC_032_1_CSMS",
    "TC_037_1_CSMS",
    "TC_037_3_CSMS",
    "TC_039_CSMS",
)

_UNANSWERED = Due("fail", "StatusNotification.req is never answered", "did not answer StatusNotification.req")
_NO_STATUS = Due(
    "fail",
    "the idTagInfo lacks its status",
    'StopTransaction.conf of the Central System: idTagInfo: "status" is a required',
)

# What each fault alone turns. A Central System that lets every case wait is tried on three of them.
FAULTY = {
    ACCEPTS_EVERY_ID_TAG: HONEST
    | {
        "TC_023_1_CSMS": Due("fail", "nobody is Invalid", "is Accepted, expected Invalid"),
        "TC_023_2_CSMS": Due("fail", "nobody is Expired", "is Accepted, expected Expired"),
        "TC_023_3_CSMS": Due("fail", "nobody is Blocked", "is Accepted, expected Blocked"),
        "TC_037_3_CSMS": Due("fail", "nobody is Invalid", "is Accepted, expected Invalid"),
    },
    SILENT_ABOUT_STATUS: dict.fromkeys(("TC_001_CSMS", "TC_003_CSMS", "TC_023_1_CSMS"), _UNANSWERED),
    MALFORMED_STOP: HONEST
    | dict.fromkeys(
        ("TC_005_1_CSMS", "TC_012_CSMS", "TC_032_1_CSMS", "TC_037_3_CSMS", "TC_039_CSMS"),
        _NO_STATUS,
    ),
}


@contextmanager
def _judged(
    folder: Path, *more: str, fault: str | None = None, has_operator: bool = True, without: str = ""
) -> Iterator[Rehearsing]:
    data = [f"{name}={id_tag}" for name, id_tag in ID_TAGS.items() if name != without] + ["ConnectionTimeOut=2"]
    settings = [argument for setting in data for argument in ("--data", setting)]
    planted = ("--fault", fault) if fault else ()
    with foreign_device(sys.executable, HERE / "central_system.py", *KNOWS, *planted) as [port, control]:
        asked = operator(control) if has_operator else ()
        url = f"ws://127.0.0.1:{port}/ocpp"
        with rehearsing(folder, "--csms", url, *asked, *settings, *LIMITS, *more) as rehearsal:
            yield rehearsal


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rehearsed]:
    """Every variant, all at the same time: most of it is waiting."""
    folder = tmp_path_factory.mktemp("central_system")
    with ExitStack() as stack:
        variants = {
            "honest": _judged(folder / "honest"),
            "no operator": _judged(folder / "no_operator", has_operator=False),
            "no ValidIdTag": _judged(folder / "no_valid_id_tag", without="ValidIdTag"),
        }
        for fault in FAULTS:
            some = [f"--case={case}" for case in FAULTY[fault]]
            variants[fault] = _judged(folder / fault, *some, fault=fault)
        started = {name: stack.enter_context(variant) for name, variant in variants.items()}
        return {name: rehearsal.finish() for name, rehearsal in started.items()}


def test_it_is_judged(rehearsed: dict[str, Rehearsed]) -> None:
    assert rehearsed["honest"].against(HONEST) == ""
    assert rehearsed["honest"].status == 0


def test_without_an_operator_nobody_has_it_send(rehearsed: dict[str, Rehearsed]) -> None:
    assert rehearsed["no operator"].against(WITHOUT_OPERATOR) == ""
    assert rehearsed["no operator"].status == 3


def test_without_a_valid_id_tag_nobody_charges(rehearsed: dict[str, Rehearsed]) -> None:
    assert rehearsed["no ValidIdTag"].against(HONEST | dict.fromkeys(NEED_A_VALID_ID_TAG, _UNTOLD)) == ""
    assert rehearsed["no ValidIdTag"].status == 3


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(rehearsed: dict[str, Rehearsed], fault: str) -> None:
    assert rehearsed[fault].against(FAULTY[fault]) == ""
    assert rehearsed[fault].status == 1
