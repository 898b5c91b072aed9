"""Reservation profile: what a Central System remembers of the reservations that it asks for (3.11, 5.1, 5.13)."""

from datetime import UTC, datetime, timedelta

from ocppj.clock import parse_timestamp, timestamp
from ocppj.frames import Payload
from reference_csms.store import Outcome, Reservation, View

LASTS = timedelta(hours=1)  # where nobody says how long


def complete(store: View, action: str, request: Payload) -> Payload:
    """A request with what its wisher left to the Central System: the reservationId is unique (6.37)."""
    if action != "ReserveNow":
        return request
    shared = store.shared
    if "reservationId" not in request:
        request = {**request, "reservationId": shared.next_reservation_id}
    if isinstance(number := request["reservationId"], int):
        shared.next_reservation_id = max(shared.next_reservation_id, number + 1)
    return {"expiryDate": timestamp(datetime.now(UTC) + LASTS), **request}


def reserved(store: View, request: Payload, conf: Payload) -> None:
    """ReserveNow.conf: an accepted reservation replaces that with the same reservationId (5.13)."""
    if conf["status"] == "Accepted":
        store.charge_point.reservations[request["reservationId"]] = Reservation(
            request["reservationId"],
            request["connectorId"],
            request["idTag"],
            request["expiryDate"],
            request.get("parentIdTag"),
        )


def cancelled(store: View, request: Payload, conf: Payload) -> None:
    """CancelReservation.conf (5.1)."""
    if conf["status"] == "Accepted":
        store.charge_point.reservations.pop(request["reservationId"], None)


def used(store: View, reservation_id: int | None) -> None:
    """A transaction has ended a reservation (4.8)."""
    if reservation_id is not None:
        store.charge_point.reservations.pop(reservation_id, None)


def reported(store: View, connector_id: int, status: str) -> None:
    """A report ends the reservations of what became Faulted or Unavailable (5.13)."""
    if status in ("Faulted", "Unavailable"):
        for each in list(store.charge_point.reservations.values()):
            if connector_id in (0, each.connector_id):
                del store.charge_point.reservations[each.reservation_id]


def standing(store: View) -> list[Reservation]:
    """The reservations that nothing has ended, as far as the Central System can know."""
    now = datetime.now(UTC)
    return [each for each in store.charge_point.reservations.values() if now < parse_timestamp(each.expiry_date)]


OUTCOMES: dict[str, Outcome] = {"CancelReservation": cancelled, "ReserveNow": reserved}
