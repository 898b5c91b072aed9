"""The signed update (L01) and the logs (N01) of the white paper, with files and signatures that really are checked."""

import hashlib
import json
from functools import cache
from typing import Any

import pytest

from bench.files import FileServer
from ocppj.authority import EXPIRED, NOT_YET, Authority, Credential, sign
from ocppj.certificates import pem
from ocppj.clock import VIRTUAL_START, timestamp
from ocppj.errors import Refused
from simulator.charge_point import PROFILES
from simulator.firmware_management import firmware_image
from simulator.memory import Memory
from tests.simulator.scene import QUIET, Scene, scene
from tests.simulator.test_firmware_management import with_files

SECURE = (*PROFILES, "Security")
NOW = timestamp(VIRTUAL_START)
PAST = "2001-01-01T00:00:00Z"
IMAGE = firmware_image("1.1.0")
MANUFACTURER = Authority.root("Manufacturer", "Rehearsal")
SIGNER = MANUFACTURER.issue("firmware", common_name="Firmware", organization="Rehearsal")
UPDATE = [
    "SignedUpdateFirmware.conf Accepted",
    "SignedFirmwareStatusNotification Downloading",
    "SignedFirmwareStatusNotification Downloaded",
    "SignedFirmwareStatusNotification SignatureVerified",
    "StatusNotification 0 Unavailable",
    "StatusNotification 1 Unavailable",
    "SignedFirmwareStatusNotification Installing",
    "SignedFirmwareStatusNotification InstallRebooting",
    "BootNotification",
    "SecurityEventNotification",
    "SecurityEventNotification",
    "SecurityEventNotification",
    "StatusNotification 0 Available",
    "StatusNotification 1 Available",
    "SignedFirmwareStatusNotification Installed",
]


@cache
def rsa_signer() -> Credential:
    return MANUFACTURER.issue("firmware", common_name="Firmware", organization="Rehearsal", kind="RSA")


def memory() -> Memory:
    return Memory(manufacturer_roots=[pem(MANUFACTURER.certificate)])


def firmware(location: str, signer: Credential = SIGNER, image: bytes = IMAGE, **fields: Any) -> dict[str, Any]:
    return {
        "location": location,
        "retrieveDateTime": NOW,
        "signingCertificate": pem(signer.certificate),
        "signature": sign(signer.key, image),
        **fields,
    }


async def update(stage: Scene, wanted: dict[str, Any], request_id: int = 7, **fields: Any) -> str:
    conf = await stage.ask("SignedUpdateFirmware", requestId=request_id, firmware=wanted, **fields)
    return str(conf["status"])


def told(stage: Scene, action: str = "SignedFirmwareStatusNotification") -> list[tuple[str, int | None]]:
    return [(seen.payload["status"], seen.payload.get("requestId")) for seen in stage.calls(action)]


def statuses(stage: Scene, action: str = "SignedFirmwareStatusNotification") -> list[str]:
    return [status for status, _ in told(stage, action)]


def events(stage: Scene) -> list[str]:
    return [seen.payload["type"] for seen in stage.calls("SecurityEventNotification")]


@pytest.mark.parametrize("scheme", ["ECDSA", "RSA-PSS", "RSA-PKCS1v15"])
async def test_an_update(scheme: str) -> None:
    async with with_files(profiles=SECURE, memory=memory()) as (stage, files):
        signer = SIGNER if scheme == "ECDSA" else rsa_signer()
        signature = sign(signer.key, IMAGE, pkcs1v15=scheme == "RSA-PKCS1v15")
        assert await update(stage, firmware(files["FirmwareUrl"], signer, signature=signature)) == "Accepted"
        await stage.pass_time(60)
        assert events(stage) == ["StartupOfTheDevice", "ResetOrReboot", "FirmwareUpdated"]
        assert {request_id for _, request_id in told(stage)} == {7}  # L01.FR.10
        assert stage.calls("BootNotification")[0].payload["firmwareVersion"] == "1.1.0"
        assert stage.story() == UPDATE
        log = [entry["text"] for entry in stage.charge_point.memory.log]
        assert f"firmware signature: {scheme}" in log


def flipped(text: str) -> str:
    return text.replace(text[20], "A" if text[20] != "A" else "B", 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"signature": "nonsense!"},
        {"signature": ""},
        {"signature": flipped(sign(SIGNER.key, IMAGE))},
        {"signature": sign(SIGNER.key, IMAGE + b"\0")},
        {"signature": sign(MANUFACTURER.key, IMAGE)},
    ],
)
@pytest.mark.parametrize("takes_any_image", [False, True])
async def test_a_wrong_signature(fields: dict[str, Any], takes_any_image: bool) -> None:
    async with with_files(profiles=SECURE, memory=memory()) as (stage, files):
        stage.charge_point.firmware_management.takes_any_image = takes_any_image
        assert await update(stage, firmware(files["FirmwareUrl"], **fields)) == "Accepted"
        await stage.pass_time(60)
        assert stage.story() == [
            "SignedUpdateFirmware.conf Accepted",
            "SignedFirmwareStatusNotification Downloading",
            "SignedFirmwareStatusNotification Downloaded",
            "SignedFirmwareStatusNotification InvalidSignature",
            "SecurityEventNotification",
        ]
        assert stage.charge_point.memory.security_log[-1]["type"] == "InvalidFirmwareSignature"  # L01.FR.03
        assert stage.charge_point.memory.firmware_version is None
        assert stage.charge_point.connectors[1].status == "Available"


BAD_SIGNERS = {
    "nobody knows": pem(Authority.root("R", "O").issue("firmware", common_name="F", organization="O").certificate),
    "expired": pem(
        MANUFACTURER.issue("firmware", common_name="F", organization="O", validity=EXPIRED).certificate,
    ),
    "not yet valid": pem(
        MANUFACTURER.issue("firmware", common_name="F", organization="O", validity=NOT_YET).certificate,
    ),
    "nobody's": pem(MANUFACTURER.issue("firmware", common_name="F", organization="").certificate),  # A00.FR.509
    "small key": pem(MANUFACTURER.issue("firmware", common_name="F", organization="O", bits=192).certificate),
    "through another": pem(
        MANUFACTURER.subordinate("S", "O").issue("firmware", common_name="F", organization="O").certificate
    ),
    "no PEM": "nonsense",
    "nothing": "",
    "two": pem(SIGNER.certificate, MANUFACTURER.certificate),
}


@pytest.mark.parametrize("bad", ["expired", "not yet valid", "small key", "nobody's", "no PEM", "nothing", "two"])
async def test_whoever_signs_a_bad_certificate_signs_nothing(bad: str) -> None:
    """L01.FR.23: of a manufacturer that nobody knows here too, whose images are taken all the same."""
    async with with_files(profiles=SECURE) as (stage, files):
        stage.charge_point.firmware_management.takes_any_image = True
        wanted = firmware(files["FirmwareUrl"], signingCertificate=BAD_SIGNERS[bad])
        assert await update(stage, wanted) == "InvalidCertificate"
        await stage.pass_time(60)
        assert stage.charge_point.memory.security_log[-1]["type"] == "InvalidFirmwareSigningCertificate"
        assert files.crossed == []


@pytest.mark.parametrize("bad", BAD_SIGNERS)
async def test_a_bad_signing_certificate(bad: str) -> None:
    async with with_files(profiles=SECURE, memory=memory()) as (stage, files):
        wanted = firmware(files["FirmwareUrl"], signingCertificate=BAD_SIGNERS[bad])
        assert await update(stage, wanted) == "InvalidCertificate"  # L01.FR.24
        await stage.pass_time(60)
        assert stage.story() == ["SignedUpdateFirmware.conf InvalidCertificate", "SecurityEventNotification"]
        assert stage.charge_point.memory.security_log[-1]["type"] == "InvalidFirmwareSigningCertificate"  # L01.FR.02
        assert files.crossed == []


async def test_without_the_root_of_the_manufacturer_nothing_is_signed_well() -> None:
    async with with_files(profiles=SECURE) as (stage, files):
        assert await update(stage, firmware(files["FirmwareUrl"])) == "InvalidCertificate"  # M04, remarks
        stage.charge_point.firmware_management.takes_any_image = True
        assert await update(stage, firmware(files["FirmwareUrl"])) == "Accepted"


async def test_an_image_that_cannot_be_installed() -> None:
    async with with_files(profiles=SECURE, memory=memory()) as (stage, files):
        image = await _downloaded(files.server, "/firmware/bad.bin")
        await update(stage, firmware(files["BadFirmwareUrl"], image=image))
        await stage.pass_time(60)
        assert statuses(stage) == ["Downloading", "Downloaded", "SignatureVerified", "InstallVerificationFailed"]


async def _downloaded(server: FileServer, path: str) -> bytes:
    return server._files[path]


async def test_a_download_and_an_installation_that_fail() -> None:
    async with with_files(profiles=SECURE, memory=memory()) as (stage, files):
        await update(stage, firmware(files["MissingFirmwareUrl"]), retries=1, retryInterval=10)
        await stage.pass_time(60)
        assert told(stage) == [("Downloading", 7), ("DownloadFailed", 7)]
        assert len(files.crossed) == 2
        stage.seen.clear()
        stage.charge_point.firmware_management.installation_fails = True
        await update(stage, firmware(files["FirmwareUrl"]), 8)
        await stage.pass_time(60)
        assert [status for status, _ in told(stage)][-2:] == ["Installing", "InstallationFailed"]
        assert "FirmwareUpdated" not in events(stage)


async def test_it_is_downloaded_and_installed_when_it_shall() -> None:
    async with with_files(profiles=SECURE, memory=memory()) as (stage, files):
        wanted = firmware(
            files["FirmwareUrl"],
            retrieveDateTime=timestamp(VIRTUAL_START.replace(hour=12)),
            installDateTime=timestamp(VIRTUAL_START.replace(hour=20)),
        )
        await update(stage, wanted)
        await stage.pass_time(3 * 3600)
        assert statuses(stage) == ["DownloadScheduled"]  # L01.FR.13
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(3 * 3600)
        assert statuses(stage) == [
            "DownloadScheduled",
            "Downloading",
            "Downloaded",
            "SignatureVerified",
            "InstallScheduled",  # L01.FR.16
        ]
        kept = stage.charge_point.memory
        assert Memory.from_dict(json.loads(json.dumps(kept.as_dict()))) == kept
        assert stage.charge_point.connectors[1].status == "Available"
        await stage.pass_time(8 * 3600)
        assert statuses(stage)[5:] == ["Installing", "InstallRebooting", "Installed"]  # L01.FR.17
        installing = next(seen for seen in stage.seen if seen.payload.get("status") == "Installing")
        assert installing.at == pytest.approx((VIRTUAL_START.replace(hour=20) - VIRTUAL_START).total_seconds(), abs=1)


async def test_it_waits_for_the_charging_session() -> None:
    async with with_files(profiles=SECURE, memory=memory(), connectors=2) as (stage, files):
        await stage.charge(1)
        await update(stage, firmware(files["FirmwareUrl"]))
        await stage.pass_time(1000)
        assert stage.story() == [*UPDATE[:4], "StatusNotification 2 Unavailable"]  # L01.FR.06, L01.FR.07
        await stage.charge_point.present("CAFE", 1)
        await stage.pass_time(1)
        await stage.charge_point.unplug(1)
        await stage.pass_time(60)
        assert statuses(stage)[-1] == "Installed"


async def test_a_later_request_cancels_an_earlier_one_that_is_not_being_installed() -> None:
    async with with_files(profiles=SECURE, memory=memory()) as (stage, files):
        later = firmware(files["FirmwareUrl"], installDateTime="2099-01-01T00:00:00Z")
        assert await update(stage, later, 1) == "Accepted"
        await stage.pass_time(10)
        assert await update(stage, firmware(files["FirmwareUrl"]), 2) == "AcceptedCanceled"  # L01.FR.26
        await stage.pass_time(1)
        assert told(stage)[-2:] == [("SignatureVerified", 2), ("Installing", 2)]
        assert await update(stage, firmware(files["FirmwareUrl"]), 3) == "Rejected"  # L01.FR.27
        await stage.pass_time(60)
        assert told(stage)[-1] == ("Installed", 2)


async def test_a_bad_certificate_cancels_nothing() -> None:
    async with with_files(profiles=SECURE, memory=memory()) as (stage, files):
        await update(stage, firmware(files["FirmwareUrl"], retrieveDateTime=timestamp(VIRTUAL_START.replace(hour=12))))
        bad = firmware(files["FirmwareUrl"], signingCertificate="nonsense")
        assert await update(stage, bad, 8) == "InvalidCertificate"
        await stage.pass_time(5 * 3600)
        assert told(stage)[-1] == ("Installed", 7)


@pytest.mark.parametrize("at", [2, 7])
async def test_a_power_cut_tells_the_update_once(at: float) -> None:
    """During the installation, and in the reboot."""
    async with with_files(profiles=SECURE, memory=memory()) as (stage, files):
        await update(stage, firmware(files["FirmwareUrl"]))
        await stage.pass_time(at)
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(0.5)
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(60)
        assert statuses(stage)[-1] == ("InstallationFailed" if at == 2 else "Installed")
        assert events(stage).count("FirmwareUpdated") == (0 if at == 2 else 1)


async def test_a_trigger_tells_the_last_status() -> None:
    async def triggered() -> tuple[str, int | None]:
        await stage.ask("ExtendedTriggerMessage", requestedMessage="FirmwareStatusNotification")
        return told(stage)[-1]

    async with with_files(profiles=SECURE, memory=memory()) as (stage, files):
        assert await triggered() == ("Idle", None)
        await update(stage, firmware(files["FirmwareUrl"]), 1)
        await stage.pass_time(1)
        assert await triggered() == ("Installing", 1)
        await stage.pass_time(60)
        assert told(stage)[-1] == ("Installed", 1)
        assert await triggered() == ("Idle", None)  # L01.FR.28
        await update(stage, firmware(files["MissingFirmwareUrl"]), 2, retries=0)
        await stage.pass_time(60)
        assert await triggered() == ("DownloadFailed", 2)  # L01.FR.29


async def test_the_other_update_is_for_who_has_no_security_profile() -> None:
    async with with_files(profiles=SECURE) as (stage, files):
        request = {"location": files["FirmwareUrl"], "retrieveDate": NOW}
        stage.charge_point.security.profile = 1
        with pytest.raises(Refused, match="NotSupported"):  # L01.FR.20
            await stage.ask("UpdateFirmware", **request)
        await stage.pass_time(60)
        assert files.crossed == []
        stage.charge_point.security.profile = 0
        await stage.ask("UpdateFirmware", **request)
        await stage.pass_time(60)
        assert statuses(stage, "FirmwareStatusNotification")[-1] == "Installed"
        assert events(stage)[-1] == "FirmwareUpdated"
        assert statuses(stage) == []


async def test_without_firmware_management_there_is_no_signed_update() -> None:
    async with scene(profiles=("Core", "Security"), memory=memory()) as stage:
        with pytest.raises(Refused, match="NotSupported"):
            await update(stage, firmware("ftp://h/x"))


# Logs


async def log(stage: Scene, location: str, kind: str = "SecurityLog", request_id: int = 9, **fields: Any) -> Any:
    parameters = {"remoteLocation": location} | fields.pop("period", {})
    return await stage.ask("GetLog", logType=kind, requestId=request_id, log=parameters, **fields)


@pytest.mark.parametrize("protocol", ["FTP", "HTTP"])
@pytest.mark.parametrize("kind", ["SecurityLog", "DiagnosticsLog"])
async def test_a_log(kind: str, protocol: str) -> None:
    async with with_files(profiles=SECURE, protocol=protocol) as (stage, files):
        stage.charge_point.security.happened("InvalidMessages", "of a stranger")
        conf = await log(stage, files["DiagnosticsUrl"], kind)
        await stage.pass_time(10)
        assert stage.story() == [
            "GetLog.conf Accepted",
            "LogStatusNotification Uploading",  # N01.FR.08
            "LogStatusNotification Uploaded",  # N01.FR.09
        ]
        (record,) = files.transcript.records
        assert record["fileName"] == conf["filename"]  # N01.FR.01
        uploaded = stage.charge_point.firmware_management.uploaded
        assert record["sha256"] == hashlib.sha256(uploaded).hexdigest()
        lines = [line.partition(" ")[2] for line in uploaded.decode().splitlines()]
        if kind == "SecurityLog":
            assert lines == ["StartupOfTheDevice", "InvalidMessages of a stranger"]  # N01.FR.03
        else:
            assert lines == ["start after PowerLoss", "registration Accepted", "GetLog.req came"]  # N01.FR.04


@pytest.mark.parametrize("kind", ["SecurityLog", "DiagnosticsLog"])
async def test_only_the_time_that_is_asked_for(kind: str) -> None:
    async with with_files(profiles=SECURE) as (stage, files):
        await stage.pass_time(100)
        then = stage.charge_point.timestamp()
        stage.charge_point.note("InvalidMessages")
        stage.charge_point.security.happened("InvalidMessages")
        await stage.pass_time(10)
        stage.charge_point.security.happened("AttemptedReplayAttacks")
        period = {"oldestTimestamp": then, "latestTimestamp": then}
        await log(stage, files["DiagnosticsUrl"], kind, period=period)
        await stage.pass_time(10)
        assert stage.charge_point.firmware_management.uploaded.decode() == f"{then} InvalidMessages\n"


@pytest.mark.parametrize("kind", ["SecurityLog", "DiagnosticsLog"])
async def test_a_log_that_holds_nothing(kind: str) -> None:
    async with with_files(profiles=SECURE) as (stage, files):
        conf = await log(stage, files["DiagnosticsUrl"], kind, period={"latestTimestamp": PAST})
        assert conf == {"status": "Rejected"}
        await stage.pass_time(10)
        assert stage.story() == ["GetLog.conf Rejected"]


@pytest.mark.parametrize("protocol", ["FTP", "HTTP"])
async def test_an_upload_that_is_denied(protocol: str) -> None:
    async with with_files(profiles=SECURE, protocol=protocol) as (stage, files):
        await log(stage, files["RefusedDiagnosticsUrl"], retries=1, retryInterval=60)
        await stage.pass_time(100)
        assert told(stage, "LogStatusNotification") == [("Uploading", 9), ("PermissionDenied", 9)]  # N01.FR.07, FR.10
        assert len(files.crossed) == 2


async def test_an_upload_that_fails() -> None:
    async with with_files(profiles=SECURE) as (stage, files):
        await log(stage, "ftp://127.0.0.1:1/", retries=0)
        await stage.pass_time(100)
        stage.charge_point.firmware_management.upload_fails = True
        await log(stage, files["DiagnosticsUrl"], retries=0)
        await stage.pass_time(100)
        assert statuses(stage, "LogStatusNotification") == ["Uploading", "UploadFailure"] * 2


async def test_a_later_log_cancels_an_earlier_one_but_not_the_diagnostics() -> None:
    async with with_files(profiles=SECURE) as (stage, files):
        await log(stage, files["RefusedDiagnosticsUrl"], request_id=1, retries=5, retryInterval=60)
        await stage.ask("GetDiagnostics", location=files["RefusedDiagnosticsUrl"], retries=1, retryInterval=60)
        nothing = await log(stage, files["DiagnosticsUrl"], period={"latestTimestamp": PAST}, request_id=2)
        assert nothing == {"status": "Rejected"}
        conf = await log(stage, files["DiagnosticsUrl"], request_id=3)
        assert conf["status"] == "AcceptedCanceled"  # N01.FR.11
        await stage.pass_time(1000)
        assert told(stage, "LogStatusNotification") == [("Uploading", 1), ("Uploading", 3), ("Uploaded", 3)]
        assert statuses(stage, "DiagnosticsStatusNotification") == ["Uploading", "UploadFailed"]
        assert (await log(stage, files["DiagnosticsUrl"], request_id=4))["status"] == "Accepted"


async def test_a_log_waits_for_the_diagnostics() -> None:
    async with with_files(profiles=SECURE) as (stage, files):
        await stage.ask("GetDiagnostics", location=files["RefusedDiagnosticsUrl"], retries=1, retryInterval=60)
        await log(stage, files["DiagnosticsUrl"], request_id=1)
        assert (await log(stage, files["DiagnosticsUrl"], request_id=2))["status"] == "AcceptedCanceled"
        await stage.pass_time(1000)
        assert statuses(stage, "DiagnosticsStatusNotification") == ["Uploading", "UploadFailed"]
        assert told(stage, "LogStatusNotification") == [("Uploading", 2), ("Uploaded", 2)]


async def test_a_trigger_tells_whether_a_log_is_uploaded() -> None:
    async with with_files(profiles=SECURE) as (stage, files):
        await log(stage, files["RefusedDiagnosticsUrl"], retries=1, retryInterval=60)
        for expected in (("Uploading", 9), ("Idle", None)):
            await stage.ask("ExtendedTriggerMessage", requestedMessage="LogStatusNotification")
            assert told(stage, "LogStatusNotification")[-1] == expected  # N01.FR.12
            assert stage.charge_point.firmware_management.diagnostics_status == "Idle"
            await stage.pass_time(100)


async def test_a_power_cut_loses_no_log() -> None:
    async with with_files(profiles=SECURE) as (stage, files):
        await log(stage, files["RefusedDiagnosticsUrl"], retries=1, retryInterval=60)
        await stage.charge_point.lose_power()
        await stage.charge_point.regain_power()
        await stage.pass_time(100)
        assert told(stage, "LogStatusNotification")[-1] == ("PermissionDenied", 9)


async def test_an_authorization_key_is_in_no_log() -> None:
    key = "0123456789abcdefABCDEF0123456789"
    async with with_files(profiles=SECURE, configuration=QUIET) as (stage, files):
        await stage.ask("ChangeConfiguration", key="AuthorizationKey", value=key)
        for kind in ("SecurityLog", "DiagnosticsLog"):
            await log(stage, files["DiagnosticsUrl"], kind)
            await stage.pass_time(10)
            assert key.encode() not in stage.charge_point.firmware_management.uploaded  # A01.FR.12
