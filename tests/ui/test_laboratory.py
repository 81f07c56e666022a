"""The pair laboratory in a browser: on request, in words first, and grey once it is of something else."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.panels import BARS_MS, message, use_window

STUDY_MS = 60_000  # the first one loads statsmodels


def laboratory(page: Page) -> Locator:
    """Wait until there are bars for a study of windows of 30, and return the panel."""
    page.locator(".qnb-timeframe select").select_option("1s")
    use_window(page, 30)
    expect(page.locator(".qnb-tile[data-tile=zscore]")).to_contain_text("n = 30", timeout=BARS_MS)
    return page.locator(".qnb-lab")


def study(panel: Locator, prices: str) -> None:
    panel.locator(".qnb-lab-prices").select_option(prices)
    panel.locator(".qnb-lab-run").press("Enter")
    expect(panel).to_have_attribute("aria-busy", "false", timeout=STUDY_MS)
    expect(panel.locator(".qnb-lab-run")).to_have_text("Run")
    expect(panel.locator(".qnb-lab-of")).to_contain_text(
        "UTC, log prices;" if prices == "log" else "UTC, prices;"
    )


def error(panel: Locator) -> float:
    """Return the standard error of the ratio by least squares."""
    return float(panel.locator("[data-method=ols] td").nth(1).inner_text())


@pytest.mark.timeout(2 * BARS_MS / 1000)
def test_nothing_is_there_before_run_and_then_words_come_first(dashboard_page: Page) -> None:
    panel = laboratory(dashboard_page)
    expect(panel.get_by_text("Press Run")).to_be_visible()
    study(panel, "level")
    expect(panel.get_by_text("Press Run")).to_be_hidden()
    expect(panel.locator(".qnb-lab-of")).to_contain_text("ETHUSDT/BTCUSDT, 60 bars of 1s to ")
    expect(panel.locator(".qnb-lab-findings li")).to_have_count(7)
    expect(panel.locator(".qnb-lab-findings li").first).to_contain_text(re.compile(r"⚠ Against|✓ For"))
    expect(panel.locator(".qnb-lab-findings")).to_contain_text("Engle–Granger finds")
    box = panel.locator(".qnb-lab-findings").bounding_box()
    table = panel.locator("table").first.bounding_box()
    assert box is not None
    assert table is not None
    assert box["y"] < table["y"]


@pytest.mark.timeout(2 * BARS_MS / 1000)
def test_each_method_and_each_test_is_a_row(live: Page) -> None:
    panel = laboratory(live)
    study(panel, "level")
    methods = panel.locator("[data-method]")
    expect(methods).to_have_count(5)
    expect(methods.locator("th")).to_have_text(
        [
            "Least squares, y on x",
            "Least squares, x on y",
            "Total least squares",
            "Median of slopes",
            "Kalman filter",
        ]
    )
    for row in methods.all():
        expect(row.locator("td").nth(3)).to_have_text(re.compile(r"^[+−]\d+\.\d\d$"))
        expect(row.locator("th")).to_have_attribute("title", re.compile(r"\.$"))
    tests = panel.locator("[data-test]")
    expect(tests).to_have_count(7)
    expect(tests.first).to_contain_text("Engle–Granger, y on x")
    expect(tests.first).to_contain_text("below −3.55")
    expect(panel.locator("[data-test=cusum]")).to_contain_text("above 1.04")


@pytest.mark.timeout(2 * BARS_MS / 1000)
def test_log_prices_give_a_ratio_of_money(live: Page) -> None:
    panel = laboratory(live)
    study(panel, "level")
    of_units = error(panel)
    study(panel, "log")
    assert error(panel) > 5 * of_units  # a bitcoin costs some twenty times an ether


@pytest.mark.timeout(2 * BARS_MS / 1000)
def test_a_study_of_another_pair_is_grey_and_says_so(live: Page) -> None:
    panel = laboratory(live)
    study(panel, "level")
    expect(panel).to_have_attribute("data-stale", "false")
    live.locator("button.qnb-swap").click()
    expect(panel).to_have_attribute("data-stale", "true")
    expect(panel.locator(".qnb-lab-of")).to_contain_text("Of another pair; run it again. SIMULATED: ETHUSDT/")
    expect(panel.locator(".qnb-lab-pair")).to_have_text("BTCUSDT/ETHUSDT")
    expect(panel.locator(".qnb-lab-result")).to_have_css("opacity", "0.55")
    live.locator("button.qnb-swap").click()
    expect(panel).to_have_attribute("data-stale", "false")


@pytest.mark.timeout(2 * BARS_MS / 1000)
def test_too_few_bars_are_counted_in_a_sentence_and_the_old_study_stays(live: Page) -> None:
    panel = laboratory(live)
    study(panel, "level")
    live.locator("button.qnb-clear").click()
    live.locator(".qnb-clear-yes").click()
    expect(message(live, ".qnb-group:has(.qnb-clear)")).to_have_text("Cleared. Rules and settings stay.")
    panel.locator(".qnb-lab-run").click()
    expect(message(live, ".qnb-lab")).to_contain_text(
        re.compile(r"ETHUSDT/BTCUSDT: The study needs 60 bars \(2 × 30\), \d+ so far\.")
    )
    expect(message(live, ".qnb-lab")).to_have_attribute("data-level", "error")
    expect(panel.locator("[data-method]")).to_have_count(5)
