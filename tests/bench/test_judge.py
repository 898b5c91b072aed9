"""``rehearse judge``: a recording is judged as it was when it was made, and bites when it is tampered with."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.device import DEFAULT_DATA, FILE_SERVERS, Device, Security, device
from bench.judgement import device_then, differences, judge_again
from bench.mutants import all_mutants
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from ocppj.transcript import BENCH, Record, read
from reports.reading import BadResults, StoredTranscripts, read_results
from reports.results import Results
from tests.bench.test_command_line import self_rehearsal

# Nobody may speak to anybody: any address that is bound or connected to ends the command.
JUDGE = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo"):
        raise SystemExit(f"a socket: {event}")
sys.addaudithook(refuse)
from _ocpp_rehearsal import main
main()
"""


def judge(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", JUDGE, "judge", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # ours


@pytest.fixture(scope="module")
def run_of_all(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a self-rehearsal has left."""
    return self_rehearsal(tmp_path_factory)[1]


@pytest.fixture
def run_of_some(run_of_all: Path, tmp_path: Path) -> Path:
    """A copy to be tampered with."""
    return shutil.copytree(run_of_all, tmp_path / "copy")


def transcript(folder: Path, case: str) -> Path:
    return folder / "cases" / case / "transcript.jsonl"


def rewrite(path: Path, change: Callable[[list[Record]], list[Record]]) -> None:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in change(read(path))), encoding="utf-8")


def as_another_tool(records: list[Record]) -> Iterator[Record]:
    """The fields that Open OCPP Trace requires, and what tells one message from another."""
    for record in records:
        if record["kind"] == "frame":
            names = ("schemaVersion", "timestamp", "transport", "direction", "messageType", "messageId", "action")
            yield {name: record[name] for name in (*names, "payload", "error") if name in record}


@pytest.mark.parametrize("reading", [[], ["--strict"]])
def test_all_cases_are_judged_as_they_were(run_of_all: Path, reading: list[str]) -> None:
    done = judge(run_of_all, *reading)
    assert "184 cases are judged, 0 of them otherwise" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_each_record_comes_again(run_of_all: Path, tmp_path: Path) -> None:
    """In its order, and none twice: what is written is what was read."""
    done = judge(run_of_all, "--out", tmp_path / "judged")
    assert done.returncode == 0, done.stdout + done.stderr
    assert dict(StoredTranscripts(tmp_path / "judged")) == dict(StoredTranscripts(run_of_all))
    assert (tmp_path / "judged" / "report.html").exists()


NUMBER = 9  # mutants, spread over all of them


@pytest.mark.parametrize("name", sorted(all_mutants())[:: max(1, len(all_mutants()) // NUMBER)])
def test_a_failing_run_is_judged_as_it_was(name: str, tmp_path: Path) -> None:
    mutant = all_mutants()[name]
    run = Run(Device(security=Security(profile=mutant.security_profile)))
    results = Results({}, run.device.describe())
    with pytest.MonkeyPatch.context() as patch:
        mutant.plant(patch)
        play(Rehearsal(run, results, mutant.cases, tmp_path))
    run.close()
    again = Results({}, results.device)
    judge_again(results, StoredTranscripts(tmp_path), again)
    assert any(case.verdict != "pass" or case.remarks for case in results.cases)
    assert differences(results, again) == []
    reasons = {case.id: (case.reason, case.remarks) for case in results.cases}
    assert {case.id: (case.reason, case.remarks) for case in again.cases} == reasons


def test_a_changed_status_is_a_fail(run_of_some: Path) -> None:
    def change(records: list[Record]) -> list[Record]:
        answer = next(record for record in records if "idTagInfo" in record.get("payload", {}))
        answer["payload"]["idTagInfo"]["status"] = "Blocked"
        answer["raw"] = answer["raw"].replace("Accepted", "Blocked")
        return records

    rewrite(transcript(run_of_some, "TC_003_CSMS"), change)
    before = (run_of_some / "results.json").read_bytes()
    done = judge(run_of_some, "--case", "TC_003_CSMS")
    assert done.returncode == 1
    assert "TC_003_CSMS was pass, is fail" in done.stdout
    assert "idTagInfo.status is Blocked, expected Accepted" in done.stdout
    assert (run_of_some / "results.json").read_bytes() == before


def test_a_removed_frame_is_a_fail(run_of_some: Path) -> None:
    def change(records: list[Record]) -> list[Record]:
        ids = {record["messageId"] for record in records if record.get("action") == "StartTransaction"}
        return [record for record in records if record.get("messageId") not in ids]  # nor is it answered

    rewrite(transcript(run_of_some, "TC_003_CS"), change)
    done = judge(run_of_some)
    assert done.returncode == 1
    assert "TC_003_CS was pass, is fail: the Charge Point sent no StartTransaction.req" in done.stdout
    assert "184 cases are judged, 1 of them otherwise" in done.stdout


def test_a_whole_file_is_judged_by_itself(run_of_all: Path) -> None:
    done = judge(transcript(run_of_all, "TC_003_CS"), "--case", "TC_003_CS")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pass           TC_003_CS")


def test_a_file_that_is_cut_off_in_a_line_is_inconclusive(run_of_some: Path) -> None:
    path = transcript(run_of_some, "TC_003_CS")
    path.write_bytes(path.read_bytes()[:-40])
    number = len(path.read_text(encoding="utf-8").splitlines())
    done = judge(path, "--case", "TC_003_CS")
    assert done.returncode == 3
    assert f"the recording is not whole: line {number} is cut off" in done.stdout


@pytest.mark.parametrize(
    ("kept", "words"), [(0.5, "does not tell what came of this"), (1, "before the wire was watched")]
)
def test_a_file_that_ends_early_is_inconclusive(run_of_some: Path, kept: float, words: str) -> None:
    path = transcript(run_of_some, "TC_003_CS")
    rewrite(path, lambda records: records[: int(len(records) * kept) - (kept == 1)])
    done = judge(path, "--case", "TC_003_CS")
    assert done.returncode == 3
    assert "the recording ends at " in done.stdout
    assert words in done.stdout


TOLD = ("--data", "ValidIdTag=VALID-7F3A91")


@pytest.mark.parametrize("case", ["TC_003_CS", "TC_003_CSMS", "TC_004_1_CSMS", "TC_023_1_CSMS"])
def test_a_file_of_another_tool_is_judged(run_of_all: Path, tmp_path: Path, case: str) -> None:
    path = tmp_path / "trace.jsonl"
    shutil.copy(transcript(run_of_all, case), path)
    rewrite(path, lambda records: [*as_another_tool(records)])
    assert not any("kind" in json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    done = judge(path, "--case", case, *TOLD)
    assert (done.returncode, done.stdout[:4]) == (0, "pass"), done.stdout + done.stderr


def test_what_another_tool_has_recorded_bites(run_of_all: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    shutil.copy(transcript(run_of_all, "TC_003_CSMS"), path)
    rewrite(path, lambda records: [*as_another_tool(records)])
    path.write_text(path.read_text(encoding="utf-8").replace('"Accepted"}}', '"Invalid"}}'), encoding="utf-8")
    done = judge(path, "--case", "TC_003_CSMS", *TOLD)
    assert done.returncode == 1
    assert "idTagInfo.status is Invalid, expected Accepted" in done.stdout


def test_what_is_missing_of_another_tool_is_named(run_of_all: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    shutil.copy(transcript(run_of_all, "TC_003_CS"), path)
    rewrite(path, lambda records: [*as_another_tool(records)][:-6])
    done = judge(path, "--case", "TC_003_CS", *TOLD)
    assert done.returncode == 3
    assert "the recording ends at " in done.stdout


def test_sentences_that_are_others_today_are_judged_by_time(run_of_some: Path) -> None:
    def change(records: list[Record]) -> list[Record]:
        for record in records:
            if record["kind"] == BENCH and record["event"] == "step":
                record["text"] += " of an older version"
        return records

    rewrite(transcript(run_of_some, "TC_003_CS"), change)
    done = judge(run_of_some, "--case", "TC_003_CS")
    assert "1 cases are judged, 0 of them otherwise" in done.stdout


LINE = {"schemaVersion": "1.1", "timestamp": "2026-01-02T03:04:05Z", "transport": "json", "direction": "cp-to-csms"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no record"),
        ("{\n", "line 1 is no JSON"),
        ("[]\n", "line 1 is no record"),
        ('{"direction": "cp-to-csms"}\n', "line 1 has no timestamp"),
        (json.dumps(LINE | {"direction": "up"}), "line 1 has no direction"),
        (json.dumps(LINE | {"transport": "soap"}), "not of OCPP 1.6 over JSON"),
        (json.dumps(LINE | {"ocppVersion": "2.0.1"}), "not of OCPP 1.6 over JSON"),
        (json.dumps(LINE), "line 1 has no raw frame"),
    ],
)
def test_what_is_no_trace_is_told_in_a_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(text, encoding="utf-8")
    done = judge(path, "--case", "TC_003_CS")
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_is_corrupt_is_told_in_a_line(run_of_some: Path) -> None:
    path = transcript(run_of_some, "TC_010_CS")
    path.write_text('{"kind": "frame"}\n', encoding="utf-8")
    done = judge(run_of_some)
    assert (done.returncode, done.stdout) == (2, "")
    assert "line 1: no record of a transcript" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "a toaster"),
        ("address", "nowhere"),
        ("test_data", {"NumberOfConnectors": "many"}),
        ("test_data", {"ConnectorId": "9"}),
        ("test_data", {"CertificateFault": "spoilt"}),
        ("lacks", ["a door"]),
        ("limits_s", {"patience": 3.0}),
        ("security", {"profile": "high"}),
        ("security", {"profile": 4}),
    ],
)
def test_a_device_that_cannot_be_is_told_in_a_line(name: str, value: object) -> None:
    told = device(listen=("127.0.0.1", 9000)).describe()
    assert device_then(told).data["NumberOfConnectors"] == "1"
    with pytest.raises(BadResults, match="the results do not describe the device as cases must know it: ") as refused:
        device_then(told | {name: value})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("subject", [device(), device(url="wss://csms.example"), device(listen=("127.0.0.1", 9000))])
def test_the_device_is_the_one_of_then(subject: Device) -> None:
    told = subject.describe() | {"file_servers": {"FtpPort": "21", "FirmwareFile": "gone.bin"}}
    then = device_then(told)
    assert then.data == subject.data
    assert then.describe() == told | {"file_servers": FILE_SERVERS | {"FtpPort": "21", "FirmwareFile": "gone.bin"}}


def test_what_nobody_has_told_of_a_device_then_is_as_it_is_today() -> None:
    told = device().describe()
    told["test_data"] = {"CertificateFault": "other_key", "OfALaterVersion": "x"}
    assert device_then(told).data == DEFAULT_DATA | {"CertificateFault": "other_key"}


def test_results_that_tell_nothing_of_the_vendor_hear_of_it(run_of_some: Path, tmp_path: Path) -> None:
    told = json.loads((run_of_some / "results.json").read_text())
    del told["device"]["about"]
    (run_of_some / "results.json").write_text(json.dumps(told))
    done = judge(run_of_some, "--case", "TC_001_CS", "--out", tmp_path / "judged")
    assert done.returncode == 0, done.stdout + done.stderr
    about = json.loads((tmp_path / "judged" / "results.json").read_text())["device"]["about"]
    assert about["vendor"] == "Rehearsal"


def test_a_case_without_a_transcript_is_not_judged(run_of_some: Path) -> None:
    transcript(run_of_some, "TC_010_CS").unlink()
    done = judge(run_of_some)
    assert done.returncode == 1
    assert "TC_010_CS was pass, is inconclusive: there is no transcript of the case" in done.stdout
    assert len(read_results(run_of_some).cases) == 184
