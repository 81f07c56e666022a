"""The correlation matrix of all symbols' returns."""

from __future__ import annotations

from typing import Any

import ipywidgets
import numpy as np
import plotly.graph_objects as go

from quantnb.snapshot import CorrelationMatrix, Snapshot
from quantnb.view.chart import Chart, switch
from quantnb.view.lease import Lease
from quantnb.view.theme import DIVERGING, INK, escape

__all__ = ["CorrelationChart"]

_HOVER = (
    "%{y} and %{x}<br>correlation %{z:.3f}<br>n = %{customdata[0]} returns, 95 % band ±%{customdata[1]:.2f}"
)


class CorrelationChart(Chart):
    """A heatmap from −1 to 1 that follows the market, or changes on a button only.

    The band in the hover is where 95 % of the correlations of two independent series lie,
    1.96/√n: inside of it a number says nothing.
    """

    def __init__(self, session: Any, *, lease: Lease | None = None) -> None:
        axis = {"type": "category", "fixedrange": True, "showgrid": False}
        layout = {
            "xaxis": axis,
            "yaxis": {**axis, "autorange": "reversed", "side": "left"},
            "hovermode": "closest",
            "margin": {"t": 12},
        }
        super().__init__(session, "Correlation of returns", "qnb-corr", layout, lease=lease)
        self.auto_switch = switch("Auto", "Follow every closed bar")
        self.refresh_button = ipywidgets.Button(description="Refresh", tooltip="Show the matrix as it is now")
        self.refresh_button.on_click(self._refresh)
        self._shown: CorrelationMatrix | None = None
        self._wants_newest = True
        self.figure.add_traces(
            go.Heatmap(
                zmin=-1,
                zmax=1,
                colorscale=DIVERGING,
                xgap=2,
                ygap=2,
                texttemplate="%{text}",
                textfont={"size": 12, "color": INK},
                hovertemplate=_HOVER + "<extra></extra>",
                hoverongaps=False,
                colorbar={"thickness": 10, "outlinewidth": 0, "tickvals": [-1, -0.5, 0, 0.5, 1]},
            )
        )
        self._add_controls([self.auto_switch, self.refresh_button])

    def draw(self, snapshot: Snapshot) -> None:
        """Show the newest matrix, if it is asked for and not shown yet."""
        matrix = snapshot.correlation
        if self._shown is not None and matrix is not None:
            self._wants_newest |= matrix.symbols != self._shown.symbols
        if not (self.auto_switch.value or self._wants_newest) or (
            matrix is self._shown and matrix is not None
        ):
            return
        self._shown = matrix
        self._wants_newest = matrix is None
        if matrix is None or not np.isfinite(matrix.values).any():
            notice = "Waiting for the first returns."
            self.figure.data[0].visible = False
            self.figure.say(label=f"Correlation matrix, empty. {notice}", notice=notice)
        else:
            self._show(matrix, snapshot.window)

    def _show(self, matrix: CorrelationMatrix, window: int) -> None:
        names = [escape(symbol) for symbol in matrix.symbols]
        with np.errstate(divide="ignore"):
            band = 1.96 / np.sqrt(matrix.n)
        self.figure.update_traces(
            x=names,
            y=names,
            z=matrix.values,
            text=[[_number(value) for value in row] for row in matrix.values],
            customdata=np.dstack([matrix.n, band]),
            visible=True,
        )
        self.figure.say(label=_in_words(matrix), caption=_evidence(matrix, window))

    def _refresh(self, _button: object) -> None:
        self._wants_newest = True
        self.redraw()


def _evidence(matrix: CorrelationMatrix, window: int) -> str:
    """Say how much the matrix rests on; a window that is not full yet gives numbers, but weak ones."""
    n = int(matrix.n.min())
    if n < window:
        return f"{n} of {window} log returns so far"
    return f"n = {n} log returns · 95 % band of chance ±{1.96 / np.sqrt(n):.2f}"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def _in_words(matrix: CorrelationMatrix) -> str:
    pairs = [
        f"{a} and {b} {_number(matrix.values[i, i + j])}"
        for i, a in enumerate(matrix.symbols)
        for j, b in enumerate(matrix.symbols[i:])
        if j > 0
    ]
    return f"Correlation of log returns: {', '.join(pairs)}." if pairs else "Correlation of one symbol."
