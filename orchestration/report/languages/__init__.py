"""The languages of the page: one catalogue file each (`ru.po`), with the numbers and dates of the language from CLDR.

Belongs here: finding the words of a sentence in the page's language, with the right plural; marking texts that stay in
the language of the tables.
Does not belong here: what is said (pages/, words.py), the form of a number (words.py).

Sentences stand in the code in English, which is their key (gettext): `say("{a} and never {b}", a=…, b=…)`, with a
plural `many("{n} basket", "{n} baskets", 5)`, and with a context where one word has several translations
(`term("verdict", "in use")`). Words that stand in a table of the code are marked for the catalogue by `N_` and `C_`,
and said where they are shown. `python -m orchestration languages` brings the catalogues up to date
(docs/report.md).
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup

from orchestration.settings import REPORT_LANGUAGES_DIR, SOURCE_LANGUAGE, report_languages

LATIN = re.compile(r"[A-Za-z]")
# CLDR separates thousands by a no-break space in some languages: in type it is a thin one.
THIN = "\u202f"


@dataclass(frozen=True)
class Language:
    """One language: its code (`ru`, `pt_BR`), its catalogue, how it writes numbers."""

    code: str
    locale: Locale
    catalogue: gettext.NullTranslations
    point: str
    group: str

    @property
    def tag(self) -> str:
        """The code as HTML wants it."""
        return self.code.replace("_", "-")

    @property
    def is_source(self) -> bool:
        """Whether it is the one that the code and the published tables are written in."""
        return self.code.split("_")[0] == SOURCE_LANGUAGE


class Foreign(str):
    """A text that stays as it is in every language: `en` for one that the project wrote into the tables, empty for a
    name from the data, of which nobody knows the language."""

    lang: str

    def __new__(cls, text: str, lang: str = "") -> Foreign:
        made = super().__new__(cls, text)
        made.lang = lang
        return made


@cache
def read(code: str) -> Language:
    """The language of a catalogue file.

    Raises:
        ValueError: there is no such file; the text names the languages that there are.
    """
    if code not in report_languages():
        raise ValueError(f"{code}: no such language of the report; there are {', '.join(report_languages())}")
    compiled = BytesIO()
    with (REPORT_LANGUAGES_DIR / f"{code}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    locale = Locale.parse(code)
    symbols = locale.number_symbols["latn"]
    group = symbols["group"]
    return Language(
        code,
        locale,
        gettext.GNUTranslations(compiled),
        symbols["decimal"],
        THIN if group == "\u00a0" else group,
    )


_current: ContextVar[Language | None] = ContextVar("language", default=None)


def current() -> Language:
    """The language in which everything is said now."""
    return _current.get() or read(SOURCE_LANGUAGE)


@contextmanager
def using(code: str) -> Iterator[Language]:
    """Say everything in this language for the time of a `with`."""
    token = _current.set(read(code))
    try:
        yield current()
    finally:
        _current.reset(token)


def N_(text: str) -> str:
    """Marks a text for the catalogue that is said elsewhere, by `say`."""
    return text


def C_(context: str, text: str) -> str:
    """Marks a word for the catalogue that is said elsewhere, by `term`."""
    return text


def _filled(text: str, values: dict[str, Any]) -> str:
    """A sentence with its values. HTML among them makes it HTML, in which all others are escaped."""
    shown = {name: mark(value) for name, value in values.items()}
    if any(isinstance(value, Markup) for value in shown.values()):
        return Markup(text).format(**shown)
    return text.format(**shown) if shown else text


def say(text: str, /, **values: Any) -> str:
    """The sentence in the page's language."""
    return _filled(current().catalogue.gettext(text), values)


def many(one: str, other: str, number: Any, /, **values: Any) -> str:
    """The sentence in the form that its number needs; `{n}` is the number as written."""
    known = 0 if number is None else abs(float(number))
    text = current().catalogue.ngettext(one, other, round(known))
    if "n" not in values:
        values["n"] = "–" if number is None else digits(f"{float(number):,.0f}")
    return _filled(text, values)


def term(context: str, text: str) -> str:
    """A word in the page's language; one that the catalogue has not stays as it is."""
    return current().catalogue.pgettext(context, text)


def name(context: str, text: str) -> str:
    """A name from the data: translated where the catalogue has it, as those that the project ships; else `Foreign`."""
    found = current().catalogue.pgettext(context, text)
    return Foreign(text) if found == text else found


def mark(text: Any) -> Any:
    """A text that is in another language than the page, marked so for whoever reads it aloud."""
    if not isinstance(text, Foreign) or current().is_source or not LATIN.search(text):
        return text
    return Markup('<span lang="{}">{}</span>').format(text.lang, str(text))


def plain(text: Any) -> str:
    """A text without its marks, for places that hold no HTML: attributes, drawings."""
    return text.striptags() if isinstance(text, Markup) else str(text)


def joined(separator: str, parts: Iterable[str]) -> str:
    """Parts in a row, of which any may be HTML or in another language."""
    shown = [mark(part) for part in parts]
    if any(isinstance(part, Markup) for part in shown):
        return Markup(separator).join(shown)
    return separator.join(shown)


def digits(number: str) -> str:
    """1,234.5 -> 1 234,5: a number of Python's with the separators of the language."""
    language = current()
    return number if language.is_source else number.translate({44: language.group, 46: language.point})


def dated(value: Any, pattern: str) -> str:
    """A date by a pattern of CLDR, which the catalogue may change: `d MMMM y`."""
    return str(format_date(value, term("date", pattern), locale=current().locale))


def plural_forms(one: str, other: str) -> dict[str, str]:
    """The sentence by plural category of CLDR, with `{n}` left in place: for the page's own script."""
    language = current()
    found: dict[str, str] = {}
    for number in range(201):
        found.setdefault(str(language.locale.plural_form(number)), many(one, other, number, n="{n}"))
    found.setdefault("other", many(one, other, 2, n="{n}"))
    return found


def catalogue_file(code: str) -> Path:
    """Where the catalogue of a language is."""
    return REPORT_LANGUAGES_DIR / f"{code}.po"
