"""``quantnb``: the command line. A command's own code is loaded only when that command is asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from quantnb import __version__
from quantnb.errors import QuantnbError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 1 after a sentence on standard error."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser(words[0] if words else "").parse_args(words)
    try:
        return int(options.run(options))
    except QuantnbError as error:
        print(f"quantnb {options.command}: {error}", file=sys.stderr)
        return 1


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="quantnb", description="A live quant dashboard for Binance USD-M Futures."
    )
    parser.add_argument("--version", action="version", version=f"quantnb {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _add_dashboard(commands.add_parser("dashboard", help="serve the dashboard to a browser"))
    exchange = commands.add_parser("exchange", help="run the local, simulated exchange")
    if command == "exchange":
        from quantnb.exchange import command as exchange_command

        exchange_command.add_arguments(exchange)
        exchange.set_defaults(run=exchange_command.run)
    return parser


def _add_dashboard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, help="port to listen on (default: 8866, else the next free one)")
    parser.add_argument("--ip", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--feed",
        help="auto, live, testnet, sim or an exchange's own address such as ws://127.0.0.1:9443 "
        "(default: QUANTNB_FEED, else auto)",
    )
    parser.add_argument("--symbols", help="such as BTCUSDT,ETHUSDT (default: QUANTNB_SYMBOLS)")
    parser.add_argument("--theme", choices=("auto", "light", "dark"), default="auto", help="colours")
    parser.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    parser.set_defaults(run=_run_dashboard)


def _run_dashboard(options: argparse.Namespace) -> int:
    from quantnb.server import serve

    return serve(
        ip=options.ip,
        port=options.port,
        feed=options.feed,
        symbols=options.symbols,
        theme=options.theme,
        open_browser=not options.no_browser,
    )
