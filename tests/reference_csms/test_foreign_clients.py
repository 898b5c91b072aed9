"""What openssl and curl get from a Central System, each in a process of its own and in real time."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from ocppj.authority import Authority, Credential
from ocppj.certificates import pem
from reference_csms import security
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store

HOST, CPO, SERIAL = "localhost", "Operator", "SN-0001"
KEY = "a-key-of-20-letters."  # which a command line can hold
ROOT = Authority.root("Root", CPO)
SERVER = ROOT.issue("server", common_name=HOST, organization=CPO)
OWN = ROOT.issue("client", common_name=SERIAL, organization=CPO)
STRANGER = Authority.root("Root", CPO).issue("client", common_name=SERIAL, organization=CPO)

UPGRADE = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: c2l4dGVlbiBieXRlcyBpbg==",
    "Sec-WebSocket-Protocol: ocpp1.6",
]


async def program(*arguments: str | Path, feed: bytes = b"") -> tuple[int, str]:
    """Exit status and output of a program, which is given 20 seconds."""
    process = await asyncio.create_subprocess_exec(
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(20):
            output, _ = await process.communicate(feed)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")


def central_system(profile: int) -> CentralSystem:
    store = Store(cpo_name=CPO)
    security.know_credentials(
        store, "CP-1", security_profile=profile, authorization_key=KEY.encode(), serial_number=SERIAL
    )
    return CentralSystem(store, credentials=[SERVER], client_roots=[ROOT.certificate], host=HOST)


def answers(profile: int, arguments: Sequence[str | Path], feed: bytes = b"") -> tuple[str, list[str]]:
    """What a program prints when it meets a Central System, {PORT} being its port, and the security log."""

    async def meet() -> tuple[str, list[str]]:
        cs = central_system(profile)
        await cs.start()
        leave = asyncio.create_task(_show_out(cs))
        try:
            _, output = await program(*(str(each).replace("{PORT}", str(cs.port)) for each in arguments), feed=feed)
            await asyncio.sleep(0.1)
        finally:
            leave.cancel()
            await cs.stop()
        assert cs.faults == []
        return output, [event.type for event in cs.store.security_log]

    return asyncio.run(meet())


async def _show_out(cs: CentralSystem) -> None:
    """Whoever is let in has seen enough: it does not know what to say on a WebSocket."""
    await cs.wait_connected("CP-1")
    await asyncio.sleep(0.2)
    await cs.lose_connection("CP-1")


REQUEST = ("GET /CP-1 HTTP/1.1\r\nHost: localhost\r\n" + "".join(f"{each}\r\n" for each in UPGRADE) + "\r\n").encode()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(
    ("credential", "is_admitted"), [(None, False), (STRANGER, False), (OWN, True)], ids=["none", "a stranger's", "own"]
)
def test_openssl_without_the_certificate_of_a_charge_point_is_refused_in_profile_3(
    credential: Credential | None, is_admitted: bool, version: str, tmp_path: Path
) -> None:
    """A00.FR.401, A00.FR.407."""
    root = tmp_path / "root.pem"
    root.write_text(pem(ROOT.certificate))
    arguments: list[str | Path] = ["openssl", "s_client", "-connect", "127.0.0.1:{PORT}", "-servername", HOST]
    arguments += ["-CAfile", root, "-verify_return_error", "-ign_eof", version]
    if credential is not None:
        chain, key = credential.save(tmp_path, "own")
        arguments += ["-cert", chain, "-key", key]
    output, log = answers(3, arguments, REQUEST)
    assert ("HTTP/1.1 101" in output) is is_admitted, output
    assert ("alert" in output) is not is_admitted, output
    assert log == ([] if is_admitted else ["InvalidChargePointCertificate"])


@pytest.mark.parametrize("profile", [1, 2])
@pytest.mark.parametrize(
    ("user", "status"),
    [
        (None, "401"),
        ("CP-1:wrong-password-16", "401"),
        ("CP-2:" + KEY, "401"),
        ("CP-1:", "401"),
        ("CP-1:" + KEY, "101"),
    ],
)
def test_curl_with_a_wrong_password_gets_401(user: str | None, status: str, profile: int, tmp_path: Path) -> None:
    """A00.FR.202, A00.FR.301."""
    root = tmp_path / "root.pem"
    root.write_text(pem(ROOT.certificate))
    url = f"http{'s' if profile == 2 else ''}://{HOST}:{{PORT}}/CP-1"
    arguments: list[str | Path] = ["curl", "-q", "-s", "-i", "-N", "--http1.1", "-m", "2", "--cacert", root, url]
    arguments += ["--noproxy", "*", "-4"]
    arguments += [part for each in UPGRADE for part in ("-H", each)]
    arguments += ["-u", user] if user is not None else []
    output, log = answers(profile, arguments)
    assert output.startswith(f"HTTP/1.1 {status} "), output
    assert ("WWW-Authenticate: Basic" in output) is (status == "401")
    assert log == ([] if status == "101" else ["FailedToAuthenticationAtCentralSystem"])


def test_curl_that_does_not_know_the_root_goes_away(tmp_path: Path) -> None:
    other = tmp_path / "root.pem"
    other.write_text(pem(Authority.root("Root", CPO).certificate))
    output, log = answers(2, ["curl", "-q", "-s", "-S", "--cacert", other, "-4", f"https://{HOST}:{{PORT}}/CP-1"])
    assert "curl: (60)" in output
    assert log == ["InvalidChargePointCertificate"]  # the alert says no more than that a certificate does not do
