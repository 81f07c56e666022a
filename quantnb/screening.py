"""The screen of a universe: closes of many symbols by REST, and all their pairs tested.

It works on history alone: no stream needs to run, and one that does goes on beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from quantnb.errors import FeedError
from quantnb.live.universe import KLINE_TIMEFRAMES, OnProgress, Progress, UniverseBars, check_bars, fetch_bars
from quantnb.stats.adf import FEWEST_OBSERVATIONS
from quantnb.stats.timeframes import timeframe_ns

if TYPE_CHECKING:
    import pandas as pd

    from quantnb.live.universe import Access
    from quantnb.source import Source
    from quantnb.stats import ScanResult

__all__ = ["KLINE_TIMEFRAMES", "OnProgress", "Progress", "fetch_closes", "scan_universe"]

_NAMED = 3  # reasons in a sentence


async def fetch_closes(
    source: Source,
    feed: str,
    symbols: Iterable[str] | None,
    timeframe: str,
    n_bars: int,
    on_progress: OnProgress | None,
) -> pd.DataFrame:
    """Return the closes of the symbols that have all bars; see `Session.closes`."""
    import pandas as pd

    check_bars(timeframe, n_bars)
    async with source.reach(feed) as access:
        bars = await fetch_bars(access, symbols, timeframe, n_bars, on_progress=on_progress)
    _check_found(bars, 1)
    kept = bars.complete
    frame = pd.DataFrame(
        bars.closes[:, kept],
        index=pd.DatetimeIndex(bars.open_ns.astype("datetime64[ns]"), tz="UTC", name="time"),
        columns=[symbol for symbol, is_kept in zip(bars.symbols, kept, strict=True) if is_kept],
    )
    frame.attrs.update(_origin(access, bars, timeframe))
    return frame


async def scan_universe(
    source: Source,
    feed: str,
    symbols: Iterable[str] | None,
    timeframe: str,
    n_bars: int,
    lags: int,
    on_progress: OnProgress | None,
    client: Any,
) -> ScanResult:
    """Fetch closes and test all pairs, in a thread; see `Session.scan`."""
    from quantnb.stats import scan

    check_bars(timeframe, n_bars, FEWEST_OBSERVATIONS)
    async with source.reach(feed) as access:
        bars = await fetch_bars(access, symbols, timeframe, n_bars, on_progress=on_progress)
    _check_found(bars, 2)
    n_symbols = len(bars.symbols)
    if on_progress is not None:
        on_progress(Progress(n_symbols, n_symbols, why="testing every pair"))
    liquidity = dict(zip(bars.symbols, bars.quote_volume.sum(axis=0).tolist(), strict=True))
    result = await asyncio.to_thread(
        scan, bars.closes, lags, names=bars.symbols, liquidity=liquidity, client=client
    )
    result.pairs.attrs.update(_origin(access, bars, timeframe))
    return result


def _origin(access: Access, bars: UniverseBars, timeframe: str) -> dict[str, Any]:
    """Return where the bars come from, as what a file can hold beside a table."""
    return {
        "exchange": access.endpoints.name,
        "is_simulated": access.endpoints.is_simulated,
        "timeframe": timeframe,
        "until_ms": (int(bars.open_ns[-1]) + timeframe_ns(timeframe)) // 1_000_000,
        "left_out": dict(bars.left_out),
    }


def _check_found(bars: UniverseBars, fewest: int) -> None:
    if bars.complete.sum() < fewest:
        reasons = " ".join(list(bars.left_out.values())[:_NAMED])
        n_bars = len(bars.open_ns)
        raise FeedError(f"{fewest} or more symbols with all {n_bars:,} bars are needed. {reasons}".strip())
