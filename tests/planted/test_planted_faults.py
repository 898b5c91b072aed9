"""A small fault in one of our own parties turns exactly those test cases red that speak of it.

Each fault is a plausible bug of a product. The cases that judge the faulty party fail; where it only sits beside the
judged one, the same fault is our own error and never a verdict about the other.
"""

import asyncio
from collections.abc import Callable
from itertools import repeat

import pytest

import bench.run
from bench.device import Device, Security
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from ocppj.errors import Refused
from ocppj.frames import Call, Payload
from ocppj.peer import counted_ids
from reference_csms import central_system
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store
from reports.results import Results
from simulator import charging_session, transaction
from simulator import core as charge_point_core
from simulator.authorization import Authorization
from simulator.charge_point import ChargePoint
from simulator.connector import Connector
from simulator.memory import Memory, QueuedMessage
from tests import basic_cases

Plant = Callable[[pytest.MonkeyPatch], None]

# Cases in which the two parties come as far as a StartTransaction.req, by role.
SESSIONS_CS = "003 004_1 005_1 007_1 010 011_1 012 026 028"
SESSIONS_CSMS = "003 004_1 005_1 007 010 011_1 012 028"


def cases(numbers: str, role: str) -> set[str]:
    return {f"TC_{number}_{role}" for number in numbers.split()}


IDS = basic_cases.IDS


def not_passed(
    plant: Plant | None = None, among: frozenset[str] = IDS, *, security_profile: int | None = None
) -> dict[str, str]:
    """What a self-rehearsal of some cases does not pass, with its verdict."""
    run = Run(Device(security=Security(profile=security_profile)))
    rehearsal = Rehearsal(run, Results({}, {}), among)
    with pytest.MonkeyPatch.context() as patch:
        if plant:
            plant(patch)
        play(rehearsal)
    run.close()
    assert {case.id for case in rehearsal.results.cases} == among
    return {case.id: case.verdict for case in rehearsal.results.cases if case.verdict != "pass"}


def due(failed: set[str], errors: set[str]) -> dict[str, str]:
    """The verdicts of what a fault keeps from passing."""
    return dict.fromkeys(failed, "fail") | dict.fromkeys(errors, "error")


def idtag_status(judged: str, answered: str) -> Plant:
    """The Central System answers one AuthorizationStatus for another."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        judge = Store.id_tag_info

        def id_tag_info(store: Store, id_tag: str) -> Payload:
            info = judge(store, id_tag)
            return info | {"status": answered} if info["status"] == judged else info

        patch.setattr(Store, "id_tag_info", id_tag_info)

    return plant


def answer(handlers: dict[str, Callable[..., Payload]], action: str, change: Callable[[Payload], Payload]) -> Plant:
    """A party does as asked and answers otherwise."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        handle = handlers[action]
        patch.setitem(handlers, action, lambda party, request: change(handle(party, request)))

    return plant


def instead(status: str) -> Callable[[Payload], Payload]:
    return lambda conf: conf | {"status": status}


def central_system_never_answers_stop(patch: pytest.MonkeyPatch) -> None:
    ordinary = CentralSystem._answer

    async def answer(self: CentralSystem, identity: str, call: Call) -> Payload:
        if call.action == "StopTransaction":
            await asyncio.Event().wait()
        return await ordinary(self, identity, call)

    patch.setattr(CentralSystem, "_answer", answer)


def central_system_refuses(action: str) -> Plant:
    def refuse(*_: object) -> Payload:
        raise Refused("InternalError")

    return lambda patch: patch.setitem(central_system.HANDLERS, action, refuse)


def central_system_asks(action: str, change: Callable[[Payload], Payload]) -> Plant:
    """The Central System sends a request with another payload."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem.request

        async def request(self: CentralSystem, identity: str, asked: str, payload: Payload, **more: bool) -> Payload:
            return await ordinary(self, identity, asked, change(payload) if asked == action else payload, **more)

        patch.setattr(CentralSystem, "request", request)

    return plant


def with_fields(**fields: object) -> Callable[[Payload], Payload]:
    """Other values; ``...`` leaves a field out."""
    return lambda payload: {name: value for name, value in {**payload, **fields}.items() if value is not ...}


def the_other_reset(payload: Payload) -> Payload:
    return {"type": "Soft" if payload["type"] == "Hard" else "Hard"}


def charge_point_skips_preparing(patch: pytest.MonkeyPatch) -> None:
    tell = ChargePoint._tell

    def tell_less(self: ChargePoint, connector: Connector) -> None:
        if connector.status != "Preparing":
            tell(self, connector)

    patch.setattr(ChargePoint, "_tell", tell_less)


def charge_point_gives_reason_local(patch: pytest.MonkeyPatch) -> None:
    stop = transaction.stop

    def stop_locally(charge_point: ChargePoint, connector: Connector, reason: str, **more: object) -> None:
        stop(charge_point, connector, "Local", **more)  # type: ignore[arg-type]  # handed on as they came

    patch.setattr(transaction, "stop", stop_locally)


def charge_point_waits_for_ever(patch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        return

    patch.setattr(charging_session, "_time_out", never)


def charge_point_forgets_availability(patch: pytest.MonkeyPatch) -> None:
    start = ChargePoint._start

    def start_anew(self: ChargePoint, reason: str, delay: float) -> None:
        self.memory.availability.clear()
        start(self, reason, delay)

    patch.setattr(ChargePoint, "_start", start_anew)


def charge_point_halves_its_heartbeat(patch: pytest.MonkeyPatch) -> None:
    heartbeats = ChargePoint._heartbeats
    patch.setattr(ChargePoint, "_heartbeats", lambda self, interval: heartbeats(self, 2 * interval))


def charge_point_boots_too_soon(patch: pytest.MonkeyPatch) -> None:
    registered = ChargePoint._registered

    def impatient(self: ChargePoint, conf: Payload, at: float) -> None:
        registered(self, conf, at)
        self._boot_at = at + 1

    patch.setattr(ChargePoint, "_registered", impatient)


def charge_point_asks_despite_its_cache(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Authorization, "local_opinion", lambda *_: None)


def charge_point_mistakes_the_transaction(patch: pytest.MonkeyPatch) -> None:
    wire_payload = transaction.wire_payload

    def mistaken(memory: Memory, message: QueuedMessage) -> Payload:
        payload = wire_payload(memory, message)
        return payload | {"transactionId": payload["transactionId"] + 1} if "meterStop" in payload else payload

    patch.setattr(transaction, "wire_payload", mistaken)


def ids_are_used_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bench.run, "counted_ids", lambda of: repeat("1") if of == "CP" else counted_ids(of))


CSMS, CS = central_system.HANDLERS, charge_point_core.HANDLERS

# A fault, the cases that fail, the cases that end as our error.
FAULTS: dict[str, tuple[Plant, set[str], set[str]]] = {
    "Blocked is answered Accepted": (idtag_status("Blocked", "Accepted"), {"TC_023_3_CSMS"}, set()),
    "Expired is answered Accepted": (idtag_status("Expired", "Accepted"), {"TC_023_2_CSMS"}, set()),
    "Invalid is answered Accepted": (idtag_status("Invalid", "Accepted"), {"TC_023_1_CSMS"}, set()),
    "Accepted is answered Invalid": (
        idtag_status("Accepted", "Invalid"),
        cases(f"{SESSIONS_CSMS} 004_2 011_2", "CSMS"),
        cases(f"{SESSIONS_CS} 004_2 011_2", "CS"),
    ),
    "StartTransaction.conf is Invalid": (
        answer(CSMS, "StartTransaction", lambda conf: conf | {"idTagInfo": {"status": "Invalid"}}),
        cases(SESSIONS_CSMS, "CSMS"),
        cases(SESSIONS_CS, "CS"),
    ),
    "StopTransaction.req is not answered": (
        central_system_never_answers_stop,
        cases("005_1 012", "CSMS"),
        cases("005_1 007_1 012", "CS"),
    ),
    "Hard and Soft are mixed up": (
        central_system_asks("Reset", the_other_reset),
        cases("013 014", "CSMS"),
        cases("013 014", "CS"),
    ),
    "Preparing is not reported": (
        charge_point_skips_preparing,
        cases(f"{SESSIONS_CS} 004_2 011_2", "CS"),
        cases(f"{SESSIONS_CSMS} 004_2 011_2", "CSMS"),
    ),
    "every reason is Local": (charge_point_gives_reason_local, cases("005_1 012", "CS"), cases("005_1 012", "CSMS")),
    "ConnectionTimeOut is ignored": (
        charge_point_waits_for_ever,
        cases("004_2 011_2", "CS"),
        cases("004_2 011_2", "CSMS"),
    ),
    "availability does not persist": (charge_point_forgets_availability, cases("013 014", "CS"), set()),
    "heartbeats come half as often": (charge_point_halves_its_heartbeat, cases("001 002", "CS"), set()),
    "the boot interval is ignored": (charge_point_boots_too_soon, cases("001 002", "CS"), set()),
    "the cache is not asked": (charge_point_asks_despite_its_cache, {"TC_007_1_CS"}, {"TC_007_CSMS"}),
    "another transactionId is stopped": (
        charge_point_mistakes_the_transaction,
        cases("005_1 007_1 012", "CS"),
        cases("005_1 012", "CSMS"),
    ),
    "an unknown connector is UnlockFailed": (
        answer(CS, "UnlockConnector", instead("UnlockFailed")),
        cases("017_1 031", "CS"),
        {"TC_017_1_CSMS"},
    ),
    "every RemoteStartTransaction is Accepted": (
        answer(CS, "RemoteStartTransaction", instead("Accepted")),
        {"TC_026_CS"},
        set(),
    ),
    "every RemoteStopTransaction is Accepted": (
        answer(CS, "RemoteStopTransaction", instead("Accepted")),
        {"TC_028_CS"},
        set(),
    ),
    "a key is left out": (
        answer(CS, "GetConfiguration", lambda conf: {"configurationKey": conf["configurationKey"][1:]}),
        cases("004_1 004_2 005_1 007_1 010 011_1 011_2 012 019 021 026 028", "CS"),
        set(),
    ),
    "every ChangeConfiguration is Accepted": (
        answer(CS, "ChangeConfiguration", instead("Accepted")),
        cases("040_1 040_2", "CS"),
        set(),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found(name: str) -> None:
    plant, failed, errors = FAULTS[name]
    assert not_passed(plant) == due(failed, errors)


def test_who_cannot_be_talked_to_fails_everything() -> None:
    """A Central System that refuses every report passes nothing, and a Charge Point beside it fails nothing."""
    verdicts = not_passed(central_system_refuses("StatusNotification"))
    assert {case: verdict for case, verdict in verdicts.items() if case.endswith("CSMS")} == dict.fromkeys(
        (case for case in verdicts if case.endswith("CSMS")), "fail"
    )
    assert set(verdicts.values()) == {"fail", "error"}
    assert len(verdicts) >= 44


def test_ids_used_again_are_found_everywhere() -> None:
    verdicts = not_passed(ids_are_used_again)
    assert all((verdict == "fail") == case.endswith("_CS") for case, verdict in verdicts.items())
    assert len(verdicts) >= 44
