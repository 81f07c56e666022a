"""Real frames through decoder, order, store and bars, against a plain recount of the same lines."""

from __future__ import annotations

import heapq
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quantnb.engine import Engine, Settings
from quantnb.events import Trade
from quantnb.feed.decode import decode
from quantnb.feed.ledger import Ledger
from quantnb.frames import bars_frame, trades_frame
from tests.feed.recordings import LARGE, agg_trades, encode

pytestmark = pytest.mark.recorded

SETTINGS = Settings(("BTCUSDT", "ETHUSDT"), ("ETHUSDT", "BTCUSDT"), "1s", 20)


@cache
def groups() -> tuple[tuple[int, str, int, list[dict[str, Any]]], ...]:
    """Return both symbols' aggregate trades in order of their receive times."""
    streams = [
        [
            (received_ns, name, number, group)
            for number, (received_ns, group) in enumerate(agg_trades(name), 1)
        ]
        for name in LARGE
    ]
    return tuple(heapq.merge(*streams, key=lambda each: each[0]))


def replay(receive_shift_ns: int = 0) -> Engine:
    engine, ledger = Engine(SETTINGS), Ledger()
    for received_ns, _, number, group in groups():
        for event in decode(encode(number, group), received_ns + receive_shift_ns):
            assert isinstance(event, Trade)
            for ordered in ledger.receive(event):
                engine.receive(ordered)
    return engine


def recount(symbol: str) -> pd.DataFrame:
    rows = [
        (number, float(group[0]["p"]), sum(float(each["q"]) for each in group), group[-1]["T"])
        for _, name, number, group in groups()
        if name.startswith(symbol.lower())
    ]
    frame = pd.DataFrame(rows, columns=["trade_id", "price", "quantity", "ms"])
    return frame.set_index(pd.to_datetime(frame.pop("ms"), unit="ms", utc=True))


@pytest.mark.parametrize("symbol", SETTINGS.symbols)
def test_the_store_holds_what_a_plain_recount_finds(symbol: str) -> None:
    stored, plain = trades_frame(replay().instruments[symbol]), recount(symbol)
    assert len(stored) == len(plain) > 500
    assert stored["trade_id"].iloc[[0, -1]].tolist() == [1, len(plain)]
    assert stored["quantity"].sum() == pytest.approx(plain["quantity"].sum(), rel=1e-12)
    assert stored["price"].tolist() == plain["price"].tolist()


@pytest.mark.parametrize("symbol", SETTINGS.symbols)
def test_bars_agree_with_pandas_on_the_recount(symbol: str) -> None:
    bars, plain = bars_frame(replay().instruments[symbol]), recount(symbol)
    seconds = plain["price"].resample("1s")
    expected = seconds.ohlc().assign(volume=plain["quantity"].resample("1s").sum(), n=seconds.count())
    expected = expected.loc[bars.index]
    traded = expected["n"] > 0
    assert traded.sum() > 60
    np.testing.assert_array_equal(bars["n_trades"], expected["n"])
    np.testing.assert_array_equal(bars["filled"], ~traded)
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(bars.loc[traded, name], expected.loc[traded, name])
    np.testing.assert_allclose(bars["volume"], expected["volume"], rtol=1e-12)


def test_a_receive_clock_behind_or_ahead_changes_no_statistic() -> None:
    behind, ahead = replay(), replay(receive_shift_ns=7_000_000_000)
    for name in ("y", "x", "spread", "zscore", "correlation"):
        np.testing.assert_array_equal(behind.analytics.columns[name], ahead.analytics.columns[name])
    assert np.isfinite(behind.analytics.columns["zscore"]).sum() > 20
