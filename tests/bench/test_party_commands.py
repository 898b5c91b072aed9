"""``rehearse csms`` and ``rehearse charge-point``: real processes, real HTTP, and each other beyond the wire."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from websockets import InvalidStatus, Subprotocol
from websockets.sync.client import connect

from tests.bench.test_command_line import REHEARSE
from tests.interop.rehearsals import require
from tests.reports.chromium import ARGUMENTS, EXECUTABLE, playwright

OCPP = Subprotocol("ocpp1.6")
WS = "ws://127.0.0.1:1"  # where nobody is
TOKEN = "a-token-of-nobody"  # noqa: S105
PASSWORD = "00112233445566778899AABBCCDDEEFF00112233"  # noqa: S105  # of nobody
KNOWN = ("--id-tag", "VALID=Accepted,GROUP", "--id-tag", "BLOCKED=Blocked")
PATIENCE = 300.0  # seconds, on a busy machine


@dataclass
class Running:
    """A party that runs. ``said``: the lines that it has printed."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))

    def url(self, scheme: str) -> str:
        found = re.search(rf"\b{scheme}://[^/\s,]+", "\n".join(self.said))
        assert found is not None, self.said
        return found[0]

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url("http"), trust_env=False, timeout=PATIENCE)

    def end(self, number: int = signal.SIGTERM) -> int:
        """End it with a signal; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def until(condition: Callable[[], Any]) -> Any:
    """Wait for something to become true; what it has become."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
    return found


@contextmanager
def party(*arguments: str, **environment: str) -> Iterator[Running]:
    """A party that has said where it is reached, and is not left behind."""
    command = [str(REHEARSE), *arguments]
    env = os.environ | {"REHEARSE_TOKEN": "", "REHEARSE_PASSWORD": ""} | environment
    env = {name: value for name, value in env.items() if value or name not in ("REHEARSE_TOKEN", "REHEARSE_PASSWORD")}
    with subprocess.Popen(  # noqa: S603  # our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    ) as process:
        running = Running(process)
        reading = Thread(target=running.read)
        reading.start()
        try:
            until(lambda: any("Ctrl-C ends it" in line for line in running.said) or process.poll() is not None)
            assert process.poll() is None, running.said
            yield running
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            reading.join()


@contextmanager
def pair(*of_central_system: str, of_charge_point: tuple[str, ...] = ()) -> Iterator[tuple[Running, Running]]:
    """A Central System, and a Charge Point that it has accepted."""
    with ExitStack() as stack:
        ours = stack.enter_context(party("csms", "--port", "0", "--http-port", "0", *KNOWN, *of_central_system))
        command = ("charge-point", ours.url("ws"), "--http-port", "0", *of_charge_point)
        other = stack.enter_context(party(*command))
        with other.client as client:
            until(lambda: client.get("/charge-points").json()[0]["registrationStatus"] == "Accepted")
        yield ours, other


def status_of(client: httpx.Client, connector: int = 1) -> str:
    connectors = client.get("/charge-points/CP1").json()["connectors"]
    return next((each["status"] for each in connectors if each["connectorId"] == connector), "")


# --- what they do


def test_the_pair_charges_and_ends_as_it_is_told_to() -> None:
    with pair() as (central_system, charge_point):
        with central_system.client as operator, charge_point.client as hands:
            assert hands.post("/charge-points/CP1/plug_in", json={"connectorId": 1}).status_code == 204
            start = operator.post(
                "/charge-points/CP1/RemoteStartTransaction", json={"connectorId": 1, "idTag": "VALID"}
            )
            assert (start.status_code, start.json()) == (200, {"status": "Accepted"})
            until(lambda: status_of(operator) == "Charging")
            (transaction,) = operator.get("/transactions").json()
            assert (transaction["idTag"], transaction["stoppedAt"]) == ("VALID", None)
            assert operator.get("/faults").json() == hands.get("/faults").json() == []
        assert charge_point.end(signal.SIGINT) == 0
        assert central_system.end(signal.SIGTERM) == 0
    # What crossed the wire is shown as it crosses.
    for running in (central_system, charge_point):
        (line,) = [line for line in running.said if "CP1 <- [2," in line and '"RemoteStartTransaction"' in line]
        assert line.endswith('{"connectorId":1,"idTag":"VALID"}]')


def test_who_still_waits_for_an_answer_is_told_that_it_ends() -> None:
    with party("csms", "--port", "0", "--http-port", "0") as central_system, central_system.client as operator:
        url = f"{central_system.url('ws')}/CP1"
        with connect(url, subprotocols=[OCPP], proxy=None), ThreadPoolExecutor() as executor:
            until(lambda: operator.get("/charge-points").json())
            asking = executor.submit(operator.post, "/charge-points/CP1/ClearCache")
            until(lambda: any('"ClearCache"' in line for line in central_system.said))
            assert central_system.end() == 0
            assert asking.result().status_code == 502
    assert "Traceback" not in "\n".join(central_system.said)


def test_an_id_tag_may_be_entered_later() -> None:
    with pair() as (central_system, charge_point), central_system.client as operator, charge_point.client as hands:
        authorize = {"idTag": "LATER"}
        answers = [hands.post("/charge-points/CP1/Authorize", json=authorize).json()]
        operator.put("/id-tags/LATER", json={"parentIdTag": "GROUP"})
        answers.append(hands.post("/charge-points/CP1/Authorize", json=authorize).json())
        assert answers == [
            {"idTagInfo": {"status": "Invalid"}},
            {"idTagInfo": {"status": "Accepted", "parentIdTag": "GROUP"}},
        ]


def test_a_quiet_one_shows_nothing() -> None:
    with pair("--quiet", of_charge_point=("--quiet",)) as both:
        for running in both:
            running.end()
            assert len(running.said) == 3


def test_who_is_not_named_may_not_connect() -> None:
    with party("csms", "--port", "0", "--http-port", "0", "--identity", "CP7") as central_system:
        command = ("charge-point", central_system.url("ws"), "--http-port", "0")
        with party(*command) as stranger, central_system.client as operator, stranger.client as hands:
            log = until(lambda: operator.get("/security-log").json())
            assert (log[0]["type"], log[0]["identity"]) == ("UnknownChargePoint", "CP1")
            assert hands.get("/charge-points/CP1").json()["isConnected"] is False


def test_what_a_stranger_says_is_no_line_of_its_own_and_no_command_to_the_terminal() -> None:
    with party("csms", "--port", "0", "--http-port", "0", "--identity", "CP7") as central_system:
        url = central_system.url("ws")
        with pytest.raises(InvalidStatus):
            connect(f"{url}/%1B[2J%1B]0;title%07%0AFAKE%20LINE%E2%80%AE", subprotocols=[OCPP], proxy=None)
        with connect(f"{url}/CP7", subprotocols=[OCPP], proxy=None) as websocket:
            websocket.send("\x1b[2J[2,\nFAKE LINE")
            until(lambda: any("CP7 ->" in line for line in central_system.said))
        assert central_system.end() == 0
    assert all(line.isprintable() for line in central_system.said)
    assert not any(line.startswith("FAKE") for line in central_system.said)
    assert sum("FAKE LINE" in line for line in central_system.said) == 2


def test_a_charge_point_lacks_what_it_shall_lack() -> None:
    lacks = ("--lacks", "local_authorization", "--lacks", "reservation", "--connectors", "3")
    with pair(of_charge_point=lacks) as both, both[0].client as operator, both[1].client as hands:
        assert hands.post("/charge-points/CP1/present", json={"idTag": "VALID"}).status_code == 501
        keys = operator.post("/charge-points/CP1/GetConfiguration", json={}).json()["configurationKey"]
        told = {each["key"]: each.get("value") for each in keys}
        assert told["NumberOfConnectors"] == "3"
        assert "Reservation" not in told["SupportedFeatureProfiles"]


@pytest.mark.parametrize("profile", ["1", "2", "3"])
def test_each_security_profile(profile: str, tmp_path: Path) -> None:
    pki, serial = ("--pki", str(tmp_path / "pki")), ("--serial-number", "SN-7")
    common = ("--security-profile", profile, *pki, *serial)
    with ExitStack() as stack:
        own = party("csms", "--port", "0", "--http-port", "0", "--identity", "CP1", *common, REHEARSE_PASSWORD=PASSWORD)
        central_system = stack.enter_context(own)
        endpoint = central_system.url("wss" if profile > "1" else "ws")
        own = party("charge-point", endpoint, "--http-port", "0", *common, REHEARSE_PASSWORD=PASSWORD)
        charge_point = stack.enter_context(own)
        with central_system.client as operator, charge_point.client as hands:
            until(lambda: hands.get("/charge-points/CP1").json()["registrationStatus"] == "Accepted")
            assert operator.get("/charge-points/CP1").json()["securityProfile"] == int(profile)
            key = {"key": "AuthorizationKey", "value": "AB" * 20}
            asked = operator.post("/charge-points/CP1/ChangeConfiguration", json=key)
            assert asked.json() == {"status": "Accepted"}
        assert central_system.end() == charge_point.end() == 0
    for running in (central_system, charge_point):
        said = "\n".join(running.said).upper()
        assert "CHANGECONFIGURATION" in said
        assert PASSWORD not in said
        assert "ABABAB" not in said
        assert "PRIVATE KEY" not in said


def test_its_memory_outlasts_a_kill(tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    with party("csms", "--port", "0", "--http-port", "0", *KNOWN) as central_system, central_system.client as operator:
        command = ("charge-point", central_system.url("ws"), "--http-port", "0", "--memory", str(memory))
        with party(*command) as charge_point:
            until(lambda: operator.get("/charge-points").json())
            until(lambda: operator.get("/charge-points/CP1").json()["isAccepted"])
            key = {"key": "ConnectionTimeOut", "value": "4321"}
            operator.post("/charge-points/CP1/ChangeConfiguration", json=key)
            until(lambda: "4321" in memory.read_text())
            charge_point.process.kill()
            charge_point.process.wait()
        assert stat.S_IMODE(memory.stat().st_mode) == 0o600
        with party(*command) as charge_point, charge_point.client as hands:
            configuration = hands.get("/charge-points/CP1/configuration").json()
            assert {"key": "ConnectionTimeOut", "readonly": False, "value": "4321"} in configuration
            assert charge_point.end() == 0
    assert json.loads(memory.read_text())["configuration"]["ConnectionTimeOut"] == "4321"


def test_the_page_sends_what_is_asked_for() -> None:
    require(EXECUTABLE is not None, "there is no Chromium here")
    complaints: list[str] = []
    with party("charge-point", WS, "--http-port", "0") as charge_point, playwright.sync_playwright() as driver:
        with closing(driver.chromium.launch(executable_path=EXECUTABLE, args=[*ARGUMENTS])) as browser:
            tab = browser.new_page()
            tab.on("console", lambda message: complaints.append(message.text))
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.goto(charge_point.url("http"))
            tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            form = tab.locator('form[data-path="/charge-points/{identity}/plug_in"]')
            form.locator("input").fill("CP1")
            form.locator("button").click()
            form.locator(".answer", has_text="204").wait_for()
            # The identity that was typed once stands everywhere.
            form = tab.locator('form[data-path="/charge-points/{identity}/Heartbeat"]')
            form.locator("button").click()
            form.locator(".answer", has_text="404").wait_for()
            assert "CP1 is not connected to its Central System" in form.locator(".answer").inner_text()
        with charge_point.client as hands:
            assert hands.get("/charge-points/CP1").json()["connectors"][1]["isCableIn"]
    assert [each for each in complaints if "404" not in each] == []


# --- who may ask


def test_a_token_is_asked_for_and_never_shown() -> None:
    command = ("csms", "--port", "0", "--http-port", "0", "--http-host", "0.0.0.0")  # noqa: S104  # as a user has it
    with party(*command, REHEARSE_TOKEN=TOKEN) as central_system:
        url = central_system.url("http").replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE) as client:
            assert client.get("/charge-points").status_code == 401
            assert client.get("/charge-points", headers={"Authorization": f"Bearer {TOKEN}"}).json() == []
        central_system.end()
    assert TOKEN not in "\n".join(central_system.said)


def test_a_strange_host_and_a_strange_page_are_refused() -> None:
    with party("csms", "--port", "0", "--http-port", "0") as central_system, central_system.client as client:
        assert client.get("/charge-points", headers={"Host": "evil.example"}).status_code == 400
        assert client.get("/charge-points", headers={"Origin": "http://evil.example"}).status_code == 403


# --- what cannot be

UNUSABLE = {
    "--http-host 0.0.0.0 is reached by others: it needs a token": ("csms", "--http-host", "0.0.0.0"),  # noqa: S104
    "--http-host lab.example is reached by others": ("charge-point", WS, "--http-host", "lab.example"),
    "the token is not 16 or more printable characters": ("csms", "--token", "short"),
    "--id-tag A=B is not of the form IDTAG[=STATUS[,PARENT]]": ("csms", "--id-tag", "A=B"),
    "--id-tag xxxxxxxxxxxxxxxxxxxxx is not of the form": ("csms", "--id-tag", "x" * 21),
    "security profile 1 is that of a Charge Point: name it with --identity": ("csms", "--security-profile", "1"),
    "security profile 2 needs the password": ("csms", "--security-profile", "2", "--identity", "CP1"),
    "security profile 3 is spoken over TLS: --pki": ("csms", "--security-profile", "3", "--identity", "CP1"),
    "URL http://h is no URL such as ws://host:port/path": ("charge-point", "http://h"),
    "URL ws://***@h x is no URL": ("charge-point", "ws://me:secret@h x"),
    "--next-csms h is no URL": ("charge-point", WS, "--next-csms", "h"),
    "--lacks wings: a Charge Point of ours may lack backup_power": ("charge-point", WS, "--lacks", "wings"),
    "security profile 1 needs the password": ("charge-point", WS, "--security-profile", "1"),
    "security profile 3 needs who has signed": ("charge-point", "wss://h", "--security-profile", "3"),
    "URL wss://h: security profile 1 is spoken without TLS": (
        *("charge-point", "wss://h", "--security-profile", "1", "--password", PASSWORD),
    ),
    "URL ws://h: security profile 2 is spoken over TLS": (
        *("charge-point", "ws://h", "--security-profile", "2", "--password", PASSWORD, "--pki", "/nowhere"),
    ),
    "URL ws://h: security profile 3 is spoken over TLS": (
        *("charge-point", "ws://h", "--security-profile", "3", "--pki", "/nowhere"),
    ),
    "--client-cert and --client-key belong together": ("charge-point", WS, "--client-cert", "x.pem"),
    "--password: the password is neither": ("charge-point", WS, "--password", "x"),
    "--tls-ca: ": ("charge-point", WS, "--tls-ca", "/nowhere/ca.pem"),
    "cannot listen at 127.0.0.1:99999: bind(): port must be": ("csms", "--port", "99999"),
    "cannot listen at nowhere.invalid:0: ": ("csms", "--port", "0", "--host", "nowhere.invalid"),
    "--memory /nowhere/memory.json cannot be written": ("charge-point", WS, "--memory", "/nowhere/memory.json"),
}


def refused(*arguments: str) -> str:
    """What a command says that ends at once because it cannot be."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("REHEARSE_")}
    ended = subprocess.run(  # noqa: S603  # our own command
        [str(REHEARSE), *arguments], capture_output=True, text=True, check=False, env=env, timeout=PATIENCE
    )
    assert ended.returncode == 2, ended
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    return ended.stderr


@pytest.mark.parametrize("words", UNUSABLE)
def test_what_cannot_be_is_told_in_one_line(words: str) -> None:
    said = refused(*UNUSABLE[words], "--http-port", "0")
    assert said.startswith(f"rehearse: {words}") or f": {words.removeprefix('--tls-ca: ')}" in said
    assert "secret" not in said


@pytest.mark.parametrize("option", ["--port", "--http-port"])
def test_a_busy_port_is_told_in_one_line(option: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        others = {"--port": "0", "--http-port": "0"} | {option: port}
        said = refused("csms", *(word for pair in others.items() for word in pair))
    assert said == f"rehearse: cannot listen at 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize("text", ["{", "[]", '{"wings": 2}', '{"queue": 5}', "\0"])
def test_a_file_that_is_no_memory_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    memory = tmp_path / "memory.json"
    memory.write_text(text)
    said = refused("charge-point", WS, "--http-port", "0", "--memory", str(memory))
    assert f"--memory {memory} is no memory of a Charge Point" in said
    assert memory.read_text() == text
