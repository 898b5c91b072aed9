"""Charging profiles at the Charge Point: what it takes, keeps, tells and does."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ocppj.clock import timestamp
from ocppj.errors import Refused
from ocppj.frames import Payload
from simulator.charge_point import PROFILES
from simulator.memory import Memory
from tests.simulator.scene import Scene, conf, scene
from tests.simulator.test_charging_schedule import at

FULL = 16.0  # A on each phase
VIOLATION = "PropertyConstraintViolation"


def profile(
    limits: Mapping[int, float] | None = None,
    *,
    level: int = 0,
    number: int = 1,
    purpose: str = "TxDefaultProfile",
    unit: str = "A",
    start: float | None = 0.0,
    **more: Any,
) -> Payload:
    """An Absolute profile that begins now (``start`` seconds from now); fields of the schedule are merged into it."""
    plan: Payload = {
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [
            {"startPeriod": second, "limit": float(limit)} for second, limit in (limits or {0: 6}).items()
        ],
    }
    if start is not None:
        plan["startSchedule"] = timestamp(datetime.now(UTC) + timedelta(seconds=start))
    plan |= {name: more.pop(name) for name in ("duration",) if name in more}
    return {
        "chargingProfileId": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": plan,
        **more,
    }


async def set_profile(stage: Scene, connector: int, what: Payload) -> str:
    """Set a profile; the status, or the code of the CALLERROR."""
    try:
        answer = await stage.ask("SetChargingProfile", connectorId=connector, csChargingProfiles=what)
    except Refused as refused:
        return refused.code
    return str(answer["status"])


async def composite(stage: Scene, connector: int = 1, duration: int = 100, unit: str = "A") -> list[tuple[int, float]]:
    answer = await stage.ask("GetCompositeSchedule", connectorId=connector, duration=duration, chargingRateUnit=unit)
    assert answer["status"] == "Accepted"
    periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
    return [(period["startPeriod"], period["limit"]) for period in periods]


def ids(stage: Scene) -> list[int]:
    return [each["profile"]["chargingProfileId"] for each in stage.charge_point.memory.charging_profiles]


def amperes(stage: Scene, connector: int = 1) -> float:
    """What flows on each of three phases."""
    return round(stage.charge_point.connectors[connector].meter.power / 690, 3)


# Taking and refusing


def recurring(**more: Any) -> Payload:
    return profile() | {"chargingProfileKind": "Recurring"} | more


REFUSED: dict[str, tuple[int, Payload, str]] = {
    "a connector that is not there": (9, profile(), VIOLATION),
    "ChargePointMaxProfile at a connector": (1, profile(purpose="ChargePointMaxProfile"), "Rejected"),
    "TxProfile at connector 0": (0, profile(purpose="TxProfile"), "Rejected"),
    "TxProfile without a transaction": (1, profile(purpose="TxProfile"), "Rejected"),
    "TxDefaultProfile with a transactionId": (1, profile(transactionId=1), "Rejected"),
    "ChargePointMaxProfile with a transactionId": (
        0,
        profile(purpose="ChargePointMaxProfile", transactionId=1),
        "Rejected",
    ),
    "stackLevel above the highest": (1, profile(level=100), "Rejected"),
    "too many periods": (1, profile(dict.fromkeys(range(101), 6.0)), "Rejected"),
    "the first period is late": (1, profile({5: 6}), VIOLATION),
    "periods that do not ascend": (1, profile({0: 6, 20: 7, 10: 8}), VIOLATION),
    "Recurring without recurrencyKind": (1, recurring(), VIOLATION),
    "Absolute with recurrencyKind": (1, profile(recurrencyKind="Daily"), VIOLATION),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refuses(name: str) -> None:
    connector, what, status = REFUSED[name]
    async with scene() as stage:
        assert await set_profile(stage, connector, what) == status
        assert ids(stage) == []


@pytest.mark.parametrize(
    ("connector", "what"),
    [
        (0, profile(purpose="ChargePointMaxProfile")),
        (0, profile()),
        (1, profile(level=99)),
        (1, profile(dict.fromkeys(range(100), 6.0))),
        (1, recurring(recurrencyKind="Weekly")),
        (1, profile(start=None) | {"chargingProfileKind": "Relative"}),
    ],
)
async def test_takes(connector: int, what: Payload) -> None:
    async with scene() as stage:
        assert await set_profile(stage, connector, what) == "Accepted"
        assert ids(stage) == [1]


async def test_a_unit_that_it_does_not_count_in_is_not_supported() -> None:
    async with scene(configuration={"ChargingScheduleAllowedChargingRateUnit": "Power"}) as stage:
        assert await set_profile(stage, 1, profile()) == "NotSupported"
        assert await set_profile(stage, 1, profile(unit="W")) == "Accepted"
        asked = {"connectorId": 1, "duration": 10, "chargingRateUnit": "A"}
        assert await stage.ask("GetCompositeSchedule", **asked) == {"status": "Rejected"}
        answer = await stage.ask("GetCompositeSchedule", connectorId=1, duration=10)
        assert answer["chargingSchedule"]["chargingRateUnit"] == "W"


async def test_a_tx_profile_is_for_the_transaction_that_runs() -> None:
    async with scene() as stage:
        await stage.charge()
        assert await set_profile(stage, 1, profile(purpose="TxProfile", transactionId=2)) == "Rejected"
        assert await set_profile(stage, 1, profile(purpose="TxProfile", transactionId=1)) == "Accepted"
        assert await set_profile(stage, 1, profile(purpose="TxProfile", number=2, level=1)) == "Accepted"
        assert ids(stage) == [1, 2]
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time()
        assert ids(stage) == []


async def test_the_same_id_or_level_and_purpose_replaces() -> None:
    async with scene(connectors=2) as stage:
        for connector, number, level, purpose, left in (
            (1, 1, 0, "TxDefaultProfile", [1]),
            (1, 2, 0, "TxDefaultProfile", [2]),  # the same level and purpose
            (1, 3, 1, "TxDefaultProfile", [2, 3]),
            (2, 4, 0, "TxDefaultProfile", [2, 3, 4]),  # elsewhere
            (0, 5, 0, "TxDefaultProfile", [2, 3, 4, 5]),
            (0, 6, 0, "ChargePointMaxProfile", [2, 3, 4, 5, 6]),  # of another purpose
            (2, 3, 4, "TxDefaultProfile", [2, 4, 5, 6, 3]),  # the same id
        ):
            assert await set_profile(stage, connector, profile(number=number, level=level, purpose=purpose)) == (
                "Accepted"
            )
            assert ids(stage) == left


async def test_there_is_room_for_so_many_and_no_more() -> None:
    async with scene(configuration={"MaxChargingProfilesInstalled": "2"}) as stage:
        assert [await set_profile(stage, 1, profile(number=n, level=n)) for n in range(3)] == [
            "Accepted",
            "Accepted",
            "Rejected",
        ]
        assert await set_profile(stage, 1, profile(number=7, level=1)) == "Accepted"  # in the place of another
        assert ids(stage) == [0, 7]


async def test_the_highest_level_bounds_the_number_of_a_purpose_too() -> None:
    async with scene(configuration={"ChargeProfileMaxStackLevel": "1"}) as stage:
        assert await set_profile(stage, 1, profile(number=1, level=0)) == "Accepted"
        assert await set_profile(stage, 1, profile(number=2, level=1)) == "Rejected"
        assert await set_profile(stage, 0, profile(number=3, purpose="ChargePointMaxProfile")) == "Accepted"


# Clearing


INSTALLED = (
    (0, 1, 0, "ChargePointMaxProfile"),
    (0, 2, 0, "TxDefaultProfile"),
    (1, 3, 0, "TxDefaultProfile"),
    (1, 4, 1, "TxDefaultProfile"),
    (2, 5, 1, "TxDefaultProfile"),
)


@pytest.mark.parametrize(
    ("request_", "left"),
    [
        ({}, []),
        ({"id": 3}, [1, 2, 4, 5]),
        ({"id": 3, "stackLevel": 7, "connectorId": 2}, [1, 2, 4, 5]),  # errata 3.26
        ({"connectorId": 0}, [3, 4, 5]),
        ({"connectorId": 1}, [1, 2, 5]),
        ({"chargingProfilePurpose": "TxDefaultProfile"}, [1]),
        ({"stackLevel": 0}, [4, 5]),
        ({"stackLevel": 1, "connectorId": 1}, [1, 2, 3, 5]),
        ({"stackLevel": 0, "connectorId": 0, "chargingProfilePurpose": "TxDefaultProfile"}, [1, 3, 4, 5]),
        ({"id": 9}, None),
        ({"connectorId": 9}, None),
        ({"stackLevel": 1, "connectorId": 0}, None),
        ({"chargingProfilePurpose": "TxProfile"}, None),
    ],
)
async def test_clears_what_matches_every_field(request_: Payload, left: list[int] | None) -> None:
    async with scene(connectors=2) as stage:
        for connector, number, level, purpose in INSTALLED:
            await set_profile(stage, connector, profile(number=number, level=level, purpose=purpose))
        answer = await stage.ask("ClearChargingProfile", **request_)
        assert answer == {"status": "Unknown" if left is None else "Accepted"}
        assert ids(stage) == ([1, 2, 3, 4, 5] if left is None else left)


async def test_nothing_to_clear_is_unknown() -> None:
    async with scene() as stage:
        assert await stage.ask("ClearChargingProfile") == {"status": "Unknown"}


# Telling


async def test_tells_the_composite_schedule_from_now_on() -> None:
    async with scene() as stage:
        await set_profile(stage, 1, profile({0: 6, 50: 9}, start=-10))
        asked = datetime.now(UTC)
        answer = await stage.ask("GetCompositeSchedule", connectorId=1, duration=60)
        start, plan = answer.pop("scheduleStart"), answer.pop("chargingSchedule")
        assert answer == {"status": "Accepted", "connectorId": 1}
        assert timedelta() <= datetime.fromisoformat(start) - asked < timedelta(seconds=0.1)
        periods = plan.pop("chargingSchedulePeriod")
        assert plan == {"duration": 60, "chargingRateUnit": "A"}
        assert periods == [
            {"startPeriod": 0, "limit": 6.0, "numberPhases": 3},
            {"startPeriod": 40, "limit": 9.0, "numberPhases": 3},
        ]


async def test_a_connector_that_is_not_there_has_no_composite_schedule() -> None:
    async with scene() as stage:
        assert await stage.ask("GetCompositeSchedule", connectorId=2, duration=60) == {"status": "Rejected"}


async def test_a_unit_that_does_not_exist_is_a_violation() -> None:
    async with scene() as stage:
        asked = {"connectorId": 1, "duration": 60, "chargingRateUnit": "V"}
        await stage.central_system.say(json.dumps([2, "1", "GetCompositeSchedule", asked]))
        set_ = {"connectorId": 1, "csChargingProfiles": profile(unit="V")}
        await stage.central_system.say(json.dumps([2, "2", "SetChargingProfile", set_]))
        await stage.pass_time()
        assert stage.story() == [f"GetCompositeSchedule {VIOLATION}", f"SetChargingProfile {VIOLATION}"]


async def test_what_changes_too_often_is_not_told() -> None:
    async with scene() as stage:
        limits = {second: 6 + second % 2 for second in range(24)}
        await set_profile(stage, 1, profile(limits) | {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"})
        answer = await stage.ask("GetCompositeSchedule", connectorId=1, duration=2**31 - 1)
        assert answer == {"status": "Rejected"}


async def test_of_all_purposes_the_least_is_allowed() -> None:
    async with scene() as stage:
        assert await composite(stage) == [(0, 16.0)]
        await set_profile(stage, 0, profile({0: 10, 60: 5}, number=1, purpose="ChargePointMaxProfile"))
        await set_profile(stage, 1, profile({0: 12, 30: 8}, number=2))
        assert await composite(stage) == [(0, 10.0), (29, 8.0), (59, 5.0)]  # a second has its lowest limit
        assert await composite(stage, unit="W") == [(0, 6900.0), (29, 5520.0), (59, 3450.0)]


async def test_connector_0_tells_what_all_connectors_may_take() -> None:
    async with scene(connectors=2) as stage:
        assert await composite(stage, 0) == [(0, 32.0)]
        await set_profile(stage, 1, profile({0: 6}, number=1))
        assert await composite(stage, 0) == [(0, 22.0)]
        await set_profile(stage, 0, profile({0: 20, 50: 40}, number=2, purpose="ChargePointMaxProfile"))
        assert await composite(stage, 0) == [(0, 20.0), (50, 22.0)]


async def test_a_connector_with_a_default_of_its_own_has_that_in_the_place_of_the_general_one() -> None:
    async with scene(connectors=2) as stage:
        await set_profile(stage, 0, profile({0: 8}, number=1))
        await set_profile(stage, 0, profile({0: 12}, number=2, level=1, duration=50))
        await set_profile(stage, 1, profile({0: 6}, number=3))
        assert await composite(stage, 1) == [(0, 12.0), (49, 6.0)]
        assert await composite(stage, 2) == [(0, 12.0), (49, 8.0)]


async def test_what_it_has_in_the_place_of_the_general_one_replaces_that_for_good() -> None:
    async with scene(connectors=2) as stage:
        await set_profile(stage, 0, profile({0: 8}, number=1))
        await set_profile(stage, 1, profile({0: 6}, number=2, duration=50))
        assert await composite(stage, 1) == [(0, 6.0), (50, 16.0)]


async def test_a_tx_profile_is_for_its_own_connector() -> None:
    async with scene(connectors=2) as stage:
        await stage.charge(1)
        await stage.charge(2, "BEEF")
        await set_profile(stage, 1, profile({0: 9}, purpose="TxProfile"))
        assert (amperes(stage, 1), amperes(stage, 2)) == (9, FULL)


async def test_a_tx_profile_overrules_the_default_for_the_whole_transaction() -> None:
    async with scene() as stage:
        await stage.charge()
        await set_profile(stage, 1, profile({0: 6}, number=1))
        await set_profile(stage, 1, profile({0: 9}, number=2, purpose="TxProfile", duration=50))
        assert await composite(stage) == [(0, 9.0), (50, 16.0)]


async def test_a_relative_profile_begins_with_the_transaction() -> None:
    async with scene() as stage:
        what = profile({0: 6, 40: 9}, start=None) | {"chargingProfileKind": "Relative"}
        await set_profile(stage, 1, what)
        await stage.pass_time(30)
        assert await composite(stage) == [(0, 6.0), (40, 9.0)]  # as if a transaction began now
        await stage.charge()
        await stage.pass_time(15)
        assert await composite(stage) == [(0, 6.0), (25, 9.0)]


async def test_a_relative_maximum_begins_when_it_came() -> None:
    async with scene() as stage:
        what = profile({0: 6, 40: 9}, start=None, purpose="ChargePointMaxProfile")
        await set_profile(stage, 0, what | {"chargingProfileKind": "Relative"})
        await stage.pass_time(30)
        assert await composite(stage) == [(0, 6.0), (10, 9.0)]


# Doing


async def test_the_ev_takes_what_is_allowed_as_time_passes() -> None:
    async with scene() as stage:
        await set_profile(stage, 1, profile({0: 10, 100: 6, 200: 12}, duration=300))
        await stage.charge()
        began = stage.charge_point.connectors[1].meter.register
        found = []
        for _ in range(5):
            found.append(amperes(stage))
            await stage.pass_time(80)
        assert found == [10, 10, 6, 12, 16]
        taken = stage.charge_point.connectors[1].meter.register - began
        expected = 690 * (10 * 100 + 6 * 100 + 12 * 100 + 16 * 100) / 3600
        assert taken == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("seed", range(12))
async def test_at_any_time_the_ev_takes_what_the_oracle_says(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # no secret
    async with scene() as stage:
        await stage.charge()
        began = stage.charge_point.connectors[1].transaction_started
        stacks: list[list[Payload]] = [[], []]
        for number in range(6):
            stack, purpose = chance.choice([(0, "TxDefaultProfile"), (1, "ChargePointMaxProfile")])
            limits = {0: chance.randrange(17)} | {chance.randrange(1, 60): chance.randrange(17) for _ in range(3)}
            what = profile(dict(sorted(limits.items())), number=number, level=number, purpose=purpose)
            what["chargingSchedule"] |= {
                "startSchedule": timestamp(datetime.now(UTC) + timedelta(seconds=chance.randrange(-40, 40))),
                "duration": chance.randrange(1, 60),
            }
            assert await set_profile(stage, 1 - stack, what) == "Accepted"
            stacks[stack].append(what)
        for _ in range(160):
            await stage.pass_time(0.5)
            expected, _phases = at(stacks, datetime.now(UTC), began)
            assert amperes(stage) == pytest.approx(expected, abs=1e-3)


def drawn(chance: random.Random, number: int, purpose: str) -> Payload:
    """A profile of any kind and unit, with edges of every sort within a minute or two of now."""
    unit, kind = chance.choice("AW"), chance.choice(["Absolute", "Recurring", "Relative"])
    if purpose == "ChargePointMaxProfile":  # a Relative one begins when it came, which the oracle does not know
        kind = "Absolute"
    starts = [0, *sorted(chance.sample(range(1, 90), chance.randrange(4)))]
    days = chance.choice([0, 1, 7, 8]) if kind == "Recurring" else 0
    begins = chance.randrange(-60, 60) - 86_400 * days if kind != "Relative" else None
    what = profile(unit=unit, number=number, level=chance.randrange(3), purpose=purpose, start=begins)
    what["chargingProfileKind"] = kind
    if kind == "Recurring":
        what["recurrencyKind"] = chance.choice(["Daily", "Weekly"])
    what["chargingSchedule"]["chargingSchedulePeriod"] = [
        {"startPeriod": start, "limit": chance.randrange(200) / 10 if unit == "A" else chance.randrange(200) * 50.0}
        | ({"numberPhases": chance.randrange(1, 4)} if chance.random() < 0.4 else {})
        for start in starts
    ]
    if chance.random() < 0.6:
        what["chargingSchedule"]["duration"] = chance.choice([chance.randrange(1, 100), 86_370, 90_000])
    for name in ("validFrom", "validTo"):
        if chance.random() < 0.2:
            what[name] = timestamp(datetime.now(UTC) + timedelta(seconds=chance.randrange(-50, 100)))
    return what


def is_replaced(old: tuple[int, Payload], new: tuple[int, Payload]) -> bool:
    """5.16.3, in words of its own."""
    (there, was), (here, what) = old, new
    place = (there, was["stackLevel"], was["chargingProfilePurpose"])
    return bool(
        was["chargingProfileId"] == what["chargingProfileId"]
        or place == (here, what["stackLevel"], what["chargingProfilePurpose"])
    )


def in_stacks(installed: list[tuple[int, Payload]], connector: int) -> list[list[Payload]]:
    """What holds at a connector (3.13.1), by purpose."""
    own = [what for place, what in installed if place == connector]
    general = [what for place, what in installed if place == 0]
    tx = [what for what in own if what["chargingProfilePurpose"] == "TxProfile"]
    default = [what for what in own if what["chargingProfilePurpose"] == "TxDefaultProfile"]
    levels = [what["stackLevel"] for what in default]
    default += [
        what
        for what in general
        if what["chargingProfilePurpose"] == "TxDefaultProfile" and what["stackLevel"] not in levels
    ]
    return [tx or default, [what for what in general if what["chargingProfilePurpose"] == "ChargePointMaxProfile"]]


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_was_set_the_schedule_and_the_meter_are_those_of_the_oracle(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # no secret
    async with scene(connectors=2) as stage:
        await stage.charge()
        connector = stage.charge_point.connectors[1]
        installed: list[tuple[int, Payload]] = []
        for _ in range(chance.randrange(1, 9)):
            purpose = chance.choice(["TxDefaultProfile", "TxDefaultProfile", "ChargePointMaxProfile", "TxProfile"])
            place = {"ChargePointMaxProfile": 0, "TxProfile": 1}.get(purpose, chance.randrange(3))
            new = (place, drawn(chance, chance.randrange(6), purpose))
            assert await set_profile(stage, *new) == "Accepted"
            installed = [*(old for old in installed if not is_replaced(old, new)), new]
        stacks, begin = in_stacks(installed, 1), datetime.now(UTC)
        told = await composite(stage, duration=80)
        taken, began = 0.0, connector.meter.register
        for step in range(800):
            amperes_, phases = at(stacks, datetime.now(UTC), connector.transaction_started)
            told_now = [limit for start, limit in told if start <= (datetime.now(UTC) - begin).total_seconds()][-1]
            assert told_now <= amperes_ + 1e-6, step
            taken += amperes_ * phases * 230 * 0.1 / 3600
            await stage.pass_time(0.1)
        assert connector.meter.register - began == pytest.approx(taken, rel=0.005, abs=1.0)


async def test_a_limit_of_0_suspends_and_a_higher_one_goes_on() -> None:
    async with scene() as stage:
        await stage.charge()
        await set_profile(stage, 1, profile({0: 8, 50: 0, 80: 6}, duration=120))
        stage.seen.clear()
        await stage.pass_time(60)
        assert amperes(stage) == 0.0
        await stage.pass_time(100)
        assert amperes(stage) == FULL
        assert stage.story() == ["StatusNotification 1 SuspendedEVSE", "StatusNotification 1 Charging"]


async def test_a_transaction_begins_suspended_where_nothing_is_allowed() -> None:
    async with scene() as stage:
        await set_profile(stage, 1, profile({0: 0}))
        await stage.charge_point.plug_in(1)
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time()
        assert stage.charge_point.connectors[1].status == "SuspendedEVSE"
        assert await stage.ask("ClearChargingProfile") == {"status": "Accepted"}
        assert (stage.charge_point.connectors[1].status, amperes(stage)) == ("Charging", FULL)


async def test_a_new_default_applies_to_a_running_transaction_and_so_does_its_end() -> None:
    async with scene() as stage:
        await stage.charge()
        assert amperes(stage) == FULL
        await set_profile(stage, 1, profile({0: 6}))
        assert amperes(stage) == 6
        await set_profile(stage, 1, profile({0: 7}, number=2, level=1))
        assert amperes(stage) == 7
        await stage.ask("ClearChargingProfile")
        assert amperes(stage) == FULL


async def test_the_meter_tells_what_flows() -> None:
    async with scene() as stage:
        measurands = "Power.Active.Import,Power.Offered,Current.Import,Current.Offered"
        await stage.change(MeterValuesSampledData=measurands, MeterValueSampleInterval=10)
        one_phase = profile({0: 10})
        one_phase["chargingSchedule"]["chargingSchedulePeriod"][0]["numberPhases"] = 1
        await set_profile(stage, 1, one_phase)
        await stage.charge()
        await stage.pass_time(10.5)
        (values,) = (seen.payload["meterValue"][0]["sampledValue"] for seen in stage.calls("MeterValues"))
        told = [(value["measurand"], value.get("phase"), value["value"]) for value in values]
        assert told == [
            ("Power.Active.Import", None, "2300.0"),
            ("Power.Offered", None, "2300.0"),
            ("Current.Import", "L1", "10.0"),
            ("Current.Import", "L2", "0.0"),
            ("Current.Import", "L3", "0.0"),
            ("Current.Offered", None, "10.0"),
        ]


async def test_connectors_share_what_the_charge_point_may_take() -> None:
    async with scene(connectors=2) as stage:
        await set_profile(stage, 0, profile({0: 20}, purpose="ChargePointMaxProfile"))
        await set_profile(stage, 2, profile({0: 6}, number=2))
        await stage.charge(1)
        assert amperes(stage, 1) == FULL
        await stage.charge(2, "BEEF")
        assert (amperes(stage, 1), amperes(stage, 2)) == (14, 6)
        await stage.charge_point.present("BEEF", 2)
        await stage.pass_time()
        assert (amperes(stage, 1), amperes(stage, 2)) == (FULL, 0.0)


async def test_follows_the_clock_when_that_is_set() -> None:
    async with scene() as stage:
        await set_profile(stage, 1, profile({0: 8, 1000: 6}))
        await stage.charge()
        assert amperes(stage) == 8
        ahead = timestamp(datetime.now(UTC) + timedelta(seconds=2000))
        stage.central_system.script.answer_next("Heartbeat", conf(currentTime=ahead))
        await stage.charge_point.request("Heartbeat", {})
        stage.charge_point._set_clock(ahead)
        await stage.pass_time()
        assert amperes(stage) == 6


# Keeping


async def test_profiles_outlive_a_power_cut_and_a_tx_profile_its_transaction_not() -> None:
    async with scene() as stage:
        await stage.charge()
        await set_profile(stage, 0, profile({0: 10}, number=1, purpose="ChargePointMaxProfile"))
        await set_profile(stage, 1, profile({0: 9, 3000: 6}, number=2))
        await set_profile(stage, 1, profile({0: 7}, number=3, purpose="TxProfile"))
        await stage.charge_point.lose_power()
        kept = json.loads(json.dumps(stage.charge_point.memory.as_dict()))
        assert Memory.from_dict(kept).charging_profiles == stage.charge_point.memory.charging_profiles
        await stage.charge_point.regain_power()
        await stage.pass_time(10)
        assert ids(stage) == [1, 2]
        assert await composite(stage) == [(0, 9.0)]


# Remote start


async def start(stage: Scene, what: Payload) -> str:
    try:
        answer = await stage.ask("RemoteStartTransaction", idTag="CAFE", connectorId=1, chargingProfile=what)
    except Refused as refused:
        return refused.code
    return str(answer["status"])


async def test_a_profile_that_comes_with_a_remote_start_is_that_of_the_transaction() -> None:
    async with scene() as stage:
        await stage.charge_point.plug_in(1)
        assert await start(stage, profile({0: 6}, purpose="TxProfile")) == "Accepted"
        assert amperes(stage) == 6
        await set_profile(stage, 1, profile({0: 7}, number=2, purpose="TxProfile", transactionId=1))
        assert (ids(stage), amperes(stage)) == ([2], 7)  # 5.16.2: of the same level
        await set_profile(stage, 1, profile({0: 8}, number=3, level=1, purpose="TxProfile", transactionId=1))
        assert (ids(stage), amperes(stage)) == ([2, 3], 8)
        await stage.ask("RemoteStopTransaction", transactionId=1)
        assert ids(stage) == []


async def test_it_waits_for_the_cable() -> None:
    async with scene() as stage:
        assert await start(stage, profile({0: 6}, purpose="TxProfile")) == "Accepted"
        assert ids(stage) == []
        await stage.charge_point.plug_in(1)
        await stage.pass_time()
        assert amperes(stage) == 6


async def test_it_goes_with_the_start_that_comes_to_nothing() -> None:
    async with scene(configuration={"ConnectionTimeOut": "10"}) as stage:
        await start(stage, profile({0: 6}, purpose="TxProfile"))
        await stage.pass_time(20)
        await stage.charge()
        assert (ids(stage), amperes(stage)) == ([], FULL)


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (profile(), "Rejected"),
        (profile(purpose="ChargePointMaxProfile"), "Rejected"),
        (profile(purpose="TxProfile", transactionId=5), "Rejected"),
        (profile(purpose="TxProfile", level=100), "Rejected"),
        (profile({3: 6}, purpose="TxProfile"), VIOLATION),
    ],
)
async def test_a_remote_start_with_a_wrong_profile_is_refused(what: Payload, status: str) -> None:
    async with scene() as stage:
        await stage.charge_point.plug_in(1)
        assert await start(stage, what) == status
        assert stage.charge_point.connectors[1].status == "Preparing"


async def test_without_smart_charging_nothing_of_it_is_known() -> None:
    async with scene(profiles=[name for name in PROFILES if name != "SmartCharging"]) as stage:
        assert await set_profile(stage, 1, profile()) == "NotSupported"
        await stage.charge_point.plug_in(1)
        assert await start(stage, profile()) == "Accepted"  # 5.11: it is ignored
        assert amperes(stage) == FULL
