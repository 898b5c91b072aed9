"""Whether the device under test still lives, which is asked when a case has ended badly.

A device that is gone is one finding and not one for each case that is left: these wait for it, once, and then end for
that one reason. Whatever comes from a device is a sign of life; whether it is right is up to the cases.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.connections import SWITCHING_PROTOCOLS, Opening, openings
from bench.device import Device
from bench.operators import Operator, Request
from bench.verdicts import Evidence, Inconclusive
from ocppj.clock import timestamp
from ocppj.transcript import SENDERS, Party, Record

GLANCE = 1.0  # seconds for a look at a device that was waited for in vain
PAUSE = 1.0  # seconds between two looks
SERVER_ERROR = 500  # HTTP, RFC 9110 15.6: from here on it may be somebody else who speaks for a device that is gone

# Looks for a sign of life, so many seconds long: what there is instead, None if there is one.
Look = Callable[[float], Awaitable[str | None]]


@dataclass
class Outage:
    """A time in which the device gave no sign of life.

    ``after``: the id of the case after which it was missed; ``since``, ``until``: instants in ISO 8601, ``until`` is
    empty while it lasts. ``words``: what there was instead of an answer.
    """

    after: str
    since: str
    words: str
    until: str = ""


class Life:
    """Of the device of a run."""

    def __init__(self, device: Device, operator: Operator, look: Look) -> None:
        self.outages: list[Outage] = []
        self._device = device
        self._operator = operator
        self._look = look
        self._was_asked = False  # whether its operator was asked to bring it back, in this outage

    @property
    def is_out(self) -> bool:
        """Whether the device is being missed."""
        return bool(self.outages) and not self.outages[-1].until

    def __str__(self) -> str:
        latest = self.outages[-1]
        since = f"{latest.after} ({latest.since})"
        return f"the {self.party} {self._place} has given no sign of life since {since}: {latest.words}"

    @property
    def party(self) -> Party:
        """What the device is."""
        return "Central System" if self._device.url is not None else "Charge Point"

    @property
    def _place(self) -> str:
        return self._device.url if self._device.url is not None else self._device.identity

    async def ask_after(self, case_id: str) -> None:
        """A case has ended badly. A device that restarts has the time of a long operation to be there again."""
        since = timestamp()
        if not self.is_out and (words := await self._missed_for(self._device.limits.long_operation_timeout)):
            self.outages.append(Outage(case_id, since, words))
            self._was_asked = False

    async def require(self, case_id: str) -> None:
        """A case is about to begin. Raises ``Inconclusive`` if the device is gone, and its operator does not help."""
        if not self.is_out:
            return
        if await self._missed_for(await self._patience(case_id)) is None:
            self.outages[-1].until = timestamp()
            return
        advice = f"Bring the {self.party} back, see in its log why it went, and play these cases again."
        cause = f"no sign of life since {self.outages[-1].after}"
        raise Inconclusive(str(self), Evidence(str(self), advice=advice, cause=cause))

    async def _patience(self, case_id: str) -> float:
        """Seconds to look for it: its operator is asked once, and what he has started again may take its time."""
        if self._was_asked:
            return 0.0
        self._was_asked = True
        limit = self._device.operator_timeout
        sentence = f"{self}: bring it back"
        request = Request(self.party, "restart", {}, sentence, case_id, self._device.identity, limit)
        outcome = await self._operator.ask(request)
        return self._device.limits.long_operation_timeout if outcome.answer == "done" else 0.0

    async def _missed_for(self, limit: float) -> str | None:
        """What there is instead of a sign of life, looking again and again; None once there is one."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit
        while True:
            left = max(deadline - loop.time(), GLANCE)
            words = await self._look(min(left, self._device.limits.message_timeout))
            if words is None or loop.time() + PAUSE >= deadline:
                return words
            await asyncio.sleep(PAUSE)


def sign_of_life(records: list[Record], party: Party, identity: str) -> bool:
    """Whether a transcript shows that a party is there, were it only to refuse or to be refused.

    A stranger who knocks at our port is no sign of the Charge Point ``identity``; who fails before he has named himself
    may be it.
    """
    ours = [record for record in records if record.get("chargePointId", "") in ("", identity)]
    if any(record["kind"] == "frame" and SENDERS[record["direction"]] == party for record in ours):
        return True
    return any(map(_is_refused, openings(ours)))


def _is_refused(opening: Opening) -> bool:
    if opening.status is None:
        return "failure" in opening.tls
    return opening.status != SWITCHING_PROTOCOLS and opening.status < SERVER_ERROR
