"""``summary.md``: the run on one page, for the summary of a GitHub job (``cat summary.md >> $GITHUB_STEP_SUMMARY``)."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from reports import explanation, history
from reports.explanation import Group
from reports.results import KNOWN_FAILURE, VERDICTS, CaseResult, Results, Transcripts
from reports.texts import shown

PARTIES = {"CS": "Charge Point", "CSMS": "Central System"}
LONGEST = 1_000_000  # bytes: GitHub takes 1 MiB for the summary of a step, and shows none that is longer
MOST_LINES, LONGEST_LINE = 100, 300  # of a list, and columns of each

# What Markdown or GitHub would make something of. An entity is never read as markup (CommonMark 0.31, 2.5).
_MARKUP = re.compile(r"[\\`*{}\[\]<>&#|~@!$\"']|(?<![A-Z0-9])_|_(?![A-Z0-9])|:(?=[^\s\d])|(?<=www)\.", re.IGNORECASE)


def summary(results: Results, transcripts: Transcripts) -> str:
    """The run as Markdown: a table per role with a row per feature profile, and what did not pass by its cause."""
    parts = [_head(results), *_tables(results), "It is a rehearsal, no certificate.\n", *_history(results)]
    size = sum(map(_size, parts))
    groups = explanation.groups(results)
    for number, group in enumerate(groups):
        part = _group(group, transcripts)
        size += _size(part)
        if size > LONGEST - 200:
            parts.append(f"\n... and {len(groups) - number} causes more, which stand in report.html.\n")
            break
        parts.append(part)
    return "\n".join(parts)


def _head(results: Results) -> str:
    run, device = results.run, results.device
    counted = Counter(results.counts_as(case) for case in results.cases)
    applicable = counted.total() - counted["not_applicable"]
    where = [
        _inline(str(device["kind"])),
        *(_code(str(device[name])) for name in ("address", "identity") if device.get(name)),
    ]
    facts = [
        " ".join(where),
        _inline(f"{run['tool']} {run['version']}"),
        _inline(str(run["started"])),
        "strict reading" if run["strict"] else "default reading",
    ]
    title = f"## OCPP 1.6J rehearsal: {counted['pass']} of {applicable} applicable cases passed"
    if known := counted[KNOWN_FAILURE]:
        title += f", {known} known to fail"
    if again := len(results.run_again):
        title += f", {again} run again"
    return f"{title}\n\n{' · '.join(facts)}\n"


def _tables(results: Results) -> Iterator[str]:
    for role, party in PARTIES.items():
        if cases := [case for case in results.cases if case.role == role]:
            yield "\n".join(_table(party, cases, results)) + "\n"


def _table(party: str, cases: Sequence[CaseResult], results: Results) -> Iterator[str]:
    profiles: dict[str, Counter[str]] = defaultdict(Counter)
    for case in sorted(cases, key=lambda each: each.id):
        profiles[case.profile][results.counts_as(case)] += 1
    columns = (*VERDICTS, *([KNOWN_FAILURE] if results.known_failures else []))
    heads = [each.replace("not_applicable", "n/a").replace("_", " ") for each in columns]
    yield f"| {party} | {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * len(columns)}"
    yield from (_row(_inline(profile), counted, columns) for profile, counted in profiles.items())
    if len(profiles) > 1:
        yield _row("**all**", sum(profiles.values(), Counter()), columns)


def _row(name: str, counted: Counter[str], columns: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(str(counted[column] or '') for column in columns)} |"


def _history(results: Results) -> Iterator[str]:
    """What is not to be taken for a run in one go in which each case had one attempt and nothing was known to fail."""
    again = [
        f"{case.id}, {results.verdict(case).replace('_', ' ')} at attempt {len(case.attempts) + 1}: {line}"
        for case in results.run_again
        for line in history.attempts(case, results)
    ]
    known = [each.text for each in history.known(results)]
    for title, told in (
        ("Known failures", known),
        ("Run again: the last attempt counts", again),
        ("Not played in one go", history.sessions(results)),
    ):
        if told:
            lines = [f"- {_inline(shown(each, LONGEST_LINE))}" for each in told[:MOST_LINES]]
            if len(told) > MOST_LINES:
                lines.append(f"- ... and {len(told) - MOST_LINES} more, which stand in report.html.")
            yield "\n".join([f"### {title}", "", *lines, ""])


def _group(group: Group, transcripts: Transcripts) -> str:
    """One cause: its cases, and the first of them explained."""
    first = group.cases[0]
    lines = explanation.lines(first, transcripts.get(first.id, ()))
    number = f" in {len(group.cases)} cases" if len(group.cases) > 1 else ""
    return "\n".join(
        [
            f"### {group.verdict}{number}: {_inline(group.title)}",
            "",
            _ids(group.cases),
            "",
            f"<details><summary>{escape(shown(f'{first.id} {first.title}'))}</summary>",
            "",
            "<pre>",
            *(escape(line) for line in lines),
            "</pre>",
            "",
            "</details>",
            "",
        ]
    )


def _ids(cases: Iterable[CaseResult]) -> str:
    return ", ".join(_inline(case.id) for case in cases)


def _inline(text: str) -> str:
    """A text in a line of Markdown, where nothing of it is read as markup, mention or link."""
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", shown(text))


def _code(text: str) -> str:
    return f"<code>{_inline(text)}</code>"


def _size(text: str) -> int:
    return len(text.encode()) + 1
