"""Which texts are empty cells, from the seed empty_spellings: `NULL`, `N/A`, `\\N` … in exports' spelling.

Belongs here: reading the seed, and which spellings hold for a column.
Does not belong here: blanks, which are empty whatever the seed says (land.py).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from orchestration.landing.errors import LandingError
from orchestration.settings import PROJECT_DIR

SEED_FILE = PROJECT_DIR / "seeds" / "empty_spellings.csv"
COLUMNS = ("spelling", "source_table", "column_name", "is_empty")
YES, NO = ("true", "t", "yes", "1"), ("false", "f", "no", "0")


@dataclass(frozen=True)
class EmptySpellings:
    """Rows of the seed: spelling, table ('' for all), column ('' for all), whether it is an empty cell."""

    rows: tuple[tuple[str, str, str, bool], ...] = ()

    def of(self, table: str, column: str) -> tuple[str, ...]:
        """The spellings that are empty cells of a column, sorted. Of rows of one spelling the narrowest decides."""
        decided: dict[str, tuple[int, bool]] = {}
        for spelling, for_table, for_column, is_empty in self.rows:
            if for_table not in ("", table) or for_column not in ("", column):
                continue
            narrowness = (for_table != "") + 2 * (for_column != "")
            if narrowness >= decided.get(spelling, (-1, False))[0]:
                decided[spelling] = (narrowness, is_empty)
        return tuple(sorted(spelling for spelling, (_, is_empty) in decided.items() if is_empty))


def read_empty_spellings(path: Path = SEED_FILE) -> EmptySpellings:
    """The seed.

    Raises:
        LandingError: the file cannot be read, lacks a column, or says neither true nor false; it names the line.
    """
    rows = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise LandingError(f"seed {path.name}: column {', '.join(missing)} is missing")
            for row in reader:
                spelling, table, column, says = ((row[name] or "").strip() for name in COLUMNS)
                if not spelling:
                    continue
                if says.lower() not in (*YES, *NO):
                    raise LandingError(
                        f"seed {path.name}, line {reader.line_num}: is_empty says {says!r}, and must say true or false"
                    )
                rows.append((spelling, table.lower(), column.lower(), says.lower() in YES))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LandingError(f"seed {path.name}: cannot be read ({error})") from None
    return EmptySpellings(tuple(rows))
