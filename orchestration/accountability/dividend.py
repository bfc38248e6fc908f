"""Question 3, the whole of it: does telling segments apart earn more than one treatment for everybody?

Reads experiments (experiments.py); gives segment_treatment_values (what each treatment is worth in each segment) and
segmentation_dividend (the best treatment by segment against the best one for all, a member).

Value of a member = spend x margin - cost of what the arm sent. A policy says which arm each segment gets; its value is
estimated by inverse probability of the arm drawn, with regression adjustment (Athey and Wager 2021, Policy learning
with observational data; here the probabilities are known):

    score(i, a) = m(a, x) + [arm of i is a] / P(a) x (value of i - m(a, x)),
    m(a, x) = mean of arm a + slopes x (past spend and orders - their mean in the arm),

with means and slopes of the members outside the member's fold. A policy is chosen on the members outside the fold too
(Imai and Li 2023, Experimental evaluation of individualized treatment rules), so that picking the largest of many noisy
means earns nothing. What is chosen: the single arm with the highest adjusted mean, and for each segment the arm whose
advantage over it, pulled to that of everybody by empirical Bayes, is above 0. All is repeated over several divisions
into folds, which are a hash of the member: the same input gives the same number.

The interval. Standard errors are those of the members' differences (their influence function), with the spread between
divisions added (Chernozhukov and others 2018). A policy chosen from few data misses some of what the best one earns,
and a single arm chosen from few data may not be the best one; neither may make a dividend of nothing, or hide one:

- the lower bound is that of the cross-fitted policy against the single arm that leaves it the least, so that it holds
  against the true best single arm, whichever it is; p_value goes with it;
- the upper bound is at least the largest upper bound of all policies (`highest`), so that it holds for the true best
  policy, whichever it is. Without that, few members who show nothing would prove that there is nothing.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import special

from orchestration.accountability.experiments import EVERYONE, NONE, Experiment, arm_in_words, goes_on
from orchestration.accountability.inputs import RefreshSettings
from orchestration.accountability.schemas import table_of
from orchestration.accountability.sequences import always_p_value, always_reach
from orchestration.accountability.statistics import Floats, Integers, chi2_upper_tail, t_quantile, t_upper_tail

# Folds of a division and divisions: 4 of 5 members choose, the fifth values; ten divisions leave a result that would be
# much the same with ten others.
FOLDS, DIVISIONS = 5, 10
# Fewer members in an arm than this leave folds without any.
FEWEST_IN_ARM = 20
CONFIDENCE = 0.95
# Degrees of freedom of a segment's variance below which it is not known well enough for the test of interaction.
FEWEST_DEGREES = 5

SEGMENTING_PAYS, ONE_SERVES_ALL = "segmenting pays", "one treatment serves all"
NOTHING_PAYS, UNPROVEN = "nothing pays", "unproven"


@dataclass(frozen=True)
class Scores:
    """What an experiment's policies are valued by, for all schemes: arrays over divisions r, members n and arms a.

    `folds` (r, n); `slopes` (r, FOLDS, 2); `scores` (r, n, a) cross-fitted, `plain_scores` (n, a) fitted on
    everybody, and `plain_slopes` (2,). `covariates` (n, 2), centred.
    """

    values: Floats
    covariates: Floats
    folds: Integers
    slopes: Floats
    scores: Floats
    plain_slopes: Floats
    plain_scores: Floats


@dataclass(frozen=True)
class Dividend:
    """Values a member; `low`, `high` and `p_value` by the fixed interval when closed, else the one at all looks.

    None, with `reach` infinite, while so little was observed that nothing bounds the dividend.
    """

    value_none: float | None
    value_one: float
    one_treatment: str
    value_by_segment: float
    dividend: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    gain_high: float | None = None
    reach: float = math.inf


def dividend_tables(experiments: list[Experiment], settings: RefreshSettings) -> tuple[pa.Table, pa.Table]:
    """segment_treatment_values and segmentation_dividend. Of those whose segment is `unknown` only the values."""
    values: list[dict[str, Any]] = []
    dividends: list[dict[str, Any]] = []
    for experiment in experiments:
        everyone = np.zeros(experiment.size, dtype=np.int64)
        values += segment_values(experiment, EVERYONE, (EVERYONE,), everyone)
        scores: Scores | None = None
        for scheme, (names, codes) in experiment.segments.items():
            values += segment_values(experiment, scheme, names, codes)
            if len(experiment.arms) < 2:
                continue
            names, codes = experiment.known_segments(scheme)
            obstacle = what_is_missing(experiment, names, codes)
            found: Dividend | None = None
            interaction: float | None = None
            if obstacle is None:
                scores = scores or cross_fitted_scores(experiment)
                found = measure(experiment, scores, codes, len(names), experiment.single_arms(scheme))
                interaction = interaction_p_value(experiment, scores, codes, len(names))
            dividends.append(_row(experiment, scheme, codes, found, interaction, obstacle, settings))
    return table_of("segment_treatment_values", values), table_of("segmentation_dividend", dividends)


# ---- by segment and arm ----------------------------------------------------------------------------------------------


def segment_values(
    experiment: Experiment, scheme: str, names: tuple[str, ...], codes: Integers
) -> list[dict[str, Any]]:
    """One row a segment and arm: mean value, its interval, the shrunken mean, and the chance to be the best arm."""
    arms = len(experiment.arms)
    known = codes >= 0
    cells = codes[known] * arms + experiment.arm[known]
    counts = np.bincount(cells, minlength=len(names) * arms).reshape(len(names), arms)
    rows: list[dict[str, Any]] = []
    values = experiment.values
    means = low = high = shrunken = best = np.full(counts.shape, np.nan)
    if values is not None and not experiment.is_void:
        means, variances = _cell_moments(values[known], cells, counts)
        with np.errstate(invalid="ignore", divide="ignore"):
            reach = special.stdtrit(counts - 1, (1 + CONFIDENCE) / 2) * np.sqrt(variances / counts)
        low, high = np.where(counts > 1, means - reach, np.nan), np.where(counts > 1, means + reach, np.nan)
        shrunken, spread = shrink_to_arm(means, counts, values[known], experiment.arm[known])
        best = probability_best(shrunken, spread)
    for g, segment in enumerate(names):
        for a, arm in enumerate(experiment.arms):
            rows.append(
                {
                    "scheme": scheme,
                    "segment": segment,
                    "experiment_id": experiment.experiment_id,
                    "treatment_id": arm,
                    "members": int(counts[g, a]),
                    "mean_value": _number(means[g, a]),
                    "ci_low": _number(low[g, a]),
                    "ci_high": _number(high[g, a]),
                    "shrunken_value": _number(shrunken[g, a]),
                    "probability_best": _number(best[g, a]),
                }
            )
    return rows


def shrink_to_arm(means: Floats, counts: Integers, values: Floats, arm: Integers) -> tuple[Floats, Floats]:
    """Segment means pulled to their arm's mean by empirical Bayes, and the standard deviation of what is left unknown.

    Variance between segments by the method of moments (DerSimonian and Laird 1986), within them that of the whole
    arm: a small segment's own is too little known. A segment without members in the arm gets the arm's mean.

    Args:
        means, counts: (segments, arms). values, arm: (n,) of the members.
    """
    shrunken, spread = np.full(means.shape, np.nan), np.full(means.shape, np.nan)
    for a in range(means.shape[1]):
        inside = values[arm == a]
        if inside.size < 2:
            continue
        there = counts[:, a] > 0
        centre = float(inside.mean())
        n, y = counts[there, a], means[there, a]
        within = float(np.sum((inside - centre) ** 2) - np.sum(n * (y - centre) ** 2)) / max(1, inside.size - n.size)
        within = max(0.0, within) if inside.size > n.size else float(inside.var(ddof=1))
        error = within / np.maximum(counts[:, a], 1)
        between = between_variance(y, within / n)
        kept = np.where(there, between / (between + error) if within + between > 0 else 1.0, 0.0)
        shrunken[:, a] = centre + kept * (np.where(there, means[:, a], centre) - centre)
        left = np.where(there, kept * error, between)
        spread[:, a] = np.sqrt(left + (1 - kept) ** 2 * within / inside.size)
    return shrunken, spread


def between_variance(means: Floats, variances: Floats) -> float:
    """Variance of true means around their centre: DerSimonian and Laird's moments, at least 0."""
    if means.size < 2 or np.any(variances <= 0):
        return float(means.var(ddof=1)) if means.size > 1 else 0.0
    weights = 1 / variances
    centre = np.average(means, weights=weights)
    q = float(np.sum(weights * (means - centre) ** 2))
    scale = float(weights.sum() - np.sum(weights**2) / weights.sum())
    return max(0.0, (q - (means.size - 1)) / scale) if scale > 0 else 0.0


_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(48)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def probability_best(means: Floats, spread: Floats) -> Floats:
    """(segments, arms) chance that the arm is the best one of the segment, of independent normal beliefs.

    The integral over one arm's belief of the chances that all others lie below, by Gauss and Hermite's rule. An
    arm of which nothing is known, of fewer than two members, has no chance and takes none from the others (NaN); nor
    has one that is left alone by that.
    """
    chances = np.full(means.shape, np.nan)
    arms = np.flatnonzero(~np.isnan(means).any(axis=0))
    if arms.size < min(2, means.shape[1]):
        return chances
    floor = np.maximum(spread, 1e-12 * (1 + np.abs(means)))
    for a in arms:
        # (segments, nodes)
        at = means[:, a, np.newaxis] + floor[:, a, np.newaxis] * _NODES
        below = np.ones(at.shape)
        for b in arms:
            if b != a:
                below *= special.ndtr((at - means[:, b, np.newaxis]) / floor[:, b, np.newaxis])
        chances[:, a] = below @ _WEIGHTS
    return np.asarray(chances / np.nansum(chances, axis=1, keepdims=True))


# ---- the dividend ----------------------------------------------------------------------------------------------------


def what_is_missing(experiment: Experiment, names: tuple[str, ...], codes: Integers) -> str | None:
    """Why there is no dividend to measure, as a sentence with the next step; None where there is."""
    if experiment.is_void:
        return (
            f"The arms are not of the sizes that were drawn (p = {experiment.srm_p_value:.2g}), so nothing is "
            "compared: find out who is missing from assignments, and land all who were assigned."
        )
    if experiment.values is None:
        return "No product says its margin, so nobody knows what an uplift is worth: fill in unit_margin in products."
    if not names:
        return (
            "The scheme knows none of the members who took part, so there is nothing to tell apart: land what it is "
            "read from (docs/schemes.md)."
        )
    if len(names) < 2:
        return (
            f"Only the segment {names[0]} took part, so there is nothing to tell apart: "
            "assign members of other segments too."
        )
    sizes = np.bincount(experiment.arm[codes >= 0], minlength=len(experiment.arms))
    if sizes.min() < FEWEST_IN_ARM:
        arm = experiment.arms[int(sizes.argmin())]
        return (
            f"Only {sizes.min():,} of {sizes.sum():,} members are in the arm {arm}, and fewer than {FEWEST_IN_ARM} "
            "show nothing: assign more members to it."
        )
    return None


def cross_fitted_scores(experiment: Experiment) -> Scores:
    """Scores of every member and arm, the same for all schemes."""
    values = experiment.values
    assert values is not None
    covariates = np.column_stack([experiment.past_spend, experiment.past_orders])
    covariates = covariates - covariates.mean(axis=0)
    folds = folds_of(experiment.members)
    arms, n = len(experiment.arms), experiment.size
    shares = experiment.propensities
    slopes, scores = np.empty((DIVISIONS, FOLDS, 2)), np.empty((DIVISIONS, n, arms))
    for r in range(DIVISIONS):
        for fold in range(FOLDS):
            outside = folds[r] != fold
            means, centres, slopes[r, fold] = _fit(values[outside], covariates[outside], experiment.arm[outside], arms)
            inside = ~outside
            scores[r, inside] = _scores(
                values[inside],
                covariates[inside],
                experiment.arm[inside],
                shares[inside],
                means,
                centres,
                slopes[r, fold],
            )
    means, centres, plain = _fit(values, covariates, experiment.arm, arms)
    plain_scores = _scores(values, covariates, experiment.arm, shares, means, centres, plain)
    return Scores(values, covariates, folds, slopes, scores, plain, plain_scores)


def folds_of(members: list[str]) -> Integers:
    """(DIVISIONS, n) fold of each member: a hash of the id, mixed anew for each division (splitmix64)."""
    digests = b"".join(hashlib.md5(member.encode(), usedforsecurity=False).digest()[:8] for member in members)
    seeds = np.frombuffer(digests, dtype=np.uint64)
    steps = (np.arange(1, DIVISIONS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))[:, np.newaxis]
    mixed = seeds + steps
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) % np.uint64(FOLDS), dtype=np.int64)


def _fit(values: Floats, covariates: Floats, arm: Integers, arms: int) -> tuple[Floats, Floats, Floats]:
    """Means of value (a,) and covariates (a, 2) by arm, and the slopes (2,) within arms by least squares."""
    counts = np.maximum(np.bincount(arm, minlength=arms), 1)
    means = np.bincount(arm, weights=values, minlength=arms) / counts
    sums = np.column_stack([np.bincount(arm, weights=column, minlength=arms) for column in covariates.T])
    centres = sums / counts[:, np.newaxis]
    x, y = covariates - centres[arm], values - means[arm]
    # What does not vary, or repeats the other one, gets no slope of its own.
    slopes = np.linalg.pinv(x.T @ x, rcond=1e-9, hermitian=True) @ (x.T @ y)
    return means, centres, slopes


def _scores(
    values: Floats, covariates: Floats, arm: Integers, shares: Floats, means: Floats, centres: Floats, slopes: Floats
) -> Floats:
    """(n, a) augmented inverse-probability scores."""
    foretold = means + (covariates @ slopes)[:, np.newaxis] - centres @ slopes
    rows = np.arange(values.size)
    foretold[rows, arm] += (values - foretold[rows, arm]) / shares[rows, arm]
    return np.asarray(foretold)


def measure(
    experiment: Experiment,
    scores: Scores,
    codes: Integers,
    segments: int,
    single_arms: npt.NDArray[np.bool_] | None = None,
) -> Dividend:
    """The dividend of a scheme's segments in an experiment, with its interval."""
    inside = codes >= 0
    everyone = bool(inside.all())
    group = codes if everyone else codes[inside]
    arm = experiment.arm if everyone else experiment.arm[inside]
    values = scores.values if everyone else scores.values[inside]
    x = scores.covariates if everyone else scores.covariates[inside]
    folds = scores.folds if everyone else scores.folds[:, inside]
    crossed = scores.scores if everyone else scores.scores[:, inside]
    plain = scores.plain_scores if everyone else scores.plain_scores[inside]
    shares = experiment.propensities if everyone else experiment.propensities[inside]
    n, arms = group.size, len(experiment.arms)
    rows = np.arange(n)
    may_be_one = np.ones(arms, dtype=bool) if single_arms is None else single_arms

    noise = _segment_noise(plain, values, group, arm, segments, shares)
    none = experiment.arms.index(NONE) if experiment.has_holdout else None
    # Of each division: value by segment, of the one for all, of each single arm; then squared errors of the
    # differences.
    taken, errors = np.empty((DIVISIONS, 2 + arms)), np.empty((DIVISIONS, 1 + arms))
    for r in range(DIVISIONS):
        policy, one = _chosen(values, x, group, arm, folds[r], scores.slopes[r], segments, may_be_one)
        given, single = policy[folds[r], group], one[folds[r]]
        score = crossed[r]
        by_segment, for_all = score[rows, given], score[rows, single]
        taken[r] = [by_segment.mean(), for_all.mean(), *score.mean(axis=0)]
        errors[r, 0] = _squared_error(by_segment - for_all, given, single, shares, noise)
        for a in range(arms):
            against = np.full(n, a)
            errors[r, 1 + a] = _squared_error(by_segment - score[:, a], given, against, shares, noise)
    means = taken.mean(axis=0)
    # Differences to the one for all and to each single arm.
    each = taken[:, :1] - taken[:, 1:]
    extra = each.mean(axis=0)
    error = np.sqrt((errors + (each - extra) ** 2).mean(axis=0))
    _, best = _chosen(
        values, x, group, arm, np.zeros(n, dtype=np.int64), scores.plain_slopes[np.newaxis], segments, may_be_one
    )

    degrees = float(np.bincount(arm, minlength=arms).min() - 1)
    observed = float(experiment.observed[inside].sum())

    def width(alpha: float) -> float:
        """Standard errors to either side."""
        if experiment.is_closed:
            return t_quantile(1 - alpha / 2, degrees)
        return always_reach(1.0, degrees, observed, alpha)

    def p_value(estimate: float, standard_error: float) -> float:
        if standard_error == 0.0 or estimate <= 0:
            return 1.0
        if experiment.is_closed:
            return 2 * t_upper_tail(estimate / standard_error, degrees)
        return always_p_value(estimate, standard_error, degrees, observed) or 1.0

    one_arm = int(best[0])
    # One of those that may be it has the bound; with two of them each must hold with half the risk.
    level = plain.mean(axis=0)
    spread = plain.std(axis=0) / math.sqrt(n)
    likely = probability_best(level[may_be_one][np.newaxis], spread[may_be_one][np.newaxis])[0]
    candidates = max(1, int((likely > 1 - CONFIDENCE).sum()))
    fixed, cautious = width(1 - CONFIDENCE), width((1 - CONFIDENCE) / candidates)
    found = Dividend(
        float(means[2 + none]) if none is not None else None,
        float(means[1]),
        experiment.arms[one_arm],
        float(means[0]),
        float(means[0] - means[1]),
    )
    if not (math.isfinite(fixed) and math.isfinite(cautious)):
        return found
    # The true one for all is one of the single arms: the dividend is at least what is proven against every one of them.
    against_one = np.append(True, may_be_one)
    low = float((extra - fixed * error)[against_one].min())
    high = max(
        float(extra[0] + fixed * error[0]),
        highest(plain, group, segments, shares, noise, int(np.where(may_be_one, level, -np.inf).argmax()), cautious),
    )
    gain_high = None
    if none is not None:
        gain_high = max(
            float(extra[1 + none] + fixed * error[1 + none]),
            highest(plain, group, segments, shares, noise, none, fixed),
        )
    return replace(
        found,
        low=low,
        high=high,
        p_value=max(
            p_value(float(estimate), float(own))
            for estimate, own in zip(extra[against_one], error[against_one], strict=True)
        ),
        gain_high=gain_high,
        reach=float(fixed * error[0]),
    )


def highest(
    plain: Floats, group: Integers, segments: int, shares: Floats, noise: Floats, against: int, width: float
) -> float:
    """The most that any policy by segment may earn more than a single arm: the largest upper bound over all policies.

    A policy's bound is mean + width x standard error, infinite where the width is. The best policy is one of those
    that, for some price of a variance, take the arm with the largest mean + price x variance in each segment; sixteen
    prices are tried.

    Args:
        plain: (n, arms) scores. noise: (n,) variance of what is not foretold in the member's segment. against: the arm.
    """
    if math.isinf(width):
        return math.inf
    n, arms = plain.shape
    means, variances = np.zeros((segments, arms)), np.zeros((segments, arms))
    for a in range(arms):
        if a == against:
            continue
        extra = plain[:, a] - plain[:, against]
        means[:, a] = np.bincount(group, weights=extra, minlength=segments) / n
        own = np.bincount(group, weights=extra**2, minlength=segments)
        pooled = np.bincount(group, weights=noise * (1 / shares[:, a] + 1 / shares[:, against]), minlength=segments)
        variances[:, a] = np.maximum(own, pooled) / n**2
    largest = math.sqrt(float(variances.max(axis=1).sum()))
    bounds, every = [0.0], np.arange(segments)
    for scale in np.geomspace(1e-3, 1.0, 16):
        price = width / (2 * scale * largest) if largest > 0 else 0.0
        policy = np.argmax(means + price * variances, axis=1)
        bounds.append(float(means[every, policy].sum()) + width * math.sqrt(float(variances[every, policy].sum())))
    return max(bounds)


def _chosen(
    values: Floats,
    x: Floats,
    group: Integers,
    arm: Integers,
    folds: Integers,
    slopes: Floats,
    segments: int,
    may_be_one: npt.NDArray[np.bool_],
) -> tuple[Integers, Integers]:
    """Policy (folds, segments) -> arm, and the one arm for all (folds,), chosen on the members outside each fold.

    With a single fold, on everybody.
    """
    k, arms = slopes.shape[0], may_be_one.size
    cells = (folds * segments + group) * arms + arm
    shape = (k, segments, arms)

    def sums(weights: Floats | None) -> Floats:
        by_fold = np.bincount(cells, weights=weights, minlength=k * segments * arms).reshape(shape).astype(np.float64)
        return by_fold if k == 1 else np.asarray(by_fold.sum(axis=0) - by_fold)

    counts, totals, squares = sums(None), sums(values), sums(values**2)
    covariates = [sums(x[:, 0]), sums(x[:, 1])]
    taken = covariates[0] * slopes[:, 0, np.newaxis, np.newaxis] + covariates[1] * slopes[:, 1, np.newaxis, np.newaxis]
    adjusted = totals - taken
    arm_counts, arm_sums = counts.sum(axis=1), adjusted.sum(axis=1)
    overall = arm_sums / np.maximum(arm_counts, 1)
    one = np.argmax(np.where((arm_counts > 0) & may_be_one, overall, -np.inf), axis=1)
    every = np.arange(k)
    # Variance of an arm before adjustment: it only sets how far segments are pulled to everybody.
    arm_means = totals.sum(axis=1) / np.maximum(arm_counts, 1)
    variance = np.maximum(squares.sum(axis=1) / np.maximum(arm_counts, 1) - arm_means**2, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = adjusted / counts
        error = variance[:, np.newaxis, :] / counts
        advantage = means - means[every, :, one][:, :, np.newaxis]
        spread = error + error[every, :, one][:, :, np.newaxis]
    centre = (overall - overall[every, one][:, np.newaxis])[:, np.newaxis, :]
    known = np.isfinite(advantage) & np.isfinite(spread) & (spread > 0)
    weight = np.where(known, 1 / np.where(known, spread, 1.0), 0.0)
    total = weight.sum(axis=1, keepdims=True)
    gap = np.where(known, advantage - centre, 0.0)
    middle = (weight * gap).sum(axis=1, keepdims=True) / np.maximum(total, 1e-300)
    q = (weight * np.where(known, gap - middle, 0.0) ** 2).sum(axis=1, keepdims=True)
    scale = total - (weight**2).sum(axis=1, keepdims=True) / np.maximum(total, 1e-300)
    spare = known.sum(axis=1, keepdims=True) - 1
    between = np.maximum(0.0, (q - spare) / np.maximum(scale, 1e-300)) * (spare > 0)
    kept = between / (between + np.where(known, spread, 1.0))
    pulled = centre + np.where(known, kept * gap, 0.0)
    pulled[every, :, one] = 0.0
    # Of equal ones the arm for all: nothing is told apart without a reason.
    best = np.argmax(pulled, axis=2)
    better = np.max(pulled, axis=2) > 1e-12
    return np.where(better, best, one[:, np.newaxis]), one


def _segment_noise(
    plain: Floats, values: Floats, group: Integers, arm: Integers, segments: int, shares: Floats
) -> Floats:
    """(segments,) variance of what is not foretold, of all arms of a segment together."""
    rows = np.arange(values.size)
    # score - foretold = residual / share, and foretold = (score - value / share) / (1 - 1 / share) would divide by 0
    # at a share of 1; so the residual is read off through the other form.
    own = shares[rows, arm]
    score = plain[rows, arm]
    residual = np.where(own < 1, (score - values) * own / np.maximum(1 - own, 1e-12), 0.0)
    counts = np.maximum(np.bincount(group, minlength=segments), 1)
    means = np.bincount(group, weights=residual, minlength=segments) / counts
    squares = np.bincount(group, weights=(residual - means[group]) ** 2, minlength=segments)
    return np.asarray(squares / np.maximum(counts - 1, 1))[group]


def _squared_error(extra: Floats, given: Integers, single: Integers, shares: Floats, noise: Floats) -> float:
    """Squared standard error of the mean of `extra`: that of its members, or that under equal variances of a segment's
    arms where it is larger (an arm in which nobody has bought yet has a variance of 0)."""
    n = extra.size
    rows, differs = np.arange(n), given != single
    pooled = np.where(differs, noise * (1 / shares[rows, given] + 1 / shares[rows, single]), 0.0)
    return max(float(extra.var(ddof=1)) / n, float(pooled.mean()) / n)


def interaction_p_value(experiment: Experiment, scores: Scores, codes: Integers, segments: int) -> float | None:
    """p of "the treatments do the same in every segment": a Wald test of segment x arm on adjusted means.

    Cell means are compared with those of a segment's level plus an arm's effect, by weighted least squares; the
    variance of a segment is that of its arms together, made larger by d / (d - 2) for its d degrees of freedom, so
    that small segments do not inflate the sum. Segments with an arm of fewer than two members are left out. None
    with fewer than two left.
    """
    inside = codes >= 0
    arms = len(experiment.arms)
    adjusted = scores.values[inside] - scores.covariates[inside] @ scores.plain_slopes
    cells = codes[inside] * arms + experiment.arm[inside]
    counts = np.bincount(cells, minlength=segments * arms).reshape(segments, arms)
    means, variances = _cell_moments(adjusted, cells, counts)
    degrees = counts.sum(axis=1) - arms
    with np.errstate(invalid="ignore", divide="ignore"):
        within = np.nansum(variances * (counts - 1), axis=1) / degrees
    kept = (counts.min(axis=1) >= 2) & (degrees >= FEWEST_DEGREES) & (within > 0)
    if int(kept.sum()) < 2:
        return None
    within = within[kept] * degrees[kept] / (degrees[kept] - 2)
    weight = counts[kept] / within[:, np.newaxis]
    # Two-way additive fit: effects of arms against the first, segment levels swept out.
    y = means[kept]
    centred = y - (weight * y).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
    total = weight.sum(axis=1)
    design = np.diag(weight.sum(axis=0)) - (weight / total[:, np.newaxis]).T @ weight
    effects = np.linalg.pinv(design, hermitian=True) @ (weight * centred).sum(axis=0)
    rest = y - effects
    rest = rest - (weight * rest).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
    return chi2_upper_tail(float((weight * rest**2).sum()), (int(kept.sum()) - 1) * (arms - 1))


def _cell_moments(values: Floats, cells: Integers, counts: Integers) -> tuple[Floats, Floats]:
    """Mean and variance (n - 1) of each cell; NaN where a cell has no member, or one."""
    size = counts.size
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(cells, weights=values, minlength=size) / counts.ravel()
        squares = np.bincount(cells, weights=(values - means[cells]) ** 2, minlength=size)
        variances = squares / (counts.ravel() - 1)
    variances = np.where(counts.ravel() > 1, variances, np.nan)
    return means.reshape(counts.shape), variances.reshape(counts.shape)


# ---- verdict and words -----------------------------------------------------------------------------------------------


def _row(
    experiment: Experiment,
    scheme: str,
    codes: Integers,
    found: Dividend | None,
    interaction: float | None,
    obstacle: str | None,
    settings: RefreshSettings,
) -> dict[str, Any]:
    inside = codes >= 0
    members = int(inside.sum())
    least = settings.least_dividend * float(experiment.outcomes["spend"][inside].mean()) if members else 0.0
    verdict, why = (UNPROVEN, obstacle or "") if found is None else judge(found, least, members, experiment, settings)
    return {
        "scheme": scheme,
        "experiment_id": experiment.experiment_id,
        "is_closed": experiment.is_closed,
        "members": members,
        "value_none": found and found.value_none,
        "value_one": found and found.value_one,
        "one_treatment": found and found.one_treatment,
        "value_by_segment": found and found.value_by_segment,
        "dividend": found and found.dividend,
        "ci_low": found and found.low,
        "ci_high": found and found.high,
        "p_value": found and found.p_value,
        "dividend_total": found and found.dividend * members,
        "least_dividend": least,
        "interaction_p_value": interaction,
        "verdict": verdict,
        "why": why,
    }


def judge(
    found: Dividend, least: float, members: int, experiment: Experiment, settings: RefreshSettings
) -> tuple[str, str]:
    """Verdict by the bounds, and why in one sentence that ends with the next step.

    Args:
        least: the smallest dividend a member that is worth it, as money.
    """
    if found.low is None or found.high is None:
        return UNPROVEN, (
            f"It is too early: {members:,} members have not been observed for long enough to bound what telling the "
            "segments apart may earn: wait, and change nothing on the strength of this."
        )
    sent = arm_in_words(experiment.experiment_id, found.one_treatment)
    one = "sending nothing to anybody" if found.one_treatment == NONE else f"{sent} for everybody"
    interval = f"between {_money(found.low)} and {_money(found.high)}"
    if found.low > 0:
        return SEGMENTING_PAYS, (
            f"Giving each segment its own best treatment earned {_money(found.dividend)} a member more than {one} "
            f"({interval} with 95 % certainty), {found.dividend * members:,.0f} over {members:,} members: keep the "
            "segments apart, and give each the treatment with the highest probability_best in segment_treatment_values."
        )
    if found.high < least:
        if found.one_treatment == NONE or (found.gain_high is not None and found.gain_high < least):
            return NOTHING_PAYS, (
                f"No treatment earned its keep in any segment: the best choice by segment brings at most "
                f"{_money(found.gain_high if found.gain_high is not None else found.high)} a member more than sending "
                f"nothing, and {_money(least)} would be worth it: stop sending these, or test another offer."
            )
        return ONE_SERVES_ALL, (
            f"Telling the segments apart earned at most {_money(found.high)} a member more than {one}, and "
            f"{_money(least)} would be worth it: send {sent} to all of them."
        )
    if not experiment.is_closed:
        wait = "wait for more members" if goes_on(experiment.experiment_id) else "wait until the experiment has closed"
        return UNPROVEN, (
            f"So far each segment's own best treatment may earn anything {interval} a member more than {one}: {wait}, "
            "and change nothing on the strength of this."
        )
    needed = members_next_time(found, least, members)
    return UNPROVEN, (
        f"Each segment's own best treatment may earn anything {interval} a member more than {one}, which is too wide "
        f"to decide: test again with about {needed:,} members (experiment_plans says how)."
    )


def members_next_time(found: Dividend, least: float, members: int) -> int:
    """Members with which an interval of this kind would be narrow enough: half its width at most the dividend, or
    the least that is worth it, whichever is larger. Two digits, and at least twice as many as there were."""
    target = max(found.dividend, least)
    width = found.reach if found.high is None else max(found.high - found.dividend, found.reach)
    wanted = members * (width / target) ** 2 if target > 0 else math.inf
    wanted = min(max(wanted, 2.0 * members), 1e9)
    digits = 10 ** max(0, int(math.log10(wanted)) - 1)
    return int(math.ceil(wanted / digits) * digits)


def _money(value: float) -> str:
    return f"{value:,.2f}" if abs(value) >= 0.005 or value == 0 else f"{value:.2g}"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
