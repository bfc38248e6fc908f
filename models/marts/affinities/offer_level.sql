select
    level_wanted,
    item_level,
    items_wanted,
    items
from {{ ref('int_offer_level') }}
