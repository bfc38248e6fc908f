-- On which occasions a segment buys less than everyone, by more than chance, largest segments first.
--   scheme: The scheme.
--   segment: The segment.
--   segment_label: Its name for people.
--   members: Its members today. Count.
--   occasion: The occasion.
--   occasion_label: Its name for people.
--   baskets: The segment's baskets of the occasion. Count.
--   share_of_everyones: The segment's share of baskets in the occasion ÷ everyone's; below 1 in every row.
--   q_value: Chance of such a difference if the segment did not matter, adjusted for all cells of all schemes.
select
    cells.scheme,
    cells.segment,
    segments.label as segment_label,
    segments.members,
    cells.occasion,
    coalesce(occasions.label, cells.occasion) as occasion_label,
    cells.baskets,
    cells.index as share_of_everyones,
    cells.q_value
from occasion_matrix as cells
inner join segments on cells.scheme = segments.scheme and cells.segment = segments.segment
left join segments as occasions on occasions.scheme = 'occasion' and cells.occasion = occasions.segment
where cells.is_gap
order by segments.members desc, cells.scheme, cells.segment, cells.q_value, cells.occasion
