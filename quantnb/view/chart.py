"""What the charts share: a header line with controls above a live figure that reads the session."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from quantnb.snapshot import Series, Snapshot
from quantnb.view.figure import LiveFigure
from quantnb.view.heading import Heading
from quantnb.view.lease import Lease
from quantnb.view.watching import Watching

__all__ = ["MAX_BARS", "Chart", "history_key", "known", "newest", "switch", "to_ms"]

MAX_BARS = 20_000  # all that the engine keeps; a browser is sent what it has pixels for


class Chart(Watching, ipywidgets.VBox):
    """One panel: header and figure.

    A subclass says in ``draw`` how a snapshot is put into ``self.figure``. It is called only when some
    browser asks for what is new, so that a chart nobody looks at costs nothing.

    Parameters
    ----------
    session
        Where snapshots come from.
    title
        The header's text.
    layout
        Of the figure.
    config
        Additions to plotly's configuration.
    lease
        Who watches; for tests.
    """

    def __init__(
        self,
        session: Any,
        title: str,
        css_class: str,
        layout: dict[str, Any],
        *,
        config: dict[str, Any] | None = None,
        lease: Lease | None = None,
    ) -> None:
        self.session = session
        self.figure = LiveFigure(layout=layout, source=self._draw_newest, config=config, lease=lease)
        self._drawn: Snapshot | None = None
        self._head = ipywidgets.HBox([Heading(title)])
        self._head.add_class("qnb-panel-head")
        super().__init__([self._head, self.figure])
        for name in ("qnb", "qnb-panel", "qnb-chart", css_class):
            self.add_class(name)
        self.watch(self._on_snapshot, "snapshot")

    def close(self) -> None:
        """Stop observing the session and close the widgets."""
        self.figure.close()
        super().close()

    def draw(self, snapshot: Snapshot) -> None:
        """Put ``snapshot`` into the figure."""
        raise NotImplementedError

    def redraw(self, *_: object) -> None:
        """Draw again although the snapshot is the same: a control has changed."""
        self._drawn = None
        self.figure.publish()

    def _add_controls(self, controls: Sequence[ipywidgets.Widget]) -> None:
        self._head.children = (*self._head.children, *controls)
        for control in controls:
            control.observe(self.redraw, "value")

    def _on_snapshot(self, _change: object) -> None:
        self.figure.publish()

    def _draw_newest(self) -> None:
        snapshot = self.session.snapshot
        if snapshot is not self._drawn:
            self._drawn = snapshot
            try:
                self.draw(snapshot)
            except Exception:
                self._drawn = None  # or the next browser would take half a drawing for the whole
                raise


def switch(text: str, tooltip: str, *, is_on: bool = True) -> ipywidgets.ToggleButton:
    """Return a button that stays pressed."""
    return ipywidgets.ToggleButton(value=is_on, description=text, tooltip=tooltip)


def to_ms(time_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return times as plotly counts them on a date axis."""
    return time_ns / 1e6


def history_key(snapshot: Snapshot) -> tuple[Hashable, ...]:
    """Return what must stay the same for the pair's series to be the same history."""
    return snapshot.pair, snapshot.timeframe, snapshot.window, snapshot.pair_series.generation


def newest(series: Series, n: int = MAX_BARS) -> tuple[int, slice]:
    """Return the absolute index of the oldest of the last ``n`` elements, and the slice that takes them."""
    start = max(0, len(series) - n)
    return series.first + start, slice(start, None)


def known(series: Series, name: str) -> tuple[int, slice]:
    """As `newest`, from the first bar on of which ``name`` is known: what warms up takes no room."""
    first, span = newest(series)
    is_known = np.isfinite(series.columns[name][span])
    skip = int(is_known.argmax()) if is_known.any() else len(is_known)
    return first + skip, slice(span.start + skip, None)
