{% macro scheme__process_maturity() %}{{ return(ref('process_maturity')) }}{% endmacro %}
{{ config(materialized='kept', by='as_of', inputs='int_member_dates') }}

{# As declared, 1 to 5; else the highest level for which seed maturity_evidence finds evidence. A level is the place of its
   segment in seed segment_definitions. A word of evidence that seed job_titles knows too (controller: finance) is none in a
   title that is read as another job by a pattern with that word (stock controller), or as none (pest controller). #}
with dates as (

    {# Its dates are named here: no filter from outside reaches what is read twice. #}
    select as_of from {{ missing(ref('int_member_dates')) }}

),

members as (

    select
        members.as_of,
        members.customer_id
    from {{ ref('int_members') }} as members
    inner join dates on members.as_of = dates.as_of
    where members.kind = 'company'

),

texts as (

    select
        contacts.company_id,
        'job_title' as kind,
        {{ title_words('contacts.job_title') }} as words,
        titles.role,
        ' ' || titles.pattern || ' ' as role_words
    from {{ ref('stg_company_contacts') }} as contacts
    left join {{ ref('int_job_titles') }} as titles on {{ spelling_of('contacts.job_title') }} = titles.spelling
    union all
    select
        company_id,
        'department' as kind,
        {{ title_words('department') }} as words,
        cast(null as string) as role,
        cast(null as string) as role_words
    from {{ ref('stg_company_contacts') }}

),

role_patterns as (

    select
        words,
        max(role) as role
    from (
        select
            {{ title_words('pattern') }} as words,
            role
        from {{ ref('job_titles') }}
        where role not in ('none', 'word')
    ) as written
    group by words

),

patterns as (

    select
        written.kind,
        written.pattern,
        written.level,
        written.words,
        case when written.kind = 'job_title' then role_patterns.role end as role
    from (
        select
            kind,
            pattern,
            level,
            {{ title_words('pattern') }} as words
        from {{ ref('maturity_evidence') }}
    ) as written
    left join role_patterns on written.words = role_patterns.words

),

evidence as (

    select
        members.as_of,
        members.customer_id,
        patterns.kind,
        patterns.pattern,
        patterns.level
    from members
    inner join texts on members.customer_id = texts.company_id
    inner join patterns on texts.kind = patterns.kind and texts.words like '%' || patterns.words || '%'
    where
        trim(patterns.words) <> ''
        and (
            patterns.role is null
            or texts.role = patterns.role
            or texts.role_words not like '%' || patterns.words || '%'
        )
    union all
    select
        jobs.as_of,
        jobs.member_id as customer_id,
        patterns.kind,
        patterns.pattern,
        patterns.level
    from {{ ref('job_to_be_done') }} as jobs
    inner join dates on jobs.as_of = dates.as_of
    inner join patterns on patterns.kind = 'job' and jobs.segment = patterns.pattern

),

ranked_evidence as (

    select
        as_of,
        customer_id,
        kind,
        pattern,
        level,
        row_number() over (partition by as_of, customer_id order by level desc, kind asc, pattern asc) as place
    from evidence

),

levels as (

    select
        members.as_of,
        members.customer_id,
        companies.process_maturity as declared,
        declared_levels.segment as declared_segment,
        ranked_evidence.kind,
        ranked_evidence.pattern,
        inferred_levels.segment as inferred_segment
    from members
    left join {{ ref('stg_companies') }} as companies on members.customer_id = companies.company_id
    left join {{ ref('segment_definitions') }} as declared_levels
        on declared_levels.scheme = 'process_maturity' and companies.process_maturity = declared_levels.sort_order
    left join ranked_evidence
        on
            members.as_of = ranked_evidence.as_of
            and members.customer_id = ranked_evidence.customer_id
            and ranked_evidence.place = 1
    left join {{ ref('segment_definitions') }} as inferred_levels
        on inferred_levels.scheme = 'process_maturity' and ranked_evidence.level = inferred_levels.sort_order

)

select
    as_of,
    'process_maturity' as scheme,
    customer_id as member_id,
    coalesce(declared_segment, inferred_segment, 'unknown') as segment,
    cast(null as string) as label,
    case
        when declared_segment is not null then 'declared'
        when inferred_segment is not null then 'inferred'
        else 'unknown'
    end as evidence,
    {{ json_object_text([
        ['process_maturity', 'declared', 'number'],
        ['evidence', 'kind', 'text'],
        ['pattern', 'pattern', 'text'],
    ]) }} as reason
from levels
