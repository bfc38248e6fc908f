"""What a refresh reads for a new day: its lines, and not those of all days.

A kept table is right whatever is read (test_kept.py); this is about the plan that DuckDB makes of it. The zone is large
enough for lines to lie in several row groups, and for the planner to have something to choose.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support import project

FIRST_DAY, DAYS, LINES_A_DAY = date(2026, 1, 5), 60, 10_000
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
# Kept by local day, and made of lines.
MODELS = ("int_baskets", "int_customer_days", "int_customer_category_days", "int_basket_item_numbers")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, str]]]:
    """A build without the rows of its last day in the kept tables, and the selects that would make them again."""
    folder = tmp_path_factory.mktemp("reads")
    write_lines(folder / "landing" / "order_lines")
    project.write_landing(
        folder / "landing",
        {
            "products": [
                {"product_id": f"q{i}", "department": f"d{i % 5}", "category": f"c{i % 20}"} for i in range(200)
            ]
        },
    )
    selected = ["--select", *(f"+{model}" for model in MODELS)]

    def dbt(command: str, *arguments: str) -> project.Build:
        return project.dbt(
            [command, *selected, *arguments],
            folder / "warehouse",
            folder / "target",
            LANDING_DIR=str(folder / "landing"),
        )

    built = dbt("build", "--exclude-resource-type", "test", "unit_test")
    with duckdb.connect(str(built.file)) as con:
        for model in MODELS:
            con.execute(f"delete from {model} where day_on = $1", [LAST_DAY])
    dbt("compile")
    models = folder / "target" / "compiled" / "segments_in_use" / "models"
    found = {model: next(models.rglob(f"{model}.sql")).read_text(encoding="utf-8") for model in MODELS}
    with duckdb.connect(str(built.file), read_only=True) as con:
        # As in profiles/profiles.yml.
        con.execute("set disabled_optimizers = 'common_subexpressions'; set nested_loop_join_threshold = 64")
        yield con, found


def write_lines(folder: Path) -> None:
    """A Parquet file a day: orders of five lines by 400 customers."""
    folder.mkdir(parents=True)
    with duckdb.connect() as con:
        for number in range(DAYS):
            day = FIRST_DAY + timedelta(days=number)
            con.execute(
                f"""
                copy (
                    select
                        'o{number}-' || i // 5 as order_id, 'c' || i // 5 % 400 as customer_id,
                        'q' || hash(i, {number}) % 200 as product_id, i % 5 as line_number,
                        timestamp '{day} 08:00:00' + to_minutes(cast(i // 5 % 600 as integer)) as ordered_at,
                        1 as quantity, 2.5 as amount
                    from range({LINES_A_DAY}) as numbers (i)
                ) to '{folder}/{day}.parquet' (format parquet)
                """
            )


def rows_read(con: duckdb.DuckDBPyConnection, sql: str) -> Counter[str]:
    """Rows that the scans of each table hand on when the select is run."""
    found: Counter[str] = Counter()

    def visit(node: dict[str, Any]) -> None:
        table = str(node.get("extra_info", {}).get("Table", ""))
        if table:
            found[table.rpartition(".")[2]] += int(node["operator_cardinality"])
        for child in node.get("children", []):
            visit(child)

    row = con.execute(f"explain (analyze, format json) {sql}").fetchone()
    assert row is not None
    visit(json.loads(row[1]))
    return found


@pytest.mark.parametrize("model", MODELS)
def test_a_new_day_is_made_of_its_own_lines(
    compiled: tuple[duckdb.DuckDBPyConnection, dict[str, str]], model: str
) -> None:
    con, selects = compiled
    assert con.sql(selects[model]).aggregate("min(day_on), max(day_on)").fetchall() == [(LAST_DAY, LAST_DAY)]
    assert rows_read(con, selects[model])["base_order_lines"] == LINES_A_DAY
