"""What is not known, and what was warned of: rows refused, values without a meaning, the small print.

Belongs here: published rows and the words of the audit in, blocks out. Rows themselves stay in their tables.
Does not belong here: what is checked (orchestration/audit/).
"""

from __future__ import annotations

from orchestration.report import words
from orchestration.report.blocks import Block, Column, Fold, Items, Page, Part, Prose, Table, Terms
from orchestration.report.pages import common, experiments, movement, schemes
from orchestration.report.shop import Shop

MOST_REASONS = 30
MOST_SPELLINGS = 30


def pages(shop: Shop) -> list[Page]:
    """Warnings first, then what is not known, then the account of rows."""
    parts: list[tuple[str, str, list[Block]]] = [
        ("warnings", "Warnings of this refresh", warnings(shop)),
        ("not-known", "What is not known", not_known(shop)),
        ("account", "Where the rows went", account(shop)),
        ("unreadable", "Values that cannot be read", unreadable(shop)),
        ("spellings", "Values without a meaning", spellings(shop)),
        (
            "definitions",
            "Small print: what the numbers mean",
            [Fold("Every number in the order of the pages", [small_print(shop)])],
        ),
    ]
    blocks: list[Block] = [
        Part(heading, found, anchor, anchor != "definitions") for anchor, heading, found in parts if found
    ]
    return [Page("quality", "Data quality", "What is not known, and can the data be trusted?", blocks)]


def warnings(shop: Shop) -> list[Block]:
    """Each warning of the refresh as the terminal has it: where, and its lines."""
    if shop.audit is None:
        return [Prose("The final audit of this file is counted in manifest.json.", "quiet")]
    if not shop.audit.warnings:
        return [Prose("This refresh gave no warning.")]
    found = [
        (words.clean(problem.where), [words.clean(line) for line in problem.message.splitlines() if line.strip()])
        for problem in shop.audit.warnings
    ]
    return [
        Terms([(where, lines[0] if lines else "")])
        if len(lines) < 2
        else Fold(f"{where}: {lines[0]}", [Items(lines[1:])])
        for where, lines in found
    ]


def not_known(shop: Shop) -> list[Block]:
    """Schemes that say nothing, and questions that are open."""
    blocks: list[Block] = []
    kinds = {
        "Whether segments behave differently": [s.title for s in shop.schemes if common.behaves(s)[1] == "not known"],
        "Whether segments were treated differently": [
            s.title for s in shop.schemes if common.treated(s)[1] == "not known"
        ],
        "Whether it pays": [s.title for s in shop.schemes if common.pays(s)[1] == "not known"],
    }
    rows = [
        [common.label(question), common.number(len(names)), common.text(words.listed(names), "long")]
        for question, names in kinds.items()
        if names
    ]
    if rows:
        blocks.append(Table("Open questions", [Column("Not known"), Column("Schemes", True), Column("Which")], rows))
        if experiments.plans(shop):
            told = common.joined("What would settle them: ", [common.link("plans", "the experiments to run")])
            blocks.append(Prose(told, "quiet"))
    return [*blocks, *schemes.unknown_schemes(shop)]


def account(shop: Shop) -> list[Block]:
    """Rows read = used + refused + copies dropped, then refused rows by table and reason, counts only."""
    refresh, db = shop.refresh, shop.db
    blocks: list[Block] = []
    if refresh:
        rows = [
            (label, refresh.get(f"rows_{kind}"))
            for kind, label in (
                ("landed", "rows read"),
                ("staged", "rows used"),
                ("quarantined", "rows refused"),
                ("duplicate", "exact copies dropped"),
            )
        ]
        blocks.append(
            Table(
                "Account of rows",
                [Column("All tables of the landing zone"), Column("Rows", True)],
                [[common.label(words.capital(label)), common.number(number)] for label, number in rows],
                more="Read = used + refused + exact copies dropped. Refused rows are kept aside, with the reason.",
                sortable=False,
            )
        )
        notes = []
        if refresh.get("rows_superseded"):
            notes.append(
                f"{words.counted(refresh['rows_superseded'], 'row')} of those refused superseded: another row of the "
                "same key is "
                "taken, the latest by updated_at, else the one most often landed."
            )
        if refresh.get("rows_not_counted"):
            notes.append(
                f"{words.counted(refresh['rows_not_counted'], 'order line')} of the rows used did not count by "
                "status (cancelled, "
                "failed, unpaid …): in no basket, affinity or spend. Which statuses count is the seed order_statuses."
            )
        if refresh.get("rows_anonymous"):
            notes.append(
                f"{words.counted(refresh['rows_anonymous'], 'order line')} of the rows used with no customer (an "
                "empty customer_id, "
                "or one of the seed guest_ids): in baskets, affinities and totals of spend, in nothing by customer."
            )
        if refresh.get("equal_lines"):
            notes.append(
                f"{words.counted(refresh['equal_lines'], 'order line')} without a line number, worth "
                f"{shop.money(refresh.get('equal_lines_amount'))}, equal one before in the same file. Whether they "
                "count is the "
                "setting equal_lines: keep (two scans) or one (copies)."
            )
        blocks += [Prose(note, "note") for note in notes]
        told = f"Refresh {words.clean(refresh.get('refresh_id'))}"
        finished = f", data complete on {words.moment(refresh['finished_at'])}" if refresh.get("finished_at") else ""
        blocks.append(Prose(f"{told}{finished}.", "quiet"))
    else:
        blocks.append(Prose("This file holds no note of the refresh that made it.", "note"))
    if not db.has("quarantine", "source_table", "reasons"):
        return [*blocks, Prose("This file holds no list of refused rows.", "note")]
    refused = db.rows(
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
    if not refused:
        return [*blocks, Prose("No row was refused.")]
    total = db.rows("select count(*) as n from quarantine")[0]["n"]
    blocks.append(
        Table(
            "Refused rows",
            [Column("Table"), Column("Reason"), Column("Rows", True)],
            [
                [
                    common.label(words.clean(row["source_table"])),
                    common.text(row["reason"]),
                    common.number(row["refused"]),
                ]
                for row in refused[:MOST_REASONS]
            ],
            more=f"{words.counted(total, 'row')} refused; a row with several reasons is counted under each."
            + (
                f" {words.counted(len(refused) - MOST_REASONS, 'more reason')} in the table quarantine."
                if len(refused) > MOST_REASONS
                else ""
            ),
        )
    )
    return blocks


def unreadable(shop: Shop) -> list[Block]:
    """Values of optional columns that could not be read, the most frequent first."""
    if not shop.db.has("unreadable_values", "source_table", "column", "spelling", "rows", "remedy"):
        return []
    rows = shop.db.rows(
        'select source_table, "column" as name, spelling, "rows" as n, remedy from unreadable_values'
        " order by n desc nulls last, source_table, name, spelling"
    )
    if not rows:
        return []
    total = words.counted(sum(row["n"] or 0 for row in rows), "value")
    return [
        Prose(f"{total} of optional columns count as empty; their rows are used.", "quiet"),
        Table(
            "Values that cannot be read",
            [Column("Column"), Column("Value"), Column("Rows", True), Column("What would read it")],
            [
                [
                    common.label(words.clean(f"{row['source_table']}.{row['name']}")),
                    common.text(row["spelling"]),
                    common.number(row["n"]),
                    common.text(row["remedy"]),
                ]
                for row in rows[:MOST_SPELLINGS]
            ],
            more=f"{words.counted(len(rows) - MOST_SPELLINGS, 'more value')} in the table unreadable_values."
            if len(rows) > MOST_SPELLINGS
            else "",
        ),
    ]


def spellings(shop: Shop) -> list[Block]:
    """Values that no seed knows, the most frequent first."""
    if not shop.db.has("unmapped_spellings", "attribute", "spelling", "rows"):
        return []
    rows = shop.db.rows(
        'select attribute, spelling, "rows" from unmapped_spellings order by "rows" desc nulls last, attribute, '
        "spelling"
    )
    if not rows:
        return [Prose("Every value has a meaning.")]
    return [
        Prose(
            f"{words.counted(len(rows), 'value')} that no seed knows: they count as unknown until a row in "
            "seeds/spellings.csv "
            "gives them a meaning.",
            "quiet",
        ),
        Table(
            "Values without a meaning",
            [Column("Column"), Column("Value"), Column("Rows", True)],
            [
                [common.label(words.clean(row["attribute"])), common.text(row["spelling"]), common.number(row["rows"])]
                for row in rows[:MOST_SPELLINGS]
            ],
            more=f"{words.counted(len(rows) - MOST_SPELLINGS, 'more value')} in the table unmapped_spellings."
            if len(rows) > MOST_SPELLINGS
            else "",
        ),
    ]


def small_print(shop: Shop) -> Terms:
    positions = "; ".join(f"{word}: {meaning}" for word, meaning in words.POSITIONS.items())
    currency = (
        f"in {words.clean(shop.currency)}"
        if shop.currency
        else "in the currency of the order lines, which they do not name"
    )
    return Terms(
        [
            (
                "As-of date",
                "The day that the page describes. Only facts of days before it count, in the store's local time.",
            ),
            (
                "Spend",
                f"Net revenue over the year before the as-of date (the RFM window), {currency}; returns lower it.",
            ),
            (
                "Explained by segments (effect)",
                "How much of the differences between members goes along with their segment, 0 to 100 %: eta squared "
                "of the "
                "Kruskal–Wallis test, with segments as they were before the period and outcomes of the period. "
                "Beyond past "
                "spend: the same among members who spent about equally before.",
            ),
            (
                "q",
                "The chance of such a result, or a stronger one, if nothing were there, adjusted for how many "
                "results were "
                "looked at (Benjamini–Hochberg). Below 0.05 counts as found.",
            ),
            (
                "Position: mass, edge, niche",
                f"{words.capital(positions)}. The market is roughly a bell curve, and the money is in its middle.",
            ),
            (
                "Known how (evidence)",
                "observed: from what members do; declared: from their profile; inferred: from other facts; unknown: "
                "not known.",
            ),
            (
                "Difference on paper",
                "Treatments are compared field by field after setting aside case, white space and punctuation. What no "
                "customer sees (positioning, ids, owners, dates) makes no difference.",
            ),
            (
                "Difference in what was sent",
                "Jensen–Shannon distance between the mixes of what members were sent, each member counted once, here "
                "× 100. "
                "A pair can be judged only where a medium difference (w = 0.3) would have been seen with 80 % "
                "chance, and both "
                "segments have enough members; only such pairs are counted.",
            ),
            (
                "Does it pay",
                "Only customers held out at random can say so: uplift is the mean of the treated less the mean of "
                "those held "
                "out; net value is uplift × margin − cost. An open test counts by the interval of all looks at once.",
            ),
            ("Index", "The segment's value ÷ everyone's, members of unknown segment included; 1 is like everyone."),
            (
                "Times as often",
                "Adjusted lift: joint purchases ÷ those expected from the items' frequencies within baskets of like "
                "size "
                "(deciles of distinct items) and, among all baskets, of the same calendar month; in orders over "
                "time, within "
                "customers of like variety.",
            ),
            (
                "Beyond noise",
                "Of a segment's change in a month: those who came less those who left are more than "
                f"{movement.BEYOND_NOISE} times the square "
                "root of both together, which chance brings about once in a thousand.",
            ),
            (
                "Withheld",
                f"Cells of fewer than {shop.least} members are merged or not told (setting min_cell_members); no "
                "customer is "
                "named on any page.",
            ),
        ]
    )
