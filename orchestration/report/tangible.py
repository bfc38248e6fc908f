"""What makes the segments of one scheme tangible: their metrics, their occasions, what they buy together.

Belongs here: published rows in, plain values for the template out. Every index is 1 where a segment is like everyone.
Does not belong here: HTML, and how large segments are or how they are treated (accounts.py).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from orchestration.report import words
from orchestration.report.published import Published, Row

if TYPE_CHECKING:
    from orchestration.report.accounts import Segments

Context = dict[str, Any]

SIGNIFICANCE = 0.05
MOST_GAPS = 10
MOST_TIES = 10
# Metrics named beside a segment, and from which index on (or its inverse) a metric is worth naming.
MOST_TRAITS = 2
TRAIT = 1.25
# From which index on a cell has which shade; below the first: the darkest of the low ones.
SHADES = ((0.5, "low2"), (0.8, "low1"), (1.25, "mid"), (2.0, "high1"))
# A tie within a segment must be this much stronger than everyone's to be told as its own.
OWN_TIE = 1.1


def profile_rows(db: Published) -> list[Row]:
    """Rows of segment_profiles; none where the table or a column that is needed is missing."""
    if not db.has("segment_profiles", "value", "population_value", "index"):
        return []
    return db.table("segment_profiles", "scheme", "segment", "metric")


def profiles(rows: list[Row], segments: Segments) -> Context | None:
    """Segments by metrics: the value and its index; null without rows of segments that are shown."""
    cells = {(row["segment"], row["metric"]): row for row in rows}
    names = [name for name in segments.names if any((name, metric) in cells for metric in words.METRICS)]
    metrics = {key: metric for key, metric in words.METRICS.items() if any((name, key) in cells for name in names)}
    if not metrics:
        return None
    everyone = {row["metric"]: row["population_value"] for row in rows}
    return {
        "metrics": [(_capital(metric.name), metric.unit) for metric in metrics.values()],
        "everyone": [words.formed(everyone[key], metric.form) for key, metric in metrics.items()],
        "is_cut": segments.cut,
        "rows": [
            {
                "label": segments.label(name),
                "traits": _traits([cells[name, key] for key in metrics if (name, key) in cells]),
                "cells": [
                    (words.formed(cells[name, key]["value"], metric.form), words.decimals(cells[name, key]["index"]))
                    if (name, key) in cells
                    else None
                    for key, metric in metrics.items()
                ],
            }
            for name in names
        ],
    }


def _traits(rows: list[Row]) -> str | None:
    """What sets a segment apart most: the metrics whose index is farthest from 1, up or down alike."""
    far = sorted(
        (
            (-abs(math.log(row["index"])), place, row)
            for place, row in enumerate(rows)
            if row["index"] and math.isfinite(row["index"]) and row["index"] > 0
        ),
        key=lambda found: found[:2],
    )
    named = [
        f"{words.METRICS[row['metric']].name} {'▲' if row['index'] > 1 else '▼'}\u00a0{words.decimals(row['index'])}"
        for distance, _, row in far[:MOST_TRAITS]
        if -distance >= math.log(TRAIT)
    ]
    return ", ".join(named) or None


def occasion_rows(db: Published) -> list[Row]:
    """Rows of occasion_matrix; none where the table or a column that is needed is missing."""
    if not db.has("occasion_matrix", "customers", "baskets", "index", "q_value", "is_gap"):
        return []
    return db.table("occasion_matrix", "scheme", "segment", "occasion")


def occasions(rows: list[Row], segments: Segments) -> Context | None:
    """Segments by occasions, and a sentence a gap, those of most baskets first; null without rows to show.

    `unknown` counts among everyone and has no row: nobody sells to it.
    """
    cells = {(row["segment"], row["occasion"]): row for row in rows}
    known = sorted({row["occasion"] for row in rows})
    order = [*(name for name in words.OCCASIONS if name in known), *(n for n in known if n not in words.OCCASIONS)]
    names = [name for name in segments.names if any((name, occasion) in cells for occasion in order)]
    if not names:
        return None
    # Gaps are told of all segments, of those too that the table has no room for.
    told = [*names, *(row["segment"] for row in segments.left_out)]
    baskets_of = {name: sum(r["baskets"] or 0 for r in rows if r["segment"] == name) for name in told}
    everyone = {occasion: sum(r["baskets"] or 0 for r in rows if r["occasion"] == occasion) for occasion in order}
    all_baskets = sum(everyone.values())

    def gap(row: Row) -> Context:
        of = baskets_of[row["segment"]]
        expected = of * everyone[row["occasion"]] / all_baskets if all_baskets else 0.0
        return {
            "label": segments.label(row["segment"]),
            "phrase": words.OCCASIONS.get(row["occasion"], f"for “{_title(row['occasion'])}”"),
            "index": words.decimals(row["index"]),
            "baskets": words.count(row["baskets"]),
            "of": words.counted(of, "basket"),
            "expected": words.count(expected),
            "q": words.q(row["q_value"]),
            "missing": expected - (row["baskets"] or 0),
        }

    found = [gap(cells[name, o]) for name in told for o in order if (name, o) in cells and cells[name, o]["is_gap"]]
    found.sort(key=lambda sentence: -sentence["missing"])
    return {
        "occasions": [(_title(o), words.share(everyone[o] / all_baskets if all_baskets else None)) for o in order],
        "rows": [(segments.label(name), [_occasion_cell(cells.get((name, o))) for o in order]) for name in names],
        "is_cut": segments.cut,
        "gaps": found[:MOST_GAPS],
        "more": max(0, len(found) - MOST_GAPS),
        # Where segments are made of occasions, a gap says how they were made, and little else.
        "is_own_definition": bool(set(names) & set(order)),
    }


def _occasion_cell(row: Row | None) -> Context | None:
    """Index, shade, and the mark of what is beyond chance; null where the segment has no baskets to compare."""
    if row is None or row["index"] is None:
        return None
    index, q = row["index"], row["q_value"]
    is_more = q is not None and q < SIGNIFICANCE and index > 1
    return {
        "index": words.decimals(index),
        "shade": next((shade for bound, shade in SHADES if index < bound), "high2"),
        "mark": "▼ gap" if row["is_gap"] else "▲ more" if is_more else None,
    }


TIE_COLUMNS = (
    "scheme",
    "segment",
    "item_level",
    "window",
    "antecedent",
    "consequent",
    "n_both",
    "q_value",
    "global_lift",
    "shrunk_lift",
)


def tie_rows(db: Published) -> list[Row]:
    """Of each segment, the pair whose tie exceeds everyone's most, of one level and window: the first by name.

    Ratios are of the lift drawn towards everyone's, so that small segments do not shout.
    """
    if not db.has("segment_affinities", *TIE_COLUMNS):
        return []
    return db.rows(
        """
        with one_kind as (
            select *
            from segment_affinities
            qualify dense_rank() over (order by "window", item_level) = 1
        )
        select scheme, segment, antecedent, consequent, n_both, global_lift, shrunk_lift
        from one_kind
        where q_value < ? and global_lift > 0 and shrunk_lift > 1 and shrunk_lift >= ? * global_lift
        qualify row_number() over (
            partition by scheme, segment
            order by shrunk_lift / global_lift desc, n_both desc, antecedent, consequent
        ) = 1
        order by scheme, segment
        """,
        (SIGNIFICANCE, OWN_TIE),
    )


def ties(rows: list[Row], segments: Segments) -> list[Context]:
    """One sentence a segment that is shown, in their order."""
    by_segment = {row["segment"]: row for row in rows}
    return [
        {
            "label": segments.label(name),
            "antecedent": words.clean(by_segment[name]["antecedent"]),
            "consequent": words.clean(by_segment[name]["consequent"]),
            "own": words.times(by_segment[name]["shrunk_lift"]),
            "everyone": words.times(by_segment[name]["global_lift"]),
            "n_both": words.counted(by_segment[name]["n_both"], "basket"),
        }
        for name in segments.names
        if name in by_segment
    ][:MOST_TIES]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _title(identifier: str) -> str:
    """late_evening -> Late evening"""
    return _capital(words.clean(identifier).replace("_", " "))
