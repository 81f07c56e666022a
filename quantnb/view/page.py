"""The whole dashboard: every panel of one session, placed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets

from quantnb.view.alerts import Alerts
from quantnb.view.assets import css, esm
from quantnb.view.controls import ANALYTICS, Controls
from quantnb.view.correlation import CorrelationChart
from quantnb.view.hedge import HedgeChart
from quantnb.view.horizon import HorizonChart
from quantnb.view.laboratory import Laboratory
from quantnb.view.lease import Lease, kernel_lease
from quantnb.view.price import PriceChart
from quantnb.view.screener import Screener
from quantnb.view.spread import SpreadChart
from quantnb.view.status import Status
from quantnb.view.tape import Tape
from quantnb.view.tiles import Tiles

if TYPE_CHECKING:
    from quantnb.session import Session

__all__ = ["Page"]

_PARTS = {
    "status": Status,
    "controls": Controls,
    "tiles": Tiles,
    "price": PriceChart,
    "spread": SpreadChart,
    "correlation": CorrelationChart,
    "hedge": HedgeChart,
    "horizon": HorizonChart,
    "alerts": Alerts,
    "laboratory": Laboratory,
    "screener": Screener,
    "tape": Tape,
}
_CHARTS = dict(zip(ANALYTICS, ("price", "spread", "correlation", "hedge"), strict=True))


class _Disclaimer(anywidget.AnyWidget):
    """The one sentence every page of numbers about money needs; it brings the page's style sheet."""

    _esm = esm("dom.js", "disclaimer.js")
    _css = css("tokens.css", "page.css")


class Page(ipywidgets.VBox):
    """A page of widgets that starts the session when the first browser shows it.

    Parameters
    ----------
    session : Session
        What the page shows.
    lease : Lease, optional
        Who watches; the kernel's own unless a test says otherwise.
    **parts : ipywidgets.Widget
        Panels made beforehand: ``status controls tiles price spread correlation hedge horizon alerts
        laboratory screener tape``. What is not given is made here.

    Raises
    ------
    TypeError
        For a part that a page does not have.
    """

    def __init__(self, session: Session, *, lease: Lease | None = None, **parts: ipywidgets.Widget) -> None:
        unknown = set(parts) - set(_PARTS)
        if unknown:
            raise TypeError(f"A page has no {', '.join(sorted(unknown))}; its parts are {', '.join(_PARTS)}.")
        self._session = session
        self.parts: Mapping[str, Any] = {
            name: parts.get(name) or make(session) for name, make in _PARTS.items()
        }
        super().__init__([self.parts["status"], self._body(), _Disclaimer()])
        self.add_class("qnb-page")
        self._choose_prime()
        self.parts["controls"].observe(self._choose_prime, "analytics")
        session.observe(self._mark_simulated, "snapshot")
        self._mark_simulated()
        self._start_with_first_viewer(lease or kernel_lease())

    def _body(self) -> ipywidgets.Box:
        part = self.parts
        charts = (part[name] for name in _CHARTS.values())
        places = _box("qnb-places", *charts, part["horizon"], part["alerts"])
        main = _box("qnb-main", part["tiles"], places, part["laboratory"], part["screener"], part["tape"])
        return _box("qnb-body", part["controls"], main)

    def _choose_prime(self, _change: object = None) -> None:
        """Give the prime place by a class alone: moving a chart in the DOM would draw it anew."""
        prime = _CHARTS[self.parts["controls"].analytics]
        for name in _CHARTS.values():
            chart = self.parts[name]
            (chart.add_class if name == prime else chart.remove_class)("qnb-prime")

    def _mark_simulated(self, _change: object = None) -> None:
        is_simulated = self._session.snapshot.status.is_simulated
        if is_simulated != ("qnb-simulated" in self._dom_classes):
            (self.add_class if is_simulated else self.remove_class)("qnb-simulated")

    def _start_with_first_viewer(self, lease: Lease) -> None:
        """Start the feed once somebody looks, unless it has been started, or even stopped, before."""
        has_run = self._session.running

        def note_run(_change: object) -> None:
            nonlocal has_run
            has_run = True

        def start() -> None:
            if not has_run:
                self._session.start()

        self._session.observe(note_run, "running")
        lease.on_viewer(start)


def _box(css_class: str, *children: ipywidgets.Widget) -> ipywidgets.Box:
    box = ipywidgets.Box(children)
    box.add_class(css_class)
    return box
