"""What all of ours that ask one exchange share."""

from __future__ import annotations

import asyncio

from quantnb.feed.routes import Endpoints
from quantnb.live.choose import Choice
from quantnb.live.clock import SystemClock
from quantnb.live.rest import Rest
from quantnb.venues import Venues

SIM = Choice(None, "as asked for")


async def test_the_local_exchange_runs_until_its_last_user_leaves() -> None:
    venues = Venues(SystemClock())
    async with venues.reach(SIM) as access:
        async with venues.open(SIM) as endpoints:
            assert endpoints == access.endpoints
            assert (endpoints.name, endpoints.is_simulated) == ("sim", True)
        await access.rest.ping()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "quantnb exchange"]


async def test_it_is_the_same_market_when_it_is_opened_again() -> None:
    venues = Venues(SystemClock())
    end_ms = SystemClock().now().wall_ns // 10**6 // 60_000 * 60_000 - 300_001
    closes = []
    for _ in range(2):
        async with venues.reach(SIM) as access:
            closes.append([bar.close for bar in await access.rest.klines("BTCUSDT", "1m", end_ms=end_ms)])
    assert closes[0] == closes[1]


async def test_weight_and_ban_are_one_for_all_who_ask_an_exchange() -> None:
    venues = Venues(SystemClock())
    here, there = (Endpoints.at(f"ws://127.0.0.1:{port}") for port in (1, 2))
    assert venues.limits(here) is venues.limits(Endpoints.at(here.name))
    assert venues.limits(here)[1] is not venues.limits(there)[1]
    async with venues.reach(Choice(here, "")) as access:
        assert (access.ban, access.budget) == venues.limits(here)
        assert isinstance(access.rest, Rest)
