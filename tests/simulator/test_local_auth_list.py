"""The Local Authorization List: 3.5.2 to 3.5.4, 5.10, 5.15, 6.41, 7.1, 7.47, 9.2 and errata 3.52."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocppj.clock import parse_timestamp
from ocppj.frames import Payload
from simulator.configuration import Configuration
from simulator.local_auth_list import KEYS, LocalAuthList
from simulator.memory import Memory
from tests.simulator.scene import Scene, scene

ACCEPTED = {"status": "Accepted"}
BLOCKED = {"status": "Blocked"}
PAST = {**ACCEPTED, "expiryDate": "2031-01-01T00:00:00Z"}


def entries(*id_tags: str, **infos: Payload | None) -> list[Payload]:
    """AuthorizationData: accepted idTags, and others; None for an entry without idTagInfo."""
    given = {**dict.fromkeys(id_tags, ACCEPTED), **infos}
    return [{"idTag": tag} if info is None else {"idTag": tag, "idTagInfo": info} for tag, info in given.items()]


async def send(stage: Scene, kind: str, version: int, *id_tags: str, **infos: Payload | None) -> str:
    """The status of the SendLocalList.conf."""
    listed = entries(*id_tags, **infos)
    more: Payload = {"localAuthorizationList": listed} if listed else {}
    conf = await stage.ask("SendLocalList", updateType=kind, listVersion=version, **more)
    stage.seen.clear()
    return str(conf["status"])


async def version(stage: Scene) -> int:
    conf = await stage.ask("GetLocalListVersion")
    stage.seen.clear()
    return int(conf["listVersion"])


def listed(stage: Scene, id_tag: str) -> Payload | None:
    return stage.charge_point.local_auth_list.look_up(id_tag)


async def test_the_version_of_a_list() -> None:
    async with scene() as stage:
        assert await version(stage) == 0
        assert await send(stage, "Full", 7, "CAFE") == "Accepted"
        assert await version(stage) == 7
        assert await send(stage, "Full", 3, "BEEF") == "Accepted"  # 7.47: only a differential update must rise
        assert await version(stage) == 3
        assert listed(stage, "CAFE") is None
        assert await send(stage, "Full", 9) == "Accepted"
        assert await version(stage) == 0
        assert await send(stage, "Differential", 1, "CAFE") == "Accepted"
        assert await version(stage) == 1


async def test_a_differential_update() -> None:
    async with scene() as stage:
        assert await send(stage, "Full", 1, "A", "B", "C") == "Accepted"
        assert await send(stage, "Differential", 2, a=BLOCKED, B=None, D=ACCEPTED, unknown=None) == "Accepted"
        assert [listed(stage, tag) for tag in "abcd"] == [BLOCKED, None, ACCEPTED, ACCEPTED]
        assert await send(stage, "Differential", 4) == "Accepted"  # 6.41: no effect on the list, but on its version
        assert (await version(stage), listed(stage, "C")) == (4, ACCEPTED)
        for old in (1, 3, 4):
            assert await send(stage, "Differential", old, "E") == "VersionMismatch"
        assert (await version(stage), listed(stage, "E")) == (4, None)
        assert await send(stage, "Differential", 5, A=None, C=None, D=None) == "Accepted"
        assert await version(stage) == 0


WRONG: dict[str, tuple[str, list[Payload]]] = {
    "the same idTag twice": ("Full", [*entries("X"), *entries("X")]),
    "the same idTag in other letters": ("Differential", [*entries("tag"), *entries("TAG")]),
    "one with and one without idTagInfo": ("Differential", [*entries("CAFE"), *entries(cafe=None)]),
    "no idTagInfo in a full list": ("Full", entries("X", Y=None)),
    "more than SendLocalListMaxLength": ("Full", entries(*map(str, range(21)))),
    "more than SendLocalListMaxLength in a differential list": ("Differential", entries(*map(str, range(21)))),
}


@pytest.mark.parametrize("name", WRONG)
async def test_an_update_that_fails_changes_nothing(name: str) -> None:
    kind, wrong = WRONG[name]
    async with scene() as stage:
        await send(stage, "Full", 5, "CAFE")
        before = stage.charge_point.memory.as_dict()["local_auth_list"]
        conf = await stage.ask("SendLocalList", updateType=kind, listVersion=6, localAuthorizationList=wrong)
        assert conf == {"status": "Failed"}
        assert stage.charge_point.memory.local_auth_list == before != {}
        assert await version(stage) == 5


async def test_the_capacity_of_a_list() -> None:
    async with scene() as stage:
        assert await send(stage, "Full", 1, *(f"A{number}" for number in range(20))) == "Accepted"
        assert await send(stage, "Differential", 2, *(f"B{number}" for number in range(20))) == "Accepted"
        assert await send(stage, "Differential", 3, *(f"C{number}" for number in range(11))) == "Failed"
        assert (await version(stage), listed(stage, "C0")) == (2, None)
        assert await send(stage, "Differential", 3, *(f"C{number}" for number in range(10))) == "Accepted"
        assert await send(stage, "Differential", 4, "D", A0=None) == "Accepted"  # one goes, one comes
        assert await send(stage, "Differential", 5, "E") == "Failed"


async def test_a_list_that_cannot_be_stored() -> None:
    async with scene() as stage:
        await send(stage, "Full", 1, "CAFE")
        stage.charge_point.local_auth_list.storage_fails = True
        assert await send(stage, "Full", 2, "BEEF") == "Failed"
        assert await send(stage, "Differential", 2, "BEEF") == "Failed"
        assert await send(stage, "Differential", 1, "BEEF") == "VersionMismatch"
        assert (await version(stage), listed(stage, "CAFE"), listed(stage, "BEEF")) == (1, ACCEPTED, None)


@pytest.mark.parametrize("number", [0, -1])
async def test_a_version_with_another_meaning(number: int) -> None:
    async with scene() as stage:  # errata 3.52
        await send(stage, "Full", 1, "CAFE")
        for kind in ("Full", "Differential"):
            await stage.central_system.say(
                json.dumps([2, kind, "SendLocalList", {"listVersion": number, "updateType": kind}])
            )
            await stage.pass_time()
            assert stage.story() == ["SendLocalList PropertyConstraintViolation"]
        assert await version(stage) == 1


async def test_a_list_that_is_switched_off() -> None:
    async with scene() as stage:
        await send(stage, "Full", 4, "CAFE")
        await stage.change(LocalAuthListEnabled=False, LocalPreAuthorize=True)
        assert await version(stage) == -1
        assert await send(stage, "Full", 5, "BEEF") == "NotSupported"
        assert await send(stage, "Differential", 1, "BEEF") == "NotSupported"
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert stage.story() == ["Authorize", "StatusNotification 1 Preparing"]
        assert stage.charge_point.memory.cache != []  # 3.5.3: a list that is not used knows nobody
        await stage.change(LocalAuthListEnabled=True)
        assert (await version(stage), listed(stage, "CAFE"), listed(stage, "BEEF")) == (4, ACCEPTED, None)


async def test_a_charge_point_without_the_profile() -> None:
    async with scene(profiles=["Core"]) as stage:
        assert await version(stage) == -1
        assert await send(stage, "Full", 1, "CAFE") == "NotSupported"
        assert stage.charge_point.configuration.find("LocalAuthListEnabled") is None
        await stage.change(LocalPreAuthorize=True)
        await stage.charge(id_tag="CAFE")


async def test_the_list_survives_power_cuts_and_nothing_else_changes_it() -> None:
    async with scene() as stage:
        await send(stage, "Full", 4, "CAFE", BEEF=PAST)
        before = stage.charge_point.memory.as_dict()
        await stage.charge_point.lose_power()
        again = Memory.from_dict(before)
        assert (again.local_auth_list, again.local_auth_list_version) == (
            {"cafe": ACCEPTED, "beef": PAST},  # 3.5.2: an expiry is no change of the list
            4,
        )
        await stage.charge_point.regain_power()
        await stage.pass_time(5)
        await stage.charge_point.present("BEEF")
        await stage.ask("ClearCache")
        assert await version(stage) == 4
        assert stage.charge_point.memory.local_auth_list == before["local_auth_list"]


async def presents(stage: Scene, id_tag: str) -> list[str]:
    await stage.charge_point.present(id_tag)
    await stage.pass_time()
    return stage.story()


PREPARING = "StatusNotification 1 Preparing"


@pytest.mark.parametrize(
    ("info", "cached", "story"),
    [
        (ACCEPTED, None, [PREPARING]),
        (ACCEPTED, BLOCKED, [PREPARING]),
        ({**ACCEPTED, "expiryDate": "2032-01-01T00:00:00Z"}, None, [PREPARING]),
        (BLOCKED, ACCEPTED, ["Authorize", PREPARING]),  # 3.5.3: the list comes before the cache
        (PAST, ACCEPTED, ["Authorize", PREPARING]),
        ({"status": "ConcurrentTx"}, None, ["Authorize", PREPARING]),
        ({"status": "Invalid"}, None, ["Authorize", PREPARING]),
    ],
)
async def test_a_listed_id_tag_that_is_presented(info: Payload, cached: Payload | None, story: list[str]) -> None:
    async with scene() as stage:
        if cached:
            stage.charge_point.authorization.learn("CAFE", cached)
        await send(stage, "Full", 1, CAFE=info)
        await stage.change(LocalPreAuthorize=True)
        came = [each for each in await presents(stage, "cafe") if each != "StatusNotification 0 Available"]
        assert came == story


async def test_without_pre_authorization_a_listed_id_tag_is_asked_about() -> None:
    async with scene() as stage:
        await send(stage, "Full", 1, "CAFE")
        assert await presents(stage, "CAFE") == ["Authorize", PREPARING]


async def test_a_listed_id_tag_starts_from_afar() -> None:
    async with scene() as stage:
        await send(stage, "Full", 1, "CAFE")
        await stage.change(LocalPreAuthorize=True)
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        assert stage.story() == ["RemoteStartTransaction.conf Accepted", PREPARING]
        await stage.charge_point.plug_in()
        await stage.pass_time()
        assert stage.story() == ["StartTransaction", "StatusNotification 1 Charging"]


OFFLINE: list[tuple[Payload | None, Payload | None, dict[str, Any], bool]] = [
    (ACCEPTED, None, {}, True),
    (ACCEPTED, BLOCKED, {}, True),
    (ACCEPTED, None, {"LocalAuthorizeOffline": False}, False),
    (BLOCKED, ACCEPTED, {}, False),
    (BLOCKED, None, {"AllowOfflineTxForUnknownId": True}, False),  # 3.5.4: no unknown one
    (PAST, None, {"AllowOfflineTxForUnknownId": True}, False),
    (None, ACCEPTED, {}, True),
    (ACCEPTED, None, {"LocalAuthListEnabled": False}, False),
]


@pytest.mark.parametrize(("info", "cached", "configuration", "starts"), OFFLINE)
async def test_who_may_start_offline(
    info: Payload | None, cached: Payload | None, configuration: dict[str, Any], starts: bool
) -> None:
    async with scene() as stage:
        if cached:
            stage.charge_point.authorization.learn("CAFE", cached)
        if info:
            await send(stage, "Full", 1, CAFE=info)
        await stage.change(**configuration)
        await stage.charge_point.lose_connection()
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert (stage.charge_point.connectors[1].status == "Charging") == starts


async def test_the_group_of_a_listed_id_tag() -> None:
    family = {**ACCEPTED, "parentIdTag": "Family"}
    async with scene() as stage:
        await send(stage, "Full", 1, CAFE=family, BEEF={**family, "parentIdTag": "FAMILY"}, FEED=ACCEPTED)
        await stage.change(LocalPreAuthorize=True)
        await stage.charge()
        assert await presents(stage, "FEED") == []
        assert (await presents(stage, "BEEF"))[0] == "StopTransaction Local"  # 3.10


async def test_a_listed_id_tag_is_not_cached() -> None:
    async with scene() as stage:
        await send(stage, "Full", 1, "CAFE")
        await stage.charge(id_tag="cafe")
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert stage.charge_point.memory.cache == []  # 3.5.3


def conflicts(stage: Scene) -> list[Payload]:
    """The reports of a conflict since it was asked last, without their timestamps."""
    found = [{**seen.payload} for seen in stage.calls("StatusNotification")]
    stage.seen.clear()
    return [each for each in found if each.pop("timestamp") and each["errorCode"] == "LocalListConflict"]


CONFLICT = {"connectorId": 0, "status": "Available", "errorCode": "LocalListConflict"}


@pytest.mark.parametrize(
    ("info", "told", "conflict"),
    [
        (ACCEPTED, {"status": "Invalid"}, True),
        (ACCEPTED, {"status": "ConcurrentTx"}, False),  # 3.5.2: both are valid
        (ACCEPTED, {**ACCEPTED, "parentIdTag": "FAMILY"}, False),
        (BLOCKED, ACCEPTED, True),
        (BLOCKED, BLOCKED, False),
        (PAST, ACCEPTED, True),
        (PAST, {"status": "Expired"}, False),
        (None, BLOCKED, False),
    ],
)
async def test_a_conflict_with_the_central_system(info: Payload | None, told: Payload, conflict: bool) -> None:
    async with scene() as stage:
        if info:
            await send(stage, "Full", 1, CAFE=info)
        stage.central_system.id_tags["cafe"] = told
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert conflicts(stage) == ([CONFLICT] if conflict else [])


async def test_a_conflict_that_starting_and_stopping_brings_to_light() -> None:
    async with scene() as stage:
        await send(stage, "Full", 1, "CAFE")
        await stage.change(LocalPreAuthorize=True, StopTransactionOnInvalidId=False)
        stage.central_system.id_tags["cafe"] = BLOCKED
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert conflicts(stage) == [CONFLICT]
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert conflicts(stage) == [CONFLICT]
        assert stage.charge_point.whole.status == "Available"


async def test_a_conflict_is_no_fault() -> None:
    async with scene() as stage:
        await send(stage, "Full", 1, CAFE=BLOCKED)
        await stage.charge()
        await stage.ask("ChangeAvailability", connectorId=0, type="Inoperative")
        await stage.pass_time()
        assert conflicts(stage) == []
        assert stage.charge_point.connectors[1].status == "Charging"


# Any sequence of updates leaves what ten lines say that it leaves.

ID_TAGS = ["A", "a", "B", "b", "C", "D", "E"]
INFOS = st.sampled_from([None, ACCEPTED, BLOCKED, {**ACCEPTED, "parentIdTag": "P"}])
ENTRIES = st.lists(st.tuples(st.sampled_from(ID_TAGS), INFOS), max_size=5)
UPDATES = st.tuples(st.sampled_from(["Full", "Differential"]), st.integers(1, 6), st.none() | ENTRIES, st.booleans())
SHORT, LONG = 3, 4  # SendLocalListMaxLength, LocalAuthListMaxLength

Model = tuple[dict[str, Payload], int]


def model(
    state: Model, kind: str, version: int, sent: list[tuple[str, Payload | None]], stores: bool
) -> tuple[str, Model]:
    held, held_version = state
    if kind == "Differential" and version <= held_version:
        return "VersionMismatch", state
    after = dict(held) if kind == "Differential" else {}
    for tag, info in sent:
        after.pop(tag.lower(), None)
        after |= {} if info is None else {tag.lower(): info}
    unique = len({tag.lower() for tag, _ in sent}) == len(sent) <= SHORT and len(after) <= LONG
    if not stores or not unique or (kind == "Full" and any(info is None for _, info in sent)):
        return "Failed", state
    return "Accepted", (after, version if after else 0)


@given(st.lists(UPDATES, max_size=12))
@settings(max_examples=300, deadline=None)
def test_any_sequence_of_updates(updates: list[tuple[str, int, list[tuple[str, Payload | None]] | None, bool]]) -> None:
    memory = Memory()
    memory.configuration |= {"SendLocalListMaxLength": str(SHORT), "LocalAuthListMaxLength": str(LONG)}
    now = parse_timestamp("2031-05-13T00:00:00Z")
    state: Model = ({}, 0)
    for kind, version, sent, stores in updates:
        it = LocalAuthList(memory, Configuration(KEYS, memory), lambda: now)
        it.storage_fails = not stores
        request: Payload = {"updateType": kind, "listVersion": version}
        if sent is not None:
            request["localAuthorizationList"] = [
                {"idTag": tag} if info is None else {"idTag": tag, "idTagInfo": info} for tag, info in sent
            ]
        status, state = model(state, kind, version, sent or [], stores)
        assert it.update(request) == status
        assert (memory.local_auth_list, it.version) == state
        assert {tag: it.look_up(tag) for tag in ID_TAGS} == {tag: state[0].get(tag.lower()) for tag in ID_TAGS}
        memory = Memory.from_dict(memory.as_dict())  # a power cut changes nothing
