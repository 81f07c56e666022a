"""Which ids one request for trades covers."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from quantnb.feed.budget import AGG_TRADES_WEIGHT

__all__ = ["PAGE", "TradesRequest", "page_up_to"]

PAGE = 1_000  # trades in one answer


class TradesRequest(Struct, frozen=True):
    """Ask for ``limit`` trades from ``from_id`` on, the newest ones where it is None.

    ``last_id`` is the newest id missing, for the sake of which it is asked.
    """

    symbol: str
    purpose: Literal["newest", "tail", "hole", "history"]
    from_id: int | None
    limit: int
    last_id: int = -1

    @property
    def weight(self) -> int:
        """What it costs."""
        return AGG_TRADES_WEIGHT


def page_up_to(last_id: int, lowest_id: int, floor: int) -> tuple[int, int]:
    """Return the first id and the number of ids of the page that ends at ``last_id``.

    It goes down to ``lowest_id`` at most. Ids up to ``floor`` are known to be refused as too old; where the
    page would reach them it halves what lies between, so that the oldest id that is not refused is found.

    >>> page_up_to(5_000, 100, -1), page_up_to(5_000, 4_900, -1), page_up_to(5_000, 100, 4_500)
    ((4001, 1000), (4900, 101), (4750, 251))
    """
    from_id = max(lowest_id, last_id - PAGE + 1)
    if from_id <= floor:
        from_id = floor + (last_id - floor + 1) // 2
    return from_id, min(PAGE, last_id - from_id + 1)
