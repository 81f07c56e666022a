"""A source keeps its feed whatever happens around it: faults of ours, a stop in between, another exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from quantnb.engine import Engine, Settings
from quantnb.events import Event, Trade
from quantnb.exchange import LocalExchange
from quantnb.source import RESTARTS, Source

SETTINGS = Settings(("BTCUSDT", "ETHUSDT"), ("ETHUSDT", "BTCUSDT"), "1s", 20)
WAIT_S = 30.0


async def until(is_so: Callable[[], object]) -> None:
    """Wait for a state."""
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await asyncio.sleep(0.01)


class Listener:
    """An engine that raises when it is told to, and a source that feeds it."""

    def __init__(self) -> None:
        self.engine = Engine(SETTINGS)
        self.n_exchanges = 0
        self.n_to_raise = 0
        self.source = Source(
            SETTINGS, on_event=self.receive, on_listed=lambda: None, on_exchange=self.meet_another
        )

    def receive(self, event: Event) -> None:
        if self.n_to_raise and isinstance(event, Trade):
            self.n_to_raise -= 1
            raise ZeroDivisionError("of the engine")
        self.engine.receive(event)

    def meet_another(self) -> None:
        self.n_exchanges += 1

    def ids(self, symbol: str = "BTCUSDT") -> np.ndarray:
        return self.engine.instruments[symbol].trades["trade_id"]

    def is_complete(self) -> bool:
        return all(len(self.ids(s)) and (np.diff(self.ids(s)) == 1).all() for s in SETTINGS.symbols)


@pytest.fixture
async def exchange() -> AsyncIterator[LocalExchange]:
    async with LocalExchange(seed=5, rate=200) as running:
        yield running


@pytest.fixture
def listener() -> Listener:
    return Listener()


Run = Callable[[str], "asyncio.Task[None]"]


@pytest.fixture
async def run(listener: Listener) -> AsyncIterator[Run]:
    tasks: list[asyncio.Task[None]] = []

    def run(feed: str) -> asyncio.Task[None]:
        tasks.append(asyncio.create_task(listener.source.run(feed)))
        return tasks[-1]

    yield run
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_after_a_fault_of_ours_the_feed_is_back_complete_and_says_what_happened(
    listener: Listener, run: Run, exchange: LocalExchange
) -> None:
    run(exchange.address)
    await until(lambda: len(listener.ids()) > 100)
    listener.n_to_raise = 2
    await until(lambda: not listener.n_to_raise)
    n_before = len(listener.ids())
    await until(lambda: len(listener.ids()) > n_before + 100 and listener.is_complete())
    notes = " ".join(listener.source.status(is_running=True).notes)
    assert "ZeroDivisionError: of the engine; it was started again" in notes


@pytest.mark.parametrize("name", ["quantnb /market 0", "quantnb /public 0", "quantnb recovery"])
async def test_a_task_of_the_feed_that_something_else_cancelled_is_there_again(
    listener: Listener, run: Run, exchange: LocalExchange, name: str
) -> None:
    def named() -> list[asyncio.Task[None]]:
        return [task for task in asyncio.all_tasks() if task.get_name() == name and not task.cancelling()]

    run(exchange.address)
    await until(lambda: len(listener.ids()) > 50)
    (before,) = named()
    before.cancel()
    await until(lambda: named() and named() != [before] and exchange.n_connections == 2)
    n_before = len(listener.ids())
    await until(lambda: len(listener.ids()) > n_before + 50 and listener.is_complete())
    assert name in " ".join(listener.source.status(is_running=True).notes)


async def test_a_fault_that_stays_ends_the_feed_with_its_name(
    listener: Listener, run: Run, exchange: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantnb.source.RESTART_AFTER_S", 0.0)
    listener.n_to_raise = 10_000
    await asyncio.wait_for(run(exchange.address), WAIT_S)
    status = listener.source.status(is_running=False)
    assert status.state == "blocked"
    assert f"{RESTARTS} times in a row" in status.reason
    assert "ZeroDivisionError" in status.reason


async def test_what_was_missed_between_a_stop_and_a_start_is_fetched(
    listener: Listener, run: Run, exchange: LocalExchange
) -> None:
    first = run(exchange.address)
    await until(lambda: len(listener.ids()) > 50)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    last_id = int(listener.ids()[-1])
    tape = exchange.market.tape("BTCUSDT")
    await until(lambda: len(tape.from_id(last_id + 50, exchange.market.visible_ms, 1)))
    run(exchange.address)
    await until(lambda: listener.ids()[-1] > last_id + 60 and listener.is_complete())
    assert listener.n_exchanges == 0


async def test_another_exchange_is_told_and_starts_another_ledger(
    listener: Listener, run: Run, exchange: LocalExchange
) -> None:
    first = run(exchange.address)
    await until(lambda: len(listener.ids()) > 50)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    async with LocalExchange(seed=6, rate=200) as other:
        listener.source.forget()
        second = run(other.address)
        await until(lambda: listener.n_exchanges == 1)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
    assert listener.source.status(is_running=False).holes == ()
