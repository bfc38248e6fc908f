"""What the simulated merchant sells, and what is bought together.

Belongs here: categories, prices, seasons, missions (what an order is for). Does not belong here: who buys.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """`price`: list price of a unit in euros, cheapest and dearest product; `units`: on a small firm's order line.

    `season`: how its months differ, one of SEASONS.
    """

    department: str
    name: str
    price: tuple[float, float]
    units: float
    season: str
    products: tuple[str, ...]


# Weight of each month, January first. Mortar does not set in frost, roofs are mended before winter, rooms built in it.
SEASONS: dict[str, tuple[float, ...]] = {
    "frost": (0.4, 0.5, 1.0, 1.3, 1.4, 1.4, 1.2, 1.1, 1.3, 1.2, 0.8, 0.4),
    "before winter": (0.6, 0.6, 0.9, 1.0, 1.1, 1.1, 1.0, 1.0, 1.4, 1.5, 1.1, 0.7),
    "indoors": (1.2, 1.2, 1.1, 0.9, 0.8, 0.8, 0.7, 0.8, 1.0, 1.1, 1.3, 1.1),
    "garden": (0.3, 0.5, 1.3, 1.9, 1.9, 1.5, 1.1, 0.9, 0.9, 0.8, 0.5, 0.4),
    "none": (0.9, 0.95, 1.05, 1.05, 1.05, 1.05, 0.95, 0.95, 1.05, 1.05, 1.05, 0.9),
}

BRICKS, SAND, CEMENT = "Bricks", "Sand", "Cement"
DEPOSITS = "Pallet deposits"

CATEGORIES: tuple[Category, ...] = (
    Category("Masonry", BRICKS, (0.55, 1.40), 650, "frost", ("Facing red", "Facing yellow", "Clinker", "Common")),
    Category("Masonry", "Blocks", (1.80, 4.20), 140, "frost", ("Aerated 20 cm", "Dense 10 cm", "Aerated 30 cm")),
    Category("Masonry", SAND, (42.0, 68.0), 4, "frost", ("Masonry sand big bag", "Sharp sand big bag", "Washed sand")),
    Category("Masonry", CEMENT, (6.9, 11.5), 30, "frost", ("Portland 25 kg", "Masonry cement 25 kg", "Rapid 25 kg")),
    Category("Masonry", "Lintels", (14.0, 48.0), 4, "frost", ("Lintel 100 cm", "Lintel 150 cm", "Lintel 240 cm")),
    Category("Roofing", "Roof tiles", (0.9, 2.6), 420, "before winter", ("Clay red", "Clay slate-grey", "Concrete")),
    Category("Roofing", "Roof battens", (1.1, 2.2), 110, "before winter", ("Batten 30x50", "Batten 40x60")),
    Category("Roofing", "Roof membranes", (78.0, 145.0), 2, "before winter", ("Membrane 50 m", "Membrane 75 m")),
    Category("Roofing", "Gutters", (8.0, 31.0), 9, "before winter", ("Zinc 3 m", "Copper 3 m", "PVC 3 m")),
    Category("Insulation", "Wall insulation", (9.5, 24.0), 22, "before winter", ("EPS 100", "EPS 160", "Wood fibre")),
    Category("Insulation", "Loft insulation", (21.0, 39.0), 9, "before winter", ("Mineral wool 160", "Wool 200")),
    Category("Timber", "Structural timber", (6.0, 18.0), 32, "none", ("C24 45x145", "C24 60x160", "Glulam 80x200")),
    Category("Timber", "Sheet materials", (14.0, 46.0), 12, "none", ("OSB 18 mm", "Plywood 15 mm", "Chipboard 22 mm")),
    Category("Timber", "Decking", (4.2, 13.5), 45, "garden", ("Larch 27 mm", "Composite 25 mm", "Bangkirai 21 mm")),
    Category("Dry lining", "Plasterboard", (5.2, 12.8), 44, "indoors", ("Board 12.5", "Moisture board", "Fire board")),
    Category("Dry lining", "Jointing compound", (11.0, 26.0), 6, "indoors", ("Compound 20 kg", "Ready-mixed 15 kg")),
    Category("Dry lining", "Metal studs", (3.4, 7.9), 38, "indoors", ("Stud 50", "Stud 75", "Track 75")),
    Category("Finishes", "Paint", (18.0, 72.0), 8, "indoors", ("Interior white 10 l", "Facade 15 l", "Primer 5 l")),
    Category("Finishes", "Brushes and rollers", (3.5, 16.0), 7, "indoors", ("Roller 25 cm", "Brush set", "Tape")),
    Category("Finishes", "Wall tiles", (13.0, 42.0), 24, "indoors", ("White 20x40", "Stone 30x60", "Metro 10x20")),
    Category("Finishes", "Tile adhesive", (9.0, 28.0), 9, "indoors", ("Flexible 25 kg", "Standard 25 kg")),
    Category("Plumbing", "Pipes", (2.8, 14.0), 48, "none", ("Copper 15", "Multilayer 16", "Soil pipe 110")),
    Category("Plumbing", "Fittings", (1.6, 9.5), 52, "none", ("Elbow 15", "Tee 16", "Coupling 110", "Valve 15")),
    Category("Plumbing", "Bathroom ware", (85.0, 420.0), 2, "indoors", ("Basin", "Shower tray", "Wall-hung toilet")),
    Category("Plumbing", "Boilers", (890.0, 2400.0), 1, "before winter", ("Condensing 18 kW", "Heat pump 7 kW")),
    Category("Garden", "Paving", (17.0, 44.0), 36, "garden", ("Concrete 20x10", "Granite 10x10", "Slab 60x40")),
    Category("Garden", "Gravel", (38.0, 74.0), 5, "garden", ("Gravel 8/16 big bag", "Chippings 2/5 big bag")),
    Category("Garden", "Fencing", (22.0, 95.0), 9, "garden", ("Panel 180", "Post 210", "Mesh 25 m")),
    Category("Tools", "Timber screws", (6.0, 34.0), 7, "none", ("Screws 6x120", "Screws 8x200", "Steel 5x60")),
    Category("Tools", "Drywall screws", (5.0, 19.0), 8, "indoors", ("Screws 3.5x25", "Screws 3.5x45")),
    Category("Tools", "Hand tools", (9.0, 58.0), 3, "none", ("Trowel", "Spirit level", "Hammer", "Saw")),
    Category("Tools", "Power tools", (89.0, 360.0), 1, "none", ("Drill", "Angle grinder", "Mixer")),
    Category("Tools", "Workwear", (16.0, 88.0), 4, "none", ("Gloves", "Boots", "Trousers", "Jacket")),
    # No merchandise (seeds/non_merchandise.csv): paid back when the pallets come home.
    Category("Services", DEPOSITS, (8.0, 12.0), 4, "none", ("Euro pallet deposit", "Half pallet deposit")),
)

# Delivered on pallets.
PALLETED = (BRICKS, "Blocks", CEMENT, "Paving")

# What an order is for: the first category is always bought, another with the probability beside it. Bricks without sand
# and cement are what some buyers do all the time (people.py): the planted gap.
MISSIONS: dict[str, dict[str, float]] = {
    "walls": {BRICKS: 1.0, SAND: 0.80, CEMENT: 0.85, "Lintels": 0.25},
    "blocks": {"Blocks": 1.0, "Lintels": 0.20},
    "roof": {"Roof tiles": 1.0, "Roof battens": 0.92, "Roof membranes": 0.65, "Gutters": 0.35},
    "insulation": {"Wall insulation": 1.0, "Loft insulation": 0.45},
    "frame": {"Structural timber": 1.0, "Timber screws": 0.50, "Sheet materials": 0.45},
    "deck": {"Decking": 1.0, "Timber screws": 0.55},
    "dry lining": {"Plasterboard": 1.0, "Metal studs": 0.82, "Jointing compound": 0.92, "Drywall screws": 0.30},
    "painting": {"Paint": 1.0, "Brushes and rollers": 0.70},
    "tiling": {"Wall tiles": 1.0, "Tile adhesive": 0.92},
    "pipework": {"Pipes": 1.0, "Fittings": 0.92},
    "bathroom": {"Bathroom ware": 1.0, "Fittings": 0.45, "Pipes": 0.30},
    "heating": {"Boilers": 1.0, "Pipes": 0.60, "Fittings": 0.70},
    "paving": {"Paving": 1.0, "Gravel": 0.65},
    "fence": {"Fencing": 1.0, "Gravel": 0.15},
    "tools": {"Hand tools": 1.0, "Power tools": 0.25},
    "workwear": {"Workwear": 1.0, "Hand tools": 0.20},
    "sand alone": {SAND: 1.0},
    "cement alone": {CEMENT: 1.0},
}
WALLS = "walls"
# Nobody who buys bricks without them comes for these.
MORTAR = ("sand alone", "cement alone")
