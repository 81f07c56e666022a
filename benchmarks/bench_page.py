"""Opening the page: bytes, time to the four charts, and time to something to read.

Bytes until all four charts show data, with nothing cached: the dashboard against a page of four plain
FigureWidgets; by HTTP come, in both, Voilà's own scripts. Time until all four charts are drawn: the dashboard
against a page of one plain FigureWidget, both from kernels that have run their notebook already; the
dashboard's feed starts then, and its data come later. Time from the first byte of the page to text on the
screen: ``quantnb dashboard``, whose kernel starts then.
"""

from __future__ import annotations

import argparse
import base64
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from browser import (
    CHARTS_DRAWN,
    CHARTS_SHOW_DATA,
    DASHBOARD,
    chromium,
    dashboard,
    exchange,
    machine,
    plain_notebook,
    plain_shows_data,
    voila,
    window,
)
from playwright.sync_api import Browser, Page

TRADES_PER_S = 60.0
TEXT = "document.body.innerText.trim() !== ''"

# Notes when each condition holds first, in milliseconds since the page was asked for; the frame in which it
# does is painted before the timer's turn.
_WATCH = """{
  const conditions = {%s};
  const seen = (window.benchmark = {});
  const look = () => {
    for (const [name, holds] of Object.entries(conditions)) {
      if (name in seen || !document.body || !holds()) continue;
      seen[name] = null;
      setTimeout(() => (seen[name] = performance.now()));
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
_FIRST_BYTE_MS = "performance.getEntriesByType('navigation')[0].responseStart"


def open_page(page: Page, url: str, **conditions: str) -> dict[str, float]:
    """Open a page; return when each condition held, in seconds since the page was asked for."""
    functions = ", ".join(f"{name}: () => {condition}" for name, condition in conditions.items())
    page.add_init_script(_WATCH % functions)
    page.goto(url, wait_until="commit")
    page.wait_for_function(
        "names => names.every((name) => window.benchmark?.[name])", arg=list(conditions), polling=100
    )
    seen = page.evaluate("window.benchmark")
    seen["first_byte"] = page.evaluate(_FIRST_BYTE_MS)
    return {name: time_ms / 1e3 for name, time_ms in seen.items()}


class Meter:
    """Counts the bytes a page receives: of HTTP as they travel, and of WebSocket frames."""

    def __init__(self, page: Page) -> None:
        self.http = self.socket = 0
        session = page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", self._note_request)
        session.on("Network.loadingFinished", self._note_response)
        session.on("Network.webSocketFrameReceived", self._note_frame)
        session.send("Network.enable")
        self._local: set[str] = set()

    def _note_request(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("http"):
            self._local.add(event["requestId"])  # blob: and data: travel nowhere

    def _note_response(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self._local:
            self.http += int(event["encodedDataLength"])

    def _note_frame(self, event: dict[str, Any]) -> None:
        frame = event["response"]
        is_text = frame["opcode"] == 1
        self.socket += len(frame["payloadData"] if is_text else base64.b64decode(frame["payloadData"]))


def bytes_to_open(browser: Browser, url: str, shown: str) -> tuple[int, int]:
    """Return the bytes of HTTP and of WebSockets until the charts show data."""
    with window(browser) as page:
        meter = Meter(page)
        open_page(page, url, shown=shown)
        return meter.http, meter.socket


def measure_bytes(browser: Browser, feed: str, plain: Path) -> None:
    with dashboard(feed) as url:
        ours = bytes_to_open(browser, url, CHARTS_SHOW_DATA)
    with voila(plain) as url:
        theirs = bytes_to_open(browser, url, plain_shows_data(4))
    for name, (http, socket) in (("dashboard", ours), ("four plain FigureWidgets", theirs)):
        whole_mb = (http + socket) / 1e6
        print(f"{name:25} {whole_mb:6.2f} MB: {http / 1e6:5.2f} by HTTP, {socket / 1e6:5.2f} by WebSocket")
    print(f"ratio {sum(ours) / sum(theirs):.3f}, by WebSocket {ours[1] / theirs[1]:.3f}")


def preheated_s(browser: Browser, notebook: Path, feed: str, **conditions: str) -> dict[str, float]:
    with voila(notebook, feed=feed, is_preheated=True) as url, window(browser) as page:
        return open_page(page, url, **conditions)


def measure_times(browser: Browser, feed: str, plain: Path, seconds: float) -> None:
    ours, theirs, until_s = [], [], time.monotonic() + seconds
    while (
        not ours or time.monotonic() < until_s
    ):  # in turns, so that what else the machine does falls on both
        ours.append(preheated_s(browser, DASHBOARD, feed, drawn=CHARTS_DRAWN, warm=CHARTS_SHOW_DATA))
        theirs.append(preheated_s(browser, plain, feed, drawn=plain_shows_data(1)))
    drawn, warm = (median(each[name] for each in ours) for name in ("drawn", "warm"))
    plain_s = median(each["drawn"] for each in theirs)
    print(f"preheated, median of {len(ours)}")
    print(f"dashboard, four charts drawn {drawn:5.2f} s, with data {warm:5.2f} s")
    print(f"one plain FigureWidget drawn {plain_s:5.2f} s   ratio {drawn / plain_s:.2f}")


def measure_text(browser: Browser, feed: str) -> None:
    with dashboard(feed) as url, window(browser) as page:
        seen = open_page(page, url, text=TEXT, drawn=CHARTS_DRAWN)
    assert seen["text"] < seen["drawn"], "there is something to read before there are charts"
    print(
        f"kernel not started: text {seen['text'] - seen['first_byte']:.2f} s after the page's first byte, "
        f"charts drawn {seen['drawn'] - seen['first_byte']:.2f} s after it"
    )


def main(seconds: float) -> None:
    with chromium() as browser, exchange(TRADES_PER_S) as feed, tempfile.TemporaryDirectory() as folder:
        one, four = (plain_notebook(Path(folder), n) for n in (1, 4))
        print(machine(browser))
        measure_bytes(browser, feed, four)
        measure_text(browser, feed)
        measure_times(browser, feed, one, seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    main(parser.parse_args().seconds)
