"""The front page: one screen that says it all.

Belongs here: what is chosen from the other pages, and the few numbers that stand on none of them.
Does not belong here: tables of their own (the page behind each link).
"""

from __future__ import annotations

import calendar
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from markupsafe import Markup

from orchestration.report import words
from orchestration.report.blocks import Table, Text
from orchestration.report.figures import cut
from orchestration.report.languages import joined, many, mark, plural_forms, say
from orchestration.report.pages import common, findings, movement, quality, schemes, selling
from orchestration.report.published import Row
from orchestration.report.shop import Scheme, Shop

# Schemes in the strip: as many as one screen holds beside the rest.
MOST_SCHEMES = 12
MOST_CHANGES = 3
MOST_WARNINGS = 3
# Days after which what to do on Monday should be read with care.
OLD_DAYS = 60
# Segments with something to sell.
MOST_SOLD = 3


@dataclass(frozen=True)
class Front:
    """What the template of the front page draws."""

    data_label: str
    as_of: str | None
    as_of_iso: str
    age: str
    is_old: bool
    facts: Sequence[tuple[Text, Text, Text]]
    strip: Table | None
    more_schemes: Text
    no_schemes: Sequence[Text]
    headline: Sequence[Text]
    rfm: str
    pairs: str
    to_do: Sequence[findings.Finding]
    sold: Table | None
    unknown: Sequence[Text]
    amounts: Text
    changes: Sequence[Text]
    since: Sequence[Text]
    warnings: Sequence[Text] | None
    more_warnings: int
    script_words: str


def front(shop: Shop) -> Front:
    shown = shop.schemes[:MOST_SCHEMES]
    more = len(shop.schemes) - len(shown)
    rest: Text = (
        Markup("{}.").format(common.link("schemes", many("{n} more scheme", "{n} more schemes", more)))
        if more > 0
        else ""
    )
    warned = None if shop.audit is None else [quality.headline(problem) for problem in shop.audit.warnings]
    return Front(
        data_label=shop.data_label,
        as_of=words.day(shop.as_of) if shop.as_of else None,
        as_of_iso=shop.as_of.isoformat() if shop.as_of else "",
        age=age(shop),
        is_old=is_old(shop),
        facts=facts(shop),
        strip=schemes.strip(shop, shown, is_short=True) if shown else None,
        more_schemes=rest,
        no_schemes=[block.text for block in schemes.unknown_schemes(shop) if hasattr(block, "text")]
        if not shown
        else [],
        headline=headline(shop),
        rfm=say("RFM: how recently, how often and for how much somebody buys.")
        if any(scheme.name == "rfm" for scheme in shown)
        else "",
        pairs=pairs(shown),
        to_do=findings.to_do(shop),
        sold=selling.on_the_front_page(shop, MOST_SOLD),
        unknown=quality.in_short(shop),
        amounts=amounts(shop),
        changes=changes(shop),
        since=since_last_refresh(shop),
        warnings=warned[:MOST_WARNINGS] if warned is not None else None,
        more_warnings=max(0, len(warned) - MOST_WARNINGS) if warned else 0,
        script_words=script_words(),
    )


def script_words() -> str:
    """What the page's own script says, as JSON; plurals by CLDR's categories."""
    said = {
        "search": say("Search"),
        "searchIn": say("Search in: {table}"),
        "compare": say("Compare"),
        "with": say("with"),
        "compareSegment": say("Compare segment"),
        "andSegment": say("and segment"),
        "all": say("Show all {n}"),
        "days": plural_forms("{n} day old today", "{n} days old today"),
        "months": plural_forms("{n} month old today", "{n} months old today"),
        "years": plural_forms("{n} year old today", "{n} years old today"),
    }
    return json.dumps(said, ensure_ascii=False, sort_keys=True)


def age(shop: Shop) -> str:
    """How old the data were when the refresh ended; the page counts on by itself where scripts run."""
    finished = shop.refresh.get("finished_at")
    if not shop.as_of or not finished:
        return ""
    days = (finished.date() - shop.as_of).days
    return say("{span} old when it was refreshed on {day}", span=words.span(max(days, 0)), day=words.day(finished))


def is_old(shop: Shop) -> bool:
    """Whether what is said of today is said of a day long past."""
    finished = shop.refresh.get("finished_at")
    return bool(shop.as_of and finished and (finished.date() - shop.as_of).days > OLD_DAYS)


def headline(shop: Shop) -> list[Text]:
    """The page in a few sentences: of all schemes, how many there are of each verdict, and what is known of pay."""
    schemes_of = Counter(scheme.verdict for scheme in shop.schemes)
    everything = len(shop.schemes)
    if not everything:
        return []
    used, drawer = schemes_of["in use"], schemes_of["in the drawer"]
    shallow, unproven = schemes_of["superficial"], schemes_of["unproven"]
    paying = sum(common.pays(scheme)[1] == "yes" for scheme in shop.schemes)
    all_of_them = many("{n} way to segment", "{n} ways to segment", everything)
    said: list[Text] = []
    if used:
        said.append(
            many(
                "Of {all}, {n} is in use: its segments differ, and were sent different things.",
                "Of {all}, {n} are in use: their segments differ, and were sent different things.",
                used,
                all=all_of_them,
            )
        )
    else:
        said.append(say("Of {all}, none is in use yet.", all=all_of_them))
    if drawer:
        said.append(
            many(
                "{n} lies in the drawer: its segments differ, but too few are treated differently.",
                "{n} lie in the drawer: their segments differ, but too few are treated differently.",
                drawer,
            )
        )
    if shallow:
        said.append(many("The segments of {n} hardly differ.", "The segments of {n} hardly differ.", shallow))
    if unproven:
        said.append(many("Of {n} too little is known to say.", "Of {n} too little is known to say.", unproven))
    if paying:
        said.append(many("{n} was shown to pay.", "{n} were shown to pay.", paying))
    else:
        said.append(say("No test has shown yet that any of them pays."))
    return said


def pairs(shown: Sequence[Scheme]) -> str:
    """What the pairs of the strip are, by the first that has any."""
    for scheme in shown:
        counted = common.pairs_sent(scheme)
        if counted:
            return many(
                "{some} of {n} pair: of {n} pair of segments large enough to compare, so many were sent different "
                "things.",
                "{some} of {n} pairs: of {n} pairs of segments large enough to compare, so many were sent different "
                "things.",
                counted[1],
                some=words.count(counted[0]),
            )
    return ""


def amounts(shop: Shop) -> Text:
    """What amounts are in where nobody says it; nothing where each names its currency."""
    if shop.currency:
        return ""
    return say(
        "Amounts are in the shop's own currency ({setting} names it).",
        setting=words.table("REPORTING_CURRENCY"),
    )


def facts(shop: Shop) -> list[tuple[Text, Text, Text]]:
    """Customers, spend with its year-on-year, checks."""
    db, found = shop.db, []
    if db.has("customer_profiles"):
        bought = (
            ", count(*) filter (last_order_on is not null) as buyers"
            if db.has("customer_profiles", "last_order_on")
            else ""
        )
        spend = ", sum(monetary) as spend" if db.has("customer_profiles", "monetary") else ""
        row = db.rows(f"select count(*) as n{bought}{spend} from customer_profiles")[0]
        detail = ""
        if "buyers" in row and shop.is_few(row["n"] - row["buyers"]):
            detail = say("all but a few have bought")
        elif "buyers" in row:
            detail = many(
                "{said} of them have bought",
                "{said} of them have bought",
                row["buyers"],
                said=shop.members(row["buyers"]),
            )
        found.append((shop.members(row["n"]), many("customer", "customers", row["n"]), detail))
        if "spend" in row and not shop.is_few(row["n"]):
            found.append((shop.money(row["spend"]), say("spend {when}", when=shop.in_window), year_on_year(shop)))
    if shop.audit is not None:
        found.append(
            (
                words.count(shop.audit.passed),
                many("checks passed", "checks passed", shop.audit.passed),
                many("{n} warned", "{n} warned", shop.audit.warned),
            ),
        )
    elif shop.refresh:
        found.append(
            (
                words.count(shop.refresh.get("checks_passed")),
                many("checks passed", "checks passed", shop.refresh.get("checks_passed")),
                many(
                    "{n} failed or warned before the final audit",
                    "{n} failed or warned before the final audit",
                    shop.refresh.get("checks_failed"),
                ),
            )
        )
    return found


def months_spend(shop: Shop) -> dict[date, float]:
    """Spend by whole month, over everybody: the widest scheme's segments with `unknown`."""
    if not shop.as_of or not shop.db.has("segment_months", "scheme", "month", "spend"):
        return {}
    rows = shop.db.rows(
        "select scheme, month, sum(spend) as spend from segment_months where spend is not null group by all order by "
        "all"
    )
    by_scheme: dict[str, dict[date, float]] = {}
    for row in rows:
        month: date = row["month"]
        end = month.replace(day=calendar.monthrange(month.year, month.month)[1])
        if end < shop.as_of:
            by_scheme.setdefault(row["scheme"], {})[month] = float(row["spend"])
    return max(by_scheme.values(), key=lambda months: (sum(months.values()), len(months)), default={})


def year_on_year(shop: Shop) -> str:
    """The last twelve whole months against the twelve before; which are whole is what the first and last order tell."""
    months = months_spend(shop)
    ordered = sorted(months)
    first = (
        shop.db.rows("select min(first_order_on) as day from customer_profiles")[0]["day"]
        if shop.db.has("customer_profiles", "first_order_on")
        else None
    )
    # A month in which the first order came later than on its first day may be cut.
    whole = [
        month
        for month in ordered
        if first is None or month >= first or (month.year, month.month) > (first.year, first.month)
    ]
    if len(whole) >= 24 and _are_consecutive(whole[-24:]):
        now, before = sum(months[m] for m in whole[-12:]), sum(months[m] for m in whole[-24:-12])
        if before > 0:
            change = now / before - 1
            sign = "▲" if change >= 0 else "▼"
            return say("{sign} {change} on the year before (whole months)", sign=sign, change=words.share(abs(change)))
    return say("no whole year before to compare with")


def _are_consecutive(months: Sequence[date]) -> bool:
    numbers = [12 * month.year + month.month for month in months]
    return all(b - a == 1 for a, b in pairwise(numbers))


def changes(shop: Shop) -> list[Text]:
    """The segments that changed farthest beyond noise since the day of `movement.since`, one a scheme first."""
    beyond = [
        change
        for change in movement.changes(shop)
        if change.is_beyond_noise and not any(map(shop.is_few, (change.before, change.now, change.came, change.left)))
    ]
    firsts: dict[str, movement.Change] = {}
    for change in beyond:
        firsts.setdefault(change.scheme.name, change)
    # rfm tells most of what a marketer may act on: two of it, if there are.
    own = [change for change in beyond if change.scheme.name == "rfm"][:2]
    chosen = [*own, *(change for name, change in firsts.items() if name != "rfm")][:MOST_CHANGES]
    return [changed(shop, change) for change in chosen]


def changed(shop: Shop, change: movement.Change) -> Text:
    """A segment then and now, how many came and left, the more first, and where most of them came from or went."""
    moved = [came(shop, change), left(shop, change)]
    return say(
        "{sign} {segment} ({scheme}): {before} → {now} since {day}, {moves}",
        sign=Markup('<span aria-hidden="true">{}</span>').format("▲" if change.net > 0 else "▼"),
        segment=named(change.label),
        scheme=common.link(f"{change.scheme.anchor}-moves", change.scheme.title),
        before=words.count(change.before),
        now=words.count(change.now),
        day=movement.since(shop),
        moves=joined(", ", moved if change.net > 0 else reversed(moved)),
    )


def came(shop: Shop, change: movement.Change) -> Text:
    found, n = movement.counterpart(shop, change, came=True), words.count(change.came)
    if found is None:
        return say("{n} came", n=n)
    return say("{n} came ({most} from {segment})", n=n, most=words.count(found[1]), segment=named(found[0]))


def left(shop: Shop, change: movement.Change) -> Text:
    found, n = movement.counterpart(shop, change, came=False), words.count(change.left)
    if found is None:
        return say("{n} left", n=n)
    return say("{n} left ({most} to {segment})", n=n, most=words.count(found[1]), segment=named(found[0]))


def named(label: str) -> Text:
    """A segment in a sentence of the front page."""
    return Markup("<bdi>{}</bdi>").format(mark(cut(label, findings.LETTERS)))


def since_last_refresh(shop: Shop) -> list[Text]:
    """Verdicts that turned since the version before."""
    before = shop.before
    if before is None:
        earlier = shop.db.table("refreshes", "refresh_id")[:-1]
        if not earlier:
            return []
        return [say("The refresh before described {day}.", day=words.day(earlier[-1].get("as_of")))]
    then = Shop(before)
    old: dict[str, Row] = {row["scheme"]: row for row in before.table("scheme_scorecard", "scheme")}
    turned = [
        Markup("{}: {} → {}").format(
            common.link(scheme.anchor, scheme.title),
            mark(words.value("verdict", old[scheme.name].get("verdict"))),
            mark(words.value("verdict", scheme.verdict)),
        )
        for scheme in shop.schemes
        if scheme.name in old and old[scheme.name].get("verdict") != scheme.card.get("verdict")
    ]
    is_same_day = not then.as_of or then.as_of == shop.as_of
    if not turned:
        if is_same_day:
            return [say("No verdict turned since the last refresh.")]
        return [say("No verdict turned since the refresh of {day}.", day=words.day(then.as_of))]
    return [
        say("Since the last refresh:")
        if is_same_day
        else say("Since the refresh of {day}:", day=words.day(then.as_of)),
        *turned[:3],
        *([many("{n} more verdict turned.", "{n} more verdicts turned.", len(turned) - 3)] if len(turned) > 3 else []),
    ]
