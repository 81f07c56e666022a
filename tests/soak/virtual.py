"""A million trades in virtual time: the same seed gives the same run, to the last frame."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from quantnb.engine import Settings
from quantnb.exchange.climate import SLOT_MS
from quantnb.exchange.listings import find_listings
from quantnb.frames import bars_frame, trades_frame
from tests.live.clocks import START_NS, ManualClock
from tests.soak.client import VirtualClient
from tests.soak.exchange import VirtualExchange
from tests.soak.scenario import script
from tests.soak.truth import Verdict, compare

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "DOGEUSDT")
START_MS = START_NS // 1_000_000
ACTIVITY = 1.2  # the market's trades in the long run, as a multiple of its rate
STEP_S = SLOT_MS / 1000
RECOVERY_S = 600.0  # at most, after the last fault
SETTLE_S = 3.0  # bars are revised when the next message has come
UNREAD_MS = 1_000  # what was published within the last second may be on its way
REPORT_EVERY = 100_000


@dataclass
class Result:
    """What a soak came to."""

    seed: int
    n_published: int = 0
    n_lost_connections: int = 0  # of the route that carries trades
    n_failed_attempts: int = 0
    n_requests: int = 0
    n_looks: int = 0
    n_twice: int = 0  # handed on, and not stored: nothing is handed on twice
    virtual_s: float = 0.0
    recovered_after_s: float = 0.0
    wall_s: float = 0.0
    final_state: str = ""
    coverage: float | None = None
    counts: dict[str, int] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)  # of the newest thousand holes, and their end
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def is_perfect(self) -> bool:
        is_whole = self.coverage == 1.0 and self.n_twice == 0
        return is_whole and all(verdict.is_perfect for verdict in self.verdicts)

    def __str__(self) -> str:
        lines = [
            f"seed {self.seed}: {self.n_published:,} trades in {self.virtual_s:,.0f} s of the exchange, "
            f"{self.wall_s:,.0f} s here: {self.n_published / self.wall_s:,.0f} trades/s",
            f"connections lost {self.n_lost_connections}, failed attempts {self.n_failed_attempts}, "
            f"REST requests {self.n_requests:,}, looks {self.n_looks:,}; "
            f"complete {self.recovered_after_s:.1f} s after the last fault; at the end {self.final_state}",
            *map(str, self.verdicts),
            f"handed on twice {self.n_twice}; coverage {self.coverage}",
        ]
        for name in ("counts", "states", "causes", "faults", "reasons"):
            numbers = getattr(self, name).items()
            lines += [f"{name}: " + ", ".join(f"{what} {n:,}" for what, n in numbers)]
        return "\n".join(lines)


class Soak:
    """One run: an exchange, a client, a clock."""

    def __init__(self, n_trades: int, n_drops: int, *, seed: int, rate: float) -> None:
        share = sum(listing.share for listing in find_listings(SYMBOLS))
        self.duration_s = n_trades / (rate * share * ACTIVITY)
        self.clock = ManualClock()
        self.exchange = VirtualExchange(
            SYMBOLS, seed=seed, rate=rate, start_ms=START_MS, trades_kept=2 * n_trades
        )
        settings = Settings(SYMBOLS, ("ETHUSDT", "BTCUSDT"), "1s", 50)
        self.client = VirtualClient(self.exchange, settings, self.clock, seed)
        self.result = Result(seed)
        self._n_trades = n_trades
        for at_s, fault in script(seed, self.duration_s, n_drops):
            self.exchange.inject(fault, at_s)

    def run(self, *, most_s: float, is_verbose: bool = False) -> Result:
        """Let all of it happen; raise after so many seconds of ours."""
        result, began_s, said = self.result, time.perf_counter(), 0
        while self.exchange.now_s < self.duration_s or result.n_published < self._n_trades:
            self._step()
            if time.perf_counter() - began_s > most_s:
                raise TimeoutError(f"{result.n_published:,} trades in {most_s:.0f} s; seed {result.seed}")
            if is_verbose and result.n_published // REPORT_EVERY > said:
                said = result.n_published // REPORT_EVERY
                print(
                    f"{result.n_published:,} trades after {time.perf_counter() - began_s:.0f} s", flush=True
                )
        self.exchange.heal()
        healed_s = self.exchange.now_s
        while not self._is_complete() and self.exchange.now_s - healed_s < RECOVERY_S:
            self._step()
        result.recovered_after_s = self.exchange.now_s - healed_s
        for _ in range(round(SETTLE_S / STEP_S)):
            self._step()
        result.verdicts = [self._compare(symbol) for symbol in SYMBOLS]
        self._report()
        result.wall_s = time.perf_counter() - began_s
        return result

    def _step(self) -> None:
        self.clock.go_on(STEP_S)
        now = self.clock.now()
        is_look = self.client.step(now)  # reads what was sent until the last slot
        self.result.n_published += self.exchange.advance(now)
        if is_look:
            status = self.client.health.status(now)
            check(status.counts)
            self.result.n_looks += 1
            self.result.states[status.state] += 1

    def _is_complete(self) -> bool:
        """Return whether nothing is missing, up to the trades that are on their way."""
        if self.client.ledger.holes() or self.client.recovery.agenda.progress():
            return False
        for symbol in SYMBOLS:
            newest = self.exchange.market.tape(symbol).newest(self._until_ms, 1)
            span = self.client.ledger.span(symbol)
            if span is None or span.newest_id < newest["trade_id"][-1]:
                return False
        return True

    @property
    def _until_ms(self) -> int:
        return self.exchange.market.visible_ms - UNREAD_MS

    def _compare(self, symbol: str) -> Verdict:
        instrument = self.client.engine.instruments[symbol]
        n_dropped = instrument.trades.first  # of a store that was full
        return compare(
            self.exchange.market,
            symbol,
            trades_frame(instrument),
            bars_frame(instrument),
            since_ms=0 if n_dropped else START_MS,
            until_ms=self._until_ms,
            flagged={
                number: price for (name, number), price in self.client.flagged.items() if name == symbol
            },
            n_dropped=n_dropped,
        )

    def _report(self) -> None:
        client, result = self.client, self.result
        instruments = client.engine.instruments.values()
        n_stored = sum(each.trades.first + len(each.trades) for each in instruments)
        status = client.health.status(self.clock.now())
        result.n_twice = client.n_handed_on - n_stored
        result.n_lost_connections, result.n_failed_attempts = client.n_lost, client.n_failed
        result.n_requests = client.recovery.n_requests
        result.virtual_s = self.exchange.now_s
        result.final_state, result.counts = status.state, dict(status.counts)
        result.faults = self.exchange.hits()
        result.reasons = Counter(dict(client.health.reasons.most_common(12)))
        result.coverage = client.ledger.coverage()
        result.causes = Counter(f"{row.cause}: {row.state}" for row in client.ledger.rows())


def check(counts: Mapping[str, int]) -> None:
    """Raise where a row went astray between the wire and its verdict."""
    parts = counts["stored"] + counts["duplicate"] + counts["late"] + counts["rejected"]
    if counts["received"] != parts:
        raise AssertionError(f"received {counts['received']}, and accounted for {parts}: {counts}")
