{{ config(alias='segment_schemes') }}

with rfm_buyers as (

    select
        max(dates.as_of) as as_of,
        min(scores.first_basket_on) as first_basket_on
    from {{ ref('int_rfm_scores') }} as scores
    inner join {{ ref('int_current_date') }} as dates on scores.as_of = dates.as_of

),

rfm_sizes as (

    select
        max(label) as label,
        sum(members) as members,
        count(*) as segments
    from {{ ref('segments') }}
    where scheme = 'rfm' and segment <> 'unknown' and members > 0

),

{# What a number cannot say of itself: each with what to do about it. #}
cautions as (

    select
        'rfm' as scheme,
        nullif(concat(
            case
                when {{ days_between('rfm_buyers.first_basket_on', 'rfm_buyers.as_of') }} < {{ behaviour_window_days() }}
                    then
                        'The oldest order is '
                        || {{ counted_range(
                            days_between('rfm_buyers.first_basket_on', 'rfm_buyers.as_of'),
                            days_between('rfm_buyers.first_basket_on', 'rfm_buyers.as_of'),
                            'day'
                        ) }}
                        || ' old, and scores look back {{ behaviour_window_days() }} days (behaviour_window_days): they compare'
                        || ' customers within that time only, so that a short absence can pass for a long one. Land older'
                        || ' orders where there are any; until the shop is as old as the window, read each segment by the'
                        || ' days and baskets in its definition, and put off treatments that speak of long ago (valid_from'
                        || ' in seeds/treatments.csv).'
                else ''
            end,
            case
                when rfm_sizes.segments = 1 and rfm_sizes.members > 1
                    then
                        ' RFM tells nobody apart: all ' || cast(rfm_sizes.members as string)
                        || ' members whose segment is known are in one, ' || rfm_sizes.label || '. Treat them by another scheme'
                        || ' and switch rfm off (is_active in seeds/segment_schemes.csv), or land more orders.'
                else ''
            end
        ), '') as caution
    from rfm_buyers
    cross join rfm_sizes

)

select
    schemes.scheme,
    schemes.audience,
    schemes.basis,
    schemes.description,
    schemes.is_active,
    schemes.treatment_check,
    schemes.is_data_driven,
    case when schemes.is_active then {{ trimmed('cautions.caution') }} end as caution
from {{ ref('segment_schemes') }} as schemes
left join cautions on schemes.scheme = cautions.scheme
