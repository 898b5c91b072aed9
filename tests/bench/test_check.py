"""``rehearse check``: what it says beforehand is what a rehearsal then does."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bench.asked import asked
from bench.bench import Bench
from bench.cases import cases_for
from bench.check import forecast
from bench.command_line import app
from bench.device import Device, device
from bench.device_file import DeviceFile, read
from bench.files import FileServer, Images
from bench.material import Material, names
from bench.operators import Nobody
from bench.pki import Pki
from ocppj.transcript import Transcript

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "devices").glob("example-*.toml"))
OTHERS = sorted({*(ROOT / "devices").glob("*.toml")}.difference(EXAMPLES))
CENTRAL_SYSTEM = 'role = "Central System"\n[connection]\nurl = "ws://127.0.0.1:1/x"\n'
CHARGE_POINT = 'role = "Charge Point"\n[connection]\nlisten = "127.0.0.1:0"\n'


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REHEARSE_PASSWORD", raising=False)


def checked(text: str, *arguments: str) -> Result:
    Path("acme.toml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["check", "acme.toml", *arguments])


def told(text: str) -> dict[str, Any]:
    """What is told of a file that can be used, as JSON."""
    ended = checked(text, "--json")
    assert ended.exit_code == 0, ended.output
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


# --- the cases


def test_every_case_of_the_role_applies_or_has_a_reason() -> None:
    found = told(f"{CENTRAL_SYSTEM}[has]\nreservation = false\n")
    reasons = found["not_applicable"]
    assert len(reasons["the device lacks the profile Reservation"]) == 10
    assert "TC_046_CSMS" in reasons["the device lacks the profile Reservation"]
    assert "TC_003_CSMS" in found["applicable"]
    listed = [*found["applicable"], *(case_id for ids in reasons.values() for case_id in ids)]
    assert sorted(listed) == sorted(case_id for case_id in cases_for(Device()) if case_id.endswith("_CSMS"))


def test_the_terminal_is_told_the_same() -> None:
    text = f"{CHARGE_POINT}[has]\nreservation = false\n"
    found, said = told(text), checked(text).stdout
    assert f"{len(found['applicable'])} of 107 test cases apply, the others not:" in said
    attended = {case_id for action in found["asked"].values() for case_id in action}
    alone = len(found["applicable"]) - len(attended)
    assert f"{alone} run by themselves, {len(attended)} need you at this terminal:" in said
    for why_not, ids in found["not_applicable"].items():
        assert f"{len(ids):>4}  {why_not}" in said
    for action, counted in found["asked"].items():
        assert f"{sum(counted.values()):>4} x {action} " in said
    assert f"{len(found['inconclusive'])} cases will be inconclusive, because the file does not tell:" in said
    for case_id in {*found["applicable"], *attended} & {*attended, *found["inconclusive"]}:
        assert case_id in said
    assert "rehearse run --device acme.toml" in said
    assert max(map(len, said.splitlines())) <= 120


# --- what is asked for


def test_what_is_asked_for_is_what_the_list_has_and_what_must_be_undone() -> None:
    found = told(CHARGE_POINT)["asked"]
    for case_id in ("TC_003_CS", "TC_030_CS", "TC_005_1_CS"):
        actions = [each.action for each in asked(case_id)]
        for action in actions:
            assert found[action][case_id] >= actions.count(action)
    assert found["unplug"]["TC_003_CS"] == 1  # which the case does not ask for: the next one needs it
    assert found["repair"]["TC_030_CS"] == 1
    assert "RemoteStartTransaction" in told(CENTRAL_SYSTEM)["asked"]


def test_a_person_takes_longer_than_a_program() -> None:
    by_a_person = told(CENTRAL_SYSTEM)
    program = 'kind = "http"\nurl = "http://127.0.0.1:1/{action}"\n'
    by_a_program = told(f"{CENTRAL_SYSTEM}[operator]\n{program}")
    assert (by_a_person["operator"], by_a_program["operator"]) == ("person", "http")
    assert by_a_person["asked"] == by_a_program["asked"]
    seconds, fewer = by_a_person["seconds"], by_a_program["seconds"]
    assert seconds["operating"] > 10 * fewer["operating"] > 0
    assert (seconds["waiting"], seconds["between_cases"]) == (fewer["waiting"], fewer["between_cases"])
    assert seconds["all"] == seconds["waiting"] + seconds["between_cases"] + seconds["operating"]


def test_fewer_cases_take_less() -> None:
    assert (
        told(f"{CHARGE_POINT}[has]\nreservation = false\n")["seconds"]["waiting"]
        < told(CHARGE_POINT)["seconds"]["waiting"]
    )


# --- what is missing


def test_a_central_system_knows_only_the_id_tags_that_are_told() -> None:
    found = told(CENTRAL_SYSTEM)
    assert {*found["missing"]} == {
        f"test_data.{name}" for name in ("ValidIdTag", "ValidIdTag2", "ParentIdTag", "ExpiredIdTag", "BlockedIdTag")
    }
    assert "TC_003_CSMS" in found["missing"]["test_data.ValidIdTag"]
    assert found["missing"]["test_data.BlockedIdTag"] == ["TC_023_3_CSMS"]
    assert "TC_003_CSMS" in found["inconclusive"]
    known = told(f'{CENTRAL_SYSTEM}[test_data]\nValidIdTag = "A"\n')
    assert "test_data.ValidIdTag" not in known["missing"]
    assert "TC_003_CSMS" not in known["inconclusive"]


def test_a_charge_point_installs_only_firmware_of_its_own() -> None:
    secure = f"{CHARGE_POINT}[security]\nprofile = 1\n"
    assert {*told(secure)["missing"]} == {
        "files.firmware_file",
        "files.firmware_signature_file",
        "test_data.LocalLimit",
    }
    for name in ("image.bin", "image.sig", "signing.pem"):
        Path(name).write_text("x")
    files = 'firmware_file = "image.bin"\nfirmware_signature_file = "image.sig"\n'
    given = f'{secure}[files]\n{files}firmware_signing_certificate_file = "signing.pem"\n'
    assert {*told(given)["missing"]} == {"test_data.LocalLimit"}


@pytest.mark.parametrize("kind", ["nothing", "an image", "signed"])
@pytest.mark.parametrize("place", [{"url": "ws://127.0.0.1:1"}, {"listen": ("127.0.0.1", 0)}])
def test_what_is_missing_is_what_a_run_would_miss(place: dict[str, Any], kind: str, tmp_path: Path) -> None:
    """``Run.begin`` asks the servers and the material themselves what there is."""
    (tmp_path / "x").write_text("x")
    files = {
        "nothing": [],
        "an image": ["FirmwareFile"],
        "signed": ["FirmwareFile", "FirmwareSignatureFile", "FirmwareSigningCertificateFile"],
    }[kind]
    subject = device(**place, data={name: str(tmp_path / "x") for name in files})
    case = cases_for(subject)["TC_003_CS"]
    loop = asyncio.new_event_loop()
    material = Material(Bench(case, subject, loop, Transcript(), Nobody()), Pki(None, host="", serial_number=""))
    loop.close()
    assert material.keys() == names(subject)
    locations = FileServer(Images.of(subject), subject.file_servers).locations()
    known = subject.values.keys() | locations.keys() | material.keys()
    found = forecast(DeviceFile(subject))
    expected = {
        case.id for case in cases_for(subject).values() if case.id in found.applicable and not known >= {*case.data}
    }
    assert {*found.inconclusive} == expected


def test_what_the_environment_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        f'{CHARGE_POINT}[security]\nprofile = 1\npassword_from = "ACME"\n[operator]\nkind = "http"\n'
        'url = "http://127.0.0.1:1/{action}"\nheaders = { Authorization = "Bearer ${ACME_TOKEN}" }\n'
    )
    monkeypatch.delenv("ACME", raising=False)
    assert told(text)["unset"] == [
        "The environment variable ACME is not set: it is to hold the password.",
        "The operator (http): headers.Authorization names the environment variable ACME_TOKEN, which is not set.",
    ]
    monkeypatch.setenv("ACME", "0123456789abcdef")
    monkeypatch.setenv("ACME_TOKEN", "t0ken-t0ken-t0ken")
    found = checked(text, "--json").stdout
    assert json.loads(found)["unset"] == []
    assert "0123456789abcdef" not in found
    assert "t0ken" not in found
    monkeypatch.setenv("ACME", "short")
    ended = checked(text)
    assert ended.exit_code == 2
    assert ended.stderr.startswith("acme.toml:6: security.password_from names a variable that is of no use: ")


def test_what_the_file_leaves_open() -> None:
    found = told(f"{CENTRAL_SYSTEM}[has]\nreservation = true\n")["not_told_in_has"]
    assert "smart_charging" in found
    assert "reservation" not in found
    assert "lock_failure" not in found  # that of our own Charge Point
    assert "lock_failure" in told(CHARGE_POINT)["not_told_in_has"]


def test_known_failures_that_do_not_apply_are_told() -> None:
    said = checked(f'{CENTRAL_SYSTEM}[known_failures]\nTC_003_CS = "why"\nTC_003_CSMS = "why"\n').stdout
    assert "Known failures: 2, of which these do not apply: TC_003_CS." in said


# --- configuration keys


def test_the_keys_that_a_charge_point_must_have() -> None:
    found = told(CHARGE_POINT)
    keys = found["configuration_keys"]
    assert "GetConfigurationMaxKeys" in keys["R"]
    assert {"HeartbeatInterval", "LocalAuthListEnabled"} <= {*keys["RW"]}
    assert keys["R or RW"] == ["AuthorizeRemoteTxRequests", "UnlockConnectorOnEVSideDisconnect"]
    assert "TC_061_1_CS" in found["configuration_keys_set_by"]["AuthorizationCacheEnabled"]
    less = told(f"{CHARGE_POINT}[has]\nlocal_auth_list = false\nsmart_charging = false\n")["configuration_keys"]
    assert "LocalAuthListEnabled" not in less["RW"]
    assert "ChargeProfileMaxStackLevel" not in less["R"]
    assert told(CENTRAL_SYSTEM)["configuration_keys"] == {}


# --- the command


def test_a_file_that_cannot_be_used() -> None:
    text = f"{CENTRAL_SYSTEM}[has]\nreservatoin = true\n[limits]\ntolerance = 0\n"
    lines = [
        "acme.toml:5: has.reservatoin is unknown: did you mean reservation?",
        "acme.toml:7: limits.tolerance = 0 is not above 0",
    ]
    ended = checked(text)
    assert (ended.exit_code, ended.stdout, ended.stderr.splitlines()) == (2, "", lines)
    ended = checked(text, "--json")
    assert ended.exit_code == 2
    assert json.loads(ended.stdout) == {"valid": False, "problems": lines}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something was connected to")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.socket.bind", refuse)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_can_be_used_and_nothing_is_connected_to(path: Path) -> None:
    ended = CliRunner().invoke(app, ["check", str(path)])
    assert ended.exit_code == 0, ended.output
    assert f"{path} is valid: a C" in ended.stdout


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_every_other_device_file_lacks_at_most_what_its_device_makes_when_it_starts(path: Path) -> None:
    ended = CliRunner().invoke(app, ["check", str(path)])
    assert ended.exit_code == 0 or ended.stderr
    assert all(re.search(r"security\.\w+ = \S+/pki/\S+ is no file$", line) for line in ended.stderr.splitlines())


def test_there_are_examples_of_both_roles() -> None:
    roles: dict[str, Callable[[Device], bool]] = {
        "example-central-system": lambda subject: subject.url is not None,
        "example-charge-point": lambda subject: subject.listen is not None,
    }
    for name, is_so in roles.items():
        assert is_so(read(ROOT / "devices" / f"{name}.toml", password=bytes(16)).device)
