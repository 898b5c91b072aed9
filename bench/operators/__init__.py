"""Who makes an external party act, and how it is asked: one small interface, a module for each kind of operator."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from ocppj.frames import Payload
from ocppj.secrets import masked
from ocppj.transcript import Party

LONGEST_IN_A_LINE = 120  # characters

Answer = Literal["done", "device cannot", "gave up"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: an action of OCPP, or something that hands do at the Charge Point.

    ``payload``: what the message shall hold, or what the hands need (connectorId, idTag).
    """

    party: Party
    action: str
    payload: Payload
    sentence: str
    case: str
    charge_point: str
    time_limit: float  # seconds

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
                "time_limit_s": self.time_limit,
            }
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operator says afterwards. Nothing of it can turn a case green: the wire does that."""

    answer: Answer
    words: str = ""


class Operator(Protocol):
    """Whoever makes the external party act."""

    async def ask(self, request: Request) -> Outcome:
        """Have it done. Never raises: what goes wrong is an outcome."""
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
