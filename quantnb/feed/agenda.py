"""Which request to REST comes next: newest holes first, history behind them, every symbol in its turn.

Nothing here waits or asks. `Agenda.next` gives a request, or for how long there is none; what came of it is
told with `receive` or `fail`. The order of importance:

1. Has the exchange a newer trade than a silent stream brought? And the trades between.
2. Klines: cheap, and they fill a chart at once.
3. Holes, the newest first; while no symbol is warm yet, history takes turns with them.
4. History, a page of trades at a time backwards by id.

A page ends at the newest id missing and is as long as the exchange allows, so that it also closes older holes
below. What an answer lacks is asked for a few times more with growing patience, and then given up. Where ids
are refused as too old, halving finds the oldest that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

from quantnb.events import Event, History, Instant, Kline, Trade
from quantnb.feed.budget import Budget
from quantnb.feed.history import Backfill, KlinesRequest
from quantnb.feed.ledger import Ledger, Wanted
from quantnb.feed.paging import PAGE, TradesRequest, page_up_to
from quantnb.feed.patience import Patience
from quantnb.snapshot import Hole

__all__ = ["Agenda", "Request"]

TRIES = 5
SPARE = 600  # of a minute's weight, that history leaves to holes
IDLE_S = 1.0
SEAM_POLL_S = 0.25  # for the first trade of a symbol
SECOND_LOOK_NS = 1_000_000_000  # two answers that are the same prove that nothing was traded in between

TOO_OLD = "The exchange keeps single trades of the last two days only."
NOT_THERE = "The exchange does not have trades with these ids."
NOTHING_BEFORE = "The exchange has no earlier trades."


Request = TradesRequest | KlinesRequest


class Agenda:
    """The policy of the repair.

    Parameters
    ----------
    ledger : Ledger
        Knows what is missing, and takes in what was found.
    budget : Budget
        Of request weight.
    random : callable
        Uniform in [0, 1), for the jitter of delays.
    on_quiet : callable
        Called with a symbol of which the exchange has no newer trade than we have.
    """

    def __init__(
        self,
        ledger: Ledger,
        budget: Budget,
        *,
        random: Callable[[], float],
        on_quiet: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._budget = budget
        self._on_quiet = on_quiet
        self._backfill = Backfill(ledger)
        self._patience = Patience(random)
        self._asked: dict[str, int] = {}  # symbols in their order, and not before when
        self._tails: dict[str, int] = {}  # the newest id that the exchange has, where a stream was silent
        self._newest_seen: dict[str, int] = {}  # of symbols without a live trade
        self._floors: dict[tuple[str, int], int] = {}  # ids up to here are refused as too old
        self._turns: dict[str, int] = {}  # when a symbol was last served
        self._numbers = count(1)
        self._is_historys_turn = True
        self._n_done = 0
        self._given_up = ""  # why bars cannot be had
        self._page_ns: dict[str, int] = {}  # how far back one page of history goes

    # What is wanted -------------------------------------------------------------------------------------

    def plan(self, symbols: Iterable[str], timeframe: str, timeframe_ns: int, window: int) -> None:
        """Want the history for these settings, in so far as it is not there."""
        self._backfill.plan(symbols, timeframe, timeframe_ns, window)
        self._n_done, self._given_up = 0, ""

    def ask(self, symbol: str) -> None:
        """Ask once whether the exchange has newer trades of a symbol."""
        self._asked.setdefault(symbol, 0)

    def refresh(self, now: Instant) -> tuple[History, ...]:
        """Return the history of bars that has become complete."""
        return self._backfill.refresh(now)

    # What comes next ------------------------------------------------------------------------------------

    def next(self, now: Instant) -> Request | float:
        """Return the request to send now, or how many seconds to wait before looking again."""
        wait_s = self._patience.blocked_s(now)
        if wait_s > 0.0:
            return wait_s
        wait_s = SEAM_POLL_S if self._backfill.is_waiting else IDLE_S
        for request in self._candidates(now):
            delay_s = self._delay_s(request, now)
            if delay_s <= 0.0:
                self._budget.spend(request.weight, now)
                self._turns[request.symbol] = next(self._numbers)
                return request
            wait_s = min(wait_s, delay_s)
        return wait_s

    def _delay_s(self, request: Request, now: Instant) -> float:
        is_history = isinstance(request, TradesRequest) and request.purpose == "history"
        patience_s = self._patience.delay_s(request, now)
        if isinstance(request, TradesRequest) and request.purpose == "newest":
            patience_s = max(patience_s, (self._asked[request.symbol] - now.monotonic_ns) / 1e9)
        return max(patience_s, self._budget.delay_s(request.weight, now, spare=SPARE if is_history else 0))

    def _candidates(self, now: Instant) -> Iterator[Request]:
        yield from (TradesRequest(symbol, "newest", None, 1) for symbol in self._asked)
        yield from self._tail_pages()
        yield from self._in_turn(self._backfill.klines_due(now))
        holes = self._hole_pages(now)
        history = self._in_turn([self._history_page(wanted) for wanted in self._trades_due()])
        if self._is_historys_turn and not self._backfill.is_warm:
            yield from history
            yield from holes
        else:
            yield from holes
            yield from history

    def _in_turn(self, requests: Iterable[Request]) -> list[Request]:
        return sorted(requests, key=lambda request: self._turns.get(request.symbol, 0))

    def _tail_pages(self) -> Iterator[Request]:
        for symbol, newest_id in tuple(self._tails.items()):
            span = self._ledger.span(symbol)
            if span is None or span.newest_id >= newest_id:
                del self._tails[symbol]
            else:
                from_id = span.newest_id + 1
                yield TradesRequest(symbol, "tail", from_id, min(PAGE, newest_id - from_id + 1), newest_id)

    def _hole_pages(self, now: Instant) -> Iterator[Request]:
        by_symbol: dict[str, list[Hole]] = {}
        for hole in self._ledger.holes(now.wall_ns):
            by_symbol.setdefault(hole.symbol, []).append(hole)
        for symbol in sorted(by_symbol, key=lambda symbol: self._turns.get(symbol, 0)):
            for hole in reversed(by_symbol[symbol]):
                page = self._hole_page(hole, by_symbol[symbol][0].first_missing_id)
                if page is not None:
                    yield page

    def _hole_page(self, hole: Hole, oldest_missing_id: int) -> Request | None:
        symbol, last_id = hole.symbol, hole.last_missing_id
        floor = self._floor(symbol)
        if last_id <= floor:
            self._ledger.give_up(symbol, hole.first_missing_id, last_id, TOO_OLD)
            return None
        from_id, limit = page_up_to(last_id, oldest_missing_id, floor)
        request = TradesRequest(symbol, "hole", from_id, limit, last_id)
        if self._patience.n_tries(request) % 2 and hole.first_missing_id > floor:
            # The upper end may not exist at all (a wrong id revealed the hole): try the lower one.
            return TradesRequest(symbol, "hole", hole.first_missing_id, min(PAGE, hole.n_missing), last_id)
        return request

    def _trades_due(self) -> list[Wanted]:
        """Return the history that can be asked for, after giving up what cannot."""
        due = self._backfill.trades_due()
        for wanted in due:
            if wanted.before_id <= 0:
                self._ledger.end_history(wanted.symbol, NOTHING_BEFORE)
            elif wanted.before_id - 1 <= self._floor(wanted.symbol):
                self._ledger.end_history(wanted.symbol, TOO_OLD)
        return self._backfill.trades_due() if due else due

    def _history_page(self, wanted: Wanted) -> Request:
        last_id = wanted.before_id - 1
        from_id, limit = page_up_to(last_id, 0, self._floor(wanted.symbol))
        return TradesRequest(wanted.symbol, "history", from_id, limit, last_id)

    def _floor(self, symbol: str) -> int:
        """Return up to which id the exchange refuses trades, in the numbering of today."""
        span = self._ledger.span(symbol)
        return self._floors.get((symbol, span.first_id), -1) if span else -1

    # What came of it ------------------------------------------------------------------------------------

    def receive(
        self, request: Request, page: Sequence[Trade] | Sequence[Kline], refused: str, now: Instant
    ) -> tuple[Event, ...]:
        """Take in an answer and return its events; ``refused`` says why rows of it could not be used."""
        self._patience.succeed()
        if isinstance(request, KlinesRequest):
            self._receive_klines(request, page, refused, now)  # type: ignore[arg-type]
            return self.refresh(now)
        return self._receive_trades(request, page, refused, now)  # type: ignore[arg-type]

    def _receive_klines(
        self, request: KlinesRequest, klines: Sequence[Kline], refused: str, now: Instant
    ) -> None:
        self._n_done += 1
        if not self._backfill.receive(request, klines) and self._patience.fruitless(request, now) >= TRIES:
            self._backfill.give_up(request)
            self._given_up = refused or f"The exchange has no bars of {request.symbol}."

    def _receive_trades(
        self, request: TradesRequest, trades: Sequence[Trade], refused: str, now: Instant
    ) -> tuple[Event, ...]:
        before = self._ledger.wanted(request.symbol)
        events = self._ledger.recover(request.symbol, trades)
        match request.purpose:
            case "newest":
                self._receive_newest(request.symbol, trades, now, is_known=not events)
            case "tail":
                if not events:
                    self._tails.pop(request.symbol, None)  # the stream brought them itself, or they are gone
            case "hole":
                self._is_historys_turn = True
                if not events and self._patience.fruitless(request, now) >= TRIES:
                    self._give_up_hole(request, refused or NOT_THERE)
            case "history":
                self._is_historys_turn = False
                self._receive_history(request, before, refused, now)
        return events

    def _receive_newest(self, symbol: str, trades: Sequence[Trade], now: Instant, *, is_known: bool) -> None:
        self._asked.pop(symbol, None)
        if not trades:
            return
        newest_id, span = trades[-1].trade_id, self._ledger.span(symbol)
        if span is None:  # nothing came yet: silent, unless nothing is traded between two such questions
            is_quiet = self._newest_seen.get(symbol) == newest_id
            if symbol not in self._newest_seen:
                self._asked[symbol] = now.monotonic_ns + SECOND_LOOK_NS
            self._newest_seen[symbol] = newest_id
        else:
            is_quiet = is_known and newest_id <= span.newest_id
            self._newest_seen.pop(symbol, None)
        if is_quiet:
            self._on_quiet(symbol)
        elif span is not None:
            self._tails[symbol] = newest_id

    def _receive_history(
        self, request: TradesRequest, before: Wanted | None, refused: str, now: Instant
    ) -> None:
        self._n_done += 1
        after = self._ledger.wanted(request.symbol)
        if before is None or after is None:
            return
        if after.before_id < before.before_id:
            self._page_ns[request.symbol] = before.before_ns - after.before_ns
        elif self._patience.fruitless(request, now) >= TRIES:
            self._ledger.end_history(request.symbol, refused or NOTHING_BEFORE)

    def _give_up_hole(self, request: TradesRequest, why: str) -> None:
        """Give up the hole that a request was for, from the first id it holds."""
        for hole in self._ledger.holes():
            if hole.symbol == request.symbol and hole.last_missing_id == request.last_id:
                self._ledger.give_up(hole.symbol, hole.first_missing_id, hole.last_missing_id, why)

    def refuse(self, request: Request, why: str, *, is_too_old: bool = False) -> None:
        """Take note that the exchange will not answer this request, whenever it is asked."""
        self._patience.succeed()
        if isinstance(request, KlinesRequest):
            self._n_done += 1
            self._backfill.give_up(request)
            self._given_up = why
        elif request.purpose in ("newest", "tail"):
            self._asked.pop(request.symbol, None)
            self._tails.pop(request.symbol, None)
        elif is_too_old and request.from_id is not None:
            span = self._ledger.span(request.symbol)
            if span is not None:
                floor = max(self._floor(request.symbol), request.from_id)
                self._floors[request.symbol, span.first_id] = floor
        elif request.purpose == "hole":
            self._give_up_hole(request, why)
        else:
            self._ledger.end_history(request.symbol, why)

    def fail(self, why: str, now: Instant, *, least_s: float = 0.0) -> None:
        """Take note that the exchange could not be asked: nothing is, until its patience has returned."""
        self._patience.fail(why, now, least_s)

    # What is shown --------------------------------------------------------------------------------------

    def progress(self, ban: str = "") -> str:
        """Return what is still to be fetched, and why (or by which ban) it does not come; else nothing."""
        n_left = self._backfill.n_klines_left() + sum(map(self._n_pages, self._backfill.trades_due()))
        trouble = ban or self._patience.trouble
        if n_left:
            words = f"history: {self._n_done} of {self._n_done + n_left} requests"
            return f"{words}: {trouble}" if trouble else words
        if trouble and self._ledger.holes():
            return f"repair: {trouble}"
        return f"history: {self._given_up}" if self._given_up else ""

    def _n_pages(self, wanted: Wanted) -> int:
        page_ns = self._page_ns.get(wanted.symbol, 0)
        return max(1, -(-(wanted.before_ns - wanted.from_ns) // page_ns)) if page_ns > 0 else 1
