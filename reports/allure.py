"""What Allure reads of a run beside its results: categories of what did not pass, the environment, its own settings.

The results themselves are written while the cases are played (``bench.allure``).
"""

import json
from collections.abc import Mapping

from ocppj.secrets import masked
from reports.certification import identification
from reports.results import Results, Transcripts
from reports.texts import shown

# Known by how the message of a result begins, which is its verdict.
_CATEGORIES: list[dict[str, object]] = [
    {"name": "Fail: the device did something wrong", "matchedStatuses": ["failed"]},
    {
        "name": "Inconclusive: nothing is known of the device yet",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^inconclusive:[\s\S]*",
    },
    {
        "name": "Error: a fault of ocpp-rehearsal, please report it",
        "matchedStatuses": ["broken"],
        "messageRegex": r"^error:[\s\S]*",
    },
]

_ESCAPED = {character: f"\\{character}" for character in "\\:=#! "}


def categories(results: Results, transcripts: Transcripts) -> str:
    """``allure-results/categories.json``, for Allure 2."""
    return json.dumps(_CATEGORIES, indent=2) + "\n"


def settings(results: Results, transcripts: Transcripts) -> str:
    """``allurerc.json``, for Allure 3: what did not pass is found by category and cause, all by role and profile."""
    by_cause = {"groupBy": [{"label": "cause"}], "groupByMessage": False}
    document = {
        "name": "OCPP 1.6J rehearsal",
        "categories": [each | by_cause for each in _CATEGORIES],
        "plugins": {"awesome": {"options": {"groupBy": ["role", "profile", "feature"]}}},
    }
    return json.dumps(document, indent=2) + "\n"


def environment(results: Results, transcripts: Transcripts) -> str:
    """``allure-results/environment.properties``: the device, the tool, the settings of the run."""
    run, device = results.run, results.device
    facts: dict[str, object] = dict(identification(results, transcripts))
    facts["Time"] = run.get("time")
    facts["Reading"] = "strict" if run.get("strict") else "default"
    facts["Lacks"] = ", ".join(map(str, _list(device.get("lacks"))))
    facts |= _mapping(device.get("test_data"))
    facts |= {
        f"{name.replace('_', ' ').capitalize()} (s)": limit for name, limit in _mapping(device.get("limits_s")).items()
    }
    told = {name: str(value) for name, value in facts.items() if value not in (None, "")}
    return "".join(f"{_escaped(name)} = {_escaped(value)}\n" for name, value in told.items())


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _escaped(text: str) -> str:
    """As a file of properties has it, in ASCII: it is ISO 8859-1 to Allure 2 and UTF-8 to Allure 3."""
    return "".join(map(_escape, shown(masked(text))))


def _escape(character: str) -> str:
    if character.isascii() and character.isprintable():
        return _ESCAPED.get(character, character)
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
