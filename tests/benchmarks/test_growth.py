"""The power by which a model grows, from seconds that are made up."""

from __future__ import annotations

import pytest

from tests.benchmarks.daily import Timing
from tests.benchmarks.growth import power, report, steep

LINES = (10_000, 100_000, 1_000_000)


def seconds(model: float, fixed: float = 0.1) -> list[float]:
    """Seconds of a model that grows by that power of the lines, and takes a second at 100,000."""
    return [fixed + (size / 100_000) ** model for size in LINES]


@pytest.mark.parametrize("grows_by", [0.5, 1.0, 1.5, 2.0])
def test_the_power_is_that_by_which_seconds_grow_beyond_what_is_fixed(grows_by: float) -> None:
    assert power(LINES, seconds(grows_by), 0.1) == pytest.approx(grows_by)


def test_a_square_is_named_and_a_line_is_not_nor_what_takes_no_time() -> None:
    models = [
        {"line": line, "square": square, "quick_square": square / 1000, "sorted": sort}
        for line, square, sort in zip(seconds(1), seconds(2), seconds(1.05), strict=True)
    ]
    [(name, grows_by)] = steep(LINES, models)
    assert name == "square" and 1.9 < grows_by < 2.1


def test_the_table_holds_the_seconds_of_each_size_and_no_tests_or_seeds() -> None:
    timings = [
        Timing(40, 60, {}, {"m": square, "test t": square, "seed s": square}, 900) for square in seconds(2, fixed=0.0)
    ]
    *_, said, header, row = report(LINES, timings, [(10**6, 10**8)] * 3).splitlines()
    assert said.startswith("1 models take 1 s and more at 1,000,000 lines; 1 of them grow by more than the power 1.15")
    assert header.split() == ["model", "10,000", "100,000", "1,000,000", "power"]
    assert row.split() == ["m", "0.01", "1.00", "100.00", "2.00"]
