"""The sentences: each means one thing, each is used, and every test case is really played."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from gherkin.parser import Parser
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_bdd import parsers
from pytest_bdd.steps import StepFunctionContext

from bench.bench import Bench
from bench.cases import FEATURES, PROFILES, all_cases
from bench.cases import scenarios as cases_by_id
from bench.device import CAPABILITIES, LOCATIONS, Device
from bench.material import Material
from bench.operators import Nobody
from bench.pki import Pki
from bench.plugin import pytest_plugins as vocabulary
from ocppj.schemas import ACTIONS, schema
from ocppj.transcript import Transcript
from reports.requirements import clause
from steps.cells import _FORMS
from steps.words import WORDS, MisusedStep, runnable

ROOT = FEATURES.parent
PACKAGES = ("bench", "features", "ocppj", "reference_csms", "reports", "simulator", "steps")

IN_BOTH_ROLES = """
    TC_001 TC_003 TC_004_1 TC_004_2 TC_005_1 TC_010 TC_011_1 TC_011_2 TC_012 TC_013 TC_014 TC_017_1 TC_021 TC_026
    TC_028 TC_031 TC_040_1 TC_040_2
"""
IN_ONE_ROLE = """
    TC_002_CS TC_007_1_CS TC_007_CSMS TC_019_CS TC_019_1_CSMS TC_023_1_CSMS TC_023_2_CSMS TC_023_3_CSMS
"""


@dataclass(frozen=True)
class Sentence:
    """One step of a feature file."""

    file: str
    type: str
    text: str
    table: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return f"{self.file}: {self.type} {self.text}"


def feature_files() -> list[Path]:
    return sorted(FEATURES.rglob("*.feature"))


def parsed(path: Path) -> dict[str, Any]:
    document: Any = Parser().parse(path.read_text(encoding="utf-8"))
    feature: dict[str, Any] = document["feature"]
    return feature


def scenarios(feature: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (child["scenario"] for child in feature["children"] if "scenario" in child)


def sentences() -> list[Sentence]:
    found: dict[Sentence, None] = {}
    for path in feature_files():
        for child in parsed(path)["children"]:
            block = child.get("scenario") or child["background"]
            step_type = ""
            for step in block["steps"]:
                keyword = step["keyword"].strip().lower()
                step_type = step_type if keyword in ("and", "but") else keyword
                cells = tuple(
                    tuple(cell["value"] for cell in row["cells"]) for row in step.get("dataTable", {}).get("rows", [])
                )
                found[Sentence(path.name, step_type, step["text"], cells)] = None
    return list(found)


def definitions(modules: Sequence[str]) -> list[StepFunctionContext]:
    """Every step that the modules define, as pytest-bdd has registered it."""
    found = []
    for name in modules:
        for value in vars(import_module(name)).values():
            function = getattr(value, "_get_wrapped_function", lambda: None)()
            if function is not None and function.__name__ == "step_function_marker":
                found.append(function())
    return found


DEFINITIONS = definitions(vocabulary)
SENTENCES = sentences()


def matching(sentence: Sentence, definitions: Sequence[StepFunctionContext] = DEFINITIONS) -> list[StepFunctionContext]:
    return [
        each for each in definitions if each.type in (None, sentence.type) and each.parser.is_matching(sentence.text)
    ]


def unused(definitions: Sequence[StepFunctionContext], sentences: Sequence[Sentence]) -> set[str]:
    """The definitions that no sentence means."""
    used = {id(each) for sentence in sentences for each in matching(sentence, definitions)}
    return {each.parser.name for each in definitions if id(each) not in used}


def test_the_vocabulary_was_found() -> None:
    assert len(DEFINITIONS) > 30
    assert len(SENTENCES) > 100


@pytest.mark.parametrize("sentence", SENTENCES, ids=str)
def test_a_sentence_means_one_thing(sentence: Sentence) -> None:
    assert [each.parser.name for each in matching(sentence)] != []
    assert len(matching(sentence)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "the Charge Point sends StatusNotifikation.req",
        "the charge point sends Heartbeat.req",
        "the Operator sends Heartbeat.req",
        "the Charge Point sends Heartbeat.conf",
        "connector 1 is available",
        "connector one is Available",
        "connector {ConnectorId} is Available after 5 weeks",
        "the Charge Point responds with Heartbeat.conf soon",
        "idTag VALID is Accepted",
    ],
)
def test_a_word_that_ocpp_does_not_know_makes_no_sentence(text: str) -> None:
    assert [each for each in DEFINITIONS if each.parser.is_matching(text)] == []


# A sentence of DESIGN, section 5, may wait for the test case that needs it.
WAITING = {
    "the {party:Party} will respond to {action:Action}.req with {code:ErrorCode}",
    "the {party:Party} will not respond to {action:Action}.req",
    "{duration:Duration} have passed",
    "connector {n:N} is repaired",
}


def test_every_step_definition_is_used() -> None:
    found = unused(DEFINITIONS, SENTENCES)
    assert found - WAITING == set()
    assert found == WAITING, "used meanwhile: take it off the list"


def rival(step_type: Any, text: str) -> StepFunctionContext:
    """A definition that stands in no module."""
    return StepFunctionContext(step_type, lambda: None, parsers.parse(text, extra_types=WORDS, case_sensitive=True))


def test_a_definition_that_is_not_used_would_be_noticed() -> None:
    texts = {"given": "the {sender:Party} sings", "when": "the EV driver presents idTag {id_tag:IdTag} in vain"}
    more = [*DEFINITIONS, *(rival(step_type, text) for step_type, text in texts.items())]
    assert unused(more, SENTENCES) == {*WAITING, *texts.values()}


def made_of(definition: StepFunctionContext, draw: Callable[[st.SearchStrategy[str]], str]) -> Sentence:
    """Some sentence that a definition means."""

    def word(match: re.Match[str]) -> str:
        pattern: str = WORDS[match[1]].pattern  # type: ignore[attr-defined]
        return draw(st.from_regex(pattern, fullmatch=True))

    text = re.sub(r"\{\w+:(\w+)\}", word, definition.parser.name)
    return Sentence("made up", str(definition.type), text, ())


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: f"{each.type} {each.parser.name}")
@settings(max_examples=20, derandomize=True, database=None, deadline=None)
@given(data=st.data())
def test_no_two_definitions_mean_the_same(definition: StepFunctionContext, data: st.DataObject) -> None:
    """Also of sentences that no scenario has so far: the next one may."""
    sentence = made_of(definition, data.draw)
    assert [each.parser.name for each in matching(sentence)] == [definition.parser.name], sentence


@pytest.mark.parametrize(
    ("step_type", "text", "means_more"),
    [
        ("when", "the EV driver {what}", True),
        ("when", "the EV driver presents idTag {x:IdTag}", True),
        ("then", "the EV driver presents idTag {x:IdTag}", False),
        ("when", "the EV driver presents the idTag {x:IdTag}", False),
    ],
)
def test_two_definitions_that_mean_the_same_would_be_noticed(step_type: str, text: str, means_more: bool) -> None:
    sentence = Sentence("made up", "when", "the EV driver presents idTag {ValidIdTag}", ())
    assert (len(matching(sentence, [*DEFINITIONS, rival(step_type, text)])) > 1) is means_more


def test_every_module_with_sentences_belongs_to_the_vocabulary() -> None:
    modules = [f"steps.{path.stem}" for path in (ROOT / "steps").glob("*.py") if path.stem != "__init__"]
    assert {name for name in modules if definitions([name])} <= {*vocabulary}
    assert {*vocabulary} <= {*modules}


def test_every_form_of_a_cell_is_used() -> None:
    cells = {cell for sentence in SENTENCES for row in sentence.table for cell in row[1:]}
    parts = {part for cell in cells for part in (cell, *re.split(r"^one of |, (?:such as |tolerated )?", cell))}
    unused_forms = [pattern.pattern for pattern, _ in _FORMS if not any(pattern.fullmatch(part) for part in parts)]
    assert unused_forms == []


def test_every_word_list_is_used() -> None:
    names = {name for each in DEFINITIONS for name in re.findall(r":(\w+)\}", each.parser.name)}
    assert names == WORDS.keys()


@pytest.mark.parametrize("sentence", [each for each in SENTENCES if each.table], ids=str)
def test_a_table_stands_only_where_one_is_read(sentence: Sentence) -> None:
    for each in matching(sentence):
        assert "datatable" in each.step_func.__wrapped__.__annotations__  # type: ignore[attr-defined]
    widths = {len(row) for row in sentence.table}
    assert widths == {2} or (len(widths) == 1 and "charging profile" in sentence.text)  # with names on top


# --- placeholders


def placeholders() -> list[tuple[str, str]]:
    texts = [
        (sentence.file, text)
        for sentence in SENTENCES
        for text in (sentence.text, *(cell for row in sentence.table for cell in row))
    ]
    found = {(file, name) for file, text in texts for name in re.findall(r"\{([^{}]*)\}", text)}
    return sorted(found)


@cache
def material() -> frozenset[str]:
    """The names of the keys, certificates and signatures that are made when a sentence asks for them."""
    loop = asyncio.new_event_loop()
    bench = Bench(next(iter(all_cases().values())), Device(), loop, Transcript(), Nobody())
    loop.close()
    return frozenset(Material(bench, Pki(None, host="", serial_number="")))


def is_known(name: str) -> bool:
    """Whether a placeholder is test data, material, or a field of a message of OCPP 1.6."""
    if "." not in name:
        return name in Device().values or name in LOCATIONS or name in material()
    action, kind, *path = name.split(".")
    if action not in ACTIONS or kind not in ("req", "conf") or not path:
        return False
    found: Any = schema(action, "req" if kind == "req" else "conf")
    definitions = found.get("definitions", {})
    for step in path:
        found = found.get("properties", {}).get(step)
        if found is None:
            return False
        if "$ref" in found:
            found = definitions[found["$ref"].rpartition("/")[2]]
    return True


@pytest.mark.parametrize(("file", "name"), placeholders())
def test_a_placeholder_stands_for_something(file: str, name: str) -> None:
    assert is_known(name), f"{file}: {{{name}}}"


@pytest.mark.parametrize(
    "name",
    ["ValidIdtag", "Nothing", "StartTransaction.conf.transactionID", "StartTransaction.transactionId", "Dance.req.a"],
)
def test_a_placeholder_that_stands_for_nothing_is_found(name: str) -> None:
    assert not is_known(name)


# --- test cases and tags


def test_the_first_44_test_cases_are_there() -> None:
    wanted = [f"{number}_{role}" for number in IN_BOTH_ROLES.split() for role in ("CS", "CSMS")] + IN_ONE_ROLE.split()
    assert len(set(wanted)) == 44
    assert sorted(set(wanted) - all_cases().keys()) == []


# A clause in words: a section, of the white paper also a use case or one of its requirements.
CLAUSE = re.compile(r"OCPP(-J)? 1\.6( errata)? \d+(\.\d+)*|white paper ([ALMN]\d\d(\.FR\.\d+)?|\d+(\.\d+)*)")


def test_ids_titles_and_files_agree() -> None:
    for case_id, case in all_cases().items():
        assert case.id == case_id
        assert case.role == ("CSMS" if case_id.endswith("_CSMS") else "CS")
        assert case.title
        assert "judging" not in case.title
        assert case.profile in PROFILES.values()
        assert (FEATURES / case.feature).is_file()
        assert all(CLAUSE.fullmatch(text) for text in case.clauses), case.clauses
        assert case.clauses, f"{case_id} names no clause"
        assert set(case.needs) <= CAPABILITIES.keys()


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("OCPP_5_13", "OCPP 1.6 5.13"),
        ("OCPP_9_1_33", "OCPP 1.6 9.1.33"),
        ("OCPPJ_3_2", "OCPP-J 1.6 3.2"),
        ("OCPPE_3_87", "OCPP 1.6 errata 3.87"),
        ("OCPPJE_3_1", "OCPP-J 1.6 errata 3.1"),
        ("OCPPW_6_1", "white paper 6.1"),
        ("OCPPW_A01_FR_03", "white paper A01.FR.03"),
    ],
)
def test_a_clause_in_words(tag: str, words: str) -> None:
    assert clause(tag) == words


TAG = re.compile(
    r"@(TC_\d{3}(_\d+)?_(CS|CSMS)|OCPP(J?E?|W)(_\d+)+|OCPPW_[ALMN]\d\d(_FR_\d+)?"
    r"|security_profile_[123]|(needs|without)_[a-z_]+)"
)


def test_every_tag_is_an_id_a_clause_or_a_need() -> None:
    for path in feature_files():
        feature = parsed(path)
        for tag in [*feature["tags"], *(tag for each in scenarios(feature) for tag in each["tags"])]:
            name = tag["name"]
            assert TAG.fullmatch(name), f"{path.name}: {name}"
            if match := re.fullmatch("@(?:needs|without)_(.+)", name):
                assert match[1] in CAPABILITIES


def test_every_capability_is_needed_by_some_case() -> None:
    cases = [case for found in cases_by_id().values() for case in found]
    assert {need for case in cases for need in (*case.needs, *case.without)} == CAPABILITIES.keys()


def test_every_scenario_has_an_id_and_is_no_outline() -> None:
    for path in feature_files():
        for each in scenarios(parsed(path)):
            assert any(tag["name"].startswith("@TC_") for tag in each["tags"]), f"{path.name}: {each['name']}"
            assert not each["examples"]
            assert each["steps"]


# --- what pytest collects


def scratch_copy(folder: Path) -> Path:
    """A copy of the tool that a test may spoil."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run_pytest(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "features/test_cases.py", "-c", "bench/pytest.ini", "--rootdir", "."]
    plugins = ["-p", "bench.plugin", "-p", "no:cacheprovider", "-p", "no:allure_pytest"]
    return subprocess.run(  # noqa: S603
        [*command, "--import-mode=importlib", *plugins, *arguments],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def collected(root: Path) -> list[str]:
    output = run_pytest(root, "--collect-only", "-q").stdout
    return re.findall(r"\[(TC_\w+)\]$", output, re.MULTILINE)


def written(root: Path) -> Counter[str]:
    """How often each id stands in the feature files, read as text."""
    texts = [path.read_text(encoding="utf-8") for path in (root / "features").rglob("*.feature")]
    return Counter(case_id for text in texts for case_id in re.findall(r"@(TC_\w+)", text))


def test_every_case_is_collected_once() -> None:
    ids = [case_id for case_id, found in cases_by_id().items() for _ in found]
    assert Counter(collected(ROOT)) == written(ROOT) == Counter(ids)


def test_a_scenario_that_pytest_bdd_drops_would_be_noticed(tmp_path: Path) -> None:
    root = scratch_copy(tmp_path)
    path = root / "features" / "core" / "unlocking.feature"
    scenario = (
        "\n  @TC_901_CS @OCPP_5_18\n  Scenario: Unlock connector - no charging session running (Not fixed cable)\n"
    )
    path.write_text(path.read_text(encoding="utf-8") + scenario + "    When the EV driver plugs in the cable\n")
    assert written(root)["TC_901_CS"] == 1
    assert Counter(collected(root)) != written(root)


def test_an_id_that_stands_twice_would_be_noticed(tmp_path: Path) -> None:
    root = scratch_copy(tmp_path)
    path = root / "features" / "core" / "unlocking.feature"
    scenario = "\n  @TC_003_CS @OCPP_5_18\n  Scenario: Again\n    When the EV driver plugs in the cable\n"
    path.write_text(path.read_text(encoding="utf-8") + scenario)
    outcome = run_pytest(root, "--collect-only", "-q")
    assert outcome.returncode != 0
    assert "TC_003_CS stands in" in outcome.stdout


# --- steps that pytest-bdd could not run as they are meant


def test_an_async_step_needs_the_bench() -> None:
    async def waits() -> None: ...

    with pytest.raises(MisusedStep, match="waits is async and does not ask for the bench"):
        runnable(waits)


def test_an_ordinary_step_stays_as_it_is() -> None:
    def looks() -> None: ...

    assert runnable(looks) is looks


def test_an_async_step_runs_on_the_loop_of_the_bench() -> None:
    class Loop:
        def run_until_complete(self, work: Any) -> None:
            with pytest.raises(StopIteration):
                work.send(None)

    class AnyBench:
        loop = Loop()
        spared = None
        sparing = nullcontext

    seen: list[tuple[object, str]] = []

    async def waits(bench: Bench, word: str) -> None:
        seen.append((bench, word))

    bench = AnyBench()
    runnable(waits)(bench=bench, word="x")
    assert seen == [(bench, "x")]


FEATURE = """Feature: A tiny one

  @TC_900_CS @OCPP_4_1
  Scenario: Tiny
    Given a quiet beginning
    When something is awaited
"""
STEPS = """
import pytest
import pytest_bdd

@pytest_bdd.given("a quiet beginning")
def _():
    pass
{decorated}
"""
WAITS = "    raise AssertionError('it ran')\n"


def tiny(tmp_path: Path, decorated: str) -> tuple[str, list[tuple[str, str]]]:
    """What pytest says of a tiny feature with such a step, and what the plugin files."""
    root = scratch_copy(tmp_path)
    for path in (root / "features").rglob("*.feature"):
        path.unlink()
    (root / "features" / "core" / "tiny.feature").write_text(FEATURE)
    steps = STEPS.format(decorated=decorated)
    (root / "features" / "conftest.py").write_text(steps + "from tiny_report import *\n")
    report = (
        "import bench.plugin as plugin\n"
        "ordinary = plugin.Rehearsal.file\n"
        "def file(self, case, over, *rest):\n"
        "    print('FILED', case.id, 'pass' if over is None else over.verdict, over)\n"
        "    ordinary(self, case, over, *rest)\n"
        "plugin.Rehearsal.file = file\n"
    )
    (root / "tiny_report.py").write_text(report)
    output = run_pytest(root, "-s").stdout
    return output, re.findall(r"^FILED (TC_\w+) (\w+)", output.replace("FILED", "\nFILED"), re.MULTILINE)


def test_a_tiny_feature_can_pass(tmp_path: Path) -> None:
    output, filed = tiny(tmp_path, "@pytest_bdd.when('something is awaited')\ndef _():\n    pass\n")
    assert filed == [("TC_900_CS", "pass")], output
    assert "1 passed" in output


def test_an_async_step_that_is_not_wrapped_is_refused(tmp_path: Path) -> None:
    output, _ = tiny(tmp_path, f"@pytest_bdd.when('something is awaited')\nasync def waits():\n{WAITS}")
    assert "MisusedStep" in output
    assert "1 failed" in output


NOT_RUN_TO_THEIR_END = {
    "an async step": f"@pytest_bdd.when('something is awaited')\nasync def waits():\n{WAITS}",
    "a skip": "@pytest_bdd.when('something is awaited')\ndef _():\n    pytest.skip('not today')\n",
    "an interruption": "@pytest_bdd.when('something is awaited')\ndef _():\n    raise KeyboardInterrupt\n",
}


@pytest.mark.parametrize("name", NOT_RUN_TO_THEIR_END)
def test_a_case_that_was_not_run_to_its_end_is_no_pass(tmp_path: Path, name: str) -> None:
    output, filed = tiny(tmp_path, NOT_RUN_TO_THEIR_END[name])
    assert "pass" not in [verdict for _, verdict in filed], output


ERRORS = {
    "an exception": ("@pytest_bdd.when('something is awaited')\ndef _():\n    1 / 0\n", "ZeroDivisionError"),
    "a failed assertion": ("@pytest_bdd.when('something is awaited')\ndef _():\n    assert 1 == 2\n", "1 == 2"),
    "pytest.fail": ("@pytest_bdd.when('something is awaited')\ndef _():\n    pytest.fail('no')\n", "no"),
    "pytest.exit": ("@pytest_bdd.when('something is awaited')\ndef _():\n    pytest.exit('enough')\n", "enough"),
    "no such sentence": ("", "Step definition is not found"),
    "a fixture that nobody has": (
        "@pytest_bdd.when('something is awaited')\ndef _(nobody_has_it):\n    pass\n",
        "nobody_has_it",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_goes_wrong_in_a_step_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    decorated, words = ERRORS[name]
    output, filed = tiny(tmp_path, decorated)
    assert filed == [("TC_900_CS", "error")], output
    assert words in output
