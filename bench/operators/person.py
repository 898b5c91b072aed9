"""A person at the terminal."""

import asyncio
import sys
import termios
from collections.abc import Callable

from rich.console import Console
from rich.panel import Panel

from bench.operators import Outcome, Request, copied, wanted


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
