"""Fifty texts that would run as code wherever text is taken for HTML, and a notebook that shows them all."""

from __future__ import annotations

import json

_RUN = "window.pwned=1"
_TAGS = (
    f"<img src=x onerror={_RUN}>",
    f"<script>{_RUN}</script>",
    f"<svg onload={_RUN}>",
    f"<svg/onload={_RUN}//",
    "<iframe srcdoc='<script>parent.pwned=1</script>'>",
    f"<a href=javascript:{_RUN}>x</a>",
    f"<input autofocus onfocus={_RUN}>",
    f"<details open ontoggle={_RUN}>x</details>",
    f"<video><source onerror={_RUN}></video>",
    f"<math href=javascript:{_RUN}>x</math>",
)
_BREAKS = ("", '">', "'>", "</script>", "--></style></title></textarea>")
PAYLOADS = tuple(f"{before}{tag}" for tag in _TAGS for before in _BREAKS)

_NOTEBOOK = """
import json
from dataclasses import replace
import numpy as np
import quantnb as qn
from quantnb import view
from quantnb.alerts import Alert, Rule
from quantnb.snapshot import CorrelationMatrix, Series, TapeRow

payloads = json.loads({payloads!r})
session = qn.Session()
now_ns, known = 1_790_000_000_000_000_000, session.snapshot
times = now_ns + np.arange(3) * 1_000_000_000
columns = {{name: np.ones(3) for name in known.bars["BTCUSDT"].columns}}
shown = ("BTCUSDT", "ETHUSDT", *payloads)
session.set_trait("snapshot", replace(
    known,
    symbols=shown,
    status=replace(known.status, state="live", reason=" ".join(payloads), feed=payloads[0]),
    bars={{symbol: Series(0, 0, times, columns) for symbol in shown}},
    forming=dict.fromkeys(shown),
    correlation=CorrelationMatrix(shown, np.eye(len(shown)), np.full((len(shown), len(shown)), 9)),
    tape=tuple(
        TapeRow(i, text, i, now_ns, 1.0, 1.0, True, None, None, None) for i, text in enumerate(payloads)
    ),
    rules=tuple(Rule(i, "price_change", 1.0, text) for i, text in enumerate(payloads)),
    alerts=tuple(
        Alert(i, 1, "zscore", text, "info", now_ns, 2.0, 1.0, text) for i, text in enumerate(payloads)
    ),
))
session.set_trait("known_symbols", tuple(payloads))
"""
_PARTS = (
    *("Status", "Controls", "Tiles", "PriceChart", "CorrelationChart", "HedgeChart", "Alerts"),
    *("Laboratory", "Screener", "Tape"),
)


def notebook() -> str:
    """Return a notebook whose panels show every payload wherever text of others can stand."""
    sources = [
        _NOTEBOOK.format(payloads=json.dumps(PAYLOADS)),
        *(f"view.{part}(session)" for part in _PARTS),
    ]
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{i}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for i, source in enumerate(sources)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    )
