"""A small fault in one of our own parties, among the Core cases of meters, caches, groups and cables."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from ocppj import peer, schemas
from ocppj.errors import Refused
from ocppj.frames import Payload
from reference_csms.central_system import HANDLERS as CSMS
from reference_csms.central_system import CentralSystem
from simulator import charging_session, metering, transaction
from simulator.charge_point import ChargePoint
from simulator.configuration import Configuration
from simulator.connector import Connector
from simulator.core import HANDLERS as CS
from simulator.memory import StoredTransaction
from tests.planted.test_planted_faults import (
    Plant,
    answer,
    cases,
    charge_point_waits_for_ever,
    due,
    instead,
    not_passed,
)

CHARGE_POINT = "005_2 005_3 007_2 027 061_1 061_2 062 068 069 070 071"
CENTRAL_SYSTEM = "061 064"
IDS = frozenset(cases(CHARGE_POINT, "CS") | cases(CENTRAL_SYSTEM, "CSMS"))


def replaced(owner: Any, name: str, make: Callable[[Any], object]) -> Plant:
    """Something of a party in place of what it has, made from that."""
    return lambda patch: patch.setattr(owner, name, make(getattr(owner, name)))


def asks_twice(action: str) -> Plant:
    def make(request: Callable[..., Any]) -> object:
        async def changed(it: CentralSystem, identity: str, asked: str, payload: Payload, **more: bool) -> Payload:
            if asked == action:
                await request(it, identity, asked, payload, **more)
            conf: Payload = await request(it, identity, asked, payload, **more)
            return conf

        return changed

    return replaced(CentralSystem, "request", make)


def refuses(handlers: dict[str, Callable[..., Payload]], action: str) -> Plant:
    def refuse(*_: object) -> Payload:
        raise Refused("NotSupported")

    return lambda patch: patch.setitem(handlers, action, refuse)


def gives_reason(patch: pytest.MonkeyPatch) -> None:
    stop = transaction.stop

    def stop_locally(charge_point: ChargePoint, connector: Connector, reason: str, **more: Any) -> None:
        stop(charge_point, connector, "Local", **more)

    patch.setattr(transaction, "stop", stop_locally)


def flag(name: str, value: bool) -> Plant:
    """A boolean key is accepted and ignored."""

    def make(ordinary: Callable[..., bool]) -> object:
        return lambda it, asked: value if asked == name else ordinary(it, asked)

    return replaced(Configuration, "flag", make)


def starts_remotely_at_connector_zero(patch: pytest.MonkeyPatch) -> None:
    """It takes 0 for any connector."""
    check, start = schemas.check, CS["RemoteStartTransaction"]

    def lenient(action: str, kind: Any, payload: Payload, unique_id: str) -> None:
        if payload.get("connectorId") != 0:
            check(action, kind, payload, unique_id)

    def accept_zero(it: ChargePoint, request: Payload) -> Payload:
        return start(it, request) if request.get("connectorId") else {"status": "Accepted"}

    patch.setattr(peer, "check", lenient)
    patch.setitem(CS, "RemoteStartTransaction", accept_zero)


def tells_nothing_of(status: str) -> Plant:
    def make(changed: Callable[..., None]) -> object:
        return lambda it, connector: changed(it, connector) if connector.status != status else None

    return replaced(ChargePoint, "_status_changed", make)


def belongs(verdict: Callable[[Any, str], bool]) -> Plant:
    async def decide(_: ChargePoint, __: Connector, holder: Any, id_tag: str) -> bool:
        return verdict(holder, id_tag)

    return lambda patch: patch.setattr(charging_session, "_belongs", decide)


def says_nothing_of_who_stopped(patch: pytest.MonkeyPatch) -> None:
    end = transaction._end

    def anonymous(
        charge_point: ChargePoint, stored: StoredTransaction, reason: str, _: str | None, connector: Connector | None
    ) -> None:
        end(charge_point, stored, reason, None, connector)

    patch.setattr(transaction, "_end", anonymous)


def names_who_started(patch: pytest.MonkeyPatch) -> None:
    end = transaction._end

    def as_it_began(
        charge_point: ChargePoint, stored: StoredTransaction, reason: str, id_tag: str | None, connector: Any
    ) -> None:
        end(charge_point, stored, reason, id_tag and stored["idTag"], connector)

    patch.setattr(transaction, "_end", as_it_began)


def context(wrong: str) -> Plant:
    def make(meter_value: Callable[..., Any]) -> object:
        return lambda connector, measurands, _, moment, interval=0: meter_value(
            connector, measurands, wrong, moment, interval
        )

    return replaced(metering, "meter_value", make)


def measures_every(seconds: float) -> Plant:
    """Sampled values come at another interval than the key has."""

    async def sample(it: ChargePoint, connector: Connector, stored: StoredTransaction) -> None:
        while it.configuration.number("MeterValueSampleInterval"):
            await asyncio.sleep(seconds)
            metering._sample(it, connector, stored, "Sample.Periodic", "Sampled", it.now())

    return lambda patch: patch.setattr(metering, "sample_periodically", sample)


def aligned(moment: Callable[[datetime, int], datetime]) -> Plant:
    return lambda patch: patch.setattr(metering, "next_aligned", moment)


def forgets_measurands(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(metering, "sampled_measurands", lambda *_: ["Voltage"])


REMOTE = "005_2 005_3 007_2 061_2 068 069 070 071"  # what begins with a RemoteStartTransaction.req

# A fault, the cases that fail, the cases that end as our error.
FAULTS: dict[str, tuple[Plant, set[str], set[str]]] = {
    "every reason is Local": (gives_reason, cases("005_2 005_3", "CS"), set()),
    "StopTransactionOnEVSideDisconnect is always false": (
        flag("StopTransactionOnEVSideDisconnect", False),
        {"TC_005_2_CS"},
        set(),
    ),
    "StopTransactionOnEVSideDisconnect is always true": (
        flag("StopTransactionOnEVSideDisconnect", True),
        {"TC_005_3_CS"},
        set(),
    ),
    "every UnlockConnector is UnlockFailed": (
        answer(CS, "UnlockConnector", instead("UnlockFailed")),
        cases("005_2", "CS"),
        set(),
    ),
    "LocalPreAuthorize is ignored": (flag("LocalPreAuthorize", False), {"TC_007_2_CS"}, set()),
    "AuthorizeRemoteTxRequests is ignored": (
        flag("AuthorizeRemoteTxRequests", False),
        cases(REMOTE, "CS"),
        set(),
    ),
    "every RemoteStartTransaction is Rejected": (
        answer(CS, "RemoteStartTransaction", instead("Rejected")),
        cases(REMOTE, "CS"),
        set(),
    ),
    "the cache is not cleared": (
        lambda patch: patch.setitem(CS, "ClearCache", lambda *_: {"status": "Accepted"}),
        cases("061_1 061_2", "CS"),
        set(),
    ),
    "every ClearCache is Rejected": (
        answer(CS, "ClearCache", instead("Rejected")),
        cases("061_1 061_2", "CS"),
        {"TC_061_CSMS"},
    ),
    "connector 0 is taken for any": (starts_remotely_at_connector_zero, {"TC_027_CS"}, set()),
    "DataTransfer is refused": (refuses(CS, "DataTransfer"), {"TC_062_CS"}, set()),
    "anyone stops a transaction": (belongs(lambda *_: True), cases("068 069", "CS"), set()),
    "there are no groups": (belongs(lambda holder, id_tag: holder.is_same(id_tag)), {"TC_069_CS"}, set()),
    "nobody is told who stopped": (says_nothing_of_who_stopped, cases("068 069", "CS"), set()),
    "who started is told to have stopped": (names_who_started, {"TC_069_CS"}, set()),
    "every context is Other": (context("Other"), cases("070 071", "CS"), set()),
    "every context is Sample.Clock": (context("Sample.Clock"), {"TC_070_CS"}, set()),
    "every context is Sample.Periodic": (context("Sample.Periodic"), {"TC_071_CS"}, set()),
    "values are sampled twice as often": (measures_every(30), {"TC_070_CS"}, set()),
    "values are sampled 3 s too late": (measures_every(63), {"TC_070_CS"}, set()),
    "values are aligned to something else than the clock": (
        aligned(lambda moment, interval: moment + timedelta(seconds=interval)),
        {"TC_071_CS"},
        set(),
    ),
    "every second clock-aligned value is missing": (
        aligned(lambda moment, interval: metering.last_aligned(moment, interval) + 2 * timedelta(seconds=interval)),
        {"TC_071_CS"},
        set(),
    ),
    "the measurands are fixed": (forgets_measurands, cases("070 071", "CS"), set()),
    "Preparing is not reported": (
        tells_nothing_of("Preparing"),
        cases(f"{REMOTE} 061_1", "CS"),
        set(),
    ),
    "Charging is not reported": (
        tells_nothing_of("Charging"),
        cases("005_2 005_3 007_2 061_2 068 069 070 071", "CS"),
        set(),
    ),
    "Finishing is not reported": (
        tells_nothing_of("Finishing"),
        cases("005_2 005_3 007_2 061_2 068 069", "CS"),
        set(),
    ),
    "SuspendedEV is not reported": (tells_nothing_of("SuspendedEV"), {"TC_005_3_CS"}, set()),
    "a preparation never ends": (charge_point_waits_for_ever, {"TC_061_1_CS"}, set()),
    "the cache is cleared twice": (asks_twice("ClearCache"), {"TC_061_CSMS"}, cases("061_1 061_2", "CS")),
    "the Central System refuses DataTransfer": (refuses(CSMS, "DataTransfer"), {"TC_064_CSMS"}, set()),
    "the Central System refuses MeterValues": (refuses(CSMS, "MeterValues"), set(), cases("070 071", "CS")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found(name: str) -> None:
    plant, failed, errors = FAULTS[name]
    assert not_passed(plant, IDS) == due(failed, errors)


def test_every_case_is_failed_by_some_fault() -> None:
    assert set().union(*(failed for _, failed, _ in FAULTS.values())) == IDS
