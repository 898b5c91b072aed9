"""The Local Authorization List: 3.5.2 to 3.5.4, 5.10 and 5.15, and its keys (9.2)."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ocppj.frames import Payload
from simulator.authorization import as_of
from simulator.configuration import Configuration, Key
from simulator.memory import Memory

if TYPE_CHECKING:
    from simulator.charge_point import ChargePoint
    from simulator.core import Handler

UpdateStatus = Literal["Accepted", "Failed", "NotSupported", "VersionMismatch"]  # 7.47

ENABLED = "LocalAuthListEnabled"

KEYS = [
    Key(ENABLED, "boolean", "true"),
    Key("LocalAuthListMaxLength", "integer", "50", read_only=True),
    Key("SendLocalListMaxLength", "integer", "20", read_only=True),
]

EMPTY, NO_LIST = 0, -1  # 5.10: what a listVersion tells of instead of a version

# 3.5.2: what a status says of an idTag in the list. ConcurrentTx counts as valid.
_VALIDITY = {"ConcurrentTx": "Accepted"}


class LocalAuthList:
    """The idTags that the Central System has put on the list; nobody else changes it (3.5.2).

    ``storage_fails`` (an update cannot be stored) is a fact of the hardware that whoever plays with the Charge Point
    may set.
    """

    def __init__(self, memory: Memory, configuration: Configuration, now: Callable[[], datetime]) -> None:
        self._memory = memory
        self._configuration = configuration
        self._now = now
        self.storage_fails = False

    @property
    def is_enabled(self) -> bool:
        """Whether it is used (9.2.1); what is on it stays on it otherwise. Without the profile there is no such key."""
        return self._configuration.find(ENABLED) is not None and self._configuration.flag(ENABLED)

    @property
    def version(self) -> int:
        """The version as GetLocalListVersion.conf tells it (5.10)."""
        return self._memory.local_auth_list_version if self.is_enabled else NO_LIST

    def look_up(self, id_tag: str) -> Payload | None:
        """The IdTagInfo of an idTag as of now, if it is on the list and the list is used."""
        info = self._memory.local_auth_list.get(_folded(id_tag)) if self.is_enabled else None
        return None if info is None else as_of(self._now(), info)

    def contradicts(self, id_tag: str, id_tag_info: Payload) -> bool:
        """Whether the Central System says something else of an idTag than the list (3.5.2)."""
        listed = self.look_up(id_tag)
        return listed is not None and _validity(listed) != _validity(id_tag_info)

    def update(self, request: Payload) -> UpdateStatus:
        """Do what a SendLocalList.req asks for: all of it or nothing (5.15, 6.41)."""
        if not self.is_enabled:
            return "NotSupported"
        version, differential = request["listVersion"], request["updateType"] == "Differential"
        if differential and version <= self._memory.local_auth_list_version:
            return "VersionMismatch"  # 7.47: of a differential update alone
        changes: dict[str, Payload | None] = {}
        for entry in request.get("localAuthorizationList", []):
            changes[_folded(entry["idTag"])] = entry.get("idTagInfo")
        if len(changes) < len(request.get("localAuthorizationList", [])):
            return "Failed"  # 6.41: all idTags MUST be unique
        if not differential and None in changes.values():
            return "Failed"  # 7.1: idTagInfo is required when updateType is Full
        before = self._memory.local_auth_list if differential else {}
        after = {id_tag: info for id_tag, info in {**before, **changes}.items() if info is not None}
        if len(changes) > self._number("SendLocalListMaxLength") or len(after) > self._number("LocalAuthListMaxLength"):
            return "Failed"
        if self.storage_fails:
            return "Failed"
        self._memory.local_auth_list = after
        # 5.10: an empty list is told as 0, so a differential update may begin with 1 again.
        self._memory.local_auth_list_version = version if after else EMPTY
        return "Accepted"

    def _number(self, key: str) -> int:
        return self._configuration.number(key)


def _folded(id_tag: str) -> str:
    return id_tag.lower()  # 7.28


def _validity(info: Payload) -> str:
    status: str = info["status"]
    return _VALIDITY.get(status, status)


def get_local_list_version(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.10."""
    return {"listVersion": charge_point.local_auth_list.version}


def send_local_list(charge_point: "ChargePoint", request: Payload) -> Payload:
    """5.15."""
    return {"status": charge_point.local_auth_list.update(request)}


HANDLERS: dict[str, "Handler"] = {"GetLocalListVersion": get_local_list_version, "SendLocalList": send_local_list}
