"""Our Charge Point, our Central System, and the world around them, in which one thing after another is let happen."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from ocppj.clock import Calendar, VirtualLoop
from ocppj.errors import CallFailed, Disconnected
from ocppj.frames import Payload
from ocppj.peer import counted_ids
from ocppj.transcript import Record, Transcript
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store
from simulator.charge_point import ChargePoint
from simulator.connector import Locked
from simulator.hands import HANDS
from simulator.memory import StoredTransaction

IDENTITY = "CP1"
CONNECTORS = (1, 2)
VALID, OF_THE_SAME_FAMILY, ANOTHER, BLOCKED, UNKNOWN = "04A1B2C3D4", "04A1B2C3D5", "04B7", "04BAD", "04FFFF"
REST = 300.0  # seconds; the longest back-off is 60


class WatchedChargePoint(ChargePoint):
    """A Charge Point of which one knows what it has promised to deliver: ``promised`` holds (action, payload)."""

    def __init__(self, **options: Any) -> None:
        self.promised: list[tuple[str, Payload]] = []
        super().__init__(**options)

    def queue_message(self, action: str, payload: Payload, stored: StoredTransaction | None) -> None:
        """Note what 3.7 has it keep until it is delivered."""
        self.promised.append((action, payload))
        super().queue_message(action, payload, stored)


class World:
    """A pair that has booted; ``records`` is what the Charge Point has seen of the wire."""

    def __init__(self, calendar: Calendar) -> None:
        self.loop = VirtualLoop(calendar)
        self._transcript = Transcript()
        store = Store(next_transaction_id=1001, next_reservation_id=2001, next_request_id=3001)
        store.know_charge_point(IDENTITY)
        store.know_id_tag(VALID, parent="FAMILY")
        store.know_id_tag(OF_THE_SAME_FAMILY, parent="FAMILY")
        store.know_id_tag(ANOTHER)
        store.know_id_tag(BLOCKED, "Blocked")
        store.heartbeat_interval = 3600
        self.central_system = CentralSystem(store, unique_ids=counted_ids("CS"))
        self.charge_point = WatchedChargePoint(
            identity=IDENTITY,
            connectors=len(CONNECTORS),
            transcript=self._transcript,
            unique_ids=counted_ids("CP"),
        )
        # Pings are frames of the WebSocket that no law is about, every minute of every example.
        self.charge_point.memory.configuration["WebSocketPingInterval"] = "0"
        self._asked: list[asyncio.Task[Payload]] = []
        self.run(self._begin())

    @property
    def records(self) -> list[Record]:
        """What crossed the wire until now."""
        return self._transcript.records

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something happen."""
        self.loop.run_until_complete(work)

    def do(self, action: str, then: float = 0.0, **payload: object) -> None:
        """Do something by hand at the Charge Point and let ``then`` seconds pass. What a lock prevents is not done."""
        self.run(self._do(action, then, payload))

    def ask(self, action: str, then: float = 0.0, **payload: object) -> None:
        """Have the Central System send a request, if it can reach the Charge Point, and let ``then`` seconds pass."""
        self.run(self._ask(self.central_system.request(IDENTITY, action, payload), then))

    def update_local_auth_list(self, then: float = 0.0) -> None:
        """Have the Central System bring the Local Authorization List up to date, and let ``then`` seconds pass."""
        self.run(self._ask(self._update(), then))

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.run(asyncio.sleep(seconds))

    def faults(self) -> list[BaseException]:
        """What went wrong inside the two parties, and each request of the Central System that was not answered well."""
        refused = [
            failure
            for task in self._asked
            if task.done() and not task.cancelled() and (failure := task.exception()) is not None
            if not isinstance(failure, Disconnected)
        ]
        return [*self.charge_point.faults, *self.central_system.faults, *refused]

    def rest(self) -> None:
        """Everything works again, every transaction is ended by a restart, and there is time for what is left to do."""
        self.do("restore_connection")
        self.do("regain_power", REST)
        self.do("repair", connectorId=0)
        self.run(self.charge_point.restart())
        self.pass_time(REST)

    def end(self) -> list[str]:
        """Stop both parties and close the loop. The tasks that were left running."""
        try:
            self.run(self._end())
            return [repr(task) for task in asyncio.all_tasks(self.loop)]
        finally:
            self.loop.close()

    async def _begin(self) -> None:
        await self.central_system.start()
        await self.charge_point.power_on(self.central_system.endpoint)
        await self.charge_point.wait_told()

    async def _do(self, action: str, then: float, payload: Payload) -> None:
        with suppress(Locked):
            await HANDS[action].do(self.charge_point, payload)
        await asyncio.sleep(then)

    async def _ask(self, request: Coroutine[Any, Any, Payload], then: float) -> None:
        self._asked.append(asyncio.create_task(request))
        await asyncio.sleep(then)

    async def _update(self) -> Payload:
        return {"done": await self.central_system.update_local_auth_list(IDENTITY)}

    async def _end(self) -> None:
        await self.charge_point.stop()
        await self.central_system.stop()
        for task in self._asked:
            with suppress(CallFailed):
                await task
        await asyncio.sleep(0)
