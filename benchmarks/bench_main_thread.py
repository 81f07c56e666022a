"""How busy the browser's main thread is: the whole dashboard against four plain FigureWidgets.

The dashboard has run for half an hour of bars of a second, follows 500 trades a second of the local exchange,
and is updated 4 times a second, as it is by itself, or 10; the FigureWidgets 4 times a second, by a task in
their kernel. All charts are in sight. Busy is Chromium's ``TaskDuration``: the share of the time in which the
page's main thread has a task, even one that waits for a processor; so what else the machine does counts too.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from browser import (
    CHARTS_SHOW_DATA,
    chromium,
    exchange,
    machine,
    plain_notebook,
    plain_shows_data,
    voila,
    warm_dashboard,
    window,
)
from playwright.sync_api import Browser, CDPSession, Page

TRADES_PER_S, SETTLE_S, SPAN_S = 500.0, 8.0, 3.0
SPAN_MS = 1_990_000  # of some 2,000 bars of a second, however few points they are drawn with
IS_FULL = f"""document.querySelector(".qnb-price .js-plotly-plot").data.some(
  ({{ x }}) => x?.length && x.at(-1) - x[0] >= {SPAN_MS})"""
N_TRADES = "Number(document.querySelector('.qnb-tile[data-tile=ticks]').dataset.value)"
NEWEST_MS = "Array.from(document.querySelectorAll('.js-plotly-plot'), (plot) => plot.data[0].x.at(-1))"


def shares(page: Page, seconds: float) -> list[float]:
    """Return the share of each of the next spans in which the page's main thread is busy."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.wait_for_timeout(1e3 * SETTLE_S)
    found, until_s = [], time.monotonic() + seconds
    while not found or time.monotonic() < until_s:
        task_s, start_s = _task_s(session), time.monotonic()
        page.wait_for_timeout(1e3 * SPAN_S)
        found.append((_task_s(session) - task_s) / (time.monotonic() - start_s))
    return found


def _task_s(session: CDPSession) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def of_dashboard(browser: Browser, notebook: Path, feed: str, seconds: float) -> list[float]:
    with voila(notebook, feed=feed) as url, window(browser) as page:
        page.goto(url, wait_until="commit")
        page.wait_for_function(f"() => {CHARTS_SHOW_DATA} && {IS_FULL}")
        n_trades, start_s = page.evaluate(N_TRADES), time.monotonic()
        found = shares(page, seconds)
        rate = (page.evaluate(N_TRADES) - n_trades) / (time.monotonic() - start_s)
        assert rate > TRADES_PER_S / 4, f"the dashboard follows the feed; it took in {rate:.0f} trades/s"
        return found


def of_plain(browser: Browser, notebook: Path, seconds: float) -> list[float]:
    with voila(notebook) as url, window(browser) as page:
        page.goto(url, wait_until="commit")
        page.wait_for_function(f"() => {plain_shows_data(4)}")
        page.get_by_text("Start").click()
        before = page.evaluate(NEWEST_MS)
        found = shares(page, seconds)
        moved = [now > then for then, now in zip(before, page.evaluate(NEWEST_MS), strict=True)]
        assert moved == [True] * 4, "all four figures are updated"
        return found


def main(seconds: float) -> None:
    with chromium() as browser, exchange(TRADES_PER_S) as feed, tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        print(machine(browser))
        plain = plain_notebook(here, 4)
        found = {
            "four plain FigureWidgets, 4 Hz": of_plain(browser, plain, seconds),
            **{
                f"dashboard, {hz} Hz": of_dashboard(browser, warm_dashboard(here, hz), feed, seconds)
                for hz in (4, 10)
            },
        }
    alternative = median(next(iter(found.values())))
    for name, each in found.items():
        middle = median(each)
        print(
            f"{name:31} busy {100 * middle:5.1f} % ({100 * min(each):.1f} to {100 * max(each):.1f} "
            f"in spans of {SPAN_S:.0f} s)   ratio {middle / alternative:.2f}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=24.0)
    main(parser.parse_args().seconds)
