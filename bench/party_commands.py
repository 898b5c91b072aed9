"""``rehearse csms`` and ``rehearse charge-point``: our two parties as processes, reached over HTTP."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.command_line import app
from bench.device import DEFAULT_DATA, BadSetting
from bench.device_file import URL
from bench.pki import ORGANIZATION, Pki, read_credential, read_roots, write_secret
from bench.seats import MAY_LACK, parts
from bench.settings import password_of
from bench.terminal import console, unusable
from ocppj.authority import Credential
from ocppj.certificates import pem
from ocppj.secrets import hidden, keep, masked
from ocppj.transcript import Record, Transcript
from reference_csms.central_system import CentralSystem
from reference_csms.security import HIGHEST_PROFILE, know_credentials
from reference_csms.store import Store
from reports.texts import shown
from simulator.charge_point import ChargePoint
from simulator.memory import Memory

if TYPE_CHECKING:  # FastAPI takes its time, and every other command does without it
    from fastapi import FastAPI

LEAST_TOKEN = 16  # characters
ID_TAG = re.compile(r"(?P<id_tag>[^=,]{1,20})(=(?P<status>\w+)(,(?P<parent>[^=,]{1,20}))?)?")
STATUSES = ("Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx")  # 7.2
STORE_EVERY = 0.5  # seconds

HttpPort = Annotated[int, typer.Option(help="The port of the HTTP interface; 0 is any that is free.")]
HttpHost = Annotated[str, typer.Option(help="Where the HTTP interface listens; beyond this machine only with --token.")]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="REHEARSE_TOKEN",
        show_envvar=True,
        help="What who asks over HTTP has to show: Authorization: Bearer TOKEN.",
    ),
]
SecurityProfile = Annotated[int, typer.Option(min=0, max=HIGHEST_PROFILE, help="The security profile.")]
Password = Annotated[
    str | None,
    typer.Option(
        envvar="REHEARSE_PASSWORD",
        show_envvar=True,
        help="The AuthorizationKey: 16 to 20 characters, or 32 to 40 hexadecimal digits.",
    ),
]
PkiFolder = Annotated[
    Path | None, typer.Option(help="A folder for keys and certificates of ours, which are made where missing.")
]
SerialNumber = Annotated[str, typer.Option(help="The serial number of the Charge Point.")]
CpoName = Annotated[str, typer.Option(help="The organization in certificates of the Central System.")]
MessageTimeout = Annotated[float, typer.Option(min=0.1, help="Seconds that the other party has to answer.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Do not show what crosses the wire.")]


@app.command()
def csms(
    port: Annotated[int, typer.Option(help="The port for Charge Points; 0 is any that is free.")] = 9000,
    host: Annotated[str, typer.Option(help="Where it listens for Charge Points.")] = "127.0.0.1",
    http_port: HttpPort = 8080,
    http_host: HttpHost = "127.0.0.1",
    token: Token = None,
    identity: Annotated[
        list[str] | None, typer.Option(help="A Charge Point that may connect. Repeatable. Without it, any may.")
    ] = None,
    id_tag: Annotated[
        list[str] | None,
        typer.Option(metavar="IDTAG[=STATUS[,PARENT]]", help="An idTag that is known, Accepted. Repeatable."),
    ] = None,
    security_profile: SecurityProfile = 0,
    password: Password = None,
    pki: PkiFolder = None,
    name: Annotated[str, typer.Option(help="By which Charge Points reach it: it is in its certificate.")] = "localhost",
    serial_number: Annotated[str | None, typer.Option(help="The serial number of the Charge Points.")] = None,
    cpo_name: CpoName = ORGANIZATION,
    heartbeat_interval: Annotated[int, typer.Option(min=1, help="Seconds, as BootNotification.conf tells them.")] = 300,
    message_timeout: MessageTimeout = 30.0,
    quiet: Quiet = False,
) -> None:
    """A Central System to play with: Charge Points connect to it, and its operator reaches it over HTTP."""
    key = _key(password)
    identities = identity or []
    if security_profile and not identities:
        unusable(f"security profile {security_profile} is that of a Charge Point: name it with --identity")
    _check_password(security_profile, key)
    if security_profile > 1 and pki is None:
        unusable(f"security profile {security_profile} is spoken over TLS: --pki names a folder for the certificates")
    store = Store(heartbeat_interval=heartbeat_interval, accept_unknown_charge_points=not identities)
    _know_id_tags(store, id_tag or [])
    for each in identities:
        if key is not None:
            keep(key, each)
        know_credentials(
            store, each, security_profile=security_profile, authorization_key=key, serial_number=serial_number
        )
    try:
        ours = _authorities(pki, name, serial_number or "", cpo_name)
        tls: dict[str, Any] = {}
        if ours is not None:
            store.authority, store.cpo_name = ours.central_system_root, cpo_name
            tls = {"credentials": ours.server, "client_roots": [ours.central_system_root.certificate], "host": name}
    except BadSetting as error:
        unusable(str(error))
    listening = _http(http_host, http_port, token)
    system = CentralSystem(store, transcript=_shown(quiet), message_timeout=message_timeout, **tls)

    def http_api() -> "FastAPI":
        from reference_csms.http_api import http_api

        return http_api(system, version("ocpp-rehearsal"), host=http_host, token=token)

    asyncio.run(_play(_started(system, host, port, is_secure=ours is not None), http_api, listening))


@asynccontextmanager
async def _started(system: CentralSystem, host: str, port: int, *, is_secure: bool) -> AsyncIterator[str]:
    """A Central System that listens; what is said of it."""
    try:
        await system.start(host, port)
    except (OSError, OverflowError) as error:
        unusable(f"cannot listen at {host}:{port}: {_why(error)}")
    try:
        also = f" and {system.secure_endpoint}" if is_secure else ""
        yield f"Central System: {system.endpoint}{also}"
    finally:
        await system.stop()


@app.command(name="charge-point")
def charge_point(
    url: Annotated[str, typer.Argument(metavar="URL", help="The Central System: ws://host:port/path")],
    http_port: HttpPort = 8081,
    http_host: HttpHost = "127.0.0.1",
    token: Token = None,
    identity: Annotated[str, typer.Option(help="Its identity, which is appended to the URL.")] = "CP1",
    connectors: Annotated[int, typer.Option(min=1, max=100, help="How many connectors it has.")] = 2,
    lacks: Annotated[
        list[str] | None, typer.Option(help="What it does not have, e.g. detachable_cable or reservation. Repeatable.")
    ] = None,
    memory: Annotated[
        Path | None, typer.Option(help="A file for what survives a power cut. What is in it goes before other options.")
    ] = None,
    security_profile: SecurityProfile = 0,
    password: Password = None,
    pki: PkiFolder = None,
    tls_ca: Annotated[Path | None, typer.Option(help="Who has signed the certificate of the Central System.")] = None,
    client_cert: Annotated[Path | None, typer.Option(help="Its certificate, with its chain, in PEM.")] = None,
    client_key: Annotated[Path | None, typer.Option(help="The private key of --client-cert, in PEM.")] = None,
    next_csms: Annotated[
        str | None, typer.Option(help="Where the Central System is reached with the next higher security profile.")
    ] = None,
    serial_number: SerialNumber = DEFAULT_DATA["SerialNumber"],
    cpo_name: CpoName = ORGANIZATION,
    message_timeout: MessageTimeout = 30.0,
    quiet: Quiet = False,
) -> None:
    """A Charge Point to play with: it connects to a Central System, and hands are lent to it over HTTP."""
    key = _key(password)
    for option, value in (("URL", url), ("--next-csms", next_csms)):
        if value is not None and not URL.fullmatch(value):
            unusable(f"{option} {masked(value)} is no URL such as ws://host:port/path")
    _check_password(security_profile, key)
    if security_profile > 1 and pki is None and tls_ca is None:
        unusable(
            f"security profile {security_profile} needs who has signed the certificate of the Central System: "
            "--tls-ca or --pki"
        )
    # What is in a memory may tell of a profile that was raised since; its URL is made of this one.
    is_new = memory is None or not memory.exists()
    if is_new and security_profile and url.startswith("wss:") is (security_profile == 1):
        spoken = (
            "without TLS, and the URL begins with wss"
            if security_profile == 1
            else "over TLS, and the URL does not begin with wss"
        )
        unusable(f"URL {masked(url)}: security profile {security_profile} is spoken {spoken}")
    if strange := sorted({*(lacks or [])} - MAY_LACK):
        unusable(f"--lacks {strange[0]}: a Charge Point of ours may lack {', '.join(sorted(MAY_LACK))}")
    if (client_cert is None) != (client_key is None):
        unusable("--client-cert and --client-key belong together")
    if security_profile == HIGHEST_PROFILE and pki is None and client_cert is None:
        unusable("security profile 3 needs the certificate of the Charge Point: --client-cert, or --pki")
    try:
        made = parts(frozenset(lacks or []), secured=security_profile > 0 or pki is not None)
        own = read_credential(client_cert, client_key) if client_cert and client_key else None
        remembered = _remembered(memory) or _provisioned(
            security_profile, key, _authorities(pki, "", serial_number, cpo_name), tls_ca, own, cpo_name
        )
    except BadSetting as error:
        unusable(str(error))
    if remembered.authorization_key:
        keep(bytes.fromhex(remembered.authorization_key), identity)
    listening = _http(http_host, http_port, token)
    it = ChargePoint(
        identity=identity,
        connectors=connectors,
        memory=remembered,
        transcript=_shown(quiet),
        message_timeout=message_timeout,
        serial_number=serial_number,
        **made,
    )
    others = {security_profile + 1: next_csms} if next_csms is not None else {}

    def http_api() -> "FastAPI":
        from simulator.http_api import http_api

        return http_api(it, version("ocpp-rehearsal"), host=http_host, token=token)

    asyncio.run(_play(_powered(it, url, others, memory), http_api, listening))


@asynccontextmanager
async def _powered(it: ChargePoint, url: str, others: dict[int, str], memory: Path | None) -> AsyncIterator[str]:
    """A Charge Point that is switched on, and whose memory is kept in a file; what is said of it."""
    if memory is not None:
        _store(it.memory, memory)  # whether it can be written is found out now
    await it.power_on(url, others)
    storing = asyncio.create_task(_keep_storing(it.memory, memory)) if memory is not None else None
    try:
        yield f"Charge Point: {it.identity}, which connects to {masked(url)}"
    finally:
        await it.stop()
        if storing is not None and memory is not None:
            storing.cancel()
            await asyncio.gather(storing, return_exceptions=True)
            _store(it.memory, memory)


def _check_password(security_profile: int, key: bytes | None) -> None:
    if security_profile in (1, 2) and key is None:
        unusable(f"security profile {security_profile} needs the password of the Charge Point: --password")


def _key(password: str | None) -> bytes | None:
    try:
        return password_of(password)
    except BadSetting as error:
        unusable(str(error))


# The process


async def _play(
    party: AbstractAsyncContextManager[str], http_api: "Callable[[], FastAPI]", listening: socket.socket
) -> None:
    """Be there until SIGINT or SIGTERM."""
    from ocppj.http_api import serving

    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    # The party goes first: who still waits for an answer of the other one is told so.
    async with serving(http_api(), listening), party as words:
        host, port = listening.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        _say(words)
        _say(f"HTTP interface: http://{host}:{port}, described at http://{host}:{port}/docs")
        _say("Ctrl-C ends it.")
        await ended.wait()


def _say(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
    console.file.flush()


def _http(host: str, port: int, token: str | None) -> socket.socket:
    """Where the HTTP interface listens. Ends the command for what would let strangers in."""
    from ocppj.http_api import bind, is_loopback

    if token is None and not is_loopback(host):
        unusable(f"--http-host {host} is reached by others: it needs a token, --token or REHEARSE_TOKEN")
    if token is not None:
        if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
            unusable(f"the token is not {LEAST_TOKEN} or more printable characters of ASCII without a space")
        keep(token.encode())
    try:
        return bind(host, port)
    except (OSError, OverflowError) as error:
        unusable(f"cannot listen at {host}:{port}: {_why(error)}")


def _why(error: Exception) -> str:
    """Why there is no such port, without the address that is told already."""
    match error:
        case socket.gaierror():
            return str(error.strerror)
        case OSError(errno=int(number)):
            return os.strerror(number)
    return str(error)


def _shown(quiet: bool) -> Transcript:
    """A transcript that is shown and not kept: nobody knows how long a party plays."""
    transcript = Transcript()

    def show(record: Record) -> None:
        if not quiet:
            _say(_line(record))
        transcript.records.clear()

    transcript.listeners.append(show)
    return transcript


def _line(record: Record) -> str:
    """A record in one line; whatever a stranger calls himself or sends, no terminal obeys it."""
    time, who = record["timestamp"], record.get("chargePointId", "")
    if record["kind"] == "frame":
        arrow = "->" if record["direction"] == "cp-to-csms" else "<-"
        return _whole(f"{time} {who} {arrow} {record['raw']}")
    facts = {name: value for name, value in record.items() if name not in ("kind", "timestamp", "chargePointId")}
    return _whole(hidden(f"{time} {who} {record['kind']} {json.dumps(facts, default=str)}"))


def _whole(text: str) -> str:
    return shown(text, sys.maxsize)


# What they know


def _know_id_tags(store: Store, settings: list[str]) -> None:
    for setting in settings:
        found = ID_TAG.fullmatch(setting)
        status = found["status"] or "Accepted" if found else ""
        if found is None or status not in STATUSES:
            unusable(f"--id-tag {setting} is not of the form IDTAG[=STATUS[,PARENT]]; STATUS: {', '.join(STATUSES)}")
        store.know_id_tag(found["id_tag"], status, found["parent"])


def _authorities(directory: Path | None, host: str, serial_number: str, organization: str) -> Pki | None:
    if directory is None:
        return None
    return Pki(directory, host=host, serial_number=serial_number, organization=organization)


def _provisioned(
    profile: int, key: bytes | None, ours: Pki | None, tls_ca: Path | None, own: Credential | None, cpo_name: str
) -> Memory:
    """What a Charge Point knows before it is switched on for the first time. Raises ``BadSetting``."""
    memory = Memory(authorization_key=key.hex() if key is not None else "")
    roots = read_roots(tls_ca) if tls_ca is not None else []
    if ours is not None:
        roots = roots or [ours.central_system_root.certificate]
        memory.manufacturer_roots = [pem(ours.manufacturer_root.certificate)]
        own = own or ours.charge_point
    memory.central_system_roots = [pem(root) for root in roots]
    if own is not None:
        memory.certificates = [{"key": own.key_pem, "chain": own.chain_pem}]
    if profile or ours is not None:
        memory.configuration |= {"SecurityProfile": str(profile), "CpoName": cpo_name}
    return memory


def _remembered(path: Path | None) -> Memory | None:
    """The memory in a file; None if there is none yet. Raises ``BadSetting``."""
    if path is None or not path.exists():
        return None
    try:
        return Memory.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadSetting(f"--memory {path}: {error.strerror}") from None
    except (ValueError, TypeError) as error:
        raise BadSetting(f"--memory {path} is no memory of a Charge Point: {error}") from None


async def _keep_storing(memory: Memory, path: Path) -> None:
    """Write what has changed, so that a process that is killed loses little."""
    before = ""
    while True:
        if (now := json.dumps(memory.as_dict())) != before:
            with suppress(OSError):  # told at the end, when it is tried again
                write_secret(path, now)
                before = now
        await asyncio.sleep(STORE_EVERY)


def _store(memory: Memory, path: Path) -> None:
    try:
        write_secret(path, json.dumps(memory.as_dict(), indent=2))
    except OSError as error:
        unusable(f"--memory {path} cannot be written: {error.strerror}")
