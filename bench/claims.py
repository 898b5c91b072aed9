"""Waiting for messages, and remembering which of them a step has claimed.

A step claims the earliest unclaimed message that fits it; what nobody claimed is looked at when the case ends.
"""

import asyncio
from collections.abc import Callable, Container, Iterator
from typing import TypeVar

from bench.messages import Message, answer_to, messages
from ocppj.transcript import Party, Record, Transcript

Found = TypeVar("Found")

# Wherever a test case lists these two, either may come first.
SWAPS = (("StatusNotification", "Charging", "StartTransaction"), ("StatusNotification", "Finishing", "StopTransaction"))


class Wire:
    """The transcript of the present case, as the steps see it."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._news = asyncio.Event()
        self.floor = 0  # the place in the transcript from which on messages can be claimed
        self._claimed: dict[int, Message] = {}
        self._ordered: list[Message] = []  # the claimed ones whose place in the case matters
        transcript.listeners.append(self.heard)

    @property
    def records(self) -> list[Record]:
        """The records so far."""
        return self._transcript.records

    def raise_floor(self, to: Message | None = None) -> None:
        """Let later claims look only at what comes from now on, or from a message on."""
        self.floor = len(self.records) if to is None else to.index

    def calls(self, sender: Party, action: str | None = None) -> Iterator[Message]:
        """The unclaimed requests of a party above the floor."""
        for message in messages(self.records):
            # A boot comes when it must, whatever is being done meanwhile.
            if message.index < self.floor and message.action != "BootNotification":
                continue
            if message.type == "CALL" and message.sender == sender and message.index not in self._claimed:
                if action is None or message.action == action:
                    yield message

    async def next_call(
        self, sender: Party, action: str, fits: Callable[[Message], bool], deadline: float
    ) -> Message | None:
        """The earliest unclaimed request that fits, waiting for it until a time of the loop; not yet claimed."""
        return await self.until(lambda: next(filter(fits, self.calls(sender, action)), None), deadline)

    async def answer(self, call: Message, deadline: float) -> Message | None:
        """The answer to a request, waiting for it until a time of the loop."""
        return await self.until(lambda: self.answered(call), deadline)

    def claim(self, message: Message, *, ordered: bool = True) -> Message | None:
        """Claim a message. Returns one that should have come after it, if such a one was claimed before."""
        self._claimed[message.index] = message
        if not ordered:
            return None
        later = [other for other in self._ordered if other.sender == message.sender and other.index > message.index]
        self._ordered.append(message)
        return next((other for other in later if not _may_swap(message, other)), None)

    def latest_claim(self, sender: Party, action: str | None = None, connector: int | None = None) -> Message | None:
        """The request of a party (of an action, about a connector) that was claimed last."""
        for message in reversed(self._claimed.values()):
            if message.sender == sender and action in (None, message.action):
                if connector is None or message.payload.get("connectorId") == connector:
                    return message
        return None

    def claimed(self, sender: Party, actions: Container[str]) -> list[Message]:
        """The requests of a party, of some actions, that were claimed, in the order in which they came."""
        found = [message for message in self._claimed.values() if message.sender == sender]
        return sorted((message for message in found if message.action in actions), key=lambda message: message.index)

    def answered(self, call: Message) -> Message | None:
        """The answer to a request, if it has come."""
        return answer_to(call, self.records)

    def unclaimed(self) -> Iterator[Message]:
        """Every request that no step has claimed."""
        for message in messages(self.records):
            if message.type == "CALL" and message.index not in self._claimed:
                yield message

    def heard(self, _: Record) -> None:
        """There is a new record."""
        self._news.set()

    async def until(self, look: Callable[[], Found | None], deadline: float) -> Found | None:
        """What a look at the wire finds, looking again at each new record until a time of the loop."""
        loop = asyncio.get_running_loop()
        while (found := look()) is None:
            remaining = deadline - loop.time()
            if remaining <= 0:
                return None
            self._news.clear()
            try:
                async with asyncio.timeout(remaining):
                    await self._news.wait()
            except TimeoutError:
                return look()
        return found


def _may_swap(earlier: Message, later: Message) -> bool:
    """Whether a message may come before one that the case lists before it."""
    for action, status, transaction_message in SWAPS:
        for report, other in ((earlier, later), (later, earlier)):
            if report.action == action and report.payload.get("status") == status:
                if other.action == transaction_message:
                    return True
    return False
