"""A person at a pseudo-terminal, who reads what is on it and types."""

import asyncio
import os
import pty
import re
import sys
import termios
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import TextIO

import pytest
from rich.console import Console

from bench.operators import CONFIRM, Outcome, Request
from bench.operators.person import Person

REQUEST = Request(
    party="Charge Point",
    action="present",
    payload={"connectorId": 1, "idTag": "VALID"},
    sentence="When the EV driver presents idTag {ValidIdTag}",
    case="TC_003_CS",
    charge_point="CP1",
    time_limit=600.0,
    checks=("Then the Charge Point sends Authorize.req", "And the Central System responds with Authorize.conf"),
)
QUESTION = replace(
    REQUEST,
    action=CONFIRM,
    payload={"statement": "connector 1 is unlocked"},
    sentence="connector 1 is unlocked: is it so?",
    checks=(),
)

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
PROMPT = r"left  > \Z"


@dataclass
class Terminal:
    """A pseudo-terminal: what the person sees on it, and what is typed."""

    keyboard: int
    screen: TextIO
    console: Console
    written: str = ""
    read_until: int = 0
    decoder: IncrementalDecoder = field(default_factory=getincrementaldecoder("utf-8"))
    paused: list[bool] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        """What was written to it, without colours and movements."""
        return ESCAPES.sub("", self.written)

    def listen(self) -> None:
        """Read what is written, as long as the loop goes on."""
        self.changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.keyboard, self._readable)

    def _readable(self) -> None:
        self.written += self.decoder.decode(os.read(self.keyboard, 65536))
        self.changed.set()

    async def sees(self, pattern: str) -> None:
        """Wait until something is on the terminal that was not there when it was last looked at."""
        while not (found := re.compile(pattern).search(self.text, self.read_until)):
            self.changed.clear()
            await self.changed.wait()
        self.read_until = found.end()

    async def types(self, *lines: tuple[str, str]) -> None:
        """Type each text when its pattern is seen."""
        for pattern, text in lines:
            await self.sees(pattern)
            os.write(self.keyboard, text.encode())


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    keyboard, other = pty.openpty()
    stdin, screen = os.fdopen(os.dup(other), "r"), os.fdopen(other, "w")
    monkeypatch.setattr(sys, "stdin", stdin)
    before = termios.tcgetattr(stdin)
    yield Terminal(keyboard, screen, Console(file=screen, width=100, force_terminal=True, _environ={"TERM": "xterm"}))
    assert termios.tcgetattr(stdin) == before, "the terminal was not left as it was"
    stdin.close()
    screen.close()
    os.close(keyboard)


async def at(terminal: Terminal, person: Person, request: Request, act: Callable[[], Awaitable[object]]) -> Outcome:
    """What comes of a request while somebody acts at the terminal."""
    terminal.listen()
    asking = asyncio.create_task(person.ask(request))
    await act()
    return await asking


def ask(terminal: Terminal, *lines: tuple[str, str], request: Request = REQUEST, name: str = "") -> Outcome:
    """What comes of a request to a person who types these lines, each when its pattern is seen."""
    person = Person(terminal.console, terminal.paused.append, name)
    outcome = asyncio.run(at(terminal, person, request, lambda: terminal.types(*lines)))
    assert terminal.paused == [True, False]  # the progress display gives way
    return outcome


CANNOT = "the operator says that the device cannot do this"

TYPED: dict[str, tuple[list[tuple[str, str]], Outcome]] = {
    "Enter": ([(PROMPT, "\n")], Outcome("done")),
    "spaces and Enter": ([(PROMPT, "  \n")], Outcome("done")),
    "return": ([(PROMPT, "\r")], Outcome("done")),
    "d": ([(PROMPT, "d\n")], Outcome("done")),
    "d and a note": ([(PROMPT, "d the cable is stiff – très\n")], Outcome("done", note="the cable is stiff – très")),
    "c": ([(PROMPT, "c\n")], Outcome("device cannot", CANNOT)),
    "C and why": ([(PROMPT, "C no reader\n")], Outcome("device cannot", f"{CANNOT}: no reader")),
    "i and why": ([(PROMPT, "i the card is lost\n")], Outcome("gave up", "the operator could not: the card is lost")),
    "i, then why": ([(PROMPT, "i\n"), (r"Why\? \Z", "lunch\n")], Outcome("gave up", "the operator could not: lunch")),
    "i and no why": (
        [(PROMPT, "i\n"), (r"Why\? \Z", "\n")],
        Outcome("gave up", "the operator could not: no reason given"),
    ),
    "something else": ([(PROMPT, "done\n"), ("One of d, c, i, a", ""), (PROMPT, "\n")], Outcome("done")),
    "letter by letter": ([(PROMPT, "c"), (r"> c\Z", "\n")], Outcome("device cannot", CANNOT)),
    "a letter taken back": ([(PROMPT, "c\x7f"), (r"> \Z", "\n")], Outcome("done")),
    "a line taken back": ([(PROMPT, "c x\x15"), (r"> \Z", "\n")], Outcome("done")),
    "an arrow": ([(PROMPT, "\x1b[A"), ("", "\n")], Outcome("done")),
    "end of file": ([(PROMPT, "\x04")], Outcome("gave up", "the terminal is closed")),
}


@pytest.mark.parametrize("name", TYPED)
def test_what_a_person_types(terminal: Terminal, name: str) -> None:
    lines, outcome = TYPED[name]
    assert ask(terminal, *lines) == outcome


def test_the_card(terminal: Terminal) -> None:
    ask(terminal, (PROMPT, "\n"))
    for text in (
        "TC_003_CS: to do at the Charge Point (CP1)",
        "When the EV driver presents idTag {ValidIdTag}",
        "present (connectorId = 1, idTag = VALID) at the Charge Point",
        "Checked on the wire afterwards:",
        "Then the Charge Point sends Authorize.req",
        "And the Central System responds with Authorize.conf",
        "Enter done   c the device cannot do this   i I cannot   a abort the run",
        "Words behind the letter are noted in the report.",
    ):
        assert text in terminal.text


def test_a_card_shows_what_it_was_given_and_no_colours_of_it(terminal: Terminal) -> None:
    ask(terminal, (PROMPT, "\n"), request=replace(REQUEST, payload={"key": ["[red]x[/red]"]}))
    assert "key = ['[red]x[/red]']" in terminal.text


def test_the_time_that_is_left_runs_down(terminal: Terminal) -> None:
    ask(terminal, (r"10:00 left  > \Z", ""), (r"9:59 left", ""), (r"9:58 left", "\n"))


def test_a_person_who_does_nothing(terminal: Terminal) -> None:
    outcome = ask(terminal, request=replace(REQUEST, time_limit=0.5))
    assert outcome == Outcome("gave up", "no answer from the operator in 0.5 s")


def test_a_person_who_does_not_say_why(terminal: Terminal) -> None:
    outcome = ask(terminal, (PROMPT, "i\n"), request=replace(REQUEST, time_limit=1.0))
    assert outcome == Outcome("gave up", "no answer from the operator in 1 s")


def test_a_person_who_aborts_the_run(terminal: Terminal) -> None:
    with pytest.raises(KeyboardInterrupt, match="the operator has aborted the run"):
        ask(terminal, (PROMPT, "a\n"))


def test_what_was_typed_before_the_question_does_not_answer_it(terminal: Terminal) -> None:
    os.write(terminal.keyboard, b"c\n")
    assert ask(terminal, (PROMPT, "\n")).answer == "done"


def test_a_person_can_be_asked_again(terminal: Terminal) -> None:
    assert ask(terminal, request=replace(REQUEST, time_limit=0.2)).answer == "gave up"
    terminal.paused.clear()
    again = replace(REQUEST, case="TC_004_1_CS")
    assert ask(terminal, ("TC_004_1_CS: to do", ""), (PROMPT, "\n"), request=again).answer == "done"


def test_the_loop_goes_on_while_a_person_thinks(terminal: Terminal) -> None:
    beats = 0

    async def think() -> None:
        nonlocal beats
        await terminal.sees(PROMPT)
        for _ in range(20):
            await asyncio.sleep(0)
            beats += 1
        os.write(terminal.keyboard, b"\n")

    assert asyncio.run(at(terminal, Person(terminal.console), REQUEST, think)).answer == "done"
    assert beats == 20


def test_a_terminal_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, other = pty.openpty()
    paper = StringIO()

    async def asked() -> Outcome:
        asking = asyncio.create_task(Person(Console(file=paper, force_terminal=True)).ask(REQUEST))
        while "left" not in paper.getvalue():  # noqa: ASYNC110  # nobody tells of a text that was written
            await asyncio.sleep(0)
        os.close(keyboard)
        return await asking

    with os.fdopen(other, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert asyncio.run(asked()) == Outcome("gave up", "the terminal is closed")


# --- what only a person can see

CONFIRMED: dict[str, tuple[str, Outcome]] = {
    "yes": ("y", Outcome("done", by="Jane Doe")),
    "yes and a note": ("y it clicked", Outcome("done", note="it clicked", by="Jane Doe")),
    "no": ("n it is stuck", Outcome("denied", note="it is stuck", by="Jane Doe")),
    "cannot tell": ("i too dark", Outcome("gave up", note="too dark", by="Jane Doe")),
}


@pytest.mark.parametrize("answer", CONFIRMED)
def test_what_a_person_has_seen(terminal: Terminal, answer: str) -> None:
    typed, outcome = CONFIRMED[answer]
    assert ask(terminal, (PROMPT, f"{typed}\n"), request=QUESTION, name="Jane Doe") == outcome
    assert "TC_003_CS: to be seen at the Charge Point" in terminal.text
    assert "connector 1 is unlocked: is it so?" in terminal.text
    assert "y yes, it is so   n no   i I cannot tell   a abort the run" in terminal.text


def test_enter_alone_confirms_nothing(terminal: Terminal) -> None:
    lines = ((PROMPT, "\n"), ("One of y, n, i, a", ""), (PROMPT, "n\n"))
    assert ask(terminal, *lines, request=QUESTION, name="Jane Doe").answer == "denied"


@pytest.mark.parametrize(("typed", "name"), [("Jane Doe\n", "Jane Doe"), ("\n", "a person who gave no name")])
def test_a_person_is_asked_for_his_name_once(terminal: Terminal, typed: str, name: str) -> None:
    person = Person(terminal.console)

    async def twice() -> list[Outcome]:
        lines = ((PROMPT, "y\n"), (r"Your name, for the report: \Z", typed))
        first = await at(terminal, person, QUESTION, lambda: terminal.types(*lines))
        again = replace(QUESTION, case="TC_004_1_CS")
        lines = (("TC_004_1_CS: to be seen", ""), (PROMPT, "n\n"))
        return [first, await at(terminal, person, again, lambda: terminal.types(*lines))]

    assert asyncio.run(twice()) == [Outcome("done", by=name), Outcome("denied", by=name)]


# --- what is written is no terminal


def test_a_person_whose_output_goes_elsewhere(terminal: Terminal) -> None:
    terminal.console = Console(file=terminal.screen, width=100, force_terminal=False)
    outcome = ask(terminal, (r"within 600 s", "i\n"), (r"Why\?", "too late\n"))
    assert outcome == Outcome("gave up", "the operator could not: too late")
    terminal.paused.clear()
    assert ask(terminal, (r"within 600 s", "\x04")) == Outcome("gave up", "the terminal is closed")
