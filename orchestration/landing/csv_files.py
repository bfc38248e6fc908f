"""CSV as text, twice: fast, and where that reader objects to anything or a quote is out of place, slowly, row by row.

The fast reader is Arrow's and not DuckDB's, because DuckDB 1.5.6 drops an empty field too many at the end of a row: an
unquoted comma in a name then moves every later value into its neighbour's column, in silence.

A row is torn where it has more or fewer fields than the header. It is set apart, with a digest of its fields in place
of their values: shifted by a field, a column may hold anything, also personal data.
"""

from __future__ import annotations

import csv
import hashlib
import json
import mmap
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from orchestration.landing.errors import LandingError

ROWS_AT_ONCE = 100_000
BYTES_AT_ONCE = 16 * 1024 * 1024
# A piece of a file in which each quote that begins a field has one that ends it; inside an unquoted field it is a sign.
# A repeat over a whole file remembers each step or is possessive, and Python 3.11.2 matches possessive groups wrongly.
WELL_QUOTED = re.compile(
    rb'(?:[^"]++|(?:(?<![^,\r\n])|(?<=\A\xef\xbb\xbf))"(?>(?:[^"]++|"")*)"(?=[,\r\n]|\Z)'
    rb'|(?<=[^,\r\n])(?<!\A\xef\xbb\xbf)"){1,1000}'
)


def _records(path: Path, relative: str) -> Iterator[list[str]]:
    """The file's records with at least one field, the header among them.

    Raises:
        LandingError: the file is not UTF-8, or a quote is not closed. It names the row, from 1 without the header.
    """
    csv.field_size_limit(sys.maxsize)
    row = 0
    with path.open(encoding="utf-8-sig", newline="") as lines:
        try:
            for record in csv.reader(lines, strict=True):
                if record:
                    yield record
                    row += 1
        except UnicodeDecodeError:
            raise LandingError(f"{relative}: not UTF-8, near row {max(row, 1)}") from None
        except csv.Error:
            raise LandingError(
                f"{relative}: a quote is not closed, or text follows one, in row {max(row, 1)}"
            ) from None


def read_header(path: Path, relative: str) -> list[str]:
    """The names in the first line.

    Raises:
        LandingError: there is none, or it is not UTF-8.
    """
    header = next(_records(path, relative), None)
    if header is None:
        raise LandingError(f"{relative}: empty, without a header")
    return header


def is_well_quoted(path: Path) -> bool:
    """Whether no text follows a closing quote, and every quote is closed.

    Arrow's reader would drop such quotes in silence; the slow one stops at them.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        end = 0 if data.find(b'"') >= 0 else len(data)
        while end < len(data) and (piece := WELL_QUOTED.match(data, end)):
            end = piece.end()
        return end == len(data)


def is_ascii(path: Path) -> bool:
    """Whether the file holds no character beyond ASCII; a few milliseconds for a hundred megabytes."""
    with path.open("rb") as file:
        return all(chunk.isascii() for chunk in iter(lambda: file.read(BYTES_AT_ONCE), b""))


def _schema(fields: int) -> pa.Schema:
    texts = [pa.field(f"c{i}", pa.string()) for i in range(fields)]
    return pa.schema(
        [*texts, ("source_row", pa.int64()), ("landing_problem", pa.string()), ("line_digest", pa.string())]
    )


def fast_rows(path: Path, header: list[str]) -> pa.RecordBatchReader:
    """The rows as text, in the file's order: c0 …, source_row (from 1), landing_problem and line_digest (always null).

    Raises:
        pa.ArrowInvalid: the reader objects to something, here or while the rows are read. Its message quotes the row.
    """
    rows = arrow_csv.open_csv(
        path,
        read_options=arrow_csv.ReadOptions(block_size=BYTES_AT_ONCE),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in header}, strings_can_be_null=False, check_utf8=True
        ),
    )
    if rows.schema.names != header or any(kind != pa.string() for kind in rows.schema.types):
        raise pa.ArrowInvalid("the header reads otherwise")
    schema = _schema(len(header))

    def numbered() -> Iterator[pa.RecordBatch]:
        done = 0
        for batch in rows:
            numbers = pa.array(np.arange(done + 1, done + batch.num_rows + 1))
            nothing = pa.nulls(batch.num_rows, pa.string())
            yield pa.record_batch([*batch.columns, numbers, nothing, nothing], schema=schema)
            done += batch.num_rows

    return pa.RecordBatchReader.from_batches(schema, numbered())


def slow_rows(path: Path, relative: str, fields: int, salt: str, problem: list[LandingError]) -> pa.RecordBatchReader:
    """The rows as in `fast_rows`. In a torn row the fields are null, and landing_problem and line_digest are not.

    An error (not UTF-8, a quote not closed) is appended to `problem` before it is raised: DuckDB, which pulls the rows,
    turns it into one of its own.
    """
    schema = _schema(fields)

    def judged() -> Iterator[pa.RecordBatch]:
        rows = enumerate(islice(_records(path, relative), 1, None), start=1)
        try:
            while chunk := [_judged(number, record, fields, salt) for number, record in islice(rows, ROWS_AT_ONCE)]:
                columns = zip(*chunk, strict=True)
                yield pa.record_batch(
                    [pa.array(c, t) for c, t in zip(columns, schema.types, strict=True)], schema=schema
                )
        except LandingError as error:
            problem.append(error)
            raise

    return pa.RecordBatchReader.from_batches(schema, judged())


def _judged(number: int, record: list[str], fields: int, salt: str) -> tuple[str | int | None, ...]:
    if len(record) == fields:
        return (*record, number, None, None)
    digest = hashlib.md5((salt + json.dumps(record)).encode(), usedforsecurity=False).hexdigest()
    return (*[None] * fields, number, f"torn: {len(record)} fields, the header has {fields}", digest)
