"""What the rules are shown: the pair as a bar closes, and where prices stand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from quantnb.alerts import AlertBook
from quantnb.engine.instrument import Instrument, PriceChange
from quantnb.engine.pair import PART_COLUMNS, PairAnalytics
from quantnb.engine.recipes import break_recipe, price_change_recipe, zscore_recipe
from quantnb.engine.settings import Settings
from quantnb.errors import StatisticsError
from quantnb.stats.break_alarm import FEWEST_BARS, BreakAlarm, break_alarm

__all__ = ["break_bars", "watch_pair", "watch_prices", "who_moved"]


def watch_pair(book: AlertBook, settings: Settings, analytics: PairAnalytics, doubt: str) -> None:
    """Show the rules of the pair its newest closed bar."""
    bar_ns = int(analytics.columns["time_ns"][-1])
    alarm = _alarm(analytics, settings.window) if any(rule.kind == "break" for rule in book.rules) else None
    for rule in book.rules:
        observe = partial(book.observe, rule, "/".join(settings.pair), time_ns=bar_ns + settings.timeframe_ns)
        if rule.kind == "zscore":
            about = partial(_about_zscore, analytics, settings, bar_ns)
            observe(value=float(analytics.columns["zscore"][-1]), doubt=doubt, about=about)
        elif rule.kind == "break" and alarm is not None:
            observe(value=alarm.strength, about=partial(_about_break, alarm, settings, bar_ns))


def watch_prices(book: AlertBook, instruments: Mapping[str, Instrument], now_ns: int) -> None:
    """Show the rules of prices where these stand now."""
    for rule in book.rules:
        if rule.kind != "price_change":
            continue
        for symbol, instrument in instruments.items():
            change = instrument.price_change(now_ns, rule.span_s) if rule.symbol in (None, symbol) else None
            if change is not None:
                about = partial(_about_price, symbol, change)
                book.observe(rule, symbol, change.percent, now_ns, about=about)


def _about_zscore(analytics: PairAnalytics, settings: Settings, bar_ns: int) -> tuple[str, str]:
    return who_moved(analytics, settings.pair), zscore_recipe(settings, bar_ns)


def _about_break(alarm: BreakAlarm, settings: Settings, bar_ns: int) -> tuple[str, str]:
    return alarm.verdict, break_recipe(settings, bar_ns, alarm.nobs)


def _about_price(symbol: str, change: PriceChange) -> tuple[str, str]:
    return "", price_change_recipe(symbol, change.then_id, change.now_id)


def who_moved(analytics: PairAnalytics, pair: tuple[str, str]) -> str:
    """Say what changed the z-score at the newest closed bar, the largest part first; empty if not known."""
    names = (*pair, "hedge ratio", "mean", "deviation")
    parts = [float(analytics.columns[name][-1]) for name in PART_COLUMNS]
    if not all(map(math.isfinite, parts)):
        return ""
    ordered = sorted(zip(parts, names, strict=True), key=lambda each: -abs(each[0]))
    said = ", ".join(f"{name} {part:+.2f}" for part, name in ordered)
    return f"z moved {sum(parts):+.2f} in its last bar: {said}"


def break_bars(window: int) -> int:
    """Return over how many bars a break is looked for: those on which the newest z-score depends."""
    return max(2 * window, FEWEST_BARS)


def _alarm(analytics: PairAnalytics, window: int) -> BreakAlarm | None:
    newest = slice(-break_bars(window), None)
    try:
        return break_alarm(analytics.columns["y"][newest], analytics.columns["x"][newest])
    except StatisticsError:
        return None
