"""The gap ledger: aggTrade ids are consecutive per symbol, so what is missing is known, and what came back.

::

    ids received    7 8 9   12 13   9           10           (page 11)
    events          T T T G T  T    Duplicate   Recovered    Recovered     G: Gap 10-11, before trade 12

A hole is filled by late trades of the stream or by pages from REST, in any order; it closes when nothing of
it is missing, or is given up with a reason. What lies before the first trade is history: it may be wanted,
but is no loss. Holes between raw trade ids (``f``, ``l``) are normal and prove nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from msgspec import Struct

from quantnb.events import Event, Gap, Recovered, Trade
from quantnb.feed.holes import Holes, Row
from quantnb.feed.unused import Duplicate
from quantnb.snapshot import Hole

__all__ = ["DISCONNECTED", "NOT_TAKEN", "RENUMBERED", "SILENT", "SKIPPED", "Ledger", "Span", "Wanted"]

ROWS_KEPT = 1_000
PATIENCE_NS = 1_000_000_000  # a trade that was only overtaken comes within this time
TOLERANCE_NS = 1_000_000_000  # by so much a trade is never older than one with a lower id

SKIPPED = "ids skipped by the exchange"
DISCONNECTED = "connection lost"
RENUMBERED = "ids started over"
SILENT = "silent stream"
NOT_TAKEN = "a fault of this program"

NUMBERED_ANEW = "The exchange started its ids over: what was missing before cannot be asked for."
NOT_WATCHED = "The symbol was taken off the list before the trades were fetched."


class Span(Struct, frozen=True):
    """The first trade that came live and the newest one known, of one symbol."""

    first_id: int
    first_ns: int
    newest_id: int
    newest_ns: int


class Wanted(Struct, frozen=True):
    """History to fetch: trades with ids below ``before_id``, back to before ``from_ns``."""

    symbol: str
    before_id: int
    before_ns: int
    from_ns: int


class _Account:
    """One symbol: the run of ids from its first trade on, its holes, and how far back its history goes."""

    def __init__(self, first: Trade) -> None:
        self.symbol = first.symbol
        self.first_id, self.first_ns = first.trade_id, first.event_ns
        self.next_id, self.newest_ns = first.trade_id + 1, first.event_ns
        self.cause = SKIPPED
        self.holes = Holes()
        self.oldest_id, self.oldest_ns = first.trade_id, first.event_ns
        self.wanted_ns: int | None = None
        self.history_end = ""  # why there is no more of it

    def advance(self, trade: Trade) -> None:
        self.next_id, self.newest_ns, self.cause = trade.trade_id + 1, trade.event_ns, SKIPPED

    @property
    def n_held(self) -> int:
        return self.next_id - self.first_id - self.holes.n_missing

    def fills(self, trade: Trade) -> bool:
        """Take a trade of a page, if its id is missing and its time lies between its neighbours'.

        An exchange that has started its ids over would else fill our holes with other trades.
        """
        hole = self.holes.find(trade.trade_id)
        if hole is None or not (hole.start_ns - TOLERANCE_NS <= trade.event_ns <= hole.end_ns + TOLERANCE_NS):
            return False
        return self.holes.fill(trade.trade_id, trade.event_ns)

    def follows(self, trade: Trade) -> bool:
        """Take a trade of a page, if it is the next one."""
        if trade.trade_id != self.next_id or trade.event_ns < self.newest_ns - TOLERANCE_NS:
            return False
        self.next_id, self.newest_ns = trade.trade_id + 1, trade.event_ns
        return True

    def precedes(self, trade: Trade) -> bool:
        """Take a trade of a page, if it is the last one before the history known."""
        if trade.trade_id != self.oldest_id - 1 or trade.event_ns > self.oldest_ns + TOLERANCE_NS:
            return False
        self.oldest_id, self.oldest_ns = trade.trade_id, trade.event_ns
        return True

    def wanted(self) -> Wanted | None:
        # The trade before the wanted time proves that none is missing after it.
        if self.wanted_ns is None or self.history_end or self.oldest_ns < self.wanted_ns:
            return None
        return Wanted(self.symbol, self.oldest_id, self.oldest_ns, self.wanted_ns)


class Ledger:
    """Checks each symbol's trade ids; one for all connections, so that a reconnect shows what it missed."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}
        self._rows: deque[Row] = deque(maxlen=ROWS_KEPT)
        self._n_held = self._n_missing = 0  # of accounts that are closed

    # From the stream ------------------------------------------------------------------------------------

    def receive(self, trade: Trade) -> tuple[Event, ...]:
        """Return the trade, after the `Gap` it reveals; or `Recovered` or `Duplicate` in its place."""
        account = self._accounts.get(trade.symbol)
        if account is None:
            self._accounts[trade.symbol] = _Account(trade)
            return (trade,)
        if trade.trade_id == account.next_id:
            account.next_id, account.newest_ns, account.cause = trade.trade_id + 1, trade.event_ns, SKIPPED
            return (trade,)
        if trade.trade_id > account.next_id:
            return (self._open(account, trade), trade)
        if trade.event_ns > account.newest_ns + TOLERANCE_NS:
            # The exchange started over (a local one does), or the newest id was wrong: else every trade from
            # now on would be taken for a duplicate.
            return (self._start_over(account, trade), trade)
        if account.holes.fill(trade.trade_id, trade.event_ns):
            return (Recovered(trade.symbol, (trade,), "stream"),)
        return (Duplicate("a trade received before", b"", trade.receive_ns, trade),)

    def _open(self, account: _Account, trade: Trade) -> Gap:
        first_id, last_id = account.next_id, trade.trade_id - 1
        row = Row(trade.symbol, first_id, last_id, account.newest_ns, trade.event_ns, account.cause)
        self._rows.append(row)
        account.holes.open(row, trade.receive_ns)
        account.advance(trade)
        return Gap(trade.symbol, first_id, last_id, row.start_ns, row.end_ns, row.cause)

    def _start_over(self, account: _Account, trade: Trade) -> Gap:
        """Return the gap before a trade of another numbering: it has bounds in time, and no known ids."""
        first_id, last_id = trade.trade_id, trade.trade_id - 1
        gap = Gap(trade.symbol, first_id, last_id, account.newest_ns, trade.event_ns, RENUMBERED)
        self._n_held += account.n_held
        # One wrong id declared a hole of ids that are only coming now.
        account.holes.drop_newest(trade.trade_id)
        self._give_up_all(account, NUMBERED_ANEW)
        self._n_missing += account.holes.n_missing
        self._rows.append(
            Row(trade.symbol, first_id, last_id, gap.start_ns, gap.end_ns, RENUMBERED, why=NUMBERED_ANEW)
        )
        self._accounts[trade.symbol] = after = _Account(trade)
        after.history_end = NUMBERED_ANEW
        return gap

    def lose(self, trade: Trade) -> None:
        """Take back that the newest trade is held: whoever it was given to could not take it."""
        account = self._accounts.get(trade.symbol)
        if account is None or trade.trade_id != account.next_id - 1:
            return
        row = Row(trade.symbol, trade.trade_id, trade.trade_id, trade.event_ns, trade.event_ns, NOT_TAKEN)
        self._rows.append(row)
        account.holes.open(row, trade.receive_ns)

    def connection_lost(self, symbols: Iterable[str] | None = None) -> None:
        """Remember that the next hole of these symbols, or of all, is due to a lost connection."""
        for symbol in tuple(self._accounts) if symbols is None else symbols:
            if symbol in self._accounts:
                self._accounts[symbol].cause = DISCONNECTED

    def forget(self, symbol: str) -> None:
        """Start over with a symbol that is no longer subscribed to."""
        account = self._accounts.pop(symbol, None)
        if account is not None:
            self._give_up_all(account, NOT_WATCHED)
            self._n_held += account.n_held
            self._n_missing += account.holes.n_missing

    def _give_up_all(self, account: _Account, why: str) -> None:
        account.holes.give_up(account.first_id, account.next_id - 1, why)

    # From REST ------------------------------------------------------------------------------------------

    def recover(self, symbol: str, trades: Sequence[Trade]) -> tuple[Event, ...]:
        """Return those trades of one page (ascending) that were missing, as `Recovered`, if any was.

        They are of a hole, or follow the newest one known at once (the stream was silent), or end where the
        wanted history begins.
        """
        account = self._accounts.get(symbol)
        if account is None:
            return ()
        found = self._history(account, trades)
        tail: list[Trade] = []
        for trade in trades:
            if trade.trade_id >= account.next_id:
                if account.follows(trade):
                    tail.append(trade)
            elif account.fills(trade):
                found.append(trade)
        if tail:
            self._log_silence(account, tail)
        found += tail
        return (Recovered(symbol, tuple(found), "rest"),) if found else ()

    def _history(self, account: _Account, trades: Sequence[Trade]) -> list[Trade]:
        # What was wanted when it was asked for is taken even if it is no longer, as long as it fits.
        if account.wanted_ns is None or account.history_end:
            return []
        found = [trade for trade in reversed(trades) if account.precedes(trade)]
        return found[::-1]

    def _log_silence(self, account: _Account, tail: Sequence[Trade]) -> None:
        first, last = tail[0], tail[-1]
        row = self._rows[-1] if self._rows else None
        if row and (row.symbol, row.cause, row.last_id) == (account.symbol, SILENT, first.trade_id - 1):
            row.last_id, row.end_ns = last.trade_id, last.event_ns
            return
        self._rows.append(
            Row(account.symbol, first.trade_id, last.trade_id, first.event_ns, last.event_ns, SILENT)
        )

    def give_up(self, symbol: str, first_missing_id: int, last_missing_id: int, why: str) -> None:
        """Call what is missing of these ids lost: it is not asked for again."""
        account = self._accounts.get(symbol)
        if account is not None:
            account.holes.give_up(first_missing_id, last_missing_id, why)

    # History --------------------------------------------------------------------------------------------

    def span(self, symbol: str) -> Span | None:
        """Return the first live and the newest trade of a symbol; None before its first."""
        account = self._accounts.get(symbol)
        if account is None:
            return None
        return Span(account.first_id, account.first_ns, account.next_id - 1, account.newest_ns)

    def want(self, symbol: str, from_ns: int) -> None:
        """Want the trades back to this event time; it takes the place of what was wanted before."""
        account = self._accounts.get(symbol)
        if account is not None:
            account.wanted_ns = from_ns

    def wanted(self, symbol: str) -> Wanted | None:
        """Return the history that a symbol still lacks."""
        account = self._accounts.get(symbol)
        return account.wanted() if account else None

    def end_history(self, symbol: str, why: str) -> None:
        """Want no trade from before the oldest one known: there is none, or it cannot be had."""
        account = self._accounts.get(symbol)
        if account is not None:
            account.history_end = why

    # For the repair and the screen ----------------------------------------------------------------------

    def holes(self, now_ns: int | None = None) -> tuple[Hole, ...]:
        """Return what is missing and may still be had, ascending within each symbol.

        With this computer's time, holes found within the last second are left out: trades that were only
        overtaken close them by themselves.
        """
        return tuple(
            each.to_hole()
            for account in self._accounts.values()
            if account.holes.n_missing
            for each in account.holes
            if not each.is_lost and (now_ns is None or not 0 <= now_ns - each.seen_ns < PATIENCE_NS)
        )

    def rows(self) -> tuple[Hole, ...]:
        """Return the newest thousand holes that there were, the newest first, with what became of them."""
        return tuple(row.to_hole() for row in reversed(self._rows))

    def coverage(self) -> float | None:
        """Return the share of the trades since each symbol's first one that is held; None before any."""
        accounts = self._accounts.values()
        n_held = self._n_held + sum(account.n_held for account in accounts)
        n_missing = self._n_missing + sum(account.holes.n_missing for account in accounts)
        return n_held / (n_held + n_missing) if n_held else None
