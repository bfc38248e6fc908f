"""The simulated merchant's two years as tables of the contract, and what is true of them.

Belongs here: drawing from the parameters of catalogue.py and people.py. Does not belong here: files (demo.py).

Each part draws from a stream of its own, so that a change of one leaves the others as they are; the same seed and size
give the same rows. The simulation follows no real company.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from orchestration.landing.merchant.catalogue import (
    CATEGORIES,
    CEMENT,
    DEPOSITS,
    MISSIONS,
    MORTAR,
    PALLETED,
    SAND,
    SEASONS,
    WALLS,
    Category,
)
from orchestration.landing.merchant.people import (
    BENEFIT_MIX,
    BENEFITS,
    CAMPAIGNS,
    CONTACT_CONSENTS,
    COUNTRIES,
    DECLARE_BENEFIT,
    DECLARE_MATURITY,
    EXPERIMENT_ID,
    FOR_THE_CREW,
    HOLDOUT,
    IN_PURCHASING,
    MATURITIES,
    NO_CONTACTS,
    OFFER_SHARES,
    OFFERS,
    OUTSIDE_THE_TRADE,
    PERSON_CONSENTS,
    PROJECTS,
    PURCHASING,
    ROLES,
    SAY_EMPLOYEES,
    SAY_TURNOVER,
    SETTLEMENTS,
    SIZES,
    TITLES,
    TRADES,
    TURNOVER_OF_ONE,
    WITHDRAWN,
    WITHOUT_MORTAR_SHARE,
    WITHOUT_SAY,
)

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rows = list[dict[str, Any]]

SEED = 20260701
FIRST_DAY, LAST_DAY = date(2024, 7, 1), date(2026, 6, 30)
DAYS = (LAST_DAY - FIRST_DAY).days + 1
# The experiment's day, and the days in which its effects fall: with the shipped outcome_days it closes by the last day.
ASSIGNED_ON = date(2026, 2, 2)
EFFECT_DAYS = (5, 80)
CURRENCY = "EUR"
BRANCHES = ("Nord", "Süd", "Ost", "West", "Hafen", "Ring")
MARGIN = 0.29


@dataclass(frozen=True)
class Size:
    """How much is made up. `trade_share`: of the persons, sole traders, who buy like small companies."""

    companies: int = 1500
    persons: int = 4000
    company_prospects: int = 300
    person_prospects: int = 200
    anonymous_orders: int = 1500
    trade_share: float = 0.3


@dataclass
class Truth:
    """What is planted, by id. A company's size is its segment, also where the files do not say it."""

    sizes: dict[str, str] = field(default_factory=dict)
    said_sizes: dict[str, str] = field(default_factory=dict)
    industries: dict[str, str] = field(default_factory=dict)
    declared_maturity: dict[str, str] = field(default_factory=dict)
    evident_maturity: dict[str, str] = field(default_factory=dict)
    declared_benefits: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, list[str]] = field(default_factory=dict)
    consents: dict[str, set[str]] = field(default_factory=dict)
    without_mortar: set[str] = field(default_factory=set)
    arms: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Merchant:
    """Tables of the landing zone by name, and the truth about them."""

    tables: dict[str, pa.Table]
    truth: Truth


def make_merchant(size: Size = Size(), seed: int = SEED) -> Merchant:
    """The whole of it.

    Args:
        size: how many of each; the shipped demo is the default.
        seed: any whole number; the shipped demo's is SEED.
    """
    parts = ("companies", "contacts", "persons", "consents", "orders", "experiment", "touches", "returns", "prospects")
    streams = dict(zip(parts, map(np.random.default_rng, np.random.SeedSequence(seed).spawn(len(parts))), strict=True))
    truth = Truth()
    companies = _companies(size, truth, streams["companies"])
    contacts = _contacts(companies, truth, streams["contacts"])
    persons = _persons(size, streams["persons"])
    consents = _consents(contacts, persons, truth, streams["consents"])
    assignments = _assignments(companies, truth, streams["experiment"])
    products, by_category = _products()
    lines = _order_lines(size, companies, persons, by_category, truth, streams["orders"])
    lines = [*lines, *_effects(companies, by_category, truth, streams["experiment"])]
    lines = [*lines, *_returns(lines, streams["returns"])]
    touchpoints, responses = _touches(companies, persons, truth, streams["touches"])
    company_rows = [{k: v for k, v in row.items() if not k.startswith("_")} for row in companies]
    person_rows = [{k: v for k, v in row.items() if not k.startswith("_")} for row in persons]
    tables = {
        "companies": company_rows,
        "company_contacts": contacts,
        "customers": person_rows,
        "consents": consents,
        "products": products,
        "order_lines": lines,
        "touchpoints": touchpoints,
        "responses": responses,
        "assignments": assignments,
        "prospects": _prospects(size, streams["prospects"]),
    }
    return Merchant({name: _table(rows) for name, rows in tables.items()}, truth)


def _table(rows: Rows) -> pa.Table:
    """Columns of all rows, in the order in which they first occur; money to the cent."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def _pick(rng: np.random.Generator, shares: Sequence[float], count: int) -> Ints:
    """`count` places, drawn by shares that need not sum to 1."""
    weights = np.asarray(shares, dtype=float)
    return rng.choice(len(weights), size=count, p=weights / weights.sum())


def _day(number: int | np.integer[Any]) -> date:
    return FIRST_DAY + timedelta(days=int(number))


# ---- who they are ----------------------------------------------------------------------------------------------------


def _place(rng: np.random.Generator) -> tuple[str, str, str, str | None]:
    """Country, language, region, and settlement where it is said."""
    country, language, _, regions = COUNTRIES[int(_pick(rng, [c[2] for c in COUNTRIES], 1)[0])]
    settlement = SETTLEMENTS[int(_pick(rng, [s[1] for s in SETTLEMENTS], 1)[0])][0]
    return country, language, str(rng.choice(list(regions))), settlement


def _company(rng: np.random.Generator) -> dict[str, Any]:
    """A company or a prospect: profile columns, and what is true of it under names that begin with `_`."""
    trade = TRADES[int(_pick(rng, [t.share for t in TRADES], 1)[0])]
    size = SIZES[int(_pick(rng, [s.share for s in SIZES], 1)[0])]
    low, high = size.employees
    # More of the smaller: evenly spread on a logarithmic scale.
    employees = min(high, int(np.exp(rng.uniform(np.log(low), np.log(high + 1)))))
    country, language, region, settlement = _place(rng)
    says = rng.random()
    benefit = list(BENEFITS)[int(_pick(rng, BENEFIT_MIX[size.segment], 1)[0])]
    level = int(_pick(rng, size.maturity, 1)[0]) + 1
    return {
        "industry": trade.industry,
        "employees": employees if says < SAY_EMPLOYEES else None,
        "annual_revenue": float(employees * TURNOVER_OF_ONE) if says >= 1 - SAY_TURNOVER else None,
        "process_maturity": level if rng.random() < DECLARE_MATURITY else None,
        "benefit_sought": BENEFITS[benefit][language] if rng.random() < DECLARE_BENEFIT else None,
        "country": country,
        "region": region,
        "settlement": settlement,
        "_trade": trade,
        "_size": size,
        "_language": language,
        "_benefit": benefit,
    }


def _said_size(row: dict[str, Any]) -> str | None:
    """The size that the files tell: by employees, else by revenue (seed company_size_rules: 10 and 50 million)."""
    if row["employees"] is not None:
        return next(s.segment for s in SIZES if row["employees"] <= s.employees[1])
    if row["annual_revenue"] is not None:
        return "large" if row["annual_revenue"] >= 50e6 else "medium" if row["annual_revenue"] >= 10e6 else "small"
    return None


def _companies(size: Size, truth: Truth, rng: np.random.Generator) -> Rows:
    rows = []
    for number in range(1, size.companies + 1):
        company_id = f"K{number:05d}"
        row = {"company_id": company_id, "company_name": f"Simulated company {number}", **_company(rng)}
        truth.sizes[company_id] = row["_size"].segment
        said = _said_size(row)
        if said:
            truth.said_sizes[company_id] = said
        truth.industries[company_id] = row["industry"]
        if row["process_maturity"]:
            truth.declared_maturity[company_id] = MATURITIES[row["process_maturity"] - 1]
        if row["benefit_sought"]:
            truth.declared_benefits[company_id] = row["_benefit"]
        builds_walls = WALLS in row["_trade"].missions
        row["_without_mortar"] = bool(builds_walls and rng.random() < WITHOUT_MORTAR_SHARE)
        if row["_without_mortar"]:
            truth.without_mortar.add(company_id)
        rows.append(row)
    return rows


def _contacts(companies: Rows, truth: Truth, rng: np.random.Generator) -> Rows:
    """Contact persons with titles in their company's language; what a title is evidence of goes into the truth."""
    rows: Rows = []
    for company in companies:
        company_id, language = company["company_id"], company["_language"]
        truth.contacts[company_id] = []
        levels = [0]

        def add(role: str, department: str | None, company_id: str = company_id, language: str = language) -> int:
            titles = TITLES[language][role]
            title, level = titles[int(rng.integers(len(titles)))]
            person_id = f"A{len(rows) + 1:05d}"
            rows.append(
                {"person_id": person_id, "company_id": company_id, "job_title": title, "department": department}
            )
            truth.contacts[company_id].append(person_id)
            if role != "none":
                truth.roles[person_id] = role
            return level

        if rng.random() >= NO_CONTACTS:
            for role, probability in zip(ROLES, company["_size"].contacts, strict=True):
                if rng.random() >= probability:
                    continue
                department, level = None, 0
                if role in ("initiator", "department_head") and rng.random() < IN_PURCHASING:
                    department, level = PURCHASING[language]
                levels += [level, add(role, department)]
                # A second person in a role, in some of the large.
                if company["_size"].segment == "large" and rng.random() < 0.25:
                    levels.append(add(role, None))
            if rng.random() < WITHOUT_SAY:
                levels.append(add("none", None))
        if max(levels):
            truth.evident_maturity[company_id] = MATURITIES[max(levels) - 1]
    return rows


def _persons(size: Size, rng: np.random.Generator) -> Rows:
    rows = []
    for number in range(1, size.persons + 1):
        country, _, region, settlement = _place(rng)
        is_trade = bool(rng.random() < size.trade_share)
        trade = TRADES[int(_pick(rng, [t.share for t in TRADES], 1)[0])]
        rows.append(
            {
                "customer_id": f"P{number:05d}",
                "kind": "person",
                "registered_on": _day(rng.integers(0, 500)) if rng.random() < 0.6 else None,
                "country": country,
                "region": region,
                "settlement": settlement,
                "_trade": trade if is_trade else None,
                "_without_mortar": False,
            }
        )
    return rows


def _consents(contacts: Rows, persons: Rows, truth: Truth, rng: np.random.Generator) -> Rows:
    """A first word a channel and, for some, a withdrawal."""
    rows: Rows = []
    people = [(row["person_id"], CONTACT_CONSENTS) for row in contacts]
    people += [(row["customer_id"], PERSON_CONSENTS) for row in persons]
    for person, channels in people:
        truth.consents[person] = set()
        for channel, (given, refused) in channels.items():
            draw, withdrawal = rng.random(2)
            day = int(rng.integers(0, DAYS - 200))
            if draw >= given + refused:
                continue
            said = bool(draw < given)
            rows.append({"customer_id": person, "channel": channel, "opted_in": said, "recorded_at": _moment(day, 9)})
            if said and withdrawal < WITHDRAWN:
                rows.append(
                    {"customer_id": person, "channel": channel, "opted_in": False, "recorded_at": _moment(day + 150, 9)}
                )
            elif said:
                truth.consents[person].add(channel)
    return rows


def _moment(day: int, hour: int) -> datetime:
    return datetime.combine(_day(day), datetime.min.time()) + timedelta(hours=hour)


def _prospects(size: Size, rng: np.random.Generator) -> Rows:
    rows: Rows = []
    for number in range(1, size.company_prospects + 1):
        profile = {k: v for k, v in _company(rng).items() if not k.startswith("_")}
        rows.append({"prospect_id": f"N{number:04d}", "kind": "company", "source": "trade fair", **profile})
    for number in range(size.company_prospects + 1, size.company_prospects + size.person_prospects + 1):
        country, _, region, settlement = _place(rng)
        place = {"country": country, "region": region, "settlement": settlement}
        rows.append({"prospect_id": f"N{number:04d}", "kind": "person", "source": "web form", **place})
    return rows


# ---- what they buy ---------------------------------------------------------------------------------------------------


def _products() -> tuple[Rows, dict[str, list[tuple[str, float]]]]:
    """Rows, and (product, list price) by category."""
    rows: Rows = []
    by_category: dict[str, list[tuple[str, float]]] = {}
    for c, category in enumerate(CATEGORIES):
        low, high = category.price
        names = category.products
        by_category[category.name] = []
        for n, name in enumerate(names):
            price = round(low + (high - low) * n / max(1, len(names) - 1), 2)
            tier = ("private", "national", "premium")[min(2, n)]
            product_id = f"{c + 1:02d}{n + 1:02d}"
            by_category[category.name].append((product_id, price))
            rows.append(
                {
                    "product_id": product_id,
                    "product_name": name,
                    "department": category.department,
                    "category": category.name,
                    "subcategory": f"{category.name}: {name}",
                    "brand_tier": tier,
                    "list_price": price,
                    "unit_margin": round(price * MARGIN, 4),
                }
            )
    return rows, by_category


def _day_weights(category: Category) -> Floats:
    """A weight for each day: the month's season, and no Sundays."""
    season = SEASONS[category.season]
    weights = np.zeros(DAYS)
    for number in range(DAYS):
        day = _day(number)
        weights[number] = season[day.month - 1] * (0.0, 1.1, 1.1, 1.0, 1.0, 0.9, 0.6)[(day.weekday() + 1) % 7]
    return weights / weights.sum()


@dataclass(frozen=True)
class _Buyers:
    """By buyer: the id, how large their lines are, their terms as a share, whether they do without sand and cement."""

    ids: list[str]
    scale: Floats
    terms: Floats
    without_mortar: npt.NDArray[np.bool_]


def _order_lines(
    size: Size,
    companies: Rows,
    persons: Rows,
    by_category: dict[str, list[tuple[str, float]]],
    truth: Truth,
    rng: np.random.Generator,
) -> Rows:
    ids: list[str] = []
    scales: list[float] = []
    terms: list[float] = []
    without: list[bool] = []
    names = list(MISSIONS)
    day_weights = {mission: _day_weights(_category(next(iter(MISSIONS[mission])))) for mission in names}
    buyer_parts: list[Ints] = []
    mission_parts: list[Ints] = []
    day_parts: list[Ints] = []
    for row in [*companies, *persons]:
        company = row.get("_size")
        trade = row["_trade"]
        buyer = len(ids)
        ids.append(row.get("company_id") or row["customer_id"])
        scales.append((company.scale if company else 0.8 if trade else 0.25) * float(np.exp(rng.normal(0, 0.2))))
        terms.append(company.terms if company else 0.03 if trade else 0.0)
        without.append(row["_without_mortar"])
        if trade:
            mean = (company.orders if company else 15) * float(np.exp(rng.normal(-0.045, 0.3)))
            orders = int(rng.poisson(mean))
            weights = _mission_weights(trade.missions, names, row["_without_mortar"])
            missions = _pick(rng, weights, orders)
            days = np.zeros(orders, dtype=np.int64)
            for mission in np.unique(missions):
                inside = missions == mission
                days[inside] = rng.choice(DAYS, size=int(inside.sum()), p=day_weights[names[mission]])
            # Some came later, some went.
            begins = int(rng.integers(60, 650)) if rng.random() < 0.18 else 0
            ends = int(rng.integers(200, 680)) if rng.random() < 0.09 else DAYS
            kept = (days >= begins) & (days < ends)
            missions, days = missions[kept], days[kept]
        else:
            missions_of, days_of = [], []
            for project in _pick(rng, list(PROJECTS.values()), int(rng.choice([1, 2, 3], p=[0.5, 0.32, 0.18]))):
                mission = names.index(list(PROJECTS)[project])
                start = int(rng.choice(DAYS, p=day_weights[names[mission]]))
                for late in rng.integers(0, 45, size=int(rng.integers(1, 5))):
                    missions_of.append(mission if rng.random() < 0.8 else names.index("tools"))
                    days_of.append(min(DAYS - 1, start + int(late)))
            missions, days = np.asarray(missions_of, dtype=np.int64), np.asarray(days_of, dtype=np.int64)
        buyer_parts.append(np.full(len(missions), buyer))
        mission_parts.append(missions)
        day_parts.append(days)
    # Paid at the till by nobody known.
    buyer_parts.append(np.full(size.anonymous_orders, len(ids)))
    mission_parts.append(_pick(rng, [PROJECTS.get(name, 0.0) for name in names], size.anonymous_orders))
    day_parts.append(rng.choice(DAYS, size=size.anonymous_orders, p=day_weights["tools"]))
    buyers = _Buyers([*ids, ""], np.array([*scales, 0.2]), np.array([*terms, 0.0]), np.array([*without, False]))
    return _lines(
        buyers, np.concatenate(buyer_parts), np.concatenate(mission_parts), np.concatenate(day_parts), by_category, rng
    )


def _category(name: str) -> Category:
    return next(category for category in CATEGORIES if category.name == name)


def _mission_weights(own: dict[str, float], names: list[str], without_mortar: bool) -> list[float]:
    """Shares of the missions of a trade, of its crew, and of everything else."""
    total = sum(own.values())
    crew = {"tools": 0.6, "workwear": 0.4}
    weights = []
    for name in names:
        weight = (1 - OUTSIDE_THE_TRADE - FOR_THE_CREW) * own.get(name, 0.0) / total
        weight += FOR_THE_CREW * crew.get(name, 0.0) + OUTSIDE_THE_TRADE / len(names)
        weights.append(0.0 if without_mortar and name in MORTAR else weight)
    return weights


def _lines(
    buyers: _Buyers,
    buyer: Ints,
    mission: Ints,
    day: Ints,
    by_category: dict[str, list[tuple[str, float]]],
    rng: np.random.Generator,
) -> Rows:
    """Lines of orders that are given by buyer, mission and day; orders are numbered by day."""
    order = np.argsort(day, kind="stable")
    buyer, mission, day = buyer[order], mission[order], day[order]
    orders = len(day)
    names = list(MISSIONS)
    place = {category.name: n for n, category in enumerate(CATEGORIES)}
    inside = np.zeros((orders, len(CATEGORIES)), dtype=bool)
    for number, name in enumerate(names):
        of_mission = np.flatnonzero(mission == number)
        for category, probability in MISSIONS[name].items():
            inside[of_mission, place[category]] = rng.random(len(of_mission)) < probability
    for item in (SAND, CEMENT):
        inside[buyers.without_mortar[buyer], place[item]] = False
    on_pallets = inside[:, [place[name] for name in PALLETED]].any(axis=1)
    inside[:, place[DEPOSITS]] = on_pallets & (rng.random(orders) < 0.6)
    of_order, of_category = np.nonzero(inside)
    count = len(of_order)
    product_draw = rng.random(count)
    noise = np.exp(rng.normal(-0.045, 0.3, size=count))
    is_promoted = rng.random(count) < 0.08
    channel = _pick(rng, (0.45, 0.4, 0.15), orders)
    branch = rng.integers(0, len(BRANCHES), size=len(buyers.ids))
    is_cancelled = rng.random(orders) < 0.004
    width = len(str(orders))
    rows: Rows = []
    line_number, last = 0, -1
    for n in range(count):
        o, c = int(of_order[n]), int(of_category[n])
        line_number = line_number + 1 if o == last else 1
        last = o
        sold, who = CATEGORIES[c], int(buyer[o])
        products = by_category[sold.name]
        product_id, price = products[int(product_draw[n] * len(products))]
        quantity = max(1, round(sold.units * float(buyers.scale[who]) * float(noise[n])))
        is_deposit = sold.name == DEPOSITS
        share = 0.0 if is_deposit else float(buyers.terms[who]) + (0.1 if is_promoted[n] else 0.0)
        gross = price * quantity
        discount = round(gross * share, 2)
        rows.append(
            {
                "order_id": f"O{o + 1:0{width}d}",
                "line_number": line_number,
                "customer_id": buyers.ids[who] or None,
                "product_id": product_id,
                "ordered_at": _day(day[o]),
                "quantity": float(quantity),
                "amount": round(gross - discount, 2),
                "discount_amount": discount,
                "channel": ("counter", "delivery", "online")[int(channel[o])],
                "store_id": BRANCHES[int(branch[who])],
                "currency": CURRENCY,
                "status": "cancelled" if is_cancelled[o] else "paid",
                "returns_order_id": None,
            }
        )
    return rows


def _returns(lines: Rows, rng: np.random.Generator) -> Rows:
    """Of three lines in 100 some comes back within a fortnight; of one-line orders sometimes everything."""
    lines_of: dict[str, int] = defaultdict(int)
    for line in lines:
        lines_of[line["order_id"]] += 1
    rows: Rows = []
    for line in lines:
        draw, late, part = rng.random(), int(rng.integers(2, 15)), rng.random()
        day = line["ordered_at"] + timedelta(days=late)
        if draw >= 0.03 or line["status"] != "paid" or day > LAST_DAY or line["order_id"].startswith("E"):
            continue
        is_all = lines_of[line["order_id"]] == 1 and part < 0.3
        share = 1.0 if is_all else 0.3
        quantity = line["quantity"] if is_all else float(int(line["quantity"] * share))
        if not quantity:
            continue
        rows.append(
            {
                **line,
                "order_id": f"R{len(rows) + 1:05d}",
                "line_number": 1,
                "ordered_at": day,
                "quantity": -quantity,
                "amount": -round(line["amount"] * quantity / line["quantity"], 2),
                "discount_amount": 0.0,
                "returns_order_id": line["order_id"],
            }
        )
    return rows


# ---- what they are sent ----------------------------------------------------------------------------------------------


def _assignments(companies: Rows, truth: Truth, rng: np.random.Generator) -> Rows:
    """Companies with a contact person, drawn into two treatments and a holdout."""
    shares = (*OFFER_SHARES, 1 - sum(OFFER_SHARES))
    arms = (*(offer.treatment_id for offer in OFFERS), HOLDOUT)
    rows = []
    for company in companies:
        arm = int(_pick(rng, shares, 1)[0])
        if not truth.contacts[company["company_id"]]:
            continue
        truth.arms[company["company_id"]] = arms[arm]
        rows.append(
            {
                "customer_id": company["company_id"],
                "treatment_id": arms[arm],
                "arm": "holdout" if arms[arm] == HOLDOUT else "treated",
                "assigned_on": ASSIGNED_ON,
                "share_treated": round(shares[arm], 2),
                "experiment_id": EXPERIMENT_ID,
            }
        )
    return rows


def _effects(
    companies: Rows, by_category: dict[str, list[tuple[str, float]]], truth: Truth, rng: np.random.Generator
) -> Rows:
    """The orders that the experiment's treatments truly bring, each of one line of the trade's own goods."""
    offers = {offer.treatment_id: offer for offer in OFFERS}
    rows: Rows = []
    for company in companies:
        offer = offers.get(truth.arms.get(company["company_id"], HOLDOUT))
        orders, amount = offer.effects.get(company["_size"].segment, (0, 0.0)) if offer else (0, 0.0)
        days = rng.integers(*EFFECT_DAYS, size=orders)
        product_id, price = by_category[company["_trade"].offered][0]
        for late in days:
            day = ASSIGNED_ON + timedelta(days=int(late))
            rows.append(
                {
                    "order_id": f"E{len(rows) + 1:05d}",
                    "line_number": 1,
                    "customer_id": company["company_id"],
                    "product_id": product_id,
                    "ordered_at": day,
                    "quantity": float(max(1, round(amount / price))),
                    "amount": amount,
                    "discount_amount": 0.0,
                    "channel": "delivery",
                    "store_id": BRANCHES[0],
                    "currency": CURRENCY,
                    "status": "paid",
                    "returns_order_id": None,
                }
            )
    return rows


def _touches(companies: Rows, persons: Rows, truth: Truth, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """A year of campaigns by the company's size, those of other customers, and what the experiment sent; with answers.

    Of a company the first contact person is written to who consents to the channel; without one, nobody is.
    """
    touches: Rows = []
    answers: Rows = []

    def send(person: str, day: int, channel: str, cost: float, answering: float, **what: str | None) -> None:
        touch = f"T{len(touches) + 1:06d}"
        touches.append(
            {
                "touchpoint_id": touch,
                "customer_id": person,
                "touched_at": _moment(day, 10),
                "channel": channel,
                "treatment_id": what.get("treatment_id"),
                "campaign_id": what.get("campaign_id"),
                "campaign_type": what.get("campaign_type"),
                "cost": cost,
            }
        )
        draw, kind = rng.random(2)
        late = int(rng.integers(0, 6))
        if draw < answering and day + late < DAYS:
            answers.append(
                {
                    "response_id": f"W{len(answers) + 1:06d}",
                    "customer_id": person,
                    "responded_at": _moment(day + late, 15),
                    "kind": "click" if kind < 0.6 else "redeem",
                    "touchpoint_id": touch,
                    "campaign_id": what.get("campaign_id"),
                }
            )

    people = [
        (row["company_id"], truth.sizes[row["company_id"]], truth.contacts[row["company_id"]]) for row in companies
    ]
    people += [(row["customer_id"], "trade" if row["_trade"] else "private", [row["customer_id"]]) for row in persons]
    for month in range(12):
        day = DAYS - 30 * (12 - month)
        for _, group, addressees in people:
            kind, channel, cost, share, answering = CAMPAIGNS[group]
            draw, late = rng.random(), int(rng.integers(0, 20))
            consenting = [person for person in addressees if channel in truth.consents[person]]
            if consenting and draw < share:
                send(
                    consenting[0],
                    day + late,
                    channel,
                    cost,
                    answering,
                    campaign_type=kind,
                    campaign_id=f"{kind}_{month}",
                )
    assigned = (ASSIGNED_ON - FIRST_DAY).days
    for offer in OFFERS:
        for row in companies:
            company_id = row["company_id"]
            if truth.arms.get(company_id) == offer.treatment_id:
                late = int(rng.integers(1, 5))
                send(
                    truth.contacts[company_id][0],
                    assigned + late,
                    offer.channel,
                    offer.cost,
                    0.3,
                    treatment_id=offer.treatment_id,
                    campaign_id=EXPERIMENT_ID,
                    campaign_type=offer.treatment_id,
                )
    return touches, answers
