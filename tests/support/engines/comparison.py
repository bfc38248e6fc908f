"""What was published by one engine against what was published by another: every table that either of them has.

Belongs here: the comparison. Does not belong here: running anything.
The tables are those of the manifests, so a table that is added later is compared without a change here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

# Doubles may differ by the order in which they were added up.
RELATIVE = 1e-9
ABSOLUTE = 1e-12
SHOWN = 3
# Which refresh it was, and when; the same in no two refreshes.
MOMENTS: Mapping[str, frozenset[str]] = {"refreshes": frozenset({"refresh_id", "started_at", "finished_at"})}


@dataclass(frozen=True)
class Published:
    """A published version: the folder with manifest.json and parquet/."""

    folder: Path

    @property
    def tables(self) -> dict[str, int]:
        """Rows of each published table."""
        manifest = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        return {name: table["rows"] for name, table in manifest["tables"].items()}

    def read(self, table: str) -> pa.Table:
        """A table; its rows are in the order of their keys."""
        return pq.read_table(self.folder / "parquet" / f"{table}.parquet")


def differences(expected: Published, found: Published) -> dict[str, list[str]]:
    """What differs, by table; empty where every table has the same columns, types and rows, in the same order."""
    report = {}
    for table in sorted(expected.tables.keys() | found.tables.keys()):
        if table not in expected.tables or table not in found.tables:
            report[table] = ["is not published by both"]
        elif problems := table_differences(expected.read(table), found.read(table), MOMENTS.get(table, frozenset())):
            report[table] = problems
    return report


def table_differences(expected: pa.Table, found: pa.Table, leave_out: Iterable[str] = ()) -> list[str]:
    """What differs between two tables, in words; doubles count as equal up to RELATIVE."""
    left, right = expected.drop_columns(list(leave_out)), found.drop_columns(list(leave_out))
    if left.schema != right.schema:
        columns = {f"{field.name} {field.type}" for field in left.schema} ^ {f"{f.name} {f.type}" for f in right.schema}
        return [f"columns differ: {', '.join(sorted(columns)) or 'their order'}"]
    if left.num_rows != right.num_rows:
        return [f"{left.num_rows} rows against {right.num_rows}"]
    problems = []
    for name in left.column_names:
        pairs = zip(left[name].to_pylist(), right[name].to_pylist(), strict=True)
        unequal = [(row, a, b) for row, (a, b) in enumerate(pairs) if not equal(a, b)]
        if unequal:
            keys = [{k: left[k][row].as_py() for k in left.column_names[:4]} for row, _, _ in unequal[:SHOWN]]
            shown = "; ".join(f"{a!r} against {b!r} at {key}" for (_, a, b), key in zip(unequal, keys, strict=False))
            problems.append(f"{name}: {len(unequal)} of {left.num_rows} rows differ: {shown}")
    return problems


def equal(a: Any, b: Any) -> bool:
    """Whether two values are the same; doubles up to RELATIVE."""
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return bool(a == b)
