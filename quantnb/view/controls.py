"""Everything that can be set or started from the page.

The session is the only truth: a control hands what was chosen to the session, which checks it, and then
shows what the session says, so a setting changed from code shows here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from quantnb.engine import TIMEFRAMES, WINDOWS
from quantnb.view.download import Download
from quantnb.view.heading import Heading
from quantnb.view.message import Message
from quantnb.view.symbols import SymbolPicker

if TYPE_CHECKING:
    from quantnb.session import Session
    from quantnb.stats import EngleGrangerResult

__all__ = ["ANALYTICS", "Controls"]

ANALYTICS = ("Price & Volume", "Spread & Z-Score", "Correlation Matrix", "Hedge Ratio (OLS)")


class Controls(ipywidgets.VBox):
    """The control panel of one session.

    Attributes
    ----------
    analytics : str
        One of `ANALYTICS`: what the page gives its prime place to.
    """

    analytics = traitlets.Enum(ANALYTICS, ANALYTICS[0])

    def __init__(self, session: Session) -> None:
        self._session = session
        self._is_showing = False
        self.settings_message = Message()
        self.symbols = SymbolPicker(session)
        self.download = Download(session)
        self._make_settings()
        super().__init__(
            [
                Heading("Settings"),
                _group(self._start),
                self.symbols,
                _group(
                    self._pair_row(),
                    self._timeframe,
                    self._window_row(),
                    self._fee,
                    self.settings_message,
                ),
                _group(self._analytics),
                _SpreadTest(session),
                self.download,
                _Clear(session),
            ]
        )
        self.add_class("qnb-controls")
        session.observe(self._show, ["running", "symbols", "pair", "timeframe", "window", "taker_fee_bp"])
        self._show()

    def _make_settings(self) -> None:
        self._start = _button("▶ Start", "qnb-start", self._toggle_running)
        self._leg_y = _field(
            ipywidgets.Dropdown,
            "Pair: leg y",
            "qnb-pair-y",
            self._set_leg,
            tooltip="Spread = y − (α + β × x)",
        )
        self._leg_x = _field(
            ipywidgets.Dropdown, "leg x", "qnb-pair-x", self._set_leg, tooltip="Spread = y − (α + β × x)"
        )
        self._timeframe = _field(
            ipywidgets.Dropdown, "Timeframe", "qnb-timeframe", self._set_timeframe, options=TIMEFRAMES
        )
        self._window_choice = _field(
            ipywidgets.ToggleButtons,
            "Window",
            "qnb-window-choices",
            self._set_window,
            options=[(str(window), window) for window in WINDOWS],
            tooltips=[f"{window} bars" for window in WINDOWS],
        )
        self._window_entry = _field(
            ipywidgets.IntText,
            "bars",
            "qnb-window-entry",
            self._set_window,
            continuous_update=False,
            tooltip="Any whole number of bars from 20 to 1000",
        )
        self._fee = _field(
            ipywidgets.FloatText,
            "Taker fee, bp",
            "qnb-taker-fee",
            self._set_fee,
            continuous_update=False,
            tooltip="Of an order's value, for the expected edge: 5 bp = 0.05 %",
        )
        self._analytics = _field(
            ipywidgets.Dropdown, "Analytics", "qnb-analytics", self._set_analytics, options=ANALYTICS
        )

    def _pair_row(self) -> ipywidgets.HBox:
        swap = _button("⇄", "qnb-swap", self._swap, tooltip="Swap the legs of the pair")
        return _row("qnb-pair", self._leg_y, swap, self._leg_x)

    def _window_row(self) -> ipywidgets.HBox:
        return _row("qnb-window", self._window_choice, self._window_entry)

    def _show(self, _change: object = None) -> None:
        """Bring every control in line with the session."""
        session = self._session
        self._start.description = "■ Stop" if session.running else "▶ Start"
        self._start.tooltip = "Stop the feed; what is there stays" if session.running else "Start the feed"
        (self._start.add_class if session.running else self._start.remove_class)("qnb-running")
        with self._showing():
            for leg, dropdown in zip(session.pair, (self._leg_y, self._leg_x), strict=True):
                if dropdown.options != session.symbols:
                    dropdown.options = session.symbols
                dropdown.value = leg
            self._timeframe.value = session.timeframe
            self._window_choice.value = session.window if session.window in WINDOWS else None
            self._window_entry.value = session.window
            self._fee.value = session.taker_fee_bp

    @contextmanager
    def _showing(self) -> Iterator[None]:
        self._is_showing = True
        try:
            yield
        finally:
            self._is_showing = False

    @contextmanager
    def _setting(self) -> Iterator[None]:
        """Hand a choice to the session; what it refuses is said, and the control goes back."""
        with self.settings_message.reporting():
            try:
                yield
            finally:
                self._show()

    def _toggle_running(self, _button: object) -> None:
        with self._setting():
            if self._session.running:
                self._session.stop()
            else:
                self._session.start()

    def _set_leg(self, change: Any) -> None:
        if self._is_showing:
            return
        y, x = self._leg_y.value, self._leg_x.value
        if y == x:  # the other leg was chosen: the person means to swap
            y, x = self._session.pair[::-1]
        with self._setting():
            self._session.pair = (y, x)

    def _swap(self, _button: object) -> None:
        with self._setting():
            self._session.pair = self._session.pair[::-1]

    def _set_timeframe(self, change: Any) -> None:
        if not self._is_showing:
            with self._setting():
                self._session.timeframe = change["new"]

    def _set_window(self, change: Any) -> None:
        if not self._is_showing and change["new"] is not None:
            with self._setting():
                self._session.window = change["new"]

    def _set_fee(self, change: Any) -> None:
        if not self._is_showing:
            with self._setting():
                self._session.taker_fee_bp = change["new"]

    def _set_analytics(self, change: Any) -> None:
        self.analytics = change["new"]

    @traitlets.observe("analytics")
    def _show_analytics(self, change: Any) -> None:
        self._analytics.value = change["new"]


class _SpreadTest(ipywidgets.VBox):
    """A button that tests the pair for cointegration, and the answer in words."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.message = Message()
        self.message.add_class("qnb-adf-result")
        button = _button("Run ADF", "qnb-adf", self._run, tooltip="Test whether the spread is stationary")
        super().__init__([button, self.message])
        self.add_class("qnb-group")

    def _run(self, _button: object) -> None:
        with self.message.reporting():
            self.message.say("Testing…")  # the first test loads statsmodels, which takes a second or two
            self.message.say(_in_words(self._session.test_spread(), self._session.pair))


def _in_words(result: EngleGrangerResult, pair: tuple[str, str]) -> str:
    critical = ", ".join(f"{level} {value:.2f}" for level, value in result.critical_values.items())
    text = (
        f"{'/'.join(pair)}: {result.verdict}\n"
        f"ADF statistic {result.statistic:.3f}, p = {result.pvalue:.4f}, n = {result.nobs}, "
        f"lags = {result.lags}.\n"
        f"Critical values: {critical}.\n"
        "Engle–Granger's table (MacKinnon 2010), because the hedge ratio was estimated from the same bars."
    )
    return text.replace(" -", " −")


class _Clear(ipywidgets.VBox):
    """A button that asks before it clears."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.message = Message()
        self._ask = _button("Clear data", "qnb-clear", self._ask_first, tooltip="Clear all trades and bars")
        self._confirm = ipywidgets.VBox(
            [
                ipywidgets.Label("Clear all trades and bars?"),
                _row(
                    "qnb-answers",
                    _button("Clear", "qnb-clear-yes", self._clear),
                    _button("Keep", "qnb-clear-no", self._put_back),
                ),
            ]
        )
        self._confirm.add_class("qnb-clear-confirm")
        super().__init__([self._ask, self._confirm, self.message])
        self.add_class("qnb-group")
        self._put_back()

    def _ask_first(self, _button: object) -> None:
        self.message.say("")
        self._ask.layout.display, self._confirm.layout.display = "none", None

    def _put_back(self, _button: object = None) -> None:
        self._ask.layout.display, self._confirm.layout.display = None, "none"

    def _clear(self, _button: object) -> None:
        with self.message.reporting():
            self._session.clear()
            self.message.say("Cleared. Rules and settings stay.")
        self._put_back()


def _button(text: str, css_class: str, on_click: Any, *, tooltip: str | None = None) -> ipywidgets.Button:
    button = ipywidgets.Button(description=text, tooltip=tooltip)
    button.add_class(css_class)
    button.on_click(on_click)
    return button


def _field(kind: type, label: str, css_class: str, on_change: Any, **kwargs: Any) -> Any:
    field = kind(description=label, **kwargs)
    field.add_class(css_class)
    field.observe(on_change, "value")
    return field


def _row(css_class: str, *children: ipywidgets.Widget) -> ipywidgets.HBox:
    row = ipywidgets.HBox(children)
    row.add_class("qnb-row")
    row.add_class(css_class)
    return row


def _group(*children: ipywidgets.Widget) -> ipywidgets.VBox:
    group = ipywidgets.VBox(children)
    group.add_class("qnb-group")
    return group
