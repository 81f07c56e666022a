"""What happened lately, in sentences: each is shown for a while, and the last twenty are kept."""

from __future__ import annotations

from collections import deque

__all__ = ["Notes"]

SHOWN_NS = 10_000_000_000
KEPT = 20
LONGEST = 300


class Notes:
    """Takes notes without a time and gives them one at the next look."""

    def __init__(self) -> None:
        self._new: deque[str] = deque(maxlen=KEPT)
        self._kept: deque[tuple[int, str]] = deque(maxlen=KEPT)  # the newest first

    def add(self, text: str) -> None:
        """Take a note; said again, the newest one only stays longer."""
        self._new.append(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")

    def look(self, now_ns: int) -> None:
        """Begin to show the notes taken since the last look."""
        for text in self._new:
            if self._kept and self._kept[0][1] == text:
                self._kept.popleft()
            self._kept.appendleft((now_ns, text))
        self._new.clear()

    def shown(self, now_ns: int) -> list[str]:
        """Return the notes of the last ten seconds, the newest first."""
        return [text for at_ns, text in self._kept if now_ns - at_ns < SHOWN_NS]

    def kept(self) -> tuple[str, ...]:
        """Return the last twenty, the newest first."""
        return tuple(text for _, text in self._kept)
