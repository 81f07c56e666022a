"""JupyterLab with notebooks of its own, run as a person would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from tests.ui.conftest import BIN, serving

LAB_ADDRESS = r"(http://127\.0\.0\.1:\d+/)lab"
PATIENCE_MS = 120_000


@contextmanager
def serving_lab(folder: Path, **environment: str) -> Iterator[str]:
    """Give the address of a JupyterLab that knows nothing but a folder, because it saves what it runs."""
    command = (
        BIN / "jupyter", "lab", "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )  # fmt: skip
    names = ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_WORKSPACES_DIR", "JUPYTERLAB_SETTINGS_DIR")
    private = {name: str(folder / ".lab" / name) for name in names}
    with serving(*command, cwd=folder, ready=LAB_ADDRESS, **private, **environment) as served:
        yield served.url


def open_notebook(page: Page, lab: str, name: str) -> None:
    """Open a notebook and wait until its kernel has nothing to do."""
    page.goto(f"{lab}lab/tree/{name}", wait_until="commit")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=PATIENCE_MS)
    page.get_by_text("| Idle").first.wait_for(timeout=PATIENCE_MS)


def choose(page: Page, menu: str, *items: str) -> None:
    """Choose from JupyterLab's menus."""
    page.get_by_role("menuitem", name=menu, exact=True).click()
    for item in items:
        page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()


def run_notebook(page: Page, lab: str, name: str) -> None:
    """Open a notebook and run all its cells."""
    open_notebook(page, lab, name)
    choose(page, "Run", "Run All Cells")
