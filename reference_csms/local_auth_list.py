"""Local Auth List Management: which list a Charge Point holds, and what brings it up to date (3.5.2, 5.10, 5.15).

Whatever request its operator wishes for, the Central System learns from the answer (``OUTCOMES``). ``update`` is for
one that keeps a list up to date by itself.
"""

from collections.abc import Awaitable, Callable

from ocppj.frames import Payload
from reference_csms.store import Outcome, View, folded

Ask = Callable[[str, Payload], Awaitable[Payload]]  # an action and its request -> the payload of the .conf

EMPTY, NO_LIST = 0, -1  # 5.10: what a listVersion tells of instead of a version


def get_local_list_version(store: View, request: Payload, conf: Payload) -> None:
    """5.10. Under another version than the one that is known, another list is there."""
    held, version = store.charge_point.local_auth_list, conf["listVersion"]
    if version == EMPTY:
        held.entries = {}
    elif version != held.version:
        held.entries = None
    held.version = version
    held.highest = max(held.highest, version)


def send_local_list(store: View, request: Payload, conf: Payload) -> None:
    """5.15. What does not take an update has, for all that is known, another list than it was for."""
    held = store.charge_point.local_auth_list
    held.highest = max(held.highest, request["listVersion"])
    if conf["status"] != "Accepted":
        held.version = NO_LIST if conf["status"] == "NotSupported" else None
        held.entries = None
        return
    before = {} if request["updateType"] == "Full" else held.entries
    changes = {folded(entry["idTag"]): entry for entry in request.get("localAuthorizationList", [])}
    if before is not None:  # 7.1: without idTagInfo it is removed
        held.entries = {id_tag: entry for id_tag, entry in {**before, **changes}.items() if "idTagInfo" in entry}
    held.version = EMPTY if held.entries == {} else request["listVersion"]


async def update(store: View, ask: Ask) -> bool:
    """Have the Charge Point's list hold every idTag that is known; whether it does. Raises a kind of ``CallFailed``."""
    held = store.charge_point.local_auth_list
    if held.version in (None, NO_LIST):
        await ask("GetLocalListVersion", {})
    at_once = await _at_once(ask)
    was_full = False
    while request := next_request(store, at_once):
        is_full = request["updateType"] == "Full"
        if is_full and was_full:
            return False
        was_full = was_full or is_full
        conf = await ask("SendLocalList", request)
        # 5.15: a differential update that Failed, or is a VersionMismatch, is followed by the full list.
        if conf["status"] != "Accepted" and is_full:
            return False
    return held.version != NO_LIST


def next_request(store: View, at_once: int | None = None) -> Payload | None:
    """The SendLocalList.req that is due, with so many entries at most; None if none is.

    A full list for whom nobody knows what list he holds, and for the rest what differs; idTags that go first, to make
    room. Versions rise (7.47) and begin with 1 (errata 3.52).
    """
    held = store.charge_point.local_auth_list
    if held.version == NO_LIST:
        return None
    wanted = {
        key: {"idTag": known.id_tag, "idTagInfo": store.shared.id_tag_info(known.id_tag)}
        for key, known in store.shared.id_tags.items()
    }
    there = held.entries or {}
    changes: list[Payload] = [{"idTag": there[key]["idTag"]} for key in there if key not in wanted]
    changes += [entry for key, entry in wanted.items() if entry != there.get(key)]
    if held.entries is not None and not changes:
        return None
    request: Payload = {
        "listVersion": held.highest + 1,
        "updateType": "Full" if held.entries is None else "Differential",
    }
    return {**request, "localAuthorizationList": changes[:at_once]} if changes else request


async def _at_once(ask: Ask) -> int | None:
    """9.2.3: how many entries a request may hold; None where the Charge Point does not tell."""
    conf = await ask("GetConfiguration", {"key": ["SendLocalListMaxLength"]})
    for entry in conf.get("configurationKey", []):
        if entry.get("value", "").isdigit():
            return max(1, int(entry["value"]))
    return None


OUTCOMES: dict[str, Outcome] = {"GetLocalListVersion": get_local_list_version, "SendLocalList": send_local_list}
