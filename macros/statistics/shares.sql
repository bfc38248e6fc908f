{# Shares of money; the sums are decimals, cast to double before the division. A share of nothing is null. #}

{# Discounts and coupons ÷ price before the seller's discounts, at most 1; below 0 where more discount came back than was given, as by
   returns of an earlier time. `gross` = net amount + seller's discounts. #}
{% macro discount_share(discount, coupon, gross) -%}
    case when {{ gross }} > 0 then least(
        1e0, cast({{ discount }} + {{ coupon }} as double) / cast({{ gross }} as double)
    ) end
{%- endmacro %}

{# Net amount of private-label products ÷ net amount, 0 to 1. #}
{% macro private_label_share(private_label, net) -%}
    case when {{ net }} > 0 then least(
        1e0, greatest(0e0, cast({{ private_label }} as double) / cast({{ net }} as double))
    ) end
{%- endmacro %}
