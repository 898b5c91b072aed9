"""``rehearse measure``: how long a device takes to answer, in real time, by asking it many times what changes nothing.

The times are read off the transcripts of our end, as those of test cases are; only their instants are finer.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from secrets import token_bytes
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from bench.command_line import app, reach
from bench.credentials import Credentials
from bench.device import BadSetting, Device
from bench.run import Run
from bench.settings import Told, with_options
from bench.terminal import ABORTED, INCONCLUSIVE, console, unusable
from ocppj.clock import timestamp
from ocppj.errors import CallFailed
from ocppj.frames import Payload
from ocppj.transcript import Party, Record, Transcript
from reference_csms.central_system import CentralSystem
from reports.reading import BadResults, read_results
from reports.texts import shown
from reports.times import Times, of_transcript
from reports.timing import FILE, ROLES, Session, short
from simulator.charge_point import ChargePoint

# Seconds in which a Charge Point that has booted reports its connectors, so that nobody else is on the wire.
QUIET = 1.0
NOT_SUPPORTED = ("NotImplemented", "NotSupported")


@dataclass(frozen=True)
class RoundTrip:
    """A request that can be sent again and again.

    ``judged``: who answers it. ``count``: how often, if nobody says. ``triggers``: the request of the Charge Point that
    is waited for after the answer.
    """

    action: str
    judged: Party
    payload: Callable[[Device], Payload]
    count: int = 20
    triggers: str | None = None
    only_when_named: bool = False


def _nothing(_: Device) -> Payload:
    return {}


def _to_nobody(_: Device) -> Payload:
    return {"vendorId": "ocpp-rehearsal", "messageId": "measure"}


ROUND_TRIPS = (
    RoundTrip("Authorize", "Central System", lambda device: {"idTag": id_tag(device)}, count=200),
    RoundTrip("Heartbeat", "Central System", _nothing),
    RoundTrip("DataTransfer", "Central System", _to_nobody),
    RoundTrip(
        *("StatusNotification", "Central System"),
        lambda _: {"connectorId": 0, "errorCode": "NoError", "status": "Available", "timestamp": timestamp()},
        only_when_named=True,
    ),
    RoundTrip(
        *("MeterValues", "Central System"),
        lambda _: {"connectorId": 0, "meterValue": [{"timestamp": timestamp(), "sampledValue": [{"value": "0"}]}]},
        only_when_named=True,
    ),
    RoundTrip("GetConfiguration", "Charge Point", lambda _: {"key": ["HeartbeatInterval"]}),
    RoundTrip("GetLocalListVersion", "Charge Point", _nothing),
    RoundTrip("DataTransfer", "Charge Point", _to_nobody),
    RoundTrip("TriggerMessage", "Charge Point", lambda _: {"requestedMessage": "Heartbeat"}, triggers="Heartbeat"),
    RoundTrip(
        *("ChangeConfiguration", "Charge Point"),
        lambda device: {"key": "HeartbeatInterval", "value": device.data["HeartbeatInterval"]},
        only_when_named=True,
    ),
    RoundTrip(
        *("ChangeAvailability", "Charge Point"),
        lambda device: {"connectorId": int(device.data["ConnectorId"]), "type": "Operative"},
        only_when_named=True,
    ),
    RoundTrip("ClearCache", "Charge Point", _nothing, only_when_named=True),
    RoundTrip(
        *("GetCompositeSchedule", "Charge Point"),
        lambda device: {"connectorId": int(device.data["ConnectorId"]), "duration": 300},
        only_when_named=True,
    ),
)


def id_tag(device: Device) -> str:
    """The idTag that is asked for: one that the Central System knows, if we have been told one."""
    return device.data.get("ValidIdTag", device.data["InvalidIdTag"])


class NotThere(Exception):
    """The device does not have what was asked of it."""


@dataclass
class Seats:
    """Who can be asked: for each party that answers, how it is asked, and the transcript of that wire at our end."""

    ask: dict[Party, Callable[[str, Payload], Awaitable[Payload]]] = field(default_factory=dict)
    transcripts: dict[Party, Transcript] = field(default_factory=dict)

    def sit(self, judged: Party, ask: Callable[[str, Payload], Awaitable[Payload]], transcript: Transcript) -> None:
        """Let a party be asked."""
        transcript.listeners.append(_tell_microseconds)
        self.ask[judged], self.transcripts[judged] = ask, transcript


def _tell_microseconds(record: Record) -> None:
    # A transcript tells milliseconds, as OCPP does (3.15); two parties in one process answer each other in less.
    record["timestamp"] = datetime.now(UTC).isoformat(timespec="microseconds")


@dataclass
class Measuring:
    """What has been measured so far, and what could not be: ``failed`` if it was not for want of the function."""

    device: Device
    times: list[Times] = field(default_factory=list)
    not_measured: list[str] = field(default_factory=list)
    failed: bool = False

    async def measure(self, seats: Seats, trips: Mapping[RoundTrip, int], done: Callable[[], None]) -> None:
        """Make each round trip so often, one after the other; ``done`` is called after each."""
        for trip, count in trips.items():
            transcript = seats.transcripts[trip.judged]
            transcript.cut()
            complete = 0  # records up to here are of rounds that came to their end
            try:
                for _ in range(count):
                    await self._round(trip, seats)
                    complete = len(transcript.records)
                    done()
            except (NotThere, CallFailed) as why:
                is_there = not isinstance(why, NotThere) and getattr(why, "code", "") not in NOT_SUPPORTED
                self.failed |= is_there
                self.not_measured.append(shown(f"{trip.action} of the {trip.judged}: {why or type(why).__name__}", 300))
            found = of_transcript(transcript.records[:complete], trip.judged)
            self.times += [each for each in found if each.kind in ("response", "effect") and each.action == trip.action]

    async def _round(self, trip: RoundTrip, seats: Seats) -> None:
        transcript = seats.transcripts[trip.judged]
        start = len(transcript.records)
        conf = await seats.ask[trip.judged](trip.action, trip.payload(self.device))
        if trip.triggers is None:
            return
        if conf["status"] != "Accepted":
            raise NotThere(f"answered {conf['status']}")
        limit = self.device.limits.message_timeout
        if not await _comes(trip.triggers, transcript, start, limit):
            raise CallFailed(f"no {trip.triggers}.req came in {limit:g} s")

    def session(self, started: str) -> Session:
        """What is written of it."""
        profile = self.device.security.profile or 0
        how = f"one request after the other over one connection with security profile {profile}"
        if any(each.action == "Authorize" for each in self.times):
            how += f", Authorize with idTag {id_tag(self.device)}"
        return Session(
            tool="ocpp-rehearsal",
            version=version("ocpp-rehearsal"),
            started=started,
            ended=_now(),
            how=f"{how}.",
            device=self.device.describe(),
            measurements=(*self.times,),
            not_measured=(*self.not_measured,),
        )


async def _comes(action: str, transcript: Transcript, start: int, limit: float) -> bool:
    """Whether a request of the Charge Point comes, or has come since a place of the transcript."""
    came = asyncio.Event()

    def hear(record: Record) -> None:
        if record.get("messageType") == "CALL" and record.get("action") == action:
            came.set()

    transcript.listeners.append(hear)
    for record in transcript.records[start:]:
        hear(record)
    try:
        async with asyncio.timeout(limit):
            await came.wait()
    except TimeoutError:
        return False
    finally:
        transcript.listeners.remove(hear)
    return True


# Who sits there


async def measure_device(
    run: Run, measuring: Measuring, trips: Mapping[RoundTrip, int], done: Callable[[], None] = lambda: None
) -> None:
    """Seat whoever is needed, and measure. Raises ``BadSetting`` if the parties do not come together."""
    async with _seated(run) as seats:
        await asyncio.sleep(QUIET)
        await measuring.measure(seats, trips, done)


@asynccontextmanager
async def _seated(run: Run) -> AsyncIterator[Seats]:
    seats = Seats()
    if run.device.listen is not None:
        under_test = run._charge_point_under_test
        assert under_test is not None
        if not under_test.is_connected:
            raise BadSetting(f"{run.device.identity} has not connected: nothing is measured")
        await _registration(run, under_test.central_system)
        _sit_charge_point(seats, run, under_test.central_system)
        yield seats
    elif run.device.url is not None:
        async with _our_charge_point(seats, run, run.device.url):
            yield seats
    else:
        async with _our_central_system(run) as central_system:
            is_secure = (run.device.security.profile or 0) > 1
            endpoint = central_system.secure_endpoint if is_secure else central_system.endpoint
            async with _our_charge_point(seats, run, endpoint):
                _sit_charge_point(seats, run, central_system)
                yield seats


def _sit_charge_point(seats: Seats, run: Run, central_system: CentralSystem) -> None:
    def ask(action: str, payload: Payload) -> Awaitable[Payload]:
        return central_system.request(run.device.identity, action, payload)

    assert central_system.transcript is not None
    seats.sit("Charge Point", ask, central_system.transcript)


@asynccontextmanager
async def _our_charge_point(seats: Seats, run: Run, endpoint: str) -> AsyncIterator[ChargePoint]:
    transcript = Transcript()
    charge_point = run._charge_point(None, transcript)
    seats.sit("Central System", charge_point.request, transcript)
    limit = run.device.limits.long_operation_timeout
    await charge_point.power_on(endpoint)
    try:
        async with asyncio.timeout(limit):
            await charge_point.wait_accepted()
    except TimeoutError:
        await charge_point.stop()
        raise BadSetting(f"the Central System did not accept {run.device.identity} in {limit:g} s") from None
    try:
        yield charge_point
    finally:
        await charge_point.stop()


@asynccontextmanager
async def _our_central_system(run: Run) -> AsyncIterator[CentralSystem]:
    """Our own in real time, as a self-rehearsal has it in virtual time."""
    profile = run.device.security.profile or 0
    key = (run.device.security.password or token_bytes(20)) if profile in (1, 2) else None
    run.credentials = Credentials(run.device, run.pki.charge_point if profile == 3 else None)
    if key is not None:
        run.credentials.settle(key)
    central_system = CentralSystem(
        run._store(profile, key, secured=profile > 0), transcript=Transcript(), **run._tls(profile > 0)
    )
    await central_system.start()
    try:
        yield central_system
    finally:
        await central_system.stop()


async def _registration(run: Run, central_system: CentralSystem) -> None:
    """Wait until the Charge Point under test is accepted; on a mere reconnection it does not boot (OCPP-J 5.4)."""
    known = central_system.store.of(run.device.identity).charge_point
    with suppress(TimeoutError):
        async with asyncio.timeout(run.device.limits.message_timeout):
            while not known.accepted:  # noqa: ASYNC110  # whoever answers its BootNotification.req tells nobody
                await asyncio.sleep(0.1)
    known.accepted = True


# The command


@app.command()
@with_options
def measure(
    told: Told,
    actions: Annotated[
        list[str] | None,
        typer.Option(help="Only these actions, e.g. Authorize,MeterValues. Repeatable."),
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="How often each is sent: 20 times, Authorize 200 times.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the measurements go.")] = Path("rehearsal-results"),
) -> None:
    """Measure how long a device takes to answer, in real time. Without --csms or --listen our own two parties."""
    device = told.read().device
    trips = _trips(device, actions or [], count)
    measuring, started = Measuring(device), _now()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _make_room(out)
    is_interrupted = False
    try:
        _measure(measuring, trips)
    except BadSetting as error:
        unusable(str(error))
    except KeyboardInterrupt:
        is_interrupted = True
    _leave(measuring.session(started), out)
    if is_interrupted:
        console.print("Interrupted: what is missing was not measured.", style="yellow")
        raise typer.Exit(ABORTED)
    if measuring.failed or not measuring.times:
        raise typer.Exit(INCONCLUSIVE)


def _measure(measuring: Measuring, trips: Mapping[RoundTrip, int]) -> None:
    device = measuring.device
    run = Run(device)
    try:
        if device.is_external:
            reach(run)
        # It is drawn between two round trips, and not by a thread beside them.
        with Progress(console=console, transient=True, auto_refresh=False, disable=not console.is_terminal) as progress:
            task = progress.add_task("Round trips", total=sum(trips.values()))
            work = measure_device(run, measuring, trips, lambda: progress.update(task, advance=1, refresh=True))
            if device.is_external:
                run._wait(work)
            else:
                asyncio.run(work)
    finally:
        run.close()


def _trips(device: Device, actions: Sequence[str], count: int | None) -> dict[RoundTrip, int]:
    """What is to be sent how often to whoever is measured."""
    judged = [party for party, role in ROLES.items() if role in device.roles]
    possible = [trip for trip in ROUND_TRIPS if trip.judged in judged]
    names = {trip.action.casefold() for trip in possible}
    wanted = [name.strip() for each in actions for name in each.split(",")]
    if strange := [name for name in wanted if name.casefold() not in names]:
        known = ", ".join(sorted({trip.action for trip in possible}))
        unusable(f"--actions {strange[0]} is none of {known}")
    named = {name.casefold() for name in wanted}
    chosen = [trip for trip in possible if trip.action.casefold() in named or not (named or trip.only_when_named)]
    return {trip: count or trip.count for trip in chosen}


def _make_room(out: Path) -> None:
    """Find out before anything is measured whether it can be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        unusable(f"the measurements cannot be written to {out}: {error.strerror}")


def _leave(session: Session, out: Path) -> None:
    table = Table("action", "answered by", "times", "shortest", "median", "p95", "longest", box=None, pad_edge=False)
    for each in session.measurements:
        figures = map(short, (each.shortest, each.median, each.p95, each.longest))
        table.add_row(each.name, each.party, str(each.count), *figures)
    for line in session.not_measured:
        console.print(f"Not measured: {line}", style="yellow", markup=False, soft_wrap=True)
    if not session.measurements:
        return
    console.print(table)
    try:
        session.write(out)
    except OSError as error:
        unusable(f"the measurements cannot be written to {out}: {error.strerror}")
    console.print(f"Measurements: {out / FILE}", markup=False, soft_wrap=True)
    with suppress(BadResults):
        if not session.is_of(read_results(out)):
            text = f"{out / 'results.json'} is of another device: its report leaves these measurements out."
            console.print(text, style="yellow", markup=False, soft_wrap=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
