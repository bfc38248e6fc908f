-- A share is from 0 to 1, and the treatment is one of the scheme's (published, or as written in treatments.csv). A row for every
-- segment (`*`) is sent to nobody under its own id, so it would draw nobody.
with refused as (

    select
        uniform.scheme,
        uniform.treatment_id,
        uniform.share_uniform,
        case
            when written.segment = '*'
                then 'uniform_treatments: ' || uniform.treatment_id || ' is a row for every segment (*) of ' || uniform.scheme
                    || ', and is sent to nobody by that name. Name the treatment of one segment, '
                    || uniform.treatment_id || '_… with the segment, or a row of its own.'
        end as message
    from {{ ref('uniform_treatments') }} as uniform
    left join {{ ref('segment_treatments') }} as treatments
        on uniform.treatment_id = treatments.treatment_id and uniform.scheme = treatments.scheme
    left join {{ ref('treatments') }} as written
        on uniform.treatment_id = written.treatment_id and uniform.scheme = written.scheme
    where
        not coalesce(uniform.share_uniform between 0 and 1, false)
        or (treatments.treatment_id is null and written.treatment_id is null)
        or written.segment = '*'

)

select
    scheme,
    treatment_id,
    share_uniform
from refused
where case when message is null then true else {{ stop_with('message') }} is null end
