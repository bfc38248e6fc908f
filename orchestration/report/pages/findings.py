"""What is worth money today: candidates from several pages, each with its sum, its sentence and its table.

Belongs here: which findings there are and how they are ranked.
Does not belong here: the tables themselves.

Sums are upper bounds of different kinds and are never added up; the front page says "up to".
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.report import words
from orchestration.report.figures import cut
from orchestration.report.languages import Foreign, many, say, term
from orchestration.report.pages import movement, occasions, selling
from orchestration.report.shop import Shop

# Segments of rfm whose members have gone quiet, and are worth winning back; in the order told.
QUIET = ("cant_lose", "at_risk", "hibernating")
MOST = 3
# Letters of a name on the front page; the whole of it is in the table.
LETTERS = 40


@dataclass(frozen=True)
class Finding:
    """What to do, in one sentence; the money behind it, a year; where its table is."""

    title: str
    sentence: str
    worth: float
    anchor: str
    link: str


def findings(shop: Shop) -> list[Finding]:
    """The three with most money, one of a kind."""
    kinds = [proven(shop), complements(shop), quiet(shop), downward(shop), missed_occasion(shop), roles(shop)]
    found = sorted((one for one in kinds if one is not None and one.worth > 0), key=lambda one: (-one.worth, one.title))
    return found[:MOST]


def complements(shop: Shop) -> Finding | None:
    """All gaps together, and the largest of them."""
    rows = selling.gap_rows(shop)
    if not rows:
        return None
    # The same sum as on the page of the gaps, which the sentence leads to.
    total = float(selling.gap_totals(shop)["worth"] or 0)
    first = rows[0]
    a, b = (cut(shop.item(first["item_level"], first[name]), LETTERS) for name in ("because_item", "gap_item"))
    return Finding(
        say("Sell what goes with it"),
        many(
            "{n} customer buy {a} and never {b}, worth up to {worth} a year; all such gaps, up to {total}.",
            "{n} customers buy {a} and never {b}, worth up to {worth} a year; all such gaps, up to {total}.",
            first["customers"],
            a=a,
            b=b,
            worth=shop.money(first["worth"]),
            total=shop.money(total),
        ),
        total,
        "gaps",
        say("Gaps by money"),
    )


def quiet(shop: Shop) -> Finding | None:
    """Frequent customers who stopped coming, and what they spent in the last year."""
    scheme = shop.scheme("rfm")
    for name in QUIET[:2]:
        row = scheme.segments.by_name.get(name)
        if row and row.get("members") and not shop.is_few(row["members"]) and row.get("spend"):
            return Finding(
                say("Win back those who went quiet"),
                many(
                    "{n} customer in “{segment}” used to come often and has stayed away longer than most; in the "
                    "last year they spent {spend}.",
                    "{n} customers in “{segment}” used to come often and have stayed away longer than most; in the "
                    "last year they spent {spend}.",
                    row["members"],
                    segment=cut(scheme.segments.label(name), LETTERS),
                    spend=shop.money(row["spend"]),
                ),
                float(row["spend"]),
                f"{scheme.anchor}-who",
                say("Segments by spend"),
            )
    return None


def downward(shop: Shop) -> Finding | None:
    """The move of the last period that costs most, if those who moved spend as their new segment does."""
    scheme = shop.scheme("rfm")
    segments = scheme.segments.by_name
    periods = movement.last_periods(shop)
    if not periods or not scheme.anchor:
        return None

    def mean(name: str) -> float | None:
        row = segments.get(name)
        return (
            float(row.get("spend") or 0) / row["members"]
            if row and row.get("members") and not shop.is_few(row["members"])
            else None
        )

    best: Finding | None = None
    for row in shop.db.rows(
        "select from_segment, to_segment, members from segment_migrations where scheme = ? and period_start = ? and "
        "from_segment <> to_segment order by from_segment, to_segment",
        (scheme.name, periods[0][0]),
    ):
        before, after = mean(row["from_segment"]), mean(row["to_segment"])
        if before is None or after is None or shop.is_few(row["members"]):
            continue
        worth = row["members"] * (before - after)
        if best is None or worth > best.worth:
            best = Finding(
                say("Hold those who slip"),
                many(
                    "{n} customer slipped from “{before}” to “{now}” since {day}: up to {worth} a year if they come to "
                    "spend as the others there do.",
                    "{n} customers slipped from “{before}” to “{now}” since {day}: up to {worth} a year if they come "
                    "to spend as the others there do.",
                    row["members"],
                    before=cut(scheme.segments.label(row["from_segment"]), LETTERS),
                    now=cut(scheme.segments.label(row["to_segment"]), LETTERS),
                    day=words.day(periods[0][0]),
                    worth=shop.money(worth),
                ),
                worth,
                f"{scheme.anchor}-moves",
                say("Moves between segments"),
            )
    return best


def missed_occasion(shop: Shop) -> Finding | None:
    """The occasion that a segment leaves out, with most money behind it."""
    found = occasions.gaps(shop)
    if not found:
        return None
    gap = found[0]
    return Finding(
        say("Be there when they buy"),
        many(
            "“{segment}” ({scheme}) have few baskets of “{occasion}”: everyone's share would make {n} baskets in place "
            "of {baskets}, worth up to {worth}.",
            "“{segment}” ({scheme}) have few baskets of “{occasion}”: everyone's share would make {n} baskets in place "
            "of {baskets}, worth up to {worth}.",
            gap.expected,
            segment=cut(gap.label, LETTERS),
            scheme=gap.scheme.title,
            occasion=occasions.label(shop, gap.occasion),
            baskets=words.count(gap.baskets),
            worth=shop.money(gap.worth),
        ),
        gap.worth,
        "occasion-gaps",
        say("Gaps by occasion"),
    )


def proven(shop: Shop) -> Finding | None:
    """The dividend of a scheme that was proven to pay, else nothing: unproven sums are no findings."""
    rows = [
        row
        for row in shop.db.table("segmentation_dividend", "scheme", "experiment_id")
        if row["verdict"] == "segmenting pays" and row.get("dividend_total") and not shop.is_few(row.get("members"))
    ]
    if not rows:
        return None
    row = max(rows, key=lambda row: row["dividend_total"])
    return Finding(
        say("Roll out what was proven"),
        say(
            "Treating the segments of {scheme} differently earned more than one treatment for all, worth {worth} over "
            "all its members.",
            scheme=shop.scheme(row["scheme"]).title,
            worth=shop.money(row["dividend_total"]),
        ),
        float(row["dividend_total"]),
        "dividend",
        say("Segmentation dividend"),
    )


def roles(shop: Shop) -> Finding | None:
    """The role of buying committees that most spend lacks."""
    if not shop.db.has("company_committees", "role", "is_covered", "spend", "company_id"):
        return None
    rows = shop.db.rows(
        "select role, count(*) as companies, sum(spend) as spend from company_committees where not is_covered group by "
        "role order by spend desc nulls last, role"
    )
    rows = [row for row in rows if not shop.is_few(row["companies"])]
    if not rows or not rows[0]["spend"]:
        return None
    row = rows[0]
    known = words.ROLES.get(row["role"])
    role = term("role", known).lower() if known else Foreign(words.identifier(row["role"]).lower())
    return Finding(
        say("Find who decides"),
        many(
            "At {n} company nobody is known as {role}; they spent {spend} in the last year.",
            "At {n} companies nobody is known as {role}; they spent {spend} in the last year.",
            row["companies"],
            role=role,
            spend=shop.money(row["spend"]),
        ),
        float(row["spend"]),
        "roles",
        say("Roles that are missing"),
    )
