"""The command line, run as a user runs it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from quantnb import __version__
from quantnb.cli import main

QUANTNB = Path(sys.executable).with_name("quantnb")


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a command until its first line; give the process and that line."""
    process = subprocess.Popen([QUANTNB, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline()
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"quantnb {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["dashbord"], ["dashboard", "--port", "x"], ["exchange", "--colour"]]
)
def test_a_wrong_word_shows_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: quantnb" in capsys.readouterr().err


def test_a_port_in_use_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["dashboard", "--no-browser", "--port", str(port)]) == 1
    sentence = f"quantnb dashboard: port {port} is in use; choose another with --port, or leave it out\n"
    assert capsys.readouterr().err == sentence


@pytest.mark.parametrize(("option", "value"), [("--feed", "binnance"), ("--symbols", "BTCUSDT")])
def test_a_wrong_feed_or_list_of_symbols_is_told_before_anything_starts(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard", "--no-browser", "--port", "0", option, value]) == 1
    sentence = capsys.readouterr().err
    assert sentence.startswith("quantnb dashboard: ")
    assert sentence.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_dashboard_prints_its_address_and_ends_with_its_kernels(number: signal.Signals) -> None:
    with running("dashboard", "--no-browser", "--port", "0", "--feed", "sim") as (process, line):
        address = re.fullmatch(r"quantnb dashboard: (http://127\.0\.0\.1:\d+/)  \(Ctrl-C to stop\)\n", line)
        assert address, line
        assert "kernelId" in httpx.get(address[1], timeout=60).text
        kernels = psutil.Process(process.pid).children(recursive=True)
        assert kernels
        process.send_signal(number)
        assert process.wait(30) == 0
        gone, alive = psutil.wait_procs(kernels, timeout=30)
        assert gone
        assert not alive


def test_the_dashboard_opens_a_browser_at_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    os.mkfifo(opened)  # reading waits until the browser has written
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{opened}"\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    with running("dashboard", "--port", "0", "--feed", "sim") as (_, line):
        assert opened.read_text() == re.search(r"http://\S+", line)[0]  # type: ignore[index]


def test_a_kernel_of_the_dashboard_is_told_feed_and_symbols() -> None:
    address = "ws://127.0.0.1:9"
    with running(
        "dashboard", "--no-browser", "--port", "0", "--feed", address, "--symbols", "ETHUSDT,BTCUSDT"
    ) as (process, line):
        httpx.get(line.split()[2], timeout=60)
        (kernel,) = psutil.Process(process.pid).children()
        environment = kernel.environ()
    assert environment["QUANTNB_FEED"] == address
    assert environment["QUANTNB_SYMBOLS"] == "ETHUSDT,BTCUSDT"
    assert environment["JUPYTER_WIDGETS_ECHO"] == "0"


def test_the_exchange_prints_its_address_when_it_is_ready() -> None:
    with running("exchange", "--port", "0", "--seed", "7") as (process, line):
        found = re.search(r"ws://(127\.0\.0\.1:\d+)", line)
        assert found, line
        assert httpx.get(f"http://{found[1]}/fapi/v1/ping").json() == {}
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_module_run_is_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "quantnb", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    assert ran.stdout == f"quantnb {__version__}\n"
