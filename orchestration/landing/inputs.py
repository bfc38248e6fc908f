"""What kept tables are made from, as one small file that the models read: landed/files.parquet.

Belongs here: a row a landed file, with a hash that changes when the file does.
Does not belong here: which tables are kept, and how (macros/kept.sql); what decides their rows besides the landed
files (macros/build_keys.sql).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.landing.land import LandingReport
from orchestration.settings import Settings
from orchestration.storage.files import write_atomically

FILE_NAME = "files.parquet"
SCHEMA = pa.schema([("source_table", pa.string()), ("source_file", pa.string()), ("made_from", pa.int64())])


def note_inputs(settings: Settings, report: LandingReport) -> None:
    """Write the file where it would say something new.

    Args:
        report: what landing found.
    """
    rows = [
        {"source_table": table, "source_file": source_file, "made_from": made_from}
        for table, source_file, made_from in landed_files(settings.landed_dir, report)
    ]
    target = settings.landed_dir / FILE_NAME
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    if target.is_file() and pq.read_table(target).equals(table):
        return
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_atomically(target, sink.getvalue().to_pybytes())


def landed_files(landed_dir: Path, report: LandingReport) -> Iterator[tuple[str, str, int]]:
    """Table, source file and hash (63 bits) of each landed file that has rows, in the order of tables and files."""
    for table, files in report.files.items():
        for file in files:
            if file.rows:
                stat = (landed_dir / table / file.landed_name).stat()
                # The name says which state of the source it holds; size and time, whether it was rewritten since.
                digest = hashlib.sha256(f"{file.landed_name} {stat.st_size} {stat.st_mtime_ns}".encode()).digest()
                yield table, file.source_file, int.from_bytes(digest[:8], "big") >> 1
