"""What a scan found, how many findings to expect by chance, and what it left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quantnb.stats.hedge import Prices

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ScanResult"]

_LEVEL = 0.05
_NAMED = 5  # symbols in a sentence


@dataclass(frozen=True, slots=True, eq=False)
class ScanResult:
    """Engle-Granger tests of all pairs in both directions; the null hypothesis is no cointegration.

    Attributes
    ----------
    pairs : DataFrame
        One row a test, the most negative statistic first, which wherever it matters is the order of the
        q-values; those without a statistic last:

        - ``y``, ``x``: the legs;
        - ``statistic``: Dickey-Fuller t value of the residual;
        - ``pvalue``: MacKinnon (1994), two variables and a constant, asymptotic;
        - ``qvalue``: Benjamini and Hochberg's, over all tests of this scan;
        - ``hedge_ratio``, ``intercept``: y = intercept + hedge_ratio x, of logarithms or prices;
        - ``half_life``: of the residual, in bars; infinite where it does not come back;
        - ``zscore``: of the newest residual among the residuals (ddof = 1); *fitted*, so no trading signal;
        - ``n``: bars tested;
        - ``is_exact``: whether the row was computed again from its residual by QR;
        - ``liquidity``: of the less liquid leg, in the unit given; only where it was given.
    n_tests : int
        Tests with a statistic; the number that p-values are corrected for.
    n : int
        Bars, the same for all tests.
    lags : int
        Lagged changes in the tests of the residuals.
    prices : {"level", "log"}
        What was regressed.
    critical_values : mapping
        MacKinnon (2010) for two variables and a constant, at "1%", "5%" and "10%", for ``n`` bars.
    left_out : mapping
        Missing bars of each column that was left out for missing some.
    flat : tuple
        Columns whose price does not move; their rows are NaN.
    """

    pairs: pd.DataFrame
    n_tests: int
    n: int
    lags: int
    prices: Prices
    critical_values: Mapping[str, float]
    left_out: Mapping[Any, int]
    flat: tuple[Any, ...]

    @property
    def n_expected_false(self) -> float:
        """How many tests to expect below p = 5 % where no pair is cointegrated."""
        return _LEVEL * self.n_tests

    @property
    def words(self) -> str:
        """What the scan says, and what it left out, in sentences."""
        n_found, n_kept = (int((self.pairs[name] < _LEVEL).sum()) for name in ("pvalue", "qvalue"))
        expected = f"{self.n_expected_false:,.0f} expected by chance"
        sentences = [
            f"{self.n_tests:,} tests at 5 %: {expected}, {n_found:,} found; "
            f"{n_kept:,} remain at a false-discovery rate of 5 % (Benjamini-Hochberg)."
        ]
        if self.left_out:
            sentences.append(f"Left out for missing bars: {_listed(list(self.left_out))}.")
        if self.flat:
            sentences.append(f"Without movement: {_listed(self.flat)}.")
        n_line = len(self.pairs) - self.n_tests - self._n_rows_of_flat()
        if n_line:
            sentences.append(f"Not tested, for their spread is only rounding error: {n_line:,}.")
        return " ".join(sentences)

    def _n_rows_of_flat(self) -> int:
        return int((self.pairs["y"].isin(self.flat) | self.pairs["x"].isin(self.flat)).sum())


def _listed(names: Sequence[Any]) -> str:
    shown = ", ".join(map(str, names[:_NAMED]))
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
