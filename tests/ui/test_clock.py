"""Times of day: in UTC, or by the clock of the computer that looks; always with the word for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import OPEN_TIMEOUT_MS, Guard, Process
from tests.ui.panels import SOON_MS, plot, wait_for_draws, wait_for_trades

KOLKATA = timedelta(hours=5, minutes=30)
TOP_TIME = ".qnb-tape tbody tr:first-child td:first-child"


@pytest.fixture
def abroad(browser: Browser, dashboard: Process, guard: Guard) -> Iterator[Page]:
    """A tab in a country that is half an hour off the hour."""
    context = browser.new_context(timezone_id="Asia/Kolkata", viewport={"width": 1400, "height": 1000})
    guard.watch(context)
    page = context.new_page()
    page.goto(dashboard.url, wait_until="commit")
    page.locator(".qnb-tape tbody tr").first.wait_for(timeout=OPEN_TIMEOUT_MS)
    yield page
    context.close()


def times(page: Page) -> list[datetime]:
    shown = page.locator(".qnb-tape tbody tr td:first-child").all_inner_texts()
    return [datetime.strptime(text, "%H:%M:%S.%f") for text in shown]


def test_the_choice_changes_the_times_that_are_there_and_stays_in_this_browser(
    abroad: Page, guard: Guard
) -> None:
    guard.allow("api/shutdown")  # the beacon of Voilà's own page, which its own server refuses at a reload
    button, head = abroad.locator(".qnb-clock"), abroad.locator(".qnb-tape th").first
    expect(button).to_have_text("Times: UTC")
    expect(head).to_have_text("Time (UTC)")
    wait_for_trades(abroad, 5)
    abroad.locator(".qnb-tape-pause").click()  # so that the same rows stand there
    expect(abroad.locator(".qnb-tape-pause")).to_have_text("Resume")
    utc = times(abroad)
    button.click()
    expect(button).to_have_text(re.compile(r"Times: local \((IST|GMT\+5:30)\)"))
    expect(head).to_have_text(re.compile(r"Time \(local \((IST|GMT\+5:30)\)\)"))
    day = timedelta(days=1)
    assert [(local - before) % day for local, before in zip(times(abroad), utc, strict=True)] == [
        KOLKATA
    ] * len(utc)
    abroad.reload(wait_until="commit")
    expect(abroad.locator(".qnb-clock")).to_have_attribute("aria-pressed", "true", timeout=OPEN_TIMEOUT_MS)
    abroad.locator(".qnb-clock").click()
    expect(abroad.locator(".qnb-clock")).to_have_text("Times: UTC")


def test_charts_say_that_they_are_in_utc(live: Page) -> None:
    wait_for_draws(live, ".qnb-price", 1)
    live.locator(".qnb-price .xtitle").get_by_text("UTC").wait_for(timeout=SOON_MS)
    assert str(plot(live, ".qnb-price", "plot._fullLayout.xaxis.hoverformat")).endswith("UTC")
