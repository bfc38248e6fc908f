"""Which segments to keep apart, which to merge, and which to test: every pair of a scheme's segments.

Reads behaviour_members (what members did in the outcome period) and treatment_outcomes (what each treatment did in each
segment); gives scheme_advice.

A pair differs in an outcome where Welch's test says so (q < 0.05 over all pairs, outcomes and treatments of the
scheme). It is alike in it where the difference lies within `equivalence_margin` of the scheme's mean, by two
one-sided tests at 5 % (Schuirmann 1987). `keep apart`: it differs in any. `merge`: it is alike in all, and in the
effect of every treatment that was tested on both. `test`: anything else, also where a treatment was tested on both and
its effect is not known yet; experiment_plans says how. Of an open experiment the interval at all looks counts.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy import special

from orchestration.accountability.behaviour import OUTCOMES, SHARES
from orchestration.accountability.experiments import EVERYONE, UNKNOWN
from orchestration.accountability.inputs import SIGNIFICANCE, RefreshSettings, active_schemes, segment_labels
from orchestration.accountability.schemas import table_of
from orchestration.accountability.statistics import Floats, Integers

KEEP_APART, MERGE, TEST = "keep apart", "merge", "test"


class Tests:
    """Differences of all pairs in one measure: arrays (pairs,), NaN where a pair cannot be compared.

    Args:
        asked: (pairs,) whether the pair must be alike in it to be merged; None: all.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        a: Floats,
        b: Floats,
        error: Floats,
        degrees: Floats,
        margin: float,
        asked: npt.NDArray[np.bool_] | None = None,
    ):
        self.name, self.kind, self.a, self.b = name, kind, a, b
        self.asked = np.ones(a.shape, dtype=bool) if asked is None else asked
        gap = np.abs(a - b)
        with np.errstate(invalid="ignore", divide="ignore"):
            self.p = 2 * special.stdtr(degrees, -gap / error)
            # Two one-sided tests: the larger p is that of the nearer bound.
            self.alike = special.stdtr(degrees, -(margin - gap) / error)
        nothing = (error == 0) & (gap == 0)
        self.p[nothing], self.alike[nothing] = 1.0, 0.0
        self.alike[np.isnan(self.p)] = np.nan

    def measured(self, i: int) -> str:
        """The means of the pair at i, shares in percent, amounts and counts a member."""
        if self.name in SHARES:
            return f"{_digits(100 * self.a[i])} % against {_digits(100 * self.b[i])} %"
        return f"{_digits(self.a[i])} against {_digits(self.b[i])} a member"


def scheme_advice(con: duckdb.DuckDBPyConnection, settings: RefreshSettings, outcomes: pa.Table) -> pa.Table:
    """One row an active scheme and pair of segments that have members today or had some when the period began."""
    rows: list[dict[str, Any]] = []
    tested: dict[str, list[dict[str, Any]]] = {}
    for row in outcomes.to_pylist():
        # There are members in both arms, and the experiment is not void.
        if row["outcome"] == "spend" and row["scheme"] != EVERYONE and row["uplift"] is not None:
            tested.setdefault(row["scheme"], []).append(row)
    labels = segment_labels(con)
    for scheme in active_schemes(con):
        rows += _advice(con, scheme, settings, tested.get(scheme, []), labels.get(scheme, {}))
    return table_of("scheme_advice", rows)


def _advice(
    con: duckdb.DuckDBPyConnection,
    scheme: str,
    settings: RefreshSettings,
    tested: list[dict[str, Any]],
    labels: dict[str, str],
) -> list[dict[str, Any]]:
    columns = ", ".join(f"cast({outcome} as double) as {outcome}" for outcome in OUTCOMES)
    members = con.execute(
        f"select segment, {columns} from behaviour_members where scheme = ? order by member_id", [scheme]
    ).to_arrow_table()
    today = con.execute(
        "select distinct segment from customer_segments where scheme = ? and segment <> ?", [scheme, UNKNOWN]
    ).fetchall()
    segments = sorted({segment for (segment,) in today} | set(members.column("segment").to_pylist()))
    if len(segments) < 2:
        return []
    place = {segment: i for i, segment in enumerate(segments)}
    codes = np.fromiter(
        (place[segment] for segment in members.column("segment").to_pylist()), dtype=np.int64, count=members.num_rows
    )
    first, second = (np.asarray(side, dtype=np.int64) for side in np.triu_indices(len(segments), 1))
    sizes = np.bincount(codes, minlength=len(segments))
    tests = [
        test
        for outcome, words in OUTCOMES.items()
        if (
            test := behaviour_tests(
                members.column(outcome).to_numpy(),
                codes,
                first,
                second,
                len(segments),
                words,
                settings.equivalence_margin,
            )
        )
    ]
    tests += effect_tests(tested, place, first, second, settings.equivalence_margin)
    return _rows(scheme, segments, first, second, sizes, tests, settings, labels)


def behaviour_tests(
    values: Floats, codes: Integers, first: Integers, second: Integers, segments: int, name: str, margin: float
) -> Tests | None:
    """Welch's comparisons of an outcome between all pairs; None where nobody has the outcome, or all the same."""
    known = ~np.isnan(values)
    values, codes = values[known], codes[known]
    if values.size < 2 or float(values.var()) == 0.0:
        return None
    counts = np.bincount(codes, minlength=segments).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(codes, weights=values, minlength=segments) / counts
        squares = np.bincount(codes, weights=(values - means[codes]) ** 2, minlength=segments)
        variances = squares / (counts - 1)
    # A few members who did the same are not known to be all alike: they get everybody's variance.
    within = float(squares.sum()) / max(1.0, float((counts - 1).clip(0).sum()))
    variances = np.where((counts > 1) & (variances == 0), within, variances)
    parts = variances / np.where(counts > 1, counts, np.nan)
    error = np.sqrt(parts[first] + parts[second])
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = (parts[first] + parts[second]) ** 2 / (
            parts[first] ** 2 / (counts[first] - 1) + parts[second] ** 2 / (counts[second] - 1)
        )
    return Tests(name, "behaviour", means[first], means[second], error, degrees, margin * abs(float(values.mean())))


def effect_tests(
    tested: list[dict[str, Any]], place: dict[str, int], first: Integers, second: Integers, margin: float
) -> list[Tests]:
    """Comparisons of each treatment's effect on spend between all pairs of segments it was tested on, NaN where one of
    the two effects is not known."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in tested:
        if row["segment"] in place:
            groups.setdefault((row["experiment_id"], row["treatment_id"]), []).append(row)
    tests = []
    normal = float(special.ndtri(0.975))
    for (_, treatment_id), rows in sorted(groups.items()):
        if len(rows) < 2:
            continue
        effect, error = np.full(len(place), np.nan), np.full(len(place), np.nan)
        asked = np.zeros(len(place), dtype=bool)
        asked[[place[row["segment"]] for row in rows]] = True
        # In an arm of one member nothing varies.
        rows = [row for row in rows if row["cuped_ci_high"] is not None]
        for row in rows:
            high = row["cuped_ci_high"] if row["is_closed"] else row["cuped_always_high"]
            # Where neither arm varies there is no error to compare with.
            if high is not None and high > row["cuped_uplift"]:
                # Wider than the standard error where an arm is small, or the experiment open: that is meant.
                effect[place[row["segment"]]] = row["cuped_uplift"]
                error[place[row["segment"]]] = (high - row["cuped_uplift"]) / normal
        members = sum(row["n_holdout"] for row in rows)
        spend = sum(row["n_holdout"] * (row["mean_holdout"] or 0.0) for row in rows)
        both = np.sqrt(error[first] ** 2 + error[second] ** 2)
        degrees = np.full(first.size, 1e9)
        bound = margin * abs(spend / members) if members else 0.0
        tested_both = asked[first] & asked[second]
        tests.append(Tests(treatment_id, "effect", effect[first], effect[second], both, degrees, bound, tested_both))
    return tests


def _rows(
    scheme: str,
    segments: list[str],
    first: Integers,
    second: Integers,
    sizes: Integers,
    tests: list[Tests],
    settings: RefreshSettings,
    labels: dict[str, str],
) -> list[dict[str, Any]]:
    pairs = first.size
    p = np.array([test.p for test in tests]).reshape(len(tests), pairs)
    alike = np.array([test.alike for test in tests]).reshape(len(tests), pairs)
    q = adjusted(p)
    behaviour = np.asarray([test.kind == "behaviour" for test in tests], dtype=bool)
    asked = np.array([test.asked for test in tests], dtype=bool).reshape(len(tests), pairs)
    rows = []
    for i in range(pairs):
        a, b = segments[first[i]], segments[second[i]]
        names = labels.get(a, a), labels.get(b, b)
        known = ~np.isnan(p[:, i])
        differing = np.flatnonzero(known & (q[:, i] < SIGNIFICANCE))
        is_alike = bool(known[behaviour].any() and known[asked[:, i]].all() and (alike[known, i] < SIGNIFICANCE).all())
        effects = int(known[~behaviour].sum())
        evidence = " and ".join(
            word for word, there in (("behaviour", known[behaviour].any()), ("effect", effects > 0)) if there
        )
        if differing.size:
            strongest = int(differing[np.argmin(p[differing, i])])
            advice, why = KEEP_APART, _differs(tests[strongest], i, *names, float(q[strongest, i]), settings)
        elif is_alike:
            advice, why = MERGE, _alike(*names, effects, settings)
        else:
            advice, why = TEST, _open(*names, int(sizes[first[i]]), int(sizes[second[i]]), settings)
        rows.append(
            {
                "scheme": scheme,
                "segment_a": a,
                "segment_b": b,
                "n_a": int(sizes[first[i]]),
                "n_b": int(sizes[second[i]]),
                "advice": advice,
                "evidence": evidence or "nothing",
                "treatments_compared": effects,
                "q_value": float(np.nanmin(q[:, i])) if known.any() else None,
                "equivalence_p_value": float(np.nanmax(alike[known, i])) if known.any() else None,
                "why": why,
            }
        )
    return rows


def adjusted(p: Floats) -> Floats:
    """Benjamini and Hochberg's q over all entries together; NaN stays NaN."""
    flat = p.ravel()
    q = np.full(flat.size, np.nan)
    known = np.flatnonzero(~np.isnan(flat))
    order = known[np.argsort(flat[known], kind="stable")]
    m = order.size
    if m:
        raised = flat[order] * m / np.arange(1, m + 1)
        q[order] = np.maximum(flat[order], np.minimum.accumulate(raised[::-1])[::-1].clip(max=1.0))
    return q.reshape(p.shape)


def _digits(value: float) -> str:
    """Three digits that count; from 100 on all before the point, because nobody reads 8.27e+03."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _differs(test: Tests, i: int, a: str, b: str, q: float, settings: RefreshSettings) -> str:
    chance = f"q = {q:.3f}" if q >= 0.001 else "q < 0.001"
    if test.kind == "effect":
        return (
            f"{test.name} changes spend by {test.a[i]:,.2f} a member of {a} and by {test.b[i]:,.2f} a member of {b} "
            f"({chance}): keep them apart, and send it where it earns."
        )
    return (
        f"{a} and {b} differ in {test.name}: {test.measured(i)} in {settings.outcome_days} days ({chance}): keep them "
        "apart."
    )


def _alike(a: str, b: str, effects: int, settings: RefreshSettings) -> str:
    margin = f"{100 * settings.equivalence_margin:g} %"
    tested = (
        "and every treatment tested on both does the same to both: treat them as one segment."
        if effects
        else "but no treatment was tested on both: send both the same for a while, and merge them if nothing changes."
    )
    return f"{a} and {b} did the same, within {margin}, in everything that was measured, {tested}"


def _open(a: str, b: str, n_a: int, n_b: int, settings: RefreshSettings) -> str:
    return (
        f"With {n_a:,} and {n_b:,} members nobody can tell yet whether {a} and {b} differ by more than "
        f"{100 * settings.equivalence_margin:g} %: leave them as they are, and run the experiment that "
        "experiment_plans describes for this scheme (question merge)."
    )
