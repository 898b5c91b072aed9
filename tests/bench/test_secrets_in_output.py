"""Nothing secret is in what a run writes, prints or logs: every Security case is played, and everything is searched.

The passwords and private keys are those of the run itself, noted where they are made.
"""

import asyncio
import base64
import json
import logging
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from typer.testing import CliRunner

import bench.material
import bench.run
import ocppj.authority
import simulator.security
from bench.command_line import app
from bench.pki import Pki
from ocppj import connection, secrets
from ocppj.authority import Authority, key_pem
from ocppj.certificates import Key, pem
from ocppj.errors import CallFailed
from reference_csms.central_system import CentralSystem
from reference_csms.security import know_credentials
from reference_csms.store import Store
from simulator.charge_point import PROFILES, ChargePoint
from simulator.memory import Memory
from tests.bench.test_command_line import REHEARSE, free_port

IDENTITY, CPO, SERIAL = "CP1", "Rehearsal CPO", "SN-0001"

# cryptography remembers the class that datetime is when it first makes a certificate: not that of a frozen calendar.
Authority.root("Root", CPO)


class Known:
    """What must be found nowhere."""

    def __init__(self) -> None:
        self.passwords: list[bytes] = []
        self.private_keys: list[Key] = []

    def forms(self) -> Iterator[str]:
        """Every secret in every way in which it may be written; what is no case of a letter is told only once."""
        for password in self.passwords:
            yield from (password.hex(), password.hex().upper(), repr(password)[2:-1])
            for whole in (password, f"{IDENTITY}:".encode() + password):
                yield base64.b64encode(whole).decode().rstrip("=")
                yield base64.urlsafe_b64encode(whole).decode().rstrip("=")
            if password.isascii() and password.decode().isprintable():
                yield password.decode()
        yield "PRIVATE KEY-----"
        for key in self.private_keys:
            # The rest is the public key, which stands in certificates too: behind in one kind, before in the other.
            lines, is_ec = key_pem(key).splitlines()[1:-1], isinstance(key, ec.EllipticCurvePrivateKey)
            yield from lines[:2] if is_ec else lines[-12:]
            numbers = key.private_numbers()
            number = numbers.private_value if isinstance(numbers, ec.EllipticCurvePrivateNumbers) else numbers.d
            yield from (str(number), f"{number:x}", f"{number:X}")

    def leaks(self, texts: dict[str, str]) -> list[str]:
        """Where which secret is told."""
        return [
            f"{where}: {form[:12]}..." for form in set(self.forms()) for where, text in texts.items() if form in text
        ]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    """Notes every password and every key that this process makes."""
    it = Known()

    def noting(make: Callable[..., Any], kept: list[Any]) -> Callable[..., Any]:
        def make_and_note(*arguments: Any, **options: Any) -> Any:
            made = make(*arguments, **options)
            kept.append(made)
            return made

        return make_and_note

    for module in (bench.run, bench.material):
        monkeypatch.setattr(module, "token_bytes", noting(module.token_bytes, it.passwords))
    for module in (ocppj.authority, simulator.security):
        monkeypatch.setattr(module, "new_key", noting(module.new_key, it.private_keys))
    return it


class Heard(logging.Handler):
    """Everything that any logger says at any level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record) + repr(record.args))


@contextmanager
def listening_to_everybody() -> Iterator[Heard]:
    heard, root = Heard(), logging.getLogger()
    loggers = [root, *(each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger))]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.DEBUG)
    root.addHandler(heard)
    try:
        yield heard
    finally:
        root.removeHandler(heard)
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)


def written(folder: Path) -> dict[str, str]:
    """Every file beneath a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes().decode(errors="replace") for path in files}


def rehearsed(out: Path, *arguments: str) -> dict[str, str]:
    """All that a self-rehearsal of the Security cases in this process writes, prints and logs."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        with listening_to_everybody() as heard:
            result = CliRunner().invoke(app, ["run", "--profile", "Security", "--out", str(out), *arguments])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert result.exit_code == 0, result.output
    return written(out) | {"terminal": result.output, "log": "\n".join(heard.texts)}


@pytest.mark.parametrize("profile", ["", "1", "2", "3"])
def test_a_self_rehearsal_tells_no_secret(profile: str, known: Known, tmp_path: Path) -> None:
    told = rehearsed(tmp_path / "out", *(["--security-profile", profile] if profile else []))
    assert len(known.passwords) > 10 or profile == "3"  # which has none
    assert len(known.private_keys) > 3
    assert sum(name.endswith("transcript.jsonl") for name in told) > 10
    assert '"***"' in "".join(told.values()) or profile == "3"  # a key was told, and masked
    assert known.leaks(told) == []


def test_what_is_searched_for_would_be_found(known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the masks, and without the filter of the log, the same search finds them in the same places."""
    monkeypatch.setattr(secrets, "keep", lambda *_: None)
    instead: dict[str, Callable[[Any], Any]] = {
        "hidden_in_frame": lambda raw, told=secrets.hidden_in_frame: (raw, told(raw)[1]),  # type: ignore[misc]
        "hidden_deeply": lambda value: value,
        "masked": lambda text: text,
    }
    for name, unmasked in instead.items():
        ordinary = getattr(secrets, name)
        for module in [each for each in sys.modules.values() if getattr(each, name, None) is ordinary]:
            monkeypatch.setattr(module, name, unmasked)
    monkeypatch.setattr(secrets, "_known", {})
    monkeypatch.setattr(connection._log, "filters", [])
    told = rehearsed(tmp_path / "out", "--case", "TC_073_CS", "--case", "TC_073_CSMS")
    places = {leak.split(":")[0] for leak in known.leaks(told)}
    views = ("transcript.jsonl", "sequence.svg", "sequence.mmd")
    written = {f"cases/TC_073_{role}/{view}" for role in ("CS", "CSMS") for view in views} | {"log"}
    attached = {place for place in places if place.startswith("allure-results/")}
    assert places - attached == written
    assert len(attached) == 4  # each transcript and each picture once more


def test_every_form_is_found(known: Known) -> None:
    known.passwords += [bytes(range(200, 220)), b"password-of-20-chars"]
    known.private_keys += [ocppj.authority.new_key("EC"), ocppj.authority.new_key("RSA")]
    assert known.leaks({"nothing": "hello"}) == []
    for form in known.forms():
        assert known.leaks({"a file": f"before {form} after"}), form
    key = known.private_keys[-1]
    assert isinstance(key, rsa.RSAPrivateKey)
    assert known.leaks({"a file": json.dumps(key_pem(key))})
    assert known.leaks({"a file": key_pem(key).replace("-----BEGIN PRIVATE KEY-----", "")})


# --- devices of somebody else, in real time, with passwords of ours


PASSWORD, NEXT_PASSWORD = b"password-of-20-chars", bytes(range(180, 200))


async def rehearse(*arguments: str, cwd: Path, command: Sequence[str] = ("run", "--out", "out")) -> str:
    """What the command prints."""
    process = await asyncio.create_subprocess_exec(
        *(str(REHEARSE), *command, *arguments),
        cwd=cwd,
        env={**os.environ, "REHEARSE_PASSWORD": PASSWORD.decode(), "PYTHONASYNCIODEBUG": ""},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(120):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode in (0, 1, 3), output.decode()
    return output.decode()


def cases(*ids: str) -> list[str]:
    return [part for each in ids for part in ("--case", each)]


def verdicts(out: Path) -> dict[str, str]:
    return {each["id"]: each["verdict"] for each in json.loads((out / "results.json").read_text())["cases"]}


def told_by(cwd: Path, printed: str) -> dict[str, str]:
    """All but what only its owner may read, which is where secrets are to be."""
    texts = written(cwd)
    for name in [*texts]:
        if name.endswith(".key") or name == "rehearsal-credentials.json":
            assert stat.S_IMODE((cwd / name).stat().st_mode) == 0o600, name
            del texts[name]
    return texts | {"terminal": printed}


OPERATE = """#!{python}
import pathlib, sys, time
request = pathlib.Path("request.json")
request.with_suffix(".part").write_text(sys.stdin.read())
request.with_suffix(".part").rename(request)
while request.exists():
    time.sleep(0.02)
"""


async def operate(cs: CentralSystem, cwd: Path) -> None:
    """Do what the operator is asked to do."""
    path = cwd / "request.json"
    while True:
        if path.exists():
            request = json.loads(path.read_text())
            payload: dict[str, Any] = request["payload"]
            if payload.get("key") == "AuthorizationKey":
                payload["value"] = NEXT_PASSWORD.hex()
            try:
                await cs.request(IDENTITY, request["action"], payload, wrong=True)
            except CallFailed:
                pass
            finally:
                path.unlink()
        await asyncio.sleep(0.02)


def test_a_central_system_of_somebody_else(known: Known, tmp_path: Path) -> None:
    store = Store(cpo_name=CPO)
    know_credentials(store, IDENTITY, security_profile=1, authorization_key=PASSWORD, serial_number=SERIAL)
    program = tmp_path / "operate.py"
    program.write_text(OPERATE.replace("{python}", sys.executable))
    program.chmod(0o700)

    async def meet() -> str:
        cs = CentralSystem(store)
        await cs.start()
        operating = asyncio.create_task(operate(cs, tmp_path))
        try:
            return await rehearse(
                *("--csms", cs.endpoint, "--security-profile", "1"),
                *("--identity", IDENTITY, "--operator", f"command:{program}"),
                *cases("TC_073_CSMS", "TC_085_CSMS"),
                cwd=tmp_path,
            )
        finally:
            operating.cancel()
            await cs.stop()

    printed = asyncio.run(meet())
    known.passwords += [PASSWORD, NEXT_PASSWORD]
    assert verdicts(tmp_path / "out")["TC_073_CSMS"] == "pass", printed
    assert verdicts(tmp_path / "out")["TC_085_CSMS"] == "pass", printed
    assert known.leaks(told_by(tmp_path, printed)) == []
    assert NEXT_PASSWORD.hex() in (tmp_path / "rehearsal-credentials.json").read_text()


REPEAT = """#!{python}
import os, pathlib, sys
told = sys.stdin.read()
with pathlib.Path(r"{notes}").open("a") as notes:
    notes.write(told + chr(10))
print(told, file=sys.stderr)
print("cannot:", os.environ["REHEARSE_PASSWORD"], told[told.find("payload"):], told)
sys.exit({status})
"""


@pytest.mark.parametrize("status", [0, 1, 3])
def test_who_repeats_what_he_is_told(status: int, known: Known, tmp_path: Path) -> None:
    """The operator and a hook, each with the password on its last line; and what is made of such a run later on."""
    store = Store(cpo_name=CPO)
    know_credentials(store, IDENTITY, security_profile=1, authorization_key=PASSWORD, serial_number=SERIAL)
    cwd, notes, program = tmp_path / "run", tmp_path / "notes", tmp_path / "repeat.py"
    cwd.mkdir()
    for place in (program, tmp_path / "hook.py"):
        text = REPEAT.replace("{python}", sys.executable).replace("{notes}", str(notes))
        place.write_text(text.replace("{status}", str(status if place == program else 0)))
        place.chmod(0o700)

    async def meet() -> str:
        cs = CentralSystem(store)
        await cs.start()
        common = ("--csms", cs.endpoint, "--security-profile", "1", "--identity", IDENTITY)
        try:
            printed = await rehearse(
                *(*common, "--operator", f"command:{program}", "--before-case", str(tmp_path / "hook.py")),
                *("--data", "MessageTimeout=1", "--data", "SettleTime=0.2", "--data", "LongOperationTimeout=1"),
                *cases("TC_073_CSMS"),
                cwd=cwd,
            )
            for command in (
                ("run", "--rerun", "fail,inconclusive", "out"),
                ("judge", "out", "--out", "judged"),
                ("report", "out"),
            ):
                printed += await rehearse(cwd=cwd, command=command)
        finally:
            await cs.stop()
        return printed

    printed = asyncio.run(meet())
    asked = [json.loads(line)["payload"]["value"] for line in notes.read_text().splitlines() if '"payload"' in line]
    assert len(asked) == 2  # the second one when the case was played once more
    known.passwords += [PASSWORD, *map(bytes.fromhex, asked)]
    assert verdicts(cwd / "out")["TC_073_CSMS"] in ("fail", "inconclusive"), printed
    if status:
        assert "cannot: *** payload" in json.loads((cwd / "out" / "results.json").read_text())["cases"][0]["reason"]
    assert known.leaks(told_by(cwd, printed)) == []


def test_a_charge_point_of_somebody_else(known: Known, tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki", host="127.0.0.1", serial_number=SERIAL)
    it = charge_point(pki)
    known.passwords.append(PASSWORD)
    it.security.on_change = lambda: known.passwords.append(it.security.authorization_key or b"")
    port = free_port()

    async def meet() -> str:
        await it.power_on(f"wss://127.0.0.1:{port}")
        try:
            return await rehearse(
                *("--listen", f"127.0.0.1:{port}", "--security-profile", "2", "--identity", IDENTITY),
                *("--pki", "pki", *cases("TC_073_CS", "TC_079_CS")),
                cwd=tmp_path,
            )
        finally:
            await it.stop()

    printed = asyncio.run(meet())
    assert len(set(known.passwords)) > 1
    assert verdicts(tmp_path / "out")["TC_073_CS"] == "pass", printed
    assert known.leaks(told_by(tmp_path, printed)) == []


def charge_point(pki: Pki) -> ChargePoint:
    memory = Memory(
        configuration={"SecurityProfile": "2", "CpoName": CPO},
        authorization_key=PASSWORD.hex(),
        central_system_roots=[pem(pki.central_system_root.certificate)],
    )
    return ChargePoint(identity=IDENTITY, profiles=[*PROFILES, "Security"], memory=memory, serial_number=SERIAL)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--csms", f"ws://{IDENTITY}:{PASSWORD.decode()}@127.0.0.1:1/x"],
        ["--csms", "ws://127.0.0.1:1/x", "--security-profile", "1", "--password", PASSWORD.decode() + "+" * 20],
    ],
)
def test_what_cannot_be_used_is_not_repeated(arguments: Sequence[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["run", *arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert result.stderr
    assert PASSWORD.decode() not in "".join([result.output, result.stderr, *written(tmp_path).values()])
