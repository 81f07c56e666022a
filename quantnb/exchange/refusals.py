"""How the faults answer HTTP: handshakes that are refused, and REST that is late, wrong or not there."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import msgspec

from quantnb.exchange.market import Market
from quantnb.exchange.rest import PREFIX, Answer, Rest
from quantnb.exchange.sabotage import Faults, Running

__all__ = ["Refusals"]

HTML = {"Content-Type": "text/html"}
RESTRICTED = (
    "Service unavailable from a restricted location according to 'b. Eligibility' in"
    " https://www.binance.com/en/terms. Please contact customer service if you believe you received this"
    " message in error."
)
TITLES = {403: "403 Forbidden", 502: "502 Bad Gateway", 504: "504 Gateway Time-out"}
MESSAGES = {
    418: (-1003, "Way too many requests; IP(127.0.0.1) banned until {until_ms}."),
    429: (-1003, "Too many requests; current limit of IP(127.0.0.1) is 2400 requests per minute."),
    451: (0, RESTRICTED),
    500: (-1000, "An unknown error occurred while processing the request."),
    503: (-1008, "Request throttled by system-level protection; please try again."),
}
AGG_TRADES = f"{PREFIX}v1/aggTrades"


class Refusals:
    """Answers in the place of the exchange's own."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def handshake_delay_s(self, route: str) -> float:
        """Return how late a handshake is answered."""
        return sum(each.fault.number("seconds") for each in self._of_route("handshake-delay", route))

    def handshake(self, route: str, now_ms: int) -> Answer | None:
        """Return how a handshake is refused; None lets it go on."""
        if self._faults.is_idle:
            return None
        for status in (*TITLES, *MESSAGES):
            for each in self._of_route(f"handshake-{status}", route):
                return _refusal(status, each, now_ms)
        return None

    def rest_delay_s(self, target: str) -> float:
        """Return how late a REST request is answered."""
        return sum(each.fault.number("seconds") for each in self._of_path("rest-delay", target))

    def is_cut(self, target: str) -> bool:
        """Return whether a REST request gets no answer, and its connection ends."""
        return bool(self._of_path("rest-cut", target))

    def rest(self, target: str, now_ms: int, market: Market, rest: Rest) -> Answer:
        """Return the answer to a REST request: ``rest``'s own, unless a fault has another."""
        if self._faults.is_idle:
            return rest.answer(target, now_ms)
        for status in (*TITLES, *MESSAGES):
            for each in self._of_path(f"rest-{status}", target):
                return _refusal(status, each, now_ms)
        if self._is_too_old(target, now_ms, market):
            message = "Search window is restricted to recent 2 days only."
            return Answer(400, msgspec.json.encode({"code": -4166, "msg": message}))
        answer = rest.answer(target, now_ms + self._faults.push_offset_ms)
        for each in self._of_path("rest-garbage", target):
            return _garbage(each.fault.text("kind"), answer)
        return answer

    def _of_route(self, name: str, route: str) -> list[Running]:
        return [each for each in self._faults.active(name) if each.concerns(route) and each.hits(route)]

    def _of_path(self, name: str, target: str) -> list[Running]:
        """Return the faults that hit a request; their pattern is of the last part of its path, or of all."""
        path = urlsplit(target).path
        last = path.rpartition("/")[2]
        return [
            each
            for each in self._faults.active(name)
            if (each.matches("path", path) or each.matches("path", last)) and each.hits()
        ]

    def _is_too_old(self, target: str, now_ms: int, market: Market) -> bool:
        url = urlsplit(target)
        if url.path != AGG_TRADES or not self._faults.active("rest-too-old"):
            return False
        query = dict(parse_qsl(url.query, errors="replace"))
        start_ms = _start_ms(query, market)
        for each in self._faults.active("rest-too-old"):
            if start_ms is not None and now_ms - start_ms >= each.fault.number("older") * 1000:
                each.hits()
                return True
        return False


def _start_ms(query: dict[str, str], market: Market) -> int | None:
    """Return the time from which aggTrades are asked for; None for the newest."""
    symbol = query.get("symbol", "").upper()
    from_id, start_ms = query.get("fromId", ""), query.get("startTime", "")
    if symbol in market.listings and from_id.isdecimal():
        found = market.tape(symbol).from_id(int(from_id), market.visible_ms, 1)
        return int(found["time_ms"][0]) if len(found) else None
    return int(start_ms) if start_ms.isdecimal() else None


def _refusal(status: int, running: Running, now_ms: int) -> Answer:
    headers = {}
    retry_s = running.fault.number("retry") if running.fault.has("retry") else 0.0
    if running.fault.has("retry"):
        headers["Retry-After"] = f"{retry_s:.0f}"
    if status in TITLES:
        title = TITLES[status]
        page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        return Answer(status, page.encode(), HTML | headers)
    code, message = MESSAGES[status]
    until_ms = now_ms + round(retry_s * 1000)
    body = msgspec.json.encode({"code": code, "msg": message.format(until_ms=until_ms)})
    return Answer(status, body, headers)


def _garbage(kind: str, answer: Answer) -> Answer:
    if kind == "html":
        return Answer(200, b"<html><body>Please sign in to this network.</body></html>", HTML)
    body = answer.body[: len(answer.body) // 2] if kind == "truncated" else b""
    return Answer(answer.status, body, answer.headers)
