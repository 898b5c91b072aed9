"""Messages on request: 5.17, 7.32, 7.44, and errata 3.35 and 3.46."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from ocppj.clock import timestamp
from ocppj.errors import Refused
from ocppj.peer import Conf, Silence
from simulator.charge_point import PROFILES
from tests.simulator.scene import QUIET, Scene, scene


def boot(status: str, interval: int = 1000) -> Conf:
    return Conf(lambda: {"status": status, "currentTime": timestamp(), "interval": interval})


async def trigger(stage: Scene, message: str, connector: int | None = None) -> list[str]:
    """What is sent because of a trigger, the status of the .conf first. The words need not be those of 7.32."""
    payload: dict[str, Any] = {"requestedMessage": message}
    if connector is not None:
        payload["connectorId"] = connector
    stage.seen.clear()
    await stage.central_system.say(json.dumps([2, f"{asyncio.get_running_loop().time()}", "TriggerMessage", payload]))
    await stage.pass_time()
    answer = stage.seen.pop(0)
    assert answer.action == "TriggerMessage.conf"
    return [answer.payload["status"], *stage.story()]


IDLE = {
    ("DiagnosticsStatusNotification", None): ["Accepted", "DiagnosticsStatusNotification Idle"],
    ("FirmwareStatusNotification", None): ["Accepted", "FirmwareStatusNotification Idle"],
    ("Heartbeat", None): ["Accepted", "Heartbeat"],
    ("StatusNotification", None): [
        "Accepted",
        "StatusNotification 0 Available",
        "StatusNotification 1 Available",
        "StatusNotification 2 Available",
    ],
    ("StatusNotification", 0): ["Accepted", "StatusNotification 0 Available"],
    ("StatusNotification", 2): ["Accepted", "StatusNotification 2 Available"],
    ("MeterValues", None): ["Accepted", "MeterValues", "MeterValues"],
    ("MeterValues", 1): ["Accepted", "MeterValues"],
    # No connector of the kind
    ("MeterValues", 0): ["Rejected"],
    ("MeterValues", 3): ["Rejected"],
    ("StatusNotification", 3): ["Rejected"],
    # «The requested message is leading»: a connectorId that is not relevant is ignored
    ("Heartbeat", 99): ["Accepted", "Heartbeat"],
    ("DiagnosticsStatusNotification", 99): ["Accepted", "DiagnosticsStatusNotification Idle"],
    ("FirmwareStatusNotification", 99): ["Accepted", "FirmwareStatusNotification Idle"],
    ("BootNotification", None): ["Rejected"],  # errata 3.35
    ("BootNotification", 1): ["Rejected"],
    # 7.32 has neither; 5.17: unknown
    ("StartTransaction", 1): ["NotImplemented"],
    ("Authorize", None): ["NotImplemented"],
    ("", None): ["NotImplemented"],
}


@pytest.mark.parametrize(("message", "connector"), IDLE)
async def test_trigger(message: str, connector: int | None) -> None:
    async with scene(connectors=2) as stage:
        assert await trigger(stage, message, connector) == IDLE[message, connector]


@pytest.mark.parametrize("message", ["DiagnosticsStatusNotification", "FirmwareStatusNotification"])
async def test_without_firmware_management_its_messages_are_not_implemented(message: str) -> None:
    profiles = [profile for profile in PROFILES if profile != "FirmwareManagement"]
    async with scene(profiles=profiles) as stage:
        assert await trigger(stage, message) == ["NotImplemented"]


async def test_without_remote_trigger_it_is_not_supported() -> None:
    async with scene(profiles=["Core"]) as stage:
        with pytest.raises(Refused, match="NotSupported"):
            await stage.ask("TriggerMessage", requestedMessage="Heartbeat")


async def test_a_job_tells_its_present_status(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = SimpleNamespace(firmware_status="Downloading", diagnostics_status="Uploading")
    async with scene() as stage:
        with monkeypatch.context() as patch:
            patch.setattr(stage.charge_point, "firmware_management", busy, raising=False)
            came = await trigger(stage, "FirmwareStatusNotification")
            came += await trigger(stage, "DiagnosticsStatusNotification")
        assert came == [
            "Accepted",
            "FirmwareStatusNotification Downloading",
            "Accepted",
            "DiagnosticsStatusNotification Uploading",
        ]


async def test_meter_values_are_those_configured_for_sampling() -> None:
    measurands = "Energy.Active.Import.Register,Current.Import,SoC"
    async with scene() as stage:
        await stage.change(MeterValuesSampledData=measurands)
        await stage.charge()
        await stage.pass_time(360)
        await stage.ask("TriggerMessage", requestedMessage="MeterValues", connectorId=1)
        (sent,) = stage.calls("MeterValues")
        (value,) = sent.payload["meterValue"]
        assert sent.payload["transactionId"] == 1
        assert {sample["context"] for sample in value["sampledValue"]} == {"Trigger"}
        assert [(sample["measurand"], sample.get("phase")) for sample in value["sampledValue"]] == [
            ("Energy.Active.Import.Register", None),
            ("Current.Import", "L1"),
            ("Current.Import", "L2"),
            ("Current.Import", "L3"),
            ("SoC", None),
        ]
        assert value["sampledValue"][0]["value"] == "1104"


async def test_what_cannot_be_measured_is_not_sent() -> None:
    async with scene(connectors=2) as stage:
        await stage.change(MeterValuesSampledData="SoC")
        assert await trigger(stage, "MeterValues") == ["Rejected"]
        await stage.charge_point.plug_in(2)
        await stage.pass_time()
        assert await trigger(stage, "MeterValues", 1) == ["Rejected"]
        assert await trigger(stage, "MeterValues") == ["Accepted", "MeterValues"]


async def test_a_triggered_reading_leaves_the_periodic_ones_alone() -> None:
    async with scene(configuration={**QUIET, "MeterValueSampleInterval": "60"}) as stage:
        await stage.change(MeterValuesSampledData="Energy.Active.Import.Interval")
        await stage.charge()
        await stage.pass_time(29)
        await stage.ask("TriggerMessage", requestedMessage="MeterValues")
        await stage.pass_time(32)
        told = [seen.payload["meterValue"][0]["sampledValue"][0] for seen in stage.calls("MeterValues")]
        assert [(value["context"], value["value"]) for value in told] == [("Trigger", "88"), ("Sample.Periodic", "184")]


async def test_a_status_is_told_behind_what_has_happened_before() -> None:
    async with scene() as stage:
        stage.central_system.script.answer_next("StartTransaction", Silence())
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        await stage.charge_point.ev_stops_taking_energy()
        await stage.ask("TriggerMessage", requestedMessage="StatusNotification", connectorId=1)
        stage.seen.clear()
        await stage.pass_time(100)
        assert stage.story() == [
            "StatusNotification 1 Charging",
            "StatusNotification 1 SuspendedEV",
            "StatusNotification 1 SuspendedEV",
            "StartTransaction",
        ]


async def test_a_triggered_heartbeat_sets_the_clock_and_leaves_the_others_alone() -> None:
    async with scene() as stage:
        await stage.change(HeartbeatInterval=100)
        await stage.pass_time(50)
        assert await trigger(stage, "Heartbeat") == ["Accepted", "Heartbeat"]
        await stage.pass_time(49)
        assert stage.story() == []
        await stage.pass_time(2)
        assert stage.story() == ["Heartbeat"]


@pytest.mark.parametrize(
    ("message", "came"),
    [
        ("Heartbeat", ["Heartbeat"]),
        ("StatusNotification", ["StatusNotification 0 Available", "StatusNotification 1 Available"]),
        ("MeterValues", ["MeterValues"]),
        ("DiagnosticsStatusNotification", ["DiagnosticsStatusNotification Idle"]),
        ("FirmwareStatusNotification", ["FirmwareStatusNotification Idle"]),
        ("BootNotification", ["BootNotification"]),
    ],
)
async def test_while_pending_it_sends_what_it_was_asked_for(message: str, came: list[str]) -> None:
    async with scene(boots=False) as stage:
        for _ in range(2):
            stage.central_system.script.answer_next("BootNotification", boot("Pending"))
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(100)
        assert stage.story() == ["BootNotification"]
        assert await trigger(stage, message) == ["Accepted", *came]
        await stage.pass_time(800)  # and nothing else, before the interval is over
        assert stage.story() == []


async def test_a_boot_that_was_asked_for_begins_the_interval_anew() -> None:
    async with scene(boots=False) as stage:
        for _ in range(2):
            stage.central_system.script.answer_next("BootNotification", boot("Pending", 100))
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(50)
        await trigger(stage, "BootNotification")
        await stage.pass_time(99)
        assert not stage.charge_point.is_accepted
        assert stage.story() == []
        await stage.pass_time(2)
        assert stage.charge_point.is_accepted
        assert stage.story() == [
            "BootNotification",
            "StatusNotification 0 Available",  # errata 3.22
            "StatusNotification 1 Available",
        ]


async def test_before_its_boot_is_answered_it_sends_nothing_else() -> None:
    async with scene(boots=False) as stage:
        stage.central_system.script.answer_next("BootNotification", Silence())
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time(40)  # the BootNotification.req has timed out, the next one follows a minute later
        for message in ("Heartbeat", "StatusNotification", "MeterValues", "FirmwareStatusNotification"):
            assert await trigger(stage, message) == ["Rejected"]
        came = await trigger(stage, "BootNotification")
        assert came[:2] == ["Accepted", "BootNotification"]
        assert stage.charge_point.is_accepted


async def test_while_its_boot_is_on_the_way_it_promises_nothing() -> None:
    """The answer may be that it is Rejected, and then it has to be silent (4.2)."""
    async with scene(boots=False) as stage:
        stage.central_system.script.answer_next("BootNotification", boot("Pending"))
        stage.central_system.script.answer_next("BootNotification", Silence())
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time()
        assert await trigger(stage, "BootNotification") == ["Accepted", "BootNotification"]
        assert await trigger(stage, "StatusNotification") == ["Rejected"]


async def test_no_boot_was_asked_for_twice() -> None:
    """Two triggers in a row are met by two requests, and no third one follows."""
    async with scene(boots=False) as stage:
        for _ in range(4):
            stage.central_system.script.answer_next("BootNotification", boot("Pending"))
        await stage.charge_point.power_on(stage.endpoint)
        await stage.pass_time()
        assert await trigger(stage, "BootNotification") == ["Accepted", "BootNotification"]
        assert await trigger(stage, "BootNotification") == ["Accepted", "BootNotification"]
        await stage.pass_time(900)
        assert stage.story() == []


async def test_a_refused_message_is_not_repeated() -> None:
    async with scene() as stage:
        stage.central_system.script.answer_next("FirmwareStatusNotification", Silence())
        await trigger(stage, "FirmwareStatusNotification")
        await stage.pass_time(200)
        assert stage.story() == []
