"""The rules at both doors: all hold on sound tables, and each one fails on a defect planted for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.audit.runner import run_rules
from orchestration.audit.suites import CANDIDATE, STAGING, Rule
from tests.integration.project import ROOT

SOUND = """
create table stg_order_lines as
select 'o' || i as order_id, 'c' || (i % 5) as customer_id, 'p' || (i % 4) as product_id,
       date '2026-01-01' + cast(i as int) as ordered_on, cast(1 as decimal(18, 4)) as quantity,
       cast(2.5 as decimal(18, 4)) as amount, 'EUR' as currency
from range(200) as t(i);
create table stg_products as select 'p' || i as product_id from range(4) as t(i);
create table stg_customers as select 'c' || i as customer_id from range(5) as t(i);
create table stg_companies (company_id varchar);
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
    ('rfm', 'person, company', true), ('life_stage', 'person', true), ('industry', 'company', false)
) as t(scheme, audience, is_active);
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
create table scheme_scorecard as
select * from (values ('rfm', 'in use'), ('life_stage', 'unproven')) as t(scheme, verdict);
"""

# For each rule, statements that break it.
DEFECTS = {
    "order_lines_exist": ["delete from stg_order_lines"],
    "order_lines_have_a_local_day": ["update stg_order_lines set ordered_on = null where order_id = 'o7'"],
    "rows_are_accounted_for": [
        "update row_account set rows_duplicate = 1",
        "update row_account set rows_quarantined = null",
    ],
    "amounts_are_plausible": ["update stg_order_lines set amount = -20261101 where order_id in ('o1', 'o2', 'o3')"],
    "returns_are_the_exception": ["update stg_order_lines set quantity = -quantity"],
    "one_currency": ["update stg_order_lines set currency = 'USD' where order_id = 'o1'"],
    "last_order_day_is_not_alone": ["update stg_order_lines set ordered_on = '2062-01-01' where order_id = 'o1'"],
    "products_are_known": ["delete from stg_products where product_id = 'p1'"],
    "touched_customers_are_known": [
        "insert into stg_touchpoints values ('stranger')",
        "insert into stg_consents values ('stranger')",
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


@pytest.mark.parametrize(("rule", "sql"), CASES)
def test_a_rule_fails_on_its_defect_and_says_what_it_found(sound: Path, tmp_path: Path, rule: Rule, sql: str) -> None:
    [result] = run_rules(with_defect(sound, tmp_path, sql), [rule])
    assert not result.passed
    assert not result.is_error, result.message
    assert result.message


def test_members_who_brought_back_more_than_they_bought_have_no_shares_of_spend(sound: Path, tmp_path: Path) -> None:
    returned = with_defect(sound, tmp_path, "update segments set spend = -25, spend_share = 0")
    [result] = run_rules(returned, [RULES["shares_sum_to_one"]])
    assert result.passed, result.message


def test_the_message_names_the_scheme_and_the_segment(sound: Path, tmp_path: Path) -> None:
    broken = with_defect(sound, tmp_path, "update segments set members = 3 where segment = 'champions'")
    [result] = run_rules(broken, [RULES["segments_count_their_members"]])
    assert result.message == "rfm champions: 3 members in segments, 1 in customer_segments"


def test_a_few_examples_are_shown_and_the_rest_is_mentioned(sound: Path, tmp_path: Path) -> None:
    sql = "insert into next_best_offers select 'x' || i, 2, 'jam', 1.0, 'bread', 'category' from range(9) as t(i)"
    [result] = run_rules(with_defect(sound, tmp_path, sql), [RULES["offers_are_ranked"]])
    assert result.message.count("customer x") == 5
    assert result.message.endswith("; and more")


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
