"""Six numbers with their evidence: ticks, spread, z-score, correlation, volume, alerts."""

from __future__ import annotations

from typing import Any

from quantnb.view.assets import css, esm
from quantnb.view.digits import spread_digits
from quantnb.view.panel import Panel
from quantnb.view.protocol import Frame

__all__ = ["Tiles"]


class Tiles(Panel):
    """The row of tiles. A number that is not there yet is a dash with what it waits for, never 0 or NaN."""

    _esm = esm("dom.js", "tiles.js")
    _css = css("tokens.css", "tiles.css")

    def frame(self, cursor: dict[str, Any] | None) -> Frame | None:
        """Return the tiles that changed."""
        tiles = {
            name: {
                "value": tile.value,
                "unit": tile.unit,
                "n": tile.n,
                "waiting": tile.waiting,
                "doubts": tile.doubts,
            }
            for name, tile in self.session.snapshot.tiles.items()
        }
        if "spread" in tiles:
            tiles["spread"]["digits"] = spread_digits(self.session)
        changed = {name: tile for name, tile in tiles.items() if not cursor or cursor.get(name) != tile}
        return Frame(changed, tiles) if changed else None
