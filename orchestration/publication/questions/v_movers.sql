-- Who changed segments within the 31 days before the as-of date, scheme by scheme; v_movements counts the last period of the grid.
--   scheme: The scheme.
--   member_id: The member.
--   from_segment: Where they came from.
--   from_label: Its name for people; its id where the segment is no more.
--   to_segment: Where they are now.
--   to_label: Its name for people.
--   moved_on: The first date of the history's grid on which they are there.
select
    history.scheme,
    history.member_id,
    earlier.segment as from_segment,
    coalesce(from_segments.label, earlier.segment) as from_label,
    history.segment as to_segment,
    coalesce(to_segments.label, history.segment) as to_label,
    history.valid_from as moved_on
from customer_segment_history as history
inner join customer_segment_history as earlier
    on
        history.scheme = earlier.scheme
        and history.member_id = earlier.member_id
        and history.valid_from = earlier.valid_to
left join segments as from_segments on earlier.scheme = from_segments.scheme and earlier.segment = from_segments.segment
left join segments as to_segments on history.scheme = to_segments.scheme and history.segment = to_segments.segment
where history.is_current and history.valid_from > (select max(as_of) from refresh_settings) - interval 31 day
order by history.scheme, history.segment, history.member_id
