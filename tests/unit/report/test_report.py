"""The report says what the tables say, to everybody, and does nothing else."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from orchestration.report import write_report

VOID = {"meta", "link", "img", "br", "hr", "input", "base", "source"}


class Page(HTMLParser):
    """The page as a reader gets it: text, elements, attributes; unbalanced elements are noted."""

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
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.texts))

    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}


PAGES: dict[bytes, Page] = {}


def report(database: Path) -> Page:
    """The report on the file, written anew only if the file is not one that was reported on before."""
    content = database.read_bytes()
    if content not in PAGES:
        PAGES[content] = written(database, "report.html")
    return PAGES[content]


def written(database: Path, name: str) -> Page:
    target = database.parent / "out" / name
    write_report(database, target)
    return Page(target.read_text(encoding="utf-8"))


def change(database: Path, sql: str) -> None:
    with duckdb.connect(str(database)) as con:
        con.execute(sql)


def part(page: Page, start: str, end: str) -> str:
    """The text of the page between two headings (the last `start`, since the contents name it too)."""
    begin = page.text.rindex(start)
    return page.text[begin : page.text.index(end, begin)]


def test_each_verdict_stands_with_its_reason_and_a_sign(database: Path) -> None:
    scorecard = part(report(database), "Scorecard: is", "What the words mean")
    assert re.search(r"RFM: recency, frequency, spend\s*!\s*in the drawer\s*best and tokyo get the same\.", scorecard)
    assert re.search(r"Life stage\s*≈\s*superficial\s*No outcome differs between <family> & student\.", scorecard)


def test_the_three_questions_show_the_numbers_of_the_scorecard(database: Path) -> None:
    scorecard = part(report(database), "Scorecard: is", "What the words mean").replace("\u00a0", " ")
    assert "53.2 %of the differences in number of baskets explained (q < 0.001); 24.7 % beyond past spend" in scorecard
    assert "66.7 %of pairs of segments" in scorecard
    assert "50.0 %of the 2 pairs large enough" in scorecard
    assert "1,950 members, 97.5 % of its audience" in scorecard
    assert "3. Does it pay?yes" in scorecard


def test_headline_describes_the_last_refresh(database: Path) -> None:
    headline = part(report(database), "Segments in use", "Scorecard: is")
    for said in (
        "1 March 2026",
        "12,345rows read",
        "4rows refused",
        "77checks passed",
        "2 failed or warned",
        "3customers",
    ):
        assert said in headline
    assert "20260301T000000Z, data complete on 1 March 2026, 00:07 UTC" in headline
    assert "20260101" not in headline


def test_segment_sizes_equal_the_table(database: Path) -> None:
    sizes = part(report(database), "Best & firstThe best", "Do they behave")
    assert sizes.startswith("Best & firstThe best1,20060.0 %9,876,54378.9 %mass–observed")
    assert "東京 ☕ üÜnïcode1507.5 %45.501.1 %nicheBest & firstobserved" in sizes
    assert "Unknown502.5 %00.0 %niche–unknown" in sizes


def test_charts_are_drawn_in_the_page_with_the_shares_of_the_table(database: Path) -> None:
    page = report(database)
    drawings = re.findall(r"<svg.*?</svg>", page.html, flags=re.DOTALL)
    assert len(drawings) == 3
    for share in ("78.9%", "60.0%", "7.5%"):
        assert any(f">{share}<" in drawing for drawing in drawings)
    heat_map = next(drawing for drawing in drawings if "78 ≠" in drawing)
    assert "5 =" in heat_map and "33 ?" in heat_map


def test_both_journeys_and_the_positioning_of_a_treatment_are_shown(database: Path) -> None:
    text = report(database).text
    for said in (
        "Our value for them: First in line",
        "How we bring it: Shown a week early",
        "How we talk: Warm",
        "Channel: app",
        "Message: Taste this",
        "Offer: A box",
        "Offer is for: TEA",
        "Product: Early access",
        "Service: A named person",
    ):
        assert said in text


def test_only_treatments_valid_on_the_as_of_date_are_shown(database: Path) -> None:
    page = report(database)
    assert "An old message" not in page.html
    assert "1 treatment not valid on this day" in page.text
    assert "Without a treatment: 東京 ☕ ü." in page.text
    assert "Message: Last day" in page.text


def test_pairs_that_a_customer_cannot_tell_apart_are_named(database: Path) -> None:
    page = report(database)
    assert "A customer cannot tell apart: Best & first and 東京 ☕ ü." in page.text
    assert "wording 1 (33.3 %)" in page.text


def test_pairs_compared_by_what_was_sent_are_counted_by_verdict(database: Path) -> None:
    text = report(database).text
    assert "treated differently 1 (33.3 %)" in text
    assert "treated alike 1 (33.3 %)" in text
    assert re.search(r"\? unproven 1 \(33\.3 %\)", text)
    assert "Best & first1,10091.2 %2.03" in text


def test_behaviour_shows_effect_and_q_of_each_outcome(database: Path) -> None:
    text = report(database).text
    assert "number of baskets1,69053.2 %< 0.00124.7 %" in text
    assert "spend1,6905.2 %0.034< 0.1 %" in text


def test_a_tested_treatment_shows_uplift_and_a_void_one_says_so(database: Path) -> None:
    text = report(database).text
    assert "t1everyonespend8002003.251.50 to 5.000.0040.42" in text
    assert "t2Best & firstspend400100void" in text


def test_affinities_are_sentences_strongest_first_and_once_a_pair(database: Path) -> None:
    text = part(report(database), "What is bought together", "Next best offers")
    first = text.index(
        "Who buys TACO SHELLS buys SEASONING <&> 16 times as often as basket size alone would lead to expect, "
        "in 392 baskets"
    )
    assert "39.2 % of the 1,000 baskets with TACO SHELLS" in text
    assert first < text.index("Who buys BREAD buys MILK 1.2 times")
    assert "Who buys SEASONING" not in text
    assert "Who buys MILK" not in text


def test_affinities_leave_out_what_chance_explains(database: Path) -> None:
    assert "APART" not in report(database).text


def test_rare_pairs_give_way_to_frequent_ones(database: Path) -> None:
    change(
        database,
        """
        insert into product_affinities
        select 'category', 'basket', 'A' || i, 'B' || i, 9000, 300, 300, 150, 0.5, 3, 3 + i / 100, 0
        from range(10) as r(i);
        insert into product_affinities values ('category', 'basket', 'FLUKE', 'FREAK', 9000, 6, 6, 5, 0.9, 99, 99, 0)
        """,
    )
    text = report(database).text
    assert "FLUKE" not in text
    assert "seen in at least 100 baskets" in text


def test_offers_name_item_evidence_and_date(database: Path) -> None:
    text = report(database).text
    assert "For 3 customers there are 4 offers" in text
    assert (
        "CEMENT: the first offer for 2 customers. For one, customer c2 bought SAND 33 times, last on 2 February 2026, "
        "and never CEMENT." in text
    )
    assert (
        "PAINT: the first offer for 1 customer. For one, customer c3, of whom nothing more specific is known." in text
    )


def test_refused_rows_are_counted_by_table_and_reason_without_their_content(database: Path) -> None:
    page = report(database)
    text = part(page, "Data quality", "Small print")
    assert "4 rows refused" in text
    assert "order_linesamount: not a number3" in text
    assert "order_linesorder_id: missing1" in text
    assert "customerskind: not one of person, company1" in text
    assert "secret-value" not in page.html


def test_labels_and_messages_cannot_become_markup(database: Path) -> None:
    page = report(database)
    assert not page.tags() & {"script", "img", "b", "family", "iframe", "object", "embed", "link", "base", "form"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "<script>alert('x')</script>" in page.text
    assert "<img src=x onerror=alert(1)>" in page.text
    assert page.unbalanced == []


def test_quotes_in_ids_and_labels_stay_within_their_attribute(database: Path) -> None:
    change(
        database, """update segments set scheme = '" onload="x', label = '" onclick="y' where scheme = 'life_stage'"""
    )
    change(database, "update treatment_distinctness set segment_a = '\" onfocus=\"z' where segment_a = 'best'")
    page = report(database)
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.unbalanced == []


def test_page_refers_to_nothing_outside_itself(database: Path) -> None:
    page = report(database)
    assert "http:" not in page.html and "https:" not in page.html and "//" not in re.sub(r"/\*.*?\*/", "", page.html)
    assert "@import" not in page.html and "url(" not in page.html and "@font-face" not in page.html
    for _, attributes in page.elements:
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")


def test_every_link_of_the_contents_leads_to_one_place(database: Path) -> None:
    page = report(database)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for tag, attributes in page.elements if tag == "a" and attributes.get("href")}
    assert {"scorecard", "scheme-rfm", "scheme-life-stage", "affinities", "offers", "quality", "definitions"} <= targets
    assert targets <= set(ids)


def test_same_database_gives_the_same_bytes(database: Path) -> None:
    one, two = database.parent / "one.html", database.parent / "two.html"
    write_report(database, one)
    write_report(database, two)
    assert one.read_bytes() == two.read_bytes()


def test_order_of_rows_does_not_matter(database: Path) -> None:
    before = report(database).html
    with duckdb.connect(str(database)) as con:
        for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
            con.execute(f"create table turned as select * from {table} order by rowid desc")
            con.execute(f"drop table {table}")
            con.execute(f"alter table turned rename to {table}")
    assert report(database).html == before


def test_a_scheme_with_many_segments_shows_those_with_most_spend_and_counts_the_rest(database: Path) -> None:
    change(
        database,
        """
        insert into segments
        select
            'category_interest', 's' || i, 'Segment no. ' || i, 'd', 1, 'observed', 10, 0.01, i, i / 820.0, 'edge', null
        from range(1, 41) as r(i);
        insert into treatment_distinctness
        select 'category_interest', least('s' || i, 's' || j), greatest('s' || i, 's' || j), 'nothing', '', 1
        from range(1, 41) as r(i), range(1, 41) as q(j) where i < j
        """,
    )
    text = report(database).text
    assert "15 segments with the largest spend are shown, of 40 segments; 25 more hold 25.0 % of customers" in text
    assert "Segment no. 40" in text and "Segment no. 26" in text
    assert "and 770 more pairs" in text


def test_treatments_spelled_out_from_one_row_are_one_card(database: Path) -> None:
    change(
        database,
        """
        insert into segments
        select 'interest', 's' || i, 'No. ' || i, 'd', 1, 'observed', 10, 0.01, i, 0.01, 'edge', null
        from range(1, 21) as r(i);
        insert into treatments (treatment_id, template_id, scheme, segment, channel, message)
        select 'each_s' || i, 'each', 'interest', 's' || i, 'app', 'New in No. ' || i from range(1, 21) as r(i)
        """,
    )
    text = report(database).text
    assert text.count("New in No. ") == 1 and "New in No. 20" in text
    assert "the row each, with the segment's name filled in, serves 19 more segments" in text


def test_two_segments_with_one_label_stay_two(database: Path) -> None:
    change(database, "update segments set label = 'Same' where scheme = 'life_stage'")
    text = report(database).text
    assert "Same (2)" in text


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("scheme_scorecard", "This file holds no scorecard."),
        ("segments", "This file holds no segments of the scheme."),
        ("treatments", "This file holds no treatments."),
        ("treatment_distinctness", "This file holds no comparison of treatments."),
        ("treatment_delivery", "This file holds no comparison of what was sent."),
        ("segment_behaviour", "This file holds no comparison of behaviour."),
        ("product_affinities", "This file holds no affinities."),
        ("next_best_offers", "This file holds no offers."),
        ("quarantine", "This file holds no list of refused rows."),
        ("refreshes", "This file holds no note of the refresh that made it."),
    ],
)
def test_an_absent_table_is_said_to_be_absent(database: Path, table: str, said: str) -> None:
    assert said not in report(database).text
    change(database, f"drop table {table}")
    page = report(database)
    assert said in page.text
    assert page.unbalanced == []


def test_empty_tables_make_a_page_that_says_so(database: Path) -> None:
    with duckdb.connect(str(database)) as con:
        for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
            con.execute(f"delete from {table}")
    page = report(database)
    for said in ("The scorecard has no rows", "No two items", "There are no offers", "No row was refused"):
        assert said in page.text
    assert page.unbalanced == []


def test_a_database_without_tables_makes_a_page(tmp_path: Path) -> None:
    duckdb.connect(str(tmp_path / "segments.duckdb")).close()
    page = report(tmp_path / "segments.duckdb")
    assert "This file holds no segments." in page.text
    assert page.unbalanced == []


def test_numbers_that_are_not_there_show_as_a_dash(database: Path) -> None:
    for table in ("scheme_scorecard", "segments", "treatment_delivery", "segment_behaviour"):
        with duckdb.connect(str(database)) as con:
            columns = con.execute(
                "select column_name from duckdb_columns() where table_name = ?"
                " and data_type in ('DOUBLE', 'BIGINT', 'DATE')",
                [table],
            ).fetchall()
            for (column,) in columns:
                con.execute(f"update {table} set {column} = null")
    page = report(database)
    assert "nan" not in page.text.lower().replace("finance", "") and "None" not in page.text
    assert page.unbalanced == []


def test_control_characters_do_not_reach_the_page(database: Path) -> None:
    change(database, "update segments set label = 'A' || chr(1) || 'B' || chr(27) || 'C' where segment = 'best'")
    page = report(database)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", page.html)
    assert "A B C" in page.text


def test_a_missing_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.duckdb"):
        write_report(tmp_path / "absent.duckdb", tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_the_database_is_left_as_it_was(database: Path) -> None:
    before = database.read_bytes()
    database.chmod(0o444)
    written(database, "report.html")
    assert database.read_bytes() == before


def test_a_small_report_takes_less_than_eight_seconds(database: Path) -> None:
    started = time.monotonic()
    written(database, "report.html")
    assert time.monotonic() - started < 8


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, by WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("good", "good-bg"),
        ("warn", "warn-bg"),
        ("bad", "bad-bg"),
        ("open", "open-bg"),
        ("ink", "some"),
        ("ink", "more"),
        ("quiet", "ground"),
        ("accent", "paper"),
    ],
)
def test_text_has_the_contrast_that_readers_need(database: Path, ink: str, ground: str) -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", report(database).html))
    light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
