"""The symbols a session watches: a chip each, and a field with completion to add one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from quantnb.errors import InvalidSettingError
from quantnb.view.message import Message

if TYPE_CHECKING:
    from quantnb.session import Session

__all__ = ["SymbolPicker"]


class SymbolPicker(ipywidgets.VBox):
    """Chips that remove a symbol, and a field that adds one on Enter, on leaving it or by its button."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._chips: dict[str, ipywidgets.Button] = {}
        self._row = ipywidgets.Box()
        self._row.add_class("qnb-chips")
        self._field = ipywidgets.Combobox(
            description="Symbols", placeholder="Add a symbol…", continuous_update=False
        )
        self._field.add_class("qnb-symbol-entry")
        self._field.observe(self._add, "value")
        self._button = ipywidgets.Button(description="Add", tooltip="Watch this symbol")
        self._button.add_class("qnb-symbol-add")
        self._button.on_click(self._add)
        self.message = Message()
        entry = ipywidgets.HBox([self._field, self._button])
        entry.add_class("qnb-row")
        super().__init__([entry, self._row, self.message])
        self.add_class("qnb-symbols")
        self.add_class("qnb-group")
        session.observe(self._show, ["symbols", "known_symbols"])
        self._show()

    def _show(self, _change: object = None) -> None:
        """Show the session's symbols; chips that stay are not made anew."""
        wanted = self._session.symbols
        gone = [self._chips.pop(symbol) for symbol in set(self._chips) - set(wanted)]
        for symbol in wanted:
            if symbol not in self._chips:
                self._chips[symbol] = self._chip(symbol)
        self._row.children = [self._chips[symbol] for symbol in wanted]
        for chip in gone:
            for widget in (chip, chip.style, chip.layout):  # ipywidgets made these too, and would keep them
                widget.close()
        self._field.options = [name for name in self._session.known_symbols if name not in wanted]

    def _chip(self, symbol: str) -> ipywidgets.Button:
        chip = ipywidgets.Button(description=f"{symbol} ✕", tooltip=f"Stop watching {symbol}")
        chip.add_class("qnb-chip")
        chip.on_click(lambda _button: self._remove(symbol))
        return chip

    def _add(self, _event: Any) -> None:
        symbol = self._field.value.strip().upper()
        if not symbol:  # the button, after leaving the field for it has added the symbol already
            return
        with self.message.reporting():
            if symbol in self._session.symbols:
                raise InvalidSettingError(f"{symbol} is watched already.")
            self._session.symbols = (*self._session.symbols, symbol)
            self._field.value = ""

    def _remove(self, symbol: str) -> None:
        with self.message.reporting():
            self._session.symbols = tuple(name for name in self._session.symbols if name != symbol)
