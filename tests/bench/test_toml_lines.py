"""On which line a key stands: whatever ``tomllib`` reads, every key of it has a line, and the right one."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.toml_lines import lines

DOCUMENT = '''\
# [a.comment] with = signs
role = "a # no comment" # [one] = that is
"quoted key" = 1
dotted.key.'last one' = 2.5
[table]
text = """
[security]
profile = 2 \\""" still
"""
literal = \'\'\'
key = 'x'
\'\'\'\'\'
inline = { one = 1, two = { three = "}" }, four = [ { five = 5 },
  { six = 6 } ] }
list = [
  "a", # ] no end
  ["b"],
]
date = 1979-05-27T07:32:00Z
last = true
[table.below]
here = -1e-5
[[many]]
each = 1
[[many]]
each = 2
other = 3
'''

PLACES = {
    ("role",): 2,
    ("quoted key",): 3,
    ("dotted", "key", "last one"): 4,
    ("table",): 5,
    ("table", "text"): 6,
    ("table", "literal"): 10,
    ("table", "inline"): 13,
    ("table", "inline", "two", "three"): 13,
    ("table", "inline", "four", "six"): 14,
    ("table", "list"): 15,
    ("table", "date"): 19,
    ("table", "last"): 20,
    ("table", "below"): 21,
    ("table", "below", "here"): 22,
    ("many",): 23,
    ("many", "each"): 24,
    ("many", "other"): 27,
}


def test_every_key_has_its_line() -> None:
    tomllib.loads(DOCUMENT)
    found = lines(DOCUMENT)
    assert {path: found.get(path) for path in PLACES} == PLACES
    assert ("security",) not in found
    assert ("key",) not in found


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_are_counted_whatever_ends_them(ending: str) -> None:
    assert lines(ending.join(["", "a = 1", "[b]", "c = 2", ""])) == {("a",): 2, ("b",): 3, ("b", "c"): 4}


KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True), st.sampled_from(["a.b", "# c", '"', "'", "[d]", "="])
)
VALUES = st.recursive(
    st.one_of(st.sampled_from(['"x"', "'y'", "1", "1.5", "true", '"""\n[z]\na = 1\n"""', "'''\nb = \"\n'''", '"\\""'])),
    lambda inner: st.lists(inner, max_size=3).map(lambda each: f"[\n{', '.join(each)} # ]\n]"),
    max_leaves=4,
)


def quoted(key: str) -> str:
    return (
        key
        if key.replace("_", "").replace("-", "").isalnum() and key.isascii()
        else '"' + key.replace('"', '\\"') + '"'
    )


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=4))
def test_whatever_is_written_is_found(document: dict[str, dict[str, str]]) -> None:
    """The line that is found begins with the key, in a document of any keys and values."""
    text = ""
    for table, pairs in document.items():
        text += f"[{quoted(table)}]\n" + "".join(f"{quoted(key)} = {value} # {key}\n" for key, value in pairs.items())
    found = lines(text)
    for path in paths(tomllib.loads(text)):
        line = text.splitlines()[found[path] - 1]
        assert line.lstrip("[").startswith(quoted(path[-1]))
    assert len(found) == len([*paths(tomllib.loads(text))])


def paths(table: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from paths(value, (*above, key))
