"""What a backtest sums up, and the sentences it says."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from quantnb.stats import BacktestResult

WARNING = "A threshold that is chosen because it did well on these bars will do worse on the next ones."


def result(nets: list[float], *, open_net: float | None = None) -> BacktestResult:
    """Trades that cost 2 bp each; the last may be open still."""
    rows = [(net, False) for net in nets] + ([] if open_net is None else [(open_net, True)])
    trades = pd.DataFrame(rows, columns=["net_bp", "is_open"]).astype({"net_bp": float, "is_open": bool})
    return BacktestResult(trades.assign(gross_bp=trades["net_bp"] + 2.0, costs_bp=2.0), n_bars=1_234)


def test_the_sums_are_over_closed_trades_alone() -> None:
    found = result([3.0, -1.0, 0.0, 6.0], open_net=-50.0)
    assert (found.n_trades, found.n_open, found.share_won) == (4, 1, 0.5)
    assert (found.gross_bp, found.costs_bp, found.net_bp, found.open_net_bp) == (16.0, 8.0, 8.0, -50.0)


@pytest.mark.parametrize(
    ("nets", "fall"),
    [([], 0.0), ([1.0, 2.0], 0.0), ([-3.0, 5.0], 3.0), ([5.0, -2.0, 1.0, -4.0, 9.0, -1.0], 5.0)],
)
def test_the_worst_drawdown_is_the_deepest_fall_from_a_peak_or_from_the_start(
    nets: list[float], fall: float
) -> None:
    assert result(nets).worst_drawdown_bp == fall


def test_the_words_are_the_sums_and_the_warning() -> None:
    assert result([3.0, -1.0, 1_000.0], open_net=-7.0).words == (
        "3 trades closed on 1,234 bars with a z-score, 67 % won: +1,008.0 bp of the position before costs, "
        "6.0 bp of costs, +1,002.0 bp net, worst drawdown 1.0 bp; one more is still open at -7.0 bp net. "
        + WARNING
    )
    assert result([3.0]).words.startswith("1 trade closed on ")


def test_without_a_closed_trade_the_words_say_so() -> None:
    assert result([]).words == f"No trade was closed on 1,234 bars with a z-score. {WARNING}"
    assert "z-score; one is still open at +4.0 bp net. A thr" in result([], open_net=4.0).words
    assert math.isnan(result([]).share_won)
