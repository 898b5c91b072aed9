"""On which line of a TOML document each of its keys stands, which ``tomllib`` does not tell."""

import re
import tomllib
from collections.abc import Iterator

Path = tuple[str, ...]

_TOKEN = re.compile(
    r'''
    (?P<space>[ \t\r]+|\#[^\n]*)
    |(?P<newline>\n)
    |(?P<mark>[\[\]{}=,.])
    |(?P<text>"""(?:[^\\]|\\.)*?"""(?:"{0,2})|\'\'\'.*?\'\'\'(?:'{0,2})|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')
    |(?P<bare>[^\s\[\]{}=,."'\#]+)
    ''',
    re.VERBOSE | re.DOTALL,
)


def lines(text: str) -> dict[Path, int]:
    """The line of every table and key, by its path; of a table that is told in several places the first.

    ``text`` is one that ``tomllib`` reads.
    """
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.found


class _Scanner:
    """Goes through the tokens once. ``found``: path -> line."""

    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {}
        self._tokens = _tokens(text)
        self._kind = self._text = ""
        self._line = 1
        self._next()

    def scan(self) -> None:
        table: Path = ()
        while self._kind:
            if self._text == "[":
                self._skip_marks("[")
                table = self._key(())
                self._skip_marks("]")
            elif self._kind in ("bare", "text"):
                self._pair(table)
            else:
                self._next()

    def _pair(self, table: Path) -> None:
        path = self._key(table)
        self._next()  # the equals sign
        self._value(path)

    def _key(self, table: Path) -> Path:
        """A key of one part or of several, noted with all tables on the way."""
        path = table
        while True:
            path = (*path, _spelt(self._kind, self._text))
            self.found.setdefault(path, self._line)
            self._next()
            if self._text != ".":
                return path
            self._next()

    def _value(self, path: Path) -> None:
        if self._text not in ("{", "["):
            # A number or a date has dots, too; a text is one token.
            while self._kind in ("bare", "text") or self._text == ".":
                self._next()
            return
        is_table, end = self._text == "{", {"{": "}", "[": "]"}[self._text]
        self._next()
        while self._text != end:
            if self._text == "," or self._kind == "newline":
                self._next()
            elif is_table:
                self._pair(path)
            else:
                self._value(path)
        self._next()

    def _skip_marks(self, mark: str) -> None:
        while self._text == mark and self._kind == "mark":
            self._next()

    def _next(self) -> None:
        self._kind, self._text, self._line = next(self._tokens, ("", "", 0))


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and line of each token that means something."""
    line = 1
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind != "space":
            yield kind, match[0], line
        line += match[0].count("\n")


def _spelt(kind: str, token: str) -> str:
    """The part of a key that a token stands for."""
    return str(tomllib.loads(f"key = {token}")["key"]) if kind == "text" else token
