"""What the exchange knows, held against what a session stores: every trade, every bar, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from quantnb.exchange.market import Market
from quantnb.stats import resample_ohlc
from quantnb.stats.bars import aggregate_bars

SECOND_NS = 1_000_000_000
PRICES = ["open", "high", "low", "close"]
OFF_MARK = 0.25  # a falsified price is so far from the true one
OPEN_BARS_NS = 3 * SECOND_NS  # the newest bars may still be open


@dataclass
class Verdict:
    """How a symbol compares with the truth; a perfect one has only zeros after the counts."""

    symbol: str
    n_trades: int = 0
    n_bars: int = 0
    n_klines: int = 0
    n_falsified: int = 0  # prices that the exchange sent 25 % off, and that were flagged and kept
    n_lost: int = 0
    n_duplicated: int = 0
    n_out_of_order: int = 0
    n_wrong: int = 0
    n_bars_wrong: int = 0
    n_klines_wrong: int = 0

    @property
    def is_perfect(self) -> bool:
        wrong = self.n_lost, self.n_duplicated, self.n_out_of_order, self.n_wrong
        return self.n_bars > 0 and not any((*wrong, self.n_bars_wrong, self.n_klines_wrong))

    def __str__(self) -> str:
        return (
            f"{self.symbol:8} {self.n_trades:9,} trades: {self.n_lost} lost, {self.n_duplicated} duplicated, "
            f"{self.n_out_of_order} out of order, {self.n_wrong} wrong, {self.n_falsified} falsified; "
            f"{self.n_bars:6,} bars of 1s: {self.n_bars_wrong} differ; "
            f"{self.n_klines:3,} klines of 1m: {self.n_klines_wrong} differ"
        )


def truth_frame(market: Market, symbol: str) -> pd.DataFrame:
    """Return the exchange's trades as `trades_frame` does: numbers are read from their wire texts."""
    trades, listing = market.truth(symbol), market.listings[symbol]
    times = trades["time_ms"].astype("datetime64[ms]").astype("datetime64[ns]")
    return pd.DataFrame(
        {
            "trade_id": trades["trade_id"],
            "price": _floats(trades["price"], listing.price_text),
            "quantity": _floats(trades["quantity"], listing.quantity_text),
            "side": np.where(trades["is_buyer_maker"], "SELL", "BUY"),
        },
        index=pd.DatetimeIndex(times, tz="UTC"),
    )


def compare(
    market: Market,
    symbol: str,
    trades: pd.DataFrame,
    bars: pd.DataFrame,
    *,
    since_ms: int,
    until_ms: int,
    flagged: Collection[int] = (),
    n_dropped: int = 0,
) -> Verdict:
    """Compare trades and bars of 1s with the exchange's.

    Nothing of ``[since_ms, until_ms)`` may be missing, nor of what lies beyond and is held; where the store
    was full and dropped its oldest trades, nothing after these. Trades with ``flagged`` ids may have the
    price that the exchange falsified; of those that were dropped, ``flagged`` tells it, as a mapping.
    """
    verdict, ids = Verdict(symbol, len(trades)), trades["trade_id"].to_numpy()
    told = truth_frame(market, symbol)
    since, until = (pd.Timestamp(ms, unit="ms", tz="UTC") for ms in (since_ms, until_ms))
    is_due = (told.index >= since) & (told.index < until)
    told = told[is_due | ((told["trade_id"] >= ids.min()) & (told["trade_id"] <= ids.max()))]
    kept = told[told["trade_id"] >= ids.min()] if n_dropped else told
    verdict.n_duplicated = len(ids) - len(np.unique(ids))
    verdict.n_out_of_order = int((np.diff(ids) < 0).sum())
    verdict.n_lost = len(np.setdiff1d(kept["trade_id"], ids))
    verdict.n_wrong = len(np.setdiff1d(ids, kept["trade_id"]))
    if not verdict.n_lost and len(trades) == len(kept):
        kept = _as_sent(verdict, trades, kept, flagged)
        gone = told[: len(told) - len(kept)]
        if isinstance(flagged, Mapping):
            gone = gone.assign(price=gone["trade_id"].map(flagged).fillna(gone["price"]))
        told = pd.concat([gone.assign(is_falsified=gone["trade_id"].isin(list(flagged))), kept])
        is_whole = bool(n_dropped) or _begins_early(told, bars)
        verdict.n_bars_wrong = _n_bars_wrong(verdict, told, bars) if is_whole else max(1, len(bars))
        verdict.n_klines_wrong = _n_klines_wrong(verdict, told, market)
    return verdict


def _floats(values: np.ndarray, text: Callable[[int], str]) -> np.ndarray:
    distinct, where = np.unique(values, return_inverse=True)
    return np.array([float(text(int(value))) for value in distinct])[where]


def _as_sent(
    verdict: Verdict, trades: pd.DataFrame, told: pd.DataFrame, flagged: Collection[int]
) -> pd.DataFrame:
    """Return the truth with the prices that the exchange falsified, where these were flagged."""
    price, sent = told["price"].to_numpy(), trades["price"].to_numpy()
    is_off = price != sent
    is_excused = is_off & np.isin(trades["trade_id"], list(flagged))
    is_excused &= np.abs(np.abs(sent / price - 1.0) - OFF_MARK) < 1e-3
    same = (trades.index == told.index) & (is_excused | ~is_off)
    for name in ("trade_id", "quantity", "side"):
        same &= trades[name].to_numpy() == told[name].to_numpy()
    verdict.n_falsified, verdict.n_wrong = int(is_excused.sum()), int((~same).sum())
    return told.assign(price=np.where(is_excused, sent, price), is_falsified=is_excused)


def _begins_early(told: pd.DataFrame, bars: pd.DataFrame) -> bool:
    """Return whether no bar of which all trades are held is missing at the beginning."""
    first_ns = (told.index.asi8[0] // SECOND_NS + 1) * SECOND_NS
    opens = bars.index[~bars["history"]].asi8
    return len(opens) > 0 and opens[0] <= first_ns


def _n_bars_wrong(verdict: Verdict, told: pd.DataFrame, bars: pd.DataFrame) -> int:
    """Hold bars against those made in one go of the exchange's own trades."""
    bars = bars[~bars["history"]].drop(columns="history")
    verdict.n_bars = len(bars)
    times, opens = told.index.asi8, bars.index.asi8
    if not len(opens) or opens[-1] < times[-1] - OPEN_BARS_NS:
        return max(1, len(bars))
    start_ns, end_ns = int(opens[0]), int(opens[-1]) + SECOND_NS
    inside, before = (times >= start_ns) & (times < end_ns), np.flatnonzero(times < start_ns)
    price, quantity = told["price"].to_numpy(), told["quantity"].to_numpy()
    expected = aggregate_bars(
        times[inside],
        price[inside],
        quantity[inside],
        timeframe_ns=SECOND_NS,
        start_ns=start_ns,
        end_ns=end_ns,
        previous_close=float(price[before[-1]]) if len(before) else np.nan,
    )
    if not np.array_equal(opens, expected.open_ns):
        return len(bars)
    is_wrong = np.zeros(len(bars), bool)
    for name in bars.columns:
        held, made = bars[name].to_numpy(float), np.asarray(getattr(expected, name), float)
        is_wrong |= ~((held == made) | (np.isnan(held) & np.isnan(made)))
    return int(is_wrong.sum())


def _n_klines_wrong(verdict: Verdict, told: pd.DataFrame, market: Market) -> int:
    """Hold minutes made of the trades against the exchange's klines, where no price was falsified."""
    minutes = resample_ohlc(told, "1m").iloc[1:-1]
    minutes = minutes[~minutes.index.isin(told.index[told["is_falsified"]].floor("min"))]
    verdict.n_klines = len(minutes)
    if not len(minutes):
        return 0
    opens_ms = minutes.index.as_unit("ms").asi8
    rows = market.klines(verdict.symbol, "1m", int(opens_ms[0]), int(opens_ms[-1]), 100_000)
    rows = rows[np.isin(rows["open_ms"], opens_ms)]
    if len(rows) != len(minutes):
        return max(len(rows), len(minutes))
    text = market.listings[verdict.symbol].price_text
    expected = np.column_stack([_floats(rows[name], text) for name in PRICES])
    return int((minutes[PRICES].to_numpy() != expected).any(axis=1).sum())
