"""What pays, and what to test next: outcomes against holdouts, the worth of telling segments apart, plans.

Belongs here: treatment_outcomes, segment_treatment_values, segmentation_dividend, experiment_plans in, blocks out.
Does not belong here: how an interval is computed (orchestration/accountability/).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestration.accountability.plans import LONGEST_WAIT
from orchestration.report import figures, words
from orchestration.report.blocks import Block, Cell, Column, Fold, Page, Part, Prose, Table
from orchestration.report.languages import C_, joined, many, say, term
from orchestration.report.pages import common
from orchestration.report.published import Row
from orchestration.report.shop import Scheme, Segments, Shop

MOST_ROWS = 60
# Experiments that are shown at once; the rest, which take more members still, are folded.
MOST_PLANS = 8
# Below this the groups are not of the sizes that were drawn, and the comparison is void.
MISMATCH = 0.001


def pages(shop: Shop) -> list[Page]:
    """The tests of all, the dividend of each scheme, the plans."""
    db = shop.db
    rows = [
        row
        for row in db.table("treatment_outcomes", "scheme", "segment", "treatment_id", "outcome")
        if row["scheme"] == "all"
    ]
    blocks: list[Block] = []
    tested = outcome_table(shop, rows, None, say("Tested treatments"))
    if tested:
        blocks.append(Part(say("What was sent, against customers held out"), tested, "tested"))
    else:
        blocks.append(
            Prose(
                say(
                    "Nothing was tested against customers held out at random yet, so nobody can say what pays. Below: "
                    "what to test, and how many customers it takes."
                ),
                "note",
            )
        )
    divided = dividends(shop)
    if divided:
        blocks.append(Part(say("Does telling segments apart pay?"), divided, "dividend"))
    planned = plans(shop)
    if planned:
        blocks.append(Part(say("What to test next"), planned, "plans"))
    return [Page("pays", say("What pays"), say("What pays, and what to test next?"), blocks)]


def _interval(row: Row) -> figures.Interval | None:
    """What the verdict goes by: when closed the difference after CUPED, while open the plain one and its sequence."""
    if row.get("is_closed") and row.get("cuped_uplift") is not None:
        return figures.Interval(row["cuped_uplift"], row.get("cuped_ci_low"), row.get("cuped_ci_high"))
    if row.get("uplift") is None:
        return None
    return figures.Interval(
        row["uplift"], row.get("ci_low"), row.get("ci_high"), row.get("always_low"), row.get("always_high")
    )


def _range(low: Any, high: Any) -> str:
    """An interval in words; an end that is not known is open."""
    if low is None and high is None:
        return words.NOTHING
    return say(
        "{low} to {high}",
        low=words.decimals(low) if low is not None else "−∞",
        high=words.decimals(high) if high is not None else "∞",
    )


def _net_range(row: Row) -> str:
    """The interval of the net value that decides whether it pays; nothing where none is known."""
    low, high = row.get("verdict_net_low"), row.get("verdict_net_high")
    return "" if low is None and high is None else _range(low, high)


def outcome_table(shop: Shop, rows: Sequence[Row], segments: Segments | None, title: str) -> list[Block]:
    """Each test against customers held out at random, with both intervals; the largest groups first."""
    told = [row for row in rows if not shop.is_few(row.get("n_treated")) and not shop.is_few(row.get("n_holdout"))]
    ordered = sorted(
        told,
        key=lambda row: (str(row["treatment_id"]), -(row.get("n_treated") or 0), row["segment"], row["outcome"]),
    )
    if not ordered:
        return []
    # One scale for each outcome: baskets and money do not share one.
    scales = {}
    for outcome in {row["outcome"] for row in ordered}:
        found = [i for row in ordered if row["outcome"] == outcome and not _is_void(row) and (i := _interval(row))]
        scales[outcome] = figures.scale_of(found)

    def cells(row: Row) -> list[Cell]:
        if _is_void(row):
            void = say("void: the groups are not of the sizes that were drawn")
            return [Cell(void, sort=""), *[common.text(None)] * 3]
        found = _interval(row)
        drawn = figures.interval(found, *scales[row["outcome"]]) if found else words.NOTHING
        looks = found and (found.always_low is not None or found.always_high is not None)
        note = say("all looks: {range}", range=_range(found.always_low, found.always_high)) if found and looks else ""
        brought = found.estimate if found else None
        return [
            common.number(brought, words.decimals(brought)),
            Cell(drawn),
            Cell(_range(found.low, found.high) if found else words.NOTHING, note=note, css="n"),
            common.number(
                row.get("verdict_net_value"), words.decimals(row.get("verdict_net_value")), note=_net_range(row)
            ),
        ]

    def whom(row: Row) -> str:
        return say("everyone") if row["segment"] == "all" or segments is None else segments.label(row["segment"])

    def state(row: Row) -> str:
        if row.get("is_closed") is None:
            return words.NOTHING
        return term("test", C_("test", "closed") if row["is_closed"] else C_("test", "open"))

    return [
        Prose(
            joined(
                " ",
                [
                    say(
                        "Each row: members who were treated against members held out at random. The dot is what it "
                        "brought a member, the thick line what chance leaves possible now that the test is closed, "
                        "past spend taken into account; while it is open, only the thin line counts, which allows for "
                        "looking every day. Clear of the upright line at 0, it is more than chance; and it pays where "
                        "the net value, beneath which its own interval stands, is above 0 from end to end."
                    ),
                    *(
                        [say("Amounts are in {currency}.", currency=words.table(words.clean(shop.currency)))]
                        if shop.currency
                        else []
                    ),
                ],
            ),
            "quiet",
        ),
        Table(
            title,
            [
                Column(say("Treatment")),
                Column(say("Whom")),
                Column(say("Outcome")),
                Column(say("Treated"), True, minor=True),
                Column(say("Held out"), True, minor=True),
                Column(say("Uplift a member"), True),
                Column(say("Interval")),
                Column(say("95 %"), True, minor=True),
                Column(shop.in_currency(say("Net value a member")), True),
                Column(say("Test"), minor=True),
            ],
            [
                [
                    common.label(
                        shop.arm(row.get("experiment_id"), row["treatment_id"]),
                        title=words.clean(row.get("experiment_id")),
                    ),
                    common.text(whom(row)),
                    common.text(words.outcome_name(row["outcome"])),
                    common.number(row.get("n_treated")),
                    common.number(row.get("n_holdout")),
                    *cells(row),
                    common.text(state(row)),
                ]
                for row in ordered[:MOST_ROWS]
            ],
            more=many(
                "{n} more row in the table {table}.",
                "{n} more rows in the table {table}.",
                len(ordered) - MOST_ROWS,
                table=words.table("treatment_outcomes"),
            )
            if len(ordered) > MOST_ROWS
            else "",
        ),
        Fold(
            say("How sure"),
            [
                Table(
                    say("{table}: how sure", table=title),
                    [
                        Column(say("Treatment")),
                        Column(say("Whom")),
                        Column(say("Outcome")),
                        Column(say("q"), True),
                        Column(say("Smallest effect it could see"), True),
                        Column(say("Without past spend taken into account"), True),
                    ],
                    [
                        [
                            common.label(shop.arm(row.get("experiment_id"), row["treatment_id"])),
                            common.text(whom(row)),
                            common.text(words.outcome_name(row["outcome"])),
                            common.number(row.get("q_value"), words.chance(row.get("q_value"))),
                            common.number(
                                row.get("minimum_detectable_effect"),
                                words.decimals(row.get("minimum_detectable_effect")),
                            ),
                            common.number(
                                row.get("uplift"),
                                words.decimals(row.get("uplift")),
                                note=_range(row.get("ci_low"), row.get("ci_high")),
                            ),
                        ]
                        for row in ordered[:MOST_ROWS]
                        if not _is_void(row)
                    ],
                )
            ],
        ),
    ]


def _days(days: int | None) -> str | None:
    """How long a test takes; what nobody waits for is said so."""
    return say("over 10 years") if days is not None and days > LONGEST_WAIT else None


def _is_void(row: Row) -> bool:
    return row.get("srm_p_value") is not None and row["srm_p_value"] < MISMATCH


def dividends(shop: Shop) -> list[Block]:
    """What treating segments differently earns beyond the one best treatment for all."""
    rows = shop.db.table("segmentation_dividend", "scheme", "experiment_id")
    rows = [row for row in rows if not shop.is_few(row.get("members"))]
    if not rows:
        return []
    # What pays first.
    ranks = {verdict: place for place, verdict in enumerate(words.DIVIDENDS)}
    rows.sort(key=lambda row: ranks.get(row["verdict"], len(ranks)))
    scale = figures.scale_of(
        [figures.Interval(r["dividend"], r["ci_low"], r["ci_high"]) for r in rows if r["dividend"] is not None]
    )

    def drawn(row: Row) -> Any:
        if row["dividend"] is None:
            return words.NOTHING
        return figures.interval(figures.Interval(row["dividend"], row["ci_low"], row["ci_high"]), *scale)

    return [
        Prose(
            say(
                "The worth a member of giving each segment its best treatment, less that of the one best treatment for "
                "everybody, both judged on customers who were not used to choose them."
            ),
            "quiet",
        ),
        Table(
            say("Segmentation dividend"),
            [
                Column(say("Scheme")),
                Column(say("Verdict")),
                Column(say("Best for all")),
                Column(shop.in_currency(say("Its value")), True, minor=True),
                Column(shop.in_currency(say("By segment")), True, minor=True),
                Column(shop.in_currency(say("Difference a member")), True),
                Column(say("Interval")),
                Column(shop.in_currency(say("Together")), True),
            ],
            [
                [
                    common.label(
                        common.link(shop.scheme(row["scheme"]).anchor or "schemes", shop.scheme(row["scheme"]).title),
                        title=words.clean(row["experiment_id"]),
                    ),
                    Cell(
                        common.badge(
                            words.value("dividend", row["verdict"]), words.mark(words.DIVIDENDS, row["verdict"])
                        ),
                        sort=row["verdict"],
                    ),
                    # Nothing where nothing was computed; to send nothing is `none`.
                    common.text(
                        shop.arm(row["experiment_id"], row["one_treatment"]) if row.get("one_treatment") else None
                    ),
                    common.number(row.get("value_one"), words.decimals(row.get("value_one"))),
                    common.number(row.get("value_by_segment"), words.decimals(row.get("value_by_segment"))),
                    common.number(
                        row["dividend"], words.decimals(row["dividend"]), note=_range(row["ci_low"], row["ci_high"])
                    ),
                    Cell(drawn(row)),
                    common.money(row.get("dividend_total")),
                ]
                for row in rows
            ],
        ),
        Fold(
            say("How sure"),
            [
                Table(
                    say("Why these verdicts"),
                    [Column(say("Scheme")), Column(say("Members"), True), Column(say("p"), True), Column(say("Why"))],
                    [
                        [
                            common.label(shop.scheme(row["scheme"]).title),
                            common.number(row.get("members")),
                            common.number(row.get("p_value"), words.chance(row.get("p_value"))),
                            common.text(shop.scheme(row["scheme"]).segments.said(row.get("why")), "long"),
                        ]
                        for row in rows
                    ],
                )
            ],
        ),
    ]


def values(shop: Shop, scheme: Scheme) -> list[Block]:
    """What each arm is worth in each segment, the best first."""
    rows = [
        row
        for row in shop.db.table("segment_treatment_values", "scheme", "segment", "experiment_id", "treatment_id")
        if row["scheme"] == scheme.name and not shop.is_few(row.get("members"))
    ]
    if not rows:
        return []
    ordered = sorted(
        rows,
        key=lambda r: (
            r["experiment_id"],
            scheme.segments.label(r["segment"]),
            -(r.get("probability_best") or 0.0),
            r["treatment_id"],
        ),
    )
    return [
        Fold(
            say("What each treatment is worth in each segment"),
            [
                Prose(
                    say(
                        "Value a member: what was earned less what was sent. Small groups are drawn towards the mean "
                        "of their treatment, so that chance does not choose."
                    ),
                    "quiet",
                ),
                Table(
                    say("Worth of treatments by segment, {scheme}", scheme=scheme.title),
                    [
                        Column(say("Segment")),
                        Column(say("Treatment")),
                        Column(say("Members"), True, minor=True),
                        Column(shop.in_currency(say("Value a member")), True),
                        Column(shop.in_currency(say("Drawn to the mean")), True),
                        Column(say("Chance to be the best"), True),
                    ],
                    [
                        [
                            common.label(
                                scheme.segments.label(row["segment"]), title=words.clean(row["experiment_id"])
                            ),
                            common.text(shop.arm(row["experiment_id"], row["treatment_id"])),
                            common.number(row.get("members")),
                            common.number(
                                row.get("mean_value"),
                                words.decimals(row.get("mean_value")),
                                note=_range(row.get("ci_low"), row.get("ci_high")),
                            ),
                            common.number(row.get("shrunken_value"), words.decimals(row.get("shrunken_value"))),
                            common.share(row.get("probability_best"), bar=True),
                        ]
                        for row in ordered[: 4 * MOST_ROWS]
                    ],
                ),
            ],
        )
    ]


def plan_rows(shop: Shop) -> list[Row]:
    """Plans of schemes that somebody is in; those with enough members first, then those nearest to it."""
    known = {scheme.name for scheme in shop.schemes}
    rows = [
        row
        for row in shop.db.table("experiment_plans", "scheme", "question")
        if row["scheme"] in known and row.get("members_needed") is not None and row.get("members_available") is not None
    ]
    return sorted(
        rows,
        key=lambda row: (
            -(min(1.0, row["members_available"] / max(row["members_needed"], 1))),
            -(row.get("foregone_value") or 0.0),
            row["scheme"],
            row["question"],
        ),
    )


def shown_by_today(shop: Shop) -> Row | None:
    """Where no scheme has members enough to learn whether it pays: the plan by which those of today would show the
    least difference a member. None where one has enough, or nothing is planned."""
    rows = [
        row
        for row in plan_rows(shop)
        if row["question"] == "pays" and row.get("smallest_effect") and not shop.is_few(row["members_available"])
    ]
    if not rows or any(row["members_available"] >= row["members_needed"] for row in rows):
        return None
    return min(rows, key=lambda row: (float(row["smallest_effect"]), row["scheme"]))


def in_days(shop: Shop) -> str:
    """How long an outcome is counted, where the file says it."""
    days = shop.settings.get("outcome_days")
    return many(" in {n} day", " in {n} days", days) if days else ""


def effect_shown(shop: Shop, plan: Row) -> str:
    """The least difference a member that a plan would show, with its share of what they spend where that is known."""
    effect, wanted, share = plan["smallest_effect"], plan.get("effect_of_interest"), shop.settings.get("least_dividend")
    if not wanted or not share:
        return shop.money(effect)
    return say(
        "{money} ({share} of their spend)",
        money=shop.money(effect),
        share=words.percent(effect / wanted * float(share)),
    )


def _question(question: str) -> str:
    """What an experiment would settle."""
    known = words.QUESTIONS.get(question)
    return say(known) if known else words.identifier(question)


def plans(shop: Shop) -> list[Block]:
    """What experiment would settle what is open."""
    rows = [row for row in plan_rows(shop) if not shop.is_few(row["members_available"])]
    if not rows:
        return []
    able = sum(row["members_available"] >= row["members_needed"] for row in rows)
    # Where no margin is known, nobody knows what is foregone.
    has_costs = any(row.get("foregone_value") is not None for row in rows)
    lead = (
        many(
            "{n} test of {all} can be answered with the members of today.",
            "{n} tests of {all} can be answered with the members of today.",
            able,
            all=words.count(len(rows)),
        )
        if able
        else say(
            "With the members of today only large differences show: the table says how large. The test to begin with "
            "comes first, then those nearest to showing a small one."
        )
    )

    def table(title: str, found: Sequence[Row]) -> Table:
        return Table(
            title,
            [
                Column(say("Scheme")),
                Column(say("Question")),
                Column(shop.in_currency(say("Difference to see")), True, minor=True),
                Column(say("Members needed"), True),
                Column(say("There are"), True),
                Column(say("Days"), True, minor=True),
                Column(shop.in_currency(say("Today's members would show")), True, minor=True),
                *([Column(shop.in_currency(say("Cost of trying")), True, minor=True)] if has_costs else []),
            ],
            [
                [
                    common.label(common.link(shop.scheme(row["scheme"]).anchor, shop.scheme(row["scheme"]).title)),
                    common.text(_question(row["question"])),
                    common.number(row.get("effect_of_interest"), words.decimals(row.get("effect_of_interest"))),
                    common.number(row["members_needed"]),
                    common.number(
                        row["members_available"],
                        bar=row["members_available"] / row["members_needed"] if row["members_needed"] else None,
                    ),
                    common.number(row.get("days"), _days(row.get("days"))),
                    common.number(row.get("smallest_effect"), words.decimals(row.get("smallest_effect"))),
                    *([common.money(row.get("foregone_value"))] if has_costs else []),
                ]
                for row in found
            ],
        )

    blocks: list[Block] = [Prose(lead)]
    first = shown_by_today(shop) if not able else None
    if first is not None and first in rows:
        # What the front page says of it stands here unfolded.
        rows = [first, *(row for row in rows if row != first)]
        title = shop.scheme(first["scheme"]).title
        blocks.append(
            Prose(
                many(
                    "One to begin with: send one big offer to a random half of the {n} member of {scheme}, and nothing "
                    "to the rest. Whether it pays shows if it brings {effect} a member{time} or more.",
                    "One to begin with: send one big offer to a random half of the {n} members of {scheme}, and "
                    "nothing to the rest. Whether it pays shows if it brings {effect} a member{time} or more.",
                    first["members_available"],
                    scheme=common.link(shop.scheme(first["scheme"]).anchor, title),
                    effect=effect_shown(shop, first),
                    time=in_days(shop),
                )
            )
        )
    blocks.append(table(say("Experiments to run"), rows[:MOST_PLANS]))
    if len(rows) > MOST_PLANS:
        further = many("{n} more experiment", "{n} more experiments", len(rows) - MOST_PLANS)
        blocks.append(Fold(further, [table(further, rows[MOST_PLANS:])]))
    return [
        *blocks,
        Fold(
            say("How to run them, and how sure"),
            [
                Prose(say("With the members needed, four of five such tests would see the difference."), "quiet"),
                Table(
                    say("How to run each experiment"),
                    [Column(say("Question")), Column(say("Groups, drawn at random")), Column(say("What to set"))],
                    [
                        [
                            common.label(_question(question)),
                            common.text(say(words.ARMS[question])),
                            common.text(say(words.HOW_TO_RUN[question], **words.SETTINGS_OF_TESTS), "long"),
                        ]
                        for question in words.QUESTIONS
                        if question in {row["question"] for row in rows}
                    ],
                    sortable=False,
                ),
            ],
        ),
    ]
