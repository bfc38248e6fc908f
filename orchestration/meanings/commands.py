"""`make meanings`: the shop's own categories by spend, with proposals, to be filled in and taken back.

    SEEDS_DIR=/data/seeds LANDING_DIR=/data/shop make meanings      writes /data/seeds/_meanings.csv
    (a person edits the file, and takes the mark `proposed` off the rows that are right)
    SEEDS_DIR=/data/seeds LANDING_DIR=/data/shop make meanings      writes /data/seeds/category_meanings.csv

Exit code 0; 1 where the file cannot be taken back or nothing was sold; 2 where the settings cannot be used.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from orchestration.landing.errors import LandingError
from orchestration.meanings.propose import MEANINGS, Category, MeaningsError, as_csv, as_seed, read, to_fill_in
from orchestration.overrides import seeds_aside
from orchestration.settings import Settings, SettingsError, read_settings
from orchestration.storage.files import write_atomically
from orchestration.warehouse.tables import NotBuilt, built_tables

# With an underscore, which SEEDS_DIR passes over: it is no seed.
FILE_NAME = "_meanings.csv"
SEED_NAME = "category_meanings.csv"


def sold_categories(settings: Settings) -> list[Category]:
    """The categories of the last build with the members' spend in the behaviour window.

    Raises:
        NotBuilt: there is none.
    """
    with built_tables(settings) as con:
        rows = con.execute(
            """
            select min(categories.category), cast(sum(categories.spend) as double)
            from int_customer_categories as categories
            inner join int_as_of_dates as dates on categories.as_of = dates.as_of and dates.is_current
            where categories.category is not null
            group by lower(categories.category)
            """
        ).fetchall()
    return [Category(name, spend) for name, spend in rows]


def allowed_meanings(seeds_dir: Path) -> dict[str, list[str]]:
    """Segments by scheme, of the schemes with a closed list."""
    with (seeds_dir / "segment_schemes.csv").open(encoding="utf-8-sig", newline="") as file:
        closed = {row["scheme"] for row in csv.DictReader(file) if row["is_data_driven"].strip().lower() == "false"}
    found: dict[str, list[str]] = {}
    with (seeds_dir / "segment_definitions.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["scheme"] in closed and row["scheme"] in MEANINGS:
                found.setdefault(row["scheme"], []).append(row["segment"])
    return found


def run(settings: Settings) -> str:
    """Take back what was filled in, write what is to be filled in; returns what is to be said.

    Raises:
        MeaningsError, LandingError: what was filled in cannot be read.
        NotBuilt: nothing was built whose categories could be listed.
    """
    folder = settings.own_seeds_dir
    file = folder / FILE_NAME if folder is not None else settings.warehouse_dir / FILE_NAME.lstrip("_")
    with seeds_aside(settings) as aside:
        allowed = allowed_meanings(aside.seeds_dir)
        decided = read(aside.seeds_dir / SEED_NAME, allowed)
    written = read(file, allowed) if file.is_file() else {}
    lines = []
    if folder is not None and written:
        seed = as_seed(decided, written)
        answered = len(seed.splitlines()) - 1
        if answered or decided:
            write_atomically(folder / SEED_NAME, seed.encode())
            lines.append(f"{folder / SEED_NAME}: {answered} categories have a meaning; the next refresh goes by it")
            decided = read(folder / SEED_NAME, allowed)
    sold = sold_categories(settings)
    if not sold:
        raise MeaningsError(
            "no member has bought anything with a category: land products with a column category (or department), "
            "then make refresh"
        )
    rows = to_fill_in(sold, decided, written)
    write_atomically(file, as_csv(rows).encode())
    total = sum(row.spend for row in rows)
    told = sum(row.spend for row in rows if any(row.meanings) and not row.is_proposed)
    marked = sum(row.is_proposed for row in rows)
    lines.append(
        f"{file}: {len(rows)} categories by spend; {told / total if total else 0:.0%} of it has a meaning, "
        f"{marked} rows are proposed and nobody has looked at them"
    )
    how = f"run make meanings again{'' if folder is not None else ' with SEEDS_DIR=… (a folder of yours for seeds)'}"
    lines.append(
        f"Fill in {', '.join(MEANINGS)} (a job in words of your own; "
        + "; ".join(f"{scheme}: {', '.join(segments)}" for scheme, segments in allowed.items())
        + f"), take the mark `proposed` off the rows that are right, then {how}"
    )
    return "\n".join(lines)


def main() -> int:
    """See above."""
    try:
        print(run(read_settings()))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except (MeaningsError, LandingError, NotBuilt) as error:
        print(f"make meanings: {error}", file=sys.stderr)
        return 1
    return 0
