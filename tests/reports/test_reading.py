"""A folder of results that is read again, and every way in which it is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocppj.transcript import Record, Transcript, write
from reports.reading import BadResults, StoredTranscripts, read_results
from reports.results import FORMAT, Results, StepResult
from tests.reports.few import LONG, NASTY, case, failure, results

STEP = StepResult("Then", "it responds", "fail", [["status", "Accepted"]])


def stored(folder: Path, run: Results) -> dict[str, Any]:
    """Write a run; what was written."""
    run.write(folder)
    document: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return document


def test_what_was_written_is_read(tmp_path: Path) -> None:
    nasty = case("TC_003_CSMS", "fail", reason=NASTY, steps=[STEP], failure=failure(text=NASTY), remarks=[NASTY])
    run = results(nasty, case("TC_004_1_CSMS"))
    run.write(tmp_path)
    assert read_results(tmp_path) == run


def test_what_a_later_version_of_this_format_adds_is_passed_over(tmp_path: Path) -> None:
    run = results(case("TC_003_CSMS", steps=[STEP]))
    document = stored(tmp_path, run)
    document["weather"] = document["cases"][0]["mood"] = document["cases"][0]["steps"][0]["mood"] = "fine"
    (tmp_path / "results.json").write_text(json.dumps(document))
    assert read_results(tmp_path) == run


def test_what_an_earlier_version_of_this_format_has_not_told_is_empty(tmp_path: Path) -> None:
    run = results(case("TC_003_CSMS"))
    document = stored(tmp_path, run)
    for name in ("started", "failure", "steps", "remarks"):
        del document["cases"][0][name]
    (tmp_path / "results.json").write_text(json.dumps(document))
    assert read_results(tmp_path) == run


def complaint(folder: Path) -> str:
    """The one line that says what is the matter with a folder."""
    with pytest.raises(BadResults) as raised:
        read_results(folder)
    text = str(raised.value)
    assert text.isprintable()
    assert len(text) < 600
    return text


def test_a_folder_that_is_missing_or_no_folder_or_empty_or_full_of_other_files(tmp_path: Path) -> None:
    assert "missing: there is no such folder" in complaint(tmp_path / "nowhere")
    assert "missing: the folder is empty" in complaint(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    assert "missing: the folder holds something else than results" in complaint(tmp_path)
    assert "photo.jpg is no folder" in complaint(tmp_path / "photo.jpg")
    (tmp_path / "results.json").mkdir()
    assert complaint(tmp_path).endswith("results.json cannot be read: Is a directory")


def test_a_folder_that_cannot_be_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert "cannot be read: Too many levels of symbolic links" in complaint(tmp_path / "loop")
    assert complaint(tmp_path / ("A" * 300)).endswith("cannot be read: File name too long")

    def denied(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    assert complaint(tmp_path).endswith("missing: the folder cannot be read: Permission denied")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"format": 1, "run": {"to',
        "[" * 100_000,
        '{"format": NaN}',
        "\ufeff{}",
        '{"format": ' + "9" * 5000 + "}",
    ],
)
def test_results_that_are_cut_off_or_no_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    assert "is cut off or no JSON" in complaint(tmp_path)


def test_results_cut_off_anywhere(tmp_path: Path) -> None:
    results(case("TC_003_CSMS")).write(tmp_path)
    text = (tmp_path / "results.json").read_bytes()
    for end in range(0, len(text) - 2, 7):  # the last ones are the brace and its newline
        (tmp_path / "results.json").write_bytes(text[:end])
        complaint(tmp_path)


def test_results_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_bytes(b"\xff\xfe\x00")
    assert "is cut off or no JSON" in complaint(tmp_path)


@pytest.mark.parametrize("text", ["null", "[]", "7", '"x"', "{}", '{"numTotalTests": 3}', '{"format": "1"}'])
def test_the_results_of_another_program(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    assert "is not what a rehearsal writes: it has no format number" in complaint(tmp_path)


def test_the_results_of_a_newer_version(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"format": FORMAT + 1, "all": "new"}))
    assert f"is from a newer version: format {FORMAT + 1}, known here is {FORMAT}" in complaint(tmp_path)


def put(path: str, value: object) -> Callable[[Any], None]:
    """A change: another value at a path such as ``cases/0/id``."""
    *way, last = [int(each) if each.isdigit() else each for each in path.split("/")]

    def change(document: Any) -> None:
        for each in way:
            document = document[each]
        document[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", True),
        ("format", 0),
        ("run", []),
        ("run/started", "yesterday"),
        ("run/time", "imaginary"),
        ("device", None),
        ("device/identity", 7),
        ("device/limits_s", {"message_timeout": "long"}),
        ("device/limits_s", {"message_timeout": 1e13}),
        ("device/about", {"vendor": ["a"]}),
        ("cases", {}),
        ("cases/0", "TC_003_CSMS"),
        ("cases/0/id", "../../etc"),
        ("cases/0/id", "TC_003_CSMS\n"),
        ("cases/0/role", "user"),
        ("cases/0/verdict", "splendid"),
        ("cases/0/verdict", LONG),
        ("cases/0/verdict", "\x1b[31m\nsplendid"),
        ("cases/0/started", "yesterday"),
        ("cases/0/strict_verdict", None),
        ("cases/0/duration_s", "1"),
        ("cases/0/duration_s", -1),
        ("cases/0/duration_s", 1e13),
        ("cases/0/remarks", [1]),
        ("cases/0/steps", [{"keyword": "Then"}]),
        ("cases/0/failure", {"text": "only"}),
        ("cases/0/failure/frame", -1),
        ("cases/0/failure/expected", [{"field": "a"}]),
    ],
)
def test_results_of_another_shape(tmp_path: Path, path: str, value: object) -> None:
    document = stored(tmp_path, results(case("TC_003_CSMS", "fail", failure=failure())))
    put(path, value)(document)
    (tmp_path / "results.json").write_text(json.dumps(document))
    assert f"is not what a rehearsal writes: {path}" in complaint(tmp_path)


def test_results_of_another_shape_that_cannot_be_quoted(tmp_path: Path) -> None:
    document = stored(tmp_path, results(case("TC_003_CSMS")))
    document["cases"][0]["verdict"] = NASTY
    (tmp_path / "results.json").write_text(json.dumps(document))
    assert "is not what a rehearsal writes: something in it is wrong" in complaint(tmp_path)


def test_results_with_a_case_that_is_there_twice(tmp_path: Path) -> None:
    results(case("TC_003_CSMS"), case("TC_003_CSMS", "fail")).write(tmp_path)
    assert complaint(tmp_path).endswith("holds TC_003_CSMS more than once")


# --- transcripts


def records() -> list[Record]:
    transcript = Transcript()
    transcript.add("stimulus", action="plug_in")
    transcript.frame("Charge Point", "CP1", '[2,"1","Heartbeat",{}]')
    return transcript.records


def test_transcripts_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    write(records(), tmp_path / "cases" / "TC_003_CSMS" / "transcript.jsonl")
    bad = tmp_path / "cases" / "TC_004_1_CSMS" / "transcript.jsonl"
    write([], bad)
    bad.write_text("{")
    transcripts = StoredTranscripts(tmp_path)
    assert list(transcripts) == ["TC_003_CSMS", "TC_004_1_CSMS"]
    assert len(transcripts) == 2
    assert transcripts["TC_003_CSMS"][1]["action"] == "Heartbeat"
    assert "TC_005_1_CSMS" not in transcripts
    with pytest.raises(BadResults, match=r"is cut off or no transcript: .*line 1"):
        transcripts["TC_004_1_CSMS"]


def test_a_folder_without_transcripts_has_none(tmp_path: Path) -> None:
    assert dict(StoredTranscripts(tmp_path)) == {}


@pytest.mark.parametrize(
    "record",
    [
        7,
        {},
        {"kind": "stimulus"},
        {"kind": "stimulus", "timestamp": "now"},
        {"kind": "stimulus", "timestamp": "2026-02-03T04:05:06"},
        {"kind": "frame", "timestamp": "2026-02-03T04:05:06Z", "raw": "[]", "direction": "sideways"},
        {"kind": "frame", "timestamp": "2026-02-03T04:05:06Z", "direction": "cp-to-csms"},
        {"kind": "frame", "timestamp": "2026-02-03T04:05:06Z", "raw": "[]", "direction": ["cp-to-csms"]},
        {"kind": "bench", "timestamp": "2026-02-03T04:05:06Z"},
        {"kind": "bench", "timestamp": "2026-02-03T04:05:06Z", "event": "step"},
        {"kind": "bench", "timestamp": "2026-02-03T04:05:06Z", "event": "fact", "name": "n"},
    ],
)
def test_a_line_that_is_no_record(tmp_path: Path, record: Any) -> None:
    path = tmp_path / "cases" / "TC_003_CSMS" / "transcript.jsonl"
    write(records(), path)
    path.write_text(path.read_text() + json.dumps(record) + "\n")
    with pytest.raises(BadResults, match="line 3: no record of a transcript"):
        StoredTranscripts(tmp_path)["TC_003_CSMS"]
