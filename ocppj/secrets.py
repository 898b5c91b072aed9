"""What must never be written down: passwords and private keys, masked wherever text leaves this program.

White paper A01.FR.09 and A01.FR.12: neither party discloses an AuthorizationKey in its logs.
"""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

MASK = "***"
LEAST_LENGTH = 8  # characters; what is shorter is found in too much that is no secret

_known: set[str] = set()
_pattern: re.Pattern[str] | None = None

_IN_URL = re.compile(r"(\w+://)[^/\s\"\\@]+@")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL)
_KEY = "authorizationkey"
_MENTIONS_KEY = re.compile(rf"{_KEY}|\\u00", re.IGNORECASE)
_OBJECT_WITH_KEY = re.compile(rf'\{{[^{{}}]*"{_KEY}"[^{{}}]*', re.IGNORECASE)  # for what is no JSON
_VALUE = re.compile(r'"value"\s*:\s*"([^"]*)')
_HEXADECIMAL = re.compile("[0-9A-Fa-f]+")
_BASIC = re.compile(r"(Basic )[\w+/=-]{8,}", re.IGNORECASE)


def keep(secret: bytes, identity: str = "") -> None:
    """Mask a password from now on in every form in which it may turn up: as text, hexadecimal, base64, HTTP Basic."""
    forms = {secret.hex(), base64.b64encode(secret).decode()}
    forms.add(base64.b64encode(f"{identity}:".encode() + secret).decode())
    with suppress(UnicodeDecodeError):
        text = secret.decode()
        forms |= {text, json.dumps(text)[1:-1], repr(text)[1:-1]}
    new = {form for form in forms if len(form) >= LEAST_LENGTH} - _known
    if new:
        global _pattern
        _known.update(new)
        longest_first = sorted(_known, key=len, reverse=True)
        _pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def hidden(text: str) -> str:
    """A text without secrets: those that are kept, private keys, what stands behind Basic."""
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub(MASK, text)
    if "asic " in text:
        text = _BASIC.sub(rf"\1{MASK}", text)
    return _pattern.sub(MASK, text) if _pattern is not None else text


def hidden_deeply(value: Any) -> Any:
    """The same for every text inside of lists and dicts."""
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, dict):
        return {name: hidden_deeply(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [hidden_deeply(each) for each in value]
    return value


def masked(text: str) -> str:
    """The same, and without the passwords in URLs, which sentences compare until then."""
    return hidden(_IN_URL.sub(rf"\1{MASK}@", text))


def hidden_in_frame(raw: str) -> tuple[str, dict[str, Any] | None]:
    """A frame without the AuthorizationKey that it tells, and what can be judged of that one; None if it tells none.

    {"characters": how many, "isHexadecimal": ...}. White paper 7.2: the key is written in hexadecimal digits.
    """
    told: dict[str, Any] | None = None
    if _MENTIONS_KEY.search(raw):
        for value in _authorization_keys(raw):
            told = {"characters": len(value), "isHexadecimal": _HEXADECIMAL.fullmatch(value) is not None}
            keep(bytes.fromhex(value) if told["isHexadecimal"] and len(value) % 2 == 0 else value.encode())
            raw = raw.replace(f'"{value}"', f'"{MASK}"') if value else raw
    return hidden(raw), told


def _authorization_keys(raw: str) -> list[str]:
    try:
        frame = json.loads(raw)
    except (ValueError, RecursionError):
        objects = _OBJECT_WITH_KEY.findall(raw)
        return [value for each in objects for value in _VALUE.findall(each)]
    return list(_told_in(frame))


def _told_in(frame: Any) -> Iterator[str]:
    values = [frame]  # no recursion: a frame may be nested as deeply as its sender likes
    while values:
        value = values.pop()
        if isinstance(value, dict):
            if str(value.get("key", "")).casefold() == _KEY and isinstance(value.get("value"), str):
                yield value["value"]
            values.extend(value.values())
        elif isinstance(value, list):
            values.extend(value)
