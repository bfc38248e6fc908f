"""The dividend: numbers by hand, planted truths, and how often it is wrong in worlds whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from orchestration.accountability.dividend import (
    Dividend,
    between_variance,
    cross_fitted_scores,
    dividend_tables,
    folds_of,
    interaction_p_value,
    judge,
    measure,
    probability_best,
    shrink_to_arm,
)
from orchestration.accountability.experiments import Experiment
from orchestration.accountability.inputs import RefreshSettings
from tests.support.worlds import policy_world, true_dividend

SETTINGS = RefreshSettings(date(2026, 8, 1), date(2026, 5, 3), 90, 100, 30, 0.03, 0.01, 0.1)
THIRDS = (1 / 3, 1 / 3, 1 / 3)


def world(seed: int, members: int, effects: list[list[float]], **kwargs: Any) -> Experiment:
    return policy_world(np.random.default_rng(seed), members, np.asarray(effects, dtype=float), THIRDS, **kwargs)


def measured(experiment: Experiment) -> Dividend:
    names, codes = experiment.segments["s"]
    return measure(experiment, cross_fitted_scores(experiment), codes, len(names))


def dividend_row(experiment: Experiment) -> dict[str, Any]:
    (row,) = dividend_tables([experiment], SETTINGS)[1].to_pylist()
    return row


def certain(effects: list[list[float]], members: int = 600) -> Experiment:
    """A world without noise: everyone spends 100 plus the effect of their segment and arm."""
    base = world(7, members, effects)
    spend = 100 + np.asarray(effects)[base.segments["s"][1], base.arm]
    return replace(base, past_spend=np.zeros(members), past_orders=np.zeros(members), outcomes={"spend": spend})


# ---- by segment and arm
# -----------------------------------------------------------------------------------------------


def test_values_of_segments_equal_pandas_means_and_scipys_intervals() -> None:
    experiment = replace(world(3, 900, [[0, 5, 0], [0, 0, 9]]), margin_share=0.4, cost=np.arange(900) % 3 / 10)
    values, _ = dividend_tables([experiment], SETTINGS)
    frame = pd.DataFrame(
        {
            "segment": np.asarray(experiment.segments["s"][0])[experiment.segments["s"][1]],
            "arm": np.asarray(experiment.arms)[experiment.arm],
            "value": experiment.outcomes["spend"] * 0.4 - experiment.cost,
        }
    )
    rows = {(row["scheme"], row["segment"], row["treatment_id"]): row for row in values.to_pylist()}
    assert len(rows) == 9
    for (segment, arm), group in frame.groupby(["segment", "arm"]):
        row = rows["s", segment, arm]
        interval = stats.t.interval(0.95, len(group) - 1, group["value"].mean(), stats.sem(group["value"]))
        assert row["members"] == len(group)
        assert row["mean_value"] == pytest.approx(group["value"].mean(), rel=1e-9)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(interval, rel=1e-9)
        assert row["shrunken_value"] == pytest.approx(row["mean_value"], abs=abs(row["ci_high"] - row["mean_value"]))
    for arm, group in frame.groupby("arm"):
        assert rows["all", "all", arm]["mean_value"] == pytest.approx(group["value"].mean(), rel=1e-9)
    for segment in ("g000", "g001"):
        assert sum(rows["s", segment, arm]["probability_best"] for arm in experiment.arms) == pytest.approx(1)


def test_shrinking_is_dersimonian_and_lairds_by_hand() -> None:
    # One arm, three segments of 2, 2 and 4 members; means 2, 6 and 11, within-variance 20 / 5 = 4.
    values = np.asarray([1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 11.0, 13.0])
    arm, counts = np.zeros(8, dtype=np.int64), np.asarray([[2], [2], [4]])
    means = np.asarray([[2.0], [6.0], [11.0]])
    within = (2 + 2 + 8) / 5
    w = np.asarray([2, 2, 4]) / within
    centre = (w @ means[:, 0]) / w.sum()
    q = w @ (means[:, 0] - centre) ** 2
    between = (q - 2) / (w.sum() - (w @ w) / w.sum())
    expected = values.mean() + between / (between + 1 / w) * (means[:, 0] - values.mean())
    assert between_variance(means[:, 0], 1 / w) == pytest.approx(between, rel=1e-12)
    shrunken, spread = shrink_to_arm(means, counts, values, arm)
    assert shrunken[:, 0] == pytest.approx(expected, rel=1e-12)
    assert (spread > 0).all()


def test_a_segment_without_members_in_an_arm_gets_the_arms_mean() -> None:
    values, arm = np.asarray([1.0, 3.0, 8.0, 9.0]), np.zeros(4, dtype=np.int64)
    means, counts = np.asarray([[2.0], [8.5], [np.nan]]), np.asarray([[2], [2], [0]])
    shrunken, _ = shrink_to_arm(means, counts, values, arm)
    assert shrunken[2, 0] == pytest.approx(values.mean())


def test_the_chance_to_be_best_is_the_normal_integral() -> None:
    means, spread = np.asarray([[1.0, 2.0], [0.0, 0.0]]), np.asarray([[1.0, 1.5], [2.0, 2.0]])
    chances = probability_best(means, spread)
    assert chances[0, 1] == pytest.approx(stats.norm.cdf(1 / np.hypot(1.0, 1.5)), abs=1e-9)
    assert chances[1] == pytest.approx([0.5, 0.5])
    three = probability_best(np.asarray([[0.0, 1.0, 0.5]]), np.asarray([[1.0, 0.4, 2.0]]))[0]
    draws = np.random.default_rng(1).normal([0.0, 1.0, 0.5], [1.0, 0.4, 2.0], size=(400_000, 3)).argmax(axis=1)
    assert three == pytest.approx(np.bincount(draws) / 400_000, abs=0.004)


def test_an_arm_of_one_member_leaves_the_others_their_chances() -> None:
    means, spread = np.asarray([[1.0, np.nan, 2.0], [0.0, np.nan, 0.0]]), np.asarray([[1.0, np.nan, 1.5]] * 2)
    chances = probability_best(means, spread)
    assert np.isnan(chances[:, 1]).all()
    assert chances[:, [0, 2]] == pytest.approx(probability_best(means[:, [0, 2]], spread[:, [0, 2]]), abs=1e-12)
    assert np.isnan(probability_best(means[:, :2], spread[:, :2])).all()
    base = world(3, 900, [[0, 5, 0], [0, 0, 9]])
    arm = np.where(base.arm == 2, 1, base.arm)
    arm[0] = 2
    stray_arm = replace(base, arm=arm, arm_share=np.full(900, np.nan))
    rows = dividend_tables([stray_arm], SETTINGS)[0].to_pylist()
    stray = [row["probability_best"] for row in rows if row["treatment_id"] == base.arms[2]]
    assert stray and set(stray) == {None}
    assert all(row["probability_best"] is not None for row in rows if row["treatment_id"] != base.arms[2])


# ---- the dividend
# ------------------------------------------------------------------------------------------------------


def test_without_noise_the_dividend_is_exact() -> None:
    experiment = certain([[0, 30, 0], [0, 0, 20]])
    codes = experiment.segments["s"][1]
    first = float((codes == 0).mean())
    row = dividend_row(experiment)
    assert row["one_treatment"] == "t1"
    assert row["value_by_segment"] == pytest.approx(100 + 30 * first + 20 * (1 - first), rel=0.02)
    assert row["value_one"] == pytest.approx(100 + 30 * first, rel=0.02)
    assert row["dividend"] == pytest.approx(row["value_by_segment"] - row["value_one"], abs=1e-9)
    assert row["dividend"] == pytest.approx(20 * (1 - first), rel=0.15)
    assert row["dividend_total"] == pytest.approx(row["dividend"] * 600)
    assert row["verdict"] == "segmenting pays"
    assert row["why"].startswith("Giving each segment its own best treatment earned")


def test_where_one_treatment_is_best_everywhere_it_serves_all() -> None:
    row = dividend_row(certain([[0, 30, 0], [0, 30, 0]], members=4_000))
    assert (row["one_treatment"], row["verdict"]) == ("t1", "one treatment serves all")
    assert row["ci_low"] <= 0 <= row["dividend"] + 1e-9 and row["ci_high"] < row["least_dividend"]
    assert row["why"].endswith("send t1 to all of them.")


@pytest.mark.parametrize(
    ("arm", "sent"),
    [
        ("uniform", "the treatment of rfm in seeds/uniform_treatments.csv"),
        ("by_segment", "what rfm sends by segment"),
        ("t2", "t2"),
    ],
)
def test_the_arms_of_a_uniform_experiment_are_called_by_what_they_send(arm: str, sent: str) -> None:
    experiment = replace(world(5, 60, [[0, 0, 0]] * 2), experiment_id="uniform_rfm")
    found = Dividend(0.0, 1.0, arm, 1.0, 0.0, low=-1.0, high=0.5, p_value=1.0, gain_high=9.0)
    verdict, why = judge(found, 1.0, 60, experiment, SETTINGS)
    assert verdict == "one treatment serves all"
    assert f"more than {sent} for everybody" in why and why.endswith(f": send {sent} to all of them.")


@pytest.mark.parametrize(
    ("experiment_id", "wait"),
    [
        ("t1", ": wait until the experiment has closed, and change"),
        ("uniform_rfm", ": wait for more members, and change"),
        ("programme", ": wait for more members, and change"),
    ],
)
def test_nobody_waits_for_the_end_of_an_experiment_that_goes_on(experiment_id: str, wait: str) -> None:
    experiment = replace(world(5, 60, [[0, 0, 0]] * 2), experiment_id=experiment_id, is_closed=False)
    found = Dividend(0.0, 1.0, "t1", 1.0, 0.0, low=-1.0, high=5.0, p_value=1.0, gain_high=9.0)
    verdict, why = judge(found, 1.0, 60, experiment, SETTINGS)
    assert verdict == "unproven" and wait in why


def test_where_nothing_does_anything_nothing_pays() -> None:
    row = dividend_row(certain([[0, 0, 0], [0, 0, 0]]))
    assert row["verdict"] == "nothing pays"


def test_few_members_who_show_nothing_prove_nothing() -> None:
    assert dividend_row(world(5, 300, [[0, 0, 0]] * 4))["verdict"] == "unproven"


def test_the_order_of_members_and_the_names_of_segments_do_not_matter() -> None:
    experiment = world(11, 500, [[0, 20, 0], [0, 0, 20]])
    mixed = np.random.default_rng(0).permutation(500)
    other = replace(
        experiment,
        members=[experiment.members[i] for i in mixed],
        arm=experiment.arm[mixed],
        arm_share=experiment.arm_share[mixed],
        past_spend=experiment.past_spend[mixed],
        past_orders=experiment.past_orders[mixed],
        outcomes={name: values[mixed] for name, values in experiment.outcomes.items()},
        segments={"s": (("z", "a"), experiment.segments["s"][1][mixed])},
    )
    a, b = measured(experiment), measured(other)
    assert (a.dividend, a.low, a.high, a.p_value) == pytest.approx((b.dividend, b.low, b.high, b.p_value), rel=1e-9)


def test_folds_are_a_hash_of_the_member_and_of_equal_size() -> None:
    folds = folds_of([f"m{i}" for i in range(5_000)])
    assert (folds == folds_of([f"m{i}" for i in range(5_000)])).all()
    sizes = np.asarray([np.bincount(division, minlength=5) for division in folds])
    assert np.abs(sizes - 1_000).max() < 120
    together = (folds[0] == folds[1]).mean()
    assert together == pytest.approx(0.2, abs=0.03)


def test_an_open_experiment_has_a_wider_interval() -> None:
    closed = world(13, 2_000, [[0, 15, 0], [0, 0, 15]], heavy=False)
    fixed, always = measured(closed), measured(replace(closed, is_closed=False))
    assert fixed.dividend == always.dividend
    assert always.low < fixed.low and always.high > fixed.high and always.p_value > fixed.p_value
    assert judge(always, 1.0, 2_000, replace(closed, is_closed=False), SETTINGS)[0] in ("segmenting pays", "unproven")


@pytest.mark.parametrize("members", [40, 44])
def test_on_the_first_day_of_a_small_experiment_nothing_bounds_the_dividend(members: int) -> None:
    """Of 40 members no interval holds at all looks yet; of 44 there may be one, but none against two single arms."""
    for seed in range(8):
        random = np.random.default_rng(seed)
        closed = policy_world(random, members, np.zeros((2, 2)), (0.5, 0.5))
        arm = np.arange(members) % 2
        experiment = replace(closed, arm=arm, is_closed=False, observed=np.full(members, 1 / 90))
        row = dividend_row(experiment)
        assert (row["ci_low"], row["ci_high"], row["p_value"]) == (None, None, None)
        assert row["verdict"] == "unproven" and row["why"].startswith("It is too early: ")
        assert row["dividend"] == pytest.approx(row["value_by_segment"] - row["value_one"])


@pytest.mark.parametrize(
    ("change", "beginning"),
    [
        ({"margin_share": None}, "No product says its margin"),
        ({"arm_share": np.where(np.arange(600) < 300, 0.05, 0.9)}, "The arms are not of the sizes"),
        ({"segments": {"s": (("only",), np.zeros(600, dtype=np.int64))}}, "Only the segment only took part"),
        ({"segments": {"s": (("only", "unknown"), np.arange(600) % 2)}}, "Only the segment only took part"),
        ({"segments": {"s": (("unknown",), np.zeros(600, dtype=np.int64))}}, "The scheme knows none of the members"),
        ({"arm": np.where(np.arange(600) < 5, 0, 1)}, "Only 0 of 600 members are in the arm t2"),
    ],
)
def test_what_cannot_be_measured_is_said_with_the_next_step(change: dict[str, Any], beginning: str) -> None:
    experiment = replace(world(17, 600, [[0, 0, 0]] * 2), **change)
    if "arm_share" in change:
        experiment = replace(experiment, arm=np.repeat([0, 1, 2], [300, 200, 100]), arm_share=np.full(600, 1 / 3))
    if "arm" in change:
        experiment = replace(experiment, arm_share=np.full(600, np.nan))
    row = dividend_row(experiment)
    assert row["verdict"] == "unproven" and row["dividend"] is None
    assert row["why"].startswith(beginning) and ": " in row["why"]


def test_those_whom_the_scheme_does_not_know_have_values_and_no_part_in_the_dividend() -> None:
    base = world(23, 900, [[0, 15, 0], [0, 0, 400], [0, 0, 15]], heavy=False)
    codes = base.segments["s"][1]
    told = replace(base, segments={"s": (("a", "unknown", "z"), codes)})
    untold = replace(base, segments={"s": (("a", "z"), np.where(codes == 1, -1, codes // 2))})
    values, dividends = (table.to_pylist() for table in dividend_tables([told], SETTINGS))
    assert dividends == dividend_tables([untold], SETTINGS)[1].to_pylist()
    assert dividends[0]["members"] == int((codes != 1).sum()) < 900
    assert {row["segment"] for row in values} == {"all", "a", "unknown", "z"}


# ---- worlds
# ------------------------------------------------------------------------------------------------------------


def share_of_worlds(worlds: int, members: int, effects: list[list[float]], **kwargs: Any) -> tuple[float, float, float]:
    """Shares of worlds in which the dividend is found, its interval holds the truth, and the interaction is found."""
    truth = true_dividend(np.asarray(effects, dtype=float))
    found, held, interacting = 0, 0, 0
    for seed in range(worlds):
        experiment = world(1_000 + seed, members, effects, **kwargs)
        names, codes = experiment.segments["s"]
        scores = cross_fitted_scores(experiment)
        dividend = measure(experiment, scores, codes, len(names))
        p_value = interaction_p_value(experiment, scores, codes, len(names))
        found += dividend.low > 0
        held += dividend.low <= truth <= dividend.high
        interacting += p_value is not None and p_value < 0.05
    return found / worlds, held / worlds, interacting / worlds


@pytest.mark.parametrize("effects", [[[0, 0, 0]] * 4, [[0, 12, 10]] * 3])
def test_where_no_segment_differs_segmenting_seldom_pays(effects: list[list[float]]) -> None:
    found, held, interacting = share_of_worlds(120, 600, effects)
    # 2.5 % of 120 is 3; 7 would be three standard errors above.
    assert found <= 7 / 120
    assert held >= 0.95
    assert interacting <= 0.11


def test_a_planted_dividend_is_covered_and_found() -> None:
    found, held, interacting = share_of_worlds(120, 2_000, [[0, 15, 0], [0, 0, 15]], heavy=False)
    # 95 % less three standard errors of 120 worlds.
    assert held >= 0.89
    assert found >= 0.7
    assert interacting >= 0.95
