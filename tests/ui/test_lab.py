"""The dashboard's notebook in JupyterLab, run as a person would; all tests share its page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui.conftest import ROOT, Guard, guarded_page
from tests.ui.lab import PATIENCE_MS, choose, open_notebook, run_notebook, serving_lab
from tests.ui.panels import (
    CHARTS,
    SOON_MS,
    TILES,
    newest_sequence,
    wait_for_draws,
    wait_for_trades,
)
from tests.ui.test_accessibility import violations
from tests.ui.test_charts import (  # noqa: F401, to be run here, too
    test_a_hidden_tab_draws_nothing_and_is_sent_nothing,
    test_a_zoom_is_kept_while_data_come_and_a_double_click_follows_again,
)
from tests.ui.test_theme import FITS, FOLLOWS

NAME = "dashboard.ipynb"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def lab(exchange: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab with a copy of the notebook."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(ROOT / "notebooks" / NAME, folder)
    with serving_lab(folder, QUANTNB_FEED=exchange) as url:
        yield url


@pytest.fixture(scope="module")
def _shared(browser: Browser, lab: str) -> Iterator[tuple[Page, Guard]]:
    with guarded_page(browser) as (page, guard):
        run_notebook(page, lab, NAME)
        expect_running(page)
        yield page, guard
        page.close()  # before its server


def expect_running(page: Page) -> None:
    expect(page.locator(".qnb-status")).to_have_attribute("data-state", "simulated", timeout=PATIENCE_MS)


def test_it_works_the_same_in_jupyterlab(live: Page) -> None:
    for chart in CHARTS:
        live.locator(chart).scroll_into_view_if_needed()
        live.locator(f"{chart} .qnb-figure[data-drawn=true] .main-svg").first.wait_for(state="attached")
    for name in TILES:
        expect(live.locator(f".qnb-tile[data-tile={name}] .qnb-skeleton")).to_have_count(0)
    wait_for_trades(live, 20)
    assert live.locator("body").inner_text().lower().count("not financial advice") == 1
    live.locator("button.qnb-start").click()
    expect(live.locator(".qnb-status")).to_have_attribute("data-state", "stopped")
    with live.expect_download() as downloading:
        live.locator(".qnb-export-button").click()
    assert downloading.value.suggested_filename.endswith(".csv")
    live.locator("button.qnb-start").click()
    expect_running(live)


def test_the_theme_is_followed_while_live(live: Page) -> None:
    wait_for_draws(live, ".qnb-price")
    for name, is_dark in (("JupyterLab Dark", True), ("JupyterLab Light", False)):
        choose(live, "Settings", "Theme", name)
        live.wait_for_function(FOLLOWS, arg=[".qnb-price", is_dark], timeout=SOON_MS)
        assert violations(live, ".qnb-page") == ""  # what is around it is JupyterLab's


def test_behind_another_tab_of_jupyterlab_it_is_not_drawn_and_back_it_fits_its_new_place(live: Page) -> None:
    wait_for_draws(live, ".qnb-price")
    seen = newest_sequence(live)
    choose(live, "File", "New Launcher")
    expect(live.locator(".qnb-price")).to_be_hidden()
    wait_for_trades(live, 60, since=seen)
    frames = live.locator(".qnb-price .qnb-figure").get_attribute("data-frames")
    wait_for_trades(live, 60)
    assert live.locator(".qnb-price .qnb-figure").get_attribute("data-frames") == frames
    live.set_viewport_size({"width": 1200, "height": 1000})
    live.get_by_role("tab", name=NAME).click()
    expect(live.locator(".qnb-price")).to_be_visible()
    wait_for_draws(live, ".qnb-price")
    live.wait_for_function(FITS, arg=[".qnb-price", 1200], timeout=SOON_MS)


def test_a_saved_notebook_is_live_in_a_second_tab_and_after_a_reload(live: Page, lab: str) -> None:
    choose(live, "File", "Save Notebook")
    expect(live.locator(".jp-mod-dirty")).to_have_count(0)
    second = live.context.new_page()
    open_notebook(second, lab, NAME)
    expect_running(second)
    for page in (second, live):
        wait_for_draws(page, ".qnb-price")
        wait_for_trades(page, 20)
    second.close()
    live.reload(wait_until="commit")
    expect_running(live)
    wait_for_draws(live, ".qnb-price")
    wait_for_trades(live, 20)
