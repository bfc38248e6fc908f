"""Dates, numbers and ids in the formats of landing_formats, against what Python writes in them."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.landing.formats import DATES, EPOCH_DAYS, IDS, ISO, normal_id
from orchestration.landing.land import BLANKS
from tests.support.rendered import macros

BERLIN = ZoneInfo("Europe/Berlin")
# As Python's strftime writes each format; the others are numbers.
WRITTEN = {
    "YYYYMMDD": "%Y%m%d", "YYYY/MM/DD": "%Y/%m/%d", "YYYY.MM.DD": "%Y.%m.%d",
    "DD/MM/YYYY": "%d/%m/%Y", "MM/DD/YYYY": "%m/%d/%Y",
    "DD.MM.YYYY": "%d.%m.%Y", "DD-MM-YYYY": "%d-%m-%Y", "MM-DD-YYYY": "%m-%d-%Y",
    "DD/MM/YY": "%d/%m/%y", "MM/DD/YY": "%m/%d/%y",
    "DD.MM.YY": "%d.%m.%y", "DD-MM-YY": "%d-%m-%y", "MM-DD-YY": "%m-%d-%y",
}  # fmt: skip
CLOCKS = (" %H:%M:%S", "T%H:%M:%SZ", " %I:%M:%S %p", ", %I:%M:%S%p", "T%H:%M:%S+00:00")


CONNECTION = duckdb.connect()
CONNECTION.execute("set TimeZone = 'UTC'")
CONNECTION.execute("set threads = 1")


def evaluated(expression: str, texts: Sequence[str | None]) -> list[Any]:
    """An expression over each text, with DuckDB."""
    rows = "select unnest($1::varchar[]) as value, generate_subscripts($1::varchar[], 1) as place"
    query = f"select {expression} from ({rows}) order by place"
    return [row[0] for row in CONNECTION.execute(query, [list(texts)]).fetchall()]


def moments(format: str, texts: Sequence[str | None]) -> list[datetime | None]:
    """In UTC, of texts of a shop in Berlin."""
    project = macros("Europe/Berlin")
    read = texts
    if format in WRITTEN:
        read = evaluated(project.clock_of_24_hours("value"), evaluated(project.reordered_date("value", format), texts))
    elif format != ISO:
        read = evaluated(project.number_as_iso_text("value", format), texts)
    return evaluated(project.text_to_moment("value"), read)


def numbers(format: str, texts: Sequence[str | None], may_have_sign: bool = True) -> list[Decimal | None]:
    project = macros()
    return evaluated(project.text_to_number(f"({project.as_plain_number('value', format, may_have_sign)})"), texts)


def flags(texts: Sequence[str | None]) -> list[bool | None]:
    return evaluated(macros().text_to_flag("value"), texts)


def ids(format: str, texts: Sequence[str | None]) -> list[str | None]:
    return evaluated(macros().as_normal_id("value", format), texts)


# ---- dates ----------------------------------------------------------------------------------------------------------

# Two-digit years mean 1969 to 2068.
SECONDS = st.datetimes(datetime(1970, 1, 2), datetime(2068, 12, 31)).map(lambda moment: moment.replace(microsecond=0))


def test_every_format_of_dates_is_tried_here() -> None:
    assert {ISO, "excel", *EPOCH_DAYS, *WRITTEN} == set(DATES)


@pytest.mark.parametrize("format", WRITTEN)
@settings(max_examples=5, deadline=None)
@given(found=st.lists(SECONDS, min_size=20, max_size=60), clock=st.sampled_from(CLOCKS))
def test_a_moment_is_read_as_it_was_written(format: str, found: list[datetime], clock: str) -> None:
    texts = [moment.strftime(WRITTEN[format] + clock) for moment in found]
    assert moments(format, texts) == found


@pytest.mark.parametrize("format", [ISO, *WRITTEN])
@settings(max_examples=5, deadline=None)
@given(found=st.lists(SECONDS.map(datetime.date), min_size=20, max_size=60))
def test_a_date_without_a_time_begins_at_local_midnight(format: str, found: list[date]) -> None:
    texts = [day.strftime(WRITTEN.get(format, "%Y-%m-%d")) for day in found]
    beginnings = [datetime(d.year, d.month, d.day, tzinfo=BERLIN).astimezone(UTC).replace(tzinfo=None) for d in found]
    assert moments(format, texts) == beginnings


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo"])
@settings(max_examples=5, deadline=None)
@given(found=st.lists(st.dates(date(1990, 1, 1), date(2037, 12, 31)), min_size=20, max_size=60))
def test_no_change_of_clocks_moves_a_date(zone: str, found: list[date]) -> None:
    project = macros(zone)
    # 2017-10-15 had no midnight in Sao Paulo.
    days = [date(2017, 10, 15), date(2018, 2, 18), date(2022, 3, 27), *found]
    local = project.local_timestamp(f"({project.text_to_moment('value')})")
    assert evaluated(f"cast({local} as date)", [day.isoformat() for day in days]) == days


@pytest.mark.parametrize("format", DATES)
@settings(max_examples=5, deadline=None)
@given(found=st.lists(SECONDS, min_size=20, max_size=60))
def test_iso_stays_readable_whatever_is_set(format: str, found: list[datetime]) -> None:
    assert moments(format, [moment.isoformat() + "Z" for moment in found]) == found


@settings(max_examples=5, deadline=None)
@given(found=st.lists(SECONDS, min_size=20, max_size=60))
def test_numbers_of_seconds_and_days_are_moments(found: list[datetime]) -> None:
    since = [moment.replace(tzinfo=UTC).timestamp() for moment in found]
    assert moments("epoch_seconds", [f"{s:.0f}" for s in since]) == found
    assert moments("epoch_seconds", [f"{s:.1f}" for s in since]) == found
    assert moments("epoch_milliseconds", [f"{s * 1000:.0f}" for s in since]) == found
    serials = [(moment - datetime(1899, 12, 30)) / timedelta(days=1) for moment in found]
    with_time = [(m, repr(s)) for m, s in zip(found, serials, strict=True) if not s.is_integer()]
    assert moments("excel", [text for _, text in with_time]) == [moment for moment, _ in with_time]


def test_a_whole_serial_is_a_date_and_45658_is_the_first_of_2025() -> None:
    assert moments("excel", ["45658", "45658.0", "45658.5", "-1", "9999999"]) == [
        datetime(2024, 12, 31, 23), datetime(2024, 12, 31, 23), datetime(2025, 1, 1, 12), None, None,
    ]  # fmt: skip


def test_day_and_month_are_never_guessed() -> None:
    texts = [
        "06/07/2025 12:00",
        "13/07/2025 12:00",
        "07/13/2025 12:00",
        "6/7/2025 12:00 am",
        "2025-07-06 12:00",
        "soon",
    ]
    july, june = datetime(2025, 7, 6, 12), datetime(2025, 6, 7, 12)
    thirteenth = datetime(2025, 7, 13, 12)
    assert moments(ISO, texts) == [None, None, None, None, july, None]
    assert moments("DD/MM/YYYY", texts) == [july, thirteenth, None, datetime(2025, 7, 6), july, None]
    assert moments("MM/DD/YYYY", texts) == [june, None, thirteenth, datetime(2025, 6, 7), july, None]


def test_compact_dates_may_have_compact_times() -> None:
    texts = [
        "20250606103005",
        "20250606T1030Z",
        "20250606 10:30",
        "20250606103005+0200",
        "202506",
        "20251340",
        "2025060625",
    ]
    morning = datetime(2025, 6, 6, 10, 30)
    assert moments("YYYYMMDD", texts) == [
        morning.replace(second=5), morning, morning, datetime(2025, 6, 6, 8, 30, 5), None, None, None,
    ]  # fmt: skip


def test_nothing_is_not_read_as_something() -> None:
    for format in DATES:
        assert moments(format, [None, "", "x"]) == [None, None, None]
    for format in ("decimal_point", "decimal_comma"):
        assert numbers(format, [None, "", "x", "-", "1-2", "$"]) == [None] * 6


# ---- numbers --------------------------------------------------------------------------------------------------------

AMOUNTS = st.decimals(-(10**9), 10**9, places=2).map(lambda value: value.quantize(Decimal("0.01")))


@settings(max_examples=5, deadline=None)
@given(
    found=st.lists(AMOUNTS, min_size=20, max_size=60),
    separator=st.sampled_from([".", " ", "'", "’", "\u00a0", "\u202f", ""]),
)
def test_decimal_commas_with_any_separator_of_thousands(found: list[Decimal], separator: str) -> None:
    texts = [f"{value:,.2f}".replace(",", "#").replace(".", ",").replace("#", separator) for value in found]
    assert numbers("decimal_comma", texts) == found


@settings(max_examples=5, deadline=None)
@given(found=st.lists(AMOUNTS, min_size=20, max_size=60), separator=st.sampled_from([",", " ", "'", ""]))
def test_decimal_points_with_any_separator_of_thousands(found: list[Decimal], separator: str) -> None:
    assert numbers("decimal_point", [f"{value:,.2f}".replace(",", separator) for value in found]) == found


@settings(max_examples=5, deadline=None)
@given(found=st.lists(AMOUNTS, min_size=20, max_size=60), format=st.sampled_from(["decimal_comma", "decimal_point"]))
def test_plain_numbers_stay_what_they_are_where_they_cannot_be_thousands(found: list[Decimal], format: str) -> None:
    assert numbers(format, [str(value) for value in found]) == found


def test_what_can_be_two_numbers_is_what_is_set() -> None:
    texts = ["1.488", "1,488", "0.500", "1.48", "1,48", "1.4880", "12.34.56", "1.488,69", "1,488.69", "1 488.690"]
    n = [Decimal(text) for text in ("1.488", "0.5", "1.48", "1.488", "1488", "1488.69")]
    assert numbers("decimal_comma", texts) == [1488, n[0], n[1], n[2], n[2], n[3], None, n[5], None, None]
    assert numbers("decimal_point", texts) == [n[0], 1488, n[1], n[2], None, n[3], None, None, n[5], n[5]]


def test_a_currency_sign_is_passed_over_only_where_no_column_says_the_currency() -> None:
    texts = ["$90,000 ", "€ 1.5", "-£2", "£-2", "5 €", "$", "5$5"]
    assert numbers("decimal_point", texts) == [90000, Decimal("1.5"), -2, -2, 5, None, None]
    assert numbers("decimal_point", texts, may_have_sign=False) == [None] * 7


# ---- ids ------------------------------------------------------------------------------------------------------------


def test_ids_are_joined_as_asked_and_no_further() -> None:
    texts = ["1001.0", "1001", "p0", "P0", "007", "000", "1.5", "v1.0", "10.", None]
    assert ids("without_decimals", texts) == ["1001", "1001", "p0", "P0", "007", "000", "1.5", "v1.0", "10", None]
    assert ids("without_leading_zeros", texts) == ["1001.0", "1001", "p0", "P0", "7", "0", "1.5", "v1.0", "10.", None]
    assert ids("lower", texts)[2:4] == ["p0", "p0"]
    assert ids("upper", texts)[2:4] == ["P0", "P0"]


@settings(max_examples=5, deadline=None)
@given(found=st.lists(st.text(min_size=1, max_size=8).filter(lambda text: "\0" not in text), min_size=20, max_size=60))
def test_normalising_twice_changes_nothing(found: list[str]) -> None:
    for format in ("without_decimals", "without_leading_zeros"):
        once = ids(format, found)
        assert ids(format, once) == once


@pytest.mark.parametrize("format", IDS)
@settings(max_examples=50, deadline=None)
@given(found=st.lists(st.text("00017.aBß ", max_size=6), min_size=1, max_size=20))
def test_python_reads_ids_as_staging_does(format: str, found: list[str]) -> None:
    assert evaluated(normal_id("value", format), found) == ids(format, found)


# ---- flags ----------------------------------------------------------------------------------------------------------


def test_flags_are_read_in_any_case_and_with_the_decimals_of_a_database() -> None:
    assert flags(["true", "T", " Yes ", "y", "1", "1.", "1.0", "1.0000000000"]) == [True] * 8
    assert flags(["false", "F", "No", "n", "0", "0.0", "0.0000000000"]) == [False] * 7
    assert flags(["1.5", "10", "01", "0.0001", "yess", "tyes", "", "maybe", None]) == [None] * 9


# ---- blanks and letters ---------------------------------------------------------------------------------------------

SPACES = [char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) == "Zs"]


@pytest.mark.parametrize("blank", sorted({*BLANKS, *SPACES, "\r\n"}), ids=ascii)
def test_a_blank_beside_a_value_is_passed_over(blank: str) -> None:
    project = macros()
    assert evaluated(project.trimmed("value"), [f"{blank}a{blank}b{blank}", blank, f"é{blank}", None]) == [
        f"a{blank}b", "", "é", None,
    ]  # fmt: skip
    assert numbers("decimal_comma", [f"{blank}12,50{blank}", f"1e3{blank}"]) == [Decimal("12.5"), 1000]
    assert evaluated(project.text_to_number("value"), [f"{blank}12.50{blank}"]) == [Decimal("12.5")]
    assert evaluated(project.text_to_rate("value"), [f"{blank}1.0825{blank}"]) == [Decimal("1.0825")]
    assert evaluated(project.text_to_integer("value"), [f"{blank}12{blank}"]) == [12]
    assert flags([f"yes{blank}", f"{blank}NO"]) == [True, False]
    day = datetime(2026, 1, 30, 23)
    assert moments(ISO, [f"2026-01-31{blank}", f"{blank}2026-01-31 10:00:00+02:00{blank}"]) == [
        day, datetime(2026, 1, 31, 8),
    ]  # fmt: skip
    assert moments("DD.MM.YYYY", [f"31.01.2026{blank}"]) == [day]
    assert evaluated(project.text_to_date("value"), [f"{blank}2026-01-31{blank}"]) == [date(2026, 1, 31)]


def test_a_date_with_an_offset_is_no_moment() -> None:
    """As XML writes dates. No day is shifted by it, and nobody knows its hour."""
    assert moments(ISO, ["2026-01-31+02:00", "2026-01-31Z"]) == [None, None]
    assert evaluated(macros("Europe/Berlin").text_to_date("value"), ["2026-01-31+02:00"]) == [None]


def test_letters_are_small_one_by_one() -> None:
    assert evaluated(macros().segment_id("value"), ["İzmir", "ΚΑΦΕΣ", "Straße"]) == ["izmir", "καφεσ", "straße"]


# ---- halves ---------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(found=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20), places=st.sampled_from([2, 4]))
def test_halves_are_rounded_away_from_zero(found: list[int], places: int) -> None:
    halves = [Decimal(10 * each + 5).scaleb(-places - 1) for each in found]
    rounded = macros().rounded_decimal("cast(value as double)", places)
    expected = [half.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) for half in halves]
    assert evaluated(rounded, [str(half) for half in halves]) == expected


def test_what_is_only_near_to_a_half_is_none() -> None:
    near = ["2288.004999996", "2288.005", "12345678.004999996", "0.004999996", "0.0049999999999996"]
    expected = [Decimal(text) for text in ("2288.00", "2288.01", "12345678.00", "0.00", "0.01")]
    assert evaluated(macros().rounded_decimal("cast(value as double)", 2), near) == expected
