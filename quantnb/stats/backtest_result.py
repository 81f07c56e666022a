"""What a rule made on the bars it was tried on: its trades, their sums, and their warning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BacktestResult"]

_WARNING = "A threshold that is chosen because it did well on these bars will do worse on the next ones."


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """The trades of one rule. All sums are over closed trades; one that is still open is counted apart.

    Attributes
    ----------
    trades : DataFrame
        One row a trade, oldest first:

        - ``entry_bar``, ``exit_bar``: positions of the bars at which the orders were filled;
        - ``entry_time``, ``exit_time``: their labels in the index of ``y`` (positions, where it is an array);
        - ``side``: +1 long y and short x, -1 short y and long x;
        - ``entry_zscore``, ``exit_zscore``: of the closes that gave the signals;
        - ``hedge_ratio``: units of x against one unit of y, from entry to exit;
        - ``gross_bp``: what it made before costs, in basis points of the gross position at entry;
        - ``fees_bp``, ``bid_ask_bp``, ``funding_bp``, and their sum ``costs_bp``; funding that was earned is
          negative;
        - ``net_bp``: gross minus costs;
        - ``n_bars``: for how long it was held;
        - ``is_open``: no exit was filled; valued as if it ended at the close of the newest known bar, with
          the costs of that.
    n_bars : int
        Bars with a z-score: those that could give a signal.
    """

    trades: pd.DataFrame
    n_bars: int

    @property
    def closed(self) -> pd.DataFrame:
        """The trades that are over."""
        return self.trades[~self.trades["is_open"]]

    @property
    def n_trades(self) -> int:
        """How many trades are over."""
        return len(self.closed)

    @property
    def n_open(self) -> int:
        """1 where a trade is still open, else 0."""
        return len(self.trades) - self.n_trades

    @property
    def share_won(self) -> float:
        """Share of the closed trades that made more than they cost; NaN where there is none."""
        return float((self.closed["net_bp"] > 0).mean())

    @property
    def gross_bp(self) -> float:
        """What the closed trades made before costs."""
        return float(self.closed["gross_bp"].sum())

    @property
    def costs_bp(self) -> float:
        """What they cost."""
        return float(self.closed["costs_bp"].sum())

    @property
    def net_bp(self) -> float:
        """What they made after costs."""
        return float(self.closed["net_bp"].sum())

    @property
    def open_net_bp(self) -> float:
        """What the open trade would make if it ended on the newest known bar; 0 where there is none."""
        return float(self.trades.loc[self.trades["is_open"], "net_bp"].sum())

    @property
    def worst_drawdown_bp(self) -> float:
        """Deepest fall of the running net sum below its highest so far, from trade to trade; 0 or more.

        What a trade lost on the way and won back before its exit is not in it.
        """
        running = np.concatenate([[0.0], self.closed["net_bp"].cumsum()])
        return float((np.maximum.accumulate(running) - running).max())

    @property
    def words(self) -> str:
        """What the rule made, and what that is not, in two sentences."""
        return f"{self._sums()}. {_WARNING}"

    def _sums(self) -> str:
        n, still_open = self.n_trades, ""
        if self.n_open:
            still_open = f"; one {'more ' if n else ''}is still open at {self.open_net_bp:+.1f} bp net"
        if not n:
            return f"No trade was closed on {self.n_bars:,} bars with a z-score{still_open}"
        return (
            f"{n:,} trade{'s' if n > 1 else ''} closed on {self.n_bars:,} bars with a z-score, "
            f"{100 * self.share_won:.0f} % won: {self.gross_bp:+,.1f} bp of the position before costs, "
            f"{self.costs_bp:,.1f} bp of costs, {self.net_bp:+,.1f} bp net, "
            f"worst drawdown {self.worst_drawdown_bp:,.1f} bp{still_open}"
        )
