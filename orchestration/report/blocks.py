"""What a page is made of: tables, figures, facts, sentences, folds. Plain values, which the templates draw.

Belongs here: the shape of each block.
Does not belong here: what a page says (pages/), HTML (templates/), drawing (figures.py).

Texts may be `str`, which is escaped, or `Markup` that was made by `Markup.format`, which escapes what is put in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from markupsafe import Markup

Text: TypeAlias = str | Markup
# Rows of a table on paper; the rest is on the screen.
PRINTED_ROWS = 8
# From so many rows on a table can be searched.
SEARCHED_ROWS = 12


@dataclass(frozen=True)
class Cell:
    """One cell.

    `sort` is what the column is sorted by (else the text), `bar` a share 0 to 1 drawn behind a number, `css` classes of
    the cell, `note` a small line under the text, `title` what a pointer shows.
    """

    text: Text
    sort: float | str | None = None
    css: str = ""
    bar: float | None = None
    note: Text = ""
    title: str = ""


@dataclass(frozen=True)
class Column:
    """One column: its heading, a small line under it, whether it holds numbers, whether a phone can do without it,
    and the heading of a phone."""

    name: Text
    number: bool = False
    note: Text = ""
    minor: bool = False
    brief: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under columns; the first cell of a row is its heading. `more` is a line under it: what is not shown."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    more: Text = ""
    css: str = ""
    sortable: bool = True
    anchor: str = ""
    paper_rows: int = PRINTED_ROWS
    searchable: bool = True
    kind: str = field(default="table", init=False)

    @property
    def is_searched(self) -> bool:
        return self.searchable and self.sortable and len(self.rows) >= SEARCHED_ROWS

    @property
    def rows_on_screen_only(self) -> int:
        return max(0, len(self.rows) - self.printed_rows)

    @property
    def printed_rows(self) -> int:
        """Rows on paper: all of a table whose rows belong together."""
        return self.paper_rows if self.sortable else len(self.rows)


@dataclass(frozen=True)
class Figure:
    """A drawing with what it shows in words, and the same as a table."""

    svg: Markup
    caption: Text
    table: Table | None = None
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True)
class Prose:
    """A paragraph: `lead`, `plain`, `quiet`, `note` or `warn`."""

    text: Text
    tone: str = "plain"
    kind: str = field(default="prose", init=False)


@dataclass(frozen=True)
class Facts:
    """Numbers in large type: (number, what it is, a detail)."""

    items: Sequence[tuple[Text, Text, Text]]
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True)
class Items:
    """A list of short sentences."""

    items: Sequence[Text]
    kind: str = field(default="items", init=False)


@dataclass(frozen=True)
class Terms:
    """Words and their meaning."""

    items: Sequence[tuple[Text, Text]]
    kind: str = field(default="terms", init=False)


@dataclass(frozen=True)
class TreatmentCard:
    """One treatment: whom it is for, and its parts, each a heading with (field, text)."""

    label: str
    parts: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    note: Text = ""


@dataclass(frozen=True)
class Compare:
    """Cards of which a reader puts any two side by side."""

    title: str
    cards: Sequence[TreatmentCard]
    kind: str = field(default="compare", init=False)


@dataclass(frozen=True)
class Fold:
    """Detail behind one line. Closed on the screen, left out on paper; `anchor` is a place that links lead to."""

    summary: Text
    blocks: Sequence[Block]
    anchor: str = ""
    kind: str = field(default="fold", init=False)


@dataclass(frozen=True)
class Part:
    """A heading and what stands under it; `anchor` is a place that links lead to, `paper` whether it is printed."""

    heading: Text
    blocks: Sequence[Block]
    anchor: str = ""
    paper: bool = True
    kind: str = field(default="part", init=False)


Block: TypeAlias = Table | Figure | Prose | Facts | Items | Terms | Compare | Fold | Part


@dataclass(frozen=True)
class Page:
    """One page: the place that links lead to, its name in the navigation, the question it answers, its blocks.

    `parent` is the page under which it is found (it has no place of its own in the navigation then), `paper` whether it
    is printed.
    """

    anchor: str
    name: str
    question: Text
    blocks: Sequence[Block]
    parent: str = ""
    paper: bool = True
