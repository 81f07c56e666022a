"""A real browser on a real server: the local exchange, ``quantnb dashboard`` and Chromium.

Tests take `page`, a fresh tab in which an error on the console or a request to another host is a failure, and
`dashboard`, whose ``url`` it can open; or `dashboard_page`, where that has been done; or `live`, such a tab
that a file's tests share, because opening one takes seconds.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = (
    "no browser to test with: install Chromium or Chrome (Debian: apt-get install chromium), "
    "or run: .venv/bin/playwright install --with-deps chromium"
)
CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
ADDRESS = r"(http://127\.0\.0\.1:\d+/)"
EXCHANGE_ADDRESS = r"(ws://127\.0\.0\.1:\d+)"
OPEN_TIMEOUT_MS = 60_000

# Every test here drives a browser and may wait for a kernel to start on a busy machine.
PATIENCE_S = 240
# A click, its way to the kernel, what it changes there and the way back.
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.ui)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(PATIENCE_S))


@dataclass
class Process:
    """A program that serves until it is terminated."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    def said(self) -> str:
        """Return what it has printed so far."""
        return self.log.read_text()

    def wait_for(self, pattern: str, patience_s: float = 60) -> str:
        """Wait until it has printed a pattern; return the first group."""
        until_s = time.monotonic() + patience_s
        while not (found := re.search(pattern, self.said())):
            if self.process.poll() is not None or time.monotonic() > until_s:
                pytest.fail(f"{self.process.args!r} did not get ready:\n{self.said()}")
            time.sleep(0.05)
        return found[1]

    def kernel(self, kernel_id: str) -> psutil.Process:
        """Return the process of a kernel."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if kernel_id in " ".join(child.cmdline()))


@contextmanager
def serving(*command: str | Path, ready: str, cwd: Path = ROOT, **environment: str) -> Iterator[Process]:
    """Run a program; give it once it has printed ``ready``, whose first group is its address."""
    with tempfile.NamedTemporaryFile("w") as log:
        process = subprocess.Popen(
            command, cwd=cwd, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            served = Process(process, Path(log.name))
            served.url = served.wait_for(ready)
            yield served
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(scope="session")
def exchange() -> Iterator[str]:
    """The address of a local exchange with a market that is the same at every run."""
    with serving(
        BIN / "quantnb", "exchange", "--port", "0", "--seed", "7", "--rate", "60", ready=EXCHANGE_ADDRESS
    ) as served:
        yield served.url


@pytest.fixture(scope="session")
def serve_dashboard(exchange: str) -> Callable[..., object]:
    """A context manager that runs ``quantnb dashboard``, with further options if wanted."""

    def serve(*options: str, feed: str = exchange) -> object:
        command = (BIN / "quantnb", "dashboard", "--no-browser", "--port", "0", "--feed", feed, *options)
        return serving(*command, ready=ADDRESS)

    return serve


@pytest.fixture(scope="session")
def dashboard(serve_dashboard: Callable[..., object]) -> Iterator[Process]:
    """``quantnb dashboard``, fed by the local exchange; each page opened has a kernel of its own."""
    with serve_dashboard() as served:
        yield served


def free_port() -> int:
    """Return a port that was free just now, for a program that does not find one itself."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def executable() -> str | None:
    """Return the system's browser, if it has one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


# Playwright's own event loop runs in this thread as long as it is open, and pytest-asyncio cannot start
# another one meanwhile: so it is closed after the last test of this directory.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    problem = ""
    try:
        launched = playwright.chromium.launch(executable_path=executable(), args=list(CHROMIUM_FLAGS))
    except Error as error:
        problem = error.message.splitlines()[0]
    if problem:
        pytest.fail(f"{NO_BROWSER} ({problem})", pytrace=False)
    yield launched
    launched.close()


@dataclass
class Guard:
    """What must not happen in a tab; `check` fails on it."""

    problems: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self.note_console)
        context.on("dialog", self.note_dialog)
        context.on("weberror", lambda error: self.note(f"uncaught: {error.error}"))
        context.on("request", lambda request: self.note_host(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self.note_host(socket.url)))

    def note(self, problem: str) -> None:
        self.problems.append(problem)

    def note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.note(f"console: {message.text} ({message.location['url']})")

    def note_dialog(self, dialog: Dialog) -> None:
        self.note(f"dialog: {dialog.message}")
        dialog.dismiss()

    def note_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in (
            "127.0.0.1",
            "localhost",
        ):
            self.note(f"request to another host: {url}")

    def allow(self, pattern: str) -> None:
        """Expect problems that match a regular expression in this test."""
        self.allowed.append(pattern)

    def check(self) -> None:
        bad = [
            problem for problem in self.problems if not any(re.search(each, problem) for each in self.allowed)
        ]
        assert not bad, "\n".join(bad)


@pytest.fixture
def guard() -> Iterator[Guard]:
    """What the test's tabs did wrong; its ``allow`` names what the test expects."""
    guard = Guard()
    yield guard
    guard.check()


@contextmanager
def guarded_window(browser: Browser, guard: Guard) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1400, "height": 1000}, color_scheme="light")
    opened.set_default_timeout(OPEN_TIMEOUT_MS)
    guard.watch(opened)
    yield opened
    opened.close()


@contextmanager
def guarded_page(browser: Browser) -> Iterator[tuple[Page, Guard]]:
    """Give a tab that several tests share, and the guard that each of them checks."""
    guard = Guard()
    with guarded_window(browser, guard) as window:
        yield window.new_page(), guard


def open_running(page: Page, url: str) -> None:
    """Open a dashboard and wait until its feed, a local exchange, runs."""
    page.goto(url, wait_until="commit")
    expect(page.locator(".qnb-status")).to_have_attribute("data-state", "simulated", timeout=OPEN_TIMEOUT_MS)


@pytest.fixture
def context(browser: Browser, guard: Guard) -> Iterator[BrowserContext]:
    """A guarded window of 1400 px in light colours; ``context.new_page()`` opens one more tab."""
    with guarded_window(browser, guard) as opened:
        yield opened


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A fresh, guarded tab."""
    return context.new_page()


@pytest.fixture
def dashboard_page(page: Page, dashboard: Process) -> Page:
    """A tab in which the dashboard has appeared."""
    page.goto(dashboard.url, wait_until="commit")
    page.locator(".qnb-status").first.wait_for()
    return page


@pytest.fixture(scope="module")
def _shared(browser: Browser, dashboard: Process) -> Iterator[tuple[Page, Guard]]:
    with guarded_page(browser) as (page, guard):
        open_running(page, dashboard.url)
        page.locator(".qnb-tape tbody tr").first.wait_for()
        yield page, guard


@pytest.fixture
def live(_shared: tuple[Page, Guard]) -> Iterator[Page]:
    """A guarded tab with a live feed that all tests of a file share: each sets what it needs by itself."""
    page, guard = _shared
    yield page
    try:
        guard.check()
    finally:
        guard.problems.clear()


def kernel_id(page: Page) -> str:
    """Return the id of the kernel behind a Voilà page."""
    return str(
        page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
    )
