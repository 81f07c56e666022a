"""Notebooks behind Voilà and a real browser in front of it, for the benchmarks; all on 127.0.0.1.

Ours is the dashboard, fed by the local exchange. The alternative is what a notebook does without quantnb:
`plain_notebook`, plotly's own FigureWidgets with three lines of 2,000 points, updated by a task in it.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
DASHBOARD = ROOT / "notebooks" / "dashboard.ipynb"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
# So tall that every chart is in sight: one that is not would not be drawn, by us.
VIEWPORT = {"width": 1400, "height": 2600}
PATIENCE_S = 60.0
# JavaScript: whether the dashboard's four charts are drawn, and whether they show data.
_EACH_CHART = """[".qnb-price", ".qnb-spread", ".qnb-corr", ".qnb-hedge"].every((chart) =>
  document.querySelector(`${{chart}} .js-plotly-plot {part}`))"""
_DATA = ":is(.scatterlayer .trace path, .heatmaplayer image)"
CHARTS_DRAWN = _EACH_CHART.format(part=".main-svg")
CHARTS_SHOW_DATA = _EACH_CHART.format(part=_DATA)

# Each plain FigureWidget brings plotly along, and anywidget gives one up whose 5 MB are not read within two
# seconds; on a busy machine there would be nothing to measure.
_PATIENT = """{
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => timeout(Math.max(ms, 60_000));
}"""

_PLAIN = """
import asyncio
import ipywidgets
import numpy as np
import plotly.graph_objects as go
from IPython.display import display

N, N_LINES = 2_000, 3
n = N

def column(line):
    return np.sin(0.01 * (line + 1) * np.arange(n - N, n))

def times():
    return 1.79e12 + 1e3 * np.arange(n - N, n)

def figure():
    lines = [go.Scatter(x=times(), y=column(line), mode="lines") for line in range(N_LINES)]
    return go.FigureWidget(lines, {{"xaxis": {{"type": "date"}}, "height": 400}})

figures = [figure() for _ in range({n_figures})]
display(*figures)

async def run():
    global n
    while True:
        await asyncio.sleep({interval_s})
        n += 1
        for figure in figures:
            with figure.batch_update():
                for line, trace in enumerate(figure.data):
                    trace.x, trace.y = times(), column(line)

def start(_button):  # not before: a page of figures that are updated while it opens may not open at all
    global task
    task = loop.create_task(run())

loop = asyncio.get_running_loop()
button = ipywidgets.Button(description="Start")
button.on_click(start)
display(button)
"""

# Bars of a second from before the page is opened, between the exchange's own of a minute.
_HALF_AN_HOUR = """
import os
import time
import httpx
import numpy as np
import quantnb.session
from quantnb.events import History, Kline

quantnb.session.SNAPSHOT_INTERVAL_S = {interval_s}
_rest = os.environ["QUANTNB_FEED"].replace("ws://", "http://")
for _symbol in session.symbols:
    _query = {{"symbol": _symbol, "interval": "1m", "limit": 45}}
    _rows = httpx.get(f"{{_rest}}/fapi/v1/klines", params=_query).raise_for_status().json()
    _minutes = np.array([[float(_row[0]) / 1e3, float(_row[4])] for _row in _rows])
    _times = np.arange(int(_minutes[0, 0]), int(time.time()) - 2)
    _close = np.interp(_times, *_minutes.T) * np.exp(np.random.default_rng(1).normal(0, 5e-5, len(_times)))
    _klines = tuple(
        Kline(int(_s) * 10**9, _p, _p * 1.0001, _p * 0.9999, _p, 1.0, _p, 9) for _s, _p in zip(_times, _close)
    )
    session._engine.receive(History(_symbol, "1s", _klines))
"""


def plain_notebook(folder: Path, n_figures: int, interval_s: float = 0.25) -> Path:
    """Write a notebook of plain FigureWidgets and return its path; they are updated once Start is pressed."""
    source = _PLAIN.format(n_figures=n_figures, interval_s=interval_s)
    return write_notebook(folder / f"plain-{n_figures}.ipynb", [source])


def plain_shows_data(n_figures: int) -> str:
    """Return JavaScript: whether that many plain FigureWidgets are drawn with their data."""
    plots = "Array.from(document.querySelectorAll('.js-plotly-plot'))"
    return f"{plots}.filter((plot) => plot.querySelector({_DATA!r})).length === {n_figures}"


def warm_dashboard(folder: Path, updates_per_s: float) -> Path:
    """Write the dashboard's notebook as after half an hour, with a rate of updates; return its path."""
    cells = [cell.source for cell in nbformat.read(DASHBOARD, as_version=4).cells]
    after_session = 1 + next(i for i, cell in enumerate(cells) if cell.startswith("session = "))
    cells.insert(after_session, _HALF_AN_HOUR.format(interval_s=1 / updates_per_s))
    return write_notebook(folder / f"dashboard-{updates_per_s:g}.ipynb", cells)


def write_notebook(path: Path, cells: list[str]) -> Path:
    """Write a notebook of these cells and return its path."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)
    return path


@dataclass(frozen=True)
class Server:
    """A program that serves until its block ends."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    def wait_for(self, pattern: str) -> str:
        """Wait until it has printed a pattern; return the first group."""
        until_s = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.log.read_text())):
            if self.process.poll() is not None or time.monotonic() > until_s:
                raise RuntimeError(f"{self.process.args!r} did not get ready:\n{self.log.read_text()}")
            time.sleep(0.05)
        return found[1]

    def wait_for_rest(self) -> None:
        """Wait until it and its kernels have had nothing to do for a second."""
        until_s, spent_s = time.monotonic() + PATIENCE_S, -1.0
        while (now_s := self._cpu_s()) - spent_s > 0.05:
            if time.monotonic() > until_s:
                raise RuntimeError(f"{self.process.args!r} does not come to rest")
            spent_s = now_s
            time.sleep(1.0)

    def _cpu_s(self) -> float:
        program = psutil.Process(self.process.pid)
        times = [each.cpu_times() for each in (program, *program.children(recursive=True))]
        return sum(each.user + each.system for each in times)


@contextmanager
def serving(*command: str | Path, ready: str, **environment: str) -> Iterator[Server]:
    """Run a program until the block ends; ``ready`` is what it prints then, with its address as a group."""
    with tempfile.NamedTemporaryFile("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            server = Server(process, Path(log.name))
            yield replace(server, url=server.wait_for(ready))
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def exchange(trades_per_s: float) -> Iterator[str]:
    """Run a local exchange of that many trades a second of the dashboard's symbols; give its address."""
    command = (BIN / "quantnb", "exchange", "--port", "0", "--seed", "7", "--rate", f"{trades_per_s:g}")
    with serving(*command, ready=r"(ws://127\.0\.0\.1:\d+)") as server:
        yield server.url


@contextmanager
def voila(notebook: Path, *, feed: str = "sim", is_preheated: bool = False) -> Iterator[str]:
    """Serve a notebook with the dashboard's settings (``voila.json``), whichever it is; give its address.

    A preheated one waits, its cells run, for the first page that is opened, and for no other.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    command = [BIN / "voila", notebook, "--no-browser", "--Voila.ip=127.0.0.1", f"--port={port}"]
    if is_preheated:
        command += ["--preheat_kernel=True", "--VoilaKernelManager.fill_delay=600", "--Voila.log_level=INFO"]
    environment = {"QUANTNB_FEED": feed, "JUPYTER_WIDGETS_ECHO": "0"}
    with serving(*command, ready=r"(http://[\w.]+:\d+/)", **environment) as server:
        if is_preheated:
            server.wait_for("(Kernel pool of .* is filled)")
            server.wait_for_rest()
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def dashboard(feed: str) -> Iterator[str]:
    """Run ``quantnb dashboard``; give its address."""
    command = (BIN / "quantnb", "dashboard", "--no-browser", "--port", "0", "--feed", feed)
    with serving(*command, ready=r"(http://127\.0\.0\.1:\d+/)") as server:
        yield server.url


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the system's browser, or Playwright's own."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser) -> Iterator[Page]:
    """Open a tab that has nothing in its cache."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(1e3 * PATIENCE_S)
    context.add_init_script(_PATIENT)
    yield context.new_page()
    context.close()


def machine(browser: Browser) -> str:
    """Return what the figures were measured with."""
    names = ("plotly", "voila", "ipywidgets", "anywidget")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, load {load}; Chromium {browser.version}, headless, no GPU; "
        f"Python {platform.python_version()}, {packages}"
    )
