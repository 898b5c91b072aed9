"""What holds of every table of planted faults."""

from collections.abc import Iterator

import pytest

from tests.planted.test_planted_faults import not_passed


@pytest.fixture(autouse=True, scope="module")
def unfaulted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Without a fault all cases of the module, its ``IDS``, pass; and no fault is left behind."""
    among: frozenset[str] = request.module.IDS
    assert not_passed(among=among) == {}
    yield
    assert not_passed(among=among) == {}
