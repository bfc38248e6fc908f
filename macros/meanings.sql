{# A scheme that reads what products mean (seed category_meanings): of the meanings that stand clearly above everyone's share
   in the member's spend, the one that stands out most. Clearly: the odds share / (1 - share) are at least var
   meaning_min_odds times everyone's, in at least meaning_min_baskets baskets. Odds, because a meaning with 60 % of
   everyone's spend can hardly reach an index of 1.2, and one with 2 % reaches it by chance. Most: by the standardised
   excess (share - p) / sqrt(p (1 - p)), p = everyone's share; by the index, the rarest meaning would win wherever it occurs.

   A meaning is a segment id, or words of the user's own, which are its label then.

   `scheme` is the scheme's name and the seed's column; `kind` keeps one kind of customer, and everyone is then of that
   kind. Shares are of the spend that means something. #}
{% macro segments_of_meanings(scheme, kind=none) %}
with meanings as (

    select
        {{ lower_case('category') }} as category,
        {{ segment_id(scheme) }} as meaning
    from {{ ref('category_meanings') }}
    where {{ known_label(scheme) }} is not null

),

own_words as (

    select
        {{ segment_id(scheme) }} as meaning,
        min({{ scheme }}) as label
    from {{ ref('category_meanings') }}
    where {{ scheme }} <> {{ segment_id(scheme) }}
    group by {{ segment_id(scheme) }}

),

spends as (

    select
        categories.as_of,
        categories.customer_id,
        meanings.meaning,
        sum(categories.spend) as spend
    from {{ ref('int_customer_categories') }} as categories
    {# The dates are named here: no filter from outside reaches what is read twice. #}
    inner join {{ missing(ref('int_category_dates')) }} as dates on categories.as_of = dates.as_of
    inner join meanings on {{ lower_case('categories.category') }} = meanings.category
    {% if kind -%}
    inner join {{ ref('int_buyers') }} as members
        on
            categories.as_of = members.as_of
            and categories.customer_id = members.customer_id
            and members.kind = '{{ kind }}'
    {% endif -%}
    group by categories.as_of, categories.customer_id, meanings.meaning

),

meaning_totals as (

    select as_of, meaning, cast(sum(spend) as double) as spend
    from spends
    group by as_of, meaning

),

totals as (

    select as_of, cast(sum(spend) as double) as spend
    from spends
    group by as_of

),

customer_totals as (

    select as_of, customer_id, cast(sum(spend) as double) as spend
    from spends
    group by as_of, customer_id

),

shares as (

    select
        spends.as_of,
        spends.customer_id,
        spends.meaning,
        cast(spends.spend as double) / customer_totals.spend as spend_share,
        meaning_totals.spend / totals.spend as population_share
    from spends
    inner join customer_totals
        on spends.as_of = customer_totals.as_of and spends.customer_id = customer_totals.customer_id
    inner join meaning_totals on spends.as_of = meaning_totals.as_of and spends.meaning = meaning_totals.meaning
    inner join totals on spends.as_of = totals.as_of
    where customer_totals.spend > 0 and meaning_totals.spend > 0 and totals.spend > 0 and spends.spend > 0

),

standing_out as (

    select
        as_of,
        customer_id,
        meaning,
        spend_share,
        spend_share / population_share as meaning_index,
        {# Rounded, so that equal shares of different amounts stay equal. #}
        round((spend_share - population_share) / sqrt(population_share * (1e0 - population_share)), 9) as excess
    from shares
    where
        population_share < 1
        and round(spend_share * (1e0 - population_share), 9)
        >= round({{ var('meaning_min_odds') }} * population_share * (1e0 - spend_share), 9)

),

ranked as (

    select
        as_of,
        customer_id,
        meaning,
        spend_share,
        meaning_index,
        row_number() over (partition by as_of, customer_id order by excess desc, meaning asc) as place
    from standing_out

),

{# The number of baskets is asked here and not in the join: of a condition on one side of an outer join alone DuckDB makes a
   nested loop, every member against every other. #}
judged as (

    select
        members.as_of,
        members.customer_id,
        case when members.frequency >= {{ var('meaning_min_baskets') }} then ranked.meaning end as meaning,
        case when members.frequency >= {{ var('meaning_min_baskets') }} then ranked.spend_share end as spend_share,
        case when members.frequency >= {{ var('meaning_min_baskets') }} then ranked.meaning_index end as meaning_index
    from {{ ref('int_buyer_features') }} as members
    {# Of a date that was not added up nothing is said: it is not that nothing is known of anybody. #}
    inner join {{ ref('int_category_dates') }} as dates on members.as_of = dates.as_of
    left join ranked
        on members.as_of = ranked.as_of and members.customer_id = ranked.customer_id and ranked.place = 1
    {% if kind %}where members.kind = '{{ kind }}'{% endif %}

)

select
    judged.as_of,
    '{{ scheme }}' as scheme,
    judged.customer_id as member_id,
    coalesce(judged.meaning, 'unknown') as segment,
    cast(own_words.label as string) as label,
    case when judged.meaning is null then 'unknown' else 'inferred' end as evidence,
    {{ json_object_text([
        ['meaning', 'judged.meaning', 'text'],
        ['spend_share', 'judged.spend_share', 'decimal'],
        ['index', 'judged.meaning_index', 'decimal'],
    ]) }} as reason
from judged
left join own_words on judged.meaning = own_words.meaning
{% endmacro %}
