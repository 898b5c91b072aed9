"""What a run comes to: which verdicts count, and what happens to failures that somebody has named beforehand."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.gate import Gate, exit_status
from reports.results import Results
from tests.bench.test_command_line import (
    NEEDS_THE_COMMAND,
    Listening,
    assert_unusable,
    rehearse,
    results,
    verdicts,
)
from tests.reports.few import case
from tests.reports.few import results as run_of

FAILS, PASSES, UNTOLD = "TC_023_1_CSMS", "TC_001_CSMS", "TC_003_CSMS"
EVERY = ["fail", "inconclusive", "error"]


def judged(*found: str, known: bool = False, **run: Any) -> Results:
    cases = [case(f"TC_00{number}_CS", each) for number, each in enumerate(found, 1)]
    return run_of(*cases, known_failures={each.id: "why" for each in cases} if known else {}, **run)


@pytest.mark.parametrize(
    ("found", "fail_on", "status"),
    [
        (["pass", "not_applicable"], EVERY, 0),
        ([], EVERY, 0),
        (["pass", "fail", "inconclusive"], EVERY, 1),
        (["pass", "inconclusive"], EVERY, 3),
        (["pass", "error"], EVERY, 3),
        (["pass", "inconclusive"], ["fail", "error"], 0),
        (["fail", "inconclusive"], ["fail", "error"], 1),
        (["pass", "error"], ["fail", "error"], 3),
        (["fail", "inconclusive"], ["inconclusive", "error"], 3),
        (["fail"], ["inconclusive", "error"], 0),
    ],
)
def test_the_exit_status_without_known_failures(found: list[str], fail_on: list[str], status: int) -> None:
    assert exit_status(judged(*found, fail_on=fail_on)) == status
    if fail_on == EVERY:
        assert exit_status(judged(*found)) == status  # of a run that does not tell


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (["fail", "fail"], 0),
        (["fail", "pass"], 1),  # it has passed: nobody may believe any longer that it fails
        (["fail", "inconclusive"], 3),
        (["fail", "error"], 3),
        (["fail", "not_applicable"], 0),
    ],
)
def test_the_exit_status_with_known_failures(found: list[str], status: int) -> None:
    assert exit_status(judged(*found, known=True, fail_on=EVERY)) == status


def test_one_that_passes_fails_the_run_whatever_counts() -> None:
    assert exit_status(judged("pass", known=True, fail_on=["error"])) == 1


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ("fail,inconclusive", EVERY),
        (" inconclusive , fail ", EVERY),
        ("fail", ["fail", "error"]),
        ("inconclusive", ["inconclusive", "error"]),
        ("error", ["error"]),
    ],
)
def test_an_error_always_counts(told: str, counts: list[str]) -> None:
    assert Gate(fail_on=told).verdicts() == counts
    assert Gate().verdicts() == EVERY


def test_the_command_line_has_the_last_word() -> None:
    gate = Gate(known_failure=[f"{FAILS}=issue 17 = ours", f"{PASSES}= issue 18 "])
    assert gate.known_failures({UNTOLD: "of the file", FAILS: "of the file"}) == {
        PASSES: "issue 18",
        UNTOLD: "of the file",
        FAILS: "issue 17 = ours",
    }


# --- as its users call it


@NEEDS_THE_COMMAND
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fail-on", "failed"], "--fail-on failed: that is none of fail, inconclusive, error"),
        (["--fail-on", ""], "--fail-on : that is none of fail, inconclusive, error"),
        (
            ["--known-failure", "TC_999_CS=x"],
            "unknown test case TC_999_CS among the known failures: see 'rehearse cases'",
        ),
        (
            ["--known-failure", "tc_003_cs=x"],
            "unknown test case tc_003_cs among the known failures: did you mean TC_003_CS",
        ),
        (["--known-failure", "TC_003_CS"], "--known-failure TC_003_CS has no reason: "),
    ],
)
def test_what_cannot_be_known(tmp_path: Path, arguments: list[str], words: str) -> None:
    assert_unusable(rehearse("run", "--case", "TC_003_CS", *arguments, cwd=tmp_path), words)
    assert list(tmp_path.iterdir()) == []


@NEEDS_THE_COMMAND
def test_one_that_passes_fails_the_run(tmp_path: Path) -> None:
    known = ["--known-failure", "TC_003_CS=the cable is not seen", "--known-failure", "TC_031_CS=x"]
    process = rehearse("run", "--case", "TC_003_CS", *known, "--out", "out", cwd=tmp_path)
    assert process.returncode == 1
    words = "TC_003_CS is known to fail and has passed: take it out of the known failures (the cable is not seen)"
    assert words in process.stdout
    assert "TC_031_CS is known to fail (x), which nobody has tried: it was not run" in process.stdout
    assert "1 pass, 1 known to fail and passed. Results: " in process.stdout
    assert verdicts(tmp_path / "out") == {"TC_003_CS": "pass"}
    root = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot()  # noqa: S314  # ours
    assert (root.get("failures"), root.get("errors")) == ("1", "0")
    assert "take it out of the known failures" in (tmp_path / "out" / "report.html").read_text()


@pytest.fixture
def central_system() -> Iterator[Listening]:
    """One that accepts an idTag that nobody has told it of."""
    listening = Listening("CP1")
    listening.central_system.store.know_id_tag("NOBODY-C0FFEE", "Accepted")
    yield listening
    listening.close()


@NEEDS_THE_COMMAND
def test_a_known_failure_is_run_and_told_apart(tmp_path: Path, central_system: Listening) -> None:
    cases = [f"--case={each}" for each in (FAILS, PASSES)]
    arguments = ["run", "--csms", central_system.url, *cases, "--out", "out"]
    process = central_system.while_running(*arguments, "--known-failure", f"{FAILS}=issue 17", cwd=tmp_path)
    assert process.returncode == 0, process.stdout
    assert re.search(rf"^known failure +{FAILS} ", process.stdout, re.MULTILINE)
    assert "idTagInfo.status is Accepted, expected Invalid" in process.stdout
    assert f"{FAILS} is known to fail: issue 17" in process.stdout
    assert "1 pass, 1 known failure. Results: out/results.json" in process.stdout
    # The verdict is what it is; who knows of it is another matter.
    assert verdicts(tmp_path / "out") == {FAILS: "fail", PASSES: "pass"}
    assert results(tmp_path / "out")["run"]["known_failures"] == {FAILS: "issue 17"}
    root = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot()  # noqa: S314  # ours
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert [each.get("type") for each in root.iter("skipped")] == ["known_failure"]


@NEEDS_THE_COMMAND
def test_what_counts_can_be_chosen_and_is_kept(tmp_path: Path, central_system: Listening) -> None:
    arguments = ["run", "--csms", central_system.url, f"--case={UNTOLD}", "--out", "out"]
    assert central_system.while_running(*arguments, "--fail-on", "fail", cwd=tmp_path).returncode == 0
    assert results(tmp_path / "out")["run"]["fail_on"] == ["fail", "error"]
    assert rehearse("run", "--resume", "out", cwd=tmp_path).returncode == 0
    assert rehearse("run", "--resume", "out", "--fail-on", "fail,inconclusive", cwd=tmp_path).returncode == 3


@NEEDS_THE_COMMAND
def test_a_device_file_knows_failures(tmp_path: Path, central_system: Listening) -> None:
    (tmp_path / "acme.toml").write_text(
        f'role = "Central System"\n[connection]\nurl = "{central_system.url}"\n[known_failures]\n{FAILS} = "issue 17"\n'
    )
    arguments = ["run", "--device", "acme.toml", f"--case={FAILS}", "--out", "out"]
    assert central_system.while_running(*arguments, cwd=tmp_path).returncode == 0
    assert results(tmp_path / "out")["run"]["known_failures"] == {FAILS: "issue 17"}
    process = central_system.while_running("run", "--rerun", "fail", "out", cwd=tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "1 known failure, 1 run again. Results: " in process.stdout
    (tmp_path / "acme.toml").write_text(
        (tmp_path / "acme.toml").read_text().replace("[known", "[limits]\ntolerance = 9\n[known")
    )
    words = "out was begun with other settings, take that back or begin anew: limits_s.tolerance was 2.0, is 9"
    assert_unusable(rehearse("run", "--rerun", "fail", "out", cwd=tmp_path), words)
