from __future__ import annotations

from quantnb.view.heading import Heading


def test_a_heading_is_its_text_and_brings_what_draws_it() -> None:
    heading = Heading("Price & volume")
    assert heading.text == "Price & volume"
    assert "qnb-heading" in heading._dom_classes
    assert "aria-pressed" in heading._esm
    heading.close()
