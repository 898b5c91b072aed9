"""Sentences about faults, on the bench with our own pair."""

from collections.abc import Iterator

import pytest

from bench.bench import Bench
from bench.cases import all_cases
from bench.run import Run
from bench.verdicts import OurError
from simulator.charge_point import ChargePoint
from simulator.connector import Connector
from steps import states, station


@pytest.fixture
def run() -> Iterator[Run]:
    run = Run()
    yield run
    run.close()


@pytest.fixture(params=["TC_041_CS", "TC_024_CSMS"])
def bench(run: Run, request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = run.begin(all_cases()[request.param])
    states.booted(bench=bench)
    yield bench
    run.end(bench)


def unclaimed(bench: Bench) -> list[str]:
    return [message.action for message in bench.wire.unclaimed()]


@pytest.mark.parametrize("n", ["1", "{ConnectorId}", "0"])
def test_a_connector_is_faulted_and_repaired(bench: Bench, n: str) -> None:
    states.faulted(bench=bench, n=n)
    assert unclaimed(bench) == []
    station.is_repaired(bench=bench, n=n)
    states.connector_is(bench=bench, n="1", statuses="Available")


def test_a_fault_that_is_not_reported_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def tell_nothing(self: ChargePoint, connector: Connector) -> None:
        """A Charge Point that keeps its faults to itself."""

    monkeypatch.setattr(ChargePoint, "_tell", tell_nothing)
    reason = "in state SetConnectorFaulted: the Charge Point sent no StatusNotification.req for connector 1"
    with pytest.raises(Exception, match=reason) as over:
        states.faulted(bench=bench, n="1")
    assert isinstance(over.value, OurError) == (bench.judged == "Central System")
