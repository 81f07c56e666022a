"""The screener: a scan with its progress, the table sorted and filtered, and a pair taken from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import BIN, EXCHANGE_ADDRESS, Guard, Process, guarded_window, open_running, serving
from tests.ui.panels import message, wait_for_trades

PANEL = ".qnb-screener"
ROWS = f"{PANEL} tbody tr"
N_ALL = 21  # perpetuals that the local exchange trades
SLOW_S = 0.4  # for each symbol's bars
TURN_OF_MINUTE_MS = 90_000


def scan(page: Page, universe: str, bars: str = "200") -> None:
    """Choose a universe and scan it; return when the table is there."""
    page.locator(".qnb-screener-universe").select_option(universe)
    page.locator(".qnb-screener-bars").fill(bars)
    page.locator(".qnb-screener-run").click()


def wait_for_table(page: Page, n_tests: int) -> None:
    """Wait for a scan; where other tests have used up the minute's request weight, it waits for the next."""
    words = page.locator(".qnb-screener-words")
    expect(words).to_contain_text(f"{n_tests} tests at 5 %:", timeout=TURN_OF_MINUTE_MS)
    expect(page.locator(".qnb-screener-run")).to_have_text("Scan")


def column(page: Page, key: str) -> list[float]:
    """Return a column's numbers as they stand in the table, from top to bottom."""
    script = """([panel, key]) => {
      const head = document.querySelector(`${panel} th[data-key=${key}]`);
      const plain = (text) => text.replace("−", "-").replace("∞", "Infinity").replace(/[,<+ ]/g, "");
      const rows = [...document.querySelectorAll(`${panel} tbody tr`)];
      return rows.map((row) => parseFloat(plain(row.cells[head.cellIndex].textContent)));
    }"""
    return list(page.evaluate(script, [PANEL, key]))


def sort_by(page: Page, key: str, direction: str) -> None:
    head = page.locator(f"{PANEL} th[data-key={key}]")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", direction)
    expect(page.locator(f"{PANEL} th[aria-sort$=ending]")).to_have_count(1)


@pytest.fixture
def scanned(live: Page) -> Page:
    """A tab in which all perpetuals have been scanned."""
    if f"{N_ALL * (N_ALL - 1)} tests" not in live.locator(".qnb-screener-words").inner_text():
        scan(live, "all")
        wait_for_table(live, N_ALL * (N_ALL - 1))
    return live


def test_before_a_scan_it_says_what_it_does_and_offers_both_universes(live: Page) -> None:
    expect(live.locator(".qnb-screener-words")).to_have_text(re.compile("No scan yet"))
    options = live.locator(".qnb-screener-universe option")
    expect(options.first).to_have_text(f"All trading perpetuals ({N_ALL})")
    expect(options.last).to_have_text("Watched symbols (3)")
    expect(live.locator(".qnb-screener-scroll")).to_be_hidden()


def test_bars_that_cannot_be_are_refused_in_a_sentence(live: Page) -> None:
    scan(live, "watched", bars="20")
    expect(message(live, PANEL)).to_have_text("Bars are a whole number from 100 to 1,000.")
    expect(message(live, PANEL)).to_have_attribute("data-level", "error")
    scan(live, "watched", bars="")
    expect(message(live, PANEL)).to_have_text("Bars are a whole number from 100 to 1,000.")


def test_the_watched_symbols_are_scanned(live: Page) -> None:
    scan(live, "watched")
    wait_for_table(live, 6)
    expect(live.locator(ROWS)).to_have_count(6)
    expect(live.locator(f"{ROWS}[data-current=true]")).to_have_attribute("data-pair", "ETHUSDT/BTCUSDT")
    expect(live.locator(f"{ROWS}[data-current=true] button")).to_have_text("✓ In use")


def test_all_perpetuals_are_scanned_and_what_to_make_of_it_is_said(scanned: Page) -> None:
    expect(scanned.locator(ROWS)).to_have_count(300)
    words = scanned.locator(f"{PANEL} .qnb-screener-summary")
    expect(words).to_contain_text("21 expected by chance")
    expect(words).to_contain_text("judge a pair by other bars than these")
    expect(words).to_contain_text("The best 300 of 420 tests; 200 bars of 1m")
    expect(words).to_contain_text("SIMULATED")
    expect(scanned.locator(f"{PANEL} th[data-key=zscore] button")).to_have_attribute(
        "title", re.compile("Fitted, and so no trading signal")
    )
    expect(scanned.locator(ROWS).filter(has_text="币安人生USDT").first).to_be_attached()
    expect(scanned.locator(".qnb-screener-left-out")).to_be_hidden()


def test_every_column_sorts_both_ways(scanned: Page) -> None:
    for key, first in [("half_life", "ascending"), ("hedge_ratio", "descending"), ("zscore", "descending")]:
        sort_by(scanned, key, first)
        numbers = column(scanned, key)
        assert numbers == sorted(numbers, reverse=first == "descending")
        sort_by(scanned, key, "descending" if first == "ascending" else "ascending")
        assert column(scanned, key) == sorted(numbers, reverse=first == "ascending")
    sort_by(scanned, "y", "ascending")
    symbols = scanned.locator(f"{ROWS} td:nth-child(2)").all_inner_texts()
    assert symbols == sorted(symbols)
    sort_by(scanned, "statistic", "ascending")
    statistics = column(scanned, "statistic")
    assert len(statistics) == 300
    assert statistics == sorted(statistics)


def test_the_header_stays_in_sight_when_the_rows_scroll(scanned: Page) -> None:
    place = scanned.locator(".qnb-screener-scroll")
    place.scroll_into_view_if_needed()
    place.evaluate("place => { place.scrollTop = place.scrollHeight; }")
    offset = """place => {
      const [head, frame] = [place.querySelector("th"), place].map((each) => each.getBoundingClientRect());
      return head.top - frame.top;
    }"""
    assert 0 <= place.evaluate(offset) <= 2
    assert place.bounding_box()["height"] <= 402  # type: ignore[index]
    place.evaluate("place => { place.scrollTop = 0; }")


def test_a_filter_leaves_the_pairs_of_a_symbol(scanned: Page) -> None:
    search = scanned.locator(".qnb-screener-filter")
    search.fill("doge")
    expect(scanned.locator(ROWS).filter(has_not_text="DOGEUSDT")).to_have_count(0)
    assert scanned.locator(ROWS).count() > 1
    search.fill("no such")
    expect(scanned.locator(PANEL)).to_contain_text("No pair with “no such”.")
    search.fill("")
    expect(scanned.locator(ROWS)).to_have_count(300)


def test_a_click_makes_the_pair_the_sessions(scanned: Page) -> None:
    row = scanned.locator(f"{ROWS}:not([data-current=true])").filter(has_text="XRPUSDT").first
    pair = row.get_attribute("data-pair") or ""
    y, x = pair.split("/")
    row.locator("button").click()
    expect(message(scanned, PANEL)).to_have_text(
        f"{pair} is the session's pair now. The charts show bars of 1s, the scan was of 1m."
    )
    current = scanned.locator(f"{ROWS}[data-current=true]")
    expect(current).to_have_count(1)
    expect(current).to_have_attribute("data-pair", pair)
    expect(current.locator("button")).to_have_attribute("aria-pressed", "true")
    expect(scanned.locator(".qnb-pair-y select")).to_have_value(y)
    expect(scanned.locator(".qnb-pair-x select")).to_have_value(x)
    expect(scanned.locator(".qnb-chip").filter(has_text="XRPUSDT")).to_have_count(1)


def test_the_keyboard_is_enough(scanned: Page) -> None:
    scanned.locator(".qnb-screener-filter").fill("BTCUSDT")
    row = scanned.locator(f"{ROWS}[data-pair='ETHUSDT/BTCUSDT']")
    row.locator("button").focus()
    scanned.keyboard.press("Enter")
    expect(row).to_have_attribute("data-current", "true")
    expect(row.locator("button")).to_be_focused()
    scanned.locator(f"{PANEL} th[data-key=qvalue] button").focus()
    scanned.keyboard.press("Space")
    expect(scanned.locator(f"{PANEL} th[data-key=qvalue]")).to_have_attribute("aria-sort", "ascending")
    scanned.locator(".qnb-screener-filter").fill("")


# An exchange that takes its time


@pytest.fixture(scope="module")
def slow_dashboard(serve_dashboard: Callable[..., object]) -> Iterator[Process]:
    command = (BIN / "quantnb", "exchange", "--port", "0", "--seed", "7")
    delay = ("--fault", f"rest-delay:{SLOW_S},path=klines")
    with (
        serving(*command, *delay, ready=EXCHANGE_ADDRESS) as exchange,
        serve_dashboard(feed=exchange.url) as served,  # type: ignore[attr-defined]
    ):
        yield served


@pytest.fixture
def slow(browser: Browser, guard: Guard, slow_dashboard: Process) -> Iterator[Page]:
    """A narrow tab in front of an exchange that answers each request for bars late."""
    with guarded_window(browser, guard) as window:
        page = window.new_page()
        page.set_viewport_size({"width": 420, "height": 900})
        open_running(page, slow_dashboard.url)
        yield page


def test_progress_is_seen_and_a_scan_can_be_cancelled_and_begun_again(slow: Page) -> None:
    scan(slow, "all")
    progress = slow.locator(f"{PANEL} progress")
    expect(slow.locator(".qnb-screener-run")).to_have_text("Cancel")
    expect(slow.locator(".qnb-screener-progress")).to_have_text(re.compile(rf"[1-9]\d* of {N_ALL} symbols"))
    expect(progress).to_have_attribute("aria-valuetext", re.compile(rf"of {N_ALL} symbols"))
    expect(slow.locator(".qnb-screener-universe")).to_be_disabled()
    slow.locator(".qnb-screener-run").click()
    expect(message(slow, PANEL)).to_have_text(
        re.compile(rf"The scan was cancelled at \d+ of {N_ALL} symbols\.")
    )
    expect(slow.locator(".qnb-screener-progress")).to_be_hidden()
    scan(slow, "watched")
    wait_for_table(slow, 6)
    wait_for_trades(slow, 5)  # and the feed goes on


def test_at_400_pixels_only_the_table_scrolls_sideways(slow: Page) -> None:
    scan(slow, "watched")
    wait_for_table(slow, 6)
    width = slow.locator(PANEL).evaluate("panel => panel.scrollWidth - panel.clientWidth")
    assert width == 0
    place = slow.locator(".qnb-screener-scroll")
    assert place.evaluate("place => place.scrollWidth > place.clientWidth")
