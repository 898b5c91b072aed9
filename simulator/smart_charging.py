"""Charging profiles and what they allow: 3.13, 5.5, 5.7, 5.11 and 5.16, and its keys (9.4).

The handlers keep the profiles, ``charging_schedule`` says what they allow, and ``adjust`` lets every connector offer
just that.
"""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from ocppj.clock import parse_timestamp
from ocppj.errors import ErrorCode, Refused
from ocppj.frames import Payload
from simulator import charging_schedule
from simulator.charging_schedule import Instant, Limit, Stack, Unit
from simulator.configuration import Key
from simulator.memory import StoredChargingProfile
from simulator.metering import CURRENT

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint
    from simulator.connector import Connector
    from simulator.core import Handler

KEYS = [
    Key("ChargeProfileMaxStackLevel", "integer", "99", read_only=True),
    Key("ChargingScheduleAllowedChargingRateUnit", "CSL", "Current,Power", read_only=True),
    Key("ChargingScheduleMaxPeriods", "integer", "100", read_only=True),
    Key("ConnectorSwitch3to1PhaseSupported", "boolean", "true", read_only=True),
    Key("MaxChargingProfilesInstalled", "integer", "100", read_only=True),
]

LOCAL_LIMIT = Limit(CURRENT)  # of each connector, whatever the profiles are
LONGEST_SLEEP = 86_400.0  # seconds
QUANTITIES = {"A": "Current", "W": "Power"}  # errata 3.88


def clear_charging_profile(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.5 with errata 3.25: every given field must match; without any all profiles go."""
    kept = [each for each in charge_point.memory.charging_profiles if not _matches(each, request)]
    if len(kept) == len(charge_point.memory.charging_profiles):
        return {"status": "Unknown"}
    charge_point.memory.charging_profiles[:] = kept
    charge_point.afterwards(charge_point.follow_limits)
    return {"status": "Accepted"}


def _matches(stored: StoredChargingProfile, request: Payload) -> bool:
    profile = stored["profile"]
    if "id" in request:  # errata 3.26: then all other fields are ignored
        return bool(profile["chargingProfileId"] == request["id"])
    facts = {"connectorId": stored["connector"], **profile}
    return all(facts[name] == wanted for name, wanted in request.items())


def get_composite_schedule(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.7 with errata 3.28, 3.30 and 3.57: from now on, and without startSchedule. Local limits are regarded.

    Connector 0: what all connectors together may take from the grid, whether an EV is there yet or not.
    """
    number, duration = request["connectorId"], request["duration"]
    unit: Unit = request.get("chargingRateUnit") or ("A" if _may_use(charge_point, "A") else "W")  # 6.21: optional
    if (number and number not in charge_point.connectors) or not _may_use(charge_point, unit):
        return {"status": "Rejected"}
    moment = charge_point.now()
    begin = charging_schedule.instant(moment)
    maximum = _maximum(charge_point)
    try:
        if number:
            stacks = [_transaction_stack(charge_point, charge_point.connectors[number], moment), maximum]
            periods = charging_schedule.periods(stacks, LOCAL_LIMIT, begin, duration, unit)
        else:
            each = [[_transaction_stack(charge_point, it, moment)] for it in charge_point.connectors.values()]
            periods = charging_schedule.total_periods(each, maximum, LOCAL_LIMIT, begin, duration, unit)
    except charging_schedule.TooLong:
        return {"status": "Rejected"}
    return {
        "status": "Accepted",
        "connectorId": number,
        "scheduleStart": charge_point.timestamp(moment),
        "chargingSchedule": {
            "duration": duration,
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [
                {"startPeriod": start, "limit": limit, "numberPhases": phases} for start, limit, phases in periods
            ],
        },
    }


def set_charging_profile(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.16 with errata 3.37 to 3.45. Raises ``Refused`` for a value that no profile may have."""
    number, profile = request["connectorId"], request["csChargingProfiles"]
    if number and number not in charge_point.connectors:
        raise _violation(f"there is no connector {number}")  # errata 3.39
    connector = charge_point.connectors.get(number)
    status = check(charge_point, profile)
    if status == "Accepted" and not _belongs(connector, profile):
        status = "Rejected"
    if status == "Accepted":
        running = connector.transaction if connector else None
        transaction = running["number"] if running and profile["chargingProfilePurpose"] == "TxProfile" else None
        stored = keep(number, profile, transaction, charge_point.timestamp())
        if not _put(charge_point, stored):
            return {"status": "Rejected"}
        charge_point.afterwards(charge_point.follow_limits)
    return {"status": status}


def check(charge_point: "ChargePoint", profile: Payload) -> str:
    """The ChargingProfileStatus (7.11) that a profile deserves by itself. Raises ``Refused`` for one out of shape."""
    plan = profile["chargingSchedule"]
    starts = [period["startPeriod"] for period in plan["chargingSchedulePeriod"]]
    if starts[0] != 0:  # errata 3.45
        raise _violation("the first startPeriod is not 0")
    if starts != sorted(set(starts)):  # 7.14: a period ends where the next one starts
        raise _violation("the startPeriods do not ascend")
    if (profile["chargingProfileKind"] == "Recurring") != ("recurrencyKind" in profile):  # errata 3.56
        raise _violation("recurrencyKind belongs to the chargingProfileKind Recurring")
    try:
        charging_schedule.schedule(profile, 0)
    except (OverflowError, ValueError):
        raise _violation("an instant that no calendar has") from None
    if not _may_use(charge_point, plan["chargingRateUnit"]):
        return "NotSupported"
    configuration = charge_point.configuration
    if profile["stackLevel"] > configuration.number("ChargeProfileMaxStackLevel"):  # 9.4.1
        return "Rejected"
    if len(starts) > configuration.number("ChargingScheduleMaxPeriods"):  # 9.4.3
        return "Rejected"
    return "Accepted"


def takes_with_remote_start(charge_point: "ChargePoint", profile: Payload) -> bool:
    """Whether a profile may come with a RemoteStartTransaction.req (5.11, 5.16.2). Raises ``Refused``."""
    if profile["chargingProfilePurpose"] != "TxProfile" or "transactionId" in profile:
        return False
    stored = keep(0, profile, None, "")
    room = _has_room(charge_point, [*charge_point.memory.charging_profiles, stored])
    return room and check(charge_point, profile) == "Accepted"


def install(charge_point: "ChargePoint", connector: "Connector", transaction: int, profile: Payload) -> None:
    """Keep the profile that a remote start brought for the transaction that begins."""
    _put(charge_point, keep(connector.number, profile, transaction, charge_point.timestamp()))


def forget(charge_point: "ChargePoint", transaction: int) -> None:
    """3.13.1: a TxProfile ends with its transaction."""
    stored = charge_point.memory.charging_profiles
    stored[:] = [each for each in stored if each["transaction"] != transaction]


def _put(charge_point: "ChargePoint", stored: StoredChargingProfile) -> bool:
    """Install a profile in the place of those that it replaces; whether there is room for it."""
    installed = [each for each in charge_point.memory.charging_profiles if not _is_replaced(each, stored)]
    has_room = _has_room(charge_point, [*installed, stored])
    if has_room:
        charge_point.memory.charging_profiles[:] = [*installed, stored]
    return has_room


def keep(connector: int, profile: Payload, transaction: int | None, received: str) -> StoredChargingProfile:
    """A profile as the memory keeps it."""
    return {"connector": connector, "profile": profile, "transaction": transaction, "received": received}


def _violation(text: str) -> Refused:
    return Refused(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, text)


def _may_use(charge_point: "ChargePoint", unit: str) -> bool:
    return QUANTITIES[unit] in charge_point.configuration.items("ChargingScheduleAllowedChargingRateUnit")


def _belongs(connector: "Connector | None", profile: Payload) -> bool:
    """Whether a profile of this purpose may be set there (3.13.1); None is connector 0."""
    purpose = profile["chargingProfilePurpose"]
    if purpose != "TxProfile":  # 7.8: transactionId belongs to a TxProfile alone
        return "transactionId" not in profile and (purpose == "TxDefaultProfile" or connector is None)
    running = connector.transaction if connector else None
    return running is not None and profile.get("transactionId", running["transactionId"]) == running["transactionId"]


def _is_replaced(old: StoredChargingProfile, new: StoredChargingProfile) -> bool:
    """5.16.3: the same chargingProfileId, or the same stackLevel and purpose at the same place."""
    there, here = old["profile"], new["profile"]
    if there["chargingProfileId"] == here["chargingProfileId"]:
        return True
    names = ("stackLevel", "chargingProfilePurpose")
    return old["connector"] == new["connector"] and all(there[name] == here[name] for name in names)


def _has_room(charge_point: "ChargePoint", stored: list[StoredChargingProfile]) -> bool:
    """9.4.5, and 9.4.1: ChargeProfileMaxStackLevel bounds the number of profiles of a purpose as well."""
    purposes = [each["profile"]["chargingProfilePurpose"] for each in stored]
    configuration = charge_point.configuration
    most = max(purposes.count(purpose) for purpose in set(purposes))
    return len(stored) <= configuration.number("MaxChargingProfilesInstalled") and most <= configuration.number(
        "ChargeProfileMaxStackLevel"
    )


# What the profiles allow now


def adjust(charge_point: "ChargePoint") -> None:
    """Let every connector offer what the profiles allow at this instant; what is left to share is shared (3.13.3)."""
    moment = charge_point.now()
    now = charging_schedule.instant(moment)
    busy = [connector for connector in charge_point.connectors.values() if connector.transaction]
    wanted = [
        charging_schedule.allowed([_transaction_stack(charge_point, connector, moment)], LOCAL_LIMIT, now)
        for connector in busy
    ]
    total = charging_schedule.prevailing(_maximum(charge_point), now)
    for connector, limit in zip(busy, charging_schedule.shared(total, wanted) if total else wanted, strict=True):
        connector.offer(limit)


async def keep_adjusted(charge_point: "ChargePoint") -> None:
    """Go on to do so as time passes, until nothing changes any more."""
    while True:
        moment = charge_point.now()
        stacks = [_maximum(charge_point)]
        for connector in charge_point.connectors.values():
            if connector.transaction:
                stacks.append(_transaction_stack(charge_point, connector, moment))
        now = charging_schedule.instant(moment)
        edge = charging_schedule.next_break(stacks, now)
        if edge is None:
            return
        await asyncio.sleep(min((edge - now) / charging_schedule.SECOND, LONGEST_SLEEP))
        adjust(charge_point)


def _maximum(charge_point: "ChargePoint") -> Stack:
    stored = [each for each in charge_point.memory.charging_profiles if _purpose(each) == "ChargePointMaxProfile"]
    # 7.9: the start of a Relative one is determined by the Charge Point.
    return [
        charging_schedule.schedule(each["profile"], charging_schedule.instant(parse_timestamp(each["received"])))
        for each in stored
    ]


def _transaction_stack(charge_point: "ChargePoint", connector: "Connector", moment: datetime) -> Stack:
    """The profiles that hold for the transaction of a connector, or for one that would begin at this instant."""
    running = connector.transaction
    begins: Instant = charging_schedule.instant(connector.transaction_started if running else moment)
    return [
        charging_schedule.schedule(each["profile"], begins)
        for each in _for_transaction(charge_point, connector.number, running["number"] if running else None)
    ]


def _for_transaction(charge_point: "ChargePoint", number: int, transaction: int | None) -> list[StoredChargingProfile]:
    # 3.13.1: where there is a TxProfile, it overrules the TxDefaultProfiles for the duration of the transaction.
    stored = charge_point.memory.charging_profiles
    own = [each for each in stored if _purpose(each) == "TxProfile" and each["transaction"] == transaction]
    if own:
        return own
    default = [each for each in stored if _purpose(each) == "TxDefaultProfile"]
    here = [each for each in default if each["connector"] == number]
    # 3.13.1: those of connector 0 are for every connector, but for one that has its own in their place.
    levels = {each["profile"]["stackLevel"] for each in here}
    return here + [e for e in default if e["connector"] == 0 and e["profile"]["stackLevel"] not in levels]


def _purpose(stored: StoredChargingProfile) -> str:
    return str(stored["profile"]["chargingProfilePurpose"])


HANDLERS: "dict[str, Handler]" = {
    "ClearChargingProfile": clear_charging_profile,
    "GetCompositeSchedule": get_composite_schedule,
    "SetChargingProfile": set_charging_profile,
}
