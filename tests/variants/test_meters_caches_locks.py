"""Foreign parties in the Core cases of meters, caches, groups, fixed cables and locks."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ocppj.clock import Calendar, parse_timestamp, timestamp
from ocppj.errors import CallFailed
from ocppj.frames import CALLERROR, Payload
from simulator import charging_session, transaction
from simulator.charge_point import ChargePoint
from tests.variants.foreign import Change, Frame, Variant, call
from tests.variants.test_charge_points import (
    Setup,
    ahead_of,
    before,
    fixed,
    has,
    in_turn,
    lacks,
    report,
    req,
    stores_nothing,
)

ORDINARY = "005_2 005_3 018_1 023_4 027 061_1 062 068 069 070 071"
FIXED_CABLE = "005_2 005_3 017_2 018_2"
NO_READER = "007_2 023_5 061_2"
WITHOUT_DETACHABLE = frozenset({"detachable_cable"})
WITHOUT_READER = frozenset({"local_authorization"})

# --- what a Charge Point sends otherwise


def conf(action: str, **fields: object) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.answers(action) else None


def refused(action: str, code: str) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.refused(code)] if frame.answers(action) else None


def rejects_connector_zero(frame: Frame) -> Iterable[Frame] | None:
    if frame.message[0] != CALLERROR or frame.action != "RemoteStartTransaction":
        return None
    return [Frame(frame.action, [3, frame.message[1], {"status": "Rejected"}])]


def another_code(frame: Frame) -> Iterable[Frame] | None:
    if frame.message[0] != CALLERROR:
        return None
    return [Frame(frame.action, [CALLERROR, frame.message[1], "GenericError", "", {}])]


def accepts_connector_zero(frame: Frame) -> Iterable[Frame] | None:
    if frame.message[0] != CALLERROR:
        return None
    return [Frame(frame.action, [3, frame.message[1], {"status": "Accepted"}])]


def values(edit: Callable[[list[Payload]], list[Payload]]) -> Callable[[], Change]:
    """Every list of sampledValue otherwise."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.requests("MeterValues"):
            return None
        edited = [{**each, "sampledValue": edit(each["sampledValue"])} for each in frame.payload["meterValue"]]
        return [frame.with_fields(meterValue=edited)]

    return lambda: change


def each_value(**fields: object) -> Callable[[], Change]:
    """Every sampledValue with other fields; ``...`` leaves one out."""

    def edit(sampled: list[Payload]) -> list[Payload]:
        merged = [{**value, **fields} for value in sampled]
        return [{name: field for name, field in value.items() if field is not ...} for value in merged]

    return values(edit)


def instants(move: Callable[[datetime, int], str]) -> Callable[[], Change]:
    """Every timestamp of a meter value otherwise, by its instant and how many came before."""

    def make() -> Change:
        count = 0

        def change(frame: Frame) -> Iterable[Frame] | None:
            nonlocal count
            if not frame.requests("MeterValues"):
                return None
            count += 1
            meter_value = frame.payload["meterValue"]
            moved = [{**each, "timestamp": move(parse_timestamp(each["timestamp"]), count - 1)} for each in meter_value]
            return [frame.with_fields(meterValue=moved)]

        return change

    return make


def shifted(seconds: Callable[[int], float]) -> Callable[[], Change]:
    return instants(lambda instant, count: timestamp(instant + timedelta(seconds=seconds(count))))


def a_message_for_each_value(frame: Frame) -> Iterable[Frame] | None:
    if not frame.requests("MeterValues"):
        return None
    singles = [
        {**frame.payload, "meterValue": [{**each, "sampledValue": [value]}]}
        for each in frame.payload["meterValue"]
        for value in each["sampledValue"]
    ]
    return [frame.holding(singles[0]), *(call("MeterValues", single) for single in singles[1:])]


def a_meter_value_for_each_value(frame: Frame) -> Iterable[Frame] | None:
    if not frame.requests("MeterValues"):
        return None
    singles = [
        {**each, "sampledValue": [value]} for each in frame.payload["meterValue"] for value in each["sampledValue"]
    ]
    return [frame.with_fields(meterValue=singles)]


def begins_with_a_reading(frame: Frame) -> Iterable[Frame] | None:
    """A value of the beginning of the transaction, as a message of its own."""
    if not frame.requests("StatusNotification", status="Charging"):
        return None
    value = {"value": "0", "context": "Transaction.Begin", "measurand": "Energy.Active.Import.Register"}
    first = {"timestamp": timestamp(), "sampledValue": [value]}
    return [frame, call("MeterValues", {"connectorId": 1, "meterValue": [first]})]


def measures_the_grid(frame: Frame) -> Iterable[Frame] | None:
    """3.16.3: what the main meter measures is a message about connector 0."""
    if not frame.requests("MeterValues", connectorId=1):
        return None
    grid = {name: field for name, field in frame.payload.items() if name != "transactionId"}
    return [frame, call("MeterValues", {**grid, "connectorId": 0})]


# --- what a Charge Point does otherwise


def asks_about_whoever_stops(it: ChargePoint) -> None:
    """4.1 has an idTag authorized that is not the one that started."""

    async def belongs(it: ChargePoint, connector: Any, holder: Any, id_tag: str) -> bool:
        if holder.is_same(id_tag):
            return True
        info = await it.authorization.ask(id_tag)
        return info is not None and holder.is_in_group(info.get("parentIdTag"))

    presents(belongs)(it)


def presents(belongs: Callable[..., Any]) -> Setup:
    """Whether a presented idTag may stop the transaction is found out so."""

    def setup(it: ChargePoint) -> None:
        present = it.present

        async def stop(connector: Any, id_tag: str) -> None:
            if await belongs(it, connector, charging_session._starter(connector), id_tag):
                transaction.stop(it, connector, "Local", id_tag=id_tag)

        async def presented(id_tag: str, number: int | None = None) -> None:
            connector = it.connectors[number or 1]
            if connector.transaction:
                it.spawn(stop(connector, id_tag))
            else:
                await present(id_tag, number)

        it.present = presented  # type: ignore[assignment,method-assign]  # one of its own

    return setup


async def always(*_: Any) -> bool:
    return True


async def never_another(_: Any, __: Any, holder: Any, id_tag: str) -> bool:
    return bool(holder.is_same(id_tag))


def stops_before_it_unlocks(it: ChargePoint) -> None:
    """5.18: the transaction is finished first."""
    unlock = it.handlers["UnlockConnector"]

    def finish_and_unlock(it: ChargePoint, request: Payload) -> Payload:
        transaction.stop(it, it.connectors[request["connectorId"]], "UnlockCommand")
        return unlock(it, request)

    it.handlers["UnlockConnector"] = finish_and_unlock


def stops_after_it_has_answered(reason: str) -> Setup:
    def setup(it: ChargePoint) -> None:
        unlock = it.handlers["UnlockConnector"]

        async def stop(number: int) -> None:
            await asyncio.sleep(3)
            transaction.stop(it, it.connectors[number], reason)

        def unlock_and_stop(it: ChargePoint, request: Payload) -> Payload:
            it.spawn(stop(request["connectorId"]))
            return unlock(it, request)

        it.handlers["UnlockConnector"] = unlock_and_stop

    return setup


def only_says_unlocked(it: ChargePoint) -> None:
    it.handlers["UnlockConnector"] = lambda *_: {"status": "Unlocked"}


def only_says_cleared(it: ChargePoint) -> None:
    it.handlers["ClearCache"] = lambda *_: {"status": "Accepted"}


def does_not_notice_the_ev(it: ChargePoint) -> None:
    async def nothing(_: int = 1) -> None:
        return

    it.unplug_ev_side = nothing  # type: ignore[assignment,method-assign]  # one of its own


def charges_whoever_is_refused(it: ChargePoint) -> None:
    ask = it.authorization.ask

    async def ask_in_vain(id_tag: str) -> Payload:
        return await ask(id_tag) or {"status": "Accepted"}

    it.authorization.ask = ask_in_vain  # type: ignore[method-assign]  # one of its own


def begins_before_it_asks(it: ChargePoint) -> None:
    """4.9, A2 and B1: presenting an idTag begins the usage, a refusal ends it."""
    ask = it.authorization.ask

    async def announced(id_tag: str) -> Payload | None:
        assert it._peer is not None
        for status in ("Preparing", "Available"):
            frame = report(1, status)
            try:
                await it._peer.call(frame.action, frame.payload)
            except CallFailed:
                return None
        return await ask(id_tag)

    it.authorization.ask = announced  # type: ignore[method-assign]  # one of its own


MANY = "Energy.Active.Import.Register,Voltage.L1,Current.Import,SoC,Energy.Active.Import.Interval"
MEASURES_MANY = has(MeterValuesSampledData=MANY, MeterValuesAlignedData=MANY)


def reports_available_when_unlocked(it: ChargePoint) -> None:
    """Nobody uses it any more, whatever is left in it."""
    unlock = it.handlers["UnlockConnector"]

    async def tell() -> None:
        assert it._peer is not None
        frame = report(1, "Available")
        await it._peer.call(frame.action, frame.payload)

    def soon() -> None:
        it.spawn(tell())

    def unlock_and_tell(it: ChargePoint, request: Payload) -> Payload:
        it.afterwards(soon)
        return unlock(it, request)

    it.handlers["UnlockConnector"] = unlock_and_tell


LAWFUL = {
    "it is ours": Variant("the base of all others", numbers=ORDINARY, strictly=True),
    "its cable is fixed": Variant("errata 3.85", numbers=FIXED_CABLE, lacks=WITHOUT_DETACHABLE, strictly=True),
    "it has no reader": Variant("5.11, 5.12", numbers=NO_READER, lacks=WITHOUT_READER, strictly=True),
    "SuspendedEVSE, then SuspendedEV": Variant(
        "4.9: both may show", before("SuspendedEVSE", of="SuspendedEV"), numbers="005_3", strictly=True
    ),
    "no info of the suspension": Variant(
        "4.9: SHOULD", req("StatusNotification", info=...), numbers="005_2 005_3", remark="info is absent"
    ),
    "no MinimumStatusDuration": Variant(
        "9.1.20: optional",
        charge_point=lacks("MinimumStatusDuration"),
        numbers="005_2 005_3 023_4",
        remark="has no MinimumStatusDuration",
    ),
    "MinimumStatusDuration, and little time for messages": Variant(
        "9.1.20: it has been asked to wait", numbers="023_4", data={"MessageTimeout": "8"}
    ),
    "StopTransactionOnEVSideDisconnect is read-only and true": Variant(
        "errata 3.80: R or RW",
        charge_point=fixed(StopTransactionOnEVSideDisconnect="true"),
        numbers="005_2 005_3",
        inconclusive="005_3",
        reason="--lacks ev_side_disconnect_choice",
    ),
    "AuthorizeRemoteTxRequests is read-only and false": Variant(
        "9.1.3: R or RW",
        charge_point=fixed(AuthorizeRemoteTxRequests="false"),
        numbers=NO_READER,
        lacks=WITHOUT_READER,
        inconclusive=NO_READER,
        reason="--lacks remote_authorization",
    ),
    "Available after a fixed cable, StopTransaction.req later": Variant(
        "the test case lists them in either order",
        lambda: lambda frame: [2.0, frame] if frame.requests("StopTransaction") else None,
        numbers="005_2 005_3",
        lacks=WITHOUT_DETACHABLE,
        strictly=True,
    ),
    "NotSupported with a cable that can be taken out": Variant(
        "7.46: it has no lock", conf("UnlockConnector", status="NotSupported"), numbers="005_2"
    ),
    "StopTransaction.req before UnlockConnector.conf": Variant(
        "5.18: the transaction is finished first",
        lambda: lambda frame: [1.0, frame] if frame.answers("UnlockConnector") else None,
        charge_point=stops_before_it_unlocks,
        numbers="018_1",
    ),
    "a fixed cable, and UnlockConnector.req stops": Variant(
        "5.18: SHALL finish the transaction",
        charge_point=stops_before_it_unlocks,
        numbers="018_2",
        lacks=WITHOUT_DETACHABLE,
        remark="StopTransaction.req was sent, which the test case does not list",
    ),
    "Preparing and Available while it asks": Variant(
        "4.9, A2 and B1", charge_point=begins_before_it_asks, numbers="023_4"
    ),
    "connector 0 is Rejected in a .conf": Variant("5.11", lambda: rejects_connector_zero, numbers="027"),
    "connector 0 is refused with another code": Variant("the test case takes any", lambda: another_code, numbers="027"),
    "DataTransfer is Rejected": Variant(
        "the test case takes any refusal", conf("DataTransfer", status="Rejected"), numbers="062", strictly=True
    ),
    "DataTransfer is Accepted": Variant(
        "the test case warns and passes",
        conf("DataTransfer", status="Accepted"),
        numbers="062",
        strictly=True,
        remark="status is Accepted, better",
    ),
    "another idTag is asked about": Variant(
        "4.1", charge_point=asks_about_whoever_stops, numbers="068 069", remark="Authorize.req was sent, which"
    ),
    "it measures much": Variant("9.1.17", charge_point=MEASURES_MANY, numbers="070 071", strictly=True),
    "a message for each value": Variant(
        "4.7: no message holds all", lambda: a_message_for_each_value, charge_point=MEASURES_MANY, numbers="070 071"
    ),
    "a meterValue for each value": Variant(
        "4.7", lambda: a_meter_value_for_each_value, charge_point=MEASURES_MANY, numbers="070 071", strictly=True
    ),
    "the list of measurands is empty": Variant(
        "7.31: the default measurand",
        charge_point=has(MeterValuesSampledData="", MeterValuesAlignedData=""),
        numbers="070 071",
        strictly=True,
    ),
    "values without a measurand, format, location and unit": Variant(
        "7.43: the defaults",
        each_value(measurand=..., format=..., location=..., unit=...),
        numbers="070 071",
        strictly=True,
    ),
    "values without a context": Variant(
        "7.43: Sample.Periodic is the default",
        each_value(context=...),
        numbers="070 071",
        fails="071",
        remark="sampledValue.context is absent",
    ),
    "signed values": Variant(
        "7.49",
        values(lambda sampled: [*sampled, *({**value, "format": "SignedData", "value": "00"} for value in sampled)]),
        numbers="070 071",
        remark="sampledValue.format is SignedData",
    ),
    "more than is configured": Variant(
        "3.16.1: a remark",
        values(lambda sampled: [*sampled, {"value": "1", "context": sampled[0]["context"], "measurand": "RPM"}]),
        numbers="070 071",
        remark="RPM was sent, which",
    ),
    "the EV measures": Variant("7.30", each_value(location="EV"), numbers="070 071", remark="has the location EV"),
    "no transactionId in MeterValues.req": Variant(
        "4.7: if applicable", req("MeterValues", transactionId=...), numbers="070 071", remark="transactionId is absent"
    ),
    "a value of the beginning": Variant(
        "7.35", lambda: begins_with_a_reading, numbers="070 071", remark="the context Transaction.Begin"
    ),
    "values of the grid": Variant("3.16.3", lambda: measures_the_grid, numbers="070 071", strictly=True),
    "instants 1 s early and late": Variant(
        "the greatest deviation of a time is 2 s", shifted(lambda count: count % 2), numbers="070 071", strictly=True
    ),
    "instants in another zone": Variant(
        "errata 3.10",
        instants(lambda instant, _: instant.astimezone(timezone(timedelta(hours=5, minutes=45))).isoformat()),
        numbers="070 071",
        strictly=True,
    ),
    "instants of the beginning": Variant(
        "9.1.5: the data of an interval bear its beginning", shifted(lambda _: -60), numbers="071", remark="later date"
    ),
    "short intervals": Variant(
        "nobody can tell what is aligned where every instant is near to a multiple",
        numbers="070 071",
        data={"ClockAlignedDataInterval": "3", "MeterValueSampleInterval": "2"},
        remark="by chance",
    ),
    "an interval from local midnight": Variant(
        "3.16.2 says midnight, 3.14 recommends UTC",
        instants(
            lambda instant, _: (
                (instant + timedelta(minutes=15)).astimezone(timezone(timedelta(hours=5, minutes=45))).isoformat()
            )
        ),
        numbers="071",
        data={"ClockAlignedDataInterval": "3600"},
    ),
    "an operator who takes 10 s": Variant(
        "a step's time starts when the operator has confirmed", numbers=ORDINARY, delay=10
    ),
}

LAWFUL |= {
    "an operator who says done 5 s later": Variant(
        "what came of it has come by then", numbers=f"{ORDINARY} 007_1", lingers=5
    ),
    "an operator who says done 5 s later, and Available meanwhile": Variant(
        "4.9, B1", charge_point=begins_before_it_asks, numbers="023_4", lingers=5
    ),
    "an operator who says done 65 s later": Variant(
        "9.1.6: after 60 s it waits for nobody, and an idTag that is refused needs none",
        numbers="005_2 018_1 061_1 068 070",
        lingers=65,
        inconclusive="005_2 018_1 068 070",
        reason="became Finishing before the operator was done",
    ),
    "reports 3 s apart": Variant(
        "errata 3.22 sets no time for what follows a boot",
        lambda: lambda frame: [3.0, frame] if frame.requests("StatusNotification") else None,
        numbers="005_2 005_3 018_1",
    ),
    "Preparing while it asks, and until it times out": Variant(
        "4.9, B1: no event that would end it",
        ahead_of("Authorize", "Preparing"),
        numbers="023_4",
        remark="was reported Preparing only before",
    ),
    "a fixed cable, and UnlockConnector.req stops 3 s later": Variant(
        "5.18: SHALL finish the transaction",
        charge_point=stops_after_it_has_answered("UnlockCommand"),
        numbers="018_2",
        lacks=WITHOUT_DETACHABLE,
        remark="StopTransaction.req was sent, which the test case does not list",
    ),
    "Available since UnlockConnector.req": Variant(
        "4.9, F1", charge_point=reports_available_when_unlocked, numbers="005_2"
    ),
}

UNLAWFUL = {
    "the reason is Local": Variant(
        "4.10", req("StopTransaction", reason="Local"), numbers=ORDINARY, fails="005_2 005_3 018_1"
    ),
    "no reason": Variant("4.10", req("StopTransaction", reason=...), numbers=ORDINARY, fails="005_2 005_3 018_1"),
    "the EV is not missed": Variant(
        "4.9, 4.10", charge_point=does_not_notice_the_ev, numbers="005_2 005_3", fails="005_2 005_3"
    ),
    "it stores no configuration": Variant(
        "5.3, 4.10: the transaction is stopped all the same",
        charge_point=stores_nothing,
        numbers="005_3",
        fails="005_3",
    ),
    "it reports Available with a cable in": Variant(
        "4.9, D6: the cable has to be taken out",
        lambda: (
            lambda frame: (
                [frame.with_fields(status="Available")]
                if frame.requests("StatusNotification", status="Finishing")
                else None
            )
        ),
        numbers="005_3",
        fails="005_3",
    ),
    "UnlockFailed": Variant(
        "5.18", conf("UnlockConnector", status="UnlockFailed"), numbers="005_2 018_1", fails="005_2 018_1"
    ),
    "UnlockFailed, fixed cable": Variant(
        "5.18, 7.46",
        conf("UnlockConnector", status="UnlockFailed"),
        numbers=FIXED_CABLE,
        lacks=WITHOUT_DETACHABLE,
        fails="005_2 017_2 018_2",
    ),
    "a fixed cable, and UnlockConnector.req stops for another reason": Variant(
        "5.18, 7.36",
        charge_point=stops_after_it_has_answered("Other"),
        numbers="018_2",
        lacks=WITHOUT_DETACHABLE,
        fails="018_2",
    ),
    "it says Unlocked and goes on": Variant("5.18", charge_point=only_says_unlocked, numbers="018_1", fails="018_1"),
    "an Invalid idTag charges": Variant("4.1", charge_point=charges_whoever_is_refused, numbers="023_4", fails="023_4"),
    "an Invalid idTag charges from afar": Variant(
        "4.1, 5.11", charge_point=charges_whoever_is_refused, numbers=NO_READER, lacks=WITHOUT_READER, fails="023_5"
    ),
    "connector 0 is Accepted": Variant("6.33", lambda: accepts_connector_zero, numbers="027", fails="027"),
    "the cache is not cleared": Variant("5.4", charge_point=only_says_cleared, numbers="061_1", fails="061_1"),
    "the cache is not cleared, no reader": Variant(
        "5.4", charge_point=only_says_cleared, numbers="061_2", lacks=WITHOUT_READER, fails="061_2"
    ),
    "ClearCache is Rejected": Variant("5.4", conf("ClearCache", status="Rejected"), numbers="061_1", fails="061_1"),
    "LocalPreAuthorize is ignored": Variant(
        "9.1.13",
        charge_point=in_turn(stores_nothing),
        numbers="007_2",
        lacks=WITHOUT_READER,
        fails="007_2",
    ),
    "DataTransfer is refused": Variant(
        "4.3: every refusal is a .conf", refused("DataTransfer", "NotSupported"), numbers="062", fails="062"
    ),
    "DataTransfer has a status of its own": Variant(
        "7.23", conf("DataTransfer", status="Unknown"), numbers="062", fails="062"
    ),
    "anyone stops": Variant("3.10, 4.1", charge_point=presents(always), numbers="068 069", fails="068 069"),
    "no group stops": Variant("3.10", charge_point=presents(never_another), numbers="068 069", fails="069"),
    "StopTransaction.req without an idTag": Variant(
        "4.10", req("StopTransaction", idTag=...), numbers="068 069", fails="068 069"
    ),
    "no MeterValues.req": Variant(
        "errata 3.15",
        lambda: lambda frame: [] if frame.requests("MeterValues") else None,
        numbers="070 071",
        fails="070 071",
    ),
    "every MeterValues.req twice": Variant(
        "9.1.19, 9.1.5: a reading is told at its instant, and not again",
        lambda: lambda frame: [frame, 0.5, frame.again()] if frame.requests("MeterValues") else None,
        numbers="036 070 071",
        fails="036 070 071",
        reason="once more",
    ),
    "every second MeterValues.req": Variant(
        "errata 3.15",
        shifted(lambda count: 60 * count),
        numbers="070 071",
        fails="070 071",
        reason="after the one before",
    ),
    "instants that drift by 3 s": Variant(
        "9.1.19, 9.1.5", shifted(lambda count: 3 * count), numbers="070", fails="070"
    ),
    "instants off the clock": Variant(
        "3.16.2", shifted(lambda _: 7), numbers="070 071", fails="071", reason="no multiple of 60 s"
    ),
    "the context Sample.Periodic": Variant("7.35", each_value(context="Sample.Periodic"), numbers="071", fails="071"),
    "the context Sample.Clock": Variant("7.35", each_value(context="Sample.Clock"), numbers="070", fails="070"),
    "the context Other": Variant("7.35", each_value(context="Other"), numbers="070 071", fails="070 071"),
    "a measurand is missing": Variant(
        "3.16.1",
        values(lambda sampled: [value for value in sampled if value["measurand"] != "SoC"] or sampled),
        charge_point=MEASURES_MANY,
        numbers="070 071",
        fails="070 071",
        reason="SoC was sent 0 times",
    ),
    "a phase is missing": Variant(
        "9.1.17",
        values(lambda sampled: [{**value, "phase": "L2"} if "phase" in value else value for value in sampled]),
        charge_point=MEASURES_MANY,
        numbers="070 071",
        fails="070 071",
        reason="Voltage.L1 was sent 0 times",
    ),
    "the values of another transaction": Variant(
        "errata 3.16",
        lambda: lambda frame: [frame.with_fields(transactionId=99)] if frame.requests("MeterValues") else None,
        numbers="070 071",
        fails="070 071",
    ),
}

# --- Central Systems


def requests(action: str, **fields: object) -> Callable[[], Change]:
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.requests(action) else None


CENTRAL_SYSTEM = "017_2 018_1 019_2 061 064"

LAWFUL_CENTRAL_SYSTEMS = {
    "it is ours": Variant("the base of all others", numbers=CENTRAL_SYSTEM, strictly=True),
    "it clears every cache after a boot": Variant(
        "5.4: at any time",
        lambda: lambda frame: [frame, 0.2, call("ClearCache", {})] if frame.answers("BootNotification") else None,
        numbers="061",
        remark="ClearCache.req was sent",
    ),
    "keys in lower case": Variant(
        "7.29: a CiString50", requests("GetConfiguration", key=["supportedfeatureprofiles"]), numbers="019_2"
    ),
    "DataTransfer is Accepted": Variant(
        "the test case warns and passes",
        conf("DataTransfer", status="Accepted"),
        numbers="064",
        strictly=True,
        remark="status is Accepted, better UnknownVendorId",
    ),
    "DataTransfer is Rejected": Variant(
        "4.3 wants UnknownVendorId, the test case takes any refusal",
        conf("DataTransfer", status="Rejected"),
        numbers="064",
        strictly=True,
        remark="status is Rejected, better UnknownVendorId",
    ),
}

UNLAWFUL_CENTRAL_SYSTEMS = {
    "another connectorId": Variant(
        "5.18", requests("UnlockConnector", connectorId=2), numbers="017_2 018_1", fails="017_2 018_1"
    ),
    "all keys": Variant("5.8", requests("GetConfiguration", key=[]), numbers="019_2", fails="019_2"),
    "more keys": Variant(
        "5.8",
        requests("GetConfiguration", key=["SupportedFeatureProfiles", "HeartbeatInterval"]),
        numbers="019_2",
        fails="019_2",
    ),
    "ClearCache.req twice": Variant(
        "the test case knows one",
        lambda: lambda frame: [frame, frame.again()] if frame.requests("ClearCache") else None,
        numbers="061",
        fails="061",
    ),
    "DataTransfer is refused": Variant(
        "4.3: every refusal is a .conf", refused("DataTransfer", "NotImplemented"), numbers="064", fails="064"
    ),
    "DataTransfer has no status": Variant("7.23", conf("DataTransfer", status=...), numbers="064", fails="064"),
    "StopTransaction.req is refused": Variant(
        "4.10", refused("StopTransaction", "InternalError"), numbers="018_1", fails="018_1"
    ),
}


@pytest.mark.parametrize("name", LAWFUL)
def test_lawful_charge_point(calendar: Calendar, name: str) -> None:
    LAWFUL[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", UNLAWFUL)
def test_unlawful_charge_point(calendar: Calendar, name: str) -> None:
    UNLAWFUL[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", LAWFUL_CENTRAL_SYSTEMS)
def test_lawful_central_system(calendar: Calendar, name: str) -> None:
    LAWFUL_CENTRAL_SYSTEMS[name].check(calendar, "Central System")


@pytest.mark.parametrize("name", UNLAWFUL_CENTRAL_SYSTEMS)
def test_unlawful_central_system(calendar: Calendar, name: str) -> None:
    UNLAWFUL_CENTRAL_SYSTEMS[name].check(calendar, "Central System")
