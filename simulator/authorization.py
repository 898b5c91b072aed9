"""Whether an idTag may charge: 3.5, 4.1 and 7.27.

Local sources are asked in order, the first that knows an idTag decides (3.5.3: a Local Authorization List comes
before the Authorization Cache).
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ocppj.clock import parse_timestamp
from ocppj.errors import BadAnswer, Disconnected, Refused, Unanswered
from ocppj.frames import Payload
from simulator.memory import CacheEntry, Memory

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint

CACHE_CAPACITY = 100

LocalSource = Callable[[str], Payload | None]  # an idTag -> its IdTagInfo


class AuthorizationCache:
    """The latest idTags that the Central System spoke of, valid or not (3.5.1)."""

    def __init__(self, memory: Memory, now: Callable[[], datetime], capacity: int = CACHE_CAPACITY) -> None:
        self._memory = memory
        self._now = now
        self._capacity = capacity

    def look_up(self, id_tag: str) -> Payload | None:
        """The IdTagInfo of an idTag, if it is cached."""
        self._expire()
        return next((entry["idTagInfo"] for entry in self._memory.cache if _same(entry, id_tag)), None)

    def update(self, id_tag: str, id_tag_info: Payload) -> None:
        """Take in what the Central System says about an idTag."""
        cache = self._memory.cache
        cache[:] = [entry for entry in cache if not _same(entry, id_tag)]
        if len(cache) >= self._capacity:  # 3.5.1: the not valid ones go first, then the oldest
            self._expire()
            cache[:] = [entry for entry in cache if _is_valid(entry)]
            del cache[: max(0, len(cache) - self._capacity + 1)]
        cache.append({"idTag": id_tag, "idTagInfo": dict(id_tag_info)})

    def clear(self) -> None:
        """Forget every idTag (5.4)."""
        self._memory.cache.clear()

    def _expire(self) -> None:
        for entry in self._memory.cache:
            entry["idTagInfo"] = as_of(self._now(), entry["idTagInfo"])


def as_of(now: datetime, id_tag_info: Payload) -> Payload:
    """An IdTagInfo at this time: what was valid may have expired (3.5.1, 3.5.4)."""
    if _counts_as_valid(id_tag_info) and "expiryDate" in id_tag_info and _is_past(id_tag_info["expiryDate"], now):
        return {**id_tag_info, "status": "Expired"}
    return id_tag_info


def _is_past(expiry: str, now: datetime) -> bool:
    try:
        return parse_timestamp(expiry) <= now
    except (OverflowError, ValueError):
        return False  # a leap second, or a time that no clock can show


def _same(entry: CacheEntry, id_tag: str) -> bool:
    return entry["idTag"].lower() == id_tag.lower()  # 7.28


def _is_valid(entry: CacheEntry) -> bool:
    return _counts_as_valid(entry["idTagInfo"])


def _counts_as_valid(id_tag_info: Payload) -> bool:
    return id_tag_info["status"] in ("Accepted", "ConcurrentTx")  # 3.5.2 counts both as valid


class Authorization:
    """Decides about idTags, with the Central System or without it."""

    def __init__(self, charge_point: "ChargePoint") -> None:
        self._charge_point = charge_point
        self.cache = AuthorizationCache(charge_point.memory, charge_point.now)
        self.local_sources: list[LocalSource] = [self._cached]

    def local_opinion(self, id_tag: str) -> Payload | None:
        """What the first local source that knows this idTag says."""
        for source in self.local_sources:
            if (info := source(id_tag)) is not None:
                return info
        return None

    def learn(self, id_tag: str, id_tag_info: Payload) -> None:
        """Take in the IdTagInfo of a .conf.

        3.5.2: a conflict with the Local Authorization List is reported. 3.5.3: an idTag that a source before the
        Authorization Cache knows is not cached.
        """
        if self._charge_point.local_auth_list.contradicts(id_tag, id_tag_info):
            self._charge_point.tell_error(self._charge_point.whole, "LocalListConflict")
        if not self._charge_point.configuration.flag("AuthorizationCacheEnabled"):
            return
        if all(source(id_tag) is None for source in self.local_sources if source != self._cached):
            self.cache.update(id_tag, id_tag_info)

    async def ask(self, id_tag: str) -> Payload | None:
        """The IdTagInfo with which this idTag may charge now; None if it may not."""
        charge_point = self._charge_point
        local = self.local_opinion(id_tag)
        if not charge_point.is_online:
            return self._offline_opinion(local)
        if charge_point.configuration.flag("LocalPreAuthorize") and _accepts(local):  # 9.1.13
            return local
        try:
            conf = await charge_point.request("Authorize", {"idTag": id_tag})
        except (Unanswered, Disconnected):
            # 3.5: a Charge Point is offline when the communications or the Central System are not available.
            return self._offline_opinion(local)
        except (Refused, BadAnswer):
            return None  # the Central System is there and did not accept the idTag
        info: Payload = conf["idTagInfo"]
        return info if _accepts(info) else None

    def _offline_opinion(self, local: Payload | None) -> Payload | None:
        configuration = self._charge_point.configuration
        if local is not None:  # 3.5.4: an idTag that is known and not valid is no unknown one
            return local if _accepts(local) and configuration.flag("LocalAuthorizeOffline") else None
        return {"status": "Accepted"} if configuration.flag("AllowOfflineTxForUnknownId") else None

    def _cached(self, id_tag: str) -> Payload | None:
        enabled = self._charge_point.configuration.flag("AuthorizationCacheEnabled")
        return self.cache.look_up(id_tag) if enabled else None


def _accepts(info: Payload | None) -> bool:
    return info is not None and info["status"] == "Accepted"
