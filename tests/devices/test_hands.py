"""The hands that stand in for a person at a Charge Point without a cable, a reader or a mains switch."""

import sys
from pathlib import Path

import pytest

from devices.hands import CannotNow, Connector, Mains, Person


class Panel:
    """One connector, and what was done at it."""

    def __init__(self, status: str = "Available", owner: str | None = None, *, runs: bool = False) -> None:
        self.shown = Connector(status, runs, owner)
        self.accepts = True
        self.done: list[str] = []

    async def look(self, connector: int) -> Connector:
        return self.shown

    async def set_status(self, connector: int, status: str, error_code: str = "NoError") -> None:
        self.done.append(status)
        self.shown = Connector(status, self.shown.runs, self.shown.id_tag)

    async def authorize(self, id_tag: str) -> bool:
        self.done.append(f"authorize {id_tag}")
        return self.accepts

    async def start(self, connector: int, id_tag: str) -> None:
        self.done.append(f"start {id_tag}")
        self.shown = Connector("Charging", runs=True)

    async def stop(self, connector: int, reason: str, id_tag: str = "") -> None:
        self.done.append(f"stop {reason} {id_tag}".strip())
        self.shown = Connector("Finishing", runs=False)


AT = {"connectorId": 1}


async def do(panel: Panel, *actions: str) -> list[str]:
    """Have a person do things: an action, or the idTag that is presented."""
    person = Person(panel, Mains(sys.executable, folder=Path()))
    for action in actions:
        if action in person.hands:
            await person.hands[action](AT)
        else:
            await person.present({**AT, "idTag": action})
    return panel.done


async def test_a_session_with_the_cable_first() -> None:
    done = await do(Panel(), "plug_in", "A", "A", "unplug")
    assert done == ["Preparing", "authorize A", "start A", "stop Local A", "Available"]


async def test_a_session_with_the_id_tag_first() -> None:
    assert await do(Panel(), "A", "plug_in") == ["authorize A", "Preparing", "start A"]


async def test_a_cable_that_is_pulled_ends_the_transaction() -> None:
    assert await do(Panel("Charging", runs=True), "unplug") == ["stop EVDisconnected", "Available"]


async def test_another_id_tag_is_asked_about_and_stops_nothing() -> None:
    assert await do(Panel("Charging", "A", runs=True), "B", "A") == ["authorize B", "stop Local A"]


async def test_nobody_stops_what_may_be_a_strangers() -> None:
    with pytest.raises(CannotNow, match="whose transaction"):
        await do(Panel("Charging", runs=True), "A")


async def test_who_is_not_accepted_starts_nothing() -> None:
    panel = Panel()
    panel.accepts = False
    assert await do(panel, "A", "plug_in") == ["authorize A", "Preparing"]


@pytest.mark.parametrize("status", ["Reserved", "Unavailable", "Faulted"])
async def test_the_status_is_the_charge_points(status: str) -> None:
    assert await do(Panel(status), "plug_in", "unplug") == []


async def test_who_is_waited_for_no_longer_starts_nothing() -> None:
    panel = Panel("Reserved")
    person = Person(panel, Mains(sys.executable, folder=Path()))
    await person.present({**AT, "idTag": "A"})
    panel.shown = Connector("Available", runs=False)  # the reservation is cancelled
    await person.plug_in(AT)
    assert panel.done == ["authorize A", "Preparing"]
