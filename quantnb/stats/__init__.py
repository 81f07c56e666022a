"""Numbers in, numbers out: bars, returns, volatility, hedge ratio, spread, z-score, correlation, unit roots.

The same functions serve the live engine (with arrays) and the next cell (with pandas). Warm-up is NaN, bad
input is an error that says what to do, and no value at t ever depends on what came after t. statsmodels and
pandas are imported only by the functions that need them.
"""

# Imported here rather than on demand: some functions bear the name of their module, and an attribute set by
# importing the module later would hide the function.
from quantnb.stats.adf import AdfResult, adf_test
from quantnb.stats.bars import BarColumns, aggregate_bars, resample_ohlc
from quantnb.stats.causal import causal_fit, causal_spread, rolling_fit
from quantnb.stats.correlation import correlation_band, correlation_matrix, rolling_corr
from quantnb.stats.engle_granger import EngleGrangerResult, engle_granger
from quantnb.stats.hedge import HedgeRatioResult, hedge_ratio
from quantnb.stats.regression import FitColumns
from quantnb.stats.returns import log_returns
from quantnb.stats.spread import spread
from quantnb.stats.timeframes import TIMEFRAME_NS
from quantnb.stats.volatility import rolling_volatility
from quantnb.stats.zscore import zscore

__all__ = [
    "TIMEFRAME_NS",
    "AdfResult",
    "BarColumns",
    "EngleGrangerResult",
    "FitColumns",
    "HedgeRatioResult",
    "adf_test",
    "aggregate_bars",
    "causal_fit",
    "causal_spread",
    "correlation_band",
    "correlation_matrix",
    "engle_granger",
    "hedge_ratio",
    "log_returns",
    "resample_ohlc",
    "rolling_corr",
    "rolling_fit",
    "rolling_volatility",
    "spread",
    "zscore",
]
