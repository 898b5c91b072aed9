"""Foreign Charge Points: who differs within the law passes, who breaks it fails where it shows."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest

from ocppj.clock import Calendar, parse_timestamp, timestamp
from ocppj.frames import Payload
from ocppj.peer import Conf, Raw, Refusal, Script, Scripted, Silence
from simulator.charge_point import ChargePoint
from tests import basic_cases
from tests.variants.foreign import Change, Frame, Variant, call, echo, hang_up, unchanged

Setup = Callable[[ChargePoint], None]

ALL = basic_cases.CHARGE_POINT


def all_but(numbers: str) -> str:
    return " ".join(number for number in ALL.split() if number not in numbers.split())


def report(connector: int, status: str) -> Frame:
    """A StatusNotification.req."""
    payload = {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": timestamp()}
    return call("StatusNotification", payload)


# Changes of what it sends


def ahead_of(action: str, status: str) -> Callable[[], Change]:
    """A report goes before the request that ours sends first, and not after it."""

    def make() -> Change:
        told = False

        def change(frame: Frame) -> Iterable[Frame] | None:
            nonlocal told
            if frame.requests(action):
                told = True
                return [report(1, status), frame]
            if told and frame.requests("StatusNotification", status=status):
                told = False
                return []
            return None

        return change

    return make


def before(*statuses: str, of: str) -> Callable[[], Change]:
    """A connector goes through other statuses on its way."""

    def change(frame: Frame) -> Iterable[Frame | float] | None:
        if not frame.requests("StatusNotification", status=of):
            return None
        return [*(report(frame.payload["connectorId"], status) for status in statuses), 0.5, frame]

    return lambda: change


def beside(*make: Callable[[], Frame]) -> Callable[[], Change]:
    """Other requests before and after each of its own but the first of all."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.is_call or frame.action == "BootNotification":
            return None
        return [*(one() for one in make), frame, *(one() for one in make)]

    return lambda: change


def twice(frame: Frame) -> Iterable[Frame] | None:
    return [frame, frame.again()] if frame.requests("StatusNotification") else None


def answers_twice(frame: Frame) -> Iterable[Frame] | None:
    return None if frame.is_call else [frame, frame]


def heartbeat_after_boot() -> Change:
    """The first Heartbeat.req comes with the first report after a boot."""
    booted = False

    def change(frame: Frame) -> Iterable[Frame] | None:
        nonlocal booted
        if frame.requests("BootNotification"):
            booted = True
        elif booted and frame.requests("StatusNotification"):
            booted = False
            return [call("Heartbeat", {}), frame]
        return None

    return change


def same_id_on_heartbeats(frame: Frame) -> Iterable[Frame] | None:
    # Its own question stays open until it times out, which delays nothing here: the next one is longer away.
    return [Frame("Heartbeat", [2, "beat", "Heartbeat", {}])] if frame.requests("Heartbeat") else None


def timestamps(write: Callable[[datetime], str]) -> Callable[[], Change]:
    """Every timestamp of its own in another notation."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.is_call or "timestamp" not in frame.payload:
            return None
        return [frame.with_fields(timestamp=write(parse_timestamp(frame.payload["timestamp"])))]

    return lambda: change


def in_lower_case(frame: Frame) -> Iterable[Frame] | None:
    if frame.is_call and "idTag" in frame.payload:
        return [frame.with_fields(idTag=frame.payload["idTag"].lower())]
    return None


def slow(seconds: float) -> Callable[[], Change]:
    return lambda: lambda frame: None if frame.is_call else [seconds, frame]


def conf(action: str, **fields: object) -> Callable[[], Change]:
    """One .conf with other fields; it has done as it was asked."""
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.answers(action) else None


def req(action: str, **fields: object) -> Callable[[], Change]:
    """One request with other fields."""
    return lambda: lambda frame: [frame.with_fields(**fields)] if frame.requests(action) else None


def keys(edit: Callable[[list[Payload]], list[Any]]) -> Callable[[], Change]:
    """The entries of GetConfiguration.conf otherwise."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.answers("GetConfiguration"):
            return None
        return [frame.with_fields(configurationKey=edit(frame.payload["configurationKey"]))]

    return lambda: change


def spelled(write: Callable[[str], str]) -> Callable[[], Change]:
    return keys(lambda entries: [{**entry, "key": write(entry["key"])} for entry in entries])


def value_of(name: str, value: str) -> Callable[[], Change]:
    return keys(lambda entries: [{**e, "value": value} if e["key"] == name else e for e in entries])


# Changes of what it does


def has(**values: str) -> Setup:
    """Other values from the factory."""

    def setup(it: ChargePoint) -> None:
        for name, value in values.items():
            it.configuration.set(name, value)

    return setup


def in_turn(*setups: Setup) -> Setup:
    def setup(it: ChargePoint) -> None:
        for each in setups:
            each(it)

    return setup


def fixed(**values: str) -> Setup:
    """Keys that are read-only, and their values."""

    def setup(it: ChargePoint) -> None:
        has(**values)(it)
        get, change = it.handlers["GetConfiguration"], it.handlers["ChangeConfiguration"]
        names = {name.casefold() for name in values}

        def reported(it: ChargePoint, request: Payload) -> Payload:
            conf = get(it, request)
            entries = [
                {**e, "readonly": e["readonly"] or e["key"].casefold() in names} for e in conf["configurationKey"]
            ]
            return conf | {"configurationKey": entries}

        def changed(it: ChargePoint, request: Payload) -> Payload:
            return {"status": "Rejected"} if request["key"].casefold() in names else change(it, request)

        it.handlers |= {"GetConfiguration": reported, "ChangeConfiguration": changed}

    return setup


def lacks(*names: str) -> Setup:
    """Keys that it does not know."""

    def setup(it: ChargePoint) -> None:
        get, change = it.handlers["GetConfiguration"], it.handlers["ChangeConfiguration"]

        def reported(it: ChargePoint, request: Payload) -> Payload:
            conf = get(it, request)
            entries = [entry for entry in conf["configurationKey"] if entry["key"] not in names]
            unknown = [name for name in request.get("key", []) if name in names] + conf.get("unknownKey", [])
            return {"configurationKey": entries, **({"unknownKey": unknown} if unknown else {})}

        def changed(it: ChargePoint, request: Payload) -> Payload:
            return {"status": "NotSupported"} if request["key"] in names else change(it, request)

        it.handlers |= {"GetConfiguration": reported, "ChangeConfiguration": changed}

    return setup


def stores_nothing(it: ChargePoint) -> None:
    def changed(it: ChargePoint, request: Payload) -> Payload:
        key = it.configuration.find(request["key"])
        status = (
            "NotSupported" if key is None else "Rejected" if key.understood(request["value"]) is None else "Accepted"
        )
        return {"status": status}

    it.handlers["ChangeConfiguration"] = changed


def needs_reboot(it: ChargePoint) -> None:
    change = it.handlers["ChangeConfiguration"]

    def changed(it: ChargePoint, request: Payload) -> Payload:
        conf = change(it, request)
        return {"status": "RebootRequired"} if conf["status"] == "Accepted" else conf

    it.handlers["ChangeConfiguration"] = changed


def refuses(action: str) -> Setup:
    """It answers a request with a CALLERROR and does not do it."""
    return lambda it: setattr(it, "script", Always({action: Refusal("InternalError")}))


def reboots_on(*kinds: str) -> Setup:
    """Of the resets only these have it boot."""

    def setup(it: ChargePoint) -> None:
        reset = it.reset

        def reset_if(kind: str) -> None:
            if kind in kinds:
                reset(kind)

        it.reset = reset_if  # type: ignore[method-assign]  # one of its own

    return setup


def when_refused(status: str, do: Callable[[ChargePoint], Any]) -> Setup:
    """It does something a moment after its registration was answered so."""

    def setup(it: ChargePoint) -> None:
        registered = it._registered

        async def later() -> None:
            await asyncio.sleep(1)
            await do(it)

        def answered(conf: Payload, at: float) -> None:
            registered(conf, at)
            if conf["status"] == status:
                it.spawn(later())

        it._registered = answered  # type: ignore[method-assign]  # one of its own

    return setup


async def goes_away(it: ChargePoint) -> None:
    it.network.lose()
    if it._peer is not None:
        await it._peer.close()
    await asyncio.sleep(7)
    await it.restore_connection()


def speaks(*frames: Callable[[], Frame]) -> Callable[[ChargePoint], Any]:
    async def do(it: ChargePoint) -> None:
        assert it._peer is not None
        for make in frames:
            frame = make()
            await it._peer.call(frame.action, frame.payload)

    return do


def heart_beats(late: int) -> Setup:
    def setup(it: ChargePoint) -> None:
        ordinary = it._heartbeats
        it._heartbeats = lambda interval: ordinary(interval + late)  # type: ignore[method-assign]  # one of its own

    return setup


def boots_again(late: float) -> Setup:
    def setup(it: ChargePoint) -> None:
        registered = it._registered

        def answered(conf: Payload, at: float) -> None:
            registered(conf, at)
            it._boot_at += late if conf["status"] != "Accepted" else 0

        it._registered = answered  # type: ignore[method-assign]  # one of its own

    return setup


def boots_for(seconds: float) -> Setup:
    """It takes so long from the power to its first connection, but for the very first time."""

    def setup(it: ChargePoint) -> None:
        start, times = it._start, count()
        it._start = lambda reason, delay: start(reason, seconds if next(times) else delay)  # type: ignore[method-assign]

    return setup


def times_out(late: int) -> Setup:
    """It waits so much longer than ConnectionTimeOut for the EV driver."""

    def setup(it: ChargePoint) -> None:
        number = it.configuration.number

        def later(name: str) -> int:
            return number(name) + (late if name == "ConnectionTimeOut" else 0)

        it.configuration.number = later  # type: ignore[method-assign]  # one of its own

    return setup


# Those that are hardly there


class Always(Script):
    """Answers the requests named, or all of them, in one way, and does nothing of what they ask for."""

    def __init__(self, answers: dict[str, Scripted], otherwise: Scripted | None = None) -> None:
        super().__init__()
        self._always, self._otherwise = answers, otherwise

    def take(self, action: str) -> Scripted | None:
        return self._always.get(action, self._otherwise)


def always(answer: Scripted) -> Setup:
    return lambda it: setattr(it, "script", Always({}, answer))


def status(word: str) -> Scripted:
    return Conf(lambda: {"status": word})


def says_nothing(frame: Frame) -> Iterable[Frame] | None:
    return [] if frame.is_call else None


MALFORMED: dict[str, Callable[[list[Payload]], Any]] = {
    "configurationKey null": lambda _: None,
    "configurationKey [null]": lambda _: [None],
    "an entry without anything": lambda entries: [{}, *entries],
    "entries without a readonly": lambda entries: [{"key": e["key"], "value": e["value"]} for e in entries],
    "entries with a key 1": lambda entries: [{**e, "key": 1} for e in entries],
}

LAWFUL = {
    "boots for 50 s, longer than it may take to answer": Variant(
        "a cold boot is a long operation, as a reboot is", charge_point=boots_for(50), numbers="001 002 013 014"
    ),
    "Charging before StartTransaction.req": Variant(
        "the test case document lets these two swap everywhere", ahead_of("StartTransaction", "Charging"), strictly=True
    ),
    "Finishing before StopTransaction.req": Variant(
        "the test case document lets these two swap everywhere", ahead_of("StopTransaction", "Finishing"), strictly=True
    ),
    "Preparing before Authorize.req": Variant(
        "4.9 ties a report to no other message",
        ahead_of("Authorize", "Preparing"),
        numbers="004_1 004_2 011_1 011_2",
        remark="StatusNotification.req before Authorize.req",
    ),
    "SuspendedEV before Charging": Variant(
        "4.9, B4 and D3: the EV takes its time", before("SuspendedEV", of="Charging")
    ),
    "SuspendedEVSE, SuspendedEV before Charging": Variant(
        "4.9, B5, E4 and D3", before("SuspendedEVSE", "SuspendedEV", of="Charging")
    ),
    "SuspendedEV before Finishing": Variant("4.9, C4 and D6", before("SuspendedEV", of="Finishing")),
    "MeterValues.req everywhere": Variant(
        "4.7: when and what is the Charge Point's choice",
        beside(
            lambda: call(
                "MeterValues",
                {"connectorId": 1, "meterValue": [{"timestamp": timestamp(), "sampledValue": [{"value": "1"}]}]},
            )
        ),
    ),
    "connector 0 is reported everywhere": Variant(
        "4.9: a report may come at any time", beside(lambda: report(0, "Available"))
    ),
    "connector 2 is busy": Variant(
        "4.9: another connector is no business of these cases; those that boot want every one Available",
        beside(lambda: report(2, "Preparing")),
        connectors=2,
        fails="001 002 013 014",
    ),
    "DataTransfer.req everywhere": Variant(
        "4.3", beside(lambda: call("DataTransfer", {"vendorId": "x"})), remark="beside the test case"
    ),
    "SecurityEventNotification.req everywhere": Variant(
        "security white paper A04.FR.01: when a security event happens",
        beside(lambda: call("SecurityEventNotification", {"type": "StartupOfTheDevice", "timestamp": timestamp()})),
        strictly=True,
    ),
    "FirmwareStatusNotification.req everywhere": Variant(
        "4.4, 4.5",
        beside(
            lambda: call("FirmwareStatusNotification", {"status": "Idle"}),
            lambda: call("DiagnosticsStatusNotification", {"status": "Idle"}),
        ),
        remark="beside the test case",
    ),
    "every report twice": Variant("4.9 forbids no report that tells nothing new", lambda: twice),
    "timestamps with an offset": Variant(
        "errata 3.10: an offset must be understood",
        timestamps(lambda moment: moment.astimezone(timezone(timedelta(hours=2))).isoformat()),
    ),
    "timestamps in whole seconds": Variant(
        "errata 3.10: insignificant fractions may be left out",
        timestamps(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")),
    ),
    "timestamps in nanoseconds": Variant(
        "errata 3.10: fractions must be understood",
        timestamps(lambda moment: moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")),
    ),
    "timestamps in small letters": Variant(
        "ISO 8601 in the profile of the JSON schema's date-time, RFC 3339 5.6",
        timestamps(lambda moment: timestamp(moment).lower()),
    ),
    "timestamps without a zone": Variant(
        "3.14 recommends UTC and demands no zone; the JSON schema does",
        timestamps(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S")),
        remark='is not a "date-time"',
    ),
    "idTag in lower case": Variant("7.28: a CiString20", lambda: in_lower_case),
    "keys in lower case": Variant("7.29: a CiString50", spelled(str.lower)),
    "keys in upper case": Variant("7.29: a CiString50", spelled(str.upper)),
    "boolean values in upper case": Variant(
        "7.29: a value is a CiString500",
        keys(lambda entries: [{**e, "value": e["value"].replace("true", "TRUE")} for e in entries]),
    ),
    "keys in another order, unknownKey []": Variant(
        "6.24: a list without an order",
        lambda: (
            lambda frame: (
                [frame.with_fields(configurationKey=frame.payload["configurationKey"][::-1], unknownKey=[])]
                if frame.answers("GetConfiguration") and "unknownKey" not in frame.payload
                else None
            )
        ),
    ),
    "first Heartbeat.req at once": Variant(
        "4.6 fixes the interval, not the phase", heartbeat_after_boot, numbers="001 002 003 013 014"
    ),
    "slow answers": Variant("OCPP-J 4.1.1: the time-out is the caller's, here 30 s", slow(29.5)),
    "AuthorizeRemoteTxRequests = false": Variant("5.11, 9.1.3", charge_point=has(AuthorizeRemoteTxRequests="false")),
    "AuthorizeRemoteTxRequests is read-only and false": Variant(
        "9.1.3: R or RW", charge_point=fixed(AuthorizeRemoteTxRequests="false")
    ),
    "AuthorizeRemoteTxRequests is read-only and true": Variant(
        "9.1.3: R or RW", charge_point=fixed(AuthorizeRemoteTxRequests="true")
    ),
    "no MinimumStatusDuration": Variant(
        "9.1.20: optional, and without it every status is told",
        charge_point=lacks("MinimumStatusDuration"),
        remark="has no MinimumStatusDuration",
    ),
    "keys are read-only and as wanted": Variant(
        "a case sets what is otherwise only; which of them may be R is for TC_019",
        charge_point=fixed(
            AuthorizationCacheEnabled="true",
            MinimumStatusDuration="0",
            StopTransactionOnEVSideDisconnect="true",
            UnlockConnectorOnEVSideDisconnect="true",
        ),
    ),
    "a key is read-only and otherwise": Variant(
        "9.1.23, errata 3.80: what a key cannot be set to is not played",
        charge_point=fixed(StopTransactionOnEVSideDisconnect="false"),
        inconclusive="005_1",
        reason="read-only",
    ),
    "no StopTransactionOnEVSideDisconnect": Variant(
        "without the key it has no such choice: the device file says so",
        charge_point=lacks("StopTransactionOnEVSideDisconnect"),
        inconclusive="005_1",
        reason="--lacks stop_on_ev_side_disconnect",
    ),
    "no AuthorizationCacheEnabled": Variant(
        "9.1.2: optional, without it there is no cache",
        charge_point=lacks("AuthorizationCacheEnabled"),
        inconclusive="007_1",
        reason="--lacks authorization_cache",
    ),
    # TC_002 and what it does with RebootRequired is a question of its own.
    "RebootRequired": Variant(
        "5.3: changed, but in force after a reboot only",
        charge_point=needs_reboot,
        numbers=all_but("002"),
        inconclusive="004_2 007_1 011_2 021",
        reason="takes a reboot",
    ),
    "ClearCache.req is refused": Variant(
        "5.4: no case asks for it, and what cannot be cleared is left to the bench", charge_point=refuses("ClearCache")
    ),
    "a soft reset without a reboot": Variant(
        "5.14: it restarts its software if possible", charge_point=reboots_on("Hard"), numbers="013 014 003"
    ),
    "closes the connection while Rejected": Variant(
        "4.2: it may close the connection and open it for the next BootNotification.req",
        charge_point=when_refused("Rejected", goes_away),
        numbers="001 002 003",
    ),
    "LocalPreAuthorize from the factory, ClearCache.req is refused": Variant(
        "9.1.13: what it was before the run is its owner's choice",
        charge_point=in_turn(has(LocalPreAuthorize="true"), refuses("ClearCache")),
    ),
    "MinimumStatusDuration from the factory": Variant(
        "9.1.20: a status that lasts less is not told", charge_point=has(MinimumStatusDuration="5")
    ),
    "GetConfigurationMaxKeys = 2": Variant(
        "9.1.9: no more are asked for at once", value_of("GetConfigurationMaxKeys", "2"), numbers="019"
    ),
    "an operator who takes 20 s": Variant("a step's time starts when the operator has confirmed", delay=20),
    "an operator who is slower than ConnectionTimeOut": Variant(
        "9.1.6: it waits no longer for the EV driver",
        delay=61,
        inconclusive="003 004_1 007_1 011_1",
        reason="before the operator was done",
    ),
}

BOOTS = "001 002 013 014"

WRONG_REQUESTS: tuple[tuple[str, str, str, tuple[object, ...]], ...] = (
    ("StatusNotification", "connectorId", "003", ("1", ..., 1.0)),
    ("StatusNotification", "status", "003", ("Idle", ...)),
    ("StatusNotification", "errorCode", "003", ("Fine", ...)),
    ("StatusNotification", "timestamp", "003", ("yesterday",)),
    ("StartTransaction", "idTag", "003", (None,)),
    ("StartTransaction", "timestamp", "003", (...,)),
    ("StartTransaction", "meterStart", "003", (0.5,)),
    ("StopTransaction", "transactionId", "012", ("1",)),
    ("StopTransaction", "meterStop", "012", (...,)),
    ("Authorize", "idTag", "003 011_1", ([],)),
)

UNLAWFUL = {
    "boots for 150 s": Variant(
        "longer than LongOperationTimeout", charge_point=boots_for(150), numbers="001 002", fails="001 002"
    ),
    "ConnectionTimeOut 3 s too short": Variant("9.1.6", charge_point=times_out(-3), fails="004_2 011_2"),
    "ConnectionTimeOut 10 s too long": Variant(
        "9.1.6, not to the second: a remark", charge_point=times_out(10), remark="25 s, 15 s were due"
    ),
    "ConnectionTimeOut 12 s too long": Variant("9.1.6", charge_point=times_out(12), fails="004_2 011_2"),
    "values not stored": Variant(
        "5.3: Accepted means that the change is in force", charge_point=stores_nothing, fails="004_2 007_1 011_2 021"
    ),
    "heartbeat 3 s late": Variant(
        "4.2: the interval of BootNotification.conf", charge_point=heart_beats(3), fails="001 002"
    ),
    "heartbeat 3 s early": Variant("4.2", charge_point=heart_beats(-3), fails="001 002"),
    "boots 3 s early": Variant("4.2: not earlier than the interval", charge_point=boots_again(-3), fails="001 002"),
    "answers twice": Variant("OCPP-J 4.1.1: one answer to a CALL", lambda: answers_twice, fails=all_but("001 003")),
    "one unique id for every Heartbeat.req": Variant(
        "OCPP-J 4.1.4: an id serves one message", lambda: same_id_on_heartbeats, numbers="001 002 003", fails="001 002"
    ),
    "a report before BootNotification.req": Variant(
        "4.2: no other request until it is answered",
        lambda: lambda frame: [report(0, "Available"), frame] if frame.requests("BootNotification") else None,
        numbers="001 002 013 014 015",
        fails="001 002 013 014 015",
        reason="4.2",
    ),
    "a report right after BootNotification.req": Variant(
        "4.2: no other request until it is answered",
        lambda: lambda frame: [frame, report(0, "Available")] if frame.requests("BootNotification") else None,
        numbers="001 002 013 014 015",
        fails="001 002 013 014 015",
        reason="4.2",
    ),
    "StatusNotification.req while Rejected": Variant(
        "4.2: no message until the interval is over",
        charge_point=when_refused("Rejected", speaks(lambda: report(0, "Available"))),
        numbers="001 002 003",
        fails="001",
    ),
    "Heartbeat.req while Rejected": Variant(
        "4.2",
        charge_point=when_refused("Rejected", speaks(lambda: call("Heartbeat", {}))),
        numbers="001 002",
        fails="001",
    ),
    "StatusNotification.req while Pending": Variant(
        "4.2: no request but BootNotification.req that was not triggered",
        charge_point=when_refused("Pending", speaks(lambda: report(1, "Available"))),
        numbers="001 002 003",
        fails="002",
    ),
    "no hard reset": Variant("5.14", charge_point=reboots_on("Soft"), numbers="013 014", fails="013"),
    "another connector is Faulted": Variant(
        "the cases that boot want every connector Available",
        lambda: (
            lambda frame: (
                [frame.with_fields(status="Faulted", errorCode="OtherError")]
                if frame.requests("StatusNotification", connectorId=2)
                else None
            )
        ),
        connectors=2,
        fails=BOOTS,
    ),
    "no LocalPreAuthorize": Variant("9.1.13: required", charge_point=lacks("LocalPreAuthorize"), fails="007_1 019"),
    "no UnlockConnectorOnEVSideDisconnect": Variant(
        "9.1.33: required", charge_point=lacks("UnlockConnectorOnEVSideDisconnect"), fails="005_1 019"
    ),
    "no ConnectionTimeOut": Variant(
        "9.1.6: required", charge_point=lacks("ConnectionTimeOut"), fails="004_2 011_2 019"
    ),
    "no MeterValueSampleInterval": Variant(
        "9.1.19: required", charge_point=lacks("MeterValueSampleInterval"), fails="002 004_1 019 021 040_2"
    ),
    "no AuthorizeRemoteTxRequests": Variant(
        "9.1.3: required",
        charge_point=lacks("AuthorizeRemoteTxRequests"),
        fails="005_1 007_1 010 011_1 011_2 012 019 026 028",
    ),
    "no SupportedFeatureProfiles": Variant(
        "9.1.29: required", charge_point=lacks("SupportedFeatureProfiles"), fails="019"
    ),
    "profiles between semicolons": Variant(
        "9.1.29: a CSL", value_of("SupportedFeatureProfiles", "Core;SmartCharging"), numbers="019", fails="019"
    ),
    **{
        f"GetConfigurationMaxKeys = {value!r}": Variant(
            "9.1.9: a number of keys", value_of("GetConfigurationMaxKeys", value), numbers="019", fails="019"
        )
        for value in ("0", "abc", "1.5")
    },
    **{
        f"ChangeConfiguration.conf, status {value!r}": Variant(
            "6.10", conf("ChangeConfiguration", status=value), numbers="002 004_2 017_1 040_2", fails="002 004_2 040_2"
        )
        for value in (None, 1, "x", ...)
    },
    **{
        f"GetConfiguration.conf, {name}": Variant(
            "6.24, 7.29", keys(edit), numbers="002 012 017_1 019", fails="002 012 019"
        )
        for name, edit in MALFORMED.items()
    },
    "GetConfiguration.conf, unknownKey 'x'": Variant(
        "6.24", conf("GetConfiguration", unknownKey="x"), numbers="002 012 017_1 019", fails="002 012 019"
    ),
    "GetConfiguration.conf, no values": Variant(
        "7.29: only a key that is not set has none",
        keys(lambda entries: [{"key": e["key"], "readonly": e["readonly"]} for e in entries]),
        fails="005_1 007_1 010 011_1 011_2 012 019 021 026 028",
    ),
    **{
        f"{action}.req is refused": Variant("chapter 5", charge_point=refuses(action), fails=fails)
        for action, fails in {
            "ChangeAvailability": "013 014",
            "ChangeConfiguration": "002 004_2 007_1 011_2 021 040_1 040_2",
            "GetConfiguration": "002 004_1 004_2 005_1 007_1 010 011_1 011_2 012 019 021 026 028",
            "RemoteStartTransaction": "005_1 007_1 010 011_1 011_2 012 026 028",
            "Reset": "013 014",
            "UnlockConnector": "017_1 031",
        }.items()
    },
    # Played for itself: it leaves a transaction running that nothing but a remote request could end.
    "RemoteStopTransaction.req is refused": Variant(
        "5.12", charge_point=refuses("RemoteStopTransaction"), numbers="012", fails="012"
    ),
    **{
        f"{action}.req, {field} {value!r}": Variant(
            f"the schema of {action}.req", req(action, **{field: value}), numbers=numbers, fails=numbers
        )
        for action, field, numbers, values in WRONG_REQUESTS
        for value in values
    },
}

# One answer for all requests, and the cases that it is the right answer to.
DEAF: dict[str, tuple[Scripted, str]] = {
    "answers {}": (Conf(dict), ""),
    "answers null": (Raw('[3,"{uniqueId}",null]'), ""),
    "is always Accepted": (status("Accepted"), ""),
    "is always Rejected": (status("Rejected"), "040_2"),
    "is always NotSupported": (status("NotSupported"), "031 040_1"),
    "never answers": (Silence(), ""),
    "answers garbage": (Raw("garbage"), ""),
    "refuses all": (Refusal("NotSupported"), ""),
    "refuses all with PropertyConstraintViolation": (Refusal("PropertyConstraintViolation"), "040_2"),
}

# 5.8 wants unknown keys named. Whether {} is an answer where a case could do without the key is a question of its own.
SAYS_NOTHING_OF_KEYS = ("answers {}", "answers null")


def deaf(name: str, answer: Scripted, passes: str, left_out: str, silent: bool) -> Variant:
    """It answers every request in one way and does nothing of it; ``silent``: it sends none of its own either."""
    if name in SAYS_NOTHING_OF_KEYS:
        left_out += " 005_1 007_1"
    numbers = all_but(left_out)
    return Variant(
        "one request and its answer is all that these ask for: 5.3, 5.18" if passes else "nothing is as it should be",
        lambda: says_nothing if silent else unchanged,
        charge_point=always(answer),
        numbers=numbers,
        fails=" ".join(number for number in numbers.split() if number not in passes.split()),
    )


NULL: dict[str, Variant] = {
    # It comes as far as its own messages take it: to the boot of TC_001. Left out are those that leave it charging.
    **{
        f"it speaks, and {name}": deaf(name, answer, f"001 {passes}", "003 004_1", silent=False)
        for name, (answer, passes) in DEAF.items()
    },
    "it speaks, is always Accepted, and is left charging": Variant(
        "TC_001 and TC_003 have no request of the Central System; nothing ends the transaction of TC_003 any more",
        charge_point=always(DEAF["is always Accepted"][0]),
        fails="002",
        inconclusive=all_but("001 002 003"),
    ),
    **{
        f"it speaks, {name}, and is left charging": Variant(
            "TC_001 and TC_003 have no request of the Central System; the EV driver ends the transaction of TC_003",
            charge_point=always(DEAF[name][0]),
            fails=all_but("001 003"),
        )
        for name in ("answers {}", "never answers")
    },
    **{
        f"it says nothing, and {name}": deaf(name, *DEAF[name], "", silent=True)
        for name in ("answers {}", "is always Accepted", "is always NotSupported", "never answers")
    },
    "it sends everything back": Variant("OCPP-J 4.1.4: an answer that no CALL bears", reflex=echo, fails=ALL),
    # TC_002 waits for a request of ours that cannot be sent: a question of its own.
    "it closes at once": Variant(
        "it answers nothing, and boots while Rejected", reflex=hang_up, numbers=all_but("002"), fails=all_but("002")
    ),
}


@pytest.mark.parametrize("name", LAWFUL)
def test_lawful(calendar: Calendar, name: str) -> None:
    LAWFUL[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", UNLAWFUL)
def test_unlawful(calendar: Calendar, name: str) -> None:
    UNLAWFUL[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", NULL)
def test_null_device(calendar: Calendar, name: str) -> None:
    replace(NULL[name], is_missed=False).check(calendar, "Charge Point")
