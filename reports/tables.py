"""The tables that stand beside the features."""

import csv
from collections.abc import Mapping, Sequence
from importlib.resources import files


def rows(name: str) -> Sequence[Mapping[str, str]]:
    """The rows of ``features/<name>``, by the names of its columns."""
    text = (files("features") / name).read_text(encoding="utf-8")
    return [*csv.DictReader(text.splitlines())]
