from __future__ import annotations

import msgspec
import pytest

from quantnb.events import MarkPrice, Quote
from quantnb.feed.lag import Lag
from tests.feed.frames import trade

S = 1_000_000_000


def late_trade(lag_s: float) -> object:
    each = trade(1)
    return msgspec.structs.replace(each, receive_ns=each.push_ns + round(lag_s * S))


def late_quote(lag_s: float) -> Quote:
    return Quote("BTCUSDT", 1, 1.0, 1.0, 1.0, 1.0, S, S, S + round(lag_s * S))


def late_mark(lag_s: float) -> MarkPrice:
    return MarkPrice("BTCUSDT", 1.0, 1.0, 0.0, 0, S, S + round(lag_s * S))


def observe(lag: Lag, now_s: float, **newest: object) -> float | None:
    for name, event in newest.items():
        setattr(lag, name, event)
    lag.look(round(now_s * S))
    return lag.ms(round(now_s * S))


def test_without_data_it_is_unknown() -> None:
    assert observe(Lag(), 0) is None


def test_it_is_that_of_the_newest_messages_even_at_one_a_minute() -> None:
    lag = Lag()
    for minute in range(10):
        observe(lag, 60 * minute, trade=late_trade(0.1))
    assert observe(lag, 600, trade=late_trade(7)) == pytest.approx(7_000.0)
    assert observe(lag, 625) == pytest.approx(7_000.0)
    assert observe(lag, 631) is None


def test_one_slow_message_among_many_is_no_lag() -> None:
    lag = Lag()
    for quarter in range(8):
        found = observe(lag, quarter / 4, trade=late_trade(5.0 if quarter == 6 else 0.1))
    assert found == pytest.approx(100.0)


def test_a_change_shows_within_two_seconds() -> None:
    lag = Lag()
    for quarter in range(400):
        observe(lag, quarter / 4, trade=late_trade(0.1))
    for quarter in range(400, 406):
        found = observe(lag, quarter / 4, trade=late_trade(3))
    assert found == pytest.approx(3_000.0)


def test_the_later_of_two_sockets_counts() -> None:
    assert observe(Lag(), 0, trade=late_trade(4), quote=late_quote(0.1)) == pytest.approx(4_000.0)
    assert observe(Lag(), 0, trade=late_trade(0.1), quote=late_quote(4)) == pytest.approx(4_000.0)


def test_mark_prices_stand_in_where_nothing_trades() -> None:
    lag = Lag()
    assert observe(lag, 0, mark=late_mark(2)) == pytest.approx(2_000.0)
    assert observe(lag, 0.25, trade=late_trade(0.1)) == pytest.approx(100.0)
