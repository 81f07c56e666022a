"""The long form over real sockets: ``make soak``, or ``python -m tests.soak.live --drops 100 --seed 7``.

A client and an exchange share one event loop, connected by TCP. The client waits without jitter, so that a
hundred drops fit into some minutes; how long it would wait is the virtual form's matter.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator

from quantnb.engine import Engine, Settings
from quantnb.events import Connected, Disconnected, Event, Recovered, Trade
from quantnb.exchange import LocalExchange
from quantnb.feed.health import Health
from quantnb.feed.routes import MARKET, Endpoints
from quantnb.feed.unused import Flagged
from quantnb.frames import bars_frame, trades_frame
from quantnb.live.client import Client
from quantnb.live.clock import SystemClock
from tests.soak.scenario import BEGIN_S, GARBAGE_KINDS, steady
from tests.soak.truth import Verdict, compare
from tests.soak.virtual import SYMBOLS, check

PAUSE_S = 2.3  # between drops
LONG_PAUSE_S = 9.0  # after a close code that asks for more patience
LOOK_EVERY_S = 0.25
RECOVERY_S = 180.0  # at most, after the last fault: REST's weight lasts for a minute
SETTLE_S = 3.0
UNREAD_MS = 1_000

QUICK_DROPS = ("drop:1000", "drop:1001", "drop:1006", "drop:1011", "rst")
PATIENT_DROPS = ("drop:1008", "drop:1012", "drop:1013")
EPISODES = (
    "silent-stream:btcusdt@aggTrade,for=8",
    "silent-socket:route=market,for=8",
    "half-open:12,connections=open,route=market",
    "accept-close:times=2",
    "ack-only:for=2",
    "refuse-subscribe:2,times=1",
    "max-age:2,warning=1,for=6",
    "handshake-503:times=3",
    "handshake-429:times=1,retry=2",
    "handshake-delay:1,for=3",
    "rest-503:for=5",
    "rest-429:times=1,retry=3",
    "rest-cut:times=3",
    "burst:1100",
    "push-clock:3,for=5",
)


class LiveSoak:
    """One run: an exchange, a client and an engine in the running event loop."""

    def __init__(self, n_drops: int, *, seed: int, rate: float) -> None:
        self.seed = seed
        self.script = list(_script(n_drops))
        self.exchange = LocalExchange(SYMBOLS, seed=seed, rate=rate, fault_seed=seed, script=self.script)
        self.engine = Engine(Settings(SYMBOLS, ("ETHUSDT", "BTCUSDT"), "1s", 50))
        self.health = Health()
        self.states: Counter[str] = Counter()
        self.n_looks = self.n_lost_connections = self.n_handed_on = 0
        self.recovered_after_s = 0.0
        self.verdicts: list[Verdict] = []
        self._clock = SystemClock()
        self._doubtful: set[tuple[str, int]] = set()
        self._newest: dict[str, int] = {}
        self._is_open = False
        self._since_ms = 0

    async def run(self) -> None:
        async with self.exchange:
            self._since_ms = self.exchange.market.visible_ms
            client = Client(
                Endpoints.at(self.exchange.address),
                SYMBOLS,
                on_event=self._receive,
                random=lambda: 0.0,
                health=self.health,
            )
            client.plan("1s", 50)
            task = asyncio.create_task(client.run())
            try:
                await self._watch(client, task)
            finally:
                task.cancel()
                await asyncio.wait([task])
            self.verdicts = [self._compare(symbol) for symbol in SYMBOLS]

    async def _watch(self, client: Client, task: asyncio.Task[None]) -> None:
        """Look at the feed until the script is over, and then until nothing is missing."""
        await self._look(task, self.script[-1][0] + BEGIN_S)
        self.exchange.heal()
        healed_s = time.perf_counter()
        until_ms = self.exchange.market.visible_ms
        while not self._is_complete(client, until_ms):
            self.recovered_after_s = time.perf_counter() - healed_s
            if self.recovered_after_s > RECOVERY_S:
                raise TimeoutError(f"not complete {RECOVERY_S:.0f} s after the last fault; seed {self.seed}")
            await self._look(task, LOOK_EVERY_S)
        await self._look(task, SETTLE_S)

    async def _look(self, task: asyncio.Task[None], seconds: float) -> None:
        end_s = time.perf_counter() + seconds
        while time.perf_counter() < end_s:
            await asyncio.sleep(LOOK_EVERY_S)
            if task.done():
                task.result()
            status = self.health.status(self._clock.now())
            check(status.counts)
            self.n_looks += 1
            self.states[status.state] += 1

    def _receive(self, event: Event) -> None:
        match event:
            case Trade():
                newest = self._newest.get(event.symbol, -1)
                if event.trade_id <= newest:
                    raise AssertionError(
                        f"{event.symbol}: trade {event.trade_id} was handed on after {newest}"
                    )
                self._newest[event.symbol] = event.trade_id
                self.n_handed_on += 1
            case Recovered():
                self.n_handed_on += len(event.trades)
            case Flagged():
                self._doubtful.add((event.trade.symbol, event.trade.trade_id))
            case Connected() | Disconnected() if event.route == MARKET:
                self.n_lost_connections += self._is_open and isinstance(event, Disconnected)
                self._is_open = isinstance(event, Connected)
        self.engine.receive(event)

    def _is_complete(self, client: Client, until_ms: int) -> bool:
        if client.ledger.holes() or client.recovery.progress():
            return False
        spans = [client.ledger.span(symbol) for symbol in SYMBOLS]
        newest = [self.exchange.market.tape(symbol).newest(until_ms, 1) for symbol in SYMBOLS]
        return all(
            span is not None and span.newest_id >= trade["trade_id"][-1]
            for span, trade in zip(spans, newest, strict=True)
        )

    def _compare(self, symbol: str) -> Verdict:
        instrument = self.engine.instruments[symbol]
        return compare(
            self.exchange.market,
            symbol,
            trades_frame(instrument),
            bars_frame(instrument),
            since_ms=self._since_ms + int(BEGIN_S * 1000),  # the client's first trade is the first due
            until_ms=self.exchange.market.visible_ms - UNREAD_MS,
            flagged={trade_id for name, trade_id in self._doubtful if name == symbol},
        )

    @property
    def n_twice(self) -> int:
        """How many trades were handed on and are not in the store, because they were there already."""
        return self.n_handed_on - sum(len(each.trades) for each in self.engine.instruments.values())

    @property
    def is_perfect(self) -> bool:
        return self.n_twice == 0 and all(verdict.is_perfect for verdict in self.verdicts)


def _script(n_drops: int) -> Iterator[tuple[float, str]]:
    """Yield drops one after the other, with the faults that last for a while among them."""
    for fault in steady():
        yield BEGIN_S, fault
    at_s = 2 * BEGIN_S
    quick, patient = itertools.cycle(QUICK_DROPS), iter(PATIENT_DROPS)
    episode_every = max(1, n_drops // len(EPISODES))
    for k in range(n_drops):
        if k % episode_every == 0 and k // episode_every < len(EPISODES):
            yield at_s, EPISODES[k // episode_every]
        drop = next(patient, "") if k % (n_drops // len(PATIENT_DROPS) or 1) == 1 else ""
        yield at_s, drop or next(quick)
        at_s += LONG_PAUSE_S if drop else PAUSE_S


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.live", description=__doc__)
    parser.add_argument("--drops", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--live-rate", type=float, default=600.0, help="trades/s of the three main contracts")
    args, _ = parser.parse_known_args()  # others are of the virtual form
    soak = LiveSoak(args.drops, seed=args.seed, rate=args.live_rate)
    kinds = ", ".join(GARBAGE_KINDS)
    print(f"real sockets, seed {args.seed}: {args.drops} drops, 1 % faults; garbage: {kinds}", flush=True)
    began_s = time.perf_counter()
    await soak.run()
    wall_s = time.perf_counter() - began_s
    n_trades = sum(verdict.n_trades for verdict in soak.verdicts)
    print(
        f"{n_trades:,} trades in {wall_s:.0f} s ({n_trades / wall_s:,.0f}/s); "
        f"{soak.n_lost_connections} connections lost; {soak.n_looks:,} looks; "
        f"complete {soak.recovered_after_s:.1f} s after the last fault"
    )
    print("\n".join(map(str, soak.verdicts)))
    print(f"handed on twice: {soak.n_twice}; looks: {dict(soak.states)}")
    print(f"counts: {dict(soak.health.status(SystemClock().now()).counts)}")
    print(f"rejected: {dict(soak.health.reasons.most_common(12))}; ignored: {dict(soak.health.ignored)}")
    is_passed = soak.is_perfect and soak.n_lost_connections >= args.drops
    print("passed" if is_passed else "FAILED")
    return not is_passed


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
