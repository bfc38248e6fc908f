-- A share is from 0 to 1, and the treatment is one of the scheme's: published, as written in treatments.csv, or what a row for every
-- segment (`*`) makes of a segment, be it one that nobody is in today. Such a row itself is sent to nobody under its own id, so it
-- would draw nobody.
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
    left join (
        select distinct
            named.scheme,
            named.treatment_id
        from {{ ref('uniform_treatments') }} as named
        inner join {{ ref('treatments') }} as templates
            on
                named.scheme = templates.scheme
                and templates.segment = '*'
                and substr(named.treatment_id, 1, length(templates.treatment_id) + 1) = templates.treatment_id || '_'
    ) as made on uniform.treatment_id = made.treatment_id and uniform.scheme = made.scheme
    where
        not coalesce(uniform.share_uniform between 0 and 1, false)
        or (treatments.treatment_id is null and written.treatment_id is null and made.scheme is null)
        or written.segment = '*'

)

select
    scheme,
    treatment_id,
    share_uniform
from refused
where case when message is null then true else {{ stop_with('message') }} is null end
