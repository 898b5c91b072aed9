"""Whether what ``rehearse measure`` finds is right: the median of a Central System that takes a known time to answer.

Run it with ``python benchmarks/timing.py``; its exit status is 1 if a median is off by more than 2 ms. The known time
is what passes at the Central System between CALL and answer by a clock of its own: a sleep is never exact.
"""

import asyncio
import sys
import time
from http import HTTPStatus
from statistics import median

from bench.device import device
from bench.measure import ROUND_TRIPS, Measuring, measure_device
from bench.run import Run
from ocppj.clock import timestamp
from ocppj.connection import Admission, ServerSocket, listen
from ocppj.frames import Call, Payload
from ocppj.peer import Peer, counted_ids

DELAYS = (0.005, 0.02, 0.1, 0.5)  # seconds
COUNT = 20
LIMIT = 0.002
CONFS: dict[str, Payload] = {
    "Authorize": {"idTagInfo": {"status": "Accepted"}},
    "BootNotification": {"status": "Accepted", "currentTime": timestamp(), "interval": 3600},
}


def medians(delay: float) -> tuple[float, float]:
    """The median that is known and the one that is measured, in seconds."""
    known, found, run = asyncio.run(measured(delay))
    run.close()
    return known, found


async def measured(delay: float) -> tuple[float, float, Run]:
    """The same, and what is to be closed outside of a loop."""
    known: list[float] = []

    async def handle(call: Call) -> Payload:
        at = time.perf_counter()
        if call.action == "Authorize":
            await asyncio.sleep(delay)
            known.append(time.perf_counter() - at)
        return CONFS.get(call.action, {})

    async def serve(websocket: ServerSocket) -> None:
        ids = counted_ids("CSMS")
        await Peer(websocket, party="Central System", identity="CP1", handle=handle, unique_ids=ids).run()

    admission = Admission(HTTPStatus.SWITCHING_PROTOCOLS)
    server = await listen("127.0.0.1", 0, admits=lambda _: admission, serve_connection=serve)
    subject = device(url=f"ws://127.0.0.1:{server.port}")
    measuring = Measuring(subject)
    authorize = next(trip for trip in ROUND_TRIPS if trip.action == "Authorize")
    run = Run(subject)
    await measure_device(run, measuring, {authorize: COUNT})
    server.close()
    await server.wait_closed()
    (found,) = measuring.times
    return median(known), found.median, run


def main() -> int:
    """Print everything; 1 if a median is not within the limit."""
    off = 0.0
    for delay in DELAYS:
        known, found = medians(delay)
        off = max(off, abs(found - known))
        print(
            f"a delay of {1000 * delay:g} ms, {COUNT} times: known {1000 * known:.3f} ms, "
            f"measured {1000 * found:.3f} ms; difference {1000 * (found - known):+.3f} ms, "
            f"ratio {found / known:.3f}"
        )
    print(f"greatest difference: {1000 * off:.3f} ms, of at most {1000 * LIMIT:g} ms")
    return int(off > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
