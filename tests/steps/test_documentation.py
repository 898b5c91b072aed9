"""The pages for users say what is there."""

import re
from importlib import import_module
from pathlib import Path

from pytest_bdd.steps import step_function_context_registry

from bench.device import CAPABILITIES, DEFAULT_DATA, FILE_SERVERS, LIMITS, LOCATIONS
from bench.plugin import pytest_plugins
from steps.cells import _FORMS

ROOT = Path(__file__).parents[2]
VOCABULARY = (ROOT / "docs" / "vocabulary.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

# How the page writes a word of each type.
WRITTEN = {
    "Party": "{party}",
    "Action": "{Action}",
    "Duration": "{duration}",
    "N": "{n}",
    "MeasurandKey": "{key}",
    "IdTag": "{IdTag}",
    "Location": "{Location}",
    "Work": "{work}",
    "Status": "{Status}",
    "Either": "{Status or Status}",
    "Statuses": "{Statuses}",
    "Fault": "{Fault}",
    "IdTagStatus": "{status}",
    "ErrorCode": "{ErrorCode}",
    "Profile": "{Profile}",
    "Material": "{Certificate}",
    "Rejectable": "{what}",
    "HashAlgorithm": "{hashAlgorithm}",
    "ProfileKind": "{ChargingProfileKind}",
}


def test_every_sentence_is_in_the_vocabulary() -> None:
    for module in pytest_plugins:
        import_module(module)
    for context in step_function_context_registry.values():
        if not context.step_func.__module__.startswith("steps."):
            continue
        sentence = re.sub(r"\{\w+:(\w+)\}", lambda match: WRITTEN[match[1]], context.parser.name)
        assert f"{str(context.type).capitalize()} {sentence}" in VOCABULARY, sentence


def test_every_form_of_a_cell_is_in_the_vocabulary() -> None:
    for pattern, _ in _FORMS:
        word = re.search(r"[a-z]{2,}", pattern.pattern)
        assert word is not None
        assert re.search(rf"^\| .*`[^`]*\b{word[0]}\b[^`]*`", VOCABULARY, re.MULTILINE), word[0]


def test_all_test_data_are_named() -> None:
    for name in (*DEFAULT_DATA, *FILE_SERVERS, *LOCATIONS):
        assert f"`{name}`" in VOCABULARY
    for name in LIMITS:
        assert f"--data {name}=" in README or name == "OperatorTimeout"
    assert "--lacks detachable_cable" in README
    assert all(capability in README for capability in CAPABILITIES)
