"""REST, pure: a request target and the time in, an answer out; weight is counted per UTC minute."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import msgspec

from quantnb.exchange.endpoints import ENDPOINTS
from quantnb.exchange.market import Market
from quantnb.exchange.protocol import Limits
from quantnb.exchange.query import Query, RestError

__all__ = ["Answer", "Rest"]

PREFIX = "/fapi/"
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Rest:
    """The REST side of a market, with the weight that was used in the current minute."""

    def __init__(self, market: Market, limits: Limits) -> None:
        self._market = market
        self._limits = limits
        self._minute = 0
        self._used_weight = 0

    def answer(self, target: str, now_ms: int) -> Answer:
        """Return the response to ``GET target``; refused requests cost weight, too."""
        url = urlsplit(target)
        endpoint = ENDPOINTS.get(url.path)
        if endpoint is None:
            return Answer(404, _error(-5000, f"Path {url.path}, Method GET is invalid"))
        query = Query(dict(parse_qsl(url.query, errors="replace")), self._market.listings, now_ms)
        try:
            # Before the weight is known a query may be refused already; then it costs the least.
            self._spend(1, now_ms)
            self._spend(endpoint.weight(query) - 1, now_ms)
            status, body = 200, msgspec.json.encode(endpoint.answer(self._market, query))
        except RestError as error:
            status, body = error.status, _error(error.code, str(error))
        headers = {"X-MBX-USED-WEIGHT-1M": str(self._used_weight)}
        if status == 429:
            headers["Retry-After"] = str(-(-(MINUTE_MS - now_ms % MINUTE_MS) // 1000))
        return Answer(status, body, headers)

    def _spend(self, weight: int, now_ms: int) -> None:
        if now_ms // MINUTE_MS != self._minute:
            self._minute, self._used_weight = now_ms // MINUTE_MS, 0
        self._used_weight += weight
        if self._used_weight > self._limits.weight_per_minute:
            message = (
                f"Too many requests; current limit of IP(127.0.0.1) is {self._limits.weight_per_minute}"
                " requests per minute."
            )
            raise RestError(429, -1003, message)


def _error(code: int, message: str) -> bytes:
    return msgspec.json.encode({"code": code, "msg": message})
