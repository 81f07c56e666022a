"""Requests to an exchange's REST side."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from quantnb.errors import FeedError
from quantnb.feed.reconnect import Failure, rule_of
from quantnb.feed.routes import Endpoints
from quantnb.feed.symbols import SymbolInfo, decode_exchange_info
from quantnb.live.failure import failure_of, http_failure

if TYPE_CHECKING:
    import httpx

__all__ = ["Rest", "SymbolInfo"]

TIMEOUT_S = 10.0


class Rest:
    """One exchange's REST side, as an async context manager.

    Every method raises `FeedError` with a sentence where the exchange cannot be reached or refuses.

    Parameters
    ----------
    endpoints : Endpoints
        The exchange. Proxies named in the environment are used, except towards this machine.
    timeout_s : float
        How long one request may take.
    """

    def __init__(self, endpoints: Endpoints, *, timeout_s: float = TIMEOUT_S) -> None:
        self._endpoints = endpoints
        self._timeout_s = timeout_s
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

    async def _get(self, path: str, **params: Any) -> bytes:
        import httpx

        if self._http is None:
            raise RuntimeError("Rest is used inside 'async with'.")
        try:
            # httpx limits each step of a request; this limits the whole.
            async with asyncio.timeout(self._timeout_s):
                response = await self._http.get(path, params=params)
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._refusal(_request_failure(error)) from error
        if response.status_code != 200:
            raise self._refusal(http_failure(response.status_code, response.headers))
        return response.content

    def _refusal(self, failure: Failure) -> FeedError:
        return FeedError(rule_of(failure, self._endpoints.title).sentence)


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
