"""What is remembered of treatment assignments: one file in the state folder, to which rows are only ever added.

Belongs here: the file's shape, making it before the first refresh, adding what a published version assigned.
Does not belong here: who is assigned what (models/marts/treatments/treatment_assignments.sql).

dbt reads the file as a source. It is written only after the link `published` was switched, so a refresh that fails
draws nothing; where a refresh is stopped between the two, the next one adds the rows from the published version first.
Going back to an earlier version changes nothing here: what was drawn stays drawn.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration import memory
from orchestration.settings import Settings
from orchestration.storage.files import sync, write_atomically
from orchestration.storage.versions import PARQUET_FOLDER, is_demo_version, published_version

TABLE = "treatment_assignments"
STATE_NAME = f"{TABLE}.parquet"
KEY = ("is_demo", "scheme", "member_id", "treatment_id")
SCHEMA = pa.schema(
    [
        ("scheme", pa.string()),
        ("member_id", pa.string()),
        ("treatment_id", pa.string()),
        ("segment", pa.string()),
        ("arm", pa.string()),
        ("assigned_on", pa.date32()),
        ("share_treated", pa.float64()),
        ("origin", pa.string()),
        ("is_eligible", pa.bool_()),
        ("segments", pa.string()),
        ("is_demo", pa.bool_()),
        # Null in rows that were written before there were the arms uniform and programme.
        ("sends_treatment_id", pa.string()),
        ("share_uniform", pa.float64()),
        ("share_programme", pa.float64()),
    ]
)
# In the file's own metadata: the last refresh whose rows are in it.
_NOTED = b"segments_in_use.refresh_id"


def state_file(settings: Settings) -> Path:
    """Where assignments are remembered."""
    return settings.state_dir / STATE_NAME


def prepare_state(settings: Settings) -> None:
    """See that the file is there, and holds what the published version assigned; mostly there is nothing to do."""
    path = state_file(settings)
    if not path.is_file():
        sink = pa.BufferOutputStream()
        pq.write_table(SCHEMA.empty_table(), sink)
        write_atomically(path, sink.getvalue().to_pybytes())
    elif not set(SCHEMA.names) <= set(pq.read_schema(path).names):
        # A file of an earlier version: the same rows, with nulls for what was not remembered then.
        noted = noted_refresh(path)
        _write(path, read_state(path).replace_schema_metadata({_NOTED: noted.encode()} if noted else None))
    version = published_version(settings)
    if version is not None and version.name > noted_refresh(path):
        note_assignments(settings, version)


def read_state(path: Path) -> pa.Table:
    """The rows of a state file of this or an earlier version, with all columns of SCHEMA."""
    return _with_columns(pq.read_table(path))


def _with_columns(table: pa.Table) -> pa.Table:
    """A table with the columns of SCHEMA, in its order; null where the table lacks one."""
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def noted_refresh(path: Path) -> str:
    """Id of the last refresh whose assignments are in the file, '' before the first; ids sort by time."""
    metadata = pq.read_schema(path).metadata or {}
    return metadata.get(_NOTED, b"").decode()


def note_assignments(settings: Settings, version: Path) -> int:
    """Add the assignments of a published version that are not in the file yet; rows that are there stay as they are.

    Returns:
        How many were added.
    """
    published = version / PARQUET_FOLDER / STATE_NAME
    if not published.is_file():
        return 0
    path = state_file(settings)
    columns = [name for name in SCHEMA.names if name != "is_demo"]
    with memory.connect(warehouse=settings.warehouse_dir) as con:
        con.register("known", read_state(path) if path.is_file() else SCHEMA.empty_table())
        # A version that an earlier release published lacks the newest columns.
        con.register("published", _with_columns(pq.read_table(published)))
        new = con.execute(
            f"""
            select {", ".join(columns)}, cast(? as boolean) as is_demo
            from published
            where not exists (
                select 1 from known
                where {" and ".join(f"known.{c} = published.{c}" for c in KEY if c != "is_demo")} and known.is_demo = ?
            )
            order by scheme, member_id, treatment_id
            """,
            [is_demo_version(version), is_demo_version(version)],
        ).to_arrow_table()
        known = con.execute("select * from known").to_arrow_table()
    table = pa.concat_tables([_with_columns(known), _with_columns(new)])
    noted = max(version.name, noted_refresh(path) if path.is_file() else "")
    _write(path, table.replace_schema_metadata({_NOTED: noted.encode()}))
    return int(new.num_rows)


def _write(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.writing")
    pq.write_table(table, beside, compression="zstd")
    sync(beside)
    beside.replace(path)
    sync(path.parent)
