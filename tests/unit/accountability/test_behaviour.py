"""segment_behaviour: planted effects are found, planted nothing is not, and what is unknown is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from orchestration.accountability.behaviour import segment_behaviour
from orchestration.accountability.inputs import AccountError, read_settings
from orchestration.accountability.statistics import kruskal_wallis, power_to_explain
from tests.unit.accountability.conftest import AS_OF, OUTCOME_START, SmallWarehouse


def rows_by_key(warehouse: SmallWarehouse) -> dict[tuple[str, str], dict[str, Any]]:
    table = segment_behaviour(warehouse.con, read_settings(warehouse.con, AS_OF))
    return {(row["scheme"], row["outcome"]): row for row in table.to_pylist()}


def plant(warehouse: SmallWarehouse, scheme: str, labels: np.ndarray, spend: np.ndarray, quintiles: np.ndarray) -> None:
    warehouse.insert(
        "behaviour_members",
        [
            {
                "scheme": scheme,
                "member_id": f"m{i:05}",
                "segment": f"s{labels[i]}",
                "past_spend_quintile": int(quintiles[i]),
                "spend": float(spend[i]),
                "orders": 0,
            }
            for i in range(len(labels))
        ],
    )


def test_a_real_difference_is_found_and_a_random_label_is_not(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(11)
    warehouse.schemes("real", "random", "mirror")
    past = random.lognormal(size=1_500)
    quintiles = stats.rankdata(past) * 5 // 1_501 + 1
    real = random.integers(0, 3, 1_500)
    spend = past * np.exp(real) * random.lognormal(sigma=0.3, size=1_500)
    plant(warehouse, "real", real, spend, quintiles)
    plant(warehouse, "random", random.integers(0, 3, 1_500), spend, quintiles)
    plant(warehouse, "mirror", quintiles.astype(int), spend, quintiles)
    rows = rows_by_key(warehouse)

    assert rows["real", "spend"]["q_value"] < 1e-6
    assert rows["real", "spend"]["effect"] > 0.1
    assert rows["real", "spend"]["effect_beyond_spend"] > 0.1
    assert rows["random", "spend"]["q_value"] > 0.05
    assert rows["random", "spend"]["effect"] < 0.01
    assert rows["mirror", "spend"]["effect"] > 0.1
    assert rows["mirror", "spend"]["effect_beyond_spend"] < 0.01


def test_numbers_equal_scipys_on_members_with_a_value(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    values = {"a": [0.1, 0.2, None, 0.4], "b": [0.3, 0.3, 0.9], "c": [None, 0.8]}
    warehouse.insert(
        "behaviour_members",
        [
            {
                "scheme": "rfm",
                "member_id": f"{segment}{i}",
                "segment": segment,
                "past_spend_quintile": 1,
                "spend": 1.0,
                "orders": i,
                "discount_share": share,
            }
            for segment, shares in values.items()
            for i, share in enumerate(shares)
        ],
    )
    row = rows_by_key(warehouse)["rfm", "discount_share"]
    expected = stats.kruskal(*[[share for share in shares if share is not None] for shares in values.values()])
    assert (row["n"], row["k"]) == (7, 3)
    assert row["h_statistic"] == pytest.approx(expected.statistic)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert row["effect"] == pytest.approx(max(0, (expected.statistic - 2) / 4))


def test_q_is_adjusted_over_all_schemes_and_outcomes(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(12)
    warehouse.schemes("one", "two")
    for scheme in ("one", "two"):
        labels = random.integers(0, 2, 50)
        plant(warehouse, scheme, labels, labels + random.normal(size=50), np.ones(50))
    rows = rows_by_key(warehouse)
    tested = [key for key, row in rows.items() if row["p_value"] is not None]
    assert tested == [("one", "spend"), ("two", "spend")]
    expected = stats.false_discovery_control([rows[key]["p_value"] for key in tested])
    assert [rows[key]["q_value"] for key in tested] == pytest.approx(expected)


def test_power_is_that_of_a_noncentral_chi_squared_at_the_familys_level(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(14)
    warehouse.schemes("few", "many", "untested")
    for scheme, members, segments in (("few", 182, 5), ("many", 2_000, 5)):
        plant(warehouse, scheme, np.arange(members) % segments, random.normal(size=members), np.ones(members))
    rows = rows_by_key(warehouse)
    # Two tests: orders do not vary, and the third scheme has nobody.
    for scheme, members in (("few", 182), ("many", 2_000)):
        expected = stats.ncx2.sf(stats.chi2.ppf(1 - 0.05 / 2, 4), 4, members * 0.03 / 0.97)
        assert rows[scheme, "spend"]["power"] == pytest.approx(expected)
        assert rows[scheme, "orders"]["power"] is None
    assert rows["few", "spend"]["power"] < 0.4
    assert rows["many", "spend"]["power"] > 0.99
    assert rows["untested", "spend"]["power"] is None


def test_the_stated_power_is_the_share_of_worlds_in_which_the_effect_is_seen(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(15)
    # Three groups whose means explain 3 % of the variance of a normal outcome; ranks see 3/pi of it.
    shift = np.array([-1.0, 0.0, 1.0]) * np.sqrt(0.03 / 0.97 * 1.5)
    labels = np.arange(360) % 3
    seen = [
        kruskal_wallis(shift[labels] + random.normal(size=360), labels).p_value < 0.01  # type: ignore[operator]
        for _ in range(600)
    ]
    power = power_to_explain(360, 3, 0.03, 0.01)
    assert np.mean(seen) == pytest.approx(power, abs=4 * 0.02 + 0.03)


def test_every_active_scheme_has_every_outcome_and_an_inactive_one_none(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm", "life_stage", inactive=["gender"])
    plant(warehouse, "gender", np.arange(10) % 2, np.arange(10), np.ones(10))
    table = segment_behaviour(warehouse.con, read_settings(warehouse.con, AS_OF))
    outcomes = ["discount_share", "orders", "private_label_share", "responded", "spend"]
    keys = [(row["scheme"], row["outcome"]) for row in table.to_pylist()]
    assert keys == [(scheme, outcome) for scheme in ("life_stage", "rfm") for outcome in outcomes]
    assert {(row["n"], row["k"], row["effect"], row["q_value"]) for row in table.to_pylist()} == {(0, 0, None, None)}


def test_the_period_is_named(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    row = rows_by_key(warehouse)["rfm", "spend"]
    assert (row["evaluated_as_of"], row["outcome_until"]) == (OUTCOME_START, AS_OF)


def test_order_of_rows_and_threads_do_not_change_a_bit(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(13)
    warehouse.schemes("rfm")
    plant(warehouse, "rfm", random.integers(0, 4, 500), random.lognormal(size=500), random.integers(1, 6, 500))
    settings = read_settings(warehouse.con, AS_OF)
    first = segment_behaviour(warehouse.con, settings)
    warehouse.con.execute(
        "create or replace table behaviour_members as from behaviour_members order by hash(member_id)"
    )
    warehouse.con.execute("set threads = 1")
    assert segment_behaviour(warehouse.con, settings).equals(first)


def test_a_build_of_another_day_is_refused(warehouse: SmallWarehouse) -> None:
    with pytest.raises(AccountError, match=r"2026-08-01.*2026-05-03"):
        read_settings(warehouse.con, OUTCOME_START)
