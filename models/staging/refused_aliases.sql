{# The rows of customer_aliases that staging leaves out, by themselves: the other tables' rows are judged by whose their ids are. #}
{{ rejected_rows('customer_aliases') }}
