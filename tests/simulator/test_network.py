"""Which Central System a Charge Point connects to, which it refuses, and what it enters into its security log.

Every refusal is seen to end where the check is taken away.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import pytest

from ocppj.authority import EXPIRED, NOT_YET, Authority, Credential
from ocppj.certificates import pem
from ocppj.connection import Admission, Attempt, ConnectFailed, ServerSocket, listen
from ocppj.tls import client_context, server_context
from ocppj.transcript import Transcript
from simulator import network
from simulator.charge_point import PROFILES, ChargePoint
from simulator.memory import Memory
from simulator.network import ATTEMPTS_BEFORE_FALLBACK
from tests.old_tls import lax, only

HOST, CPO = "localhost", "Operator"
KEY = bytes(range(100, 120))
ROOT = Authority.root("Root", CPO)
STRANGER = Authority.root("Root", CPO)
SERVER = ROOT.issue("server", common_name=HOST, organization=CPO)
OWN = ROOT.issue("client", common_name="SN-0001", organization=CPO)

Context = Callable[..., ssl.SSLContext]


def self_signed() -> Credential:
    alone = Authority.root(HOST, CPO)
    return Credential(alone.key, (alone.certify(alone.key.public_key(), "server", alone.certificate.subject),))


def charge_point(profile: int, **memory: Any) -> ChargePoint:
    """One that has all that any profile asks for."""
    known: dict[str, Any] = {
        "configuration": {"SecurityProfile": str(profile), "CpoName": CPO, "WebSocketPingInterval": "0"},
        "authorization_key": KEY.hex(),
        "central_system_roots": [pem(ROOT.certificate)],
        "certificates": [{"key": OWN.key_pem, "chain": OWN.chain_pem}],
    }
    return ChargePoint(
        profiles=[*PROFILES, "Security"],
        memory=Memory(**known | memory),
        transcript=Transcript(),
        serial_number="SN-0001",
    )


class Port:
    """A port of a Central System: who has come, and how TLS has failed."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []
        self.failures: list[dict[str, Any]] = []
        self.status = HTTPStatus.SWITCHING_PROTOCOLS
        self.number = 0

    def admit(self, attempt: Attempt) -> Admission:
        self.attempts.append(attempt)
        return Admission(self.status)


@asynccontextmanager
async def port(context: ssl.SSLContext | None) -> AsyncIterator[Port]:
    told = Port()

    async def serve(websocket: ServerSocket) -> None:
        await websocket.wait_closed()

    server = await listen(
        "127.0.0.1",
        0,
        admits=told.admit,
        serve_connection=serve,
        tls=lambda: context,
        refused=told.failures.append,
    )
    told.number = server.port
    try:
        yield told
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)


def events(it: ChargePoint) -> list[str]:
    return [event["type"] for event in it.memory.security_log]


async def reaches(it: ChargePoint, at: Port) -> ConnectFailed | None:
    """Why there is no connection; None if there is one."""
    it.network.endpoint = f"wss://{HOST}:{at.number}"
    try:
        websocket = await it.network.open()
    except ConnectFailed as failure:
        return failure
    await websocket.close()
    return None


def without(**changes: Any) -> Context:
    """``client_context`` without a check."""

    def context(*arguments: Any, **options: Any) -> ssl.SSLContext:
        made = client_context(*arguments, **options)
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    return context


@pytest.mark.parametrize("profile", [1, 2, 3])
async def test_it_shows_what_its_profile_asks_for_and_nothing_else(profile: int) -> None:
    it = charge_point(profile)
    async with port(server_context([SERVER], [ROOT.certificate], "optional")) as at:
        assert await reaches(it, at) is None
        (attempt,) = at.attempts
        assert attempt.is_secure is (profile > 1)  # A00.FR.207, A00.FR.312, A00.FR.416
        assert attempt.credentials == (("CP1", KEY) if profile < 3 else None)  # A00.FR.204, A00.FR.303
        assert attempt.certificate == (OWN.certificate if profile == 3 else None)  # A00.FR.401
        assert events(it) == []


BAD: dict[str, tuple[Credential, str]] = {
    "expired": (ROOT.issue("server", common_name=HOST, organization=CPO, validity=EXPIRED), "certificate has expired"),
    "not yet valid": (ROOT.issue("server", common_name=HOST, organization=CPO, validity=NOT_YET), "not yet valid"),
    "of a wrong CA": (STRANGER.issue("server", common_name=HOST, organization=CPO), "unable to get local issuer"),
    "self-signed": (self_signed(), "self-signed"),
    "of another name": (ROOT.issue("server", common_name="csms.example", organization=CPO), "Hostname mismatch"),
    "of a client": (ROOT.issue("client", common_name=HOST, organization=CPO), "unsuitable certificate purpose"),
}


@pytest.mark.parametrize("profile", [2, 3])
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("name", BAD)
async def test_a_central_system_with_a_bad_certificate_is_refused(
    name: str, newest: ssl.TLSVersion, profile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A00.FR.308, 309, 412, 413."""
    credential, words = BAD[name]
    it = charge_point(profile)
    server_side = server_context([credential], [ROOT.certificate], "optional")
    server_side.maximum_version = newest
    async with port(server_side) as at:
        failure = await reaches(it, at)
        assert failure is not None
        assert failure.cause == "certificate"
        (event,) = it.memory.security_log
        assert event["type"] == "InvalidCentralSystemCertificate"
        assert words in event["techInfo"]
        assert it.memory.security_events == []  # chapter 8: it is not critical
        assert at.attempts == []  # it has told nobody who it is, nor its password
        await asyncio.sleep(0.1)
        assert len(at.failures) == 1
        check = {"check_hostname": False} if name == "of another name" else {"check_hostname": False, "verify_mode": 0}
        monkeypatch.setattr(network, "client_context", without(**check))
        assert await reaches(it, at) is None
        assert len(at.attempts) == 1


async def test_without_a_root_nobody_is_trusted() -> None:
    it = charge_point(2, central_system_roots=[])
    async with port(server_context([SERVER])) as at:
        assert await reaches(it, at) is not None
    assert events(it) == ["InvalidCentralSystemCertificate"]


async def test_an_old_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A00.FR.314, 315, 418, 419. At both ends nothing but the version is in the way."""

    def any_suite(*arguments: Any, **options: Any) -> ssl.SSLContext:
        context = client_context(*arguments, **options)
        context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    it = charge_point(2)
    monkeypatch.setattr(network, "client_context", any_suite)
    async with port(only(ssl.TLSVersion.TLSv1_1, lax(server_context([SERVER])))) as at:
        failure = await reaches(it, at)
        assert failure is not None
        assert events(it) == ["InvalidTLSVersion"]
        assert at.attempts == []
        monkeypatch.setattr(network, "client_context", lambda *args, **more: lax(client_context(*args, **more)))
        assert await reaches(it, at) is None


async def test_a_weak_cipher_suite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A00.FR.319, 322, 423, 426. At both ends nothing but the suites is in the way."""

    def any_level(*arguments: Any, **options: Any) -> ssl.SSLContext:
        context = client_context(*arguments, **options)
        context.set_ciphers(":".join(each["name"] for each in context.get_ciphers()) + ":@SECLEVEL=0")
        return context

    it = charge_point(2)
    monkeypatch.setattr(network, "client_context", any_level)
    weak = only(ssl.TLSVersion.TLSv1_2, lax(server_context([SERVER]), "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"))
    async with port(weak) as at:
        failure = await reaches(it, at)
        assert failure is not None
        assert events(it) == ["InvalidTLSCipherSuite"]
        assert at.attempts == []
        monkeypatch.setattr(network, "client_context", lambda *args, **more: lax(client_context(*args, **more)))
        assert await reaches(it, at) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (HTTPStatus.UNAUTHORIZED, ["FailedToAuthenticationAtCentralSystem"]),
        (HTTPStatus.FORBIDDEN, ["FailedToAuthenticationAtCentralSystem"]),
        (HTTPStatus.NOT_FOUND, []),
        (HTTPStatus.SERVICE_UNAVAILABLE, []),
        (HTTPStatus.SWITCHING_PROTOCOLS, []),
    ],
)
@pytest.mark.parametrize("profile", [1, 2, 3])
async def test_who_is_not_authenticated_says_so(profile: int, status: HTTPStatus, expected: list[str]) -> None:
    it = charge_point(profile)
    async with port(server_context([SERVER], [ROOT.certificate], "optional")) as at:
        at.status = status
        failure = await reaches(it, at)
        assert (None if failure is None else failure.status) == (status if status != 101 else None)
    assert events(it) == expected


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_an_own_certificate_that_is_refused_tells_nothing_of_the_central_system(newest: ssl.TLSVersion) -> None:
    it = charge_point(3, fallback_root=pem(STRANGER.certificate))
    server_side = server_context([SERVER], [STRANGER.certificate], "required")
    server_side.maximum_version = newest
    async with port(server_side) as at:
        failure = await reaches(it, at)
        assert failure is not None
        assert failure.cause == "own certificate"
        assert len(at.failures) == 1  # the fallback root has nothing to do with it: M05.FR.13
    assert events(it) == ["FailedToAuthenticationAtCentralSystem"]


async def test_no_failure_makes_it_speak_without_tls() -> None:
    """A00.FR.311; and with no other profile than the one that it is set to (A00.FR.001)."""
    it = charge_point(2)
    async with port(None) as at:
        for _ in range(2 * ATTEMPTS_BEFORE_FALLBACK):
            failure = await reaches(it, at)
            assert failure is not None
        assert at.attempts == []
        assert len(at.failures) == 2 * ATTEMPTS_BEFORE_FALLBACK


async def test_a_root_that_does_not_do_gives_way_to_the_fallback() -> None:
    """M05.FR.13; and without one that fits there is no connection."""
    new = Authority.root("New Root", CPO, signed_by=ROOT)
    for fallback, is_reached in ((ROOT, True), (STRANGER, False)):
        it = charge_point(2, central_system_roots=[pem(new.certificate)], fallback_root=pem(fallback.certificate))
        async with port(server_context([SERVER])) as at:
            assert (await reaches(it, at) is None) is is_reached
        assert events(it) == ([] if is_reached else ["InvalidCentralSystemCertificate"])
        assert it.security.root_in_use == (ROOT.certificate if is_reached else None)


async def test_a_profile_with_which_there_is_no_connection_is_given_up() -> None:
    """A05.FR.08."""
    it = charge_point(2, former_security_profile=1)
    async with port(server_context([BAD["expired"][0]])) as at:
        for _ in range(ATTEMPTS_BEFORE_FALLBACK):
            assert at.attempts == []
            assert await reaches(it, at) is not None
        assert await reaches(it, at) is None
        assert [attempt.is_secure for attempt in at.attempts] == [False]
    failed, changed = events(it)[:-1], events(it)[-1]
    assert failed == ["InvalidCentralSystemCertificate"] * ATTEMPTS_BEFORE_FALLBACK
    assert changed == "ReconfigurationOfSecurityParameters"


async def test_no_password_is_in_what_is_told_of_an_attempt() -> None:
    it = charge_point(1)
    async with port(None) as at:
        for status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.SWITCHING_PROTOCOLS):
            at.status = status
            it.network.endpoint = f"ws://{HOST}:{at.number}"
            failure = await reaches(it, at)
            assert it.transcript is not None
            for text in (str(failure), repr(it.transcript.records), repr(it.memory.security_log), repr(at.attempts)):
                assert KEY.hex() not in text
                assert KEY.decode() not in text
