"""The order of trades: aggTrade ids are consecutive per symbol, so what is missing can be proved.

::

    ids received    7 8 9   12 13   9           10
    events          T T T G T  T    Duplicate   Late        G: Gap 10-11, before the trade that reveals it

Holes between raw trade ids (``f``, ``l``) are normal and prove nothing.
"""

from __future__ import annotations

from bisect import bisect_left

from quantnb.events import Event, Gap, Trade
from quantnb.feed.unused import Duplicate, Late

__all__ = ["TradeOrder"]

HOLES_KEPT = 1_000  # per symbol; a trade out of an older one counts as a duplicate
RENUMBERED_NS = 1_000_000_000  # by so much a trade is never newer than one with a higher id

SKIPPED = "ids skipped by the exchange"
DISCONNECTED = "connection lost"
RENUMBERED = "ids started over"


class TradeOrder:
    """Checks each symbol's trade ids; one for all connections, so that a reconnect shows what it missed."""

    def __init__(self) -> None:
        self._ledgers: dict[str, _Ledger] = {}

    def receive(self, trade: Trade) -> tuple[Event, ...]:
        """Return the trade, after the `Gap` it reveals; or `Duplicate` or `Late` in its place."""
        ledger = self._ledgers.get(trade.symbol)
        if ledger is None:
            self._ledgers[trade.symbol] = _Ledger(trade)
            return (trade,)
        if trade.trade_id == ledger.newest.trade_id + 1:
            ledger.newest, ledger.cause = trade, SKIPPED
            return (trade,)
        if trade.trade_id > ledger.newest.trade_id:
            return (ledger.open_hole(trade), trade)
        if trade.event_ns > ledger.newest.event_ns + RENUMBERED_NS:
            # The exchange started over (a local one does), or the newest id was wrong: else every trade from
            # now on would be taken for a duplicate.
            self._ledgers[trade.symbol] = _Ledger(trade)
            return (ledger.end_at(trade), trade)
        if ledger.fill(trade.trade_id):
            return (Late("a trade out of a hole already declared", b"", trade.receive_ns, trade),)
        return (Duplicate("a trade received before", b"", trade.receive_ns, trade),)

    def connection_lost(self) -> None:
        """Remember that the next hole of each symbol is due to a lost connection."""
        for ledger in self._ledgers.values():
            ledger.cause = DISCONNECTED

    def forget(self, symbol: str) -> None:
        """Start over with a symbol that is no longer subscribed to."""
        self._ledgers.pop(symbol, None)


class _Ledger:
    """One symbol: its newest trade, and the holes below it as sorted, disjoint ranges of ids."""

    def __init__(self, first: Trade) -> None:
        self.newest = first
        self.cause = SKIPPED
        self._holes: list[tuple[int, int]] = []  # (last id, first id), for bisect by the last one

    def open_hole(self, trade: Trade) -> Gap:
        before = self.newest
        first, last = before.trade_id + 1, trade.trade_id - 1
        self._holes.append((last, first))
        del self._holes[:-HOLES_KEPT]
        cause, self.cause, self.newest = self.cause, SKIPPED, trade
        return Gap(trade.symbol, first, last, before.event_ns, trade.event_ns, cause)

    def end_at(self, trade: Trade) -> Gap:
        """Return the gap before a trade of another numbering: it has bounds in time, and no known ids."""
        newest = self.newest.event_ns
        return Gap(trade.symbol, trade.trade_id, trade.trade_id - 1, newest, trade.event_ns, RENUMBERED)

    def fill(self, trade_id: int) -> bool:
        """Take an id out of its hole; false where it lies in none."""
        index = bisect_left(self._holes, (trade_id, 0))
        if index == len(self._holes) or trade_id < self._holes[index][1]:
            return False
        last, first = self._holes[index]
        rest = [(trade_id - 1, first), (last, trade_id + 1)]
        self._holes[index : index + 1] = [(end, start) for end, start in rest if start <= end]
        return True
