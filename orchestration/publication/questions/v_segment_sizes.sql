-- Every segment of every scheme: how many, how much, and what is done for them today.
--   scheme: The scheme.
--   segment: The segment.
--   label: Its name for people.
--   definition: Who is in it.
--   members: Members. Count.
--   member_share: Share of the scheme's members. 0 to 1.
--   spend: Net spend over the behaviour window, in the reporting currency.
--   spend_share: Share of the scheme's spend. 0 to 1.
--   market_position: mass, edge or niche.
--   treatments: Treatments that are valid today. Count.
--   channels: Their channels, with commas between.
select
    segments.scheme,
    segments.segment,
    segments.label,
    segments.definition,
    segments.members,
    segments.member_share,
    segments.spend,
    segments.spend_share,
    segments.market_position,
    coalesce(assigned.treatments, 0) as treatments,
    assigned.channels
from segments
left join (
    select
        scheme,
        segment,
        count(*) as treatments,
        string_agg(distinct channel, ', ' order by channel) as channels
    from treatments
    where
        not is_idle
        and (valid_from is null or valid_from <= (select max(as_of) from refresh_settings))
        and (valid_to is null or valid_to >= (select max(as_of) from refresh_settings))
    group by scheme, segment
) as assigned on segments.scheme = assigned.scheme and segments.segment = assigned.segment
order by segments.scheme, segments.sort_order, segments.segment
