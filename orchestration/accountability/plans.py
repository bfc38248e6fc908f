"""What experiment would settle what is unproven: how many members, how long, and what it costs to hold them out.

Reads behaviour_members (how much spend varies that past spend does not foretell), customer_segments, customer_profiles
and stg_company_contacts (how many members come in), and the verdicts; gives experiment_plans: for each active scheme a
row for each question that is open.

`pays`      does what is sent pay? half treated, half held out. Effect of interest: var least_dividend of spend a
            member.
`dividend`  does telling segments apart pay? a third each: by segment, one treatment for all, held out. The same effect.
`merge`     do segments that look alike react alike? half treated, half held out in every segment. Effect of interest:
            var equivalence_margin of spend a member.

Sizes promise 80 % power for the verdict itself, with the variance s^2 that is left after CUPED, which the verdict uses
too (tests/benchmarks/experiments.py simulates whole experiments of these sizes):

- `pays` is read by segment, each with its own holdout, over the spend and orders of all k of them: one must be seen at
  the level that is left of 5 % (Bonferroni, which Benjamini-Hochberg never falls below), and k segments have k chances.
  k equal segments need 2 k s^2 (1 + (1 + e)^2) (z_(1 - 0.025 / 2k) + z_(1 - 0.2^(1 / k)))^2 / effect^2 members, where
  the effect is a share e of spend, so that it spreads the treated as well. What is sent is taken to cost nothing; where
  it costs something, the verdict needs the more members the nearer the effect is to cost / margin.
- `dividend`: two of three equal arms are held against each other: 3 s^2 (1 + (1 + e)^2) (z_0.975 + z_0.8)^2 /
  effect^2.
- `merge`: two segments of k equal ones, by two one-sided tests with 80 % power where they are alike: 8 k s^2 (z_0.95 +
  z_0.9)^2 / margin^2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from scipy import special

from orchestration.accountability.advice import TEST
from orchestration.accountability.experiments import OUTCOMES
from orchestration.accountability.inputs import RefreshSettings, active_schemes, scheme_name
from orchestration.accountability.schemas import table_of
from orchestration.accountability.statistics import cuped

UNPROVEN = "unproven"
# Audience of the schemes whose members buy nothing themselves.
CONTACTS = "company_contact"
# Days beyond which nobody waits for an experiment.
LONGEST_WAIT = 3_650
# Chance that a test of the size planned sees the effect.
POWER = 0.8
# Standard errors between nothing and an effect that a test at 5 % sees with 80 % power; and the same for equivalence.
_SEEN = float(special.ndtri(0.975) + special.ndtri(POWER))
_ALIKE = float(special.ndtri(0.95) + special.ndtri(0.9))

ARMS = {
    "pays": "treated 1/2, holdout 1/2",
    "dividend": "treated by segment 1/3, uniform 1/3, holdout 1/3",
    "merge": "treated 1/2, holdout 1/2, in every segment",
}
# Of those whose holding out costs something: to be alike within so much is no effect that is expected of a treatment.
HELD_OUT = {"pays": 1 / 2, "dividend": 1 / 3}
ASKED = {
    "pays": "whether what is sent to the segments of {scheme} pays",
    "dividend": "whether treating the segments of {scheme} differently earns more than one treatment for all",
    "merge": "which segments of {scheme} may be merged",
}
# Shares hold for members who are drawn from then on, so what everybody has an arm of is drawn again under another id.
HOW = {
    "pays": "give each of their treatments a new treatment_id (who has an arm keeps it), with a share_treated of 0.5 "
    "in seeds/treatment_shares.csv",
    "dividend": "give each of their treatments a new treatment_id (who has an arm keeps it), name the one treatment "
    "for all in seeds/uniform_treatments.csv with a share_uniform of 0.33, and set share_treated to 0.34 in "
    "seeds/treatment_shares.csv",
    "merge": "send one treatment under a new treatment_id (who has an arm keeps it) to all segments, with a "
    "share_treated of 0.5 in seeds/treatment_shares.csv",
}


@dataclass(frozen=True)
class Ground:
    """What a plan rests on, of one scheme: members, segments, spend a member in the outcome period (mean, variance
    after
    CUPED), members that come in a day, and the margin."""

    members: int
    segments: int
    mean: float
    variance: float
    incoming: float
    margin: float | None


def experiment_plans(
    con: duckdb.DuckDBPyConnection,
    settings: RefreshSettings,
    scorecard: pa.Table,
    dividends: pa.Table,
    advice: pa.Table,
) -> pa.Table:
    """One row a scheme and open question."""
    pays = {row["scheme"]: row["pays"] for row in scorecard.to_pylist()}
    decided = {row["scheme"] for row in dividends.to_pylist() if row["verdict"] != UNPROVEN}
    alike = advice.filter(pa.compute.equal(advice.column("advice"), TEST)) if advice.num_rows else advice
    unclear = set(alike.column("scheme").to_pylist())
    margins = con.execute("select margin_share from sales_margin order by as_of desc limit 1").fetchall()
    margin = margins[0][0] if margins else None
    rows = []
    for scheme in active_schemes(con):
        ground = _ground(con, scheme, settings, margin)
        questions = [
            question
            for question, is_open in (
                ("pays", pays.get(scheme, UNPROVEN) == UNPROVEN),
                ("dividend", scheme not in decided),
                ("merge", scheme in unclear),
            )
            if is_open
        ]
        rows += [{"scheme": scheme, "question": q, **plan(scheme, q, ground, settings)} for q in questions]
    return table_of("experiment_plans", rows)


def plan(scheme: str, question: str, ground: Ground, settings: RefreshSettings) -> dict[str, Any]:
    """The columns of one plan, and why in one sentence that says what to do."""
    row: dict[str, Any] = {
        "arms": ARMS[question],
        "members_needed": None,
        "members_available": ground.members,
        "days": None,
        "effect_of_interest": None,
        "smallest_effect": None,
        "foregone_value": None,
    }
    asked = ASKED[question].format(scheme=scheme_name(scheme))
    if ground.members < 2 or ground.mean <= 0:
        return row | {
            "why": f"To learn {asked}, members of known segments must have bought something in {settings.outcome_days} "
            "days: land more order lines, or the profiles that the scheme needs."
        }
    share = settings.equivalence_margin if question == "merge" else settings.least_dividend
    effect = share * ground.mean
    needed = max(2, math.ceil(members_needed(question, ground, share))) if effect > 0 else None
    smallest = smallest_effect(question, ground)
    if smallest is not None:
        smallest = max(smallest, effect)
    missing = 0 if needed is None else max(0, needed - ground.members)
    days: int | None = settings.outcome_days
    if missing or needed is None:
        days = math.ceil(missing / ground.incoming) + settings.outcome_days if ground.incoming > 0 and missing else None
    used = ground.members if needed is None else min(needed, ground.members)
    foregone: float | None = None
    if question in HELD_OUT and ground.margin is not None and smallest is not None:
        foregone = HELD_OUT[question] * used * smallest * ground.margin
    return row | {
        "members_needed": needed,
        "days": days,
        "effect_of_interest": effect,
        "smallest_effect": smallest,
        "foregone_value": foregone,
        "why": _why(asked, question, ground, needed, days, effect, smallest, share, settings),
    }


def members_needed(question: str, ground: Ground, share: float) -> float:
    """Members that show an effect of `share` of spend a member with 80 % power."""
    spread = 1.0 if question == "merge" else (1 + (1 + share) ** 2) / 2
    return _factor(question, ground) * spread * ground.variance / (share * ground.mean) ** 2


def smallest_effect(question: str, ground: Ground) -> float | None:
    """What today's members would show with 80 % power, in money a member: `members_needed` solved for the share. Of
    `merge` the difference within which they would show segments to be alike.

    None where the treated would spread faster than they grow, so that no effect is large enough.
    """
    part = _factor(question, ground) * ground.variance / ground.mean**2 / ground.members
    if question == "merge":
        return math.sqrt(part) * ground.mean
    # share^2 = part x (1 + (1 + share)^2) / 2
    half = part / 2
    if half >= 1:
        return None
    return (half + math.sqrt(half**2 + 2 * half * (1 - half))) / (1 - half) * ground.mean


def _factor(question: str, ground: Ground) -> float:
    """Members x effect^2 / variance, for an effect that is the same for everybody."""
    if question == "pays":
        segments = max(1, ground.segments)
        level = 0.05 / (segments * len(OUTCOMES))
        chance = 1 - (1 - POWER) ** (1 / segments)
        return 4 * segments * float(special.ndtri(1 - level / 2) + special.ndtri(chance)) ** 2
    if question == "dividend":
        return 6 * _SEEN**2
    return 8 * max(2, ground.segments) * _ALIKE**2


def _why(
    asked: str,
    question: str,
    ground: Ground,
    needed: int | None,
    days: int | None,
    effect: float,
    smallest: float | None,
    share: float,
    settings: RefreshSettings,
) -> str:
    amount = f"{effect:,.2f} ({100 * share:g} % of spend) a member"
    if needed is not None and needed <= ground.members:
        down_to = "to within" if question == "merge" else "down to"
        return (
            f"{needed:,} of {ground.members:,} members show in {settings.outcome_days} days {asked}, {down_to} "
            f"{amount}: {HOW[question]}."
        )
    if days is None:
        until = "and nobody new comes in"
    elif days > LONGEST_WAIT:
        until = "more than come in within ten years"
    else:
        until = f"which at {ground.incoming:,.1f} new members a day takes {days:,} days"
    if question == "merge" and smallest is not None:
        wanted = f" To within {amount} it needs {needed:,} members, {until}." if needed is not None else ""
        return (
            f"To learn {asked}, the {ground.members:,} members of today are too few: in {settings.outcome_days} days "
            f"they can show segments to be alike only to within {smallest:,.2f} a member "
            f"({100 * smallest / ground.mean:,.0f} % of spend).{wanted} Once there are enough, {HOW[question]}."
        )
    # Of a difference of nothing no number of members is enough.
    wanted = f" To see a difference of {amount} needs {needed:,} members, {until}." if needed is not None else ""
    if smallest is None:
        return f"The {ground.members:,} members of today are too few to show {asked}.{wanted}"
    return (
        f"A test with the {ground.members:,} members of today shows in {settings.outcome_days} days {asked}, if the "
        f"difference is {smallest:,.2f} a member ({100 * smallest / ground.mean:,.0f} % of spend) or more: test "
        f"something that may change that much, and {HOW[question]}.{wanted}"
    )


def _ground(con: duckdb.DuckDBPyConnection, scheme: str, settings: RefreshSettings, margin: float | None) -> Ground:
    spent = con.execute(
        "select past_spend, spend from behaviour_members where scheme = ? order by member_id", [scheme]
    ).to_arrow_table()
    known, segments = con.execute(
        "select count(*), count(distinct segment) from customer_segments where scheme = ? and segment <> 'unknown'",
        [scheme],
    ).fetchall()[0]
    (audience,) = con.execute("select audience from segment_schemes where scheme = ?", [scheme]).fetchall()[0]
    buyer, joined = "segments.member_id", ""
    if audience == CONTACTS:
        # They come in with their company.
        buyer = "contacts.company_id"
        joined = "inner join stg_company_contacts as contacts on segments.member_id = contacts.person_id"
    (new,) = con.execute(
        f"""
        select count(*) from customer_segments as segments {joined}
        inner join customer_profiles as profiles on {buyer} = profiles.customer_id
        where segments.scheme = ? and segments.segment <> 'unknown' and profiles.first_order_on >= ?
        """,
        [scheme, settings.outcome_start_on],
    ).fetchall()[0]
    spend = np.asarray(spent.column("spend").to_numpy(), dtype=np.float64)
    past = np.asarray(spent.column("past_spend").to_numpy(), dtype=np.float64)
    left = cuped(spend, past)
    return Ground(
        int(known),
        int(segments),
        float(spend.mean()) if spend.size else 0.0,
        float(left.var(ddof=1)) if spend.size > 1 else 0.0,
        new / settings.outcome_days,
        margin,
    )
