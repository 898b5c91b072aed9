"""The life of a Charge Point: power, connection, boot, heartbeat, and who does what with a message."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets.exceptions import ConnectionClosed

from ocppj.clock import parse_timestamp, timestamp
from ocppj.connection import ConnectFailed, drop
from ocppj.errors import CallFailed, Disconnected, ErrorCode, Refused
from ocppj.frames import Call, Payload
from ocppj.peer import Peer, Script, Scripted, Silence, fresh_ids
from ocppj.transcript import Transcript
from simulator import (
    charging_session,
    core,
    firmware_management,
    local_auth_list,
    metering,
    remote_trigger,
    reservation,
    security,
    smart_charging,
    transaction,
)
from simulator.authorization import Authorization
from simulator.configuration import HIGHEST, Configuration, Key, core_keys
from simulator.connector import TRANSITIONS, Connector, Event, Locked
from simulator.firmware_management import FirmwareManagement
from simulator.local_auth_list import LocalAuthList
from simulator.memory import Memory, QueuedMessage, StoredTransaction
from simulator.metering import Meter
from simulator.network import Network
from simulator.security import Security

BOOT_TIME = 2.0  # seconds from power to the first attempt to connect, when it is not switched on by hand
OWN_BOOT_INTERVAL = 60.0  # seconds; 4.2: chosen by the Charge Point where the Central System names none
LONGEST_BACK_OFF = 60.0  # seconds between two attempts to connect
GOING_AWAY = 1001
LONGEST_LOG = 1000  # entries; the oldest go first
_LARGEST_CLOCK_OFFSET = timedelta(days=3650)
_CLOCK_IS_SET = timedelta(seconds=5)  # a smaller step is no SettingSystemTime (white paper, chapter 8)

# Feature profile -> the requests of the Central System that belong to it (chapter 3.2).
PROFILES: dict[str, dict[str, core.Handler]] = {
    "Core": core.HANDLERS,
    "FirmwareManagement": firmware_management.HANDLERS,
    "LocalAuthListManagement": local_auth_list.HANDLERS,
    "RemoteTrigger": remote_trigger.HANDLERS,
    "Reservation": reservation.HANDLERS,
    "SmartCharging": smart_charging.HANDLERS,
}

# Feature profile -> its configuration keys beside those of Core (chapter 9).
KEYS: dict[str, list[Key]] = {
    "FirmwareManagement": firmware_management.KEYS,
    "LocalAuthListManagement": local_auth_list.KEYS,
    "Reservation": reservation.KEYS,
    security.NAME: security.KEYS,
    "SmartCharging": smart_charging.KEYS,
}

# The security white paper is no feature profile, but a Charge Point has it or has it not like one of those.
HANDLERS = PROFILES | {security.NAME: security.HANDLERS}

Hook = Callable[[], None]


@dataclass(slots=True)
class _Notice:
    """A StatusNotification.req to be sent when ``after`` queued messages have left the queue."""

    number: int
    told: tuple[str, str]
    payload: Payload
    after: int


class _SilentWhileRejected(Script):
    """4.2: while Rejected, the Charge Point does not respond to any message of the Central System."""

    def __init__(self, charge_point: "ChargePoint") -> None:
        super().__init__()
        self._charge_point = charge_point

    def take(self, action: str) -> Scripted | None:
        scripted = self._charge_point.script.take(action)
        if scripted is None and self._charge_point.registration == "Rejected":
            return Silence()
        return scripted


class ChargePoint:
    """A Charge Point with power, a network, connectors and EV drivers who use them.

    ``connectors`` are numbered from 1, ``whole`` is connector 0. ``message_timeout`` is in seconds. ``backup_power``
    lets it end its transactions before a loss of power takes effect. Without a ``reader`` an EV driver cannot identify
    himself. ``profiles`` are the feature profiles that it supports, Core among them, and Security if it has what the
    white paper adds. ``faults`` collects what must not happen: each is a bug of ours, never something the
    Central System did.
    """

    def __init__(
        self,
        *,
        identity: str = "CP1",
        connectors: int = 1,
        profiles: Sequence[str] = tuple(PROFILES),
        memory: Memory | None = None,
        unique_ids: Iterator[str] | None = None,
        script: Script | None = None,
        transcript: Transcript | None = None,
        fixed_cable: bool = False,
        backup_power: bool = False,
        reader: bool = True,
        message_timeout: float = 30.0,
        vendor: str = "Rehearsal",
        model: str = "Simulator",
        serial_number: str = "SN-0001",
        firmware_version: str = "1.0.0",
    ) -> None:
        self.identity = identity
        self.memory = memory or Memory()
        self.script = script or Script()
        self.transcript = transcript
        self.backup_power = backup_power
        self.has_reader = reader
        self.message_timeout = message_timeout
        self.boot_information: Payload = {
            "chargePointVendor": vendor,
            "chargePointModel": model,
            "chargePointSerialNumber": serial_number,
            "firmwareVersion": self.memory.firmware_version or firmware_version,
        }
        self.faults: list[BaseException] = []
        self.registration: str | None = None  # the status of the latest BootNotification.conf since the boot
        self.has_power = False
        self.profiles = tuple(profiles)
        self.handlers: dict[str, core.Handler] = {
            action: handler for profile in profiles for action, handler in HANDLERS[profile].items()
        }
        if "Reservation" not in profiles:
            self.handlers.update(reservation.WITHOUT)
        feature_profiles = [profile for profile in profiles if profile in PROFILES]
        keys = core_keys(connectors, fixed_cable, message_timeout, feature_profiles)
        keys += [key for profile in profiles for key in KEYS.get(profile, [])]
        self.configuration = Configuration(keys, self.memory)
        self.authorization = Authorization(self)
        self.local_auth_list = LocalAuthList(self.memory, self.configuration, self.now)
        self.authorization.local_sources.insert(0, self.local_auth_list.look_up)  # 3.5.3
        self.handlers.update(local_auth_list.HANDLERS)  # 5.10, 7.47: who has no list says so
        self.firmware_management = FirmwareManagement(self)
        self.security = Security(self)
        self.queue = transaction.Queue(self.memory)
        self.whole = self._connector(0, False)
        self.connectors: Mapping[int, Connector] = {
            number: self._connector(number, fixed_cable) for number in range(1, connectors + 1)
        }
        self._unique_ids = unique_ids or fresh_ids()
        self._clock_offset = timedelta()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._recurring: dict[str, asyncio.Task[None]] = {}
        self._accepted = asyncio.Event()
        self.network = Network(self)
        self._peer: Peer | None = None
        self._reading: asyncio.Task[None] | None = None
        self._boot_at = 0.0  # loop time before which no BootNotification.req is sent
        self._awaits_registration = False  # a BootNotification.req is under way
        self._boot_asked = asyncio.Event()  # whether one was triggered nevertheless (4.2)
        self._resetting = False
        self._reboots = False  # it goes down, and starts again by itself
        self._hooks: list[Hook] = []
        self._notices: list[_Notice] = []
        self._told: dict[int, tuple[str, str]] = {}  # status and errorCode that the Central System has heard
        self._delivers = False
        self._news = asyncio.Event()
        self._nothing_to_deliver = asyncio.Event()
        self._all_told = asyncio.Event()  # online, and no StatusNotification.req is waiting
        if "MessageTimeout" in self.memory.configuration:
            self._use_message_timeout()
        self.configuration.listeners.update(
            {
                "ClockAlignedDataInterval": self._restart_clock_aligned_sampling,
                "HeartbeatInterval": self._restart_heartbeats,
                "MessageTimeout": self._use_message_timeout,
                "MeterValueSampleInterval": self._restart_sampling,
                "WebSocketPingInterval": self._restart_pings,
            }
        )

    def _connector(self, number: int, fixed_cable: bool) -> Connector:
        meter = Meter(number, self.memory)
        return Connector(number, meter, fixed_cable=fixed_cable, on_change=self._status_changed)

    # Power

    async def power_on(self, endpoint: str, others: Mapping[int, str] | None = None) -> None:
        """Switch it on; it connects to the endpoint and boots by itself, as long as it has power. Returns at once.

        ``others``: endpoints for other security profiles.
        """
        if self.has_power:
            await self._go_down(farewell=True)
        self.network.endpoint, self.network.others = endpoint, others or {}
        self._start("PowerLoss", delay=0.0)

    async def lose_power(self) -> None:
        """Cut the power: whatever is not in its memory is gone, and nobody is told."""
        if self.has_power and self.backup_power:
            await self._stop_transactions("PowerLoss")
        self._reboots = False  # also in the middle of a reboot
        await self._go_down(farewell=False)

    async def regain_power(self) -> None:
        """Give it its power back; who reboots has not lost it."""
        if not self.has_power and not self._reboots:
            self._start("PowerLoss", delay=BOOT_TIME)

    async def restart(self) -> None:
        """Reboot on a local reason; transactions are stopped first, with the reason Reboot."""
        if self.has_power:
            await self._stop_transactions("Reboot")
            await self._reboot()

    async def stop(self) -> None:
        """End everything: no task is left and no socket is open."""
        self._reboots = False
        await self._go_down(farewell=True)

    def reset(self, kind: str) -> None:
        """Begin the reset that Reset.req asks for: ``Hard`` or ``Soft`` (5.14)."""
        if not self._resetting:
            self._resetting = True
            self.spawn(self._reset(kind))

    async def _reset(self, kind: str) -> None:
        if kind == "Soft":
            await self._stop_transactions("SoftReset")
        else:  # errata 3.36: the transactions are ended after the restart
            self.memory.restart_reason = "HardReset"
        await self._reboot()

    async def _stop_transactions(self, reason: str) -> None:
        """Stop all transactions and give their messages a chance; what is not confirmed stays queued (5.14)."""
        for connector in self.connectors.values():
            transaction.stop(self, connector, reason)
        try:
            async with asyncio.timeout(self.message_timeout):
                while self._delivers and not self._nothing_to_deliver.is_set():
                    await self._nothing_to_deliver.wait()
        except TimeoutError:
            pass

    async def _reboot(self) -> None:
        self._reboots = True
        await self._go_down(farewell=True)
        if self._reboots:  # nobody has cut the power meanwhile
            self._start("Reboot", delay=BOOT_TIME)

    def _start(self, reason: str, delay: float) -> None:
        self.has_power = True
        self._resetting = self._reboots = False
        reason, self.memory.restart_reason = self.memory.restart_reason or reason, None
        self.note(f"start after {reason}")
        self.security.power_up(reason)
        used = [number for number, connector in self.connectors.items() if connector.is_occupied]
        self.memory.used_cables[:] = [number for number in self.memory.used_cables if number in used]
        transaction.stop_interrupted(self, reason)
        for connector in (self.whole, *self.connectors.values()):
            self._start_connector(connector)
        reservation.resume(self)
        self._boot_at = 0.0
        self.queue.retry_at = 0.0
        self._restart_clock_aligned_sampling()
        self.firmware_management.power_up()
        self.spawn(self._stay_connected(delay))

    def _start_connector(self, connector: Connector) -> None:
        connector.unlock()
        connector.begin_interval("Sample.Clock")
        if not self.is_operative(connector):  # 4.9, 5.2: persistent
            connector.happens(Event.WITHDRAWN)
        elif connector.is_occupied:
            charging_session.prepare(self, connector)
            if connector.number in self.memory.used_cables:
                connector.timed_out = False
                connector.happens(Event.TIMED_OUT)  # the transaction that used this cable is over

    async def _go_down(self, *, farewell: bool) -> None:
        self.has_power = False
        self.registration = None
        self._accepted.clear()
        self._delivers = False
        self._all_told.clear()
        mine = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._close(farewell)
        self._recurring.clear()
        self._notices.clear()
        self._told.clear()
        self._hooks.clear()
        self.firmware_management.power_down()
        self.security.power_down()
        for connector in (self.whole, *self.connectors.values()):
            connector.power_down()
            connector.forget()

    async def _close(self, farewell: bool) -> None:
        peer, self._peer = self._peer, None
        reading, self._reading = self._reading, None
        if peer is None:
            return
        try:
            if farewell:
                await peer.close(GOING_AWAY)
        finally:
            await drop(peer.websocket)
        if reading is not None:
            await asyncio.wait({reading})

    # Network

    async def lose_connection(self) -> None:
        """Take the network away: the socket is dropped, and no connection can be made until it is restored."""
        self.network.lose()
        if self._peer is not None:
            await drop(self._peer.websocket)

    async def restore_connection(self) -> None:
        """Bring the network back."""
        self.network.restore()

    def reconnect(self) -> None:
        """Close the connection and make another."""
        if self._peer is not None:
            self.spawn(self._peer.close(GOING_AWAY))

    @property
    def is_connected(self) -> bool:
        """Whether a WebSocket is open."""
        return self._peer is not None and self._peer.is_open

    @property
    def is_accepted(self) -> bool:
        """Whether the Central System has accepted it since it booted."""
        return self.registration == "Accepted"

    @property
    def may_be_triggered(self) -> bool:
        """Whether it may send more than BootNotification.req, were it only because it was asked to (4.2)."""
        return self.registration in ("Accepted", "Pending") and not self._awaits_registration

    async def wait_accepted(self) -> None:
        """Wait until the Central System has accepted it since it booted."""
        await self._accepted.wait()

    @property
    def is_online(self) -> bool:
        """Whether it may send requests of its own: connected and accepted (3.5, 4.2)."""
        return self.is_connected and self.is_accepted

    async def _stay_connected(self, delay: float) -> None:
        await asyncio.sleep(delay)
        failures = 0
        while True:
            await self.network.wait()
            if await self._one_connection():
                failures = 0
            if self.network.is_there:
                # OCPP-J errata 3.4: an appropriate back-off, also when the Central System hangs up.
                await asyncio.sleep(min(2.0**failures, LONGEST_BACK_OFF))
                failures += 1

    async def _one_connection(self) -> bool:
        """Connect and stay connected as long as possible. Whether the Central System was of use."""
        try:
            websocket = await self.network.open()
        except ConnectFailed:
            return False
        if not self.network.is_there:
            await drop(websocket)
            return False
        peer = Peer(
            websocket,
            party="Charge Point",
            identity=self.identity,
            handle=self._handle,
            unique_ids=self._unique_ids,
            script=_SilentWhileRejected(self),
            transcript=self.transcript,
            after_answer=self._after_answer,
            on_fault=self.faults.append,
            message_timeout=self.message_timeout,
        )
        self._hooks.clear()
        self._peer = peer
        self._reading = asyncio.create_task(peer.run())
        self._reading.add_done_callback(self._note_fault)
        talking = self.spawn(self._talk(peer))
        self._restart_pings()
        await asyncio.wait({self._reading})
        talking.cancel()
        self._delivers = False
        self._all_told.clear()
        self._notices.clear()  # what was not delivered is told again on the next connection
        self._peer = None
        return self.is_accepted

    async def _talk(self, peer: Peer) -> None:
        try:
            await self._boot(peer)
            # Errata 3.22 after a boot, 4.9 after a mere reconnection: OCPP-J 5.4 wants no BootNotification.req then.
            everyone = [self.whole, *self.connectors.values()]
            if self._told:  # 4.9: in the order in which it happened
                everyone.sort(key=lambda connector: connector.changed_at)
            for connector in everyone:
                if self._told.get(connector.number) != _to_tell(connector):
                    self._notices.append(self._notice(connector, 0))
            await self._deliver(peer)
        except Disconnected:
            pass

    # Boot

    async def _boot(self, peer: Peer) -> None:
        """Send BootNotification.req until it is Accepted (4.2). Raises ``Disconnected``."""
        loop = asyncio.get_running_loop()
        while not self.is_accepted:
            await self._wait_to_boot(max(0.0, self._boot_at - loop.time()))
            self._awaits_registration = True
            try:
                conf = await peer.call("BootNotification", self.boot_information)
            except Disconnected:
                raise
            except CallFailed:
                self._boot_at = loop.time() + OWN_BOOT_INTERVAL
            else:
                self._registered(conf, loop.time())
            finally:
                self._awaits_registration = False

    async def _wait_to_boot(self, delay: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._boot_asked.wait()
        self._boot_asked.clear()

    def boot_now(self) -> None:
        """Send BootNotification.req without waiting any longer, unless it is accepted."""
        self._boot_asked.set()

    def _registered(self, conf: Payload, at: float) -> None:
        interval = min(conf["interval"], HIGHEST)
        self.registration = conf["status"]
        self.note(f"registration {self.registration}")
        self._set_clock(conf["currentTime"])
        if self.is_accepted:
            self._accepted.set()
            self.memory.accepted_by = self.network.endpoint
            self.configuration.set("HeartbeatInterval", str(interval))
        else:
            self._boot_at = at + (interval or OWN_BOOT_INTERVAL)

    def _set_clock(self, current_time: str) -> None:
        """Follow the clock of the Central System (4.2, 4.6), unless the difference is only that of the way."""
        try:
            offset = parse_timestamp(current_time) - datetime.now(UTC)
        except (OverflowError, ValueError):
            return  # a leap second, or a time that no clock can show
        step = abs(offset - self._clock_offset)
        if timedelta(seconds=1) < step and abs(offset) < _LARGEST_CLOCK_OFFSET:
            self._clock_offset = offset if abs(offset) > timedelta(seconds=1) else timedelta()
            if step > _CLOCK_IS_SET:
                self.security.happened("SettingSystemTime")
            self.follow_limits()

    def now(self) -> datetime:
        """The time by its own clock."""
        return datetime.now(UTC) + self._clock_offset

    def timestamp(self, moment: datetime | None = None) -> str:
        """An instant by its own clock (now, if none is given) as OCPP writes it."""
        return timestamp(moment or self.now())

    def note(self, text: str) -> None:
        """Keep in mind for the diagnostics what has happened (5.9)."""
        self.memory.log.append({"timestamp": self.timestamp(), "text": text})
        del self.memory.log[:-LONGEST_LOG]

    # What recurs

    def _recur(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if running := self._recurring.get(name):
            running.cancel()
        self._recurring[name] = self.spawn(work)

    def _restart_heartbeats(self) -> None:
        if self.is_accepted:
            self._recur("heartbeat", self._heartbeats(self.configuration.number("HeartbeatInterval")))

    async def _heartbeats(self, interval: int) -> None:
        # 9.1.10 and 4.6 allow to skip a Heartbeat.req after another message; with a fixed period the Central System
        # sees the interval that it set.
        if not interval:
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + interval
        beat: asyncio.Task[None] | None = None
        while True:
            await asyncio.sleep(due - loop.time())
            due += interval
            if self.is_online and (beat is None or beat.done()):
                beat = self.spawn(self._heartbeat())

    def beat(self) -> None:
        """Send a Heartbeat.req beside the recurring ones."""
        self.spawn(self._heartbeat())

    async def _heartbeat(self) -> None:
        try:
            conf = await self.request("Heartbeat", {})
        except CallFailed:
            return  # the next one follows anyway
        self._set_clock(conf["currentTime"])

    def _restart_clock_aligned_sampling(self) -> None:
        if self.has_power:
            self._recur("clock-aligned", metering.sample_by_the_clock(self))

    def _restart_sampling(self) -> None:
        for connector in self.connectors.values():
            transaction.restart_sampling(self, connector)

    def follow_limits(self) -> None:
        """Let every EV take what the charging profiles allow from now on, as time passes (3.13)."""
        smart_charging.adjust(self)
        self._recur("limits", smart_charging.keep_adjusted(self))

    def _restart_pings(self) -> None:
        if self._peer is not None:
            self._recur("pings", self._ping(self._peer, self.configuration.number("WebSocketPingInterval")))

    async def _ping(self, peer: Peer, interval: int) -> None:
        """OCPP-J errata 3.11: pings find a half-open connection. One without a pong is dropped."""
        if not interval:
            return
        try:
            while True:
                await asyncio.sleep(interval)
                pong = await peer.websocket.ping()
                async with asyncio.timeout(interval):
                    await pong
        except TimeoutError:
            await drop(peer.websocket)
        except ConnectionClosed:
            pass

    def _use_message_timeout(self) -> None:
        self.message_timeout = float(self.configuration.number("MessageTimeout"))
        if self._peer is not None:
            self._peer.message_timeout = self.message_timeout

    # Messages

    async def request(self, action: str, payload: Payload, *, wrong: bool = False) -> Payload:
        """Send any request now and return its .conf. Raises a kind of ``CallFailed``.

        ``wrong``: it may break the rules.
        """
        if self._peer is None:
            raise Disconnected("the Charge Point has no connection to the Central System")
        conf = await self._peer.call(action, payload, wrong=wrong)
        if action == "Authorize" and not wrong:  # 3.5.1: every IdTagInfo that is received
            self.authorization.learn(payload["idTag"], conf["idTagInfo"])
        return conf

    async def _handle(self, call: Call) -> Payload:
        self.note(f"{call.action}.req came")
        handler = self.handlers.get(call.action)
        if handler is None:
            raise Refused(ErrorCode.NOT_SUPPORTED, f"{call.action} is not supported")
        return handler(self, call.payload)

    def afterwards(self, hook: Hook) -> None:
        """Do this when the answer to the CALL that is being handled has been sent."""
        self._hooks.append(hook)

    def _after_answer(self) -> None:
        hooks, self._hooks = self._hooks, []
        for hook in hooks:
            try:
                hook()
            except Exception as bug:
                self.faults.append(bug)

    def queue_message(self, action: str, payload: Payload, stored: StoredTransaction | None) -> None:
        """Queue a transaction-related message (3.7)."""
        self.queue.add(action, payload, stored)
        self._tell_deliverer()

    def queue_meter_values(self, payload: Payload, stored: StoredTransaction | None) -> None:
        """Queue MeterValues.req; without a transaction only while it can be delivered."""
        if stored or self.is_online:
            self.queue_message("MeterValues", payload, stored)

    def _tell_deliverer(self) -> None:
        self._nothing_to_deliver.clear()
        if self._notices:
            self._all_told.clear()
        self._news.set()

    def deliver_events(self) -> None:
        """Tell the Central System of the security events that wait, as soon as it may be told (4.2)."""
        self._news.set()

    async def wait_told(self) -> None:
        """Wait until it is online and the Central System has heard of every status."""
        await self._all_told.wait()

    async def _deliver(self, peer: Peer) -> None:
        """Send what there is to send, in the order in which it happened. Raises ``Disconnected``."""
        self._delivers = True
        while True:
            self._news.clear()
            await self.security.deliver(peer.call)
            if not self._notices:
                self._all_told.set()
            message = self.queue.first if self.queue.retry_at <= asyncio.get_running_loop().time() else None
            if self._notices and (message is None or self._notices[0].after <= self.queue.done):
                await self._send_notice(peer, self._notices[0])
            elif message is not None:
                await self._send_queued(peer, message)
            else:
                await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        if not self.queue:
            self._nothing_to_deliver.set()
            await self._news.wait()
            return
        try:
            async with asyncio.timeout_at(self.queue.retry_at):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _send_notice(self, peer: Peer, notice: _Notice) -> None:
        try:
            await peer.call("StatusNotification", notice.payload)
        except Disconnected:
            raise
        except CallFailed:
            pass  # 3.7.1 knows retries for transaction-related messages only
        self._told[notice.number] = notice.told
        if notice in self._notices:
            self._notices.remove(notice)

    async def _send_queued(self, peer: Peer, message: QueuedMessage) -> None:
        configuration = self.configuration
        try:
            conf = await peer.call(message["action"], transaction.wire_payload(self.memory, message))
        except Disconnected:
            raise  # no failure to process the message: it stays where it is
        except CallFailed:
            attempts = configuration.number("TransactionMessageAttempts")
            if self.queue.has_failed(attempts, configuration.number("TransactionMessageRetryInterval")):
                self.queue.remove_first()
                transaction.given_up(self, message)
        else:
            self.queue.remove_first()
            transaction.confirmed(self, message, conf)

    # Status

    def _status_changed(self, connector: Connector) -> None:
        connector.changed_at = self.timestamp()
        self.note(f"connector {connector.number} is {connector.status}")
        self.firmware_management.usage_changed()
        if self._delivers:
            self._tell_change(connector)
        if self.has_power:
            reservation.follow(self, connector)

    def _tell_change(self, connector: Connector) -> None:
        duration = self.configuration.number("MinimumStatusDuration")
        if duration:
            self._recur(f"status of {connector.number}", self._tell_later(connector, duration))
        else:
            self._tell(connector)

    async def _tell_later(self, connector: Connector, duration: int) -> None:
        # 4.9: what was active for less than MinimumStatusDuration is not told.
        notice = self._notice(connector, 0)
        await asyncio.sleep(duration)
        waiting = [waiting.told for waiting in self._notices if waiting.number == connector.number]
        heard = waiting[-1] if waiting else self._told.get(connector.number)
        if self._delivers and notice.told != heard:
            notice.after = self.queue.total
            self._notices.append(notice)
            self._tell_deliverer()

    def _tell(self, connector: Connector) -> None:
        self._notices.append(self._notice(connector, self.queue.total))
        self._tell_deliverer()

    def tell_again(self, connector: Connector) -> None:
        """Send StatusNotification.req though nothing has changed, behind the changes that are still to be told."""
        self._notices.append(self._notice(connector, 0))
        self._tell_deliverer()

    def tell_error(self, connector: Connector, error_code: str) -> None:
        """Report an errorCode that leaves the status as it is, if anybody listens (7.6)."""
        if self._delivers:
            notice = self._notice(connector, self.queue.total)
            notice.payload |= {"errorCode": error_code, "timestamp": self.timestamp()}
            self._notices.append(notice)
            self._tell_deliverer()

    def _notice(self, connector: Connector, after: int) -> _Notice:
        return _Notice(connector.number, _to_tell(connector), self.report(connector), after)

    def report(self, connector: Connector) -> Payload:
        """StatusNotification.req about the present status of a connector."""
        payload: Payload = {
            "connectorId": connector.number,
            "errorCode": connector.error_code,
            "status": connector.status,
            "timestamp": connector.changed_at or self.timestamp(),
        }
        if connector.info:
            payload["info"] = connector.info
        return payload

    def is_operative(self, connector: Connector) -> bool:
        """Whether this connector is to be used: as the Central System wants (5.2), and no firmware waits (5.19)."""
        if self.firmware_management.holds_connectors:
            return False
        return self.memory.availability.get(str(connector.number)) != "Inoperative"

    def settle_availability(self) -> None:
        """Bring every status in line with the availability that the Central System wants, where nobody charges."""
        charging = any(connector.transaction for connector in self.connectors.values())
        for connector in (self.whole, *self.connectors.values()):
            operative = self.is_operative(connector)
            is_free = connector.beneath in ("Available", "Reserved")
            if not operative and is_free and not (connector is self.whole and charging):
                connector.happens(Event.WITHDRAWN)
            elif operative and connector.beneath == "Unavailable":
                if connector.is_occupied:
                    charging_session.prepare(self, connector)  # H2
                else:
                    connector.happens(Event.ADMITTED)

    def end_usage(self, connector: Connector, info: str | None = None) -> None:
        """Nobody uses the connector any more: it becomes available, or unavailable if that was scheduled."""
        if not self.is_operative(connector) and Event.WITHDRAWN in TRANSITIONS[connector.beneath]:
            connector.happens(Event.WITHDRAWN, info)
            return
        connector.happens(Event.USAGE_ENDS, info)
        self.settle_availability()

    def lift_reservation(self, connector: Connector) -> None:
        """Nobody has the connector reserved any more (G1, G8); a cable that was put in meanwhile begins usage (A2)."""
        self.end_usage(connector)
        charging_session.plugged(self, connector)

    # Hands at the Charge Point

    async def plug_in(self, connector: int = 1) -> None:
        """Put the cable in at both sides; with a fixed cable, into the EV."""
        it = self.connectors[connector]
        was_connected, it.cable_in = it.is_connected, True
        if not was_connected:
            self._ev_arrives(it)

    async def plug_in_ev_side(self, connector: int = 1) -> None:
        """Put the cable into the EV."""
        self._ev_arrives(self.connectors[connector])

    def _ev_arrives(self, connector: Connector) -> None:
        if not connector.ev_in:
            connector.ev_in = True
            connector.ev_takes_energy = True
            connector.register_on_arrival = connector.meter.register
        if self.has_power:
            charging_session.plugged(self, connector)

    async def unplug(self, connector: int = 1) -> None:
        """Take the cable out at both sides; a fixed one, out of the EV. Raises ``Locked`` while the lock holds."""
        it = self.connectors[connector]
        if it.fixed_cable:
            await self.unplug_ev_side(connector)
            return
        if it.locked:
            raise Locked(f"the cable is locked in connector {connector}")
        it.ev_in = False
        it.cable_in = False
        if self.has_power:
            charging_session.unplugged(self, it)

    async def unplug_ev_side(self, connector: int = 1) -> None:
        """Take the cable out of the EV."""
        it = self.connectors[connector]
        it.ev_in = False
        if self.has_power:
            charging_session.unplugged_at_ev(self, it)

    async def present(self, id_tag: str, connector: int | None = None) -> None:
        """Present an idTag at a connector, or at the reader for all of them. Returns at once."""
        if self.has_power and self.has_reader and self._serves:
            self.spawn(charging_session.presented(self, id_tag, connector))

    @property
    def _serves(self) -> bool:
        """4.2.1: who was never accepted at this endpoint, or is not accepted now, denies all charging services."""
        if self.registration is None:
            return self.memory.accepted_by == self.network.endpoint
        return self.is_accepted

    async def ev_stops_taking_energy(self, connector: int = 1) -> None:
        """The EV stops taking energy, its cable stays in (SuspendedEV)."""
        self._let_ev_take(self.connectors[connector], False)

    async def ev_takes_energy(self, connector: int = 1) -> None:
        """The EV takes energy again."""
        self._let_ev_take(self.connectors[connector], True)

    def _let_ev_take(self, connector: Connector, takes: bool) -> None:
        connector.ev_takes_energy = takes
        if connector.transaction:
            connector.adjust_energy()

    async def fail(self, connector: int, error_code: str = "OtherError") -> None:
        """Break a connector, or with 0 the whole Charge Point; ``error_code`` is a ChargePointErrorCode (7.6)."""
        for it in self._concerned(connector):
            it.break_down(error_code)

    async def repair(self, connector: int) -> None:
        """Repair a connector, or with 0 the whole Charge Point."""
        for it in self._concerned(connector):
            it.repair()

    def _concerned(self, connector: int) -> list[Connector]:
        return [self.connectors[connector]] if connector else [self.whole, *self.connectors.values()]

    # Tasks

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something as long as there is power. What it raises is a fault."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._note_fault)
        return task

    def _note_fault(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.faults.append(fault)


def _to_tell(connector: Connector) -> tuple[str, str]:
    return connector.status, connector.error_code
