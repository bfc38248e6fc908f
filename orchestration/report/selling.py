"""What the report says about selling: what is bought together, what is missing, next offers, whom to contact.

Belongs here: published rows in, plain values for the template out.
Does not belong here: HTML, and what concerns one scheme (accounts.py, tangible.py).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from orchestration.report import words
from orchestration.report.published import Published, Row

Context = dict[str, Any]

# Pairs named in one list, and how few times bought together still mean something: the first bar that leaves enough.
# 300: chance moves such a count by a seventeenth, 100 by a tenth, below 30 by a fifth and more: a handful of
# households can make a pair.
MOST_PAIRS = 15
ENOUGH_PAIRS = 10
BARS = (300, 100, 30, 10, 1)
# Sentences in which one item may stand: else one family of products (baby food, say) fills the list.
MOST_MENTIONS = 2
SIGNIFICANCE = 0.05
# Below a tenth more than expected, a pair is beyond chance but of no use.
WEAKEST_LIFT = 1.1
# In the order of use to a marketer: frosting and cake mix are subcategories of one category.
LEVELS = ("subcategory", "category", "product", "department")
PLURALS = {"category": "categories", "product": "products", "subcategory": "subcategories", "department": "departments"}
MOST_OFFERS = 10
MOST_GAPS = 10

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

    Each unordered pair is told once: in a basket in the direction in which it is surer, in time in the more frequent
    order. Only pairs beyond chance (q < 0.05) that are bought together more often than sizes make likely, strongest
    first.
    """
    if not db.has("product_affinities", *AFFINITY_COLUMNS):
        return None
    kinds = db.rows('select distinct item_level, "window" from product_affinities order by 1, 2')
    levels = {level: rank for rank, level in enumerate(LEVELS)}
    kinds.sort(
        key=lambda kind: (
            kind["window"] != "basket",
            kind["window"],
            levels.get(kind["item_level"], len(LEVELS)),
            kind["item_level"],
        )
    )
    return [found for kind in kinds if (found := _affinity_list(db, kind["item_level"], kind["window"]))["sentences"]]


def _affinity_list(db: Published, level: str, window: str) -> Context:
    in_basket = window == "basket"
    # Files of before there were orders in time lack the count of the other order.
    reverse = "n_reverse" if db.has("product_affinities", "n_reverse") else "cast(null as bigint)"
    rows: list[Row] = []
    bar = BARS[-1]
    for bar in BARS:
        rows = _not_too_often(
            db.rows(
                f"""
                select antecedent, consequent, n_antecedent, n_both, confidence, size_adjusted_lift,
                    {reverse} as n_reverse
                from product_affinities
                where item_level = ? and "window" = ? and n_both >= ? and size_adjusted_lift >= ? and q_value < ?
                qualify row_number() over (
                    partition by least(antecedent, consequent), greatest(antecedent, consequent)
                    order by {"confidence" if in_basket else "n_both"} desc, antecedent
                ) = 1
                order by size_adjusted_lift desc, n_both desc, antecedent, consequent
                limit ?
                """,
                (level, window, bar, WEAKEST_LIFT, SIGNIFICANCE, 20 * MOST_PAIRS),
            )
        )
        if len(rows) >= ENOUGH_PAIRS:
            break
    unit = "basket" if in_basket else "customer"
    where = "in one basket" if in_basket else f"one after the other, within {window.replace('_', ' ')}"
    return {
        "title": f"{PLURALS.get(level, level).capitalize()} bought {where}",
        "is_sequence": not in_basket,
        "within": words.clean(window.replace("_", " ")),
        "bar": words.counted(bar, unit),
        "sentences": [
            {
                "antecedent": words.clean(row["antecedent"]),
                "consequent": words.clean(row["consequent"]),
                "times": words.times(row["size_adjusted_lift"]),
                "n_both": words.counted(row["n_both"], unit),
                "confidence": words.share(row["confidence"]),
                "n_antecedent": words.counted(row["n_antecedent"], unit),
                "n_reverse": None if row["n_reverse"] is None else words.count(row["n_reverse"]),
            }
            for row in rows
        ],
    }


def _not_too_often(rows: list[Row]) -> list[Row]:
    """The first pairs, without those of which one item was named often enough before."""
    mentions: Counter[str] = Counter()
    kept: list[Row] = []
    for row in rows:
        items = (row["antecedent"], row["consequent"])
        if len(kept) < MOST_PAIRS and all(mentions[item] < MOST_MENTIONS for item in items):
            mentions.update(items)
            kept.append(row)
    return kept


GAP_COLUMNS = (
    "customer_id",
    "item_level",
    "because_item",
    "because_times_bought",
    "because_last_bought_on",
    "gap_item",
    "peers",
    "peers_with_gap_item",
    "expected_value",
)


def gaps(db: Published) -> list[Context] | None:
    """One list a level of what regular buyers of an item never buy, worth most first; null without the table.

    The example is the customer for whom the gap is worth most, then by id.
    """
    if not db.has("cross_sell_gaps", *GAP_COLUMNS):
        return None
    levels = [row["item_level"] for row in db.rows("select distinct item_level from cross_sell_gaps order by 1")]
    return [_gap_list(db, level) for level in levels]


def _gap_list(db: Published, level: str) -> Context:
    totals = db.rows(
        "select count(*) as gaps, count(distinct customer_id) as customers from cross_sell_gaps where item_level = ?",
        (level,),
    )[0]
    rows = db.rows(
        """
        select
            because_item, gap_item, customer_id, because_times_bought, because_last_bought_on, expected_value,
            peers, peers_with_gap_item,
            count(*) over pair as customers,
            sum(expected_value) over pair as together
        from cross_sell_gaps
        where item_level = ?
        window pair as (partition by because_item, gap_item)
        qualify row_number() over (
            partition by because_item, gap_item order by expected_value desc, customer_id
        ) = 1
        order by together desc, because_item, gap_item
        limit ?
        """,
        (level, MOST_GAPS),
    )
    return {
        "level": PLURALS.get(level, words.clean(level)),
        "gaps": words.counted(totals["gaps"], "gap"),
        "customers": words.counted(totals["customers"], "customer"),
        "sentences": [
            {
                "because": words.clean(row["because_item"]),
                "gap": words.clean(row["gap_item"]),
                "n": words.counted(row["customers"], "customer"),
                "peers": words.count(row["peers"]),
                "peers_with": words.count(row["peers_with_gap_item"]),
                "together": words.money(row["together"]),
                "customer": words.clean(row["customer_id"]),
                "times": words.counted(row["because_times_bought"], "time"),
                "last": words.day(row["because_last_bought_on"]),
                "value": words.money(row["expected_value"]),
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


def audiences(db: Published) -> Context | None:
    """Sends and drops by channel, a column a reason; null where the file holds neither.

    Decisions hold both; a file with the sends alone still tells those.
    """
    if db.has("audience_decisions", "channel", "outcome"):
        source, outcome = "audience_decisions", "outcome"
    elif db.has("audiences", "channel"):
        source, outcome = "audiences", "'sent'"
    else:
        return None
    found = db.rows(f"select channel, {outcome} as outcome, count(*) as n from {source} group by all order by 1, 2")
    by_outcome: Counter[str] = Counter()
    by_channel: dict[str, Counter[str]] = {}
    for row in found:
        channel = words.clean(row["channel"]) if row["channel"] is not None else "no channel"
        by_outcome[row["outcome"]] += row["n"]
        by_channel.setdefault(channel, Counter())[row["outcome"]] += row["n"]
    known = [outcome for outcome in words.DECISIONS if by_outcome[outcome] or outcome == "sent"]
    outcomes = [*known, *sorted(set(by_outcome) - set(known))]
    days = db.rows("select max(send_on) as day from audiences")[0]["day"] if db.has("audiences", "send_on") else None

    def cells(counts: Counter[str]) -> list[str]:
        return [words.count(counts[outcome]) for outcome in outcomes]

    ordered = sorted(by_channel.items(), key=lambda item: (-item[1]["sent"], -item[1].total(), item[0]))
    return {
        "send_on": words.day(days) if days else None,
        "sent": words.counted(by_outcome["sent"], "send"),
        "is_none_sent": not by_outcome["sent"],
        "total": words.count(by_outcome.total()),
        "has_drops": source == "audience_decisions",
        "outcomes": [words.clean(outcome) for outcome in outcomes],
        "meanings": [(outcome, words.DECISIONS[outcome]) for outcome in outcomes if outcome in words.DECISIONS],
        "rows": [(channel, words.count(counts.total()), cells(counts)) for channel, counts in ordered],
        "all": cells(by_outcome),
    }
