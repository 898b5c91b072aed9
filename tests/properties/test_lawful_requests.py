"""Our Central System is sent whatever a Charge Point may lawfully send: every answer is right, and none is missing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.obligations import Limits, breaches
from ocppj.clock import Calendar, VirtualLoop
from ocppj.errors import CallFailed
from ocppj.frames import Payload
from ocppj.schemas import FROM_CHARGE_POINT, faults, schema
from ocppj.transcript import Transcript
from reference_csms import central_system
from reference_csms.core import Handler
from tests.properties.searching import examples, until_one_is_found
from tests.reference_csms.scene import charge_point, furnished, running

# Values that hit: what the Central System knows, what it counts, and a time of its day.
WORDS = {
    "idTag": ("Valid", "Other", "Blocked", "unknown", "vALID"),
    "parentIdTag": ("Family", "none"),
    "vendorId": ("Rehearsal", "nobody"),
}
NUMBERS = {"transactionId": (1001, 1002, 1003, -1, 7), "connectorId": (0, 1, 2), "reservationId": (2001, 2002, 1)}
_PLAIN = st.characters(exclude_categories=["Cs"])
Request = tuple[str, Payload]
Serves = Callable[[list[Request]], list[str]]


def lawful(action: str) -> st.SearchStrategy[Payload]:
    """The payloads of a request that neither its schema nor the specification forbids."""
    whole = schema(action, "req")
    made: st.SearchStrategy[Payload] = _valued("", whole, whole)
    return made.filter(lambda payload: not faults(action, "req", payload))


def _valued(name: str, part: dict[str, Any], whole: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in part:
        part = whole["definitions"][part["$ref"].rpartition("/")[2]]
    if "enum" in part:
        return st.sampled_from(part["enum"])
    match part["type"]:
        case "object":
            fields = {each: _valued(each, value, whole) for each, value in part.get("properties", {}).items()}
            required = part.get("required", [])
            return st.fixed_dictionaries(
                {each: fields[each] for each in fields if each in required},
                optional={each: fields[each] for each in fields if each not in required},
            )
        case "array":
            return st.lists(_valued(name, part["items"], whole), min_size=1, max_size=2)
        case "integer":
            return st.sampled_from(NUMBERS[name]) if name in NUMBERS else st.integers(0, 2**31 - 1)
        case "number":
            return st.decimals(0, 100, places=1).map(float)
        case "boolean":
            return st.booleans()
    if part.get("format") == "date-time":
        return st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='milliseconds')}Z")
    if part.get("format") == "uri":
        return st.just("ftp://127.0.0.1:9/a")
    if name in WORDS:
        return st.sampled_from(WORDS[name])
    return st.text(_PLAIN, max_size=min(part.get("maxLength", 30), 30))


requests = st.lists(
    st.sampled_from(sorted(FROM_CHARGE_POINT)).flatmap(lambda action: st.tuples(st.just(action), lawful(action))),
    min_size=1,
    max_size=12,
)


@pytest.fixture
def serves(calendar: Calendar) -> Serves:
    """Has the Central System serve requests, and tells what was wrong with its answers."""

    def serve(sent: list[Request]) -> list[str]:
        loop = VirtualLoop(calendar)
        try:
            return loop.run_until_complete(_served(sent))
        finally:
            loop.close()

    return serve


async def _served(sent: list[Request]) -> list[str]:
    transcript, found = Transcript(), list[str]()
    async with running(furnished(), transcript=transcript) as system, charge_point(system) as peer:
        for action, payload in sent:
            try:
                await peer.call(action, payload)
            except CallFailed as failure:
                found.append(f"{action}.req {payload}: {failure!r}")
        await asyncio.sleep(60)
    broken = breaches(transcript.records, Limits())
    return found + [str(breach) for breach in broken if breach.party == "Central System"]


SEARCH = examples(60)


def test_the_central_system_answers_every_lawful_request(serves: Serves) -> None:
    @SEARCH
    @given(requests)
    def search(sent: list[Request]) -> None:
        assert serves(sent) == []

    search()


WRONG: dict[str, Handler] = {
    "StopTransaction": lambda store, request: {"idTagInfo": {"status": store.shared.transactions[0].id_tag}},
    "StatusNotification": lambda store, request: {"status": "Accepted"},
    "Heartbeat": lambda store, request: {"currentTime": "now"},
}


@pytest.mark.parametrize("action", WRONG)
def test_a_wrong_answer_is_found(serves: Serves, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    monkeypatch.setitem(central_system.HANDLERS, action, WRONG[action])

    @until_one_is_found(SEARCH)
    @given(requests)
    def search(sent: list[Request]) -> None:
        assert serves(sent) == []

    with pytest.raises(AssertionError):
        search()
