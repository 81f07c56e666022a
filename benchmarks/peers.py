"""Programs that receive trades: other libraries, which hand them over as two floats, and quantnb.

``python peers.py NAME ADDRESS N_TRADES`` prints a `Received` as JSON. One run is one process, because each
library has its own threads and event loop, and connects again when all has been sent: with the last trade
that it hands over its process is gone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")

Receive = Callable[[float, float], None]


class Received(NamedTuple):
    """What came and how long it took: from the first trade to the last, on the wall and of the processor."""

    n_trades: int
    price_sum: float
    quantity_sum: float
    wall_s: float
    cpu_s: float


class Program(NamedTuple):
    """How a library is run, as far as two floats a trade, and the distributions that it takes."""

    run: Callable[[str, int], None]
    distributions: tuple[str, ...]


def tally(n_expected: int) -> Receive:
    """Return the callback: it adds up, and ends the process with the last trade."""
    n_trades, price_sum, quantity_sum, start_s, start_cpu_s = 0, 0.0, 0.0, 0.0, 0.0

    def receive(price: float, quantity: float) -> None:
        nonlocal n_trades, price_sum, quantity_sum, start_s, start_cpu_s
        if not n_trades:
            start_s, start_cpu_s = time.perf_counter(), time.process_time()
        n_trades += 1
        price_sum += price
        quantity_sum += quantity
        if n_trades == n_expected:
            wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - start_cpu_s
            print(json.dumps(Received(n_trades, price_sum, quantity_sum, wall_s, cpu_s)), flush=True)
            os._exit(0)

    return receive


def by_hand(address: str, n_trades: int) -> None:
    from websockets.asyncio.client import connect

    receive = tally(n_trades)

    async def listen() -> None:
        async with connect(f"{address}/market/stream") as socket:
            async for text in socket:
                data = json.loads(text)["data"]
                receive(float(data["p"]), float(data["q"]))

    asyncio.run(listen())


def by_hand_over_picows(address: str, n_trades: int) -> None:
    """Receive with the fastest of everything: what is left is what no program here can go below."""
    import msgspec
    import picows

    data_type = msgspec.defstruct("Data", [("p", str), ("q", str)])
    message_type = msgspec.defstruct("Message", [("data", data_type)])
    decode, receive = msgspec.json.Decoder(message_type).decode, tally(n_trades)

    class Listener(picows.WSListener):  # type: ignore[misc]
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == picows.WSMsgType.TEXT:
                data = decode(frame.get_payload_as_memoryview()).data
                receive(float(data.p), float(data.q))

    async def listen() -> None:
        transport, _ = await picows.ws_connect(Listener, f"{address}/market/stream")
        await transport.wait_disconnected()

    asyncio.run(listen())


def cryptofeed(address: str, n_trades: int) -> None:
    from cryptofeed import FeedHandler
    from cryptofeed.connection import WebsocketEndpoint
    from cryptofeed.defines import TRADES
    from cryptofeed.exchanges import BinanceFutures
    from cryptofeed.symbols import Symbols

    class LocalFutures(BinanceFutures):  # type: ignore[misc]
        """It takes no address but wss; the hook meant for signing one may return another."""

        websocket_endpoints: ClassVar = [
            WebsocketEndpoint(
                f"{address}/market".replace("ws:", "wss:"), options={"compression": None}, authentication=True
            )
        ]

        async def _ws_authentication(self, address: str, options: dict[str, Any]) -> Any:
            return address.replace("wss:", "ws:"), options

    receive = tally(n_trades)

    async def on_trade(trade: Any, _receipt_timestamp: float) -> None:
        receive(float(trade.price), float(trade.amount))

    names = {f"{symbol.removesuffix('USDT')}-USDT-PERP": symbol for symbol in SYMBOLS}
    Symbols.set(LocalFutures.id, names, {})  # it would ask Binance
    handler = FeedHandler({"log": {"disabled": True}, "uvloop": True})
    handler.add_feed(LocalFutures(symbols=list(names), channels=[TRADES], callbacks={TRADES: on_trade}))
    asyncio.set_event_loop(asyncio.new_event_loop())  # uvloop's, which makes none by itself any more
    handler.run()


def unicorn(address: str, n_trades: int, library: str = "websockets") -> None:
    from unicorn_binance_websocket_api import BinanceWebSocketApiManager

    receive = tally(n_trades)

    def on_message(message: dict[str, Any]) -> None:
        receive(float(message["data"]["p"]), float(message["data"]["q"]))

    manager = BinanceWebSocketApiManager(
        exchange="binance.com-futures",
        websocket_base_uri=f"{address}/market/",
        websocket_library=library,
        output_default="dict",
        warn_on_update=False,
    )
    symbols = [symbol.lower() for symbol in SYMBOLS]
    manager.create_stream(["aggTrade"], symbols, process_stream_data=on_message)
    threading.Event().wait()  # its threads do the rest


def unicorn_over_picows(address: str, n_trades: int) -> None:
    unicorn(address, n_trades, "picows")


def python_binance(address: str, n_trades: int) -> None:
    from binance import AsyncClient, BinanceSocketManager

    receive = tally(n_trades)

    async def listen() -> None:
        manager = BinanceSocketManager(AsyncClient(), max_queue_size=n_trades)  # beyond it, it gives up
        # Open: of a connection that is closed it drops what it has not handed over.
        manager.FSTREAM_URL = f"{address}/open/"
        names = [f"{symbol.lower()}@aggTrade" for symbol in SYMBOLS]
        async with manager.futures_multiplex_socket(names) as socket:
            while True:
                data = (await socket.recv())["data"]
                receive(float(data["p"]), float(data["q"]))

    asyncio.run(listen())


def ccxt(address: str, n_trades: int) -> None:
    from ccxt import pro
    from ccxt.base.errors import NetworkError

    receive = tally(n_trades)
    # Of more than the limit, which come while it is not asked, the oldest are lost.
    exchange = pro.binanceusdm({"options": {"tradesLimit": 10_000}})
    exchange.urls["api"]["ws"]["linear"] = f"{address}/ws"
    exchange.set_markets([_ccxt_market(symbol) for symbol in SYMBOLS])  # it would ask Binance
    last_ids = dict.fromkeys(exchange.symbols, 0)

    def hand_over(trades: list[dict[str, Any]]) -> None:
        for trade in trades:
            receive(trade["price"], trade["amount"])
        last_ids[trades[-1]["symbol"]] = int(trades[-1]["id"])

    async def listen() -> None:
        try:
            while True:
                hand_over(
                    await exchange.watch_trades_for_symbols(exchange.symbols, params={"name": "aggTrade"})
                )
        except NetworkError:  # the farewell; the last trades of each symbol wait for one more to be told of
            for symbol, last_id in last_ids.items():
                if rest := [trade for trade in exchange.trades[symbol] if int(trade["id"]) > last_id]:
                    hand_over(rest)

    asyncio.run(listen())


def _ccxt_market(symbol: str) -> dict[str, Any]:
    base = symbol.removesuffix("USDT")
    kind = {"type": "swap", "swap": True, "contract": True, "linear": True}
    no_kind = {"spot": False, "future": False, "option": False, "inverse": False}
    names = {"id": symbol, "lowercaseId": symbol.lower(), "symbol": f"{base}/USDT:USDT"}
    return {**names, "base": base, "quote": "USDT", "settle": "USDT", **kind, **no_kind}


def quantnb(address: str, n_trades: int, transport: str = "websockets") -> None:
    """Receive, check, store, close bars, compute; here the time counts from before the connection."""
    from bench_ingest import collect

    for name in ("httpx", f"quantnb.live.over_{transport}"):
        import_module(name)  # as theirs are before the first trade; it would do so when it connects
    os.environ["QUANTNB_TRANSPORT"] = transport
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    instruments = asyncio.run(collect(address)).instruments.values()
    n_stored = sum(each.n_trades for each in instruments)
    wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - start_cpu_s
    price_sum = sum(float(each.trades["price"].sum()) for each in instruments)
    quantity_sum = sum(float(each.trades["quantity"].sum()) for each in instruments)
    print(json.dumps(Received(n_stored, price_sum, quantity_sum, wall_s, cpu_s)))


def quantnb_over_picows(address: str, n_trades: int) -> None:
    quantnb(address, n_trades, "picows")


OURS = {
    "quantnb, websockets": Program(quantnb, ("quantnb", "websockets")),
    "quantnb, picows": Program(quantnb_over_picows, ("quantnb", "picows")),
}
TRUE = "by hand, websockets"  # what it counts and adds up is what was sent
BY_HAND = {
    TRUE: Program(by_hand, ("websockets",)),
    "by hand, picows": Program(by_hand_over_picows, ("picows",)),
}
_UNICORN = "unicorn-binance-websocket-api"
OTHERS = {
    "cryptofeed": Program(cryptofeed, ("cryptofeed",)),
    _UNICORN: Program(unicorn, (_UNICORN,)),
    f"{_UNICORN}, picows": Program(unicorn_over_picows, (_UNICORN, "picows")),
    "python-binance": Program(python_binance, ("python-binance",)),
    "ccxt": Program(ccxt, ("ccxt",)),
}
PROGRAMS = OURS | BY_HAND | OTHERS


def main() -> None:
    name, address, n_trades = sys.argv[1:]
    PROGRAMS[name].run(address, int(n_trades))


if __name__ == "__main__":
    main()
