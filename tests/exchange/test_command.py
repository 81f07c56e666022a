from __future__ import annotations

import argparse
import re
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from quantnb.exchange.command import add_arguments, run

SCRIPT = (
    "import argparse, sys; from quantnb.exchange.command import add_arguments, run;"
    "parser = argparse.ArgumentParser(); add_arguments(parser); sys.exit(run(parser.parse_args()))"
)


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_one_line_when_ready_and_ends_quietly(number: signal.Signals) -> None:
    words = ["--port", "0", "--symbols", "btcusdt, ETHUSDT"]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    line = process.stdout.readline()
    assert re.fullmatch(
        r"quantnb exchange: ws://127\.0\.0\.1:\d+ \(WebSocket and REST\), seed \d+, 2 symbols\n", line
    )
    process.send_signal(number)
    assert process.communicate() == ("", "")
    assert process.returncode == 0


def test_a_port_in_use_is_a_sentence_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(parsed("--port", str(port), "--symbols", "BTCUSDT")) == 1
    assert f"Port {port} on 127.0.0.1 is in use" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("--symbols", "FOO"),
        ("--seed", "-1"),
        ("--rate", "0"),
        ("--port", "70000"),
        ("--fault", "half-opn"),
        ("--fault", "drop:1005"),
        ("--port", "0", "--symbols", "BTCUSDT", "--fault", "silent-stream:foousdt@*"),
    ],
)
def test_bad_input_is_a_sentence_and_an_exit_code(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(parsed(*words)) == 1
    assert re.fullmatch(r"quantnb exchange: .+\.\n", capsys.readouterr().err)


def test_a_wrong_fault_is_a_sentence_that_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(parsed("--fault", "half-open:5", "--fault", "half-opn:5")) == 1
    message = capsys.readouterr().err
    assert message.startswith("quantnb exchange: No fault is called 'half-opn' (did you mean half-open?);")


def test_the_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(parsed("--fault", "help")) == 0
    assert "\n  half-open:for=" in capsys.readouterr().out


def test_faults_are_named_when_it_starts_and_take_effect() -> None:
    words = ["--port", "0", "--symbols", "BTCUSDT", "--fault", "rest-503:9", "--fault", "untrusted-tls"]
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT, *words], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            address = re.search(r"wss://(\S+)", process.stdout.readline())
            assert address
            faults = process.stdout.readline()
            reply = httpx.get(f"https://{address[1]}/fapi/v1/ping", verify=False)
        finally:
            process.terminate()
    assert faults == "quantnb exchange: faults rest-503:retry=9, untrusted-tls\n"
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "9")
