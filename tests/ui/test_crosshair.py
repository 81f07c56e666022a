"""One line through price and spread: the time under the pointer in one of them, shown in the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.panels import BARS_MS, use_window, wait_for_draws
from tests.ui.test_charts import until

CHARTS = [(".qnb-price", ".qnb-spread"), (".qnb-spread", ".qnb-price")]
REMEMBER = """plot => plot.on("plotly_hover", ({ points }) => (window.pointedAt = points[0].x))"""
# How far the line stands from the time that plotly says is under the pointer, in pixels.
DISTANCE = """line => {
  const plot = line.parentElement.querySelector(".js-plotly-plot");
  const { xaxis } = plot._fullLayout;
  const place = plot.getBoundingClientRect().left + xaxis._offset + xaxis.d2p(window.pointedAt);
  return Math.abs(line.getBoundingClientRect().left - place);
}"""


@pytest.fixture
def tall(live: Page) -> Iterator[Page]:
    """A page on which both charts are in sight and have their numbers."""
    live.set_viewport_size({"width": 1400, "height": 1800})
    use_window(live, 20)
    live.locator(".qnb-spread .qnb-figure-notice").wait_for(state="hidden", timeout=BARS_MS)
    wait_for_draws(live, ".qnb-spread", 1)
    yield live
    live.mouse.move(1, 1)


def point_at(page: Page, chart: str, step: int = 0) -> None:
    """Move the pointer to the newer part of a chart."""
    box = page.locator(f"{chart} .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.8 * box["width"] + step, box["y"] + box["height"] / 2)


def line_of(page: Page, chart: str) -> Locator:
    return page.locator(f"{chart} .qnb-crosshair")


@pytest.mark.parametrize(("pointed", "other"), CHARTS)
def test_the_time_under_the_pointer_is_shown_in_the_other_chart(tall: Page, pointed: str, other: str) -> None:
    tall.locator(f"{pointed} .js-plotly-plot").evaluate(REMEMBER)
    steps = iter(range(1000))
    until(tall, line_of(tall, other).is_visible, lambda: point_at(tall, pointed, next(steps)))
    expect(line_of(tall, pointed)).to_be_hidden()
    until(
        tall,
        lambda: line_of(tall, other).is_visible() and line_of(tall, other).evaluate(DISTANCE) < 1,
        lambda: point_at(tall, pointed, -next(steps)),
    )
    tall.mouse.move(1, 1)
    expect(line_of(tall, other)).to_be_hidden()


def test_charts_on_other_axes_have_no_such_line(tall: Page) -> None:
    expect(tall.locator(".qnb-crosshair")).to_have_count(2)
