from __future__ import annotations

import re
from importlib.resources import files

import pytest

from quantnb.view.assets import css, esm

STATIC = files("quantnb.view") / "static"
SCRIPTS = sorted(path.name for path in STATIC.iterdir() if path.name.endswith(".js"))


def test_a_module_is_the_protocol_and_the_files_without_their_imports() -> None:
    text = esm("bundle.js", "painter.js", "live_figure.js")
    assert (
        text.index("function connect(") < text.index("function loadPlotly(") < text.rindex("export default")
    )
    assert not re.search(r"^import\s", text, re.MULTILINE)


def test_a_style_sheet_is_its_files_in_order() -> None:
    assert css("tokens.css", "figure.css").index(".qnb-panel") < css("tokens.css", "figure.css").index(
        ".qnb-figure"
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_reach_for_nothing_outside_and_write_no_markup(name: str) -> None:
    text = (STATIC / name).read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?://", text)


def test_a_missing_file_is_an_error_at_once() -> None:
    with pytest.raises(FileNotFoundError):
        esm("nowhere.js")
