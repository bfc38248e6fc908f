"""The seeds of the demo, or the shipped ones, as a check input: every segment of the active schemes has 150 members."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from orchestration.seeds.treatments import read_treatments, with_subsets
from orchestration.settings import DEMO_SEEDS, SHIPPED_SEEDS
from orchestration.treatments.inputs import CheckInput, Consents, Items, Rules, make_schemes

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


def seed_file(file: str, is_demo: bool = True) -> Path:
    """The demo's own seed where it has one, else the shipped one."""
    own = DEMO_SEEDS["retail"] / file
    return own if is_demo and own.is_file() else SHIPPED_SEEDS / file


def seed_rows(file: str, is_demo: bool = True) -> list[Row]:
    with seed_file(file, is_demo).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def make_input(path: Path, active: Mapping[str, bool] | None = None, is_demo: bool = True) -> CheckInput:
    listed: dict[str, set[str]] = defaultdict(set)
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    for row in seed_rows("segment_definitions.csv", is_demo):
        listed[row["scheme"]].add(row["segment"])
        if row["segment"] != "*":
            labels[row["scheme"]][row["segment"]] = row["label"]
    labels["category_interest"].update(CATEGORIES)
    if not is_demo:
        labels["job_to_be_done"].update({"hang_a_shelf": "Hang a shelf", "paint_a_wall": "Paint a wall"})
    labels["rfm"]["unknown"] = "Unknown"
    schemes = [
        (
            row["scheme"],
            (active or {}).get(row["scheme"], row["is_active"] == "true"),
            row["is_data_driven"] == "true",
            row["treatment_check"],
        )
        for row in seed_rows("segment_schemes.csv", is_demo)
    ]
    members = {scheme: dict.fromkeys(segments, 150) for scheme, segments in labels.items()}
    subsets = [(row["treatment_id"], row["pattern"]) for row in seed_rows("template_subsets.csv", is_demo)]
    return CheckInput(
        as_of=AS_OF,
        rows=with_subsets(read_treatments(path), subsets),
        schemes=make_schemes(schemes, listed, labels, members),  # type: ignore[arg-type]
        channels=frozenset(row["channel"] for row in seed_rows("channels.csv", is_demo)),
        items=Items("category", frozenset(CATEGORIES.values()) - {"Unknown"}),
        consents=Consents({}, frozenset()),
        rules=Rules(),
    )
