"""From the exchange to the screen: how long a trade takes to be painted, at 1,000 trades a second.

The local exchange sends the trades of each 100 ms together, at the time that it writes into them, by the
clock of this machine, which is the browser's too. The whole dashboard is in sight; it shows them in its table
of trades. Those of 100 ms count as painted with the first frame whose newest trade is one of them or a later
one. There is no alternative to measure against, but a bound from below: the session looks at its feed four
times a second, so without any other cost half of the trades would take 125 ms, and 95 % up to 238 ms.
"""

from __future__ import annotations

import argparse
from itertools import pairwise

import numpy as np
from browser import chromium, dashboard, exchange, machine, window
from playwright.sync_api import Page

from quantnb.exchange.climate import SLOT_MS
from quantnb.exchange.payloads import PUSH_DELAY_MS

TRADES_PER_S, SETTLE_S = 1_000.0, 8.0
DAY_MS = 86_400_000
N_TRADES = "Number(document.querySelector('.qnb-tile[data-tile=ticks]').dataset.value)"

# At each change of the table: the time of day of its newest trade, and when the frame with it was painted.
_WATCH = """() => {
  const body = document.querySelector(".qnb-tape tbody");
  window.painted = [];
  new MutationObserver(() => {
    const time = body.querySelector("td").textContent;
    requestAnimationFrame(() => setTimeout(() => window.painted.push([time, Date.now()])));
  }).observe(body, { childList: true });
}"""


def frames(page: Page, url: str, seconds: float) -> tuple[list[tuple[str, int]], float]:
    """Return of each frame the newest trade's time of day and the time of painting (ms); and trades/s."""
    page.goto(url, wait_until="commit")
    page.locator(".qnb-tape tbody tr").first.wait_for()
    page.wait_for_timeout(1e3 * SETTLE_S)  # the past is fetched at the start, beside the stream
    n_trades = page.evaluate(N_TRADES)
    page.evaluate(_WATCH)
    page.wait_for_timeout(1e3 * seconds)
    return page.evaluate("window.painted"), (page.evaluate(N_TRADES) - n_trades) / seconds


def latencies_ms(painted: list[tuple[str, int]]) -> list[int]:
    """Return how long after they were sent the trades of each slot of 100 ms were painted."""
    newest = [(_slot_ms(time, now_ms), now_ms) for time, now_ms in painted]
    assert all(before <= after for (before, _), (after, _) in pairwise(newest)), "the table goes forward"
    return [
        now_ms - slot_ms - PUSH_DELAY_MS
        for (before_ms, _), (after_ms, now_ms) in pairwise(newest)
        for slot_ms in range(before_ms + SLOT_MS, after_ms + 1, SLOT_MS)
    ]


def _slot_ms(time: str, now_ms: int) -> int:
    """Return the beginning of the slot of a trade, given its time of day in UTC and about when it was."""
    hours, minutes, seconds = time.split(":")
    of_day_ms = 1_000 * (3_600 * int(hours) + 60 * int(minutes)) + round(1e3 * float(seconds))
    age_ms = (now_ms - of_day_ms) % DAY_MS
    return (now_ms - age_ms) // SLOT_MS * SLOT_MS


def main(seconds: float) -> None:
    with chromium() as browser, exchange(TRADES_PER_S) as feed, dashboard(feed) as url:
        with window(browser) as page:
            painted, rate = frames(page, url, seconds)
        found = latencies_ms(painted)
        assert min(found) >= 0, "nothing is painted before it is sent"
        p50, p95, p99 = np.percentile(found, (50, 95, 99))
        print(machine(browser))
        print(f"{rate:,.0f} trades/s, {len(painted)} frames in {seconds:.0f} s")
        print(
            f"sent to painted: median {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, most {max(found)} ms"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40.0)
    main(parser.parse_args().seconds)
