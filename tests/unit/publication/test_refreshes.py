"""The table `refreshes`: rows are carried on, also over a stop between publishing and noting."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.publication.publish import CheckCounts
from orchestration.publication.refreshes import (
    SCHEMA,
    RowAccount,
    known_refreshes,
    note,
    read_row_account,
    refresh_row,
    with_row,
)
from orchestration.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(None, tmp_path, None, "UTC", "duckdb")


def row(refresh_id: str, landed: int = 10) -> pa.Table:
    started = datetime(2026, 11, 1, 5, tzinfo=UTC)
    finished = datetime(2026, 11, 1, 5, 1, tzinfo=UTC)
    return refresh_row(
        refresh_id, date(2026, 11, 1), started, finished, RowAccount(landed, landed - 3, 1, 2), CheckCounts(40, 2, 0)
    )


def publish_table(settings: Settings, refreshes: pa.Table) -> None:
    version = settings.versions_dir / "v"
    (version / "parquet").mkdir(parents=True)
    pq.write_table(refreshes, version / "parquet" / "refreshes.parquet")
    settings.published_link.symlink_to("versions/v")


def test_the_first_refresh_knows_of_no_other(settings: Settings) -> None:
    assert known_refreshes(settings).num_rows == 0


def test_rows_are_kept_from_refresh_to_refresh(settings: Settings) -> None:
    note(settings, row("b"))
    note(settings, with_row(known_refreshes(settings), row("c")))
    assert known_refreshes(settings)["refresh_id"].to_pylist() == ["b", "c"]


def test_a_refresh_that_was_published_but_not_noted_is_known_from_the_published_version(settings: Settings) -> None:
    note(settings, row("a"))
    publish_table(settings, with_row(row("a"), row("b")))
    assert known_refreshes(settings)["refresh_id"].to_pylist() == ["a", "b"]


def test_a_rolled_back_refresh_stays_known(settings: Settings) -> None:
    note(settings, with_row(row("a"), row("b")))
    publish_table(settings, row("a"))
    assert known_refreshes(settings)["refresh_id"].to_pylist() == ["a", "b"]


def test_the_row_has_the_columns_and_counts_of_the_contract() -> None:
    [values] = row("a").to_pylist()
    assert row("a").schema == SCHEMA
    assert values["rows_landed"] == values["rows_staged"] + values["rows_quarantined"] + values["rows_duplicate"]
    assert (values["checks_passed"], values["checks_failed"]) == (40, 2)
    assert values["finished_at"] == datetime(2026, 11, 1, 5, 1)


def test_the_row_account_is_summed_over_tables() -> None:
    with duckdb.connect() as con:
        con.execute(
            "create table row_account as select * from (values"
            " ('orders', 10, 7, 1, 2, 0, 4, 2, 3, 7.25::decimal(18, 4)), ('products', 8, 5, 3, 0, 2, 0, 0, 0, 0))"
            " as t(source_table, rows_landed, rows_staged, rows_quarantined, rows_duplicate, rows_superseded,"
            " rows_not_counted, rows_anonymous, equal_lines, equal_lines_amount)"
        )
        assert read_row_account(con) == RowAccount(18, 12, 4, 2, 2, 4, 2, 3, Decimal("7.25"))


def test_a_refresh_from_before_equal_lines_were_counted_has_no_number_of_them(settings: Settings) -> None:
    added = ["rows_superseded", "rows_not_counted", "rows_anonymous", "equal_lines", "equal_lines_amount"]
    old = row("a").drop_columns(added)
    publish_table(settings, old)
    [values] = known_refreshes(settings).to_pylist()
    assert (values["rows_landed"], values["equal_lines"], values["equal_lines_amount"]) == (10, None, None)
