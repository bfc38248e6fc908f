"""What the report says about prospects: how many have a segment, how far to trust the scores, who the personas are.

Belongs here: the prospect tables in, counts and plain values for templates/prospects.html.jinja out.
Does not belong here: HTML, and any single prospect: none is named.
"""

from __future__ import annotations

import json
from typing import Any

from orchestration.report import words
from orchestration.report.published import Published

# The scheme of prospects, told here and not among the schemes of customers.
SCHEME = "prospect_persona"
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


def prospects(db: Published) -> dict[str, Any] | None:
    """Counts by segment, unknowns by reason, models with their calibration, personas; None without any prospect."""
    if not db.has("prospect_segments", "scheme", "segment", "outcome", "persona_id", "is_contactable"):
        return None
    (totals,) = db.rows(
        """
        select count(*) as prospects, count(*) filter (segment <> 'unknown') as known,
            count(*) filter (persona_id is not null) as near, count(*) filter (is_contactable) as contactable
        from prospect_segments
        """
    )
    if not totals["prospects"]:
        return None
    return {
        "total": words.counted(totals["prospects"], "prospect"),
        "known": words.count(totals["known"]),
        "near": words.counted(totals["near"], "prospect"),
        "contactable": words.counted(totals["contactable"], "prospect"),
        "segments": _segments(db),
        "unknown": _unknown(db),
        "models": _models(db),
        "personas": _personas(db),
    }


def _segments(db: Published) -> list[dict[str, Any]]:
    rows = db.rows(
        """
        select scored.scheme, coalesce(max(segments.label), scored.segment) as label, count(*) as prospects,
            avg(scored.score) as score, count(*) filter (scored.is_contactable) as contactable,
            max(segments.member_share) as member_share
        from prospect_segments as scored
        left join segments on scored.scheme = segments.scheme and scored.segment = segments.segment
        where scored.segment <> 'unknown'
        group by scored.scheme, scored.segment
        order by scored.scheme, prospects desc, scored.segment
        """
    )
    return [
        {
            "scheme": words.scheme_name(row["scheme"]),
            "segment": words.clean(row["label"]),
            "prospects": words.count(row["prospects"]),
            "score": words.share(row["score"]),
            "contactable": words.count(row["contactable"]),
            "member_share": words.share(row["member_share"]),
        }
        for row in rows
    ]


def _unknown(db: Published) -> list[dict[str, Any]]:
    found = {
        row["outcome"]: row["n"]
        for row in db.rows(
            "select outcome, count(*) as n from prospect_segments where segment = 'unknown' group by outcome"
        )
    }
    order = [*REMEDIES, *sorted(set(found) - set(REMEDIES))]
    return [
        {"why": words.clean(why), "n": words.count(found[why]), "remedy": REMEDIES.get(why, "")}
        for why in order
        if why in found
    ]


def _models(db: Published) -> dict[str, Any]:
    rows = db.rows(
        """
        select * from prospect_models
        where prospects > 0
        order by prospects desc, scheme, kind, attributes
        """
        if db.has("prospect_models", "attributes", "reliability")
        else "select 1 where false"
    )
    return {
        "rows": [
            {
                "scheme": words.scheme_name(row["scheme"]),
                "attributes": words.clean(row["attributes"].replace("_", " ")),
                "prospects": words.count(row["prospects"]),
                "model": words.clean(row["model"]),
                "judged": words.count(row["members_judged"]),
                "top1": words.share(row["top1"]),
                "base_top1": words.share(row["base_top1"]),
                "log_loss": f"{row['log_loss']:.3f}",
                "base_log_loss": f"{row['base_log_loss']:.3f}",
                "calibration_error": words.share(row["calibration_error"]),
                "beats_base": row["beats_base"],
                "bins": [
                    {
                        "from": words.share(b["from"]),
                        "members": words.count(b["members"]),
                        "said": words.share(b["said"]),
                        "were": words.share(b["were"]),
                    }
                    for b in json.loads(row["reliability"])
                ],
            }
            for row in rows[:MODELS_SHOWN]
        ],
        "more": max(0, len(rows) - MODELS_SHOWN),
    }


def _personas(db: Published) -> list[dict[str, Any]]:
    if not db.has("prospect_personas", "persona_id", "segment", "prospects_near"):
        return []
    rows = db.rows(
        """
        select personas.*, coalesce(segments.label, personas.segment) as label
        from prospect_personas as personas
        left join segments on personas.scheme = segments.scheme and personas.segment = segments.segment
        order by personas.prospects_near desc, personas.persona_id
        """
    )
    return [
        {
            "persona": words.clean(row["persona_id"].replace("_", " ")),
            "description": words.clean(row["description"]),
            "scheme": words.scheme_name(row["scheme"]),
            "segment": words.clean(row["label"]),
            "near": words.count(row["prospects_near"]),
        }
        for row in rows
    ]
