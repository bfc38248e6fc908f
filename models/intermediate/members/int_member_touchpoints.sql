{{ config(materialized='view') }}

{# Touchpoints by the member that they count for: whoever was sent something, and, where that is a contact person, their company
   too. #}
select
    touchpoints.customer_id as member_id,
    touchpoints.touchpoint_id,
    touchpoints.touched_on,
    touchpoints.channel,
    touchpoints.treatment_id,
    touchpoints.campaign_type,
    touchpoints.cost
from {{ ref('stg_touchpoints') }} as touchpoints
union all
select
    contacts.company_id as member_id,
    touchpoints.touchpoint_id,
    touchpoints.touched_on,
    touchpoints.channel,
    touchpoints.treatment_id,
    touchpoints.campaign_type,
    touchpoints.cost
from {{ ref('stg_touchpoints') }} as touchpoints
inner join {{ ref('stg_company_contacts') }} as contacts on touchpoints.customer_id = contacts.person_id
where contacts.company_id <> contacts.person_id
