"""Faults about charging profiles and the schedules that come of them (OCPP 1.6 3.13, 5.5, 5.7, 5.16)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bench.device import DEFAULT_DATA
from bench.mutants import Plant
from bench.mutants.planting import Change, answers, asks, instead, mutants_of, only_answers, with_fields
from ocppj.clock import parse_timestamp, timestamp
from ocppj.errors import Refused
from ocppj.frames import Payload
from reference_csms import central_system
from simulator import charging_schedule, core, smart_charging
from simulator.charge_point import ChargePoint
from simulator.charging_schedule import SECOND, Schedule
from simulator.smart_charging import HANDLERS

CSMS = central_system.HANDLERS
SHOWN = "TC_056_CS TC_057_CS TC_059_CS TC_066_CS TC_067_CS TC_072_CS TC_082_CS"  # a composite schedule is looked at


def replaced(target: object, name: str, new: Callable[[Any], Any]) -> Plant:
    """Something else in the place of a function or a fact of a module or a class."""
    return lambda patch: patch.setattr(target, name, new(getattr(target, name)))


def understands(change: Callable[[Schedule], Schedule]) -> Plant:
    """Every profile is understood otherwise."""
    return replaced(
        charging_schedule, "schedule", lambda ordinary: lambda *profile_and_start: change(ordinary(*profile_and_start))
    )


def shows(change: Change) -> Plant:
    """The chargingSchedule of a GetCompositeSchedule.conf otherwise."""
    return answers(
        HANDLERS, "GetCompositeSchedule", lambda conf: conf | {"chargingSchedule": change(conf["chargingSchedule"])}
    )


def starts(seconds: float) -> Plant:
    """Another scheduleStart."""

    def change(payload: Payload) -> Payload:
        told = parse_timestamp(payload["scheduleStart"]) + timedelta(seconds=seconds)
        return payload | {"scheduleStart": timestamp(told)}

    return answers(HANDLERS, "GetCompositeSchedule", change)


def at(path: str, value: object) -> Change:
    """Another value at a dotted path, the first one of every list; ``...`` leaves it out."""
    name, _, rest = path.partition(".")

    def change(payload: Payload) -> Payload:
        if not rest:
            return with_fields(**{name: value})(payload)
        inner = payload.get(name)
        if isinstance(inner, list):
            return payload | {name: [at(rest, value)(inner[0]), *inner[1:]]}
        return payload | {name: at(rest, value)(inner)} if isinstance(inner, dict) else payload

    return change


def without_a_transaction_alone(ordinary: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """A new TxDefaultProfile is not for the transaction that is running."""

    def for_transaction(it: Any, number: int, running: int | None) -> list[Any]:
        if not running:
            return ordinary(it, number, None)
        return [each for each in ordinary(it, number, running) if each["transaction"]]

    return for_transaction


def reads_clear_without(field: str) -> Plant:
    """ClearChargingProfile.req is read as if it did not hold a field."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = HANDLERS["ClearChargingProfile"]

        def clear(charge_point: ChargePoint, request: Payload) -> Payload:
            return ordinary(charge_point, with_fields(**{field: ...})(request))

        patch.setitem(HANDLERS, "ClearChargingProfile", clear)

    return plant


def refuses_wrong_profiles_with(code: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        for handlers, action in ((HANDLERS, "SetChargingProfile"), (core.HANDLERS, "RemoteStartTransaction")):
            ordinary = handlers[action]

            def handle(charge_point: ChargePoint, request: Payload, ordinary: core.Handler = ordinary) -> Payload:
                found = ordinary(charge_point, request)
                if found["status"] == "Rejected":
                    raise Refused(code)
                return found

            patch.setitem(handlers, action, handle)

    return plant


def calls_clearing_all_unknown(patch: pytest.MonkeyPatch) -> None:
    ordinary = HANDLERS["ClearChargingProfile"]

    def clear(charge_point: ChargePoint, request: Payload) -> Payload:
        conf = ordinary(charge_point, request)
        return conf if request else {"status": "Unknown"}

    patch.setitem(HANDLERS, "ClearChargingProfile", clear)


def shortens_others_when_one_is_cleared(patch: pytest.MonkeyPatch) -> None:
    ordinary = HANDLERS["ClearChargingProfile"]

    def clear(charge_point: ChargePoint, request: Payload) -> Payload:
        conf = ordinary(charge_point, request)
        for each in charge_point.memory.charging_profiles:
            if "id" in request and each["profile"]["chargingProfilePurpose"] == "TxDefaultProfile":
                del each["profile"]["chargingSchedule"]["chargingSchedulePeriod"][1:]
        return conf

    patch.setitem(HANDLERS, "ClearChargingProfile", clear)


def shows_another_connector_without_profiles(patch: pytest.MonkeyPatch) -> None:
    ordinary = HANDLERS["GetCompositeSchedule"]

    def get(charge_point: ChargePoint, request: Payload) -> Payload:
        conf = ordinary(charge_point, request)
        return conf if charge_point.memory.charging_profiles else conf | {"connectorId": 2}

    patch.setitem(HANDLERS, "GetCompositeSchedule", get)


TAKES = mutants_of(
    "Charge Point",
    "OCPP 1.6 5.16",
    {
        "every SetChargingProfile is Accepted": (
            answers(HANDLERS, "SetChargingProfile", instead("Accepted")),
            "TC_058_1_CS TC_058_2_CS",
        ),
        "SetChargingProfile is NotSupported, and is done": (
            answers(HANDLERS, "SetChargingProfile", instead("NotSupported")),
            "TC_056_CS TC_057_CS TC_058_1_CS TC_058_2_CS TC_066_CS TC_067_CS TC_072_CS TC_082_CS",
        ),
        "a TxProfile needs no transaction": (
            replaced(smart_charging, "_belongs", lambda _: lambda *_: True),
            "TC_058_1_CS TC_058_2_CS",
        ),
        "a profile that does not fit is an InternalError": (
            refuses_wrong_profiles_with("InternalError"),
            "TC_058_1_CS TC_058_2_CS TC_060_CS",
        ),
        "a profile that does not fit is a PropertyConstraintViolation": (
            refuses_wrong_profiles_with("PropertyConstraintViolation"),
            "TC_058_2_CS",
        ),
    },
) + mutants_of(
    "Charge Point",
    "OCPP 1.6 5.11",
    {
        "a remote start takes any profile": (
            replaced(smart_charging, "takes_with_remote_start", lambda _: lambda *_: True),
            "TC_060_CS",
        ),
        "a remote start takes no profile": (
            replaced(smart_charging, "takes_with_remote_start", lambda _: lambda *_: False),
            "TC_059_CS",
        ),
        "the profile of a remote start is forgotten": (
            replaced(smart_charging, "install", lambda _: lambda *_: None),
            "TC_059_CS",
        ),
    },
)

MAKES_OF_IT = mutants_of(
    "Charge Point",
    "OCPP 1.6 3.13",
    {
        "the lowest stackLevel prevails": (
            understands(lambda it: replace(it, stack_level=-it.stack_level)),
            "TC_072_CS",
        ),
        "the duration of a schedule is ignored": (understands(lambda it: replace(it, duration=None)), "TC_072_CS"),
        "the first period of a schedule is for ever": (
            understands(lambda it: replace(it, periods=it.periods[:1])),
            "TC_066_CS TC_067_CS TC_072_CS",
        ),
        "a schedule begins 10 s late": (
            understands(lambda it: replace(it, starts=it.starts + 10 * SECOND)),
            "TC_056_CS TC_057_CS TC_059_CS TC_066_CS TC_067_CS TC_072_CS TC_082_CS",
        ),
        "a schedule begins 10 s early": (
            understands(lambda it: replace(it, starts=it.starts - 10 * SECOND)),
            "TC_056_CS TC_066_CS TC_067_CS TC_072_CS TC_082_CS",
        ),
        "the maximum of the Charge Point is ignored": (
            replaced(smart_charging, "_maximum", lambda _: lambda _: []),
            "TC_066_CS TC_067_CS",
        ),
        "a TxProfile does not overrule the default": (
            replaced(smart_charging, "_for_transaction", lambda ordinary: lambda it, at, _: ordinary(it, at, -1)),
            "TC_057_CS TC_059_CS TC_066_CS",
        ),
        "a new default is for new transactions alone": (
            replaced(smart_charging, "_for_transaction", without_a_transaction_alone),
            "TC_082_CS",
        ),
    },
)

TELLS = mutants_of(
    "Charge Point",
    "OCPP 1.6 5.7",
    {
        "the composite schedule is Rejected": (
            answers(
                HANDLERS,
                "GetCompositeSchedule",
                with_fields(status="Rejected", scheduleStart=..., chargingSchedule=...),
            ),
            SHOWN,
        ),
        "a composite schedule is told and called Rejected": (
            answers(HANDLERS, "GetCompositeSchedule", instead("Rejected")),
            SHOWN,
        ),
        "the composite schedule is of another connector": (
            answers(HANDLERS, "GetCompositeSchedule", with_fields(connectorId=2)),
            SHOWN,
        ),
        "where there are no charging profiles, the composite schedule is of another connector": (
            shows_another_connector_without_profiles,
            "TC_067_CS",
        ),
        "scheduleStart is left out": (
            answers(HANDLERS, "GetCompositeSchedule", with_fields(scheduleStart=...)),
            SHOWN,
        ),
        "scheduleStart lies 10 s back": (starts(-10), SHOWN),
        "scheduleStart lies 2 h back, as with a clock of another zone": (starts(-7200), SHOWN),
        "scheduleStart lies 2 h ahead, as with a clock of another zone": (starts(7200), SHOWN),
        "the duration of the composite schedule is not what was asked for": (
            shows(lambda it: it | {"duration": it["duration"] - 1}),
            SHOWN,
        ),
        "the unit of the composite schedule is not what was asked for": (
            shows(with_fields(chargingRateUnit="W")),
            SHOWN,
        ),
        "the first period alone is told": (
            shows(lambda it: it | {"chargingSchedulePeriod": it["chargingSchedulePeriod"][:1]}),
            "TC_066_CS TC_067_CS TC_072_CS",
        ),
        "the local limit is told as 15": (
            replaced(smart_charging, "LOCAL_LIMIT", lambda _: charging_schedule.Limit(15.0)),
            "TC_067_CS",
        ),
    },
)

CLEARS = mutants_of(
    "Charge Point",
    "OCPP 1.6 5.5",
    {
        "ClearChargingProfile clears nothing": (
            only_answers(HANDLERS, "ClearChargingProfile", {"status": "Accepted"}),
            "TC_067_CS",
        ),
        "ClearChargingProfile does not look at the id": (reads_clear_without("id"), "TC_067_CS"),
        "ClearChargingProfile does not look at the purpose": (
            reads_clear_without("chargingProfilePurpose"),
            "TC_067_CS",
        ),
        "clearing all charging profiles is called Unknown": (calls_clearing_all_unknown, "TC_067_CS"),
        "the schedule of others is shortened when a profile is cleared by its id": (
            shortens_others_when_one_is_cleared,
            "TC_067_CS",
        ),
        "what is cleared is called Unknown": (
            answers(HANDLERS, "ClearChargingProfile", instead("Unknown")),
            "TC_067_CS",
        ),
    },
)


def sets(path: str, value: object) -> Plant:
    """Another charging profile than the one that was wished for."""
    return asks("SetChargingProfile", at(f"csChargingProfiles.{path}", value))


def starts_with(path: str, value: object) -> Plant:
    """The same with a RemoteStartTransaction.req."""
    return asks("RemoteStartTransaction", at(f"chargingProfile.{path}", value))


def sets_of(purpose: str, path: str, value: object) -> Plant:
    """Another charging profile of a purpose than the one that was wished for."""
    change = at(f"csChargingProfiles.{path}", value)

    def changed(request: Payload) -> Payload:
        return change(request) if request["csChargingProfiles"]["chargingProfilePurpose"] == purpose else request

    return asks("SetChargingProfile", changed)


def clears_with(change: Change, is_meant: Callable[[Payload], bool]) -> Plant:
    """A request to clear some of the charging profiles has other fields."""
    return asks("ClearChargingProfile", lambda request: change(request) if is_meant(request) else request)


def period(field: str) -> str:
    return f"chargingSchedule.chargingSchedulePeriod.{field}"


def recurring(profile: str, action: str) -> Plant:
    return asks(
        action,
        lambda request: at(f"{profile}.recurrencyKind", "Daily")(
            at(f"{profile}.chargingProfileKind", "Recurring")(request)
        ),
    )


SETS = mutants_of(
    "Central System",
    "OCPP 1.6 7.8",
    {
        "a charging profile is set at another connector": (
            asks("SetChargingProfile", with_fields(connectorId=2)),
            "TC_056_CSMS TC_057_CSMS TC_067_CSMS",
        ),
        "a charging profile has another stackLevel": (sets("stackLevel", 7), "TC_056_CSMS TC_067_CSMS"),
        "every charging profile is a TxProfile": (
            sets("chargingProfilePurpose", "TxProfile"),
            "TC_056_CSMS TC_067_CSMS",
        ),
        "every charging profile is a TxDefaultProfile": (
            sets("chargingProfilePurpose", "TxDefaultProfile"),
            "TC_057_CSMS TC_067_CSMS",
        ),
        "every charging profile is Relative": (sets("chargingProfileKind", "Relative"), "TC_056_CSMS TC_057_CSMS"),
        "every charging profile recurs daily": (
            recurring("csChargingProfiles", "SetChargingProfile"),
            "TC_056_CSMS TC_057_CSMS",
        ),
        "a charging profile that does not recur has a recurrencyKind": (
            sets("recurrencyKind", "Daily"),
            "TC_056_CSMS TC_057_CSMS TC_067_CSMS",
        ),
        "every charging profile has a transactionId": (
            sets("transactionId", 1),
            "TC_056_CSMS TC_057_CSMS TC_067_CSMS",
        ),
        "no charging profile has a transactionId": (sets("transactionId", ...), "TC_057_CSMS TC_067_CSMS"),
        "a charging profile has no startSchedule": (
            sets("chargingSchedule.startSchedule", ...),
            "TC_056_CSMS TC_057_CSMS",
        ),
        "a charging profile has no duration": (sets("chargingSchedule.duration", ...), "TC_056_CSMS TC_057_CSMS"),
        "a charging profile has another duration": (sets("chargingSchedule.duration", 11), "TC_056_CSMS"),
        "a charging profile has another unit": (sets("chargingSchedule.chargingRateUnit", "W"), "TC_056_CSMS"),
        "a charging profile begins with a later period": (
            sets(period("startPeriod"), 5),
            "TC_056_CSMS TC_057_CSMS TC_067_CSMS",
        ),
        "a charging profile has another limit": (sets(period("limit"), 7.0), "TC_056_CSMS"),
        "a charging profile has another numberPhases": (sets(period("numberPhases"), 1), "TC_056_CSMS"),
        "the maximum of a Charge Point has another stackLevel": (
            sets_of("ChargePointMaxProfile", "stackLevel", 7),
            "TC_067_CSMS",
        ),
        "a default for transactions has another stackLevel": (
            sets_of("TxDefaultProfile", "stackLevel", 7),
            "TC_056_CSMS TC_067_CSMS",
        ),
        "the profile of a transaction has the id of the default": (
            sets_of("TxProfile", "chargingProfileId", 2),
            "TC_067_CSMS",
        ),
        "all charging profiles have one id": (sets("chargingProfileId", 5), "TC_067_CSMS"),
    },
)

STARTS = mutants_of(
    "Central System",
    "OCPP 1.6 5.11",
    {
        "a remote start is for another idTag": (
            asks("RemoteStartTransaction", with_fields(idTag="OTHER")),
            "TC_059_CSMS",
        ),
        "a remote start with a profile is for the idTag of somebody else": (
            asks("RemoteStartTransaction", with_fields(idTag=DEFAULT_DATA["ValidIdTag2"])),
            "TC_059_CSMS",
        ),
        "a remote start with a profile is at another connector": (
            asks("RemoteStartTransaction", with_fields(connectorId=2)),
            "TC_059_CSMS",
        ),
        "a remote start comes without its profile": (
            asks("RemoteStartTransaction", with_fields(chargingProfile=...)),
            "TC_059_CSMS",
        ),
        "a remote start comes with a TxDefaultProfile": (
            starts_with("chargingProfilePurpose", "TxDefaultProfile"),
            "TC_059_CSMS",
        ),
        "the profile of a remote start has a transactionId": (starts_with("transactionId", 1), "TC_059_CSMS"),
        "the profile of a remote start begins with a later period": (
            starts_with(period("startPeriod"), 5),
            "TC_059_CSMS",
        ),
        "the profile of a remote start does not recur and has a recurrencyKind": (
            starts_with("recurrencyKind", "Daily"),
            "TC_059_CSMS",
        ),
        "the profile of a remote start recurs daily": (
            recurring("chargingProfile", "RemoteStartTransaction"),
            "TC_059_CSMS",
        ),
        "the profile of a remote start is Absolute and has no times": (
            starts_with("chargingProfileKind", "Absolute"),
            "TC_059_CSMS",
        ),
        "the profile of a remote start is Relative and has a startSchedule": (
            starts_with("chargingSchedule.startSchedule", "2031-05-13T00:00:00Z"),
            "TC_059_CSMS",
        ),
        "nobody is authorized where a profile is used": (
            answers(CSMS, "Authorize", with_fields(idTagInfo={"status": "Invalid"})),
            "TC_057_CSMS TC_059_CSMS TC_067_CSMS",
        ),
        "no transaction is accepted where a profile is used": (
            answers(CSMS, "StartTransaction", with_fields(idTagInfo={"status": "Invalid"})),
            "TC_057_CSMS TC_059_CSMS TC_067_CSMS",
        ),
    },
)

ASKS = mutants_of(
    "Central System",
    "OCPP 1.6 6.21",
    {
        "the composite schedule of another connector is asked for": (
            asks("GetCompositeSchedule", with_fields(connectorId=2)),
            "TC_066_CSMS",
        ),
        "a composite schedule of another duration is asked for": (
            asks("GetCompositeSchedule", with_fields(duration=7)),
            "TC_066_CSMS",
        ),
        "a composite schedule in another unit is asked for": (
            asks("GetCompositeSchedule", with_fields(chargingRateUnit="W")),
            "TC_066_CSMS",
        ),
        "a composite schedule in no unit is asked for": (
            asks("GetCompositeSchedule", with_fields(chargingRateUnit=...)),
            "TC_066_CSMS",
        ),
    },
) + mutants_of(
    "Central System",
    "OCPP 1.6 6.13",
    {
        f"charging profiles are {name}": (asks("ClearChargingProfile", with_fields(**{field: value})), "TC_067_CSMS")
        for name, field, value in (
            ("always cleared by id", "id", 1),
            ("always cleared by connector", "connectorId", 1),
            ("always cleared by purpose", "chargingProfilePurpose", "TxDefaultProfile"),
            ("always cleared by stackLevel", "stackLevel", 0),
            ("never cleared by connector", "connectorId", ...),
            ("never cleared by purpose", "chargingProfilePurpose", ...),
            ("never cleared by stackLevel", "stackLevel", ...),
        )
    },
)

CLEARS_OTHERWISE = mutants_of(
    "Central System",
    "OCPP 1.6 6.13",
    {
        "a charging profile is cleared by its id and its connector": (
            clears_with(with_fields(connectorId=1), lambda request: "id" in request),
            "TC_067_CSMS",
        ),
        "what is left of charging profiles is cleared at one connector": (
            clears_with(with_fields(connectorId=1), lambda request: not request),
            "TC_067_CSMS",
        ),
    },
)

MUTANTS = [*TAKES, *MAKES_OF_IT, *TELLS, *CLEARS, *SETS, *STARTS, *ASKS, *CLEARS_OTHERWISE]
