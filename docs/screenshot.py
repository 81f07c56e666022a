"""Make docs/dashboard.png: the dashboard on a local exchange, once every panel has something to show.

Run as ``.venv/bin/python docs/screenshot.py``; it takes half a minute, most of it to let z-scores be drawn.
The market is the same at every run, the moment is not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

PICTURE = Path(__file__).with_name("dashboard.png")
QUANTNB = str(Path(sys.executable).with_name("quantnb"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SIZE: ViewportSize = {"width": 1400, "height": 1424}  # down to the end of the charts
WARM_UP_MS = 60_000

EVERY_TILE = (
    """() => [...document.querySelectorAll(".qnb-tile")].every((tile) => tile.dataset.value !== "")"""
)
ZSCORES = 25  # of which the spread chart is to show some


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """Run ``quantnb`` with arguments; give the address it prints."""
    command = [QUANTNB, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            lines = process.stdout or ()
            yield next(found[0] for line in lines if (found := re.search(r"\w+://[\d.:]+", line)))
        finally:
            process.terminate()


def add_rules(page: Page) -> None:
    """Watch the z-score, and Bitcoin's price within half a minute."""
    page.locator(".qnb-rule-add").click()
    page.locator(".qnb-rule-kind").select_option("price_change")
    page.locator(".qnb-rule-symbol").select_option("BTCUSDT")
    page.locator(".qnb-rule-threshold").fill("0.03")
    page.locator(".qnb-rule-span").fill("30")
    page.locator(".qnb-rule-severity").select_option("info")
    page.locator(".qnb-rule-add").click()
    page.locator(".qnb-rule").nth(1).wait_for()
    page.locator(".qnb-rule-kind").select_option("zscore")


def main() -> None:
    """Take the picture."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    with (
        running("exchange", "--port", "0", "--seed", "7", "--rate", "40") as exchange,
        running(
            "dashboard", "--no-browser", "--port", "0", "--theme", "light", "--feed", exchange
        ) as dashboard,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(dashboard)
        page.locator('.qnb-status[data-state="simulated"]').wait_for(timeout=60_000)
        add_rules(page)
        page.wait_for_function(EVERY_TILE, timeout=WARM_UP_MS)
        page.locator(".qnb-status").scroll_into_view_if_needed()
        page.wait_for_timeout(1_000 * ZSCORES)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
