"""Rehearsals of devices of somebody else, in real time, that are killed in the middle and go on."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reports.reading import read_results
from tests.interop.rehearsals import HERE, REHEARSE, Due, Rehearsed, foreign_device, free_port, operator
from tests.interop.test_foreign_central_system import HONEST, ID_TAGS, KNOWS, SHORT

# In seconds: a Reset and what follows take their time on a busy machine, and no case here waits for what does not come.
LIMITS = ("--data=MessageTimeout=10", "--data=LongOperationTimeout=60", "--data=Tolerance=2")

OF_A_CENTRAL_SYSTEM = {
    case: HONEST[case]
    for case in ("TC_001_CSMS", "TC_003_CSMS", "TC_010_CSMS", "TC_017_1_CSMS", "TC_023_1_CSMS", "TC_061_CSMS")
}
OF_A_CHARGE_POINT = {
    case: Due("pass", "our Charge Point does it")
    for case in ("TC_003_CS", "TC_010_CS", "TC_017_1_CS", "TC_031_CS", "TC_039_CS", "TC_054_CS")
}


def rehearse(folder: Path, *arguments: str, kill_after: int | None = None) -> subprocess.CompletedProcess[str]:
    """Call the command; with ``kill_after`` it is killed when so many cases are over."""
    command = [str(REHEARSE), "run", *arguments]
    with subprocess.Popen(  # noqa: S603  # our own command
        command,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = ""
        while kill_after is None or len(_over(printed)) < kill_after:
            line = process.stdout.readline()
            printed += line
            if not line:
                break
        if kill_after is not None:
            process.kill()
            printed += process.stdout.read()
    return subprocess.CompletedProcess(command, process.returncode, printed)


def _over(printed: str) -> list[str]:
    while_playing = printed.partition("\nprofile ")[0]
    return re.findall(r"^(?:pass|fail|inconclusive|error) +(TC_\w+)", while_playing, re.MULTILINE)


def killed_twice(folder: Path, cases: Sequence[str], *arguments: str) -> Rehearsed:
    """Play cases in three sessions, two of which are killed: what came of it all."""
    chosen = [f"--case={case}" for case in cases]
    for session in (["--out", "results", *chosen, *arguments], ["--resume", "results"]):
        process = rehearse(folder, *session, kill_after=2)
        assert process.returncode == -signal.SIGKILL, process.stdout
    finished = {case.id for case in read_results(folder / "results").cases}
    assert 4 <= len(finished) < len(cases)
    process = rehearse(folder, "--resume", "results")
    assert _over(process.stdout) == [case for case in sorted(cases) if case not in finished]
    told = read_results(folder / "results")
    assert [session["kind"] for session in told.sessions] == ["run", "resume", "resume"]
    cases_told = {case.id: {"verdict": case.verdict, "reason": case.reason} for case in told.cases}
    return Rehearsed(process.returncode, process.stdout, cases_told)


def test_a_central_system(tmp_path: Path) -> None:
    data = [f"--data={setting}" for setting in (*(f"{name}={tag}" for name, tag in ID_TAGS.items()), *SHORT)]
    with foreign_device(sys.executable, HERE / "central_system.py", *KNOWS) as [port, control]:
        url = f"ws://127.0.0.1:{port}/ocpp"
        arguments = ["--csms", url, *operator(control), *data, *LIMITS]
        rehearsed = killed_twice(tmp_path, [*OF_A_CENTRAL_SYSTEM], *arguments)
    assert rehearsed.against(OF_A_CENTRAL_SYSTEM) == ""


@contextmanager
def charge_point(port: int) -> Iterator[str]:
    """Our Charge Point as a process; where hands are lent to it."""
    command = [str(REHEARSE), "charge-point", f"ws://127.0.0.1:{port}", "--http-port", "0", "--quiet"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603  # our own command
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found is not None
            yield f"{found[0]}/charge-points/{{charge_point}}/{{action}}"
        finally:
            process.terminate()


def test_a_charge_point(tmp_path: Path) -> None:
    port = free_port()
    short = [f"--data={setting}" for setting in ("ConnectionTimeOut=2", "HeartbeatInterval=3", "TransactionDuration=3")]
    with charge_point(port) as hands:
        arguments = ["--listen", f"127.0.0.1:{port}", "--operator", f"http:{hands}", *short, *LIMITS]
        rehearsed = killed_twice(tmp_path, [*OF_A_CHARGE_POINT], *arguments)
    assert rehearsed.against(OF_A_CHARGE_POINT) == ""
    assert rehearsed.status == 0
