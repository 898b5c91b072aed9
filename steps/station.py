"""Sentences about what people, cables and power do at the Charge Point."""

import asyncio

from bench.bench import Bench
from ocppj.frames import Payload
from steps.messages import bench_seconds, bench_text
from steps.words import given, then, when


def has(bench: Bench, capability: str) -> bool:
    """Whether the Charge Point on the bench has a capability."""
    return capability not in bench.device.lacks and capability not in bench.case.without


async def at_connector(bench: Bench, action: str, sentence: str = "", **more: str) -> None:
    """Have something done at the connector of the case; an operator is asked with this sentence or the step's."""
    payload: Payload = {"connectorId": bench.connector, **more}
    await bench.do("Charge Point", action, payload, sentence or bench.sentence)


@when("the EV driver plugs in the cable")
async def plugs_in(bench: Bench) -> None:
    await at_connector(bench, "plug_in")


@when("the EV driver unplugs the cable")
async def unplugs(bench: Bench) -> None:
    await at_connector(bench, "unplug")


@when("the EV driver unplugs the cable at the EV side")
async def unplugs_ev_side(bench: Bench) -> None:
    await at_connector(bench, "unplug_ev_side")


@when("the EV driver unplugs the cable, if it is detachable")
async def unplugs_detachable(bench: Bench) -> None:
    """A fixed one has no other end to take out."""
    if has(bench, "detachable_cable"):
        await at_connector(bench, "unplug", "the EV driver unplugs the cable")


@when("the EV driver presents idTag {id_tag:IdTag}")
async def presents(bench: Bench, id_tag: str) -> None:
    await at_connector(bench, "present", idTag=bench_text(bench, id_tag))


@when("the Charge Point restarts")
async def restarts(bench: Bench) -> None:
    """Its power is cut and given back."""
    await bench.do("Charge Point", "restart", {}, bench.sentence)


@when("the EV driver tries to start a transaction with idTag {id_tag:IdTag}")
async def tries_to_start(bench: Bench, id_tag: str) -> None:
    """Plugs in the cable and, where the Charge Point takes idTags, presents one."""
    await at_connector(bench, "plug_in", "the EV driver plugs in the cable")
    if "local_authorization" not in bench.device.lacks:
        value = bench_text(bench, id_tag)
        await at_connector(bench, "present", f"the EV driver presents idTag {value}", idTag=value)


@when("the Charge Point loses power")
async def loses_power(bench: Bench) -> None:
    await bench.do("Charge Point", "lose_power", {}, bench.sentence)


@when("the Charge Point gets power back")
async def regains_power(bench: Bench) -> None:
    await bench.do("Charge Point", "regain_power", {}, bench.sentence)


@when("the connection is lost")
async def loses_connection(bench: Bench) -> None:
    """The bench cuts it at the seat that is ours, and refuses new ones. What was under way is excused."""
    await bench.cut_connection(bench.sentence)


@when("the connection is restored")
async def restores_connection(bench: Bench) -> None:
    """And the Charge Point connects again."""
    await bench.restore_network(bench.sentence)
    await bench.wait_connected()


@given("connector {n:N} cannot lock the cable")
async def cannot_lock(bench: Bench, n: str) -> None:
    """Until the case is over. A plug that will go in only partly does it as well."""
    await bench.do("Charge Point", "prevent_locking", {"connectorId": int(bench_text(bench, n))}, bench.sentence)


@given("connector {n:N} cannot unlock the cable")
async def cannot_unlock(bench: Bench, n: str) -> None:
    """Until the case is over."""
    await bench.do("Charge Point", "prevent_unlocking", {"connectorId": int(bench_text(bench, n))}, bench.sentence)


@when("connector {n:N} fails with {fault:Fault}")
async def fails(bench: Bench, n: str, fault: str) -> None:
    """Connector 0 is the whole Charge Point. Another fault will do where the table asks for none."""
    await fail(bench, n, fault)


async def fail(bench: Bench, n: str, fault: str) -> None:
    """Have a connector fail."""
    payload: Payload = {"connectorId": int(bench_text(bench, n)), "errorCode": fault}
    await bench.do("Charge Point", "fail", payload, bench.sentence)


@when("connector {n:N} is repaired")
async def is_repaired(bench: Bench, n: str) -> None:
    await bench.do("Charge Point", "repair", {"connectorId": int(bench_text(bench, n))}, bench.sentence)


@given("{duration:Duration} have passed")
@when("{duration:Duration} pass")
async def time_passes(bench: Bench, duration: str) -> None:
    await asyncio.sleep(bench_seconds(bench, duration))


@then("the operator may confirm that {statement}")
async def may_confirm(bench: Bench, statement: str) -> None:
    """What the wire does not show: whoever is at the Charge Point under test is asked, and may deny it."""
    await bench.may_confirm(bench_text(bench, statement))
