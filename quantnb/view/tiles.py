"""Eight numbers with their evidence, and for each the Python that computes it again."""

from __future__ import annotations

from typing import Any

from quantnb.view.assets import css, esm
from quantnb.view.digits import spread_digits
from quantnb.view.panel import Panel
from quantnb.view.protocol import Frame
from quantnb.view.recipe import send_recipe

__all__ = ["Tiles"]


class Tiles(Panel):
    """The row of tiles. A number that is not there yet is a dash with what it waits for, never 0 or NaN."""

    _esm = esm("dom.js", "recipe.js", "tiles.js")
    _css = css("tokens.css", "recipe.css", "tiles.css")

    def frame(self, cursor: dict[str, Any] | None) -> Frame | None:
        """Return the tiles that changed."""
        tiles = {
            name: {
                "value": tile.value,
                "unit": tile.unit,
                "n": tile.n,
                "waiting": tile.waiting,
                "doubts": tile.doubts,
                "parts": tile.parts,
            }
            for name, tile in self.session.snapshot.tiles.items()
        }
        if "spread" in tiles:
            tiles["spread"]["digits"] = spread_digits(self.session)
        changed = {name: tile for name, tile in tiles.items() if not cursor or cursor.get(name) != tile}
        return Frame(changed, tiles) if changed else None

    def receive(self, client: str, content: dict[str, Any]) -> None:
        """Send the recipe of a tile to the browser that asks for it."""
        match content:
            case {"kind": "reproduce", "what": str(tile)}:
                send_recipe(self, client, self.session, tile)
