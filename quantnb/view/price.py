"""Prices as lines or candles, with the volume under them."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any

import ipywidgets
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from quantnb.snapshot import Bar, Series, Snapshot
from quantnb.stats.timeframes import timeframe_ns
from quantnb.view.chart import MAX_BARS, Chart, newest, switch, to_ms
from quantnb.view.digits import price_digits, price_format
from quantnb.view.gaps import GapMarks, gap_axis, gap_spans, gap_trace
from quantnb.view.lease import Lease
from quantnb.view.theme import (
    FAINT,
    FALLING,
    MUTED,
    RISING,
    SURFACE,
    escape,
    line_style,
    pane_name,
    row_axes,
)

__all__ = ["PriceChart"]

_VOLUME, _CANDLES, _GAPS, _FIRST_LINE = 0, 1, 2, 3
_MAX_CANDLES = 300  # more are thinner than a pixel, and each costs plotly as much as a line
_OHLC = ("open", "high", "low", "close")


class PriceChart(Chart):
    """Closed bars and the forming one.

    Lines show all symbols, by default rebased so that the first bar is 100 when there are several; candles
    and the volume are of one symbol, chosen in the header.
    """

    def __init__(self, session: Any, *, lease: Lease | None = None) -> None:
        super().__init__(
            session,
            "Price & volume",
            "qnb-price",
            {"hoversubplots": "axis"},
            config={"crosshair": "time"},
            lease=lease,
        )
        self.style_choice = ipywidgets.ToggleButtons(
            options=[("Line", "line"), ("Candles", "candles")], tooltips=["All symbols", "One symbol"]
        )
        self.scale_choice = ipywidgets.ToggleButtons(
            options=[("Price", "raw"), ("Rebased", "rebased")],
            value="rebased" if len(session.symbols) > 1 else "raw",
            tooltips=["USDT", "First bar = 100"],
        )
        self.symbol_choice = ipywidgets.Dropdown(
            description="Symbol", options=session.symbols, tooltip="The symbol of the candles and the volume"
        )
        self.volume_switch = switch("Volume", "Volume of the chosen symbol, in USDT per bar")
        self._symbols: tuple[str, ...] = ()
        self._shape: tuple[Hashable, ...] = ()
        self._bases: dict[str, float] = {}  # the prices that are 100
        self._based_on: tuple[int | None, ...] = ()  # the generations that they were taken from
        self._gaps = GapMarks(self.figure, [_GAPS])
        self._add_controls([self.style_choice, self.scale_choice, self.symbol_choice, self.volume_switch])

    def draw(self, snapshot: Snapshot) -> None:
        """Stream what is new of each shown symbol."""
        if snapshot.symbols != self._symbols:
            self._rebuild(snapshot.symbols)
        self._arrange()
        is_candles = self.style_choice.value == "candles"
        if is_candles:
            self._stream_candles(snapshot)
        else:
            self._choose_bases(snapshot)
            for i, symbol in enumerate(snapshot.symbols):
                self._stream_line(snapshot, _FIRST_LINE + i, symbol)
        if self.volume_switch.value:
            self._stream_volume(snapshot)
        self._mark_gaps(snapshot)
        self._describe(snapshot)

    def _rebuild(self, symbols: tuple[str, ...]) -> None:
        """Make the traces anew: the symbols have changed."""
        self._symbols = symbols
        self._shape = ()
        self._based_on = ()
        self._gaps.forget()
        self.figure.data = []
        # A step over each bar's time: 2,000 rectangles took plotly 100 ms, one filled path takes 5.
        volume = go.Scatter(
            yaxis="y2",
            mode="lines",
            line={"shape": "hv", "width": 0, "color": MUTED},
            fill="tozeroy",
            fillcolor=FAINT,
            showlegend=False,
        )
        candles = go.Candlestick(
            increasing={"line": {"color": RISING, "width": 1}, "fillcolor": SURFACE},
            decreasing={"line": {"color": FALLING, "width": 1}, "fillcolor": FALLING},
            showlegend=False,
        )
        lines = [
            go.Scatter(mode="lines", name=escape(symbol), line=line_style(i))
            for i, symbol in enumerate(symbols)
        ]
        self.figure.add_traces([volume, candles, gap_trace("y3"), *lines])
        chosen = self.symbol_choice.value
        self.symbol_choice.options = symbols
        self.symbol_choice.value = chosen if chosen in symbols else symbols[0]

    def _arrange(self) -> None:
        """Show the traces and panes that the controls ask for; nothing is sent if they are shown already."""
        is_candles, is_rebased = self.style_choice.value == "candles", self.scale_choice.value == "rebased"
        has_volume, symbol = self.volume_switch.value, self.symbol_choice.value
        formats = tuple(map(self._format, self._symbols))  # known once the exchange has said its tick sizes
        shape = (is_candles, is_rebased, has_volume, symbol, self.session.timeframe, formats)
        if shape == self._shape:
            return
        self._shape = shape
        self.scale_choice.disabled = is_candles
        names = [pane_name(f"Volume of {escape(symbol)}, USDT a bar", "y2")] if has_volume else []
        panes = row_axes((3.4, 1.0) if has_volume else (1.0,))
        panes["xaxis"]["rangeslider"] = {"visible": False}  # plotly adds one under candles
        with self.figure.batch_update():
            for i, trace in enumerate(self.figure.data):
                if i != _GAPS:
                    trace.visible = self._is_shown(i, is_candles=is_candles, has_volume=has_volume)
            for i, in_ticks in enumerate(formats, start=_FIRST_LINE):
                self.figure.data[i].yhoverformat = ".3f" if is_rebased else in_ticks
            self.figure.data[_VOLUME].name = f"Volume {escape(symbol)}"
            self.figure.data[_VOLUME].yhoverformat = ",.4~s"
            self.figure.data[_CANDLES].update(name=escape(symbol), yhoverformat=self._format(symbol))
            self.figure.layout.annotations = names
            self.figure.update_layout(panes)
            self.figure.update_layout(
                uirevision=str(shape[:-1]), yaxis2=_volume_axis(panes), yaxis3=gap_axis("y")
            )

    def _is_shown(self, trace: int, *, is_candles: bool, has_volume: bool) -> bool:
        if trace == _VOLUME:
            return has_volume
        return is_candles == (trace == _CANDLES)

    def _stream_line(self, snapshot: Snapshot, trace: int, symbol: str) -> None:
        series = snapshot.bars[symbol]
        first, x, columns, n_forming = _with_forming(series, snapshot.forming.get(symbol), ("close",))
        close, base = columns["close"], 0.0
        if self.scale_choice.value == "rebased" and len(close):
            base = self._bases[symbol]
            close = 100.0 * (close / base)  # exactly 100 at the base
        generation = (symbol, series.generation, base)
        self.figure.stream(trace, generation, first, {"x": x, "y": close}, n_provisional=n_forming)

    def _stream_candles(self, snapshot: Snapshot) -> None:
        symbol = self.symbol_choice.value
        series, forming = snapshot.bars[symbol], snapshot.forming.get(symbol)
        first, x, columns, n_forming = _with_forming(series, forming, _OHLC, _MAX_CANDLES)
        generation = (symbol, series.generation)
        self.figure.stream(_CANDLES, generation, first, {"x": x, **columns}, n_provisional=n_forming)

    def _stream_volume(self, snapshot: Snapshot) -> None:
        symbol = self.symbol_choice.value
        n = _MAX_CANDLES if self.style_choice.value == "candles" else MAX_BARS
        series, forming = snapshot.bars[symbol], snapshot.forming.get(symbol)
        first, x, columns, n_forming = _with_forming(series, forming, ("quote_volume",), n)
        y = np.nan_to_num(columns["quote_volume"])  # plotly would fill across what is not known
        if len(x):  # the step of the newest bar ends with the bar
            x, y = np.append(x, x[-1] + timeframe_ns(snapshot.timeframe) / 1e6), np.append(y, y[-1])
            n_forming += 1
        self.figure.stream(
            _VOLUME, (symbol, series.generation, n), first, {"x": x, "y": y}, n_provisional=n_forming
        )

    def _mark_gaps(self, snapshot: Snapshot) -> None:
        """Mark what is missing of the symbols that are shown."""
        is_candles = self.style_choice.value == "candles"
        symbols = (self.symbol_choice.value,) if is_candles else snapshot.symbols
        n = _MAX_CANDLES if is_candles else MAX_BARS
        bar_ns = timeframe_ns(snapshot.timeframe)
        opens = [_first_open_ns(snapshot, symbol, n) for symbol in symbols]
        known = [open_ns for open_ns in opens if open_ns is not None]
        spans = gap_spans(snapshot.status.holes, symbols, bar_ns, min(known)) if known else ()
        self._gaps.show(spans, bar_ns, with_symbols=len(symbols) > 1)

    def _choose_bases(self, snapshot: Snapshot) -> None:
        """Choose the prices that stand for 100: those of the first bar that all symbols have.

        They stay the same while old bars leave the chart.
        """
        all_bars = (snapshot.bars[symbol] for symbol in self._symbols)
        based_on = tuple(series.generation if len(series) else None for series in all_bars)
        if based_on == self._based_on and None not in based_on:
            return
        self._based_on = based_on
        since_ns = max(_first_known_ns(snapshot.bars[symbol]) for symbol in self._symbols)
        self._bases = {symbol: _price_since(snapshot, symbol, since_ns) for symbol in self._symbols}

    def _format(self, symbol: str) -> str:
        return price_format(price_digits(self.session.tick_size(symbol)))

    def _describe(self, snapshot: Snapshot) -> None:
        prices = {symbol: _last_price(snapshot, symbol) for symbol in snapshot.symbols}
        known = [f"{symbol} {price:,.8g}" for symbol, price in prices.items() if price is not None]
        if not known:
            self.figure.say(label="Price chart, empty.", notice="Waiting for the first trades.")
        else:
            label = f"Prices in USDT, bars of {snapshot.timeframe}: {', '.join(known)}."
            self.figure.say(label=label, caption=" · ".join(filter(None, [self._unit(), _origin(snapshot)])))

    def _unit(self) -> str:
        if self.style_choice.value == "candles":
            return f"{self.symbol_choice.value}, USDT"
        return "Rebased: first common bar = 100" if self.scale_choice.value == "rebased" else "USDT"


def _with_forming(
    series: Series, forming: Bar | None, names: tuple[str, ...], n: int = MAX_BARS
) -> tuple[int, NDArray[np.float64], dict[str, NDArray[np.float64]], int]:
    """Return first index, times (ms) and columns of the newest bars, and how many of them still form."""
    first, span = newest(series, n)
    x = to_ms(series.time_ns[span])
    columns = {name: series.columns[name][span] for name in names}
    if forming is None:
        return first, x, columns, 0
    x = np.append(x, forming.open_ns / 1e6)
    return first, x, {name: np.append(c, getattr(forming, name)) for name, c in columns.items()}, 1


def _first_known_ns(series: Series) -> int:
    """Return the open of the first bar whose trades are all known; 0 where there is none."""
    is_known = np.isfinite(series.columns["close"])
    return int(series.time_ns[int(is_known.argmax())]) if is_known.any() else 0


def _price_since(snapshot: Snapshot, symbol: str, since_ns: int) -> float:
    """Return the first known close from a time on, or the forming one where no bar has closed."""
    series, forming = snapshot.bars[symbol], snapshot.forming.get(symbol)
    close = series.columns["close"]
    known = close[np.isfinite(close) & (series.time_ns >= since_ns)]
    if len(known):
        return float(known[0])
    return np.nan if forming is None else forming.close


def _first_open_ns(snapshot: Snapshot, symbol: str, n: int) -> int | None:
    """Return the open of the oldest of the last ``n`` bars, or of the forming one if there is none."""
    series, forming = snapshot.bars.get(symbol), snapshot.forming.get(symbol)
    if series is not None and len(series):
        return int(series.time_ns[-n:][0])
    return None if forming is None else forming.open_ns


def _origin(snapshot: Snapshot) -> str:
    """Say up to when the bars are the exchange's own; after that they are made of trades."""
    ends = [
        int(series.time_ns[is_history][-1])
        for series in snapshot.bars.values()
        if (is_history := series.columns.get("history", np.empty(0)) == 1).any()
    ]
    if not ends:
        return ""
    end_s = max(ends) // 1_000_000_000 + timeframe_ns(snapshot.timeframe) // 1_000_000_000
    return f"until {datetime.fromtimestamp(end_s, UTC):%H:%M:%S} UTC from the exchange's klines"


def _last_price(snapshot: Snapshot, symbol: str) -> float | None:
    forming, series = snapshot.forming.get(symbol), snapshot.bars.get(symbol)
    if forming is not None:
        return forming.close
    close = series.columns["close"][-1] if series is not None and len(series) else np.nan
    return float(close) if np.isfinite(close) else None


def _volume_axis(panes: dict[str, Any]) -> dict[str, Any]:
    axis = {
        "rangemode": "tozero",
        "nticks": 4,
        "showgrid": False,
        "tickformat": "~s",
    }
    return {**axis, **panes.get("yaxis2", {"domain": [0, 0.01], "anchor": "x"})}
