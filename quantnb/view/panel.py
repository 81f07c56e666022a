"""What our small panels share: a widget of the live protocol that reads the session's snapshots."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from quantnb.view.lease import Lease
from quantnb.view.protocol import LiveWidget

if TYPE_CHECKING:
    from quantnb.session import Session

__all__ = ["Panel"]


class Panel(LiveWidget):
    """A widget that may have something new to say whenever the session has a new snapshot."""

    def __init__(self, session: Session, *, lease: Lease | None = None) -> None:
        self.session = session
        self._watched: list[tuple[Callable[[Any], None], str]] = []
        super().__init__(lease=lease)
        self.watch(self._on_snapshot, "snapshot")

    def watch(self, handler: Callable[[Any], None], name: str) -> None:
        """Call ``handler`` when a trait of the session changes, until the widget is closed."""
        self.session.observe(handler, name)
        self._watched.append((handler, name))

    def close(self) -> None:
        """Stop observing the session and close the widget."""
        while self._watched:
            self.session.unobserve(*self._watched.pop())
        super().close()

    def _on_snapshot(self, _change: object) -> None:
        self.publish()
