"""Exports of five kinds of shops with the whole headers that their systems write, and the lines that they must become.

Belongs here: files as a shop finds them in its download folder, with what such files hold besides sales: guests,
cancelled orders, refunds, postage, an order's own discount. Does not belong here: mappings (docs/sources/).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.support.exports import CATEGORIES, COUNTRIES, PRODUCTS, Sale, write

ORDERS, CUSTOMERS = 90, 12
Rows = list[Sequence[object]]


@dataclass(frozen=True)
class Line:
    """A line as it must be staged: customer '' is nobody; `counts` false for what was not sold."""

    order: str
    customer: str
    product: str
    at: datetime
    quantity: int
    amount: Decimal
    counts: bool = True


def sales() -> list[Sale]:
    """The same on each call: orders of twelve customers, some far more often than others, over fourteen months."""
    rng = random.Random(25)
    found = []
    for order in range(1, ORDERS + 1):
        at = datetime(2025, 1, 7, 8, 20) + timedelta(days=4.75 * order, minutes=7 * order)
        customer = min(rng.randint(1, CUSTOMERS), rng.randint(1, CUSTOMERS))
        for product in sorted(rng.sample(range(len(PRODUCTS)), rng.randint(1, 4))):
            price = Decimal(rng.randint(100, 2999)) / 100
            found.append(Sale(order, customer, product, at.replace(second=0, microsecond=0), rng.randint(1, 5), price))
    return found


def by_order(lines: Sequence[Sale]) -> list[list[Sale]]:
    """Lines of each order together, in order."""
    found: dict[int, list[Sale]] = {}
    for line in lines:
        found.setdefault(line.order, []).append(line)
    return list(found.values())


SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,"
    "Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
    "Shipping Address1,Shipping Address2,"
    "Shipping Company,Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,Notes,"
    "Note Attributes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,Employee,"
    "Location,Device ID,Id,Tags,Risk Level,Source,Lineitem discount,Tax 1 Name,Tax 1 Value,Phone,Receipt Number,Duties,"
    "Billing Province Name,Shipping Province Name,Payment ID"
)


def shopify(folder: Path) -> list[Line]:
    """orders_export_1.csv: an order's own fields on its first line, customers by their e-mail address, a few voided."""
    names, rows, found = SHOPIFY.split(","), [], []
    for order in by_order(sales()):
        first = order[0]
        email = "" if first.order % 9 == 0 else f"Customer{first.customer}@shop.example"
        status = "voided" if first.order % 11 == 0 else "partially_refunded" if first.order % 10 == 0 else "paid"
        at = f"{first.at:%Y-%m-%d %H:%M:%S} +0000"
        for line in order:
            discount = Decimal("0.50") if line.product == 2 else Decimal("0.00")
            cells = {
                "Name": f"#{1000 + line.order}",
                "Email": email,
                "Created at": at,
                "Lineitem quantity": line.quantity,
                "Lineitem name": PRODUCTS[line.product],
                "Lineitem price": line.price,
                "Lineitem sku": f"HW-{line.product}",
                "Lineitem requires shipping": "true",
                "Lineitem taxable": "true",
                "Lineitem fulfillment status": "fulfilled",
                "Lineitem discount": discount,
                "Vendor": "Hardware & Co",
            }
            if line is first:
                cells |= {
                    "Financial Status": status,
                    "Paid at": at,
                    "Fulfillment Status": "fulfilled",
                    "Accepts Marketing": "no",
                    "Currency": "EUR",
                    "Subtotal": sum(each.amount for each in order),
                    "Shipping": "4.90",
                    "Taxes": "1.10",
                    "Total": sum(each.amount for each in order) + 6,
                    "Discount Code": "WELCOME" if first.order % 6 == 0 else "",
                    "Discount Amount": "2.00" if first.order % 6 == 0 else "0.00",
                    "Shipping Method": "Standard",
                    "Billing Name": f"Person {first.customer}",
                    "Billing Country": "DE",
                    "Payment Method": "Shopify Payments",
                    "Refunded Amount": "0.00",
                    "Outstanding Balance": "0.00",
                    "Id": 4500000000 + first.order,
                    "Risk Level": "Low",
                    "Source": "web",
                }
            rows.append([cells.get(name, "") for name in names])
            found.append(
                Line(f"#{1000 + line.order}", email.lower(), f"HW-{line.product}", line.at, line.quantity,
                     line.amount - discount, status != "voided")
            )  # fmt: skip
    write(folder / "orders_export_1.csv", SHOPIFY, rows)
    return found


def woocommerce(folder: Path) -> list[Line]:
    """The tables of WooCommerce's analytics: orders and lines apart, guests as 0, refunds as orders of their own."""
    orders: Rows = []
    items: Rows = []
    found = []
    for order in by_order(sales()):
        first = order[0]
        customer = 0 if first.order % 7 == 0 else first.customer
        status = "wc-cancelled" if first.order % 11 == 0 else "wc-completed"
        number = 2000 + 2 * first.order
        total = sum(line.amount for line in order)
        orders.append(
            (number, 0, first.at, first.at, first.at, first.at, len(order), total + 5, 0, 5, total, 0, status, customer)
        )
        for line in order:
            items.append((len(items) + 1, number, 100 + line.product, 0, customer, first.at, line.quantity,
                          line.amount, line.amount, "0", "0", "0", "0"))  # fmt: skip
            found.append(Line(str(number), str(customer or ""), str(100 + line.product), line.at, line.quantity,
                              line.amount, status != "wc-cancelled"))  # fmt: skip
        if first.order % 13 == 0:
            # A refund is an order of its own, with its parent's number.
            at, back = first.at + timedelta(days=2), order[-1]
            orders.append(
                (number + 1, number, at, at, "", "", -1, -back.amount, 0, 0, -back.amount, "", "wc-completed", customer)
            )
            items.append((len(items) + 1, number + 1, 100 + back.product, 0, customer, at, -back.quantity,
                          -back.amount, -back.amount, "0", "0", "0", "0"))  # fmt: skip
            found.append(Line(str(number + 1), str(customer or ""), str(100 + back.product), at, -back.quantity,
                              -back.amount))  # fmt: skip
    write(
        folder / "wc_order_stats.csv",
        "order_id,parent_id,date_created,date_created_gmt,date_paid,date_completed,num_items_sold,total_sales,tax_total,"
        "shipping_total,net_total,returning_customer,status,customer_id",
        orders,
    )
    write(
        folder / "wc_order_product_lookup.csv",
        "order_item_id,order_id,product_id,variation_id,customer_id,date_created,product_qty,product_net_revenue,"
        "product_gross_revenue,coupon_amount,tax_amount,shipping_amount,shipping_tax_amount",
        items,
    )
    write(
        folder / "products.csv",
        "ID,Type,SKU,Name,Published,Is featured?,Regular price,Categories,Tags,Images",
        [(100 + n, "simple", f"HW-{n}", name, 1, 0, "9.99", CATEGORIES[n], "", "") for n, name in enumerate(PRODUCTS)],
    )
    return found


def square(folder: Path) -> list[Line]:
    """items-2025.csv of a till: date and time apart, money with its sign, refunds with negative amounts."""
    rows: Rows = []
    found = []
    for order in by_order(sales()):
        first = order[0]
        customer = "" if first.order % 3 == 0 else f"CUST{first.customer:04d}"
        events = [("Payment", first.at, f"TX{first.order:05d}", line, 1) for line in order]
        if first.order % 13 == 0:
            events.append(("Refund", first.at + timedelta(days=1), f"RX{first.order:05d}", order[0], -1))
        for event, at, number, line, sign in events:
            money = f"${line.amount:,}" if sign > 0 else f"(${line.amount:,})"
            rows.append((
                f"{at:%m/%d/%Y}", f"{at:%H:%M:%S}", "Eastern Time (US & Canada)", CATEGORIES[line.product],
                PRODUCTS[line.product], sign * line.quantity, "Regular", f"HW-{line.product}", "", money, "$0.00",
                money, "$0.00", number, f"P{number}", "Till 1", "", "https://squareup.example/x", event, "Main Street",
                "", customer, "" if not customer else f"Person {line.customer}", "", "ea", sign * line.quantity,
                "Physical Good", "",
            ))  # fmt: skip
            found.append(Line(number, customer, f"HW-{line.product}", at, sign * line.quantity, sign * line.amount))
    write(
        folder / "items-2025.csv",
        "Date,Time,Time Zone,Category,Item,Qty,Price Point Name,SKU,Modifiers Applied,Gross Sales,Discounts,Net Sales,"
        "Tax,Transaction ID,Payment ID,Device Name,Notes,Details,Event Type,Location,Dining Option,Customer ID,"
        "Customer Name,Customer Reference ID,Unit,Count,Itemization Type,Fulfillment Note",
        rows,
    )
    return found


def gift_shop(folder: Path) -> list[Line]:
    """One file as the UCI's Online Retail: cancellations as orders that begin with C, postage as a product."""
    rows: Rows = []
    found = []

    def add(number: str, product: str, name: str, quantity: int, at: datetime, price: Decimal, customer: str) -> None:
        country = COUNTRIES[int(customer or 0) % 3]
        when = f"{at.month}/{at.day}/{at.year} {at.hour}:{at:%M}"
        rows.append((number, product, name, quantity, when, price, customer, country))
        found.append(Line(number, customer, product, at, quantity, quantity * price))

    for order in by_order(sales()):
        first = order[0]
        customer = "" if first.order % 5 == 0 else str(12345 + first.customer)
        for line in order:
            add(str(536364 + line.order), f"8512{line.product}", f"{PRODUCTS[line.product].upper()} £", line.quantity,
                line.at, line.price, customer)  # fmt: skip
        if first.order % 4 == 0:
            add(str(536364 + first.order), "POST", "POSTAGE", 1, first.at, Decimal("18.00"), customer)
        if first.order % 13 == 0:
            add(f"C{536364 + first.order}", f"8512{first.product}", f"{PRODUCTS[first.product].upper()} £",
                -first.quantity, first.at + timedelta(days=1), first.price, customer)  # fmt: skip
    write(
        folder / "Online Retail.csv",
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
        rows,
        encoding="cp1252",
    )
    return found


def wholesaler(folder: Path) -> list[Line]:
    """The tables of Northwind: customers are companies, discounts are shares, categories have a table of their own."""
    orders: Rows = []
    details: Rows = []
    found = []
    for order in by_order(sales()):
        first, number = order[0], 10247 + order[0].order
        day = first.at.date()
        orders.append((number, f"FIRM{first.customer}", 1 + number % 3, day, day + timedelta(28), day + timedelta(3), 1,
                       "32.38", f"Firm {first.customer}", "Street 1", "Town", "NULL", "12345",
                       COUNTRIES[first.customer % 3]))  # fmt: skip
        for line in order:
            share = Decimal("0.25") if line.product == 1 else Decimal(0)
            details.append((number, line.product, line.price, line.quantity, share))
            found.append(Line(str(number), f"FIRM{first.customer}", str(line.product), line.at, line.quantity,
                              (line.amount * (1 - share)).quantize(Decimal("0.0001"))))  # fmt: skip
    write(
        folder / "orders.csv",
        "OrderID,CustomerID,EmployeeID,OrderDate,RequiredDate,ShippedDate,ShipVia,Freight,ShipName,ShipAddress,ShipCity,"
        "ShipRegion,ShipPostalCode,ShipCountry",
        orders,
    )
    write(folder / "order_details.csv", "OrderID,ProductID,UnitPrice,Quantity,Discount", details)
    names = sorted(set(CATEGORIES))
    write(
        folder / "products.csv",
        "ProductID,ProductName,SupplierID,CategoryID,QuantityPerUnit,UnitPrice,UnitsInStock,UnitsOnOrder,ReorderLevel,"
        "Discontinued",
        [(n, name, 1, 1 + names.index(CATEGORIES[n]), "1 box", "9.99", 10, 0, 5, 0) for n, name in enumerate(PRODUCTS)],
    )
    write(folder / "categories.csv", "CategoryID,CategoryName,Description",
          [(n, name, f"All {name}") for n, name in enumerate(names, 1)])  # fmt: skip
    write(
        folder / "customers.csv",
        "CustomerID,CompanyName,ContactName,ContactTitle,Address,City,Region,PostalCode,Country,Phone,Fax",
        [
            (f"FIRM{n}", f"Firm {n}", f"Somebody {n}", ("Owner", "Purchasing Manager", "Sales Agent")[n % 3],
             "Street 1", "Town", "NULL", "12345", COUNTRIES[n % 3], f"030-{n}", "NULL")
            for n in range(1, CUSTOMERS + 1)
        ],
    )  # fmt: skip
    return found


# Page in docs/sources/ -> what writes such an export into a folder.
SOURCES: dict[str, Callable[[Path], list[Line]]] = {
    "gift-shop": gift_shop,
    "shopify": shopify,
    "square": square,
    "wholesaler": wholesaler,
    "woocommerce": woocommerce,
}
