"""Starting and stopping at the Charge Point and from afar: 3.10, 4.1, 4.9, 4.10, 5.11, 5.12, 9.1.6, errata 3.5."""

import asyncio
from typing import Any

import pytest

from ocppj.clock import timestamp
from ocppj.errors import Refused
from ocppj.frames import Payload
from ocppj.peer import Silence
from simulator.connector import Locked
from tests.simulator.scene import Scene, scene

BEGIN = ["StartTransaction", "StatusNotification 1 Charging"]
GROUP = {"status": "Accepted", "parentIdTag": "FAMILY"}
INVALID = {"status": "Invalid"}


async def preparing(stage: Scene) -> None:
    """An idTag was presented and the connector waits for the cable."""
    await stage.charge_point.present("CAFE")
    await stage.pass_time()
    assert stage.story() == ["Authorize", "StatusNotification 1 Preparing"]


async def test_the_cable_first() -> None:
    async with scene() as stage:
        now = timestamp()
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert stage.calls("StartTransaction")[0].payload == {
            "connectorId": 1,
            "idTag": "CAFE",
            "meterStart": 0,
            "timestamp": now,
        }
        assert stage.story() == ["StatusNotification 1 Preparing", "Authorize", *BEGIN]


async def test_the_id_tag_first() -> None:
    async with scene() as stage:
        await preparing(stage)
        await stage.charge_point.plug_in()
        await stage.pass_time()
        assert stage.story() == BEGIN


async def test_an_id_tag_that_is_not_accepted_starts_nothing() -> None:
    async with scene() as stage:
        stage.central_system.id_tags["cafe"] = INVALID
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time(1)
        assert stage.story() == ["Authorize", "StatusNotification 1 Preparing", "Authorize"]


async def test_no_cable_within_the_time() -> None:
    async with scene() as stage:
        await stage.change(ConnectionTimeOut=20)
        await preparing(stage)
        began = asyncio.get_running_loop().time()
        await stage.pass_time(30)
        (told,) = stage.calls("StatusNotification")
        assert told.at - began == pytest.approx(20, abs=0.01)
        await stage.charge_point.plug_in()
        await stage.pass_time()
        assert stage.story() == ["StatusNotification 1 Available", "StatusNotification 1 Preparing"]


async def test_no_id_tag_within_the_time() -> None:
    async with scene() as stage:
        await stage.change(ConnectionTimeOut=20)
        await stage.charge_point.plug_in()
        await stage.pass_time(30)
        await stage.charge_point.present("CAFE")  # B6: starts nothing with this cable
        await stage.pass_time(30)
        assert stage.story() == ["StatusNotification 1 Preparing", "StatusNotification 1 Finishing"]
        await stage.charge_point.unplug()
        await stage.charge_point.plug_in()
        await stage.pass_time()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert stage.story() == [
            "StatusNotification 1 Available",
            "StatusNotification 1 Preparing",
            "Authorize",
            *BEGIN,
        ]


async def test_the_time_of_an_earlier_preparation_does_not_count() -> None:
    async with scene() as stage:
        await stage.charge_point.plug_in()
        await stage.pass_time(50)
        await stage.charge_point.unplug()
        await stage.charge_point.plug_in()
        await stage.pass_time(30)
        assert stage.charge_point.connectors[1].status == "Preparing"


async def test_an_id_tag_presented_twice_ends_the_preparation() -> None:
    async with scene() as stage:
        await preparing(stage)
        await stage.charge_point.present("cafe")
        await stage.pass_time()
        await stage.charge_point.plug_in()
        await stage.pass_time()
        assert stage.story() == ["StatusNotification 1 Available", "StatusNotification 1 Preparing"]


async def test_the_same_id_tag_stops_without_authorization() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.charge_point.present("cafe")
        await stage.pass_time()
        payload = stage.calls("StopTransaction")[0].payload
        assert (payload["transactionId"], payload["idTag"], payload["reason"]) == (1, "cafe", "Local")
        assert "transactionData" not in payload
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story() == [
            "StopTransaction Local",
            "StatusNotification 1 Finishing",
            "StatusNotification 1 Available",
        ]


@pytest.mark.parametrize(
    ("other", "story"),
    [
        (GROUP, ["Authorize", "StopTransaction Local", "StatusNotification 1 Finishing"]),
        (
            {"status": "Accepted", "parentIdTag": "family"},
            ["Authorize", "StopTransaction Local", "StatusNotification 1 Finishing"],
        ),
        ({"status": "Accepted", "parentIdTag": "OTHERS"}, ["Authorize"]),
        ({"status": "Accepted"}, ["Authorize"]),
        ({"status": "Blocked", "parentIdTag": "FAMILY"}, ["Authorize"]),
    ],
)
async def test_another_id_tag_stops_only_within_the_group(other: Payload, story: list[str]) -> None:
    async with scene() as stage:
        stage.central_system.id_tags.update({"cafe": GROUP, "beef": other})
        await stage.charge()
        await stage.charge_point.present("BEEF")
        await stage.pass_time()
        assert stage.story() == story


async def test_without_a_group_another_id_tag_is_not_even_asked_about() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.charge_point.present("BEEF")
        await stage.charge_point.present("BEEF", 1)
        await stage.pass_time(1)
        assert stage.story() == []


async def test_the_reader_serves_whoever_waits_and_then_who_is_free() -> None:
    async with scene(connectors=3) as stage:
        await stage.charge(1, "CAFE")
        await stage.charge_point.plug_in(3)
        await stage.charge_point.present("BEEF")
        await stage.pass_time()
        assert stage.calls("StartTransaction")[-1].payload["connectorId"] == 3
        await stage.charge_point.present("FEED")
        await stage.pass_time()
        assert stage.charge_point.connectors[2].status == "Preparing"
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert stage.charge_point.connectors[1].status == "Finishing"


async def test_after_a_transaction_the_next_one_needs_no_new_cable() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        stage.seen.clear()
        await stage.charge_point.present("BEEF")
        await stage.pass_time()
        assert stage.story() == ["Authorize", "StatusNotification 1 Preparing", *BEGIN]


@pytest.mark.parametrize("unlocks", [True, False])
async def test_pulling_the_cable_out_of_the_ev_stops(unlocks: bool) -> None:
    async with scene() as stage:
        await stage.change(UnlockConnectorOnEVSideDisconnect=unlocks)
        await stage.charge()
        await stage.charge_point.unplug_ev_side()
        await stage.pass_time()
        infos = [seen.payload.get("info") for seen in stage.calls("StatusNotification")]
        assert infos == ["EV side disconnected", "EV side disconnected"]
        assert stage.story() == [
            "StatusNotification 1 SuspendedEV",
            "StopTransaction EVDisconnected",
            "StatusNotification 1 Finishing",
        ]
        if not unlocks:
            with pytest.raises(Locked):
                await stage.charge_point.unplug()
            await stage.charge_point.present("CAFE")
            await stage.pass_time()
        await stage.charge_point.unplug()
        await stage.pass_time()
        (told,) = stage.calls("StatusNotification")
        assert told.payload["status"] == "Available"
        assert "info" not in told.payload


async def test_pulling_the_cable_out_of_the_ev_only_suspends() -> None:
    async with scene() as stage:
        await stage.change(StopTransactionOnEVSideDisconnect=False)
        await stage.charge()
        await stage.charge_point.unplug_ev_side()
        await stage.pass_time()
        assert stage.calls("StatusNotification")[0].payload["info"] == "EV side disconnected"
        with pytest.raises(Locked):
            await stage.charge_point.unplug()
        await stage.charge_point.plug_in_ev_side()
        await stage.pass_time()
        assert stage.story() == ["StatusNotification 1 SuspendedEV", "StatusNotification 1 Charging"]


# StopTransactionOnEVSideDisconnect, UnlockConnectorOnEVSideDisconnect, a fixed cable; the status then, its info told,
# whether the transaction is over, whether the cable is held (4.9, 4.10, 9.1.33 with errata 3.85).
DISCONNECTED = [
    (True, True, False, "Finishing", True, False),
    (True, False, False, "Finishing", True, True),
    (False, True, False, "SuspendedEV", False, True),
    (False, False, False, "SuspendedEV", False, True),
    (True, None, True, "Available", True, False),
    (False, None, True, "SuspendedEV", False, False),
]


@pytest.mark.parametrize(("stops", "unlocks", "fixed", "status", "over", "held"), DISCONNECTED)
async def test_the_ev_is_disconnected(
    stops: bool, unlocks: bool | None, fixed: bool, status: str, over: bool, held: bool
) -> None:
    async with scene(fixed_cable=fixed) as stage:
        await stage.change(StopTransactionOnEVSideDisconnect=stops)
        if unlocks is not None:
            await stage.change(UnlockConnectorOnEVSideDisconnect=unlocks)
        await stage.charge()
        await stage.charge_point.unplug_ev_side()
        await stage.pass_time()
        told = stage.calls("StatusNotification")[-1].payload
        assert (told["status"], told["info"], told["errorCode"]) == (status, "EV side disconnected", "NoError")
        assert [seen.payload["reason"] for seen in stage.calls("StopTransaction")] == ["EVDisconnected"] * over
        assert stage.charge_point.connectors[1].locked == held


@pytest.mark.parametrize("unlocks", [True, False])
async def test_a_disconnected_ev_and_a_remote_stop(unlocks: bool) -> None:
    """5.12: a remote stop is a local one, and the end of a transaction unlocks (4.10)."""
    async with scene() as stage:
        await stage.change(StopTransactionOnEVSideDisconnect=False, UnlockConnectorOnEVSideDisconnect=unlocks)
        await stage.charge()
        await stage.charge_point.unplug_ev_side()
        await stage.pass_time()
        stage.seen.clear()
        await stage.ask("RemoteStopTransaction", transactionId=1)
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story() == [
            "RemoteStopTransaction.conf Accepted",
            "StopTransaction Remote",
            "StatusNotification 1 Finishing",
            "StatusNotification 1 Available",
        ]


async def test_a_cable_that_is_kept_can_be_unlocked_from_afar() -> None:
    async with scene() as stage:
        await stage.change(UnlockConnectorOnEVSideDisconnect=False)
        await stage.charge()
        await stage.charge_point.unplug_ev_side()
        await stage.pass_time()
        assert await stage.ask("UnlockConnector", connectorId=1) == {"status": "Unlocked"}
        await stage.charge_point.unplug()


async def test_a_fixed_cable_has_nothing_to_unlock_and_goes_on_charging() -> None:
    async with scene(fixed_cable=True) as stage:
        assert await stage.ask("UnlockConnector", connectorId=1) == {"status": "NotSupported"}
        await stage.charge()
        assert await stage.ask("UnlockConnector", connectorId=1) == {"status": "NotSupported"}
        assert stage.story() == ["UnlockConnector.conf NotSupported"]


async def test_without_a_reader_nobody_can_be_identified() -> None:
    async with scene(reader=False) as stage:
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert stage.story() == []
        await stage.charge_point.plug_in()
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        assert stage.story()[-2:] == BEGIN


async def test_the_parent_of_a_cached_id_tag_is_enough_to_stop() -> None:
    """4.1: what the cache knows need not be asked about; 9.1.13 is about just that."""
    async with scene() as stage:
        stage.central_system.id_tags.update({"cafe": GROUP, "beef": GROUP})
        for _ in range(2):  # to begin, and to give it up
            await stage.charge_point.present("BEEF")
            await stage.pass_time()
        await stage.charge()
        await stage.change(LocalPreAuthorize=True)
        await stage.charge_point.present("BEEF")
        await stage.pass_time()
        assert stage.story() == ["StopTransaction Local", "StatusNotification 1 Finishing"]


async def test_a_parent_id_tag_is_not_compared_with_what_is_presented() -> None:
    """3.10: it need not even be an idTag."""
    async with scene() as stage:
        stage.central_system.id_tags.update({"cafe": GROUP, "family": {"status": "Accepted"}})
        await stage.charge()
        await stage.charge_point.present("FAMILY")
        await stage.pass_time()
        assert stage.story() == ["Authorize"]


@pytest.mark.parametrize("authorizes", [True, False])
async def test_a_remote_start_with_the_cable_in(authorizes: bool) -> None:
    async with scene() as stage:
        await stage.change(AuthorizeRemoteTxRequests=authorizes)
        await stage.charge_point.plug_in()
        await stage.ask("RemoteStartTransaction", idTag="CAFE", connectorId=1)
        assert stage.story() == [
            "StatusNotification 1 Preparing",
            "RemoteStartTransaction.conf Accepted",
            *(["Authorize"] if authorizes else []),
            *BEGIN,
        ]


@pytest.mark.parametrize("authorizes", [True, False])
async def test_a_remote_start_before_the_cable(authorizes: bool) -> None:
    async with scene() as stage:
        await stage.change(AuthorizeRemoteTxRequests=authorizes)
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        await stage.charge_point.plug_in()
        await stage.pass_time()
        assert stage.story() == [
            "RemoteStartTransaction.conf Accepted",
            *(["Authorize"] if authorizes else []),
            "StatusNotification 1 Preparing",
            *BEGIN,
        ]


async def test_a_remote_start_times_out() -> None:
    async with scene() as stage:
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        await stage.pass_time(61)
        assert stage.story()[-2:] == ["StatusNotification 1 Preparing", "StatusNotification 1 Available"]


async def test_a_remote_start_with_an_invalid_id_tag() -> None:
    async with scene() as stage:
        stage.central_system.id_tags["cafe"] = INVALID
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        await stage.charge_point.plug_in()
        await stage.pass_time()
        assert stage.story() == [
            "RemoteStartTransaction.conf Accepted",
            "Authorize",
            "StatusNotification 1 Preparing",
        ]


async def charging(stage: Scene) -> None:
    await stage.charge()


async def faulted(stage: Scene) -> None:
    await stage.charge_point.fail(1)


async def unavailable(stage: Scene) -> None:
    await stage.ask("ChangeAvailability", connectorId=1, type="Inoperative")


async def waiting_for_a_cable(stage: Scene) -> None:
    await preparing(stage)


async def asking_about_another(stage: Scene) -> None:
    stage.central_system.script.answer_next("Authorize", Silence())
    await stage.ask("RemoteStartTransaction", idTag="BEEF")


@pytest.mark.parametrize("state", [charging, faulted, unavailable, waiting_for_a_cable, asking_about_another])
@pytest.mark.parametrize("request_", [{"connectorId": 1}, {}, {"connectorId": 2}])
async def test_a_remote_start_is_rejected(state: Any, request_: Payload) -> None:
    async with scene() as stage:
        await state(stage)
        assert await stage.ask("RemoteStartTransaction", idTag="CAFE", **request_) == {"status": "Rejected"}


async def test_a_remote_start_at_connector_zero_is_refused() -> None:
    async with scene() as stage:
        await stage.central_system.say('[2,"1","RemoteStartTransaction",{"idTag":"CAFE","connectorId":0}]')
        await stage.pass_time()
        assert stage.story() == ["RemoteStartTransaction PropertyConstraintViolation"]


async def test_a_remote_start_without_connector_prefers_the_cable_that_is_in() -> None:
    async with scene(connectors=2) as stage:
        await stage.charge_point.plug_in(2)
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        assert stage.calls("StartTransaction")[0].payload["connectorId"] == 2


async def test_a_remote_stop() -> None:
    async with scene() as stage:
        await stage.charge()
        assert await stage.ask("RemoteStopTransaction", transactionId=2) == {"status": "Rejected"}
        assert await stage.ask("RemoteStopTransaction", transactionId=1) == {"status": "Accepted"}
        assert await stage.ask("RemoteStopTransaction", transactionId=1) == {"status": "Rejected"}
        assert stage.story() == [
            "RemoteStopTransaction.conf Rejected",
            "RemoteStopTransaction.conf Accepted",
            "StopTransaction Remote",
            "StatusNotification 1 Finishing",
            "RemoteStopTransaction.conf Rejected",
        ]


async def test_an_invalid_id_tag_stops_the_transaction_and_keeps_the_cable() -> None:
    async with scene() as stage:
        await stage.change(AuthorizeRemoteTxRequests=False)
        stage.central_system.id_tags["cafe"] = {"status": "Blocked", "parentIdTag": "FAMILY"}
        stage.central_system.id_tags["beef"] = GROUP
        await stage.charge_point.plug_in()
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        assert stage.story()[2:] == [*BEGIN, "StopTransaction DeAuthorized", "StatusNotification 1 Finishing"]
        await stage.charge_point.present("FEED")  # a stranger
        await stage.pass_time()
        with pytest.raises(Locked):
            await stage.charge_point.unplug()
        await stage.charge_point.present("BEEF")  # of the same group
        await stage.pass_time()
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story() == ["Authorize", "Authorize", "StatusNotification 1 Available"]


async def test_the_same_invalid_id_tag_gets_the_cable_back() -> None:
    async with scene() as stage:
        await stage.change(AuthorizeRemoteTxRequests=False)
        stage.central_system.id_tags["cafe"] = INVALID
        await stage.charge_point.plug_in()
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        await stage.charge_point.unplug()


async def test_an_invalid_id_tag_only_suspends() -> None:
    async with scene() as stage:
        await stage.change(AuthorizeRemoteTxRequests=False, StopTransactionOnInvalidId=False)
        stage.central_system.id_tags["cafe"] = INVALID
        await stage.charge_point.plug_in()
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        await stage.charge_point.ev_stops_taking_energy()  # 4.9: SuspendedEVSE has precedence
        await stage.charge_point.ev_takes_energy()
        await stage.pass_time(100)
        assert stage.story()[2:] == [*BEGIN, "StatusNotification 1 SuspendedEVSE"]
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert stage.story() == ["StopTransaction Local", "StatusNotification 1 Finishing"]


async def test_some_energy_is_left_to_an_invalid_id_tag() -> None:
    async with scene() as stage:
        await stage.change(AuthorizeRemoteTxRequests=False, MaxEnergyOnInvalidId=1000)
        stage.central_system.id_tags["cafe"] = INVALID
        await stage.charge_point.plug_in()
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        await stage.pass_time(100)
        await stage.charge_point.ev_stops_taking_energy()
        await stage.pass_time(1000)
        await stage.charge_point.ev_takes_energy()
        await stage.pass_time(300)
        (stopped,) = stage.calls("StopTransaction")
        assert stopped.payload["reason"] == "DeAuthorized"
        assert stopped.payload["meterStop"] == 1000


async def test_what_the_charge_point_does_not_support() -> None:
    async with scene(profiles=["Core"]) as stage:
        requests: dict[str, Payload] = {
            "TriggerMessage": {"requestedMessage": "Heartbeat"},
            "Heartbeat": {},
        }
        for action, payload in requests.items():
            with pytest.raises(Refused, match="NotSupported"):
                await stage.ask(action, **payload)
        assert await stage.ask("DataTransfer", vendorId="com.example") == {"status": "UnknownVendorId"}
