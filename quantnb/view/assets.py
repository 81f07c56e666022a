"""The browser's half of a widget: JavaScript and CSS from ``static/``, as one text.

Each file in ``static/`` is a plain ES module that imports its neighbours by relative path, so that editors
and type checkers understand it. anywidget takes one text per widget; here the files are put one after the
other and their import lines fall away. A name must therefore be unique across the files that are joined.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

__all__ = ["css", "esm"]

_IMPORT = re.compile(r"^import\s[^;]*;\n", re.MULTILINE)


@cache
def _read(name: str) -> str:
    return (files(__package__) / "static" / name).read_text(encoding="utf-8")


@cache
def esm(*names: str) -> str:
    """Return a widget's ES module: the protocol, then the files ``names`` in this order.

    >>> "export default" in esm("live_figure.js")
    True
    """
    return "\n".join(_IMPORT.sub("", _read(name)) for name in ("protocol.js", *names))


@cache
def css(*names: str) -> str:
    """Return a widget's style sheet: the files ``names`` in this order."""
    return "\n".join(_read(name) for name in names)
