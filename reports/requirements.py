"""What a clause demands, in words of our own: ``features/requirements.csv``."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from reports.tables import rows

MOST = 3  # demands of one clause that are told; who wants all reads the table

# How the tags of clauses name the documents: edition 2 and OCPP-J, their errata as numbered in the 2025 sheets, and the
# white paper «Improved security for OCPP 1.6-J», edition 3, whose requirements have numbers of their own: A00.FR.202.
DOCUMENTS = {
    "OCPP": "OCPP 1.6",
    "OCPPE": "OCPP 1.6 errata",
    "OCPPJ": "OCPP-J 1.6",
    "OCPPJE": "OCPP-J 1.6 errata",
    "OCPPW": "white paper",
}

_CLAUSE = re.compile(r"(OCPP-J|OCPP|white paper)(?: 1\.6)?( errata)? ([A-Z]?\d[\w.]*)")
_TAGS = {name.replace(" 1.6", ""): tag for tag, name in DOCUMENTS.items()}
_OF_PAYLOADS = re.compile(r"(schema|specification) of (\w+\.(?:req|conf))")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One demand of a clause, a row of ``features/requirements.csv``.

    ``clause``: as a tag. ``number``: among the demands of the clause, from 1. ``keyword``: SHALL, SHOULD, MAY or fact.
    ``obligation``: the name of the one that judges it in every case; ``untried``: why no test case tries it; ``cases``:
    the ids of those that do. One of the three is not empty.
    """

    clause: str
    number: int
    keyword: str
    text: str
    obligation: str
    untried: str
    cases: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.clause}:{self.number}"


def clause(tag: str) -> str:
    """A clause tag in words: ``OCPP_5_13`` is section 5.13, ``OCPPJ_3_2`` one of OCPP-J."""
    document, _, numbers = tag.partition("_")
    return f"{DOCUMENTS[document]} {numbers.replace('_', '.')}"


def tag_of(clause: str) -> str:
    """The tag of a clause in words, however its document is spelt; empty for what names none."""
    match = _CLAUSE.match(clause)
    return f"{_TAGS[match[1] + (match[2] or '')]}_{match[3].rstrip('.').replace('.', '_')}" if match else ""


def summary_of(clause: str, case: str) -> str:
    """What a clause such as «OCPP 1.6 5.13» demands of a case; empty for one that the table does not know.

    The demands that name the case come first; without any, those that the clause has.
    """
    if match := _OF_PAYLOADS.fullmatch(clause):
        source = "the JSON schema" if match[1] == "schema" else "chapter 6 of OCPP 1.6"
        return f"Every field of {match[2]} is as {source} has it"
    demands = _demands_of(clause)
    named = [each for each in demands if case in each.cases]
    binding = [each for each in demands if each.keyword.startswith("SHALL")]
    return ". ".join(each.text for each in (named or binding or demands)[:MOST])


def _demands_of(clause: str) -> Sequence[Requirement]:
    """The demands of a clause, or of what stands below it."""
    tag = tag_of(clause)
    below = [each for name, demands in _by_clause().items() if tag and name.startswith(f"{tag}_") for each in demands]
    return [*_by_clause().get(tag, ()), *below]


@cache
def _by_clause() -> Mapping[str, Sequence[Requirement]]:
    found: dict[str, list[Requirement]] = defaultdict(list)
    for each in requirements():
        found[each.clause].append(each)
    return found


@cache
def requirements() -> tuple[Requirement, ...]:
    """Every demand, in the order of the table."""
    return tuple(map(_requirement, rows("requirements.csv")))


def _requirement(row: Mapping[str, str]) -> Requirement:
    kind, _, more = row["testable"].partition(": ")
    return Requirement(
        row["clause"],
        int(row["number"]),
        row["keyword"],
        row["requirement"],
        obligation=more if kind == "obligation" else "",
        untried=more if kind == "no" else "",
        cases=tuple(row["cases"].split()),
    )
