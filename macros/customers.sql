{# The number of a customer, by which affinities are joined: a hash of the id, so that it does not change when others come.
   A test of int_customers stops the build where two share one. #}
{% macro customer_number(customer_id) %}{{ row_hash([customer_id]) }}{% endmacro %}
