-- Revenue by segment and month, with who was there and who bought: a chart over time without a join.
--   scheme: The scheme. A member is in one segment of each, so choose one before adding up.
--   segment: The segment on the month's first day; not_yet_known for who became a member during the month.
--   segment_label: Its name for people.
--   month: First day of the month, local time. The last one may be cut by the as-of date.
--   members: Members on the month's first day. Count.
--   buyers: Those of them with a basket in the month. Count.
--   orders: Their baskets. Count.
--   spend: Net amount of merchandise, returns deducted, in the reporting currency.
--   spend_before: The same in the month before; null where the segment has no row in the month before.
select
    months.scheme,
    months.segment,
    coalesce(segments.label, case months.segment when 'not_yet_known' then 'Not yet known' else months.segment end) as segment_label,
    months.month,
    months.members,
    months.buyers,
    months.orders,
    months.spend,
    before.spend as spend_before
from segment_months as months
left join segments on months.scheme = segments.scheme and months.segment = segments.segment
left join segment_months as before
    on
        months.scheme = before.scheme
        and months.segment = before.segment
        and before.month = months.month - interval 1 month
order by months.scheme, months.month, segments.sort_order nulls last, months.segment
