"""What a step claims, what it waits for, and in which order messages may come."""

import asyncio
import json
from typing import Any

import pytest

from bench.claims import Wire
from bench.messages import Message
from ocppj.transcript import Party, Transcript
from tests.bench.wire import CP, CS, status


class Wired:
    """A wire and its transcript."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.wire = Wire(self.transcript)
        self._number = 0

    def call(self, sender: Party, action: str, **payload: Any) -> int:
        """A CALL with an id of its own; its place in the transcript."""
        self._number += 1
        self.transcript.frame(sender, "CP1", json.dumps([2, str(self._number), action, payload]))
        return len(self.transcript.records) - 1

    def report(self, connector: int, value: str) -> int:
        return self.call(CP, "StatusNotification", **status(connector, value))

    def answer(self, sender: Party, index: int) -> None:
        unique_id = self.transcript.records[index]["messageId"]
        self.transcript.frame(sender, "CP1", json.dumps([3, unique_id, {}]))

    async def next(
        self, sender: Party, action: str, within: float = 0.0, connector: int | None = None
    ) -> Message | None:
        def fits(message: Message) -> bool:
            return connector is None or message.payload.get("connectorId") == connector

        return await self.wire.next_call(sender, action, fits, asyncio.get_running_loop().time() + within)

    def claim(self, index: int, *, ordered: bool = True) -> str | None:
        """Claim a message; the action of the one that it overtook."""
        overtaken = self.wire.claim(Message(index, self.transcript.records[index]), ordered=ordered)
        return overtaken.action if overtaken else None


async def test_the_earliest_unclaimed_that_fits() -> None:
    it = Wired()
    it.call(CS, "Reset", type="Hard")
    first, second = it.report(1, "Preparing"), it.report(2, "Preparing")
    third = it.report(1, "Charging")
    for index, connector in ((first, 1), (third, 1), (second, None)):
        message = await it.next(CP, "StatusNotification", connector=connector)
        assert message is not None
        assert message.index == index
        it.claim(index, ordered=False)
    assert await it.next(CP, "StatusNotification") is None
    assert await it.next(CP, "Reset") is None
    assert await it.next(CS, "Reset") is not None


async def test_looking_claims_nothing() -> None:
    it = Wired()
    it.call(CP, "Heartbeat")
    assert await it.next(CP, "Heartbeat") == await it.next(CP, "Heartbeat")
    assert [message.action for message in it.wire.unclaimed()] == ["Heartbeat"]


async def test_a_claim_waits_until_its_time() -> None:
    it = Wired()
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await it.next(CP, "Heartbeat", within=30) is None
    assert loop.time() - began == 30
    loop.call_later(7, lambda: it.call(CP, "Heartbeat"))
    message = await it.next(CP, "Heartbeat", within=30)
    assert message is not None
    assert loop.time() - began == 37


async def test_other_messages_neither_end_nor_prolong_a_wait() -> None:
    it = Wired()
    loop = asyncio.get_running_loop()
    for second in range(0, 40, 3):
        loop.call_later(second, lambda: it.call(CP, "MeterValues"))
    assert await it.next(CP, "Heartbeat", within=30) is None
    assert loop.time() == 30
    await asyncio.sleep(10)


async def test_a_message_at_the_very_deadline_counts() -> None:
    it = Wired()
    asyncio.get_running_loop().call_later(30, lambda: it.call(CP, "Heartbeat"))
    assert await it.next(CP, "Heartbeat", within=30) is not None


async def test_what_came_before_the_floor_answers_nothing() -> None:
    it = Wired()
    it.call(CP, "Heartbeat")
    it.wire.raise_floor()
    assert await it.next(CP, "Heartbeat") is None
    assert [message.action for message in it.wire.unclaimed()] == ["Heartbeat"]
    it.call(CP, "Heartbeat")
    assert await it.next(CP, "Heartbeat") is not None


async def test_an_answer_is_found_below_the_floor() -> None:
    it = Wired()
    index = it.call(CP, "Heartbeat")
    call = await it.next(CP, "Heartbeat")
    assert call is not None
    it.answer(CS, index)
    it.wire.raise_floor()
    assert await it.wire.answer(call, asyncio.get_running_loop().time()) is not None


async def test_an_answer_is_waited_for() -> None:
    it = Wired()
    loop = asyncio.get_running_loop()
    index = it.call(CP, "Heartbeat")
    call = await it.next(CP, "Heartbeat")
    assert call is not None
    loop.call_later(3, lambda: it.answer(CS, index))
    assert it.wire.answered(call) is None
    answer = await it.wire.answer(call, loop.time() + 30)
    assert answer is not None
    assert it.wire.answered(call) == answer
    assert loop.time() == 3
    assert await it.wire.answer(Message(0, {**call.record, "messageId": "9"}), loop.time() + 5) is None
    assert loop.time() == 8


def test_the_claim_of_before() -> None:
    it = Wired()
    assert it.wire.latest_claim(CP) is None
    first, second, reset = it.report(1, "Preparing"), it.report(2, "Preparing"), it.call(CS, "Reset")
    heartbeat = it.call(CP, "Heartbeat")
    for index in (second, heartbeat, reset, first):
        it.claim(index, ordered=False)
    latest = {
        name: found.index
        for name, found in {
            "any": it.wire.latest_claim(CP),
            "heartbeat": it.wire.latest_claim(CP, "Heartbeat"),
            "report": it.wire.latest_claim(CP, "StatusNotification"),
            "report of 2": it.wire.latest_claim(CP, "StatusNotification", 2),
            "central": it.wire.latest_claim(CS),
        }.items()
        if found
    }
    assert latest == {"any": first, "heartbeat": heartbeat, "report": first, "report of 2": second, "central": reset}
    assert it.wire.latest_claim(CP, "StatusNotification", 3) is None
    assert it.wire.latest_claim(CS, "Heartbeat") is None


# --- order

ORDERS: dict[str, tuple[list[str], list[str], str | None]] = {
    # what crossed the wire; what the steps claim, in their order; which action was overtaken by the last claim
    "as listed": (["Authorize", "StartTransaction"], ["Authorize", "StartTransaction"], None),
    "the other way round": (["StartTransaction", "Authorize"], ["Authorize", "StartTransaction"], "Authorize"),
    "Charging first": (["Charging", "StartTransaction"], ["StartTransaction", "Charging"], None),
    "StartTransaction first": (["StartTransaction", "Charging"], ["Charging", "StartTransaction"], None),
    "Finishing first": (["Finishing", "StopTransaction"], ["StopTransaction", "Finishing"], None),
    "StopTransaction first": (["StopTransaction", "Finishing"], ["Finishing", "StopTransaction"], None),
    "Finishing is not Charging": (
        ["Finishing", "StartTransaction"],
        ["StartTransaction", "Finishing"],
        "StartTransaction",
    ),
    "Charging is not Finishing": (["Charging", "StopTransaction"], ["StopTransaction", "Charging"], "StopTransaction"),
    "Preparing has its place": (
        ["StartTransaction", "Preparing"],
        ["Preparing", "StartTransaction"],
        "StatusNotification",
    ),
    "Available has its place": (["Available", "StopTransaction"], ["StopTransaction", "Available"], "StopTransaction"),
    "what nobody claims may lie between": (
        ["Heartbeat", "Authorize", "Heartbeat", "StartTransaction"],
        ["Authorize", "StartTransaction"],
        None,
    ),
    "a swap does not count as the latest": (
        ["Charging", "StartTransaction", "MeterValues"],
        ["StartTransaction", "Charging", "MeterValues"],
        None,
    ),
    "a swap hides no other disorder": (
        ["Charging", "Authorize", "StartTransaction"],
        ["StartTransaction", "Charging", "Authorize"],
        "StartTransaction",
    ),
}
STATUSES = ("Preparing", "Charging", "Finishing", "Available")


@pytest.mark.parametrize("name", ORDERS)
def test_the_order_of_claims(name: str) -> None:
    came, claimed, overtaken = ORDERS[name]
    it = Wired()
    places = {each: it.report(1, each) if each in STATUSES else it.call(CP, each) for each in came}
    outcomes = [it.claim(places[each]) for each in claimed]
    assert outcomes == [None] * (len(claimed) - 1) + [overtaken]


def test_a_swap_is_one_of_neighbours() -> None:
    it = Wired()
    charging, authorize, start = it.report(1, "Charging"), it.call(CP, "Authorize"), it.call(CP, "StartTransaction")
    assert [it.claim(authorize), it.claim(start)] == [None, None]
    assert it.claim(charging) == "Authorize"


def test_the_parties_are_not_ordered_with_each_other() -> None:
    it = Wired()
    reset, heartbeat = it.call(CS, "Reset"), it.call(CP, "Heartbeat")
    assert it.claim(heartbeat) is None
    assert it.claim(reset) is None


def test_an_unordered_claim_overtakes_nothing_and_goes_on_counting() -> None:
    it = Wired()
    authorize, start, stop = (it.call(CP, action) for action in ("Authorize", "StartTransaction", "StopTransaction"))
    assert it.claim(start) is None
    assert it.claim(authorize, ordered=False) is None
    assert it.claim(stop) is None
    assert [message.action for message in it.wire.unclaimed()] == []


def test_unclaimed_are_the_requests_of_both_parties() -> None:
    it = Wired()
    index = it.call(CP, "Heartbeat")
    it.answer(CS, index)
    it.call(CS, "Reset")
    it.transcript.frame(CP, "CP1", "nonsense")
    it.transcript.add("stimulus", action="plug_in")
    assert [message.action for message in it.wire.unclaimed()] == ["Heartbeat", "Reset"]
    it.claim(index)
    assert [message.action for message in it.wire.calls(CP)] == []
    assert [message.action for message in it.wire.unclaimed()] == ["Reset"]
