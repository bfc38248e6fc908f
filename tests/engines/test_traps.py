"""What engines are known to do differently, through the project's own macros: the same on every engine, and right."""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.support.engines import traps
from tests.support.engines.comparison import equal
from tests.support.project import ROOT

Tables = dict[str, list[dict[str, Any]]]
ENGINES = ("duckdb", "spark")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tables]:
    """The tables of each engine."""
    folder = tmp_path_factory.mktemp("traps")
    traps.write_project(folder / "project")
    return {engine: traps.build(folder, engine) for engine in ENGINES}


@pytest.fixture(params=ENGINES)
def tables(built: dict[str, Tables], request: pytest.FixtureRequest) -> Tables:
    """The tables of one engine after the other."""
    return built[request.param]


def by_text(tables: Tables, column: str) -> dict[str, Any]:
    return {row["value"]: row[column] for row in tables["typed"]}


@pytest.mark.parametrize("table", ["words", "nothing", *traps.MODELS, "keyed"])
def test_every_engine_makes_the_same_rows(built: dict[str, Tables], table: str) -> None:
    first, second = (built[engine][table] for engine in ENGINES)
    assert len(first) == len(second)
    unequal = [
        (name, left[name], right[name])
        for left, right in zip(first, second, strict=True)
        for name in left
        if not equal(left[name], right[name])
    ]
    assert unequal == []


def test_seeds_keep_apostrophes_quotes_and_line_ends_and_an_empty_cell_is_null(tables: Tables) -> None:
    found = [tuple(row.values()) for row in tables["words"]]
    assert found == [
        (
            number,
            words or None,
            traps.day(day),
            float(share) if share else None,
            {"true": True, "false": False}.get(flag),
        )
        for number, words, day, share, flag in traps.SEED
    ]


def test_a_text_that_is_no_number_is_null_and_never_an_error(tables: Tables) -> None:
    numbers = by_text(tables, "number_value")
    assert {text: value for text, value in numbers.items() if value is not None} == {
        "1": 1, " 2.50 ": Decimal("2.5"), "-3": -3, "+4.": 4, ".5": Decimal("0.5"), "1e3": 1000, "3.0": 3,
        "3.5": Decimal("3.5"), "1.0": 1, "+7": 7, "2.25\u00a0": Decimal("2.25"), "\t12.50": Decimal("12.5"),
        "\u30008\ufeff": 8, "9\r\n": 9, "0.0000000000": 0,
    }  # fmt: skip


def test_money_is_converted_by_all_digits_of_a_rate_and_rounded_once(tables: Tables) -> None:
    amounts = {row["id"]: row["amount"] for row in tables["converted"]}
    product = Decimal("12345678901.2345") * Decimal("1.0512345678")
    assert amounts == {
        1: Decimal("0.0001"),
        2: Decimal("-0.0001"),
        3: product.quantize(Decimal("0.0001"), ROUND_HALF_UP),
        4: Decimal("0.2469"),
        5: None,
    }


def test_blanks_beside_a_value_are_passed_over_and_within_one_are_not(tables: Tables) -> None:
    assert {text for text, flag in by_text(tables, "flag_value").items() if flag is not None} >= {"yes\u00a0", "\tNO\n"}
    moments, days = by_text(tables, "timestamp_value"), by_text(tables, "date_value")
    assert moments["2026-01-31 10:00:00\r\n"] == datetime(2026, 1, 31, 10)
    assert moments["\u00a02026-01-31T10:00:00+02:00\t"] == datetime(2026, 1, 31, 8)
    assert days["2026-01-31\n"] == date(2026, 1, 31)
    assert moments["2026-01-31\n10:00:00"] is None
    assert by_text(tables, "trimmed_value")["\u30008\ufeff"] == "8"


def test_a_date_is_in_no_zone(tables: Tables) -> None:
    for column in ("timestamp_value", "date_value"):
        found = by_text(tables, column)
        assert found["2026-01-31+02:00"] is found["2026-01-31Z"] is None


def test_ids_of_segments_have_the_small_letters_of_their_labels(tables: Tables) -> None:
    assert by_text(tables, "segment_value")["İzmir ΚΑΦΕΣ"] == "izmir_καφεσ"


def test_halves_are_rounded_up_whatever_the_double_is(tables: Tables) -> None:
    assert [(row["cents"], row["ten_thousandths"]) for row in tables["halves"]] == [
        (Decimal("0.53"), Decimal("0.5338")),
        (Decimal("1.01"), Decimal("1.0050")),
        (Decimal("-1.01"), Decimal("-1.0050")),
        (Decimal("20.12"), Decimal("20.1150")),
        (Decimal("0.13"), Decimal("0.1250")),
    ]


def test_what_is_nobodys_meets_its_own_and_has_no_number(tables: Tables) -> None:
    found = {(row["customer_id"], row["day_number"]): row for row in tables["nobodys"]}
    # Two rows of the second day meet each other and themselves.
    assert {key: (row["units_so_far"], row["others"]) for key, row in found.items()} == {
        ("k", 1): (2, 1),
        (None, 1): (4, 1),
        (None, 2): (52, 4),
    }
    assert {key: row["is_nobodys"] for key, row in found.items()} == {("k", 1): False, (None, 1): True, (None, 2): True}


def test_a_whole_number_may_end_in_point_zero_and_nothing_else_is_cut_off(tables: Tables) -> None:
    integers = by_text(tables, "integer_value")
    assert {text: value for text, value in integers.items() if value is not None} == {
        "1": 1, "-3": -3, "+4.": 4, "3.0": 3, "1.0": 1, "+7": 7, "\u30008\ufeff": 8, "9\r\n": 9, "0.0000000000": 0,
    }  # fmt: skip


def test_moments_with_an_offset_are_the_same_moments_in_utc(tables: Tables) -> None:
    moments = by_text(tables, "timestamp_value")
    assert moments["2026-03-08 03:00:00-04:00"] == datetime(2026, 3, 8, 7)
    assert moments["2026-11-01 01:30:00-0400"] == datetime(2026, 11, 1, 5, 30)
    assert moments["2026-11-01T01:30:00.5-05"] == datetime(2026, 11, 1, 6, 30, 0, 500000)
    assert moments["2026-02-30"] is moments["2026-02-03 24:00:00"] is moments["03/02/2026"] is None


def test_local_time_jumps_with_the_clock(tables: Tables) -> None:
    local = by_text(tables, "local_value")
    assert local["2026-03-08 06:59:59"] == datetime(2026, 3, 8, 1, 59, 59)
    assert local["2026-03-08T07:00:00Z"] == datetime(2026, 3, 8, 3)
    # Half past one comes twice.
    assert local["2026-11-01 01:30:00-0400"] == datetime(2026, 11, 1, 1, 30)
    assert local["2026-11-01T01:30:00.5-05"] == datetime(2026, 11, 1, 1, 30, 0, 500000)


def test_a_draw_is_the_md5_that_anybody_can_compute(tables: Tables) -> None:
    for text, draw in by_text(tables, "draw").items():
        assert draw == int(hashlib.md5(f"salt|{text}".encode()).hexdigest()[:13], 16) / 16**13


def test_json_holds_any_text(tables: Tables) -> None:
    for text, written in by_text(tables, "json_value").items():
        assert json.loads(written) == {"text": re.sub(r"[\x00-\x1f]", " ", text), "nothing": None}


def test_thirty_days_are_no_month_and_360_days_no_year(tables: Tables) -> None:
    row = next(row for row in tables["dates"] if row["day_on"] == date(2026, 1, 31))
    assert (row["in_thirty_days"], row["in_a_month"]) == (date(2026, 3, 2), date(2026, 2, 28))
    assert (row["in_360_days"], row["in_a_year"]) == (date(2027, 1, 26), date(2027, 1, 31))


def test_weeks_begin_on_monday(tables: Tables) -> None:
    weeks = {row["day_on"]: (row["weekday"], row["week_on"]) for row in tables["dates"]}
    assert weeks[date(2026, 3, 8)] == (7, date(2026, 3, 2))
    assert weeks[date(2026, 12, 31)] == (4, date(2026, 12, 28))


def test_years_are_complete_on_the_birthday_and_not_before(tables: Tables) -> None:
    ages = {row["day_on"]: row["age"] for row in tables["dates"]}
    assert ages[date(2024, 2, 28)] == 23
    assert ages[date(2026, 3, 8)] == 26


def test_whole_numbers_divide_to_fractions_and_nothing_divides_by_zero(tables: Tables) -> None:
    first, second, third = tables["numbers"][:3]
    assert (first["half"], second["half"], third["half"]) == (0.5, 1.0, 1.5)
    assert first["ratio"] is None
    assert third["ratio"] == 1.5


def test_whole_parts_of_quotients_are_whole_and_ranges_are_words(tables: Tables) -> None:
    """5/7, 10/7, 15/7 … cut off; the seventh is 5 to the digit."""
    found = [(row["whole_sevenths"], row["days"]) for row in tables["numbers"]]
    words = ["1 day", "2 days", *(f"2 to {whole} days" for whole in range(3, len(found) + 1))]
    assert found == list(zip([0, 1, 2, 2, 3, 4, 5], words, strict=True))


def test_each_value_of_a_list_is_a_row_with_its_place(tables: Tables) -> None:
    found = [(row["id_and_place"], row["found"]) for row in tables["values_of_a_list"]]
    assert found == [(10, 1), (11, 10), (12, None), (20, 2), (21, 20), (22, None)]


def upper_tail(n_baskets: int, n_a: int, n_b: int, n_both: int) -> float:
    """P(X >= n_both) of a hypergeometric X, in whole numbers to the last division."""
    counts = range(max(n_both, n_a + n_b - n_baskets), min(n_a, n_b) + 1)
    ways = sum(math.comb(n_a, k) * math.comb(n_baskets - n_a, n_b - k) for k in counts)
    return float(Fraction(ways, math.comb(n_baskets, n_b)))


def test_fishers_test_is_right_to_twelve_digits_in_shops_of_any_size(tables: Tables) -> None:
    found = {(r["n_baskets"], r["n_a"], r["n_b"], r["n_both"]): r["p_value"] for r in tables["fisher"]}
    assert found.keys() == set(traps.PAIRS)
    for pair, p_value in found.items():
        n_baskets, n_a, n_b, n_both = pair
        # Whole numbers of a large shop are long: the item in fewer baskets is the one that is drawn.
        assert math.isclose(p_value, upper_tail(n_baskets, max(n_a, n_b), min(n_a, n_b), n_both), rel_tol=1e-12), pair


def test_lists_are_multiplied_place_by_place_and_counted_from_one(tables: Tables) -> None:
    assert tables["lists"] == [
        {
            "dot_product": 1 * 9 + 2 * 8 + 3 * 7,
            "largest_at_later_places": 8,
            "sum_at_later_places": 2 + 3,
            "sum_at_none": 0,
        }
    ]


def test_lists_are_sorted_by_bytes_and_equal_scores_share_a_rank(tables: Tables) -> None:
    sides = {row["side"]: row for row in tables["groups"]}
    for side, numbers in (("a", range(1, 5)), ("b", range(5, 8))):
        words = sorted(word for number, word, *_ in traps.SEED if number in numbers and word)
        assert sides[side]["sorted_words"] == "|".join(sorted(words, key=str.encode))
    assert sides["a"]["no_words"] is None
    assert {row["worst"] for row in tables["groups"]} == {7}


def test_of_pairs_the_first_value_decides_and_then_the_second(tables: Tables) -> None:
    """Scores 1 of ids 1, 2 and 5, and 2 of the others: neither the largest id nor the first of the best."""
    found = {row["side"]: (row["last_of_best"], row["last_of_none"]) for row in tables["groups"]}
    assert found == {"a": (2, None), "b": (5, None)}


def test_a_hash_sees_a_value_move_to_the_next_column(tables: Tables) -> None:
    assert all(row["nulls_have_a_place"] for row in tables["groups"])


def test_nulls_sort_where_the_query_says(tables: Tables) -> None:
    empty = next(row for row in tables["nulls_first"] if row["id"] == 2)
    assert (empty["first_position"], empty["last_position"]) == (1, len(traps.SEED))


# No engine, but the published file, of which metrics are asked (docs/metrics.md).
ASKED_OF_WHAT_IS_PUBLISHED = "target.name == 'published'"
# Jinja and SQL that would make a model depend on the engine it runs on.
ENGINE_WORDS = re.compile(
    r"duckdb|spark|databricks|\bhive\b|target\.(type|name|method)|adapter\.(type|dispatch)|read_parquet|read_csv",
    re.IGNORECASE,
)


@pytest.mark.parametrize("folder", ["models", "seeds", "tests/dbt"])
def test_no_model_seed_or_data_test_mentions_an_engine(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".sql", ".yml", ".csv", ".md")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if ENGINE_WORDS.search(line.replace(ASKED_OF_WHAT_IS_PUBLISHED, ""))
    ]
    assert found == []


def test_every_macro_of_one_engine_has_its_like_for_the_other() -> None:
    names: dict[str, set[str]] = {engine: set() for engine in ENGINES}
    for path in (ROOT / "macros" / "engine").glob("*.sql"):
        for engine, name in re.findall(r"macro (duckdb|spark)__(\w+)", path.read_text(encoding="utf-8")):
            names[engine].add(name)
    # What only dbt's adapter for Spark needs is in a file of its own.
    own = set(re.findall(r"macro spark__(\w+)", (ROOT / "macros" / "engine" / "spark.sql").read_text(encoding="utf-8")))
    assert names["duckdb"] == names["spark"] - own


def test_only_the_engine_macros_are_written_for_one_engine() -> None:
    outside = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "macros").rglob("*.sql"))
        if path.parent.name != "engine"
        and re.search(r"(duckdb|spark)__|target\.type", path.read_text(encoding="utf-8"))
    ]
    assert outside == []
