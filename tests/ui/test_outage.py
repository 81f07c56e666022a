"""Outages: an exchange that goes away and comes back, and a kernel that ends while its page is open."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import (
    BIN,
    EXCHANGE_ADDRESS,
    OPEN_TIMEOUT_MS,
    Process,
    free_port,
    kernel_id,
    open_running,
    serving,
)
from tests.ui.panels import newest_sequence, tile, wait_for_tile, wait_for_trades


def serve_exchange(port: int) -> object:
    command = (BIN / "quantnb", "exchange", "--port", str(port), "--seed", "7", "--rate", "60")
    return serving(*command, ready=EXCHANGE_ADDRESS)


@pytest.mark.timeout(300)
def test_an_exchange_that_goes_away_is_told_and_its_return_needs_nobody(
    page: Page, serve_dashboard: Callable[..., object]
) -> None:
    port = free_port()
    status = page.locator(".qnb-status")
    with serve_dashboard(feed=f"ws://127.0.0.1:{port}") as served:
        with serve_exchange(port):
            open_running(page, served.url)
            wait_for_trades(page, 20)
        expect(status).to_have_attribute("data-state", re.compile("reconnecting|stale"))
        expect(status.locator(".qnb-state-word")).to_have_text(re.compile(r"Reconnecting in \d+ s|Stale"))
        expect(status.locator(".qnb-reason")).to_have_text(re.compile(r"[A-Z].{20,}"))
        ticks, newest = tile(page, "ticks"), newest_sequence(page)
        assert ticks >= 20, "what was there stays"
        with serve_exchange(port):
            expect(status).to_have_attribute("data-state", "simulated", timeout=90_000)
            wait_for_tile(page, "ticks", f"value > {ticks}")
            wait_for_trades(page, 1, since=newest)
            page.close()


def test_a_kernel_that_ends_is_told_on_the_page(dashboard_page: Page, dashboard: Process) -> None:
    page = dashboard_page
    status = page.locator(".qnb-status")
    expect(status).to_have_attribute("data-state", "simulated", timeout=OPEN_TIMEOUT_MS)
    dashboard.kernel(kernel_id(page)).kill()
    expect(status).to_have_attribute("data-connected", "false", timeout=60_000)
    expect(status).to_contain_text("Connection to the kernel lost – reload the page.")
