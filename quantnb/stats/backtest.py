"""What a plain z-score rule would have made and cost on the bars at hand. No optimiser, on purpose.

At a bar's close: out of the market and abs(z) at or above ``entry``, short the spread (short one unit of y,
long ``hedge_ratio`` units of x) where z is above 0, long it where z is below. In the market: out when abs(z)
is at or below ``exit`` or z has changed sign. The order is filled at the next bar, never at the price that
gave the signal; the ratio is the one known at the signal and stays until the trade is over.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from quantnb.errors import InvalidSettingError
from quantnb.stats.backtest_result import BacktestResult
from quantnb.stats.costs import Costs, LegPrices, round_trip
from quantnb.stats.inputs import Array, is_series, pair_values
from quantnb.stats.returns import check_positive

__all__ = ["backtest_rule"]


def backtest_rule(
    y: Any,
    x: Any,
    zscore: Any,
    hedge_ratio: Any,
    *,
    entry: float,
    exit: float = 0.0,
    costs: Costs,
    timeframe_s: float,
    opens: tuple[Any, Any] | None = None,
) -> BacktestResult:
    """Trade a pair by its z-score on bars that are known already.

    Parameters
    ----------
    y, x : Series or array of shape (n,)
        Closes of the legs, oldest first, on one index, a row for every bar; NaN where a bar is not known.
    zscore : Series or array of shape (n,)
        The signal at each close. It must be causal, as `Session.spread` has it: of a fitted spread it knows
        the future.
    hedge_ratio : Series or array of shape (n,)
        Units of x against one unit of y (of levels, not of logarithms), known at each close at the latest.
    entry, exit : float
        In standard deviations, 0 <= exit < entry.
    costs : Costs
        Fees, bid-ask spreads and funding.
    timeframe_s : float
        Length of a bar in seconds, for funding.
    opens : tuple of two Series or arrays of shape (n,), optional
        Opens of y and x. Given, orders are filled at the open of the next bar; else at its close.

    Returns
    -------
    BacktestResult

    Raises
    ------
    InvalidSettingError
        For an entry that is not above the exit, an exit below 0, or a bar without length.
    StatisticsError
        For columns that are not aligned, or a price that is not above 0.

    Notes
    -----
    The rule and its fill at the next bar are those of E. Gatev, W. N. Goetzmann and K. G. Rouwenhorst (2006),
    "Pairs Trading: Performance of a Relative-Value Arbitrage Rule", Review of Financial Studies 19, who wait
    one day for the same reason: the price of the signal is on the side of the bid-ask spread that flatters.
    A bar of which anything is unknown gives no signal, and an order waits for the first bar whose prices are
    known. At a close at which a trade ends, the next may be signalled. Every trade has the size of one unit
    of y, so basis points of different trades add up and nothing is compounded.
    """
    import pandas as pd

    _check_rule(entry, exit, timeframe_s)
    closes = _prices(y, (y, x), "close")
    fills = closes if opens is None else _prices(y, opens, "open")
    score, ratio = _beside(y, zscore, "zscore"), _beside(y, hedge_ratio, "hedge_ratio")
    is_priced = np.isfinite(np.stack([*closes, *fills])).all(axis=0)
    signal = np.where(is_priced & np.isfinite(ratio), score, np.nan)
    orders = _orders(signal, is_priced, entry, exit)
    side, held = -np.sign(score[orders.entry_signal]).astype(np.int64), ratio[orders.entry_signal]
    # An open is one bar before the close of its bar: valued there, a trade was held for one bar more.
    n_bars = orders.exit_bar - orders.entry_bar + (orders.is_open if opens is not None else 0)
    entered, left = _filled(orders, closes, fills)
    trip = round_trip(costs, side, held, entered, left, n_bars * timeframe_s)
    labels = y.index if is_series(y) else pd.RangeIndex(len(signal))
    columns = {
        "entry_bar": orders.entry_bar,
        "exit_bar": orders.exit_bar,
        "entry_time": labels[orders.entry_bar],
        "exit_time": labels[orders.exit_bar],
        "side": side,
        "entry_zscore": score[orders.entry_signal],
        "exit_zscore": score[orders.exit_signal],
        "hedge_ratio": held,
        **trip._asdict(),
        "costs_bp": trip.costs_bp,
        "net_bp": trip.net_bp,
        "n_bars": n_bars,
        "is_open": orders.is_open,
    }
    return BacktestResult(pd.DataFrame(columns), n_bars=int(np.isfinite(signal).sum()))


class _Orders(NamedTuple):
    """The bars at whose closes trades were signalled, and those that filled them; a value a trade."""

    entry_signal: NDArray[np.int64]
    entry_bar: NDArray[np.int64]
    exit_signal: NDArray[np.int64]
    exit_bar: NDArray[np.int64]
    is_open: NDArray[np.bool_]  # no exit was filled: its bar and signal are the newest known bar


def _orders(signal: Array, is_priced: NDArray[np.bool_], entry: float, exit: float) -> _Orders:
    """Walk from trade to trade; a signal that is NaN compares false with everything."""
    n = len(signal)
    entries, priced = _bars(np.abs(signal) >= entry), _bars(is_priced)
    back_from_below, back_from_above = _bars(signal >= -exit), _bars(signal <= exit)
    rows, bar = [], _next(entries, 0)
    while bar < n and (filled := _next(priced, bar + 1)) < n:
        left = _next(back_from_above if signal[bar] > 0 else back_from_below, filled)
        rows.append((bar, filled, left, _next(priced, left + 1)))
        bar = _next(entries, rows[-1][3])
    entry_signal, entry_bar, exit_signal, exit_bar = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    is_open = exit_bar == n
    newest = priced[-2] if len(priced) > 1 else 0
    return _Orders(
        entry_signal,
        entry_bar,
        np.where(is_open, newest, exit_signal),
        np.where(is_open, newest, exit_bar),
        is_open,
    )


def _bars(is_one: NDArray[np.bool_]) -> list[int]:
    """Return the positions of the bars that are one, and after them that of no bar, n."""
    return [*np.flatnonzero(is_one).tolist(), len(is_one)]


def _next(bars: list[int], at: int) -> int:
    """Return the first of the bars at or after a position; n where there is none."""
    return bars[min(bisect_left(bars, at), len(bars) - 1)]


def _filled(orders: _Orders, closes: LegPrices, fills: LegPrices) -> tuple[LegPrices, LegPrices]:
    """Return the prices of entry and exit; what is still open is valued at a close."""
    entered = LegPrices(*(fill[orders.entry_bar] for fill in fills))
    legs = zip(closes, fills, strict=True)
    left = (np.where(orders.is_open, close[orders.exit_bar], fill[orders.exit_bar]) for close, fill in legs)
    return entered, LegPrices(*left)


def _prices(y: Any, legs: tuple[Any, Any], kind: str) -> LegPrices:
    found = LegPrices(*(_beside(y, leg, f"{kind} of {name}") for leg, name in zip(legs, "yx", strict=True)))
    check_positive(found.y, f"{kind} of y", "to be a price")
    check_positive(found.x, f"{kind} of x", "to be a price")
    return found


def _beside(y: Any, column: Any, name: str) -> Array:
    return pair_values(y, column, ("y", name))[1]


def _check_rule(entry: float, exit: float, timeframe_s: float) -> None:
    if not (exit >= 0 and math.isfinite(entry)):
        raise InvalidSettingError(f"Entry and exit are numbers from 0 on, not {entry!r} and {exit!r}.")
    if not entry > exit:
        raise InvalidSettingError(
            f"A trade begins at a larger |z| than it ends at; entry {entry:g} is not above exit {exit:g}."
        )
    if not 0 < timeframe_s < math.inf:
        raise InvalidSettingError(f"A bar lasts a number of seconds above 0, not {timeframe_s!r}.")
