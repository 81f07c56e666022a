"""The page as a whole: it opens, says something at once and follows the system's colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import ADDRESS, BIN, OPEN_TIMEOUT_MS, ROOT, Process, free_port, serving

NOTEBOOK = ROOT / "notebooks" / "dashboard.ipynb"


def test_the_dashboard_opens(dashboard_page: Page) -> None:
    expect(dashboard_page).to_have_title("quantnb")
    expect(dashboard_page.locator(".qnb-status")).to_have_attribute(
        "data-state", "simulated", timeout=OPEN_TIMEOUT_MS
    )


def test_something_readable_stands_there_while_the_kernel_starts(page: Page, dashboard: Process) -> None:
    page.goto(dashboard.url, wait_until="commit")
    expect(page.locator("#loading")).to_contain_text("Start")
    expect(page.locator("#loading")).to_be_visible()


def test_without_javascript_a_sentence_says_what_to_do(browser: Browser, dashboard: Process) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(dashboard.url, wait_until="commit")
    sentence = page.locator("noscript p")
    sentence.wait_for()
    assert "Allow scripts for this page" in sentence.inner_text()
    expect(page.locator("#loading")).to_be_hidden()
    context.close()


def test_a_browser_without_modules_is_told_so(page: Page, dashboard: Process) -> None:
    page.goto(dashboard.url, wait_until="commit")
    told = page.locator("script[nomodule]").inner_text()
    page.evaluate(told)  # what a browser that knows no modules would run
    expect(page.locator("#qnb-no-modules")).to_be_visible()
    expect(page.locator("#qnb-no-modules")).to_contain_text("Open the page in a current Firefox")


@pytest.mark.parametrize(("scheme", "is_light"), [("light", "true"), ("dark", "false")])
def test_colours_follow_the_system(page: Page, dashboard: Process, scheme: str, is_light: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(dashboard.url, wait_until="commit")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", is_light)
    page.locator(".qnb-status").first.wait_for()
    page.wait_for_function(
        """dark => {
          const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
          return (r + g + b < 384) === dark;
        }""",
        arg=scheme == "dark",
    )


def test_a_theme_can_be_named(page: Page, serve_dashboard: Callable[..., object]) -> None:
    with serve_dashboard("--theme", "dark") as served:
        page.goto(served.url, wait_until="commit")
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
        page.close()  # before its server


@pytest.mark.parametrize("folder", [ROOT, None], ids=["from the repository", "from elsewhere"])
def test_plain_voila_serves_it_as_well(
    page: Page, exchange: str, folder: Path | None, tmp_path: Path
) -> None:
    command = (BIN / "voila", "--no-browser", "--Voila.ip=127.0.0.1", f"--port={free_port()}", NOTEBOOK)
    with serving(*command, cwd=folder or tmp_path, ready=ADDRESS, QUANTNB_FEED=exchange) as served:
        page.goto(served.url, wait_until="commit")
        page.locator(".qnb-status").first.wait_for()
        expect(page).to_have_title("quantnb")
        page.close()  # before its server
