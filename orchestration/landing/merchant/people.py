"""To whom the simulated merchant sells: trades, countries, job titles in four languages, and what is planted in them.

Belongs here: the parameters of the simulation; a reader may change any of them. Does not belong here: drawing from
them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trade:
    """An industry as the files spell it: its share of companies, missions by weight, what the offer was for."""

    industry: str
    share: float
    missions: dict[str, float]
    offered: str


TRADES: tuple[Trade, ...] = (
    Trade("General construction", 0.24, {"walls": 6, "blocks": 3, "insulation": 1, "cement alone": 0.3}, "Blocks"),
    Trade("Roofing", 0.12, {"roof": 8, "insulation": 2}, "Roof tiles"),
    Trade("Carpentry", 0.13, {"frame": 7, "deck": 2, "insulation": 0.5}, "Structural timber"),
    Trade("Plumbing and heating", 0.14, {"pipework": 6, "bathroom": 2.5, "heating": 1}, "Pipes"),
    Trade("Dry lining and plastering", 0.12, {"dry lining": 8, "insulation": 1}, "Plasterboard"),
    Trade("Painting and decorating", 0.10, {"painting": 8, "tiling": 2}, "Paint"),
    Trade("Landscaping", 0.10, {"paving": 6, "fence": 2, "walls": 2, "sand alone": 0.3}, "Paving"),
    Trade("Facility management", 0.05, {"painting": 3, "bathroom": 2, "tools": 2, "workwear": 2}, "Bathroom ware"),
)
# Of the orders of any trade, the share that is for something outside of it, or for tools and workwear.
OUTSIDE_THE_TRADE = 0.12
FOR_THE_CREW = 0.13
# Of the buyers whose trade builds walls, the share that buys bricks here and never sand and cement: others sell those.
WITHOUT_MORTAR_SHARE = 0.35

# What private customers do, a project at a time.
PROJECTS: dict[str, float] = {
    "painting": 5,
    "tiling": 2,
    "deck": 2,
    "paving": 2.5,
    "fence": 2.5,
    "bathroom": 1.5,
    "insulation": 1,
    "dry lining": 1.2,
    "walls": 0.8,
    "tools": 3,
}


@dataclass(frozen=True)
class SizeClass:
    """Companies of a size: share, employees, orders in the two years, how much larger their lines are, and their terms.

    `contacts`: for each role the probability that somebody holds it, in the order of ROLES.
    """

    segment: str
    share: float
    employees: tuple[int, int]
    orders: float
    scale: float
    terms: float
    maturity: tuple[float, ...]
    contacts: tuple[float, float, float, float]


SIZES: tuple[SizeClass, ...] = (
    SizeClass("small", 0.60, (1, 49), 30, 1.0, 0.04, (0.50, 0.30, 0.14, 0.05, 0.01), (0.30, 0.10, 0.12, 0.90)),
    SizeClass("medium", 0.30, (50, 249), 74, 1.7, 0.08, (0.12, 0.28, 0.36, 0.18, 0.06), (0.75, 0.60, 0.55, 0.65)),
    SizeClass("large", 0.10, (250, 2400), 155, 2.6, 0.12, (0.02, 0.10, 0.34, 0.36, 0.18), (0.92, 0.80, 0.75, 0.55)),
)
MATURITIES = ("initial", "managed", "defined", "measured", "optimised")
ROLES = ("initiator", "department_head", "finance", "signatory")
# Turnover of an employee a year, in euros, where a company files that in the place of a headcount.
TURNOVER_OF_ONE = 190_000
# Share of companies that say their employees, their turnover; that declare their maturity, and the benefit they seek.
SAY_EMPLOYEES, SAY_TURNOVER = 0.85, 0.11
DECLARE_MATURITY, DECLARE_BENEFIT = 0.72, 0.75
# The benefit sought as the sales team wrote it down, by language.
BENEFITS: dict[str, dict[str, str]] = {
    "cost_reduction": {"de": "Kosten", "en": "cost savings", "fr": "Réduction des coûts", "pl": "Redukcja kosztów"},
    "growth": {"de": "Wachstum", "en": "growth", "fr": "Croissance", "pl": "Wzrost"},
    "process_optimisation": {
        "de": "Prozessoptimierung",
        "en": "efficiency",
        "fr": "Optimisation des processus",
        "pl": "Optymalizacja procesów",
    },
}
# Mix of benefits by size: small firms count costs, large ones their processes.
BENEFIT_MIX = {"small": (0.55, 0.30, 0.15), "medium": (0.35, 0.30, 0.35), "large": (0.25, 0.20, 0.55)}

COUNTRIES: tuple[tuple[str, str, float, tuple[str, ...]], ...] = (
    ("DE", "de", 0.46, ("Rheinland", "Westfalen", "Hessen", "Sachsen")),
    ("IE", "en", 0.18, ("Leinster", "Munster")),
    ("FR", "fr", 0.20, ("Grand Est", "Lorraine", "Alsace")),
    ("PL", "pl", 0.16, ("Śląsk", "Wielkopolska")),
)
SETTLEMENTS = (("urban", 0.30), ("suburban", 0.26), ("rural", 0.26), (None, 0.18))

# Job titles by language and role, with the level of maturity that a title is evidence of (0: of none). `none`: no say.
TITLES: dict[str, dict[str, tuple[tuple[str, int], ...]]] = {
    "de": {
        "initiator": (
            ("Bauleiter", 0),
            ("Polier", 0),
            ("Einkäuferin", 0),
            ("Projektleiter", 0),
            ("Qualitätsmanager", 3),
        ),
        "department_head": (("Einkaufsleiter", 0), ("Technischer Leiter", 0), ("Abteilungsleiterin", 0)),
        "finance": (("Buchhalterin", 0), ("Kaufmännischer Leiter", 0), ("Controller", 4), ("Leiter Rechnungswesen", 0)),
        "signatory": (("Geschäftsführer", 0), ("Inhaberin", 0), ("Inhaber", 0), ("Prokurist", 0)),
        "none": (("Assistentin der Geschäftsführung", 0), ("Praktikant", 0), ("Fahrer", 0)),
    },
    "en": {
        "initiator": (("Site Manager", 0), ("Foreman", 0), ("Buyer", 0), ("Quality Manager", 3)),
        "department_head": (("Head of Purchasing", 0), ("Operations Director", 0), ("Technical Director", 0)),
        "finance": (("Accountant", 0), ("Bookkeeper", 0), ("Financial Controller", 4), ("Finance Director", 0)),
        "signatory": (("Managing Director", 0), ("Owner", 0), ("Proprietor", 0)),
        "none": (("PA to the CEO", 0), ("Driver", 0), ("Receptionist", 0)),
    },
    "fr": {
        "initiator": (("Chef de chantier", 0), ("Acheteur", 0), ("Conducteur de travaux", 0), ("Acheteuse", 0)),
        "department_head": (("Directeur des achats", 0), ("Directrice commerciale", 0), ("Directeur technique", 0)),
        "finance": (("Comptable", 0), ("DAF", 0), ("Contrôleur de gestion", 4), ("Directrice financière", 0)),
        "signatory": (("Gérant", 0), ("Gérante", 0), ("PDG", 0), ("Directeur général", 0)),
        "none": (("Assistante de direction", 0), ("Stagiaire", 0), ("Chauffeur", 0)),
    },
    "pl": {
        "initiator": (("Kierownik budowy", 0), ("Majster", 0), ("Specjalista ds. zakupów", 0), ("Kupiec", 0)),
        "department_head": (("Kierownik działu zakupów", 0), ("Dyrektor techniczny", 0), ("Dyrektor operacyjny", 0)),
        "finance": (("Księgowa", 0), ("Główny księgowy", 0), ("Dyrektor finansowy", 0)),
        "signatory": (("Właściciel", 0), ("Prezes zarządu", 0), ("Właścicielka", 0)),
        "none": (("Sekretarka prezesa", 0), ("Kierowca", 0), ("Stażysta", 0)),
    },
}
# Department of an initiator or head, by language, and the level that it is evidence of.
PURCHASING: dict[str, tuple[str, int]] = {
    "de": ("Einkauf", 2),
    "en": ("Purchasing", 2),
    "fr": ("Achats", 2),
    "pl": ("Zakupy", 2),
}
IN_PURCHASING = 0.45
WITHOUT_SAY = 0.12
NO_CONTACTS = 0.04

# Consent of a contact person and of a private customer by channel: given, refused; else nothing is on record.
CONTACT_CONSENTS = {
    "email": (0.66, 0.12),
    "phone": (0.58, 0.14),
    "mail": (0.55, 0.06),
    "visit": (0.46, 0.08),
    "web": (0.4, 0),
}
PERSON_CONSENTS = {
    "email": (0.52, 0.15),
    "mail": (0.60, 0.08),
    "phone": (0.12, 0.10),
    "app": (0.22, 0.05),
    "web": (0.3, 0),
}
WITHDRAWN = 0.05


@dataclass(frozen=True)
class Offer:
    """A treatment of the experiment: how it was sent, what that cost, and what it truly adds to a company's spend.

    `effects`: size of the company -> (orders added in the outcome period, euros each).
    """

    treatment_id: str
    channel: str
    cost: float
    effects: dict[str, tuple[int, float]]


# What the dividend of telling sizes apart comes from: a volume price moves small firms alone, a planner the others.
EXPERIMENT_ID = "simulated_spring_offers"
OFFERS: tuple[Offer, ...] = (
    Offer("simulated_volume_price", "email", 3.0, {"small": (2, 650.0)}),
    Offer("simulated_site_planner", "visit", 55.0, {"medium": (3, 1200.0), "large": (6, 2000.0)}),
)
OFFER_SHARES = (0.4, 0.4)
HOLDOUT = "none"

# What contact persons were sent by the size of their company, and other customers by what they are: channel, cost, the
# share that is sent it in a month, and the share of these that answers.
CAMPAIGNS: dict[str, tuple[str, str, float, float, float]] = {
    "small": ("counter_call", "phone", 2.5, 0.50, 0.30),
    "medium": ("planning_letter", "email", 0.05, 0.60, 0.22),
    "large": ("account_visit", "visit", 40.0, 0.55, 0.45),
    "trade": ("trade_counter_news", "mail", 0.9, 0.35, 0.14),
    "private": ("garden_leaflet", "mail", 0.7, 0.20, 0.06),
}
