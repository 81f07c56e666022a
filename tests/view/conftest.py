"""A session for the views' tests: the real one's face, with numbers made up from a seed."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets

from quantnb.alerts import Alert, AlertKind, Rule, Severity
from quantnb.engine import Settings
from quantnb.engine.preview import PreviewInputs, RulePreview
from quantnb.errors import ExportError, InvalidSettingError, StatisticsError
from quantnb.latency import Percentiles
from quantnb.snapshot import (
    Bar,
    CorrelationMatrix,
    HedgeFit,
    Hole,
    Measure,
    Series,
    Snapshot,
    Status,
    TapeRow,
    TileName,
)
from quantnb.stats import Costs, TradeColumns
from quantnb.view.lease import Lease
from quantnb.view.protocol import Live

START_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000
TRADED_COLUMNS = ("open", "high", "low", "close", "volume", "quote_volume", "n_trades", "vwap", "filled")
BAR_COLUMNS = (*TRADED_COLUMNS, "history")
PART_COLUMNS = ("leg_y", "leg_x", "ratio_part", "mean_part", "deviation_part")
PAIR_COLUMNS = (
    *("y", "x", "spread", "zscore", "hedge_ratio", "intercept", "stderr", "r_squared", "correlation"),
    *PART_COLUMNS,
)
PRICES = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0, "SOLUSDT": 150.0, "XRPUSDT": 0.5, "1000PEPEUSDT": 0.0091}
TICKS = {"BTCUSDT": 0.1, "ETHUSDT": 0.01, "SOLUSDT": 0.001, "XRPUSDT": 0.0001, "1000PEPEUSDT": 0.0000001}


@dataclass(frozen=True)
class FakeTest:
    """What the views read of an Engle-Granger result."""

    statistic: float = -3.42
    pvalue: float = 0.041
    lags: int = 1
    nobs: int = 48
    verdict: str = "Cointegrated: no cointegration is rejected at 5%."

    @property
    def critical_values(self) -> dict[str, float]:
        return {"1%": -4.0, "5%": -3.37, "10%": -3.06}


class StandInSession(traitlets.HasTraits):
    """The session's face without an exchange: each ``tick`` adds trades and closes bars."""

    symbols = traitlets.Tuple()
    pair = traitlets.Tuple()
    timeframe = traitlets.Unicode("1s")
    window = traitlets.Int(50)
    taker_fee_bp = traitlets.Float(5.0)
    feed = traitlets.Unicode("sim")
    running = traitlets.Bool(False)
    known_symbols = traitlets.Tuple()
    snapshot = traitlets.Instance(Snapshot)
    preview = traitlets.Any(None, allow_none=True)

    def __init__(
        self,
        symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT", "SOLUSDT"),
        seed: int = 1,
        first_trade_id: int = 10_001,
    ) -> None:
        self._first_trade_id = first_trade_id
        self._rng = np.random.default_rng(seed)
        self._rules: tuple[Rule, ...] = ()
        self._alerts: tuple[Alert, ...] = ()
        self._tape: tuple[TapeRow, ...] = ()
        self._close = {symbol: np.empty(0) for symbol in PRICES}
        self._generation = 0
        self._sequence = 0
        self._state = "simulated"
        self.holes: tuple[Hole, ...] = ()
        self.n_history = 0  # bars that are the exchange's own
        super().__init__()
        self.symbols, self.pair = symbols, ("ETHUSDT", "BTCUSDT")
        self.known_symbols = tuple(PRICES)
        self.snapshot = self._picture()

    @traitlets.validate("symbols")
    def _valid_symbols(self, proposal: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        for symbol in proposal["value"]:
            if symbol not in PRICES:
                near = ", ".join(get_close_matches(symbol, PRICES))
                raise InvalidSettingError(f"There is no {symbol}; did you mean {near or 'another'}?")
        for leg in self.pair:
            if leg not in proposal["value"]:
                raise InvalidSettingError(f"{leg} is a leg of the pair; choose another pair first.")
        return tuple(proposal["value"])

    @traitlets.validate("pair")
    def _valid_pair(self, proposal: dict[str, tuple[str, str]]) -> tuple[str, str]:
        if len(set(proposal["value"])) < 2:
            raise InvalidSettingError("A pair has two different symbols.")
        return proposal["value"]

    @traitlets.validate("timeframe")
    def _valid_timeframe(self, proposal: dict[str, str]) -> str:
        if proposal["value"] not in ("1s", "5s", "30s", "1m", "5m", "15m"):
            raise InvalidSettingError("The timeframe is one of 1s, 5s, 30s, 1m, 5m or 15m.")
        return proposal["value"]

    @traitlets.validate("window")
    def _valid_window(self, proposal: dict[str, int]) -> int:
        if not 20 <= proposal["value"] <= 1000:
            raise InvalidSettingError("The window is a whole number of bars from 20 to 1000.")
        return proposal["value"]

    @traitlets.validate("taker_fee_bp")
    def _valid_fee(self, proposal: dict[str, float]) -> float:
        if not 0 <= proposal["value"] <= 100:
            raise InvalidSettingError("The taker fee is 0 to 100 basis points.")
        return proposal["value"]

    @traitlets.observe("timeframe", "window", "pair")
    def _rewrite(self, _change: object) -> None:
        self._generation += 1
        if self.trait_has_value("snapshot"):
            self.snapshot = self._picture()

    def start(self) -> None:
        self.running = True

    def stop(self) -> asyncio.Task[None] | None:
        self.running = False
        self._state = "stopped"
        self.snapshot = self._picture()
        return None

    def clear(self) -> None:
        self._tape, self._close = (), {symbol: np.empty(0) for symbol in PRICES}
        self._generation += 1
        self.snapshot = self._picture()

    def latency(self) -> dict[str, Percentiles]:
        return {
            "received": Percentiles(1_200, 4.0, 9.0, 41.0),
            "computed": Percentiles(1_200, 130.0, 240.0, 255.0),
        }

    @property
    def computed_ns(self) -> int:
        return time.time_ns() - 20_000_000

    def tick_size(self, symbol: str) -> float | None:
        return TICKS.get(symbol)

    def trade_columns(self, symbol: str) -> TradeColumns:
        """Two trades a closed bar: at the close before, and at its own."""
        close = np.repeat(self._close[symbol], 2)[1:]
        event_ns = START_NS + np.arange(len(close)) * SECOND_NS // 2 + SECOND_NS // 2
        return TradeColumns(event_ns, close, np.arange(1, len(close) + 1))

    def add_rule(
        self,
        kind: AlertKind,
        threshold: float,
        *,
        symbol: str | None = None,
        severity: Severity = "warning",
        span_s: float = 60.0,
        cooldown_s: float = 30.0,
    ) -> Rule:
        rule_id = 1 + max((rule.rule_id for rule in self._rules), default=0)
        rule = Rule(rule_id, kind, threshold, symbol, severity, span_s, cooldown_s)
        self._rules += (rule,)
        self.snapshot = self._picture()
        return rule

    def preview_inputs(self, rule: Rule, exit: float) -> PreviewInputs:
        series = self.snapshot.pair_series
        return PreviewInputs(
            rule=rule,
            settings=Settings(self.symbols, self.pair, self.timeframe, self.window),
            exit=exit,
            closes={name: (bars.time_ns, bars.columns["close"]) for name, bars in self.snapshot.bars.items()},
            pair=dict(series.columns),
            pair_opens_ns=series.time_ns,
            costs=Costs(taker_fee_bp=self.taker_fee_bp, bid_ask_y_bp=0.1, bid_ask_x_bp=0.1),
            no_costs="",
        )

    def show_preview(self, preview: RulePreview | None) -> None:
        self.preview = preview

    def remove_rule(self, rule_id: int) -> None:
        self._rules = tuple(rule for rule in self._rules if rule.rule_id != rule_id)
        self.snapshot = self._picture()

    def remove_alert(self, alert_id: int) -> None:
        self._alerts = tuple(alert for alert in self._alerts if alert.alert_id != alert_id)
        self.snapshot = self._picture()

    def fire(self, rule: Rule, value: float = 2.5, text: str = "The z-score of the pair is 2.50.") -> Alert:
        alert_id = 1 + max((alert.alert_id for alert in self._alerts), default=0)
        symbol = rule.symbol or "/".join(self.pair)
        alert = Alert(
            alert_id,
            rule.rule_id,
            rule.kind,
            symbol,
            rule.severity,
            self._now_ns,
            value,
            rule.threshold,
            text,
        )
        self._alerts = (alert, *self._alerts)
        self.snapshot = self._picture()
        return alert

    def test_spread(self, lags: int = 1) -> FakeTest:
        if len(self._close["BTCUSDT"]) < 25:
            raise StatisticsError("The test needs at least 25 bars of both legs; there are fewer.")
        return FakeTest(lags=lags)

    def reproduce(self, what: str | int) -> str:
        if what not in {*self.snapshot.tiles, *(alert.alert_id for alert in self._alerts)}:
            raise InvalidSettingError(f"There is no {what!r}.")
        return f"session.{what}\n"

    def encode(self, kind: str, format: str) -> bytes:
        if not self._tape:
            raise ExportError(f"There are no {kind} to export yet.")
        out = io.StringIO()
        out.write("symbol,price\n")
        out.writelines(f"{row.symbol},{row.price}\n" for row in self._tape)
        return out.getvalue().encode()

    def export(self, kind: str, format: str, directory: str = ".") -> Path:
        path = Path(directory) / f"{kind}.{format}"
        path.write_bytes(self.encode(kind, format))
        return path

    def set_state(self, state: str, **status: object) -> None:
        """Show another state of the feed."""
        self._state = state
        self.snapshot = replace(self._picture(), status=replace(self._status(), **status))

    def tick(self, n_trades: int = 5, n_bars: int = 0) -> None:
        """Let ``n_bars`` bars close, then let ``n_trades`` trades arrive."""
        for symbol in PRICES:
            steps = self._rng.normal(0, 2e-4, n_bars)
            last = self._close[symbol][-1] if len(self._close[symbol]) else PRICES[symbol]
            self._close[symbol] = np.append(self._close[symbol], last * np.exp(np.cumsum(steps)))
        self._state = "simulated" if self.running else self._state
        self._tape = (*reversed([self._trade() for _ in range(n_trades)]), *self._tape)[:400]
        self.snapshot = self._picture()

    @property
    def _now_ns(self) -> int:
        return START_NS + len(self._close["BTCUSDT"]) * SECOND_NS + self._sequence * 1_000_000

    def _trade(self) -> TapeRow:
        self._sequence += 1
        symbol = self.symbols[int(self._rng.integers(len(self.symbols)))]
        tick = TICKS[symbol]
        last = self._close[symbol][-1] if len(self._close[symbol]) else PRICES[symbol]
        price = round(last * (1 + self._rng.normal(0, 1e-4)) / tick) * tick
        has_pair = len(self._close["BTCUSDT"]) >= self.window
        return TapeRow(
            sequence=self._sequence,
            symbol=symbol,
            trade_id=self._first_trade_id + self._sequence - 1,
            event_ns=self._now_ns,
            price=price,
            quantity=float(round(self._rng.lognormal(-1, 1), 3)),
            is_buyer_maker=bool(self._rng.random() < 0.5),
            change_pct=100 * (price / last - 1) if len(self._close[symbol]) else None,
            spread=1.25 if has_pair else None,
            zscore=float(self._rng.normal()) if has_pair else None,
        )

    def _status(self) -> Status:
        return Status(
            state=self._state,  # type: ignore[arg-type]
            feed="sim",
            reason="Binance cannot be reached from here (no network), so the local exchange takes its place.",
            is_simulated=True,
            trades_per_s=31.4 if self._state == "simulated" else 0.0,
            last_trade_age_s=0.2 if self._sequence else None,
            lag_ms=3.1,
            retry_in_s=None,
            counts={"received": self._sequence, "stored": self._sequence, "rejected": 0, "gaps": 0},
            holes=self.holes,
        )

    def _picture(self) -> Snapshot:
        n = len(self._close["BTCUSDT"])
        times = START_NS + np.arange(n, dtype=np.int64) * SECOND_NS
        return Snapshot(
            time_ns=self._now_ns,
            symbols=self.symbols,
            pair=self.pair,
            timeframe=self.timeframe,
            window=self.window,
            status=self._status(),
            tiles=self._tiles(n),
            bars={symbol: self._bars(symbol, times) for symbol in self.symbols},
            forming={symbol: self._forming(symbol) for symbol in self.symbols},
            pair_series=self._pair_series(times),
            hedge=HedgeFit(0.05, 12.0, 0.001, 0.83, self.window) if n >= self.window else None,
            correlation=self._correlation() if n >= self.window else None,
            tape=self._tape,
            rules=self._rules,
            alerts=self._alerts,
        )

    def _tiles(self, n: int) -> dict[TileName, Measure]:
        waiting = "" if n >= self.window else f"{n} of {self.window} bars"
        volume = sum(row.price * row.quantity for row in self._tape)

        def of_pair(value: float, unit: str) -> Measure:
            return Measure(None if waiting else value, unit, min(n, self.window), waiting)

        return {
            "ticks": Measure(float(self._sequence), "trades", self._sequence),
            "spread": of_pair(0.0123456789 * n, "USDT"),
            "zscore": of_pair(-1.23456789, "σ"),
            "half_life": of_pair(4.2, "bars"),
            "correlation": of_pair(0.87654321, ""),
            "edge": of_pair(-8.5, "bp"),
            "volume": Measure(volume, "USDT", self._sequence),
            "alerts": Measure(float(len(self._alerts)), "active", len(self._rules)),
        }

    def _bars(self, symbol: str, times: np.ndarray) -> Series:
        close = self._close[symbol]
        first = np.concatenate([close[:1], close[:-1]])
        wick = close * 1e-4
        one = np.ones(len(close))
        values = (first, np.maximum(first, close) + wick, np.minimum(first, close) - wick, close)
        values += (one * 3, close * 3, one * 7, (first + close) / 2, one * 0)
        values += ((np.arange(len(close)) < self.n_history) * 1.0,)
        return Series(self._generation, 0, times, dict(zip(BAR_COLUMNS, values, strict=True)))

    def _forming(self, symbol: str) -> Bar | None:
        close = self._close[symbol]
        if not len(close):
            return None
        last = float(close[-1] * (1 + self._rng.normal(0, 1e-4)))
        return Bar(self._now_ns, last, last * 1.0001, last * 0.9999, last, 1.0, last, 3, last)

    def _pair_series(self, times: np.ndarray) -> Series:
        y, x = (self._close[leg] for leg in self.pair)
        n, window = len(y), self.window
        warm = np.where(np.arange(n) >= window - 1, 1.0, np.nan)
        spread = (y - 0.05 * x - (y - 0.05 * x)[:1].sum()) * warm
        sd = np.nanstd(spread) if n >= window else 1.0
        score = spread / (sd or 1.0)
        constants = (0.05, 12, 0.001, 0.83, 0.87)
        columns = (y, x, spread, score, *(value * warm for value in constants), *_parts(score))
        return Series(self._generation, 0, times, dict(zip(PAIR_COLUMNS, columns, strict=True)))

    def _correlation(self) -> CorrelationMatrix:
        k = len(self.symbols)
        values = np.full((k, k), 0.7)
        np.fill_diagonal(values, 1.0)
        return CorrelationMatrix(self.symbols, values, np.full((k, k), self.window - 1))


def _parts(score: np.ndarray) -> Iterator[np.ndarray]:
    """Return made-up causes, which sum to the change of the z-score."""
    change = np.diff(score, prepend=np.nan)
    return (share * change for share in (0.75, -0.25, 0.25, 0.125, 0.125))


def hole(symbol: str = "BTCUSDT", start_s: float = 10.0, end_s: float = 10.5, **changes: Any) -> Hole:
    """Return a gap of three trades, so many seconds after the first bar's open."""
    times = (START_NS + int(start_s * SECOND_NS), START_NS + int(end_s * SECOND_NS))
    return replace(Hole(symbol, 101, 103, *times, "connection lost", "open", 3), **changes)


@pytest.fixture
def session() -> Iterator[StandInSession]:
    """One stand-in session without data."""
    stand_in = StandInSession()
    yield stand_in
    stand_in.unobserve_all()


@pytest.fixture
def lease() -> Lease:
    """A lease whose clock stands still: nothing is sent late and nobody is forgotten."""
    return Lease(clock=lambda: 0.0)


class Recorder:
    """Stands where a browser does: says hello, and keeps what it is sent."""

    def __init__(self, widget: Any, client: str = "browser") -> None:
        self._sent: list[tuple[dict[str, Any], list[Any]]] = []
        self._widget, self._client = widget, client
        send = widget.send

        def hear(content: dict[str, Any], buffers: Any = None) -> None:
            if content["to"] == client:
                self._sent.append((content, list(buffers or ())))
            send(content, buffers)

        widget.send = hear

    @property
    def sent(self) -> list[tuple[dict[str, Any], list[Any]]]:
        """All messages so far; what would be sent at the end of this turn of the loop is sent first."""
        if isinstance(self._widget, Live):
            self._widget._lease.outbox.flush()
        return self._sent

    def say(self, kind: str, **content: Any) -> None:
        self._widget._handle_custom_msg({"kind": kind, "client": self._client, **content}, [])

    def take(self, kind: str) -> dict[str, Any]:
        """Return the only message of a kind that came since the last call."""
        (found,) = (content for content, _ in self.sent if content["kind"] == kind)
        self.sent.clear()
        return found


@pytest.fixture
def browser() -> type[Recorder]:
    """Make a browser that shows a widget: ``browser(widget)``."""
    return Recorder


@pytest.fixture(scope="session")
def make_session() -> type[StandInSession]:
    """Make a session in a property test, which needs a fresh one for each example."""
    return StandInSession
