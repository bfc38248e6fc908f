"""A small dirty landing zone in which every table of the contract has rows, and what a second day brings to it.

Belongs here: files in the landing zone, the same on every call. Does not belong here: what must become of them.
The shop of tests/support/shop.py, with everything that makes engines differ: apostrophes, quotes and line ends in
names, several ways to write a moment, clock changes, ties, copies, refused and torn lines, zeros to divide by.
"""

from __future__ import annotations

import random
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support import project, shop

# The shop's own days are half an hour off every hour; here the clock changes twice, between lines.
TIMEZONE = "America/New_York"
LAST_DAY = date(2026, 3, 14)
SHOPS_LAST_DAY = shop.FIRST_DAY + timedelta(days=shop.DAYS - 1)
LINE_FILES = 4
# Spark writes a folder for each day and each as-of date of a kept table: the shop's 405 days become 203, of which each
# tenth has baskets.
SHOP_DAYS_A_DAY = 2
BASKET_DAYS = 10
COLUMNS = "order_id,line_number,customer_id,product_id,ordered_at,quantity,amount,discount_amount,coupon_amount"

# Each refused for its own reason, and copies that are dropped: fewer than one row in a hundred.
DIRTY_LINES = [
    'd1,1,p01,"Käse & Brot-0",2026-03-08T06:59:59Z,1,2.50,0,0',
    'd1,1,p01,"Käse & Brot-0",2026-03-08 06:59:59,1.0,2.5,0.00,0',
    "d2,1,p01,SOIL-0,2026-03-08T03:00:00-04:00,2,5,,",
    "d3,1,p02,SOIL-0,2025-11-02 01:30:00-04:00,1,4.25,0,0",
    "d4,1,p02,SOIL-0,2025-11-02 01:30:00-05:00,1,4.25,0,0",
    "d5,1,p03,DRILLS-0,08.03.2026,1,2.50,0,0",
    "d5,2,p03,DRILLS-0,2026-03-08T10:00:00Z,one,2.50,0,0",
    "d5,3,,DRILLS-0,2026-03-08T10:00:00Z,1,2.50,0,0",
    "d6,1,p04,DRILLS-0,2026-03-08T10:00:00Z,1,2.50,0,0",
    "d6,1,p04,DRILLS-0,2026-03-08T10:00:00Z,1,9.50,0,0",
    "d7,1,p05,DRILLS-0",
    "d8,x,p05,DRILLS-0,2026-03-08T10:00:00Z,1,1_000,0,0",
    "d9,1,p06,O'Neill-0,2025-12-31 23:30:00,1,0,0,0",
    'd9,2,p06,"say ""hi""-0",2025-12-31 23:30:00,2,1e1,,',
    # Not refused: a discount that cannot be read, and what looks like services by department, name and id.
    "d10,1,p06,SOIL-0,2026-03-08T10:00:00Z,1,2.50,l'année,0",
    "d10,2,p06,VERSAND-0,2026-03-08T10:00:00Z,1,4.90,0,0",
    "d10,3,p06,CARD-0,2026-03-08T10:00:00Z,1,25,0,0",
    "d10,4,p06,POST,2026-03-08T10:00:00Z,1,3.90,0,0",
    # A copy of what the shop's online orders have of an alias.
    "w7,,p01,SOIL-0,2026-03-08T12:30:00Z,1,2.50,,",
]
# Nobody's, a guest's, cancelled, of an alias, once with its customer's id too; and an order that comes back as a whole.
ONLINE_LINES = [
    "order_id,line_number,customer_id,product_id,ordered_at,quantity,amount,status,returns_order_id",
    "w1,1,,SOIL-0,2026-03-08T10:00:00Z,1,2.50,paid,",
    "w1,2,,DRILLS-0,2026-03-08T10:00:00Z,1,80,paid,",
    "w2,1,Guest,SOIL-0,2026-03-08T11:00:00Z,1,2.50, Sent by pigeon ,",
    "w3,1,p01,DRILLS-0,2026-03-08T12:00:00Z,1,80,Cancelled,",
    "w4,1,p01-old,SOIL-0,2026-03-08T12:00:00Z,2,5,paid,",
    "w4,1,p01,SOIL-0,2026-03-08T12:00:00Z,2,5,paid,",
    "w7,,p01-old,SOIL-0,2026-03-08T12:30:00Z,1,2.50,,",
    "w5,1,p02,SOIL-0,2026-02-26T12:00:00Z,2,5,paid,",
    "w6,1,p02,SOIL-0,2026-03-08T12:00:00Z,-2,-5,paid,w5",
]
ALIASES = [{"alias_id": "p01-old", "customer_id": "p01-older"}, {"alias_id": "p01-older", "customer_id": "p01"}]
RATES = [{"currency": "CHF", "valid_from": "2026-01-01", "rate": "1.0512345678"}]
ODD_PRODUCTS = [
    {"product_id": "O'Neill-0", "department": "O'NEILL'S", "category": "MEN'S WEAR", "brand_tier": "premium"},
    {"product_id": 'say "hi"-0', "department": "GIFTS", "category": 'CARDS "HI"\\', "subcategory": "a\nb"},
    {"product_id": "VERSAND-0", "department": "Versand & Lieferung", "category": "Übrige"},
    {"product_id": "CARD-0", "product_name": "O'Neill's Gift Card, 25", "department": "GIFTS", "category": "VOUCHED"},
]


def write_zone(folder: Path) -> Path:
    """The first day: the shop's order lines in a few files, and all other tables."""
    rows = shop.zone()
    rng = random.Random(11)
    lines = [_on_a_basket_day(line) for line in rows["order_lines"]]
    for number in range(LINE_FILES):
        part = lines[number * len(lines) // LINE_FILES : (number + 1) * len(lines) // LINE_FILES]
        project.write_csv(folder, "order_lines", part, f"part-{number}.csv")
    (folder / "order_lines" / "till's.csv").write_text("\n".join([COLUMNS, *DIRTY_LINES]) + "\n", encoding="utf-8")
    (folder / "order_lines" / "online.csv").write_text("\n".join(ONLINE_LINES) + "\n", encoding="utf-8")
    project.write_csv(folder, "customer_aliases", ALIASES)
    project.write_csv(folder, "exchange_rates", RATES)
    buyers = sorted({line["customer_id"] for line in lines})
    project.write_csv(folder, "products", [*rows["products"], *ODD_PRODUCTS])
    project.write_csv(folder, "customers", [*rows["customers"], *_odd_customers()])
    project.write_csv(folder, "companies", _companies(rows["companies"]))
    project.write_csv(folder, "company_contacts", _contacts())
    touches = _touchpoints(rng, buyers)
    project.write_parquet(folder, "touchpoints", touches)
    project.write_csv(folder, "responses", _responses(rng, touches))
    project.write_csv(folder, "consents", [*_consents(rng, buyers), *_contact_consents(), *_alias_consents()])
    project.write_csv(folder, "assignments", _assignments(rng, buyers))
    project.write_csv(folder, "prospects", _prospects())
    return folder


def change_zone(folder: Path) -> None:
    """The second day: new lines, a corrected file, lines withdrawn, a file gone, one sent again, a new customer."""
    order_lines = folder / "order_lines"
    new = [
        f"n1,1,p01,SOIL-0,{LAST_DAY + timedelta(days=1)}T15:00:00Z,1,3.50,0.50,0",
        f"n1,2,p01,BRICK-0,{LAST_DAY + timedelta(days=1)}T15:00:00Z,4,12.00,0,0",
        # Late, in the middle of the history: all as-of dates after it change.
        "n2,1,p02,SAND-0,2025-11-15T15:00:00Z,2,7.50,,1",
        "n3,1,newcomer's,SAND-0,2026-03-01T15:00:00Z,2,7.50,,1",
    ]
    (order_lines / "second day.csv").write_text("\n".join([COLUMNS, *new]) + "\n", encoding="utf-8")
    corrected = order_lines / "part-1.csv"
    first, *others = corrected.read_text(encoding="utf-8").splitlines()
    cells = others[0].split(",")
    # From one column to the next, which a hash that passes over nulls would not see.
    cells[first.split(",").index("discount_amount")], cells[first.split(",").index("coupon_amount")] = "", "1.25"
    corrected.write_text("\n".join([first, ",".join(cells), *others[1:]]) + "\n", encoding="utf-8")
    shutil.copy(order_lines / "part-2.csv", order_lines / "part-2 again.csv")
    withdrawn = (order_lines / "part-3.csv").read_text(encoding="utf-8").splitlines()
    (order_lines / "part-3.csv").write_text("\n".join([withdrawn[0], *withdrawn[20:]]) + "\n", encoding="utf-8")
    (order_lines / "till's.csv").unlink()
    project.write_csv(
        folder,
        "customers",
        [{"customer_id": "newcomer's", "birth_date": date(1990, 7, 1), "settlement": "village"}],
        "later.csv",
    )


def _on_a_basket_day(line: dict[str, Any]) -> dict[str, Any]:
    """The line on the last basket day that is not after it, in opening hours of both clocks; LAST_DAY is one."""
    moment = line["ordered_at"] + shop.OFFSET
    days = (SHOPS_LAST_DAY - moment.date()).days // SHOP_DAYS_A_DAY
    day = LAST_DAY - timedelta(days=days + -days % BASKET_DAYS)
    return {**line, "ordered_at": datetime.combine(day, moment.time())}


def _odd_customers() -> list[dict[str, Any]]:
    return [
        {"customer_id": "q1", "kind": "person", "gender": "d'accord", "region": "Côte d'Azur", "children": "3+"},
        {"customer_id": "q2", "kind": "", "household_size": "5+", "annual_income": "1e5", "region": 'the "north"'},
        {
            "customer_id": "q2",
            "kind": "person",
            "household_size": "5+",
            "annual_income": "100000.00",
            "region": 'the "north"',
        },
        {
            "customer_id": "q3",
            "kind": "person",
            "birth_date": "2000-02-29",
            "registered_on": "2025-01-05T23:30:00-05:00",
        },
        # None of the three can be read, and the row counts all the same.
        {"customer_id": "q4", "birth_date": "29.02.2000", "registered_on": "en été", "annual_income": "$90,000 "},
    ]


def _companies(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **row,
            "industry": ["Bau & Ausbau", "retail", "", "O'Hara's trade"][number % 4],
            "annual_revenue": [1e6, "", 250000, "2.5e7"][number % 4],
            "process_maturity": [1, 5, "", 3][number % 4],
            "benefit_sought": ["price", "", "speed", "price"][number % 4],
        }
        for number, row in enumerate(rows)
    ]


def _contacts() -> list[dict[str, Any]]:
    titles = ["Head of Purchasing", "Managing Director", "IT manager", "assistant", "Buyer's aide"]
    # What engines see differently: accents in two forms, letters of several bytes, typos, marks of gender, symbols.
    titles += [
        "Geschäftsführer:in (m/w/d)",
        "GESCHAEFTSFUEHRER",
        "Directrice ge\u0301ne\u0301rale",
        "Генеральый директор",
    ]
    titles += [
        "Главный бугалтер",
        "Główna księgowa",
        "Finacial Controler",
        "C.E.O.",
        "🙂",
        "ex-CFO",
        "Straßenmeister",
        "Œnologue",
    ]
    return [
        {
            "person_id": f"a{number}",
            "company_id": f"k0{1 + number % 3}",
            "job_title": title,
            "email": "nobody@example.org",
        }
        for number, title in enumerate(titles)
    ]


def _touchpoints(rng: random.Random, buyers: list[str]) -> list[dict[str, Any]]:
    touches = []
    for number in range(240):
        touched = datetime(2025, 9, 1, 12) + timedelta(days=rng.randrange(190), minutes=rng.randrange(600))
        touches.append(
            {
                "touchpoint_id": f"t{number:03d}",
                "customer_id": rng.choice(buyers),
                "touched_at": touched,
                "channel": rng.choice(["mail", "email", "app"]),
                "treatment_id": rng.choice([None, "rfm_champions", "rfm_at_risk"]),
                "campaign_id": rng.choice([None, "c1", "c2"]),
                "campaign_type": rng.choice([None, "spring", "summer", "winter's end"]),
                "cost": rng.choice([None, 0.0, 0.35, 1.1]),
            }
        )
    return touches


def _responses(rng: random.Random, touches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "response_id": f"r{number:03d}",
            "customer_id": touch["customer_id"],
            "responded_at": (touch["touched_at"] + timedelta(hours=rng.randrange(1, 90))).isoformat() + "Z",
            "kind": rng.choice(["open", "Click", "redeem", "purchase", "unsubscribe"]),
            "touchpoint_id": touch["touchpoint_id"],
            "amount": rng.choice(["", 3.5]),
        }
        for number, touch in enumerate(touches)
        if rng.random() < 0.4
    ]


def _consents(rng: random.Random, buyers: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "customer_id": buyer,
            "channel": channel,
            "opted_in": rng.choice(["yes", "1", "T", "no"]),
            "recorded_at": f"2025-0{rng.randrange(1, 9)}-01 00:00:00",
        }
        for buyer in buyers
        for channel in ("mail", "email", "app", "store", "sms")
    ]


def _contact_consents() -> list[dict[str, Any]]:
    """Of every second contact person, so that a company's person is not always the first."""
    return [
        {"customer_id": row["person_id"], "channel": "email", "opted_in": "yes", "recorded_at": "2025-03-01 00:00:00"}
        for row in _contacts()[1::2]
    ]


def _alias_consents() -> list[dict[str, Any]]:
    """A copy of what the customer said, and something else in the same moment, of which no row is refused."""
    said = {"channel": "mail", "recorded_at": "2025-12-01 00:00:00"}
    answers = [("p01-old", "yes"), ("p01", "yes"), ("p01-older", "no")]
    return [{**said, "customer_id": customer, "opted_in": opted_in} for customer, opted_in in answers]


def _assignments(rng: random.Random, buyers: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "customer_id": buyer,
            "treatment_id": "spring_test",
            "arm": "holdout" if rng.random() < 0.3 else "treated",
            "assigned_on": "2025-10-01",
            "share_treated": 0.7,
        }
        for buyer in buyers
    ]


def _prospects() -> list[dict[str, Any]]:
    return [
        {
            "prospect_id": "x1",
            "kind": "person",
            "source": "fair",
            "age_band": "25-34",
            "gender": "f",
            "settlement": "city",
        },
        {"prospect_id": "x2", "kind": "company", "source": "Levi's list", "company_name": "X", "industry": "retail"},
        # Kinds to be read from what is said, numbers that cannot be, and nothing at all.
        {
            "prospect_id": "x3",
            "household_size": "5+",
            "children": "2",
            "region": " Käse & Brot ",
            "birth_date": "1960-03-02",
        },
        {
            "prospect_id": "x4",
            "employees": -3,
            "annual_revenue": "2500000.50",
            "process_maturity": 9,
            "benefit_sought": "Kosten",
        },
        {"prospect_id": "x5", "kind": "🙂", "household_composition": "2 adults kids", "marital_status": "Married"},
        {"prospect_id": "x6", "kind": " Firma ", "industry": 'Say "hi"', "country": "O'Neill's land"},
        {"prospect_id": "x'7"},
    ]
