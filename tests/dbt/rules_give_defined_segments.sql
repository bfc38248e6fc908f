{# What a rule or a meaning gives is a segment of its scheme: a word that segment_definitions does not have would be a segment that nobody
   has described or treats, or, of a meaning, take spend from the others. Of a scheme whose segments come from the data any word is one;
   `unknown` is a segment that a rule may give, and no occasion, motive, lifestyle value or benefit. #}
{{ config(meta={'dagster': {'ref': {'name': 'segment_definitions'}}}) }}

{%- set columns = [
    ['life_stage_rules', ref('life_stage_rules'), 'segment', 'life_stage'],
    ['socioeconomic_rules', ref('socioeconomic_rules'), 'segment', 'socioeconomic'],
    ['money_effort_rules', ref('money_effort_rules'), 'segment', 'money_effort'],
    ['rfm_grid', ref('rfm_grid'), 'segment', 'rfm'],
    ['company_size_rules', ref('company_size_rules'), 'segment', 'company_size'],
    ['occasion_rules', ref('occasion_rules'), 'occasion', 'occasion'],
    ['category_meanings', ref('category_meanings'), 'purchase_motive', 'purchase_motive'],
    ['category_meanings', ref('category_meanings'), 'lifestyle', 'lifestyle'],
    ['job_benefits', ref('job_benefits'), 'benefit', 'benefit_sought']
] %}

with

given as (
    {%- for name, seed, column, scheme in columns %}
    select '{{ name }}' as seed_name, '{{ column }}' as column_name, '{{ scheme }}' as scheme, {{ column }} as segment
    from {{ seed }}
    where {{ column }} is not null
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
),

definitions as (
    select defined.scheme, defined.segment
    from {{ ref('segment_definitions') }} as defined
    inner join {{ ref('segment_schemes') }} as schemes
        on defined.scheme = schemes.scheme and not schemes.is_data_driven
),

closed_lists as (
    select scheme, {{ sorted_list('segment') }} as known
    from definitions
    group by scheme
),

refused as (
    select
        given.seed_name || ', column ' || given.column_name || ': ' || given.segment || ' is none of ' || closed_lists.known as problem
    from given
    inner join closed_lists on given.scheme = closed_lists.scheme
    left join definitions on given.scheme = definitions.scheme and given.segment = definitions.segment
    where definitions.segment is null and not (given.column_name = 'segment' and given.segment = 'unknown')
),

one_message as (
    select {{ sorted_list('problem', '; ') }} || '. Write one of these, or give the segment a row in segment_definitions.' as message
    from refused
)

select message
from one_message
where message is not null and {{ stop_with('message') }} is null
