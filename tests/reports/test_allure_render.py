"""What Allure makes of a run: rendered with the npm package ``allure`` and opened in a browser without network."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Page, Route, sync_playwright

from bench.cases import all_cases
from reports.allure import categories, environment, settings
from reports.results import Results
from tests.bench.test_allure import VERDICTS, play_spoilt
from tests.interop.rehearsals import require
from tests.reports.chromium import ARGUMENTS, ARTIFACTS, EXECUTABLE
from tests.reports.few import NASTY, results

ALLURE = Path(__file__).parents[1] / "allure" / "node_modules" / ".bin" / "allure"
# The page of Allure 3 counts its visitors with Google, which nothing turns off, and asks for figures that nobody wrote.
ANALYTICS = "https://www.googletagmanager.com/"
OPTIONAL = "/widgets/metrics.json"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a folder is served on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on a case of each verdict, of a vendor with a nasty name, as docs/allure.md says."""
    require(ALLURE.exists(), "no Allure: npm ci --prefix tests/allure")
    out = tmp_path_factory.mktemp("rendered")
    left = play_spoilt(out)
    left.device["about"] = {"vendor": NASTY, "product": "Säule 22 €"}
    for name, view in (
        ("allure-results/categories.json", categories),
        ("allure-results/environment.properties", environment),
        ("allurerc.json", settings),
    ):
        (out / name).write_text(view(left, {}))
    node = shutil.which("node")
    assert node is not None
    subprocess.run([node, ALLURE, "generate"], cwd=out, check=True, timeout=120, capture_output=True)  # noqa: S603
    return out / "allure-report"


@dataclass
class Opened:
    page: Page
    complaints: list[str]


@pytest.fixture(scope="module")
def opened(report: Path) -> Iterator[Opened]:
    """The report in a browser, and what it complains of or asks of the network."""
    require(EXECUTABLE is not None, "no Chromium")
    complaints: list[str] = []
    with served(report) as address, sync_playwright() as playwright:

        def answer(route: Route) -> None:
            url = route.request.url
            if url.startswith(address):
                if OPTIONAL in url:
                    route.fulfill(json={})
                else:
                    route.continue_()
            elif url.startswith(ANALYTICS):
                route.fulfill(body="", content_type="text/javascript")
            else:
                complaints.append(f"asks for {url}")
                route.abort()

        with closing(playwright.chromium.launch(executable_path=EXECUTABLE, args=[*ARGUMENTS])) as browser:
            page = browser.new_page(viewport={"width": 1400, "height": 1800})
            page.set_default_timeout(20_000)
            page.route("**/*", answer)
            page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("dialog", lambda dialog: complaints.append(f"says {dialog.message}"))
            page.goto(address)
            yield Opened(page, complaints)


def test_every_case_is_there(opened: Opened, report: Path) -> None:
    told = [json.loads(path.read_text("utf-8")) for path in (report / "data" / "test-results").glob("*.json")]
    pages = {each["fullName"]: each for each in told}
    assert pages.keys() == VERDICTS.keys()
    start = opened.page.url
    for case_id, each in pages.items():
        opened.page.goto(f"{start}#{each['id']}")
        opened.page.get_by_text(f"{case_id} {all_cases()[case_id].title}").first.wait_for()
        if each["steps"]:
            opened.page.get_by_text("transcript.jsonl").first.wait_for()
    opened.page.goto(start)
    opened.page.get_by_text("Central System").first.wait_for()
    assert opened.complaints == []


def test_the_environment_is_shown_as_it_is(opened: Opened) -> None:
    opened.page.get_by_text("Show more").first.click()
    text = opened.page.inner_text("body")
    assert "Säule 22 €" in text
    assert "<script>alert(1)</script> ]]> | `x` *b* [l](http://evil.example)" in text
    assert opened.complaints == []


def test_a_failure_is_shown_as_it_is(opened: Opened) -> None:
    opened.page.get_by_text("TC_031_CS ", exact=False).first.click()
    opened.page.get_by_text("fail: UnlockConnector.conf of the Charge Point").first.wait_for()
    text = opened.page.inner_text("body")
    assert "<script>alert(1)</script> ]]> | `x` *b* [l](http://evil.example)" in text
    assert "Then the Charge Point responds with UnlockConnector.conf" in text
    assert "Fail: the device did something wrong" in text
    opened.page.get_by_text("transcript.jsonl").first.click()
    opened.page.get_by_text('"action": "UnlockConnector"', exact=False).first.wait_for()
    opened.page.get_by_text("sequence.svg").first.click()
    opened.page.wait_for_timeout(500)
    opened.page.screenshot(path=ARTIFACTS / "allure.png", full_page=True)
    assert opened.complaints == []


def test_each_verdict_has_its_category(report: Path) -> None:
    nodes = json.loads((report / "widgets" / "categories.json").read_text("utf-8"))["nodes"].values()
    counted = {
        each["name"].partition(":")[0]: each["statistic"]["total"] for each in nodes if each["type"] == "category"
    }
    assert counted == {"Fail": 1, "Inconclusive": 1, "Error": 2}
    causes = [each["name"] for each in nodes if each["type"] == "group"]
    assert any(each.startswith("cause: fail: UnlockConnector.conf") for each in causes)


def test_the_environment_is_ascii_and_a_line_each() -> None:
    told: Results = results()
    told.device["about"] = {"vendor": NASTY, "product": "a = b: c # \\ €😀"}
    lines = environment(told, {}).splitlines()
    assert "Product = a\\ \\=\\ b\\:\\ c\\ \\#\\ \\\\\\ \\u20ac\\ud83d\\ude00" in lines
    assert all(line.isascii() and line.isprintable() and " = " in line for line in lines)
    assert len([line for line in lines if line.startswith("Vendor = ")]) == 1


def test_the_categories_of_allure_2_and_3_are_the_same() -> None:
    for_2, for_3 = json.loads(categories(results(), {})), json.loads(settings(results(), {}))["categories"]
    assert [each.items() <= other.items() for each, other in zip(for_2, for_3, strict=True)] == [True] * 3
