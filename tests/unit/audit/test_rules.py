"""The rules at both doors: all hold on sound tables, and each one fails on a defect planted for it."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.audit.runner import run_rules
from orchestration.audit.suites import CANDIDATE, STAGING, Rule
from orchestration.audit.told import NEXT_STEPS
from tests.support.project import ROOT

SOUND = """
create table stg_order_lines as
select 'o' || i as order_id, case when i < 199 then 'c' || (i % 5) end as customer_id, 'p' || (i % 4) as product_id,
       date '2026-01-01' + cast(i as int) as ordered_on, cast(1 as decimal(18, 4)) as quantity,
       cast(2.5 as decimal(18, 4)) as amount, cast('paid' as varchar) as status,
       true as is_counted
from range(200) as t(i);
create table base_order_currencies as select cast(null as varchar) as reporting_currency;
create table order_remarks (kind varchar, problem varchar);
create table stg_products as
select 'p' || i as product_id, 'tea' as category, 'drinks' as department from range(4) as t(i);
create table refused_rows as select * from (values
    ('products', 'superseded', '{"product_id":"p1","category":"tea","department":null}'),
    ('products', 'superseded', '{"product_id":"p1","category":null,"department":"drinks"}'),
    ('products', 'quarantined', '{"product_id":"p2","category":"coffee","department":"drinks"}'),
    ('customers', 'superseded', '{"customer_id":"p3","category":"coffee","department":"drinks"}')
) as t(source_table, disposition, raw);
create table stg_customers as select 'c' || i as customer_id from range(5) as t(i);
create table stg_companies as select 'f1' as company_id;
create table stg_company_contacts as select 'b1' as person_id, 'f1' as company_id;
create table stg_prospects as select 'x1' as prospect_id;
create table prospect_segments as select * from (values
    ('person', 'life_stage', 'x1', 'scored'), ('person', 'life_stage', 'x2', 'below the threshold')
) as t(kind, scheme, prospect_id, outcome);
create table unmapped_spellings as select * from (values ('job_title', 'wizard', 1), ('gender', '?', 9))
    as t(attribute, spelling, "rows");
create table stg_touchpoints as select 'c1' as customer_id;
create table stg_responses (customer_id varchar);
create table stg_consents (customer_id varchar);
create table stg_assignments as select *, date '2026-05-01' as assigned_on from (values
    ('c1', 'e1', 'a', 'treated', 0.3333), ('c2', 'e1', 'b', 'treated', 0.3333), ('c3', 'e1', 'none', 'holdout', 0.3333),
    ('c4', 'e1', 'b', 'holdout', 0.3333), ('c1', null, 'a', 'treated', 0.9), ('c1', null, 'a', 'holdout', 0.9)
) as t(customer_id, experiment_id, treatment_id, arm, share_treated);
create table treatment_outcomes as select 'e1' as experiment_id, cast(0.001 as double) as srm_p_value;
create table row_account as
select 'order_lines' as source_table, 203 as rows_landed, 200 as rows_staged, 1 as rows_quarantined,
       2 as rows_duplicate;

create table segment_schemes as select * from (values
    ('rfm', 'person, company', true, null::varchar), ('life_stage', 'person', true, null),
    ('industry', 'company', false, null)
) as t(scheme, audience, is_active, caution);
create table customer_profiles as select * from (values
    ('c1', 'person', date '2026-10-30', 2, 9, 90.0, 5, 5, 5), ('c2', 'person', date '2026-10-01', 31, 3, 30.0, 3, 3, 3),
    ('c3', 'person', date '2026-10-01', 31, 1, 5.0, 3, 1, 1),
    ('c4', 'person', date '2024-01-01', 1035, 0, 0.0, 1, 1, 1),
    ('f1', 'company', null, null, 0, 0.0, null, null, null)
) as t(customer_id, kind, last_order_on, recency_days, frequency, monetary, recency_score, frequency_score,
       monetary_score);
create table customer_segments as select *, date '2026-11-01' as as_of from (values
    ('rfm', 'c1', 'champions'), ('rfm', 'c2', 'need_attention'), ('rfm', 'c3', 'need_attention'),
    ('rfm', 'c4', 'hibernating'), ('rfm', 'f1', 'unknown'),
    ('life_stage', 'c1', 'family'), ('life_stage', 'c2', 'family'), ('life_stage', 'c3', 'unknown'),
    ('life_stage', 'c4', 'unknown')
) as t(scheme, member_id, segment);
create table segments as
select scheme, segment, members, member_share::double as member_share, spend, spend_share::double as spend_share
from (values
    ('rfm', 'champions', 1, 0.2, 90.0, 0.72), ('rfm', 'need_attention', 2, 0.4, 35.0, 0.28),
    ('rfm', 'hibernating', 1, 0.2, 0.0, 0.0), ('rfm', 'unknown', 1, 0.2, 0.0, 0.0),
    ('rfm', 'promising', 0, 0.0, 0.0, 0.0),
    ('life_stage', 'family', 2, 0.5, 120.0, 0.96), ('life_stage', 'unknown', 2, 0.5, 5.0, 0.04)
) as t(scheme, segment, members, member_share, spend, spend_share);
create table customer_segment_history as
select scheme, member_id, segment, true as is_current from customer_segments
union all select 'rfm', 'c1', 'promising', false;
create table product_affinities as
select * exclude (p_value, q_value), p_value::double as p_value, q_value::double as q_value,
       'category' as item_level, 100 as n_baskets
from (values
    ('bread', 'butter', 40, 20, 15, 0.4, 0.2, 0.15, 0.001, 0.002),
    ('butter', 'bread', 20, 40, 15, 0.2, 0.4, 0.15, 0.001, 0.002)
) as t(antecedent, consequent, n_antecedent, n_consequent, n_both, antecedent_support, consequent_support, support,
       p_value, q_value);
create table next_best_offers as select *, 'category' as item_level from (values
    ('c1', 1, 'jam', 0.9, 'bread'), ('c1', 2, 'honey', 0.9, 'butter'), ('c2', 1, 'bread', 0.5, 'jam')
) as t(customer_id, offer_rank, item, score, because_item);
create table offer_level as
select 'category' as level_wanted, 'category' as item_level, 20 as items_wanted, 20 as items;
create table suggested_non_merchandise (
    level varchar, pattern varchar, reason varchar, word varchar, example_product_id varchar, products bigint,
    lines bigint, orders bigint, order_share double);
create table unreadable_values as select * from (values
    ('customers', 'annual_income', '$90,000', 3, 0.009, false, 'not a number; write 90000'),
    ('customers', 'annual_income', '$1', 2, 0.009, false, 'not a number; write 90000')
) as t(source_table, "column", spelling, "rows", column_share, is_warned, remedy);
create table treatments as
select *, cast(review as date) as review_on, cast(ends as date) as valid_to from (values
    ('t1', 't1', 'rfm', 'champions', 'loyalty', '2026-11-01', null), ('t2', 't2', 'rfm', 'promising', null, null, null),
    ('t3', 't3', 'rfm', 'hibernating', 'loyalty', '2026-01-01', '2026-10-31'),
    ('each_a', 'each', 'life_stage', 'a', null, null, null), ('each_b', 'each', 'life_stage', 'b', null, null, null),
    ('each_c', 'each', 'life_stage', 'c', null, null, null), ('each_d', 'each', 'life_stage', 'd', null, null, null)
) as t(treatment_id, template_id, scheme, segment, owner, review, ends);
create table scheme_scorecard as
select * from (values ('rfm', 'in use'), ('life_stage', 'unproven')) as t(scheme, verdict);
"""

# For each rule, statements that break it.
DEFECTS = {
    "treatments_are_read_again_in_time": [
        "update treatments set review_on = '2026-10-31' where treatment_id = 't1'",
        "update treatments set review_on = '2026-10-31' where template_id = 'each'",
        "update treatments set valid_to = '2026-11-01' where treatment_id = 't3'",
    ],
    "order_lines_exist": ["delete from stg_order_lines", "update stg_order_lines set is_counted = false"],
    "order_lines_have_a_local_day": ["update stg_order_lines set ordered_on = null where order_id = 'o7'"],
    "rows_are_accounted_for": [
        "update row_account set rows_duplicate = 1",
        "update row_account set rows_quarantined = null",
    ],
    "amounts_are_plausible": [
        "update stg_order_lines set amount = -20261101 where order_id in ('o1', 'o2', 'o3')",
        "update base_order_currencies set reporting_currency = 'IDR'; update stg_order_lines set amount = 1000000001",
    ],
    "returns_are_the_exception": ["update stg_order_lines set quantity = -quantity"],
    "order_numbers_do_not_restart": [
        "insert into order_remarks values ('orders that span days', '3 of 9 orders. Try the var order_scope')",
        "insert into order_remarks values ('orders that span stores', '3 of 9 orders. Try the var order_scope')",
    ],
    "no_customer_is_many": [
        "insert into order_remarks values ('suspicious customer', 'customer till. Add it to seeds/guest_ids.csv')"
    ],
    "lines_that_do_not_count_are_few": [
        "update stg_order_lines set is_counted = false, status = 'Open' where quantity > 0"
    ],
    "last_order_day_is_not_alone": ["insert into order_remarks values ('lonely last day', 'the last day. Set AS_OF.')"],
    "products_are_known": ["delete from stg_products where product_id = 'p1'", "delete from stg_products"],
    "customer_ids_meet": [
        "update stg_order_lines set customer_id = customer_id || '.0'",
        "update stg_order_lines set customer_id = 'x' || customer_id",
        "delete from stg_customers where customer_id <> 'c1'",
        "create or replace table stg_customers as select 'C' || i as customer_id from range(5) as t(i)",
    ],
    "product_ids_meet": [
        "update stg_products set product_id = upper(product_id) where product_id <> 'p3'",
        # Half of them, and one in four: another spelling joins them.
        "update stg_products set product_id = upper(product_id) where product_id in ('p1', 'p2')",
        "update stg_products set product_id = upper(product_id) where product_id = 'p1'",
    ],
    "products_are_in_one_category": [
        "update refused_rows set disposition = 'superseded' where raw like '%p2%'",
        """update refused_rows set raw = '{"product_id":"p1","category":"tea","department":"food"}'
           where raw like '%p1%tea%'""",
    ],
    "optional_values_are_readable": ["update unreadable_values set is_warned = true"],
    "contacts_belong_to_a_company": [
        "insert into stg_company_contacts values ('b2', 'nobody')",
        "insert into stg_company_contacts values ('c1', 'f1')",
        "insert into stg_company_contacts values ('f1', 'f1')",
    ],
    "job_titles_tell_a_role": [
        "insert into customer_segments values ('buying_role', 'b1', 'unknown', '2026-11-01')",
    ],
    "touched_customers_are_known": [
        "insert into stg_touchpoints values ('stranger')",
        "insert into stg_consents values ('stranger')",
    ],
    "prospects_are_no_customers": [
        "insert into stg_prospects values ('c1')",
        "insert into stg_prospects values ('f1')",
    ],
    "prospects_have_a_segment": [
        "insert into prospect_segments values ('person', 'life_stage', 'x3', 'says nothing')",
        "insert into prospect_segments values ('company', 'prospect_persona', 'x4', 'no scheme for its kind')",
    ],
    "one_segment_a_member": ["insert into customer_segments values ('rfm', 'c1', 'hibernating', '2026-11-01')"],
    "every_customer_is_in_every_scheme": [
        "delete from customer_segments where scheme = 'life_stage' and member_id = 'c3'",
        "delete from customer_segments where scheme = 'rfm' and member_id = 'f1'",
    ],
    "segments_count_their_members": [
        "update segments set members = 3 where segment = 'champions'",
        "delete from segments where segment = 'hibernating'",
        "update customer_segments set segment = 'misspelt' where member_id = 'c1' and scheme = 'rfm'",
    ],
    "shares_sum_to_one": [
        "update segments set member_share = 0.3 where segment = 'champions'",
        "update segments set spend_share = 72 where segment = 'champions'",
    ],
    "schemes_know_their_members": ["update segments set member_share = 0.81 where segment = 'unknown'"],
    "schemes_can_be_taken_as_they_are": [
        "update segment_schemes set caution = 'young. Land older orders' where scheme = 'rfm'"
    ],
    "facts_are_before_the_as_of_date": [
        "update customer_profiles set last_order_on = '2026-11-01', recency_days = 0 where customer_id = 'c1'",
        "update customer_profiles set recency_days = 3 where customer_id = 'c1'",
    ],
    "rfm_scores_point_the_right_way": [
        "update customer_profiles set recency_score = 6 - recency_score",
        "update customer_profiles set frequency_score = 6 - frequency_score",
        "update customer_profiles set monetary_score = 6 - monetary_score",
        # Equal customers, different scores.
        "update customer_profiles set recency_score = 2 where customer_id = 'c3'",
    ],
    "current_history_is_the_present": [
        "update customer_segment_history set segment = 'hibernating' where member_id = 'c1' and is_current",
        "delete from customer_segment_history where member_id = 'c2'",
        "update customer_segment_history set is_current = true",
    ],
    "affinity_counts_are_possible": [
        "update product_affinities set n_both = 21",
        "update product_affinities set n_antecedent = 101",
        "update product_affinities set support = 0.21",
        "update product_affinities set consequent = antecedent",
    ],
    "affinity_chances_are_chances": [
        "update product_affinities set p_value = -0.1",
        "update product_affinities set q_value = 1.1",
        "update product_affinities set q_value = 0.0001",
        "update product_affinities set p_value = null",
        "update product_affinities set q_value = cast('nan' as double)",
    ],
    "offers_are_ranked": [
        "update next_best_offers set offer_rank = 3 where offer_rank = 2",
        "update next_best_offers set score = 1 where offer_rank = 2",
        "insert into next_best_offers select 'c9', i, 'x' || i, 1.0, 'y', 'category' from range(1, 12) as t(i)",
    ],
    "offers_are_new_to_the_customer": ["update next_best_offers set item = 'butter' where item = 'jam'"],
    "offers_are_on_the_level_wanted": ["update offer_level set item_level = 'product', items_wanted = 3"],
    "services_are_no_merchandise": [
        "insert into suggested_non_merchandise values ('category', 'Fees', 'fees', 'fees', 'f', 1, 9, 7, 0.07)"
    ],
    "customers_have_one_arm_in_an_experiment": [
        "insert into stg_assignments values ('c1', 'e1', 'b', 'treated', 0.3333, date '2026-05-09')",
        "insert into stg_assignments values ('c3', 'e1', 'a', 'treated', 0.3333, date '2026-05-01')",
    ],
    "shares_of_an_experiment_make_the_whole": [
        "update stg_assignments set share_treated = 0.5 where treatment_id = 'a'",
    ],
    "arms_are_of_the_sizes_that_were_drawn": ["update treatment_outcomes set srm_p_value = 0.0009"],
    "every_scheme_has_a_verdict": [
        "delete from scheme_scorecard where scheme = 'rfm'",
        "update scheme_scorecard set verdict = null",
    ],
}
RULES = {rule.id: rule for rule in (*STAGING, *CANDIDATE)}
CASES = [pytest.param(RULES.get(id), sql, id=f"{id}-{n}") for id, sqls in DEFECTS.items() for n, sql in enumerate(sqls)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "sound.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(SOUND)
    return path


def with_defect(sound: Path, folder: Path, sql: str) -> Path:
    path = folder / "broken.duckdb"
    shutil.copyfile(sound, path)
    with duckdb.connect(str(path)) as con:
        con.execute(sql)
    return path


def test_every_rule_holds_on_sound_tables(sound: Path) -> None:
    results = run_rules(sound, [*STAGING, *CANDIDATE])
    assert {r.rule.id: r.message for r in results if not r.passed} == {}
    assert [r.rule.id for r in results] == [rule.id for rule in (*STAGING, *CANDIDATE)]


def test_every_rule_has_a_planted_defect_and_a_name_of_its_own() -> None:
    assert set(DEFECTS) == set(RULES)
    assert len(RULES) == len(STAGING) + len(CANDIDATE)


# What somebody can do, at the beginning of a clause, or where it is done.
VERBS = "add|correct|export|give|land|load|look|lower|paste|raise|say|see|set|try|turn|write"
STEP = re.compile(rf"(^|, |\b(and|or|so|then) )({VERBS})\b|with the setting|seeds/|docs/|`make ", re.IGNORECASE)


def ends_with_a_step(message: str) -> bool:
    """Whether one of the last clauses says what to do; rows to paste may follow on lines of their own."""
    clauses = re.split(r"(?<=[.;:]) ", re.sub(r"\{.*\}", "", message.splitlines()[0]))
    return any(STEP.search(clause) for clause in clauses[-3:])


@pytest.mark.parametrize(("rule", "sql"), CASES)
def test_a_rule_fails_on_its_defect_and_says_what_it_found(sound: Path, tmp_path: Path, rule: Rule, sql: str) -> None:
    [result] = run_rules(with_defect(sound, tmp_path, sql), [rule])
    assert not result.passed
    assert not result.is_error, result.message
    assert result.message
    if rule.severity == "warning":
        assert ends_with_a_step(result.message), (
            f"{result.message}\n... and what now? Give {rule.id} a `remedy`, or name the next step in its `problem`"
        )
    assert not rule.remedy or rule.remedy.endswith(".")


def test_a_warning_without_a_next_step_is_seen() -> None:
    assert not ends_with_a_step("3 of 4 lines are returns")
    assert not ends_with_a_step("rfm: 90.0 % of members are unknown; and more")
    assert not ends_with_a_step("Set share_treated; it is a share; 3 rows; 4 rows")
    assert ends_with_a_step("3 of 4 lines are returns. Turn the sign of amount")


@pytest.mark.parametrize(
    ("model", "told"),
    [("intermediate/order_remarks.sql", "as problem"), ("marts/segments/schemes.sql", "else ''")],
)
def test_warnings_in_the_words_of_a_model_end_with_a_next_step(model: str, told: str) -> None:
    """Which the rules that show them print as they are."""
    (path,) = (ROOT / "models").rglob(Path(model).name)
    texts = path.read_text(encoding="utf-8").split(told)[:-1]
    assert len(texts) >= 2
    for text in texts:
        said = " ".join(re.findall(r"'([^']*)'", text)[-12:])
        assert ends_with_a_step(said), said


def test_every_dbt_test_that_only_warns_has_a_next_step() -> None:
    warning = {
        path.stem
        for path in (ROOT / "tests" / "dbt").glob("*.sql")
        if re.search("severity *= *['\"]warn", path.read_text())
    }
    assert warning
    assert warning <= set(NEXT_STEPS), "add what to do to orchestration/audit/told.py"
    # Tests that are declared in YAML have names that dbt makes, and no place for a next step.
    declared = [*(ROOT / "models").rglob("*.yml"), *(ROOT / "seeds").rglob("*.yml"), *(ROOT / "macros").rglob("*.sql")]
    declared.append(ROOT / "dbt_project.yml")
    assert [p.name for p in declared if re.search(r"severity\W+warn|warn_if", p.read_text(encoding="utf-8"))] == []


def test_the_next_step_ends_what_a_warning_says(sound: Path, tmp_path: Path) -> None:
    [result] = run_rules(with_defect(sound, tmp_path, "delete from stg_products"), [RULES["products_are_known"]])
    assert result.message.startswith("200 of 200 lines have no row in products: land the rows that are missing")


def test_who_orders_first_on_or_after_the_as_of_date_is_known_from_other_tables_alone(
    sound: Path, tmp_path: Path
) -> None:
    """Without AS_OF the refresh describes the day after the last line: all lines are before it."""
    sql = """
    insert into stg_touchpoints values ('late');
    insert into stg_order_lines values ('o', 'late', 'p1', '2026-11-01', 1, 2.5, 'paid', true)
    """
    database = with_defect(sound, tmp_path, sql)
    found = {
        as_of: run_rules(database, [RULES["touched_customers_are_known"]], as_of)[0]
        for as_of in (date(2026, 11, 1), date(2026, 11, 2), None)
    }
    assert [result.passed for result in found.values()] == [False, True, True]
    assert found[date(2026, 11, 1)].message.startswith(
        "1 customers appear only in touchpoints, responses, consents or assignments, or ordered first on or after the"
        " as-of date. Land them in customers"
    )


def test_days_on_which_some_arms_alone_come_in_say_nothing_of_the_shares(sound: Path, tmp_path: Path) -> None:
    rule = RULES["shares_of_an_experiment_make_the_whole"]
    second = """
    insert into stg_assignments values
        ('c6', 'e1', 'a', 'treated', 0.3333, date '2026-05-02'), ('c7', 'e1', 'b', 'treated', 0.3333, date '2026-05-02')
    """
    [result] = run_rules(with_defect(sound, tmp_path, second), [rule])
    assert result.passed, result.message
    # A holdout that has no share on any day is no arm of theirs, and what is missing is its share.
    without = f"{second}; update stg_assignments set share_treated = null where arm = 'holdout'"
    [result] = run_rules(with_defect(sound, tmp_path, without), [rule])
    assert "e1 on 2026-05-02: the shares of its arms sum to 0.667" in result.message


def test_members_who_brought_back_more_than_they_bought_have_no_shares_of_spend(sound: Path, tmp_path: Path) -> None:
    returned = with_defect(sound, tmp_path, "update segments set spend = -25, spend_share = 0")
    [result] = run_rules(returned, [RULES["shares_sum_to_one"]])
    assert result.passed, result.message


def test_the_message_names_the_scheme_and_the_segment(sound: Path, tmp_path: Path) -> None:
    broken = with_defect(sound, tmp_path, "update segments set members = 3 where segment = 'champions'")
    [result] = run_rules(broken, [RULES["segments_count_their_members"]])
    assert result.message == "rfm champions: 3 members in segments, 1 in customer_segments"


def test_a_shop_none_of_whose_lines_counts_is_told_by_which_statuses(sound: Path, tmp_path: Path) -> None:
    sql = """
    update stg_order_lines set is_counted = false, status = case when order_id = 'o1' then ' Draft' else 'open' end
    """
    [result] = run_rules(with_defect(sound, tmp_path, sql), [RULES["order_lines_exist"]])
    assert result.message == (
        "none of 200 lines counts by its status (draft, open): seeds/order_statuses.csv says which do"
    )


@pytest.mark.parametrize(
    ("currency", "is_plausible"),
    [
        *((currency, True) for currency in ("IDR", "HUF", "HTG", "GYD", "LRD", "VUV", "CVE", "ETB")),
        *((currency, False) for currency in ("EUR", None)),
    ],
)
def test_an_amount_is_judged_by_what_a_unit_of_its_currency_is_worth(
    sound: Path, tmp_path: Path, currency: str | None, is_plausible: bool
) -> None:
    code = f"'{currency}'" if currency else "null"
    sql = f"update base_order_currencies set reporting_currency = {code}; update stg_order_lines set amount = 2500000"
    [result] = run_rules(with_defect(sound, tmp_path, sql), [RULES["amounts_are_plausible"]])
    assert result.passed == is_plausible
    assert is_plausible or result.message.startswith("200 of 200 lines have an amount beyond 1000000. ")


def test_what_looks_like_a_service_is_named_as_rows_to_paste(sound: Path, tmp_path: Path) -> None:
    sql = """
    insert into suggested_non_merchandise values
        ('product_name', 'Gift "card", 50', 'stored value', 'gift card', 'G50', 1, 3, 2, 0.0202),
        ('product_id', 'POST', 'delivery', 'post', 'POST', 1, 9, 7, 0.07)
    """
    [result] = run_rules(with_defect(sound, tmp_path, sql), [RULES["services_are_no_merchandise"]])
    told, *rows = result.message.splitlines()
    assert told.startswith("2 rows of suggested_non_merchandise look like services")
    assert list(csv.reader(rows)) == [
        ["product_id", "POST", "delivery: 9 lines in 7 orders (7.0 %), e.g. POST"],
        ["product_name", 'Gift "card", 50', "stored value: 3 lines in 2 orders (2.0 %), e.g. G50"],
    ]


def test_products_in_two_categories_are_counted_with_both_and_what_to_do(sound: Path, tmp_path: Path) -> None:
    database = with_defect(sound, tmp_path, DEFECTS["products_are_in_one_category"][0])
    (result,) = run_rules(database, [RULES["products_are_in_one_category"]])
    assert (
        "1 products are landed in two categories or departments, such as p2 (tea, taken, and coffee)" in result.message
    )
    assert "updated_at" in result.message
    database = with_defect(sound, tmp_path, DEFECTS["products_are_in_one_category"][1])
    (result,) = run_rules(database, [RULES["products_are_in_one_category"]])
    assert "such as p1 (drinks, taken, and food)" in result.message


def test_unreadable_values_are_told_by_column_with_examples_and_the_remedy(sound: Path, tmp_path: Path) -> None:
    database = with_defect(sound, tmp_path, DEFECTS["optional_values_are_readable"][0])
    (result,) = run_rules(database, [RULES["optional_values_are_readable"]])
    assert (
        'customers.annual_income: 0.9 % of the values cannot be read and count as empty, such as "$90,000" (3 rows),'
        ' "$1" (2 rows): not a number; write 90000' in result.message
    )


NOTHING_JOINS = (
    "No setting for ids (without_decimals, without_leading_zeros, upper, lower) joins more than half of them: land the "
    "rows that are missing, or export both with the same ids"
)


def joins(setting: str) -> str:
    return f"They meet with the setting landing_formats: {setting} (vars of dbt_project.yml)"


@pytest.mark.parametrize(
    ("rule", "sqls", "found", "setting"),
    [
        pytest.param(
            "customer_ids_meet",
            [
                "create or replace table stg_customers as"
                " select cast(1000 + i as varchar) as customer_id from range(9) as t(i)",
                "update stg_order_lines set customer_id = (1000 + hash(order_id) % 7) || '.0'",
                # Comes first by its letters, and would not meet.
                "update stg_order_lines set customer_id = '#' where order_id in ('o1', 'o2')",
            ],
            "8 of 8 customers who ordered have no row in customers: `1000.0`, `1001.0`, `1002.0` in order_lines,"
            " `1000`, `1001`, `1002` there.",
            "{order_lines: {ids: {customer_id: without_decimals}}}",
            id="pandas writes whole numbers as decimals",
        ),
        pytest.param(
            "customer_ids_meet",
            ["update stg_customers set customer_id = '00' || customer_id"],
            "5 of 5 customers who ordered have no row in customers: `c0`, `c1`, `c2` in order_lines,"
            " `00c0`, `00c1`, `00c2` there.",
            "{customers: {ids: {customer_id: without_leading_zeros}}}",
            id="the master is padded",
        ),
        pytest.param(
            "customer_ids_meet",
            [
                "insert into stg_companies select 'C' || i from range(5) as t(i)",
                "delete from stg_customers",
                "update stg_order_lines set customer_id = null where customer_id <> 'c1'",
            ],
            "1 of 1 customers who ordered have no row in companies: `c1` in order_lines, `C1`, `C0`, `C2` there.",
            "{order_lines: {ids: {customer_id: upper}}}",
            id="lines without a customer are left out, and companies count",
        ),
        pytest.param(
            "customer_ids_meet",
            ["update stg_customers set customer_id = 'k' || customer_id where customer_id <> 'c1'"],
            "4 of 5 customers who ordered have no row in customers: `c0`, `c2`, `c3` in order_lines,"
            " `c1`, `kc0`, `kc2` there.",
            None,
            id="ids of two kinds",
        ),
        pytest.param(
            "product_ids_meet",
            [
                "update stg_products set product_id = upper(product_id) where product_id in ('p0', 'p1')",
                "update stg_products set product_id = 'x' || product_id where product_id in ('p2', 'p3')",
            ],
            "4 of 4 products that were sold have no row in products: `p0`, `p1`, `p2` in order_lines,"
            " `P0`, `P1`, `xp2` there.",
            None,
            id="no more than half would meet",
        ),
        pytest.param(
            "product_ids_meet",
            [
                "update stg_products set product_id = 'aB' || product_id",
                "update stg_order_lines set product_id = 'Ab' || product_id",
            ],
            "4 of 4 products that were sold have no row in products: `Abp0`, `Abp1`, `Abp2` in order_lines,"
            " `aBp0`, `aBp1`, `aBp2` there.",
            "{order_lines: {ids: {product_id: upper}}, products: {ids: {product_id: upper}}}",
            id="letters differ on both sides",
        ),
    ],
)
def test_ids_that_do_not_meet_are_shown_with_the_setting_that_joins_them(
    sound: Path, tmp_path: Path, rule: str, sqls: list[str], found: str, setting: str | None
) -> None:
    without_companies = "delete from stg_companies"
    [result] = run_rules(with_defect(sound, tmp_path, ";".join([without_companies, *sqls])), [RULES[rule]])
    assert result.message == f"{found} {NOTHING_JOINS if setting is None else joins(setting)}"


@pytest.mark.parametrize(
    "sql",
    [
        "delete from stg_customers",
        "delete from stg_customers where customer_id in ('c1', 'c2')",
        "update stg_order_lines set customer_id = null",
        "insert into stg_customers select 'other' || i from range(999) as t(i)",
    ],
    ids=["no profiles at all", "few without one", "nobody known", "profiles of people who never ordered"],
)
def test_customers_without_a_profile_are_no_ids_that_do_not_meet(sound: Path, tmp_path: Path, sql: str) -> None:
    [result] = run_rules(
        with_defect(sound, tmp_path, f"delete from stg_companies; {sql}"), [RULES["customer_ids_meet"]]
    )
    assert result.passed, result.message


@pytest.mark.parametrize(
    ("sql", "failed"),
    [
        ("update stg_products set product_id = upper(product_id)", {"product_ids_meet"}),
        ("update stg_products set product_id = upper(product_id) where product_id = 'p1'", {"product_ids_meet"}),
        ("delete from stg_products where product_id = 'p1'", {"products_are_known"}),
        ("delete from stg_products", {"products_are_known"}),
        ("delete from stg_products where product_id <> 'p1'", {"product_ids_meet"}),
    ],
)
def test_unknown_products_are_spoken_of_once(sound: Path, tmp_path: Path, sql: str, failed: set[str]) -> None:
    rules = [RULES["products_are_known"], RULES["product_ids_meet"]]
    results = run_rules(with_defect(sound, tmp_path, sql), rules)
    assert {result.rule.id for result in results if not result.passed} == failed


def test_a_few_examples_are_shown_and_the_rest_is_mentioned(sound: Path, tmp_path: Path) -> None:
    sql = "insert into next_best_offers select 'x' || i, 2, 'jam', 1.0, 'bread', 'category' from range(9) as t(i)"
    [result] = run_rules(with_defect(sound, tmp_path, sql), [RULES["offers_are_ranked"]])
    assert result.message.count("customer x") == 5
    assert result.message.endswith("; and more")


def test_problems_that_are_sentences_are_told_as_one(sound: Path, tmp_path: Path) -> None:
    sql = "insert into order_remarks values ('orders that span a', 'A. Try x.'), ('orders that span b', 'B. Try y.')"
    [result] = run_rules(with_defect(sound, tmp_path, sql), [RULES["order_numbers_do_not_restart"]])
    assert result.message == "A. Try x; B. Try y."


def test_a_missing_table_is_a_failure_of_its_rules_and_of_no_others(sound: Path, tmp_path: Path) -> None:
    broken = with_defect(sound, tmp_path, "drop table next_best_offers")
    results = {r.rule.id: r for r in run_rules(broken, CANDIDATE)}
    failed = {id for id, result in results.items() if not result.passed}
    assert failed == {"offers_are_ranked", "offers_are_new_to_the_customer"}
    assert all(results[id].is_error and "next_best_offers" in results[id].message for id in failed)


def test_an_error_inside_a_rule_is_a_failure_with_its_message(sound: Path) -> None:
    rule = Rule(
        "broken", "segments", "critical", "to see it fail", "UnexpectedRowsExpectation",
        {"unexpected_rows_query": "select no_such_column from {batch}"},
    )  # fmt: skip
    [result] = run_rules(sound, [rule])
    assert result.is_error and not result.passed
    assert "no_such_column" in result.message


def test_the_file_is_free_again_after_rules_ran(sound: Path, tmp_path: Path) -> None:
    path = with_defect(sound, tmp_path, "select 1")
    run_rules(path, [RULES["order_lines_exist"]])
    with duckdb.connect(str(path)) as con:
        con.execute("create table written as select 1")
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".wal")]


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_rules(tmp_path / "none.duckdb", STAGING)


def test_great_expectations_is_imported_where_the_main_module_has_no_file() -> None:
    """With the extra `spark` installed, its import would end such a process with code 0."""
    text = "from orchestration.audit.runner import import_great_expectations as gx; print('imported', gx().__name__)"
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "imported great_expectations\n"
