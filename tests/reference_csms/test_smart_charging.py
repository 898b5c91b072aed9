"""What the Central System knows of the charging profiles that it set."""

import pytest

from ocppj.frames import Call, Payload
from reference_csms.central_system import CentralSystem
from tests.reference_csms.scene import accept, charge_point, furnished, running
from tests.reference_csms.test_core import START, STOP


def profile(number: int, *, level: int = 0, purpose: str = "TxDefaultProfile") -> Payload:
    return {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}],
        },
    }


async def set_profile(central_system: CentralSystem, connector: int, what: Payload) -> None:
    request = {"connectorId": connector, "csChargingProfiles": what}
    await central_system.request("CP-1", "SetChargingProfile", request)


def known(central_system: CentralSystem) -> list[tuple[int, int]]:
    profiles = central_system.store.charge_points["CP-1"].charging_profiles
    return [(each.connector_id, each.profile["chargingProfileId"]) for each in profiles]


async def refuse(call: Call) -> Payload:
    return {"status": "Rejected"}


async def unknown(call: Call) -> Payload:
    return {"status": "Unknown"} if call.action == "ClearChargingProfile" else await accept(call)


async def test_it_keeps_what_was_accepted_in_the_place_of_what_it_replaces() -> None:
    async with running(furnished()) as cs, charge_point(cs):
        await set_profile(cs, 1, profile(1))
        await set_profile(cs, 1, profile(2))  # the same level and purpose
        await set_profile(cs, 0, profile(3))
        await set_profile(cs, 1, profile(4, level=1))
        assert known(cs) == [(1, 2), (0, 3), (1, 4)]
        await set_profile(cs, 0, profile(4, purpose="ChargePointMaxProfile"))  # the same id
        assert known(cs) == [(1, 2), (0, 3), (0, 4)]
    assert cs.store.charge_points["CP-2"].charging_profiles == []


async def test_it_keeps_nothing_that_was_refused() -> None:
    async with running(furnished()) as cs, charge_point(cs, handle=refuse):
        await set_profile(cs, 1, profile(1))
        start = {"idTag": "Valid", "connectorId": 1, "chargingProfile": profile(2, purpose="TxProfile")}
        await cs.request("CP-1", "RemoteStartTransaction", start)
        assert known(cs) == []


@pytest.mark.parametrize(
    ("request_", "left"),
    [
        ({}, []),
        ({"id": 2}, [1, 3]),
        ({"id": 2, "stackLevel": 5}, [1, 3]),
        ({"connectorId": 1}, [1]),
        ({"stackLevel": 0, "connectorId": 1}, [1, 3]),
        ({"chargingProfilePurpose": "ChargePointMaxProfile"}, [2, 3]),
        ({"id": 9}, [1, 2, 3]),
    ],
)
@pytest.mark.parametrize("handle", [accept, unknown])
async def test_it_forgets_what_it_has_cleared(request_: Payload, left: list[int], handle: object) -> None:
    async with running(furnished()) as cs, charge_point(cs, handle=handle):  # type: ignore[arg-type]  # either is one
        await set_profile(cs, 0, profile(1, purpose="ChargePointMaxProfile"))
        await set_profile(cs, 1, profile(2))
        await set_profile(cs, 1, profile(3, level=1))
        await cs.request("CP-1", "ClearChargingProfile", request_)
        assert [number for _, number in known(cs)] == left


async def test_a_tx_profile_ends_with_its_transaction() -> None:
    async with running(furnished()) as cs, charge_point(cs) as cp:
        start = {"idTag": "Valid", "connectorId": 1, "chargingProfile": profile(1, purpose="TxProfile")}
        await cs.request("CP-1", "RemoteStartTransaction", start)
        await cp.call("StartTransaction", START)
        await set_profile(cs, 1, profile(2, level=1, purpose="TxProfile"))
        await set_profile(cs, 1, profile(3))
        await set_profile(cs, 2, profile(4, purpose="TxProfile"))
        assert known(cs) == [(1, 1), (1, 2), (1, 3), (2, 4)]
        await cp.call("StopTransaction", STOP)
        assert known(cs) == [(1, 3), (2, 4)]
