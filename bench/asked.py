"""What each case asks of the operator of a foreign device, and how long it lasts: ``features/asked.csv``.

Found by self-rehearsal, where our own party is told to do what an operator would be asked for. A device that behaves
otherwise may be asked for more or less: one with more connectors for more cables, one that goes on charging after a
power cut to stop that.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from bench.cases import FEATURES

# What nobody need be asked for: a device is switched on already, and the network is ours to cut.
NOT_ASKED = ("power_on", "lose_connection", "restore_connection")


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that is asked of the operator.

    ``action``: of OCPP, or what hands do at a Charge Point (``plug_in``). ``seconds``: since the case began, in virtual
    time.
    """

    action: str
    sentence: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _Listed:
    asked: tuple[Asked, ...]
    duration: float


def asked(case_id: str) -> tuple[Asked, ...]:
    """What a case asks of the operator, in order; nothing for a case that is not in the list."""
    return _list()[case_id].asked if is_listed(case_id) else ()


def duration(case_id: str) -> float:
    """Seconds that a case lasts at a device, and with an operator, that take no time; 0 for one not in the list."""
    return _list()[case_id].duration if is_listed(case_id) else 0.0


def is_listed(case_id: str) -> bool:
    """Whether the list has the case; it has not those of other feature files."""
    return case_id in _list()


def left_behind(actions: Iterable[str]) -> tuple[str, ...]:
    """What hands must do before the next case can begin, after these actions at a Charge Point."""
    undo: dict[str, None] = {}
    for action in actions:
        match action:
            case "plug_in":
                undo["unplug"] = None
            case "lose_power":
                undo["regain_power"] = None
            case "fail" | "prevent_locking" | "prevent_unlocking":
                undo["repair"] = None
            case "prevent_storing":
                undo["allow_storing"] = None
            case _:
                undo.pop(action, None)
    return tuple(undo)


@cache
def _list() -> dict[str, _Listed]:
    found: dict[str, _Listed] = {}
    before: list[Asked] = []
    with (FEATURES / "asked.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["asked"]:
                before.append(Asked(row["asked"], row["sentence"], float(row["seconds"])))
            else:  # the last row of a case
                found[row["id"]] = _Listed(tuple(before), float(row["seconds"]))
                before = []
    return found
