"""The verdict on each scheme, from the answers to the three questions.

Reads the other tables of the account and customer_segments; gives scheme_scorecard (one row an active scheme).
The rules, in the order in which they are asked (`judge`):

0. `unproven`     prospects: they have bought nothing yet
1. `unproven`     fewer than `min_members` known members (today, or when the outcome period began), nothing was sent to
                  any of them, or no outcome could be compared (one segment, or no outcome that varies)
2. `superficial`  no outcome with q < 0.05 and an effect of at least 0.01, though of at least one outcome the data would
                  have shown an effect of `superficial_effect` with 80 % power; without that power `unproven`
3. `in the drawer`  a pair of segments has the same treatment, or treatments that differ in wording only
4. `unproven`     no two segments have treatments to compare, or no pair is well powered (treatment_delivery)
5. `in the drawer`  most well-powered pairs were sent the same
6. `in use`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.accountability.behaviour import OUTCOMES
from orchestration.accountability.delivery import ENOUGH_POWER, TREATED_ALIKE, TREATED_DIFFERENTLY
from orchestration.accountability.dividend import ONE_SERVES_ALL, SEGMENTING_PAYS
from orchestration.accountability.experiments import (
    PROGRAMME,
    UNKNOWN,
    arm_in_words,
    goes_on,
    uniform_experiment,
)
from orchestration.accountability.inputs import (
    SIGNIFICANCE,
    RefreshSettings,
    active_schemes,
    scheme_name,
    segment_labels,
)
from orchestration.accountability.schemas import table_of

# Effect from which a difference is worth acting on: the segments explain 1 % of the differences between members. With
# many members a far smaller one is significant, and no customer would notice.
SMALLEST_EFFECT = 0.01
# Treatments that a customer cannot tell apart.
SAME_TREATMENT = ("nothing", "wording only")
# Below this share of well-powered pairs sent different things, most were sent the same.
MOST = 0.5

# The scheme of prospects; their segments are those of other schemes.
PROSPECTS = "prospect_persona"

IN_USE, IN_THE_DRAWER, SUPERFICIAL, UNPROVEN = "in use", "in the drawer", "superficial", "unproven"


@dataclass(frozen=True)
class Evidence:
    """What is known about one scheme. Behaviour and delivery are those of the outcome period.

    `tested` and `dividends` are the scheme's rows of treatment_outcomes and segmentation_dividend. `labels` and `sizes`
    (members today) are by segment; a segment without a row of its own is called by its id.
    """

    scheme: str
    members: int
    all_members: int
    members_then: int
    touched_then: int
    behaviour: tuple[dict[str, Any], ...]
    assigned: tuple[dict[str, Any], ...]
    delivered: tuple[dict[str, Any], ...]
    tested: tuple[dict[str, Any], ...] = ()
    dividends: tuple[dict[str, Any], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return scheme_name(self.scheme)

    @property
    def pays(self) -> str:
        return pays(self.tested)

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
    def behaviour_power(self) -> float:
        """The best chance, over outcomes, to see an effect worth the name; 0 where none was tested."""
        return max((row["power"] for row in self.behaviour if row["power"] is not None), default=0.0)

    @property
    def same_on_paper(self) -> list[dict[str, Any]]:
        return [row for row in self.assigned if row["difference"] in SAME_TREATMENT]

    @property
    def well_powered(self) -> list[dict[str, Any]]:
        """Pairs in which a medium difference would have been seen, whatever was seen."""
        return [row for row in self.delivered if row["is_well_powered"]]

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

    def pair(self, row: Mapping[str, Any]) -> str:
        """The two segments of a pair as people call them."""
        return " and ".join(self.labels.get(row[side], row[side]) for side in ("segment_a", "segment_b"))

    def largest_on_paper(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """The pair with most members today; of equal ones the first by name."""
        return _largest(rows, lambda row: sum(self.sizes.get(row[side], 0) for side in ("segment_a", "segment_b")))


def _largest(rows: list[dict[str, Any]], members: Callable[[dict[str, Any]], int]) -> dict[str, Any]:
    return min(rows, key=lambda row: (-members(row), row["segment_a"], row["segment_b"]))


def judge(evidence: Evidence, settings: RefreshSettings) -> tuple[str, str]:
    """Verdict, and why: one sentence with the numbers that decided, and one with the next step."""
    min_members, outcome_days = settings.min_members, settings.outcome_days
    if evidence.scheme == PROSPECTS and evidence.all_members:
        return UNPROVEN, (
            f"{evidence.members:,} of {_count(evidence.all_members, 'prospect')} have a segment of the scheme chosen "
            "for their kind (seeds/prospect_schemes.csv). They have bought nothing yet: what those segments are worth "
            "is in the rows of their schemes, how good the scores are in prospect_models. Next: write to those who "
            "may be written to (v_prospects_to_contact)."
        )
    if evidence.members == 0 and evidence.all_members == 0:
        return UNPROVEN, (
            f"Nothing is known of {evidence.name}: its audience has no members. Next: land them, or set is_active to "
            "false in seeds/segment_schemes.csv."
        )
    if evidence.members == 0:
        return UNPROVEN, (
            f"Nothing is known of {evidence.name}: none of the {_count(evidence.all_members, 'member')} of its "
            "audience has a segment; docs/schemes.md says which columns it is read from. Next: land these, or set "
            "is_active to false in seeds/segment_schemes.csv."
        )
    if evidence.members < min_members:
        return UNPROVEN, (
            f"Only {_count(evidence.members, 'member')} known; a verdict needs {min_members:,}. Next: land the "
            "profiles that are missing, or wait for more members."
        )
    if evidence.members_then == 0:
        return (
            UNPROVEN,
            f"Nothing was known of {evidence.name} {outcome_days} days ago; a verdict needs {min_members:,} members. "
            "Next: wait, or land older orders and profiles.",
        )
    if evidence.members_then < min_members:
        then = _count(evidence.members_then, "member")
        return UNPROVEN, (
            f"Only {then} known {outcome_days} days ago; a verdict needs {min_members:,}. Next: wait, or land older "
            "orders and profiles."
        )
    if evidence.touched_then == 0:
        return UNPROVEN, (
            f"Nothing was sent to any member in {outcome_days} days, so nothing can be compared. Next: land what was "
            "sent (table touchpoints)."
        )
    strongest = evidence.strongest
    if strongest is None:
        return UNPROVEN, (
            "No outcome differs between members or there is only one segment, so nothing can be compared. Next: land "
            "more orders, or divide the members in another way."
        )
    proven = evidence.proven
    if proven is None:
        found = (
            f"the largest effect is {_share(strongest['effect'])} of the differences in "
            f"{OUTCOMES[strongest['outcome']]} over {outcome_days} days ({_q(strongest['q_value'])})"
        )
        would_see = (
            f"an effect of {_share(settings.superficial_effect)} would have been seen with a chance of "
            f"{_share(evidence.behaviour_power)}"
        )
        if evidence.behaviour_power < ENOUGH_POWER:
            return UNPROVEN, (
                f"No difference between the segments is proven, nor that there is none: {found}, and with "
                f"{_count(evidence.members_then, 'member')} {would_see}, where {_share(ENOUGH_POWER)} are needed. "
                "Next: keep the scheme until it has more members."
            )
        return SUPERFICIAL, (
            f"No outcome differs between the segments: {found}, and {_share(SMALLEST_EFFECT)} with q below "
            f"{SIGNIFICANCE:g} is the least that counts; {would_see}. Next: give the scheme up, or divide its members "
            "in another way."
        )
    behaves = (
        f"Segments explain {_share(proven['effect'])} of the differences in {OUTCOMES[proven['outcome']]} over the "
        f"next {outcome_days} days ({_q(proven['q_value'])}{_beyond(proven['effect_beyond_spend'])})"
    )
    same, pairs = evidence.same_on_paper, evidence.assigned
    if same:
        largest = evidence.largest_on_paper(same)
        return IN_THE_DRAWER, (
            f"{behaves}, but {len(same):,} of {_count(len(pairs), 'pair')} of segments get the same treatment, "
            f"{'' if len(same) == 1 else 'the largest '}{evidence.pair(largest)} ({largest['difference']} differs). "
            f"{_paid(evidence)}Next: write one of them a treatment of its own (seeds/treatments.csv)."
        )
    if not pairs:
        return UNPROVEN, (
            f"{behaves}, but there are no two segments whose treatments could be compared. Next: write treatments for "
            "two segments with members (seeds/treatments.csv)."
        )
    delivered, powered = evidence.delivered_distinct, evidence.well_powered
    if delivered is None:
        return UNPROVEN, (
            f"{behaves} and all treatments differ on paper, but no pair of segments is large enough to tell whether "
            "they were sent different things. Next: send each segment its own treatment, and merge the smallest "
            "(scheme_advice)."
        )
    different = sum(row["verdict"] == TREATED_DIFFERENTLY for row in powered)
    sent = f"{_some(different)} of {_count(len(powered), 'well-powered pair')} of segments were sent different things"
    if delivered < MOST:
        alike = [row for row in powered if row["verdict"] == TREATED_ALIKE]
        largest = _largest(alike, lambda row: row["n_a"] + row["n_b"])
        if len(powered) == 1:
            return IN_THE_DRAWER, (
                f"{behaves} and all treatments differ on paper, but the only well-powered pair of segments, "
                f"{evidence.pair(largest)}, was sent the same. {_paid(evidence)}"
                f"{_send(evidence, largest)}"
            )
        return IN_THE_DRAWER, (
            f"{behaves} and all treatments differ on paper, but {'only ' if different else ''}{sent}: "
            f"{evidence.pair(largest)}, {'the largest pair of the rest' if len(alike) > 1 else 'for one'}, were not. "
            f"{_paid(evidence)}{_send(evidence, largest)}"
        )
    return IN_USE, (
        f"{behaves}, all {_count(len(pairs), 'pair')} of segments differ in treatment, and {sent}. "
        f"{_paid(evidence)}{_after_use(evidence)}"
    )


def _send(evidence: Evidence, pair: Mapping[str, Any]) -> str:
    return f"Next: send {evidence.pair(pair)} what was written for each (table audiences)."


def _paid(evidence: Evidence) -> str:
    """Sentences that name what pays and what does not, each by its surest comparison; empty where neither is proven."""
    sentences = []
    for rows, verb in zip(decisive(evidence.tested), ("pays", "does not pay"), strict=True):
        if rows:
            row, more = rows[0], len(rows) - 1
            test = arm_in_words(row["experiment_id"], row["treatment_id"])
            if test != row["treatment_id"]:
                test = test[0].upper() + test[1:]
            if test != row["experiment_id"]:
                test += f" (experiment {row['experiment_id']})"
            segment = evidence.labels.get(row["segment"], row["segment"])
            others = f", as in {_count(more, 'more comparison')}" if more else ""
            sentences.append(f"{test} {verb} in {segment}{others}. ")
    return "".join(sentences)


def _after_use(evidence: Evidence) -> str:
    """The next step of a scheme in use, by what is known of whether it pays."""
    if evidence.pays == "yes":
        return _after_paying(evidence)
    if evidence.pays == "no":
        return "Next: try other treatments (seeds/treatments.csv) against a holdout."
    if any(decisive(evidence.tested)):
        return "Next: send each segment what pays there, and stop what does not (treatment_outcomes)."
    compared = [row for row in _of_segments(evidence.tested) if row["uplift"] is not None]
    if not compared:
        return "Next: hold members out at random to learn whether it pays (experiment_plans, question pays)."
    if all(row["margin_share"] is None for row in compared):
        return (
            "Members are held out, but no product says its margin, so nobody knows whether it pays. Next: fill in "
            "unit_margin in products."
        )
    still_open = [row["experiment_id"] for row in compared if not row["is_closed"]]
    if still_open:
        wait = "wait for more members" if all(map(goes_on, still_open)) else "wait until the experiment has closed"
        return (
            f"Members are held out, and whether it pays is not proven so far. Next: {wait}, or hold out more "
            "(experiment_plans, question pays)."
        )
    return (
        "Members were held out, and whether it pays was not proven. Next: hold out more (experiment_plans, question "
        "pays)."
    )


def _after_paying(evidence: Evidence) -> str:
    """What is known of one treatment for all, of the scheme's own experiment first, and the next step."""
    own = uniform_experiment(evidence.scheme)
    decided = [row for row in evidence.dividends if row["verdict"] != UNPROVEN]
    if not decided:
        if any(row["experiment_id"] == own and not row["is_closed"] for row in evidence.dividends):
            return (
                f"Next: wait for {own}, which goes on as members come in and tells at any refresh whether one "
                "treatment for all would pay as much."
            )
        return "Next: test whether one treatment for all would pay as much (experiment_plans, question dividend)."
    row = min(decided, key=lambda row: (row["experiment_id"] != own, -row["members"], row["experiment_id"]))
    experiment = f"experiment {row['experiment_id']}"
    if row["verdict"] == SEGMENTING_PAYS:
        return (
            f"Telling the segments apart pays too ({experiment}). Next: give each segment the treatment with the "
            "highest probability_best in segment_treatment_values."
        )
    if row["verdict"] == ONE_SERVES_ALL:
        sent = arm_in_words(row["experiment_id"], row["one_treatment"])
        return f"Sent to all, {sent} would pay as much ({experiment}). Next: send it to all."
    # What pays was sent there too: it cannot be kept and stopped.
    if row["experiment_id"] in {own, PROGRAMME, *(gain["experiment_id"] for gain in decisive(evidence.tested)[0])}:
        return (
            f"In the {experiment} nothing paid, though what pays was sent there too. Next: hold members out again to "
            "learn which holds (experiment_plans, question pays)."
        )
    return f"In the {experiment} no treatment paid. Next: keep what pays, and stop what was sent there."


def _of_segments(outcomes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of spend of the segments that a scheme knows."""
    return [row for row in outcomes if row["outcome"] == "spend" and row["segment"] != UNKNOWN]


def decisive(outcomes: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of treatment_outcomes that say that something pays, and those that say that something does not (`pays`);
    the surest first."""
    proven = [
        row
        for row in _of_segments(outcomes)
        if row["verdict_q_value"] is not None and row["verdict_q_value"] < SIGNIFICANCE
    ]
    proven.sort(key=lambda row: (row["verdict_q_value"], row["experiment_id"], row["treatment_id"], row["segment"]))
    return (
        [row for row in proven if row["verdict_net_low"] is not None and row["verdict_net_low"] > 0],
        [row for row in proven if row["verdict_net_high"] is not None and row["verdict_net_high"] < 0],
    )


def pays(outcomes: Iterable[dict[str, Any]]) -> str:
    """Whether treating the segments of a scheme pays, from its rows of treatment_outcomes; only a holdout can say so.

    `yes`: a segment where spend changed significantly (q < 0.05) and what that brought net of its cost is above 0 with
    95 % certainty, and none where it is below 0 with as much. `no`: the other way round. Anything else, both at once
    included, is `unproven`: of an uplift about as large as its cost nobody knows whether it pays. Members whose
    segment is `unknown` are no segment of the scheme, and decide nothing. All by what a verdict may use
    (`verdict_q_value`, `verdict_net_low`, `verdict_net_high`): while an experiment is open only what holds at every
    look, when it has closed the difference after CUPED, for which experiment_plans sizes it.

    Both are asked. By the net value alone a treatment that does nothing and costs something would be `no`, and that is
    nothing that chance may say of arms that are treated alike.
    """
    gains, losses = decisive(outcomes)
    if bool(gains) == bool(losses):
        return "unproven"
    return "yes" if gains else "no"


def scheme_scorecard(
    con: duckdb.DuckDBPyConnection,
    settings: RefreshSettings,
    behaviour: pa.Table,
    delivery: pa.Table,
    distinctness: pa.Table,
    outcomes: pa.Table,
    dividends: pa.Table,
    prospects: pa.Table,
) -> pa.Table:
    """One row an active scheme; `prospects` is prospect_segments."""
    by_scheme = [_by_scheme(table) for table in (behaviour, distinctness, delivery, outcomes, dividends)]
    scored = [segment != UNKNOWN for segment in prospects.column("segment").to_pylist()]
    members = {**_member_counts(con), PROSPECTS: (sum(scored), len(scored))}
    then = _outcome_counts(con)
    labels, sizes = segment_labels(con), _sizes(con)
    rows = []
    for scheme in active_schemes(con):
        behaviour_rows, assigned, delivered, tested, divided = (tuple(groups.get(scheme, ())) for groups in by_scheme)
        known, everyone = members.get(scheme, (0, 0))
        members_then, touched_then = then.get(scheme, (0, 0))
        evidence = Evidence(
            scheme,
            known,
            everyone,
            members_then,
            touched_then,
            behaviour_rows,
            assigned,
            delivered,
            tested,
            divided,
            labels.get(scheme, {}),
            sizes.get(scheme, {}),
        )
        rows.append({"scheme": scheme, **_card(evidence, settings)})
    return table_of("scheme_scorecard", rows)


def _card(evidence: Evidence, settings: RefreshSettings) -> dict[str, Any]:
    verdict, why = judge(evidence, settings)
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


def _sizes(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Members today by scheme and segment."""
    sizes: dict[str, dict[str, int]] = {}
    for scheme, segment, members in con.execute("select scheme, segment, members from segments").fetchall():
        sizes.setdefault(scheme, {})[segment] = members
    return sizes


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
