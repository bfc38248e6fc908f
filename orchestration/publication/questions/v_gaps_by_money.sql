-- Missed cross-sell: who regularly buys one item and never bought the other, added up by pair of items, most money first.
--   item_level: Level of both items: department, category, subcategory or product.
--   because_item: What they regularly buy; of several, the one that goes with it most, so that what a customer never bought counts once.
--   gap_item: What they never bought.
--   customers: How many customers; each has the gaps_per_customer (5) largest of theirs. Count.
--   expected_value: The part of their peers' spend that goes to it, times what they spend themselves, over the behaviour window, in the reporting currency.
--   size_adjusted_lift: How many times as often both are bought together as basket sizes alone explain.
select
    item_level,
    because_item,
    gap_item,
    count(*) as customers,
    sum(expected_value) as expected_value,
    max(size_adjusted_lift) as size_adjusted_lift
from cross_sell_gaps
group by item_level, because_item, gap_item
order by expected_value desc, because_item, gap_item
