"""The schemes: which of them earn their keep, and a page for each.

Belongs here: published rows in, blocks out.
Does not belong here: HTML (templates/), and what concerns no scheme (the other pages).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from markupsafe import Markup

from orchestration.accountability.inputs import SIGNIFICANCE
from orchestration.report import figures, words
from orchestration.report.blocks import (
    Block,
    Cell,
    Column,
    Compare,
    Figure,
    Fold,
    Items,
    Page,
    Part,
    Prose,
    Table,
    TreatmentCard,
)
from orchestration.report.definitions import definition
from orchestration.report.languages import C_, N_, joined, many, plain, say, term
from orchestration.report.pages import common, experiments, movement, occasions
from orchestration.report.published import Row
from orchestration.report.shop import UNKNOWN, Scheme, Segments, Shop, grouped

MOST_CARDS = 15
MOST_TIES = 15
MOST_ADVICE = 12
# Lines of a list on a page; a sentence of one shape is not told more often.
MOST_NAMED = 5
# From which index on a metric is coloured, and from which on strongly; below: their inverse. 1 is like everyone.
NOTABLE, STRONG = 1.25, 2.0
# Distances of what two segments were sent, from which on a cell is darker; one scale for all schemes, of 0 to 1.
DISTANCES = (0.1, 0.2, 0.3, 0.5)
# A tie within a segment must be this much stronger than everyone's to be told as its own.
OWN_TIE = 1.1


def pages(shop: Shop) -> list[Page]:
    """The index, then a page a scheme."""
    tables = Tables(shop)
    return [index(shop), *(scheme_page(shop, scheme, tables) for scheme in shop.schemes)]


class Tables:
    """The rows of all schemes, read once."""

    def __init__(self, shop: Shop) -> None:
        db = shop.db
        self.treatments = grouped(db.table("treatments", "scheme", "segment", "treatment_id"), "scheme")
        self.distinctness = grouped(db.table("treatment_distinctness", "scheme", "segment_a", "segment_b"), "scheme")
        self.delivery = grouped(db.table("treatment_delivery", "scheme", "segment_a", "segment_b"), "scheme")
        self.behaviour = grouped(db.table("segment_behaviour", "scheme", "outcome"), "scheme")
        self.outcomes = grouped(
            db.table("treatment_outcomes", "scheme", "segment", "treatment_id", "outcome"), "scheme"
        )
        self.advice = grouped(db.table("scheme_advice", "scheme", "segment_a", "segment_b"), "scheme")
        profiles = db.has("segment_profiles", "value", "population_value", "index")
        self.profiles = grouped(
            db.table("segment_profiles", "scheme", "segment", "metric") if profiles else [], "scheme"
        )
        self.ties = grouped(tie_rows(shop), "scheme")


# The index


def index(shop: Shop) -> Page:
    """Every scheme with its three answers."""
    blocks: list[Block] = []
    if shop.schemes:
        blocks.append(strip(shop, shop.schemes))
    else:
        blocks.append(Prose(say("This file holds no segments."), "note"))
    if not shop.db.has("scheme_scorecard"):
        blocks.append(Prose(say("This file holds no scorecard."), "note"))
    blocks.append(
        Fold(
            say("What the words mean"),
            [
                Items(
                    [
                        Markup("{} {}").format(common.badge(words.value("verdict", word), m), m.said)
                        for word, m in words.VERDICTS.items()
                    ]
                ),
                Prose(
                    say(
                        "A pair can be judged where both segments had enough members for a medium difference in what "
                        "they were sent to be seen; only such pairs are counted."
                    )
                ),
            ],
            "verdicts",
        )
    )
    blocks += unknown_schemes(shop)
    return Page("schemes", say("Schemes"), say("Which segmentations are in use, and do they pay?"), blocks)


def unknown_schemes(shop: Shop) -> list[Block]:
    """A line for the schemes of which nothing is known, and one for those that are off or have nobody to divide."""
    lines = []
    if shop.nothing_known:
        names = words.listed(scheme.title for scheme in shop.nothing_known)
        lines.append(
            say(
                "Nothing is known of {schemes}: {docs} says which columns they are read from.",
                schemes=names,
                docs=words.table("docs/schemes.md"),
            )
        )
    if shop.without_audience:
        names = words.listed(scheme.title for scheme in shop.without_audience)
        lines.append(say("Nobody to divide in this data, so not shown: {schemes}.", schemes=names))
    off = [row for row in shop.db.table("segment_schemes", "scheme") if row.get("is_active") is False]
    if off:
        names = words.listed(words.scheme_name(row["scheme"]) for row in off)
        lines.append(say("Described, but switched off: {schemes}.", schemes=names))
    return [Prose(line, "quiet") for line in lines]


def strip(shop: Shop, schemes: Sequence[Scheme], is_short: bool = False) -> Table:
    """Schemes by the three questions; short on the front page, where only the pairs are counted."""
    return Table(
        say("Schemes and the three questions"),
        [
            Column(say("Scheme")),
            Column(say("Verdict")),
            Column(say("Behave differently?"), brief=say("Differ?")),
            Column(say("Treated differently?"), brief=say("Treated?")),
            Column(say("Does it pay?"), brief=say("Pays?")),
        ],
        [
            [
                common.label(common.link(scheme.anchor, scheme.title), title=scheme.title),
                Cell(common.verdict(scheme), sort=scheme.order[0]),
                common.answer(common.behaves(scheme), is_short),
                common.answer(common.treated(scheme), is_short and common.pairs_sent(scheme) is None),
                common.answer(common.pays(scheme), is_short),
            ]
            for scheme in schemes
        ],
        css="strip",
        paper_rows=len(schemes),
        searchable=not is_short,
    )


# One scheme


def scheme_page(shop: Shop, scheme: Scheme, tables: Tables) -> Page:
    """Who they are, what sets them apart, what is done for them, what they were sent, whether it pays."""
    name, segments = scheme.name, scheme.segments
    parts: list[tuple[str, str, list[Block]]] = [
        ("who", say("Who they are"), sizes(shop, scheme)),
        ("apart", say("What sets them apart"), profiles(shop, tables.profiles.get(name, []), segments)),
        ("grid", say("How lately and how often"), rfm_grid(shop) if name == "rfm" else []),
        ("moves", say("Who moves where"), movement.of_scheme(shop, scheme)),
        ("occasions", say("When they buy, and when they do not"), occasions.of_scheme(shop, scheme)),
        ("ties", say("What they buy together more than others"), ties(shop, tables.ties.get(name, []), segments)),
        ("treatments", say("What we do for each"), treatments(shop, tables.treatments.get(name, []), segments)),
        (
            "sent",
            say("Treated differently: on paper, and in what was sent"),
            [
                *paper(shop, tables.distinctness.get(name, []), segments),
                *sent(shop, tables.delivery.get(name, []), segments),
            ],
        ),
        ("pays", say("Does it pay"), outcomes(shop, tables.outcomes.get(name, []), scheme)),
        ("advice", say("Keep apart, merge or test"), advice(shop, tables.advice.get(name, []), segments)),
    ]
    found = [Part(heading, blocks, anchor=f"{scheme.anchor}-{anchor}") for anchor, heading, blocks in parts if blocks]
    return Page(
        scheme.anchor,
        scheme.title,
        scheme.title,
        [*opening(shop, scheme, tables.behaviour.get(name, [])), *found],
        parent="schemes",
        paper=False,
    )


def opening(shop: Shop, scheme: Scheme, behaviour: Sequence[Row]) -> list[Block]:
    """What the scheme is, its verdict in three sentences, and how sure they are."""
    described = scheme.described
    blocks: list[Block] = []
    if described.get("description"):
        said = [words.sentence("scheme", described["description"])]
        if described.get("basis"):
            said.append(say("Basis: {basis}.", basis=words.value("basis", described["basis"])))
        blocks.append(Prose(joined(" ", said), "lead"))
    if described.get("caution"):
        blocks.append(Prose(words.published(described["caution"]), "warn"))
    card = scheme.card
    if card:
        blocks.append(
            Prose(
                Markup("{} {}").format(common.verdict(scheme), verdict_words(scheme)),
                "lead",
            )
        )
        blocks.append(Items(three_sentences(scheme)))
    sure: list[Block] = [Prose(scheme.segments.said(card["why"]))] if card.get("why") else []
    sure += behaviour_table(behaviour)
    if sure:
        blocks.append(Fold(say("How sure"), sure))
    return blocks


def verdict_words(scheme: Scheme) -> str:
    said = words.mark(words.VERDICTS, scheme.verdict).said
    return f"{words.capital(said)}." if said else ""


def three_sentences(scheme: Scheme) -> list[str]:
    """The three answers as sentences that need no statistics."""
    card = scheme.card
    _, word, _ = common.behaves(scheme)
    told = common.told_outcome(scheme)
    if word == common.YES:
        first = say(
            "They behave differently: their segment alone tells {effect} of how customers differ in {outcome}.",
            effect=words.percent(told["effect"]),
            outcome=words.outcome_name(told["outcome"]),
        )
    elif word == common.NO:
        first = say("They do not behave differently: the data would have shown a difference worth having, and did not.")
    elif common.is_nothing_to_compare(scheme):
        first = say(
            "Whether they behave differently is not known: there is nothing to compare, as there is one segment only, "
            "or no outcome in which customers differ."
        )
    else:
        first = say("Whether they behave differently is not known: too few members, or too short a time.")
    pairs = common.pairs_sent(scheme)
    if pairs is None:
        second = say(
            "Whether they were treated differently is not known: no two segments can be judged by what they were sent."
        )
    else:
        second = many(
            "Of the {pairs} of segments that can be judged, {n} was sent different things.",
            "Of the {pairs} of segments that can be judged, {n} were sent different things.",
            pairs[0],
            pairs=many("{n} pair", "{n} pairs", pairs[1]),
        )
    third = {
        "yes": say("What is sent pays: spend rose by more than the cost, against customers held out at random."),
        "no": say("What is sent does not pay: spend rose by less than the cost, or fell."),
    }.get(str(card.get("pays")), say("Whether it pays is not known: only customers held out at random can say so."))
    members = card.get("members")
    fourth = (
        many(
            "The segment of {n} members is known, {coverage} of the audience.",
            "The segment of {n} members is known, {coverage} of the audience.",
            members,
            coverage=words.percent(card.get("coverage")),
        )
        if card.get("coverage") is not None
        else many("The segment of {n} members is known.", "The segment of {n} members is known.", members)
    )
    return [first, second, third, fourth]


def behaviour_table(rows: Sequence[Row]) -> list[Block]:
    """Question 1, outcome by outcome, the largest effect first."""
    if not rows:
        return []
    ordered = sorted(rows, key=lambda row: (-(row.get("effect") or 0.0), row["outcome"]))
    first = rows[0]
    until = first.get("outcome_until")
    return [
        Prose(
            say(
                "Members by their segment on {start}, and what they did from then to the day before {end}. Below 1 % "
                "explained, or with q of 0.05 and more, a difference does not count.",
                start=words.day(first.get("evaluated_as_of")),
                end=words.day(until),
            )
            if until
            else say(
                "Members by their segment on {start}, and what they did from then to the as-of date. Below 1 % "
                "explained, or with q of 0.05 and more, a difference does not count.",
                start=words.day(first.get("evaluated_as_of")),
            ),
            "quiet",
        ),
        Table(
            say("How much segments explain"),
            [
                Column(say("Outcome")),
                Column(say("Members"), True),
                Column(say("Explained by segments"), True),
                Column(say("q"), True),
                Column(say("Beyond past spend"), True),
                Column(say("Power"), True, minor=True),
            ],
            [
                [
                    common.label(words.outcome_name(row["outcome"])),
                    common.number(row.get("n")),
                    common.share(row.get("effect")),
                    common.number(row.get("q_value"), words.chance(row.get("q_value"))),
                    common.share(row.get("effect_beyond_spend")),
                    common.share(row.get("power")),
                ]
                for row in ordered
            ],
        ),
    ]


def sizes(shop: Shop, scheme: Scheme) -> list[Block]:
    """A table of the segments that somebody is in, and a picture of size and spend. Small segments are one row. Contact
    persons buy nothing for themselves: of them there is nothing to say of spend."""
    segments = scheme.segments
    populated = [row for row in segments.by_spend if row.get("members")]
    if not segments.by_name:
        return [Prose(say("This file holds no segments of the scheme."), "note")]
    if not segments.cut:
        populated = [row for row in segments.shown if row.get("members")]
    if segments.unknown and segments.unknown.get("members"):
        populated.append(segments.unknown)
    told, small = shop.merged(populated, lambda row: float(row.get("members") or 0))
    # Where the data make the segments, one definition serves all: it is said once.
    definitions = {row.get("definition") for row in told if row["segment"] != UNKNOWN}
    common_definition = definitions.pop() if len(told) > 1 and len(definitions) == 1 else None
    highest = max([0.0001, *(float(row.get(c) or 0) for row in told for c in ("member_share", "spend_share"))])
    rows = [
        [
            common.label(
                segments.label(row["segment"]),
                note=definition(row.get("definition"))
                if row.get("definition") not in (None, common_definition)
                else "",
            ),
            common.number(row.get("members")),
            common.number(
                row.get("member_share"),
                words.share(row.get("member_share")),
                float(row.get("member_share") or 0) / highest,
            ),
            common.money(row.get("spend")),
            common.number(
                row.get("spend_share"),
                words.share(row.get("spend_share")),
                float(row.get("spend_share") or 0) / highest,
            ),
            common.text(words.value("position", row.get("market_position"))),
            common.text(
                segments.label(row["nearest_mass_segment"]) if row.get("nearest_mass_segment") else words.NOTHING
            ),
            common.text(words.value("evidence", row.get("evidence"))),
        ]
        for row in told
    ]
    if small:
        rows.append(merged_row(shop, small))
    empty = sum(not row.get("members") for row in segments.by_name.values() if row["segment"] != UNKNOWN)
    more = [many("{n} segment without members today.", "{n} segments without members today.", empty) if empty else ""]
    if common_definition:
        more.append(say("Each segment: {definition}", definition=definition(common_definition)))
    drawn = [row for row in segments.shown if row in told]
    columns = [
        Column(say("Segment")),
        Column(common.members_heading(scheme), True),
        Column(say("Share of contact persons") if scheme.is_of_contacts else say("Share of customers"), True),
        Column(shop.in_currency(say("Spend")), True),
        Column(say("Share of spend"), True),
        Column(say("Position"), minor=True),
        Column(say("Nearest mass segment"), minor=True),
        Column(say("Known how"), minor=True),
    ]
    shown: Sequence[int] = [0, 1, 2, 7] if scheme.is_of_contacts else range(len(columns))
    table = Table(
        say("Segments of {scheme}", scheme=scheme.title),
        [columns[place] for place in shown],
        [[row[place] for place in shown] for row in rows],
        more=joined(" ", (line for line in more if line)),
        css="defined",
    )
    if scheme.is_of_contacts:
        return [table]
    blocks: list[Block] = [
        Prose(
            say(
                "Spend is what they bought {when}. Edge and niche segments name the mass segment whose basket is most "
                "like theirs: where to sell across.",
                when=shop.in_window,
            ),
            "quiet",
        ),
        table,
    ]
    if len(drawn) > 1:
        found = [
            figures.Bubble(
                segments.label(row["segment"]),
                float(row.get("member_share") or 0),
                float(row.get("spend_share") or 0),
                str(row.get("market_position")),
            )
            for row in drawn
        ]
        caption = say(
            "Size and spend: above the dashed line a segment spends more than its size. {mass_key} mass, {edge_key} "
            "edge, {niche_key} niche.",
            mass_key=key("mass"),
            edge_key=key("edge"),
            niche_key=key("niche"),
        )
        if segments.cut:
            caption = joined(" ", [caption, common.largest(len(drawn))])
        drawing = figures.bubbles(found, say("Size and spend of the segments of {scheme}", scheme=scheme.title))
        blocks.append(Figure(drawing, caption))
    return blocks


def key(css: str) -> Markup:
    """A patch of a colour, in the text that says what it means."""
    return Markup('<span class="key {}"></span>').format(css)


def merged_row(shop: Shop, small: Sequence[Row]) -> list[Cell]:
    """What is too small to tell, as one row; withheld where all of it is too few still."""
    total = sum(float(row.get("members") or 0) for row in small)
    if shop.is_few(total):
        withheld = Cell(say("withheld"), sort=0.0, css="n")
        name = many("{n} small segment", "{n} small segments", len(small))
        return [common.label(name), members_cell(shop, total), *[withheld] * 3, *[common.text(None)] * 3]
    return [
        common.label(many("{n} small segment together", "{n} small segments together", len(small))),
        common.number(total),
        common.share(sum(float(row.get("member_share") or 0) for row in small)),
        common.money(sum(float(row.get("spend") or 0) for row in small)),
        common.share(sum(float(row.get("spend_share") or 0) for row in small)),
        *[common.text(None)] * 3,
    ]


def members_cell(shop: Shop, value: Any) -> Cell:
    return common.members(shop, value)


def told_names(shop: Shop, segments: Segments, names: Iterable[str]) -> list[str]:
    """Segments that are large enough to be told about."""
    return [name for name in names if not shop.is_few(segments.by_name.get(name, {}).get("members"))]


def profiles(shop: Shop, rows: Sequence[Row], segments: Segments) -> list[Block]:
    """Segments by metrics, coloured by their index."""
    cells = {(row["segment"], row["metric"]): row for row in rows}
    names = [n for n in told_names(shop, segments, segments.names) if any((n, m) in cells for m in words.METRICS)]
    metrics = {key: metric for key, metric in words.METRICS.items() if any((name, key) in cells for name in names)}
    if not metrics:
        return []
    everyone = {row["metric"]: row["population_value"] for row in rows}
    table = [
        [
            common.label(say("Everyone")),
            *(common.number(everyone[key], words.formed(everyone[key], m.form)) for key, m in metrics.items()),
        ],
        *(
            [
                common.label(segments.label(name)),
                *(_index_cell(cells.get((name, key)), m) for key, m in metrics.items()),
            ]
            for name in names
        ),
    ]
    return [
        Prose(
            joined(
                " ",
                [
                    say(
                        "Each cell: the mean over members, and beside ▲ or ▼ how many times everyone's mean it is. "
                        "Coloured from a quarter more or a fifth less on, darker from twice or half on: {good} better "
                        "for the shop, {bad} worse, {other} neither, only different.",
                        good=key("up2"),
                        bad=key("down2"),
                        other=key("off2"),
                    ),
                    *([common.largest(len(names))] if segments.cut else []),
                ],
            ),
            "quiet",
        ),
        Table(
            say("What sets the segments apart"),
            [
                Column(say("Segment")),
                *(Column(words.capital(term("metric", m.name)), True, _unit(shop, m)) for m in metrics.values()),
            ],
            table,
            css="heat",
        ),
    ]


def _unit(shop: Shop, metric: words.Metric) -> str:
    unit = (
        words.clean(shop.currency) if shop.currency and metric.unit == "currency" else metric.unit and say(metric.unit)
    )
    return ", ".join(part for part in (unit, shop.a_window if metric.is_sum else "") if part)


def _index_cell(row: Row | None, metric: words.Metric) -> Cell:
    if row is None:
        return common.number(None)
    found = row["index"]
    known = found is not None and math.isfinite(found) and found > 0
    css = shade(found, metric.good) if known else ""
    note = f"{'▲' if found > 1 else '▼'} {words.decimals(found)}" if known and css else words.decimals(found)
    return common.number(row["value"], words.formed(row["value"], metric.form), note=note, css=css)


def shade(found: float, good: int = 1) -> str:
    """The class of an index strongly or notably off everyone's: of the colour of what is good, bad, or neither."""
    far = max(found, 1 / found)
    if far < NOTABLE:
        return ""
    side = "off" if not good else "up" if (found > 1) == (good > 0) else "down"
    return f"{side}{2 if far >= STRONG else 1}"


def rfm_grid(shop: Shop) -> list[Block]:
    """Customers by recency and frequency score; small cells are withheld."""
    columns = ("recency_score", "frequency_score")
    if not shop.db.has("customer_profiles", "monetary", *columns):
        return []
    rows = shop.db.rows(
        "select recency_score as r, frequency_score as f, count(*) as n, sum(monetary) as spend from customer_profiles "
        "where recency_score is not null and frequency_score is not null group by all order by all"
    )
    cells = {(row["r"], row["f"]): row for row in rows}
    if not cells:
        return []
    highest = max(row["n"] for row in rows)

    def cell(recency: int, frequency: int) -> Cell:
        row = cells.get((recency, frequency))
        if row is None:
            return common.number(0, words.NOTHING)
        if shop.is_few(row["n"]):
            return common.members(shop, row["n"])
        depth = min(4, int(5 * row["n"] / highest))
        return common.number(row["n"], note=words.money(row["spend"]), css=f"d{depth}")

    names = (say("1 longest ago"), "2", "3", "4", say("5 latest"))
    return [
        Prose(
            say(
                "Customers in each cell, under them their {spend} {when}; the darker, the more customers. 5 is best: "
                "latest, and most often.",
                spend=shop.in_currency(term("under customers", C_("under customers", "spend"))),
                when=shop.in_window,
            ),
            "quiet",
        ),
        Table(
            say("Customers by recency and frequency"),
            [Column(say("How often ↓, how lately →")), *(Column(name, True) for name in names)],
            [
                [
                    common.label({5: say("5 most often"), 1: say("1 least often")}.get(f, str(f))),
                    *(cell(r, f) for r in range(1, 6)),
                ]
                for f in range(5, 0, -1)
            ],
            css="heat",
            sortable=False,
        ),
    ]


# What they buy together

TIE_COLUMNS = ("scheme", "segment", "item_level", "window", "antecedent", "consequent", "n_both", "q_value")


def tie_rows(shop: Shop) -> list[Row]:
    """Of each segment, the pair whose tie exceeds everyone's most, of one level and window: the first by name.

    Ratios are of the lift drawn towards everyone's, so that small segments do not shout.
    """
    if not shop.db.has("segment_affinities", *TIE_COLUMNS, "global_lift", "shrunk_lift"):
        return []
    return shop.db.rows(
        """
        with one_kind as (
            select *
            from segment_affinities
            qualify dense_rank() over (order by "window", item_level) = 1
        )
        select scheme, segment, item_level, antecedent, consequent, n_both, global_lift, shrunk_lift
        from one_kind
        where q_value < ? and global_lift > 0 and shrunk_lift > 1 and shrunk_lift >= ? * global_lift
        qualify row_number() over (
            partition by scheme, segment
            order by shrunk_lift / global_lift desc, n_both desc, antecedent, consequent
        ) = 1
        order by scheme, segment
        """,
        (SIGNIFICANCE, OWN_TIE),
    )


def ties(shop: Shop, rows: Sequence[Row], segments: Segments) -> list[Block]:
    """The pair of each segment that is its own most."""
    by_segment = {row["segment"]: row for row in rows}
    names = [name for name in told_names(shop, segments, segments.names) if name in by_segment][:MOST_TIES]
    if not names:
        return []
    return [
        Prose(
            say(
                "The pair of each segment whose tie exceeds everyone's most: how many times as often as the size of "
                "baskets alone would bring about."
            ),
            "quiet",
        ),
        Table(
            say("What segments buy together"),
            [
                Column(say("Segment")),
                Column(say("They buy")),
                Column(say("with")),
                Column(say("Times as often"), True),
                Column(say("Everyone"), True),
                Column(say("Baskets with both"), True, minor=True),
            ],
            [
                [
                    common.label(segments.label(name)),
                    common.text(shop.item(row["item_level"], row["antecedent"])),
                    common.text(shop.item(row["item_level"], row["consequent"])),
                    common.number(row["shrunk_lift"], words.decimals(row["shrunk_lift"], 1)),
                    common.number(row["global_lift"], words.decimals(row["global_lift"], 1)),
                    common.members(shop, row["n_both"]),
                ]
                for name in names
                for row in (by_segment[name],)
            ],
        ),
    ]


# What we do for each

TREATMENT_PARTS = (
    (
        N_("Positioning"),
        (
            ("value_proposition", N_("Our value for them")),
            ("proof", N_("How we bring it")),
            ("tone_of_voice", N_("How we talk")),
        ),
    ),
    (
        N_("How we sell"),
        (
            ("channel", N_("Channel")),
            ("message", N_("Message")),
            ("offer", N_("Offer")),
            ("offer_item", N_("Offer is for")),
        ),
    ),
    (N_("What they then use"), (("product_adaptation", N_("Product")), ("service_level", N_("Service")))),
)


def is_valid(row: Row, as_of: date | None) -> bool:
    """Whether a treatment is valid on the as-of date; an open end is open."""
    if as_of is None:
        return True
    start, end = row.get("valid_from"), row.get("valid_to")
    return (start is None or start <= as_of) and (end is None or as_of <= end)


def reviews_due(shop: Shop, rows: Sequence[Row], segments: Segments) -> list[Block]:
    """The treatments past the day by which somebody should have read them again, the oldest first; none that has
    ended.

    Those spelled out from one row are one.
    """
    as_of = shop.as_of
    found = {
        row.get("template_id") or row["treatment_id"]: row
        for row in rows
        if as_of is not None
        and row.get("review_on") is not None
        and row["review_on"] < as_of
        and (row.get("valid_to") is None or as_of <= row["valid_to"])
    }
    if not found:
        return []
    due = sorted(found.items(), key=lambda each: (each[1]["review_on"], each[0]))
    named = [
        say(
            "{treatment} for {segment} (by {day}, owner {owner})",
            treatment=words.clean(name),
            segment=segments.label(row["segment"]),
            day=words.day(row["review_on"]),
            owner=words.clean(row["owner"]),
        )
        if row.get("owner")
        else say(
            "{treatment} for {segment} (by {day}, without an owner)",
            treatment=words.clean(name),
            segment=segments.label(row["segment"]),
            day=words.day(row["review_on"]),
        )
        for name, row in due[:MOST_NAMED]
    ]
    further = len(due) - MOST_NAMED
    if further > 0:
        named.append(many("{n} more", "{n} more", further))
    return [Prose(say("Past the day to read them again: {treatments}.", treatments="; ".join(named)), "warn")]


def treatments(shop: Shop, rows: Sequence[Row], segments: Segments) -> list[Block]:
    """One card a treatment, any two of them side by side; treatments spelled out from one row are one card."""
    if not shop.db.has("treatments"):
        return [Prose(say("This file holds no treatments."), "note")]
    valid = [row for row in rows if is_valid(row, shop.as_of)]
    populated = {name for name, row in segments.by_name.items() if row.get("members") or 0}
    served = [row for row in valid if not row.get("is_idle") and (row["segment"] in populated or not segments.by_name)]
    spend_rank = {row["segment"]: rank for rank, row in enumerate(segments.by_spend)}
    rank = {name: place for place, name in enumerate(segments.names)}
    last = len(segments.by_name)
    families = grouped(
        sorted(
            ({**row, "family": row.get("template_id") or row["treatment_id"]} for row in served),
            key=lambda row: (
                rank.get(row["segment"], last),
                spend_rank.get(row["segment"], last),
                row["segment"],
                row["treatment_id"],
            ),
        ),
        "family",
    )
    cards = []
    for found in families.values():
        others = list(
            dict.fromkeys(segments.label(row["segment"]) for row in found[1:] if row["segment"] != found[0]["segment"])
        )
        note = ""
        if others:
            named = words.listed(others[:3])
            note = many(
                "An example: one row of the treatments, with the segment's name filled in, serves {n} more segment in "
                "the same way: {segments}",
                "An example: one row of the treatments, with the segment's name filled in, serves {n} more segments in "
                "the same way: {segments}",
                len(others),
                segments=joined(" ", [named, "…"]) if len(others) > 3 else named,
            )
        parts = [(say(heading), treatment_fields(shop, found[0], fields)) for heading, fields in TREATMENT_PARTS]
        cards.append(
            TreatmentCard(segments.label(found[0]["segment"]), [(h, fields) for h, fields in parts if fields], note)
        )
    treated = {row["segment"] for row in served}
    untreated = [segments.label(name) for name in segments.names if name in populated and name not in treated]
    blocks: list[Block] = []
    if untreated:
        blocks.append(Prose(say("Without a treatment: {segments}.", segments=words.listed(untreated)), "warn"))
    blocks += reviews_due(shop, rows, segments)
    if cards:
        blocks.append(Compare(say("Treatments"), cards[:MOST_CARDS]))
    elif not untreated:
        blocks.append(Prose(say("No treatment is valid for any of its segments."), "note"))
    further, idle, invalid = max(0, len(cards) - MOST_CARDS), len(valid) - len(served), len(rows) - len(valid)
    not_shown = [
        said
        for number, said in (
            (
                further,
                many(
                    "{n} treatment in the table {table}",
                    "{n} treatments in the table {table}",
                    further,
                    table=words.table("treatments"),
                ),
            ),
            (
                idle,
                many(
                    "{n} treatment for segments without members today",
                    "{n} treatments for segments without members today",
                    idle,
                ),
            ),
            (
                invalid,
                many("{n} treatment not valid on this day", "{n} treatments not valid on this day", invalid),
            ),
        )
        if number
    ]
    if not_shown:
        blocks.append(Prose(say("Not shown: {treatments}.", treatments=words.listed(not_shown)), "quiet"))
    return blocks


def treatment_fields(shop: Shop, row: Row, fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Name and text of each field that says something."""
    level = shop.offer_level

    def said(field: str) -> str:
        if field == "offer_item":
            return shop.item(level, row[field])
        return words.value("channel", row[field]) if field == "channel" else words.published(row[field])

    return [(say(name), said(field)) for field, name in fields if row.get(field) not in (None, "")]


# Question 2


def paper(shop: Shop, rows: Sequence[Row], segments: Segments) -> list[Block]:
    """How the treatments of each two segments differ on paper, and the pairs that a customer cannot tell apart."""
    if not rows:
        said = (
            say("No two of its segments have treatments to compare.")
            if shop.db.has("treatment_distinctness")
            else say("This file holds no comparison of treatments.")
        )
        return [Prose(said, "note")]
    counts = {difference: 0 for difference in reversed(words.DIFFERENCES)}
    for row in rows:
        counts[row["difference"]] = counts.get(row["difference"], 0) + 1
    same = [row for row in rows if row["difference"] in ("nothing", "wording only")]
    blocks: list[Block] = [
        Table(
            say("How treatments differ on paper"),
            [Column(say("On paper")), Column(say("Pairs"), True), Column(say("Share"), True)],
            [
                [
                    common.label(
                        common.badge(
                            term("sign", words.mark(words.DIFFERENCES, difference).sign) or difference,
                            words.Mark(words.mark(words.DIFFERENCES, difference).css, "", ""),
                        ),
                        note=words.mark(words.DIFFERENCES, difference).said or words.published(difference),
                    ),
                    common.number(number),
                    common.share(number / len(rows)),
                ]
                for difference, number in counts.items()
                if number
            ],
            more=many("{n} pair of segments.", "{n} pairs of segments.", len(rows)),
        )
    ]
    if same:
        pairs = [pair_name(segments, row["segment_a"], row["segment_b"]) for row in same[:MOST_NAMED]]
        if len(same) > MOST_NAMED:
            pairs.append(many("and {n} more pair", "and {n} more pairs", len(same) - MOST_NAMED))
        blocks.insert(0, Prose(say("A customer cannot tell apart: {pairs}.", pairs=joined("; ", pairs)), "warn"))
    return blocks


def pair_name(segments: Segments, a: str, b: str) -> str:
    return words.listed([segments.label(a), segments.label(b)])


def distance(value: float) -> str:
    """The class of a distance; the same for all schemes."""
    return f"d{sum(value >= bound for bound in DISTANCES)}"


def sent(shop: Shop, rows: Sequence[Row], segments: Segments) -> list[Block]:
    """What segments were really sent: the pairs that can be judged, as a map of one fixed scale."""
    if not rows:
        held = shop.db.has("treatment_delivery")
        said = (
            say("No two of its segments could be compared by what was sent.")
            if held
            else say("This file holds no comparison of what was sent.")
        )
        return [Prose(said, "note")]
    judged = [row for row in rows if common.is_well_powered(row)]
    counts = {verdict: sum(row["verdict"] == verdict for row in judged) for verdict in words.DELIVERY}
    names = segments.pairs_names(rows)
    cells = {frozenset((row["segment_a"], row["segment_b"])): row for row in rows}

    def cell(a: str, b: str) -> Cell:
        row = cells.get(frozenset((a, b)))
        if row is None or row.get("divergence") is None:
            return Cell("", css="blank")
        if not common.is_well_powered(row) or row["verdict"] == "unproven":
            return Cell("?", css="m unjudged", title=say("cannot be judged"))
        sign = words.mark(words.DELIVERY, row["verdict"]).sign
        title = plain(joined(": ", [pair_name(segments, a, b), words.value("delivery", row["verdict"])]))
        return Cell(f"{100 * row['divergence']:.0f} {sign}", css=f"m {distance(row['divergence'])}", title=title)

    open_pairs = len(rows) - counts["treated differently"] - counts["treated alike"]
    told_pairs = [
        many(
            "Of the {pairs} that can be judged, {n} was sent different things and {same} the same.",
            "Of the {pairs} that can be judged, {n} were sent different things and {same} the same.",
            counts["treated differently"],
            pairs=many("{n} pair", "{n} pairs", len(judged)),
            same=words.count(counts["treated alike"]),
        )
        if judged
        else say("No pair can be judged by what was sent.")
    ]
    if open_pairs:
        told_pairs.append(
            many(
                "{n} pair cannot be judged: too few members, or too little sent.",
                "{n} pairs cannot be judged: too few members, or too little sent.",
                open_pairs,
            )
        )
    told_pairs.append(say("Members are counted by the segment that they had before they were sent anything."))
    blocks: list[Block] = [Prose(joined(" ", told_pairs))]
    if len(names) > 1 and judged:
        blocks += [
            Prose(
                joined(
                    " ",
                    [
                        say(
                            "How far apart what two segments were sent is: 0 the same, 100 nothing in common; ≠ sent "
                            "different things, = no difference beyond chance, ? cannot be judged. One scale for all "
                            "schemes: {d0} below 10, {d1} 20, {d2} 30, {d3} 50, {d4} more.",
                            **{shade: key(shade) for shade in ("d0", "d1", "d2", "d3", "d4")},
                        ),
                        *([common.largest(len(names))] if segments.cut else []),
                    ],
                ),
                "quiet",
            ),
            Table(
                say("How far what segments were sent differs"),
                [
                    Column(say("Segment")),
                    *(
                        Column(Markup('<abbr title="{}">{}</abbr>').format(segments.label(n), i))
                        for i, n in enumerate(names[:-1], 1)
                    ),
                ],
                [
                    [
                        common.label(joined(" ", [f"{place + 1}.", segments.label(name)])),
                        *(cell(name, other) for other in names[:place]),
                        *[Cell("", css="blank")] * (len(names) - 1 - place),
                    ]
                    for place, name in enumerate(names)
                ],
                css="matrix",
                sortable=False,
            ),
        ]
    contacts: dict[str, Row] = {}
    for row in rows:
        for side in ("a", "b"):
            contacts[row[f"segment_{side}"]] = {
                "members": row.get(f"n_{side}"),
                "rate": row.get(f"contact_rate_{side}"),
                "touches": row.get(f"touches_per_member_{side}"),
            }
    told = [name for name in names if not shop.is_few(contacts[name]["members"])]
    if told:
        blocks.append(
            Fold(
                say("What each segment was sent"),
                [
                    Table(
                        say("Contacts by segment"),
                        [
                            Column(say("Segment")),
                            Column(say("Members then"), True),
                            Column(say("Sent anything"), True),
                            Column(say("Contacts a member"), True),
                        ],
                        [
                            [
                                common.label(segments.label(name)),
                                common.number(contacts[name]["members"]),
                                common.share(contacts[name]["rate"], bar=True),
                                common.number(contacts[name]["touches"], words.decimals(contacts[name]["touches"])),
                            ]
                            for name in told
                        ],
                    )
                ],
            )
        )
    return blocks


# Question 3


def outcomes(shop: Shop, rows: Sequence[Row], scheme: Scheme) -> list[Block]:
    """Tests against customers held out, by segment, and what each arm is worth."""
    blocks = experiments.outcome_table(
        shop, rows, scheme.segments, say("Tested treatments, {scheme}", scheme=scheme.title)
    )
    blocks += experiments.values(shop, scheme)
    return blocks


def advice(shop: Shop, rows: Sequence[Row], segments: Segments) -> list[Block]:
    """What to do with pairs of segments: counts, and those that may be merged."""
    if not rows:
        return []
    counts = {kind: sum(row["advice"] == kind for row in rows) for kind in words.ADVICE}
    blocks: list[Block] = [
        Items(
            [
                Markup("{} {}: {}").format(
                    common.badge(words.value("advice", kind), shown),
                    many("{n} pair", "{n} pairs", counts[kind]),
                    shown.said,
                )
                for kind, shown in words.ADVICE.items()
                if counts[kind]
            ]
        )
    ]
    order = {"merge": 0, "keep apart": 1}
    named = sorted(
        (row for row in rows if row["advice"] in order),
        key=lambda row: (order[row["advice"]], row.get("q_value") or 0.0, row["segment_a"], row["segment_b"]),
    )
    named = [row for row in named if not shop.is_few(row.get("n_a")) and not shop.is_few(row.get("n_b"))][:MOST_ADVICE]
    if named:
        table = Table(
            say("Advice on pairs of segments"),
            [Column(say("Segment")), Column(say("and")), Column(say("Advice")), Column(say("Why"))],
            [
                [
                    common.label(segments.label(row["segment_a"])),
                    common.text(segments.label(row["segment_b"])),
                    Cell(
                        common.badge(words.value("advice", row["advice"]), words.mark(words.ADVICE, row["advice"])),
                        sort=row["advice"],
                    ),
                    common.text(segments.said(row.get("why")), "long"),
                ]
                for row in named
            ],
            more=say("All pairs are in the table {table}.", table=words.table("scheme_advice")),
        )
        blocks.append(Fold(say("Which pairs, and how sure"), [table]))
    return blocks
