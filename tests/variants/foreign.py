"""A device of somebody else, played by our own simulator or reference Central System behind the bench of real devices.

The run is the one of ``rehearse --listen`` or ``--url``, except that time jumps: device and bench share a loop. What
the device sends goes through a ``Change``, which may alter, drop, double, delay or reorder it.
"""

import asyncio
import gc
import json
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import pytest

from bench.cases import Case
from bench.device import Device, Security, device
from bench.operators import Operator, Outcome, Request
from bench.pki import ORGANIZATION, Pki
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from ocppj.certificates import pem
from ocppj.clock import Calendar, VirtualLoop
from ocppj.connection import drop
from ocppj.errors import CallFailed
from ocppj.frames import CALL, CALLERROR, CALLRESULT, Call, Payload
from ocppj.peer import Peer, counted_ids
from ocppj.transcript import Party
from reference_csms import security
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store
from reports.results import CaseResult, Results
from simulator.charge_point import PROFILES, ChargePoint
from simulator.connector import Locked
from simulator.memory import Memory
from tests import basic_cases

ID_TAGS = {
    "ValidIdTag": "VALID-7F3A91",
    "ValidIdTag2": "VALID-B2E480",
    "ParentIdTag": "GROUP-51C7",
    "ExpiredIdTag": "EXPIRED-2B61",
    "BlockedIdTag": "BLOCKED-9D04",
}

PASSWORD = bytes(range(0x30, 0x44))  # the AuthorizationKey that both sides were given
SERIAL_NUMBER = "SN-0001"
HOST = "127.0.0.1"

_ids = counted_ids("foreign")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a device is about to send. ``action``: for an answer, that of the CALL it belongs to."""

    action: str
    message: list[Any]

    @property
    def is_call(self) -> bool:
        return bool(self.message[0] == CALL)

    @property
    def payload(self) -> Payload:
        """Of a CALL or a CALLRESULT; empty for a CALLERROR."""
        return {} if self.message[0] == CALLERROR else self.message[-1] or {}

    def requests(self, action: str, **fields: object) -> bool:
        """Whether it is a CALL of an action, with these fields."""
        return self.is_call and self.action == action and fields.items() <= self.payload.items()

    def answers(self, *actions: str) -> bool:
        """Whether it is the CALLRESULT of one of these actions; of any if none is named."""
        return bool(self.message[0] == CALLRESULT) and (not actions or self.action in actions)

    def holding(self, payload: object) -> "Frame":
        """The same with another payload."""
        return Frame(self.action, [*self.message[:-1], payload])

    def with_fields(self, **fields: object) -> "Frame":
        """The same with other fields; ``...`` leaves one out."""
        merged = {**self.payload, **fields}
        return self.holding({name: value for name, value in merged.items() if value is not ...})

    def again(self) -> "Frame":
        """A CALL once more, as a new one."""
        return call(self.action, self.payload)

    def refused(self, code: str) -> "Frame":
        """The CALLERROR in its place."""
        return Frame(self.action, [CALLERROR, self.message[1], code, "", {}])


def call(action: str, payload: Payload) -> Frame:
    """A CALL that the device would not have sent; its answer is noticed by nobody."""
    return Frame(action, [CALL, next(_ids), action, payload])


# What is sent instead of a frame: frames, any text, and seconds to wait in between; None for the frame as it is.
Change = Callable[[Frame], Iterable[Frame | str | float] | None]

# What is done with a text that comes, instead of understanding it.
Reflex = Callable[[Peer, str], Coroutine[Any, Any, None]]


def unchanged(_: Frame) -> None:
    """The device sends what it sends."""


async def echo(peer: Peer, text: str) -> None:
    """Send whatever comes back."""
    await peer.send_text(text)


async def hang_up(peer: Peer, _: str) -> None:
    """Close the connection at whatever comes."""
    await drop(peer.websocket)


@contextmanager
def _line(party: Party, change: Change, reflex: Reflex | None) -> Iterator[None]:
    """Stand between the device and its socket. A CALL that is left out is answered with ``{}``, for its own peace."""
    send, serve, take = Peer.send_text, Peer._serve, Peer._take
    asked: dict[str, str] = {}

    async def note_and_serve(peer: Peer, asks: Call) -> None:
        if peer.party == party:
            asked[asks.unique_id] = asks.action
        await serve(peer, asks)

    async def send_changed(peer: Peer, text: str) -> None:
        message = json.loads(text) if peer.party == party else None
        if not isinstance(message, list) or message[0] not in (CALL, CALLRESULT, CALLERROR):
            await send(peer, text)
            return
        frame = Frame(message[2] if message[0] == CALL else asked.get(message[1], ""), message)
        instead = change(frame)
        for part in [frame] if instead is None else instead:
            if isinstance(part, float | int):
                await asyncio.sleep(part)
            else:
                await send(peer, part if isinstance(part, str) else json.dumps(part.message))
                if isinstance(part, Frame) and part.message[1] == frame.message[1]:
                    instead = None
        if frame.is_call and instead is not None:
            await take(peer, json.dumps([CALLRESULT, frame.message[1], {}]).encode(), False)

    async def take_or_react(peer: Peer, data: bytes, binary: bool) -> None:
        if peer.party == party and reflex is not None:
            with suppress(CallFailed):
                await reflex(peer, data.decode())
        else:
            await take(peer, data, binary)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Peer, "_serve", note_and_serve)
        patch.setattr(Peer, "send_text", send_changed)
        patch.setattr(Peer, "_take", take_or_react)
        yield


class _VirtualRun(Run):
    """A run of an external device on a loop that the device lives on too."""

    asks_for_life = True

    def __init__(self, device: Device, operator: Operator, loop: VirtualLoop) -> None:
        super().__init__(device, operator)
        assert self._loop is not None
        self._loop.close()
        self._loop = loop

    def ask_after_device(self, case: Case) -> None:
        if self.asks_for_life:
            super().ask_after_device(case)


@dataclass
class Hands:
    """The operator of a foreign Charge Point.

    He takes ``delay`` seconds for everything, and ``lingers`` before he says so.
    """

    charge_point: ChargePoint
    delay: float
    lingers: float = 0.0

    async def ask(self, request: Request) -> Outcome:
        await asyncio.sleep(self.delay)
        it, at = self.charge_point, request.payload
        match request.action:
            case "restart":
                await it.lose_power()
                await it.regain_power()
            case "lose_power":
                await it.lose_power()
            case "regain_power":
                await it.regain_power()
            case "fail":
                await it.fail(at["connectorId"], at["errorCode"])
            case "prevent_locking":
                it.connectors[at["connectorId"]].cannot_lock = True
            case "prevent_unlocking":
                it.connectors[at["connectorId"]].lock_fails = True
            case "prevent_storing" | "allow_storing":
                it.local_auth_list.storage_fails = request.action == "prevent_storing"
            case "repair":
                for connector in it.connectors.values():
                    connector.cannot_lock = connector.lock_fails = False
                await it.repair(at["connectorId"])
            case "present":
                await it.present(at["idTag"], at["connectorId"])
            case "plug_in":
                await it.plug_in(at["connectorId"])
            case "unplug_ev_side":
                await it.unplug_ev_side(at["connectorId"])
            case "unplug":
                with suppress(Locked):  # pulled in vain: the wire will show that nothing came of it
                    await it.unplug(at["connectorId"])
        await asyncio.sleep(self.lingers)
        return Outcome("done")


@dataclass
class Desk:
    """The operator of a foreign Central System, who takes ``delay`` seconds for everything."""

    central_system: CentralSystem
    delay: float
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def ask(self, request: Request) -> Outcome:
        await asyncio.sleep(self.delay)
        task = asyncio.create_task(self._request(request))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return Outcome("done")

    async def _request(self, request: Request) -> None:
        with suppress(CallFailed):
            await self.central_system.request(request.charge_point, request.action, request.payload)


@dataclass(frozen=True, slots=True)
class Variant:
    """A device that differs from ours in one thing, and what each case must say of it.

    ``because``: why these are the right verdicts. ``change`` makes the change anew for each run. ``numbers`` are those
    of the cases played, all of its role if empty; ``fails``, ``inconclusive`` and ``not_applicable`` those that do not
    pass. ``delay``: seconds that the operator takes, ``lingers``: those before he says that it is done. ``remark``,
    ``reason``: words that the remarks and every reason must hold. ``strictly``: the strict verdict is the same.
    ``strict_fails``: those that fail under --strict alone. ``lacks``: what the device's owner says that it lacks.
    ``is_missed``: where it is dead as far as anybody can see, the cases that are left end for that; otherwise each is
    played all the same. ``longest``: the seconds that no case lasts longer than. ``profile``: its security profile.
    ``pki``: a folder with the keys and certificates of both sides, without which
    neither has what the white paper adds. ``security``: what else its owner says of it.
    """

    because: str
    change: Callable[[], Change] = lambda: unchanged
    reflex: Reflex | None = None
    charge_point: Callable[[ChargePoint], None] = lambda _: None
    central_system: Callable[[CentralSystem], None] = lambda _: None
    numbers: str = ""
    fails: str = ""
    inconclusive: str = ""
    not_applicable: str = ""
    remark: str = ""
    reason: str = ""
    strictly: bool = False
    delay: float = 0.0
    lingers: float = 0.0
    connectors: int = 1
    lacks: frozenset[str] = frozenset()
    data: Mapping[str, str] = field(default_factory=dict)
    profile: int = 0
    pki: Path | None = None
    security: Mapping[str, Any] = field(default_factory=dict)
    strict_fails: str | None = None
    is_missed: bool = True
    longest: float = inf

    def check(self, calendar: Calendar, party: Party) -> None:
        """Play the cases. Raises ``AssertionError`` with every reason if a verdict is another."""
        role = "CS" if party == "Charge Point" else "CSMS"
        wanted = _ids_of(self.numbers, role) or sorted(case for case in basic_cases.IDS if case.endswith(f"_{role}"))
        play_it = _play_charge_point if party == "Charge Point" else _play_central_system
        with _line(party, self.change(), self.reflex):
            results = {case.id: case for case in play_it(self, calendar, frozenset(wanted))}
        assert sorted(results) == sorted(wanted)
        came = {case: result.verdict for case, result in results.items() if result.verdict != "pass"}
        due = dict.fromkeys(_ids_of(self.fails, role), "fail")
        due |= dict.fromkeys(_ids_of(self.inconclusive, role), "inconclusive")
        due |= dict.fromkeys(_ids_of(self.not_applicable, role), "not_applicable")
        reasons = {case: result.reason for case, result in results.items() if came.get(case) != due.get(case)}
        assert came == due, "\n".join(f"{case}: {reason}" for case, reason in reasons.items())
        assert all(self.reason in results[case].reason for case in came), [results[case].reason for case in came]
        assert not self.strictly or all(case.strict_verdict == case.verdict for case in results.values())
        assert self.remark in "\n".join(remark for result in results.values() for remark in result.remarks)
        assert max(case.duration_s for case in results.values()) <= self.longest
        if self.strict_fails is not None:
            strict = [case for case, result in results.items() if result.strict_verdict != result.verdict]
            assert strict == _ids_of(self.strict_fails, role), [result.remarks for result in results.values()]

    def device(self, **seat: Any) -> Device:
        """What its owner says of it."""
        settings: dict[str, Any] = {}
        if self.profile in (1, 2):
            settings["password"] = PASSWORD
        if self.pki is not None:
            store = self.pki / "credentials.json"
            store.unlink(missing_ok=True)  # what another device has left there
            settings |= {"pki": self.pki, "store": store}
        known = Security(self.profile, **settings | dict(self.security))
        return device(data={**ID_TAGS, **self.data}, lacks=self.lacks, security=known, **seat)

    def memory(self) -> Memory:
        """What its maker and its owner have put into a Charge Point."""
        memory = Memory()
        if self.pki is None:
            return memory
        pki = _pki(self.pki)
        memory.authorization_key = PASSWORD.hex()
        memory.central_system_roots = [pem(pki.central_system_root.certificate)]
        memory.manufacturer_roots = [pem(pki.manufacturer_root.certificate)]
        if self.profile == 3:
            memory.certificates = [{"key": pki.charge_point.key_pem, "chain": pki.charge_point.chain_pem}]
        memory.configuration = {"SecurityProfile": str(self.profile), "CpoName": ORGANIZATION}
        return memory


def _ids_of(numbers: str, role: str) -> list[str]:
    return [f"TC_{number}_{role}" for number in numbers.split()]


def play_all(rehearsal: Rehearsal) -> None:
    """Play the cases of a rehearsal."""
    gc.freeze()  # the inner pytest collects garbage again and again: not that of the outer one
    play(rehearsal)
    gc.unfreeze()


def _play(run: Run, wanted: frozenset[str]) -> list[CaseResult]:
    rehearsal = Rehearsal(run, Results({}, {}), wanted)
    play_all(rehearsal)
    return rehearsal.results.cases


def _play_charge_point(variant: Variant, calendar: Calendar, wanted: frozenset[str]) -> list[CaseResult]:
    loop = VirtualLoop(calendar)
    lacks = variant.lacks
    it = ChargePoint(
        connectors=variant.connectors,
        fixed_cable="detachable_cable" in lacks,
        reader="local_authorization" not in lacks,
        profiles=[*PROFILES, *(["Security"] if variant.pki else [])],
        memory=variant.memory(),
    )
    variant.charge_point(it)
    about = variant.device(listen=("127.0.0.1", 0))
    run = _VirtualRun(about, Hands(it, variant.delay, variant.lingers), loop)
    run.asks_for_life = variant.is_missed
    run.open()
    loop.run_until_complete(it.power_on(run.endpoint))
    assert run.await_charge_point()
    try:
        return _play(run, wanted)
    finally:
        loop.run_until_complete(it.stop())
        run.close()
        assert not it.faults


def _pki(folder: Path) -> Pki:
    return Pki(folder, host=HOST, serial_number=SERIAL_NUMBER)


def _provisioned(store: Store, variant: Variant) -> dict[str, Any]:
    """What a Central System speaks TLS with, the Charge Point's credentials put into its store."""
    if variant.pki is None:
        return {}
    pki = _pki(variant.pki)
    store.authority = pki.central_system_root
    key = PASSWORD if variant.profile in (1, 2) else None
    security.know_credentials(
        store, "CP1", security_profile=variant.profile, authorization_key=key, serial_number=SERIAL_NUMBER
    )
    return {"credentials": pki.server, "client_roots": [pki.central_system_root.certificate], "host": HOST}


def _play_central_system(variant: Variant, calendar: Calendar, wanted: frozenset[str]) -> list[CaseResult]:
    loop = VirtualLoop(calendar)
    store = Store()
    store.heartbeat_interval = 15
    store.know_charge_point("CP1")
    for name, status in (("ValidIdTag", "Accepted"), ("ExpiredIdTag", "Expired"), ("BlockedIdTag", "Blocked")):
        store.know_id_tag(ID_TAGS[name], status)
    for name in ("ValidIdTag", "ValidIdTag2"):
        store.know_id_tag(ID_TAGS[name], parent=ID_TAGS["ParentIdTag"])
    it = CentralSystem(store, **_provisioned(store, variant))
    variant.central_system(it)
    loop.run_until_complete(it.start())
    url = it.secure_endpoint if variant.profile > 1 else it.endpoint
    run = _VirtualRun(variant.device(url=url), Desk(it, variant.delay), loop)
    run.asks_for_life = variant.is_missed
    try:
        run.open()
        return _play(run, wanted)
    finally:
        loop.run_until_complete(it.stop())
        run.close()
        assert not it.faults
