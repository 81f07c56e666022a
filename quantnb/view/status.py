"""How the feed is: state, reason, rate, age, lag and coverage in one line, and all there is behind it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from quantnb.latency import Window
from quantnb.view.assets import css, esm
from quantnb.view.ledger import coverage_words, details, latency_row
from quantnb.view.panel import Panel
from quantnb.view.protocol import Frame

if TYPE_CHECKING:
    from quantnb.session import Session
    from quantnb.snapshot import Snapshot
    from quantnb.view.lease import Lease

__all__ = ["Status"]


@dataclass(frozen=True, slots=True)
class _Cursor:
    snapshot: Snapshot
    told: dict[str, Any]


@dataclass(slots=True)
class _Reader:
    """A browser that has the details open, and how long it takes until it answers to a new snapshot.

    Before it answers it has the snapshot: so much can be known of the way there, whatever its clock says.
    """

    answers: Window = field(default_factory=Window)
    computed_ns: int | None = None  # when the snapshot was complete that it has not answered yet


class Status(Panel):
    """The status bar. It also says when the kernel itself is gone, which only the browser can know.

    What stands behind it (the gap ledger, the streams, the counts, the latency and the notes) is sent only to
    browsers that have it open.
    """

    _esm = esm("clock.js", "dom.js", "latency.js", "details.js", "status.js")
    _css = css("tokens.css", "status.css", "details.css")

    def __init__(self, session: Session, *, lease: Lease | None = None) -> None:
        self._readers: dict[str, _Reader] = {}
        super().__init__(session, lease=lease)

    def frame(self, cursor: _Cursor | None) -> Frame | None:
        """Return what has changed in the bar. Between frames the browser counts the ages up by itself."""
        return self._news(cursor, None)

    def frame_for(self, client: str, cursor: _Cursor | None) -> Frame | None:
        """Return one browser's frame, with the details if it has them open."""
        reader = self._readers.get(client)
        frame = self._news(cursor, reader)
        if reader is not None:
            is_new = cursor is not None and cursor.snapshot is not self.session.snapshot
            reader.computed_ns = self.session.computed_ns if is_new else None
        return frame

    def receive(self, client: str, content: dict[str, Any]) -> None:
        """Note whether a browser has opened or closed its details."""
        match content:
            case {"kind": "details", "open": True}:
                kept = {name: each for name, each in self._readers.items() if name in self._clients}
                self._readers = {client: _Reader(), **kept}
            case {"kind": "details", "open": False}:
                self._readers.pop(client, None)
            case _:
                return
        self.publish()

    def _acknowledge(self, name: str, seq: object) -> None:
        reader = self._readers.get(name)
        if reader is not None and reader.computed_ns is not None and seq == self._clients[name].seq:
            now_ns = time.time_ns()
            reader.answers.add(now_ns, (now_ns - reader.computed_ns) / 1e6)
            reader.computed_ns = None
        super()._acknowledge(name, seq)

    def _news(self, cursor: _Cursor | None, reader: _Reader | None) -> Frame | None:
        """Return what differs; a frame may be empty, for it also says that the kernel is there."""
        snapshot = self.session.snapshot
        told = {} if cursor is None else cursor.told
        if cursor is not None and snapshot is cursor.snapshot and (reader is not None) == ("ledger" in told):
            return None
        now = self._bar(snapshot)
        if reader is not None:
            now |= details(snapshot.status, snapshot.memory) | {"latency": self._latency(reader)}
        changed = {name: value for name, value in now.items() if name not in told or told[name] != value}
        return Frame(changed, _Cursor(snapshot, now))

    def _latency(self, reader: _Reader) -> dict[str, list[float | None]]:
        """Return the percentiles of each part of the way; what a browser does after it, that one knows."""
        parts = {**self.session.latency(), "answered": reader.answers.percentiles(time.time_ns())}
        return {name: latency_row(found) for name, found in parts.items()}

    def _bar(self, snapshot: Snapshot) -> dict[str, Any]:
        status = snapshot.status
        return {
            "state": status.state,
            "feed": status.feed,
            "reason": status.reason,
            "simulated": status.is_simulated,
            "running": self.session.running,
            "rate": status.trades_per_s,
            "age": status.last_trade_age_s,
            "lag": status.lag_ms,
            "retry": status.retry_in_s,
            "coverage": coverage_words(status.coverage),
            "history": status.history,
        }
