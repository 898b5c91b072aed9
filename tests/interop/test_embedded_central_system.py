"""A Central System that others have made, with handlers for all of OCPP 1.6: the PyPI package ocpp-csms."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.interop.rehearsals import (
    HERE,
    LIMITS,
    Due,
    Rehearsed,
    Rehearsing,
    foreign_device,
    operator,
    rehearsing,
    require,
)
from tests.interop.test_foreign_central_system import HONEST, ID_TAGS, KNOWS, SHORT

PACKAGE = HERE / "python_modules" / "ocpp_csms"
PASSWORD = "a-key-of-nobody-0001"  # noqa: S105  # of nobody

_HANDLER = Due("pass", "it has a handler for what the small one on the package ocpp has none for")

HANDLED = ("044_1", "044_2", "044_3", "045_1", "045_2", "054", "064")
OPEN = HONEST | dict.fromkeys([f"TC_{number}_CSMS" for number in HANDLED], _HANDLER)

# With a password. What is asked for beyond OCPP 1.6 the package sends as well, and hears of nothing that comes of it.
WITH_PASSWORD = {
    "TC_085_CSMS": Due("pass", "it asks its embedder about the password, and refuses with HTTP 401"),
    "TC_088_CSMS": HONEST["TC_088_CSMS"],
    "TC_079_CSMS": Due("fail", "it has no handler", "LogStatusNotification.req with CALLERROR NotImpl"),
    "TC_080_CSMS": Due("fail", "it has no handler", "SignedFirmwareStatusNotification.req with CALLERROR NotImpl"),
}

PATIENT = ("--data", "LongOperationTimeout=20")  # for our Charge Point, which tries a download more than once


@contextmanager
def _judged(folder: Path, *more: str, password: str | None = None) -> Iterator[Rehearsing]:
    settings = [f"{name}={id_tag}" for name, id_tag in ID_TAGS.items()]
    data = [argument for setting in (*settings, *SHORT) for argument in ("--data", setting)]
    shown = ("--password", password) if password else ()
    with foreign_device(sys.executable, HERE / "embedded_central_system.py", *KNOWS, *shown) as [port, control]:
        url = f"ws://127.0.0.1:{port}/any/path"
        secured = ("--security-profile", "1", *shown) if password else ()
        with rehearsing(
            folder, "--csms", url, *operator(control), *data, *LIMITS, *PATIENT, *secured, *more
        ) as rehearsal:
            yield rehearsal


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rehearsed]:
    """Without and with a password, both at the same time."""
    require(PACKAGE.is_dir(), "ocpp-csms is not there: .ci/run says how it is installed")
    folder = tmp_path_factory.mktemp("embedded")
    some = [f"--case={case}" for case in WITH_PASSWORD]
    with ExitStack() as stack:
        variants = {
            "open": _judged(folder / "open"),
            "password": _judged(folder / "password", *some, password=PASSWORD),
        }
        started = {name: stack.enter_context(variant) for name, variant in variants.items()}
        return {name: rehearsal.finish() for name, rehearsal in started.items()}


def test_it_is_judged(rehearsed: dict[str, Rehearsed]) -> None:
    assert rehearsed["open"].against(OPEN) == ""
    assert rehearsed["open"].status == 3  # two cases need a second idTag of a group


def test_it_is_judged_with_a_password(rehearsed: dict[str, Rehearsed]) -> None:
    assert rehearsed["password"].against(WITH_PASSWORD) == ""
    assert rehearsed["password"].status == 1
