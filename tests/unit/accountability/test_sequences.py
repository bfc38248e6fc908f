"""Intervals and tests at every look: the papers' formulas by hand, inverses, and what thousands of worlds say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from orchestration.accountability.sequences import (
    RATIO_WEIGHT,
    always_p_value,
    always_reach,
    cautious_error,
    r2,
    sequential_sample_ratio_p_value,
    standard_errors,
)
from orchestration.accountability.statistics import welch
from tests.support.worlds import always_significant, at_close, batches, closed, daily_looks


@pytest.mark.parametrize("t", [50, 1_000, 64_000])
def test_the_bound_is_theorem_2_2_of_waudby_smith_and_others(t: int) -> None:
    # As printed: s x sqrt(2 (t r2 + 1) / (t^2 r2) x log(sqrt(t r2 + 1) / alpha)), and s = error x sqrt(t).
    r_squared = (-2 * math.log(0.05) + math.log(-2 * math.log(0.05)) + 1) / 1_000
    printed = math.sqrt(2 * (t * r_squared + 1) / (t**2 * r_squared) * math.log(math.sqrt(t * r_squared + 1) / 0.05))
    assert always_reach(1 / math.sqrt(t), None, t) == pytest.approx(printed, rel=1e-12)


def test_the_bound_is_tightest_near_where_it_is_tuned() -> None:
    # Their tuning is an approximation to the minimum over r of the width at one t.
    best = optimize.minimize_scalar(
        lambda r_squared: (1 + 1 / (1_000 * r_squared)) * math.log((1 + 1_000 * r_squared) / 0.05**2),
        bounds=(1e-6, 1),
        method="bounded",
    )
    assert standard_errors(1_000) == pytest.approx(math.sqrt(best.fun), rel=0.002)
    assert r2() == pytest.approx(best.x, rel=0.1)
    assert standard_errors(0) == math.inf


def test_degrees_of_freedom_turn_the_normal_bound_into_students() -> None:
    b = standard_errors(300)
    assert always_reach(2.0, 12.0, 300) == pytest.approx(2 * stats.t.isf(stats.norm.sf(b), 12), rel=1e-9)
    assert always_reach(2.0, 1e7, 300) == pytest.approx(2 * b, rel=1e-5)


@pytest.mark.parametrize(("error", "degrees", "observed"), [(1.0, None, 300.0), (0.4, 25.0, 70.0), (3.0, 900.0, 5e4)])
def test_p_is_five_percent_where_the_interval_touches_zero(
    error: float, degrees: float | None, observed: float
) -> None:
    reach = always_reach(error, degrees, observed)
    assert always_p_value(reach, error, degrees, observed) == pytest.approx(0.05, rel=1e-9)
    assert always_p_value(-2 * reach, error, degrees, observed) < 0.05
    assert always_p_value(0.0, error, degrees, observed) == 1


def test_the_error_is_never_below_that_of_equal_variances() -> None:
    treated, holdout = np.asarray([0.0, 4.0, 5.0, 9.0, 2.0, 4.0]), np.zeros(3)
    pooled = stats.ttest_ind(treated, holdout)
    expected = (treated.mean() - holdout.mean()) / pooled.statistic
    assert cautious_error(treated, holdout, welch(treated, holdout)) == pytest.approx(expected)
    assert expected > welch(treated, holdout).standard_error


def test_the_sample_ratio_test_is_the_mixture_of_likelihoods() -> None:
    # Two arms: the integral of the binomial likelihood over a beta prior, against the likelihood of the drawn share.
    counts, share = (61, 39), 0.5
    prior = stats.beta(RATIO_WEIGHT * share, RATIO_WEIGHT * (1 - share))
    mixed, _ = integrate.quad(
        lambda p: p ** counts[0] * (1 - p) ** counts[1] * prior.pdf(p), 0, 1, epsabs=0, epsrel=1e-11
    )
    expected = min(1.0, share ** counts[0] * (1 - share) ** counts[1] / mixed)
    assert sequential_sample_ratio_p_value(np.asarray(counts), np.asarray([0.5, 0.5])) == pytest.approx(
        expected, rel=1e-9
    )


def test_the_sample_ratio_test_sees_what_is_off_over_all_arms() -> None:
    third = np.full(3, 1 / 3)
    assert sequential_sample_ratio_p_value(np.asarray([1_000, 990, 1_010]), third) == 1
    assert sequential_sample_ratio_p_value(np.asarray([1_000, 1_000, 700]), third) < 1e-6
    assert sequential_sample_ratio_p_value(np.asarray([10, 1, 0]), np.asarray([1.0, 0.0, 0.0])) == 0
    assert sequential_sample_ratio_p_value(np.asarray([10]), np.asarray([1.0])) is None


def test_the_sample_ratio_test_seldom_alarms_over_all_looks() -> None:
    random = np.random.default_rng(5)
    shares, worlds = np.asarray([0.6, 0.3, 0.1]), 300
    arms = random.choice(3, p=shares, size=(worlds, 2_000))
    alarms = 0
    for world in arms:
        sizes = np.cumsum(np.eye(3, dtype=np.int64)[world], axis=0)[19::20]
        alarms += min(sequential_sample_ratio_p_value(size, shares) for size in sizes) < 0.05
    # 5 % would be 15; four standard errors above it.
    assert alarms <= 30


@pytest.mark.parametrize(("share", "seed"), [(0.5, 1), (0.9, 2)])
def test_a_a_worlds_are_seldom_ever_significant_over_ninety_daily_looks(share: float, seed: int) -> None:
    # 400 worlds of 400 members with heavy-tailed spend on few days each; the whole table is
    # tests/benchmarks/experiments.py.
    looks = daily_looks(np.random.default_rng(seed), worlds=400, members=400, share=share)
    ever_bare, ever_always, at_close = always_significant(looks)
    assert ever_bare > 0.12, "worlds in which a bare interval does not cry wolf would prove nothing"
    assert ever_always <= 0.05
    assert at_close <= 0.09


def test_a_verdict_at_the_close_is_seldom_wrong_where_the_holdout_is_small() -> None:
    # Heavy-tailed spend, 360 treated and 40 held out.
    found = at_close(closed(np.random.default_rng(6), worlds=400, members=400, share=0.9))
    assert found.covered < 0.93, "worlds in which Welch's interval holds would prove nothing"
    assert found.decided <= 0.05


def test_a_a_worlds_whose_members_come_in_batches_are_seldom_ever_significant() -> None:
    ever_bare, ever_always, _ = always_significant(
        batches(np.random.default_rng(3), worlds=100, members=200, share=0.5)
    )
    assert ever_bare > 0.12
    assert ever_always <= 0.05


def test_cuped_is_unbiased_and_covers_also_where_members_drop_out() -> None:
    worlds = closed(np.random.default_rng(4), worlds=300, members=600, share=0.5, uplift=0.3, dropping_out=0.3)
    found = at_close(worlds)
    assert abs(found.cuped_bias) < 4
    assert found.cuped_covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 300))


def test_of_a_tail_without_digits_nothing_bounds_the_effect() -> None:
    """Few degrees of freedom and hardly anything observed: the quantile is beyond all numbers, and not its negative."""
    assert always_reach(1.0, 5.0, 0.01) == math.inf
    assert 0 < always_reach(1.0, 5.0, 500.0) < math.inf
