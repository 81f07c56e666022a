"""One deadline for all requests to an exchange that told us to wait, remembered across kernel restarts.

Sockets and REST share it: Binance counts both against one address, and who asks again before the end is
banned for longer. A deadline is kept on the monotonic clock; the file holds it on the wall's, with the
moment it was set, so that a clock that was set back in between cannot make a ban longer than it was.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

import msgspec
import platformdirs

from quantnb.feed.routes import LIVE, TESTNET, Endpoints
from quantnb.live.clock import Clock

__all__ = ["LONGEST_S", "Ban", "ban_path"]

LONGEST_S = 3 * 86_400.0  # Binance's longest ban; a file or header that says more is wrong


class _Kept(msgspec.Struct, frozen=True):
    set_ns: int
    until_ns: int
    reason: str


class Ban:
    """When an exchange may be asked again.

    Parameters
    ----------
    clock : Clock
        Gives the time.
    path : Path, optional
        Where it is kept; nowhere if not given. A file that cannot be read or written is no fault: the
        deadline then holds for this process alone.

    Attributes
    ----------
    reason : str
        A sentence that says why; empty before the first ban.
    """

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self.reason = ""
        self._clock = clock
        self._path = path
        self._until_ns = 0  # on the monotonic clock
        self._known: _Kept | None = None

    @classmethod
    def of(cls, endpoints: Endpoints, clock: Clock) -> Ban:
        """Return that of an exchange, kept in the user's cache directory where it is one of Binance's own."""
        return cls(clock, ban_path(endpoints))

    def remaining_s(self) -> float:
        """Return for how long nothing may be asked; 0 where there is no ban."""
        self._load()
        return max(0.0, (self._until_ns - self._clock.now().monotonic_ns) / 1e9)

    def set(self, seconds: float, reason: str) -> None:
        """Ask nothing for so long from now on; a ban that lasts longer already stays as it is."""
        seconds = min(max(seconds, 0.0), LONGEST_S)
        if seconds <= self.remaining_s():
            return
        now, length_ns = self._clock.now(), round(seconds * 1e9)
        self._until_ns, self.reason = now.monotonic_ns + length_ns, reason
        self._known = _Kept(now.wall_ns, now.wall_ns + length_ns, reason)
        self._save(self._known)

    def _load(self) -> None:
        """Take over what another process, or this kernel before its restart, was told."""
        if self._path is None:
            return
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (OSError, ValueError, msgspec.MsgspecError):
            return
        if kept == self._known:
            return
        self._known = kept
        now = self._clock.now()
        left_ns = min(kept.until_ns - now.wall_ns, kept.until_ns - kept.set_ns, round(LONGEST_S * 1e9))
        if left_ns > 0 and now.monotonic_ns + left_ns > self._until_ns:
            self._until_ns, self.reason = now.monotonic_ns + left_ns, kept.reason

    def _save(self, kept: _Kept) -> None:
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=self._path.name, dir=self._path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.json.encode(kept))
                Path(name).replace(self._path)  # whole or not at all
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise


def ban_path(endpoints: Endpoints) -> Path | None:
    """Return where the ban of one of Binance's own hosts is kept; None for any other exchange."""
    if endpoints.websocket_base not in (LIVE.websocket_base, TESTNET.websocket_base):
        return None
    host = re.sub(r"[^a-z0-9.]", "-", endpoints.websocket_base.partition("://")[2])
    return platformdirs.user_cache_path("quantnb") / f"ban-{host}.json"
