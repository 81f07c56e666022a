"""Which faults befall a soak, and when: everything that `quantnb.exchange.kinds` knows, as one script."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from quantnb.exchange.kinds import CLOSE_CODES, GARBAGE

BEGIN_S = 5.0
SHARE = 0.01  # of the frames, for each kind of fault
ELSEWHERE = {
    "untrusted-tls": "test_a_certificate_that_nobody_trusts_is_the_end_and_is_not_tried_again",
    "handshake-451": "the end, too: trying again cannot help",
    "rest-too-old": "what cannot be had is lost, and said to be",
    "slow-reader": "the soak's reader shares the exchange's process",
}

# Nobody who reads can tell a well-formed trade at a false price from a true one: such trades are flagged and
# kept, so they are confined to one symbol, and all the others have no excuse.
FALSIFIED = "xrpusdt"

# Of frames, all the time.
STEADY = (
    f"duplicate:{SHARE}",
    f"reorder:{SHARE},by=3",
    f"skip:{SHARE}",
    f"delay:0.3,jitter=1.5,p={SHARE}",
    f"error-frame:3,p={SHARE / 10}",
)
STEADY_REST = (
    f"rest-delay:1,p={5 * SHARE}",
    f"rest-cut:p={SHARE}",
    f"rest-503:p={SHARE}",
    f"rest-garbage:truncated,p={SHARE}",
)
GARBAGE_KINDS = GARBAGE[1:]
SIZES = {"big": ",size=100000"}

DROPS = (*(f"drop:{code}" for code in CLOSE_CODES), "rst")

# What lasts for a while, or meets one handshake or one request; with a drop (+) where a handshake must come.
EPISODES = (
    ("half-open:15",),
    ("half-open:15,connections=open,route=market",),
    ("silent-socket:route=market,for=12",),
    ("silent-socket:route=public,for=12",),
    ("silent-stream:btcusdt@aggTrade,for=12",),
    ("silent-stream:*@markPrice@1s,for=12",),
    ("ack-only:for=8", "+"),
    ("refuse-subscribe:2,times=2", "+"),
    ("accept-close:times=4", "+"),
    ("max-age:8,warning=3,for=20",),
    ("handshake-delay:9,for=5", "+"),
    ("handshake-403:times=1,route=market", "+"),
    ("handshake-418:times=1,retry=20", "+"),
    ("handshake-429:times=1,retry=5", "+"),
    ("handshake-500:times=2", "+"),
    ("handshake-502:times=2", "+"),
    ("handshake-503:for=5", "+"),
    ("handshake-504:times=2", "+"),
    ("rest-418:times=1,retry=20",),
    ("rest-429:times=1,retry=10",),
    ("rest-500:times=3",),
    ("rest-502:times=3",),
    ("rest-503:for=8",),
    ("rest-504:times=3",),
    ("rest-delay:12,for=15",),
    ("rest-cut:times=3",),
    ("rest-garbage:html,times=2",),
    ("rest-garbage:empty,times=2",),
    ("burst:1100",),
    ("clock:5,for=15",),
    ("push-clock:4,for=8",),
    ("push-clock:-4,for=4",),
)
LONG_S = 3_600.0
# Five minutes without REST each: only in a run that is longer than that.
SLOW_EPISODES = (("rest-403:times=1",), ("rest-451:times=1",))


def script(seed: int, duration_s: float, n_drops: int) -> list[tuple[float, str]]:
    """Return faults by the seconds at which they begin; the seed moves them."""
    random = Random(f"{seed} scenario")
    faults = [(BEGIN_S, fault) for fault in steady()]
    faults += _spread(random, duration_s, [(DROPS[k % len(DROPS)],) for k in range(n_drops)])
    episodes = [*EPISODES, *(SLOW_EPISODES if duration_s > LONG_S else ())]
    random.shuffle(episodes)
    faults += _spread(random, duration_s, episodes)
    return sorted(faults)


def steady() -> Iterator[str]:
    yield from STEADY
    yield from STEADY_REST
    share = SHARE / len(GARBAGE_KINDS)
    for kind in GARBAGE_KINDS:
        if kind == "off-mark":  # not of mark prices: one that is off flags all trades of a second
            yield f"garbage:{kind},p={10 * share},stream={FALSIFIED}@aggTrade"
            yield f"garbage:{kind},p={share},stream=*@bookTicker"
        else:
            yield f"garbage:{kind},p={share}{SIZES.get(kind, '')}"


def _spread(random: Random, duration_s: float, faults: list[tuple[str, ...]]) -> Iterator[tuple[float, str]]:
    """Distribute faults evenly, each somewhere in the first half of its own part of the time."""
    part_s = (duration_s - BEGIN_S) / max(1, len(faults))
    for k, (fault, *more) in enumerate(faults):
        at_s = BEGIN_S + part_s * (k + 0.5 * random.random())
        yield at_s, fault
        if more:
            yield at_s, "drop:1006"
