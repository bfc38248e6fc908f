"""The page in another language: whole catalogues, plurals, numbers and dates, and nothing left in English unmarked."""

from __future__ import annotations

import re
import shutil
import string
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from babel.messages import Catalog
from babel.messages.pofile import read_po
from markupsafe import Markup

from orchestration import settings
from orchestration.audit.told import Problem, Told
from orchestration.report import languages, words, write_report
from orchestration.report.languages import Foreign, commands, many, plural_forms, say, term, using
from orchestration.settings import SOURCE_LANGUAGE, SettingsError, read_settings, report_languages
from tests.support.page_reader import VOID, Page, spaced
from tests.unit.report.test_large_shops import PAY
from tests.unit.report.test_report import PROSPECTS

TRANSLATED = [code for code in report_languages() if code != SOURCE_LANGUAGE]
TOLD = Told(9, 1, 0, (Problem("a_rule on a_table", "3 rows.\nWhat to do about them."),))


def catalogue(code: str) -> Catalog:
    with languages.catalogue_file(code).open("rb") as file:
        return read_po(file, locale=code)


# Catalogues


@pytest.mark.parametrize("code", report_languages())
def test_every_catalogue_has_the_messages_that_the_page_has_today(code: str) -> None:
    path = languages.catalogue_file(code)
    assert path.read_bytes() == commands.updated(code), (
        f"{path.name} is behind the code: python -m orchestration languages, then translate what is empty"
    )


def test_messages_within_messages_are_found() -> None:
    found = set(commands.code_words('say("a {b}", b=many("{n} c", "{n} cs", 2, d=words.term("e", "f")))\nN_("g" "h")'))
    assert found == {(None, "a {b}"), (None, ("{n} c", "{n} cs")), ("e", "f"), (None, "gh")}


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_message_is_translated_with_the_same_placeholders(code: str) -> None:
    found = catalogue(code)
    for message in found:
        if not message.id:
            continue
        sources = message.id if isinstance(message.id, tuple) else (message.id,)
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(said), message.id
        assert not message.fuzzy, message.id
        if isinstance(message.id, tuple):
            assert len(said) == found.num_plurals, message.id
        for text in said:
            assert names(text) == set().union(*map(names, sources)), (message.id, text)


# Values


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "1 день"),
        (2, "2 дня"),
        (5, "5 дней"),
        (11, "11 дней"),
        (21, "21 день"),
        (22, "22 дня"),
        (1005, "1 005 дней"),
    ],
)
def test_russian_counts_by_its_own_plurals(number: int, expected: str) -> None:
    with using("ru"):
        assert spaced(many("{n} day", "{n} days", number).replace("\u202f", " ")) == expected


def test_russian_numbers_and_dates() -> None:
    with using("ru"):
        assert words.count(1234567) == "1\u202f234\u202f567"
        assert words.money(4169616.7, "EUR") == "4,2\u00a0млн\u00a0EUR"
        assert words.money(45.5) == "45,50"
        assert words.share(0.1234) == "12,3\u00a0%"
        assert words.decimals(1234.5, 2) == "1\u202f234,50"
        assert words.q(0.0342) == "q\u00a0=\u00a00,034"
        assert words.day(date(2017, 12, 3)) == "3 декабря 2017"
        assert words.month(date(2017, 12, 3)) == "декабрь 2017"
        assert words.moment(datetime(2026, 3, 1, 4, 5)) == "1 марта 2026, 04:05 UTC"
        assert words.listed(["а", "б", "в"]) == "а, б и в"
        assert words.span(3253) == "8,9 года"
    # And nothing of it stays.
    assert words.count(1234567) == "1,234,567"


def test_the_script_of_the_page_gets_a_form_for_every_category() -> None:
    with using("ru"):
        assert plural_forms("{n} day old today", "{n} days old today").keys() == {"one", "few", "many", "other"}
    assert plural_forms("{n} day old today", "{n} days old today") == {
        "one": "{n} day old today",
        "other": "{n} days old today",
    }


def test_a_name_of_the_data_is_marked_in_a_page_of_another_language_and_nowhere_else() -> None:
    a = Foreign("BEER & <WINE>")
    assert say("Schemes: {a}", a=a) == "Schemes: BEER & <WINE>"
    with using("ru"):
        said = say("Basis: {basis}.", basis=a)
        assert said == Markup('Основа: <span lang="">BEER &amp; &lt;WINE&gt;</span>.')
        assert languages.plain(said) == "Основа: BEER & <WINE>."
        assert say("Basis: {basis}.", basis=Foreign("ПИВО")) == "Основа: ПИВО."
        assert words.published("why") == "why"
        assert languages.mark(words.published("why")) == Markup('<span lang="en">why</span>')


def test_a_word_with_several_meanings_is_told_apart_by_its_context() -> None:
    with using("ru"):
        assert term("verdict", "unproven") != term("delivery", "unproven")
        assert term("segment", "a label that nobody shipped") == "a label that nobody shipped"


# The page


class Unmarked(HTMLParser):
    """Texts of a page that stand outside of elements which name another language, and the names that are read aloud."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, bool]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append((tag, tag != "html" and "lang" in dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(marked or tag in ("style", "script", "svg") for tag, marked in self.open):
            self.texts.append(data)


# Words that are the same in Russian: a method, units of statistics, a currency, a time zone, a file.
SAME = {"RFM", "EUR", "UTC", "manifest", "json", "q", "p", "w"}


@pytest.fixture(scope="module")
def full(all_tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop with something to say on every page."""
    path = Path(shutil.copy(all_tables, tmp_path_factory.mktemp("languages") / "segments.duckdb"))
    with duckdb.connect(str(path)) as con:
        con.execute(PAY)
        con.execute("create table prospect_segments" + PROSPECTS.split("create table prospect_segments", 1)[1])
    return path


@pytest.fixture(scope="module")
def russian(full: Path) -> Page:
    target = full.parent / "ru.html"
    write_report(full, target, TOLD, full, "ru")
    return Page(target.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def english(full: Path) -> Page:
    target = full.parent / "en.html"
    write_report(full, target, TOLD, full)
    return Page(target.read_text(encoding="utf-8"))


def test_the_russian_page_says_nothing_in_english_but_what_it_marks(russian: Page) -> None:
    left = {text.strip() for text in Unmarked(russian.html).texts if set(re.findall(r"[A-Za-z]+", text)) - SAME}
    assert left == set()


def test_the_check_for_english_sees_an_english_sentence(english: Page) -> None:
    left = [text for text in Unmarked(english.html).texts if set(re.findall(r"[A-Za-z]+", text)) - SAME]
    assert len(left) > 300


def test_both_pages_have_the_same_shape_and_numbers(russian: Page, english: Page) -> None:
    shape = [(tag, attributes.get("id")) for tag, attributes in english.elements if "lang" not in attributes]
    assert [(t, a.get("id")) for t, a in russian.elements if "lang" not in a] == shape
    assert not russian.unbalanced
    assert numbers(russian) == pytest.approx(numbers(english))


def numbers(page: Page) -> list[float]:
    """What the cells of a page are sorted by, where it is a number."""
    found = [attributes.get("data-v") or "" for _, attributes in page.elements]
    return [float(value) for value in found if re.fullmatch(r"-?[\d.]+", value)]


def test_the_language_is_named_and_texts_of_the_tables_are_marked(russian: Page, english: Page) -> None:
    assert '<html lang="ru">' in russian.html and '<html lang="en">' in english.html
    assert 'lang="' not in english.html.replace('<html lang="en">', "")
    front = spaced(russian.part("front").text.replace("\u202f", " "))
    for said in (
        "На 1 марта 2026",
        "18 клиентов",
        "22,2 млн EUR выручка за последний год ▲ 10,0 % к предыдущему году",
        "Из 2 способов сегментации пока не работает ни один.",
        "RFM ! в столе ✓ да = не все",
        "Внедрите то, что доказано: 2,3 млн EUR. Разный подход к сегментам (« RFM») принёс на столько больше",
    ):
        assert said in front
    assert '<span lang="en">No outcome differs between &lt;family&gt; &amp; student.</span>' in russian.html
    assert '<span lang="">&lt;script&gt;' in russian.html
    assert "<script>alert" not in russian.html


def test_labels_that_the_project_ships_are_translated_and_others_are_not(russian: Page) -> None:
    found = [row[0] for row in russian.part("scheme-life-stage-who").table("Сегменты: Этап жизни")]
    assert [name.split()[0] for name in found] == ["Семья", "Студенты"]
    assert "Best & first" in russian.part("scheme-rfm-who").text


def test_attributes_hold_no_marks(russian: Page) -> None:
    for _, attributes in russian.elements:
        for name in ("title", "aria-label", "data-name", "data-label"):
            assert "<span" not in (attributes.get(name) or "")


# The choice


def test_a_language_that_there_is_not_stops_a_refresh_before_it_begins() -> None:
    with pytest.raises(SettingsError, match=r"REPORT_LANGUAGE=xx: .* one of en, ru"):
        read_settings({"REPORT_LANGUAGE": "xx"})
    assert read_settings({"REPORT_LANGUAGE": " ru "}).report_language == "ru"
    assert read_settings({"REPORT_LANGUAGE": ""}).report_language == SOURCE_LANGUAGE


def test_a_language_that_there_is_not_has_no_page(full: Path) -> None:
    with pytest.raises(ValueError, match="xx: no such language of the report; there are en, ru"):
        write_report(full, full.parent / "xx.html", language="xx")


def test_another_language_is_a_file(full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(languages.catalogue_file("en"), tmp_path / "en.po")
    for module in (settings, languages):
        monkeypatch.setattr(module, "REPORT_LANGUAGES_DIR", tmp_path)
    begun = commands.updated("de").decode()
    (tmp_path / "de.po").write_text(
        begun.replace('msgid "Segments in use"\nmsgstr ""', 'msgid "Segments in use"\nmsgstr "Segmente im Einsatz"'),
        encoding="utf-8",
    )
    assert read_settings({"REPORT_LANGUAGE": "de"}).report_language == "de"
    languages.read.cache_clear()
    try:
        write_report(full, tmp_path / "de.html", language="de")
    finally:
        languages.read.cache_clear()
    found = (tmp_path / "de.html").read_text(encoding="utf-8")
    assert '<html lang="de">' in found and "<h1>Segmente im Einsatz</h1>" in found
    assert "12.345" in found and "22,2" in found and "1. März 2026" not in found and "1 März 2026" in found
