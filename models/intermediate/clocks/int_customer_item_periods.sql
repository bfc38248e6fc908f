{# The periods that what customers bought is kept by, and what each is made from: its days, and the level that offers are made on. #}
select
    periods.period_on,
    {{ row_hash(['periods.made_from', 'offer_level.item_level']) }} as made_from
from {{ ref('int_count_periods') }} as periods
cross join {{ ref('int_offer_level') }} as offer_level
