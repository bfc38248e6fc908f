{# A sum of money that is kept: in 64 bits, where a sum has 128, so it takes half the room and is read in half the time. Beyond
   10^14 DuckDB stops; Spark makes it null, and the column's not_null test stops the build. #}
{% macro money_sum(amount) -%}
    cast(sum({{ amount }}) as decimal(18, 4))
{%- endmacro %}

{# Money of a line: below zero where the quantity is. Some tills write how many came back with a minus, and what was paid back
   without one. #}
{% macro signed_money(amount, quantity) -%}
    case when {{ quantity }} < 0 then -abs({{ amount }}) else {{ amount }} end
{%- endmacro %}

{# What a discount or a coupon took off a line: some exports write it with a minus. What comes back takes its discount back, and of a
   line with its amount alone below zero it is as it is written. #}
{% macro signed_discount(discount, amount, quantity) -%}
    case
        when {{ quantity }} < 0 then -abs({{ discount }})
        when {{ amount }} >= 0 then abs({{ discount }})
        else {{ discount }}
    end
{%- endmacro %}

{# An amount in another currency, by its rate, rounded once, as it is stored. With 19 digits of the amount the product has 38 on both
   engines: of 18 and 18 DuckDB makes one of 18, which ends at 9999, and of more than 38 Spark rounds first. #}
{% macro converted(amount, rate) -%}
    cast(cast({{ amount }} as decimal(19, 4)) * {{ rate }} as decimal(18, 4))
{%- endmacro %}
