"""Our two parties, come what may: whatever drivers, hands, networks and operators do, in any order, the laws hold."""

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ocppj.clock import Calendar, timestamp
from tests.properties.laws import (
    energy_never_falls,
    every_start_has_its_stop,
    nothing_is_lost,
    obligations_kept,
    statuses_follow_the_table,
)
from tests.properties.searching import examples
from tests.properties.world import ANOTHER, BLOCKED, CONNECTORS, OF_THE_SAME_FAMILY, UNKNOWN, VALID, World

connectors = st.sampled_from(CONNECTORS)
id_tags = st.sampled_from((VALID, VALID, OF_THE_SAME_FAMILY, ANOTHER, BLOCKED, UNKNOWN))
# Seconds until the next thing happens: 0 is in the midst of it, 0.001 when all is said.
pauses = st.sampled_from((0.001, 0.0, 0.001, 0.5, 3.0, 45.0, 70.0))


class Pair(RuleBasedStateMachine):
    """What may happen to a Charge Point, and what may be asked of it."""

    calendar: Calendar

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.calendar)

    @rule(connector=connectors, then=pauses)
    def plug_in(self, connector: int, then: float) -> None:
        self.world.do("plug_in", then, connectorId=connector)

    @rule(connector=connectors, then=pauses)
    def unplug(self, connector: int, then: float) -> None:
        self.world.do("unplug", then, connectorId=connector)

    @rule(connector=connectors, then=pauses)
    def unplug_at_the_ev(self, connector: int, then: float) -> None:
        self.world.do("unplug_ev_side", then, connectorId=connector)

    @rule(connector=connectors, id_tag=id_tags, then=pauses)
    def present(self, connector: int, id_tag: str, then: float) -> None:
        self.world.do("present", then, idTag=id_tag, connectorId=connector)

    @rule(id_tag=id_tags, then=pauses)
    def present_at_the_reader(self, id_tag: str, then: float) -> None:
        self.world.do("present", then, idTag=id_tag)

    @rule(connector=connectors, takes=st.sampled_from(("stop_taking_energy", "take_energy")), then=pauses)
    def let_the_ev_take_energy(self, connector: int, takes: str, then: float) -> None:
        self.world.do(takes, then, connectorId=connector)

    @rule(connector=st.sampled_from((0, *CONNECTORS)), code=st.sampled_from(("GroundFailure", "OtherError")), then=pauses)
    def fail(self, connector: int, code: str, then: float) -> None:
        self.world.do("fail", then, connectorId=connector, errorCode=code)

    @rule(connector=st.sampled_from((0, *CONNECTORS)), then=pauses)
    def repair(self, connector: int, then: float) -> None:
        self.world.do("repair", then, connectorId=connector)

    @rule(connector=connectors, how=st.sampled_from(("prevent_locking", "prevent_unlocking")))
    def spoil_the_lock(self, connector: int, how: str) -> None:
        self.world.do(how, connectorId=connector)

    @rule(then=pauses)
    def lose_power(self, then: float) -> None:
        self.world.do("lose_power", then)

    @rule(then=pauses)
    def regain_power(self, then: float) -> None:
        self.world.do("regain_power", then)

    @rule(then=pauses)
    def lose_connection(self, then: float) -> None:
        self.world.do("lose_connection", then)

    @rule(then=pauses)
    def restore_connection(self, then: float) -> None:
        self.world.do("restore_connection", then)

    @rule(seconds=st.sampled_from((1.0, 65.0, 600.0)))
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @rule(connector=st.none() | connectors, id_tag=id_tags, then=pauses)
    def start_remotely(self, connector: int | None, id_tag: str, then: float) -> None:
        where = {} if connector is None else {"connectorId": connector}
        self.world.ask("RemoteStartTransaction", then, idTag=id_tag, **where)

    @rule(back=st.integers(0, 2), then=pauses)
    def stop_remotely(self, back: int, then: float) -> None:
        latest = self.world.central_system.store.next_transaction_id - 1
        self.world.ask("RemoteStopTransaction", then, transactionId=latest - back)

    @rule(connector=connectors, then=pauses)
    def unlock(self, connector: int, then: float) -> None:
        self.world.ask("UnlockConnector", then, connectorId=connector)

    @rule(
        connector=st.sampled_from((0, *CONNECTORS)), availability=st.sampled_from(("Operative", "Inoperative")), then=pauses
    )
    def change_availability(self, connector: int, availability: str, then: float) -> None:
        self.world.ask("ChangeAvailability", then, connectorId=connector, type=availability)

    @rule(
        connector=st.sampled_from((0, *CONNECTORS)), id_tag=id_tags, seconds=st.sampled_from((1, 60, 3600)), then=pauses
    )
    def reserve(self, connector: int, id_tag: str, seconds: int, then: float) -> None:
        expiry = timestamp(self.world.charge_point.now() + timedelta(seconds=seconds))
        self.world.ask("ReserveNow", then, connectorId=connector, expiryDate=expiry, idTag=id_tag)

    @rule(back=st.integers(0, 2), then=pauses)
    def cancel_a_reservation(self, back: int, then: float) -> None:
        latest = self.world.central_system.store.next_reservation_id - 1
        self.world.ask("CancelReservation", then, reservationId=latest - back)

    @rule(kind=st.sampled_from(("Hard", "Soft")), then=pauses)
    def reset(self, kind: str, then: float) -> None:
        self.world.ask("Reset", then, type=kind)

    @rule(then=pauses)
    def update_the_local_list(self, then: float) -> None:
        self.world.update_local_auth_list(then)

    @rule(then=pauses)
    def clear_the_cache(self, then: float) -> None:
        self.world.ask("ClearCache", then)

    @rule(
        connector=st.sampled_from((0, *CONNECTORS)),
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

    @rule(then=pauses)
    def clear_all_limits(self, then: float) -> None:
        self.world.ask("ClearChargingProfile", then)

    @rule(
        what=st.sampled_from(("StatusNotification", "MeterValues", "Heartbeat", "FirmwareStatusNotification")),
        connector=st.none() | connectors,
        then=pauses,
    )
    def trigger(self, what: str, connector: int | None, then: float) -> None:
        where = {} if connector is None else {"connectorId": connector}
        self.world.ask("TriggerMessage", then, requestedMessage=what, **where)

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
        assert [*obligations_kept(records)] == []
        assert [*energy_never_falls(records)] == []
        assert [*every_start_has_its_stop(records)] == []
        assert [*statuses_follow_the_table(records)] == []
        assert [*nothing_is_lost(records, promised)] == []
        assert self.world.charge_point.memory.queue == []


@pytest.fixture
def pair(calendar: Calendar) -> type[Pair]:
    return type("Pair", (Pair,), {"calendar": calendar})


def test_the_laws_hold(pair: type[Pair]) -> None:
    run_state_machine_as_test(pair, settings=examples(40, steps=40))
