"""Drivers: installed like any package, in a thread of their own, and an answer whatever they do."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bench.asked import asked, left_behind
from bench.cases import all_cases
from bench.operators import BadOperator, Beginning, HookFailed, Outcome, Request
from bench.operators.driver import Driven
from ocppj.schemas import ACTIONS
from ocppj.secrets import keep
from tests.bench.drivers import install

SECRET = bytes(range(60, 80))

REQUEST = Request(
    party="Central System",
    action="Reset",
    payload={"type": "Hard"},
    sentence="When the Central System sends Reset.req",
    case="TC_014_CSMS",
    charge_point="CP1",
    time_limit=20.0,
)
BEGINNING = Beginning("TC_014_CSMS", test_data={"ValidIdTag": "VALID"})


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "installed"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(install(folder)))
    yield
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("driver ")]
    assert not left, "a thread was left behind"


def ask(name: str, how: str = "say", limit: float = 20.0, **payload: Any) -> Outcome:
    """What a driver says to one request, and it is closed."""

    async def asked() -> Outcome:
        driven = Driven(name, {"url": "http://x"})
        try:
            return await driven.ask(replace(REQUEST, payload={"how": how, **payload}, time_limit=limit))
        finally:
            await driven.close()

    return asyncio.run(asked())


SAID = {
    "say": Outcome("done", "Reset CP1 url=http://x"),
    "refuse": Outcome("device cannot", "it has no such thing"),
    "raise": Outcome("gave up", "the driver plain failed: ConnectionError: connection refused by the device"),
    "time_out": Outcome("gave up", "the driver plain failed: TimeoutError"),
    "exit": Outcome("gave up", "the driver plain failed: SystemExit: away"),
    "cancel": Outcome("gave up", "the driver plain gave up by itself"),
    "nonsense": Outcome("gave up", "the driver plain answered nonsense: 'done'"),
    "in_background": Outcome("done", "driver plain"),
}


@pytest.mark.parametrize("how", SAID)
def test_what_a_driver_does(how: str) -> None:
    assert ask("plain", how) == SAID[how]


@pytest.mark.parametrize("how", ["repeat", "raise_it"])
def test_a_secret_is_hidden_before_what_is_said_is_shortened(how: str) -> None:
    keep(SECRET)
    for before in range(200, 300, 10):
        words = ask("plain", how, words="." * before + SECRET.hex()).words
        assert not any(SECRET.hex()[at : at + 8] in words for at in range(0, 32, 4)), words


def test_a_driver_that_hangs() -> None:
    assert ask("plain", "hang", limit=0.2) == Outcome("gave up", "the driver plain did not end in 0.2 s")


def test_a_driver_that_blocks_stops_nobody() -> None:
    outcome = ask("plain", "block", limit=0.2, seconds=1.0)
    assert outcome == Outcome("gave up", "the driver plain did not end in 0.2 s")


def test_a_driver_goes_on_after_a_failure() -> None:
    async def asked() -> list[Outcome]:
        driven = Driven("plain", {})
        ways = ("exit", "raise", "cancel", "say")
        said = [await driven.ask(replace(REQUEST, payload={"how": how})) for how in ways]
        await driven.close()
        return said

    assert [outcome.answer for outcome in asyncio.run(asked())] == ["gave up", "gave up", "gave up", "done"]


def test_the_loop_goes_on_while_a_driver_blocks() -> None:
    async def asked() -> Outcome:
        driven = Driven("plain", {})
        released = asyncio.Event()
        asking = asyncio.create_task(driven.ask(replace(REQUEST, payload={"how": "block", "seconds": 0.5})))
        asyncio.get_running_loop().call_later(0.05, released.set)
        await released.wait()
        assert not asking.done()
        outcome = await asking
        await driven.close()
        return outcome

    assert asyncio.run(asked()) == Outcome("done", "at last")


BAD = {
    "nobody": ({}, r"no driver is called nobody: there are .*plain.* \(entry points ocpp_rehearsal.drivers\)"),
    "no_module": (
        {},
        r"the driver no_module \(acme_nowhere:Driver\) cannot be used: ModuleNotFoundError: .*acme_nowhere",
    ),
    "no_class": ({}, r"the driver no_class \(acme_driver:Nothing\) cannot be used: AttributeError: "),
    "strict": ({"ur": "x"}, r"the driver strict .* cannot be used: TypeError: .*unexpected keyword argument 'ur'"),
    "sync": ({}, r"the driver sync \(acme_driver:Sync\) has no async def ask"),
    "no_ask": ({}, r"the driver no_ask \(acme_driver:NoAsk\) has no async def ask"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_driver_that_cannot_be_used_is_found_out_before_anything_is_asked(name: str) -> None:
    options, words = BAD[name]
    with pytest.raises(BadOperator, match=words) as raised:
        Driven(name, options)
    assert "\n" not in str(raised.value)


def make_ready(options: dict[str, str], limit: float = 20.0) -> list[str]:
    """The faults of a driver that is made ready for a run and a case, and closed."""
    faults = []

    async def work() -> None:
        driven = Driven("ready", options)
        run = replace(BEGINNING, case="", time_limit=limit)
        for hook, beginning in ((driven.before_run, run), (driven.before_case, BEGINNING)):
            try:
                await hook(beginning)
            except HookFailed as failed:
                faults.append(str(failed))
        await driven.close()

    asyncio.run(work())
    return faults


def test_a_driver_is_made_ready_and_closed(tmp_path: Path) -> None:
    assert make_ready({"notes": str(tmp_path / "notes")}) == []
    assert (tmp_path / "notes").read_text().splitlines() == ["before_run VALID", "before_case TC_014_CSMS", "close"]


@pytest.mark.parametrize(
    ("options", "limit", "faults"),
    [
        ({"fails": "before_run"}, 20.0, ["before_run of the driver ready failed: OSError: no database"]),
        ({"fails": "before_case"}, 20.0, ["before_case of the driver ready failed: OSError: no database"]),
        ({"hangs": "before_run"}, 0.2, ["before_run of the driver ready did not end in 0.2 s"]),
        ({"fails": "close"}, 20.0, []),
    ],
)
def test_a_driver_that_cannot_be_made_ready(
    tmp_path: Path, options: dict[str, str], limit: float, faults: list[str]
) -> None:
    assert make_ready({"notes": str(tmp_path / "notes"), **options}, limit) == faults
    assert (tmp_path / "notes").read_text().splitlines()[-1] == "close"


# --- the page that explains how to write one

PAGE = (Path(__file__).parents[2] / "docs" / "operators.md").read_text(encoding="utf-8")


def test_the_driver_of_the_documentation() -> None:
    names: dict[str, Any] = {}
    source = PAGE.partition("```python\n")[2].partition("```")[0]
    exec(compile(source, "operators.md", "exec"), names)  # noqa: S102  # ours
    came: list[tuple[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        came.append((request.method, request.path))
        return web.Response(status=404 if request.path.endswith("ClearCache") else 200, text="so be it")

    async def drive() -> list[Outcome]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        driver = names["Acme"](url=f"http://{host}:{port}/api")
        await driver.before_run(replace(BEGINNING, case=""))
        said = [await driver.ask(replace(REQUEST, action=action)) for action in ("Reset", "ClearCache", "GetLog")]
        await driver.close()
        await runner.cleanup()
        return said

    reset, clear_cache, get_log = asyncio.run(drive())
    assert (reset, clear_cache) == (Outcome("done", "so be it"), Outcome("gave up", "so be it"))
    assert get_log.answer == "device cannot"
    assert came == [
        ("PUT", "/api/cards/VALID"),
        ("PUT", "/api/cards/ValidIdTag2"),
        ("POST", "/api/CP1/Reset"),
        ("POST", "/api/CP1/ClearCache"),
    ]


def test_the_documentation_has_every_action_of_hands() -> None:
    actions = {each.action for case_id in all_cases() for each in asked(case_id)} - ACTIONS
    undone = {action for each in actions for action in left_behind([each])}
    assert {action for action in actions | undone if f"`{action}`" not in PAGE} == set()
    assert {"confirm", "plug_in"} <= actions
