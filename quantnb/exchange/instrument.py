"""One symbol's minute: its fair price, best bid and ask, and the trades that hit them.

Taker orders arrive in clusters (a parent order, a power-law number of followers within a second, most of them
on the same side and many in the same millisecond), at a rate that follows the climate. Within a slot each
further trade of a side takes the next price level, so that, as on Binance, two aggregated trades of one
slot never share price and side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantnb.exchange.climate import MINUTE_MS, SLOT_MS, SLOTS_PER_MINUTE, Climate
from quantnb.exchange.listings import Listing
from quantnb.exchange.processes import Floats, Integers, PowerLaw, ar1, keyed_rng, rank_within

__all__ = ["FIRST_RAW_ID", "TRADE", "Instrument", "Minute", "Quotes", "Trades"]

TRADE = np.dtype(
    [
        ("trade_id", "i8"),
        ("time_ms", "i8"),
        ("price", "i8"),  # ticks
        ("quantity", "i8"),  # steps
        ("quantity_without_rpi", "i8"),
        ("first_raw_id", "i8"),
        ("n_raw", "i8"),
        ("is_buyer_maker", "?"),
    ]
)
Trades = npt.NDArray[np.void]  # structured: TRADE

CLUSTER = PowerLaw(2.1, 120)
RAW_PER_TRADE = PowerLaw(2.1, 60)
FOLLOWER_DELAY_MS = 300.0
SAME_MS_SHARE = 0.4
SWEEP_BP = 3.0  # a sweep within one slot goes no further than this
MEDIAN_NOTIONAL = 600.0
LOG_QUANTITY_SD = 2.0  # recorded: the 90th percentile is fifteen times the median or more
LARGEST_NOTIONAL = 2e6
FIRST_RAW_ID = 10_000_000_000  # times the share: a plausible number of fills since listing


@dataclass(frozen=True, slots=True)
class Quotes:
    """Best bid and ask per slot; prices in ticks, quantities in steps."""

    bid: Integers
    ask: Integers
    bid_quantity: Integers
    ask_quantity: Integers
    update_id: Integers
    is_changed: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Minute:
    """Everything one symbol does in one minute; fair and index price in ticks, per slot."""

    start_ms: int
    trades: Trades
    quotes: Quotes
    fair: Floats
    index: Floats


class Instrument:
    """Generates one symbol minute by minute; each minute starts where the one before ended."""

    def __init__(self, listing: Listing, seed: int, rate: float) -> None:
        self.listing = listing
        self._seed = seed
        self._parents_per_slot = rate * listing.share / CLUSTER.mean * SLOT_MS / 1000
        self._decay = 0.5 ** (SLOT_MS / 1000 / listing.half_life_s)
        self._swing = listing.swing_bp * 1e-4
        self._own = self.first_own = float(keyed_rng(seed, listing.symbol, 0).normal(0.0, self._swing))
        self.first_close = round(listing.price / float(listing.tick) * math.exp(self.first_own))
        self._next_raw_id = self.first_raw_id = int(FIRST_RAW_ID * listing.share) + 1
        self._next_trade_id = int(self.first_raw_id / RAW_PER_TRADE.mean)
        self._next_update_id = self.first_raw_id * 9
        self._late_at = np.empty(0)
        self._late_buys = np.empty(0, np.bool_)

    def generate(self, minute: int, climate: Climate) -> Minute:
        """Return the next minute, which starts ``minute`` minutes after the epoch."""
        listing = self.listing
        rng = keyed_rng(self._seed, listing.symbol, minute)
        shocks = rng.standard_normal(SLOTS_PER_MINUTE) * self._swing * math.sqrt(1 - self._decay**2)
        own = ar1(self._own, shocks, self._decay)
        self._own = float(own[-1])
        common = math.log(listing.price / float(listing.tick)) + listing.beta * climate.level[listing.group]
        fair = np.exp(common + own)
        quotes = self._quotes(rng, fair, climate)
        at, buys = self._arrivals(rng, climate)
        trades = self._trades(rng, at, buys, quotes, minute * MINUTE_MS)
        return Minute(minute * MINUTE_MS, trades, quotes, fair, np.exp(common))

    def burst(self, n_trades: int, time_ms: int, bid: int, ask: int) -> Trades:
        """Return so many trades of one moment, numbered as the next ones; what comes later counts on."""
        rng = keyed_rng(self._seed, f"{self.listing.symbol} burst", time_ms)
        buys = rng.random(n_trades) < 0.5
        level = rng.integers(0, 3, n_trades)
        trades = np.empty(n_trades, TRADE)
        trades["time_ms"] = time_ms
        trades["price"] = np.where(buys, ask + level, np.maximum(bid - level, 1))
        trades["is_buyer_maker"] = ~buys
        trades["quantity"] = self._quantities(rng, n_trades, np.full(n_trades, bid))
        trades["quantity_without_rpi"] = trades["quantity"]
        trades["n_raw"] = 1
        self._number(trades, skipped=np.zeros(n_trades, np.bool_))
        return trades

    def _quotes(self, rng: np.random.Generator, fair: Floats, climate: Climate) -> Quotes:
        width = 1 + rng.poisson(0.15 * climate.volatility)
        bid = np.maximum(np.floor(fair - (width - 1) / 2), 1).astype(np.int64)
        ask = bid + width
        step_notional = fair * float(self.listing.tick) * float(self.listing.step)
        depth = rng.lognormal(math.log(8_000.0), 1.2, (2, SLOTS_PER_MINUTE)) / step_notional
        bid_quantity, ask_quantity = np.maximum(depth, 1).astype(np.int64)
        moved = (np.diff(bid, prepend=bid[0] - 1) != 0) | (np.diff(ask, prepend=ask[0] - 1) != 0)
        is_changed = moved | (rng.random(SLOTS_PER_MINUTE) < 0.4)
        update_id = self._next_update_id + np.cumsum(rng.integers(1, 40, SLOTS_PER_MINUTE))
        self._next_update_id = int(update_id[-1])
        return Quotes(bid, ask, bid_quantity, ask_quantity, update_id, is_changed)

    def _arrivals(self, rng: np.random.Generator, climate: Climate) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return when takers arrive (ms within the minute, ascending) and which of them buy."""
        n_parents = rng.poisson(self._parents_per_slot * climate.activity)
        slot = np.repeat(np.arange(SLOTS_PER_MINUTE), n_parents)
        parent_at = (slot + rng.random(len(slot))) * SLOT_MS
        # Takers buy into a rise: the sign of the market's shock moves the odds.
        parent_buys = rng.random(len(slot)) < 0.5 + 0.35 * np.tanh(climate.shock[slot])
        size = CLUSTER.draw(rng, len(slot))
        is_parent = np.zeros(int(size.sum()), np.bool_)
        is_parent[np.cumsum(size) - size] = True
        delay = rng.exponential(FOLLOWER_DELAY_MS, len(is_parent))
        delay[is_parent | (rng.random(len(is_parent)) < SAME_MS_SHARE)] = 0.0
        at = np.concatenate((self._late_at, np.repeat(parent_at, size) + delay))
        turned = rng.random(len(is_parent)) < 0.1
        buys = np.concatenate((self._late_buys, np.repeat(parent_buys, size) ^ turned))
        order = np.argsort(at, kind="stable")
        at, buys = at[order], buys[order]
        n_now = int(np.searchsorted(at, MINUTE_MS))
        self._late_at, self._late_buys = at[n_now:] - MINUTE_MS, buys[n_now:]
        return at[:n_now], buys[:n_now]

    def _trades(
        self,
        rng: np.random.Generator,
        at: Floats,
        buys: npt.NDArray[np.bool_],
        quotes: Quotes,
        start_ms: int,
    ) -> Trades:
        fair_bp = self.listing.price * 1e-4 / float(self.listing.tick)
        deepest = max(2, int(SWEEP_BP * fair_bp))
        time_ms = at.astype(np.int64)
        slot = time_ms // SLOT_MS
        level = np.minimum(rank_within(slot * 2 + buys), deepest)
        # Orders beyond the deepest level meet there and become one trade, as the exchange aggregates them.
        key = (slot * 2 + buys) * (deepest + 1) + level
        _, last_reversed, group = np.unique(key[::-1], return_index=True, return_inverse=True)
        last = len(key) - 1 - last_reversed
        quantity = np.bincount(group, self._quantities(rng, len(key), quotes.bid[slot])).astype(np.int64)
        n_raw = np.bincount(group, RAW_PER_TRADE.draw(rng, len(key))).astype(np.int64)
        order = np.argsort(last)
        last, quantity, n_raw = last[order], quantity[order], n_raw[order]
        slot, level, buys = slot[last], level[last], buys[last]

        trades = np.empty(len(last), TRADE)
        trades["time_ms"] = start_ms + time_ms[last]
        trades["price"] = np.where(buys, quotes.ask[slot] + level, np.maximum(quotes.bid[slot] - level, 1))
        trades["is_buyer_maker"] = ~buys
        trades["quantity"] = quantity
        with_rpi = rng.random(len(last)) < 0.03
        trades["quantity_without_rpi"] = np.where(with_rpi, quantity // 2, quantity)
        trades["n_raw"] = n_raw
        self._number(trades, skipped=rng.random(len(last)) < 0.002)
        return trades

    def _quantities(self, rng: np.random.Generator, size: int, price: Integers) -> Floats:
        """Return quantities in whole steps, heavy-tailed around a median turnover."""
        step_notional = price * float(self.listing.tick) * float(self.listing.step)
        notional = np.minimum(
            MEDIAN_NOTIONAL * np.exp(LOG_QUANTITY_SD * rng.standard_normal(size)), LARGEST_NOTIONAL
        )
        steps: Floats = np.maximum(np.rint(notional / step_notional), 1.0)
        return steps

    def _number(self, trades: Trades, skipped: npt.NDArray[np.bool_]) -> None:
        """Give consecutive trade ids, and raw ids with the holes that non-market fills leave."""
        trades["trade_id"] = self._next_trade_id + np.arange(len(trades))
        upto = np.cumsum(trades["n_raw"] + skipped)
        trades["first_raw_id"] = self._next_raw_id + upto - trades["n_raw"]
        if len(trades):
            self._next_trade_id += len(trades)
            self._next_raw_id += int(upto[-1])
