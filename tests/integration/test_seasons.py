"""Affinities by season and by grid on a small shop, every row against pandas; goods of other months are no substitutes.

Planted: picnic bags sell in summer and paper chains in December, a few of each in the season of the other, each in
baskets like any other of its month; tea and coffee sell all year, and seldom together.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tests.support import project
from tests.support.project import Build

FIRST_DAY = date(2024, 2, 1)
# A Wednesday; the grid's day is the Monday before it.
AS_OF = date(2025, 12, 24)
MONDAY = date(2025, 12, 22)
STAPLES = ("bread", "milk", "soap", "jam", "rice", "eggs")
TABLES = ("product_affinities", "segment_affinities")


def orders() -> list[tuple[datetime, str, list[str]]]:
    """Time, customer and products of each order, some with a second day."""
    rng = random.Random(20251224)
    found = []
    for number in range(7000):
        day = FIRST_DAY + timedelta(days=rng.randrange((AS_OF - FIRST_DAY).days + 2))
        basket = rng.sample(STAPLES, rng.choice([1, 1, 2, 3, 4]))
        if day.month in (6, 7, 12):
            in_season, out_of_season = ("chain", "picnic") if day.month == 12 else ("picnic", "chain")
            basket += [in_season] if rng.random() < 0.5 else []
            basket += [out_of_season] if rng.random() < 0.04 else []
        drinks = rng.random()
        basket += ["tea", "coffee"] if drinks < 0.01 else [rng.choice(["tea", "coffee"])] if drinks < 0.4 else []
        found.append((datetime(day.year, day.month, day.day, 12, number % 60), f"c{rng.randrange(90)}", basket))
    return found


def lines() -> list[dict[str, object]]:
    """Order lines; every 40th order goes over midnight, so that some do over ends of months and the grid's day."""
    rows: list[dict[str, object]] = []
    for number, (at, customer, basket) in enumerate(orders()):
        for place, product in enumerate(basket):
            late = timedelta(days=1) if place and number % 40 == 0 else timedelta()
            rows.append(
                {
                    "order_id": f"o{number}",
                    "line_number": place,
                    "customer_id": customer,
                    "product_id": product,
                    "ordered_at": at + late,
                    "quantity": 1,
                    "amount": 2,
                }
            )
    # One surely does over the last Sunday.
    for place, day in enumerate((21, 22)):
        rows += [
            {
                "order_id": f"night{n}",
                "line_number": place,
                "customer_id": "c1",
                "product_id": ("bread", "milk")[place],
                "ordered_at": datetime(2025, 12, day, 23 * (1 - place), 30),
                "quantity": 1,
                "amount": 2,
            }
            for n in range(9)
        ]
    return rows


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("seasons")
    products = [
        {"product_id": name, "category": name.upper(), "department": name[0]}
        for name in (*STAPLES, "picnic", "chain", "tea", "coffee")
    ]
    landing = project.write_landing(folder / "landing", {"products": products, "order_lines": lines()})
    limits = "{segment_min_baskets: 200, history_grid: month}"
    return project.build(
        landing,
        folder,
        as_of=AS_OF.isoformat(),
        arguments=["--vars", limits, "--select", *(f"+{table}" for table in TABLES)],
        STORE_TIMEZONE="UTC",
    )


def expected(before: date, customers: set[str] | None = None) -> pd.DataFrame:
    """Counts and lifts of every pair in a basket, from the lines before a day (of some customers)."""
    table = pd.DataFrame(lines())
    table = table[table["ordered_at"] < pd.Timestamp(before)]
    if customers is not None:
        table = table[table["customer_id"].isin(customers)]
    begun = table.groupby("order_id")["ordered_at"].min()
    presence = pd.crosstab(table["order_id"], table["product_id"]).clip(upper=1)
    sizes = presence.sum(axis=1)
    deciles = sizes.map(lambda size: 1 + int(10 * (sizes < size).sum() // len(sizes)))
    cells = pd.DataFrame({"decile": deciles, "month": begun.dt.month})

    def by(columns: list[str]) -> np.ndarray:
        keys = [cells[column] for column in columns]
        return sum(  # type: ignore[return-value]
            np.outer(cell.sum(), cell.sum()) / len(cell) for _, cell in presence.groupby(keys, sort=False)
        )

    both = presence.T @ presence
    size, season = (
        pd.DataFrame(by(columns), both.index, both.columns) for columns in (["decile"], ["decile", "month"])
    )
    rows = [
        (a, b, len(presence), both.loc[a, a], both.loc[b, b], n, n / size.loc[a, b], n / season.loc[a, b])
        for a in both
        for b in both
        if a != b and (n := both.loc[a, b]) >= 5
    ]
    names = ["antecedent", "consequent", "n_baskets", "n_antecedent", "n_consequent", "n_both", "size", "season"]
    return pd.DataFrame(rows, columns=names).sort_values(["antecedent", "consequent"], ignore_index=True)


COLUMNS = """
    lower(antecedent) as antecedent, lower(consequent) as consequent, n_baskets, n_antecedent, n_consequent, n_both,
    size_adjusted_lift as size, season_adjusted_lift as season
"""


@pytest.mark.parametrize(("level", "before"), [("category", AS_OF), ("product", MONDAY)])
def test_every_row_is_what_pandas_counts_before_its_day(shop: Build, level: str, before: date) -> None:
    found = shop.frame(
        f"""select as_of, {COLUMNS} from product_affinities where item_level = '{level}' and "window" = 'basket'
        order by 2, 3"""
    )
    assert set(found.pop("as_of").dt.date) == {before}
    assert len(found) > 60
    pd.testing.assert_frame_equal(found, expected(before), check_dtype=False, rtol=1e-9)


def test_every_row_of_a_segment_is_what_pandas_counts_of_its_baskets(shop: Build) -> None:
    segments = shop.rows("select distinct scheme, segment from segment_affinities order by all limit 3")
    assert segments
    for scheme, segment in segments:
        members = shop.rows(
            f"""select member_id from int_memberships inner join int_as_of_dates using (as_of)
            where is_current and scheme = '{scheme}' and segment = '{segment}'"""
        )
        found = shop.frame(
            f"""select {COLUMNS} from segment_affinities where scheme = '{scheme}' and segment = '{segment}'
            order by 1, 2"""
        )
        wanted = expected(AS_OF, {member for (member,) in members})
        # Only pairs that are kept among all baskets are told of a segment.
        pairs = set(zip(found["antecedent"], found["consequent"], strict=True))
        kept = [pair in pairs for pair in zip(wanted["antecedent"], wanted["consequent"], strict=True)]
        pd.testing.assert_frame_equal(found, wanted[kept].reset_index(drop=True), check_dtype=False, rtol=1e-9)


def test_customers_in_time_have_no_season(shop: Build) -> None:
    rows = shop.rows(
        """select count(*), count(season_adjusted_lift), count(size_adjusted_lift), min(as_of), max(as_of)
        from product_affinities where "window" = '30_days'"""
    )
    assert rows[0][0] > 0 and rows[0][1] == 0 and rows[0][2] > 0
    assert rows[0][3:] == (AS_OF, AS_OF)


@pytest.mark.parametrize("level", ["category", "product"])
def test_goods_of_other_months_are_no_substitutes_and_those_that_part_customers_are(shop: Build, level: str) -> None:
    rules = shop.mapping(
        f"""select lower(antecedent) || ' ' || lower(consequent), relation, size_adjusted_lift, season_adjusted_lift
        from product_affinities where item_level = '{level}' and "window" = 'basket'"""
    )
    relation, by_size, by_season = rules["picnic chain"]
    # By size alone they would be as clear a pair of substitutes as tea and coffee.
    assert by_size < 0.6
    assert (relation, by_season > 0.7) == ("independent", True)
    assert rules["coffee tea"][0] == "substitute"
    assert rules["bread picnic"][0] == rules["bread milk"][0] == "independent"
