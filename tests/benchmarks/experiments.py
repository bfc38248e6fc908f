"""How often verdicts on experiments are wrong, in simulated worlds whose truth is known: `python -m
tests.benchmarks.experiments`.

Prints a table: A/A worlds at the close and at 90 daily looks (equal and unequal arms), coverage of both intervals of an
uplift, and the dividend in worlds without and with one. A few hundred of these worlds are unit tests; this takes
minutes.
"""

from __future__ import annotations

import argparse

import numpy as np

from orchestration.accountability.dividend import cross_fitted_scores, interaction_p_value, measure
from tests.unit.accountability.worlds import always_significant, daily_looks, policy_world, true_dividend

THIRDS = (1 / 3, 1 / 3, 1 / 3)
UPLIFTS = {
    "A/A, 400 members, 1 : 1": (400, 0.5, 0.0),
    "A/A, 400 members, 9 : 1": (400, 0.9, 0.0),
    "A/A, 2,000 members, 9 : 1": (2_000, 0.9, 0.0),
    "A/A, 100 members, 1 : 1": (100, 0.5, 0.0),
}
DIVIDENDS = {
    "no effect, 4 segments, 1,000 members": (1_000, [[0, 0, 0]] * 4, THIRDS, True),
    "no effect, 30 segments, 1,000 members": (1_000, [[0, 0, 0]] * 30, THIRDS, True),
    "no effect, arms 1 : 8 : 1": (1_000, [[0, 0, 0]] * 4, (0.1, 0.8, 0.1), True),
    "one arm better everywhere": (2_000, [[0, 20, 0]] * 4, THIRDS, True),
    "two arms nearly as good everywhere": (1_000, [[0, 12, 10]] * 3, THIRDS, True),
    "planted, light tails": (2_000, [[0, 15, 0], [0, 0, 15]], THIRDS, False),
    "planted, unequal arms' worth": (2_000, [[0, 15, 0], [0, 0, 9]], THIRDS, False),
    "planted, heavy tails": (2_000, [[0, 60, 0], [0, 0, 60]], THIRDS, True),
    "planted, mixed": (3_000, [[0, 30, 10], [0, 0, 30], [0, 10, 10], [0, -20, 10]], THIRDS, True),
}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=1_000)
    worlds = parser.parse_args().worlds
    print(f"{'uplift':40s} {'ever, fixed':>12s} {'ever, always':>12s} {'at close':>10s}")
    for name, (members, share, uplift) in UPLIFTS.items():
        looks = daily_looks(np.random.default_rng(1), worlds, members, share, uplift)
        bare, always, close = always_significant(looks)
        print(f"{name:40s} {bare:12.3f} {always:12.3f} {close:10.3f}", flush=True)
    print(f"{'dividend':40s} {'truth':>8s} {'mean':>8s} {'positive':>9s} {'covered':>8s} {'interaction':>12s}")
    for name, (members, rows, shares, heavy) in DIVIDENDS.items():
        effects = np.asarray(rows, dtype=float)
        truth, found, held, interacting, sum_of = true_dividend(effects), 0, 0, 0, 0.0
        for seed in range(worlds):
            world = policy_world(np.random.default_rng([7, seed]), members, effects, shares, heavy=heavy)
            names, codes = world.segments["s"]
            scores = cross_fitted_scores(world)
            dividend = measure(world, scores, codes, len(names))
            p_value = interaction_p_value(world, scores, codes, len(names))
            found += dividend.low > 0
            held += dividend.low <= truth <= dividend.high
            interacting += p_value is not None and p_value < 0.05
            sum_of += dividend.dividend
        shares_of = (found / worlds, held / worlds, interacting / worlds)
        print(
            f"{name:40s} {truth:8.2f} {sum_of / worlds:8.2f} {shares_of[0]:9.3f} {shares_of[1]:8.3f}"
            f" {shares_of[2]:12.3f}"
        )


if __name__ == "__main__":
    main()
