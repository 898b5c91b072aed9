"""The four who may sit on the bench: our two parties, and a device of somebody else in either role."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bench.bench import Bench
from bench.verdicts import Inconclusive, OurError
from ocppj.errors import CallFailed
from ocppj.frames import Payload
from ocppj.peer import Script
from ocppj.transcript import Party
from reference_csms.central_system import CentralSystem
from simulator.charge_point import ChargePoint
from simulator.connector import Locked

REST = 1.0  # seconds in which a Charge Point under test reports what a request has changed


class SimulatedChargePoint:
    """Our Charge Point. What hands do at it is a method call."""

    party: Party = "Charge Point"
    is_ours = True

    def __init__(self, bench: Bench, charge_point: ChargePoint, endpoint: str) -> None:
        self.charge_point = charge_point
        self.script: Script | None = charge_point.script
        self._bench = bench
        self._endpoint = endpoint
        self._has_power = False
        self._hands: dict[str, Callable[[Payload], Awaitable[None]]] = {
            "power_on": lambda _: self.power_on(),
            "restart": lambda _: self._power_cycle(),
            "plug_in": lambda at: charge_point.plug_in(at["connectorId"]),
            "unplug": lambda at: charge_point.unplug(at["connectorId"]),
            "unplug_ev_side": lambda at: charge_point.unplug_ev_side(at["connectorId"]),
            "present": lambda at: charge_point.present(at["idTag"], at.get("connectorId")),
        }

    async def power_on(self) -> None:
        """Switch it on for the first time."""
        self._has_power = True
        await self.charge_point.power_on(self._endpoint)

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        self._bench.in_background(self.charge_point.request(action, payload))

    async def do(self, action: str, payload: Payload, sentence: str) -> None:
        try:
            await self._hands[action](payload)
        except Locked as locked:
            raise self._bench.blame(self.party, str(locked)) from None

    def faults(self) -> list[BaseException]:
        return self.charge_point.faults

    async def _power_cycle(self) -> None:
        if not self._has_power:
            await self.power_on()
            return
        await self.charge_point.lose_power()
        await self.charge_point.regain_power()


class ReferenceCentralSystem:
    """Our Central System. Its operator's wishes are method calls."""

    party: Party = "Central System"
    is_ours = True

    def __init__(self, bench: Bench, central_system: CentralSystem) -> None:
        self.central_system = central_system
        self.script: Script | None = central_system.script
        self._bench = bench

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        identity = self._bench.device.identity
        await self._wait_connected(identity)
        self._bench.in_background(self.central_system.request(identity, action, payload))

    async def do(self, action: str, payload: Payload, sentence: str) -> None:
        raise OurError(f"nobody does {action} at the Central System: a faulty feature")

    def faults(self) -> list[BaseException]:
        return self.central_system.faults

    async def _wait_connected(self, identity: str) -> None:
        try:
            async with asyncio.timeout(self._bench.timeout):
                await self.central_system.wait_connected(identity)
        except TimeoutError:
            text = f"the Charge Point is not connected, and did not come back in {self._bench.timeout:g} s"
            raise self._bench.blame("Charge Point", text) from None


class ExternalCentralSystem:
    """A Central System of somebody else, reached by its URL. What it shall do is asked of its operator."""

    party: Party = "Central System"
    is_ours = False
    script: Script | None = None

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        await self._bench.ask_operator(self.party, action, payload, sentence)

    async def do(self, action: str, payload: Payload, sentence: str) -> None:
        await self._bench.ask_operator(self.party, action, payload, sentence)

    def faults(self) -> list[BaseException]:
        return []


class ExternalChargePoint:
    """A Charge Point of somebody else, which connects to our Central System. Its hands are its operator's."""

    party: Party = "Charge Point"
    is_ours = False
    script: Script | None = None

    def __init__(self, bench: Bench, central_system: CentralSystem) -> None:
        self._bench = bench
        self._central_system = central_system

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        await self._bench.ask_operator(self.party, action, payload, sentence)

    async def do(self, action: str, payload: Payload, sentence: str) -> None:
        await self._bench.ask_operator(self.party, action, payload, sentence)

    def faults(self) -> list[BaseException]:
        return []

    async def come_to_rest(self) -> None:
        """Bring the device back to the state in which a case begins: connected, accepted, idle.

        Raises ``Inconclusive`` if it cannot be brought there: this is no judgement.
        """
        bench, identity = self._bench, self._bench.device.identity
        await self.wait_connected()
        charge_point = self._central_system.store.of(identity).charge_point
        if not charge_point.accepted:
            await self._wait_accepted()
        with suppress(Inconclusive):  # a Charge Point without a cache refuses (errata 3.23)
            await self._ask("ClearCache", {})
        for transaction in self._central_system.store.transactions.values():
            if transaction.identity == identity and transaction.stopped_at is None:
                await self._ask("RemoteStopTransaction", {"transactionId": transaction.transaction_id})
        for connector_id, connector in sorted(charge_point.connectors.items()):
            if connector.status == "Unavailable":
                await self._ask("ChangeAvailability", {"connectorId": connector_id, "type": "Operative"})
        used = charge_point.connectors.get(bench.connector)
        if used is not None and used.status != "Available":
            sentence = f"connector {bench.connector} is {used.status}: unplug the cable, so that it is Available"
            await bench.ask_operator(self.party, "unplug", {"connectorId": bench.connector}, sentence)
            await self._wait_available()

    async def wait_connected(self) -> None:
        """Wait for its connection. Raises ``Inconclusive`` if it does not come."""
        limit = self._bench.device.limits.long_operation_timeout
        identity = self._bench.device.identity
        try:
            async with asyncio.timeout(limit):
                await self._central_system.wait_connected(identity)
        except TimeoutError:
            url = f"{self._central_system.endpoint}/{identity}"
            raise Inconclusive(f"the Charge Point did not connect to {url} in {limit:g} s") from None

    async def _wait_accepted(self) -> None:
        charge_point = self._central_system.store.of(self._bench.device.identity).charge_point
        deadline = self._bench.loop.time() + self._bench.timeout
        if not await self._bench.wire.until(lambda: charge_point.accepted or None, deadline):
            # OCPP-J 5.4: a Charge Point that only reconnects should not send a BootNotification.
            charge_point.accepted = True
        await asyncio.sleep(REST)  # its StatusNotifications follow (errata 3.22)

    async def _wait_available(self) -> None:
        connectors = self._central_system.store.of(self._bench.device.identity).charge_point.connectors
        number = self._bench.connector
        deadline = self._bench.loop.time() + self._bench.timeout
        if not await self._bench.wire.until(lambda: connectors[number].status == "Available" or None, deadline):
            raise Inconclusive(f"connector {number} stays {connectors[number].status}: no case can begin")

    async def _ask(self, action: str, payload: Payload) -> None:
        try:
            await self._central_system.request(self._bench.device.identity, action, payload)
            await asyncio.sleep(REST)
        except CallFailed as failure:
            raise Inconclusive(f"the Charge Point cannot be brought to rest: {action}: {failure}") from None
