"""What to do on Monday: candidates from several pages, each with its sentence, its table and, where known, its sum.

Belongs here: which there are, how they are ranked, and what the verdicts ask for.
Does not belong here: the tables themselves.

Sums are upper bounds of different kinds and are never added up; the front page says "up to".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from orchestration.report import words
from orchestration.report.blocks import Text
from orchestration.report.figures import cut
from orchestration.report.languages import Foreign, many, say, term
from orchestration.report.pages import common, experiments, movement, occasions, selling
from orchestration.report.shop import Scheme, Shop

# Segments of rfm whose members came often and have gone quiet; in the order told.
QUIET = ("cant_lose", "at_risk")
MOST = 3
# With the three, and what may stop them, they fill a column of one screen.
MOST_ACTIONS = 2
MOST_LINKS = 3
# Letters of a name on the front page; the whole of it is in the table.
LETTERS = 40


@dataclass(frozen=True)
class Finding:
    """What to do, in one sentence; the money behind it, 0 where nobody knows; where its table is.

    `money` says the sum: "up to" where it is what could be had at most.
    """

    title: str
    sentence: Text
    worth: float
    anchor: str
    link: str
    money: str = ""


def to_do(shop: Shop) -> list[Finding]:
    """One list: what stops all the rest, the three with most money, one of a kind, then what has no sum behind it."""
    stop = nobody_may_be_contacted(shop)
    return [*([stop] if stop else []), *findings(shop), *actions(shop)[:MOST_ACTIONS]]


def findings(shop: Shop) -> list[Finding]:
    """The three with most money, one of a kind."""
    kinds = [proven(shop), complements(shop), quiet(shop), downward(shop), missed_occasion(shop), roles(shop)]
    found = sorted((one for one in kinds if one is not None and one.worth > 0), key=lambda one: (-one.worth, one.title))
    return found[:MOST]


def nobody_may_be_contacted(shop: Shop) -> Finding | None:
    """Where consent is all that keeps anything from being sent: before the rest, which needs it."""
    waiting, otherwise = common.waiting_for_consent(shop)
    if otherwise or not waiting or shop.is_few(waiting):
        return None
    return Finding(
        say("Ask for consent first"),
        many(
            "Nothing more may be sent: no consent is on record of the {n} customer with a message waiting.",
            "Nothing more may be sent: no consent is on record of the {n} customers with a message waiting.",
            waiting,
        ),
        0.0,
        "audiences",
        say("Whom to contact"),
    )


def actions(shop: Shop) -> list[Finding]:
    """What the verdicts ask for: to send what was written, to ask for consent, to hold customers out, to give up."""
    found: list[Finding] = []
    by_verdict = {word: [s for s in shop.schemes if s.verdict == word] for word in words.VERDICTS}
    drawer = by_verdict["in the drawer"]
    # The verdict has two reasons: one pair alike on paper is enough for it, and what was sent may differ all the same.
    on_paper = [scheme for scheme in drawer if common.is_alike_on_paper(scheme)]
    delivered = [scheme for scheme in drawer if common.is_mostly_sent_alike(scheme)]
    if on_paper:
        said = say("Some segments have the same on paper: {schemes}.", schemes=_named(on_paper))
        found.append(Finding(say("Write each segment its own treatment"), said, 0.0, "schemes", say("All schemes")))
    if delivered:
        said = say("So far most get the same: {schemes}.", schemes=_named(delivered))
        found.append(Finding(say("Send each segment its own treatment"), said, 0.0, "schemes", say("All schemes")))
    if shop.db.has("audience_decisions", "outcome"):
        row = shop.db.rows(
            "select count(*) as n, count(*) filter (outcome = 'no consent') as waiting from audience_decisions"
        )[0]
        is_said = nobody_may_be_contacted(shop) is not None
        if not is_said and row["waiting"] > row["n"] / 2 and not shop.is_few(row["waiting"]):
            found.append(
                Finding(
                    say("Ask for consent"),
                    many(
                        "{waiting} of {n} message wait for it.",
                        "{waiting} of {n} messages wait for it.",
                        row["n"],
                        waiting=words.count(row["waiting"]),
                    ),
                    0.0,
                    "audiences",
                    say("Whom to contact"),
                )
            )
    open_ones = [scheme for scheme in shop.schemes if common.pays(scheme)[1] == common.NOT_KNOWN]
    if open_ones:
        plan = experiments.shown_by_today(shop)
        found.append(
            Finding(
                say("Test one big offer"),
                many(
                    "Send it to a random half of the {n} customer in {scheme}: the test will show it if it brings "
                    "{effect} a customer{time} or more.",
                    "Send it to a random half of the {n} customers in {scheme}: the test will show it if it brings "
                    "{effect} a customer{time} or more.",
                    plan["members_available"],
                    scheme=shop.scheme(plan["scheme"]).title,
                    effect=experiments.effect_shown(shop, plan),
                    time=experiments.in_days(shop),
                ),
                0.0,
                "pays",
                say("What to test next"),
            )
            if plan is not None
            else Finding(
                say("Hold customers out at random"),
                many(
                    "Whether it pays is not known of {n} scheme.",
                    "Whether it pays is not known of {n} schemes.",
                    len(open_ones),
                ),
                0.0,
                "pays",
                say("What to test next"),
            )
        )
    superficial = by_verdict["superficial"]
    if superficial:
        links = [common.link(scheme.anchor, scheme.title) for scheme in superficial[:MOST_LINKS]]
        found.append(
            Finding(
                say("Give up what does not show in what customers do"),
                Markup("{}.").format(common.links(links)),
                0.0,
                "schemes",
                say("All schemes"),
            )
        )
    return found


def _named(schemes: Sequence[Scheme]) -> str:
    """The first of some schemes, each with a link to its tables of treatments on paper and sent, and how many more."""
    named = common.links([common.link(f"{scheme.anchor}-sent", scheme.title) for scheme in schemes[:MOST_LINKS]])
    more = len(schemes) - MOST_LINKS
    if more <= 0:
        return named
    return many("{schemes} and {n} more scheme", "{schemes} and {n} more schemes", more, schemes=named)


def up_to(shop: Shop, worth: Any) -> str:
    """A sum that is an upper bound."""
    return say("up to {worth}", worth=shop.money(worth))


def complements(shop: Shop) -> Finding | None:
    """All gaps together, and the largest of them."""
    rows = selling.gap_rows(shop)
    if not rows:
        return None
    # The same sum as on the page of the gaps, which the sentence leads to.
    total = float(selling.gap_totals(shop)["worth"] or 0)
    first = selling.best_gap(rows)
    a, b = (cut(shop.item(first["item_level"], first[name]), LETTERS) for name in ("because_item", "gap_item"))
    return Finding(
        say("Sell what goes with it"),
        many(
            "For one, {n} customer buys {a} and never {b}: up to {worth}. The sum is over all such pairs and segments.",
            "For one, {n} customers buy {a} and never {b}: up to {worth}. The sum is over all such pairs and segments.",
            first["customers"],
            a=a,
            b=b,
            worth=shop.money(first["worth"]),
        ),
        total,
        "gaps",
        say("Gaps by money"),
        up_to(shop, total),
    )


def quiet(shop: Shop) -> Finding | None:
    """Frequent customers who stopped coming, and what they spent in the behaviour window."""
    scheme = shop.scheme("rfm")
    segments = scheme.segments
    found = [
        row
        for row in (segments.by_name.get(name) for name in QUIET)
        if row and row.get("members") and row.get("spend") and not shop.is_few(row["members"])
    ]
    if not found:
        return None
    spent = sum(float(row["spend"]) for row in found)
    return Finding(
        say("Win back those who went quiet"),
        many(
            "{n} customer ({segments}) came often and has stayed away for longer than most. The sum is what they spent "
            "{when}.",
            "{n} customers ({segments}) came often and have stayed away for longer than most. The sum is what they "
            "spent {when}.",
            sum(row["members"] for row in found),
            segments=words.listed([cut(segments.label(row["segment"]), LETTERS) for row in found]),
            when=shop.in_window,
        ),
        spent,
        f"{scheme.anchor}-who",
        say("Segments by spend"),
        up_to(shop, spent),
    )


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
                    "{n} customer slipped from “{before}” to “{now}” since {day}: so much {a_year} is lost if they "
                    "come to spend as the others there do.",
                    "{n} customers slipped from “{before}” to “{now}” since {day}: so much {a_year} is lost if they "
                    "come to spend as the others there do.",
                    row["members"],
                    before=cut(scheme.segments.label(row["from_segment"]), LETTERS),
                    now=cut(scheme.segments.label(row["to_segment"]), LETTERS),
                    day=words.day(periods[0][0]),
                    a_year=shop.a_window,
                ),
                worth,
                f"{scheme.anchor}-moves",
                say("Moves between segments"),
                up_to(shop, worth),
            )
    return best


def missed_occasion(shop: Shop) -> Finding | None:
    """The occasion that a segment leaves out, with most money behind it."""
    found = occasions.gaps(shop)
    if not found:
        return None
    gap, counted = found[0], occasions.days_counted(shop)
    since = say(" since {day}", day=words.day(counted[0])) if counted else ""
    return Finding(
        say(
            "Win more “{occasion}” trips from “{segment}” customers",
            segment=cut(gap.label, LETTERS),
            occasion=occasions.label(shop, gap.occasion),
        ),
        many(
            "{scheme}: they made {baskets}{since}; at the average of all customers, {n}.",
            "{scheme}: they made {baskets}{since}; at the average of all customers, {n}.",
            gap.expected,
            scheme=gap.scheme.title,
            since=since,
            baskets=many("{n} such trip", "{n} such trips", gap.baskets),
        ),
        gap.worth,
        "occasion-gaps",
        say("Gaps by occasion"),
        up_to(shop, gap.worth),
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
            "Treating the segments of {scheme} differently earned so much more, over all its members, than one "
            "treatment for all.",
            scheme=shop.scheme(row["scheme"]).title,
        ),
        float(row["dividend_total"]),
        "dividend",
        say("Segmentation dividend"),
        shop.money(row["dividend_total"]),
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
            "At {n} company nobody is known as {role}: so much they spent {when}.",
            "At {n} companies nobody is known as {role}: so much they spent {when}.",
            row["companies"],
            role=role,
            when=shop.in_window,
        ),
        float(row["spend"]),
        "roles",
        say("Roles that are missing"),
        up_to(shop, row["spend"]),
    )
