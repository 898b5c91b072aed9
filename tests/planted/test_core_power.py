"""Faults that show when power, connection or a connector fails, and at resets during a transaction."""

import pytest

from ocppj.errors import Refused
from ocppj.frames import Payload
from reference_csms import central_system
from reference_csms import core as central_system_core
from reference_csms.central_system import CentralSystem
from reference_csms.store import View
from simulator import charging_session, transaction
from simulator import core as charge_point_core
from simulator.authorization import Authorization
from simulator.charge_point import ChargePoint
from simulator.connector import Connector, Event
from simulator.memory import Memory, QueuedMessage, StoredTransaction
from tests.planted.test_planted_faults import (
    Plant,
    answer,
    cases,
    charge_point_forgets_availability,
    charge_point_gives_reason_local,
    due,
    instead,
    not_passed,
)

CHARGE_POINT = "015 016 024 030 032_1 032_2 034 036 037_1 037_2 037_3 038 039 041"
CENTRAL_SYSTEM = "024 030 032_1 037_1 037_3 039"
IDS = frozenset(cases(CHARGE_POINT, "CS") | cases(CENTRAL_SYSTEM, "CSMS"))

CSMS, CS = central_system.HANDLERS, charge_point_core.HANDLERS


def hard_reset_is_a_reboot(patch: pytest.MonkeyPatch) -> None:
    async def reset(self: ChargePoint, kind: str) -> None:
        if kind == "Soft":
            await self._stop_transactions("SoftReset")
        await self._reboot()

    patch.setattr(ChargePoint, "_reset", reset)


def soft_reset_is_hard(patch: pytest.MonkeyPatch) -> None:
    reset = ChargePoint._reset
    patch.setattr(ChargePoint, "_reset", lambda self, kind: reset(self, "Hard"))


def soft_reset_only_stops(patch: pytest.MonkeyPatch) -> None:
    """It does not reboot, and its connector is left Charging."""
    tell, reset = ChargePoint._tell, ChargePoint._reset

    def tell_less(self: ChargePoint, connector: Connector) -> None:
        if not self._resetting:
            tell(self, connector)

    async def reset_less(self: ChargePoint, kind: str) -> None:
        if kind == "Hard":
            await reset(self, kind)
            return
        await self._stop_transactions("SoftReset")
        self._resetting = False

    patch.setattr(ChargePoint, "_tell", tell_less)
    patch.setattr(ChargePoint, "_reset", reset_less)


def the_lock_is_not_watched(patch: pytest.MonkeyPatch) -> None:
    lock = Connector.lock

    def lock_anyway(self: Connector) -> bool:
        self.cannot_lock = False
        return lock(self)

    patch.setattr(Connector, "lock", lock_anyway)


def every_fault_is_another(patch: pytest.MonkeyPatch) -> None:
    break_down = Connector.break_down
    patch.setattr(Connector, "break_down", lambda self, _: break_down(self, "OtherError"))


def no_fault_is_told(patch: pytest.MonkeyPatch) -> None:
    tell = ChargePoint._tell

    def tell_less(self: ChargePoint, connector: Connector) -> None:
        if not connector.fault:
            tell(self, connector)

    patch.setattr(ChargePoint, "_tell", tell_less)


def a_fault_hinders_nobody(patch: pytest.MonkeyPatch) -> None:
    can_start = charging_session.can_start

    def can_start_anyway(charge_point: ChargePoint, connector: Connector) -> bool:
        fault, connector.fault = connector.fault, None
        try:
            return can_start(charge_point, connector)
        finally:
            connector.fault = fault

    patch.setattr(charging_session, "can_start", can_start_anyway)


def unlocks_another_connector(patch: pytest.MonkeyPatch) -> None:
    ordinary = CentralSystem.request

    async def request(self: CentralSystem, identity: str, action: str, payload: Payload) -> Payload:
        if action == "UnlockConnector":
            payload = {"connectorId": payload["connectorId"] + 1}
        return await ordinary(self, identity, action, payload)

    patch.setattr(CentralSystem, "request", request)


def backup_power_is_not_used(patch: pytest.MonkeyPatch) -> None:
    lose_power = ChargePoint.lose_power

    async def lose_at_once(self: ChargePoint) -> None:
        self.backup_power = False
        await lose_power(self)

    patch.setattr(ChargePoint, "lose_power", lose_at_once)


def interrupted_for_another_reason(patch: pytest.MonkeyPatch) -> None:
    stop = transaction.stop_interrupted
    patch.setattr(transaction, "stop_interrupted", lambda charge_point, _: stop(charge_point, "Other"))


def interrupted_transactions_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transaction, "stop_interrupted", lambda *_: None)


def cables_are_not_noticed_at_a_start(patch: pytest.MonkeyPatch) -> None:
    def start(self: ChargePoint, connector: Connector) -> None:
        connector.unlock()
        if not self.is_operative(connector):
            connector.happens(Event.WITHDRAWN)

    patch.setattr(ChargePoint, "_start_connector", start)


def used_cables_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    start = ChargePoint._start_connector

    def start_anew(self: ChargePoint, connector: Connector) -> None:
        self.memory.used_cables.clear()
        start(self, connector)

    patch.setattr(ChargePoint, "_start_connector", start_anew)


def samples_are_not_queued(patch: pytest.MonkeyPatch) -> None:
    queue = ChargePoint.queue_meter_values

    def queue_online(self: ChargePoint, payload: Payload, stored: StoredTransaction | None) -> None:
        if self.is_online:
            queue(self, payload, stored)

    patch.setattr(ChargePoint, "queue_meter_values", queue_online)


def the_second_sample_is_lost(patch: pytest.MonkeyPatch) -> None:
    queue = ChargePoint.queue_meter_values

    def queue_others(self: ChargePoint, payload: Payload, stored: StoredTransaction | None) -> None:
        if [message["action"] for message in self.memory.queue] != ["MeterValues"] or self.memory.queue[0].get("lost"):
            queue(self, payload, stored)
        else:
            self.memory.queue[0]["lost"] = True  # type: ignore[typeddict-unknown-key]  # of this fault alone

    patch.setattr(ChargePoint, "queue_meter_values", queue_others)


def nothing_is_told_after_a_reconnection(patch: pytest.MonkeyPatch) -> None:
    notice = ChargePoint._notice

    def told(self: ChargePoint, connector: Connector, after: int) -> object:
        if self._told and not after and not self._delivers:
            self._told[connector.number] = (connector.status, connector.error_code)
        return notice(self, connector, after)

    async def talk(self: ChargePoint, peer: object) -> None:
        for number in self._told:
            connector = self.connectors.get(number, self.whole)
            self._told[number] = (connector.status, connector.error_code)
        await ordinary(self, peer)  # type: ignore[arg-type]  # handed on as it came

    ordinary = ChargePoint._talk
    patch.setattr(ChargePoint, "_notice", told)
    patch.setattr(ChargePoint, "_talk", talk)


def nobody_starts_offline(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Authorization, "_offline_opinion", lambda *_: None)


def invalid_id_tags(stop: bool) -> Plant:
    """Whatever StopTransactionOnInvalidId says."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        invalidate = transaction._invalidate

        async def invalidate_so(charge_point: ChargePoint, *about: object) -> None:
            charge_point.configuration.set("StopTransactionOnInvalidId", str(stop).lower())
            await invalidate(charge_point, *about)  # type: ignore[arg-type]  # handed on as they came

        patch.setattr(transaction, "_invalidate", invalidate_so)

    return plant


def local_stops_are_other(patch: pytest.MonkeyPatch) -> None:
    stop = transaction.stop

    def stop_otherwise(charge_point: ChargePoint, connector: Connector, reason: str, **more: object) -> None:
        stop(charge_point, connector, "Other" if reason == "Local" else reason, **more)  # type: ignore[arg-type]  # the same

    patch.setattr(transaction, "stop", stop_otherwise)


def messages_get_lost(action: str) -> Plant:
    """What would be queued while offline is not."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        queue = ChargePoint.queue_message

        def queue_online(self: ChargePoint, name: str, payload: Payload, stored: StoredTransaction | None) -> None:
            if name != action or self.is_online:
                queue(self, name, payload, stored)

        patch.setattr(ChargePoint, "queue_message", queue_online)

    return plant


def the_transaction_is_unknown(patch: pytest.MonkeyPatch) -> None:
    """Its messages bear -1, as if nobody had confirmed its start."""
    wire_payload = transaction.wire_payload

    def unknown(memory: Memory, message: QueuedMessage) -> Payload:
        payload = wire_payload(memory, message)
        return payload | {"transactionId": -1} if "meterStop" in payload else payload

    patch.setattr(transaction, "wire_payload", unknown)


def start_accepts_anyone(patch: pytest.MonkeyPatch) -> None:
    answer(CSMS, "StartTransaction", lambda conf: conf | {"idTagInfo": {"status": "Accepted"}})(patch)


def late_starts_are_invalid(patch: pytest.MonkeyPatch) -> None:
    """An idTag counts for who was asked about it before, and nobody asks about one that is offline."""
    asked: set[tuple[int, str]] = set()
    authorize, start = central_system_core.authorize, central_system_core.start_transaction

    def note(store: View, request: Payload) -> Payload:
        asked.add((id(store.shared), request["idTag"]))
        return authorize(store, request)

    def judge(store: View, request: Payload) -> Payload:
        conf = start(store, request)
        is_asked = (id(store.shared), request["idTag"]) in asked
        return conf if is_asked else conf | {"idTagInfo": {"status": "Invalid"}}

    patch.setitem(CSMS, "Authorize", note)
    patch.setitem(CSMS, "StartTransaction", judge)


def a_second_boot_is_pending(patch: pytest.MonkeyPatch) -> None:
    boot = CSMS["BootNotification"]

    def boot_once(store: View, request: Payload) -> Payload:
        store.charge_point.registration_status = "Pending" if store.charge_point.boot else "Accepted"
        return boot(store, request)

    patch.setitem(CSMS, "BootNotification", boot_once)


def refuses_faults(patch: pytest.MonkeyPatch) -> None:
    note = CSMS["StatusNotification"]

    def refuse(store: View, request: Payload) -> Payload:
        if request["status"] == "Faulted":
            raise Refused("InternalError")
        return note(store, request)

    patch.setitem(CSMS, "StatusNotification", refuse)


# A fault, the cases that fail, the cases that end as our error.
FAULTS: dict[str, tuple[Plant, set[str], set[str]]] = {
    "every Reset is Rejected": (answer(CS, "Reset", instead("Rejected")), cases("015 016", "CS"), set()),
    "HardReset is called Reboot": (hard_reset_is_a_reboot, cases("015", "CS"), set()),
    "a soft reset stops nothing before": (soft_reset_is_hard, cases("016", "CS"), set()),
    "a soft reset leaves the connector Charging": (soft_reset_only_stops, cases("016", "CS"), set()),
    "cables are not noticed at a start": (
        cables_are_not_noticed_at_a_start,
        cases("015 016 032_1 032_2", "CS"),
        cases("032_1", "CSMS"),
    ),
    "every reason is Local": (
        charge_point_gives_reason_local,
        cases("016 032_1 037_3", "CS"),
        cases("037_3", "CSMS"),
    ),
    "a lock that does not hold is not noticed": (
        the_lock_is_not_watched,
        cases("024", "CS"),
        cases("024", "CSMS"),
    ),
    "every errorCode is OtherError": (every_fault_is_another, cases("024", "CS"), cases("024", "CSMS")),
    "Faulted is not reported": (no_fault_is_told, cases("024 041", "CS"), cases("024", "CSMS")),
    "a faulted connector charges": (a_fault_hinders_nobody, cases("041", "CS"), set()),
    "AuthorizeRemoteTxRequests is left out": (
        answer(
            CS,
            "GetConfiguration",
            lambda conf: {
                "configurationKey": [e for e in conf["configurationKey"] if e["key"] != "AuthorizeRemoteTxRequests"]
            },
        ),
        cases("015 016 024 032_1 032_2 036 037_1 037_2 037_3 038 039", "CS"),
        set(),
    ),
    "every RemoteStartTransaction is Rejected": (
        answer(CS, "RemoteStartTransaction", instead("Rejected")),
        cases("015 016 024 032_1 032_2 036 037_1 037_2 037_3 038 039", "CS"),
        set(),
    ),
    "every unlocking is Unlocked": (
        answer(CS, "UnlockConnector", instead("Unlocked")),
        cases("030", "CS"),
        cases("030", "CSMS"),
    ),
    "another connector is unlocked": (unlocks_another_connector, cases("030", "CSMS"), cases("030", "CS")),
    "back-up power is not used": (backup_power_is_not_used, cases("032_1", "CS"), set()),
    "PowerLoss is called Other": (
        interrupted_for_another_reason,
        cases("015 032_2", "CS"),
        cases("032_1", "CSMS"),
    ),
    "an interrupted transaction is forgotten": (
        interrupted_transactions_are_forgotten,
        cases("015 032_2", "CS"),
        cases("032_1", "CSMS"),
    ),
    "Finishing is not remembered": (used_cables_are_forgotten, set(), cases("032_1", "CSMS")),
    "availability does not persist": (charge_point_forgets_availability, cases("034", "CS"), set()),
    "every ChangeAvailability is Scheduled": (
        answer(CS, "ChangeAvailability", instead("Scheduled")),
        cases("034", "CS"),
        set(),
    ),
    "samples are not queued": (samples_are_not_queued, cases("036", "CS"), set()),
    "one sample is lost": (the_second_sample_is_lost, cases("036", "CS"), set()),
    "nothing is told after a reconnection": (
        nothing_is_told_after_a_reconnection,
        cases("037_1 038", "CS"),
        cases("037_1", "CSMS"),
    ),
    "nobody starts offline": (
        nobody_starts_offline,
        cases("037_1 037_2 037_3 039", "CS"),
        cases("037_1 037_3 039", "CSMS"),
    ),
    "an offline StartTransaction.req gets lost": (
        messages_get_lost("StartTransaction"),
        cases("037_1 037_2 037_3 039", "CS"),
        cases("037_1 037_3 039", "CSMS"),
    ),
    "an offline StopTransaction.req gets lost": (
        messages_get_lost("StopTransaction"),
        cases("015 032_2 038 039", "CS"),
        cases("032_1 039", "CSMS"),
    ),
    "an invalid idTag always stops": (invalid_id_tags(stop=True), cases("037_2", "CS"), set()),
    "an invalid idTag never stops": (invalid_id_tags(stop=False), cases("037_3", "CS"), cases("037_3", "CSMS")),
    "Local is called Other": (local_stops_are_other, cases("038 039", "CS"), cases("039", "CSMS")),
    "a StopTransaction.req bears -1": (
        the_transaction_is_unknown,
        cases("015 016 032_1 032_2 037_1 037_2 037_3 038 039", "CS"),
        cases("032_1 037_3 039", "CSMS"),
    ),
    "a late StartTransaction.req is Invalid": (
        late_starts_are_invalid,
        cases("037_1 039", "CSMS"),
        set(),
    ),
    "a Faulted connector is not understood": (refuses_faults, cases("024", "CSMS"), cases("024 041", "CS")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found(name: str) -> None:
    plant, failed, errors = FAULTS[name]
    assert not_passed(plant, IDS) == due(failed, errors)


# Of a Central System whose Charge Point has lost its connection first, so that nobody knows who is to blame beside it.
IN_A_DISTURBED_CASE: dict[str, tuple[Plant, set[str]]] = {
    "StartTransaction.conf accepts anyone": (start_accepts_anyone, cases("037_3", "CSMS")),
    "a second boot is Pending": (a_second_boot_is_pending, cases("032_1", "CSMS")),
}


@pytest.mark.parametrize("name", IN_A_DISTURBED_CASE)
def test_fault_is_found_and_nobody_else_fails(name: str) -> None:
    plant, failed = IN_A_DISTURBED_CASE[name]
    verdicts = not_passed(plant, IDS)
    assert {case for case, verdict in verdicts.items() if verdict == "fail"} == failed
    assert set(verdicts.values()) <= {"fail", "error", "inconclusive"}


def test_every_case_is_killed() -> None:
    killed = [failed for _, failed, _ in FAULTS.values()] + [failed for _, failed in IN_A_DISTURBED_CASE.values()]
    assert set.union(*killed) == IDS
