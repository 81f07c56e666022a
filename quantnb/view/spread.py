"""The pair's spread, its z-score with thresholds that a viewer can drag, and who moved it."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import ipywidgets
import numpy as np
import plotly.graph_objects as go
import traitlets

from quantnb.snapshot import Snapshot
from quantnb.stats.timeframes import timeframe_ns
from quantnb.view.chart import Chart, history_key, known, switch, to_ms
from quantnb.view.digits import price_format, spread_digits
from quantnb.view.gaps import GapMarks, gap_axis, gap_spans, gap_trace
from quantnb.view.lease import Lease
from quantnb.view.moves import Moves, in_words
from quantnb.view.rule_marks import RuleMarks
from quantnb.view.theme import FALLING, TIME_AXIS, line_style, pane_name, row_axes

__all__ = ["SpreadChart"]

_SPREAD, _ZSCORE, _SPREAD_GAPS, _ZSCORE_GAPS = 0, 1, 2, 3
_HEIGHTS = (1.0, 1.0, 0.8)  # of the panes: spread, z-score, who moved
_AXES = ("y", "y2", "y3")
_NAMES = ("Spread, USDT", "Z-score, standard deviations", "Moved by")
_LEGEND = {
    "font": {"size": 10},
    "itemwidth": 30,
    "itemclick": False,
    "itemdoubleclick": False,
}
_SHAPE_Y = re.compile(r"shapes\[[01]\]\.y[01]")


class SpreadChart(Chart):
    """Three panes over one time axis.

    Attributes
    ----------
    threshold : float
        Both lines stand at plus and minus this z-score. Observable; set by code, in the field, or by
        dragging either line.
    """

    threshold = traitlets.Float(2.0, min=0.1, max=10.0)

    def __init__(self, session: Any, *, lease: Lease | None = None) -> None:
        super().__init__(
            session,
            "Spread & z-score",
            "qnb-spread",
            {"hoversubplots": "axis"},
            config={"edits": {"shapePosition": True}, "crosshair": "time"},
            lease=lease,
        )
        self.spread_switch = switch("Spread", "Show the spread")
        self.zscore_switch = switch("Z-score", "Show the z-score")
        self.moves_switch = switch(
            "Who moved?", "Each change of the z-score, split into legs, hedge ratio, mean and deviation"
        )
        self.threshold_switch = switch("±", "Show the thresholds; drag a line to move both")
        self.threshold_field = ipywidgets.BoundedFloatText(
            self.threshold,
            description="Threshold",
            min=0.1,
            max=10.0,
            step=0.1,
            tooltip="Threshold in standard deviations",
        )
        self.threshold_field.add_class("qnb-threshold")
        traitlets.link((self, "threshold"), (self.threshold_field, "value"))
        self._shape: tuple[Hashable, ...] = ()
        self.figure.add_traces(
            [
                _line("Spread", line_style(0), "y"),
                _line("z", line_style(3) | {"dash": "solid"}, "y2"),
                gap_trace("y4").update(showlegend=False),
                gap_trace("y5", is_spoken=False),
            ]
        )
        self._moves = Moves(self.figure, "y3")
        self._rule_marks = RuleMarks(self.figure, "y2")
        self._gaps = GapMarks(self.figure, [_SPREAD_GAPS, _ZSCORE_GAPS])
        self.figure.data[_ZSCORE].yhoverformat = ".2f"
        self.figure.on_relayout(self._on_drag)
        self.watch(self.redraw, "preview")
        self._add_controls(
            [
                self.spread_switch,
                self.zscore_switch,
                self.moves_switch,
                self.threshold_switch,
                self.threshold_field,
            ]
        )

    def draw(self, snapshot: Snapshot) -> None:
        """Stream what is new of both columns."""
        self._arrange(snapshot)
        series = snapshot.pair_series
        first, span = known(series, "spread")
        x = to_ms(series.time_ns[span])
        generation = history_key(snapshot)
        for trace, name in ((_SPREAD, "spread"), (_ZSCORE, "zscore")):
            self.figure.stream(trace, generation, first, {"x": x, "y": series.columns[name][span]})
        bar_ns = timeframe_ns(snapshot.timeframe)
        if self.moves_switch.value:
            self._moves.stream(generation, first, series, span, bar_ns / 1e6)
        holes = snapshot.status.holes if len(x) else ()
        spans = gap_spans(holes, snapshot.pair, bar_ns, int(series.time_ns[span][0])) if holes else ()
        self._gaps.show(spans, bar_ns, with_symbols=True)
        self._rule_marks.show(self.session.preview if self.zscore_switch.value else None, series)
        self._describe(snapshot)

    def _arrange(self, snapshot: Snapshot) -> None:
        """Show the panes and lines that the controls ask for; nothing is sent if they are shown already."""
        shown = (self.spread_switch.value, self.zscore_switch.value, self.moves_switch.value)
        threshold = self.threshold if self.zscore_switch.value and self.threshold_switch.value else None
        hover = price_format(spread_digits(self.session))
        shape = (shown, threshold, hover, snapshot.pair, snapshot.timeframe)
        if shape == self._shape:
            return
        self._shape = shape
        with self.figure.batch_update():
            self.figure.data[_SPREAD].update(visible=shown[0], yhoverformat=hover)
            self.figure.data[_ZSCORE].visible = shown[1]
            self._moves.name(snapshot.pair, is_shown=shown[2])
            panes = _panes(shown)
            self.figure.update_layout(panes)
            self.figure.layout.shapes = _threshold_lines(threshold)
            self.figure.layout.annotations = _pane_names(shown)
            self.figure.update_layout(
                legend={**_LEGEND, "y": panes["yaxis3"]["domain"][1]},
                uirevision=f"{snapshot.pair} {snapshot.timeframe}",
                yaxis2={"autorangeoptions": {"include": _room_around(threshold)}},
                yaxis4=gap_axis("y"),
                yaxis5=gap_axis("y2"),
            )

    def _on_drag(self, changes: dict[str, Any]) -> None:
        """Move both lines to where one was dropped."""
        moved = [value for key, value in changes.items() if _SHAPE_Y.fullmatch(key)]
        if moved and isinstance(moved[0], int | float):
            self.threshold = round(min(10.0, max(0.1, abs(moved[0]))), 2)
            self.figure.resend_layout()  # even if the number stays the same: the line was pulled aside

    @traitlets.observe("threshold")
    def _on_threshold(self, _change: object) -> None:
        if hasattr(self, "figure"):
            self.redraw()

    def _describe(self, snapshot: Snapshot) -> None:
        series, pair = snapshot.pair_series, "/".join(snapshot.pair)
        spread, zscore = (series.columns[name][-1:] for name in ("spread", "zscore"))
        if not (self.spread_switch.value or self.zscore_switch.value or self.moves_switch.value):
            self.figure.say(label="All panes are hidden.", notice="All panes are hidden.")
        elif not np.isfinite(series.columns["spread"]).any():
            notice = f"The spread needs {snapshot.window + 1} bars of both legs, {len(series)} so far."
            self.figure.say(label=f"Spread of {pair}, empty. {notice}", notice=notice)
        else:
            z = f"{zscore[0]:.2f}".replace("-", "−") if np.isfinite(zscore).all() else "not known yet"
            s = f"{spread[0]:,.4g} USDT".replace("-", "−") if np.isfinite(spread).all() else "not known"
            label = f"Spread of {pair}: {s}; z-score {z}, thresholds ±{self.threshold:g}."
            self.figure.say(label=" ".join(filter(None, [label, in_words(series, snapshot.pair)])))


def _line(name: str, line: dict[str, Any], axis: str) -> go.Scatter:
    return go.Scatter(mode="lines", name=name, line=line, yaxis=axis, showlegend=False)


def _panes(shown: tuple[bool, ...]) -> dict[str, Any]:
    """Return the axes of the panes that are shown, one above the other; the others take no room."""
    heights = tuple(height for height, is_shown in zip(_HEIGHTS, shown, strict=True) if is_shown)
    gap = 0.14 if shown[-1] else 0.1  # where the panel is narrow, the legend takes two lines
    rows = iter(row["domain"] for name, row in row_axes(heights, gap=gap).items() if name != "xaxis")
    axes: dict[str, Any] = {}
    lowest = "y"
    for axis, is_shown in zip(_AXES, shown, strict=True):
        lowest = axis if is_shown else lowest
        domain = next(rows) if is_shown else [0.0, 0.001]
        axes[axis.replace("y", "yaxis")] = {"domain": domain, "anchor": "x", "visible": is_shown}
    return axes | {"xaxis": {**TIME_AXIS, "anchor": lowest}}


def _pane_names(shown: tuple[bool, ...]) -> list[dict[str, Any]]:
    named = zip(_NAMES, _AXES, shown, strict=True)
    return [
        # The last stands above its legend. As its title plotly would forget it when it breaks the legend into
        # lines, and a narrow panel would lose the last entry.
        pane_name(name, axis) | ({"yshift": 18} if axis == _AXES[-1] else {})
        for name, axis, is_shown in named
        if is_shown
    ]


def _room_around(threshold: float | None) -> list[float] | None:
    """Return what the axis must reach for both lines to stand clear of the pane's edges."""
    return None if threshold is None else [-1.2 * threshold, 1.2 * threshold]


def _threshold_lines(threshold: float | None) -> list[dict[str, Any]]:
    if threshold is None:
        return []
    line = {"color": FALLING, "width": 1.5, "dash": "dash"}
    place = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y2", "line": line}
    return [{**place, "y0": y, "y1": y} for y in (threshold, -threshold)]
