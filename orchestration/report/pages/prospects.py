"""What the report says about prospects: how many have a segment, how far to trust the scores, who the personas are.

Belongs here: the prospect tables in, blocks out.
Does not belong here: any single prospect: none is named. Who is scored how (orchestration/prospects/).
"""

from __future__ import annotations

import json

from orchestration.report import words
from orchestration.report.blocks import Block, Column, Fold, Page, Part, Prose, Table
from orchestration.report.pages import common
from orchestration.report.published import Row
from orchestration.report.shop import Shop

# Why a prospect has no segment, in the order of the table, and what helps.
REMEDIES = {
    "says nothing": "land profile columns for them (table prospects)",
    "nothing in common": "land the same profile columns for customers",
    "no better than the base rate": "land columns that tell the segments apart, or choose another scheme",
    "below the threshold": "land more columns, or lower min_score",
    "rare segment": "wait for more customers of it, or choose a scheme with fewer segments",
    "no scheme for its kind": "choose one in seeds/prospect_schemes.csv, and switch it on",
    "protected scheme": "choose one that does not rest on what seeds/protected_attributes.csv forbids",
}
MODELS_SHOWN = 8


def pages(shop: Shop) -> list[Page]:
    """Counts by segment, unknowns by reason, models with their calibration, personas; no page without any prospect."""
    db = shop.db
    if not db.has("prospect_segments", "scheme", "segment", "outcome", "persona_id", "is_contactable"):
        return []
    (totals,) = db.rows(
        """
        select count(*) as prospects, count(*) filter (segment <> 'unknown') as known,
            count(*) filter (persona_id is not null) as near, count(*) filter (is_contactable) as contactable
        from prospect_segments
        """
    )
    if not totals["prospects"]:
        return []
    question = "Who could become a customer, and whom are they like?"
    if shop.is_few(totals["prospects"]):
        return [Page("prospects", "Prospects", question, [Prose(f"There are fewer than {shop.least} prospects.")])]
    lead = (
        f"{shop.members(totals['known'])} of {words.counted(totals['prospects'], 'prospect')} "
        f"{'has' if totals['known'] == 1 else 'have'} a segment: that of the customers who say the same of themselves. "
        f"{words.capital(shop.members(totals['contactable']))} may be written to about it."
    )
    parts: list[tuple[str, str, list[Block]]] = [
        ("prospect-segments", "Whose segment they get", [*_segments(shop), *_unknown(shop)]),
        ("prospect-models", "How far to trust the scores", _models(shop)),
        ("prospect-personas", "The persons you described", _personas(shop, totals["near"])),
    ]
    blocks: list[Block] = [Prose(lead, "lead"), *(Part(name, found, anchor) for anchor, name, found in parts if found)]
    return [Page("prospects", "Prospects", question, blocks)]


def _segments(shop: Shop) -> list[Block]:
    rows = shop.db.rows(
        """
        select scheme, segment, count(*) as prospects, avg(score) as score,
            count(*) filter (is_contactable) as contactable
        from prospect_segments
        where segment <> 'unknown'
        group by scheme, segment
        order by scheme, prospects desc, segment
        """
    )
    told, small = shop.merged(rows, lambda row: float(row["prospects"]))
    cells = [
        [
            common.label(shop.scheme(row["scheme"]).segments.label(row["segment"])),
            common.text(shop.scheme(row["scheme"]).title),
            common.number(row["prospects"]),
            common.share(row["score"]),
            common.members(shop, row["contactable"]),
            common.share(shop.scheme(row["scheme"]).segments.by_name.get(row["segment"], {}).get("member_share")),
        ]
        for row in told
    ]
    if not cells and not small:
        return []
    more = f"{words.counted(sum(row['prospects'] for row in small), 'prospect')} in segments of few." if small else ""
    columns = [
        Column("Segment"),
        Column("Scheme", minor=True),
        Column("Prospects", True),
        Column("Mean score", True),
        Column("May be written to", True),
        Column("Share of customers", True, minor=True),
    ]
    return [Table("Prospects by segment", columns, cells, more=more)]


def _unknown(shop: Shop) -> list[Block]:
    rows = shop.db.rows(
        "select outcome, count(*) as n from prospect_segments where segment = 'unknown' group by outcome"
    )
    found = {row["outcome"]: row["n"] for row in rows}
    order = [*REMEDIES, *sorted(set(found) - set(REMEDIES))]
    cells = [
        [common.label(words.clean(why)), common.members(shop, found[why]), common.text(REMEDIES.get(why, ""))]
        for why in order
        if why in found
    ]
    columns = [Column("Why"), Column("Prospects", True), Column("What helps")]
    return [Table("Prospects without a segment", columns, cells)] if cells else []


def _models(shop: Shop) -> list[Block]:
    if not shop.db.has("prospect_models", "attributes", "reliability"):
        return []
    rows = shop.db.rows(
        "select * from prospect_models where prospects > 0 order by prospects desc, scheme, kind, attributes"
    )
    if not rows:
        return []
    shown = rows[:MODELS_SHOWN]
    cells = [
        [
            common.label(words.clean(row["attributes"].replace("_", " "))),
            common.text(shop.scheme(row["scheme"]).title),
            common.members(shop, row["prospects"]),
            common.text(row["model"] if row["beats_base"] else f"{row['model']}, no better than the base rate"),
            common.number(row["members_judged"]),
            common.share(row["top1"]),
            common.share(row["base_top1"]),
            common.number(row["log_loss"], f"{row['log_loss']:.3f}"),
            common.number(row["base_log_loss"], f"{row['base_log_loss']:.3f}"),
            common.share(row["calibration_error"]),
        ]
        for row in shown
    ]
    columns = [
        Column("By"),
        Column("Scheme", minor=True),
        Column("Prospects", True),
        Column("Model", minor=True),
        Column("Judged on", True),
        Column("Right", True),
        Column("Right by the largest segment", True),
        Column("Log loss", True, minor=True),
        Column("of the base rate", True, minor=True),
        Column("Scores are off by", True),
    ]
    more = (
        f"{words.counted(len(rows) - len(shown), 'more model')} in the table prospect_models."
        if len(rows) > len(shown)
        else ""
    )
    said = (
        "Each line is a model of its own, for prospects who say the same things, judged on customers that it had never "
        "seen. A model that does no better than giving everybody the shares of the segments gives nobody a segment."
    )
    return [Prose(said), Table("Models of prospects", columns, cells, more=more), *_reliability(shop, shown[0])]


def _reliability(shop: Shop, model: Row) -> list[Block]:
    bins = [found for found in json.loads(model["reliability"]) if not shop.is_few(found["members"])]
    if not bins:
        return []
    cells = [
        [common.share(b["said"], bar=True), common.share(b["were"], bar=True), common.number(b["members"])]
        for b in bins
    ]
    columns = [Column("Score given", True), Column("Were of that segment", True), Column("Customers", True)]
    table = Table("Scores given and how many were right", columns, cells)
    return [Fold("How sure: scores of the first model, and how many were right", [table])]


def _personas(shop: Shop, near: int) -> list[Block]:
    if not shop.db.has("prospect_personas", "persona_id", "segment", "prospects_near"):
        return []
    rows = shop.db.rows("select * from prospect_personas order by prospects_near desc, persona_id")
    if not rows:
        return []
    cells = [
        [
            common.label(words.identifier(row["persona_id"])),
            common.text(row["description"], "long"),
            common.text(shop.scheme(row["scheme"]).segments.label(row["segment"])),
            common.members(shop, row["prospects_near"]),
        ]
        for row in rows
    ]
    columns = [
        Column("Persona"),
        Column("In your words", minor=True),
        Column("Segment"),
        Column("Prospects near", True),
    ]
    said = (
        f"{words.capital(shop.members(near))} prospects agree with one of them in most of what both say."
        if near
        else "No prospect agrees with one of them in most of what both say."
    )
    return [Prose(said), Table("Personas", columns, cells)]
