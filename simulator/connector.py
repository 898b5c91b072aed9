"""A connector: its cable, its lock and its status (4.9, with errata 3.19 to 3.22).

The status table holds the rows A to H of 4.9. Row I (Faulted) needs none: a fault covers the status, and when it is
resolved the status beneath it shows again, with what happened meanwhile.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from ocppj.errors import LocalMisuse
from ocppj.frames import Payload
from simulator.charging_schedule import Limit
from simulator.memory import StoredTransaction
from simulator.metering import CURRENT, Meter

Status = Literal[
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "SuspendedEVSE",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
]


class Event(StrEnum):
    """What may change the status of a connector."""

    USAGE_BEGINS = "usage begins"
    ENERGY_FLOWS = "energy flows"
    EV_TAKES_NONE = "the EV takes no energy"
    EVSE_GIVES_NONE = "the EVSE gives no energy"
    TRANSACTION_ENDS = "the transaction ends and the EV driver has something left to do"
    TIMED_OUT = "no idTag was presented in time"
    USAGE_ENDS = "usage ends"
    RESERVED = "a reservation begins"
    WITHDRAWN = "the connector becomes unavailable"
    ADMITTED = "the connector becomes available"
    FAULT_DETECTED = "a fault is detected"


_FLOWING: dict[Event, Status] = {
    Event.ENERGY_FLOWS: "Charging",
    Event.EV_TAKES_NONE: "SuspendedEV",
    Event.EVSE_GIVES_NONE: "SuspendedEVSE",
}
_IN_TRANSACTION: dict[Event, Status] = {
    **_FLOWING,
    Event.USAGE_ENDS: "Available",
    Event.TRANSACTION_ENDS: "Finishing",
    Event.WITHDRAWN: "Unavailable",
    Event.FAULT_DETECTED: "Faulted",
}

TRANSITIONS: dict[Status, dict[Event, Status]] = {
    "Available": {
        Event.USAGE_BEGINS: "Preparing",
        **_FLOWING,
        Event.RESERVED: "Reserved",
        Event.WITHDRAWN: "Unavailable",
        Event.FAULT_DETECTED: "Faulted",
    },
    "Preparing": {
        Event.USAGE_ENDS: "Available",
        **_FLOWING,
        Event.TIMED_OUT: "Finishing",
        Event.FAULT_DETECTED: "Faulted",
    },
    "Charging": {event: status for event, status in _IN_TRANSACTION.items() if status != "Charging"},
    "SuspendedEV": {event: status for event, status in _IN_TRANSACTION.items() if status != "SuspendedEV"},
    "SuspendedEVSE": {event: status for event, status in _IN_TRANSACTION.items() if status != "SuspendedEVSE"},
    "Finishing": {
        Event.USAGE_ENDS: "Available",
        Event.USAGE_BEGINS: "Preparing",
        Event.WITHDRAWN: "Unavailable",
        Event.FAULT_DETECTED: "Faulted",
    },
    "Reserved": {
        Event.USAGE_ENDS: "Available",
        Event.USAGE_BEGINS: "Preparing",
        Event.WITHDRAWN: "Unavailable",
        Event.FAULT_DETECTED: "Faulted",
    },
    "Unavailable": {
        Event.ADMITTED: "Available",
        Event.USAGE_BEGINS: "Preparing",
        **_FLOWING,
        Event.FAULT_DETECTED: "Faulted",
    },
}


class Locked(Exception):
    """The cable cannot be taken out: the connector is locked."""


class IdTagHolder:
    """The idTag for which a connector waits or is kept, with its group if that is known (3.10).

    ``charging_profile``: the one that a remote start brings for the transaction (5.16.2).
    """

    def __init__(self, id_tag: str, parent_id_tag: str | None, charging_profile: Payload | None = None) -> None:
        self.id_tag = id_tag
        self.parent_id_tag = parent_id_tag
        self.charging_profile = charging_profile

    def is_same(self, id_tag: str) -> bool:
        """Whether this idTag is meant: the case does not matter (7.28)."""
        return self.id_tag.lower() == id_tag.lower()

    def is_in_group(self, parent_id_tag: str | None) -> bool:
        """Whether an idTag with this parent belongs to the same group (3.10)."""
        return bool(self.parent_id_tag and parent_id_tag and self.parent_id_tag.lower() == parent_id_tag.lower())


class Connector:
    """One connector, or with number 0 the Charge Point as a whole, which has neither cable nor lock.

    ``has_lock``, ``lock_fails`` (the cable cannot be released) and ``cannot_lock`` (it cannot be held) are facts of
    the hardware that whoever plays with the Charge Point may set.
    """

    def __init__(self, number: int, meter: Meter, *, fixed_cable: bool, on_change: Callable[["Connector"], None]):
        self.number = number
        self.meter: Meter = meter
        self.fixed_cable = fixed_cable
        self.cable_in = fixed_cable
        self.ev_in = False
        self.ev_takes_energy = True
        self.register_on_arrival = 0.0  # Wh, when the EV came
        self.has_lock = not fixed_cable
        self.locked = False
        self.lock_fails = False
        self.cannot_lock = False
        self.fault: str | None = None  # a ChargePointErrorCode (7.6)
        self._on_change = on_change
        self.forget()

    def forget(self) -> None:
        """Lose what a power cut takes away."""
        self.transaction: StoredTransaction | None = None
        self.transaction_began = 0.0  # loop time
        self.transaction_started = datetime.fromtimestamp(0, UTC)  # the same by the Charge Point's own clock
        self.limit = Limit(CURRENT)  # what the charging profiles allow now
        self.sampler: asyncio.Task[None] | None = None
        self.authorized: IdTagHolder | None = None  # may start as soon as the cable is in
        self.kept_for: IdTagHolder | None = None  # alone may have the cable back (errata 3.5)
        self.claimed = False  # a remote start is under way
        self.timed_out = False  # B6: the cable that is in starts nothing
        self.energy_allowed = True
        self.info: str | None = None
        self.changed_at = ""  # when the status changed last, as OCPP writes it
        self.preparations = 0  # tells one Preparing from the next
        self.beneath: Status = "Available"  # the status without regard to faults
        self._intervals: dict[str, int] = {}

    @property
    def status(self) -> Status:
        """The status as 7.7 defines it."""
        return "Faulted" if self.fault else self.beneath

    @property
    def error_code(self) -> str:
        """The errorCode that belongs to the status (7.6)."""
        return self.fault or "NoError"

    @property
    def is_occupied(self) -> bool:
        """Whether a cable, or with a fixed cable an EV, has to be taken away before the next EV driver comes."""
        return self.ev_in if self.fixed_cable else self.cable_in

    @property
    def is_connected(self) -> bool:
        """Whether energy could flow into an EV."""
        return self.cable_in and self.ev_in

    @property
    def is_idle(self) -> bool:
        """Whether no EV driver uses it or has begun to."""
        return self.beneath in ("Available", "Reserved", "Unavailable")

    @property
    def offered_power(self) -> float:
        """W that the EV may take now."""
        offers = self.transaction is not None and self.status in ("Charging", "SuspendedEV")
        return self.limit.watts if offers else 0.0

    def happens(self, event: Event, info: str | None = None) -> None:
        """Let an event change the status. ``info`` goes into the StatusNotification.req that tells of it."""
        after = TRANSITIONS[self.beneath].get(event)
        if after is None:
            raise LocalMisuse(f"connector {self.number} is {self.beneath}: {event} is not in the table of 4.9")
        before = self.status
        self.beneath = after
        if after == "Preparing":
            self.preparations += 1
        self._changed(before, info)

    def break_down(self, error_code: str) -> None:
        """A fault is detected: A9 to H9."""
        before, self.fault = self.status, error_code
        self._changed(before, None, anew=True)

    def repair(self) -> None:
        """The fault is resolved: I1 to I8."""
        if self.fault:
            before, self.fault = self.status, None
            self._changed(before, None)

    def adjust_energy(self, info: str | None = None) -> None:
        """Bring the status in line with what the EV takes and the EVSE allows, while a transaction is running."""
        if not (self.energy_allowed and self.limit.amperes):  # 4.9: SuspendedEVSE has precedence
            event = Event.EVSE_GIVES_NONE
        elif not (self.is_connected and self.ev_takes_energy):
            event = Event.EV_TAKES_NONE
        else:
            event = Event.ENERGY_FLOWS
        if _FLOWING[event] != self.beneath:
            self.happens(event, info)

    def offer(self, limit: Limit) -> None:
        """Offer so much to the EV from now on, which takes all of it; without any there is no Charging."""
        self.limit = limit
        self.adjust_energy()
        self._let_flow()

    def power_down(self) -> None:
        """No energy flows any more; the register keeps what was measured."""
        self.meter.let_flow(0.0)

    def lock(self) -> bool:
        """Try to hold the cable; without a lock there is nothing that could fail."""
        if self.has_lock and self.cannot_lock:
            return False
        self.locked = self.has_lock
        return True

    def unlock(self) -> bool:
        """Try to release the cable."""
        if self.lock_fails:
            return False
        self.locked = False
        self.kept_for = None
        return True

    def interval(self, context: str) -> int:
        """Whole Wh since the last reading of this kind."""
        return self.meter.whole_register - self._intervals.get(context, self.meter.whole_register)

    def begin_interval(self, context: str) -> None:
        """A reading of this kind was made: count from here."""
        self._intervals[context] = self.meter.whole_register

    def _let_flow(self) -> None:
        self.meter.let_flow(self.offered_power if self.status == "Charging" else 0.0)

    def _changed(self, before: Status, info: str | None, anew: bool = False) -> None:
        self._let_flow()
        if self.status != before or anew:
            self.info = info
            self._on_change(self)
