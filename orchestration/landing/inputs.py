"""What kept tables are made from, as one small file that the models read: landed/files.parquet.

Belongs here: a row a landed file, with a hash that changes when the file does, and the build key.
Does not belong here: which tables are kept, and how (macros/kept.sql).

The build key is a digest of all that decides a kept table's rows besides the landed files: SQL, seeds, vars, the time
zone of the stores, the versions of dbt and DuckDB. Where it changes, kept tables are built from nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from orchestration.landing.land import LandingReport
from orchestration.publication.files import write_atomically
from orchestration.settings import PROJECT_DIR, Settings

FILE_NAME = "files.parquet"
SCHEMA = pa.schema(
    [
        ("source_table", pa.string()),
        ("source_file", pa.string()),
        ("made_from", pa.int64()),
        ("build_key", pa.string()),
    ]
)
# The folders whose files decide what a kept table says.
KEY_FOLDERS = ("macros", "models/staging", "models/intermediate", "models/marts/segments/schemes", "seeds")
KEY_ENDINGS = (".sql", ".csv", ".yml")
# What marketers edit every day, and no kept table reads (a test holds this against the manifest).
OTHER_SEEDS = ("channels.csv", "personas.csv", "scheme_priorities.csv", "treatment_shares.csv", "treatments.csv")
# Vars that say which dates there are, not what is true on them.
OTHER_VARS = ("as_of", "history_grid")


def note_inputs(settings: Settings, report: LandingReport, command_vars: Mapping[str, Any] | None = None) -> None:
    """Write the file where it would say something new.

    Args:
        report: what landing found.
        command_vars: vars given on dbt's command line, which go before those of the project.
    """
    key = build_key(settings, command_vars or {})
    rows = [
        {"source_table": table, "source_file": source_file, "made_from": made_from, "build_key": key}
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


def build_key(settings: Settings, command_vars: Mapping[str, Any], project_dir: Path = PROJECT_DIR) -> str:
    """Digest (hex) of what decides a kept table's rows besides the landed files."""
    project = yaml.safe_load((project_dir / "dbt_project.yml").read_text(encoding="utf-8"))
    variables = {**(project.get("vars") or {}), **command_vars}
    decided = {name: value for name, value in variables.items() if name not in OTHER_VARS}
    digest = hashlib.sha256()
    digest.update(
        json.dumps([decided, project["models"], settings.store_timezone], sort_keys=True, default=str).encode()
    )
    digest.update(f"{version('dbt-core')} {version('dbt-duckdb')} {version('duckdb')}\n".encode())
    for path in key_files(project_dir):
        digest.update(f"{path.relative_to(project_dir).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def key_files(project_dir: Path = PROJECT_DIR) -> Iterator[Path]:
    """The files that the build key is a digest of, sorted within each folder."""
    for folder in KEY_FOLDERS:
        for path in sorted((project_dir / folder).rglob("*")):
            if path.suffix in KEY_ENDINGS and path.name not in OTHER_SEEDS and path.is_file():
                yield path
