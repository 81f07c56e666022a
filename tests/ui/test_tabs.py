"""Charts in the panels of a Tab, in Voilà and in JupyterLab: the hidden are left alone, a zoom shows all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from playwright.sync_api import Browser, Page, WebSocket

from tests.ui.conftest import ADDRESS, BIN, OPEN_TIMEOUT_MS, ROOT, Guard, free_port, guarded_page, serving
from tests.ui.lab import run_notebook, serving_lab
from tests.ui.panels import plot, wait_for_draws, wait_for_plot
from tests.ui.tabs import DETAIL, N_POINTS, notebook
from tests.ui.test_charts import drag, middle

NAME = "tabs.ipynb"
HAS_DETAIL = f"plot.data[0].y.includes({DETAIL})"
AT_DETAIL = (
    "plot.getBoundingClientRect().x + plot._fullLayout.xaxis._offset"
    f" + plot._fullLayout.xaxis.l2p({N_POINTS // 2})"
)
RANGE = "plot._fullLayout.xaxis.range"

pytestmark = pytest.mark.timeout(300)


@dataclass
class Post:
    """What the kernel has sent: of each widget's letters, the kinds in order."""

    kinds: dict[str, list[str]] = field(default_factory=dict)

    def listen(self, page: Page) -> None:
        page.on("websocket", lambda socket: self._attend(socket))

    def _attend(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: self._read(frame))

    def _read(self, frame: bytes | str) -> None:
        if isinstance(frame, str):
            return
        _, (header, _, _, content, *_) = deserialize_msg_from_ws_v1(frame)
        if json.loads(header)["msg_type"] != "comm_msg":
            return
        told = json.loads(content)["data"].get("content", {})
        for _, letter, _ in told.get("letters", [[0, told, 0]]):
            if letter.get("kind") in ("snapshot", "delta"):
                self.kinds.setdefault(letter["to"], []).append(letter["kind"])

    def take(self) -> dict[str, list[str]]:
        taken, self.kinds = self.kinds, {}
        return taken


@pytest.fixture(scope="module", params=["voila", "jupyterlab"])
def opened(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Page, Guard, Post]]:
    """The notebook's page, run; all tests share it."""
    folder = tmp_path_factory.mktemp("tabs")
    (folder / NAME).write_text(notebook())
    post = Post()
    serve: Callable[..., object] = {"voila": in_voila, "jupyterlab": in_jupyterlab}[request.param]
    with guarded_page(browser) as (page, guard):
        post.listen(page)
        yield from ((page, guard, post) for _ in serve(page, folder))


def in_voila(page: Page, folder: Path) -> Iterator[None]:
    command = (BIN / "voila", "--no-browser", "--Voila.ip=127.0.0.1", f"--port={free_port()}", folder / NAME)
    with serving(*command, cwd=ROOT, ready=ADDRESS) as served:  # where a voila.json is
        page.goto(served.url, wait_until="commit")
        yield
        page.close()  # before its server


def in_jupyterlab(page: Page, folder: Path) -> Iterator[None]:
    with serving_lab(folder) as url:
        run_notebook(page, url, NAME)
        yield
        page.close()


@pytest.fixture
def tabs(opened: tuple[Page, Guard, Post]) -> Iterator[tuple[Page, Post]]:
    page, guard, post = opened
    page.locator(".qnb-one .main-svg").first.wait_for(state="attached", timeout=OPEN_TIMEOUT_MS)
    yield page, post
    guard.check()


def show(page: Page, title: str) -> None:
    page.locator(".widget-tab").get_by_role("tab", name=title).click()


def draws(page: Page, chart: str) -> str | None:
    return page.locator(f"{chart} .qnb-figure").get_attribute("data-draws")


def test_charts_of_a_hidden_panel_are_neither_sent_nor_drawn_and_get_one_snapshot_when_it_is_back(
    tabs: tuple[Page, Post],
) -> None:
    page, post = tabs
    show(page, "Two and three")
    for chart in (".qnb-two", ".qnb-three"):
        wait_for_draws(page, chart)
    show(page, "One")
    wait_for_draws(page, ".qnb-one")
    post.take()
    held = [draws(page, chart) for chart in (".qnb-two", ".qnb-three")]
    wait_for_draws(page, ".qnb-one", 5)
    sent = post.take()
    assert [set(kinds) for kinds in sent.values()] == [{"delta"}]  # to the one chart that is seen
    assert [draws(page, chart) for chart in (".qnb-two", ".qnb-three")] == held
    show(page, "Two and three")
    for chart in (".qnb-two", ".qnb-three"):
        wait_for_draws(page, chart, 3)
    returned = {client: kinds for client, kinds in post.take().items() if client not in sent}
    assert len(returned) == 2
    for kinds in returned.values():
        assert kinds[0] == "snapshot"
        assert Counter(kinds)["snapshot"] == 1
    show(page, "One")


def test_a_zoom_brings_every_point_of_what_is_in_sight_and_is_kept_while_data_come(
    tabs: tuple[Page, Post],
) -> None:
    page, _ = tabs
    wait_for_draws(page, ".qnb-one", 1)
    assert plot(page, ".qnb-one", "plot.data[0].y.length") < N_POINTS / 2
    assert not plot(page, ".qnb-one", HAS_DETAIL)  # its neighbours are lower and higher
    _, y = middle(page, ".qnb-one .nsewdrag")
    x = float(str(plot(page, ".qnb-one", AT_DETAIL)))
    drag(page, (x - 40, y), (x + 40, y))  # fewer points than the panel has pixels
    wait_for_plot(page, ".qnb-one", HAS_DETAIL)
    zoomed = plot(page, ".qnb-one", RANGE)
    assert plot(page, ".qnb-one", f"({RANGE})[0]") > N_POINTS / 4
    wait_for_draws(page, ".qnb-one", 3)
    assert plot(page, ".qnb-one", RANGE) == zoomed
