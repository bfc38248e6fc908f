"""segment_months and segment_deliveries on the demo, against pandas: the package's lines, and the history as published.

The history is taken from the build (test_oracle_segments checks it); months, purchases and answers are worked out
again, member by member.
"""

from __future__ import annotations

import pandas as pd
import pytest

from tests.support import retailer
from tests.support.project import Build

pytestmark = pytest.mark.demo

SCHEMES = ["rfm", "spend_structure", "life_stage"]
FAR = pd.Timestamp("2200-01-01")


@pytest.fixture(scope="module")
def history(demo_build: Build) -> pd.DataFrame:
    names = ", ".join(f"'{scheme}'" for scheme in SCHEMES)
    rows = demo_build.frame(
        "select scheme, member_id, segment, valid_from, valid_to from customer_segment_history"
        f" where scheme in ({names})"
    )
    rows["valid_from"] = pd.to_datetime(rows["valid_from"])
    rows["valid_to"] = pd.to_datetime(rows["valid_to"]).fillna(FAR)
    return rows


def segment_then(history: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """Each fact (customer_id, month) once a scheme, with the segment of the month's first day."""
    audience = history[["scheme", "member_id"]].drop_duplicates()
    known = facts.merge(audience, left_on="customer_id", right_on="member_id")
    spans = known.merge(history, on=["scheme", "member_id"])
    spans = spans[(spans["valid_from"] <= spans["month"]) & (spans["month"] < spans["valid_to"])]
    keys = ["scheme", "customer_id", "month"]
    segments = spans[[*keys, "segment"]].drop_duplicates()
    assert not segments.duplicated(keys).any()
    found = known.merge(segments, on=keys, how="left")
    found["segment"] = found["segment"].fillna("not_yet_known")
    return found


def start_of_month(days: pd.Series) -> pd.Series:
    return pd.to_datetime(days).dt.to_period("M").dt.start_time


def test_months_hold_what_pandas_counts(demo_build: Build, history: pd.DataFrame) -> None:
    lines = retailer.lines().assign(month=lambda t: start_of_month(t["ordered_on"]))
    baskets = retailer.baskets().assign(month=lambda t: start_of_month(t["basket_on"]))
    spend = lines.groupby(["customer_id", "month"])["amount"].sum().rename("spend")
    orders = baskets.groupby(["customer_id", "month"]).size().rename("orders")
    facts = pd.concat([spend, orders], axis=1).fillna(0).reset_index()
    facts["spend"] /= retailer.UNIT
    facts["buyers"] = (facts["orders"] > 0).astype(int)
    keys = ["scheme", "segment", "month"]
    expected = segment_then(history, facts).groupby(keys)[["buyers", "orders", "spend"]].sum()
    for month in sorted(facts["month"].unique()):
        here = history[(history["valid_from"] <= month) & (month < history["valid_to"])]
        for (scheme, segment), members in here.groupby(["scheme", "segment"]).size().items():
            expected.loc[(scheme, segment, month), "members"] = members
    expected = expected.fillna(0)

    found = demo_build.frame("select * from segment_months")
    found = found[found["scheme"].isin(SCHEMES)].assign(month=lambda t: pd.to_datetime(t["month"]))
    found = found.set_index(keys)[["buyers", "orders", "spend", "members"]].astype(float)
    pd.testing.assert_frame_equal(found.sort_index(), expected.sort_index().astype(float), check_index_type=False)
    # Everybody's spend of a month, however the scheme divides them.
    totals = found["spend"].groupby(level=["scheme", "month"]).sum().unstack("scheme")
    assert totals["rfm"].to_numpy() == pytest.approx(facts.groupby("month")["spend"].sum().to_numpy())


def test_deliveries_hold_what_pandas_counts(demo_build: Build, history: pd.DataFrame) -> None:
    touches = demo_build.frame("select * from stg_touchpoints")
    touches = touches[pd.to_datetime(touches["touched_on"]) < retailer.AS_OF]
    touches["month"] = start_of_month(touches["touched_on"])
    for column in ("campaign_type", "treatment_id"):
        touches[column] = touches[column].fillna("none")
    answers = demo_build.frame("select * from stg_responses where kind <> 'unsubscribe'")
    answers = answers[pd.to_datetime(answers["responded_on"]) < retailer.AS_OF]
    by_customer = {customer: group for customer, group in touches.groupby("customer_id")}
    counts: dict[str, int] = {}
    for answer in answers.itertuples():
        own = by_customer.get(answer.customer_id)
        if own is None:
            continue
        if pd.notna(answer.touchpoint_id):
            own = own[own["touchpoint_id"] == answer.touchpoint_id]
        else:
            own = own[(own["campaign_id"] == answer.campaign_id) & (own["touched_at"] <= answer.responded_at)]
            own = own.sort_values(["touched_at", "touchpoint_id"], ascending=[False, True]).head(1)
        for touchpoint in own["touchpoint_id"]:
            counts[touchpoint] = counts.get(touchpoint, 0) + 1
    touches["responses"] = touches["touchpoint_id"].map(counts).fillna(0)
    keys = ["scheme", "segment", "month", "channel", "campaign_type", "treatment_id"]
    expected = (
        segment_then(history, touches)
        .groupby(keys)
        .agg(
            members_touched=("customer_id", "nunique"),
            touchpoints=("touchpoint_id", "size"),
            responses=("responses", "sum"),
        )
    )
    found = demo_build.frame("select * from segment_deliveries")
    found = found[found["scheme"].isin(SCHEMES)].assign(month=lambda t: pd.to_datetime(t["month"])).set_index(keys)
    assert found["responses"].sum() > 0
    pd.testing.assert_frame_equal(
        found[list(expected.columns)].sort_index().astype(float),
        expected.sort_index().astype(float),
        check_index_type=False,
    )
