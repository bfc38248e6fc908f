"""The report says what the tables say, to everybody, and does nothing else."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.audit import suites, told
from orchestration.audit.told import Problem, Told
from orchestration.report import warned, write_report
from orchestration.report.pages.quality import HEADLINE_LETTERS, LANDED
from orchestration.report.shop import Shop
from tests.support.page_reader import Page, change, report, spaced, written

# The front page


def test_the_front_page_shows_each_scheme_with_verdict_and_the_three_answers(database: Path) -> None:
    assert report(database).part("front").table("Schemes and the three questions") == [
        ["RFM", "! in the drawer", "✓ yes", "= not all 67 % of pairs differ on paper", "✓ yes"],
        ["Life stage", "≈ superficial", "✗ no", "? not known", "? not known"],
    ]


def test_the_front_page_describes_the_last_refresh(database: Path) -> None:
    front = report(database).part("front").text
    for said in (
        "As of 1 March 2026, 0 days old when it was refreshed on 1 March 2026.",
        "18 customers all but a few have bought",
        "22.2 M EUR spend in the last year ▲ 10.0 % on the year before",
        "77 checks passed 2 failed or warned before the final audit",
        "Of 2 ways to segment, none is in use yet. 1 lies in the drawer: its segments differ, but too few are "
        "treated differently. The segments of 1 hardly differ. 1 was shown to pay.",
        "RFM: how recently, how often and for how much somebody buys.",
    ):
        assert said in front
    assert "20260101" not in report(database).html


def test_spend_is_compared_with_the_year_before_only_where_both_are_whole(database: Path) -> None:
    change(database, "delete from segment_months where month = '2024-03-01'")
    assert "no whole year before to compare with" in report(database).part("front").text


def test_the_month_of_the_as_of_date_is_no_whole_month(database: Path) -> None:
    change(database, "insert into segment_months values ('rfm', 'best', '2026-03-01', 9, 9, 9, 99999)")
    assert "▲ 10.0 % on the year before" in report(database).part("front").text


def test_findings_are_ranked_by_money_and_lead_to_their_tables(database: Path) -> None:
    page = report(database)
    found = page.part("front").text
    # 1,000 baskets expected of the evening, 500 there, at 1.80: 900; 8 gaps of 50.20: 402.
    first = found.index(
        "Win more “Late evening” trips from “Best & first” customers: up to 900 EUR. RFM: they made 500 such trips; at "
        "the average of all customers, 1,000."
    )
    second = found.index("For one, 8 customers buy Bricks and never Sand <&>: up to 402 EUR.")
    # What has no sum comes last.
    assert first < second < found.index("Write each segment its own treatment.")
    for anchor in ("occasion-gaps", "gaps"):
        assert page.has(anchor) and f'href="#{anchor}"' in page.part("front").html


def test_those_who_went_quiet_are_counted_in_both_segments_of_them(database: Path) -> None:
    change(
        database,
        "update segments set segment = case segment when 'best' then 'at_risk' when 'evil' then 'cant_lose' else "
        "segment end where scheme = 'rfm'",
    )
    change(database, "update segments set spend = 900000 where segment in ('at_risk', 'cant_lose')")
    found = report(database).part("front").text
    assert "Win back those who went quiet: up to 1.8 M EUR. 1,800 customers (<script>" in found
    assert "and Best & first) came often and have stayed away for longer than most." in found


def test_where_consent_is_all_that_is_missing_it_comes_first(database: Path) -> None:
    change(
        database,
        "create or replace table audience_decisions as select 'c' || i % 30 as member_id, 't' as treatment_id, "
        "'no consent' as outcome from range(40) t(i)",
    )
    found = report(database).part("front").text
    said = "Ask for consent first. Nothing more may be sent: no consent is on record of the 30 customers"
    assert found.index(said) < found.index("Win more “Late evening” trips")
    assert "messages wait for it" not in found
    change(database, "insert into audience_decisions values ('c31', 't', 'sent')")
    found = report(database).part("front").text
    assert "Ask for consent. 40 of 41 messages wait for it." in found and "Nothing may be sent now" not in found


def test_who_only_waits_for_a_turn_may_be_sent_more(database: Path) -> None:
    """Consent is then not all that keeps anything from being sent."""
    for outcome in ("frequency cap", "sent recently", "lower priority"):
        change(
            database,
            "create or replace table audience_decisions as select 'c' || i % 30 as member_id, 't' as treatment_id, "
            f"case when i < 30 then 'no consent' else '{outcome}' end as outcome from range(40) t(i)",
        )
        found = report(database).part("front").text
        assert "Nothing more may be sent" not in found
        assert "Ask for consent. 30 of 40 messages wait for it." in found
    change(database, "update audience_decisions set outcome = 'holdout' where outcome <> 'no consent'")
    assert "Ask for consent first. Nothing more may be sent" in report(database).part("front").text


def test_what_is_alike_on_paper_is_told_apart_from_what_is_sent_alike(database: Path) -> None:
    written_alike = "Write each segment its own treatment. Some segments have the same on paper: RFM."
    sent_alike = "Send each segment its own treatment. So far most get the same: RFM."
    # Two of three pairs differ on paper, and of two pairs one was sent different things: half is not most.
    page = report(database).part("front")
    assert written_alike in page.text and "So far most get the same" not in page.text
    assert 'href="#scheme-rfm-sent"' in page.html
    change(database, "update scheme_scorecard set delivered_distinct = 0 where scheme = 'rfm'")
    found = report(database).part("front").text
    assert written_alike in found and sent_alike in found
    change(database, "update scheme_scorecard set assigned_distinct = 1 where scheme = 'rfm'")
    found = report(database).part("front").text
    assert "the same on paper" not in found and sent_alike in found


def test_half_of_the_pairs_sent_different_things_is_not_seldom(database: Path) -> None:
    change(
        database,
        "update scheme_scorecard set assigned_distinct = 1, delivered_distinct = 0.5, well_powered_pairs = 2 "
        "where scheme = 'life_stage'",
    )
    assert "✓ yes 1 of 2 pairs" in report(database).part("front").text
    change(
        database,
        "update scheme_scorecard set delivered_distinct = 0.25, well_powered_pairs = 4 where scheme = 'life_stage'",
    )
    assert "~ seldom 1 of 4 pairs" in report(database).part("front").text


def test_data_of_long_ago_are_marked(database: Path) -> None:
    assert 'class="asof"' in report(database).part("front").html
    change(database, "update refreshes set finished_at = finished_at + interval 61 day")
    assert 'class="asof old"' in report(database).part("front").html


def test_segments_that_changed_beyond_noise_are_told_with_sizes_then_and_now(database: Path) -> None:
    """110 fewer of 190 moves: 8 times what chance makes."""
    found = report(database).part("front").text
    assert "▼ Best & first (RFM): 1,150 → 1,040 since 1 February 2026, 150 left (150 to <script>" in found
    assert "since 1 February 2026, 150 came (150 from Best & first), 44 left (40 to Best & first)" in found
    assert "tokyo" not in found and "東京" not in found


def test_a_change_within_noise_is_none(database: Path) -> None:
    change(database, "update segment_migrations set members = 55 where from_segment = 'best' and to_segment = 'evil'")
    found = report(database)
    assert "No segment grew or shrank beyond noise" in found.part("front").text
    assert "No segment grew or shrank beyond noise." in found.part("movement").text


def test_who_was_not_known_before_makes_no_segment_shrink(database: Path) -> None:
    newcomers = "('rfm', '2026-02-01', '2026-03-01', 'not_yet_known', 'best', 500)"
    change(database, f"insert into segment_migrations values {newcomers}")
    found = report(database)
    assert "▲ Best & first (RFM)" in found.part("front").text
    assert "▼ Not yet known" not in found.part("front").text


def test_a_verdict_that_turned_since_the_version_before_is_told(database: Path, tmp_path: Path) -> None:
    before = Path(shutil.copy(database, tmp_path / "before.duckdb"))
    change(before, "update scheme_scorecard set verdict = 'unproven' where scheme = 'rfm'")
    change(before, "update refreshes set as_of = '2026-02-01'")
    front = written(database, "turned.html", before=before).part("front").text
    assert "Since the refresh of 1 February 2026:" in front
    assert "RFM: unproven → in the drawer" in front
    same = written(database, "same.html", before=database).part("front").text
    assert "No verdict turned since the last refresh." in same


def test_without_the_version_before_the_refresh_before_is_named(database: Path) -> None:
    assert "The refresh before described 1 January 2026." in report(database).part("front").text
    first = written(database, "first.html", before=database.parent / "absent.duckdb").part("front").text
    assert "The refresh before described 1 January 2026." in first


def test_warnings_are_named_on_the_front_page_and_told_under_data_quality(database: Path) -> None:
    warnings = (
        Problem("products_are_known on stg_order_lines", "2 of 2 lines have no row in products. Land <them>."),
        Problem("treatments_differ_and_reach on treatments", "rfm: sms cannot reach 3\nrfm: mail cannot reach 4"),
        Problem("landing", "notes.md: file ignored"),
    )
    page = written(database, "audited.html", Told(519, 2, 0, warnings))
    front, quality = page.part("front").text, page.part("warnings").text
    assert "519 checks passed 2 warned" in front
    assert "before the final audit" not in page.text
    assert "Some of what was sold is in no product list: land those products with their category." in front
    assert "Treatments reach nobody, or are the same as others" in front
    assert "Something in the landing zone was not read" in front
    for problem in warnings:
        # The name of the check and its own words are folded detail.
        assert problem.where == "landing" or problem.where not in front
        assert f"Check: {problem.where}." in quality
        for line in problem.message.splitlines():
            assert line in quality
    calm = written(database, "calm.html", Told(519, 0, 0))
    assert "This refresh gave no warning." in calm.part("front").text


def test_the_front_page_keeps_to_a_screen_however_many_schemes_there_are(database: Path) -> None:
    change(
        database,
        """
        insert into scheme_scorecard
        select 'scheme_' || i, 1000, 1, 0.1, 'spend', 0.001, 0.1, 1, 1, 3, 'yes', 'in use', 'w' from range(40) as r(i);
        insert into segments select 'scheme_' || i, 'a', 'A', 'd', 1, 'observed', 10, 1, 1, 1, 'mass', null
        from range(40) as r(i)
        """,
    )
    page = report(database)
    assert len(page.part("front").table("Schemes and the three questions")) == 12
    assert "30 more schemes." in page.part("front").text
    assert len(page.part("schemes").table("Schemes and the three questions")) == 42


# Schemes


def test_the_index_of_schemes_says_a_few_words_more(database: Path) -> None:
    assert report(database).part("schemes").table("Schemes and the three questions")[0] == [
        "RFM",
        "! in the drawer",
        "✓ yes 53 % of differences in number of baskets",
        "= not all 67 % of pairs differ on paper",
        "✓ yes against customers held out",
    ]


def test_a_scheme_says_its_verdict_in_three_sentences_and_the_statistics_behind_a_fold(database: Path) -> None:
    page = report(database).part("scheme-rfm")
    for said in (
        "their segment alone tells 53 % of how customers differ in number of baskets.",
        "Of the 2 pairs of segments that can be judged, 1 was sent different things.",
        "What is sent pays",
        "The segment of 1,950 members is known, 98 % of the audience.",
    ):
        assert said in page.text
    fold = re.search(r"<details><summary>How sure</summary>.*?</details>", page.html, re.DOTALL)
    assert fold and "best and tokyo get the same." in Page(fold[0]).text
    assert "q" not in page.text[: page.text.index("How sure")].split()
    superficial = report(database).part("scheme-life-stage").text
    assert (
        "They do not behave differently" in superficial
        and "No outcome differs between <family> & student." in superficial
    )


def test_whether_segments_behave_differently_goes_by_the_outcome_that_the_verdict_goes_by(database: Path) -> None:
    """The largest effect is of few members and within chance; a smaller one is beyond it."""
    change(
        database,
        "update segment_behaviour set effect = 0.1, q_value = 0.2, n = 60 where outcome = 'orders';"
        "update segment_behaviour set effect = 0.04, q_value = 0.0001 where outcome = 'spend';"
        "update scheme_scorecard set behaviour_effect = 0.1, behaviour_q_value = 0.2 where scheme = 'rfm'",
    )
    page = report(database)
    assert page.part("schemes").table("Schemes and the three questions")[0][2] == "✓ yes 4.0 % of differences in spend"
    assert "tells 4.0 % of how customers differ in spend." in page.part("scheme-rfm").text
    assert "Whether segments behave differently" not in page.part("not-known").text


def test_a_difference_that_would_have_shown_is_none_whatever_else_keeps_the_verdict_open(database: Path) -> None:
    """Nothing was sent, so the verdict is unproven; that there is no difference is known all the same."""
    change(
        database,
        "alter table segment_behaviour add column power double;"
        "update segment_behaviour set effect = 0, q_value = 0.6, power = case outcome when 'spend' then 0.8 end;"
        "update scheme_scorecard set behaviour_effect = 0, behaviour_q_value = 0.6, verdict = 'unproven' "
        "where scheme = 'rfm'",
    )
    assert "They do not behave differently: the data would have shown" in report(database).part("scheme-rfm").text
    change(database, "update segment_behaviour set power = 0.79 where outcome = 'spend'")
    page = report(database).part("scheme-rfm").text
    assert "Whether they behave differently is not known: too few members, or too short a time." in page


def test_where_there_is_nothing_to_compare_it_is_not_for_want_of_members(database: Path) -> None:
    change(
        database,
        "update segment_behaviour set k = 1, effect = null, q_value = null;"
        "update scheme_scorecard set behaviour_effect = null, behaviour_q_value = null, verdict = 'unproven' "
        "where scheme = 'rfm'",
    )
    assert "is not known: there is nothing to compare" in report(database).part("scheme-rfm").text
    # Nobody had a segment when the period began.
    change(database, "update segment_behaviour set n = 0, k = 0")
    assert "is not known: too few members, or too short a time." in report(database).part("scheme-rfm").text


def test_ids_in_the_texts_of_verdicts_become_labels(database: Path) -> None:
    change(database, "update segments set segment = '19_24', label = '19-24' where segment = 'family'")
    change(database, "update scheme_scorecard set why = '19_24 and x19_24 differ' where scheme = 'life_stage'")
    assert "19-24 and x19_24 differ" in report(database).part("scheme-life-stage").text


def test_behaviour_shows_effect_and_q_of_each_outcome(database: Path) -> None:
    assert report(database).part("scheme-rfm").table("How much segments explain") == [
        ["number of baskets", "1,690", "53.2 %", "< 0.001", "24.7 %", "–"],
        ["spend", "1,690", "5.2 %", "0.034", "< 0.1 %", "–"],
    ]


def test_segment_sizes_equal_the_table(database: Path) -> None:
    assert report(database).part("scheme-rfm").table("Segments of RFM") == [
        ["Best & first The best", "1,200", "60.0 %", "9,876,543", "78.9 %", "mass", "–", "observed"],
        [
            "<script>alert('x')</script> <b>bold</b>",
            "600",
            "30.0 %",
            "2,000",
            "20.0 %",
            "edge",
            "Best & first",
            "observed",
        ],
        ["東京 ☕ ü Ünïcode", "150", "7.5 %", "45.50", "1.1 %", "niche", "Best & first", "observed"],
        ["Unknown", "50", "2.5 %", "0", "0.0 %", "niche", "–", "unknown"],
    ]


def test_money_names_its_currency_where_one_is_known(database: Path) -> None:
    assert "Spend (EUR)" in report(database).part("scheme-rfm").text
    change(database, "update refresh_settings set reporting_currency = null")
    page = report(database)
    assert "EUR" not in page.text
    assert "in the currency of the order lines, which they do not name" in page.part("definitions").text
    said = "Amounts are in the shop's own currency (REPORTING_CURRENCY names it)."
    assert page.text.count(said) == 1 and said in page.part("front").text


def test_sums_say_the_days_that_they_are_counted_over_and_positions_the_shares_that_hold(database: Path) -> None:
    """By vars behaviour_window_days, mass_spend_share and edge_spend_share, as the refresh noted them."""
    usual = report(database)
    assert "in the last year" in usual.part("scheme-rfm").text and "in 730 days" not in usual.text
    assert "that hold 68 % of spend" in usual.part("definitions").text
    change(database, "alter table refresh_settings add column rfm_window_days integer")
    change(database, "alter table refresh_settings add column mass_spend_share double")
    change(database, "alter table refresh_settings add column edge_spend_share double")
    change(database, "update refresh_settings set rfm_window_days = 730, mass_spend_share = .5, edge_spend_share = .9")
    page = report(database)
    assert "22.2 M EUR spend in the last 730 days" in page.part("front").text
    assert "spend is what they bought in the last 730 days" in page.part("scheme-rfm").text.lower()
    assert "EUR, in 730 days" in page.part("scheme-rfm").text
    assert "together worth up to 414 EUR in 730 days" in page.part("gaps").text
    definitions = page.part("definitions").text
    assert "on the 730 days before the as-of date" in definitions
    assert "that hold 50 % of spend" in definitions and "up to 90 % of spend" in definitions
    assert "last year" not in page.text and "a year" not in page.text


def test_sums_of_a_young_shop_are_of_the_days_there_are(database: Path) -> None:
    change(database, "update customer_profiles set first_order_on = '2025-12-31'")
    page = report(database)
    assert "together worth up to 414 EUR in 60 days" in page.part("gaps").text
    assert "Sums are sales in 60 days at most" in page.part("front").text
    assert "EUR, in 60 days" in page.part("scheme-rfm").text
    change(database, "update customer_profiles set first_order_on = '2025-03-01'")
    assert "together worth up to 414 EUR a year" in report(database).part("gaps").text


def test_what_to_heed_of_a_scheme_is_said_before_its_segments(database: Path) -> None:
    text = report(database).text
    assert text.count("The shop is <10 days old.") == 1
    assert text.index("How recently and how often.") < text.index("The shop is <10 days old.") < text.index("Unknown")


def test_drawings_are_named_and_what_they_show_is_a_table_too(database: Path) -> None:
    page = report(database)
    drawings = re.findall(r"<svg.*?</svg>", page.html, flags=re.DOTALL)
    assert len(drawings) >= 4
    for drawing in drawings:
        assert 'role="img" aria-label="' in drawing or 'aria-hidden="true"' in drawing
    bubbles = next(drawing for drawing in drawings if "Size and spend of the segments of RFM" in drawing)
    assert "Best &amp; first: 60 % of customers, 79 % of spend" in bubbles.replace("\u00a0", " ")
    assert ["February 2026", "1,200", "600"] in page.part("scheme-rfm").table("Customers by month, RFM")


def test_the_grid_of_recency_and_frequency_withholds_small_cells(database: Path) -> None:
    change(database, "update customer_profiles set recency_score = 5 where customer_id = 'customer-0'")
    rows = report(database).part("scheme-rfm").table("Customers by recency and frequency")
    assert rows[4][1] == "5 6.2 M" and rows[4][5] == "fewer than 5" and rows[2][3] == "6 7.4 M"


def test_both_journeys_and_the_positioning_of_a_treatment_are_shown(database: Path) -> None:
    text = report(database).part("scheme-rfm").text
    for said in (
        "Our value for them: First in line",
        "How we bring it: Shown a week early",
        "How we talk: Warm",
        "Channel: app",
        "Message: Taste this",
        "Offer: A box",
        "Offer is for: Tea",
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


def test_treatments_past_their_review_date_are_named_with_their_owners(database: Path) -> None:
    assert "Past the day to read them again" not in report(database).text
    change(
        database,
        """
        alter table treatments add column owner varchar;
        alter table treatments add column review_on date;
        update treatments set owner = 'loyalty', review_on = '2026-02-28' where treatment_id = 't1';
        -- On the day itself it is not late; what has ended needs no reader.
        update treatments set review_on = '2026-03-01' where treatment_id = 't4';
        update treatments set review_on = '2026-01-01' where treatment_id = 't3';
        insert into treatments (treatment_id, template_id, scheme, segment, channel, message, review_on)
        select 'each_' || i, 'each', 'rfm', case when i = 1 then 'best' else 'evil' end, 'app', 'New', '2025-12-31'
        from range(1, 3) as r(i)
        """,
    )
    text = report(database).text
    assert text.count("Past the day to read them again: ") == 1
    assert "again: each for " in text and "(by 31 December 2025, without an owner); t1 for Best & first" in text
    assert "t1 for Best & first (by 28 February 2026, owner loyalty)." in text


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
    assert "with the segment's name filled in, serves 19 more segments" in text


def test_pairs_that_a_customer_cannot_tell_apart_are_named(database: Path) -> None:
    page = report(database).part("scheme-rfm")
    assert "A customer cannot tell apart: Best & first and 東京 ☕ ü." in page.text
    rows = page.table("How treatments differ on paper")
    assert [row[1:] for row in rows] == [["1", "33.3 %"]] * 3 and rows[-1][0].startswith("wording")


def test_pairs_of_card_map_and_sentence_are_counted_alike(database: Path) -> None:
    page = report(database).part("scheme-rfm")
    assert "Of the 2 pairs that can be judged, 1 was sent different things and 1 the same." in page.text
    assert "1 pair cannot be judged" in page.text
    cells = [cell for row in page.table("How far what segments were sent differs") for cell in row[1:] if cell]
    assert cells == ["78 ≠", "5 =", "?"]
    assert page.table("Contacts by segment")[0] == ["Best & first", "1,100", "91.2 %", "2.03"]


def test_a_difference_in_a_pair_too_small_to_judge_is_in_no_count(database: Path) -> None:
    change(database, "alter table treatment_delivery add column is_well_powered boolean")
    change(database, "update treatment_delivery set is_well_powered = segment_b <> 'tokyo'")
    change(database, "update treatment_delivery set verdict = 'treated differently' where segment_a = 'evil'")
    page = report(database).part("scheme-rfm")
    assert "Of the 1 pair that can be judged, 1 was sent different things and 0 the same." in page.text
    assert "2 pairs cannot be judged" in page.text
    assert "33 ≠" not in page.text and "5 =" not in page.text


def test_the_map_of_what_was_sent_has_one_scale_for_all_schemes(database: Path) -> None:
    change(database, "update treatment_delivery set divergence = 0.12 where verdict = 'treated differently'")
    map_of = re.search(r'<table class="matrix.*?</table>', report(database).part("scheme-rfm").html, re.DOTALL)
    assert map_of and 'class="m d1"' in map_of[0] and "d4" not in map_of[0]


def test_a_scheme_of_which_nothing_is_known_is_named_in_one_line_only(database: Path) -> None:
    change(database, "update scheme_scorecard set members = 0, verdict = 'unproven' where scheme = 'life_stage'")
    page = report(database)
    assert not page.has("scheme-life-stage")
    said = "Nothing is known of Life stage: docs/schemes.md says which columns they are read from."
    assert said in page.part("schemes").text and said in page.part("not-known").text
    assert "Life stage" not in page.part("front").text
    change(database, "update scheme_scorecard set members = 0")
    assert "Nothing is known of RFM and Life stage" in report(database).text


def test_profiles_show_value_and_index_and_colour_what_is_notable(database: Path) -> None:
    page = report(database).part("scheme-rfm")
    assert page.table("What sets the segments apart") == [
        ["Everyone", "1,689", "57.0", "22.6", "16.6 %"],
        ["Best & first", "2,542 ▲ 1.51", "96.7 ▲ 1.70", "8.7 ▼ 0.39", "16.3 % 0.98"],
        ["<script>alert('x')</script>", "1,700 1.01", "–", "–", "–"],
    ]
    assert "EUR, a year" in page.text


def test_a_segments_own_tie_is_the_one_that_exceeds_everyones_most(database: Path) -> None:
    assert report(database).part("scheme-rfm").table("What segments buy together") == [
        ["Best & first", "Beer", "Wine <&>", "4.3", "2.7", "51"]
    ]


def test_a_scheme_with_many_segments_draws_those_with_most_spend_and_lists_all(database: Path) -> None:
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
    page = report(database).part("scheme-category-interest")
    assert "The 15 segments with the largest spend." in page.text
    rows = page.table("Segments of Category interest")
    assert len(rows) == 40 and rows[0][0] == "Segment no. 40"
    assert "and 775 more pairs" in page.text
    assert "Each segment: d" in page.text


def test_two_segments_with_one_label_stay_two(database: Path) -> None:
    change(database, "update segments set label = 'Same' where scheme = 'life_stage'")
    assert "Same (2)" in report(database).text


# Movement


def test_moves_are_listed_and_those_of_too_few_are_counted_together(database: Path) -> None:
    page = report(database).part("movement")
    assert page.table("Moves between segments, RFM") == [
        ["Best & first", "<script>alert('x')</script>", "150"],
    ]
    # 4 that are too few to tell, and the next 40, so that nobody gets them by subtraction.
    assert "The smallest moves: 44 customers together." in page.text
    assert "999" not in page.text


def test_segments_then_and_now_add_up(database: Path) -> None:
    rows = report(database).part("changes").table("Segments then and now")
    assert rows == [
        ["Best & first", "RFM", "1,150", "1,040", "▼ 110", "40", "150"],
        ["<script>alert('x')</script>", "RFM", "444", "550", "▲ 106", "150", "44"],
    ]


def test_periods_shorter_than_a_month_are_taken_together(database: Path) -> None:
    change(database, "update segment_migrations set period_start = '2026-02-15' where period_start = '2026-02-01'")
    change(database, "update segment_migrations set period_end = '2026-02-15' where period_end = '2026-02-01'")
    page = report(database)
    rows = page.part("changes").table("Segments then and now")
    assert "1 January 2026 Now Change" in page.part("changes").text
    assert "1,040 since 1 January 2026, " in page.part("front").text
    assert ["Best & first", "RFM", "999", "1,040", "▼ 1,109", "40", "1,149"] in rows


def test_a_file_without_moves_says_so(database: Path) -> None:
    change(database, "drop table segment_migrations")
    assert "This file holds no moves between segments" in report(database).part("movement").text


# Selling


def pairs(page: Page, title: str = "Categories bought in one basket") -> list[list[str]]:
    return page.part("affinities").table(title)


def test_pairs_stand_strongest_first_and_once_with_both_directions(database: Path) -> None:
    assert pairs(report(database)) == [
        ["Taco Shells", "Seasoning <&>", "16 ×", "392", "39.2 %", "9.8 %"],
        ["Bread", "Milk", "1.2 ×", "1,500", "50.0 %", "42.9 %"],
    ]


def test_ties_of_many_baskets_come_first_in_a_table_of_their_own(database: Path) -> None:
    """SEASONING makes 392 - 24 baskets, PASTA 900 - 300; BREAD's 1,500 are too near to what sizes lead to expect."""
    change(
        database,
        """insert into product_affinities
        values ('category', 'basket', 'PASTA', 'SAUCE', 9000, 2000, 1500, 900, 0.45, 3, 3, 0)""",
    )
    page = report(database)
    assert [row[0] for row in pairs(page)] == ["Taco Shells", "Pasta", "Bread"]
    assert [row[0] for row in pairs(page, "Categories whose ties make most baskets")] == ["Pasta", "Taco Shells"]


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
    assert pairs(report(database), "Categories bought instead of each other") == [
        ["Small Eggs", "Large Eggs", "12", "300"]
    ]


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
    page = report(database).part("affinities")
    assert "instead of each other" not in page.text.split("Times as often")[1]
    assert [row[:3] for row in pairs(report(database))] == [["Taco Shells", "Seasoning <&>", "8.0 ×"]]


def test_what_leads_stands_in_its_direction_and_what_does_not_has_no_clear_order(database: Path) -> None:
    relations(database)
    page = report(database)
    leads = pairs(page, "Categories of which one leads to the other, within 30 days")
    assert leads == [["Tent", "Stove", "60", "30.0 %", "12"]]
    after = pairs(page, "Categories bought one after the other, within 30 days")
    assert after == [["Cup", "Saucer", "40", "40.0 %", "38 no clear order", "2.5 ×"]]


def test_pairs_of_products_are_shown_only_where_nothing_else_is_known(database: Path) -> None:
    change(
        database,
        """insert into product_affinities
        values ('product', 'basket', '4711', '4712', 9000, 2000, 1500, 900, 0.45, 3, 3, 0)""",
    )
    assert "4711" not in report(database).text
    change(database, "delete from product_affinities where item_level <> 'product'")
    assert pairs(report(database), "Products bought in one basket")[0][:2] == ["4711", "4712"]


def test_items_go_by_the_label_given_to_them(database: Path) -> None:
    change(
        database,
        """create table item_names as
        select 'category' as item_level, 'TACO SHELLS' as item, 'Tacos, crisp' as label""",
    )
    assert pairs(report(database))[0][0] == "Tacos, crisp"


def test_affinities_leave_out_what_chance_explains(database: Path) -> None:
    assert "Apart" not in report(database).part("affinities").text


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
    text = report(database).part("affinities").text
    assert "Fluke" not in text
    assert "seen in at least 100 baskets" in text


def test_levels_and_windows_have_tables_of_their_own_subcategories_first(database: Path) -> None:
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
    page = report(database)
    assert pairs(page, "Subcategories bought in one basket") == [
        ["Frosting", "Cake Mix", "20 ×", "1,187", "68.0 %", "29.7 %"]
    ]
    assert pairs(page, "Subcategories bought one after the other, within 30 days") == [
        ["Diapers", "Wipes <&>", "143", "46.7 %", "41", "2.2 ×"]
    ]
    text = page.part("affinities").text
    assert text.index("Frosting") < text.index("Taco Shells")


def test_one_item_stands_in_two_rows_of_a_table_at_most(database: Path) -> None:
    change(
        database,
        """
        insert into product_affinities
        select 'subcategory', 'basket', 'BABY', 'FOOD ' || i, 9000, 900, 900, 400, 0.4, 9, 20 - i, 0
        from range(5) as r(i);
        """,
    )
    assert [row[1] for row in pairs(report(database), "Subcategories bought in one basket")] == ["Food 0", "Food 1"]


def test_the_matrix_holds_each_pair_from_both_sides(database: Path) -> None:
    rows = report(database).part("affinity-matrix").table("Matrix of affinities")
    names = [row[0].split(". ")[1] for row in rows]
    a, b = names.index("Seasoning <&>"), names.index("Taco Shells")
    assert rows[a][b + 1] == rows[b][a + 1] == "16.4"
    assert rows[a][a + 1] == ""


def test_offers_are_a_table_with_their_most_frequent_reasons(database: Path) -> None:
    page = report(database).part("offers")
    # Six because of SAND; two because of BRICKS, too few to tell.
    assert page.table("Offers by item") == [["Cement", "8", "Sand"]]
    assert "For 10 customers there are 10 offers" in page.text
    assert "Items for fewer than 5 customers are left out." in page.text and "Paint" not in page.text


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (3, "Offers and gaps are made of products, because only 3 categories of what was sold are known."),
        (1, "Offers and gaps are made of products, because only 1 category of what was sold is known."),
        (0, "Offers and gaps are made of products, because no category of what was sold is known."),
    ],
)
def test_a_poor_catalogue_is_told_before_offers_and_gaps(database: Path, known: int, told: str) -> None:
    table = "create table offer_level as select 'category' as level_wanted, 'product' as item_level"
    change(database, f"{table}, {known} as items_wanted")
    assert told in report(database).part("selling").text
    change(database, "update offer_level set item_level = 'category'")
    assert "Offers and gaps are made of" not in report(database).text


def test_missing_complements_are_summed_by_pair_most_money_first(database: Path) -> None:
    page = report(database).part("gaps")
    assert (
        "9 customers regularly buy one item and never what goes with it: together worth up to 414 EUR a year"
        in page.text
    )
    assert page.table("Gaps by money") == [["Bricks", "Sand <&>", "8", "402", "45.1 %"]]
    assert "Brushes" not in page.text and "Pairs of fewer than 5 customers are left out." in page.text
    # The front page tells the same sum, of all pairs.
    assert "Sell what goes with it: up to 414 EUR." in report(database).part("front").text


def test_audiences_count_sends_and_drops_by_channel_and_reason(database: Path) -> None:
    page = report(database).part("audiences")
    assert "Of 13 treatments that members have, 7 sends in the audiences of 1 March 2026." in page.text
    assert page.table("Sends by channel")[0] == ["mail", "withheld", "7", "0", *["fewer than 5"] * 2, "0", "0"]
    assert "Nobody is contacted" not in page.text


def test_an_empty_audience_says_that_nobody_is_contacted(database: Path) -> None:
    change(database, "delete from audiences; delete from audience_decisions where outcome = 'sent'")
    text = report(database).part("audiences").text
    assert "0 sends in the audiences." in text
    assert "Nobody is contacted. The table says what holds the sends back." in text


def test_audiences_without_decisions_still_count_the_sends(database: Path) -> None:
    change(database, "drop table audience_decisions")
    change(database, "insert into audiences select 'mail', 'm' || i, 't2', '2026-03-01' from range(4) as r(i)")
    page = report(database).part("audiences")
    assert "6 sends in the audiences of 1 March 2026." in page.text
    assert page.table("Sends by channel") == [["mail", "6"]]


# Occasions


def test_only_what_is_beyond_chance_is_coloured_and_every_gap_is(database: Path) -> None:
    page = report(database).part("occasion-matrix")
    assert page.table("Occasions, RFM") == [
        ["Best & first", "1.50 ▲ more", "0.50 ▼ gap"],
        ["<script>alert('x')</script>", "0.90", "1.10"],
    ]
    cells = re.findall(r'<td class="([^"]*)"[^>]*><span class="v" dir="auto">([^<]*)<', page.html)
    for css, said in cells:
        assert ("▼" in said) == ("down2" in css) and ("▲" in said) == ("up1" in css)
    assert "Dinner 50.0 % of all" in spaced(page.text)


def test_a_gap_has_the_baskets_that_everyones_share_would_make_and_their_money(database: Path) -> None:
    """2,000 baskets of 4,000 are of the evening; half of the 2,000 of these members would be 1,000."""
    assert report(database).part("occasion-gaps").table("Occasions that segments leave out") == [
        ["Best & first", "RFM", "Late evening", "500", "1,000", "900"]
    ]


def test_an_occasion_of_the_users_own_is_named_and_cannot_become_markup(database: Path) -> None:
    change(database, "update occasion_matrix set occasion = '<b>tea_time</b>' where occasion = 'late_evening'")
    page = report(database)
    assert "Win more “<b>tea time</b>” trips from “Best & first”" in page.text
    assert "b" not in page.tags()


def test_gaps_of_a_scheme_made_of_occasions_are_its_definition_and_none(database: Path) -> None:
    change(database, "update segments set segment = 'dinner' where segment = 'best'")
    change(database, "update occasion_matrix set segment = 'dinner' where segment = 'best'")
    page = report(database)
    assert "made of occasions" in page.part("scheme-rfm").text
    assert not page.has("occasion-gaps")


# What pays


def test_a_tested_treatment_shows_uplift_and_a_void_one_says_so(database: Path) -> None:
    page = report(database)
    assert page.part("tested").table("Tested treatments") == [
        [
            "The treatment of Best & first, by app",
            "everyone",
            "spend",
            "800",
            "200",
            "3.25",
            "",
            "1.50 to 5.00",
            "0.42",
            "–",
        ]
    ]
    row = page.part("scheme-rfm").table("Tested treatments, RFM")[0]
    assert row[:2] == ["The treatment of <script>alert('x')</script>, by mail", "Best & first"]
    assert "void" in row[5]


def test_an_open_test_shows_the_interval_of_all_looks_too(database: Path) -> None:
    change(
        database,
        """
        alter table treatment_outcomes add column always_low double;
        alter table treatment_outcomes add column always_high double;
        alter table treatment_outcomes add column is_closed boolean;
        update treatment_outcomes set always_low = -0.5, always_high = 7, is_closed = false
        """,
    )
    row = report(database).part("tested").table("Tested treatments")[0]
    assert row[7] == "1.50 to 5.00 all looks: -0.50 to 7.00" and row[9] == "open"


def test_the_interval_that_decides_whether_it_pays_stands_beneath_the_net_value(database: Path) -> None:
    change(
        database,
        """
        alter table treatment_outcomes add column verdict_net_low double;
        alter table treatment_outcomes add column verdict_net_high double;
        update treatment_outcomes set verdict_net_low = -0.1, verdict_net_high = null
        """,
    )
    assert report(database).part("tested").table("Tested treatments")[0][8] == "0.42 -0.10 to ∞"


def test_plans_of_schemes_that_somebody_is_in_come_nearest_first(database: Path) -> None:
    change(
        database,
        """
        create table experiment_plans (scheme varchar, question varchar, arms varchar, members_needed bigint,
            members_available bigint, days bigint, effect_of_interest double, smallest_effect double,
            foregone_value double, why varchar);
        insert into experiment_plans values
            ('life_stage', 'pays', 'treated 1/2, holdout 1/2', 60000, 600, 99999999, 1, 9.5, null, 'w'),
            ('rfm', 'dividend', 'thirds', 1000, 1950, 90, 1, 2, 12345, 'w'),
            ('absent', 'pays', 'thirds', 10, 0, 90, 1, 2, 3, 'w')
        """,
    )
    page = report(database).part("plans")
    assert "1 test of 2 can be answered with the members of today." in page.text
    rows = page.table("Experiments to run")
    assert [row[0] for row in rows] == ["RFM", "Life stage"]
    assert rows[1][2:6] == ["1.00", "60,000", "600", "over 10 years"]
    assert "One to begin with" not in page.text
    # Where today's members settle nothing, the test that shows the least difference leads.
    change(database, "update experiment_plans set members_needed = 4000 where scheme = 'rfm'")
    page = report(database).part("plans")
    assert "send one big offer to a random half of the 600 members of Life stage, and nothing" in page.text
    assert "shows if it brings 9.50 EUR a member" in page.text
    assert [row[0] for row in page.table("Experiments to run")] == ["Life stage", "RFM"]
    assert page.table("How to run each experiment")[1][0] == "Does what is sent pay?"
    # An effect of interest of 0.50 is one per cent of what they spend, so 9.50 are 19.
    change(database, "update experiment_plans set effect_of_interest = 0.5")
    change(database, "alter table refresh_settings add column least_dividend double")
    change(database, "alter table refresh_settings add column outcome_days integer")
    change(database, "update refresh_settings set least_dividend = 0.01, outcome_days = 90")
    said = "brings 9.50 EUR (19 % of their spend) a customer in 90 days or more."
    assert said in report(database).part("front").text


def test_the_dividend_is_told_with_its_verdict(database: Path) -> None:
    change(
        database,
        """
        create table segmentation_dividend (scheme varchar, experiment_id varchar, members bigint, value_one double,
            one_treatment varchar, value_by_segment double, dividend double, ci_low double, ci_high double,
            p_value double, dividend_total double, verdict varchar, why varchar);
        insert into segmentation_dividend values
            ('rfm', 'e1', 900, 10, 't1', 12.5, 2.5, 1, null, 0.01, 2260000, 'segmenting pays', 'best earns')
        """,
    )
    page = report(database)
    row = page.part("dividend").table("Segmentation dividend")[0]
    assert row[:2] == ["RFM", "✓ segmenting pays"] and row[5] == "2.50 1.00 to ∞" and row[7] == "2,260,000"
    assert "Roll out what was proven: 2.3 M EUR." in page.part("front").text


def test_where_no_dividend_was_computed_no_treatment_is_the_best_for_all(database: Path) -> None:
    change(
        database,
        """
        create table segmentation_dividend (scheme varchar, experiment_id varchar, members bigint, value_one double,
            one_treatment varchar, value_by_segment double, dividend double, ci_low double, ci_high double,
            p_value double, dividend_total double, verdict varchar, why varchar);
        insert into segmentation_dividend (scheme, experiment_id, members, one_treatment, verdict, why) values
            ('rfm', 'e1', 900, null, 'unproven', 'No margin is known.'),
            ('life_stage', 'e1', 900, 'none', 'nothing pays', 'Nothing earns.')
        """,
    )
    rows = report(database).part("dividend").table("Segmentation dividend")
    assert {row[0]: row[2] for row in rows} == {"RFM": "–", "Life stage": "Nothing sent"}
    # The arms of a scheme's uniform experiment are no treatments; elsewhere such an id may be one.
    change(
        database,
        """
        update segmentation_dividend set experiment_id = 'uniform_rfm';
        update segmentation_dividend set one_treatment = if(scheme = 'rfm', 'uniform', 'by_segment')
        """,
    )
    rows = report(database).part("dividend").table("Segmentation dividend")
    assert {row[0]: row[2] for row in rows} == {
        "RFM": "RFM: one treatment for all",
        "Life stage": "RFM: each segment its own treatment",
    }
    change(database, "update segmentation_dividend set experiment_id = 'e1'")
    rows = report(database).part("dividend").table("Segmentation dividend")
    assert {row[2] for row in rows} == {"Uniform", "By segment"}


# Companies

COMMITTEES = """
create table company_committees (company_id varchar, role varchar, role_order integer, is_covered boolean,
    is_contactable boolean, spend decimal(18, 4), readiness double, risk varchar);
insert into company_committees
select 'company-' || i, role, place, i < 9 and (role <> 'finance' or i < 6), i < 9 and role = 'initiator',
    case when i < 9 then 100 else 5000 end, 0.375, case when i < 6 then null else '<i>nobody</i>' end
from range(14) as c(i),
    (values ('initiator', 1), ('department_head', 2), ('finance', 3), ('signatory', 4)) as r(role, place);
"""


def test_companies_are_counted_by_role_and_never_named(database: Path) -> None:
    change(database, COMMITTEES)
    page = report(database).part("companies")
    assert "Of 14 companies, somebody is known for each role at 6" in page.text
    assert page.table("Roles of buying committees") == [
        ["Initiator", "9", "9", "25,000", "<i>nobody</i>"],
        ["Head of department", "9", "0", "25,000", "<i>nobody</i>"],
        ["Finance", "6", "0", "25,300", "<i>nobody</i>"],
        ["Signatory", "9", "0", "25,000", "<i>nobody</i>"],
    ]
    # Three companies that lack finance alone are too few to tell, and could be had by subtraction.
    assert page.table("Companies by roles known") == [
        ["4 of 4", "6", "600", "37.5 %"],
        ["other numbers of roles", "8", "–", "–"],
    ]
    assert "company-" not in report(database).html


def test_of_contact_persons_no_spend_is_told(database: Path) -> None:
    """They buy nothing for themselves: their segments hold zeros."""
    change(
        database,
        """
        insert into segment_schemes values
            ('buying_role', 'company_contact', 'firmographic', 'The part in a decision.', true, 'block', null);
        insert into segments values
            ('buying_role', 'finance', 'Finance', 'Pays', 1, 'declared', 30, 0.6, 0, 0, 'niche', null),
            ('buying_role', 'signatory', 'Signatory', 'Signs', 2, 'declared', 20, 0.4, 0, 0, 'niche', null);
        insert into segment_months
        select 'buying_role', 'finance', month, 30, 0, 0, 0
        from range(date '2025-12-01', date '2026-03-01', interval 1 month) as m(month)
        """,
    )
    page = report(database).part("scheme-buying-role")
    assert page.table("Segments of Buying role") == [
        ["Finance Pays", "30", "60.0 %", "declared"],
        ["Signatory Signs", "20", "40.0 %", "declared"],
    ]
    assert "Contact persons" in page.text and "Customers" not in page.text
    assert "pend" not in page.text and "niche" not in page.text


def test_without_companies_there_is_no_page_of_them(database: Path) -> None:
    assert not report(database).has("companies")
    change(database, COMMITTEES.split("insert")[0])
    assert not report(database).has("companies")


# Data quality


def test_refused_rows_are_counted_by_table_and_reason_without_their_content(database: Path) -> None:
    page = report(database).part("account")
    assert page.table("Refused rows") == [
        ["order_lines", "amount: not a number", "3"],
        ["customers", "kind: not one of person, company", "1"],
        ["order_lines", "order_id: missing", "1"],
    ]
    assert "4 rows refused; a row with several reasons" in page.text
    assert page.table("Account of rows")[0] == ["Rows read", "12,345"]
    assert "secret-value" not in report(database).html


def test_equal_lines_and_superseded_rows_are_told_with_the_setting_where_there_are_any(database: Path) -> None:
    assert "superseded" not in report(database).text and "equal_lines" not in report(database).text
    change(database, "alter table refreshes add column rows_superseded bigint")
    change(database, "alter table refreshes add column equal_lines bigint")
    change(database, "alter table refreshes add column equal_lines_amount decimal(18, 4)")
    change(database, "update refreshes set rows_superseded = 32, equal_lines = 1204, equal_lines_amount = 9876.5")
    text = report(database).part("account").text
    assert "1,204 order lines without a line number, worth 9,876 EUR," in text and "setting equal_lines: keep" in text
    assert "32 rows of those refused superseded" in text


def test_lines_that_do_not_count_and_lines_of_nobody_are_told_where_there_are_any(database: Path) -> None:
    assert "order_statuses" not in report(database).text and "guest_ids" not in report(database).text
    change(database, "alter table refreshes add column rows_not_counted bigint")
    change(database, "alter table refreshes add column rows_anonymous bigint")
    change(database, "update refreshes set rows_not_counted = 1204, rows_anonymous = 1")
    text = report(database).part("account").text
    assert "1,204 order lines of the rows used did not count by status" in text
    assert "1 order line of the rows used with no customer" in text


def test_values_without_a_meaning_are_counted_most_frequent_first(database: Path) -> None:
    page = report(database).part("spellings")
    assert page.table("Values without a meaning") == [
        ["customers.employment", "juggler", "1,234"],
        ["customers.gender", "<i>?</i>", "3"],
    ]
    assert "2 values that no seed knows" in page.text and "seeds/spellings.csv" in page.text
    assert "order_statuses" not in page.text and "job_titles" not in page.text
    change(database, "delete from unmapped_spellings")
    assert "Every value has a meaning." in report(database).text


def test_statuses_and_job_titles_without_a_meaning_are_told_with_the_seeds_that_read_them(database: Path) -> None:
    change(
        database,
        "delete from unmapped_spellings where attribute = 'gender';"
        "insert into unmapped_spellings values ('order_lines', 'status', 'by pigeon', 9), "
        "('company_contacts', 'job_title', 'wizard', 2), ('company_contacts', 'job_title', 'seer', 1), "
        "('companies', 'process_maturity', '7', 4)",
    )
    page = report(database).part("spellings")
    assert "1 value that no seed knows" in page.text
    assert (
        "1 status that no seed knows: its lines count as sales until a row in seeds/order_statuses.csv says"
        in page.text
    )
    assert "2 job titles that tell no role: they count as unknown until a row in seeds/job_titles.csv" in page.text
    assert "1 process maturity that is no level of seeds/segment_definitions.csv: it counts as not" in page.text
    assert ["order_lines.status", "by pigeon", "9"] in page.table("Values without a meaning")


def test_sizes_that_begin_with_no_number_are_told_without_a_seed_because_none_reads_them(database: Path) -> None:
    change(
        database,
        "delete from unmapped_spellings;"
        "insert into unmapped_spellings values ('customers', 'children', 'none', 9), "
        "('customers', 'household_size', 'many', 2), ('prospects', 'household_size', 'many', 1)",
    )
    page = report(database).part("spellings")
    assert "3 household sizes or numbers of children that do not begin with a number: they count" in page.text
    assert "no seed knows" not in page.text and "spellings.csv" not in page.text
    assert ["customers.children", "none", "9"] in page.table("Values without a meaning")
    change(database, "delete from unmapped_spellings where attribute = 'household_size'")
    text = report(database).part("spellings").text
    assert "1 household size or number of children that does not begin with a number: it counts" in text


def test_values_that_cannot_be_read_are_shown_with_what_would_read_them(database: Path) -> None:
    page = report(database).part("unreadable")
    assert "9,317 values of optional columns count as empty" in page.text
    rows = page.table("Values that cannot be read")
    assert rows[0] == ["customers.annual_income", "$90,000", "9,315", "not a number; write 90000"]
    change(database, "delete from unreadable_values")
    assert not report(database).has("unreadable")


def test_what_is_open_is_named_with_its_schemes(database: Path) -> None:
    rows = report(database).part("not-known").table("Open questions")
    assert rows == [
        ["Whether segments were treated differently", "1", "Life stage"],
        ["Whether it pays", "1", "Life stage"],
    ]


# Discreet


def test_no_page_names_a_customer(database: Path) -> None:
    change(database, COMMITTEES)
    html = report(database).html
    for known in ("customer-", "company-1", "2 February 2026", "27 February 2026"):
        assert known not in html


def test_a_small_segment_is_merged_with_the_next_so_that_it_cannot_be_subtracted(database: Path) -> None:
    change(database, "update segments set members = 3 where segment = 'tokyo'")
    page = report(database).part("scheme-rfm")
    rows = page.table("Segments of RFM")
    assert rows[-1][:3] == ["2 small segments together", "53", "10.0 %"]
    assert "東京" not in str(rows)


@given(st.lists(st.integers(0, 12), max_size=8))
def test_no_small_part_of_a_known_whole_can_be_had_by_subtraction(parts: list[int]) -> None:
    shop = SimpleNamespace(least=5, is_few=lambda part: 0 < part < 5)
    withheld = Shop.withheld(shop, parts)  # type: ignore[arg-type]
    told = [part for place, part in enumerate(parts) if place not in withheld]
    assert not any(map(shop.is_few, told))
    if not any(map(shop.is_few, parts)):
        assert withheld == set()
    elif any(told):
        assert len(withheld) > 1 and sum(parts[place] for place in withheld) >= 5
        # No larger one is withheld where a smaller would have done.
        others = [parts[place] for place in withheld if not shop.is_few(parts[place])]
        assert not others or max(others) <= min(part for part in told if part)
    # What is kept is told, unless it is too small itself; then the whole is what is not.
    kept = {0, 1}
    assert not any(place in kept and not shop.is_few(parts[place]) for place in Shop.withheld(shop, parts, kept))


def test_a_shop_of_two_members_tells_nothing_about_them(database: Path) -> None:
    change(
        database,
        """
        delete from customer_profiles where customer_id not in ('customer-0', 'customer-1');
        update segments set members = case segment when 'best' then 2 else 0 end, spend = 777333;
        update segment_months set members = 2, spend = 777333;
        delete from segment_migrations where members > 4;
        update occasion_matrix set customers = 2;
        """,
    )
    page = report(database)
    assert "fewer than 5 customers" in page.part("front").text
    assert "777,333" not in page.text
    assert page.unbalanced == []


def test_how_few_are_too_few_is_a_setting(database: Path) -> None:
    change(database, "update refresh_settings set min_cell_members = 9")
    page = report(database).part("gaps")
    assert "Each gap is one of fewer than 9 customers" in page.text


# The file


def test_labels_and_messages_cannot_become_markup(database: Path) -> None:
    page = report(database)
    assert not page.tags() & {"img", "b", "family", "i", "iframe", "object", "embed", "link", "base", "form"}
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "<script>alert('x')</script>" in page.text
    assert "<img src=x onerror=alert(1)>" in page.text
    assert page.unbalanced == []


def test_quotes_in_ids_and_labels_stay_within_their_attribute(database: Path) -> None:
    change(
        database, """update segments set scheme = '" onload="x', label = '" onclick="y' where scheme = 'life_stage'"""
    )
    change(database, "update treatment_distinctness set segment_a = '\" onfocus=\"z' where segment_a = 'best'")
    change(database, "update treatment_delivery set segment_a = '\" onfocus=\"z' where segment_a = 'best'")
    page = report(database)
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.unbalanced == []


def test_page_refers_to_nothing_outside_itself(database: Path) -> None:
    page = report(database)
    scriptless = re.sub(r"<script>.*</script>", "", page.html, flags=re.DOTALL)
    assert "http:" not in page.html and "https:" not in page.html and "//" not in re.sub(r"/\*.*?\*/", "", scriptless)
    assert "@import" not in page.html and "url(" not in page.html and "@font-face" not in page.html
    assert "fetch" not in page.html and "XMLHttp" not in page.html
    for _, attributes in page.elements:
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")


def test_only_the_pages_own_script_may_run(database: Path) -> None:
    html = report(database).html
    digest = re.search(r"script-src 'sha256-([^']+)'", html)
    script = re.search(r"<script>(.*?)</script>", html.split("</main>")[1], re.DOTALL)
    assert digest and script
    import base64
    import hashlib

    assert base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode() == digest[1]


def test_every_link_leads_to_one_place(database: Path) -> None:
    change(database, COMMITTEES)
    page = report(database)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for tag, attributes in page.elements if tag == "a" and attributes.get("href")}  # type: ignore[index]
    pages = {"front", "schemes", "scheme-rfm", "movement", "selling", "occasions", "companies", "pays", "quality"}
    assert pages <= targets
    assert targets - set(ids) == set()


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


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("scheme_scorecard", "This file holds no scorecard."),
        ("segments", "This file holds no segments of the scheme."),
        ("treatments", "This file holds no treatments."),
        ("treatment_distinctness", "This file holds no comparison of treatments."),
        ("treatment_delivery", "This file holds no comparison of what was sent."),
        ("product_affinities", "This file holds no affinities."),
        ("next_best_offers", "This file holds no offers."),
        ("quarantine", "This file holds no list of refused rows."),
        ("refreshes", "This file holds no note of the refresh that made it."),
        ("treatment_outcomes", "Nothing was tested against customers held out at random yet"),
    ],
)
def test_an_absent_table_is_said_to_be_absent(database: Path, table: str, said: str) -> None:
    assert said not in report(database).text
    change(database, f"drop table {table}")
    page = report(database)
    assert said in page.text
    assert page.unbalanced == []


@pytest.mark.parametrize(
    ("table", "heading"),
    [
        ("segment_profiles", "What sets them apart"),
        ("occasion_matrix", "When they buy, and when they do not"),
        ("segment_affinities", "What they buy together more than others"),
        ("cross_sell_gaps", "Bought without what goes with it"),
        ("unmapped_spellings", "Values without a meaning"),
        ("unreadable_values", "Values that cannot be read"),
        ("segment_months", "Sizes and spend over months"),
    ],
)
def test_the_part_of_an_absent_table_is_left_out(database: Path, table: str, heading: str) -> None:
    assert heading in report(database).text
    change(database, f"drop table {table}")
    page = report(database)
    assert heading not in page.text
    assert page.unbalanced == []


def test_empty_tables_make_a_page_that_says_so(database: Path) -> None:
    with duckdb.connect(str(database)) as con:
        for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
            con.execute(f"delete from {table}")
    page = report(database)
    for said in ("There is no verdict on any scheme", "No two items", "There are no offers", "No row was refused"):
        assert said in page.text
    assert page.unbalanced == []


def test_a_database_without_tables_makes_a_page(tmp_path: Path) -> None:
    duckdb.connect(str(tmp_path / "segments.duckdb")).close()
    page = report(tmp_path / "segments.duckdb")
    assert "This file holds no segments." in page.text
    assert page.unbalanced == []


def test_numbers_that_are_not_there_show_as_a_dash(database: Path) -> None:
    with duckdb.connect(str(database)) as con:
        columns = con.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'main' and not internal"
            " and data_type in ('DOUBLE', 'BIGINT', 'DATE', 'DECIMAL(18,4)', 'DECIMAL(18,2)')"
            " and table_name not in ('segment_migrations', 'segment_months', 'refresh_settings')"
        ).fetchall()
        for table, column in columns:
            con.execute(f"update {table} set {column} = null")
    page = report(database)
    assert not re.search(r"\bnan\b|\bNone\b", page.text)
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


# Colours


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, by WCAG 2.2."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


INKS = {
    "good": ("good-bg",),
    "warn": ("warn-bg",),
    "bad": ("bad-bg",),
    "open": ("open-bg",),
    "ink": ("paper", "some", "more", "down1", "down2", "up1", "up2", "d0", "d1", "d2", "bar"),
    "quiet": ("ground", "paper", "open-bg"),
    "accent": ("paper", "ground"),
    "on-d3": ("d3",),
    "on-d4": ("d4",),
    "c0": ("paper",),
    "c1": ("paper",),
    "c2": ("paper",),
    "c3": ("paper",),
    "c4": ("paper",),
    "c5": ("paper",),
    "c6": ("paper",),
    "c7": ("paper",),
}


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_text_has_the_contrast_that_readers_need(database: Path, theme: str) -> None:
    blocks = re.findall(r":root \{(.*?)\}", report(database).html, re.DOTALL)
    assert len(blocks) == 3
    colours: dict[str, str] = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", blocks[0]))
    colours |= dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", blocks[["light", "dark", "print"].index(theme)]))
    for ink, grounds in INKS.items():
        for ground in grounds:
            light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{ink} on {ground}"


PROSPECTS = """
create table segments (scheme varchar, segment varchar, label varchar, member_share double);
insert into segments values ('life_stage', 'student', 'Students & co', 0.25);
create table prospect_segments (scheme varchar, prospect_id varchar, kind varchar, segment varchar, score double,
    outcome varchar, persona_id varchar, is_contactable boolean);
insert into prospect_segments
select 'life_stage', 'secret-' || n, 'person', 'student', 0.8, 'scored', 'sharer', n <= 6 from range(12) as t(n)
union all select 'life_stage', 'secret', 'person', 'unknown', 0.4, 'below the threshold', null, false from range(7)
union all select 'prospect_persona', 'secret', 'company', 'unknown', null, 'no scheme for its kind', null, false;
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


def test_prospects_have_a_page_and_none_is_named(database: Path) -> None:
    assert 'id="prospects"' not in report(database).html
    change(database, "drop table if exists prospect_segments")
    with duckdb.connect(str(database)) as con:
        con.execute("create table prospect_segments" + PROSPECTS.split("create table prospect_segments", 1)[1])
    page = report(database)
    assert 'id="prospects"' in page.html and "secret" not in page.html
    part = page.part("prospects")
    assert "12 of 20 prospects have a segment" in part.text and "7 may be written to about it" in part.text
    # What is fewer than five is not told exactly; descriptions are text, never HTML.
    assert ["no scheme for its kind", "fewer than 5"] in [row[:2] for row in part.table("Prospects without a segment")]
    assert "Four &lt;students&gt;" in page.html
    # A model that scores nobody is not shown.
    assert "age band, employment" in page.text and "nearest profile" not in page.text
    assert "below the threshold" in page.text and "lower min_score" in page.text
    change(database, "delete from prospect_segments where segment <> 'unknown' or outcome = 'below the threshold'")
    assert "There are fewer than 5 prospects." in report(database).part("prospects").text


def test_data_that_are_made_up_are_said_to_be_on_every_page(database: Path) -> None:
    assert "no real customer" not in report(database).text
    change(database, "alter table refresh_settings add column if not exists data_label varchar")
    change(database, "update refresh_settings set data_label = 'a simulated merchant'")
    page = report(database)
    assert "Segments in use of a simulated merchant" in page.html
    assert "A simulated merchant: no real customer is in it." in page.text


# What to sell to which segment

SOLD = """
create table customer_segments (scheme varchar, member_id varchar, segment varchar, as_of date);
insert into customer_segments select 'rfm', 'b' || i, 'best', '2026-03-01' from range(40) as r(i);
insert into customer_segments select 'rfm', 'e' || i, 'evil', '2026-03-01' from range(20) as r(i);
insert into customer_segments select 'rfm', 't' || i, 'unknown', '2026-03-01' from range(20) as r(i);
delete from cross_sell_gaps;
-- Of like buyers of tea nine in ten buy milk, of cat food four in ten dog food: that is no offer, whatever its money.
insert into cross_sell_gaps
select 'b' || i, 1, 'category', 'TEA', 7, '2026-02-27', 'MILK', 300, 4, 100, 90, 10 from range(8) as r(i);
insert into cross_sell_gaps
select 'b' || i, 2, 'category', 'CAT FOOD', 7, '2026-02-27', 'DOG FOOD', 300, 4, 100, 40, 99 from range(9) as r(i);
insert into cross_sell_gaps
select 'e' || i, 1, 'category', 'BRICKS', 7, '2026-02-27', 'SAND', 300, 4, 100, 80, 5.5 from range(6) as r(i);
-- Too few to tell.
insert into cross_sell_gaps
select 'e' || i, 2, 'category', 'NAILS', 7, '2026-02-27', 'HAMMERS', 300, 4, 100, 80, 500 from range(4) as r(i);
delete from next_best_offers;
insert into next_best_offers select 'b' || i, 1, 'category', 'COFFEE', 1, null, null, null from range(30) as r(i);
insert into next_best_offers select 'e' || i, 1, 'category', 'COFFEE', 1, null, null, null from range(5) as r(i);
insert into next_best_offers select 'e' || i, 1, 'category', 'PAINT', 1, null, null, null from range(5, 15) as r(i);
insert into next_best_offers select 'b' || i, 1, 'category', 'PAINT', 1, null, null, null from range(30, 35) as r(i);
"""


def test_each_segment_is_told_what_is_offered_more_than_to_others_and_its_likely_pairs(database: Path) -> None:
    """Of 50 offers 35 are coffee: of the 35 of the best 24.5 would be, and 30 are."""
    change(database, SOLD)
    page = report(database)
    assert (
        page.part("by-segment").table("What to sell to the segments of RFM")
        == [
            ["Best & first", "Coffee (30)", "Milk, to 8 who buy Tea", "9", "971"],
            ["<script>alert('x')</script>", "Paint (10)", "Sand, to 6 who buy Bricks", "6", "2,033"],
        ][::-1]
    )
    assert "Hammers" not in page.text and "t1" not in page.part("by-segment").text
    front = page.part("front").table("What to sell to whom, by RFM")
    assert front[1] == ["Best & first", "Coffee (30)", "Milk, to 8 who buy Tea"]


def test_pairs_that_less_than_half_of_like_buyers_buy_are_folded_and_no_headline(database: Path) -> None:
    change(database, SOLD)
    page = report(database)
    gaps = page.part("gaps")
    assert [row[:3] for row in gaps.table("Gaps by money")] == [["Tea", "Milk", "8"], ["Bricks", "Sand", "6"]]
    assert [row[:3] for row in gaps.table("Gaps of some customers")] == [["Cat Food", "Dog Food", "9"]]
    assert "For one, 8 customers buy Tea and never Milk: up to 80.00 EUR." in page.part("front").text


def test_without_segments_of_customers_nothing_is_told_by_segment(database: Path) -> None:
    page = report(database)
    assert not page.has("by-segment") and "What to sell to whom, by" not in page.part("front").text


# What is not known


def test_members_without_a_segment_are_counted_with_what_to_land(database: Path) -> None:
    change(
        database,
        """
        update scheme_scorecard set coverage = 0.32, members = 600 where scheme = 'life_stage';
        insert into scheme_scorecard (scheme, members, coverage, verdict) values ('gender', 0, 0, 'unproven');
        insert into segments (scheme, segment, label, members) values ('gender', 'unknown', 'Unknown', 1875)
        """,
    )
    page = report(database)
    assert page.part("not-known").table("Whose segment is not known") == [
        ["Gender", "0", "1,875", "0.0 %", "customers: gender"],
        [
            "Life stage",
            "600",
            "1,875",
            "32.0 %",
            "customers: birth_date, employment, household_composition, children",
        ],
    ]
    front = page.part("front").text
    assert "Not everybody's segment is known: Gender (0 %), Life stage (32 %); what data to add." in front


@pytest.mark.parametrize(
    ("scheme", "files"),
    [
        ("benefit_sought", ["companies: benefit_sought", "make meanings"]),
        (
            "money_effort",
            [
                "customers: annual_income, income_band",
                "order_lines: discount_amount, coupon_amount",
                "products: brand_tier",
            ],
        ),
        ("process_maturity", ["companies: process_maturity", "company_contacts: job_title, department"]),
    ],
)
def test_every_file_that_tells_a_segment_is_named_where_it_is_not_known(scheme: str, files: list[str]) -> None:
    assert LANDED[scheme].split("; ") == files


def test_gaps_by_occasion_say_whose_months_they_speak_of(database: Path) -> None:
    assert "Baskets from" not in report(database).part("occasions").text
    change(database, "alter table refresh_settings add column rfm_window_days integer")
    change(database, "update refresh_settings set rfm_window_days = 365")
    page = report(database)
    said = "Baskets from 1 March 2025 to 28 February 2026, by the segments of today."
    assert said in page.part("occasions").text
    assert "they made 500 such trips since 1 March 2025; at" in page.part("front").text
    # A shop younger than the window has less.
    change(database, "update customer_profiles set first_order_on = '2025-12-24'")
    assert "Baskets from 24 December 2025 to" in report(database).part("occasions").text


def test_colours_of_profiles_follow_what_is_good(database: Path) -> None:
    """Twice the spend and a third of the days without a basket are both good; discounts are neither."""
    change(
        database,
        "insert into segment_profiles values ('rfm', 'evil', 'recency_days', 90, 22.58, 4),"
        " ('rfm', 'evil', 'discount_share', 0.4, 0.1656, 2.4)",
    )
    html = report(database).part("scheme-rfm").html

    def css(value: str) -> str:
        found = re.search(rf'<td class="n ?([a-z0-9]*)"[^>]*><span[^>]*>{re.escape(value)}<', html)
        assert found, value
        return found[1]

    assert css("8.7") == "up2" and css("90.0") == "down2"
    assert css("2,542") == "up1" and css("40.0\u00a0%") == "off2" and css("16.3\u00a0%") == ""


def test_every_check_that_can_warn_has_a_plain_sentence() -> None:
    """Its id is for engineers: a rule that warns needs a line in orchestration/report/warned.py."""
    warning = {rule.id for rule in (*suites.STAGING, *suites.CANDIDATE) if rule.severity == "warning"}
    assert warning | set(told.NEXT_STEPS) <= set(warned.SENTENCES)
    assert all(len(sentence) <= HEADLINE_LETTERS for sentence in warned.SENTENCES.values())


def test_of_every_check_that_can_warn_it_is_decided_whether_its_words_may_name_somebody() -> None:
    """What a rule's message holds is read from its query by whoever writes it; the report shows what names nobody."""
    assert set(warned.SENTENCES) == warned.NAME_SOMEBODY | warned.NAME_NOBODY
    assert not warned.NAME_SOMEBODY & warned.NAME_NOBODY
    # The columns of persons, and of what is told of orders, are in none of the queries that are shown.
    naming = re.compile(r"\|\|\s*(?:\w+\.)?(customer_id|member_id|company_id|person_id|prospect_id|id)\b|list\(\w+_id")
    shown = {
        rule.id: str(rule.arguments.get("unexpected_rows_query"))
        for rule in (*suites.STAGING, *suites.CANDIDATE)
        if rule.severity == "warning" and rule.id in warned.NAME_NOBODY - {"product_ids_meet"}
    }
    assert [rule for rule, query in shown.items() if naming.search(query)] == []
    assert naming.search("|| array_to_string(list(company_id order by company_id)[1:3], ', ')")


def test_a_warning_that_names_customers_is_told_without_them(database: Path) -> None:
    warnings = (
        Problem("no_customer_is_many on order_remarks", "customer K-4711 has 900 of 1,000 orders."),
        Problem("customer_ids_meet on stg_order_lines", "9 of 9 customers have no row: `K-4711` in order_lines"),
    )
    page = written(database, "named.html", Told(519, 2, 0, warnings))
    assert "K-4711" not in page.html
    quality = page.part("warnings").text
    for problem in warnings:
        assert warned.headline(problem) in quality
        assert f"the terminal and the check {problem.where} in Dagster say" in quality


def test_a_warning_of_a_check_without_a_sentence_says_its_own_first_one() -> None:
    assert warned.headline(Problem("new_rule on a_table", "3 rows are odd.\nLook.")) == "3 rows are odd."
