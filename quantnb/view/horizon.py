"""The pair's correlation by length of bar, and which leg moves first."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from quantnb.snapshot import Snapshot
from quantnb.stats import HorizonCorrelation, LeadLagResult, TradeColumns, correlate_trades, lead_lag
from quantnb.stats.inputs import Array
from quantnb.stats.lead_lag import LIVE_BARS
from quantnb.stats.trade_horizons import LIVE_SPAN_NS
from quantnb.view.background import Background
from quantnb.view.chart import Chart
from quantnb.view.lease import Lease
from quantnb.view.theme import BAND, LINES, MUTED, escape, line_style, pane_name

__all__ = ["HorizonChart"]

_BAND, _CURVE, _JOINT_BAND, _LAGS = 0, 1, 2, 3
_FEWEST = 3  # returns in a correlation
_TICKS_MS = (100, 1_000, 5_000, 60_000, 900_000)
_LEFT, _RIGHT = (0.0, 0.5), (0.61, 1.0)

_POINT = (
    "bars of %{hovertext}<br>correlation %{y:.3f}<br>n = %{customdata[0]:,} returns, 95 % band "
    "±%{customdata[1]:.3f}<br>%{customdata[2]:.1%} of bars filled<extra></extra>"
)
_LAG = (
    "%{hovertext}<br>correlation %{y:.3f}<br>n = %{customdata[0]:,} returns, band of all lags "
    "±%{customdata[1]:.3f}<extra></extra>"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Study:
    """What a thread makes of the trades and closes it is given."""

    pair: tuple[str, str]
    timeframe: str
    by_horizon: HorizonCorrelation
    by_lag: LeadLagResult

    @property
    def is_drawn(self) -> NDArray[np.bool_]:
        """Tell which horizons have a point: a correlation of fewer than three returns is none."""
        return np.isfinite(self.by_horizon.correlations)


class HorizonChart(Chart):
    """Correlation of the pair's log returns from bars of 100 ms to 15 min; beside it who leads.

    It is computed in a thread, at most every five seconds and at most a twentieth of the time, while somebody
    looks and something is new.
    """

    def __init__(self, session: Any, *, lease: Lease | None = None) -> None:
        super().__init__(session, "Correlation by horizon", "qnb-horizon", _layout(), lease=lease)
        self._background: Background[_Study] = Background(self.redraw)
        self._shown: _Study | None = None
        area = {"mode": "lines", "line": {"width": 0}, "fillcolor": BAND, "hoverinfo": "skip"}
        marker = {"size": 7, "color": LINES[0], "line": {"width": 1.5, "color": LINES[0]}}
        self.figure.add_traces(
            [
                go.Scatter(fill="toself", **area),
                go.Scatter(mode="lines+markers", line=line_style(0), marker=marker, hovertemplate=_POINT),
                go.Scatter(fill="toself", xaxis="x2", yaxis="y2", **area),
                go.Bar(xaxis="x2", yaxis="y2", width=0.6, marker={"color": LINES[1]}, hovertemplate=_LAG),
            ]
        )

    def close(self) -> None:
        """Stop what runs, then as any chart."""
        self._background.close()
        super().close()

    def draw(self, snapshot: Snapshot) -> None:
        """Offer what is new to the thread, and show what it has made last."""
        legs = tuple(map(self.session.trade_columns, snapshot.pair))
        if not all(map(len, legs)):
            self._wait(snapshot, "Waiting for the first trades of both legs.")
            return
        if self.figure.is_watched:
            self._offer(snapshot, legs)
        else:
            self._drawn = None  # the first who looks at the same snapshot is to find it computed
        study = self._background.result()
        if study is None or study.pair != snapshot.pair:
            self._wait(snapshot, "Computing the correlations…")
        elif not study.is_drawn.any():
            n_y, n_x = map(len, legs)
            self._wait(snapshot, f"Too few trades of both legs at the same time yet: {n_y:,} + {n_x:,}.")
        elif study is not self._shown:
            self._shown = study
            self._show(study)

    def _offer(self, snapshot: Snapshot, legs: tuple[TradeColumns, ...]) -> None:
        series = snapshot.pair_series
        version = (*map(_version, legs), series.generation, series.first + len(series))
        closes = series.columns["y"][-LIVE_BARS:], series.columns["x"][-LIVE_BARS:]
        work = partial(_study, snapshot.pair, snapshot.timeframe, legs, closes)
        self._background.offer((snapshot.pair, snapshot.timeframe), version, work)

    def _wait(self, snapshot: Snapshot, notice: str) -> None:
        if self._shown is not None:
            self._shown = None
            self.figure.update_traces({"x": [], "y": []})
        y, x = snapshot.pair
        self.figure.say(label=f"Correlation of {y} and {x} by horizon, empty. {notice}", notice=notice)

    def _show(self, study: _Study) -> None:
        with self.figure.batch_update():
            self._show_curve(study)
            self._show_lags(study)
        words = _in_words(study)
        caption = f"{_evidence(study)}. {_lead(study)}"
        self.figure.say(label=f"{words}. {caption}", caption=caption)

    def _show_curve(self, study: _Study) -> None:
        result, is_drawn = study.by_horizon, study.is_drawn
        horizons, values, band = (
            column[is_drawn] for column in (result.horizons_ms, result.correlations, result.band)
        )
        self.figure.data[_BAND].update(**_area(horizons, np.minimum(band, 1.0)))
        is_inside = np.abs(values) <= band
        self.figure.data[_CURVE].update(
            x=horizons,
            y=values,
            hovertext=[_length(horizon) for horizon in horizons.tolist()],
            customdata=np.column_stack([result.n[is_drawn], band, result.share_filled[is_drawn]]),
            marker_symbol=np.where(is_inside, "circle-open", "circle").tolist(),
        )

    def _show_lags(self, study: _Study) -> None:
        result = study.by_lag
        is_known = np.isfinite(result.correlations)
        lags, values, band, n = (
            column[is_known] for column in (result.lags, result.correlations, result.joint_band, result.n)
        )
        is_inside = np.abs(values) <= band
        self.figure.data[_JOINT_BAND].update(**_area(lags, np.minimum(band, 1.0)))
        self.figure.data[_LAGS].update(
            x=lags,
            y=values,
            hovertext=[_order(study, lag) for lag in lags.tolist()],
            customdata=np.column_stack([n, band]),
            marker_pattern={"shape": np.where(is_inside, "/", "").tolist(), "fgcolor": LINES[1], "size": 4},
        )
        self.figure.layout.annotations = _names(study)


def _study(
    pair: tuple[str, str], timeframe: str, legs: tuple[TradeColumns, ...], closes: tuple[Array, Array]
) -> _Study:
    y, x = legs
    return _Study(pair, timeframe, correlate_trades(y, x, span_ns=LIVE_SPAN_NS), lead_lag(*closes))


def _version(leg: TradeColumns) -> Hashable:
    """Return what changes when trades come, are recovered, or go."""
    return len(leg), int(leg.trade_id[0]), int(leg.trade_id[-1])


def _area(x: NDArray[Any], half_width: Array) -> dict[str, NDArray[Any]]:
    """Return the outline of a band around nothing."""
    return {"x": np.concatenate([x, x[::-1]]), "y": np.concatenate([half_width, -half_width[::-1]])}


def _length(horizon_ms: int) -> str:
    """Return a bar's length as one says it.

    >>> [_length(ms) for ms in (250, 2_500, 60_000)]
    ['250 ms', '2.5 s', '1 min']
    """
    if horizon_ms < 1_000:
        return f"{horizon_ms} ms"
    return f"{horizon_ms / 1_000:g} s" if horizon_ms < 60_000 else f"{horizon_ms / 60_000:g} min"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _order(study: _Study, lag: int) -> str:
    if lag == 0:
        return "in the same bar"
    first, second = map(escape, study.pair if lag > 0 else study.pair[::-1])
    return f"{second} {abs(lag)} × {study.timeframe} after {first}"


def _in_words(study: _Study) -> str:
    y, x = study.pair
    result = study.by_horizon
    points = [
        f"{_length(int(horizon))} {_number(value)}"
        for horizon, value in zip(
            result.horizons_ms[study.is_drawn], result.correlations[study.is_drawn], strict=True
        )
    ]
    return f"Correlation of {y} and {x} by length of bar: {', '.join(points)}"


def _evidence(study: _Study) -> str:
    """Say over how much time, how many trades, and what they are too few for."""
    result = study.by_horizon
    start, end = (datetime.fromtimestamp(ns / 1e9, UTC) for ns in (result.start_ns, result.end_ns))
    form = "%H:%M:%S" if start.date() == end.date() else "%b %-d, %H:%M:%S"
    n_y, n_x = result.n_trades
    said = f"From {start:{form}} to {end:{form}} UTC, {n_y:,} + {n_x:,} trades"
    too_few = result.horizons_ms[result.n < _FEWEST]
    return f"{said}; too few yet for bars from {_length(int(too_few.min()))} on" if len(too_few) else said


def _lead(study: _Study) -> str:
    if not np.isfinite(study.by_lag.correlations).any():
        return f"Who leads is not known yet: too few bars of {study.timeframe}."
    return study.by_lag.sentence(*study.pair).replace(" -", " −")


def _names(study: _Study) -> list[dict[str, Any]]:
    y, x = map(escape, study.pair)
    lead = study.by_lag.lead
    verdict = "Neither leads" if lead is None else f"{y if lead > 0 else x} leads"
    side = {"font": {"size": 10, "color": MUTED}, "showarrow": False, "yref": "paper", "y": 0}
    side |= {"xref": "x2 domain", "yanchor": "top", "yshift": -20}
    return [
        {**pane_name("Correlation"), "x": _LEFT[0], "xanchor": "left"},
        pane_name(f"{verdict} · bars of {study.timeframe}", "y2"),
        {**side, "text": f"{x}<br>first", "x": 0, "xanchor": "left", "align": "left"},
        {**side, "text": f"{y}<br>first", "x": 1, "xanchor": "right", "align": "right"},
    ]


def _layout() -> dict[str, Any]:
    zero = {"zeroline": True, "zerolinecolor": MUTED, "zerolinewidth": 1}
    ticks = {"tickvals": _TICKS_MS, "ticktext": [_length(tick) for tick in _TICKS_MS], "tickangle": 0}
    return {
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"b": 50},  # two lines under the lags
        "xaxis": {
            "type": "log",
            "domain": _LEFT,
            "range": [np.log10(80), np.log10(1_150_000)],
            "title": {"text": "length of a bar"},
            **ticks,
        },
        "yaxis": {"side": "left", "range": [-1.05, 1.05], "nticks": 6, **zero},
        "xaxis2": {"domain": _RIGHT, "anchor": "y2", "range": [-10.6, 10.6], "dtick": 5},
        "yaxis2": {"anchor": "x2", "nticks": 6, **zero},
    }
