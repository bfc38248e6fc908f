"""The verdict on each scheme, from the answers to the three questions.

Reads the other tables of the account and customer_segments; gives scheme_scorecard (one row an active scheme).
The rules, in the order in which they are asked (`judge`):

1. `unproven`     fewer than `min_members` known members (today, or when the outcome period began), nothing was sent to
                  any of them, or no outcome could be compared (one segment, or no outcome that varies)
2. `superficial`  no outcome with q < 0.05 and an effect of at least 0.01
3. `in the drawer`  a pair of segments has the same treatment, or treatments that differ in wording only
4. `unproven`     no two segments have treatments to compare, or no pair is large enough to see a medium difference
5. `in the drawer`  most well-powered pairs were sent the same
6. `in use`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.accountability.behaviour import OUTCOMES
from orchestration.accountability.delivery import ENOUGH_POWER, TREATED_ALIKE, TREATED_DIFFERENTLY
from orchestration.accountability.inputs import RefreshSettings, active_schemes
from orchestration.accountability.schemas import table_of

# Share of false alarms accepted among outcomes called different.
SIGNIFICANCE = 0.05
# Effect from which a difference is worth acting on: the segments explain 1 % of the differences between members. With
# many members a far smaller one is significant, and no customer would notice.
SMALLEST_EFFECT = 0.01
# Treatments that a customer cannot tell apart.
SAME_TREATMENT = ("nothing", "wording only")
# Below this share of well-powered pairs sent different things, most were sent the same.
MOST = 0.5

IN_USE, IN_THE_DRAWER, SUPERFICIAL, UNPROVEN = "in use", "in the drawer", "superficial", "unproven"


@dataclass(frozen=True)
class Evidence:
    """What is known about one scheme. Behaviour and delivery are those of the outcome period."""

    members: int
    all_members: int
    members_then: int
    touched_then: int
    behaviour: tuple[dict[str, Any], ...]
    assigned: tuple[dict[str, Any], ...]
    delivered: tuple[dict[str, Any], ...]
    pays: str

    @property
    def strongest(self) -> dict[str, Any] | None:
        """The outcome with the largest effect; of equal ones the first by name."""
        measured = [row for row in self.behaviour if row["effect"] is not None and row["p_value"] is not None]
        return min(measured, key=lambda row: (-row["effect"], row["outcome"]), default=None)

    @property
    def proven(self) -> dict[str, Any] | None:
        """The outcome with the largest effect among those that are significant and large enough."""
        passing = [
            row
            for row in self.behaviour
            if row["q_value"] is not None
            and row["effect"] is not None
            and row["q_value"] < SIGNIFICANCE
            and row["effect"] >= SMALLEST_EFFECT
        ]
        return min(passing, key=lambda row: (-row["effect"], row["outcome"]), default=None)

    @property
    def same_on_paper(self) -> list[dict[str, Any]]:
        return [row for row in self.assigned if row["difference"] in SAME_TREATMENT]

    @property
    def well_powered(self) -> list[dict[str, Any]]:
        """Tested pairs in which a medium difference would have been seen, whatever was seen."""
        return [row for row in self.delivered if row["p_value"] is not None and row["power"] >= ENOUGH_POWER]

    @property
    def assigned_distinct(self) -> float | None:
        """Pairs with different treatments ÷ pairs."""
        if not self.assigned:
            return None
        return (len(self.assigned) - len(self.same_on_paper)) / len(self.assigned)

    @property
    def delivered_distinct(self) -> float | None:
        """Pairs sent different things ÷ pairs, among well-powered ones."""
        pairs = self.well_powered
        if not pairs:
            return None
        return sum(row["verdict"] == TREATED_DIFFERENTLY for row in pairs) / len(pairs)


def judge(evidence: Evidence, min_members: int, outcome_days: int) -> tuple[str, str]:
    """Verdict, and why in one sentence with the numbers."""
    if evidence.all_members == 0:
        return UNPROVEN, "Nobody of the scheme's audience is known, so there is nothing to divide."
    if evidence.members < min_members:
        return UNPROVEN, f"Only {_count(evidence.members, 'member')} known; a verdict needs {min_members:,}."
    if evidence.members_then < min_members:
        then = _count(evidence.members_then, "member")
        return UNPROVEN, f"Only {then} known {outcome_days} days ago; a verdict needs {min_members:,}."
    if evidence.touched_then == 0:
        return UNPROVEN, f"Nothing was sent to any member in {outcome_days} days, so nothing can be compared."
    strongest = evidence.strongest
    if strongest is None:
        return UNPROVEN, "No outcome differs between members or there is only one segment, so nothing can be compared."
    proven = evidence.proven
    if proven is None:
        return SUPERFICIAL, (
            f"No outcome differs between the segments: the largest effect is {_share(strongest['effect'])} of the "
            f"differences in {OUTCOMES[strongest['outcome']]} over {outcome_days} days ({_q(strongest['q_value'])}), "
            f"and {_share(SMALLEST_EFFECT)} with q below {SIGNIFICANCE:g} is the least that counts."
        )
    behaves = (
        f"Segments explain {_share(proven['effect'])} of the differences in {OUTCOMES[proven['outcome']]} over the "
        f"next {outcome_days} days ({_q(proven['q_value'])}{_beyond(proven['effect_beyond_spend'])})"
    )
    same, pairs = evidence.same_on_paper, evidence.assigned
    if same:
        first = same[0]
        return IN_THE_DRAWER, (
            f"{behaves}, but {len(same):,} of {_count(len(pairs), 'pair')} of segments get the same treatment, "
            f"{first['segment_a']} and {first['segment_b']} first ({first['difference']} differs)."
        )
    if not pairs:
        return UNPROVEN, f"{behaves}, but there are no two segments whose treatments could be compared."
    delivered, powered = evidence.delivered_distinct, evidence.well_powered
    if delivered is None:
        return UNPROVEN, (
            f"{behaves} and all treatments differ on paper, but no pair of segments is large enough to tell whether "
            "they were sent different things."
        )
    different = sum(row["verdict"] == TREATED_DIFFERENTLY for row in powered)
    sent = f"{_some(different)} of {_count(len(powered), 'well-powered pair')} of segments were sent different things"
    if delivered < MOST:
        alike = next(row for row in powered if row["verdict"] == TREATED_ALIKE)
        if len(powered) == 1:
            return IN_THE_DRAWER, (
                f"{behaves} and all treatments differ on paper, but the only well-powered pair of segments, "
                f"{alike['segment_a']} and {alike['segment_b']}, was sent the same."
            )
        return IN_THE_DRAWER, (
            f"{behaves} and all treatments differ on paper, but {'only ' if different else ''}{sent}: "
            f"{alike['segment_a']} and {alike['segment_b']}, for one, were not."
        )
    return IN_USE, f"{behaves}, all {_count(len(pairs), 'pair')} of segments differ in treatment, and {sent}."


def pays(outcomes: list[dict[str, Any]]) -> str:
    """Whether treating the segments of a scheme pays, from its rows of treatment_outcomes; only a holdout can say so.

    `yes`: a segment where spend rose significantly (q < 0.05) by more than its cost, and none where it significantly
    did not. `no`: the other way round. Anything else, both at once included, is `unproven`.
    """
    proven = [
        row["net_value"]
        for row in outcomes
        if row["outcome"] == "spend"
        and row["net_value"] is not None
        and row["q_value"] is not None
        and row["q_value"] < SIGNIFICANCE
    ]
    gains, losses = any(value > 0 for value in proven), any(value <= 0 for value in proven)
    if gains == losses:
        return "unproven"
    return "yes" if gains else "no"


def scheme_scorecard(
    con: duckdb.DuckDBPyConnection,
    settings: RefreshSettings,
    behaviour: pa.Table,
    delivery: pa.Table,
    distinctness: pa.Table,
    outcomes: pa.Table,
) -> pa.Table:
    """One row an active scheme."""
    by_scheme = [_by_scheme(table) for table in (behaviour, distinctness, delivery, outcomes)]
    members = _member_counts(con)
    then = _outcome_counts(con)
    rows = []
    for scheme in active_schemes(con):
        behaviour_rows, assigned, delivered, tested = (groups.get(scheme, []) for groups in by_scheme)
        known, everyone = members.get(scheme, (0, 0))
        members_then, touched_then = then.get(scheme, (0, 0))
        evidence = Evidence(
            known,
            everyone,
            members_then,
            touched_then,
            tuple(behaviour_rows),
            tuple(assigned),
            tuple(delivered),
            pays(tested),
        )
        rows.append({"scheme": scheme, **_card(evidence, settings)})
    return table_of("scheme_scorecard", rows)


def _card(evidence: Evidence, settings: RefreshSettings) -> dict[str, Any]:
    verdict, why = judge(evidence, settings.min_members, settings.outcome_days)
    strongest = evidence.strongest or {}
    return {
        "members": evidence.members,
        "coverage": evidence.members / evidence.all_members if evidence.all_members else None,
        "behaviour_effect": strongest.get("effect"),
        "behaviour_outcome": strongest.get("outcome"),
        "behaviour_q_value": strongest.get("q_value"),
        "behaviour_effect_beyond_spend": strongest.get("effect_beyond_spend"),
        "assigned_distinct": evidence.assigned_distinct,
        "delivered_distinct": evidence.delivered_distinct,
        "well_powered_pairs": len(evidence.well_powered),
        "pays": evidence.pays,
        "verdict": verdict,
        "why": why,
    }


def _by_scheme(table: pa.Table) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        groups.setdefault(row["scheme"], []).append(row)
    return groups


def _member_counts(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """Scheme -> members with a known segment today, all members of its audience."""
    rows = con.execute(
        "select scheme, count(*) filter (segment <> 'unknown'), count(*) from customer_segments group by scheme"
    ).fetchall()
    return {scheme: (known, everyone) for scheme, known, everyone in rows}


def _outcome_counts(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """Scheme -> members with a known segment when the outcome period began, those of them that were sent anything."""
    rows = con.execute(
        "select scheme, count(*), count(*) filter (touches > 0) from delivery_members group by scheme"
    ).fetchall()
    return {scheme: (members, touched) for scheme, members, touched in rows}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _share(value: float) -> str:
    """0.0123 -> 1.2 %; what would round to nothing keeps a digit more."""
    return f"{100 * value:.1f} %" if value >= 0.0005 or value == 0 else "less than 0.1 %"


def _q(value: float | None) -> str:
    if value is None:
        return "untested"
    return f"q = {value:.3f}" if value >= 0.001 else "q < 0.001"


def _beyond(value: float | None) -> str:
    return "" if value is None else f"; {_share(value)} beyond past spend"


def _some(number: int) -> str:
    return f"{number:,}" if number else "none"
