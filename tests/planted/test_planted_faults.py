"""A small fault in one of our own parties turns exactly those test cases red that speak of it.

Each fault is a plausible bug of a product. The cases that judge the faulty party fail; where it only sits beside the
judged one, the same fault is our own error and never a verdict about the other.
"""

from collections.abc import Callable
from itertools import repeat

import pytest

import bench.run
from bench.device import Device, Security
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from ocppj.errors import Refused
from ocppj.frames import Payload
from ocppj.peer import counted_ids
from reference_csms import central_system
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store
from reports.results import Results
from simulator.charge_point import ChargePoint
from simulator.connector import Connector
from tests import basic_cases

Plant = Callable[[pytest.MonkeyPatch], None]


def cases(numbers: str, role: str) -> set[str]:
    return {f"TC_{number}_{role}" for number in numbers.split()}


IDS = basic_cases.IDS


def not_passed(
    plant: Plant | None = None, among: frozenset[str] = IDS, *, security_profile: int | None = None
) -> dict[str, str]:
    """What a self-rehearsal of some cases does not pass, with its verdict."""
    run = Run(Device(security=Security(profile=security_profile)))
    rehearsal = Rehearsal(run, Results({}, {}), among)
    with pytest.MonkeyPatch.context() as patch:
        if plant:
            plant(patch)
        play(rehearsal)
    run.close()
    assert {case.id for case in rehearsal.results.cases} == among
    return {case.id: case.verdict for case in rehearsal.results.cases if case.verdict != "pass"}


def due(failed: set[str], errors: set[str]) -> dict[str, str]:
    """The verdicts of what a fault keeps from passing."""
    return dict.fromkeys(failed, "fail") | dict.fromkeys(errors, "error")


def idtag_status(judged: str, answered: str) -> Plant:
    """The Central System answers one AuthorizationStatus for another."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        judge = Store.id_tag_info

        def id_tag_info(store: Store, id_tag: str) -> Payload:
            info = judge(store, id_tag)
            return info | {"status": answered} if info["status"] == judged else info

        patch.setattr(Store, "id_tag_info", id_tag_info)

    return plant


def answer(handlers: dict[str, Callable[..., Payload]], action: str, change: Callable[[Payload], Payload]) -> Plant:
    """A party does as asked and answers otherwise."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        handle = handlers[action]
        patch.setitem(handlers, action, lambda party, request: change(handle(party, request)))

    return plant


def instead(status: str) -> Callable[[Payload], Payload]:
    return lambda conf: conf | {"status": status}


def central_system_refuses(action: str) -> Plant:
    def refuse(*_: object) -> Payload:
        raise Refused("InternalError")

    return lambda patch: patch.setitem(central_system.HANDLERS, action, refuse)


def central_system_asks(action: str, change: Callable[[Payload], Payload]) -> Plant:
    """The Central System sends a request with another payload."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem.request

        async def request(self: CentralSystem, identity: str, asked: str, payload: Payload, **more: bool) -> Payload:
            return await ordinary(self, identity, asked, change(payload) if asked == action else payload, **more)

        patch.setattr(CentralSystem, "request", request)

    return plant


def with_fields(**fields: object) -> Callable[[Payload], Payload]:
    """Other values; ``...`` leaves a field out."""
    return lambda payload: {name: value for name, value in {**payload, **fields}.items() if value is not ...}


def the_other_reset(payload: Payload) -> Payload:
    return {"type": "Soft" if payload["type"] == "Hard" else "Hard"}


def charge_point_skips_preparing(patch: pytest.MonkeyPatch) -> None:
    tell = ChargePoint._tell

    def tell_less(self: ChargePoint, connector: Connector) -> None:
        if connector.status != "Preparing":
            tell(self, connector)

    patch.setattr(ChargePoint, "_tell", tell_less)


def ids_are_used_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bench.run, "counted_ids", lambda of: repeat("1") if of == "CP" else counted_ids(of))


def test_meter_values_that_are_not_taken_are_no_fault_of_who_sends_them() -> None:
    """Our own error; no case looks at what a Central System makes of them."""
    sampling = frozenset(cases("070 071", "CS"))
    assert not_passed(central_system_refuses("MeterValues"), sampling) == due(set(), {*sampling})


def test_who_cannot_be_talked_to_fails_everything() -> None:
    """A Central System that refuses every report passes nothing, and a Charge Point beside it fails nothing."""
    verdicts = not_passed(central_system_refuses("StatusNotification"))
    assert {case: verdict for case, verdict in verdicts.items() if case.endswith("CSMS")} == dict.fromkeys(
        (case for case in verdicts if case.endswith("CSMS")), "fail"
    )
    assert set(verdicts.values()) == {"fail", "error"}
    assert len(verdicts) >= 44


def test_ids_used_again_are_found_everywhere() -> None:
    verdicts = not_passed(ids_are_used_again)
    assert all((verdict == "fail") == case.endswith("_CS") for case, verdict in verdicts.items())
    assert len(verdicts) >= 44
