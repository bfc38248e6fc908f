{# In which money the lines of each local day are, as the files spell it, and in which it is told: the reporting currency, where
   it is set, else the only one that there is. #}
with spellings as (

    select
        coalesce(lines.currency, '') as spelling,
        lines.ordered_on,
        cast(count(*) as bigint) as lines
    from {{ ref('base_order_lines') }} as lines
    left join {{ ref('refused_rows') }} as refused
        on
            refused.source_table = 'order_lines'
            and lines.source_file = refused.source_file
            and lines.source_row = refused.source_row
    where not lines.is_refused and refused.source_row is null
    group by coalesce(lines.currency, ''), lines.ordered_on

),

named_currencies as (

    select
        count(distinct upper({{ trimmed('spelling') }})) as currencies,
        min(upper({{ trimmed('spelling') }})) as first_currency
    from spellings
    where spelling <> ''

),

reporting as (

    select
        {% if reporting_currency() -%}
        '{{ reporting_currency() }}' as reporting_currency,
        {%- else -%}
        case when currencies = 1 then first_currency end as reporting_currency,
        {%- endif %}
        case when currencies = 1 then first_currency end as only_currency
    from named_currencies

)

select
    spellings.spelling,
    spellings.ordered_on,
    {# Empty is the same as the others, where the others are one. #}
    case
        when spellings.spelling <> '' then upper({{ trimmed('spellings.spelling') }})
        else coalesce(reporting.only_currency, reporting.reporting_currency)
    end as currency,
    cast(reporting.reporting_currency as string) as reporting_currency,
    spellings.lines
from spellings
cross join reporting
