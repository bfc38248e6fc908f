"""The account of all schemes, as the tables of a candidate: every question's answer, each built on those before it.

Belongs here: which tables there are, and what each is made from.
Does not belong here: how one is computed (orchestration/accountability, prospects, treatments).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.accountability.advice import scheme_advice
from orchestration.accountability.behaviour import segment_behaviour
from orchestration.accountability.delivery import treatment_delivery
from orchestration.accountability.dividend import dividend_tables
from orchestration.accountability.experiments import read_experiments
from orchestration.accountability.inputs import read_settings
from orchestration.accountability.occasions import occasion_matrix
from orchestration.accountability.outcomes import treatment_outcomes
from orchestration.accountability.plans import experiment_plans
from orchestration.accountability.scorecard import scheme_scorecard


def account_tables(con: duckdb.DuckDBPyConnection, as_of: date, kept: Path | None = None) -> dict[str, pa.Table]:
    """The tables of the account, each with the columns of its source YAML and rows in the order of its primary key.

    Args:
        con: sees every dbt table by its bare name; only read.
        as_of: the day that the models were built for.
        kept: a folder of the build, for rows that still hold in the next refresh.

    Raises:
        AccountError: the models were built for another day.
    """
    # Late, because both import libraries that take seconds.
    from orchestration.prospects import prospect_tables
    from orchestration.treatments.distinctness import distinctness_table

    settings = read_settings(con, as_of)
    behaviour = segment_behaviour(con, settings)
    delivery = treatment_delivery(con, settings, kept)
    distinctness = distinctness_table(con, as_of)
    experiments = read_experiments(con)
    outcomes = treatment_outcomes(experiments)
    values, dividends = dividend_tables(experiments, settings)
    advice = scheme_advice(con, settings, outcomes)
    prospects = prospect_tables(con, settings)
    scorecard = scheme_scorecard(
        con, settings, behaviour, delivery, distinctness, outcomes, dividends, prospects["prospect_segments"]
    )
    return {
        "segment_behaviour": behaviour,
        "treatment_delivery": delivery,
        "treatment_distinctness": distinctness,
        "treatment_outcomes": outcomes,
        "occasion_matrix": occasion_matrix(con, as_of),
        "segment_treatment_values": values,
        "segmentation_dividend": dividends,
        "scheme_advice": advice,
        "experiment_plans": experiment_plans(con, settings, scorecard, dividends, advice),
        "scheme_scorecard": scorecard,
        **prospects,
    }
