"""Power, boot, connection and heartbeat: 4.2, 4.6, 4.9, OCPP-J 5.4 and its errata 3.4 and 3.11."""

import asyncio
import json
import re
from itertools import pairwise

import pytest

from ocppj.clock import VIRTUAL_START, timestamp
from ocppj.errors import Disconnected, Unanswered
from ocppj.frames import Payload
from ocppj.peer import Conf, Raw, Refusal, Scripted, Silence
from simulator.charge_point import ChargePoint
from simulator.memory import Memory
from tests.simulator.scene import Scene, conf, scene


def boot(status: str, interval: int) -> Conf:
    def payload() -> Payload:
        return {"status": status, "currentTime": timestamp(), "interval": interval}

    return Conf(payload)


async def test_boots_first_and_then_tells_every_status() -> None:
    async with scene(boots=False, connectors=2) as stage:
        await stage.charge_point.power_on(stage.endpoint)
        assert not stage.charge_point.is_accepted
        await stage.pass_time()
        assert stage.charge_point.is_accepted
        assert stage.charge_point.is_connected
        assert stage.calls("BootNotification")[0].payload == {
            "chargePointVendor": "Rehearsal",
            "chargePointModel": "Simulator",
            "chargePointSerialNumber": "SN-0001",
            "firmwareVersion": "1.0.0",
        }
        assert stage.calls("StatusNotification")[0].payload == {
            "connectorId": 0,
            "errorCode": "NoError",
            "status": "Available",
            "timestamp": timestamp(VIRTUAL_START),
        }
        assert stage.story() == [
            "BootNotification",
            "StatusNotification 0 Available",
            "StatusNotification 1 Available",
            "StatusNotification 2 Available",
        ]


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (boot("Rejected", 17), 17),
        (boot("Pending", 17), 17),
        (boot("Rejected", 0), 60),
        (boot("Pending", 0), 60),
        (boot("Pending", -5), 60),
        (conf(status="Perhaps"), 60),
        (Refusal("InternalError"), 60),
        (Silence(), 90),
        (Raw("not even JSON"), 90),
        (Raw('[3,"{uniqueId}",[]]'), 60),
    ],
)
async def test_boots_again_until_it_is_accepted(answer: Scripted, wait: float) -> None:
    async with scene(boots=False) as stage:
        stage.central_system.script.answer_next("BootNotification", answer)
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(wait - 1)
        assert stage.story() == ["BootNotification"]
        await stage.pass_time(2)
        assert stage.story() == ["BootNotification", "StatusNotification 0 Available", "StatusNotification 1 Available"]


async def test_stays_silent_while_rejected() -> None:
    async with scene(boots=False) as stage:
        stage.central_system.script.answer_next("BootNotification", boot("Rejected", 200))
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time()
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        with pytest.raises(Unanswered):
            await stage.central_system.call("ClearCache")
        with pytest.raises(Unanswered):
            await stage.central_system.call("SendLocalList", listVersion=1, updateType="Full")
        assert stage.story() == ["BootNotification"]


async def test_answers_but_begins_nothing_while_pending() -> None:
    async with scene(boots=False) as stage:
        stage.central_system.script.answer_next("BootNotification", boot("Pending", 100))
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time()
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.change(MeterValueSampleInterval=5)
        assert await stage.ask("RemoteStartTransaction", idTag="CAFE", connectorId=1) == {"status": "Rejected"}
        assert await stage.ask("RemoteStopTransaction", transactionId=1) == {"status": "Rejected"}
        assert await stage.ask("ChangeAvailability", connectorId=0, type="Inoperative") == {"status": "Scheduled"}
        await stage.pass_time(50)
        assert stage.story() == [
            "BootNotification",
            "RemoteStartTransaction.conf Rejected",
            "RemoteStopTransaction.conf Rejected",
            "ChangeAvailability.conf Scheduled",
        ]


async def test_pending_outlives_a_connection() -> None:
    async with scene(boots=False) as stage:
        stage.central_system.script.answer_next("BootNotification", boot("Pending", 100))
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(50)
        await stage.central_system.hang_up()
        await stage.pass_time(45)
        assert stage.charge_point.is_connected
        assert stage.story() == ["BootNotification"]
        await stage.pass_time(10)
        assert stage.story()[0] == "BootNotification"


async def test_the_queue_waits_for_acceptance() -> None:
    async with scene() as stage:
        await stage.charge()
        stage.central_system.script.answer_next("BootNotification", boot("Pending", 30))
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(20)
        assert stage.story() == ["BootNotification"]
        await stage.pass_time(20)
        assert stage.story() == [
            "BootNotification",
            "StatusNotification 0 Available",
            "StatusNotification 1 Finishing",
            "StopTransaction PowerLoss",
        ]


async def test_heartbeats_have_the_period_of_the_boot() -> None:
    async with scene(boots=False) as stage:
        stage.central_system.interval = 20
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(15)
        await stage.charge_point.request("DataTransfer", {"vendorId": "x"})  # 4.6: MAY skip, but does not
        await stage.pass_time(50)
        times = [seen.at for seen in stage.calls("Heartbeat")]
        assert times == pytest.approx([20, 40, 60], abs=0.01)
        assert stage.charge_point.configuration.number("HeartbeatInterval") == 20


async def test_a_new_heartbeat_interval_holds_at_once() -> None:
    async with scene() as stage:
        began = asyncio.get_running_loop().time()
        await stage.change(HeartbeatInterval=7)
        await stage.pass_time(15)
        assert [seen.at - began for seen in stage.calls("Heartbeat")] == pytest.approx([7, 14], abs=0.01)
        await stage.change(HeartbeatInterval=0)
        stage.seen.clear()
        await stage.pass_time(100_000)
        assert stage.story() == []


async def test_an_unanswered_heartbeat_does_not_shift_the_period() -> None:
    async with scene() as stage:
        began = asyncio.get_running_loop().time()
        stage.central_system.script.answer_next("Heartbeat", Silence())
        await stage.change(HeartbeatInterval=40)
        await stage.pass_time(130)
        assert [seen.at - began for seen in stage.calls("Heartbeat")] == pytest.approx([40, 80, 120], abs=0.01)


async def test_unanswered_heartbeats_do_not_pile_up() -> None:
    async with scene() as stage:
        stage.central_system.script.answer_next("Heartbeat", Silence())
        began = asyncio.get_running_loop().time()
        await stage.change(HeartbeatInterval=4)
        await stage.pass_time(37)
        assert [seen.at - began for seen in stage.calls("Heartbeat")] == pytest.approx([4, 36], abs=0.01)


async def test_switched_on_again_it_uses_the_new_endpoint() -> None:
    async with scene() as stage, scene(boots=False) as other:
        await stage.charge_point.power_on(other.endpoint)
        await stage.pass_time(5)
        assert stage.charge_point.is_online
        assert other.central_system.peer is not None
        assert other.central_system.peer.is_open
        assert stage.central_system.peer is not None
        assert not stage.central_system.peer.is_open


async def test_the_same_story_twice_gives_the_same_transcript() -> None:
    transcripts = []
    for _ in range(2):
        async with scene(connectors=2) as stage:
            await stage.charge(2)
            await stage.pass_time(20)
            await stage.charge_point.lose_connection()
            await stage.charge_point.plug_in(1)
            await stage.charge_point.restore_connection()
            await stage.ask_later("Reset", type="Soft")
            assert stage.charge_point.transcript is not None
            frames = [record["raw"] for record in stage.charge_point.transcript.records if record["kind"] == "frame"]
            transcripts.append([re.sub("2031-[^Z]*Z", "", raw) for raw in frames])
    assert transcripts[0] == transcripts[1]


async def test_follows_the_clock_of_the_central_system() -> None:
    async with scene(boots=False) as stage:
        answer = conf(status="Accepted", currentTime="2033-01-02T03:04:05Z", interval=100)
        stage.central_system.script.answer_next("BootNotification", answer)
        stage.central_system.script.answer_next("Heartbeat", conf(currentTime="0001-01-01T00:00:00+14:00"))
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(150)
        await stage.charge_point.plug_in()
        await stage.pass_time()
        assert stage.calls("StatusNotification")[-1].payload["timestamp"].startswith("2033-01-02T03:06:35")


async def test_a_mere_reconnection_tells_what_has_changed_and_then_the_queue() -> None:
    async with scene(connectors=2) as stage:
        await stage.charge()
        await stage.charge_point.lose_connection()
        assert not stage.charge_point.is_connected
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time(10)
        await stage.charge_point.plug_in(2)
        await stage.charge_point.unplug(2)
        await stage.pass_time(100)
        await stage.charge_point.restore_connection()
        await stage.pass_time()
        assert stage.story() == ["StatusNotification 1 Finishing", "StopTransaction Local"]


async def test_status_changes_are_told_in_the_order_of_their_events() -> None:
    async with scene(connectors=2) as stage:
        await stage.charge_point.lose_connection()
        await stage.charge_point.plug_in(2)
        await stage.pass_time(1)
        await stage.charge_point.plug_in(1)
        await stage.charge_point.restore_connection()
        await stage.pass_time(2)
        assert stage.story() == ["StatusNotification 2 Preparing", "StatusNotification 1 Preparing"]


async def test_backs_off_while_nobody_listens() -> None:
    async with scene() as stage:
        port = stage.central_system.port
        await stage.central_system.close()
        await stage.pass_time(400)
        times = [at for at, record in stage.connects if record["event"] == "opening" and record["status"] is None]
        assert [round(after - before) for before, after in pairwise(times)] == [2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
        await stage.central_system.open(port)
        await stage.pass_time(61)
        assert stage.charge_point.is_online
        assert stage.story() == []


async def test_request_needs_a_connection() -> None:
    async with scene() as stage:
        assert await stage.charge_point.request("Heartbeat", {}) == {"currentTime": timestamp()}
        await stage.charge_point.lose_connection()
        with pytest.raises(Disconnected):
            await stage.charge_point.request("Heartbeat", {})
        await stage.pass_time()
        with pytest.raises(Disconnected):
            await stage.charge_point.request("Heartbeat", {})


async def test_an_interval_that_is_no_time_ends_nothing() -> None:
    async with scene(boots=False) as stage:
        answer = conf(status="Accepted", currentTime=timestamp(), interval=10**400)
        stage.central_system.script.answer_next("BootNotification", answer)
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time()
        assert stage.charge_point.is_accepted


async def test_power_can_be_lost_at_any_moment() -> None:
    async with scene() as stage:
        for moment in range(40):
            await stage.charge_point.lose_power()
            assert not stage.charge_point.is_connected
            await stage.charge_point.regain_power()
            await stage.pass_time(2)
            for _ in range(moment):
                await asyncio.sleep(0)
        await stage.pass_time(5)
        assert stage.charge_point.is_online


async def test_power_lost_during_a_reset_stays_lost() -> None:
    async with scene() as stage:
        await stage.central_system.call("Reset", type="Hard")
        await stage.charge_point.lose_power()
        await stage.pass_time(100)
        assert stage.story() == ["Reset.conf Accepted"]
        await stage.charge_point.regain_power()
        await stage.pass_time(3)
        assert stage.story()[0] == "BootNotification"


async def test_nothing_happens_without_power() -> None:
    async with scene() as stage:
        await stage.charge_point.lose_power()
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        assert stage.charge_point.connectors[1].status == "Available"
        await stage.pass_time(100)
        assert stage.story() == []
        await stage.charge_point.regain_power()
        await stage.pass_time(3)
        assert stage.story() == ["BootNotification", "StatusNotification 0 Available", "StatusNotification 1 Preparing"]


async def test_pings_and_drops_a_connection_without_pongs() -> None:
    async with scene() as stage:
        await stage.change(WebSocketPingInterval=10)
        await stage.pass_time(95)
        assert stage.charge_point.is_connected
        assert stage.central_system.peer is not None
        stage.central_system.peer.websocket.transport.pause_reading()
        stage.connects.clear()
        began = asyncio.get_running_loop().time()
        await stage.pass_time(25)
        ends = [at - began for at, record in stage.connects if record["event"] == "closed"]
        assert ends == pytest.approx([15], abs=0.1)


async def test_what_survives_is_plain_data() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.change(LightIntensity=7)
        await stage.ask("ChangeAvailability", connectorId=1, type="Inoperative")
        facts = json.loads(json.dumps(stage.charge_point.memory.as_dict()))
        await stage.charge_point.stop()
        stage.seen.clear()
        heir = ChargePoint(memory=Memory.from_dict(facts), transcript=stage.charge_point.transcript)
        await heir.power_on(stage.endpoint)
        await stage.pass_time()
        assert heir.configuration.number("LightIntensity") == 7
        assert stage.story() == [
            "BootNotification",
            "StatusNotification 0 Available",
            "StatusNotification 1 Unavailable",
            "StopTransaction PowerLoss",
        ]
        await heir.stop()
        assert heir.faults == []


async def until_it_goes_down(stage: Scene) -> None:
    while stage.charge_point.has_power:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0)


async def test_power_that_was_never_lost_is_not_regained_in_the_middle_of_a_reboot() -> None:
    async with scene() as stage:
        await stage.ask("ChangeAvailability", connectorId=0, type="Inoperative")
        stage.charge_point.reset("Soft")
        await until_it_goes_down(stage)
        await stage.charge_point.regain_power()
        await stage.pass_time(60)
        assert len(stage.calls("BootNotification")) == 1


async def test_a_power_cut_in_the_middle_of_a_restart_by_hand_lasts() -> None:
    async with scene() as stage:
        restart = asyncio.create_task(stage.charge_point.restart())
        await until_it_goes_down(stage)
        await stage.charge_point.lose_power()
        await restart
        await stage.pass_time(60)
        assert stage.calls("BootNotification") == []
        await stage.charge_point.regain_power()
        await stage.pass_time(60)
        assert len(stage.calls("BootNotification")) == 1
