{# The order lines of which it must be decided whether they are lines: refused_rows has those that staging leaves out, the account
   counts the rest. #}
{{ rejected_rows('order_lines', ref('base_order_lines')) }}
