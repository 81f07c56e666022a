"""What a session computes and keeps, checked: symbols, pair, timeframe, window, fee and memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quantnb.errors import InvalidSettingError, choices
from quantnb.stats import TIMEFRAME_NS

__all__ = [
    "MAX_SYMBOLS",
    "MAX_TAKER_FEE_BP",
    "MEMORY_MB",
    "TAKER_FEE_BP",
    "TIMEFRAMES",
    "WINDOWS",
    "Settings",
    "as_symbols",
]

TIMEFRAMES = tuple(TIMEFRAME_NS)
WINDOWS = (20, 50, 100, 200)  # offered on the screen; code may choose any from MIN_WINDOW to MAX_WINDOW
MIN_WINDOW, MAX_WINDOW = 20, 1000
TAKER_FEE_BP = 5.0  # of a regular user, 0.05 %
MAX_TAKER_FEE_BP = 100.0
MEMORY_MB = 64.0  # of trades, about two million
MIN_MEMORY_MB, MAX_MEMORY_MB = 1.0, 65_536.0
MAX_SYMBOLS = 100  # two streams each on one socket, far below the exchange's 1,024


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the engine; an impossible combination raises `InvalidSettingError`.

    Attributes
    ----------
    symbols : tuple of str
        At least two, without repetition, spelled as the exchange does.
    pair : tuple of str
        Leg y and leg x, both among ``symbols``.
    timeframe : str
        One of `TIMEFRAMES`.
    window : int
        Bars in every rolling statistic.
    taker_fee_bp : float
        What a taker order costs, in basis points of its value.
    memory_mb : float
        What the trades of all symbols together may take, in 10^6 bytes; beyond it the oldest go.
    """

    symbols: tuple[str, ...]
    pair: tuple[str, str]
    timeframe: str
    window: int
    taker_fee_bp: float = TAKER_FEE_BP
    memory_mb: float = MEMORY_MB

    def __post_init__(self) -> None:
        check_symbols(self.symbols)
        _check_pair(self.pair, self.symbols)
        if self.timeframe not in TIMEFRAME_NS:
            raise InvalidSettingError(f"The timeframe is {choices(TIMEFRAMES)}, not {self.timeframe!r}.")
        is_integer = isinstance(self.window, int) and not isinstance(self.window, bool)
        if not is_integer or not MIN_WINDOW <= self.window <= MAX_WINDOW:
            raise InvalidSettingError(
                f"The window is a whole number from {MIN_WINDOW} to {MAX_WINDOW} (bars), not {self.window!r}."
            )
        is_number = isinstance(self.taker_fee_bp, int | float) and not isinstance(self.taker_fee_bp, bool)
        if not is_number or not 0 <= self.taker_fee_bp <= MAX_TAKER_FEE_BP:
            raise InvalidSettingError(
                f"The taker fee is 0 to {MAX_TAKER_FEE_BP:g} basis points (5 is 0.05 %), "
                f"not {self.taker_fee_bp!r}."
            )
        is_number = isinstance(self.memory_mb, int | float) and not isinstance(self.memory_mb, bool)
        if not is_number or not MIN_MEMORY_MB <= self.memory_mb <= MAX_MEMORY_MB:
            raise InvalidSettingError(
                f"The memory for trades is {MIN_MEMORY_MB:g} to {MAX_MEMORY_MB:g} MB "
                f"(64 hold about two million), not {self.memory_mb!r}."
            )

    @property
    def timeframe_ns(self) -> int:
        """The length of a bar."""
        return TIMEFRAME_NS[self.timeframe]


def as_symbols(value: Any) -> tuple[str, ...]:
    """Return symbols given as a sequence or as comma-separated text."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return tuple(value)
    except TypeError:
        raise InvalidSettingError(
            f"Symbols are a list such as ['BTCUSDT', 'ETHUSDT'], not {value!r}."
        ) from None


def check_symbols(symbols: tuple[str, ...]) -> None:
    """Raise where a symbol cannot be one; whether the exchange lists it is known only once it is asked."""
    for symbol in symbols:
        if not isinstance(symbol, str) or not _could_be_symbol(symbol):
            raise InvalidSettingError(f"{symbol!r} is not a symbol; a symbol looks like BTCUSDT.")
    repeated = {symbol for symbol in symbols if symbols.count(symbol) > 1}
    if repeated:
        raise InvalidSettingError(f"{', '.join(sorted(repeated))} is in the list of symbols more than once.")
    if not 2 <= len(symbols) <= MAX_SYMBOLS:
        raise InvalidSettingError(f"A session watches 2 to {MAX_SYMBOLS} symbols, not {len(symbols)}.")


def _could_be_symbol(symbol: str) -> bool:
    # Names outside ASCII are listed, so the rule is what a name cannot hold rather than what it can.
    letters = symbol.replace("_", "")
    return 2 <= len(symbol) <= 32 and letters.isalnum() and symbol == symbol.upper()


def _check_pair(pair: tuple[str, str], symbols: tuple[str, ...]) -> None:
    if len(pair) != 2 or pair[0] == pair[1]:
        raise InvalidSettingError(f"A pair is two different symbols (y, x), not {pair!r}.")
    for leg in pair:
        if leg not in symbols:
            raise InvalidSettingError(
                f"{leg} is a leg of the pair and must be among the symbols ({', '.join(symbols)}); "
                "choose another pair or keep the symbol."
            )
