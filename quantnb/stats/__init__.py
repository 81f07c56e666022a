"""Numbers in, numbers out: bars, returns, volatility, hedge ratio, spread, z-score, correlation, unit roots.

The same functions serve the live engine (with arrays) and the next cell (with pandas). Warm-up is NaN, bad
input is an error that says what to do, and no value at t ever depends on what came after t. statsmodels and
pandas are imported only by the functions that need them.
"""

# Imported here rather than on demand: some functions bear the name of their module, and an attribute set by
# importing the module later would hide the function.
from quantnb.stats.adf import AdfResult, adf_test
from quantnb.stats.attribution import (
    ZscoreParts,
    ZscoreState,
    attribute_zscore,
    zscore_attribution,
    zscore_states,
)
from quantnb.stats.backtest import backtest_rule
from quantnb.stats.backtest_result import BacktestResult
from quantnb.stats.bars import BarColumns, aggregate_bars, resample_ohlc
from quantnb.stats.break_alarm import BreakAlarm, break_alarm
from quantnb.stats.causal import causal_fit, causal_spread, rolling_fit
from quantnb.stats.compare import HedgeComparison, HedgeRow, compare_hedges
from quantnb.stats.correlation import correlation_band, correlation_matrix, rolling_corr
from quantnb.stats.costs import Costs
from quantnb.stats.edge import EdgeResult, Leg, expected_edge
from quantnb.stats.engle_granger import EngleGrangerResult, engle_granger
from quantnb.stats.evidence import ZscoreEvidence, zscore_evidence
from quantnb.stats.false_discovery import benjamini_hochberg
from quantnb.stats.firings import firings, price_changes_pct
from quantnb.stats.half_life import HalfLifeResult, half_life, half_life_of
from quantnb.stats.hedge import HedgeRatioResult, hedge_ratio
from quantnb.stats.horizons import HORIZONS_MS, correlation_by_horizon, trade_correlation_by_horizon
from quantnb.stats.johansen import JohansenResult, johansen
from quantnb.stats.kalman_hedge import kalman_hedge
from quantnb.stats.kpss import KpssResult, kpss_test
from quantnb.stats.lead_lag import LeadLagResult, lead_lag
from quantnb.stats.ledoit_wolf import LedoitWolfResult, ledoit_wolf
from quantnb.stats.lines import rolling_lines
from quantnb.stats.pair_study import PairStudy, study_pair
from quantnb.stats.regression import FitColumns
from quantnb.stats.returns import log_returns
from quantnb.stats.rolling_break import rolling_break
from quantnb.stats.scan import scan
from quantnb.stats.scan_result import ScanResult
from quantnb.stats.shrunk_correlation import ShrunkCorrelation, shrunk_correlation
from quantnb.stats.spread import spread
from quantnb.stats.timeframes import TIMEFRAME_NS
from quantnb.stats.trade_horizons import HorizonCorrelation, TradeColumns, correlate_trades
from quantnb.stats.variance_ratio import VarianceRatioResult, variance_ratio
from quantnb.stats.volatility import rolling_volatility
from quantnb.stats.zscore import zscore

__all__ = [
    "HORIZONS_MS",
    "TIMEFRAME_NS",
    "AdfResult",
    "BacktestResult",
    "BarColumns",
    "BreakAlarm",
    "Costs",
    "EdgeResult",
    "EngleGrangerResult",
    "FitColumns",
    "HalfLifeResult",
    "HedgeComparison",
    "HedgeRatioResult",
    "HedgeRow",
    "HorizonCorrelation",
    "JohansenResult",
    "KpssResult",
    "LeadLagResult",
    "LedoitWolfResult",
    "Leg",
    "PairStudy",
    "ScanResult",
    "ShrunkCorrelation",
    "TradeColumns",
    "VarianceRatioResult",
    "ZscoreEvidence",
    "ZscoreParts",
    "ZscoreState",
    "adf_test",
    "aggregate_bars",
    "attribute_zscore",
    "backtest_rule",
    "benjamini_hochberg",
    "break_alarm",
    "causal_fit",
    "causal_spread",
    "compare_hedges",
    "correlate_trades",
    "correlation_band",
    "correlation_by_horizon",
    "correlation_matrix",
    "engle_granger",
    "expected_edge",
    "firings",
    "half_life",
    "half_life_of",
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
    "rolling_fit",
    "rolling_lines",
    "rolling_volatility",
    "scan",
    "shrunk_correlation",
    "spread",
    "study_pair",
    "trade_correlation_by_horizon",
    "variance_ratio",
    "zscore",
    "zscore_attribution",
    "zscore_evidence",
    "zscore_states",
]
