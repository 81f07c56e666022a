"""A process that sends the frames of a seeded market over plain TCP, so fast that it is never the bound.

Whoever connects gets an upgrade, whatever the path; on ``/public`` nothing follows, elsewhere the market's
aggTrades, and then a close unless the path begins with ``/open``. All at once, or at a pace; then the times
of sending are written to a file, by the clock that all processes share (``time.monotonic_ns``).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from quantnb.exchange.listings import find_listings
from quantnb.exchange.market import Market
from quantnb.exchange.payloads import agg_trade_payloads
from quantnb.feed.wire import Combined

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FAREWELL = b"\x88\x02\x03\xe8"  # a close frame, code 1000
ANSWER = b"\x88\x82"  # how the client's begins


class Fed(NamedTuple):
    """Where it listens, how many frames it sends, and where it writes when it sent them."""

    port: int
    n_frames: int
    sent: Path

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@contextmanager
def feeding(seconds: int, rate: int, pace: int = 0, enveloped: bool = True) -> Iterator[Fed]:
    """Run it: so many seconds of a market with about ``rate`` trades a second, sent ``pace`` a second."""
    with tempfile.TemporaryDirectory() as directory:
        sent = Path(directory) / "sent.npy"
        command = [sys.executable, __file__, *map(str, (seconds, rate, pace, int(enveloped), sent))]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            port, n_frames = map(int, process.stdout.readline().split())
            yield Fed(port, n_frames, sent)
        finally:
            process.terminate()
            process.wait(10)


def market_frames(seconds: int, rate: int, *, enveloped: bool = True) -> list[bytes]:
    """Return the market's frames in order of their push times, which are about now."""
    start_ms = (time.time_ns() // 1_000_000_000 - seconds // 4) * 1000
    market = Market(find_listings(SYMBOLS), seed=7, rate=rate, start_ms=start_ms)
    market.advance(start_ms + 1000 * seconds)
    payloads = [
        payload
        for symbol in SYMBOLS
        for payload in agg_trade_payloads(
            market.listings[symbol], market.tape(symbol).between(start_ms, start_ms + 1000 * seconds)
        )
    ]
    payloads.sort(key=lambda payload: payload.push_ms)
    if not enveloped:
        return [msgspec.json.encode(payload) for payload in payloads]
    return [msgspec.json.encode(Combined(f"{each.symbol.lower()}@aggTrade", each)) for each in payloads]


def on_the_wire(payload: bytes) -> bytes:
    n_bytes = len(payload)
    return b"\x81" + (bytes([n_bytes]) if n_bytes < 126 else b"\x7e" + struct.pack(">H", n_bytes)) + payload


def shake_hands(client: socket.socket) -> bytes:
    """Answer a handshake and return its first line."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += client.recv(4096)
    lines = request.split(b"\r\n")
    if b" HTTP/" not in lines[0] or b"upgrade" not in request.lower():
        raise ConnectionError("no handshake")
    key = next(line[18:].strip() for line in lines if line.lower().startswith(b"sec-websocket-key:"))
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    client.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    return lines[0]


def send(client: socket.socket, frames: list[bytes], pace: int, path: Path) -> None:
    if not pace:
        client.sendall(b"".join(frames))
        return
    sent_ns = np.zeros(len(frames), np.int64)
    start_ns = time.monotonic_ns()
    for number, frame in enumerate(frames):
        wait_s = (start_ns + number * 1_000_000_000 // pace - time.monotonic_ns()) / 1e9
        if wait_s > 0:
            time.sleep(wait_s)
        sent_ns[number] = time.monotonic_ns()
        client.sendall(frame)
    np.save(path, sent_ns)


def serve(client: socket.socket, frames: list[bytes], pace: int, path: Path) -> None:
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            asked = shake_hands(client)
            if b"/public" not in asked:
                send(client, frames, pace, path)
                if b" /open/" not in asked:
                    client.sendall(FAREWELL)
            while (heard := client.recv(65_536)) and ANSWER not in heard:
                pass
        except OSError:
            pass  # who has enough hangs up


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("seconds", "rate", "pace", "enveloped"):
        parser.add_argument(name, type=int)
    parser.add_argument("sent", type=Path)
    asked = parser.parse_args()
    frames = [
        on_the_wire(each)
        for each in market_frames(asked.seconds, asked.rate, enveloped=bool(asked.enveloped))
    ]
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], len(frames), flush=True)
        while True:
            client, _ = server.accept()
            work = (client, frames, asked.pace, asked.sent)
            threading.Thread(target=serve, args=work, daemon=True).start()


if __name__ == "__main__":
    main()
