"""``features/asked.csv`` against a self-rehearsal: what our own party is told to do in each case, and when."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from bench.asked import NOT_ASKED, Asked, asked, duration, is_listed, left_behind
from bench.cases import FEATURES, all_cases, cases_for
from bench.device import DEFAULT_DATA, Device
from bench.play import play
from bench.plugin import Rehearsal
from bench.run import Run
from ocppj.transcript import Record
from reports.reading import StoredTranscripts
from reports.results import CaseResult, Results

COLUMNS = ["id", "number", "asked", "sentence", "seconds"]

ROWS = list(csv.DictReader((FEATURES / "asked.csv").read_text(encoding="utf-8").splitlines()))


def told(case: CaseResult, records: Sequence[Record]) -> tuple[Asked, ...]:
    """What the judged party was told in a case that was played."""
    party = "Charge Point" if case.role == "CS" else "Central System"
    began = datetime.fromisoformat(case.started)
    return tuple(
        Asked(
            record["action"],
            _with_names(record["sentence"]),
            float(round((datetime.fromisoformat(record["timestamp"]) - began).total_seconds())),
        )
        for record in records
        if record["kind"] in ("stimulus", "operator") and record["party"] == party and record["action"] not in NOT_ASKED
    )


def _with_names(sentence: str) -> str:
    """A sentence of a step, the idTags of the self-rehearsal by their names."""
    for name, value in DEFAULT_DATA.items():
        if name.endswith(("IdTag", "IdTag2")):
            sentence = sentence.replace(value, f"{{{name}}}")
    return sentence


def rows_of(case: CaseResult, records: Sequence[Record]) -> Iterator[list[str]]:
    """The rows of a case: what is asked, and one without that for its end."""
    number = 0
    for number, each in enumerate(told(case, records), 1):
        yield [case.id, str(number), each.action, each.sentence, f"{each.seconds:g}"]
    yield [case.id, str(number + 1), "", "", f"{round(case.duration_s):g}"]


def rehearsed(device: Device, out: Path, wanted: frozenset[str] | None = None) -> list[CaseResult]:
    run = Run(device)
    rehearsal = Rehearsal(run, Results({}, device.describe()), wanted, out)
    play(rehearsal)
    run.close()
    return sorted(rehearsal.results.cases, key=lambda case: case.id)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[list[str]]]:
    """The rows that every case should have, from a self-rehearsal."""
    out = tmp_path_factory.mktemp("asked")
    results = rehearsed(Device(), out)
    assert {case.verdict for case in results} == {"pass"}
    transcripts = StoredTranscripts(out)
    return {case.id: list(rows_of(case, transcripts[case.id])) for case in results}


def test_the_list_has_every_case_once_and_in_order() -> None:
    assert list(ROWS[0]) == COLUMNS
    ends = [row["id"] for row in ROWS if not row["asked"]]
    assert ends == [*all_cases()]
    assert [row["id"] for row in ROWS] == sorted(row["id"] for row in ROWS)


@pytest.mark.parametrize("case_id", all_cases())
def test_what_a_case_asks_for(case_id: str, seen: Mapping[str, list[list[str]]]) -> None:
    listed = [list(row.values()) for row in ROWS if row["id"] == case_id]
    found = seen[case_id]
    why = f"the rows in features/asked.csv against those of a self-rehearsal: {found}"
    assert [row[:-1] for row in listed] == [row[:-1] for row in found], why
    # To know how long a run takes, a few seconds count for nothing.
    assert [float(row[-1]) for row in listed] == pytest.approx([float(row[-1]) for row in found], rel=0.1, abs=5), why


def test_a_scenario_for_what_a_device_lacks_asks_for_the_same(tmp_path: Path) -> None:
    lacking = Device(lacks=frozenset({"local_auth_list"}))
    others = {case_id for case_id, case in cases_for(lacking).items() if case != all_cases()[case_id]}
    assert others == {"TC_042_1_CS"}
    (case,) = rehearsed(lacking, tmp_path, frozenset(others))
    assert case.verdict == "pass"
    actions = [each.action for each in told(case, StoredTranscripts(tmp_path)[case.id])]
    assert actions == [each.action for each in asked(case.id)]


def test_what_the_list_tells() -> None:
    plug_in, present = asked("TC_003_CS")
    assert plug_in == Asked("plug_in", "When the EV driver plugs in the cable", 0.0)
    assert present.action == "present"
    assert present.seconds <= duration("TC_003_CS")
    assert asked("TC_001_CSMS") == ()
    assert is_listed("TC_001_CSMS")
    assert duration("TC_001_CSMS") > 0
    assert (asked("TC_901_CS"), duration("TC_901_CS"), is_listed("TC_901_CS")) == ((), 0.0, False)


@pytest.mark.parametrize(
    ("actions", "left"),
    [
        ([], ()),
        (["plug_in", "present"], ("unplug",)),
        (["plug_in", "unplug"], ()),
        (["plug_in", "lose_power", "regain_power"], ("unplug",)),
        (["lose_power"], ("regain_power",)),
        (["prevent_locking", "plug_in"], ("repair", "unplug")),
        (["fail", "repair"], ()),
        (["prevent_storing"], ("allow_storing",)),
        (["ReserveNow"], ()),
    ],
)
def test_what_is_left_to_do_afterwards(actions: list[str], left: tuple[str, ...]) -> None:
    assert left_behind(actions) == left
