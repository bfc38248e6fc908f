"""What must hold at each door, as plain data.

Belongs here: the rules, each with the reason it is there and the limit it uses.
Does not belong here: running them (runner.py); what dbt already tests (keys, nulls, closed lists in a model's YAML).

A rule is one expectation of Great Expectations, named by its class. Where SQL says it best, the class is
UnexpectedRowsExpectation: the query returns the rows that should not be there, and a column `problem` that says why in
words. `{batch}` is the rule's own table. `critical` stops the refresh, `warning` is shown and goes on.
Queries run on DuckDB, whatever engine computed the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning"]

# 1 %: a share of lines this large is a unit or sign mistake, not a few odd receipts.
ODD_AMOUNT_SHARE = 0.01
# 1,000,000 in the lines' currency: no single line of a shop; integrations that send cents, or a date in the column, do.
ODD_AMOUNT = 1_000_000
# 30 %: more returns than that are amounts with the wrong sign.
RETURN_SHARE = 0.30
# 5 %: lines of unknown products are in no category; above that, categories and affinities describe another shop.
UNKNOWN_PRODUCT_SHARE = 0.05
# 180 days: a last order day that far from the one before is a wrong date, and it would become the as-of date.
LONELY_DAYS = 180
# 80 %: a scheme that knows fewer than one member in five describes the few who told, not the customers.
UNKNOWN_SEGMENT_SHARE = 0.80
# 2 %: three arms of 0.33 are thirds.
SHARES_OFF = 0.02
# Below this p of their sizes the arms of an experiment are not those that were drawn (accountability/experiments.py).
SAMPLE_RATIO_ALARM = 0.001
# Shares are sums of doubles.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Rule:
    """One expectation on one table. `id` is the name of the Dagster check; `why` is shown in the UI and on failure."""

    id: str
    table: str
    severity: Severity
    why: str
    expectation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


def unexpected_rows(id: str, table: str, severity: Severity, why: str, query: str) -> Rule:
    """A rule whose query returns the rows that break it."""
    return Rule(id, table, severity, why, "UnexpectedRowsExpectation", {"unexpected_rows_query": query.strip()})


STAGING: tuple[Rule, ...] = (
    Rule(
        "order_lines_exist",
        "stg_order_lines",
        "critical",
        "without order lines there is nothing to segment",
        "ExpectTableRowCountToBeBetween",
        {"min_value": 1},
    ),
    Rule(
        "order_lines_have_a_local_day",
        "stg_order_lines",
        "critical",
        "every date rule of the models hangs on the local day of a line",
        "ExpectColumnValuesToNotBeNull",
        {"column": "ordered_on"},
    ),
    unexpected_rows(
        "rows_are_accounted_for",
        "row_account",
        "critical",
        "refused rows must be seen: rows landed = staged + quarantined + duplicates",
        """
        select source_table || ': ' || rows_landed || ' landed, but ' || rows_staged || ' staged + ' || rows_quarantined
               || ' quarantined + ' || rows_duplicate || ' duplicates' as problem
        from {batch}
        where rows_landed is distinct from rows_staged + rows_quarantined + rows_duplicate
        """,
    ),
    unexpected_rows(
        "amounts_are_plausible",
        "stg_order_lines",
        "warning",
        "amounts in another unit change every rule on money",
        f"""
        select count(*) filter (where abs(amount) > {ODD_AMOUNT}) || ' of ' || count(*)
               || ' lines have an amount beyond {ODD_AMOUNT}' as problem
        from {{batch}}
        having count(*) filter (where abs(amount) > {ODD_AMOUNT}) > {ODD_AMOUNT_SHARE} * count(*)
        """,
    ),
    unexpected_rows(
        "returns_are_the_exception",
        "stg_order_lines",
        "warning",
        "where most lines are returns, the sign of amount or quantity is wrong",
        f"""
        select sum(cast(amount < 0 or quantity < 0 as int)) || ' of ' || count(*) || ' lines are returns' as problem
        from {{batch}}
        having sum(cast(amount < 0 or quantity < 0 as int)) > {RETURN_SHARE} * count(*)
        """,
    ),
    unexpected_rows(
        "one_currency",
        "stg_order_lines",
        "warning",
        "amounts are added up as they are",
        """
        select 'lines in ' || string_agg(distinct currency, ', ' order by currency) as problem
        from {batch}
        having count(distinct currency) > 1
        """,
    ),
    unexpected_rows(
        "last_order_day_is_not_alone",
        "stg_order_lines",
        "warning",
        "one order dated far ahead becomes the as-of date, and makes every customer a lost one",
        f"""
        select 'the last order day ' || last_on || ' is ' || (last_on - before_on) || ' days after the one before'
               as problem
        from (
            select max(ordered_on) as last_on, max(ordered_on) filter (where place = 2) as before_on
            from (
                select ordered_on, row_number() over (order by ordered_on desc) as place
                from {{batch}}
                group by ordered_on
            )
        )
        where last_on - before_on > {LONELY_DAYS}
        """,
    ),
    unexpected_rows(
        "products_are_known",
        "stg_order_lines",
        "warning",
        "lines of unknown products have no category",
        f"""
        select sum(cast(products.product_id is null as int)) || ' of ' || count(*) || ' lines have no row in products'
               as problem
        from {{batch}} as lines
        left join stg_products as products on lines.product_id = products.product_id
        having sum(cast(products.product_id is null as int)) > {UNKNOWN_PRODUCT_SHARE} * count(*)
        """,
    ),
    unexpected_rows(
        "touched_customers_are_known",
        "stg_touchpoints",
        "warning",
        "customers known only from other tables than customers, companies and order lines are no members",
        """
        select count(*) || ' customers appear only in touchpoints, responses, consents or assignments' as problem
        from (
            select customer_id from {batch}
            union select customer_id from stg_responses
            union select customer_id from stg_consents
            union select customer_id from stg_assignments
            except select customer_id from stg_customers
            except select company_id from stg_companies
            except select customer_id from stg_order_lines
        )
        having count(*) > 0
        """,
    ),
    unexpected_rows(
        "customers_have_one_arm_in_an_experiment",
        "stg_assignments",
        "warning",
        "arms are drawn once: of several the first counts, and the rest of what was sent is not in the result",
        """
        select experiment_id || ': ' || count(*) || ' customers are in several arms; the first of each counts. Land the'
               || ' arm that was drawn first, or give the second draw an experiment_id of its own' as problem
        from (
            select experiment_id, customer_id from {batch} where experiment_id is not null
            group by experiment_id, customer_id
            having count(distinct case when arm = 'holdout' then 'none' else treatment_id end) > 1
        )
        group by experiment_id
        """,
    ),
    unexpected_rows(
        "shares_of_an_experiment_make_the_whole",
        "stg_assignments",
        "warning",
        "where the shares of the arms do not sum to 1, nobody can tell whether the arms are as they were drawn",
        f"""
        select experiment_id || ' on ' || assigned_on || ': the shares of its arms sum to ' || round(sum(share), 3)
               || '. With an experiment_id, share_treated is the share of the row''s own arm, the holdout''s included'
               as problem
        from (
            select experiment_id, assigned_on, max(cast(share_treated as double)) as share,
                   case when arm = 'holdout' then 'none' else treatment_id end as treatment_id
            from {{batch}} where experiment_id is not null and share_treated is not null
            group by experiment_id, assigned_on, case when arm = 'holdout' then 'none' else treatment_id end
        )
        group by experiment_id, assigned_on
        having abs(sum(share) - 1) > {SHARES_OFF} and count(*) > 1
        """,
    ),
)

CANDIDATE: tuple[Rule, ...] = (
    Rule(
        "one_segment_a_member",
        "customer_segments",
        "critical",
        "segments of a scheme exclude each other",
        "ExpectCompoundColumnsToBeUnique",
        {"column_list": ["scheme", "member_id"]},
    ),
    unexpected_rows(
        "every_customer_is_in_every_scheme",
        "customer_profiles",
        "critical",
        "with `unknown`, the segments of a scheme are exhaustive",
        """
        select schemes.scheme || ': ' || count(*) || ' customers of its audience have no row' as problem
        from {batch} as customers
        inner join segment_schemes as schemes
            on schemes.is_active and list_contains(string_split(schemes.audience, ', '), customers.kind)
        left join customer_segments as assigned
            on schemes.scheme = assigned.scheme and customers.customer_id = assigned.member_id
        where assigned.member_id is null
        group by schemes.scheme
        """,
    ),
    unexpected_rows(
        "segments_count_their_members",
        "customer_segments",
        "critical",
        "sizes in segments are the members in customer_segments",
        """
        select coalesce(counted.scheme, segments.scheme) || ' ' || coalesce(counted.segment, segments.segment) || ': '
               || coalesce(segments.members, 0) || ' members in segments, ' || coalesce(counted.members, 0)
               || ' in customer_segments' as problem
        from (select scheme, segment, count(*) as members from {batch} group by scheme, segment) as counted
        full join segments on counted.scheme = segments.scheme and counted.segment = segments.segment
        where coalesce(counted.members, 0) <> coalesce(segments.members, 0) or segments.scheme is null
        """,
    ),
    unexpected_rows(
        "shares_sum_to_one",
        "segments",
        "critical",
        "shares of a scheme's segments make the whole",
        f"""
        select scheme || ': shares sum to ' || sum(member_share) || ' of members, ' || sum(spend_share) || ' of spend'
               as problem
        from {{batch}}
        group by scheme
        having (sum(members) > 0 and abs(sum(member_share) - 1) > {TOLERANCE})
            or (sum(spend) > 0 and abs(sum(spend_share) - 1) > {TOLERANCE})
        """,
    ),
    unexpected_rows(
        "schemes_know_their_members",
        "segments",
        "warning",
        "a scheme in which most members are unknown says little about the customers",
        f"""
        select scheme || ': ' || round(100 * member_share, 1) || ' % of members are unknown' as problem
        from {{batch}}
        where segment = 'unknown' and members > 0 and member_share > {UNKNOWN_SEGMENT_SHARE}
        """,
    ),
    unexpected_rows(
        "facts_are_before_the_as_of_date",
        "customer_profiles",
        "critical",
        "only what happened strictly before the as-of date counts",
        """
        select count(*) || ' customers bought last on or after the as-of date ' || dates.as_of as problem
        from {batch} as customers
        cross join (select max(as_of) as as_of from customer_segments) as dates
        where customers.last_order_on >= dates.as_of
            or customers.recency_days <> dates.as_of - customers.last_order_on
        group by dates.as_of
        """,
    ),
    unexpected_rows(
        "rfm_scores_point_the_right_way",
        "customer_profiles",
        "critical",
        "5 is best: a more recent, more frequent or larger buyer never scores lower",
        """
        select kind || ': ' || measure || ' score ' || score || ' goes down to ' || worst
               || ', and the score below it up to ' || best_below as problem
        from (
            select kind, measure, score, min(goodness) as worst,
                   max(max(goodness)) over (
                       partition by kind, measure order by score rows between unbounded preceding and 1 preceding
                   ) as best_below
            from (
                select kind, 'recency' as measure, recency_score as score, cast(-recency_days as double) as goodness
                from {batch} where frequency > 0
                union all
                select kind, 'frequency', frequency_score, cast(frequency as double) from {batch} where frequency > 0
                union all
                select kind, 'monetary', monetary_score, cast(monetary as double) from {batch} where frequency > 0
            )
            group by kind, measure, score
        )
        where worst <= best_below
        """,
    ),
    unexpected_rows(
        "current_history_is_the_present",
        "customer_segment_history",
        "critical",
        "the open row of the history is the segment of today",
        """
        select coalesce(history.scheme, present.scheme) || ': ' || count(*) || ' members whose open row differs'
               as problem
        from (select scheme, member_id, segment from {batch} where is_current) as history
        full join customer_segments as present
            on history.scheme = present.scheme and history.member_id = present.member_id
                and history.segment = present.segment
        where history.member_id is null or present.member_id is null
        group by coalesce(history.scheme, present.scheme)
        """,
    ),
    unexpected_rows(
        "affinity_counts_are_possible",
        "product_affinities",
        "critical",
        "a pair is in no more baskets than either of its items",
        f"""
        select item_level || ' ' || antecedent || ' -> ' || consequent || ': ' || n_both || ' of ' || n_antecedent
               || ' and ' || n_consequent || ', support ' || support as problem
        from {{batch}}
        where n_both > least(n_antecedent, n_consequent) or greatest(n_antecedent, n_consequent) > n_baskets
            or support > least(antecedent_support, consequent_support) + {TOLERANCE} or antecedent = consequent
        """,
    ),
    unexpected_rows(
        "affinity_chances_are_chances",
        "product_affinities",
        "critical",
        "p and q are between 0 and 1, and correcting for many pairs never makes a p smaller",
        f"""
        select item_level || ' ' || antecedent || ' -> ' || consequent || ': p '
               || coalesce(cast(p_value as varchar), 'null') || ', q ' || coalesce(cast(q_value as varchar), 'null')
               as problem
        from {{batch}}
        where not coalesce(
            p_value between 0 and 1 and q_value between 0 and 1 and q_value >= p_value * (1 - {TOLERANCE}), false
        )
        """,
    ),
    unexpected_rows(
        "offers_are_ranked",
        "next_best_offers",
        "critical",
        "ranks run from 1 without a gap to at most 10, the best score first",
        """
        select 'customer ' || customer_id || ': rank ' || offer_rank || ' where ' || place || ' is due, score ' || score
               as problem
        from (
            select customer_id, offer_rank, score,
                   row_number() over (partition by customer_id order by offer_rank) as place,
                   lag(score) over (partition by customer_id order by offer_rank) as score_above
            from {batch}
        )
        where offer_rank <> place or offer_rank > 10 or score > score_above
        """,
    ),
    unexpected_rows(
        "offers_are_new_to_the_customer",
        "next_best_offers",
        "critical",
        "what a customer is known to have bought is not offered to that customer",
        """
        select 'customer ' || offers.customer_id || ': ' || offers.item || ' is offered, and was bought' as problem
        from {batch} as offers
        inner join (select distinct customer_id, item_level, because_item from next_best_offers) as bought
            on offers.customer_id = bought.customer_id and offers.item_level = bought.item_level
                and offers.item = bought.because_item
        """,
    ),
    unexpected_rows(
        "every_scheme_has_a_verdict",
        "segment_schemes",
        "critical",
        "the account covers every active scheme",
        """
        select schemes.scheme || ': no row in the scorecard' as problem
        from {batch} as schemes
        left join scheme_scorecard as scorecard on schemes.scheme = scorecard.scheme
        where schemes.is_active and scorecard.verdict is null
        """,
    ),
    unexpected_rows(
        "arms_are_of_the_sizes_that_were_drawn",
        "treatment_outcomes",
        "warning",
        "an experiment whose arms are not those that were drawn compares other customers, and is not reported",
        f"""
        select experiment_id || ': arms of other sizes than were drawn (p = ' || round(min(srm_p_value), 6)
               || '), so nothing of it is compared. Land everybody who was assigned, also who was never sent anything,'
               || ' and check share_treated' as problem
        from {{batch}}
        where srm_p_value < {SAMPLE_RATIO_ALARM}
        group by experiment_id
        """,
    ),
)
