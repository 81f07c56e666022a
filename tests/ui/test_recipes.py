"""Reproduce this number: the Python of a tile, run on the same session, gives what the tile showed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.panels import BARS_MS, use_window, wait_for_tile

DIALOG = ".qnb-tiles dialog"


@pytest.fixture
def warm(live: Page) -> Page:
    """A tab whose tiles of the pair have numbers."""
    use_window(live, 20)
    wait_for_tile(live, "zscore", "Number.isFinite(value)", BARS_MS)
    return live


@pytest.mark.parametrize(
    ("name", "last_line"),
    [
        ("ticks", "sum(map(len, trades))"),
        ("volume", "sum(math.fsum("),
        ("spread", "spread.to_numpy()[-20:].mean()"),
        ("zscore", "qn.zscore(spread, 20).iloc[-1]"),
        ("correlation", "qn.rolling_corr(y, x, 20).iloc[-1]"),
        ("alerts", "len(session.snapshot.alerts)"),
    ],
)
def test_each_tile_gives_the_lines_that_compute_it_again_and_their_number(
    warm: Page, name: str, last_line: str
) -> None:
    warm.locator(f".qnb-tile[data-tile={name}] .qnb-recipe-button").click()
    code = warm.locator(f"{DIALOG} code")
    expect(code).to_contain_text(last_line)
    expect(code).to_have_text(re.compile(r"# -?[\d.e-]+\s*$"))
    warm.keyboard.press("Escape")
    expect(warm.locator(DIALOG)).to_be_hidden()
    expect(warm.locator(f".qnb-tile[data-tile={name}] .qnb-recipe-button")).to_be_focused()


def test_a_tile_without_a_number_says_so_in_place_of_its_lines(live: Page) -> None:
    use_window(live, 1000)
    expect(live.locator(".qnb-tile[data-tile=zscore]")).to_contain_text("of 2000 bars")
    live.locator(".qnb-tile[data-tile=zscore] .qnb-recipe-button").click()
    expect(live.locator(f"{DIALOG} code")).to_have_text("There is no number to compute again yet: zscore.")
    expect(live.locator(f"{DIALOG} .qnb-recipe-copy")).to_be_hidden()
    live.locator(f"{DIALOG} .qnb-icon-button").click()
    expect(live.locator(DIALOG)).to_be_hidden()
