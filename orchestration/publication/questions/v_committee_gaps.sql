-- Which companies lack whom in their buying committee, or may not write to them, largest customers first.
--   company_id: The company.
--   company_size: Segment of the scheme company_size.
--   spend: Net spend over the behaviour window, in the reporting currency.
--   role: Who is missing: initiator, department_head, finance or signatory.
--   role_label: Its name for people.
--   problem: 'nobody known' or 'known and not contactable'.
--   person_id: Who is known; null where nobody is.
--   risk: What the gap puts at risk.
select
    committees.company_id,
    committees.company_size,
    committees.spend,
    committees.role,
    coalesce(segments.label, committees.role) as role_label,
    case when committees.is_covered then 'known and not contactable' else 'nobody known' end as problem,
    committees.person_id,
    committees.risk
from company_committees as committees
left join segments on segments.scheme = 'buying_role' and committees.role = segments.segment
where not (committees.is_covered and committees.is_contactable)
order by committees.spend desc nulls last, committees.company_id, committees.role_order
