{# A landed column as a value of its type; null where there is none, or where the text is no such value. Where landing_formats sets
   how the column is written, typed_and_judged has turned the text into the contract's: read_<column>. #}
{% macro typed_column(column) -%}
    {%- set landed = 'landed.' ~ ('read_' if column.formats else '') ~ column.name -%}
    {%- if column['values'] -%}
        {%- set value = spelling_of('landed.' ~ column.name) -%}
        case
            when {{ value }} in ('{{ column['values'] | join("', '") }}') then {{ value }}
            {%- if column.default %}
            when landed.{{ column.name }} is null and landed.landing_problem is null then '{{ column.default }}'
            {%- endif %}
        end
    {%- elif column.type == 'text' -%} {{ landed }}
    {%- elif column.type == 'number' and column.between -%}
        {%- set number = text_to_number(landed) -%}
        case when ({{ number }}) between {{ column.between[0] }} and {{ column.between[1] }} then {{ number }} end
    {%- elif column.type == 'number' -%} {{ text_to_number(landed) }}
    {%- elif column.type == 'rate' -%} {{ text_to_rate(landed) }}
    {%- elif column.type == 'integer' -%} {{ text_to_integer(landed) }}
    {%- elif column.type == 'flag' -%} {{ text_to_flag(landed) }}
    {%- elif column.type == 'timestamp' -%} {{ text_to_moment(landed) }}
    {%- elif column.type == 'date' -%} {{ text_to_date(landed) }}
    {%- endif -%}
{%- endmacro %}

{# What is wrong with a value that cannot be typed, in words, and the setting that says how such values are written. #}
{% macro untyped_reason(column) %}
    {%- if column['values'] -%}
        {{- return('not one of ' ~ column['values'] | join(', ')) -}}
    {%- endif -%}
    {%- set what = {
        'number': 'not a number', 'rate': 'not a number', 'integer': 'not a whole number', 'flag': 'not yes or no',
        'timestamp': 'not a timestamp',
        'date': 'not a date'
    }[column.type] ~ (' from ' ~ column.between | join(' to ') if column.between else '') -%}
    {%- set setting = {'number': 'numbers', 'rate': 'numbers', 'integer': 'numbers', 'timestamp': 'dates', 'date': 'dates'}.get(column.type) -%}
    {%- if not setting -%}{{- return(what) -}}{%- endif -%}
    {%- set setting = 'landing_formats.' ~ column.table ~ '.' ~ setting -%}
    {{- return(
        what ~ ', nor ' ~ column.formats[0] ~ ' as ' ~ setting ~ ' says' if column.formats
        else what ~ ' (written otherwise? set ' ~ setting ~ ')'
    ) -}}
{% endmacro %}

{# Conditions under which a typed row is refused by itself: [{condition, reason, example}]: a required value that is missing or
   cannot be read, one outside a closed list, a date that cannot be meant. A reason is the inside of an SQL text: it may close the
   quotes to name a value. `example`, where there is one, is the value as it may be shown. Optional values that cannot be read are
   null, and listed (models/marts/quality/unreadable_values.sql). #}
{% macro row_problems(table) %}
    {%- set problems = [] -%}
    {%- for column in table.columns -%}
        {%- if column.required -%}
            {%- do problems.append({
                'condition': column.name ~ ' is null and landed_' ~ column.name ~ ' is null'
                    if column.type != 'text' or column['values'] else column.name ~ ' is null',
                'reason': column.name ~ ': missing'
            }) -%}
        {%- endif -%}
        {%- if column['values'] or (column.required and column.type != 'text') -%}
            {%- do problems.append({
                'condition': 'landed_' ~ column.name ~ ' is not null and ' ~ column.name ~ ' is null',
                'reason': column.name ~ ': ' ~ untyped_reason(column),
                'example': shown_value(table, column, 'landed_' ~ column.name)
            }) -%}
        {%- endif -%}
        {%- if column.plausible -%}
            {%- do problems.append({
                'condition': is_implausible(column), 'reason': column.name ~ ": ' || " ~ implausible_reason(column) ~ " || '"
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(problems) -}}
{% endmacro %}

{# Whether a date, or the local date of a moment, cannot be meant: it is before the var first_plausible_date, or after 2100. #}
{% macro is_implausible(column) -%}
    {%- set first = "cast('" ~ var('first_plausible_date') ~ "' as " ~ column.type ~ ')' -%}
    {%- set end = "cast('2101-01-01' as " ~ column.type ~ ')' -%}
    {%- if column.type == 'timestamp' -%}
        {%- set first = utc_timestamp(first) -%}
        {%- set end = utc_timestamp(end) -%}
    {%- endif -%}
    {{ column.name }} is not null and ({{ column.name }} < {{ first }} or {{ column.name }} >= {{ end }})
{%- endmacro %}

{# The reason in words, with the date, as an expression that has no value only where the column has none. #}
{% macro implausible_reason(column) -%}
    {%- set day = 'cast(' ~ (local_timestamp(column.name) if column.type == 'timestamp' else column.name) ~ ' as date)' -%}
    {{ text(day) }} || ' cannot be meant, it is '
    || case when {{ day }} > cast('2100-12-31' as date) then 'after 2100' else 'before first_plausible_date ({{ var("first_plausible_date") }})' end
{%- endmacro %}

{# The landed rows of a table, each column as it was landed, and read_<column> where landing_formats sets how it is written. #}
{% macro landed_rows(table) %}
    {%- set rows = namespace(sql=source('landing', table.name) | string) -%}
    {%- for place in range(4) -%}
        {%- set columns = [] -%}
        {%- for column in table.columns if reading_steps(column) | length > place -%}
            {%- set before = 'written.' ~ ('read' ~ place ~ '_' if place else '') ~ column.name -%}
            {%- set is_last = reading_steps(column) | length == place + 1 -%}
            {%- do columns.append(
                reading_step(before, reading_steps(column)[place], column) ~ ' as read' ~ ('' if is_last else place + 1) ~ '_' ~ column.name
            ) -%}
        {%- endfor -%}
        {%- if columns -%}
            {%- set rows.sql = '(select written.*, ' ~ columns | join(', ') ~ ' from ' ~ rows.sql ~ ' as written)' -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(rows.sql) -}}
{% endmacro %}

{# Two common table expressions: `typed_rows` (each landed row with its values typed; where a column's type is not text, the
   landed text too, as landed_<column>) and `judged_rows` (the same, with is_refused). `files`, a relation, names the files to
   read by their source_file; without it, all are. `<column>_is_day` says of a moment that its time of day is not known. #}
{% macro typed_and_judged(table, files=none) %}
typed_rows as (
    select
        landed.source_file,
        landed.source_row,
        landed.landing_problem,
        landed.personal_digest
        {%- for column in table.columns %},
        {{ typed_column(column) }} as {{ column.name }}
        {%- if column.type != 'text' or column['values'] %},
        landed.{{ column.name }} as landed_{{ column.name }}
        {%- endif %}
        {%- if column.type == 'timestamp' %},
        {{ is_day_text('landed.' ~ ('read_' if column.formats else '') ~ column.name) }} as {{ column.name }}_is_day
        {%- endif %}
        {%- endfor %}
    from {{ landed_rows(table) | indent(4) }} as landed
    {%- if files %}
    inner join {{ files }} as files on landed.source_file = files.source_file
    {%- endif %}
),

judged_rows as (
    select
        typed_rows.*,
        (
            landing_problem is not null
            {%- for problem in row_problems(table) %}
            or ({{ problem.condition }})
            {%- endfor %}
        ) as is_refused
    from typed_rows
)
{%- endmacro %}

{# Expressions over a judged row that say together what it holds: rows equal in all of them are one row. Of the tables_of_customers
   the row has judged_customer_id too. #}
{% macro row_identity(table) %}
    {%- set identity = ['landing_problem', 'personal_digest'] -%}
    {%- for column in table.columns -%}
        {%- do identity.append(
            judged_column(table, column.name) if column.type == 'text' and not column['values']
            else 'coalesce(' ~ text(column.name) ~ ', landed_' ~ column.name ~ ')'
        ) -%}
    {%- endfor -%}
    {{- return(identity) -}}
{% endmacro %}

{# The same for row_hash: values as they are, and the landed text of what has none. #}
{% macro hashed_identity(table) %}
    {%- set identity = ['landing_problem', 'personal_digest'] -%}
    {%- for column in table.columns -%}
        {%- do identity.append(column.name) -%}
        {%- if column.type != 'text' or column['values'] -%}
            {%- do identity.append('case when ' ~ column.name ~ ' is null then landed_' ~ column.name ~ ' end') -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(identity) -}}
{% endmacro %}

{# A number that rows with the same key share. Where the last key column may be missing, all columns are then the key, but for the
   customer: typed rows are kept, and whose an id is may be another one tomorrow. #}
{% macro key_hash(table) -%}
    {%- if table.key_may_be_incomplete -%}
    case
        when {{ table.key | last }} is not null then {{ row_hash(table.key) }}
        else {{ row_hash(hashed_identity(table) | reject('equalto', 'customer_id') | list) }}
    end
    {%- else -%}
    {%- set key = [] -%}
    {%- for column in table.key %}{% do key.append(judged_column(table, column)) %}{% endfor -%}
    {{ row_hash(key) }}
    {%- endif -%}
{%- endmacro %}

{# The typed rows of a table whose typed rows are kept by file: its columns, as typed_and_judged has them (the landed text
   only of what has no value), local times, is_refused, key_hash and content_hash. `files` is the select of the
   files to read. #}
{% macro typed_rows_by_file(table_name, files) %}
{%- set table = landing_table(table_name) %}
with

files as (
    {{ files | indent(4) }}
),

{{ typed_and_judged(table, 'files') }}

select
    judged_rows.source_file,
    judged_rows.source_row,
    judged_rows.landing_problem,
    judged_rows.personal_digest,
    {%- for column in table.columns %}
    judged_rows.{{ column.name }},
    {%- if column.type == 'timestamp' %}
    {{ local_timestamp('judged_rows.' ~ column.name) }} as {{ column.name }}_local,
    cast({{ local_timestamp('judged_rows.' ~ column.name) }} as date) as {{ column.name[:-3] }}_on,
    judged_rows.{{ column.name }}_is_day,
    {%- endif %}
    {%- if column.type != 'text' or column['values'] %}
    case when judged_rows.{{ column.name }} is null then judged_rows.landed_{{ column.name }} end as landed_{{ column.name }},
    {%- endif %}
    {%- endfor %}
    judged_rows.is_refused,
    {{ key_hash(table) }} as key_hash,
    {{ row_hash(hashed_identity(table)) }} as content_hash
from judged_rows
inner join files on judged_rows.source_file = files.source_file
{%- endmacro %}

{# The rows of a table that staging keeps, with the contract's columns and, for each moment, local time:
   ordered_at becomes ordered_at_local and ordered_on too, and ordered_at_is_day says that the time of day is not known. `refused` names
   the model with the rows that are left out. #}
{% macro accepted_rows(table_name, refused='refused_rows') %}
{%- set table = landing_table(table_name) %}
with
{{ typed_and_judged(table) }}

select
    {%- for column in table.columns %}
    judged_rows.{{ column.name }},
    {%- if column.type == 'timestamp' %}
    {{ local_timestamp('judged_rows.' ~ column.name) }} as {{ column.name }}_local,
    cast({{ local_timestamp('judged_rows.' ~ column.name) }} as date) as {{ column.name[:-3] }}_on,
    judged_rows.{{ column.name }}_is_day,
    {%- endif %}
    {%- endfor %}
    judged_rows.source_file,
    judged_rows.source_row
from judged_rows
left join {{ ref(refused) }} as refused
    on
        refused.source_table = '{{ table_name }}'
        and judged_rows.source_file = refused.source_file
        and judged_rows.source_row = refused.source_row
where not judged_rows.is_refused and refused.source_row is null
{%- endmacro %}

{# The rows of a table that staging does not keep: source_table, source_file, source_row, disposition, reasons, example,
   superseded_by, raw. Dispositions:
     quarantined  refused by itself, or it shares its key with a row of different content
     superseded   of a master table: it shares its key with a row of different content that is taken
     duplicate    a copy of a row that is staged, quarantined or superseded
     equal        of a table whose key may be incomplete, beside these: an equal row of the same file that staging keeps

   Only rows that are refused by themselves or that may share their key with another row are compared, so the cost is one
   pass over the keys. `kept_rows`, a relation, has the rows already typed (typed_rows_by_file). A row is a copy where an
   equal one comes before it (by file and row). Rows without the last key column are no copies of each other within one file:
   the n-th of equal rows there is a copy of the n-th of other files alone, so that staging has as many as the file with most.

   Rows of the tables_of_customers are equal where they are once aliases are followed. What two ids of a customer say differently in one
   moment, where the customer is in the key (consents, assignments), is staged all the same: which of them counts, marts decide. #}
{% macro rejected_rows(table_name, kept_rows=none) %}
{%- set table = landing_table(table_name) %}
{%- set is_of_customers = table_name in tables_of_customers() %}
{%- set customer_is_in_key = is_of_customers and 'customer_id' in table.key %}
{#- Read twice: as a common table expression DuckDB would carry all columns of all kept rows through memory. #}
{%- set hashed_rows = kept_rows or 'hashed_rows' %}
{%- set key_is_whole = namespace(parts=[]) %}
{%- for column in table.key %}{% do key_is_whole.parts.append(column ~ ' is not null') %}{% endfor %}
with
{%- if not kept_rows %}

{{ typed_and_judged(table) }},
{%- if is_of_customers %}

rows_of_customers as (
    select
        judged_rows.*,
        {{ judged_customer('judged_rows') }} as judged_customer_id
    from judged_rows
    {{ with_customer_ids('judged_rows') }}
),
{%- endif %}

hashed_rows as (
    select
        judged_rows.*,
        {{ key_hash(table) | indent(8) }} as key_hash
    from {{ 'rows_of_customers as ' if is_of_customers }}judged_rows
),
{%- endif %}

shared_hashes as (
    select key_hash
    from {{ hashed_rows }}
    group by key_hash
    having count(*) > 1
),

suspects as (
    select
        hashed_rows.*
        {%- if kept_rows and is_of_customers %},
        {{ judged_customer('hashed_rows') }} as judged_customer_id
        {%- endif %}
    from {{ hashed_rows }} as hashed_rows
    left join shared_hashes on hashed_rows.key_hash = shared_hashes.key_hash
    {%- if kept_rows and is_of_customers %}
    {{ with_customer_ids('hashed_rows') }}
    {%- endif %}
    where hashed_rows.is_refused or shared_hashes.key_hash is not null
),

placed_suspects as (
    select
        suspects.*,
        {%- if table.key_may_be_incomplete %}
        case
            when {{ table.key | last }} is null
                then row_number() over (
                    partition by {{ row_identity(table) | join(', ') }}, source_file
                    order by source_row
                )
            else 1
        end as place_in_file
        {%- else %}
        1 as place_in_file
        {%- endif %}
    from suspects
),

copies as (
    select
        placed_suspects.*,
        {%- if table.is_master %}
        count(*) over (partition by {{ row_identity(table) | join(', ') }}) as times_landed,
        {%- endif %}
        row_number() over (
            partition by {{ row_identity(table) | join(', ') }}
                {{- ', place_in_file' if table.key_may_be_incomplete }}{{ ', customer_id' if customer_is_in_key }}
            order by source_file, source_row
        ) as copy_number
    from placed_suspects
),

{%- if table.is_master %}

ranked_rivals as (
    select
        copies.*,
        case
            when copy_number = 1 and not is_refused
                then row_number() over (
                    partition by {{ table.key | join(', ') }}, copy_number = 1 and not is_refused
                    order by {{ rival_order(table) | join(', ') }}, source_file asc, source_row asc
                )
        end as rival_place
    from copies
),

rivals as (
    select
        ranked_rivals.*,
        max(case when rival_place = 1 then source_file || ', row ' || {{ text('source_row') }} end)
            over (partition by {{ table.key | join(', ') }}) as taken_row
    from ranked_rivals
),

dispositions as (
    select
        rivals.*,
        case
            when copy_number > 1 then 'duplicate'
            when is_refused then 'quarantined'
            when rival_place > 1 then 'superseded'
        end as disposition
    from rivals
)
{%- else %}

rivals as (
    select
        copies.*,
        case
            when {{ key_is_whole.parts | join(' and ') }}
                then sum(case when copy_number = 1 then 1 else 0 end) over (partition by {{ table.key | join(', ') }})
            else 1
        end as contents_of_key
    from copies
),

dispositions as (
    select
        rivals.*,
        case
            when copy_number > 1 {{ 'or place_in_file > 1' if equal_lines() == 'one' }} then 'duplicate'
            {%- if customer_is_in_key %}
            {#- The customer's other id says the same. #}
            when row_number() over (
                partition by {{ row_identity(table) | join(', ') }}, copy_number, contents_of_key > 1
                order by source_file, source_row
            ) > 1 then 'duplicate'
            {%- endif %}
            when is_refused or contents_of_key > 1 then 'quarantined'
            {%- if table.key_may_be_incomplete %}
            when place_in_file > 1 then 'equal'
            {%- endif %}
        end as disposition
    from rivals
)
{%- endif %}
{%- if kept_rows %},

{# What was landed, of the few rows that are shown. #}
raw_rows as (
    select
        landed.source_file,
        landed.source_row,
        {{ raw_json(table) | indent(8) }} as raw
    from {{ source('landing', table.name) }} as landed
    inner join dispositions
        on
            landed.source_file = dispositions.source_file
            and landed.source_row = dispositions.source_row
            and dispositions.disposition = 'quarantined'
)
{%- endif %}

select
    {{ text("'" ~ table_name ~ "'") }} as source_table,
    dispositions.source_file,
    dispositions.source_row,
    dispositions.disposition,
    case
        when disposition in ('duplicate', 'equal') then null
        when disposition = 'superseded' then 'superseded'
        when landing_problem is not null then landing_problem
        else concat_ws('; '
            {%- for problem in row_problems(table) %},
            case when {{ problem.condition }} then '{{ problem.reason }}' end
            {%- endfor %}
            {%- if not table.is_master %},
            case
                when contents_of_key > 1
                    then '{{ table.key_names | join(", ") }}: shared with a row of different content'
            end
            {%- endif %}
        )
    end as reasons,
    {%- set with_example = row_problems(table) | selectattr('example') | list %}
    {% if with_example -%}
    case
        when disposition = 'quarantined' and landing_problem is null
            then nullif(concat_ws(', '
                {%- for problem in with_example %},
                case when {{ problem.condition }} then {{ problem.example }} end
                {%- endfor %}
            ), '')
    end
    {%- else -%}
    {{ text('null') }}
    {%- endif %} as example,
    {{ text("case when disposition = 'superseded' then taken_row end" if table.is_master else 'null') }} as superseded_by,
    {%- if table.key_may_be_incomplete %}
    place_in_file > 1 and copy_number = 1 and not is_refused as is_equal_line,
    amount,
    currency,
    ordered_on,
    {%- endif %}
    {%- if kept_rows %}
    raw_rows.raw
    {%- else %}
    case when disposition in ('quarantined', 'superseded') then {{ raw_json(table, is_judged=true) }} end as raw
    {%- endif %}
from dispositions
{%- if kept_rows %}
left join raw_rows
    on dispositions.source_file = raw_rows.source_file and dispositions.source_row = raw_rows.source_row
{%- endif %}
where dispositions.disposition is not null
{%- endmacro %}

{# Which of the rows of a master table that share a key comes first: the latest by updated_at, else the one most often landed, else
   the first in order of content, where a value comes before none. Rows that differ in personal data alone are staged alike, and
   the caller takes the first by file and row: their digests are others in each warehouse. #}
{% macro rival_order(table) %}
    {%- set order = ['updated_at desc nulls last', 'times_landed desc'] -%}
    {%- for column in table.columns if column.name not in table.key and column.name != 'updated_at' -%}
        {%- do order.append(column.name ~ ' asc nulls last') -%}
    {%- endfor -%}
    {%- for column in table.columns if column.type != 'text' or column['values'] -%}
        {%- do order.append('case when ' ~ column.name ~ ' is null then landed_' ~ column.name ~ ' end asc nulls last') -%}
    {%- endfor -%}
    {{- return(order) -}}
{% endmacro %}

{# The var equal_lines: keep or one. #}
{% macro equal_lines() %}
    {%- if var('equal_lines') not in ('keep', 'one') -%}
        {{- exceptions.raise_compiler_error('equal_lines is ' ~ var('equal_lines') ~ ': say keep or one (dbt_project.yml)') -}}
    {%- endif -%}
    {{- return(var('equal_lines')) -}}
{% endmacro %}

{# How a value that cannot be read may be shown, with the name of its column: `amount "one"`. #}
{% macro shown_value(table, column, value) -%}
    '{{ column.name }} "' || {{ shown_text(table, column, value) }} || '"'
{%- endmacro %}

{# The text of it: cut where it is long. Of a table of persons, only what looks like an amount or a date of at most eight digits
   (or a word, where the column has a closed list) is shown as it came; of the rest, and of a birth date always, letters and digits
   are masked: a name that slipped into the column would else be published. #}
{% macro shown_text(table, column, value) -%}
    {%- set cut = 'substr(' ~ value ~ ', 1, 60)' -%}
    {%- if not table.is_personal -%} {{ cut }}
    {%- elif column.name == 'birth_date' -%} {{ masked_text(cut) }}
    {%- elif column['values'] -%}
    case when {{ matches_whole(value, '[A-Za-z_ -]{1,20}') }} then {{ value }} else {{ masked_text(cut) }} end
    {%- else -%}
    case
        when {{ matches_whole(value, '[^0-9A-Za-z@+]{0,4}([A-Za-z]{3} )?([0-9][., /-]?){1,8}[^0-9A-Za-z@]{0,4}([A-Za-z]{3})?[ ]*') }}
            then {{ value }}
        else {{ masked_text(cut) }}
    end
    {%- endif -%}
{%- endmacro %}

{# The contract's columns of a row as they were landed, without personal data; of a judged row, or of a landed one. #}
{% macro raw_json(table, is_judged=false) %}
    {%- set landed = {} -%}
    {%- for column in table.columns -%}
        {%- set is_typed = column.type != 'text' or column['values'] -%}
        {%- do landed.update({
            column.name: ('landed_' if is_typed else '') ~ column.name if is_judged else 'landed.' ~ column.name
        }) -%}
    {%- endfor -%}
    {{- return(json_row(landed)) -}}
{% endmacro %}

{# Columns whose value becomes null where it cannot be read, and refuses no row. #}
{% macro optional_typed_columns(table) %}
    {%- set columns = [] -%}
    {%- for column in table.columns if not column.required and column.type != 'text' and not column['values'] -%}
        {%- do columns.append(column) -%}
    {%- endfor -%}
    {{- return(columns) -}}
{% endmacro %}

{# What would read a value of the column, in words. #}
{% macro reading_remedy(column) %}
    {%- set written = {
        'number': 'digits with a point before decimals (1488.5), no currency and no thousands separator',
        'rate': 'digits with a point before decimals (1.0825)', 'integer': 'a whole number (12)', 'flag': 'yes or no, true or false, 1 or 0',
        'timestamp': '2026-01-31 or 2026-01-31T14:30:00Z', 'date': '2026-01-31'
    }[column.type] -%}
    {%- if column.between == [0, 1] -%}{%- set written = 'a share of the whole, with a point before decimals (0.5 for a half)' -%}{%- endif -%}
    {{- return(untyped_reason(column) ~ '; write ' ~ written ~ ', or leave it empty') -}}
{% endmacro %}

{# The landed values of optional columns that cannot be read, a row each: source_file, source_row, column_name, spelling (as it may
   be shown). One pass over the rows; `kept_rows`, a relation, has them already typed. #}
{% macro unreadable_values(table_name, kept_rows=none) %}
{%- set table = landing_table(table_name) %}
with
{%- if not kept_rows %}

{{ typed_and_judged(table) }},
{%- endif %}

unreadable_rows as (
    select
        source_file,
        source_row
        {%- for column in optional_typed_columns(table) %},
        case when {{ column.name }} is null then landed_{{ column.name }} end as {{ column.name }}
        {%- endfor %}
    from {{ kept_rows or 'judged_rows' }}
    where
        {%- for column in optional_typed_columns(table) %}
        {{ 'or ' if not loop.first }}({{ column.name }} is null and landed_{{ column.name }} is not null)
        {%- endfor %}
),

column_names as (
    {% for column in optional_typed_columns(table) -%}
    select '{{ column.name }}' as column_name
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

spellings as (
    select
        unreadable_rows.source_file,
        unreadable_rows.source_row,
        column_names.column_name,
        case column_names.column_name
            {%- for column in optional_typed_columns(table) %}
            when '{{ column.name }}' then {{ shown_text(table, column, 'unreadable_rows.' ~ column.name) }}
            {%- endfor %}
        end as spelling
    from unreadable_rows
    cross join column_names
)

select
    source_file,
    source_row,
    column_name,
    spelling
from spellings
where spelling is not null
{%- endmacro %}

{# A row for each optional column of a table: column_name, column_values (landed rows with a value in it, copies too, and rows that
   are refused), unreadable (those that cannot be read). #}
{% macro column_values(table_name, kept_rows=none) %}
{%- set table = landing_table(table_name) %}
with
{%- if not kept_rows %}

{{ typed_and_judged(table) }},
{%- endif %}

counted as (
    select
        {%- for column in optional_typed_columns(table) %}
        count(coalesce({{ text(column.name) }}, landed_{{ column.name }})) as {{ column.name }}_values,
        sum(case when {{ column.name }} is null and landed_{{ column.name }} is not null then 1 else 0 end) as {{ column.name }}_unreadable
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ kept_rows or 'judged_rows' }}
)

{% for column in optional_typed_columns(table) -%}
select
    '{{ column.name }}' as column_name,
    {{ column.name }}_values as column_values,
    {{ column.name }}_unreadable as unreadable
from counted
{{ 'union all' if not loop.last }}
{% endfor %}
{%- endmacro %}
