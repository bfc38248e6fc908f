-- Which prospects may be written to today, with what to say: those with a segment whose treatment's channel they agreed to.
--   scheme: The scheme matched.
--   segment: Segment of the customers who say the same of themselves.
--   segment_label: Its name for people.
--   prospect_id: The prospect.
--   person_id: Whom to write to, and nobody else: the prospect; of a company, the contact person who agreed.
--   kind: Person or company.
--   score: Chance, 0 to 1, of the segment.
--   persona_id: The persona that the prospect is near; null where it is near none.
--   channel: Where to address them.
--   treatment_id: The segment's treatment.
--   message: What they read or hear.
--   offer: What they are offered; null where nothing is.
select
    prospects.scheme,
    prospects.segment,
    segments.label as segment_label,
    prospects.prospect_id,
    prospects.person_id,
    prospects.kind,
    prospects.score,
    prospects.persona_id,
    prospects.channel,
    prospects.treatment_id,
    treatments.message,
    treatments.offer
from prospect_segments as prospects
inner join treatments on prospects.treatment_id = treatments.treatment_id
left join segments on prospects.scheme = segments.scheme and prospects.segment = segments.segment
where prospects.is_contactable
order by prospects.score desc, prospects.prospect_id
