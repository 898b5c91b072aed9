"""A device with an HTTP interface: one HTTP request for each thing that is asked for."""

import asyncio
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from bench.operators import CONFIRM, Outcome, Request
from ocppj.secrets import hidden, keep, masked

LONGEST_WORDS = 300  # characters of an answer that are told
LONGEST_READ = 65_536  # bytes of it that are read at all

PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w.]*)\}")
VARIABLE = re.compile(r"\$\{(\w+)\}")

# Who is on this machine is reached without a proxy, whatever the environment says of one.
_WITHOUT_PROXY: dict[str, httpx.AsyncBaseTransport | None] = {
    f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")
}


class Missing(Exception):
    """A placeholder names what the request does not have."""


@dataclass(frozen=True, slots=True)
class Call:
    """The HTTP request for an action.

    ``body``: a JSON value in which a text that is one placeholder stands for the value, of whatever type, and is left
    out of its object where the request has none. None is the OCPP payload itself.
    """

    url: str
    method: str = "POST"
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Http:
    """An operator who is reached over HTTP.

    Placeholders are {charge_point}, {action}, {party}, {case}, {sentence}, {payload} and every field of the payload, a
    nested one by its dotted path. 2xx: done; with {"confirmed": false} a statement is denied. 501: the device cannot do
    this. Anything else: could not, with the words of who answered.
    """

    KEYS = frozenset({"url", "method", "headers", "body"})

    def __init__(self, table: Mapping[str, Any]) -> None:
        """The table ``[operator]`` of a device file, without its ``kind``. Raises ``ValueError``.

        ``actions``: action -> what is otherwise for it, with the same keys.
        """
        given = {name: value for name, value in table.items() if name != "actions"}
        actions = table.get("actions", {})
        if not isinstance(actions, Mapping):
            raise ValueError("actions is no table")
        self._ordinary = _call(given, "")
        self._special = {action: _special(given, action, own) for action, own in actions.items()}

    async def ask(self, request: Request) -> Outcome:
        call = self._special.get(request.action, self._ordinary)
        try:
            async with asyncio.timeout(request.time_limit):
                status, said = await _send(call, request)
        except TimeoutError:
            return _gave_up(f"the HTTP interface did not answer in {request.time_limit:g} s", call)
        except Missing as missing:
            return Outcome("gave up", f"the HTTP interface was not asked: {missing}")
        except Exception as error:  # whatever a URL and an answer of others make of the libraries underneath
            words = str(error) or type(error).__name__
            return _gave_up(f"the HTTP interface cannot be used ({masked(words)})", call)
        if 200 <= status < 300:
            return Outcome("denied" if request.action == CONFIRM and _denies(said) else "done", said)
        if status == HTTPStatus.NOT_IMPLEMENTED:
            return Outcome("device cannot", said or "the HTTP interface says that the device cannot do this")
        return Outcome("gave up", f"the HTTP interface answered {status}: {said or 'nothing'}")


def _denies(said: str) -> bool:
    try:
        answer = json.loads(said)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("confirmed") is False


def _call(table: Mapping[str, Any], where: str) -> Call:
    """What a table says, its environment variables filled in. Raises ``ValueError``."""
    if strange := sorted(table.keys() - Http.KEYS):
        raise ValueError(f"{where}{strange[0]} is none of {', '.join(sorted(Http.KEYS))}")
    url, method, headers = table.get("url"), table.get("method", "POST"), table.get("headers", {})
    if not isinstance(url, str) or not re.match("https?://[^/]", url):
        raise ValueError(
            f"{where}url = {masked(str(url))} is no URL such as http://host:8080/{{charge_point}}/{{action}}"
        )
    if not isinstance(method, str) or not re.fullmatch("[A-Za-z]+", method):
        raise ValueError(f"{where}method = {method} is no method of HTTP such as POST")
    if not isinstance(headers, Mapping) or not all(isinstance(value, str) for value in headers.values()):
        raise ValueError(f"{where}headers is no table of texts")
    filled = {name: _with_variables(value, f"{where}headers.{name}") for name, value in headers.items()}
    return Call(url, method.upper(), table.get("body"), filled)


def _special(given: Mapping[str, Any], action: str, own: Any) -> Call:
    if not isinstance(own, Mapping):
        raise ValueError(f"actions.{action} is no table")
    return _call({**given, **own}, f"actions.{action}.")


def _with_variables(text: str, where: str) -> str:
    """A header with the values of environment variables, which are secret from now on."""

    def value(found: re.Match[str]) -> str:
        if (secret := os.environ.get(found[1])) is None:
            raise ValueError(f"{where} names the environment variable {found[1]}, which is not set")
        keep(secret.encode())
        return secret

    return VARIABLE.sub(value, text)


async def _send(call: Call, request: Request) -> tuple[int, str]:
    """The status of the answer, and what it says in a line."""
    known = {
        "charge_point": request.charge_point,
        "action": request.action,
        "party": request.party,
        "case": request.case,
        "sentence": request.sentence,
        "payload": request.payload,
    }

    def value(name: str) -> Any:
        found: Any = {**request.payload, **known}
        for step in name.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is None:
            raise Missing(f"{request.action} has no {name}, which it names")
        return found

    url = PLACEHOLDER.sub(lambda found: quote(_text(value(found[1])), safe=""), call.url)
    content = None
    if call.method not in ("GET", "HEAD"):
        body = request.payload if call.body is None else _filled(call.body, value)
        content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **call.headers} if content else dict(call.headers)
    client = httpx.AsyncClient(timeout=None, mounts=_WITHOUT_PROXY)  # noqa: S113  # the whole request has a time limit
    async with client, client.stream(call.method, url, content=content, headers=headers) as response:
        return response.status_code, await _said(response)


async def _said(response: httpx.Response) -> str:
    read = b""
    async for part in response.aiter_bytes():
        read += part
        if len(read) >= LONGEST_READ:
            break
    words = " ".join(hidden(read.decode(errors="replace")).split())
    return words if len(words) <= LONGEST_WORDS else f"{words[:LONGEST_WORDS]} ..."


def _filled(body: Any, value: Callable[[str], Any]) -> Any:
    """A body with its placeholders filled in; who has no value is left out of its object."""
    match body:
        case str() if whole := PLACEHOLDER.fullmatch(body):
            return value(whole[1])
        case str():
            return PLACEHOLDER.sub(lambda found: _text(value(found[1])), body)
        case list():
            return [_filled(each, value) for each in body]
        case dict():
            filled = {}
            for name, each in body.items():
                try:
                    filled[name] = _filled(each, value)
                except Missing:
                    if not isinstance(each, str) or not PLACEHOLDER.fullmatch(each):
                        raise
            return filled
    return body


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _gave_up(words: str, call: Call) -> Outcome:
    return Outcome("gave up", f"{words}: {call.method} {masked(call.url)}")
