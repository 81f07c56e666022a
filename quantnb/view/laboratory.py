"""The pair laboratory: a study of the pair on request, in words first, and of which bars it is.

Nothing is computed before somebody asks, and what is computed runs in a thread: the event loop holds the live
feed. There is one result for all browsers, so that a reload and a second tab show the same.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from quantnb.stats import PairStudy, study_pair
from quantnb.stats.timeframes import timeframe_ns
from quantnb.view.assets import css, esm
from quantnb.view.lease import Lease
from quantnb.view.message import sentence_of
from quantnb.view.panel import Panel
from quantnb.view.protocol import Frame
from quantnb.view.study_text import study_data

if TYPE_CHECKING:
    from quantnb.session import Session
    from quantnb.snapshot import Snapshot
    from quantnb.stats.lines import Prices

__all__ = ["Laboratory"]


@dataclass(frozen=True, slots=True)
class _Result:
    """A study, and of which bars it is."""

    settings: dict[str, Any]
    end_ns: int
    is_simulated: bool
    study: PairStudy

    @property
    def words(self) -> str:
        """Say of which bars it is."""
        y, x = self.settings["pair"]
        end = datetime.fromtimestamp(self.end_ns / 1e9, UTC)
        bars = f"{2 * self.study.window} bars of {self.settings['timeframe']} to {end:%H:%M:%S} UTC"
        prices = "log prices" if self.study.prices == "log" else "prices"
        market = "SIMULATED: " if self.is_simulated else ""
        return f"{market}{y}/{x}, {bars}, {prices}; y is {y}, x is {x}."

    def otherness(self, now: Snapshot) -> str:
        """Say which of the session's settings have changed since; empty where none has."""
        changed = [name for name, value in _settings(now).items() if value != self.settings[name]]
        return f"Of another {' and '.join(changed)}; run it again." if changed else ""


def _settings(snapshot: Snapshot) -> dict[str, Any]:
    return {name: getattr(snapshot, name) for name in ("pair", "timeframe", "window")}


class Laboratory(Panel):
    """The panel in which a pair is studied."""

    _esm = esm("dom.js", "laboratory.js")
    _css = css("tokens.css", "laboratory.css")

    def __init__(self, session: Session, *, lease: Lease | None = None) -> None:
        self._result: _Result | None = None
        self._failure = ""
        self._task: asyncio.Task[_Result | str] | None = None
        super().__init__(session, lease=lease)

    def close(self) -> None:
        """Forget what is being computed and close the widget."""
        if self._task is not None:
            self._task.cancel()
        super().close()

    def frame(self, cursor: tuple[object, ...] | None) -> Frame | None:
        """Return the newest result, whole: it changes only when somebody asks for another."""
        snapshot, result = self.session.snapshot, self._result
        otherness = result.otherness(snapshot) if result else ""
        shown = (snapshot.pair, self._task is not None, self._failure, result, otherness)
        if shown == cursor:
            return None
        data: dict[str, Any] = {
            "pair": "/".join(snapshot.pair),
            "is_busy": self._task is not None,
            "failure": self._failure,
            "result": None,
        }
        if result is not None:
            data["result"] = {"of": result.words, "stale": otherness, **study_data(result.study)}
        return Frame(data, shown)

    def receive(self, client: str, content: dict[str, Any]) -> None:
        """Start the study that a browser asks for; while one runs, nobody starts another."""
        match content:
            case {"kind": "run", "prices": "level" | "log" as prices} if self._task is None:
                study = _study(self.session.snapshot, prices)
                self._task = asyncio.get_running_loop().create_task(study, name="quantnb laboratory")
                self._task.add_done_callback(self._end)
                self.publish()

    def _end(self, task: asyncio.Task[_Result | str]) -> None:
        """Show what came of it; one that another cell has cancelled leaves things as they were."""
        self._task = None
        if not task.cancelled():
            outcome = task.result()
            if isinstance(outcome, str):
                self._failure = outcome
            else:
                self._failure, self._result = "", outcome
        self.publish()


async def _study(snapshot: Snapshot, prices: Prices) -> _Result | str:
    """Study the bars of a snapshot in a thread; return the sentence why not where that fails."""
    columns, window = snapshot.pair_series.columns, snapshot.window
    try:
        study = await asyncio.to_thread(study_pair, columns["y"], columns["x"], window, prices=prices)
    except Exception as error:
        return f"{'/'.join(snapshot.pair)}: {sentence_of(error)}"
    end_ns = int(snapshot.pair_series.time_ns[-1]) + timeframe_ns(snapshot.timeframe)
    return _Result(_settings(snapshot), end_ns, snapshot.status.is_simulated, study)
