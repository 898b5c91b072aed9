"""Our two parties, come what may: whatever drivers, hands, networks and operators do, in any order, the laws hold."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bench.mutants import all_mutants
from ocppj.clock import Calendar, timestamp
from simulator.charge_point import ChargePoint
from tests.properties.laws import (
    energy_never_falls,
    every_start_has_its_stop,
    nothing_is_lost,
    obligations_kept,
    statuses_follow_the_table,
)
from tests.properties.searching import examples, until_one_is_found
from tests.properties.world import ANOTHER, BLOCKED, CONNECTORS, IDENTITY, OF_THE_SAME_FAMILY, UNKNOWN, VALID, World

connectors = st.sampled_from(CONNECTORS)
everywhere = st.sampled_from((0, *CONNECTORS))
id_tags = st.sampled_from((VALID, VALID, OF_THE_SAME_FAMILY, ANOTHER, BLOCKED, UNKNOWN))
# Seconds until the next thing happens: 0 is in the midst of it, 0.001 when all is said.
pauses = st.sampled_from((0.001, 0.0, 0.001, 0.5, 3.0, 45.0, 70.0))


def _has_power(pair: "Pair") -> bool:
    return pair.world.charge_point.has_power


def _is_reachable(pair: "Pair") -> bool:
    return pair.world.central_system.is_connected(IDENTITY)


def _charges(pair: "Pair") -> bool:
    return any(connector.transaction for connector in pair.world.charge_point.connectors.values())


# Nothing is tried that could have no effect, for few examples shall see much. The pair itself needs none of this.
with_power = precondition(_has_power)
when_reachable = precondition(_is_reachable)
while_charging = precondition(_charges)


class Pair(RuleBasedStateMachine):
    """What may happen to a Charge Point, and what may be asked of it."""

    calendar: Calendar

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.calendar)
        self.is_broken = False  # something may be

    @initialize(at=st.sets(connectors))
    def begin_charging(self, at: set[int]) -> None:
        for connector in at:
            self.charge(connector, VALID if connector == 1 else ANOTHER, 0.001)

    @with_power
    @rule(connector=connectors, id_tag=id_tags, then=pauses)
    def charge(self, connector: int, id_tag: str, then: float) -> None:
        self.world.do("plug_in", 0.001, connectorId=connector)
        self.world.do("present", then, idTag=id_tag, connectorId=connector)

    @while_charging
    @rule(connector=connectors, then=pauses)
    def end_charging(self, connector: int, then: float) -> None:
        transaction = self.world.charge_point.connectors[connector].transaction
        if transaction is not None:
            self.world.do("present", 0.001, idTag=transaction["idTag"], connectorId=connector)
            self.world.do("unplug", then, connectorId=connector)

    @rule(connector=connectors, then=pauses)
    def plug_in(self, connector: int, then: float) -> None:
        self.world.do("plug_in", then, connectorId=connector)

    @rule(connector=connectors, then=pauses)
    def unplug(self, connector: int, then: float) -> None:
        self.world.do("unplug", then, connectorId=connector)

    @rule(connector=connectors, then=pauses)
    def unplug_at_the_ev(self, connector: int, then: float) -> None:
        self.world.do("unplug_ev_side", then, connectorId=connector)

    @with_power
    @rule(connector=connectors, id_tag=id_tags, then=pauses)
    def present(self, connector: int, id_tag: str, then: float) -> None:
        self.world.do("present", then, idTag=id_tag, connectorId=connector)

    @with_power
    @rule(id_tag=id_tags, then=pauses)
    def present_at_the_reader(self, id_tag: str, then: float) -> None:
        self.world.do("present", then, idTag=id_tag)

    @while_charging
    @rule(connector=connectors, takes=st.sampled_from(("stop_taking_energy", "take_energy")), then=pauses)
    def let_the_ev_take_energy(self, connector: int, takes: str, then: float) -> None:
        self.world.do(takes, then, connectorId=connector)

    @precondition(lambda self: not self.is_broken)
    @rule(connector=everywhere, code=st.sampled_from(("GroundFailure", "OtherError")), then=pauses)
    def fail(self, connector: int, code: str, then: float) -> None:
        self.is_broken = True
        self.world.do("fail", then, connectorId=connector, errorCode=code)

    @precondition(lambda self: self.is_broken)
    @rule(connector=everywhere, then=pauses)
    def repair(self, connector: int, then: float) -> None:
        self.is_broken = connector != 0
        self.world.do("repair", then, connectorId=connector)

    @rule(connector=connectors, how=st.sampled_from(("prevent_locking", "prevent_unlocking")))
    def spoil_the_lock(self, connector: int, how: str) -> None:
        self.is_broken = True
        self.world.do(how, connectorId=connector)

    @with_power
    @rule(then=pauses)
    def lose_power(self, then: float) -> None:
        self.world.do("lose_power", then)

    @precondition(lambda self: not _has_power(self))
    @rule(then=pauses)
    def regain_power(self, then: float) -> None:
        self.world.do("regain_power", then)

    @precondition(lambda self: self.world.charge_point.network.is_there)
    @rule(then=pauses)
    def lose_connection(self, then: float) -> None:
        self.world.do("lose_connection", then)

    @precondition(lambda self: not self.world.charge_point.network.is_there)
    @rule(then=pauses)
    def restore_connection(self, then: float) -> None:
        self.world.do("restore_connection", then)

    @rule(seconds=st.sampled_from((1.0, 65.0, 600.0)))
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @when_reachable
    @rule(connector=st.none() | connectors, id_tag=id_tags, then=pauses)
    def start_remotely(self, connector: int | None, id_tag: str, then: float) -> None:
        where = {} if connector is None else {"connectorId": connector}
        self.world.ask("RemoteStartTransaction", then, idTag=id_tag, **where)

    @while_charging
    @rule(back=st.integers(0, 2), then=pauses)
    def stop_remotely(self, back: int, then: float) -> None:
        latest = self.world.central_system.store.next_transaction_id - 1
        self.world.ask("RemoteStopTransaction", then, transactionId=latest - back)

    @when_reachable
    @rule(connector=connectors, then=pauses)
    def unlock(self, connector: int, then: float) -> None:
        self.world.ask("UnlockConnector", then, connectorId=connector)

    @when_reachable
    @rule(
        connector=everywhere,
        availability=st.sampled_from(("Operative", "Inoperative")),
        then=pauses,
    )
    def change_availability(self, connector: int, availability: str, then: float) -> None:
        self.world.ask("ChangeAvailability", then, connectorId=connector, type=availability)

    @when_reachable
    @rule(connector=everywhere, id_tag=id_tags, seconds=st.sampled_from((1, 60, 3600)), then=pauses)
    def reserve(self, connector: int, id_tag: str, seconds: int, then: float) -> None:
        expiry = timestamp(self.world.charge_point.now() + timedelta(seconds=seconds))
        self.world.ask("ReserveNow", then, connectorId=connector, expiryDate=expiry, idTag=id_tag)

    @precondition(lambda self: _is_reachable(self) and self.world.charge_point.memory.reservations)
    @rule(back=st.integers(0, 2), then=pauses)
    def cancel_a_reservation(self, back: int, then: float) -> None:
        latest = self.world.central_system.store.next_reservation_id - 1
        self.world.ask("CancelReservation", then, reservationId=latest - back)

    @when_reachable
    @rule(kind=st.sampled_from(("Hard", "Soft")), then=pauses)
    def reset(self, kind: str, then: float) -> None:
        self.world.ask("Reset", then, type=kind)

    @when_reachable
    @rule(then=pauses)
    def update_the_local_list(self, then: float) -> None:
        self.world.update_local_auth_list(then)

    @when_reachable
    @rule(then=pauses)
    def clear_the_cache(self, then: float) -> None:
        self.world.ask("ClearCache", then)

    @when_reachable
    @rule(
        connector=everywhere,
        level=st.integers(0, 2),
        limit=st.sampled_from((0.0, 6.0, 32.0)),
        duration=st.sampled_from((30, 3600)),
        then=pauses,
    )
    def limit_energy(self, connector: int, level: int, limit: float, duration: int, then: float) -> None:
        profile = {
            "chargingProfileId": 10 * connector + level,
            "stackLevel": level,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {
                "duration": duration,
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}, {"startPeriod": 20, "limit": 16.0}],
            },
        }
        self.world.ask("SetChargingProfile", then, connectorId=connector, csChargingProfiles=profile)

    @precondition(lambda self: _is_reachable(self) and self.world.charge_point.memory.charging_profiles)
    @rule(then=pauses)
    def clear_all_limits(self, then: float) -> None:
        self.world.ask("ClearChargingProfile", then)

    @when_reachable
    @rule(
        what=st.sampled_from(("StatusNotification", "MeterValues", "Heartbeat", "FirmwareStatusNotification")),
        connector=st.none() | connectors,
        then=pauses,
    )
    def trigger(self, what: str, connector: int | None, then: float) -> None:
        where = {} if connector is None else {"connectorId": connector}
        self.world.ask("TriggerMessage", then, requestedMessage=what, **where)

    @when_reachable
    @rule(
        change=st.sampled_from(
            (
                ("AllowOfflineTxForUnknownId", "true"),
                ("AuthorizeRemoteTxRequests", "false"),
                ("ClockAlignedDataInterval", "900"),
                ("LocalPreAuthorize", "true"),
                ("MaxEnergyOnInvalidId", "50"),
                ("MeterValueSampleInterval", "10"),
                ("StopTransactionOnEVSideDisconnect", "false"),
                ("StopTransactionOnInvalidId", "false"),
                ("StopTxnSampledData", "Energy.Active.Import.Register,Power.Active.Import"),
                ("UnlockConnectorOnEVSideDisconnect", "false"),
            )
        ),
        then=pauses,
    )
    def configure(self, change: tuple[str, str], then: float) -> None:
        self.world.ask("ChangeConfiguration", then, key=change[0], value=change[1])

    @invariant()
    def nothing_goes_wrong_inside(self) -> None:
        assert self.world.faults() == []

    def teardown(self) -> None:
        try:
            self.world.rest()
        finally:
            left = self.world.end()
        records, promised = self.world.records, self.world.charge_point.promised
        assert self.world.faults() == []
        assert left == []
        keeps(obligations_kept(records))
        keeps(energy_never_falls(records))
        keeps(every_start_has_its_stop(records))
        keeps(statuses_follow_the_table(records))
        keeps(nothing_is_lost(records, promised))
        assert self.world.charge_point.memory.queue == []


def keeps(broken: Iterable[object]) -> None:
    """Raises ``AssertionError`` that tells every breach of a law whole."""
    found = [*broken]
    assert not found, "\n".join(map(str, found))


@pytest.fixture
def pair(calendar: Calendar) -> type[Pair]:
    return type("Pair", (Pair,), {"calendar": calendar})


SEARCH = examples(150, steps=40)


def test_the_laws_hold(pair: type[Pair]) -> None:
    run_state_machine_as_test(pair, settings=SEARCH)


# Of the faults that the test cases find, those that break a law: each is found here too, by nobody who looked for it.
FOUND = {
    "a connector is reported Charging when it is Finishing": "is not in the table of 4.9",
    "a connector that becomes Available does not say so": "is not in the table of 4.9",
    "an interrupted transaction is forgotten": "was never stopped",
    "samples are not queued while offline": "MeterValues",
    "samples bear the transactionId of another transaction": "MeterValues of transaction",
    "new samples are sent before those from the time offline": "MeterValues",
    "a StartTransaction.req from the time offline is lost": "transaction -1",
    "a StopTransaction.req from the time offline is lost": "was never stopped",
    "a StopTransaction.req does not know its transactionId": "was stopped before it was started",
}


@pytest.mark.parametrize("name", FOUND)
def test_a_planted_fault_is_found(pair: type[Pair], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    all_mutants()[name].plant(monkeypatch)
    with pytest.raises(AssertionError, match=FOUND[name]):
        run_state_machine_as_test(pair, settings=until_one_is_found(SEARCH))


def test_a_register_that_starts_anew_is_found(pair: type[Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    start = ChargePoint._start

    def start_anew(self: ChargePoint, reason: str, delay: float) -> None:
        self.memory.registers.clear()
        start(self, reason, delay)

    monkeypatch.setattr(ChargePoint, "_start", start_anew)
    with pytest.raises(AssertionError, match="Wh after"):
        run_state_machine_as_test(pair, settings=until_one_is_found(SEARCH))
