"""When a meter value lies on the clock, and of which measurand it is."""

from datetime import datetime

import pytest

from ocppj.frames import Payload
from steps.metering import _off_the_clock, is_of


@pytest.mark.parametrize(
    ("instant", "interval", "expected"),
    [
        ("2031-05-13T08:41:20+00:00", 20, 0),
        ("2031-05-13T08:41:21.5+00:00", 20, 1.5),
        ("2031-05-13T08:41:39+00:00", 20, 1),
        ("2031-05-13T10:00:00+00:00", 3600, 0),
        ("2031-05-13T10:00:00+05:45", 3600, 0),  # from local midnight
        ("2031-05-13T10:45:00+05:45", 3600, 0),  # from midnight UTC
        ("2031-05-13T10:30:00+05:45", 3600, 900),
        ("2031-05-13T23:59:59+00:00", 7, 1),  # midnight begins anew
        ("2031-05-13T08:41:20", 20, 0),
    ],
)
def test_how_far_an_instant_is_off_the_clock(instant: str, interval: float, expected: float) -> None:
    assert _off_the_clock(datetime.fromisoformat(instant), interval) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Voltage", {"measurand": "Voltage", "phase": "L1"}, True),
        ("voltage.l1", {"measurand": "Voltage", "phase": "L1"}, True),
        ("Voltage.L1", {"measurand": "Voltage", "phase": "L1-N"}, True),
        ("Voltage.L1-N", {"measurand": "Voltage", "phase": "L1-N"}, True),
        ("Voltage.L1", {"measurand": "Voltage", "phase": "L2"}, False),
        ("Voltage.L1", {"measurand": "Voltage"}, False),
        ("Energy.Active.Import.Register", {}, True),
        ("SoC", {}, False),
        ("Energy.Active.Import.Interval", {"measurand": "Energy.Active.Import.Register"}, False),
    ],
)
def test_the_measurand_of_a_value(name: str, value: Payload, expected: bool) -> None:
    assert is_of(name, value) == expected
