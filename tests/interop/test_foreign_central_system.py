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
    SECURED,
    Due,
    Rehearsed,
    Rehearsing,
    foreign_device,
    operator,
    rehearsing,
)

ID_TAGS = {"ValidIdTag": "GOOD-04A1B2", "BlockedIdTag": "LOST-77C0DE", "ExpiredIdTag": "LAST-YEAR-31"}
SHORT = ("ConnectionTimeOut=2", "ReservationDuration=10", "TransactionDuration=3")  # time is real
KNOWS = ("--valid", "GOOD-04A1B2", "--blocked", "LOST-77C0DE", "--expired", "LAST-YEAR-31")

_UNTOLD = Due("inconclusive", "a made-up idTag would be refused, and rightly so", "give --data ValidIdTag=...")
_UNTOLD_2 = Due("inconclusive", "the same, and it knows no groups", "give --data ValidIdTag2=...")


def _without(action: str) -> Due:
    return Due(
        "fail", "it has no handler for what every Central System answers", f"{action}.req with CALLERROR NotImpl"
    )


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
    "TC_017_2_CSMS": Due("pass", "it sends an UnlockConnector"),
    "TC_018_1_CSMS": Due("pass", "it sends an UnlockConnector while a transaction is running"),
    "TC_019_1_CSMS": Due("pass", "it reads all keys"),
    "TC_019_2_CSMS": Due("pass", "it reads one key"),
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
    "TC_042_1_CSMS": Due("pass", "it asks for the version of a list"),
    "TC_042_2_CSMS": Due("pass", "it asks for the version of a list"),
    "TC_043_1_CSMS": Due("pass", "it takes a NotSupported for an answer"),
    "TC_043_3_CSMS": Due("pass", "it takes a Failed for an answer"),
    "TC_043_4_CSMS": Due("pass", "it sends a whole list"),
    "TC_043_5_CSMS": _UNTOLD_2,
    "TC_044_1_CSMS": _without("FirmwareStatusNotification"),
    "TC_044_2_CSMS": _without("FirmwareStatusNotification"),
    "TC_044_3_CSMS": _without("FirmwareStatusNotification"),
    "TC_045_1_CSMS": _without("DiagnosticsStatusNotification"),
    "TC_045_2_CSMS": _without("DiagnosticsStatusNotification"),
    "TC_046_CSMS": Due("pass", "it reserves a connector, and its idTag uses it"),
    "TC_047_CSMS": Due("pass", "a reservation may expire"),
    "TC_048_1_CSMS": Due("pass", "it takes a Faulted for an answer"),
    "TC_048_2_CSMS": Due("pass", "it takes an Occupied for an answer"),
    "TC_048_3_CSMS": Due("pass", "it takes an Unavailable for an answer"),
    "TC_048_4_CSMS": Due("pass", "it takes a Rejected for an answer"),
    "TC_049_CSMS": Due("pass", "it reserves connector 0"),
    "TC_051_CSMS": Due("pass", "it cancels a reservation"),
    "TC_052_CSMS": Due("pass", "it takes a Rejected for an answer"),
    "TC_053_CSMS": _UNTOLD_2,
    "TC_054_CSMS": _without("DiagnosticsStatusNotification"),
    "TC_055_CSMS": Due("pass", "it takes a Rejected for an answer"),
    "TC_056_CSMS": Due("pass", "it sets a TxDefaultProfile"),
    "TC_057_CSMS": Due("pass", "it sets a TxProfile"),
    "TC_059_CSMS": Due("pass", "it starts remotely with a TxProfile"),
    "TC_061_CSMS": Due("pass", "it clears the cache"),
    "TC_064_CSMS": _without("DataTransfer"),
    "TC_066_CSMS": Due("pass", "it asks for a composite schedule"),
    "TC_067_CSMS": Due("pass", "it clears charging profiles"),
    **SECURED["CSMS"],
    "TC_088_CSMS": Due("pass", "its library refuses a subprotocol that it does not know"),
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
    "TC_017_2_CSMS": _asks("UnlockConnector (connectorId = 1) at the Central System"),
    "TC_018_1_CSMS": _asks("UnlockConnector (connectorId = 1) at the Central System"),
    "TC_019_1_CSMS": _asks("GetConfiguration at the Central System"),
    "TC_019_2_CSMS": _asks("GetConfiguration (key = ['SupportedFeatureProfiles']) at the Central System"),
    "TC_021_CSMS": _asks("ChangeConfiguration (key = MeterValueSampleInterval, value = 60) at the Central System"),
    "TC_026_CSMS": _asks("RemoteStartTransaction (idTag = GOOD-04A1B2) at the Central System"),
    "TC_028_CSMS": _asks("RemoteStopTransaction (transactionId = "),
    "TC_030_CSMS": _asks("UnlockConnector (connectorId = 1) at the Central System"),
    "TC_031_CSMS": _asks("UnlockConnector (connectorId = 1) at the Central System"),
    "TC_040_1_CSMS": _asks("ChangeConfiguration (key = Testing, value = true) at the Central System"),
    "TC_040_2_CSMS": _asks("ChangeConfiguration (key = MeterValueSampleInterval, value = -1) at the Central System"),
    "TC_042_1_CSMS": _asks("GetLocalListVersion at the Central System"),
    "TC_042_2_CSMS": _asks("GetLocalListVersion at the Central System"),
    "TC_043_1_CSMS": _asks("SendLocalList (listVersion = 1, updateType = Full) at the Central System"),
    "TC_043_3_CSMS": _asks("SendLocalList (listVersion = 1, updateType = Full) at the Central System"),
    "TC_043_4_CSMS": _asks("SendLocalList (listVersion = 1, updateType = Full, localAuthorizationList = "),
    "TC_044_1_CSMS": _asks("UpdateFirmware (location = ftp://"),
    "TC_044_2_CSMS": _asks("UpdateFirmware (location = ftp://"),
    "TC_044_3_CSMS": _asks("UpdateFirmware (location = ftp://"),
    "TC_045_1_CSMS": _asks("GetDiagnostics (location = ftp://"),
    "TC_045_2_CSMS": _asks("GetDiagnostics (location = ftp://"),
    "TC_046_CSMS": _asks("ReserveNow (connectorId = 1, idTag = GOOD-04A1B2, expiryDate = "),
    "TC_047_CSMS": _asks("ReserveNow (connectorId = 1, idTag = GOOD-04A1B2, expiryDate = "),
    "TC_048_1_CSMS": _asks("ReserveNow (connectorId = 1, idTag = GOOD-04A1B2, expiryDate = "),
    "TC_048_2_CSMS": _asks("ReserveNow (connectorId = 1, idTag = GOOD-04A1B2, expiryDate = "),
    "TC_048_3_CSMS": _asks("ChangeAvailability (connectorId = 1, type = Inoperative) at the Central System"),
    "TC_048_4_CSMS": _asks("ReserveNow (connectorId = 1, idTag = GOOD-04A1B2, expiryDate = "),
    "TC_049_CSMS": _asks("ReserveNow (connectorId = 0, idTag = GOOD-04A1B2, expiryDate = "),
    "TC_051_CSMS": _asks("ReserveNow (connectorId = 1, idTag = GOOD-04A1B2, expiryDate = "),
    "TC_052_CSMS": _asks("ReserveNow (connectorId = 1, idTag = GOOD-04A1B2, expiryDate = "),
    "TC_054_CSMS": _asks("TriggerMessage (requestedMessage = MeterValues, connectorId = 1) at the Central System"),
    "TC_055_CSMS": _asks("TriggerMessage (requestedMessage = MeterValues) at the Central System"),
    "TC_056_CSMS": _asks("SetChargingProfile (connectorId = 1, csChargingProfiles."),
    "TC_057_CSMS": _asks("SetChargingProfile (connectorId = 1, csChargingProfiles."),
    "TC_059_CSMS": _asks("RemoteStartTransaction (connectorId = 1, idTag = GOOD-04A1B2, chargingProfile."),
    "TC_061_CSMS": _asks("ClearCache at the Central System"),
    "TC_066_CSMS": _asks("GetCompositeSchedule (connectorId = 1, duration = 300, chargingRateUnit = A) at the Central"),
    "TC_067_CSMS": _asks("SetChargingProfile (connectorId = 0, csChargingProfiles."),
}


def _cases(numbers: str) -> list[str]:
    return [f"TC_{number}_CSMS" for number in numbers.split()]


NEED_A_VALID_ID_TAG = _cases(
    "003 004_1 004_2 005_1 007 010 011_1 011_2 012 018_1 024 026 028 032_1 037_1 037_3 039 043_4 043_5 "
    "046 047 048_1 048_2 048_3 048_4 049 051 052 053 057 059 061 067"
)

_UNANSWERED = Due("fail", "StatusNotification.req is never answered", "did not answer StatusNotification.req")
_NO_STATUS = Due(
    "fail",
    "the idTagInfo lacks its status",
    'StopTransaction.conf of the Central System: idTagInfo: "status" is a required',
)

BASIC = {case: due for case, due in HONEST.items() if case < "TC_041"}

# What each fault alone turns in the basic cases. A Central System that lets every case wait is tried on three of them.
FAULTY = {
    ACCEPTS_EVERY_ID_TAG: BASIC
    | {
        "TC_023_1_CSMS": Due("fail", "nobody is Invalid", "is Accepted, expected Invalid"),
        "TC_023_2_CSMS": Due("fail", "nobody is Expired", "is Accepted, expected Expired"),
        "TC_023_3_CSMS": Due("fail", "nobody is Blocked", "is Accepted, expected Blocked"),
        "TC_037_3_CSMS": Due("fail", "nobody is Invalid", "is Accepted, expected Invalid"),
    },
    SILENT_ABOUT_STATUS: dict.fromkeys(("TC_001_CSMS", "TC_003_CSMS", "TC_023_1_CSMS"), _UNANSWERED),
    MALFORMED_STOP: BASIC
    | dict.fromkeys(
        ("TC_005_1_CSMS", "TC_012_CSMS", "TC_018_1_CSMS", "TC_032_1_CSMS", "TC_037_3_CSMS", "TC_039_CSMS"),
        _NO_STATUS,
    ),
}


@contextmanager
def _judged(
    folder: Path, *more: str, fault: str | None = None, has_operator: bool = True, without: str = ""
) -> Iterator[Rehearsing]:
    data = [f"{name}={id_tag}" for name, id_tag in ID_TAGS.items() if name != without]
    settings = [argument for setting in (*data, *SHORT) for argument in ("--data", setting)]
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
    assert rehearsed["honest"].status == 1


def test_without_an_operator_nobody_has_it_send(rehearsed: dict[str, Rehearsed]) -> None:
    assert rehearsed["no operator"].against(WITHOUT_OPERATOR) == ""
    assert rehearsed["no operator"].status == 1


def test_without_a_valid_id_tag_nobody_charges(rehearsed: dict[str, Rehearsed]) -> None:
    assert rehearsed["no ValidIdTag"].against(HONEST | dict.fromkeys(NEED_A_VALID_ID_TAG, _UNTOLD)) == ""
    assert rehearsed["no ValidIdTag"].status == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(rehearsed: dict[str, Rehearsed], fault: str) -> None:
    assert rehearsed[fault].against(FAULTY[fault]) == ""
    assert rehearsed[fault].status == 1
