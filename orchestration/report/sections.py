"""What the report says beyond single schemes: the headline, refused rows, values without a meaning.

Belongs here: published rows in, plain values for the template out.
Does not belong here: HTML, what concerns one scheme (accounts.py, tangible.py), and products, offers and sends
(selling.py).
"""

from __future__ import annotations

from datetime import date
from typing import Any

from orchestration.audit.told import Told
from orchestration.report import words
from orchestration.report.accounts import grouped
from orchestration.report.published import Published, Row

Context = dict[str, Any]

MOST_REASONS = 30
MOST_SPELLINGS = 30


def last_refresh(db: Published) -> Row:
    """The refresh that made the file: the last one by id, which sorts by time. Empty where none is noted."""
    rows = db.table("refreshes", "refresh_id")
    return rows[-1] if rows else {}


def as_of_date(db: Published, refresh: Row) -> date | None:
    """The day the file describes."""
    found: date | None = refresh.get("as_of")
    if found is None and db.has("customer_segments", "as_of"):
        found = db.rows("select max(as_of) as as_of from customer_segments")[0]["as_of"]
    return found


def headline(db: Published, refresh: Row, as_of: date | None, audit: Told | None = None) -> Context:
    """The refresh in numbers; a number that the file does not hold is left out."""
    customers = db.rows("select count(*) as n from customer_profiles")[0]["n"] if db.has("customer_profiles") else None
    buyers = (
        db.rows("select count(*) as n from customer_profiles where last_order_on is not null")[0]["n"]
        if db.has("customer_profiles", "last_order_on")
        else None
    )
    figures = []
    if customers is not None:
        figures.append(
            (
                words.count(customers),
                "customers",
                f"{words.count(buyers)} of them have bought" if buyers is not None else "",
            )
        )
    if refresh:
        figures += [
            (words.count(refresh.get("rows_landed")), "rows read", "all tables of the landing zone"),
            (
                words.count(refresh.get("rows_quarantined")),
                "rows refused",
                f"and {words.counted(refresh.get('rows_duplicate'), 'exact copy', 'exact copies')} dropped",
            ),
        ]
    if audit is not None:
        figures.append((words.count(audit.passed), "checks passed", f"{words.count(audit.warned)} warned"))
    elif refresh:
        figures.append(
            (
                words.count(refresh.get("checks_passed")),
                "checks passed",
                f"{words.count(refresh.get('checks_failed'))} failed or warned before the final audit",
            )
        )
    return {
        "refresh_id": words.clean(refresh.get("refresh_id")) if refresh else None,
        "as_of": words.day(as_of) if as_of else None,
        "finished": words.moment(refresh.get("finished_at")) if refresh.get("finished_at") else None,
        "label": data_label(db),
        "figures": figures,
    }


def data_label(db: Published) -> str | None:
    """What the data are called where they are made up as a whole, to stand wherever their numbers do; else None."""
    if not db.has("refresh_settings", "data_label"):
        return None
    labels = [row["data_label"] for row in db.rows("select data_label from refresh_settings") if row["data_label"]]
    return words.clean(labels[0]) if labels else None


def warnings(audit: Told | None) -> list[Context] | None:
    """Each warning of the refresh as the terminal has it: where, and its lines. None where no audit is known."""
    if audit is None:
        return None
    return [
        {
            "where": words.clean(problem.where),
            "lines": [words.clean(line) for line in problem.message.splitlines() if line.strip()],
        }
        for problem in audit.warnings
    ]


def verdict_counts(schemes: list[Context]) -> list[tuple[str, words.Mark, list[str]]]:
    """Each verdict that was given, its mark, the names of its schemes."""
    cards = [{"verdict": scheme["card"]["verdict"], "name": scheme["name"]} for scheme in schemes if scheme["card"]]
    found = grouped(cards, "verdict")
    order = [*words.VERDICTS, *sorted(set(found) - set(words.VERDICTS))]
    return [(v, words.mark(words.VERDICTS, v), [card["name"] for card in found[v]]) for v in order if v in found]


def quality(db: Published, refresh: Row) -> Context:
    """Refused rows by table and reason, counts only: the rows themselves stay in the table `quarantine`."""
    has_table = db.has("quarantine", "source_table", "reasons")
    rows = (
        db.rows(
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
        if has_table
        else []
    )
    return {
        "has_table": has_table,
        "refused": words.counted(db.rows("select count(*) as n from quarantine")[0]["n"], "row") if has_table else None,
        "rows": [
            {
                "table": words.clean(row["source_table"]),
                "reason": words.clean(row["reason"]),
                "refused": words.count(row["refused"]),
            }
            for row in rows[:MOST_REASONS]
        ],
        "more": max(0, len(rows) - MOST_REASONS),
        "account": [
            (words.count(refresh.get(f"rows_{kind}")), label)
            for kind, label in (
                ("landed", "rows read"),
                ("staged", "rows used"),
                ("quarantined", "rows refused"),
                ("duplicate", "exact copies dropped"),
            )
        ]
        if refresh
        else [],
        **{
            kind: words.counted(refresh[f"rows_{kind}"], "order line") if refresh.get(f"rows_{kind}") else None
            for kind in ("not_counted", "anonymous")
        },
        "superseded": words.counted(refresh.get("rows_superseded"), "row") if refresh.get("rows_superseded") else None,
        "equal": (words.counted(refresh["equal_lines"], "order line"), words.money(refresh.get("equal_lines_amount")))
        if refresh.get("equal_lines")
        else None,
    }


def unreadable(db: Published) -> Context | None:
    """Values of optional columns that could not be read, the most frequent first; null without the table."""
    if not db.has("unreadable_values", "source_table", "column", "spelling", "rows", "remedy"):
        return None
    rows = db.rows(
        'select source_table, "column" as name, spelling, "rows" as n, remedy from unreadable_values'
        " order by n desc, source_table, name, spelling"
    )
    return {
        "total": words.counted(sum(row["n"] for row in rows), "value"),
        "rows": [
            {
                "column": words.clean(f"{row['source_table']}.{row['name']}"),
                "spelling": words.clean(row["spelling"]),
                "n": words.count(row["n"]),
                "remedy": words.clean(row["remedy"]),
            }
            for row in rows[:MOST_SPELLINGS]
        ],
        "more": max(0, len(rows) - MOST_SPELLINGS),
    }


def spellings(db: Published) -> Context | None:
    """Values that no seed knows, the most frequent first; null without the table."""
    if not db.has("unmapped_spellings", "attribute", "spelling", "rows"):
        return None
    rows = db.rows(
        'select attribute, spelling, "rows" from unmapped_spellings order by "rows" desc, attribute, spelling'
    )
    return {
        "total": words.counted(len(rows), "value"),
        "rows": [
            {
                "attribute": words.clean(row["attribute"]),
                "spelling": words.clean(row["spelling"]),
                "n": words.count(row["rows"]),
            }
            for row in rows[:MOST_SPELLINGS]
        ],
        "more": max(0, len(rows) - MOST_SPELLINGS),
    }


def inactive_schemes(db: Published) -> list[str]:
    """Names of schemes that are described but switched off."""
    rows = db.table("segment_schemes", "scheme")
    return [words.scheme_name(row["scheme"]) for row in rows if row.get("is_active") is False]


def schemes_without_audience(db: Published) -> list[str]:
    """Names of schemes that are on, and have nobody to divide: those of companies, where there are none."""
    rows = db.table("scheme_scorecard", "scheme")
    found = {row["scheme"] for row in db.table("segments", "scheme")}
    return [
        words.scheme_name(row["scheme"])
        for row in rows
        if row["scheme"] not in found and "coverage" in row and row["coverage"] is None and row.get("members") == 0
    ]
