"""Sentences about what people, cables and power do at the Charge Point."""

import asyncio

from bench.bench import Bench
from ocppj.frames import Payload
from steps.messages import bench_seconds, bench_text
from steps.words import given, when


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


@when("the EV driver presents idTag {id_tag:IdTag}")
async def presents(bench: Bench, id_tag: str) -> None:
    await at_connector(bench, "present", idTag=bench_text(bench, id_tag))


@when("connector {n:N} fails with {fault:Fault}")
async def fails(bench: Bench, n: str, fault: str) -> None:
    """Connector 0 is the Charge Point as a whole."""
    payload: Payload = {"connectorId": int(bench_text(bench, n)), "errorCode": fault}
    await bench.do("Charge Point", "fail", payload, bench.sentence)


@when("the Charge Point restarts")
async def restarts(bench: Bench) -> None:
    """Its power is cut and given back."""
    await bench.do("Charge Point", "restart", {}, bench.sentence)


@given("{duration:Duration} have passed")
@when("{duration:Duration} pass")
async def time_passes(bench: Bench, duration: str) -> None:
    await asyncio.sleep(bench_seconds(bench, duration))
