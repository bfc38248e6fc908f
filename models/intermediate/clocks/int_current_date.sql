{# The day that the refresh describes: one row. #}
select as_of
from {{ ref('int_as_of_dates') }}
where is_current
