"""``rehearse report`` and ``rehearse compare`` as commands: what they write, say and return, and what they refuse."""

import errno
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import bench.judge_commands
import bench.report_commands  # noqa: F401  # registers the commands
import reports.views
from bench.command_line import app
from bench.terminal import FAILED, PASSED, UNUSABLE
from ocppj.transcript import write
from reports.badge import badge
from reports.junit import junit
from reports.results import Results
from reports.summary import summary
from tests.reports.few import NASTY, case, failure, results
from tests.reports.test_compare import answered

TRANSCRIPT = Path("cases", "TC_003_CSMS", "transcript.jsonl")


def rehearse(*arguments: str | Path) -> Result:
    """Call the command; the terminal is wide."""
    return CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "200"})


def left(folder: Path, run: Results, *seconds: float) -> Path:
    """The folder that a run has left, with a transcript of a case if it answered in these times."""
    run.write(folder)
    if seconds:
        write(answered(*seconds), folder / TRANSCRIPT)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Everything that lies in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def views(monkeypatch: pytest.MonkeyPatch) -> None:
    """The views of this part, whatever others there are, and one of a case."""
    monkeypatch.setattr(reports.views, "VIEWS", (("junit.xml", junit), ("summary.md", summary), ("badge.svg", badge)))
    monkeypatch.setattr(reports.views, "CASE_VIEWS", (("count.txt", lambda _, records: str(len(records))),))


# --- report


def test_a_report_writes_the_views_and_nothing_else(tmp_path: Path) -> None:
    folder = left(tmp_path, results(case("TC_003_CSMS"), case("TC_004_1_CSMS", "fail")), 0.1, 0.2)
    before = content(folder)
    done = rehearse("report", folder)
    assert done.exit_code == PASSED, done.output
    assert f"The views of 2 cases stand in {folder}." in done.output
    after = content(folder)
    assert after.keys() - before.keys() == {"junit.xml", "summary.md", "badge.svg", "cases/TC_003_CSMS/count.txt"}
    assert {name: after[name] for name in before} == before
    assert after["cases/TC_003_CSMS/count.txt"] == b"4"
    assert b"1 of 2 applicable cases passed" in after["summary.md"]


def test_a_report_made_again_is_the_same(tmp_path: Path) -> None:
    run = results(case("TC_003_CSMS", "fail", reason=NASTY, failure=failure(text=NASTY)), kind=NASTY)
    folder = left(tmp_path, run, 0.1)
    assert rehearse("report", folder).exit_code == PASSED
    once = content(folder)
    (folder / "junit.xml").write_text("something else")
    assert rehearse("report", folder).exit_code == PASSED
    assert content(folder) == once


def test_a_view_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise KeyError("a\nb")

    monkeypatch.setattr(reports.views, "VIEWS", (("broken.txt", broken), ("badge.svg", badge)))
    done = rehearse("report", left(tmp_path, results(case("TC_003_CSMS"))))
    assert done.exit_code == FAILED
    assert "broken.txt could not be made, please report it: KeyError" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "badge.svg").exists()


def test_a_report_as_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("weasyprint")
    monkeypatch.setattr(reports.views, "VIEWS", (("report.html", lambda *_: "<!doctype html><p>Report"),))
    folder = left(tmp_path, results(case("TC_003_CSMS")))
    assert rehearse("report", folder, "--pdf").exit_code == PASSED
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    "arguments", [("report", "DIR"), ("compare", "DIR", "."), ("compare", ".", "DIR"), ("judge", "DIR")]
)
def test_a_folder_that_nobody_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str]) -> None:
    folder = left(tmp_path / "closed", results(case("TC_003_CSMS")), 0.1)
    _close(monkeypatch, folder)
    given = [folder if each == "DIR" else tmp_path if each == "." else each for each in arguments]
    left(tmp_path, results(case("TC_003_CSMS")))
    refused(rehearse(*given), f"{folder}/results.json cannot be read: Permission denied")


def test_transcripts_that_nobody_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = left(tmp_path, results(case("TC_003_CSMS")), 0.1)
    _close(monkeypatch, folder / "cases")
    refused(rehearse("report", folder), f"{folder}/cases cannot be read: Permission denied")


def _close(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let nobody look into a folder, not even root, who may do anything."""
    access, scandir, open_file = os.access, os.scandir, io.open

    def denied(path: object) -> bool:
        return isinstance(path, (str, Path)) and Path(path).is_relative_to(folder)

    def refusing(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(path: Any, *more: Any, **options: Any) -> Any:
            if denied(path):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return call(path, *more, **options)

        return called

    monkeypatch.setattr(
        os, "access", lambda path, *more, **options: not denied(path) and access(path, *more, **options)
    )
    monkeypatch.setattr(os, "scandir", refusing(scandir))
    monkeypatch.setattr(os, "listdir", refusing(os.listdir))
    monkeypatch.setattr(io, "open", refusing(open_file))


def test_a_report_where_nothing_can_be_written(tmp_path: Path) -> None:
    folder = left(tmp_path, results(case("TC_003_CSMS")))
    (folder / "junit.xml").mkdir()
    refused(rehearse("report", folder), "the views cannot be written to", "Is a directory")


# --- compare


def test_nothing_changed(tmp_path: Path) -> None:
    old, new = (left(tmp_path / name, results(case("TC_003_CSMS"))) for name in ("old", "new"))
    done = rehearse("compare", old, new)
    assert done.exit_code == PASSED, done.output
    assert f"OLD  {old}: Central System ws://localhost:8180/ocpp CP1, 2026-02-03T04:05:06+00:00" in done.output
    assert "0 of 1 cases changed, 0 times did (beyond 20% and 20 ms of at least 10); 0 got worse." in done.output
    assert "note: response times are not compared: OLD and NEW measured none" in done.output


def test_a_regression(tmp_path: Path) -> None:
    old = left(tmp_path / "old", results(case("TC_003_CSMS"), case("TC_004_1_CSMS", "fail")), *[0.1] * 10)
    new = left(tmp_path / "new", results(case("TC_003_CSMS", "fail"), case("TC_004_1_CSMS")), *[0.5] * 11)
    done = rehearse("compare", old, new)
    assert done.exit_code == FAILED
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    assert "worse TC_003_CSMS pass fail a reason for fail" in lines
    assert "TC_004_1_CSMS fail pass" in lines
    assert "worse Authorize Central System test cases 0.100 s (10) 0.500 s (11)" in lines
    assert "2 of 2 cases changed, 1 times did" in done.output
    assert "2 got worse." in done.output


def test_what_one_run_alone_has_is_counted_apart(tmp_path: Path) -> None:
    old = left(tmp_path / "old", results(case("TC_003_CSMS"), case("TC_004_1_CSMS")))
    new = left(tmp_path / "new", results(case("TC_003_CSMS"), case("TC_010_CSMS"), case("TC_011_1_CSMS")))
    done = rehearse("compare", old, new)
    assert done.exit_code == FAILED
    assert "0 of 1 cases changed, 3 are in one run alone, 0 times did" in done.output
    assert "1 got worse." in done.output


def test_a_comparison_as_json(tmp_path: Path) -> None:
    old = left(tmp_path / "old", results(case("TC_003_CSMS")))
    new = left(tmp_path / "new", results(case("TC_003_CSMS", "inconclusive")))
    done = rehearse("compare", old, new, "--json")
    assert done.exit_code == FAILED
    told: dict[str, Any] = json.loads(done.stdout)
    assert told.keys() == {"reading", "compared", "verdicts", "times", "notes", "regressions"}
    assert told["regressions"] == 1


def test_a_device_can_say_what_it_likes(tmp_path: Path) -> None:
    old = left(tmp_path / "old", results(case("TC_003_CSMS"), kind="[red]kind"))
    new = left(tmp_path / "new", results(case("TC_003_CSMS", "fail", reason=f"[bold]{NASTY}"), kind=f"[/]{NASTY}"))
    done = rehearse("compare", old, new)
    assert done.exit_code == FAILED, done.output
    assert "\x1b[31m" not in done.output
    assert "[bold]<script>" in done.output
    assert "kind was [red]kind, is [/]<script>" in done.output
    assert "\\x00" in done.output


# --- what cannot be read


def refused(done: Result, *words: str) -> None:
    """One line, and nothing of a traceback."""
    assert done.exit_code == UNUSABLE, done.output
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("rehearse: ")
    for each in words:
        assert each in line


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return left(tmp_path / "good", results(case("TC_003_CSMS")), 0.1)


def _cut(path: Path, end: int) -> None:
    path.write_text(path.read_text()[:end])


def _other_files(folder: Path) -> None:
    (folder / "results.json").rename(folder / "report.html")


# What is done to a good folder, and what is then said of it.
SPOILT: dict[str, Callable[[Path], object]] = {
    "there is no such folder": shutil.rmtree,
    "the folder holds something else than results": _other_files,
    "results.json is cut off or no JSON": lambda folder: _cut(folder / "results.json", 300),
    "results.json is from a newer version": lambda folder: (folder / "results.json").write_text('{"format": 2}'),
    "transcript.jsonl is cut off or no transcript": lambda folder: _cut(folder / TRANSCRIPT, -20),
    "measurements.json is cut off or no JSON": lambda folder: (folder / "measurements.json").write_text("{"),
}


@pytest.fixture(params=SPOILT)
def bad(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A folder that is no folder of results, and what is said of it."""
    folder = left(tmp_path / "bad", results(case("TC_001_CSMS"), case("TC_003_CSMS")), 0.1)
    write(answered(0.2), folder / "cases" / "TC_001_CSMS" / "transcript.jsonl")  # nothing is the matter with this one
    SPOILT[request.param](folder)
    return folder, request.param


def test_a_report_of_what_cannot_be_read_leaves_everything_as_it_was(bad: tuple[Path, str], tmp_path: Path) -> None:
    folder, words = bad
    before = content(tmp_path)
    refused(rehearse("report", folder), words)
    assert content(tmp_path) == before
    assert folder.exists() == (words != "there is no such folder")


def test_what_cannot_be_read_is_not_compared(bad: tuple[Path, str], good: Path) -> None:
    folder, words = bad
    refused(rehearse("compare", folder, good), words)
    refused(rehearse("compare", good, folder, "--json"), words)


def test_runs_of_nothing_in_common_are_not_compared(tmp_path: Path, good: Path) -> None:
    other = left(tmp_path / "other", results(case("TC_003_CS")))
    refused(rehearse("compare", other, good), "have no case in common: nothing can be compared")


def test_a_run_is_its_own_equal(good: Path) -> None:
    assert rehearse("compare", good, good).exit_code == PASSED
