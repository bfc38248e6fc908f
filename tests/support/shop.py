"""A small builder's merchant, the same on every run: 60 customers of two kinds, 14 months, about 2,000 lines.

Planted: every third customer builds, and who takes BRICK mostly takes SAND and CEMENT along; the FORGETFUL build too,
buy little else, and never SAND.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

Rows = list[dict[str, Any]]
Zone = dict[str, Rows]

# No clock change, and half an hour off the others: local days begin at 18:30 UTC.
TIMEZONE = "Asia/Kolkata"
OFFSET = timedelta(hours=5, minutes=30)
FIRST_DAY = date(2025, 1, 6)
DAYS = 405
FORGETFUL = ("p50", "p51", "p52", "p53", "p54")

_CATEGORIES = {
    "MASONRY": ("BRICK", "SAND", "CEMENT", "Käse & Brot"),
    "PAINT": ("PAINT", "BRUSHES", "TAPE"),
    "TOOLS": ("DRILLS", "SAWS", "GLOVES"),
    "GARDEN": ("SOIL", "SEEDS", None),
    "FUEL": ("DIESEL",),
}
_TIERS = ("National", "Private", "premium", "odd")


def products() -> Rows:
    """Two products a category, named <category>-0 and -1; two of GARDEN have no category, FUEL is no merchandise."""
    return [
        {
            "product_id": f"{category or 'BARE'}-{n}",
            "department": department,
            "category": category,
            "brand_tier": _TIERS[(n + i) % 4],
        }
        for department, categories in _CATEGORIES.items()
        for i, category in enumerate(categories)
        for n in range(2)
    ]


def customers(rng: random.Random) -> Rows:
    """Persons p00 to p54 with some profile, and one company of this table."""
    rows: Rows = [
        {
            "customer_id": f"p{n:02d}",
            "kind": "person",
            # Birthdays in summer: the as-of dates here are in winter, so a small shift keeps the age.
            "birth_date": date(rng.randint(1945, 2004), rng.randint(6, 9), rng.randint(1, 28)) if n % 3 == 0 else None,
            "age_band": rng.choice(["19-24", "25-34", "45-54", "65+", "?"]) if n % 3 == 1 else None,
            "employment": rng.choice(["student", "employed", "retired", None]),
            "household_size": rng.choice(["1", "2", "5+", None]),
            "children": rng.choice(["0", "2", None]),
            "income_band": rng.choice(["under 15K", "50-74K", "100-124K", None]),
            "settlement": rng.choice(["city", "village", None]),
            "gender": rng.choice(["f", "male", None]),
        }
        for n in range(55)
        if n % 11  # some buyers have no profile
    ]
    return [*rows, {"customer_id": "k00", "kind": "company"}]


def companies() -> Rows:
    """Companies k01 to k04; k04 never orders."""
    return [{"company_id": f"k{n:02d}", "company_name": f"Works {n}", "employees": 10 * n} for n in range(1, 5)]


def order_lines(rng: random.Random) -> Rows:
    """Lines in order of time; ordered_at is UTC. p10 to p12 stop early, p00 has bought on the last evening."""
    buyers = [f"p{n:02d}" for n in range(55)] + ["k00", "k01", "k02", "k03"]
    goods = [row["product_id"] for row in products() if row["category"] not in ("BRICK", "SAND", "CEMENT")]
    orders = []
    for n, buyer in enumerate(buyers):
        last_day = 20 if buyer in ("p10", "p11", "p12") else DAYS - 1
        for _ in range(2 + (n * 7) % 23):
            orders.append((rng.randint(0, last_day), rng.randint(7 * 60, 21 * 60), buyer))
    orders.append((DAYS - 1, 21 * 60 + 30, "p00"))
    lines: Rows = []
    for number, (day, minute, buyer) in enumerate(sorted(orders)):
        local = datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(days=day, minutes=minute)
        forgets = buyer in FORGETFUL
        basket = rng.sample(goods[-4:-2] if forgets else goods, rng.randint(1, 2 if forgets else 4))
        if forgets or (int(buyer[1:]) % 3 == 0 and rng.random() < 0.6):
            basket += ["BRICK-0"]
            basket += ["CEMENT-1"] if rng.random() < 0.7 else []
            basket += ["SAND-0"] if rng.random() < 0.8 and not forgets else []
        for line, product in enumerate(basket, start=1):
            quantity = rng.choice([1, 1, 1, 2, 3])
            amount = rng.randint(50, 2000)
            chance = rng.random()
            if chance < 0.03:
                quantity, amount = -quantity, -amount
            elif chance < 0.05:
                quantity = 0
            lines.append(
                {
                    "order_id": f"o{number:04d}",
                    "line_number": line,
                    "customer_id": buyer,
                    "product_id": product if chance < 0.98 else "nowhere",
                    "ordered_at": local - OFFSET,
                    "quantity": quantity,
                    "amount": f"{amount / 100:.2f}",
                    "discount_amount": f"{rng.choice([0, 0, 0, 25, 110]) / 100:.2f}",
                    "coupon_amount": f"{rng.choice([0, 0, 0, 0, 50]) / 100:.2f}",
                }
            )
    return lines


def zone() -> Zone:
    """The whole landing zone."""
    rng = random.Random(20260301)
    return {
        "products": products(),
        "customers": customers(rng),
        "companies": companies(),
        "order_lines": order_lines(rng),
    }


def local_day(line: dict[str, Any]) -> date:
    """The local date of an order line."""
    moment: datetime = line["ordered_at"]
    return (moment + OFFSET).date()


def changed_lines(source: Zone, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Zone:
    """A copy of the zone with `change` applied to each order line."""
    return {**source, "order_lines": [change(dict(line)) for line in source["order_lines"]]}
