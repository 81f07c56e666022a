"""The same closed bars of a whole universe, by REST.

All end at one moment by the exchange's clock. A few requests are under way at a time, within the weight that
everything of ours shares, and part of it is left to the repair of the streams. A symbol that cannot be had is
left out, with the reason. What concerns all of them (a ban, an exchange that cannot be reached) ends the
whole with a sentence.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from quantnb.errors import FeedError, InvalidSettingError, choices
from quantnb.events import Kline
from quantnb.feed.budget import Budget, klines_weight
from quantnb.feed.history import MOST_KLINES, SETTLED_NS, SHORTEST_KLINE_NS
from quantnb.feed.patience import Patience
from quantnb.feed.reconnect import Failure, rule_of
from quantnb.feed.routes import Endpoints
from quantnb.feed.symbols import not_listed
from quantnb.live.ban import Ban
from quantnb.live.clock import Clock
from quantnb.live.failure import leaves
from quantnb.live.rest import Rest, RestError
from quantnb.stats.timeframes import TIMEFRAME_NS

__all__ = ["KLINE_TIMEFRAMES", "Access", "OnProgress", "Progress", "UniverseBars", "check_bars", "fetch_bars"]

KLINE_TIMEFRAMES = tuple(name for name, ns in TIMEFRAME_NS.items() if ns >= SHORTEST_KLINE_NS)
N_AT_ONCE = 4
SPARE = 600  # of a minute's weight, that is left to the repair
TRIES = 5  # in a row, some seconds in all; then the exchange cannot be reached
LOOK_EVERY_S = 1.0  # at the clock, while the weight is used up
_MS = 1_000_000

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Access:
    """One exchange's REST side, open, and what everybody who asks it shares."""

    endpoints: Endpoints
    rest: Rest
    budget: Budget
    ban: Ban
    clock: Clock


class Progress(NamedTuple):
    """How far the fetching is: symbols done, of all; and for how long it waits, and why."""

    n_done: int
    n_all: int
    waiting_s: float = 0.0
    why: str = ""

    @property
    def words(self) -> str:
        """The same in words.

        >>> Progress(120, 312, 13.4, "for the request limit").words
        '120 of 312 symbols; waiting 14 s for the request limit'
        """
        done = f"{self.n_done:,} of {self.n_all:,} symbols" if self.n_all else "Asking for the symbols"
        waiting = f"waiting {np.ceil(self.waiting_s):.0f} s" if self.waiting_s > 0.0 else ""
        rest = " ".join(filter(None, (waiting, self.why)))
        return f"{done}; {rest}" if rest else done


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, eq=False)
class UniverseBars:
    """The bars of a universe.

    Attributes
    ----------
    symbols : tuple of str
        Those that were asked for and are traded.
    open_ns : int64 array of shape (n_bars,)
        Ascending, without a hole.
    closes, quote_volume : float64 arrays of shape (n_bars, n_symbols)
        NaN where there is no bar; `quote_volume` in each symbol's quote asset.
    left_out : mapping of str to str
        Why a symbol is not there, or not with all bars, in a sentence.
    """

    symbols: tuple[str, ...]
    open_ns: NDArray[np.int64]
    closes: NDArray[np.float64]
    quote_volume: NDArray[np.float64]
    left_out: Mapping[str, str]

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which symbols have all bars."""
        return np.array(np.isfinite(self.closes).all(axis=0))


def check_bars(timeframe: str, n_bars: int, fewest: int = 1) -> None:
    """Raise for bars that the exchange does not have ready, or not in one answer."""
    if timeframe not in KLINE_TIMEFRAMES:
        raise InvalidSettingError(
            f"The exchange has bars of {choices(KLINE_TIMEFRAMES)} ready, not of {timeframe!r}: shorter ones "
            "would have to be made of every symbol's trades."
        )
    is_whole = isinstance(n_bars, (int, np.integer)) and not isinstance(n_bars, bool)
    if not is_whole or not fewest <= n_bars <= MOST_KLINES:
        raise InvalidSettingError(f"n_bars is a whole number from {fewest} to {MOST_KLINES}, not {n_bars!r}.")


async def fetch_bars(
    access: Access,
    symbols: Iterable[str] | None,
    timeframe: str,
    n_bars: int,
    *,
    on_progress: OnProgress | None = None,
) -> UniverseBars:
    """Return the newest closed bars of these symbols, or of every perpetual that is traded.

    Parameters
    ----------
    access : Access
        The exchange.
    symbols : iterable of str, optional
        All where not given.
    timeframe : str
        One of `KLINE_TIMEFRAMES`.
    n_bars : int
        1 to 1,500.
    on_progress : callable, optional
        Gets a `Progress` after each symbol, and once a second while nothing may be asked.

    Raises
    ------
    InvalidSettingError
        For a timeframe or a number of bars that cannot be had.
    FeedError
        Where the exchange cannot be reached, has banned this address, or does not answer as one.
    """
    check_bars(timeframe, n_bars)
    fetch = _Fetch(access, timeframe, n_bars, on_progress or (lambda progress: None))
    try:
        return await fetch.run(symbols)
    except ExceptionGroup as group:
        raise next(leaves(group)) from group


@dataclass(slots=True)
class _Fetch:
    """One fetch under way."""

    access: Access
    timeframe: str
    n_bars: int
    on_progress: OnProgress
    bars: dict[str, list[Kline]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    patience: Patience = field(default_factory=lambda: Patience(random.random))
    n_failures: int = 0  # in a row
    weight_under_way: int = 0
    n_done: int = 0
    n_all: int = 0

    async def run(self, symbols: Iterable[str] | None) -> UniverseBars:
        self._tell()
        wanted = await self._traded(symbols)
        self.n_all = len(wanted)
        end_ns = await self._end_ns()
        self._tell()
        each = iter(wanted)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(N_AT_ONCE, len(wanted))):
                group.create_task(self._work(each, end_ns), name="quantnb universe")
        return self._collect(wanted, end_ns)

    async def _traded(self, symbols: Iterable[str] | None) -> list[str]:
        """Return the symbols that are traded; of those that were asked for, the others are left out."""
        contracts = await self._answer(self.access.rest.exchange_info, 1)
        traded = sorted(info.symbol for info in contracts if info.is_trading_perpetual)
        if symbols is None:
            return traded
        wanted = list(dict.fromkeys(map(str, symbols)))
        listed = {info.symbol for info in contracts}
        for each in set(wanted).difference(traded):
            reason = f"{each} is no perpetual that is traded now."
            self.left_out[each] = reason if each in listed else not_listed(each, traded)
        return [each for each in wanted if each in traded]

    async def _end_ns(self) -> int:
        """Return when the newest bar closed that does not change any more, by the exchange's clock."""
        now_ns = await self._answer(self.access.rest.server_time_ms, 1) * _MS - SETTLED_NS
        return now_ns - now_ns % TIMEFRAME_NS[self.timeframe]

    async def _work(self, symbols: Iterator[str], end_ns: int) -> None:
        for symbol in symbols:  # shared with the other workers
            try:
                self.bars[symbol] = await self._klines(symbol, end_ns)
            except FeedError as error:
                if isinstance(error, RestError) and error.code is None:
                    raise  # not this symbol's alone
                self.left_out[symbol] = str(error)
            self.n_done += 1
            self._tell()

    async def _klines(self, symbol: str, end_ns: int) -> list[Kline]:
        """Return the bars wanted of one symbol; where some are missing, it is left out."""

        async def ask() -> Iterable[Kline]:
            page = await self.access.rest.klines(
                symbol, self.timeframe, limit=self.n_bars, end_ms=end_ns // _MS - 1
            )
            bars = [bar for bar in page if first_ns <= bar.open_ns < end_ns]
            if len(bars) < self.n_bars:
                reason = f"The exchange has {len(bars):,} of the {self.n_bars:,} bars of {symbol}."
                self.left_out[symbol] = f"{reason} {page.refused}".strip()
            return bars

        first_ns = end_ns - self.n_bars * TIMEFRAME_NS[self.timeframe]
        return list(await self._answer(ask, klines_weight(self.n_bars)))

    def _collect(self, symbols: list[str], end_ns: int) -> UniverseBars:
        length_ns = TIMEFRAME_NS[self.timeframe]
        first_ns = end_ns - self.n_bars * length_ns
        closes, quote_volume = np.full((2, self.n_bars, len(symbols)), np.nan)
        for column, symbol in enumerate(symbols):
            for bar in self.bars.get(symbol, ()):
                row = (bar.open_ns - first_ns) // length_ns
                closes[row, column], quote_volume[row, column] = bar.close, bar.quote_volume
        open_ns = np.arange(first_ns, end_ns, length_ns, dtype=np.int64)
        return UniverseBars(tuple(symbols), open_ns, closes, quote_volume, self.left_out)

    # Asking -------------------------------------------------------------------------------------------

    async def _answer(self, ask: Callable[[], Awaitable[Answer]], weight: int) -> Answer:
        """Return an answer, asked for when its turn has come, and again where trying again can help."""
        while True:
            await self._turn(weight)
            self.weight_under_way += weight
            try:
                answer = await ask()
            except FeedError as error:
                self._learn(weight)
                if not isinstance(error, RestError):
                    raise
                self._fail(error)
            else:
                self._learn(weight)
                self._succeed()
                return answer

    async def _turn(self, weight: int) -> None:
        """Wait until a request of this weight may be sent, and take note of it."""
        clock, budget = self.access.clock, self.access.budget
        while True:
            self._check_ban()
            now = clock.now()
            wait_s, why = max(
                (self.patience.blocked_s(now), f"to ask again: {self.patience.trouble}"),
                (budget.delay_s(weight, now, spare=SPARE), "for the request limit"),
            )
            if wait_s <= 0.0:
                budget.spend(weight, now)
                return
            self._tell(wait_s, why)
            await clock.sleep(min(wait_s, LOOK_EVERY_S))

    def _check_ban(self) -> None:
        ban_s = self.access.ban.remaining_s()
        if ban_s > 0.0:
            sentence = f"{self.access.ban.reason} It may be asked again in {_duration(ban_s)}."
            raise RestError(sentence, Failure("http", 429, retry_after_s=ban_s))

    def _learn(self, weight: int) -> None:
        """Take over the exchange's count after an answer; it may not hold yet what is under way."""
        self.weight_under_way -= weight
        used = self.access.rest.used_weight
        if used is not None:
            self.access.budget.learn(used + self.weight_under_way, self.access.clock.now())

    def _succeed(self) -> None:
        self.n_failures = 0
        self.patience.succeed()

    def _fail(self, error: RestError) -> None:
        """Raise a failure that asking again cannot mend; the requests beside it fail as one."""
        self._check_ban()
        now = self.access.clock.now()
        if error.code is not None:
            self._succeed()  # the exchange answered
            raise error
        if self.patience.blocked_s(now) > 0.0:
            return
        self.n_failures += 1
        if rule_of(error.failure, self.access.endpoints.title).tries is not None or self.n_failures >= TRIES:
            raise error
        self.patience.fail(str(error), now)

    def _tell(self, waiting_s: float = 0.0, why: str = "") -> None:
        self.on_progress(Progress(self.n_done, self.n_all, waiting_s, why))


def _duration(seconds: float) -> str:
    return f"{np.ceil(seconds):.0f} s" if seconds < 120 else f"{np.ceil(seconds / 60):,.0f} min"
