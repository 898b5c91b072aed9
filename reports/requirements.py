"""What a clause demands, in words of our own: ``features/requirements.csv``."""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

MOST = 3  # demands of one clause that are told; who wants all reads the table

_CLAUSE = re.compile(r"(OCPP-J|OCPP|white paper)(?: 1\.6)?( errata)? ([A-Z]?\d[\w.]*)")
_DOCUMENTS = {
    ("OCPP", ""): "OCPP",
    ("OCPP", " errata"): "OCPPE",
    ("OCPP-J", ""): "OCPPJ",
    ("OCPP-J", " errata"): "OCPPJE",
    ("white paper", ""): "OCPPW",
}
_OF_PAYLOADS = re.compile(r"(schema|specification) of (\w+\.(?:req|conf))")

Row = Mapping[str, str]


def summary_of(clause: str, case: str) -> str:
    """What a clause such as «OCPP 1.6 5.13» demands of a case; empty for one that the table does not know.

    The demands that name the case come first; without any, those that the clause has.
    """
    if match := _OF_PAYLOADS.fullmatch(clause):
        source = "the JSON schema" if match[1] == "schema" else "chapter 6 of OCPP 1.6"
        return f"Every field of {match[2]} is as {source} has it"
    rows = _rows_of(clause)
    named = [row for row in rows if case in row["cases"].split()]
    binding = [row for row in rows if row["keyword"].startswith("SHALL")]
    return ". ".join(row["requirement"] for row in (named or binding or rows)[:MOST])


def _rows_of(clause: str) -> Sequence[Row]:
    """The demands of a clause, or of what stands below it."""
    match = _CLAUSE.match(clause)
    if match is None:
        return ()
    tag = f"{_DOCUMENTS[match[1], match[2] or '']}_{match[3].rstrip('.').replace('.', '_')}"
    below = [row for each, rows in _table().items() if each.startswith(f"{tag}_") for row in rows]
    return [*_table().get(tag, ()), *below]


@cache
def _table() -> Mapping[str, Sequence[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    text = (files("features") / "requirements.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        found[row["clause"]].append(row)
    return found
