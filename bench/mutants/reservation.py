"""Faults about reservations (OCPP 1.6 4.8, 5.1, 5.13)."""

import asyncio
from weakref import WeakKeyDictionary

import pytest

from bench.device import DEFAULT_DATA
from bench.mutants import Mutant, Plant
from bench.mutants.planting import (
    answers,
    asks,
    asks_not,
    instead,
    is_silent_about,
    is_silent_where,
    only_answers,
    queues,
    refuses_reports_of,
    reports,
    says_of,
    where,
    with_fields,
)
from ocppj.frames import Payload
from reference_csms import central_system
from simulator import reservation
from simulator.charge_point import ChargePoint
from simulator.connector import Connector, IdTagHolder
from simulator.memory import StoredReservation
from simulator.reservation import HANDLERS, WITHOUT

CSMS = central_system.HANDLERS


def another_reservation_id(payload: Payload) -> Payload:
    return payload | {"reservationId": payload["reservationId"] + 1} if "reservationId" in payload else payload


def always_a_reservation_id(payload: Payload) -> Payload:
    return {"reservationId": 1} | payload


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


def is_silent_when_cancelled(patch: pytest.MonkeyPatch) -> None:
    cancel = HANDLERS["CancelReservation"]

    def cancel_in_silence(charge_point: ChargePoint, request: Payload) -> Payload:
        conf = cancel(charge_point, request)

        def forget() -> None:
            charge_point._notices[:] = [each for each in charge_point._notices if each.told[0] != "Available"]

        charge_point.afterwards(forget)
        return conf

    patch.setitem(HANDLERS, "CancelReservation", cancel_in_silence)


def tells_first(status: str, before: str) -> Plant:
    """A status is reported for a moment before another one."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        tell = ChargePoint._tell

        def tell_more(self: ChargePoint, connector: Connector) -> None:
            tell(self, connector)
            if connector.status == before:
                self._notices[-1].payload = self._notices[-1].payload | {"status": status}
                tell(self, connector)

        patch.setattr(ChargePoint, "_tell", tell_more)

    return plant


def is_silent_about_reserved(status: str) -> Plant:
    """A status that the one brings about whom a connector was reserved for is not reported."""

    def concerns(charge_point: ChargePoint, connector: Connector) -> bool:
        told = charge_point._told.get(connector.number, ("", ""))[0]
        return connector.status == status and told in ("Reserved", "Preparing")

    return is_silent_where(concerns)


def stirs_when_it_refuses(patch: pytest.MonkeyPatch) -> None:
    """Whoever is refused at a reserved connector prepares it for a moment."""
    present = ChargePoint.present

    async def present_and_stir(self: ChargePoint, id_tag: str, connector: int | None = None) -> None:
        await present(self, id_tag, connector)
        for it in self.connectors.values():
            if reservation.refuses_unasked(self, it, id_tag):
                self.tell_again(it)
                self._notices[-1].payload["status"] = "Preparing"
                self.tell_again(it)

    patch.setattr(ChargePoint, "present", present_and_stir)


def asks_about_who_came_before(patch: pytest.MonkeyPatch) -> None:
    """The idTag that is asked about is that of the EV driver before."""
    present, request = ChargePoint.present, ChargePoint.request
    came: WeakKeyDictionary[ChargePoint, list[str]] = WeakKeyDictionary()

    async def present_and_note(self: ChargePoint, id_tag: str, connector: int | None = None) -> None:
        came.setdefault(self, []).append(id_tag)
        await present(self, id_tag, connector)

    async def request_for_another(self: ChargePoint, action: str, payload: Payload, **more: bool) -> Payload:
        if action == "Authorize" and len(came.get(self, [])) > 1:
            payload = payload | {"idTag": came[self][-2]}
        return await request(self, action, payload, **more)

    patch.setattr(ChargePoint, "present", present_and_note)
    patch.setattr(ChargePoint, "request", request_for_another)


OF_CHARGE_POINT = [
    Mutant(
        "a reserved transaction starts without its reservationId",
        "Charge Point",
        "OCPP 1.6 4.8",
        queues("StartTransaction", with_fields(reservationId=...)),
        "TC_046_1_CS TC_046_2_CS TC_049_CS TC_053_1_CS TC_053_2_CS",
    ),
    Mutant(
        "a reserved transaction starts with the reservationId of another",
        "Charge Point",
        "OCPP 1.6 4.8",
        queues("StartTransaction", another_reservation_id),
        "TC_046_1_CS TC_046_2_CS TC_049_CS TC_053_1_CS TC_053_2_CS",
    ),
    Mutant(
        "every transaction starts with a reservationId",
        "Charge Point",
        "OCPP 1.6 6.45",
        queues("StartTransaction", always_a_reservation_id),
        "TC_047_CS TC_051_CS",
    ),
    Mutant(
        "a transaction starts with the parentIdTag",
        "Charge Point",
        "OCPP 1.6 6.45",
        queues("StartTransaction", with_fields(idTag=DEFAULT_DATA["ParentIdTag"])),
        "TC_046_1_CS TC_046_2_CS TC_047_CS TC_049_CS TC_051_CS TC_053_1_CS TC_053_2_CS",
    ),
    Mutant(
        "Reserved is not reported",
        "Charge Point",
        "OCPP 1.6 5.13",
        is_silent_about("Reserved"),
        "TC_046_1_CS TC_046_2_CS TC_047_CS TC_051_CS TC_052_CS TC_053_1_CS TC_053_2_CS",
    ),
    Mutant(
        "anyone may charge at a reserved connector",
        "Charge Point",
        "OCPP 1.6 5.13",
        admits_anyone,
        "TC_046_1_CS",
    ),
    Mutant(
        "a reservation does not know the group of an idTag",
        "Charge Point",
        "OCPP 1.6 5.13",
        knows_no_group,
        "TC_053_1_CS TC_053_2_CS",
    ),
    Mutant("a reservation never expires", "Charge Point", "OCPP 1.6 5.13", expires(None), "TC_047_CS"),
    Mutant("a reservation expires too early", "Charge Point", "OCPP 1.6 5.13", expires(60), "TC_047_CS"),
    Mutant(
        "a reserved connector is reported as connector 0",
        "Charge Point",
        "OCPP 1.6 5.13",
        reports(where(with_fields(connectorId=0), status="Reserved")),
        "TC_046_1_CS TC_046_2_CS TC_047_CS TC_049_CS TC_051_CS TC_052_CS TC_053_1_CS TC_053_2_CS",
    ),
    Mutant(
        "a connector is reported Unavailable before it is reported Reserved",
        "Charge Point",
        "OCPP 1.6 5.13",
        tells_first("Unavailable", "Reserved"),
        "TC_046_1_CS TC_046_2_CS TC_047_CS TC_049_CS TC_053_1_CS TC_053_2_CS",
    ),
    Mutant(
        "whoever is refused at a reserved connector prepares it for a moment",
        "Charge Point",
        "OCPP 1.6 5.13",
        stirs_when_it_refuses,
        "TC_046_1_CS",
    ),
    Mutant(
        "the idTag that is asked about is that of the EV driver before",
        "Charge Point",
        "OCPP 1.6 4.1",
        asks_about_who_came_before,
        "TC_046_1_CS",
    ),
    Mutant(
        "whoever has a connector reserved prepares it in silence",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_about_reserved("Preparing"),
        "TC_046_1_CS TC_053_1_CS",
    ),
    Mutant(
        "whoever has a connector reserved charges in silence",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_about_reserved("Charging"),
        "TC_046_1_CS TC_053_1_CS",
    ),
    Mutant(
        "a reservation is made and called Occupied",
        "Charge Point",
        "OCPP 1.6 5.13",
        answers(HANDLERS, "ReserveNow", where(instead("Occupied"), status="Accepted")),
        "TC_046_1_CS TC_046_2_CS TC_047_CS TC_049_CS TC_051_CS TC_052_CS TC_053_1_CS TC_053_2_CS",
    ),
    *(
        Mutant(
            f"a connector that is {status} cannot be reserved, and that is called {told}",
            "Charge Point",
            "OCPP 1.6 7.40",
            answers(HANDLERS, "ReserveNow", where(instead(told), status=status)),
            kills,
        )
        for status, told, kills in (
            ("Faulted", "Rejected", "TC_048_1_CS TC_050_1_CS"),
            ("Occupied", "Rejected", "TC_048_2_CS TC_050_2_CS"),
            ("Unavailable", "Occupied", "TC_048_3_CS TC_050_3_CS"),
        )
    ),
    Mutant(
        "the end of a reservation is not reported",
        "Charge Point",
        "OCPP 1.6 5.13",
        is_silent_about("Available"),
        "TC_047_CS TC_051_CS",
    ),
    Mutant(
        "a cancelled reservation is not reported",
        "Charge Point",
        "OCPP 1.6 4.9",
        is_silent_when_cancelled,
        "TC_051_CS",
    ),
    Mutant(
        "every CancelReservation is Accepted",
        "Charge Point",
        "OCPP 1.6 5.1",
        answers(HANDLERS, "CancelReservation", instead("Accepted")),
        "TC_052_CS",
    ),
    Mutant(
        "a reservation is cancelled and that is called Rejected",
        "Charge Point",
        "OCPP 1.6 5.1",
        answers(HANDLERS, "CancelReservation", instead("Rejected")),
        "TC_051_CS",
    ),
    Mutant(
        "every ReserveNow is Accepted",
        "Charge Point",
        "OCPP 1.6 5.13",
        answers(HANDLERS, "ReserveNow", instead("Accepted")),
        "TC_048_1_CS TC_048_2_CS TC_048_3_CS TC_050_1_CS TC_050_2_CS TC_050_3_CS",
    ),
    Mutant(
        "ReserveNow is Accepted without the profile",
        "Charge Point",
        "OCPP 1.6 5.13",
        answers(WITHOUT, "ReserveNow", instead("Accepted")),
        "TC_048_4_CS TC_050_4_CS",
    ),
    Mutant(
        "a cancelled reservation is kept",
        "Charge Point",
        "OCPP 1.6 5.1",
        only_answers(HANDLERS, "CancelReservation", {"status": "Accepted"}),
        "TC_051_CS TC_052_CS",
    ),
]

# The Central System

OF_CENTRAL_SYSTEM = [
    Mutant(
        "another connector is reserved",
        "Central System",
        "OCPP 1.6 6.37",
        asks("ReserveNow", with_fields(connectorId=2)),
        "TC_046_CSMS TC_047_CSMS TC_048_1_CSMS TC_048_2_CSMS TC_048_3_CSMS TC_048_4_CSMS TC_049_CSMS",
    ),
    Mutant(
        "the whole Charge Point is reserved",
        "Central System",
        "OCPP 1.6 6.37",
        asks("ReserveNow", with_fields(connectorId=0)),
        "TC_046_CSMS TC_047_CSMS TC_048_1_CSMS TC_048_2_CSMS TC_048_3_CSMS TC_048_4_CSMS TC_051_CSMS TC_053_CSMS",
    ),
    Mutant(
        "a connector is reserved for another idTag",
        "Central System",
        "OCPP 1.6 6.37",
        asks("ReserveNow", with_fields(idTag=DEFAULT_DATA["ValidIdTag2"])),
        "TC_046_CSMS TC_047_CSMS TC_048_1_CSMS TC_048_2_CSMS TC_048_3_CSMS TC_048_4_CSMS",
    ),
    Mutant(
        "a reservation names no group",
        "Central System",
        "OCPP 1.6 6.37",
        asks("ReserveNow", with_fields(parentIdTag=...)),
        "TC_053_CSMS",
    ),
    Mutant(
        "a reservation has expired before it is made",
        "Central System",
        "OCPP 1.6 6.37",
        asks("ReserveNow", with_fields(expiryDate="2001-01-01T00:00:00Z")),
        "TC_046_CSMS TC_047_CSMS TC_048_1_CSMS TC_048_2_CSMS TC_048_3_CSMS TC_048_4_CSMS TC_049_CSMS TC_051_CSMS "
        "TC_052_CSMS TC_053_CSMS",
    ),
    Mutant(
        "what is to be Inoperative is made Operative",
        "Central System",
        "OCPP 1.6 5.2",
        asks("ChangeAvailability", where(with_fields(type="Operative"), type="Inoperative")),
        "TC_048_3_CSMS",
    ),
    Mutant(
        "the availability of another connector is changed before it is reserved",
        "Central System",
        "OCPP 1.6 5.2",
        asks("ChangeAvailability", with_fields(connectorId=2)),
        "TC_048_3_CSMS",
    ),
    Mutant(
        "no reservation is cancelled",
        "Central System",
        "OCPP 1.6 5.1",
        asks_not("CancelReservation"),
        "TC_051_CSMS TC_052_CSMS",
    ),
    Mutant(
        "another reservation is cancelled",
        "Central System",
        "OCPP 1.6 5.1",
        asks("CancelReservation", with_fields(reservationId=1)),
        "TC_051_CSMS",
    ),
    Mutant(
        "StartTransaction.conf of a reservation is Invalid",
        "Central System",
        "OCPP 1.6 4.8",
        answers(CSMS, "StartTransaction", with_fields(idTagInfo={"status": "Invalid"})),
        "TC_046_CSMS TC_053_CSMS",
    ),
    Mutant(
        "the second idTag of a group is Blocked",
        "Central System",
        "OCPP 1.6 4.1",
        says_of(DEFAULT_DATA["ValidIdTag2"], "Accepted", "Blocked"),
        "TC_053_CSMS",
    ),
    Mutant(
        "reports of Reserved are refused",
        "Central System",
        "OCPP 1.6 4.9",
        refuses_reports_of("Reserved"),
        "TC_046_CSMS TC_047_CSMS TC_049_CSMS TC_051_CSMS TC_052_CSMS TC_053_CSMS",
    ),
]

MUTANTS = [*OF_CHARGE_POINT, *OF_CENTRAL_SYSTEM]
