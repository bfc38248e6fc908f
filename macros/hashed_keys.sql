{# Whole numbers in the place of texts, for joins and sums: hashes, so that a key stays what it is when others come. Two texts
   with one key stop the build (tests of int_customers, int_basket_numbers and int_affinity_items). No order hangs on them,
   since every engine hashes in its own way. #}

{% macro customer_number(customer_id) %}{{ row_hash([customer_id]) }}{% endmacro %}

{% macro basket_number(order_id, customer_id) %}{{ row_hash([order_id, customer_id]) }}{% endmacro %}

{% macro item_key(level, item) %}{{ row_hash(["'" ~ level ~ "'", item]) }}{% endmacro %}
