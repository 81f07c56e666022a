"""Rules and what they found: a form, the rules, and the alerts not yet removed."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from quantnb.alerts import Rule
from quantnb.errors import InvalidSettingError
from quantnb.view.assets import css, esm
from quantnb.view.message import sentence_of
from quantnb.view.panel import Panel
from quantnb.view.protocol import Frame
from quantnb.view.recipe import send_recipe

if TYPE_CHECKING:
    from quantnb.alerts import Alert
    from quantnb.engine.preview import PreviewInputs
    from quantnb.session import Session
    from quantnb.view.lease import Lease

__all__ = ["Alerts"]

_NS_PER_MS = 1_000_000


class Alerts(Panel):
    """The panel of alerts. What a browser asks for is checked by the session; a refusal goes back to it."""

    _esm = esm("clock.js", "dom.js", "recipe.js", "alerts.js")
    _css = css("tokens.css", "recipe.css", "alerts.css")

    def __init__(self, session: Session, *, lease: Lease | None = None) -> None:
        self._previews: set[asyncio.Task[None]] = set()
        super().__init__(session, lease=lease)
        self.watch(self._on_snapshot, "preview")

    def frame(self, cursor: tuple[object, ...] | None) -> Frame | None:
        """Return rules and alerts, whole: there are few and they change seldom."""
        snapshot = self.session.snapshot
        preview = self.session.preview
        shown = (snapshot.rules, snapshot.alerts, snapshot.symbols, snapshot.pair, preview)
        if shown == cursor:
            return None
        data = {
            "rules": [asdict(rule) | {"text": rule.describe()} for rule in snapshot.rules],
            "alerts": [_alert_data(alert) for alert in snapshot.alerts],
            "symbols": snapshot.symbols,
            "pair": "/".join(snapshot.pair),
            "preview": None if preview is None else {"rule": preview.rule.describe(), "words": preview.words},
        }
        return Frame(data, shown)

    def receive(self, client: str, content: dict[str, Any]) -> None:
        """Add or remove what the browser asks for, or tell how an alert's value is computed again."""
        match content:
            case {"kind": "reproduce", "what": int(alert_id)}:
                return send_recipe(self, client, self.session, alert_id)
        try:
            text = self._obey(client, content)
        except Exception as error:
            self.send_to(client, {"kind": "said", "text": sentence_of(error), "level": "error"})
        else:
            self.send_to(client, {"kind": "said", "text": text, "level": "info"})
            self.publish()

    def _obey(self, client: str, content: dict[str, Any]) -> str:
        match content:
            case {"kind": "add_rule", "rule": dict(rule)}:
                self.session.add_rule(**_arguments(rule))
                self.session.show_preview(None)
                return "Rule added."
            case {"kind": "preview", "rule": dict(rule), "exit": exit}:
                inputs = self.session.preview_inputs(Rule(0, **_arguments(rule)), _number(exit, "exit"))
                task = asyncio.get_running_loop().create_task(self._preview(client, inputs))
                self._previews.add(task)
                task.add_done_callback(self._previews.discard)
            case {"kind": "clear_preview"}:
                self.session.show_preview(None)
            case {"kind": "remove_rule", "id": int(rule_id)}:
                self.session.remove_rule(rule_id)
            case {"kind": "remove_alert", "id": int(alert_id)}:
                self.session.remove_alert(alert_id)
        return ""

    async def _preview(self, client: str, inputs: PreviewInputs) -> None:
        """Compute in a thread: some rules take a tenth of a second, and the stream must not wait."""
        try:
            self.session.show_preview(await asyncio.to_thread(inputs.run))
        except Exception as error:
            self.send_to(client, {"kind": "said", "text": sentence_of(error), "level": "error"})


def _arguments(rule: dict[str, Any]) -> dict[str, Any]:
    """Return a rule's arguments from a browser; kind and severity are checked where rules are made."""
    return {
        "kind": rule.get("kind"),
        "threshold": _number(rule.get("threshold"), "threshold"),
        "symbol": rule.get("symbol") or None,
        "severity": rule.get("severity"),
        "span_s": _number(rule.get("span_s"), "span"),
        "cooldown_s": _number(rule.get("cooldown_s"), "cooldown"),
    }


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidSettingError(f"The rule's {name} must be a number.")
    return float(value)


def _alert_data(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.alert_id,
        "time": alert.time_ns // _NS_PER_MS,
        "kind": alert.kind,
        "symbol": alert.symbol,
        "value": alert.value,
        "severity": alert.severity,
        "text": alert.text,
        "doubt": alert.doubt,
        "cause": alert.cause,
    }
