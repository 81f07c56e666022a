"""The trades as they come: newest first, searched and paused in the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quantnb.snapshot import TapeRow
from quantnb.view.assets import css, esm
from quantnb.view.digits import price_digits, spread_digits
from quantnb.view.panel import Panel
from quantnb.view.protocol import Frame

__all__ = ["Tape"]

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Cursor:
    newest: TapeRow | None
    digits: dict[str, int | None]  # of each symbol watched
    spread_digits: int | None


class Tape(Panel):
    """The table of trades. A browser is sent each row once and keeps the newest 200 of each symbol."""

    _esm = esm("clock.js", "dom.js", "tape.js")
    _css = css("tokens.css", "tape.css")

    def frame(self, cursor: _Cursor | None) -> Frame | None:
        """Return the rows that follow the cursor; all of them when the tape was cleared or ran away."""
        snapshot = self.session.snapshot
        tape = snapshot.tape
        digits = {symbol: price_digits(self.session.tick_size(symbol)) for symbol in snapshot.symbols}
        n_new = None if cursor is None else _n_new(tape, cursor.newest)
        now = _Cursor(tape[0] if tape else None, digits, spread_digits(self.session))
        if n_new == 0 and now == cursor:
            return None
        data = {
            "reset": n_new is None,
            "digits": digits,
            "spread_digits": now.spread_digits,
            "rows": _columns(tape[:n_new]),
        }
        return Frame(data, now)

    def receive(self, client: str, content: dict[str, Any]) -> None:
        """Send everything anew to the browser that asks for it."""
        if content["kind"] == "refresh":
            self._welcome(client)


def _n_new(tape: Sequence[TapeRow], newest: TapeRow | None) -> int | None:
    """Return how many rows came after ``newest``; None when it is gone, so nothing can be said.

    Sequence numbers start over when a session is cleared, so the trade must be the same too.
    """
    if newest is None:
        return len(tape)
    for k, row in enumerate(tape):
        if row.sequence <= newest.sequence:
            is_same = (row.sequence, row.symbol, row.trade_id) == (
                newest.sequence,
                newest.symbol,
                newest.trade_id,
            )
            return k if is_same else None
    return None


def _columns(rows: Sequence[TapeRow]) -> dict[str, list[Any]]:
    return {
        "sequence": [row.sequence for row in rows],
        "symbol": [row.symbol for row in rows],
        "time": [row.event_ns // _NS_PER_MS for row in rows],
        "price": [row.price for row in rows],
        "size": [row.quantity for row in rows],
        "sell": [int(row.is_buyer_maker) for row in rows],
        "change": [_rounded(row.change_pct, 4) for row in rows],
        "spread": [_rounded(row.spread, 8) for row in rows],
        "zscore": [_rounded(row.zscore, 3) for row in rows],
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
