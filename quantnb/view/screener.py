"""The screener: all pairs of a universe tested, and any of them made the session's pair by a click.

One scan at a time. It lives in the kernel: a second tab, or one that was reloaded, sees how far it is, or
what the last one found.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from quantnb.errors import InvalidSettingError, choices
from quantnb.screening import KLINE_TIMEFRAMES, Progress
from quantnb.view.assets import css, esm
from quantnb.view.lease import Lease
from quantnb.view.message import sentence_of
from quantnb.view.panel import Panel
from quantnb.view.protocol import Frame

if TYPE_CHECKING:
    import pandas as pd

    from quantnb.session import Session
    from quantnb.stats import ScanResult

__all__ = ["MAX_ROWS", "Screener"]

UNIVERSES = ("all", "watched")
MIN_BARS, MAX_BARS = 100, 1_000
MAX_ROWS = 300
_NUMBERS = ("statistic", "pvalue", "qvalue", "half_life", "hedge_ratio", "zscore", "liquidity")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What to scan, checked."""

    universe: str = "all"
    timeframe: str = "1m"
    n_bars: int = 200

    def __post_init__(self) -> None:
        if self.universe not in UNIVERSES:
            raise InvalidSettingError(f"The universe is {choices(UNIVERSES)}, not {self.universe!r}.")
        if self.timeframe not in KLINE_TIMEFRAMES:
            raise InvalidSettingError(f"The timeframe of a scan is {choices(KLINE_TIMEFRAMES)}.")
        if type(self.n_bars) is not int or not MIN_BARS <= self.n_bars <= MAX_BARS:
            raise InvalidSettingError(f"Bars are a whole number from {MIN_BARS} to {MAX_BARS:,}.")


class Screener(Panel):
    """Chooses a universe, scans it and shows the best pairs.

    Attributes
    ----------
    result : ScanResult or None
        What the last scan found, whole.
    """

    _esm = esm("dom.js", "screener.js")
    _css = css("tokens.css", "screener.css")

    def __init__(self, session: Session, *, lease: Lease | None = None) -> None:
        self.result: ScanResult | None = None
        self._asked = _Asked()
        self._task: asyncio.Task[tuple[ScanResult, dict[str, Any]]] | None = None
        self._progress: Progress | None = None
        self._note = ("", "info")  # how the last scan ended, where it found nothing
        self._table: dict[str, Any] | None = None
        super().__init__(session, lease=lease)
        self.watch(self._forget, "feed")

    def close(self) -> None:
        """Cancel what runs and close the widget."""
        self._drop_task()
        super().close()

    def frame(self, cursor: tuple[dict[str, Any], object] | None) -> Frame | None:
        """Return what stands above the table; the table itself where the browser has another one."""
        head, table = self._head(), self._table
        if cursor is not None and cursor[0] == head and cursor[1] is table:
            return None
        is_new = cursor is None or cursor[1] is not table
        return Frame(head | ({"table": table} if is_new else {}), (head, table))

    def receive(self, client: str, content: dict[str, Any]) -> None:
        """Scan, cancel, or take a pair; a refusal goes back to the browser that asked."""
        try:
            text = self._obey(content)
        except Exception as error:
            self.send_to(client, {"kind": "said", "text": sentence_of(error), "level": "error"})
        else:
            self.send_to(client, {"kind": "said", "text": text, "level": "info"})
            self.publish()

    def _head(self) -> dict[str, Any]:
        progress, (note, level) = self._progress, self._note
        return {
            "n_all": len(self.session.known_symbols),
            "n_watched": len(self.session.symbols),
            "pair": list(self.session.pair),
            "asked": asdict(self._asked),
            "is_running": self._task is not None,
            "progress": progress and {"n": progress.n_done, "of": progress.n_all, "words": progress.words},
            "note": note,
            "level": level,
        }

    def _obey(self, content: dict[str, Any]) -> str:
        match content:
            case {"kind": "scan", "universe": universe, "timeframe": timeframe, "n_bars": n_bars}:
                self._start(_Asked(universe, timeframe, n_bars))
            case {"kind": "cancel"} if self._task is not None:
                self._task.cancel()
            case {"kind": "use_pair", "y": str(y), "x": str(x)}:
                return self._use(y, x)
        return ""

    def _use(self, y: str, x: str) -> str:
        self.session.use_pair(y, x)
        text = f"{y}/{x} is the session's pair now."
        if self._table is None or self._table["timeframe"] == self.session.timeframe:
            return text
        scanned = self._table["timeframe"]
        return f"{text} The charts show bars of {self.session.timeframe}, the scan was of {scanned}."

    # The scan -----------------------------------------------------------------------------------------

    def _start(self, asked: _Asked) -> None:
        if self._task is not None:
            raise InvalidSettingError("A scan is under way already; cancel it first.")
        self._asked, self._note, self._progress = asked, ("", "info"), Progress(0, 0)
        self._task = asyncio.get_running_loop().create_task(self._scan(asked), name="quantnb scan")
        self._task.add_done_callback(self._end)

    async def _scan(self, asked: _Asked) -> tuple[ScanResult, dict[str, Any]]:
        symbols = None if asked.universe == "all" else self.session.symbols
        result = await self.session.scan(symbols, asked.timeframe, asked.n_bars, on_progress=self._show)
        return result, await asyncio.to_thread(_table, result, asked)

    def _show(self, progress: Progress) -> None:
        if self._task is not None:
            self._progress = progress
            self.publish()

    def _end(self, task: asyncio.Task[tuple[ScanResult, dict[str, Any]]]) -> None:
        """Take in what became of the scan; of one that was dropped, nothing."""
        if task is not self._task:
            if not task.cancelled():
                task.exception()
            return
        progress, self._progress, self._task = self._progress, None, None
        if task.cancelled():
            done = f" at {progress.n_done:,} of {progress.n_all:,} symbols" if progress else ""
            self._note = (f"The scan was cancelled{done}.", "info")
        elif isinstance(error := task.exception(), Exception):
            self._note = (sentence_of(error), "error")
        else:
            self.result, self._table = task.result()
        self.publish()

    def _forget(self, _change: object) -> None:
        """Forget everything of another exchange."""
        is_news = self._task is not None or self._table is not None
        self._drop_task()
        self.result = self._table = None
        self._note = ("The feed has changed: scan again.", "info") if is_news else ("", "info")
        self.publish()

    def _drop_task(self) -> None:
        task, self._task, self._progress = self._task, None, None
        if task is not None:
            task.cancel()


def _table(result: ScanResult, asked: _Asked) -> dict[str, Any]:
    """Return the best rows, and what they rest on."""
    best = result.pairs.head(MAX_ROWS).dropna(subset="statistic")
    origin = result.pairs.attrs
    return {
        "words": result.words,
        "timeframe": asked.timeframe,
        "n_bars": result.n,
        "n_tests": result.n_tests,
        "critical": result.critical_values["5%"],
        "until": origin.get("until_ms"),
        "is_simulated": bool(origin.get("is_simulated")),
        "left_out": sorted(origin.get("left_out", {}).items()),
        "rows": {
            "y": best["y"].tolist(),
            "x": best["x"].tolist(),
            **{name: _numbers(best, name) for name in _NUMBERS},
        },
    }


def _numbers(table: pd.DataFrame, name: str) -> list[float | None]:
    """Return a column to six digits; None where there is no number, or no end to it."""
    if name not in table:
        return [None] * len(table)
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in table[name].tolist()]
