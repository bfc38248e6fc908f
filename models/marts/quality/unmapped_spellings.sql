{# Values of mapped columns that the seed spellings does not know, and job titles that tell no role by seed job_titles: each
   counts as unknown until it gets a row there. Statuses that the seed order_statuses does not know: their lines count.
   Maturities that are no level by seed segment_definitions: they count as not declared. #}
{%- set profile_columns = [
    'gender', 'age_band', 'settlement', 'employment', 'marital_status', 'home_ownership', 'income_band',
    'household_composition'
] -%}
{#- These are read as the whole number that they begin with. -#}
{%- set number_columns = ['household_size', 'children'] -%}

with landed_values as (

    {% for table in ['customers', 'prospects'] -%}
    {% for column in profile_columns + number_columns -%}
    select '{{ table }}' as source_table, '{{ column }}' as attribute, {{ spelling_of(column) }} as spelling
    from {{ ref('stg_' ~ table) }}
    union all
    {% endfor -%}
    {% endfor -%}
    select 'companies' as source_table, 'settlement' as attribute, {{ spelling_of('settlement') }} as spelling
    from {{ ref('stg_companies') }}
    union all
    {% for table in ['companies', 'prospects'] -%}
    select '{{ table }}' as source_table, 'benefit_sought' as attribute, {{ spelling_of('benefit_sought') }} as spelling
    from {{ ref('stg_' ~ table) }}
    union all
    select
        '{{ table }}' as source_table,
        'process_maturity' as attribute,
        cast(process_maturity as string) as spelling
    from {{ ref('stg_' ~ table) }}
    union all
    {% endfor -%}
    select 'prospects' as source_table, 'kind' as attribute, {{ spelling_of('kind') }} as spelling
    from {{ ref('stg_prospects') }}
    union all
    select
        'company_contacts' as source_table,
        'job_title' as attribute,
        {{ spelling_of('contacts.job_title') }} as spelling
    from {{ ref('stg_company_contacts') }} as contacts
    left join {{ ref('int_job_titles') }} as titles on {{ spelling_of('contacts.job_title') }} = titles.spelling
    where titles.role is null
    union all
    select 'products' as source_table, 'brand_tier' as attribute, {{ spelling_of('brand_tier') }} as spelling
    from {{ ref('stg_products') }}
    union all
    select 'order_lines' as source_table, 'status' as attribute, {{ spelling_of('status') }} as spelling
    from {{ ref('stg_order_lines') }}
    where status is not null

),

known_spellings as (

    select
        attribute,
        {{ spelling_of('spelling') }} as spelling
    from {{ ref('spellings') }}
    -- Read from seeds of their own: a row here gives them no meaning.
    where attribute not in ('status', 'job_title', 'process_maturity')
    union
    select
        scheme as attribute,
        cast(sort_order as string) as spelling
    from {{ ref('segment_definitions') }}
    where scheme = 'process_maturity'
    union
    select 'status' as attribute, {{ spelling_of('status') }} as spelling from {{ ref('order_statuses') }}

),

spellings as (

    select
        source_table,
        attribute,
        spelling,
        cast(count(*) as bigint) as {{ adapter.quote('rows') }}
    from landed_values
    where spelling is not null and spelling <> ''
    group by source_table, attribute, spelling

)

select
    cast(spellings.source_table as string) as source_table,
    cast(spellings.attribute as string) as {{ adapter.quote('column') }},
    spellings.attribute,
    spellings.spelling,
    spellings.{{ adapter.quote('rows') }}
from spellings
left join known_spellings as known
    on spellings.attribute = known.attribute and spellings.spelling = known.spelling
where
    known.spelling is null
    and not (
        spellings.attribute in ('{{ number_columns | join("', '") }}')
        and {{ leading_number('spellings.spelling') }} is not null
    )
