"""``rehearse measure`` as its users call it: what it finds is what the other party takes."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from http import HTTPStatus
from inspect import signature
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from bench.command_line import app
from bench.measure import ROUND_TRIPS
from bench.settings import Told
from ocppj.clock import timestamp
from ocppj.connection import Admission, ConnectFailed, ServerSocket, connect, listen
from ocppj.errors import Refused
from ocppj.frames import Call, Payload
from ocppj.peer import Peer, counted_ids
from ocppj.schemas import ACTIONS, FROM_CENTRAL_SYSTEM, FROM_CHARGE_POINT
from reports.reading import StoredTranscripts, read_results
from reports.timing import performance, read, times
from simulator.charge_point import ChargePoint

CP, CS = "Charge Point", "Central System"
COMMAND = "import bench.measure; from bench.command_line import app; app(prog_name='rehearse')"


@dataclass
class Ended:
    """A command that has ended."""

    status: int
    out: str
    err: str


async def command(*arguments: str, cwd: Path, interrupt: asyncio.Event | None = None) -> Ended:
    """Call the command in a process of its own; it gets no terminal. It is interrupted when the event is set."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", COMMAND, *arguments),
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    if interrupt is not None:
        await interrupt.wait()
        process.send_signal(signal.SIGINT)
    async with asyncio.timeout(300):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


def called(*arguments: str, cwd: Path) -> Ended:
    return asyncio.run(command("measure", *arguments, cwd=cwd))


def measured(folder: Path) -> dict[tuple[str, str, str], tuple[float, ...]]:
    """What was written: the times by kind, action and party."""
    session = read(folder)
    assert session is not None
    return {(each.kind, each.action, each.party): each.times_s for each in session.measurements}


# --- the reference pair


def test_the_reference_pair_is_measured_in_real_time_by_default(tmp_path: Path) -> None:
    ended = called(cwd=tmp_path)
    assert (ended.status, ended.err) == (0, "")
    found = measured(tmp_path / "rehearsal-results")
    assert {key: len(times_s) for key, times_s in found.items()} == {
        ("response", "Authorize", CS): 200,
        ("response", "Heartbeat", CS): 20,
        ("response", "DataTransfer", CS): 20,
        ("response", "GetConfiguration", CP): 20,
        ("response", "GetLocalListVersion", CP): 20,
        ("response", "DataTransfer", CP): 20,
        ("response", "TriggerMessage", CP): 20,
        ("effect", "TriggerMessage", CP): 20,
    }
    assert all(0 < seconds < 5 for times_s in found.values() for seconds in times_s)
    assert "Measurements: rehearsal-results/measurements.json" in ended.out
    assert "Authorize " in ended.out


def test_a_self_rehearsal_has_honest_figures_with_it(tmp_path: Path) -> None:
    async def both() -> None:
        await command("run", "--case", "TC_003_CSMS", cwd=tmp_path)
        await command("measure", "--count", "3", cwd=tmp_path)

    asyncio.run(both())
    folder = tmp_path / "rehearsal-results"
    results, transcripts = read_results(folder), StoredTranscripts(folder)
    before = {row.measured for row in performance(results, times(results, transcripts))}
    assert before == {"not measured (virtual time)"}
    rows = performance(results, times(results, transcripts, read(folder)))
    assert {(row.party, row.name) for row in rows if "median" in row.measured} == {
        (CS, "OCPP response timeout"),
        (CS, "Response time Authorize"),
        (CP, "OCPP response timeout"),
        (CP, "OCPP triggered function timeout"),
    }


@pytest.mark.parametrize("profile", ["1", "2", "3"])
def test_the_reference_pair_is_measured_with_each_security_profile(tmp_path: Path, profile: str) -> None:
    ended = called("--security-profile", profile, "--password", "SIXTEEN-SECRETS!", "--count", "2", cwd=tmp_path)
    assert (ended.status, ended.err) == (0, "")
    assert {len(times_s) for times_s in measured(tmp_path / "rehearsal-results").values()} == {2}
    assert "SIXTEEN-SECRETS!" not in (tmp_path / "rehearsal-results" / "measurements.json").read_text()
    assert f"security profile {profile}" in (tmp_path / "rehearsal-results" / "measurements.json").read_text()


def test_others_are_measured_when_they_are_named(tmp_path: Path) -> None:
    others = [trip.action for trip in ROUND_TRIPS if trip.only_when_named]
    ended = called(
        *("--actions", f"{others[0].lower()}, {others[1]}", "--count", "2", "--out", "out"),
        *(f"--actions={each}" for each in others[2:]),
        cwd=tmp_path,
    )
    assert (ended.status, ended.err) == (0, "")
    assert {key: len(times_s) for key, times_s in measured(tmp_path / "out").items()} == {
        ("response", trip.action, trip.judged): 2 for trip in ROUND_TRIPS if trip.only_when_named
    }


def test_round_trips_are_of_actions_that_whoever_asks_may_send() -> None:
    for trip in ROUND_TRIPS:
        assert trip.action in (FROM_CHARGE_POINT if trip.judged == CS else FROM_CENTRAL_SYSTEM)
        assert trip.action in ACTIONS


# --- a Central System


Handler = Callable[[Call], Any]
CONFS: dict[str, Callable[[], Payload]] = {
    "BootNotification": lambda: {"status": "Accepted", "currentTime": timestamp(), "interval": 3600},
    "Heartbeat": lambda: {"currentTime": timestamp()},
    "Authorize": lambda: {"idTagInfo": {"status": "Invalid"}},
    "DataTransfer": lambda: {"status": "UnknownVendorId"},
    "StatusNotification": dict,
}


@asynccontextmanager
async def central_system(
    slow: str = "", delay: float = 0.0, refuses: str = "", code: str = "", slowed: asyncio.Event | None = None
) -> AsyncIterator[str]:
    """A Central System of somebody else at a URL: slow with one action, and without another.

    ``slowed`` is set when the slow one is asked for.
    """

    async def handle(call: Call) -> Payload:
        if call.action == refuses:
            raise Refused(code, "\x1b[31m" + "no" * 500)
        if slowed is not None and call.action == slow:
            slowed.set()
        await asyncio.sleep(delay if call.action == slow else 0.0)
        return CONFS[call.action]()

    async def serve(websocket: ServerSocket) -> None:
        ids = counted_ids("CSMS")
        await Peer(websocket, party="Central System", identity="CP1", handle=handle, unique_ids=ids).run()

    server = await listen(
        *("127.0.0.1", 0), admits=lambda _: Admission(HTTPStatus.SWITCHING_PROTOCOLS), serve_connection=serve
    )
    try:
        yield f"ws://127.0.0.1:{server.port}"
    finally:
        server.close()
        await server.wait_closed()


def at_central_system(*arguments: str, cwd: Path, interrupted: bool = False, **more: Any) -> Ended:
    async def scene() -> Ended:
        interrupt = asyncio.Event() if interrupted else None
        async with central_system(**more, slowed=interrupt) as url:
            return await command("measure", "--csms", url, "--out", "out", *arguments, cwd=cwd, interrupt=interrupt)

    return asyncio.run(scene())


def test_a_central_system_takes_as_long_as_it_takes(tmp_path: Path) -> None:
    ended = at_central_system("--count", "10", cwd=tmp_path, slow="Authorize", delay=0.1)
    assert (ended.status, ended.err) == (0, "")
    found = measured(tmp_path / "out")
    assert [*found] == [("response", action, CS) for action in ("Authorize", "Heartbeat", "DataTransfer")]
    assert 0.1 <= median(found["response", "Authorize", CS]) < 0.15
    assert median(found["response", "Heartbeat", CS]) < 0.05
    assert "idTag NOBODY-C0FFEE" in (tmp_path / "out" / "measurements.json").read_text()


def test_the_id_tag_that_it_knows_is_asked_for(tmp_path: Path) -> None:
    at_central_system("--count", "1", "--data", "ValidIdTag=04A1B2C3", cwd=tmp_path)
    assert "idTag 04A1B2C3" in (tmp_path / "out" / "measurements.json").read_text()


@pytest.mark.parametrize(("code", "exit_status"), [("NotImplemented", 0), ("NotSupported", 0), ("InternalError", 3)])
def test_what_it_refuses_is_not_measured_and_said(tmp_path: Path, code: str, exit_status: int) -> None:
    ended = at_central_system("--count", "2", cwd=tmp_path, refuses="DataTransfer", code=code)
    assert (ended.status, ended.err) == (exit_status, "")
    assert [action for _, action, _ in measured(tmp_path / "out")] == ["Authorize", "Heartbeat"]
    (line,) = [line for line in ended.out.splitlines() if line.startswith("Not measured")]
    assert line.startswith(f"Not measured: DataTransfer of the Central System: {code}: ")
    assert line.isprintable()
    assert len(line) < 400
    session = read(tmp_path / "out")
    assert session is not None
    assert len(session.not_measured) == 1


def test_what_is_not_answered_is_not_measured_and_said(tmp_path: Path) -> None:
    arguments = ("--count", "2", "--data", "MessageTimeout=0.5")
    ended = at_central_system(*arguments, cwd=tmp_path, slow="Heartbeat", delay=2.0)
    assert (ended.status, ended.err) == (3, "")
    assert "Not measured: Heartbeat of the Central System: Heartbeat" in ended.out
    assert "not answered in 0.5 s" in ended.out
    assert [action for _, action, _ in measured(tmp_path / "out")] == ["Authorize", "DataTransfer"]


def test_who_measures_nothing_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "measurements.json").write_text("before")
    arguments = ("--count", "1", "--actions", "DataTransfer")
    ended = at_central_system(*arguments, cwd=tmp_path, refuses="DataTransfer", code="NotImplemented")
    assert ended.status == 3
    assert (tmp_path / "out" / "measurements.json").read_text() == "before"


def test_an_interruption_leaves_what_was_measured(tmp_path: Path) -> None:
    arguments = ("--count", "20", "--actions", "Authorize,Heartbeat")
    ended = at_central_system(*arguments, cwd=tmp_path, slow="Heartbeat", delay=600.0, interrupted=True)
    assert (ended.status, ended.err) == (130, "")
    assert [action for _, action, _ in measured(tmp_path / "out")] == ["Authorize"]
    assert "Interrupted" in ended.out


def test_measurements_beside_the_results_of_another_device_are_said_to_be(tmp_path: Path) -> None:
    asyncio.run(command("run", "--case", "TC_003_CSMS", "--out", "out", cwd=tmp_path))
    ended = at_central_system("--count", "1", cwd=tmp_path)
    assert "out/results.json is of another device" in ended.out


# --- a Charge Point


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def at_charge_point(*arguments: str, cwd: Path, **settings: Any) -> Ended:
    async def scene() -> Ended:
        port = free_port()
        charge_point = ChargePoint(**settings)
        await charge_point.power_on(f"ws://127.0.0.1:{port}")
        try:
            return await command("measure", "--listen", f"127.0.0.1:{port}", "--out", "out", *arguments, cwd=cwd)
        finally:
            await charge_point.stop()

    return asyncio.run(scene())


def test_a_charge_point_is_measured(tmp_path: Path) -> None:
    ended = at_charge_point("--count", "3", cwd=tmp_path)
    assert (ended.status, ended.err) == (0, "")
    assert {key: len(times_s) for key, times_s in measured(tmp_path / "out").items()} == {
        ("response", "GetConfiguration", CP): 3,
        ("response", "GetLocalListVersion", CP): 3,
        ("response", "DataTransfer", CP): 3,
        ("response", "TriggerMessage", CP): 3,
        ("effect", "TriggerMessage", CP): 3,
    }


def test_what_a_charge_point_does_not_have_is_not_measured(tmp_path: Path) -> None:
    ended = at_charge_point("--count", "3", cwd=tmp_path, profiles=["Core"])
    assert (ended.status, ended.err) == (0, "")
    assert "Not measured: TriggerMessage of the Charge Point: NotSupported" in ended.out
    assert "TriggerMessage" not in {action for _, action, _ in measured(tmp_path / "out")}


def test_a_charge_point_that_was_there_before_need_not_boot(tmp_path: Path) -> None:
    async def scene() -> Ended:
        port = free_port()
        calling = asyncio.create_task(
            command(
                *("measure", "--listen", f"127.0.0.1:{port}", "--out", "out", "--count", "2"),
                *("--actions", "DataTransfer", "--data", "MessageTimeout=1"),
                cwd=tmp_path,
            )
        )
        websocket = None
        while websocket is None:
            await asyncio.sleep(0.2)
            try:
                websocket = await connect(f"ws://127.0.0.1:{port}", "CP1")
            except ConnectFailed:  # it does not listen yet
                continue

        async def handle(call: Call) -> Payload:
            return {"status": "UnknownVendorId"}

        peer = Peer(websocket, party="Charge Point", identity="CP1", handle=handle, unique_ids=counted_ids("CP"))
        await peer.run()
        return await calling

    ended = asyncio.run(scene())
    assert (ended.status, ended.err) == (0, "")
    assert len(measured(tmp_path / "out")["response", "DataTransfer", CP]) == 2


# --- what cannot be used


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--csms", "ws://x", "--listen", "127.0.0.1:0"], "exclude each other"),
        (["--csms", "http://x"], "is no URL"),
        (["--csms", "ws://127.0.0.1:9/x"], "Connection refused"),
        (["--listen", "nowhere"], "is not of the form HOST:PORT"),
        (["--listen", "127.0.0.1:0", "--data", "LongOperationTimeout=0.5"], "CP1 has not connected"),
        (["--actions", "Reset"], "--actions Reset is none of Authorize, "),
        (["--actions", ""], "is none of Authorize, "),
        (["--csms", "ws://127.0.0.1:9", "--actions", "TriggerMessage"], "is none of Authorize, DataTransfer, "),
        (["--listen", "127.0.0.1:0", "--actions", "Authorize"], "is none of ChangeAvailability, "),
        (["--security-profile", "7"], "is none of 0 to 3"),
        (["--password", "short"], "--password: "),
        (["--out", "a file"], "the measurements cannot be written to a file"),
        (["--data", "Nonsense=1"], "unknown test data Nonsense"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "a file").write_text("")
    ended = called(*arguments, cwd=tmp_path)
    assert ended.status == 2
    assert ended.err.startswith("rehearse: ")
    assert words in ended.err
    assert ended.err.count("\n") == 1
    assert not [*tmp_path.glob("**/measurements.json")]


def test_it_is_a_command_with_the_options_of_a_run() -> None:
    commands = {each.callback.__name__: each.callback for each in app.registered_commands if each.callback}
    shared = {each.name for each in fields(Told)}
    assert shared >= {"csms", "listen", "security_profile", "password", "tls_ca", "client_cert", "client_key", "pki"}
    for name in ("measure", "run"):
        assert {*signature(commands[name]).parameters} > shared


def test_what_is_written_has_the_shape_that_is_told(tmp_path: Path) -> None:
    called("--count", "1", "--actions", "Authorize", cwd=tmp_path)
    document = json.loads((tmp_path / "rehearsal-results" / "measurements.json").read_text())
    (each,) = document.pop("measurements")
    (seconds,) = each.pop("times_s")
    assert 0 < seconds < 5
    assert each == {"kind": "response", "action": "Authorize", "party": CS}
    device = document.pop("device")
    assert device["kind"].startswith("self-rehearsal")
    assert {*document} == {"format", "tool", "version", "started", "ended", "how", "not_measured"}
