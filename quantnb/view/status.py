"""How the feed is: state, reason, rate, age of the last trade and lag, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quantnb.view.assets import css, esm
from quantnb.view.panel import Panel
from quantnb.view.protocol import Frame

if TYPE_CHECKING:
    from quantnb.snapshot import Snapshot

__all__ = ["Status"]


class Status(Panel):
    """The status bar. It also says when the kernel itself is gone, which only the browser can know."""

    _esm = esm("dom.js", "status.js")
    _css = css("tokens.css", "status.css")

    def frame(self, cursor: Snapshot | None) -> Frame | None:
        """Return the newest status. Between frames the browser counts the ages up by itself."""
        snapshot = self.session.snapshot
        if snapshot is cursor:
            return None
        status = snapshot.status
        data: dict[str, Any] = {
            "state": status.state,
            "feed": status.feed,
            "reason": status.reason,
            "simulated": status.is_simulated,
            "rate": status.trades_per_s,
            "age": status.last_trade_age_s,
            "lag": status.lag_ms,
            "retry": status.retry_in_s,
            "counts": dict(status.counts),
        }
        return Frame(data, snapshot)
