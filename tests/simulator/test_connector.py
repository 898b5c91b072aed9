"""The status table of 4.9, and which status a connector tells when (4.9, 9.1.20, errata 3.19)."""

import asyncio
from typing import Any, get_args

import pytest

from ocppj.errors import LocalMisuse
from ocppj.peer import Refusal
from simulator.connector import TRANSITIONS, Connector, Event, Locked, Status
from simulator.memory import Memory
from simulator.metering import Meter
from tests.simulator.scene import scene

# The table of 4.9 with B6 (errata 3.20), row by row; row I is what `repair` does.
NAMES: dict[str, Status] = {
    "1": "Available",
    "2": "Preparing",
    "3": "Charging",
    "4": "SuspendedEV",
    "5": "SuspendedEVSE",
    "6": "Finishing",
    "7": "Reserved",
    "8": "Unavailable",
    "9": "Faulted",
}
ROWS: dict[Status, str] = {
    "Available": "2345789",
    "Preparing": "134569",
    "Charging": "145689",
    "SuspendedEV": "135689",
    "SuspendedEVSE": "134689",
    "Finishing": "1289",
    "Reserved": "1289",
    "Unavailable": "123459",
}


@pytest.mark.parametrize("status", ROWS)
def test_the_table_is_that_of_the_specification(status: Status) -> None:
    assert set(TRANSITIONS[status].values()) == {NAMES[column] for column in ROWS[status]}


def test_every_status_has_a_row_or_is_faulted() -> None:
    assert {*TRANSITIONS, "Faulted"} == set(get_args(Status))


def connector(on_change: Any = lambda _: None) -> Connector:
    return Connector(1, Meter(1, Memory()), fixed_cable=False, on_change=on_change)


def test_what_the_table_does_not_hold_is_a_bug() -> None:
    with pytest.raises(LocalMisuse, match=r"connector 1 is Available: .* not in the table of 4\.9"):
        connector().happens(Event.TIMED_OUT)


@pytest.mark.parametrize("status", ROWS)
def test_a_fault_covers_any_status_and_uncovers_it_again(status: Status) -> None:
    told: list[str] = []
    it = connector(lambda changed: told.append(f"{changed.status} {changed.error_code}"))
    it.beneath = status
    it.break_down("GroundFailure")
    it.repair()
    it.repair()
    assert told == ["Faulted GroundFailure", f"{status} NoError"]


async def test_plugging_in_and_out() -> None:
    async with scene() as stage:
        await stage.charge_point.plug_in()
        await stage.charge_point.plug_in()
        await stage.charge_point.unplug()
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story() == ["StatusNotification 1 Preparing", "StatusNotification 1 Available"]


async def test_plugging_in_what_is_in_begins_nothing() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        await stage.charge_point.plug_in()
        await stage.charge_point.present("BEEF", 1)
        await stage.pass_time()
        assert stage.charge_point.connectors[1].status == "Charging"  # F2, by the idTag
        assert stage.story() == [
            "StopTransaction Local",
            "StatusNotification 1 Finishing",
            "Authorize",
            "StatusNotification 1 Preparing",
            "StartTransaction",
            "StatusNotification 1 Charging",
        ]


async def test_an_ev_that_comes_back_prepares_a_new_transaction() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.charge_point.unplug_ev_side()
        await stage.charge_point.plug_in_ev_side()
        await stage.pass_time()
        assert stage.story()[-2:] == ["StatusNotification 1 Finishing", "StatusNotification 1 Preparing"]


async def test_the_lock_holds_the_cable_during_a_transaction() -> None:
    async with scene() as stage:
        await stage.charge()
        with pytest.raises(Locked):
            await stage.charge_point.unplug()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        await stage.charge_point.unplug()


async def test_without_a_lock_pulling_the_cable_ends_the_transaction() -> None:
    async with scene() as stage:
        stage.charge_point.connectors[1].has_lock = False
        await stage.charge()
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story() == ["StopTransaction EVDisconnected", "StatusNotification 1 Available"]


async def test_a_plug_that_cannot_be_locked_is_a_fault_until_it_is_taken_out() -> None:
    async with scene() as stage:
        stage.charge_point.connectors[1].cannot_lock = True
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        await stage.charge_point.plug_in()
        await stage.pass_time()
        assert stage.calls("StatusNotification")[-1].payload["errorCode"] == "ConnectorLockFailure"
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story() == [
            "Authorize",
            "StatusNotification 1 Preparing",
            "StatusNotification 1 Faulted",
            "StatusNotification 1 Preparing",
            "StatusNotification 1 Available",
        ]


async def test_an_ev_that_pauses_is_suspended() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.charge_point.ev_stops_taking_energy()
        await stage.charge_point.ev_stops_taking_energy()
        await stage.charge_point.ev_takes_energy()
        await stage.pass_time()
        assert stage.story() == ["StatusNotification 1 SuspendedEV", "StatusNotification 1 Charging"]


async def test_an_ev_that_does_not_want_energy_goes_from_preparing_to_suspended() -> None:
    async with scene() as stage:
        await stage.charge_point.plug_in()
        await stage.charge_point.ev_stops_taking_energy()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert stage.story() == [
            "StatusNotification 1 Preparing",
            "Authorize",
            "StartTransaction",
            "StatusNotification 1 SuspendedEV",
        ]


async def test_a_faulted_connector_starts_nothing() -> None:
    async with scene() as stage:
        await stage.charge_point.fail(1, "GroundFailure")
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time(1)
        (told,) = stage.calls("StatusNotification")
        assert (told.payload["status"], told.payload["errorCode"]) == ("Faulted", "GroundFailure")
        assert stage.story() == ["StatusNotification 1 Faulted"]
        await stage.charge_point.repair(1)
        await stage.pass_time(1)
        assert stage.story() == ["StatusNotification 1 Preparing"]


async def test_a_fault_of_the_whole_charge_point_is_one_of_every_connector() -> None:
    async with scene(connectors=2) as stage:
        await stage.charge(2)
        await stage.charge_point.fail(0)
        await stage.charge_point.repair(0)
        await stage.pass_time()
        assert stage.story() == [
            "StatusNotification 0 Faulted",
            "StatusNotification 1 Faulted",
            "StatusNotification 2 Faulted",
            "StatusNotification 0 Available",
            "StatusNotification 1 Available",
            "StatusNotification 2 Charging",
        ]


async def test_a_transaction_can_be_stopped_during_a_fault() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.charge_point.fail(1)
        await stage.charge_point.present("CAFE")
        await stage.charge_point.repair(1)
        await stage.pass_time()
        await stage.charge_point.repair(1)
        await stage.pass_time()
        assert stage.story()[0] == "StatusNotification 1 Faulted"
        assert stage.charge_point.connectors[1].status == "Finishing"


async def test_a_status_of_short_duration_is_not_told() -> None:
    async with scene() as stage:
        await stage.change(MinimumStatusDuration=10)
        began = asyncio.get_running_loop().time()
        await stage.charge_point.plug_in()
        await stage.pass_time(5)
        await stage.charge_point.unplug()
        await stage.pass_time(5)
        await stage.charge_point.plug_in()
        await stage.pass_time(50)
        (told,) = stage.calls("StatusNotification")
        assert told.payload["status"] == "Preparing"
        assert told.at - began == pytest.approx(20, abs=0.01)
        stage.seen.clear()
        await stage.charge_point.ev_stops_taking_energy()
        await stage.charge_point.unplug()
        await stage.charge_point.plug_in()
        await stage.pass_time(50)
        assert stage.story() == []


async def test_a_refused_notification_is_not_repeated() -> None:
    async with scene() as stage:
        stage.central_system.script.answer_next("StatusNotification", Refusal("InternalError"))
        await stage.charge_point.plug_in()
        await stage.pass_time(1)
        await stage.central_system.hang_up()
        await stage.pass_time(5)
        assert stage.story() == ["StatusNotification 1 Preparing"]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, ["StatusNotification 1 {}"]),
        (0, ["StatusNotification 0 {}", "StatusNotification 1 {}", "StatusNotification 2 {}"]),
    ],
)
async def test_availability_is_changed_and_told_afterwards(number: int, told: list[str]) -> None:
    async with scene(connectors=2) as stage:
        for kind, status in (("Inoperative", "Unavailable"), ("Operative", "Available")):
            assert await stage.ask("ChangeAvailability", connectorId=number, type=kind) == {"status": "Accepted"}
            assert stage.story() == ["ChangeAvailability.conf Accepted", *(line.format(status) for line in told)]
            assert await stage.ask("ChangeAvailability", connectorId=number, type=kind) == {"status": "Accepted"}
            assert stage.story() == ["ChangeAvailability.conf Accepted"]


async def test_an_unknown_connector_has_no_availability() -> None:
    async with scene() as stage:
        assert await stage.ask("ChangeAvailability", connectorId=2, type="Inoperative") == {"status": "Rejected"}


async def test_availability_waits_for_the_transaction_and_the_cable() -> None:
    async with scene(connectors=2) as stage:
        await stage.charge(1)
        assert await stage.ask("ChangeAvailability", connectorId=0, type="Inoperative") == {"status": "Scheduled"}
        assert await stage.ask("ChangeAvailability", connectorId=0, type="Inoperative") == {"status": "Scheduled"}
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time()
        await stage.charge_point.unplug(1)
        await stage.pass_time()
        assert stage.story() == [
            "ChangeAvailability.conf Scheduled",
            "StatusNotification 2 Unavailable",
            "ChangeAvailability.conf Scheduled",
            "StopTransaction Local",
            "StatusNotification 1 Finishing",
            "StatusNotification 0 Unavailable",
            "StatusNotification 1 Unavailable",
        ]


async def test_a_scheduled_change_can_be_taken_back() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.ask("ChangeAvailability", connectorId=1, type="Inoperative")
        assert await stage.ask("ChangeAvailability", connectorId=1, type="Operative") == {"status": "Accepted"}
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story()[-1] == "StatusNotification 1 Available"


async def test_an_unavailable_connector_charges_nobody() -> None:
    async with scene() as stage:
        await stage.ask("ChangeAvailability", connectorId=1, type="Inoperative")
        stage.seen.clear()
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.charge_point.present("CAFE", 1)
        assert await stage.ask("RemoteStartTransaction", idTag="CAFE") == {"status": "Rejected"}
        assert stage.story() == ["RemoteStartTransaction.conf Rejected"]
        await stage.ask("ChangeAvailability", connectorId=1, type="Operative")
        assert stage.story() == ["ChangeAvailability.conf Accepted", "StatusNotification 1 Preparing"]  # H2


async def test_preparing_ends_before_unavailability_begins() -> None:
    async with scene() as stage:
        await stage.charge_point.plug_in()
        assert await stage.ask("ChangeAvailability", connectorId=1, type="Inoperative") == {"status": "Scheduled"}
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story() == [
            "StatusNotification 1 Preparing",
            "ChangeAvailability.conf Scheduled",
            "StatusNotification 1 Available",
            "StatusNotification 1 Unavailable",
        ]


@pytest.mark.parametrize("kind", ["Hard", "Soft"])
async def test_unavailability_outlives_a_reset(kind: str) -> None:
    async with scene(connectors=2) as stage:
        await stage.ask("ChangeAvailability", connectorId=1, type="Inoperative")
        await stage.ask("Reset", type=kind)
        stage.seen.clear()
        await stage.pass_time(10)
        assert stage.story() == [
            "BootNotification",
            "StatusNotification 0 Available",
            "StatusNotification 1 Unavailable",
            "StatusNotification 2 Available",
        ]


async def test_unlock_connector() -> None:
    async with scene(connectors=2) as stage:
        assert await stage.ask("UnlockConnector", connectorId=1) == {"status": "Unlocked"}
        assert await stage.ask("UnlockConnector", connectorId=3) == {"status": "NotSupported"}
        stage.charge_point.connectors[1].lock_fails = True
        stage.charge_point.connectors[2].has_lock = False
        assert await stage.ask("UnlockConnector", connectorId=1) == {"status": "UnlockFailed"}
        assert await stage.ask("UnlockConnector", connectorId=2) == {"status": "NotSupported"}


async def test_unlocking_ends_the_transaction_first() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.ask("UnlockConnector", connectorId=1)
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story() == [
            "UnlockConnector.conf Unlocked",
            "StopTransaction UnlockCommand",
            "StatusNotification 1 Finishing",
            "StatusNotification 1 Available",
        ]


async def test_a_lock_that_fails_keeps_the_cable_and_the_transaction_ends() -> None:
    async with scene() as stage:
        await stage.charge()
        stage.charge_point.connectors[1].lock_fails = True
        assert await stage.ask("UnlockConnector", connectorId=1) == {"status": "UnlockFailed"}
        assert "StopTransaction UnlockCommand" in stage.story()
        with pytest.raises(Locked):
            await stage.charge_point.unplug()


async def test_a_fixed_cable_is_not_unlocked_and_its_transaction_goes_on() -> None:
    async with scene(fixed_cable=True) as stage:
        assert stage.charge_point.connectors[1].is_idle
        await stage.charge()
        assert await stage.ask("UnlockConnector", connectorId=1) == {"status": "NotSupported"}
        assert stage.charge_point.connectors[1].status == "Charging"
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story()[1:] == [
            "StatusNotification 1 SuspendedEV",
            "StopTransaction EVDisconnected",
            "StatusNotification 1 Available",
        ]


async def test_unavailability_outlives_a_power_cut() -> None:
    async with scene(connectors=2) as stage:
        await stage.ask("ChangeAvailability", connectorId=0, type="Inoperative")
        stage.story()
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(3)
        assert stage.story() == [
            "BootNotification",
            "StatusNotification 0 Unavailable",
            "StatusNotification 1 Unavailable",
            "StatusNotification 2 Unavailable",
        ]


async def test_a_fault_outlives_a_power_cut() -> None:
    async with scene() as stage:
        await stage.charge_point.fail(1, "GroundFailure")
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(3)
        assert stage.calls("StatusNotification")[-1].payload["errorCode"] == "GroundFailure"
