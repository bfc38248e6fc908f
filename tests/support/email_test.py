"""A randomised e-mail test in the columns of Hillstrom's of 2008, and what lands of it.

Belongs here: the file of that test, or one like it, generated; its rows as tables of a landing zone.
Kevin Hillstrom's "MineThatData E-Mail Analytics And Data Mining Challenge": 64,000 customers, men's e-mail, women's
e-mail, no e-mail, a third each; spend over two weeks. Nothing is downloaded: HILLSTROM_CSV names a copy of the file,
and without it a tenth of as many customers are generated, ten times as ready to buy, each taste moved by its own e-mail
alone.
"""

from __future__ import annotations

import csv
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

HILLSTROM_CSV = "HILLSTROM_CSV"
SENT_ON, DAYS = date(2026, 3, 2), 14
COST = 0.25
# What the file calls an arm, and the treatment that it is.
ARMS = {"Mens E-Mail": "mens_email", "Womens E-Mail": "womens_email", "No E-Mail": "none"}
# As the file spells them.
SETTLEMENTS = {"Urban": "urban", "Surburban": "suburban", "Rural": "rural"}
CUSTOMERS = 6400
# Chance to buy within the two weeks, by what was bought last year and what was sent: in Hillstrom's test half a percent
# to a little over one, with some 110 a purchase.
CHANCES = {
    "mens": {"Mens E-Mail": 0.16, "Womens E-Mail": 0.06, "No E-Mail": 0.05},
    "womens": {"Mens E-Mail": 0.06, "Womens E-Mail": 0.15, "No E-Mail": 0.05},
}


def given_file() -> Path | None:
    """The copy of Hillstrom's file that the environment names."""
    given = os.environ.get(HILLSTROM_CSV, "").strip()
    return Path(given) if given else None


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of such a file, as texts."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def generated(rng: np.random.Generator) -> list[dict[str, str]]:
    """Rows as the file has them."""
    rows = []
    for _ in range(CUSTOMERS):
        taste = "mens" if rng.random() < 0.5 else "womens"
        segment = list(ARMS)[int(rng.integers(3))]
        spend = round(float(rng.gamma(2.0, 55.0)), 2) if rng.random() < CHANCES[taste][segment] else 0.0
        rows.append(
            {
                "recency": str(int(rng.integers(1, 12))),
                "history": f"{rng.lognormal(5.0, 0.8):.2f}",
                "mens": str(int(taste == "mens")),
                "womens": str(int(taste == "womens")),
                "zip_code": list(SETTLEMENTS)[int(rng.integers(3))],
                "segment": segment,
                "spend": f"{spend:g}",
            }
        )
    return rows


def landing_of(rows: list[dict[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """The rows as tables: what each customer spent last year, was drawn for, was sent, and spent in the two weeks.

    Last year's money is one order `recency` months ago, of the goods that the customer is said to have bought; that of
    the two weeks is one order of the same goods.
    """
    tables: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("order_lines", "customers", "assignments", "touchpoints", "products")
    }
    for number, row in enumerate(rows):
        customer, arm = f"h{number:05d}", ARMS[row["segment"]]
        goods = [taste for taste in ("mens", "womens") if row[taste] == "1"] or ["womens"]
        bought_on = SENT_ON - timedelta(days=30 * int(row["recency"]) - number % 28)
        tables["customers"].append({"customer_id": customer, "settlement": SETTLEMENTS[row["zip_code"]]})
        orders = [(f"p{customer}", bought_on, row["history"])]
        if float(row["spend"]):
            orders.append((f"n{customer}", SENT_ON + timedelta(days=number % DAYS), row["spend"]))
        for order_id, day, amount in orders:
            cents = [int(part) for part in np.diff(np.linspace(0, round(100 * float(amount)), len(goods) + 1).round())]
            tables["order_lines"] += [
                {
                    "order_id": order_id,
                    "customer_id": customer,
                    "ordered_at": str(day),
                    "product_id": taste,
                    "quantity": 1,
                    "amount": part / 100,
                }
                for taste, part in zip(goods, cents, strict=True)
            ]
        tables["assignments"].append(
            {
                "customer_id": customer,
                "treatment_id": arm,
                "arm": "holdout" if arm == "none" else "treated",
                "assigned_on": str(SENT_ON),
                "share_treated": 1 / 3,
                "experiment_id": "email_2026",
                "ends_on": str(SENT_ON + timedelta(days=DAYS)),
            }
        )
        if arm != "none":
            tables["touchpoints"].append(
                {
                    "touchpoint_id": f"t{customer}",
                    "customer_id": customer,
                    "touched_at": f"{SENT_ON} 09:00:00",
                    "channel": "email",
                    "treatment_id": arm,
                    "cost": COST,
                }
            )
    tables["products"] = [
        {
            "product_id": taste,
            "department": taste,
            "category": f"{taste} merchandise",
            "list_price": 100,
            "unit_margin": 40,
        }
        for taste in CHANCES
    ]
    return tables
