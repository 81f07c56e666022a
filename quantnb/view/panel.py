"""What our small panels share: a widget of the live protocol that reads the session's snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantnb.view.lease import Lease
from quantnb.view.protocol import LiveWidget

if TYPE_CHECKING:
    from quantnb.session import Session

__all__ = ["Panel"]


class Panel(LiveWidget):
    """A widget that may have something new to say whenever the session has a new snapshot."""

    def __init__(self, session: Session, *, lease: Lease | None = None) -> None:
        self.session = session
        super().__init__(lease=lease)
        session.observe(self._on_snapshot, "snapshot")

    def close(self) -> None:
        """Stop observing the session and close the widget."""
        self.session.unobserve(self._on_snapshot, "snapshot")
        super().close()

    def _on_snapshot(self, _change: object) -> None:
        self.publish()
