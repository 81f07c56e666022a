"""Reproduce this number: Python that computes it again from the session's data, to the last digit.

Each recipe names its bars and trades by time and id, so that it gives the same number when the market has
moved on, as long as they are kept. Its last line is an expression; ``session`` is the `quantnb.Session`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from quantnb.engine.instrument import Instrument
from quantnb.engine.settings import Settings
from quantnb.engine.worth import EdgeInputs
from quantnb.stats.edge import Leg

__all__ = ["break_recipe", "price_change_recipe", "tile_recipes", "zscore_recipe"]


def tile_recipes(
    settings: Settings, bar_ns: int | None, instruments: Iterable[Instrument], edge: EdgeInputs | None
) -> Mapping[str, str]:
    """Return the recipe of each tile that has a number; ``bar_ns`` is the open of the newest closed bar."""
    recipes = _of_trades(tuple(instruments)) | {"alerts": "len(session.snapshot.alerts)  # as they are now\n"}
    if bar_ns is None:
        return recipes
    window, closes = settings.window, _closes(settings, bar_ns)
    recipes |= {
        "spread": f"{_spread(settings, bar_ns)}spread.to_numpy()[-{window}:].mean()\n",
        "zscore": zscore_recipe(settings, bar_ns),
        "half_life": f"{closes}qn.zscore_evidence(y, x, {window}).half_life.corrected\n",
        "correlation": f"{closes}qn.rolling_corr(y, x, {window}).iloc[-1]\n",
    }
    return recipes if edge is None else recipes | {"edge": _edge(closes, window, edge, settings)}


def zscore_recipe(settings: Settings, bar_ns: int) -> str:
    """Return the recipe of the z-score at the bar that opened at ``bar_ns``."""
    return f"{_spread(settings, bar_ns)}qn.zscore(spread, {settings.window}).iloc[-1]\n"


def break_recipe(settings: Settings, bar_ns: int, n_bars: int) -> str:
    """Return the recipe of the strength of a break over the ``n_bars`` bars up to and with one."""
    closes = _closes(settings, bar_ns)
    return f"{closes}qn.break_alarm(y.iloc[-{n_bars}:], x.iloc[-{n_bars}:]).strength\n"


def price_change_recipe(symbol: str, then_id: int, now_id: int) -> str:
    """Return the recipe of a price's change in per cent between two trades."""
    return (
        f'price = session.trades("{symbol}").set_index("trade_id")["price"]\n'
        f"100.0 * (price[{now_id}] / price[{then_id}] - 1.0)\n"
    )


def _closes(settings: Settings, bar_ns: int) -> str:
    y, x = settings.pair
    newest = datetime.fromtimestamp(bar_ns // 1_000_000_000, UTC)
    return (
        "import quantnb as qn\n\n"
        f'# bars of {settings.timeframe}: as long as session.timeframe == "{settings.timeframe}"\n'
        f'y, x = session.bars("{y}")["close"].align(session.bars("{x}")["close"], join="inner")\n'
        f'y, x = y.loc[:"{newest:%Y-%m-%d %H:%M:%S}"], x.loc[:"{newest:%Y-%m-%d %H:%M:%S}"]\n'
    )


def _spread(settings: Settings, bar_ns: int) -> str:
    return f'{_closes(settings, bar_ns)}spread = qn.causal_spread(y, x, {settings.window})["spread"]\n'


def _edge(closes: str, window: int, edge: EdgeInputs, settings: Settings) -> str:
    return (
        f"{closes}bar = qn.stats.zscore_states(y.to_numpy(), x.to_numpy(), {window})\n"
        f"life = qn.zscore_evidence(y, x, {window}).half_life\n"
        "qn.expected_edge(\n"
        f"    qn.stats.{_leg(edge.y)},  # bid, ask, funding rate, seconds between fundings\n"
        f"    qn.stats.{_leg(edge.x)},\n"
        "    hedge_ratio=bar.hedge_ratio[-1],\n"
        "    deviation=bar.distance[-1],\n"
        f"    half_life_s=life.corrected * {settings.timeframe_ns / 1e9!r},\n"
        f"    taker_fee_bp={edge.taker_fee_bp!r},\n"
        ").edge_bp\n"
    )


def _leg(leg: Leg) -> str:
    return f"Leg({leg.bid!r}, {leg.ask!r}, {leg.funding_rate!r}, {leg.funding_interval_s!r})"


def _of_trades(instruments: tuple[Instrument, ...]) -> dict[str, str]:
    ids = {each.symbol: each.counted_ids for each in instruments}
    n_gone = sum(each.n_trades for each in instruments) - sum(_n_kept(each) for each in instruments)
    gone = f"# {n_gone:,} of the trades that were counted are no longer kept\n" if n_gone > 0 else ""
    counted = {symbol: span for symbol, span in ids.items() if span is not None}
    head = (
        "# ids of the first trade since the start and of the newest; what is recovered in between counts\n"
        f"ids = {counted!r}\n{gone}"
        'trades = [session.trades(s)[lambda t: t["trade_id"].between(*ids[s])] for s in ids]\n'
    )
    return {
        "ticks": f"{head}sum(map(len, trades))\n",
        "volume": "import math\n\n"
        f'{head}sum(math.fsum(each["price"] * each["quantity"]) for each in trades)\n',
    }


def _n_kept(instrument: Instrument) -> int:
    span = instrument.counted_ids
    if span is None:
        return 0
    ids = instrument.trades["trade_id"]
    return int(((ids >= span[0]) & (ids <= span[1])).sum())
