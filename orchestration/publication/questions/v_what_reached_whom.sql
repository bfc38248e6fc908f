-- What reached whom: touchpoints by segment, month and channel, with what was sent, the answers and the cost.
--   scheme: The scheme. A member is in one segment of each, so choose one before adding up.
--   segment: The segment on the month's first day; not_yet_known for who became a member during the month.
--   segment_label: Its name for people.
--   month: First day of the month of the touchpoint, local time.
--   channel: Channel, lower case.
--   campaign_type: Type of the campaign; none where the touchpoint names none.
--   treatment_id: The treatment that was sent; none where the touchpoint names none.
--   message: What the treatment says; null where the treatment is not one of today's.
--   members_touched: Members with such a touchpoint. Count; one with two kinds of them counts in both rows.
--   touchpoints: Touchpoints. Count.
--   responses: Answers to them but unsubscribe. Count.
--   cost: What they cost, in the reporting currency; null where no cost is known.
select
    sent.scheme,
    sent.segment,
    coalesce(segments.label, case sent.segment when 'not_yet_known' then 'Not yet known' else sent.segment end) as segment_label,
    sent.month,
    sent.channel,
    sent.campaign_type,
    sent.treatment_id,
    treatments.message,
    sent.members_touched,
    sent.touchpoints,
    sent.responses,
    sent.cost
from segment_deliveries as sent
left join segments on sent.scheme = segments.scheme and sent.segment = segments.segment
left join treatments on sent.treatment_id = treatments.treatment_id
order by sent.scheme, sent.month, segments.sort_order nulls last, sent.segment, sent.channel, sent.campaign_type, sent.treatment_id
