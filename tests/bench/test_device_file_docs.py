"""The page about device files has every setting of the schema, and its example can be used."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from bench.device_file import SCHEMA

PAGE = (Path(__file__).parents[2] / "docs" / "device-file.md").read_text(encoding="utf-8")

KINDS = SCHEMA["properties"]["operator"]["properties"]["kind"]["enum"]
TABLES: dict[str, dict[str, Any]] = {
    f"[{name}]": node["properties"]
    for name, node in SCHEMA["properties"].items()
    if "properties" in node and name != "operator"
}
TABLES |= {f'[operator] kind = "{kind}"': SCHEMA["$defs"][kind]["properties"] for kind in KINDS}


def row(key: str, node: dict[str, Any]) -> str:
    """A setting as the page has it."""
    values = f" One of {', '.join(map(str, node['enum']))}." if "enum" in node else ""
    usual = f"`{json.dumps(node['default'])}`" if "default" in node else ""
    return f"| `{key}` | {node['description']}{values} | {usual} |"


def section(heading: str, settings: dict[str, Any]) -> str:
    rows = [row(key, node) for key, node in settings.items() if "const" not in node]
    return "\n".join([f"### `{heading}`", "", "| setting | meaning | default |", "| --- | --- | --- |", *rows, ""])


@pytest.mark.parametrize("heading", TABLES)
def test_every_setting_is_on_the_page(heading: str) -> None:
    assert section(heading, TABLES[heading]) in PAGE


def test_no_other_setting_is_on_the_page() -> None:
    settings = re.findall(r"^\| `(\w+)` \|", PAGE.partition("## All settings")[2], re.MULTILINE)
    known = [key for table in TABLES.values() for key, node in table.items() if "const" not in node]
    assert settings == known


def test_the_example_can_be_used() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    jsonschema_rs.validate(SCHEMA, tomllib.loads(example))
