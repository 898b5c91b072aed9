"""Who gets a connection to a Central System, over real sockets and real TLS; and whose answer goes where.

Every refusal is in the security log, and is seen to end where the check is taken away.
"""

import asyncio
import base64
import json
import logging
import os
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, get_args

import pytest
from websockets.exceptions import ConnectionClosed

from ocppj import certificates
from ocppj.authority import EXPIRED, NOT_YET, Authority, Credential, Kind
from ocppj.connection import ClientSocket, ConnectFailed, basic_authentication, connect
from ocppj.errors import CallFailed
from ocppj.peer import counted_ids
from ocppj.tls import client_context, server_context
from ocppj.transcript import Transcript
from reference_csms import central_system as module
from reference_csms import security
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store
from tests.old_tls import lax, only
from tests.reference_csms.scene import furnished

HOST, CPO, SERIAL = "localhost", "Operator", "SN-0001"
KEY, OTHER_KEY = bytes(range(100, 120)), bytes(range(60, 80))
ROOT = Authority.root("Root", CPO)
STRANGER = Authority.root("Root", CPO)
SERVER = [ROOT.issue("server", common_name=HOST, organization=CPO, kind=kind) for kind in get_args(Kind)]
OWN = ROOT.issue("client", common_name=SERIAL, organization=CPO)


def known(profile: int) -> Store:
    store = Store(cpo_name=CPO)
    security.know_credentials(store, "CP-1", security_profile=profile, authorization_key=KEY, serial_number=SERIAL)
    return store


@asynccontextmanager
async def running(store: Store, *, transcript: Transcript | None = None) -> AsyncIterator[CentralSystem]:
    """A Central System that speaks TLS. None of its own exceptions may be left at the end, and no socket."""
    central_system = CentralSystem(
        store,
        unique_ids=counted_ids("CS"),
        transcript=transcript,
        credentials=SERVER,
        client_roots=[ROOT.certificate],
        host=HOST,
    )
    await central_system.start()
    try:
        yield central_system
    finally:
        await central_system.stop()
    assert central_system.faults == []


def log(cs: CentralSystem) -> list[str]:
    """The types in the security log, which is emptied."""
    types = [event.type for event in cs.store.security_log]
    cs.store.security_log.clear()
    return types


async def attempt(
    cs: CentralSystem,
    *,
    secure: bool = False,
    password: bytes | None = None,
    context: ssl.SSLContext | None = None,
) -> ConnectFailed | None:
    """Why there is no connection; None if there is one."""
    endpoint = cs.secure_endpoint if secure else cs.endpoint
    context = context or client_context([ROOT.certificate])
    try:
        websocket = await connect(endpoint, "CP-1", tls=context if secure else None, password=password)
    except ConnectFailed as failure:
        await asyncio.sleep(0.1)
        return failure
    await websocket.close()
    return None


# --- passwords: profiles 1 and 2


BASIC = basic_authentication("CP-1", KEY)

# The Authorization headers of a request.
WRONG_CREDENTIALS: dict[str, list[str]] = {
    "no password": [],
    "an empty password": [basic_authentication("CP-1", b"")],
    "another password": [basic_authentication("CP-1", OTHER_KEY)],
    "the beginning of the password": [basic_authentication("CP-1", KEY[:-1])],
    "more than the password": [basic_authentication("CP-1", KEY + b"0")],
    "the password in hexadecimal digits": [basic_authentication("CP-1", KEY.hex().encode())],
    "another user": [basic_authentication("CP-2", KEY)],
    "the user in another case": [basic_authentication("cp-1", KEY)],
    "no user": [basic_authentication("", KEY)],
    "no colon": [f"Basic {base64.b64encode(KEY).decode()}"],
    "another scheme": [BASIC.replace("Basic", "Bearer")],
    "no scheme": [BASIC.removeprefix("Basic ")],
    "no base64": ["Basic !!!!"],
    "half a base64": [BASIC[:-3]],
    "an empty header": [""],
    "two headers": [BASIC, BASIC],
    "a wrong and a right header": [basic_authentication("CP-1", OTHER_KEY), BASIC],
}


@pytest.mark.parametrize("profile", [1, 2])
@pytest.mark.parametrize("name", WRONG_CREDENTIALS)
async def test_wrong_credentials_get_401(name: str, profile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A00.FR.202 to 204, A00.FR.301 to 303."""
    headers = [f"Authorization: {each}" for each in WRONG_CREDENTIALS[name]]
    async with running(known(profile)) as cs:
        head = await answer_to(cs, b"/CP-1", headers, secure=profile == 2)
        assert head.startswith("HTTP/1.1 401 ")
        assert "\r\nWWW-Authenticate: Basic realm=" in head  # RFC 7235, 3.1
        assert log(cs) == ["FailedToAuthenticationAtCentralSystem"]
        assert (await answer_to(cs, b"/CP-1", [f"Authorization: {BASIC}"], secure=profile == 2)).startswith(
            "HTTP/1.1 101 "
        )
        monkeypatch.setattr(security, "_fault_of_credentials", lambda _: "")
        assert (await answer_to(cs, b"/CP-1", headers, secure=profile == 2)).startswith("HTTP/1.1 101 ")
        assert log(cs) == []


@pytest.mark.parametrize(
    ("profile", "secure", "password", "certificate"),
    [
        (0, True, None, None),
        (0, True, KEY, OWN),
        (1, True, KEY, None),
        (2, False, KEY, None),
        (2, False, None, None),
        (3, False, None, None),
        (3, False, KEY, None),
    ],
)
async def test_another_profile_is_refused(
    profile: int,
    secure: bool,
    password: bytes | None,
    certificate: Credential | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A00.FR.002."""
    context = client_context([ROOT.certificate], certificate)
    async with running(known(profile)) as cs:
        failure = await attempt(cs, secure=secure, password=password, context=context)
        assert failure is not None
        assert failure.status == 403
        assert log(cs) == ["WrongSecurityProfile"]
        monkeypatch.setattr(security, "profiles_of", lambda _: {0, 1, 2, 3})
        monkeypatch.setattr(security, "_fault_of_credentials", lambda _: "")
        assert await attempt(cs, secure=secure, password=password, context=context) is None
        assert log(cs) == []


# --- certificates: profile 3

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL


def self_signed() -> Credential:
    alone = Authority.root(SERIAL, CPO)
    return Credential(alone.key, (alone.certify(alone.key.public_key(), "client", alone.certificate.subject),))


def client(by: Authority = ROOT, common_name: str = SERIAL, organization: str = CPO, **more: Any) -> Credential:
    return by.issue("client", common_name=common_name, organization=organization, **more)


SELF_SIGNED = self_signed()


def of(*roots: certificates.Certificate, flags: int = 0) -> Callable[..., ssl.SSLContext]:
    """``server_context`` with other roots and flags."""

    def context(credentials: Any, _: Any, wish: Any) -> ssl.SSLContext:
        made = server_context(credentials, roots, wish)
        made.verify_flags |= flags
        return made

    return context


# A certificate, why it is refused, and the context without that check.
BAD_CERTIFICATES: dict[str, tuple[Credential, str, Callable[..., ssl.SSLContext]]] = {
    "expired": (client(validity=EXPIRED), "certificate has expired", of(ROOT.certificate, flags=NO_CHECK_TIME)),
    "not yet valid": (client(validity=NOT_YET), "not yet valid", of(ROOT.certificate, flags=NO_CHECK_TIME)),
    "of a wrong CA": (client(STRANGER), "unable to get local issuer", of(STRANGER.certificate)),
    "self-signed": (SELF_SIGNED, "self-signed certificate", of(SELF_SIGNED.certificate)),
}


@pytest.mark.parametrize("newest", VERSIONS)
@pytest.mark.parametrize("name", BAD_CERTIFICATES)
async def test_a_bad_certificate_is_refused_in_the_handshake(
    name: str, newest: ssl.TLSVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A00.FR.407, A00.FR.408."""
    credential, words, unchecked = BAD_CERTIFICATES[name]
    context = client_context([ROOT.certificate], credential, newest=newest)
    async with running(known(3)) as cs:
        failure = await attempt(cs, secure=True, context=context)
        assert failure is not None
        assert (failure.status, failure.cause) == (None, "own certificate")
        (event,) = cs.store.security_log
        assert event.type == "InvalidChargePointCertificate"
        assert words in event.tech_info
        log(cs)
        monkeypatch.setattr(module, "server_context", unchecked)
        cs._contexts.clear()
        if name in ("expired", "not yet valid"):  # which is looked at twice
            failure = await attempt(cs, secure=True, context=context)
            assert failure is not None
            assert failure.status == 403
            assert log(cs) == ["InvalidChargePointCertificate"]
            monkeypatch.setattr(certificates, "charge_point_faults", lambda *_: [])
        assert await attempt(cs, secure=True, context=context) is None
        assert log(cs) == []


@pytest.mark.parametrize("newest", VERSIONS)
async def test_who_has_no_certificate_is_refused(newest: ssl.TLSVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    """A00.FR.401; a client hears of it in the handshake or, in TLS 1.3, when it reads for the first time."""
    context = client_context([ROOT.certificate], newest=newest)
    async with running(known(3)) as cs:
        failure = await attempt(cs, secure=True, context=context)
        assert failure is not None
        assert failure.status is None
        assert failure.cause is not None
        assert log(cs) == ["InvalidChargePointCertificate"]
        security.know_credentials(cs.store, "CP-2", security_profile=2, authorization_key=KEY)  # may do without
        failure = await attempt(cs, secure=True, context=context, password=KEY)
        assert failure is not None
        assert failure.status == 403
        assert log(cs) == ["InvalidChargePointCertificate"]
        monkeypatch.setattr(security, "_fault_of_certificate", lambda *_: "")
        assert await attempt(cs, secure=True, context=context) is None
        assert log(cs) == []


@pytest.mark.parametrize(
    ("credential", "check", "clause"),
    [
        (client(organization="Somebody"), "cpo_name", "A00.FR.404"),
        (client(organization=CPO.upper()), "cpo_name", "A00.FR.404"),
        (client(common_name="SN-0002"), "serial_number", "A00.FR.405"),
        (client(common_name="CP-1"), "serial_number", "A00.FR.405"),
    ],
)
async def test_the_certificate_of_somebody_else_is_refused(credential: Credential, check: str, clause: str) -> None:
    context = client_context([ROOT.certificate], credential)
    async with running(known(3)) as cs:
        failure = await attempt(cs, secure=True, context=context)
        assert failure is not None
        assert failure.status == 403
        (event,) = cs.store.security_log
        assert (event.type, event.identity) == ("InvalidChargePointCertificate", "CP-1")
        assert clause in event.tech_info
        log(cs)
        setattr(cs.store if check == "cpo_name" else cs.store.charge_points["CP-1"], check, None)
        assert await attempt(cs, secure=True, context=context) is None
        assert log(cs) == []


# --- TLS: what nobody may speak any more


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_an_old_version_is_refused(version: ssl.TLSVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    """A00.FR.312 to 314. At both ends nothing but the version is in the way."""

    def any_suite(*arguments: Any) -> ssl.SSLContext:
        context = server_context(*arguments)
        context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    old = only(version, lax(client_context([ROOT.certificate])))
    monkeypatch.setattr(module, "server_context", any_suite)
    async with running(known(2)) as cs:
        failure = await attempt(cs, secure=True, password=KEY, context=old)
        assert failure is not None
        assert failure.cause == "tls version"
        assert log(cs) == ["InvalidTLSVersion"]
        monkeypatch.setattr(module, "server_context", lambda *arguments: lax(server_context(*arguments)))
        cs._contexts.clear()
        assert await attempt(cs, secure=True, password=KEY, context=old) is None
        assert log(cs) == []


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-SHA", "AES256-SHA", "ECDHE-RSA-AES256-SHA384"])
async def test_a_weak_cipher_suite_is_refused(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A00.FR.319, A00.FR.321. At both ends nothing but the suites is in the way."""

    def any_level(*arguments: Any) -> ssl.SSLContext:
        context = server_context(*arguments)
        context.set_ciphers(":".join(each["name"] for each in context.get_ciphers()) + ":@SECLEVEL=0")
        return context

    weak = lax(client_context([ROOT.certificate], newest=ssl.TLSVersion.TLSv1_2), f"{suite}:@SECLEVEL=0")
    monkeypatch.setattr(module, "server_context", any_level)
    async with running(known(2)) as cs:
        failure = await attempt(cs, secure=True, password=KEY, context=weak)
        assert failure is not None
        assert failure.cause == "cipher suite"
        assert log(cs) == ["InvalidTLSCipherSuite"]
        monkeypatch.setattr(module, "server_context", lambda *arguments: lax(server_context(*arguments)))
        cs._contexts.clear()
        assert await attempt(cs, secure=True, password=KEY, context=weak) is None
        assert log(cs) == []


# --- identities

# What stands behind the host in the URL of somebody whom nobody knows. CP-1 is known.
STRANGE_TARGETS = [
    b"/",
    b"//",
    b"/CP-1/",
    b"/?CP-1",
    b"/CP-2",
    b"/cp-1",
    b"/CP-1%20",
    b"/CP-1%00",
    b"/%00",
    b"/CP-1%2500",
    b"/CP%252D1",
    b"/..",
    b"/%2e%2e",
    b"/%2e%2e%2fCP-1",
    b"/CP-1%2F..",
    b"/..%5cCP-1",
    b"/%2Fetc%2Fpasswd",
    b"/%0d%0aSet-Cookie:%20a=b",
    b"/%1b[2J%1b]0;title%07",
    b"/%e2%80%ae1-PC",
    b"/%FF%FE",
    b"/%C3%28",
    b"/%ED%A0%80",
    b"/CP-1%FF",
    b"/%",
    b"/CP-1%",
    b"/%zz",
    b"/{0}%s%n${jndi:ldap://x}",
    b"/" + b"x" * 10_000,
    b"/" + b"%00" * 10_000,
    b"/" + b"a/" * 10_000 + b"x",
]


@pytest.mark.parametrize("secure", [False, True])
async def test_an_identity_that_nobody_has_gets_404_and_leaves_nothing_behind(
    secure: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """OCPP-J 3.2."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    reached: list[str] = []
    ordinary = CentralSystem._serve

    async def note(cs: CentralSystem, websocket: Any) -> None:
        reached.append(websocket.identity)
        await ordinary(cs, websocket)

    monkeypatch.setattr(CentralSystem, "_serve", note)
    transcript = Transcript()
    async with running(known(2 if secure else 0), transcript=transcript) as cs:
        before = (dict(cs.store.charge_points), len(cs.store.transactions))
        for target in STRANGE_TARGETS:
            head = await answer_to(cs, target, [f"Authorization: {BASIC}"], secure=secure)
            assert head.startswith("HTTP/1.1 404 "), target[:40]
        assert (cs.store.charge_points, len(cs.store.transactions)) == before
        assert reached == []
        assert len(cs.store.security_log) >= len(STRANGE_TARGETS) - 4  # those without an identity may be left out
        for event in cs.store.security_log:
            assert event.type == "UnknownChargePoint"
            for text in (event.identity, event.tech_info):
                assert text.isascii()
                assert text.isprintable()
                assert len(text) < 2000
        cs.store.accept_unknown_charge_points = True
        if not secure:
            assert (await answer_to(cs, b"/CP-1%00", [], secure=False)).startswith("HTTP/1.1 101 ")
            await asyncio.sleep(0.1)
            assert reached == ["CP-1\x00"]
    assert os.listdir(tmp_path) == []  # noqa: PTH208  a pathlib.Path would block
    for record in caplog.records:
        assert re.fullmatch(r"[ -~]*", record.getMessage().replace("\n", "")), record
        assert record.levelno < logging.WARNING, record
    assert json.dumps(transcript.records).isascii()


@pytest.mark.parametrize("target", [b"/" + b"x" * 100_000, b"/CP-1\xff", b"/\xc3\xa4", b"/CP-1\x00", b"/CP-1 x"])
async def test_what_is_no_http_is_no_identity(target: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """RFC 9112, 3: a request-target is printable ASCII without spaces; and a line has an end."""
    caplog.set_level(logging.DEBUG)
    async with running(known(0)) as cs:
        head = await answer_to(cs, target, [], secure=False)
        assert head == "" or head.startswith(("HTTP/1.1 400 ", "HTTP/1.1 404 ", "HTTP/1.1 414 "))
        assert not cs._peers
        assert await attempt(cs) is None
    assert not any(record.levelno >= logging.WARNING for record in caplog.records)


async def test_a_percent_encoded_identity_that_is_known_is_the_same() -> None:
    async with running(known(0)) as cs:
        assert (await answer_to(cs, b"/any/path/CP%2D1?a=b", [], secure=False)).startswith("HTTP/1.1 101 ")


# --- subprotocols


@pytest.mark.parametrize("offered", [[], ["ocpp2.0.1"], ["ocpp2.0.1, ocpp1.5"], ["OCPP1.6"]])
async def test_who_speaks_another_subprotocol_is_refused_or_opened_and_closed_at_once(offered: list[str]) -> None:
    """TC_088_CSMS wants no WebSocket at all, OCPP-J 3.2 one without the header that is closed at once."""
    headers = [f"Sec-WebSocket-Protocol: {each}" for each in offered]
    async with running(known(0)) as cs:
        assert cs.store.refuses_unknown_subprotocol
        assert (await answer_to(cs, b"/CP-1", headers, secure=False, offers=False)).startswith("HTTP/1.1 400 ")
        cs.store.refuses_unknown_subprotocol = False
        head = await answer_to(cs, b"/CP-1", headers, secure=False, offers=False)
        assert head.startswith("HTTP/1.1 101 ")
        assert "Sec-WebSocket-Protocol" not in head
        assert not cs.is_connected("CP-1")
        assert (await answer_to(cs, b"/CP-1", [], secure=False)).startswith("HTTP/1.1 101 ")


# --- two connections with one identity


@pytest.mark.parametrize("secure", [False, True])
async def test_no_answer_crosses_over_however_often_a_charge_point_connects_again(secure: bool) -> None:
    """At each connection a CALL of either side is open when the next is made, with answers that would fit it."""
    count = 40
    store = known(2) if secure else furnished()
    tls = client_context([ROOT.certificate]) if secure else None
    async with running(store) as cs:
        sockets: list[ClientSocket] = []
        asked: list[asyncio.Task[str]] = []
        calls: list[str] = []  # their ids
        for number in range(count):
            endpoint = cs.secure_endpoint if secure else cs.endpoint
            websocket = await connect(endpoint, "CP-1", tls=tls, password=KEY if secure else None)
            sockets.append(websocket)
            await asyncio.sleep(0.01)
            assert _is_the_end_of(cs, websocket)
            asked.append(asyncio.create_task(_outcome(cs)))
            call = json.loads(await websocket.recv())
            assert call[2] == "ClearCache"
            if number:  # the answer that the former connection owes, on this one
                await websocket.send(json.dumps([3, calls[-1], {"status": "Accepted"}]))
            # A CALL that is on its way when this connection is replaced.
            await websocket.send(json.dumps([2, f"of-{number}", "Heartbeat", {}]))
            calls.append(call[1])
        await asyncio.sleep(1)
        assert [task.done() for task in asked] == [True] * (count - 1) + [False]
        assert {task.result() for task in asked[:-1]} == {"Disconnected"}
        last = sockets[-1]
        await last.send(json.dumps([3, calls[-1], {"status": "Rejected"}]))
        assert await asked[-1] == "Rejected"
        for number, websocket in enumerate(sockets):
            answered = await _answers(websocket, is_open=websocket is last)
            assert answered <= {f"of-{number}"}, number
        assert [websocket.close_code for websocket in sockets[:-1]] == [1000] * (count - 1)
        assert last.close_code is None
        await last.close()


def _is_the_end_of(cs: CentralSystem, websocket: ClientSocket) -> bool:
    remote = cs._peers["CP-1"].websocket.remote_address
    return bool(remote == websocket.local_address)


async def _outcome(cs: CentralSystem) -> str:
    try:
        return str((await cs.request("CP-1", "ClearCache", {}))["status"])
    except CallFailed as failure:
        return type(failure).__name__


async def _answers(websocket: ClientSocket, *, is_open: bool) -> set[str]:
    """The ids of the answers that have come on a connection."""
    ids = set()
    with suppress(ConnectionClosed, TimeoutError):
        while True:
            async with asyncio.timeout(1 if is_open else None):
                frame = json.loads(await websocket.recv())
            if frame[0] in (3, 4):
                ids.add(frame[1])
    return ids


async def answer_to(cs: CentralSystem, target: bytes, headers: list[str], *, secure: bool, offers: bool = True) -> str:
    """The head of the response to a handshake made by hand; with ``offers`` it offers our subprotocol."""
    context = client_context([ROOT.certificate]) if secure else None
    reader, writer = await asyncio.open_connection(HOST if secure else "127.0.0.1", cs.port, ssl=context)
    more = "".join(f"{each}\r\n" for each in [*["Sec-WebSocket-Protocol: ocpp1.6"] * offers, *headers])
    writer.write(
        b"GET "
        + target
        + b" HTTP/1.1\r\n"
        + f"Host: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(b'sixteen bytes in').decode()}\r\nSec-WebSocket-Version: 13\r\n"
        f"{more}\r\n".encode()
    )
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError as error:
        return error.partial.decode()
    finally:
        writer.close()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
        await asyncio.sleep(0.01)
