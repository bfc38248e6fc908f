"""Intervals and tests that stay valid however often a running experiment is looked at.

Belongs here: formulas over summary statistics. Does not belong here: what is compared, verdicts.

A refresh is a look. An interval of fixed size read at ninety looks excludes the truth at one of them far more often
than its 5 %; the ones here bound it at all looks at once.

**Means.** The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024, Annals of
Statistics 52(6), Theorem 2.2): with t observations of variance s^2,

    estimate +- s x sqrt( 2 (t r^2 + 1) / (t^2 r^2) x log( sqrt(t r^2 + 1) / alpha ) ),

which is `b(t)` standard errors with b(t) = sqrt( (1 + 1 / (t r^2)) x log( (1 + t r^2) / alpha^2 ) ). r sets where the
sequence is tightest; it is fixed beforehand (`r2`), not tuned to the data.

- t is what has been observed, in members observed for the whole of their outcome period: members x the share of it that
  has passed. New members and new days both raise it. That days of one member resemble each other makes looks
  resemble each other, and false alarms rarer than the formula allows.
- The theorem is a limit. Two precautions make it hold for the arms of a shop (tests/benchmarks/experiments.py): the
  standard error of a difference is never below that under equal variances, because a holdout in which nobody has bought
  yet has a variance of 0; and b is read as a normal quantile and turned into the one of Student's t with Welch's
  degrees of freedom.

**Arms' sizes.** The sequential sample-ratio test of Lindon and Malek (2022, NeurIPS): the Bayes factor of a
Dirichlet-multinomial mixture around the drawn shares against the shares themselves; its inverse is a p-value at
every look.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from orchestration.accountability.statistics import Floats, Integers, MeanDifference, t_quantile, t_upper_tail

# Members observed to the end at which the sequence is tightest. It costs little elsewhere: b is 3.04 there, 3.5 at
# 64 times as many, 3.8 at a tenth. Fixed, because a value that followed the data would not be known beforehand.
TUNED_AT = 1_000.0
CONFIDENCE = 0.95
# Weight of the drawn shares in the mixture, in members. Lindon and Malek take 10,000 for large web experiments; with
# 100, 400 members who split 65 : 35 instead of 50 : 50 are seen too.
RATIO_WEIGHT = 100.0


def r2(alpha: float = 1 - CONFIDENCE, tuned_at: float = TUNED_AT) -> float:
    """r squared that makes the interval tightest at `tuned_at` observations (the same paper, appendix B.2)."""
    return (-2 * math.log(alpha) + math.log(-2 * math.log(alpha)) + 1) / tuned_at


def standard_errors(observed: float, alpha: float = 1 - CONFIDENCE) -> float:
    """b(t): standard errors to either side that hold at all looks. Infinite before anything was observed."""
    if observed <= 0:
        return math.inf
    mixed = observed * r2(alpha)
    return math.sqrt((1 + 1 / mixed) * math.log((1 + mixed) / alpha**2))


def always_reach(error: float, degrees: float | None, observed: float, alpha: float = 1 - CONFIDENCE) -> float:
    """Half the width of the interval at all looks, in the unit of `error`.

    Args:
        error: standard error of the estimate. degrees: of freedom of its t; None = none are needed.
        observed: members observed for their whole outcome period, parts counted as parts.
    """
    bound = standard_errors(observed, alpha)
    if error == 0.0 or math.isinf(bound):
        return 0.0 if error == 0.0 else math.inf
    if degrees is not None:
        # Upper tails, because a lower one near 1 has lost its digits.
        bound = -float(special.stdtrit(degrees, special.ndtr(-bound)))
    # Of a tail that has no digits left there is no quantile: nothing bounds the effect yet.
    return bound * error if bound >= 0 else math.inf


def always_p_value(estimate: float, error: float, degrees: float | None, observed: float) -> float | None:
    """The smallest alpha whose interval (at the r of 95 %) excludes 0: valid at every look. None without an error."""
    if error <= 0 or observed <= 0:
        return None
    z = abs(estimate) / error
    if degrees is not None:
        z = -float(special.ndtri(special.stdtr(degrees, -z)))
    mixed = observed * r2()
    log_p = 0.5 * math.log1p(mixed) - 0.5 * z * z * mixed / (1 + mixed)
    return math.exp(min(0.0, log_p))


def cautious_error(treated: Floats, holdout: Floats, difference: MeanDifference) -> float | None:
    """The standard error that a verdict uses: Welch's, or that under equal variances where it is larger."""
    if difference.standard_error is None:
        return None
    n_t, n_h = treated.size, holdout.size
    squares = float(treated.var()) * n_t + float(holdout.var()) * n_h
    return max(difference.standard_error, math.sqrt(squares / (n_t + n_h - 2) * (1 / n_t + 1 / n_h)))


def cautious_p_value(treated: Floats, holdout: Floats, difference: MeanDifference) -> float | None:
    """p of a difference with its cautious error: that of Welch's test, or a larger one.

    In a small arm of heavy-tailed spend the mean is low just when the variance looks small, so that Welch's test of 40
    members against 360 sees something in 10 % of experiments in which nothing is (tests/benchmarks/experiments.py).
    """
    error = cautious_error(treated, holdout, difference)
    if error is None or difference.difference is None or difference.p_value is None or difference.degrees is None:
        return None
    return max(difference.p_value, 2 * t_upper_tail(abs(difference.difference) / error, difference.degrees))


def cautious_interval(
    treated: Floats, holdout: Floats, difference: MeanDifference, confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """The interval of a difference that goes with `cautious_p_value`: both exclude 0, or neither does."""
    error = cautious_error(treated, holdout, difference)
    if error is None or difference.difference is None or difference.degrees is None:
        return None
    reach = t_quantile((1 + confidence) / 2, difference.degrees) * error
    return difference.difference - reach, difference.difference + reach


def sequential_sample_ratio_p_value(counts: Integers, shares: Floats) -> float | None:
    """p of the arms' sizes against the drawn shares, valid at every look. None with fewer than two arms.

    Args:
        counts: (k,) members by arm. shares: (k,) drawn shares, which sum to 1.
    """
    counts, shares = np.asarray(counts), np.asarray(shares, dtype=np.float64)
    if np.any((shares <= 0) & (counts > 0)):
        return 0.0
    counts, shares = counts[shares > 0], shares[shares > 0]
    if counts.size < 2:
        return None
    prior = RATIO_WEIGHT * shares
    log_factor = (
        special.gammaln(prior.sum())
        - special.gammaln(prior.sum() + counts.sum())
        + float(np.sum(special.gammaln(prior + counts) - special.gammaln(prior)))
        - float(np.sum(counts * np.log(shares)))
    )
    return float(math.exp(min(0.0, -log_factor)))
