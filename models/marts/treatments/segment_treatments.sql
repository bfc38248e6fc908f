-- Published as `treatments` (alias): what is done for each segment of the active schemes.
-- A row with segment `*` serves each segment that the data brought and that has no row of its own, unless it is made of
-- excluded items; one with rows in template_subsets serves those alone that they name, and the others leave them to it.
{{ config(alias='treatments') }}

{%- set texts = [
    'value_proposition', 'proof', 'tone_of_voice', 'message', 'offer', 'offer_item', 'product_adaptation', 'service_level'
] %}

with treatment_rows as (
    select
        treatment.treatment_id,
        treatment.scheme,
        treatment.segment,
        treatment.channel,
        {%- for text in texts %}
        treatment.{{ text }},
        {%- endfor %}
        treatment.valid_from,
        treatment.valid_to,
        treatment.owner,
        treatment.review_on,
        scheme.is_data_driven and treatment.segment = '*' as is_template
    from {{ ref('treatments') }} as treatment
    inner join {{ ref('segment_schemes') }} as scheme
        on treatment.scheme = scheme.scheme
    where scheme.is_active
),

populated_segments as (
    select
        scheme,
        segment,
        label
    from {{ ref('segments') }}
    where members > 0
),

-- `unknown` needs no treatment, so a template does not serve it.
served_segments as (
    select
        populated.scheme,
        populated.segment,
        populated.label
    from populated_segments as populated
    left join treatment_rows as own
        on populated.scheme = own.scheme
        and populated.segment = own.segment
    left join {{ ref('int_excluded_segments') }} as excluded
        on populated.scheme = excluded.scheme
        and populated.segment = excluded.segment
    where
        own.treatment_id is null
        and excluded.segment is null
        and populated.segment <> 'unknown'
),

subset_segments as (
    select distinct
        treatment.treatment_id,
        served.scheme,
        served.segment
    from treatment_rows as treatment
    inner join {{ ref('template_subsets') }} as subset
        on treatment.treatment_id = subset.treatment_id
    inner join served_segments as served
        on treatment.scheme = served.scheme
        and {{ lower_case('served.label') }} like {{ lower_case('subset.pattern') }}
    where treatment.is_template
),

general_templates as (
    select treatment.treatment_id, treatment.scheme
    from treatment_rows as treatment
    left join (select distinct treatment_id from {{ ref('template_subsets') }}) as subset
        on treatment.treatment_id = subset.treatment_id
    where treatment.is_template and subset.treatment_id is null
),

template_segments as (
    select
        subset_segments.treatment_id,
        served.segment,
        served.label
    from subset_segments
    inner join served_segments as served
        on subset_segments.scheme = served.scheme
        and subset_segments.segment = served.segment

    union all

    select
        general_templates.treatment_id,
        served.segment,
        served.label
    from general_templates
    inner join served_segments as served
        on general_templates.scheme = served.scheme
    left join (select distinct scheme, segment from subset_segments) as named
        on served.scheme = named.scheme
        and served.segment = named.segment
    where named.segment is null
),

published_rows as (
    select
        treatment.treatment_id,
        treatment.treatment_id as template_id,
        treatment.scheme,
        treatment.segment,
        treatment.channel,
        {%- for text in texts %}
        treatment.{{ text }},
        {%- endfor %}
        treatment.valid_from,
        treatment.valid_to,
        treatment.owner,
        treatment.review_on,
        populated.segment is null as is_idle
    from treatment_rows as treatment
    left join populated_segments as populated
        on treatment.scheme = populated.scheme
        and treatment.segment = populated.segment
    where not treatment.is_template

    union all

    select
        case
            when served.segment is null then treatment.treatment_id
            else treatment.treatment_id || '_' || served.segment
        end as treatment_id,
        treatment.treatment_id as template_id,
        treatment.scheme,
        coalesce(served.segment, treatment.segment) as segment,
        treatment.channel,
        {%- for text in texts %}
        replace(treatment.{{ text }}, '{label}', coalesce(served.label, '{label}')) as {{ text }},
        {%- endfor %}
        treatment.valid_from,
        treatment.valid_to,
        treatment.owner,
        treatment.review_on,
        served.segment is null as is_idle
    from treatment_rows as treatment
    left join template_segments as served
        on treatment.treatment_id = served.treatment_id
    where treatment.is_template
)

select
    cast(published.treatment_id as string) as treatment_id,
    cast(published.template_id as string) as template_id,
    cast(published.scheme as string) as scheme,
    cast(published.segment as string) as segment,
    cast(published.value_proposition as string) as value_proposition,
    cast(published.proof as string) as proof,
    cast(published.tone_of_voice as string) as tone_of_voice,
    cast(published.channel as string) as channel,
    cast(published.message as string) as message,
    cast(published.offer as string) as offer,
    cast(published.offer_item as string) as offer_item,
    cast(published.product_adaptation as string) as product_adaptation,
    cast(published.service_level as string) as service_level,
    cast(published.valid_from as date) as valid_from,
    cast(published.valid_to as date) as valid_to,
    cast(published.owner as string) as owner,
    cast(published.review_on as date) as review_on,
    published.is_idle,
    cast(coalesce(segments.members, 0) as bigint) as members,
    cast(coalesce(reach.reachable_members, 0) as bigint) as reachable_members
from published_rows as published
left join {{ ref('segments') }} as segments
    on published.scheme = segments.scheme and published.segment = segments.segment
left join {{ ref('segment_reach') }} as reach
    on
        published.scheme = reach.scheme
        and published.segment = reach.segment
        and {{ spelling_of('published.channel') }} = reach.channel
