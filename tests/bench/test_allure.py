"""What a run leaves for Allure: a case of each verdict, and texts that a device would like to be read otherwise."""

import csv
import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from allure_commons.model2 import TestResult as AllureResult

from bench.allure import complete, make_room, tell
from bench.bench import Bench
from bench.cases import Case, all_cases
from bench.device import device
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from bench.verdicts import Inconclusive
from ocppj import secrets
from ocppj.peer import Raw
from reports.results import CaseResult, Results, StepResult
from tests.bench.test_command_line import NEEDS_THE_COMMAND, rehearse
from tests.bench.wire import CP
from tests.reports.few import LONG, NASTY, case

PASSWORD = b"a password of 24 letters"


def _answers_nastily(bench: Bench) -> None:
    script = bench.seats[CP].script
    assert script is not None
    text = NASTY.replace("\ud800", "")  # half a pair of surrogates is no JSON that could be answered with
    payload = json.dumps({"status": text + LONG})
    script.answer_next("UnlockConnector", Raw(f'[3,"{{uniqueId}}",{payload}]'))


def _nobody_knows(_: Bench) -> None:
    raise Inconclusive(f"the operator has said {NASTY}")


def _has_a_fault(bench: Bench) -> None:
    bench.seats[CP].faults().append(KeyError(PASSWORD.decode()))


def _crashes(bench: Bench) -> None:
    def crash(*_: object, **__: object) -> None:
        raise KeyError(PASSWORD.decode())

    vars(bench)["do"] = crash


SPOILT: dict[str, Callable[[Bench], None]] = {
    "TC_031_CS": _answers_nastily,
    "TC_003_CSMS": _nobody_knows,
    "TC_003_CS": _has_a_fault,
    "TC_004_1_CS": _crashes,
}
VERDICTS = {
    "TC_001_CS": "pass",
    "TC_066_CS": "pass",  # with a table that has a head
    "TC_031_CS": "fail",
    "TC_003_CSMS": "inconclusive",
    "TC_003_CS": "error",
    "TC_004_1_CS": "error",
    "TC_046_1_CS": "not_applicable",
}
STATUSES = {
    "pass": "passed",
    "fail": "failed",
    "inconclusive": "broken",
    "error": "broken",
    "not_applicable": "skipped",
}


def play_spoilt(out: Path) -> Results:
    """Play a case of each verdict, live as the command does; results and transcripts are in the folder afterwards."""
    secrets.keep(PASSWORD)
    make_room(out)
    subject = device(lacks=frozenset({"reservation"}))
    facts: dict[str, object] = {"tool": "ocpp-rehearsal", "version": "0.1.0", "time": "virtual", "strict": False}
    with closing(Run(subject)) as run, pytest.MonkeyPatch.context() as patch:
        rehearsal = Rehearsal(run, Results(facts, subject.describe()), frozenset(VERDICTS), out)
        ordinary = Run.begin

        def begin(run: Run, case: Case) -> Bench:
            bench = ordinary(run, case)
            try:
                if spoil := SPOILT.get(case.id):
                    spoil(bench)
            except Inconclusive:
                run.end(bench)  # as ordinarily: what nobody ends is an error in whatever case its parts are found
                raise
            return bench

        patch.setattr(Run, "begin", begin)
        play(rehearsal)
    rehearsal.results.write(out)
    return rehearsal.results


@dataclass
class Left:
    """A run that is over, and what Allure was told of it: its results by the id of the case, the instants around."""

    out: Path
    results: dict[str, CaseResult]
    told: dict[str, dict[str, Any]]
    began_ms: float
    ended_ms: float


def told(out: Path) -> dict[str, dict[str, Any]]:
    """The results in the folder for Allure, by the id of the case."""
    documents = [json.loads(path.read_text("utf-8")) for path in (out / "allure-results").glob("*-result.json")]
    found = {document["fullName"]: document for document in documents}
    assert len(found) == len(documents)
    return found


def labels(document: dict[str, Any], name: str) -> list[str]:
    return [label["value"] for label in document["labels"] if label["name"] == name]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    out = tmp_path_factory.mktemp("allure")
    began = time.time()
    results = play_spoilt(out)
    return Left(out, {each.id: each for each in results.cases}, told(out), 1000 * began, 1000 * time.time())


def test_each_case_is_told_with_its_name_and_its_verdict(left: Left) -> None:
    assert {case_id: each.verdict for case_id, each in left.results.items()} == VERDICTS
    assert {case_id: each["status"] for case_id, each in left.told.items()} == {
        case_id: STATUSES[verdict] for case_id, verdict in VERDICTS.items()
    }
    for case_id, document in left.told.items():
        assert document["name"] == f"{case_id} {all_cases()[case_id].title}"


def test_nothing_of_pytest_is_told(left: Left) -> None:
    kinds = {path.name.split("-")[-1] for path in (left.out / "allure-results").iterdir()}
    assert kinds == {"result.json", "attachment.svg", "attachment.jsonl", "attachment.csv"}
    assert all("parameters" not in document for document in left.told.values())
    assert "pytest" not in json.dumps([labels(each, "suite") + each["titlePath"] for each in left.told.values()])


def test_each_sentence_is_a_step(left: Left) -> None:
    for case_id, result in left.results.items():
        steps = left.told[case_id].get("steps", [])
        assert [step["name"] for step in steps] == [f"{each.keyword} {each.sentence}" for each in result.steps]
    assert [step["status"] for step in left.told["TC_031_CS"]["steps"]] == ["passed", "passed", "failed"]
    crashed = [step["status"] for step in left.told["TC_004_1_CS"]["steps"]]
    assert crashed[0] == "broken"
    assert {*crashed[1:]} == {"skipped"}


def test_a_step_has_its_table(left: Left) -> None:
    first = left.told["TC_001_CS"]["steps"][0]
    expected = [{"name": "status", "value": "Rejected"}, {"name": "interval", "value": "{BootRetryInterval}"}]
    assert first["parameters"] == expected
    step = next(step for step in left.told["TC_066_CS"]["steps"] if step["name"] == "And these charging profiles")
    text = (left.out / "allure-results" / step["attachments"][0]["source"]).read_text("utf-8")
    table = next(each.table for each in left.results["TC_066_CS"].steps if each.sentence == "these charging profiles")
    assert list(csv.reader(text.splitlines())) == table


def test_times_are_those_of_the_clock_on_the_wall(left: Left) -> None:
    for document in left.told.values():
        instants = [document["start"]]
        for step in document.get("steps", []):
            instants += [step["start"], step["stop"]]
        instants.append(document["stop"])
        assert instants == sorted(instants)
        assert left.began_ms - 1 <= instants[0]
        assert instants[-1] <= left.ended_ms + 1
    # The calendar of the case says that the Charge Point waits at least ten seconds before it boots again.
    assert left.told["TC_001_CS"]["stop"] - left.told["TC_001_CS"]["start"] < 10_000


def test_the_transcript_and_the_diagram_belong_to_the_case(left: Left) -> None:
    for case_id in ("TC_001_CS", "TC_031_CS"):
        sources = {each["name"]: each["source"] for each in left.told[case_id]["attachments"]}
        transcript = left.out / "allure-results" / sources["transcript.jsonl"]
        assert transcript.read_bytes() == (left.out / "cases" / case_id / "transcript.jsonl").read_bytes()
        diagram = ElementTree.parse(left.out / "allure-results" / sources["sequence.svg"])  # noqa: S314  # ours
        assert diagram.getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert "attachments" not in left.told["TC_003_CSMS"]  # never begun


def test_what_does_not_pass_is_explained(left: Left) -> None:
    assert "statusDetails" not in left.told["TC_001_CS"]
    for case_id, begins in (
        ("TC_031_CS", "fail: UnlockConnector.conf of the Charge Point: "),
        ("TC_003_CSMS", "inconclusive: the operator has said <script>alert(1)</script>"),
        ("TC_003_CS", "error: "),
        ("TC_046_1_CS", "not applicable: the device lacks the profile Reservation"),
    ):
        assert left.told[case_id]["statusDetails"]["message"].startswith(begins)
    message = left.told["TC_031_CS"]["statusDetails"]["message"]
    assert "\nrequirement " in message
    assert "\nnext " in message
    assert left.told["TC_031_CS"]["steps"][-1]["statusDetails"]["message"] == message


def test_only_an_error_of_ours_has_a_trace(left: Left) -> None:
    assert "trace" in left.told["TC_004_1_CS"]["statusDetails"]
    for case_id, verdict in VERDICTS.items():
        if verdict in ("fail", "inconclusive", "not_applicable"):
            assert "trace" not in left.told[case_id]["statusDetails"]


def test_no_secret_is_told(left: Left) -> None:
    assert "***" in left.told["TC_004_1_CS"]["statusDetails"]["trace"]
    for path in (left.out / "allure-results").iterdir():
        assert PASSWORD not in path.read_bytes()


def test_texts_of_a_device_stay_one_text(left: Left) -> None:
    """A surrogate would end the run where it is written, a control character colour the page."""
    message = left.told["TC_003_CSMS"]["statusDetails"]["message"]
    assert "\\x00\\x1b[31m\\ud800\\ufffe" in message
    assert not {"\x00", "\x1b", "\ud800", "\ufffe"} & {*json.dumps(left.told, ensure_ascii=False)}


def test_labels(left: Left) -> None:
    document = left.told["TC_031_CS"]
    case = all_cases()["TC_031_CS"]
    assert labels(document, "clause") == [*case.clauses]
    for name, value in {
        "epic": "Charge Point",
        "role": "Charge Point",
        "profile": "Core",
        "suite": "Core",
        "feature": "Unlocking, non-happy",
        "subSuite": "Unlocking, non-happy",
        "story": "Unlock Connector - Unknown Connector",
        "severity": "normal",
        "mandatory or conditional": "not known",
        "verdict": "fail",
        "framework": "pytest",
    }.items():
        assert labels(document, name) == [value]
    assert labels(left.told["TC_001_CS"], "cause") == []
    assert len(labels(document, "cause")) == 1
    mandatory = left.told["TC_003_CSMS"]
    assert (labels(mandatory, "severity"), labels(mandatory, "mandatory or conditional")) == (["critical"], ["M"])


def test_a_case_is_the_same_one_in_the_next_run(left: Left) -> None:
    for case_id, document in left.told.items():
        assert document["historyId"] == hashlib.md5(case_id.encode()).hexdigest()  # noqa: S324  # an id


def test_a_strict_run_shows_the_strict_verdict() -> None:
    result = AllureResult(name="x", start=1, stop=2)
    remarked = case("TC_001_CS", "pass", strict_verdict="fail", remarks=["a remark"])
    tell(result, remarked, [], Results({"strict": True}, {}))
    assert result.status == "failed"
    assert result.statusDetails.message.startswith("fail: in the strict reading, for its remarks")
    tell(result, remarked, [], Results({"strict": False}, {}))
    assert (result.status, result.statusDetails) == ("passed", None)


def test_a_case_of_a_process_that_died_is_told_as_well(tmp_path: Path) -> None:
    make_room(tmp_path)
    steps = [StepResult("Given", "the Charge Point is booted", "not reached", [["a", "1"]])]
    lost = case("TC_001_CS", "error", reason=f"the process has died {NASTY}", steps=steps)
    results = Results({"strict": False}, {}, [lost])
    half_told = tmp_path / "allure-results" / "x-result.json"
    half_told.write_text('{"fullName": "TC_001_CS", "status": "passed", "testCaseId": "what pytest makes of it"}')
    complete(results, tmp_path)
    complete(results, tmp_path)
    document = told(tmp_path)["TC_001_CS"]
    assert document["status"] == "broken"
    assert [(step["name"], step["status"]) for step in document["steps"]] == [
        ("Given the Charge Point is booted", "skipped")
    ]


def test_another_run_leaves_nothing_to_this_one(tmp_path: Path) -> None:
    old = tmp_path / "allure-results" / "old-result.json"
    old.parent.mkdir()
    old.write_text("{}")
    make_room(tmp_path)
    assert [*old.parent.iterdir()] == []


def test_a_file_where_the_folder_should_be_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "allure-results").write_text("")
    with pytest.raises(OSError, match="allure-results"):
        make_room(tmp_path)


@NEEDS_THE_COMMAND
def test_processes_tell_of_their_shares(tmp_path: Path) -> None:
    ids = ["TC_001_CS", "TC_003_CS", "TC_003_CSMS", "TC_004_1_CS"]
    process = rehearse("run", "-n", "2", *(word for each in ids for word in ("--case", each)), cwd=tmp_path)
    assert process.returncode == 0, process.stdout + process.stderr
    found = told(tmp_path / "rehearsal-results")
    assert [*sorted(found)] == ids
    assert len({tuple(labels(each, "thread")) for each in found.values()}) == 2


@NEEDS_THE_COMMAND
def test_other_plugins_and_a_test_plan_of_allure_change_nothing(tmp_path: Path) -> None:
    """allure-pytest-bdd and allure-pytest refuse to run beside each other; a test plan names what is played."""
    (tmp_path / "allure_pytest_bdd.py").write_text("raise SystemExit('loaded')")
    metadata = tmp_path / "allure_pytest_bdd-2.16.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: allure-pytest-bdd\nVersion: 2.16.2\n")
    (metadata / "entry_points.txt").write_text("[pytest11]\nallure_pytest_bdd = allure_pytest_bdd\n")
    (tmp_path / "plan.json").write_text('{"version": "1.0", "tests": [{"id": "1", "selector": "x"}]}')
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "ALLURE_TESTPLAN_PATH": str(tmp_path / "plan.json")}
    process = rehearse("run", "--case", "TC_001_CS", cwd=tmp_path, env=environment)
    assert process.returncode == 0, process.stdout + process.stderr
    assert [*told(tmp_path / "rehearsal-results")] == ["TC_001_CS"]
