"""Widgets are made once: a session and its page hold the same after hundreds of changes of settings."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import pytest
from ipywidgets import Widget
from ipywidgets.widgets.widget import _instances

from quantnb.engine import engine, instrument
from quantnb.events import Trade
from quantnb.session import Session
from quantnb.view import Page
from quantnb.view.lease import Lease
from quantnb.view.protocol import Live
from tests.view.browser_stub import Clock

START_NS, SECOND_NS = 1_790_000_000_000_000_000, 1_000_000_000
A, B, C, D = "BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"
SETTINGS = [
    {"symbols": (A, B, C), "pair": (B, A)},
    {"timeframe": "5s"},
    {"symbols": (A, B, C, D), "pair": (D, A)},
    {"window": 30},
    {"pair": (A, C)},
    {"timeframe": "1s"},
    {"symbols": (A, C), "pair": (A, C)},
    {"symbols": (D, C, B, A)},
    {"window": 20},
    {"symbols": (B, A), "pair": (B, A)},
]
N_CHANGES, N_WARM = 500, 60


class Desk:
    """A session, its whole page, and a browser that answers each message at once; time is told."""

    def __init__(self, lease: Lease, clock: Clock) -> None:
        self._lease, self._clock = lease, clock
        self._second = 0
        self._ids = Counter((A, B, C, D))
        before = set(_instances)
        self.session = Session((A, B, C), window=20, feed="sim")
        self.page = Page(self.session, lease=Lease(clock=Clock()))  # whom nobody signs: no feed starts
        self.widgets: list[Widget] = [_instances[key] for key in set(_instances) - before]
        self._unanswered: list[tuple[Any, int]] = []
        for widget in self.widgets:
            if isinstance(widget, Live):
                self._show(widget)

    def _show(self, widget: Any) -> None:
        def hear(content: dict[str, Any], buffers: object = None) -> None:
            if "seq" in content:
                self._unanswered.append((widget, content["seq"]))

        widget.send = hear
        widget._handle_custom_msg({"kind": "hello", "client": "browser"}, [])

    def trade(self, n_seconds: int = 3) -> None:
        """Let a few seconds of trades of all symbols pass."""
        for _ in range(n_seconds):
            self._second += 1
            now_ns = START_NS + self._second * SECOND_NS
            for k, symbol in enumerate(self._ids):
                self._ids[symbol] += 1
                price = 100.0 * (k + 1) + (self._second * (k + 3) % 17) / 10
                at_ns = (now_ns, now_ns + SECOND_NS // 10, now_ns + SECOND_NS // 10)
                self.session._engine.receive(Trade(symbol, self._ids[symbol], price, 1.0, False, *at_ns))

    async def look(self) -> None:
        """Let the page show what there is, until there is nothing more to show."""
        self.session._take_snapshot()
        for _ in range(100):
            self._clock.now_s += 1.0
            self._lease.outbox.flush()
            await asyncio.sleep(0)
            while self._unanswered:
                widget, seq = self._unanswered.pop()
                widget._handle_custom_msg({"kind": "ack", "client": "browser", "seq": seq}, [])
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:  # a chart that is computed in a thread
                await asyncio.wait(others)
            elif not self._lease.outbox._waiting and not self._unanswered:
                return
        raise AssertionError("the page does not come to rest")

    async def change(self, settings: dict[str, Any]) -> None:
        with self.session.hold_trait_notifications():
            for name, value in settings.items():
                setattr(self.session, name, value)
        self.trade()
        await self.look()

    def held(self) -> Counter[str]:
        """Count what must not grow."""
        gc.collect()
        observed = [self.session, *self.widgets]
        return Counter(
            widgets=len(_instances),
            observers=sum(
                len(handlers)
                for one in observed
                for by_type in one._trait_notifiers.values()
                for handlers in by_type.values()
            ),
            callbacks=sum(len(each._msg_callbacks.callbacks) for each in self.widgets),
            beats=len(self._lease._on_beat),
            waiting=len(self._lease.outbox._waiting),
            tasks=len(asyncio.all_tasks()),
        )


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    clock = Clock()
    lease = Lease(clock=clock)
    monkeypatch.setattr("quantnb.view.protocol.kernel_lease", lambda: lease)
    monkeypatch.setattr(instrument, "TRADES_KEPT", 400)  # so that all that is bounded is full soon
    for module in (instrument, engine):
        monkeypatch.setattr(module, "BARS_KEPT", 100)
    made = Desk(lease, clock)
    yield made
    for widget in made.widgets:
        widget.close()


@pytest.mark.timeout(300)
async def test_500_changes_of_settings_leave_nothing_behind(desk: Desk) -> None:
    changes = cycle(SETTINGS)
    for settings in islice(changes, N_WARM):
        await desk.change(settings)
    before, n_objects = desk.held(), len(gc.get_objects())
    for settings in islice(changes, N_CHANGES):
        await desk.change(settings)
    assert desk.held() == before
    n_more = len(gc.get_objects()) - n_objects
    assert n_more < N_CHANGES / 10, f"{n_more} objects more after {N_CHANGES} changes"
