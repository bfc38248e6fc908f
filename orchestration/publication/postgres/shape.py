"""A published version's tables and views as PostgreSQL has them: types, keys, comments, and rows as COPY takes them.

Belongs here: reading the version's own database (it says everything, so that an old version can be published again
whatever the project looks like by then), mapping types, translating the SQL of its views.
Does not belong here: talking to a server.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv

from orchestration import memory
from orchestration.storage.sql import literal, quoted

# Rows of one write: some megabytes of text with the widest table; more makes it no faster, and costs memory.
BATCH_ROWS = 20_000
LONGEST_NAME = 63
# DuckDB's type -> PostgreSQL's, where the one holds every value of the other.
_TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "numeric(39,0)",
    "UTINYINT": "smallint",
    "USMALLINT": "integer",
    "UINTEGER": "bigint",
    "UBIGINT": "numeric(20,0)",
    "UHUGEINT": "numeric(39,0)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    # PostgreSQL counts microseconds.
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "INTERVAL": "interval",
    "UUID": "uuid",
    "JSON": "json",
    "VARCHAR": "text",
}
_LIST = re.compile(r"(.+)\[\d*\]")
# DuckDB's functions that make an interval of a number -> the unit.
_INTERVALS = {f"to_{unit}s": unit.upper() for unit in ("second", "minute", "hour", "day", "week", "month", "year")}
_KEY = re.compile(r"Key: ([^.]+)\.$")


class ShapeError(ValueError):
    """The version's database holds something that cannot be had in PostgreSQL; the text names it."""


@dataclass(frozen=True)
class Column:
    """A column: its name, DuckDB's type, whether it is never null, and its comment."""

    name: str
    type: str
    is_required: bool = False
    comment: str | None = None


@dataclass(frozen=True)
class Relation:
    """A table with its columns and keys, or, with `select`, a view as DuckDB's SQL.

    `references`: of each foreign key its columns, the other table, and that one's columns.
    """

    name: str
    columns: tuple[Column, ...]
    comment: str | None = None
    key: tuple[str, ...] = ()
    select: str | None = field(default=None, repr=False)
    references: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = ()


def postgres_type(duckdb_type: str) -> str:
    """PostgreSQL's type for a DuckDB type; what has no counterpart (struct, map, union) is JSON, the rest text."""
    if duckdb_type in _TYPES:
        return _TYPES[duckdb_type]
    if duckdb_type.startswith("DECIMAL("):
        return duckdb_type.replace("DECIMAL", "numeric").replace(" ", "")
    if duckdb_type.startswith(("STRUCT", "MAP", "UNION")) and not _LIST.fullmatch(duckdb_type):
        return "json"
    if duckdb_type == "BLOB":
        return "bytea"
    inner = _LIST.fullmatch(duckdb_type)
    if inner:
        # A list of lists may be ragged, which no array of PostgreSQL is.
        simple = inner[1] in _TYPES or inner[1].startswith("DECIMAL(")
        return f"{postgres_type(inner[1])}[]" if simple else "json"
    return "text"


def as_text(column: Column) -> str:
    """SQL that makes a column the text that COPY reads into its type in PostgreSQL."""
    name = quoted(column.name)
    kind = postgres_type(column.type)
    if kind == "bytea":
        return f"'\\x' || lower(hex({name}))"
    if kind == "json" and column.type != "JSON":
        return f"cast(to_json({name}) as varchar)"
    if kind.endswith("[]"):
        # Each element in quotes, so that commas, braces and the word NULL are what they were.
        element = r"""replace(replace(replace(cast(x as varchar), chr(0), ''), '\', '\\'), '"', '\"')"""
        element = f"""case when x is null then 'NULL' else '"' || {element} || '"' end"""
        return f"'{{' || array_to_string(list_transform({name}, lambda x: {element}), ',') || '}}'"
    written = f"cast({name} as varchar)"
    # The one character that PostgreSQL's texts cannot hold.
    return f"replace({written}, chr(0), '')" if kind in ("text", "json") else written


def relations(con: duckdb.DuckDBPyConnection) -> list[Relation]:
    """The tables of a version's database, then its views, each by name.

    Raises:
        ShapeError: a table has no key, or a name is longer than PostgreSQL's.
    """
    columns: dict[str, list[Column]] = {}
    for table, name, kind, nullable, comment in con.execute(
        "select table_name, column_name, data_type, is_nullable, comment from duckdb_columns()"
        " where schema_name = 'main' and not internal order by table_name, column_index"
    ).fetchall():
        columns.setdefault(table, []).append(Column(name, kind, not nullable, comment))
    keys = dict(
        con.execute(
            "select table_name, constraint_column_names from duckdb_constraints() where constraint_type = 'PRIMARY KEY'"
        ).fetchall()
    )
    references: dict[str, list[tuple[tuple[str, ...], str, tuple[str, ...]]]] = {}
    for name, own, other, others in con.execute(
        "select table_name, constraint_column_names, referenced_table, referenced_column_names"
        " from duckdb_constraints() where constraint_type = 'FOREIGN KEY' order by table_name, constraint_index"
    ).fetchall():
        references.setdefault(name, []).append((tuple(own), other, tuple(others)))
    found = []
    for name, comment in con.execute(
        "select table_name, comment from duckdb_tables() where schema_name = 'main' and not internal order by 1"
    ).fetchall():
        # A large table has no index of its key in the file; its comment says it.
        said = _KEY.search(comment or "")
        key = keys.get(name) or (said[1].split(", ") if said else ())
        if not key:
            raise ShapeError(f"{name}: the published file does not say its key; refresh once with this release")
        told = tuple(references.get(name, ()))
        found.append(Relation(name, tuple(columns[name]), comment, tuple(key), references=told))
    for name, comment, sql in con.execute(
        "select view_name, comment, sql from duckdb_views() where schema_name = 'main' and not internal order by 1"
    ).fetchall():
        found.append(Relation(name, tuple(columns.get(name, ())), comment, select=sql))
    for relation in found:
        for identifier in (relation.name, *(c.name for c in relation.columns)):
            if len(identifier.encode()) > LONGEST_NAME:
                raise ShapeError(
                    f"{relation.name}: the name {identifier} has more than {LONGEST_NAME} bytes, PostgreSQL's longest; "
                    "give the scheme or column a shorter one"
                )
    return found


def create_table(table: Relation, schema: str) -> str:
    """`create table`, without the key, which is made when the rows are there."""
    lines = [
        f"{quoted(c.name)} {postgres_type(c.type)}{' not null' if c.is_required or c.name in table.key else ''}"
        for c in table.columns
    ]
    return f"create table {quoted(schema)}.{quoted(table.name)} (\n    " + ",\n    ".join(lines) + "\n)"


def comments(relation: Relation, schema: str) -> list[str]:
    """`comment on` statements of a table or view and its columns."""
    target = f"{quoted(schema)}.{quoted(relation.name)}"
    said = [("view" if relation.select else "table", target, relation.comment)]
    said += [("column", f"{target}.{quoted(c.name)}", c.comment) for c in relation.columns]
    return [f"comment on {what} {name} is {literal(words)}" for what, name, words in said if words]


def csv_batches(con: duckdb.DuckDBPyConnection, table: Relation, batch_rows: int = BATCH_ROWS) -> Iterator[bytes]:
    """A table's rows as CSV without a header, some at a time; null is an empty cell, an empty text is `""`."""
    selected = ", ".join(f"{as_text(c)} as {quoted(c.name)}" for c in table.columns)
    reader = con.execute(f"select {selected} from {quoted(table.name)}").to_arrow_reader(batch_rows)
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    for batch in reader:
        out = io.BytesIO()
        pyarrow.csv.write_csv(pa.Table.from_batches([batch]), out, options)
        yield out.getvalue()


def translated(view: Relation, schema: str) -> str:
    """The select of a view in PostgreSQL's SQL, over the tables of `schema`.

    Raises:
        ShapeError: it cannot be read.
    """
    import sqlglot
    from sqlglot import exp

    assert view.select is not None
    try:
        statement = sqlglot.parse_one(view.select, read="duckdb")
        select = statement.expression if isinstance(statement, exp.Create) else statement
        for function in list(select.find_all(exp.Func)):
            replacement = _counterpart(function)
            if replacement is not None:
                function.replace(replacement)
        select = _without_qualify(select)
        with_names = {cte.alias for cte in select.find_all(exp.CTE)}
        for table in select.find_all(exp.Table):
            if table.name and table.name not in with_names:
                table.set("catalog", None)
                table.set("db", exp.to_identifier(schema, quoted=True))
        return select.sql(dialect="postgres")
    except sqlglot.errors.SqlglotError as error:
        raise ShapeError(f"{view.name}: its SQL cannot be translated ({str(error).splitlines()[0]})") from None


def _counterpart(function: Any) -> Any:
    """A call of a function that PostgreSQL lacks as an expression that it has; None where it may stay.

    Among them the names that DuckDB gives to count(*) and to `interval 31 day` in the SQL that it keeps.
    """
    from sqlglot import exp

    name = (function.name if isinstance(function, exp.Anonymous) else function.sql_name()).lower()
    if name == "count_star":
        return exp.Count(this=exp.Star())
    if name in _INTERVALS:
        argument = function.expressions[0] if isinstance(function, exp.Anonymous) else function.this
        interval = exp.Interval(this=exp.Literal.string("1"), unit=exp.var(_INTERVALS[name]))
        return exp.Paren(this=exp.Mul(this=argument.copy(), expression=interval))
    if isinstance(function, exp.Round) and function.args.get("decimals"):
        # Only numerics are rounded to digits.
        numeric = exp.cast(function.this.copy(), "decimal")
        rounded = exp.Round(this=numeric, decimals=function.args["decimals"].copy())
        return exp.cast(rounded, "double")
    if isinstance(function, exp.AnyValue):
        return exp.Min(this=function.this.copy())
    return None


def _without_qualify(select: Any) -> Any:
    """The same select with each `qualify` as a condition on a select around it."""
    from sqlglot import exp

    for inner in list(select.find_all(exp.Select)):
        qualify = inner.args.get("qualify")
        if qualify is None:
            continue
        names = [projection.alias_or_name for projection in inner.expressions]
        bare = inner.copy()
        bare.set("qualify", None)
        bare = bare.select(exp.alias_(exp.Paren(this=qualify.this.copy()), "is_kept"))
        outer = exp.select(*(exp.column(name, quoted=True) for name in names))
        outer = outer.from_(bare.subquery("unqualified")).where(exp.column("is_kept"))
        if inner is select:
            select = outer
        else:
            inner.replace(outer)
    return select


def open_version(version: Path) -> duckdb.DuckDBPyConnection:
    """A version's database, read-only."""
    from orchestration.storage.versions import DATABASE_NAME

    return memory.connect(version / DATABASE_NAME, read_only=True)
