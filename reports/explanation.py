"""Why a case did not pass, as lines of plain text: the same in the terminal, in the reports, in JUnit and in Allure.

What a device has said stands in them with control characters spelt out and shortened. It is not escaped for HTML, XML
or Markdown: that is up to the view.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from ocppj.transcript import Record
from reports.results import KNOWN_FAILURE, CaseResult, Results
from reports.sequence import Row, rows
from reports.texts import shown

LONGEST = 400  # columns of one text
LONGEST_FRAME = 200
WIDTH = 12  # of the first column
MARK = ">"  # before the frame that was wrong

NOT_PASSED = ("fail", "error", "inconclusive")  # in the order in which they are told


@dataclass(frozen=True)
class Group:
    """The cases that ended alike for one cause, in the order of their ids. ``verdict``: in the reading of the run."""

    verdict: str
    cause: str
    cases: list[CaseResult]

    @property
    def title(self) -> str:
        """What has happened, in a line: the reason of the first of them."""
        return shown(_text(self.cases[0]), LONGEST)


def groups(results: Results, *, known: bool = False) -> list[Group]:
    """What did not pass, grouped by its cause: failures first, then errors, then what is inconclusive; many first.

    ``known``: the known failures instead, which are told apart.
    """
    found: dict[tuple[str, str], list[CaseResult]] = defaultdict(list)
    for case in sorted(results.cases, key=lambda each: each.id):
        verdict = results.verdict(case)
        if verdict in NOT_PASSED and (results.counts_as(case) == KNOWN_FAILURE) == known:
            found[verdict, _cause(case)].append(case)
    grouped = [Group(verdict, cause, cases) for (verdict, cause), cases in found.items()]
    return sorted(grouped, key=lambda group: (NOT_PASSED.index(group.verdict), -len(group.cases)))


def lines(case: CaseResult, records: Sequence[Record] = ()) -> list[str]:
    """A case that did not pass, explained: no line of it holds a line break. Without its records no frames are told.

    Empty for a case that passed without a remark and for one that does not apply.
    """
    if case.failure is not None:
        return [*_facts(case.failure), *_frames(case.failure, records), *_field("next", case.failure["next"])]
    if case.verdict == "pass":
        return [line for remark in case.remarks for line in _field("remark", remark)]
    return _field("reason", case.reason) if case.verdict in NOT_PASSED else []


def _facts(failure: dict[str, Any]) -> Iterator[str]:
    yield from _field("reason", failure["text"])
    for clause, requirement in zip(failure["clauses"], chain(failure["requirements"], repeat("")), strict=False):
        yield from _field("requirement", f"{clause}: {requirement}" if requirement else clause)
    yield from _field("sentence", failure["sentence"])
    for each in failure["expected"]:
        yield from _field("expected", f"{each['field']} = {each['expected']}")
        yield from _field("seen", f"{each['field']} = {each['seen']}")
    yield from _field("nearest", failure["nearest"])


def _frames(failure: dict[str, Any], records: Sequence[Record]) -> Iterator[str]:
    told = {row.record: row for row in rows(records)}
    wrong = failure["frame"]
    places = sorted({*failure["frames"], *([] if wrong is None else [wrong])})
    for number, place in enumerate(each for each in places if each in told):
        yield f"{'frames' if number == 0 else '':<{WIDTH}} {MARK if place == wrong else ' '} {_frame(told[place])}"


def _frame(row: Row) -> str:
    time = row.timestamp.partition("T")[2].removesuffix("Z") or row.timestamp
    return shown(f"{time:<12}  {row.party or '':<14}  {row.words}  {row.detail}".rstrip(), LONGEST_FRAME)


def _field(name: str, text: str) -> list[str]:
    return [f"{name:<{WIDTH}} {shown(text, LONGEST)}"] if text else []


def _text(case: CaseResult) -> str:
    if case.failure is not None:
        return str(case.failure["text"])
    return case.reason or "; ".join(case.remarks)


def _cause(case: CaseResult) -> str:
    return str(case.failure["cause"]) if case.failure is not None else _text(case)
