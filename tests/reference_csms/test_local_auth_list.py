"""What the Central System knows of a Charge Point's list, and how it brings it up to date: 3.5.2, 5.10, 5.15, 7.47."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocppj.frames import Call, Payload
from reference_csms.local_auth_list import OUTCOMES, next_request, update
from reference_csms.store import Store, View
from simulator.configuration import Configuration
from simulator.local_auth_list import KEYS, LocalAuthList
from simulator.memory import Memory
from tests.reference_csms.scene import charge_point, furnished, running

ACCEPTED = {"status": "Accepted"}


class Device:
    """A Charge Point's list, and what it was asked about it."""

    def __init__(self, at_once: int = 20, capacity: int = 50) -> None:
        self.memory = Memory()
        self.memory.configuration |= {"SendLocalListMaxLength": str(at_once), "LocalAuthListMaxLength": str(capacity)}
        self.configuration = Configuration(KEYS, self.memory)
        self.list = LocalAuthList(self.memory, self.configuration, lambda: datetime(2031, 5, 13, tzinfo=UTC))
        self.asked: list[str] = []

    def answer(self, action: str, payload: Payload) -> Payload:
        match action:
            case "GetLocalListVersion":
                self.asked.append(action)
                return {"listVersion": self.list.version}
            case "GetConfiguration":
                keys = [key for key in map(self.configuration.find, payload["key"]) if key]
                return {"configurationKey": [self.configuration.describe(key) for key in keys]}
        number = len(payload.get("localAuthorizationList", []))
        status = self.list.update(payload)
        self.asked.append(f"{payload['updateType']} {payload['listVersion']} with {number}: {status}")
        return {"status": status}

    def story(self) -> list[str]:
        told, self.asked = self.asked, []
        return told


def store(*id_tags: str) -> View:
    shared = Store()
    shared.know_charge_point("CP-1")
    for id_tag in id_tags:
        shared.know_id_tag(id_tag)
    return shared.of("CP-1")


def asking(view: View, device: Device) -> Callable[[str, Payload], Coroutine[Any, Any, Payload]]:
    """As CentralSystem.request does it."""

    async def ask(action: str, payload: Payload) -> Payload:
        conf = device.answer(action, payload)
        if outcome := OUTCOMES.get(action):
            outcome(view, payload, conf)
        return conf

    return ask


def run(work: Coroutine[Any, Any, bool]) -> bool:
    """A coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return bool(done.value)
    raise AssertionError("it waits")


def brought_up_to_date(view: View, device: Device) -> bool:
    return run(update(view, asking(view, device)))


def test_a_full_list_and_then_what_has_changed() -> None:
    view, device = store("A", "B"), Device()
    assert brought_up_to_date(view, device)
    assert device.story() == ["GetLocalListVersion", "Differential 1 with 2: Accepted"]  # it was empty
    assert brought_up_to_date(view, device)
    assert device.story() == []
    view.shared.know_id_tag("A", "Blocked")
    view.shared.forget_id_tag("B")
    view.shared.know_id_tag("C", parent="FAMILY")
    assert brought_up_to_date(view, device)
    assert device.story() == ["Differential 2 with 3: Accepted"]
    assert device.memory.local_auth_list == {"a": {"status": "Blocked"}, "c": {**ACCEPTED, "parentIdTag": "FAMILY"}}


def test_a_list_of_somebody_else_is_replaced() -> None:
    view, device = store("A"), Device()
    device.list.update(
        {"listVersion": 7, "updateType": "Full", "localAuthorizationList": [{"idTag": "X", "idTagInfo": ACCEPTED}]}
    )
    assert brought_up_to_date(view, device)
    assert device.story() == ["GetLocalListVersion", "Full 8 with 1: Accepted"]
    assert device.memory.local_auth_list == {"a": ACCEPTED}


def test_after_a_mismatch_the_full_list_is_sent() -> None:
    view, device = store("A"), Device()
    assert brought_up_to_date(view, device)
    device.list.update(
        {"listVersion": 9, "updateType": "Full", "localAuthorizationList": [{"idTag": "X", "idTagInfo": ACCEPTED}]}
    )
    view.shared.know_id_tag("B")
    device.story()
    assert brought_up_to_date(view, device)
    assert device.story() == ["Differential 2 with 1: VersionMismatch", "Full 3 with 2: Accepted"]  # 5.15
    assert set(device.memory.local_auth_list) == {"a", "b"}


def test_a_failed_update_is_followed_by_the_full_list_once() -> None:
    view, device = store("A"), Device()
    device.list.storage_fails = True
    assert not brought_up_to_date(view, device)
    assert device.story() == ["GetLocalListVersion", "Differential 1 with 1: Failed", "Full 2 with 1: Failed"]
    device.list.storage_fails = False
    assert brought_up_to_date(view, device)
    assert device.memory.local_auth_list == {"a": ACCEPTED}


def test_no_more_at_once_than_the_charge_point_takes() -> None:
    view, device = store("A", "B", "C", "D", "E"), Device(at_once=2)
    assert brought_up_to_date(view, device)
    assert device.story()[1:] == [
        "Differential 1 with 2: Accepted",
        "Differential 2 with 2: Accepted",
        "Differential 3 with 1: Accepted",
    ]
    for id_tag in "ABCDE":
        view.shared.forget_id_tag(id_tag)
    view.shared.know_id_tag("F")
    assert brought_up_to_date(view, device)
    assert device.memory.local_auth_list == {"f": ACCEPTED}


def test_a_list_that_is_too_short_is_given_up() -> None:
    view, device = store("A", "B", "C"), Device(at_once=2, capacity=2)
    assert not brought_up_to_date(view, device)
    assert device.story()[1:] == [
        "Differential 1 with 2: Accepted",
        "Differential 2 with 1: Failed",
        "Full 3 with 2: Accepted",
        "Differential 4 with 1: Failed",
    ]


def test_who_has_no_list_is_sent_none() -> None:
    view, device = store("A"), Device()
    device.configuration.set("LocalAuthListEnabled", "false")
    assert not brought_up_to_date(view, device)
    assert device.story() == ["GetLocalListVersion"]
    device.configuration.set("LocalAuthListEnabled", "true")
    assert brought_up_to_date(view, device)


@pytest.mark.parametrize(
    ("action", "payload", "conf", "known", "due"),
    [
        ("GetLocalListVersion", {}, {"listVersion": 5}, True, None),
        ("GetLocalListVersion", {}, {"listVersion": 6}, False, "Full"),
        ("GetLocalListVersion", {}, {"listVersion": 0}, True, "Differential"),
        ("GetLocalListVersion", {}, {"listVersion": -1}, False, None),
        ("SendLocalList", {"listVersion": 6, "updateType": "Differential"}, ACCEPTED, True, None),
        ("SendLocalList", {"listVersion": 6, "updateType": "Full"}, ACCEPTED, True, "Differential"),
        ("SendLocalList", {"listVersion": 6, "updateType": "Full"}, {"status": "Failed"}, False, "Full"),
        ("SendLocalList", {"listVersion": 6, "updateType": "Full"}, {"status": "NotSupported"}, False, None),
        (
            "SendLocalList",
            {"listVersion": 6, "updateType": "Differential"},
            {"status": "VersionMismatch"},
            False,
            "Full",
        ),
    ],
)
def test_what_an_answer_tells(action: str, payload: Payload, conf: Payload, known: bool, due: str | None) -> None:
    view = store("A")
    listed = {"listVersion": 5, "updateType": "Full", "localAuthorizationList": [{"idTag": "A", "idTagInfo": ACCEPTED}]}
    OUTCOMES["SendLocalList"](view, listed, ACCEPTED)
    OUTCOMES[action](view, payload, conf)
    assert (view.charge_point.local_auth_list.entries is not None) == known
    request = next_request(view)
    assert (request and request["updateType"]) == due
    assert request is None or request["listVersion"] > 5


async def test_a_connected_charge_point_is_brought_up_to_date() -> None:
    device = Device()

    async def handle(call: Call) -> Payload:
        return device.answer(call.action, call.payload)

    async with running(furnished()) as central_system, charge_point(central_system, handle=handle):
        assert await central_system.update_local_auth_list("CP-1")
        assert device.memory.local_auth_list == {
            "valid": {**ACCEPTED, "parentIdTag": "Family"},
            "other": ACCEPTED,
            "blocked": {"status": "Blocked"},
        }
        held = central_system.store.of("CP-1").charge_point.local_auth_list
        assert held.version == device.list.version == 1
        await central_system.request("CP-1", "SendLocalList", {"listVersion": 2, "updateType": "Full"})
        assert (held.version, held.entries, held.highest) == (0, {}, 2)


# Whatever happens to the idTags, to the list and to the Charge Point's memory: in the end both have the same.

EVENTS = st.sampled_from(
    ["know A", "know B", "know C", "block A", "forget A", "forget B", "replaced", "emptied", "off"]
)


@given(st.lists(st.lists(EVENTS, max_size=4), max_size=5), st.integers(1, 3), st.booleans())
@settings(max_examples=200, deadline=None)
def test_both_agree_in_the_end(rounds: list[list[str]], at_once: int, remembers: bool) -> None:
    view, device = store("A"), Device(at_once)
    version = 0
    for events in rounds:
        device.configuration.set("LocalAuthListEnabled", "true")
        for event in events:
            what, _, id_tag = event.partition(" ")
            if what in ("know", "block"):
                view.shared.know_id_tag(id_tag, "Blocked" if what == "block" else "Accepted")
            elif what == "forget":
                view.shared.forget_id_tag(id_tag)
            elif what == "off":
                device.configuration.set("LocalAuthListEnabled", "false")
            else:  # by another Central System
                version = max(version, view.charge_point.local_auth_list.highest) + 7
                there = [{"idTag": "X", "idTagInfo": ACCEPTED}] if what == "replaced" else []
                device.list.update({"listVersion": version, "updateType": "Full", "localAuthorizationList": there})
                if not remembers:
                    view.charge_point.local_auth_list.version = None
                    view.charge_point.local_auth_list.entries = None
                else:
                    run_version(view, device)
        is_on = device.list.is_enabled
        assert brought_up_to_date(view, device) or not is_on
        if is_on:
            wanted = {folded: view.shared.id_tag_info(folded) for folded in view.shared.id_tags}
            assert device.memory.local_auth_list == wanted


def run_version(view: View, device: Device) -> None:
    """The version is asked for."""
    OUTCOMES["GetLocalListVersion"](view, {}, device.answer("GetLocalListVersion", {}))
