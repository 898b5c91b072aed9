"""A Central System and the Charge Points that connect to it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from ocppj.connection import connect
from ocppj.frames import Call, Payload
from ocppj.peer import Handler, Peer, Script, counted_ids
from ocppj.transcript import Transcript
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store

NOW = "2031-05-13T08:41:17.389Z"
BOOT: Payload = {"chargePointModel": "Model", "chargePointVendor": "Vendor"}


async def accept(call: Call) -> Payload:
    """Answer as a Charge Point that accepts."""
    return {"status": "Accepted"}


def furnished() -> Store:
    """A store that knows two Charge Points and one idTag of each status.

    It counts transactions from 1001, reservations from 2001, requests from 3001.
    """
    store = Store(next_transaction_id=1001, next_reservation_id=2001, next_request_id=3001)
    store.know_charge_point("CP-1")
    store.know_charge_point("CP-2")
    store.know_id_tag("Valid", parent="Family")
    store.know_id_tag("Other")
    store.know_id_tag("Blocked", "Blocked")
    return store


@asynccontextmanager
async def running(
    store: Store | None = None, *, transcript: Transcript | None = None, message_timeout: float = 30.0
) -> AsyncIterator[CentralSystem]:
    """A Central System that listens. None of its own exceptions may be left at the end."""
    central_system = CentralSystem(
        store or furnished(),
        unique_ids=counted_ids("CS"),
        transcript=transcript,
        message_timeout=message_timeout,
    )
    await central_system.start()
    try:
        yield central_system
    finally:
        await central_system.stop()
    assert central_system.faults == []


@asynccontextmanager
async def charge_point(
    central_system: CentralSystem,
    identity: str = "CP-1",
    *,
    boots: bool = True,
    handle: Handler = accept,
    unique_ids: Iterator[str] | None = None,
    script: Script | None = None,
) -> AsyncIterator[Peer]:
    """A connected Charge Point, which has been accepted if it ``boots``."""
    websocket = await connect(central_system.endpoint, identity)
    peer = Peer(
        websocket,
        party="Charge Point",
        identity=identity,
        handle=handle,
        unique_ids=unique_ids or counted_ids(identity),
        script=script,
    )
    run = asyncio.create_task(peer.run())
    if boots:
        await peer.call("BootNotification", BOOT)
    try:
        yield peer
    finally:
        if peer.is_open:
            await peer.close()
        await run
