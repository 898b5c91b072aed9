"""A failure in lines of plain text, and failures grouped by their cause."""

import json
from typing import Any

import pytest

from ocppj.transcript import Party, Record, Transcript
from reports.explanation import LONGEST, LONGEST_FRAME, groups, lines
from reports.results import CaseResult
from tests.reports.few import LONG, NASTY, case, failure, results


def wire(*frames: tuple[Party, object]) -> list[Record]:
    transcript = Transcript()
    for sender, frame in frames:
        transcript.frame(sender, "CP1", json.dumps(frame))["timestamp"] = "2031-05-14T06:07:08.910Z"
    return transcript.records


AUTHORIZED = wire(
    ("Charge Point", [2, "1", "Authorize", {"idTag": "A"}]),
    ("Central System", [3, "1", {"idTagInfo": {"status": "Invalid"}}]),
)


def failed(verdict: str = "fail", case_id: str = "TC_023_1_CSMS", **fields: Any) -> CaseResult:
    return case(case_id, verdict, failure=failure(**fields))


def test_the_whole_of_it() -> None:
    explained = lines(failed(frame=1, frames=[0], nearest='Authorize.req {"idTag": "A"}'), AUTHORIZED)
    assert explained == [
        "reason       idTagInfo.status is Invalid",
        "requirement  OCPP 1.6 4.1: A known idTag is accepted",
        "sentence     Then the Central System responds with Authorize.conf",
        "expected     idTagInfo.status = Accepted",
        "seen         idTagInfo.status = Invalid",
        'nearest      Authorize.req {"idTag": "A"}',
        "frames         06:07:08.910  Charge Point    Authorize.req  idTag A",
        "             > 06:07:08.910  Central System  Authorize.conf  idTagInfo.status Invalid",
        "next         Look at the idTag in the Central System.",
    ]


def test_what_is_not_known_is_left_out() -> None:
    explained = lines(failed(sentence="", clauses=["a clause"], requirements=[""], expected=[], frames=[0]))
    assert [line.split()[0] for line in explained] == ["reason", "requirement", "next"]
    assert explained[1] == "requirement  a clause"
    assert "requirement  a clause" in lines(failed(clauses=["a clause"], requirements=[]))


def test_frames_that_are_not_there() -> None:
    explained = lines(failed(frame=7, frames=[0, 5]), AUTHORIZED)
    assert [line for line in explained if "06:07" in line] == [
        "frames         06:07:08.910  Charge Point    Authorize.req  idTag A"
    ]


@pytest.mark.parametrize("words", [NASTY, LONG, "a\r\nb\u2028c\u202ed\x9b", "", "\ud800"])
def test_what_a_device_says_stays_one_line_that_can_be_shown(words: str) -> None:
    seen = {"field": words, "expected": words, "seen": words}
    records = wire(
        ("Charge Point", [2, "1", "Authorize", {"idTag": words, words: {words: [words]}}]),
        ("Central System", [4, "1", "InternalError", words, {}]),
        ("Central System", words),
    )
    explained = lines(
        failed(text=words, sentence=words, nearest=words, expected=[seen], next=words, frame=2, frames=[0, 1]), records
    )
    explained += lines(case("TC_003_CS", "fail", reason=words)) + lines(case("TC_003_CS", remarks=[words]))
    explained.append(groups(results(failed(text=words)))[0].title)
    for line in explained:
        assert line.isprintable() or not words.isascii()
        assert not set(line) & set("\r\n\x00\x1b\x9b\u2028\u202e\ud800")
        line.encode()
        assert len(line) <= max(LONGEST, LONGEST_FRAME) + 20


def test_a_case_of_which_nothing_is_known_but_its_reason() -> None:
    assert lines(case("TC_003_CS", "error", reason="it broke")) == ["reason       it broke"]


def test_what_passed_or_does_not_apply() -> None:
    assert lines(case("TC_003_CS")) == []
    assert lines(case("TC_003_CS", remarks=["a", "b"])) == ["remark       a", "remark       b"]
    assert lines(case("TC_003_CS", "not_applicable", reason="it lacks it")) == []


def test_one_cause_is_told_once() -> None:
    cases = [failed(case_id=f"TC_0{number}_CSMS", cause="fail: the same") for number in (30, 10, 20)]
    (group,) = groups(results(*cases))
    assert (group.verdict, group.cause) == ("fail", "fail: the same")
    assert [each.id for each in group.cases] == ["TC_010_CSMS", "TC_020_CSMS", "TC_030_CSMS"]
    assert group.title == "idTagInfo.status is Invalid"


def test_failures_come_first_and_what_is_most_often() -> None:
    cases = [
        failed("inconclusive", "TC_001_CS", cause="a"),
        failed("error", "TC_002_CS", cause="a"),
        failed("fail", "TC_003_CS", cause="b"),
        failed("fail", "TC_004_CS", cause="a"),
        failed("fail", "TC_005_CS", cause="a"),
        case("TC_006_CS"),
        case("TC_007_CS", "not_applicable"),
    ]
    found = [(group.verdict, [each.id for each in group.cases]) for group in groups(results(*cases))]
    assert found == [
        ("fail", ["TC_004_CS", "TC_005_CS"]),
        ("fail", ["TC_003_CS"]),
        ("error", ["TC_002_CS"]),
        ("inconclusive", ["TC_001_CS"]),
    ]


def test_the_reading_of_the_run() -> None:
    rigid = case("TC_003_CS", strict_verdict="fail", remarks=["it came late"])
    assert results(rigid).verdict(rigid) == "pass"
    assert results(rigid, strict=True).verdict(rigid) == "fail"
    assert groups(results(rigid)) == []
    (group,) = groups(results(rigid, strict=True))
    assert (group.verdict, group.title) == ("fail", "it came late")
    assert lines(group.cases[0]) == ["remark       it came late"]


def test_nothing_to_tell() -> None:
    assert groups(results()) == []
    assert groups(results(case("TC_003_CS"))) == []
