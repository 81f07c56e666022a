"""How long data are on their way, in the status' details."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.ui.panels import SOON_MS, wait_for_draws

PARTS = ("received", "computed", "answered", "painted")
IS_KNOWN = """parts => parts.every((part) => {
  const cells = document.querySelectorAll(`.qnb-latency [data-part=${part}] td`);
  const toNumber = (cell) => Number(cell.innerText.replace("−", "-").replace(",", ""));
  const [n, ...shares] = [...cells].slice(1).map(toNumber);
  return n > 2 && shares.length === 3 && shares.every(Number.isFinite);
})"""


def test_each_part_of_the_way_is_measured_from_the_exchange_to_the_screen(live: Page) -> None:
    live.locator(".qnb-more").click()
    wait_for_draws(live, ".qnb-price", 3)
    live.wait_for_function(IS_KNOWN, arg=list(PARTS), timeout=2 * SOON_MS)
    rows = live.locator(".qnb-latency tbody tr")
    expect(rows).to_have_count(len(PARTS))
    expect(rows.first).to_have_attribute("title", re.compile("a wrong one shows here"))
    live.locator(".qnb-more").click()
