{# What each of `baskets` was bought for, a common table expression with n_lines, weekday and hour beside `columns`: the first rule
   that fits. Where the files gave a date alone, no hour is made up: the basket's occasion is `unknown`, unless the first rule that
   fits its size and weekday asks for no hour. A select of `columns` and occasion; `key` are those of the columns that tell a
   basket from the others. #}
{% macro with_occasions(baskets, key, columns) -%}
{%- set keys_meet = [] -%}
{%- for column in key %}{% do keys_meet.append(baskets ~ '.' ~ column ~ ' = fitting.' ~ column) %}{% endfor -%}
select
    {% for column in columns -%}
    {{ baskets }}.{{ column }},
    {% endfor -%}
    case
        when {{ baskets }}.hour is null and (rules.first_hour is not null or rules.last_hour is not null) then 'unknown'
        else coalesce(rules.occasion, 'mixed')
    end as occasion
from {{ baskets }}
left join (
    select
        {% for column in key -%}
        {{ baskets }}.{{ column }},
        {% endfor -%}
        min(rules.priority) as priority
    from {{ baskets }}
    inner join {{ ref('occasion_rules') }} as rules
        on
            (rules.min_items is null or {{ baskets }}.n_lines >= rules.min_items)
            and (rules.max_items is null or {{ baskets }}.n_lines <= rules.max_items)
            and {{ baskets }}.weekday between rules.first_weekday and rules.last_weekday
            and ({{ baskets }}.hour >= rules.first_hour or rules.first_hour is null or {{ baskets }}.hour is null)
            and ({{ baskets }}.hour <= rules.last_hour or rules.last_hour is null or {{ baskets }}.hour is null)
    group by {% for column in key %}{{ baskets }}.{{ column }}{{ ', ' if not loop.last }}{% endfor %}
) as fitting on {{ keys_meet | join(' and ') }}
left join {{ ref('occasion_rules') }} as rules on fitting.priority = rules.priority
{%- endmacro %}

{# The hour of a local time; null where it has none. #}
{% macro hour_of(moment) -%}
cast(extract(hour from {{ moment }}) as integer)
{%- endmacro %}
