"""TLS as the security white paper has it for profiles 2 and 3, and what can be told of a handshake.

TLS 1.2 and above (A00.FR.312, A00.FR.416), no compression (A00.FR.320, A00.FR.424), the suites of A00.FR.317 and 421.
"""

import os
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ocppj.authority import Credential
from ocppj.certificates import Certificate, pem

# A00.FR.317, A00.FR.421: a Central System supports all four, a Charge Point one of the pairs (A00.FR.318).
ECDSA_SUITES = ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
RSA_SUITES = ("TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384")
REQUIRED_SUITES = (*ECDSA_SUITES, *RSA_SUITES)

# Beside the required ones: forward secrecy for who has an RSA certificate alone (the note on A00.FR.318).
SUITES = (
    *ECDSA_SUITES,
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    *RSA_SUITES,
)

LONGEST_HELLO = 2**16  # bytes
HANDSHAKE = 0x16  # the type of a TLS record, RFC 5246 6.2.1: no HTTP request begins with it
_RECORD_HEADER = 5  # bytes: type, version, length
_LONGEST_RECORD = 2**14  # bytes, RFC 5246 6.2.1
_CLIENT_HELLO = 1
_SUPPORTED_VERSIONS = 43  # RFC 8446 4.2.1
_COMPRESSION = {0: "null", 1: "DEFLATE"}
_VERSIONS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}

# Code of a cipher suite -> its name in the register of the IANA and, where it differs, that of OpenSSL.
_SUITES: dict[int, tuple[str, str]] = {
    0x1301: ("TLS_AES_128_GCM_SHA256", ""),
    0x1302: ("TLS_AES_256_GCM_SHA384", ""),
    0x1303: ("TLS_CHACHA20_POLY1305_SHA256", ""),
    0xC02B: ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    0xC02C: ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    0xC02F: ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
    0xC030: ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
    0x009C: ("TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"),
    0x009D: ("TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
    0x009E: ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "DHE-RSA-AES128-GCM-SHA256"),
    0x009F: ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384"),
    0xCCA8: ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"),
    0xCCA9: ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    0xCCAA: ("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "DHE-RSA-CHACHA20-POLY1305"),
    0xC023: ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "ECDHE-ECDSA-AES128-SHA256"),
    0xC024: ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384"),
    0xC027: ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"),
    0xC028: ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384"),
    0x0067: ("TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", "DHE-RSA-AES128-SHA256"),
    0x006B: ("TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", "DHE-RSA-AES256-SHA256"),
    0xC009: ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"),
    0xC00A: ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"),
    0xC013: ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"),
    0xC014: ("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"),
    0x0033: ("TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "DHE-RSA-AES128-SHA"),
    0x0039: ("TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "DHE-RSA-AES256-SHA"),
    0x003C: ("TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"),
    0x003D: ("TLS_RSA_WITH_AES_256_CBC_SHA256", "AES256-SHA256"),
    0x002F: ("TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"),
    0x0035: ("TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"),
    0x000A: ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", "DES-CBC3-SHA"),
    0x00FF: ("TLS_EMPTY_RENEGOTIATION_INFO_SCSV", ""),
    0x5600: ("TLS_FALLBACK_SCSV", ""),
}
_OPENSSL = {iana: openssl for iana, openssl in _SUITES.values() if openssl}
_IANA = {openssl: iana for iana, openssl in _OPENSSL.items()}

ClientCertificate = Literal["none", "optional", "required"]
_VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def suite_name(openssl: str) -> str:
    """The name of a cipher suite in the register of the IANA, from that of OpenSSL."""
    return _IANA.get(openssl, openssl)


# Contexts


def server_context(
    credentials: Sequence[Credential],
    client_roots: Sequence[Certificate] = (),
    client_certificate: ClientCertificate = "none",
) -> ssl.SSLContext:
    """What a Central System speaks TLS with: a credential for each kind of key, RSA and EC (the note on A00.FR.317).

    ``client_certificate``: whether a Charge Point is asked for its certificate, and refused without one. A certificate
    that none of ``client_roots`` stands for is always refused (A00.FR.407).
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, SUITES, client_roots, credentials)
    context.verify_mode = _VERIFY[client_certificate]
    return context


def client_context(
    roots: Sequence[Certificate],
    credential: Credential | None = None,
    *,
    suites: Sequence[str] = (),
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> ssl.SSLContext:
    """What a Charge Point speaks TLS with. The Central System must have the name in the URL (A00.FR.308, 412).

    ``suites``: those that are offered, by their names in the register of the IANA; with them TLS 1.2 is spoken, whose
    suites they are. An IP address in the URL must be an iPAddress of the certificate: no name stands for it.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, suites or SUITES, roots, (credential,) if credential else ())
    context.maximum_version = ssl.TLSVersion.TLSv1_2 if suites else newest
    context.hostname_checks_common_name = True  # where no dnsName is present: the note on A00.FR.511
    return context


def _context(
    protocol: int, suites: Sequence[str], roots: Sequence[Certificate], credentials: Sequence[Credential]
) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # whatever is installed is trusted: 7.1, the note
    # OpenSSL's level 2 is the 112 bits of A00.FR.501, for every certificate and its signature (A00.FR.504).
    context.set_ciphers(":".join(["@SECLEVEL=2", *(_OPENSSL[name] for name in suites)]))
    if roots:
        context.load_verify_locations(cadata=pem(*roots))
    for credential in credentials:
        _load(context, credential)
    return context


def _load(context: ssl.SSLContext, credential: Credential) -> None:
    with _file(credential.key_pem + credential.chain_pem) as path:  # ssl reads files alone
        context.load_cert_chain(path)


@contextmanager
def _file(secret: str) -> Iterator[str]:
    """A file for as long as it is read: in RAM where the system has such files, else one that is ours alone."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("credential")
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret)
            file.flush()
            yield f"/proc/self/fd/{descriptor}"
        return
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as file:  # mode 0600
        file.write(secret)
        file.flush()
        yield file.name


# What was offered


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a client offers (RFC 5246, 7.4.1.2): names where they are known, hexadecimal codes otherwise."""

    versions: list[str]
    suites: list[str]
    compression: list[str]

    def as_facts(self) -> dict[str, Any]:
        """As the transcript has it."""
        return asdict(self)


class NoHello(ValueError):
    """Bytes that begin like a TLS record and hold no ClientHello."""


def read_client_hello(data: bytes) -> ClientHello | None:
    """The ClientHello at the beginning of a connection; None as long as it is not complete. Raises ``NoHello``."""
    message, rest = b"", data
    while len(rest) >= _RECORD_HEADER:
        kind, major, length = rest[0], rest[1], int.from_bytes(rest[3:5], "big")
        if kind != HANDSHAKE or major != 3 or not 0 < length <= _LONGEST_RECORD:
            raise NoHello("no handshake record")
        message += rest[_RECORD_HEADER : _RECORD_HEADER + length]
        rest = rest[_RECORD_HEADER + length :]
        if message[:1] not in (b"", bytes([_CLIENT_HELLO])):
            raise NoHello("the first message of the handshake is no ClientHello")
        size = int.from_bytes(message[1:4], "big")
        if size > LONGEST_HELLO:
            raise NoHello("the ClientHello is too long")
        if len(message) >= 4 + size:
            return _parsed(message[4 : 4 + size])
    if rest[:1] not in (b"", bytes([HANDSHAKE])):
        raise NoHello("no handshake record")
    return None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, length: int) -> bytes:
        if len(self._data) < length:
            raise NoHello("the ClientHello ends too early")
        taken, self._data = self._data[:length], self._data[length:]
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))

    def __bool__(self) -> bool:
        return bool(self._data)


def _parsed(body: bytes) -> ClientHello:
    reader = _Reader(body)
    versions = [_version(reader.number(2))]  # the newest one, says a client that knows no supported_versions
    reader.take(32)  # random
    reader.vector(1)  # session_id
    suites = [_suite(code) for code in _codes(reader.vector(2))]
    compression = [_COMPRESSION.get(method, f"0x{method:02X}") for method in reader.vector(1)]
    extensions = _Reader(reader.vector(2) if reader else b"")
    while extensions:
        kind, content = extensions.number(2), _Reader(extensions.vector(2))
        if kind == _SUPPORTED_VERSIONS:
            versions = [_version(code) for code in _codes(content.vector(1))]
    return ClientHello(versions, suites, compression)


def _codes(data: bytes) -> list[int]:
    reader = _Reader(data)
    codes = []
    while reader:
        codes.append(reader.number(2))
    return [code for code in codes if not _is_grease(code)]


def _is_grease(code: int) -> bool:
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF  # RFC 8701: means nothing


def _suite(code: int) -> str:
    return _SUITES[code][0] if code in _SUITES else f"0x{code:04X}"


def _version(code: int) -> str:
    return _VERSIONS.get(code, f"0x{code:04X}")


# Why a handshake failed

Cause = Literal["certificate", "tls version", "cipher suite", "tls"]

# OpenSSL's words, on the side that finds the fault and, as an alert, on the other (RFC 5246 7.2.2, RFC 8446 6.2).
_CAUSES: dict[str, Cause] = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "certificate",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": "certificate",
    "SSLV3_ALERT_CERTIFICATE_REVOKED": "certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "certificate",
    "TLSV1_ALERT_UNKNOWN_CA": "certificate",
    "TLSV1_ALERT_ACCESS_DENIED": "certificate",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "certificate",
    "UNSUPPORTED_PROTOCOL": "tls version",
    "TLSV1_ALERT_PROTOCOL_VERSION": "tls version",
    "VERSION_TOO_LOW": "tls version",
    "NO_SHARED_CIPHER": "cipher suite",
    "WRONG_CIPHER_RETURNED": "cipher suite",
    "UNKNOWN_CIPHER_RETURNED": "cipher suite",
    # No acceptable set of parameters. It is also what OpenSSL tells a client without a certificate in TLS 1.2.
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "cipher suite",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "cipher suite",
}


def cause_of(error: BaseException) -> tuple[Cause, str]:
    """Why a handshake failed, as a word to act on and as words to read."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate", error.verify_message
    if reason := getattr(error, "reason", None):  # an SSLError that OpenSSL did not raise has none
        return _CAUSES.get(reason, "tls"), reason.replace("_", " ").lower()
    return "tls", "the other side ended the TLS handshake"


def handshake_facts(ssl_object: ssl.SSLObject) -> dict[str, Any]:
    """Version and suite of a connection, as the transcript has them."""
    cipher = ssl_object.cipher()
    return {
        "version": ssl_object.version(),
        "suite": suite_name(cipher[0]) if cipher else None,
        "compression": ssl_object.compression(),
    }
