{# No chain of aliases goes in a circle. Tested before anything is staged that has customers. #}
{{ config(meta={'dagster': {'ref': {'name': 'base_customer_ids'}}}) }}

with

one_message as (
    {# After that many steps only those are met that go round. #}
    select
        'customer_aliases: ' || {{ sorted_list('customer_id') }} || ' are aliases of each other in a circle (or in a chain of more than '
        || '{{ alias_steps() }} ids), so that nobody can say which of them is the customer. Take out the row of the one that is.' as message
    from {{ ref('base_customer_ids') }}
    where is_endless
)

select message
from one_message
where message is not null and {{ stop_with('message') }} is null
