"""Light and dark while the page is open, and every width: what is drawn follows, with or without new data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.ui.panels import BARS_MS, CHARTS, SOON_MS, plot, use_window, wait_for_plot

# Whether the words of a chart are drawn in the colours of the theme: light on dark, or the other way round.
FOLLOWS = """([chart, isDark]) => {
  const brightness = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
    return 0.3 * r + 0.6 * g + 0.1 * b;
  };
  const panel = document.querySelector(chart);
  const words = [...panel.querySelectorAll(".xtick text, .ytick text, .qnb-title")];
  const ground = brightness(getComputedStyle(panel).backgroundColor);
  return words.length > 3 && (ground < 128) === isDark && words.every((word) => {
    const style = getComputedStyle(word);
    return (brightness(word.matches("text") ? style.fill : style.color) > 128) === isDark;
  });
}"""
FITS = """([chart, width]) => {
  const place = document.querySelector(`${chart} .qnb-figure-plot`).getBoundingClientRect();
  const drawn = document.querySelector(`${chart} .main-svg`).getBoundingClientRect();
  return innerWidth === width && Math.abs(place.width - drawn.width) <= 1 && place.right <= width;
}"""


@pytest.fixture
def stopped(live: Page) -> Iterator[Page]:
    """A page with numbers whose feed has been stopped: nothing new comes that would be drawn anyway."""
    use_window(live, 20)
    live.locator(".qnb-spread .qnb-figure-notice").wait_for(state="hidden", timeout=BARS_MS)
    status = live.locator(".qnb-status")
    if status.get_attribute("data-state") == "simulated":
        live.locator("button.qnb-start").click()
    expect(status).to_have_attribute("data-state", "stopped")
    yield live
    live.emulate_media(color_scheme="light")
    live.set_viewport_size({"width": 1400, "height": 1000})


def test_a_theme_switched_at_run_time_is_followed_by_all_charts_even_where_the_feed_has_stopped(
    stopped: Page,
) -> None:
    for is_dark in (True, False):
        stopped.emulate_media(color_scheme="dark" if is_dark else "light")
        for chart in CHARTS:
            stopped.locator(chart).scroll_into_view_if_needed()
            stopped.wait_for_function(FOLLOWS, arg=[chart, is_dark], timeout=SOON_MS)


@pytest.mark.parametrize("width", [1900, 1000, 400])
def test_charts_follow_the_width_of_the_window_even_where_the_feed_has_stopped(
    stopped: Page, width: int
) -> None:
    stopped.set_viewport_size({"width": width, "height": 1000})
    for chart in CHARTS:
        stopped.locator(chart).scroll_into_view_if_needed()
        stopped.wait_for_function(FITS, arg=[chart, width], timeout=SOON_MS)
    assert stopped.evaluate("document.documentElement.scrollWidth") <= width


def test_at_400_pixels_there_is_one_column(stopped: Page) -> None:
    stopped.set_viewport_size({"width": 400, "height": 1000})
    panels = stopped.locator(".qnb-page .qnb-panel:visible:not(.qnb-tile)").evaluate_all(
        "all => all.map((each) => each.getBoundingClientRect().toJSON())"
    )
    assert len(panels) > 8
    assert all(panel["left"] >= 0 and panel["right"] <= 400 for panel in panels)
    bottoms = [panel["bottom"] for panel in panels]
    assert all(later["top"] >= bottom for later, bottom in zip(panels[1:], bottoms, strict=False))


@pytest.mark.parametrize("width", [1400, 420, 400])
def test_the_causes_of_a_move_are_all_named_and_nothing_covers_them(stopped: Page, width: int) -> None:
    stopped.set_viewport_size({"width": width, "height": 1000})
    stopped.locator(".qnb-spread").scroll_into_view_if_needed()
    stopped.wait_for_function(FITS, arg=[".qnb-spread", width], timeout=SOON_MS)
    entries, names, plots = (
        stopped.locator(f".qnb-spread {selector}").evaluate_all(
            "all => all.map((each) => each.getBoundingClientRect().toJSON())"
        )
        for selector in (".legend .legendtext", ".annotation-text", ".qnb-figure-plot")
    )
    assert len(entries) == 5
    for entry in entries:
        assert plots[0]["left"] <= entry["left"]
        assert entry["right"] <= plots[0]["right"]
    for name in names:
        assert not any(covers(name, entry) for entry in entries)


def covers(one: dict[str, float], other: dict[str, float]) -> bool:
    return all(
        one[start] < other[end] and other[start] < one[end]
        for start, end in (("left", "right"), ("top", "bottom"))
    )


def test_a_zoom_is_kept_over_a_change_of_theme_and_of_width(stopped: Page) -> None:
    script = "plot => plot._fullLayout.xaxis.range"
    stopped.locator(".qnb-price").scroll_into_view_if_needed()
    box = stopped.locator(".qnb-price .nsewdrag").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    stopped.mouse.move(x - 60, y)
    stopped.mouse.down()
    stopped.mouse.move(x, y)
    stopped.mouse.move(x + 60, y)
    stopped.mouse.up()
    wait_for_plot(stopped, ".qnb-price", "plot._fullLayout.xaxis.autorange === false")
    zoomed = stopped.locator(".qnb-price .js-plotly-plot").evaluate(script)
    stopped.emulate_media(color_scheme="dark")
    stopped.set_viewport_size({"width": 1000, "height": 1000})
    stopped.locator(".qnb-price").scroll_into_view_if_needed()
    stopped.wait_for_function(FOLLOWS, arg=[".qnb-price", True], timeout=SOON_MS)
    stopped.wait_for_function(FITS, arg=[".qnb-price", 1000], timeout=SOON_MS)
    assert plot(stopped, ".qnb-price", "plot._fullLayout.xaxis.range") == zoomed
