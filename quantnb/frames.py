"""What an engine holds, as DataFrames for the next cell and for export."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from quantnb.engine.bar_columns import BAR_COLUMNS
from quantnb.engine.instrument import Instrument
from quantnb.engine.pair import PAIR_COLUMNS
from quantnb.store import Columns

if TYPE_CHECKING:
    import pandas as pd

    from quantnb.alerts import Alert
    from quantnb.engine import Engine
    from quantnb.snapshot import CorrelationMatrix, Hole

__all__ = [
    "alerts_frame",
    "bars_frame",
    "correlation_frame",
    "export_frame",
    "gaps_frame",
    "pair_frame",
    "trades_frame",
]


def trades_frame(instrument: Instrument) -> pd.DataFrame:
    """Return trades in id order: index ``time`` (UTC), trade_id, price, quantity, side."""
    import numpy as np
    import pandas as pd

    trades = instrument.trades
    return pd.DataFrame(
        {
            "trade_id": trades["trade_id"],
            "price": trades["price"],
            "quantity": trades["quantity"],
            "side": np.where(trades["is_buyer_maker"], "SELL", "BUY"),
        },
        index=_times(trades, "event_ns"),
    )


def bars_frame(instrument: Instrument) -> pd.DataFrame:
    """Return closed bars: index ``time`` (open, UTC), the columns of `resample_ohlc`, and ``history``.

    A bar of the exchange's own klines, from before the first trade, has ``history`` true; its ``n_trades`` is
    not known, because klines count the fills of which a trade may hold several.
    """
    import pandas as pd

    bars = instrument.bars
    frame = pd.DataFrame({name: bars[name] for name in BAR_COLUMNS}, index=_times(bars, "time_ns"))
    return frame.astype({"filled": bool, "history": bool})


def pair_frame(columns: Columns) -> pd.DataFrame:
    """Return the pair's statistics, a row a closed bar: index ``time`` (the bar's open, UTC)."""
    import pandas as pd

    return pd.DataFrame({name: columns[name] for name in PAIR_COLUMNS}, index=_times(columns, "time_ns"))


def correlation_frame(matrix: CorrelationMatrix | None) -> pd.DataFrame:
    """Return the correlation matrix with symbols on both sides; empty during warm-up.

    ``attrs["shrinkage"]`` is what was taken off each element, None where symbols do not outnumber the bars.
    """
    import pandas as pd

    if matrix is None:
        return pd.DataFrame()
    frame = pd.DataFrame(matrix.values, index=list(matrix.symbols), columns=list(matrix.symbols))
    frame.attrs["shrinkage"] = matrix.shrinkage
    return frame


def alerts_frame(log: Iterable[Alert]) -> pd.DataFrame:
    """Return the log of alerts, oldest first."""
    import pandas as pd

    names = ["alert_id", "time", "symbol", "kind", "severity", "value", "threshold", "text", "doubt", "cause"]
    rows = [
        (
            a.alert_id,
            pd.Timestamp(a.time_ns, tz="UTC"),
            a.symbol,
            a.kind,
            a.severity,
            a.value,
            a.threshold,
            a.text,
            a.doubt,
            a.cause,
        )
        for a in log
    ]
    return pd.DataFrame(rows, columns=names)


def gaps_frame(holes: Iterable[Hole]) -> pd.DataFrame:
    """Return the gap ledger, newest first: ids, event times on either side, cause, and what became of it."""
    import pandas as pd

    names = [
        "symbol",
        "first_missing_id",
        "last_missing_id",
        "start",
        "end",
        "cause",
        "state",
        "n_missing",
        "why",
    ]
    rows = [
        (
            hole.symbol,
            hole.first_missing_id,
            hole.last_missing_id,
            pd.Timestamp(hole.start_ns, tz="UTC"),
            pd.Timestamp(hole.end_ns, tz="UTC"),
            hole.cause,
            hole.state,
            hole.n_missing,
            hole.why,
        )
        for hole in holes
    ]
    return pd.DataFrame(rows, columns=names)


def export_frame(engine: Engine, kind: str) -> pd.DataFrame:
    """Return one kind of export as a flat table, times as a UTC column, all symbols below each other."""
    import pandas as pd

    if kind == "alerts":
        return alerts_frame(engine.alerts.log)
    if kind == "analytics":
        frame = pair_frame(engine.analytics.columns)
        frame.insert(0, "pair", "/".join(engine.settings.pair))
        return frame.reset_index()
    make = trades_frame if kind == "trades" else bars_frame
    frames = []
    for instrument in engine.instruments.values():
        frame = make(instrument)
        frame.insert(0, "symbol", instrument.symbol)
        frames.append(frame.reset_index())
    return pd.concat(frames, ignore_index=True)


def _times(columns: Columns, name: str) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.DatetimeIndex(columns[name].astype("datetime64[ns]"), tz="UTC", name="time")
