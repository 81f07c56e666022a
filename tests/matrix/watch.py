"""Watches what a session shows, and holds it against what the exchange has."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from quantnb.exchange import LocalExchange
from quantnb.session import Session
from quantnb.snapshot import Status

__all__ = ["Watch", "Witness"]

OLDEST_S = 5.0
WELL = ("live", "simulated")


class Witness(LocalExchange):
    """A local exchange that takes note of each request it gets: when, and for what."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.requests: list[tuple[float, str]] = []
        answer = self._door.answer

        async def witnessed(socket: Any, request: Any) -> Any:
            self.requests.append((time.monotonic(), request.path))
            return await answer(socket, request)

        self._door.answer = witnessed  # type: ignore[method-assign]


class Watch:
    """Sees every snapshot of a session.

    Attributes
    ----------
    lies : list of str
        Each snapshot that was shown as well while data were older than five seconds.
    states : list of (float, str, str)
        Since when, which state, why; as it changed.
    """

    def __init__(self, session: Session, exchange: Witness) -> None:
        self.lies: list[str] = []
        self.states: list[tuple[float, str, str]] = []
        self._session, self._exchange = session, exchange
        self._seen = asyncio.Event()
        self._there: deque[tuple[float, dict[str, int]]] = deque()
        session.observe(self._look, "snapshot")
        self._look()

    @property
    def status(self) -> Status:
        return self._session.snapshot.status

    def newest_ids(self) -> dict[str, int]:
        """Return the newest trade shown of each symbol."""
        newest: dict[str, int] = {}
        for row in self._session.snapshot.tape:
            newest[row.symbol] = max(newest.get(row.symbol, 0), row.trade_id)
        return newest

    def true_ids(self) -> dict[str, int]:
        """Return the newest trade that the exchange has of each symbol."""
        market = self._exchange.market
        ids: dict[str, int] = {}
        for symbol in self._session.symbols:
            newest = market.tape(symbol).newest(market.visible_ms, 1)
            if len(newest):
                ids[symbol] = int(newest["trade_id"][0])
        return ids

    async def until(self, is_so: Callable[[], bool], within_s: float) -> bool:
        """Wait for a snapshot that shows it; return whether it came in time."""
        try:
            async with asyncio.timeout(within_s):
                while not is_so():
                    self._seen.clear()
                    await self._seen.wait()
        except TimeoutError:
            return is_so()
        return True

    def shows(self, states: tuple[str, ...], words: str) -> bool:
        said = " ".join((self.status.reason, *self.status.notes))
        return self.status.state in states and re.search(words, said) is not None

    def _look(self, _change: Any = None) -> None:
        now_s, status = time.monotonic(), self.status
        if not self.states or self.states[-1][1:] != (status.state, status.reason):
            self.states.append((now_s, status.state, status.reason))
        if hasattr(self._exchange, "market"):
            self._compare(now_s, status)
        self._seen.set()

    def _compare(self, now_s: float, status: Status) -> None:
        self._there.append((now_s, self.true_ids()))
        while len(self._there) > 1 and self._there[1][0] <= now_s - OLDEST_S:
            self._there.popleft()
        if status.state not in WELL:
            return
        # A quiet stream brought nothing because there was nothing; that is held against the exchange below.
        ages = {each.name: each.age_s for each in status.streams if each.state != "quiet"}
        if any("@aggTrade" in name for name in ages):
            ages["the newest trade"] = status.last_trade_age_s
        for name, age_s in ages.items():
            if age_s is not None and age_s > OLDEST_S:
                self.lies.append(f"{status.state}, and {name} is {age_s:.2f} s old")
        then_s, there = self._there[0]
        if then_s <= now_s - OLDEST_S:
            newest = self.newest_ids()
            for symbol, trade_id in there.items():
                if newest.get(symbol, 0) < trade_id:
                    missing = trade_id - newest.get(symbol, 0)
                    self.lies.append(f"{status.state}, and {missing} trades of {symbol} are not there")
