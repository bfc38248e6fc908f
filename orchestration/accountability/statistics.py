"""The tests and intervals that SQL has no function for: pure functions over numpy arrays.

Belongs here: formulas. Does not belong here: tables, thresholds of a verdict, anything that reads data.
Every function is deterministic; the permutation takes its seed as text.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


# scipy.stats calls these functions too, after checks that take forty times as long: with thousands of segments and
# experiments that is most of the time.


def chi2_upper_tail(value: float, degrees: float) -> float:
    """P(X >= value) of chi-squared: scipy.stats.chi2.sf."""
    return float(special.chdtrc(degrees, value))


def t_upper_tail(value: float, degrees: float) -> float:
    """P(X >= value) of Student's t: scipy.stats.t.sf."""
    return float(special.stdtr(degrees, -value))


def t_quantile(probability: float, degrees: float) -> float:
    """The value below which Student's t lies with the probability: scipy.stats.t.ppf."""
    return float(special.stdtrit(degrees, probability))


@dataclass(frozen=True)
class RankTest:
    """A Kruskal-Wallis test. `h` is None where nothing can be compared: fewer than two groups, or no variation."""

    n: int
    k: int
    h: float | None
    degrees: int
    p_value: float | None
    effect: float | None


def rank_statistic(values: Floats, groups: Integers) -> tuple[int, int, float | None]:
    """Members, groups that occur, and Kruskal-Wallis' H with tie correction.

    H = (n - 1) x the share of the ranks' sum of squares that lies between groups, which is Kruskal and Wallis (1952)
    with the tie correction in it. None with fewer than two groups, or where all values are equal.

    Args:
        values: (n,) outcome a member, without NaN.
        groups: (n,) code of the member's group, from 0.
    """
    n = int(values.size)
    if n == 0:
        return 0, 0, None
    sizes = np.bincount(groups)
    k = int(np.count_nonzero(sizes))
    ranks = stats.rankdata(values) - (n + 1) / 2
    total = float(np.dot(ranks, ranks))
    if k < 2 or total == 0.0:
        return n, k, None
    sums = np.bincount(groups, weights=ranks)[sizes > 0]
    between = float(np.sum(sums**2 / sizes[sizes > 0]))
    return n, k, (n - 1) * between / total


def kruskal_wallis(values: Floats, groups: Integers) -> RankTest:
    """Kruskal-Wallis by groups, with effect = eta squared of H = max(0, (H - k + 1) / (n - k)).

    The effect is the share of the differences between members that the groups explain, 0 to 1, beyond what a random
    division into k groups would. Tomczak and Tomczak (2014). 0 where all values are equal, None with fewer than two
    groups or as many groups as members.
    """
    n, k, h = rank_statistic(values, groups)
    if k < 2 or n <= k:
        return RankTest(n, k, None, 0, None, None)
    if h is None:
        return RankTest(n, k, None, 0, None, 0.0)
    return RankTest(n, k, h, k - 1, chi2_upper_tail(h, k - 1), max(0.0, (h - k + 1) / (n - k)))


def kruskal_wallis_within(values: Floats, groups: Integers, strata: Integers) -> RankTest:
    """Kruskal-Wallis within strata, pooled: sums over strata of H, of its degrees of freedom, and of n - k.

    A stratum with one group, or without variation, adds no H and no degrees of freedom, but its members count: there
    the groups explain nothing. n and k are those of all strata together.
    """
    n, k, _ = rank_statistic(values, groups)
    h_sum, degrees, spare = 0.0, 0, 0
    for stratum in np.unique(strata):
        inside = strata == stratum
        n_in, k_in, h_in = rank_statistic(values[inside], groups[inside])
        spare += n_in - k_in
        if h_in is not None and n_in > k_in:
            h_sum += h_in
            degrees += k_in - 1
    if k < 2 or spare <= 0:
        return RankTest(n, k, None, 0, None, None)
    if degrees == 0:
        return RankTest(n, k, None, 0, None, 0.0)
    return RankTest(n, k, h_sum, degrees, chi2_upper_tail(h_sum, degrees), max(0.0, (h_sum - degrees) / spare))


def benjamini_hochberg(p_values: list[float | None]) -> list[float | None]:
    """False-discovery-adjusted p-values (Benjamini and Hochberg 1995) in the order given. None stays None."""
    known = [i for i, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    ordered = sorted(known, key=lambda i: (p_values[i], i), reverse=True)
    running = 1.0
    for rank_from_top, i in enumerate(ordered):
        p = p_values[i]
        assert p is not None
        running = min(running, p * len(known) / (len(known) - rank_from_top))
        # p x m / m may come out a rounding error below p.
        adjusted[i] = max(p, running)
    return adjusted


def jensen_shannon_distance(counts_a: Integers, counts_b: Integers) -> float | None:
    """Square root of the Jensen-Shannon divergence to base 2 of two rows of counts: 0 = same mix, 1 = nothing shared.

    None where a row is empty. Lin (1991); Endres and Schindelin (2003).
    """
    total_a, total_b = int(counts_a.sum()), int(counts_b.sum())
    if total_a == 0 or total_b == 0:
        return None
    share_a, share_b = counts_a / total_a, counts_b / total_b
    middle = (share_a + share_b) / 2
    divergence = (_bits(share_a, middle) + _bits(share_b, middle)) / 2
    return math.sqrt(min(1.0, max(0.0, divergence)))


def _bits(share: Floats, middle: Floats) -> float:
    """Kullback-Leibler divergence of `share` from `middle` in bits."""
    seen = share > 0
    return float(np.sum(share[seen] * np.log2(share[seen] / middle[seen])))


def same_level_p_value(counts_a: Integers, counts_b: Integers) -> float | None:
    """p of "both rows have the same level" of an ordered value: Kruskal-Wallis of two groups, with tie correction.

    Args:
        counts_a, counts_b: (c,) members by value, values in ascending order.

    Returns:
        None where a row is empty; 1 where all members have one value.
    """
    n_a, n_b = int(counts_a.sum()), int(counts_b.sum())
    if n_a == 0 or n_b == 0:
        return None
    ties = counts_a + counts_b
    members = n_a + n_b
    # Mid-rank of each value, from the mean of all ranks.
    ranks = np.cumsum(ties) - ties + (ties + 1) / 2 - (members + 1) / 2
    total = float(np.dot(ties, ranks**2))
    if total == 0.0:
        return 1.0
    sum_a = float(np.dot(counts_a, ranks))
    return chi2_upper_tail((members - 1) * sum_a**2 * (1 / n_a + 1 / n_b) / total, 1)


# Draws of a permutation: the smallest p is 1 in 10,000, and a p near 0.05 is known to +-0.002 (one standard error).
PERMUTATIONS = 9_999
# After so many draws a p of 0.1 or more is good enough (+-0.01 to 0.016): no verdict hangs on its third digit.
FIRST_PERMUTATIONS = 999
CLEARLY_LIKELY = 0.1
# Up to so many different rows are listed instead of drawn: that is faster and has no error.
LISTED_TABLES = 2_000
# Below this expected count the chi-squared distribution is no longer a good approximation (Cochran 1954).
SMALLEST_EXPECTED_COUNT = 5.0


def same_mix_p_value(counts_a: Integers, counts_b: Integers, seed: str) -> float | None:
    """p of "both rows are draws from one mix": Pearson's chi-squared, or a permutation where a count is small.

    Args:
        counts_a, counts_b: (c,) members by category. Categories empty in both are left out.
        seed: text that names the comparison; the same text gives the same draws.

    Returns:
        None where a row is empty; 1 where both rows have one and the same category.
    """
    n_a, n_b = int(counts_a.sum()), int(counts_b.sum())
    if n_a == 0 or n_b == 0:
        return None
    columns = counts_a + counts_b
    kept = columns > 0
    columns, observed = columns[kept], counts_a[kept]
    if columns.size < 2:
        return 1.0
    if min(n_a, n_b) * columns.min() / (n_a + n_b) < SMALLEST_EXPECTED_COUNT:
        return permutation_p_value(observed, columns, seed)
    distance = _distance_from_margins(observed[np.newaxis, :], columns)[0]
    chi2 = distance * (n_a + n_b) ** 2 / (n_a * n_b)
    return chi2_upper_tail(chi2, columns.size - 1)


def permutation_p_value(observed: Integers, columns: Integers, seed: str) -> float:
    """p of a row's counts by giving its members' places to members of both rows at random, margins kept.

    Shuffling labels draws the row from a multivariate hypergeometric distribution, so it is drawn from there. The
    statistic is Pearson's chi-squared up to a constant factor. Where all such rows can be listed, p is exact.

    Args:
        observed: (c,) counts of the row. columns: (c,) counts of both rows together, none of them 0.
    """
    smaller = observed if 2 * observed.sum() <= columns.sum() else columns - observed
    if _tables_at_most(int(smaller.sum()), columns.size) <= LISTED_TABLES:
        return exact_p_value(smaller, columns)
    return drawn_p_value(smaller, columns, seed)


def exact_p_value(observed: Integers, columns: Integers) -> float:
    """The limit of the permutation: the chance of all rows with these margins at least as far as `observed`."""
    return _exact_p_value(tuple(sorted(zip(columns.tolist(), observed.tolist(), strict=True))))


# Small segments make the same few tables again and again: of the demo's 67,000, a quarter are different.
@lru_cache(maxsize=2**16)
def _exact_p_value(table: tuple[tuple[int, int], ...]) -> float:
    """Of a table as (count of both rows together, count of the row), sorted: the order of categories says nothing."""
    columns, observed = np.array(table, dtype=np.int64).T
    distances, chances = _listed_rows(tuple(columns.tolist()), int(observed.sum()))
    reached = _distance_from_margins(observed[np.newaxis, :], columns)[0]
    return min(1.0, float(chances[distances >= reached * (1 - 1e-9) - 1e-15].sum()))


def _tables_at_most(size: int, categories: int) -> int:
    """Upper bound of the rows of `size` members over `categories`."""
    return math.comb(size + categories - 1, categories - 1)


@lru_cache(maxsize=256)
def _listed_rows(columns: tuple[int, ...], size: int) -> tuple[Floats, Floats]:
    """(m,) distance from the margins and hypergeometric chance of every row of `size` members within `columns`."""
    totals = np.asarray(columns, dtype=np.int64)
    room = np.concatenate([np.cumsum(totals[::-1])[::-1], [0]])
    rows, left = np.zeros((1, 0), dtype=np.int64), np.array([size])
    for j, total in enumerate(columns):
        lowest, highest = np.maximum(0, left - room[j + 1]), np.minimum(total, left)
        choices = highest - lowest + 1
        parents = np.repeat(np.arange(len(left)), choices)
        counts = lowest[parents] + np.arange(parents.size) - np.repeat(np.cumsum(choices) - choices, choices)
        rows, left = np.column_stack([rows[parents], counts]), left[parents] - counts
    logs = special.gammaln(totals + 1) - special.gammaln(rows + 1) - special.gammaln(totals - rows + 1)
    n = totals.sum()
    all_ways = special.gammaln(n + 1) - special.gammaln(size + 1) - special.gammaln(n - size + 1)
    return _distance_from_margins(rows, totals), np.asarray(np.exp(logs.sum(axis=1) - all_ways), dtype=np.float64)


def drawn_p_value(observed: Integers, columns: Integers, seed: str) -> float:
    """The permutation by drawing. p = (1 + draws at least as far) / (1 + draws): never 0, keeps its error rate.

    Phipson and Smyth (2010). At most PERMUTATIONS draws, fewer where p is clearly likely.
    """
    digest = hashlib.sha256(seed.encode("utf-8")).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
    # A draw equal to the observed row may come out a rounding error below it, and still counts.
    reached = _distance_from_margins(observed[np.newaxis, :], columns)[0] * (1 - 1e-9)
    size, draws, as_far, p_value = int(observed.sum()), 0, 0, 0.0
    for more in (FIRST_PERMUTATIONS, PERMUTATIONS - FIRST_PERMUTATIONS):
        drawn = generator.multivariate_hypergeometric(columns, size, size=more, method="marginals")
        as_far += int(np.count_nonzero(_distance_from_margins(drawn, columns) >= reached))
        draws += more
        p_value = (1 + as_far) / (1 + draws)
        if p_value >= CLEARLY_LIKELY:
            break
    return p_value


def _distance_from_margins(rows: Integers, columns: Integers) -> Floats:
    """(m,) sum of (count - expected)^2 / column total: chi-squared x n_a n_b / N^2. `rows` is (m, c)."""
    expected = rows.sum(axis=1, keepdims=True) * (columns / columns.sum())
    return np.asarray(np.sum((rows - expected) ** 2 / columns, axis=1), dtype=np.float64)


def effective_members(n_a: int, n_b: int) -> float:
    """Members of two groups of equal size that tell as much as these two: 4 n_a n_b / (n_a + n_b).

    Chi-squared grows with n_a n_b / (n_a + n_b): one member beside two thousand tells as much as four, two by two.
    """
    return 4 * n_a * n_b / (n_a + n_b) if n_a + n_b else 0.0


@cache
def power_to_see(members: float, categories: int, w: float, alpha: float) -> float:
    """Chance that a chi-squared test at level `alpha` sees a difference of Cohen's `w` in a 2 x `categories` table.

    Noncentral chi-squared with noncentrality members x w^2 and categories - 1 degrees of freedom (Cohen 1988, ch. 7).
    With one category there is nothing to spread over: counted as two.
    """
    degrees = max(1, categories - 1)
    if members <= 0:
        return 0.0
    return float(stats.ncx2.sf(stats.chi2.isf(alpha, degrees), degrees, members * w * w))


@cache
def power_to_explain(members: int, groups: int, effect: float, alpha: float) -> float:
    """Chance that Kruskal-Wallis at level `alpha` sees groups that explain the share `effect` of the differences.

    Noncentral chi-squared with groups - 1 degrees of freedom and noncentrality members x effect / (1 - effect): members
    x Cohen's f squared (Cohen 1988, ch. 8). 0 with fewer than two groups.
    """
    if groups < 2 or members <= 0:
        return 0.0
    noncentrality = members * effect / (1 - effect)
    return float(stats.ncx2.sf(stats.chi2.isf(alpha, groups - 1), groups - 1, noncentrality))


@dataclass(frozen=True)
class MeanDifference:
    """Treated minus holdout, with Welch's interval. Null fields where an arm has fewer than two members."""

    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    standard_error: float | None
    degrees: float | None


def welch(treated: Floats, holdout: Floats, confidence: float = 0.95) -> MeanDifference:
    """Difference in means with unequal variances: Welch (1947), t quantiles, Satterthwaite's degrees of freedom.

    Where neither arm varies the difference is exact: the interval has no width, and there is no p-value.
    """
    n_t, n_h = treated.size, holdout.size
    if n_t == 0 or n_h == 0:
        return MeanDifference(None, None, None, None, None, None)
    difference = float(treated.mean() - holdout.mean())
    if n_t < 2 or n_h < 2:
        return MeanDifference(difference, None, None, None, None, None)
    part_t, part_h = float(treated.var(ddof=1)) / n_t, float(holdout.var(ddof=1)) / n_h
    error = math.sqrt(part_t + part_h)
    if error == 0.0:
        return MeanDifference(difference, difference, difference, None, 0.0, None)
    degrees = (part_t + part_h) ** 2 / (part_t**2 / (n_t - 1) + part_h**2 / (n_h - 1))
    reach = t_quantile((1 + confidence) / 2, degrees) * error
    p_value = 2 * t_upper_tail(abs(difference) / error, degrees)
    return MeanDifference(difference, difference - reach, difference + reach, p_value, error, degrees)


def cuped(outcome: Floats, before: Floats) -> Floats:
    """The outcome with what `before` foretells taken off, mean kept: Deng, Xu, Kohavi and Walker (2013).

    One slope for both arms together, so that the difference in means keeps its expectation. Unchanged where `before`
    does not vary.
    """
    if outcome.size < 2:
        return outcome
    centred = before - before.mean()
    variation = float(np.dot(centred, centred))
    if variation == 0.0:
        return outcome
    slope = float(np.dot(centred, outcome - outcome.mean())) / variation
    return np.asarray(outcome - slope * centred, dtype=np.float64)


def minimum_detectable_difference(error: float, degrees: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest true difference that a two-sided t test sees with `power`: (t_1-alpha/2 + t_power) x error."""
    return (t_quantile(1 - alpha / 2, degrees) + t_quantile(power, degrees)) * error


def sample_ratio_p_value(counts: Integers, expected: Floats) -> float | None:
    """Chi-squared p of the arms' sizes against those that the drawn shares let expect.

    An arm that nobody should be in is left out where nobody is, and makes p 0 where somebody is. None with fewer
    than two arms.

    Args:
        counts: (k,) members by arm. expected: (k,) members by arm if drawn as said, of the same sum.
    """
    counts, expected = np.asarray(counts), np.asarray(expected, dtype=np.float64)
    empty = expected <= 0
    if np.any(counts[empty] > 0):
        return 0.0
    counts, expected = counts[~empty], expected[~empty]
    if counts.size < 2:
        return None
    return chi2_upper_tail(float(np.sum((counts - expected) ** 2 / expected)), counts.size - 1)
