"""The five verdicts, in the words of ISO/IEC 9646, and how a step says that a case is over."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Verdict(StrEnum):
    """How a test case ended. Only pass and not applicable are green."""

    PASS = "pass"  # noqa: S105  # a verdict, no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a message that is not as it was expected: its dotted path, and both values as they read."""

    field: str
    expected: str
    seen: str

    def __str__(self) -> str:
        return f"{self.field} is {self.seen}, expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the end of a case beside its reason.

    ``text``: the reason without clauses. ``message``: the name of what is wrong or missing, ``frame``: its place in the
    transcript. ``until``: the place at which the transcript stood. ``nearest``: what came instead. ``advice``: what to
    do next, a sentence. ``cause``: the same for two cases that ended for one reason; by default made from the text.
    """

    text: str
    clauses: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    message: str = ""
    frame: int | None = None
    until: int | None = None
    nearest: str = ""
    advice: str = ""
    cause: str = ""


class CaseOver(Exception):
    """A test case cannot go on. Its text is the reason that the report prints."""

    verdict: ClassVar[Verdict]

    def __init__(self, reason: str = "", evidence: Evidence | None = None) -> None:
        super().__init__(reason)
        self.evidence = evidence or Evidence(reason)


class Failed(CaseOver):
    """The judged party sent something wrong, or nothing where it had to."""

    verdict = Verdict.FAIL


class Inconclusive(CaseOver):
    """Nobody knows: the operator could not, test data is missing, our side could not get there."""

    verdict = Verdict.INCONCLUSIVE


class OurError(CaseOver):
    """Our own party or our own code misbehaved."""

    verdict = Verdict.ERROR


class Crash(OurError):
    """Our own code raised what it should not."""


class NotApplicable(CaseOver):
    """Decided from the tags and from what the device has, before anything is judged."""

    verdict = Verdict.NOT_APPLICABLE


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know about a case. ``strict``: fails it in the strict reading."""

    text: str
    clause: str = ""
    strict: bool = False

    def __str__(self) -> str:
        return f"{self.text} ({self.clause})" if self.clause else self.text


# How a reason names the clause that it rests on: (white paper M03.FR.04, 6.1), (OCPP 1.6 3.7), (A00.FR.401).
_NAMED = re.compile(r" \(((?:white paper |OCPP|errata |[A-Z]\d\d\.FR\.)[^()]*)\)")
_DOCUMENT = re.compile(r"(white paper|OCPP(?:-J)? 1\.6(?: errata)?|errata) ")


def without_clauses(reason: str) -> tuple[str, tuple[str, ...]]:
    """A reason without the clauses that it names in brackets, and these, each with its document."""
    clauses = [clause for named in _NAMED.findall(reason) for clause in _clauses(named)]
    return _NAMED.sub("", reason), tuple(dict.fromkeys(clauses))


def _clauses(named: str) -> list[str]:
    match = _DOCUMENT.match(named)
    document = match[1] if match else "white paper"
    document = "OCPP 1.6 errata" if document == "errata" else document
    sections = named[match.end() :] if match else named
    return [f"{document} {section}" for section in sections.split(", ")]
