"""What a person reads off the dashboard and waits for."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

CHARTS = (".qnb-price", ".qnb-spread", ".qnb-corr", ".qnb-hedge", ".qnb-horizon")
TILES = ("ticks", "spread", "zscore", "correlation", "volume", "alerts")
SOON_MS = 20_000
BARS_MS = 150_000  # until several dozen bars of a second have closed, on a machine that has other work

_TILE = "name => document.querySelector(`.qnb-tile[data-tile=${name}]`).dataset.value"
_ROWS = "Array.from(document.querySelectorAll('.qnb-tape tbody tr'))"
_NEWEST = f"Math.max(0, ...{_ROWS}.map((row) => row.dataset.sequence))"


def tile(page: Page, name: str) -> float:
    """Wait until a tile has a number and return it."""
    handle = page.wait_for_function(f"name => ({_TILE})(name) || null", arg=name, timeout=SOON_MS)
    return float(handle.json_value())


def wait_for_tile(page: Page, name: str, condition: str, timeout_ms: float = SOON_MS) -> float:
    """Wait until ``condition``, JavaScript about ``value``, holds of a tile's number; return the number."""
    script = f"""name => {{
      const text = ({_TILE})(name);
      const value = Number(text);
      return text !== "" && ({condition}) ? text : null;
    }}"""
    return float(page.wait_for_function(script, arg=name, timeout=timeout_ms).json_value())


def newest_sequence(page: Page) -> int:
    """Return the number of the trade that came last."""
    return int(page.evaluate(_NEWEST))


def wait_for_trades(page: Page, n: int, since: int | None = None) -> int:
    """Wait until the tape has moved on by ``n`` trades; return the newest's number."""
    start = newest_sequence(page) if since is None else since
    wanted = f"wanted => {{ const newest = {_NEWEST}; return newest >= wanted ? newest : null; }}"
    return int(page.wait_for_function(wanted, arg=start + n, timeout=SOON_MS).json_value())


def wait_for_draws(page: Page, chart: str, n: int = 2) -> None:
    """Wait until a chart that is in sight has been drawn ``n`` times more."""
    page.locator(chart).scroll_into_view_if_needed()
    figure = page.locator(f"{chart} .qnb-figure")
    draws = int(figure.get_attribute("data-draws") or 0)
    page.wait_for_function(
        "([chart, wanted]) => Number(document.querySelector(`${chart} .qnb-figure`).dataset.draws) >= wanted",
        arg=[chart, draws + n],
        timeout=SOON_MS,
    )


def plot(page: Page, chart: str, expression: str) -> object:
    """Return what a JavaScript expression about ``plot``, plotly's element, gives."""
    return page.locator(f"{chart} .js-plotly-plot").evaluate(f"plot => {expression}")


def wait_for_plot(page: Page, chart: str, condition: str, arg: object = None) -> None:
    """Wait until a JavaScript condition on ``plot`` and ``arg`` holds."""
    script = f"""([chart, arg]) => {{
      const plot = document.querySelector(`${{chart}} .js-plotly-plot`);
      return plot && ({condition});
    }}"""
    page.wait_for_function(script, arg=[chart, arg], timeout=SOON_MS)


def use_window(page: Page, window: int) -> None:
    """Choose a window by typing it."""
    entry = page.locator(".qnb-window-entry input")
    entry.fill(str(window))
    entry.press("Enter")


def message(page: Page, place: str) -> Locator:
    """Return the line in which a part of the control panel speaks."""
    return page.locator(f"{place} .qnb-message")


def choose(page: Page, chart: str, text: str) -> None:
    """Press a button of a chart's header."""
    page.locator(f"{chart} .qnb-panel-head button").get_by_text(text, exact=True).click()
