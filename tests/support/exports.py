"""Small exports with the real headers of their kinds, made from one list of sales, so that what must land is known.

Belongs here: writing exports. Does not belong here: what is proposed for them.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True)
class Sale:
    """A line: order, customer (number from 1), product, moment, quantity, price of one."""

    order: int
    customer: int
    product: int
    at: datetime
    quantity: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


PRODUCTS = ("Claw hammer", "Oak shelf", "Brass hook", "Wall paint", "Paint roller", "Pipe wrench")
CATEGORIES = ("Tools", "Shelves", "Fittings", "Paint", "Paint", "Tools")
COUNTRIES = ("Germany", "France", "Austria")
STATUSES = ("completed", "processing", "completed", "cancelled")


def sales(orders: int = 40, seed: int = 7) -> list[Sale]:
    """Lines of `orders` orders of twelve customers over a year, the same each time; no product twice in an order."""
    rng = random.Random(seed)
    found = []
    for order in range(1, orders + 1):
        at = datetime(2025, 1, 20, 9, 15) + timedelta(days=8 * order, minutes=order)
        for product in rng.sample(range(len(PRODUCTS)), rng.randint(1, 4)):
            price = Decimal(rng.randint(100, 2999)) / 100
            found.append(Sale(order, 1 + order % 12, product, at, rng.randint(1, 5), price))
    return found


def write(
    path: Path, header: str, rows: Sequence[Sequence[object]], delimiter: str = ",", encoding: str = "utf-8"
) -> None:
    """A CSV file; `header` is its names with commas between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def gift_shop(folder: Path, lines: Sequence[Sale]) -> None:
    """One file, a row a line, with descriptions in it, dates as 12/31/2025, every seventh order without a customer."""
    write(
        folder / "online_retail.csv",
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
        [
            (
                536000 + s.order,
                f"P{s.product}",
                PRODUCTS[s.product].upper(),
                s.quantity,
                f"{s.at.month}/{s.at.day}/{s.at.year} {s.at:%H:%M}",
                s.price,
                "" if s.order % 7 == 0 else 17000 + s.customer,
                COUNTRIES[s.customer % 3],
            )
            for s in lines
        ],
    )


def shopify(folder: Path, lines: Sequence[Sale]) -> None:
    """Order fields on the first line of an order alone; customers by their e-mail address."""
    rows, before = [], 0
    for s in lines:
        first = s.order != before
        before = s.order
        own = (f"customer{s.customer}@shop.example", "paid", f"{s.at:%Y-%m-%d %H:%M:%S} +0100", "EUR", "web")
        email, status, at, currency, source = own if first else ("",) * 5
        line = (at, s.quantity, PRODUCTS[s.product], s.price, f"SKU-{s.product}", "0.00", source)
        rows.append((f"#{1000 + s.order}", email, status, at, currency, s.amount if first else "", *line))
    write(
        folder / "orders_export.csv",
        "Name,Email,Financial Status,Paid at,Currency,Subtotal,Created at,Lineitem quantity,"
        "Lineitem name,Lineitem price,Lineitem sku,Lineitem discount,Source",
        rows,
    )


def woocommerce(folder: Path, lines: Sequence[Sale]) -> None:
    """Orders and lines in files of their own, guests as 0, statuses as WordPress writes them."""
    orders = {s.order: s for s in lines}
    write(
        folder / "order_stats.csv",
        "order_id,parent_id,date_created,date_created_gmt,num_items_sold,total_sales,net_total,status,customer_id",
        [
            (
                s.order,
                0,
                s.at,
                s.at,
                1,
                "10.00",
                "10.00",
                f"wc-{STATUSES[s.order % 4]}",
                0 if s.order % 5 == 0 else s.customer,
            )
            for s in orders.values()
        ],
    )
    write(
        folder / "order_product_lookup.csv",
        "order_item_id,order_id,product_id,variation_id,product_qty,product_net_revenue,coupon_amount,tax_amount",
        [(n, s.order, 100 + s.product, 0, s.quantity, s.amount, "0.00", "0.00") for n, s in enumerate(lines, 1)],
    )
    write(
        folder / "products.csv",
        "ID,Type,SKU,Name,Categories",
        [(100 + n, "simple", f"W{n}", name, CATEGORIES[n]) for n, name in enumerate(PRODUCTS)],
    )


def square(folder: Path, lines: Sequence[Sale]) -> None:
    """A till: date and time apart, money with its sign, a row an item."""
    write(
        folder / "items.csv",
        "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Gross Sales,Discounts,Net Sales,Tax,Transaction ID,"
        "Event Type,Location,Customer ID,Customer Name",
        [
            (
                *(f"{s.at:%m/%d/%Y}", f"{s.at:%H:%M:%S}", "Eastern Time", CATEGORIES[s.product], PRODUCTS[s.product]),
                *(s.quantity, "Regular", f"S{s.product}", f"${s.amount:,}", "$0.00", f"${s.amount:,}", "$0.00"),
                *(f"TX{s.order}", "Payment", "Main Street", f"C{s.customer}", f"Person {s.customer}"),
            )
            for s in lines
        ],
    )


def wholesaler(folder: Path, lines: Sequence[Sale]) -> None:
    """Northwind's tables: orders, their details with a discount as a share, customers that are companies."""
    orders = {s.order: s for s in lines}
    write(
        folder / "orders.csv",
        "OrderID,CustomerID,EmployeeID,OrderDate,ShipCountry",
        [(10000 + s.order, f"CUST{s.customer:02d}", 1, s.at.date(), "Germany") for s in orders.values()],
    )
    write(
        folder / "order_details.csv",
        "OrderID,ProductID,UnitPrice,Quantity,Discount",
        [(10000 + s.order, s.product, s.price, s.quantity, "0.25" if s.product == 1 else "0") for s in lines],
    )
    write(
        folder / "products.csv",
        "ProductID,ProductName,SupplierID,CategoryID,QuantityPerUnit,UnitPrice,Discontinued",
        [
            (n, name, 1, sorted(set(CATEGORIES)).index(CATEGORIES[n]), "1 box", "9.99", 0)
            for n, name in enumerate(PRODUCTS)
        ],
    )
    write(
        folder / "categories.csv",
        "CategoryID,CategoryName,Description",
        [(n, name, f"All {name}") for n, name in enumerate(sorted(set(CATEGORIES)))],
    )
    write(
        folder / "customers.csv",
        "CustomerID,CompanyName,ContactName,ContactTitle,Address,City,Region,PostalCode,Country,Phone",
        [
            (
                f"CUST{n:02d}",
                f"Company {n}",
                f"Somebody {n}",
                "Sales Manager",
                "Street 1",
                "Town",
                "NULL",
                "1",
                COUNTRIES[n % 3],
                "1",
            )
            for n in range(1, 13)
        ],
    )
