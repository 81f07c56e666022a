"""A rule before it is saved, on the chart: where it would have fired, and the trades of the plain rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from quantnb.snapshot import Series
from quantnb.view.theme import FALLING, INK, RISING

if TYPE_CHECKING:
    from quantnb.engine.preview import RulePreview

__all__ = ["RuleMarks"]

MAX_MARKS = 500  # of either kind, the newest: a threshold of 0.1 fires at every other bar


class RuleMarks:
    """Marks on the z-score of a figure; what they show is sent again only when it has changed.

    Parameters
    ----------
    figure
        It gets two traces after those that it has.
    axis
        Of the z-score's pane.
    """

    def __init__(self, figure: Any, axis: str) -> None:
        self._figure = figure
        self._first = len(figure.data)
        self._shown: RulePreview | None = None
        common = {"yaxis": axis, "visible": False, "showlegend": False}
        common |= {"hovertemplate": "%{text}<extra></extra>"}
        fires = {"symbol": "diamond-open", "size": 9, "color": INK, "line": {"width": 1.5}}
        figure.add_traces(
            [
                go.Scatter(mode="markers", marker=fires, **common),
                go.Scatter(mode="lines+markers", line={"color": INK, "width": 2, "dash": "dot"}, **common),
            ]
        )

    def show(self, preview: RulePreview | None, series: Series) -> None:
        """Mark what a preview found of the pair; nothing for None, and nothing of a symbol's price."""
        if preview is self._shown:
            return
        self._shown = preview
        is_of_pair = preview is not None and preview.rule.kind != "price_change"
        opens_ns = preview.opens_ns[-MAX_MARKS:] if preview and is_of_pair else np.empty(0, np.int64)
        trades = _trades(preview)[-MAX_MARKS:] if preview and is_of_pair else []
        with self._figure.batch_update():
            self._figure.data[self._first].update(
                x=opens_ns / 1e6,
                y=_scores_at(series, opens_ns),
                text=["the rule would have fired"] * len(opens_ns),
                visible=bool(len(opens_ns)),
            )
            self._figure.data[self._first + 1].update(_path(series, trades))


def _trades(preview: RulePreview) -> list[tuple[int, int, int, str]]:
    """Return of each trade the opens of its first and last bar, its side, and what it made in words."""
    if preview.backtest is None:
        return []
    found = preview.backtest.trades
    rows = zip(preview.trades_ns.tolist(), found["side"], found["net_bp"], found["is_open"], strict=True)
    return [
        (
            *bars,
            side,
            f"{'long' if side > 0 else 'short'} the spread, {net_bp:+.1f} bp net"
            + (", still open" if is_open else ""),
        )
        for bars, side, net_bp, is_open in rows
    ]


def _path(series: Series, trades: list[tuple[int, int, int, str]]) -> dict[str, Any]:
    """Return a line from entry to exit: a triangle up for long and down for short, a circle at the end."""
    opens_ns = np.array([trade[:2] for trade in trades], np.int64).reshape(-1, 2)
    x, y = np.full((len(trades), 3), np.nan), np.full((len(trades), 3), np.nan)
    x[:, :2], y[:, :2] = opens_ns / 1e6, _scores_at(series, opens_ns)
    starts = [("triangle-up", RISING) if side > 0 else ("triangle-down", FALLING) for *_, side, _ in trades]
    return {
        "x": x.ravel(),
        "y": y.ravel(),
        "text": [words for *_, words in trades for _ in range(3)],
        "marker": {
            "size": 9,
            "symbol": [symbol for start, _ in starts for symbol in (start, "circle", "circle")],
            "color": [colour for _, colour in starts for _ in range(3)],
        },
        "visible": bool(trades),
    }


def _scores_at(series: Series, opens_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the z-score of the bars that opened then; NaN for those that are no longer shown."""
    times, scores = series.time_ns, series.columns["zscore"]
    if not len(times):
        return np.full(opens_ns.shape, np.nan)
    at = np.minimum(np.searchsorted(times, opens_ns), len(times) - 1)
    return np.where(times[at] == opens_ns, scores[at], np.nan)
