"""What ipywidgets do not say to those who hear a panel: its title, and which buttons are pressed."""

from __future__ import annotations

import anywidget
import traitlets

from quantnb.view.assets import css, esm

__all__ = ["Heading"]


class Heading(anywidget.AnyWidget):
    """A title as a heading. It also says of the toggle buttons in the same box whether they are pressed."""

    _esm = esm("dom.js", "heading.js")
    _css = css("tokens.css", "heading.css")
    text = traitlets.Unicode().tag(sync=True)

    def __init__(self, text: str) -> None:
        super().__init__(text=text)
        self.add_class("qnb-heading")
