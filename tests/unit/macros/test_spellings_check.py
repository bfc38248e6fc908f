"""The check of the seed spellings, over the shipped seeds and over rows that mean what no rule knows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import pytest

from tests.support.project import ROOT
from tests.support.rendered import dbt_check

SEEDS = ("spellings", "age_bands", "income_bands", "life_stage_rules", "socioeconomic_rules", "segment_definitions")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        for name in SEEDS:
            con.execute(f"create table {name} as from read_csv('{ROOT}/seeds/{name}.csv', all_varchar = true)")
        yield con


def checked(con: duckdb.DuckDBPyConnection, rows: Sequence[tuple[str, str, str | None]]) -> list[tuple[str]]:
    """What the check returns with these rows of spellings beside the shipped ones."""
    for row in rows:
        con.execute("insert into spellings values (?, ?, ?)", row)
    return con.execute(dbt_check("spellings_mean_what_rules_know")).fetchall()


def test_the_shipped_spellings_mean_what_rules_know(con: duckdb.DuckDBPyConnection) -> None:
    assert checked(con, []) == []


def test_a_seed_that_knows_more_words_lets_them_be_meant(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into life_stage_rules (priority, segment, employment) values ('5', 'student', 'apprentice')")
    said = [
        ("income_band", "50-80k", "50_80k"),
        ("employment", "azubi", "apprentice"),
        ("household_composition", "kids", "children"),
        ("gender", "keine angabe", None),
    ]
    assert checked(con, said) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            ("employment", "angestellt", "Employed"),
            "what it means is none of: employed, homemaker, retired, self_employed",
        ),
        (("brand_tier", "eigenmarke", "Private"), "what it means is none of: national, premium, private"),
        (("kind", "gmbh", "Company"), "what it means is none of: company, person"),
        (("settlement", "downtown", "*"), "what it means is none of: rural, suburban, urban"),
        (
            ("Gender", "fem", "female"),
            "no attribute is called so: age_band, benefit_sought, brand_tier, employment, gender",
        ),
        (("household_size", "many", "5"), "no attribute is called so: age_band, "),
    ],
)
def test_a_row_that_means_what_no_rule_knows_is_named(
    con: duckdb.DuckDBPyConnection, row: tuple[str, str, str], said: str
) -> None:
    with pytest.raises(duckdb.Error) as caught:
        checked(con, [row])
    assert f"spellings: {','.join(row)} ({said}" in str(caught.value)


def test_of_many_rows_five_are_named_and_the_others_counted(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match=r"gender,s0,x .*gender,s4,x .*; and 2 more rows\."):
        checked(con, [("gender", f"s{n}", "x") for n in range(7)])
