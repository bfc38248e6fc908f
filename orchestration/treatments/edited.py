"""The treatments as they are edited now, beside the members last published, for `make check` and `make treatments`.

Belongs here: reading the edited seeds and the published version, and the check on both.
Does not belong here: the rules of the check (check.py), and what is printed of it (commands.py).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from contextlib import closing, suppress
from dataclasses import replace
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import duckdb

from orchestration.overrides import treatment_places
from orchestration.seeds.treatments import (
    EVERY_SEGMENT,
    UNKNOWN,
    Treatment,
    TreatmentsFileError,
    check_named_treatments,
    from_records,
    read_table,
    read_treatments,
    with_subsets,
)
from orchestration.seeds.wordings import canonical, same_to_the_eye, similarity
from orchestration.settings import Settings
from orchestration.storage.sql import literal
from orchestration.storage.versions import DATABASE_NAME
from orchestration.treatments.check import CheckReport, Finding, check, where, worst_first
from orchestration.treatments.effect import effects, has, moved, told
from orchestration.treatments.inputs import (
    CheckInput,
    Consents,
    Items,
    Rules,
    Severity,
    load_consents,
    load_excluded,
    load_items_of,
    load_members,
    load_offer_levels,
    make_schemes,
    project_rules,
    records,
    with_places,
)

_SCHEME_COLUMNS = ("scheme", "audience", "basis", "description", "is_active", "treatment_check", "is_data_driven")
_DEFINITION_COLUMNS = ("scheme", "segment", "label", "definition", "sort_order")
_CHANNEL_COLUMNS = ("channel", "label", "description")
_SUBSET_COLUMNS = ("treatment_id", "pattern", "reason")


# 0.95: similarity (0 to 1) from which two service levels are one with a slip. 0.9 to 0.99; lower names different ones,
# higher takes two letters for another promise.
SLIP = 0.95
_PUBLISHED = (
    "segments",
    "customer_segments",
    "product_affinities",
    "next_best_offers",
    "offer_level",
    "treatments",
    "treatment_distinctness",
    "audience_decisions",
)


class NothingPublishedError(RuntimeError):
    """There is no published version whose members could be checked."""


def check_edited(seeds_dir: Path, settings: Settings) -> CheckReport:
    """The check on the seed files of a folder and the published version of a warehouse.

    Raises:
        TreatmentsFileError: a seed file cannot be read.
        NothingPublishedError: no version was published yet.
    """
    with closing(open_published(settings)) as con:
        return checked(edited_input(seeds_dir, settings, con))


def check_with_effect(seeds_dir: Path, settings: Settings, width: int) -> tuple[CheckReport, list[str]]:
    """The same check, and in lines what the edit changes against the published treatments.

    Raises:
        TreatmentsFileError, NothingPublishedError: as `check_edited`.
    """
    with closing(open_published(settings)) as con:
        inputs = edited_input(seeds_dir, settings, con)
        if seeds_dir == settings.seeds_dir:
            # The folder may hold what was written in a workbook, with semicolons, or in two files.
            inputs = with_places(inputs, treatment_places(settings))
        report = checked(inputs)
        if not has(con, "treatments", "treatment_distinctness"):
            return report, ["the published version holds no treatments to compare with"]
        version = f"{_manifest(settings).get('refresh_id', 'what is published')}, as of {published_as_of(settings)}"
        return report, told(version, effects(con, inputs), moved(con, report.compared), width)


def checked(inputs: CheckInput) -> CheckReport:
    """The check's report, and what could not be looked at without a refresh."""
    report = check(inputs)
    notes = [
        Finding("info", scheme.name, (), (), f"{scheme.name}: has no published members yet; `make refresh` checks it")
        for scheme in inputs.active_schemes
        if not scheme.labels
    ]
    notes += [*_reviews_due(inputs), *_not_counted(inputs), *_slips(inputs)]
    if not inputs.are_consents_known:
        notes.append(
            Finding("info", "", (), ("channel",), "consents cannot be seen here; `make refresh` checks the reach")
        )
    return CheckReport(
        worst_first([*report.findings, *notes]), report.treatments, report.pairs, report.as_of, report.compared
    )


def _reviews_due(inputs: CheckInput) -> Iterator[Finding]:
    """Treatments past their review date; a refresh warns of them by a rule of its own (audit/suites.py)."""
    for scheme in inputs.active_schemes:
        for row in inputs.rows_by_scheme.get(scheme.name, []):
            if row.is_review_due(inputs.as_of):
                owner = f" (owner: {row.owner})" if row.owner.strip() else " (it has no owner)"
                yield Finding(
                    "warn",
                    scheme.name,
                    (row.segment,),
                    ("review_on",),
                    f"{scheme.name}: {where(row)} of segment {row.segment} was to be read again by "
                    f"{row.review_on}{owner}; read it, then write a later review_on, or end it (valid_to)",
                )


def _slips(inputs: CheckInput) -> Iterator[Finding]:
    """Service levels that are written as another one but for a letter or two: free texts, one of them a slip."""
    first: dict[str, Treatment] = {}
    for scheme in inputs.active_schemes:
        for row in inputs.rows_by_scheme.get(scheme.name, []):
            if row.service_level.strip():
                first.setdefault(canonical(row.service_level), row)
    for one, other in combinations(first.values(), 2):
        if similarity(one.service_level, other.service_level) >= SLIP and not same_to_the_eye(
            re.sub(r"\d", "", one.service_level), re.sub(r"\d", "", other.service_level)
        ):
            yield Finding(
                "info",
                other.scheme,
                (other.segment,),
                ("service_level",),
                f"{other.scheme}: {where(other)} says {other.service_level!r} in service_level, and {where(one)} "
                f"{one.service_level!r}: if one is meant, write it the same way",
            )


def _not_counted(inputs: CheckInput) -> Iterator[Finding]:
    """Channels on which no member was counted at the last refresh, as no treatment used them."""
    rows = [row for scheme in inputs.active_schemes for row in inputs.rows_by_scheme.get(scheme.name, [])]
    for channel in sorted({row.channel for row in rows} & inputs.channels):
        if inputs.consents is not None and not inputs.consents.is_counted(channel):
            message = f"{channel}: no treatment used it so far; `make refresh` counts whom it reaches"
            yield Finding("info", "", (), ("channel",), message)


def edited_input(seeds_dir: Path, settings: Settings, con: duckdb.DuckDBPyConnection) -> CheckInput:
    """What the check looks at: the seed files of a folder, and what a connection of `open_published` shows.

    Raises:
        TreatmentsFileError: a seed file cannot be read.
    """
    rules = project_rules()
    rows = read_treatments(seeds_dir / "treatments.csv")
    check_named_treatments(seeds_dir)
    subset_file = seeds_dir / "template_subsets.csv"
    subsets = read_table(subset_file, _SUBSET_COLUMNS) if subset_file.exists() else []
    rows = with_subsets(rows, [(cells["treatment_id"], cells["pattern"]) for _, cells in subsets])
    schemes = [
        (
            cells["scheme"],
            _flag(line, "is_active", cells),
            _flag(line, "is_data_driven", cells),
            _severity(line, cells),
        )
        for line, cells in read_table(seeds_dir / "segment_schemes.csv", _SCHEME_COLUMNS)
    ]
    listed: dict[str, set[str]] = defaultdict(set)
    for _, cells in read_table(seeds_dir / "segment_definitions.csv", _DEFINITION_COLUMNS):
        listed[cells["scheme"]].add(cells["segment"])
    labels, members = load_members(con)
    items, consents, are_consents_known = _products_and_consents(con, settings, rules)
    if has(con, "int_excluded_segments"):
        excluded = load_excluded(con)
    else:
        of_the_data = {name: labels.get(name, {}) for name, _, is_data_driven, _ in schemes if is_data_driven}
        excluded = _unserved(con, of_the_data, {cells["treatment_id"] for _, cells in subsets})
    return CheckInput(
        as_of=settings.as_of or published_as_of(settings),
        rows=rows,
        schemes=make_schemes(schemes, listed, labels, members, excluded),
        channels=frozenset(channels(seeds_dir)),
        items=items,
        consents=consents,
        rules=rules,
        are_consents_known=are_consents_known,
    )


def channels(seeds_dir: Path) -> list[str]:
    """The channels of a folder's seeds, in their order there."""
    return [cells["channel"] for _, cells in read_table(seeds_dir / "channels.csv", _CHANNEL_COLUMNS)]


def _flag(line: int, column: str, cells: dict[str, str]) -> bool:
    value = cells[column].strip().lower()
    if value not in ("true", "false"):
        raise TreatmentsFileError(f"segment_schemes.csv, line {line}, column {column}: {value!r} is not true or false")
    return value == "true"


def _severity(line: int, cells: dict[str, str]) -> Severity:
    value = cells["treatment_check"].strip()
    if value not in ("block", "warn"):
        raise TreatmentsFileError(
            f"segment_schemes.csv, line {line}, column treatment_check: {value!r} is not block or warn"
        )
    return cast(Severity, value)


def open_published(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A connection of its own in which the published tables are visible by name."""
    file = settings.published_link / DATABASE_NAME
    if not file.exists():
        raise NothingPublishedError(f"nothing is published in {settings.warehouse_dir} yet: run `make refresh` first")
    con = duckdb.connect()
    _attach(con, file, "published")
    # In place of what a version published by an earlier release lacks.
    con.execute("create temp view offer_level as select '' as item_level where false")
    for table in _PUBLISHED:
        # A version published by an earlier release may lack a table.
        with suppress(duckdb.CatalogException):
            con.execute(f"create or replace temp view {table} as select * from published.{table}")
    return con


def _attach(con: duckdb.DuckDBPyConnection, file: Path, name: str) -> None:
    con.execute(f"attach {literal(file)} as {name} (read_only)")


def published_as_of(settings: Settings) -> date:
    """The day that the published version describes."""
    return date.fromisoformat(_manifest(settings)["as_of"])


def _manifest(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((settings.published_link / "manifest.json").read_text(encoding="utf-8"))
    return found


def _products_and_consents(
    con: duckdb.DuckDBPyConnection, settings: Settings, rules: Rules
) -> tuple[Items, Consents | None, bool]:
    """Products and consents of the last build where its file can be read; else the items that were published.

    The build is not published, and a running refresh holds it. The last value says whether consents could be seen.
    """
    levels = load_offer_levels(con, rules.offer_level)
    try:
        if not settings.build_file.exists():
            raise FileNotFoundError(settings.build_file)
        _attach(con, settings.build_file, "build")
        for table in ("stg_products", "segment_reach"):
            con.execute(f"create temp view {table} as select * from build.{table}")
        for table in ("contact_permissions", "stg_touchpoints", "int_affinity_items"):
            with suppress(duckdb.CatalogException):
                con.execute(f"create temp view {table} as from build.{table}")
        with suppress(duckdb.CatalogException):
            con.execute("create temp view int_excluded_segments as from build.int_excluded_segments")
        counted = con.execute("select distinct channel from segment_reach").fetchall()
        consents = replace(load_consents(con), counted=frozenset(channel for (channel,) in counted))
        return load_items_of(con, levels), consents, True
    except (duckdb.Error, FileNotFoundError):
        names = frozenset().union(*(_published_items(con, level) for level in levels))
        return Items(" or ".join(levels), names, is_complete=False), None, False


def _unserved(
    con: duckdb.DuckDBPyConnection, labels: Mapping[str, Mapping[str, str]], with_subset: Set[str]
) -> dict[str, set[str]]:
    """Segments by scheme that were published without a treatment although a `*` row serves all that have none of their
    own: they are made of excluded items, which the build alone says outright.

    Args:
        labels: label by scheme and segment, of the segments with members, for the schemes whose segments come from the
            data.
        with_subset: ids of the `*` rows that serve some segments only.
    """
    if not has(con, "treatments"):
        return {}
    served: dict[str, set[str]] = defaultdict(set)
    general = set()
    for row in from_records(records(con, "select * from treatments")):
        served[row.scheme].add(row.segment)
        is_template = row.segment == EVERY_SEGMENT or row.template_id != row.treatment_id
        if is_template and row.template_id not in with_subset:
            general.add(row.scheme)
    return {scheme: set(labels[scheme]) - served[scheme] - {UNKNOWN} for scheme in general & labels.keys()}


def _published_items(con: duckdb.DuckDBPyConnection, level: str) -> frozenset[str]:
    """Items of a level that some published table names."""
    queries = [
        f"select antecedent from product_affinities where item_level = '{level}'",
        f"select item from next_best_offers where item_level = '{level}'",
    ]
    if level == "category":
        queries.append("select label from segments where scheme = 'category_interest' and segment <> 'unknown'")
    names: set[str] = set()
    for query in queries:
        with suppress(duckdb.CatalogException):
            names.update(name for (name,) in con.execute(query).fetchall())
    return frozenset(names)
