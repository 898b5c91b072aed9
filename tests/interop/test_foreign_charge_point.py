"""A Charge Point that others have made, rehearsed over the wire: the npm package em-ocpp-chargepoint-simulator."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.interop.rehearsals import (
    HERE,
    LIMITS,
    SECURED,
    Due,
    Rehearsed,
    Rehearsing,
    foreign_device,
    free_port,
    operator,
    rehearsing,
    require,
)

PACKAGE = HERE / "node_modules" / "em-ocpp-chargepoint-simulator"

DATA = (
    "HeartbeatInterval=3",
    "BootRetryInterval=2",
    "ConnectionTimeOut=2",
    "MeterValueSampleInterval=2",
    "ClockAlignedDataInterval=2",
    "TransactionDuration=3",
)

# What its user says of it.
LACKS = (
    "authorization_cache",
    "backup_power",
    "firmware_management",
    "list_failure",
    "local_auth_list",
    "lock_failure",
    "offline_transactions",
    "remote_trigger",
    "reservation",
    "reserve_connector_zero",
    "smart_charging",
)


def _silent(action: str) -> Due:
    return Due("fail", "the package answers only what is scripted", f"did not answer {action}.req")


def _lacks(what: str) -> Due:
    return Due("not_applicable", "its user says so", f"the device lacks {what}")


def _has(what: str) -> Due:
    return Due("not_applicable", "the case is for one that has it not", f"the device has {what}")


_CACHE = _lacks("an Authorization Cache")
_OFFLINE = _lacks("transactions that begin while it is offline")
_LIST = _lacks("the profile LocalAuthListManagement")
_FIRMWARE = _lacks("the profile FirmwareManagement")
_RESERVATION = _lacks("the profile Reservation")
_TRIGGER = _lacks("the profile RemoteTrigger")
_SMART_CHARGING = _lacks("the profile SmartCharging")
_CABLE = _has("a cable that is not fixed")


def _cases(numbers: str, due: Due) -> dict[str, Due]:
    return {f"TC_{number}_CS": due for number in numbers.split()}


WITH_HANDS = {
    "TC_001_CS": Due("pass", "it repeats its BootNotification after the interval, then heartbeats"),
    "TC_002_CS": Due("pass", "it answers while it is Pending, and sends nothing of its own"),
    "TC_003_CS": Due("pass", "a regular charging session, the cable first"),
    "TC_004_1_CS": Due("pass", "a regular charging session, the idTag first"),
    "TC_004_2_CS": Due("pass", "it forgets the idTag after the ConnectionTimeOut that it was given"),
    "TC_005_1_CS": Due("pass", "a cable pulled out of the EV ends the transaction"),
    "TC_005_2_CS": _silent("UnlockConnector"),
    "TC_005_3_CS": Due("fail", "it takes false for StopTransactionOnEVSideDisconnect and stops", "is Finishing"),
    **_cases("007_1 007_2 061_1 061_2", _CACHE),
    **_cases("008_1 008_2 042_2 043_2 043_3 043", _LIST),
    "TC_010_CS": Due("pass", "a remote start with the cable in place charges at once"),
    "TC_011_1_CS": Due("pass", "a remote start waits for the cable"),
    "TC_011_2_CS": Due("pass", "and does not wait for ever"),
    "TC_012_CS": Due("pass", "a remote stop ends the transaction"),
    "TC_013_CS": Due("fail", "Unavailable is lost with the power", "connector 1 is reported Available"),
    "TC_014_CS": Due("pass", "a soft reset without a reboot is allowed, and Unavailable stays"),
    "TC_015_CS": Due("fail", "a transaction is lost with the power", "sent no StopTransaction.req"),
    "TC_016_CS": Due("pass", "a soft reset ends the transaction before anything else"),
    "TC_017_1_CS": _silent("UnlockConnector"),
    **_cases("017_2 018_2", _CABLE),
    "TC_018_1_CS": _silent("UnlockConnector"),
    "TC_019_CS": Due("fail", "its script has not all keys of chapter 9", "ResetRetries is missing"),
    "TC_021_CS": Due("pass", "a key that was changed reads as it was changed"),
    "TC_023_4_CS": Due("pass", "an idTag that is not accepted starts nothing"),
    "TC_023_5_CS": _has("a way for the EV driver to present an idTag"),
    "TC_024_CS": Due("fail", "it has no lock; the case exempts fixed cables alone", "prevent_locking"),
    "TC_026_CS": Due("pass", "a second remote start is rejected"),
    "TC_027_CS": Due("fail", "it takes a remote start at connector 0", "status is Accepted, expected Rejected"),
    "TC_028_CS": Due("pass", "a remote stop of another transaction is rejected"),
    "TC_030_CS": _lacks("a connector lock that can be made to fail"),
    "TC_031_CS": _silent("UnlockConnector"),
    "TC_032_1_CS": _lacks("a back-up power supply"),
    "TC_032_2_CS": Due("fail", "a transaction is lost with the power", "sent no StopTransaction.req"),
    "TC_034_CS": Due("fail", "it never speaks of connector 0 but after a boot", "for connector 0"),
    "TC_036_CS": Due("fail", "it sends no MeterValues", "0 samples taken without connection came"),
    **_cases("037_1 037_2 037_3 039", _OFFLINE),
    "TC_038_CS": Due("fail", "what was to be sent without a connection is lost", "sent no StopTransaction.req"),
    "TC_040_1_CS": Due("pass", "an unknown key is NotSupported"),
    "TC_040_2_CS": Due("fail", "its script takes any value", "status is Accepted, expected Rejected"),
    "TC_041_CS": Due("fail", "a fault keeps it from nothing", "sent StartTransaction.req"),
    "TC_042_1_CS": _silent("GetLocalListVersion"),
    "TC_043_1_CS": _silent("SendLocalList"),
    **_cases("044_1 044_2 044_3 045_1 045_2", _FIRMWARE),
    **_cases("046_1 046_2 047 048_1 048_2 048_3 049 050_1 050_2 050_3 051 052 053_1 053_2", _RESERVATION),
    "TC_048_4_CS": _silent("ReserveNow"),
    "TC_050_4_CS": _silent("ReserveNow"),
    **_cases("054 055", _TRIGGER),
    **_cases("056 057 058_1 058_2 059 060 066 067 072 082", _SMART_CHARGING),
    "TC_062_CS": _silent("DataTransfer"),
    "TC_068_CS": Due("pass", "another idTag stops nothing, that of the transaction does"),
    "TC_069_CS": Due("fail", "it knows no groups of idTags", "sent no Authorize.req"),
    "TC_070_CS": Due("fail", "its script has not all keys of chapter 9", "expected MeterValuesSampledData"),
    "TC_071_CS": Due("fail", "its script has not all keys of chapter 9", "no ClockAlignedDataInterval"),
    **SECURED["CS"],
}


def _asks(wish: str) -> Due:
    return Due(
        "inconclusive", "nobody is there to do it", f"no operator who could be asked: {wish} at the Charge Point"
    )


# What needs no hands is judged all the same.
WITHOUT_HANDS = (
    WITH_HANDS
    | _cases("001 002", _asks("restart"))
    | _cases(
        "003 005_1 005_2 005_3 010 011_1 012 015 016 018_1 026 028 032_2 036 038 068 069",
        _asks("plug_in (connectorId = 1)"),
    )
    | _cases("004_1 004_2", _asks("present (connectorId = 1, idTag = VALID-7F3A91)"))
    | _cases("023_4", _asks("present (connectorId = 1, idTag = NOBODY-C0FFEE)"))
    | _cases("024", _asks("prevent_locking (connectorId = 1)"))
    | _cases("041", _asks("fail (connectorId = 1, errorCode = OtherError)"))
)


@contextmanager
def _judged(folder: Path, *, has_hands: bool) -> Iterator[Rehearsing]:
    port = free_port()
    data = [argument for setting in DATA for argument in ("--data", setting)]
    lacks = [argument for capability in LACKS for argument in ("--lacks", capability)]
    with foreign_device("node", HERE / "charge_point.js", f"ws://127.0.0.1:{port}/CP1") as [control]:
        asked = operator(control) if has_hands else ()
        device = ("--listen", f"127.0.0.1:{port}", *lacks)
        with rehearsing(folder, *device, *asked, *data, *LIMITS) as rehearsal:
            yield rehearsal


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rehearsed, Rehearsed]:
    """All cases with an operator and all cases without one, at the same time: most of it is waiting."""
    require(shutil.which("node") is not None, "no node: the foreign Charge Point runs on Node.js")
    require(PACKAGE.is_dir(), "no foreign Charge Point: npm ci --prefix tests/interop")
    folder = tmp_path_factory.mktemp("charge_point")
    with _judged(folder / "hands", has_hands=True) as one, _judged(folder / "none", has_hands=False) as other:
        return one.finish(), other.finish()


def test_it_is_judged(rehearsed: tuple[Rehearsed, Rehearsed]) -> None:
    with_hands, _ = rehearsed
    assert with_hands.against(WITH_HANDS) == ""
    assert with_hands.status == 1


def test_without_an_operator_nobody_plugs_in(rehearsed: tuple[Rehearsed, Rehearsed]) -> None:
    _, without_hands = rehearsed
    assert without_hands.against(WITHOUT_HANDS) == ""
    assert without_hands.status == 1
