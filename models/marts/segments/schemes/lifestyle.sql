{% macro scheme__lifestyle() %}{{ return(ref('lifestyle')) }}{% endmacro %}

{{ segments_of_meanings('lifestyle', kind='person') }}
