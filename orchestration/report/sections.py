"""What the report says beyond single schemes: the headline, what is bought together, next offers, refused rows.

Belongs here: published rows in, plain values for the template out.
Does not belong here: HTML, and what concerns one scheme (accounts.py).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from orchestration.report import words
from orchestration.report.accounts import grouped
from orchestration.report.published import Published, Row

Context = dict[str, Any]

# Pairs named in one list, and how few times bought together still mean something: the first bar that leaves enough.
# 100: chance moves such a count by a tenth; below 30 by a fifth and more, and a handful of households can make a pair.
MOST_PAIRS = 15
ENOUGH_PAIRS = 10
BARS = (100, 30, 10, 1)
SIGNIFICANCE = 0.05
# In the order of use to a marketer.
LEVELS = ("category", "product", "subcategory", "department")
PLURALS = {"category": "categories", "product": "products", "subcategory": "subcategories", "department": "departments"}
MOST_OFFERS = 10
MOST_REASONS = 30


def last_refresh(db: Published) -> Row:
    """The refresh that made the file: the last one by id, which sorts by time. Empty where none is noted."""
    rows = db.table("refreshes", "refresh_id")
    return rows[-1] if rows else {}


def as_of_date(db: Published, refresh: Row) -> date | None:
    """The day the file describes."""
    found: date | None = refresh.get("as_of")
    if found is None and db.has("customer_segments", "as_of"):
        found = db.rows("select max(as_of) as as_of from customer_segments")[0]["as_of"]
    return found


def headline(db: Published, refresh: Row, as_of: date | None) -> Context:
    """The refresh in numbers; a number that the file does not hold is left out."""
    customers = db.rows("select count(*) as n from customer_profiles")[0]["n"] if db.has("customer_profiles") else None
    buyers = (
        db.rows("select count(*) as n from customer_profiles where last_order_on is not null")[0]["n"]
        if db.has("customer_profiles", "last_order_on")
        else None
    )
    figures = []
    if customers is not None:
        figures.append(
            (
                words.count(customers),
                "customers",
                f"{words.count(buyers)} of them have bought" if buyers is not None else "",
            )
        )
    if refresh:
        figures += [
            (words.count(refresh.get("rows_landed")), "rows read", "all tables of the landing zone"),
            (
                words.count(refresh.get("rows_quarantined")),
                "rows refused",
                f"and {words.counted(refresh.get('rows_duplicate'), 'exact copy', 'exact copies')} dropped",
            ),
            (
                words.count(refresh.get("checks_passed")),
                "checks passed",
                f"{words.count(refresh.get('checks_failed'))} failed or warned",
            ),
        ]
    return {
        "refresh_id": words.clean(refresh.get("refresh_id")) if refresh else None,
        "as_of": words.day(as_of) if as_of else None,
        "finished": words.moment(refresh.get("finished_at")) if refresh.get("finished_at") else None,
        "figures": figures,
    }


def verdict_counts(schemes: list[Context]) -> list[tuple[str, words.Mark, list[str]]]:
    """Each verdict that was given, its mark, the names of its schemes."""
    cards = [{"verdict": scheme["card"]["verdict"], "name": scheme["name"]} for scheme in schemes if scheme["card"]]
    found = grouped(cards, "verdict")
    order = [*words.VERDICTS, *sorted(set(found) - set(words.VERDICTS))]
    return [(v, words.mark(words.VERDICTS, v), [card["name"] for card in found[v]]) for v in order if v in found]


AFFINITY_COLUMNS = (
    "item_level",
    "window",
    "antecedent",
    "consequent",
    "n_antecedent",
    "n_both",
    "confidence",
    "size_adjusted_lift",
    "q_value",
)


def affinities(db: Published) -> list[Context] | None:
    """One list of sentences a level and window; null where the file has no affinities.

    Each unordered pair is told once, in the direction in which it is surer. Only pairs beyond chance (q < 0.05) that
    are bought together more often than basket size makes likely, strongest first.
    """
    if not db.has("product_affinities", *AFFINITY_COLUMNS):
        return None
    kinds = db.rows('select distinct item_level, "window" from product_affinities order by 1, 2')
    levels = {level: rank for rank, level in enumerate(LEVELS)}
    kinds.sort(
        key=lambda kind: (kind["window"] != "basket", levels.get(kind["item_level"], len(LEVELS)), kind["item_level"])
    )
    return [found for kind in kinds if (found := _affinity_list(db, kind["item_level"], kind["window"]))["sentences"]]


def _affinity_list(db: Published, level: str, window: str) -> Context:
    rows: list[Row] = []
    bar = BARS[-1]
    for bar in BARS:
        rows = db.rows(
            """
            select antecedent, consequent, n_antecedent, n_both, confidence, size_adjusted_lift
            from product_affinities
            where item_level = ? and "window" = ? and n_both >= ? and size_adjusted_lift > 1 and q_value < ?
            qualify row_number() over (
                partition by least(antecedent, consequent), greatest(antecedent, consequent)
                order by confidence desc, antecedent
            ) = 1
            order by size_adjusted_lift desc, n_both desc, antecedent, consequent
            limit ?
            """,
            (level, window, bar, SIGNIFICANCE, MOST_PAIRS),
        )
        if len(rows) >= ENOUGH_PAIRS:
            break
    unit = "basket" if window == "basket" else "customer"
    where = "in one basket" if window == "basket" else f"within {window.replace('_', ' ')}"
    return {
        "title": f"{PLURALS.get(level, level).capitalize()} bought {where}",
        "bar": words.counted(bar, unit),
        "sentences": [
            {
                "antecedent": words.clean(row["antecedent"]),
                "consequent": words.clean(row["consequent"]),
                "times": words.times(row["size_adjusted_lift"]),
                "n_both": words.counted(row["n_both"], unit),
                "confidence": words.share(row["confidence"]),
                "n_antecedent": words.counted(row["n_antecedent"], unit),
            }
            for row in rows
        ],
    }


OFFER_COLUMNS = ("customer_id", "offer_rank", "item", "because_item", "because_last_bought_on", "because_times_bought")


def offers(db: Published) -> Context | None:
    """What is offered first to how many, and an example of each of the most frequent; null without the table.

    The example is the customer with the strongest evidence: most times bought, then last bought, then by id.
    """
    if not db.has("next_best_offers", *OFFER_COLUMNS):
        return None
    totals = db.rows("select count(*) as offers, count(distinct customer_id) as customers from next_best_offers")[0]
    rows = db.rows(
        """
        select
            item, customer_id, because_item, because_last_bought_on, because_times_bought,
            count(*) over (partition by item) as customers
        from next_best_offers
        where offer_rank = 1
        qualify row_number() over (
            partition by item
            order by because_times_bought desc nulls last, because_last_bought_on desc nulls last, customer_id
        ) = 1
        order by customers desc, item
        limit ?
        """,
        (MOST_OFFERS,),
    )
    return {
        "offers": words.counted(totals["offers"], "offer"),
        "customers": words.counted(totals["customers"], "customer"),
        "examples": [
            {
                "item": words.clean(row["item"]),
                "first_for": words.counted(row["customers"], "customer"),
                "customer": words.clean(row["customer_id"]),
                "because": words.clean(row["because_item"]) if row["because_item"] is not None else None,
                "times": words.counted(row["because_times_bought"], "time"),
                "last": words.day(row["because_last_bought_on"]),
            }
            for row in rows
        ],
    }


def quality(db: Published, refresh: Row) -> Context:
    """Refused rows by table and reason, counts only: the rows themselves stay in the table `quarantine`."""
    has_table = db.has("quarantine", "source_table", "reasons")
    rows = (
        db.rows(
            """
            with single_reasons as (
                select source_table, unnest(string_split(coalesce(cast(reasons as varchar), ''), '; ')) as reason
                from quarantine
            )
            select source_table, reason, count(*) as refused
            from single_reasons
            group by source_table, reason
            order by refused desc, source_table, reason
            """
        )
        if has_table
        else []
    )
    return {
        "has_table": has_table,
        "refused": words.counted(db.rows("select count(*) as n from quarantine")[0]["n"], "row") if has_table else None,
        "rows": [
            {
                "table": words.clean(row["source_table"]),
                "reason": words.clean(row["reason"]),
                "refused": words.count(row["refused"]),
            }
            for row in rows[:MOST_REASONS]
        ],
        "more": max(0, len(rows) - MOST_REASONS),
        "account": [
            (words.count(refresh.get(f"rows_{kind}")), label)
            for kind, label in (
                ("landed", "rows read"),
                ("staged", "rows used"),
                ("quarantined", "rows refused"),
                ("duplicate", "exact copies dropped"),
            )
        ]
        if refresh
        else [],
    }


def inactive_schemes(db: Published) -> list[str]:
    """Names of schemes that are described but switched off."""
    rows = db.table("segment_schemes", "scheme")
    return [words.scheme_name(row["scheme"]) for row in rows if row.get("is_active") is False]
