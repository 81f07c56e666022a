"""What a browser shows of a session: charts, tiles, tables and controls, each a widget of its own.

Every class takes the session as its first argument. Modules are loaded when a name is first used, so that
``import quantnb`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "Alerts",
    "Controls",
    "CorrelationChart",
    "HedgeChart",
    "HorizonChart",
    "Laboratory",
    "LiveFigure",
    "Page",
    "PriceChart",
    "Screener",
    "SpreadChart",
    "Status",
    "Tape",
    "Tiles",
]

_HOMES = {
    "Alerts": "alerts",
    "Controls": "controls",
    "CorrelationChart": "correlation",
    "HedgeChart": "hedge",
    "HorizonChart": "horizon",
    "Laboratory": "laboratory",
    "LiveFigure": "figure",
    "Page": "page",
    "PriceChart": "price",
    "Screener": "screener",
    "SpreadChart": "spread",
    "Status": "status",
    "Tape": "tape",
    "Tiles": "tiles",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
