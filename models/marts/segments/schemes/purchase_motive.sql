{% macro scheme__purchase_motive() %}{{ return(ref('purchase_motive')) }}{% endmacro %}

{{ segments_of_meanings('purchase_motive', kind='person') }}
