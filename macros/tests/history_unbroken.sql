{# No gap and no overlap: each member's spans follow each other, and exactly the last is open. #}
{% test history_unbroken(model) %}
with spans as (

    select
        scheme,
        member_id,
        valid_from,
        valid_to,
        is_current,
        lead(valid_from) over (partition by scheme, member_id order by valid_from) as next_valid_from
    from {{ model }}

)

select scheme, member_id, valid_from, valid_to, next_valid_from
from spans
where
    valid_to <= valid_from
    or (valid_to is null) <> (next_valid_from is null)
    or valid_to <> next_valid_from
    or is_current <> (valid_to is null)
{% endtest %}
