"""Shops of all sizes: many segments, long names, other scripts; shops without this and that."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from tests.support.page_reader import change, report, written

LONG = (
    "A name of a hundred and twenty characters that somebody's marketing found it necessary to give "
    "to a segment of theirs, yes"
)
# 40 schemes; one of 500 segments with pairs of every two, others in other scripts; 300 categories; long names without a
# space, so that nothing can break them but the page.
LARGE = f"""
insert into scheme_scorecard
select 'scheme_' || i, 1000, 1, 0.1, 'spend', 0.001, 0.1, 1, 0.5, 2, 'unproven', 'in use', 'w' from range(38) as r(i);
insert into scheme_scorecard values ('wide', 5000, 1, 0.1, 'spend', 0.001, 0.1, 1, 1, 3, 'yes', 'in use', 'w');
insert into segments
select 'scheme_' || i, 's' || j, case j when 1 then '{LONG.replace("'", "''")}'
    when 2 then 'العملاء الذين يشترون كثيرا في عطلة نهاية الأسبوع' when 3 then 'Покупатели выходного дня'
    else repeat('Wide', 30) end,
    'd', j, 'observed', 250, 0.25, 1e9 + j, 0.25, 'mass', null
from range(38) as r(i), range(1, 5) as q(j);
insert into segments
select 'wide', 'w' || j, repeat('Segment', 17) || j, 'd' || j, j, 'observed', 10, 0.002, 500 - j, 0.002, 'niche', 'w1'
from range(500) as q(j);
insert into treatment_distinctness
select 'wide', least('w' || i, 'w' || j), greatest('w' || i, 'w' || j), 'message', '', 1
from range(500) as r(i), range(500) as q(j) where i < j;
insert into treatment_delivery
select 'wide', least('w' || i, 'w' || j), greatest('w' || i, 'w' || j), 100, 100, 0.9, 0.8, 1, 2,
    0.4, 0.001, 0.001, 0.9, 'treated differently'
from range(60) as r(i), range(60) as q(j) where i < j;
insert into treatments (treatment_id, template_id, scheme, segment, channel, message)
select 'w' || j, 'w' || j, 'wide', 'w' || j, 'app', repeat('Message', 40) || j from range(500) as q(j);
insert into segment_profiles
select 'wide', 'w' || j, 'spend', 1e8 * j, 1e9, 0.1 * j from range(500) as q(j);
insert into occasion_matrix
select 'wide', 'w' || j, 'occasion_' || o, 10, 100 + j * o, 9e6, 0.5, 0.001, 0.001, true
from range(500) as q(j), range(9) as r(o);
insert into segment_migrations
select 'wide', '2026-02-01', '2026-03-01', 'w' || j, 'w' || (j + 1) % 500, 50 from range(500) as q(j);
insert into segment_months
select 'wide', 'w' || j, m, 10 + j, 1, 1, 1e6 * j
from range(500) as q(j), range(date '2024-03-01', date '2026-03-01', interval 1 month) as r(m);
insert into product_affinities
select 'category', 'basket', 'ANTECEDENT' || repeat('LONG', 27) || i, 'CONSEQUENT' || repeat('LONG', 27) || j, 9000,
    900, 900, 400, 0.4, 9, 2 + i / 10, 0 from range(300) as r(i), range(3) as q(j);
insert into next_best_offers
select 'x' || i || '_' || j, 1, 'category', 'CATEGORY' || repeat('LONG', 28) || i, 1, 'BECAUSE' || repeat('LONG', 28),
    null, 9 from range(300) as r(i), range(6) as q(j);
insert into cross_sell_gaps
select 'x' || j, 1, 'category', 'BECAUSE' || repeat('LONG', 28) || i, 9, null, 'GAP' || repeat('LONG', 28),
    9, 9, 99, 9, 1e7 from range(300) as r(i), range(6) as q(j);
create table customer_segments (scheme varchar, member_id varchar, segment varchar, as_of date);
insert into customer_segments
select 'wide', 'x' || i || '_' || j, 'w' || i, '2026-03-01' from range(300) as r(i), range(6) as q(j);
insert into customer_segments
select 'scheme_' || s, 'x' || i || '_' || j, 's' || (1 + i % 4), '2026-03-01'
from range(38) as p(s), range(300) as r(i), range(6) as q(j);
insert into cross_sell_gaps
select 'x' || i || '_' || j, 1, 'category', 'BOUGHT' || repeat('LONG', 28) || i, 9, null,
    'MISSED' || repeat('LONG', 28), 9, 9, 99, 90, 1e7 from range(300) as r(i), range(6) as q(j);
"""
# Everything that experiments and companies bring.
PAY = """
create table experiment_plans (scheme varchar, question varchar, arms varchar, members_needed bigint,
    members_available bigint, days bigint, effect_of_interest double, smallest_effect double, foregone_value double,
    why varchar);
insert into experiment_plans values
    ('rfm', 'dividend', 'treated by segment 1/3, uniform 1/3, holdout 1/3', 1000, 1950, 90, 1, 2, 12345, 'To learn.'),
    ('life_stage', 'pays', 'treated 1/2, holdout 1/2', 60000, 600, 99999999, 1, 9.5, null, 'To learn.');
create table segmentation_dividend (scheme varchar, experiment_id varchar, members bigint, value_one double,
    one_treatment varchar, value_by_segment double, dividend double, ci_low double, ci_high double, p_value double,
    dividend_total double, verdict varchar, why varchar);
insert into segmentation_dividend values
    ('rfm', 'e1', 900, 10, 't1', 12.5, 2.5, 1, null, 0.01, 2260000, 'segmenting pays', 'best earns more.');
create table segment_treatment_values (scheme varchar, segment varchar, experiment_id varchar, treatment_id varchar,
    members bigint, mean_value double, ci_low double, ci_high double, shrunken_value double, probability_best double);
insert into segment_treatment_values values
    ('rfm', 'best', 'e1', 't1', 400, 12, 10, 14, 11.5, 0.9), ('rfm', 'best', 'e1', 'none', 100, 9, 7, 11, 9.4, 0.1),
    ('rfm', 'tokyo', 'e1', 't1', 4, 777.77, 1, 2, 3, 0.5);
create table scheme_advice (scheme varchar, segment_a varchar, segment_b varchar, n_a bigint, n_b bigint,
    advice varchar, q_value double, why varchar);
insert into scheme_advice values
    ('rfm', 'best', 'evil', 900, 500, 'keep apart', 0.001, 'best and evil differ.'),
    ('rfm', 'best', 'tokyo', 900, 90, 'merge', 0.9, 'They are alike.'),
    ('rfm', 'evil', 'tokyo', 500, 90, 'test', 0.5, 'Nobody can tell.');
create table company_committees (company_id varchar, role varchar, role_order integer, is_covered boolean,
    is_contactable boolean, spend decimal(18, 4), readiness double, risk varchar);
insert into company_committees
select 'company-' || i, role, place, i < 9, i < 9 and role = 'initiator', 1000, 0.4,
    case when i < 9 then null else 'A risk.' end
from range(20) as c(i),
    (values ('initiator', 1), ('department_head', 2), ('finance', 3), ('signatory', 4)) as r(role, place);
"""


@pytest.fixture
def large(database: Path) -> Path:
    change(database, LARGE)
    change(database, PAY)
    return database


def test_a_large_shop_makes_a_file_of_less_than_three_megabytes(large: Path) -> None:
    page = report(large)
    assert len(page.html.encode()) < 3_000_000
    assert page.unbalanced == []
    assert len(page.part("schemes").table("Schemes and the three questions")) == 41
    assert len(page.part("scheme-wide").table("Segments of Wide")) <= 500


def test_what_to_sell_is_told_of_the_segments_shown_and_of_few_schemes(large: Path) -> None:
    """The first scheme has its table in sight, five are folded, and the front page names three segments."""
    page = report(large)
    tables = re.findall(r"What to sell to the segments of ([^<\"]*)", page.part("by-segment").html)
    assert len(set(tables)) == 6
    front = next(title for title in re.findall(r"What to sell to whom, by [^<\"]*", page.part("front").html))
    rows = page.part("front").table(front)
    assert len(rows) == 3
    assert all(len(cell) <= 90 for row in rows for cell in row)


def test_drawings_have_bounded_labels_and_sizes(large: Path) -> None:
    for drawing in re.findall(r"<svg.*?</svg>", report(large).html, re.DOTALL):
        for text in re.findall(r"<text[^>]*>([^<]*)<", drawing):
            assert len(unescape(text)) <= 30
        box = re.search(r'viewBox="0 0 (\d+) (\d+)"', drawing)
        assert box and int(box[1]) <= 600 and int(box[2]) <= 700


def test_names_of_every_script_stand_in_their_own_direction(large: Path) -> None:
    html = report(large).html
    assert "العملاء الذين يشترون كثيرا" in html and "Покупатели выходного дня" in html
    label = re.search(r"<th[^>]*>(<span[^>]*>)العملاء", html)
    assert label and 'dir="auto"' in label[1]


def test_no_sentence_of_one_shape_stands_more_than_five_times(large: Path) -> None:
    """Sentences outside of tables, on one page, with their numbers and names taken out."""
    page = report(large)
    for _, attributes in [e for e in page.elements if e[0] == "article"]:
        article = page.part(str(attributes["id"]))
        flat = re.sub(
            r"<table.*?</table>|<svg.*?</svg>|<dl>.*?</dl>|<span class=\"paper\">.*?</span>",
            " ",
            article.html,
            flags=re.DOTALL,
        )
        shapes = [
            re.sub(r"“[^”]*”|<[^>]*>|[0-9][0-9.,]*", "#", said).strip()
            for said in re.findall(r"<(?:p|li)\b[^>]*>(.*?)</(?:p|li)>", flat, re.DOTALL)
        ]
        for shape in set(shapes):
            assert shapes.count(shape) <= 5 or len(shape) < 3, shape


NOTHING_OF = {
    "touchpoints": "delete from treatment_delivery; update scheme_scorecard set delivered_distinct = null",
    "experiments": "delete from treatment_outcomes; update scheme_scorecard set pays = 'unproven'",
    "products": "delete from product_affinities; delete from cross_sell_gaps; delete from segment_affinities;"
    " delete from next_best_offers",
    "history": "delete from segment_migrations; delete from segment_months",
    "currency": "update refresh_settings set reporting_currency = null",
    "settings": "drop table refresh_settings",
    "treatments": "delete from treatments; delete from treatment_distinctness",
    "members": "update segments set members = 0, member_share = 0, spend = 0, spend_share = 0",
    "spend": "update segments set spend = null, spend_share = null, member_share = null",
}


@pytest.mark.parametrize("what", NOTHING_OF)
def test_a_shop_without_it_has_a_whole_report(database: Path, what: str) -> None:
    change(database, PAY)
    for statement in NOTHING_OF[what].split(";"):
        change(database, statement)
    page = report(database)
    assert page.unbalanced == []
    for anchor in ("front", "schemes", "movement", "selling", "pays", "quality"):
        assert page.has(anchor)
    ids = {attributes["id"] for _, attributes in page.elements if attributes.get("id")}
    hrefs = {attributes["href"] for tag, attributes in page.elements if tag == "a" and attributes.get("href")}
    assert {str(href)[1:] for href in hrefs} <= ids


TWO = """
delete from customer_profiles; delete from segment_migrations; delete from segment_behaviour;
delete from treatment_delivery; delete from treatment_outcomes; delete from product_affinities;
delete from segment_affinities; delete from audience_decisions; delete from audiences;
insert into customer_profiles values ('anna', '2026-02-01', '2026-02-02', 777.77, 5, 5),
    ('bert', '2026-02-01', '2026-02-03', 888.88, 1, 1);
update segments set members = 0, member_share = 0, spend = 0, spend_share = 0;
update segments set members = 1, member_share = 0.5, spend = 777.77, spend_share = 0.47 where segment = 'best';
update segments set members = 1, member_share = 0.5, spend = 888.88, spend_share = 0.53 where segment = 'evil';
update segment_months set members = 1, buyers = 1, orders = 1, spend = 777.77;
update segment_profiles set value = 777.77 where segment = 'best';
update segment_profiles set value = 888.88 where segment = 'evil';
update scheme_scorecard set members = 2, coverage = 1, verdict = 'unproven', pays = 'unproven', why = 'Only 2 known.',
    delivered_distinct = null, well_powered_pairs = 0, behaviour_effect = null;
update occasion_matrix set customers = 1, baskets = 1, spend = 777.77;
delete from cross_sell_gaps; delete from next_best_offers;
insert into cross_sell_gaps
select name, 1, 'category', 'BRICKS', 7, '2026-02-27', 'SAND', 300, 4, 1, 1, 777.77
from (values ('anna'), ('bert')) as c(name);
insert into next_best_offers
select name, 1, 'category', 'CEMENT', 9, 'SAND', '2026-02-27', 3 from (values ('anna'), ('bert')) as c(name);
create table customer_segments (scheme varchar, member_id varchar, segment varchar, as_of date);
insert into customer_segments values ('rfm', 'anna', 'best', '2026-03-01'), ('rfm', 'bert', 'evil', '2026-03-01');
"""


def test_a_shop_of_two_members_has_a_whole_report_that_tells_nothing_of_either(database: Path) -> None:
    for statement in TWO.split(";\n"):
        change(database, statement)
    page = report(database)
    assert page.unbalanced == []
    assert "fewer than 5 customers" in page.part("front").text
    for secret in ("anna", "bert", "777", "778", "888.88", "889", "1,667", "1,556", "Cement", "Sand"):
        assert secret not in page.text, secret


def test_values_of_segments_too_small_to_tell_are_withheld(database: Path) -> None:
    change(database, PAY)
    page = report(database).part("scheme-rfm")
    rows = page.table("Worth of treatments by segment, RFM")
    assert [row[:2] for row in rows] == [
        ["Best & first", "The treatment of Best & first, by app"],
        ["Best & first", "Nothing sent"],
    ]
    assert "777.77" not in page.html


def test_advice_is_counted_and_its_pairs_named_with_labels(database: Path) -> None:
    change(database, PAY)
    page = report(database).part("scheme-rfm-advice")
    assert "= merge 1 pair" in page.text and "≠ keep apart 1 pair" in page.text and "? test 1 pair" in page.text
    assert page.table("Advice on pairs of segments")[0] == ["Best & first", "東京 ☕ ü", "= merge", "They are alike."]


def test_a_version_of_before_everything_new_is_no_error(database: Path, tmp_path: Path) -> None:
    import duckdb

    old = tmp_path / "old.duckdb"
    duckdb.connect(str(old)).close()
    assert "No verdict turned since the" in written(database, "old.html", before=old).part("front").text
