"""The repair: one task that asks REST for what is missing, one request at a time.

What to ask and when, `quantnb.feed.agenda` decides; here it is asked. Nothing that the exchange does or does
not answer ends this task: the streams go on without it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable

from quantnb.errors import FeedError
from quantnb.events import Event, Kline, Trade
from quantnb.feed.agenda import Agenda, Request
from quantnb.feed.budget import Budget
from quantnb.feed.history import KlinesRequest
from quantnb.feed.ledger import Ledger
from quantnb.feed.pages import Page
from quantnb.feed.reconnect import rule_of
from quantnb.feed.routes import Endpoints
from quantnb.live.ban import Ban
from quantnb.live.clock import Clock
from quantnb.live.rest import Rest, RestError
from quantnb.stats.timeframes import timeframe_ns

__all__ = ["Recovery"]

TOO_OLD_CODE = -4166
BLOCKED_S = 300.0  # after an answer that only somebody else can change


class Recovery:
    """Fills holes and fetches history until its task is cancelled.

    Parameters
    ----------
    endpoints : Endpoints
        The exchange.
    ledger : Ledger
        Knows what is missing.
    emit : callable
        Gets `Recovered` and `History`, from inside the event loop. What it raises ends the task.
    clock : Clock
        Gives the time.
    ban : Ban
        Shared with the sockets.
    on_quiet : callable
        Called with a symbol after `ask`, where the exchange has no newer trade than came by stream.
    budget : Budget, optional
        Shared with whoever else asks this exchange.
    random : callable, optional
        Uniform in [0, 1), for the jitter of delays.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        ledger: Ledger,
        *,
        emit: Callable[[Event], None],
        clock: Clock,
        ban: Ban,
        on_quiet: Callable[[str], None],
        budget: Budget | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._endpoints = endpoints
        self._emit = emit
        self._clock = clock
        self._ban = ban
        self._budget = Budget() if budget is None else budget
        self._agenda = Agenda(ledger, self._budget, random=random, on_quiet=on_quiet)
        self._is_due = asyncio.Event()

    def wake(self) -> None:
        """Look at once what is due: there may be a new hole."""
        self._is_due.set()

    def ask(self, symbol: str) -> None:
        """Find out whether the exchange has a newer trade than the stream brought, and fetch what it has."""
        self._agenda.ask(symbol)
        self.wake()

    def plan(self, symbols: Iterable[str], timeframe: str, window: int) -> None:
        """Want history for these settings from now on; what is there already is not asked for again."""
        self._agenda.plan(symbols, timeframe, timeframe_ns(timeframe), window)
        self.wake()

    def progress(self) -> str:
        """Return what is still to be fetched and why it does not come; empty where nothing is due."""
        return self._agenda.progress(self._ban.reason if self._ban.remaining_s() > 0.0 else "")

    async def run(self) -> None:
        """Ask for what is due, for ever."""
        async with Rest(self._endpoints, clock=self._clock, ban=self._ban) as rest:
            while True:
                now = self._clock.now()
                for event in self._agenda.refresh(now):
                    self._emit(event)
                banned_s = self._ban.remaining_s()
                step = banned_s if banned_s > 0.0 else self._agenda.next(now)
                if isinstance(step, float):
                    await self._pause(step)
                else:
                    await self._ask(rest, step)

    async def _pause(self, seconds: float) -> None:
        """Wait, or until there is news."""
        waits = {
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._is_due.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.wait(waits)
        self._is_due.clear()

    async def _ask(self, rest: Rest, request: Request) -> None:
        try:
            page = await _answer(rest, request)
        except RestError as error:
            self._learn(rest)
            self._fail(request, error)
        except FeedError as error:
            self._agenda.fail(str(error), self._clock.now())
        else:
            self._learn(rest)
            for event in self._agenda.receive(request, page, page.refused, self._clock.now()):
                self._emit(event)

    def _learn(self, rest: Rest) -> None:
        if rest.used_weight is not None:
            self._budget.learn(rest.used_weight, self._clock.now())

    def _fail(self, request: Request, error: RestError) -> None:
        if error.code is not None:
            self._agenda.refuse(request, str(error), is_too_old=error.code == TOO_OLD_CODE)
            return
        rule = rule_of(error.failure, self._endpoints.title)
        # Where trying again soon cannot help (403, 451, a certificate) the socket gives up; history need not.
        least_s = rule.least_s if rule.tries is None else BLOCKED_S
        if rule.tries is None and error.failure.retry_after_s is not None:
            least_s = error.failure.retry_after_s  # the exchange's own word
        self._agenda.fail(str(error), self._clock.now(), least_s=max(least_s, self._ban.remaining_s()))


async def _answer(rest: Rest, request: Request) -> Page[Trade] | Page[Kline]:
    if isinstance(request, KlinesRequest):
        return await rest.klines(
            request.symbol, request.timeframe, limit=request.limit, end_ms=request.end_ms
        )
    return await rest.agg_trades(request.symbol, from_id=request.from_id, limit=request.limit)
