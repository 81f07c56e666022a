"""``exchangeInfo``: the limits, and every listing with its filters."""

from __future__ import annotations

from quantnb.exchange.listings import Listing
from quantnb.exchange.market import Market

__all__ = ["exchange_info"]

PERPETUAL_DELIVERY_MS = 4_133_404_800_000  # Binance's way to write "never"


def exchange_info(market: Market) -> object:
    """Return rate limits and every listing with its filters."""
    return {
        "timezone": "UTC",
        "serverTime": market.now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [_rate_limit("REQUEST_WEIGHT", 2_400), _rate_limit("ORDERS", 1_200)],
        "exchangeFilters": [],
        "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [_symbol(listing, market.first_ms) for listing in market.listings.values()],
    }


def _rate_limit(kind: str, limit: int) -> dict[str, object]:
    return {"rateLimitType": kind, "interval": "MINUTE", "intervalNum": 1, "limit": limit}


def _symbol(listing: Listing, opened_ms: int) -> dict[str, object]:
    return {
        "symbol": listing.symbol,
        "pair": listing.symbol,
        "contractType": listing.contract_type,
        "deliveryDate": PERPETUAL_DELIVERY_MS if listing.is_trading else opened_ms - 86_400_000,
        "onboardDate": 1_569_398_400_000,
        "status": listing.status,
        "baseAsset": listing.base_asset,
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": listing.price_decimals,
        "quantityPrecision": listing.quantity_decimals,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": listing.underlying_type,
        "underlyingSubType": [],
        "filters": _filters(listing),
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": [],
    }


def _filters(listing: Listing) -> list[dict[str, str | int]]:
    quantities: dict[str, str | int] = {
        "minQty": listing.step,
        "maxQty": listing.quantity_text(10**9),
        "stepSize": listing.step,
    }
    tick, highest = listing.tick, listing.price_text(10**9)
    return [
        {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": highest, "tickSize": tick},
        {"filterType": "LOT_SIZE", **quantities},
        {"filterType": "MARKET_LOT_SIZE", **quantities},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": "1.0500",
            "multiplierDown": "0.9500",
            "multiplierDecimal": "4",
        },
        {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
    ]
