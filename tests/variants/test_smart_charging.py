"""Foreign devices that handle charging profiles otherwise than ours: within the law, and beyond it."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from bench.device import device
from ocppj.clock import Calendar, VirtualLoop, parse_timestamp, timestamp
from ocppj.frames import Payload
from ocppj.peer import Conf, Raw, Refusal, Scripted, Silence
from simulator import smart_charging
from simulator.charge_point import ChargePoint
from tests.variants.foreign import (
    ID_TAGS,
    Change,
    Frame,
    Hands,
    Variant,
    _play,
    _play_charge_point,
    _VirtualRun,
    call,
)
from tests.variants.test_central_systems import after_boot
from tests.variants.test_charge_points import always, has, slow, status

CHARGE_POINT = "056 057 058_1 058_2 059 060 066 067 072 082"
CENTRAL_SYSTEM = "056 057 059 066 067"
SHOWN = "056 057 059 066 067 072 082"  # a composite schedule is looked at
CHANGING = "066 067 072"  # and it is no constant
LIMITED = {"LocalLimit": "16"}

Periods = list[Payload]


def charge_point(because: str, *args: Any, **more: Any) -> Variant:
    """A Charge Point in all the cases, unless others are named, whose local limit is known."""
    return Variant(because, *args, **{"numbers": CHARGE_POINT, "data": LIMITED, **more})


def told(edit: Callable[[Payload], Payload]) -> Callable[[], Change]:
    """Its GetCompositeSchedule.conf otherwise; ``...`` leaves a field out."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.answers("GetCompositeSchedule") or frame.payload["status"] != "Accepted":
            return None
        return [frame.with_fields(**edit(frame.payload))]

    return lambda: change


def plan(**fields: object) -> Callable[[], Change]:
    return told(lambda conf: {"chargingSchedule": conf["chargingSchedule"] | fields})


def periods(edit: Callable[[Periods, Payload], Periods]) -> Callable[[], Change]:
    """Other periods in it."""

    def edited(conf: Payload) -> Payload:
        schedule = conf["chargingSchedule"]
        return {
            "chargingSchedule": schedule
            | {"chargingSchedulePeriod": edit(schedule["chargingSchedulePeriod"], schedule)}
        }

    return told(edited)


def start(edit: Callable[[datetime], str]) -> Callable[[], Change]:
    return told(lambda conf: {"scheduleStart": edit(parse_timestamp(conf["scheduleStart"]))})


def limits(edit: Callable[[float], float]) -> Callable[[], Change]:
    return periods(lambda found, _: [period | {"limit": round(edit(period["limit"]), 1)} for period in found])


def in_pieces(found: Periods, schedule: Payload) -> Periods:
    """Cut every 7 seconds."""
    pieces = []
    for number, period in enumerate(found):
        end = found[number + 1]["startPeriod"] if number + 1 < len(found) else schedule["duration"]
        pieces += [period | {"startPeriod": second} for second in range(period["startPeriod"], end, 7)]
    return pieces


def shifted(seconds: int) -> Callable[[Periods, Payload], Periods]:
    return lambda found, _: [
        period | {"startPeriod": period["startPeriod"] + (seconds if period["startPeriod"] else 0)} for period in found
    ]


def on_whole_seconds(frame: Frame) -> Iterable[Frame] | None:
    """scheduleStart without its milliseconds, and every edge rounded up."""
    if not frame.answers("GetCompositeSchedule"):
        return None
    begin = parse_timestamp(frame.payload["scheduleStart"]).replace(microsecond=0)
    schedule = frame.payload["chargingSchedule"]
    later = shifted(1)(schedule["chargingSchedulePeriod"], schedule)
    return [
        frame.with_fields(
            scheduleStart=begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
            chargingSchedule=schedule | {"chargingSchedulePeriod": later},
        )
    ]


def falls_back(found: Periods, schedule: Payload) -> Periods:
    """After the TxProfile of TC_066 the TxDefaultProfile holds until its own end."""
    if schedule["duration"] != 400:
        return found
    end = found[-1]
    at = end["startPeriod"]
    return [*found, end | {"startPeriod": at + 20, "limit": 8.0}, end | {"startPeriod": at + 60}]


def refuses_with(code: str) -> Callable[[], Change]:
    """Instead of Rejected."""

    def change(frame: Frame) -> Iterable[Frame] | None:
        is_no = frame.answers("SetChargingProfile", "RemoteStartTransaction") and frame.payload["status"] == "Rejected"
        return [frame.refused(code)] if is_no else None

    return lambda: change


def has_no_smart_charging(it: ChargePoint) -> None:
    it.profiles = tuple(name for name in it.profiles if name != "SmartCharging")
    for action in smart_charging.HANDLERS:
        del it.handlers[action]


def has_profile(it: ChargePoint) -> None:
    """One is left from another life."""
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 3.0}]}
    profile = {
        "chargingProfileId": 77,
        "stackLevel": 9,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
    }
    it.memory.charging_profiles.append(smart_charging.keep(0, profile, None, timestamp()))


LAWFUL: dict[str, Variant] = {
    "one like ours": charge_point("it is"),
    "periods in pieces": charge_point("7.13: how a schedule is cut is its own business", periods(in_pieces)),
    "whole seconds": charge_point("7.14: startPeriod is an integer", lambda: on_whole_seconds),
    "edges 2 s late": charge_point("the greatest deviation", periods(shifted(2))),
    "a slow one": charge_point("OCPP-J 4.1.1: the time-out is the caller's, here 30 s", slow(29.5)),
    "an operator who takes 20 s": charge_point("a step's time starts when the operator has confirmed", delay=20),
    "AuthorizeRemoteTxRequests = false": charge_point("5.11", charge_point=has(AuthorizeRemoteTxRequests="false")),
    "scheduleStart in another zone": charge_point(
        "3.14: any zone", start(lambda moment: moment.astimezone(timezone(timedelta(hours=5))).isoformat())
    ),
    "numberPhases is left out": charge_point(
        "7.14: optional",
        periods(lambda found, _: [{n: v for n, v in each.items() if n != "numberPhases"} for each in found]),
    ),
    "limits without a point": charge_point("JSON knows but one kind of number", limits(lambda limit: int(limit))),
    "PropertyConstraintViolation where the case allows it": charge_point(
        "TC_058_1 and TC_060 take it", refuses_with("PropertyConstraintViolation"), numbers="058_1 060"
    ),
    "falls back to the default when the TxProfile has ended": charge_point(
        "errata 3.43: another profile is available", periods(falls_back), remark="the test case wants 10 A"
    ),
    "limits a digit too low": charge_point(
        "3.13.3: at most what the profiles allow; 7.14: one digit",
        limits(lambda limit: limit - 0.1),
        numbers="056 057 059 066 072 082",
        remark="was set",
    ),
    "startSchedule beside scheduleStart": charge_point(
        "errata 3.57 has it omitted, the test case document speaks of it",
        told(lambda conf: {"chargingSchedule": conf["chargingSchedule"] | {"startSchedule": conf["scheduleStart"]}}),
        remark="errata 3.57",
    ),
    "startSchedule instead of scheduleStart": charge_point(
        "the same",
        told(
            lambda conf: {
                "scheduleStart": ...,
                "chargingSchedule": conf["chargingSchedule"] | {"startSchedule": conf["scheduleStart"]},
            }
        ),
        remark="errata 3.57",
    ),
    "a lower local limit": charge_point(
        "5.7: local limits may be taken into account",
        limits(lambda limit: min(limit, 7.5)),
        data={"LocalLimit": "7.5"},
    ),
    "a lower local limit that nobody has told": charge_point(
        "5.7: nobody knows",
        limits(lambda limit: min(limit, 7.5)),
        data={},
        inconclusive="066 067 072",
        reason="LocalLimit=",
    ),
    "a local limit that nobody has told": charge_point(
        "TC_067 asks for it", data={}, inconclusive="067", reason="give --data LocalLimit="
    ),
    "counts in watts": charge_point(
        "9.4.2",
        charge_point=has(ChargingScheduleAllowedChargingRateUnit="Power"),
        data={"ChargingRateUnit": "W", "LocalLimit": "11040"},
    ),
    "counts in watts, and is asked for amperes": charge_point(
        "9.4.2: errata 3.88",
        charge_point=has(ChargingScheduleAllowedChargingRateUnit="Power"),
        numbers="056 059 066 082",
        inconclusive="056 059 066 082",
        reason="--data ChargingRateUnit=W",
    ),
    "knows no stackLevel but 0": charge_point(
        "9.4.1",
        charge_point=has(ChargeProfileMaxStackLevel="0"),
        numbers="067 072",
        inconclusive="067 072",
        reason="MaxStackLevel is 0",
    ),
    "takes 2 periods": charge_point(
        "9.4.3",
        charge_point=has(ChargingScheduleMaxPeriods="2"),
        numbers="056 067 072",
        inconclusive="067 072",
        reason="ChargingScheduleMaxPeriods is 2",
    ),
    "another profile is left": charge_point(
        "it starts without any: the bench clears it", charge_point=has_profile, numbers="056 072"
    ),
}

LATER = timedelta(seconds=10)

UNLAWFUL: dict[str, Variant] = {
    "edges 6 s late": charge_point("5.7", periods(shifted(6)), fails=CHANGING),
    "edges 6 s early": charge_point("5.7", periods(shifted(-6)), fails=f"{CHANGING} 056 082"),
    "the first limit for all time": charge_point("5.7", periods(lambda found, _: found[:1]), fails=CHANGING),
    "limits a digit too high": charge_point("3.13.3", limits(lambda limit: limit + 0.1), fails=SHOWN),
    "limits 0.3 A too low": charge_point("5.7", limits(lambda limit: limit - 0.3), fails=SHOWN),
    "scheduleStart 10 s late": charge_point("5.7", start(lambda moment: timestamp(moment + LATER)), fails=SHOWN),
    "scheduleStart 10 s early": charge_point("5.7", start(lambda moment: timestamp(moment - LATER)), fails=SHOWN),
    "no scheduleStart": charge_point("errata 3.51", told(lambda _: {"scheduleStart": ...}), fails=SHOWN),
    "no connectorId": charge_point("the test case", told(lambda _: {"connectorId": ...}), fails=SHOWN),
    "no schedule": charge_point("errata 3.51", told(lambda _: {"chargingSchedule": ...}), fails=SHOWN),
    "no duration": charge_point(
        "the test case",
        told(lambda conf: {"chargingSchedule": {n: v for n, v in conf["chargingSchedule"].items() if n != "duration"}}),
        fails=SHOWN,
    ),
    "no periods": charge_point("7.13: 1..*", plan(chargingSchedulePeriod=[]), fails=SHOWN),
    "the first period is late": charge_point(
        "7.13", periods(lambda found, _: [found[0] | {"startPeriod": 1}, *found[1:]]), fails=SHOWN
    ),
    "periods in another order": charge_point(
        "7.14", periods(lambda found, _: found[::-1]), fails=f"{CHANGING} 056 082"
    ),
    "GenericError where it does not fit": charge_point(
        "OCPP-J table 7", refuses_with("GenericError"), numbers="058_1 058_2 060", fails="058_1 058_2 060"
    ),
    "PropertyConstraintViolation for another transactionId": charge_point(
        "TC_058_2 wants Rejected", refuses_with("PropertyConstraintViolation"), numbers="058_2", fails="058_2"
    ),
    "no Smart Charging": charge_point(
        "then it must be left out", charge_point=has_no_smart_charging, fails=CHARGE_POINT, data=LIMITED
    ),
}

# One answer for all requests: nothing of this is right, but where a refusal is all that is asked for.
DEAF: dict[str, tuple[Scripted, str]] = {
    "is always Accepted": (status("Accepted"), ""),
    "is always Rejected": (status("Rejected"), "058_1 060"),
    "answers {}": (Conf(dict), ""),
    "answers garbage": (Raw("garbage"), ""),
    "never answers": (Silence(), ""),
    "refuses all with PropertyConstraintViolation": (Refusal("PropertyConstraintViolation"), "058_1 060"),
}

NULL = {
    name: charge_point(
        "nothing is as it should be",
        charge_point=always(answer),
        fails=" ".join(number for number in CHARGE_POINT.split() if number not in passes.split()),
    )
    for name, (answer, passes) in DEAF.items()
}


@pytest.mark.parametrize("name", LAWFUL)
def test_lawful_charge_point(calendar: Calendar, name: str) -> None:
    LAWFUL[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", UNLAWFUL)
def test_unlawful_charge_point(calendar: Calendar, name: str) -> None:
    UNLAWFUL[name].check(calendar, "Charge Point")


@pytest.mark.parametrize("name", NULL)
def test_null_charge_point(calendar: Calendar, name: str) -> None:
    NULL[name].check(calendar, "Charge Point")


@pytest.mark.parametrize(
    ("key", "value", "verdict"),
    [
        ("MaxChargingProfilesInstalled", "2", "not_applicable"),
        ("MaxChargingProfilesInstalled", "3", "pass"),
        ("ChargingScheduleMaxPeriods", "4", "not_applicable"),
        ("ChargingScheduleMaxPeriods", "5", "pass"),
    ],
)
def test_a_case_that_needs_more_room_does_not_apply(calendar: Calendar, key: str, value: str, verdict: str) -> None:
    few = charge_point("the condition of TC_066", charge_point=has(**{key: value}))
    (result,) = _play_charge_point(few, calendar, frozenset({"TC_066_CS"}))
    assert result.verdict == verdict, result.reason


def test_after_the_run_no_charging_profile_is_left(calendar: Calendar) -> None:
    """TC_056 leaves one, and no case comes after it that would clear it."""
    loop = VirtualLoop(calendar)
    it = ChargePoint()
    run = _VirtualRun(device(listen=("127.0.0.1", 0), data={**ID_TAGS, **LIMITED}), Hands(it, 0.0), loop)
    run.open()
    loop.run_until_complete(it.power_on(run.endpoint))
    assert run.await_charge_point()
    (result,) = _play(run, frozenset({"TC_056_CS"}))
    assert (result.verdict, len(it.memory.charging_profiles)) == ("pass", 1)
    under_test = run._charge_point_under_test
    assert under_test is not None
    loop.run_until_complete(under_test.leave())
    assert it.memory.charging_profiles == []
    loop.run_until_complete(it.stop())
    run.close()


# Central Systems


def sends(action: str, edit: Callable[[Payload], Payload]) -> Callable[[], Change]:
    """The charging profile of a request otherwise; ``...`` leaves a field out."""
    name = {"SetChargingProfile": "csChargingProfiles", "RemoteStartTransaction": "chargingProfile"}[action]

    def change(frame: Frame) -> Iterable[Frame] | None:
        if not frame.requests(action):
            return None
        profile = frame.payload[name]
        merged = profile | edit(profile)
        return [frame.with_fields(**{name: {n: v for n, v in merged.items() if v is not ...}})]

    return lambda: change


def set_(edit: Callable[[Payload], Payload]) -> Callable[[], Change]:
    return sends("SetChargingProfile", edit)


def without_start(profile: Payload) -> Payload:
    schedule = {name: v for name, v in profile["chargingSchedule"].items() if name not in ("startSchedule", "duration")}
    relative = {"chargingProfileKind": "Relative", "chargingSchedule": schedule}
    return relative | {"validFrom": ..., "validTo": ...}


def with_start(profile: Payload) -> Payload:
    now = parse_timestamp(timestamp())
    schedule = profile["chargingSchedule"] | {"startSchedule": timestamp(now), "duration": 3600}
    times = {"validFrom": timestamp(now), "validTo": timestamp(now + timedelta(days=1))}
    return {"chargingProfileKind": "Absolute", "chargingSchedule": schedule, **times}


def in_schedule(**fields: object) -> Callable[[Payload], Payload]:
    return lambda profile: {"chargingSchedule": profile["chargingSchedule"] | fields}


def in_period(**fields: object) -> Callable[[Payload], Payload]:
    def edit(profile: Payload) -> Payload:
        first, *others = profile["chargingSchedule"]["chargingSchedulePeriod"]
        first = {name: value for name, value in (first | fields).items() if value is not ...}
        return in_schedule(chargingSchedulePeriod=[first, *others])(profile)

    return edit


def more_periods(profile: Payload) -> Payload:
    first = profile["chargingSchedule"]["chargingSchedulePeriod"]
    more = [{"startPeriod": 60 * number, "limit": 8.5} for number in range(1, 24)]
    return in_schedule(chargingSchedulePeriod=[*first, *more])(profile)


def twice(action: str) -> Callable[[], Change]:
    return lambda: lambda frame: [frame, frame.again()] if frame.requests(action) else None


RELATIVE: Payload = {
    "chargingProfileId": 900,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 9.0}]},
}

LAWFUL_CS: dict[str, Variant] = {
    "one like ours": Variant("it is"),
    "an operator who takes 20 s": Variant("a step's time starts when the operator has confirmed", delay=20),
    "a slow one": Variant("OCPP-J 4.1.1: the time-out is the caller's, here 30 s", slow(29.5)),
    "a Relative TxProfile": Variant("7.9: either kind", set_(without_start), numbers="057 067"),
    "a TxProfile without an end": Variant(
        "7.8 forbids validFrom and validTo, errata 3.65 and 3.66 leave the choice",
        set_(lambda it: {"validFrom": ..., "validTo": ...}),
        numbers="057",
        remark="SetChargingProfile.req: validFrom is absent, the test case wants any value",
        strict_fails="057",
    ),
    "an Absolute remote start": Variant("7.9: either kind", sends("RemoteStartTransaction", with_start), numbers="059"),
    "ids, levels and limits of its own": Variant(
        "nothing asks for others",
        set_(lambda it: {"chargingProfileId": it["chargingProfileId"] + 4000, "stackLevel": 7}),
        numbers="057",
    ),
    "counts in watts": Variant("7.12: either unit", data={"ChargingRateUnit": "W"}),
    "limits in amperes, asked for watts": Variant(
        "7.14: limit = 6000 is what was asked for",
        set_(in_period(limit=6.0)),
        data={"ChargingRateUnit": "W"},
        numbers="057 066 067",
    ),
    "more periods": Variant("7.13: 1..*", set_(more_periods)),
    "limits without a point": Variant("JSON knows but one kind of number", set_(in_period(limit=6))),
    "numberPhases is left out": Variant("7.14: then it is 3", set_(in_period(numberPhases=...))),
    "minChargingRate": Variant("7.13: optional", set_(in_schedule(minChargingRate=1.5))),
    "times in another zone": Variant(
        "3.14: any zone",
        set_(lambda it: {"validFrom": "2031-05-13T01:00:00+05:00"} if "validFrom" in it else {}),
    ),
    "a profile after the boot": Variant(
        "5.16: at any time",
        after_boot(("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": RELATIVE})),
        numbers="056 059 066",
        remark="SetChargingProfile.req was sent after the boot",
    ),
}

UNLAWFUL_CS: dict[str, Variant] = {
    "sends every profile twice": Variant("what nobody asked for", twice("SetChargingProfile"), fails="056 057 067"),
    "clears twice": Variant("what nobody asked for", twice("ClearChargingProfile"), fails="067"),
    "numberPhases is another": Variant("the test case", set_(in_period(numberPhases=1)), fails="056"),
    "a profile that recurs and is Absolute": Variant(
        "errata 3.56", set_(lambda _: {"recurrencyKind": "Daily"}), fails="056 057 067"
    ),
    "the first period is late": Variant("errata 3.45", set_(in_period(startPeriod=3)), fails="056 057 067"),
    "two digits after the point": Variant("7.14: one", set_(in_period(limit=6.25)), fails="056 057 067"),
    "stackLevel -1": Variant("7.8: at least 0", set_(lambda _: {"stackLevel": -1}), fails="056 057 067"),
    "no profile with the remote start": Variant(
        "the test case",
        lambda: (
            lambda frame: [frame.with_fields(chargingProfile=...)] if frame.requests("RemoteStartTransaction") else None
        ),
        fails="059",
    ),
    "asks for what is free of a unit": Variant(
        "the test case",
        lambda: (
            lambda frame: [frame.with_fields(chargingRateUnit=...)] if frame.requests("GetCompositeSchedule") else None
        ),
        fails="066",
    ),
    "sends something else": Variant(
        "who was told and sent nothing is not judged",
        lambda: (
            lambda frame: (
                [call("GetConfiguration", {})]
                if frame.requests("SetChargingProfile") or frame.requests("GetCompositeSchedule")
                else None
            )
        ),
        numbers="056 057 066",
        inconclusive="056 057 066",
        reason="was told to send",
    ),
}


def played(variant: Variant) -> Variant:
    return variant if variant.numbers else Variant(**{**_fields(variant), "numbers": CENTRAL_SYSTEM})


def _fields(variant: Variant) -> dict[str, Any]:
    return {name: getattr(variant, name) for name in variant.__dataclass_fields__}


@pytest.mark.parametrize("name", LAWFUL_CS)
def test_lawful_central_system(calendar: Calendar, name: str) -> None:
    played(LAWFUL_CS[name]).check(calendar, "Central System")


@pytest.mark.parametrize("name", UNLAWFUL_CS)
def test_unlawful_central_system(calendar: Calendar, name: str) -> None:
    played(UNLAWFUL_CS[name]).check(calendar, "Central System")
