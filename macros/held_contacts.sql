{# Contact persons of companies that are held out, in an experiment run elsewhere, of a treatment of contact persons, with that
   treatment: a select. What moves one of them moves the company. #}
{% macro held_contacts() -%}
select distinct
    contacts.person_id,
    landed.treatment_id
from {{ ref('int_landed_arms') }} as landed
inner join {{ ref('stg_company_contacts') }} as contacts on landed.customer_id = contacts.company_id
inner join {{ ref('segment_treatments') }} as treatments on landed.treatment_id = treatments.treatment_id
inner join {{ ref('segment_schemes') }} as schemes
    on treatments.scheme = schemes.scheme and schemes.audience = 'company_contact'
where landed.arm = 'holdout'
{%- endmacro %}
