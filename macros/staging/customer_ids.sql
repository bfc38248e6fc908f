{# Every id of a customer, in whatever table, is read through these two, so that an alias is replaced in one way everywhere
   (base_customer_ids). `rows` is the alias of the relation that has the id. #}

{# The join that finds the customer whose alias the id is; after it, `ids` has them. #}
{% macro with_customer_ids(rows, column='customer_id', ids='ids') -%}
left join {{ ref('base_customer_ids') }} as {{ ids }} on {{ rows }}.{{ column }} = {{ ids }}.alias_id
{%- endmacro %}

{# The customer of an id. The id of a guest is nobody's alias, and stays. #}
{% macro canonical_customer(rows, column='customer_id', ids='ids') -%}
coalesce({{ ids }}.customer_id, {{ rows }}.{{ column }})
{%- endmacro %}

{# Steps along a chain of aliases that are followed: more than accounts are merged into each other, few enough for one select. #}
{% macro alias_steps() %}{{ return(16) }}{% endmacro %}
