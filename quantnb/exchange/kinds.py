"""Every fault the local exchange can be asked for: its name, what it does and its arguments, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["CLOSE_CODES", "CUT", "GARBAGE", "KINDS", "UNTRUSTED_TLS", "Kind", "Parameter"]

UNTRUSTED_TLS = "untrusted-tls"
CUT = 1006  # no close frame has this code: it stands for a connection that ends without one
CLOSE_CODES = ("1000", "1001", str(CUT), "1008", "1011", "1012", "1013")
GARBAGE = (
    "any",
    "truncated",
    "not-utf8",
    "empty",
    "not-object",
    "wrong-type",
    "missing-field",
    "unknown-event",
    "unknown-symbol",
    "nan-price",
    "negative-price",
    "zero-price",
    "infinite-price",
    "microseconds",
    "future",
    "coin-m",
    "off-mark",
    "big",
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a fault; it is a text where it has no bounds. Without a default it may be left out."""

    name: str
    default: float | str | None = None
    bounds: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    is_needed: bool = False

    @property
    def form(self) -> str:
        """How it stands in the table: ``p=0.05``, or ``for=`` where nothing is the default."""
        shown = f"{self.default:g}" if isinstance(self.default, float) else self.default or ""
        return f"{self.name}={shown}"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault. Its first parameter may be given without its name."""

    does: str
    parameters: tuple[Parameter, ...] = ()


def _number(
    name: str, default: float | None = None, lowest: float = 0.0, highest: float = math.inf
) -> Parameter:
    return Parameter(name, default, (lowest, highest))


AT = _number("at", 0.0)
FOR = _number("for")
EVERY = _number("every", None, 0.1)
AFTER = _number("after")
TIMES = _number("times", None, 1)
P = _number("p", 1.0, 0.0, 1.0)
RARELY = _number("p", 0.05, 0.0, 1.0)
ROUTE = Parameter("route", "any", choices=("any", "market", "public", "private"))
STREAM = Parameter("stream", "*")
PATH = Parameter("path", "*")
CODE = Parameter("code", str(CUT), choices=CLOSE_CODES)

_HTTP = {
    403: "403 and an HTML page, as a firewall does",
    418: "418, banned",
    429: "429, too many requests",
    451: "451, not available from this location",
    500: "500, unknown error",
    502: "502 and an HTML page",
    503: "503, service unavailable",
    504: "504 and an HTML page",
}
_RETRY = _number("retry")


def _kinds() -> dict[str, Kind]:
    return {
        # Connections.
        "drop": Kind(
            "closes the connections with this code (1006: cut without a close frame) once; every=S: again and"
            " again; after=S: each one when it is S seconds old",
            (CODE, EVERY, AFTER, ROUTE),
        ),
        "rst": Kind("as drop, but with a TCP reset", (EVERY, AFTER, ROUTE)),
        "half-open": Kind(
            "says nothing any more: no data, no pong, no FIN, and what it is sent is not read; after=S: from"
            " that age on; connections=open: only those that are open when it begins; when it ends they are"
            " reset",
            (FOR, AFTER, ROUTE, Parameter("connections", "all", choices=("all", "open"))),
        ),
        "silent-socket": Kind("sends no data, but answers pings and requests", (ROUTE,)),
        "silent-stream": Kind("sends nothing on these streams", (Parameter("stream", is_needed=True),)),
        "ack-only": Kind(
            "acknowledges subscriptions and never delivers them, not even after it ends: subscribe again",
            (ROUTE,),
        ),
        "refuse-subscribe": Kind(
            "answers SUBSCRIBE with an error of this code", (_number("code", 2.0, -99_999), TIMES, ROUTE)
        ),
        "accept-close": Kind("closes new connections as soon as they are open", (CODE, TIMES, ROUTE)),
        "max-age": Kind(
            "closes each connection with 1001 at this age (Binance: 24 h); warning=S: says serverShutdown S"
            " seconds before",
            (_number("seconds", 20.0, 0.1), _number("warning"), ROUTE),
        ),
        "slow-reader": Kind(
            "cuts off whoever is further behind than so many bytes", (_number("bytes", 65_536.0, 1), ROUTE)
        ),
        # Frames.
        "delay": Kind(
            "sends frames so many seconds late; jitter=S: and up to S more, so they overtake each other",
            (_number("seconds", 0.5), _number("jitter", 0.0), P, STREAM),
        ),
        "duplicate": Kind("sends a frame twice", (RARELY, STREAM)),
        "reorder": Kind(
            "sends a frame after the next ones of its stream (a second late at most)",
            (RARELY, _number("by", 1.0, 1), STREAM),
        ),
        "skip": Kind("leaves trades out of the stream; REST has them", (RARELY, STREAM)),
        "garbage": Kind(
            "sends something else instead of a frame (how=extra: before it); size: bytes of big, seconds of"
            " future, fraction of off-mark",
            (
                Parameter("kind", "any", choices=GARBAGE),
                RARELY,
                Parameter("how", "instead", choices=("instead", "extra")),
                _number("size"),
                STREAM,
            ),
        ),
        "error-frame": Kind(
            "sends an error that nobody asked for before a frame",
            (_number("code", 3.0, -99_999), RARELY, STREAM),
        ),
        "burst": Kind(
            "lets so many trades of a symbol (default: the first that trades) happen within 100 ms, once;"
            " they are part of the truth; every=S: again and again",
            (_number("n", 1_100.0, 1, 100_000), Parameter("symbol"), EVERY),
        ),
        # Time.
        "clock": Kind(
            "sets the exchange's whole clock ahead (negative: back, it then waits until time has caught up)",
            (_number("seconds", 5.0, -1e9, 1e9),),
        ),
        "push-clock": Kind(
            "falsifies E in frames and REST's serverTime only", (_number("seconds", 5.0, -1e9, 1e9),)
        ),
        # HTTP.
        "handshake-delay": Kind(
            "answers handshakes late; after 10 s it gives up and cuts", (_number("seconds", 2.0), P, ROUTE)
        ),
        **{
            f"handshake-{status}": Kind(f"answers handshakes with {words}", (_RETRY, TIMES, P, ROUTE))
            for status, words in _HTTP.items()
        },
        "rest-delay": Kind(
            "answers REST late; after 10 s it gives up and cuts", (_number("seconds", 2.0), P, PATH)
        ),
        "rest-cut": Kind("ends REST connections without an answer", (TIMES, P, PATH)),
        "rest-garbage": Kind(
            "answers REST with a body that is no JSON",
            (Parameter("kind", "truncated", choices=("truncated", "html", "empty")), TIMES, P, PATH),
        ),
        "rest-too-old": Kind(
            "refuses aggTrades by fromId or startTime that are older than so many seconds, with -4166",
            (_number("older", 0.0), TIMES),
        ),
        **{
            f"rest-{status}": Kind(f"answers REST with {words}", (_RETRY, TIMES, P, PATH))
            for status, words in _HTTP.items()
        },
    }


def _with_times(kind: Kind) -> Kind:
    own = {parameter.name for parameter in kind.parameters}
    return Kind(kind.does, kind.parameters + tuple(each for each in (AT, FOR) if each.name not in own))


KINDS = {name: _with_times(kind) for name, kind in _kinds().items()}
KINDS[UNTRUSTED_TLS] = Kind(
    "serves wss:// and https:// with a certificate that nobody trusts; only from the start on"
)
