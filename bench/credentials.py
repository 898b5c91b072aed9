"""What the Charge Point of a run identifies itself with, through all cases that change it.

After a kill in the middle of such a case nobody else would know the password of a Charge Point any more: what is about
to count is therefore written, for its owner alone to read, before the request for it is sent or answered.
"""

import json
from pathlib import Path
from typing import Any

from bench.device import BadSetting, Device
from bench.pki import write_secret
from ocppj.authority import Credential
from ocppj.certificates import BadCertificate, load_chain, load_key
from ocppj.frames import Payload
from ocppj.secrets import keep


def key_proposed(action: str, payload: Payload) -> bytes | None:
    """The AuthorizationKey that a request asks to use; None if it asks for none, or for one that is none."""
    if action != "ChangeConfiguration" or str(payload.get("key", "")).casefold() != "authorizationkey":
        return None
    try:
        return bytes.fromhex(str(payload.get("value")))
    except ValueError:
        return None


class Credentials:
    """The password and the certificate of one Charge Point.

    ``given``: the password that the user has told. ``authorization_key``: the one that counts, as far as is known. None
    if there is none. ``others``: what may count instead, the likelier first: a change was under way when an earlier run
    ended. ``certificate``: that of our own Charge Point, None where it is not ours or has none.
    """

    def __init__(self, device: Device, certificate: Credential | None = None) -> None:
        """Of a device as the user tells of it, and as an earlier run has left it. Raises ``BadSetting``."""
        self.authorization_key = self.given = device.security.password
        self.certificate = self._given_certificate = certificate
        self.others: list[bytes] = []
        self._identity = device.identity
        self._path = device.security.store if device.is_external else None
        if left := self._left():
            self._take_over(left)
        for key in (self.authorization_key, *self.others):
            if key is not None:
                keep(key, self._identity)

    @property
    def is_as_given(self) -> bool:
        """Whether what counts is what the user has told."""
        return not self.others and (self.authorization_key, self.certificate) == (self.given, self._given_certificate)

    def propose(self, key: bytes) -> None:
        """A password is about to be asked for; whether it will count is not known yet."""
        keep(key, self._identity)
        self.others = [key, *(other for other in self.others if other != key)]
        self._write()

    def settle(self, key: bytes) -> None:
        """This password counts, and no other."""
        keep(key, self._identity)
        self.authorization_key, self.others = key, []
        self._write()

    def renew(self, certificate: Credential | None) -> None:
        """This certificate is used from now on."""
        if certificate != self.certificate:
            self.certificate = certificate
            self._write()

    def _left(self) -> dict[str, Any]:
        entry: dict[str, Any] = self._all().get(self._identity, {})
        return entry

    def _all(self) -> dict[str, Any]:
        if self._path is None or not self._path.exists():
            return {}
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
            if not isinstance(entries, dict):
                raise ValueError("it holds no credentials")
        except OSError as error:
            raise BadSetting(f"{self._path}: {error.strerror}") from None
        except ValueError as error:
            raise BadSetting(f"{self._path}: {error}") from None
        return entries

    def _take_over(self, left: dict[str, Any]) -> None:
        try:
            keys = [bytes.fromhex(text) for text in (*left["maybe"], *left["authorizationKey"])]
            if (pair := left["certificate"]) is not None:
                self.certificate = Credential(load_key(pair["key"]), tuple(load_chain(pair["chain"])))
        except (KeyError, TypeError, ValueError, BadCertificate):
            raise BadSetting(f"{self._path}: what it tells of {self._identity} cannot be read") from None
        known = [*keys, *([self.given] if self.given is not None else [])]
        self.others = list(dict.fromkeys(known))
        if self.others:
            self.authorization_key = self.others.pop(0)

    def _write(self) -> None:
        if self._path is None:
            return
        entries = self._all()
        if self.is_as_given:
            entries.pop(self._identity, None)
        else:
            entries[self._identity] = {
                "authorizationKey": [self.authorization_key.hex()] if self.authorization_key is not None else [],
                "maybe": [key.hex() for key in self.others],
                "certificate": self._kept_certificate(),
            }
        if entries:
            write_secret(self._path, json.dumps(entries, indent=2))
        else:
            self._path.unlink(missing_ok=True)

    def _kept_certificate(self) -> dict[str, str] | None:
        if self.certificate is None or self.certificate == self._given_certificate:
            return None
        return {"key": self.certificate.key_pem, "chain": self.certificate.chain_pem}

    @property
    def kept_in(self) -> Path | None:
        """The file with what the user has not told; None if there is nothing of the kind."""
        return None if self.is_as_given else self._path
