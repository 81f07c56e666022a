"""One case on real sockets: an exchange, a session, the fault, its end, and what was seen."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from quantnb.session import Session

from .table import DOWN, WELL, Case
from .watch import Watch, Witness

__all__ = ["Outcome", "run_all"]

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
RATE = 100.0
WINDOW = 20  # bars of a second
WARM_WITHIN_S = 30.0
OUTAGE_S = 2.0
LOOK_EVERY_S = 0.02
LATE_S = 0.5
IN_FLIGHT_S = 0.3  # a request may be under way when another is refused


@dataclass(slots=True)
class Outcome:
    """What was measured of a case, and what was wrong."""

    case: Case
    shown_s: list[float] = field(default_factory=list)
    back_s: float | None = None
    whole_s: float | None = None
    n_requests: int = 0
    failures: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    stall_s: float = 0.0  # the longest of the loop, which all cases share

    @property
    def told(self) -> str:
        stall = f"The loop that all cases share stalled for up to {self.stall_s:.2f} s."
        return "\n".join([*self.failures, "", stall, *self.states])

    @property
    def row(self) -> str:
        shown = " ".join(f"{each:.2f}" for each in self.shown_s)
        times = [f"{each:6.2f}" if each is not None else "     –" for each in (self.back_s, self.whole_s)]
        return f"{self.case.name:34} {shown:>11} {' '.join(times)} {self.stall_s:6.2f}  {self.case.late}"


class Stalls:
    """Looks how late the loop is: what all cases share must not be held against one of them."""

    def __init__(self) -> None:
        self._late: list[tuple[float, float]] = []

    async def watch(self) -> None:
        while True:
            slept_s = time.monotonic()
            await asyncio.sleep(LOOK_EVERY_S)
            now_s = time.monotonic()
            self._late.append((now_s, now_s - slept_s - LOOK_EVERY_S))

    def longest_s(self, since_s: float = 0.0) -> float:
        return max((late_s for at_s, late_s in self._late if at_s >= since_s), default=0.0)

    def lost_s(self, since_s: float) -> float:
        """Return for how long the loop did nothing for anybody: a machine that is shared, or another case."""
        return sum(late_s for at_s, late_s in self._late if at_s >= since_s and late_s > LOOK_EVERY_S)


async def run_all(cases: Iterable[Case], at_once: int) -> dict[str, Outcome]:
    """Run cases side by side, so many at once, each with an exchange and a session of its own.

    Those that are much work for the loop they share come last, and one by one.
    """
    stalls = Stalls()
    watching = asyncio.create_task(stalls.watch())
    room = asyncio.Semaphore(at_once)

    async def run(case: Case, seed: int) -> Outcome:
        async with room:
            return await _run(case, seed, stalls)

    numbered = list(enumerate(cases))
    outcomes = await asyncio.gather(*(run(case, k) for k, case in numbered if not case.is_heavy))
    outcomes += [await run(case, k) for k, case in numbered if case.is_heavy]
    watching.cancel()
    await asyncio.wait([watching])
    return {outcome.case.name: outcome for outcome in outcomes}


async def _run(case: Case, seed: int, stalls: Stalls) -> Outcome:
    outcome = Outcome(case)
    began_s = time.monotonic()
    async with Witness(symbols=SYMBOLS, seed=seed, rate=RATE, faults=case.starts_with) as exchange:
        session = Session(symbols=SYMBOLS, feed=exchange.address, window=WINDOW)
        watch = Watch(session, exchange)
        session.start()
        try:
            await _Experiment(case, exchange, session, watch, outcome, stalls).run()
        except Exception as error:
            outcome.failures.append(f"{type(error).__name__}: {error}")
        finally:
            await session.stop()
    outcome.failures += dict.fromkeys(watch.lies)
    outcome.states = [f"{at_s - began_s:6.2f} {state}: {why}" for at_s, state, why in watch.states]
    outcome.stall_s = stalls.longest_s(began_s)
    return outcome


class _Experiment:
    """Times are held against bounds less what the loop lost; measured and printed they are as they were."""

    def __init__(
        self,
        case: Case,
        exchange: Witness,
        session: Session,
        watch: Watch,
        outcome: Outcome,
        stalls: Stalls,
    ) -> None:
        self.case, self.exchange, self.session, self.watch = case, exchange, session, watch
        self.outcome, self.stalls = outcome, stalls
        self.began_s = time.monotonic()

    async def run(self) -> None:
        case = self.case
        if not case.starts_with and not await self.watch.until(self._is_warm, WARM_WITHIN_S):
            raise AssertionError(f"not warm after {WARM_WITHIN_S} s: {self.watch.status}")
        n_states = len(self.watch.states)
        self.began_s = time.monotonic()
        await self._begin()
        for states, words, within_s in ((case.states, case.words, case.within_s), *case.then):
            await self._expect(
                lambda s=states, w=words: self.watch.shows(s, w), within_s, f"{states} {words!r}"
            )
        if case.retry_s and case.states == DOWN and not case.then and self.watch.status.retry_in_s is None:
            self._fail("no countdown is shown")
        if case.counts:
            await self._count(case.counts)
        if case.progress:
            await self._expect(self._says_progress, 6.0, f"progress {case.progress!r}", is_shown=False)
        # Not for a state: to see that nothing happens.
        await self.watch.until(lambda: False, case.holds_s)
        if case.retry_s:
            self._check_patience()
        if case.back_within_s is None:
            await self._stay_down()
        else:
            await self._recover()
        if case.keeps_well:
            others = {state for _, state, _ in self.watch.states[n_states:]} - {*WELL}
            if self.stalls.longest_s(self.began_s) > LATE_S:
                others -= {"delayed"}  # which is true: this kernel was late
            if others:
                self._fail(f"it was shown as {', '.join(others)} meanwhile")

    def _fail(self, what: str) -> None:
        self.outcome.failures.append(what)

    def _is_warm(self) -> bool:
        status, bars = self.watch.status, self.session.snapshot.bars
        has_history = not status.history and all(len(each) >= WINDOW for each in bars.values())
        return status.state in WELL and has_history

    async def _begin(self) -> None:
        if self.case.is_outage:
            await self.exchange.stop()
        for fault in self.case.faults:
            self.exchange.inject(fault)

    async def _expect(
        self, is_so: Callable[[], bool], within_s: float, what: str, *, is_shown: bool = True
    ) -> None:
        left_s = self.began_s + within_s - time.monotonic()
        came = await self.watch.until(is_so, left_s + 5.0)  # later is worth knowing
        took_s = time.monotonic() - self.began_s
        if is_shown:
            self.outcome.shown_s.append(took_s)
        if not came:
            status = self.watch.status
            self._fail(f"{what} was never shown, but {status.state}: {status.reason} {status.history}")
        elif took_s - self.stalls.lost_s(self.began_s) > within_s:
            self._fail(f"{what} was shown after {took_s:.2f} s, not within {within_s} s")

    async def _count(self, name: str) -> None:
        await self._expect(
            lambda: self.watch.status.counts[name] > 0, 4.0, f"counts[{name!r}]", is_shown=False
        )

    def _says_progress(self) -> bool:
        return re.search(self.case.progress, self.watch.status.history) is not None

    def _check_patience(self) -> None:
        """See that no request came between a refusal and the end of its Retry-After."""
        asked = [(at_s, path) for at_s, path in self.exchange.requests if at_s >= self.began_s]
        self.outcome.n_requests = len(asked)
        if not asked:
            self._fail("nothing was refused")
        # The exchange's word counts for all that ask it, a patience of our own for each socket.
        is_told = any("retry=" in fault for fault in self.case.faults)
        for path in [""] if is_told else {path for _, path in asked}:
            self._check_pauses([at_s for at_s, each in asked if each.startswith(path)])

    def _check_pauses(self, times_s: list[float]) -> None:
        last_s = times_s[0]
        for at_s in times_s[1:]:
            if IN_FLIGHT_S < at_s - last_s < self.case.retry_s - 0.01:
                self._fail(f"a request came {at_s - last_s:.2f} s after a refusal")
            if at_s - last_s >= IN_FLIGHT_S:
                last_s = at_s

    async def _recover(self) -> None:
        case = self.case
        if case.is_outage:
            await self.watch.until(lambda: False, OUTAGE_S)
            await self.exchange.start()
        self.exchange.heal()
        healed_s, there = time.monotonic(), self.watch.true_ids()

        def is_back() -> bool:
            newest = self.watch.newest_ids()
            return self.watch.status.state in WELL and all(newest[name] > there[name] for name in there)

        within_s = case.back_within_s or 0.0
        came = await self.watch.until(is_back, within_s + 20.0)
        self.outcome.back_s = time.monotonic() - healed_s
        if not came or self.outcome.back_s - self.stalls.lost_s(healed_s) > within_s:
            status = self.watch.status
            self._fail(f"back after {self.outcome.back_s:.2f} s, not within {within_s} s: {status.reason}")
        if case.whole_within_s < float("inf"):
            await self._become_whole(healed_s)

    async def _become_whole(self, healed_s: float) -> None:
        case = self.case
        settled = ("closed",) if case.is_lossless else ("closed", "lost")

        def is_whole() -> bool:
            return all(hole.state in settled for hole in self.watch.status.holes)

        came = await self.watch.until(is_whole, case.whole_within_s + 5.0)
        self.outcome.whole_s = time.monotonic() - healed_s
        if not came:
            self._fail(f"holes are open after {case.whole_within_s} s: {self.watch.status.history}")
        if case.is_lossless:
            for symbol in SYMBOLS:
                self._compare(symbol)
        elif not any(hole.state == "lost" and hole.why for hole in self.watch.status.holes):
            self._fail("the ledger shows no loss with its reason")

    def _compare(self, symbol: str) -> None:
        held = self.session.trades(symbol)
        ids = held["trade_id"].to_numpy()
        truth = self.exchange.market.truth(symbol)
        truth = truth[(truth["trade_id"] >= ids[0]) & (truth["trade_id"] <= ids[-1])]
        if truth["trade_id"].tolist() != ids.tolist():
            n_lost = len(set(truth["trade_id"].tolist()) - set(ids.tolist()))
            self._fail(f"{symbol}: {n_lost} trades of {len(truth)} are not there")
        elif self.case.is_true:
            listing = self.exchange.market.listings[symbol]
            prices = [float(listing.price_text(int(each))) for each in truth["price"]]
            if prices != held["price"].tolist():
                self._fail(f"{symbol}: prices are not those of the exchange")
            if truth["time_ms"].tolist() != held.index.as_unit("ms").asi8.tolist():
                self._fail(f"{symbol}: times are not those of the exchange")

    async def _stay_down(self) -> None:
        """See that healing changes nothing, as nobody asks."""
        n_before = len(self.exchange.requests)
        state = self.watch.status.state
        self.exchange.heal()
        await self.watch.until(lambda: False, 2.0)
        n_after = sum("/fapi/" not in path for _, path in self.exchange.requests[n_before:])
        if n_after:
            self._fail(f"{n_after} more attempts were made")
        if self.watch.status.state != state:
            self._fail(f"{state} became {self.watch.status.state} by itself")
        if state == "blocked" and self.session.running:
            self._fail("the feed goes on, and is blocked")
