"""`make map FROM=/data/export`: propose a mapping file for a folder of exports, and show what would land.

The file is written into that folder as mapping.yml, or where MAPPING says; one that is there already is not written
again, only shown. Exit code 0 when rows would land, 1 when they would not, 2 when FROM is no folder.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from orchestration.landing.contract import Table, contract
from orchestration.landing.empties import SEED_FILE, read_empty_spellings
from orchestration.landing.errors import LandingError
from orchestration.landing.formats import VAR, read_landing_formats
from orchestration.landing.mapping.apply import MappedTable, apply_mapping
from orchestration.landing.mapping.model import read_mapping
from orchestration.landing.mapping.propose import as_text, propose, read_exports
from orchestration.overrides import seeds_aside
from orchestration.settings import SettingsError, read_settings
from orchestration.warehouse.project import project_vars

ROWS_SHOWN = 10
PERSONAL = "(personal)"
WIDEST = 24


def main() -> int:
    """Propose, or show what is proposed; see above."""
    given = os.environ.get("FROM", "").strip()
    folder = Path(given).expanduser().resolve()
    if not given or not folder.is_dir():
        print(f"FROM={given}: a folder of exports is needed, e.g. make map FROM=/data/export", file=sys.stderr)
        return 2
    target = Path(os.environ.get("MAPPING", "").strip() or folder / "mapping.yml").expanduser().resolve()
    try:
        if target.is_file():
            print(f"{target} is there and is shown as it is; move it away for a new proposal")
        else:
            passed_over: list[str] = []
            proposal = propose(read_exports(folder, passed_over), contract())
            proposal.questions += passed_over
            _write(target, as_text(proposal, folder, target))
            print(f"Proposed: {target}")
        # What is no text is said by the one who reads it, below.
        print(target.read_text(encoding="utf-8", errors="replace"))
        print(shown(_mapped(target), contract()))
    except (LandingError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or folder}: cannot be read or written ({error.strerror})", file=sys.stderr)
        return 1
    print(f"\nRead the file, edit it, then: make refresh MAPPING={target}")
    return 0


def _write(target: Path, text: str) -> None:
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LandingError(
            f"MAPPING={target}: cannot be written ({error.strerror}); name a file in a folder that can be written to"
        ) from None


def _mapped(target: Path) -> dict[str, MappedTable]:
    """What a refresh would make of the mapping, with the settings and seeds that hold."""
    mapping = read_mapping(target, contract())
    settings = read_settings({**os.environ, "MAPPING": str(target), "LANDING_DIR": ""})
    formats = project_vars(settings).get(VAR) or {}
    read_landing_formats(formats, contract())
    with seeds_aside(settings) as aside, tempfile.TemporaryDirectory() as zone:
        empties = read_empty_spellings(aside.seeds_dir / SEED_FILE.name)
        return apply_mapping(mapping, Path(zone), contract(), ROWS_SHOWN, formats, empties)


def shown(done: Mapping[str, MappedTable], tables: Mapping[str, Table]) -> str:
    """The first rows of each table as they would land, without what is personal."""
    lines = []
    for name, table in done.items():
        lines += ["", f"{name}: {table.rows:,} rows of {', '.join(table.files)}"]
        personal = {column.name for column in tables[name].personal_columns}
        columns = list(table.first[0]) if table.first else []
        rows = [[PERSONAL if c in personal and row[c] else row[c] for c in columns] for row in table.first]
        cells = [[_short(cell) for cell in row] for row in [columns, *rows]]
        widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
        lines += [
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in cells
        ]
    return "\n".join(lines).strip()


def _short(cell: str) -> str:
    text = " ".join(cell.split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
