"""The long form: ``make soak``, or ``python -m tests.soak --trades 1000000 --drops 100 --seed 7``."""

from __future__ import annotations

import argparse
import sys

from tests.soak.virtual import Soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--trades", type=int, default=1_000_000)
    parser.add_argument("--drops", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=100.0, help="trades/s of the three main contracts")
    parser.add_argument("--most-s", type=float, default=900.0, help="give up after so many seconds")
    args = parser.parse_args()
    print(
        f"{args.trades:,} trades, {args.drops} drops, 1 % faults of every kind, seed {args.seed}", flush=True
    )
    soak = Soak(args.trades, args.drops, seed=args.seed, rate=args.rate)
    result = soak.run(most_s=args.most_s, is_verbose=True)
    print(result)
    is_passed = result.is_perfect and result.n_lost_connections >= args.drops
    print("passed" if is_passed else "FAILED")
    return not is_passed


if __name__ == "__main__":
    sys.exit(main())
