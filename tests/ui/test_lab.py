"""The dashboard's notebook in JupyterLab, run as a person would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.conftest import BIN, ROOT, serving
from tests.ui.panels import CHARTS, SOON_MS, TILES, newest_sequence, wait_for_draws, wait_for_trades
from tests.ui.test_accessibility import violations
from tests.ui.test_theme import FITS, FOLLOWS

LAB_ADDRESS = r"(http://127\.0\.0\.1:\d+/)lab"


@pytest.fixture
def lab(exchange: str, tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab with a copy of the notebook, because Lab saves what it runs."""
    (tmp_path / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "dashboard.ipynb", tmp_path / "notebooks")
    command = (
        BIN / "jupyter", "lab", "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )  # fmt: skip
    private = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_WORKSPACES_DIR")}
    settings = {"JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"), "QUANTNB_FEED": exchange}
    with serving(*command, cwd=tmp_path, ready=LAB_ADDRESS, **private, **settings) as served:
        yield served.url


def run_dashboard(page: Page, lab: str) -> Locator:
    """Run the notebook as a person would; return the status."""
    page.goto(f"{lab}lab/tree/notebooks/dashboard.ipynb", wait_until="commit")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=120_000)
    page.get_by_text("| Idle").first.wait_for(timeout=120_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    status = page.locator(".qnb-status")
    expect(status).to_have_attribute("data-state", "simulated", timeout=120_000)
    return status


@pytest.mark.timeout(300)
def test_it_works_the_same_in_jupyterlab(page: Page, lab: str) -> None:
    status = run_dashboard(page, lab)
    for chart in CHARTS:
        page.locator(chart).scroll_into_view_if_needed()
        page.locator(f"{chart} .qnb-figure[data-drawn=true] .main-svg").first.wait_for(state="attached")
    for name in TILES:
        expect(page.locator(f".qnb-tile[data-tile={name}] .qnb-skeleton")).to_have_count(0)
    wait_for_trades(page, 20)
    assert page.locator("body").inner_text().lower().count("not financial advice") == 1
    page.locator("button.qnb-start").click()
    expect(status).to_have_attribute("data-state", "stopped")
    with page.expect_download() as downloading:
        page.locator(".qnb-export-button").click()
    assert downloading.value.suggested_filename.endswith(".csv")
    page.close()


def choose_theme(page: Page, name: str) -> None:
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Theme", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).click()


@pytest.mark.timeout(300)
def test_the_theme_and_another_tab_of_jupyterlab_are_followed_while_live(page: Page, lab: str) -> None:
    run_dashboard(page, lab)
    wait_for_draws(page, ".qnb-price")
    for name, is_dark in (("JupyterLab Dark", True), ("JupyterLab Light", False)):
        choose_theme(page, name)
        page.wait_for_function(FOLLOWS, arg=[".qnb-price", is_dark], timeout=SOON_MS)
        assert violations(page, ".qnb-page") == ""  # what is around it is JupyterLab's
    seen = newest_sequence(page)
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("New Launcher", exact=True).click()
    expect(page.locator(".qnb-price")).to_be_hidden()
    page.set_viewport_size({"width": 1200, "height": 1000})  # behind the other tab
    page.get_by_role("tab", name="dashboard.ipynb").click()
    expect(page.locator(".qnb-price")).to_be_visible()
    wait_for_trades(page, 20, since=seen)
    wait_for_draws(page, ".qnb-price")
    page.wait_for_function(FITS, arg=[".qnb-price", 1200], timeout=SOON_MS)
    page.close()
