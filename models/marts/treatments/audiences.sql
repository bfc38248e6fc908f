-- What to send to whom on the as-of date, with what the message needs: the offer, and the purchase that it follows from.
-- For a company it goes to a contact person; the offer is the company's.
with as_of_day as (

    select as_of
    from {{ ref('int_current_date') }}

),

-- The treatment's own item where it names one, else the member's best offer.
ranked_offers as (

    select
        decisions.scheme,
        decisions.member_id,
        offers.item,
        offers.because_item,
        offers.because_last_bought_on,
        row_number() over (
            partition by decisions.scheme, decisions.member_id order by offers.offer_rank asc
        ) as choice
    from {{ ref('audience_decisions') }} as decisions
    inner join {{ ref('segment_treatments') }} as treatments on decisions.treatment_id = treatments.treatment_id
    inner join {{ ref('next_best_offers') }} as offers
        on
            decisions.member_id = offers.customer_id
            and (coalesce(treatments.offer_item, '') = '' or treatments.offer_item = offers.item)
    where decisions.outcome = 'sent'

)

select
    cast(decisions.channel as string) as channel,
    cast(decisions.person_id as string) as member_id,
    cast(decisions.treatment_id as string) as treatment_id,
    cast(decisions.scheme as string) as scheme,
    cast(decisions.segment as string) as segment,
    cast(treatments.message as string) as message,
    cast(treatments.offer as string) as offer,
    cast(coalesce(nullif(treatments.offer_item, ''), offers.item) as string) as offer_item,
    {{ text("replace(replace('" ~ (var('evidence_sentence') | replace("'", "''")) ~ "', '{date}', " ~ text('offers.because_last_bought_on') ~ "), '{item}', offers.because_item)") }} as evidence,
    as_of_day.as_of as send_on,
    decisions.priority,
    decisions.reason,
    cast(coalesce(companies.customer_id, case when schemes.audience = 'company_contact' then contacts.company_id end) as string) as company_id
from {{ ref('audience_decisions') }} as decisions
cross join as_of_day
inner join {{ ref('segment_treatments') }} as treatments on decisions.treatment_id = treatments.treatment_id
-- For a company or one of its contact persons: the company.
left join {{ ref('int_customers') }} as companies
    on decisions.member_id = companies.customer_id and companies.kind = 'company'
inner join {{ ref('segment_schemes') }} as schemes on decisions.scheme = schemes.scheme
left join {{ ref('stg_company_contacts') }} as contacts on decisions.member_id = contacts.person_id
left join ranked_offers as offers
    on decisions.scheme = offers.scheme and decisions.member_id = offers.member_id and offers.choice = 1
where decisions.outcome = 'sent'
