"""Columns, types and primary keys of the tables of the account, the same as in _account__sources.yml."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

TEXT, NUMBER, COUNT, DAY, FLAG = pa.string(), pa.float64(), pa.int64(), pa.date32(), pa.bool_()
MONEY = pa.decimal128(18, 4)

SCHEMAS: dict[str, dict[str, pa.DataType]] = {
    "segment_behaviour": {
        "scheme": TEXT,
        "outcome": TEXT,
        "evaluated_as_of": DAY,
        "outcome_until": DAY,
        "n": COUNT,
        "k": COUNT,
        "h_statistic": NUMBER,
        "effect": NUMBER,
        "p_value": NUMBER,
        "q_value": NUMBER,
        "effect_beyond_spend": NUMBER,
        "p_value_beyond_spend": NUMBER,
        "q_value_beyond_spend": NUMBER,
        "power": NUMBER,
    },
    "treatment_delivery": {
        "scheme": TEXT,
        "segment_a": TEXT,
        "segment_b": TEXT,
        "n_a": COUNT,
        "n_b": COUNT,
        "contact_rate_a": NUMBER,
        "contact_rate_b": NUMBER,
        "touches_per_member_a": NUMBER,
        "touches_per_member_b": NUMBER,
        "divergence": NUMBER,
        "channel_divergence": NUMBER,
        "channel_p_value": NUMBER,
        "channel_q_value": NUMBER,
        "intensity_p_value": NUMBER,
        "intensity_q_value": NUMBER,
        "p_value": NUMBER,
        "q_value": NUMBER,
        "power": NUMBER,
        "is_well_powered": FLAG,
        "verdict": TEXT,
    },
    "treatment_outcomes": {
        "scheme": TEXT,
        "segment": TEXT,
        "experiment_id": TEXT,
        "treatment_id": TEXT,
        "outcome": TEXT,
        "is_closed": FLAG,
        "n_treated": COUNT,
        "n_holdout": COUNT,
        "mean_treated": NUMBER,
        "mean_holdout": NUMBER,
        "uplift": NUMBER,
        "ci_low": NUMBER,
        "ci_high": NUMBER,
        "always_low": NUMBER,
        "always_high": NUMBER,
        "cuped_uplift": NUMBER,
        "cuped_ci_low": NUMBER,
        "cuped_ci_high": NUMBER,
        "cuped_always_low": NUMBER,
        "cuped_always_high": NUMBER,
        "p_value": NUMBER,
        "q_value": NUMBER,
        "always_p_value": NUMBER,
        "verdict_q_value": NUMBER,
        "minimum_detectable_effect": NUMBER,
        "srm_p_value": NUMBER,
        "margin_share": NUMBER,
        "cost_per_member": NUMBER,
        "net_value": NUMBER,
    },
    "segment_treatment_values": {
        "scheme": TEXT,
        "segment": TEXT,
        "experiment_id": TEXT,
        "treatment_id": TEXT,
        "members": COUNT,
        "mean_value": NUMBER,
        "ci_low": NUMBER,
        "ci_high": NUMBER,
        "shrunken_value": NUMBER,
        "probability_best": NUMBER,
    },
    "segmentation_dividend": {
        "scheme": TEXT,
        "experiment_id": TEXT,
        "is_closed": FLAG,
        "members": COUNT,
        "value_none": NUMBER,
        "value_one": NUMBER,
        "one_treatment": TEXT,
        "value_by_segment": NUMBER,
        "dividend": NUMBER,
        "ci_low": NUMBER,
        "ci_high": NUMBER,
        "p_value": NUMBER,
        "dividend_total": NUMBER,
        "least_dividend": NUMBER,
        "interaction_p_value": NUMBER,
        "verdict": TEXT,
        "why": TEXT,
    },
    "experiment_plans": {
        "scheme": TEXT,
        "question": TEXT,
        "arms": TEXT,
        "members_needed": COUNT,
        "members_available": COUNT,
        "days": COUNT,
        "effect_of_interest": NUMBER,
        "smallest_effect": NUMBER,
        "foregone_value": NUMBER,
        "why": TEXT,
    },
    "scheme_advice": {
        "scheme": TEXT,
        "segment_a": TEXT,
        "segment_b": TEXT,
        "n_a": COUNT,
        "n_b": COUNT,
        "advice": TEXT,
        "evidence": TEXT,
        "treatments_compared": COUNT,
        "q_value": NUMBER,
        "equivalence_p_value": NUMBER,
        "why": TEXT,
    },
    "occasion_matrix": {
        "scheme": TEXT,
        "segment": TEXT,
        "occasion": TEXT,
        "customers": COUNT,
        "baskets": COUNT,
        "spend": MONEY,
        "index": NUMBER,
        "p_value": NUMBER,
        "q_value": NUMBER,
        "is_gap": FLAG,
    },
    "scheme_scorecard": {
        "scheme": TEXT,
        "members": COUNT,
        "coverage": NUMBER,
        "behaviour_effect": NUMBER,
        "behaviour_outcome": TEXT,
        "behaviour_q_value": NUMBER,
        "behaviour_effect_beyond_spend": NUMBER,
        "assigned_distinct": NUMBER,
        "delivered_distinct": NUMBER,
        "well_powered_pairs": COUNT,
        "pays": TEXT,
        "verdict": TEXT,
        "why": TEXT,
    },
}

PRIMARY_KEYS: dict[str, tuple[str, ...]] = {
    "segment_behaviour": ("scheme", "outcome"),
    "treatment_delivery": ("scheme", "segment_a", "segment_b"),
    "treatment_outcomes": ("scheme", "segment", "experiment_id", "treatment_id", "outcome"),
    "segment_treatment_values": ("scheme", "segment", "experiment_id", "treatment_id"),
    "segmentation_dividend": ("scheme", "experiment_id"),
    "experiment_plans": ("scheme", "question"),
    "scheme_advice": ("scheme", "segment_a", "segment_b"),
    "occasion_matrix": ("scheme", "segment", "occasion"),
    "scheme_scorecard": ("scheme",),
}


def table_of(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as an arrow table with the columns of `name`, sorted by its primary key.

    Raises:
        KeyError: a row lacks a column.
    """
    columns = SCHEMAS[name]
    ordered = sorted(rows, key=lambda row: tuple(row[key] for key in PRIMARY_KEYS[name]))
    arrays = [pa.array([row[column] for row in ordered], type=kind) for column, kind in columns.items()]
    return pa.Table.from_arrays(arrays, schema=pa.schema(list(columns.items())))
