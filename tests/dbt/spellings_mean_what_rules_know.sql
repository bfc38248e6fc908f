{# Every row of spellings is of an attribute that is read by its spellings, and means a value that rules know: another one would make
   the value unknown, and take it off the list of those without a meaning. A row without a meaning says that the spelling says
   nothing. Bands are only said to be read: whoever replaces the seeds of bands keeps spellings of the shipped ones. #}
{{ config(meta={'dagster': {'ref': {'name': 'spellings'}}}) }}

{%- set words = {
    'benefit_sought': ['cost_reduction', 'growth', 'process_optimisation'],
    'brand_tier': ['national', 'premium', 'private'],
    'employment': ['employed', 'homemaker', 'retired', 'self_employed', 'student', 'unemployed'],
    'gender': ['female', 'male', 'other'],
    'home_ownership': ['owner', 'renter'],
    'household_composition': ['1_adult_children', '1_adult_no_children', '2_adults_children', '2_adults_no_children'],
    'kind': ['company', 'person'],
    'marital_status': ['married', 'unmarried'],
    'settlement': ['rural', 'suburban', 'urban']
} %}
{#- Seeds that may know more of them. #}
{%- set seeds = [
    ['age_band', ref('age_bands'), 'age_band', ''],
    ['income_band', ref('income_bands'), 'income_band', ''],
    ['employment', ref('life_stage_rules'), 'employment', ''],
    ['employment', ref('socioeconomic_rules'), 'employment', ''],
    ['home_ownership', ref('socioeconomic_rules'), 'home_ownership', ''],
    ['benefit_sought', ref('segment_definitions'), 'segment', "scheme = 'benefit_sought' and "],
    ['gender', ref('segment_definitions'), 'segment', "scheme = 'gender' and "],
    ['settlement', ref('segment_definitions'), 'segment', "scheme = 'location' and segment <> '*' and "]
] %}

with

words as (
    {%- for attribute, listed in words.items() %}
    {%- for word in listed %}
    select '{{ attribute }}' as attribute, '{{ word }}' as word
    union
    {%- endfor %}
    {%- endfor %}
    {%- for attribute, seed, column, condition in seeds %}
    select '{{ attribute }}' as attribute, {{ column }} as word
    from {{ seed }}
    where {{ condition }}{{ column }} is not null
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
),

attributes as (
    select attribute, {{ sorted_list('word') }} as known
    from words
    group by attribute
),

all_attributes as (
    select {{ sorted_list('attribute') }} as known
    from attributes
),

refused as (
    select
        coalesce(spellings.attribute, '') || ',' || coalesce(spellings.spelling, '') || ','
        || coalesce(spellings.meaning, '') || case
            when attributes.attribute is null then ' (no attribute is called so: ' || all_attributes.known || ')'
            else ' (what it means is none of: ' || attributes.known || ')'
        end as problem,
        row_number() over (order by spellings.attribute asc, spellings.spelling asc, spellings.meaning asc) as place
    from {{ ref('spellings') }} as spellings
    cross join all_attributes
    left join attributes on spellings.attribute = attributes.attribute
    left join words on spellings.attribute = words.attribute and spellings.meaning = words.word
    where
        attributes.attribute is null
        or (
            words.word is null
            and spellings.meaning is not null
            and spellings.attribute not in ('age_band', 'income_band')
            and not (
                -- Of a household rules ask how it begins and ends.
                spellings.attribute = 'household_composition'
                and (
                    spellings.meaning like '1_adult%'
                    or spellings.meaning like '2_adults%'
                    or spellings.meaning like '%children'
                )
            )
        )
),

one_message as (
    select
        'spellings: ' || {{ sorted_list("case when place <= 5 then problem end", '; ') }}
        || case when count(*) > 5 then '; and ' || {{ text('count(*) - 5') }} || ' more rows' else '' end
        || '. Write one of these, or leave the meaning empty where a spelling says nothing.' as message
    from refused
)

select message
from one_message
where message is not null and {{ stop_with('message') }} is null
