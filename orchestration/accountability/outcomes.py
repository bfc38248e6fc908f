"""Question 3: does treating members pay, against a randomised holdout, net of cost?

Reads experiments (experiments.py); gives treatment_outcomes (one row a scheme, segment, experiment, treatment and
outcome; once with scheme and segment `all`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from orchestration.accountability.experiments import EVERYONE, NONE, OUTCOMES, UNKNOWN, Experiment
from orchestration.accountability.schemas import table_of
from orchestration.accountability.sequences import (
    always_p_value,
    always_reach,
    cautious_error,
    cautious_interval,
    cautious_p_value,
)
from orchestration.accountability.statistics import (
    Floats,
    Integers,
    MeanDifference,
    benjamini_hochberg,
    cuped,
    minimum_detectable_difference,
    welch,
)


@dataclass(frozen=True)
class AlwaysValid:
    """Interval of a difference that holds at all looks at once, and its p-value. None where nothing is compared."""

    low: float | None = None
    high: float | None = None
    p_value: float | None = None


def treatment_outcomes(experiments: list[Experiment]) -> pa.Table:
    """All experiments, by segment on the day of assignment. p is adjusted over the rows of a scheme.

    `verdict_q_value` adjusts what a verdict may use: where the experiment is closed the p of the fixed test after
    CUPED, with the cautious error; where it is open the one that is valid at every look. `verdict_net_value` is of the
    same difference, `verdict_net_low` and `verdict_net_high` of the interval that goes with that p. Members whose
    segment is `unknown` have rows, but no verdict: they are not among what is adjusted.
    """
    rows: list[dict[str, Any]] = []
    for experiment in experiments:
        groups = {(EVERYONE, EVERYONE): np.arange(experiment.size)}
        for scheme, (names, codes) in experiment.segments.items():
            order = np.argsort(codes, kind="stable")
            starts = np.searchsorted(codes[order], np.arange(len(names) + 1))
            for code, segment in enumerate(names):
                groups[scheme, segment] = order[starts[code] : starts[code + 1]]
        for (scheme, segment), inside in groups.items():
            for treatment_id in experiment.treatments:
                for outcome in OUTCOMES:
                    row = compare(experiment, treatment_id, inside, outcome)
                    rows.append({"scheme": scheme, "segment": segment, **row})
    for scheme in {row["scheme"] for row in rows}:
        of_scheme = [row for row in rows if row["scheme"] == scheme]
        decisive = [None if row["segment"] == UNKNOWN else row["decisive_p_value"] for row in of_scheme]
        for p_values, q_name in (([row["p_value"] for row in of_scheme], "q_value"), (decisive, "verdict_q_value")):
            for row, q in zip(of_scheme, benjamini_hochberg(p_values), strict=True):
                row[q_name] = q
    return table_of("treatment_outcomes", rows)


def compare(experiment: Experiment, treatment_id: str, inside: Integers, outcome: str) -> dict[str, Any]:
    """One row: a treatment against the holdout among the members at the places `inside`.

    A void experiment keeps counts and means only.
    """
    in_treated, in_holdout = experiment.in_arm(treatment_id)[inside], experiment.in_arm(NONE)[inside]
    both = inside[in_treated | in_holdout]
    treated = in_treated[in_treated | in_holdout]
    values = experiment.outcomes[outcome][both]
    plain, adjusted = _nothing(), _nothing()
    always, adjusted_always = AlwaysValid(), AlwaysValid()
    closing_p_value: float | None = None
    closing: tuple[float, float] | None = None
    if not experiment.is_void:
        observed = float(experiment.observed[both].sum())
        plain = welch(values[treated], values[~treated])
        always = always_valid(values[treated], values[~treated], plain, observed)
        without_past = cuped(values, experiment.past_spend[both])
        adjusted = welch(without_past[treated], without_past[~treated])
        adjusted_always = always_valid(without_past[treated], without_past[~treated], adjusted, observed)
        closing_p_value = cautious_p_value(without_past[treated], without_past[~treated], adjusted)
        closing = cautious_interval(without_past[treated], without_past[~treated], adjusted)
    cost = _mean(experiment.cost[both][treated])
    is_money = outcome == "spend"
    decisive = adjusted if experiment.is_closed else plain
    margin_share = experiment.margin_share
    bounds: tuple[float | None, float | None] | None = closing if experiment.is_closed else (always.low, always.high)
    net_low, net_high = net_bounds(bounds, margin_share, cost) if is_money else (None, None)
    return {
        "experiment_id": experiment.experiment_id,
        "treatment_id": treatment_id,
        "outcome": outcome,
        "is_closed": experiment.is_closed,
        "n_treated": int(treated.sum()),
        "n_holdout": int((~treated).sum()),
        "mean_treated": _mean(values[treated]),
        "mean_holdout": _mean(values[~treated]),
        "uplift": plain.difference,
        "ci_low": plain.ci_low,
        "ci_high": plain.ci_high,
        "always_low": always.low,
        "always_high": always.high,
        "cuped_uplift": adjusted.difference,
        "cuped_ci_low": adjusted.ci_low,
        "cuped_ci_high": adjusted.ci_high,
        "cuped_always_low": adjusted_always.low,
        "cuped_always_high": adjusted_always.high,
        "p_value": plain.p_value,
        "always_p_value": always.p_value,
        "decisive_p_value": closing_p_value if experiment.is_closed else always.p_value,
        "minimum_detectable_effect": _detectable(plain),
        "srm_p_value": experiment.srm_p_value,
        "margin_share": margin_share if is_money else None,
        "cost_per_member": cost if is_money else None,
        "net_value": net_value(plain.difference, margin_share, cost) if is_money else None,
        "verdict_net_value": net_value(decisive.difference, margin_share, cost) if is_money else None,
        "verdict_net_low": net_low,
        "verdict_net_high": net_high,
    }


def always_valid(treated: Floats, holdout: Floats, difference: MeanDifference, observed: float) -> AlwaysValid:
    """The interval at all looks around a difference of two arms; none where neither arm varies, because a few members
    who have not bought yet are not known to go on so.

    Args:
        treated, holdout: outcomes by member. difference: their Welch comparison. observed: members observed to the end.
    """
    error = cautious_error(treated, holdout, difference)
    if not error or difference.difference is None or observed <= 0:
        return AlwaysValid()
    reach = always_reach(error, difference.degrees, observed)
    if not math.isfinite(reach):
        return AlwaysValid(None, None, always_p_value(difference.difference, error, difference.degrees, observed))
    return AlwaysValid(
        difference.difference - reach,
        difference.difference + reach,
        always_p_value(difference.difference, error, difference.degrees, observed),
    )


def net_value(uplift: float | None, margin_share: float | None, cost: float | None) -> float | None:
    """Uplift x margin - cost, a member assigned to treatment. None where one of them is not known: never a guess."""
    if uplift is None or margin_share is None or cost is None:
        return None
    return uplift * margin_share - cost


def net_bounds(
    bounds: tuple[float | None, float | None] | None, margin_share: float | None, cost: float | None
) -> tuple[float | None, float | None]:
    """Net value at both ends of uplift's interval, the lower one first. None where an end is not known."""
    low, high = (net_value(bound, margin_share, cost) for bound in bounds or (None, None))
    # With a margin below 0 more uplift is less value.
    return (high, low) if low is not None and high is not None and high < low else (low, high)


def _detectable(difference: MeanDifference) -> float | None:
    if difference.standard_error is None or difference.degrees is None:
        return None
    return minimum_detectable_difference(difference.standard_error, difference.degrees)


def _nothing() -> MeanDifference:
    return MeanDifference(None, None, None, None, None, None)


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None
