"""Who moved? The causes of each change of the z-score, stacked under it.

plotly draws a bar as an element of its own: five causes of two thousand bars would be ten thousand. Here each
cause is one filled line of steps, once for what it added and once for what it took. The sums of the causes so
far, drawn from the outermost to the innermost, look just like stacked bars and are ten paths.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from quantnb.engine.pair import PART_COLUMNS
from quantnb.snapshot import Series
from quantnb.view.theme import LINES, SURFACE, escape

__all__ = ["Moves", "in_words", "stacked"]

_SIGNS = ("β", "mean", "σ")  # of the last three, for the legend
_PATTERNS = ("", "/", "", "\\", ".")  # so that colour is not the only sign

Array = NDArray[np.float64]


class Moves:
    """The stack in one pane of a figure.

    Parameters
    ----------
    figure
        It gets the stack's traces after those that it has.
    axis
        Of the pane.
    """

    def __init__(self, figure: Any, axis: str) -> None:
        self._figure = figure
        self._first = len(figure.data)
        self._held: tuple[Hashable, ...] | None = None  # what was streamed last
        # What is drawn later covers what was drawn before, so the outermost sums come first.
        figure.add_traces(
            [_steps(axis, cause, side) for cause in reversed(range(len(PART_COLUMNS))) for side in (0, 1)]
        )

    def name(self, pair: tuple[str, str], *, is_shown: bool) -> None:
        """Name the causes, briefly: a narrow panel is to have them in one line. Show or hide the stack."""
        legs = (escape(symbol).removesuffix("USDT") for symbol in pair)
        for cause, name in enumerate((*legs, *_SIGNS)):
            for side in (0, 1):
                self._figure.data[self._trace(cause, side)].update(name=name, visible=is_shown)

    def stream(self, generation: Hashable, first: int, series: Series, span: slice, bar_ms: float) -> None:
        """Stream what is new; the step of the newest bar ends with the bar."""
        held = generation, first, series.first + len(series)
        if held == self._held:  # between two bars nothing changes
            return
        self._held = held
        x = series.time_ns[span] / 1e6
        parts = [series.columns[name][span] for name in PART_COLUMNS]
        if len(x):
            x = np.append(x, x[-1] + bar_ms)
            parts = [np.append(part, part[-1]) for part in parts]
        for cause, sums in enumerate(stacked(parts)):
            for side, y in enumerate(sums):
                columns = {"x": x, "y": y} | ({"customdata": parts[cause]} if side == 0 else {})
                self._figure.stream(
                    self._trace(cause, side), generation, first, columns, n_provisional=min(1, len(x))
                )

    def _trace(self, cause: int, side: int) -> int:
        return self._first + 2 * (len(PART_COLUMNS) - 1 - cause) + side


def _steps(axis: str, cause: int, side: int) -> go.Scatter:
    """Return the trace of one cause; only that of what was added speaks, for both."""
    colour, shape = LINES[cause], _PATTERNS[cause]
    pattern = {"shape": shape, "bgcolor": colour, "fgcolor": SURFACE, "size": 6, "fgopacity": 1}
    fill = {"fillpattern": pattern} if shape else {"fillcolor": colour}
    return go.Scatter(
        yaxis=axis,
        mode="lines",
        line={"shape": "hv", "width": 0, "color": colour},
        fill="tozeroy",
        hoverinfo="skip" if side else None,
        hovertemplate=None if side else "%{customdata:+.2f}",
        showlegend=not side,
        legendrank=cause,
        **fill,
    )


def _names(pair: tuple[str, str]) -> tuple[str, ...]:
    return (*pair, "ratio", "mean", "deviation")


def in_words(series: Series, pair: tuple[str, str]) -> str:
    """Say what moved the z-score at the newest bar; empty where it is not known."""
    parts = [series.columns[name][-1:] for name in PART_COLUMNS]
    if not all(len(part) and np.isfinite(part[0]) for part in parts):
        return ""
    said = (f"{name} {part[0]:+.2f}" for name, part in zip(_names(pair), parts, strict=True))
    return f"Moved by {', '.join(said)}.".replace("-", "−")


def stacked(parts: list[Array]) -> list[tuple[Array, Array]]:
    """Return for each cause the sum of the causes up to it, of what was added and of what was taken."""
    up, down = np.zeros(len(parts[0])), np.zeros(len(parts[0]))
    sums = []
    for part in parts:
        known = np.nan_to_num(part)  # plotly would fill across what is not known
        up, down = up + np.maximum(known, 0.0), down + np.minimum(known, 0.0)
        sums.append((up, down))
    return sums
