"""Alerts: a rule is added, fires, and both are removed; a rule that cannot be is answered in a sentence."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.ui.panels import BARS_MS, message, tile, use_window, wait_for_plot, wait_for_tile

FIRES_MS = 60_000  # the market is quiet at times
FIRINGS = -2  # the trace of the spread chart that marks where a previewed rule would have fired


def add_rule(page: Page, kind: str, threshold: float, severity: str = "warning") -> None:
    page.locator(".qnb-rule-kind").select_option(kind)
    page.locator(".qnb-rule-threshold").fill(str(threshold))
    page.locator(".qnb-rule-severity").select_option(severity)
    page.locator(".qnb-rule-add").click()


def test_a_price_change_fires_and_alert_and_rule_can_be_removed(live: Page) -> None:
    live.locator(".qnb-rule-kind").select_option("price_change")
    live.locator(".qnb-rule-span").fill("5")
    live.locator(".qnb-rule-cooldown").fill("0")
    add_rule(live, "price_change", 0.001, "critical")
    rule = live.locator(".qnb-rule")
    expect(rule).to_have_count(1)
    expect(rule).to_contain_text("price of any symbol moves 0.001 % within 5 s")
    alerts = live.locator(".qnb-alert[data-severity=critical]")
    alerts.first.wait_for(timeout=FIRES_MS)
    expect(alerts.first).to_contain_text("Critical")
    expect(alerts.first.locator(".qnb-alert-value")).to_contain_text("%")
    wait_for_tile(live, "alerts", "value >= 1")

    rule.locator(".qnb-remove").click()
    expect(rule).to_have_count(0)
    n_alerts = int(tile(live, "alerts"))  # alerts that are there stay, and no more come
    alert_id = alerts.first.get_attribute("data-alert-id")
    alerts.first.locator(".qnb-remove").click()
    expect(live.locator(f".qnb-alert[data-alert-id='{alert_id}']")).to_have_count(0)
    wait_for_tile(live, "alerts", f"value <= {n_alerts}")
    while live.locator(".qnb-alert").count():
        n_left = live.locator(".qnb-alert").count()
        live.locator(".qnb-alert .qnb-remove").first.click()
        expect(live.locator(".qnb-alert")).to_have_count(n_left - 1)
    wait_for_tile(live, "alerts", "value === 0")
    expect(live.locator(".qnb-alerts")).to_contain_text("No active alerts.")


def test_a_rule_on_the_z_score_is_of_the_pair(live: Page) -> None:
    live.locator(".qnb-rule-kind").select_option("zscore")
    expect(live.locator(".qnb-rule-span")).to_be_hidden()
    add_rule(live, "zscore", 2.5, "info")
    rule = live.locator(".qnb-rule[data-severity=info]")
    expect(rule).to_contain_text("|z-score| of the pair reaches 2.5")
    rule.locator(".qnb-remove").click()
    expect(rule).to_have_count(0)


@pytest.mark.parametrize(
    ("threshold", "sentence"),
    [("-1", "threshold is a number above 0"), ("", "threshold must be a number")],
    ids=["negative", "empty"],
)
def test_a_rule_that_cannot_be_is_refused_in_a_sentence(live: Page, threshold: str, sentence: str) -> None:
    live.locator(".qnb-rule-kind").select_option("price_change")
    live.locator(".qnb-rule-threshold").fill(threshold)
    live.locator(".qnb-rule-add").click()
    expect(message(live, ".qnb-alerts")).to_contain_text(sentence)
    expect(message(live, ".qnb-alerts")).to_have_attribute("data-level", "error")
    expect(live.locator(".qnb-rule")).to_have_count(0)


def test_a_rule_is_previewed_before_it_is_saved_and_marked_on_the_chart(live: Page) -> None:
    use_window(live, 20)
    wait_for_tile(live, "zscore", "Number.isFinite(value)", BARS_MS)
    live.locator(".qnb-rule-kind").select_option("zscore")
    live.locator(".qnb-rule-threshold").fill("0.6")
    live.locator(".qnb-rule-try").click()
    preview = live.locator(".qnb-rule-preview")
    expect(preview).to_contain_text("|z-score| of the pair reaches 0.6: Would have fired")
    expect(preview).to_contain_text("will do worse on the next ones")
    expect(live.locator(".qnb-rule")).to_have_count(0)
    live.locator(".qnb-spread").scroll_into_view_if_needed()
    wait_for_plot(
        live, ".qnb-spread", f"plot.data.at({FIRINGS}).visible && plot.data.at({FIRINGS}).x.length > 0"
    )
    preview.locator(".qnb-remove").click()
    expect(preview).to_be_hidden()
    live.locator(".qnb-spread").scroll_into_view_if_needed()
    wait_for_plot(live, ".qnb-spread", f"!plot.data.at({FIRINGS}).visible")


def test_an_exit_that_cannot_be_is_said_in_the_preview(live: Page) -> None:
    live.locator(".qnb-rule-kind").select_option("zscore")
    live.locator(".qnb-rule-threshold").fill("1")
    live.locator(".qnb-rule-exit").fill("3")
    live.locator(".qnb-rule-try").click()
    expect(live.locator(".qnb-rule-preview")).to_contain_text("entry 1 is not above exit 3")
    live.locator(".qnb-rule-exit").fill("0.5")
    live.locator(".qnb-rule-preview .qnb-remove").click()


def test_a_break_of_the_hedge_is_a_rule_in_its_own_unit(live: Page) -> None:
    live.locator(".qnb-rule-kind").select_option("break")
    expect(live.locator(".qnb-rule-threshold")).to_have_value("1.5")
    expect(live.locator(".qnb-rule-form")).to_contain_text("Reaches, × 5 % value")
    expect(live.locator(".qnb-rule-exit")).to_be_hidden()
    live.locator(".qnb-rule-add").click()
    rule = live.locator(".qnb-rule")
    expect(rule).to_contain_text("Hedge ratio of the pair breaks", ignore_case=True)
    rule.locator(".qnb-remove").click()
    expect(rule).to_have_count(0)


def test_an_alert_tells_who_moved_it_and_the_python_that_computes_it_again(live: Page) -> None:
    use_window(live, 20)
    wait_for_tile(live, "zscore", "Number.isFinite(value)", BARS_MS)
    live.locator(".qnb-rule-kind").select_option("zscore")
    live.locator(".qnb-rule-cooldown").fill("0")
    add_rule(live, "zscore", 0.3)
    alert = live.locator(".qnb-alert", has_text="ETHUSDT/BTCUSDT").first
    alert.wait_for(timeout=FIRES_MS)
    live.locator(".qnb-rule .qnb-remove").click()  # or newer alerts push the one that is looked at aside
    expect(live.locator(".qnb-rule")).to_have_count(0)
    alert.locator(".qnb-recipe-button").click()
    dialog = live.locator(".qnb-alerts dialog")
    expect(dialog).to_contain_text("z-score of ETHUSDT/BTCUSDT is")
    expect(dialog).to_contain_text("in its last bar:")
    expect(dialog.locator("code")).to_contain_text("qn.zscore(spread, 20).iloc[-1]")
    live.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
