"""A dbt project of a few models over the project's own macros, built on one engine: what engines do differently.

Belongs here: the models and the seed, and building them. Does not belong here: what they must say (test_traps.py).
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.settings import ALREADY_LANDED, Settings
from orchestration.warehouse.handover import hand_over
from orchestration.warehouse.tables import built_tables
from tests.support import project

TIMEZONE = "America/New_York"

PROJECT = """
name: segments_in_use
version: "1.0.0"
config-version: 2
profile: segments_in_use
macro-paths: [macros]
model-paths: [models]
seed-paths: [seeds]
models: { +materialized: table, +file_format: parquet }
seeds: { +file_format: parquet, +column_types: { id: bigint, words: varchar, day: date, share: double, flag: boolean } }
"""

SEED = [
    (1, "it's, isn't it?", "2026-01-31", "0.5", "true"),
    (2, "", "", "", ""),
    (3, 'say "hi"', "2024-02-29", "1e-3", "false"),
    (4, "back\\slash 100% `tick` $x ${y} {brace}", "", "0", ""),
    (5, "two\nlines", "", "", "true"),
    (6, "None", "", "", ""),
    (7, "Käse – ünïcödé 日本", "", "", ""),
]

# Texts as they land, for each of the typing macros.
TEXTS = [
    "1", " 2.50 ", "-3", "+4.", ".5", "1e3", "1_000", "1,000", "NaN", "inf", "", "x", "3.0", "3.5",
    "99999999999999999999", "yes", "N", "TRUE", "1.0", "0.0000000000", "maybe", "5+", "12 people", "+7",
    "2026-03-08 06:59:59", "2026-03-08T07:00:00Z", "2026-03-08 03:00:00-04:00", "2026-11-01 01:30:00-0400",
    "2026-11-01T01:30:00.5-05", "2026-11-01 05:30:00 UTC", "2026-2-3", "2026-02-30", "2026-02-03 24:00:00",
    "03/02/2026", "2026-01-01 10:00:00.123456789", "0x1F", "1d", "2026-01-01 23:30:00+00:00",
    "a bell\x07, a tab\t, a line\x0b and a unit\x1f end",
    "2.25\u00a0", "\t12.50", "\u30008\ufeff", "9\r\n", "yes\u00a0", "\tNO\n", "2026-01-31 10:00:00\r\n", "2026-01-31\n",
    "\u00a02026-01-31T10:00:00+02:00\t", "2026-01-31\n10:00:00", "2026-01-31+02:00", "2026-01-31Z", "İzmir ΚΑΦΕΣ",
]  # fmt: skip

# Baskets, with a, with b, with both: far from what chance gives and near it, in shops of any size.
PAIRS = [
    (9, 4, 4, 3),
    (9, 4, 4, 1),
    (9, 9, 4, 4),
    (9, 8, 5, 4),
    (40, 20, 15, 15),
    (155_848, 9_000, 1_200, 70),
    (155_848, 9_000, 1_200, 120),
    (155_848, 300, 155_000, 299),
    (2_000_000, 60_000, 900, 27),
    (2_000_000, 60_000, 900, 28),
    (2_000_000, 60_000, 900, 60),
    (30_586_297, 934, 39, 1),
    (31_105_496, 243, 7, 1),
    (30_000_000, 400, 300, 2),
]
# Format of landing_formats -> texts, each with the steps of the project in between.
FORMATTED = {
    "DD/MM/YYYY": [
        "06/07/2025",
        "6/7/2025 3:05 PM",
        "13/07/2025, 12:10:05 am",
        "07/13/2025",
        "2025-07-06T10:00:00Z",
        "06/07/2025\u00a0",
        "06/07/2025\n",
        "x",
    ],
    "MM/DD/YY": ["7/6/25 10:00", "07/06/69", "2025-07-06"],
    "YYYYMMDD": ["20250606", "20250606103000", "20250606T1030Z", "20250606 10:30:00+02:00", "202506"],
    "epoch_seconds": ["1735689600", "1735689600.0", "-1", "1735689661.9", "2025-01-01", "1e20", "1735689600\t"],
    "epoch_milliseconds": ["1735689600123"],
    "excel": ["45658", "45658.5", "45658.0", "0", "9999999", "45658,5"],
    "decimal_comma": [
        "1.488,69",
        "1.488",
        "0.500",
        "1 488,5",
        "1’488,5",
        "$ 5,00",
        "-1.234.567,8",
        "12.34.56",
        "1e3",
        "\t5,00\u00a0",
        "'5,25\u3000",
        "5,75\n",
    ],
    "decimal_point": ["1,488.69", "1,488", "1.488", "\u00a01\u202f488.5", "€5", "-5 £", "1,48"],
    "without_decimals": ["1001.0", "1001", "1.5", "v1.0", "10.", "1001.0\n"],
    "without_leading_zeros": ["007", "000", "7", "a07", "000\n"],
    "lower": ["P0", "İΣ"],
}


def _literal(text: str) -> str:
    # Jinja makes a line feed of every other line end.
    return "'" + text.replace("'", "' || chr(39) || '").replace("\r", "' || chr(13) || '") + "'"


def _formatted(format: str) -> str:
    read = {
        "epoch_seconds": "number_as_iso_text",
        "epoch_milliseconds": "number_as_iso_text",
        "excel": "number_as_iso_text",
        "without_decimals": "as_normal_id", "without_leading_zeros": "as_normal_id", "lower": "as_normal_id",
    }.get(format, "reordered_date")  # fmt: skip
    if format.startswith("decimal"):
        expression = f"{{{{ as_plain_number('value', '{format}', true) }}}}"
    else:
        expression = f"{{{{ {read}('value', '{format}') }}}}"
    values = " union all ".join(
        f"select {place} as place, {_literal(text)} as value" for place, text in enumerate(FORMATTED[format])
    )
    return f"select '{format}' as format, place, value, {expression} as read from ({values}) as texts"


MODELS = {
    "formatted": """
        select
            format,
            place,
            value,
            read,
            {{ clock_of_24_hours('read') }} as clock,
            {{ text_to_number('read') }} as number_value,
            {{ text_to_moment(clock_of_24_hours('read')) }} as moment,
            {{ local_timestamp(text_to_moment('read')) }} as local_moment
        from (
            ROWS
        ) as written
    """.replace("ROWS", " union all ".join(_formatted(format) for format in FORMATTED)),
    "typed": """
        select
            id,
            value,
            {{ text_to_number('value') }} as number_value,
            {{ text_to_integer('value') }} as integer_value,
            {{ text_to_flag('value') }} as flag_value,
            {{ text_to_timestamp('value') }} as timestamp_value,
            {{ local_timestamp(text_to_timestamp('value')) }} as local_value,
            {{ text_to_date('value') }} as date_value,
            {{ leading_number('value') }} as leading_value,
            {{ segment_id('value') }} as segment_value,
            {{ trimmed('value') }} as trimmed_value,
            {{ uniform_draw(["'salt'", 'value']) }} as draw,
            {{ json_object_text([['text', 'value', 'text'], ['nothing', 'nullif(value, value)', 'text']]) }}
                as json_value
        from {{ ref('texts') }}
    """,
    "dates": """
        with days as (
            select cast(words as date) as day_on
            from (
                select '2024-02-28' as words union all select '2026-01-31' union all select '2026-03-08'
                union all select '2026-12-31'
            ) as written
        )

        select
            day_on,
            {{ days_after('day_on', 30) }} as in_thirty_days,
            {{ days_after('day_on', 360) }} as in_360_days,
            cast({{ dbt.dateadd('month', 1, 'day_on') }} as date) as in_a_month,
            cast({{ dbt.dateadd('year', 1, 'day_on') }} as date) as in_a_year,
            {{ days_between("cast('2024-02-28' as date)", 'day_on') }} as days_since,
            {{ iso_weekday('day_on') }} as weekday,
            {{ years_between("cast('2000-02-29' as date)", 'day_on') }} as age,
            cast(date_trunc('month', day_on) as date) as month_on,
            cast(date_trunc('week', day_on) as date) as week_on
        from days
    """,
    "numbers": """
        with numbers as (
            select
                cast(id as bigint) as whole,
                cast(id as double) / 10 as share,
                cast(id as decimal(18, 4)) as amount
            from {{ ref('words') }}
        )

        select
            whole,
            whole / 2 as half,
            cast(whole as double) / nullif(cast(whole - 1 as double), 0) as ratio,
            cast(amount as double) / 3 as third_of_amount,
            {{ power_of_two('whole * 8') }} as power,
            {{ whole_quotient('5 * whole', '7') }} as whole_sevenths,
            {{ counted_range('least(whole, 2)', 'whole', 'day') }} as days,
            {{ nested_sum('whole / cast(j as double)', '20') }} as series,
            cast(round(amount / 4, 2) as decimal(18, 2)) as rounded
        from numbers
    """,
    "fisher": """
        with pairs as (
            {% for n_baskets, n_a, n_b, n_both in PAIRS -%}
            select
                {{ loop.index }} as place,
                cast({{ n_baskets }} as bigint) as n_baskets, cast({{ n_a }} as bigint) as n_a,
                cast({{ n_b }} as bigint) as n_b, cast({{ n_both }} as bigint) as n_both
            {{ 'union all' if not loop.last }}
            {% endfor %}
        )

        select pair.place, pair.n_baskets, pair.n_a, pair.n_b, pair.n_both, pair.p_value
        from (
            {{ fisher_upper_tail('pairs', ['place', 'n_baskets', 'n_a', 'n_b', 'n_both']) }}
        ) as pair
    """.replace("PAIRS", str([list(pair) for pair in PAIRS])),
    "lists": """
        with lists as (
            select
                {{ ordered_list('cast(id as double)', 'id') }} as ascending,
                {{ ordered_list('cast(10 - id as double)', 'id') }} as descending
            from {{ ref('words') }}
            where id < 4
        ),

        later_words as (
            select {{ unordered_list('id') }} as places
            from {{ ref('words') }}
            where id between 2 and 3
        )

        select
            {{ dot_product('ascending', 'descending') }} as dot_product,
            {{ largest_at('descending', 'places') }} as largest_at_later_places,
            {{ dot_product('ascending', marks_at('places', 'cast(3 as bigint)')) }} as sum_at_later_places,
            {{ dot_product('ascending', marks_at('nullif(places, places)', 'cast(3 as bigint)')) }} as sum_at_none
        from lists
        cross join later_words
    """,
    "values_of_a_list": """
        select
            listed.id * 10 + listed.place as id_and_place,
            listed.found
        from (
            select id, {{ each_value(['id', 'id * 10', 'nullif(id, id)'], 'place', 'found') }}
            from {{ ref('words') }}
            where id < 3
        ) as listed
    """,
    "groups": """
        with ties as (
            select
                id,
                words,
                case when id < 5 then 'a' else 'b' end as side,
                case when id in (1, 2, 5) then 1 else 2 end as score
            from {{ ref('words') }}
        )

        select
            side,
            {{ sorted_list('words', '|') }} as sorted_words,
            {{ sorted_list("case when id > 100 then words end", '|') }} as no_words,
            cast(sum(score) as bigint) as scores,
            max(worse) as worst,
            (max(case when id <> 7 then {{ ordered_pair('-score', 'id') }} end)).minor as last_of_best,
            (max(case when id > 100 then {{ ordered_pair('-score', 'id') }} end)).minor as last_of_none,
            {{ hash_sum(row_hash(['words', "cast(null as " ~ dbt.type_string() ~ ")"])) }}
            <> {{ hash_sum(row_hash(["cast(null as " ~ dbt.type_string() ~ ")", 'words'])) }} as nulls_have_a_place
        from (
            select
                ties.*,
                count(*) over (order by score range between unbounded preceding and current row) as worse
            from ties
        ) as ranked
        group by side
    """,
    "nulls_first": """
        select
            id,
            row_number() over (order by words nulls first, id) as first_position,
            row_number() over (order by words desc nulls last, id) as last_position
        from {{ ref('words') }}
    """,
    "days_listed": """
        with spans as (
            select cast('2026-02-27' as date) as first_day, cast('2026-03-02' as date) as last_day
        )

        {{ calendar_days('spans', 'first_day', 'last_day') }}
    """,
    # Money in another currency: ten digits of a rate, rounded half away from zero once, as it is stored.
    "converted": """
        select
            id,
            {{ converted('cast(amount as decimal(18, 4))', text_to_rate('rate')) }} as amount
        from (
            select 1 as id, '0.0001' as amount, '0.5' as rate union all
            select 2 as id, '-0.0001' as amount, '0.5' as rate union all
            select 3 as id, '12345678901.2345' as amount, '1.0512345678' as rate union all
            select 4 as id, '100' as amount, '0.0024691358' as rate union all
            select 5 as id, '100' as amount, '1_0' as rate
        ) as amounts
    """,
    # Halves that no double is: all but the last are a little less, or a little more.
    "halves": """
        select
            place,
            {{ rounded_decimal('half', 2) }} as cents,
            {{ rounded_decimal('half', 4) }} as ten_thousandths
        from (
            select 1 as place, cast('0.53375' as double) as half union all
            select 2 as place, cast('1.005' as double) as half union all
            select 3 as place, cast('-1.005' as double) as half union all
            select 4 as place, cast('0.100575' as double) * 200 as half union all
            select 5 as place, cast('0.125' as double) as half
        ) as halves
    """,
    # What is nobody's meets what is nobody's, and adds up by day.
    "nobodys": """
        with sold as (
            select 'k' as customer_id, 1 as day_number, 2 as units union all
            select cast(null as {{ dbt.type_string() }}) as customer_id, 1 as day_number, 4 as units union all
            select cast(null as {{ dbt.type_string() }}) as customer_id, 2 as day_number, 8 as units union all
            select cast(null as {{ dbt.type_string() }}) as customer_id, 2 as day_number, 16 as units
        )
        select
            sold.customer_id,
            sold.day_number,
            cast(sum(sum(sold.units)) over (
                partition by sold.customer_id
                order by sold.day_number
                rows between unbounded preceding and current row
            ) as bigint) as units_so_far,
            max({{ customer_number_or_null('others.customer_id') }}) is null as is_nobodys,
            count(others.day_number) as others
        from sold
        left join sold as others
            on sold.day_number = others.day_number and sold.customer_id is not distinct from others.customer_id
        group by sold.customer_id, sold.day_number
    """,
}
TESTS = """
version: 2
models:
  - name: keyed
    data_tests:
      - unique_combination: { arguments: { columns: [id, '"window"'] } }
"""
KEYED = "select 1 as id, 'a' as {{ adapter.quote('window') }} union all select 1, 'b'"


def write_project(folder: Path) -> Path:
    """The dbt project, with the macros of the real one."""
    (folder / "models").mkdir(parents=True)
    (folder / "seeds").mkdir()
    shutil.copytree(project.ROOT / "macros", folder / "macros")
    (folder / "dbt_project.yml").write_text(PROJECT, encoding="utf-8")
    rows = [dict(zip(("id", "words", "day", "share", "flag"), row, strict=True)) for row in SEED]
    project.write_csv(folder, "seeds", rows, "words.csv")
    (folder / "seeds" / "nothing.csv").write_text("id,words,day,share,flag\n", encoding="utf-8")
    selects = " union all ".join(f"select {n} as id, {_literal(text)} as value" for n, text in enumerate(TEXTS))
    for name, sql in {**MODELS, "texts": selects, "keyed": KEYED}.items():
        (folder / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
    (folder / "models" / "models.yml").write_text(TESTS, encoding="utf-8")
    return folder


def build(folder: Path, engine: str) -> dict[str, list[dict[str, Any]]]:
    """Build the project on an engine; the rows of each table, by name.

    Raises:
        AssertionError: dbt failed.
    """
    import subprocess
    import sys

    warehouse = folder / engine
    (warehouse / "build").mkdir(parents=True)
    environment = project.environment(
        warehouse,
        folder / f"target-{engine}",
        {"DBT_TARGET": engine, ALREADY_LANDED: "1", "STORE_TIMEZONE": TIMEZONE, "LANDING_DIR": str(folder)},
    )
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "build", "--project-dir", str(folder / "project")],
        cwd=project.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"dbt on {engine} failed:\n{(done.stdout + done.stderr)[-6000:]}"
    settings = Settings(folder, warehouse, None, TIMEZONE, engine)
    hand_over(settings)
    with built_tables(settings) as con:
        return {name: _rows(con, name) for name in ("words", "nothing", *MODELS, "keyed")}


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    # By all columns: rows that share the first one may lie in files that are read in either order.
    answer = con.execute(f'select * from "{table}" order by all')
    names = [column[0] for column in answer.description or []]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def day(text: str) -> date | None:
    """A date of the seed; None for an empty cell."""
    return date.fromisoformat(text) if text else None
