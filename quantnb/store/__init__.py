"""Trades and closed bars in memory: typed columns, bounded, read-only views out."""

from quantnb.store.columns import Columns

__all__ = ["Columns"]
