"""The whole dashboard for everyone: axe-core finds no violation, and the keyboard reaches all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.ui.panels import BARS_MS, use_window, wait_for_draws, wait_for_tile
from tests.ui.test_charts import until

DIALOG = ".qnb-tiles dialog"
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


@pytest.fixture
def full(live: Page) -> Iterator[Page]:
    """The dashboard with its details open, an alert, a preview, a study and a scan."""
    use_window(live, 20)
    wait_for_tile(live, "zscore", "Number.isFinite(value)", BARS_MS)
    if live.locator(".qnb-details").is_hidden():
        live.locator(".qnb-more").click()
        live.locator(".qnb-rule-threshold").fill("0.1")
        live.locator(".qnb-rule-add").click()
        live.locator(".qnb-rule-try").click()
        live.locator(".qnb-lab-run").click()
        live.locator(".qnb-screener-run").click()
    live.locator(".qnb-alert").first.wait_for(timeout=BARS_MS)
    live.locator(".qnb-streams tbody tr").first.wait_for()
    live.locator(".qnb-lab-findings li").first.wait_for(timeout=BARS_MS)
    live.locator(".qnb-screener tbody tr").first.wait_for(timeout=BARS_MS)
    yield live
    live.emulate_media(color_scheme="light", reduced_motion="no-preference")
    live.set_viewport_size({"width": 1400, "height": 1000})


def violations(page: Page, place: str = "html") -> str:
    """Return what axe-core finds wrong, a line for each element."""
    found = Axe().run(page, place, RULES).response["violations"]
    return "\n".join(
        f"{rule['impact']} {rule['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for rule in found
        for node in rule["nodes"]
    )


@pytest.mark.timeout(2 * BARS_MS / 1000)
@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1400), ("dark", 1400), ("light", 420), ("dark", 420)]
)
def test_axe_finds_no_violation(full: Page, scheme: str, width: int) -> None:
    full.set_viewport_size({"width": width, "height": 1000})
    full.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    expect(full.locator("body")).to_have_attribute("data-jp-theme-light", str(scheme == "light").lower())
    wait_for_draws(full, ".qnb-price", 1)
    assert violations(full) == ""


@pytest.mark.timeout(2 * BARS_MS / 1000)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_in_the_dialog_of_a_number(full: Page, scheme: str) -> None:
    full.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    full.locator(".qnb-tile[data-tile=zscore] .qnb-recipe-button").click()
    expect(full.locator(f"{DIALOG} code")).to_have_text(re.compile(r"# -?[\d.e-]+\s*$"))
    assert violations(full) == ""
    full.keyboard.press("Escape")
    expect(full.locator(DIALOG)).to_be_hidden()


# What a person can act on now: shown, enabled and not taken out of the order.
NUMBER_EACH = """() => [...document.querySelectorAll(".qnb-page *")]
  .filter((each) => each.matches("a, button, input, select, [tabindex='0']"))
  .filter((each) => each.checkVisibility() && !each.disabled && each.tabIndex >= 0)
  .map((each, n) => (each.dataset.reached = n)).length"""
FOCUSED = """() => {
  const style = getComputedStyle(document.activeElement);
  const bar = document.activeElement.closest(".modebar");
  return {
    name: document.activeElement.outerHTML.slice(0, 200),
    number: document.activeElement.dataset.reached,
    isMarked: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2,
    isShown: !bar || getComputedStyle(bar).opacity === "1",
  };
}"""


@pytest.mark.timeout(2 * BARS_MS / 1000)
def test_tab_reaches_every_control_in_the_order_of_the_page_and_each_shows_that_it_has_the_focus(
    full: Page,
) -> None:
    full.emulate_media(reduced_motion="reduce")  # plotly's buttons fade in otherwise
    full.locator(".qnb-status").click(position={"x": 60, "y": 20})
    full.evaluate("document.activeElement.blur()")
    n = full.evaluate(NUMBER_EACH)
    seen = []
    for _ in range(n):
        full.keyboard.press("Tab")
        focused = full.evaluate(FOCUSED)
        assert focused["isMarked"], focused["name"]
        assert focused["isShown"], focused["name"]
        seen.append(focused["number"])
    assert seen == [str(k) for k in range(n)]


def test_the_order_of_tab_is_that_of_the_eye_when_another_chart_stands_first(live: Page) -> None:
    if not live.evaluate("CSS.supports('reading-flow', 'grid-order')"):
        pytest.skip("this browser goes by the order in the document alone")
    live.locator(".qnb-analytics select").select_option(index=2)
    live.locator(".qnb-corr.qnb-prime").wait_for()

    def step_on() -> None:
        live.locator(".qnb-tile .qnb-recipe-button").last.focus()
        live.keyboard.press("Tab")

    # The browser puts the order right when it next lays the page out.
    is_there = "document.activeElement.closest('.qnb-chart')?.matches('.qnb-corr') ?? false"
    until(live, lambda: live.evaluate(is_there), step_on)
    live.locator(".qnb-analytics select").select_option(index=0)


def test_nothing_moves_where_less_motion_is_asked_for(full: Page) -> None:
    full.emulate_media(reduced_motion="reduce")
    moving = full.evaluate(
        """() => [...document.querySelectorAll(".qnb-page, .qnb-page *")].filter((each) => {
          const style = getComputedStyle(each);
          const isTimed = style.transitionDuration.split(", ").some((time) => parseFloat(time) > 0);
          return (isTimed && style.transitionProperty !== "none") || style.animationName !== "none";
        }).map((each) => each.className)"""
    )
    assert moving == []


def test_each_panel_has_a_heading(live: Page) -> None:
    headings = live.get_by_role("heading", level=3)
    for name in (
        *("Settings", "Price & volume", "Spread & z-score", "Correlation of returns", "Hedge ratio"),
        *("Correlation by horizon", "Alerts", "Pair laboratory", "Screener", "Trades"),
    ):
        expect(headings.filter(has_text=name).first).to_be_attached()


def test_toggle_buttons_say_whether_they_are_pressed(live: Page) -> None:
    volume = live.locator(".qnb-price").get_by_role("button", name="Volume", exact=True)
    expect(volume).to_have_attribute("aria-pressed", "true")
    volume.click()
    expect(volume).to_have_attribute("aria-pressed", "false")
    volume.click()
    expect(volume).to_have_attribute("aria-pressed", "true")
    use_window(live, 50)
    expect(live.get_by_role("button", name="50", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(live.get_by_role("button", name="20", exact=True)).to_have_attribute("aria-pressed", "false")
