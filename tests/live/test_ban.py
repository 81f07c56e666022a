from __future__ import annotations

from pathlib import Path

import pytest

from quantnb.feed.routes import LIVE, TESTNET, Endpoints
from quantnb.live.ban import LONGEST_S, Ban, ban_path
from tests.live.clocks import ManualClock

WHY = "This address is banned for too many requests (HTTP 418)."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "quantnb" / "ban.json"


def test_before_the_first_ban_everything_may_be_asked(clock: ManualClock, path: Path) -> None:
    ban = Ban(clock, path)
    assert ban.remaining_s() == 0
    assert ban.reason == ""


def test_a_ban_counts_down_and_ends(clock: ManualClock) -> None:
    ban = Ban(clock)
    ban.set(35.0, WHY)
    assert (ban.remaining_s(), ban.reason) == (35.0, WHY)
    clock.go_on(34.5)
    assert ban.remaining_s() == pytest.approx(0.5)
    clock.go_on(0.5)
    assert ban.remaining_s() == 0


def test_a_shorter_ban_does_not_shorten_a_longer_one(clock: ManualClock) -> None:
    ban = Ban(clock)
    ban.set(720.0, WHY)
    ban.set(10.0, "shorter")
    assert (ban.remaining_s(), ban.reason) == (720.0, WHY)


def test_it_survives_a_restart(clock: ManualClock, path: Path) -> None:
    Ban(clock, path).set(720.0, WHY)
    restarted = ManualClock()  # another monotonic clock
    restarted.monotonic_ns = 5
    restarted.wall_ns = clock.wall_ns + 100 * 10**9
    ban = Ban(restarted, path)
    assert ban.remaining_s() == pytest.approx(620.0)
    assert ban.reason == WHY
    restarted.go_on(620.0)
    assert ban.remaining_s() == 0


def test_two_kernels_share_it(clock: ManualClock, path: Path) -> None:
    mine, theirs = Ban(clock, path), Ban(clock, path)
    assert mine.remaining_s() == 0
    theirs.set(35.0, WHY)
    assert mine.remaining_s() == 35.0


@pytest.mark.parametrize("step_s", [-86_400, -10, 10, 86_400])
def test_setting_the_clock_neither_lengthens_nor_shortens_it(
    clock: ManualClock, path: Path, step_s: int
) -> None:
    ban = Ban(clock, path)
    ban.set(120.0, WHY)
    clock.wall_ns += step_s * 10**9
    assert ban.remaining_s() == 120.0
    clock.go_on(120.0)
    assert ban.remaining_s() == 0


def test_with_a_clock_set_back_before_a_restart_it_lasts_no_longer_than_it_was(
    clock: ManualClock, path: Path
) -> None:
    Ban(clock, path).set(120.0, WHY)
    clock.wall_ns -= 86_400 * 10**9
    assert Ban(clock, path).remaining_s() == 120.0


@pytest.mark.parametrize("seconds", [1e9, float("inf")])
def test_none_is_longer_than_the_exchanges_longest(clock: ManualClock, path: Path, seconds: float) -> None:
    ban = Ban(clock, path)
    ban.set(seconds, WHY)
    assert ban.remaining_s() == LONGEST_S
    assert Ban(clock, path).remaining_s() == LONGEST_S


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"set_ns":1}', b'{"set_ns":"x"}'])
def test_a_file_that_cannot_be_read_is_no_fault(clock: ManualClock, path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    ban = Ban(clock, path)
    assert ban.remaining_s() == 0
    ban.set(35.0, WHY)
    assert Ban(clock, path).remaining_s() == 35.0


def test_a_place_that_cannot_be_written_is_no_fault(clock: ManualClock, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    ban = Ban(clock, tmp_path / "file" / "ban.json")
    ban.set(35.0, WHY)
    assert ban.remaining_s() == 35.0


def test_nothing_but_the_file_is_left_behind(clock: ManualClock, path: Path) -> None:
    ban = Ban(clock, path)
    for seconds in (1.0, 2.0, 3.0):
        ban.set(seconds, WHY)
    assert list(path.parent.iterdir()) == [path]


def test_only_binances_own_hosts_have_a_file_each() -> None:
    paths = {ban_path(LIVE), ban_path(TESTNET)}
    assert {path.name for path in paths if path} == {
        "ban-fstream.binance.com.json",
        "ban-fstream.binancefuture.com.json",
    }
    assert ban_path(Endpoints.at("ws://127.0.0.1:8765")) is None
    assert ban_path(Endpoints("live", "ws://127.0.0.1:8765", "http://127.0.0.1:8765")) is None
