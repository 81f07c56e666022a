"""python-binance in front of the local exchange: a client that others wrote for Binance takes us for it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from quantnb.exchange import LocalExchange

PROGRAM = Path(__file__).with_name("third_party.py")
PATIENCE_S = 40.0
N_ROWS = 20

Row = dict[str, Any]


class Peer:
    """The program, and what it has printed so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.rows: dict[str, list[Row]] = {"btcusdt@aggTrade": [], "btcusdt@bookTicker": []}
        self.n_lost = 0  # connections, as the library itself reports it
        self._process = process

    async def until(self, **n_rows: int) -> None:
        """Read on until it has been handed so many rows of each kind."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while any(len(self.rows[f"btcusdt@{kind}"]) < n for kind, n in n_rows.items()):
                line = await self._process.stdout.readline()
                assert line, "the program ended by itself"
                message = json.loads(line)
                if "stream" in message:
                    self.rows[message["stream"]].append(message["data"])
                else:
                    assert message["e"] == "error"
                    self.n_lost += 1

    @property
    def trades(self) -> list[Row]:
        return self.rows["btcusdt@aggTrade"]

    @property
    def quotes(self) -> list[Row]:
        return self.rows["btcusdt@bookTicker"]


@pytest.fixture
async def peer(pair_exchange: LocalExchange) -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", PROGRAM, pair_exchange.address, stdout=subprocess.PIPE
    )
    yield Peer(process)
    process.kill()
    await process.communicate()


async def test_a_third_partys_client_receives_trades_and_quotes_and_survives_a_reconnect(
    peer: Peer, pair_exchange: LocalExchange
) -> None:
    await peer.until(aggTrade=N_ROWS, bookTicker=N_ROWS)
    pair_exchange.drop(1011)
    dropped = pair_exchange.market.truth("BTCUSDT")[-1]
    while peer.trades[-1]["T"] <= dropped["time_ms"] or peer.quotes[-1]["T"] <= dropped["time_ms"]:
        await peer.until(aggTrade=len(peer.trades) + 1, bookTicker=len(peer.quotes) + 1)
    await peer.until(aggTrade=len(peer.trades) + N_ROWS, bookTicker=len(peer.quotes) + N_ROWS)
    assert peer.n_lost >= 2  # both connections

    listing = pair_exchange.market.listings["BTCUSDT"]
    truth = {int(row["trade_id"]): row for row in pair_exchange.market.truth("BTCUSDT")}
    for row in peer.trades:
        true = truth[row["a"]]
        assert row["p"] == listing.price_text(int(true["price"]))
        assert row["q"] == listing.quantity_text(int(true["quantity"]))
        assert (row["T"], row["m"]) == (true["time_ms"], true["is_buyer_maker"])
    ids = [row["a"] for row in peer.trades]
    holes = [(before, after) for before, after in pairwise(ids) if after != before + 1]
    assert len(holes) == 1  # the reconnect: a client of streams alone cannot have those
    assert holes[0][0] <= dropped["trade_id"] < holes[0][1]
    updates = [row["u"] for row in peer.quotes]
    assert updates == sorted(updates)
    assert all(float(row["b"]) < float(row["a"]) for row in peer.quotes)
