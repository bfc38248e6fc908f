{# No two numbered lines of an order, as far as order_scope tells orders apart. #}
{% test unique_order_lines(model) %}
select {{ (['order_id'] + order_scope_key() + ['line_number']) | join(', ') }}, count(*) as copies
from {{ model }}
group by {{ (['order_id'] + order_scope_key() + ['line_number']) | join(', ') }}
having count(*) > 1
{% endtest %}
