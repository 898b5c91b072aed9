"""A folder in which everything is called as in this tool, and nothing works."""

import os
from pathlib import Path


def hostile_folder(folder: Path) -> Path:
    """Fill a folder with packages, plugins and settings that break whoever picks them up."""
    for package in ("bench", "features", "ocppj", "reference_csms", "reports", "simulator", "steps"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text(f"raise RuntimeError('the {package} of somebody else')\n")
    (folder / "features" / "other.feature").write_text("Feature: other\n  Scenario: other\n    Given nothing\n")
    (folder / "conftest.py").write_text("raise RuntimeError('the conftest of somebody else')\n")
    (folder / "test_other.py").write_text("raise RuntimeError('a test of somebody else')\n")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    return folder


def hostile_environment() -> dict[str, str]:
    """An environment with settings for another pytest."""
    return {
        **os.environ,
        "PYTHONPATH": ".",
        "PYTEST_ADDOPTS": "--nonsense",
        "PYTEST_PLUGINS": "nonsense",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
