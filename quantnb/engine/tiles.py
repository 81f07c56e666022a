"""The tiles: each number with its unit and n, or what it waits for."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from quantnb.engine.pair import PairAnalytics
from quantnb.snapshot import Measure, TileName
from quantnb.stats.edge import EdgeResult
from quantnb.stats.evidence import ZscoreEvidence

__all__ = ["measure_tiles"]


def measure_tiles(
    analytics: PairAnalytics,
    window: int,
    *,
    n_trades: int,
    quote_volume: float,
    n_alerts: int,
    n_rules: int,
    evidence: ZscoreEvidence | None,
    edge: EdgeResult | str,
    doubts: tuple[str, ...] = (),
) -> Mapping[TileName, Measure]:
    """Return the tiles as they stand at the newest closed bar.

    ``evidence`` is that of the z-score, ``doubts`` all that speaks against it; ``edge`` is that of the pair,
    or why there is none.
    """
    columns = analytics.columns
    n_bars = len(columns)
    spread = columns["spread"][-window:]
    # The ratio of a bar is fitted on the window before it, and the deviation needs a window of such bars.
    return {
        "ticks": Measure(float(n_trades), "trades", n_trades),
        "spread": _measure(
            float(spread.mean()) if len(spread) == window else math.nan,
            f"USDT, mean of {window} bars",
            window,
            waiting=_waiting(n_bars, 2 * window, columns["y"], columns["x"]),
        ),
        "zscore": _measure(
            _last(columns["zscore"]),
            "standard deviations",
            window,
            waiting=_waiting(n_bars, 2 * window, columns["y"], columns["x"]),
            doubts=doubts,
        ),
        "half_life": _half_life(
            evidence, window, waiting=_waiting(n_bars, 2 * window, columns["y"], columns["x"])
        ),
        "correlation": _measure(
            _last(columns["correlation"]),
            "of log returns",
            window,
            waiting=_waiting(n_bars, window + 1, columns["y"], columns["x"]),
        ),
        "edge": _edge(edge, window, doubts),
        "volume": Measure(quote_volume, "USDT", n_trades),
        "alerts": Measure(float(n_alerts), "active", n_rules),
    }


def _half_life(evidence: ZscoreEvidence | None, window: int, *, waiting: str) -> Measure:
    life = evidence.half_life if evidence else None
    if evidence is None or life is None:
        return Measure(None, "bars", window, waiting)
    parts = (
        f"as estimated {life.half_life:.1f} bars, which reads short; after Kendall's correction as shown",
        f"Engle-Granger p = {evidence.pvalue:.3f}",
    )
    if math.isinf(life.corrected):
        return Measure(None, "bars", window, "infinite: no reversion is seen", parts=parts)
    return Measure(life.corrected, "bars", life.nobs, parts=parts)


def _edge(edge: EdgeResult | str, window: int, doubts: tuple[str, ...]) -> Measure:
    unit = "bp of both legs, after costs"
    if isinstance(edge, str):
        return Measure(None, unit, window, edge)
    return Measure(edge.edge_bp, unit, window, doubts=doubts, parts=edge.parts)


def _last(column: NDArray[np.float64]) -> float:
    return float(column[-1]) if len(column) else math.nan


def _measure(value: float, unit: str, n: int, *, waiting: str, doubts: tuple[str, ...] = ()) -> Measure:
    if not math.isfinite(value):
        return Measure(None, unit, n, waiting)
    return Measure(value, unit, n, doubts=doubts)


def _waiting(n_bars: int, n_needed: int, y: NDArray[np.float64], x: NDArray[np.float64]) -> str:
    """Say why there is no number: too few bars, a gap among them, or prices that did not move."""
    if n_bars < n_needed:
        return f"{n_bars} of {n_needed} bars"
    missing = np.flatnonzero(np.isnan(y[-n_needed:]) | np.isnan(x[-n_needed:]))
    if len(missing):
        return f"gap: {n_needed - 1 - int(missing[-1])} of {n_needed} bars since"
    return "the price did not move in the window"
