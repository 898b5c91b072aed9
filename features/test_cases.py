"""Hands every scenario to pytest; ``bench.plugin`` runs it once per test case that it serves."""

import pytest
from pytest_bdd import scenarios

from bench.bench import Bench


@pytest.fixture(autouse=True)
def rehearsed(bench: Bench) -> Bench:
    """Seats the parties before the first step, whether or not a step asks for the bench."""
    return bench


scenarios(".")
