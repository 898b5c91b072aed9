"""The queue of transaction-related messages, resets and power cuts: 3.7, 4.8, 4.10, 5.14, errata 3.18 and 3.36."""

import asyncio

import pytest

from ocppj.frames import Payload
from ocppj.peer import Raw, Refusal, Scripted, Silence
from simulator.memory import Memory
from simulator.transaction import Queue
from tests.simulator.scene import Scene, conf, scene

FAILURES: dict[str, tuple[Scripted, float]] = {  # and how long it takes to see the failure
    "CALLERROR": (Refusal("InternalError"), 0),
    "no answer": (Silence(), 30),
    "a bad answer": (conf(idTagInfo=7), 0),
    "an unreadable answer": (Raw('[3,"{uniqueId}",7]'), 0),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_retries_as_the_example_of_the_specification_says(failure: str) -> None:
    answer, delay = FAILURES[failure]
    async with scene() as stage:
        await stage.charge()
        for _ in range(3):
            stage.central_system.script.answer_next("StopTransaction", answer)
        began = asyncio.get_running_loop().time()
        await stage.charge_point.present("CAFE")
        await stage.pass_time(1000)
        times = [seen.at - began for seen in stage.calls("StopTransaction")]
        assert times == pytest.approx([0, 60 + delay, 180 + 2 * delay], abs=0.01)
        assert len(stage.charge_point.queue) == 0
        assert stage.charge_point.memory.transactions == []


async def test_attempts_and_interval_are_configured() -> None:
    async with scene() as stage:
        await stage.change(TransactionMessageAttempts=4, TransactionMessageRetryInterval=10)
        await stage.charge()
        for _ in range(3):
            stage.central_system.script.answer_next("StopTransaction", Refusal("InternalError"))
        began = asyncio.get_running_loop().time()
        await stage.charge_point.present("CAFE")
        await stage.pass_time(1000)
        assert [seen.at - began for seen in stage.calls("StopTransaction")] == pytest.approx([0, 10, 30, 60], abs=0.01)


async def test_new_messages_wait_for_the_one_that_fails_but_notifications_do_not() -> None:
    async with scene() as stage:
        stage.central_system.script.answer_next("StartTransaction", Refusal("InternalError"))
        await stage.charge()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        await stage.charge_point.unplug()
        await stage.pass_time()
        assert stage.story() == ["StatusNotification 1 Finishing", "StatusNotification 1 Available"]
        await stage.pass_time(60)
        assert stage.story() == ["StartTransaction", "StopTransaction Local"]


async def test_a_start_that_nobody_confirms_leaves_minus_one() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=100)
        for _ in range(3):
            stage.central_system.script.answer_next("StartTransaction", Refusal("InternalError"))
        await stage.charge()
        await stage.pass_time(250)
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert [seen.payload["transactionId"] for seen in stage.calls("MeterValues")] == [-1, -1]
        assert stage.calls("StopTransaction")[0].payload["transactionId"] == -1
        assert stage.charge_point.memory.transactions == []


async def test_a_lost_connection_is_no_failed_attempt() -> None:
    async with scene() as stage:
        await stage.charge()
        for _ in range(5):
            stage.central_system.script.answer_next("StopTransaction", Silence())
        await stage.charge_point.present("CAFE")
        for _ in range(5):
            await stage.pass_time(3)
            await stage.central_system.hang_up()
            await stage.pass_time(7)
        assert len(stage.calls("StopTransaction")) == 6
        assert len(stage.charge_point.queue) == 0


async def test_offline_everything_is_queued_in_order() -> None:
    async with scene() as stage:
        await stage.change(MeterValueSampleInterval=10)
        await stage.charge()
        await stage.charge_point.lose_connection()
        await stage.pass_time(35)
        await stage.charge_point.present("CAFE")
        await stage.pass_time(100)
        assert stage.story() == []
        await stage.charge_point.restore_connection()
        await stage.pass_time()
        stamps = [seen.payload["meterValue"][0]["timestamp"] for seen in stage.calls("MeterValues")]
        assert [stamp[17:19] for stamp in stamps] == ["27", "37", "47"]
        assert stage.story() == [
            "StatusNotification 1 Finishing",
            "MeterValues",
            "MeterValues",
            "MeterValues",
            "StopTransaction Local",
        ]


async def test_a_transaction_that_begins_and_ends_offline() -> None:
    async with scene() as stage:
        await stage.change(AllowOfflineTxForUnknownId=True)
        await stage.charge_point.lose_connection()
        await stage.charge()
        await stage.pass_time(100)
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        await stage.charge_point.unplug()
        await stage.charge_point.restore_connection()
        await stage.pass_time()
        start, stop = stage.calls("StartTransaction")[0].payload, stage.calls("StopTransaction")[0].payload
        assert stop["transactionId"] == 1
        assert (start["meterStart"], stop["meterStop"]) == (0, 306)  # 100 s at 11 040 W
        assert stage.story() == ["StartTransaction", "StopTransaction Local"]


async def test_an_offline_transaction_of_an_invalid_id_tag_is_stopped_later() -> None:
    async with scene() as stage:
        stage.central_system.id_tags["cafe"] = {"status": "Invalid"}
        await stage.change(AllowOfflineTxForUnknownId=True)
        await stage.charge_point.lose_connection()
        await stage.charge()
        await stage.charge_point.restore_connection()
        await stage.pass_time(2)
        assert stage.story() == [
            "StatusNotification 1 Charging",
            "StartTransaction",
            "StopTransaction DeAuthorized",
            "StatusNotification 1 Finishing",
        ]


async def test_the_conf_of_an_ended_transaction_changes_nothing() -> None:
    async with scene() as stage:
        stage.central_system.script.answer_next("StartTransaction", Refusal("InternalError"))
        stage.central_system.id_tags["cafe"] = {"status": "Accepted"}
        await stage.charge()
        await stage.charge_point.present("CAFE")
        stage.central_system.id_tags["cafe"] = {"status": "Invalid"}
        await stage.pass_time(100)
        assert stage.story() == ["StatusNotification 1 Finishing", "StartTransaction", "StopTransaction Local"]


async def test_a_power_cut_ends_the_transaction_at_the_next_start() -> None:
    async with scene(connectors=2) as stage:
        await stage.charge(2)
        await stage.pass_time(100)
        await stage.charge_point.lose_power()
        await stage.pass_time(5000)
        assert stage.story() == []
        await stage.charge_point.regain_power()
        await stage.pass_time(3)
        payload = stage.calls("StopTransaction")[0].payload
        assert (payload["transactionId"], payload["meterStop"]) == (1, 306)
        assert "idTag" not in payload
        assert stage.story() == [
            "BootNotification",
            "StatusNotification 0 Available",
            "StatusNotification 1 Available",
            "StatusNotification 2 Finishing",
            "StopTransaction PowerLoss",
        ]
        await stage.charge_point.unplug(2)
        await stage.pass_time()
        assert stage.story() == ["StatusNotification 2 Available"]


async def test_backup_power_gives_time_to_stop() -> None:
    async with scene(backup_power=True) as stage:
        await stage.charge()
        await stage.charge_point.lose_power()
        assert not stage.charge_point.is_connected
        assert stage.story() == ["StopTransaction PowerLoss", "StatusNotification 1 Finishing"]


async def test_a_start_under_way_when_power_is_lost_is_sent_again() -> None:
    async with scene() as stage:
        stage.central_system.script.answer_next("StartTransaction", Silence())
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        stage.seen.clear()
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(3)
        assert stage.story()[3:] == ["StartTransaction", "StopTransaction PowerLoss"]


@pytest.mark.parametrize(
    ("kind", "story"),
    [
        (
            "Soft",
            [
                "Reset.conf Accepted",
                "StopTransaction SoftReset",
                "StatusNotification 1 Finishing",
                "BootNotification",
                "StatusNotification 0 Available",
                "StatusNotification 1 Finishing",
            ],
        ),
        (
            "Hard",
            [
                "Reset.conf Accepted",
                "BootNotification",
                "StatusNotification 0 Available",
                "StatusNotification 1 Finishing",
                "StopTransaction HardReset",
            ],
        ),
    ],
)
async def test_reset(kind: str, story: list[str]) -> None:
    async with scene() as stage:
        await stage.charge()
        stage.connects.clear()
        await stage.ask("Reset", type=kind)
        await stage.pass_time(1)
        assert not stage.charge_point.is_connected
        await stage.pass_time(2)
        assert stage.story() == story
        assert [record["event"] for _, record in stage.connects] == ["closed", "opening"]


async def test_a_second_reset_changes_nothing() -> None:
    async with scene() as stage:
        await stage.charge()
        stage.central_system.script.answer_next("StopTransaction", Silence())
        await stage.ask("Reset", type="Soft")
        await stage.pass_time(10)
        assert await stage.ask("Reset", type="Hard") == {"status": "Accepted"}
        await stage.pass_time(15)
        assert stage.story() == ["Reset.conf Accepted", "StopTransaction SoftReset", "Reset.conf Accepted"]
        await stage.pass_time(10)
        assert stage.story().count("BootNotification") == 1


async def test_a_local_restart() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.charge_point.restart()
        await stage.pass_time(3)
        story = stage.story()
        assert story[:3] == ["StopTransaction Reboot", "StatusNotification 1 Finishing", "BootNotification"]


async def test_a_soft_reset_does_not_wait_forever() -> None:
    async with scene() as stage:
        await stage.charge()
        stage.central_system.script.answer_next("StopTransaction", Refusal("InternalError"))
        await stage.ask("Reset", type="Soft")
        await stage.pass_time(35)
        story = stage.story()
        assert story[:3] == ["Reset.conf Accepted", "StopTransaction SoftReset", "StatusNotification 1 Finishing"]
        assert story[3:] == [
            "BootNotification",
            "StatusNotification 0 Available",
            "StatusNotification 1 Finishing",
            "StopTransaction SoftReset",
        ]


async def test_an_offline_restart_keeps_the_queue() -> None:
    async with scene() as stage:
        await stage.charge()
        await stage.charge_point.lose_connection()
        await stage.charge_point.restart()
        await stage.pass_time(100)
        await stage.charge_point.restore_connection()
        await stage.pass_time()
        assert stage.story()[-1] == "StopTransaction Reboot"


def test_the_queue_keeps_its_messages_in_memory() -> None:
    memory = Memory()
    payload: Payload = {"connectorId": 1}
    Queue(memory).add("MeterValues", payload, None)
    assert Queue(memory).first == {"action": "MeterValues", "payload": payload, "transaction": None, "attempts": 0}


@pytest.mark.parametrize("action", ["BootNotification", "StatusNotification", "Authorize", "StartTransaction"])
@pytest.mark.parametrize(
    "answer",
    [
        conf(),
        conf(status=5),
        Refusal("No such code", "x" * 300),
        Raw("{"),
        Raw("[]"),
        Raw('[3,"{uniqueId}",null]'),
        Raw('[3,"{uniqueId}",[1]]'),
        Raw('[4,"{uniqueId}"]'),
        Raw('[3,"someone else",{}]'),
        Raw('[9,"{uniqueId}",{}]'),
        Silence(),
    ],
    ids=["empty", "status 5", "long", "cut off", "no frame", "null", "a list", "short", "stray", "type 9", "silence"],
)
async def test_no_answer_ends_the_charge_point(action: str, answer: Scripted) -> None:
    async with scene(boots=False) as stage:
        stage.central_system.script.answer_next(action, answer)
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(200)
        await use_it(stage)
        await stage.pass_time(200)
        await use_it(stage)
        await stage.pass_time(200)
        assert stage.calls("StartTransaction")
        assert stage.charge_point.is_online


async def use_it(stage: Scene) -> None:
    await stage.charge_point.plug_in()
    await stage.charge_point.present("CAFE")
    await stage.pass_time(5)
    await stage.charge_point.present("CAFE")
    await stage.pass_time(5)
    if not stage.charge_point.connectors[1].locked:
        await stage.charge_point.unplug()


async def test_backup_power_without_a_connection_leaves_the_stop_in_the_queue() -> None:
    async with scene(backup_power=True) as stage:
        await stage.charge()
        await stage.charge_point.lose_connection()
        moment = stage.charge_point.timestamp()
        await stage.charge_point.lose_power()
        await stage.charge_point.restore_connection()
        await stage.pass_time(1000)
        assert stage.story() == []
        await stage.charge_point.regain_power()
        await stage.pass_time(3)
        assert stage.calls("StopTransaction")[0].payload["timestamp"] == moment
        assert stage.story() == [
            "BootNotification",
            "StatusNotification 0 Available",
            "StatusNotification 1 Finishing",
            "StopTransaction PowerLoss",
        ]


@pytest.mark.parametrize("stops", [True, False])
async def test_what_becomes_of_an_invalid_id_tag_offline(stops: bool) -> None:
    """3.5.4: as online, and not before MaxEnergyOnInvalidId has flowed since the StartTransaction.conf."""
    async with scene() as stage:
        stage.central_system.id_tags["cafe"] = {"status": "Invalid"}
        await stage.change(
            AllowOfflineTxForUnknownId=True, StopTransactionOnInvalidId=stops, MaxEnergyOnInvalidId=11_040
        )
        await stage.charge_point.lose_connection()
        await stage.charge()
        await stage.pass_time(1800)
        await stage.charge_point.restore_connection()
        await stage.pass_time(3590)
        assert stage.story() == ["StatusNotification 1 Charging", "StartTransaction"]
        await stage.pass_time(20)
        ending = ["StopTransaction DeAuthorized", "StatusNotification 1 Finishing"]
        assert stage.story() == (ending if stops else ["StatusNotification 1 SuspendedEVSE"])


async def test_a_retry_is_due_whatever_happens_to_the_connection() -> None:
    """3.7.1 counts failures to process the message; a lost connection is none, and ends the wait for a retry."""
    async with scene() as stage:
        await stage.change(TransactionMessageAttempts=2, TransactionMessageRetryInterval=30)
        await stage.charge()
        stage.central_system.script.answer_next("StopTransaction", Refusal("InternalError"))
        stage.central_system.script.answer_next("StopTransaction", Refusal("InternalError"))
        await stage.charge_point.present("CAFE")
        await stage.pass_time(10)
        await stage.charge_point.lose_connection()
        await stage.charge_point.restore_connection()
        await stage.pass_time(60)
        assert [call.action for call in stage.calls("StopTransaction")] == ["StopTransaction"] * 2
        assert not stage.charge_point.memory.queue
