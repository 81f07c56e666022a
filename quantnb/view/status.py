"""How the feed is: state, reason, rate, age, lag and coverage in one line, and all there is behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quantnb.view.assets import css, esm
from quantnb.view.ledger import coverage_words, details
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


class Status(Panel):
    """The status bar. It also says when the kernel itself is gone, which only the browser can know.

    The gap ledger, the streams, the counts and the notes are sent only to browsers that have them open.
    """

    _esm = esm("dom.js", "details.js", "status.js")
    _css = css("tokens.css", "status.css", "details.css")

    def __init__(self, session: Session, *, lease: Lease | None = None) -> None:
        self._readers: set[str] = set()  # browsers that have the details open
        super().__init__(session, lease=lease)

    def frame(self, cursor: _Cursor | None) -> Frame | None:
        """Return what has changed in the bar. Between frames the browser counts the ages up by itself."""
        return self._news(cursor, with_details=False)

    def frame_for(self, client: str, cursor: _Cursor | None) -> Frame | None:
        """Return one browser's frame, with the details if it has them open."""
        return self._news(cursor, with_details=client in self._readers)

    def receive(self, client: str, content: dict[str, Any]) -> None:
        """Note whether a browser has opened or closed its details."""
        match content:
            case {"kind": "details", "open": True}:
                self._readers = {client, *(self._readers & self._clients.keys())}
            case {"kind": "details", "open": False}:
                self._readers.discard(client)
            case _:
                return
        self.publish()

    def _news(self, cursor: _Cursor | None, *, with_details: bool) -> Frame | None:
        """Return what differs; a frame may be empty, for it also says that the kernel is there."""
        snapshot = self.session.snapshot
        told = {} if cursor is None else cursor.told
        if cursor is not None and snapshot is cursor.snapshot and with_details == ("ledger" in told):
            return None
        now = self._bar(snapshot) | (details(snapshot.status) if with_details else {})
        changed = {name: value for name, value in now.items() if name not in told or told[name] != value}
        return Frame(changed, _Cursor(snapshot, now))

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
