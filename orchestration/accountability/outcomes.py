"""Question 3: does treating members pay, against a randomised holdout, net of cost?

Reads experiment_members (one row a treatment and customer), experiment_segments and sales_margin; gives
treatment_outcomes (one row a scheme, segment, treatment and outcome; once with scheme and segment `all`). Landed
experiments and our own look the same here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from orchestration.accountability.inputs import active_schemes
from orchestration.accountability.schemas import table_of
from orchestration.accountability.statistics import (
    Floats,
    Integers,
    MeanDifference,
    benjamini_hochberg,
    cuped,
    minimum_detectable_difference,
    sample_ratio_p_value,
    welch,
)

# Outcomes that everyone assigned has, bought or not: a share of what was bought would compare only those who bought.
OUTCOMES = ("orders", "spend")
# Below this p the arms are not in the ratio that was drawn: something other than chance chose, and nothing is compared.
SAMPLE_RATIO_ALARM = 0.001
EVERYONE = "all"


@dataclass(frozen=True)
class Experiment:
    """Members of one experiment in the order of their ids. Arrays are (n,); money as in the order lines."""

    treatment_id: str
    is_treated: npt.NDArray[np.bool_]
    past_spend: Floats
    cost: Floats
    outcomes: dict[str, Floats]
    srm_p_value: float | None

    @property
    def is_void(self) -> bool:
        return self.srm_p_value is not None and self.srm_p_value < SAMPLE_RATIO_ALARM


def treatment_outcomes(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """All experiments, by segment on the day of assignment. p is adjusted over the rows of a scheme."""
    margin = con.execute("select max(margin_share) from sales_margin").fetchall()[0][0]
    rows: list[dict[str, Any]] = []
    segments = _segments(con, set(active_schemes(con)))
    for (treatment_id,) in con.execute("select distinct treatment_id from experiment_members order by 1").fetchall():
        experiment = _experiment(con, treatment_id)
        everyone = {(EVERYONE, EVERYONE): np.arange(experiment.is_treated.size)}
        for (scheme, segment), inside in (everyone | segments.get(treatment_id, {})).items():
            for outcome in OUTCOMES:
                rows.append({"scheme": scheme, "segment": segment, **compare(experiment, inside, outcome, margin)})
    for scheme in {row["scheme"] for row in rows}:
        of_scheme = [row for row in rows if row["scheme"] == scheme]
        for row, q in zip(of_scheme, benjamini_hochberg([row["p_value"] for row in of_scheme]), strict=True):
            row["q_value"] = q
    return table_of("treatment_outcomes", rows)


def compare(experiment: Experiment, inside: Integers, outcome: str, margin_share: float | None) -> dict[str, Any]:
    """One row: treated against holdout among the members at the places `inside`.

    A void experiment keeps counts and means only.
    """
    treated = experiment.is_treated[inside]
    values = experiment.outcomes[outcome][inside]
    plain, adjusted = _nothing(), _nothing()
    if not experiment.is_void:
        plain = welch(values[treated], values[~treated])
        without_past = cuped(values, experiment.past_spend[inside])
        adjusted = welch(without_past[treated], without_past[~treated])
    cost = _mean(experiment.cost[inside][treated])
    is_money = outcome == "spend"
    return {
        "treatment_id": experiment.treatment_id,
        "outcome": outcome,
        "n_treated": int(treated.sum()),
        "n_holdout": int((~treated).sum()),
        "mean_treated": _mean(values[treated]),
        "mean_holdout": _mean(values[~treated]),
        "uplift": plain.difference,
        "ci_low": plain.ci_low,
        "ci_high": plain.ci_high,
        "cuped_uplift": adjusted.difference,
        "cuped_ci_low": adjusted.ci_low,
        "cuped_ci_high": adjusted.ci_high,
        "p_value": plain.p_value,
        "minimum_detectable_effect": _detectable(plain),
        "srm_p_value": experiment.srm_p_value,
        "margin_share": margin_share if is_money else None,
        "cost_per_member": cost if is_money else None,
        "net_value": net_value(plain.difference, margin_share, cost) if is_money else None,
    }


def net_value(uplift: float | None, margin_share: float | None, cost: float | None) -> float | None:
    """Uplift x margin - cost, a member assigned to treatment. None where one of them is not known: never a guess."""
    if uplift is None or margin_share is None or cost is None:
        return None
    return uplift * margin_share - cost


def _detectable(difference: MeanDifference) -> float | None:
    if difference.standard_error is None or difference.degrees is None:
        return None
    return minimum_detectable_difference(difference.standard_error, difference.degrees)


def _nothing() -> MeanDifference:
    return MeanDifference(None, None, None, None, None, None)


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if values.size else None


def _experiment(con: duckdb.DuckDBPyConnection, treatment_id: str) -> Experiment:
    columns = con.execute(
        """
        select
            arm = 'treated' as is_treated, past_spend, cost, spend, cast(orders as double) as orders,
            share_treated
        from experiment_members where treatment_id = ? order by customer_id
        """,
        [treatment_id],
    ).to_arrow_table()
    shares = columns.column("share_treated")
    is_treated = np.asarray(columns.column("is_treated").to_pylist(), dtype=bool)
    # A member drawn without a stated share leaves the ratio unknown: it is not tested, and not assumed either.
    srm = (
        sample_ratio_p_value(int(is_treated.sum()), len(is_treated), float(np.sum(shares.to_numpy())))
        if shares.null_count == 0
        else None
    )
    return Experiment(
        treatment_id,
        is_treated,
        columns.column("past_spend").to_numpy(),
        columns.column("cost").to_numpy(),
        {outcome: columns.column(outcome).to_numpy() for outcome in OUTCOMES},
        srm,
    )


def _segments(con: duckdb.DuckDBPyConnection, active: set[str]) -> dict[str, dict[tuple[str, str], Integers]]:
    """treatment_id -> (scheme, segment) -> the places of its members in the experiment, ascending."""
    found = con.execute(
        """
        with members as (
            select
                treatment_id, customer_id,
                row_number() over (partition by treatment_id order by customer_id) - 1 as place
            from experiment_members
        )
        select treatment_id, scheme, segment, list(members.place order by members.place) as places
        from experiment_segments as segments
        inner join members using (treatment_id, customer_id)
        group by treatment_id, scheme, segment
        order by treatment_id, scheme, segment
        """
    ).to_arrow_table()
    keys = (found.column(name).to_pylist() for name in ("treatment_id", "scheme", "segment"))
    groups: dict[str, dict[tuple[str, str], Integers]] = {}
    for treatment_id, scheme, segment, places in zip(*keys, found.column("places"), strict=True):
        if scheme in active:
            groups.setdefault(treatment_id, {})[scheme, segment] = places.values.to_numpy()
    return groups
