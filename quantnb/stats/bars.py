"""Bars from trades: open, high, low, close, and what was traded.

Bins are [open, close), aligned to the epoch in UTC and labelled by their open. A bar is always aggregated
whole, from all of its own trades in one go, and nothing is carried from bar to bar but the previous close.
So its numbers do not depend on which trades come in the same call: any split of the time axis at bar edges
gives the same bars, bit for bit. (Updating sums trade by trade would not: addition rounds.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quantnb.errors import StatisticsError
from quantnb.stats.inputs import Array
from quantnb.stats.timeframes import timeframe_ns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BarColumns", "aggregate_bars", "resample_ohlc"]


@dataclass(frozen=True, slots=True, eq=False)
class BarColumns:
    """Bars as arrays of one length, every bin present.

    A bin without trades has volume 0 and n_trades 0; its open, high, low and close are the previous close and
    ``filled`` is true, or NaN and false before the first trade. Its vwap is NaN: nobody paid any price.
    """

    open_ns: NDArray[np.int64]
    open: Array
    high: Array
    low: Array
    close: Array
    volume: Array
    quote_volume: Array
    n_trades: NDArray[np.int64]
    vwap: Array
    filled: NDArray[np.bool_]


def resample_ohlc(trades: pd.DataFrame, timeframe: str) -> pd.DataFrame:
    """Aggregate trades into bars.

    Parameters
    ----------
    trades : DataFrame
        Columns ``price`` and ``quantity``, index of trade times with a time zone, rows in the order of their
        trade ids. Order within a bar is that of the rows, never of the times: most trades share their
        millisecond with another. A trade whose time lies before its predecessor's goes to the bar of its
        time.
    timeframe : str
        Length of a bar, one of `TIMEFRAME_NS`.

    Returns
    -------
    DataFrame
        Columns ``open high low close volume quote_volume n_trades vwap filled``, index ``time`` (a bar's
        open, UTC), every bar from the first trade's to the last's. ``volume`` is in base units and
        ``quote_volume`` is price times quantity. A bar without trades is filled with the previous close
        (volume 0, ``filled`` true) and has no vwap (NaN).

    Raises
    ------
    InvalidSettingError
        For an unknown timeframe.
    StatisticsError
        For missing columns, an index without time zone, or a price or quantity that is not above 0.
    """
    import pandas as pd

    length_ns = timeframe_ns(timeframe)
    event_ns, price, quantity = _read_trades(trades)
    start_ns = end_ns = 0
    if len(event_ns):
        start_ns = int(event_ns.min()) // length_ns * length_ns
        end_ns = (int(event_ns.max()) // length_ns + 1) * length_ns
    bars = aggregate_bars(event_ns, price, quantity, timeframe_ns=length_ns, start_ns=start_ns, end_ns=end_ns)
    columns = {name: getattr(bars, name) for name in BarColumns.__slots__ if name != "open_ns"}
    index = pd.DatetimeIndex(bars.open_ns.astype("datetime64[ns]"), tz="UTC", name="time")
    return pd.DataFrame(columns, index=index)


def _read_trades(trades: pd.DataFrame) -> tuple[NDArray[np.int64], Array, Array]:
    import pandas as pd

    missing = {"price", "quantity"} - set(trades.columns)
    if missing:
        raise StatisticsError(
            f"Trades have columns price and quantity; {' and '.join(sorted(missing))} is missing "
            f"among {', '.join(map(str, trades.columns)) or 'no columns'}."
        )
    index = trades.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        raise StatisticsError(
            'Trades are indexed by time with a time zone, e.g. pd.to_datetime(event_ns, unit="ns", utc=True).'
        )
    if index.hasnans:
        raise StatisticsError("A trade in the index has no time (NaT); drop it or give it one.")
    price, quantity = (_read_positive(trades[name], name) for name in ("price", "quantity"))
    return index.as_unit("ns").asi8, price, quantity


def _read_positive(column: pd.Series[Any], name: str) -> Array:
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise StatisticsError(
            f"The {name} of a trade is a number; this column holds {column.dtype}."
        ) from None
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if len(wrong):
        raise StatisticsError(
            f"The {name} of a trade is a number above 0; in row {wrong[0]} it is {values[wrong[0]]:g}."
        )
    return values


def aggregate_bars(
    event_ns: NDArray[np.int64],
    price: Array,
    quantity: Array,
    *,
    timeframe_ns: int,
    start_ns: int,
    end_ns: int,
    previous_close: float = float("nan"),
) -> BarColumns:
    """Aggregate trades in id order into every bar of [start_ns, end_ns).

    Parameters
    ----------
    event_ns, price, quantity : array of shape (n_trades,)
        Trades of [start_ns, end_ns), all of them, in id order; times may step back.
    timeframe_ns : int
        Length of a bar.
    start_ns, end_ns : int
        Edges of bars: multiples of ``timeframe_ns``.
    previous_close : float
        Last price before ``start_ns``; NaN if there was none.

    Returns
    -------
    BarColumns

    Raises
    ------
    StatisticsError
        Where an edge is not a bar's, or a trade lies outside.
    """
    if start_ns % timeframe_ns or end_ns % timeframe_ns or end_ns < start_ns:
        raise StatisticsError(f"[{start_ns}, {end_ns}) ns is not a range of whole bars of {timeframe_ns} ns.")
    n_bars = (end_ns - start_ns) // timeframe_ns
    bins = (event_ns - start_ns) // timeframe_ns
    if len(bins) and not 0 <= bins.min() <= bins.max() < n_bars:
        raise StatisticsError(f"A trade lies outside of [{start_ns}, {end_ns}) ns.")
    if (bins[1:] < bins[:-1]).any():
        by_bin = np.argsort(bins, kind="stable")  # stable: within a bar the ids keep their order
        bins, price, quantity = bins[by_bin], price[by_bin], quantity[by_bin]
    open_ns = np.arange(start_ns, end_ns, timeframe_ns, dtype=np.int64)
    return _fill(_reduce(open_ns, bins, price, quantity), previous_close)


def _reduce(open_ns: NDArray[np.int64], bins: NDArray[np.int64], price: Array, quantity: Array) -> BarColumns:
    """Reduce trades sorted by bin; bars without trades have NaN prices."""
    first = np.flatnonzero(np.diff(bins, prepend=-1))
    last = np.append(first[1:], len(bins))[: len(first)] - 1
    traded = bins[first]

    def column(values: Any, without_trades: float) -> Array:
        whole = np.full(len(open_ns), without_trades)
        whole[traded] = values
        return whole

    # reduceat sums each bar's own slice, so a bar comes out the same wherever its trades stand in the array.
    volume = np.add.reduceat(quantity, first)
    quote_volume = np.add.reduceat(price * quantity, first)
    high = np.maximum.reduceat(price, first)
    low = np.minimum.reduceat(price, first)
    return BarColumns(
        open_ns=open_ns,
        open=column(price[first], np.nan),
        high=column(high, np.nan),
        low=column(low, np.nan),
        close=column(price[last], np.nan),
        volume=column(volume, 0.0),
        quote_volume=column(quote_volume, 0.0),
        n_trades=column(last - first + 1, 0).astype(np.int64),
        vwap=column(np.clip(quote_volume / volume, low, high), np.nan),  # rounding may leave [low, high]
        filled=np.zeros(len(open_ns), np.bool_),
    )


def _fill(bars: BarColumns, previous_close: float) -> BarColumns:
    """Give bars without trades the close before them, where there is one."""
    is_empty = bars.n_trades == 0
    closes = np.concatenate([[previous_close], bars.close])
    newest = np.maximum.accumulate(np.where(is_empty, 0, np.arange(1, len(closes))))
    carried = closes[newest]
    for column in (bars.open, bars.high, bars.low, bars.close):
        column[is_empty] = carried[is_empty]
    bars.filled[:] = is_empty & np.isfinite(carried)
    return bars
