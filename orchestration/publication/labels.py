"""Names beside ids: for each published table with ids of schemes, segments, occasions or roles, a view `v_<table>` that
is the table with a column `…_label` behind each of them, so that a chart needs no join.

Belongs here: which columns are ids, and how they are named. Does not belong here: ready questions (questions/).

Labels are in views and not in the tables: a label of a hundred letters on each of a million rows is what joins are for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestration.publication.ddl import PublishedTable
from orchestration.publication.questions import Question
from orchestration.storage.sql import literal, quoted

SEGMENTS = "segments"
PROFILES = "customer_profiles"
# Columns with a segment of the scheme in the column `scheme`.
OF_THE_SCHEME = ("segment", "segment_a", "segment_b", "from_segment", "to_segment", "nearest_mass_segment")
# Columns with a segment of one scheme.
OF_ONE_SCHEME = {"occasion": "occasion", "role": "buying_role", "company_size": "company_size"}
ABBREVIATIONS = {"rfm": "RFM"}


def labelled(tables: Mapping[str, PublishedTable], columns: Mapping[str, Sequence[str]]) -> list[Question]:
    """A view for each table that has ids, by name.

    Args:
        tables: what is published.
        columns: the columns that each table has, those included that its YAML leaves open.
    """
    if not {"scheme", "segment", "label"} <= set(columns.get(SEGMENTS, ())):
        return []
    found = [_labelled(table, columns[name]) for name, table in sorted(tables.items())]
    return [view for view in found if view is not None]


def _labelled(table: PublishedTable, names: Sequence[str]) -> Question | None:
    selected: list[str] = []
    words: dict[str, str] = {}
    joins: list[str] = []
    for name in names:
        selected.append(f"told.{quoted(name)}")
        words[name] = table.descriptions.get(name) or table.other_columns or name
        scheme = _scheme_of(table, names, name)
        label = f"{name}_label"
        is_named = label in names or (table.name == SEGMENTS and name == "segment")
        if is_named or (scheme is None and name != "scheme"):
            continue
        if scheme is None:
            shown = _scheme_label(f"told.{quoted(name)}")
        else:
            named = quoted(f"named_{name}")
            joins.append(
                f"left join {SEGMENTS} as {named} on {named}.scheme = {scheme} "
                f"and {named}.segment = told.{quoted(name)}"
            )
            shown = f"coalesce({named}.label, {_readable(f'told.{quoted(name)}')})"
        selected.append(f"{shown} as {quoted(label)}")
        words[label] = f"Name of {name} for people."
    if len(selected) == len(names):
        return None
    select = "select\n    " + ",\n    ".join(selected) + f"\nfrom {quoted(table.name)} as told"
    description = f"{table.description.strip()} The table {table.name}, with names beside ids."
    return Question(f"v_{table.name}", description, words, "\n".join([select, *joins]))


def _scheme_of(table: PublishedTable, names: Sequence[str], name: str) -> str | None:
    """The scheme of the segments in a column, as SQL; None where they are no segments."""
    if name in OF_THE_SCHEME and "scheme" in names:
        return "told.scheme"
    # The columns of the profiles that its YAML leaves open are named for schemes.
    if table.name == PROFILES:
        return None if name in table.columns else literal(name)
    return literal(OF_ONE_SCHEME[name]) if name in OF_ONE_SCHEME else None


def _scheme_label(scheme: str) -> str:
    known = " ".join(f"when {literal(name)} then {literal(label)}" for name, label in ABBREVIATIONS.items())
    return f"case {scheme} {known} else {_readable(scheme)} end"


def _readable(text: str) -> str:
    """An id as words: `garden_center` -> `Garden center`."""
    return f"upper(substr({text}, 1, 1)) || replace(substr({text}, 2), '_', ' ')"
