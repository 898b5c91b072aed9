"""Foreign devices and the cases about reservations."""

from collections.abc import Callable, Iterable
from datetime import timedelta, timezone
from typing import Any

import pytest

from ocppj.clock import Calendar, parse_timestamp, timestamp
from ocppj.frames import Payload
from reference_csms.central_system import CentralSystem
from simulator.charge_point import ChargePoint
from simulator.connector import Event
from tests.variants.foreign import ID_TAGS, Change, Frame, Variant, call

HOLDER, SECOND = ID_TAGS["ValidIdTag"], ID_TAGS["ValidIdTag2"]
ONE = "046_1 046_2 047 048_1 048_2 048_3 051 052 053_1"  # about one connector
WHOLE = "049 050_1 050_2 050_3"
ALL = f"{ONE} {WHOLE}"
ASKS = "046 047 048_1 048_2 048_3 048_4 049 051 052 053"
TWO = {"NumberOfConnectors": "2"}


def conf(action: str, **fields: object) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.answers(action) else None


def req(action: str, **fields: object) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.requests(action) else None


def refused(action: str, code: str) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.refused(code)] if frame.answers(action) else None


def edited(field: str, edit: Callable[[Any], object]) -> Callable[[], Change]:
    def change(frame: Frame) -> Iterable[Frame] | None:
        return [frame.with_fields(**{field: edit(frame.payload[field])})] if field in frame.payload else None

    return lambda: change


def silent_about(status: str, *connectors: int) -> Callable[[], Change]:
    def change(frame: Frame) -> Iterable[Frame] | None:
        tells = frame.requests("StatusNotification", status=status)
        return [] if tells and (not connectors or frame.payload["connectorId"] in connectors) else None

    return lambda: change


def asks_when_it_reserves(frame: Frame) -> Iterable[Frame] | None:
    is_reserved = frame.answers("ReserveNow") and frame.payload["status"] == "Accepted"
    return [frame, call("Authorize", {"idTag": HOLDER})] if is_reserved else None


def report_first(frame: Frame) -> Iterable[Frame] | None:
    """Preparing is told before the idTag is asked about, and then again."""
    if not frame.requests("Authorize"):
        return None
    payload = {"connectorId": 1, "errorCode": "NoError", "status": "Preparing", "timestamp": timestamp()}
    return [call("StatusNotification", payload), frame]


def late(seconds: float, *actions: str) -> Callable[[], Change]:
    """Everything, or the requests of some actions."""

    def change(frame: Frame) -> Iterable[Frame | float] | None:
        return [seconds, frame] if not actions or any(map(frame.requests, actions)) else None

    return lambda: change


def not_its_own(frame: Frame) -> Iterable[Frame] | None:
    if not frame.answers("ReserveNow"):
        return None
    wrong: Payload = {"transactionId": [], "reason": "DeAuthorized"}
    return [
        frame,
        *(call(action, wrong) for action in ("ChangeAvailability", "ChangeConfiguration", "StopTransaction")),
    ]


# Changes of what a Charge Point does


def is_available_when_timed_out(it: ChargePoint) -> None:
    """B1 of 4.9, before errata 3.20: also with a cable in."""
    connector = it.connectors[1]
    happens = connector.happens

    def happen(event: Event) -> None:
        happens(Event.USAGE_ENDS if event == Event.TIMED_OUT else event)

    connector.happens = happen  # type: ignore[assignment,method-assign]


def trusts_the_holder(it: ChargePoint) -> None:
    """It does not ask about an idTag for which something is reserved."""
    ask = it.authorization.ask

    async def trust(id_tag: str) -> Payload | None:
        reserved_for = [each["idTag"] for each in it.memory.reservations]
        return {"status": "Accepted"} if id_tag in reserved_for else await ask(id_tag)

    it.authorization.ask = trust  # type: ignore[method-assign]


def asks_about_anyone(it: ChargePoint) -> None:
    present = it.present

    async def ask_too(id_tag: str, connector: int | None = None) -> None:
        if any(each["idTag"] != id_tag and not each["parentIdTag"] for each in it.memory.reservations):
            await it.request("Authorize", {"idTag": id_tag})
        await present(id_tag, connector)

    it.present = ask_too  # type: ignore[method-assign]


def prepares_for_a_cable(it: ChargePoint) -> None:
    plug_in = it.plug_in

    async def plug_in_and_prepare(connector: int = 1) -> None:
        await plug_in(connector)
        if it.connectors[connector].beneath == "Reserved":
            it.connectors[connector].happens(Event.USAGE_BEGINS)

    it.plug_in = plug_in_and_prepare  # type: ignore[method-assign]


def expires(seconds: float) -> Callable[[ChargePoint], None]:
    """So many seconds after the expiryDate."""

    def setup(it: ChargePoint) -> None:
        reserve_now = it.handlers["ReserveNow"]

        def reserve(it: ChargePoint, request: Payload) -> Payload:
            expiry = parse_timestamp(request["expiryDate"]) + timedelta(seconds=seconds)
            return reserve_now(it, request | {"expiryDate": timestamp(expiry)})

        it.handlers["ReserveNow"] = reserve

    return setup


def answers(action: str, status: str) -> Callable[[ChargePoint], None]:
    """And does nothing."""
    return lambda it: it.handlers.update({action: lambda *_: {"status": status}})


def rejects_and_cancels(it: ChargePoint) -> None:
    cancel = it.handlers["CancelReservation"]

    def reject(it: ChargePoint, _: Payload) -> Payload:
        for each in list(it.memory.reservations):
            cancel(it, {"reservationId": each["reservationId"]})
        return {"status": "Rejected"}

    it.handlers["CancelReservation"] = reject


def without(*actions: str) -> Callable[[ChargePoint], None]:
    def setup(it: ChargePoint) -> None:
        for action in actions:
            del it.handlers[action]

    return setup


def has(**values: str) -> Callable[[ChargePoint], None]:
    def setup(it: ChargePoint) -> None:
        for name, value in values.items():
            it.configuration.set(name, value)

    return setup


def no_zero_key(frame: Frame) -> Iterable[Frame] | None:
    name = "ReserveConnectorZeroSupported"
    if not frame.answers("GetConfiguration"):
        return None
    kept = [entry for entry in frame.payload["configurationKey"] if entry["key"] != name]
    if len(kept) == len(frame.payload["configurationKey"]):
        return None
    return [frame.with_fields(configurationKey=kept, unknownKey=[name])]


LACKS_RESERVATION = frozenset({"reservation"})

CHARGE_POINTS = {
    "ours": Variant("nothing differs", numbers=ALL, strictly=True),
    "ours, with two connectors": Variant("nothing differs", numbers=ALL, connectors=2, data=TWO, strictly=True),
    "the second connector": Variant(
        "nothing differs", numbers=ALL, connectors=2, data={**TWO, "ConnectorId": "2"}, strictly=True
    ),
    "more connectors than it was said to have": Variant("4.9", numbers=ALL, connectors=3, strictly=True),
    "a slow operator": Variant("people take their time", numbers=ALL, connectors=2, data=TWO, delay=12),
    "a slow Charge Point": Variant(
        "the message timeout", lambda: lambda frame: None if frame.is_call else [10.0, frame], numbers=ALL
    ),
    "everything comes late": Variant("no latency is ruled out", late(2.5), numbers=ALL),
    "reports come late": Variant("no latency is ruled out", late(2.5, "StatusNotification"), numbers=ALL),
    "no milliseconds": Variant(
        "3.15: ISO 8601", edited("timestamp", lambda text: f"{text[:19]}Z"), numbers=ALL, strictly=True
    ),
    "an operator who says late that he is done": Variant(
        "9.1.6",
        numbers=ALL,
        lingers=70,
        inconclusive="046_1 047 048_2 050_2 051 053_1",
        reason="before the operator was done",
    ),
    "Available again with a cable in": Variant(
        "4.9, B1", charge_point=is_available_when_timed_out, numbers="048_2", strictly=True
    ),
    "Available again before the operator was done": Variant(
        "4.9, B1",
        charge_point=is_available_when_timed_out,
        numbers="048_2",
        lingers=70,
        inconclusive="048_2",
        reason="became Available before the operator was done",
    ),
    "asks about the idTag when it reserves": Variant(
        "recommended by 5.13", lambda: asks_when_it_reserves, numbers=ALL, remark="5.13"
    ),
    "does not ask about the reserved idTag": Variant(
        "TC_046_1, TC_046_2: optional", charge_point=trusts_the_holder, numbers="046_1 046_2 049 053_1", strictly=True
    ),
    "asks about any idTag": Variant(
        "5.13 does not forbid it", charge_point=asks_about_anyone, numbers="046_1", remark="reserved for another"
    ),
    "Preparing before Authorize.req": Variant(
        "4.9 ties a report to no other message", lambda: report_first, numbers="046_1 046_2 049 051 053_1"
    ),
    "Preparing as soon as a cable is in": Variant(
        "4.9: no report is tied to a message", charge_point=prepares_for_a_cable, numbers="046_2 049"
    ),
    "lower case": Variant("7.28", edited("idTag", lambda id_tag: id_tag.lower()), numbers=ALL, strictly=True),
    "AuthorizeRemoteTxRequests is false": Variant(
        "5.11", charge_point=has(AuthorizeRemoteTxRequests="false"), numbers="046_2 047 049 051", strictly=True
    ),
    "a group without asking, remotely": Variant(
        "5.13, 5.11",
        charge_point=has(AuthorizeRemoteTxRequests="false"),
        numbers="046_2 053_2",
        lacks=frozenset({"local_authorization"}),
        strictly=True,
    ),
    "no local authorization": Variant(
        "TC_053_2", numbers="053_2", lacks=frozenset({"local_authorization"}), connectors=2, data=TWO, strictly=True
    ),
    "no report of a reserved Charge Point": Variant(
        "5.13: no connector in particular", silent_about("Reserved"), numbers="049", remark="no connector was reported"
    ),
    "only connector 0 is reported Faulted": Variant(
        "4.9", silent_about("Faulted", 1), numbers="050_1", remark="connector 1 was not reported Faulted"
    ),
    "connector 0 is not reported Faulted": Variant(
        "4.9", silent_about("Faulted", 0), numbers="050_1", remark="connector 0 was not reported Faulted"
    ),
    "nothing is reported Faulted": Variant(
        "4.9", silent_about("Faulted"), numbers="046_1 048_1 050_1", fails="048_1 050_1"
    ),
    **{
        f"{code} without the profile": Variant(
            "OCPP-J, table 7",
            refused("ReserveNow", code),
            charge_point=answers("ReserveNow", "Rejected"),
            numbers="048_4 050_4",
            lacks=LACKS_RESERVATION,
            remark=code,
        )
        for code in ("NotSupported", "NotImplemented")
    },
    "no handler at all": Variant(
        "OCPP-J, table 7",
        charge_point=without("ReserveNow", "CancelReservation"),
        numbers="048_4 050_4",
        lacks=LACKS_RESERVATION,
        remark="NotSupported",
    ),
    "InternalError without the profile": Variant(
        "5.13",
        refused("ReserveNow", "InternalError"),
        charge_point=answers("ReserveNow", "Rejected"),
        numbers="048_4 050_4",
        lacks=LACKS_RESERVATION,
        fails="048_4 050_4",
        reason="expected",
    ),
    "Accepted without the profile": Variant(
        "5.13", numbers="048_4 050_4", lacks=LACKS_RESERVATION, fails="048_4 050_4", reason="5.13"
    ),
    "a little late": Variant("a remark", charge_point=expires(8), numbers="047", remark="8 s after"),
    "a little early": Variant("a remark", charge_point=expires(-5), numbers="047", remark="5 s before"),
    "much too early": Variant("5.13", charge_point=expires(-60), numbers="047", fails="047", reason="before the"),
    "much too late": Variant("5.13", charge_point=expires(600), numbers="047", fails="047"),
    "no reservationId": Variant(
        "4.8",
        req("StartTransaction", reservationId=...),
        numbers="046_1 046_2 047 049 051 053_1",
        fails="046_1 046_2 049 053_1",
        reason="reservationId is absent",
    ),
    "ReserveNow.conf is a CALLERROR": Variant(
        "5.13",
        charge_point=without("ReserveNow", "CancelReservation"),
        numbers=ALL,
        fails=ALL,
        reason="NotSupported",
    ),
    "Accepted, and nothing done": Variant(
        "5.13",
        charge_point=answers("ReserveNow", "Accepted"),
        numbers=f"{ONE} 050_1 050_2 050_3",
        fails=f"{ONE} 050_1 050_2 050_3",
    ),
    "Reserved at connector 0": Variant(
        "7.7",
        edited("connectorId", lambda _: 0),
        numbers="049",
        fails="049",
    ),
    "no reservations of connector 0": Variant(
        "9.3.1",
        charge_point=has(ReserveConnectorZeroSupported="false"),
        numbers=ALL,
        inconclusive=WHOLE,
        reason="read-only",
    ),
    "no such key": Variant(
        "9.3.1", lambda: no_zero_key, numbers=WHOLE, inconclusive=WHOLE, reason="--lacks reserve_connector_zero"
    ),
    "CancelReservation is always Accepted": Variant(
        "5.1", conf("CancelReservation", status="Accepted"), numbers="051 052", fails="052"
    ),
    "nothing can be cancelled": Variant(
        "5.1; 5.13 has another end for it, before the next case",
        charge_point=answers("CancelReservation", "Rejected"),
        numbers="051 052 053_1",
        fails="051",
        reason="status is Rejected",
    ),
    "Rejected, and every reservation is cancelled": Variant(
        "TC_052 ends with the answer: what follows counts in the strict reading",
        charge_point=rejects_and_cancels,
        numbers="052",
        remark="StatusNotification.req was sent beside the test case",
    ),
    "Reserved at a connector that is Unavailable": Variant(
        "4.9: nothing leads there",
        lambda: lambda frame: [frame.with_fields(connectorId=2)] if frame.payload.get("status") == "Reserved" else None,
        numbers="049",
        connectors=2,
        data=TWO,
        fails="049",
        reason="connector 2 is reported Reserved, which is Unavailable",
    ),
    "requests that are not its own": Variant(
        "chapter 5", lambda: not_its_own, numbers=ALL, fails=ALL, reason="not for the Charge Point to send"
    ),
    "nothing is cancelled": Variant(
        "5.1", charge_point=answers("CancelReservation", "Accepted"), numbers="051", fails="051"
    ),
}


# Central Systems


def knows_no_parents(it: CentralSystem) -> None:
    for name in ("ValidIdTag", "ValidIdTag2"):
        it.store.know_id_tag(ID_TAGS[name])


def calls_it(parent: str) -> Callable[[CentralSystem], None]:
    def setup(it: CentralSystem) -> None:
        it.store.know_id_tag(SECOND, parent=parent)

    return setup


def at(edit: Callable[[Any], Any], zone: timezone | None = None) -> Callable[[], Change]:
    """Another expiryDate."""

    def write(text: str) -> str:
        moment = edit(parse_timestamp(text))
        return moment.astimezone(zone).isoformat() if zone else timestamp(moment)

    return edited("expiryDate", write)


CENTRAL_SYSTEMS = {
    "ours": Variant("nothing differs", numbers=ASKS, strictly=True),
    "a slow operator": Variant("people take their time", numbers=ASKS, delay=100),
    "a slow Central System": Variant(
        "the message timeout", lambda: lambda frame: None if frame.is_call else [10.0, frame], numbers=ASKS
    ),
    "its own numbers": Variant(
        "6.37: an integer", edited("reservationId", lambda number: number % 1000 - 1000), numbers=ASKS, strictly=True
    ),
    "whole minutes": Variant(
        "6.37: no precision is asked for",
        at(lambda moment: moment.replace(second=0, microsecond=0)),
        numbers=ASKS,
    ),
    "another zone": Variant(
        "3.15: ISO 8601", at(lambda moment: moment, timezone(timedelta(hours=-8))), numbers=ASKS, strictly=True
    ),
    "its clock is ahead": Variant(
        "4.2: the Charge Point follows it",
        edited("currentTime", lambda text: timestamp(parse_timestamp(text) + timedelta(minutes=9))),
        numbers=ASKS,
    ),
    "lower case": Variant(
        "7.28",
        edited("idTag", lambda id_tag: id_tag.lower()),
        numbers=ASKS,
        strictly=True,
    ),
    "tells no parents": Variant("errata 4.12", central_system=knows_no_parents, numbers="053", strictly=True),
    "tells another parent": Variant(
        "no edition since 2025-06 looks at it", central_system=calls_it("OTHERS"), numbers="053", strictly=True
    ),
    "reserves for no group": Variant(
        "TC_053", req("ReserveNow", parentIdTag=...), numbers="053", fails="053", reason="parentIdTag"
    ),
    "another connector": Variant(
        "only TC_051 to TC_053 leave it free",
        req("ReserveNow", connectorId=2),
        numbers=ASKS,
        fails="046 047 048_1 048_2 048_3 048_4 049",
        reason="connectorId is 2",
    ),
    "a connector that there is not": Variant(
        "6.37", req("ReserveNow", connectorId=7), numbers=ASKS, fails=ASKS, reason="connectorId is 7"
    ),
    "the Charge Point instead": Variant(
        "TC_051, TC_053: a connector",
        req("ReserveNow", connectorId=0),
        numbers=ASKS,
        fails="046 047 048_1 048_2 048_3 048_4 051 053",
        reason="connectorId is 0",
    ),
    "another idTag": Variant(
        "5.13",
        req("ReserveNow", idTag="SOMEBODY"),
        numbers="046 047 048_1 048_2 048_3 048_4 051 052",
        fails="046 047 048_1 048_2 048_3 048_4",
        reason="idTag",
    ),
    "an hour late": Variant(
        "a wrong zone",
        at(lambda moment: moment + timedelta(hours=1)),
        numbers="046 047",
        fails="047",
        reason="asked for",
    ),
    "over already": Variant(
        "5.13: nothing is reserved then",
        at(lambda moment: moment - timedelta(seconds=119)),
        numbers="047",
        data={"ReservationDuration": "60"},
        fails="047",
        reason="expiryDate",
    ),
    "for the group of the idTag": Variant(
        "6.37: optional", req("ReserveNow", parentIdTag=ID_TAGS["ParentIdTag"]), numbers=ASKS, strictly=True
    ),
    "two hours early": Variant(
        "a wrong zone",
        at(lambda moment: moment - timedelta(hours=2)),
        numbers=ASKS,
        fails=ASKS,
        reason="expiryDate",
    ),
    "cancels another": Variant(
        "5.1",
        req("CancelReservation", reservationId=1),
        numbers="051 052",
        fails="051",
        reason="reservationId",
    ),
    "asks for nothing": Variant(
        "the wire is the only witness",
        lambda: lambda frame: [] if frame.requests("ReserveNow") else None,
        numbers=ASKS,
        inconclusive=ASKS,
        reason="sent nothing",
    ),
    "the second idTag is not known": Variant(
        "TC_053",
        central_system=lambda it: it.store.forget_id_tag(SECOND),
        numbers="053",
        fails="053",
        reason="Invalid",
    ),
}


@pytest.mark.parametrize("name", CHARGE_POINTS)
def test_charge_point(calendar: Calendar, name: str) -> None:
    CHARGE_POINTS[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", CENTRAL_SYSTEMS)
def test_central_system(calendar: Calendar, name: str) -> None:
    CENTRAL_SYSTEMS[name].check(calendar, "Central System")
