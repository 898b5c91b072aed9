"""What charging profiles allow, as a function of time: 3.13, 5.7, 5.16 and 7.8 to 7.14, with errata 3.34 to 3.79.

Pure functions: no clock, no I/O. An instant is a whole number of microseconds since 1970, so that no edge is rounded.

A stack is all profiles of one purpose that may apply somewhere; of those in force at an instant the one with the
highest stackLevel prevails. What is allowed is the least that the prevailing profiles of all stacks and the local
limit allow.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import floor
from typing import Literal

from ocppj.clock import parse_timestamp
from ocppj.frames import Payload

Unit = Literal["A", "W"]
Instant = int  # microseconds since 1970

SECOND = 1_000_000
VOLTAGE = 230.0  # V between a phase and neutral: 7.12 wants that of the area, not what is measured
PHASES = 3  # 7.12, 7.14: those of a period that names none, and all that we have
RECURS: dict[str, int] = {"Daily": 86_400, "Weekly": 604_800}  # s; errata 3.79: counted from startSchedule
MOST_BREAKS = 5_000  # more than these are not looked at for one composite schedule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TooLong(Exception):
    """A composite schedule that cannot be worked out: it changes too often."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The current on each phase in A, and the number of phases, that may be used at most."""

    amperes: float
    phases: int = PHASES

    @property
    def watts(self) -> float:
        """The power on all phases together."""
        return self.amperes * self.phases * VOLTAGE

    def and_also(self, other: "Limit") -> "Limit":
        """What both allow (3.13.3), in current as well as in power."""
        return Limit(min(self.amperes, other.amperes), min(self.phases, other.phases))

    def rate(self, unit: Unit) -> float:
        """What is allowed, in a unit: on each phase in A, on all of them in W (7.12)."""
        return self.amperes if unit == "A" else self.watts


NOTHING = Limit(0.0)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A charging profile, its situation-specific start (7.9) known.

    ``periods``: startPeriod in seconds and what is allowed from then on. ``duration`` and ``recurs`` in seconds, None
    for no end and no recurrence; ``valid_to`` likewise.
    """

    stack_level: int
    starts: Instant
    periods: tuple[tuple[int, Limit], ...]
    duration: int | None = None
    recurs: int | None = None
    valid_from: Instant | None = None
    valid_to: Instant | None = None

    def limit(self, moment: Instant) -> Limit | None:
        """What it allows at an instant; None if it is not in force then."""
        if self.valid_from is not None and moment < self.valid_from:
            return None
        if self.valid_to is not None and moment >= self.valid_to:
            return None
        elapsed = moment - self.starts
        if elapsed < 0:
            return None
        if self.recurs is not None:  # errata 3.44: what is longer than the recurrence is not executed
            elapsed %= self.recurs * SECOND
        if self.duration is not None and elapsed >= self.duration * SECOND:
            return None  # errata 3.43: a lower stackLevel follows
        return next((limit for start, limit in reversed(self.periods) if start * SECOND <= elapsed), None)

    def next_break(self, after: Instant) -> Instant | None:
        """The first later instant at which it may allow something else."""
        later = [edge for edge in self._edges(after) if edge > after]
        return min(later, default=None)

    def _edges(self, around: Instant) -> Iterator[Instant]:
        for edge in (self.valid_from, self.valid_to, self.starts):
            if edge is not None:
                yield edge
        begins = self.starts
        if self.recurs is not None and around > begins:
            begins += (around - begins) // (self.recurs * SECOND) * self.recurs * SECOND
            yield begins + self.recurs * SECOND
        for start, _ in self.periods:
            yield begins + start * SECOND
        if self.duration is not None:
            yield begins + self.duration * SECOND


Stack = Sequence[Schedule]


def instant(moment: datetime) -> Instant:
    """An instant of the calendar."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def schedule(profile: Payload, situation: Instant) -> Schedule:
    """A ChargingProfile (7.8). ``situation``: where a schedule begins that names no start. Raises ``ValueError``."""
    plan = profile["chargingSchedule"]
    kind = profile["chargingProfileKind"]
    begins = _told(plan.get("startSchedule")) if kind != "Relative" else None  # 7.9
    return Schedule(
        stack_level=profile["stackLevel"],
        starts=situation if begins is None else begins,  # 7.13
        periods=tuple(
            (period["startPeriod"], limit(period, plan["chargingRateUnit"]))
            for period in plan["chargingSchedulePeriod"]
        ),
        duration=plan.get("duration"),
        recurs=RECURS[profile["recurrencyKind"]] if kind == "Recurring" else None,
        valid_from=_told(profile.get("validFrom")),
        valid_to=_told(profile.get("validTo")),
    )


def limit(period: Payload, unit: Unit) -> Limit:
    """What a ChargingSchedulePeriod (7.14) allows.

    Errata 3.34: for more phases than there are, the limit is taken as it is given.
    """
    phases = min(period.get("numberPhases", PHASES), PHASES)
    given = float(period["limit"])
    return Limit(given if unit == "A" else given / (VOLTAGE * phases), phases)


def prevailing(stack: Stack, moment: Instant) -> Limit | None:
    """What the profiles of one purpose allow at an instant; None if none of them is in force (3.13.2)."""
    in_force = [(each.stack_level, found) for each in stack if (found := each.limit(moment)) is not None]
    return max(in_force, key=lambda entry: entry[0])[1] if in_force else None


def allowed(stacks: Sequence[Stack], local: Limit, moment: Instant) -> Limit:
    """What the profiles of all purposes and the local limit allow at an instant (3.13.3, 5.7)."""
    least = local
    for stack in stacks:
        if (found := prevailing(stack, moment)) is not None:
            least = least.and_also(found)
    return least


def next_break(stacks: Sequence[Stack], after: Instant) -> Instant | None:
    """The first later instant at which the profiles may allow something else."""
    breaks = [edge for stack in stacks for each in stack if (edge := each.next_break(after)) is not None]
    return min(breaks, default=None)


def shared(total: Limit, wanted: Sequence[Limit]) -> list[Limit]:
    """What each of several connectors may use that together stay within a total (3.13.3).

    All get the same, but none more than it wants; what one leaves is for the others.
    """
    shares = [NOTHING] * len(wanted)
    left = total.amperes
    by_want = sorted(range(len(wanted)), key=lambda number: wanted[number].amperes)
    for done, number in enumerate(by_want):
        share = min(wanted[number].amperes, left / (len(wanted) - done))
        shares[number] = Limit(share, min(wanted[number].phases, total.phases))
        left -= share
    return shares


Period = tuple[int, float, int]  # startPeriod, limit and numberPhases


def periods(stacks: Sequence[Stack], local: Limit, begin: Instant, duration: int, unit: Unit) -> list[Period]:
    """The ChargingSchedulePeriods of a connector's composite schedule (5.7), seconds counted from ``begin``.

    startPeriod is a whole second: a second in which the limit changes has the lowest one of it, so that at no instant
    more is told than is allowed. Raises ``TooLong``.
    """
    line = _by_second(stacks, local, begin, duration)
    return _merged((second, limit.rate(unit), limit.phases) for second, limit in line)


def total_periods(
    connectors: Sequence[Sequence[Stack]],
    maximum: Stack,
    local: Limit,
    begin: Instant,
    duration: int,
    unit: Unit,
) -> list[Period]:
    """The same for connector 0: what all connectors together may use, within the stack ``maximum`` (5.7).

    Connectors on different phases add up in W; in A it is as if all were on the same one. Raises ``TooLong``.
    """
    lines = [_by_second([*stacks, maximum], local, begin, duration) for stacks in connectors]
    cap = _by_second([maximum], Limit(local.amperes * len(connectors), local.phases), begin, duration)
    found: list[Period] = []
    for second in sorted({start for line in (*lines, cap) for start, _ in line}):
        shares = shared(_at(cap, second), [_at(line, second) for line in lines])
        rate = sum(share.rate(unit) for share in shares)
        found.append((second, rate, max(share.phases for share in shares)))
    return _merged(found)


def _at(line: list[tuple[int, Limit]], second: int) -> Limit:
    return next(limit for start, limit in reversed(line) if start <= second)


def _by_second(stacks: Sequence[Stack], local: Limit, begin: Instant, duration: int) -> list[tuple[int, Limit]]:
    """The lowest limit of each second, from the seconds on in which it may be another."""
    end = begin + max(duration, 1) * SECOND
    pieces = list(_pieces(stacks, local, begin, end))
    starts = {(start - begin) // SECOND for start, _, _ in pieces}  # the second in which a limit begins
    starts |= {-((begin - start) // SECOND) for start, _, _ in pieces}  # the first one in which it is alone
    found: list[tuple[int, Limit]] = []
    first = 0
    for second in sorted(start for start in starts if start < max(duration, 1)):
        while pieces[first][1] <= begin + second * SECOND:
            first += 1
        least = pieces[first][2]
        for start, _, limit in pieces[first + 1 :]:
            if start >= begin + (second + 1) * SECOND:
                break
            least = least.and_also(limit)
        found.append((second, least))
    return found


def _pieces(
    stacks: Sequence[Stack], local: Limit, begin: Instant, end: Instant
) -> Iterator[tuple[Instant, Instant, Limit]]:
    moment: Instant = begin
    for _ in range(MOST_BREAKS):
        edge = next_break(stacks, moment)
        until = end if edge is None else min(edge, end)
        yield moment, until, allowed(stacks, local, moment)
        if until == end:
            return
        moment = until
    raise TooLong


def _merged(line: Iterable[Period]) -> list[Period]:
    """One period for what does not change; a limit has one digit after the point (7.14), and is never too high."""
    merged: list[Period] = []
    for second, exact, phases in line:
        limit = floor(exact * 10 + 1e-6) / 10
        if not merged or merged[-1][1:] != (limit, phases):
            merged.append((second, limit, phases))
    return merged


def _told(text: str | None) -> Instant | None:
    return None if text is None else instant(parse_timestamp(text))
