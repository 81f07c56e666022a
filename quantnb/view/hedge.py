"""The hedge ratio: the regression of the pair's legs, how it moved, and how certain it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from quantnb.snapshot import HedgeFit, Snapshot
from quantnb.view.chart import Chart, history_key, known, newest, to_ms
from quantnb.view.lease import Lease
from quantnb.view.theme import BAND, LINES, TIME_AXIS, escape, line_style, pane_name

__all__ = ["HedgeChart"]

Array = NDArray[np.float64]

_POINTS, _LINE, _LOW, _HIGH, _RATIO, _R_SQUARED = range(6)
_N_ERRORS = 2.0  # standard errors on either side of the ratio
_BAND = "± 2 standard errors, as if residuals were independent"
_RATIO_HOVER = f"%{{y:.5~g}} ± %{{customdata:.2~g}}<br>{_BAND}<extra>Hedge ratio</extra>"


class HedgeChart(Chart):
    """Closes of both legs over the window with the fitted line; beside it the ratio in its band, and R²."""

    def __init__(self, session: Any, *, lease: Lease | None = None) -> None:
        super().__init__(session, "Hedge ratio (OLS)", "qnb-hedge", _layout(), lease=lease)
        self._pair: tuple[str, str] | None = None
        self._fit: HedgeFit | None = None
        marker = {"size": 5, "color": LINES[0], "opacity": 0.7}
        self.figure.add_traces(
            [
                go.Scatter(
                    mode="markers", marker=marker, hovertemplate="x %{x:,}<br>y %{y:,}<extra></extra>"
                ),
                go.Scatter(
                    mode="lines", line=line_style(1) | {"dash": "solid", "width": 2}, hoverinfo="skip"
                ),
                _edge(),
                _edge(fill="tonexty", fillcolor=BAND),
                _history("Hedge ratio", line_style(0), "y2", hovertemplate=_RATIO_HOVER),
                _history("R²", line_style(2) | {"dash": "solid"}, "y3"),
            ]
        )

    def draw(self, snapshot: Snapshot) -> None:
        """Stream the new points and lay the line through the window."""
        if snapshot.pair != self._pair:
            self._name_axes(snapshot.pair)
        series = snapshot.pair_series
        generation = history_key(snapshot)
        first, span = newest(series, snapshot.window)
        x, y = series.columns["x"][span], series.columns["y"][span]
        self.figure.stream(_POINTS, generation, first, {"x": x, "y": y})
        first, span = known(series, "hedge_ratio")
        time_ms = to_ms(series.time_ns[span])
        ratio, error = series.columns["hedge_ratio"][span], _N_ERRORS * series.columns["stderr"][span]
        for trace, y in ((_LOW, ratio - error), (_HIGH, ratio + error)):
            self.figure.stream(trace, generation, first, {"x": time_ms, "y": _closed(y, ratio)})
        self.figure.stream(_RATIO, generation, first, {"x": time_ms, "y": ratio, "customdata": error})
        y = series.columns["r_squared"][span]
        self.figure.stream(_R_SQUARED, generation, first, {"x": time_ms, "y": y})
        if snapshot.hedge != self._fit:
            self._fit = snapshot.hedge
            self._lay_line(snapshot.hedge, x)
        self._describe(snapshot)

    def _name_axes(self, pair: tuple[str, str]) -> None:
        self._pair = pair
        y, x = pair
        self.figure.update_layout(
            xaxis={"title": {"text": f"x: {escape(x)}"}},
            yaxis={"title": {"text": f"y: {escape(y)}"}},
            uirevision=f"{y}/{x}",
        )

    def _lay_line(self, fit: HedgeFit | None, x: Array) -> None:
        known = x[np.isfinite(x)]
        ends = np.array([known.min(), known.max()]) if fit is not None and len(known) else np.empty(0)
        y = fit.intercept + fit.hedge_ratio * ends if fit is not None else ends
        self.figure.stream(_LINE, "line", 0, {"x": ends, "y": y}, n_provisional=len(ends))

    def _describe(self, snapshot: Snapshot) -> None:
        y, x = snapshot.pair
        fit = snapshot.hedge
        if fit is None:
            n_bars = len(snapshot.pair_series)
            notice = f"The hedge ratio needs {snapshot.window} bars of both legs, {n_bars} so far."
            self.figure.say(label=f"Hedge ratio of {y} on {x}, empty. {notice}", notice=notice)
            return
        sign = "+" if fit.hedge_ratio >= 0 else "−"
        words = (
            f"{y} = {fit.intercept:,.5g} {sign} {abs(fit.hedge_ratio):.5g} × {x}"
            f" · stderr {fit.stderr:.2g} · R² = {fit.r_squared:.3f} · n = {fit.nobs}"
        ).replace("= -", "= −")
        self.figure.say(label=f"Hedge ratio by least squares: {words}. Its band is {_BAND}.", caption=words)


def _closed(edge: Array, ratio: Array) -> Array:
    """Give the band no width where nothing is known: plotly fills across the holes of a line."""
    newest_known = np.maximum.accumulate(np.where(np.isfinite(ratio), np.arange(len(ratio)), 0))
    return np.where(np.isfinite(edge), edge, ratio[newest_known])


def _layout() -> dict[str, Any]:
    left, right = [0.0, 0.42], [0.5, 1.0]
    return {
        "showlegend": False,
        "hovermode": "closest",
        "annotations": [pane_name("Hedge ratio β ± 2 stderr", "y2"), pane_name("R²", "y3")],
        "xaxis": {"domain": left, "anchor": "y", "nticks": 4},
        "yaxis": {"domain": [0, 1], "anchor": "x", "side": "left"},
        "xaxis2": {**TIME_AXIS, "domain": right, "anchor": "y3", "nticks": 3},
        "yaxis2": {"domain": [0.56, 1], "anchor": "x2", "nticks": 6},
        "yaxis3": {"domain": [0, 0.44], "anchor": "x2", "nticks": 6, "range": [0, 1.02]},
    }


def _history(name: str, line: dict[str, Any], axis: str, **more: Any) -> go.Scatter:
    return go.Scatter(mode="lines", name=name, line=line, xaxis="x2", yaxis=axis, yhoverformat=".5~g", **more)


def _edge(**more: Any) -> go.Scatter:
    """Return one edge of the band, itself not to be seen; the upper one fills down to the lower."""
    return go.Scatter(mode="lines", line={"width": 0}, hoverinfo="skip", xaxis="x2", yaxis="y2", **more)
