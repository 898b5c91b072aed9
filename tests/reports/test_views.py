"""The views of a run are written beside its results; one that cannot be made costs none of the others."""

from pathlib import Path

import pytest

from reports import views
from reports.results import CaseResult, Results, Transcripts
from reports.views import write_views
from tests.reports.few import case, results

RECORD = {"kind": "end", "timestamp": "2031-05-14T06:07:08.910Z"}


def ids(found: Results, _: Transcripts) -> str:
    return " ".join(case.id for case in found.cases)


def broken(*_: object) -> str:
    raise ZeroDivisionError("that is ours")


def lengths(found: CaseResult, records: object) -> str:
    assert isinstance(records, list)
    return f"{found.id}: {len(records)} é"


def test_every_view_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "VIEWS", (("ids.txt", ids), ("again.txt", ids)))
    monkeypatch.setattr(views, "CASE_VIEWS", (("length.txt", lengths),))
    found = results(case("TC_001_CS"), case("TC_002_CS", "not_applicable"))
    assert write_views(found, {"TC_001_CS": [RECORD]}, tmp_path) == []
    written = {str(path.relative_to(tmp_path)): path.read_text("utf-8") for path in tmp_path.rglob("*.txt")}
    assert written == {
        "ids.txt": "TC_001_CS TC_002_CS",
        "again.txt": "TC_001_CS TC_002_CS",
        "cases/TC_001_CS/length.txt": "TC_001_CS: 1 é",
    }


def test_one_that_cannot_be_made_costs_none_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "VIEWS", (("a", broken), ("half", lambda *_: "\ud800"), ("ids.txt", ids)))
    monkeypatch.setattr(views, "CASE_VIEWS", (("b", broken),))
    failed = write_views(results(case("TC_001_CS")), {"TC_001_CS": []}, tmp_path)
    assert [(str(path.relative_to(tmp_path)), type(fault)) for path, fault in failed] == [
        ("cases/TC_001_CS/b", ZeroDivisionError),
        ("a", ZeroDivisionError),
        ("half", UnicodeEncodeError),
    ]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["ids.txt"]


def test_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "VIEWS", (("ids.txt", ids),))
    (tmp_path / "file").touch()
    with pytest.raises(OSError):  # noqa: PT011  # of several kinds
        write_views(results(), {}, tmp_path / "file")
