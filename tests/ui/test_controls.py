"""The control panel's buttons: start and stop, the test of the spread, and clear, which asks first."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.panels import (
    BARS_MS,
    message,
    newest_sequence,
    tile,
    use_window,
    wait_for_tile,
    wait_for_trades,
)


def test_stop_stops_and_start_goes_on(live: Page) -> None:
    button, status = live.locator("button.qnb-start"), live.locator(".qnb-status")
    wait_for_trades(live, 50)
    button.click()
    expect(status).to_have_attribute("data-state", "stopped")
    expect(status.locator(".qnb-state-word")).to_have_text("Stopped")
    expect(button).to_contain_text("Start")
    ticks, newest = tile(live, "ticks"), newest_sequence(live)
    expect(status.locator(".qnb-age")).to_have_text(re.compile(r"[3-9]\.\d s|\d\d s"))  # time goes on
    assert (tile(live, "ticks"), newest_sequence(live)) == (ticks, newest)
    button.click()
    expect(status).to_have_attribute("data-state", "simulated")
    expect(button).to_contain_text("Stop")
    wait_for_tile(live, "ticks", f"value > {ticks}")
    wait_for_trades(live, 1, since=newest)


def test_keep_keeps_the_data(live: Page) -> None:
    ticks = wait_for_tile(live, "ticks", "value >= 200")
    live.locator("button.qnb-clear").click()
    expect(live.locator(".qnb-clear-confirm")).to_contain_text("Clear all trades and bars?")
    live.locator(".qnb-clear-no").click()
    expect(live.locator(".qnb-clear-confirm")).to_be_hidden()
    expect(live.locator("button.qnb-clear")).to_be_visible()
    assert tile(live, "ticks") >= ticks


@pytest.mark.timeout(2 * BARS_MS / 1000)
def test_clear_sets_back_what_was_counted_and_the_feed_goes_on(live: Page) -> None:
    ticks = wait_for_tile(live, "ticks", "value >= 1000", timeout_ms=60_000)
    live.locator("button.qnb-clear").click()
    live.locator(".qnb-clear-yes").click()
    expect(message(live, ".qnb-group:has(.qnb-clear)")).to_have_text("Cleared. Rules and settings stay.")
    cleared = wait_for_tile(live, "ticks", f"value < {ticks / 2}")
    assert live.locator(".qnb-tape tbody tr").count() <= 200
    wait_for_tile(live, "ticks", f"value > {cleared}")
    expect(live.locator(".qnb-status")).to_have_attribute("data-state", "simulated")


def test_too_few_bars_for_the_test_are_told_in_a_sentence(live: Page) -> None:
    live.locator("button.qnb-clear").click()
    live.locator(".qnb-clear-yes").click()
    expect(live.locator("button.qnb-clear")).to_be_visible()
    live.locator("button.qnb-adf").click()
    result = message(live, ".qnb-adf-result")
    expect(result).to_have_attribute("data-level", "error")
    expect(result).to_contain_text("at least 30")


@pytest.mark.timeout(2 * BARS_MS / 1000)
def test_after_forty_bars_there_is_a_z_score_and_a_test_of_the_spread(live: Page) -> None:
    live.locator(".qnb-timeframe select").select_option("1s")
    use_window(live, 20)
    wait_for_tile(live, "zscore", "Number.isFinite(value) && Math.abs(value) < 10", timeout_ms=BARS_MS)
    expect(live.locator(".qnb-tile[data-tile=zscore]")).to_contain_text("n = 20")
    live.locator("button.qnb-adf").click()
    result = message(live, ".qnb-adf-result")
    expect(result).to_contain_text("ADF statistic", timeout=60_000)  # the first test loads statsmodels
    expect(result).to_contain_text("Engle–Granger")
    expect(result).to_contain_text("ETHUSDT/BTCUSDT")
    expect(result).to_have_attribute("data-level", "info")
