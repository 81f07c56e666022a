"""Before a rule is saved: how often it would have fired on the bars at hand, and what it would have made.

Everything is taken out of the engine first and computed afterwards, so that the computing may be done in a
thread while the engine goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantnb.alerts import Rule
from quantnb.engine.engine import Engine
from quantnb.engine.settings import Settings
from quantnb.engine.watch import break_bars
from quantnb.engine.worth import leg_of
from quantnb.errors import InvalidSettingError, StatisticsError
from quantnb.stats.backtest import backtest_rule
from quantnb.stats.backtest_result import BacktestResult
from quantnb.stats.costs import Costs
from quantnb.stats.firings import firings, price_changes_pct
from quantnb.stats.rolling_break import rolling_break

__all__ = ["PreviewInputs", "RulePreview", "preview_inputs"]

BREAKS_LOOKED_AT = 300  # each costs a run of the test

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RulePreview:
    """What a rule would have done on the bars at hand.

    Attributes
    ----------
    rule : Rule
        As it would be saved.
    settings : Settings
        Those of the session when it was made.
    exit : float
        Of the plain rule of the backtest, in standard deviations.
    n_bars : int
        Bars that have a value to compare with the threshold; of all symbols that the rule watches.
    opens_ns : integer array
        Opens of the bars at whose close it would have fired, ascending.
    values : array
        What it would have fired on.
    backtest : BacktestResult or None
        The plain entry/exit rule; only of a z-score, and only where ``no_backtest`` is empty.
    no_backtest : str
        Why there is none.
    trades_ns : integer array of shape (n_trades, 2)
        Opens of the bars at which the backtest's trades were entered and left.
    """

    rule: Rule
    settings: Settings
    exit: float
    n_bars: int
    opens_ns: NDArray[np.int64]
    values: Array
    backtest: BacktestResult | None = None
    no_backtest: str = ""
    trades_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))

    @property
    def n_firings(self) -> int:
        """How often it would have fired."""
        return len(self.opens_ns)

    @property
    def words(self) -> str:
        """What it would have done, in sentences."""
        bars = f"{self.n_bars:,} bars of {self.settings.timeframe}"
        if not self.n_bars:
            fired = "There is no bar yet that this rule could look at."
        elif not self.n_firings:
            fired = f"Would not have fired on {bars}."
        else:
            last = datetime.fromtimestamp(int(self.opens_ns[-1]) / 1e9, UTC)
            times = "once" if self.n_firings == 1 else f"{self.n_firings:,} times"
            fired = f"Would have fired {times} on {bars}, the last time at {last:%H:%M:%S} UTC."
        if self.rule.kind == "price_change":
            fired += " Live it looks between closes, too, so it may fire more often."
        return " ".join(filter(None, [fired, self._traded()]))

    def _traded(self) -> str:
        if self.no_backtest:
            return f"No backtest: {self.no_backtest}."
        if self.backtest is None:
            return ""
        entry = f"In at ±{self.rule.threshold:g}, out at {self.exit:g}, filled at the next close: "
        words = self.backtest.words
        return entry + words[0].lower() + words[1:]


@dataclass(frozen=True, slots=True, eq=False)
class PreviewInputs:
    """All that a preview is made of; `run` reads nothing else."""

    rule: Rule
    settings: Settings
    exit: float
    closes: dict[str, tuple[NDArray[np.int64], Array]]  # opens and closes of the bars, by symbol
    pair: dict[str, Array]
    pair_opens_ns: NDArray[np.int64]
    costs: Costs | None
    no_costs: str

    def run(self) -> RulePreview:
        """Compute the preview."""
        return self._of_prices() if self.rule.kind == "price_change" else self._of_pair()

    def _of_prices(self) -> RulePreview:
        n_bars, opens, values = 0, [], []
        for opens_ns, closes in self.closes.values():
            changes = np.asarray(price_changes_pct(closes, opens_ns, self.rule.span_s))
            fired = self._firings(changes, opens_ns)
            n_bars += int(np.isfinite(changes).sum())
            opens.append(opens_ns[fired])
            values.append(changes[fired])
        all_opens_ns = np.concatenate(opens)
        order = np.argsort(all_opens_ns, kind="stable")
        return self._result(n_bars, all_opens_ns[order], np.concatenate(values)[order])

    def _of_pair(self) -> RulePreview:
        is_zscore = self.rule.kind == "zscore"
        values = self.pair["zscore"] if is_zscore else self._strengths()
        fired = self._firings(values, self.pair_opens_ns)
        n_bars = int(np.isfinite(values).sum())
        traded = self._backtest() if is_zscore else (None, "")
        return self._result(n_bars, self.pair_opens_ns[fired], values[fired], *traded)

    def _result(self, *found: Any) -> RulePreview:
        return RulePreview(self.rule, self.settings, self.exit, *found)

    def _backtest(self) -> tuple[Any, ...]:
        if self.costs is None:
            return None, self.no_costs
        try:
            result = backtest_rule(
                *(self.pair[name] for name in ("y", "x", "zscore", "hedge_ratio")),
                entry=self.rule.threshold,
                exit=self.exit,
                costs=self.costs,
                timeframe_s=self.settings.timeframe_ns / 1e9,
            )
        except InvalidSettingError as error:
            return None, str(error).removesuffix(".")
        bars = result.trades[["entry_bar", "exit_bar"]].to_numpy()
        return result, "", self.pair_opens_ns[bars]

    def _strengths(self) -> Array:
        y, x = self.pair["y"], self.pair["x"]
        return np.asarray(rolling_break(y, x, break_bars(self.settings.window), BREAKS_LOOKED_AT))

    def _firings(self, values: Array, opens_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        closed_ns = opens_ns + self.settings.timeframe_ns
        return firings(values, closed_ns, self.rule.threshold, cooldown_s=self.rule.cooldown_s)


def preview_inputs(engine: Engine, rule: Rule, exit: float) -> PreviewInputs:
    """Take out of an engine what a preview of a rule is made of: columns, which are never written to."""
    symbols = engine.settings.symbols if rule.symbol is None else (rule.symbol,)
    columns = engine.analytics.columns
    costs, no_costs = _costs(engine)
    return PreviewInputs(
        rule=rule,
        settings=engine.settings,
        exit=exit,
        closes={
            symbol: (bars["time_ns"], bars["close"])
            for symbol, bars in ((symbol, engine.instruments[symbol].bars) for symbol in symbols)
        },
        pair={name: columns[name] for name in ("y", "x", "zscore", "hedge_ratio")},
        pair_opens_ns=columns["time_ns"],
        costs=costs,
        no_costs=no_costs,
    )


def _costs(engine: Engine) -> tuple[Costs | None, str]:
    try:
        y, x = (leg_of(engine.instruments[leg]) for leg in engine.settings.pair)
    except StatisticsError as error:
        return None, str(error)
    return Costs.of_legs(y, x, taker_fee_bp=engine.settings.taker_fee_bp), ""
