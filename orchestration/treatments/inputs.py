"""What the treatment check looks at, and where it comes from: schemes, segments and members, items, consents, settings.

Belongs here: reading them from what dbt built. Does not belong here: what is wrong with them (check.py), and how two
segments' treatments differ (distinctness.py, compare.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from orchestration.seeds.treatments import (
    EVERY_SEGMENT,
    TREATMENT_ROWS_TABLE,
    UNKNOWN,
    Treatment,
    from_records,
    with_subsets,
)
from orchestration.seeds.wordings import Wordings
from orchestration.warehouse.project import project_vars

if TYPE_CHECKING:
    import duckdb

Severity = Literal["block", "warn", "info"]


@dataclass(frozen=True)
class Scheme:
    """A scheme as the check needs it.

    `labels` and `members` are by segment, of the segments with members (`unknown` may be one); `listed` are the
    segments of the closed list, without `*`; `excluded` those made of excluded items (seed offer_exclusions), which no
    `*` row serves.
    """

    name: str
    is_active: bool
    is_data_driven: bool
    treatment_check: Severity
    listed: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, int] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()

    @property
    def known_segments(self) -> list[str]:
        """Segments with members, `unknown` left out, sorted."""
        return sorted(segment for segment in self.labels if segment != UNKNOWN)


@dataclass(frozen=True)
class Items:
    """Names of the items of `level` that exist. Not `is_complete` where only what was published is known."""

    level: str
    names: frozenset[str]
    is_complete: bool = True


@dataclass(frozen=True)
class Consents:
    """Members who may be addressed by (scheme, segment, channel), as audiences count them.

    `channels` are those on which anyone consented, refused or unsubscribed; `counted` those on which members were
    counted, which are the channels of the treatments that were built; None where these are the treatments.
    """

    reachable: Mapping[tuple[str, str, str], int]
    channels: frozenset[str]
    counted: frozenset[str] | None = None

    def is_counted(self, channel: str) -> bool:
        """Whether members were counted on a channel."""
        return self.counted is None or channel.strip().lower() in self.counted


@dataclass(frozen=True)
class Rules:
    """Settings of the check, and of what an edit would send: dbt vars of dbt_project.yml."""

    offer_level: str = "category"
    assume_consent: frozenset[str] = frozenset()
    min_members: int = 100
    unreachable_treatments: str = "warn"
    contact_cap: int = 4
    contact_cap_days: int = 28
    repeat_after_days: int = 28


@dataclass(frozen=True)
class CheckInput:
    """All that the check looks at.

    `items` is None where they are not known. `consents` is None where the records cannot be seen (`are_consents_known`
    is false).
    """

    as_of: date
    rows: Sequence[Treatment]
    schemes: Mapping[str, Scheme]
    channels: frozenset[str]
    items: Items | None
    consents: Consents | None
    rules: Rules = field(default_factory=Rules)
    are_consents_known: bool = True

    @property
    def active_schemes(self) -> list[Scheme]:
        return [scheme for scheme in self.schemes.values() if scheme.is_active]

    @cached_property
    def rows_by_scheme(self) -> dict[str, list[Treatment]]:
        """Treatments as written, by scheme."""
        by_scheme: dict[str, list[Treatment]] = defaultdict(list)
        for row in self.rows:
            by_scheme[row.scheme].append(row)
        return by_scheme


def with_places(inputs: CheckInput, places: Mapping[str, str]) -> CheckInput:
    """The same with the file and line where somebody wrote each treatment, by treatment_id, as far as that is known."""
    return replace(inputs, rows=[replace(row, place=places.get(row.treatment_id, "")) for row in inputs.rows])


def wordings_of(inputs: CheckInput) -> Wordings:
    """The comparison of texts, with the words that name a product or a segment that the data brought."""
    names = set(inputs.items.names) if inputs.items else set()
    for scheme in inputs.active_schemes:
        if scheme.is_data_driven:
            names.update(scheme.labels[segment] for segment in scheme.known_segments)
    return Wordings(names)


# ---- where it comes from ---------------------------------------------------------------------------------------------


def project_rules() -> Rules:
    """The settings of the check: the vars that hold."""
    values = project_vars()
    return Rules(
        offer_level=str(values.get("offer_level", Rules.offer_level)),
        assume_consent=frozenset(str(channel).strip().lower() for channel in values.get("assume_consent") or ()),
        min_members=int(values.get("min_members", Rules.min_members)),
        unreachable_treatments=_unreachable(values.get("unreachable_treatments", Rules.unreachable_treatments)),
        contact_cap=int(values.get("contact_cap", Rules.contact_cap)),
        contact_cap_days=int(values.get("contact_cap_days", Rules.contact_cap_days)),
        repeat_after_days=int(values.get("repeat_after_days", Rules.repeat_after_days)),
    )


def _unreachable(value: object) -> str:
    if value not in ("warn", "block"):
        raise ValueError(
            f"var unreachable_treatments: {value!r} is neither warn (say whom a treatment cannot "
            "reach) nor block (stop the refresh for it)"
        )
    return str(value)


def load_candidate(con: duckdb.DuckDBPyConnection, as_of: date, rules: Rules | None = None) -> CheckInput:
    """What the check looks at, from the tables that dbt built.

    Args:
        con: a connection in which treatment_rows (the seed), segment_schemes, segment_definitions, channels, segments,
            customer_segments, template_subsets, int_excluded_segments, offer_level, segment_reach, stg_products and
            int_affinity_items are visible by name.
        as_of: the as-of date.
        rules: settings; by default those of dbt_project.yml.
    """
    rules = rules or project_rules()
    listed: dict[str, set[str]] = defaultdict(set)
    for scheme, segment in con.sql("select scheme, segment from segment_definitions").fetchall():
        listed[scheme].add(segment)
    schemes = con.sql(
        """
        select scheme, cast(is_active as boolean), cast(is_data_driven as boolean), treatment_check
        from segment_schemes
        """
    ).fetchall()
    labels, members = load_members(con)
    return CheckInput(
        as_of=as_of,
        rows=with_subsets(
            from_records(records(con, f"select * from {TREATMENT_ROWS_TABLE}")),
            con.sql("select treatment_id, pattern from template_subsets").fetchall(),
        ),
        schemes=make_schemes(schemes, listed, labels, members, load_excluded(con)),
        channels=frozenset(channel for (channel,) in con.sql("select channel from channels").fetchall()),
        items=load_items_of(con, load_offer_levels(con, rules.offer_level)),
        consents=load_consents(con),
        rules=rules,
    )


def make_schemes(
    rows: Iterable[tuple[str, bool, bool, Severity]],
    listed: Mapping[str, Collection[str]],
    labels: Mapping[str, Mapping[str, str]],
    members: Mapping[str, Mapping[str, int]],
    excluded: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Scheme]:
    """Schemes by name, from (scheme, is_active, is_data_driven, treatment_check) and what is known by scheme."""
    return {
        name: Scheme(
            name=name,
            is_active=is_active,
            is_data_driven=is_data_driven,
            treatment_check=treatment_check,
            listed=frozenset(listed.get(name, ())) - {EVERY_SEGMENT},
            labels=labels.get(name, {}),
            members=members.get(name, {}),
            excluded=frozenset((excluded or {}).get(name, ())),
        )
        for name, is_active, is_data_driven, treatment_check in rows
    }


def load_members(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, int]]]:
    """Labels and numbers of members, each by scheme and segment, of the segments with members."""
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    members: dict[str, dict[str, int]] = defaultdict(dict)
    for scheme, segment, label, count in con.sql(
        "select scheme, segment, coalesce(label, segment), members from segments where members > 0"
    ).fetchall():
        labels[scheme][segment] = label
        members[scheme][segment] = count
    return labels, members


def load_excluded(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Segments made of excluded items, by scheme."""
    excluded: dict[str, set[str]] = defaultdict(set)
    for scheme, segment in con.sql("select scheme, segment from int_excluded_segments").fetchall():
        excluded[scheme].add(segment)
    return excluded


def load_offer_levels(con: duckdb.DuckDBPyConnection, wanted: str) -> list[str]:
    """The level of offers that the settings want and, where too few items of it are known, the one in use."""
    in_use = con.sql("select item_level from offer_level").fetchall()
    return list(dict.fromkeys([wanted, *(level for (level,) in in_use)]))


def load_items_of(con: duckdb.DuckDBPyConnection, levels: Sequence[str]) -> Items:
    """Names of the items of some levels: an offer may be for one of any of them."""
    return Items(" or ".join(levels), frozenset().union(*(load_items(con, level) for level in levels)))


def records(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """The rows of a query, each as a dictionary by column."""
    relation = con.sql(query)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def load_items(con: duckdb.DuckDBPyConnection, level: str) -> frozenset[str]:
    """Names of the items of a level (department, category, subcategory or product) among the products.

    A product that was sold is one also where the products do not list it: a shop may land none of them.

    Raises:
        ValueError: no such level.
    """
    columns = {
        "department": "department",
        "category": "category",
        "subcategory": "subcategory",
        "product": "product_id",
    }
    if level not in columns:
        raise ValueError(f"dbt_project.yml, var offer_level: {level!r} is none of {', '.join(columns)}")
    column = columns[level]
    rows = con.sql(f"select distinct {column} from stg_products where {column} is not null").fetchall()
    if level == "product":
        rows += con.sql("select item from int_affinity_items where item_level = 'product'").fetchall()
    return frozenset(name for (name,) in rows)


def load_consents(con: duckdb.DuckDBPyConnection) -> Consents:
    """Members who may be addressed by scheme, segment and channel, as the audiences count them (segment_reach).

    Without `channels` where neither a consent nor an objection is on record for any channel of a treatment.
    """
    rows = con.execute(
        "select scheme, segment, channel, reachable_members, members_on_record from segment_reach"
    ).fetchall()
    channels = frozenset(channel for *_, channel, _, on_record in rows if on_record)
    return Consents({(s, g, c): n for s, g, c, n, _ in rows if n}, channels)
