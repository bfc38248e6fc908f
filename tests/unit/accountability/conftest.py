"""A small warehouse in memory with the tables that the account reads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb
import pyarrow as pa
import pytest

AS_OF, OUTCOME_START = date(2026, 8, 1), date(2026, 5, 3)


class SmallWarehouse:
    """Tables as dbt would leave them. Members are given as rows; what is not given is empty."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.con.execute(
            """
            create table refresh_settings as
                select date '2026-08-01' as as_of, date '2026-05-03' as outcome_start_on,
                       date '2025-05-03' as past_start_on, 90 as outcome_days, 365 as rfm_window_days,
                       cast(100 as bigint) as min_members, cast(30 as bigint) as min_segment_members,
                       cast(0.03 as double) as superficial_effect, cast(0.01 as double) as least_dividend,
                       cast(0.1 as double) as equivalence_margin;
            create table segment_schemes (scheme varchar, is_active boolean, audience varchar default 'person');
            create table stg_company_contacts (person_id varchar, company_id varchar);
            create table segments (scheme varchar, segment varchar, label varchar, members bigint);
            create table customer_segments (scheme varchar, member_id varchar, segment varchar);
            create table customer_profiles (customer_id varchar, first_order_on date);
            create table behaviour_members (
                scheme varchar, member_id varchar, segment varchar, past_spend double, past_spend_quintile integer,
                spend double, orders bigint, discount_share double, private_label_share double, responded integer);
            create table delivery_members (
                scheme varchar, member_id varchar, segment varchar, sent_categories varchar, channels varchar,
                touches bigint);
            create table experiment_members (
                experiment_id varchar, customer_id varchar, treatment_id varchar, arm varchar, assigned_on date,
                observed_days integer, closes_on date, is_closed boolean, arm_share double, stratum varchar,
                past_spend double, past_orders bigint, spend double, orders bigint, cost double);
            create table experiment_segments (
                experiment_id varchar, scheme varchar, customer_id varchar, segment varchar);
            create table sales_margin as select date '2026-08-01' as as_of, 0.0::double as amount,
                0.0::double as amount_with_margin, cast(null as double) as margin_share;
            """
        )

    def schemes(self, *active: str, inactive: Iterable[str] = ()) -> None:
        for scheme in active:
            self.con.execute("insert into segment_schemes (scheme, is_active) values (?, true)", [scheme])
        for scheme in inactive:
            self.con.execute("insert into segment_schemes (scheme, is_active) values (?, false)", [scheme])

    def insert(self, table: str, rows: list[dict[str, object]]) -> None:
        """Columns that a row leaves out are null."""
        if rows:
            columns = sorted({column for row in rows for column in row})
            given = pa.table({column: [row.get(column) for row in rows] for column in columns})
            self.con.register("given_rows", given)
            self.con.execute(f"insert into {table} by name select * from given_rows")
            self.con.unregister("given_rows")


@pytest.fixture
def warehouse() -> SmallWarehouse:
    return SmallWarehouse()
