"""The report that a manager is shown: what it says, to whom it would lie, and how it looks in a browser."""

import re
import sys
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bench.device import CAPABILITIES
from reports import pdf as paper
from reports.certification import FUNCTIONALITIES, PICS, identification, outcome, report, summary, traced
from reports.requirements import requirements
from reports.results import Results
from reports.timing import Session, Times
from tests.reports.chromium import look
from tests.reports.few import LONG, NASTY, case, failure, results
from tests.reports.prepared import GOLDEN, ID, VERDICTS, frame, hostile, page_of, run_of


class Page(HTMLParser):
    """The elements of a page, its links and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._quiet = 0
        self.feed(html)
        self.close()
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._quiet += tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag == "style"

    def handle_data(self, data: str) -> None:
        self.text += "" if self._quiet else f"{data} "


# The Test Result Summary


@pytest.mark.parametrize(
    ("verdicts", "missing", "word"),
    [
        (["pass", "pass"], 0, "Pass"),
        (["pass", "not_applicable"], 0, "Pass"),
        (["pass"], 1, "Incomplete"),
        (["pass", "inconclusive"], 0, "Incomplete"),
        (["pass", "error"], 0, "Incomplete"),
        (["inconclusive"], 0, "Incomplete"),
        (["pass", "fail"], 0, "Fail"),
        (["fail", "error"], 5, "Fail"),
        (["not_applicable"], 0, "Not tested"),
        ([], 3, "Not tested"),
    ],
)
def test_outcome(verdicts: list[str], missing: int, word: str) -> None:
    assert outcome(verdicts, missing) == word


def test_a_functionality_has_a_row_even_if_nothing_of_it_ran() -> None:
    found = summary(results(case(ID)))
    assert [row["name"] for row in found] == [name for _, name, _ in FUNCTIONALITIES]
    core, *others = found
    assert (core["outcome"], core["passed"], core["applicable"], core["missing"]) == ("Incomplete", 1, 34, 33)
    assert {row["outcome"] for row in others} == {"Not tested"}
    assert "1 of 1 applicable cases passed 1 pass" in Page(report(results(case(ID)), {})).text
    assert "76 not run" in Page(report(results(case(ID)), {})).text


def test_each_role_that_was_judged_has_its_rows() -> None:
    assert {row["role"] for row in summary(results(case("TC_003_CS")))} == {"CS"}
    assert {row["role"] for row in summary(results(case("TC_003_CS"), case(ID)))} == {"CS", "CSMS"}


def test_the_strict_reading_is_told_beside_and_counts_if_the_run_was_strict() -> None:
    lenient = results(case(ID, strict_verdict="fail"))
    core = summary(lenient)[0]
    assert (core["outcome"], core["strict"]) == ("Incomplete", "Fail")
    assert "strict: Fail" in Page(report(lenient, {})).text
    strict = results(case(ID, strict_verdict="fail"), strict=True)
    assert summary(strict)[0]["outcome"] == "Fail"
    assert "What did not pass" in report(strict, {})
    assert "What did not pass" not in report(lenient, {})


# Identification


def boot(vendor: str) -> dict[str, Any]:
    payload = f'{{"chargePointVendor":"{vendor}","chargePointModel":"M1","firmwareVersion":"7"}}'
    return {ID: [frame(1, "Charge Point", f'[2,"1","BootNotification",{payload}]')]}


def test_a_charge_point_says_itself_what_it_is() -> None:
    said = dict(identification(results(case(ID), kind="Charge Point"), boot("Acme")))
    assert (said["Vendor"], said["Product"], said["Software version"]) == ("Acme", "M1", "7")


def test_what_the_user_says_of_it_comes_first() -> None:
    run = results(case(ID), kind="Charge Point")
    run.device["about"] = {"vendor": "Example", "laboratory": "Lab"}
    said = dict(identification(run, boot("Acme")))
    assert (said["Vendor"], said["Product"], said["Carried out by"]) == ("Example", "M1", "Lab")


def test_our_own_boot_notification_says_nothing_of_a_central_system() -> None:
    said = dict(identification(results(case(ID), kind="Central System"), boot("Ours")))
    assert said["Vendor"] == said["Product"] == said["Software version"] == ""


def test_the_declared_names_are_those_of_the_bench() -> None:
    assert PICS == CAPABILITIES


def test_clauses_come_as_the_documents_have_them() -> None:
    names = [name for name, _ in traced(results(case(ID)))["by none"]]
    assert names.index("OCPP 1.6 4.9") < names.index("OCPP 1.6 4.10") < names.index("OCPP 1.6 errata 3.9")


def test_a_demand_stands_in_one_list() -> None:
    lists = traced(results(case(ID), case("TC_003_CS")))
    told = [str(each.requirement) for by_clause in lists.values() for _, those in by_clause for each in those]
    assert sorted(told) == sorted(map(str, requirements()))


def test_a_case_of_no_profile_that_we_know_is_told_too() -> None:
    assert "TC_901_CSMS" in Page(report(results(case("TC_901_CSMS", profile="Of our own")), {})).text


# The page


@pytest.mark.parametrize("verdict", VERDICTS)
def test_golden(verdict: str) -> None:
    assert page_of(verdict) == (GOLDEN / f"{verdict}.html").read_text(encoding="utf-8")


def test_it_says_what_it_is_and_has_every_section() -> None:
    page = Page(report(*run_of("fail")))
    assert "A rehearsal, no certificate." in page.text
    for title in (
        *("Identification", "Test Result Summary", "What did not pass", "Performance Measurement Results"),
        *("Test Configuration", "PICS as declared", "Test cases", "Remarks", "From demands to cases"),
        "Statement of approval",
    ):
        assert title in page.text
    for text in ("Example & Sons", "Cloud <9>", "a warning in the official tool", "given, and kept out", "not stated"):
        assert text in page.text


def test_a_failure_is_explained_field_by_field() -> None:
    text = Page(report(*run_of("fail"))).text
    assert "idTagInfo.status Accepted Invalid" in text
    assert "OCPP 1.6 4.1 A known idTag is accepted" in text
    assert "Then the Central System responds with Authorize.conf" in text
    assert "04:05:02.150 Central System Authorize.conf idTagInfo.status Invalid" in text
    assert "What to do next Look at the idTag in the Central System." in text


def test_a_clause_of_which_nothing_is_known_is_named_alone() -> None:
    run = results(case(ID, "fail", failure=failure(clauses=["OCPP 1.6 4.1", "OCPP 1.6 7.2"])))
    text = Page(report(run, {})).text
    assert "OCPP 1.6 4.1 A known idTag is accepted OCPP 1.6 7.2 Then the Central System" in text


def test_a_diagram_is_inside_for_what_did_not_pass_and_a_link_away_for_the_rest() -> None:
    for verdict, count in {"pass": 0, "fail": 1, "inconclusive": 1, "error": 1, "not_applicable": 0}.items():
        html = report(*run_of(verdict))
        assert html.count('<svg xmlns="http://www.w3.org/2000/svg" class="sequence"') == count
        links = [value for name, value in Page(html).attributes if name == "href" and not value.startswith("#")]
        assert links == ([] if verdict == "not_applicable" else [f"cases/{ID}/sequence.svg"])


@pytest.mark.parametrize("text", [NASTY, LONG, "{{ 7*7 }}", "]]></style><script>", "\u202e", "日本語"])
def test_a_hostile_text_stays_a_text(text: str) -> None:
    html = report(*hostile(text))
    page, plain = Page(html), Page(report(*hostile("x")))
    assert page.elements == plain.elements
    assert {name for name, _ in page.attributes} == {name for name, _ in plain.attributes}
    assert not any(value.startswith(("javascript:", "data:")) for _, value in page.attributes)
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff\u202e]", html)
    assert len(html) < 400_000
    if text == NASTY:
        assert page.text.count("<script>alert(1)</script> ]]> | `x` *b*") >= 20


def test_what_a_person_has_told_is_told_as_such() -> None:
    seen = {"asked": "connector 1 is unlocked", "answer": "denied", "words": "", "note": "stuck", "by": "Jane Doe"}
    done = {"asked": "When the EV driver plugs in the cable", "answer": "done", "words": "", "note": "stiff", "by": ""}
    text = Page(report(results(case(ID, testimony=[seen, done])), {})).text
    assert "Told by the operator" in text
    assert f"{ID} connector 1 is unlocked denied Jane Doe, a person stuck" in text
    assert f"{ID} When the EV driver plugs in the cable done the operator stiff" in text
    assert "Told by the operator" not in Page(report(results(case(ID)), {})).text


def test_every_link_inside_leads_somewhere() -> None:
    page = Page(report(*run_of("fail")))
    places = {value for name, value in page.attributes if name == "id"}
    assert {value[1:] for name, value in page.attributes if name == "href" and value.startswith("#")} <= places


def test_figures_come_from_a_measurement_of_this_device() -> None:
    run = results(case(ID), time="virtual")
    text = Page(report(run, {})).text
    assert "OCPP response timeout Central System 30 s not measured (virtual time)" in text
    times = Times("response", "Authorize", "Central System", (0.00021, 0.004, 0.003))
    session = Session("ocpp-rehearsal", "0.1.0", "A", "B", "here", run.device, (times,))
    html = report(run, {}, session)
    assert "0.004 s (longest of 3; median 0.003 s)" in Page(html).text
    assert 'class="timing"' in html
    assert "Authorize Central System 3 0.21 ms 3 ms 4 ms 4 ms" in Page(html).text


def test_an_empty_run_has_a_report() -> None:
    assert "nothing rehearsed" in Page(report(Results({}, {}), {})).text


# How it looks


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_a_browser_has_nothing_to_complain_of(tmp_path: Path, verdict: str) -> None:
    page = tmp_path / "report.html"
    page.write_text(report(*run_of(verdict)), encoding="utf-8")
    seen = look(page, f"report-{verdict}")
    assert seen.complaints == []
    assert seen.requests == []
    assert seen.overflow == {"light": 0, "dark": 0, "paper": 0}
    assert seen.backgrounds == {"light": "rgb(243, 245, 248)", "dark": "rgb(13, 18, 24)", "paper": "#fff"}
    assert "Regular Charging Session - Plugin First" in seen.text
    assert seen.pdf.startswith(b"%PDF")


def test_a_browser_runs_nothing_of_a_hostile_device(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(report(*hostile(f"<img src=http://evil.example onerror=alert(1)>{NASTY}{LONG}")), encoding="utf-8")
    seen = look(page, "report-hostile")
    assert seen.complaints == []
    assert seen.requests == []
    assert seen.overflow == {"light": 0, "dark": 0, "paper": 0}


# On paper


def test_the_report_becomes_a_pdf() -> None:
    pytest.importorskip("weasyprint")
    made = paper.pdf(report(*run_of("fail")))
    assert made.startswith(b"%PDF")
    assert b"https://" not in made


def test_without_weasyprint_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(paper.NoPdf, match=r"pip install 'ocpp-rehearsal\[pdf\]'"):
        paper.pdf("<p>")
