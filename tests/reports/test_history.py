"""What a verdict alone does not tell, in every view: interruptions, earlier attempts, known failures."""

from typing import Any
from xml.etree import ElementTree

import pytest

from bench.cases import all_cases
from reports import allure, history
from reports.badge import AMBER, GREEN, RED, badge
from reports.certification import report
from reports.compare import Side, compare
from reports.explanation import groups
from reports.junit import junit
from reports.results import Attempt, CaseResult, Results
from reports.summary import LONGEST, summary
from tests.reports.few import LONG, NASTY, case, results
from tests.reports.test_certification import Page

FAILS, PASSES, ID = "TC_003_CSMS", "TC_004_1_CSMS", "TC_010_CSMS"
FIRST, SECOND = (f"2026-02-03T0{hour}:00:00+00:00" for hour in (4, 5))
ALL_OF_CSMS = [each.id for each in all_cases().values() if each.role == "CSMS"]


def session(kind: str, started: str, *cases: str, notes: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"kind": kind, "started": started, "ended": "", "cases": list(cases), "notes": list(notes)}


def resumed() -> Results:
    """A run that was interrupted after one of two cases, and went on."""
    sessions = [session("run", FIRST, FAILS, PASSES), session("resume", SECOND, PASSES, notes=("it was elsewhere",))]
    return results(case(FAILS), case(PASSES, session=1), sessions=sessions)


def flaky(**run: Any) -> Results:
    """A run of two cases, one of which passed when it was run again, and one that has failed twice."""
    attempt = Attempt("fail", "fail", "no answer in 30 s")
    sessions = [session("run", FIRST, FAILS, PASSES), session("rerun", SECOND, FAILS, PASSES)]
    twice = case(PASSES, session=1, attempts=[attempt])
    return results(case(FAILS, "fail", session=1, attempts=[attempt]), twice, sessions=sessions, **run)


def known(*cases: CaseResult, **run: Any) -> Results:
    """A run in which two cases are known to fail."""
    return results(*cases, known_failures={FAILS: "issue 17", PASSES: "issue 18"}, **run)


def texts(run: Results) -> dict[str, str]:
    """Every view in which a person reads of the cases."""
    return {"html": Page(report(run, {})).text, "junit": junit(run, {}), "summary": summary(run, {})}


# --- sessions


def test_a_run_in_one_go_says_nothing_of_sessions() -> None:
    assert history.sessions(results(case(FAILS))) == []
    assert history.sessions(results(case(FAILS), sessions=[session("run", FIRST, FAILS)])) == []


def test_a_run_that_was_resumed_says_so_and_when() -> None:
    assert history.sessions(resumed()) == [
        "begun 2026-02-03 04:00:00 UTC: 2 cases, interrupted after 1 of them",
        "resumed 2026-02-03 05:00:00 UTC: 1 case",
        "it was elsewhere",
    ]
    for name, text in texts(resumed()).items():
        assert "resumed 2026" in text.replace("&#45;", "-"), name
        assert "it was elsewhere" in text, name


def test_a_run_that_is_still_interrupted_says_so() -> None:
    run = results(case(FAILS), sessions=[session("run", FIRST, FAILS, PASSES)])
    assert run.left == [PASSES]
    assert "interrupted after 1 of them" in texts(run)["html"]


# --- attempts


def test_another_attempt_keeps_what_came_before() -> None:
    run = results(case(FAILS, "fail", reason="first"), sessions=[session("run", FIRST, FAILS)])
    assert run.left == []
    for number, verdict in ((1, "inconclusive"), (2, "pass")):
        run.begin_session("rerun", SECOND, [FAILS])
        assert run.left == [FAILS]
        run.add(case(FAILS, verdict))
        assert run.left == []
        assert (len(run.cases), run.cases[0].session, len(run.cases[0].attempts)) == (1, number, number)
    assert [(each.verdict, each.reason, each.session) for each in run.cases[0].attempts] == [
        ("fail", "first", 0),
        ("inconclusive", "a reason for inconclusive", 1),
    ]


@pytest.mark.parametrize("view", ["html", "junit", "summary"])
def test_a_device_that_passed_later_does_not_look_like_one_that_passed(view: str) -> None:
    text = texts(flaky())[view].replace("&#58;", ":")
    assert text.count("attempt 1, 2026-02-03 04:00:00 UTC: fail: no answer in 30 s") == 2
    assert "attempt 2" in text
    if view != "junit":
        assert "2 run again" in text


def test_attempts_are_read_as_the_run_is() -> None:
    run = results(case(FAILS, attempts=[Attempt("pass", "fail", "", remarks=["a remark"])]), strict=True)
    assert history.attempts(run.cases[0], run) == ["attempt 1, 2026-02-03 04:05:06 UTC: fail: a remark"]


def test_a_real_attempt_has_an_instant_of_its_own_and_a_virtual_one_that_of_its_session() -> None:
    attempt = Attempt("fail", "fail", "x", started="2031-05-06T07:08:09.123Z")
    for time, told in (("real", "2031-05-06 07:08:09.123Z"), ("virtual", "2026-02-03 04:00:00 UTC")):
        run = results(case(FAILS, attempts=[attempt]), time=time, sessions=[session("run", FIRST, FAILS)])
        assert history.attempts(run.cases[0], run) == [f"attempt 1, {told}: fail: x"]


def test_a_badge_is_green_at_the_first_attempt_alone() -> None:
    every = [case(each) for each in ALL_OF_CSMS]
    assert GREEN in badge(results(*every), {})
    every[0].attempts = [Attempt("fail", "fail", "x")]
    drawn = badge(results(*every), {})
    assert AMBER in drawn
    assert "1 run again" in drawn


def test_a_comparison_tells_of_later_attempts() -> None:
    notes = compare(Side(results(case(FAILS), case(PASSES)), {}), Side(flaky(), {})).notes
    assert f"in NEW not at the first attempt passed {PASSES}" in notes


# --- known failures


def test_a_known_failure_is_counted_apart() -> None:
    run = known(case(FAILS, "fail"), case(PASSES), case(ID, "fail"))
    assert [run.counts_as(each) for each in run.cases] == ["known_failure", "pass", "fail"]
    assert [each.id for each in run.unexpected_passes] == [PASSES]
    assert [each.cases[0].id for each in groups(run)] == [ID]
    assert [each.cases[0].id for each in groups(run, known=True)] == [FAILS]


def test_only_a_fail_is_a_known_failure() -> None:
    run = known(case(FAILS, "inconclusive"))
    assert run.counts_as(run.cases[0]) == "inconclusive"
    assert run.untried_failures == {FAILS: "inconclusive: a reason for inconclusive", PASSES: "it was not run"}


@pytest.mark.parametrize(("strict", "expected"), [(True, "known_failure"), (False, "pass")])
def test_the_reading_of_the_run_decides_what_is_a_known_failure(strict: bool, expected: str) -> None:
    run = known(case(FAILS, strict_verdict="fail"), strict=strict)
    assert run.counts_as(run.cases[0]) == expected
    assert bool(run.unexpected_passes) is not strict


def test_every_view_tells_what_has_come_of_each_known_failure() -> None:
    run = known(case(FAILS, "fail"), case(PASSES))
    for name, text in texts(run).items():
        assert f"{FAILS} is known to fail: issue 17" in text.replace("&#58;", ":"), name
        assert f"{PASSES} is known to fail and has passed" in text, name
    assert "0 fail" in texts(run)["html"]
    assert "1 known failure" in texts(run)["html"]
    assert "1 known to fail" in texts(run)["summary"]
    untried = texts(known(case(FAILS, "not_applicable")))
    for name in ("html", "summary"):
        assert f"{PASSES} is known to fail (issue 18), which nobody has tried" in untried[name].replace("&#40;", "(")


def test_junit_shows_a_known_failure_as_skipped_and_one_that_passed_as_a_failure() -> None:
    root = ElementTree.fromstring(junit(known(case(FAILS, "fail"), case(PASSES), case(ID)), {}))  # noqa: S314  # ours
    assert {root.get(name) for name in ("failures", "errors")} == {"1", "0"}
    skipped, failure = root.find(".//skipped"), root.find(".//failure")
    assert skipped is not None
    assert failure is not None
    assert (skipped.get("type"), failure.get("type")) == ("known_failure", "unexpected_pass")
    assert skipped.get("message") == f"{FAILS} is known to fail: issue 17; a reason for fail"
    assert "take it out of the known failures" in failure.get("message", "")


def test_a_certificate_knows_of_no_known_failure() -> None:
    run = known(case(FAILS, "fail"))
    assert RED in badge(run, {})
    assert "Fail" in Page(report(run, {})).text


def test_a_known_failure_that_passed_before_got_worse() -> None:
    change = compare(Side(results(case(FAILS)), {}), Side(known(case(FAILS, "fail")), {})).verdicts[0]
    assert change.is_regression
    assert change.reason == "known failure (issue 17): a reason for fail"


@pytest.mark.parametrize("text", [NASTY, LONG])
def test_what_a_device_and_a_user_say_stays_a_text(text: str) -> None:
    attempt = Attempt("fail", "fail", text, remarks=[text])
    run = results(
        case(FAILS, "fail", reason=text, attempts=[attempt] * 3),
        known_failures={FAILS: text},
        sessions=[session("run", FIRST, FAILS, PASSES, notes=(text,))],
    )
    page = Page(report(run, {}))
    assert "script" not in page.elements
    ElementTree.fromstring(junit(run, {}))  # noqa: S314  # ours
    assert "<script>" not in summary(run, {})
    assert allure.environment(run, {})


def test_a_summary_of_many_attempts_is_short_enough() -> None:
    every = [case(each, attempts=[Attempt("fail", "fail", "<" * 10_000)] * 9) for each in all_cases()]
    assert len(summary(results(*every), {}).encode()) < LONGEST
