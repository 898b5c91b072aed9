"""Sentences about the Local Authorization List (OCPP 1.6, 3.5.2, 5.10 and 5.15)."""

from bench.bench import Bench
from bench.messages import messages
from bench.verdicts import Inconclusive, NotApplicable, OurError
from ocppj.frames import Payload
from steps.cells import Table
from steps.configuration import CAPABILITY_OF, read_key, simulated
from steps.messages import bench_text, make_send
from steps.words import given, then, when

ENABLED = "LocalAuthListEnabled"


@given("the Local Authorization List is disabled")
async def disabled(bench: Bench) -> None:
    """Its key is false, or there is none because there is no list. The case is not for who cannot switch it off."""
    if bench.judged == "Central System":
        simulated(bench).configuration.set(ENABLED, "false")
        return
    with bench.state("configuration"):
        await _disable(bench)


async def _disable(bench: Bench) -> None:
    _, entry = await read_key(bench, ENABLED)
    if entry is None:
        if "local_auth_list" not in bench.case.without:
            lacks = CAPABILITY_OF[ENABLED]
            raise Inconclusive(f"the Charge Point has no {ENABLED}: rehearse it with --lacks {lacks}")
    elif str(entry.get("value")).casefold() != "false":
        if entry["readonly"]:
            raise NotApplicable(f"{ENABLED} is read-only")
        await make_send(bench, "Central System", "ChangeConfiguration", (("key", ENABLED), ("value", "false")))
        status = (await bench.conf("Charge Point", "ChangeConfiguration")).payload["status"]
        if status == "RebootRequired":
            raise Inconclusive(f"{ENABLED} = false takes a reboot: set it before the run")
        if status != "Accepted":
            raise NotApplicable(f"{ENABLED} = false is answered {status}")


@given("the Local Authorization List is empty")
async def empty(bench: Bench) -> None:
    """That of our own Charge Point, whatever the Central System has sent since it booted."""
    simulated(bench).local_auth_list.update({"listVersion": 1, "updateType": "Full"})


@given("the Charge Point cannot store a Local Authorization List")
async def cannot_store(bench: Bench) -> None:
    """Until the case is over."""
    await bench.do("Charge Point", "prevent_storing", {}, bench.sentence)


@when("the Central System sends SendLocalList.req with idTagInfo in every entry")
async def sends_whole_entries(bench: Bench, datatable: Table) -> None:
    """As without the words. 7.1 requires it in a full list."""
    message = await make_send(bench, "Central System", "SendLocalList", datatable)
    entries: list[Payload] = message.payload.get("localAuthorizationList", [])
    found = [
        f"the entry of {entry.get('idTag')} has no idTagInfo (7.1)" for entry in entries if "idTagInfo" not in entry
    ]
    bench.judge(message, "SendLocalList.req", found)


@then("idTag {id_tag:IdTag} is not on the Local Authorization List yet")
async def is_not_listed(bench: Bench, id_tag: str) -> None:
    """Otherwise the case cannot go on: a Central System may put every idTag that it knows into a full list."""
    value = bench_text(bench, id_tag)
    look_up = simulated(bench).local_auth_list.look_up
    if bench.transcript.fact(f"isListed {value}", lambda: look_up(value) is not None):
        raise Inconclusive(f"{value} is on the list already: give --data {id_tag[1:-1]}=... with one that is not")


@then("its listVersion is greater than that of the SendLocalList.req before")
async def version_rises(bench: Bench) -> None:
    """7.47: otherwise a differential update is a VersionMismatch."""
    latest = bench.wire.latest_claim("Central System", "SendLocalList")
    earlier = [] if latest is None else messages(bench.wire.records[: latest.index])
    before = [each for each in earlier if each.type == "CALL" and each.action == "SendLocalList"]
    if latest is None or not before:
        raise OurError(f"«{bench.sentence}» compares two SendLocalList.req: a faulty feature")
    old, new = before[-1].payload["listVersion"], latest.payload["listVersion"]
    found = [] if new > old else [f"listVersion is {new}, after {old} it has to be greater"]
    bench.judge(latest, "SendLocalList.req", found)
