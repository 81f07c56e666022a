"""``quantnb exchange``: run a local exchange until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import signal
import sys

from quantnb.errors import QuantnbError
from quantnb.exchange.faults import fault_table
from quantnb.exchange.listings import DEFAULT_UNIVERSE
from quantnb.exchange.server import DEFAULT_RATE, LocalExchange

__all__ = ["add_arguments", "run"]

DEFAULT_PORT = 8765


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``quantnb exchange``."""
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="where to listen on 127.0.0.1; 0: any")
    parser.add_argument("--seed", type=int, default=None, help="makes the market repeatable; default: any")
    parser.add_argument("--symbols", default=None, help="comma-separated, e.g. BTCUSDT,ETHUSDT; default: all")
    parser.add_argument(
        "--rate",
        type=float,
        default=DEFAULT_RATE,
        help="mean trades per second of BTCUSDT, ETHUSDT and SOLUSDT together (default: %(default)g)",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[:ARGS]",
        help="let something go wrong, e.g. half-open:at=20,for=5; may be repeated; help: lists all",
    )
    parser.add_argument("--fault-seed", type=int, default=0, help="makes the faults' chance repeatable")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit code."""
    if "help" in arguments.fault:
        sys.stdout.write(f"{fault_table()}\n")
        return 0
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    symbols = DEFAULT_UNIVERSE
    if arguments.symbols is not None:
        symbols = tuple(name.strip().upper() for name in arguments.symbols.split(",") if name.strip())
    try:
        exchange = LocalExchange(
            symbols,
            seed=seed,
            rate=arguments.rate,
            port=arguments.port,
            faults=arguments.fault,
            fault_seed=arguments.fault_seed,
        )
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(exchange))
    except QuantnbError as error:
        sys.stderr.write(f"quantnb exchange: {error}\n")
        return 1
    return 0


async def _serve(exchange: LocalExchange) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C is a KeyboardInterrupt there
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
    async with exchange:
        sys.stdout.write(
            f"quantnb exchange: {exchange.address} (WebSocket and REST), seed {exchange.seed},"
            f" {len(exchange.listings)} symbols\n"
        )
        if exchange.faults:
            sys.stdout.write(f"quantnb exchange: faults {', '.join(map(str, exchange.faults))}\n")
        sys.stdout.flush()
        await stopped.wait()
