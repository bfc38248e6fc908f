"""The check that rules and meanings give segments of their schemes, over the shipped seeds and over new rows."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
import yaml

from tests.support.project import ROOT
from tests.support.rendered import dbt_check

# seed, scheme
RULES = [
    ("life_stage_rules", "life_stage"),
    ("socioeconomic_rules", "socioeconomic"),
    ("money_effort_rules", "money_effort"),
    ("rfm_grid", "rfm"),
    ("company_size_rules", "company_size"),
]
SEEDS = (*dict(RULES), "occasion_rules", "category_meanings", "job_benefits", "segment_definitions")
# seed, column, scheme
COLUMNS = [
    *((seed, "segment", scheme) for seed, scheme in RULES),
    ("occasion_rules", "occasion", "occasion"),
    ("category_meanings", "purchase_motive", "purchase_motive"),
    ("category_meanings", "lifestyle", "lifestyle"),
    ("job_benefits", "benefit", "benefit_sought"),
]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        for name in SEEDS:
            con.execute(f"create table {name} as from read_csv('{ROOT}/seeds/{name}.csv', all_varchar = true)")
        con.execute(f"create table segment_schemes as from '{ROOT}/seeds/segment_schemes.csv'")
        yield con


def checked(con: duckdb.DuckDBPyConnection) -> list[tuple[str]]:
    return con.execute(dbt_check("rules_give_defined_segments")).fetchall()


def define(con: duckdb.DuckDBPyConnection, scheme: str, segment: str) -> None:
    con.execute("insert into segment_definitions values (?, ?, 'Label', 'Who.', '99')", [scheme, segment])


def test_the_shipped_seeds_give_segments_that_are_defined(con: duckdb.DuckDBPyConnection) -> None:
    assert checked(con) == []


@pytest.mark.parametrize(("seed", "column", "scheme"), COLUMNS)
def test_a_new_segment_is_one_with_its_row_in_segment_definitions_and_refused_by_name_without(
    con: duckdb.DuckDBPyConnection, seed: str, column: str, scheme: str
) -> None:
    con.execute(f"insert into {seed} ({column}) values ('brunch')")
    with pytest.raises(duckdb.Error, match=rf"{seed}, column {column}: brunch is none of \w+, .*segment_definitions"):
        checked(con)
    define(con, scheme, "brunch")
    assert checked(con) == []


@pytest.mark.parametrize("seed", dict(RULES))
def test_a_rule_may_give_unknown(con: duckdb.DuckDBPyConnection, seed: str) -> None:
    con.execute(f"insert into {seed} (segment) values ('unknown')")
    assert checked(con) == []


def test_no_occasion_is_called_unknown(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into occasion_rules (occasion) values ('unknown')")
    with pytest.raises(duckdb.Error, match="occasion_rules, column occasion: unknown is none of "):
        checked(con)


def test_in_a_scheme_whose_segments_come_from_the_data_any_word_is_one(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into category_meanings (lifestyle) values ('Brunch for two')")
    con.execute("update segment_schemes set is_data_driven = true where scheme = 'lifestyle'")
    assert checked(con) == []


@pytest.mark.parametrize(("seed", "column", "scheme"), COLUMNS)
def test_no_column_of_a_seed_has_a_list_of_its_own_of_what_segment_definitions_can_add_to(
    seed: str, column: str, scheme: str
) -> None:
    """SEEDS_DIR replaces rows, and not the YAML."""
    (declared,) = [
        each
        for path in (ROOT / "seeds").glob("*.yml")
        for table in yaml.safe_load(path.read_text(encoding="utf-8"))["seeds"]
        if table["name"] == seed
        for each in table["columns"]
        if each["name"] == column
    ]
    checks = declared.get("config", {}).get("meta", {}).get("checks", [])
    assert [check for check in checks if check not in ("not_null", "unique")] == [], scheme
