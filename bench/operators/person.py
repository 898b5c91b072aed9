"""A person at the terminal."""

import asyncio
import os
import re
import sys
import termios
import tty
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from math import ceil

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from bench.operators import CONFIRM, Answer, Outcome, Request, copied, wanted

# What may be typed: a letter, and behind it words that are noted.
TO_DO = {"d": "done", "c": "the device cannot do this", "i": "I cannot", "a": "abort the run"}
TO_CONFIRM = {"y": "yes, it is so", "n": "no", "i": "I cannot tell", "a": "abort the run"}

CONFIRMED: Mapping[str, Answer] = {"y": "done", "n": "denied", "i": "gave up"}

NO_TEXT = re.compile(r"\x1b(\[[0-9;]*[A-Za-z~]|O.)?")  # arrows and the like

END_OF_FILE, LINE_KILL, BACKSPACES = "\x04", "\x15", "\x7f\b"


class Closed(Exception):
    """The terminal is closed."""


class Person:
    """A person at the terminal, who gets a card with what is to be done, and sees what time is left.

    ``name``: who answers; asked for once, when a statement is to be confirmed, if nobody has said so. Who aborts the
    run raises ``KeyboardInterrupt``, as Ctrl-C does.
    """

    def __init__(self, console: Console, paused: Callable[[bool], None] = lambda _: None, name: str = "") -> None:
        """``paused`` is told when a person is asked, and when that is over."""
        self._console = console
        self._paused = paused
        self._name = name

    async def ask(self, request: Request) -> Outcome:
        self._paused(True)
        try:
            self._console.print(_card(request))
            for text in copied(request):
                self._console.print(text, markup=False, highlight=False, soft_wrap=True)
            async with asyncio.timeout(request.time_limit):
                return await (self._confirmed(request) if request.action == CONFIRM else self._done(request))
        except TimeoutError:
            return Outcome("gave up", f"no answer from the operator in {request.time_limit:g} s", by=self._name)
        except Closed:
            return Outcome("gave up", "the terminal is closed", by=self._name)
        finally:
            self._paused(False)

    async def _done(self, request: Request) -> Outcome:
        letter, words = await self._answer(TO_DO, request.time_limit)
        if letter == "c":
            text = "the operator says that the device cannot do this"
            return Outcome("device cannot", f"{text}: {words}" if words else text, by=self._name)
        if letter == "i":
            words = words or await self._line("Why? ") or "no reason given"
            return Outcome("gave up", f"the operator could not: {words}", by=self._name)
        return Outcome("done", note=words, by=self._name)

    async def _confirmed(self, request: Request) -> Outcome:
        letter, words = await self._answer(TO_CONFIRM, request.time_limit)
        self._name = self._name or await self._line("Your name, for the report: ") or "a person who gave no name"
        return Outcome(CONFIRMED[letter], note=words, by=self._name)

    async def _answer(self, letters: Mapping[str, str], limit: float) -> tuple[str, str]:
        """A letter, and the words behind it."""
        while True:
            letter, _, words = (await self._line("> ", limit)).partition(" ")
            letter = letter.casefold() or "d"  # Enter alone is «done», which confirms no statement
            if letter == "a":
                raise KeyboardInterrupt("the operator has aborted the run")
            if letter in letters:
                return letter, words.strip()
            self._console.print(f"One of {', '.join(letters)}, please, and words behind it if you like.")

    async def _line(self, prompt: str, limit: float | None = None) -> str:
        """What is typed until Enter; of ``limit`` seconds it is shown how many are left. Raises ``Closed``."""
        if self._console.is_terminal and sys.stdin.isatty():
            return (await self._typed(prompt, limit)).strip()
        self._console.print(prompt if limit is None else f"within {limit:g} s", end=" ")
        return (await _read_line()).strip()

    async def _typed(self, prompt: str, limit: float | None) -> str:
        loop = asyncio.get_running_loop()
        end = loop.time() + (limit or 0.0)
        typed = ""

        def shown() -> Text:
            left = f"{_clock(end - loop.time())} left  " if limit is not None else ""
            return Text.assemble((left, "yellow"), prompt, typed)

        with _keys() as keys, Live(shown(), console=self._console, auto_refresh=False) as live:
            while True:
                live.update(shown(), refresh=True)
                try:
                    key = await asyncio.wait_for(keys.get(), 1)
                except TimeoutError:
                    continue  # a second less is left
                if key in ("\n", "\r"):
                    return typed
                if key in ("", END_OF_FILE):
                    raise Closed
                if key in BACKSPACES:
                    typed = typed[:-1]
                elif key == LINE_KILL:
                    typed = ""
                elif key.isprintable():
                    typed += key


def _card(request: Request) -> Panel:
    """What is to be done, what is looked at afterwards, what may be answered."""
    lines = Text()
    lines.append(request.sentence, "bold")
    if request.action == CONFIRM:
        title, letters = f"{request.case}: to be seen at the {request.party}", TO_CONFIRM
    else:
        title, letters = f"{request.case}: to do at the {request.party} ({request.charge_point})", TO_DO
        lines.append(f"\n{wanted(request)}")
    if request.checks:
        lines.append("\n\nChecked on the wire afterwards:", "dim")
        for sentence in request.checks:
            lines.append(f"\n  {sentence}", "dim")
    lines.append("\n\n")
    for letter, meaning in letters.items():
        lines.append("Enter" if letter == "d" else letter, "bold green").append(f" {meaning}   ")
    lines.append("\nWords behind the letter are noted in the report.", "dim")
    return Panel(lines, title=Text(title), title_align="center")


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(max(0, ceil(seconds)), 60)
    return f"{minutes}:{seconds:02}"


@contextmanager
def _keys() -> Iterator[asyncio.Queue[str]]:
    """What is typed, key by key and not shown by the terminal; empty once it is closed.

    What was typed before the question answers no question.
    """
    loop = asyncio.get_running_loop()
    keys: asyncio.Queue[str] = asyncio.Queue()
    decoder = getincrementaldecoder("utf-8")(errors="replace")
    terminal = sys.stdin.fileno()

    def readable() -> None:
        try:
            data = os.read(terminal, 1024)
        except OSError:  # as Linux tells of the other end that is gone
            data = b""
        if not data:
            loop.remove_reader(terminal)
            keys.put_nowait("")
        for key in NO_TEXT.sub("", decoder.decode(data)):
            keys.put_nowait(key)

    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSAFLUSH)
    loop.add_reader(terminal, readable)
    try:
        yield keys
    finally:
        loop.remove_reader(terminal)
        with suppress(termios.error):  # it is gone
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


async def _read_line() -> str:
    """A line of the standard input, while the loop goes on; given up without a thread left waiting for it."""
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
    loop = asyncio.get_running_loop()
    line = loop.create_future()

    def readable() -> None:
        text = sys.stdin.readline()
        if not line.done():
            line.set_result(text) if text else line.set_exception(Closed())

    loop.add_reader(sys.stdin.fileno(), readable)
    try:
        return str(await line)
    finally:
        loop.remove_reader(sys.stdin.fileno())
