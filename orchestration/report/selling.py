"""What the report says about selling: what is bought together, what is missing, next offers, whom to contact.

Belongs here: published rows in, plain values for the template out.
Does not belong here: HTML, and what concerns one scheme (accounts.py, tangible.py).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
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
# Below a tenth more than expected, a pair is beyond chance but of no use; below a half more, what is bought often with
# everything (milk, bread) fills a list that is ordered by the number of baskets.
WEAKEST_LIFT = 1.1
WEAKEST_LARGE_LIFT = 1.5
# Above two thirds of what sizes lead to expect, a pair is beyond chance and yet no choice between the two.
WEAKEST_SUBSTITUTE = 0.67
# In the order of use to a marketer: frosting and cake mix are subcategories of one category. Products go by ids, which
# nobody reads: only where nothing else is known.
LEVELS = ("subcategory", "category", "department", "product")
PLURALS = {"category": "categories", "product": "products", "subcategory": "subcategories", "department": "departments"}
MOST_OFFERS = 10
MOST_GAPS = 10

AFFINITY_COLUMNS = (
    "item_level",
    "window",
    "antecedent",
    "consequent",
    "n_antecedent",
    "n_consequent",
    "n_both",
    "confidence",
    "size_adjusted_lift",
    "q_value",
)


@dataclass(frozen=True)
class PairList:
    """A list of pairs: what it is, the rows that may stand in it, and their order, in columns of product_affinities.

    `count` is what the bars are held against; `shape` chooses the sentence in the template; `most` sentences are shown.
    """

    title: str
    lead: str
    shape: str
    condition: str
    order: str
    count: str = "n_both"
    most: int = 10


BEYOND_CHANCE = f"q_value < {SIGNIFICANCE} and adjusted_lift >= {WEAKEST_LIFT}"
# The surer direction of a basket's pair, the more frequent order of a pair in time.
DIRECTIONS = {True: "confidence", False: "n_both"}
IN_BASKET = (
    PairList(
        "{items} bought in one basket",
        "The strongest ties first. Only pairs beyond chance, seen in at least {bar}.",
        "together",
        BEYOND_CHANCE,
        "adjusted_lift desc, n_both desc",
        most=MOST_PAIRS,
    ),
    PairList(
        "{items} whose ties make most baskets",
        f"Those with most baskets beyond what basket size and season alone would lead to expect come first, from "
        f"{WEAKEST_LARGE_LIFT} times as many on.",
        "together",
        f"q_value < {SIGNIFICANCE} and adjusted_lift >= {WEAKEST_LARGE_LIFT}",
        "n_both - n_both / adjusted_lift desc, n_both desc",
    ),
    PairList(
        "{items} bought instead of each other",
        "Substitutes: who buys one leaves the other. The rarest meetings first, where basket size and season alone "
        "would lead to expect at least {bar}.",
        "instead",
        f"relation = 'substitute' and adjusted_lift > 0 and adjusted_lift <= {WEAKEST_SUBSTITUTE}",
        "adjusted_lift, n_both desc",
        "n_both / adjusted_lift",
    ),
)
IN_TIME = (
    PairList(
        "{items} of which one leads to the other, within {days}",
        "Customers who bought them in this order are clearly more than those who did it the other way round; the "
        "clearest order first. Seasons that follow each other show here too, and among thousands of pairs the last "
        "ones may be chance.",
        "leads",
        "relation = 'leads'",
        "(n_both - n_reverse) / sqrt(n_both + n_reverse) desc, n_both desc",
    ),
    PairList(
        "{items} bought one after the other, within {days}",
        "The strongest ties first, in their more frequent order, which may be chance where the two orders are close. "
        "Only pairs beyond chance, bought so by at least {bar}.",
        "after",
        BEYOND_CHANCE,
        "adjusted_lift desc, n_both desc",
        most=MOST_PAIRS,
    ),
)


def affinities(db: Published) -> list[Context] | None:
    """Lists of sentences of each level and window that is in the file; null where it has no affinities.

    Each unordered pair is told once a list, with what it says in both directions: in a basket first the direction in
    which it is surer, in time the more frequent order.
    """
    if not db.has("product_affinities", *AFFINITY_COLUMNS):
        return None
    kinds = db.rows('select distinct item_level, "window" from product_affinities order by 1, 2')
    named = {kind["item_level"] for kind in kinds} - {"product"}
    levels = {level: rank for rank, level in enumerate(LEVELS)}
    shown = [kind for kind in kinds if kind["item_level"] != "product" or not named]
    shown.sort(
        key=lambda kind: (
            kind["window"] != "basket",
            kind["window"],
            levels.get(kind["item_level"], len(LEVELS)),
            kind["item_level"],
        )
    )
    # Files of before relations, orders in time and seasons lack their columns. In time, where customers are counted,
    # there is no season.
    optional = {
        "season_adjusted_lift": "double",
        "relation": "varchar",
        "n_reverse": "bigint",
    }
    more = ", ".join(
        name if db.has("product_affinities", name) else f"cast(null as {kind}) as {name}"
        for name, kind in optional.items()
    )
    found = [
        _affinity_list(db, kind["item_level"], kind["window"], pairs, more)
        for kind in shown
        for pairs in (IN_BASKET if kind["window"] == "basket" else IN_TIME)
    ]
    return [pairs for pairs in found if pairs["sentences"]]


def _affinity_list(db: Published, level: str, window: str, pairs: PairList, more: str) -> Context:
    in_basket = window == "basket"
    rows: list[Row] = []
    bar = BARS[-1]
    for bar in BARS:
        rows = _not_too_often(
            db.rows(
                f"""
                with rules as (
                    select antecedent, consequent, n_antecedent, n_consequent, n_both, confidence,
                        size_adjusted_lift, q_value, {more}
                    from product_affinities
                    where item_level = ? and "window" = ?
                ),
                adjusted_rules as (
                    select *, coalesce(season_adjusted_lift, size_adjusted_lift) as adjusted_lift
                    from rules
                )
                select *
                from adjusted_rules
                where {pairs.condition} and {pairs.count} >= ?
                qualify row_number() over (
                    partition by least(antecedent, consequent), greatest(antecedent, consequent)
                    order by {DIRECTIONS[in_basket]} desc, antecedent
                ) = 1
                order by {pairs.order}, antecedent, consequent
                limit ?
                """,
                (level, window, bar, 20 * MOST_PAIRS),
            ),
            pairs.most,
        )
        if len(rows) >= ENOUGH_PAIRS:
            break
    unit = "basket" if in_basket else "customer"
    days = words.clean(window.replace("_", " "))
    names = {"items": PLURALS.get(level, level).capitalize(), "days": days, "bar": words.counted(bar, unit)}
    return {
        "title": pairs.title.format(**names),
        "lead": pairs.lead.format(**names),
        "shape": pairs.shape,
        "within": days,
        "sentences": [_pair_sentence(row, unit) for row in rows],
    }


def _pair_sentence(row: Row, unit: str) -> Context:
    return {
        "antecedent": words.clean(row["antecedent"]),
        "consequent": words.clean(row["consequent"]),
        "times": words.times(row["adjusted_lift"]),
        "part": words.share(row["adjusted_lift"]),
        "expected": words.count(row["n_both"] / row["adjusted_lift"]),
        "n_both": words.counted(row["n_both"], unit),
        "confidence": words.share(row["confidence"]),
        "n_antecedent": words.counted(row["n_antecedent"], unit),
        "other_confidence": words.share(row["n_both"] / row["n_consequent"]),
        "n_consequent": words.counted(row["n_consequent"], unit),
        "n_reverse": None if row["n_reverse"] is None else words.count(row["n_reverse"]),
        "is_either_order": row["relation"] == "either order",
    }


def _not_too_often(rows: list[Row], most: int) -> list[Row]:
    """The first pairs, `most` at most, without those of which one item was named often enough before."""
    mentions: Counter[str] = Counter()
    kept: list[Row] = []
    for row in rows:
        items = (row["antecedent"], row["consequent"])
        if len(kept) < most and all(mentions[item] < MOST_MENTIONS for item in items):
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


def offer_level(db: Published) -> str | None:
    """Why offers and gaps are not made on the level wanted, as a sentence; null where they are."""
    if not db.has("offer_level", "item_level", "level_wanted", "items_wanted"):
        return None
    rows = db.rows("select item_level, level_wanted, items_wanted from offer_level where item_level <> level_wanted")
    if not rows:
        return None
    row = rows[0]
    level, wanted, known = row["item_level"], row["level_wanted"], row["items_wanted"]
    what = words.counted(known, wanted, PLURALS.get(wanted)) if known else f"no {wanted}"
    return (
        f"Offers and gaps are made of {PLURALS.get(level, level)}, because {'only ' if known else ''}{what} of what "
        f"was sold {'is' if known in (0, 1) else 'are'} known."
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
