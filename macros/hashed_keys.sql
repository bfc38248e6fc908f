{# Whole numbers in the place of texts, for joins and sums: hashes, so that a key stays what it is when others come. Two texts
   with one key stop the build (tests of int_customers, int_baskets and int_affinity_items). That of a basket is in order_scope.sql. No order hangs on them,
   since every engine hashes in its own way. #}

{% macro customer_number(customer_id) %}{{ row_hash([customer_id]) }}{% endmacro %}

{# The same for lines and baskets that may be nobody's: null for them, so that no join brings them to a member. #}
{% macro customer_number_or_null(customer_id) -%}
    case when {{ customer_id }} is not null then {{ customer_number(customer_id) }} end
{%- endmacro %}

{% macro item_key(level, item) %}{{ row_hash(["'" ~ level ~ "'", item]) }}{% endmacro %}
