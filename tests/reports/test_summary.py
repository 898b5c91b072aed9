"""The summary of a job: read as Markdown, it says what came out, and a device can add nothing to it."""

from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from ocppj.transcript import Transcript
from reports.results import Results
from reports.summary import LONGEST, summary
from tests.reports.few import LONG, NASTY, case, failure, results

OURS = {
    *("h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td"),
    *("strong", "code", "pre", "details", "summary"),
}


class Page(HTMLParser):
    """What a browser would see of a page: its elements and its text."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        assert {name for name, _ in attrs} <= {"style"}, tag

    def handle_data(self, data: str) -> None:
        self.text += data


def some() -> Results:
    return results(
        case("TC_001_CSMS"),
        case("TC_003_CSMS", "fail", failure=failure()),
        case("TC_004_1_CSMS", "fail", failure=failure()),
        case("TC_005_1_CSMS", "inconclusive"),
        case("TC_042_1_CSMS", "not_applicable", profile="LocalAuthListManagement"),
        case("TC_043_1_CSMS", profile="LocalAuthListManagement"),
    )


def test_a_table_has_a_row_per_profile() -> None:
    text = summary(some(), {})
    assert text.startswith("## OCPP 1.6J rehearsal: 2 of 5 applicable cases passed\n")
    assert (
        "| Central System | pass | fail | inconclusive | error | n/a |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| Core | 1 | 2 | 1 |  |  |\n"
        "| LocalAuthListManagement | 1 |  |  |  | 1 |\n"
        "| **all** | 2 | 2 | 1 |  | 1 |\n"
    ) in text
    page = Page(text)
    assert page.elements.count("tr") == 4
    assert "Central System ws://localhost:8180/ocpp CP1 · ocpp-rehearsal 0.1.0 · 2026-02-03T04:05:06+00:00" in page.text
    assert "It is a rehearsal, no certificate." in page.text


def test_a_self_rehearsal_has_a_table_per_role() -> None:
    text = summary(results(case("TC_003_CS"), case("TC_003_CSMS"), kind="self-rehearsal"), {})
    assert "| Charge Point | pass |" in text
    assert "| Central System | pass |" in text
    assert "**all**" not in text


def test_what_did_not_pass_stands_under_its_cause() -> None:
    page = Page(summary(some(), {}))
    assert page.elements.count("h3") == page.elements.count("pre") == page.elements.count("details") == 2
    assert "fail in 2 cases: idTagInfo.status is Invalid" in page.text
    assert "TC_003_CSMS, TC_004_1_CSMS" in page.text
    assert "inconclusive: a reason for inconclusive" in page.text
    assert "OCPP 1.6 4.1: A known idTag is accepted" in page.text


def test_the_frames_of_the_first_case_are_told() -> None:
    transcript = Transcript()
    transcript.frame("Charge Point", "CP1", '[2,"1","Authorize",{"idTag":"SOMEBODY"}]')
    run = results(case("TC_003_CSMS", "fail", failure=failure(frames=[0])))
    assert "SOMEBODY" in Page(summary(run, {"TC_003_CSMS": transcript.records})).text


def test_a_run_that_passed_has_nothing_to_explain() -> None:
    page = Page(summary(results(case("TC_003_CSMS")), {}))
    assert "h3" not in page.elements
    assert "1 of 1 applicable cases passed" in page.text


def test_the_strict_reading_of_a_strict_run() -> None:
    run = results(case("TC_003_CSMS", strict_verdict="fail", remarks=["a remark"]), strict=True)
    text = Page(summary(run, {})).text
    assert "0 of 1 applicable cases passed" in text
    assert "strict reading" in text
    assert "fail: a remark" in text


def test_a_device_can_say_what_it_likes() -> None:
    nasty = failure(text=NASTY, nearest=NASTY + LONG, sentence=NASTY, requirements=[NASTY], next=NASTY, cause=NASTY)
    nasty["expected"] = [{"field": NASTY, "expected": "</pre>\n\n# H", "seen": "```\n| a | b |"}]
    bad = case("TC_003_CSMS", "fail", title=NASTY, profile=NASTY, reason=NASTY, failure=nasty)
    run = results(bad, case("TC_004_1_CSMS", "error", reason=f"\n\n# H\n\n<b>{NASTY}"), kind=NASTY)
    run.device |= {"address": NASTY, "identity": NASTY}
    text = summary(run, {})
    assert text.encode()
    assert len(text) < 30_000
    page = Page(text)
    assert {*page.elements} <= OURS
    assert page.elements.count("h2") == 1
    assert page.elements.count("h3") == 2
    assert page.elements.count("tr") == 4
    assert page.elements.count("td") == 18
    assert page.text.count("<script>alert(1)</script> ]]> | `x` *b* [l](http://evil.example) www.evil.example @all") > 8


def test_a_summary_is_never_longer_than_github_takes() -> None:
    cases = [
        case(
            f"TC_{number}_CSMS",
            "fail",
            failure=failure(text="&" * 10_000, cause=str(number), requirements=["<" * 9999]),
        )
        for number in range(100, 999)
    ]
    text = summary(results(*cases), {})
    assert LONGEST // 2 < len(text.encode()) <= LONGEST
    assert "causes more, which stand in report.html" in Page(text).text


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("TC_003_CSMS", "TC_003_CSMS"),  # what can be read without is left alone
        ("2026-02-03T04:05:06+00:00", "2026-02-03T04:05:06+00:00"),
        ("why: this", "why: this"),
        ("http://evil.example :smile:", "http&#58;//evil.example &#58;smile:"),
        ("WWW.evil.example", "WWW&#46;evil.example"),
        ("_a_ __b__", "&#95;a&#95; &#95;&#95;b&#95;&#95;"),
    ],
)
def test_only_what_markdown_would_read_is_spelt_out(text: str, spelt: str) -> None:
    run = results(case("TC_003_CSMS", "fail", reason=text))
    assert f"### fail: {spelt}\n" in summary(run, {})
