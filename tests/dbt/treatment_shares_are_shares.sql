-- A share is from 0 to 1, and is for a treatment that is there (published, or as written in treatments.csv).
select
    shares.treatment_id,
    shares.share_treated
from {{ ref('treatment_shares') }} as shares
left join {{ ref('segment_treatments') }} as treatments on shares.treatment_id = treatments.treatment_id
left join {{ ref('treatments') }} as written on shares.treatment_id = written.treatment_id
where
    not coalesce(shares.share_treated between 0 and 1, false)
    or (treatments.treatment_id is null and written.treatment_id is null)
