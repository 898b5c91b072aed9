"""Faults about reservations (OCPP 1.6 4.8, 5.1, 5.13)."""

import asyncio

import pytest

from bench.device import DEFAULT_DATA
from bench.mutants import Mutant, Plant
from bench.mutants.planting import (
    answers,
    asks,
    instead,
    is_silent_about,
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
from simulator.connector import IdTagHolder
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


# The Charge Point

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
        "OCPP 1.6 6.39",
        asks("ReserveNow", with_fields(connectorId=2)),
        "TC_046_CSMS TC_047_CSMS TC_048_1_CSMS TC_048_2_CSMS TC_048_3_CSMS TC_048_4_CSMS TC_049_CSMS",
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
