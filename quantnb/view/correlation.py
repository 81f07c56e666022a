"""The correlation matrix of all symbols' returns."""

from __future__ import annotations

from typing import Any

import ipywidgets
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from quantnb.snapshot import CorrelationMatrix, Snapshot
from quantnb.stats import correlation_band
from quantnb.view.chart import Chart, switch
from quantnb.view.lease import Lease
from quantnb.view.theme import DIVERGING, INK, escape

__all__ = ["CorrelationChart"]

_HOVER = (
    "%{y} and %{x}<br>correlation %{z:.3f}%{hovertext}<br>n = %{customdata[0]} returns, "
    "95 % band ±%{customdata[1]:.2f}"
)
_SECOND_LINE = '<br><span style="font-size: 9px">n = {}</span>'
_ROOM_FOR_N, _ROOM_FOR_NUMBERS = 6, 8  # symbols; with more of them a cell is too small
_N_SAID = 8


class CorrelationChart(Chart):
    """A heatmap from −1 to 1 that follows the market, or changes on a button only.

    The band is where 95 % of the correlations of two independent series lie, 1.96/√n, less what they were
    shrunk by. A number inside of it says nothing: it stands in brackets, or where cells are too small for
    numbers, is a dot.
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
        self.figure.update_traces(
            x=names,
            y=names,
            z=matrix.values,
            text=_cells(matrix),
            hovertext=np.where(_is_shrunk(matrix), f"<br>{_shrunk_by(matrix)}", "").tolist(),
            textfont={"size": 12 if len(names) <= _ROOM_FOR_N else 9, "color": INK},
            customdata=np.dstack([matrix.n, _band(matrix)]),
            visible=True,
        )
        self.figure.say(label=_in_words(matrix), caption=_evidence(matrix, window))

    def _refresh(self, _button: object) -> None:
        self._wants_newest = True
        self.redraw()


def _is_shrunk(matrix: CorrelationMatrix) -> NDArray[np.bool_]:
    """Tell which cells were drawn towards none; the diagonal was not."""
    among = np.isin(matrix.symbols, matrix.shrunk)
    cells: NDArray[np.bool_] = among[:, None] & among & ~np.eye(len(among), dtype=np.bool_)
    return cells


def _band(matrix: CorrelationMatrix) -> NDArray[np.float64]:
    return correlation_band(matrix.n) * (1.0 - np.where(_is_shrunk(matrix), matrix.shrinkage or 0.0, 0.0))


def _is_chance(matrix: CorrelationMatrix) -> NDArray[np.bool_]:
    """Tell which cells lie inside the band; a symbol's correlation with itself is no chance."""
    inside = np.abs(matrix.values) <= _band(matrix)
    cells: NDArray[np.bool_] = inside & ~np.eye(len(inside), dtype=np.bool_)
    return cells


def _cells(matrix: CorrelationMatrix) -> list[list[str]]:
    """Return what stands in each cell as room allows: the number, in brackets inside the band, and n."""
    if len(matrix.symbols) > _ROOM_FOR_NUMBERS:
        return np.where(_is_chance(matrix), "·", "").tolist()  # type: ignore[no-any-return]
    has_room = len(matrix.symbols) <= _ROOM_FOR_N
    columns = matrix.values.tolist(), _is_chance(matrix).tolist(), matrix.n.tolist()
    return [
        [
            (f"({_number(value)})" if is_chance else _number(value)) + (_SECOND_LINE.format(n) * has_room)
            for value, is_chance, n in zip(*row, strict=True)
        ]
        for row in zip(*columns, strict=True)
    ]


def _shrunk_by(matrix: CorrelationMatrix) -> str:
    """Say by how much, and by whose method."""
    return f"shrunk by {100 * (matrix.shrinkage or 0.0):.0f} % towards none (Ledoit–Wolf)"


def _evidence(matrix: CorrelationMatrix, window: int) -> str:
    """Say how much the matrix rests on; a window that is not full yet gives numbers, but weak ones."""
    fewest, most = int(matrix.n.min()), int(matrix.n.max())
    n = f"{fewest} to {most}" if fewest < most else f"{most}"
    said = [f"n = {n} log returns" if most >= window else f"{n} of {window} log returns so far"]
    if matrix.shrinkage is not None:
        n_returns = matrix.n[_is_shrunk(matrix)].max()
        said.append(f"{_shrunk_by(matrix)}: {len(matrix.shrunk)} symbols, {n_returns} returns")
    if most:
        narrowest = float(correlation_band(most)) * (1.0 - (matrix.shrinkage or 0.0))
        mark = "in brackets" if len(matrix.symbols) <= _ROOM_FOR_NUMBERS else "with a dot"
        inside = f", {mark} what is inside" if _is_chance(matrix).any() else ""
        said.append(f"95 % band of chance ±{narrowest:.2f}{inside}")
    return " · ".join(said)


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def _in_words(matrix: CorrelationMatrix) -> str:
    rows, columns = np.triu_indices(len(matrix.symbols), k=1)
    if not len(rows):
        return "Correlation of one symbol."
    of = "Correlation of log returns"
    if len(matrix.symbols) > _ROOM_FOR_NUMBERS:  # nobody listens to hundreds
        strongest = np.argsort(-np.nan_to_num(np.abs(matrix.values[rows, columns])), kind="stable")[:_N_SAID]
        rows, columns = rows[strongest], columns[strongest]
        of += f" of {len(matrix.symbols)} symbols, strongest"
    said = (
        f"{matrix.symbols[i]} and {matrix.symbols[j]} {_number(matrix.values[i, j])}"
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    )
    return f"{of}: {', '.join(said)}."
