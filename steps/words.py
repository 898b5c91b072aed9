"""The words of OCPP 1.6 that a sentence may use, and what makes a function a sentence.

A word outside these lists makes the sentence an undefined step, so a misspelt action or status is found before
anything runs. A step may be ``async def``: it runs on the bench's loop, in the same thread, and the world turns only
while it does.
"""

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest_bdd
from ocpp.v16.enums import AuthorizationStatus, ChargePointErrorCode, ChargePointStatus, ChargingProfileKindType
from pytest_bdd import parsers

from bench.bench import Bench
from bench.cases import PROFILES
from ocppj.errors import ErrorCode
from ocppj.schemas import ACTIONS
from steps.cells import UNITS


class MisusedStep(TypeError):
    """A step function that pytest-bdd could not run as it is meant."""


def _word(pattern: str, meaning: Callable[[str], Any] = str) -> Callable[[str], Any]:
    def word(text: str) -> Any:
        return meaning(text)

    word.pattern = pattern  # type: ignore[attr-defined]  # parse reads it off the function
    return word


def _one_of(words: object) -> Callable[[str], Any]:
    return _word("|".join(sorted(words, key=len, reverse=True)))  # type: ignore[call-overload]  # any iterable of str


_STATUSES = [status.value for status in ChargePointStatus]

WORDS = {
    "Party": _word("Charge Point|Central System"),
    "Action": _one_of(ACTIONS),
    "Status": _one_of(_STATUSES),
    "Either": _word(rf"(?:{'|'.join(_STATUSES)})(?: or (?:{'|'.join(_STATUSES)}))*"),
    "Statuses": _word(rf"(?:{'|'.join(_STATUSES)})(?:, (?:{'|'.join(_STATUSES)}))+"),
    "Fault": _one_of([code.value for code in ChargePointErrorCode if code.value != "NoError"]),
    "ErrorCode": _one_of([code.value for code in ErrorCode]),
    "IdTagStatus": _one_of([*(status.value for status in AuthorizationStatus), "unknown"]),
    "Profile": _one_of([profile for profile in PROFILES.values() if profile != "Security"]),
    "ProfileKind": _one_of([kind.value for kind in ChargingProfileKindType]),
    "MeasurandKey": _word("MeterValuesSampledData|MeterValuesAlignedData"),
    "N": _word(r"\d+|\{[A-Z]\w*\}"),
    "Material": _word(r"\{[A-Z][\w.]*\}"),
    "Rejectable": _word("root certificate|signed certificate"),
    "HashAlgorithm": _word("SHA256|SHA384|SHA512"),
    "Location": _word(r"\{[A-Z]\w*\}"),
    "Work": _word("download|installation|upload"),
    "IdTag": _word(r"\{[A-Z]\w*\}"),
    "Duration": _word(rf"(?:\d+(?:\.\d+)?|\{{[A-Z][\w.]*\}}) (?:{'|'.join(UNITS)})s?"),
}

_parse = partial(parsers.parse, extra_types=WORDS, case_sensitive=True)


def _sentence(register: Callable[..., Any]) -> Callable[[str], Callable[[Callable[..., Any]], Callable[..., Any]]]:
    def sentence(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            return register(_parse(text), stacklevel=2)(runnable(function))  # type: ignore[no-any-return]

        return decorate

    return sentence


def runnable(function: Callable[..., Any]) -> Callable[..., Any]:
    """A step function that pytest-bdd can call: a coroutine is run to its end on the bench's loop.

    Raises ``MisusedStep`` for a coroutine function without the ``bench`` to run it.
    """
    is_async = inspect.iscoroutinefunction(function)
    if "bench" not in inspect.signature(function).parameters:
        if is_async:
            raise MisusedStep(f"{function.__name__} is async and does not ask for the bench that would run it")
        return function

    @wraps(function)
    def run(*, bench: Bench, **arguments: Any) -> None:
        if bench.spared is not None and "datatable" in arguments:
            arguments["datatable"] = bench.spared.table(len(bench.reached), arguments["datatable"])
        with bench.sparing():
            work = function(bench=bench, **arguments)
            if is_async:
                bench.loop.run_until_complete(work)

    return run


given = _sentence(pytest_bdd.given)
when = _sentence(pytest_bdd.when)
then = _sentence(pytest_bdd.then)
