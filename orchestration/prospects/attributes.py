"""Profiles as scoring reads them: which attributes may be used, which values say something, who is compared with whom.

Belongs here: int_attributes in, frames of usable values out; the sets of attributes that models are fitted on.
Does not belong here: fitting (models.py).

A prospect is compared with the customers who say the same things: for each set of attributes that prospects say there
is a model of its own, fitted on customers who say all of them. So nothing is imputed, and what is reported of a model
holds for the prospects that it scores.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd
from numpy.typing import NDArray

PERSON, COMPANY = "person", "company"
# Attributes that are numbers; all others are words, of which each is a value of its own.
NUMBERS = ("employees", "annual_revenue")
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    PERSON: (
        "age_band",
        "gender",
        "country",
        "region",
        "settlement",
        "household_size",
        "adults",
        "has_children",
        "marital_status",
        "employment",
        "income_band",
        "home_ownership",
    ),
    COMPANY: (
        "industry",
        "employees",
        "annual_revenue",
        "process_maturity",
        "benefit_sought",
        "country",
        "region",
        "settlement",
    ),
}
# What an attribute is read from, beside the column of its name (macros/profiles.sql): forbidding any forbids it.
READ_FROM: Mapping[str, tuple[str, ...]] = {
    "age_band": ("birth_date",),
    "income_band": ("annual_income",),
    "adults": ("household_composition", "household_size", "children", "marital_status"),
    "has_children": ("household_composition", "household_size", "children"),
}
# A value that fewer customers have says nothing that could be learned: it counts as not said, of prospects too.
VALUE_MEMBERS = 10
# Models fitted a kind: the most common sets of attributes. Prospects who say another set are scored by the model of the
# largest one within theirs.
MOST_MODELS = 8
# Customers read, and of them fitted in one model: chosen by the hash of their ids. More add seconds and no digit.
MOST_MEMBERS_READ = 200_000
MOST_MEMBERS = 20_000


@dataclass(frozen=True)
class Choice:
    """A row of the seed prospect_schemes, and whether its scheme can be scored against."""

    kind: str
    scheme: str
    min_score: float
    min_persona_share: float
    is_active: bool


def read_choices(con: duckdb.DuckDBPyConnection) -> dict[str, Choice]:
    """The chosen scheme of each kind that has one."""
    rows = con.execute(
        """
        select chosen.kind, chosen.scheme, chosen.min_score, chosen.min_persona_share,
               coalesce(schemes.is_active and contains(schemes.audience, chosen.kind)
                        and schemes.audience in ('person', 'company', 'person, company'), false)
        from prospect_schemes as chosen
        left join segment_schemes as schemes on chosen.scheme = schemes.scheme
        order by chosen.kind
        """
    ).fetchall()
    return {row[0]: Choice(*row) for row in rows}


def read_forbidden(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Columns that must not be used."""
    rows = con.execute("select lower(trim(attribute)) from protected_attributes where is_forbidden").fetchall()
    return frozenset(attribute for (attribute,) in rows)


def allowed(kind: str, forbidden: Iterable[str]) -> tuple[str, ...]:
    """The attributes of a kind that are neither forbidden nor read from what is."""
    barred = set(forbidden)
    return tuple(a for a in ATTRIBUTES[kind] if not _is_barred(a, barred))


def divides_by_forbidden(con: duckdb.DuckDBPyConnection, scheme: str, forbidden: Iterable[str]) -> bool:
    """Whether a scheme divides by what is forbidden or read from it: its name, and what its reasons say has decided."""
    barred = set(forbidden)
    if not barred:
        return False
    # Of customers with a segment: who has none may have no reason either.
    decided = con.execute(
        f"""
        select distinct unnest(json_keys(reason))
        from (
            select case when json_valid(reason) then reason end as reason
            from customer_segments
            where scheme = ? and segment <> 'unknown'
            order by md5(member_id), member_id
            limit {MOST_MEMBERS}
        )
        """,
        [scheme],
    ).fetchall()
    return any(_is_barred(attribute, barred) for attribute in {scheme, *(name for (name,) in decided)})


def _is_barred(attribute: str, barred: set[str]) -> bool:
    return attribute in barred or not barred.isdisjoint(READ_FROM.get(attribute, ()))


def read_profiles(con: duckdb.DuckDBPyConnection, population: str, kind: str, columns: Sequence[str]) -> pd.DataFrame:
    """Profiles by member id, in its order; what is not said is None (words) or NaN (numbers)."""
    said = ", ".join(columns) if columns else "null as nothing"
    frame = con.execute(
        f"select member_id, {said} from int_attributes where population = ? and kind = ? order by member_id",
        [population, kind],
    ).df()
    return _tidy(frame, columns)


def read_members(con: duckdb.DuckDBPyConnection, kind: str, scheme: str, columns: Sequence[str]) -> pd.DataFrame:
    """Customers with a known segment of the scheme, with a column `segment`, in the order of the hash of their ids."""
    said = "".join(f", attributes.{column}" for column in columns)
    frame = con.execute(
        f"""
        select attributes.member_id, segments.segment{said}
        from int_attributes as attributes
        inner join customer_segments as segments on attributes.member_id = segments.member_id
        where attributes.population = 'customer' and attributes.kind = ? and segments.scheme = ?
            and segments.segment <> 'unknown'
        order by md5(attributes.member_id), attributes.member_id
        limit {MOST_MEMBERS_READ}
        """,
        [kind, scheme],
    ).df()
    return _tidy(frame, columns)


def _tidy(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    frame = frame.set_index("member_id")
    for column in columns:
        if column in NUMBERS:
            frame[column] = frame[column].astype("float64")
        else:
            frame[column] = _kept(frame[column], frame[column].notna())
    return frame


def _kept(values: pd.Series[Any], mask: pd.Series[bool]) -> NDArray[Any]:
    """The values where the mask is true, else None."""
    kept = values.to_numpy(dtype=object, copy=True)
    kept[~mask.to_numpy()] = None
    return kept


def telling(members: pd.DataFrame, columns: Sequence[str]) -> dict[str, frozenset[str] | None]:
    """Attributes with two values or more among members, each with the values that enough have (None: a number)."""
    found: dict[str, frozenset[str] | None] = {}
    for column in columns:
        if column in NUMBERS:
            if members[column].nunique() > 1:
                found[column] = None
            continue
        counts = Counter(value for value in members[column] if value is not None)
        values = frozenset(value for value, n in counts.items() if n >= VALUE_MEMBERS)
        if len(values) > 1:
            found[column] = values
    return found


def only_telling(frame: pd.DataFrame, values: Mapping[str, frozenset[str] | None]) -> pd.DataFrame:
    """The frame with values that say nothing taken out; its other columns are as they were."""
    frame = frame.copy()
    for column, known in values.items():
        if known is not None:
            frame[column] = _kept(frame[column], frame[column].isin(sorted(known)))
    return frame


def said_sets(frame: pd.DataFrame, columns: Sequence[str]) -> list[frozenset[str]]:
    """For each row the attributes that it says."""
    there = frame[list(columns)].notna().to_numpy()
    return [frozenset(c for c, is_said in zip(columns, row, strict=True) if is_said) for row in there]


def learnable(said: frozenset[str], members: pd.DataFrame, least: int) -> frozenset[str]:
    """The part of what is said that at least `least` members say too, all of it at once; empty where there is none.

    While they are fewer, the attribute goes without which most members remain; of equal ones the last by name.
    """
    there = {column: members[column].notna().to_numpy() for column in sorted(said)}

    def count(columns: Iterable[str]) -> int:
        held = None
        for column in columns:
            held = there[column] if held is None else held & there[column]
        return 0 if held is None else int(held.sum())

    kept = sorted(said)
    while kept and count(kept) < least:
        kept.remove(max(kept, key=lambda left: (count([c for c in kept if c != left]), left)))
    return frozenset(kept)


def sets_to_fit(wanted: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """The most common sets that are not empty, at most `MOST_MODELS`; of equally common ones the first by name."""
    counts = Counter(each for each in wanted if each)
    return sorted(counts, key=lambda each: (-counts[each], sorted(each)))[:MOST_MODELS]


def fitted_for(wanted: frozenset[str], fitted: Sequence[frozenset[str]]) -> frozenset[str]:
    """The set whose model scores who says `wanted`: itself, else the largest (first listed) within it, else empty."""
    inside = [each for each in fitted if each <= wanted]
    return max(inside, key=len, default=frozenset())


def draw(member_id: str) -> float:
    """A number in [0, 1) that the id alone decides: which part of the members it is in."""
    return int(hashlib.md5(f"prospects:{member_id}".encode()).hexdigest()[:13], 16) / 16**13
