"""Faults about the Local Authorization List (OCPP 1.6 3.5.2, 5.10, 5.15, 9.1.13)."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import pytest

from bench.mutants import Plant
from bench.mutants.planting import (
    Change,
    answers,
    asks,
    asks_not,
    instead,
    is_silent_where,
    mutants_of,
    refuses_instead,
    where,
    with_fields,
)
from ocppj.errors import Refused
from ocppj.frames import Payload
from simulator import core, local_auth_list
from simulator.charge_point import ChargePoint
from simulator.local_auth_list import HANDLERS, LocalAuthList

# The Charge Point


def answers_update(status: str, **fields: object) -> Plant:
    """An update is done, and called something else."""
    return answers(HANDLERS, "SendLocalList", where(instead(status), status="Accepted"), **fields)


def updates(otherwise: Callable[[LocalAuthList, Payload, Callable[[], str]], str]) -> Plant:
    """The list is updated otherwise, by a function that is given the ordinary way to do it."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        update = LocalAuthList.update
        patch.setattr(LocalAuthList, "update", lambda it, request: otherwise(it, request, lambda: update(it, request)))

    return plant


def does_not_compare(it: LocalAuthList, request: Payload, update: Callable[[], str]) -> str:
    it._memory.local_auth_list_version = 0
    return update()


def keeps_its_version(kind: str) -> Plant:
    def otherwise(it: LocalAuthList, request: Payload, update: Callable[[], str]) -> str:
        version, status = it._memory.local_auth_list_version, update()
        if request["updateType"] == kind:
            it._memory.local_auth_list_version = version
        return status

    return updates(otherwise)


def takes_the_version_of_what_it_refuses(it: LocalAuthList, request: Payload, update: Callable[[], str]) -> str:
    status = update()
    if status == "VersionMismatch":
        it._memory.local_auth_list_version = request["listVersion"]
    return status


def tells_a_version_late(patch: pytest.MonkeyPatch) -> None:
    """The version that is told is read after the answer."""
    handle = HANDLERS["GetLocalListVersion"]
    read: WeakKeyDictionary[ChargePoint, Payload] = WeakKeyDictionary()

    def get(charge_point: ChargePoint, request: Payload) -> Payload:
        now = handle(charge_point, request)
        told, read[charge_point] = read.get(charge_point, now), now
        return told

    patch.setitem(HANDLERS, "GetLocalListVersion", get)


def cannot_tell_that_there_is_none(conf: Payload) -> Payload:
    if conf["listVersion"] < 0:
        raise Refused("InternalError")
    return conf


def does_not_look_into_it(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LocalAuthList, "look_up", lambda *_: None)


def is_silent_about_listed(status: str) -> Plant:
    """A status that comes without an Authorize.conf, thanks to the list, is not reported."""
    return is_silent_where(
        lambda charge_point, connector: connector.status == status and bool(charge_point.memory.local_auth_list)
    )


UPDATES = mutants_of(
    "Charge Point",
    "OCPP 1.6 5.15",
    {
        "every update of the list is Accepted": (
            answers(HANDLERS, "SendLocalList", instead("Accepted")),
            "TC_043_1_CS TC_043_2_CS TC_043_3_CS",
        ),
        "an update that cannot be stored is NotSupported": (
            answers(HANDLERS, "SendLocalList", where(instead("NotSupported"), status="Failed")),
            "TC_043_3_CS",
        ),
        "an update that is not supported is an InternalError": (
            refuses_instead(HANDLERS, "SendLocalList", "NotSupported", "InternalError"),
            "TC_043_1_CS",
        ),
        "a full list is stored and called Failed": (
            answers_update("Failed", updateType="Full"),
            "TC_008_1_CS TC_008_2_CS TC_042_2_CS TC_043_2_CS TC_043_CS",
        ),
        "a differential update is done and called NotSupported": (
            answers_update("NotSupported", updateType="Differential"),
            "TC_043_2_CS TC_043_CS",
        ),
        "a list without entries is Failed": (
            updates(lambda _, request, update: update() if "localAuthorizationList" in request else "Failed"),
            "TC_042_2_CS",
        ),
    },
) + mutants_of(
    "Charge Point",
    "OCPP 1.6 7.47",
    {
        "an older update of the list is done": (updates(does_not_compare), "TC_043_2_CS"),
        "an older update of the list is Failed": (
            answers(HANDLERS, "SendLocalList", where(instead("Failed"), status="VersionMismatch")),
            "TC_043_2_CS",
        ),
    },
)

VERSIONS = mutants_of(
    "Charge Point",
    "OCPP 1.6 5.10, OCPP 1.6 3.5.2",
    {
        "a refused update raises the version": (updates(takes_the_version_of_what_it_refuses), "TC_043_2_CS"),
    },
) + mutants_of(
    "Charge Point",
    "OCPP 1.6 5.10",
    {
        "a full list leaves the version as it was": (keeps_its_version("Full"), "TC_043_2_CS"),
        "a differential update leaves the version as it was": (keeps_its_version("Differential"), "TC_043_2_CS"),
        "the version of a list is told as it was the last time": (tells_a_version_late, "TC_043_2_CS"),
        "an empty list is told as version 1": (
            lambda patch: patch.setattr(local_auth_list, "EMPTY", 1),
            "TC_042_2_CS",
        ),
        "that there is no list is told as version -2": (
            lambda patch: patch.setattr(local_auth_list, "NO_LIST", -2),
            "TC_042_1_CS",
        ),
        "that there is no list is an InternalError": (
            answers(HANDLERS, "GetLocalListVersion", cannot_tell_that_there_is_none),
            "TC_042_1_CS",
        ),
    },
)

USES = (
    mutants_of(
        "Charge Point",
        "OCPP 1.6 3.5.3, OCPP 1.6 3.5.2",
        {
            "nobody looks into the list": (does_not_look_into_it, "TC_008_1_CS TC_008_2_CS"),
        },
    )
    + mutants_of(
        "Charge Point",
        "OCPP 1.6 4.9",
        {
            "whoever is on the list prepares a connector in silence": (
                is_silent_about_listed("Preparing"),
                "TC_008_1_CS TC_008_2_CS",
            ),
            "whoever is on the list charges in silence": (
                is_silent_about_listed("Charging"),
                "TC_008_1_CS TC_008_2_CS",
            ),
        },
    )
    + mutants_of(
        "Charge Point",
        "OCPP 1.6 5.11",
        {
            "a remote start that needs nobody's leave is called Rejected": (
                answers(core.HANDLERS, "RemoteStartTransaction", instead("Rejected")),
                "TC_008_2_CS",
            ),
        },
    )
)

# The Central System


def sends(change: Change, **fields: object) -> Plant:
    """SendLocalList.req holds something else, where it has these values."""
    return asks("SendLocalList", where(change, **fields))


def entries(change: Callable[[list[Payload]], list[Payload]]) -> Change:
    """Other entries, if there are any."""

    def changed(payload: Payload) -> Payload:
        listed = payload.get("localAuthorizationList")
        return payload if listed is None else payload | {"localAuthorizationList": change(listed)}

    return changed


SENDS = (
    mutants_of(
        "Central System",
        "OCPP 1.6 5.15",
        {
            "no list is sent": (
                asks_not("SendLocalList"),
                "TC_043_1_CSMS TC_043_3_CSMS TC_043_4_CSMS TC_043_5_CSMS",
            ),
            "every update of the list is Full": (sends(with_fields(updateType="Full")), "TC_043_5_CSMS"),
            "every update of the list is Differential": (
                sends(with_fields(updateType="Differential")),
                "TC_043_1_CSMS TC_043_3_CSMS TC_043_4_CSMS TC_043_5_CSMS",
            ),
            "another idTag is sent along with an update": (
                sends(
                    entries(lambda listed: [*listed, {"idTag": "ONE-MORE", "idTagInfo": {"status": "Accepted"}}]),
                    updateType="Differential",
                ),
                "TC_043_5_CSMS",
            ),
            "an update is about another idTag": (
                sends(
                    entries(lambda listed: [each | {"idTag": "ANOTHER"} for each in listed]), updateType="Differential"
                ),
                "TC_043_5_CSMS",
            ),
            "an update takes idTags off the list": (
                sends(entries(lambda listed: [{"idTag": each["idTag"]} for each in listed]), updateType="Differential"),
                "TC_043_5_CSMS",
            ),
        },
    )
    + mutants_of(
        "Central System",
        "OCPP 1.6 7.1",
        {
            "the last entry of a full list has no idTagInfo": (
                sends(entries(lambda listed: [*listed, {"idTag": "ONE-MORE"}]), updateType="Full"),
                "TC_043_4_CSMS TC_043_5_CSMS",
            ),
        },
    )
    + mutants_of(
        "Central System",
        "OCPP 1.6 7.47",
        {
            "every list has version 1": (sends(with_fields(listVersion=1)), "TC_043_5_CSMS"),
        },
    )
    + mutants_of(
        "Central System",
        "OCPP 1.6 5.10",
        {
            "no listVersion is asked for": (asks_not("GetLocalListVersion"), "TC_042_1_CSMS TC_042_2_CSMS"),
        },
    )
)

MUTANTS = [*UPDATES, *VERSIONS, *USES, *SENDS]
