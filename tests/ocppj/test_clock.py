"""Time that jumps."""

import asyncio
import selectors
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import count

import pytest

from ocppj.clock import VIRTUAL_START, Calendar, VirtualLoop, parse_timestamp, timestamp
from ocppj.errors import LocalMisuse
from ocppj.frames import Call, Payload
from tests.ocppj.wire import wired


def test_a_wait_of_a_year_costs_no_time(loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    polls = count()
    select = loop._jumping.select

    def counted(timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert next(polls) < 1000, "the loop turns on the spot"
        return select(timeout)

    monkeypatch.setattr(loop._jumping, "select", counted)
    loop.run_until_complete(asyncio.sleep(3600 * 24 * 365))
    assert loop.time() == 3600 * 24 * 365


@pytest.mark.parametrize("seconds", [0.000001, 0.001, 0.3, 1, 17.389, 59.999999, 86_400, 8_000_000.000001])
async def test_the_calendar_is_in_step_to_the_microsecond(seconds: float) -> None:
    await asyncio.sleep(seconds)
    assert datetime.now(UTC) == VIRTUAL_START + timedelta(seconds=seconds)


async def test_the_calendar_does_not_drift_over_many_jumps() -> None:
    for number in range(1, 10_001):
        await asyncio.sleep(0.1)
        if number % 1000 == 0:
            drift = datetime.now(UTC) - VIRTUAL_START - timedelta(seconds=number / 10)
            assert abs(drift) <= timedelta(microseconds=1)


async def test_the_calendar_stands_still_while_somebody_runs() -> None:
    before = datetime.now(UTC)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert datetime.now(UTC) == before == VIRTUAL_START


async def test_timers_go_off_in_order_and_at_their_time() -> None:
    log: list[tuple[str, float]] = []

    async def after(name: str, delay: float) -> None:
        await asyncio.sleep(delay)
        log.append((name, asyncio.get_running_loop().time()))

    await asyncio.gather(after("late", 300), after("soon", 1.5), after("then", 2), after("also then", 2))
    assert log == [("soon", 1.5), ("then", 2), ("also then", 2), ("late", 300)]


async def test_a_time_out_is_exact() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await asyncio.Event().wait()
    assert asyncio.get_running_loop().time() == 30


async def test_an_executor_job_is_waited_for_in_real_time() -> None:
    release = threading.Event()

    def job() -> str:
        release.wait(5)
        return "done"

    async with asyncio.timeout(10):
        asyncio.get_running_loop().call_soon(lambda: threading.Thread(target=release.set).start())
        assert await asyncio.to_thread(job) == "done"
    assert asyncio.get_running_loop().time() == 0


async def test_no_timer_jumps_over_an_executor_job() -> None:
    release = threading.Event()
    job = asyncio.create_task(asyncio.to_thread(release.wait, 5))
    await asyncio.sleep(0)
    sleeper = asyncio.create_task(asyncio.sleep(1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not sleeper.done()
    release.set()
    assert await job
    await sleeper


async def test_a_name_is_looked_up_within_its_time_out() -> None:
    async with asyncio.timeout(1):
        assert await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)


async def test_a_job_that_breaks_is_over_too() -> None:
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 / 0)
    await asyncio.sleep(5)
    assert asyncio.get_running_loop().time() == 5


def test_a_wait_that_would_never_end_is_reported(loop: VirtualLoop) -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    waiting = loop.create_task(forever())
    with pytest.raises(LocalMisuse, match="would never end"):
        loop.run_until_complete(waiting)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(waiting)


def test_each_loop_begins_anew(calendar: Calendar) -> None:
    for _ in range(2):
        loop = VirtualLoop(calendar)
        assert datetime.now(UTC) == VIRTUAL_START
        loop.run_until_complete(asyncio.sleep(100))
        assert datetime.now(UTC) == VIRTUAL_START + timedelta(seconds=100)
        loop.close()


def test_a_loop_may_begin_elsewhere(calendar: Calendar) -> None:
    start = datetime(2024, 2, 28, 23, 59, 59, tzinfo=UTC)
    loop = VirtualLoop(calendar, start)
    loop.run_until_complete(asyncio.sleep(2))
    assert datetime.now(UTC) == datetime(2024, 2, 29, 0, 0, 1, tzinfo=UTC)
    loop.close()


def test_the_default_executor_can_be_shut_down(calendar: Calendar) -> None:
    for _ in range(30):  # the thread that does it may be slower or faster than the loop
        loop = VirtualLoop(calendar)
        loop.run_until_complete(asyncio.to_thread(int))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def test_the_world_turns_only_while_the_loop_runs(loop: VirtualLoop) -> None:
    loop.run_until_complete(asyncio.sleep(1))
    before = datetime.now(UTC)
    sleeping = loop.create_task(asyncio.sleep(1))
    assert datetime.now(UTC) == before
    loop.run_until_complete(sleeping)
    assert datetime.now(UTC) == before + timedelta(seconds=1)


async def test_a_day_of_heartbeats() -> None:
    beats: list[datetime] = []

    async def note(call: Call) -> Payload:
        beats.append(datetime.now(UTC))
        return {"currentTime": timestamp()}

    async with wired(at_central_system=note) as ends:
        for number in range(1, 8641):
            await asyncio.sleep(10)
            conf = await ends.charge_point.call("Heartbeat", {})
            assert parse_timestamp(conf["currentTime"]) - VIRTUAL_START == timedelta(seconds=10 * number)
    assert len(beats) == 8640
    assert beats[-1] == VIRTUAL_START + timedelta(days=1)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2031, 5, 13, 8, 41, 17, 389_000, UTC), "2031-05-13T08:41:17.389Z"),
        (datetime(2031, 5, 13, 8, 41, 17, 389_999, UTC), "2031-05-13T08:41:17.389Z"),
        (datetime(2031, 5, 13, 8, 41, tzinfo=UTC), "2031-05-13T08:41:00.000Z"),
        (datetime(2031, 5, 13, 1, 0, tzinfo=timezone(timedelta(hours=2))), "2031-05-12T23:00:00.000Z"),
    ],
)
def test_an_instant_as_ocpp_writes_it(moment: datetime, text: str) -> None:
    assert timestamp(moment) == text


async def test_no_instant_is_the_present_one() -> None:
    assert timestamp() == "2031-05-13T08:41:17.389Z"
    await asyncio.sleep(0.7)
    assert timestamp() == "2031-05-13T08:41:18.089Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2031-05-13T08:41:17.389Z", datetime(2031, 5, 13, 8, 41, 17, 389_000, UTC)),
        ("2031-05-13T08:41:17Z", datetime(2031, 5, 13, 8, 41, 17, tzinfo=UTC)),
        ("2031-05-13t08:41:17z", datetime(2031, 5, 13, 8, 41, 17, tzinfo=UTC)),
        ("2031-05-13T08:41:17", datetime(2031, 5, 13, 8, 41, 17, tzinfo=UTC)),
        ("2031-05-13T08:41:17.3+02:00", datetime(2031, 5, 13, 6, 41, 17, 300_000, UTC)),
        ("2031-05-13T08:41:17.389456789-00:30", datetime(2031, 5, 13, 9, 11, 17, 389_456, UTC)),
    ],
)
def test_an_instant_that_a_peer_wrote(text: str, moment: datetime) -> None:
    assert parse_timestamp(text) == moment


def test_the_time_zone_of_the_machine_is_nobodys_business(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        read = parse_timestamp("2031-05-13T08:41:17")
        written = timestamp(read)
    time.tzset()
    assert read == datetime(2031, 5, 13, 8, 41, 17, tzinfo=UTC)
    assert written == "2031-05-13T08:41:17.000Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2031-13-01T00:00:00Z", "2031-02-29T00:00:00Z"])
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_timestamp(text)
