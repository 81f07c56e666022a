"""A scan in blocks of legs y, here or on a cluster: the same blocks, so the same numbers."""

from __future__ import annotations

from typing import Any

from quantnb.errors import InvalidSettingError
from quantnb.stats.scan_gram import GramBlock, Regressors, gram_block

__all__ = ["gram_blocks"]

_LEGS_Y = 32  # of one block: its planes of 32 x n_symbols stay in the processor's cache


def gram_blocks(regressors: Regressors, client: Any = None) -> list[GramBlock]:
    """Return all blocks, in the order of their legs y.

    Parameters
    ----------
    regressors : Regressors
        Of all symbols.
    client : dask.distributed.Client, optional
        Whose workers compute the blocks; each gets the regressors once. dask itself is not imported.
    """
    n_symbols = regressors.levels.shape[0]
    firsts = list(range(0, n_symbols, _LEGS_Y))
    lasts = [min(first + _LEGS_Y, n_symbols) for first in firsts]
    if client is None:
        return [gram_block(regressors, first, last) for first, last in zip(firsts, lasts, strict=True)]
    return _on_cluster(client, regressors, firsts, lasts)


def _on_cluster(client: Any, regressors: Regressors, firsts: list[int], lasts: list[int]) -> list[GramBlock]:
    if not all(hasattr(client, name) for name in ("scatter", "submit", "gather")):
        raise InvalidSettingError(
            f"client is a dask.distributed.Client, not {type(client).__name__}; "
            "leave it out to scan on this machine."
        )
    [shared] = client.scatter([regressors], broadcast=True, hash=False)
    futures = [
        client.submit(gram_block, shared, first, last, pure=False)
        for first, last in zip(firsts, lasts, strict=True)
    ]
    blocks: list[GramBlock] = client.gather(futures)
    return blocks
