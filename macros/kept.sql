{# Tables that are kept between refreshes, a partition (a file, a local day, an as-of date) at a time.

   Each row of a kept table says in `made_from` what its partition was made from: a hash of all input that can change it.
   `inputs` is a model with one row a partition and the hash as it is now. A partition whose hash differs, or which is gone,
   is taken out; one that is not there is made. So nothing has to be remembered of earlier refreshes, and a table that was
   lost, or left half-way by a stopped run, is completed by the next one. What the hash cannot see (the SQL itself, seeds,
   vars) is in the table's build key (macros/build_keys.sql): where that changed, it is dropped before the first model runs. #}

{# The configuration of such a model: {{ config(**kept('int_order_days', 'day_on')) }}. #}
{% macro kept(inputs, partition) %}
    {%- set settings = {
        'materialized': 'incremental',
        'incremental_strategy': 'append',
        'tags': ['by_' ~ partition],
        'meta': {'kept_by': partition, 'kept_inputs': inputs},
        'pre_hook': "{{ outdated_partitions_dropped('" ~ inputs ~ "', '" ~ partition ~ "') }}"
    } -%}
    {%- do settings.update(partition_settings(partition)) -%}
    {{- return(settings) -}}
{% endmacro %}

{# The pre-hook of a kept model. #}
{% macro outdated_partitions_dropped(inputs, partition) -%}
    {%- set inputs_relation = ref(inputs) -%}
    {%- if execute and is_incremental() -%}
        {%- set outdated -%}
            {%- if partition == 'as_of' and backfill_dates() -%}
            select distinct as_of from {{ this }} where as_of in ({{ backfill_dates() }})
            {%- else -%}
            select distinct kept.{{ partition }}
            from {{ this }} as kept
            left join {{ inputs_relation }} as inputs
                on kept.{{ partition }} = inputs.{{ partition }} and kept.made_from = inputs.made_from
            where inputs.{{ partition }} is null
            {%- endif -%}
        {%- endset -%}
        {{- drop_partitions(this, partition, outdated) -}}
    {%- endif -%}
{%- endmacro %}

{# A select of the partitions that a kept model must make now: its key and made_from. `not exists`, because a planner then
   knows that they are few, and finds their rows by them; it takes an outer join for as many as the table has rows. #}
{% macro partitions_to_make(inputs, partition) -%}
select
    inputs.{{ partition }},
    inputs.made_from
from {{ ref(inputs) }} as inputs
where
    {% if is_incremental() -%}
    not exists (select 1 from {{ this }} as kept where kept.{{ partition }} = inputs.{{ partition }})
    {%- else -%}
    1 = 1
    {%- endif %}
{%- if partition == 'as_of' and backfill_dates() %}
    and inputs.as_of in ({{ backfill_dates() }})
{%- endif %}
{%- endmacro %}

{# The past as-of dates that a backfill computes, and no others, as SQL dates; '' in a refresh, which computes whatever is
   missing. From the environment: ISO dates separated by commas. #}
{% macro backfill_dates() %}
    {%- set dates = [] -%}
    {%- for day in env_var('BACKFILL_DATES', '').split(',') if day.strip() -%}
        {%- do dates.append("cast('" ~ modules.datetime.date.fromisoformat(day.strip()) ~ "' as date)") -%}
    {%- endfor -%}
    {{- return(dates | join(', ')) -}}
{% endmacro %}
