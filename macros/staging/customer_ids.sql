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

{# The tables whose rows are told apart by whose they are, not by which of a customer's ids they say (rejected_rows). Of customers,
   companies and contact persons one row is taken whatever their ids are (unmatched_rows); a row of customer_aliases says what it says. #}
{% macro tables_of_customers() %}{{ return(['order_lines', 'touchpoints', 'responses', 'consents', 'assignments']) }}{% endmacro %}

{# The id by which such a row is told apart: the one at the end of the chain, which may be a guest's. #}
{% macro judged_customer(rows, ids='ids') -%}
coalesce({{ ids }}.chain_end, {{ rows }}.customer_id)
{%- endmacro %}

{# The column of a judged row that says what a column of the contract means, where rows are compared. #}
{% macro judged_column(table, name) %}
    {{- return('judged_customer_id' if name == 'customer_id' and table.name in tables_of_customers() else name) -}}
{% endmacro %}

{# Steps along a chain of aliases that are followed: more than accounts are merged into each other, few enough for one select. #}
{% macro alias_steps() %}{{ return(16) }}{% endmacro %}
