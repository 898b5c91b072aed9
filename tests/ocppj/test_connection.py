"""Opening a connection, from both ends: OCPP-J 1.6, chapter 3."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import pytest
from websockets.exceptions import ConnectionClosed

from ocppj.connection import (
    SUBPROTOCOL,
    Admission,
    ConnectFailed,
    ServerSocket,
    connect,
    connection_url,
    drop,
    identity_in,
    listen,
)
from ocppj.transcript import Transcript
from tests.ocppj.wire import listening

IDENTITIES = [
    ("CP-1", "CP-1"),
    ("RDAM|123", "RDAM%7C123"),  # the example of 3.1.1
    ("a b", "a%20b"),
    ("a/b", "a%2Fb"),
    ("a?b#c", "a%3Fb%23c"),
    ("50%", "50%25"),
    ("%41", "%2541"),
    ("Säule", "S%C3%A4ule"),
    ("充電", "%E5%85%85%E9%9B%BB"),
    ("a+b", "a%2Bb"),
]


@pytest.mark.parametrize(("identity", "encoded"), IDENTITIES)
def test_the_identity_is_percent_encoded_in_the_url(identity: str, encoded: str) -> None:
    assert connection_url("ws://host:1/ocpp", identity) == f"ws://host:1/ocpp/{encoded}"
    assert connection_url("ws://host:1/ocpp/", identity) == f"ws://host:1/ocpp/{encoded}"
    assert identity_in(f"/ocpp/{encoded}") == identity
    assert identity_in(f"/{encoded}?version=1") == identity


@pytest.mark.parametrize("target", ["", "/", "/ocpp/", "/?CP-1"])
def test_a_url_without_an_identity(target: str) -> None:
    assert identity_in(target) == ""


async def until_closed(websocket: ServerSocket) -> None:
    await websocket.wait_closed()


@pytest.mark.parametrize(("identity", "encoded"), IDENTITIES)
async def test_the_central_system_reads_the_identity_off_the_url(identity: str, encoded: str) -> None:
    came: list[str] = []

    async def note(websocket: ServerSocket) -> None:
        came.append(websocket.identity)
        assert websocket.request is not None
        assert websocket.request.path == f"/{encoded}"
        await websocket.wait_closed()

    async with listening(note) as endpoint:
        websocket = await connect(endpoint, identity)
        assert websocket.subprotocol == SUBPROTOCOL
        await websocket.close()
    assert came == [identity]


async def test_any_path_before_the_identity_will_do() -> None:
    async with listening(until_closed) as endpoint:
        websocket = await connect(f"{endpoint}/some/path", "CP-1")
        await websocket.close()


async def test_an_unknown_identity_gets_404() -> None:
    transcript = Transcript()
    async with listening(until_closed, transcript) as endpoint:
        with pytest.raises(ConnectFailed, match="HTTP 404") as raised:
            await connect(endpoint, "unknown 1")
        assert raised.value.status == 404
    (record,) = transcript.records
    assert record["chargePointId"] == "unknown 1"
    assert record["status"] == 404
    assert record["offered"] == ["ocpp1.6"]
    assert record["subprotocol"] is None


async def test_no_identity_gets_404() -> None:
    async with listening(until_closed) as endpoint, handshake(endpoint, "/", "ocpp1.6") as (head, _):
        assert head.startswith("HTTP/1.1 404 ")


@pytest.mark.parametrize("offered", ["ocpp1.6", "ocpp1.6, ocpp1.5", "ocpp2.0.1, ocpp1.6", "ocpp1.5,ocpp1.6,ocpp2.1"])
async def test_ocpp_1_6_is_chosen_among_those_offered(offered: str) -> None:
    async with listening(until_closed) as endpoint, handshake(endpoint, "/CP-1", offered) as (head, _):
        assert head.startswith("HTTP/1.1 101 ")
        assert _header(head, "Sec-WebSocket-Protocol") == "ocpp1.6"


@pytest.mark.parametrize("offered", [None, "ocpp1.5", "ocpp2.0.1, ocpp2.1", "OCPP1.6", "ocpp1.6.1", "ocpp16"])
async def test_without_a_common_subprotocol_the_handshake_ends_without_one_and_the_connection_at_once(
    offered: str | None,
) -> None:
    served: list[ServerSocket] = []

    async def note(websocket: ServerSocket) -> None:
        served.append(websocket)

    transcript = Transcript()
    async with listening(note, transcript) as endpoint, handshake(endpoint, "/CP-1", offered) as (head, rest):
        assert head.startswith("HTTP/1.1 101 ")
        assert _header(head, "Sec-WebSocket-Protocol") is None
        frame = await rest.read(4)
        assert frame[0] == 0x88  # a close frame
        assert int.from_bytes(frame[2:4]) == 1002
        assert asyncio.get_running_loop().time() == 0
    assert not served
    opening, closed = transcript.records
    assert opening["status"] == 101
    assert opening["subprotocol"] is None
    assert opening["offered"] == ([] if offered is None else [offered])
    assert closed["event"] == "closed"


async def test_a_charge_point_whose_subprotocols_are_not_agreed_to_has_no_connection() -> None:
    transcript = Transcript()
    async with listening(until_closed) as endpoint:
        with pytest.raises(ConnectFailed, match=r"none of the subprotocols ocpp2.0.1, ocpp2.1") as raised:
            await connect(endpoint, "CP-1", subprotocols=["ocpp2.0.1", "ocpp2.1"], transcript=transcript)
        assert raised.value.status == 101
    opening, closed = transcript.records
    assert opening["subprotocol"] is None
    assert (closed["event"], closed["code"], closed["by"]) == ("closed", 1002, "Central System")


async def test_a_charge_point_may_offer_several() -> None:
    transcript = Transcript()
    async with listening(until_closed) as endpoint:
        websocket = await connect(endpoint, "CP-1", subprotocols=["ocpp2.0.1", "ocpp1.6"], transcript=transcript)
        assert websocket.subprotocol == "ocpp1.6"
        await websocket.close()
    (record,) = transcript.records
    assert record["offered"] == ["ocpp2.0.1", "ocpp1.6"]
    assert record["subprotocol"] == "ocpp1.6"
    assert record["status"] == 101
    assert record["url"] == f"{endpoint}/CP-1"


async def test_both_ends_record_the_opening() -> None:
    transcript = Transcript()
    async with listening(until_closed, transcript) as endpoint:
        await (await connect(endpoint, "CP-1")).close()
    (record,) = transcript.records
    assert record == {
        "kind": "connect",
        "timestamp": "2031-05-13T08:41:17.389Z",
        "chargePointId": "CP-1",
        "event": "opening",
        "url": "/CP-1",
        "offered": ["ocpp1.6"],
        "subprotocol": "ocpp1.6",
        "status": 101,
    }


async def test_compression_is_not_agreed_to() -> None:
    async with listening(until_closed) as endpoint:
        extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
        async with handshake(endpoint, "/CP-1", "ocpp1.6", extension) as (head, _):
            assert head.startswith("HTTP/1.1 101 ")
            assert _header(head, "Sec-WebSocket-Extensions") is None


async def test_a_port_where_nobody_listens() -> None:
    transcript = Transcript()
    with socket.create_server(("127.0.0.1", 0)) as placeholder:
        port = placeholder.getsockname()[1]
    with pytest.raises(ConnectFailed) as raised:
        await connect(f"ws://127.0.0.1:{port}", "CP-1", transcript=transcript)
    assert raised.value.status is None
    assert transcript.records[0]["failure"]


async def test_a_listener_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(ConnectFailed, match="no answer in time"):
            await connect(f"ws://127.0.0.1:{silent.getsockname()[1]}", "CP-1", open_timeout=7)
        assert asyncio.get_running_loop().time() == 7


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.0\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
async def test_a_listener_that_is_no_central_system(answer: bytes) -> None:
    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    async with server:
        with pytest.raises(ConnectFailed):
            await connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", "CP-1")


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1", "127.0.0.1:9000", "", "ws://"])
async def test_what_is_no_endpoint(endpoint: str) -> None:
    with pytest.raises(ConnectFailed):
        await connect(endpoint, "CP-1")


async def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        await listen(
            "127.0.0.1",
            taken.getsockname()[1],
            admits=lambda _: Admission(HTTPStatus.SWITCHING_PROTOCOLS),
            serve_connection=until_closed,
        )


async def test_a_dropped_connection_has_no_closing_handshake() -> None:
    ended = asyncio.Event()

    async def note(websocket: ServerSocket) -> None:
        await websocket.wait_closed()
        assert websocket.close_code == 1006
        ended.set()

    async with listening(note) as endpoint:
        websocket = await connect(endpoint, "CP-1")
        await drop(websocket)
        with pytest.raises(ConnectionClosed):
            await websocket.recv()
        await ended.wait()
        assert asyncio.get_running_loop().time() == 0


async def test_dropping_twice_and_after_the_end_is_harmless() -> None:
    async with listening(until_closed) as endpoint:
        websocket = await connect(endpoint, "CP-1")
        await drop(websocket)
        await drop(websocket)
        closed = await connect(endpoint, "CP-1")
        await closed.close()
        await drop(closed)


@asynccontextmanager
async def handshake(
    endpoint: str, target: str, offered: str | None, more: str = ""
) -> AsyncIterator[tuple[str, asyncio.StreamReader]]:
    """A handshake by hand: the head of the response, and what follows it."""
    host, _, port = endpoint.removeprefix("ws://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    subprotocol = f"Sec-WebSocket-Protocol: {offered}\r\n" if offered else ""
    writer.write(
        f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(b'sixteen bytes in').decode()}\r\nSec-WebSocket-Version: 13\r\n"
        f"{subprotocol}{more}\r\n".encode()
    )
    yield (await reader.readuntil(b"\r\n\r\n")).decode(), reader
    writer.close()
    await writer.wait_closed()


def _header(head: str, name: str) -> str | None:
    fields = dict(line.partition(": ")[::2] for line in head.split("\r\n")[1:])
    return fields.get(name)
