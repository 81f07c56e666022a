"""What a session knows, as DataFrames and results for the next cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quantnb import frames
from quantnb.errors import InvalidSettingError, choices
from quantnb.stats.adf import FEWEST_OBSERVATIONS

if TYPE_CHECKING:
    import pandas as pd

    from quantnb.engine import Engine
    from quantnb.engine.instrument import Instrument
    from quantnb.latency import Latency, Percentiles
    from quantnb.stats import (
        EdgeResult,
        EngleGrangerResult,
        LeadLagResult,
        PairStudy,
        TradeColumns,
        ZscoreEvidence,
    )
    from quantnb.stats.lines import Prices

__all__ = ["Knowledge"]


class Knowledge:
    """The part of a `Session` that only reads: nothing here changes what it does."""

    _engine: Engine
    _latency: Latency
    symbols: Any
    pair: Any
    window: Any
    snapshot: Any

    def trades(self, symbol: str) -> pd.DataFrame:
        """Return the trades kept of one symbol, in id order: trade_id, price, quantity, side."""
        return frames.trades_frame(self._instrument(symbol))

    def trade_columns(self, symbol: str) -> TradeColumns:
        """Return the trades kept of one symbol as read-only arrays, in id order.

        Nothing is copied, and what comes later does not change them, so another thread may read them.
        """
        from quantnb.stats import TradeColumns

        trades = self._instrument(symbol).trades
        return TradeColumns(trades["event_ns"], trades["price"], trades["trade_id"])

    def bars(self, symbol: str) -> pd.DataFrame:
        """Return the closed bars of one symbol, with the columns of `resample_ohlc`."""
        return frames.bars_frame(self._instrument(symbol))

    def spread(self) -> pd.DataFrame:
        """Return the pair's statistics, a row a closed bar: y, x, spread, zscore, hedge_ratio, and more."""
        return frames.pair_frame(self._engine.analytics.columns)

    def correlation(self) -> pd.DataFrame:
        """Return the correlation matrix of log returns over the newest window.

        Where the symbols outnumber the returns it is that of `quantnb.stats.shrunk_correlation`, and
        ``attrs["shrinkage"]`` says by how much.
        """
        return frames.correlation_frame(self.snapshot.correlation)

    def correlation_by_horizon(self) -> pd.DataFrame:
        """Return the pair's correlation of log returns at bars of 100 ms to 15 min, from the trades kept.

        Of the newest day at most, without the bars that a gap touches; the columns are those of
        `quantnb.trade_correlation_by_horizon`.
        """
        from quantnb.stats.trade_horizons import LIVE_SPAN_NS, correlate_trades

        y, x = map(self.trade_columns, self.pair)
        return correlate_trades(y, x, span_ns=LIVE_SPAN_NS).to_frame()

    def lead_lag(self, max_lag: int = 10) -> LeadLagResult:
        """Return which leg moves first, y or x (a or b of the result), from the newest 2,000 bars."""
        from quantnb.stats.lead_lag import LIVE_BARS, lead_lag

        closes = self.snapshot.pair_series.columns
        return lead_lag(closes["y"][-LIVE_BARS:], closes["x"][-LIVE_BARS:], max_lag)

    def latency(self) -> dict[str, Percentiles]:
        """Return how long the trades of the newest minute took, in ms, a sample of one a 50 ms.

        ``"received"`` is from the exchange's push to our receipt, between two clocks; ``"computed"`` from our
        receipt until a snapshot held the trade.
        """
        return {"received": self._latency.received(), "computed": self._latency.computed()}

    @property
    def computed_ns(self) -> int:
        """When the newest snapshot was complete, ns since the epoch."""
        return self._latency.computed_ns

    def gaps(self) -> pd.DataFrame:
        """Return the gap ledger, newest first: which trades were missing, why, and what became of them."""
        return frames.gaps_frame(self.snapshot.status.holes)

    @property
    def alerts(self) -> pd.DataFrame:
        """The log of alerts, oldest first."""
        return frames.alerts_frame(self._engine.alerts.log)

    def _instrument(self, symbol: str) -> Instrument:
        try:
            return self._engine.instruments[symbol]
        except KeyError:
            raise InvalidSettingError(
                f"{symbol!r} is not watched; the symbols are {', '.join(self.symbols)}."
            ) from None

    def test_spread(self, lags: int = 1) -> EngleGrangerResult:
        """Test the pair for cointegration by Engle-Granger over the newest window of closes, at least 30.

        Raises
        ------
        StatisticsError
            Where there are too few bars, or a gap among them.
        """
        from quantnb.stats import engle_granger

        columns = self._engine.analytics.columns
        newest = slice(-max(self.window, FEWEST_OBSERVATIONS), None)
        return engle_granger(columns["y"][newest], columns["x"][newest], lags=lags)

    def study(self, prices: Prices = "level") -> PairStudy:
        """Study the pair on its newest two windows of bars: every hedge ratio, every test, and a verdict.

        Raises
        ------
        InvalidSettingError
            For ``prices`` other than ``"level"`` and ``"log"``.
        StatisticsError
            Where there are too few bars.
        """
        from quantnb.stats import study_pair

        pair = self.spread()
        return study_pair(pair["y"], pair["x"], self.window, prices=prices)

    def evidence(self) -> ZscoreEvidence:
        """Return what the newest z-score rests on, and why it is not to be believed where it is not."""
        return self._engine.weigh_zscore()

    def edge(self) -> EdgeResult:
        """Return what the pair's reversion is expected to bring over one half-life, after costs.

        Raises
        ------
        StatisticsError
            Where something of it is not known, or the spread is not expected back.
        """
        return self._engine.edge_inputs().result()

    def attribution(self) -> pd.DataFrame:
        """Return who moved: each change of the z-score split into its causes, a row a closed bar."""
        from quantnb.stats import zscore_attribution

        pair = self.spread()
        return zscore_attribution(pair["y"], pair["x"], self.window)

    def reproduce(self, what: str | int) -> str:
        """Return Python that computes a number again from this session's data, to the last digit.

        Parameters
        ----------
        what : str or int
            The name of a tile (``"zscore"``), or the ``alert_id`` of an alert.

        Returns
        -------
        str
            Lines of which the last is an expression; they use ``session``. They name bars by time and trades
            by id, so they hold as long as these are kept.

        Raises
        ------
        InvalidSettingError
            For what is neither a tile nor an alert.
        StatisticsError
            For a tile without a number.
        """
        for tile in self.snapshot.tiles:
            if tile == what:
                return self._engine.recipe(tile)
        if isinstance(what, str):
            raise InvalidSettingError(f"The tiles are {choices(self.snapshot.tiles)}, not {what!r}.")
        for alert in self._engine.alerts.log:
            if alert.alert_id == what:
                return f"{alert.recipe}# {alert.value!r}\n"
        raise InvalidSettingError(f"There is no alert {what!r} in the log.")
