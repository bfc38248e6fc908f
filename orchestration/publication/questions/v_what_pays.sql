-- What each scheme is worth on the three questions: the scorecard with the scheme's description. What pays comes first, then what does not, then what nobody knows; of each, what explains most.
--   scheme: The scheme.
--   description: What it divides by.
--   audience: Whom it divides.
--   verdict: in use, in the drawer, superficial or unproven.
--   pays: yes, no or unproven.
--   members: Members with a known segment. Count.
--   behaviour_effect: Share of the differences in the outcome period (90 days, unless the var outcome_days says otherwise) that segments explain, of the outcome that they explain best. 0 to 1.
--   assigned_distinct: Share of pairs of segments whose treatments differ. 0 to 1.
--   delivered_distinct: Share of well-powered pairs that were treated differently. 0 to 1.
--   why: The verdict's reason, and the next step.
select
    cards.scheme,
    schemes.description,
    schemes.audience,
    cards.verdict,
    cards.pays,
    cards.members,
    cards.behaviour_effect,
    cards.assigned_distinct,
    cards.delivered_distinct,
    cards.why
from scheme_scorecard as cards
inner join segment_schemes as schemes on cards.scheme = schemes.scheme
order by
    case cards.pays when 'yes' then 0 when 'no' then 1 else 2 end,
    cards.behaviour_effect desc nulls last,
    cards.scheme
