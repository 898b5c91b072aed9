"""Operators of every kind who say done and do nothing, at a real terminal and with real programs."""

import asyncio
import os
import pty
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from simulator.charge_point import ChargePoint
from tests.bench.drivers import install
from tests.bench.test_command_line import NEEDS_THE_COMMAND, REHEARSE, Listening, free_port, results
from tests.bench.test_person import ESCAPES

pytestmark = NEEDS_THE_COMMAND

LIMITS = {"MessageTimeout": 1, "LongOperationTimeout": 10, "OperatorTimeout": 30}
QUICK = [*(part for name, value in LIMITS.items() for part in ("--data", f"{name}={value}")), "--out", "out"]


class Polite(BaseHTTPRequestHandler):
    """Says yes to everything and does nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """It is nobody's business."""


@contextmanager
def polite() -> Iterator[str]:
    """An HTTP interface that says yes to everything; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Polite)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class AtTerminal:
    """The command at a pseudo-terminal, with somebody who types when he sees something."""

    def __init__(self) -> None:
        self.keyboard, self._screen = pty.openpty()
        self.seen = ""

    async def run(self, arguments: list[str], cwd: Path, *lines: tuple[str, str]) -> int:
        """The exit status of the command. ``lines``: what is typed, each when the text before it was seen."""
        process = await asyncio.create_subprocess_exec(
            str(REHEARSE),
            *arguments,
            cwd=cwd,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
            stdin=self._screen,
            stdout=self._screen,
            stderr=self._screen,
            start_new_session=True,
        )
        os.close(self._screen)
        expected, read_until, written = [*lines], 0, b""
        while chunk := await asyncio.to_thread(self._read):
            written += chunk
            self.seen = ESCAPES.sub("", written.decode(errors="replace"))
            while expected and (place := self.seen.find(expected[0][0], read_until)) >= 0:
                read_until = place + len(expected[0][0])
                os.write(self.keyboard, expected.pop(0)[1].encode())
        os.close(self.keyboard)
        assert not expected, self.seen
        return await process.wait()

    def _read(self) -> bytes:
        try:
            return os.read(self.keyboard, 65536)
        except OSError:  # as Linux tells of the other end that is closed
            return b""


async def quietly(arguments: list[str], cwd: Path) -> int:
    """The exit status of the command without a terminal."""
    process = await asyncio.create_subprocess_exec(
        str(REHEARSE), *arguments, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    return await process.wait()


Call = Callable[[list[str], Path], Awaitable[int]]


@contextmanager
def saying_done(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], Call]]:
    """The options for an operator of a kind who says done and does nothing, and how the command is called."""
    match kind:
        case "command":
            yield ["--operator", "command:true"], quietly
        case "http":
            with polite() as url:
                yield ["--operator", f"http:{url}/{{action}}"], quietly
        case "driver":
            installed = folder / "installed"
            installed.mkdir()
            monkeypatch.setenv("PYTHONPATH", str(install(installed)))
            yield ["--operator", "driver:plain"], quietly
        case _:
            yield [], lambda arguments, cwd: AtTerminal().run(arguments, cwd, ("left  > ", "\n"))


KINDS = pytest.mark.parametrize("kind", ["person", "http", "command", "driver"])


@pytest.fixture
def central_system() -> Iterator[Listening]:
    listening = Listening("CP1")
    yield listening
    listening.close()


@KINDS
def test_a_central_system_was_told_and_sent_nothing(
    tmp_path: Path, central_system: Listening, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with saying_done(kind, tmp_path, monkeypatch) as (options, call):
        arguments = ["run", "--csms", central_system.url, "--case", "TC_013_CSMS", *QUICK, *options]
        assert central_system.turn(call(arguments, tmp_path)) == 3
    (case,) = results(tmp_path / "out")["cases"]
    assert case["verdict"] == "inconclusive"
    assert case["reason"] == "the Central System was told to send Reset.req and sent nothing in 1 s"


@KINDS
def test_a_charge_point_was_told_and_sent_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    port = free_port()

    async def rehearsed(arguments: list[str], call: Call) -> int:
        charge_point = ChargePoint()
        calling = asyncio.ensure_future(call(arguments, tmp_path))
        await charge_point.power_on(f"ws://127.0.0.1:{port}")
        status = await calling
        await charge_point.stop()
        return status

    with saying_done(kind, tmp_path, monkeypatch) as (options, call):
        arguments = ["run", "--listen", f"127.0.0.1:{port}", "--case", "TC_003_CS", *QUICK, *options]
        assert asyncio.run(rehearsed(arguments, call)) == 3
    (case,) = results(tmp_path / "out")["cases"]
    assert case["verdict"] == "inconclusive"
    assert case["reason"].startswith("the Charge Point was told (plug in) and sent nothing, as far as hands go: ")


# --- a person in a run


def at_terminal(central_system: Listening, arguments: list[str], cwd: Path, *lines: tuple[str, str]) -> Any:
    """How the command ended, and what was seen, at the terminal of somebody who types these lines."""
    terminal = AtTerminal()
    status = central_system.turn(terminal.run(arguments, cwd, *lines))
    return status, terminal.seen


def answered(case: str, text: str) -> tuple[tuple[str, str], ...]:
    """What is typed when the card of a case is there."""
    return ((f"{case}: to do", ""), ("left  > ", f"{text}\n"))


def test_a_person_hears_what_is_ahead_and_aborts(tmp_path: Path, central_system: Listening) -> None:
    cases = [
        argument
        for case in ("TC_013_CSMS", "TC_010_CSMS", "TC_001_CSMS", "TC_014_CSMS")
        for argument in ("--case", case)
    ]
    data = ["--data", "ValidIdTag=A-1"]
    arguments = ["run", "--csms", central_system.url, *cases, *data, *QUICK]
    typed = (
        ("send Reset.req: 2 cases", ""),
        *answered("TC_013_CSMS", "i no time"),
        *answered("TC_014_CSMS", "a"),
    )
    status, seen = at_terminal(central_system, arguments, tmp_path, *typed)
    assert status == 130, seen
    assert "1 case runs by itself, then 3 need you: twice send Reset.req, once send RemoteStartTransaction.req." in seen
    told = [(case["id"], case["verdict"]) for case in results(tmp_path / "out")["cases"]]
    assert told == [("TC_001_CSMS", "pass"), ("TC_013_CSMS", "inconclusive")]
    assert "rehearse run --resume out goes on" in seen
    # And it does: the rest is asked for, what was finished is not.
    resume = ["run", "--resume", "out"]
    typed = (*answered("TC_010_CSMS", "c"), *answered("TC_014_CSMS", "c"))
    status, seen = at_terminal(central_system, resume, tmp_path, *typed)
    assert status == 1, seen
    assert "Of the cases 2 need you: " in seen
    told = [(case["id"], case["verdict"]) for case in results(tmp_path / "out")["cases"]]
    assert told == [
        ("TC_001_CSMS", "pass"),
        ("TC_010_CSMS", "fail"),
        ("TC_013_CSMS", "inconclusive"),
        ("TC_014_CSMS", "fail"),
    ]


def test_a_shuffled_run_has_no_batches(tmp_path: Path, central_system: Listening) -> None:
    arguments = ["run", "--csms", central_system.url, "--case", "TC_013_CSMS", *QUICK, "--shuffle", "1"]
    status, seen = at_terminal(central_system, arguments, tmp_path, ("left  > ", "i\n"), ("Why? ", "no time\n"))
    assert status == 3
    assert "need you" not in seen
    assert "the operator could not: no time" in results(tmp_path / "out")["cases"][0]["reason"]


@pytest.mark.parametrize(
    ("typed", "verdict", "told"),
    [
        ("y it clicked", "pass", {"answer": "confirmed", "note": "it clicked", "by": "Jane Doe"}),
        ("n it is stuck", "fail", {"answer": "denied", "note": "it is stuck", "by": "Jane Doe"}),
        ("i", "pass", {"answer": "not known", "note": "", "by": "Jane Doe"}),
    ],
)
def test_what_only_a_person_can_see_stands_in_the_report(
    tmp_path: Path, typed: str, verdict: str, told: dict[str, str]
) -> None:
    port = free_port()
    terminal = AtTerminal()

    async def rehearsed() -> int:
        charge_point = ChargePoint()
        arguments = [
            "run",
            "--listen",
            f"127.0.0.1:{port}",
            "--case",
            "TC_017_1_CS",
            *QUICK,
            "--operator-name",
            "Jane Doe",
        ]
        running = asyncio.create_task(terminal.run(arguments, tmp_path, ("left  > ", f"{typed}\n")))
        await charge_point.power_on(f"ws://127.0.0.1:{port}")
        status = await running
        await charge_point.stop()
        return status

    assert asyncio.run(rehearsed()) == (1 if verdict == "fail" else 0), terminal.seen
    (case,) = results(tmp_path / "out")["cases"]
    assert case["verdict"] == verdict
    (testimony,) = case["testimony"]
    assert testimony == {"asked": "connector 1 is unlocked", "words": "", **told}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Told by the operator" in page
    assert "Jane Doe, a person" in page
