{{ config(materialized='view') }}

{# Contact persons of companies that have not bought yet and are in no file but that of the prospects. They are addressed for the
   prospect (v_prospects_to_contact), and no scheme of contact persons divides them: prospects are in no audience. #}
with customers as (

    select customers.customer_id
    from {{ ref('int_customers') }} as customers
    cross join {{ ref('int_current_date') }} as dates
    where customers.is_profiled or customers.first_line_on < dates.as_of

)

select contacts.person_id
from {{ ref('stg_company_contacts') }} as contacts
inner join {{ ref('stg_prospects') }} as prospects on contacts.company_id = prospects.prospect_id
left join customers on contacts.company_id = customers.customer_id
where customers.customer_id is null
