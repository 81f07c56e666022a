"""What a view may know: one immutable picture of a session at one instant.

Arrays are read-only and are never written to after they were handed out; a later snapshot may share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from quantnb.alerts import Alert, Rule

__all__ = [
    "Bar",
    "CorrelationMatrix",
    "HedgeFit",
    "Hole",
    "HoleState",
    "Measure",
    "Memory",
    "Series",
    "Snapshot",
    "State",
    "Status",
    "StreamState",
    "StreamStatus",
    "TapeRow",
    "TileName",
]

State = Literal["stopped", "connecting", "live", "delayed", "stale", "reconnecting", "blocked", "simulated"]
StreamState = Literal["waiting", "live", "quiet", "silent", "stale"]
HoleState = Literal["open", "closed", "lost"]
TileName = Literal["ticks", "volume", "spread", "zscore", "half_life", "correlation", "edge", "alerts"]


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """One stream of the exchange, judged by its own data."""

    name: str  # "btcusdt@aggTrade"
    state: StreamState
    age_s: float | None  # of its newest message; None before the first
    per_s: float


@dataclass(frozen=True, slots=True)
class Hole:
    """A row of the gap ledger: ids that were missing, why, and what became of them.

    ``start_ns`` and ``end_ns`` are the event times of the trades on either side.
    """

    symbol: str
    first_missing_id: int
    last_missing_id: int
    start_ns: int
    end_ns: int
    cause: str
    state: HoleState
    n_missing: int  # still
    why: str = ""  # they cannot be had; only where the state is "lost"


@dataclass(frozen=True, slots=True)
class Status:
    """How the feed is, in words that a person can act on."""

    state: State
    feed: str  # what was chosen: "live", "testnet", "sim" or an address
    reason: str  # why this state, and why this feed; one or two sentences
    is_simulated: bool  # true for any exchange that is not Binance's own
    trades_per_s: float
    last_trade_age_s: float | None
    lag_ms: float | None  # median of receive time minus the exchange's push time
    retry_in_s: float | None
    # received = stored + duplicate + late + rejected; beside them: ignored flagged recovered gaps missing
    counts: Mapping[str, int]
    streams: tuple[StreamStatus, ...] = ()
    holes: tuple[Hole, ...] = ()  # the gap ledger, newest first
    coverage: float | None = None  # trades held / trades that there were, since the start
    history: str = ""  # what is still being fetched; empty when all is there
    notes: tuple[str, ...] = ()  # what happened, newest first: "The kernel was busy for 60 s."


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its evidence; ``value`` is None while ``waiting`` says for what.

    ``doubts`` say in words why the number is not to be believed; none where nothing speaks against it.
    ``parts`` say what it is the sum of.
    """

    value: float | None
    unit: str
    n: int
    waiting: str = ""
    doubts: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What the trades kept take, of all symbols together, and what they may; beyond it the oldest go."""

    n_trades: int
    n_bytes: int
    n_bytes_allowed: int


@dataclass(frozen=True, slots=True)
class Bar:
    """The forming bar of one symbol: what it would be if it closed now."""

    open_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    n_trades: int
    vwap: float


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Columns on one time axis, append-only within a generation.

    Element ``k`` of each array has the absolute index ``first + k``, which never changes within one
    ``generation``: a view that has drawn up to an absolute index needs only what follows. A new generation
    (another timeframe, a late trade) means that history was rewritten, and a view starts over.
    """

    generation: int
    first: int
    time_ns: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.time_ns)


@dataclass(frozen=True, slots=True)
class HedgeFit:
    """Ordinary least squares of leg y on leg x over the newest window of closed bars."""

    hedge_ratio: float
    intercept: float
    stderr: float
    r_squared: float
    nobs: int


@dataclass(frozen=True, slots=True, eq=False)
class CorrelationMatrix:
    """Correlation of log returns over the newest window; ``n`` counts the joint observations of each cell.

    Where symbols outnumber their returns, what is between those of ``shrunk`` was drawn towards none: it is
    1 - ``shrinkage`` times the sample's.
    """

    symbols: tuple[str, ...]
    values: NDArray[np.float64]
    n: NDArray[np.int64]
    shrinkage: float | None = None
    shrunk: tuple[str, ...] = ()


class TapeRow(Struct, frozen=True, gc=False):
    """One trade with what was known when it arrived; ``sequence`` counts all trades in order of arrival."""

    sequence: int
    symbol: str
    trade_id: int
    event_ns: int
    price: float
    quantity: float
    is_buyer_maker: bool
    change_pct: float | None  # against the close of the last closed bar
    spread: float | None  # of the pair, at the last closed bar
    zscore: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Everything on the screen, at one instant."""

    time_ns: int
    symbols: tuple[str, ...]
    pair: tuple[str, str]  # (y, x)
    timeframe: str
    window: int
    status: Status
    tiles: Mapping[TileName, Measure]
    bars: Mapping[str, Series]  # closed: open high low close volume quote_volume n_trades vwap filled history
    forming: Mapping[str, Bar | None]
    pair_series: Series  # a row a closed bar, see `quantnb.engine.pair.PAIR_COLUMNS`
    hedge: HedgeFit | None
    correlation: CorrelationMatrix | None
    tape: tuple[TapeRow, ...]  # newest first, at most 200 of each symbol
    rules: tuple[Rule, ...]
    alerts: tuple[Alert, ...]  # not yet removed, newest first
    memory: Memory | None = None
