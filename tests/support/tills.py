"""Shops whose exports mean something else than they say, and what pandas makes of them.

Receipt numbers restart each day in each store; a quarter of the receipts is nobody's; one store is paid in francs; some
orders are cancelled; some come back as a whole. The receipts' `order_scope` is order_id, customer_id, store_id, day.

Belongs here: the rows, and their meaning computed from the contract alone, line by line.
Does not belong here: the project's SQL, in whatever form.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from typing import Any

import pandas as pd

from tests.support import retailer

FIRST_DAY = date(2026, 1, 5)
DAYS = 120
SCOPE = "order_id, customer_id, store_id, day"
GUESTS = ("", "0", "Guest")
STATUSES = ("paid", "Completed", "", "sent by pigeon")
NOT_COUNTED = ("cancelled", " VOIDED ", "VOIDED")
CATEGORIES = {f"p{i}": f"C{i % 6}" for i in range(12)}
CURRENCIES = {"north": "EUR", "south": "", "alps": "chf"}
WINDOW = 365


@dataclass
class Tills:
    """A landing zone: lines as dicts of text, rates (first day -> francs in euros), aliases (alias -> customer)."""

    lines: list[dict[str, str]] = field(default_factory=list)
    rates: dict[date, Decimal] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    customers: list[str] = field(default_factory=list)
    categories: dict[str, str] = field(default_factory=lambda: dict(CATEGORIES))

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of each table of the landing zone."""
        tables: dict[str, list[dict[str, Any]]] = {
            "order_lines": [dict(line) for line in self.lines],
            "products": [{"product_id": p, "department": "ALL", "category": c} for p, c in self.categories.items()],
            "customers": [{"customer_id": c} for c in self.customers],
            "exchange_rates": [
                {"currency": "CHF", "valid_from": str(day), "rate": str(rate)} for day, rate in self.rates.items()
            ],
            "customer_aliases": [{"alias_id": a, "customer_id": c} for a, c in self.aliases.items()],
        }
        return {name: rows for name, rows in tables.items() if rows}


def make_tills(seed: int = 7) -> Tills:
    """The same zone for the same seed: about 1,200 lines."""
    chance = random.Random(seed)
    tills = Tills(
        rates={
            FIRST_DAY + timedelta(days=2): Decimal("0.9375"),
            FIRST_DAY + timedelta(days=50): Decimal("1.0512345678"),
        },
        customers=[f"k{i}" for i in range(12)],
    )
    habits = {f"k{i}": chance.sample(sorted(CATEGORIES), 5) for i in range(25)}
    for day in (FIRST_DAY + timedelta(days=n) for n in range(DAYS)):
        for store, currency in CURRENCIES.items():
            for receipt in range(1, chance.randint(1, 3) + 1):
                customer = chance.choice(GUESTS) if chance.random() < 0.25 else f"k{chance.randrange(25)}"
                status = chance.choice(NOT_COUNTED[:2]) if chance.random() < 0.08 else chance.choice(STATUSES)
                sold = []
                for number, product in enumerate(
                    chance.choices(habits.get(customer, sorted(CATEGORIES)), k=chance.randint(1, 4)), start=1
                ):
                    line = {
                        "order_id": str(receipt),
                        "line_number": str(number),
                        "customer_id": customer,
                        "product_id": product,
                        "ordered_at": f"{day}T{8 + receipt:02}:15:00Z",
                        "quantity": str(chance.randint(1, 2)),
                        "amount": f"{chance.choice((1, 1, 1, 5000)) * chance.randint(50, 2000) / 100:.2f}",
                        "store_id": store,
                        "currency": currency,
                        "status": status,
                        "returns_order_id": "",
                    }
                    sold.append(line)
                    tills.lines.append(line)
                if customer not in GUESTS and status in STATUSES and chance.random() < 0.15:
                    _return(tills, chance, day, sold)
    for day in (FIRST_DAY + timedelta(days=n) for n in (10, 60)):
        # An article that is scanned three times, and no line numbers.
        scan = {
            "order_id": "9", "line_number": "", "customer_id": "k1", "product_id": "p3",
            "ordered_at": f"{day}T20:00:00Z", "quantity": "1", "amount": "7.77", "store_id": "alps",
            "currency": "CHF", "status": "paid", "returns_order_id": "",
        }  # fmt: skip
        tills.lines += [dict(scan) for _ in range(3)]
        # Two of them come back, with a minus before the quantity alone; of one more before the amount alone.
        back = {**scan, "order_id": "back-9", "ordered_at": f"{day}T21:00:00Z", "quantity": "-1"}
        tills.lines += [dict(back), dict(back), {**back, "quantity": "1", "amount": "-7.77"}]
    tills.lines += _shared_numbers()
    return tills


def _shared_numbers() -> list[dict[str, str]]:
    """Nobody's receipt 77 of one day in two stores, one of which comes back; and k2's receipt 78 of two days, of which
    the first comes back, though the second is the later one."""
    lines = []
    for order, customer, product, store, after, quantity, returned in (
        ("77", "", "p1", "north", 20, 1, ""),
        ("77", "0", "p1", "south", 20, 1, ""),
        ("back-77", "", "p1", "north", 22, -1, "77"),
        ("78", "k2", "p1", "north", 20, 1, ""),
        ("78", "k2", "p2", "north", 25, 1, ""),
        ("back-78", "k2", "p1", "north", 30, -1, "78"),
    ):
        lines.append(
            {
                "order_id": order, "line_number": "1", "customer_id": customer, "product_id": product,
                "ordered_at": f"{FIRST_DAY + timedelta(days=after)}T12:00:00Z", "quantity": str(quantity),
                "amount": f"{quantity * 0.33:.2f}", "store_id": store, "currency": CURRENCIES[store], "status": "paid",
                "returns_order_id": returned,
            }
        )  # fmt: skip
    return lines


def _return(tills: Tills, chance: random.Random, day: date, sold: Sequence[Mapping[str, str]]) -> None:
    """Everything of a receipt, or all but the last line, comes back some days later, in one or in two parts."""
    first = day + timedelta(days=chance.randint(1, 20))
    for number, line in enumerate(sold if chance.random() < 0.7 else sold[:-1], start=1):
        back_on = first + timedelta(days=chance.randint(0, 3))
        tills.lines.append(
            {
                **line,
                "order_id": f"back-{line['order_id']}-{day}-{line['store_id']}",
                "line_number": str(number),
                "ordered_at": f"{back_on}T18:00:00Z",
                "quantity": f"-{line['quantity']}",
                "amount": f"-{line['amount']}",
                "returns_order_id": line["order_id"],
            }
        )


def retail_tills(households: int = 60) -> Tills:
    """Lines of the demo's first households, as tills would export them.

    Dates have no time, receipts restart daily in each store, every tenth household has no card; there are two
    currencies, voided receipts, and households with several ids.
    """
    raw = pd.read_parquet(retailer.data_dir() / "transactions.parquet", columns=["store_id"])
    table = retailer.all_lines().assign(store=raw["store_id"].to_numpy())
    chosen = sorted(table["customer_id"].unique())[:households]
    # What is no merchandise, and what has no category, is tested elsewhere.
    table = table[table["customer_id"].isin(chosen) & table["is_merchandise"] & table["category"].notna()]
    tills = Tills(
        rates={date(2017, 1, 6): Decimal("0.9375"), date(2017, 6, 1): Decimal("1.0512345678")},
        aliases={chosen[1]: chosen[2], chosen[2]: chosen[3], chosen[11]: chosen[12]},
        customers=chosen[:30],
        categories=dict(zip(table["product_id"], table["category"], strict=True)),
    )
    places = {customer: place for place, customer in enumerate(chosen)}
    receipts: dict[tuple[Any, ...], int] = {}
    last: dict[tuple[Any, ...], int] = {}
    numbers: dict[tuple[Any, ...], int] = {}
    for line in table.sort_values(["ordered_on", "order_id"], kind="stable").itertuples():
        day, key = line.ordered_on.date(), (line.ordered_on, line.store, line.order_id)
        if key not in receipts:
            last[key[:2]] = receipts[key] = last.get(key[:2], 0) + 1
        numbers[key] = numbers.get(key, 0) + 1
        place = places[line.customer_id]
        tills.lines.append(
            {
                "order_id": str(receipts[key]),
                "line_number": str(numbers[key]),
                "customer_id": GUESTS[int(line.order_id) % 3] if place % 10 == 0 else line.customer_id,
                "product_id": line.product_id,
                "ordered_at": str(day),
                "quantity": str(int(line.quantity)),
                "amount": str(Decimal(line.amount) / retailer.UNIT),
                "store_id": str(line.store),
                "currency": ("chf", "EUR", "")[line.store % 3],
                "status": "VOIDED" if int(line.order_id) % 17 == 0 else "completed",
                "returns_order_id": "",
            }
        )
    return tills


# ---- what it means ---------------------------------------------------------------------------------------------------


@dataclass
class Meaning:
    """What holds on an as-of date. Baskets: customer ('' is nobody), date, items, amount of positive lines."""

    baskets: pd.DataFrame
    rfm: dict[str, tuple[int | None, int, Decimal]]
    spend: Decimal
    unrated_days: list[date]
    not_counted: int
    anonymous: int
    equal_lines: tuple[int, Decimal]
    pairs: dict[tuple[str, str], tuple[int, int, int]]


def meaning(tills: Tills, as_of: date) -> Meaning:
    """The contract's reading of the zone, in plain Python."""
    lines = []
    unrated_days = []
    not_counted = 0
    equals: dict[tuple[str, ...], list[Decimal]] = {}
    for row in tills.lines:
        day = date.fromisoformat(row["ordered_at"][:10])
        amount = Decimal(row["amount"])
        if row["currency"].upper() == "CHF":
            valid = [start for start in tills.rates if start <= day]
            if not valid:
                unrated_days.append(day)
                continue
            amount = (amount * tills.rates[max(valid)]).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        # The account tells money as it landed.
        if not row["line_number"]:
            equals.setdefault(tuple(row.values()), []).append(amount)
        # Either minus makes a return.
        amount = -abs(amount) if int(row["quantity"]) < 0 else amount
        if row["status"] in NOT_COUNTED:
            not_counted += 1
            continue
        customer = row["customer_id"]
        while customer in tills.aliases:
            customer = tills.aliases[customer]
        customer = "" if customer in GUESTS else customer
        lines.append({**row, "day": day, "money": amount, "customer": customer, "units": int(row["quantity"])})
    known = [line for line in lines if line["day"] < as_of]
    receipts: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in lines:
        if line["units"] > 0 and line["money"] >= 0:
            key = (line["order_id"], line["customer"], line["store_id"], line["day"])
            receipts.setdefault(key, []).append(line)
    gone = _returned(receipts, known)
    baskets = pd.DataFrame(
        [
            {
                "customer": key[1],
                "day": key[3],
                "items": frozenset(tills.categories[line["product_id"]] for line in sold),
                "amount": sum((line["money"] for line in sold), Decimal(0)),
            }
            for key, sold in receipts.items()
            if key[3] < as_of and key not in gone
        ]
    )
    window = [line for line in known if line["day"] >= as_of - timedelta(days=WINDOW)]
    members = {line["customer"] for line in known} | {_end(tills, c) for c in tills.customers}
    days: dict[str, list[date]] = {member: [] for member in members}
    for customer, day in zip(baskets["customer"], baskets["day"], strict=True):
        days[customer].append(day)
    money = dict.fromkeys(members, Decimal(0))
    for line in window:
        money[line["customer"]] += line["money"]
    rfm = {}
    for member in members - {""}:
        recency = (as_of - max(days[member])).days if days[member] else None
        frequency = sum(day >= as_of - timedelta(days=WINDOW) for day in days[member])
        rfm[member] = (recency, frequency, money[member])
    counts: dict[str, int] = {}
    both: dict[tuple[str, str], int] = {}
    for items in baskets["items"]:
        for item in items:
            counts[item] = counts.get(item, 0) + 1
        for pair in combinations(sorted(items), 2):
            both[pair] = both.get(pair, 0) + 1
    return Meaning(
        baskets=baskets,
        rfm=rfm,
        spend=sum((line["money"] for line in known), Decimal(0)),
        unrated_days=unrated_days,
        not_counted=not_counted,
        anonymous=sum(line["customer"] == "" for line in lines),
        equal_lines=(
            sum(len(scans) - 1 for scans in equals.values()),
            sum((sum(scans[1:], Decimal(0)) for scans in equals.values()), Decimal(0)),
        ),
        pairs={(a, b): (counts[a], counts[b], n) for (a, b), n in both.items() if n >= 5},
    )


def _end(tills: Tills, customer: str) -> str:
    while customer in tills.aliases:
        customer = tills.aliases[customer]
    return customer


def _returned(
    receipts: Mapping[tuple[Any, ...], Sequence[Mapping[str, Any]]], known: Sequence[Mapping[str, Any]]
) -> set:
    """Receipts of which every product has come back. A return is of one receipt of that number that has its product
    by that day: the customer's own, that of its store, and then the latest."""
    back: dict[tuple[Any, ...], dict[str, int]] = {}
    for line in known:
        if not line["returns_order_id"] or line["units"] > 0:
            continue
        holding = [
            key
            for key, sold in receipts.items()
            if key[0] == line["returns_order_id"]
            and (key[1] == line["customer"] or not key[1] or not line["customer"])
            and any(each["product_id"] == line["product_id"] for each in sold)
            and key[3] <= line["day"]
        ]
        if not holding:
            continue
        own = max(
            sorted(holding),
            key=lambda key: (key[1] == line["customer"], key[2] == line["store_id"], key[3]),
        )
        units = back.setdefault(own, {})
        units[line["product_id"]] = units.get(line["product_id"], 0) - line["units"]
    gone = set()
    for key, units in back.items():
        sold: dict[str, int] = {}
        for line in receipts[key]:
            sold[line["product_id"]] = sold.get(line["product_id"], 0) + line["units"]
        if all(units.get(product, 0) >= n for product, n in sold.items()):
            gone.add(key)
    return gone
