"""Small faults in one of our parties that the cases about reservations find."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bench.device import DEFAULT_DATA
from ocppj.errors import Refused
from ocppj.frames import Payload
from reference_csms import central_system
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store, View
from simulator import reservation
from simulator.charge_point import ChargePoint
from simulator.connector import Connector, IdTagHolder
from simulator.memory import StoredReservation
from simulator.reservation import HANDLERS, WITHOUT
from tests.planted.test_planted_faults import Plant, answer, cases, due, idtag_status, instead, not_passed

CHARGE_POINT = "046_1 046_2 047 048_1 048_2 048_3 048_4 049 050_1 050_2 050_3 050_4 051 052 053_1 053_2"
CENTRAL_SYSTEM = "046 047 048_1 048_2 048_3 048_4 049 051 052 053"
IDS = frozenset(cases(CHARGE_POINT, "CS") | cases(CENTRAL_SYSTEM, "CSMS"))


# The Charge Point


def says(was: str, status: str) -> Plant:
    """ReserveNow.conf has one status for another."""
    return answer(HANDLERS, "ReserveNow", lambda conf: {"status": status} if conf["status"] == was else conf)


def is_silent_about(status: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        tell = ChargePoint._tell

        def tell_less(self: ChargePoint, connector: Connector) -> None:
            if connector.status != status:
                tell(self, connector)

        patch.setattr(ChargePoint, "_tell", tell_less)

    return plant


def starts_with(change: Callable[[Payload], Payload]) -> Plant:
    """StartTransaction.req holds something else."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        queue = ChargePoint.queue_message

        def queue_changed(self: ChargePoint, action: str, payload: Payload, *more: Any) -> None:
            queue(self, action, change(payload) if action == "StartTransaction" else payload, *more)

        patch.setattr(ChargePoint, "queue_message", queue_changed)

    return plant


def without_reservation_id(payload: Payload) -> Payload:
    return {name: value for name, value in payload.items() if name != "reservationId"}


def another_reservation_id(payload: Payload) -> Payload:
    return payload | {"reservationId": payload["reservationId"] + 1} if "reservationId" in payload else payload


def always_a_reservation_id(payload: Payload) -> Payload:
    return {"reservationId": 1} | payload


def group_for_id_tag(payload: Payload) -> Payload:
    return payload | {"idTag": DEFAULT_DATA["ParentIdTag"]}


def admits_anyone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reservation, "refuses_unasked", lambda *_: False)
    patch.setattr(reservation, "refuses", lambda *_: False)


def knows_no_group(patch: pytest.MonkeyPatch) -> None:
    def fits(stored: StoredReservation, holder: IdTagHolder) -> bool:
        return reservation._is_for(stored, holder.id_tag)

    patch.setattr(reservation, "_fits", fits)


def expires(seconds: float | None) -> Plant:
    """Not at the expiryDate, but so many seconds after it is reserved, or never."""

    async def expire(charge_point: ChargePoint, stored: StoredReservation) -> None:
        if seconds is not None:
            await asyncio.sleep(seconds)
            charge_point.memory.reservations.remove(stored)
            reservation._settle_after(charge_point, stored)

    return lambda patch: patch.setattr(reservation, "_expire", expire)


def reports_connector_0(patch: pytest.MonkeyPatch) -> None:
    notice = ChargePoint._notice

    def notice_changed(self: ChargePoint, connector: Connector, after: int) -> Any:
        made = notice(self, connector, after)
        if connector.status == "Reserved":
            made.payload["connectorId"] = 0
        return made

    patch.setattr(ChargePoint, "_notice", notice_changed)


# The Central System


def asks(action: str, change: Callable[[Payload], Payload]) -> Plant:
    """The Central System asks otherwise."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem.request

        async def request(self: CentralSystem, identity: str, asked: str, payload: Payload) -> Payload:
            return await ordinary(self, identity, asked, change(payload) if asked == action else payload)

        patch.setattr(CentralSystem, "request", request)

    return plant


def having(**fields: object) -> Callable[[Payload], Payload]:
    """With other fields; ``...`` leaves one out."""
    return lambda payload: {name: value for name, value in {**payload, **fields}.items() if value is not ...}


def says_of_second(status: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        judge = Store.id_tag_info

        def id_tag_info(store: Store, id_tag: str) -> Payload:
            info = judge(store, id_tag)
            return info | {"status": status} if id_tag == DEFAULT_DATA["ValidIdTag2"] else info

        patch.setattr(Store, "id_tag_info", id_tag_info)

    return plant


def refuses_reports_of(status: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = central_system.HANDLERS["StatusNotification"]

        def status_notification(store: View, request: Payload) -> Payload:
            if request["status"] == status:
                raise Refused("InternalError")
            return ordinary(store, request)

        patch.setitem(central_system.HANDLERS, "StatusNotification", status_notification)

    return plant


def invalid(conf: Payload) -> Payload:
    return conf | {"idTagInfo": {"status": "Invalid"}}


USED = "046_1 046_2 049 053_1 053_2"  # a transaction ends a reservation
STARTS = f"{USED} 047 051"
RESERVED = "046_1 046_2 047 051 052 053_1 053_2"  # a certain connector is reported Reserved
REFUSED = "048_1 048_2 048_3 050_1 050_2 050_3"
ASKS_CONNECTOR = "046 047 048_1 048_2 048_3 048_4"
ASKED_CONNECTOR = f"{RESERVED} 048_1 048_2 048_3 048_4"
ZERO = "049 050_1 050_2 050_3 050_4"

# A fault, the cases that fail, the cases that end as our error.
FAULTS: dict[str, tuple[Plant, str, str]] = {
    "no reservationId": (starts_with(without_reservation_id), USED, "046"),
    "another reservationId": (starts_with(another_reservation_id), USED, "046"),
    "a reservationId always": (starts_with(always_a_reservation_id), "047 051", ""),
    "the group starts the transaction": (starts_with(group_for_id_tag), STARTS, "046 053"),
    "Reserved is not reported": (is_silent_about("Reserved"), RESERVED, "046 047 051 053"),
    "Preparing is not reported": (is_silent_about("Preparing"), f"{STARTS} 048_2 050_2", "046 048_2 053"),
    "Charging is not reported": (is_silent_about("Charging"), STARTS, "046 053"),
    "Available is not reported": (is_silent_about("Available"), "047 051", "047 051"),
    "anyone may charge": (admits_anyone, "046_1", ""),
    "no group is known": (knows_no_group, "053_1 053_2", "053"),
    "it never expires": (expires(None), "047", "047"),
    "it expires too early": (expires(60), "047", ""),
    "connector 0 is Reserved": (reports_connector_0, f"{RESERVED} 049", "046 047 049 051 052 053"),
    "every ReserveNow is Accepted": (answer(HANDLERS, "ReserveNow", instead("Accepted")), REFUSED, "048_2 048_3"),
    "every ReserveNow is Occupied": (
        answer(HANDLERS, "ReserveNow", instead("Occupied")),
        f"{RESERVED} 048_1 048_3 049 050_1 050_3",
        "046 047 048_3 049 051 052 053",
    ),
    "Faulted is answered Rejected": (says("Faulted", "Rejected"), "048_1 050_1", ""),
    "Occupied is answered Rejected": (says("Occupied", "Rejected"), "048_2 050_2", "048_2"),
    "Unavailable is answered Occupied": (says("Unavailable", "Occupied"), "048_3 050_3", "048_3"),
    "Accepted without the profile": (answer(WITHOUT, "ReserveNow", instead("Accepted")), "048_4 050_4", ""),
    "every CancelReservation is Accepted": (answer(HANDLERS, "CancelReservation", instead("Accepted")), "052", ""),
    "every CancelReservation is Rejected": (answer(HANDLERS, "CancelReservation", instead("Rejected")), "051", "051"),
    "nothing is cancelled": (
        lambda patch: patch.setitem(HANDLERS, "CancelReservation", lambda *_: {"status": "Accepted"}),
        "051 052",
        "051",
    ),
}

# The same for a fault of the Central System: what ends as our error has the Charge Point judged.
FAULTS_OF_CENTRAL_SYSTEM: dict[str, tuple[Plant, str, str]] = {
    "another connector": (
        asks("ReserveNow", having(connectorId=2)),
        f"{ASKS_CONNECTOR} 049",
        f"{ASKED_CONNECTOR} {ZERO}",
    ),
    "connector 0": (asks("ReserveNow", having(connectorId=0)), f"{ASKS_CONNECTOR} 051 053", ASKED_CONNECTOR),
    "another idTag": (
        asks("ReserveNow", having(idTag=DEFAULT_DATA["ValidIdTag2"])),
        ASKS_CONNECTOR,
        f"{ASKED_CONNECTOR} {ZERO}",
    ),
    "no group": (asks("ReserveNow", having(parentIdTag=...)), "053", "053_1 053_2"),
    "an expiryDate of long ago": (
        asks("ReserveNow", having(expiryDate="2001-01-01T00:00:00Z")),
        CENTRAL_SYSTEM,
        CHARGE_POINT,
    ),
    "another reservation is cancelled": (asks("CancelReservation", having(reservationId=1)), "051", "051"),
    "made available": (
        asks("ChangeAvailability", having(type="Operative")),
        "048_3",
        "046_1 047 048_3 049 050_3 053_1 053_2",
    ),
    "the availability of another": (asks("ChangeAvailability", having(connectorId=2)), "048_3", "048_3 050_3"),
    "the second idTag is Blocked": (says_of_second("Blocked"), "053", "047 051 053_1 053_2"),
    "Accepted is answered Invalid": (idtag_status("Accepted", "Invalid"), "046 053", STARTS),
    "StartTransaction.conf is Invalid": (
        answer(central_system.HANDLERS, "StartTransaction", invalid),
        "046 053",
        STARTS,
    ),
    "reports of Reserved are refused": (
        refuses_reports_of("Reserved"),
        "046 047 049 051 052 053",
        "046_1 046_2 047 049 053_1 053_2",
    ),
    "reports of Preparing are refused": (
        refuses_reports_of("Preparing"),
        "046 048_2 053",
        "046_1 048_2",
    ),
    "reports of Charging are refused": (refuses_reports_of("Charging"), "046 053", "046_1 053_1"),
    "reports of Available are refused": (refuses_reports_of("Available"), CENTRAL_SYSTEM, CHARGE_POINT),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_of_the_charge_point_is_found(name: str) -> None:
    plant, failed, errors = FAULTS[name]
    assert not_passed(plant, among=IDS) == due(cases(failed, "CS"), cases(errors, "CSMS"))


@pytest.mark.parametrize("name", FAULTS_OF_CENTRAL_SYSTEM)
def test_fault_of_the_central_system_is_found(name: str) -> None:
    plant, failed, errors = FAULTS_OF_CENTRAL_SYSTEM[name]
    assert not_passed(plant, among=IDS) == due(cases(failed, "CSMS"), cases(errors, "CS"))


def test_every_case_is_killed() -> None:
    killed = {case for _, failed, _ in FAULTS.values() for case in cases(failed, "CS")}
    killed |= {case for _, failed, _ in FAULTS_OF_CENTRAL_SYSTEM.values() for case in cases(failed, "CSMS")}
    assert killed == IDS
