"""Two runs held against each other: what is a change, what is a regression, and what is noise."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ocppj.transcript import Record, Transcript
from reports.compare import Comparison, Side, compare
from reports.results import CaseResult
from reports.timing import Session, Times
from tests.reports.few import case, results

BEGIN = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)


def answered(*seconds: float, action: str = "Authorize") -> list[Record]:
    """A transcript in which a Central System has answered an action in these times, one after the other."""
    transcript, now = Transcript(), BEGIN
    for number, each in enumerate(seconds):
        call = transcript.frame("Charge Point", "CP1", f'[2,"{number}","{action}",{{}}]')
        answer = transcript.frame("Central System", "CP1", f'[3,"{number}",{{}}]')
        call["timestamp"], answer["timestamp"] = ((now + timedelta(seconds=at)).isoformat() for at in (0, each))
        now += timedelta(seconds=each + 1)
    return transcript.records


def side(
    *cases: CaseResult,
    transcripts: Mapping[str, Sequence[Record]] | None = None,
    session: Session | None = None,
    strict: bool = False,
    time: str = "real",
) -> Side:
    return Side(results(*cases, strict=strict, time=time), transcripts or {}, session)


def timed(*seconds: float, action: str = "Authorize") -> Side:
    return side(case("TC_003_CSMS"), transcripts={"TC_003_CSMS": answered(*seconds, action=action)})


def changes(comparison: Comparison) -> list[tuple[str, str | None, str | None, bool]]:
    return [(each.id, each.old, each.new, each.is_regression) for each in comparison.verdicts]


# --- verdicts


def test_two_runs_of_one_outcome_differ_in_nothing() -> None:
    cases = [case("TC_003_CSMS"), case("TC_004_1_CSMS", "fail")]
    comparison = compare(side(*cases), side(*cases))
    assert comparison.verdicts == []
    assert comparison.times == []
    assert comparison.regressions == []
    assert comparison.compared == 2
    assert comparison.reading == "default"


@pytest.mark.parametrize("verdict", ["fail", "inconclusive", "error", "not_applicable"])
def test_a_case_that_passes_no_more_is_a_regression(verdict: str) -> None:
    comparison = compare(side(case("TC_003_CSMS")), side(case("TC_003_CSMS", verdict)))
    assert changes(comparison) == [("TC_003_CSMS", "pass", verdict, True)]
    assert comparison.verdicts[0].reason == f"a reason for {verdict}"
    assert comparison.regressions == comparison.verdicts


@pytest.mark.parametrize("old", ["fail", "inconclusive", "error", "not_applicable"])
@pytest.mark.parametrize("new", ["pass", "fail", "inconclusive", "error", "not_applicable"])
def test_what_did_not_pass_before_cannot_become_worse(old: str, new: str) -> None:
    comparison = compare(side(case("TC_003_CSMS", old)), side(case("TC_003_CSMS", new)))
    assert changes(comparison) == ([("TC_003_CSMS", old, new, False)] if old != new else [])
    assert comparison.regressions == []


def test_cases_that_came_and_went() -> None:
    comparison = compare(
        side(case("TC_001_CSMS"), case("TC_003_CSMS", "fail"), case("TC_004_1_CSMS")),
        side(case("TC_001_CSMS"), case("TC_005_1_CSMS", "fail")),
    )
    assert changes(comparison) == [
        ("TC_003_CSMS", "fail", None, False),
        ("TC_004_1_CSMS", "pass", None, True),  # to leave it out opens no gate
        ("TC_005_1_CSMS", None, "fail", False),
    ]
    assert comparison.verdicts[1].reason == "it was not run again"
    assert comparison.compared == 1


def test_the_cases_of_a_role_that_one_run_has_not_judged_are_left_out() -> None:
    comparison = compare(side(case("TC_003_CS"), case("TC_003_CSMS")), side(case("TC_003_CSMS")))
    assert comparison.verdicts == []
    assert "the cases of CS in OLD are left out: the other judged CSMS" in comparison.notes


def test_runs_without_a_case_in_common_are_not_compared() -> None:
    comparison = compare(side(case("TC_003_CS")), side(case("TC_003_CSMS")))
    assert comparison.compared == 0
    assert comparison.verdicts == []


def test_both_are_read_as_the_new_one_was_judged() -> None:
    old = case("TC_003_CSMS")
    new = case("TC_003_CSMS", strict_verdict="fail")
    assert compare(side(old, strict=True), side(new)).verdicts == []
    comparison = compare(side(old), side(new, strict=True))
    assert changes(comparison) == [("TC_003_CSMS", "pass", "fail", True)]
    assert comparison.reading == "strict"


def test_what_else_is_different_is_noted() -> None:
    old, new = side(case("TC_003_CSMS")), side(case("TC_003_CSMS"))
    new.results.run["version"] = "0.2.0"
    new.results.device |= {"address": "ws://other/", "lacks": ["reservation", "remote_trigger"]}
    notes = compare(old, new).notes
    assert "version was 0.1.0, is 0.2.0" in notes
    assert "address was ws://localhost:8180/ocpp, is ws://other/" in notes
    assert "lacks was nothing, is reservation, remote_trigger" in notes


# --- times


@pytest.mark.parametrize(
    ("old", "new", "is_change"),
    [
        ([0.1] * 10, [0.1] * 10, False),
        ([0.1] * 10, [0.12] * 10, False),  # 20 ms, and no more
        ([0.1] * 10, [0.121] * 10, True),
        ([0.1] * 10, [0.079] * 10, True),
        ([0.01] * 10, [0.029] * 10, False),  # thrice as long, and yet 19 ms
        ([1.0] * 10, [1.199] * 10, False),  # 199 ms, and yet no 20 %
        ([1.0] * 10, [1.201] * 10, True),
        ([0.1] * 9, [9.0] * 10, False),  # too few
        ([0.1] * 10, [9.0] * 9, False),
        ([0.1] * 10, [0.1] * 6 + [9.0] * 5, False),  # the median is what counts
    ],
)
def test_medians_differ_only_beyond_noise(old: list[float], new: list[float], is_change: bool) -> None:
    assert bool(compare(timed(*old), timed(*new)).times) is is_change


def test_what_takes_longer_is_a_regression() -> None:
    comparison = compare(timed(*[0.1] * 10), timed(*[0.5] * 12))
    (change,) = comparison.times
    assert (change.source, change.party, change.name) == ("test cases", "Central System", "Authorize")
    assert (change.old_count, change.old_median_s, change.new_count, change.new_median_s) == (10, 0.1, 12, 0.5)
    assert comparison.regressions == [change]


def test_what_is_quicker_is_none() -> None:
    comparison = compare(timed(*[0.5] * 10), timed(*[0.1] * 10))
    assert len(comparison.times) == 1
    assert comparison.regressions == []


def test_times_that_are_not_compared_are_told() -> None:
    few = "of the times were measured in one run alone, or less than 10 times, and are not compared"
    assert f"1 {few}" in compare(timed(*[0.1] * 9), timed(*[0.1] * 10)).notes
    assert f"2 {few}" in compare(timed(*[0.1] * 10), timed(*[0.1] * 10, action="Heartbeat")).notes


def test_virtual_time_tells_no_response_time() -> None:
    transcripts = {"TC_003_CSMS": answered(*[0.1] * 10)}
    virtual = side(case("TC_003_CSMS"), transcripts=transcripts, time="virtual")
    assert "response times are not compared: OLD measured none" in compare(virtual, timed(*[0.5] * 10)).notes
    assert "response times are not compared: OLD and NEW measured none" in compare(virtual, virtual).notes


def measured(*seconds: float, kind: str = "response") -> Session:
    """A session with the device of the runs here."""
    times = (Times(kind, "Authorize", "Central System", seconds),)
    return Session("ocpp-rehearsal", "0.1.0", "", "", "how", results().device, times)


def test_what_a_session_has_measured_is_compared_with_a_session() -> None:
    old = side(case("TC_003_CSMS"), session=measured(*[0.1] * 20), time="virtual")
    new = side(case("TC_003_CSMS"), session=measured(*[0.4] * 20), time="virtual")
    (change,) = compare(old, new).times
    assert (change.source, change.name, change.is_regression) == ("measure", "Authorize", True)
    comparison = compare(old, timed(*[0.4] * 20))
    assert comparison.times == []
    assert any(note.startswith("2 of the times were measured in one run alone") for note in comparison.notes)


def test_a_session_with_another_device_counts_for_nothing() -> None:
    session = measured(*[0.4] * 20)
    session.device["identity"] = "CP2"
    old = side(case("TC_003_CSMS"), session=measured(*[0.1] * 20))
    assert compare(old, side(case("TC_003_CSMS"), session=session)).times == []


def test_drift_is_not_compared() -> None:
    old, new = (side(case("TC_003_CSMS"), session=measured(*[each] * 20, kind="drift")) for each in (0.0, 0.9))
    assert compare(old, new).times == []


def test_all_of_it_as_json() -> None:
    old = Side(results(case("TC_003_CSMS")), {"TC_003_CSMS": answered(*[0.1] * 10)})
    new = Side(results(case("TC_003_CSMS", "fail")), {"TC_003_CSMS": answered(*[0.5] * 10)})
    assert compare(old, new).as_dict() == {
        "reading": "default",
        "compared": 1,
        "verdicts": [
            {
                "id": "TC_003_CSMS",
                "title": "Title of TC_003_CSMS",
                "old": "pass",
                "new": "fail",
                "reason": "a reason for fail",
                "regression": True,
            }
        ],
        "times": [
            {
                "source": "test cases",
                "party": "Central System",
                "name": "Authorize",
                "old_count": 10,
                "old_median_s": 0.1,
                "new_count": 10,
                "new_median_s": 0.5,
                "regression": True,
            }
        ],
        "notes": [],
        "regressions": 2,
    }
