"""What the states of a route's streams mean for the whole, in a sentence.

The first that holds of: stale (a stream is silent or stale), delayed (the kernel was busy, and what came
meanwhile is still being read), connecting (a kind of data has not come yet, or what a stream brought before
has become old), live. A quiet stream is no fault.
"""

from __future__ import annotations

from collections.abc import Sequence

from quantnb.feed.streams import MARKS, QUOTES, TRADES, Stream, Streams
from quantnb.snapshot import State

__all__ = ["listed", "verdict"]

NAMES_SHOWN = 2
_WORDS = {MARKS: "mark prices", TRADES: "trades", QUOTES: "quotes"}  # in this order


def verdict(streams: Streams, route: str, is_acknowledged: bool, now_ns: int) -> tuple[State, str]:
    """Return the state of an open route, and why."""
    of_route = streams.of_route.get(route, ())
    lacking = [each for each in of_route if each.state in ("silent", "stale")]
    opened_ns = streams.opened_ns.get(route) or 0
    if lacking:
        return "stale", _say_lacking(of_route, lacking, opened_ns, is_acknowledged)
    for kind, words in _WORDS.items():
        awaited, is_all = _awaited([each for each in of_route if each.kind == kind], now_ns)
        if not awaited:
            continue
        if streams.resumed_ns is not None and opened_ns < streams.resumed_ns:
            return "delayed", "Catching up with what arrived meanwhile."
        of_which = "" if is_all else f" of {listed([each.symbol for each in awaited])}"
        return "connecting", f"Connected; waiting for {words}{of_which}."
    return "live", ""


def _awaited(of_kind: Sequence[Stream], now_ns: int) -> tuple[list[Stream], bool]:
    """Return the streams of one kind that have to bring something first, and whether these are all of them.

    One that never brought anything may have nothing to bring. What another brought before its socket opened
    is shown as it is, so it must not be old. Mark prices come only once a second: those of before will do
    until then.
    """
    waiting = [each for each in of_kind if each.state == "waiting"]
    old = [each for each in waiting if each.is_old(now_ns)]
    is_all = bool(waiting) and len(waiting) == len(of_kind)
    if is_all and not (of_kind[0].kind == MARKS and any(each.last_ns is not None for each in waiting)):
        return waiting, True
    return old, len(old) == len(of_kind)


def _say_lacking(
    streams: Sequence[Stream], lacking: Sequence[Stream], opened_ns: int, is_acknowledged: bool
) -> str:
    silence_s = min(each.overdue_ns for each in lacking) / 1e9
    if all(each.last_ns is None or each.last_ns <= opened_ns for each in lacking):
        connected = "Connected and acknowledged" if is_acknowledged else "Connected"
        return f"{connected}, but no data of {listed([each.name for each in lacking])} for {silence_s:.0f} s."
    kind = next((kind for kind in _WORDS if any(each.kind == kind for each in lacking)), lacking[0].kind)
    of_kind = [each for each in lacking if each.kind == kind]
    silence_s = min(each.overdue_ns for each in of_kind) / 1e9
    words = _WORDS.get(kind, kind)
    if len(of_kind) < sum(each.kind == kind for each in streams):
        words += f" of {listed([each.symbol for each in of_kind])}"
    return f"Connected, but no {words} for {silence_s:.0f} s."


def listed(names: Sequence[str]) -> str:
    """Return names as words: two of them, and how many more there are."""
    if len(names) <= NAMES_SHOWN + 1:
        return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"{', '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more"
