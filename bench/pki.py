"""The keys and certificates of a rehearsal, made when they are first asked for.

In a directory that the user names they are kept and found again; what he puts there himself, under the same names, is
used instead. Without one they live as long as the run.
"""

import os
import ssl
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from bench.device import BadSetting
from ocppj.authority import EXPIRED, Authority, Credential, key_pem, sign
from ocppj.certificates import BadCertificate, Certificate, load, load_chain, load_key, pem
from ocppj.tls import client_context, server_context

ORGANIZATION = "Rehearsal CPO"
MANUFACTURER = "Rehearsal"

# The files of a directory: with a key beside it, and certificates alone.
CREDENTIALS = (
    "CentralSystemRoot",
    "ManufacturerRoot",
    "CentralSystemRSA",
    "CentralSystemEC",
    "ChargePoint",
    "FirmwareSigning",
)
CERTIFICATES = ("NewCentralSystemRoot", "SuccessorCentralSystemRoot", "NewManufacturerRoot", "ExpiredCentralSystemRoot")

Read = TypeVar("Read")


class Pki:
    """Who signs and who is signed, in the hierarchies of the white paper (2.6.2).

    ``host``: the name by which a Charge Point reaches our Central System (A00.FR.510). ``serial_number``: that of the
    Charge Point (A00.FR.511). ``organization``: the O of all but the manufacturer's certificates (A00.FR.404).
    ``server``: what our Central System shows, where that is not to be made here.
    """

    def __init__(
        self,
        directory: Path | None,
        *,
        host: str,
        serial_number: str,
        organization: str = ORGANIZATION,
        server: Credential | None = None,
    ) -> None:
        """Raises ``BadSetting`` for a directory that is none, or holds what cannot be used."""
        self.directory = directory
        self._host = host
        self._serial_number = serial_number
        self._organization = organization
        self._server = server
        self._check()

    # Authorities

    @cached_property
    def central_system_root(self) -> Authority:
        """Who signs the certificates of the Central System and of Charge Points."""
        return self._authority("CentralSystemRoot", "Central System Root", self._organization)

    @cached_property
    def manufacturer_root(self) -> Authority:
        """Who signs the certificates that firmware is signed with."""
        return self._authority("ManufacturerRoot", "Manufacturer Root", MANUFACTURER)

    # Credentials

    @cached_property
    def server(self) -> tuple[Credential, ...]:
        """What the Central System shows: an RSA and an ECDSA chain (the note on A00.FR.317), or the one given."""
        if self._server is not None:
            return (self._server,)
        root, name, by = self.central_system_root, self._host, self._organization
        return (
            self._credential(
                "CentralSystemRSA", lambda: root.issue("server", common_name=name, organization=by, kind="RSA")
            ),
            self._credential("CentralSystemEC", lambda: root.issue("server", common_name=name, organization=by)),
        )

    @cached_property
    def charge_point(self) -> Credential:
        """What our Charge Point shows in profile 3."""
        return self._credential(
            "ChargePoint",
            lambda: self.central_system_root.issue(
                "client", common_name=self._serial_number, organization=self._organization
            ),
        )

    @cached_property
    def firmware_signing(self) -> Credential:
        """What our firmware is signed with; no authority stands between it and the root (L01, remarks)."""
        return self._credential(
            "FirmwareSigning",
            lambda: self.manufacturer_root.issue("firmware", common_name="Firmware Signing", organization=MANUFACTURER),
        )

    # What sentences name

    @cached_property
    def new_root(self) -> str:
        """A root of the Central System to be installed beside the present one."""
        return self._text("NewCentralSystemRoot", lambda: self._root("New Central System Root"))

    @cached_property
    def successor_root(self) -> str:
        """One to be installed instead of the present one, which has signed it (M05.FR.09)."""

        def make() -> Authority:
            return Authority.root(
                "Successor Central System Root", self._organization, signed_by=self.central_system_root
            )

        return self._text("SuccessorCentralSystemRoot", make)

    @cached_property
    def new_manufacturer_root(self) -> str:
        """A root of the manufacturer to be installed."""
        return self._text("NewManufacturerRoot", lambda: Authority.root("New Manufacturer Root", MANUFACTURER))

    @cached_property
    def expired_root(self) -> str:
        """A root of the Central System that nobody may install: it expired in 2001."""
        return self._text(
            "ExpiredCentralSystemRoot",
            lambda: Authority.root("Expired Central System Root", self._organization, validity=EXPIRED),
        )

    def firmware_signature(self, image: bytes) -> str:
        """The signature of an image, in base64."""
        return sign(self.firmware_signing.key, image)

    # Files

    def _check(self) -> None:
        """Read all that is there: whoever has put it there is told at once, and not in the case that needs it."""
        if self.directory is None or not self.directory.exists():
            return
        if not self.directory.is_dir():
            raise BadSetting(f"--pki {self.directory} is no folder")
        for file in CREDENTIALS:
            self._found(file)
        for file in CERTIFICATES:
            if (path := self.directory / f"{file}.pem").exists():
                _read(path, load)

    def _root(self, name: str) -> Authority:
        return Authority.root(name, self._organization)

    def _authority(self, file: str, name: str, organization: str) -> Authority:
        if (found := self._found(file)) is not None:
            return Authority(found.key, found.certificate, found.chain[:-1] if len(found.chain) > 1 else ())
        authority = Authority.root(name, organization)
        self._save(file, pem(authority.certificate), key_pem(authority.key))
        return authority

    def _credential(self, file: str, make: Callable[[], Credential]) -> Credential:
        if (found := self._found(file)) is not None:
            return found
        credential = make()
        self._save(file, credential.chain_pem, credential.key_pem)
        return credential

    def _text(self, file: str, make: Callable[[], Authority]) -> str:
        if self.directory is not None and (path := self.directory / f"{file}.pem").exists():
            return pem(_read(path, load))
        text = pem(make().certificate)
        self._save(file, text)
        return text

    def _found(self, file: str) -> Credential | None:
        if self.directory is None or not (path := self.directory / f"{file}.pem").exists():
            return None
        return read_credential(path, path.with_suffix(".key"))

    def _save(self, file: str, text: str, key: str | None = None) -> None:
        if self.directory is None:
            return
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            (self.directory / f"{file}.pem").write_text(text, encoding="ascii")
            if key is not None:
                write_secret(self.directory / f"{file}.key", key)
        except OSError as error:
            raise BadSetting(f"--pki {self.directory}: {error.strerror}") from None


def read_roots(path: Path) -> list[Certificate]:
    """The certificates of a file. Raises ``BadSetting``."""
    roots = _read(path, load_chain)
    _let_tls_take(path, lambda: client_context(roots))
    return roots


def read_credential(chain: Path, key: Path) -> Credential:
    """A certificate, behind it those that lead to the root, and its key. Raises ``BadSetting``."""
    certificates, private = _read(chain, load_chain), _read(key, load_key)
    if certificates[0].public_key() != private.public_key():
        raise BadSetting(f"{key} is not the key of the certificate in {chain}")
    credential = Credential(private, tuple(certificates))
    _let_tls_take(chain, lambda: server_context([credential]))
    return credential


def write_secret(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, whole or not at all. Raises ``OSError``."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _let_tls_take(path: Path, make: Callable[[], ssl.SSLContext]) -> None:
    """Find out whether OpenSSL takes certificates, which must be as strong as A00.FR.501 to 504 have it."""
    try:
        make()
    except ssl.SSLError as error:
        raise BadSetting(
            f"{path}: TLS does not take it: {(error.reason or str(error)).replace('_', ' ').lower()}"
        ) from None


def _read(path: Path, read: Callable[[str], Read]) -> Read:
    try:
        return read(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, BadCertificate) as error:
        raise BadSetting(f"{path}: {error}") from None
