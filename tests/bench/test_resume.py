"""A run that was interrupted goes on, and leaves what it would have left undisturbed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from ocppj.transcript import normalised
from reports.reading import BadResults, read_results
from tests.bench.test_command_line import (
    ALL,
    NEEDS_THE_COMMAND,
    REHEARSE,
    Listening,
    assert_unusable,
    rehearse,
    results,
    self_rehearsal,
    verdicts,
)

pytestmark = NEEDS_THE_COMMAND

BEFORE, STRUCK, AFTER = "TC_003_CS", "TC_004_1_CS", "TC_017_1_CS"
FEW = [f"--case={case}" for case in (BEFORE, STRUCK, AFTER)]

# A script that calls the command and is killed where it hurts. «strikes» says when.
KILLED = """
import os, signal
from pathlib import Path
import bench.command_line, bench.plugin, reports.results
from _ocpp_rehearsal import main

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def struck(module, name, strikes, afterwards=False):
    ordinary = getattr(module, name)
    def instead(*arguments, **more):
        if not strikes(*arguments):
            return ordinary(*arguments, **more)
        if afterwards:
            ordinary(*arguments, **more)
        kill()
    setattr(module, name, instead)

def times(number, name):
    count = iter(range(number - 1, -1, -1))
    return lambda path, *_: path.name == name and next(count) == 0

def half_a_line(folder, case):
    if case.id == "{struck}":
        with (folder / "results.jsonl").open("a") as journal:
            journal.write('{{"id": "{struck}", "verdict": "pa')
            journal.flush()
        kill()
    return ordinary(folder, case)

is_struck = lambda folder, case, *_: getattr(case, "id", case) == "{struck}"
ordinary = bench.command_line.write_case
{plant}
main()
"""

PLACES = {
    "before its transcript": "struck(bench.plugin, 'write_transcript', is_struck)",
    "with half a transcript": "struck(Path, 'replace', lambda path, to: to.parent.name == '{struck}')",
    "before its result": "struck(bench.command_line, 'write_case', is_struck)",
    "with half a result": "bench.command_line.write_case = half_a_line",
    "after its result": "struck(bench.command_line, 'write_case', is_struck, afterwards=True)",
    "with the results half written": "struck(Path, 'replace', times(2, f'results.json.{{os.getpid()}}.part'))",
    "before the lines go": "struck(Path, 'unlink', times(3, 'results.jsonl'))",
}
WHEN_IT_BEGINS = "struck(bench.plugin, 'write_transcript', is_struck)"
ALL_ARE_OVER = ("with the results half written", "before the lines go")


def killed(folder: Path, place: str, *arguments: str) -> None:
    """Start a run that is killed at a place, in a process of its own."""
    plant = PLACES[place].format(struck=STRUCK)
    (folder / "killed.py").write_text(KILLED.format(struck=STRUCK, plant=plant))
    command = [sys.executable, "killed.py", "run", "--out", "out", *arguments]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    assert process.returncode == -signal.SIGKILL, process.stdout + process.stderr


def document(folder: Path) -> dict[str, Any]:
    """What a run has left, but for when it was, how it was called, and in which session a case was played."""
    left = results(folder)
    for name in ("started", "ended", "command", "folder", "sessions"):
        del left["run"][name]
    for case in left["cases"]:
        del case["session"]
    return left


def transcripts(folder: Path) -> dict[str, str]:
    paths = (folder / "cases").glob("*/transcript.jsonl")
    return {path.parent.name: normalised(path.read_text()) for path in paths}


def played(process: "subprocess.CompletedProcess[str]") -> list[str]:
    """The cases that a run has played, in their order."""
    while_playing = process.stdout.partition("\nprofile ")[0]
    return re.findall(r"^(?:pass|fail|inconclusive|error) +(TC_\w+)", while_playing, re.MULTILINE)


@dataclass(frozen=True)
class Left:
    """What a run has left, without what differs from run to run."""

    document: dict[str, Any]
    transcripts: dict[str, str]

    @classmethod
    def by(cls, folder: Path) -> "Left":
        return cls(document(folder), transcripts(folder))


def undisturbed(folder: Path, *arguments: str) -> Left:
    process = rehearse("run", "--out", "out", *arguments, cwd=folder, timeout=300)
    assert process.returncode == 0, process.stdout + process.stderr
    return Left.by(folder / "out")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Three cases, undisturbed."""
    return undisturbed(tmp_path_factory.mktemp("few"), *FEW)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Every case, undisturbed."""
    process, out = self_rehearsal(tmp_path_factory)
    assert process.returncode == 0, process.stdout + process.stderr
    return Left.by(out)


# --- killed


@pytest.mark.parametrize("place", PLACES)
def test_a_kill_costs_the_case_in_flight_at_most(tmp_path: Path, few: Left, place: str) -> None:
    killed(tmp_path, place, *FEW)
    out = tmp_path / "out"
    finished = {case.id for case in read_results(out).cases}
    assert finished == {
        BEFORE,
        *([STRUCK] if place == "after its result" else []),
        *([STRUCK, AFTER] if place in ALL_ARE_OVER else []),
    }
    before = {case: (out / "cases" / case / "transcript.jsonl").stat().st_ino for case in finished}
    process = rehearse("run", "--resume", "out", cwd=tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    assert played(process) == [case for case in (BEFORE, STRUCK, AFTER) if case not in finished]
    assert Left.by(out) == few
    assert {case: (out / "cases" / case / "transcript.jsonl").stat().st_ino for case in finished} == before
    assert list(out.rglob("*.part")) == []
    assert not (out / "results.jsonl").exists()
    told = [json.loads(path.read_text())["fullName"] for path in (out / "allure-results").glob("*-result.json")]
    assert sorted(told) == [BEFORE, STRUCK, AFTER]


@pytest.mark.parametrize("place", ["before its result", "with half a result"])
def test_what_was_left_by_a_kill_can_be_shown(tmp_path: Path, place: str) -> None:
    killed(tmp_path, place, *FEW)
    assert rehearse("report", "out", cwd=tmp_path).returncode == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "interrupted after 1 of them" in page
    assert f'id="{BEFORE}"' in page
    assert f'id="{STRUCK}"' not in page


def struck_down(folder: Path, after: int, *arguments: str) -> int:
    """Kill a run after so many cases, wherever it is; how many it had finished, 0 if it was over before."""
    command = [str(REHEARSE), "run", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603  # our own command
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        seen = 0
        while seen < after:
            line = process.stdout.readline()
            assert line, f"it was over after {seen} cases"
            seen += line.startswith("pass ")
        process.kill()
    assert process.returncode == -signal.SIGKILL
    return len(read_results(folder / "out").cases)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_whole_rehearsal_killed_again_and_again_is_as_one_undisturbed(
    tmp_path: Path, whole: Left, processes: str
) -> None:
    finished = [struck_down(tmp_path, 30, "--out", "out", "-n", processes)]
    for after in (1, 50, 25):
        finished.append(struck_down(tmp_path, after, "--resume", "out", "-n", processes))
    assert finished == sorted(finished)
    assert 106 <= finished[-1] < len(ALL)
    process = rehearse("run", "--resume", "out", cwd=tmp_path, timeout=300)
    assert process.returncode == 0, process.stdout + process.stderr
    assert len(played(process)) == len(ALL) - finished[-1]
    left = Left.by(tmp_path / "out")
    assert left.transcripts == whole.transcripts
    assert left.document["cases"] == whole.document["cases"]
    assert left.document["summary"] == whole.document["summary"]
    kinds = [session["kind"] for session in results(tmp_path / "out")["run"]["sessions"]]
    assert kinds == ["run", "resume", "resume", "resume", "resume"]


def test_what_is_left_keeps_its_place_in_another_order(tmp_path: Path) -> None:
    arguments = ["--shuffle", "11", "--profile", "reservation", "--lacks", "reserve_connector_zero", "--strict"]
    (tmp_path / "undisturbed").mkdir()
    process = rehearse("run", "--out", "out", *arguments, cwd=tmp_path / "undisturbed")
    order = played(process)
    assert order != sorted(order)
    struck_down(tmp_path, 3, "--out", "out", *arguments)
    finished = {case.id for case in read_results(tmp_path / "out").cases}
    process = rehearse("run", "--resume", "out", cwd=tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    assert played(process) == [case for case in order if case not in finished]
    assert Left.by(tmp_path / "out") == Left.by(tmp_path / "undisturbed" / "out")


# --- what a device is left with


def while_it_is_written(out: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command while another run is writing into a folder."""
    out.mkdir()
    descriptor = os.open(out, os.O_RDONLY)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
        return rehearse(*arguments, cwd=cwd)
    finally:
        os.close(descriptor)


def test_two_runs_do_not_write_into_one_folder(tmp_path: Path) -> None:
    process = while_it_is_written(tmp_path / "out", tmp_path, "run", "--out", "out", *FEW)
    assert_unusable(process, "another run is writing into out: wait for its end, or give another --out")
    assert list((tmp_path / "out").iterdir()) == []


def killed_when(half: Path, words: str, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Kill a run when something has crossed the wire."""
    with subprocess.Popen([str(REHEARSE), "run", *arguments], cwd=cwd) as process:  # noqa: S603  # our own command
        while not (half.exists() and words in half.read_text()):
            assert process.poll() is None
            sleep(0.01)
        process.kill()
    return subprocess.CompletedProcess(arguments, process.returncode)


def test_what_the_case_in_flight_has_left_in_a_central_system_is_undone(tmp_path: Path) -> None:
    """It is told of the end of a transaction whose case was killed while it was running."""
    listening = Listening("CP1")
    store = listening.central_system.store
    store.know_id_tag("GOOD")
    half = tmp_path / "out" / "cases" / "TC_003_CSMS" / "transcript.part"
    data = ["--data", "ValidIdTag=GOOD", "--data", "TransactionDuration=5"]
    arguments = ["--csms", listening.url, "--case", "TC_003_CSMS", *data, "--out", "out"]
    try:
        process = listening.while_it_serves(killed_when, half, '"transactionId\\"', tmp_path, *arguments)
        assert process.returncode == -signal.SIGKILL
        assert [each.stopped_at for each in store.transactions.values()] == [None]
        process = listening.while_running("run", *arguments, cwd=tmp_path)  # as if nothing had been
        assert_unusable(process, "out holds a run that was interrupted, 1 cases are left: --resume out goes on with it")
        assert half.exists()
        process = listening.while_running("run", "--resume", "out", cwd=tmp_path)
    finally:
        listening.close()
    assert (process.returncode, played(process)) == (0, ["TC_003_CSMS"]), process.stdout
    assert len(store.transactions) == 2
    assert None not in [each.stopped_at for each in store.transactions.values()]
    assert not half.exists()


# --- interrupted


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_it_goes_on(tmp_path: Path, few: Left, by: signal.Signals) -> None:
    script = KILLED.replace("signal.SIGKILL", f"signal.{by.name}").format(struck=STRUCK, plant=WHEN_IT_BEGINS)
    (tmp_path / "killed.py").write_text(script)
    command = [sys.executable, "killed.py", "run", "--out", "my out", *FEW]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    assert process.returncode == 130, process.stdout + process.stderr
    assert process.stdout.endswith("Interrupted. 2 cases are left: rehearse run --resume 'my out' goes on.\n")
    assert verdicts(tmp_path / "my out") == {BEFORE: "pass"}
    process = rehearse("run", "--resume", "my out", cwd=tmp_path)
    assert (process.returncode, played(process)) == (0, [STRUCK, AFTER])
    assert "resumed 20" in process.stdout
    assert Left.by(tmp_path / "my out") == few
    for name in ("report.html", "summary.md", "junit.xml"):
        assert "resumed 20" in (tmp_path / "my out" / name).read_text(), name


def test_an_interrupted_self_rehearsal_is_written_over(tmp_path: Path, few: Left) -> None:
    """It takes seconds: nobody has lost anything."""
    struck_down(tmp_path, 1, "--out", "out", *FEW)
    assert rehearse("run", "--out", "out", *FEW, cwd=tmp_path).returncode == 0
    assert Left.by(tmp_path / "out") == few


def test_from_another_folder_a_run_goes_on_in_its_own(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "here" / "image.bin").write_bytes(b"image")
    data = ["--data", "FirmwareFile=image.bin"]  # a path that is relative to where the run was begun
    struck_down(tmp_path / "here", 1, "--out", "out", *FEW, *data)
    process = rehearse("run", "--resume", "../here/out", cwd=tmp_path / "there")
    assert process.returncode == 0, process.stdout + process.stderr
    assert verdicts(tmp_path / "here" / "out").keys() == {BEFORE, STRUCK, AFTER}
    assert list((tmp_path / "there").iterdir()) == []


def test_what_is_over_is_shown_and_not_run_again(tmp_path: Path) -> None:
    assert rehearse("run", "--case", BEFORE, "--out", "out", cwd=tmp_path).returncode == 0
    (tmp_path / "out" / "report.html").unlink()
    before = results(tmp_path / "out")
    process = rehearse("run", "--resume", "out", cwd=tmp_path)
    assert (process.returncode, played(process)) == (0, [])
    assert "Nothing is left to resume: out is over." in process.stdout
    assert (tmp_path / "out" / "report.html").exists()
    assert results(tmp_path / "out") == before


def test_another_run_knows_nothing_of_one_that_was_killed(tmp_path: Path) -> None:
    killed(tmp_path, "after its result", *FEW)
    assert (tmp_path / "out" / "results.jsonl").exists()
    assert rehearse("run", "--case", AFTER, "--out", "out", cwd=tmp_path).returncode == 0
    assert verdicts(tmp_path / "out") == {AFTER: "pass"}
    assert [path.name for path in (tmp_path / "out" / "cases").iterdir()] == [AFTER]


# --- what cannot be resumed


@pytest.fixture(scope="module")
def cut_short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was killed in its second case."""
    folder = tmp_path_factory.mktemp("cut_short")
    killed(folder, "before its result", *FEW, "--data", "HeartbeatInterval=17")
    return folder


@pytest.fixture
def broken_off(cut_short: Path, tmp_path: Path) -> Path:
    """The same, to be spoilt."""
    return Path(shutil.copytree(cut_short, tmp_path / "copy"))


REFUSED: dict[str, tuple[list[str], str]] = {
    "another reading": (["--strict"], "--strict would change what is judged: leave it out, out goes on with the "),
    "another order": (["--shuffle", "3"], "--shuffle would change what is judged"),
    "other cases": (["--case", "TC_031_CS"], "--case would change what is judged"),
    "other test data": (["--data", "HeartbeatInterval=18"], "--data would change what is judged"),
    "another kind of device": (
        ["--listen", "127.0.0.1:0"],
        "out was begun with other settings, take that back or begin anew: ",
    ),
    "a rerun at once": (["--rerun", "fail", "out"], "--resume and --rerun exclude each other"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_change_the_verdicts_is_refused(cut_short: Path, name: str) -> None:
    arguments, words = REFUSED[name]
    before = (cut_short / "out" / "results.json").read_bytes()
    assert_unusable(rehearse("run", "--resume", "out", *arguments, cwd=cut_short), words)
    assert (cut_short / "out" / "results.json").read_bytes() == before


def test_what_stays_as_it_was_may_be_said_again(broken_off: Path) -> None:
    process = rehearse("run", "--resume", "out", "--data", "HeartbeatInterval=17", "-n", "2", cwd=broken_off)
    assert process.returncode == 0, process.stderr


def _edit(folder: Path, /, **run: object) -> None:
    path = folder / "out" / "results.json"
    edited = json.loads(path.read_text())
    edited["run"] |= run
    edited["run"] = {name: value for name, value in edited["run"].items() if value is not None}
    path.write_text(json.dumps(edited))


def test_a_run_of_another_version(broken_off: Path) -> None:
    _edit(broken_off, version="0.0.7")
    process = rehearse("run", "--resume", "out", cwd=broken_off)
    assert_unusable(process, "out was written by ocpp-rehearsal 0.0.7, this is ")


@pytest.mark.parametrize("missing", ["options", "sessions", "folder"])
def test_a_run_that_does_not_tell_how_it_was_begun(broken_off: Path, missing: str) -> None:
    _edit(broken_off, **{missing: None})
    assert_unusable(rehearse("run", "--resume", "out", cwd=broken_off), "out does not tell how it was begun")


def test_a_run_of_a_case_that_there_is_no_more(broken_off: Path) -> None:
    _edit(broken_off, sessions=[{**results(broken_off / "out")["run"]["sessions"][0], "cases": [BEFORE, "TC_999_CS"]}])
    before = (broken_off / "out" / "results.json").read_bytes()
    process = rehearse("run", "--resume", "out", cwd=broken_off)
    assert_unusable(process, "out tells of TC_999_CS, and there is no such test case today")
    assert (broken_off / "out" / "results.json").read_bytes() == before


def test_a_run_that_was_begun_where_nobody_can_go(broken_off: Path) -> None:
    _edit(broken_off, folder="x" * 3000)
    process = rehearse("run", "--resume", "out", cwd=broken_off)
    assert_unusable(process, "out was begun in a folder that nobody can go to: File name too long")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"case": "TC_001_CS"}, "--case: "),
        ({"shuffle": "often"}, "--shuffle: "),
        ({"device": 7}, "--device: "),
        ({"strict": []}, "--strict: "),
    ],
)
def test_a_run_with_options_that_cannot_be(broken_off: Path, options: dict[str, object], words: str) -> None:
    _edit(broken_off, options=options)
    process = rehearse("run", "--resume", "out", cwd=broken_off)
    assert_unusable(process, f"out was begun with options that cannot be: {words}")


def test_a_run_whose_settings_are_not_the_same_any_more(broken_off: Path) -> None:
    _edit(broken_off, options={"case": [BEFORE, STRUCK, AFTER], "data": ["HeartbeatInterval=18"]})
    words = 'was begun with other settings, take that back or begin anew: test_data.HeartbeatInterval was "17", is "18"'
    assert_unusable(rehearse("run", "--resume", "out", cwd=broken_off), f"{broken_off / 'out'} {words}")


def test_a_folder_that_holds_no_run(tmp_path: Path) -> None:
    process = rehearse("run", "--resume", "nowhere", cwd=tmp_path)
    assert_unusable(process, "nowhere/results.json is missing: there is no such folder: there is nothing to go on with")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.json").write_text('{"format": 1, "run": {"to')
    assert_unusable(rehearse("run", "--resume", "out", cwd=tmp_path), "out/results.json is cut off or no JSON: ")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": "TC_001_CS", "verdict": "pa', "line 1, is not what a rehearsal writes: "),
        ('{"id": "TC_001_CS"}', 'line 1, is not what a rehearsal writes: it: "title" is a required property'),
        ("null", "line 1, is not what a rehearsal writes: it: null is not of type"),
        ("\xff", "line 1, is not what a rehearsal writes: "),
    ],
)
def test_a_line_that_somebody_has_spoilt(broken_off: Path, line: str, words: str) -> None:
    path = broken_off / "out" / "results.jsonl"
    path.write_bytes(line.encode("latin-1") + b"\n" + path.read_bytes())
    with pytest.raises(BadResults, match=re.escape(words)):
        read_results(broken_off / "out")
    assert_unusable(rehearse("run", "--resume", "out", cwd=broken_off), f"out/results.jsonl, {words}")


def test_no_password_is_kept(tmp_path: Path) -> None:
    key = "correct-horse-42"
    arguments = ["--case", BEFORE, "--password", key, "--out", "out"]
    assert rehearse("run", *arguments, cwd=tmp_path).returncode == 0
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or key not in path.read_text(), path
    assert "password" not in results(tmp_path / "out")["run"]["options"]
    process = rehearse("run", "--resume", "out", cwd=tmp_path)
    assert_unusable(process, "out was begun with other settings, take that back or begin anew: security.has_password ")
    assert rehearse("run", "--resume", "out", "--password", key, cwd=tmp_path).returncode == 0
