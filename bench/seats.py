"""The four who may sit on the bench: our two parties, and a device of somebody else in either role."""

import asyncio
import hashlib
from collections.abc import Awaitable, Mapping
from functools import partial
from math import inf
from typing import Any

from bench.bench import Bench
from bench.cases import PROFILES
from bench.credentials import Credentials, key_proposed
from bench.messages import messages
from bench.under_test import ChargePointUnderTest
from bench.verdicts import Inconclusive, OurError
from ocppj.frames import Payload
from ocppj.peer import Script
from ocppj.transcript import BENCH, Party
from reference_csms.central_system import CentralSystem
from simulator.charge_point import PROFILES as ALL
from simulator.charge_point import ChargePoint
from simulator.connector import Locked
from simulator.hands import HANDS

# What a Charge Point of ours can be without.
MAY_LACK = frozenset({"backup_power", "detachable_cable", "local_authorization"}) | {
    folder for folder, profile in PROFILES.items() if profile in ALL and profile != "Core"
}


def parts(lacks: frozenset[str], *, secured: bool) -> dict[str, Any]:
    """What a Charge Point of ours is made of that has everything but what it shall lack."""
    profiles = [profile for folder, profile in PROFILES.items() if profile in ALL and folder not in lacks]
    return {
        "profiles": [*profiles, *(["Security"] if secured else [])],
        "fixed_cable": "detachable_cable" in lacks,
        "backup_power": "backup_power" not in lacks,
        "reader": "local_authorization" not in lacks,
    }


class SimulatedChargePoint:
    """Our Charge Point. What hands do at it is a method call."""

    party: Party = "Charge Point"
    is_ours = True

    def __init__(
        self, bench: Bench, charge_point: ChargePoint, endpoint: str, others: Mapping[int, str] | None = None
    ) -> None:
        self.charge_point = charge_point
        self.script: Script | None = charge_point.script
        self._bench = bench
        self._endpoint = endpoint
        self._others = others or {}
        self._has_power = False

    async def power_on(self) -> None:
        """Switch it on for the first time."""
        self._has_power = True
        await self.charge_point.power_on(self._endpoint, self._others)

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        self._bench.in_background(self.charge_point.request(action, payload))

    async def do(self, action: str, payload: Payload, sentence: str) -> None:
        try:
            match action:
                case "power_on":
                    await self.power_on()
                case "restart" if not self._has_power:
                    await self.power_on()
                case _:
                    await HANDS[action].do(self.charge_point, payload)
        except Locked as locked:
            self._bench.transcript.add(BENCH, event="done", failure=str(locked))
            raise self._bench.blame(self.party, str(locked)) from None

    async def lose_connection(self) -> None:
        await self.charge_point.lose_connection()

    async def restore_connection(self) -> None:
        await self.charge_point.restore_connection()

    async def wait_connected(self) -> None:
        # Once may be too little: a Central System may close what it has just admitted.
        while not self.charge_point.is_connected:  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    async def knock(self, **how: Any) -> None:
        """Try to connect in another way than its own, and hang up."""
        await self.charge_point.network.knock(**how)

    def faults(self) -> list[BaseException]:
        return self.charge_point.faults

    @property
    def uploaded_sha256(self) -> str:
        """The checksum of the diagnostics file that it has uploaded last."""
        return hashlib.sha256(self.charge_point.firmware_management.uploaded).hexdigest()


class ReferenceCentralSystem:
    """Our Central System. Its operator's wishes are method calls."""

    party: Party = "Central System"
    is_ours = True

    def __init__(self, bench: Bench, central_system: CentralSystem, credentials: Credentials | None = None) -> None:
        self.central_system = central_system
        self._credentials = credentials
        self.script: Script | None = central_system.script
        self._bench = bench

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        identity = self._bench.device.identity
        await self._wait_connected(identity)
        request = self.central_system.request
        if self._bench.misbehaved:
            request = partial(request, wrong=True)
        if self._credentials is not None and (key := key_proposed(action, payload)) is not None:
            self._bench.in_background(self._change_key(self._credentials, request(identity, action, payload), key))
        else:
            self._bench.in_background(request(identity, action, payload))

    async def _change_key(self, credentials: Credentials, request: Awaitable[Payload], key: bytes) -> None:
        """A01: the new password is written down before anybody hears of it; what counts then is told by the answer."""
        credentials.propose(key)
        status = (await request)["status"]
        if status == "Accepted":
            credentials.settle(key)
        elif status != "RebootRequired" and credentials.authorization_key is not None:
            credentials.settle(credentials.authorization_key)

    async def do(self, action: str, payload: Payload, sentence: str) -> None:
        raise OurError(f"nobody does {action} at the Central System: a faulty feature")

    async def lose_connection(self) -> None:
        await self.central_system.lose_connection(self._bench.device.identity)

    async def restore_connection(self) -> None:
        await self.central_system.restore_connection(self._bench.device.identity)

    async def wait_connected(self) -> None:
        await self.central_system.wait_connected(self._bench.device.identity)

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

    def __init__(self, bench: Bench, device: ChargePointUnderTest) -> None:
        self.device = device
        self._bench = bench
        self._plugged_at = inf  # loop time at which a cable was plugged in unseen

    async def request(self, action: str, payload: Payload, sentence: str) -> None:
        await self._bench.ask_operator(self.party, action, payload, sentence)

    async def do(self, action: str, payload: Payload, sentence: str) -> None:
        start = len(self._bench.wire.records)
        connector = payload.get("connectorId", 0)
        waits = (self._bench.status_told(connector, start) or self.device.status(connector)) == "Preparing"
        before = self._bench.wire.latest_claim(self.party, "StatusNotification", connector)
        if action in ("plug_in", "present") and before and before.payload.get("status") == "Preparing":
            self._check_time_out(before.index, connector)
        await self._bench.ask_operator(self.party, action, payload, sentence)
        self.device.was_done(action, payload)
        if waits and action in ("plug_in", "present"):
            self._check_patience(start, connector)
        elif action == "plug_in":
            self._check_time_out(start, connector)
        if not self.device.is_connected:
            self._check_patience_offline(action)

    def _check_time_out(self, start: int, connector: int) -> None:
        # 9.1.6: an operator may say so late that he is done that ConnectionTimeOut has passed by then.
        if "ConnectionTimeOut" in self._bench.case.data:
            return  # the case waits for it
        patience = self.device.connection_time_out - self._bench.device.limits.tolerance
        began = None
        for message in messages(self._bench.wire.records, start):
            if message.action != "StatusNotification" or message.payload.get("connectorId") != connector:
                continue
            status = message.payload.get("status")
            if status == "Preparing":
                began = message.time
            elif status in ("Available", "Finishing") and began is not None:
                if (message.time - began).total_seconds() >= patience:
                    raise Inconclusive(f"connector {connector} became {status} before the operator was done")

    def _check_patience(self, start: int, connector: int) -> None:
        # 9.1.6: a Charge Point waits for the EV driver no longer than ConnectionTimeOut.
        status = "Preparing"
        for message in messages(self._bench.wire.records, start):
            report = message.payload if message.action == "StatusNotification" else {}
            if report.get("connectorId") != connector:
                continue
            before, status = status, str(report.get("status"))
            if before == "Preparing" and status in ("Available", "Finishing"):
                raise Inconclusive(f"connector {connector} became {status} before the operator was done")

    def _check_patience_offline(self, action: str) -> None:
        now = self._bench.loop.time()
        if action == "present" and now - self._plugged_at > self.device.connection_time_out:
            raise Inconclusive("the operator took longer than ConnectionTimeOut, and nobody saw what came of it")
        self._plugged_at = now if action == "plug_in" else inf

    def faults(self) -> list[BaseException]:
        return []
