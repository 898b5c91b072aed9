"""Payloads made from the schemas of OCPP 1.6: right ones, and every way of making them wrong."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from ocppj.frames import Payload
from ocppj.schemas import Kind, schema

Path = tuple[str | int, ...]

_SAMPLES = {"string": "Sample", "integer": 1, "number": 16.1, "boolean": True}
_FORMATS = {"date-time": "2031-05-13T08:41:17.389Z", "uri": "ftp://127.0.0.1/firmware.bin"}

TIMES = [
    "2031-05-13T08:41:17Z",
    "2031-05-13T08:41:17.3894561Z",
    "2031-05-13T08:41:17+02:00",
    "2031-05-13t08:41:17z",
    "2031-05-13 08:41:17Z",
    "2031-05-13T08:41:17",
    "2031-05-13T08:41Z",
    "2031-05-13",
    "20310513T084117Z",
    "2031-02-29T08:41:17Z",
    "2032-02-29T08:41:17Z",
    "2031-13-01T08:41:17Z",
    "2031-05-13T24:00:00Z",
    "2031-05-13T08:41:17,5Z",
]
URIS = [
    "ftp://host/path",
    "https://host:8443/a?b=c#d",
    "a b",
    "no-scheme",
    "",
    "urn:a:b",
    "http://[::1]/",
    "ftp://a/<b>",
]
WORDS = ["", "Accepted", "accepted", "Wh", "Celsius", "Celcius", "Hertz", "é" * 20, "é" * 21, "😀" * 20, "😀" * 21]
LENGTHS = ["a" * length for length in (19, 20, 21, 25, 26, 36, 37, 50, 51, 255, 256, 500, 501, 5500, 5501)]
NUMBERS = [
    0,
    1,
    -1,
    2**31,
    -(2**31) - 1,
    2**53 + 1,
    2**63,
    2**64,
    10**30,
    0.0,
    1.0,
    -1.0,
    0.1,
    0.3,
    16.1,
    0.05,
    1.05,
    1e20,
]
OTHERS: list[Any] = [None, True, False, [], {}, [[]], [{}], [None], {"a": 1}, ["a"], "1", "true"]
REPLACEMENTS: list[Any] = [*OTHERS, *NUMBERS, *WORDS, *LENGTHS, *TIMES, *URIS]


def full(action: str, kind: Kind) -> Payload:
    """A right payload with every field."""
    payload: Payload = _sample(schema(action, kind), schema(action, kind), every_field=True)
    return payload


def least(action: str, kind: Kind) -> Payload:
    """A right payload with what is required and nothing else."""
    payload: Payload = _sample(schema(action, kind), schema(action, kind), every_field=False)
    return payload


def mutations(payload: Payload) -> Iterator[tuple[Path, Payload]]:
    """Each change of one thing in a payload, and where: most are wrong, some are not."""
    for path in _paths(payload):
        original = _at(payload, path)
        replacements = list(REPLACEMENTS) if path else []
        if isinstance(original, dict):
            replacements += [{name: original[name] for name in original if name != dropped} for dropped in original]
            replacements += [original | {"unknownField": 1}]
            replacements += [_renamed(original, name, name.upper()) for name in original if name.upper() != name]
        if isinstance(original, list):
            replacements += [original * 2, [*original, None], *original]
        for replacement in replacements:
            yield path, put(payload, path, replacement)


def _sample(part: dict[str, Any], whole: dict[str, Any], *, every_field: bool) -> Any:
    if "$ref" in part:
        part = whole["definitions"][part["$ref"].rpartition("/")[2]]
    if "enum" in part:
        return part["enum"][0]
    if part["type"] == "object":
        fields = part.get("properties", {})
        wanted = fields if every_field else part.get("required", [])
        return {name: _sample(fields[name], whole, every_field=every_field) for name in wanted}
    if part["type"] == "array":
        return [_sample(part["items"], whole, every_field=every_field)]
    return _FORMATS.get(part.get("format", "")) or _SAMPLES[part["type"]]


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _paths(inner, (*path, step))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def put(payload: Payload, path: Path, replacement: Any) -> Payload:
    """A copy with something else at a place."""
    if not path:
        return deepcopy(replacement)
    changed = deepcopy(payload)
    _at(changed, path[:-1])[path[-1]] = deepcopy(replacement)
    return changed


def _renamed(original: dict[str, Any], name: str, new: str) -> dict[str, Any]:
    return {new if each == name else each: value for each, value in original.items()}
