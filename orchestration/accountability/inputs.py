"""What every part of the account reads first: the refresh's settings and the schemes that are switched on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import duckdb

# Share of false alarms accepted among what is called different, a gap, a gain.
SIGNIFICANCE = 0.05


class AccountError(ValueError):
    """The tables do not fit together; the text names the table and the value."""


@dataclass(frozen=True)
class RefreshSettings:
    """The one row of `refresh_settings`. Periods are half open: [outcome_start_on, as_of)."""

    as_of: date
    outcome_start_on: date
    outcome_days: int
    min_members: int
    min_segment_members: int
    superficial_effect: float
    least_dividend: float
    equivalence_margin: float


def read_settings(con: duckdb.DuckDBPyConnection, as_of: date) -> RefreshSettings:
    """Settings as the models used them.

    Raises:
        AccountError: the models were built for another as-of date, so their numbers would describe another day.
    """
    columns = ", ".join(field.name for field in fields(RefreshSettings))
    rows = con.execute(f"select {columns} from refresh_settings").fetchall()
    if len(rows) != 1 or rows[0][0] is None or rows[0][1] is None:
        raise AccountError(f"refresh_settings: one row with dates is needed, there are {rows}")
    settings = RefreshSettings(*rows[0])
    if settings.as_of != as_of:
        raise AccountError(f"refresh_settings.as_of is {settings.as_of}, but the account is for {as_of}: build first")
    return settings


def active_schemes(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the schemes that are switched on, sorted."""
    rows = con.execute("select scheme from segment_schemes where is_active order by scheme").fetchall()
    return [scheme for (scheme,) in rows]


def scheme_name(scheme: str) -> str:
    """A scheme's id as words of a sentence."""
    return scheme.replace("_", " ")


def segment_labels(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Scheme -> segment -> what a sentence calls it."""
    labels: dict[str, dict[str, str]] = {}
    for scheme, segment, label in con.execute(
        "select scheme, segment, coalesce(label, segment) from segments"
    ).fetchall():
        labels.setdefault(scheme, {})[segment] = label
    return labels
