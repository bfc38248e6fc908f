{# A number in [0, 1) that depends on the texts alone: the first 13 hexadecimal digits of the md5 of the texts joined by `|`
   (52 bits, exact in a double), divided by 16^13. The same on every engine, and in Python:
   int(hashlib.md5(text).hexdigest()[:13], 16) / 16**13. #}
{% macro uniform_draw(texts) -%}
    {%- set joined = texts | join(" || '|' || ") -%}
    (cast({{ hex_to_bigint('substr(md5(' ~ joined ~ '), 1, 13)') }} as double) / 4503599627370496e0)
{%- endmacro %}

{# A text of at most 15 hexadecimal digits as a bigint. #}
{% macro hex_to_bigint(digits) %}{{ return(adapter.dispatch('hex_to_bigint', 'segments_in_use')(digits)) }}{% endmacro %}
{% macro duckdb__hex_to_bigint(digits) %}cast('0x' || {{ digits }} as bigint){% endmacro %}
{% macro spark__hex_to_bigint(digits) %}cast(conv({{ digits }}, 16, 10) as bigint){% endmacro %}

{# A digest of the rows of a seed, a node of dbt's graph. #}
{% macro large_seed_digest(node) %}{{ return(adapter.dispatch('large_seed_digest', 'segments_in_use')(node)) }}{% endmacro %}

{% macro duckdb__large_seed_digest(node) %}
    {%- set path = node.root_path ~ '/' ~ node.original_file_path -%}
    {%- set pattern = path | replace('[', '[[]') | replace('*', '[*]') | replace('?', '[?]') | replace("'", "''") -%}
    {{- return(run_query("select md5(content) as digest from read_blob('" ~ pattern ~ "')")[0][0]) -}}
{% endmacro %}

{# A cluster does not see the project's folder: a refresh says what is in the files. By hand, it is the path. #}
{% macro spark__large_seed_digest(node) %}
    {{- return(fromjson(env_var('SEED_DIGESTS', '') or '{}').get(node.name, node.checksum.checksum)) -}}
{% endmacro %}
