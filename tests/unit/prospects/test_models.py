"""Models of prospects: planted truth is found and calibrated, noise is not, and the measures are those of the books."""

from __future__ import annotations

import itertools
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from orchestration.prospects import models
from orchestration.prospects.attributes import VALUE_MEMBERS
from orchestration.prospects.models import (
    BOOSTING,
    LOGISTIC,
    NEAREST,
    OTHER,
    beats_base,
    calibrated,
    evidence_weight,
    fit,
    is_better,
    member_losses,
    quality,
    reliability,
    simplest_not_beaten,
)

# Chances of the segments by job and home, as planted.
SEGMENTS = ("family", "pensioner", "student")
TRUTH = {
    ("works", "house"): (0.85, 0.10, 0.05),
    ("works", "flat"): (0.60, 0.10, 0.30),
    ("retired", "house"): (0.10, 0.88, 0.02),
    ("retired", "flat"): (0.05, 0.80, 0.15),
    ("studies", "house"): (0.30, 0.05, 0.65),
    ("studies", "flat"): (0.10, 0.02, 0.88),
}


def members(n: int, seed: int, noise: bool = False) -> pd.DataFrame:
    """Members whose segment is drawn by TRUTH, or by nothing; `colour` never matters."""
    rng = np.random.default_rng(seed)
    jobs = rng.choice(["works", "retired", "studies"], n)
    homes = rng.choice(["house", "flat"], n)
    chances = [(0.5, 0.3, 0.2) if noise else TRUTH[job, home] for job, home in zip(jobs, homes, strict=True)]
    return pd.DataFrame(
        {
            "segment": [SEGMENTS[rng.choice(3, p=p)] for p in chances],
            "job": jobs,
            "home": homes,
            "colour": rng.choice(["red", "blue", "green"], n),
        },
        index=pd.Index([f"m{seed}-{i}" for i in range(n)], name="member_id"),
    )


ATTRIBUTES = ("colour", "home", "job")


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    return members(3000, 1)


def test_planted_chances_are_found_and_hold_on_others(planted: pd.DataFrame) -> None:
    model = fit(planted, ATTRIBUTES)
    assert model is not None and model.beats_base
    asked = pd.DataFrame([{"job": job, "home": home, "colour": "red"} for job, home in TRUTH])
    found = model.chances(asked)
    assert np.abs(found - np.array(list(TRUTH.values()))).max() < 0.1
    assert model.classes == SEGMENTS
    # Customers of another day, whom no part of the fitting has seen: said is what is.
    others = members(6000, 2)
    chances = model.chances(others)
    codes = np.searchsorted(SEGMENTS, others["segment"])
    assert quality(chances, codes).calibration_error < 0.03
    best = float(np.mean([max(TRUTH[j, h]) for j, h in zip(others["job"], others["home"], strict=True)]))
    assert quality(chances, codes).top1 == pytest.approx(best, abs=0.02)


def test_what_is_reported_is_what_happens_to_others(planted: pd.DataFrame) -> None:
    model = fit(planted, ATTRIBUTES)
    assert model is not None
    others = members(6000, 3)
    again = quality(model.chances(others), np.searchsorted(SEGMENTS, others["segment"]))
    assert model.quality.log_loss == pytest.approx(again.log_loss, abs=0.06)
    assert model.quality.top1 == pytest.approx(again.top1, abs=0.05)
    assert model.quality.log_loss < 0.75 * model.base_quality.log_loss
    assert (model.members_fitted + model.members_calibrated + model.members_judged) == 3000
    assert model.members_fitted == pytest.approx(1800, abs=100)


def test_noise_does_not_beat_the_base_rate() -> None:
    """Chance lets one world in some hundreds through; of these none."""
    fitted = [fit(members(240, seed, noise=True), ATTRIBUTES) for seed in range(100, 130)]
    assert [model for model in fitted if model is not None and model.beats_base] == []


def test_the_order_of_members_changes_nothing(planted: pd.DataFrame) -> None:
    some = planted.iloc[:600]
    shuffled = some.sample(frac=1, random_state=5)
    asked = pd.DataFrame([{"job": job, "home": home, "colour": "blue"} for job, home in TRUTH])
    one, other = fit(some, ATTRIBUTES), fit(shuffled, ATTRIBUTES)
    assert one is not None and other is not None
    assert np.array_equal(one.chances(asked), other.chances(asked))
    assert (one.name, one.quality, one.reliability) == (other.name, other.quality, other.reliability)


def test_the_attribute_that_matters_is_the_reason(planted: pd.DataFrame) -> None:
    model = fit(planted, ATTRIBUTES)
    assert model is not None
    asked = pd.DataFrame([{"job": "retired", "home": "house", "colour": "red"}])
    chances = model.chances(asked)
    (points,) = model.reasons(asked, [1], chances)
    assert points["job"] > 0.4 > points["home"] > points["colour"] - 0.02
    # By hand: the chance less the mean over jobs, as often as members have them.
    spread = dict(model.spread["job"])
    by_hand = sum(spread[job] * model.chances(asked.assign(job=job))[0, 1] for job in ("retired", "studies", "works"))
    assert points["job"] == pytest.approx(chances[0, 1] - by_hand, abs=1e-4)


def test_a_cut_in_a_number_is_found() -> None:
    rng = np.random.default_rng(7)
    employees = np.floor(10 ** rng.uniform(0, 3.5, 1500))
    frame = pd.DataFrame(
        {"segment": np.select([employees < 50, employees < 250], ["small", "medium"], "large"), "employees": employees},
        index=pd.Index([f"k{i}" for i in range(1500)]),
    )
    model = fit(frame, ("employees",))
    assert model is not None and model.beats_base and model.quality.top1 > 0.97
    found = model.chances(pd.DataFrame({"employees": [0.0, 8.0, 120.0, 5000.0]})).argmax(axis=1)
    assert [model.classes[place] for place in found] == ["small", "small", "medium", "large"]


def test_rare_segments_are_one_class_that_is_not_called_by_a_name(planted: pd.DataFrame) -> None:
    some = planted.iloc[:800].copy()
    some.iloc[:6, some.columns.get_loc("segment")] = ["queen", "king", "knave", "queen", "king", "knave"]
    model = fit(some, ATTRIBUTES)
    assert model is not None
    assert model.classes == (OTHER, *SEGMENTS)


def test_too_little_to_learn_from_is_no_model() -> None:
    one_segment = members(300, 8).assign(segment="family")
    assert fit(one_segment, ATTRIBUTES) is None
    assert fit(members(3, 9), ATTRIBUTES) is None
    nobody = members(50, 10).assign(job=None)
    assert fit(nobody, ATTRIBUTES) is None
    assert fit(members(300, 10).assign(job="works"), ("job",)) is None
    assert VALUE_MEMBERS > 1


# ---- calibration -----------------------------------------------------------------------------------------------------


def test_weight_one_leaves_chances_and_weight_none_is_the_base_rate() -> None:
    base = np.array([0.5, 0.3, 0.2])
    chances = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    assert calibrated(chances, base, 1.0) == pytest.approx(chances)
    assert calibrated(chances, base, 0.0) == pytest.approx(np.tile(base, (2, 1)))
    # By hand: 0.5 × 1.4², 0.3 × (2/3)², 0.2 × 0.5².
    parts = np.array([0.5 * 1.96, 0.3 * 4 / 9, 0.2 * 0.25])
    assert calibrated(chances[:1], base, 2.0)[0] == pytest.approx(parts / parts.sum())


def test_boasting_is_held_back_and_bare_noise_counts_for_nothing() -> None:
    rng = np.random.default_rng(11)
    base = np.array([0.6, 0.4])
    honest = rng.uniform(0.2, 0.9, 20000)
    codes = (rng.random(20000) > honest).astype(np.int64)
    # Evidence three times too strong.
    odds = (honest / (1 - honest) / 1.5) ** 3 * 1.5
    boasted = np.column_stack([odds / (1 + odds), 1 / (1 + odds)])
    assert evidence_weight(boasted, base, codes) == pytest.approx(1 / 3, abs=0.02)
    noise = rng.permutation(boasted)
    assert evidence_weight(noise, base, codes) < 0.03


# ---- measures --------------------------------------------------------------------------------------------------------

CHANCES = np.array([[0.95, 0.05], [0.93, 0.07], [0.35, 0.65], [0.31, 0.69], [0.70, 0.30]])
CODES = np.array([0, 1, 1, 1, 0])


def test_calibration_error_by_hand() -> None:
    """Bins 0.9: said 0.94, was 1/2. 0.6: said 0.67, was 1. 0.7, on the border: said 0.7, was 1."""
    by_bin = {row["from"]: (row["members"], round(row["said"], 9), row["were"]) for row in reliability(CHANCES, CODES)}
    assert by_bin == {0.6: (2, 0.67, 1.0), 0.7: (1, 0.7, 1.0), 0.9: (2, 0.94, 0.5)}
    measured = quality(CHANCES, CODES)
    assert measured.calibration_error == pytest.approx((2 * 0.44 + 2 * 0.33 + 1 * 0.3) / 5)
    assert measured.top1 == 0.8


def test_certainty_is_in_the_last_bin() -> None:
    assert [row["from"] for row in reliability(np.array([[1.0, 0.0], [0.3, 0.7]]), np.array([0, 1]))] == [0.7, 0.9]


def test_log_loss_is_scikit_learns() -> None:
    rng = np.random.default_rng(12)
    chances = rng.dirichlet([1, 1, 1], 200)
    codes = rng.integers(0, 3, 200)
    assert quality(chances, codes).log_loss == pytest.approx(log_loss(codes, chances, labels=[0, 1, 2]))
    assert member_losses(CHANCES, CODES)[1] == pytest.approx(-np.log(0.07))


def test_better_is_more_than_chance() -> None:
    """Gains 0.1, 0.3, 0.2 have a standard error of 0.1 ÷ √3: 0.2 is 3.46 of them."""
    losses, than = np.array([0.5, 0.6, 0.7]), np.array([0.4, 0.3, 0.5])
    assert is_better(losses, than, 3.4) and not is_better(losses, than, 3.5)
    assert not is_better(losses, losses, 0.0) and not is_better(than, losses, 1.0)
    assert is_better(losses, losses - 0.1, 99.0)
    assert not is_better(losses[:1], than[:1], 0.0)


def test_beating_the_base_rate_is_judged_against_all_ways_to_hand_out_the_classes() -> None:
    """Mean and deviation over all 720 permutations of six members, by enumeration."""
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])
    codes = np.array([0, 0, 1, 1, 1, 0])
    losses = [member_losses(chances, codes[list(order)]).mean() for order in itertools.permutations(range(6))]
    deviations = (np.mean(losses) - member_losses(chances, codes).mean()) / np.std(losses)
    base = np.array([0.5, 0.5])
    for limit, expected in ((deviations - 1e-9, True), (deviations + 1e-9, False)):
        with mock.patch.object(models, "BEATS_BASE", limit):
            assert beats_base(chances, base, codes) is expected
    # However sure the pattern is, chances that lose more than the base rate do not beat it.
    assert not beats_base(np.array([[0.999999, 1e-6]] * 5 + [[0.9999, 1e-4]]), np.array([0.8, 0.2]), codes * 0 + 1)
    assert not beats_base(np.tile(base, (6, 1)), base, codes) and not beats_base(chances[:1], base, codes[:1])


def test_the_simplest_that_is_not_beaten_is_kept() -> None:
    rng = np.random.default_rng(13)
    good = rng.uniform(0.1, 0.3, 100)
    as_good, bad = good + rng.normal(0, 0.001, 100) + 1e-4, good + rng.uniform(0.2, 0.4, 100)
    assert simplest_not_beaten([good, as_good, bad]) == 0
    assert simplest_not_beaten([bad, as_good, bad]) == 1
    assert simplest_not_beaten([bad, bad + 0.1, good]) == 2
    assert (NEAREST, LOGISTIC, BOOSTING) == ("nearest profile", "logistic regression", "gradient boosting")
