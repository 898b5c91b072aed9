"""Device files: what is read from them, what cannot be used and on which line, and that no secret is told."""

import asyncio
import json
import re
import socket
import ssl
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from typer.testing import CliRunner, Result

import bench.check  # they register commands
import bench.measure  # noqa: F401
from bench.command_line import app
from bench.device import (
    CAPABILITIES,
    CHOICES,
    DEFAULT_DATA,
    FILE_SERVERS,
    LIMITS,
    LOCATIONS,
    Device,
    Security,
    setting_of,
)
from bench.device_file import ABOUT, SCHEMA, BadDeviceFile, DeviceFile, read
from bench.obligations import Limits
from bench.operators.http import Http
from bench.pki import Pki
from bench.run import Run
from bench.settings import Told

PASSWORD = "0123456789abcdef"  # noqa: S105
CENTRAL_SYSTEM = 'role = "Central System"\n[connection]\nurl = "ws://127.0.0.1:1/x"\n'
CHARGE_POINT = 'role = "Charge Point"\n[connection]\nlisten = "127.0.0.1:0"\n'


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REHEARSE_PASSWORD", raising=False)


def written(text: str, name: str = "acme.toml") -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def loaded(text: str, **over: Any) -> DeviceFile:
    return read(written(text), over)


def complaints(text: str, name: str = "acme.toml") -> list[str]:
    """The lines that are told of a file, which cannot be used."""
    with pytest.raises(BadDeviceFile) as told:
        read(written(text, name))
    return str(told.value).splitlines()


def called(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


# --- the schema is the one truth


def properties(table: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["properties"][table]["properties"]
    return found


def test_the_schema_is_one() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


def test_the_schema_has_every_setting_and_no_other() -> None:
    settings = {f"{table}.{key}" for table in ("test_data", "limits", "files") for key in properties(table)}
    assert settings == {setting_of(name) for name in (*DEFAULT_DATA, *LIMITS, *FILE_SERVERS, *LOCATIONS)}
    assert {*properties("has")} == {*CAPABILITIES}
    assert {*properties("about")} == {*ABOUT}
    of_code = {*Security.__dataclass_fields__} - {"password", "urls", "store"} | {"password_from"}
    assert {*properties("security")} == of_code
    assert {*properties("connection")} == {"url", "urls", "listen", "second_identity"}
    assert {*SCHEMA["$defs"]["http"]["properties"]} == {*Http.KEYS, "actions", "kind"}


def test_the_schema_has_the_defaults_of_the_code() -> None:
    defaults = {key: node["default"] for key, node in properties("test_data").items() if "default" in node}
    assert {key: str(value) for key, value in defaults.items() if key != "NumberOfConnectors"} == {
        key: value for key, value in DEFAULT_DATA.items() if key in defaults and key != "NumberOfConnectors"
    }
    limits = {**Limits.__dataclass_fields__, "operator_timeout": Device.__dataclass_fields__["operator_timeout"]}
    assert {key: node["default"] for key, node in properties("limits").items()} == {
        key: limits[key].default for key in properties("limits")
    }
    for name, values in CHOICES.items():
        assert tuple(properties("test_data")[name]["enum"]) == values
    ports = {key: str(node["default"]) for key, node in properties("files").items() if "default" in node}
    assert ports == {"http_port": "0", "ftp_port": "0", "file_transfer_protocol": "FTP"}


def test_every_key_is_described_and_has_a_default_or_an_example() -> None:
    kinds = {kind: SCHEMA["$defs"][kind] for kind in SCHEMA["properties"]["operator"]["properties"]["kind"]["enum"]}
    tables = {name: node for name, node in {**SCHEMA["properties"], **kinds}.items() if "properties" in node}
    assert len(tables) == 13
    for name, table in tables.items():
        for key, node in table["properties"].items():
            assert node.get("description", "kind.").endswith("."), (name, key)
            assert {"default", "examples", "const"} & node.keys() or (name, key) == ("operator", "kind"), (name, key)


# --- what is read


def test_everything_is_read() -> None:
    written("image", "device/image.bin")
    operate = written("#!/bin/sh\n", "device/operate.sh")
    operate.chmod(0o700)
    path = written(
        """
        role = "Central System"
        identity = "CP7"
        [about]
        vendor = "Acme"
        [connection]
        url = "ws://127.0.0.1:1/x"
        urls = { 0 = "ws://127.0.0.1:2/y", 1 = "ws://127.0.0.1:3/z" }
        second_identity = "CP8"
        [security]
        profile = 0
        pki = "pki"
        [has]
        reservation = false
        smart_charging = true
        [limits]
        message_timeout = 3
        operator_timeout = 4.5
        [test_data]
        ValidIdTag = "04A1"
        ConnectionTimeOut = 5
        ChargingLimit = 7.5
        FirmwareUrl = "ftp://files.example/x"
        [files]
        firmware_file = "image.bin"
        http_port = 8088
        [operator]
        kind = "command"
        program = "./operate.sh --fast"
        [hooks]
        before_run = "true all"
        [known_failures]
        TC_010_CSMS = "ticket 7"
        """,
        "device/acme.toml",
    )
    file = read(path)
    subject = file.device
    assert (subject.url, subject.listen, subject.identity) == ("ws://127.0.0.1:2/y", None, "CP7")
    assert subject.second_identity == "CP8"
    assert subject.security.urls == {1: "ws://127.0.0.1:3/z"}
    assert subject.security.pki == Path("device/pki")
    assert subject.security.store == Path("device/acme.credentials.json")
    assert subject.lacks == {"reservation"}
    assert (subject.limits.message_timeout, subject.operator_timeout) == (3, 4.5)
    assert subject.data["ValidIdTag"] == "04A1"
    assert subject.data["ConnectionTimeOut"] == "5"
    assert subject.data["ChargingLimit"] == "7.5"
    assert subject.data["FirmwareUrl"] == "ftp://files.example/x"
    assert "ValidIdTag2" not in subject.data
    assert subject.file_servers["FirmwareFile"] == "device/image.bin"
    assert subject.file_servers["HttpPort"] == "8088"
    assert file.about == {"vendor": "Acme"}
    assert file.operator == {"kind": "command", "program": f"{Path.cwd()}/device/operate.sh --fast"}
    assert file.hooks == {"before_run": "true all"}
    assert file.known_failures == {"TC_010_CSMS": "ticket 7"}
    assert file.told_capabilities == {"reservation", "smart_charging"}


def test_a_file_as_some_editors_write_it() -> None:
    path = Path("acme.toml")
    path.write_bytes(b"\xef\xbb\xbf" + CENTRAL_SYSTEM.replace("\n", "\r\n").encode())
    assert read(path).device.url == "ws://127.0.0.1:1/x"


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'{CHARGE_POINT}[security]\nprofile = 1\npassword_from = "ACME"\n'
    assert complaints(text) == [
        "acme.toml:6: security.password_from names an environment variable that is not set: "
        "security profile 1 needs the password of the Charge Point"
    ]
    monkeypatch.setenv("REHEARSE_PASSWORD", "fedcba9876543210")  # another one's
    assert complaints(text)
    monkeypatch.setenv("ACME", PASSWORD)
    assert loaded(text).device.security.password == PASSWORD.encode()
    monkeypatch.setenv("ACME", "short")
    (line,) = complaints(text)
    assert line.startswith("acme.toml:6: security.password_from names a variable that is of no use: ")
    assert "short" not in line


def test_without_a_name_it_is_the_usual_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{CHARGE_POINT}[security]\nprofile = 1\n"
    assert complaints(text)[0].startswith(
        "acme.toml:4: security.password_from is missing, and so is $REHEARSE_PASSWORD"
    )
    monkeypatch.setenv("REHEARSE_PASSWORD", PASSWORD)
    assert loaded(text).device.security.password == PASSWORD.encode()


def test_the_certificate_of_our_central_system() -> None:
    pki = Pki(Path("own"), host="bench.example", serial_number="")
    assert pki.server
    text = f'{CHARGE_POINT}[security]\nprofile = 3\nserver_cert = "own/CentralSystemRSA.pem"\n'
    assert complaints(text) == [
        "acme.toml:4: security.server_key is missing: a certificate and its private key belong together"
    ]
    given = loaded(f'{text}server_key = "own/CentralSystemRSA.key"\n').device.security
    assert (given.server_cert, given.server_key) == (Path("own/CentralSystemRSA.pem"), Path("own/CentralSystemRSA.key"))
    (line,) = complaints(f'{text}server_key = "own/CentralSystemEC.key"\n')
    assert line == (
        "acme.toml:6: security.server_cert cannot be used: "
        "own/CentralSystemEC.key is not the key of the certificate in own/CentralSystemRSA.pem"
    )


def test_it_is_what_a_charge_point_is_shown() -> None:
    pki = Pki(Path("own"), host="bench.example", serial_number="", organization="Acme")
    assert pki.server
    files = 'server_cert = "own/CentralSystemEC.pem"\nserver_key = "own/CentralSystemEC.key"\n'
    run = Run(loaded(f"{CHARGE_POINT}[security]\nprofile = 3\n{files}").device)
    run.open()
    try:
        port = int(run.endpoint.rpartition(":")[2])
        context = ssl.create_default_context(cafile="own/CentralSystemRoot.pem")

        def shown() -> object:
            with (
                socket.create_connection(("127.0.0.1", port), 10) as ours,
                context.wrap_socket(ours, server_hostname="bench.example") as secured,
            ):
                return secured.getpeercert()

        subject = run._wait(asyncio.to_thread(shown))
    finally:
        run.close()
    assert (("organizationName", "Acme"),) in subject["subject"]  # type: ignore[index]


def test_the_urls_of_other_profiles_are_told_to_our_charge_point() -> None:
    text = 'role = "Central System"\n[connection]\nurls = { 0 = "ws://h/0", 1 = "ws://h/1" }\n'
    run = Run(loaded(text).device)
    assert (run.device.url, run._others) == ("ws://h/0", {1: "ws://h/1"})
    run.close()
    path = written('role = "Central System"\n[connection]\nurl = "ws://h/1"\n[security]\nprofile = 1\n')
    told = Told(device=path, password=PASSWORD, next_csms="wss://h/2").read()
    assert told.device.security.urls == {2: "wss://h/2"}


# --- what cannot be used

UNUSABLE = {
    "no role": (
        "identity = 'CP1'\n",
        ["acme.toml: role is missing: What is under test: one of Central System, Charge Point"],
    ),
    "another role": (
        'role = "Boat"\n',
        ['acme.toml:1: role = "Boat" is none of Central System, Charge Point'],
    ),
    "no place": (
        'role = "Charge Point"\n',
        ["acme.toml: connection.listen is missing: where is it awaited? 127.0.0.1:9000, for instance"],
    ),
    "no URL": ('role = "Central System"\n', ["acme.toml: connection.url is missing: where is it? ws://host:port/path"]),
    "no URL for the profile": (
        'role = "Central System"\n[connection]\nurls = { 2 = "wss://h/x" }\n',
        ["acme.toml:2: connection.url is missing: connection.urls has none for security profile 0"],
    ),
    "both places": (
        f'{CENTRAL_SYSTEM}listen = "127.0.0.1:0"\n',
        ["acme.toml:4: connection.listen = 127.0.0.1:0 is for a Charge Point, and a Central System is under test"],
    ),
    "a misspelt key": (
        f'{CENTRAL_SYSTEM}[test_data]\nValidIdTagg = "x"\n',
        ["acme.toml:5: test_data.ValidIdTagg is unknown: did you mean ValidIdTag?"],
    ),
    "a key in the wrong table": (
        f"{CENTRAL_SYSTEM}[test_data]\nmessage_timeout = 3\n",
        ["acme.toml:5: test_data.message_timeout is unknown here: did you mean message_timeout in [limits]?"],
    ),
    "a misspelt table": (f"{CENTRAL_SYSTEM}[limit]\n", ["acme.toml:4: limit is unknown: did you mean limits?"]),
    "a table that is none": (
        'limits = 3\nrole = "Charge Point"\nconnection.listen = "127.0.0.1:0"\n',
        ["acme.toml:1: limits = 3 is not a table"],
    ),
    "an idTag without quotes": (
        f"{CENTRAL_SYSTEM}[test_data]\nValidIdTag = 12345678\n",
        ["acme.toml:5: test_data.ValidIdTag = 12345678 is not a text in quotes"],
    ),
    "a number in quotes": (
        f'{CENTRAL_SYSTEM}[test_data]\nConnectionTimeOut = "5"\n',
        ['acme.toml:5: test_data.ConnectionTimeOut = "5" is not a whole number without quotes'],
    ),
    "a date": (
        f"{CENTRAL_SYSTEM}[about]\nsoftware_version = 2026-01-31\n",
        ["acme.toml:5: about.software_version is not a text in quotes"],
    ),
    "infinity": (
        f"{CENTRAL_SYSTEM}[limits]\ntolerance = inf\n",
        ["acme.toml:5: limits.tolerance is not a number without quotes"],
    ),
    "a word for yes": (
        f'{CENTRAL_SYSTEM}[has]\nreservation = "yes"\n',
        ['acme.toml:5: has.reservation = "yes" is not true or false without quotes'],
    ),
    "no time at all": (
        f"{CENTRAL_SYSTEM}[limits]\ntolerance = 0\n",
        ["acme.toml:5: limits.tolerance = 0 is not above 0"],
    ),
    "too long a time": (
        f"{CENTRAL_SYSTEM}[limits]\ntolerance = 1e9\n",
        ["acme.toml:5: limits.tolerance = 1000000000.0 is no positive number"],
    ),
    "no port": (
        f"{CENTRAL_SYSTEM}[files]\nhttp_port = 65536\n",
        ["acme.toml:5: files.http_port = 65536 is not 0 to 65535"],
    ),
    "a port that is none": (
        'role = "Charge Point"\n[connection]\nlisten = "127.0.0.1:65536"\n',
        ["acme.toml:3: connection.listen = 127.0.0.1:65536 is not of the form HOST:PORT"],
    ),
    "a long idTag": (
        f'{CENTRAL_SYSTEM}[test_data]\nValidIdTag = "{"x" * 21}"\n',
        ["acme.toml:5: test_data.ValidIdTag has 21 characters, 20 are allowed"],
    ),
    "an empty idTag": (
        f'{CENTRAL_SYSTEM}[test_data]\nValidIdTag = ""\n',
        ["acme.toml:5: test_data.ValidIdTag is empty"],
    ),
    "a connector that is not there": (
        f"{CHARGE_POINT}[test_data]\nConnectorId = 2\n",
        ["acme.toml:5: test_data.ConnectorId = 2 is above NumberOfConnectors, 1"],
    ),
    "a file that is not there": (
        f'{CENTRAL_SYSTEM}[files]\nfirmware_file = "gone.bin"\n',
        ["acme.toml:5: files.firmware_file = gone.bin is no file"],
    ),
    "no certificate": (
        'role = "Central System"\n[connection]\nurl = "wss://h/x"\n[security]\nprofile = 3\npki = "pki"\n',
        [
            "acme.toml:4: security.tls_ca is missing: "
            "security profile 3 needs who has signed the certificate of the Central System"
        ],
    ),
    "open where TLS is needed": (
        f'{CENTRAL_SYSTEM}[security]\nprofile = 3\npki = "pki"\ntls_ca = "gone.pem"\n',
        [
            "acme.toml:3: connection.url = ws://127.0.0.1:1/x does not begin with wss: "
            "security profile 3 is spoken over TLS",
            "acme.toml:7: security.tls_ca = gone.pem is no file",
        ],
    ),
    "an operator of no kind": (f"{CENTRAL_SYSTEM}[operator]\nurl = 'http://h/{{action}}'\n", None),
    "an operator of another kind": (
        f'{CENTRAL_SYSTEM}[operator]\nkind = "robot"\n',
        ['acme.toml:5: operator.kind = "robot" is none of person, http, command, driver'],
    ),
    "an operator without what it needs": (
        f'{CENTRAL_SYSTEM}[operator]\nkind = "command"\n',
        [
            "acme.toml:4: operator.program is missing: "
            "The program with its arguments; the request is JSON on its standard input"
        ],
    ),
    "a key of another kind of operator": (
        f'{CENTRAL_SYSTEM}[operator]\nkind = "person"\nurl = "http://h"\n',
        None,
    ),
    "a program that is not there": (
        f'{CENTRAL_SYSTEM}[hooks]\nbefore_run = "./gone --all"\n',
        ["acme.toml:5: hooks.before_run = ./gone --all is no program that can be run"],
    ),
    "a known failure of no case": (
        f'{CENTRAL_SYSTEM}[known_failures]\nTC_003 = "why"\nTC_003_CSMS = ""\n',
        [
            "acme.toml:5: known_failures.TC_003 is no test case: did you mean TC_003_CS, TC_003_CSMS?",
            "acme.toml:6: known_failures.TC_003_CSMS is empty",
        ],
    ),
    "no TOML": (
        f"{CENTRAL_SYSTEM}[limits\n",
        ["acme.toml:4: this is no TOML: Expected ']' at the end of a table declaration"],
    ),
    "cut off": (f'{CENTRAL_SYSTEM}[about]\nvendor = """\n\n', None),
    "twice": (f'{CENTRAL_SYSTEM}url = "ws://h"\n', ["acme.toml:4: this is no TOML: Cannot overwrite a value"]),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_used(name: str) -> None:
    text, expected = UNUSABLE[name]
    found = complaints(text)
    if expected is None:
        assert len(found) == 1
        assert re.match(r"acme\.toml:[4-7]: ", found[0])
    else:
        assert found == expected


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = """identity = 7
role = "Central System"
[known_failures]
TC_999_CSMS = "why"
[security]
profile = 7
client_key = "gone.key"
[has]
wheels = true
[connection]
url = "http://127.0.0.1/x"
"""
    found = complaints(text)
    assert [int(line.split(":")[1]) for line in found] == [1, 4, 5, 6, 7, 9, 11]
    assert "security.client_cert is missing: a certificate and its private key belong together" in found[2]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path, words in (
        (Path("gone.toml"), "gone.toml: No such file or directory: 'rehearse init gone.toml' makes one"),
        (tmp_path, f"{tmp_path}: Is a directory"),
    ):
        with pytest.raises(BadDeviceFile) as told:
            read(path)
        assert str(told.value) == words
    Path("acme.toml").write_bytes(b'role = "\xff"\n')
    with pytest.raises(BadDeviceFile, match="this is no text in UTF-8"):
        read(Path("acme.toml"))


# --- secrets

SECRET = "sup3r-s3cret-word"  # noqa: S105

PLAIN = {
    "the password": f'[security]\npassword = "{SECRET}"\n',
    "an AuthorizationKey": f'[security]\nAuthorizationKey = "{SECRET}"\n',
    "the password for its name": f'[security]\npassword_from = "{SECRET}"\n',
    "a header": f'[operator]\nkind = "http"\nurl = "http://h/x"\nheaders = {{ Authorization = "Bearer {SECRET}" }}\n',
    "a header of one action": (
        '[operator]\nkind = "http"\nurl = "http://h/x"\n'
        f'[operator.actions.Reset]\nheaders = {{ X-Api-Key = "{SECRET}" }}\n'
    ),
    "a key of a driver": f'[operator]\nkind = "driver"\nname = "steve"\npassword = "{SECRET}"\n',
    "in a URL": f'[operator]\nkind = "http"\nurl = "http://me:{SECRET}@h/x"\n',
    "on top": f'password = "{SECRET}"\n',
}


@pytest.mark.parametrize("where", PLAIN)
def test_a_secret_in_plain_text_is_refused_and_not_told(where: str) -> None:
    text = f"{PLAIN[where]}{CENTRAL_SYSTEM}" if where == "on top" else f"{CENTRAL_SYSTEM}{PLAIN[where]}"
    found = complaints(text)
    assert len(found) == 1
    assert "environment variable" in found[0] or "leave it out" in found[0]
    assert SECRET not in found[0]


def test_the_name_of_a_variable_is_no_secret() -> None:
    headers = '{ Authorization = "Bearer ${TOKEN}" }'
    loaded(f'{CENTRAL_SYSTEM}[operator]\nkind = "http"\nurl = "http://h/x"\nheaders = {headers}\n')
    loaded(f'{CENTRAL_SYSTEM}[operator]\nkind = "driver"\nname = "steve"\napi_password_from = "STEVE"\n')


# --- the command line comes first


def test_the_command_line_is_put_over_the_file() -> None:
    text = (
        'role = "Central System"\nidentity = "CP7"\n[connection]\nurl = "ws://h/x"\nurls = { 0 = "ws://h/y" }\n'
        '[test_data]\nValidIdTag = "A"\nBlockedIdTag = "B"\n[limits]\nmessage_timeout = 3\n'
    )
    over = {
        "connection.url": "ws://other/z",
        "identity": "CP8",
        "test_data.ValidIdTag": "C",
        "limits.message_timeout": "9",
    }
    subject = read(written(text), {**over, "has.reservation": False}).device
    assert (subject.url, subject.identity) == ("ws://other/z", "CP8")
    assert (subject.data["ValidIdTag"], subject.data["BlockedIdTag"]) == ("C", "B")
    assert subject.limits.message_timeout == 9
    assert subject.lacks == {"reservation"}


def test_what_is_wrong_with_an_option_is_told_by_its_name() -> None:
    written(CENTRAL_SYSTEM)
    for arguments, words in (
        (["--listen", "127.0.0.1:0"], "rehearse: --listen 127.0.0.1:0 is for a Charge Point, and a Central System is "),
        (["--data", "ConnectorId=9"], "rehearse: ConnectorId=9 is above NumberOfConnectors, 2\n"),
        (["--data", "Nonsense=9"], "rehearse: unknown test data Nonsense; there are "),
        (["--csms", "http://h"], "rehearse: --csms http://h is no URL such as ws://host:port/path\n"),
    ):
        ended = called("run", "--device", "acme.toml", *arguments)
        assert ended.exit_code == 2
        assert ended.stderr.startswith(words)
        assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["run", "measure", "cases"])
def test_a_file_that_cannot_be_used_ends_the_command(command: str) -> None:
    written(f"{CENTRAL_SYSTEM}[has]\nwheels = true\n[limits]\ntolerance = 0\n")
    ended = called(command, "--device", "acme.toml")
    assert ended.exit_code == 2
    assert ended.stderr.splitlines() == [
        f"acme.toml:5: has.wheels is unknown; there are {', '.join(CAPABILITIES)}",
        "acme.toml:7: limits.tolerance = 0 is not above 0",
    ]
    assert ended.stdout == ""
    assert [path.name for path in Path.cwd().iterdir()] == ["acme.toml"]


@pytest.mark.parametrize("command", ["run", "measure"])
def test_the_device_of_the_file_is_the_one_that_is_called(command: str) -> None:
    written(f'identity = "CP7"\n{CENTRAL_SYSTEM}')
    ended = called(command, "--device", "acme.toml")
    assert ended.exit_code == 2
    assert ended.stderr == "rehearse: ws://127.0.0.1:1/x/CP7: Connection refused\n"


def test_the_cases_of_a_device_file() -> None:
    written(f"{CENTRAL_SYSTEM}[security]\nprofile = 1\n[has]\nreservation = false\n")
    ended = called("cases", "--device", "acme.toml", "--json")
    found = {each["id"]: each["why_not"] for each in json.loads(ended.stdout)}
    assert found["TC_003_CSMS"] is None
    assert found["TC_073_CSMS"] is None  # nothing is connected to, so that no password is needed
    assert found["TC_046_CSMS"] == "the device lacks the profile Reservation"
    assert found["TC_003_CS"] == "the device under test is no Charge Point"
    assert called("cases", "--device", "acme.toml", "--csms").exit_code == 2


def test_who_the_device_is_stands_in_the_results() -> None:
    written(f'{CHARGE_POINT}[about]\nvendor = "Acme"\nplace = "Arnhem"\n[limits]\nlong_operation_timeout = 0.2\n')
    arguments = ["--case", "TC_017_1_CS", "--about", "place=Delft", "--data", "MessageTimeout=0.2"]
    ended = called("run", "--device", "acme.toml", *arguments)
    assert ended.exit_code == 3, ended.output
    results = json.loads(Path("rehearsal-results/results.json").read_text())
    assert results["device"]["about"] == {"vendor": "Acme", "place": "Delft"}
    assert results["device"]["limits_s"]["message_timeout"] == 0.2
    assert results["device"]["limits_s"]["long_operation_timeout"] == 0.2
