"""A Charge Point that others have made, rehearsed over the wire: the npm package em-ocpp-chargepoint-simulator."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.interop.rehearsals import (
    HERE,
    LIMITS,
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

DATA = ("HeartbeatInterval=3", "BootRetryInterval=2", "ConnectionTimeOut=2")

SILENT = "the package answers only what is scripted, and UnlockConnector is not"

WITH_HANDS = {
    "TC_001_CS": Due("pass", "it repeats its BootNotification after the interval, then heartbeats"),
    "TC_002_CS": Due("pass", "it answers while it is Pending, and sends nothing of its own"),
    "TC_003_CS": Due("pass", "a regular charging session, the cable first"),
    "TC_004_1_CS": Due("pass", "a regular charging session, the idTag first"),
    "TC_004_2_CS": Due("pass", "it forgets the idTag after the ConnectionTimeOut that it was given"),
    "TC_005_1_CS": Due("pass", "a cable pulled out of the EV ends the transaction"),
    "TC_007_1_CS": Due(
        "not_applicable", "it has no Authorization Cache, and its user says so", "lacks an Authorization"
    ),
    "TC_010_CS": Due("pass", "a remote start with the cable in place charges at once"),
    "TC_011_1_CS": Due("pass", "a remote start waits for the cable"),
    "TC_011_2_CS": Due("pass", "and does not wait for ever"),
    "TC_012_CS": Due("pass", "a remote stop ends the transaction"),
    "TC_013_CS": Due("fail", "Unavailable is lost with the power", "connector 1 is reported Available"),
    "TC_014_CS": Due("pass", "a soft reset without a reboot is allowed, and Unavailable stays"),
    "TC_017_1_CS": Due("fail", SILENT, "did not answer UnlockConnector.req"),
    "TC_019_CS": Due("fail", "its script has not all keys of chapter 9", "ResetRetries is missing"),
    "TC_021_CS": Due("pass", "a key that was changed reads as it was changed"),
    "TC_026_CS": Due("pass", "a second remote start is rejected"),
    "TC_028_CS": Due("pass", "a remote stop of another transaction is rejected"),
    "TC_031_CS": Due("fail", SILENT, "did not answer UnlockConnector.req"),
    "TC_040_1_CS": Due("pass", "an unknown key is NotSupported"),
    "TC_040_2_CS": Due("fail", "its script takes any value", "status is Accepted, expected Rejected"),
}


def _asks(wish: str) -> Due:
    return Due(
        "inconclusive", "nobody is there to do it", f"no operator who could be asked: {wish} at the Charge Point"
    )


# What needs no hands is judged all the same.
WITHOUT_HANDS = WITH_HANDS | {
    "TC_001_CS": _asks("restart"),
    "TC_002_CS": _asks("restart"),
    "TC_003_CS": _asks("plug_in (connectorId = 1)"),
    "TC_004_1_CS": _asks("present (connectorId = 1, idTag = VALID-7F3A91)"),
    "TC_004_2_CS": _asks("present (connectorId = 1, idTag = VALID-7F3A91)"),
    "TC_005_1_CS": _asks("plug_in (connectorId = 1)"),
    "TC_010_CS": _asks("plug_in (connectorId = 1)"),
    "TC_011_1_CS": _asks("plug_in (connectorId = 1)"),
    "TC_012_CS": _asks("plug_in (connectorId = 1)"),
    "TC_026_CS": _asks("plug_in (connectorId = 1)"),
    "TC_028_CS": _asks("plug_in (connectorId = 1)"),
}


@contextmanager
def _judged(folder: Path, *, has_hands: bool) -> Iterator[Rehearsing]:
    port = free_port()
    data = [argument for setting in DATA for argument in ("--data", setting)]
    with foreign_device("node", HERE / "charge_point.js", f"ws://127.0.0.1:{port}/CP1") as [control]:
        asked = operator(control) if has_hands else ()
        device = ("--listen", f"127.0.0.1:{port}", "--lacks", "authorization_cache")
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
