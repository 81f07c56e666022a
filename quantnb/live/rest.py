"""Requests to an exchange's REST side."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from quantnb.errors import FeedError
from quantnb.events import Kline, Trade
from quantnb.feed.pages import Page, decode_agg_trades, decode_klines
from quantnb.feed.reconnect import Failure, ban_s, rule_of
from quantnb.feed.routes import Endpoints
from quantnb.feed.symbols import SymbolInfo, decode_exchange_info, decode_funding_info
from quantnb.live.ban import Ban
from quantnb.live.clock import Clock, SystemClock
from quantnb.live.failure import failure_of, http_failure
from quantnb.stats.timeframes import timeframe_ns

if TYPE_CHECKING:
    import httpx

__all__ = ["Rest", "RestError", "SymbolInfo"]

TIMEOUT_S = 10.0


class RestError(FeedError):
    """A request without an answer.

    Attributes
    ----------
    failure : Failure
        What happened.
    code : int or None
        The exchange's own number for a request that it refuses, such as -4166.
    """

    def __init__(self, sentence: str, failure: Failure, code: int | None = None) -> None:
        super().__init__(sentence)
        self.failure = failure
        self.code = code


class _Refusal(msgspec.Struct):
    code: int
    msg: str


class Rest:
    """One exchange's REST side, as an async context manager.

    Every method raises `RestError` with a sentence where the exchange cannot be reached or refuses, and
    `FeedError` where its answer is not what was asked for.

    Parameters
    ----------
    endpoints : Endpoints
        The exchange. Proxies named in the environment are used, except towards this machine.
    timeout_s : float
        How long one request may take.
    clock : Clock, optional
        This machine's where not given.
    ban : Ban, optional
        Nothing is asked before its end, and an answer that tells us to wait begins one.

    Attributes
    ----------
    used_weight : int or None
        The exchange's count of request weight in this minute, as the newest answer gave it.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        timeout_s: float = TIMEOUT_S,
        clock: Clock | None = None,
        ban: Ban | None = None,
    ) -> None:
        self.used_weight: int | None = None
        self._endpoints = endpoints
        self._timeout_s = timeout_s
        self._clock = clock or SystemClock()
        self._ban = Ban(self._clock) if ban is None else ban
        self._http: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        import httpx  # 0.1 s that an import of the package need not pay

        self._http = httpx.AsyncClient(
            base_url=self._endpoints.rest_base,
            timeout=self._timeout_s,
            trust_env=not self._endpoints.is_simulated,
            follow_redirects=False,
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def ping(self) -> None:
        """Return where the exchange answers."""
        await self._get("/fapi/v1/ping")

    async def server_time_ms(self) -> int:
        """Return the exchange's clock, in ms since the epoch."""
        body = await self._get("/fapi/v1/time")
        try:
            return msgspec.json.decode(body, type=dict[str, int])["serverTime"]
        except (KeyError, ValueError, msgspec.MsgspecError):
            raise FeedError("The exchange's answer to the time of day cannot be read.") from None

    async def exchange_info(self) -> tuple[SymbolInfo, ...]:
        """Return every contract that the exchange lists, delisted ones included."""
        return decode_exchange_info(await self._get("/fapi/v1/exchangeInfo"))

    async def funding_intervals_s(self) -> dict[str, float]:
        """Return the seconds between two fundings, of the symbols for which they are not eight hours."""
        return decode_funding_info(await self._get("/fapi/v1/fundingInfo"))

    async def agg_trades(self, symbol: str, *, from_id: int | None = None, limit: int = 1_000) -> Page[Trade]:
        """Return up to ``limit`` (1,000) trades from ``from_id`` on; the newest where it is not given."""
        # With start or end times beside fromId, Binance may time out.
        params = {"symbol": symbol, "limit": limit} | ({} if from_id is None else {"fromId": from_id})
        body = await self._get("/fapi/v1/aggTrades", **params)
        return decode_agg_trades(body, symbol, self._clock.now().wall_ns)

    async def klines(
        self, symbol: str, interval: str, *, limit: int = 500, end_ms: int | None = None
    ) -> Page[Kline]:
        """Return up to ``limit`` (1,500) bars, the newest of those that were closed by ``end_ms``.

        Parameters
        ----------
        symbol : str
            Of one contract.
        interval : str
            A timeframe of one minute or more.
        limit : int
            How many rows to ask for.
        end_ms : int, optional
            Milliseconds since the epoch by the exchange's clock; now, by this computer's, where not given.
        """
        params = {"symbol": symbol, "interval": interval, "limit": limit}
        body = await self._get("/fapi/v1/klines", **params, **({} if end_ms is None else {"endTime": end_ms}))
        closed_by_ms = self._clock.now().wall_ns // 1_000_000 if end_ms is None else end_ms
        return decode_klines(body, timeframe_ns(interval) // 1_000_000, closed_by_ms)

    async def _get(self, path: str, **params: Any) -> bytes:
        import httpx

        if self._http is None:
            raise RuntimeError("Rest is used inside 'async with'.")
        banned_s = self._ban.remaining_s()
        if banned_s > 0.0:
            raise RestError(self._ban.reason, Failure("http", 429, retry_after_s=banned_s))
        try:
            # httpx limits each step of a request; this limits the whole.
            async with asyncio.timeout(self._timeout_s):
                response = await self._http.get(path, params=params)
        except (httpx.HTTPError, TimeoutError) as error:
            self.used_weight = None
            raise self._error(_request_failure(error)) from error
        self.used_weight = _whole_number(response.headers.get("X-MBX-USED-WEIGHT-1M"))
        if response.status_code != 200:
            raise self._error(*_refusal(response))
        return response.content

    def _error(self, failure: Failure, code: int | None = None) -> RestError:
        error = RestError(rule_of(failure, self._endpoints.title).sentence, failure, code)
        pause_s = ban_s(failure)
        if pause_s is not None:
            self._ban.set(pause_s, str(error))
        return error


def _refusal(response: httpx.Response) -> tuple[Failure, int | None]:
    """Return what a refusal is; where the request itself is at fault, with the exchange's words for it."""
    failure = http_failure(response.status_code, response.headers)
    if response.status_code != 400:
        return failure, None
    try:
        refusal = msgspec.json.decode(response.content, type=_Refusal)
    except (ValueError, msgspec.MsgspecError):
        return failure, None
    words = f"{refusal.code} {refusal.msg[:200]}"
    return msgspec.structs.replace(failure, detail=words), refusal.code


def _whole_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 10 else None


def _request_failure(error: Exception) -> Failure:
    """Return what lies under httpx's exception: it keeps the socket's own as a cause or a context."""
    import httpx

    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return Failure("timeout")
    cause: BaseException | None = error
    while cause is not None:
        failure = failure_of(cause)
        if failure is not None:
            return failure
        cause = cause.__cause__ or cause.__context__
    return Failure("network", detail=str(error))
