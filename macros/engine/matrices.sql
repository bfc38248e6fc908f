{# The inverse of a symmetric positive definite matrix, as a select of row_number, column_number and value.

   `relation` has one row a row of the matrix: row_number (1 to n without gaps) and row_values, a list of n doubles.
   Sweeps each diagonal element in turn (Goodnight 1979, The American Statistician 33: a tutorial on the SWEEP operator),
   which needs no pivoting for such a matrix, and yields minus the inverse. n steps over n x n numbers: 294 items take
   3 CPU seconds, 600 take 24. Each number comes from the same operations in the same order, whatever the threads. #}
{% macro inverse_matrix(relation) %}{{ return(adapter.dispatch('inverse_matrix', 'segments_in_use')(relation)) }}{% endmacro %}

{# The table keeps only the last state of each row (using key); each step reads the rows of the step before. #}
{% macro duckdb__inverse_matrix(relation) %}
    select
        rows_swept.row_number,
        cast(positions.column_number as bigint) as column_number,
        - rows_swept.row_values[positions.column_number] as value
    from (
        with recursive sweeps (row_number, step, row_values) using key (row_number) as (

            select row_number, cast(1 as bigint) as step, row_values
            from {{ relation }}

            union

            select
                swept.row_number,
                swept.step + 1 as step,
                case
                    when swept.row_number = swept.step then list_transform(
                        swept.row_values,
                        lambda x, j: case
                            when j = swept.step then -1e0 / pivot_row.row_values[pivot_row.step]
                            else x / pivot_row.row_values[pivot_row.step]
                        end
                    )
                    else list_transform(
                        swept.row_values,
                        lambda x, j: case
                            when j = swept.step then x / pivot_row.row_values[pivot_row.step]
                            else x - swept.row_values[swept.step] * pivot_row.row_values[j]
                                / pivot_row.row_values[pivot_row.step]
                        end
                    )
                end as row_values
            from sweeps as swept
            inner join sweeps as pivot_row on pivot_row.row_number = pivot_row.step
            where swept.step <= len(swept.row_values)

        )

        select row_number, row_values
        from sweeps
    ) as rows_swept
    cross join lateral (select unnest(range(1, len(rows_swept.row_values) + 1)) as column_number) as positions
{% endmacro %}

{# Spark folds the whole matrix, one value, over its diagonal. #}
{% macro spark__inverse_matrix(relation) %}
    select
        row_position + 1 as row_number,
        column_position + 1 as column_number,
        - value as value
    from (
        select posexplode(aggregate(
            sequence(1, size(matrix)),
            matrix,
            (m, k) -> transform(m, (r, i) -> transform(r, (x, j) -> case
                when i + 1 = k and j + 1 = k then -1d / element_at(element_at(m, k), k)
                when i + 1 = k or j + 1 = k then x / element_at(element_at(m, k), k)
                else x - element_at(r, k) * element_at(element_at(m, k), j + 1) / element_at(element_at(m, k), k)
            end))
        )) as (row_position, row_values)
        from (select {{ ordered_list('row_values', 'row_number') }} as matrix from {{ relation }}) as whole
    ) as swept_rows
    lateral view posexplode(row_values) as column_position, value
{% endmacro %}
