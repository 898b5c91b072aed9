"""What charging profiles allow, second by second, beside an oracle that knows nothing of breaks and segments."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocppj.clock import timestamp
from simulator.charging_schedule import (
    MOST_BREAKS,
    SECOND,
    VOLTAGE,
    Limit,
    Period,
    TooLong,
    Unit,
    allowed,
    instant,
    next_break,
    periods,
    schedule,
    shared,
    total_periods,
)

Profile = dict[str, Any]

NOON = datetime(2031, 5, 12, 12, 0, 0, tzinfo=UTC)
QUARTER = timedelta(milliseconds=250)  # everything that is drawn lies on this grid
LOCAL = Limit(16.0)

# The oracle: it asks every profile at every quarter of a second, and walks through recurrences one by one.


def allows(profile: Profile, moment: datetime, situation: datetime) -> Profile | None:
    """The period of a profile that holds at an instant."""
    plan = profile["chargingSchedule"]
    if "validFrom" in profile and moment < datetime.fromisoformat(profile["validFrom"]):
        return None
    if "validTo" in profile and moment >= datetime.fromisoformat(profile["validTo"]):
        return None
    begins = situation
    if profile["chargingProfileKind"] != "Relative" and "startSchedule" in plan:
        begins = datetime.fromisoformat(plan["startSchedule"])
    if profile["chargingProfileKind"] == "Recurring":
        days = {"Daily": 1, "Weekly": 7}[profile["recurrencyKind"]]
        while begins + timedelta(days=days) <= moment:
            begins += timedelta(days=days)
    if moment < begins or moment >= begins + timedelta(seconds=plan.get("duration", 10**9)):
        return None
    found: Profile | None = None
    for period in plan["chargingSchedulePeriod"]:
        if begins + timedelta(seconds=period["startPeriod"]) <= moment:
            found = period
    return found


def current(period: Profile, unit: str) -> tuple[float, int]:
    phases = period.get("numberPhases", 3)
    return (period["limit"] if unit == "A" else period["limit"] / VOLTAGE / phases), phases


def at(stacks: list[list[Profile]], moment: datetime, situation: datetime, local: float = 16.0) -> tuple[float, int]:
    """Amperes and phases at an instant."""
    least, phases = local, 3
    for stack in stacks:
        for profile in sorted(stack, key=lambda profile: -profile["stackLevel"]):
            period = allows(profile, moment, situation)
            if period is not None:
                amperes, used = current(period, profile["chargingSchedule"]["chargingRateUnit"])
                least, phases = min(least, amperes), min(phases, used)
                break
    return least, phases


def in_second(stacks: list[list[Profile]], second: int, begin: datetime, local: float = 16.0) -> tuple[float, int]:
    """The lowest amperes and phases of a second."""
    first = begin + timedelta(seconds=second)
    found = [at(stacks, first + quarter * QUARTER, begin, local) for quarter in range(4)]
    return min(amperes for amperes, _ in found), min(phases for _, phases in found)


def told(line: list[Period], second: int) -> tuple[float, int]:
    """What a composite schedule says of a second."""
    _, limit, phases = [period for period in line if period[0] <= second][-1]
    return limit, phases


def fits(line: list[Period], second: int, amperes: float, phases: int, unit: Unit) -> bool:
    rate = amperes if unit == "A" else amperes * phases * VOLTAGE
    limit, used = told(line, second)
    return used == phases and rate - 0.1 - 1e-6 < limit <= rate + 1e-6


# Random profiles

OFFSETS = st.integers(-240, 240).map(lambda quarters: quarters * QUARTER)
LIMITS = {"A": st.integers(0, 200), "W": st.integers(0, 150_000)}


@st.composite
def plans(draw: st.DrawFn, start: datetime | None) -> Profile:
    unit = draw(st.sampled_from(["A", "W"]))
    starts = [0, *sorted(draw(st.sets(st.integers(1, 50), max_size=4)))]
    plan: Profile = {"chargingRateUnit": unit, "chargingSchedulePeriod": []}
    for start_period in starts:
        period: Profile = {"startPeriod": start_period, "limit": draw(LIMITS[unit]) / 10}
        if draw(st.booleans()):
            period["numberPhases"] = draw(st.integers(1, 3))
        plan["chargingSchedulePeriod"].append(period)
    if draw(st.booleans()):
        plan["duration"] = draw(st.integers(0, 80))
    if start is not None:
        plan["startSchedule"] = timestamp(start)
    return plan


@st.composite
def profiles(draw: st.DrawFn, level: int) -> Profile:
    kind = draw(st.sampled_from(["Absolute", "Recurring", "Relative"]))
    profile: Profile = {"chargingProfileId": level, "stackLevel": level, "chargingProfileKind": kind}
    days = 0
    if kind == "Recurring":
        profile["recurrencyKind"] = draw(st.sampled_from(["Daily", "Weekly"]))
        days = draw(st.sampled_from([0, 1, 6, 7, 14, 30]))
    has_start = kind != "Relative" and draw(st.integers(0, 4)) > 0
    profile["chargingSchedule"] = draw(plans(NOON - timedelta(days=days) + draw(OFFSETS) if has_start else None))
    for name in ("validFrom", "validTo"):
        if draw(st.integers(0, 3)) == 0:
            profile[name] = timestamp(NOON + draw(OFFSETS))
    return profile


@st.composite
def stacks(draw: st.DrawFn) -> list[Profile]:
    levels = draw(st.permutations(range(4)))[: draw(st.integers(0, 3))]
    return [draw(profiles(level)) for level in levels]


UNITS: st.SearchStrategy[Unit] = st.sampled_from(["A", "W"])
SECONDS = 50


def ready(*stacks: list[Profile]) -> list[list[Any]]:
    return [[schedule(profile, instant(NOON)) for profile in stack] for stack in stacks]


@settings(max_examples=2000, deadline=None, derandomize=True)
@given(stacks(), stacks(), UNITS)
def test_a_composite_schedule_is_what_the_oracle_says(tx: list[Profile], maximum: list[Profile], unit: Unit) -> None:
    line = periods(ready(tx, maximum), LOCAL, instant(NOON), SECONDS, unit)
    assert line[0][0] == 0
    assert [period[0] for period in line] == sorted({period[0] for period in line})
    assert all(before[1:] != after[1:] for before, after in pairwise(line))
    for second in range(SECONDS):
        assert fits(line, second, *in_second([tx, maximum], second, NOON), unit), second


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(stacks(), min_size=1, max_size=3), stacks(), UNITS)
def test_connector_0_has_the_sum_within_the_maximum(each: list[list[Profile]], most: list[Profile], unit: Unit) -> None:
    lines = [ready(stack) for stack in each]
    line = total_periods(lines, ready(most)[0], LOCAL, instant(NOON), SECONDS, unit)
    for second in range(SECONDS):
        found = [in_second([stack, most], second, NOON) for stack in each]
        amperes, phases = in_second([most], second, NOON, local=16.0 * len(each))
        shares = shared(Limit(amperes, phases), [Limit(*limit) for limit in found])
        rate = sum(share.amperes if unit == "A" else share.amperes * share.phases * VOLTAGE for share in shares)
        limit, used = told(line, second)
        assert used == max(share.phases for share in shares)
        assert rate - 0.1 - 1e-6 < limit <= rate + 1e-6
        assert unit == "W" or rate == pytest.approx(min(amperes, sum(a for a, _ in found)))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(stacks(), stacks(), st.integers(0, 400))
def test_nothing_changes_before_the_next_break(tx: list[Profile], maximum: list[Profile], quarters: int) -> None:
    both = ready(tx, maximum)
    moment = instant(NOON + quarters * QUARTER)
    edge = next_break(both, moment)
    now = allowed(both, LOCAL, moment)
    for step in range(1, 200):
        later = moment + step * SECOND // 4
        if edge is not None and later >= edge:
            break
        assert allowed(both, LOCAL, later) == now


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 640), st.lists(st.integers(0, 320), max_size=5))
def test_shares_stay_within_the_total_and_leave_nothing_that_is_wanted(total: int, wanted: list[int]) -> None:
    shares = shared(Limit(total / 10), [Limit(want / 10) for want in wanted])
    amperes = [share.amperes for share in shares]
    assert sum(amperes) <= total / 10 + 1e-6
    assert sum(amperes) == pytest.approx(min(total, sum(wanted)) / 10)
    assert all(share <= want / 10 for share, want in zip(amperes, wanted, strict=True))
    poorest = min((a for a, want in zip(amperes, wanted, strict=True) if a < want / 10 - 1e-6), default=None)
    assert poorest is None or all(share <= poorest + 1e-6 for share in amperes)


# What is told in words


def absolute(level: int, start: int, limits: dict[int, float], duration: int | None = None, **more: Any) -> Profile:
    plan: Profile = {
        "startSchedule": timestamp(NOON + timedelta(seconds=start)),
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": at, "limit": limit} for at, limit in limits.items()],
    }
    if duration is not None:
        plan["duration"] = duration
    return {"stackLevel": level, "chargingProfileKind": "Absolute", "chargingSchedule": plan, **more}


def line(*stacks: list[Profile], seconds: int = 400) -> list[tuple[int, float]]:
    found = periods(ready(*stacks), LOCAL, instant(NOON), seconds, "A")
    return [(start, limit) for start, limit, _ in found]


def test_the_higher_level_prevails_until_its_duration_is_over() -> None:
    low = absolute(0, 0, {0: 6, 100: 8, 200: 10}, duration=400)
    high = absolute(1, 0, {0: 7, 100: 9}, duration=150)
    assert line([low, high], seconds=350) == [(0, 7.0), (100, 9.0), (150, 8.0), (200, 10.0)]
    assert line([high, low], seconds=350) == line([low, high], seconds=350)


def test_without_a_profile_the_local_limit_holds() -> None:
    assert line([], []) == [(0, 16.0)]
    assert line([absolute(0, 0, {0: 20})]) == [(0, 16.0)]
    assert line([absolute(0, 0, {0: 6}, duration=100)]) == [(0, 6.0), (100, 16.0)]


def test_a_second_with_two_limits_has_the_lower_one() -> None:
    begins = absolute(0, 0, {0: 6, 10: 12})
    later = NOON - timedelta(milliseconds=300)  # so the break is 10.3 s after this
    found = periods(ready([begins]), LOCAL, instant(later), 20, "A")
    assert [period[:2] for period in found] == [(0, 6.0), (11, 12.0)]
    falls = absolute(0, 0, {0: 12, 10: 6})
    found = periods(ready([falls]), LOCAL, instant(later), 20, "A")
    assert [period[:2] for period in found] == [(0, 12.0), (10, 6.0)]


def test_a_schedule_is_asked_for_no_time_at_all() -> None:
    assert line([absolute(0, 0, {0: 6})], seconds=0) == [(0, 6.0)]


@pytest.mark.parametrize(("kind", "days"), [("Daily", 1), ("Weekly", 7)])
def test_a_recurring_schedule_begins_again_at_the_time_of_its_start(kind: str, days: int) -> None:
    profile = absolute(0, -days * 86_400 * 5 + 50, {0: 6, 20: 8}, duration=60)
    profile |= {"chargingProfileKind": "Recurring", "recurrencyKind": kind}
    assert line([profile]) == [(0, 16.0), (50, 6.0), (70, 8.0), (110, 16.0)]


def test_what_is_longer_than_the_recurrence_is_not_executed() -> None:
    profile = absolute(0, -86_400 + 10, {0: 6, 86_395: 8, 86_500: 9}, duration=90_000)
    profile |= {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
    assert line([profile], seconds=100) == [(0, 6.0), (5, 8.0), (10, 6.0)]


def test_a_relative_schedule_ignores_its_start() -> None:
    profile = absolute(0, 500, {0: 6, 30: 9}) | {"chargingProfileKind": "Relative"}
    assert line([profile]) == [(0, 6.0), (30, 9.0)]


def test_watts_are_for_all_phases_and_amperes_for_each() -> None:
    one_phase = {"startPeriod": 0, "limit": 3680.0, "numberPhases": 1}
    profile: Profile = {
        "stackLevel": 0,
        "chargingProfileKind": "Relative",
        "chargingSchedule": {"chargingRateUnit": "W", "chargingSchedulePeriod": [one_phase]},
    }
    assert periods(ready([profile]), LOCAL, instant(NOON), 10, "A") == [(0, 16.0, 1)]
    assert periods(ready([profile]), LOCAL, instant(NOON), 10, "W") == [(0, 3680.0, 1)]
    one_phase["numberPhases"] = 3
    assert periods(ready([profile]), LOCAL, instant(NOON), 10, "A") == [(0, 5.3, 3)]
    assert periods(ready([profile]), LOCAL, instant(NOON), 10, "W") == [(0, 3680.0, 3)]


def test_connectors_on_different_phases_add_up_in_watts() -> None:
    one: Profile = absolute(0, 0, {0: 16})
    one["chargingSchedule"]["chargingSchedulePeriod"][0]["numberPhases"] = 1
    both = [ready([one]), ready([])]
    assert total_periods(both, [], LOCAL, instant(NOON), 10, "W") == [(0, 16 * 230.0 + 16 * 690.0, 3)]
    assert total_periods(both, [], LOCAL, instant(NOON), 10, "A") == [(0, 32.0, 3)]


def test_more_phases_than_there_are_leave_the_limit_as_it_is() -> None:
    profile = absolute(0, 0, {0: 9})
    profile["chargingSchedule"]["chargingSchedulePeriod"][0]["numberPhases"] = 4
    assert periods(ready([profile]), LOCAL, instant(NOON), 10, "A") == [(0, 9.0, 3)]


def test_what_changes_too_often_is_not_worked_out() -> None:
    profile = absolute(0, 0, {second: 6 + second % 2 for second in range(24)})
    profile |= {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
    with pytest.raises(TooLong):
        periods(ready([profile]), LOCAL, instant(NOON), (MOST_BREAKS // 24 + 2) * 86_400, "A")


def test_numbers_beyond_the_calendar_are_no_obstacle() -> None:
    profile = absolute(0, 0, {0: 6, 10**15: 7}, duration=10**18)
    assert line([profile]) == [(0, 6.0)]
