"""What did not pass is played once more; both attempts stay, and the last one counts."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.sessions import boot_notes, put_aside
from ocppj.transcript import Record, write
from reports.reading import StoredTranscripts, read_results
from reports.results import CaseResult, Results
from tests.bench.test_command_line import NEEDS_THE_COMMAND, Listening, assert_unusable, rehearse, results
from tests.bench.test_resume import KILLED, played
from tests.reports.few import case
from tests.reports.few import results as run_of

pytestmark = NEEDS_THE_COMMAND

PASSES, FLAKY, UNTOLD = "TC_001_CSMS", "TC_023_1_CSMS", "TC_003_CSMS"
WHEN_IT_ENDS = "struck(bench.command_line, 'write_case', is_struck)"
CASES = [f"--case={case_id}" for case_id in (PASSES, FLAKY, UNTOLD)]


@pytest.fixture
def central_system() -> Iterator[Listening]:
    listening = Listening("CP1")
    yield listening
    listening.close()


@pytest.fixture
def judged(tmp_path: Path, central_system: Listening) -> Path:
    """A run in which one case passed, one failed, and one is inconclusive for lack of test data."""
    central_system.central_system.store.know_id_tag("NOBODY-C0FFEE", "Accepted")
    arguments = ["--csms", central_system.url, *CASES, "--out", "out"]
    assert central_system.while_running("run", *arguments, cwd=tmp_path).returncode == 1
    central_system.central_system.store.know_id_tag("NOBODY-C0FFEE", "Invalid")  # from now on it does as it should
    return tmp_path


def by_id(out: Path) -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in results(out)["cases"]}


def test_what_did_not_pass_is_played_once_more(judged: Path, central_system: Listening) -> None:
    out = judged / "out"
    first = (out / "cases" / FLAKY / "transcript.jsonl").read_text()
    passed = (out / "cases" / PASSES / "transcript.jsonl").read_text()
    process = central_system.while_running("run", "--rerun", "fail,inconclusive", "out", cwd=judged)
    assert played(process) == [UNTOLD, FLAKY]
    assert process.returncode == 3
    found = by_id(out)
    assert {each: found[each]["verdict"] for each in found} == {PASSES: "pass", UNTOLD: "inconclusive", FLAKY: "pass"}
    assert [attempt["verdict"] for attempt in found[FLAKY]["attempts"]] == ["fail"]
    assert "idTagInfo.status is Accepted, expected Invalid" in found[FLAKY]["attempts"][0]["reason"]
    assert [attempt["verdict"] for attempt in found[UNTOLD]["attempts"]] == ["inconclusive"]
    assert found[PASSES]["attempts"] == []
    assert [found[each]["session"] for each in (PASSES, UNTOLD, FLAKY)] == [0, 1, 1]
    assert (out / "cases" / FLAKY / "attempts" / "1" / "transcript.jsonl").read_text() == first
    assert (out / "cases" / FLAKY / "attempts" / "1" / "sequence.svg").exists()
    assert (out / "cases" / FLAKY / "transcript.jsonl").read_text() != first
    assert (out / "cases" / PASSES / "transcript.jsonl").read_text() == passed


def test_every_view_shows_that_it_was_not_the_first_attempt(judged: Path, central_system: Listening) -> None:
    process = central_system.while_running("run", "--rerun", "fail", "out", cwd=judged)
    assert process.returncode == 3
    assert f"{FLAKY}: pass at attempt 2; attempt 1, 20" in process.stdout
    assert "2 pass, 1 inconclusive, 1 run again. Results: out/results.json" in process.stdout
    for name in ("report.html", "summary.md", "junit.xml", "badge.svg"):
        text = (judged / "out" / name).read_text()
        assert ("1 run again" if name == "badge.svg" else "attempt 1") in text, name
    told = [json.loads(path.read_text()) for path in (judged / "out" / "allure-results").glob("*-result.json")]
    of_case = sorted((each for each in told if each["fullName"] == FLAKY), key=lambda each: int(each["start"]))
    assert [each["status"] for each in of_case] == ["failed", "passed"]
    assert of_case[1]["statusDetails"]["flaky"] is True
    assert len(told) == 4


def test_attempts_are_counted_on(judged: Path, central_system: Listening) -> None:
    for number in (1, 2):
        process = central_system.while_running("run", "--rerun", "inconclusive", "out", cwd=judged)
        assert played(process) == [UNTOLD]
        assert len(by_id(judged / "out")[UNTOLD]["attempts"]) == number
    assert [each["kind"] for each in results(judged / "out")["run"]["sessions"]] == ["run", "rerun", "rerun"]
    process = central_system.while_running("run", "--rerun", "fail", "out", cwd=judged)
    assert process.returncode == 3
    process = central_system.while_running("run", "--rerun", "fail", "out", cwd=judged)
    assert "Nothing is left to rerun: out is over." in process.stdout
    assert process.returncode == 3


def test_a_rerun_that_is_killed_is_resumed(judged: Path, central_system: Listening) -> None:
    plant = f"struck(bench.command_line, 'write_case', lambda folder, case: case.id == '{FLAKY}')"
    (judged / "killed.py").write_text(KILLED.format(struck=FLAKY, plant=plant))
    out = judged / "out"
    first = (out / "cases" / FLAKY / "transcript.jsonl").read_text()
    command = [sys.executable, "killed.py", "run", "--rerun", "fail,inconclusive", "out"]
    process = central_system.while_it_serves(subprocess.run, command, cwd=judged, capture_output=True, text=True)
    assert process.returncode == -signal.SIGKILL, process.stdout + process.stderr
    # The case that was not brought to its end has the verdict that it had.
    left = {each.id: each for each in read_results(out).cases}
    assert (left[FLAKY].verdict, left[FLAKY].attempts, len(left[UNTOLD].attempts)) == ("fail", [], 1)
    process = central_system.while_running("run", "--resume", "out", cwd=judged)
    assert played(process) == [FLAKY]
    found = by_id(out)
    assert (found[FLAKY]["verdict"], len(found[FLAKY]["attempts"])) == ("pass", 1)
    assert (found[UNTOLD]["verdict"], len(found[UNTOLD]["attempts"])) == ("inconclusive", 1)
    assert (out / "cases" / FLAKY / "attempts" / "1" / "transcript.jsonl").read_text() == first
    assert not (out / "cases" / FLAKY / "attempts" / "2").exists()


def test_a_rerun_elsewhere_says_so(judged: Path) -> None:
    elsewhere = Listening("CP1")
    try:
        process = elsewhere.while_running("run", "--rerun", "fail", "out", "--csms", elsewhere.url, cwd=judged)
    finally:
        elsewhere.close()
    assert played(process) == [FLAKY]
    (note,) = results(judged / "out")["run"]["sessions"][1]["notes"]
    assert note.endswith(f"before, in this session at {elsewhere.url}")
    assert note in process.stdout
    assert note in (judged / "out" / "report.html").read_text()


def test_a_central_system_that_is_gone_costs_no_results(judged: Path, central_system: Listening) -> None:
    before = {path: path.read_bytes() for path in sorted((judged / "out").rglob("*")) if path.is_file()}
    process = rehearse("run", "--rerun", "fail", "out", "--csms", "ws://127.0.0.1:1/x", cwd=judged)
    assert_unusable(process, "ws://127.0.0.1:1/x/CP1: ")
    assert {path: path.read_bytes() for path in sorted((judged / "out").rglob("*")) if path.is_file()} == before


def test_in_several_processes(tmp_path: Path) -> None:
    """A fault of ours that is gone the next time; also what Allure shows comes from another process then."""
    cases = ["--case", "TC_003_CS", "--case", "TC_017_1_CS", "--case", "TC_031_CS"]
    plant = "begin = bench.plugin.Run.begin\n"
    plant += "bench.plugin.Run.begin = lambda run, case: 1 / 0 if case.id == 'TC_017_1_CS' else begin(run, case)"
    (tmp_path / "spoilt.py").write_text(KILLED.format(struck="", plant=plant))
    command = [sys.executable, "spoilt.py", "run", "--out", "out", "-n", "2", *cases]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    assert process.returncode == 3, process.stdout + process.stderr
    process = rehearse("run", "--rerun", "error", "out", cwd=tmp_path)
    assert (process.returncode, played(process)) == (0, ["TC_017_1_CS"])
    assert [each["verdict"] for each in by_id(tmp_path / "out")["TC_017_1_CS"]["attempts"]] == ["error"]
    told = [json.loads(path.read_text()) for path in (tmp_path / "out" / "allure-results").glob("*-result.json")]
    assert sorted(each["status"] for each in told) == ["broken", "passed", "passed", "passed"]
    assert [each["statusDetails"]["flaky"] for each in told if each.get("statusDetails", {}).get("flaky")] == [True]


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        ("failed", "--rerun failed: that is none of pass, fail, inconclusive, error"),
        ("fail,", "--rerun : that is none of pass"),
        ("not_applicable", "--rerun not_applicable: that is none of"),
    ],
)
def test_verdicts_that_there_are_not(tmp_path: Path, verdicts: str, words: str) -> None:
    assert rehearse("run", "--case", "TC_003_CS", "--out", "out", cwd=tmp_path).returncode == 0
    assert_unusable(rehearse("run", "--rerun", verdicts, "out", cwd=tmp_path), words)


def test_a_run_that_was_interrupted_is_resumed_first(tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(KILLED.format(struck="TC_017_1_CS", plant=WHEN_IT_ENDS))
    command = [sys.executable, "killed.py", "run", "--out", "out", "--case", "TC_003_CS", "--case", "TC_017_1_CS"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == -signal.SIGKILL  # noqa: S603
    process = rehearse("run", "--rerun", "fail", "out", cwd=tmp_path)
    assert_unusable(process, "out was interrupted, 1 cases are left: rehearse run --resume out goes first")


# --- what an earlier session has left, and what a Charge Point tells


def filed(folder: Path, *cases: CaseResult) -> Results:
    """A run with a transcript of each case."""
    run = run_of(*cases, kind="Charge Point", sessions=[])
    for each in cases:
        write(boot("1.0"), folder / "cases" / each.id / "transcript.jsonl")
    return run


def boot(version: str) -> list[Record]:
    payload = {"chargePointVendor": "Acme", "chargePointModel": "X2", "firmwareVersion": version}
    told = {"kind": "frame", "timestamp": "2026-02-03T04:05:06Z", "direction": "cp-to-csms", "raw": ""}
    return [{**told, "messageType": "CALL", "action": "BootNotification", "messageId": "1", "payload": payload}]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_belongs_to_a_verdict_is_put_aside_and_the_rest_goes(tmp_path: Path) -> None:
    run = filed(tmp_path, case("TC_001_CS", "fail"))
    write(boot("1.0"), tmp_path / "cases" / "TC_003_CS" / "transcript.jsonl")  # of a case that has no verdict
    for _ in range(2):
        put_aside(tmp_path, run, ["TC_001_CS", "TC_003_CS", "TC_004_1_CS"])
        assert files(tmp_path) == ["cases/TC_001_CS/attempts/1/transcript.jsonl"]
    assert list(StoredTranscripts(tmp_path)) == ["TC_001_CS"]
    write(boot("1.0"), tmp_path / "cases" / "TC_001_CS" / "transcript.jsonl")  # of an attempt that was killed
    put_aside(tmp_path, run, ["TC_001_CS"])
    assert files(tmp_path) == ["cases/TC_001_CS/attempts/1/transcript.jsonl"]


def test_a_case_without_a_transcript_keeps_its_number(tmp_path: Path) -> None:
    run = run_of(case("TC_001_CS", "inconclusive"), kind="Charge Point")
    put_aside(tmp_path, run, ["TC_001_CS"])
    write(boot("1.0"), tmp_path / "cases" / "TC_001_CS" / "transcript.jsonl")  # the next attempt, which was killed
    put_aside(tmp_path, run, ["TC_001_CS"])
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("before", "now", "notes"),
    [
        ("1.0", "1.0", 0),
        ("1.0", "1.1", 1),
    ],
)
def test_a_charge_point_that_tells_something_else_may_be_another(
    tmp_path: Path, before: str, now: str, notes: int
) -> None:
    run = filed(tmp_path, case("TC_001_CS"), case("TC_003_CS"))
    for kind in ("run", "resume"):
        run.begin_session(kind, "2026-02-03T04:05:06+00:00", [])
    run.cases[1].session = 1
    for case_id, version in (("TC_001_CS", before), ("TC_003_CS", now)):
        write(boot(version), tmp_path / "cases" / case_id / "transcript.jsonl")
    found = boot_notes(run, tmp_path)
    assert len(found) == notes
    if notes:
        words = "the Charge Point told firmwareVersion 1.1 in this session and 1.0 before: it may be another one"
        assert found == [words]
        run.device["kind"] = "Central System"  # there the Charge Point is ours
        assert boot_notes(run, tmp_path) == []


def test_a_charge_point_that_was_updated_in_between_is_the_same(tmp_path: Path) -> None:
    run = filed(tmp_path, case("TC_001_CS"), case("TC_003_CS"))
    for kind in ("run", "rerun"):
        run.begin_session(kind, "2026-02-03T04:05:06+00:00", [])
    run.cases[1].session = 1
    write(boot("1.0") + boot("1.1"), tmp_path / "cases" / "TC_001_CS" / "transcript.jsonl")
    write(boot("1.1"), tmp_path / "cases" / "TC_003_CS" / "transcript.jsonl")
    assert boot_notes(run, tmp_path) == []
    shutil.rmtree(tmp_path / "cases")
    assert boot_notes(run, tmp_path) == []
