"""The report as people meet it: on a desk, on a phone, in the dark, on paper, by keyboard, opened from disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.audit.told import Problem, Told
from orchestration.report import write_report
from tests.unit.report.conftest import TABLES
from tests.unit.report.test_large_shops import LARGE, PAY

WIDTHS = (1440, 1024, 390)
TOLD = Told(9, 1, 0, (Problem("a_rule on a_table", "3 rows. What to do about them."),))


def written(folder: Path, *tables: str, language: str = "en") -> Path:
    with duckdb.connect(str(folder / "segments.duckdb")) as con:
        for sql in tables:
            con.execute(sql)
    target = folder / f"{folder.name.rstrip('0123456789')}.html"
    write_report(folder / "segments.duckdb", target, TOLD, language=language)
    return target


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on the hand-made shop."""
    return written(tmp_path_factory.mktemp("small"), TABLES, PAY)


@pytest.fixture(scope="module")
def russian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on the hand-made shop, in Russian."""
    return written(tmp_path_factory.mktemp("russian"), TABLES, PAY, language="ru")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on a shop with many long names."""
    return written(tmp_path_factory.mktemp("large"), TABLES, PAY, LARGE)


@contextmanager
def opened(
    chromium: Any, report: Path, width: int = 1440, theme: str = "light", anchor: str = "", free: bool = False
) -> Iterator[Any]:
    """The report in a window of its own. Whatever it says on the console or asks of a network is an error.

    `free` lets a test add a script of its own (axe), which the page itself forbids.
    """
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=free, offline=True
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith("file:") else said.append(asked.url))
    page.goto(report.as_uri() + anchor)
    try:
        yield page
        assert said == []
    finally:
        context.close()


def anchors(page: Any) -> list[str]:
    """Every page of the navigation, and one scheme."""
    found: list[str] = page.evaluate("[...document.querySelectorAll('article.page')].map(a => a.id)")
    schemes = [anchor for anchor in found if anchor.startswith("scheme-")]
    return [anchor for anchor in found if anchor not in schemes[1:]]


def assert_nothing_sticks_out(page: Any, anchor: str) -> None:
    """With every fold open, what is wider than the page stands in a box that scrolls by itself."""
    page.evaluate("document.querySelectorAll('article:not([hidden]) details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), anchor
    outside = page.evaluate(
        """[...document.querySelectorAll('article:not([hidden]) *')].filter(e => !e.closest('.scroll')
        && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert outside == [], anchor


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways_and_none_complains(
    chromium: Any, report: Path, shots: Path, width: int, theme: str
) -> None:
    with opened(chromium, report, width, theme) as page:
        for anchor in anchors(page):
            page.goto(f"{report.as_uri()}#{anchor}")
            assert_nothing_sticks_out(page, anchor)
            page.screenshot(path=shots / f"{report.stem}-{anchor}-{width}-{theme}.png")


def test_the_page_in_another_language_fits_a_phone_and_its_script_speaks_it(
    chromium: Any, russian: Path, shots: Path
) -> None:
    with opened(chromium, russian, 390) as page:
        for anchor in anchors(page):
            page.goto(f"{russian.as_uri()}#{anchor}")
            assert_nothing_sticks_out(page, anchor)
            page.screenshot(path=shots / f"russian-{anchor}-390.png")
        page.goto(f"{russian.as_uri()}#front")
        assert re.match(r"на сегодня данным \d", page.inner_text("[data-as-of]"))
        cut = page.eval_on_selector_all(
            "#front table.strip th .brief", "labels => labels.filter(l => l.scrollWidth > l.parentNode.clientWidth + 1)"
        )
        assert cut == []


@pytest.mark.parametrize("width", [1440, 390])
def test_long_names_and_many_segments_stay_within_the_page(chromium: Any, large: Path, shots: Path, width: int) -> None:
    with opened(chromium, large, width) as page:
        for anchor in ("front", "schemes", "scheme-wide", "selling", "movement"):
            page.goto(f"{large.as_uri()}#{anchor}")
            assert_nothing_sticks_out(page, anchor)
            page.screenshot(path=shots / f"{large.stem}-{anchor}-{width}.png")


def test_the_front_page_of_a_desk_is_one_screen(chromium: Any, report: Path, large: Path, russian: Path) -> None:
    for file in (report, large, russian):
        with opened(chromium, file) as page:
            assert page.evaluate("document.documentElement.scrollHeight") <= 900


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(chromium: Any, report: Path, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(chromium, report, 1024, theme, free=True) as page:
        for anchor in anchors(page):
            page.goto(f"{report.as_uri()}#{anchor}")
            page.evaluate("document.querySelectorAll('article:not([hidden]) details').forEach(d => d.open = true)")
            found = Axe().run(page).response["violations"]
            serious = [
                (finding["id"], finding["nodes"][0]["html"][:120])
                for finding in found
                if finding["impact"] in ("serious", "critical")
            ]
            assert serious == [], anchor


def comes(page: Any, anchor: str) -> bool:
    """Whether the page of that place comes into view, and it alone."""
    page.wait_for_function("anchor => !document.getElementById(anchor).hidden", arg=anchor, timeout=5000)
    return visible(page) == [anchor]


def visible(page: Any) -> list[str]:
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('article.page')].filter(a => !a.hidden).map(a => a.id)"
    )
    return found


def test_links_lead_to_one_page_and_the_back_button_returns(chromium: Any, report: Path) -> None:
    with opened(chromium, report) as page:
        assert comes(page, "front")
        page.click("nav.contents a[data-page=movement]")
        assert comes(page, "movement")
        assert page.get_attribute("nav.contents a[data-page=movement]", "aria-current") == "page"
        page.click("nav.contents a[data-page=schemes]")
        page.click("#schemes a[href='#scheme-rfm']")
        assert comes(page, "scheme-rfm")
        page.go_back()
        assert comes(page, "schemes")
        page.go_back()
        assert comes(page, "movement")
        page.go_back()
        assert comes(page, "front")


def test_a_link_to_a_part_opens_its_page(chromium: Any, report: Path) -> None:
    with opened(chromium, report, anchor="#gaps") as page:
        assert comes(page, "selling")
    with opened(chromium, report, anchor="#no-such-place") as page:
        assert comes(page, "front")


def test_links_and_folds_answer_to_the_keyboard(chromium: Any, report: Path) -> None:
    with opened(chromium, report) as page:
        page.focus("nav.contents a[data-page=quality]")
        page.keyboard.press("Enter")
        assert comes(page, "quality")
        page.focus("#definitions summary")
        page.keyboard.press("Enter")
        assert page.evaluate("document.querySelector('#definitions details').open")
        page.goto(f"{report.as_uri()}#selling")
        page.focus("#affinities thead button")
        page.keyboard.press("Enter")
        assert page.get_attribute("#affinities thead th", "aria-sort") == "ascending"


def test_a_table_is_sorted_by_number_and_by_name(chromium: Any, report: Path) -> None:
    with opened(chromium, report, anchor="#scheme-rfm-who") as page:
        table = "#scheme-rfm-who table"

        def firsts(column: int) -> list[str]:
            found: list[str] = page.eval_on_selector_all(
                f"{table} tbody tr", f"rows => rows.map(row => row.cells[{column}].querySelector('.v').textContent)"
            )
            return found

        page.click(f"{table} thead th:nth-child(2) button")
        assert firsts(1) == ["1,200", "600", "150", "50"]
        page.click(f"{table} thead th:nth-child(2) button")
        assert firsts(1) == ["50", "150", "600", "1,200"]
        page.click(f"{table} thead th:nth-child(1) button")
        assert firsts(0)[0].startswith("<script>")


def test_a_long_table_is_searched(chromium: Any, large: Path) -> None:
    with opened(chromium, large, anchor="#schemes") as page:
        page.fill("#schemes input.search", "rfm")
        shown = page.eval_on_selector_all("#schemes tbody tr", "rows => rows.filter(r => !r.hidden).length")
        assert shown == 1


def test_any_two_treatments_stand_side_by_side(chromium: Any, large: Path) -> None:
    with opened(chromium, large, anchor="#scheme-wide-treatments") as page:
        cards = "#scheme-wide-treatments .card"
        assert page.eval_on_selector_all(cards, "cards => cards.filter(c => !c.hidden).length") == 2
        page.select_option("#scheme-wide-treatments select >> nth=1", "4")
        shown = page.eval_on_selector_all(cards, "cards => cards.map((c, i) => c.hidden ? -1 : i).filter(i => i >= 0)")
        assert shown == [0, 4]


def paper_pages(chromium: Any, report: Path, target: Path) -> int:
    with opened(chromium, report, anchor="#selling") as page:
        page.pdf(path=target, prefer_css_page_size=True, print_background=True)
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", target.read_bytes()))


def test_the_paper_version_is_the_front_page_and_a_compact_page_a_question(
    chromium: Any, report: Path, shots: Path
) -> None:
    assert paper_pages(chromium, report, shots / f"{report.stem}.pdf") <= 12


@pytest.mark.demo
def test_the_demo_is_one_screen_twelve_sheets_and_three_megabytes(
    chromium: Any, demo_refresh: Path, shots: Path
) -> None:
    report = shots / "demo.html"
    write_report(demo_refresh / "published" / "segments.duckdb", report, TOLD)
    assert report.stat().st_size < 3_000_000
    assert paper_pages(chromium, report, shots / "demo.pdf") <= 12
    for width in WIDTHS:
        with opened(chromium, report, width) as page:
            assert width < 1440 or page.evaluate("document.documentElement.scrollHeight") <= 900
            for anchor in anchors(page):
                page.goto(f"{report.as_uri()}#{anchor}")
                assert page.evaluate("document.documentElement.scrollWidth") <= width, anchor
                page.screenshot(path=shots / f"demo-{anchor}-{width}.png", full_page=True)
