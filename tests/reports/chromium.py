"""A look at a page as a reader has it: in headless Chromium, without network, in light, in dark and on paper."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.interop.rehearsals import require

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

playwright = pytest.importorskip("playwright.sync_api")

ARTIFACTS = Path(__file__).parents[2] / "build" / "screenshots"
EXECUTABLE = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
A4: "ViewportSize" = {"width": 794, "height": 1123}  # pixels of CSS
SCREEN: "ViewportSize" = {"width": 1200, "height": 900}


@dataclass
class Seen:
    """``complaints``: what the console and the page complained of. ``requests``: what was asked for beside the page.

    ``text``: what can be read. ``overflow``: how many pixels wider than the window the page is, ``backgrounds``: its
    colour, both by scheme. ``pdf``: what Chromium prints.
    """

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    text: str = ""
    overflow: dict[str, int] = field(default_factory=dict)
    backgrounds: dict[str, str] = field(default_factory=dict)
    pdf: bytes = b""


def look(page: Path, name: str, *, opened: bool = True) -> Seen:
    """Open a file and take its pictures: ``build/screenshots/NAME-light.png``, ``-dark``, ``-paper`` and ``.pdf``.

    ``opened``: with everything unfolded. Skips the test if there is no Chromium, or fails it under REQUIRE_INTEROP=1.
    """
    require(EXECUTABLE is not None, "there is no Chromium here")
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    seen = Seen()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=EXECUTABLE, args=[*ARGUMENTS])
        try:
            _picture(browser, page, name, "light", seen, opened)
            _picture(browser, page, name, "dark", seen, opened)
            _paper(browser, page, name, seen)
        finally:
            browser.close()
    return seen


def _open(browser: "Browser", page: Path, seen: Seen, **options: Any) -> "Page":
    def asked(url: str) -> None:
        if url != page.as_uri():
            seen.requests.append(url)

    tab = browser.new_page(**options)
    tab.on("console", lambda message: seen.complaints.append(message.text))
    tab.on("pageerror", lambda error: seen.complaints.append(str(error)))
    tab.on("request", lambda request: asked(request.url))
    tab.context.set_offline(True)
    tab.goto(page.as_uri())
    return tab


def _picture(
    browser: "Browser", page: Path, name: str, scheme: Literal["light", "dark"], seen: Seen, opened: bool
) -> None:
    tab = _open(browser, page, seen, viewport=SCREEN, color_scheme=scheme)
    if opened:
        tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    seen.text = tab.inner_text("body")
    seen.overflow[scheme] = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    seen.backgrounds[scheme] = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    tab.screenshot(path=ARTIFACTS / f"{name}-{scheme}.png", full_page=True)


def _paper(browser: "Browser", page: Path, name: str, seen: Seen) -> None:
    tab = _open(browser, page, seen, viewport=A4, color_scheme="dark")  # paper is white for whoever likes it dark too
    tab.emulate_media(media="print")
    seen.overflow["paper"] = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    seen.backgrounds["paper"] = tab.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper')")
    tab.screenshot(path=ARTIFACTS / f"{name}-paper.png", full_page=True)
    seen.pdf = tab.pdf(path=ARTIFACTS / f"{name}.pdf", prefer_css_page_size=True, print_background=True)
