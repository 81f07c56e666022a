"""Every fault of the local exchange, and what a trader sees of it: the matrix as data.

A fault that only matters to new connections comes with ``rst``, which makes new ones necessary. One that the
client would mend before a snapshot could show it comes with a handshake that nobody answers: then the
exchange is there again when it is healed, and that is where recovery is measured from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from quantnb.exchange.kinds import CLOSE_CODES, GARBAGE

__all__ = ["CASES", "Case"]

GONE = "handshake-delay:30"  # nobody answers until it is healed
WELL = ("simulated",)
DOWN = ("reconnecting",)


@dataclass(frozen=True, slots=True)
class Case:
    """One fault, or several together.

    Attributes
    ----------
    faults : tuple of str
        What is injected, in this order.
    states, words : tuple of str, str
        One of these states is shown with these words (a regular expression, of the reason and the notes).
    within_s : float
        From the beginning of the fault until that is so.
    then : tuple of (tuple of str, str, float)
        What is shown after that: states, words, and within how many seconds of the beginning.
    back_within_s : float or None
        From the heal until all is well and new trades are there; None: it does not come back by itself.
    late : str
        Why that is more than two seconds.
    counts : str
        What must have been counted.
    progress : str
        What the repair says of itself meanwhile (a regular expression).
    whole_within_s : float
        From the heal until no hole is open any more.
    is_true : bool
        Prices and times are those of the exchange.
    is_lossless : bool
        Whether all trades are there in the end; else the loss is in the ledger with its reason.
    keeps_well : bool
        The feed is shown as well throughout.
    retry_s : float
        No request comes for so long after a refusal.
    starts_with : tuple of str
        Faults from the start of the exchange on.
    is_outage : bool
        The exchange is gone altogether, and comes back.
    holds_s : float
        For how long the fault goes on after all that was shown.
    is_heavy : bool
        Much work at once for the exchange and the client, which share a loop with all other cases.
    """

    name: str
    faults: tuple[str, ...]
    states: tuple[str, ...] = DOWN
    words: str = ""
    within_s: float = 3.0
    then: tuple[tuple[tuple[str, ...], str, float], ...] = ()
    back_within_s: float | None = 2.0
    late: str = ""
    counts: str = ""
    progress: str = ""
    whole_within_s: float = 8.0
    is_lossless: bool = True
    is_true: bool = True
    keeps_well: bool = False
    retry_s: float = 0.0
    starts_with: tuple[str, ...] = ()
    is_outage: bool = False
    holds_s: float = 0.0
    is_heavy: bool = False


def _closed() -> Iterator[Case]:
    words = {
        "1000": "closed the connection",
        "1001": "is going away",
        "1006": "connection was lost",
        "1008": "refused us .*too many requests or streams",
        "1011": "had an error of its own",
        "1012": "restarts",
        "1013": "is overloaded",
    }
    patient = {"1008", "1012", "1013"}
    for code in CLOSE_CODES:
        late = f"{code} asks for five seconds of patience" if code in patient else ""
        yield Case(
            f"drop {code}, and gone",
            (GONE, f"drop:{code}"),
            words=words[code],
            back_within_s=7.0 if late else 2.0,
            late=late,
        )
        yield Case(
            f"drop {code}",
            (f"drop:{code}",),
            states=DOWN if late else (*DOWN, "connecting", *WELL),
            words=words[code] if late else "",
            back_within_s=7.0 if late else 2.0,
            late=late,
        )


def _connections() -> Iterator[Case]:
    yield Case("rst, and gone", (GONE, "rst"), words="connection was lost")
    yield Case("rst", ("rst",), states=(*DOWN, "connecting", *WELL))
    yield Case(
        "server gone", (), words="cannot be reached|was lost|closed the connection|going away", is_outage=True
    )
    yield Case(
        "half-open",
        ("half-open:connections=open",),
        states=("stale",),
        words="no (data|mark prices|trades)",
        within_s=5.0,
        then=((("reconnecting", *WELL), "", 10.0),),
    )
    yield Case(
        "half-open, and gone",
        (GONE, "half-open"),
        states=("stale",),
        words="no (data|mark prices|trades)",
        within_s=5.0,
        then=((DOWN, "silent: neither data nor an answer to a ping", 10.0),),
    )
    yield Case(
        "silent-socket", ("silent-socket",), states=("stale",), words="no (data|mark prices)", within_s=5.0
    )
    for stream, what in (
        ("ethusdt@aggTrade", "no trades of ETHUSDT"),
        ("btcusdt@markPrice@1s", "no mark prices of BTCUSDT"),
        ("solusdt@bookTicker", "no quotes of SOLUSDT"),
    ):
        yield Case(
            f"silent-stream {stream}",
            (f"silent-stream:{stream}",),
            states=("stale",),
            words=what,
            within_s=5.0,
        )
    yield Case(
        "ack-only",
        ("ack-only", "rst"),
        states=("connecting",),
        words="waiting for",
        then=((("stale",), "acknowledged, but no data", 8.0),),
        back_within_s=7.0,
        late="what was acknowledged in vain is asked for again five seconds later",
    )
    yield Case(
        "refuse-subscribe",
        ("refuse-subscribe", "rst"),
        states=("connecting",),
        words="refused a request.*refused on demand",
        then=((("stale",), "no data", 8.0),),
        back_within_s=7.0,
        late="what was refused is asked for again five seconds later",
    )
    yield Case(
        "accept-close",
        ("accept-close:1000", "rst"),
        words="closed",
        holds_s=2.0,
        back_within_s=4.0,
        late="connections that end at once are tried again more slowly, so that nobody is hammered",
    )
    yield Case("max-age, announced", ("max-age:9,warning=5",), states=WELL, keeps_well=True, holds_s=9.0)
    yield Case("max-age", ("max-age:1", GONE), words="going away .*too old")
    yield Case(
        "slow-reader", ("slow-reader:20000", GONE, "burst:3000"), words="was lost|closed", is_heavy=True
    )


def _frames() -> Iterator[Case]:
    yield Case("delay", ("delay:1.5",), states=("delayed",), words="arrive 1.[4-9] s late")
    yield Case(
        "delay with jitter", ("delay:0.2,jitter=0.5",), states=WELL, counts="recovered", keeps_well=True
    )
    yield Case("duplicate", ("duplicate:0.3",), states=WELL, counts="duplicate", keeps_well=True)
    yield Case("reorder", ("reorder:0.2,by=2",), states=WELL, counts="late", keeps_well=True)
    yield Case("skip", ("skip:0.2",), states=WELL, counts="missing", keeps_well=True)
    # A big frame says all that it should, and more: it is used. What is off the mark is kept: it may be true.
    counted = {
        "unknown-event": "ignored",
        "unknown-symbol": "ignored",
        "coin-m": "ignored",
        "off-mark": "flagged",
        "big": "stored",
    }
    words = {"rejected": "could not be used", "flagged": "it is kept"}
    for kind in GARBAGE:
        p = 0.02 if kind == "big" else 0.2
        count = counted.get(kind, "rejected")
        yield Case(
            f"garbage {kind}",
            (f"garbage:{kind},p={p},stream=*@aggTrade",),
            states=WELL,
            words=words.get(count, ""),
            counts=count,
            is_heavy=kind == "big",
            keeps_well=True,
            is_true=kind not in ("any", "off-mark"),
        )
    yield Case(
        "error-frame",
        ("error-frame:p=0.2",),
        states=WELL,
        words="refused a request: Nobody asked for this error",
        keeps_well=True,
    )
    yield Case("burst", ("burst:1100",), states=WELL, keeps_well=True, is_heavy=True)


def _clocks() -> Iterator[Case]:
    yield Case(
        "clock behind",
        ("clock:-3",),
        states=("delayed",),
        words="late, or this computer's clock is ahead",
        within_s=6.0,
    )
    yield Case(
        "clock ahead",
        ("clock:5",),
        states=WELL,
        words="computer's clock is [45][.0-9]* s behind the exchange's",
        back_within_s=7.0,
        late="a clock that is set back by five seconds is silent until time has caught up",
        is_heavy=True,
    )
    yield Case(
        "push-clock behind", ("push-clock:-3",), states=("delayed",), words="late, or this computer's clock"
    )
    yield Case(
        "push-clock ahead",
        ("push-clock:5",),
        states=WELL,
        words="computer's clock is [45][.0-9]* s behind the exchange's",
        keeps_well=True,
    )


def _handshakes() -> Iterator[Case]:
    yield Case("handshake-delay", ("handshake-delay:2", "rst"), words="connection was lost")
    yield Case(
        "handshake-delay, in vain",
        ("handshake-delay:9.5", "rst"),
        words="connection was lost",
        then=((DOWN, "did not answer in time", 11.0),),
        back_within_s=3.5,
        late="after eight seconds it is tried again within 1.7 s, and the next mark prices are waited for",
    )
    for status in (500, 502, 503, 504):
        yield Case(
            f"handshake-{status}",
            (f"handshake-{status}", "rst"),
            words=f"not available at the moment .HTTP {status}",
        )
    yield Case(
        "handshake-503 with Retry-After",
        ("handshake-503:retry=3", "rst"),
        words="not available at the moment .HTTP 503",
        back_within_s=5.0,
        late="Retry-After is waited for",
        retry_s=3.0,
    )
    for status, words in (
        (429, "asks us to wait .HTTP 429"),
        (418, "banned for too many requests .HTTP 418"),
    ):
        yield Case(
            f"handshake-{status}",
            (f"handshake-{status}:retry=3", "rst"),
            words=words,
            back_within_s=5.0,
            late="Retry-After is waited for",
            retry_s=3.0,
            holds_s=3.0,
        )
    yield Case(
        "handshake-403",
        ("handshake-403", "rst"),
        words="firewall refuses this address .HTTP 403",
        holds_s=1.0,
        back_within_s=None,
        late="a firewall is asked again after a minute",
        retry_s=60.0,
    )
    yield Case(
        "handshake-403 three times",
        ("handshake-403:retry=1", "rst"),
        words="firewall refuses this address .HTTP 403",
        then=((("blocked",), "firewall refuses this address .HTTP 403", 6.0),),
        holds_s=3.0,
        back_within_s=None,
        late="three refusals of a firewall are final",
    )
    yield Case(
        "handshake-451",
        ("handshake-451", "rst"),
        states=("blocked",),
        words="not available from this location .HTTP 451",
        holds_s=3.0,
        back_within_s=None,
        late="the law does not change by asking again",
    )
    yield Case(
        "untrusted-tls",
        (),
        starts_with=("untrusted-tls",),
        states=("blocked",),
        words="certificate is not trusted",
        holds_s=3.0,
        back_within_s=None,
        late="a certificate does not become good by asking again",
    )


def _rest() -> Iterator[Case]:
    for status in (500, 502, 503, 504):
        yield _of_rest(f"rest-{status}", f"not available at the moment .HTTP {status}")
    for status in (429, 418):
        yield _of_rest(f"rest-{status}:retry=2", f"HTTP {status}")
    for status, words in ((403, "firewall"), (451, "not available from this location")):
        yield _of_rest(f"rest-{status}", f"{words}.*HTTP {status}", is_final=True)
    yield _of_rest("rest-cut", "repair: ")
    yield _of_rest("rest-delay:4", "")
    yield _of_rest("rest-garbage:truncated", "repair: ")
    yield _of_rest("rest-garbage:html", "repair: ")
    yield Case(
        "rest-too-old",
        ("rest-too-old", "skip:0.3,for=0.5"),  # for ever, it would cost all the weight of a minute
        states=WELL,
        counts="missing",
        keeps_well=True,
        is_lossless=False,
        holds_s=5.0,
    )


def _of_rest(fault: str, progress: str, *, is_final: bool = False) -> Case:
    """Return the case of a hole that cannot be repaired for a while: the streams are well."""
    return Case(
        f"{fault.replace(':', ' ')}",
        (fault, "skip:0.3"),
        states=WELL,
        counts="missing",
        progress=progress,
        keeps_well=True,
        whole_within_s=float("inf") if is_final else 12.0,
        retry_s=2.0 if "retry" in fault else 0.0,
    )


CASES: dict[str, Case] = {
    case.name: case
    for part in (_closed, _connections, _frames, _clocks, _handshakes, _rest)
    for case in part()
}
