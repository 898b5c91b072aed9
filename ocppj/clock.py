"""Time that jumps, and the notation of instants.

Code under this roof reads ``datetime.now(UTC)`` and waits with ``asyncio.sleep``; it never takes a clock as an
argument. Against a real device nothing more is needed. When both parties are ours, ``VirtualLoop`` never waits: when
nobody can run and only timers are pending, the time becomes that of the next timer, and freezegun's calendar follows.

Not covered: threads that are not executor jobs, subprocesses, peers in another process.
"""

import asyncio
import selectors
from asyncio import Future
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

import freezegun
from freezegun.api import FrozenDateTimeFactory, StepTickTimeFactory, TickingDateTimeFactory

from ocppj.errors import LocalMisuse

# Crooked on purpose: on a round instant clock-aligned and start-aligned values would coincide.
VIRTUAL_START = datetime(2031, 5, 13, 8, 41, 17, 389_000, tzinfo=UTC)

_Args = TypeVarTuple("_Args")
_Result = TypeVar("_Result")

Calendar = FrozenDateTimeFactory | StepTickTimeFactory | TickingDateTimeFactory


class JumpingSelector(selectors.DefaultSelector):
    """Reports what is ready; if nothing is, lets the next timer be now instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0  # seconds of virtual time
        self.jobs = 0  # executor jobs under way: they live in real time, so nobody may jump over them

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # A byte sent over loopback is readable before send returns, so an empty poll means a quiet world.
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.jobs:
            return super().select(None)
        if timeout is None:
            raise LocalMisuse("nobody can run and no timer is pending: this wait would never end")
        self.pass_time(timeout)
        return ready

    def pass_time(self, seconds: float) -> None:
        """Nobody can run, and the next timer is so many seconds ahead."""
        self.elapsed += seconds


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps from timer to timer, with the calendar in step."""

    def __init__(
        self, calendar: Calendar, start: datetime = VIRTUAL_START, jumping: JumpingSelector | None = None
    ) -> None:
        self._jumping = jumping or JumpingSelector()
        super().__init__(self._jumping)
        # The loop runs a timer once it is less than this away. With the monotonic clock's nanosecond, a timer months
        # ahead would never be near enough: the floats between lie further apart.
        self._clock_resolution = 1e-6
        self._calendar = calendar
        self._start = start
        self._calendar_at = 0.0
        calendar.move_to(start)

    def time(self) -> float:
        if self._calendar_at != self._jumping.elapsed:
            self._calendar_at = self._jumping.elapsed
            self._calendar.move_to(self._start + timedelta(seconds=self._calendar_at))
        return self._jumping.elapsed

    def reach(self, seconds: float) -> None:
        """Let the time become a later one at once; an earlier one is past already."""
        self._jumping.elapsed = max(self._jumping.elapsed, seconds)
        self.time()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Args], _Result], *args: *_Args
    ) -> Future[_Result]:
        self._jumping.jobs += 1
        job = super().run_in_executor(executor, func, *args)
        job.add_done_callback(self._job_done)
        return job

    async def shutdown_default_executor(self, *args: Any) -> None:
        self._jumping.jobs += 1  # a thread of its own joins those of the executor
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self._jumping.jobs -= 1

    def _job_done(self, _: Future[_Result]) -> None:
        self._jumping.jobs -= 1


def frozen_calendar() -> "freezegun.api._freeze_time":
    """The calendar of a virtual run, to be started once and moved afterwards: each start scans all modules."""
    freezegun.configure(extend_ignore_list=["_pytest.", "pytest_bdd", "allure_commons", "allure_pytest", "rich"])
    return freezegun.freeze_time(VIRTUAL_START.replace(tzinfo=None))


def timestamp(moment: datetime | None = None) -> str:
    """An instant (now, if none is given) as OCPP writes it: ISO 8601, UTC, milliseconds (OCPP 1.6, 3.15)."""
    moment = moment or datetime.now(UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """The instant that a peer wrote; without an offset it is taken as UTC (3.14). Raises ``ValueError``.

    T and Z may be small letters (RFC 3339 5.6, which the schemas' date-time refers to).
    """
    moment = datetime.fromisoformat(str.upper(text))  # a TypeError for what is no text at all
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
