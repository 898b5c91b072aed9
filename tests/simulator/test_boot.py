"""Power, boot, connection and heartbeat: 4.2, 4.6, 4.9, OCPP-J 5.4 and its errata 3.4."""

import pytest

from ocppj.clock import timestamp
from ocppj.frames import Payload
from ocppj.peer import Conf, Raw, Refusal, Scripted, Silence
from tests.simulator.scene import scene


def boot_conf(status: str, interval: int) -> Payload:
    return {"status": status, "currentTime": timestamp(), "interval": interval}


async def test_boots_first_and_then_tells_every_status() -> None:
    async with scene(boots=False, connectors=2) as stage:
        await stage.charge_point.power_on(stage.endpoint)
        assert not stage.charge_point.is_accepted
        await stage.pass_time()
        assert stage.charge_point.is_accepted
        assert stage.charge_point.is_connected
        assert stage.story() == [
            "BootNotification",
            "StatusNotification 0 Available",
            "StatusNotification 1 Available",
            "StatusNotification 2 Available",
        ]


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Conf(boot_conf("Rejected", 17)), 17),
        (Conf(boot_conf("Pending", 17)), 17),
        (Conf(boot_conf("Rejected", 0)), 60),
        (Conf(boot_conf("Pending", 0)), 60),
        (Conf({"status": "Perhaps"}), 60),
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
