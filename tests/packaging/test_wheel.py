"""The wheel, installed in an empty environment beside another reporter for pytest-bdd."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.cases import FEATURES
from tests.bench.hostile import hostile_environment, hostile_folder

ROOT = FEATURES.parent
PACKAGES = {"bench", "features", "ocppj", "reference_csms", "reports", "simulator", "steps"}


def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A process that shall end well within ten minutes."""
    return subprocess.run(  # noqa: S603
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def ends_well(*command: str | Path, cwd: Path) -> None:
    process = run(*command, cwd=cwd)
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as a release would have it."""
    folder = tmp_path_factory.mktemp("wheel")
    ends_well(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def rehearse(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment that holds the wheel, the locked packages and allure-pytest-bdd."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"

    def install(*what: str | Path) -> None:
        ends_well(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what, cwd=folder)

    install("--require-hashes", "-r", ROOT / "requirements.lock")
    install(wheel)
    install("allure-pytest-bdd")
    ends_well(python, "-m", "pip", "check", cwd=folder)
    return folder / "venv" / "bin" / "rehearse"


def verdicts(folder: Path) -> Counter[str]:
    document = json.loads((folder / "rehearsal-results" / "results.json").read_text())
    return Counter(case["verdict"] for case in document["cases"])


def test_the_wheel_holds_what_is_needed_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert tops - PACKAGES == {"_ocpp_rehearsal.py", next(top for top in tops if top.endswith(".dist-info"))}
    kept = {path.relative_to(ROOT).as_posix() for path in FEATURES.rglob("*.feature")}
    assert kept
    kept |= {path.relative_to(ROOT).as_posix() for path in FEATURES.glob("*.csv")}
    assert kept | {"bench/pytest.ini", "features/test_cases.py", "bench/plugin.py"} <= set(names)
    assert {Path(name).suffix for name in names if not name.partition("/")[0].endswith(".dist-info")} == {
        ".py",
        ".csv",
        ".feature",
        ".ini",
        ".css",
        ".j2",
        ".json",
    }


def test_it_runs_in_an_empty_folder(rehearse: Path, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    process = run(rehearse, "run", cwd=tmp_path, env=env)
    assert process.returncode == 0, process.stdout + process.stderr
    found = verdicts(tmp_path)
    assert found.keys() == {"pass"}
    assert found["pass"] >= 44
    assert [path.name for path in tmp_path.iterdir()] == ["rehearsal-results"]


@pytest.mark.parametrize("python_path", ["", "."])
def test_it_runs_in_a_folder_where_everything_is_called_alike(rehearse: Path, tmp_path: Path, python_path: str) -> None:
    env = {**hostile_environment(), "PYTHONPATH": python_path}
    process = run(rehearse, "run", cwd=hostile_folder(tmp_path), env=env)
    assert process.returncode == 0, process.stdout + process.stderr
    assert verdicts(tmp_path).keys() == {"pass"}
    assert verdicts(tmp_path)["pass"] >= 44
