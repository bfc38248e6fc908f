"""What must hold at each door, as plain data.

Belongs here: the rules, each with the reason it is there and the limit it uses.
Does not belong here: running them (runner.py); what dbt already tests (keys, nulls, closed lists in a model's YAML).

A rule is one expectation of Great Expectations, named by its class. Where SQL says it best, the class is
UnexpectedRowsExpectation: the query returns the rows that should not be there, and a column `problem` that says why in
words. `{batch}` is the rule's own table, `{as_of}` the day that AS_OF says; where it says none, a day after all lines.
`critical` stops the refresh, `warning` is shown and goes on.
Queries run on DuckDB, whatever engine computed the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestration.landing.formats import normal_id

Severity = Literal["critical", "warning"]

# 1 %: a share of lines this large is a unit or sign mistake, not a few odd receipts.
ODD_AMOUNT_SHARE = 0.01
# 1,000,000 in the lines' currency: no single line of a shop; integrations that send cents, or a date in the column, do.
ODD_AMOUNT = 1_000_000
# Of these a unit is worth less than a hundredth of a euro or dollar: there the limit is a thousand times as much.
SMALL_UNITS = (
    *("AMD", "AOA", "ARS", "BDT", "BIF", "CDF", "CLP", "COP", "CRC", "CVE", "DJF", "DZD", "ETB", "GNF", "GYD", "HTG"),
    *("HUF", "IDR", "IQD", "IRR", "ISK", "JMD", "JPY", "KES", "KHR", "KMF", "KRW", "KZT", "LAK", "LBP", "LKR", "LRD"),
    *("MGA", "MMK", "MNT", "MWK", "NGN", "NPR", "PKR", "PYG", "RSD", "RWF", "SDG", "SLL", "SOS", "SSP", "SYP", "TZS"),
    *("UGX", "UZS", "VND", "VUV", "XAF", "XOF", "XPF", "YER", "ZWL"),
)
SMALL_UNITS_TIMES = 1_000
# 30 %: more returns than that are amounts with the wrong sign.
RETURN_SHARE = 0.30
# 5 %: lines of unknown products are in no category; above that, categories and affinities describe another shop.
UNKNOWN_PRODUCT_SHARE = 0.05
# 50 %: a shop that sells loses fewer of its lines to cancelled, failed and unpaid orders.
UNCOUNTED_SHARE = 0.50
# 50 %: where more of the ids in the order lines have no row in a table that has rows, ids are spelled in two ways.
STRANGE_IDS_SHARE = 0.5
# 5 %: from there on other spellings are tried on them; fewer are new customers and delisted products.
FEW_STRANGE_IDS_SHARE = 0.05
# 3 ids a side: enough to see what differs.
ID_EXAMPLES = 3
# 80 %: a scheme that knows fewer than one member in five describes the few who told, not the customers.
UNKNOWN_SEGMENT_SHARE = 0.80
# 8: proposed rows that a warning names; the table has all.
SERVICES_NAMED = 8
# 3: segments of a treatment that a warning names.
SEGMENTS_NAMED = 3
# 20 %: drivers and receptionists have no role, too; above that the seed does not speak the contacts' language.
UNKNOWN_ROLE_SHARE = 0.20
# 50 %: a list of which most say too little was bought for too few columns; a few always do.
UNKNOWN_PROSPECT_SHARE = 0.50
# 2 %: three arms of 0.33 are thirds.
SHARES_OFF = 0.02
# Below this p of their sizes the arms of an experiment are not those that were drawn (accountability/experiments.py).
SAMPLE_RATIO_ALARM = 0.001
# Shares are sums of doubles.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Rule:
    """One expectation on one table. `id` is the name of the Dagster check; `why` is shown in the UI and on failure.

    `remedy` is what to do about it, one sentence that ends what a failure says; every warning has one, unless its query
    says it with each problem: no warning is printed without a next step.
    """

    id: str
    table: str
    severity: Severity
    why: str
    expectation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    remedy: str = ""


def unexpected_rows(id: str, table: str, severity: Severity, why: str, query: str, *, remedy: str = "") -> Rule:
    """A rule whose query returns the rows that break it."""
    return Rule(id, table, severity, why, "UnexpectedRowsExpectation", {"unexpected_rows_query": query.strip()}, remedy)


# The spellings of ids that `landing_formats` knows, in the order of proposal, each as SQL on the column `id`.
ID_SPELLINGS: Mapping[str, str] = {
    name: normal_id("id", name) for name in ("without_decimals", "without_leading_zeros", "upper", "lower")
}
AS_IT_IS = "as_it_is"
PRODUCTS = {"products": "product_id"}


def id_comparison(column: str, masters: Mapping[str, str]) -> str:
    """Common tables that compare the ids of order lines with the tables that should know them, on stg_order_lines.

    `sizes` has one row: ids that were `ordered`, the `strangers` among them that no table knows, ids that are `known`.
    `best` is the spelling under which most ordered ids meet, on the order lines if it does there, else on the other
    tables, else on both: a row if it joins more than half, or if few are strangers more than half of those, else none.
    `joined` are the ids that meet by it. `spoken` has a row where the ids should be spoken of: most are strangers, or
    more than a few are and `best` joins them. Lines without an id are left out.

    Args:
        column: the id column of stg_order_lines, and of the order lines in the landing zone.
        masters: landing tables that hold the ids' rows, and their id columns.
    """
    known = " union ".join(
        f"select {key} as id, '{table}' as source_table, '{key}' as source_column from stg_{table}"
        for table, key in masters.items()
    )
    spellings = " union all ".join(
        f"select id, '{name}' as spelling, {sql} as spelled from {{ids}}"
        for name, sql in {AS_IT_IS: "id", **ID_SPELLINGS}.items()
    )
    pairs = [(name, AS_IT_IS) for name in ID_SPELLINGS] + [(AS_IT_IS, name) for name in ID_SPELLINGS]
    pairs += [(name, name) for name in ID_SPELLINGS]
    ways = ", ".join(f"({place}, '{ordered}', '{mastered}')" for place, (ordered, mastered) in enumerate(pairs))
    return f"""
        with ordered as (select distinct {column} as id from {{batch}} where is_counted and {column} is not null),
        known as ({known}),
        strangers as (select id from ordered where id not in (select id from known where id is not null)),
        sizes as (
            select (select count(*) from ordered) as ordered, (select count(*) from strangers) as strangers,
                   (select count(*) from known) as known
        ),
        -- Spellings are compared only where some ids do not meet.
        parted as (select * from sizes where known > 0 and strangers > {FEW_STRANGE_IDS_SHARE} * ordered),
        ordered_ids as (select id from ordered where exists (select 1 from parted)),
        known_ids as (select distinct id from known where exists (select 1 from parted)),
        ordered_spellings as ({spellings.format(ids="ordered_ids")}),
        known_spellings as ({spellings.format(ids="known_ids")}),
        ways as (select * from (values {ways}) as listed(place, ordered_spelling, known_spelling)),
        meetings as (
            select ways.place, ways.ordered_spelling, ways.known_spelling, ordered_spellings.id as ordered_id,
                   known_spellings.id as known_id, ordered_spellings.id in (select id from strangers) as is_stranger
            from ways
            inner join ordered_spellings on ways.ordered_spelling = ordered_spellings.spelling
            inner join known_spellings
                on ways.known_spelling = known_spellings.spelling
                    and ordered_spellings.spelled = known_spellings.spelled
        ),
        best as (
            select meetings.place, any_value(ordered_spelling) as ordered_spelling,
                   any_value(known_spelling) as known_spelling
            from meetings cross join parted
            group by meetings.place, parted.ordered, parted.strangers
            having count(distinct ordered_id) > {STRANGE_IDS_SHARE} * parted.ordered
                and (
                    parted.strangers > {STRANGE_IDS_SHARE} * parted.ordered
                    or count(distinct ordered_id) filter (where is_stranger) > {STRANGE_IDS_SHARE} * parted.strangers
                )
            order by count(distinct ordered_id) desc, meetings.place
            limit 1
        ),
        joined as (select meetings.* from meetings inner join best on meetings.place = best.place where is_stranger),
        spoken as (
            select * from parted
            where strangers > {STRANGE_IDS_SHARE} * ordered or exists (select 1 from best)
        )
        """


def ids_that_meet(id: str, what: str, column: str, masters: Mapping[str, str]) -> Rule:
    """A rule that fails where ids of order lines and of the tables that should know them do not meet.

    Its message shows a few ids of either side, those first that the setting would join, and that setting.

    Args:
        id: name of the rule.
        what: whom the ids stand for, as the message says it ("customers who ordered").
        column: as for `id_comparison`.
        masters: as for `id_comparison`.
    """
    named = " or ".join(masters)
    query = f"""
        {id_comparison(column, masters).strip()},
        ordered_examples as (
            select string_agg('`' || id || '`', ', ' order by place) as shown
            from (
                select id, row_number() over (order by id in (select ordered_id from joined) desc, id) as place
                from strangers
            )
            where place <= {ID_EXAMPLES}
        ),
        known_examples as (
            select string_agg('`' || id || '`', ', ' order by place) as shown
            from (
                select id, row_number() over (order by id in (select known_id from joined) desc, id) as place
                from known_ids
            )
            where place <= {ID_EXAMPLES}
        ),
        known_tables as (
            select string_agg(distinct source_table, ' or ' order by source_table desc) as shown from known
        ),
        settings as (
            select string_agg(setting, ', ' order by is_master, setting) as shown
            from (
                select false as is_master,
                       'order_lines: ' || chr(123) || 'ids: ' || chr(123) || '{column}: ' || ordered_spelling
                       || chr(125) || chr(125) as setting
                from best where ordered_spelling <> '{AS_IT_IS}'
                union all
                select distinct true, known.source_table || ': ' || chr(123) || 'ids: ' || chr(123)
                       || known.source_column || ': ' || best.known_spelling || chr(125) || chr(125)
                from best cross join known where best.known_spelling <> '{AS_IT_IS}'
            )
        )
        select strangers || ' of ' || ordered || ' {what} have no row in ' || known_tables.shown || ': '
               || ordered_examples.shown || ' in order_lines, ' || known_examples.shown || ' there. '
               || coalesce(
                   'They meet with the setting landing_formats: ' || chr(123) || settings.shown || chr(125)
                   || ' (vars of dbt_project.yml)',
                   'No setting for ids ({", ".join(ID_SPELLINGS)}) joins more than half of them: land the rows that are'
                   || ' missing, or export both with the same ids'
               ) as problem
        from spoken cross join ordered_examples cross join known_examples cross join known_tables cross join settings
    """
    why = f"{what} are looked up by their id: one that is spelled otherwise has nothing of what {named} say"
    return unexpected_rows(id, "stg_order_lines", "warning", why, query)


STAGING: tuple[Rule, ...] = (
    unexpected_rows(
        "order_lines_exist",
        "stg_order_lines",
        "critical",
        "without order lines that count there is nothing to segment",
        """
        select case
                   when count(*) = 0 then 'there are no order lines: all that were landed are refused'
                   else 'none of ' || sum(n) || ' lines counts by its status ('
                        || coalesce(string_agg(distinct spelling, ', ' order by spelling), 'empty')
                        || '): seeds/order_statuses.csv says which do'
               end as problem
        from (
            select is_counted, lower(trim(status)) as spelling, sum(n) as n
            from (select is_counted, status, count(*) as n from {batch} group by is_counted, status)
            group by all
        )
        having count(*) filter (where is_counted) = 0
        """,
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
        # Staging has told all amounts in the reporting currency.
        f"""
        select count(*) filter (where abs(amount) > odd) || ' of ' || count(*) || ' lines have an amount beyond ' || odd
               as problem
        from {{batch}}
        cross join (
            select case
                       when max(reporting_currency) in ({", ".join(f"'{code}'" for code in SMALL_UNITS)})
                           then {ODD_AMOUNT * SMALL_UNITS_TIMES}
                       else {ODD_AMOUNT}
                   end as odd
            from base_order_currencies
        ) as limits
        group by odd
        having count(*) filter (where abs(amount) > odd) > {ODD_AMOUNT_SHARE} * count(*)
        """,
        remedy="Look at the lines with the largest amount in the export: land amounts in the unit of the "
        "currency, not in cents.",
    ),
    unexpected_rows(
        "returns_are_the_exception",
        "stg_order_lines",
        "warning",
        "where most lines are returns, the sign of amount or quantity is wrong",
        f"""
        select sum(cast(amount < 0 or quantity < 0 as int)) || ' of ' || count(*) || ' lines are returns' as problem
        from {{batch}}
        where is_counted
        having sum(cast(amount < 0 or quantity < 0 as int)) > {RETURN_SHARE} * count(*)
        """,
        remedy="Where the export writes sales as negative numbers, turn the sign of amount and quantity in the "
        "view or query that lands order_lines.",
    ),
    unexpected_rows(
        "order_numbers_do_not_restart",
        "order_remarks",
        "warning",
        "orders that share a number become one basket: fewer, larger ones, and another segment for who made them",
        "select problem from {batch} where kind like 'orders that span %' order by problem",
    ),
    unexpected_rows(
        "no_customer_is_many",
        "order_remarks",
        "warning",
        "a guest account, a till or a wholesaler among persons moves every score that compares customers",
        "select problem from {batch} where kind = 'suspicious customer' order by problem",
    ),
    unexpected_rows(
        "lines_that_do_not_count_are_few",
        "stg_order_lines",
        "warning",
        "cancelled, failed and unpaid orders are in nothing; where they are most, a status means something else here",
        f"""
        select sum(cast(not is_counted as int)) || ' of ' || count(*) || ' lines do not count by their status ('
               || string_agg(distinct spelling, ', ' order by spelling) filter (where not is_counted)
               || '): if one of them is a sale all the same, say so in seeds/order_statuses.csv' as problem
        from (select is_counted, lower(trim(status)) as spelling from {{batch}})
        having sum(cast(not is_counted as int)) > {UNCOUNTED_SHARE} * count(*)
        """,
    ),
    unexpected_rows(
        "last_order_day_is_not_alone",
        "order_remarks",
        "warning",
        "one order dated far ahead becomes the as-of date, and makes every customer a lost one",
        "select problem from {batch} where kind = 'lonely last day'",
    ),
    unexpected_rows(
        "products_are_known",
        "stg_order_lines",
        "warning",
        "lines of unknown products have no category",
        # Where their ids do not meet, product_ids_meet says so, and what to do.
        f"""
        {id_comparison("product_id", PRODUCTS).strip()}
        select sum(cast(products.product_id is null as int)) || ' of ' || count(*) || ' lines have no row in products'
               || ': land the rows that are missing, with their category' as problem
        from {{batch}} as lines
        left join stg_products as products on lines.product_id = products.product_id
        where lines.is_counted
        having sum(cast(products.product_id is null as int)) > {UNKNOWN_PRODUCT_SHARE} * count(*)
            and not exists (select 1 from spoken)
        """,
    ),
    ids_that_meet(
        "customer_ids_meet",
        "customers who ordered",
        "customer_id",
        {"customers": "customer_id", "companies": "company_id"},
    ),
    ids_that_meet("product_ids_meet", "products that were sold", "product_id", PRODUCTS),
    unexpected_rows(
        "products_are_in_one_category",
        "refused_rows",
        "warning",
        "of a product's rows one is taken, and what is bought of it counts in that row's category alone",
        """
        with taken as (
            select distinct superseded.product_id,
                   case when superseded.category <> products.category then superseded.category
                        else superseded.department end as other,
                   case when superseded.category <> products.category then products.category
                        else products.department end as known
            from (
                select json_extract_string(raw, '$.product_id') as product_id,
                       json_extract_string(raw, '$.department') as department,
                       json_extract_string(raw, '$.category') as category
                from {batch}
                where source_table = 'products' and disposition = 'superseded'
            ) as superseded
            inner join stg_products as products on superseded.product_id = products.product_id
            where superseded.category <> products.category or superseded.department <> products.department
        )
        select count(distinct product_id) || ' products are landed in two categories or departments, such as '
               || (
                   select string_agg(product_id || ' (' || known || ', taken, and ' || other || ')', ', '
                                     order by product_id, other)
                   from (from taken order by product_id, other limit 3)
               )
               || '. Correct the export, or give products the column updated_at, so that the latest row is taken; the'
               || ' others are in the table quarantine (reasons = superseded)' as problem
        from taken
        having count(*) > 0
        """,
    ),
    unexpected_rows(
        "contacts_belong_to_a_company",
        "stg_company_contacts",
        "warning",
        "a contact person without a company is in no buying committee, and an id of two kinds mixes two histories",
        """
        with known as (
            select company_id as id from stg_companies
            union select customer_id from stg_customers
            union select customer_id from stg_order_lines where is_counted
            union select prospect_id from stg_prospects
        )
        select count(*) || ' of ' || (select count(*) from {batch})
               || ' contact persons name a company that no table has ('
               || array_to_string(list(company_id order by company_id)[1:3], ', ')
               || '): they are in no committee; see that company_id is spelled as in companies' as problem
        from {batch}
        where company_id not in (select id from known where id is not null)
        having count(*) > 0
        union all
        select count(*) || ' contact persons have the id of a customer or company ('
               || array_to_string(list(person_id order by person_id)[1:3], ', ')
               || '): consents and touchpoints of the one count for the other; give contact persons ids of their own'
        from {batch}
        where person_id in (select id from known)
        having count(*) > 0
        """,
    ),
    unexpected_rows(
        "touched_customers_are_known",
        "stg_touchpoints",
        "warning",
        "customers known only from other tables than customers, companies and order lines before the as-of date are no"
        " members",
        """
        select count(*) || ' customers appear only in touchpoints, responses, consents or assignments, or ordered first'
               || ' on or after the as-of date' as problem
        from (
            select customer_id from {batch}
            union select customer_id from stg_responses
            union select customer_id from stg_consents
            union select customer_id from stg_assignments
            except select customer_id from stg_customers
            except select company_id from stg_companies
            except select person_id from stg_company_contacts
            except select customer_id from stg_order_lines where is_counted and ordered_on < {as_of}
            except select prospect_id from stg_prospects
        )
        having count(*) > 0
        """,
        remedy="Land them in customers, or leave them out of the tables that name them; until then they are in "
        "no segment and nothing is sent to them.",
    ),
    unexpected_rows(
        "prospects_are_no_customers",
        "stg_prospects",
        "warning",
        "a prospect has not bought yet; of a customer the segments are known, and need not be guessed",
        """
        select count(*) || ' of ' || (select count(*) from {batch}) || ' prospects have the id of a customer ('
               || array_to_string(list(prospect_id order by prospect_id)[1:3], ', ')
               || '): their segments are in customer_segments' as problem
        from {batch}
        where prospect_id in (
            select customer_id from stg_customers
            union select company_id from stg_companies
            union select customer_id from stg_order_lines where is_counted
        )
        having count(*) > 0
        """,
        remedy="Land prospects without those who have bought.",
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
        with arms as (
            select experiment_id, assigned_on, max(cast(share_treated as double)) as share,
                   case when arm = 'holdout' then 'none' else treatment_id end as treatment_id
            from {{batch}} where experiment_id is not null and share_treated is not null
            group by experiment_id, assigned_on, case when arm = 'holdout' then 'none' else treatment_id end
        ),
        -- Where members come in day by day, few days have all arms.
        sizes as (
            select experiment_id, count(*) as n_arms
            from (select distinct experiment_id, treatment_id from arms) as drawn
            group by experiment_id
        )
        select experiment_id || ' on ' || assigned_on || ': the shares of its arms sum to ' || round(sum(share), 3)
               || '; land in share_treated the share of each row''s own arm, the holdout''s included'
               || ' (docs/experiments.md)' as problem
        from (
            select arms.experiment_id, arms.assigned_on, arms.share, sizes.n_arms
            from arms inner join sizes on arms.experiment_id = sizes.experiment_id
        ) as of_a_day
        group by experiment_id, assigned_on, n_arms
        having abs(sum(share) - 1) > {SHARES_OFF} and count(*) > 1 and count(*) = n_arms
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
        remedy="Land the columns that docs/schemes.md names for the scheme, say what your categories mean (make "
        "meanings: job_to_be_done, lifestyle, purchase_motive), give new spellings a row in seeds/spellings.csv (table "
        "unmapped_spellings lists them), or set is_active to false in seeds/segment_schemes.csv.",
    ),
    unexpected_rows(
        "schemes_can_be_taken_as_they_are",
        "segment_schemes",
        "warning",
        "segments of a young shop, or one segment for everybody, promise more than they hold",
        """
        select scheme || ': ' || caution as problem
        from {batch}
        where caution is not null
        """,
    ),
    unexpected_rows(
        "job_titles_tell_a_role",
        "customer_segments",
        "warning",
        "who has no role is in no buying committee",
        f"""
        with contacts as (
            select count(*) as persons, count(*) filter (segment = 'unknown') as without_role
            from {{batch}} where scheme = 'buying_role'
        ),
        titles as (
            select list(spelling order by "rows" desc, spelling)[1:5] as first_titles
            from unmapped_spellings where attribute = 'job_title'
        )
        select without_role || ' of ' || persons
               || ' contact persons have no buying role; most frequent titles without one: '
               || coalesce(array_to_string(first_titles, ', '), 'none, as no title is given')
               || '; add rows to seeds/job_titles.csv' as problem
        from contacts cross join titles
        where without_role > {UNKNOWN_ROLE_SHARE} * persons
        """,
    ),
    unexpected_rows(
        "prospects_have_a_segment",
        "prospect_segments",
        "warning",
        "a prospect without a segment gets no treatment, and the list that it came from was bought for nothing",
        f"""
        with reasons as (
            select kind, scheme, outcome, count(*) as n from {{batch}} group by kind, scheme, outcome
        )
        select kind || ': ' || sum(n) filter (outcome <> 'scored') || ' of ' || sum(n)
               || ' prospects have no segment of ' || scheme || ' ('
               || string_agg(n || ' ' || outcome, ', ' order by n desc, outcome) filter (outcome <> 'scored')
               || '): docs/prospects.md says what helps against each' as problem
        from reasons
        group by kind, scheme
        having coalesce(sum(n) filter (outcome <> 'scored'), 0) > {UNKNOWN_PROSPECT_SHARE} * sum(n)
        """,
    ),
    unexpected_rows(
        "treatments_are_read_again_in_time",
        "treatments",
        "warning",
        "past its review date, nobody answers for it that a treatment still says what is true",
        f"""
        select scheme || ': treatment ' || template_id || ' of segment ' || segments || ' was to be read again by '
               || review_on || case when owner is null then ' (it has no owner)' else ' (owner: ' || owner || ')' end
               as problem
        from (
            -- The segments of one row are one treatment to read.
            select scheme, template_id, max(review_on) as review_on, max(owner) as owner,
                   string_agg(segment, ', ' order by segment) filter (place <= {SEGMENTS_NAMED})
                   || case when count(*) > {SEGMENTS_NAMED} then ' and ' || (count(*) - {SEGMENTS_NAMED}) || ' more'
                           else '' end as segments
            from (
                select *, row_number() over (partition by scheme, template_id order by segment, treatment_id) as place
                from {{batch}}
            ) as treatments
            cross join (select max(as_of) as as_of from customer_segments) as dates
            where review_on < dates.as_of and coalesce(valid_to >= dates.as_of, true)
            group by scheme, template_id
        )
        """,
        remedy="Read each with its owner, then write a later review_on into treatments.csv (SEEDS_DIR, else seeds/; or "
        "make treatments), or end it with valid_to; make check says what is left.",
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
        "offers_are_on_the_level_wanted",
        "offer_level",
        "warning",
        "where few items of a level are known, offers of them would be next to none, so they are made on a finer one",
        """
        select 'offers and gaps are made on the level ' || item_level || ', because only ' || items_wanted
               || ' items of the level ' || level_wanted || ' were ever sold; give the products a ' || level_wanted
               || ', or say offer_level: ' || item_level || ' (or a lower min_offer_items) in the settings' as problem
        from {batch}
        where item_level <> level_wanted
        """,
    ),
    unexpected_rows(
        "services_are_no_merchandise",
        "suggested_non_merchandise",
        "warning",
        "postage, gift cards and fees that count as goods are in baskets, affinities, interests and offers",
        f"""
        select count(*) || ' rows of suggested_non_merchandise look like services and not like goods; paste those that'
               || ' are none into seeds/non_merchandise.csv (words are in seeds/service_words.csv): '
               || string_agg(seed_row, '' order by place) filter (where place <= {SERVICES_NAMED}) as problem
        from (
            select chr(10) || level || ',"' || replace(pattern, '"', '""') || '","' || reason || ': ' || lines
                   || ' lines in ' || orders || ' orders (' || round(100 * order_share, 1) || ' %), e.g. '
                   || replace(example_product_id, '"', '""') || '"' as seed_row,
                   row_number() over (order by orders desc, level, pattern) as place
            from {{batch}}
        )
        having count(*) > 0
        """,
    ),
    unexpected_rows(
        "optional_values_are_readable",
        "unreadable_values",
        "warning",
        "a value that cannot be read counts as empty: nothing is known of those customers or products",
        """
        select source_table || '.' || "column" || ': ' || round(100 * max(column_share), 1)
               || ' % of the values cannot be read and count as empty, such as '
               || string_agg('"' || spelling || '" (' || "rows" || ' rows)', ', ' order by place) filter (place <= 3)
               || ': ' || max(remedy) as problem
        from (
            select *, row_number() over (partition by source_table, "column" order by "rows" desc, spelling) as place
            from {batch}
            where is_warned
        )
        group by source_table, "column"
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
