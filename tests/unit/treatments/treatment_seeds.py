"""The seeds of the repository as a check input: every segment of the active schemes has 150 members."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from orchestration.settings import PROJECT_DIR
from orchestration.treatments.check import CheckInput, Items, Rules, make_schemes
from orchestration.treatments.rows import read_treatments, with_subsets

SEEDS = PROJECT_DIR / "seeds"
AS_OF = date(2018, 1, 1)
# Two of the labels differ in one letter only: other products all the same.
CATEGORIES = {
    "soft_drinks": "SOFT DRINKS",
    "beef": "BEEF",
    "cheese": "CHEESE",
    "cheeses": "CHEESES",
    "unknown": "Unknown",
}
Row = dict[str, str]
Mutation = Callable[[dict[str, Row]], None]


def seed_rows(file: str) -> list[Row]:
    with (SEEDS / file).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def make_input(path: Path, active: Mapping[str, bool] | None = None) -> CheckInput:
    listed: dict[str, set[str]] = defaultdict(set)
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    for row in seed_rows("segment_definitions.csv"):
        listed[row["scheme"]].add(row["segment"])
        if row["segment"] != "*":
            labels[row["scheme"]][row["segment"]] = row["label"]
    labels["category_interest"].update(CATEGORIES)
    labels["rfm"]["unknown"] = "Unknown"
    schemes = [
        (
            row["scheme"],
            (active or {}).get(row["scheme"], row["is_active"] == "true"),
            row["is_data_driven"] == "true",
            row["treatment_check"],
        )
        for row in seed_rows("segment_schemes.csv")
    ]
    members = {scheme: dict.fromkeys(segments, 150) for scheme, segments in labels.items()}
    return CheckInput(
        as_of=AS_OF,
        rows=with_subsets(
            read_treatments(path), [(row["treatment_id"], row["pattern"]) for row in seed_rows("template_subsets.csv")]
        ),
        schemes=make_schemes(schemes, listed, labels, members),  # type: ignore[arg-type]
        channels=frozenset(row["channel"] for row in seed_rows("channels.csv")),
        items=Items("category", frozenset(CATEGORIES.values()) - {"Unknown"}),
        consents=None,
        rules=Rules(),
    )
