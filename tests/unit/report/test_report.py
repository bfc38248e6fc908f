"""The report says what the tables say, to everybody, and does nothing else."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from orchestration.audit.told import Problem, Told
from orchestration.report import committees, prospects, write_report
from orchestration.report.published import Published

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
    assert re.search(
        r"RFM \(recency, frequency, spend\)\s*!\s*in the drawer\s*best and tokyo get the same\.", scorecard
    )
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


def test_what_to_heed_of_a_scheme_is_said_before_its_segments(database: Path) -> None:
    text = report(database).text
    assert text.count("The shop is <10 days old.") == 1
    assert text.index("How recently and how often.") < text.index("The shop is <10 days old.") < text.index("Unknown")


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
    assert "of 3 pairs, 2 pairs are large enough to tell, and of these" in text
    assert "treated differently 1 (50.0 %)" in text
    assert "treated alike 1 (50.0 %)" in text
    assert "1 pair with too few members count neither way." in text
    assert "Best & first1,10091.2 %2.03" in text


def test_a_difference_in_a_pair_too_small_to_count_is_in_no_count(database: Path) -> None:
    change(database, "alter table treatment_delivery add column is_well_powered boolean")
    change(database, "update treatment_delivery set is_well_powered = segment_b <> 'tokyo'")
    change(database, "update treatment_delivery set verdict = 'treated differently' where segment_a = 'evil'")
    page = report(database)
    assert "of 3 pairs, 1 pair is large enough to tell, and of these" in page.text
    assert "treated differently 1 (100.0 %)" in page.text
    assert "treated alike 0 (0.0 %)" in page.text
    assert "2 pairs with too few members count neither way, though what 1 of them were sent differs" in page.text
    assert "33 (≠)" in page.text
    assert "The most alike" not in page.text


def test_a_scheme_of_which_nothing_is_known_is_named_in_one_line_only(database: Path) -> None:
    change(database, "update scheme_scorecard set members = 0, verdict = 'unproven' where scheme = 'life_stage'")
    page = report(database)
    assert page.text.count("Life stage") == 1
    assert "Nothing is known of Life stage: docs/schemes.md says which columns they are read from." in page.text
    change(database, "update scheme_scorecard set members = 0")
    assert "Nothing is known of RFM (recency, frequency, spend) and Life stage" in report(database).text


def test_warnings_of_the_audit_are_in_the_headline_and_under_data_quality(database: Path) -> None:
    warnings = (
        Problem("products_are_known on stg_order_lines", "2 of 2 lines have no row in products. Land <them>."),
        Problem("treatments_differ_and_reach on treatments", "rfm: sms cannot reach 3\nrfm: mail cannot reach 4"),
        Problem("landing", "notes.md: file ignored"),
    )
    target = database.parent / "out" / "audited.html"
    write_report(database, target, Told(519, 2, 0, warnings))
    page = Page(target.read_text(encoding="utf-8"))
    headline = part(page, "Segments in use", "Scorecard: is")
    assert "519checks passed2 warned" in headline
    assert "before the final audit" not in page.text
    for problem in warnings:
        assert problem.where in headline
    found = page.text[page.text.rindex("Warnings of this refresh") :]
    for problem in warnings:
        assert found.index(problem.where) >= 0
        for line in problem.message.splitlines():
            assert line in found
    write_report(database, target, Told(519, 0, 0))
    assert "This refresh gave no warning." in Page(target.read_text(encoding="utf-8")).text


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
        "Who buys TACO SHELLS buys SEASONING <&> 16 times as often as basket size and season alone would lead to "
        "expect, in 392 baskets"
    )
    assert "39.2 % of the 1,000 baskets with TACO SHELLS" in text
    assert first < text.index("Who buys BREAD buys MILK 1.2 times")
    assert "Who buys SEASONING" not in text
    assert "Who buys MILK" not in text


def test_a_pair_says_how_sure_it_is_in_both_directions(database: Path) -> None:
    text = part(report(database), "What is bought together", "Next best offers")
    assert "who buys SEASONING <&> buys TACO SHELLS in 9.8 % of the 4,000 baskets with it." in text


def test_ties_of_many_baskets_come_first_in_a_list_of_their_own(database: Path) -> None:
    """SEASONING makes 392 - 24 baskets, PASTA 900 - 300; BREAD's 1,500 are too near to what sizes lead to expect."""
    change(
        database,
        """insert into product_affinities
        values ('category', 'basket', 'PASTA', 'SAUCE', 9000, 2000, 1500, 900, 0.45, 3, 3, 0)""",
    )
    strongest = part(report(database), "Categories bought in one basket", "Categories whose ties make most baskets")
    assert strongest.index("TACO SHELLS") < strongest.index("PASTA") < strongest.index("BREAD")
    largest = part(report(database), "Categories whose ties make most baskets", "Next best offers")
    assert largest.index("Who buys PASTA buys SAUCE") < largest.index("TACO SHELLS")
    assert "BREAD" not in largest


def relations(database: Path) -> None:
    """Substitutes, and an order in time that is clear beside one that is not."""
    change(
        database,
        """
        alter table product_affinities add column n_reverse bigint;
        alter table product_affinities add column relation varchar;
        insert into product_affinities values
            ('category', 'basket', 'LARGE EGGS', 'SMALL EGGS', 900, 900, 600, 12, 0.01, 0.2, 0.04, 1, 12, 'substitute'),
            ('category', 'basket', 'SMALL EGGS', 'LARGE EGGS', 900, 600, 900, 12, 0.02, 0.2, 0.04, 1, 12, 'substitute'),
            ('category', 'basket', 'WINE', 'TEA', 9000, 900, 900, 270, 0.3, 0.9, 0.9, 1, 270, 'substitute'),
            ('category', 'basket', 'RUG', 'OAR', 9000, 90, 90, 2, 0.02, 0.9, 0.5, 1, 2, 'independent'),
            ('category', '30_days', 'TENT', 'STOVE', 900, 200, 90, 60, 0.3, 3, 0.9, 1, 12, 'leads'),
            ('category', '30_days', 'STOVE', 'TENT', 900, 90, 200, 12, 0.13, 3, 0.9, 1, 60, 'follows'),
            ('category', '30_days', 'CUP', 'SAUCER', 900, 100, 90, 40, 0.4, 3, 2.5, 0, 38, 'either order'),
            ('category', '30_days', 'SAUCER', 'CUP', 900, 90, 100, 38, 0.42, 3, 2.4, 0, 40, 'either order')
        """,
    )


def test_substitutes_are_named_as_such_once_a_pair(database: Path) -> None:
    relations(database)
    text = part(report(database), "Categories bought instead of each other", "Categories of which one leads")
    assert (
        "Who buys SMALL EGGS seldom buys LARGE EGGS too: 12 baskets hold both, where basket size and season alone "
        "would lead to expect 300." in text
    )
    assert text.count("seldom") == 1
    assert "WINE" not in text and "RUG" not in text


def test_what_is_sold_in_other_months_is_no_substitute_and_what_shares_a_month_no_tie(database: Path) -> None:
    relations(database)
    change(
        database,
        """
        alter table product_affinities add column season_adjusted_lift double;
        update product_affinities set season_adjusted_lift = 0.9 where 'LARGE EGGS' in (antecedent, consequent);
        update product_affinities set season_adjusted_lift = 1.02 where 'BREAD' in (antecedent, consequent);
        update product_affinities set season_adjusted_lift = 8 where 'TACO SHELLS' in (antecedent, consequent);
        """,
    )
    text = part(report(database), "What is bought together", "Next best offers")
    assert "seldom" not in text and "BREAD" not in text
    assert "Who buys TACO SHELLS buys SEASONING <&> 8.0 times as often" in text
    assert "First TENT, then STOVE" in text


def test_what_clearly_leads_is_told_in_its_direction_and_what_does_not_is_said_to_have_no_order(database: Path) -> None:
    relations(database)
    leads = part(report(database), "Categories of which one leads", "Categories bought one after the other")
    assert "First TENT, then STOVE on a later day within 30 days: 60 customers" in leads
    assert "the other way round 12." in leads
    assert "First STOVE" not in leads and "CUP" not in leads
    after = part(report(database), "Categories bought one after the other", "Next best offers")
    assert "First CUP, then SAUCER" in after
    assert "the other way round 38, so no clear order." in after
    assert "First SAUCER" not in after and "TENT" not in after


def test_pairs_of_products_are_shown_only_where_nothing_else_is_known(database: Path) -> None:
    change(
        database,
        """insert into product_affinities
        values ('product', 'basket', '4711', '4712', 9000, 2000, 1500, 900, 0.45, 3, 3, 0)""",
    )
    assert "4711" not in report(database).text
    change(database, "delete from product_affinities where item_level <> 'product'")
    assert "Who buys 4711 buys 4712" in report(database).text


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
        "CEMENT: the first offer for 2 customers. One of them bought SAND 33 times, last on 2 February 2026, "
        "and never CEMENT." in text
    )
    assert "PAINT: the first offer for 1 customer. Of some nothing more specific is known." in text


def sequences(database: Path) -> None:
    """Pairs of subcategories in a basket and in time, beside the categories of the file."""
    change(
        database,
        """
        alter table product_affinities add column n_reverse bigint;
        insert into product_affinities values
            ('subcategory', 'basket', 'FROSTING', 'CAKE MIX', 9000, 1746, 4000, 1187, 0.68, 30, 20.4, 0, 1187),
            ('subcategory', '30_days', 'DIAPERS', 'WIPES <&>', 900, 306, 400, 143, 0.467, 3, 2.2, 0, 41),
            ('subcategory', '30_days', 'WIPES <&>', 'DIAPERS', 900, 50, 306, 41, 0.82, 3, 2.3, 0, 143)
        """,
    )


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (3, "Offers and gaps are made of products, because only 3 categories of what was sold are known."),
        (1, "Offers and gaps are made of products, because only 1 category of what was sold is known."),
        (0, "Offers and gaps are made of products, because no category of what was sold is known."),
    ],
)
def test_a_poor_catalogue_is_told_beside_offers_and_gaps(database: Path, known: int, told: str) -> None:
    table = "create table offer_level as select 'category' as level_wanted, 'product' as item_level"
    change(database, f"{table}, {known} as items_wanted")
    assert report(database).text.count(told) == 2
    change(database, "update offer_level set item_level = 'category'")
    assert "Offers and gaps are made of" not in report(database).text


def test_an_order_in_time_is_told_as_first_and_then_in_its_frequent_direction(database: Path) -> None:
    sequences(database)
    text = part(report(database), "Subcategories bought one after the other, within 30 days", "Next best offers")
    assert (
        "First DIAPERS, then WIPES <&> on a later day within 30 days: 143 customers (46.7 % of the 306 customers who "
        "bought DIAPERS), 2.2 times as often as the variety of what they buy alone would lead to expect; "
        "the other way round 41." in text
    )
    assert "First WIPES" not in text


def test_levels_and_windows_have_lists_of_their_own_subcategories_first(database: Path) -> None:
    sequences(database)
    page = report(database)
    baskets = part(page, "Subcategories bought in one basket", "Categories bought in one basket")
    assert "Who buys FROSTING buys CAKE MIX 20 times" in baskets
    assert "TACO SHELLS" not in baskets and "DIAPERS" not in baskets
    categories = part(page, "Categories bought in one basket", "Subcategories bought one after the other")
    assert "TACO SHELLS" in categories and "FROSTING" not in categories and "DIAPERS" not in categories


def test_one_item_stands_in_two_sentences_of_a_list_at_most(database: Path) -> None:
    change(
        database,
        """
        insert into product_affinities
        select 'subcategory', 'basket', 'BABY', 'FOOD ' || i, 9000, 900, 900, 400, 0.4, 9, 20 - i, 0
        from range(5) as r(i);
        """,
    )
    text = part(report(database), "Subcategories bought in one basket", "Subcategories whose ties make most baskets")
    assert text.count("Who buys BABY buys FOOD") == 2
    assert "BABY buys FOOD 0 " in text and "BABY buys FOOD 1 " in text


def test_profiles_show_value_index_and_what_differs_most(database: Path) -> None:
    text = part(report(database), "What sets them apart", "When they buy")
    assert "Spendcurrency, a year" in text and "Discountsshare of full prices" in text
    assert "Everyone1,68957.022.616.6 %" in text
    assert "Best & firstdays since last basket ▼ 0.39, baskets ▲ 1.702,5421.5196.71.708.70.3916.3 %0.98" in text
    assert "<script>alert('x')</script>1,7001.01–––" in text
    assert "Unknown" not in text


def test_occasions_show_the_index_and_mark_with_a_word_what_is_beyond_chance(database: Path) -> None:
    text = part(report(database), "When they buy, and", "Gaps are where to grow")
    assert "Dinner50.0 %Late evening50.0 %" in text
    assert "Best & first1.50 ▲ more0.50 ▼ gap" in text
    assert re.search(r"</script>0\.901\.10$", text.strip())
    assert "Unknown" not in text


def test_a_gap_is_a_sentence_with_baskets_and_what_everyones_share_would_make(database: Path) -> None:
    text = part(report(database), "Gaps are where to grow", "What they buy together more")
    # 2,000 baskets of 4,000 are of the evening; half of the 2,000 of these members would be 1,000.
    assert (
        "Best & first: they buy late in the evening 0.50 times as often as everyone: 500 of their 2,000 baskets, "
        "where everyone's share would make 1,000 (q = 0.034)." in text.replace("\u00a0", " ")
    )
    assert text.count("they buy") == 1


def test_an_occasion_of_the_users_own_is_named_and_cannot_become_markup(database: Path) -> None:
    change(database, "update occasion_matrix set occasion = '<b>tea_time</b>' where occasion = 'late_evening'")
    page = report(database)
    assert "they buy for “<b>tea time</b>” 0.50 times" in page.text
    assert "b" not in page.tags()


def test_a_scheme_made_of_occasions_says_that_its_gaps_are_its_definition(database: Path) -> None:
    assert "made of occasions" not in report(database).text
    change(database, "update segments set segment = 'dinner' where segment = 'best'")
    change(database, "update occasion_matrix set segment = 'dinner' where segment = 'best'")
    assert "made of occasions" in report(database).text


def many_occasions(database: Path) -> None:
    """A scheme of 40 segments, each with a gap; the higher its number, the more it spends."""
    change(
        database,
        """
        insert into segments
        select 'interest', 's' || i, 'No. ' || i, 'd', 1, 'observed', 10, 0.01, i, 0.01, 'edge', null
        from range(1, 41) as r(i);
        insert into occasion_matrix
        select 'interest', 's' || i, 'lunch', 9, 10, 9, 0.5, 0.001, 0.001, true from range(1, 41) as r(i)
        """,
    )


def test_gaps_are_told_of_segments_too_that_the_table_has_no_room_for(database: Path) -> None:
    many_occasions(database)
    change(database, "update occasion_matrix set is_gap = segment = 's3' where scheme = 'interest'")
    assert "No. 3: they buy at lunch 0.50 times as often" in report(database).text


def test_occasions_of_a_scheme_with_many_segments_are_those_with_most_spend(database: Path) -> None:
    many_occasions(database)
    text = report(database).text
    begin = text.rindex("When they buy, and when they do not")
    assert "Only the 15 segments with the largest spend." in text[begin:]
    assert "No. 26" in text[begin:] and "No. 25" not in text[begin:]
    assert "30 more gaps in the table occasion_matrix" in text


def test_a_segments_own_tie_is_the_one_that_exceeds_everyones_most(database: Path) -> None:
    text = part(report(database), "What they buy together more", "Do they behave")
    assert (
        "Best & first: BEER with WINE <&>, 4.3 times as often as basket size alone would lead to expect "
        "(everyone: 2.7 times), in 51 baskets." in text
    )
    for left_out in ("TEA", "LIKE", "BY with CHANCE", "OTHER"):
        assert left_out not in text


def test_missing_complements_are_summed_with_the_customer_of_most_worth(database: Path) -> None:
    text = part(report(database), "Bought without what goes with it", "Next best offers")
    assert "2 customers regularly buy one item and never its complement (3 gaps between categories)" in text
    first = text.index(
        "BRICKS without SAND <&>: 2 customers, together worth 401; of the 705 customers who buy BRICKS as regularly, "
        "318 buy SAND <&> too. One of them bought BRICKS 4 times, last on 2 February 2026 (worth 251)."
    )
    assert first < text.index("PAINT without BRUSHES: 1 customer, together worth 12.34")


def test_audiences_count_sends_and_drops_by_channel_and_reason(database: Path) -> None:
    text = part(report(database), "Whom to contact, and whom not", "Data quality")
    assert "Of 8 treatments that members have, 2 sends in the audiences of 1 March 2026." in text
    assert "ChannelTreatmentssentno channelholdoutno consentlower prioritya new <reason>" in text
    assert "mail4201100" in text and "app<1000100" in text and "no channel1010000" in text and "sms2000011" in text
    assert "All channels8211211" in text
    assert "Nobody is contacted" not in text


def test_an_empty_audience_says_that_nobody_is_contacted(database: Path) -> None:
    change(database, "delete from audiences; delete from audience_decisions where outcome = 'sent'")
    text = part(report(database), "Whom to contact, and whom not", "Data quality")
    assert "0 sends in the audiences." in text
    assert "Nobody is contacted. The table says what holds the sends back." in text


def test_audiences_without_decisions_still_count_the_sends(database: Path) -> None:
    change(database, "drop table audience_decisions")
    text = part(report(database), "Whom to contact, and whom not", "Data quality")
    assert "2 sends in the audiences of 1 March 2026." in text
    assert "Channelsent mail2 All channels2" in text


def test_values_without_a_meaning_are_counted_most_frequent_first(database: Path) -> None:
    text = part(report(database), "Values without a meaning", "Small print")
    assert "2 values that no seed knows" in text
    assert text.index("employmentjuggler1,234") < text.index("gender<i>?</i>3")
    change(database, "delete from unmapped_spellings")
    assert "Every value has a meaning." in report(database).text


def test_values_that_cannot_be_read_are_shown_with_what_would_read_them(database: Path) -> None:
    text = part(report(database), "Values that cannot be read", "Values without a meaning")
    assert "9,317 values of optional columns count as empty" in text
    assert text.index("customers.annual_income$90,0009,315not a number; write 90000") < text.index("products.in_stock")
    change(database, "delete from unreadable_values")
    assert "Values that cannot be read" not in report(database).text


def test_equal_lines_and_superseded_rows_are_told_with_the_setting_where_there_are_any(database: Path) -> None:
    assert "equal_lines" not in report(database).text
    change(database, "alter table refreshes add column equal_lines bigint")
    change(database, "alter table refreshes add column equal_lines_amount decimal(18, 4)")
    change(database, "alter table refreshes add column rows_superseded bigint")
    change(database, "update refreshes set equal_lines = 5225, equal_lines_amount = 12345.5, rows_superseded = 32")
    text = part(report(database), "Data quality", "Small print")
    assert "5,225 order lines without a line number, worth 12,346, equal one before in the same file" in text
    assert "32 rows of them superseded" in text


def test_lines_that_do_not_count_and_lines_of_nobody_are_told_where_there_are_any(database: Path) -> None:
    assert "order_statuses" not in report(database).text and "guest_ids" not in report(database).text
    change(database, "alter table refreshes add column rows_not_counted bigint")
    change(database, "alter table refreshes add column rows_anonymous bigint")
    change(database, "update refreshes set rows_not_counted = 1204, rows_anonymous = 1")
    text = part(report(database), "Data quality", "Small print")
    assert "1,204 order lines of the rows used did not count by status" in text
    assert "1 order line of the rows used with no customer" in text


@pytest.mark.parametrize(
    ("table", "heading"),
    [
        ("segment_profiles", "What sets them apart"),
        ("occasion_matrix", "When they buy, and when they do not"),
        ("segment_affinities", "What they buy together more than others"),
        ("cross_sell_gaps", "Bought without what goes with it"),
        ("unmapped_spellings", "Values without a meaning"),
        ("unreadable_values", "Values that cannot be read"),
    ],
)
def test_the_part_of_an_absent_table_is_left_out(database: Path, table: str, heading: str) -> None:
    assert heading in report(database).text
    change(database, f"drop table {table}")
    page = report(database)
    assert heading not in page.text
    assert page.unbalanced == []


def test_without_audiences_and_decisions_the_part_is_left_out(database: Path) -> None:
    change(database, "drop table audience_decisions; drop table audiences")
    page = report(database)
    assert "Whom to contact" not in page.text
    assert page.unbalanced == []


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
    assert not page.tags() & {"script", "img", "b", "family", "i", "iframe", "object", "embed", "link", "base", "form"}
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
    for table in (
        "scheme_scorecard",
        "segments",
        "treatment_delivery",
        "segment_behaviour",
        "segment_profiles",
        "occasion_matrix",
        "cross_sell_gaps",
        "unmapped_spellings",
    ):
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
        ("ink", "low1"),
        ("ink", "low2"),
        ("ink", "high1"),
        ("ink", "high2"),
        ("quiet", "ground"),
        ("accent", "paper"),
    ],
)
def test_text_has_the_contrast_that_readers_need(database: Path, ink: str, ground: str) -> None:
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", report(database).html))
    light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


COMMITTEES = """
create table company_committees (company_id varchar, role varchar, role_order integer, is_covered boolean,
    is_contactable boolean, spend decimal(18, 4), readiness double, risk varchar);
insert into company_committees
select company, role, place, covered and role <> 'finance', covered and role = 'initiator', spend, 0.375,
    case when covered then null else '<i>nobody</i>' end
from (values ('Large & Co', 5000, false), ('Small', 20, false), ('Whole', 900, true)) as c(company, spend, covered),
    (values ('initiator', 1), ('department_head', 2), ('finance', 3), ('signatory', 4)) as r(role, place);
"""


def test_companies_are_ranked_by_the_money_behind_their_first_uncovered_role() -> None:
    with duckdb.connect() as con:
        con.execute(COMMITTEES)
        told = committees.committees(Published(con))
    assert told is not None
    assert [(row["company"], row["role"]) for row in told["deals"]] == [
        ("Large & Co", "Initiator"),
        ("Whole", "Finance"),
        ("Small", "Initiator"),
    ]
    assert (told["companies"], told["complete"], told["more"]) == ("3 companies", "0", 0)
    assert [(row["covered"], row["contactable"]) for row in told["roles"]] == [
        ("1", "1"), ("1", "0"), ("0", "0"), ("1", "0")
    ]  # fmt: skip


def test_without_companies_there_is_no_section_of_committees() -> None:
    with duckdb.connect() as con:
        assert committees.committees(Published(con)) is None
        con.execute(COMMITTEES.split("insert")[0])
        assert committees.committees(Published(con)) is None


PROSPECTS = """
create table segments (scheme varchar, segment varchar, label varchar, member_share double);
insert into segments values ('life_stage', 'student', 'Students & co', 0.25);
create table prospect_segments (scheme varchar, prospect_id varchar, kind varchar, segment varchar, score double,
    outcome varchar, persona_id varchar, is_contactable boolean);
insert into prospect_segments values
    ('life_stage', 'secret-1', 'person', 'student', 0.8, 'scored', 'sharer', true),
    ('life_stage', 'secret-2', 'person', 'student', 0.6, 'scored', null, false),
    ('life_stage', 'secret-3', 'person', 'unknown', 0.4, 'below the threshold', null, false),
    ('prospect_persona', 'secret-4', 'company', 'unknown', null, 'no scheme for its kind', null, false);
create table prospect_models (scheme varchar, kind varchar, attributes varchar, prospects bigint, model varchar,
    members_judged bigint, log_loss double, base_log_loss double, top1 double, base_top1 double,
    calibration_error double, beats_base boolean, reliability varchar);
insert into prospect_models values
    ('life_stage', 'person', 'age_band, employment', 3, 'logistic regression', 80, 0.51, 1.1, 0.8, 0.4, 0.031, true,
        '[{"from": 0.7, "members": 80, "said": 0.75, "were": 0.8}]'),
    ('life_stage', 'person', 'region', 0, 'nearest profile', 80, 1.1, 1.1, 0.4, 0.4, 0.031, false, '[]');
create table prospect_personas (scheme varchar, persona_id varchar, description varchar, segment varchar,
    prospects_near bigint);
insert into prospect_personas values ('life_stage', 'sharer', 'Four <students>', 'student', 1);
"""


def test_prospects_are_counted_and_none_is_named() -> None:
    with duckdb.connect() as con:
        con.execute(PROSPECTS)
        told = prospects.prospects(Published(con))
    assert told is not None
    assert (told["total"], told["known"], told["contactable"]) == ("4 prospects", "2", "1 prospect")
    (segment,) = told["segments"]
    assert (segment["segment"], segment["prospects"], segment["score"]) == ("Students & co", "2", "70.0 %")
    assert [(row["n"], row["why"]) for row in told["unknown"]] == [
        ("1", "below the threshold"),
        ("1", "no scheme for its kind"),
    ]
    # A model that scores nobody is not shown.
    assert [row["attributes"] for row in told["models"]["rows"]] == ["age band, employment"]
    assert [(row["persona"], row["near"]) for row in told["personas"]] == [("sharer", "1")]
    assert "secret" not in str(told)


def test_without_prospects_there_is_no_section_of_them() -> None:
    with duckdb.connect() as con:
        assert prospects.prospects(Published(con)) is None
        con.execute(PROSPECTS)
        con.execute("delete from prospect_segments")
        assert prospects.prospects(Published(con)) is None


def test_the_page_has_a_section_of_prospects(database: Path) -> None:
    assert 'id="prospects"' not in report(database).html
    with duckdb.connect(str(database)) as con:
        con.execute("create table prospect_segments" + PROSPECTS.split("create table prospect_segments", 1)[1])
    html = report(database).html
    assert 'id="prospects"' in html and "Four &lt;students&gt;" in html and "secret" not in html
