"""The five verdicts, in the words of ISO/IEC 9646, and how a step says that a case is over."""

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


class CaseOver(Exception):
    """A test case cannot go on. Its text is the reason that the report prints."""

    verdict: ClassVar[Verdict]


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
