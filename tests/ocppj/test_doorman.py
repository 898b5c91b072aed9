"""A port at which ws and wss are spoken: who is let through, who is not, and what is left of either."""

import asyncio
import gc
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from ocppj.authority import Authority
from ocppj.connection import OPEN_TIMEOUT, Admission, ConnectFailed, ServerSocket, connect, drop, listen
from ocppj.tls import client_context, server_context

HOST, CPO = "localhost", "Operator"
ROOT = Authority.root("Root", CPO)
SERVER = ROOT.issue("server", common_name=HOST, organization=CPO)
CLIENT = client_context([ROOT.certificate])
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
MEGABYTE = 2**20

Serve = Callable[[ServerSocket], Awaitable[None]]


class Port:
    """A port, and what was told of it. ``sockets``: of those who were let in, in their order."""

    def __init__(self) -> None:
        self.number = 0
        self.refused: list[dict[str, Any]] = []
        self.sockets: list[ServerSocket] = []
        self.waiting: set[Any] = set()
        self.close: Callable[[], None] = lambda: None

    @property
    def endpoint(self) -> str:
        return f"wss://{HOST}:{self.number}"


async def echo(websocket: ServerSocket) -> None:
    with suppress(ConnectionClosed):
        while True:
            data, _ = await websocket.receive()
            await websocket.send(data.decode())


def sockets_of_this_process() -> int:
    links = list(Path("/proc/self/fd").iterdir())  # that of the directory itself is gone by now
    return sum(link.is_symlink() and str(link.readlink()).startswith("socket:") for link in links)


@asynccontextmanager
async def port(
    serve: Serve = echo, *, context: ssl.SSLContext | None = None, speaks_tls: bool = True
) -> AsyncIterator[Port]:
    """At the end nobody waits, no socket is left and nothing was told to the loop's exception handler."""
    it = Port()
    surprises: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, told: surprises.append(told))
    gc.collect()
    before = sockets_of_this_process()

    async def note_and_serve(websocket: ServerSocket) -> None:
        it.sockets.append(websocket)
        await serve(websocket)

    context = context or server_context([SERVER])
    server = await listen(
        "127.0.0.1",
        0,
        admits=lambda _: Admission(HTTPStatus.SWITCHING_PROTOCOLS),
        serve_connection=note_and_serve,
        tls=lambda: context if speaks_tls else None,
        refused=it.refused.append,
    )
    it.number, it.waiting, it.close = server.port, server._doormen, server.close
    try:
        yield it
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.1)
    assert not it.waiting
    gc.collect()
    await asyncio.sleep(0)
    assert sockets_of_this_process() == before
    assert not surprises
    loop.set_exception_handler(None)


class Hand:
    """A TLS client whose every byte is sent by hand."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, newest: ssl.TLSVersion, name: str = HOST
    ) -> None:
        self.reader, self.writer = reader, writer
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = client_context([ROOT.certificate], newest=newest)
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)

    async def send(self, data: bytes, *, step: int = 2**16) -> None:
        for at in range(0, len(data), step):
            self.writer.write(data[at : at + step])
            await self.writer.drain()
            await asyncio.sleep(0)

    async def hear(self) -> bool:
        """Take in what has come. Whether anything did."""
        data = await self.reader.read(2**16)
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()
        return bool(data)

    async def shake_hands(self, *, step: int = 2**16) -> None:
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self.send(self.outgoing.read(), step=step)
                await self.hear()
            else:
                await self.send(self.outgoing.read(), step=step)
                return

    async def write(self, data: bytes, *, step: int = 2**16) -> None:
        self.tls.write(data)
        await self.send(self.outgoing.read(), step=step)

    async def read(self) -> bytes:
        """What the other side has said; empty at its close_notify. Raises ``ssl.SSLEOFError`` without one."""
        while True:
            try:
                return self.tls.read(2**16)
            except ssl.SSLWantReadError:
                await self.hear()

    def hello(self) -> bytes:
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.outgoing.read()


@asynccontextmanager
async def hand(at: Port, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> AsyncIterator[Hand]:
    reader, writer = await asyncio.open_connection("127.0.0.1", at.number)
    try:
        yield Hand(reader, writer, newest)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


REQUEST = (
    b"GET /CP-1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyBpbg==\r\n"
    b"Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)


async def is_closed(it: Hand) -> bool:
    """Whether the other side ends the connection, and after how many seconds at most."""
    with suppress(ConnectionError):
        while await it.reader.read(2**16):
            pass
    return True


# --- who does not get through


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_hello_that_is_cut_anywhere_leaves_nothing_behind(version: ssl.TLSVersion) -> None:
    async with port() as at:
        async with hand(at, version) as whole:
            hello = whole.hello()
        for length in [*range(0, len(hello), 7), len(hello) - 1]:
            async with hand(at, version) as it:
                await it.send(hello[:length])
                await asyncio.sleep(0.01)
                assert len(at.waiting) == 1
            await asyncio.sleep(0.01)
            assert not at.waiting
        assert at.refused == []  # nobody knows what it was to become
        assert at.sockets == []


@pytest.mark.parametrize("says", ["nothing", "the beginning of a hello", "a byte now and then"])
async def test_who_does_not_say_who_he_is_is_shown_out(says: str) -> None:
    loop = asyncio.get_running_loop()
    async with port() as at, hand(at) as it:
        begun = loop.time()
        hello = it.hello()

        async def drip() -> None:
            for byte in hello:
                it.writer.write(bytes([byte]))
                await asyncio.sleep(1)

        dripping = asyncio.create_task(drip()) if says == "a byte now and then" else None
        if says == "the beginning of a hello":
            await it.send(hello[:100])
        assert await is_closed(it)
        assert loop.time() - begun == pytest.approx(OPEN_TIMEOUT, abs=0.1)
        if dripping:
            dripping.cancel()
            await asyncio.wait({dripping})


async def test_who_stops_in_the_middle_of_the_handshake_is_shown_out() -> None:
    loop = asyncio.get_running_loop()
    async with port() as at, hand(at) as it:
        begun = loop.time()
        await it.send(it.hello())
        assert await is_closed(it)
        assert loop.time() - begun == pytest.approx(OPEN_TIMEOUT, abs=0.1)
        (told,) = at.refused
        assert told["failure"] == f"no TLS handshake in {OPEN_TIMEOUT:g} s"
        assert "TLSv1.3" in told["offered"]["versions"]


async def test_who_sends_no_request_behind_the_handshake_is_shown_out() -> None:
    loop = asyncio.get_running_loop()
    async with port() as at, hand(at) as it:
        begun = loop.time()
        await it.shake_hands()
        assert await is_closed(it)
        assert loop.time() - begun == pytest.approx(OPEN_TIMEOUT, abs=0.1)
        assert at.refused == []
        assert at.sockets == []


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
async def test_who_vanishes_in_the_middle_of_the_handshake_is_told_of_once(
    version: ssl.TLSVersion, resets: bool
) -> None:
    async with port() as at:
        async with hand(at, version) as it:
            await it.send(it.hello())
            await it.hear()
            if resets:
                it.writer.transport.abort()
        await asyncio.sleep(0.1)
        (told,) = at.refused
        assert told["cause"] == "tls"
        assert told["offered"]["suites"]
        assert not at.waiting


@pytest.mark.parametrize(
    "data",
    [
        b"\x16",
        b"\x16\x03",
        b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00",
        b"\x16" * 1000,
        b"\x16\x03\x01\xff\xff" + b"\x01" * 9,
    ],
)
async def test_what_begins_like_tls_and_is_none(data: bytes) -> None:
    async with port() as at:
        async with hand(at) as it:
            await it.send(data)
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.1)
        assert [told["cause"] for told in at.refused] in ([], ["tls"])
        assert at.sockets == []
        await (await connect(at.endpoint, "CP-1", tls=CLIENT)).close()


async def test_tls_where_none_is_spoken() -> None:
    async with port(speaks_tls=False) as at:
        with pytest.raises(ConnectFailed) as raised:
            await connect(at.endpoint, "CP-1", tls=CLIENT)
        assert raised.value.cause == "tls"
        (told,) = at.refused
        assert told["failure"] == "no TLS is spoken here"
        assert asyncio.get_running_loop().time() < 1


@pytest.mark.parametrize("speaks_tls", [True, False])
async def test_http_without_tls_is_told_from_tls(speaks_tls: bool) -> None:
    async with port(speaks_tls=speaks_tls) as at:
        websocket = await connect(f"ws://127.0.0.1:{at.number}", "CP-1")
        await websocket.send("hello")
        assert await websocket.recv() == "hello"
        assert at.sockets[0].tls is None
        await websocket.close()


@pytest.mark.parametrize(
    "data", [b"SSH-2.0-OpenSSH_9.0\r\n", b"\x00" * 100, b"GET / HTTP/1.0\r\n\r\n", b"\x80\x2e\x01\x00\x02"]
)
async def test_what_is_neither(data: bytes) -> None:
    async with port() as at:
        async with hand(at) as it:
            await it.send(data)
            assert await is_closed(it)
        assert asyncio.get_running_loop().time() <= OPEN_TIMEOUT
        assert at.sockets == []


async def test_a_port_that_is_closed_leaves_nobody_waiting() -> None:
    """Neither who has said nothing, nor who is in the middle of a handshake, of whichever kind."""
    async with port() as at:
        hands = []
        for _ in range(4):
            reader, writer = await asyncio.open_connection("127.0.0.1", at.number)
            hands.append(Hand(reader, writer, ssl.TLSVersion.TLSv1_3))
        await hands[1].send(hands[1].hello())
        await hands[2].shake_hands()
        await hands[3].send(REQUEST[:50])
        await asyncio.sleep(0.1)
        assert len(at.waiting) == 2
        at.close()
        for it in hands:
            assert await is_closed(it)
            it.writer.close()
            with suppress(OSError):
                await it.writer.wait_closed()
        assert asyncio.get_running_loop().time() < 1


# --- who gets through


@pytest.mark.parametrize("step", [1, 3, 2**16])
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_byte_at_a_time(version: ssl.TLSVersion, step: int) -> None:
    async with port() as at, hand(at, version) as it:
        await it.shake_hands(step=step)
        await it.write(REQUEST, step=step)
        head = b""
        while b"\r\n\r\n" not in head:
            head += await it.read()
        assert head.startswith(b"HTTP/1.1 101 ")
        frame = Frame(Opcode.TEXT, b"hello").serialize(mask=True)
        await it.write(frame, step=step)
        assert await it.read() == Frame(Opcode.TEXT, b"hello").serialize(mask=False)
        told = at.sockets[0].tls
        assert told is not None
        assert told["version"] == version.name.replace("_", ".").replace("TLSv1.", "TLSv1.")
        assert told["certificate"] is None


@pytest.mark.parametrize("version", VERSIONS)
async def test_hello_handshake_and_request_in_one_go(version: ssl.TLSVersion) -> None:
    """The last flight of the handshake and the request come together, and so may several frames."""
    async with port() as at, hand(at, version) as it:
        while True:
            try:
                it.tls.do_handshake()
            except ssl.SSLWantReadError:
                await it.send(it.outgoing.read())
                await it.hear()
            else:
                break
        it.tls.write(REQUEST)
        await it.send(it.outgoing.read())
        assert (await it.read()).startswith(b"HTTP/1.1 101 ")
        await it.write(b"".join(Frame(Opcode.TEXT, text).serialize(mask=True) for text in (b"a", b"b", b"c")))
        heard = b""
        while len(heard) < 9:
            heard += await it.read()
        assert heard == b"".join(Frame(Opcode.TEXT, text).serialize(mask=False) for text in (b"a", b"b", b"c"))


@pytest.mark.parametrize("closes", ["Charge Point", "Central System"])
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_closing_handshake(version: ssl.TLSVersion, closes: str) -> None:
    codes: list[int | None] = []

    async def serve(websocket: ServerSocket) -> None:
        if closes == "Central System":
            await websocket.close(1001)
        await websocket.wait_closed()
        codes.append(websocket.close_code)

    async with port(serve) as at:
        websocket = await connect(at.endpoint, "CP-1", tls=client_context([ROOT.certificate], newest=version))
        if closes == "Charge Point":
            await websocket.close(1001)
        await websocket.wait_closed()
        await asyncio.sleep(0.01)
        assert codes == [websocket.close_code] == [1001]
        assert asyncio.get_running_loop().time() < 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_end_is_announced(version: ssl.TLSVersion) -> None:
    """RFC 5246, 7.2.1: close_notify, so that nobody can cut a connection unnoticed."""

    async def serve(websocket: ServerSocket) -> None:
        await websocket.close()

    async with port(serve) as at, hand(at, version) as it:
        await it.shake_hands()
        await it.write(REQUEST)
        while (heard := await it.read()).startswith(b"HTTP") and b"\x88" not in heard:
            pass
        await it.write(Frame(Opcode.CLOSE, (1000).to_bytes(2)).serialize(mask=True))
        while heard := await it.read():
            assert heard[0] == 0x88
        assert not await it.hear()


@pytest.mark.parametrize("how", ["close_notify", "no close_notify", "reset", "garbage", "an alert"])
async def test_who_goes_without_a_closing_handshake(how: str) -> None:
    ended = asyncio.Event()

    async def serve(websocket: ServerSocket) -> None:
        await websocket.wait_closed()
        assert websocket.close_code == 1006
        ended.set()

    async with port(serve) as at, hand(at, ssl.TLSVersion.TLSv1_2) as it:
        await it.shake_hands()
        await it.write(REQUEST)
        assert (await it.read()).startswith(b"HTTP/1.1 101 ")
        match how:
            case "close_notify":
                with suppress(ssl.SSLError):
                    it.tls.unwrap()
                await it.send(it.outgoing.read())
            case "no close_notify":
                it.writer.write_eof()
            case "reset":
                it.writer.transport.abort()
            case "garbage":
                await it.send(b"\x17\x03\x03\x00\x20" + b"x" * 32)
            case _:
                await it.send(b"\x15\x03\x03\x00\x02\x02\x28")
        await ended.wait()
        assert asyncio.get_running_loop().time() < 1


async def test_a_dropped_connection_is_gone_at_both_ends() -> None:
    async with port() as at:
        websocket = await connect(at.endpoint, "CP-1", tls=CLIENT)
        await asyncio.sleep(0.01)
        await drop(at.sockets[0])
        with pytest.raises(ConnectionClosed):
            await websocket.recv()
        assert websocket.close_code == 1006
        other = await connect(at.endpoint, "CP-1", tls=CLIENT)
        await drop(other)
        await at.sockets[1].wait_closed()
        assert at.sockets[1].close_code == 1006


# --- much


async def test_two_hundred_at_once() -> None:
    async with port() as at:

        async def come_and_go(number: int) -> str:
            secure = number % 4 != 0
            endpoint = at.endpoint if secure else f"ws://127.0.0.1:{at.number}"
            websocket = await connect(endpoint, f"CP-{number}", tls=CLIENT if secure else None)
            await websocket.send(str(number))
            heard = str(await websocket.recv())
            await websocket.close()
            return heard

        assert await asyncio.gather(*map(come_and_go, range(200))) == [str(number) for number in range(200)]
        assert sorted(websocket.identity for websocket in at.sockets) == sorted(f"CP-{n}" for n in range(200))
        assert {websocket.tls is None for websocket in at.sockets} == {True, False}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_big_message_both_ways(version: ssl.TLSVersion) -> None:
    text = "".join(chr(32 + number % 95) for number in range(10 * MEGABYTE))
    async with port() as at:
        context = client_context([ROOT.certificate], newest=version)
        websocket = await connect(at.endpoint, "CP-1", tls=context)
        for _ in range(2):
            await websocket.send(text)
            assert await websocket.recv() == text
        await websocket.close()


async def test_who_does_not_read_is_not_written_to() -> None:
    """What waits to be sent does not grow without end, and all of it comes when he reads again."""
    pieces, size = 160, MEGABYTE // 16
    sent: list[int] = []

    async def pour(websocket: ServerSocket) -> None:
        for number in range(pieces):
            await websocket.send(f"{number:03}" + "x" * size)
            sent.append(number)
        await websocket.wait_closed()

    async with port(pour) as at:
        websocket = await connect(at.endpoint, "CP-1", tls=CLIENT)
        websocket.transport.pause_reading()
        await asyncio.sleep(5)
        stuck = len(sent)
        assert stuck < pieces
        assert at.sockets[0].transport.get_write_buffer_size() < MEGABYTE
        await asyncio.sleep(5)
        assert len(sent) == stuck
        websocket.transport.resume_reading()
        for number in range(pieces):
            assert str(await websocket.recv())[:3] == f"{number:03}"
        await websocket.close()


async def test_who_is_not_read_from_cannot_send() -> None:
    pieces, size = 320, MEGABYTE // 16
    reads = asyncio.Event()
    heard: list[str] = []

    async def slow(websocket: ServerSocket) -> None:
        await reads.wait()
        with suppress(ConnectionClosed):
            while True:
                heard.append((await websocket.receive())[0][:3].decode())

    async with port(slow) as at:
        websocket = await connect(at.endpoint, "CP-1", tls=CLIENT)
        sent: list[int] = []

        async def pour() -> None:
            for number in range(pieces):
                await websocket.send(f"{number:03}" + "x" * size)
                sent.append(number)

        pouring = asyncio.create_task(pour())
        await asyncio.sleep(3)
        stuck = len(sent)
        assert stuck < pieces
        await asyncio.sleep(3)
        assert len(sent) == stuck
        reads.set()
        await pouring
        await websocket.close()
        assert heard == [f"{number:03}" for number in range(pieces)]
