"""A shop made up so that the truth is known: complements planted in baskets and in time, and items that size joins.

Belongs here: order lines and products as rows, for tests and benchmarks (numpy is all it needs).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

START = date(2025, 1, 6)
MASONS = 40  # the first customers buy the first pair of `together` regularly,
WITHOUT_MORTAR = 10  # and the first of them never its second item

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Shop:
    """What is planted.

    Of each pair in `together` the first item takes the second along in four baskets of five, and the second is also
    sold alone; of each in `first_then` the second follows within 30 days for four customers of five. The other items
    are divided among `tastes`, of which each customer has one, and takes its items eight times as often as others; 0:
    all take all alike."""

    customers: int = 400
    together: Pairs = (("brick", "mortar"), ("diapers", "wipes"), ("pasta", "sauce"))
    first_then: Pairs = (("printer", "toner"), ("tent", "stove"))
    noise: int = 40
    tastes: int = 0
    seed: int = 20261122


def landing(shop: Shop = Shop()) -> dict[str, list[dict[str, Any]]]:
    """Orders of a year. Baskets differ much in size, so every two items have a lift above 1."""
    rng = np.random.default_rng(shop.seed)
    noise = [f"item {n:02d}" for n in range(shop.noise)]
    lines: list[dict[str, Any]] = []
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

    for number in range(shop.customers):
        customer = f"c{number:03d}"
        likes = None
        if shop.tastes:
            weights = np.where(np.arange(shop.noise) % shop.tastes == number % shop.tastes, 8.0, 1.0)
            likes = weights / weights.sum()
        for day in sorted(rng.choice(330, size=12, replace=False)):
            size = int(rng.choice([1, 2, 4, 20], p=[0.3, 0.3, 0.3, 0.1]))
            basket = list(rng.choice(noise, size=size, replace=False, p=likes))
            for first, second in shop.together:
                if rng.random() < 0.05:
                    basket += [first] if rng.random() < 0.2 else [first, second]
                elif rng.random() < 0.025:
                    basket.append(second)
            if number < MASONS and rng.random() < 0.5:
                basket += list(shop.together[0])
            if number < WITHOUT_MORTAR:
                basket = [item for item in basket if item != shop.together[0][1]] or [shop.together[0][0]]
            sell(customer, int(day), basket)
        for first, second in shop.first_then:
            if rng.random() < 0.3:
                day = int(rng.integers(0, 300))
                sell(customer, day, [first])
                if rng.random() < 0.8:
                    sell(customer, day + int(rng.integers(1, 31)), [second])
    names = sorted({line["product_id"] for line in lines})
    products = [{"product_id": n, "product_name": n, "department": "shop", "category": n} for n in names]
    return {"order_lines": lines, "products": products}


def many_pairs(customers: int = 4000) -> Shop:
    """A larger shop for benchmarks: 30 pairs in baskets, 20 in time, 100 other items."""
    return Shop(
        customers=customers,
        together=tuple((f"base {n:02d}", f"addition {n:02d}") for n in range(30)),
        first_then=tuple((f"device {n:02d}", f"refill {n:02d}") for n in range(20)),
        noise=100,
        tastes=5,
    )
