"""A device that goes in the middle of a run: it is one finding, it is waited for, and what follows starts clean."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from bench.device import device
from bench.life import sign_of_life
from bench.operators import Answer, Operator, Outcome, Request
from bench.plugin import Rehearsal
from bench.run import Run
from bench.under_test import ChargePointUnderTest
from ocppj.clock import Calendar, VirtualLoop
from ocppj.connection import Admission, Attempt, ServerSocket, drop
from ocppj.frames import Call
from ocppj.peer import Peer
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store
from reports.explanation import groups
from reports.results import CaseResult, Results
from simulator.charge_point import ChargePoint
from tests.variants.foreign import ID_TAGS, Desk, Frame, Hands, _line, _VirtualRun, play_all

Deed = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """Nobody does anything."""


@dataclass
class Fateful:
    """An operator at whose first deed of a kind the device goes. ``answer``: his when he is to bring it back."""

    operator: Operator
    fatal: str  # the action
    goes: Deed
    answer: Answer = "gave up"
    comes_back: Deed = nothing
    asked: list[Request] = field(default_factory=list)
    is_spent: bool = False
    does: Answer = "done"  # what he says when it has gone

    async def ask(self, request: Request) -> Outcome:
        if request.action == "restart" and self.is_spent:
            self.asked.append(request)
            if self.answer == "done":
                await self.comes_back()
            return Outcome(self.answer, "so it is")
        if request.action == self.fatal and not self.is_spent:
            self.is_spent = True
            await self.goes()
            return Outcome(self.does, "nobody answers")
        return await self.operator.ask(request)


@dataclass
class Fate:
    """What came of a run."""

    results: Results

    @property
    def verdicts(self) -> str:
        """In the order of the ids."""
        return " ".join(case.verdict for case in sorted(self.results.cases, key=lambda case: case.id))

    @property
    def outages(self) -> list[dict[str, Any]]:
        told: Any = self.results.run.get("outages", [])
        return list(told)

    def case(self, case_id: str) -> CaseResult:
        return next(case for case in self.results.cases if case.id == case_id)


def rehearsed(run: Run, cases: str) -> Fate:
    rehearsal = Rehearsal(run, Results({}, {}), frozenset(cases.split()))
    play_all(rehearsal)
    return Fate(rehearsal.results)


# A Central System that is rehearsed


CENTRAL_SYSTEM = "TC_001_CSMS TC_003_CSMS TC_010_CSMS TC_013_CSMS TC_019_1_CSMS TC_031_CSMS"


class Mortal:
    """A Central System that can go, hang, and come back at the same place."""

    def __init__(self, calendar: Calendar, kind: type[CentralSystem] = CentralSystem) -> None:
        self.loop = VirtualLoop(calendar)
        self._kind = kind
        self.it = self._made()
        self.desk = Desk(self.it, 0.0)
        self.loop.run_until_complete(self.it.start())
        self.url = self.it.endpoint

    def _made(self) -> CentralSystem:
        store = Store()
        store.heartbeat_interval = 15
        for identity in ("CP1", "CP2"):
            store.know_charge_point(identity)
        for name, status in (("ValidIdTag", "Accepted"), ("ExpiredIdTag", "Expired"), ("BlockedIdTag", "Blocked")):
            store.know_id_tag(ID_TAGS[name], status)
        return self._kind(store)

    async def go(self) -> None:
        await self.it.stop()

    async def come_back(self) -> None:
        self.it = self.desk.central_system = self._made()
        await self.it.start("127.0.0.1", int(self.url.rpartition(":")[2]))

    async def restart(self) -> None:
        """Go, and be there again 100 s later."""
        await self.go()
        self.loop.call_later(100, lambda: self.desk.tasks.add(self.loop.create_task(self.come_back())))

    def rehearse(self, operator: Operator, cases: str = CENTRAL_SYSTEM, **settings: Any) -> Fate:
        run = _VirtualRun(device(url=self.url, data=ID_TAGS, **settings), operator, self.loop)
        try:
            run.open()
            return rehearsed(run, cases)
        finally:
            self.loop.run_until_complete(self.it.stop())
            run.close()


@pytest.mark.parametrize("answer", ["gave up", "device cannot", "done"])
def test_a_central_system_that_is_gone_is_one_finding(calendar: Calendar, answer: Answer) -> None:
    mortal = Mortal(calendar)
    operator = Fateful(mortal.desk, "RemoteStartTransaction", mortal.go, answer)
    fate = mortal.rehearse(operator)
    assert fate.verdicts == "pass pass fail inconclusive inconclusive inconclusive"
    reason = fate.case("TC_010_CSMS").reason
    assert reason.startswith("the connection to the Central System ended (code 1001) and was not made again within")
    (asked,) = operator.asked
    assert (asked.party, asked.action) == ("Central System", "restart")
    assert mortal.url in asked.sentence
    assert [len(group.cases) for group in groups(fate.results)] == [1, 3]
    (outage,) = fate.outages
    assert (outage["after"], outage["until"]) == ("TC_010_CSMS", "")
    assert "no sign of life since TC_010_CSMS" in fate.case("TC_031_CSMS").reason


def test_a_central_system_that_goes_unasked_fails_the_case(calendar: Calendar) -> None:
    """Our Charge Point has something to send, and nobody to send it to."""
    mortal = Mortal(calendar)
    asked = count()

    def go_instead(frame: Frame) -> list[Frame | str | float] | None:
        if not frame.answers("Authorize") or not next(asked):  # the first is that of the bench itself
            return None
        mortal.loop.call_soon(lambda: mortal.desk.tasks.add(mortal.loop.create_task(mortal.go())))
        return [frame.refused("InternalError")]

    with _line("Central System", go_instead, None):
        fate = mortal.rehearse(mortal.desk)
    assert fate.verdicts == "pass fail inconclusive inconclusive inconclusive inconclusive"


def test_a_central_system_that_is_gone_before_a_case_fails_it(calendar: Calendar) -> None:
    mortal = Mortal(calendar)

    def go_after_authorize(frame: Frame) -> None:
        if frame.answers("Authorize"):  # the first is that of the bench itself, before the first case
            mortal.loop.call_soon(lambda: mortal.desk.tasks.add(mortal.loop.create_task(mortal.go())))

    with _line("Central System", go_after_authorize, None):
        fate = mortal.rehearse(mortal.desk)
    assert fate.verdicts == "fail inconclusive inconclusive inconclusive inconclusive inconclusive"
    assert fate.case("TC_001_CSMS").reason.startswith("the Central System refuses the connection: ws://127.0.0.1:")


def test_a_central_system_that_its_operator_brings_back_is_rehearsed_on(calendar: Calendar) -> None:
    mortal = Mortal(calendar)
    fate = mortal.rehearse(Fateful(mortal.desk, "RemoteStartTransaction", mortal.go, "done", mortal.come_back))
    assert fate.verdicts == "pass pass fail pass pass pass"
    (outage,) = fate.outages
    assert outage["since"] < outage["until"]


def test_a_central_system_that_restarts_by_itself_is_not_missed(calendar: Calendar) -> None:
    mortal = Mortal(calendar)
    operator = Fateful(mortal.desk, "RemoteStartTransaction", mortal.restart)
    fate = mortal.rehearse(operator)
    assert fate.verdicts == "pass pass fail pass pass pass"
    assert (operator.asked, fate.outages) == ([], [])


def test_a_connection_that_is_made_again_at_once_fails_no_case(calendar: Calendar) -> None:
    mortal = Mortal(calendar)

    async def blink() -> None:
        await drop(mortal.it._peers["CP1"].websocket)
        await asyncio.sleep(0)
        await mortal.it.wait_connected("CP1")
        request = Request(
            "Central System", "RemoteStartTransaction", {"idTag": ID_TAGS["ValidIdTag"]}, "", "", "CP1", 1
        )
        await mortal.desk.ask(request)

    fate = mortal.rehearse(Fateful(mortal.desk, "RemoteStartTransaction", blink))
    assert fate.verdicts == "pass pass pass pass pass pass"
    remarks = "\n".join(fate.case("TC_010_CSMS").remarks)
    assert (
        "the connection ended (code 1006) for no reason that the case gives, and was made again (OCPP-J 1.6 5.4)"
        in remarks
    )
    assert fate.case("TC_013_CSMS").remarks == []


@contextmanager
def hanging(identity: str) -> Iterator[Deed]:
    """How to have the Central System answer this Charge Point no more."""
    serve = Peer._serve
    hangs: list[bool] = []

    async def hang(peer: Peer, call: Call) -> None:
        if peer.party != "Central System" or not hangs or peer.identity != identity:
            await serve(peer, call)

    async def begin() -> None:
        hangs.append(True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Peer, "_serve", hang)
        yield begin


def test_a_central_system_that_hangs_is_one_finding(calendar: Calendar) -> None:
    mortal = Mortal(calendar)
    with hanging("CP1") as begin:
        fate = mortal.rehearse(Fateful(mortal.desk, "RemoteStartTransaction", begin))
    assert fate.verdicts == "pass pass fail inconclusive inconclusive inconclusive"
    assert "answers nothing" in fate.outages[0]["words"]
    # The case, MessageTimeout for what it left open, LongOperationTimeout to come back; then a glance for each case.
    assert mortal.loop.time() < 60 + 30 + 120 + 4 * 5


def test_a_central_system_that_answers_another_charge_point_lives(calendar: Calendar) -> None:
    mortal = Mortal(calendar)
    with hanging("CP1") as begin:
        operator = Fateful(mortal.desk, "RemoteStartTransaction", begin)
        fate = mortal.rehearse(operator, second_identity="CP2")
    assert fate.verdicts == "pass pass fail fail fail fail"
    assert (operator.asked, fate.outages) == ([], [])


class Clinging(CentralSystem):
    """One that takes a moment to let go of a connection, and notes who comes before."""

    gone_at = -1.0
    came_early = 0

    def _admits(self, attempt: Attempt) -> Admission:
        self.came_early += asyncio.get_running_loop().time() < self.gone_at + 0.9
        return super()._admits(attempt)

    async def _serve(self, websocket: ServerSocket) -> None:
        try:
            await super()._serve(websocket)
        finally:
            self.gone_at = asyncio.get_running_loop().time()


def test_a_central_system_has_a_moment_between_two_connections(calendar: Calendar) -> None:
    mortal = Mortal(calendar, Clinging)
    fate = mortal.rehearse(mortal.desk, f"{CENTRAL_SYSTEM} TC_032_1_CSMS TC_037_1_CSMS TC_039_CSMS")
    assert set(fate.verdicts.split()) == {"pass"}
    assert isinstance(mortal.it, Clinging)
    assert (mortal.it.gone_at > 0, mortal.it.came_early) == (True, 0)


# A Charge Point that is rehearsed

CHARGE_POINT = "TC_001_CS TC_003_CS TC_005_1_CS TC_010_CS TC_019_CS TC_031_CS"


class Station:
    """A Charge Point at our Central System, which can go, hang, and come back."""

    def __init__(self, calendar: Calendar) -> None:
        self.loop = VirtualLoop(calendar)
        self.it = ChargePoint(connectors=1)
        self.hands = Hands(self.it, 0.0)

    async def go(self) -> None:
        await self.it.lose_power()

    async def come_back(self) -> None:
        await self.it.regain_power()

    async def reboot(self) -> None:
        """Go, and boot 20 s later."""
        await self.go()
        self.loop.call_later(20, lambda: self.loop.create_task(self.come_back()))

    async def hang(self) -> None:
        """Keep the connection, say nothing any more, and answer nothing."""

        async def say_nothing(text: str) -> None:
            pass

        assert self.it._peer is not None
        self.it._peer.send_text = say_nothing  # type: ignore[method-assign]

    def rehearse(self, operator: Operator) -> Fate:
        with self.seated(operator) as run:
            return rehearsed(run, CHARGE_POINT)

    @contextmanager
    def seated(self, operator: Operator) -> Iterator[Run]:
        run = _VirtualRun(device(listen=("127.0.0.1", 0), data=ID_TAGS), operator, self.loop)
        try:
            run.open()
            self.loop.run_until_complete(self.it.power_on(run.endpoint))
            assert run.await_charge_point()
            yield run
        finally:
            self.loop.run_until_complete(self.it.stop())
            run.close()


def test_nobody_can_do_anything_at_a_charge_point_that_is_gone(calendar: Calendar) -> None:
    """What its operator says of it is not the reason."""
    station = Station(calendar)
    fate = station.rehearse(Fateful(station.hands, "unplug_ev_side", station.go, does="gave up"))
    assert fate.verdicts == "pass pass fail inconclusive inconclusive inconclusive"
    reason = fate.case("TC_005_1_CS").reason
    assert reason.startswith("the connection to the Charge Point ended (code 1006) and was not made again within 30 s")


def test_who_can_do_nothing_at_a_charge_point_that_is_there_fails_it_not(calendar: Calendar) -> None:
    station = Station(calendar)
    fate = station.rehearse(Fateful(station.hands, "unplug_ev_side", nothing, does="gave up"))
    assert fate.verdicts == "pass pass inconclusive pass pass pass"


@pytest.mark.parametrize("answer", ["gave up", "device cannot", "done"])
def test_a_charge_point_that_is_gone_is_one_finding(calendar: Calendar, answer: Answer) -> None:
    station = Station(calendar)
    operator = Fateful(station.hands, "unplug_ev_side", station.go, answer)
    fate = station.rehearse(operator)
    assert fate.verdicts == "pass pass fail inconclusive inconclusive inconclusive"
    reason = fate.case("TC_005_1_CS").reason
    assert "the connection was closed once meanwhile (code 1006) and not opened again" in reason
    (asked,) = operator.asked
    assert (asked.party, asked.action) == ("Charge Point", "restart")
    assert [len(group.cases) for group in groups(fate.results)] == [1, 3]
    (outage,) = fate.outages
    assert (outage["after"], outage["until"]) == ("TC_005_1_CS", "")
    assert "it is not connected" in outage["words"]


def test_a_charge_point_that_connects_again_at_once_fails_no_case(calendar: Calendar) -> None:
    station = Station(calendar)

    async def blink() -> None:
        assert station.it._peer is not None
        await drop(station.it._peer.websocket)
        await station.it.unplug_ev_side(1)

    fate = station.rehearse(Fateful(station.hands, "unplug_ev_side", blink))
    assert fate.verdicts == "pass pass pass pass pass pass"
    assert "for no reason that the case gives" in "\n".join(fate.case("TC_005_1_CS").remarks)


def test_a_charge_point_that_hangs_is_one_finding(calendar: Calendar) -> None:
    station = Station(calendar)
    fate = station.rehearse(Fateful(station.hands, "unplug_ev_side", station.hang))
    assert fate.verdicts == "pass pass fail inconclusive inconclusive inconclusive"
    assert "answers nothing" in fate.outages[0]["words"]


def test_a_charge_point_that_its_operator_brings_back_is_rehearsed_on(calendar: Calendar) -> None:
    station = Station(calendar)
    fate = station.rehearse(Fateful(station.hands, "unplug_ev_side", station.go, "done", station.come_back))
    assert fate.verdicts == "pass pass fail pass pass pass"
    (outage,) = fate.outages
    assert outage["since"] < outage["until"]


def test_a_charge_point_that_boots_by_itself_begins_the_next_case_afresh(calendar: Calendar) -> None:
    station = Station(calendar)
    operator = Fateful(station.hands, "unplug_ev_side", station.reboot)
    fate = station.rehearse(operator)
    assert fate.verdicts == "pass pass fail pass pass pass"
    assert (operator.asked, fate.outages) == ([], [])


def test_who_comes_back_is_heard_of_its_connectors_again(calendar: Calendar) -> None:
    """Perhaps it has booted (errata 3.22), and they are not as they were."""
    station = Station(calendar)

    async def look(device: ChargePointUnderTest) -> None:
        known = device.central_system.store.of("CP1").charge_point
        assert await device.look_for_life(30) is None
        assert known.connectors
        await station.go()
        assert await device.look_for_life(5) == "it is not connected"
        await station.come_back()
        assert await device.look_for_life(30) is None
        assert not known.connectors

    with station.seated(station.hands) as run:
        assert run._charge_point_under_test is not None
        station.loop.run_until_complete(asyncio.sleep(5))
        station.loop.run_until_complete(look(run._charge_point_under_test))


@pytest.mark.parametrize(
    ("who", "is_one"),
    [
        ("CP1", True),  # it is refused, and it is there
        ("", True),  # it may be the one whose handshake fails
        ("scanner", False),
    ],
)
def test_whoever_else_knocks_is_no_sign_of_life(who: str, is_one: bool) -> None:
    tls = {"kind": "tls", "chargePointId": who, "failure": "no shared cipher"}
    opening = {"kind": "connect", "event": "opening", "chargePointId": who, "status": 404, "subprotocol": None}
    assert sign_of_life([opening] if who else [tls], "Charge Point", "CP1") is is_one
