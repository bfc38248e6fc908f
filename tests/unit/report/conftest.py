"""A small published file, written by hand: two schemes, with labels that try to break the page."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

TABLES = """
create table refreshes (refresh_id varchar, as_of date, started_at timestamp, finished_at timestamp, rows_landed bigint,
    rows_staged bigint, rows_quarantined bigint, rows_duplicate bigint, checks_passed bigint, checks_failed bigint);
insert into refreshes values
    ('20260101T000000Z', '2026-01-01', '2026-01-01 00:00', '2026-01-01 00:01', 5, 5, 0, 0, 1, 0),
    ('20260301T000000Z', '2026-03-01', '2026-03-01 00:00', '2026-03-01 00:07', 12345, 12340, 4, 1, 77, 2);
create table refresh_settings (as_of date, min_cell_members bigint, reporting_currency varchar);
insert into refresh_settings values ('2026-03-01', 5, 'EUR');
create table customer_profiles (customer_id varchar, first_order_on date, last_order_on date, monetary decimal(18, 4),
    recency_score integer, frequency_score integer);
insert into customer_profiles
select 'customer-' || i, '2023-05-05', case when i < 15 then date '2026-02-01' end, 1234567, 1 + i // 6, 1 + i // 6
from range(18) as r(i);
create table segment_months (scheme varchar, segment varchar, month date, members bigint, buyers bigint, orders bigint,
    spend decimal(18, 4));
insert into segment_months
select 'rfm', segment, month, members, 1, 1, case when month >= '2025-03-01' then 110 else 100 end
from (values ('best', 1200), ('evil', 600), ('tokyo', 3)) as s(segment, members),
    range(date '2024-03-01', date '2026-03-01', interval 1 month) as m(month);
create table segment_migrations (scheme varchar, period_start date, period_end date, from_segment varchar,
    to_segment varchar, members bigint);
insert into segment_migrations values
    ('rfm', '2026-01-01', '2026-02-01', 'best', 'evil', 999),
    ('rfm', '2026-02-01', '2026-03-01', 'best', 'best', 1000),
    ('rfm', '2026-02-01', '2026-03-01', 'best', 'evil', 150),
    ('rfm', '2026-02-01', '2026-03-01', 'evil', 'best', 40),
    ('rfm', '2026-02-01', '2026-03-01', 'evil', 'evil', 400),
    ('rfm', '2026-02-01', '2026-03-01', 'evil', 'tokyo', 4);
create table segment_schemes (scheme varchar, audience varchar, basis varchar, description varchar, is_active boolean,
    treatment_check varchar, caution varchar);
insert into segment_schemes values
    ('rfm', 'person', 'behavioural', 'How recently and how often.', true, 'block', 'The shop is <10 days old.'),
    ('life_stage', 'person', 'demographic', 'Where the household stands.', true, 'block', null),
    ('gender', 'person', 'demographic', 'Declared gender.', false, 'block', null);
create table segments (scheme varchar, segment varchar, label varchar, definition varchar, sort_order bigint,
    evidence varchar, members bigint, member_share double, spend decimal(18, 4), spend_share double,
    market_position varchar, nearest_mass_segment varchar);
insert into segments values
    ('rfm', 'best', 'Best & first', 'The best', 1, 'observed', 1200, 0.6, 9876543.21, 0.789, 'mass', null),
    ('rfm', 'evil', '<script>alert(''x'')</script>', '<b>bold</b>',
        2, 'observed', 600, 0.3, 2000.5, 0.2, 'edge', 'best'),
    ('rfm', 'tokyo', '東京 ☕ ü', 'Ünïcode', 3, 'observed', 150, 0.075, 45.5, 0.011, 'niche', 'best'),
    ('rfm', 'unknown', 'Unknown', null, 1000, 'unknown', 50, 0.025, 0, 0, 'niche', null),
    ('life_stage', 'family', 'Family', 'Children', 1, 'declared', 300, 0.5, 10, 0.5, 'mass', null),
    ('life_stage', 'student', 'Student', 'Studies', 2, 'declared', 300, 0.5, 10, 0.5, 'mass', null);
create table treatments (treatment_id varchar, template_id varchar, scheme varchar, segment varchar,
    value_proposition varchar, proof varchar, tone_of_voice varchar, channel varchar, message varchar, offer varchar,
    offer_item varchar, product_adaptation varchar, service_level varchar, valid_from date, valid_to date,
    is_idle boolean);
insert into treatments values
    ('t1', 't1', 'rfm', 'best', 'First in line', 'Shown a week early', 'Warm', 'app', 'Taste this', 'A box', 'TEA',
        'Early access', 'A named person', null, null, false),
    ('t2', 't2', 'rfm', 'evil', null, null, null, 'mail', '<img src=x onerror=alert(1)>', '5 % off', null, null,
        'Usual', null, null, false),
    ('t3', 't3', 'rfm', 'tokyo', null, null, null, 'mail', 'An old message', null, null, null, null,
        null, '2026-02-28', false),
    ('t4', 't4', 'life_stage', 'family', null, null, null, 'sms', 'Last day', null, null, null, null,
        null, '2026-03-01', false);
create table treatment_distinctness (scheme varchar, segment_a varchar, segment_b varchar, difference varchar,
    differing_fields varchar, message_similarity double);
insert into treatment_distinctness values
    ('rfm', 'best', 'evil', 'both journeys', 'channel, message', 0.1),
    ('rfm', 'best', 'tokyo', 'wording only', '', 0.99),
    ('rfm', 'evil', 'tokyo', 'message', 'message', 0.5);
create table treatment_delivery (scheme varchar, segment_a varchar, segment_b varchar, n_a bigint, n_b bigint,
    contact_rate_a double, contact_rate_b double, touches_per_member_a double, touches_per_member_b double,
    divergence double, p_value double, q_value double, power double, verdict varchar);
insert into treatment_delivery values
    ('rfm', 'best', 'evil', 1100, 500, 0.912, 0.1, 2.034, 0.2, 0.777, 0.0001, 0.0003, 1, 'treated differently'),
    ('rfm', 'best', 'tokyo', 1100, 90, 0.912, 0.9, 2.034, 1.9, 0.054, 0.4, 0.4, 0.9, 'treated alike'),
    ('rfm', 'evil', 'tokyo', 500, 90, 0.1, 0.9, 0.2, 1.9, 0.333, 0.2, 0.3, 0.5, 'unproven');
create table segment_behaviour (scheme varchar, outcome varchar, evaluated_as_of date, outcome_until date, n bigint,
    k bigint, h_statistic double, effect double, p_value double, q_value double, effect_beyond_spend double);
insert into segment_behaviour values
    ('rfm', 'orders', '2025-12-01', '2026-03-01', 1690, 3, 900.0, 0.5321, 0, 0, 0.2468),
    ('rfm', 'spend', '2025-12-01', '2026-03-01', 1690, 3, 90.0, 0.0523, 0.02, 0.0342, 0.0001);
create table treatment_outcomes (scheme varchar, segment varchar, treatment_id varchar, outcome varchar,
    n_treated bigint, n_holdout bigint, uplift double, ci_low double, ci_high double, q_value double,
    srm_p_value double, verdict_net_value double);
insert into treatment_outcomes values
    ('all', 'all', 't1', 'spend', 800, 200, 3.25, 1.5, 5.0, 0.004, 0.7, 0.42),
    ('rfm', 'best', 't2', 'spend', 400, 100, null, null, null, null, 0.0001, null);
create table scheme_scorecard (scheme varchar, members bigint, coverage double, behaviour_effect double,
    behaviour_outcome varchar, behaviour_q_value double, behaviour_effect_beyond_spend double, assigned_distinct double,
    delivered_distinct double, well_powered_pairs bigint, pays varchar, verdict varchar, why varchar);
insert into scheme_scorecard values
    ('life_stage', 600, 1.0, 0.001, 'spend', 0.6, 0.0, null, null, 0, 'unproven', 'superficial',
        'No outcome differs between <family> & student.'),
    ('rfm', 1950, 0.975, 0.5321, 'orders', 0.0, 0.2468, 0.6667, 0.5, 2, 'yes', 'in the drawer',
        'best and tokyo get the same.');
create table product_affinities (item_level varchar, "window" varchar, antecedent varchar, consequent varchar,
    n_baskets bigint, n_antecedent bigint, n_consequent bigint, n_both bigint, confidence double, lift double,
    size_adjusted_lift double, q_value double);
insert into product_affinities values
    ('category', 'basket', 'TACO SHELLS', 'SEASONING <&>', 9000, 1000, 4000, 392, 0.392, 99, 16.4152, 0),
    ('category', 'basket', 'SEASONING <&>', 'TACO SHELLS', 9000, 4000, 1000, 392, 0.098, 99, 16.4152, 0),
    ('category', 'basket', 'BREAD', 'MILK', 9000, 3000, 3500, 1500, 0.5, 1.3, 1.24, 0.001),
    ('category', 'basket', 'MILK', 'BREAD', 9000, 3500, 3000, 1500, 0.43, 1.3, 1.24, 0.001),
    ('category', 'basket', 'APART', 'ALONE', 9000, 3000, 3500, 200, 0.07, 0.3, 0.4, 0.9),
    ('category', 'basket', 'ALONE', 'APART', 9000, 3500, 3000, 200, 0.06, 0.3, 0.4, 0.9);
create table next_best_offers (customer_id varchar, offer_rank integer, item_level varchar, item varchar, score double,
    because_item varchar, because_last_bought_on date, because_times_bought bigint);
insert into next_best_offers values
    ('customer-2', 2, 'category', 'TROWELS', 8, 'SAND', '2026-02-02', 33),
    ('customer-3', 1, 'category', 'PAINT', 1, null, null, null);
insert into next_best_offers
select 'customer-9' || i, 1, 'category', 'CEMENT', 9, case when i < 6 then 'SAND' else 'BRICKS' end, '2026-02-27', 3
from range(8) as r(i);
create table quarantine (source_table varchar, file varchar, row_number bigint, reasons varchar, raw varchar);
insert into quarantine values
    ('order_lines', 'a.csv', 1, 'amount: not a number', '{"amount": "secret-value"}'),
    ('order_lines', 'a.csv', 2, 'amount: not a number; order_id: missing', '{}'),
    ('order_lines', 'a.csv', 3, 'amount: not a number', '{}'),
    ('customers', 'b.csv', 9, 'kind: not one of person, company', '{}');
create table segment_profiles (scheme varchar, segment varchar, metric varchar, value double, population_value double,
    "index" double);
insert into segment_profiles values
    ('rfm', 'best', 'spend', 2541.93, 1688.79, 1.5052),
    ('rfm', 'best', 'baskets', 96.72, 56.95, 1.6982),
    ('rfm', 'best', 'recency_days', 8.7, 22.58, 0.3853),
    ('rfm', 'best', 'discount_share', 0.1627, 0.1656, 0.9825),
    ('rfm', 'evil', 'spend', 1700, 1688.79, 1.0066),
    ('rfm', 'unknown', 'spend', 4.4321, 1688.79, 0.0026);
create table occasion_matrix (scheme varchar, segment varchar, occasion varchar, customers bigint, baskets bigint,
    spend decimal(18, 4), "index" double, p_value double, q_value double, is_gap boolean);
insert into occasion_matrix values
    ('rfm', 'best', 'dinner', 900, 1500, 9000, 1.5, 0.0001, 0.0002, false),
    ('rfm', 'best', 'late_evening', 90, 500, 900, 0.5, 0.0001, 0.0342, true),
    ('rfm', 'evil', 'dinner', 90, 300, 900, 0.9, 0.3, 0.4, false),
    ('rfm', 'evil', 'late_evening', 90, 367, 900, 1.1, 0.3, 0.4, false),
    ('rfm', 'unknown', 'dinner', 90, 200, 900, 0.4, 0.0001, 0.0002, true),
    ('rfm', 'unknown', 'late_evening', 90, 1133, 900, 1.7, 0.0001, 0.0002, false);
create table segment_affinities (scheme varchar, segment varchar, item_level varchar, "window" varchar,
    antecedent varchar, consequent varchar, n_both bigint, q_value double, global_lift double, shrunk_lift double);
insert into segment_affinities values
    ('rfm', 'best', 'category', 'basket', 'BEER', 'WINE <&>', 51, 0.001, 2.7, 4.32),
    ('rfm', 'best', 'category', 'basket', 'TEA', 'MILK', 500, 0.001, 16.4, 18.7),
    ('rfm', 'evil', 'category', 'basket', 'LIKE', 'EVERYONE', 60, 0.001, 3.0, 3.1),
    ('rfm', 'tokyo', 'category', 'basket', 'BY', 'CHANCE', 6, 0.2, 1.0, 9.9),
    ('rfm', 'tokyo', 'subcategory', 'basket', 'OTHER', 'LEVEL', 60, 0.001, 1.0, 9.9);
create table cross_sell_gaps (customer_id varchar, gap_rank integer, item_level varchar, because_item varchar,
    because_times_bought bigint, because_last_bought_on date, gap_item varchar, n_both bigint,
    size_adjusted_lift double, peers bigint, peers_with_gap_item bigint, expected_value decimal(18, 2));
insert into cross_sell_gaps values
    ('customer-2', 2, 'category', 'PAINT', 3, '2026-02-02', 'BRUSHES', 200, 3, 90, 80, 12.34);
insert into cross_sell_gaps
select 'customer-9' || i, 1, 'category', 'BRICKS', 7, '2026-02-27', 'SAND <&>', 300, 4, 705, 318, 50.2
from range(8) as r(i);
create table unreadable_values (source_table varchar, "column" varchar, spelling varchar, "rows" bigint,
    remedy varchar);
insert into unreadable_values values
    ('customers', 'annual_income', '$90,000 ', 9315, 'not a number; write 90000'),
    ('products', 'in_stock', '<i>maybe</i>', 2, 'not yes or no; write yes');
create table unmapped_spellings (source_table varchar, attribute varchar, spelling varchar, "rows" bigint);
insert into unmapped_spellings values
    ('customers', 'gender', '<i>?</i>', 3), ('customers', 'employment', 'juggler', 1234);
create table audiences (channel varchar, member_id varchar, treatment_id varchar, send_on date);
insert into audiences values ('mail', 'a', 't2', '2026-03-01'), ('mail', 'b', 't2', '2026-03-01');
create table audience_decisions (scheme varchar, member_id varchar, channel varchar, outcome varchar);
insert into audience_decisions values
    ('rfm', 'c', 'mail', 'no consent'), ('rfm', 'd', 'mail', 'holdout'),
    ('rfm', 'e', 'app<', 'no consent'), ('rfm', 'f', null, 'no channel'),
    ('life_stage', 'a', 'sms', 'lower priority'), ('life_stage', 'g', 'sms', 'a new <reason>');
insert into audience_decisions select 'rfm', 'm' || i, 'mail', 'sent' from range(7) as r(i);
"""


@pytest.fixture(scope="session")
def all_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that tests copy."""
    path = tmp_path_factory.mktemp("report") / "segments.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(TABLES)
    return path


@pytest.fixture
def database(all_tables: Path, tmp_path: Path) -> Path:
    """A file of the test's own with all tables; it may be changed before the report is written."""
    return Path(shutil.copy(all_tables, tmp_path / "segments.duckdb"))
