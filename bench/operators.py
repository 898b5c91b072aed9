"""Who makes an external party act: a person at the terminal, a program, or nobody."""

import asyncio
import json
import os
import shlex
import shutil
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from rich.console import Console
from rich.panel import Panel

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


class Person:
    """A person at the terminal, asked with the sentence of the test case."""

    def __init__(self, console: Console, paused: Callable[[bool], None] = lambda _: None) -> None:
        self._console = console
        self._paused = paused

    async def ask(self, request: Request) -> Outcome:
        self._paused(True)
        try:
            self._console.print(
                Panel(
                    f"[bold]{request.sentence}[/bold]\n{wanted(request)}\n\n"
                    f"[green]Enter[/green] done   [yellow]s[/yellow] skip   [red]c[/red] the device cannot do this"
                    f"   [dim]within {request.time_limit:g} s[/dim]",
                    title=f"{request.case}: to do at the {request.party} ({request.charge_point})",
                )
            )
            for text in copied(request):
                self._console.print(text, markup=False, highlight=False, soft_wrap=True)
            async with asyncio.timeout(request.time_limit):
                return await self._answer()
        except TimeoutError:
            return Outcome("gave up", f"no answer from the operator in {request.time_limit:g} s")
        finally:
            self._paused(False)

    async def _answer(self) -> Outcome:
        match (await _line()).strip().lower():
            case "":
                return Outcome("done")
            case "c":
                return Outcome("device cannot", "the operator says that the device cannot do this")
            case "s":
                self._console.print("Why is it skipped?")
                said = (await _line()).strip()
                return Outcome("gave up", f"skipped by the operator: {said or 'no reason given'}")
            case "the terminal is closed":
                return Outcome("gave up", "the terminal is closed")
            case _:
                self._console.print("Enter, s or c, please.")
                return await self._answer()


async def _line() -> str:
    """A line from the terminal, while the loop goes on; given up without a thread left waiting for the terminal."""
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)  # what was typed before the question answers no question
    loop = asyncio.get_running_loop()
    line = loop.create_future()

    def readable() -> None:
        text = sys.stdin.readline()
        if not line.done():
            line.set_result(text) if text else line.set_exception(EOFError())

    loop.add_reader(sys.stdin.fileno(), readable)
    try:
        return str(await line)
    except EOFError:
        return "the terminal is closed"
    finally:
        loop.remove_reader(sys.stdin.fileno())


class Command:
    """A program, run once per request with the request as JSON on its standard input.

    Exit status 0: done. 3: the device cannot do this. Any other: could not; its last line of output says why.
    """

    CANNOT = 3

    def __init__(self, program: str) -> None:
        """``program`` with its arguments. Raises ``ValueError`` for one that cannot be found."""
        self._arguments = shlex.split(program)
        if not self._arguments or shutil.which(self._arguments[0]) is None:
            raise ValueError(f"{program} is no program that can be run")

    async def ask(self, request: Request) -> Outcome:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return Outcome("gave up", f"{self._arguments[0]} cannot be run: {error.strerror}")
        try:
            async with asyncio.timeout(request.time_limit):
                output, _ = await process.communicate(request.as_json().encode())
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)  # the program and whatever it has started
            await process.wait()
            return Outcome("gave up", f"{self._arguments[0]} did not end in {request.time_limit:g} s")
        said = output.decode(errors="replace").strip().rpartition("\n")[2][:300]
        if process.returncode == 0:
            return Outcome("done", said)
        if process.returncode == self.CANNOT:
            return Outcome("device cannot", said or "the operator says that the device cannot do this")
        return Outcome("gave up", said or f"{self._arguments[0]} ended with status {process.returncode}")


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
