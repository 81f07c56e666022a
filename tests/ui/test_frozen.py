"""Pictures of a market that stands still: however it got there, the charts look the same."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.ui.conftest import ADDRESS, BIN, OPEN_TIMEOUT_MS, ROOT, free_port, serving
from tests.ui.frozen import notebook
from tests.ui.panels import CHARTS, SOON_MS
from tests.ui.test_theme import FOLLOWS

TOLERANCE = 0.002  # of the pixels: the edges of a line may be smoothed in another way
ALL_TRADES = "() => Number(document.querySelector('.qnb-tile[data-tile=ticks]')?.dataset.value) > 2000"
# What share of two pictures differs by more than a shade.
DIFFERENCE = """async (pictures) => {
  const [one, other] = await Promise.all(pictures.map(async (png) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    return canvas.getImageData(0, 0, image.width, image.height);
  }));
  if (one.width !== other.width || one.height !== other.height) return 1;
  let n = 0;
  for (let k = 0; k < one.data.length; k += 4) {
    n += [0, 1, 2].some((c) => Math.abs(one.data[k + c] - other.data[k + c]) > 32);
  }
  return n / (one.width * one.height);
}"""


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page whose market moves when it is asked to, and then no more."""
    path = tmp_path_factory.mktemp("frozen") / "frozen.ipynb"
    path.write_text(notebook())
    command = (BIN / "voila", "--no-browser", "--Voila.ip=127.0.0.1", f"--port={free_port()}", path)
    with serving(*command, cwd=ROOT, ready=ADDRESS) as served:
        yield served.url


def pictures(page: Page, scheme: str = "light") -> dict[str, bytes]:
    """Let plotly draw every chart whole, in a theme, and return what they look like."""
    taken = {}
    for passing in ("dark" if scheme == "light" else "light", scheme):
        page.emulate_media(color_scheme="dark" if passing == "dark" else "light")
        for chart in CHARTS:
            page.locator(chart).scroll_into_view_if_needed()
            page.wait_for_function(FOLLOWS, arg=[chart, passing == "dark"], timeout=SOON_MS)
    for chart in CHARTS:
        page.locator(chart).scroll_into_view_if_needed()
        taken[chart] = page.locator(f"{chart} .qnb-figure-plot").screenshot()
    return taken


def replay(context: BrowserContext, url: str, how: str) -> Page:
    page = context.new_page()
    page.goto(url, wait_until="commit")
    page.get_by_role("button", name=how).click(timeout=OPEN_TIMEOUT_MS)
    page.wait_for_function(ALL_TRADES, timeout=2 * SOON_MS)
    for chart in CHARTS:
        page.locator(chart).scroll_into_view_if_needed()
        expect(page.locator(f"{chart} .qnb-figure-notice")).to_be_hidden()
    # What rests between its runs has come to the end, too; and how often a busy machine draws is no matter.
    expect(page.locator(".qnb-horizon .qnb-figure-caption")).to_contain_text("to 22:15:19 UTC")
    page.add_style_tag(content=".qnb-figure-rate { display: none !important }")
    return page


def difference(page: Page, one: bytes, other: bytes) -> float:
    return float(page.evaluate(DIFFERENCE, [base64.b64encode(each).decode() for each in (one, other)]))


def test_what_was_drawn_in_pieces_looks_like_what_was_drawn_at_once(
    context: BrowserContext, frozen: str
) -> None:
    whole = pictures(replay(context, frozen, "At once"))
    page = replay(context, frozen, "In pieces")
    pieces = pictures(page)
    differences = {chart: difference(page, whole[chart], pieces[chart]) for chart in CHARTS}
    assert max(differences.values()) <= TOLERANCE, differences
    dark = pictures(page, "dark")
    assert all(difference(page, whole[chart], dark[chart]) > 0.5 for chart in CHARTS)  # it can tell
