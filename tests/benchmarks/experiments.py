"""How often verdicts on experiments are wrong, in simulated worlds whose truth is known: `python -m
tests.benchmarks.experiments`.

Prints tables: A/A worlds at 90 daily looks and at the close (equal and unequal arms, members who come in batches);
worlds with an effect at their close (coverage of the fixed interval and of CUPED's, CUPED's bias, members who drop out,
power at the size that a plan names); the dividend in worlds without and with one. A few hundred of these worlds are
unit tests; this takes minutes. With `--members N` only the seconds are printed that a refresh takes for one experiment
of so many members.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from datetime import date

import numpy as np

from orchestration.accountability.dividend import cross_fitted_scores, dividend_tables, interaction_p_value, measure
from orchestration.accountability.inputs import RefreshSettings
from orchestration.accountability.outcomes import treatment_outcomes
from orchestration.accountability.plans import Ground, plan
from orchestration.accountability.statistics import Floats, cuped
from tests.support.worlds import (
    always_significant,
    at_close,
    batches,
    closed,
    daily_looks,
    policy_world,
    says_yes,
    true_dividend,
)

THIRDS = (1 / 3, 1 / 3, 1 / 3)
A_A = {
    "A/A, 400 members, 1 : 1": (400, 0.5),
    "A/A, 400 members, 9 : 1": (400, 0.9),
    "A/A, 2,000 members, 9 : 1": (2_000, 0.9),
    "A/A, 100 members, 1 : 1": (100, 0.5),
}
IN_BATCHES = {"A/A in six batches, 400 members, 1 : 1": (400, 0.5), "the same, 9 : 1": (400, 0.9)}
# Members, share treated, uplift, share that drops out.
AT_CLOSE = {
    "nothing, 400 members, 1 : 1": (400, 0.5, 0.0, 0.0),
    "nothing, 400 members, 9 : 1": (400, 0.9, 0.0, 0.0),
    "nothing, 100 members, 9 : 1": (100, 0.9, 0.0, 0.0),
    "+20 %, 1,000 members, 1 : 1": (1_000, 0.5, 0.2, 0.0),
    "+20 %, 2,000 members, 9 : 1": (2_000, 0.9, 0.2, 0.0),
    "+20 %, 30 % drop out, 1,000 members": (1_000, 0.5, 0.2, 0.3),
}
PLANNED_EFFECT = 0.2
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
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=1_000)
    parser.add_argument("--members", type=int, help="only the seconds for one experiment of so many members")
    parser.add_argument("--schemes", type=int, default=13)
    given = parser.parse_args()
    if given.members:
        print_seconds(given.members, given.schemes)
        return
    print_looks(given.worlds)
    print_closes(given.worlds)
    print_plans(given.worlds)
    print_dividends(given.worlds)


def print_looks(worlds: int) -> None:
    """Worlds without an effect, looked at daily: the share in which one is ever seen."""
    print(f"{'no effect, looked at daily':40s} {'ever, fixed':>12s} {'ever, always':>12s} {'at close':>10s}")
    for made, cases in ((daily_looks, A_A), (batches, IN_BATCHES)):
        for name, (members, share) in cases.items():
            bare, always, close = always_significant(made(np.random.default_rng(1), worlds, members, share))
            print(f"{name:40s} {bare:12.3f} {always:12.3f} {close:10.3f}", flush=True)


def print_closes(worlds: int) -> None:
    """Worlds at their close."""
    print(f"{'at the close':40s} {'covered':>8s} {'CUPED':>8s} {'verdict':>8s} {'by CUPED':>9s} {'bias, s.e.':>11s}")
    for name, (members, share, uplift, dropping_out) in AT_CLOSE.items():
        found = at_close(closed(np.random.default_rng(2), worlds, members, share, uplift, dropping_out))
        print(
            f"{name:40s} {found.covered:8.3f} {found.cuped_covered:8.3f} {found.decided:8.3f} {found.cuped_found:9.3f}"
            f" {found.cuped_bias:11.2f}",
            flush=True,
        )


def print_plans(worlds: int) -> None:
    """Experiments of the size that a plan names, for the effect that it names: how often the verdict is the true
    one."""
    print(f"{'as planned, spend a fifth higher':40s} {'members':>8s} {'found':>8s}")
    settings = RefreshSettings(date(2026, 8, 1), date(2026, 5, 3), 90, 100, 30, 0.03, PLANNED_EFFECT, 0.1)
    # As a refresh would plan it: what past spend leaves unexplained, seen on customers before the experiment.
    many = closed(np.random.default_rng(3), 1, 200_000, 0.5)
    for segments in (1, 4, 10):
        needed = plan("s", "pays", _ground(many.after[0], many.before[0], segments), settings)["members_needed"]
        found = says_yes(closed(np.random.default_rng(2), worlds, needed, 0.5, PLANNED_EFFECT), segments)
        print(f"{f'pays, {segments} segments':40s} {needed:8,} {found:8.3f}", flush=True)
    for segments in (2, 8):
        nothing = policy_world(np.random.default_rng(1), 200_000, np.zeros((segments, 3)), THIRDS)
        ground = _ground(nothing.outcomes["spend"], nothing.past_spend, segments)
        needed = plan("s", "dividend", ground, settings)["members_needed"]
        found = 0
        for seed in range(worlds):
            # By segment a fifth of spend more than the one treatment for all, which brings a fifth itself.
            effect = PLANNED_EFFECT * ground.mean
            effects = np.asarray([[0, 2 * effect, effect]] * segments)
            drawn = policy_world(np.random.default_rng([8, seed]), needed, effects, THIRDS)
            world = replace(drawn, experiment_id="uniform_s", arms=("none", "by_segment", "uniform"))
            names, codes = world.segments["s"]
            scores = cross_fitted_scores(world)
            found += measure(world, scores, codes, len(names), world.single_arms("s")).low > 0
        print(f"{f'dividend, {segments} segments':40s} {needed:8,} {found / worlds:8.3f}", flush=True)


def _ground(spend: Floats, past: Floats, segments: int) -> Ground:
    left = cuped(spend, past)
    return Ground(10**6, segments, float(left.mean()), float(left.var(ddof=1)), 20.0, None)


def print_dividends(worlds: int) -> None:
    """Worlds with and without a dividend."""
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
            f" {shares_of[2]:12.3f}",
            flush=True,
        )


def print_seconds(members: int, schemes: int) -> None:
    """One experiment of two treatments and a holdout, eight segments a scheme, through the account of a refresh."""
    effects = np.asarray([[0, 5, 0], [0, 0, 5]] * 4, dtype=float)
    world = policy_world(np.random.default_rng(1), members, effects, THIRDS)
    names, codes = world.segments["s"]
    random = np.random.default_rng(2)
    of_schemes = {f"s{number:02}": (names, random.permutation(codes)) for number in range(schemes)}
    experiment = replace(world, segments=of_schemes)
    settings = RefreshSettings(date(2026, 8, 1), date(2026, 5, 3), 90, 100, 30, 0.03, 0.01, 0.1)
    started = time.perf_counter()
    outcomes = treatment_outcomes([experiment])
    after_outcomes = time.perf_counter()
    values, dividends = dividend_tables([experiment], settings)
    done = time.perf_counter()
    print(f"{members:,} members, {schemes} schemes of {len(names)} segments, 3 arms:")
    print(f"  treatment_outcomes     {after_outcomes - started:6.2f} s  {outcomes.num_rows:,} rows")
    print(
        f"  values and dividends   {done - after_outcomes:6.2f} s  {values.num_rows:,} and {dividends.num_rows:,} rows"
    )


if __name__ == "__main__":
    main()
