"""The screen of a universe: closes of many symbols by REST, and all their pairs tested.

It works on history alone: no stream needs to run, and one that does goes on beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from quantnb.engine.settings import as_symbols
from quantnb.errors import FeedError
from quantnb.live.universe import KLINE_TIMEFRAMES, OnProgress, Progress, UniverseBars, check_bars, fetch_bars
from quantnb.stats.adf import FEWEST_OBSERVATIONS
from quantnb.stats.timeframes import timeframe_ns

if TYPE_CHECKING:
    import pandas as pd

    from quantnb.live.universe import Access
    from quantnb.source import Source
    from quantnb.stats import ScanResult

__all__ = ["KLINE_TIMEFRAMES", "OnProgress", "Progress", "Screening"]

_NAMED = 3  # reasons in a sentence


class Screening:
    """The part of a `Session` that looks at many symbols at once."""

    _source: Source
    feed: Any

    async def closes(
        self,
        symbols: Iterable[str] | str | None = None,
        timeframe: str = "1m",
        n_bars: int = 300,
        on_progress: OnProgress | None = None,
    ) -> pd.DataFrame:
        """Return the newest closes of many symbols, all with the same bars, by REST; no stream needs to run.

        Parameters
        ----------
        symbols : iterable of str, optional
            Every perpetual that the exchange trades where not given.
        timeframe : {"1m", "5m", "15m"}
            The exchange has no shorter bars ready.
        n_bars : int
            1 to 1500; the last of them is the newest that has closed by the exchange's clock.
        on_progress : callable, optional
            Gets a `Progress` (n_done, n_all, waiting_s, why), whose ``words`` say it in a line.

        Returns
        -------
        DataFrame of shape (n_bars, n_symbols)
            By time of open (UTC). A symbol without all bars is left out: ``attrs["left_out"]`` says why;
            ``attrs["exchange"]`` and ``attrs["is_simulated"]`` say whose bars they are.

        Raises
        ------
        InvalidSettingError
            For a timeframe or a number of bars that cannot be had.
        FeedError
            Where the exchange cannot be reached, or has told this address to wait.
        """
        import pandas as pd

        check_bars(timeframe, n_bars)
        async with self._source.reach(self.feed) as access:
            bars = await fetch_bars(access, _chosen(symbols), timeframe, n_bars, on_progress=on_progress)
        _check_found(bars, 1)
        kept = bars.complete
        frame = pd.DataFrame(
            bars.closes[:, kept],
            index=pd.DatetimeIndex(bars.open_ns.astype("datetime64[ns]"), tz="UTC", name="time"),
            columns=[symbol for symbol, is_kept in zip(bars.symbols, kept, strict=True) if is_kept],
        )
        frame.attrs.update(_origin(access, bars, timeframe))
        return frame

    async def scan(
        self,
        symbols: Iterable[str] | str | None = None,
        timeframe: str = "1m",
        n_bars: int = 200,
        lags: int = 1,
        on_progress: OnProgress | None = None,
        client: Any = None,
    ) -> ScanResult:
        """Fetch `closes` of at least 30 bars and test all pairs for cointegration, as `quantnb.scan` does.

        Parameters
        ----------
        symbols, timeframe, n_bars, on_progress
            As in `closes`.
        lags : int
            Lagged changes in the tests.
        client : dask.distributed.Client, optional
            Test on its workers.

        Returns
        -------
        ScanResult
            Its ``liquidity`` is the quote volume of the less liquid leg over these bars, in the leg's quote
            asset; ``pairs.attrs`` are the ``attrs`` of `closes`.
        """
        from quantnb.stats import scan

        check_bars(timeframe, n_bars, FEWEST_OBSERVATIONS)
        async with self._source.reach(self.feed) as access:
            bars = await fetch_bars(access, _chosen(symbols), timeframe, n_bars, on_progress=on_progress)
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


def _chosen(symbols: Any) -> tuple[str, ...] | None:
    return None if symbols is None else as_symbols(symbols)


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
