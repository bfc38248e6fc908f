"""Rows of the account that still hold: made from the same members by the same code in the refresh before.

Belongs here: the file beside the build, and when its rows are those that would be made again.
Does not belong here: what the rows say.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy

_KEYS = b"made_from"


class KeptRows:
    """The rows of one table of the account, a scheme at a time; without a folder nothing is kept.

    Args:
        table: its name; the file in `folder` is called after it.
        folder: of the build, so that `make refresh FULL=1` forgets it.
    """

    def __init__(self, table: str, folder: Path | None) -> None:
        self._file = folder / f"{table}.parquet" if folder is not None else None
        self._keys: dict[str, str] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {}
        if self._file is None or not self._file.is_file():
            return
        try:
            found = pq.read_table(self._file)
            keys = json.loads((found.schema.metadata or {})[_KEYS])
        except (OSError, pa.ArrowException, KeyError, ValueError):
            # Torn, or of another version: everything is made again.
            return
        self._keys = {str(scheme): str(key) for scheme, key in keys.items()}
        for row in found.to_pylist():
            self._rows.setdefault(row["scheme"], []).append(row)

    def of(self, scheme: str, key: str) -> list[dict[str, Any]] | None:
        """The rows of a scheme that were made from what `key` is a digest of; None where they are to be made."""
        return self._rows.get(scheme, []) if self._keys.get(scheme) == key else None

    def keep(self, table: pa.Table, keys: Mapping[str, str]) -> None:
        """Keep a table for the next refresh, in place of what was kept."""
        if self._file is None or keys == self._keys:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_suffix(".tmp")
        pq.write_table(table.replace_schema_metadata({_KEYS: json.dumps(dict(keys)).encode()}), unfinished)
        os.replace(unfinished, self._file)


def digests_by_scheme(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Scheme -> a digest of its rows in `table`, whatever their order (64 bits twice, as docs/kept-tables.md)."""
    rows = con.execute(
        f"select scheme, count(*), sum(hash(each)), bit_xor(hash(each)) from {table} as each group by scheme"
    ).fetchall()
    return {scheme: " ".join(map(str, parts)) for scheme, *parts in rows}


def code_digest(modules: Iterable[ModuleType]) -> str:
    """A digest of the code that makes the rows: the modules' text, and the libraries that they count with."""
    text = [np.__version__, scipy.__version__, duckdb.__version__]
    text += [Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()
