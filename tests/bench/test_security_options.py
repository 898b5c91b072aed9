"""What is told of passwords, keys and certificates and cannot be used: exit status 2, one line, no traceback."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from typer.testing import CliRunner

from bench.command_line import app
from ocppj.authority import EXPIRED, Authority
from ocppj.certificates import pem

PASSWORD = "password-of-20-chars"  # noqa: S105  # of nobody
WS, WSS = ("--csms", "ws://127.0.0.1:1/x"), ("--csms", "wss://127.0.0.1:1/x")
LISTEN = ("--listen", "127.0.0.1:0")
CA, CERTIFICATE = ("--tls-ca", "ca.pem"), ("--client-cert", "own.pem")


def profile(number: int, *more: str) -> tuple[str, ...]:
    password = ("--password", PASSWORD) if number in (1, 2) else ()
    return ("--security-profile", str(number), *password, *more)


def shows(certificate: str, key: str) -> tuple[str, ...]:
    return ("--client-cert", certificate, "--client-key", key)


# What is given to ``rehearse run``, and what is said.
UNUSABLE: dict[str, tuple[Sequence[str], str]] = {
    "a file that is not there": ((*WSS, *profile(2, "--tls-ca", "none.pem")), "--tls-ca none.pem is no file"),
    "a folder for a file": ((*WSS, *profile(2, "--tls-ca", "folder")), "--tls-ca folder is no file"),
    "no text": ((*WSS, *profile(2, "--tls-ca", "bytes.pem")), "--tls-ca cannot be used: bytes.pem: "),
    "an empty file": ((*WSS, *profile(2, "--tls-ca", "empty.pem")), "--tls-ca cannot be used: empty.pem: no X.509"),
    "a key for an authority": (
        (*WSS, *profile(2, "--tls-ca", "own.key")),
        "--tls-ca cannot be used: own.key: no X.509",
    ),
    "no authority": ((*WSS, *profile(2)), "--tls-ca is missing: security profile 2 needs who"),
    "no password": ((*WSS, "--security-profile", "2", *CA), "--password is missing: security profile 2 needs"),
    "no certificate": ((*WSS, *profile(3, *CA)), "--client-cert is missing: security profile 3 needs"),
    "a certificate without its key": ((*WSS, *profile(3, *CA, *CERTIFICATE)), "--client-key is missing: a certificate"),
    "a key without its certificate": (
        (*WSS, *profile(3, *CA, "--client-key", "own.key")),
        "--client-cert is missing: a certificate and its private key belong together",
    ),
    "the key of another": (
        (*WSS, *profile(3, *CA, *shows("own.pem", "other.key"))),
        "--client-cert cannot be used: other.key is not the key of the certificate in own.pem",
    ),
    "an encrypted key": (
        (*WSS, *profile(3, *CA, *shows("own.pem", "encrypted.key"))),
        "--client-cert cannot be used: encrypted.key: no private key in PEM: Password was not given",
    ),
    "a key of another kind": (
        (*WSS, *profile(3, *CA, *shows("own.pem", "ed25519.key"))),
        "--client-cert cannot be used: ed25519.key: the private key is neither RSA nor",
    ),
    "key and certificate interchanged": (
        (*WSS, *profile(3, *CA, *shows("own.key", "own.pem"))),
        "--client-cert cannot be used: own.key: no X.509 certificate",
    ),
    "a small key": (
        (*WSS, *profile(3, *CA, *shows("small.pem", "small.key"))),
        "--client-cert cannot be used: small.pem: TLS does not take it: ee key too small",
    ),
    "an expired certificate": (
        (*WSS, *profile(3, *CA, *shows("expired.pem", "expired.key"))),
        "--client-cert cannot be used: expired.pem is valid from 2000-01-01 to 2001-01-01",
    ),
    "profile 1 over TLS": ((*WSS, *profile(1)), "--csms wss://127.0.0.1:1/x begins with wss: security profile 1"),
    "profile 2 without TLS": ((*WS, *profile(2, *CA)), "--csms ws://127.0.0.1:1/x does not begin with wss"),
    "profile 3 without TLS": (
        (*WS, *profile(3, *CA, *shows("own.pem", "own.key"))),
        "--csms ws://127.0.0.1:1/x does not begin with wss: security profile 3",
    ),
    "a profile that there is not": ((*WS, "--security-profile", "4"), "--security-profile 4 is none of 0 to 3"),
    "a profile below 0": ((*WS, "--security-profile", "-1"), "--security-profile -1 is none of 0 to 3"),
    "a short password": (
        (*WS, "--security-profile", "1", "--password", "short"),
        "--password: the password is neither",
    ),
    "an empty password": ((*WS, "--security-profile", "1", "--password", ""), "--password: the password is neither"),
    "half a byte": ((*WS, "--security-profile", "1", "--password", "0" * 33), "--password: the password is neither"),
    "a file for a folder": ((*LISTEN, *profile(2, "--pki", "empty.pem")), "--pki empty.pem is no folder"),
    "below a file": ((*LISTEN, *profile(2, "--pki", "empty.pem/pki")), "--pki empty.pem/pki: "),
    "a folder with what is no certificate": (
        (*LISTEN, *profile(2, "--pki", "folder")),
        "folder/CentralSystemRoot.pem: no X.509 certificate",
    ),
    "the same without a device": (("--case", "TC_086_CS", "--pki", "folder"), "folder/CentralSystemRoot.pem: no X.509"),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REHEARSE_PASSWORD", raising=False)
    root = Authority.root("Root", "CPO")
    own = root.issue("client", common_name="SN-0001", organization="CPO")
    own.save(tmp_path, "own")
    root.issue("client", common_name="SN-0002", organization="CPO").save(tmp_path, "other")
    root.issue("client", common_name="SN-0001", organization="CPO", kind="RSA", bits=1024).save(tmp_path, "small")
    root.issue("client", common_name="SN-0001", organization="CPO", validity=EXPIRED).save(tmp_path, "expired")
    for name, key, encryption in (
        ("encrypted", own.key, BestAvailableEncryption(b"a password")),
        ("ed25519", ed25519.Ed25519PrivateKey.generate(), NoEncryption()),
    ):
        Path(f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    Path("ca.pem").write_text(pem(root.certificate))
    Path("bytes.pem").write_bytes(b"\xff\xfe\0")
    Path("empty.pem").touch()
    Path("folder").mkdir()
    Path("folder/CentralSystemRoot.pem").write_text("nonsense")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_used_is_told_in_one_line(name: str) -> None:
    arguments, words = UNUSABLE[name]
    result = CliRunner().invoke(app, ["run", *arguments])
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stderr.startswith(f"rehearse: {words}")
    assert result.stderr.count("\n") == 1
    assert PASSWORD not in result.output + result.stderr
    assert "PRIVATE" not in result.output + result.stderr
    assert not Path("rehearsal-results").exists()
