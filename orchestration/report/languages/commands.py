"""Bring the catalogues of the report up to date: `python -m orchestration languages [code …]`.

Every catalogue gets the messages that the code, the templates and the shipped seeds have today; translations are kept,
messages that nobody says any more go. A code that has no file yet starts one.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from orchestration.report.languages import catalogue_file
from orchestration.settings import SHIPPED_SEEDS, SOURCE_LANGUAGE, report_languages

REPORT_DIR = Path(__file__).resolve().parent.parent
METHODS = [("**.jinja", "jinja2.ext:babel_extract")]
KEYWORDS = {"say": None, "many": (1, 2)}
# Functions of the package whose first words are for the catalogue: how many of them, and what they are.
SINGLE, PLURAL, IN_CONTEXT = ("say", "N_"), ("many", "plural_forms"), ("term", "C_")
# Columns of shipped seeds whose words the page says in its own language: file, column, context.
SEED_WORDS = (
    ("segment_definitions.csv", "definition", "definition"),
    ("segment_definitions.csv", "label", "segment"),
    ("segment_schemes.csv", "description", "scheme"),
    ("buying_roles.csv", "risk_uncovered", "risk"),
    ("buying_roles.csv", "risk_not_contactable", "risk"),
)
HEADER = "# The words of the report in {language}; docs/report.md says how a language is added."
# A catalogue is a file of the checkout: its date would make it new at each update.
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def template() -> Catalog:
    """All messages, each once, in the order of the files."""
    catalogue = Catalog(project="report", creation_date=MADE, revision_date=MADE, fuzzy=False)
    for path in sorted(REPORT_DIR.rglob("*.py")):
        for context, words in code_words(path.read_text(encoding="utf-8")):
            catalogue.add(words, locations=[(path.relative_to(REPORT_DIR).as_posix(), 0)], context=context)
    for file, _, message, _, context in extract_from_dir(REPORT_DIR, METHODS, keywords=KEYWORDS):
        catalogue.add(message, locations=[(Path(file).as_posix(), 0)], context=context)
    for file, context, word in seed_words():
        catalogue.add(word, locations=[(f"seeds/{file}", 0)], context=context)
    return catalogue


def code_words(code: str) -> Iterator[tuple[str | None, str | tuple[str, str]]]:
    """Context and message of each call of the package's functions, also within each other (Babel's own reader passes
    over those)."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        words = [arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if called in SINGLE and words:
            yield None, words[0]
        elif called in PLURAL and len(words) == 2:
            yield None, (words[0], words[1])
        elif called in IN_CONTEXT and len(words) == 2:
            yield words[0], words[1]


def seed_words() -> Iterator[tuple[str, str, str]]:
    """File, context and word of each that the shipped seeds bring."""
    for file, column, context in SEED_WORDS:
        with (SHIPPED_SEEDS / file).open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                if row[column] and row[column] != "*":
                    yield file, context, row[column]


def updated(code: str) -> bytes:
    """The catalogue of a language as its file should be."""
    path = catalogue_file(code)
    found = template()
    if path.is_file():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=code)
        catalogue.update(found, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
    else:
        catalogue = Catalog(locale=code, project="report", creation_date=MADE, revision_date=MADE, fuzzy=False)
        catalogue.update(found, no_fuzzy_matching=True)
    catalogue.creation_date = catalogue.revision_date = MADE
    catalogue.header_comment = HEADER.format(language=Locale.parse(code).english_name)
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
    catalogue.version = "1"
    written = BytesIO()
    write_po(written, catalogue, width=120, include_lineno=False, omit_header=False, sort_by_file=False)
    return written.getvalue()


def main(arguments: Sequence[str]) -> int:
    """Those named, by default all that there are."""
    for code in arguments or sorted({SOURCE_LANGUAGE, *report_languages()}):
        catalogue_file(code).write_bytes(updated(code))
    return 0
