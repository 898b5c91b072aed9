"""Who makes an external party act, and how it is asked: one small interface, a module for each kind of operator."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from ocppj.frames import Payload
from ocppj.secrets import masked
from ocppj.transcript import Party

LONGEST_IN_A_LINE = 120  # characters

# What is asked of somebody who can see the device: whether it is as the payload's ``statement`` has it.
CONFIRM = "confirm"

# "denied": it is not as the statement has it.
Answer = Literal["done", "device cannot", "gave up", "denied"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: an action of OCPP, or something that hands do at the Charge Point.

    ``payload``: what the message shall hold, or what the hands need (connectorId, idTag). ``checks``: the sentences
    that look at the wire afterwards.
    """

    party: Party
    action: str
    payload: Payload
    sentence: str
    case: str
    charge_point: str
    time_limit: float  # seconds
    checks: tuple[str, ...] = ()

    def as_json(self) -> str:
        """The request as a program gets it on its standard input."""
        return json.dumps(
            {
                "case": self.case,
                "party": self.party,
                "charge_point": self.charge_point,
                "action": self.action,
                "payload": self.payload,
                "sentence": self.sentence,
                "checks": self.checks,
                "time_limit_s": self.time_limit,
            }
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operator says afterwards. Nothing of it can turn a case green: the wire does that.

    ``words``: why it was not done. ``note``: what else is to be told in the report. ``by``: the name of the person who
    says so, empty for a program.
    """

    answer: Answer
    words: str = ""
    note: str = ""
    by: str = ""


class BadOperator(ValueError):
    """An operator that cannot be used: what is wrong and what would be right, in one line."""


class Operator(Protocol):
    """Whoever makes the external party act. It may be a ``Hook`` as well."""

    async def ask(self, request: Request) -> Outcome:
        """Have it done. Never raises: what goes wrong is an outcome."""
        ...


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is about to begin: the run, or one of its cases.

    ``case``: its id, empty for the run. ``device``: as ``bench.device.Device.describe`` has it. ``test_data``: by the
    names of the vocabulary (``ValidIdTag``). ``time_limit``: seconds that may be taken.
    """

    case: str = ""
    device: Mapping[str, Any] = field(default_factory=dict)
    test_data: Mapping[str, str] = field(default_factory=dict)
    time_limit: float = 120.0

    def as_json(self) -> str:
        """What a program gets on its standard input."""
        return json.dumps(
            {
                "hook": "before_case" if self.case else "before_run",
                "case": self.case or None,
                "device": self.device,
                "test_data": self.test_data,
                "time_limit_s": self.time_limit,
            }
        )


class HookFailed(Exception):
    """What was to be done before a run or a case was not: its words."""


@runtime_checkable
class Hook(Protocol):
    """Who makes things ready before the run and before each case: seeds idTags, resets a database."""

    async def before_run(self, beginning: Beginning) -> None:
        """Raises ``HookFailed``: then nothing is run."""
        ...

    async def before_case(self, beginning: Beginning) -> None:
        """Raises ``HookFailed``: then the case is inconclusive."""
        ...

    async def close(self) -> None:
        """The run is over."""
        ...


class Nobody:
    """No operator, no terminal: says at once what it would have asked."""

    async def ask(self, request: Request) -> Outcome:
        return Outcome("gave up", f"there is no operator who could be asked: {wanted(request)}")


def wanted(request: Request) -> str:
    """A request in words: what is long is left to ``copied``, and what is secret to who is asked."""
    fields = ", ".join(f"{path} = {_in_a_line(value)}" for path, value in _leaves(request.payload))
    return f"{request.action}{f' ({fields})' if fields else ''} at the {request.party}"


def copied(request: Request) -> Iterator[str]:
    """What stands in no line, such as a certificate: to be copied."""
    for path, value in _leaves(request.payload):
        if len(value) > LONGEST_IN_A_LINE and masked(value) == value:
            yield f"{path}:\n{value.rstrip()}"


def _in_a_line(value: str) -> str:
    if masked(value) != value:
        return "one of your choice"
    return value if len(value) <= LONGEST_IN_A_LINE else f"the {len(value)} characters below"


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a payload with its dotted path; lists as they are."""
    if not isinstance(value, dict):
        yield path, str(value)
        return
    for name, inner in value.items():
        yield from _leaves(inner, f"{path}.{name}" if path else name)
