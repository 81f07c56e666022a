"""One session: observable settings, a feed that starts and stops, rules, and files."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from quantnb import export, frames
from quantnb.alerts import Rule
from quantnb.engine import Engine, Settings
from quantnb.engine.preview import preview_inputs
from quantnb.engine.settings import MAX_SYMBOLS, MEMORY_MB, TAKER_FEE_BP, as_symbols, check_symbols
from quantnb.errors import FeedError, InvalidSettingError
from quantnb.guard import Guarded
from quantnb.knowledge import Knowledge
from quantnb.latency import Latency
from quantnb.live.choose import check_feed
from quantnb.screening import Screening
from quantnb.source import Source

if TYPE_CHECKING:
    from quantnb.alerts import AlertKind, Severity
    from quantnb.engine.preview import PreviewInputs, RulePreview

__all__ = ["Session"]

SNAPSHOT_INTERVAL_S = 0.25
RESTART_AFTER_S = 0.5


_OF_ENGINE = ("symbols", "pair", "timeframe", "window", "taker_fee_bp", "memory_mb")
_SETTINGS = frozenset({*_OF_ENGINE, "feed"})


class _SettingError(InvalidSettingError, traitlets.TraitError):
    """Makes traitlets take several settings back together when one of them is wrong."""


class Session(Knowledge, Screening, traitlets.HasTraits):
    """A feed, an engine and their settings, in the event loop of the kernel.

    Parameters
    ----------
    symbols : sequence of str, optional
        USD-M perpetuals to watch; ``QUANTNB_SYMBOLS`` (comma-separated) where not given, else BTCUSDT,
        ETHUSDT and SOLUSDT.
    pair : tuple of str, optional
        (y, x): the legs of the spread; the second and the first symbol where not given.
    timeframe : {"1s", "5s", "30s", "1m", "5m", "15m"}
        Length of a bar.
    window : int
        Bars in every rolling statistic, 20 to 1000.
    taker_fee_bp : float
        What a taker order costs, in basis points of its value; for the expected edge.
    memory_mb : float
        What the trades of all symbols together may take, in 10^6 bytes (64 hold about two million); beyond it
        the oldest go.
    feed : str, optional
        ``"auto"`` (Binance, or the local exchange where it cannot be reached), ``"live"``, ``"testnet"``,
        ``"sim"``, or the address of an exchange (``"ws://127.0.0.1:8765"``); ``QUANTNB_FEED`` where not
        given.

    Raises
    ------
    InvalidSettingError
        For a setting that cannot be used; the message names the valid ones.

    Notes
    -----
    `symbols`, `pair`, `timeframe`, `window`, `taker_fee_bp` and `memory_mb` are traits: they can be observed,
    and changed while the session runs. `running`, `snapshot`, `known_symbols` and `preview` (of a
    rule) are traits to observe only.
    """

    symbols = traitlets.Any()
    pair = traitlets.Any()
    timeframe = traitlets.Any()
    window = traitlets.Any()
    taker_fee_bp = traitlets.Any()
    memory_mb = traitlets.Any()
    feed = traitlets.Any()
    running = traitlets.Bool(False, read_only=True)
    snapshot = traitlets.Any(read_only=True)
    known_symbols = traitlets.Tuple(read_only=True)
    preview = traitlets.Any(None, allow_none=True, read_only=True)

    def __init__(
        self,
        symbols: Any = None,
        pair: Any = None,
        timeframe: str = "1s",
        window: int = 50,
        taker_fee_bp: float = TAKER_FEE_BP,
        feed: str | None = None,
        memory_mb: float = MEMORY_MB,
        **unknown: Any,
    ) -> None:
        if unknown:
            raise TypeError(
                f"Session has no setting {', '.join(map(repr, unknown))}; "
                "its settings are symbols, pair, timeframe, window, taker_fee_bp, memory_mb and feed."
            )
        symbols = as_symbols(symbols or os.environ.get("QUANTNB_SYMBOLS") or "BTCUSDT,ETHUSDT,SOLUSDT")
        check_symbols(symbols)
        pair = tuple(pair) if pair is not None else (symbols[1], symbols[0])
        feed = check_feed(feed or os.environ.get("QUANTNB_FEED") or "auto")
        settings = Settings(symbols, pair, timeframe, window, taker_fee_bp, memory_mb)
        self._engine = Engine(settings)
        self._source = Source(
            settings,
            on_event=self._engine.receive,
            on_listed=self._show_listed,
            on_exchange=self._engine.clear,
        )
        self._latency = Latency()
        self._task: asyncio.Task[None] | None = None
        super().__init__(
            symbols=symbols,
            pair=pair,
            timeframe=timeframe,
            window=window,
            taker_fee_bp=taker_fee_bp,
            memory_mb=memory_mb,
            feed=feed,
        )
        self._take_snapshot()

    def __repr__(self) -> str:
        state = self.snapshot.status.state
        return (
            f"<Session {'/'.join(self.pair)} of {', '.join(self.symbols)}; "
            f"{self.timeframe} × {self.window}; {self.feed}: {state}>"
        )

    def observe(self, handler: Any, names: Any = traitlets.All, type: Any = "change") -> None:
        """Call ``handler`` when a trait changes; one that raises is shown once and never stops the feed.

        Where settings alone are observed, what a handler raises reaches whoever set the trait, as traitlets
        has it.
        """
        watches_feed = names is traitlets.All or not _SETTINGS.issuperset(
            [names] if isinstance(names, str) else names
        )
        if watches_feed and not isinstance(handler, traitlets.EventHandler | Guarded):
            handler = Guarded(handler, self._source.note)
        super().observe(handler, names, type)

    # Settings -----------------------------------------------------------------------------------------

    @traitlets.validate(*_OF_ENGINE)
    def _check_setting(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        try:
            if name in ("symbols", "pair"):
                value = as_symbols(value)
            Settings(**(self._settings() | {name: value}))
            if name == "symbols":
                self._source.check_listed(value)
        except InvalidSettingError as error:
            raise _SettingError(str(error)) from None
        return value

    @traitlets.validate("feed")
    def _check_feed(self, proposal: Any) -> str:
        if self.running:
            raise _SettingError("The feed does not change while a session runs; stop it first.")
        try:
            return check_feed(proposal["value"])
        except InvalidSettingError as error:
            raise _SettingError(str(error)) from None

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _OF_ENGINE}

    @traitlets.observe(*_OF_ENGINE)
    def _apply_settings(self, _change: Any) -> None:
        settings = Settings(**self._settings())
        if settings != self._engine.settings:
            self._engine.configure(settings)
            self._source.use(settings)
            self.show_preview(None)
            self._take_snapshot()

    @traitlets.observe("feed")
    def _change_exchange(self, _change: Any) -> None:
        self._source.forget()

    def _show_listed(self) -> None:
        listed = self._source.listed
        self._engine.use_funding_intervals({name: info.funding_interval_s for name, info in listed.items()})
        self.set_trait("known_symbols", tuple(sorted(listed)))

    def tick_size(self, symbol: str) -> float | None:
        """Return the price step of a symbol; None until the exchange has said it."""
        info = self._source.listed.get(symbol)
        return info.tick_size if info else None

    # Lifecycle ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the feed in the running event loop and return at once; a second call changes nothing.

        Raises
        ------
        FeedError
            Where no event loop runs (a plain script).
        """
        if self._task is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise FeedError(
                "A session needs a running event loop: a notebook has one; in a script, "
                "call start() inside an async function given to asyncio.run()."
            ) from None
        self._task = loop.create_task(self._run(), name="quantnb session")
        self._task.add_done_callback(self._end)
        self.set_trait("running", True)
        loop.call_soon(self._take_snapshot)  # after the task's first step: it forgets the last end

    def stop(self) -> asyncio.Task[None]:
        """Stop the feed; await the result to be sure that its sockets are closed. Data stay."""
        return asyncio.get_running_loop().create_task(self._stop(), name="quantnb stop")

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self.set_trait("running", False)
        self._take_snapshot()

    async def _run(self) -> None:
        """Hold the feed and look at it four times a second until cancelled, or until the feed has ended."""
        tasks = [asyncio.ensure_future(self._source.run(self.feed)), asyncio.ensure_future(self._tick())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(SNAPSHOT_INTERVAL_S)
            self._take_snapshot()

    def _end(self, task: asyncio.Task[None]) -> None:
        """Take note that the feed's task is over; one that was not stopped by us is started again."""
        if task is not self._task:
            return
        self._task = None
        if task.cancelled() or task.exception() is not None:
            # In a loop that is being closed this never happens, and nothing is left pending there.
            task.get_loop().call_later(RESTART_AFTER_S, self._restart)
            return
        self.set_trait("running", False)
        self._take_snapshot()

    def _restart(self) -> None:
        if self._task is None and self.running:
            self.start()
            self._source.note("The feed's task was ended by something else; it was started again.")

    def _take_snapshot(self) -> None:
        status = self._source.status(is_running=self._task is not None)
        snapshot = self._engine.snapshot(self._source.now_ns(), status)
        instruments = self._engine.instruments.values()
        tapes = ((entry[1] for entry in reversed(each.tape)) for each in instruments)
        self._latency.look(tapes, self._source.now_ns())
        self.set_trait("snapshot", snapshot)

    def clear(self) -> None:
        """Forget all trades, bars and statistics; the feed goes on, rules and the log of alerts stay."""
        self._source.clear()
        self._engine.clear()
        self._take_snapshot()

    def use_pair(self, y: str, x: str) -> None:
        """Make any two symbols the session's pair; what is not watched yet is from now on.

        Raises
        ------
        InvalidSettingError
            Where too many symbols would be watched, or the exchange does not trade one.
        """
        symbols = tuple(dict.fromkeys((*self.symbols, y, x)))
        if len(symbols) > MAX_SYMBOLS:
            raise InvalidSettingError(
                f"{y}/{x} would make {len(symbols)} symbols, and a session watches {MAX_SYMBOLS} at most; "
                "remove one that is not in use, then choose the pair again."
            )
        with self.hold_trait_notifications():
            self.symbols, self.pair = symbols, (y, x)

    # Alerts -------------------------------------------------------------------------------------------

    def add_rule(
        self,
        kind: AlertKind,
        threshold: float,
        *,
        symbol: str | None = None,
        severity: Severity = "warning",
        span_s: float = 60.0,
        cooldown_s: float = 30.0,
    ) -> Rule:
        """Add a rule: ``"zscore"`` of the pair, ``"price_change"`` in per cent, or ``"break"``.

        A price changes within ``span_s``; a break of the hedge ratio is measured in critical values of
        `break_alarm` at 5 %.
        """
        self._check_watched(symbol)
        rule = self._engine.alerts.add_rule(
            kind, threshold, symbol=symbol, severity=severity, span_s=span_s, cooldown_s=cooldown_s
        )
        self._take_snapshot()
        return rule

    def preview_rule(
        self,
        kind: AlertKind,
        threshold: float,
        *,
        symbol: str | None = None,
        span_s: float = 60.0,
        cooldown_s: float = 30.0,
        exit: float = 0.5,
    ) -> RulePreview:
        """Return how often a rule would have fired on the bars at hand, and what trading it would have made.

        The arguments are those of `add_rule`. ``exit`` is the absolute z-score at which the plain rule of the
        backtest leaves the market; nothing is optimised, and nothing is saved.
        """
        rule = Rule(0, kind, threshold, symbol, "info", span_s, cooldown_s)
        self.show_preview(self.preview_inputs(rule, exit).run())
        return self.preview  # type: ignore[no-any-return]

    def preview_inputs(self, rule: Rule, exit: float = 0.5) -> PreviewInputs:
        """Take out what the preview of a rule is made of; its ``run`` may be called in a thread."""
        self._check_watched(rule.symbol)
        return preview_inputs(self._engine, rule, exit)

    def _check_watched(self, symbol: str | None) -> None:
        """Raise for a symbol that a rule could never see; a rule of all, or of the pair, names none."""
        if symbol is not None:
            self._instrument(symbol)

    def show_preview(self, preview: RulePreview | None) -> None:
        """Let the charts show a preview, or none; one of other settings than today's is out of date."""
        is_current = preview is not None and preview.settings == self._engine.settings
        self.set_trait("preview", preview if is_current else None)

    def remove_rule(self, rule_id: int) -> None:
        """Remove a rule; the alerts it gave stay."""
        self._engine.alerts.remove_rule(rule_id)
        self._take_snapshot()

    def remove_alert(self, alert_id: int) -> None:
        """Take an alert off the list; the log keeps it."""
        self._engine.alerts.remove_alert(alert_id)
        self._take_snapshot()

    # Export -------------------------------------------------------------------------------------------

    def encode(self, kind: str, format: str) -> bytes:
        """Return trades, bars, analytics or alerts as the bytes of a CSV or Parquet file."""
        export.check_export(kind, format)
        return export.encode(frames.export_frame(self._engine, kind), format)

    def export(self, kind: str, format: str = "csv", directory: str | Path = ".") -> Path:
        """Write trades, bars, analytics or alerts to a new file and return its path.

        Raises
        ------
        ExportError
            Where the file cannot be written (a full disk); nothing half-written is left.
        """
        content = self.encode(kind, format)
        stamp = datetime.fromtimestamp(self._source.now_ns() / 1e9, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = Path(directory).resolve() / f"quantnb-{kind}-{stamp}.{format}"
        export.write(path, content)
        return path
