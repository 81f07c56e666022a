"""The symbols a session watches: a chip each, and a field with completion to add one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
from traitlets import List, Unicode

from quantnb.errors import InvalidSettingError
from quantnb.view.assets import css, esm
from quantnb.view.message import Message

if TYPE_CHECKING:
    from quantnb.session import Session

__all__ = ["SymbolEntry", "SymbolPicker"]


class SymbolEntry(anywidget.AnyWidget):
    """A field that hands over what is entered: on Enter, on leaving it or by its button.

    It is no ``Combobox``, whose text is a trait: emptying that from the kernel would take away what has been
    typed since.

    Parameters
    ----------
    on_entry
        Called with each symbol; says whether it is accepted. One that is not goes back into the field.
    """

    _esm = esm("dom.js", "symbols.js")
    _css = css("tokens.css", "controls.css")

    offered = List(Unicode()).tag(sync=True)

    def __init__(self, on_entry: Callable[[str], bool]) -> None:
        self._on_entry = on_entry
        super().__init__()
        self.on_msg(self._receive)

    def _receive(self, _widget: object, content: Any, _buffers: object) -> None:
        match content:
            case {"kind": "add", "client": str(client), "symbol": str(symbol)}:
                if not self._on_entry(symbol):
                    self.send({"to": client, "kind": "refused", "symbol": symbol})


class SymbolPicker(ipywidgets.VBox):
    """Chips that remove a symbol, and a field that adds one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._chips: dict[str, ipywidgets.Button] = {}
        self._row = ipywidgets.Box()
        self._row.add_class("qnb-chips")
        self._entry = SymbolEntry(self._add)
        self._entry.add_class("qnb-symbol-entry")
        self.message = Message()
        super().__init__([self._entry, self._row, self.message])
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
        self._entry.offered = [name for name in self._session.known_symbols if name not in wanted]

    def _chip(self, symbol: str) -> ipywidgets.Button:
        chip = ipywidgets.Button(description=f"{symbol} ✕", tooltip=f"Stop watching {symbol}")
        chip.add_class("qnb-chip")
        chip.on_click(lambda _button: self._remove(symbol))
        return chip

    def _add(self, entered: str) -> bool:
        symbol = entered.strip().upper()
        with self.message.reporting():
            if symbol in self._session.symbols:
                raise InvalidSettingError(f"{symbol} is watched already.")
            self._session.symbols = (*self._session.symbols, symbol)
        return symbol in self._session.symbols

    def _remove(self, symbol: str) -> None:
        with self.message.reporting():
            self._session.symbols = tuple(name for name in self._session.symbols if name != symbol)
