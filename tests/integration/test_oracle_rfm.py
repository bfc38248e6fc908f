"""RFM and local time on the demo, against pandas on the package's own files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.support import retailer
from tests.support.project import Build

pytestmark = pytest.mark.demo


def test_local_monday_to_sunday_week_equals_the_retailers_week(demo_build: Build) -> None:
    days = demo_build.frame("select order_id, min(ordered_on) as day from stg_order_lines group by order_id")
    weeks = retailer.all_lines().groupby("order_id")["week"].min()
    monday = days["day"] - np.timedelta64(1, "D") * days["day"].dt.weekday
    found = set(zip(weeks.reindex(days["order_id"]), monday, strict=True))
    assert len(found) == 53
    assert len({week for week, _ in found}) == 53


def test_every_line_of_the_package_is_staged(demo_build: Build) -> None:
    assert demo_build.value("select count(*) from stg_order_lines") == 1_469_307


def test_as_of_date_is_the_local_date_after_the_last_line(demo_build: Build) -> None:
    assert demo_build.value("select as_of from int_as_of_dates where is_current") == retailer.AS_OF.date()


def test_recency_frequency_and_monetary_of_every_household(demo_build: Build) -> None:
    found = demo_build.mapping(
        f"""select customer_id, recency_days, frequency, cast(monetary * {retailer.UNIT} as bigint)
        from customer_profiles"""
    )
    expected = retailer.rfm()
    assert len(expected) == 2469
    wrong = {
        customer: (found.get(customer), tuple(row))
        for customer, *row in expected[["recency_days", "frequency", "monetary"]].itertuples()
        if found.get(customer) != (None if np.isnan(row[0]) else int(row[0]), row[1], row[2])
    }
    assert wrong == {}


@pytest.mark.parametrize("score", ["recency_score", "frequency_score", "monetary_score"])
def test_scores_of_every_household(demo_build: Build, score: str) -> None:
    found = demo_build.mapping(f"select customer_id, {score} from customer_profiles")
    expected = retailer.rfm()[score]
    wrong = {
        customer: (found.get(customer), value)
        for customer, value in expected.items()
        if found.get(customer) != (None if np.isnan(value) else int(value))
    }
    assert wrong == {}


def test_rfm_segment_of_every_household(demo_build: Build) -> None:
    found = demo_build.mapping("select member_id, segment from customer_segments where scheme = 'rfm'")
    expected = {
        customer: retailer.rfm_segment(row.recency_score, row.frequency_score, row.is_first_in_window)
        for customer, row in retailer.rfm().iterrows()
    }
    assert {customer: found.get(customer) for customer in expected} == expected
    assert {segment for customer, segment in found.items() if customer not in expected} <= {"unknown"}


def test_segments_use_the_whole_grid(demo_build: Build) -> None:
    """A grid whose rows and columns are swapped would still be a grid: here each name meets its own scores."""
    named = demo_build.rows(
        """select distinct segment, reason from customer_segments where scheme = 'rfm' and segment <> 'unknown'"""
    )
    for segment, reason in named:
        scores = json.loads(reason)
        assert segment == retailer.rfm_segment(scores["recency_score"], scores["frequency_score"])
    assert len({segment for segment, _ in named}) == 10


def test_shares_of_discount_and_private_label(demo_build: Build) -> None:
    found = demo_build.frame("select customer_id, discount_share, private_label_share from customer_profiles")
    lines = retailer.window_lines()
    private = lines["amount"].where(lines["tier"] == "private", 0)
    sums = lines.assign(private=private).groupby("customer_id")[["amount", "discount", "coupon", "private"]].sum()
    expected = sums.reindex(found["customer_id"])
    gross = (expected["amount"] + expected["discount"]).to_numpy()
    discounts = np.minimum(
        1, (expected["discount"] + expected["coupon"]).to_numpy() / np.where(gross > 0, gross, np.nan)
    )
    net = expected["amount"].to_numpy()
    np.testing.assert_allclose(found["discount_share"], discounts, rtol=1e-12)
    np.testing.assert_allclose(
        found["private_label_share"], expected["private"].to_numpy() / np.where(net > 0, net, np.nan), rtol=1e-12
    )
