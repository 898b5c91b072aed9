"""Sentences about charging profiles and what they come to (OCPP 1.6, 3.13).

A composite schedule is compared as a function of time, never period by period: a device may cut its periods as it
likes. Limits stand in amperes; where the ChargingRateUnit is W, they are kilowatts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf

from bench.bench import Bench
from bench.messages import Message
from bench.messages import messages as all_messages
from bench.seats import ExternalChargePoint, SimulatedChargePoint
from bench.verdicts import Difference, Inconclusive, NotApplicable, OurError
from ocppj.clock import parse_timestamp, timestamp
from ocppj.frames import Payload
from steps.cells import BadCell, Expectation, Table, expectation, filled_in, rows
from steps.messages import claim_conf, judge_rows, make_send
from steps.states import transaction_running_after
from steps.words import given, then, when

PROFILE = {"SetChargingProfile": "csChargingProfiles", "RemoteStartTransaction": "chargingProfile"}
QUANTITIES = {"A": "Current", "W": "Power"}  # errata 3.88
ACCEPTED = (("status", "Accepted"),)

# startPeriod is a whole second and scheduleStart may be: beside the greatest deviation, one second.
WHOLE_SECOND = 1.0
# A limit has one digit after the point (7.14), and who counts in the other unit rounds there: in A, and in W.
DIGIT = {"A": 0.1, "W": 69.0}


# Setting


@when("the Central System sends {action:Action}.req with a charging profile")
async def sends_profile(bench: Bench, action: str, datatable: Table) -> None:
    """A table with names on top and one row: fields of the request, of the profile, and its limits."""
    _check_unit(bench)
    request, profile = next(_profiles(bench, datatable))
    if action == "RemoteStartTransaction" and profile["chargingProfilePurpose"] != "TxProfile":
        bench.misbehaved = True  # 5.16.2
    await make_send(bench, "Central System", action, _cells({**request, PROFILE[action]: profile}))


@given("these charging profiles")
async def profiles_set(bench: Bench, datatable: Table) -> None:
    """Set over the wire one by one, each Accepted. All begin together."""
    _check_unit(bench)
    with bench.state("SetChargingProfile"):
        for request, profile in list(_profiles(bench, datatable)):  # none is set if there is no room for all
            table = _cells({**request, PROFILE["SetChargingProfile"]: profile})
            await make_send(bench, "Central System", "SetChargingProfile", table)
            await claim_conf(bench, "Charge Point", "SetChargingProfile", ACCEPTED)


@given("a transaction is running with idTag {id_tag:IdTag} and a charging profile")
async def transaction_running_under(bench: Bench, id_tag: str, datatable: Table) -> None:
    """The reusable state Charging, its RemoteStartTransaction.req with the profile of the table."""
    _check_unit(bench)
    _, profile = next(_profiles(bench, datatable))
    await transaction_running_after(bench, id_tag, _cells({PROFILE["RemoteStartTransaction"]: profile}))


@given("the Charge Point takes {n:N} charging profiles of {periods:N} periods")
async def takes_profiles(bench: Bench, n: str, periods: str) -> None:
    """9.4.3, 9.4.5: the case does not apply to a Charge Point that takes less."""
    needs = {"MaxChargingProfilesInstalled": int(n), "ChargingScheduleMaxPeriods": int(periods)}
    if found := _too_little(bench, needs):
        raise NotApplicable(found)


def _check_room(bench: Bench, profiles: int, profile: Payload) -> None:
    """9.4: no test case speaks of a Charge Point that takes less than it sets, and nothing is wrong with one."""
    needs = {
        "ChargeProfileMaxStackLevel": int(profile["stackLevel"]),
        "ChargingScheduleMaxPeriods": len(profile["chargingSchedule"]["chargingSchedulePeriod"]),
        "MaxChargingProfilesInstalled": profiles,
    }
    if found := _too_little(bench, needs):
        raise Inconclusive(found)


def _too_little(bench: Bench, needs: dict[str, int]) -> str | None:
    """What the Charge Point says that it takes, if that is less than a case needs."""
    for key, needed in needs.items():
        value = _configured(bench, key)
        if value is not None and value.isdigit() and int(value) < needed:
            return f"{key} is {value}, the case needs {needed}"
    return None


def _profiles(bench: Bench, table: Table) -> Iterator[tuple[Payload, Payload]]:
    """The requests of a table, what is beside the profile and the profile."""
    names, *lines = table
    deviation = timedelta(seconds=bench.device.limits.tolerance)
    # Then it has begun, whatever the clock of the Charge Point says.
    start = parse_timestamp(bench.transcript.fact("startSchedule", lambda: timestamp(datetime.now(UTC) - deviation)))
    for number, line in enumerate(lines, 1):
        cells = {name: _text(bench, cell) for name, cell in zip(names, line, strict=True) if cell}
        request: Payload = {name: cells.pop(name) for name in ("connectorId", "idTag") if name in cells}
        profile = _profile(bench, number, cells, start)
        _check_room(bench, number, profile)
        yield request, profile


def _text(bench: Bench, cell: str) -> str:
    return str(expectation(cell, bench.value).example)


def _profile(bench: Bench, number: int, cells: dict[str, str], start: datetime) -> Payload:
    plan: Payload = {"chargingRateUnit": bench.value("ChargingRateUnit")}
    profile: Payload = {
        "chargingProfileId": number,
        "chargingProfileKind": cells.pop("chargingProfileKind", "Absolute"),
        "chargingSchedule": plan,
    }
    if profile["chargingProfileKind"] == "Absolute":
        plan["startSchedule"] = timestamp(start)
    if valid := cells.pop("valid", None):
        profile["validFrom"] = timestamp(start)
        profile["validTo"] = timestamp(start + timedelta(seconds=_seconds(valid)))
    if duration := cells.pop("duration", None):
        plan["duration"] = int(_seconds(duration))
    plan["chargingSchedulePeriod"] = [
        {
            "startPeriod": int(second),
            "limit": round(float(limit) * _scale(bench), 1),
            "numberPhases": bench.value("NumberOfPhases"),
        }
        for second, limit in _limits(cells.pop("limits"))
    ]
    if cells["chargingProfilePurpose"] == "TxProfile" and "transactionId" not in cells and _runs(bench):
        cells["transactionId"] = str(bench.value("StartTransaction.conf.transactionId"))
    return profile | cells


def _runs(bench: Bench) -> bool:
    return any(message.action == "StartTransaction" for message in all_messages(bench.wire.records))


def _limits(text: str) -> list[tuple[float, str]]:
    """``0 s: 6, 60 s: 10``."""
    pairs = [part.partition(":") for part in text.split(",")]
    return [(_seconds(second), limit.strip()) for second, _, limit in pairs]


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+) s", text.strip())
    if not match:
        raise BadCell(f"{text!r} is no time such as '60 s'")
    return float(match[1])


def _cells(value: object, path: str = "") -> list[tuple[str, str]]:
    """A payload as the rows of a table."""
    if isinstance(value, dict):
        return [row for name, inner in value.items() for row in _cells(inner, f"{path}.{name}".lstrip("."))]
    if isinstance(value, list):
        return [row for place, inner in enumerate(value) for row in _cells(inner, f"{path}[{place}]")]
    return [(path, f"{value:.12g}" if isinstance(value, float) else str(value))]


def _scale(bench: Bench) -> float:
    return 1000.0 if bench.value("ChargingRateUnit") == "W" else 1.0


def _check_unit(bench: Bench) -> None:
    """A Charge Point that counts in one unit alone is no worse for it: the run must use that one."""
    unit = str(bench.value("ChargingRateUnit"))
    allowed = _configured(bench, "ChargingScheduleAllowedChargingRateUnit")
    if allowed and QUANTITIES[unit].casefold() not in (name.strip() for name in allowed.casefold().split(",")):
        other = "W" if unit == "A" else "A"
        raise Inconclusive(f"the Charge Point allows {allowed} alone: give --data ChargingRateUnit={other}")


def _configured(bench: Bench, key: str) -> str | None:
    """The value of a configuration key, as far as it is known without asking."""
    seat = bench.seats["Charge Point"]
    if isinstance(seat, ExternalChargePoint):
        return seat.device.configured(key)
    assert isinstance(seat, SimulatedChargePoint)
    configuration = seat.charge_point.configuration
    value: str | None = bench.transcript.fact(f"configuration {key}", lambda: configuration.value(key))
    return value


# The composite schedule


@then("the composite schedule begins now")
async def begins_now(bench: Bench) -> None:
    """5.7: from the moment at which the request was received, as far as the greatest deviation allows."""
    answer = await bench.conf("Charge Point", "GetCompositeSchedule")
    begin = _schedule_start(bench, answer)
    deviation = timedelta(seconds=bench.device.limits.tolerance)
    if not _request(bench).time - deviation <= begin <= answer.time + deviation:
        text = f"the composite schedule begins at {timestamp(begin)}, it was asked for at {answer.time:%H:%M:%S}"
        raise bench.blame("Charge Point", text, "GetCompositeSchedule", frame=answer.index)


@then("the composite schedule is")
async def composite_schedule_is(bench: Bench, datatable: Table) -> None:
    """The table has seconds from the start of the charging profile that was sent last, and the limit from then on."""
    answer = await bench.conf("Charge Point", "GetCompositeSchedule")
    reported = _reported(bench, answer)
    local = _number(str(bench.device.data.get("LocalLimit", "")), inf)
    verdict = _compare(bench, reported, datatable, local)
    if verdict.wrong and local == inf:
        _ask_for_local_limit(bench, reported, datatable, verdict.wrong[0])
    bench.judge(answer, "GetCompositeSchedule.conf", verdict.wrong[:3])
    for text in verdict.remarks:
        bench.remark(f"GetCompositeSchedule.conf: {text}", "OCPP 1.6 5.7", strict=True)


@dataclass(frozen=True, slots=True)
class _Schedule:
    """What a GetCompositeSchedule.conf tells; times in seconds from the start of the charging profile."""

    begin: float
    end: float
    periods: Sequence[tuple[float, float]]  # from when on, and the limit in the unit of the run

    def limit(self, moment: float) -> float:
        return [limit for start, limit in self.periods if start <= moment][-1]


@dataclass(frozen=True, slots=True)
class _Comparison:
    wrong: list[str]
    remarks: list[str]


def _reported(bench: Bench, answer: Message) -> _Schedule:
    plan: Payload = answer.payload.get("chargingSchedule", {})
    told = [(period["startPeriod"], float(period["limit"])) for period in plan.get("chargingSchedulePeriod", [])]
    starts = [start for start, _ in told]
    found = []
    if not told:
        found.append("chargingSchedule is absent")
    elif starts[0] != 0:
        found.append(f"the first startPeriod is {starts[0]}, not 0")
    if starts != sorted(set(starts)):
        found.append(f"the startPeriods {starts} do not ascend")
    bench.judge(answer, "GetCompositeSchedule.conf", found)
    begin = (_schedule_start(bench, answer) - _profile_start(bench)).total_seconds()
    asked = plan if "duration" in plan else _request(bench).payload
    return _Schedule(begin, begin + asked["duration"], [(begin + start, limit) for start, limit in told])


def _schedule_start(bench: Bench, answer: Message) -> datetime:
    """Errata 3.51: scheduleStart may be absent from an answer that is not Accepted."""
    inner = answer.payload.get("chargingSchedule", {}).get("startSchedule")
    if inner is not None:  # the test case document of 2024-04 speaks of this one in TC_056, 057, 059 and 082
        bench.remark("chargingSchedule holds startSchedule, which must be omitted", "OCPP 1.6 errata 3.57")
    told = answer.payload.get("scheduleStart", inner)
    bench.judge(answer, "GetCompositeSchedule.conf", [] if told else ["scheduleStart is absent (errata 3.51)"])
    return parse_timestamp(str(told))


def _request(bench: Bench) -> Message:
    request = bench.wire.latest_claim("Central System", "GetCompositeSchedule")
    assert request is not None
    return request


def _profile_start(bench: Bench) -> datetime:
    """Where the schedule of the charging profile begins that was sent last: a Relative one with its transaction."""
    began: datetime | None = None
    for message in reversed(list(all_messages(bench.wire.records))):
        profile = message.payload.get(PROFILE.get(message.action, ""), None) if message.type == "CALL" else None
        if profile is not None:
            told = profile["chargingSchedule"].get("startSchedule")
            return parse_timestamp(told) if told else began or message.time
        if message.type == "CALL" and message.action == "StartTransaction":
            began = message.time
    raise OurError("no charging profile was sent: a faulty feature")


def _compare(bench: Bench, reported: _Schedule, table: Table, local: float) -> _Comparison:
    """Every stretch of time in which no limit that is expected around it is reported."""
    slack = bench.device.limits.tolerance + WHOLE_SECOND
    expected = _expected(bench, table)
    edges = [start + shift for start, _ in expected for shift in (-slack, slack)]
    edges += [start for start, _ in reported.periods]
    inside = sorted({reported.begin, reported.end, *(e for e in edges if reported.begin < e < reported.end)})
    wrong: dict[str, None] = {}
    remarks: dict[str, None] = {}
    for left, right in pairwise(inside):
        middle = (left + right) / 2
        limit = reported.limit(middle)
        ends = [start for start, _ in expected[1:]] + [inf]
        near = [
            cell
            for (start, cell), end in zip(expected, ends, strict=True)
            if start <= middle + slack and end > middle - slack
        ]
        verdicts = [_fits(bench, cell, limit, local) for cell in near]
        text = f"{left - reported.begin:g} s after scheduleStart the limit is {limit:g}"
        if all(verdict is None for verdict in verdicts):
            wrong[f"{text}, expected {' or '.join(cell.text for cell in near)}{_unit(bench)}"] = None
        elif "" not in verdicts:
            remarks[f"{text}, {next(filter(None, verdicts))}"] = None
    return _Comparison(list(wrong), list(remarks))


def _expected(bench: Bench, table: Table) -> list[tuple[float, Expectation]]:
    def lookup(name: str) -> object:
        value = bench.value(name)
        return f"{float(str(value)) / _scale(bench):g}" if name == "LocalLimit" else value

    told = [(_seconds(filled_in(start, bench.value)), expectation(cell, lookup)) for start, cell in rows(table)]
    return [(-inf, expectation("any", lookup)), *told]  # that the profiles begin is an edge as well


def _fits(bench: Bench, cell: Expectation, limit: float, local: float) -> str | None:
    """Whether a limit is what a cell expects: "" if it is, None if not, a remark if it may pass."""
    scale, unit = _scale(bench), str(bench.value("ChargingRateUnit"))
    value = f"{limit / scale:g}"
    if cell.tolerates(value):
        return f"the test case wants {cell.text}{_unit(bench)}"
    if cell.fits(value):
        return ""
    wanted = min(_number(str(cell.example), inf) * scale, local)  # 5.7: local limits may be taken into account
    if limit == wanted:
        return ""
    return f"{wanted:g} was set" if 0 < wanted - limit < DIGIT[unit] + 1e-6 else None


def _unit(bench: Bench) -> str:
    return " kW" if bench.value("ChargingRateUnit") == "W" else " A"


def _ask_for_local_limit(bench: Bench, reported: _Schedule, table: Table, wrong: str) -> None:
    """Nobody has told its local limit: what such a limit would explain is no judgement."""
    most = max(limit for _, limit in reported.periods)
    if not _compare(bench, reported, table, most).wrong:
        raise Inconclusive(f"{wrong}; if {most:g} is its local limit, give --data LocalLimit={most:g}")


def _number(text: str, otherwise: float) -> float:
    try:
        return float(text)
    except ValueError:
        return otherwise


# What a Central System sets


@then("if its chargingProfileKind is {kind:ProfileKind}, the charging profile has")
async def profile_of_kind_has(bench: Bench, kind: str, datatable: Table) -> None:
    """Paths begin at the charging profile that the Central System sent last."""
    message, profile = _sent(bench)[-1]
    if profile["chargingProfileKind"] == kind:
        judge_rows(bench, message, f"{message.action}.req", datatable, profile)


@then("the charging profile is for {n:N} phases")
async def profile_has_phases(bench: Bench, n: str) -> None:
    """7.14: where numberPhases is absent, it is 3."""
    message, profile = _sent(bench)[-1]
    wanted = int(filled_in(n, bench.value))
    told = [period.get("numberPhases", 3) for period in profile["chargingSchedule"]["chargingSchedulePeriod"]]
    found = [Difference("numberPhases", str(wanted), str(phases)) for phases in told if phases != wanted]
    bench.judge(message, f"{message.action}.req", found)


@then("no two charging profiles have the same chargingProfileId")
async def ids_differ(bench: Bench) -> None:
    """Those that the Central System has sent in this case."""
    sent = _sent(bench)
    ids = [profile["chargingProfileId"] for _, profile in sent]
    found = [f"chargingProfileId {each} is used {ids.count(each)} times" for each in set(ids) if ids.count(each) > 1]
    bench.judge(sent[-1][0], "SetChargingProfile.req", found)


@when("the Central System sends ClearChargingProfile.req for the first charging profile")
async def clears_first(bench: Bench, datatable: Table) -> None:
    """The first that it has sent in this case."""
    _, profile = _sent(bench)[0]
    table = [("id", str(profile["chargingProfileId"])), *rows(datatable)]
    await make_send(bench, "Central System", "ClearChargingProfile", table)


def _sent(bench: Bench) -> list[tuple[Message, Payload]]:
    """The requests with a charging profile that a sentence has claimed, and the profiles."""
    found = [
        (message, message.payload[PROFILE[message.action]])
        for message in bench.wire.claimed("Central System", PROFILE)
        if PROFILE[message.action] in message.payload
    ]
    if not found:
        raise OurError("no charging profile was claimed: a faulty feature")
    return found
