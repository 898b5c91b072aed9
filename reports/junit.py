"""``junit.xml``: a test suite per feature profile, for whoever shows the results of a pipeline.

Jenkins' junit-10.xsd, which everybody reads, knows properties of a suite but none of a case. What belongs to a case,
its role and its clauses, stands in its ``system-out`` in the notation ``[[PROPERTY|name=value]]``; all clauses of a
suite are among its properties as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from ocppj.transcript import Record
from reports import explanation, history
from reports.results import KNOWN_FAILURE, CaseResult, Results, Transcripts
from reports.texts import shown

# Who is no pass is one of these; inconclusive is no failure of the device, and green it is not either. A known failure
# is shown as pytest and others show what is expected to fail; one that has passed fails the run.
ELEMENTS = {
    "fail": "failure",
    "inconclusive": "error",
    "error": "error",
    "not_applicable": "skipped",
    KNOWN_FAILURE: "skipped",
    "unexpected_pass": "failure",
}
LONGEST_MESSAGE = 400


def junit(results: Results, transcripts: Transcripts) -> str:
    """The run as JUnit XML. Seconds are those of the wire: in a self-rehearsal virtual ones."""
    suites: dict[str, list[CaseResult]] = defaultdict(list)
    for case in sorted(results.cases, key=lambda each: each.id):
        suites[case.profile].append(case)
    totals = _totals(results, results.cases)
    del totals["skipped"]  # junit-10.xsd has it for a suite alone
    root = Element("testsuites", {"name": "ocpp-rehearsal"} | totals)
    for profile, cases in suites.items():
        root.append(_suite(profile, cases, results, transcripts))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(profile: str, cases: Sequence[CaseResult], results: Results, transcripts: Transcripts) -> Element:
    told = {"name": shown(profile), "timestamp": shown(str(results.run["started"]))}
    suite = Element("testsuite", told | _totals(results, cases))
    properties = SubElement(suite, "properties")
    for name, value in _properties(profile, cases, results):
        SubElement(properties, "property", {"name": shown(name), "value": shown(value)})
    for case in cases:
        suite.append(_case(case, results, transcripts.get(case.id, ())))
    return suite


def _totals(results: Results, cases: Sequence[CaseResult]) -> dict[str, str]:
    counted = Counter(ELEMENTS.get(_type(case, results)) for case in cases)
    return {
        "tests": str(len(cases)),
        "failures": str(counted["failure"]),
        "errors": str(counted["error"]),
        "skipped": str(counted["skipped"]),
        "time": f"{sum(case.duration_s for case in cases):.3f}",
    }


def _type(case: CaseResult, results: Results) -> str:
    """What a case is in the eyes of who waits for the run to pass."""
    return "unexpected_pass" if case in results.unexpected_passes else results.counts_as(case)


def _properties(profile: str, cases: Sequence[CaseResult], results: Results) -> Iterator[tuple[str, str]]:
    run, device = results.run, results.device
    about = device.get("about")
    yield "profile", profile
    yield "device", str(device["kind"])
    yield from ((name, str(device[name])) for name in ("address", "identity") if device.get(name))
    yield from about.items() if isinstance(about, Mapping) else ()
    yield "tool", f"{run['tool']} {run['version']}"
    yield "reading", "strict" if run["strict"] else "default"
    yield "seconds", str(run["time"])
    yield from (("session", told) for told in history.sessions(results))
    yield from (("known failure", each.text) for each in history.known(results) if each.id in {c.id for c in cases})
    yield from (("clause", clause) for clause in dict.fromkeys(each for case in cases for each in case.clauses))


def _case(case: CaseResult, results: Results, records: Sequence[Record]) -> Element:
    name = {"name": f"{case.id} {shown(case.title)}", "classname": f"{case.role}.{shown(case.profile)}"}
    element = Element("testcase", name | {"time": f"{case.duration_s:.3f}"})
    kind = _type(case, results)
    if kind in ELEMENTS:
        message = case.reason or "; ".join(case.remarks)
        if case.id in results.known_failures:
            message = "; ".join([*(each.text for each in history.known(results) if each.id == case.id), message])
        told = SubElement(element, ELEMENTS[kind], type=kind, message=shown(message, LONGEST_MESSAGE))
        told.text = "\n".join(explanation.lines(case, records))
    facts = [("role", case.role), *(("clause", clause) for clause in case.clauses)]
    words = [*(f"[[PROPERTY|{name}={shown(value)}]]" for name, value in facts)]
    words += [f"remark: {shown(remark)}" for remark in case.remarks]
    words += [shown(line) for line in history.attempts(case, results)]
    if case.attempts:
        words.append(f"attempt {len(case.attempts) + 1}: {results.verdict(case)}")
    SubElement(element, "system-out").text = "\n".join(words)
    return element
