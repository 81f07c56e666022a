"""The dashboard as it opens, again after a reload, twice at once, and narrower."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.ui.conftest import Guard, Process
from tests.ui.panels import CHARTS, TILES, tile, wait_for_draws, wait_for_trades

OPEN_WITHIN_S = 30.0  # what the page promises
SAYS_ITS_VALUE = """name => {
  const tile = document.querySelector(`.qnb-tile[data-tile=${name}]`);
  if (!tile) return false;
  if (tile.dataset.value !== "") return Number.isFinite(Number(tile.dataset.value));
  return /^\\d+ of \\d+ bars$/.test(tile.querySelector(".qnb-tile-note").textContent.trim());
}"""


def wait_until_open(page: Page, within_s: float) -> None:
    """Wait until everything shows that an open dashboard shows, all within one time."""
    until_s = time.monotonic() + within_s

    def left_ms() -> float:
        return max(1.0, 1000 * (until_s - time.monotonic()))

    expect(page.locator(".qnb-status")).to_have_attribute("data-state", "simulated", timeout=left_ms())
    page.wait_for_function("document.querySelector('.qnb-tape tbody tr')", timeout=left_ms())
    newest = int(page.locator(".qnb-tape tbody tr").first.get_attribute("data-sequence") or 0)
    for chart in CHARTS:
        figure = page.locator(f"{chart} .qnb-figure[data-drawn=true] .main-svg").first
        figure.wait_for(state="attached", timeout=left_ms())
    for name in TILES:
        page.wait_for_function(SAYS_ITS_VALUE, arg=name, timeout=left_ms())
    page.wait_for_function(
        "newest => Number(document.querySelector('.qnb-tape tbody tr').dataset.sequence) > newest",
        arg=newest,
        timeout=left_ms(),
    )


def test_within_thirty_seconds_of_opening_everything_shows(page: Page, dashboard: Process) -> None:
    page.goto(dashboard.url, wait_until="commit")
    wait_until_open(page, OPEN_WITHIN_S)
    expect(page.locator(".qnb-status")).to_contain_text("SIMULATED")


def test_a_reload_gives_the_whole_page_again(dashboard_page: Page, guard: Guard) -> None:
    guard.allow(
        "/voila/api/shutdown/"
    )  # Voilà's farewell to the old page's kernel, refused by its own server
    wait_until_open(dashboard_page, 2 * OPEN_WITHIN_S)
    dashboard_page.reload(wait_until="commit")
    wait_until_open(dashboard_page, 2 * OPEN_WITHIN_S)


def test_two_tabs_are_both_live(context: BrowserContext, dashboard: Process) -> None:
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(dashboard.url, wait_until="commit")
    for tab in tabs:
        wait_until_open(tab, 4 * OPEN_WITHIN_S)  # two kernels start at once
    for tab in tabs:
        tab.bring_to_front()
        wait_for_trades(tab, 20)


def test_the_page_says_once_that_it_is_no_advice(live: Page) -> None:
    assert live.locator("body").inner_text().lower().count("not financial advice") == 1
    expect(live.get_by_text("Educational use, not financial advice.")).to_have_count(1)


def test_the_status_is_told_by_text_and_icon_and_not_by_colour_alone(live: Page) -> None:
    status = live.locator(".qnb-status")
    expect(status.locator(".qnb-state-word")).to_have_text("Running")
    expect(status.locator(".qnb-state-icon")).to_have_text("●")
    expect(status.locator(".qnb-rate")).to_contain_text("/s")
    expect(status.locator(".qnb-age")).to_contain_text("s")
    expect(status.locator(".qnb-lag")).to_contain_text("ms")


def test_each_tile_says_its_unit_and_n(live: Page) -> None:
    assert tile(live, "ticks") > 0
    ticks, volume = (live.locator(f".qnb-tile[data-tile={name}]") for name in ("ticks", "volume"))
    expect(ticks).to_contain_text("n = ")
    expect(volume).to_contain_text("n = ")
    expect(volume).to_contain_text("USDT")


@pytest.mark.parametrize("width", [800, 1400])
def test_nothing_sticks_out_and_charts_fill_their_place(live: Page, width: int) -> None:
    live.set_viewport_size({"width": width, "height": 1000})
    for chart in CHARTS:
        wait_for_draws(live, chart, 1)
    live.wait_for_function(
        """charts => document.documentElement.scrollWidth <= innerWidth
          && charts.every((chart) => {
            const place = document.querySelector(`${chart} .qnb-figure-plot`).getBoundingClientRect();
            const drawn = document.querySelector(`${chart} .main-svg`).getBoundingClientRect();
            return place.width > 300 && place.height > 200 && place.right <= innerWidth
              && Math.abs(place.width - drawn.width) <= 1 && Math.abs(place.height - drawn.height) <= 1;
          })""",
        arg=list(CHARTS),
    )
