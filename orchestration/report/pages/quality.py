"""What is not known, and what was warned of: rows refused, values without a meaning, the small print.

Belongs here: published rows and the words of the audit in, blocks out. Rows themselves stay in their tables.
Does not belong here: what is checked (orchestration/audit/).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from orchestration.audit.told import Problem
from orchestration.report import warned, words
from orchestration.report.blocks import Block, Cell, Column, Fold, Items, Page, Part, Prose, Table, Terms, Text
from orchestration.report.figures import cut
from orchestration.report.languages import Foreign, joined, many, say, term
from orchestration.report.pages import common, experiments, movement, schemes
from orchestration.report.shop import Scheme, Shop

MOST_REASONS = 30
MOST_SPELLINGS = 30
# Letters of a warning on the front page.
HEADLINE_LETTERS = 110
# Schemes named together on the front page, and groups of them.
MOST_NAMED = 4
MOST_GROUPS = 3
# 90 %: below, a scheme leaves out more than one member in ten, and its shares are not those of the customers.
ENOUGH_KNOWN = 0.9
# What tells more segments of a scheme: columns of the landing zone (docs/schemes.md), or a target of make.
LANDED = {
    "age_band": "customers: age_band, birth_date",
    "benefit_sought": "companies: benefit_sought; make meanings",
    "buying_role": "company_contacts: job_title",
    "company_size": "companies: employees, annual_revenue",
    "gender": "customers: gender",
    "industry": "companies: industry",
    "job_to_be_done": "make meanings; products: category",
    "life_stage": "customers: birth_date, employment, household_composition, children",
    "lifestyle": "make meanings; products: category",
    "location": "customers: settlement, region, country",
    "money_effort": (
        "customers: annual_income, income_band; order_lines: discount_amount, coupon_amount; products: brand_tier"
    ),
    "process_maturity": "companies: process_maturity; company_contacts: job_title, department",
    "purchase_motive": "make meanings; products: category",
    "socioeconomic": "customers: annual_income, income_band, employment, home_ownership",
}


# Columns whose values other seeds than spellings give a meaning.
STATUS, JOB_TITLE, MATURITY = "status", "job_title", "process_maturity"
# Columns that are read as the number that they begin with: no seed has rows for them.
NUMBERS = ("household_size", "children")


def pages(shop: Shop) -> list[Page]:
    """Warnings first, then what is not known, then the account of rows."""
    parts: list[tuple[str, str, list[Block]]] = [
        ("warnings", say("Warnings of this refresh"), warnings(shop)),
        ("not-known", say("What is not known"), not_known(shop)),
        ("account", say("Where the rows went"), account(shop)),
        ("unreadable", say("Values that cannot be read"), unreadable(shop)),
        ("spellings", say("Values without a meaning"), spellings(shop)),
        (
            "definitions",
            say("Small print: what the numbers mean"),
            [Fold(say("Every number in the order of the pages"), [small_print(shop)])],
        ),
    ]
    blocks: list[Block] = [
        Part(heading, found, anchor, anchor != "definitions") for anchor, heading, found in parts if found
    ]
    return [Page("quality", say("Data quality"), say("What is not known, and can the data be trusted?"), blocks)]


def headline(problem: Problem) -> Text:
    """A warning in one sentence, short enough for the front page."""
    said = warned.headline(problem)
    if len(said) <= HEADLINE_LETTERS:
        return said
    # Between words, unless it is one long one.
    shorter = textwrap.shorten(said, HEADLINE_LETTERS, placeholder=" …")
    return words.published(shorter) if len(shorter) > 2 else cut(said, HEADLINE_LETTERS)


def warnings(shop: Shop) -> list[Block]:
    """Each warning in a plain sentence; folded the words of the terminal, with the name of the check. Words that may
    name somebody are for the terminal alone."""
    if shop.audit is None:
        return [Prose(say("The final audit of this file is counted in manifest.json."), "quiet")]
    if not shop.audit.warnings:
        return [Prose(say("This refresh gave no warning."))]
    blocks: list[Block] = []
    for problem in shop.audit.warnings:
        if warned.may_name_somebody(problem):
            where = say(
                "Who it is, the terminal and the check {check} in Dagster say; no page names anybody.",
                check=words.table(problem.where),
            )
            blocks += [Prose(headline(problem)), Fold(say("Where the details are"), [Prose(where)])]
            continue
        lines = [words.published(line) for line in problem.message.splitlines() if line.strip()]
        check = Prose(say("Check: {check}.", check=words.table(problem.where)), "quiet")
        # The sentence is printed, its fold is not.
        blocks += [Prose(headline(problem)), Fold(say("With its numbers, and what to do"), [Items(lines), check])]
    return blocks


# What is not known


def coverage(scheme: Scheme) -> tuple[int, int] | None:
    """Members whose segment is known, and all of the audience; nothing where the file does not say."""
    share, known = scheme.card.get("coverage"), scheme.card.get("members")
    if share is None or known is None:
        return None
    if share > 0:
        return int(known), round(known / share)
    everyone = sum(row.get("members") or 0 for row in scheme.segments.by_name.values())
    return int(known), everyone


def little_known(shop: Shop) -> list[tuple[Scheme, int, int]]:
    """Schemes that do not know many of their audience: known, all; the least known first."""
    found = []
    for scheme in [*shop.schemes, *shop.nothing_known]:
        counted = coverage(scheme)
        if counted and counted[1] and counted[0] < ENOUGH_KNOWN * counted[1]:
            found.append((scheme, *counted))
    return sorted(found, key=lambda one: (one[1] / one[2], one[0].name))


def coverage_table(shop: Shop) -> list[Block]:
    found = little_known(shop)
    if not found:
        return []
    return [
        Table(
            say("Whose segment is not known"),
            [
                Column(say("Scheme")),
                Column(say("Known"), True),
                Column(say("Of"), True),
                Column(say("Share"), True),
                Column(say("What to land")),
            ],
            [
                [
                    common.label(common.link(scheme.anchor, scheme.title) if known else scheme.title),
                    common.members(shop, known),
                    common.number(everyone),
                    common.number(
                        known / everyone,
                        words.NOTHING if shop.is_few(known) else words.share(known / everyone),
                        bar=None if shop.is_few(known) else known / everyone,
                    ),
                    Cell(to_land(scheme), css="long"),
                ]
                for scheme, known, everyone in found
            ],
            paper_rows=len(found),
        )
    ]


def to_land(scheme: Scheme) -> Text:
    """What would tell more segments: columns of the landing zone, or a seed."""
    known = LANDED.get(scheme.name)
    return words.table(known) if known else say("see {docs}", docs=words.table("docs/schemes.md"))


def in_short(shop: Shop) -> list[Text]:
    """For the front page: whom the segments do not know, and which of the three questions is open."""
    lines: list[Text] = []
    found = little_known(shop)
    groups: dict[str, list[str]] = {}
    for scheme, known, everyone in found:
        if not shop.is_few(known):
            groups.setdefault(words.percent(known / everyone) if known else "0\u00a0%", []).append(scheme.title)
    parts = [
        say("{schemes} (each {share})", share=share, schemes=words.listed(names[:MOST_NAMED]))
        if len(names) > 1
        else say("{schemes} ({share})", share=share, schemes=names[0])
        for share, names in list(groups.items())[:MOST_GROUPS]
    ]
    if parts:
        lines.append(
            say(
                "Not everybody's segment is known: {parts}; {link}.",
                parts=joined(", ", parts),
                link=common.link("not-known", say("what data to add")),
            )
        )
    waiting, _ = common.waiting_for_consent(shop)
    if waiting and not shop.is_few(waiting):
        lines.append(
            many(
                "Whether {n} customer wants your messages: no consent on record ({link}).",
                "Whether {n} customers want your messages: no consent on record ({link}).",
                waiting,
                link=common.link("audiences", say("whom to contact")),
            )
        )
    unpaid = sum(common.pays(scheme)[1] == common.NOT_KNOWN for scheme in shop.schemes)
    if unpaid:
        lines.append(
            many(
                "Whether {n} scheme pays ({link}).",
                "Whether {n} schemes pay ({link}).",
                unpaid,
                link=common.link("pays", say("what to test next")),
            )
        )
    return lines


def not_known(shop: Shop) -> list[Block]:
    """Members without a segment, schemes that say nothing, and questions that are open."""
    blocks: list[Block] = coverage_table(shop)
    kinds = {
        say("Whether segments behave differently"): [
            s.title for s in shop.schemes if common.behaves(s)[1] == common.NOT_KNOWN
        ],
        say("Whether segments were treated differently"): [
            s.title for s in shop.schemes if common.treated(s)[1] == common.NOT_KNOWN
        ],
        say("Whether it pays"): [s.title for s in shop.schemes if common.pays(s)[1] == common.NOT_KNOWN],
    }
    rows = [
        [common.label(question), common.number(len(names)), common.text(words.listed(names), "long")]
        for question, names in kinds.items()
        if names
    ]
    if rows:
        blocks.append(
            Table(
                say("Open questions"),
                [Column(say("Not known")), Column(say("Schemes"), True), Column(say("Which"))],
                rows,
            )
        )
        if experiments.plans(shop):
            told = say("What would settle them: {link}.", link=common.link("plans", say("the experiments to run")))
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
                ("landed", say("Rows read")),
                ("staged", say("Rows used")),
                ("quarantined", say("Rows refused")),
                ("duplicate", say("Exact copies dropped")),
            )
        ]
        blocks.append(
            Table(
                say("Account of rows"),
                [Column(say("All tables of the landing zone")), Column(say("Rows"), True)],
                [[common.label(label), common.number(number)] for label, number in rows],
                more=say("Read = used + refused + exact copies dropped. Refused rows are kept aside, with the reason."),
                sortable=False,
            )
        )
        notes = []
        if refresh.get("rows_superseded"):
            notes.append(
                many(
                    "{n} row of those refused superseded: another row of the same key is taken, the latest by "
                    "{updated_at}, else the one most often landed.",
                    "{n} rows of those refused superseded: another row of the same key is taken, the latest by "
                    "{updated_at}, else the one most often landed.",
                    refresh["rows_superseded"],
                    updated_at=words.table("updated_at"),
                )
            )
        if refresh.get("rows_not_counted"):
            notes.append(
                many(
                    "{n} order line of the rows used did not count by status (cancelled, failed, unpaid …): in no "
                    "basket, affinity or spend. Which statuses count is the seed {seed}.",
                    "{n} order lines of the rows used did not count by status (cancelled, failed, unpaid …): in no "
                    "basket, affinity or spend. Which statuses count is the seed {seed}.",
                    refresh["rows_not_counted"],
                    seed=words.table("order_statuses"),
                )
            )
        if refresh.get("rows_anonymous"):
            notes.append(
                many(
                    "{n} order line of the rows used with no customer (an empty {customer_id}, or one of the seed "
                    "{seed}): in baskets, affinities and totals of spend, in nothing by customer.",
                    "{n} order lines of the rows used with no customer (an empty {customer_id}, or one of the seed "
                    "{seed}): in baskets, affinities and totals of spend, in nothing by customer.",
                    refresh["rows_anonymous"],
                    customer_id=words.table("customer_id"),
                    seed=words.table("guest_ids"),
                )
            )
        if refresh.get("equal_lines"):
            notes.append(
                many(
                    "{n} order line without a line number, worth {amount}, equal one before in the same file. Whether "
                    "they count is the setting {setting}: {keep} (two scans) or {one} (copies).",
                    "{n} order lines without a line number, worth {amount}, equal one before in the same file. Whether "
                    "they count is the setting {setting}: {keep} (two scans) or {one} (copies).",
                    refresh["equal_lines"],
                    amount=shop.money(refresh.get("equal_lines_amount")),
                    setting=words.table("equal_lines"),
                    keep=words.table("keep"),
                    one=words.table("one"),
                )
            )
        blocks += [Prose(note, "note") for note in notes]
        told = (
            say(
                "Refresh {refresh}, finished on {moment}.",
                refresh=words.table(words.clean(refresh.get("refresh_id"))),
                moment=words.moment(refresh["finished_at"]),
            )
            if refresh.get("finished_at")
            else say("Refresh {refresh}.", refresh=words.table(words.clean(refresh.get("refresh_id"))))
        )
        blocks.append(Prose(told, "quiet"))
    else:
        blocks.append(Prose(say("This file holds no note of the refresh that made it."), "note"))
    if not db.has("quarantine", "source_table", "reasons"):
        return [*blocks, Prose(say("This file holds no list of refused rows."), "note")]
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
        return [*blocks, Prose(say("No row was refused."))]
    total = db.rows("select count(*) as n from quarantine")[0]["n"]
    blocks.append(
        Table(
            say("Refused rows"),
            [Column(say("Table")), Column(say("Reason")), Column(say("Rows"), True)],
            [
                [
                    common.label(words.published(row["source_table"])),
                    common.text(words.published(row["reason"])),
                    common.number(row["refused"]),
                ]
                for row in refused[:MOST_REASONS]
            ],
            more=joined(
                " ",
                [
                    many(
                        "{n} row refused; a row with several reasons is counted under each.",
                        "{n} rows refused; a row with several reasons is counted under each.",
                        total,
                    ),
                    *(
                        [
                            many(
                                "{n} more reason in the table {table}.",
                                "{n} more reasons in the table {table}.",
                                len(refused) - MOST_REASONS,
                                table=words.table("quarantine"),
                            )
                        ]
                        if len(refused) > MOST_REASONS
                        else []
                    ),
                ],
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
    total = sum(row["n"] or 0 for row in rows)
    return [
        Prose(
            many(
                "{n} value of optional columns count as empty; their rows are used.",
                "{n} values of optional columns count as empty; their rows are used.",
                total,
            ),
            "quiet",
        ),
        Table(
            say("Values that cannot be read"),
            [Column(say("Column")), Column(say("Value")), Column(say("Rows"), True), Column(say("What would read it"))],
            [
                [
                    common.label(words.published(f"{row['source_table']}.{row['name']}")),
                    common.text(Foreign(words.clean(row["spelling"]))),
                    common.number(row["n"]),
                    common.text(words.published(row["remedy"])),
                ]
                for row in rows[:MOST_SPELLINGS]
            ],
            more=many(
                "{n} more value in the table {table}.",
                "{n} more values in the table {table}.",
                len(rows) - MOST_SPELLINGS,
                table=words.table("unreadable_values"),
            )
            if len(rows) > MOST_SPELLINGS
            else "",
        ),
    ]


def spellings(shop: Shop) -> list[Block]:
    """Values that no seed knows, the most frequent first."""
    if not shop.db.has("unmapped_spellings", "attribute", "spelling", "rows"):
        return []
    # Files of before it lack the table.
    table = "source_table" if shop.db.has("unmapped_spellings", "source_table") else "cast(null as varchar)"
    rows = shop.db.rows(
        f'select {table} as source_table, attribute, spelling, "rows" from unmapped_spellings order by "rows" desc '
        "nulls last, source_table, attribute, spelling"
    )
    if not rows:
        return [Prose(say("Every value has a meaning."))]
    return [
        *(Prose(note, "quiet") for note in what_gives_a_meaning([row["attribute"] for row in rows])),
        Table(
            say("Values without a meaning"),
            [Column(say("Column")), Column(say("Value")), Column(say("Rows"), True)],
            [
                [
                    common.label(words.published(".".join(filter(None, (row["source_table"], row["attribute"]))))),
                    common.text(Foreign(words.clean(row["spelling"]))),
                    common.number(row["rows"]),
                ]
                for row in rows[:MOST_SPELLINGS]
            ],
            more=many(
                "{n} more value in the table {table}.",
                "{n} more values in the table {table}.",
                len(rows) - MOST_SPELLINGS,
                table=words.table("unmapped_spellings"),
            )
            if len(rows) > MOST_SPELLINGS
            else "",
        ),
    ]


def what_gives_a_meaning(attributes: Sequence[str]) -> list[str]:
    """What values without a meaning count as until a seed (of numbers: the file) gives them one, a sentence for each
    that concerns any."""
    statuses, titles = attributes.count(STATUS), attributes.count(JOB_TITLE)
    levels = attributes.count(MATURITY)
    numbers = sum(map(attributes.count, NUMBERS))
    others = len(attributes) - statuses - titles - levels - numbers
    notes = (
        (
            others,
            many(
                "{n} value that no seed knows: they count as unknown until a row in {seed} gives them a meaning.",
                "{n} values that no seed knows: they count as unknown until a row in {seed} gives them a meaning.",
                others,
                seed=words.table("seeds/spellings.csv"),
            ),
        ),
        (
            numbers,
            many(
                "{n} household size or number of children that does not begin with a number: it counts as unknown "
                "until its file gives a number.",
                "{n} household sizes or numbers of children that do not begin with a number: they count as unknown "
                "until their files give numbers.",
                numbers,
            ),
        ),
        (
            statuses,
            many(
                "{n} status that no seed knows: its lines count as sales until a row in {seed} says that they do not.",
                "{n} statuses that no seed knows: their lines count as sales until a row in {seed} says that they do "
                "not.",
                statuses,
                seed=words.table("seeds/order_statuses.csv"),
            ),
        ),
        (
            titles,
            many(
                "{n} job title that tells no role: it counts as unknown until a row in {seed} tells one.",
                "{n} job titles that tell no role: they count as unknown until a row in {seed} tells one.",
                titles,
                seed=words.table("seeds/job_titles.csv"),
            ),
        ),
        (
            levels,
            many(
                "{n} process maturity that is no level of {seed}: it counts as not declared; correct it in the file.",
                "{n} process maturities that are no level of {seed}: they count as not declared; correct them in the "
                "file.",
                levels,
                seed=words.table("seeds/segment_definitions.csv"),
            ),
        ),
    )
    return [note for number, note in notes if number]


def small_print(shop: Shop) -> Terms:
    positions = "; ".join(f"{term('position', word)}: {meaning}" for word, meaning in shop.positions.items())
    spend = (
        many(
            "Net revenue on the {n} day before the as-of date (the behaviour window), in {currency}; returns lower it.",
            "Net revenue on the {n} days before the as-of date (the behaviour window), in {currency}; returns lower "
            "it.",
            shop.window_days,
            currency=words.table(words.clean(shop.currency)),
        )
        if shop.currency
        else many(
            "Net revenue on the {n} day before the as-of date (the behaviour window), in the currency of the order "
            "lines, which they do not name; returns lower it.",
            "Net revenue on the {n} days before the as-of date (the behaviour window), in the currency of the order "
            "lines, which they do not name; returns lower it.",
            shop.window_days,
        )
    )
    return Terms(
        [
            (
                say("As-of date"),
                say("The day that the page describes. Only facts of days before it count, in the store's local time."),
            ),
            (say("Spend"), spend),
            (
                say("Explained by segments (effect)"),
                say(
                    "How much of the differences between members goes along with their segment, 0 to 100 %: eta "
                    "squared of the Kruskal–Wallis test, with segments as they were before the period and outcomes of "
                    "the period. Beyond past spend: the same among members who spent about equally before."
                ),
            ),
            (
                "q",
                say(
                    "The chance of such a result, or a stronger one, if nothing were there, adjusted for how many "
                    "results were looked at (Benjamini–Hochberg). Below 0.05 counts as found."
                ),
            ),
            (
                say("Position: mass, edge, niche"),
                say(
                    "{positions}. The market is roughly a bell curve, and the money is in its middle.",
                    positions=words.capital(positions),
                ),
            ),
            (
                say("Known how (evidence)"),
                say(
                    "observed: from what members do; declared: from their profile; inferred: from other facts; "
                    "unknown: not known."
                ),
            ),
            (
                say("Difference on paper"),
                say(
                    "Treatments are compared field by field after setting aside case, white space and punctuation. "
                    "What no customer sees (positioning, ids, owners, dates) makes no difference."
                ),
            ),
            (
                say("Difference in what was sent"),
                say(
                    "Jensen–Shannon distance between the mixes of what members were sent, each member counted once, "
                    "here × 100. A pair can be judged only where a medium difference (w = 0.3) would have been seen "
                    "with 80 % chance, and both segments have enough members; only such pairs are counted."
                ),
            ),
            (
                say("Does it pay"),
                say(
                    "Only customers held out at random can say so: uplift is the mean of the treated less the mean of "
                    "those held out; net value is uplift × margin − cost. An open test counts by the interval of all "
                    "looks at once."
                ),
            ),
            (
                say("Index"),
                say("The segment's value ÷ everyone's, members of unknown segment included; 1 is like everyone."),
            ),
            (
                say("Times as often"),
                say(
                    "Adjusted lift: joint purchases ÷ those expected from the items' frequencies within baskets of "
                    "like size (deciles of distinct items) and, among all baskets, of the same calendar month; in "
                    "orders over time, within customers of like variety."
                ),
            ),
            (
                say("Beyond noise"),
                say(
                    "Of a segment's change since the day that stands with it: those who came less those who left are "
                    "more than {times} times the square root of both together, which chance brings about once in a "
                    "thousand.",
                    times=words.decimals(movement.BEYOND_NOISE, 1),
                ),
            ),
            (
                say("Withheld"),
                many(
                    "Cells of fewer than {n} member are merged or not told (setting {setting}); no customer is named "
                    "on any page.",
                    "Cells of fewer than {n} members are merged or not told (setting {setting}); no customer is named "
                    "on any page.",
                    shop.least,
                    setting=words.table("min_cell_members"),
                ),
            ),
        ]
    )
