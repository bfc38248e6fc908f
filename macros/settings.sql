{# A dbt var, else the environment variable, else the default: the models never read the clock. #}
{% macro setting(var_name, env_name, default) %}
    {%- set from_env = env_var(env_name, '') -%}
    {{- return(var(var_name, '') or from_env or default) -}}
{% endmacro %}

{# Days before an as-of date that its behaviour is counted in. By its former name where that is set. #}
{% macro behaviour_window_days() %}
    {{- return((var('rfm_window_days', none) or var('behaviour_window_days')) | int) -}}
{% endmacro %}

{# Says at the start of a run which vars are set by a name that they have no more. #}
{% macro former_names_told() %}
    {%- if execute and var('rfm_window_days', none) -%}
        {%- do exceptions.warn('The var rfm_window_days is called behaviour_window_days now; the next version reads that name alone.') -%}
    {%- endif -%}
{% endmacro %}

{# The day the refresh describes as an ISO text, or '' for the day after the last order line. #}
{% macro as_of_setting() %}
    {{- return(setting('as_of', 'AS_OF', '') | string) -}}
{% endmacro %}

{# IANA name of the stores' time zone. Without a landing zone or a mapping a demo is read, whose stores have their own. #}
{% macro store_timezone() %}
    {%- set of_demo = 'Europe/Berlin' if env_var('DEMO', '') == 'merchant' else 'America/New_York' -%}
    {%- set default = 'UTC' if env_var('LANDING_DIR', '') or env_var('MAPPING', '') else of_demo -%}
    {{- return(setting('store_timezone', 'STORE_TIMEZONE', default)) -}}
{% endmacro %}

{# The currency that all money is told in, in upper case; '' where nobody says: then it is the one of the order lines. #}
{% macro reporting_currency() %}
    {{- return(setting('reporting_currency', 'REPORTING_CURRENCY', '') | string | trim | upper) -}}
{% endmacro %}

{# Whether the demo is read: no landing zone and no mapping is set, or the landing zone is the demo's folder in the warehouse. #}
{% macro reads_demo() %}
    {%- set landing_dir = env_var('LANDING_DIR', '') or env_var('MAPPING', '') -%}
    {{- return(landing_dir in ('', env_var('WAREHOUSE_DIR', 'warehouse') ~ '/demo')) -}}
{% endmacro %}

{# What the data are called where they are made up as a whole, so that nobody takes their numbers for a shop's; else ''. #}
{% macro demo_label() %}
    {{- return('a simulated merchant of building materials' if reads_demo() and env_var('DEMO', '') == 'merchant' else '') -}}
{% endmacro %}

{# Stops dbt by hand where it would pass over SETTINGS, SEEDS_DIR, MAPPING or DEMO: only a refresh hands them on, and says so by SEEDS_PATH. #}
{% macro assert_own_settings_are_read() %}
    {%- if execute and not env_var('SEEDS_PATH', '') and (
        env_var('SETTINGS', '') or env_var('SEEDS_DIR', '') or env_var('MAPPING', '') or demo_label()
    ) -%}
        {{ exceptions.raise_compiler_error(
            'SETTINGS, SEEDS_DIR, MAPPING and DEMO are read by make refresh; `make settings` prints how to hand them to dbt by hand'
        ) }}
    {%- endif -%}
{% endmacro %}
