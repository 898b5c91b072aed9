"""Two peers, or a peer and a bare socket, at the two ends of a real connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from websockets.protocol import State

from ocppj.connection import Admission, ClientSocket, ServerSocket, connect, listen
from ocppj.frames import Call, Payload
from ocppj.peer import Handler, Peer, Script, counted_ids
from ocppj.transcript import Transcript

IDENTITY = "CP-1"


async def accept_all(call: Call) -> Payload:
    """Handle a request of either party so that its .conf is right."""
    now = "2031-05-13T08:41:17.389Z"
    confs: dict[str, Payload] = {
        "Heartbeat": {"currentTime": now},
        "Authorize": {"idTagInfo": {"status": "Accepted"}},
        "DataTransfer": {"status": "Accepted"},
        "ClearCache": {"status": "Accepted"},
        "Reset": {"status": "Accepted"},
        "StatusNotification": {},
    }
    return confs[call.action]


@dataclass
class Ends:
    """Both ends of a connection. ``charge_point`` is absent where the test holds the bare ``socket``."""

    central_system: Peer
    socket: ClientSocket
    transcript: Transcript
    charge_point: Peer = field(init=False)
    runs: list[asyncio.Task[None]] = field(default_factory=list)


@asynccontextmanager
async def listening(
    serve_connection: Callable[[ServerSocket], Awaitable[None]], transcript: Transcript | None = None
) -> AsyncIterator[str]:
    """A Central System's port; gives its endpoint. It knows every identity that does not begin with ``unknown``."""
    server = await listen(
        "127.0.0.1",
        0,
        admits=lambda attempt: Admission(
            HTTPStatus.NOT_FOUND if attempt.identity.startswith("unknown") else HTTPStatus.SWITCHING_PROTOCOLS
        ),
        serve_connection=serve_connection,
        transcript=transcript,
    )
    try:
        yield f"ws://127.0.0.1:{server.port}"
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)


@asynccontextmanager
async def half_wired(
    handle: Handler = accept_all, *, script: Script | None = None, message_timeout: float = 30.0
) -> AsyncIterator[Ends]:
    """A Central System's peer, and the bare socket of a Charge Point."""
    transcript = Transcript()
    arrived: asyncio.Future[Peer] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def serve(websocket: ServerSocket) -> None:
        peer = Peer(
            websocket,
            party="Central System",
            identity=websocket.identity,
            handle=handle,
            unique_ids=counted_ids("CS"),
            script=script,
            transcript=transcript,
            message_timeout=message_timeout,
        )
        arrived.set_result(peer)
        await peer.run()
        over.set()

    async with listening(serve) as endpoint:
        socket = await connect(endpoint, IDENTITY)
        yield Ends(await arrived, socket, transcript)
        if socket.state is not State.CLOSED:
            await socket.close()
        await over.wait()


@asynccontextmanager
async def wired(
    at_charge_point: Handler = accept_all,
    at_central_system: Handler = accept_all,
    *,
    script: Script | None = None,
    message_timeout: float = 30.0,
    after_answer: Callable[[], None] = lambda: None,
) -> AsyncIterator[Ends]:
    """Two peers. The script is the Central System's, ``after_answer`` the Charge Point's."""
    async with half_wired(at_central_system, script=script, message_timeout=message_timeout) as ends:
        ends.charge_point = Peer(
            ends.socket,
            party="Charge Point",
            identity=IDENTITY,
            handle=at_charge_point,
            unique_ids=counted_ids("CP"),
            message_timeout=message_timeout,
            after_answer=after_answer,
        )
        run = asyncio.create_task(ends.charge_point.run())
        yield ends
        await ends.charge_point.close()
        await run
