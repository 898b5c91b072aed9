"""A Charge Point of somebody else between two cases, and when the run is over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bench.device import device
from bench.operators import Outcome, Request
from bench.under_test import ChargePointUnderTest
from ocppj.clock import Calendar, VirtualLoop
from ocppj.frames import Payload
from reports.results import CaseResult
from simulator import reservation
from simulator.charge_point import ChargePoint
from tests.variants.foreign import ID_TAGS, Hands, _play, _VirtualRun

Rehearse = Callable[[str], CaseResult]
Setup = Callable[[ChargePoint], None]


@dataclass
class Clumsy(Hands):
    """One who cannot do some things."""

    cannot: tuple[str, ...] = ()

    async def ask(self, request: Request) -> Outcome:
        if request.action in self.cannot:
            return Outcome("device cannot", f"nobody can {request.action}")
        return await super().ask(request)


@contextmanager
def at_the_bench(
    calendar: Calendar, it: ChargePoint, cannot: tuple[str, ...] = ()
) -> Iterator[tuple[Rehearse, Callable[[], None]]]:
    """How to rehearse one case after another, and how to end the run."""
    loop = VirtualLoop(calendar)
    number = str(len(it.connectors))
    data = {**ID_TAGS, "NumberOfConnectors": number}
    run = _VirtualRun(device(listen=("127.0.0.1", 0), data=data), Clumsy(it, 0.0, cannot=cannot), loop)
    run.open()
    loop.run_until_complete(it.power_on(run.endpoint))
    assert run.await_charge_point()
    under_test = run._charge_point_under_test
    assert isinstance(under_test, ChargePointUnderTest)

    def rehearse(case: str) -> CaseResult:
        (result,) = _play(run, frozenset({case}))
        return result

    try:
        yield rehearse, lambda: loop.run_until_complete(under_test.leave())
    finally:
        loop.run_until_complete(it.stop())
        run.close()


def watched(it: ChargePoint) -> list[str]:
    """The requests that it gets from now on."""
    came: list[str] = []
    for action, handler in list(it.handlers.items()):

        def handle(it: ChargePoint, request: Payload, action: str = action, handler: Callable = handler) -> Payload:  # type: ignore[type-arg]
            came.append(action)
            conf: Payload = handler(it, request)
            return conf

        it.handlers[action] = handle
    return came


def test_what_the_operator_cannot_repair_fails_no_other_case(calendar: Calendar) -> None:
    with at_the_bench(calendar, ChargePoint(), cannot=("repair",)) as (rehearse, _):
        assert rehearse("TC_048_1_CS").verdict == "pass"
        after = rehearse("TC_052_CS")
        assert (after.verdict, "cannot be brought to rest" in after.reason) == ("inconclusive", True)


def test_the_cache_is_cleared_after_everything_else(calendar: Calendar) -> None:
    it = ChargePoint()
    with at_the_bench(calendar, it) as (rehearse, _):
        assert rehearse("TC_046_2_CS").verdict == "pass"  # leaves a transaction
        came = watched(it)
        assert rehearse("TC_052_CS").verdict == "pass"
        assert came.index("RemoteStopTransaction") < came.index("ClearCache") < came.index("ReserveNow")


def test_a_list_that_was_not_emptied_is_emptied_later(calendar: Calendar) -> None:
    it = ChargePoint()
    refusals = ["Failed"]
    update = it.handlers["SendLocalList"]

    def refuse_once(it: ChargePoint, request: Payload) -> Payload:
        if "localAuthorizationList" not in request and refusals:
            return {"status": refusals.pop()}
        return update(it, request)

    it.handlers["SendLocalList"] = refuse_once
    with at_the_bench(calendar, it) as (rehearse, _):
        assert rehearse("TC_043_CS").verdict == "pass"
        assert rehearse("TC_052_CS").verdict == "pass"
        assert len(it.memory.local_auth_list) == 1
        assert rehearse("TC_052_CS").verdict == "pass"
        assert it.memory.local_auth_list == {}


def test_a_transaction_that_nothing_stops_is_asked_about_once(calendar: Calendar) -> None:
    it = ChargePoint()
    with at_the_bench(calendar, it) as (rehearse, _):
        assert rehearse("TC_046_2_CS").verdict == "pass"
        it.handlers["RemoteStopTransaction"] = lambda *_: {"status": "Accepted"}
        came = watched(it)
        for _again in range(3):
            assert rehearse("TC_052_CS").verdict == "inconclusive"
        assert came.count("RemoteStopTransaction") == 1


def test_after_the_run_no_connector_is_left_unavailable(calendar: Calendar) -> None:
    it = ChargePoint(connectors=2)

    def second() -> str:
        return it.connectors[2].status

    with at_the_bench(calendar, it) as (rehearse, leave):
        assert (rehearse("TC_047_CS").verdict, second()) == ("pass", "Unavailable")
        leave()
        assert second() == "Available"


@pytest.mark.parametrize("case", ["TC_051_CS", "TC_052_CS"])
def test_after_the_run_no_reservation_is_left(calendar: Calendar, case: str) -> None:
    it = ChargePoint()
    it.handlers["CancelReservation"] = lambda *_: {"status": "Rejected"}
    with at_the_bench(calendar, it) as (rehearse, leave):
        rehearse(case)
        assert it.memory.reservations
        leave()
        assert (it.memory.reservations, it.connectors[1].status) == ([], "Available")


def test_a_reservation_that_outlives_its_time_fails_no_other_case(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None: ...

    monkeypatch.setattr(reservation, "_expire", never)
    it = ChargePoint()
    it.handlers["ChangeAvailability"] = lambda *_: {"status": "Rejected"}
    with at_the_bench(calendar, it) as (rehearse, _):
        assert rehearse("TC_047_CS").verdict == "fail"
        assert rehearse("TC_052_CS").verdict == "pass"


def test_a_reservation_that_outlives_its_transaction_fails_no_other_case(calendar: Calendar) -> None:
    it = ChargePoint()
    held: set[int] = set()
    reserve, cancel = it.handlers["ReserveNow"], it.handlers["CancelReservation"]

    def reserve_one(it: ChargePoint, request: Payload) -> Payload:
        conf = {"status": "Occupied"} if held else reserve(it, request)
        if conf["status"] == "Accepted":
            held.add(request["reservationId"])
        return conf

    def let_go(it: ChargePoint, request: Payload) -> Payload:
        held.discard(request["reservationId"])
        return cancel(it, request)

    it.handlers |= {"ReserveNow": reserve_one, "CancelReservation": let_go}
    with at_the_bench(calendar, it) as (rehearse, _):
        assert rehearse("TC_046_2_CS").verdict == "pass"
        assert rehearse("TC_052_CS").verdict == "pass"
