"""Reservations: 3.11, 4.8, 4.9 (rows A7, G), 5.1, 5.13, errata 4.12."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ocppj.clock import timestamp
from ocppj.errors import Refused
from ocppj.frames import Payload
from simulator.charge_point import PROFILES
from simulator.memory import Memory
from tests.simulator.scene import Scene, scene

FAMILY = {"status": "Accepted", "parentIdTag": "FAMILY"}
RESERVED = ["ReserveNow.conf Accepted", "StatusNotification 1 Reserved"]
BEGINS = ["StartTransaction", "StatusNotification 1 Charging"]


def later(seconds: float) -> str:
    return timestamp(datetime.now(UTC) + timedelta(seconds=seconds))


async def reserve(stage: Scene, connector: int = 1, number: int = 7, lasts: float = 3600, **more: Any) -> str:
    request: Payload = {"idTag": "CAFE", "expiryDate": later(lasts), **more}
    conf = await stage.ask("ReserveNow", connectorId=connector, reservationId=number, **request)
    return str(conf["status"])


async def reserved(stage: Scene, connector: int = 1, **more: Any) -> None:
    assert await reserve(stage, connector, **more) == "Accepted"
    stage.seen.clear()


def ended_by(stage: Scene) -> object:
    return stage.calls("StartTransaction")[-1].payload.get("reservationId")


def statuses(stage: Scene) -> list[str]:
    return [it.status for it in stage.charge_point.connectors.values()]


# --- one connector


async def test_the_reserved_idtag_uses_the_connector() -> None:
    async with scene() as stage:
        assert await reserve(stage) == "Accepted"
        assert stage.story() == RESERVED
        await stage.charge_point.present("cafe", 1)
        await stage.pass_time()
        assert stage.story() == ["Authorize", "StatusNotification 1 Preparing"]
        await stage.charge_point.plug_in(1)
        await stage.pass_time()
        assert ended_by(stage) == 7
        assert stage.story() == BEGINS
        assert stage.charge_point.memory.reservations == []


async def test_a_cable_does_not_end_reserved_and_nobody_else_is_asked_about() -> None:
    async with scene() as stage:
        await reserved(stage)
        await stage.charge_point.plug_in(1)
        await stage.charge_point.present("BEEF", 1)
        await stage.charge_point.present("BEEF")
        await stage.pass_time()
        assert stage.story() == []
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time()
        assert stage.story() == ["Authorize", "StatusNotification 1 Preparing", *BEGINS]


async def test_a_reader_for_all_finds_the_reserved_connector() -> None:
    async with scene(connectors=2) as stage:
        await reserved(stage, 2)
        await stage.charge_point.present("BEEF")
        await stage.pass_time()
        assert stage.story() == ["Authorize", "StatusNotification 1 Preparing"]
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert stage.story() == ["Authorize", "StatusNotification 2 Preparing"]


async def test_a_remote_start_uses_it_and_another_is_rejected() -> None:
    async with scene(connectors=2) as stage:
        await reserved(stage, 2)
        await stage.charge_point.plug_in(2)
        conf = await stage.ask("RemoteStartTransaction", idTag="BEEF", connectorId=2)
        assert conf == {"status": "Rejected"}
        stage.seen.clear()
        assert await stage.ask("RemoteStartTransaction", idTag="CAFE") == {"status": "Accepted"}
        assert ended_by(stage) == 7
        assert stage.calls("StartTransaction")[0].payload["connectorId"] == 2


async def test_another_transaction_of_the_holder_leaves_it() -> None:
    async with scene(connectors=2) as stage:
        await reserved(stage, 1)
        await stage.charge_point.plug_in(2)
        await stage.charge_point.present("CAFE", 2)
        await stage.pass_time()
        assert ended_by(stage) is None
        assert statuses(stage) == ["Reserved", "Charging"]


@pytest.mark.parametrize("asks", [True, False])
async def test_the_group_may_use_it(asks: bool) -> None:
    async with scene() as stage:
        stage.central_system.id_tags["beef"] = FAMILY
        await stage.change(AuthorizeRemoteTxRequests=asks)
        await reserved(stage, parentIdTag="family")
        await stage.charge_point.plug_in(1)
        assert await stage.ask("RemoteStartTransaction", idTag="BEEF", connectorId=1) == {"status": "Accepted"}
        assert stage.calls("Authorize")[0].payload == {"idTag": "BEEF"}  # 5.13: asked, whatever the key says
        assert ended_by(stage) == 7


async def test_the_group_may_be_looked_up() -> None:
    async with scene() as stage:
        stage.charge_point.authorization.learn("BEEF", dict(FAMILY))
        await reserved(stage, parentIdTag="FAMILY")
        await stage.charge_point.present("BEEF", 1)  # errata 4.12: the Central System need not tell the group
        await stage.pass_time()
        assert stage.story() == ["Authorize", "StatusNotification 1 Preparing"]


@pytest.mark.parametrize("info", [{"status": "Accepted"}, {"status": "Accepted", "parentIdTag": "FOES"}])
async def test_another_group_may_not(info: Payload) -> None:
    async with scene() as stage:
        stage.central_system.id_tags["beef"] = info
        await reserved(stage, parentIdTag="FAMILY")
        await stage.charge_point.present("BEEF", 1)
        await stage.pass_time()
        assert stage.story() == ["Authorize"]


async def test_it_expires() -> None:
    async with scene() as stage:
        await reserved(stage, lasts=60)
        await stage.pass_time(59.9)
        assert stage.story() == []
        await stage.pass_time(0.2)
        assert stage.story() == ["StatusNotification 1 Available"]
        await stage.charge(1, "BEEF")
        assert stage.charge_point.memory.reservations == []


async def test_a_cable_that_was_put_in_meanwhile_begins_usage() -> None:
    async with scene() as stage:
        await reserved(stage, lasts=60)
        await stage.charge_point.plug_in(1)
        await stage.pass_time(61)
        assert stage.story() == ["StatusNotification 1 Available", "StatusNotification 1 Preparing"]


async def test_one_that_is_over_before_it_begins() -> None:
    async with scene() as stage:
        assert await reserve(stage, lasts=-1) == "Accepted"
        assert statuses(stage) == ["Available"]
        assert stage.charge_point.memory.reservations == []


async def test_an_expiry_that_no_clock_shows() -> None:
    async with scene() as stage:
        with pytest.raises(Refused, match="PropertyConstraintViolation"):
            await reserve(stage, expiryDate="2031-06-30T23:59:60Z")


async def test_who_comes_too_late_for_it_still_may_charge() -> None:
    async with scene() as stage:
        await reserved(stage, lasts=10)
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time(20)
        await stage.charge_point.plug_in(1)
        await stage.pass_time()
        assert ended_by(stage) is None


async def test_who_leaves_again_leaves_it_reserved() -> None:
    async with scene() as stage:
        await reserved(stage)
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time()
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time()
        told = ["Preparing", "Available", "Reserved"]
        assert stage.story() == ["Authorize", *(f"StatusNotification 1 {status}" for status in told)]


async def test_it_is_cancelled() -> None:
    async with scene() as stage:
        await reserved(stage)
        assert await stage.ask("CancelReservation", reservationId=8) == {"status": "Rejected"}
        assert await stage.ask("CancelReservation", reservationId=7) == {"status": "Accepted"}
        assert await stage.ask("CancelReservation", reservationId=7) == {"status": "Rejected"}
        answers = [f"CancelReservation.conf {status}" for status in ("Rejected", "Accepted", "Rejected")]
        assert stage.story() == [*answers[:2], "StatusNotification 1 Available", answers[2]]


async def test_the_same_id_replaces_it() -> None:
    async with scene(connectors=2) as stage:
        await reserved(stage, 1, lasts=60)
        await reserved(stage, 1, idTag="BEEF", lasts=600)
        await stage.pass_time(120)
        assert stage.story() == []
        assert await reserve(stage, 2, idTag="BEEF") == "Accepted"
        answer, *told = stage.story()
        assert answer == "ReserveNow.conf Accepted"
        assert sorted(told) == ["StatusNotification 1 Available", "StatusNotification 2 Reserved"]
        await stage.charge_point.fail(1)
        assert await reserve(stage, 1) == "Faulted"
        assert statuses(stage) == ["Faulted", "Reserved"]  # what cannot be replaced stays


# --- refusals


async def inoperative(stage: Scene, connector: int) -> None:
    await stage.ask("ChangeAvailability", connectorId=connector, type="Inoperative")


async def test_what_cannot_be_reserved() -> None:
    async with scene(connectors=2) as stage:
        assert await reserve(stage, 3) == "Rejected"
        await stage.charge_point.plug_in(1)
        assert await reserve(stage, 1) == "Occupied"
        await stage.charge_point.fail(1)
        assert await reserve(stage, 1) == "Faulted"
        await stage.charge_point.repair(1)
        await inoperative(stage, 2)
        assert await reserve(stage, 2) == "Unavailable"
        assert await reserve(stage, 0) == "Occupied"
        await stage.charge_point.unplug(1)
        await reserved(stage, 1)
        assert await reserve(stage, 1, number=8) == "Occupied"
        assert await reserve(stage, 0, number=8) == "Occupied"


@pytest.mark.parametrize("status", ["Faulted", "Unavailable", "Occupied"])
async def test_a_charge_point_that_cannot_be_reserved(status: str) -> None:
    async with scene(connectors=2) as stage:
        if status == "Faulted":
            await stage.charge_point.fail(0)
        elif status == "Unavailable":
            await inoperative(stage, 0)
        else:
            await stage.charge_point.plug_in(1)
            await stage.charge_point.plug_in(2)
        assert await reserve(stage, 0) == status


async def test_connector_0_where_that_is_not_supported() -> None:
    async with scene() as stage:
        stage.charge_point.configuration.set("ReserveConnectorZeroSupported", "false")
        assert await reserve(stage, 0) == "Rejected"


async def test_a_charge_point_without_the_profile() -> None:
    async with scene(profiles=[profile for profile in PROFILES if profile != "Reservation"]) as stage:
        assert await reserve(stage) == "Rejected"
        assert await stage.ask("CancelReservation", reservationId=7) == {"status": "Rejected"}


# --- what ends it


async def test_a_fault_ends_it() -> None:
    async with scene(connectors=2) as stage:
        await reserved(stage, 1)
        await stage.charge_point.fail(1)
        await stage.charge_point.repair(1)
        await stage.pass_time()
        assert stage.story() == ["StatusNotification 1 Faulted", "StatusNotification 1 Available"]
        assert stage.charge_point.memory.reservations == []


@pytest.mark.parametrize("concerned", [0, 1])
async def test_a_change_of_availability_ends_it_at_once(concerned: int) -> None:
    async with scene() as stage:
        await reserved(stage)
        assert await stage.ask("ChangeAvailability", connectorId=concerned, type="Inoperative") == {
            "status": "Accepted"
        }
        assert stage.story()[-1] == "StatusNotification 1 Unavailable"
        assert stage.charge_point.memory.reservations == []


async def test_a_reboot_does_not() -> None:
    async with scene() as stage:
        await reserved(stage, lasts=600)
        await stage.charge_point.lose_power()
        stage.charge_point.memory = Memory.from_dict(stage.charge_point.memory.as_dict())
        await stage.charge_point.regain_power()
        await stage.pass_time(10)
        assert stage.story()[-1] == "StatusNotification 1 Reserved"
        await stage.pass_time(600)
        assert stage.story() == ["StatusNotification 1 Available"]


async def test_it_expires_without_power() -> None:
    async with scene() as stage:
        await reserved(stage, lasts=60)
        await stage.charge_point.lose_power()
        await stage.pass_time(120)
        await stage.charge_point.regain_power()
        await stage.pass_time(10)
        assert statuses(stage) == ["Available"]


# --- connector 0


async def test_no_connector_in_particular_while_there_are_enough() -> None:
    async with scene(connectors=2) as stage:
        assert await reserve(stage, 0) == "Accepted"
        assert stage.story() == ["ReserveNow.conf Accepted"]
        await stage.charge_point.plug_in(1)
        await stage.charge_point.present("BEEF", 1)
        await stage.pass_time()
        assert statuses(stage) == ["Charging", "Reserved"]
        await stage.charge_point.present("BEEF", 2)
        await stage.pass_time()
        assert len(stage.calls("Authorize")) == 1
        await stage.charge_point.plug_in(2)
        await stage.charge_point.present("CAFE", 2)
        await stage.pass_time()
        assert ended_by(stage) == 7


async def test_its_holder_may_use_any() -> None:
    async with scene(connectors=2) as stage:
        await reserved(stage, 0)
        await stage.charge_point.present("CAFE", 2)
        await stage.pass_time()
        assert statuses(stage) == ["Available", "Preparing"]  # he has one: no other is kept for him
        await stage.charge_point.plug_in(2)
        await stage.pass_time()
        assert ended_by(stage) == 7
        assert statuses(stage) == ["Available", "Charging"]


async def test_the_last_one_is_reserved_until_the_end() -> None:
    async with scene() as stage:
        assert await reserve(stage, 0, lasts=60) == "Accepted"
        assert stage.story() == RESERVED
        await stage.pass_time(61)
        assert stage.story() == ["StatusNotification 1 Available"]


async def test_as_many_as_there_are_reservations() -> None:
    async with scene(connectors=3) as stage:
        await reserved(stage, 0, number=1)
        await reserved(stage, 0, number=2)
        await reserved(stage, 3, number=3)
        assert statuses(stage) == ["Reserved"] * 3
        assert await reserve(stage, 0, number=4) == "Occupied"
        await stage.ask("CancelReservation", reservationId=1)
        assert statuses(stage).count("Available") == 1


async def test_a_fault_of_the_last_one_only_suspends_it() -> None:
    async with scene() as stage:
        await reserved(stage, 0)
        await stage.charge_point.fail(1)
        await stage.charge_point.repair(1)
        assert statuses(stage) == ["Reserved"]
        await stage.charge_point.fail(0)
        await stage.charge_point.repair(0)
        assert statuses(stage) == ["Available"]
