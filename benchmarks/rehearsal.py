"""What a rehearsal costs: the whole self-rehearsal, a case of it, a frame, a day of heartbeats, TLS.

Run it with ``python benchmarks/rehearsal.py``. Machines are noisy: read the ratio, and take the best of several rounds.
"""

import asyncio
from http import HTTPStatus
from statistics import median

import freezegun.api
from websockets.asyncio.client import connect as websocket_connect
from websockets.asyncio.server import ServerConnection, serve

from bench.cases import Case
from bench.device import Device
from bench.play import play
from bench.plugin import Rehearsal
from bench.processes import play_in_processes
from bench.run import Run
from ocppj.authority import Authority
from ocppj.clock import VirtualLoop, frozen_calendar, timestamp
from ocppj.connection import SUBPROTOCOL, Admission, ServerSocket, connect, listen
from ocppj.frames import Call, Payload
from ocppj.peer import Peer, counted_ids
from ocppj.tls import client_context, server_context
from ocppj.transcript import Transcript
from reports.results import CaseResult, Results

ROUNDS = 5
PROCESSES = 2
CALLS = 3000
BIG_CALLS = 50
HEARTBEAT = '[2,"CP-12345","Heartbeat",{}]'
DAY, INTERVAL = 86_400, 10


def self_rehearsal() -> tuple[float, float, int]:
    """Seconds for all cases, seconds for the median case, and their number; without the start of Python."""
    began: list[float] = []
    took: list[float] = []

    def started(_: Case) -> None:
        began.append(freezegun.api.real_perf_counter())

    def ended(_: CaseResult) -> None:
        took.append(freezegun.api.real_perf_counter() - began[-1])

    run = Run(Device())
    at = freezegun.api.real_perf_counter()
    play(Rehearsal(run, Results({}, {}), started=started, ended=ended))
    total = freezegun.api.real_perf_counter() - at
    run.close()
    return total, median(took), len(took)


def in_processes(processes: int) -> float:
    """Seconds for all cases in so many processes; without the start of Python."""
    run = Run(Device())
    at = freezegun.api.real_perf_counter()
    play_in_processes(Rehearsal(run, Results({}, {})), processes)
    took = freezegun.api.real_perf_counter() - at
    run.close()
    return took


async def peer_pair(calls: int, interval: float = 0.0, transcript: Transcript | None = None) -> float:
    """Seconds for so many Heartbeats between two peers, with a pause of the loop's time after each."""

    async def handle(_: Call) -> Payload:
        return {"currentTime": timestamp()}

    async def answering(websocket: ServerSocket) -> None:
        ids = counted_ids("CSMS")
        await Peer(websocket, party="Central System", identity="CP1", handle=handle, unique_ids=ids).run()

    admission = Admission(HTTPStatus.SWITCHING_PROTOCOLS)
    server = await listen("127.0.0.1", 0, admits=lambda _: admission, serve_connection=answering)
    websocket = await connect(f"ws://127.0.0.1:{server.port}", "CP1")
    ids = counted_ids("CP")
    peer = Peer(websocket, party="Charge Point", identity="CP1", handle=handle, unique_ids=ids, transcript=transcript)
    reading = asyncio.create_task(peer.run())
    at = freezegun.api.real_perf_counter()
    for _ in range(calls):
        await peer.call("Heartbeat", {})
        if interval:
            await asyncio.sleep(interval)
    took = freezegun.api.real_perf_counter() - at
    await peer.close()
    await reading
    server.close()
    await server.wait_closed()
    return took


async def bare_echo(calls: int) -> float:
    """Seconds for as many round trips of the same text between two bare WebSockets."""

    async def echo(websocket: ServerConnection) -> None:
        async for message in websocket:
            await websocket.send(message)

    async with serve(echo, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        uri = f"ws://127.0.0.1:{port}"
        async with websocket_connect(uri, compression=None, ping_interval=None, proxy=None) as websocket:
            at = freezegun.api.real_perf_counter()
            for _ in range(calls):
                await websocket.send(HEARTBEAT)
                await websocket.recv()
            return freezegun.api.real_perf_counter() - at


async def tls_echo(calls: int, text: str, *, ours: bool) -> float:
    """Seconds for so many round trips of a text over TLS: to a port of ours, or to one of websockets alone."""
    root = Authority.root("Root", "Benchmark")
    context = server_context([root.issue("server", common_name="localhost", organization="Benchmark")])

    async def echo(websocket: ServerConnection) -> None:
        async for message in websocket:
            await websocket.send(message)

    if ours:
        admission = Admission(HTTPStatus.SWITCHING_PROTOCOLS)
        listening = await listen("127.0.0.1", 0, admits=lambda _: admission, serve_connection=echo, tls=lambda: context)
        port, close, wait_closed = listening.port, listening.close, listening.wait_closed
    else:
        options = {"compression": None, "ping_interval": None, "subprotocols": [SUBPROTOCOL]}
        server = await serve(echo, "127.0.0.1", 0, ssl=context, **options)  # type: ignore[arg-type]  # as they are above
        port = next(iter(server.sockets)).getsockname()[1]
        close, wait_closed = server.close, server.wait_closed
    websocket = await connect(f"wss://localhost:{port}", "CP1", tls=client_context([root.certificate]))
    at = freezegun.api.real_perf_counter()
    for _ in range(calls):
        await websocket.send(text)
        await websocket.recv()
    took = freezegun.api.real_perf_counter() - at
    await websocket.close()
    close()
    await wait_closed()
    return took


def day_of_heartbeats() -> float:
    """Real seconds for a virtual day of Heartbeats."""
    frozen = frozen_calendar()
    loop = VirtualLoop(frozen.start())
    took = loop.run_until_complete(peer_pair(DAY // INTERVAL, INTERVAL))
    loop.close()
    frozen.stop()
    return took


def main() -> None:
    """Print everything."""
    totals, medians, counts = zip(*(self_rehearsal() for _ in range(ROUNDS)), strict=True)
    print(f"self-rehearsal of {counts[0]} cases: {min(totals):.2f} s (worst of {ROUNDS}: {max(totals):.2f} s)")
    print(f"median case: {1000 * min(medians):.1f} ms")
    shared = min(in_processes(PROCESSES) for _ in range(ROUNDS))
    print(f"in {PROCESSES} processes: {shared:.2f} s; ratio to one: {shared / min(totals):.2f}")

    rounds = [(asyncio.run(peer_pair(CALLS)), asyncio.run(bare_echo(CALLS))) for _ in range(ROUNDS)]
    recorded = min(asyncio.run(peer_pair(CALLS, transcript=Transcript())) for _ in range(ROUNDS))
    peers, echo = min(pair[0] for pair in rounds), min(pair[1] for pair in rounds)
    print(f"peer pair: {2 * CALLS / peers:,.0f} frames/s; recording them: {2 * CALLS / recorded:,.0f} frames/s")
    print(f"bare websockets echo: {2 * CALLS / echo:,.0f} frames/s")
    print(f"ratio peer pair / bare echo: {echo / peers:.2f}; recording: {echo / recorded:.2f}")

    for name, text, calls in (("a Heartbeat", HEARTBEAT, CALLS), ("1 MiB", "x" * 2**20, BIG_CALLS)):
        pairs = [tuple(asyncio.run(tls_echo(calls, text, ours=ours)) for ours in (True, False)) for _ in range(ROUNDS)]
        mine, theirs = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
        print(f"TLS echo of {name}: {calls / mine:,.0f}/s; ratio to websockets' own TLS: {theirs / mine:.2f}")

    print(f"a day of heartbeats at {INTERVAL} s: {day_of_heartbeats():.2f} s")


if __name__ == "__main__":
    main()
