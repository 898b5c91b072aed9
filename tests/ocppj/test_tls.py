"""TLS: real handshakes over memory, what is refused and why, and what a client has offered.

Every refusal is seen to end where what refuses is taken away.
"""

import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ocppj.authority import EXPIRED, NOT_YET, Authority, Credential, Usage
from ocppj.certificates import Certificate, facts, load_der, server_faults
from ocppj.tls import (
    _SUITES,
    ECDSA_SUITES,
    HANDSHAKE,
    LONGEST_HELLO,
    REQUIRED_SUITES,
    RSA_SUITES,
    SUITES,
    ClientCertificate,
    ClientHello,
    NoHello,
    cause_of,
    client_context,
    handshake_facts,
    read_client_hello,
    server_context,
    suite_name,
)
from tests.interop.rehearsals import require
from tests.old_tls import lax, only

HOST = "csms.example"
OWNER = "Example CPO"


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority.root("Root", OWNER)


@pytest.fixture(scope="module")
def stranger() -> Authority:
    return Authority.root("Root", OWNER)


@pytest.fixture(scope="module")
def credentials(root: Authority) -> list[Credential]:
    return [
        root.subordinate("RSA Sub", OWNER).issue("server", common_name=HOST, organization=OWNER, kind="RSA"),
        root.issue("server", common_name=HOST, organization=OWNER, kind="EC"),
    ]


@pytest.fixture(scope="module")
def charge_point(root: Authority) -> Credential:
    return root.subordinate("Sub", OWNER).issue("client", common_name="SN-1", organization=OWNER)


def self_signed(usage: Usage, common_name: str) -> Credential:
    alone = Authority.root(common_name, OWNER)
    return Credential(alone.key, (alone.certify(alone.key.public_key(), usage, alone.certificate.subject),))


# --- handshakes


@dataclass
class End:
    """One side of a handshake: how it stands, and why it failed."""

    ssl_object: ssl.SSLObject
    is_done: bool = False
    error: ssl.SSLError | None = None

    @property
    def cause(self) -> str:
        assert self.error is not None, "the handshake did not fail"
        return cause_of(self.error)[0]

    @property
    def words(self) -> str:
        assert self.error is not None, "the handshake did not fail"
        return cause_of(self.error)[1]

    @property
    def certificate(self) -> Certificate | None:
        der = self.ssl_object.getpeercert(binary_form=True)
        return load_der(der) if der else None

    def move(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            return
        except ssl.SSLError as error:
            self.error = error
            return
        self.is_done = True


def meet(server: ssl.SSLContext, client: ssl.SSLContext, host: str = HOST) -> tuple[End, End]:
    """The server's end and the client's after a handshake and, in TLS 1.3 only then judged, its first read."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        End(server.wrap_bio(up, down, server_side=True)),
        End(client.wrap_bio(down, up, server_hostname=host)),
    )
    for _ in range(6):
        for end in reversed(ends):
            if end.error is None and not end.is_done:
                end.move(end.ssl_object.do_handshake)
    for end in ends:
        if end.is_done and end.error is None:
            end.move(lambda end=end: end.ssl_object.read(1))  # type: ignore[misc]
    return ends


def succeeds(server: ssl.SSLContext, client: ssl.SSLContext, host: str = HOST) -> bool:
    return all(end.is_done and end.error is None for end in meet(server, client, host))


@pytest.mark.parametrize("suite", REQUIRED_SUITES)
def test_each_of_the_four_suites(root: Authority, credentials: list[Credential], suite: str) -> None:
    server, client = meet(server_context(credentials), client_context([root.certificate], suites=[suite]))
    told = handshake_facts(client.ssl_object)
    assert told == handshake_facts(server.ssl_object) == {"version": "TLSv1.2", "suite": suite, "compression": None}
    assert client.certificate is not None
    assert facts(client.certificate)["keyType"] == ("EC" if suite in ECDSA_SUITES else "RSA")
    assert server_faults(client.certificate, HOST) == []


def test_a_server_with_one_key_speaks_its_suites_alone(root: Authority, credentials: list[Credential]) -> None:
    for credential, suites in zip(credentials, (RSA_SUITES, ECDSA_SUITES), strict=True):
        for suite in REQUIRED_SUITES:
            client = client_context([root.certificate], suites=[suite])
            assert succeeds(server_context([credential]), client) is (suite in suites)


def test_the_newest_version_is_spoken(root: Authority, credentials: list[Credential]) -> None:
    for newest, version in ((ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")):
        server, client = meet(server_context(credentials), client_context([root.certificate], newest=newest))
        assert handshake_facts(client.ssl_object)["version"] == version
        assert handshake_facts(server.ssl_object)["suite"] in (*SUITES, "TLS_AES_256_GCM_SHA384")
    assert handshake_facts(client.ssl_object)["suite"] in ECDSA_SUITES  # forward secrecy first: A00.FR.318, the note


def test_before_a_handshake_there_is_nothing_to_tell(root: Authority) -> None:
    unmet = client_context([root.certificate]).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=HOST)
    assert handshake_facts(unmet)["suite"] is None


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_certificate(
    root: Authority, credentials: list[Credential], charge_point: Credential, version: ssl.TLSVersion
) -> None:
    for asked in get_args(ClientCertificate):
        server_side = server_context(credentials, [root.certificate], asked)
        server, client = meet(server_side, client_context([root.certificate], charge_point, newest=version))
        assert client.error is server.error is None
        assert server.certificate == (None if asked == "none" else charge_point.certificate)


# --- refusals


def test_an_old_version_is_refused(root: Authority, credentials: list[Credential]) -> None:
    old = only(ssl.TLSVersion.TLSv1_1, lax(client_context([root.certificate])))
    server_side = server_context(credentials)
    server_side.set_ciphers("ALL:@SECLEVEL=0")  # so that nothing but the version is in the way
    server, client = meet(server_side, old)
    assert (server.cause, client.cause) == ("tls version", "tls version")
    assert "unsupported protocol" in server.words
    assert succeeds(lax(server_side), old)


def test_a_server_with_an_old_version_is_refused(root: Authority, credentials: list[Credential]) -> None:
    old = only(ssl.TLSVersion.TLSv1_1, lax(server_context(credentials)))
    client_side = client_context([root.certificate])
    client_side.set_ciphers("ALL:@SECLEVEL=0")
    server, client = meet(old, client_side)
    assert (server.cause, client.cause) == ("tls version", "tls version")
    assert succeeds(old, lax(client_side))


WEAK = "AES128-SHA:@SECLEVEL=0"


def test_a_weak_suite_is_refused(root: Authority, credentials: list[Credential]) -> None:
    weak = lax(client_context([root.certificate], newest=ssl.TLSVersion.TLSv1_2), WEAK)
    server, client = meet(server_context(credentials), weak)
    assert (server.cause, client.cause) == ("cipher suite", "cipher suite")
    assert "no shared cipher" in server.words
    assert succeeds(lax(server_context(credentials)), weak)


def test_a_server_with_a_weak_suite_is_refused(root: Authority, credentials: list[Credential]) -> None:
    weak = only(ssl.TLSVersion.TLSv1_2, lax(server_context(credentials), WEAK))
    server, client = meet(weak, client_context([root.certificate]))
    assert (server.cause, client.cause) == ("cipher suite", "cipher suite")
    assert succeeds(weak, lax(client_context([root.certificate])))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_without_a_certificate_is_refused(
    root: Authority, credentials: list[Credential], version: ssl.TLSVersion
) -> None:
    nobody = client_context([root.certificate], newest=version)
    server, client = meet(server_context(credentials, [root.certificate], "required"), nobody)
    assert server.cause == "certificate"
    assert server.words == "peer did not return a certificate"
    # TLS 1.3 has an alert for it. There the client's handshake is over by then: only reading tells.
    assert client.is_done is (version is ssl.TLSVersion.TLSv1_3)
    assert client.cause == ("certificate" if version is ssl.TLSVersion.TLSv1_3 else "cipher suite")
    assert succeeds(server_context(credentials, [root.certificate], "optional"), nobody)


@pytest.mark.parametrize("asked", ["optional", "required"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_bad_client_certificate_is_refused(
    root: Authority,
    stranger: Authority,
    credentials: list[Credential],
    asked: ClientCertificate,
    version: ssl.TLSVersion,
) -> None:
    bad = {
        "unable to get local issuer": stranger.issue("client", common_name="SN-1", organization=OWNER),
        "certificate has expired": root.issue("client", common_name="SN-1", organization=OWNER, validity=EXPIRED),
        "certificate is not yet valid": root.issue("client", common_name="SN-1", organization=OWNER, validity=NOT_YET),
        "self-signed": self_signed("client", "SN-1"),
        "unsuitable certificate purpose": root.issue("server", common_name="SN-1", organization=OWNER),
    }
    server_side = server_context(credentials, [root.certificate], asked)
    for words, credential in bad.items():
        server, client = meet(server_side, client_context([root.certificate], credential, newest=version))
        assert server.cause == client.cause == "certificate", words
        assert words in server.words
        assert succeeds(
            server_context(credentials, [root.certificate], "none"),
            client_context([root.certificate], credential, newest=version),
        )


def test_a_charge_point_that_nobody_stands_for_is_refused(
    root: Authority, credentials: list[Credential], charge_point: Credential
) -> None:
    server, _ = meet(server_context(credentials, [], "required"), client_context([root.certificate], charge_point))
    assert server.cause == "certificate"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_bad_server_certificate_is_refused(root: Authority, stranger: Authority, version: ssl.TLSVersion) -> None:
    bad = {
        "unable to get local issuer": stranger.issue("server", common_name=HOST, organization=OWNER),
        "certificate has expired": root.issue("server", common_name=HOST, organization=OWNER, validity=EXPIRED),
        "certificate is not yet valid": root.issue("server", common_name=HOST, organization=OWNER, validity=NOT_YET),
        "self-signed": self_signed("server", HOST),
        "Hostname mismatch": root.issue("server", common_name="other.example", organization=OWNER),
        "unsuitable certificate purpose": root.issue("client", common_name=HOST, organization=OWNER),
    }
    for words, credential in bad.items():
        client_side = client_context([root.certificate], newest=version)
        server, client = meet(server_context([credential]), client_side)
        assert client.cause == "certificate", words
        assert words in client.words
        assert server.cause == "certificate", words
        client_side.check_hostname = False
        if words != "Hostname mismatch":
            client_side.verify_mode = ssl.CERT_NONE
        assert succeeds(server_context([credential]), client_side), words


def test_with_nothing_installed_nobody_is_trusted(credentials: list[Credential]) -> None:
    _, client = meet(server_context(credentials), client_context([]))
    assert client.cause == "certificate"


def test_an_expired_authority_is_trusted_by_nobody(root: Authority) -> None:
    middle = root.subordinate("Sub", OWNER, validity=EXPIRED)
    credential = middle.issue("server", common_name=HOST, organization=OWNER)
    _, client = meet(server_context([credential]), client_context([root.certificate]))
    assert client.words == "certificate has expired"


def test_what_is_installed_is_trusted_whoever_signed_it(root: Authority) -> None:
    new = Authority.root("New Root", OWNER, signed_by=root)  # 7.1, the note: the old root may be gone
    server_side = server_context([new.issue("server", common_name=HOST, organization=OWNER)])
    client_side = client_context([new.certificate])
    assert succeeds(server_side, client_side)
    client_side.verify_flags &= ~ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not succeeds(server_side, client_side)
    client = new.issue("client", common_name="SN-1", organization=OWNER)
    asking = server_context([new.issue("server", common_name=HOST, organization=OWNER)], [new.certificate], "required")
    assert succeeds(asking, client_context([new.certificate], client))


def test_a_small_key_is_refused_at_both_ends(root: Authority, credentials: list[Credential], tmp_path: Path) -> None:
    server = root.issue("server", common_name=HOST, kind="RSA", organization=OWNER, bits=1024)
    with pytest.raises(ssl.SSLError, match="EE_KEY_TOO_SMALL"):
        server_context([server])
    weak = lax(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    weak.load_cert_chain(*server.save(tmp_path, "server"))
    client_side = client_context([root.certificate])
    _, end = meet(weak, client_side)
    assert (end.cause, end.words) == ("certificate", "EE certificate key too weak")
    assert succeeds(weak, lax(client_side))
    asking = server_context(credentials, [root.certificate], "required")
    weak_client = lax(client_context([root.certificate]))
    small = root.issue("client", common_name="SN-1", kind="RSA", organization=OWNER, bits=1024)
    weak_client.load_cert_chain(*small.save(tmp_path, "client"))
    end, _ = meet(asking, weak_client)
    assert (end.cause, end.words) == ("certificate", "EE certificate key too weak")
    assert succeeds(lax(asking), weak_client)


# --- names: A00.FR.308


@pytest.mark.parametrize(
    ("common_name", "names", "host", "fits"),
    [
        (HOST, [], HOST, True),
        ("CSMS.Example", [], HOST, True),
        (HOST, ["vpn.example"], "vpn.example", True),
        (HOST, ["vpn.example", HOST], HOST, True),
        (HOST, ["vpn.example"], HOST, False),  # the note on A00.FR.511: a dnsName is the identity
        (HOST, ["10.0.0.1"], HOST, True),
        (HOST, [], "127.0.0.1", False),
        ("127.0.0.1", [], "127.0.0.1", True),
        (HOST, ["127.0.0.1"], "127.0.0.1", True),
        (HOST, ["127.0.0.2"], "127.0.0.1", False),
        ("::1", [], "::1", True),
        ("", [HOST], HOST, True),
    ],
)
def test_the_name_in_the_url(root: Authority, common_name: str, names: list[str], host: str, fits: bool) -> None:
    credential = root.issue("server", common_name=common_name, organization=OWNER, dns_names=names)
    server, client = meet(server_context([credential]), client_context([root.certificate]), host)
    if fits:
        assert client.error is server.error is None
    else:
        assert client.cause == "certificate"
        assert "mismatch" in client.words


# --- causes


def record(content: bytes, kind: int = HANDSHAKE, version: bytes = b"\3\1") -> bytes:
    return bytes([kind]) + version + len(content).to_bytes(2, "big") + content


def message(body: bytes, kind: int = 1) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def hello_body(suites: bytes = b"\xc0\x2b", compression: bytes = b"\0", extensions: bytes | None = b"") -> bytes:
    body = b"\3\3" + bytes(32) + b"\0" + len(suites).to_bytes(2, "big") + suites
    body += bytes([len(compression)]) + compression
    return body if extensions is None else body + len(extensions).to_bytes(2, "big") + extensions


def cause_after(context: ssl.SSLContext, data: bytes, *, server_side: bool = False) -> str:
    """Why a handshake fails with what the other side says first."""
    theirs = ssl.MemoryBIO()
    end = context.wrap_bio(theirs, ssl.MemoryBIO(), server_side, None if server_side else HOST)
    with pytest.raises(ssl.SSLWantReadError):
        end.do_handshake()
    theirs.write(data)
    with pytest.raises(ssl.SSLError) as caught:
        end.do_handshake()
    return cause_of(caught.value)[0]


@pytest.mark.parametrize(
    ("alert", "cause"),
    [
        (10, "tls"),  # unexpected_message
        (40, "cipher suite"),  # handshake_failure
        (42, "certificate"),  # bad_certificate
        (43, "certificate"),  # unsupported_certificate
        (44, "certificate"),  # certificate_revoked
        (45, "certificate"),  # certificate_expired
        (46, "certificate"),  # certificate_unknown
        (48, "certificate"),  # unknown_ca
        (49, "certificate"),  # access_denied
        (70, "tls version"),  # protocol_version
        (71, "cipher suite"),  # insufficient_security
        (80, "tls"),  # internal_error
        (116, "certificate"),  # certificate_required
    ],
)
def test_what_an_alert_means(alert: int, cause: str) -> None:
    assert cause_after(client_context([]), record(bytes([2, alert]), kind=0x15)) == cause


@pytest.mark.parametrize(
    ("version", "suite", "cause"),
    [
        (b"\3\1", b"\x00\x2f", "tls version"),
        (b"\3\2", b"\xc0\x2b", "tls version"),
        (b"\3\3", b"\x00\x2f", "cipher suite"),  # known, and not offered
        (b"\3\3", b"\xfe\xfe", "cipher suite"),
    ],
)
def test_a_server_that_takes_what_was_not_offered(version: bytes, suite: bytes, cause: str) -> None:
    chosen = version + bytes(32) + b"\0" + suite + b"\0"
    assert cause_after(client_context([]), record(message(chosen, kind=2))) == cause


@pytest.mark.parametrize(
    ("version", "cause"), [(b"\3\0", "tls version"), (b"\3\1", "tls version"), (b"\3\3", "cipher suite")]
)
def test_a_client_from_long_ago(credentials: list[Credential], version: bytes, cause: str) -> None:
    body = version + hello_body(b"\x00\x05", extensions=None)[2:]  # TLS_RSA_WITH_RC4_128_SHA
    assert cause_after(server_context(credentials), record(message(body)), server_side=True) == cause


@pytest.mark.parametrize("server_side", [True, False])
def test_no_tls_at_all(credentials: list[Credential], server_side: bool) -> None:
    context = server_context(credentials) if server_side else client_context([])
    assert cause_after(context, b"HTTP/1.1 400 Bad Request\r\n\r\n", server_side=server_side) == "tls"


@pytest.mark.parametrize("error", [ConnectionResetError(), ssl.SSLError(), ssl.SSLEOFError(8, "EOF"), TimeoutError()])
def test_an_end_without_a_word(error: Exception) -> None:
    assert cause_of(error) == ("tls", "the other side ended the TLS handshake")


def test_nothing_is_compressed(root: Authority, credentials: list[Credential]) -> None:
    for context in (server_context(credentials), client_context([root.certificate])):
        assert context.options & ssl.OP_NO_COMPRESSION


# --- over a socket


Connect = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def s_client() -> Iterator[Connect]:
    program = shutil.which("openssl")
    require(program is not None, "there is no openssl to connect with")
    assert program is not None
    running: list[subprocess.Popen[str]] = []

    def run(port: int, *options: str) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        command = [program, "s_client", "-connect", f"127.0.0.1:{port}", *options]
        running.append(subprocess.Popen(command, text=True, **pipes))  # type: ignore[call-overload]  # noqa: S603 ours
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.communicate()


@contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port; who connects first is served in a thread of his own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(30)
                serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            thread.join()


def renegotiates(context: ssl.SSLContext, s_client: Connect) -> bool:
    def echo(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as tls:
                while data := tls.recv(100):
                    tls.sendall(data)
        except OSError:
            return

    with serving(echo) as port:
        process = s_client(port, "-tls1_2")
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("R\n")  # asks for it, as the first letter of what is read at once
        process.stdin.flush()
        while (line := process.stdout.readline()) != "RENEGOTIATING\n":
            assert line, "s_client is gone"
        with suppress(BrokenPipeError):
            process.stdin.write("still here\n")
            process.stdin.flush()
        is_echoed = any(line == "still here\n" for line in process.stdout)
        process.kill()
    return is_echoed


def test_renegotiation_is_refused(credentials: list[Credential], s_client: Connect) -> None:
    context = server_context(credentials)
    context.options |= ALLOW_CLIENT_RENEGOTIATION  # OpenSSL 3 wants that besides
    assert not renegotiates(context, s_client)
    context.options &= ~ssl.OP_NO_RENEGOTIATION
    assert renegotiates(context, s_client)


ALLOW_CLIENT_RENEGOTIATION = 1 << 8  # SSL_OP_..., which ssl has no name for


# --- what was offered: RFC 5246 7.4.1.2, RFC 8446 4.1.2


def hello_of(context: ssl.SSLContext) -> bytes:
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=HOST)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


def read(data: bytes) -> ClientHello:
    hello = read_client_hello(data)
    assert hello is not None
    return hello


def test_the_hello_of_a_charge_point(root: Authority) -> None:
    hello = read(hello_of(client_context([root.certificate])))
    assert hello.versions == ["TLSv1.3", "TLSv1.2"]
    assert [suite for suite in hello.suites if suite in SUITES] == list(SUITES)
    assert hello.compression == ["null"]  # A00.FR.320
    assert hello.as_facts() == {
        "versions": hello.versions,
        "suites": hello.suites,
        "compression": hello.compression,
    }


@pytest.mark.parametrize("suite", REQUIRED_SUITES)
def test_a_charge_point_offers_what_it_is_told_to(root: Authority, suite: str) -> None:
    hello = read(hello_of(client_context([root.certificate], suites=[suite])))
    assert hello.versions == ["TLSv1.2"]
    assert [each for each in hello.suites if "SCSV" not in each] == [suite]


@pytest.mark.parametrize(
    ("options", "versions", "suites"),
    [
        ((), {"TLSv1.3", "TLSv1.2"}, {"TLS_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"}),
        (("-tls1_3",), {"TLSv1.3"}, {"TLS_AES_128_GCM_SHA256"}),
        (("-tls1_2",), {"TLSv1.2"}, {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}),
        (("-tls1_1", "-cipher", "AES128-SHA:@SECLEVEL=0"), {"TLSv1.1"}, {"TLS_RSA_WITH_AES_128_CBC_SHA"}),
        (("-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0"), {"TLSv1"}, {"TLS_RSA_WITH_AES_128_CBC_SHA"}),
        (("-servername", "a" * 60 + ".example"), {"TLSv1.3", "TLSv1.2"}, {"TLS_AES_128_GCM_SHA256"}),
    ],
)
def test_the_hello_of_openssl(
    s_client: Connect, options: tuple[str, ...], versions: set[str], suites: set[str]
) -> None:
    heard: list[bytes] = []

    def hear(connection: socket.socket) -> None:
        data = b""
        while read_client_hello(data) is None:
            more = connection.recv(7)
            assert more, "s_client is gone"
            data += more
        heard.append(data)

    with serving(hear) as port:
        s_client(port, *options)
    hello = read(heard[0])
    assert set(hello.versions) - {"TLSv1", "TLSv1.1"} == versions - {"TLSv1", "TLSv1.1"}
    assert versions <= set(hello.versions)
    assert suites <= set(hello.suites)
    assert hello.compression == ["null"]


def test_a_hello_that_is_cut_anywhere(root: Authority) -> None:
    data = hello_of(client_context([root.certificate]))
    whole = read(data)
    for length in range(len(data)):
        assert read_client_hello(data[:length]) is None
    assert read_client_hello(data + b"and more") == whole


def extension(kind: int, content: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def test_a_hello_in_many_records(root: Authority) -> None:
    content = message(hello_body())
    data = b"".join(record(content[at : at + 3]) for at in range(0, len(content), 3))
    for length in range(len(data) - 3):
        read_client_hello(data[:length])
    assert read(data) == read(record(content))


def test_what_is_offered_is_told_in_its_order() -> None:
    versions = extension(43, b"\4\3\4\3\1")
    hello = read(
        record(message(hello_body(b"\x00\x2f\xc0\x2b\xfe\xfe\x00\xff", b"\0\1\x40", extension(0, b"") + versions)))
    )
    assert hello.versions == ["TLSv1.3", "TLSv1"]
    assert hello.suites == [
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "0xFEFE",
        "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
    ]
    assert hello.compression == ["null", "DEFLATE", "0x40"]


def test_a_hello_without_extensions_has_one_version() -> None:
    assert read(record(message(hello_body(extensions=None)))).versions == ["TLSv1.2"]


def test_grease_means_nothing() -> None:
    # RFC 8701: a suite, an extension and a version that no one may know.
    extensions = extension(0x1A1A, b"\0") + extension(43, b"\6\x3a\x3a\3\4\3\3")
    hello = read(record(message(hello_body(b"\x0a\x0a\xc0\x2b\xfa\xfa", extensions=extensions))))
    assert hello.suites == ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]
    assert hello.versions == ["TLSv1.3", "TLSv1.2"]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"G",
        bytes.fromhex("802e0103010015000000100100800300800700c0"),  # SSL 2.0
        record(message(hello_body()), kind=0x17),
        record(message(hello_body()), version=b"\2\0"),
        record(message(hello_body(), kind=2)),
        record(b"\2"),
        record(b""),
        b"\x16\3\1\xff\xff",
        record(b"\1\1\0\1"),
        record(message(hello_body()[:-3])),
        record(message(hello_body()[:34])),
        record(message(b"")),
        record(message(hello_body(b"\xc0"))),
        record(message(hello_body(extensions=b"\0"))),
        record(message(hello_body(extensions=b"\0\x2b\0\1\4"))),
        record(message(hello_body(extensions=extension(43, b"\3\3\4\3")))),
    ],
)
def test_what_is_no_hello(data: bytes) -> None:
    with pytest.raises(NoHello):
        read_client_hello(data)


def test_a_hello_that_is_too_long_is_not_waited_for() -> None:
    assert read_client_hello(b"") is None
    assert read_client_hello(record(b"\1" + LONGEST_HELLO.to_bytes(3, "big"))) is None
    with pytest.raises(NoHello, match="too long"):
        read_client_hello(record(b"\1" + (LONGEST_HELLO + 1).to_bytes(3, "big")))


@settings(max_examples=500, deadline=None)
@given(st.binary())
@example(b"\x16")
def test_no_bytes_surprise_who_reads_them(data: bytes) -> None:
    for heard in (data, record(data), record(message(data)), record(message(hello_body(extensions=data)))):
        try:
            hello = read_client_hello(heard)
        except NoHello:
            continue
        assert hello is None or isinstance(hello, ClientHello)


@settings(max_examples=500, deadline=None)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_spoilt_hello_surprises_nobody(at: int, byte: int) -> None:
    spoilt = bytearray(PYTHON_HELLO)
    spoilt[at % len(spoilt)] = byte
    try:
        hello = read_client_hello(bytes(spoilt))
    except NoHello:
        return
    assert hello is None or hello.suites is not None


PYTHON_HELLO = hello_of(client_context([]))


# --- names of suites


def test_the_names_of_suites_are_those_of_the_iana() -> None:
    program = shutil.which("openssl")
    require(program is not None, "there is no openssl to ask")
    assert program is not None
    listed = subprocess.run(  # noqa: S603 ours
        [program, "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    register = {
        int(first + second, 16): (iana, openssl)
        for first, second, iana, openssl in re.findall(r"0x(..),0x(..) - (\S+)\s+- (\S+)", listed)
    }
    known = {code: names for code, names in _SUITES.items() if not names[0].endswith("_SCSV") and code in register}
    assert len(known) >= len(_SUITES) - 3  # OpenSSL may come without 3DES
    for code, (iana, openssl) in known.items():
        assert register[code] == (iana, openssl or iana)
        assert suite_name(openssl or iana) == iana


def test_a_suite_that_nobody_knows_keeps_its_name() -> None:
    assert suite_name("PSK-AES128-CCM") == "PSK-AES128-CCM"
