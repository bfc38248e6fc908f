"""A shop made up so that the truth is known: complements planted in baskets and in time, and items that size joins."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from tests.integration import project
from tests.integration.project import Build

TOGETHER = [("brick", "mortar"), ("diapers", "wipes"), ("pasta", "sauce")]
FIRST_THEN = [("printer", "toner"), ("tent", "stove")]
NOISE = [f"item {n:02d}" for n in range(40)]
START = date(2025, 1, 6)
CUSTOMERS = 400
MASONS = 40  # the first customers buy brick regularly,
WITHOUT_MORTAR = 10  # and the first of them never mortar


def _shop() -> project.Landing:
    """Orders of 400 customers in a year. Baskets differ much in size, so every two items have a lift above 1."""
    rng = np.random.default_rng(20261122)
    lines = []
    order = 0

    def sell(customer: str, day: int, items: list[str]) -> None:
        nonlocal order
        order += 1
        for item in dict.fromkeys(items):
            lines.append(
                {
                    "order_id": f"o{order}",
                    "customer_id": customer,
                    "product_id": item,
                    "ordered_at": f"{START + timedelta(days=day)} 12:00:00",
                    "quantity": 1,
                    "amount": 5,
                }
            )

    for number in range(CUSTOMERS):
        customer = f"c{number:03d}"
        for day in sorted(rng.choice(330, size=12, replace=False)):
            size = int(rng.choice([1, 2, 4, 20], p=[0.3, 0.3, 0.3, 0.1]))
            basket = list(rng.choice(NOISE, size=size, replace=False))
            for first, second in TOGETHER:
                if rng.random() < 0.05:
                    basket += [first] if rng.random() < 0.2 else [first, second]
                elif rng.random() < 0.01:
                    basket.append(second)
            if number < MASONS and rng.random() < 0.5:
                basket += ["brick", "mortar"]
            if number < WITHOUT_MORTAR:
                basket = [item for item in basket if item != "mortar"] or ["brick"]
            sell(customer, int(day), basket)
        for first, second in FIRST_THEN:
            if rng.random() < 0.3:
                day = int(rng.integers(0, 300))
                sell(customer, day, [first])
                if rng.random() < 0.8:
                    sell(customer, day + int(rng.integers(1, 31)), [second])
    names = sorted({line["product_id"] for line in lines})
    products = [{"product_id": n, "product_name": n, "department": "shop", "category": n} for n in names]
    return {"order_lines": lines, "products": products}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Build:
    tmp = tmp_path_factory.mktemp("planted")
    landing = project.write_landing(tmp / "landing", _shop())
    return project.build(
        landing, tmp, arguments=["--select", "+product_affinities", "+next_best_offers", "+cross_sell_gaps"]
    )


def test_planted_complements_are_the_top_of_the_size_adjusted_list(shop: Build) -> None:
    top = shop.rows(
        f"""select least(antecedent, consequent), greatest(antecedent, consequent) from product_affinities
        where item_level = 'category' and "window" = 'basket' and relation = 'complement'
        group by all order by max(size_adjusted_lift) desc limit {len(TOGETHER)}"""
    )
    assert sorted(top) == sorted(tuple(sorted(pair)) for pair in TOGETHER)


def test_items_that_only_large_baskets_join_have_lift_but_no_size_adjusted_lift(shop: Build) -> None:
    lift, adjusted = shop.rows(
        """select median(lift), median(size_adjusted_lift) from product_affinities
        where item_level = 'category' and "window" = 'basket' and antecedent like 'item%' and consequent like 'item%'"""
    )[0]
    assert lift > 2
    assert adjusted == pytest.approx(1, abs=0.1)


def test_planted_sequences_are_the_top_in_time_with_their_direction(shop: Build) -> None:
    top = shop.rows(
        f"""select antecedent, consequent from product_affinities
        where item_level = 'category' and "window" = '30_days'
        order by size_adjusted_lift desc limit {len(FIRST_THEN)}"""
    )
    assert sorted(top) == sorted(FIRST_THEN)


def test_the_first_of_a_planted_sequence_leads_and_no_other_item_does_so_more(shop: Build) -> None:
    leading = shop.rows(
        f"""select antecedent, consequent from product_affinities where relation = 'leads' and item_level = 'category'
        order by (n_both - n_reverse) / sqrt(n_both + n_reverse) desc limit {len(FIRST_THEN)}"""
    )
    assert sorted(leading) == sorted(FIRST_THEN)


def test_who_regularly_buys_brick_and_never_mortar_is_a_gap(shop: Build) -> None:
    found = shop.rows("select customer_id from cross_sell_gaps where because_item = 'brick' and gap_item = 'mortar'")
    without = {f"c{number:03d}" for number in range(WITHOUT_MORTAR)}
    assert len(without & {customer for (customer,) in found}) >= 0.8 * WITHOUT_MORTAR


def test_gaps_are_planted_complements_only(shop: Build) -> None:
    found = shop.rows("select distinct because_item, gap_item from cross_sell_gaps")
    assert found
    assert set(found) <= {pair for a, b in TOGETHER for pair in ((a, b), (b, a))}


def test_toner_is_offered_to_owners_of_a_printer_because_of_it(shop: Build) -> None:
    """Popular items compete for ten places, so not every owner is offered toner; but more than others are."""
    shares = shop.mapping(
        """with customers as (
            select
                customer_id,
                bool_or(product_id = 'printer') as has_printer
            from stg_order_lines group by customer_id having not bool_or(product_id = 'toner')
        )
        select has_printer, count(offers.item) / count(*), count(*) filter (where because_item = 'printer') / count(*)
        from customers
        left join next_best_offers as offers on customers.customer_id = offers.customer_id and item = 'toner'
        group by has_printer"""
    )
    offered, because = shares[True]
    assert offered == because > 1.4 * shares[False][0]
    assert shares[False][1] == 0
