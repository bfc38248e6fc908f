"""treatment_delivery: pairs, their numbers, and verdicts at the stated power."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from orchestration.accountability.delivery import scheme_pairs, treatment_delivery, verdict
from orchestration.accountability.inputs import read_settings
from tests.unit.accountability.conftest import AS_OF, SmallWarehouse


def plant(warehouse: SmallWarehouse, scheme: str, sent: dict[str, dict[str, int]]) -> None:
    """Segment -> what was sent -> members. `nothing` is 0 touches, all else one touch by mail a ` + `-part."""
    warehouse.insert(
        "delivery_members",
        [
            {
                "scheme": scheme,
                "member_id": f"{segment}-{category}-{i}",
                "segment": segment,
                "sent_categories": category,
                "channels": "nothing" if category == "nothing" else "mail",
                "touches": 0 if category == "nothing" else len(category.split(" + ")),
            }
            for segment, categories in sent.items()
            for category, members in categories.items()
            for i in range(members)
        ],
    )


def delivery(warehouse: SmallWarehouse) -> list[dict[str, Any]]:
    return treatment_delivery(warehouse.con, read_settings(warehouse.con, AS_OF)).to_pylist()


def pairs(warehouse: SmallWarehouse) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["segment_a"], row["segment_b"]): row for row in delivery(warehouse)}


def test_numbers_of_a_pair_by_hand_and_by_scipy(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    plant(warehouse, "rfm", {"b": {"nothing": 30, "x": 50, "x + y": 20}, "a": {"nothing": 10, "x": 20, "x + y": 20}})
    row = pairs(warehouse)["a", "b"]
    assert (row["n_a"], row["n_b"]) == (50, 100)
    assert (row["contact_rate_a"], row["contact_rate_b"]) == (0.8, 0.7)
    assert (row["touches_per_member_a"], row["touches_per_member_b"]) == (1.2, 0.9)
    assert row["divergence"] == pytest.approx(jensenshannon([10, 20, 20], [30, 50, 20], 2))
    assert row["channel_divergence"] == pytest.approx(jensenshannon([10, 40], [30, 70], 2))
    p_value = stats.chi2_contingency([[10, 20, 20], [30, 50, 20]], correction=False).pvalue
    assert row["p_value"] == pytest.approx(p_value)
    assert row["q_value"] == pytest.approx(p_value)


def test_channel_mix_and_intensity_of_a_pair_are_tested_as_scipy_does(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    plant(warehouse, "rfm", {"b": {"nothing": 30, "x": 50, "x + y": 20}, "a": {"nothing": 10, "x": 20, "x + y": 20}})
    row = pairs(warehouse)["a", "b"]
    channels = stats.chi2_contingency([[10, 40], [30, 70]], correction=False).pvalue
    touches = stats.kruskal([0] * 10 + [1] * 20 + [2] * 20, [0] * 30 + [1] * 50 + [2] * 20).pvalue
    assert (row["channel_p_value"], row["channel_q_value"]) == pytest.approx((channels, channels))
    assert (row["intensity_p_value"], row["intensity_q_value"]) == pytest.approx((touches, touches))


def test_equal_intensity_is_no_difference(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    plant(warehouse, "rfm", {"a": {"x": 40}, "b": {"y": 50}})
    row = pairs(warehouse)["a", "b"]
    assert row["intensity_p_value"] == 1.0
    assert row["p_value"] < 1e-9


def test_planted_difference_and_planted_likeness_are_told_apart(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    alike = {"nothing": 60, "x": 40, "y": 20}
    plant(
        warehouse, "rfm", {"a": alike, "b": alike, "c": {"nothing": 20, "x": 20, "y": 80}, "d": {"nothing": 3, "x": 2}}
    )
    found = {pair: row["verdict"] for pair, row in pairs(warehouse).items()}
    assert found == {
        ("a", "b"): "treated alike",
        ("a", "c"): "treated differently",
        ("a", "d"): "unproven",  # 5 members
        ("b", "c"): "treated differently",
        ("b", "d"): "unproven",
        ("c", "d"): "treated differently",  # a difference that was seen needs no power
    }


def test_two_small_segments_treated_alike_are_unproven(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    plant(warehouse, "rfm", {"a": {"nothing": 10, "x": 8}, "b": {"nothing": 11, "x": 7}})
    row = pairs(warehouse)["a", "b"]
    assert row["power"] < 0.8
    assert row["verdict"] == "unproven"


def test_a_medium_difference_is_seen_at_the_stated_power(warehouse: SmallWarehouse) -> None:
    # Two segments of 44, half and half sent x: shares 0.5 +- 0.15 are Cohen's w = 0.3 at N = 88: seen in 80 %.
    random = np.random.default_rng(21)
    trials = 300
    warehouse.schemes(*[f"t{i:03}" for i in range(trials)])
    for i in range(trials):
        a, b = random.binomial(44, 0.65), random.binomial(44, 0.35)
        plant(
            warehouse,
            f"t{i:03}",
            {"a": {"x": int(a), "nothing": 44 - int(a)}, "b": {"x": int(b), "nothing": 44 - int(b)}},
        )
    rows = delivery(warehouse)
    seen = np.mean([row["verdict"] == "treated differently" for row in rows])
    assert np.mean([row["power"] for row in rows]) == pytest.approx(0.8, abs=0.01)
    assert seen == pytest.approx(0.8, abs=4 * 0.023)


def test_pairs_of_one_mix_are_called_different_within_the_error_rate(warehouse: SmallWarehouse) -> None:
    random = np.random.default_rng(22)
    trials = 300
    warehouse.schemes(*[f"t{i:03}" for i in range(trials)])
    for i in range(trials):
        a, b = random.multinomial(100, [0.6, 0.3, 0.1]), random.multinomial(80, [0.6, 0.3, 0.1])
        names = ("nothing", "x", "y")
        plant(warehouse, f"t{i:03}", {"a": dict(zip(names, a, strict=True)), "b": dict(zip(names, b, strict=True))})
    different = sum(row["verdict"] == "treated differently" for row in delivery(warehouse))
    assert different <= 15 + 4 * 3.8


def test_where_nothing_was_sent_to_a_scheme_every_pair_is_unproven(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    plant(warehouse, "rfm", {"a": {"nothing": 500}, "b": {"nothing": 500}})
    row = pairs(warehouse)["a", "b"]
    assert (row["verdict"], row["p_value"], row["q_value"], row["contact_rate_a"]) == ("unproven", None, None, 0)


def test_two_segments_that_nothing_reached_are_alike_where_others_were_reached(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm")
    plant(warehouse, "rfm", {"a": {"nothing": 500}, "b": {"nothing": 500}, "c": {"x": 500}})
    found = pairs(warehouse)
    assert (found["a", "b"]["verdict"], found["a", "b"]["p_value"]) == ("treated alike", 1)
    assert (found["a", "c"]["verdict"], found["a", "c"]["divergence"]) == ("treated differently", 1)


def test_q_is_adjusted_over_the_pairs_of_the_scheme_only(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("one", "two")
    mixes = {"a": {"nothing": 60, "x": 40}, "b": {"nothing": 50, "x": 50}, "c": {"nothing": 30, "x": 70}}
    plant(warehouse, "one", mixes)
    plant(warehouse, "two", {"a": mixes["a"], "b": mixes["b"]})
    rows = delivery(warehouse)
    one = [row for row in rows if row["scheme"] == "one"]
    assert [r["q_value"] for r in one] == pytest.approx(stats.false_discovery_control([r["p_value"] for r in one]))
    (two,) = [row for row in rows if row["scheme"] == "two"]
    assert two["q_value"] == two["p_value"]


def test_every_pair_once_with_names_in_order_and_inactive_schemes_left_out(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("rfm", inactive=["gender"])
    plant(warehouse, "rfm", {"c": {"x": 5}, "a": {"x": 5}, "b": {"nothing": 5}})
    plant(warehouse, "gender", {"f": {"x": 5}, "m": {"x": 5}})
    assert list(pairs(warehouse)) == [("a", "b"), ("a", "c"), ("b", "c")]


def test_drawn_p_values_repeat_whatever_the_order_of_rows_and_schemes(warehouse: SmallWarehouse) -> None:
    mixes = {
        segment: {name: 1 + (i * j) % 7 + 4 * j for j, name in enumerate(("nothing", "x", "y", "z", "v", "w"))}
        for i, segment in enumerate("abcd", start=2)
    }
    warehouse.schemes("rfm")
    plant(warehouse, "rfm", mixes)
    first = delivery(warehouse)
    warehouse.schemes("earlier")
    plant(warehouse, "earlier", mixes)
    warehouse.con.execute("create or replace table delivery_members as from delivery_members order by hash(member_id)")
    assert [row for row in delivery(warehouse) if row["scheme"] == "rfm"] == first


@pytest.mark.parametrize(
    ("n_a", "n_b"), [(1, 2_146), (29, 2_000), (30, 2_000), (44, 44), (43, 44), (60, 30), (300, 31)]
)
@pytest.mark.parametrize("categories", [2, 3, 5])
def test_power_is_that_of_two_equal_segments_worth_as_much(
    warehouse: SmallWarehouse, n_a: int, n_b: int, categories: int
) -> None:
    warehouse.schemes("rfm")
    # Everybody of a got one thing; of b, one each got the others.
    others = {f"x{i}": 1 for i in range(1, categories)}
    plant(warehouse, "rfm", {"a": {"x0": n_a}, "b": {"x0": n_b - categories + 1, **others}})
    row = pairs(warehouse)["a", "b"]
    degrees = categories - 1
    harmonic = 2 / (1 / n_a + 1 / n_b)
    expected = stats.ncx2.sf(stats.chi2.ppf(0.95, degrees), degrees, 2 * harmonic * 0.3**2)
    assert row["power"] == pytest.approx(expected, rel=1e-9)
    assert row["is_well_powered"] == (expected >= 0.8 and min(n_a, n_b) >= 30)
    if row["q_value"] >= 0.05:
        assert row["verdict"] == ("treated alike" if row["is_well_powered"] else "unproven")


def test_one_member_proves_nothing_beside_thousands(warehouse: SmallWarehouse) -> None:
    warehouse.schemes("category_interest")
    plant(warehouse, "category_interest", {"cosmetics": {"x": 1}, "beef": {"x": 1_000, "nothing": 1_146}})
    row = pairs(warehouse)["beef", "cosmetics"]
    assert (row["n_a"], row["n_b"], row["verdict"], row["is_well_powered"]) == (2_146, 1, "unproven", False)
    assert row["power"] < 0.1


def test_a_segment_below_the_smallest_is_unproven_however_large_the_other(warehouse: SmallWarehouse) -> None:
    # Power alone would do for 29 members: 4 x 29 x 5000 / 5029 is 115.
    warehouse.schemes("rfm")
    plant(warehouse, "rfm", {"a": {"x": 29}, "b": {"x": 4_999, "nothing": 1}, "c": {"x": 30}})
    found = pairs(warehouse)
    assert found["a", "b"]["power"] > 0.8
    assert (found["a", "b"]["verdict"], found["b", "c"]["verdict"]) == ("unproven", "treated alike")


@pytest.mark.parametrize(
    ("p_value", "q_value", "is_well_powered", "expected"),
    [
        (0.01, 0.0499, True, "treated differently"),
        (0.01, 0.0499, False, "treated differently"),  # a difference that was seen needs no power
        (0.01, 0.05, True, "treated alike"),
        (0.9, 0.9, False, "unproven"),
        (None, None, False, "unproven"),
    ],
)
def test_verdict_of_a_pair(p_value: float | None, q_value: float | None, is_well_powered: bool, expected: str) -> None:
    assert verdict(p_value, q_value, is_well_powered) == expected


def test_rows_that_were_made_from_the_same_members_are_kept_and_all_others_made_again(
    warehouse: SmallWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.schemes("rfm", "life_stage")
    plant(warehouse, "rfm", {"b": {"nothing": 30, "x": 50}, "a": {"nothing": 10, "x": 40}})
    plant(warehouse, "life_stage", {"old": {"nothing": 3, "y": 5}, "young": {"nothing": 9, "y": 1}})
    settings = read_settings(warehouse.con, AS_OF)
    made: list[str] = []

    def noted(scheme: str, *given: Any) -> list[dict[str, Any]]:
        made.append(scheme)
        return scheme_pairs(scheme, *given)

    monkeypatch.setattr("orchestration.accountability.delivery.scheme_pairs", noted)

    def refreshed() -> list[dict[str, Any]]:
        made.clear()
        kept = treatment_delivery(warehouse.con, settings, tmp_path).to_pylist()
        schemes = list(made)
        assert kept == treatment_delivery(warehouse.con, settings).to_pylist()
        made[:] = schemes
        return kept

    first = refreshed()
    assert made == ["life_stage", "rfm"]
    assert refreshed() == first and made == []
    # One member was sent something else: its scheme alone is counted again.
    warehouse.con.execute(
        "update delivery_members set sent_categories = 'z', touches = 1 where scheme = 'rfm' and member_id = "
        "(select min(member_id) from delivery_members where scheme = 'rfm')"
    )
    assert refreshed() != first and made == ["rfm"]
    settings = replace(settings, min_segment_members=settings.min_segment_members + 1)
    refreshed()
    assert made == ["life_stage", "rfm"]
    # A scheme that is switched off takes its rows along; other code makes all again, and so does a torn file.
    warehouse.con.execute("update segment_schemes set is_active = false where scheme = 'life_stage'")
    assert {row["scheme"] for row in refreshed()} == {"rfm"} and made == []
    with monkeypatch.context() as other:
        other.setattr("orchestration.accountability.delivery.code_digest", lambda modules: "other")
        refreshed()
        assert made == ["rfm"]
    (tmp_path / "treatment_delivery.parquet").write_bytes(b"PAR1")
    refreshed()
    assert made == ["rfm"]
