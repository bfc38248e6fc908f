"""What the report says about prospects: how many have a segment, how far to trust the scores, who the personas are.

Belongs here: the prospect tables in, blocks out.
Does not belong here: any single prospect: none is named. Who is scored how (orchestration/prospects/).
"""

from __future__ import annotations

import json

from orchestration.report import words
from orchestration.report.blocks import Block, Column, Fold, Page, Part, Prose, Table
from orchestration.report.languages import C_, N_, Foreign, joined, many, say
from orchestration.report.pages import common
from orchestration.report.published import Row
from orchestration.report.shop import Shop

# Why a prospect has no segment, in the order of the table, and what helps.
REMEDIES = {
    C_("outcome of a score", "says nothing"): N_("land profile columns for them (table {prospects})"),
    C_("outcome of a score", "nothing in common"): N_("land the same profile columns for customers"),
    C_("outcome of a score", "no better than the base rate"): N_(
        "land columns that tell the segments apart, or choose another scheme"
    ),
    C_("outcome of a score", "below the threshold"): N_("land more columns, or lower {min_score}"),
    C_("outcome of a score", "rare segment"): N_(
        "wait for more customers of it, or choose a scheme with fewer segments"
    ),
    C_("outcome of a score", "no scheme for its kind"): N_("choose one in {prospect_schemes}, and switch it on"),
    C_("outcome of a score", "protected scheme"): N_(
        "choose one that does not rest on what {protected_attributes} forbids"
    ),
}
# Names that stand in them.
NAMES = {
    "prospects": Foreign("prospects", "en"),
    "min_score": Foreign("min_score", "en"),
    "prospect_schemes": Foreign("seeds/prospect_schemes.csv", "en"),
    "protected_attributes": Foreign("seeds/protected_attributes.csv", "en"),
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
    question = say("Who could become a customer, and whom are they like?")
    if shop.is_few(totals["prospects"]):
        few = many("There are fewer than {n} prospect.", "There are fewer than {n} prospects.", shop.least)
        return [Page("prospects", say("Prospects"), question, [Prose(few)])]
    lead = joined(
        " ",
        [
            many(
                "{known} of {prospects} has a segment: that of the customers who say the same of themselves.",
                "{known} of {prospects} have a segment: that of the customers who say the same of themselves.",
                totals["known"],
                known=shop.members(totals["known"]),
                prospects=many("{n} prospect", "{n} prospects", totals["prospects"]),
            ),
            many(
                "{said} may be written to about it.",
                "{said} may be written to about it.",
                totals["contactable"],
                said=words.capital(shop.members(totals["contactable"])),
            ),
        ],
    )
    parts: list[tuple[str, str, list[Block]]] = [
        ("prospect-segments", say("Whose segment they get"), [*_segments(shop), *_unknown(shop)]),
        ("prospect-models", say("How far to trust the scores"), _models(shop)),
        ("prospect-personas", say("The persons you described"), _personas(shop, totals["near"])),
    ]
    blocks: list[Block] = [Prose(lead, "lead"), *(Part(name, found, anchor) for anchor, name, found in parts if found)]
    return [Page("prospects", say("Prospects"), question, blocks)]


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
    merged = sum(row["prospects"] for row in small)
    more = many("{n} prospect in segments of few.", "{n} prospects in segments of few.", merged) if small else ""
    columns = [
        Column(say("Segment")),
        Column(say("Scheme"), minor=True),
        Column(say("Prospects"), True),
        Column(say("Mean score"), True),
        Column(say("May be written to"), True),
        Column(say("Share of customers"), True, minor=True),
    ]
    return [Table(say("Prospects by segment"), columns, cells, more=more)]


def _unknown(shop: Shop) -> list[Block]:
    rows = shop.db.rows(
        "select outcome, count(*) as n from prospect_segments where segment = 'unknown' group by outcome"
    )
    found = {row["outcome"]: row["n"] for row in rows}
    order = [*REMEDIES, *sorted(set(found) - set(REMEDIES))]
    cells = [
        [
            common.label(words.value("outcome of a score", why)),
            common.members(shop, found[why]),
            common.text(say(REMEDIES[why], **NAMES) if why in REMEDIES else None),
        ]
        for why in order
        if why in found
    ]
    columns = [Column(say("Why")), Column(say("Prospects"), True), Column(say("What helps"))]
    return [Table(say("Prospects without a segment"), columns, cells)] if cells else []


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
            common.label(joined(", ", (words.value("attribute", a) for a in _attributes(row["attributes"])))),
            common.text(shop.scheme(row["scheme"]).title),
            common.members(shop, row["prospects"]),
            common.text(
                words.value("model", row["model"])
                if row["beats_base"]
                else say("{model}, no better than the base rate", model=words.value("model", row["model"]))
            ),
            common.number(row["members_judged"]),
            common.share(row["top1"]),
            common.share(row["base_top1"]),
            common.number(row["log_loss"], words.decimals(row["log_loss"], 3)),
            common.number(row["base_log_loss"], words.decimals(row["base_log_loss"], 3)),
            common.share(row["calibration_error"]),
        ]
        for row in shown
    ]
    columns = [
        Column(say("By")),
        Column(say("Scheme"), minor=True),
        Column(say("Prospects"), True),
        Column(say("Model"), minor=True),
        Column(say("Judged on"), True),
        Column(say("Right"), True),
        Column(say("Right by the largest segment"), True),
        Column(say("Log loss"), True, minor=True),
        Column(say("of the base rate"), True, minor=True),
        Column(say("Scores are off by"), True),
    ]
    more = (
        many(
            "{n} more model in the table {table}.",
            "{n} more models in the table {table}.",
            len(rows) - len(shown),
            table=words.table("prospect_models"),
        )
        if len(rows) > len(shown)
        else ""
    )
    said = say(
        "Each line is a model of its own, for prospects who say the same things, judged on customers that it had never "
        "seen. A model that does no better than giving everybody the shares of the segments gives nobody a segment."
    )
    return [Prose(said), Table(say("Models of prospects"), columns, cells, more=more), *_reliability(shop, shown[0])]


def _attributes(found: str) -> list[str]:
    """Columns of a model as words."""
    return [name.strip().replace("_", " ") for name in found.split(",")]


def _reliability(shop: Shop, model: Row) -> list[Block]:
    bins = [found for found in json.loads(model["reliability"]) if not shop.is_few(found["members"])]
    if not bins:
        return []
    cells = [
        [common.share(b["said"], bar=True), common.share(b["were"], bar=True), common.number(b["members"])]
        for b in bins
    ]
    columns = [
        Column(say("Score given"), True),
        Column(say("Were of that segment"), True),
        Column(say("Customers"), True),
    ]
    table = Table(say("Scores given and how many were right"), columns, cells)
    return [Fold(say("How sure: scores of the first model, and how many were right"), [table])]


def _personas(shop: Shop, near: int) -> list[Block]:
    if not shop.db.has("prospect_personas", "persona_id", "segment", "prospects_near"):
        return []
    rows = shop.db.rows("select * from prospect_personas order by prospects_near desc, persona_id")
    if not rows:
        return []
    cells = [
        [
            common.label(words.identifier(row["persona_id"])),
            common.text(Foreign(words.clean(row["description"])), "long"),
            common.text(shop.scheme(row["scheme"]).segments.label(row["segment"])),
            common.members(shop, row["prospects_near"]),
        ]
        for row in rows
    ]
    columns = [
        Column(say("Persona")),
        Column(say("In your words"), minor=True),
        Column(say("Segment")),
        Column(say("Prospects near"), True),
    ]
    said = (
        many(
            "{said} prospects agree with one of them in most of what both say.",
            "{said} prospects agree with one of them in most of what both say.",
            near,
            said=words.capital(shop.members(near)),
        )
        if near
        else say("No prospect agrees with one of them in most of what both say.")
    )
    return [Prose(said), Table(say("Personas"), columns, cells)]
