"""Correlation by horizon in the browser: the curve, its band, and who leads, in words."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.panels import BARS_MS, wait_for_plot

CAPTION = ".qnb-horizon .qnb-figure-caption"


@pytest.fixture
def drawn(live: Page) -> Page:
    """A page on which the first curve has appeared."""
    live.locator(".qnb-horizon").scroll_into_view_if_needed()
    expect(live.locator(CAPTION)).to_contain_text("trades", timeout=BARS_MS)
    wait_for_plot(live, ".qnb-horizon", "plot._fullData[1].x?.length >= 3")
    return live


@pytest.mark.timeout(BARS_MS / 1000 + 120)
def test_the_curve_stands_in_a_band_that_widens(drawn: Page) -> None:
    wait_for_plot(drawn, ".qnb-horizon", "plot._fullData[1].x[0] === 100")
    wait_for_plot(
        drawn,
        ".qnb-horizon",
        """(() => {
          const [band, curve] = plot._fullData;
          const half = Array.from(band.y).slice(0, curve.x.length);
          return band.fill === "toself" && half.every((width, i) => i === 0 || width >= half[i - 1]);
        })()""",
    )
    expect(drawn.locator(".qnb-horizon .xtick text").first).to_have_text("100 ms")
    expect(drawn.locator(".qnb-horizon .xtick text").nth(4)).to_have_text("15 min")


def test_it_says_of_what_it_is_made(drawn: Page) -> None:
    span = r"From [\d:]{8} to [\d:]{8} UTC, [\d,]+ \+ [\d,]+ trades"
    expect(drawn.locator(CAPTION)).to_contain_text(re.compile(span))
    label = re.compile("^Correlation of ETHUSDT and BTCUSDT by length of bar: 100 ms .*trades")
    expect(drawn.locator(".qnb-horizon .qnb-figure-plot")).to_have_attribute("aria-label", label)


def test_who_leads_is_said_in_words_with_the_symbols_names(drawn: Page) -> None:
    verdict = re.compile(
        r"Neither leads: no lag|(ETHUSDT leads BTCUSDT|BTCUSDT leads ETHUSDT) by \d+ bars?: correlation"
    )
    expect(drawn.locator(CAPTION)).to_contain_text(verdict, timeout=BARS_MS)
    wait_for_plot(drawn, ".qnb-horizon", "plot._fullData[3].type === 'bar' && plot._fullData[3].x.length > 0")
    names = drawn.locator(".qnb-horizon .annotation-text")
    expect(names.nth(1)).to_have_text(re.compile(r"(Neither|ETHUSDT|BTCUSDT) leads? · bars of 1s"))
    expect(names.nth(2)).to_contain_text("BTCUSDT")
    expect(names.nth(3)).to_contain_text("ETHUSDT")


def test_it_follows_the_market(drawn: Page) -> None:
    before = drawn.locator(CAPTION).inner_text()
    expect(drawn.locator(CAPTION)).not_to_have_text(before, timeout=BARS_MS)
