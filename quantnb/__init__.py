"""A live quant dashboard for Binance USD-M Futures in the notebook.

``import quantnb as qn`` gives `Session`, the statistics and the view classes' home `view`. Modules are loaded
when a name is first used, so that the import itself is quick and does nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quantnb import stats, view
    from quantnb.session import Session
    from quantnb.stats import (
        adf_test,
        attribute_zscore,
        backtest_rule,
        break_alarm,
        causal_spread,
        compare_hedges,
        correlation_by_horizon,
        engle_granger,
        expected_edge,
        firings,
        half_life,
        hedge_ratio,
        johansen,
        kalman_hedge,
        kpss_test,
        lead_lag,
        ledoit_wolf,
        log_returns,
        price_changes_pct,
        resample_ohlc,
        rolling_break,
        rolling_corr,
        rolling_volatility,
        scan,
        spread,
        study_pair,
        trade_correlation_by_horizon,
        variance_ratio,
        zscore,
        zscore_attribution,
        zscore_evidence,
    )

__version__ = "0.1.0"

__all__ = [
    "Session",
    "adf_test",
    "attribute_zscore",
    "backtest_rule",
    "break_alarm",
    "causal_spread",
    "compare_hedges",
    "correlation_by_horizon",
    "engle_granger",
    "expected_edge",
    "firings",
    "half_life",
    "hedge_ratio",
    "johansen",
    "kalman_hedge",
    "kpss_test",
    "lead_lag",
    "ledoit_wolf",
    "log_returns",
    "price_changes_pct",
    "resample_ohlc",
    "rolling_break",
    "rolling_corr",
    "rolling_volatility",
    "scan",
    "spread",
    "stats",
    "study_pair",
    "trade_correlation_by_horizon",
    "variance_ratio",
    "view",
    "zscore",
    "zscore_attribution",
    "zscore_evidence",
]

_SUBPACKAGES = frozenset({"stats", "view"})


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _SUBPACKAGES:
        return import_module(f"{__name__}.{name}")
    home = "session" if name == "Session" else "stats"
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
