"""The charts in a person's hands: zoom, follow, lines or candles, thresholds typed or dragged, hover."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.ui.panels import (
    BARS_MS,
    CHARTS,
    choose,
    newest_sequence,
    plot,
    use_window,
    wait_for_draws,
    wait_for_plot,
    wait_for_trades,
)

END = "plot._fullLayout.xaxis.r2l(plot._fullLayout.xaxis.range[1])"
THRESHOLDS = "plot._fullLayout.shapes.map((line) => [line.y0, line.y1])"
MANY_TRIES = 10
MANY_LOOKS = 20


def shown(kind: str) -> str:
    return f"plot._fullData.some((trace) => trace.visible === true && ({kind}))"


def middle(page: Page, selector: str) -> tuple[float, float]:
    """Return the middle of an element on the screen, once the page has scrolled to it.

    In one step: what plotly draws is made anew at the next frame, and an element held on to is then gone.
    """
    script = """selector => {
      const element = document.querySelector(selector);
      element?.scrollIntoView({ block: "nearest" });
      const box = element?.getBoundingClientRect();
      return box && [box.x + box.width / 2, box.y + box.height / 2];
    }"""
    x, y = page.wait_for_function(script, arg=selector).json_value()
    return x, y


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*((a + b) / 2 for a, b in zip(start, end, strict=True)))
    page.mouse.move(*end)
    page.mouse.up()


def until(page: Page, condition: Callable[[], object], act: Callable[[], object]) -> None:
    """Do what depends on a person's quick hand again until it has worked: a busy page may miss it."""
    for _ in range(MANY_TRIES):
        act()
        for _ in range(MANY_LOOKS):
            if condition():
                return
            page.wait_for_timeout(100)  # lets the browser hear of it; Playwright's own loop turns meanwhile
    pytest.fail("it did not work, however often it was tried")


@pytest.fixture
def warm(live: Page) -> Iterator[Page]:
    """A page whose spread and hedge ratio are known over 20 bars of a second."""
    live.locator(".qnb-timeframe select").select_option("1s")
    use_window(live, 20)
    live.locator(".qnb-spread .qnb-figure-notice").wait_for(state="hidden", timeout=BARS_MS)
    return live


def test_a_zoom_is_kept_while_data_come_and_a_double_click_follows_again(live: Page) -> None:
    wait_for_draws(live, ".qnb-price", 3)
    x, y = middle(live, ".qnb-price .nsewdrag")
    drag(live, (x - 60, y), (x + 60, y))
    wait_for_plot(live, ".qnb-price", "plot._fullLayout.xaxis.autorange === false")
    zoomed = plot(live, ".qnb-price", "plot._fullLayout.xaxis.range")
    wait_for_draws(live, ".qnb-price", 3)
    assert plot(live, ".qnb-price", "plot._fullLayout.xaxis.range") == zoomed
    until(
        live,
        lambda: plot(live, ".qnb-price", "plot._fullLayout.xaxis.autorange") is True,
        lambda: live.mouse.dblclick(x, y),
    )
    end = plot(live, ".qnb-price", END)
    wait_for_plot(live, ".qnb-price", f"{END} > arg", end)


def test_prices_are_lines_or_candles(live: Page) -> None:
    choose(live, ".qnb-price", "Candles")
    live.locator(".qnb-price").scroll_into_view_if_needed()
    wait_for_plot(live, ".qnb-price", shown("trace.type === 'candlestick'"))
    live.locator(".qnb-price .boxlayer path").first.wait_for(state="attached")
    choose(live, ".qnb-price", "Line")
    live.locator(".qnb-price").scroll_into_view_if_needed()
    wait_for_plot(live, ".qnb-price", "!" + shown("trace.type === 'candlestick'"))
    wait_for_plot(live, ".qnb-price", shown("trace.name === 'BTCUSDT'"))


def test_prices_are_raw_or_rebased_to_100(live: Page) -> None:
    # The hidden candles bear the same name and have no y.
    y = "plot._fullData.find((trace) => trace.visible === true && trace.name === 'BTCUSDT')?.y"
    choose(live, ".qnb-price", "Price")
    wait_for_plot(live, ".qnb-price", f"{y}?.[0] > 1000")
    choose(live, ".qnb-price", "Rebased")
    wait_for_plot(live, ".qnb-price", f"{y}?.includes(100) && {y}[0] < 110")


def test_the_volume_can_be_hidden(live: Page) -> None:
    volume = shown("trace.name.startsWith('Volume')")
    wait_for_plot(live, ".qnb-price", volume)
    choose(live, ".qnb-price", "Volume")
    wait_for_plot(live, ".qnb-price", "!" + volume)
    choose(live, ".qnb-price", "Volume")
    wait_for_plot(live, ".qnb-price", volume)


@pytest.mark.timeout(BARS_MS / 1000 + 120)
def test_a_threshold_typed_moves_both_lines(warm: Page) -> None:
    warm.locator(".qnb-spread").scroll_into_view_if_needed()
    field = warm.locator(".qnb-spread .qnb-threshold input")
    field.fill("1.5")
    field.press("Enter")
    wait_for_plot(warm, ".qnb-spread", f"JSON.stringify({THRESHOLDS}) === '[[1.5,1.5],[-1.5,-1.5]]'")


def test_a_line_that_is_dragged_takes_the_other_with_it(warm: Page) -> None:
    field = warm.locator(".qnb-spread .qnb-threshold input")
    field.fill("2")
    field.press("Enter")
    wait_for_plot(warm, ".qnb-spread", f"{THRESHOLDS}.flat()[0] === 2")

    def drag_upper() -> None:
        x, y = middle(warm, ".qnb-spread .shapelayer path")
        drag(warm, (x, y), (x, y + 25))

    until(warm, lambda: float(field.input_value()) < 1.99, drag_upper)
    threshold = float(field.input_value())
    assert threshold > 0
    wait_for_plot(
        warm,
        ".qnb-spread",
        f"JSON.stringify({THRESHOLDS}) === JSON.stringify([[arg, arg], [-arg, -arg]])",
        threshold,
    )


def test_spread_z_score_and_thresholds_can_be_hidden(warm: Page) -> None:
    spread, zscore = (shown(f"trace.name === '{name}'") for name in ("Spread", "z"))
    for text, hidden in (
        ("±", f"{THRESHOLDS}.length === 0"),
        ("Spread", f"!{spread}"),
        ("Who moved?", "true"),
        ("Z-score", f"!{zscore}"),
    ):
        choose(warm, ".qnb-spread", text)
        wait_for_plot(warm, ".qnb-spread", hidden)
    expect(warm.locator(".qnb-spread .qnb-figure-notice")).to_have_text("All panes are hidden.")
    for text in ("Spread", "Z-score", "Who moved?", "±"):
        choose(warm, ".qnb-spread", text)
    wait_for_plot(warm, ".qnb-spread", f"{spread} && {zscore} && {THRESHOLDS}.length === 2")


def test_the_correlation_says_its_n_and_the_band_when_pointed_at(warm: Page) -> None:
    wait_for_plot(warm, ".qnb-corr", shown("trace.type === 'heatmap'"))
    hover = warm.locator(".qnb-corr .hovertext")
    x, y = middle(warm, ".qnb-corr .nsewdrag")

    def point() -> None:
        warm.mouse.move(x + 1, y + 1)
        warm.mouse.move(x + 4, y + 4)

    words: list[str] = []

    def read() -> bool:
        words[:] = hover.all_text_contents()
        return any("n = 20" in text and "95 % band ±0.44" in text for text in words)

    until(warm, read, point)
    assert any("ETHUSDT and ETHUSDT" in text for text in words), words


def test_the_correlation_waits_for_its_button_when_it_does_not_follow(warm: Page) -> None:
    values = "JSON.stringify(Array.from(plot._fullData[0].z, (row) => Array.from(row)))"
    warm.locator(".qnb-corr").scroll_into_view_if_needed()
    wait_for_plot(warm, ".qnb-corr", shown("trace.type === 'heatmap'"))
    choose(warm, ".qnb-corr", "Auto")
    expect(warm.locator(".qnb-corr .qnb-panel-head button.mod-active")).to_have_count(0)
    wait_for_draws(warm, ".qnb-hedge", 8)  # what the kernel sent before it heard of the click has come
    held = plot(warm, ".qnb-corr", values)
    wait_for_draws(warm, ".qnb-hedge", 8)  # other charts go on, over more than a bar
    warm.locator(".qnb-corr").scroll_into_view_if_needed()
    assert plot(warm, ".qnb-corr", values) == held
    choose(warm, ".qnb-corr", "Refresh")
    wait_for_plot(warm, ".qnb-corr", f"{values} !== arg", held)
    choose(warm, ".qnb-corr", "Auto")


def test_the_hedge_ratio_says_its_evidence(warm: Page) -> None:
    warm.locator(".qnb-hedge").scroll_into_view_if_needed()
    caption = warm.locator(".qnb-hedge .qnb-figure-caption")
    for part in ("ETHUSDT = ", " × BTCUSDT", "stderr", "R² = ", "n = 20"):
        expect(caption).to_contain_text(part)
    wait_for_plot(warm, ".qnb-hedge", "plot._fullData[0].x.length === 20 && plot._fullData[1].x.length === 2")


def counts(page: Page, chart: str) -> tuple[int, int]:
    """Return how many frames a chart was sent, and how many drawings it has made."""
    figure = page.locator(f"{chart} .qnb-figure")
    frames, draws = (int(figure.get_attribute(f"data-{name}") or 0) for name in ("frames", "draws"))
    return frames, draws


def wait_while_trades_go_on(page: Page) -> None:
    for _ in range(3):
        wait_for_trades(page, 30)


def test_a_chart_that_is_out_of_sight_is_sent_nothing_and_one_snapshot_when_it_is_back(live: Page) -> None:
    wait_for_draws(live, ".qnb-price", 2)
    live.locator(".qnb-tape").scroll_into_view_if_needed()
    live.locator(".qnb-tape").evaluate("tape => tape.scrollIntoView({ block: 'end' })")
    wait_while_trades_go_on(live)
    frames, draws = counts(live, ".qnb-price")
    wait_while_trades_go_on(live)
    assert counts(live, ".qnb-price") == (frames, draws)
    end = plot(live, ".qnb-price", END)
    wait_for_draws(live, ".qnb-price", 1)
    wait_for_plot(live, ".qnb-price", f"{END} > arg", end)


def test_a_hidden_tab_draws_nothing_and_is_sent_nothing(live: Page) -> None:
    hide = """isHidden => {
      Object.defineProperty(document, "hidden", { get: () => isHidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    wait_for_draws(live, ".qnb-price", 2)
    live.evaluate(hide, True)
    # Without news the browser counts on by itself how old the newest trade is.
    expect(live.locator(".qnb-age")).to_contain_text(re.compile(r"\b[3-9]\.\d s"))
    held = {chart: counts(live, chart) for chart in CHARTS}
    newest = newest_sequence(live)
    expect(live.locator(".qnb-age")).to_contain_text(re.compile(r"\b[6-9]\.\d s"))
    assert {chart: counts(live, chart) for chart in CHARTS} == held
    assert newest_sequence(live) == newest
    assert live.locator(".qnb-price .qnb-figure").get_attribute("data-connected") == "true"
    live.evaluate(hide, False)
    wait_for_draws(live, ".qnb-price", 2)
    wait_for_trades(live, 20, since=newest)


def test_a_browser_that_cannot_keep_up_says_so_until_it_can(live: Page) -> None:
    rate = live.locator(".qnb-price .qnb-figure-rate")
    wait_for_draws(live, ".qnb-price", 1)
    live.evaluate("""() => {
      const painter = window.__quantnbPainter;
      const add = painter.add;
      let paintedAt = 0;
      painter.add = (view) => {
        if (performance.now() - paintedAt < 1_500) return;
        paintedAt = performance.now();
        add.call(painter, view);
      };
      window.hurry = () => delete painter.add;
    }""")
    expect(rate).to_have_text(re.compile(r"drawing 0\.\d Hz of \d"))
    live.evaluate("hurry()")
    expect(rate).to_be_hidden()
