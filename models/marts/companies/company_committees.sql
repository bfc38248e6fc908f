-- Who has a say in what each company buys: for each of the four roles, whom we know, whether they may be written to, what to tell
-- them, and what it puts at risk where one of the two is missing. A deal stops where one role is not convinced.
with companies as (

    select
        features.customer_id as company_id,
        features.monetary as spend
    from {{ ref('int_customer_features') }} as features
    inner join {{ ref('int_current_date') }} as dates on features.as_of = dates.as_of
    where features.kind = 'company'

),

sizes as (

    select
        sizes.member_id as company_id,
        sizes.segment as company_size
    from {{ ref('company_size') }} as sizes
    inner join {{ ref('int_current_date') }} as dates on sizes.as_of = dates.as_of

),

contacts as (

    select
        contacts.company_id,
        contacts.person_id,
        titles.role
    from {{ ref('stg_company_contacts') }} as contacts
    inner join {{ ref('int_job_titles') }} as titles on {{ spelling_of('contacts.job_title') }} = titles.spelling
    where titles.role <> 'none'

),

-- In a small company the owner holds every role.
holders as (

    select
        company_id,
        role,
        person_id,
        0 as is_owner
    from contacts
    union all
    select
        contacts.company_id,
        roles.role,
        contacts.person_id,
        1 as is_owner
    from contacts
    inner join sizes on contacts.company_id = sizes.company_id and sizes.company_size = 'small'
    inner join {{ ref('buying_roles') }} as roles on contacts.role <> roles.role
    where contacts.role = 'signatory'

),

reachable_persons as (

    select
        member_id as person_id,
        {{ sorted_list('channel') }} as channels
    from {{ ref('contact_permissions') }}
    where is_permitted and person_id = member_id
    group by member_id

),

-- Who may be written to goes first, then who holds the role by title.
ranked_holders as (

    select
        holders.company_id,
        holders.role,
        holders.person_id,
        holders.is_owner,
        reachable_persons.channels,
        row_number() over (
            partition by holders.company_id, holders.role
            order by
                case when reachable_persons.person_id is null then 1 else 0 end asc,
                holders.is_owner asc,
                holders.person_id asc
        ) as place,
        sum(1 - holders.is_owner) over (partition by holders.company_id, holders.role) as persons
    from holders
    left join reachable_persons on holders.person_id = reachable_persons.person_id

),

committee as (

    select
        companies.company_id,
        companies.spend,
        coalesce(sizes.company_size, 'unknown') as company_size,
        roles.role,
        roles.sort_order,
        roles.weight,
        roles.message,
        roles.owner_message,
        roles.risk_uncovered,
        roles.risk_not_contactable,
        holders.person_id,
        holders.channels,
        coalesce(holders.persons, 0) as persons,
        coalesce(holders.is_owner, 0) = 1 or (
            coalesce(sizes.company_size, '') = 'small' and roles.role = 'signatory' and holders.person_id is not null
        ) as is_owner
    from companies
    cross join {{ ref('buying_roles') }} as roles
    left join sizes on companies.company_id = sizes.company_id
    left join ranked_holders as holders
        on companies.company_id = holders.company_id and roles.role = holders.role and holders.place = 1

),

weighed_committee as (

    select
        committee.*,
        case
            when channels is not null then 1e0
            when person_id is not null then cast({{ var('uncontactable_role_worth') }} as double)
            else 0e0
        end as worth
    from committee

)

select
    cast(company_id as string) as company_id,
    cast(role as string) as role,
    cast(sort_order as integer) as role_order,
    person_id is not null as is_covered,
    channels is not null as is_contactable,
    cast(person_id as string) as person_id,
    cast(channels as string) as channels,
    cast(persons as bigint) as persons,
    is_owner,
    cast(company_size as string) as company_size,
    cast(case when is_owner then owner_message else message end as string) as message,
    cast(case when person_id is null then risk_uncovered when channels is null then risk_not_contactable end as string) as risk,
    cast(spend as decimal(18, 4)) as spend,
    cast(
        sum(cast(weight * worth as decimal(18, 6))) over (partition by company_id) as double
    ) / nullif(cast(sum(cast(weight as decimal(18, 6))) over (partition by company_id) as double), 0e0) as readiness
from weighed_committee
