"""A reader of the report's file: its text by page, its tables by caption, its elements."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import duckdb

from orchestration.audit.told import Told
from orchestration.report import write_report

VOID = {"meta", "link", "img", "br", "hr", "input", "base", "source"}
# Elements after which a reader sees a new word.
BREAKS = {"small", "span", "strong", "p", "li", "td", "th", "h1", "h2", "h3", "h4", "h5", "summary", "dt", "dd", "tr"}


class Page(HTMLParser):
    """The file as a reader gets it: text, elements, attributes; unbalanced elements are noted."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.texts: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(html)
        self.close()
        self.unbalanced += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in BREAKS:
            self.texts.append(" ")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and "script" not in self.open and "title" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return spaced("".join(self.texts))

    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    def part(self, anchor: str) -> Page:
        """The page or part of that place."""
        found = re.search(rf'<(article|section)[^>]*\sid="{re.escape(anchor)}".*', self.html, re.DOTALL)
        assert found, f"no place {anchor}"
        tag, depth = found[1], 0
        for end in re.finditer(rf"<(/?){tag}\b[^>]*>", found[0]):
            depth += -1 if end[1] else 1
            if not depth:
                return Page(found[0][: end.end()])
        raise AssertionError(f"{anchor} does not end")

    def has(self, anchor: str) -> bool:
        return any(attributes.get("id") == anchor for _, attributes in self.elements)

    def table(self, title: str) -> list[list[str]]:
        """The rows of the table of that caption, without its heading."""
        for found in re.findall(r"<table.*?</table>", self.html, re.DOTALL):
            if Page(re.search(r"<caption.*?</caption>", found, re.DOTALL)[0]).text == title:  # type: ignore[index]
                body = found.split("<tbody>")[1]
                return [
                    [Page(cell).text for cell in re.findall(r"<(?:td|th)\b.*?</(?:td|th)>", row, re.DOTALL)]
                    for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
                ]
        raise AssertionError(f"no table {title}")


def spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\u00a0", " ")).strip()


PAGES: dict[bytes, Page] = {}


def report(database: Path) -> Page:
    """The report on the file, written anew only if the file is not one that was reported on before."""
    content = database.read_bytes()
    if content not in PAGES:
        PAGES[content] = written(database, "report.html")
    return PAGES[content]


def written(database: Path, name: str, audit: Told | None = None, before: Path | None = None) -> Page:
    target = database.parent / "out" / name
    write_report(database, target, audit, before)
    return Page(target.read_text(encoding="utf-8"))


def change(database: Path, sql: str) -> None:
    with duckdb.connect(str(database)) as con:
        con.execute(sql)
