"""What a Charge Point may send while it is Pending: 4.2 and 5.17, errata 3.40."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ocppj.errors import LocalMisuse, Refused
from ocppj.frames import Payload
from ocppj.peer import Peer
from reference_csms.central_system import CentralSystem
from tests.reference_csms.scene import BOOT, NOW, charge_point, furnished, running

METER_VALUES: Payload = {"connectorId": 1, "meterValue": [{"timestamp": NOW, "sampledValue": [{"value": "1"}]}]}


def report(connector: int) -> Payload:
    return {"connectorId": connector, "errorCode": "NoError", "status": "Available"}


@asynccontextmanager
async def pending() -> AsyncIterator[tuple[CentralSystem, Peer]]:
    store = furnished()
    store.know_charge_point("CP-1", "Pending")
    async with running(store) as cs, charge_point(cs) as cp:
        yield cs, cp


async def trigger(cs: CentralSystem, message: str, **more: int) -> None:
    await cs.request("CP-1", "TriggerMessage", {"requestedMessage": message, **more})


async def refuses(cp: Peer, action: str, payload: Payload) -> None:
    with pytest.raises(Refused, match="SecurityError"):
        await cp.call(action, payload)


async def test_each_trigger_lets_one_message_in() -> None:
    async with pending() as (cs, cp):
        await trigger(cs, "Heartbeat")
        await trigger(cs, "Heartbeat")
        await cp.call("Heartbeat", {})
        await cp.call("Heartbeat", {})
        await refuses(cp, "Heartbeat", {})


async def test_a_report_of_one_connector_is_one_message() -> None:
    async with pending() as (cs, cp):
        await trigger(cs, "StatusNotification", connectorId=1)
        await cp.call("StatusNotification", report(1))
        await refuses(cp, "StatusNotification", report(2))


async def test_without_a_connector_each_may_be_told() -> None:
    async with pending() as (cs, cp):
        await trigger(cs, "StatusNotification")
        await trigger(cs, "MeterValues")
        for connector in (0, 1, 2):
            await cp.call("StatusNotification", report(connector))
        await cp.call("MeterValues", METER_VALUES)
        await cp.call("MeterValues", METER_VALUES)
        await refuses(cp, "Heartbeat", {})


async def test_a_boot_ends_what_was_triggered() -> None:
    async with pending() as (cs, cp):
        await trigger(cs, "StatusNotification")
        await trigger(cs, "BootNotification")
        await cp.call("BootNotification", BOOT)
        await refuses(cp, "StatusNotification", report(1))


async def test_an_accepted_charge_point_is_asked_for_no_boot() -> None:
    async with running() as cs, charge_point(cs):
        with pytest.raises(LocalMisuse, match=r"errata 3\.40"):
            await trigger(cs, "BootNotification")
        await trigger(cs, "Heartbeat")


async def test_diagnostics_and_firmware_are_answered() -> None:
    async with running() as cs, charge_point(cs) as cp:
        assert await cp.call("DiagnosticsStatusNotification", {"status": "Idle"}) == {}
        assert await cp.call("FirmwareStatusNotification", {"status": "Idle"}) == {}
