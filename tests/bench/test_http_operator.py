"""The operator who is reached over HTTP: real servers, kind and unkind ones."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from aiohttp import web

from bench.operators import Outcome, Request
from bench.operators.http import LONGEST_WORDS, Http
from ocppj.secrets import masked
from tests.bench.test_operators import REQUEST

REMOTE_START = Request(
    party="Central System",
    action="RemoteStartTransaction",
    payload={"connectorId": 1, "idTag": "VALID/1", "chargingProfile": {"stackLevel": 3}},
    sentence="When the Central System sends RemoteStartTransaction.req",
    case="TC_010_CSMS",
    charge_point="CP 1",
    time_limit=20.0,
)


@dataclass
class Asked:
    """What came to the server."""

    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def ok(_: web.Request) -> web.StreamResponse:
    return web.json_response({"status": "Accepted"})


def ask(
    table: dict[str, Any], request: Request = REMOTE_START, answer: Answer = ok, path: str = "/{charge_point}/{action}"
) -> tuple[Outcome, Asked]:
    """What the operator says when a server answers so, and what came to the server."""
    asked = Asked()

    async def handle(came: web.Request) -> web.StreamResponse:
        asked.method, asked.path, asked.body = came.method, came.raw_path, await came.text()
        asked.headers = dict(came.headers)
        return await answer(came)

    async def scene() -> Outcome:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handle)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0]
        try:
            return await Http({"url": f"http://{host}:{port}{path}", **table}).ask(request)
        finally:
            await runner.cleanup()

    return asyncio.run(scene()), asked


def answering(status: int, text: str = "", **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=headers)

    return answer


# --- what is sent


def test_the_payload_is_posted_to_the_action() -> None:
    outcome, asked = ask({})
    assert outcome == Outcome("done", '{"status": "Accepted"}')
    assert (asked.method, asked.path) == ("POST", "/CP%201/RemoteStartTransaction")
    assert json.loads(asked.body) == REMOTE_START.payload
    assert asked.headers["Content-Type"] == "application/json"


def test_a_body_and_a_url_have_fields_of_the_payload() -> None:
    body = {
        "tag": "{idTag}",
        "connector": "{connectorId}",
        "level": "{chargingProfile.stackLevel}",
        "all": ["{payload}"],
        "note": "{case}: {action} at {connectorId}",
        "reservation": "{reservationId}",
        "fixed": 7,
    }
    outcome, asked = ask({"body": body, "method": "PUT"}, path="/tags/{idTag}?level={chargingProfile.stackLevel}")
    assert outcome.answer == "done"
    assert (asked.method, asked.path) == ("PUT", "/tags/VALID%2F1?level=3")
    assert json.loads(asked.body) == {
        "tag": "VALID/1",
        "connector": 1,
        "level": 3,
        "all": [REMOTE_START.payload],
        "note": "TC_010_CSMS: RemoteStartTransaction at 1",
        "fixed": 7,
    }


def test_an_action_has_a_request_of_its_own() -> None:
    actions = {"RemoteStartTransaction": {"method": "DELETE", "body": {"only": "this"}}}
    _, asked = ask({"actions": actions, "headers": {"X-Of": "all"}})
    assert (asked.method, json.loads(asked.body), asked.headers["X-Of"]) == ("DELETE", {"only": "this"}, "all")
    _, asked = ask({"actions": actions}, replace(REMOTE_START, action="ClearCache", payload={}))
    assert (asked.method, json.loads(asked.body)) == ("POST", {})


def test_what_is_only_read_has_no_body() -> None:
    outcome, asked = ask({"method": "GET"})
    assert (outcome.answer, asked.body) == ("done", "")
    assert "Content-Type" not in asked.headers


def test_a_header_has_a_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSMS_TOKEN", "a-token-that-nobody-sees")
    table = {"headers": {"Authorization": "Bearer ${CSMS_TOKEN}"}}

    async def echo(came: web.Request) -> web.StreamResponse:
        return web.Response(status=500, text=f"bad {came.headers['Authorization']}")

    outcome, asked = ask(table, answer=echo)
    assert asked.headers["Authorization"] == "Bearer a-token-that-nobody-sees"
    assert outcome == Outcome("gave up", "the HTTP interface answered 500: bad Bearer ***")
    assert masked("a-token-that-nobody-sees") == "***"


def test_what_the_request_has_not_cannot_be_sent() -> None:
    outcome, asked = ask({}, path="/{reservationId}")
    words = "the HTTP interface was not asked: RemoteStartTransaction has no reservationId, which it names"
    assert outcome == Outcome("gave up", words)
    assert asked == Asked()


# --- what is answered

OUTCOMES = {
    (200, ""): Outcome("done", ""),
    (202, "taken"): Outcome("done", "taken"),
    (204, ""): Outcome("done", ""),
    (501, ""): Outcome("device cannot", "the HTTP interface says that the device cannot do this"),
    (501, "no\n  lock"): Outcome("device cannot", "no lock"),
    (404, "who?"): Outcome("gave up", "the HTTP interface answered 404: who?"),
    (500, ""): Outcome("gave up", "the HTTP interface answered 500: nothing"),
    (302, "elsewhere"): Outcome("gave up", "the HTTP interface answered 302: elsewhere"),
}


@pytest.mark.parametrize("came", OUTCOMES, ids=lambda came: f"{came[0]}-{came[1][:4]}")
def test_what_its_status_means(came: tuple[int, str]) -> None:
    status, text = came
    assert ask({}, answer=answering(status, text, Location="/elsewhere"))[0] == OUTCOMES[came]


def test_an_answer_without_end_is_told_shortly() -> None:
    async def talk(came: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(came)
        while True:
            await response.write(b"x" * 10_000)

    outcome, _ = ask({}, answer=talk)
    assert outcome == Outcome("done", f"{'x' * LONGEST_WORDS} ...")


def test_one_who_hangs_is_given_up() -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3600)
        raise AssertionError

    outcome, _ = ask({}, replace(REMOTE_START, time_limit=0.2), hang)
    assert outcome.answer == "gave up"
    assert outcome.words.startswith("the HTTP interface did not answer in 0.2 s: POST http://127.0.0.1:")


def test_one_who_begins_and_hangs_is_given_up() -> None:
    async def drip(came: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(came)
        await response.write(b"{")
        await asyncio.sleep(3600)
        return response

    outcome, _ = ask({}, replace(REMOTE_START, time_limit=0.2), drip)
    assert outcome.words.startswith("the HTTP interface did not answer in 0.2 s")


@pytest.mark.parametrize(
    "said", [b"", b"220 ftp ready\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b"\0\xff"]
)
def test_nonsense_is_no_answer(said: bytes) -> None:
    async def scene() -> Outcome:
        gone = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            gone.set()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            outcome = await Http({"url": f"http://127.0.0.1:{port}/"}).ask(REMOTE_START)
            await gone.wait()
            return outcome

    outcome = asyncio.run(scene())
    assert outcome.answer == "gave up"
    assert outcome.words.startswith("the HTTP interface cannot be used (")


def test_nobody_on_this_machine_is_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # where nobody is
    assert ask({})[0].answer == "done"


def test_nobody_there() -> None:
    outcome = asyncio.run(Http({"url": "http://somebody:secret@127.0.0.1:1/{action}"}).ask(REQUEST))
    words = "the HTTP interface cannot be used (All connection attempts failed): POST http://***@127.0.0.1:1/{action}"
    assert outcome == Outcome("gave up", words)


def test_a_url_that_becomes_none() -> None:
    outcome = asyncio.run(Http({"url": "http://127.0.0.1:{connectorId}{connectorId}{connectorId}99999/"}).ask(REQUEST))
    assert outcome.answer == "gave up"
    assert outcome.words.startswith("the HTTP interface cannot be used (")


WRONG: dict[str, dict[str, Any]] = {
    "url = None is no URL": {},
    "url = localhost:8080 is no URL": {"url": "localhost:8080"},
    "methods is none of body, headers, method, url": {"url": "http://h/", "methods": "POST"},
    "method = 7 is no method": {"url": "http://h/", "method": 7},
    "headers is no table of texts": {"url": "http://h/", "headers": {"X": 1}},
    "headers.X names the environment variable NOT_SET_HERE, which is not set": {
        "url": "http://h/",
        "headers": {"X": "${NOT_SET_HERE}"},
    },
    "actions is no table": {"url": "http://h/", "actions": []},
    "actions.ClearCache is no table": {"url": "http://h/", "actions": {"ClearCache": "x"}},
    "actions.ClearCache.url = x is no URL": {"url": "http://h/", "actions": {"ClearCache": {"url": "x"}}},
}


@pytest.mark.parametrize("text", WRONG)
def test_a_table_that_cannot_be_used(text: str) -> None:
    with pytest.raises(ValueError, match=text.replace(".", r"\.")):
        Http(WRONG[text])


@pytest.mark.parametrize(
    ("said", "answer"),
    [("", "done"), ('{"confirmed": true}', "done"), ('{"confirmed": false}', "denied"), ("[false]", "done")],
)
def test_a_statement_is_confirmed_or_denied(said: str, answer: str) -> None:
    question = replace(REMOTE_START, action="confirm", payload={"statement": "connector 1 is unlocked"})
    assert ask({}, question, answering(200, said))[0] == Outcome(cast("Any", answer), said)
    assert ask({}, answer=answering(200, '{"confirmed": false}'))[0].answer == "done"  # it was asked for nothing
