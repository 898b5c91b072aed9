"""A self-rehearsal in several processes, and in another order: what comes of it is the same."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from bench.cases import all_cases
from ocppj.transcript import normalised
from tests.bench.test_command_line import (
    ALL,
    NEEDS_THE_COMMAND,
    assert_unusable,
    rehearse,
    results,
    self_rehearsal,
    verdicts,
)

pytestmark = NEEDS_THE_COMMAND

# A script that calls the command after a fault of ours was planted where the bench of a case is laid.
SPOILT = """
import os, sys, time
from pathlib import Path
from _ocpp_rehearsal import main
from bench.run import Run
ordinary = Run.begin
def begin(self, case):
    if case.id == 'TC_004_2_CS':
        {fault}
    return ordinary(self, case)
Run.begin = begin
main()
"""
WAITS = "Path('pid').write_text(str(os.getpid())); os.rename('pid', 'waiting'); time.sleep({seconds})"


# Here the first process is killed while the others have more to tell than a pipe holds.
DEAF = """
import os, signal, threading
import bench.processes
from _ocpp_rehearsal import main
hear = bench.processes._Worker.hear
def deaf(self, rehearsal):
    threading.Timer(3, os.kill, (os.getpid(), signal.SIGKILL)).start()
    signal.pause()
bench.processes._Worker.hear = deaf
main()
"""


def spoilt(tmp_path: Path, fault: str, *arguments: str) -> "subprocess.Popen[str]":
    return started(tmp_path, SPOILT.format(fault=fault), *arguments)


def started(tmp_path: Path, script: str, *arguments: str) -> "subprocess.Popen[str]":
    (tmp_path / "spoilt.py").write_text(script)
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "spoilt.py", "run", "--out", "out", *arguments],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def processes_beside(pid: int) -> list[int]:
    """The processes of a session, found by its leader, that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue  # gone meanwhile
        if int(session) == pid and state not in "ZX":
            found.append(int(path.parent.name))
    return found


def await_file(path: Path) -> str:
    for _ in range(600):
        if path.exists():
            return path.read_text()
        sleep(0.1)
    raise AssertionError(f"{path.name} was not written")


def what_is_said(output: str) -> list[str]:
    """The lines of a run, in no order, without the one that names the results."""
    return sorted(output.splitlines()[:-1])


@dataclass(frozen=True)
class Outcome:
    """What a run leaves, but for when it was, how it was called, and which ports the system chose."""

    status: int
    lines: list[str]
    document: dict[str, Any]
    transcripts: dict[str, str]


def outcome(folder: Path, *arguments: str) -> Outcome:
    process = rehearse("run", "--out", "out", *arguments, cwd=folder, timeout=600)  # it may be slow, and the same
    return left_by(process, folder / "out")


def left_by(process: subprocess.CompletedProcess[str], out: Path) -> Outcome:
    assert process.stderr == ""
    document = results(out)
    for name in ("started", "ended", "command", "folder", "options", "sessions"):
        del document["run"][name]
    paths = (out / "cases").glob("*/transcript.jsonl")
    texts = {path.parent.name: normalised(path.read_text()) for path in paths}
    return Outcome(process.returncode, what_is_said(process.stdout), document, texts)


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A self-rehearsal in one process, in the order of the ids."""
    return left_by(*self_rehearsal(tmp_path_factory))


def test_several_processes_leave_what_one_leaves(tmp_path: Path, ordinary: Outcome) -> None:
    found = outcome(tmp_path, "-n", "3")
    assert found == ordinary
    assert [case["id"] for case in found.document["cases"]] == ALL
    assert sorted(found.transcripts) == ALL


def test_options_reach_every_process(tmp_path: Path) -> None:
    arguments = ["--lacks", "detachable_cable", "--data", "HeartbeatInterval=17", "--role", "CS", "--strict"]
    (tmp_path / "one").mkdir()
    assert outcome(tmp_path, "-n", "2", *arguments) == outcome(tmp_path / "one", *arguments)


def test_more_processes_than_cases(tmp_path: Path) -> None:
    cases = ["--case", "TC_003_CS", "--case", "TC_031_CSMS"]
    process = rehearse("run", "--processes", "9", *cases, "--out", "out", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert verdicts(tmp_path / "out") == {"TC_003_CS": "pass", "TC_031_CSMS": "pass"}


@pytest.mark.parametrize("device", [["--csms", "ws://127.0.0.1:1/x"], ["--listen", "127.0.0.1:0"]], ids=lambda x: x[0])
def test_a_device_plays_one_case_at_a_time(tmp_path: Path, device: list[str]) -> None:
    words = "--processes is for a self-rehearsal: a device plays one case at a time"
    assert_unusable(rehearse("run", "-n", "2", *device, cwd=tmp_path), words)


@pytest.mark.parametrize("number", ["0", "-1"])
def test_no_process_plays_nothing(tmp_path: Path, number: str) -> None:
    assert_unusable(rehearse("run", "-n", number, cwd=tmp_path), f"--processes {number} is not above 0")


# --- what goes wrong in one of them

FAULTS = {
    "an exception of ours": ("raise KeyError('x')", 3, "error", "our own code failed before the case began: .*"),
    "a process that is killed": ("os.kill(os.getpid(), 9)", 3, "error", "the process .* has died \\(SIGKILL\\)"),
    "a process that leaves": ("os._exit(0)", 3, "error", "the process .* has died \\(exit status 0\\)"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_an_error_of_its_case(tmp_path: Path, name: str) -> None:
    fault, status, verdict, reason = FAULTS[name]
    process = spoilt(tmp_path, fault, "-n", "2")
    output, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (status, ""), output
    found = {case["id"]: case for case in results(tmp_path / "out")["cases"]}
    assert sorted(found) == ALL
    assert found["TC_004_2_CS"]["verdict"] == verdict
    assert re.fullmatch(reason, found["TC_004_2_CS"]["reason"])
    share = ALL[ALL.index("TC_004_2_CS") % 2 :: 2]
    for case, result in found.items():
        spoiled = case == "TC_004_2_CS" or ("process" in name and case in share and case > "TC_004_2_CS")
        assert result["verdict"] == ("error" if spoiled else "pass"), case
    assert processes_beside(process.pid) == []


def to_the_first(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGINT)


def to_all(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGINT)


def a_time_limit(process: "subprocess.Popen[str]") -> None:
    process.terminate()


@pytest.mark.parametrize("interrupt", [to_the_first, to_all, a_time_limit])
def test_an_interruption_ends_all(tmp_path: Path, interrupt: Callable[["subprocess.Popen[str]"], None]) -> None:
    process = spoilt(tmp_path, WAITS.format(seconds=600), "-n", "2")
    await_file(tmp_path / "waiting")
    interrupt(process)
    output, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (130, "")
    assert re.search(r"\nInterrupted\. \d+ cases are left: rehearse run --resume out goes on\.\n$", output)
    assert processes_beside(process.pid) == []
    found = verdicts(tmp_path / "out")
    assert "TC_004_2_CS" not in found
    assert set(found.values()) <= {"pass"}


def test_nobody_goes_on_when_the_first_is_killed(tmp_path: Path) -> None:
    process = spoilt(tmp_path, WAITS.format(seconds=2), "-n", "2")
    await_file(tmp_path / "waiting")
    process.kill()
    assert_nobody_is_left(process)
    later = ALL[ALL.index("TC_004_2_CS") % 2 :: 2][-1]
    assert not (tmp_path / "out" / "cases" / later).exists()


def test_nobody_waits_for_one_that_was_killed(tmp_path: Path) -> None:
    assert_nobody_is_left(started(tmp_path, DEAF, "-n", "2"))


def assert_nobody_is_left(process: "subprocess.Popen[str]") -> None:
    try:
        process.communicate(timeout=300)
        for _ in range(600):
            if not processes_beside(process.pid):
                break
            sleep(0.1)
        assert processes_beside(process.pid) == []
    finally:
        for pid in processes_beside(process.pid):
            os.kill(pid, signal.SIGKILL)


# --- another order


def test_a_shuffled_run_says_how_to_repeat_it(tmp_path: Path) -> None:
    first = rehearse("run", "--profile", "core", "--shuffle", "7", "--out", "out", cwd=tmp_path)
    again = rehearse("run", "--profile", "core", "--shuffle", "7", "--out", "out", cwd=tmp_path)
    other = rehearse("run", "--profile", "core", "--shuffle", "8", "--out", "out", cwd=tmp_path)
    assert first.returncode == other.returncode == 0
    assert first.stdout.startswith("The cases are shuffled: --shuffle 7 plays them in this order again.\n")
    assert played(first.stdout) == played(again.stdout) != played(other.stdout)
    core = [case.id for case in all_cases().values() if case.profile == "Core"]
    assert played(first.stdout) != core
    assert sorted(played(first.stdout)) == sorted(core)
    assert json.loads((tmp_path / "out" / "results.json").read_text())["run"]["shuffle"] == 8


def played(output: str) -> list[str]:
    return re.findall(r"^pass +(TC_\w+)", output, re.MULTILINE)


def test_a_run_that_is_not_shuffled_does_not_say_so(tmp_path: Path) -> None:
    process = rehearse("run", "--case", "TC_003_CS", "--out", "out", cwd=tmp_path)
    assert "shuffle" not in process.stdout
    assert results(tmp_path / "out")["run"]["shuffle"] is None


@pytest.mark.parametrize("seed", range(10))
def test_the_order_changes_nothing(tmp_path: Path, ordinary: Outcome, seed: int) -> None:
    found = outcome(tmp_path, "-n", "2", "--shuffle", str(seed))
    assert found.status == 0, found.lines
    assert verdicts(tmp_path / "out") == dict.fromkeys(ALL, "pass")
    assert found.document["cases"] == ordinary.document["cases"]
    assert found.transcripts == ordinary.transcripts


# --- on a machine that has other things to do


# Works for nothing, as long as whoever started it is there.
BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"


@pytest.fixture
def load() -> Iterator[None]:
    """A process for each core that wants all of it."""
    command = [sys.executable, "-c", BUSY, str(os.getpid())]
    busy = [subprocess.Popen(command) for _ in range(2 * (os.cpu_count() or 1))]  # noqa: S603  # our own
    yield
    still_busy = [process.poll() is None for process in busy]
    for process in busy:
        process.kill()
        process.wait()
    assert all(still_busy)


@pytest.mark.usefixtures("load")
def test_a_busy_machine_changes_nothing(tmp_path: Path, ordinary: Outcome) -> None:
    assert outcome(tmp_path, "-n", "2") == ordinary
