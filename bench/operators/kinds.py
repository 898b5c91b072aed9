"""Which kind of operator was asked for, and what it needs: the table ``[operator]`` of a device file."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console

from bench.device import BadSetting
from bench.operators import Nobody, Operator
from bench.operators.command import Command
from bench.operators.driver import Driven
from bench.operators.http import Http
from bench.operators.person import Person
from ocppj.secrets import masked

# How each kind is written on the command line, and the key of its table that stands behind the colon.
ON_THE_COMMAND_LINE = {"command": "program", "http": "url", "driver": "name"}


def operator_table(text: str) -> dict[str, str]:
    """The table that ``--operator KIND:WHAT`` stands for. Raises ``BadSetting``."""
    kind, _, what = text.partition(":")
    if kind not in ON_THE_COMMAND_LINE or not what.strip():
        forms = " or ".join(f"{kind}:{key.upper()}" for kind, key in ON_THE_COMMAND_LINE.items())
        raise BadSetting(f"--operator {masked(text)} is not of the form {forms}")
    return {"kind": kind, ON_THE_COMMAND_LINE[kind]: what}


def operator_of(
    table: Mapping[str, Any], console: Console, paused: Callable[[bool], None], *, has_terminal: bool
) -> Operator:
    """The operator that a table describes; a person at this terminal if it describes none and there is one.

    ``paused`` is told when a person is asked, and when that is over. Raises ``BadSetting``.
    """
    kind = table.get("kind", "person")
    further = {name: value for name, value in table.items() if name != "kind"}
    try:
        match kind:
            case "command":
                return Command(further["program"])
            case "http":
                return Http(further)
            case "driver":
                return Driven(further.pop("name"), further)
            case "person" if has_terminal:
                return Person(console, paused, further.get("name", ""))
            case "person":
                return Nobody()
    except ValueError as error:
        raise BadSetting(f"the operator ({kind}): {error}") from None
    raise BadSetting(f"there is no operator of the kind {kind}")
