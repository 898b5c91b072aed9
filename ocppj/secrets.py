"""What must never be written down: passwords and private keys, masked wherever text leaves this program.

White paper A01.FR.09 and A01.FR.12: neither party discloses an AuthorizationKey in its logs.
"""

import base64
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote

MASK = "***"
LEAST_LENGTH = 8  # characters; what is shorter is found in too much that is no secret

_known: dict[str, str] = {}  # each form of a secret, as it is written and without case

_URL_SAFE = str.maketrans("+/", "-_")  # RFC 4648, 5

_IN_URL = re.compile(r"://[^/?#\s\"\\]*@")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL)
_KEY = "authorizationkey"
_MENTIONS_KEY = re.compile(rf"{_KEY}|\\u00", re.IGNORECASE)
_HEXADECIMAL = re.compile("[0-9A-Fa-f]+")
_LONG_HEXADECIMAL = re.compile("[0-9A-Fa-f]{16,}")
_BASIC = re.compile(r"(Basic )([\w+/=-]{8,})", re.IGNORECASE)
# A JSON string, and another behind a colon. It needs no end and never goes back, so that every text is read in one go.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_STRINGS = re.compile(_STRING, re.DOTALL)
_MEMBERS = re.compile(rf"({_STRING})(?:(\s*+:\s*+)({_STRING}))?", re.DOTALL)
_SINGLE_QUOTED = re.compile(r"('value'\s*+:\s*+')([^']*+)")


def keep(secret: bytes, identity: str = "") -> None:
    """Mask a password from now on in every form in which it may turn up: as text, hexadecimal, base64, HTTP Basic."""
    encoded = [base64.b64encode(each) for each in (secret, f"{identity}:".encode() + secret)]
    forms = {secret.hex(), repr(secret)[2:-1], quote(secret, safe="")}
    for each in encoded:
        text = each.decode().rstrip("=")
        forms |= {each.decode(), text, text.translate(_URL_SAFE)}
    with suppress(UnicodeDecodeError):
        text = secret.decode()
        forms |= {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
    _known.update({form: form.casefold() for form in forms if len(form) >= LEAST_LENGTH})


def hidden(text: str) -> str:
    """A text without secrets: those that are kept, private keys, what stands behind Basic."""
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub(MASK, text)
    text = _BASIC.sub(_without_credentials, text)
    # Most texts hold none of them, which is found out much faster than where they are.
    folded = text.casefold()
    found = sorted((form for form, fold in _known.items() if fold in folded), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, found)), MASK, text, flags=re.IGNORECASE) if found else text


def _without_credentials(found: re.Match[str]) -> str:
    """«Basic Authentication» is no credentials: those are base64 and have a colon in them (RFC 2617, 2)."""
    text = found[2].replace("-", "+").replace("_", "/").rstrip("=")
    try:
        is_one = b":" in base64.b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        is_one = False
    return f"{found[1]}{MASK}" if is_one else found[0]


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
    return hidden(_IN_URL.sub(f"://{MASK}@", text))


def hidden_in_frame(raw: str) -> tuple[str, dict[str, Any] | None]:
    """A frame without the AuthorizationKey that it tells, and what can be judged of that one; None if it tells none.

    {"characters": how many, "isHexadecimal": ...}. White paper 7.2: the key is written in hexadecimal digits.
    """
    told: dict[str, Any] | None = None
    if _MENTIONS_KEY.search(raw):
        raw, values = _without_keys(raw)
        for value in values:
            told = {"characters": len(value), "isHexadecimal": _HEXADECIMAL.fullmatch(value) is not None}
            is_bytes = told["isHexadecimal"] and len(value) % 2 == 0
            keep(bytes.fromhex(value) if is_bytes else value.encode(errors="surrogatepass"))
    if "\\" in raw:
        raw = _STRINGS.sub(_without_escaped_secret, raw)
    return hidden(raw), told


def _without_keys(raw: str) -> tuple[str, list[str]]:
    """A frame without the AuthorizationKeys that it tells, and these."""
    try:
        values = list(_told_in(json.loads(raw)))
    except (ValueError, RecursionError):
        return _without_values(raw)
    return _MEMBERS.sub(lambda found: _without_value(found, values), raw), values


def _without_value(found: re.Match[str], values: Sequence[str]) -> str:
    name, colon, value = found.groups()
    is_told = value is not None and _content(name) == "value" and _content(value) in values
    return f'{name}{colon}"{MASK}"' if is_told and _content(value) else found[0]


def _without_values(raw: str) -> tuple[str, list[str]]:
    """The same for what is no JSON: nobody knows which value belongs to the key."""
    contents = [_content(each) for each in _STRINGS.findall(raw)]
    if all(each.casefold() != _KEY for each in contents) and _KEY not in raw.casefold():
        return raw, []
    members = [(_content(name), _content(value)) for name, _, value in _MEMBERS.findall(raw)]
    values = [value for name, value in members if name == "value" and value]
    raw = _MEMBERS.sub(lambda found: _without_value(found, values), raw)
    values += [value for _, value in _SINGLE_QUOTED.findall(raw) if value]
    raw = _SINGLE_QUOTED.sub(rf"\1{MASK}", raw)
    values += _LONG_HEXADECIMAL.findall(raw)
    return _LONG_HEXADECIMAL.sub(MASK, raw), values


def _without_escaped_secret(found: re.Match[str]) -> str:
    content = _content(found[0])
    return json.dumps(hidden(content)) if hidden(content) != content else found[0]


def _content(string: str) -> str:
    """What a JSON string says, as far as it can be read."""
    try:
        return str(json.loads(string, strict=False)) if string else ""
    except ValueError:
        return string.strip('"')


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
