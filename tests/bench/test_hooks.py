"""What is done before a run and before each case: programs and drivers, real ones."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.device import BadSetting
from bench.hooks import Hooks
from bench.operators import Beginning, HookFailed
from bench.programs import Program, ProgramFailed
from tests.bench.drivers import install
from tests.bench.test_command_line import (
    NEEDS_THE_COMMAND,
    Listening,
    assert_unusable,
    rehearse,
    results,
    verdicts,
)

pytestmark = NEEDS_THE_COMMAND

BEGINNING = Beginning("TC_003_CS", {"identity": "CP1"}, {"ValidIdTag": "VALID"}, 20.0)


def program(folder: Path, text: str) -> str:
    """A little program; its path."""
    path = folder / "hook"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def before_case(command: str, beginning: Beginning = BEGINNING) -> None:
    asyncio.run(Hooks(before_case=command).before_case(beginning))


def is_running(pid: int) -> bool:
    """Whether a process runs; who has ended and is not yet buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# --- a program


def test_a_hook_is_told_what_begins(tmp_path: Path) -> None:
    before_case(program(tmp_path, f"cat > {tmp_path}/told"))
    assert json.loads((tmp_path / "told").read_text()) == {
        "hook": "before_case",
        "case": "TC_003_CS",
        "device": {"identity": "CP1"},
        "test_data": {"ValidIdTag": "VALID"},
        "time_limit_s": 20.0,
    }


def test_the_other_hook_is_not_run(tmp_path: Path) -> None:
    asyncio.run(Hooks(before_case=program(tmp_path, "exit 1")).before_run(BEGINNING))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo no database >&2; exit 1", "before_case: HOOK ended with status 1: no database"),
        ("exit 7", "before_case: HOOK ended with status 7"),
        ("kill -9 $$", "before_case: HOOK was ended by SIGKILL"),
    ],
)
def test_a_hook_that_fails(tmp_path: Path, text: str, words: str) -> None:
    path = program(tmp_path, text)
    with pytest.raises(HookFailed) as raised:
        before_case(path)
    assert str(raised.value) == words.replace("HOOK", path)


def test_a_hook_that_hangs_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    path = program(tmp_path, f"sleep 3600 & echo $! > {tmp_path}/pid; wait")
    with pytest.raises(ProgramFailed, match=r"hook did not end in 0\.5 s"):
        asyncio.run(Program(path).run("", 0.5))
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_a_hook_may_leave_something_running(tmp_path: Path) -> None:
    path = program(tmp_path, f"sleep 3600 & echo $! > {tmp_path}/pid; echo started")
    ended = asyncio.run(Program(path).run("", 20.0))
    pid = int((tmp_path / "pid").read_text())
    assert is_running(pid)
    os.kill(pid, 9)
    assert (ended.status, ended.said) == (0, "started")


def test_a_hook_that_is_called_off_is_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "began")

    async def call_off() -> None:
        running = asyncio.create_task(Program(path).run("", 600.0))
        await asyncio.to_thread((tmp_path / "began").read_text)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    path = program(tmp_path, f"echo $$ > {tmp_path}/pid; echo > {tmp_path}/began; exec sleep 3600")
    asyncio.run(call_off())
    assert not is_running(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("command", ["", "nothing-of-this-name --x", "'unbalanced"])
def test_a_hook_that_cannot_be_found(command: str) -> None:
    with pytest.raises(BadSetting, match=r"^the hook before_run: .*is no program"):
        Hooks(before_run=command)


# --- in a run


@pytest.fixture
def central_system() -> Iterator[Listening]:
    listening = Listening("CP1")
    yield listening
    listening.close()


CASES = ["--case", "TC_001_CSMS", "--case", "TC_023_1_CSMS", "--case", "TC_073_CSMS", "--data", "ValidIdTag=A-1"]


def told(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "told").read_text().splitlines()]


def test_hooks_are_run_before_the_run_and_before_each_case(tmp_path: Path, central_system: Listening) -> None:
    hook = program(tmp_path, f"cat >> {tmp_path}/told; echo >> {tmp_path}/told")
    arguments = ["--csms", central_system.url, *CASES, "--before-run", hook, "--before-case", hook, "--out", "out"]
    process = central_system.while_running("run", *arguments, cwd=tmp_path)
    assert verdicts(tmp_path / "out") == {
        "TC_001_CSMS": "pass",
        "TC_023_1_CSMS": "pass",
        "TC_073_CSMS": "not_applicable",
    }, process.stdout
    first, *others = told(tmp_path)
    assert (first["hook"], first["case"]) == ("before_run", None)
    assert [(each["hook"], each["case"]) for each in others] == [
        ("before_case", "TC_001_CSMS"),
        ("before_case", "TC_023_1_CSMS"),
    ]
    for each in (first, *others):
        assert each["test_data"]["ValidIdTag"] == "A-1"
        assert (each["device"]["kind"], each["device"]["address"]) == ("Central System", central_system.url)


def test_nothing_is_run_if_it_cannot_be_made_ready(tmp_path: Path, central_system: Listening) -> None:
    arguments = ["--csms", central_system.url, *CASES, "--before-run", "sh -c 'echo no database; exit 9'"]
    process = central_system.while_running("run", *arguments, "--out", "out", cwd=tmp_path)
    assert_unusable(process, "nothing is run: before_run: sh ended with status 9: no database")
    assert not (tmp_path / "out").exists()


def test_a_case_that_cannot_be_made_ready_is_inconclusive(tmp_path: Path, central_system: Listening) -> None:
    hook = program(tmp_path, "if grep -q TC_001_CSMS; then echo 'it is locked'; exit 9; fi")
    arguments = ["--csms", central_system.url, *CASES, "--before-case", hook, "--out", "out"]
    process = central_system.while_running("run", *arguments, cwd=tmp_path)
    assert verdicts(tmp_path / "out")["TC_001_CSMS"] == "inconclusive", process.stdout
    assert verdicts(tmp_path / "out")["TC_023_1_CSMS"] == "pass"
    case = results(tmp_path / "out")["cases"][0]
    assert case["reason"] == f"the case was not made ready: before_case: {hook} ended with status 9: it is locked"
    assert process.returncode == 3


def test_a_hook_has_as_long_as_an_operator(tmp_path: Path, central_system: Listening) -> None:
    hook = program(tmp_path, "exec sleep 3600")
    arguments = ["--csms", central_system.url, *CASES, "--before-run", hook, "--data", "OperatorTimeout=0.5"]
    process = central_system.while_running("run", *arguments, cwd=tmp_path)
    assert_unusable(process, f"nothing is run: before_run: {hook} did not end in 0.5 s")


def test_our_own_two_parties_need_no_hooks(tmp_path: Path) -> None:
    process = rehearse("run", "--before-run", "true", cwd=tmp_path)
    assert_unusable(process, "--before-run and --before-case are for a device: our own two parties need nothing")


# --- a driver as a hook

DRIVER = """
role = "Central System"
[connection]
url = "{url}"
[operator]
kind = "driver"
name = "ready"
notes = "{notes}"
{more}
"""


def with_driver(folder: Path, central_system: Listening, monkeypatch: pytest.MonkeyPatch, more: str = "") -> Any:
    installed = folder / "installed"
    installed.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(install(installed)))
    (folder / "device.toml").write_text(
        DRIVER.format(url=central_system.url, notes=folder / "notes", more=more), encoding="utf-8"
    )
    arguments = ["--device", "device.toml", *CASES, "--out", "out"]
    return central_system.while_running("run", *arguments, cwd=folder)


def test_a_driver_makes_ready_and_is_closed(
    tmp_path: Path, central_system: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = with_driver(tmp_path, central_system, monkeypatch)
    assert verdicts(tmp_path / "out")["TC_001_CSMS"] == "pass", process.stdout + process.stderr
    notes = (tmp_path / "notes").read_text().splitlines()
    assert notes == ["before_run A-1", "before_case TC_001_CSMS", "before_case TC_023_1_CSMS", "close"]


def test_a_driver_that_cannot_make_ready(
    tmp_path: Path, central_system: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = with_driver(tmp_path, central_system, monkeypatch, 'fails = "before_run"')
    assert_unusable(process, "nothing is run: before_run of the driver ready failed: OSError: no database")
    assert (tmp_path / "notes").read_text().splitlines() == ["before_run A-1", "close"]
