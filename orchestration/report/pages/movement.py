"""Who moves where: the moves of the last periods, segments that grew or shrank beyond noise, sizes over months.

Belongs here: segment_migrations and segment_months in, blocks out.
Does not belong here: what a move is worth (findings.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from orchestration.report import figures, words
from orchestration.report.blocks import Block, Cell, Column, Figure, Fold, Page, Part, Prose, Table
from orchestration.report.languages import joined, many, plain, say
from orchestration.report.pages import common
from orchestration.report.shop import NOT_YET_KNOWN, UNKNOWN, Scheme, Shop, grouped

# Days that the last periods together span at least, where there are as many.
MONTH_DAYS = 28
# A segment grew or shrank where those who came less those who left is this many times what chance would make of so many
# moves (the square root of their number). 3.3: one in a thousand by chance; there are hundreds of segments.
BEYOND_NOISE = 3.3
MOST_MOVES = 25
MOST_MONTHS = 24
MOST_LINES = 8
MOST_FLOWS = 12


@dataclass(frozen=True)
class Change:
    """A segment then and now: members, who came and who left in between."""

    scheme: Scheme
    segment: str
    before: int
    now: int
    came: int
    left: int

    @property
    def net(self) -> int:
        return self.came - self.left

    @property
    def noise(self) -> float:
        """How many times what chance would make of so many moves the change is."""
        return abs(self.net) / math.sqrt(self.came + self.left) if self.came + self.left else 0.0

    @property
    def is_beyond_noise(self) -> bool:
        return self.noise > BEYOND_NOISE

    @property
    def label(self) -> str:
        return self.scheme.segments.label(self.segment)


def last_periods(shop: Shop) -> list[tuple[date, date]]:
    """The last periods of segment_migrations that together span `MONTH_DAYS` or more, the latest first; in a young shop
    all there are."""
    if not shop.db.has("segment_migrations", "period_start", "period_end", "from_segment", "to_segment", "members"):
        return []
    rows = shop.db.rows("select distinct period_start, period_end from segment_migrations order by period_end desc")
    found: list[tuple[date, date]] = []
    for row in rows:
        found.append((row["period_start"], row["period_end"]))
        if (found[0][1] - row["period_start"]).days >= MONTH_DAYS:
            break
    return found


def changes(shop: Shop) -> list[Change]:
    """Every segment of every scheme since the day of `since`; the farthest beyond noise first."""
    periods = last_periods(shop)
    if not periods:
        return []
    rows = shop.db.rows(
        """
        with moves as (
            select scheme, period_start, period_end, from_segment, to_segment, members
            from segment_migrations
            where period_start >= ?
        ),
        sides as (
            select scheme, from_segment as segment,
                case when period_start = ? then members else 0 end as before, 0 as now,
                0 as came, case when from_segment <> to_segment then members else 0 end as gone
            from moves
            union all
            select scheme, to_segment as segment, 0, case when period_end = ? then members else 0 end,
                case when from_segment <> to_segment then members else 0 end, 0
            from moves
        )
        select scheme, segment, sum(before) as before, sum(now) as now, sum(came) as came, sum(gone) as gone
        from sides
        group by scheme, segment
        order by scheme, segment
        """,
        (periods[-1][0], periods[-1][0], periods[0][1]),
    )
    known = {scheme.name for scheme in shop.schemes}
    found = [
        Change(
            shop.scheme(row["scheme"]),
            row["segment"],
            int(row["before"]),
            int(row["now"]),
            int(row["came"]),
            int(row["gone"]),
        )
        for row in rows
        if row["scheme"] in known and row["segment"] not in (UNKNOWN, NOT_YET_KNOWN)
    ]
    return sorted(found, key=lambda change: (-change.noise, change.scheme.order, change.segment))


def counterpart(shop: Shop, change: Change, came: bool) -> tuple[str, int] | None:
    """The segment from which most of those came who are in it now, or to which most went who left: its label, and their
    members of all those periods. None where they are too few, or no segment is known."""
    own, other = ("to_segment", "from_segment") if came else ("from_segment", "to_segment")
    rows = shop.db.rows(
        f"select {other} as segment, sum(members) as members from segment_migrations where scheme = ? and {own} = ? "
        f"and {other} <> {own} and period_start >= ? group by all order by members desc, segment",
        (change.scheme.name, change.segment, last_periods(shop)[-1][0]),
    )
    first = next((row for row in rows if row["segment"] != UNKNOWN), None)
    if first is None or shop.is_few(first["members"]):
        return None
    return change.scheme.segments.label(first["segment"]), int(first["members"])


def since(shop: Shop) -> str:
    """The day that changes count from. The grid ends on the as-of date, so it may be up to two months ago."""
    periods = last_periods(shop)
    return words.day(periods[-1][0]) if periods else words.NOTHING


def pages(shop: Shop) -> list[Page]:
    """The page of movement; a scheme's own moves are on its page."""
    question = say("Who moves where?")
    if not last_periods(shop):
        said = say("This file holds no moves between segments: they need two dates of the history.")
        return [Page("movement", say("Movement"), question, [Prose(said, "note")])]
    found = [change for change in changes(shop) if change.came + change.left]
    blocks: list[Block] = [
        Prose(
            say(
                "Since {day}. A change counts where those who came and those who left differ by more than chance makes "
                "of so many moves.",
                day=since(shop),
            ),
        )
    ]
    beyond = [
        change
        for change in found
        if change.is_beyond_noise and not shop.is_few(change.came) and not shop.is_few(change.left)
    ]
    if beyond:
        blocks.append(
            Part(say("Segments that grew or shrank"), [change_table(shop, beyond[:MOST_MOVES], True)], "changes")
        )
    else:
        blocks.append(Prose(say("No segment grew or shrank beyond noise.")))
    main = main_scheme(shop, found)
    if main is not None:
        blocks[0:0] = largest_moves(shop, main)
        blocks.append(
            Part(say("Moves between segments: {scheme}", scheme=main.title), of_scheme(shop, main), "main-moves")
        )
    blocks.append(Part(say("All schemes"), [schemes_table(shop, found)], "moves-by-scheme", paper=False))
    return [Page("movement", say("Movement"), question, blocks)]


def largest_moves(shop: Shop, scheme: Scheme) -> list[Block]:
    """The two largest moves of the last period, as a sentence; nothing where they are of too few."""
    periods = last_periods(shop)
    rows = shop.db.rows(
        "select from_segment, to_segment, sum(members) as members from segment_migrations"
        " where scheme = ? and period_start = ? and from_segment <> to_segment"
        " group by all order by members desc, 1, 2",
        (scheme.name, periods[0][0]),
    )
    known = set(scheme.segments.by_name) - {UNKNOWN}
    rows = [row for row in rows if {row["from_segment"], row["to_segment"]} <= known][:2]
    said = [
        many(
            "{n} customer went from “{before}” to “{now}”",
            "{n} customers went from “{before}” to “{now}”",
            row["members"],
            before=scheme.segments.label(row["from_segment"]),
            now=scheme.segments.label(row["to_segment"]),
        )
        for row in rows
        if not shop.is_few(row["members"])
    ]
    if not said:
        return []
    return [
        Prose(
            say("{moves}: the largest moves of {scheme}.", moves=words.listed(said), scheme=scheme.title),
            "lead",
        )
    ]


def main_scheme(shop: Shop, found: Sequence[Change]) -> Scheme | None:
    """The scheme whose moves the page draws: rfm, else the one with most moves among those with few segments."""
    moved = {change.scheme.name for change in found}
    names = [s for s in shop.schemes if s.name in moved]
    if not names:
        return None
    rfm = [scheme for scheme in names if scheme.name == "rfm"]
    small = [scheme for scheme in names if not scheme.segments.cut]
    return (rfm or small or names)[0]


def change_table(shop: Shop, found: Sequence[Change], with_scheme: bool) -> Table:
    def moved(change: Change) -> Cell:
        sign = "▲" if change.net > 0 else "▼"
        return common.number(change.net, f"{sign} {words.count(abs(change.net))}")

    columns = [Column(say("Segment")), *([Column(say("Scheme"), minor=True)] if with_scheme else [])]
    return Table(
        say("Segments then and now"),
        [
            *columns,
            Column(since(shop), True),
            Column(say("Now"), True),
            Column(say("Change"), True),
            Column(say("Came"), True, minor=True),
            Column(say("Left"), True, minor=True),
        ],
        [
            [
                common.label(change.label),
                *([common.text(common.link(change.scheme.anchor, change.scheme.title))] if with_scheme else []),
                common.members(shop, change.before),
                common.members(shop, change.now),
                moved(change),
                common.members(shop, change.came),
                common.members(shop, change.left),
            ]
            for change in found
        ],
    )


def schemes_table(shop: Shop, found: Sequence[Change]) -> Table:
    """A row a scheme: how many moved."""
    by_scheme: dict[str, list[Change]] = {}
    for change in found:
        by_scheme.setdefault(change.scheme.name, []).append(change)
    rows = []
    for scheme in shop.schemes:
        own = by_scheme.get(scheme.name, [])
        # Who came into a known segment, from another or from none.
        moved = sum(change.came for change in own)
        base = sum(change.before for change in own)
        rows.append(
            [
                common.label(common.link(f"{scheme.anchor}-moves" if own else scheme.anchor, scheme.title)),
                common.members(shop, moved),
                common.share(moved / base if base and not shop.is_few(moved) else None),
                common.number(sum(change.is_beyond_noise for change in own)),
            ]
        )
    return Table(
        say("Moves by scheme"),
        [
            Column(say("Scheme")),
            Column(say("Came into another segment"), True),
            Column(say("Of its members"), True),
            Column(say("Segments beyond noise"), True),
        ],
        rows,
    )


def of_scheme(shop: Shop, scheme: Scheme) -> list[Block]:
    """The flow of the last period, and sizes over months. Moves of too few are left out, and counted together."""
    return [*flow_blocks(shop, scheme), *size_blocks(shop, scheme)]


def flow_blocks(shop: Shop, scheme: Scheme) -> list[Block]:
    periods = last_periods(shop)
    if not periods:
        return []
    start, end = periods[0]
    rows = shop.db.rows(
        "select from_segment, to_segment, sum(members) as members from segment_migrations where scheme = ? and "
        "period_start = ? and members > 0 group by all order by members desc, 1, 2",
        (scheme.name, start),
    )
    moves = [row for row in rows if row["from_segment"] != row["to_segment"]]
    if not moves:
        return []
    shown, small = shop.merged(moves, lambda row: row["members"])
    stayed = [row for row in rows if row["from_segment"] == row["to_segment"] and not shop.is_few(row["members"])]
    told = [*stayed, *shown]
    segments = scheme.segments
    blocks: list[Block] = []
    order = [
        name
        for name in [*segments.names, UNKNOWN]
        if name in {r[s] for r in told for s in ("from_segment", "to_segment")}
    ]
    if 1 < len(order) <= MOST_FLOWS + 1 and len(told) > 1:
        drawn = figures.flows(
            [figures.Flow(row["from_segment"], row["to_segment"], int(row["members"])) for row in told],
            order,
            {name: segments.label(name) for name in order},
            say(
                "Moves between the segments of {scheme} from {start} to {end}",
                scheme=scheme.title,
                start=words.day(start),
                end=words.day(end),
            ),
        )
        if drawn:
            blocks.append(
                Figure(
                    drawn,
                    many(
                        "From {start} to {end}: who stayed is grey, who moved has the colour of the segment they left. "
                        "Moves of fewer than {n} are not drawn.",
                        "From {start} to {end}: who stayed is grey, who moved has the colour of the segment they left. "
                        "Moves of fewer than {n} are not drawn.",
                        shop.least,
                        start=words.day(start),
                        end=words.day(end),
                    ),
                )
            )
    if shown:
        together = int(sum(row["members"] for row in small))
        more = [
            many(
                "{n} more move in the table {table}.",
                "{n} more moves in the table {table}.",
                len(shown) - MOST_MOVES,
                table=words.table("segment_migrations"),
            )
            if len(shown) > MOST_MOVES
            else "",
            many(
                "The smallest moves: {members} customer together.",
                "The smallest moves: {members} customers together.",
                together,
                members=shop.members(together),
            )
            if small
            else "",
        ]
        blocks.append(
            Table(
                say("Moves between segments, {scheme}", scheme=scheme.title),
                [Column(say("From")), Column(say("To")), Column(common.members_heading(scheme), True)],
                [
                    [
                        common.label(segments.label(row["from_segment"])),
                        common.text(segments.label(row["to_segment"])),
                        common.number(int(row["members"]), bar=row["members"] / shown[0]["members"]),
                    ]
                    for row in shown[:MOST_MOVES]
                ],
                more=joined(" ", (line for line in more if line)),
            )
        )
    elif small:
        blocks.append(
            Prose(
                many(
                    "No move is of {n} customer or more: too few to tell one by one.",
                    "No move is of {n} customers or more: too few to tell one by one.",
                    shop.least,
                )
            )
        )
    return blocks


def size_blocks(shop: Shop, scheme: Scheme) -> list[Block]:
    """Members and spend of the segments by month."""
    if not shop.db.has("segment_months", "scheme", "segment", "month", "members", "spend"):
        return []
    rows = shop.db.rows(
        "select segment, month, members, spend from segment_months where scheme = ? order by month, segment",
        (scheme.name,),
    )
    months = sorted({row["month"] for row in rows if row["members"]})[-MOST_MONTHS:]
    if len(months) < 2:
        return []
    cells = {(row["segment"], row["month"]): row for row in rows}
    sizes = grouped([row for row in rows if row["month"] == months[-1] and row["segment"] != UNKNOWN], "segment")
    largest = sorted(sizes, key=lambda name: (-(sizes[name][0]["members"] or 0), name))
    names = [
        name for name in largest if name in scheme.segments.by_name and not shop.is_few(sizes[name][0]["members"])
    ][:MOST_LINES]
    if not names:
        return []

    def value(name: str, month: date, column: str) -> float | None:
        row = cells.get((name, month))
        if row is None or row[column] is None or shop.is_few(row["members"]):
            return None
        return float(row[column])

    blocks: list[Block] = []
    columns = [("members", common.members_heading(scheme))]
    if not scheme.is_of_contacts:
        columns.append(("spend", shop.in_currency(say("Spend"))))
    for column, heading in columns:
        drawn = figures.lines(
            months,
            [(scheme.segments.label(name), [value(name, month, column) for month in months]) for name in names],
            plain(say("{what} of the segments of {scheme} by month", what=heading, scheme=scheme.title)),
        )
        caption = (
            many(
                "{what} by month, the {n} largest segment.",
                "{what} by month, the {n} largest segments.",
                len(names),
                what=heading,
            )
            if len(largest) > len(names)
            else say("{what} by month.", what=heading)
        )
        if column == "members":
            caption = joined(" ", [caption, say("Counted on the first day of each.")])
        table = Table(
            say("{what} by month, {scheme}", what=heading, scheme=scheme.title),
            [Column(say("Month")), *(Column(scheme.segments.label(name), True) for name in names)],
            [
                [
                    Cell(words.month(month), sort=month.isoformat(), css="label"),
                    *(
                        common.number(found, words.short(found))
                        if (found := value(name, month, column)) is not None
                        else Cell(say("withheld") if (name, month) in cells else words.NOTHING, sort=-1.0, css="n")
                        for name in names
                    ),
                ]
                for month in reversed(months)
            ],
        )
        if drawn:
            blocks.append(Figure(drawn, caption, table))
    title = say("Sizes over months") if scheme.is_of_contacts else say("Sizes and spend over months")
    return [Fold(title, blocks)] if blocks else []
