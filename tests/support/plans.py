"""What a plan is judged by, whatever engine made it: which inputs grow, and a join that compares all with all.

Belongs here: what does not grow with customers, lines or products, and why. Does not belong here: reading an engine's
plans (test_plans.py, tests/support/engines/plans.py), what each of them may hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Relations that do not grow with customers, lines or products, each with what bounds it. Seeds are bounded too: people
# write them.
BOUNDED = {
    "int_as_of_dates": "the calendar: some dates a year",
    "int_current_date": "one row",
    "int_fact_dates": "the calendar",
    "int_member_dates": "the calendar",
    "int_category_dates": "the calendar",
    "int_order_days": "the calendar: a row a day",
    "int_count_periods": "the calendar: years and months",
    "int_sequence_periods": "the calendar",
    "int_closed_periods": "the calendar",
    "refresh_settings": "one row",
    "treatments": "people write them",
    "int_offer_items": "at most offer_max_items (400)",
    "int_offer_level": "one row",
    "int_affinity_grid": "one row",
    "int_past_grid": "one row",
    "int_affinity_dates": "a row a level",
}


@dataclass(frozen=True)
class Loop:
    """A join that compares all with all; the tables under each of its sides."""

    model: str
    kind: str
    condition: str
    sides: tuple[frozenset[str], frozenset[str]]

    def grows_twice(self, bounded: set[str]) -> bool:
        """Whether neither side is bounded."""
        return not any(side <= bounded for side in self.sides)


def seed_tables(target: Path) -> set[str]:
    """Tables of the seeds, from a manifest."""
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    return {node["alias"] for node in manifest["nodes"].values() if node["resource_type"] == "seed"}


def told(found: Iterable[Loop]) -> str:
    """A line each."""
    return "\n".join(f"{one.model}: {one.kind} on {one.condition}: {[sorted(s) for s in one.sides]}" for one in found)
