"""Ready questions: a view `v_…` a file here, in every published database, over the published tables.

A file begins with the view's description as comment lines, then `--   column: words` for each of its columns, then the
select. Belongs here: questions that people ask again and again, with names beside ids, so that a chart needs no join.
Does not belong here: anything that computes a number that a table does not hold already (models/marts/).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.publication.ddl import in_currency
from orchestration.storage.sql import literal, quoted

FOLDER = Path(__file__).parent
_COLUMN = re.compile(r"^--   ([a-z_]+): (.+)$")


@dataclass(frozen=True)
class Question:
    """A view: its name, what it answers, its columns (name -> words), and its select."""

    name: str
    description: str
    columns: dict[str, str]
    select: str


def read_question(path: Path) -> Question:
    """The question of a file.

    Raises:
        ValueError: it has no description, or a comment line is neither a description nor a column.
    """
    words: list[str] = []
    columns: dict[str, str] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    while lines and lines[0].startswith("--"):
        line = lines.pop(0)
        column = _COLUMN.match(line)
        if column:
            columns[column[1]] = column[2]
        elif columns:
            raise ValueError(f"{path.name}: {line!r} is no column of the form `--   name: words`")
        else:
            words.append(line[2:].strip())
    if not words:
        raise ValueError(f"{path.name}: no description in its first line")
    return Question(path.stem, " ".join(words), columns, "\n".join(lines).strip())


def questions(folder: Path = FOLDER) -> list[Question]:
    """All of them, by name."""
    return [read_question(path) for path in sorted(folder.glob("v_*.sql"))]


def create_views(
    con: duckdb.DuckDBPyConnection, schema: str, asked: Sequence[Question], currency: str | None = None
) -> None:
    """Create each view in `schema` (as SQL), with its comments, which name the currency where it is known.

    Raises:
        duckdb.Error: a question asks for a table or column that is not published.
        ValueError: it describes other columns than it has.
    """
    for question in asked:
        view = f"{schema}.{quoted(question.name)}"
        con.execute(f"create view {view} as {question.select}")
        found = [row[0] for row in con.execute(f"describe {view}").fetchall()]
        if found != list(question.columns):
            raise ValueError(f"{question.name}: its columns are {', '.join(found)}; its comments name others")
        con.execute(f"comment on view {view} is {literal(in_currency(question.description, currency))}")
        for name, words in question.columns.items():
            con.execute(f"comment on column {view}.{quoted(name)} is {literal(in_currency(words, currency))}")
