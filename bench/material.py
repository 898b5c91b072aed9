"""The keys, certificates and signatures that sentences name, made when a sentence asks for them."""

import base64
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from secrets import token_bytes

from bench.bench import Bench
from bench.device import Device
from bench.files import Images
from bench.pki import Pki, read_roots
from ocppj.certificates import pem
from ocppj.secrets import keep

ALWAYS = (
    "NewAuthorizationKey",
    "SecurityProfile",
    "NextSecurityProfile",
    "LowerSecurityProfile",
    "CentralSystemRootCertificate",
    "NewCentralSystemRootCertificate",
    "NewManufacturerRootCertificate",
    "ExpiredCentralSystemRootCertificate",
)
OF_SIGNED_FIRMWARE = ("FirmwareSigningCertificate", "FirmwareSignature", "InvalidFirmwareSignature")


def names(device: Device) -> frozenset[str]:
    """What there is for a device, before anything is made."""
    return frozenset((*ALWAYS, *(OF_SIGNED_FIRMWARE if _has_signed_firmware(device) else ())))


def _has_signed_firmware(device: Device) -> bool:
    """Firmware of somebody else is signed by its manufacturer, and its Charge Point knows no other."""
    given = device.file_servers
    is_given = bool(given["FirmwareSignatureFile"] and given["FirmwareSigningCertificateFile"])
    return is_given or device.listen is None


class Material(Mapping[str, Callable[[], object]]):
    """By name, what makes it; the same each time for one case."""

    def __init__(self, bench: Bench, pki: Pki) -> None:
        self._bench = bench
        self._pki = pki
        self._made: dict[str, Callable[[], object]] = {
            "NewAuthorizationKey": cache(self._new_authorization_key),
            "SecurityProfile": lambda: bench.security_profile,
            "NextSecurityProfile": lambda: bench.security_profile + 1,
            "LowerSecurityProfile": lambda: bench.security_profile - 1,
            "CentralSystemRootCertificate": self._present_root,
            "NewCentralSystemRootCertificate": self._new_root,
            "NewManufacturerRootCertificate": lambda: pki.new_manufacturer_root,
            "ExpiredCentralSystemRootCertificate": lambda: pki.expired_root,
        }
        if _has_signed_firmware(bench.device):
            self._made |= {
                "FirmwareSigningCertificate": self._signing_certificate,
                "FirmwareSignature": cache(self._signature),
                "InvalidFirmwareSignature": lambda: _with_a_bit_flipped(str(self["FirmwareSignature"]())),
            }

    def __getitem__(self, name: str) -> Callable[[], object]:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def _new_authorization_key(self) -> str:
        """A01.FR.07: random; as long as 7.2 allows."""
        key = token_bytes(20)
        keep(key, self._bench.device.identity)
        return key.hex().upper()

    def _present_root(self) -> str:
        """Who has signed the certificate of the Central System: the user says so of one under test."""
        ca = self._bench.device.security.tls_ca
        if self._bench.device.url is not None and ca is not None:
            return pem(read_roots(ca)[0])
        return pem(self._pki.central_system_root.certificate)

    def _new_root(self) -> str:
        """M05.FR.09: where AdditionalRootCertificateCheck is true, the present root must have signed the new one."""
        for entry in self._bench.reported_configuration():
            if entry["key"].casefold() == "additionalrootcertificatecheck":
                return self._pki.successor_root if entry.get("value", "").casefold() == "true" else self._pki.new_root
        return self._pki.new_root

    def _signing_certificate(self) -> str:
        if path := self._bench.device.file_servers["FirmwareSigningCertificateFile"]:
            return Path(path).read_text(encoding="utf-8")
        return self._pki.firmware_signing.chain_pem

    def _signature(self) -> str:
        if path := self._bench.device.file_servers["FirmwareSignatureFile"]:
            return _as_base64(Path(path).read_bytes())
        image = Images.of(self._bench.device).good
        assert image is not None
        return self._pki.firmware_signature(image)


def _as_base64(content: bytes) -> str:
    """A signature as a file has it, in base64 or in bytes."""
    text = b"".join(content.split())
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return base64.b64encode(content).decode()
    return text.decode()


def _with_a_bit_flipped(signature: str) -> str:
    """A signature that fits nothing, and looks like one."""
    raw = bytearray(base64.b64decode(signature))
    raw[-1] ^= 1
    return base64.b64encode(raw).decode()
