"""One model of who is in which segment by what they say: fitted, calibrated and judged on three parts of the members.

Belongs here: scikit-learn, and the measures that are reported.
Does not belong here: whose profiles they are (attributes.py), what is published (tables.py).

Three candidates, from simple to complex: the nearest profile (the centre of each segment), a regularised multinomial
logistic regression, gradient boosting. Each is fitted on 60 % of the members and calibrated on the next 20 %; there the
simplest is kept that none of the more complex ones beats. The last 20 %, which nobody has seen, say how good it is,
against the base rate: giving everybody the shares of the segments.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from orchestration.prospects.attributes import MOST_MEMBERS, NUMBERS, draw

Floats = NDArray[np.float64]

# Shares of the members that models are fitted on, and calibrated on; the rest is what they are judged by.
FIT_SHARE, CALIBRATION_SHARE = 0.6, 0.2
# Members of a segment among those fitted on before it can be told; those of rarer ones are one class, which no prospect
# gets.
SEGMENT_MEMBERS = 10
OTHER = "(rare segments)"
# Standard errors by which a more complex model must be better to be kept: 2, about one chance in 40.
BEATEN = 2.0
# Standard errors by which members' own classes must fit their chances better than the classes of other members drawn at
# random: 3, one chance in 700, as a refresh may fit a dozen models.
BEATS_BASE = 3.0
# How far the logistic regression is held back (scikit-learn's C): chosen by cross-validation in the part fitted on.
STRENGTHS = (0.01, 0.1, 1.0, 10.0)
FOLDS = 3
BINS = 10
LEAST_CHANCE = 1e-12
# Nats by which a model is better at all: less is what rounding makes of two equal ones.
LEAST_GAIN = 1e-6
NEAREST, LOGISTIC, BOOSTING = "nearest profile", "logistic regression", "gradient boosting"


@dataclass(frozen=True)
class Quality:
    """How good chances are, on members that nobody fitted: means over members.

    `log_loss` in nats; `top1` is the share whose most likely segment is theirs; `calibration_error` the mean distance
    between the chance of the most likely segment and how often it is right, over ten bins (weighted by members).
    """

    log_loss: float
    top1: float
    calibration_error: float


@dataclass(frozen=True)
class Model:
    """A calibrated model on one set of attributes, and what it is worth."""

    attributes: tuple[str, ...]
    classes: tuple[str, ...]
    name: str
    fitted: Any
    weight: float
    base: Floats
    members_fitted: int
    members_calibrated: int
    members_judged: int
    quality: Quality
    base_quality: Quality
    beats_base: bool
    reliability: tuple[dict[str, float], ...]
    losses: Mapping[str, float]
    spread: Mapping[str, tuple[tuple[Any, float], ...]]

    def chances(self, profiles: pd.DataFrame) -> Floats:
        """Chance of each class, (profiles, classes); rows sum to 1."""
        with threadpool_limits(1):
            raw = _chances(self.fitted, profiles[list(self.attributes)], self.classes)
        return calibrated(raw, self.base, self.weight)

    def reasons(self, profiles: pd.DataFrame, chosen: Sequence[int], chances: Floats) -> list[dict[str, float]]:
        """What each attribute adds to the chance of the chosen class: the chance as it is, less what it would be on
        average if the attribute were any of the members' values."""
        rows = np.arange(len(profiles))
        own = chances[rows, list(chosen)]
        added: list[dict[str, float]] = [{} for _ in rows]
        for attribute in self.attributes:
            average = np.zeros(len(profiles))
            for value, share in self.spread[attribute]:
                average += share * self.chances(profiles.assign(**{attribute: value}))[rows, list(chosen)]
            for row in rows:
                added[row][attribute] = round(float(own[row] - average[row]), 4)
        return added


def fit(members: pd.DataFrame, attributes: Sequence[str]) -> Model | None:
    """The model on members who say all the attributes; None where nothing can be told apart, or a part is empty.

    Args:
        members: indexed by member id, with the attributes and a column `segment`.
    """
    complete = members.loc[members[list(attributes)].notna().all(axis=1)]
    ids = sorted(complete.index, key=lambda member: (draw(member), member))
    # Every second, third … of them: the first by draw would all be in the part that is fitted on.
    ids = ids[:: max(1, -(-len(ids) // MOST_MEMBERS))]
    complete = complete.loc[ids]
    drawn = np.array([draw(member) for member in ids])
    to_fit = drawn < FIT_SHARE
    to_calibrate = ~to_fit & (drawn < FIT_SHARE + CALIBRATION_SHARE)
    to_judge = ~to_fit & ~to_calibrate
    sizes = Counter(complete["segment"].to_numpy()[to_fit])
    told = sorted(segment for segment, n in sizes.items() if n >= SEGMENT_MEMBERS)
    segments = np.array([s if s in told else OTHER for s in complete["segment"]], dtype=object)
    classes = tuple(sorted(set(segments)))
    if not told or len(classes) < 2 or not to_calibrate.any() or not to_judge.any():
        return None
    # Rare segments may be nowhere among the members fitted on: then nothing is known of them.
    fitted_classes = tuple(sorted(set(segments[to_fit])))
    if fitted_classes != classes:
        known = np.isin(segments, fitted_classes)
        complete, segments, classes = complete.loc[known], segments[known], fitted_classes
        to_fit, to_calibrate, to_judge = to_fit[known], to_calibrate[known], to_judge[known]
        if len(classes) < 2 or not to_calibrate.any() or not to_judge.any():
            return None
    if all(len(set(complete.loc[to_fit, attribute])) < 2 for attribute in attributes):
        return None
    codes = np.searchsorted(np.array(classes, dtype=object), segments)
    profiles = complete[list(attributes)]
    base = np.bincount(codes[to_fit], minlength=len(classes)) / int(to_fit.sum())
    candidates: list[tuple[str, Any, float, Floats]] = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, estimator in _candidates(attributes, profiles.loc[to_fit], segments[to_fit]):
            fitted = estimator.fit(profiles.loc[to_fit], segments[to_fit])
            raw = _chances(fitted, profiles.loc[to_calibrate], classes)
            if not np.isfinite(raw).all():
                continue
            weight = evidence_weight(raw, base, codes[to_calibrate])
            losses = member_losses(calibrated(raw, base, weight), codes[to_calibrate])
            candidates.append((name, fitted, weight, losses))
        place = simplest_not_beaten([losses for *_, losses in candidates])
        name, fitted, weight, _ = candidates[place]
        chances = calibrated(_chances(fitted, profiles.loc[to_judge], classes), base, weight)
    judged = codes[to_judge]
    base_chances = np.tile(base, (judged.size, 1))
    return Model(
        tuple(attributes),
        classes,
        name,
        fitted,
        weight,
        base,
        int(to_fit.sum()),
        int(to_calibrate.sum()),
        int(judged.size),
        quality(chances, judged),
        quality(base_chances, judged),
        beats_base(chances, base, judged),
        reliability(chances, judged),
        {name: float(losses.mean()) for name, *_, losses in candidates},
        {attribute: _spread(profiles.loc[to_fit, attribute]) for attribute in attributes},
    )


def _candidates(attributes: Sequence[str], profiles: pd.DataFrame, segments: NDArray[Any]) -> list[tuple[str, Any]]:
    folds = min(FOLDS, min(Counter(segments).values()))
    logistic: Any = LogisticRegression(max_iter=1000)
    if folds > 1:
        grid = {"C": list(STRENGTHS)}
        logistic = GridSearchCV(logistic, grid, scoring="neg_log_loss", cv=StratifiedKFold(folds))
    boosting = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, early_stopping=False, random_state=0)
    return [
        (NEAREST, _pipeline(attributes, NearestCentroid(priors="empirical"))),
        (LOGISTIC, _pipeline(attributes, logistic)),
        (BOOSTING, _pipeline(attributes, boosting)),
    ]


def _pipeline(attributes: Sequence[str], estimator: Any) -> Pipeline:
    words = [a for a in attributes if a not in NUMBERS]
    numbers = [a for a in attributes if a in NUMBERS]
    columns = ColumnTransformer(
        [
            ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
            ("numbers", make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), numbers),
        ]
    )
    return make_pipeline(columns, estimator)


def _chances(fitted: Any, profiles: pd.DataFrame, classes: Sequence[str]) -> Floats:
    if profiles.empty:
        return np.empty((0, len(classes)))
    found: Floats = np.asarray(fitted.predict_proba(profiles), dtype=np.float64)
    assert tuple(fitted.classes_) == tuple(classes)
    return found


def _spread(values: pd.Series[Any]) -> tuple[tuple[Any, float], ...]:
    """The values that members have with their shares; of a number the middles of its tenths."""
    if values.name in NUMBERS:
        middles = np.quantile(values.to_numpy(dtype=np.float64), (np.arange(BINS) + 0.5) / BINS, method="lower")
        return tuple((float(middle), 1 / BINS) for middle in middles)
    counts = Counter(values)
    return tuple((value, n / len(values)) for value, n in sorted(counts.items()))


# ---- calibration ----------------------------------------------------------------------------------------------------


def calibrated(chances: Floats, base: Floats, weight: float) -> Floats:
    """Chances whose evidence beyond the base rate counts `weight` times: base × (chance ÷ base)^weight, summing to 1.

    At 1 they are as they were, at 0 the base rate.
    """
    found: Floats = np.exp(_log_chances(chances, base, weight))
    return found


def _log_chances(chances: Floats, base: Floats, weight: float) -> Floats:
    evidence = np.log(np.clip(chances, LEAST_CHANCE, 1.0)) - np.log(base)
    found: Floats = special.log_softmax(np.log(base) + weight * evidence, axis=1)
    return found


def evidence_weight(chances: Floats, base: Floats, codes: NDArray[np.int64]) -> float:
    """The weight, 0 to 5, with the least log loss on these members: temperature scaling towards the base rate."""

    def loss(weight: float) -> float:
        # Not cut off as chances are: so it has one minimum.
        return -float(_log_chances(chances, base, weight)[np.arange(codes.size), codes].mean())

    found = optimize.minimize_scalar(loss, bounds=(0.0, 5.0), method="bounded", options={"xatol": 1e-4})
    weight = float(found.x)
    return weight if loss(weight) < loss(0.0) else 0.0


# ---- measures -------------------------------------------------------------------------------------------------------


def member_losses(chances: Floats, codes: NDArray[np.int64]) -> Floats:
    """Minus the logarithm of the chance that each member's own class was given, (members,)."""
    found: Floats = -np.log(np.clip(chances[np.arange(codes.size), codes], LEAST_CHANCE, 1.0))
    return found


def is_better(losses: Floats, than: Floats, errors: float) -> bool:
    """Whether `than` loses less than `losses`, by more than so many standard errors of the paired difference."""
    gain = losses - than
    if gain.size < 2:
        return False
    error = float(gain.std(ddof=1)) / float(np.sqrt(gain.size))
    return float(gain.mean()) > max(errors * error, LEAST_GAIN)


def beats_base(chances: Floats, base: Floats, codes: NDArray[np.int64]) -> bool:
    """Whether chances lose less than the base rate, and not by luck.

    With the classes handed out anew among the members, the mean loss would be higher by more than `BEATS_BASE` standard
    deviations (the exact mean and deviation over all permutations, Hoeffding 1951). Unlike a paired test
    it is not blunted by a few members who lose much.
    """
    n = codes.size
    if n < 2:
        return False
    losses = -np.log(np.clip(chances, LEAST_CHANCE, 1.0))
    own = float(losses[np.arange(n), codes].mean())
    if own > float(member_losses(np.tile(base, (n, 1)), codes).mean()) - LEAST_GAIN:
        return False
    # What each member would lose with the class of each other one, by classes: a matrix (members, members) never made.
    shares = np.bincount(codes, minlength=base.size) / n
    centred = losses - (losses @ shares)[:, None] - losses.mean(axis=0) + float((losses @ shares).mean())
    variance = float(((centred**2) @ shares).sum()) * n / (n - 1) / n**2
    return bool(float((losses @ shares).mean()) - own > BEATS_BASE * float(np.sqrt(variance)))


def simplest_not_beaten(losses: Sequence[Floats]) -> int:
    """Place of the first candidate that none of those after it beats; candidates go from simple to complex."""
    for place, own in enumerate(losses):
        if not any(is_better(own, other, BEATEN) for other in losses[place + 1 :]):
            return place
    raise AssertionError("the last one has nobody after it")


def quality(chances: Floats, codes: NDArray[np.int64]) -> Quality:
    """The measures on members whose class is known."""
    bins = reliability(chances, codes)
    error = sum(row["members"] * abs(row["said"] - row["were"]) for row in bins) / codes.size
    hits = chances.argmax(axis=1) == codes
    return Quality(float(member_losses(chances, codes).mean()), float(hits.mean()), float(error))


def reliability(chances: Floats, codes: NDArray[np.int64]) -> tuple[dict[str, float], ...]:
    """By tenth of the chance of the most likely class: members, the mean chance said, and the share for whom it was so.

    A chance on a border is in the tenth above it, 1 in the last.
    """
    top = chances.max(axis=1)
    hits = chances.argmax(axis=1) == codes
    # Whole numbers of 1e-9, so that 0.3 is in the fourth tenth and not by its last bit in the third.
    bins = np.minimum((np.rint(top * 1e9).astype(np.int64) * BINS) // 10**9, BINS - 1)
    return tuple(
        {
            "from": int(b) / BINS,
            "members": int((bins == b).sum()),
            "said": float(top[bins == b].mean()),
            "were": float(hits[bins == b].mean()),
        }
        for b in np.unique(bins)
    )
