"""What our small panels share: a widget of the live protocol that reads the session's snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantnb.view.lease import Lease
from quantnb.view.protocol import LiveWidget
from quantnb.view.watching import Watching

if TYPE_CHECKING:
    from quantnb.session import Session

__all__ = ["Panel"]


class Panel(Watching, LiveWidget):
    """A widget that may have something new to say whenever the session has a new snapshot."""

    def __init__(self, session: Session, *, lease: Lease | None = None) -> None:
        self.session = session
        super().__init__(lease=lease)
        self.watch(self._on_snapshot, "snapshot")

    def _on_snapshot(self, _change: object) -> None:
        self.publish()
