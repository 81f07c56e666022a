"""One stream of sixty falls silent, and all others flow."""

from __future__ import annotations

import time

import pytest

from quantnb.exchange import DEFAULT_UNIVERSE
from quantnb.session import Session

from .watch import WELL, Watch, Witness

SYMBOLS = DEFAULT_UNIVERSE[:20]
RATE = 400.0  # even the least traded of them has several trades a second
FOUND_WITHIN_S = 5.0
BACK_WITHIN_S = 2.0
PATIENCE_S = 30.0


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        ("linkusdt@aggTrade", "no trades of LINKUSDT for 5 s"),
        ("xrpusdt@bookTicker", "no quotes of XRPUSDT for 5 s"),
        ("adausdt@markPrice@1s", "no mark prices of ADAUSDT for 5 s"),
    ],
)
async def test_a_single_silent_stream_among_twenty_symbols_is_found_and_named_within_five_seconds(
    stream: str, words: str
) -> None:
    async with Witness(symbols=SYMBOLS, seed=7, rate=RATE) as exchange:
        session = Session(symbols=SYMBOLS, feed=exchange.address, window=20)
        watch = Watch(session, exchange)
        session.start()
        states = {each.name: each.state for each in session.snapshot.status.streams}

        def are_all_live() -> bool:
            states.update({each.name: each.state for each in watch.status.streams})
            return watch.status.state in WELL and set(states.values()) == {"live"}

        assert await watch.until(are_all_live, PATIENCE_S), states
        began_s = time.monotonic()
        exchange.inject(f"silent-stream:{stream}")
        assert await watch.until(lambda: watch.shows(("stale",), words), PATIENCE_S), watch.states
        found_s = time.monotonic() - began_s
        silent = {each.name for each in watch.status.streams if each.state == "silent"}
        exchange.heal()
        healed_s = time.monotonic()
        assert await watch.until(lambda: watch.status.state in WELL, PATIENCE_S), watch.states
        back_s = time.monotonic() - healed_s
        await session.stop()
    print(f"{stream}: found after {found_s:.2f} s, back after {back_s:.2f} s")
    assert silent == {stream}
    assert found_s <= FOUND_WITHIN_S
    assert back_s <= BACK_WITHIN_S
    assert not watch.lies


async def test_a_market_in_which_nothing_happens_is_not_called_silent() -> None:
    async with Witness(symbols=SYMBOLS[:6], seed=7, rate=0.5) as exchange:
        session = Session(symbols=SYMBOLS[:6], feed=exchange.address, window=20)
        watch = Watch(session, exchange)
        session.start()

        def is_quiet_for_long() -> bool:
            trades = [each for each in watch.status.streams if each.name.endswith("@aggTrade")]
            return bool(trades) and {each.state for each in trades} <= {"quiet", "live"}

        assert await watch.until(is_quiet_for_long, PATIENCE_S), watch.status.streams
        await watch.until(lambda: watch.status.state not in WELL, 2 * FOUND_WITHIN_S)
        await session.stop()
    print(watch.states)
    assert {state for _, state, _ in watch.states} == {"connecting", "simulated", "stopped"}
