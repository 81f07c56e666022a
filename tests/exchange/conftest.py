from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from quantnb.exchange import LocalExchange
from quantnb.exchange.listings import UNIVERSE
from quantnb.exchange.market import Market

START_MS = 1_791_382_992_488


@pytest.fixture(scope="session")
def market() -> Market:
    """A warm market that nobody advances."""
    return Market(UNIVERSE, seed=7, rate=25.0, start_ms=START_MS)


@pytest_asyncio.fixture
async def exchange() -> AsyncIterator[LocalExchange]:
    async with LocalExchange(seed=7, rate=200.0) as exchange:
        yield exchange


@pytest_asyncio.fixture
async def pair_exchange() -> AsyncIterator[LocalExchange]:
    """Only two symbols, so that it starts at once."""
    async with LocalExchange(["BTCUSDT", "ETHUSDT"], seed=7, rate=200.0) as exchange:
        yield exchange
