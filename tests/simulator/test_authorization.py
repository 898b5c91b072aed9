"""The Authorization Cache and the offline policy: 3.5, 4.1, 5.4, 9.1.12, 9.1.13, errata 3.4 and 3.23."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ocppj.frames import Payload
from ocppj.peer import Refusal, Scripted, Silence
from simulator.authorization import AuthorizationCache
from simulator.memory import Memory
from tests.simulator.scene import Scene, conf, scene

NOW = datetime(2031, 5, 13, tzinfo=UTC)
ACCEPTED = {"status": "Accepted"}
BLOCKED = {"status": "Blocked"}


def cache(capacity: int = 3, now: datetime = NOW, memory: Memory | None = None) -> AuthorizationCache:
    return AuthorizationCache(memory or Memory(), lambda: now, capacity)


def test_the_cache_holds_valid_and_other_id_tags_whatever_their_case() -> None:
    it = cache()
    it.update("Cafe", ACCEPTED)
    it.update("BEEF", BLOCKED)
    assert it.look_up("CAFE") == ACCEPTED
    assert it.look_up("beef") == BLOCKED
    assert it.look_up("FEED") is None
    it.update("cafe", BLOCKED)
    assert it.look_up("CAFE") == BLOCKED
    it.clear()
    assert it.look_up("CAFE") is None


def test_an_entry_expires() -> None:
    memory = Memory()
    cache(memory=memory).update("CAFE", {**ACCEPTED, "expiryDate": "2031-05-13T10:00:00+02:00"})
    cache(memory=memory).update("BEEF", {**ACCEPTED, "expiryDate": "2031-12-31T23:59:60Z"})
    for passed, status in ((timedelta(hours=7, minutes=59), "Accepted"), (timedelta(hours=8), "Expired")):
        it = cache(now=NOW + passed, memory=memory)
        assert (it.look_up("CAFE") or {})["status"] == status
    assert memory.cache[0]["idTagInfo"]["status"] == "Expired"
    assert (cache(now=NOW, memory=memory).look_up("CAFE") or {})["status"] == "Expired"


def test_a_full_cache_drops_what_is_not_valid_and_then_the_oldest() -> None:
    it = cache()
    for id_tag, info in (("A", ACCEPTED), ("B", BLOCKED), ("C", ACCEPTED), ("D", ACCEPTED)):
        it.update(id_tag, info)
    assert [bool(it.look_up(id_tag)) for id_tag in "ABCD"] == [True, False, True, True]
    it.update("A", ACCEPTED)  # known already: nothing has to go
    assert [bool(it.look_up(id_tag)) for id_tag in "ACD"] == [True, True, True]
    it.update("E", BLOCKED)
    assert [bool(it.look_up(id_tag)) for id_tag in "ACDE"] == [True, False, True, True]


def cached(stage: Scene, id_tag: str) -> Payload | None:
    return stage.charge_point.authorization.cache.look_up(id_tag)


async def test_every_id_tag_info_is_cached() -> None:
    async with scene() as stage:
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert cached(stage, "CAFE") == ACCEPTED
        stage.central_system.id_tags["cafe"] = {"status": "Accepted", "parentIdTag": "FAMILY"}
        await stage.charge_point.plug_in()
        await stage.pass_time()
        assert cached(stage, "CAFE") == {"status": "Accepted", "parentIdTag": "FAMILY"}
        stage.central_system.id_tags["cafe"] = BLOCKED
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert cached(stage, "CAFE") == BLOCKED
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        assert cached(stage, "CAFE") == BLOCKED


async def test_nothing_is_cached_while_the_cache_is_disabled() -> None:
    async with scene() as stage:
        await stage.change(AuthorizationCacheEnabled=False)
        await stage.charge()
        assert stage.charge_point.memory.cache == []
        assert await stage.ask("ClearCache") == {"status": "Rejected"}
        await stage.change(AuthorizationCacheEnabled=True)
        assert await stage.ask("ClearCache") == {"status": "Accepted"}


async def test_a_cached_id_tag_starts_at_once() -> None:
    async with scene() as stage:
        await stage.change(LocalPreAuthorize=True)
        stage.charge_point.authorization.learn("CAFE", ACCEPTED)
        await stage.charge_point.present("cafe")
        await stage.pass_time()
        assert stage.story() == ["StatusNotification 1 Preparing"]
        await stage.charge_point.plug_in()
        await stage.pass_time()
        assert stage.story() == ["StartTransaction", "StatusNotification 1 Charging"]


async def test_a_cached_id_tag_starts_at_once_from_afar() -> None:
    async with scene() as stage:
        await stage.change(LocalPreAuthorize=True)
        stage.charge_point.authorization.learn("CAFE", ACCEPTED)
        await stage.ask("RemoteStartTransaction", idTag="CAFE")
        assert stage.story() == ["RemoteStartTransaction.conf Accepted", "StatusNotification 1 Preparing"]


@pytest.mark.parametrize(
    "info", [BLOCKED, {**ACCEPTED, "expiryDate": "2031-01-01T00:00:00Z"}, {"status": "ConcurrentTx"}]
)
async def test_a_cached_id_tag_that_is_not_valid_is_asked_about(info: Payload) -> None:
    async with scene() as stage:
        await stage.change(LocalPreAuthorize=True)
        stage.charge_point.authorization.learn("CAFE", info)
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert stage.story() == ["Authorize", "StatusNotification 1 Preparing"]


async def test_after_clear_cache_the_id_tag_is_asked_about_again() -> None:
    async with scene() as stage:
        await stage.change(LocalPreAuthorize=True)
        stage.charge_point.authorization.learn("CAFE", ACCEPTED)
        await stage.ask("ClearCache")
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert "Authorize" in stage.story()


async def test_without_pre_authorization_a_cached_id_tag_is_asked_about() -> None:
    async with scene() as stage:
        stage.charge_point.authorization.learn("CAFE", ACCEPTED)
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert "Authorize" in stage.story()


OFFLINE: list[tuple[Payload | None, bool, bool, bool]] = [  # cached, LocalAuthorizeOffline, AllowOffline..., starts
    (ACCEPTED, True, False, True),
    (ACCEPTED, False, False, False),
    (ACCEPTED, False, True, False),
    (BLOCKED, True, True, False),
    ({**ACCEPTED, "expiryDate": "2031-01-01T00:00:00Z"}, True, True, False),
    (None, True, False, False),
    (None, False, True, True),
]


@pytest.mark.parametrize(("info", "local", "unknown", "starts"), OFFLINE)
async def test_who_may_start_offline(info: Payload | None, local: bool, unknown: bool, starts: bool) -> None:
    async with scene() as stage:
        await stage.change(LocalAuthorizeOffline=local, AllowOfflineTxForUnknownId=unknown)
        if info:
            stage.charge_point.authorization.learn("CAFE", info)
        await stage.charge_point.lose_connection()
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert (stage.charge_point.connectors[1].status == "Charging") == starts


@pytest.mark.parametrize(
    ("answer", "starts"),
    [(Silence(), True), (Refusal("InternalError"), False), (conf(idTagInfo={"status": "Odd"}), False)],
)
async def test_no_answer_counts_as_offline_and_a_wrong_one_does_not(answer: Scripted, starts: bool) -> None:
    async with scene() as stage:
        await stage.change(ConnectionTimeOut=100)
        stage.charge_point.authorization.learn("CAFE", ACCEPTED)
        stage.central_system.script.answer_next("Authorize", answer)
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time(31)
        assert bool(stage.calls("StartTransaction")) == starts


async def test_a_connection_lost_while_asking_counts_as_offline() -> None:
    async with scene() as stage:
        stage.charge_point.authorization.learn("CAFE", ACCEPTED)
        stage.central_system.script.answer_next("Authorize", Silence())
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time(5)
        await stage.charge_point.lose_connection()
        await stage.pass_time()
        assert stage.charge_point.connectors[1].status == "Charging"


async def test_what_happens_while_asking_is_respected() -> None:
    async with scene() as stage:
        late: list[Any] = [Silence()]
        stage.central_system.script.answer_next("Authorize", late[0])
        stage.charge_point.authorization.learn("CAFE", ACCEPTED)
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time(10)
        await stage.charge_point.fail(1)
        await stage.pass_time(40)
        await stage.charge_point.repair(1)
        await stage.pass_time(1)
        assert stage.calls("StartTransaction") == []


@pytest.mark.parametrize("before", [True, False])
async def test_who_was_never_accepted_charges_nobody(before: bool) -> None:
    memory = Memory()
    memory.configuration["AllowOfflineTxForUnknownId"] = "true"
    async with scene(boots=False, memory=memory) as stage:
        memory.accepted_by = stage.endpoint if before else None
        await stage.charge_point.lose_connection()
        await stage.charge_point.power_on(stage.endpoint)
        await stage.charge_point.plug_in()
        await stage.charge_point.present("CAFE")
        await stage.pass_time()
        assert (stage.charge_point.connectors[1].status == "Charging") == before
