"""The command as its users call it: a process of its own, its exit status, its files."""

import asyncio
import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.cases import all_cases, cases_for
from bench.device import CAPABILITIES, device
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from ocppj.transcript import normalised, read
from reference_csms.central_system import CentralSystem
from reference_csms.store import Store
from reports.reading import read_results
from reports.results import Results
from reports.views import CASE_VIEWS, VIEWS
from simulator.charge_point import ChargePoint
from tests.bench.hostile import hostile_environment, hostile_folder

REHEARSE = Path(sys.executable).with_name("rehearse")
ALL = sorted(all_cases())

NEEDS_THE_COMMAND = pytest.mark.skipif(not REHEARSE.exists(), reason="the tool is not installed beside this Python")
pytestmark = NEEDS_THE_COMMAND


def rehearse(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None, timeout: float = 300.0
) -> subprocess.CompletedProcess[str]:
    """Call the command; it gets no terminal."""
    return subprocess.run(  # noqa: S603
        [str(REHEARSE), *arguments],
        cwd=cwd,
        env=env or {**os.environ, "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def results(folder: Path) -> dict[str, Any]:
    """What a run left behind."""
    document: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return document


def verdicts(folder: Path) -> dict[str, str]:
    return {case["id"]: case["verdict"] for case in results(folder)["cases"]}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def self_rehearsal(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """A whole self-rehearsal, and its results: played once for all workers, and to be changed by nobody."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    told = shared / "self.json"
    with (shared / "self.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            (shared / "self").mkdir()
            process = rehearse("run", cwd=shared / "self")
            told.write_text(json.dumps([process.args, process.returncode, process.stdout, process.stderr]))
    return subprocess.CompletedProcess(*json.loads(told.read_text())), shared / "self" / "rehearsal-results"


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    return self_rehearsal(tmp_path_factory)


# --- a self-rehearsal


def test_a_self_rehearsal_passes(rehearsed: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    process, out = rehearsed
    assert process.returncode == 0, process.stdout + process.stderr
    assert verdicts(out) == dict.fromkeys(ALL, "pass")
    assert process.stderr == ""
    assert f"{len(ALL)} pass. Results: rehearsal-results/results.json" in process.stdout
    assert "warning" not in process.stdout.lower()
    for case in all_cases().values():
        assert re.search(rf"^pass +{case.id} +{re.escape(case.title)}", process.stdout, re.MULTILINE)


def test_nothing_else_is_written(rehearsed: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, out = rehearsed
    assert [path.name for path in out.parent.iterdir()] == ["rehearsal-results"]
    files = {"allure-results", "cases", "results.json", *(name.partition("/")[0] for name, _ in VIEWS)}
    assert {path.name for path in out.iterdir()} == files
    assert sorted(path.name for path in (out / "cases").iterdir()) == ALL
    for case in (out / "cases").iterdir():
        assert {path.name for path in case.iterdir()} == {"transcript.jsonl", *(name for name, _ in CASE_VIEWS)}


CASE_FIELDS = {
    "id": str,
    "title": str,
    "role": str,
    "profile": str,
    "verdict": str,
    "strict_verdict": str,
    "reason": str,
    "duration_s": float,
    "clauses": list,
    "steps": list,
    "remarks": list,
    "started": str,
    "failure": type(None),
    "session": int,
    "attempts": list,
    "residue": list,
    "testimony": list,
}


def test_the_shape_of_the_results(rehearsed: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    document = results(rehearsed[1])
    assert list(document) == ["format", "run", "device", "cases", "summary"]
    assert document["run"].keys() == {
        "tool", "version", "started", "ended", "time", "strict", "shuffle", "command", "folder", "options", "fail_on",
        "known_failures", "sessions",
    }  # fmt: skip
    assert document["run"]["command"] == "rehearse run"
    assert document["run"]["options"] == {}
    assert document["run"]["folder"] == str(rehearsed[1].parent)
    assert document["run"]["fail_on"] == ["fail", "inconclusive", "error"]
    assert document["run"]["known_failures"] == {}
    (session,) = document["run"]["sessions"]
    assert (session["kind"], session["cases"], session["notes"]) == ("run", ALL, [])
    assert session["started"] == document["run"]["started"]
    assert session["ended"] == document["run"]["ended"]
    assert document["run"]["tool"] == "ocpp-rehearsal"
    assert document["run"]["time"] == "virtual"
    assert document["run"]["strict"] is False
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", document["run"]["started"])
    started = datetime.fromisoformat(document["run"]["started"])  # by the real clock, not that of the rehearsal
    assert timedelta() <= datetime.now(UTC) - started < timedelta(hours=1)
    assert started <= datetime.fromisoformat(document["run"]["ended"]) <= datetime.now(UTC)
    assert document["device"].keys() == {
        "kind",
        "address",
        "identity",
        "second_identity",
        "lacks",
        "test_data",
        "file_servers",
        "security",
        "limits_s",
        "about",
    }
    assert document["summary"] == {
        "pass": len(ALL),
        "fail": 0,
        "inconclusive": 0,
        "error": 0,
        "not_applicable": 0,
    }
    assert [case["id"] for case in document["cases"]] == ALL
    for case in document["cases"]:
        assert {name: type(value) for name, value in case.items()} == {
            name: (kind if kind is not float else type(case["duration_s"])) for name, kind in CASE_FIELDS.items()
        }
        assert isinstance(case["duration_s"], (int, float))
        assert all(isinstance(remark, str) for remark in case["remarks"])
        known = all_cases()[case["id"]]
        assert (case["title"], case["role"], case["profile"]) == (known.title, known.role, known.profile)
        assert case["reason"] == ""
        assert case["steps"]
        for step in case["steps"]:
            assert step.keys() == {"keyword", "sentence", "outcome", "table"}
            assert step["outcome"] == "passed"


TRACE = {
    "kind",
    "timestamp",
    "schemaVersion",
    "ocppVersion",
    "transport",
    "chargePointId",
    "direction",
    "messageType",
    "messageId",
    "raw",
}


def test_the_transcripts(rehearsed: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    for case in ALL:
        records = read(rehearsed[1] / "cases" / case / "transcript.jsonl")
        frames = [record for record in records if record["kind"] == "frame"]
        assert len(frames) >= 4
        for frame in frames:
            assert frame.keys() >= TRACE
            assert (frame["schemaVersion"], frame["ocppVersion"], frame["transport"]) == ("1.1", "1.6", "json")
            assert frame["direction"] in ("cp-to-csms", "csms-to-cp")
            assert frame["chargePointId"] == "CP1"
            assert re.fullmatch(r"2031-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", frame["timestamp"])
            fields = {"CALL": {"action", "payload"}, "CALLRESULT": {"payload"}, "CALLERROR": {"error"}}
            assert frame.keys() >= fields[frame["messageType"]]
            assert json.loads(frame["raw"])[1] == frame["messageId"]
        assert [record["timestamp"] for record in records] == sorted(record["timestamp"] for record in records)


def test_two_rehearsals_leave_the_same_transcripts(
    rehearsed: tuple[subprocess.CompletedProcess[str], Path], tmp_path: Path
) -> None:
    env = {**os.environ, "PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland", "COLUMNS": "80"}
    assert rehearse("run", "--out", "again", cwd=tmp_path, env=env).returncode == 0
    first, again = rehearsed[1], tmp_path / "again"
    texts = [(root / "cases" / case / "transcript.jsonl").read_text() for case in ALL for root in (first, again)]
    assert [normalised(text) for text in texts[::2]] == [normalised(text) for text in texts[1::2]]
    documents = [results(first), results(again)]
    for document in documents:
        document["run"] |= {"started": "", "ended": "", "command": "", "folder": "", "sessions": []}
    assert documents[0] == documents[1]


# --- a folder and an environment that mean something else


@pytest.mark.parametrize("python_path", [None, "."])
def test_a_folder_where_everything_is_called_alike(tmp_path: Path, python_path: str | None) -> None:
    env = hostile_environment()
    del env["PYTHONPATH"]
    if python_path is not None:
        env["PYTHONPATH"] = python_path
    process = rehearse("run", cwd=hostile_folder(tmp_path), env=env)
    assert process.returncode == 0, process.stdout + process.stderr
    assert verdicts(tmp_path / "rehearsal-results") == dict.fromkeys(ALL, "pass")


def test_a_folder_with_other_steps_on_the_path(tmp_path: Path) -> None:
    shutil.rmtree(hostile_folder(tmp_path) / "bench")
    process = rehearse("run", cwd=tmp_path, env=hostile_environment())
    assert process.returncode == 0, process.stdout + process.stderr
    assert verdicts(tmp_path / "rehearsal-results") == dict.fromkeys(ALL, "pass")


# --- what cannot be used: exit status 2, one line, no traceback

UNUSABLE: dict[str, tuple[Sequence[str], str]] = {
    "case": (["--case", "TC_999_CS"], "unknown test case TC_999_CS: see 'rehearse cases'"),
    "case without role": (["--case", "TC_003"], "unknown test case TC_003: did you mean TC_003_CS, TC_003_CSMS?"),
    "profile": (["--profile", "cores"], "unknown profile cores: one of core, "),
    "role": (["--role", "CP"], "unknown role CP: CS or CSMS"),
    "capability": (["--lacks", "wheels"], "unknown capability wheels; there are authorization_cache, "),
    "nothing left": (["--case", "TC_003_CS", "--role", "CSMS"], "no test case is left to run"),
    "data without value": (["--data", "ValidIdTag"], "--data ValidIdTag is not of the form NAME=VALUE"),
    "unknown data": (["--data", "Nonsense=1"], "unknown test data Nonsense; there are "),
    "data that is no number": (["--data", "ConnectorId=one"], "ConnectorId=one is no "),
    "a unit that there is not": (["--data", "ChargingRateUnit=kW"], "ChargingRateUnit=kW is none of A, W"),
    "a stackLevel below 0": (["--data", "StackLevel=-1"], "StackLevel=-1 is no whole number above -1"),
    "a local limit that is no number": (["--data", "LocalLimit=much"], "LocalLimit=much is no positive number"),
    "a limit that is no number": (["--data", "MessageTimeout=-1"], "MessageTimeout=-1 is no positive number"),
    "a long idTag": (["--data", f"ValidIdTag={'x' * 21}"], "ValidIdTag has 21 characters, an idTag has 1 to 20"),
    "an empty idTag": (["--data", "ValidIdTag="], "ValidIdTag has 0 characters"),
    "no listen port": (["--listen", "127.0.0.1"], "--listen 127.0.0.1 is not of the form HOST:PORT"),
    "no listen host": (["--listen", ":9000"], "--listen :9000 is not of the form HOST:PORT"),
    "a word for a port": (["--listen", "127.0.0.1:http"], "--listen 127.0.0.1:http is not of the form HOST:PORT"),
    "a great port": (["--listen", "127.0.0.1:65536"], "--listen 127.0.0.1:65536 is not of the form HOST:PORT"),
    "an unknown host": (["--listen", "nowhere.invalid:9000"], "cannot listen at nowhere.invalid:9000: "),
    "no websocket": (
        ["--csms", "http://127.0.0.1/x"],
        "--csms http://127.0.0.1/x is no URL such as ws://host:port/path",
    ),
    "no host": (["--csms", "ws://"], "--csms ws:// is no URL such as"),
    "nobody there": (["--csms", "ws://127.0.0.1:1/x"], "ws://127.0.0.1:1/x/CP1: "),
    "both": (["--csms", "ws://127.0.0.1:1/x", "--listen", "127.0.0.1:0"], "--csms and --listen exclude each other"),
    "about without value": (["--about", "vendor"], "--about vendor is not of the form NAME=VALUE"),
    "unknown about": (["--about", "colour=red"], "unknown --about colour: one of vendor, product, software_version, "),
    "operator": (["--operator", "somebody"], "--operator somebody is not of the form command:PROGRAM or http:URL"),
    "operator without program": (["--operator", "command: "], "--operator command:  is not of the form"),
    "out is a file": (["--case", "TC_017_1_CS", "--out", "file"], "the results cannot be written to file: "),
    "out is below a file": (["--case", "TC_017_1_CS", "--out", "file/x"], "the results cannot be written to file/x: "),
    "out is nowhere": (["--case", "TC_017_1_CS", "--out", "/proc/x"], "the results cannot be written to /proc/x: "),
}

NOT_YET = {
    "an operator with half a quote": (["--operator", "command:foo 'bar"], "the operator (command): foo 'bar is no "),
    "a fraction of a connector": (["--data", "ConnectorId=1.5", "--case", "TC_017_1_CS"], "ConnectorId=1.5 "),
    "half a connector more": (["--data", "NumberOfConnectors=1.5", "--case", "TC_017_1_CS"], "NumberOfConnectors=1.5 "),
    "a connector that is not there": (["--data", "ConnectorId=9", "--case", "TC_003_CS"], "ConnectorId=9 "),
    "a half second for a heartbeat": (
        ["--data", "HeartbeatInterval=0.5", "--case", "TC_001_CS"],
        "HeartbeatInterval=0.5 ",
    ),
}


def assert_unusable(process: subprocess.CompletedProcess[str], words: str) -> None:
    assert process.returncode == 2, process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr
    assert process.stderr.startswith(f"rehearse: {words}")
    assert process.stderr.count("\n") == 1
    assert process.stderr.endswith("\n")


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_cannot_be_used(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    arguments, words = UNUSABLE[name]
    assert_unusable(rehearse("run", *arguments, cwd=tmp_path), words)


@pytest.mark.parametrize("name", NOT_YET)
def test_what_cannot_be_used_either(tmp_path: Path, name: str) -> None:
    arguments, words = NOT_YET[name]
    assert_unusable(rehearse("run", *arguments, cwd=tmp_path), words)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = rehearse("run", "--listen", f"127.0.0.1:{port}", cwd=tmp_path)
    assert_unusable(process, f"cannot listen at 127.0.0.1:{port}: ")


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--csms"], ["nonsense"]])
def test_options_that_nobody_knows(tmp_path: Path, arguments: list[str]) -> None:
    process = rehearse("run", *arguments, cwd=tmp_path)
    assert process.returncode == 2
    assert "Traceback" not in process.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_transcript_that_cannot_be_written_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "out" / "cases").mkdir(parents=True)
    (tmp_path / "out" / "cases" / "TC_017_1_CS").touch()
    process = rehearse("run", "--case", "TC_017_1_CS", "--out", "out", cwd=tmp_path)
    assert process.returncode != 0


# --- what is run


def chosen(tmp_path: Path, *arguments: str) -> list[str]:
    process = rehearse("run", *arguments, "--out", "out", cwd=tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    assert set(verdicts(tmp_path / "out").values()) <= {"pass"}
    return sorted(verdicts(tmp_path / "out"))


def test_cases_can_be_chosen(tmp_path: Path) -> None:
    assert chosen(tmp_path, "--case", "TC_003_CS") == ["TC_003_CS"]
    assert chosen(tmp_path, "--case", "TC_031_CSMS", "--case", "TC_003_CS") == ["TC_003_CS", "TC_031_CSMS"]
    assert chosen(tmp_path, "--role", "cs") == [case for case in ALL if case.endswith("_CS")]
    core = [case.id for case in all_cases().values() if case.profile == "Core"]
    assert chosen(tmp_path, "--role", "CSMS", "--profile", "Core") == [case for case in core if case.endswith("_CSMS")]
    assert chosen(tmp_path, "--profile", "core") == core


def needing(lacking: str) -> set[str]:
    """The cases that a Charge Point without something is not asked for."""
    return {case.id for case in cases_for(device(lacks=frozenset({lacking}))).values() if lacking in case.needs}


@pytest.mark.parametrize("lacking", sorted(CAPABILITIES))
def test_what_the_charge_point_lacks(lacking: str) -> None:
    with closing(Run(device(lacks=frozenset({lacking})))) as run:
        rehearsal = Rehearsal(run, Results({}, run.device.describe()))
        assert play(rehearsal) == pytest.ExitCode.OK
    tagged = needing(lacking)
    assert tagged
    found = {case.id: case for case in rehearsal.results.cases}
    assert {name: case.verdict for name, case in found.items()} == {
        case: "not_applicable" if case in tagged else "pass" for case in ALL
    }
    for name in tagged:
        assert found[name].reason == f"the device lacks {CAPABILITIES[lacking]}"
        assert found[name].steps == []


def test_the_option_lacks(tmp_path: Path) -> None:
    process = rehearse("run", "-n", "2", "--lacks", "detachable_cable", "--out", "out", cwd=tmp_path)
    assert process.returncode == 0, process.stdout
    tagged = needing("detachable_cable")
    assert verdicts(tmp_path / "out") == {case: "not_applicable" if case in tagged else "pass" for case in ALL}
    document = results(tmp_path / "out")
    assert document["summary"]["not_applicable"] == len(tagged)
    assert document["device"]["lacks"] == ["detachable_cable"]


def test_the_option_lacks_takes_each_of_them(tmp_path: Path) -> None:
    options = [f"--lacks={each}" for each in CAPABILITIES]
    process = rehearse("run", "--case", "TC_001_CSMS", *options, "--out", "out", cwd=tmp_path)
    assert process.returncode == 0, process.stdout
    assert results(tmp_path / "out")["device"]["lacks"] == sorted(CAPABILITIES)


def test_a_strict_run_is_judged_by_the_strict_verdicts(tmp_path: Path) -> None:
    process = rehearse("run", "--strict", "--out", "out", cwd=tmp_path)
    document = results(tmp_path / "out")
    strict = {case["strict_verdict"] for case in document["cases"]}
    assert document["run"]["strict"] is True
    assert process.returncode == (1 if "fail" in strict else 0)


def test_a_strict_self_rehearsal_passes(tmp_path: Path) -> None:
    assert rehearse("run", "--strict", "--out", "out", cwd=tmp_path).returncode == 0


# --- the list of cases


def test_the_list_of_cases_as_json(tmp_path: Path) -> None:
    process = rehearse("cases", "--json", cwd=tmp_path)
    assert process.returncode == 0
    entries = json.loads(process.stdout)
    assert [entry["id"] for entry in entries] == ALL
    for entry in entries:
        case = all_cases()[entry["id"]]
        assert entry == {
            "id": case.id,
            "title": case.title,
            "role": case.role,
            "profile": case.profile,
            "applies": True,
            "why_not": None,
            "clauses": list(case.clauses),
        }


@pytest.mark.parametrize(("option", "role"), [("--csms", "CSMS"), ("--charge-point", "CS")])
def test_the_list_of_cases_of_one_role(tmp_path: Path, option: str, role: str) -> None:
    entries = json.loads(rehearse("cases", option, "--lacks", "detachable_cable", "--json", cwd=tmp_path).stdout)
    for entry in entries:
        case = all_cases()[entry["id"]]
        is_there = set(case.without) - {"detachable_cable"} and role == "CS"  # beside a Central System sits ours
        is_for_it = "detachable_cable" not in case.needs and case.fits(0)  # who says nothing has security profile 0
        assert entry["applies"] == (case.role == role and is_for_it and not is_there)
        assert (entry["why_not"] is None) == entry["applies"]


def test_the_list_of_cases_as_a_table(tmp_path: Path) -> None:
    process = rehearse("cases", cwd=tmp_path)
    assert process.returncode == 0
    for case in all_cases().values():
        assert re.search(
            rf"^{case.id} .*{re.escape(case.title[:30])}.* {case.role} .*yes", process.stdout, re.MULTILINE
        )
    assert_unusable(rehearse("cases", "--lacks", "wheels", cwd=tmp_path), "unknown capability wheels")


# --- devices, in real time


class Listening:
    """Our Central System in this process, as that of somebody else; each call turns its world for a while."""

    def __init__(self, *known: str) -> None:
        self._loop = asyncio.new_event_loop()
        store = Store(heartbeat_interval=3600)
        for identity in known:
            store.know_charge_point(identity)
        self.central_system = CentralSystem(store)
        self._loop.run_until_complete(self.central_system.start())
        self.url = self.central_system.endpoint

    def while_running(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Call the command while this Central System serves."""
        return self.while_it_serves(rehearse, *arguments, cwd=cwd)

    def while_it_serves(
        self, call: Callable[..., subprocess.CompletedProcess[str]], *arguments: Any, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Call something that blocks while this Central System serves; what came of it."""
        return self._loop.run_until_complete(asyncio.to_thread(call, *arguments, **more))

    def turn(self, work: Awaitable[int]) -> int:
        """Serve until some work is done; what came of it."""

        async def done() -> int:
            return await work

        return self._loop.run_until_complete(done())

    def close(self) -> None:
        self._loop.run_until_complete(self.central_system.stop())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


@pytest.fixture
def central_system() -> Iterator[Listening]:
    listening = Listening("CP1")
    yield listening
    listening.close()


def test_a_central_system_that_does_not_know_the_charge_point(tmp_path: Path, central_system: Listening) -> None:
    process = central_system.while_running("run", "--csms", central_system.url, "--identity", "CP7", cwd=tmp_path)
    words = f"{central_system.url}/CP7 answers HTTP 404: the Central System does not know this Charge Point"
    assert_unusable(process, words)


def test_a_central_system_that_answers_as_it_should(tmp_path: Path, central_system: Listening) -> None:
    arguments = ["--csms", central_system.url, "--case", "TC_001_CSMS", "--case", "TC_023_1_CSMS", "--out", "out"]
    process = central_system.while_running("run", *arguments, cwd=tmp_path)
    assert verdicts(tmp_path / "out") == {"TC_001_CSMS": "pass", "TC_023_1_CSMS": "pass"}, process.stdout
    assert process.returncode == 0
    assert results(tmp_path / "out")["run"]["time"] == "real"
    assert results(tmp_path / "out")["device"]["address"] == central_system.url


def test_a_central_system_that_answers_wrongly(tmp_path: Path, central_system: Listening) -> None:
    central_system.central_system.store.know_id_tag("NOBODY-C0FFEE", "Accepted")
    arguments = ["--csms", central_system.url, "--case", "TC_023_1_CSMS", "--out", "out"]
    process = central_system.while_running("run", *arguments, cwd=tmp_path)
    assert process.returncode == 1
    (case,) = results(tmp_path / "out")["cases"]
    assert case["verdict"] == "fail"
    assert "idTagInfo.status is Accepted, expected Invalid" in case["reason"]
    assert "(OCPP 1.6 4.1" in case["reason"]
    assert [step["outcome"] for step in case["steps"]][-1] == "fail"


def test_missing_test_data_and_a_missing_operator_are_inconclusive(tmp_path: Path, central_system: Listening) -> None:
    cases = ("TC_003_CSMS", "TC_013_CSMS", "TC_023_1_CSMS")
    arguments = [argument for case in cases for argument in ("--case", case)]
    process = central_system.while_running(
        "run", "--csms", central_system.url, *arguments, "--out", "out", cwd=tmp_path
    )
    assert process.returncode == 3
    found = {case["id"]: (case["verdict"], case["reason"]) for case in results(tmp_path / "out")["cases"]}
    assert found["TC_023_1_CSMS"] == ("pass", "")
    assert found["TC_003_CSMS"][0] == "inconclusive"
    assert "give --data ValidIdTag=" in found["TC_003_CSMS"][1]
    assert found["TC_013_CSMS"][0] == "inconclusive"
    assert (
        "there is no operator who could be asked: Reset (type = Hard) at the Central System" in found["TC_013_CSMS"][1]
    )


def test_a_case_of_the_other_role_cannot_be_named(tmp_path: Path) -> None:
    process = rehearse("run", "--csms", "ws://127.0.0.1:1/x", "--case", "TC_003_CS", "--out", "out", cwd=tmp_path)
    assert_unusable(process, "no test case is left to run")


def test_results_are_written_case_by_case(tmp_path: Path) -> None:
    """Whatever ends a run leaves what has been judged: here a time limit that kills it."""
    port = free_port()
    arguments = ["run", "--listen", f"127.0.0.1:{port}", "--data", "LongOperationTimeout=1", "--out", "out"]
    command = [str(REHEARSE), *arguments]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # ours
        assert process.stdout is not None
        while "inconclusive" not in process.stdout.readline():
            pass
        process.kill()
    assert "TC_001_CS" in {case.id for case in read_results(tmp_path / "out").cases}


def test_what_cannot_be_reached_costs_no_results(tmp_path: Path) -> None:
    assert rehearse("run", "--case", "TC_017_1_CS", "--out", "out", cwd=tmp_path).returncode == 0
    assert rehearse("run", "--csms", "ws://127.0.0.1:1/x", "--out", "out", cwd=tmp_path).returncode == 2
    assert verdicts(tmp_path / "out") == {"TC_017_1_CS": "pass"}


def test_transcripts_of_another_run_are_not_kept(tmp_path: Path) -> None:
    for case in ("TC_017_1_CS", "TC_031_CS"):
        assert rehearse("run", "--case", case, "--out", "out", cwd=tmp_path).returncode == 0
    assert [path.name for path in (tmp_path / "out" / "cases").iterdir()] == ["TC_031_CS"]


def test_a_charge_point_that_never_comes(tmp_path: Path) -> None:
    port = free_port()
    limits = ["--data", "LongOperationTimeout=1", "--data", "MessageTimeout=1"]
    arguments = ["--listen", f"127.0.0.1:{port}", *limits, "--case", "TC_017_1_CS", "--out", "out"]
    process = rehearse("run", *arguments, cwd=tmp_path)
    assert process.returncode == 3
    assert f"Waiting up to 1 s for the Charge Point to connect to ws://127.0.0.1:{port}/CP1" in process.stdout
    assert verdicts(tmp_path / "out") == {"TC_017_1_CS": "inconclusive"}


class Connecting:
    """Our Charge Point in this process, as that of somebody else, while the command runs."""

    def __init__(self, port: int) -> None:
        self.charge_point = ChargePoint()
        self._endpoint = f"ws://127.0.0.1:{port}"

    def while_running(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        async def both() -> subprocess.CompletedProcess[str]:
            calling = asyncio.create_task(asyncio.to_thread(rehearse, *arguments, cwd=cwd))
            await self.charge_point.power_on(self._endpoint)
            process = await calling
            await self.charge_point.stop()
            return process

        return asyncio.run(both())


def test_a_charge_point_that_answers_as_it_should(tmp_path: Path) -> None:
    port = free_port()
    cases = ["--case", "TC_017_1_CS", "--case", "TC_031_CS", "--case", "TC_040_1_CS"]
    arguments = ["--listen", f"127.0.0.1:{port}", *cases, "--out", "out"]
    process = Connecting(port).while_running("run", *arguments, cwd=tmp_path)
    assert set(verdicts(tmp_path / "out").values()) == {"pass"}, process.stdout + process.stderr
    assert process.returncode == 0


def test_a_fault_of_ours_in_one_case_spoils_no_other(tmp_path: Path) -> None:
    # In a process of its own, where our Central System has a fault in the first case.
    script = (
        "import sys\n"
        "from _ocpp_rehearsal import main\n"
        "from bench.run import Run\n"
        "ordinary = Run.begin\n"
        "def begin(self, case):\n"
        "    bench = ordinary(self, case)\n"
        "    if case.id == 'TC_017_1_CS':\n"
        "        bench.seats['Central System'].central_system.faults.append(KeyError('x'))\n"
        "    return bench\n"
        "Run.begin = begin\n"
        "main()\n"
    )
    (tmp_path / "spoilt.py").write_text(script)
    port = free_port()

    async def both() -> None:
        arguments = ["--listen", f"127.0.0.1:{port}", "--case", "TC_017_1_CS", "--case", "TC_031_CS", "--out", "out"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "spoilt.py", "run", *arguments, cwd=tmp_path, stdout=-3, stderr=-3, stdin=-3
        )
        charge_point = ChargePoint()
        await charge_point.power_on(f"ws://127.0.0.1:{port}")
        await process.wait()
        await charge_point.stop()

    asyncio.run(both())
    assert verdicts(tmp_path / "out") == {"TC_017_1_CS": "error", "TC_031_CS": "pass"}


def interrupted(tmp_path: Path) -> int:
    """Interrupt a run while its operator is asked; its exit status."""
    port = free_port()

    async def both() -> int:
        cases = ["--case", "TC_003_CS", "--case", "TC_017_1_CS", "--operator", "command:sh -c 'touch asked; sleep 50'"]
        process = await asyncio.create_subprocess_exec(
            str(REHEARSE), "run", "--listen", f"127.0.0.1:{port}", *cases, "--out", "out",
            cwd=tmp_path, stdout=-3, stderr=-3, stdin=-3,
        )  # fmt: skip
        charge_point = ChargePoint()
        await charge_point.power_on(f"ws://127.0.0.1:{port}")
        try:
            while not (tmp_path / "asked").exists() and process.returncode is None:  # noqa: ASYNC110  # a file is no event
                await asyncio.sleep(0.05)
            process.send_signal(2)
            return await asyncio.wait_for(process.wait(), 40)
        finally:
            if process.returncode is None:  # a shell's background has SIGINT ignored
                process.kill()
                await process.wait()
            await charge_point.stop()

    return asyncio.run(both())


def test_an_interrupted_run(tmp_path: Path) -> None:
    assert interrupted(tmp_path) == 130
    assert "pass" not in verdicts(tmp_path / "out").values()
