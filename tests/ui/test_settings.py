"""Every setting, changed from the page: what is taken shows everywhere, what is refused says why."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from quantnb.engine import TIMEFRAMES, WINDOWS
from tests.ui.panels import BARS_MS, message, use_window

PRICES = ".qnb-price .qnb-figure-plot"
ZSCORE = ".qnb-tile[data-tile=zscore]"
WINDOW_MESSAGE = ".qnb-group:has(.qnb-window) > .qnb-message-slot"


@pytest.mark.parametrize("timeframe", TIMEFRAMES[::-1])
def test_the_timeframe_is_that_of_the_bars(live: Page, timeframe: str) -> None:
    live.locator(".qnb-timeframe select").select_option(timeframe)
    expect(live.locator(PRICES)).to_have_attribute("aria-label", re.compile(f"bars of {timeframe}:"))


@pytest.mark.parametrize("window", WINDOWS[::-1])
def test_a_window_can_be_chosen(live: Page, window: int) -> None:
    live.locator(".qnb-window-choices button").get_by_text(str(window), exact=True).click()
    expect(live.locator(".qnb-window-entry input")).to_have_value(str(window))
    expect_window(live, window)


def test_a_window_can_be_typed(live: Page) -> None:
    use_window(live, 33)
    expect_window(live, 33)
    expect(live.locator(".qnb-window-choices .mod-active")).to_have_count(0)


def test_a_window_that_cannot_be_is_refused_in_a_sentence(live: Page) -> None:
    use_window(live, 50)
    expect_window(live, 50)
    use_window(live, 7)
    expect(message(live, WINDOW_MESSAGE)).to_contain_text("from 20 to 1000 (bars), not 7")
    expect(live.locator(".qnb-window-entry input")).to_have_value("50")
    use_window(live, 60)
    expect(message(live, WINDOW_MESSAGE)).to_have_text("")


def test_the_fee_is_taken_off_the_expected_edge_and_one_that_cannot_be_is_refused(live: Page) -> None:
    use_window(live, 20)
    tile = live.locator(".qnb-tile[data-tile=edge]")
    fee = live.locator(".qnb-taker-fee input")
    for typed, said in (("2", "4.00"), ("5", "10.00")):
        fee.fill(typed)
        fee.press("Enter")
        costs = re.compile(rf"taker fees, both legs in and out: {said} bp")
        expect(tile).to_have_attribute("title", costs, timeout=BARS_MS)
    fee.fill("-1")
    fee.press("Enter")
    expect(message(live, WINDOW_MESSAGE)).to_contain_text("taker fee is 0 to 100 basis points")
    expect(fee).to_have_value("5")


def expect_window(page: Page, window: int) -> None:
    """The tile waits for twice the window, or has a z-score over it."""
    expect(page.locator(ZSCORE)).to_contain_text(re.compile(rf"of {2 * window} bars|n = {window}(?!\d)"))


def expect_pair(page: Page, y: str, x: str) -> None:
    """The legs show in the panel, on the hedge ratio's axes and in the rules' form."""
    expect(page.locator(".qnb-pair-y select")).to_have_value(y)
    expect(page.locator(".qnb-pair-x select")).to_have_value(x)
    page.locator(".qnb-hedge").scroll_into_view_if_needed()  # a chart out of sight is not drawn
    page.wait_for_function(
        """([y, x]) => {
          const text = (axis) => document.querySelector(`.qnb-hedge .g-${axis}title`)?.textContent;
          return text("y") === `y: ${y}` && text("x") === `x: ${x}`;
        }""",
        arg=[y, x],
    )


def test_either_leg_can_be_chosen_and_both_swapped(live: Page) -> None:
    y, x = live.locator(".qnb-pair-y select"), live.locator(".qnb-pair-x select")
    y.select_option("SOLUSDT")
    expect_pair(live, "SOLUSDT", "BTCUSDT")
    live.locator("button.qnb-swap").click()
    expect_pair(live, "BTCUSDT", "SOLUSDT")
    x.select_option("ETHUSDT")
    expect_pair(live, "BTCUSDT", "ETHUSDT")
    y.select_option("ETHUSDT")  # the other leg: the person means to swap
    expect_pair(live, "ETHUSDT", "BTCUSDT")


def chips(page: Page) -> list[str]:
    return [text.split()[0] for text in page.locator(".qnb-chip").all_inner_texts()]


def test_a_symbol_is_typed_to_be_watched_and_its_chip_ends_that(live: Page) -> None:
    entry = live.locator(".qnb-symbol-entry input")
    offered = live.locator(".qnb-symbol-entry datalist option")
    expect(offered.and_(live.locator("[data-value=XRPUSDT], [value=XRPUSDT]"))).to_have_count(1)
    entry.fill("xrpusdt")
    live.locator("button.qnb-symbol-add").click()
    expect(live.locator(".qnb-chip")).to_have_count(4)
    expect(entry).to_have_value("")
    assert chips(live) == ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"]
    live.locator(".qnb-tape tbody tr[data-symbol=XRPUSDT]").first.wait_for(timeout=60_000)
    expect(live.locator(".qnb-pair-y select option")).to_have_count(4)
    live.locator(".qnb-chip", has_text="XRPUSDT").click()
    expect(live.locator(".qnb-chip")).to_have_count(3)
    expect(live.locator(".qnb-tape tbody tr[data-symbol=XRPUSDT]")).to_have_count(0)


def test_a_symbol_typed_before_the_last_one_is_answered_stays_and_is_added_too(live: Page) -> None:
    entry = live.locator(".qnb-symbol-entry input")
    entry.press_sequentially("xrpusdt")
    entry.press("Enter")
    entry.press_sequentially("1000pep")  # at a stroke a few milliseconds, the answer comes in between
    expect(live.locator(".qnb-chip")).to_have_count(4)
    expect(entry).to_have_value("1000pep")
    entry.press_sequentially("eusdt")
    entry.press("Enter")
    expect(live.locator(".qnb-chip")).to_have_count(5)
    for symbol in ("XRPUSDT", "1000PEPEUSDT"):
        live.locator(".qnb-chip", has_text=symbol).click()
    expect(live.locator(".qnb-chip")).to_have_count(3)


def test_a_symbol_that_is_not_traded_is_answered_with_one_that_is(live: Page) -> None:
    entry = live.locator(".qnb-symbol-entry input")
    entry.fill("ETHUSD")
    entry.press("Enter")
    said = message(live, ".qnb-symbols")
    expect(said).to_contain_text("ETHUSD is not traded on this exchange; did you mean ETHUSDT")
    expect(said).to_have_attribute("data-level", "error")
    expect(entry).to_have_value("ETHUSD")  # to be put right
    assert chips(live) == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    entry.fill("")


def test_a_leg_of_the_pair_is_not_let_go_and_the_sentence_says_why(live: Page) -> None:
    live.locator(".qnb-chip", has_text="BTCUSDT").click()
    expect(message(live, ".qnb-symbols")).to_contain_text("BTCUSDT is a leg of the pair")
    assert chips(live) == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]


@pytest.mark.parametrize(
    ("analytics", "chart"),
    [
        ("Spread & Z-Score", ".qnb-spread"),
        ("Correlation Matrix", ".qnb-corr"),
        ("Hedge Ratio (OLS)", ".qnb-hedge"),
        ("Price & Volume", ".qnb-price"),
    ],
)
def test_the_analytics_chosen_takes_the_prime_place(live: Page, analytics: str, chart: str) -> None:
    live.locator(".qnb-analytics select").select_option(analytics)
    expect(live.locator(f"{chart}.qnb-prime")).to_have_count(1)
    expect(live.locator(".qnb-prime")).to_have_count(1)
    live.wait_for_function(  # it stands first, and is the widest
        """chart => {
          const boxes = [...document.querySelectorAll(".qnb-places > .qnb-chart")];
          const prime = document.querySelector(chart).getBoundingClientRect();
          return boxes.every((box) => box.getBoundingClientRect().top >= prime.top)
            && boxes.filter((box) => box.getBoundingClientRect().width >= prime.width).length === 1;
        }""",
        arg=chart,
    )
