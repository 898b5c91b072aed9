"""A Python class that somebody has written for a product, found by its entry point."""

import asyncio
import inspect
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from importlib.metadata import entry_points
from threading import Thread
from typing import Any, Protocol, TypeVar

from bench.operators import BadOperator, Beginning, HookFailed, Outcome, Request
from ocppj.secrets import hidden

GROUP = "ocpp_rehearsal.drivers"

PATIENCE = 2.0  # seconds that a driver has to end once the run is over

Result = TypeVar("Result")


class Driver(Protocol):
    """What the class of a driver must have; it is made with the further keys of the device file's [operator].

    It may have ``async before_run(beginning)``, ``async before_case(beginning)`` and ``async close()`` as well. What it
    raises is a reason like any other: it makes a case inconclusive. Its coroutines run in one loop of their own, in a
    thread of their own, where they may block without stopping the bench.
    """

    async def ask(self, request: Request) -> Outcome:
        """Make the device act."""
        ...


class DriverFailed(Exception):
    """What a driver has raised, in words."""


class Driven:
    """A driver as an operator: whatever it does, there is an answer in time."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        """``name``: of the entry point. Raises ``BadOperator`` for a driver that cannot be used."""
        self._name = name
        self._driver = _made(name, options)
        self._thread: Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def ask(self, request: Request) -> Outcome:
        try:
            outcome = await self._run(self._driver.ask(request), request.time_limit)
        except DriverFailed as failed:
            return Outcome("gave up", f"the driver {self._name} {failed}")
        if not isinstance(outcome, Outcome):
            return Outcome("gave up", hidden(f"the driver {self._name} answered nonsense: {outcome!r}")[:300])
        return outcome

    async def before_run(self, beginning: Beginning) -> None:
        await self._make_ready("before_run", beginning)

    async def before_case(self, beginning: Beginning) -> None:
        await self._make_ready("before_case", beginning)

    async def close(self) -> None:
        """Let the driver close what it holds. One that does not come to its end is left to itself."""
        if self._loop is None or self._thread is None:
            return  # it was never asked for anything
        with suppress(DriverFailed):  # the run is over: it changes no verdict any more
            await self._run(self._wind_up(), PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, PATIENCE)
        if not self._thread.is_alive():
            self._loop.close()

    async def _wind_up(self) -> None:
        try:
            if (close := getattr(self._driver, "close", None)) is not None:
                await close()
        finally:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await asyncio.get_running_loop().shutdown_asyncgens()

    async def _make_ready(self, hook: str, beginning: Beginning) -> None:
        if (work := getattr(self._driver, hook, None)) is None:
            return
        try:
            await self._run(work(beginning), beginning.time_limit)
        except DriverFailed as failed:
            raise HookFailed(f"{hook} of the driver {self._name} {failed}") from None

    async def _run(self, work: Coroutine[Any, Any, Result], limit: float) -> Result:
        """Raises ``DriverFailed``."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = Thread(target=self._loop.run_forever, name=f"driver {self._name}", daemon=True)
            self._thread.start()
        future = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_guarded(work), self._loop))
        try:
            await asyncio.wait([future], timeout=limit)
            if not future.done():
                raise DriverFailed(f"did not end in {limit:g} s")
            if future.cancelled():
                raise DriverFailed("gave up by itself")
            return future.result()
        finally:
            future.cancel()


async def _guarded(work: Coroutine[Any, Any, Result]) -> Result:
    """Whatever it raises, the loop of the driver goes on: what ends a program is a failure too."""
    try:
        return await work
    except asyncio.CancelledError:
        raise
    except BaseException as fault:
        raise DriverFailed(f"failed: {_in_words(fault)}") from fault


def _made(name: str, options: Mapping[str, Any]) -> Driver:
    found = {each.name: each for each in entry_points(group=GROUP)}
    if name not in found:
        there = f"there are {', '.join(sorted(found))}" if found else "none is installed"
        raise BadOperator(f"no driver is called {name}: {there} (entry points {GROUP})")
    try:
        driver: Driver = found[name].load()(**options)
    except Exception as fault:
        raise BadOperator(f"the driver {name} ({found[name].value}) cannot be used: {_in_words(fault)}") from None
    methods = ["ask", *(method for method in ("before_run", "before_case", "close") if hasattr(driver, method))]
    for method in methods:
        if not inspect.iscoroutinefunction(getattr(driver, method, None)):
            raise BadOperator(f"the driver {name} ({found[name].value}) has no async def {method}")
    return driver


def _in_words(fault: BaseException) -> str:
    text = hidden(" ".join(str(fault).split()))[:300]
    return f"{type(fault).__name__}: {text}" if text else type(fault).__name__
