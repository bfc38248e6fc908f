"""The formulas of the account against scipy, against exact enumeration, and against their own invariants."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from orchestration.accountability import statistics
from orchestration.accountability.statistics import (
    benjamini_hochberg,
    cuped,
    drawn_p_value,
    exact_p_value,
    jensen_shannon_distance,
    kruskal_wallis,
    kruskal_wallis_within,
    minimum_detectable_difference,
    permutation_p_value,
    power_to_see,
    same_mix_p_value,
    sample_ratio_p_value,
    welch,
)


def counts(*values: int) -> np.ndarray:
    return np.asarray(values, dtype=np.int64)


def is_rejected(p_value: float | None) -> bool:
    return p_value is not None and p_value < 0.05


# Few different values, so that ties are the rule.
GROUPED_VALUES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), min_size=5, max_size=60)
MIXES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=6)


# ---- Kruskal-Wallis ---------------------------------------------------------------------------------------------


@given(GROUPED_VALUES)
def test_h_and_p_equal_scipys_kruskal_with_ties(rows: list[tuple[int, int]]) -> None:
    groups = np.asarray([group for group, _ in rows])
    values = np.asarray([value for _, value in rows], dtype=float)
    test = kruskal_wallis(values, groups)
    if test.h is None:
        assert len(set(groups)) < 2 or len(set(values)) == 1 or len(set(groups)) == len(rows)
        return
    expected = stats.kruskal(*[values[groups == group] for group in np.unique(groups)])
    assert test.h == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert test.p_value == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)


def test_effect_by_hand() -> None:
    # Ranks 1 2 3 | 4 5 6: H = 12 / (6 x 7) x (6^2 / 3 + 15^2 / 3) - 3 x 7 = 27 / 7; effect = (27 / 7 - 1) / (6 - 2).
    test = kruskal_wallis(np.asarray([1.0, 2.0, 3.0, 10.0, 20.0, 30.0]), counts(0, 0, 0, 1, 1, 1))
    assert (test.n, test.k) == (6, 2)
    assert test.h == pytest.approx(27 / 7)
    assert test.effect == pytest.approx((27 / 7 - 1) / 4)


@given(GROUPED_VALUES, st.randoms(use_true_random=False))
def test_order_of_members_and_names_of_groups_do_not_matter(rows: list[tuple[int, int]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one = kruskal_wallis(np.asarray([v for _, v in rows], float), np.asarray([g for g, _ in rows]))
    two = kruskal_wallis(np.asarray([v for _, v in shuffled], float), np.asarray([7 - g for g, _ in shuffled]))
    assert (one.n, one.k) == (two.n, two.k)
    assert one.h == pytest.approx(two.h, rel=1e-12) if one.h is not None else two.h is None
    assert (
        one.effect == pytest.approx(two.effect, rel=1e-9, abs=1e-12) if one.effect is not None else two.effect is None
    )


@given(GROUPED_VALUES)
def test_only_the_order_of_values_matters(rows: list[tuple[int, int]]) -> None:
    groups = np.asarray([group for group, _ in rows])
    values = np.asarray([value for _, value in rows], dtype=float)
    assert kruskal_wallis(values, groups) == kruskal_wallis(np.exp(values), groups)


@pytest.mark.parametrize(
    ("values", "groups", "effect"),
    [
        ([], [], None),
        ([1.0], [0], None),
        ([1.0, 2.0, 3.0], [0, 0, 0], None),  # one segment
        ([1.0, 2.0, 3.0], [0, 1, 2], None),  # as many segments as members
        ([5.0, 5.0, 5.0, 5.0], [0, 0, 1, 1], 0.0),  # nothing varies
    ],
)
def test_what_cannot_be_compared_is_null_and_no_exception(
    values: list[float], groups: list[int], effect: float | None
) -> None:
    test = kruskal_wallis(np.asarray(values, float), np.asarray(groups, dtype=np.int64))
    assert (test.h, test.p_value, test.effect) == (None, None, effect)


def test_random_labels_are_rejected_at_the_tests_error_rate() -> None:
    random = np.random.default_rng(1)
    trials = 1_000
    spend = np.round(random.lognormal(size=(trials, 120)), 1)
    labels = random.integers(0, 4, size=(trials, 120))
    rejected = sum(is_rejected(kruskal_wallis(spend[i], labels[i]).p_value) for i in range(trials))
    # 5 % +- 4 standard errors of a binomial with 1,000 trials.
    assert 50 - 4 * 6.9 <= rejected <= 50 + 4 * 6.9


def test_within_strata_sums_h_degrees_and_members() -> None:
    random = np.random.default_rng(2)
    values, groups, strata = random.normal(size=90), random.integers(0, 3, 90), np.repeat([1, 2, 3], 30)
    parts = [kruskal_wallis(values[strata == s], groups[strata == s]) for s in (1, 2, 3)]
    h = sum(part.h or 0 for part in parts)
    pooled = kruskal_wallis_within(values, groups, strata)
    assert pooled.h == pytest.approx(h)
    assert pooled.degrees == 6
    assert pooled.p_value == pytest.approx(stats.chi2.sf(h, 6))
    assert pooled.effect == pytest.approx(max(0.0, (h - 6) / (90 - 9)))


def test_a_label_that_mirrors_the_stratum_has_no_effect_within_it() -> None:
    random = np.random.default_rng(3)
    past = random.lognormal(size=3_000)
    spend = past * random.lognormal(sigma=0.3, size=3_000)
    quintile = stats.rankdata(past) * 5 // 3_001
    noisy = np.where(random.random(3_000) < 0.2, random.integers(0, 5, 3_000), quintile).astype(np.int64)
    assert (kruskal_wallis(spend, noisy).effect or 0) > 0.3
    assert (kruskal_wallis_within(spend, noisy, quintile.astype(np.int64)).effect or 0) < 0.01
    exact = kruskal_wallis_within(spend, quintile.astype(np.int64), quintile.astype(np.int64))
    assert (exact.effect, exact.p_value) == (0.0, None)


def test_a_label_with_an_effect_of_its_own_keeps_it_within_strata() -> None:
    random = np.random.default_rng(4)
    quintile, label = random.integers(1, 6, 3_000), random.integers(0, 2, 3_000)
    spend = quintile * 10 + label * 3 + random.normal(size=3_000)
    pooled = kruskal_wallis_within(spend, label, quintile)
    assert (pooled.effect or 0) > 0.3
    assert is_rejected(pooled.p_value)


# ---- false discoveries ------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_equals_scipys_false_discovery_control(p_values: list[float]) -> None:
    assert benjamini_hochberg(list(p_values)) == pytest.approx(stats.false_discovery_control(p_values), abs=1e-12)


@given(st.lists(st.none() | st.floats(0, 1), max_size=30))
def test_untested_rows_stay_untested_and_do_not_count(p_values: list[float | None]) -> None:
    adjusted = benjamini_hochberg(p_values)
    assert [q is None for q in adjusted] == [p is None for p in p_values]
    assert [q for q in adjusted if q is not None] == benjamini_hochberg([p for p in p_values if p is not None])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_is_never_below_p_and_never_above_1(p_values: list[float]) -> None:
    for p, q in zip(p_values, benjamini_hochberg(list(p_values)), strict=True):
        assert q is not None
        assert p <= q <= 1


# ---- two mixes --------------------------------------------------------------------------------------------------


@given(MIXES)
def test_divergence_equals_scipys_jensenshannon(mixes: list[tuple[int, int]]) -> None:
    a, b = counts(*[x for x, _ in mixes]), counts(*[y for _, y in mixes])
    distance = jensen_shannon_distance(a, b)
    if a.sum() == 0 or b.sum() == 0:
        assert distance is None
        return
    # Near 0 the square root turns a rounding error of 1e-17 into 3e-9.
    assert distance**2 == pytest.approx(np.nan_to_num(jensenshannon(a, b, 2)) ** 2, abs=1e-12)


def test_divergence_is_0_for_the_same_mix_and_1_for_nothing_in_common() -> None:
    assert jensen_shannon_distance(counts(1, 2, 3), counts(10, 20, 30)) == pytest.approx(0, abs=1e-7)
    assert jensen_shannon_distance(counts(4, 0), counts(0, 9)) == 1


def test_divergence_by_hand() -> None:
    # (1, 0) and (1/2, 1/2), middle (3/4, 1/4): ((log2 4/3) + (log2 2/3 + log2 2) / 2) / 2 bits.
    bits = (math.log2(4 / 3) + (math.log2(2 / 3) + 1) / 2) / 2
    assert jensen_shannon_distance(counts(6, 0), counts(5, 5)) == pytest.approx(math.sqrt(bits))


@given(st.lists(st.tuples(st.integers(10, 60), st.integers(10, 60)), min_size=2, max_size=6))
def test_p_of_large_counts_equals_scipys_chi2_contingency(mixes: list[tuple[int, int]]) -> None:
    table = np.asarray(mixes).T
    expected = stats.chi2_contingency(table, correction=False)
    if expected.expected_freq.min() < 5:
        return
    assert same_mix_p_value(table[0], table[1], "x") == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)


def every_labelling_p(a: np.ndarray, b: np.ndarray) -> float:
    """p over every way to choose who is in the first row: the permutation test with all its permutations."""
    members = np.repeat(np.arange(a.size), a + b)
    expected = (a + b) * a.sum() / (a + b).sum()

    def distance(row: np.ndarray) -> float:
        return float(np.sum((row - expected) ** 2 / (a + b)))

    seen = [
        distance(np.bincount(members[list(chosen)], minlength=a.size))
        for chosen in itertools.combinations(range(members.size), int(a.sum()))
    ]
    return float(np.mean(np.asarray(seen) >= distance(a) - 1e-9))


SMALL_TABLES = [((3, 1), (1, 4)), ((2, 0, 1), (1, 3, 2)), ((1, 1, 1), (4, 0, 1)), ((5,), (2,)), ((0, 2, 2), (3, 1, 1))]


@pytest.mark.parametrize(("a", "b"), SMALL_TABLES)
def test_p_of_small_counts_equals_that_over_every_labelling(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    assert same_mix_p_value(counts(*a), counts(*b), "x") == pytest.approx(every_labelling_p(counts(*a), counts(*b)))


@pytest.mark.parametrize(("a", "b"), [((9, 2, 1), (4, 8, 3)), ((6, 6, 2), (5, 7, 3)), ((8, 1, 0), (2, 9, 4))])
def test_drawn_p_is_near_the_exact_one(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    exact = exact_p_value(counts(*a), counts(*a) + counts(*b))
    error = math.sqrt(exact * (1 - exact) / (9_999 if exact < 0.09 else 999))
    assert drawn_p_value(counts(*a), counts(*a) + counts(*b), "seed") == pytest.approx(exact, abs=4 * error + 1e-4)


@pytest.mark.filterwarnings("error")
def test_expected_counts_just_below_and_at_5_choose_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "permutation_p_value", lambda *_: -1.0)
    assert same_mix_p_value(counts(5, 15), counts(5, 15), "x") == pytest.approx(1)  # smallest expected count 5
    assert same_mix_p_value(counts(5, 15), counts(4, 16), "x") == -1  # 4.5


def test_drawn_p_repeats_by_seed_and_differs_between_seeds() -> None:
    a, both = counts(9, 20, 11, 3), counts(30, 45, 21, 8)
    first = drawn_p_value(a, both, "rfm|a|b")
    drawn_p_value(a, both, "another comparison in between")
    assert drawn_p_value(a, both, "rfm|a|b") == first
    assert drawn_p_value(a, both, "rfm|a|c") != first


def test_p_does_not_depend_on_which_row_comes_first_where_it_is_exact() -> None:
    assert exact_p_value(counts(3, 1, 2), counts(4, 5, 5)) == pytest.approx(
        exact_p_value(counts(1, 4, 3), counts(4, 5, 5))
    )


def test_members_too_many_to_list_are_drawn() -> None:
    both = counts(100, 90, 80, 70, 3, 4, 5)
    half = counts(50, 45, 40, 35, 1, 2, 2)
    assert permutation_p_value(half, both, "x") == drawn_p_value(half, both, "x")


def test_permuted_p_has_its_error_rate_where_nothing_differs() -> None:
    random = np.random.default_rng(5)
    mix = [0.7, 0.2, 0.1]
    rejected = sum(
        is_rejected(same_mix_p_value(random.multinomial(20, mix), random.multinomial(30, mix), str(i)))
        for i in range(600)
    )
    # At most 5 % + 4 standard errors; discrete, so it may be below.
    assert 5 <= rejected <= 30 + 4 * 5.4


def test_the_same_single_category_is_no_difference() -> None:
    assert same_mix_p_value(counts(7, 0), counts(3, 0), "x") == 1


def test_an_empty_row_is_not_tested() -> None:
    assert same_mix_p_value(counts(0, 0), counts(3, 1), "x") is None
    assert jensen_shannon_distance(counts(0, 0), counts(3, 1)) is None


# ---- power ------------------------------------------------------------------------------------------------------


def test_power_equals_the_share_of_simulated_tables_that_are_seen() -> None:
    # Two groups of 60 over 3 categories whose joint table has w = 0.3.
    random = np.random.default_rng(6)
    base, shift = np.asarray([1 / 3, 1 / 3, 1 / 3]), np.asarray([1.0, 0.0, -1.0])
    # Shares base +- d x shift in two halves: w^2 = sum of (d x shift)^2 / base.
    d = 0.3 / math.sqrt(float(np.sum(shift**2 / base)))
    trials = 2_000
    first = random.multinomial(60, base + d * shift, size=trials)
    second = random.multinomial(60, base - d * shift, size=trials)
    tables = np.stack([first, second], axis=1)
    seen = np.mean([stats.chi2_contingency(table, correction=False).pvalue < 0.05 for table in tables])
    assert power_to_see(120, 3, 0.3, 0.05) == pytest.approx(seen, abs=0.04)


def test_power_of_cohens_table() -> None:
    # Cohen (1988), table 9.3.2 and others: w = 0.3, one degree of freedom, N = 88 gives 0.80 at the 5 % level.
    assert power_to_see(87, 2, 0.3, 0.05) < 0.8 <= power_to_see(88, 2, 0.3, 0.05)


def test_power_rises_with_members_and_falls_with_categories() -> None:
    assert power_to_see(0, 3, 0.3, 0.05) == 0
    assert power_to_see(50, 3, 0.3, 0.05) < power_to_see(100, 3, 0.3, 0.05)
    assert power_to_see(100, 8, 0.3, 0.05) < power_to_see(100, 3, 0.3, 0.05)
    assert power_to_see(100, 1, 0.3, 0.05) == power_to_see(100, 2, 0.3, 0.05)


# ---- experiments ------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(2, 40))
def test_welch_equals_scipys_ttest_ind(seed: int, n_treated: int, n_holdout: int) -> None:
    random = np.random.default_rng(seed)
    treated, holdout = random.lognormal(size=n_treated), random.lognormal(sigma=2, size=n_holdout)
    expected = stats.ttest_ind(treated, holdout, equal_var=False)
    found = welch(treated, holdout)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    interval = expected.confidence_interval(0.95)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert found.difference == pytest.approx(treated.mean() - holdout.mean())


def test_welch_of_a_single_member_has_no_interval() -> None:
    found = welch(np.asarray([3.0]), np.asarray([1.0, 2.0]))
    assert (found.difference, found.ci_low, found.p_value) == (1.5, None, None)
    assert welch(np.asarray([]), np.asarray([1.0])).difference is None


def test_cuped_keeps_the_mean_and_narrows_the_interval() -> None:
    random = np.random.default_rng(7)
    before, treated = random.lognormal(size=400), np.arange(400) % 2 == 0
    spend = 2 * before + random.normal(size=400) + treated
    adjusted = cuped(spend, before)
    assert adjusted.mean() == pytest.approx(spend.mean())
    plain, narrow = welch(spend[treated], spend[~treated]), welch(adjusted[treated], adjusted[~treated])
    assert narrow.standard_error < plain.standard_error / 2


def test_cuped_interval_holds_the_planted_uplift_19_times_in_20() -> None:
    random = np.random.default_rng(7)
    held, trials = 0, 800
    for _ in range(trials):
        before, treated = random.lognormal(size=200), random.permutation(np.arange(200) % 2 == 0)
        adjusted = cuped(2 * before + random.normal(size=200) + treated, before)
        test = welch(adjusted[treated], adjusted[~treated])
        held += test.ci_low <= 1 <= test.ci_high
    # 95 % +- 4 standard errors.
    assert held / trials == pytest.approx(0.95, abs=4 * 0.0077)


def test_cuped_without_a_past_changes_nothing() -> None:
    assert cuped(np.asarray([1.0, 5.0]), np.asarray([0.0, 0.0])).tolist() == [1.0, 5.0]


def test_a_true_difference_of_the_detectable_size_is_seen_four_times_in_five() -> None:
    random = np.random.default_rng(8)
    size = minimum_detectable_difference(math.sqrt(2 / 50), 98)
    trials = 1_500
    tests = [welch(random.normal(size, 1, 50), random.normal(0, 1, 50)) for _ in range(trials)]
    seen = np.mean([is_rejected(test.p_value) for test in tests])
    assert seen == pytest.approx(0.8, abs=0.045)


def test_sample_ratio_p_equals_scipys_chisquare() -> None:
    def p_value(sizes: list[int], expected: list[float]) -> float | None:
        return sample_ratio_p_value(np.asarray(sizes), np.asarray(expected))

    assert p_value([560, 440], [500, 500]) == pytest.approx(stats.chisquare([560, 440], [500, 500]).pvalue)
    three = stats.chisquare([300, 280, 420], [330, 330, 340]).pvalue
    assert p_value([300, 280, 420], [330, 330, 340]) == pytest.approx(three, rel=1e-9)
    assert p_value([90, 10], [90, 10]) == 1
    assert p_value([100, 0], [100, 0]) is None
    assert p_value([80, 20], [100, 0]) == 0, "a holdout where none was to be"
    assert p_value([1, 99], [0, 100]) == 0
