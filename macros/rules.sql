{# For each profile, the rule of least priority of those that fit it; no row where none does. The columns of `equal` fit where the
   rule's cell is empty or says the same as the profile; `others` are conditions of `rules` and `profiles` in SQL. #}
{% macro first_rule_that_fits(rules, equal, others=[]) -%}
{%- set conditions = others | list -%}
{%- for column in equal -%}
    {%- do conditions.append('rules.' ~ column ~ ' is null or profiles.' ~ column ~ ' = rules.' ~ column) -%}
{%- endfor -%}
select
    fitting.as_of,
    fitting.customer_id,
    rules.priority,
    rules.segment,
    rules.evidence
from (
    select
        profiles.as_of,
        profiles.customer_id,
        min(rules.priority) as priority
    from profiles
    inner join {{ rules }} as rules on ({{ conditions | join(') and (') }})
    group by profiles.as_of, profiles.customer_id
) as fitting
inner join {{ rules }} as rules on fitting.priority = rules.priority
{%- endmacro %}
