"""The candidate: tables with the keys and checks of their YAML, rows in the order of the key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

from orchestration.publication import candidate
from orchestration.publication.candidate import CandidateError, prepare_folders, write_candidate
from orchestration.publication.ddl import PublishedTable, ShapeError, create_statement, in_currency, published_tables
from orchestration.publication.questions import Question, questions
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.storage.files import sha256_of

SEGMENTS = PublishedTable(
    "segments",
    {"scheme": "varchar", "segment": "varchar", "members": "bigint"},
    primary_key=("scheme", "segment"),
    not_null=("members",),
    checks=("members >= 0",),
)
ROWS = "('rfm', 'b', 2), ('rfm', 'a', 1), ('age', 'z', 3)"


def build(con: duckdb.DuckDBPyConnection, rows: str = ROWS) -> None:
    con.execute(f"create or replace table segments as select * from (values {rows}) as t(scheme, segment, members)")


def write(folder: Path, table: PublishedTable = SEGMENTS, rows: str = ROWS) -> dict[str, int]:
    with duckdb.connect() as con:
        build(con, rows)
        return write_candidate(con, folder, {table.name: table}, {})


def test_rows_are_in_the_order_of_the_key_in_both_forms(tmp_path: Path) -> None:
    assert write(tmp_path / "c") == {"segments": 3}
    expected = [("age", "z", 3), ("rfm", "a", 1), ("rfm", "b", 2)]
    with duckdb.connect(str(tmp_path / "c" / "segments.duckdb"), read_only=True) as con:
        assert con.execute("from segments").fetchall() == expected
    assert duckdb.sql(f"from '{tmp_path}/c/parquet/segments.parquet'").fetchall() == expected


def test_the_order_of_the_rows_that_were_built_does_not_change_the_files(tmp_path: Path) -> None:
    write(tmp_path / "one")
    write(tmp_path / "two", rows="('age', 'z', 3), ('rfm', 'a', 1), ('rfm', 'b', 2)")
    digests = {sha256_of(tmp_path / name / "parquet" / "segments.parquet") for name in ("one", "two")}
    assert len(digests) == 1


def test_no_log_lies_beside_the_database(tmp_path: Path) -> None:
    write(tmp_path / "c")
    assert sorted(p.name for p in (tmp_path / "c").iterdir()) == ["parquet", "segments.duckdb"]


def test_the_file_has_the_storage_version_that_older_readers_know(tmp_path: Path) -> None:
    write(tmp_path / "c")
    with (tmp_path / "c" / "segments.duckdb").open("rb") as file:
        header = file.read(20)
    assert header[8:12] == b"DUCK"
    # Storage version 64 is that of DuckDB 0.10 to 1.1.
    assert int.from_bytes(header[12:20], "little") == 64


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("('rfm', 'a', 1), ('rfm', 'a', 2)", "segments.*duplicate key"),
        ("('rfm', 'a', -1)", "segments.*CHECK"),
        ("('rfm', 'a', null)", "segments.*NOT NULL"),
        ("('rfm', null, 1)", "segments.*NOT NULL"),
    ],
)
def test_rows_that_break_a_key_or_check_make_no_candidate(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(CandidateError, match=said):
        write(tmp_path / "c", rows=rows)


def test_a_key_without_an_index_is_checked_once_and_orders_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate, "KEY_ROWS", 0)
    table = replace(SEGMENTS, is_key_indexed=False)
    write(tmp_path / "c", table)
    with duckdb.connect(str(tmp_path / "c" / "segments.duckdb"), read_only=True) as con:
        assert con.execute("select scheme, segment from segments").fetchall() == [
            ("age", "z"),
            ("rfm", "a"),
            ("rfm", "b"),
        ]
        assert con.execute("select count(*) from duckdb_indexes()").fetchone() == (0,)
    with pytest.raises(CandidateError, match="segments: more than one row of the key scheme: rfm, segment: a"):
        write(tmp_path / "d", table, rows="('rfm', 'a', 1), ('rfm', 'a', 2)")
    with pytest.raises(CandidateError, match=r"segments.*NOT NULL"):
        write(tmp_path / "e", table, rows="('rfm', null, 1)")


def test_a_table_of_moderate_size_declares_its_key_whatever_its_yaml_says(tmp_path: Path) -> None:
    write(tmp_path / "c", replace(SEGMENTS, is_key_indexed=False))
    with duckdb.connect(str(tmp_path / "c" / "segments.duckdb"), read_only=True) as con:
        kinds = "select constraint_type from duckdb_constraints() where constraint_type = 'PRIMARY KEY'"
        assert con.execute(kinds).fetchall() == [("PRIMARY KEY",)]
    with pytest.raises(CandidateError, match=r"segments.*duplicate key"):
        write(tmp_path / "d", replace(SEGMENTS, is_key_indexed=False), rows="('rfm', 'a', 1), ('rfm', 'a', 2)")


def test_tables_and_columns_carry_their_descriptions(tmp_path: Path) -> None:
    described = replace(
        SEGMENTS,
        columns={"scheme": "varchar", "segment": "varchar"},
        is_closed=False,
        description="One row a\n  scheme's segment.",
        descriptions={"scheme": "The scheme.", "segment": "It's the segment."},
        other_columns="A count.",
    )
    write(tmp_path / "c", described)
    with duckdb.connect(str(tmp_path / "c" / "segments.duckdb"), read_only=True) as con:
        tables = con.execute("select comment from duckdb_tables()").fetchall()
        columns = con.execute(
            "select column_name, comment from duckdb_columns() where table_name = 'segments'"
        ).fetchall()
    assert tables == [("One row a scheme's segment. Key: scheme, segment.",)]
    assert dict(columns) == {"scheme": "The scheme.", "segment": "It's the segment.", "members": "A count."}


MONEY_NOT_IN_DECIMALS = {
    "experiment_plans": {"effect_of_interest", "smallest_effect", "foregone_value"},
    "segment_profiles": {"metric", "value", "population_value"},
    "segment_treatment_values": {"mean_value", "ci_low", "ci_high", "shrunken_value"},
    "segmentation_dividend": {
        *("value_none", "value_one", "value_by_segment", "dividend", "ci_low", "ci_high", "dividend_total"),
        "least_dividend",
    },
    "treatment_outcomes": {
        *("outcome", "mean_treated", "mean_holdout", "uplift", "ci_low", "ci_high", "always_low", "always_high"),
        *("cuped_uplift", "cuped_ci_low", "cuped_ci_high", "cuped_always_low", "cuped_always_high"),
        *("minimum_detectable_effect", "cost_per_member", "net_value", "verdict_net_value"),
        *("verdict_net_low", "verdict_net_high"),
    },
}


def described_columns() -> dict[tuple[str, str], tuple[str, str]]:
    """(table, column) -> (type, description) of everything under models/marts, of the account's tables too."""
    found = {}
    for path in sorted((PROJECT_DIR / "models" / "marts").rglob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        tables = [*content.get("models", []), *(t for s in content.get("sources", []) for t in s["tables"])]
        for table in tables:
            if table.get("config", {}).get("meta", {}).get("published", True):
                for column in table.get("columns", []):
                    said = column["data_type"], column.get("description", "")
                    found[table["name"], column["name"]] = said
    return found


def test_every_column_of_money_names_the_currency_in_its_comment_where_it_is_known(tmp_path: Path) -> None:
    """What is kept as a decimal is money; of other columns, those above."""
    found = described_columns()
    money = {column for column, (kind, _) in found.items() if kind.startswith("decimal")}
    assert {("segments", "spend"), ("customer_profiles", "monetary"), ("cross_sell_gaps", "expected_value")} <= money
    money |= {(table, column) for table, columns in MONEY_NOT_IN_DECIMALS.items() for column in columns}
    words = {column: in_currency(found[column][1], "CHF") for column in money}
    assert {column: text for column, text in words.items() if "CHF" not in text} == {}
    for question in questions():
        for name, text in question.columns.items():
            if name in ("spend", "expected_value"):
                assert "CHF" in in_currency(text, "CHF"), f"{question.name}.{name}"


def test_the_currency_is_named_in_the_comments_of_tables_and_views(tmp_path: Path) -> None:
    table = replace(SEGMENTS, descriptions={"members": "What they spent,\n currency of the order lines."})
    asked = Question("v_all", "All.", {"members": "Spend, in the reporting currency."}, "select members from segments")
    for name, currency, said in (
        ("known", "EUR", {"What they spent, EUR.", "Spend, in EUR."}),
        ("unknown", None, {"What they spent, currency of the order lines.", "Spend, in the reporting currency."}),
    ):
        with duckdb.connect() as con:
            build(con)
            write_candidate(con, tmp_path / name, {"segments": table}, {}, [asked], currency)
        with duckdb.connect(str(tmp_path / name / "segments.duckdb"), read_only=True) as con:
            comments = con.execute("select comment from duckdb_columns() where column_name = 'members'").fetchall()
        assert {comment for (comment,) in comments} == said


def test_a_model_may_say_that_its_key_has_no_index() -> None:
    node = {
        "resource_type": "model",
        "name": "many",
        "original_file_path": "models/marts/many.sql",
        "columns": {"a": {"data_type": "bigint"}},
        "config": {"meta": {"primary_key": ["a"], "primary_key_index": False}},
    }
    table = published_tables({"nodes": {"m": node}, "sources": {}})["many"]
    assert "primary key" not in create_statement(table, {"a": "bigint"})
    assert '"a" bigint not null' in create_statement(table, {"a": "bigint"})


def test_no_table_of_members_or_pairs_has_an_index() -> None:
    """Which the build and the candidate would each fill, for nobody who looks a key up (docs/decisions.md)."""
    indexed = {}
    for path in sorted((PROJECT_DIR / "models" / "marts").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            config = model.get("config", {}).get("meta", {})
            if config.get("primary_key_index", True):
                indexed[model["name"]] = set(config.get("primary_key", []))
            for constraint in model.get("constraints", []):
                if constraint["type"] == "primary_key":
                    indexed[model["name"]] = set(constraint["columns"])
    assert "segments" in indexed
    many = {"member_id", "customer_id", "antecedent"}
    assert {name for name, key in indexed.items() if key & many} == set()


def test_a_table_that_was_not_built_is_named(tmp_path: Path) -> None:
    with pytest.raises(CandidateError, match="offers: not built"):
        write(tmp_path / "c", PublishedTable("offers", {"a": "bigint"}, ("a",)))


def test_a_table_of_the_account_that_was_not_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(CandidateError, match="scheme_scorecard"):
        write(tmp_path / "c", PublishedTable("scheme_scorecard", {"a": "bigint"}, ("a",), is_account=True))


def test_tables_of_the_account_come_from_arrow(tmp_path: Path) -> None:
    table = PublishedTable("scheme_scorecard", {"scheme": "varchar", "n": "bigint"}, ("scheme",), is_account=True)
    rows = pa.table({"n": [2, 1], "scheme": ["b", "a"]})
    with duckdb.connect() as con:
        assert write_candidate(con, tmp_path / "c", {table.name: table}, {table.name: rows}) == {"scheme_scorecard": 2}
    assert duckdb.sql(f"from '{tmp_path}/c/parquet/scheme_scorecard.parquet'").fetchall() == [("a", 1), ("b", 2)]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ShapeError, match="segments: without its column members"):
        create_statement(SEGMENTS, {"scheme": "varchar", "segment": "varchar"})


def test_a_column_that_the_yaml_does_not_know_is_refused_under_a_contract_and_kept_without_one() -> None:
    found = {"scheme": "varchar", "segment": "varchar", "members": "bigint", "rfm": "varchar"}
    with pytest.raises(ShapeError, match="column rfm"):
        create_statement(SEGMENTS, found)
    opened = PublishedTable(SEGMENTS.name, SEGMENTS.columns, SEGMENTS.primary_key, is_closed=False)
    assert '"rfm" varchar' in create_statement(opened, found)


def test_a_reserved_word_may_be_a_column(tmp_path: Path) -> None:
    table = PublishedTable("t", {"window": "varchar"}, ("window",))
    with duckdb.connect() as con:
        con.execute("create table t as select 'basket' as \"window\"")
        assert write_candidate(con, tmp_path / "c", {"t": table}, {}) == {"t": 1}


def node(name: str, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "name": name,
        "resource_type": "model",
        "original_file_path": f"models/marts/segments/{name}.sql",
        "columns": {"a": {"data_type": "bigint", "constraints": [{"type": "not_null"}]}},
        "constraints": [{"type": "primary_key", "columns": ['"a"']}],
        "config": {"contract": {"enforced": True}, "meta": {}},
    }
    return {**base, **more}


def manifest(*nodes: dict[str, Any], sources: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "nodes": {f"model.{i}": n for i, n in enumerate(nodes)},
        "sources": {f"source.{i}": s for i, s in enumerate(sources)},
    }


def test_marts_are_published_under_their_alias_unless_their_meta_says_otherwise() -> None:
    found = published_tables(
        manifest(
            node("segment_treatments", alias="treatments"),
            node("helper", config={"meta": {"published": False}}),
            node("int_members", original_file_path="models/intermediate/int_members.sql"),
        )
    )
    assert list(found) == ["treatments"]
    assert found["treatments"].primary_key == ("a",)
    assert found["treatments"].not_null == ("a",)
    assert found["treatments"].is_closed


def test_sources_of_the_account_are_published_with_the_key_and_checks_of_their_meta() -> None:
    account = {
        "name": "scheme_scorecard",
        "source_name": "account",
        "columns": {"scheme": {"data_type": "varchar"}},
        "config": {"meta": {"primary_key": ["scheme"], "checks": ["scheme <> ''"]}},
    }
    landing = {**account, "name": "customers", "source_name": "landing"}
    found = published_tables(manifest(sources=(account, landing)))
    assert list(found) == ["scheme_scorecard"]
    assert found["scheme_scorecard"].checks == ("scheme <> ''",)
    assert found["scheme_scorecard"].is_account


def test_a_published_table_without_a_primary_key_is_refused() -> None:
    with pytest.raises(ShapeError, match="lonely: no primary key"):
        published_tables(manifest(node("lonely", constraints=[])))


def test_candidates_of_earlier_refreshes_are_gone_before_a_new_one_is_made(tmp_path: Path) -> None:
    settings = Settings(None, tmp_path, None, "UTC", "duckdb")
    (settings.candidate_dir / "old").mkdir(parents=True)
    (settings.candidate_dir / "old" / "segments.duckdb").write_text("half")
    prepare_folders(settings, settings.candidate_dir / "new")
    assert list(settings.candidate_dir.iterdir()) == []
