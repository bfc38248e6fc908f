"""When customers buy, and where the gaps are: segments by occasions of consumption.

Belongs here: occasion_matrix in, blocks out. Every index is 1 where a segment is like everyone.
Does not belong here: which baskets are of which occasion (models/).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from orchestration.accountability.inputs import SIGNIFICANCE
from orchestration.report import words
from orchestration.report.blocks import Block, Cell, Column, Page, Part, Prose, Table
from orchestration.report.languages import joined, many, say
from orchestration.report.pages import common
from orchestration.report.published import Row
from orchestration.report.shop import UNKNOWN, Scheme, Shop, grouped

MOST_GAPS = 15
# Whose matrix the page shows, in this order: client categories, then whatever there is.
PREFERRED = ("life_stage", "age_band", "rfm")


@dataclass(frozen=True)
class Gap:
    """A segment that is seldom there at an occasion: baskets it has, those that everyone's share would make, the money
    that the missing ones would bring at what its baskets of the occasion cost."""

    scheme: Scheme
    segment: str
    occasion: str
    customers: int
    baskets: int
    expected: float
    index: float | None
    q_value: float | None
    worth: float

    @property
    def label(self) -> str:
        return self.scheme.segments.label(self.segment)


def _rows(shop: Shop) -> dict[str, list[Row]]:
    if not shop.db.has("occasion_matrix", "customers", "baskets", "index", "q_value", "is_gap"):
        return {}
    return grouped(shop.db.table("occasion_matrix", "scheme", "segment", "occasion"), "scheme")


def gaps(shop: Shop) -> list[Gap]:
    """Gaps of all schemes that are not made of occasions, most money first."""
    found = []
    for name, rows in _rows(shop).items():
        scheme = shop.scheme(name)
        if {row["segment"] for row in rows} & {row["occasion"] for row in rows}:
            continue
        baskets_of: dict[Any, float] = {}
        everyone: dict[Any, float] = {}
        for row in rows:
            baskets_of[row["segment"]] = baskets_of.get(row["segment"], 0) + (row["baskets"] or 0)
            everyone[row["occasion"]] = everyone.get(row["occasion"], 0) + (row["baskets"] or 0)
        total = sum(everyone.values())
        for row in rows:
            if not row["is_gap"] or row["segment"] == UNKNOWN or not total or shop.is_few(row["customers"]):
                continue
            expected = baskets_of[row["segment"]] * everyone[row["occasion"]] / total
            baskets = row["baskets"] or 0
            price = float(row.get("spend") or 0) / baskets if baskets else 0.0
            found.append(
                Gap(
                    scheme,
                    row["segment"],
                    row["occasion"],
                    row["customers"] or 0,
                    baskets,
                    expected,
                    row["index"],
                    row["q_value"],
                    max(0.0, expected - baskets) * price,
                )
            )
    return sorted(found, key=lambda gap: (-gap.worth, gap.scheme.order, gap.segment, gap.occasion))


def days_counted(shop: Shop) -> tuple[date, date] | None:
    """First and last day whose baskets the matrix counts: the behaviour window, less in a young shop."""
    if not shop.as_of or not shop.settings.get("rfm_window_days"):
        return None
    start = shop.as_of - timedelta(days=shop.window_days)
    if shop.db.has("customer_profiles", "first_order_on"):
        first = shop.db.rows("select min(first_order_on) as day from customer_profiles")[0]["day"]
        start = max(start, first) if first else start
    return start, shop.as_of - timedelta(days=1)


def label(shop: Shop, occasion: str) -> str:
    """What people call an occasion: the label of its segment."""
    return words.capital(shop.scheme("occasion").segments.label(occasion))


def in_order(shop: Shop, occasions: Iterable[str]) -> list[str]:
    """Occasions as their segments are ordered, others after them by name."""
    places = {name: row.get("sort_order") or 0 for name, row in shop.scheme("occasion").segments.by_name.items()}
    return sorted(set(occasions), key=lambda name: (name not in places, places.get(name, 0), name))


def of_scheme(shop: Shop, scheme: Scheme) -> list[Block]:
    return matrix(shop, scheme, _rows(shop).get(scheme.name, []))


def matrix(shop: Shop, scheme: Scheme, rows: list[Row]) -> list[Block]:
    """Segments by occasions. Only what is beyond chance is coloured, and says so with a word."""
    cells = {(row["segment"], row["occasion"]): row for row in rows}
    order = in_order(shop, (row["occasion"] for row in rows))
    everyone = {o: sum(row["baskets"] or 0 for row in rows if row["occasion"] == o) for o in order}
    total = sum(everyone.values())
    # Of an occasion without any basket nothing can be said: that of a shop whose dates have no hour.
    order = [occasion for occasion in order if everyone[occasion]]
    names = [n for n in scheme.segments.names if any((n, occasion) in cells for occasion in order)]
    if not names:
        return []

    def cell(row: Row | None) -> Cell:
        if row is None or row["index"] is None:
            return Cell(words.NOTHING, css="n")
        if shop.is_few(row["customers"]):
            return Cell(
                say("withheld"),
                css="n",
                title=many("fewer than {n} customer", "fewer than {n} customers", shop.least),
            )
        index = words.decimals(row["index"])
        if row["is_gap"]:
            return common.number(row["index"], say("{index} ▼ gap", index=index), css="down2")
        is_more = row["q_value"] is not None and row["q_value"] < SIGNIFICANCE and row["index"] > 1
        return common.number(
            row["index"], say("{index} ▲ more", index=index) if is_more else index, css="up1" if is_more else ""
        )

    blocks: list[Block] = [
        Prose(
            joined(
                " ",
                [
                    say(
                        "Each cell is the share of the segment's baskets at the occasion ÷ everyone's share: 1 is like "
                        "everyone, 0.5 half as often. Coloured and marked: beyond chance. Not coloured: may be chance."
                    ),
                    *([common.largest(len(names))] if scheme.segments.cut else []),
                ],
            ),
            "quiet",
        ),
        Table(
            say("Occasions, {scheme}", scheme=scheme.title),
            [
                Column(say("Segment")),
                *(
                    Column(
                        label(shop, o),
                        True,
                        say("{share} of all", share=words.share(everyone[o] / total if total else None)),
                    )
                    for o in order
                ),
            ],
            [[common.label(scheme.segments.label(n)), *(cell(cells.get((n, o))) for o in order)] for n in names],
            css="heat",
        ),
    ]
    if set(names) & set(order):
        blocks.append(
            Prose(say("Segments of this scheme are made of occasions: a gap says mostly how they were made."), "note")
        )
    return blocks


def pages(shop: Shop) -> list[Page]:
    """Gaps by money over all schemes, then the matrix of the client categories."""
    rows = _rows(shop)
    question = say("When do they buy, and when not?")
    known = [name for name in (*PREFERRED, *(scheme.name for scheme in shop.schemes)) if name in rows]
    known = [name for name in known if matrix(shop, shop.scheme(name), rows[name])]
    if not known:
        return []
    blocks: list[Block] = []
    counted = days_counted(shop)
    if counted:
        blocks.append(
            Prose(
                say(
                    "Baskets from {start} to {end}, by the segments of today.",
                    start=words.day(counted[0]),
                    end=words.day(counted[1]),
                )
            )
        )
    found = gaps(shop)
    if found:
        blocks.append(Part(say("Gaps, by the money behind them"), [gap_table(shop, found)], "occasion-gaps"))
    else:
        blocks.append(Prose(say("No gap is beyond chance.")))
    scheme = shop.scheme(known[0])
    others = [name for name in dict.fromkeys(known[1:])]
    blocks.append(
        Part(say("By {scheme}", scheme=scheme.title), matrix(shop, scheme, rows[known[0]]), "occasion-matrix")
    )
    if others:
        links = [common.link(f"{shop.scheme(name).anchor}-occasions", shop.scheme(name).title) for name in others]
        blocks.append(Prose(say("The same by {schemes}.", schemes=common.links(links)), "quiet"))
    return [Page("occasions", say("Occasions"), question, blocks)]


def gap_table(shop: Shop, found: list[Gap]) -> Table:
    return Table(
        say("Occasions that segments leave out"),
        [
            Column(say("Segment")),
            Column(say("Scheme"), minor=True),
            Column(say("They seldom buy")),
            Column(say("Baskets"), True),
            Column(say("Everyone's share would make"), True),
            Column(shop.in_currency(say("Worth up to")), True),
        ],
        [
            [
                common.label(gap.label),
                common.text(common.link(gap.scheme.anchor, gap.scheme.title)),
                common.text(label(shop, gap.occasion)),
                common.number(gap.baskets),
                common.number(gap.expected),
                common.money(gap.worth),
            ]
            for gap in found[:MOST_GAPS]
        ],
        more=joined(
            " ",
            [
                *(
                    [
                        many(
                            "{n} more gap in the table {table}.",
                            "{n} more gaps in the table {table}.",
                            len(found) - MOST_GAPS,
                            table=words.table("occasion_matrix"),
                        )
                    ]
                    if len(found) > MOST_GAPS
                    else []
                ),
                say("Worth: the missing baskets at the price of those they have."),
            ],
        ),
    )
