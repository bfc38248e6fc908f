"""What to sell to whom: what is bought together, in which order, instead of each other; gaps by money; offers; sends.

Belongs here: published rows in, blocks out. Nothing about a single customer.
Does not belong here: what concerns one scheme (schemes.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from markupsafe import Markup

from orchestration.accountability.inputs import SIGNIFICANCE
from orchestration.report import words
from orchestration.report.blocks import Block, Cell, Column, Fold, Page, Part, Prose, Table
from orchestration.report.figures import cut
from orchestration.report.languages import C_, N_, Foreign, joined, many, say, term
from orchestration.report.pages import common
from orchestration.report.published import Row
from orchestration.report.shop import Scheme, Shop

# Pairs named in one table, and how few times bought together still mean something: the first bar that leaves enough.
# 300: chance moves such a count by a seventeenth, 100 by a tenth, below 30 by a fifth and more: a handful of
# households can make a pair.
MOST_PAIRS = 30
ENOUGH_PAIRS = 10
BARS = (300, 100, 30, 10, 1)
# Rows in which one item may stand: else one family of products (baby food, say) fills the table.
MOST_MENTIONS = 2
# Below a tenth more than expected, a pair is beyond chance but of no use; below a half more, what is bought often with
# everything (milk, bread) fills a list that is ordered by the number of baskets.
WEAKEST_LIFT = 1.1
WEAKEST_LARGE_LIFT = 1.5
# Above two thirds of what sizes lead to expect, a pair is beyond chance and yet no choice between the two.
WEAKEST_SUBSTITUTE = 0.67
# In the order of use to a marketer: frosting and cake mix are subcategories of one category. Products go by ids, which
# nobody reads: only where nothing else is known.
LEVELS = ("subcategory", "category", "department", "product")
PLURALS = {
    "category": C_("items", "categories"),
    "product": C_("items", "products"),
    "subcategory": C_("items", "subcategories"),
    "department": C_("items", "departments"),
}
LEVEL_NAMES = {
    "category": C_("level", "category"),
    "product": C_("level", "product"),
    "subcategory": C_("level", "subcategory"),
    "department": C_("level", "department"),
}
MOST_OFFERS = 30
# Letters of an item in a table, and on the front page.
WHOLE = 45
LETTERS = 22
MOST_GAPS = 30
# Items of the matrix: as many as fit a screen.
MATRIX_ITEMS = 12
# A half: where fewer of those who regularly buy the first ever buy the second, what they have at home decides (a dog
# beside the cat), and no offer. Above two thirds few pairs are left; below a third pet food goes with detergent.
LIKELY = 0.5
# Schemes with a table of what to sell to each segment, and offers and pairs kept of each segment.
MOST_SCHEMES = 6
MOST_OFFERS_OF_A_SEGMENT = 2
# Of which the table tells two, and the front page one that no segment above it has.
PAIRS_KEPT = 8

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
    """A table of pairs: what it is, the rows that may stand in it, and their order, in columns of product_affinities.

    `count` is what the bars are held against; `shape` chooses the columns; `most` rows are shown.
    """

    title: str
    lead: str
    shape: str
    condition: str
    order: str
    count: str = "n_both"
    most: int = MOST_PAIRS


BEYOND_CHANCE = f"q_value < {SIGNIFICANCE} and adjusted_lift >= {WEAKEST_LIFT}"
# The surer direction of a basket's pair, the more frequent order of a pair in time.
DIRECTIONS = {True: "confidence", False: "n_both"}
TOGETHER = PairList(
    N_("{items} bought in one basket"),
    N_(
        "The strongest ties first: how many times as often as the size of baskets and the season alone would bring "
        "about. Only pairs beyond chance, seen in at least {bar}."
    ),
    "together",
    BEYOND_CHANCE,
    "adjusted_lift desc, n_both desc",
)
LARGEST = PairList(
    N_("{items} whose ties make most baskets"),
    N_(
        "Those with most baskets beyond what size and season alone would bring about come first, from {least} times as "
        "many on."
    ),
    "together",
    f"q_value < {SIGNIFICANCE} and adjusted_lift >= {WEAKEST_LARGE_LIFT}",
    "n_both - n_both / adjusted_lift desc, n_both desc",
    most=15,
)
INSTEAD = PairList(
    N_("{items} bought instead of each other"),
    N_(
        "Who buys one leaves the other: never offer one as a complement of the other. The rarest meetings first, where "
        "size and season alone would bring about at least {bar}."
    ),
    "instead",
    f"relation = 'substitute' and adjusted_lift > 0 and adjusted_lift <= {WEAKEST_SUBSTITUTE}",
    "adjusted_lift, n_both desc",
    "n_both / adjusted_lift",
    15,
)
LEADS = PairList(
    N_("{items} of which one leads to the other, within {days}"),
    N_(
        "Customers who bought them in this order are clearly more than those who did it the other way round; the "
        "clearest order first. Seasons that follow each other show here too, and among thousands of pairs the last "
        "ones may be chance."
    ),
    "leads",
    "relation = 'leads'",
    "(n_both - n_reverse) / sqrt(n_both + n_reverse) desc, n_both desc",
    most=15,
)
AFTER = PairList(
    N_("{items} bought one after the other, within {days}"),
    N_(
        "The strongest ties first, in their more frequent order, which may be chance where the two orders are close. "
        "Only pairs beyond chance, bought so by at least {bar}."
    ),
    "after",
    BEYOND_CHANCE,
    "adjusted_lift desc, n_both desc",
    most=15,
)
IN_BASKET, IN_TIME = (TOGETHER, LARGEST, INSTEAD), (LEADS, AFTER)


def pages(shop: Shop) -> list[Page]:
    """Money first: by segment, gaps, offers; then what goes with what; then whom to contact."""
    parts: list[tuple[str, str, list[Block]]] = [
        ("by-segment", say("What to sell to which segment"), by_segment(shop)),
        ("gaps", say("Bought without what goes with it"), gaps(shop)),
        ("offers", say("Next best offers"), offers(shop)),
        ("affinity-matrix", say("What goes with what"), matrix(shop)),
        ("affinities", say("What is bought together, in which order, and instead of what"), affinities(shop)),
        ("audiences", say("Whom to contact, and whom not"), audiences(shop)),
    ]
    blocks: list[Block] = [Part(heading, found, anchor) for anchor, heading, found in parts if found]
    poor = offer_level(shop)
    if poor:
        blocks.insert(0, Prose(poor, "warn"))
    return [Page("selling", say("Selling"), say("What to sell to whom?"), blocks)]


# What goes with what


def _kinds(shop: Shop) -> list[Row]:
    """Levels and windows in the order of use; products only where nothing else is known."""
    kinds = shop.db.rows('select distinct item_level, "window" from product_affinities order by 1, 2')
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
    return shown


def _optional(shop: Shop) -> str:
    """Files of before relations, orders in time and seasons lack their columns. In time, there is no season."""
    optional = {"season_adjusted_lift": "double", "relation": "varchar", "n_reverse": "bigint"}
    return ", ".join(
        name if shop.db.has("product_affinities", name) else f"cast(null as {kind}) as {name}"
        for name, kind in optional.items()
    )


def affinities(shop: Shop) -> list[Block]:
    """Tables of each level and window that is in the file, folded but for the first.

    Each unordered pair is told once a table, with what it says in both directions: in a basket first the direction in
    which it is surer, in time the more frequent order.
    """
    if not shop.db.has("product_affinities", *AFFINITY_COLUMNS):
        return [Prose(say("This file holds no affinities."), "note")]
    found = []
    for kind in _kinds(shop):
        for pairs in IN_BASKET if kind["window"] == "basket" else IN_TIME:
            title, blocks = _pair_table(shop, kind["item_level"], kind["window"], pairs)
            if blocks:
                found.append((title, blocks))
    if not found:
        return [Prose(say("No two items are bought together beyond chance."), "note")]
    first, *others = found
    return [*first[1], *(Fold(title, blocks) for title, blocks in others)]


def _pair_rows(shop: Shop, level: str, window: str, pairs: PairList) -> tuple[list[Row], int]:
    in_basket = window == "basket"
    rows: list[Row] = []
    bar = BARS[-1]
    for bar in BARS:
        rows = _not_too_often(
            shop.db.rows(
                f"""
                with rules as (
                    select antecedent, consequent, n_antecedent, n_consequent, n_both, confidence,
                        size_adjusted_lift, q_value, {_optional(shop)}
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
    return rows, bar


def _pair_table(shop: Shop, level: str, window: str, pairs: PairList) -> tuple[str, list[Block]]:
    rows, bar = _pair_rows(shop, level, window, pairs)
    unit = "basket" if window == "basket" else "customer"
    if unit == "customer":
        rows = [row for row in rows if not shop.is_few(row["n_both"])]
    days = window_name(window)
    names = {
        "items": words.capital(plural(level)),
        "days": days,
        "bar": many("{n} basket", "{n} baskets", bar)
        if unit == "basket"
        else many("{n} customer", "{n} customers", bar),
        "least": words.decimals(WEAKEST_LARGE_LIFT, 1),
    }
    title = say(pairs.title, **names)
    if not rows:
        return title, []

    def item(row: Row, side: str) -> Cell:
        name = shop.item(level, row[side])
        return common.label(name, title=words.clean(row[side]))

    with_both = say("Baskets with both") if unit == "basket" else say("Customers with both")
    if pairs.shape == "instead":
        columns = [
            Column(say("Who buys")),
            Column(say("seldom buys")),
            Column(with_both, True),
            Column(say("Expected"), True),
        ]
        cells = [
            [
                item(row, "antecedent"),
                item(row, "consequent"),
                common.members(shop, row["n_both"]),
                common.number(row["n_both"] / row["adjusted_lift"]),
            ]
            for row in rows
        ]
    elif pairs.shape == "together":
        columns = [
            Column(say("Who buys")),
            Column(say("buys too")),
            Column(say("Times as often"), True),
            Column(with_both, True),
            Column(say("Of those with the first"), True),
            Column(say("The other way round"), True, minor=True),
        ]
        cells = [
            [
                item(row, "antecedent"),
                item(row, "consequent"),
                common.number(row["adjusted_lift"], words.times_short(row["adjusted_lift"])),
                common.members(shop, row["n_both"]),
                common.share(row["confidence"], bar=True),
                common.share(row["n_both"] / row["n_consequent"]),
            ]
            for row in rows
        ]
    else:
        columns = [
            Column(say("First")),
            Column(say("then, within {days}", days=days)),
            Column(say("Customers"), True),
            Column(say("Of those with the first"), True),
            Column(say("The other way round"), True, term("unit of a column", C_("unit of a column", "customers"))),
            *([Column(say("Times as often"), True)] if pairs.shape == "after" else []),
        ]
        cells = [
            [
                item(row, "antecedent"),
                item(row, "consequent"),
                common.members(shop, row["n_both"]),
                common.share(row["confidence"], bar=True),
                Cell(
                    shop.members(row["n_reverse"]) if row["n_reverse"] is not None else words.NOTHING,
                    sort=float(row["n_reverse"] or 0),
                    note=say("no clear order") if row["relation"] == "either order" else "",
                    css="n",
                ),
                *(
                    [common.number(row["adjusted_lift"], words.times_short(row["adjusted_lift"]))]
                    if pairs.shape == "after"
                    else []
                ),
            ]
            for row in rows
        ]
    return title, [Prose(say(pairs.lead, **names), "quiet"), Table(title, columns, cells)]


def plural(level: str) -> str:
    """Items of a level: categories."""
    return term("items", PLURALS[level]) if level in PLURALS else Foreign(level, "en")


def window_name(window: str) -> str:
    """30_days -> 30 days"""
    days = window.removesuffix("_days")
    return many("{n} day", "{n} days", int(days)) if days.isdigit() else words.published(window.replace("_", " "))


def _not_too_often(rows: Sequence[Row], most: int) -> list[Row]:
    """The first pairs, `most` at most, without those of which one item was named often enough before."""
    mentions: Counter[str] = Counter()
    kept: list[Row] = []
    for row in rows:
        items = (row["antecedent"], row["consequent"])
        if len(kept) < most and all(mentions[item] < MOST_MENTIONS for item in items):
            mentions.update(items)
            kept.append(row)
    return kept


# How many times as often as expected, from which on a cell of the matrix has which colour.
TIE_SHADES = ((WEAKEST_SUBSTITUTE, "down2"), (0.9, "down1"), (1.1, ""), (1.5, "up1"))


def matrix(shop: Shop) -> list[Block]:
    """The items with most baskets beyond the expected, each with each. Departments where categories are none."""
    if not shop.db.has("product_affinities", *AFFINITY_COLUMNS):
        return []
    levels = {kind["item_level"] for kind in _kinds(shop) if kind["window"] == "basket"}
    level = next((name for name in ("category", "department", "subcategory", "product") if name in levels), None)
    if level is None:
        return []
    rows = shop.db.rows(
        f"""
        with rules as (
            select antecedent, consequent, n_both, q_value, size_adjusted_lift, {_optional(shop)}
            from product_affinities
            where item_level = ? and "window" = 'basket' and size_adjusted_lift > 0
        ),
        adjusted_rules as (
            select *, coalesce(season_adjusted_lift, size_adjusted_lift) as adjusted_lift from rules
        ),
        items as (
            select antecedent as item, sum(greatest(0, n_both - n_both / nullif(adjusted_lift, 0))) as beyond
            from adjusted_rules
            where q_value < {SIGNIFICANCE}
            group by antecedent
            order by beyond desc, item
            limit {MATRIX_ITEMS}
        )
        select antecedent, consequent, n_both, q_value, adjusted_lift, relation
        from adjusted_rules
        where antecedent in (select item from items) and consequent in (select item from items)
        order by antecedent, consequent
        """,
        (level,),
    )
    cells = {(row["antecedent"], row["consequent"]): row for row in rows}
    names = sorted({row["antecedent"] for row in rows})
    if len(names) < 3:
        return []

    def cell(a: str, b: str) -> Cell:
        row = cells.get((a, b))
        if a == b:
            return Cell("", css="blank")
        if row is None:
            return Cell(words.NOTHING, css="m")
        found = row["adjusted_lift"]
        is_sure = (row["q_value"] is not None and row["q_value"] < SIGNIFICANCE) or row["relation"] == "substitute"
        css = next((css for bound, css in TIE_SHADES if found < bound), "up2") if is_sure or found < 1 else ""
        return Cell(words.decimals(found, 1), sort=float(found), css=f"m {css}")

    return [
        Prose(
            say(
                "How many times as often as size and season alone would bring about: {up2} half more and above, {up1} "
                "a tenth more, {down1} less often, {down2} instead of each other. The {number} {items} with most "
                "baskets beyond the expected.",
                **{css: Markup('<span class="key {}"></span>').format(css) for css in ("up2", "up1", "down1", "down2")},
                number=len(names),
                items=plural(level),
            ),
            "quiet",
        ),
        Table(
            say("Matrix of affinities"),
            [
                Column(say("In one basket")),
                *(
                    Column(Markup('<abbr title="{}">{}</abbr>').format(shop.item(level, name), place))
                    for place, name in enumerate(names, 1)
                ),
            ],
            [
                [common.label(joined(" ", [f"{place}.", shop.item(level, a)])), *(cell(a, b) for b in names)]
                for place, a in enumerate(names, 1)
            ],
            css="matrix",
            sortable=False,
        ),
    ]


# Gaps and offers

GAP_COLUMNS = (
    "customer_id",
    "item_level",
    "because_item",
    "gap_item",
    "peers",
    "peers_with_gap_item",
    "expected_value",
)


def offer_level(shop: Shop) -> str | None:
    """Why offers and gaps are not made on the level wanted, as a sentence; null where they are."""
    if not shop.db.has("offer_level", "item_level", "level_wanted", "items_wanted"):
        return None
    rows = shop.db.rows(
        "select item_level, level_wanted, items_wanted from offer_level where item_level <> level_wanted"
    )
    if not rows:
        return None
    row = rows[0]
    level, wanted, known = row["item_level"], row["level_wanted"], row["items_wanted"]
    counted = {
        "category": many("{n} category", "{n} categories", known),
        "subcategory": many("{n} subcategory", "{n} subcategories", known),
        "product": many("{n} product", "{n} products", known),
        "department": many("{n} department", "{n} departments", known),
    }.get(wanted, joined(" ", [words.count(known), Foreign(wanted, "en")]))
    if not known:
        return say(
            "Offers and gaps are made of {items}, because no {wanted} of what was sold is known.",
            items=plural(level),
            wanted=term("level", LEVEL_NAMES[wanted]) if wanted in LEVEL_NAMES else Foreign(wanted, "en"),
        )
    return many(
        "Offers and gaps are made of {items}, because only {known} of what was sold is known.",
        "Offers and gaps are made of {items}, because only {known} of what was sold are known.",
        known,
        items=plural(level),
        known=counted,
    )


def gap_rows(shop: Shop) -> list[Row]:
    """Pairs of what is bought and what goes with it and never is: customers and money, most money first."""
    if not shop.db.has("cross_sell_gaps", *GAP_COLUMNS):
        return []
    rows = shop.db.rows(
        f"""
        select item_level, because_item, gap_item, count(distinct customer_id) as customers,
            sum(expected_value) as worth, max(peers) as peers, max(peers_with_gap_item) as peers_with,
            {_lift(shop)} as lift
        from cross_sell_gaps
        group by item_level, because_item, gap_item
        order by worth desc nulls last, because_item, gap_item, item_level
        """
    )
    return [row for row in rows if not shop.is_few(row["customers"])]


def is_likely(row: Row) -> bool:
    """Whether most regular buyers of the first item buy the second too: then who does not is worth asking."""
    return bool(row["peers"]) and row["peers_with"] >= LIKELY * row["peers"]


def pull(row: Row) -> float:
    """By what a pair is put first: its money, as far as it is beyond what baskets alone would bring about, and as far
    as like buyers buy both."""
    lift, peers = row.get("lift"), row["peers"]
    beyond = max(0.0, 1 - 1 / lift) if lift else 1.0
    return float(row["worth"] or 0) * beyond * (row["peers_with"] / peers if peers else 0.0)


def best_gap(rows: Sequence[Row]) -> Row:
    """The pair that is told where one is; likely ones first."""
    return max(rows, key=lambda row: (is_likely(row), pull(row)))


def gap_totals(shop: Shop) -> Row:
    """All gaps, those of pairs with few customers too: how many, of how many customers, worth how much."""
    return shop.db.rows(
        "select count(*) as gaps, count(distinct customer_id) as customers, sum(expected_value) as worth from "
        "cross_sell_gaps"
    )[0]


def gaps(shop: Shop) -> list[Block]:
    """What regular buyers of an item never buy, worth most first; nothing without the table."""
    if not shop.db.has("cross_sell_gaps", *GAP_COLUMNS):
        return []
    totals = gap_totals(shop)
    rows = gap_rows(shop)
    if not totals["gaps"]:
        return [Prose(say("No regular buyer of an item lacks its complement."), "note")]
    if not rows:
        return [
            Prose(
                many(
                    "Each gap is one of fewer than {n} customer: too few to tell.",
                    "Each gap is one of fewer than {n} customers: too few to tell.",
                    shop.least,
                ),
                "note",
            )
        ]
    withheld = totals["gaps"] - sum(row["customers"] for row in rows)
    more = [
        many(
            "{n} more pair in the table {table}.",
            "{n} more pairs in the table {table}.",
            len(rows) - MOST_GAPS,
            table=words.table("cross_sell_gaps"),
        )
        if len(rows) > MOST_GAPS
        else "",
        many(
            "Pairs of fewer than {n} customer are left out.",
            "Pairs of fewer than {n} customers are left out.",
            shop.least,
        )
        if withheld
        else "",
    ]
    return [
        Prose(
            many(
                "{n} customer regularly buy one item and never what goes with it: together worth up to {worth} "
                "{a_year}. A gap is worth what regular buyers of the first item spend on the second, in proportion to "
                "the customer's spend.",
                "{n} customers regularly buy one item and never what goes with it: together worth up to {worth} "
                "{a_year}. A gap is worth what regular buyers of the first item spend on the second, in proportion to "
                "the customer's spend.",
                totals["customers"],
                worth=shop.money(totals["worth"]),
                a_year=shop.a_window,
            )
        ),
        *_gap_tables(shop, rows, joined(" ", (line for line in more if line))),
    ]


def _gap_tables(shop: Shop, rows: Sequence[Row], more: str) -> list[Block]:
    """The pairs that most like buyers buy; folded those that go by what somebody has at home."""
    likely, others = [row for row in rows if is_likely(row)], [row for row in rows if not is_likely(row)]
    if not likely:
        return [_gap_table(shop, say("Gaps by money"), rows, more)]
    found: list[Block] = [_gap_table(shop, say("Gaps by money"), likely, "" if others else more)]
    if others:
        lead = say(
            "Fewer than half of those who regularly buy the first ever buy the second: only for whom it concerns, such "
            "as dog food for those who keep a dog beside the cat."
        )
        table = _gap_table(shop, say("Gaps of some customers"), others, more)
        found.append(Fold(say("Pairs that concern some customers only"), [Prose(lead, "quiet"), table]))
    return found


def _gap_table(shop: Shop, title: str, rows: Sequence[Row], more: str) -> Table:
    return Table(
        title,
        [
            Column(say("They buy")),
            Column(say("and never")),
            Column(say("Customers"), True),
            Column(
                shop.in_currency(say("Worth up to, {a_year}", a_year=shop.a_window)),
                True,
                brief=shop.in_currency(say("Worth")),
            ),
            Column(say("Of like buyers, buy both"), True, minor=True),
        ],
        [
            [
                common.label(shop.item(row["item_level"], row["because_item"]), title=words.clean(row["because_item"])),
                common.label(shop.item(row["item_level"], row["gap_item"]), title=words.clean(row["gap_item"])),
                common.number(row["customers"]),
                common.money(row["worth"]),
                common.share(
                    row["peers_with"] / row["peers"] if row["peers"] and not shop.is_few(row["peers_with"]) else None
                ),
            ]
            for row in rows[:MOST_GAPS]
        ],
        more=more,
    )


# What to sell to which segment


@dataclass(frozen=True)
class Sold:
    """What to sell to one segment: customers with a gap, the sum of their gaps, the pairs with most pull, and the items
    that are offered to its members more often than to everybody."""

    segment: str
    customers: int
    worth: float
    pairs: Sequence[Row]
    offers: Sequence[Row]


def _lift(shop: Shop) -> str:
    """Files of before the adjusted lift lack its column."""
    return "max(size_adjusted_lift)" if shop.db.has("cross_sell_gaps", "size_adjusted_lift") else "cast(null as double)"


def _by_segment(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["segment"], []).append(row)
    return found


def sold(shop: Shop, scheme: Scheme) -> list[Sold]:
    """The segments shown of a scheme that something can be sold to, most money first."""
    db = shop.db
    if not db.has("customer_segments", "scheme", "member_id", "segment"):
        return []
    members = "(select member_id, segment from customer_segments where scheme = ?) as members"
    totals: dict[str, Row] = {}
    pairs: dict[str, list[Row]] = {}
    offered: dict[str, list[Row]] = {}
    if db.has("cross_sell_gaps", *GAP_COLUMNS):
        source = f"from cross_sell_gaps inner join {members} on members.member_id = cross_sell_gaps.customer_id"
        totals = {
            row["segment"]: row
            for row in db.rows(
                "select segment, count(distinct customer_id) as customers, sum(expected_value) as worth "
                f"{source} group by segment order by segment",
                (scheme.name,),
            )
        }
        pairs = _by_segment(
            db.rows(
                f"""
                -- A customer has one row an item that is missing: rows are customers.
                select segment, item_level, because_item, gap_item, count(*) as customers,
                    sum(expected_value) as worth, max(peers) as peers, max(peers_with_gap_item) as peers_with,
                    {_lift(shop)} as lift
                {source}
                group by segment, item_level, because_item, gap_item
                having count(*) >= ?
                order by segment, item_level, because_item, gap_item
                """,
                (scheme.name, shop.least),
            )
        )
    if db.has("next_best_offers", *OFFER_COLUMNS):
        offered = _by_segment(
            db.rows(
                f"""
                with counts as (
                    select segment, item_level, item, count(*) as customers
                    from next_best_offers
                    inner join {members} on members.member_id = next_best_offers.customer_id
                    group by segment, item_level, item
                ),
                expected as (
                    select *, sum(customers) over (partition by segment)
                        * sum(customers) over (partition by item_level, item)
                        / sum(customers) over () as expected
                    from counts
                )
                select segment, item_level, item, customers, expected
                from expected
                where customers >= ? and customers > expected
                qualify row_number() over (partition by segment order by customers - expected desc, item) <= ?
                order by segment, customers - expected desc, item
                """,
                (scheme.name, shop.least, MOST_OFFERS_OF_A_SEGMENT),
            )
        )
    found = []
    for name in scheme.segments.names:
        total = totals.get(name, {})
        firsts = sorted((row for row in pairs.get(name, []) if is_likely(row)), key=pull, reverse=True)
        one = Sold(
            name,
            total.get("customers") or 0,
            float(total.get("worth") or 0),
            firsts[:PAIRS_KEPT],
            offered.get(name, []),
        )
        is_told = not shop.is_few((scheme.segments.by_name[name] or {}).get("members"))
        if is_told and (one.pairs or one.offers):
            found.append(one)
    return sorted(found, key=lambda one: (-one.worth, one.segment))


def sellable(shop: Shop) -> Iterator[tuple[Scheme, list[Sold]]]:
    """Schemes of which two segments and more have something to be sold, those with the best verdict first."""
    if not (shop.db.has("cross_sell_gaps", *GAP_COLUMNS) or shop.db.has("next_best_offers", *OFFER_COLUMNS)):
        return
    for scheme in shop.schemes:
        found = sold(shop, scheme)
        if len(found) > 1:
            yield scheme, found


def _offers_cell(shop: Shop, one: Sold, letters: int = WHOLE) -> Cell:
    """Items with how many customers each is offered to."""
    return Cell(
        joined(
            ", ",
            [
                say(
                    "{item} ({n})",
                    item=cut(shop.item(row["item_level"], row["item"]), letters),
                    n=words.count(row["customers"]),
                )
                for row in one.offers
            ],
        )
        or words.NOTHING,
        sort=float(one.offers[0]["customers"]) if one.offers else 0.0,
    )


def _pair_said(shop: Shop, row: Row, letters: int = WHOLE) -> str:
    a, b = (shop.item(row["item_level"], row[side]) for side in ("because_item", "gap_item"))
    return many(
        "{b}, to {n} who buys {a}",
        "{b}, to {n} who buy {a}",
        row["customers"],
        a=cut(a, letters),
        b=cut(b, letters),
    )


def sold_table(shop: Shop, scheme: Scheme, found: Sequence[Sold]) -> Table:
    has_money = any(one.worth for one in found)
    return Table(
        say("What to sell to the segments of {scheme}", scheme=scheme.title),
        [
            Column(say("Segment")),
            Column(say("Offer more than to others"), note=say("customers it is offered to")),
            Column(say("What goes with what they buy")),
            *(
                [
                    Column(say("Customers with a gap"), True, minor=True),
                    Column(shop.in_currency(say("All their gaps, worth up to")), True, shop.a_window),
                ]
                if has_money
                else []
            ),
        ],
        [
            [
                common.label(scheme.segments.label(one.segment)),
                _offers_cell(shop, one),
                Cell(
                    _pair_said(shop, one.pairs[0]) if one.pairs else words.NOTHING,
                    css="long",
                    note=_pair_said(shop, one.pairs[1]) if len(one.pairs) > 1 else "",
                ),
                *([common.members(shop, one.customers), common.money(one.worth)] if has_money else []),
            ]
            for one in found
        ],
        more=common.largest(len(found)) if scheme.segments.cut else "",
        paper_rows=len(found),
    )


def by_segment(shop: Shop) -> list[Block]:
    """A table of the scheme with the best verdict, others folded."""
    blocks: list[Block] = []
    for scheme, found in islice(sellable(shop), MOST_SCHEMES):
        table = sold_table(shop, scheme, found)
        if blocks:
            blocks.append(Fold(say("By {scheme}", scheme=scheme.title), [table]))
            continue
        blocks = [
            Prose(
                say(
                    "By {scheme}. First what is offered to the segment more often than to everybody; then what its "
                    "customers never buy, though they regularly buy what it goes with, and most like them buy both.",
                    scheme=common.link(scheme.anchor, scheme.title),
                ),
                "quiet",
            ),
            table,
        ]
    return blocks


def on_the_front_page(shop: Shop, most: int) -> Table | None:
    """The same in a line a segment: one offer, and the pair with most pull. The sums stand on the page of the gaps."""
    first = next(sellable(shop), None)
    if first is None:
        return None
    scheme, found = first
    return Table(
        say("What to sell to whom, by {scheme}", scheme=scheme.title),
        [
            Column(say("Segment")),
            Column(say("Offer (to how many customers)")),
            Column(say("What goes with what they buy"), minor=True),
        ],
        [
            [
                common.label(common.link("by-segment", cut(scheme.segments.label(one.segment), LETTERS))),
                _offers_cell(shop, replace(one, offers=one.offers[:1]), LETTERS),
                Cell(_pair_said(shop, one.pairs[0], LETTERS) if one.pairs else words.NOTHING),
            ]
            for one in found[:most]
        ],
        css="sold",
        sortable=False,
        searchable=False,
    )


OFFER_COLUMNS = ("customer_id", "offer_rank", "item_level", "item", "because_item")


def offers(shop: Shop) -> list[Block]:
    """What is offered first to how many, and because of what most often."""
    if not shop.db.has("next_best_offers", *OFFER_COLUMNS):
        return [Prose(say("This file holds no offers."), "note")]
    totals = shop.db.rows("select count(*) as offers, count(distinct customer_id) as customers from next_best_offers")[
        0
    ]
    if not totals["offers"]:
        return [Prose(say("There are no offers in this refresh."), "note")]
    rows = shop.db.rows(
        """
        with firsts as (
            select item_level, item, because_item, count(*) as customers
            from next_best_offers
            where offer_rank = 1
            group by item_level, item, because_item
        )
        select item_level, item, sum(customers) as customers,
            list(because_item order by customers desc, because_item)
                filter (because_item is not null and customers >= ?) as reasons
        from firsts
        group by item_level, item
        order by customers desc, item
        """,
        (shop.least,),
    )
    told = [row for row in rows if not shop.is_few(row["customers"])]
    lead = (
        many(
            "For {n} customer there are {offers}: things not bought yet that customers who buy alike have bought.",
            "For {n} customers there are {offers}: things not bought yet that customers who buy alike have bought.",
            totals["customers"],
            offers=many("{n} offer", "{n} offers", totals["offers"]),
        )
        if not shop.is_few(totals["customers"])
        else many(
            "There are offers for fewer than {n} customer: too few to tell.",
            "There are offers for fewer than {n} customers: too few to tell.",
            shop.least,
        )
    )
    if not told:
        return [Prose(lead, "note")]
    more = [
        many(
            "{n} more item in the table {table}.",
            "{n} more items in the table {table}.",
            len(told) - MOST_OFFERS,
            table=words.table("next_best_offers"),
        )
        if len(told) > MOST_OFFERS
        else "",
        many(
            "Items for fewer than {n} customer are left out.",
            "Items for fewer than {n} customers are left out.",
            shop.least,
        )
        if len(told) < len(rows)
        else "",
        say("The table {table} says who is offered what, and why.", table=words.table("next_best_offers")),
    ]
    return [
        Prose(lead),
        Table(
            say("Offers by item"),
            [
                Column(say("Offer")),
                Column(say("First for"), True, term("unit of a column", "customers")),
                Column(say("Most often because they buy")),
            ],
            [
                [
                    common.label(shop.item(row["item_level"], row["item"]), title=words.clean(row["item"])),
                    common.number(row["customers"], bar=row["customers"] / told[0]["customers"]),
                    common.text(
                        words.listed(shop.item(row["item_level"], item) for item in (row["reasons"] or [])[:3]) or None
                    ),
                ]
                for row in told[:MOST_OFFERS]
            ],
            more=joined(" ", (line for line in more if line)),
        ),
    ]


# Whom to contact


def audiences(shop: Shop) -> list[Block]:
    """Sends and drops by channel, a column a reason; nothing where the file holds neither.

    Decisions hold both; a file with the sends alone still tells those.
    """
    db = shop.db
    if db.has("audience_decisions", "channel", "outcome"):
        source, outcome = "audience_decisions", "outcome"
    elif db.has("audiences", "channel"):
        source, outcome = "audiences", "'sent'"
    else:
        return []
    found = db.rows(f"select channel, {outcome} as outcome, count(*) as n from {source} group by all order by 1, 2")
    by_outcome: Counter[str] = Counter()
    by_channel: dict[str, Counter[str]] = {}
    for row in found:
        channel = words.clean(row["channel"]) if row["channel"] is not None else C_("channel", "no channel")
        by_outcome[row["outcome"]] += row["n"]
        by_channel.setdefault(channel, Counter())[row["outcome"]] += row["n"]
    known = [name for name in words.DECISIONS if by_outcome[name] or name == "sent"]
    names = [*known, *sorted(set(by_outcome) - set(known))]
    days = db.rows("select max(send_on) as day from audiences")[0]["day"] if db.has("audiences", "send_on") else None
    has_drops = source == "audience_decisions"
    sent = (
        many("fewer than {n} send", "fewer than {n} sends", shop.least)
        if shop.is_few(by_outcome["sent"])
        else many("{n} send", "{n} sends", by_outcome["sent"])
    )
    blocks: list[Block] = [Prose(_sends(sent, by_outcome.total() if has_drops else None, days))]
    if not by_outcome["sent"]:
        told = [say("Nobody is contacted.")]
        if has_drops and found:
            told.append(say("The table says what holds the sends back."))
        blocks.insert(0, Prose(joined(" ", told), "warn"))
    if not found:
        return blocks
    ordered = sorted(by_channel.items(), key=lambda item: (-item[1]["sent"], -item[1].total(), item[0]))
    rows = []
    for channel, counts in ordered:
        parts = [counts[name] for name in names]
        # What is sent is what the table is for: rather than that, the whole is not told.
        withheld = shop.withheld(parts, kept=[names.index("sent")]) if has_drops else set()
        nothing = Cell(say("withheld"), sort="", css="n")
        whole = nothing if shop.is_few(sum(parts[place] for place in withheld)) else common.members(shop, sum(parts))
        rows.append(
            [
                common.label(words.value("channel", channel)),
                *([whole] if has_drops else []),
                *(
                    nothing if place in withheld and not shop.is_few(part) else common.members(shop, part)
                    for place, part in enumerate(parts)
                ),
            ]
        )
    blocks.append(
        Table(
            say("Sends by channel"),
            [
                Column(say("Channel")),
                *([Column(say("Treatments"), True)] if has_drops else []),
                *(Column(words.value("decision", name), True, minor=name != "sent") for name in names),
            ],
            rows,
        )
    )
    meanings = [
        f"{words.capital(term('decision', name))}: {say(words.DECISIONS[name])}."
        for name in names
        if name in words.DECISIONS and name != "sent"
    ]
    if has_drops and meanings:
        blocks.append(Fold(say("What the reasons mean"), [Prose(meaning) for meaning in meanings]))
    return blocks


def _sends(sent: str, total: int | None, day: date | None) -> str:
    """How many sends stand in the audiences, of how many treatments that members have; null where nobody counted."""
    if total is None:
        return (
            say("{sends} in the audiences of {day}.", sends=sent, day=words.day(day))
            if day
            else say("{sends} in the audiences.", sends=sent)
        )
    if day:
        return many(
            "Of {n} treatments that members have, {sends} in the audiences of {day}. The rest is dropped for the first "
            "reason that applies.",
            "Of {n} treatments that members have, {sends} in the audiences of {day}. The rest is dropped for the first "
            "reason that applies.",
            total,
            sends=sent,
            day=words.day(day),
        )
    return many(
        "Of {n} treatments that members have, {sends} in the audiences. The rest is dropped for the first reason that "
        "applies.",
        "Of {n} treatments that members have, {sends} in the audiences. The rest is dropped for the first reason that "
        "applies.",
        total,
        sends=sent,
    )
