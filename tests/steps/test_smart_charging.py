"""How a composite schedule is compared with what a table expects."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.bench import Bench
from bench.device import device
from steps.cells import BadCell
from steps.smart_charging import _compare, _limits, _Schedule

Rows = list[tuple[str, str]]

TABLE = [("0 s", "8"), ("50 s", "10"), ("200 s", "6"), ("240 s", "10"), ("260 s", "10, tolerated 8"), ("300 s", "10")]
BEGIN = 2.0  # the greatest deviation after the start of the profiles
SLACK = 3.0  # the greatest deviation and one second


def compared(periods: list[tuple[float, float]], table: Rows, *, local: float = 1e9, **data: str) -> tuple[bool, bool]:
    """Whether anything is wrong, and anything remarked; the periods count from the start of the profiles."""
    about = device(data=data)
    bench = cast(Bench, SimpleNamespace(device=about, value=about.data.__getitem__))
    found = _compare(bench, _Schedule(BEGIN, BEGIN + 400, periods), table, local)
    return bool(found.wrong), bool(found.remarks)


RIGHT: dict[str, Any] = {
    "as it is": [(2, 8), (50, 10), (200, 6), (240, 10)],
    "in pieces": [(2, 8), (20, 8), (50, 10), (51, 10), (200, 6), (240, 10), (300, 10), (399, 10)],
    "late": [(2, 8), (53, 10), (203, 6), (243, 10)],
    "early": [(2, 8), (47, 10), (197, 6), (237, 10)],
    "to and fro at an edge": [(2, 8), (49, 10), (50, 8), (52, 10), (200, 6), (240, 10)],
    "unlimited until the profiles begin": [(2, 16), (2.9, 8), (50, 10), (200, 6), (240, 10)],
}

WRONG: dict[str, Any] = {
    "too late": [(2, 8), (53.1, 10), (200, 6), (240, 10)],
    "too early": [(2, 8), (50, 10), (196.9, 6), (240, 10)],
    "too high": [(2, 8), (50, 10.1), (200, 6), (240, 10)],
    "too low": [(2, 8), (50, 10), (200, 5.8), (240, 10)],
    "a limit of another time": [(2, 8), (50, 6), (200, 6), (240, 10)],
    "another limit at an edge": [(2, 8), (50, 9), (51, 10), (200, 6), (240, 10)],
    "a moment": [(2, 8), (50, 10), (100, 12), (100.5, 10), (200, 6), (240, 10)],
    "nothing but the first": [(2, 8)],
    "the tolerated one too soon": [(2, 8), (50, 10), (200, 6), (240, 8)],
    "the tolerated one too long": [(2, 8), (50, 10), (200, 6), (240, 10), (260, 8)],
}


@pytest.mark.parametrize("name", RIGHT)
def test_right(name: str) -> None:
    assert compared(RIGHT[name], TABLE) == (False, False)


@pytest.mark.parametrize("name", WRONG)
def test_wrong(name: str) -> None:
    wrong, _ = compared(WRONG[name], TABLE)
    assert wrong


def test_what_is_tolerated_is_remarked() -> None:
    told = [(2.0, 8.0), (50.0, 10.0), (200.0, 6.0), (240.0, 10.0), (260.0, 8.0), (300.0, 10.0)]
    assert compared(told, TABLE) == (False, True)


@pytest.mark.parametrize(("limit", "wrong", "remarks"), [(7.9, False, True), (7.8, True, False), (8.1, True, False)])
def test_a_digit_below_is_a_remark(limit: float, wrong: bool, remarks: bool) -> None:
    assert compared([(2, limit)], [("0 s", "8")]) == (wrong, remarks)


@pytest.mark.parametrize(
    ("local", "limits", "wrong"),
    [
        (7, (7, 7), False),
        (9, (8, 9), False),
        (9, (9, 9), True),
        (9, (8, 10), False),
        (9, (7, 9), True),
        (12, (8, 9), True),
    ],
)
def test_a_local_limit_may_be_regarded(local: float, limits: tuple[float, float], wrong: bool) -> None:
    periods = [(2.0, float(limits[0])), (100.0, float(limits[1]))]
    assert compared(periods, [("0 s", "8"), ("100 s", "10")], local=local) == (wrong, False)


def test_watts_are_kilowatts_in_a_table() -> None:
    table = [("0 s", "8"), ("100 s", "{LocalLimit}")]
    assert compared([(2, 8000), (100, 11040)], table, ChargingRateUnit="W") == (False, False)
    assert compared([(2, 8), (100, 16)], table, ChargingRateUnit="W")[0]
    assert compared([(2, 8000), (100, 9000)], table, ChargingRateUnit="W", LocalLimit="9000") == (False, False)
    assert compared([(2, 7935), (100, 11040)], table, ChargingRateUnit="W") == (False, True)  # 11.5 A on three phases


def test_any_limit_will_do_where_the_table_says_so() -> None:
    assert compared([(2, 8), (100, 3), (200, 77)], [("0 s", "8"), ("100 s", "any")]) == (False, False)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(8, 60), st.integers(0, 16)), min_size=1, max_size=6),
    st.lists(st.floats(-SLACK, SLACK), min_size=6, max_size=6),
    st.sets(st.floats(3, 399), max_size=4),
    st.floats(0.5, 3.0),
)
def test_what_is_right_but_for_the_edges_is_right_and_what_is_not_is_not(
    pieces: list[tuple[int, int]], shifts: list[float], cuts: set[float], beyond: float
) -> None:
    table, told, wrong, start = [("0 s", "20")], [(BEGIN, 20.0)], [(BEGIN, 20.0)], 0
    for (length, limit), shift in zip(pieces, shifts, strict=False):
        start += length
        table.append((f"{start} s", str(limit)))
        told.append((start + shift, float(limit)))
        wrong.append((start + SLACK + beyond, float(limit)))

    def at(moment: float) -> float:
        return [limit for begin, limit in told if begin <= moment][-1]

    in_pieces = sorted(told + [(cut, at(cut)) for cut in cuts])
    assert compared(in_pieces, table) == (False, False)
    is_constant = len({limit for _, limit in pieces} | {20}) == 1
    assert is_constant or compared(wrong, table)[0]


@pytest.mark.parametrize("text", ["0: 6", "0 s 6", "soon: 6", "0 min: 6"])
def test_limits_that_cannot_be_read(text: str) -> None:
    with pytest.raises(BadCell):
        _limits(text)
