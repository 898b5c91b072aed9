"""Small faults in what our own parties do about charging profiles, and the test cases that find each."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ocppj.clock import parse_timestamp, timestamp
from ocppj.errors import Refused
from ocppj.frames import Payload
from reference_csms import central_system
from reference_csms.central_system import CentralSystem
from simulator import charging_schedule, core, smart_charging
from simulator.charge_point import ChargePoint
from simulator.charging_schedule import Schedule
from tests.planted.test_planted_faults import Plant, answer, cases, due, instead, not_passed

CHARGE_POINT = "056 057 058_1 058_2 059 060 066 067 072 082"
CENTRAL_SYSTEM = "056 057 059 066 067"
IDS = frozenset(cases(CHARGE_POINT, "CS") | cases(CENTRAL_SYSTEM, "CSMS"))

HANDLERS = smart_charging.HANDLERS


def replaced(target: object, name: str, new: Callable[[Any], Any]) -> Plant:
    """Something else in the place of a function or a fact of a module or a class."""
    return lambda patch: patch.setattr(target, name, new(getattr(target, name)))


def schedules(change: Callable[[Schedule], Schedule]) -> Plant:
    """Every profile is understood otherwise."""
    return replaced(
        charging_schedule, "schedule", lambda ordinary: lambda *profile_and_start: change(ordinary(*profile_and_start))
    )


def plan(change: Callable[[Payload], Payload]) -> Plant:
    """The chargingSchedule of a GetCompositeSchedule.conf otherwise."""
    return answer(
        HANDLERS,
        "GetCompositeSchedule",
        lambda conf: conf | {"chargingSchedule": change(conf["chargingSchedule"])},
    )


def conf(**fields: object) -> Plant:
    """A GetCompositeSchedule.conf with other fields; ``...`` leaves one out."""

    def change(payload: Payload) -> Payload:
        merged = payload | fields
        return {name: value for name, value in merged.items() if value is not ...}

    return answer(HANDLERS, "GetCompositeSchedule", change)


def starts(seconds: float) -> Plant:
    def change(payload: Payload) -> Payload:
        told = parse_timestamp(payload["scheduleStart"]) + timedelta(seconds=seconds)
        return payload | {"scheduleStart": timestamp(told)}

    return answer(HANDLERS, "GetCompositeSchedule", change)


def asks(action: str, **fields: object) -> Plant:
    """The Central System sends a request otherwise; a dotted field leads into it, ``...`` leaves it out."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem.request

        async def request(self: CentralSystem, identity: str, asked: str, payload: Payload) -> Payload:
            if asked == action:
                payload = changed(payload, fields)
            return await ordinary(self, identity, asked, payload)

        patch.setattr(CentralSystem, "request", request)

    return plant


def changed(payload: Payload, fields: dict[str, object]) -> Payload:
    result = dict(payload)
    for path, value in fields.items():
        name, _, rest = path.partition("__")
        if rest and name in result:
            inner = result[name]
            result[name] = (
                [changed(inner[0], {rest: value}), *inner[1:]]
                if isinstance(inner, list)
                else changed(inner, {rest: value})
            )
        elif value is ...:
            result.pop(name, None)
        elif not rest:
            result[name] = value
    return result


def profile(**fields: object) -> Plant:
    """Another charging profile than the one that was wished for."""
    return asks("SetChargingProfile", **{f"csChargingProfiles__{name}": value for name, value in fields.items()})


def brought(**fields: object) -> Plant:
    """The same, with a RemoteStartTransaction.req."""
    return asks("RemoteStartTransaction", **{f"chargingProfile__{name}": value for name, value in fields.items()})


def remote_start_forgets_its_profile(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(smart_charging, "install", lambda *_: None)


def clears_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(HANDLERS, "ClearChargingProfile", lambda *_: {"status": "Accepted"})


def clears(**assumed: object) -> Plant:
    """ClearChargingProfile.req is read as if it held something else."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = HANDLERS["ClearChargingProfile"]

        def clear(charge_point: ChargePoint, request: Payload) -> Payload:
            return ordinary(charge_point, changed(request, assumed))

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


SHOWN = "056 057 059 066 067 072 082"  # a composite schedule is looked at

FAULTS: dict[str, tuple[Plant, set[str], set[str]]] = {
    # The Charge Point: what it takes
    "every SetChargingProfile is Accepted": (
        answer(HANDLERS, "SetChargingProfile", instead("Accepted")),
        cases("058_1 058_2", "CS"),
        set(),
    ),
    "SetChargingProfile is NotSupported": (
        answer(HANDLERS, "SetChargingProfile", instead("NotSupported")),
        cases("056 057 058_1 058_2 066 067 072 082", "CS"),
        cases("056 057 067", "CSMS"),
    ),
    "a TxProfile needs no transaction": (
        replaced(smart_charging, "_belongs", lambda _: lambda *_: True),
        cases("058_1 058_2", "CS"),
        set(),
    ),
    "a remote start takes any profile": (
        replaced(smart_charging, "takes_with_remote_start", lambda _: lambda *_: True),
        cases("060", "CS"),
        set(),
    ),
    "a remote start takes no profile": (
        replaced(smart_charging, "takes_with_remote_start", lambda _: lambda *_: False),
        cases("059", "CS"),
        cases("059", "CSMS"),
    ),
    "a profile that does not fit is an InternalError": (
        refuses_wrong_profiles_with("InternalError"),
        cases("058_1 058_2 060", "CS"),
        set(),
    ),
    # TC_058_2 names no CALLERROR.
    "a profile that does not fit is a PropertyConstraintViolation": (
        refuses_wrong_profiles_with("PropertyConstraintViolation"),
        cases("058_2", "CS"),
        set(),
    ),
    "the profile of a remote start is forgotten": (remote_start_forgets_its_profile, cases("059", "CS"), set()),
    # What it makes of it
    "the lowest stackLevel prevails": (
        schedules(lambda it: replace(it, stack_level=-it.stack_level)),
        cases("072", "CS"),
        set(),
    ),
    "the duration is ignored": (schedules(lambda it: replace(it, duration=None)), cases("072", "CS"), set()),
    "the first period is for ever": (
        schedules(lambda it: replace(it, periods=it.periods[:1])),
        cases("066 067 072", "CS"),
        set(),
    ),
    "a schedule begins 10 s late": (
        schedules(lambda it: replace(it, starts=it.starts + 10 * charging_schedule.SECOND)),
        cases("056 057 059 066 067 072 082", "CS"),
        set(),
    ),
    "a schedule begins 10 s early": (
        schedules(lambda it: replace(it, starts=it.starts - 10 * charging_schedule.SECOND)),
        cases("056 066 067 072 082", "CS"),
        set(),
    ),
    "the maximum of the Charge Point is ignored": (
        replaced(smart_charging, "_maximum", lambda _: lambda _: []),
        cases("066 067", "CS"),
        set(),
    ),
    "a TxProfile does not overrule the default": (
        replaced(smart_charging, "_for_transaction", lambda ordinary: lambda it, number, _: ordinary(it, number, -1)),
        cases("057 059 066", "CS"),
        set(),
    ),
    "a new default is for new transactions alone": (
        replaced(
            smart_charging,
            "_for_transaction",
            lambda ordinary: (
                lambda it, number, running: (
                    [each for each in ordinary(it, number, running) if each["transaction"]]
                    if running
                    else ordinary(it, number, None)
                )
            ),
        ),
        cases("082", "CS"),
        set(),
    ),
    # What it tells
    "the composite schedule is Rejected": (
        conf(status="Rejected", scheduleStart=..., chargingSchedule=...),
        cases(SHOWN, "CS"),
        cases("066", "CSMS"),
    ),
    "the composite schedule is of another connector": (conf(connectorId=2), cases(SHOWN, "CS"), set()),
    "scheduleStart is left out": (conf(scheduleStart=...), cases(SHOWN, "CS"), set()),
    "scheduleStart lies 10 s back": (starts(-10), cases(SHOWN, "CS"), set()),
    # As with a clock that is set to another zone: nothing that is told lies where the profiles hold.
    "scheduleStart lies 2 h back": (starts(-7200), cases(SHOWN, "CS"), set()),
    "scheduleStart lies 2 h ahead": (starts(7200), cases(SHOWN, "CS"), set()),
    "the duration is not what was asked for": (
        plan(lambda it: it | {"duration": it["duration"] - 1}),
        cases(SHOWN, "CS"),
        set(),
    ),
    "the unit is not what was asked for": (
        plan(lambda it: it | {"chargingRateUnit": "W"}),
        cases(SHOWN, "CS"),
        set(),
    ),
    "the first period alone is told": (
        plan(lambda it: it | {"chargingSchedulePeriod": it["chargingSchedulePeriod"][:1]}),
        cases("066 067 072", "CS"),
        set(),
    ),
    "the local limit is told as 15": (
        replaced(smart_charging, "LOCAL_LIMIT", lambda _: charging_schedule.Limit(15.0)),
        cases("067", "CS"),
        set(),
    ),
    # What it clears
    "nothing is cleared": (clears_nothing, cases("067", "CS"), set()),
    "an id is not looked at": (clears(id=...), cases("067", "CS"), {"TC_067_CSMS"}),
    "a purpose is not looked at": (clears(chargingProfilePurpose=...), cases("067", "CS"), {"TC_067_CSMS"}),
    "what is cleared is Unknown": (
        answer(HANDLERS, "ClearChargingProfile", instead("Unknown")),
        cases("067", "CS"),
        {"TC_067_CSMS"},
    ),
}

# The Central System sends something else than its operator asked it for. Who of ours sits beside it is not judged here.
SENDS: dict[str, tuple[Plant, str]] = {
    "SetChargingProfile at another connector": (asks("SetChargingProfile", connectorId=2), "056 057 067"),
    "another stackLevel": (profile(stackLevel=7), "056 067"),
    "TxProfile instead": (profile(chargingProfilePurpose="TxProfile"), "056 067"),
    "TxDefaultProfile instead": (profile(chargingProfilePurpose="TxDefaultProfile"), "057 067"),
    "Relative instead": (profile(chargingProfileKind="Relative"), "056 057"),
    "Recurring instead": (profile(chargingProfileKind="Recurring", recurrencyKind="Daily"), "056 057"),
    "with recurrencyKind": (profile(recurrencyKind="Daily"), "056 057 067"),
    "with transactionId": (profile(transactionId=1), "056 057 067"),
    "without transactionId": (profile(transactionId=...), "057 067"),
    "without validFrom": (profile(validFrom=...), "056"),
    "without validTo": (profile(validTo=...), "056"),
    "without startSchedule": (profile(chargingSchedule__startSchedule=...), "056 057"),
    "without duration": (profile(chargingSchedule__duration=...), "056 057"),
    "another duration": (profile(chargingSchedule__duration=11), "056"),
    "another unit": (profile(chargingSchedule__chargingRateUnit="W"), "056"),
    "another startPeriod": (profile(chargingSchedule__chargingSchedulePeriod__startPeriod=5), "056 057 067"),
    "another limit": (profile(chargingSchedule__chargingSchedulePeriod__limit=7.0), "056"),
    "another numberPhases": (profile(chargingSchedule__chargingSchedulePeriod__numberPhases=1), "056"),
    "one id for all profiles": (profile(chargingProfileId=5), "067"),
    "remote start with another idTag": (asks("RemoteStartTransaction", idTag="OTHER"), "059"),
    "remote start at another connector": (asks("RemoteStartTransaction", connectorId=2), "059"),
    "remote start at no connector": (asks("RemoteStartTransaction", connectorId=...), "059"),
    "remote start without a profile": (asks("RemoteStartTransaction", chargingProfile=...), "059"),
    "remote start with TxDefaultProfile": (brought(chargingProfilePurpose="TxDefaultProfile"), "059"),
    "remote start with transactionId": (brought(transactionId=1), "059"),
    "remote start with a late period": (brought(chargingSchedule__chargingSchedulePeriod__startPeriod=5), "059"),
    "remote start with recurrencyKind": (brought(recurrencyKind="Daily"), "059"),
    "remote start with Recurring": (brought(chargingProfileKind="Recurring", recurrencyKind="Daily"), "059"),
    "remote start with Absolute without times": (brought(chargingProfileKind="Absolute"), "059"),
    "remote start with Relative and startSchedule": (
        brought(chargingSchedule__startSchedule="2031-05-13T00:00:00Z"),
        "059",
    ),
    "a composite schedule of another connector": (asks("GetCompositeSchedule", connectorId=2), "066"),
    "a composite schedule of another duration": (asks("GetCompositeSchedule", duration=7), "066"),
    "a composite schedule in another unit": (asks("GetCompositeSchedule", chargingRateUnit="W"), "066"),
    "a composite schedule in no unit": (asks("GetCompositeSchedule", chargingRateUnit=...), "066"),
    "clears by id": (asks("ClearChargingProfile", id=1), "067"),
    "clears by connector": (asks("ClearChargingProfile", connectorId=1), "067"),
    "clears by purpose": (asks("ClearChargingProfile", chargingProfilePurpose="TxDefaultProfile"), "067"),
    "clears by stackLevel": (asks("ClearChargingProfile", stackLevel=0), "067"),
    "clears not by connector": (asks("ClearChargingProfile", connectorId=...), "067"),
    "clears not by purpose": (asks("ClearChargingProfile", chargingProfilePurpose=...), "067"),
    "clears not by stackLevel": (asks("ClearChargingProfile", stackLevel=...), "067"),
    "nobody is authorized": (
        answer(central_system.HANDLERS, "Authorize", lambda _: {"idTagInfo": {"status": "Invalid"}}),
        "057 059 067",
    ),
    "no transaction is accepted": (
        answer(central_system.HANDLERS, "StartTransaction", lambda found: found | {"idTagInfo": {"status": "Invalid"}}),
        "057 059 067",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found(name: str) -> None:
    plant, failed, errors = FAULTS[name]
    assert not_passed(plant, IDS) == due(failed, errors)


@pytest.mark.parametrize("name", SENDS)
def test_a_wrong_request_is_found(name: str) -> None:
    plant, failed = SENDS[name]
    among = frozenset(cases(CENTRAL_SYSTEM, "CSMS"))
    assert not_passed(plant, among) == dict.fromkeys(cases(failed, "CSMS"), "fail")


def test_every_case_is_found_by_some_fault() -> None:
    found = {case for _, failed, _ in FAULTS.values() for case in failed}
    found |= {case for _, failed in SENDS.values() for case in cases(failed, "CSMS")}
    assert found == IDS
