"""Names beside ids: the views `v_<table>`, row by row."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from orchestration.publication.ddl import PublishedTable
from orchestration.publication.labels import labelled
from orchestration.publication.questions import create_views

TEXT = "varchar"


def table(name: str, *columns: str, **more: str) -> PublishedTable:
    return PublishedTable(name, dict.fromkeys(columns, TEXT), description=f"Of {name}.", **more)  # type: ignore[arg-type]


TABLES = {
    t.name: t
    for t in (
        table("segments", "scheme", "segment", "label", "nearest_mass_segment"),
        table("moves", "scheme", "from_segment", "to_segment", "n"),
        table("cells", "scheme", "segment", "occasion"),
        table("committees", "company_id", "role"),
        table("items", "item", "segment"),
        PublishedTable(
            "customer_profiles", {"customer_id": TEXT, "kind": TEXT}, is_closed=False, other_columns="One a scheme."
        ),
    )
}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute(
            """
            create table segments as select * from (values
                ('rfm', 'at_risk', 'At risk', null), ('rfm', '65_', '65+', 'at_risk'),
                ('occasion', 'lunch', 'Lunch time', null), ('buying_role', 'finance', 'Counts the money', null),
                ('life_stage', 'at_risk', 'Another', null)
            ) as told (scheme, segment, label, nearest_mass_segment);
            create table moves as select * from (values
                ('rfm', 'at_risk', '65_', 1), ('life_stage', 'at_risk', 'garden_center', 2), ('all', 'all', null, 3)
            ) as told (scheme, from_segment, to_segment, n);
            create table cells as select 'rfm' as scheme, '65_' as segment, 'lunch' as occasion;
            create table committees as select 'c1' as company_id, 'finance' as role;
            create table items as select 'nails' as item, 'no id' as segment;
            create table customer_profiles as
                select 'x' as customer_id, 'person' as kind, '65_' as rfm, 'late_evening' as occasion;
            """
        )
        names = {name: [row[0] for row in con.execute(f"describe {name}").fetchall()] for name in TABLES}
        create_views(con, "main", labelled(TABLES, names))
        yield con


def rows(con: duckdb.DuckDBPyConnection, view: str) -> list[dict[str, object]]:
    cursor = con.execute(f"from {view}")
    columns = [column[0] for column in cursor.description or []]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def test_each_id_has_its_name_behind_it_by_its_own_scheme(con: duckdb.DuckDBPyConnection) -> None:
    first, second, third = sorted(rows(con, "v_moves"), key=lambda row: str(row["n"]))
    assert list(first.items()) == [
        ("scheme", "rfm"),
        ("scheme_label", "RFM"),
        ("from_segment", "at_risk"),
        ("from_segment_label", "At risk"),
        ("to_segment", "65_"),
        ("to_segment_label", "65+"),
        ("n", 1),
    ]
    assert (second["scheme_label"], second["from_segment_label"]) == ("Life stage", "Another")
    # A segment that nobody is in any more, everyone, and nobody.
    assert second["to_segment_label"] == "Garden center"
    assert (third["scheme_label"], third["from_segment_label"], third["to_segment_label"]) == ("All", "All", None)


def test_occasions_roles_and_the_profiles_columns_are_segments_of_one_scheme(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "v_cells")[0]["occasion_label"] == "Lunch time"
    assert rows(con, "v_committees")[0]["role_label"] == "Counts the money"
    (profile,) = rows(con, "v_customer_profiles")
    assert profile == {
        "customer_id": "x",
        "kind": "person",
        "rfm": "65_",
        "rfm_label": "65+",
        "occasion": "late_evening",
        "occasion_label": "Late evening",
    }


def test_only_tables_with_ids_have_a_view_and_what_is_named_is_not_named_twice(con: duckdb.DuckDBPyConnection) -> None:
    views = {name for (name,) in con.execute("select view_name from duckdb_views() where not internal").fetchall()}
    assert views == {"v_segments", "v_moves", "v_cells", "v_committees", "v_customer_profiles"}
    assert list(rows(con, "v_segments")[0]) == [
        "scheme",
        "scheme_label",
        "segment",
        "label",
        "nearest_mass_segment",
        "nearest_mass_segment_label",
    ]
    assert {row["nearest_mass_segment_label"] for row in rows(con, "v_segments")} == {None, "At risk"}
    assert labelled({"moves": TABLES["moves"]}, {"moves": ["scheme"]}) == []


def test_a_view_has_as_many_rows_as_its_table_and_says_what_it_is(con: duckdb.DuckDBPyConnection) -> None:
    for name in ("segments", "moves", "cells", "committees", "customer_profiles"):
        counts = con.execute(f"select (select count(*) from {name}), (select count(*) from v_{name})").fetchone()
        assert counts is not None and counts[0] == counts[1], name
    assert con.execute("select comment from duckdb_views() where view_name = 'v_moves'").fetchone() == (
        "Of moves. The table moves, with names beside ids.",
    )
    words = dict(
        con.execute(
            "select column_name, comment from duckdb_columns() where table_name = 'v_customer_profiles'"
        ).fetchall()
    )
    assert words["rfm"] == "One a scheme." and words["rfm_label"] == "Name of rfm for people."
