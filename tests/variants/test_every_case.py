"""Every case with a device that is talkative within the law, and with one in a hurry."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bench.cases import scenarios
from bench.device import device
from ocppj.clock import Calendar, timestamp
from ocppj.frames import Payload
from ocppj.transcript import Party
from simulator.charge_point import ChargePoint
from tests.variants.foreign import Change, Frame, Variant, call, unchanged
from tests.variants.test_local_auth_list import lacks_the_profile
from tests.variants.test_security import of_central_system, of_charge_point, premises

assert premises  # a fixture


def has_backup_power(it: ChargePoint) -> None:
    it.backup_power = True


def lacks_reservation(it: ChargePoint) -> None:
    for action in ("ReserveNow", "CancelReservation"):
        it.handlers.pop(action)


# What the Charge Points of the cases lack, and how it is taken from ours where that is not said by --lacks alone.
LACKING: dict[str, Callable[[ChargePoint], None]] = {
    "": has_backup_power,
    "backup_power": lambda _: None,
    "detachable_cable": lambda _: None,
    "local_auth_list": lacks_the_profile,
    "local_authorization": lambda _: None,
    "reservation": lacks_reservation,
}


@dataclass(frozen=True)
class Share:
    """Cases that one device can play: its security profile, and what it lacks."""

    profile: int
    lacks: str
    numbers: str


def shares(role: str) -> list[Share]:
    """Every case of a role, once, at the first device that it applies to."""
    seat: dict[str, Any] = {"listen": ("", 0)} if role == "CS" else {"url": "ws://"}
    left, found = {case for case in scenarios() if case.endswith(f"_{role}")}, []
    for profile in range(4):
        for lacks in LACKING:
            described = replace(
                device(lacks=frozenset([lacks] if lacks else []), **seat),
                security=replace(device(**seat).security, profile=profile),
            )
            fitting = {case for case in left if any(each.why_not(described) is None for each in scenarios()[case])}
            if fitting:
                left -= fitting
                found.append(Share(profile, lacks, " ".join(sorted(case[3 : -len(role) - 1] for case in fitting))))
    assert not left
    return found


def variant_of(share: Share, change: Callable[[], Change], party: Party, folder: Path, **more: Any) -> Variant:
    variant = Variant(
        "5, 4: it is allowed to",
        change,
        numbers=share.numbers,
        lacks=frozenset([share.lacks] if share.lacks else []),
        charge_point=LACKING[share.lacks],
        profile=share.profile,
        **more,
    )
    known = {"FirmwareFile": str(folder / "image.bin"), "LocalLimit": "16"}
    if share.profile == 0:
        return replace(variant, data={**known, **variant.data} if party == "Charge Point" else variant.data)
    return (of_charge_point if party == "Charge Point" else of_central_system)(variant, folder)


# A Charge Point that says more than it has to

SAYS_MORE_BESIDE = ("StatusNotification", "Authorize", "StartTransaction", "StopTransaction")


def talkative_charge_point() -> Change:
    """Beats, a report once more, a reading, an event and what idles, after each report, transaction and answer."""

    meter = count(1)

    def change(frame: Frame) -> Iterable[Frame] | None:
        if frame.is_call and frame.action not in SAYS_MORE_BESIDE:
            return None
        reading = {"timestamp": timestamp(), "sampledValue": [{"value": str(next(meter)), "context": "Other"}]}
        beside = [
            call("Heartbeat", {}),
            call("MeterValues", {"connectorId": 1, "meterValue": [reading]}),
            call("SecurityEventNotification", {"type": "SettingSystemTime", "timestamp": timestamp()}),
            call("DiagnosticsStatusNotification", {"status": "Idle"}),
            call("DataTransfer", {"vendorId": "com.example"}),
        ]
        return [frame, *([frame.again()] if frame.requests("StatusNotification") else []), *beside]

    return change


# Cases that a talkative Charge Point does not pass.
BREAKS = {
    "001": "4.6 has a beat when the interval is over, and the interval is what the case is about",
    "002": "4.6, likewise",
}

# A Central System that asks more than it has to

ASKS: dict[str, Payload] = {
    "GetConfiguration": {},
    "TriggerMessage": {"requestedMessage": "Heartbeat"},
    "GetLocalListVersion": {},
    "GetCompositeSchedule": {"connectorId": 1, "duration": 60},
    "DataTransfer": {"vendorId": "com.example"},
}


def talkative_central_system() -> Change:
    """What real ones ask after each boot, and some of it after each StatusNotification and Authorize."""

    def change(frame: Frame) -> Iterable[Frame | float] | None:
        if frame.answers("BootNotification") and frame.payload["status"] == "Accepted":
            return [frame, 0.1, *(call(action, payload) for action, payload in ASKS.items())]
        if frame.answers():
            return [frame, call("GetConfiguration", {"key": ["HeartbeatInterval"]})]
        return None

    return change


def named(share: Share) -> str:
    return f"{share.profile}-{share.lacks or 'all'}"


@pytest.mark.parametrize("share", shares("CS"), ids=named)
def test_a_talkative_charge_point(calendar: Calendar, premises: Path, share: Share) -> None:
    variant = variant_of(share, talkative_charge_point, "Charge Point", premises)
    breaks = [number for number in share.numbers.split() if number in BREAKS]
    replace(variant, fails=" ".join(breaks), remark="beside the test case").check(calendar, "Charge Point")


@pytest.mark.parametrize("share", shares("CSMS"), ids=named)
def test_a_talkative_central_system(calendar: Calendar, premises: Path, share: Share) -> None:
    variant = variant_of(share, talkative_central_system, "Central System", premises)
    replace(variant, remark="beside the test case").check(calendar, "Central System")


# What a device file says of one that need not be waited for; the longest of these is what a case takes.
HURRIED = {
    "MessageTimeout": "2",
    "LongOperationTimeout": "20",
    "SettleTime": "0.3",
    "SilenceTime": "1",
    "Tolerance": "1",
    "ConnectionTimeOut": "4",
    "HeartbeatInterval": "3",
    "BootRetryInterval": "2",
    "MeterValueSampleInterval": "2",
    "TransactionDuration": "1",
    "ReservationDuration": "10",
    "ClockAlignedDataInterval": "5",
}


@pytest.mark.parametrize("share", shares("CS"), ids=named)
def test_a_charge_point_that_need_not_be_waited_for(calendar: Calendar, premises: Path, share: Share) -> None:
    """No wait is one that its device file cannot shorten."""
    variant = variant_of(share, lambda: unchanged, "Charge Point", premises, data=HURRIED, longest=21.0)
    variant.check(calendar, "Charge Point")


@pytest.mark.parametrize("share", shares("CSMS"), ids=named)
def test_a_central_system_that_need_not_be_waited_for(calendar: Calendar, premises: Path, share: Share) -> None:
    variant = variant_of(share, lambda: unchanged, "Central System", premises, data=HURRIED, longest=21.0)
    variant.check(calendar, "Central System")
