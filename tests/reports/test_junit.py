"""JUnit: what its readers count, and that nothing a device says becomes a part of it."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from junitparser import JUnitXml, TestCase, TestSuite

from reports.junit import junit
from reports.results import Results
from reports.texts import shown
from tests.reports.few import LONG, NASTY, case, failure, results

# What Jenkins' junit-10.xsd allows: the children of an element, and its attributes; those with a ! are not optional.
ALLOWED: dict[str, tuple[str, str]] = {
    "testsuites": ("testsuite", "name time tests failures errors"),
    "testsuite": (
        "properties testcase",
        "name! tests! failures! errors! group time skipped timestamp hostname id package file log url",
    ),
    "properties": ("property", ""),
    "property": ("", "name! value!"),
    "testcase": ("skipped error failure system-out system-err", "name! time classname group"),
    "failure": ("", "type message"),
    "error": ("", "type message"),
    "skipped": ("", "type message"),
    "system-out": ("", ""),
}
WITH_TEXT = ("failure", "error", "skipped", "system-out")
TIME = re.compile(r"[0-9]+\.[0-9]{3}")


def every_verdict(*, strict: bool = False) -> Results:
    return results(
        case("TC_001_CSMS"),
        case("TC_003_CSMS", "fail", failure=failure(), clauses=["OCPP 1.6 4.1", "OCPP 1.6 5.13"]),
        case("TC_004_1_CSMS", "inconclusive"),
        case("TC_005_1_CSMS", "error", duration_s=2.25),
        case("TC_042_1_CSMS", "not_applicable", profile="LocalAuthListManagement", duration_s=0.0),
        case("TC_043_1_CSMS", strict_verdict="fail", profile="LocalAuthListManagement", remarks=["a remark"]),
        strict=strict,
    )


def parsed(run: Results) -> Element:
    """The document, held against the schema."""
    root = ElementTree.fromstring(junit(run, {}))  # noqa: S314  # our own
    assert root.tag == "testsuites"
    for element in root.iter():
        children, attributes = ALLOWED[element.tag]
        assert {child.tag for child in element} <= {*children.split()}, element.tag
        known = {name.rstrip("!"): name.endswith("!") for name in attributes.split()}
        assert {*element.keys()} <= known.keys(), element.tag
        assert {name for name, needed in known.items() if needed} <= {*element.keys()}, element.tag
        assert TIME.fullmatch(element.get("time", "0.000"))
        assert element.tag in WITH_TEXT or not (element.text or "").strip()
    return root


def test_a_suite_per_profile_counts_its_cases() -> None:
    root = parsed(every_verdict())
    assert root.attrib == {"name": "ocpp-rehearsal", "tests": "6", "failures": "1", "errors": "2", "time": "8.250"}
    core, local = root.findall("testsuite")
    assert core.attrib == {
        "name": "Core",
        "timestamp": "2026-02-03T04:05:06+00:00",
        "tests": "4",
        "failures": "1",
        "errors": "2",
        "skipped": "0",
        "time": "6.750",
    }
    assert (local.get("name"), local.get("tests"), local.get("skipped")) == ("LocalAuthListManagement", "2", "1")


def test_cases_stand_in_the_order_of_their_ids() -> None:
    root = parsed(results(case("TC_004_1_CSMS", title="a"), case("TC_003_CSMS", title="b")))
    assert [each.get("name") for each in root.iter("testcase")] == ["TC_003_CSMS b", "TC_004_1_CSMS a"]


def test_another_program_reads_the_same() -> None:
    suites: list[TestSuite] = [*JUnitXml.fromstring(junit(every_verdict(), {}).encode())]
    found: dict[str, list[str]] = {
        each.name.split()[0]: [type(result).__name__ for result in each.result]
        for suite in suites
        for each in cases_of(suite)
    }
    assert found == {
        "TC_001_CSMS": [],
        "TC_003_CSMS": ["Failure"],
        "TC_004_1_CSMS": ["Error"],
        "TC_005_1_CSMS": ["Error"],
        "TC_042_1_CSMS": ["Skipped"],
        "TC_043_1_CSMS": [],
    }


def cases_of(suite: TestSuite) -> Iterator[TestCase]:
    yield from suite


def test_the_properties_tell_profile_device_and_clauses() -> None:
    run = every_verdict()
    run.device["about"] = {"vendor": "Vendor", "product": "P-1"}
    suite = parsed(run).findall("testsuite")[0]
    told = [(each.get("name"), each.get("value")) for each in suite.iter("property")]
    assert told == [
        ("profile", "Core"),
        ("device", "Central System"),
        ("address", "ws://localhost:8180/ocpp"),
        ("identity", "CP1"),
        ("vendor", "Vendor"),
        ("product", "P-1"),
        ("tool", "ocpp-rehearsal 0.1.0"),
        ("reading", "default"),
        ("seconds", "real"),
        ("clause", "OCPP 1.6 4.1"),
        ("clause", "OCPP 1.6 5.13"),
    ]


def element(root: Element, case_id: str) -> Element:
    return next(each for each in root.iter("testcase") if (each.get("name") or "").startswith(case_id))


def test_a_case_tells_its_clauses_and_remarks() -> None:
    root = parsed(every_verdict())
    told = element(root, "TC_003_CSMS")
    assert told.attrib == {"name": "TC_003_CSMS Title of TC_003_CSMS", "classname": "CSMS.Core", "time": "1.500"}
    assert told.findtext("system-out") == (
        "[[PROPERTY|role=CSMS]]\n[[PROPERTY|clause=OCPP 1.6 4.1]]\n[[PROPERTY|clause=OCPP 1.6 5.13]]"
    )
    assert (element(root, "TC_043_1_CSMS").findtext("system-out") or "").endswith("\nremark: a remark")


def test_what_did_not_pass_is_explained() -> None:
    root = parsed(every_verdict())
    told = element(root, "TC_003_CSMS").find("failure")
    assert told is not None
    assert told.attrib == {"type": "fail", "message": "a reason for fail"}
    text = told.text or ""
    assert "OCPP 1.6 4.1: A known idTag is accepted" in text
    assert "Look at the idTag in the Central System." in text
    skipped = element(root, "TC_042_1_CSMS").find("skipped")
    assert skipped is not None
    assert skipped.attrib == {"type": "not_applicable", "message": "a reason for not_applicable"}


@pytest.mark.parametrize("verdict", ["inconclusive", "error"])
def test_what_is_no_verdict_on_the_device_is_an_error(verdict: str) -> None:
    told = element(parsed(results(case("TC_003_CSMS", verdict))), "TC_003_CSMS").find("error")
    assert told is not None
    assert told.attrib == {"type": verdict, "message": f"a reason for {verdict}"}
    assert f"a reason for {verdict}" in (told.text or "")


def test_a_strict_run_fails_what_only_its_reading_fails() -> None:
    root = parsed(every_verdict(strict=True))
    assert root.get("failures") == "2"
    told = element(root, "TC_043_1_CSMS").find("failure")
    assert told is not None
    assert told.get("message") == "a remark"
    assert "a remark" in (told.text or "")


def test_a_device_can_say_what_it_likes() -> None:
    texts = [NASTY, NASTY]
    bad = case(
        "TC_003_CSMS",
        "fail",
        title=NASTY,
        profile=NASTY,
        reason=NASTY + LONG,
        remarks=texts,
        clauses=texts,
        failure=failure(text=NASTY, nearest=NASTY + LONG, sentence=NASTY, requirements=texts, next=NASTY),
    )
    run = results(bad, case("TC_042_1_CSMS", "not_applicable", reason=NASTY), kind=NASTY, started=NASTY)
    run.device |= {"address": NASTY, "identity": NASTY, "about": {NASTY: "x", "vendor": NASTY}}
    text = junit(run, {})
    assert text.encode()
    assert len(text) < 30_000
    root = parsed(run)
    assert len(root.findall("testsuite")) == 2
    vendor = next(each for each in root.iter("property") if each.get("name") == "vendor")
    assert vendor.get("value") == shown(NASTY)
    assert "\\x00\\x1b[31m\\ud800\\ufffe\\n# H" in shown(NASTY)


def test_a_run_without_cases() -> None:
    assert [*parsed(results())] == []
