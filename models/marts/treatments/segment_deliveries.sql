-- What reached whom: touchpoints by month, channel, campaign type and treatment, by the segment of the member on the month's first
-- day, and how many answers they got. Who became a member during the month was in no segment then: `not_yet_known`. What a contact
-- person was sent counts for their company too.
with as_of_day as (

    select as_of
    from {{ ref('int_current_date') }}

),

touches as (

    select
        touchpoints.touchpoint_id,
        touchpoints.customer_id,
        touchpoints.touched_at,
        touchpoints.touched_on,
        touchpoints.campaign_id
    from {{ ref('stg_touchpoints') }} as touchpoints
    inner join as_of_day on touchpoints.touched_on < as_of_day.as_of

),

answers as (

    select
        responses.response_id,
        responses.customer_id,
        responses.responded_at,
        responses.responded_on,
        responses.responded_at_is_day,
        responses.touchpoint_id,
        responses.campaign_id
    from {{ ref('stg_responses') }} as responses
    inner join as_of_day on responses.responded_on < as_of_day.as_of
    where responses.kind <> 'unsubscribe'

),

-- The touchpoint that the answer names; where it names none, the last one of its campaign before it. An answer of which the day alone
-- is known may have followed any of that day.
answered_touches as (

    select
        answers.response_id,
        touches.touchpoint_id
    from answers
    inner join touches on answers.touchpoint_id = touches.touchpoint_id and answers.customer_id = touches.customer_id

    union all

    select
        response_id,
        touchpoint_id
    from (
        select
            answers.response_id,
            touches.touchpoint_id,
            row_number() over (
                partition by answers.response_id order by touches.touched_at desc, touches.touchpoint_id asc
            ) as place
        from answers
        inner join touches
            on
                answers.customer_id = touches.customer_id
                and answers.campaign_id = touches.campaign_id
                and case
                    when answers.responded_at_is_day then answers.responded_on >= touches.touched_on
                    else answers.responded_at >= touches.touched_at
                end
        where answers.touchpoint_id is null
    ) as candidates
    where place = 1

),

answer_counts as (

    select
        touchpoint_id,
        count(*) as responses
    from answered_touches
    group by touchpoint_id

),

audiences as (

    select distinct scheme, member_id
    from {{ ref('customer_segment_history') }}

),

member_touches as (

    select
        touchpoints.member_id,
        touchpoints.touchpoint_id,
        {{ month_start('touchpoints.touched_on') }} as month_on,
        {{ spelling_of('touchpoints.channel') }} as channel,
        coalesce(touchpoints.campaign_type, 'none') as campaign_type,
        coalesce(touchpoints.treatment_id, 'none') as treatment_id,
        touchpoints.cost
    from {{ ref('int_member_touchpoints') }} as touchpoints
    inner join as_of_day on touchpoints.touched_on < as_of_day.as_of

)

select
    cast(audiences.scheme as string) as scheme,
    cast(coalesce(history.segment, 'not_yet_known') as string) as segment,
    touches.month_on as month,
    cast(touches.channel as string) as channel,
    cast(touches.campaign_type as string) as campaign_type,
    cast(touches.treatment_id as string) as treatment_id,
    cast(count(distinct touches.member_id) as bigint) as members_touched,
    cast(count(*) as bigint) as touchpoints,
    cast(sum(coalesce(answer_counts.responses, 0)) as bigint) as responses,
    cast(sum(touches.cost) as decimal(18, 4)) as cost
from member_touches as touches
inner join audiences on touches.member_id = audiences.member_id
-- A date for an open end, and no `or`: with one an engine may hold every row of an outer join against every other.
left join {{ ref('customer_segment_history') }} as history
    on
        audiences.scheme = history.scheme
        and audiences.member_id = history.member_id
        and touches.month_on >= history.valid_from
        and touches.month_on < coalesce(history.valid_to, cast('9999-12-31' as date))
left join answer_counts on touches.touchpoint_id = answer_counts.touchpoint_id
group by
    audiences.scheme,
    coalesce(history.segment, 'not_yet_known'),
    touches.month_on,
    touches.channel,
    touches.campaign_type,
    touches.treatment_id
