"""Texts of a device on their way into a view: whatever they hold, they stay one text and can be seen.

What is escaped for HTML, XML or Mermaid is the view's own business; here goes what no escaping helps against.
"""

import re
import unicodedata

LONGEST = 1000  # characters of one text in a view; results.json and the transcripts have it whole

# Control characters, directions that turn a line round, halves of pairs, what has no meaning, separators of lines.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# What is seen as it is, each character in one column: nearly all that devices send. Without and with lines.
_PLAIN = re.compile(r"[ -~]*")
_PLAIN_LINES = re.compile(r"[ -~\n\t]*")


def shown(text: str, longest: int = LONGEST, *, lines: bool = False) -> str:
    """The text with what cannot be seen spelt out (``\\x00``), and shortened to so many columns.

    With ``lines`` line breaks and tabs stay.
    """
    if len(text) <= longest and (_PLAIN_LINES if lines else _PLAIN).fullmatch(text):
        return text
    cut: list[str] = []
    width = 0
    for character in text:
        seen = character if _is_seen(character, lines) else character.encode("unicode_escape").decode("ascii")
        width += columns(seen)
        if width > longest:
            return _shortened(cut, longest)
        cut.append(seen)
    return "".join(cut)


def columns(text: str) -> int:
    """How wide a text is, in characters of a fixed width."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _is_seen(character: str, lines: bool) -> bool:
    return unicodedata.category(character) not in _UNSEEN or (lines and character in "\n\t")


def _shortened(pieces: list[str], longest: int) -> str:
    while pieces and columns("".join(pieces)) > longest - 1:
        pieces.pop()
    return "".join(pieces) + "…"
