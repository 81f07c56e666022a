"""The tape: newest first, patched row by row, searched, paused, and never more than 200 rows."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.ui.panels import newest_sequence, wait_for_tile, wait_for_trades

MAX_ROWS = 200


def sequences(page: Page) -> list[int]:
    numbers = "rows => rows.map((row) => Number(row.dataset.sequence))"
    return list(page.locator(".qnb-tape tbody tr").evaluate_all(numbers))


def test_the_newest_trade_is_on_top(live: Page) -> None:
    wait_for_trades(live, 30)
    times = live.locator(".qnb-tape tbody tr td:first-child").all_inner_texts()
    assert times == sorted(times, reverse=True)
    shown = sequences(live)
    assert len(set(shown)) == len(shown)
    headings = live.locator(".qnb-tape th").all_inner_texts()
    named = ("time", "symbol", "price", "size", "volume", "% change", "spread", "z-score")
    assert all(heading.lower().startswith(name) for heading, name in zip(headings, named, strict=True)), (
        headings
    )


def test_there_are_at_most_200_rows_and_they_are_patched(live: Page) -> None:
    wait_for_trades(live, MAX_ROWS, since=0)
    live.locator(".qnb-tape").scroll_into_view_if_needed()
    scroller = live.locator(".qnb-tape-scroll")
    scroller.evaluate("place => { place.scrollTop = 50; }")  # down to the rows that the panel has no room for
    expect(live.locator(".qnb-tape tbody tr")).to_have_count(MAX_ROWS)
    live.evaluate("""() => {
      const body = document.querySelector(".qnb-tape tbody");
      window.kept = body.children[2];
      window.rebuilt = 0;
      const isKept = ({ removedNodes }) => [...removedNodes].includes(window.kept);
      const count = (changes) => (window.rebuilt += changes.filter(isKept).length);
      new MutationObserver(count).observe(body, { childList: true });
    }""")
    number, text = live.evaluate("[kept.dataset.sequence, kept.textContent]")
    wait_for_trades(live, 40)
    assert live.evaluate("kept.isConnected && rebuilt === 0"), "the row was taken out and put back"
    assert live.evaluate("[kept.dataset.sequence, kept.textContent]") == [number, text]
    assert len(sequences(live)) <= MAX_ROWS
    scroller.evaluate("place => { place.scrollTop = 0; }")
    live.wait_for_function("document.querySelectorAll('.qnb-tape tbody tr').length < 50")


def test_what_is_read_stays_in_its_place(live: Page) -> None:
    wait_for_trades(live, MAX_ROWS, since=0)
    scroller = live.locator(".qnb-tape-scroll")
    offset = """() => {
      const place = document.querySelector(".qnb-tape-scroll");
      return read.getBoundingClientRect().top - place.getBoundingClientRect().top;
    }"""
    scroller.evaluate("place => { place.scrollTop = 600; }")
    live.wait_for_function("""() => {
      const place = document.querySelector(".qnb-tape-scroll");
      const rows = [...place.querySelectorAll("tbody tr")];
      window.read = rows.find((row) => row.offsetTop >= place.scrollTop + 40);
      return window.read;
    }""")  # rows so far down are made when someone goes there
    before = live.evaluate(offset)
    wait_for_trades(live, 40)
    assert live.evaluate("read.isConnected")
    assert abs(live.evaluate(offset) - before) <= 1
    scroller.evaluate("place => { place.scrollTop = 0; }")


def test_a_search_leaves_the_rows_of_a_symbol(live: Page) -> None:
    search = live.locator(".qnb-tape-search")
    search.fill("eth")
    shown = "rows => [...new Set(rows.map((row) => row.dataset.symbol))]"
    assert live.locator(".qnb-tape tbody tr").evaluate_all(shown) == ["ETHUSDT"]
    wait_for_trades(live, 5)
    assert live.locator(".qnb-tape tbody tr").evaluate_all(shown) == ["ETHUSDT"]
    search.fill("no such")
    expect(live.locator(".qnb-tape")).to_contain_text("No trades of “no such” yet.")
    search.fill("")
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        live.locator(f".qnb-tape tbody tr[data-symbol={symbol}]").first.wait_for()


def test_a_pause_holds_the_rows_and_resume_goes_on(live: Page) -> None:
    pause, note = live.locator(".qnb-tape-pause"), live.locator(".qnb-tape-note")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    held = sequences(live)
    live.wait_for_function(
        "Number(document.querySelector('.qnb-tape-note').textContent.match(/\\d+/)?.[0]) >= 30"
    )
    assert sequences(live) == held
    live.locator(".qnb-tape-refresh").click()
    wait_for_trades(live, 30, since=max(held))
    refreshed = sequences(live)
    ticks = wait_for_tile(live, "ticks", "value > 0")
    wait_for_tile(live, "ticks", f"value > {ticks + 20}")
    assert sequences(live) == refreshed, "a refresh ends no pause"
    pause.click()
    expect(note).to_have_text("")
    wait_for_trades(live, 20, since=newest_sequence(live))
