"""Events in, snapshots out: the fold at the centre of the house."""

from quantnb.engine.engine import Engine
from quantnb.engine.settings import TIMEFRAMES, WINDOWS, Settings

__all__ = ["TIMEFRAMES", "WINDOWS", "Engine", "Settings"]
