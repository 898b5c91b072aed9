"""What a verdict alone does not tell: that a run was interrupted, that a case was run again, that a failure was known.

The same sentences stand in every view, so that a device that passes now and then does not look like one that passes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reports.results import OUTDATED, Attempt, CaseResult, Results

_SESSIONS = {"run": "begun", "resume": "resumed", "rerun": "run again"}


@dataclass(frozen=True)
class Known:
    """A case that is known to fail. ``outcome``: fails, has passed, or is not known; ``text``: all of it in a line."""

    id: str
    reason: str
    outcome: str
    text: str


def instant(text: object) -> str:
    """An instant in ISO 8601 as people read it."""
    return str(text).replace("T", " ").replace("+00:00", " UTC")


def sessions(results: Results) -> list[str]:
    """How a run went that was not played in one go, a line for each session and for each note of it.

    And for each time that the device was gone.
    """
    told = []
    for number, session in enumerate(results.sessions):
        played = sum(number in (case.session, *(each.session for each in case.attempts)) for case in results.cases)
        due = len(session["cases"])
        cut = "" if played >= due else f", interrupted after {played} of them"
        what = f"{_SESSIONS[session['kind']]} {instant(session['started'])}"
        told.append(f"{what}: {due} {'case' if due == 1 else 'cases'}{cut}")
        told += session["notes"]
    return [*(told if len(results.sessions) > 1 or results.left else []), *_outages(results)]


def _outages(results: Results) -> Iterator[str]:
    """When the device was gone, a line for each time."""
    for each in results.outages:
        back = f"it was there again {instant(each['until'])}" if each["until"] else "it has not come back"
        yield f"after {each['after']}, {instant(each['since'])}, the device was gone: {each['words']}; {back}"


def attempts(case: CaseResult, results: Results) -> list[str]:
    """What came of a case before it was run again, a line for each attempt; empty if this was the first."""
    return [
        f"attempt {number}, {_when(each, results)}: {verdict(each, results).replace('_', ' ')}: {_reason(each)}"
        for number, each in enumerate(case.attempts, 1)
    ]


def verdict(attempt: Attempt, results: Results) -> str:
    """That of an earlier attempt, in the reading of the run."""
    return attempt.strict_verdict if results.run.get("strict") else attempt.verdict


def known(results: Results) -> list[Known]:
    """Every known failure and what has come of it."""
    passed = {case.id for case in results.unexpected_passes}
    untried = results.untried_failures
    found = []
    for case_id, reason in sorted(results.known_failures.items()):
        if case_id in passed:
            found.append(Known(case_id, reason, "has passed", f"{case_id} {OUTDATED} ({reason})"))
        elif case_id in untried:
            why = f"{case_id} is known to fail ({reason}), which nobody has tried: {untried[case_id]}"
            found.append(Known(case_id, reason, "is not known", why))
        else:
            found.append(Known(case_id, reason, "fails", f"{case_id} is known to fail: {reason}"))
    return found


def _when(attempt: Attempt, results: Results) -> str:
    """A virtual run has no instants of its own: there it is the session that tells."""
    if results.run.get("time") == "real" and attempt.started:
        return instant(attempt.started)
    told = results.sessions[attempt.session : attempt.session + 1]
    return instant(told[0]["started"] if told else results.run.get("started", ""))


def _reason(attempt: Attempt) -> str:
    return attempt.reason or "; ".join(attempt.remarks) or "no reason"
