"""Plays test cases through a pytest that sees nothing of the folder and the environment it is called in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_bdd.plugin

import bench.plugin
from bench.allure import AllureResults
from bench.cases import FEATURES
from bench.plugin import REHEARSAL, Rehearsal

UNWANTED = ("terminal", "cacheprovider", "junitxml")  # they would write where the caller works


def play(rehearsal: Rehearsal) -> pytest.ExitCode:
    """Play the cases of a rehearsal; each ends among its results."""
    arguments = [
        str(FEATURES / "test_cases.py"),
        *("-c", str(Path(__file__).with_name("pytest.ini"))),
        *("--rootdir", str(FEATURES)),
        *("--confcutdir", str(FEATURES)),
        "--import-mode=importlib",
        "--capture=no",
        *(argument for plugin in UNWANTED for argument in ("-p", f"no:{plugin}")),
    ]
    plugins: list[object] = [_HandsOver(rehearsal), pytest_bdd.plugin, bench.plugin]
    if rehearsal.out is not None:
        # What others log is not ours to show: it may hold a secret.
        arguments += ["-p", "allure_pytest.plugin", "--allure-no-capture"]
        plugins.append(AllureResults(rehearsal, rehearsal.out))
    with _environment():
        return pytest.ExitCode(pytest.main(arguments, plugins=plugins))


@contextmanager
def _environment() -> Iterator[None]:
    """One in which pytest finds no options and no plugins but ours; afterwards it is as it was."""
    before = dict(os.environ)
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "ALLURE_TESTPLAN_PATH"):
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class _HandsOver:
    """Gives the rehearsal to ``bench.plugin`` before it collects."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[REHEARSAL] = self._rehearsal
