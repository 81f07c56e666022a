"""A panel observes the session until it is closed, which may happen twice."""

from __future__ import annotations

import pytest

from quantnb import view
from tests.view.browser_stub import quiet_lease
from tests.view.conftest import StandInSession

PANELS = ("Alerts", "CorrelationChart", "HedgeChart", "HorizonChart", "Laboratory", "PriceChart", "Screener")
PANELS += ("SpreadChart", "Status", "Tape", "Tiles")


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_that_is_closed_leaves_no_observer_and_may_be_closed_again(
    session: StandInSession, name: str
) -> None:
    def observers() -> int:
        return sum(len(found) for each in session._trait_notifiers.values() for found in each.values())

    before = observers()
    panel = getattr(view, name)(session, lease=quiet_lease())
    assert observers() > before
    panel.close()
    assert observers() == before
    panel.close()
