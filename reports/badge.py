"""``badge.svg``: how many of the applicable cases passed, for the head of a README."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files

from reports.results import Results, Transcripts

HEIGHT = 20
PADDING = 6

# How wide Verdana is at 11 pixels; textLength sets every other font to the same.
WIDE = 7.0
WIDTHS = {" ": 3.9, ".": 4, ",": 4, "·": 4, "/": 5, "i": 3, "t": 4.3, "r": 4.7}
WIDTHS |= {"J": 5, "C": 7.7, "S": 7.5, "O": 8.7, "M": 9.3}

GREEN, RED, AMBER, GREY = "#2a7d3c", "#b3261e", "#8f5d00", "#5c5c5c"  # white is read on each of them: above 4.5 to 1


@dataclass(frozen=True)
class _Count:
    """What came of the cases of one role."""

    role: str
    passed: int
    applicable: int
    not_applicable: int
    not_run: int
    run_again: int

    def __str__(self) -> str:
        words = [f"{self.passed}/{self.applicable}"]
        if self.not_applicable:
            words.append(f"{self.not_applicable} n/a")
        if self.not_run:
            words.append(f"{self.not_run} not run")
        if self.run_again:
            words.append(f"{self.run_again} run again")
        return ", ".join(words)


def badge(results: Results, transcripts: Transcripts) -> str:
    """The badge as SVG: «OCPP 1.6J CSMS 68/68, 9 n/a»; both roles where both were judged.

    Green only if every case of the certification that applies was run and passed, and at the first attempt. It tells of
    the device: a known failure is a failure here.
    """
    counts = [_count(role, results) for role in ("CS", "CSMS") if any(each.role == role for each in results.cases)]
    label = "OCPP 1.6J"
    if len(counts) == 1:
        label, told = f"{label} {counts[0].role}", str(counts[0])
    else:
        told = " · ".join(f"{each.role} {each}" for each in counts) or "nothing ran"
    return _drawn(label, told, _colour(results, counts))


def _count(role: str, results: Results) -> _Count:
    cases = [each for each in results.cases if each.role == role]
    verdicts = Counter(results.verdict(each) for each in cases)
    without = verdicts["not_applicable"]
    missing = _official(role) - {each.id for each in cases}
    again = sum(bool(each.attempts) for each in cases)
    return _Count(role, verdicts["pass"], len(cases) - without, without, len(missing), again)


def _colour(results: Results, counts: Sequence[_Count]) -> str:
    if any(results.verdict(each) == "fail" for each in results.cases):
        return RED
    if not any(each.applicable for each in counts):
        return GREY
    whole = all(each.passed == each.applicable and not each.not_run and not each.run_again for each in counts)
    return GREEN if whole else AMBER


@cache
def _official(role: str) -> frozenset[str]:
    """The ids of the certification for a role: a run of some of them is no run of all."""
    text = files("features").joinpath("test_cases.csv").read_text(encoding="utf-8")
    return frozenset(row["id"] for row in csv.DictReader(text.splitlines()) if row["role"] == role)


def _drawn(label: str, told: str, colour: str) -> str:
    left, right = (_width(text) + 2 * PADDING for text in (label, told))
    name = escape(f"{label} {told}")
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" role="img" aria-label="{name}">
  <title>{name}</title>
  <rect width="{left + right}" height="{HEIGHT}" rx="3" fill="{colour}"/>
  <path d="M3 0H{left}V{HEIGHT}H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#333"/>
  <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
    {_text(label, PADDING)}
    {_text(told, left + PADDING)}
  </g>
</svg>
"""


def _text(text: str, x: int) -> str:
    return f'<text x="{x}" y="14" textLength="{_width(text)}">{escape(text)}</text>'


def _width(text: str) -> int:
    return round(sum(WIDTHS.get(character, WIDE) for character in text))
