"""The little language of tables: what stands in a cell, what it expects, and what it has us send.

Accepted, 1, true, []       exactly that (idTags are compared without case: OCPP 1.6, 7.28)
{ValidIdTag}                test data, by its meaning
{StartTransaction.conf.transactionId}   a field seen on the wire, of the latest such message
now - 5 minutes             an instant
any                         any value, but there must be one
any, such as 60             the same, and 60 is what is sent or asked for
absent                      no such field
other than 60               any other value
one of A, B                 any of these; A is what is sent
A, tolerated B              A; B too, but not in the strict reading
A, noted B                  A; B too, with a remark
at least 3 · at most 3      a number
matching /regex/            a text
within 5 seconds of now     an instant
after now, such as now + 1 hour   a later instant; the second is what is sent or asked for
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.verdicts import Difference
from ocppj.clock import parse_timestamp, timestamp
from ocppj.frames import Payload
from ocppj.schemas import Kind, schema

Table = Sequence[Sequence[str]]
Lookup = Callable[[str], object]

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?) (second|minute|hour|day)s?")
_WITHOUT_CASE = ("idtag", "key")  # CiStrings that are compared (7.28, 7.29)
_WITHOUT_SPACE = ("certificate", "signature")  # PEM and base64: where lines end means nothing (RFC 7468, RFC 4648)
_LONGEST_SHOWN = 120  # characters
_PLACEHOLDER = re.compile(r"\{([A-Z][\w.]*)\}")


class _Missing:
    def __repr__(self) -> str:
        return "absent"


MISSING = _Missing()


class BadCell(ValueError):
    """A table that cannot be read: a mistake in a feature file."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a cell expects. ``fits`` judges a value, ``example`` is what we send, ``text`` is how it reads.

    ``tolerates``: what fits, but not in the strict reading. ``notes``: what fits in both and is worth a remark.
    """

    text: str
    fits: Callable[[object], bool]
    example: object = MISSING
    tolerates: Callable[[object], bool] = lambda _: False
    notes: Callable[[object], bool] = lambda _: False


Fill = Callable[[str], str]
Read = Callable[[str], Expectation]


def seconds(text: str) -> float:
    """A duration such as ``5 seconds`` or ``1 hour``. Raises ``BadCell``."""
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise BadCell(f"{text!r} is no duration such as '5 seconds'")
    return float(match[1]) * UNITS[match[2]]


def filled_in(text: str, lookup: Lookup) -> str:
    """A text with its placeholders replaced."""
    return _PLACEHOLDER.sub(lambda match: _written(lookup(match[1])), text)


def expectation(cell: str, lookup: Lookup, *, fold: bool = False) -> Expectation:
    """What a cell expects, its placeholders replaced by ``lookup``. Raises ``BadCell``.

    ``fold``: what it expects is compared without case, with a value that is in lower case already. The form of a cell
    is read before its placeholders are filled in: no test data can be taken for a word of the language.
    """

    def fill(text: str) -> str:
        filled = filled_in(text, lookup)
        return filled.casefold() if fold else filled

    def read(text: str) -> Expectation:
        for pattern, form in _FORMS:
            if match := pattern.fullmatch(text):
                return form(match, fill, read)
        return _exactly(fill(text))

    return read(cell)


def mismatches(payload: Payload, table: Table, lookup: Lookup) -> list[Difference]:
    """Every row of a table that a payload does not satisfy."""
    found = []
    for path, cell in rows(table):
        if not _wanted(path, cell, lookup).fits(_compared(path, value_at(payload, path))):
            text = _short(expectation(cell, lookup).text)
            found.append(Difference(path, expected=text, seen=_shown(value_at(payload, path))))
    return found


def tolerated(payload: Payload, table: Table, lookup: Lookup) -> list[str]:
    """Every row of a table that a payload satisfies in the default reading alone, in words."""
    found = []
    for path, cell in rows(table):
        value, wanted = value_at(payload, path), _wanted(path, cell, lookup)
        if wanted.tolerates(_compared(path, value)):
            found.append(f"{path} is {_shown(value)}, the test case wants {_short(wanted.text)}")
    return found


def noted(payload: Payload, table: Table, lookup: Lookup) -> list[str]:
    """Every row of a table that a payload satisfies in a way that is worth a remark, in words."""
    found = []
    for path, cell in rows(table):
        value, wanted = value_at(payload, path), expectation(cell, lookup)
        if wanted.notes(value):
            found.append(f"{path} is {_shown(value)}, better {wanted.text}")
    return found


def _wanted(path: str, cell: str, lookup: Lookup) -> Expectation:
    """What a cell expects of the value at a path, as ``_compared`` gives it."""
    if path.casefold().endswith(_WITHOUT_SPACE):
        return expectation(cell, lambda name: "".join(_written(lookup(name)).split()))
    return expectation(cell, lookup, fold=path.casefold().endswith(_WITHOUT_CASE))


def _compared(path: str, value: object) -> object:
    if path.casefold().endswith(_WITHOUT_SPACE) and isinstance(value, str):
        return "".join(value.split())
    return _folded(value) if path.casefold().endswith(_WITHOUT_CASE) else value


def _folded(value: object) -> object:
    if isinstance(value, list):
        return [_folded(entry) for entry in value]
    return value.casefold() if isinstance(value, str) else value


def payload_of(action: str, kind: Kind, table: Table, lookup: Lookup) -> Payload:
    """The payload that a table describes: its examples, in the types of the schema. Raises ``BadCell``."""
    payload: Payload = {}
    for path, cell in rows(table):
        example = expectation(cell, lookup).example
        if example is not MISSING:
            _put(payload, path, _typed(example, _type_at(action, kind, path)))
    return payload


def rows(table: Table) -> list[tuple[str, str]]:
    """The rows of a two-column table. Raises ``BadCell``."""
    for row in table:
        if len(row) != 2:
            raise BadCell(f"a row has a field and a value, this one has {len(row)} cells: {' | '.join(row)}")
    return [(row[0], row[1]) for row in table]


def value_at(payload: object, path: str) -> object:
    """The value at a dotted path; ``a[0]`` is a list's first, ``a[key=B]`` its first with that field."""
    value = payload
    for step in _steps(path):
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else MISSING
        elif isinstance(step, tuple):
            entries = value if isinstance(value, list) else []
            value = next((entry for entry in entries if _has(entry, *step)), MISSING)
        else:
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
    return value


def _has(entry: object, name: str, value: str) -> bool:
    return isinstance(entry, dict) and _written(entry.get(name)).casefold() == value.casefold()


def _steps(path: str) -> list[str | int | tuple[str, str]]:
    steps: list[str | int | tuple[str, str]] = []
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        if not part.startswith("["):
            steps.append(part)
        elif part[1:-1].isdigit():
            steps.append(int(part[1:-1]))
        else:
            name, _, value = part[1:-1].partition("=")
            steps.append((name, value))
    return steps


def _put(payload: Payload, path: str, value: object) -> None:
    names = _steps(path)
    inner: Any = payload
    for name, following in zip(names, [*names[1:], None], strict=True):
        fresh: Any = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(name, int):
            if name > len(inner):
                raise BadCell(f"{path}: the entries before it are missing")
            if name == len(inner):
                inner.append(fresh)
            inner = inner[name]
        elif isinstance(name, str):
            if following is None:
                inner[name] = value
            inner = inner.setdefault(name, fresh)
        else:
            raise BadCell(f"{path}: what is sent has positions, no [field=value]")


def _type_at(action: str, kind: Kind, path: str) -> str | None:
    found: Any = schema(action, kind)
    definitions = found.get("definitions", {})
    for step in _steps(path):
        found = found.get("items", {}) if isinstance(step, int) else found.get("properties", {}).get(step, {})
        if "$ref" in found:
            found = definitions[found["$ref"].rpartition("/")[2]]
    kind_of: str | None = found.get("type")
    return kind_of


def _typed(example: object, kind: str | None) -> object:
    if not isinstance(example, str):
        return example
    try:
        if kind == "integer":
            return int(example)
        if kind == "number":
            return float(example)
    except ValueError:
        raise BadCell(f"{example!r} is no {kind}") from None
    if kind == "boolean":
        return example == "true"
    if kind == "array":
        return [entry.strip() for entry in example.strip("[]").split(",") if entry.strip()]
    return example


def _written(value: object) -> str:
    """A value as a cell writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, list):
        return f"[{', '.join(_written(entry) for entry in value)}]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # 6.0 is the number that 6 is
    return str(value)


def _shown(value: object) -> str:
    return "absent" if value is MISSING else _short(_written(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}... ({len(text)} characters)"


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _instant(text: str) -> datetime:
    """``now``, ``now + 5 minutes`` or a timestamp."""
    if text == "now":
        return datetime.now(UTC)
    if match := re.fullmatch(r"now ([+-]) (.+)", text):
        offset = timedelta(seconds=seconds(match[2]))
        return datetime.now(UTC) + (offset if match[1] == "+" else -offset)
    try:
        return parse_timestamp(text)
    except ValueError:
        raise BadCell(f"{text!r} is no instant such as 'now - 5 minutes'") from None


def _exactly(text: str) -> Expectation:
    return Expectation(text, lambda value: value is not MISSING and _written(value) == text, text)


def _any(match: re.Match[str], _: Fill, read: Read) -> Expectation:
    example = read(match[1]).example if match[1] else MISSING
    return Expectation("any value", lambda value: value is not MISSING, example)


def _absent(_match: re.Match[str], _fill: Fill, _read: Read) -> Expectation:
    return Expectation("absent", lambda value: value is MISSING)


def _one_of(match: re.Match[str], fill: Fill, read: Read) -> Expectation:
    choices = [read(choice.strip()) for choice in match[1].split(",")]
    example = next((choice.example for choice in choices), MISSING)
    return Expectation(fill(match[0]), lambda value: any(choice.fits(value) for choice in choices), example)


def _tolerated(match: re.Match[str], _: Fill, read: Read) -> Expectation:
    wanted, let_pass = read(match[1]), read(match[2])

    def only_tolerated(value: object) -> bool:
        return let_pass.fits(value) and not wanted.fits(value)

    return Expectation(
        wanted.text, lambda value: wanted.fits(value) or let_pass.fits(value), wanted.example, only_tolerated
    )


def _noted(match: re.Match[str], _: Fill, read: Read) -> Expectation:
    wanted, passes = read(match[1]), read(match[2])

    def only_noted(value: object) -> bool:
        return passes.fits(value) and not wanted.fits(value)

    return Expectation(
        wanted.text, lambda value: wanted.fits(value) or passes.fits(value), wanted.example, notes=only_noted
    )


def _other_than(match: re.Match[str], fill: Fill, _: Read) -> Expectation:
    unwanted = fill(match[1])
    example = str(int(unwanted) + 15) if re.fullmatch(r"-?\d+", unwanted) else f"{unwanted}-other"
    return Expectation(
        f"other than {unwanted}", lambda value: value is not MISSING and _written(value) != unwanted, example
    )


def _bound(match: re.Match[str], fill: Fill, _: Read) -> Expectation:
    limit = _number(fill(match[2]))
    if limit is None:
        raise BadCell(f"{match[0]!r}: {fill(match[2])} is no number")

    def fits(value: object) -> bool:
        number = _number(value)
        return number is not None and (number >= limit if match[1] == "least" else number <= limit)

    return Expectation(fill(match[0]), fits, fill(match[2]))


def _matching(match: re.Match[str], _fill: Fill, _read: Read) -> Expectation:
    pattern = re.compile(match[1])
    return Expectation(match[0], lambda value: isinstance(value, str) and pattern.search(value) is not None)


def _within(match: re.Match[str], fill: Fill, _: Read) -> Expectation:
    instant, allowed = _instant(fill(match[2])), timedelta(seconds=seconds(fill(match[1])))

    def fits(value: object) -> bool:
        try:
            return abs(parse_timestamp(str(value)) - instant) <= allowed
        except ValueError:
            return False

    return Expectation(f"within {fill(match[1])} of {timestamp(instant)}", fits, timestamp(instant))


def _after(match: re.Match[str], fill: Fill, read: Read) -> Expectation:
    earliest = _instant(fill(match[1]))

    def fits(value: object) -> bool:
        try:
            return parse_timestamp(str(value)) > earliest
        except ValueError:
            return False

    return Expectation(f"after {timestamp(earliest)}", fits, read(match[2]).example)


def _now(match: re.Match[str], fill: Fill, _: Read) -> Expectation:
    return _exactly(timestamp(_instant(fill(match[0]))))


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Fill, Read], Expectation]], ...] = (
    (re.compile(r"(.+), tolerated (.+)"), _tolerated),
    (re.compile(r"(.+), noted (.+)"), _noted),
    (re.compile(r"any(?:, such as (.+))?"), _any),
    (re.compile(r"absent"), _absent),
    (re.compile(r"one of (.+)"), _one_of),
    (re.compile(r"other than (.+)"), _other_than),
    (re.compile(r"at (least|most) (.+)"), _bound),
    (re.compile(r"matching /(.+)/"), _matching),
    (re.compile(r"within (.+) of (.+)"), _within),
    (re.compile(r"after (.+), such as (.+)"), _after),
    (re.compile(r"now(?: [+-] .+)?"), _now),
)
