-- A share is from 0 to 1, and the treatment is one of the scheme's (published, or as written in treatments.csv).
select
    uniform.scheme,
    uniform.treatment_id,
    uniform.share_uniform
from {{ ref('uniform_treatments') }} as uniform
left join {{ ref('segment_treatments') }} as treatments
    on uniform.treatment_id = treatments.treatment_id and uniform.scheme = treatments.scheme
left join {{ ref('treatments') }} as written
    on uniform.treatment_id = written.treatment_id and uniform.scheme = written.scheme
where
    not coalesce(uniform.share_uniform between 0 and 1, false)
    or (treatments.treatment_id is null and written.treatment_id is null)
