"""A coroutine test runs on a loop of its own whose time jumps, and must leave no task behind."""

import asyncio
import gc
import inspect
import os
import signal
from collections.abc import Iterator

import freezegun
import pytest
from hypothesis import settings

from ocppj.authority import Authority
from ocppj.clock import Calendar, VirtualLoop, frozen_calendar

# Properties are searched for counterexamples in the same places every time; HYPOTHESIS_PROFILE=long looks for others,
# keeps what it finds in .hypothesis, and takes as long as it takes: docs/architecture.md.
settings.register_profile("short", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("long", deadline=None, print_blob=True, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))
freezegun.configure(extend_ignore_list=["hypothesis"])  # it gives up when it takes too long, by the real clock
# cryptography keeps the class datetime that it meets first, which is not to be one of a frozen calendar.
Authority.root("nobody", "none")


def pytest_configure() -> None:
    """A shell starts its background jobs deaf to SIGINT, which a child inherits: those of the tests are to hear it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Take what was collected out of every search for garbage: each rehearsal inside a test ends with two of them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def calendar() -> Iterator[Calendar]:
    frozen = frozen_calendar()
    yield frozen.start()
    frozen.stop()


@pytest.fixture
def loop(calendar: Calendar) -> Iterator[VirtualLoop]:
    loop = VirtualLoop(calendar)
    yield loop
    loop.close()


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj) and "loop" not in item.fixturenames:
        item.fixturenames.append("loop")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    loop = pyfuncitem.funcargs["loop"]
    assert isinstance(loop, VirtualLoop)
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    loop.run_until_complete(pyfuncitem.obj(**arguments))
    left = asyncio.all_tasks(loop)
    assert not left, f"left running: {left}"
    return True
