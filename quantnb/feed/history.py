"""What is wanted from before the first live trade: bars from klines, trades where there are no such bars.

::

    timeframe 1m    k k k k k k|t t t*T T T T T     k: klines, closed before the seam bar opens
                               |seam bar            t: trades, fetched by id back to its open
                                                    *: the first live trade
    timeframe 5s    t t t t t t t t t*T T T T T     klines begin at one minute: all bars are made of trades

After a change of settings the newest trade takes the place of the first one as far as klines go: what they
hold by then need not be made of trades.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from quantnb.events import History, Instant, Kline
from quantnb.feed.budget import klines_weight
from quantnb.feed.ledger import Ledger, Wanted

__all__ = ["KLINES_KEPT", "MORE_KLINES", "Backfill", "KlinesRequest"]

SHORTEST_KLINE_NS = 60_000_000_000
MOST_KLINES = 1_500  # in one answer
MORE_KLINES = 300  # for a chart of the newest statistics; they cost next to nothing
LONGEST_BACK_NS = 47 * 3_600_000_000_000  # the exchange keeps single trades for 48 hours
SETTLED_NS = 2_000_000_000  # so long after its end a bar may still change at the exchange
KLINES_KEPT = 200_000  # of all symbols and timeframes, for a timeframe that is chosen again
_MS = 1_000_000


class KlinesRequest(Struct, frozen=True):
    """Ask for the newest ``limit`` bars that were closed by ``end_ms``."""

    symbol: str
    timeframe: str
    limit: int
    end_ms: int

    @property
    def weight(self) -> int:
        """What it costs."""
        return klines_weight(self.limit)


class _Leg:
    """One symbol under the present settings."""

    def __init__(self, first_id: int, until_ns: int, due_ns: int) -> None:
        self.first_id = first_id
        self.until_ns = until_ns  # klines up to here
        self.due_ns = due_ns  # monotonic; not before the newest of them is settled
        self.is_filled = False
        self.is_new = True  # what is known already has not been handed out


class Backfill:
    """Knows what history is wanted, what of it is there and what to ask for next."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._symbols: tuple[str, ...] = ()
        self._timeframe, self._timeframe_ns, self._n_bars = "", 0, 0
        self._legs: dict[str, _Leg] = {}
        self._known: dict[tuple[str, str], list[Kline]] = {}  # consecutive; the newest answer is last

    def plan(self, symbols: Iterable[str], timeframe: str, timeframe_ns: int, window: int) -> None:
        """Want history for these settings, enough for every statistic over the window, and a chart of it."""
        self._symbols = tuple(symbols)
        self._timeframe, self._timeframe_ns = timeframe, timeframe_ns
        self._n_bars = 2 * window + 2 + (MORE_KLINES if self._is_by_klines else 0)
        self._legs.clear()

    @property
    def _is_by_klines(self) -> bool:
        return self._timeframe_ns >= SHORTEST_KLINE_NS

    @property
    def is_waiting(self) -> bool:
        """Whether a symbol's first trade is still to come."""
        return any(self._ledger.span(symbol) is None for symbol in self._symbols)

    @property
    def is_warm(self) -> bool:
        """Whether one symbol at least has all that is wanted of it."""
        return not self._symbols or any(
            leg.is_filled and self._ledger.wanted(symbol) is None for symbol, leg in self._legs.items()
        )

    def refresh(self, now: Instant) -> tuple[History, ...]:
        """Look which symbols have had their first trade, and return the bars that have become complete."""
        self._add_legs(now)
        return self._collect()

    def _add_legs(self, now: Instant) -> None:
        for symbol in self._symbols:
            span = self._ledger.span(symbol)
            leg = self._legs.get(symbol)
            if span is None or (leg is not None and leg.first_id == span.first_id):
                continue
            if leg is not None:  # watched anew, or numbered anew: what is known may not join it
                self._known = {key: run for key, run in self._known.items() if key[0] != symbol}
            until_ns = span.newest_ns - span.newest_ns % self._timeframe_ns
            settling_ns = max(0, until_ns + SETTLED_NS - span.newest_ns)
            self._legs[symbol] = _Leg(span.first_id, until_ns, now.monotonic_ns + settling_ns)
            self._want_trades(symbol, span.first_ns, until_ns)

    def _want_trades(self, symbol: str, first_ns: int, until_ns: int) -> None:
        leg = self._legs[symbol]
        if not self._is_by_klines:
            leg.is_filled = True
            from_ns = until_ns - self._n_bars * self._timeframe_ns
        elif first_ns >= until_ns:
            from_ns = until_ns  # the bar with the first trade is still forming: it is made of trades
        else:
            from_ns = first_ns + 1  # klines hold it: no trade is wanted
        self._ledger.want(symbol, max(from_ns, until_ns - LONGEST_BACK_NS))

    # Klines ---------------------------------------------------------------------------------------------

    def klines_due(self, now: Instant) -> list[KlinesRequest]:
        """Return the next request of each symbol that lacks bars."""
        return [
            self._klines_request(symbol, leg)
            for symbol, leg in self._legs.items()
            if not leg.is_filled and not leg.is_new and now.monotonic_ns >= leg.due_ns
        ]

    def _klines_request(self, symbol: str, leg: _Leg) -> KlinesRequest:
        end_ns, n_missing = self._missing(symbol, leg)
        return KlinesRequest(symbol, self._timeframe, min(n_missing, MOST_KLINES), end_ns // _MS - 1)

    def _missing(self, symbol: str, leg: _Leg) -> tuple[int, int]:
        """Return where the newest missing bars end, and how many they are."""
        run = self._known.get((symbol, self._timeframe))
        length_ns = self._timeframe_ns
        if not run:
            return leg.until_ns, self._n_bars
        n_newer = (leg.until_ns - run[-1].open_ns) // length_ns - 1
        if n_newer > 0:
            return leg.until_ns, min(n_newer, self._n_bars)
        n_held = (leg.until_ns - run[0].open_ns) // length_ns
        return run[0].open_ns, self._n_bars - n_held

    def receive(self, request: KlinesRequest, klines: Sequence[Kline]) -> bool:
        """Take an answer in; false where it brought nothing that was wanted."""
        leg = self._legs.get(request.symbol)
        if leg is None or leg.is_filled or self._klines_request(request.symbol, leg) != request:
            return True  # the settings have changed meanwhile
        run = self._newest_run(klines)
        end_ns = (request.end_ms + 1) * _MS
        if not run or run[-1].open_ns + self._timeframe_ns != end_ns:
            # Older ones there may be none of; the newest there are.
            leg.is_filled = leg.is_new = end_ns < leg.until_ns
            return leg.is_filled
        key = (request.symbol, self._timeframe)
        known = self._known.pop(key, [])
        if known and run[0].open_ns > known[-1].open_ns + self._timeframe_ns:
            known = []  # a hole between them
        before = [bar for bar in known if bar.open_ns < run[0].open_ns]
        after = [bar for bar in known if bar.open_ns > run[-1].open_ns]
        self._known[key] = before + run + after
        # A short answer: the exchange has no older ones (a young contract), or a hole among them.
        leg.is_filled = len(run) < request.limit or self._missing(request.symbol, leg)[1] <= 0
        leg.is_new = leg.is_filled
        self._forget_oldest()
        return True

    def _newest_run(self, klines: Sequence[Kline]) -> list[Kline]:
        """Return the bars after the last hole."""
        for position in range(len(klines) - 1, 0, -1):
            if klines[position].open_ns - klines[position - 1].open_ns != self._timeframe_ns:
                return list(klines[position:])
        return list(klines)

    def _forget_oldest(self) -> None:
        while sum(map(len, self._known.values())) > KLINES_KEPT and len(self._known) > 1:
            del self._known[next(iter(self._known))]

    def give_up(self, request: KlinesRequest) -> None:
        """Ask for no more bars of this symbol under the present settings."""
        leg = self._legs.get(request.symbol)
        if leg is not None and request.timeframe == self._timeframe:
            leg.is_filled = True

    def _collect(self) -> tuple[History, ...]:
        """Return the bars that became complete, or were known when the settings changed."""
        found: list[History] = []
        for symbol, leg in self._legs.items():
            run = self._known.get((symbol, self._timeframe), [])
            if leg.is_new and run and self._is_by_klines:
                leg.is_filled = leg.is_filled or self._missing(symbol, leg)[1] <= 0
                if leg.is_filled:
                    found.append(History(symbol, self._timeframe, tuple(run)))
            leg.is_new = False
        return tuple(found)

    # What is left ---------------------------------------------------------------------------------------

    def trades_due(self) -> list[Wanted]:
        """Return the trades that each symbol lacks."""
        return [wanted for symbol in self._legs if (wanted := self._ledger.wanted(symbol)) is not None]

    def n_klines_left(self) -> int:
        """Return how many answers with bars are still to come, at least."""
        return sum(not leg.is_filled for leg in self._legs.values())
