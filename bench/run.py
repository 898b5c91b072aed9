"""One run: a device, an operator, and a bench for each case, in virtual or in real time."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from secrets import token_bytes
from typing import Any, TypeVar

from bench.bench import Bench
from bench.cases import Case
from bench.claims import Wire
from bench.connections import openings
from bench.credentials import Credentials
from bench.device import LOCATIONS, Device
from bench.files import FileServer, Images
from bench.life import Life, sign_of_life
from bench.material import Material
from bench.messages import Message, messages
from bench.operators import Beginning, Hook, HookFailed, Nobody, Operator
from bench.pki import Pki, read_credential, read_roots
from bench.residue import Left, Residue, left_by
from bench.seats import (
    ExternalCentralSystem,
    ExternalChargePoint,
    ReferenceCentralSystem,
    SimulatedChargePoint,
    parts,
)
from bench.under_test import ChargePointUnderTest
from bench.verdicts import CaseOver, Evidence, Inconclusive
from ocppj.authority import Credential
from ocppj.certificates import pem
from ocppj.clock import Calendar, VirtualLoop, frozen_calendar
from ocppj.connection import ConnectFailed
from ocppj.errors import CallFailed
from ocppj.peer import counted_ids, fresh_ids
from ocppj.transcript import BEFORE, Record, Transcript
from reference_csms import security
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store
from simulator.charge_point import ChargePoint
from simulator.memory import Memory

Result = TypeVar("Result")

# What our Central System knows of the idTags before a case tells it more.
ID_TAG_STATUS = {
    "ValidIdTag": "Accepted",
    "ValidIdTag2": "Accepted",
    "ExpiredIdTag": "Expired",
    "BlockedIdTag": "Blocked",
}


# What the bench knows of a foreign device when a case begins, and the name of that fact in a transcript.
KNOWN_BEFORE = ("security_profile", "accepts_anyone", "hands_are_proven", "follows_white_paper")
BEGINNING = "beginning"


class Run:
    """A rehearsal of one device.

    Without an external device our own two parties play in virtual time, each case with a fresh pair on a fresh loop.
    With one, all cases share the ordinary loop and the real time.
    """

    def __init__(
        self, device: Device | None = None, operator: Operator | None = None, hooks: Sequence[Hook] = ()
    ) -> None:
        """``hooks``: who makes a device ready; an operator that is one is the last of them."""
        self.device = device or Device()
        self.operator = operator or Nobody()
        ready = [*hooks, *([self.operator] if isinstance(self.operator, Hook) else [])]
        self._hooks = ready if self.device.is_external else []
        self.pki = Pki(
            self.device.security.pki,
            host=self._host,
            serial_number=self.device.data.get("SerialNumber", ""),
            organization=self.device.data["CpoName"],
            server=self._server_certificate(),
        )
        self.credentials = Credentials(self.device, self._own_certificate())
        self._former_certificate = self.credentials.certificate  # before the present case
        self._transcript = Transcript()
        self._charge_point_under_test: ChargePointUnderTest | None = None
        self._file_server: FileServer | None = None
        self._accepts_anyone = False
        self._was_seated = False  # whether the present case came as far as that
        self.life = Life(self.device, self.operator, self._look_for_life)
        self._left = Left("")  # in a Central System under test, by the cases before
        self._raised: int | None = None  # the security profile to which a Central System under test has raised ours
        self._frozen = None if self.device.is_external else frozen_calendar()
        self._calendar: Calendar | None = None
        self._loop: asyncio.AbstractEventLoop | None = asyncio.new_event_loop() if self._frozen is None else None

    @property
    def is_virtual(self) -> bool:
        """Whether time jumps."""
        return self._loop is None

    def open(self) -> None:
        """Reach the device, or await it.

        Raises ``HookFailed``, ``ConnectFailed`` or ``OSError`` if nothing can be run.
        """
        for hook in self._hooks:
            self._wait(hook.before_run(self._beginning()))
        if self.device.url is not None:
            self._wait(self._knock(self.device.url))
            self._accepts_anyone = self._wait(self._is_anyone_accepted(self.device.url))
        elif self.device.listen is not None:
            profile = self.device.security.profile or 0
            central_system = CentralSystem(
                self._store(profile, self.credentials.authorization_key, secured=profile > 0),
                transcript=self._transcript,
                message_timeout=self.device.limits.message_timeout,
                **self._tls(profile > 0),
            )
            for key in self.credentials.others:
                security.propose_key(central_system.store, self.device.identity, key)
            self._wait(central_system.start(*self.device.listen))
            self._charge_point_under_test = ChargePointUnderTest(self.device, central_system, self.credentials)

    def was_left(self, case: str, records: Sequence[Record], configuration: Mapping[str, str]) -> None:
        """An earlier session with this device was interrupted after a case, or in it.

        ``records``: what crossed the wire in that case. ``configuration``: of a Charge Point, as it was read then.
        """
        if self.device.url is not None:
            self._left = left_by(case, records)
        if self._charge_point_under_test is not None:
            self._charge_point_under_test.was_left(configuration)

    @property
    def configuration(self) -> dict[str, str]:
        """The values of the keys of a Charge Point under test before the first case, as far as it has told them."""
        return self._charge_point_under_test.configuration if self._charge_point_under_test else {}

    @property
    def endpoint(self) -> str:
        """Where we await the Charge Point under test."""
        assert self._charge_point_under_test is not None
        central_system = self._charge_point_under_test.central_system
        return central_system.secure_endpoint if (self.device.security.profile or 0) > 1 else central_system.endpoint

    def await_charge_point(self) -> bool:
        """Wait for the Charge Point under test to connect; whether it did."""
        assert self._charge_point_under_test is not None
        try:
            self._wait(self._charge_point_under_test.wait_connected())
        except Inconclusive:
            return False
        return True

    @property
    def security_profile(self) -> int | None:
        """The security profile that the device has come to, which a case may have raised; None in a self-rehearsal."""
        if (device := self._charge_point_under_test) is not None:
            return device.central_system.store.of(self.device.identity).charge_point.security_profile
        return self._raised or self.device.security.profile

    def leave(self) -> None:
        """Give the device back as it was, as far as that goes."""
        if self.life.is_out:
            return
        if (device := self._charge_point_under_test) is not None:
            self._wait(device.leave())
        elif self.device.url is not None:
            self._wait(self._undo_what_is_left(self.device.url))

    def close(self) -> None:
        """Leave the device, and end what the run holds."""
        self.leave()
        if (device := self._charge_point_under_test) is not None:
            self._wait(device.central_system.stop())
        if self._loop is not None:
            for hook in self._hooks:
                self._wait(hook.close())
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
        bench.security_profile = self._security_profile(case)
        self._was_seated = False
        try:
            loop.run_until_complete(self.life.require(case.id))
            loop.run_until_complete(self._make_ready(case))
            loop.run_until_complete(self._serve_files(bench))
            bench.material = Material(bench, self.pki)
            known = self.device.values.keys() | bench.locations.keys() | bench.material.keys()
            if missing := [name for name in case.data if name not in known]:
                raise bench.missing(missing[0])
            self._was_seated = True
            loop.run_until_complete(self._seat(bench))
            self._check_protocol(bench)
        except CaseOver:
            self.end(bench)
            raise
        bench.begin()
        if bench.device.is_external:
            self._note_beginning(bench)
        return bench

    def _note_beginning(self, bench: Bench) -> None:
        """Write down what the bench knows of a device before the case: its transcript is to be judged by itself."""
        told: dict[str, object] = {name: getattr(bench, name) for name in KNOWN_BEFORE}
        if (device := self._charge_point_under_test) is not None:
            numbers = range(1, bench.number_of_connectors + 1)
            told |= {
                "configuration": device.configuration,
                "statuses": {str(number): device.status(number) for number in numbers},
                "isConnected": device.is_connected,
            }
        bench.transcript.fact(BEGINNING, lambda: told)

    def weigh(self, bench: Bench, over: CaseOver | None) -> CaseOver | None:
        """What the end of the steps of a case is worth: of a live one all that it says."""
        return over

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

    async def _make_ready(self, case: Case) -> None:
        """Raises ``Inconclusive``."""
        for hook in self._hooks:
            try:
                await hook.before_case(self._beginning(case.id))
            except HookFailed as failed:
                text = f"the case was not made ready: {failed}"
                advice = "Run the hook by itself: it gets on its standard input what docs/operators.md tells."
                cause = "the case was not made ready"
                raise Inconclusive(text, Evidence(text, advice=advice, cause=cause)) from None

    def _beginning(self, case: str = "") -> Beginning:
        device = {name: value for name, value in self.device.describe().items() if name != "test_data"}
        return Beginning(case, device, dict(self.device.data), self.device.operator_timeout)

    def ask_after_device(self, case: Case) -> None:
        """After a case that ended badly: find out whether the device still lives, if there was anybody to be judged."""
        if self._was_seated and self.device.is_external:
            self._wait(self.life.ask_after(case.id))

    async def _look_for_life(self, limit: float) -> str | None:
        """What there is instead of a sign of life of the device; None if there is one."""
        if self._charge_point_under_test is not None:
            return await self._charge_point_under_test.look_for_life(limit)
        # Ours has left: an identity connects once.
        for identity in dict.fromkeys((self.device.second_identity or self.device.identity, self.device.identity)):
            if (words := await self._look_for_answer(identity, limit)) is None:
                return None
        return words

    async def _look_for_answer(self, identity: str, limit: float) -> str | None:
        """Whether a Central System under test answers to the boot of a Charge Point in time, in whatever way."""
        assert self.device.url is not None
        transcript = Transcript()
        charge_point, wire = self._charge_point(None, transcript, identity=identity), Wire(transcript)
        await charge_point.power_on(self.device.url)

        def told() -> str | None:
            if sign_of_life(wire.records, "Central System", identity):
                return ""
            return next((str(each) for each in openings(wire.records) if not each.is_granted), None)

        try:
            words = await wire.until(told, asyncio.get_running_loop().time() + limit)
        finally:
            await self._leave(charge_point)
        if words is not None:
            return words or None
        return "it admits a connection and answers nothing" if any(openings(wire.records)) else "there is no connection"

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

    def _check_protocol(self, bench: Bench) -> None:
        """Ask nobody for a protocol that he says he has not (errata 3.90). Raises ``Inconclusive``."""
        if self._charge_point_under_test is None or not bench.locations:
            return
        told = self._charge_point_under_test.configured("SupportedFileTransferProtocols") or ""
        known = {name.strip().upper() for name in told.split(",")} - {""}
        ours = self.device.file_servers["FileTransferProtocol"]
        if known and ours not in known:
            other = "HTTP" if ours == "FTP" else "FTP"
            advice = f": give --data FileTransferProtocol={other}" if other in known else ""
            raise Inconclusive(f"the Charge Point transfers files over {told} alone, not over {ours}{advice}")

    async def _stop_serving(self) -> None:
        server, self._file_server = self._file_server, None
        if server is not None:
            await server.stop()

    async def _seat(self, bench: Bench) -> None:
        if self.device.url is not None:
            self._former_certificate = self.credentials.certificate
            if self.credentials.others:  # the case before has left it open which password counts
                with suppress(ConnectFailed):  # the case will say so
                    await self._knock(self.device.url)
            bench.residue += await self._undo_what_is_left(self.device.url)
            charge_point = self._charge_point(bench, self._transcript, lacks=frozenset(bench.case.without))
            # Ours waits for whoever operates the Central System, and for its answers (9.1.6).
            patience = self.device.operator_timeout + 4 * self.device.limits.message_timeout
            charge_point.configuration.set("ConnectionTimeOut", str(round(patience)))
            charge_point.firmware_management.takes_any_image = True  # its images are made for other devices
            for key in ("LocalAuthListMaxLength", "SendLocalListMaxLength"):  # and its lists are as long as they are
                charge_point.configuration.set(key, "1000000")
            charge_point.configuration.set("CertificateStoreMaxLength", "1000")
            charge_point.security.on_change = partial(self._note_change, charge_point)
            bench.seats["Charge Point"] = SimulatedChargePoint(bench, charge_point, self.device.url, self._others)
            bench.seats["Central System"] = ExternalCentralSystem(bench)
        elif (device := self._charge_point_under_test) is not None:
            device.central_system.faults.clear()
            bench.hands_are_proven = device.hands_are_proven
            bench.seats["Charge Point"] = ExternalChargePoint(bench, device)
            bench.seats["Central System"] = ReferenceCentralSystem(bench, device.central_system, self.credentials)
            await device.come_back(bench)
            if device.is_connected:
                await device.come_to_rest(bench)
            bench.follows_white_paper = device.configured("SecurityProfile") is not None
            self._transcript.cut()
        else:
            await self._seat_pair(bench)

    async def _seat_pair(self, bench: Bench) -> None:
        """Seat our own two parties; the wire is recorded where we would sit if the judged one were not ours."""
        judged_central_system = bench.judged == "Central System"
        key = token_bytes(20) if bench.security_profile in (1, 2) else None
        self.credentials = Credentials(self.device, self.pki.charge_point if bench.security_profile == 3 else None)
        if key is not None:
            self.credentials.settle(key)
        central_system = CentralSystem(
            self._store(bench.security_profile, key, secured=_is_secured(bench)),
            transcript=None if judged_central_system else self._transcript,
            unique_ids=counted_ids("CSMS"),
            message_timeout=self.device.limits.message_timeout,
            **self._tls(_is_secured(bench)),
        )
        await central_system.start()
        lacks = frozenset(bench.case.without) | (frozenset() if judged_central_system else self.device.lacks)
        charge_point = self._charge_point(bench, self._transcript if judged_central_system else None, lacks=lacks)
        endpoints = (central_system.endpoint, central_system.secure_endpoint)
        others = {profile: endpoints[profile > 1] for profile in range(4)} if _is_secured(bench) else {}
        endpoint = endpoints[bench.security_profile > 1]
        bench.seats["Charge Point"] = SimulatedChargePoint(bench, charge_point, endpoint, others)
        bench.seats["Central System"] = ReferenceCentralSystem(bench, central_system, self.credentials)

    async def _leave_nothing_running(self, bench: Bench, charge_point: ChargePoint) -> None:
        """Stop what still runs at our Charge Point, and note what the Central System still has of the case."""
        await _stop_what_runs(charge_point, min(5.0, self.device.limits.message_timeout))
        later = [record for record in bench.transcript.records if record["kind"] != BEFORE]
        self._left = left_by(bench.case.id, [*bench.records, *later])

    async def _undo_what_is_left(self, url: str) -> list[Residue]:
        """End in the Central System under test what the case before has begun there; what cannot be ended is told."""
        left, self._left = self._left, Left("")
        if not left:
            return []
        charge_point = self._charge_point(None, None)
        await charge_point.power_on(url)
        try:
            async with asyncio.timeout(self.device.limits.message_timeout):
                await charge_point.wait_accepted()
        except TimeoutError:
            pass  # what it says is that there is no connection
        try:
            return await left.undo(charge_point)
        finally:
            await charge_point.stop()

    async def _clear(self, bench: Bench) -> None:
        bench.freeze()
        await bench.clear()
        charge_point = bench.seats.get("Charge Point")
        central_system = bench.seats.get("Central System")
        if isinstance(charge_point, SimulatedChargePoint):
            if isinstance(central_system, ExternalCentralSystem):
                await self._leave_nothing_running(bench, charge_point.charge_point)
                self._learn_from(charge_point.charge_point, bench.records)
                await self._leave(charge_point.charge_point)
            else:
                await charge_point.charge_point.stop()
        if isinstance(charge_point, ExternalChargePoint):
            charge_point.device.central_system.script.forget()
            charge_point.device.remember(bench.case.id, bench.records)
        elif isinstance(central_system, ReferenceCentralSystem):
            await central_system.central_system.stop()
        if self.is_virtual:
            await self._stop_serving()

    def _charge_point(
        self,
        bench: Bench | None,
        transcript: Transcript | None,
        *,
        lacks: frozenset[str] = frozenset(),
        identity: str | None = None,
    ) -> ChargePoint:
        """One of ours that has everything but what it shall lack."""
        profile = bench.security_profile if bench else self.device.security.profile or 0
        secured = _is_secured(bench) if bench else profile > 0
        charge_point = ChargePoint(
            identity=identity or self.device.identity,
            connectors=int(self.device.data["NumberOfConnectors"]),
            transcript=transcript,
            unique_ids=counted_ids("CP") if self.is_virtual else fresh_ids(),
            message_timeout=self.device.limits.message_timeout,
            memory=self._memory(profile),
            serial_number=self.device.data["SerialNumber"],
            **parts(lacks, secured=secured),
        )
        charge_point.security.refuses_unsigned_firmware = bench is None or bench.case.profile == "Security"
        return charge_point

    def _memory(self, profile: int) -> Memory:
        """What our Charge Point knows of security before it is switched on for the first time."""
        memory = Memory()
        if not profile and self.device.security.tls_ca is None:
            return memory
        if self.credentials.authorization_key is not None:
            memory.authorization_key = self.credentials.authorization_key.hex()
        if self.device.security.tls_ca is not None:
            memory.central_system_roots = [pem(root) for root in read_roots(self.device.security.tls_ca)]
        elif profile > 1:
            memory.central_system_roots = [pem(self.pki.central_system_root.certificate)]
        memory.manufacturer_roots = [pem(self.pki.manufacturer_root.certificate)]
        if (certificate := self.credentials.certificate) is not None:
            memory.certificates = [{"key": certificate.key_pem, "chain": certificate.chain_pem}]
        memory.configuration |= {"SecurityProfile": str(profile), "CpoName": self.device.data["CpoName"]}
        return memory

    def _store(self, profile: int = 0, key: bytes | None = None, *, secured: bool = False) -> Store:
        store = Store()
        store.heartbeat_interval = int(self.device.data["HeartbeatInterval"])
        security.know_credentials(
            store,
            self.device.identity,
            security_profile=profile,
            authorization_key=key,
            serial_number=self.device.data.get("SerialNumber"),
        )
        if not self.device.is_external:
            store.cpo_name = self.device.data["CpoName"]
        if secured:
            store.authority = self.pki.central_system_root
        for name, status in ID_TAG_STATUS.items():
            store.know_id_tag(self.device.data[name], status)
        return store

    # Security

    @property
    def _host(self) -> str:
        """The name by which a Charge Point knows our Central System."""
        return self.device.file_servers["AdvertisedHost"] or (
            self.device.listen[0] if self.device.listen else "localhost"
        )

    @property
    def _others(self) -> dict[int, str]:
        """Where a Central System under test is reached with other security profiles."""
        return {**self.device.security.urls}

    def _security_profile(self, case: Case) -> int:
        """The security profile of the connection with which a case begins."""
        if self.device.security.profile is not None:
            return self.device.security.profile
        return case.security_profiles[0] if case.security_profiles else 0

    def _tls(self, speaks_tls: bool) -> dict[str, Any]:
        """What our Central System speaks TLS with."""
        if not speaks_tls:
            return {}
        ca = self.device.security.tls_ca
        roots = [self.pki.central_system_root.certificate, *(read_roots(ca) if ca and self.device.listen else [])]
        return {"credentials": self.pki.server, "client_roots": roots, "host": self._host}

    def _server_certificate(self) -> Credential | None:
        """What our Central System shows to a Charge Point under test, if the user has said so."""
        given = self.device.security
        if given.server_cert is not None and given.server_key is not None:
            return read_credential(given.server_cert, given.server_key)
        return None

    def _own_certificate(self) -> Credential | None:
        """What our Charge Point shows to a Central System under test."""
        given = self.device.security
        if given.client_cert is not None and given.client_key is not None:
            return read_credential(given.client_cert, given.client_key)
        return self.pki.charge_point if self.device.url is not None and given.profile == 3 else None

    def _note_change(self, charge_point: ChargePoint) -> None:
        """A case is about to change what our Charge Point identifies itself with: write it down before it is told."""
        if key := charge_point.security.authorization_key:
            self.credentials.propose(key)
        self.credentials.renew(charge_point.security.credential)

    def _learn_from(self, charge_point: ChargePoint, records: list[Record]) -> None:
        """A case is over: what our Charge Point identifies itself with from now on, as far as that is known."""
        key = charge_point.security.authorization_key
        if key and (charge_point.security.former_authorization_key is None or _is_admitted(records, _changes_key)):
            self.credentials.settle(key)
        is_used = _is_admitted(records, _changes_certificate)
        self.credentials.renew(charge_point.security.credential if is_used else self._former_certificate)
        is_proven = charge_point.memory.former_security_profile is None  # A05.FR.08
        if is_proven and charge_point.security.profile > (self.device.security.profile or 0):
            self._raised = charge_point.security.profile

    @property
    def _away(self) -> float:
        """Seconds between two connections of our Charge Point: nobody boots faster.

        Many a Central System takes a moment to let go of the connection before.
        """
        return self.device.limits.settle_time / 2

    async def _leave(self, charge_point: ChargePoint) -> None:
        """Have our Charge Point leave a Central System under test."""
        await charge_point.stop()
        await asyncio.sleep(self._away)

    async def _knock(self, url: str) -> None:
        """Raises ``ConnectFailed`` if there is no connection, with none of the passwords that may count."""
        failure: ConnectFailed | None = None
        for key in (self.credentials.authorization_key, *self.credentials.others):
            charge_point = self._charge_point(None, None)
            charge_point.network.endpoint = url
            if key is not None:
                charge_point.memory.authorization_key = key.hex()
            try:
                websocket = await charge_point.network.open()
            except ConnectFailed as failed:
                failure = failed  # nobody has to answer a wrong password with HTTP 401
            else:
                await websocket.close()
                await asyncio.sleep(self._away)
                if key is not None:
                    self.credentials.settle(key)
                return
        assert failure is not None
        raise failure

    async def _is_anyone_accepted(self, url: str) -> bool:
        """Whether the Central System accepts an idTag that nobody has told it of."""
        charge_point = self._charge_point(None, None)
        await charge_point.power_on(url)
        try:
            async with asyncio.timeout(self.device.limits.message_timeout):
                await charge_point.wait_accepted()
            conf = await charge_point.request("Authorize", {"idTag": self.device.data["InvalidIdTag"]})
        except (TimeoutError, CallFailed):
            return False  # the cases will say why
        finally:
            await self._leave(charge_point)
        return bool(conf["idTagInfo"]["status"] == "Accepted")

    def _virtual_loop(self) -> VirtualLoop:
        """A loop whose time jumps; the calendar stops with the first one, for all of this process."""
        assert self._frozen is not None
        self._calendar = self._calendar or self._frozen.start()
        return VirtualLoop(self._calendar)

    def _wait(self, work: Coroutine[object, object, Result]) -> Result:
        assert self._loop is not None
        return self._loop.run_until_complete(work)


def _is_admitted(records: list[Record], changes: Callable[[Message], bool]) -> bool:
    """Whether a connection was made since something was changed last, if it was."""
    places = [message.index for message in messages(records) if changes(message)]
    return not places or any(each.is_granted for each in openings(records, places[-1]))


def _changes_key(message: Message) -> bool:
    return message.action == "ChangeConfiguration" and str(message.payload.get("key")).casefold() == "authorizationkey"


def _changes_certificate(message: Message) -> bool:
    return message.action == "CertificateSigned"


def _is_secured(bench: Bench) -> bool:
    """Whether the parties have what the white paper adds to OCPP 1.6."""
    return bench.case.profile == "Security" or bench.security_profile > 0


async def _end_tasks() -> None:
    """Cancel what an interruption has left running."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _stop_what_runs(charge_point: ChargePoint, patience: float) -> None:
    """Stop what still runs, so that the next case of a foreign Central System does not meet an open transaction."""
    with suppress(TimeoutError, CallFailed):
        async with asyncio.timeout(patience):
            await charge_point.restore_connection()
            await charge_point.regain_power()
            while not charge_point.is_online:  # noqa: ASYNC110  # its connection and its registration, in this order
                await asyncio.sleep(0.1)
            await charge_point.restart()  # stops every transaction first, with the reason Reboot
