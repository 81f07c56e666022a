"""Events in, immutable snapshots out.

The engine's only clock is the exchange's: the newest push time seen on the market route. A bar closes when
that clock has passed its end by `GRACE_NS`, because a trade is pushed up to 200 ms after it happened. So the
same events give the same snapshots, whenever and however fast they are replayed.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from itertools import compress

import numpy as np

from quantnb.alerts import AlertBook
from quantnb.engine.bar_columns import BAR_COLUMNS, BARS_KEPT
from quantnb.engine.instrument import TRADE_BYTES, Instrument, TapeEntry
from quantnb.engine.pair import PAIR_COLUMNS, PairAnalytics, align_tails
from quantnb.engine.recipes import tile_recipes
from quantnb.engine.settings import Settings
from quantnb.engine.tiles import measure_tiles
from quantnb.engine.watch import watch_pair, watch_prices
from quantnb.engine.worth import EdgeInputs, edge_inputs
from quantnb.errors import StatisticsError
from quantnb.events import Event, Gap, History, MarkPrice, Quote, Recovered, Trade
from quantnb.feed.symbols import FUNDING_INTERVAL_S
from quantnb.snapshot import (
    CorrelationMatrix,
    HedgeFit,
    Measure,
    Memory,
    Series,
    Snapshot,
    Status,
    TapeRow,
    TileName,
)
from quantnb.stats.adf import FEWEST_OBSERVATIONS
from quantnb.stats.edge import EdgeResult
from quantnb.stats.evidence import ZscoreEvidence, zscore_evidence
from quantnb.stats.hedge import fit_line
from quantnb.stats.shrunk_correlation import shrunk_correlation
from quantnb.store import Columns

__all__ = ["GRACE_NS", "Engine"]

GRACE_NS = 250_000_000
OLD_LEG_NS = 5_000_000_000
LOOK_STEP_NS = 250_000_000  # price rules and the budget are looked at four times a second of that clock
SPARE = 8  # over the budget, one part of so many is freed: seldom, and not a trade at a time


class Engine:
    """Folds events into trades, bars, statistics and alerts.

    Parameters
    ----------
    settings : Settings
        What to compute; `configure` changes it while events flow.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.alerts = AlertBook()
        self._funding_intervals_s: Mapping[str, float] = {}
        self._start_over()

    def _start_over(self) -> None:
        self._sequence = 0
        self._exchange_ns = 0
        self._next_close_ns = 0
        self._next_look_ns = 0
        self.instruments = {symbol: self._instrument(symbol) for symbol in self.settings.symbols}
        self._use_pair()

    def _instrument(self, symbol: str) -> Instrument:
        instrument = Instrument(symbol, self.settings.timeframe_ns, self._trades_kept)
        instrument.funding_interval_s = self._funding_intervals_s.get(symbol, FUNDING_INTERVAL_S)
        return instrument

    @property
    def _trades_kept(self) -> int:
        return int(self.settings.memory_mb * 1e6) // TRADE_BYTES

    def use_funding_intervals(self, intervals_s: Mapping[str, float]) -> None:
        """Take note of the time between two fundings of each symbol, in seconds."""
        self._funding_intervals_s = intervals_s
        for symbol, instrument in self.instruments.items():
            instrument.funding_interval_s = intervals_s.get(symbol, FUNDING_INTERVAL_S)

    def _use_pair(self) -> None:
        self.analytics = PairAnalytics(self.settings.window, BARS_KEPT)
        self._hedge: HedgeFit | None = None
        self._correlation: CorrelationMatrix | None = None
        self._spread = self._zscore = math.nan
        self._evidence: ZscoreEvidence | None = None
        self.alerts.rearm()

    def clear(self) -> None:
        """Forget all trades, bars and statistics; rules, alerts and their log stay."""
        self._start_over()

    def configure(self, settings: Settings) -> None:
        """Use other settings from now on; bars and statistics are recomputed from the trades kept."""
        old, self.settings = self.settings, settings
        self.instruments = {
            symbol: self.instruments.get(symbol) or self._instrument(symbol) for symbol in settings.symbols
        }
        if settings.memory_mb != old.memory_mb:
            for instrument in self.instruments.values():
                instrument.keep(self._trades_kept)
            self._keep_within_budget()
        if settings.timeframe != old.timeframe:
            for instrument in self.instruments.values():
                instrument.change_timeframe(settings.timeframe_ns)
        if (settings.timeframe, settings.window, settings.pair) != (old.timeframe, old.window, old.pair):
            self._use_pair()
        self._close_bars()

    def receive(self, event: Event) -> None:
        """Fold in one event; symbols that are not watched (any more) are passed over."""
        if type(event) is Trade:  # nearly all of them
            instrument = self.instruments.get(event.symbol)
            if instrument is not None:
                self._sequence += 1
                instrument.receive(event, self._sequence, self._spread, self._zscore)
                if event.push_ns > self._exchange_ns:
                    self._advance(event.push_ns)
            return
        match event:
            case Quote():
                instrument = self.instruments.get(event.symbol)
                if instrument is not None:
                    instrument.quote = event
            case MarkPrice():
                instrument = self.instruments.get(event.symbol)
                if instrument is not None:
                    instrument.mark = event
                self._advance(event.push_ns)
            case Gap():
                instrument = self.instruments.get(event.symbol)
                if instrument is not None:
                    instrument.receive_gap(event)
            case Recovered() | History():
                self._receive_past(event)

    def _receive_past(self, event: Recovered | History) -> None:
        """Take in what is older than the newest trade; the next message with a time makes bars of it."""
        instrument = self.instruments.get(event.symbol)
        if instrument is None:
            return
        if isinstance(event, History):
            instrument.receive_history(event)
        else:
            instrument.recover(event.trades)
        self._next_close_ns = 0

    def _advance(self, push_ns: int) -> None:
        if push_ns <= self._exchange_ns:
            return
        self._exchange_ns = push_ns
        if push_ns - GRACE_NS >= self._next_close_ns:
            self._close_bars()
        if push_ns >= self._next_look_ns:
            self._next_look_ns = push_ns + LOOK_STEP_NS
            self._keep_within_budget()
            watch_prices(self.alerts, self.instruments, self._exchange_ns)

    def _keep_within_budget(self) -> None:
        """Forget the oldest trades, whichever symbol's, once all of them take more memory than they may."""
        n_kept, n_may = sum(each.n_kept for each in self.instruments.values()), self._trades_kept
        if n_kept <= n_may:
            return
        trades = [each.trades for each in self.instruments.values()]
        n_drop = n_kept - n_may + n_may // SPARE
        oldest = np.concatenate([each["event_ns"][:n_drop] for each in trades])
        until_ns = int(np.partition(oldest, n_drop - 1)[n_drop - 1])
        for instrument in self.instruments.values():
            instrument.drop_until(until_ns)

    @property
    def memory(self) -> Memory:
        """What the trades kept take, and what they may."""
        n_trades = sum(each.n_kept for each in self.instruments.values())
        return Memory(n_trades, n_trades * TRADE_BYTES, round(self.settings.memory_mb * 1e6))

    def _close_bars(self) -> None:
        if not self._exchange_ns:
            return
        until_ns = self._exchange_ns - GRACE_NS
        timeframe_ns = self.settings.timeframe_ns
        self._next_close_ns = until_ns - until_ns % timeframe_ns + timeframe_ns
        for instrument in self.instruments.values():
            instrument.close_bars(until_ns)
        leg_y, leg_x = (self.instruments[leg].bars for leg in self.settings.pair)
        self.analytics.update(leg_y, leg_x)
        self._hedge = _newest_fit(leg_y, leg_x, self.settings.window)
        self._correlation = self._correlate()
        if len(self.analytics.columns):
            self._spread = float(self.analytics.columns["spread"][-1])
            self._zscore = float(self.analytics.columns["zscore"][-1])
            self._evidence = self.weigh_zscore() if math.isfinite(self._zscore) else None
            watch_pair(self.alerts, self.settings, self.analytics, "; ".join(self.doubts()))

    def _correlate(self) -> CorrelationMatrix | None:
        # A symbol that was just added must not cut the others' window: its missing bars are NaN.
        n_rows = self.settings.window + 1
        closes = np.full((n_rows, len(self.instruments)), np.nan)
        for column, instrument in enumerate(self.instruments.values()):
            newest = instrument.bars["close"][-n_rows:]
            closes[n_rows - len(newest) :, column] = newest
        if np.isnan(closes).all():
            return None
        returns = np.log(closes[1:] / closes[:-1])  # `log_returns` of all symbols at once, bit for bit
        found = shrunk_correlation(returns)
        symbols = tuple(self.instruments)
        return CorrelationMatrix(
            symbols, found.values, found.n, found.shrinkage, tuple(compress(symbols, found.is_shrunk))
        )

    def weigh_zscore(self) -> ZscoreEvidence:
        """Return what the newest z-score rests on, as the closed bars have it."""
        legs = [self.instruments[leg].bars for leg in self.settings.pair]
        newest = slice(-max(2 * self.settings.window, FEWEST_OBSERVATIONS), None)
        y, x = (closes[newest] for closes in align_tails(*legs))
        filled = np.maximum(*(bars["filled"][len(bars) - len(y) :] for bars in legs))
        return zscore_evidence(y, x, self.settings.window, filled=filled)

    def doubts(self) -> tuple[str, ...]:
        """Return why the newest z-score is not to be believed, in words; nothing where it is."""
        if self._evidence is None:
            return ()
        # A leg is old when a whole bar has passed without a trade of it, and never before five seconds have.
        limit_ns = max(OLD_LEG_NS, self.settings.timeframe_ns)
        ages = [(leg, self._exchange_ns - self.instruments[leg].last_event_ns) for leg in self.settings.pair]
        old = tuple(f"{leg} has not traded for {ns / 1e9:.0f} s" for leg, ns in ages if ns > limit_ns)
        return self._evidence.reasons + old

    def edge_inputs(self) -> EdgeInputs:
        """Return what the edge of the pair is made of; `StatisticsError` says what is missing."""
        y, x = (self.instruments[leg] for leg in self.settings.pair)
        return edge_inputs(
            y,
            x,
            self.analytics,
            self._evidence,
            timeframe_s=self.settings.timeframe_ns / 1e9,
            taker_fee_bp=self.settings.taker_fee_bp,
        )

    def _edge(self) -> EdgeResult | str:
        try:
            return self.edge_inputs().result()
        except StatisticsError as error:
            return str(error)

    def recipe(self, tile: TileName) -> str:
        """Return Python that computes a tile's number again; `StatisticsError` where it has none."""
        value = self._tiles()[tile].value
        if value is None:
            raise StatisticsError(f"There is no number to compute again yet: {tile}.")
        times = self.analytics.columns["time_ns"]
        bar_ns = int(times[-1]) if len(times) else None
        edge = self.edge_inputs() if tile == "edge" else None
        recipes = tile_recipes(self.settings, bar_ns, self.instruments.values(), edge)
        return f"{recipes[tile]}# {value!r}\n"

    def _tiles(self) -> Mapping[TileName, Measure]:
        instruments = self.instruments.values()
        return measure_tiles(
            self.analytics,
            self.settings.window,
            n_trades=sum(each.n_trades for each in instruments),
            quote_volume=sum(each.quote_volume for each in instruments),
            n_alerts=len(self.alerts.active),
            n_rules=len(self.alerts.rules),
            evidence=self._evidence,
            edge=self._edge(),
            doubts=self.doubts(),
        )

    def snapshot(self, time_ns: int, status: Status) -> Snapshot:
        """Return everything a view may show, as it stands now."""
        instruments = self.instruments.values()
        return Snapshot(
            time_ns=time_ns,
            memory=self.memory,
            symbols=self.settings.symbols,
            pair=self.settings.pair,
            timeframe=self.settings.timeframe,
            window=self.settings.window,
            status=status,
            tiles=self._tiles(),
            bars={each.symbol: _series(each.bars, BAR_COLUMNS) for each in instruments},
            forming={each.symbol: each.forming() for each in instruments},
            pair_series=_series(self.analytics.columns, PAIR_COLUMNS),
            hedge=self._hedge,
            correlation=self._correlation,
            tape=self._tape(),
            rules=self.alerts.rules,
            alerts=self.alerts.active,
        )

    def _tape(self) -> tuple[TapeRow, ...]:
        newest_first = (reversed(each.tape) for each in self.instruments.values())
        merged = heapq.merge(*newest_first, key=lambda entry: -entry[0])
        return tuple(_tape_row(entry) for entry in merged)


def _series(columns: Columns, names: tuple[str, ...]) -> Series:
    arrays: Mapping[str, np.ndarray] = {name: columns[name] for name in names}
    return Series(columns.generation, columns.first, columns["time_ns"], arrays)


def _newest_fit(leg_y: Columns, leg_x: Columns, window: int) -> HedgeFit | None:
    y, x = (closes[-window:] for closes in align_tails(leg_y, leg_x))
    is_known = len(y) == window and bool(np.isfinite(y).all() and np.isfinite(x).all())
    if not is_known or x.max() == x.min():
        return None
    fit = fit_line(y, x)
    return HedgeFit(fit.hedge_ratio, fit.intercept, fit.stderr, fit.r_squared, fit.nobs)


def _tape_row(entry: TapeEntry) -> TapeRow:
    sequence, trade, last_close, spread, zscore = entry
    return TapeRow(
        sequence=sequence,
        symbol=trade.symbol,
        trade_id=trade.trade_id,
        event_ns=trade.event_ns,
        price=trade.price,
        quantity=trade.quantity,
        is_buyer_maker=trade.is_buyer_maker,
        change_pct=_known(100.0 * (trade.price / last_close - 1.0)),
        spread=_known(spread),
        zscore=_known(zscore),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
