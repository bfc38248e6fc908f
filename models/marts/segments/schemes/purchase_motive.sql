{% macro scheme__purchase_motive() %}{{ return(ref('purchase_motive')) }}{% endmacro %}
{{ config(**kept('int_fact_dates', 'as_of')) }}

{{ segments_of_meanings('purchase_motive', kind='person') }}
