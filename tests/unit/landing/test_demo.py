"""The demo's landing zone against the package's own files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.landing.contract import contract
from orchestration.landing.demo import package_data_dir, write_demo

pytestmark = pytest.mark.demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("warehouse") / "demo"
    assert write_demo(folder)
    return folder


def one(query: str, demo: Path) -> tuple:
    with duckdb.connect() as con:
        for name in ("transactions", "coupon_redemptions", "demographics"):
            con.read_parquet(str(package_data_dir() / f"{name}.parquet")).create_view(name)
        for folder in demo.iterdir():
            if folder.is_dir():
                con.read_parquet(str(folder / "*.parquet")).create_view(f"demo_{folder.name}")
        row = con.execute(query).fetchone()
        assert row is not None
        return row


def test_it_is_written_once(demo: Path) -> None:
    assert not write_demo(demo)


def test_an_older_version_is_written_again(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / ".demo-version").write_text("0 0")
    assert write_demo(tmp_path / "demo")


def test_every_column_is_one_of_the_contract(demo: Path) -> None:
    with duckdb.connect() as con:
        for table in (folder.name for folder in demo.iterdir() if folder.is_dir()):
            columns = con.read_parquet(str(demo / table / "*.parquet")).columns
            assert set(columns) <= {c.name for c in contract()[table].columns}


def test_lines_and_money_are_those_of_the_package(demo: Path) -> None:
    lines, amount, discount, coupon = one(
        "select count(*), sum(amount), sum(discount_amount), sum(coupon_amount) from demo_order_lines", demo
    )
    expected = one(
        "select count(*), sum(sales_value), sum(retail_disc + coupon_match_disc), sum(coupon_disc) from transactions",
        demo,
    )
    assert lines == expected[0] == 1_469_307
    assert [float(amount), float(discount), float(coupon)] == pytest.approx(expected[1:], abs=0.01)


def test_line_numbers_count_from_one_in_each_order(demo: Path) -> None:
    wrong = one(
        "select count(*) from (select order_id from demo_order_lines group by order_id"
        " having max(line_number) <> count(*) or count(distinct line_number) <> count(*))",
        demo,
    )
    assert wrong == (0,)


def test_every_household_is_a_customer_with_its_demographics_where_known(demo: Path) -> None:
    assert one("select count(*), count(age_band), count(distinct customer_id) from demo_customers", demo) == (
        2469,
        801,
        2469,
    )


def test_responses_have_their_own_ids_and_their_local_day(demo: Path) -> None:
    rows = one(
        "select count(*), count(distinct response_id),"
        " min(cast(timezone('America/New_York', timezone('UTC', responded_at)) as date)) from demo_responses",
        demo,
    )
    earliest = one("select cast(min(redemption_date) as date) from coupon_redemptions", demo)
    assert rows == (2102, 2102, *earliest)
