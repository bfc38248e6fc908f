"""Hand-made landing zones, and the dbt runs over them that the staging tests share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tests.support import project

SECRETS = ("Ada Planted-Name", "ada@planted-mail.example", "+49-555-planted", "bo@planted-mail.example")


@dataclass
class StagingRun:
    """A finished `dbt build` of staging. `output`: what it printed."""

    warehouse: Path
    logs: Path
    returncode: int
    output: str

    def query(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
            return con.execute(sql).fetchall()


# One value for all runs: dbt parses the project again whenever --vars change.
MAX_QUARANTINE_SHARE = 0.9


def run_staging(
    warehouse: Path, landing_dir: Path | None, zone: str = "", variables: Mapping[str, Any] | None = None
) -> StagingRun:
    """Runs the staging models on the shipped seeds; dbt's target folder is beside the warehouse."""
    logs = warehouse.parent / f"{warehouse.name}-logs"
    # The shipped seeds.
    environ = {"DBT_LOG_PATH": str(logs), "SEEDS_DIR": "", "SEEDS_PATH": ""}
    if landing_dir is not None:
        environ["LANDING_DIR"] = str(landing_dir)
    if zone:
        environ["STORE_TIMEZONE"] = zone
    settings = {"max_quarantine_share": MAX_QUARANTINE_SHARE, **(variables or {})}
    arguments = ["build", "--vars", json.dumps(settings)]
    arguments += [
        "--select",
        "path:models/staging",
        "quarantine",
        "guest_ids",
        "order_statuses",
        "unreadable_values",
        "--exclude-resource-type",
        "unit_test",
        # A test that also looks at what staging does not build is left out.
        "--indirect-selection",
        "buildable",
    ]
    done = project.ended_dbt(arguments, warehouse, warehouse.parent / "dbt-target", environ)
    return StagingRun(warehouse, logs, done.returncode, done.stdout + done.stderr)


def write(path: Path, text: str, *, bom: bool = False, newline: str = "\n") -> None:
    """A text file in UTF-8; lines of `text` end in `newline`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.replace("\n", newline).encode())


def write_parquet(path: Path, query: str) -> None:
    """The rows of a DuckDB query, in UTC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.sql(query).write_parquet(str(path))


def write_dirty_zone(zone: Path) -> None:
    """Every kind of dirt once. What must become of each row is said in test_staging.py."""
    write(
        zone / "customers" / "crm.csv",
        "customer_id,kind,registered_on,birth_date,full_name,email,phone,shoe_size\n"
        f"c1,person,2026-01-05,,{SECRETS[0]},{SECRETS[1]},{SECRETS[2]},41\n"
        "c2,,,,,,,\n"
        "c3,Company,,,,,,\n"
        f"c4,robot,,,,{SECRETS[1]},,\n"
        f",person,,,{SECRETS[0]},,,\n"
        f"c1,person,2026-01-05,,{SECRETS[0]},{SECRETS[1]},{SECRETS[2]},44\n"
        f"c5,person,,,,{SECRETS[1]},,\n"
        f"c5,person,,,,{SECRETS[3]},,\n"
        f"c6,person,,31.12.1990,,{SECRETS[3]},,\n"
        f"c7,person,,,Planted, {SECRETS[0]},{SECRETS[1]},,\n",
        bom=True,
        newline="\r\n",
    )
    write_parquet(
        zone / "customers" / "loaded_on=2026-11-01" / "crm.parquet",
        f"""
        select 'c1' as customer_id, date '2026-01-05' as registered_on, '{SECRETS[0]}' as full_name,
            '{SECRETS[1]}' as email, '{SECRETS[2]}' as phone, '5+' as household_size
        where false
        union all
        select 'c1', date '2026-01-05', '{SECRETS[0]}', '{SECRETS[1]}', '{SECRETS[2]}', null
        union all
        select 'c8', null, null, null, null, '5+'
        """,
    )
    write(
        zone / "order_lines" / "till.csv",
        "order_id,line_number,customer_id,product_id,ordered_at,quantity,amount,coupon_amount,note\n"
        "o1,1,c1,p1,2026-03-28T23:30:00Z,1,2.50,,\n"
        "o1,2,c1,p2,2026-03-29 00:30:00+02:00,2,3,,first\n"
        "o1,2.0,c1,p2,2026-03-28 22:30:00,2.0,3.0000,,second\n"
        "o2,1,c2,p1,2026-03-29 01:30:00,1,1,,\n"
        "o2,1,c2,p1,2026-03-29 01:30:00,1,9,,\n"
        "o3,1,c2,p1,yesterday,1,1,,\n"
        "o3,2,c2,p1,2026-03-29 10:00:00,one,1,,\n"
        "o3,3,,p1,2026-03-29 10:00:00,1,1,,\n"
        "o3,4,c2,p1,2026-03-29,1,NaN,,\n"
        "o3,4,c2,p1,2026-03-29,1,NaN,,\n"
        "o3,x,c2,p1,2026-03-29 10:00:00,1,1,,\n"
        'o3,5,c2,"p ""1"", x\ny",2026-03-29 10:00:00.5-0330,1,1e1,,\n'
        "o3,6,c2,p1,2026-03-29 10:00:00,1,1,abc,\n"
        "o3,7,c2,p1\n"
        "o3,8,c2,p1,2026-03-29 10:00:00,1,1_000,,\n"
        "o3,3.5,c2,p1,2026-03-29T24:00:00,inf,,,\n",
    )
    write(
        zone / "order_lines" / "loaded_on=2026-11-02" / "till again.csv",
        'ordered_at,"order_id",line_number,customer_id,product_id,quantity,amount\n'
        "2026-03-28 23:30,o1,1,c1,p1,1.0,2.5\n"
        "2026-03-28T22:30:00.000Z,o1,2,c1,p2,2,3\n",
    )
    write_parquet(
        zone / "order_lines" / "naive.parquet",
        """
        select 'o5' as order_id, 'c1' as customer_id, 7 as product_id, timestamp '2026-10-25 00:30:00' as ordered_at,
            1 as quantity, amount
        from (values (1.5::double), (1.5), (2.5)) as amounts (amount)
        """,
    )
    write_parquet(
        zone / "order_lines" / "zoned.parquet",
        """
        select 'o6' as order_id, 1 as line_number, 900.0::double as customer_id, 'p1' as product_id,
            timestamptz '2026-10-25 01:30:00+00' as ordered_at, -1::double as quantity, (-0.1)::float as amount
        """,
    )
    write(
        zone / "responses" / "mail.csv",
        "response_id,customer_id,responded_at,kind\n"
        "r1,c1,2026-04-01,Open\nr2,c1,2026-04-01 10:00:00,bounce\nr3,c1,2026-04-01 10:00:00,\n",
    )
    write(
        zone / "consents" / "all.csv",
        "customer_id,channel,opted_in,recorded_at\n"
        "c1,mail,Yes,2026-01-01\nc1,mail,0,2026-01-02\nc1,sms,maybe,2026-01-01\n"
        "c2,mail,t,2026-01-01\nc2,mail,F,2026-01-01T00:00:00Z\n",
    )
    write(
        zone / "assignments" / "tests.csv",
        "customer_id,treatment_id,arm,assigned_on,share_treated\n"
        "c1,t1,treated,2026-01-01 00:00:00,0.5\nc2,t1,holdout,2025-12-31T23:00:00Z,0.5\nc3,t1,control,2026-01-01,0.5\n"
        "c4,None,Holdout,2026-01-02,0.5\nc5,None,treated,2026-01-03,50\n",
    )
    write(zone / "exchange_rates" / "bank.csv", "currency,valid_from,rate\nUSD,2026-01-01,0.92\nUSD,2026-02-01,soon\n")
    write(zone / "customer_aliases" / "merged.csv", "alias_id,customer_id\ng1,g9\ng2,\n")
    write(zone / "order_line" / "typo.csv", "order_id\no1\n")
    write(zone / "products" / "readme.txt", "none yet\n")
