-- How many moved from which segment to which in the last period of the history, largest movements first.
--   scheme: The scheme.
--   period_start: First day of the period.
--   period_end: The day on which it closes, itself not included.
--   from_segment: Segment at the start.
--   from_label: Its name for people; its id where the segment is no more.
--   to_segment: Segment at the end.
--   to_label: Its name for people.
--   members: How many did. Count.
--   share_of_segment: Share of those who began in from_segment. 0 to 1.
select
    moves.scheme,
    moves.period_start,
    moves.period_end,
    moves.from_segment,
    coalesce(from_segments.label, case moves.from_segment when 'not_yet_known' then 'Not yet known' else moves.from_segment end) as from_label,
    moves.to_segment,
    coalesce(to_segments.label, moves.to_segment) as to_label,
    moves.members,
    moves.members / sum(moves.members) over (partition by moves.scheme, moves.from_segment) as share_of_segment
from segment_migrations as moves
left join segments as from_segments on moves.scheme = from_segments.scheme and moves.from_segment = from_segments.segment
left join segments as to_segments on moves.scheme = to_segments.scheme and moves.to_segment = to_segments.segment
where moves.period_end = (select max(period_end) from segment_migrations)
qualify moves.from_segment <> moves.to_segment
order by moves.scheme, moves.members desc, moves.from_segment, moves.to_segment
