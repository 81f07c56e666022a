"""What is missing stays marked on the charts: hatched spans, and words where one is pointed at.

Spans are a trace of their own over the pane, a filled line of height 1. Layout shapes would have no words,
could be dragged away where thresholds can, and cost a whole layout at every change; this costs a few points.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from quantnb.snapshot import Hole
from quantnb.view.theme import FALLING, GAP, escape

__all__ = ["MAX_SPANS", "GapMarks", "GapSpan", "gap_axis", "gap_spans", "gap_trace"]

MAX_SPANS = 50
POINTS_TO_HOVER = 400  # of all spans together
MAX_CAUSE = 60
_MAX_NAMES = 3


@dataclass(frozen=True, slots=True)
class GapSpan:
    """Bars of which trades are missing, from the open of the first to the end of the last."""

    start_ns: int
    end_ns: int
    n_missing: int
    symbols: tuple[str, ...]
    causes: tuple[str, ...]

    def words(self, *, with_symbols: bool) -> str:
        """Say what is missing, as plain text made safe for plotly."""
        causes = _some(self.causes, "; ")
        where = f"{_some(self.symbols, ', ')}: " if with_symbols else ""
        trades = "trade" if self.n_missing == 1 else "trades"
        count = f"{self.n_missing:,}" if self.n_missing else "unknown number of"
        return escape(f"gap: {count} {trades} missing ({where}{causes})")


def gap_spans(
    holes: Iterable[Hole], symbols: Collection[str], bar_ns: int, shown_from_ns: int
) -> tuple[GapSpan, ...]:
    """Return what is open or lost of ``symbols``, in whole bars, in order of time, at most `MAX_SPANS`.

    Spans that touch are one; where there are too many, the nearest neighbours are. Nothing begins before
    ``shown_from_ns``, the open of the first bar shown.
    """
    merged: list[GapSpan] = []
    for hole in sorted(holes, key=lambda hole: hole.start_ns):
        if hole.state == "closed" or hole.symbol not in symbols:
            continue
        start_ns = max(hole.start_ns - hole.start_ns % bar_ns, shown_from_ns)
        end_ns = hole.end_ns - hole.end_ns % bar_ns + bar_ns
        if end_ns <= start_ns:
            continue
        span = GapSpan(start_ns, end_ns, hole.n_missing, (hole.symbol,), (hole.cause[:MAX_CAUSE],))
        if merged and span.start_ns <= merged[-1].end_ns:
            merged[-1] = _joined(merged[-1], span)
        else:
            merged.append(span)
    return _bounded(merged)


def _bounded(spans: list[GapSpan]) -> tuple[GapSpan, ...]:
    """Join the nearest neighbours until there are few enough."""
    n_excess = len(spans) - MAX_SPANS
    if n_excess <= 0:
        return tuple(spans)
    distances = [after.start_ns - before.end_ns for before, after in pairwise(spans)]
    joints = set(np.argsort(distances, kind="stable")[:n_excess].tolist())
    bounded = spans[:1]
    for k, span in enumerate(spans[1:]):
        if k in joints:
            bounded[-1] = _joined(bounded[-1], span)
        else:
            bounded.append(span)
    return tuple(bounded)


def _joined(a: GapSpan, b: GapSpan) -> GapSpan:
    return replace(
        a,
        end_ns=max(a.end_ns, b.end_ns),
        n_missing=a.n_missing + b.n_missing,
        symbols=tuple(dict.fromkeys(a.symbols + b.symbols)),
        causes=tuple(dict.fromkeys(a.causes + b.causes)),
    )


def _some(names: Sequence[str], separator: str) -> str:
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return separator.join(names[:_MAX_NAMES]) + more


def gap_axis(pane: str = "y") -> dict[str, Any]:
    """Return the axis from 0 to 1 that lies over a pane, for a trace of `gap_trace`."""
    return {"overlaying": pane, "range": [0, 1], "fixedrange": True, "visible": False}


def gap_trace(axis: str, *, is_spoken: bool = True) -> go.Scatter:
    """Return a trace for `GapMarks` on an axis of `gap_axis`; of several panes' only one speaks."""
    return go.Scatter(
        name="gap",
        yaxis=axis,
        mode="lines",
        line={"width": 0, "color": FALLING},
        fill="tozeroy",
        fillpattern={"shape": "/", "fgcolor": FALLING, "bgcolor": GAP, "size": 6, "solidity": 0.12},
        visible=False,
        legendrank=2_000,  # after the lines
        showlegend=is_spoken,
        hoverinfo=None if is_spoken else "skip",
        hovertemplate="%{text}<extra></extra>" if is_spoken else None,
    )


class GapMarks:
    """The marks of one chart: what they show is sent again only when it has changed.

    Parameters
    ----------
    figure
        Of the chart.
    traces
        The indexes of its traces made by `gap_trace`.
    """

    def __init__(self, figure: Any, traces: Sequence[int]) -> None:
        self._figure = figure
        self._traces = tuple(traces)
        self._shown: tuple[tuple[GapSpan, ...], bool] | None = None

    def forget(self) -> None:
        """Show everything anew the next time: the traces have been made anew."""
        self._shown = None

    def show(self, spans: tuple[GapSpan, ...], bar_ns: int, *, with_symbols: bool) -> None:
        """Mark ``spans``, and nothing else."""
        if (spans, with_symbols) == self._shown:
            return
        self._shown = (spans, with_symbols)
        x, y, text = _outline(spans, bar_ns, with_symbols=with_symbols)
        with self._figure.batch_update():
            for trace in self._traces:
                is_spoken = self._figure.data[trace].hoverinfo != "skip"
                self._figure.data[trace].update(
                    x=x, y=y, text=text if is_spoken else None, visible=bool(spans)
                )


def _outline(
    spans: tuple[GapSpan, ...], bar_ns: int, *, with_symbols: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Return a line that rises to 1 over every span and has a point to hover over in each of its bars.

    In between it runs along 0, where nothing is to be filled: plotly fills across the holes of a line.
    """
    xs, ys, texts = [np.empty(0)], [np.empty(0)], []
    for span in spans:
        n_bars = (span.end_ns - span.start_ns) // bar_ns
        n = int(min(n_bars, max(1, POINTS_TO_HOVER // len(spans))))
        bars = span.start_ns + np.linspace(0, n_bars - 1, n).round().astype(np.int64) * bar_ns
        xs.append(np.concatenate([bars[:1], bars, [span.end_ns] * 2]) / 1e6)
        ys.append(np.concatenate([[0.0], np.ones(n + 1), [0.0]]))
        texts += [span.words(with_symbols=with_symbols)] * (n + 3)
    return np.concatenate(xs), np.concatenate(ys), texts
