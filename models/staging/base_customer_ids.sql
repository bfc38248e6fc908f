{# What ids of customers are read as: the customer at the end of a chain of aliases, or nobody where the id is a guest's. A few
   rows that every table with customers is joined to; ids that are not here are what they are. #}
{%- set steps = alias_steps() %}
with aliases as (

    select
        alias_id,
        customer_id
    from {{ ref('stg_customer_aliases') }}
    where alias_id <> customer_id

),

guests as (

    select
        guest_id,
        {{ spelling_of('guest_id') }} as plain_id
    from {{ ref('guest_ids') }}

),

{# All of them are written out, so that the ids of lines are looked up as they are. #}
guest_spellings as (

    select guest_id as alias_id from guests
    union
    select plain_id as alias_id from guests
    union
    select upper(plain_id) as alias_id from guests
    union
    select upper(substr(plain_id, 1, 1)) || substr(plain_id, 2) as alias_id from guests
    union
    select {{ title_case('plain_id') }} as alias_id from guests
    union
    {# `Walk-In Customer`, beside `Walk-in Customer`. #}
    select replace({{ title_case("replace(plain_id, '-', '- ')") }}, '- ', '-') as alias_id from guests

),

{# One step along each chain after the other: a row for each alias, and joins of a small table. #}
customers as (

    select
        step_0.alias_id,
        {#- The last one that is there: those after it are null. -#}
        coalesce({% for step in range(steps, -1, -1) %}step_{{ step }}.customer_id{{ ', ' if not loop.last }}{% endfor %}) as customer_id,
        step_{{ steps }}.customer_id is not null as is_endless
    from aliases as step_0
    {%- for step in range(1, steps + 1) %}
    left join aliases as step_{{ step }} on step_{{ step - 1 }}.customer_id = step_{{ step }}.alias_id
    {%- endfor %}

)

select
    customers.alias_id,
    case when guest_spellings.alias_id is null then customers.customer_id end as customer_id,
    guest_spellings.alias_id is not null as is_guest,
    customers.is_endless,
    customers.customer_id as chain_end
from customers
left join guest_spellings on customers.customer_id = guest_spellings.alias_id
union all
select
    guest_spellings.alias_id,
    cast(null as string) as customer_id,
    true as is_guest,
    false as is_endless,
    cast(null as string) as chain_end
from guest_spellings
left join aliases on guest_spellings.alias_id = aliases.alias_id
where aliases.alias_id is null
