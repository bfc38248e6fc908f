"""Simulated experiments whose truth is known: who spends what on which day, and how the arms are drawn.

Belongs here: worlds, and how often an interval is wrong in them, vectorised over members. Used by unit tests with a few
hundred worlds, and by tests/benchmarks/experiments.py with thousands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from orchestration.accountability.experiments import Experiment
from orchestration.accountability.outcomes import always_valid, treatment_outcomes
from orchestration.accountability.scorecard import pays
from orchestration.accountability.sequences import cautious_p_value
from orchestration.accountability.statistics import cuped, welch

DAYS = 90
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Looks:
    """(worlds, members) arms, and (worlds, members, looks) spend until each look; `part` is the share of days
    passed."""

    treated: npt.NDArray[np.bool_]
    spend: Floats
    part: Floats


@dataclass(frozen=True)
class Closed:
    """(worlds, members) arms, spend in the 90 days before and in the 90 days after; `truth` is what treatment adds a
    member on average."""

    treated: npt.NDArray[np.bool_]
    before: Floats
    after: Floats
    truth: float


# Of `daily_spend`: the mean of a customer's day.
MEAN_OF_A_DAY = 0.04 * float(np.exp(0.6**2 / 2 + 3 + 0.9**2 / 2))


def daily_spend(random: np.random.Generator, members: int, days: int = DAYS) -> Floats:
    """(members, days) spend of customers who differ: each buys at a rate of their own, and baskets are log-normal."""
    rate = random.gamma(1.0, 0.04, size=(members, 1))
    bought = random.random((members, days)) < rate
    size = np.exp(random.normal(0, 0.6, size=(members, 1)))
    return np.asarray(bought * size * np.exp(random.normal(3, 0.9, size=(members, days))))


def daily_looks(
    random: np.random.Generator, worlds: int, members: int, share: float, uplift: float = 0.0, looks: int = DAYS
) -> Looks:
    """Everyone is assigned on day 0 and looked at on every day; the treated spend `uplift` (a share) more."""
    treated = random.random((worlds, members)) < share
    ends = np.unique(np.linspace(1, DAYS, looks).astype(int))
    spend = np.empty((worlds, members, ends.size))
    for world in range(worlds):
        days = daily_spend(random, members) * (1 + uplift * treated[world][:, np.newaxis])
        spend[world] = np.cumsum(days, axis=1)[:, ends - 1]
    return Looks(treated, spend, ends / DAYS)


def batches(random: np.random.Generator, worlds: int, members: int, share: float, every: int = 15) -> Looks:
    """Members come in six batches, `every` days apart, and are looked at daily until the last one's period has ended.

    Who is not in yet has neither spend nor arm: nan. `part` is the mean share of their periods that has passed.
    """
    treated = random.random((worlds, members)) < share
    starts = every * random.integers(0, 6, size=(worlds, members))
    ends = np.arange(1, DAYS + 5 * every + 1)
    spend = np.empty((worlds, members, ends.size))
    part = np.zeros(ends.size)
    for world in range(worlds):
        total = np.concatenate([np.zeros((members, 1)), np.cumsum(daily_spend(random, members), axis=1)], axis=1)
        passed = np.clip(ends[np.newaxis, :] - starts[world][:, np.newaxis], 0, DAYS)
        spend[world] = np.where(passed > 0, np.take_along_axis(total, passed, axis=1), np.nan)
        part += passed.mean(axis=0) / DAYS / worlds
    return Looks(treated, spend, part)


def closed(
    random: np.random.Generator, worlds: int, members: int, share: float, uplift: float = 0.0, dropping_out: float = 0.0
) -> Closed:
    """Experiments of equal start, at their close: the treated spend `uplift` (a share) more.

    Args:
        dropping_out: share of the members, of either arm, who stop buying on a day at random. By intention to treat
            they count to the end.
    """
    treated = random.random((worlds, members)) < share
    before, after = np.empty((worlds, members)), np.empty((worlds, members))
    for world in range(worlds):
        days = daily_spend(random, members, 2 * DAYS)
        leaves = np.where(random.random(members) < dropping_out, random.integers(0, DAYS, members), DAYS)
        before[world] = days[:, :DAYS].sum(axis=1)
        stays = np.arange(DAYS) < leaves[:, np.newaxis]
        after[world] = (days[:, DAYS:] * stays).sum(axis=1) * (1 + uplift * treated[world])
    kept = DAYS * (1 - dropping_out) + (DAYS - 1) / 2 * dropping_out
    return Closed(treated, before, after, uplift * MEAN_OF_A_DAY * kept)


@dataclass(frozen=True)
class AtClose:
    """Share of worlds in which the fixed interval, and the one of CUPED, hold the truth, a verdict would see an effect,
    and CUPED's interval does not hold 0; and how far CUPED's mean is from the truth, in its own standard errors."""

    decided: float
    covered: float
    cuped_covered: float
    cuped_found: float
    cuped_bias: float


def at_close(worlds: Closed) -> AtClose:
    """What a refresh computes at the close of each world, held against the truth."""
    decided, covered, cuped_covered, found, estimates = 0, 0, 0, 0, []
    for treated, before, after in zip(worlds.treated, worlds.before, worlds.after, strict=True):
        plain = welch(after[treated], after[~treated])
        left = cuped(after, before)
        adjusted = welch(left[treated], left[~treated])
        p_value = cautious_p_value(left[treated], left[~treated], adjusted)
        decided += p_value is not None and p_value < 0.05
        covered += not outside(worlds.truth, plain.ci_low, plain.ci_high)
        cuped_covered += not outside(worlds.truth, adjusted.ci_low, adjusted.ci_high)
        found += outside(0.0, adjusted.ci_low, adjusted.ci_high)
        estimates.append(adjusted.difference)
    number = worlds.treated.shape[0]
    errors = np.asarray(estimates, dtype=float) - worlds.truth
    bias = float(errors.mean() / (errors.std(ddof=1) / np.sqrt(number)))
    return AtClose(decided / number, covered / number, cuped_covered / number, found / number, bias)


def experiment_of(worlds: Closed, world: int, segments: int) -> Experiment:
    """One of the worlds as a closed experiment of a treatment `t`, its members in equal segments of a scheme `s`."""
    treated = worlds.treated[world]
    members = treated.size
    return Experiment(
        experiment_id="t",
        members=[f"m{i:06}" for i in range(members)],
        arms=("none", "t"),
        arm=treated.astype(np.int64),
        arm_share=np.full(members, 0.5),
        stratum=np.zeros(members, dtype=np.int64),
        observed=np.ones(members),
        past_spend=worlds.before[world],
        past_orders=(worlds.before[world] > 0).astype(float),
        cost=np.zeros(members),
        outcomes={"spend": worlds.after[world], "orders": (worlds.after[world] > 0).astype(float)},
        is_closed=True,
        margin_share=1.0,
        segments={"s": (tuple(f"g{g:03}" for g in range(segments)), np.arange(members) % segments)},
    )


def says_yes(worlds: Closed, segments: int) -> float:
    """Share of the worlds in which the scorecard's `pays` says `yes` of a scheme of so many segments."""
    found = 0
    for world in range(worlds.treated.shape[0]):
        rows = treatment_outcomes([experiment_of(worlds, world, segments)]).to_pylist()
        found += pays([row for row in rows if row["scheme"] == "s"]) == "yes"
    return found / worlds.treated.shape[0]


def always_significant(looks: Looks, truth: float = 0.0) -> tuple[float, float, float]:
    """Share of worlds in which `truth` is ever outside the fixed interval, ever outside the one at all looks, and
    outside the fixed one at the close. A look at which nobody has come in yet shows nothing."""
    worlds = looks.treated.shape[0]
    ever_bare, ever_always, at_close = 0, 0, 0
    for world in range(worlds):
        treated = looks.treated[world]
        bare, always = [], []
        for look, part in enumerate(looks.part):
            seen = looks.spend[world, :, look]
            a, b = (arm[~np.isnan(arm)] for arm in (seen[treated], seen[~treated]))
            difference = welch(a, b)
            sequence = always_valid(a, b, difference, part * treated.size)
            bare.append(outside(truth * part, difference.ci_low, difference.ci_high))
            always.append(outside(truth * part, sequence.low, sequence.high))
        ever_bare += any(bare)
        ever_always += any(always)
        at_close += bare[-1]
    return ever_bare / worlds, ever_always / worlds, at_close / worlds


def outside(value: float, low: float | None, high: float | None) -> bool:
    """Whether an interval misses the value; one that was not given misses nothing."""
    return low is not None and high is not None and not low <= value <= high


def policy_world(
    random: np.random.Generator,
    members: int,
    effects: Floats,
    shares: tuple[float, ...],
    sizes: tuple[float, ...] | None = None,
    heavy: bool = True,
) -> Experiment:
    """A closed experiment with one scheme `s`: spend foretold in part by past spend, plus an effect by segment and arm.

    Args:
        effects: (segments, arms) money a member, the first arm being the holdout. shares: of the arms.
        sizes: shares of the segments; equal where they are not given.
    """
    segments, arms = effects.shape
    group = random.choice(segments, p=sizes, size=members)
    arm = random.choice(arms, p=shares, size=members)
    level = random.gamma(1.0, 30.0, size=members) * (1 + group % 3)
    noise = random.lognormal(0, 1.2 if heavy else 0.3, size=(2, members)) * (random.random((2, members)) < 0.7)
    past, spend = level * noise[0], level * noise[1] + effects[group, arm]
    names = ("none", *(f"t{a}" for a in range(1, arms)))
    return Experiment(
        experiment_id="e",
        members=[f"m{i}" for i in range(members)],
        arms=names,
        arm=arm.astype(np.int64),
        arm_share=np.asarray(shares)[arm],
        stratum=np.zeros(members, dtype=np.int64),
        observed=np.ones(members),
        past_spend=past,
        past_orders=(past > 0).astype(float),
        cost=np.zeros(members),
        outcomes={"spend": spend, "orders": (spend > 0).astype(float)},
        is_closed=True,
        margin_share=1.0,
        segments={"s": (tuple(f"g{g:03}" for g in range(segments)), group.astype(np.int64))},
    )


def true_dividend(effects: Floats, sizes: tuple[float, ...] | None = None) -> float:
    """What the best policy by segment earns a member more than the best single arm."""
    weights = np.full(effects.shape[0], 1 / effects.shape[0]) if sizes is None else np.asarray(sizes)
    return float(weights @ effects.max(axis=1) - (weights @ effects).max())
