"""A page that is used for long holds what it held: nodes, listeners, heap and what its sockets queue."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.ui.panels import BARS_MS, tile, wait_for_draws, wait_for_tile
from tests.ui.test_charts import until

SYMBOL = "XRPUSDT"
N_WARM, N_CYCLES, N_TRADES = 10, 20, 1_500
# A chip that is left behind has a listener or more in each cycle, and a dozen nodes; a chart's
# buttons and ticks on axes come and go; V8 compiles up to 2 MB meanwhile.
MORE_NODES, MORE_LISTENERS, MORE_BYTES = 6 * N_CYCLES, N_CYCLES - 1, 4_000_000
QUEUED_BYTES = 10_000  # an answer or two may be on its way whenever one looks
QUEUES = """function () {
  const open = Array.from(this).filter((each) => each.readyState === WebSocket.OPEN);
  return open.map((each) => each.bufferedAmount);
}"""


@dataclass(frozen=True)
class Held:
    """What a tab holds after a garbage collection."""

    nodes: int
    listeners: int
    heap_bytes: int
    queued_bytes: tuple[int, ...]  # of each open WebSocket, what it has not handed to the network yet


def held(page: Page, session: CDPSession) -> Held:
    wait_for_draws(page, ".qnb-price", 2)  # nothing of the last change is under way any more
    for _ in range(2):  # finalizers let go of something, too
        session.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    names = ("Nodes", "JSEventListeners", "JSHeapUsedSize")
    nodes, listeners, heap_bytes = (int(metrics[name]) for name in names)
    return Held(nodes, listeners, heap_bytes, queued(session))


def queued(session: CDPSession) -> tuple[int, ...]:
    """Ask every WebSocket of the page, found on the heap, how much it has queued."""
    prototype = session.send("Runtime.evaluate", {"expression": "WebSocket.prototype"})["result"]
    all_ = session.send("Runtime.queryObjects", {"prototypeObjectId": prototype["objectId"]})["objects"]
    asked = {"functionDeclaration": QUEUES, "objectId": all_["objectId"], "returnByValue": True}
    found = tuple(session.send("Runtime.callFunctionOn", asked)["result"]["value"])
    for each in (prototype, all_):  # or the debugger would hold them
        session.send("Runtime.releaseObject", {"objectId": each["objectId"]})
    return found


def add_and_remove(page: Page) -> None:
    """Watch one more symbol until the chart has it, then stop watching it."""
    field = page.locator(".qnb-symbol-entry input")
    chip = page.locator(".qnb-chip").filter(has_text=SYMBOL)
    shown = page.locator(f".qnb-price .qnb-figure-plot[aria-label*={SYMBOL}]")

    def enter() -> None:
        field.fill(SYMBOL)
        field.press("Enter")

    until(page, lambda: chip.count() == 1, enter)
    shown.wait_for(state="attached")
    until(page, lambda: chip.count() == 0, chip.click)
    shown.wait_for(state="detached")


def wait_for_more(page: Page, n: int) -> None:
    """Wait until so many more trades have been taken in."""
    wait_for_tile(page, "ticks", f"value >= {tile(page, 'ticks') + n}", BARS_MS)


@pytest.fixture
def tab(live: Page) -> CDPSession:
    """A tab in which nothing is to grow: bars of a minute and no rows of trades, and all charts are drawn."""
    live.set_viewport_size({"width": 1400, "height": 2600})
    live.locator(".qnb-timeframe select").select_option("1m")
    live.locator(".qnb-tape-search").fill("none of them")
    expect(live.locator(".qnb-tape tbody tr")).to_have_count(0)
    offered = live.locator(".qnb-symbol-entry datalist option")
    expect(offered.and_(live.locator(f"[data-value={SYMBOL}], [value={SYMBOL}]"))).to_have_count(1)
    session = live.context.new_cdp_session(live)
    session.send("Performance.enable")
    return session


def check(before: Held, after: Held) -> None:
    """Allow for another tick on an axis, and for what the browser compiles as it goes."""
    assert after.nodes - before.nodes < MORE_NODES, (before, after)
    assert after.listeners - before.listeners < MORE_LISTENERS, (before, after)
    assert after.heap_bytes - before.heap_bytes < MORE_BYTES, (before, after)
    assert len(after.queued_bytes) == len(before.queued_bytes) >= 1, (before, after)
    assert sum(after.queued_bytes) < QUEUED_BYTES, (before, after)


@pytest.mark.timeout(400)
def test_changing_symbols_leaves_nothing_behind_in_the_browser(live: Page, tab: CDPSession) -> None:
    for _ in range(N_WARM):
        add_and_remove(live)
    before = held(live, tab)
    for _ in range(N_CYCLES):
        add_and_remove(live)
    check(before, held(live, tab))


def test_a_live_feed_leaves_nothing_behind_in_the_browser(live: Page, tab: CDPSession) -> None:
    wait_for_more(live, N_TRADES)  # until every chart has come to rest at its first bars
    before = held(live, tab)
    wait_for_more(live, N_TRADES)
    check(before, held(live, tab))
