"""Small faults in one of our parties that the cases about the Local Authorization List find."""

from collections.abc import Callable

import pytest

from ocppj.frames import Payload
from reference_csms.central_system import CentralSystem
from simulator import core, local_auth_list
from simulator.charge_point import ChargePoint
from simulator.connector import Connector
from simulator.local_auth_list import HANDLERS, LocalAuthList
from tests.planted.test_planted_faults import (
    Plant,
    answer,
    cases,
    charge_point_skips_preparing,
    due,
    instead,
    not_passed,
)

NUMBERS_CS = "008_1 008_2 042_1 042_2 043 043_1 043_2 043_3"
NUMBERS_CSMS = "042_1 042_2 043_1 043_3 043_4 043_5"
IDS = frozenset(cases(NUMBERS_CS, "CS") | cases(NUMBERS_CSMS, "CSMS"))


# Faults of the Charge Point


def updates(change: Callable[[LocalAuthList, Payload], str | None]) -> Plant:
    """It updates its list otherwise: the status, or None for the ordinary way."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        update = LocalAuthList.update

        def update_otherwise(it: LocalAuthList, request: Payload) -> str:
            return change(it, request) or update(it, request)

        patch.setattr(LocalAuthList, "update", update_otherwise)

    return plant


def forgets_versions(patch: pytest.MonkeyPatch) -> None:
    """Every differential update is newer than the list."""
    update = LocalAuthList.update

    def update_anyway(it: LocalAuthList, request: Payload) -> str:
        it._memory.local_auth_list_version = 0
        return update(it, request)

    patch.setattr(LocalAuthList, "update", update_anyway)


def keeps_version(kind: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        update = LocalAuthList.update

        def update_list_only(it: LocalAuthList, request: Payload) -> str:
            version = it._memory.local_auth_list_version
            status = update(it, request)
            if request["updateType"] == kind:
                it._memory.local_auth_list_version = version
            return status

        patch.setattr(LocalAuthList, "update", update_list_only)

    return plant


def takes_the_version_of_what_it_refuses(patch: pytest.MonkeyPatch) -> None:
    update = LocalAuthList.update

    def update_and_note(it: LocalAuthList, request: Payload) -> str:
        status = update(it, request)
        if status == "VersionMismatch":
            it._memory.local_auth_list_version = request["listVersion"]
        return status

    patch.setattr(LocalAuthList, "update", update_and_note)


def special_version(name: str, value: int) -> Plant:
    return lambda patch: patch.setattr(local_auth_list, name, value)


def is_always_enabled(patch: pytest.MonkeyPatch) -> None:
    has_list = property(lambda it: it._configuration.find("LocalAuthListEnabled") is not None)
    patch.setattr(LocalAuthList, "is_enabled", has_list)


def does_not_look_into_it(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LocalAuthList, "look_up", lambda *_: None)


def skips_charging(patch: pytest.MonkeyPatch) -> None:
    tell = ChargePoint._tell

    def tell_less(self: ChargePoint, connector: Connector) -> None:
        if connector.status != "Charging":
            tell(self, connector)

    patch.setattr(ChargePoint, "_tell", tell_less)


# Faults of the Central System


def sends(change: Callable[[Payload], Payload | None], action: str = "SendLocalList") -> Plant:
    """It sends one request otherwise, or not at all."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        ordinary = CentralSystem.request

        async def request(self: CentralSystem, identity: str, asked: str, payload: Payload, **more: bool) -> Payload:
            changed = change(payload) if asked == action else payload
            return {} if changed is None else await ordinary(self, identity, asked, changed, **more)

        patch.setattr(CentralSystem, "request", request)

    return plant


def mixes_types_up(payload: Payload) -> Payload:
    return payload | {"updateType": "Full" if payload["updateType"] == "Differential" else "Differential"}


def entries(change: Callable[[list[Payload]], list[Payload]]) -> Callable[[Payload], Payload]:
    def changed(payload: Payload) -> Payload:
        if "localAuthorizationList" not in payload:
            return payload
        return payload | {"localAuthorizationList": change(payload["localAuthorizationList"])}

    return changed


def without_info(listed: list[Payload]) -> list[Payload]:
    return [{"idTag": entry["idTag"]} for entry in listed]


def with_one_more(listed: list[Payload]) -> list[Payload]:
    return [*listed, {"idTag": "ONE-MORE", "idTagInfo": {"status": "Accepted"}}]


def with_one_more_without_info(listed: list[Payload]) -> list[Payload]:
    return [*listed, {"idTag": "ONE-MORE"}]


def of_another(listed: list[Payload]) -> list[Payload]:
    return [entry | {"idTag": "ANOTHER"} for entry in listed]


LISTS_CS = "008_1 008_2 043 043_1 043_2 043_3"  # in which entries are sent
SENDS_CS = f"{LISTS_CS} 042_2"
SENDS_CSMS = "043_1 043_3 043_4 043_5"
ACCEPTED_CS = "008_1 008_2 042_2 043 043_2"

# A fault, the cases that fail, the cases that end as our error.
FAULTS: dict[str, tuple[Plant, set[str], set[str]]] = {
    "every update is Accepted": (
        answer(HANDLERS, "SendLocalList", instead("Accepted")),
        cases("043_1 043_2 043_3", "CS"),
        cases("043_1 043_3", "CSMS"),
    ),
    "every update is Failed": (
        answer(HANDLERS, "SendLocalList", instead("Failed")),
        cases(f"{ACCEPTED_CS} 043_1", "CS"),
        cases("043_1 043_4 043_5", "CSMS"),
    ),
    "every update is NotSupported": (
        answer(HANDLERS, "SendLocalList", instead("NotSupported")),
        cases(f"{ACCEPTED_CS} 043_3", "CS"),
        cases("043_3 043_4 043_5", "CSMS"),
    ),
    "differential updates are not supported": (
        updates(lambda _, request: "Failed" if request["updateType"] == "Differential" else None),
        cases("043 043_2", "CS"),
        cases("043_5", "CSMS"),
    ),
    "a list without entries is Failed": (
        updates(lambda _, request: None if "localAuthorizationList" in request else "Failed"),
        cases("042_2", "CS"),
        cases("043_1", "CSMS"),
    ),
    "an older update is applied": (forgets_versions, cases("043_2", "CS"), set()),
    "a full update leaves the version": (keeps_version("Full"), cases("043_2", "CS"), set()),
    "a differential update leaves the version": (keeps_version("Differential"), cases("043_2", "CS"), set()),
    "a refused update changes the version": (takes_the_version_of_what_it_refuses, cases("043_2", "CS"), set()),
    "an empty list has a version": (special_version("EMPTY", 1), cases("042_2", "CS"), cases("042_2", "CSMS")),
    "no list is as good as an empty one": (special_version("NO_LIST", 0), set(), cases("042_1", "CSMS")),
    "no list has another version": (special_version("NO_LIST", -2), cases("042_1", "CS"), cases("042_1", "CSMS")),
    "the list cannot be disabled": (is_always_enabled, set(), cases("042_1 043_1", "CSMS")),
    "nobody looks into the list": (does_not_look_into_it, cases("008_1 008_2", "CS"), set()),
    "Preparing is not reported": (charge_point_skips_preparing, cases("008_1 008_2", "CS"), set()),
    "Charging is not reported": (skips_charging, cases("008_1 008_2", "CS"), set()),
    "a remote start is Rejected": (
        answer(core.HANDLERS, "RemoteStartTransaction", instead("Rejected")),
        cases("008_2", "CS"),
        set(),
    ),
    "Full and Differential are mixed up": (sends(mixes_types_up), cases(SENDS_CSMS, "CSMS"), cases(SENDS_CS, "CS")),
    "no update is sent": (sends(lambda _: None), cases(SENDS_CSMS, "CSMS"), cases(SENDS_CS, "CS")),
    "no version is asked for": (
        sends(lambda _: None, "GetLocalListVersion"),
        cases("042_1 042_2", "CSMS"),
        cases("008_1 008_2 042_1 042_2 043_2", "CS"),
    ),
    "idTagInfo is left out": (sends(entries(without_info)), cases("043_4 043_5", "CSMS"), cases(LISTS_CS, "CS")),
    "idTagInfo is left out of the last entry": (
        sends(entries(with_one_more_without_info)),
        cases("043_4 043_5", "CSMS"),
        cases(LISTS_CS, "CS"),
    ),
    "another idTag is sent along": (sends(entries(with_one_more)), cases("043_5", "CSMS"), set()),
    "another idTag is sent": (sends(entries(of_another)), cases("043_5", "CSMS"), cases(LISTS_CS, "CS")),
    "every idTag is sent twice": (
        sends(entries(lambda listed: listed * 2)),
        cases("043_4 043_5", "CSMS"),
        cases(LISTS_CS, "CS"),
    ),
    "the version stays the same": (
        sends(lambda payload: payload | {"listVersion": 1}),
        cases("043_5", "CSMS"),
        cases("043 043_2 043_3", "CS"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found(name: str) -> None:
    plant, failed, errors = FAULTS[name]
    assert not_passed(plant, among=IDS) == due(failed, errors)


def test_every_case_is_failed_by_some_fault() -> None:
    assert {case for _, failed, _ in FAULTS.values() for case in failed} == IDS
