"""A program around python-binance: prints each message it was handed, an object a line.

Run by ``test_third_party.py`` in a process of its own, because the library's warnings and logs are its own
affair. The address is the only thing it is told about us; that it reconnects is the library's own doing.
"""

from __future__ import annotations

import asyncio
import json
import sys

from binance import AsyncClient, BinanceSocketManager


async def listen(manager: BinanceSocketManager, route: str, stream: str) -> None:
    async with manager.futures_multiplex_socket([stream], category=route) as socket:
        while True:
            # An object of the exchange as it came, or of the library itself where it lost the connection.
            print(json.dumps(await socket.recv()), flush=True)


async def main(address: str) -> None:
    manager = BinanceSocketManager(AsyncClient())
    manager.FSTREAM_URL = f"{address}/"
    await asyncio.gather(
        listen(manager, "market", "btcusdt@aggTrade"), listen(manager, "public", "btcusdt@bookTicker")
    )


asyncio.run(main(sys.argv[1]))
