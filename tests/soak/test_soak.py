"""Faults of every kind at once, over virtual time and over sockets: nothing is lost, nothing comes twice.

``make soak`` is the long form. Seeds are printed, and the same seed gives the same virtual run.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pandas as pd
import pytest

from quantnb.engine.settings import MEMORY_MB
from quantnb.exchange import LocalExchange
from quantnb.exchange.kinds import GARBAGE, KINDS
from quantnb.frames import bars_frame, trades_frame
from quantnb.session import Session
from tests.soak.scenario import DROPS, ELSEWHERE, GARBAGE_KINDS, STEADY, script
from tests.soak.truth import SECOND_NS, compare
from tests.soak.virtual import START_MS, Soak, check

N_TRADES, N_DROPS, RATE = 30_000, 12, 20.0
WITHIN_S = 100.0
LIVE_SEED, LIVE_S, LIVE_DROPS = 5, 15.0, 10
DROPS_S = 9.0  # the rest of the time is for frames
QUICK_DROPS = [
    drop for drop in DROPS if drop.partition(":")[2] not in ("1008", "1012", "1013")
]  # no 5 s wait
COMPLETE_WITHIN_S = 30.0


@pytest.fixture(scope="module")
def soak() -> Soak:
    """A run that is over, with its result."""
    run = Soak(N_TRADES, N_DROPS, seed=3, rate=RATE)
    print(run.run(most_s=WITHIN_S))
    return run


def test_every_trade_and_every_bar_is_there_once_whatever_goes_wrong(soak: Soak) -> None:
    result = soak.result
    assert result.n_published >= N_TRADES
    assert result.n_lost_connections >= N_DROPS
    assert [str(verdict) for verdict in result.verdicts if not verdict.is_perfect] == []
    assert result.n_twice == 0
    assert result.coverage == 1.0


def test_after_the_last_fault_the_feed_is_well_again(soak: Soak) -> None:
    assert soak.result.final_state == "simulated"
    assert soak.client.ledger.holes() == ()


def test_the_same_holds_where_the_store_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of all symbols together 12,000 trades are kept: more than an outage takes.
    monkeypatch.setattr("quantnb.engine.engine.TRADE_BYTES", round(MEMORY_MB * 1e6) // 12_000)
    run = Soak(20_000, 3, seed=21, rate=RATE)
    result = run.run(most_s=WITHIN_S)
    assert sum(each.trades.first > 0 for each in run.client.engine.instruments.values()) > 1
    assert result.is_perfect, result


def test_every_kind_of_garbage_and_every_steady_fault_occurred(soak: Soak) -> None:
    hits = soak.result.faults
    assert [kind for kind in GARBAGE_KINDS if not hits[f"garbage {kind}"]] == []
    assert [fault for fault in STEADY if not hits[fault.partition(":")[0]]] == []
    assert set(GARBAGE_KINDS) | {"any"} == set(GARBAGE)


def test_the_long_form_knows_every_fault_of_the_exchange() -> None:
    names = {fault.partition(":")[0] for _, fault in script(seed=1, duration_s=8_000, n_drops=len(DROPS))}
    assert names | set(ELSEWHERE) == set(KINDS)


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (lambda trades: trades.drop(trades.index[[-2_000]]), "n_lost"),
        (lambda trades: pd.concat([trades, trades.iloc[-1:]]), "n_duplicated"),
        (lambda trades: trades.iloc[[1, 0, *range(2, len(trades))]], "n_out_of_order"),
        (lambda trades: trades.assign(quantity=trades["quantity"] * (1 + 1e-15)), "n_wrong"),
        (lambda trades: trades.iloc[:-400], "n_lost"),
    ],
    ids=["one is missing", "one twice", "two exchanged", "the last bit of a number", "the end is missing"],
)
def test_the_comparison_finds_what_is_wrong_with_trades(soak: Soak, damage: Any, name: str) -> None:
    instrument, market = soak.client.engine.instruments["BTCUSDT"], soak.exchange.market
    trades = damage(trades_frame(instrument))
    bars, until_ms = bars_frame(instrument), market.visible_ms - 1_000
    verdict = compare(market, "BTCUSDT", trades, bars, since_ms=START_MS, until_ms=until_ms)
    assert getattr(verdict, name) > 0
    assert not verdict.is_perfect


def test_the_comparison_finds_what_is_wrong_with_a_bar(soak: Soak) -> None:
    instrument, market = soak.client.engine.instruments["SOLUSDT"], soak.exchange.market
    flagged = {trade_id for symbol, trade_id in soak.client.flagged if symbol == "SOLUSDT"}
    trades, bars = trades_frame(instrument), bars_frame(instrument)
    span = {"since_ms": START_MS, "until_ms": market.visible_ms - 1_000}
    assert compare(market, "SOLUSDT", trades, bars, flagged=flagged, **span).is_perfect
    bars.iloc[100, bars.columns.get_loc("close")] *= 1 + 1e-15
    assert compare(market, "SOLUSDT", trades, bars, flagged=flagged, **span).n_bars_wrong == 1
    assert compare(market, "SOLUSDT", trades, bars.iloc[:-10], flagged=flagged, **span).n_bars_wrong > 0


def test_counts_that_do_not_add_up_are_found(soak: Soak) -> None:
    counts = dict(soak.result.counts)
    check(counts)
    with pytest.raises(AssertionError, match="accounted for"):
        check(counts | {"rejected": counts["rejected"] - 1})


def _live_script() -> list[tuple[float, str]]:
    """Frames spoiled all the time, without wrong prices: nobody here is told which trades these were."""
    kinds = [kind for kind in GARBAGE_KINDS if kind != "off-mark"]
    garbage = [f"garbage:{kind},p={0.03 / len(kinds)}" for kind in kinds]
    steady = [*STEADY, *garbage, "rest-cut:p=0.01", "rest-503:p=0.01"]
    every_s = DROPS_S / LIVE_DROPS
    drops = [(1.0 + every_s * k, QUICK_DROPS[k % len(QUICK_DROPS)]) for k in range(LIVE_DROPS)]
    return [*((1.0, fault) for fault in steady), *drops]


async def test_the_same_holds_of_a_session_over_real_sockets(tmp_path: Any) -> None:
    print(f"seed {LIVE_SEED}")
    looks: list[str] = []
    async with LocalExchange(
        seed=LIVE_SEED, rate=150.0, fault_seed=LIVE_SEED, script=_live_script()
    ) as exchange:
        session = Session(feed=exchange.address, window=20)

        def look(_change: Any) -> None:
            status = session.snapshot.status
            check(status.counts)
            looks.append(status.state)

        session.observe(look, "snapshot")
        since_ms = exchange.market.visible_ms
        session.start()
        await asyncio.sleep(LIVE_S)
        exchange.heal()
        until_ms = exchange.market.visible_ms
        async with asyncio.timeout(COMPLETE_WITHIN_S):
            while not _is_complete(session, until_ms):
                await asyncio.sleep(0.1)
        for symbol in session.symbols:
            verdict = compare(
                exchange.market,
                symbol,
                session.trades(symbol),
                session.bars(symbol),
                since_ms=since_ms,
                until_ms=until_ms,
            )
            print(verdict)
            assert verdict.is_perfect, verdict
        counts = session.snapshot.status.counts
        print(dict(counts))
        assert counts["stored"] > 500
        assert counts["rejected"] > 0
        assert counts["duplicate"] > 0
        assert len(looks) > 20
        assert session.snapshot.status.coverage == 1.0
        await session.stop()


def _is_complete(session: Session, until_ms: int) -> bool:
    """Return whether nothing is missing, all bars until then are closed, and the feed is well."""
    status = session.snapshot.status
    is_whole = status.state == "simulated" and status.coverage == 1.0 and not status.history
    newest_ns = [session.bars(symbol).index[-1].value for symbol in session.symbols if is_whole]
    return is_whole and all(each > until_ms * 1_000_000 + 2 * SECOND_NS for each in newest_ns)
