"""One run: a device, an operator, and a bench for each case, in virtual or in real time."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import TypeVar

from bench.bench import Bench
from bench.cases import PROFILES, Case
from bench.device import LOCATIONS, Device
from bench.files import FileServer, Images
from bench.operators import Nobody, Operator
from bench.seats import (
    ExternalCentralSystem,
    ExternalChargePoint,
    ReferenceCentralSystem,
    SimulatedChargePoint,
)
from bench.under_test import ChargePointUnderTest
from bench.verdicts import CaseOver, Inconclusive
from ocppj.clock import Calendar, VirtualLoop, frozen_calendar
from ocppj.connection import connect
from ocppj.errors import CallFailed
from ocppj.peer import counted_ids, fresh_ids
from ocppj.transcript import Record, Transcript
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store
from simulator.charge_point import PROFILES as ALL
from simulator.charge_point import ChargePoint

Result = TypeVar("Result")

# What our Central System knows of the idTags before a case tells it more.
ID_TAG_STATUS = {
    "ValidIdTag": "Accepted",
    "ValidIdTag2": "Accepted",
    "ExpiredIdTag": "Expired",
    "BlockedIdTag": "Blocked",
}


class Run:
    """A rehearsal of one device.

    Without an external device our own two parties play in virtual time, each case with a fresh pair on a fresh loop.
    With one, all cases share the ordinary loop and the real time.
    """

    def __init__(self, device: Device | None = None, operator: Operator | None = None) -> None:
        self.device = device or Device()
        self.operator = operator or Nobody()
        self._transcript = Transcript()
        self._charge_point_under_test: ChargePointUnderTest | None = None
        self._file_server: FileServer | None = None
        self._accepts_anyone = False
        self._frozen = None if self.device.is_external else frozen_calendar()
        self._calendar: Calendar | None = None
        self._loop: asyncio.AbstractEventLoop | None = asyncio.new_event_loop() if self._frozen is None else None

    @property
    def is_virtual(self) -> bool:
        """Whether time jumps."""
        return self._loop is None

    def open(self) -> None:
        """Reach the device, or await it. Raises ``ConnectFailed`` or ``OSError`` if nothing can be run."""
        if self.device.url is not None:
            self._wait(self._knock(self.device.url))
            self._accepts_anyone = self._wait(self._is_anyone_accepted(self.device.url))
        elif self.device.listen is not None:
            central_system = CentralSystem(
                self._store(), transcript=self._transcript, message_timeout=self.device.limits.message_timeout
            )
            self._wait(central_system.start(*self.device.listen))
            self._charge_point_under_test = ChargePointUnderTest(self.device, central_system)

    @property
    def endpoint(self) -> str:
        """Where we await the Charge Point under test."""
        assert self._charge_point_under_test is not None
        return self._charge_point_under_test.central_system.endpoint

    def await_charge_point(self) -> bool:
        """Wait for the Charge Point under test to connect; whether it did."""
        assert self._charge_point_under_test is not None
        try:
            self._wait(self._charge_point_under_test.wait_connected())
        except Inconclusive:
            return False
        return True

    def close(self) -> None:
        """End what the run holds."""
        if (device := self._charge_point_under_test) is not None:
            self._wait(device.leave())
            self._wait(device.central_system.stop())
        if self._loop is not None:
            self._wait(self._stop_serving())
            self._wait(_end_tasks())
            self._loop.close()
        if self._frozen is not None and self._calendar is not None:
            self._frozen.stop()

    def begin(self, case: Case) -> Bench:
        """A bench with both parties seated, the one under test at rest. Raises ``CaseOver`` if it cannot be."""
        loop = self._loop or self._virtual_loop()
        asyncio.set_event_loop(loop)
        self._transcript = self._transcript if self._charge_point_under_test else Transcript()
        bench = Bench(case, self.device, loop, self._transcript, self.operator)
        bench.accepts_anyone = self._accepts_anyone
        try:
            loop.run_until_complete(self._serve_files(bench))
            known = self.device.data.keys() | bench.locations.keys()
            if missing := [name for name in case.data if name not in known]:
                raise bench.missing(missing[0])
            loop.run_until_complete(self._seat(bench))
        except CaseOver:
            self.end(bench)
            raise
        bench.begin()
        return bench

    def end(self, bench: Bench) -> list[Record]:
        """Clear the bench and hand over what crossed the wire. A bench that is clear stays so."""
        if bench.is_clear:
            return bench.records
        bench.is_clear = True
        bench.loop.run_until_complete(self._clear(bench))
        records = bench.records
        if bench.loop is not self._loop:
            bench.loop.close()
        return records

    async def _serve_files(self, bench: Bench) -> None:
        """Let the places that a case names be there."""
        if not set(LOCATIONS).intersection(bench.case.data).difference(self.device.data):
            return
        under_test = self._charge_point_under_test
        if self._file_server is None:
            # What crosses is recorded once: where the Central System is judged, by our Charge Point.
            transcript = self._transcript if bench.judged == "Charge Point" else None
            try:
                server = FileServer(Images.of(self.device), self.device.file_servers, transcript)
                await server.start(self.device.listen[0] if self.device.listen else "127.0.0.1")
            except OSError as error:
                raise Inconclusive(f"there is no file server: {error}") from None
            self._file_server = server
        reached_at = under_test.central_system.reached_at(self.device.identity) if under_test else ""
        bench.locations = self._file_server.locations(reached_at)

    async def _stop_serving(self) -> None:
        server, self._file_server = self._file_server, None
        if server is not None:
            await server.stop()

    async def _seat(self, bench: Bench) -> None:
        if self.device.url is not None:
            charge_point = self._charge_point(self._transcript, lacks=frozenset(bench.case.without))
            # Ours waits for whoever operates the Central System, and for its answers (9.1.6).
            patience = self.device.operator_timeout + 4 * self.device.limits.message_timeout
            charge_point.configuration.set("ConnectionTimeOut", str(round(patience)))
            charge_point.firmware_management.takes_any_image = True  # its images are made for other devices
            for key in ("LocalAuthListMaxLength", "SendLocalListMaxLength"):  # and its lists are as long as they are
                charge_point.configuration.set(key, "1000000")
            bench.seats["Charge Point"] = SimulatedChargePoint(bench, charge_point, self.device.url)
            bench.seats["Central System"] = ExternalCentralSystem(bench)
        elif (device := self._charge_point_under_test) is not None:
            device.central_system.faults.clear()
            bench.seats["Charge Point"] = ExternalChargePoint(bench, device)
            bench.seats["Central System"] = ReferenceCentralSystem(bench, device.central_system)
            await device.come_back(bench)
            if device.is_connected:
                await device.come_to_rest(bench)
            self._transcript.cut()
        else:
            await self._seat_pair(bench)

    async def _seat_pair(self, bench: Bench) -> None:
        """Seat our own two parties; the wire is recorded where we would sit if the judged one were not ours."""
        judged_central_system = bench.judged == "Central System"
        central_system = CentralSystem(
            self._store(),
            transcript=None if judged_central_system else self._transcript,
            unique_ids=counted_ids("CSMS"),
            message_timeout=self.device.limits.message_timeout,
        )
        await central_system.start()
        lacks = frozenset(bench.case.without) | (frozenset() if judged_central_system else self.device.lacks)
        charge_point = self._charge_point(self._transcript if judged_central_system else None, lacks=lacks)
        bench.seats["Charge Point"] = SimulatedChargePoint(bench, charge_point, central_system.endpoint)
        bench.seats["Central System"] = ReferenceCentralSystem(bench, central_system)

    async def _clear(self, bench: Bench) -> None:
        bench.freeze()
        await bench.clear()
        charge_point = bench.seats.get("Charge Point")
        central_system = bench.seats.get("Central System")
        if isinstance(charge_point, SimulatedChargePoint):
            if isinstance(central_system, ExternalCentralSystem):
                await _leave_nothing_running(charge_point.charge_point)
            await charge_point.charge_point.stop()
        if isinstance(charge_point, ExternalChargePoint):
            charge_point.device.central_system.script.forget()
            charge_point.device.remember(bench.records)
        elif isinstance(central_system, ReferenceCentralSystem):
            await central_system.central_system.stop()
        if self.is_virtual:
            await self._stop_serving()

    def _charge_point(self, transcript: Transcript | None, *, lacks: frozenset[str] = frozenset()) -> ChargePoint:
        """One of ours that has everything but what it shall lack."""
        return ChargePoint(
            identity=self.device.identity,
            connectors=int(self.device.data["NumberOfConnectors"]),
            transcript=transcript,
            unique_ids=counted_ids("CP") if self.is_virtual else fresh_ids(),
            message_timeout=self.device.limits.message_timeout,
            profiles=[profile for folder, profile in PROFILES.items() if profile in ALL and folder not in lacks],
            fixed_cable="detachable_cable" in lacks,
            backup_power="backup_power" not in lacks,
            reader="local_authorization" not in lacks,
        )

    def _store(self) -> Store:
        store = Store()
        store.heartbeat_interval = int(self.device.data["HeartbeatInterval"])
        store.know_charge_point(self.device.identity)
        for name, status in ID_TAG_STATUS.items():
            store.know_id_tag(self.device.data[name], status)
        return store

    async def _knock(self, url: str) -> None:
        websocket = await connect(url, self.device.identity)
        await websocket.close()

    async def _is_anyone_accepted(self, url: str) -> bool:
        """Whether the Central System accepts an idTag that nobody has told it of."""
        charge_point = self._charge_point(None)
        await charge_point.power_on(url)
        try:
            async with asyncio.timeout(self.device.limits.message_timeout):
                await charge_point.wait_accepted()
            conf = await charge_point.request("Authorize", {"idTag": self.device.data["InvalidIdTag"]})
        except (TimeoutError, CallFailed):
            return False  # the cases will say why
        finally:
            await charge_point.stop()
        return bool(conf["idTagInfo"]["status"] == "Accepted")

    def _virtual_loop(self) -> VirtualLoop:
        """A loop whose time jumps; the calendar stops with the first one, for all of this process."""
        assert self._frozen is not None
        self._calendar = self._calendar or self._frozen.start()
        return VirtualLoop(self._calendar)

    def _wait(self, work: Coroutine[object, object, Result]) -> Result:
        assert self._loop is not None
        return self._loop.run_until_complete(work)


async def _end_tasks() -> None:
    """Cancel what an interruption has left running."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _leave_nothing_running(charge_point: ChargePoint) -> None:
    """Stop what still runs, so that the next case of a foreign Central System does not meet an open transaction."""
    with suppress(TimeoutError, CallFailed):
        async with asyncio.timeout(5):
            await charge_point.restore_connection()
            await charge_point.regain_power()
            while not charge_point.is_online:  # noqa: ASYNC110  # its connection and its registration, in this order
                await asyncio.sleep(0.1)
            await charge_point.restart()  # stops every transaction first, with the reason Reboot
