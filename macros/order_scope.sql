{# What makes a basket: the var order_scope, as a list of order_id, customer_id and what of the others is named there, always in
   the same order. A basket belongs to one customer, or to nobody, so both ids are in it whether they are named or not. #}
{% macro order_scope() %}
    {%- set known = ['order_id', 'customer_id', 'store_id', 'channel', 'day', 'year'] -%}
    {%- set named = var('order_scope') -%}
    {%- if named is string -%}{%- set named = named.split(',') -%}{%- endif -%}
    {%- set wanted = [] -%}
    {%- for word in named or [] -%}
        {%- set word = word | string | trim | lower -%}
        {%- if word and word not in known -%}
            {{ exceptions.raise_compiler_error(
                "var order_scope: '" ~ word ~ "' is none of " ~ known | join(', ') ~ ". It says what makes a basket beside the "
                ~ "order's number and the customer, e.g. order_id, customer_id, store_id, day."
            ) }}
        {%- endif -%}
        {%- do wanted.append(word) -%}
    {%- endfor -%}
    {%- set scope = [] -%}
    {%- for word in known if word in known[:2] or word in wanted -%}{%- do scope.append(word) -%}{%- endfor -%}
    {{- return(scope) -}}
{% endmacro %}

{# The one key of a basket: a hash of what order_scope says of an order line. `lines` is the alias of a relation with order_id,
   customer_id (null for nobody's), store_id, channel and ordered_on, as stg_order_lines and int_order_lines have them. #}
{% macro basket_number(lines) -%}
    {%- set parts = [] -%}
    {%- for word in order_scope() -%}
        {%- do parts.append(
            lines ~ '.ordered_on' if word == 'day'
            else 'extract(year from ' ~ lines ~ '.ordered_on)' if word == 'year'
            else lines ~ '.' ~ word
        ) -%}
    {%- endfor -%}
    {{- row_hash(parts) -}}
{%- endmacro %}

{# What order_scope adds to the key of a landed order line, as expressions that are never null. #}
{% macro order_scope_key() %}
    {%- set local_day = 'cast(' ~ local_timestamp('ordered_at') ~ ' as date)' -%}
    {%- set parts = [] -%}
    {%- for word in order_scope()[2:] -%}
        {%- do parts.append(
            "coalesce(" ~ local_day ~ ", cast('1900-01-01' as date))" if word == 'day'
            else 'coalesce(extract(year from ' ~ local_day ~ '), 0)' if word == 'year'
            else "coalesce(" ~ word ~ ", '')"
        ) -%}
    {%- endfor -%}
    {{- return(parts) -}}
{% endmacro %}
