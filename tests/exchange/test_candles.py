from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from quantnb.exchange.candles import CANDLE, Candles, Rows, candle_of, close_ms, fold, open_ms
from quantnb.exchange.instrument import TRADE


def ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("interval", "opens", "closes"),
    [
        ("1m", "2026-10-07T12:34", "2026-10-07T12:34:59.999"),
        ("15m", "2026-10-07T12:30", "2026-10-07T12:44:59.999"),
        ("4h", "2026-10-07T12:00", "2026-10-07T15:59:59.999"),
        ("1d", "2026-10-07", "2026-10-07T23:59:59.999"),
        ("1w", "2026-10-05", "2026-10-11T23:59:59.999"),  # weeks open on Monday
        ("1M", "2026-10-01", "2026-10-31T23:59:59.999"),
    ],
)
def test_bars_open_on_the_calendar_of_their_interval(interval: str, opens: str, closes: str) -> None:
    opened = int(open_ms(np.array([ms("2026-10-07T12:34:56")]), interval)[0])
    assert opened == ms(opens)
    assert close_ms(opened, interval) == ms(closes)


def test_a_candle_is_a_fold_over_its_trades() -> None:
    trades = np.zeros(3, TRADE)
    trades["price"] = [100, 104, 99]
    trades["quantity"] = [5, 1, 2]
    trades["is_buyer_maker"] = [False, True, False]
    trades["first_raw_id"], trades["n_raw"] = [10, 13, 14], [3, 1, 2]
    row = candle_of(trades, 60_000, previous_close=90)[0]
    assert dict(zip(CANDLE.names or (), row.tolist(), strict=True)) == {
        "open_ms": 60_000,
        "open": 100,
        "high": 104,
        "low": 99,
        "close": 99,
        "volume": 8,
        "quote_volume": 802,
        "taker_volume": 7,
        "taker_quote_volume": 698,
        "n_trades": 6,
        "first_raw_id": 10,
        "last_raw_id": 15,
    }


def test_a_minute_without_trades_is_flat_and_has_no_ids() -> None:
    row = candle_of(np.empty(0, TRADE), 60_000, previous_close=90)[0]
    assert [int(row[name]) for name in ("open", "high", "low", "close")] == [90] * 4
    assert row["volume"] == row["n_trades"] == 0
    assert row["first_raw_id"] == row["last_raw_id"] == -1


def minutes(n: int, first_ms: int = 0) -> Rows:
    rng = np.random.default_rng(5)
    rows = np.zeros(n, CANDLE)
    rows["open_ms"] = first_ms + 60_000 * np.arange(n)
    for name in CANDLE.names[1:]:  # type: ignore[index]
        rows[name] = rng.integers(1, 100, n)
    return rows


def test_folding_twice_is_folding_once() -> None:
    rows = minutes(1_000)
    np.testing.assert_array_equal(fold(fold(rows, "15m"), "1h"), fold(rows, "1h"))


def test_an_empty_minute_lends_no_id_to_the_longer_bar() -> None:
    rows = minutes(3)
    rows["first_raw_id"], rows["last_raw_id"] = [-1, 20, -1], [-1, 25, -1]
    (bar,) = fold(rows, "5m")
    assert (bar["first_raw_id"], bar["last_raw_id"]) == (20, 25)


def test_candles_make_their_history_only_when_somebody_asks() -> None:
    asked = []

    def history() -> Rows:
        asked.append(True)
        return minutes(10)

    candles = Candles(history, close=90)
    candles.append(minutes(1, first_ms=600_000))
    assert not asked
    assert candles.rows["open_ms"].tolist() == list(range(0, 660_000, 60_000))
    candles.append(minutes(1, first_ms=660_000))
    assert len(candles.rows) == 12
    assert len(asked) == 1
