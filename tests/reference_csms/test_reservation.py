"""What the reference Central System remembers of reservations: 3.11, 4.8, 5.1, 5.13, 6.37."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ocppj.clock import parse_timestamp, timestamp
from ocppj.frames import Call, Payload
from reference_csms import reservation
from reference_csms.central_system import CentralSystem
from tests.reference_csms.scene import NOW, charge_point, furnished, running

LATER = "2099-05-13T08:41:17.389Z"


async def reserve(cs: CentralSystem, **more: Any) -> Payload:
    request: Payload = {"connectorId": 1, "idTag": "Valid", "expiryDate": LATER, **more}
    return await cs.request("CP-1", "ReserveNow", request)


def standing(cs: CentralSystem, identity: str = "CP-1") -> list[int]:
    return [each.reservation_id for each in reservation.standing(cs.store.of(identity))]


async def test_reservations_are_numbered_and_last_an_hour() -> None:
    came: list[Call] = []

    async def accept(call: Call) -> Payload:
        came.append(call)
        return {"status": "Accepted"}

    async with running() as cs, charge_point(cs, handle=accept):
        now = datetime.now(UTC)
        await cs.request("CP-1", "ReserveNow", {"connectorId": 0, "idTag": "Valid", "parentIdTag": "Family"})
        await reserve(cs, reservationId=3000)
        await reserve(cs)
        assert [call.payload["reservationId"] for call in came] == [2001, 3000, 3001]
        assert abs(parse_timestamp(came[0].payload["expiryDate"]) - now - timedelta(hours=1)) < timedelta(seconds=1)
        assert standing(cs) == [2001, 3000, 3001]
        assert standing(cs, "CP-2") == []
        assert cs.store.charge_points["CP-1"].reservations[2001].parent_id_tag == "Family"


async def test_what_is_refused_is_not_remembered() -> None:
    async def refuse(call: Call) -> Payload:
        return {"status": "Occupied" if call.action == "ReserveNow" else "Rejected"}

    async with running() as cs, charge_point(cs, handle=refuse):
        await reserve(cs)
        assert standing(cs) == []


async def test_what_ends_a_reservation() -> None:
    async with running() as cs, charge_point(cs) as cp:
        for number in range(1, 6):
            await reserve(cs, reservationId=number, connectorId=number)
        await cs.request("CP-1", "CancelReservation", {"reservationId": 1})
        begins = {"connectorId": 2, "idTag": "Valid", "meterStart": 0, "timestamp": NOW}
        await cp.call("StartTransaction", {**begins, "reservationId": 2})
        assert standing(cs) == [3, 4, 5]
        for connector, status in ((3, "Faulted"), (4, "Unavailable"), (5, "Available")):
            await cp.call("StatusNotification", {"connectorId": connector, "errorCode": "NoError", "status": status})
        assert standing(cs) == [5]
        await cp.call("StatusNotification", {"connectorId": 0, "errorCode": "NoError", "status": "Unavailable"})
        assert standing(cs) == []


async def test_the_same_id_replaces_and_time_ends() -> None:
    async with running() as cs, charge_point(cs):
        await reserve(cs, reservationId=1)
        await reserve(
            cs, reservationId=1, connectorId=2, expiryDate=timestamp(datetime.now(UTC) + timedelta(seconds=5))
        )
        assert [each.connector_id for each in reservation.standing(cs.store.of("CP-1"))] == [2]
        await asyncio.sleep(6)
        assert standing(cs) == []


async def test_a_cancellation_that_is_refused_leaves_it() -> None:
    async def only_reserve(call: Call) -> Payload:
        return {"status": "Accepted" if call.action == "ReserveNow" else "Rejected"}

    async with running() as cs, charge_point(cs, handle=only_reserve):
        await reserve(cs, reservationId=1)
        await cs.request("CP-1", "CancelReservation", {"reservationId": 1})
        assert standing(cs) == [1]


@pytest.mark.parametrize("action", ["ClearCache", "GetLocalListVersion"])
async def test_other_requests_stay_as_they_are(action: str) -> None:
    request: Payload = {"any": 1}
    assert reservation.complete(furnished().of("CP-1"), action, request) is request
