"""What an exchange trades: the parts of ``exchangeInfo`` and ``fundingInfo`` that are used here."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import MsgspecError, Struct, field

from quantnb.errors import FeedError

__all__ = ["FUNDING_INTERVAL_S", "SymbolInfo", "decode_exchange_info", "decode_funding_info", "not_listed"]

FUNDING_INTERVAL_S = 8 * 3600.0  # of every symbol that ``fundingInfo`` does not name


class SymbolInfo(Struct, frozen=True):
    """One contract. Price steps come from the filters: Binance's ``pricePrecision`` is not the tick."""

    symbol: str
    status: str
    contract_type: str
    base_asset: str
    quote_asset: str
    tick_size: float | None
    step_size: float | None
    funding_interval_s: float = FUNDING_INTERVAL_S

    @property
    def is_trading_perpetual(self) -> bool:
        """True for a perpetual contract that is traded now; delisted ones stay in the list."""
        return self.status == "TRADING" and self.contract_type in ("PERPETUAL", "TRADIFI_PERPETUAL")


class _Row(Struct):
    symbol: str
    status: str
    contract_type: str = field(name="contractType", default="")
    base_asset: str = field(name="baseAsset", default="")
    quote_asset: str = field(name="quoteAsset", default="")
    filters: list[dict[str, Any]] = []


class _ExchangeInfo(Struct):
    symbols: list[_Row]


def decode_exchange_info(body: bytes) -> tuple[SymbolInfo, ...]:
    """Return the contracts in the order of the answer.

    Raises
    ------
    FeedError
        Where the answer is not an exchangeInfo.
    """
    try:
        rows = msgspec.json.decode(body, type=_ExchangeInfo).symbols
    except (MsgspecError, ValueError, RecursionError) as error:
        raise FeedError(f"The exchange's list of symbols cannot be read: {error}") from None
    return tuple(
        SymbolInfo(
            symbol=row.symbol,
            status=row.status,
            contract_type=row.contract_type,
            base_asset=row.base_asset,
            quote_asset=row.quote_asset,
            tick_size=_filter_value(row, "PRICE_FILTER", "tickSize"),
            step_size=_filter_value(row, "LOT_SIZE", "stepSize"),
        )
        for row in rows
    )


def not_listed(symbol: str, listed: Sequence[str]) -> str:
    """Return in a sentence that a symbol is not among those listed, and which one may be meant."""
    near = difflib.get_close_matches(symbol.upper(), listed, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it lists {', '.join(listed[:5])} and more."
    return f"{symbol} is not traded on this exchange; {hint}"


class _FundingRow(Struct):
    symbol: str
    hours: int = field(name="fundingIntervalHours")


def decode_funding_info(body: bytes) -> dict[str, float]:
    """Return the seconds between two fundings of the symbols for which they are not eight hours.

    Raises
    ------
    FeedError
        Where the answer is not a fundingInfo.
    """
    try:
        rows = msgspec.json.decode(body, type=list[_FundingRow])
    except (MsgspecError, ValueError, RecursionError) as error:
        raise FeedError(f"The exchange's list of funding intervals cannot be read: {error}") from None
    return {row.symbol: row.hours * 3600.0 for row in rows if 1 <= row.hours <= 24}


def _filter_value(row: _Row, filter_type: str, key: str) -> float | None:
    for each in row.filters:
        if each.get("filterType") == filter_type:
            try:
                value = float(each[key])
            except (KeyError, TypeError, ValueError):
                return None
            return value if 0.0 < value < float("inf") else None
    return None
