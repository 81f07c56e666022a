"""Coarse one-minute bars from before the first generated minute, made backwards from where it starts."""

from __future__ import annotations

import math

import numpy as np

from quantnb.exchange.candles import CANDLE, Rows
from quantnb.exchange.climate import MARKET_VOLATILITY, MINUTE_MS, SECONDS_PER_YEAR, Climate
from quantnb.exchange.instrument import MEDIAN_NOTIONAL, RAW_PER_TRADE, Instrument
from quantnb.exchange.processes import Floats, ar1, keyed_rng

__all__ = ["candle_history"]

MEAN_OVER_MEDIAN_NOTIONAL = 6.0  # of the capped log-normal that single trades are drawn from


def candle_history(instrument: Instrument, seed: int, rate: float, climate: Climate, end_ms: int) -> Rows:
    """Return a row for each minute of ``climate``, the last one closing where the generated minutes begin."""
    listing = instrument.listing
    n_minutes = len(climate.volatility)
    rng = keyed_rng(seed, f"{listing.symbol} history", 0)
    log_close = _log_closes(instrument, climate, rng)
    log_open = np.concatenate((log_close[:1], log_close[:-1]))
    within = climate.volatility * listing.beta * MARKET_VOLATILITY * np.sqrt(60 / SECONDS_PER_YEAR)
    high = _extreme(rng, log_open, log_close, within)
    low = -_extreme(rng, -log_open, -log_close, within)

    rows = np.zeros(n_minutes, CANDLE)
    rows["open_ms"] = end_ms + MINUTE_MS * np.arange(-n_minutes, 0)
    for name, value in (("open", log_open), ("high", high), ("low", low), ("close", log_close)):
        rows[name] = np.maximum(np.rint(np.exp(value)), 1)
    if listing.is_trading:
        _fill_volumes(rows, instrument, climate, rate, rng)
    else:
        rows["first_raw_id"] = rows["last_raw_id"] = -1
        rows["open"] = rows["high"] = rows["low"] = rows["close"] = rows["close"][-1]
    return rows


def _log_closes(instrument: Instrument, climate: Climate, rng: np.random.Generator) -> Floats:
    """Return log closes in ticks; a stationary AR(1) looks the same backwards, so start from its end."""
    listing = instrument.listing
    decay = 0.5 ** (60 / listing.half_life_s)
    swing = listing.swing_bp * 1e-4
    shocks = rng.standard_normal(len(climate.volatility) - 1) * swing * math.sqrt(1 - decay**2)
    own = np.concatenate(([instrument.first_own], ar1(instrument.first_own, shocks, decay)))[::-1]
    return math.log(listing.price / float(listing.tick)) + listing.beta * climate.level[listing.group] + own


def _extreme(rng: np.random.Generator, start: Floats, end: Floats, sd: Floats) -> Floats:
    """Return the maximum of Brownian bridges with these ends, by inversion of its distribution."""
    uniform = 1.0 - rng.random(len(start))
    return (start + end + np.sqrt((end - start) ** 2 - 2 * sd**2 * np.log(uniform))) / 2


def _fill_volumes(
    rows: Rows, instrument: Instrument, climate: Climate, rate: float, rng: np.random.Generator
) -> None:
    listing = instrument.listing
    n_trades = rng.poisson(rate * listing.share * 60 * RAW_PER_TRADE.mean * climate.activity) + 1
    notional = n_trades / RAW_PER_TRADE.mean * MEDIAN_NOTIONAL * MEAN_OVER_MEDIAN_NOTIONAL
    notional *= rng.lognormal(0.0, 0.4, len(rows))
    middle = (rows["high"] + rows["low"]) // 2
    step_notional = middle * float(listing.tick) * float(listing.step)
    rows["volume"] = np.maximum(notional / step_notional, n_trades)
    rows["quote_volume"] = rows["volume"] * middle
    share = 0.5 + 0.2 * np.tanh(climate.shock) * rng.random(len(rows))
    rows["taker_volume"] = rows["volume"] * share
    rows["taker_quote_volume"] = rows["taker_volume"] * middle
    rows["n_trades"] = n_trades
    upto = np.cumsum(n_trades)
    rows["last_raw_id"] = np.maximum(instrument.first_raw_id - 1 - (upto[-1] - upto), 1)
    rows["first_raw_id"] = np.maximum(rows["last_raw_id"] - n_trades + 1, 1)
