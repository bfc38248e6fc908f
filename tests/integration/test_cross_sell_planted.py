"""A shop made up so that the truth is known: complements planted in baskets and in time, and items that size joins."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from tests.support import planted_shop, project
from tests.support.planted_shop import WITHOUT_MORTAR
from tests.support.project import Build

TOGETHER = planted_shop.Shop().together
FIRST_THEN = planted_shop.Shop().first_then


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Build:
    tmp = tmp_path_factory.mktemp("planted")
    landing = project.write_landing(tmp / "landing", planted_shop.landing())
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


def test_the_first_of_a_planted_complement_is_surer_of_the_second_than_the_other_way_round(shop: Build) -> None:
    """Four fifths of the first item's baskets hold the second, which is also sold alone."""
    confidences = shop.mapping(
        """select antecedent || ' -> ' || consequent, confidence from product_affinities
        where item_level = 'category' and "window" = 'basket' and relation = 'complement'"""
    )
    for first, second in TOGETHER:
        assert confidences[f"{first} -> {second}"] > confidences[f"{second} -> {first}"]
        assert 0.7 < confidences[f"{first} -> {second}"] < 0.95


def test_items_that_only_large_baskets_join_have_lift_but_no_size_adjusted_lift(shop: Build) -> None:
    lift, adjusted = shop.rows(
        """select median(lift), median(size_adjusted_lift) from product_affinities
        where item_level = 'category' and "window" = 'basket' and antecedent like 'item%' and consequent like 'item%'"""
    )[0]
    assert lift > 2
    assert adjusted == pytest.approx(1, abs=0.1)


@pytest.fixture(scope="module")
def small_baskets(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Baskets of one to three of twelve items, each as likely as the others; but tea and coffee seldom meet."""
    chance = random.Random(11)
    items = ["TEA", "COFFEE", *(f"ITEM {n}" for n in range(10))]
    lines = []
    for basket in range(8000):
        chosen = chance.sample(items, chance.choice([1, 1, 2, 3]))
        if {"TEA", "COFFEE"} <= set(chosen) and chance.random() < 0.7:
            chosen.remove(chance.choice(["TEA", "COFFEE"]))
        receipt = {
            "order_id": f"o{basket}",
            "customer_id": f"c{chance.randrange(300)}",
            "ordered_at": (datetime(2026, 1, 1, 9) + timedelta(hours=basket // 12)).isoformat(),
        }
        lines += [{**receipt, "product_id": item, "quantity": 1, "amount": 2} for item in chosen]
    products = [{"product_id": item, "department": "GROCERY", "category": item} for item in items]
    tmp = tmp_path_factory.mktemp("small")
    landing = project.write_landing(tmp / "landing", {"order_lines": lines, "products": products})
    return project.build(landing, tmp, arguments=["--select", "+product_affinities"])


def test_in_small_baskets_only_the_planted_pair_is_a_substitute(small_baskets: Build) -> None:
    """Size-adjusted lifts are all below 1 there: a basket with one item holds no pair."""
    pairs = small_baskets.mapping(
        """select antecedent || ' -> ' || consequent, relation, size_adjusted_lift from product_affinities
        where item_level = 'category' and "window" = 'basket' and antecedent < consequent"""
    )
    assert len(pairs) == 66
    assert max(lift for _, lift in pairs.values()) < 0.9
    assert {pair for pair, (relation, _) in pairs.items() if relation != "independent"} == {"COFFEE -> TEA"}
    assert pairs["COFFEE -> TEA"][0] == "substitute"


def test_the_neutral_counts_of_all_pairs_add_up_to_the_pairs_that_there_are(small_baskets: Build) -> None:
    expected, neutral, found = small_baskets.rows(
        """select sum(expected_both), sum(neutral_both), sum(n_both) from int_pair_tests
        where item_level = 'category' and sales_window = 'basket'"""
    )[0]
    assert neutral == pytest.approx(found, rel=1e-12)
    assert expected > 1.2 * float(found)


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


def test_nothing_says_more_for_the_second_of_a_planted_pair_than_its_first(shop: Build) -> None:
    strongest = shop.mapping(
        """select second_items.item, first_items.item from int_item_weights as weights
        inner join int_offer_items as first_items on weights.position = first_items.position
        inner join int_offer_items as second_items on weights.other_position = second_items.position
        qualify row_number() over (partition by second_items.item order by weight desc, first_items.item) = 1"""
    )
    for first, second in FIRST_THEN:
        assert strongest[second] == first


def test_toner_is_offered_to_owners_of_a_printer_because_of_it(shop: Build) -> None:
    """Popular items compete for ten places, so not every owner is offered toner."""
    because = shop.rows(
        """select distinct because_item from next_best_offers as offers where item = 'toner' and exists (
            select 1 from stg_order_lines as lines
            where lines.customer_id = offers.customer_id and lines.product_id = 'printer'
        )"""
    )
    assert because == [("printer",)]
