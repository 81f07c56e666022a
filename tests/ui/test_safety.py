"""Text of the exchange and of users stays text, wherever it is shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import ADDRESS, BIN, Guard, free_port, serving
from tests.ui.hostile import PAYLOADS, notebook
from tests.ui.panels import message

INJECTED = "[onerror], [onload], [onfocus], [ontoggle], [href^='javascript:'], [srcdoc], img[src='x']"


def is_untouched(page: Page) -> bool:
    return bool(page.evaluate(f"window.pwned === undefined && !document.body.querySelector(`{INJECTED}`)"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of panels that show every payload."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.ipynb").write_text(notebook())
    # Plain Voilà with its own settings: no policy of ours about scripts stands in the way of an injection.
    command = (BIN / "voila", "--no-browser", "--Voila.ip=127.0.0.1", f"--port={free_port()}")
    with serving(*command, folder / "hostile.ipynb", cwd=folder, ready=ADDRESS) as served:
        yield served.url


def test_fifty_hostile_texts_are_shown_as_text_in_every_panel(page: Page, hostile: str, guard: Guard) -> None:
    guard.allow("request to another host")  # Voilà's own template asks a CDN for icons
    guard.allow("console: Failed to load resource")
    page.goto(hostile, wait_until="commit")
    page.locator(".qnb-tape-scroll").focus()  # then all its rows are there
    for place in (".qnb-status", ".qnb-alerts", ".qnb-tape"):
        expect(page.locator(place).first).to_contain_text(PAYLOADS[0])
    expect(page.locator(".qnb-alert")).to_have_count(len(PAYLOADS))
    expect(page.locator(".qnb-tape tbody tr")).to_have_count(len(PAYLOADS))
    for chart in (".qnb-price", ".qnb-corr"):
        page.locator(chart).scroll_into_view_if_needed()
        page.locator(f"{chart} .qnb-figure[data-drawn=true]").wait_for()
    assert is_untouched(page)


@pytest.mark.parametrize("payload", PAYLOADS[::5])
def test_a_hostile_symbol_that_is_typed_is_refused_as_text(live: Page, payload: str) -> None:
    entry = live.locator(".qnb-symbol-entry input")
    entry.fill(payload)
    entry.press("Enter")
    expect(message(live, ".qnb-symbols")).to_contain_text(payload.upper())
    assert is_untouched(live)
