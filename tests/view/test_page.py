"""The page: its parts, its prime place, its watermark, and when the feed starts."""

from __future__ import annotations

import pytest

from quantnb.view.controls import ANALYTICS
from quantnb.view.page import Page
from quantnb.view.tiles import Tiles


@pytest.fixture
def page(session, lease):
    return Page(session, lease=lease)


def prime(page):
    return [name for name, part in page.parts.items() if "qnb-prime" in part._dom_classes]


def test_a_page_has_every_panel(page):
    assert set(page.parts) == {
        "status",
        "controls",
        "tiles",
        "price",
        "spread",
        "correlation",
        "hedge",
        "horizon",
        "alerts",
        "laboratory",
        "screener",
        "tape",
    }


def test_a_part_made_beforehand_is_used(session, lease):
    tiles = Tiles(session, lease=lease)
    assert Page(session, lease=lease, tiles=tiles).parts["tiles"] is tiles


def test_a_part_that_a_page_does_not_have_is_refused_by_name(session, lease):
    with pytest.raises(TypeError, match=r"no orderbook; its parts are status, controls"):
        Page(session, lease=lease, orderbook=None)


@pytest.mark.parametrize(
    ("analytics", "name"), list(zip(ANALYTICS, ["price", "spread", "correlation", "hedge"], strict=True))
)
def test_the_analytics_type_chooses_the_prime_place(page, analytics, name):
    page.parts["controls"].analytics = analytics
    assert prime(page) == [name]


def test_a_simulated_market_is_marked_on_the_page_and_a_real_one_is_not(session, page):
    assert "qnb-simulated" in page._dom_classes
    session.set_state("live", is_simulated=False)
    assert "qnb-simulated" not in page._dom_classes
    session.set_state("stale")
    assert "qnb-simulated" in page._dom_classes


def test_the_feed_starts_with_the_first_viewer_and_not_before(session, page, lease):
    assert not session.running
    lease.sign()
    assert session.running


def test_a_session_stopped_before_anyone_looked_stays_stopped(session, page, lease):
    session.start()
    session.stop()
    lease.sign()
    assert not session.running


def test_a_viewer_who_comes_after_stop_was_pressed_starts_nothing(session, page, lease):
    lease.sign()
    session.stop()
    lease.sign()
    assert not session.running
