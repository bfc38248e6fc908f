"""docs/sources/, each page followed to the letter: an export in the folder, the page's commands, and what is published
is what pandas makes of the same sales.

Five refreshes of some two hundred lines, the only ones of the suite that read the shipped seeds: what those must be (no
words of any trade's, nothing said of nobody) is looked at here too.
"""

from __future__ import annotations

import hashlib
import html
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pytest
import yaml

from tests.support import project
from tests.support.source_exports import SOURCES, Line

pytestmark = pytest.mark.slow

PAGES = project.ROOT / "docs" / "sources"
FILE = re.compile(r"^`(/data/[^`]+)`\n\n```csv\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^make (map|refresh) (.*)$", re.MULTILINE)
WINDOW = 365
MIN_PAIR_COUNT = 5
# Of a grocer's trade, in any text that people read.
GROCERS = re.compile(
    r"\b(grocer\w*|milk|bread|coffee|breakfast|lunch|dinners?|meals?|foods?|recipes?|cooking|wine|cheese|butcher|baker\w*|"
    r"aisles?|menus?|kitchens?|fridges?|snacks?|diapers?|sommelier|fishmonger|fruit|supermarket)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Followed:
    """A page that was followed: the lines that its export holds, its mapping, the warehouse, what was printed."""

    name: str
    lines: list[Line]
    page: dict[str, Any]
    proposed: dict[str, Any]
    warehouse: Path
    output: str
    variables: dict[str, str]

    def frame(self, sql: str) -> pd.DataFrame:
        with duckdb.connect(str(self.warehouse / "published" / "segments.duckdb"), read_only=True) as con:
            return con.sql(sql).df()

    def built(self, sql: str) -> pd.DataFrame:
        with duckdb.connect(str(self.warehouse / "build" / "warehouse.duckdb"), read_only=True) as con:
            return con.sql(sql).df()


def follow(name: str, folder: Path) -> Followed:
    """The page's files written, its commands run in their order; /data is a folder of the test.

    All pages are followed in one place, one after the other, because with a new path dbt would parse the whole project
    again; what was made is put aside.
    """
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    data = folder / f"data-{name}"
    lines = SOURCES[name](data / name)
    for path, text in FILE.findall(page):
        file = data / path.removeprefix("/data/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (folder / "dagster").mkdir(exist_ok=True)
    shutil.copy(project.ROOT / ".dagster_home" / "dagster.yaml", folder / "dagster")
    own = {"DAGSTER_HOME": str(folder / "dagster"), "GX_ANALYTICS_ENABLED": "false", "SEEDS_DIR": "", "SEEDS_PATH": ""}
    output, given = "", {}
    commands = COMMAND.findall(page)
    assert [target for target, _ in commands] == ["map", "refresh"]
    for target, words in commands:
        given = dict(word.replace("/data", str(data)).split("=", 1) for word in words.split())
        done = subprocess.run(
            [sys.executable, "-m", "orchestration", target],
            cwd=project.ROOT,
            env=project.environment(folder / "warehouse", folder / "target", own | given),
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        output += done.stdout + done.stderr
        assert done.returncode == 0, f"make {target}: {(done.stdout + done.stderr)[-5000:]}"
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    proposed = yaml.safe_load((data / name / "mapping.yml").read_text(encoding="utf-8"))
    warehouse = (folder / "warehouse").rename(folder / f"warehouse-{name}")
    return Followed(name, lines, yaml.safe_load(shown), proposed, warehouse, output, given)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources")


# Those first whose mappings need no settings: dbt parses the project once for all of them.
@pytest.fixture(scope="module", params=["wholesaler", "woocommerce", "shopify", "square", "gift-shop"])
def followed(request: pytest.FixtureRequest, place: Path) -> Iterator[Followed]:
    done = follow(request.param, place)
    yield done
    shutil.rmtree(done.warehouse)


def test_every_page_is_followed() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(SOURCES)


# ---- the same in pandas ---------------------------------------------------------------------------------------------


def sold(followed: Followed) -> pd.DataFrame:
    """The lines that count, with their local day; `customer` is '' for nobody."""
    zone = ZoneInfo(followed.variables.get("STORE_TIMEZONE", "UTC"))
    salt = str(followed.proposed.get("salt", ""))
    services = {"POST"} if "SEEDS_DIR" in followed.variables else set()
    rows = [
        {
            "basket": (line.order, line.customer),
            # A digest, where the page says that there is no id.
            "customer": hashlib.sha256(f"{salt}{line.customer}".encode()).hexdigest()[:24]
            if "@" in line.customer
            else line.customer,
            "product": line.product,
            "day": line.at.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).date(),
            "quantity": line.quantity,
            "amount": line.amount,
        }
        for line in followed.lines
        if line.counts and line.product not in services
    ]
    return pd.DataFrame(rows)


def as_of(followed: Followed) -> date:
    last: date = sold(followed)["day"].max()
    return last + timedelta(days=1)


def scores(values: pd.Series, method: str) -> pd.Series:
    """1 + floor(5 (place - 1/2) / n), in whole numbers."""
    twice = (2 * values.rank(method=method)).astype(int)  # type: ignore[arg-type]
    return 1 + 5 * (twice - 1) // (2 * len(values))


def rfm(followed: Followed) -> pd.DataFrame:
    """By customer: days, baskets, money, and their scores by place among those who bought in the window."""
    lines, today = sold(followed), as_of(followed)
    known = lines[lines["customer"] != ""]
    baskets = known[(known["quantity"] > 0) & (known["amount"] >= 0)].groupby(["customer", "basket"])["day"].min()
    start = today - timedelta(days=WINDOW)
    table = pd.DataFrame({"last": baskets.groupby("customer").max()})
    table["recency_days"] = [(today - last).days for last in table["last"]]
    table["frequency"] = baskets[baskets >= start].groupby("customer").size().reindex(table.index, fill_value=0)
    money = known[known["day"] >= start].groupby("customer")["amount"].sum()
    table["monetary"] = money.reindex(table.index, fill_value=0).astype(float).round(4)
    buyers = table[table["frequency"] > 0]
    ranked = {
        "recency_score": scores(-buyers["recency_days"], "max"),
        "frequency_score": scores(buyers["frequency"], "average").where(buyers["frequency"] > 1, 1),
        "monetary_score": scores(buyers["monetary"], "average"),
    }
    for name, column in ranked.items():
        # Who bought before the window only has the lowest of each.
        table[name] = column.reindex(table.index, fill_value=1)
    return table.drop(columns="last")


# ---- each page ------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_mapping_that_is_proposed(followed: Followed) -> None:
    for mapping in (followed.page, followed.proposed):
        mapping.pop("from")
        assert bool(mapping.get("salt")) == (followed.name == "shopify")
    assert followed.page | {"salt": 0} == followed.proposed | {"salt": 0}


def test_a_scorecard_is_published_and_no_line_is_refused(followed: Followed) -> None:
    assert (followed.warehouse / "published" / "report.html").is_file()
    assert followed.frame("select count(*) as n from quarantine")["n"][0] == 0
    (staged,) = followed.built(
        "select rows_landed, rows_staged from row_account where source_table = 'order_lines'"
    ).values
    assert list(staged) == [len(followed.lines)] * 2
    assert set(followed.frame("select verdict from scheme_scorecard")["verdict"]) == {"unproven"}
    assert followed.frame("select distinct as_of from customer_segments")["as_of"].dt.date.tolist() == [as_of(followed)]


def test_recency_frequency_money_and_their_scores_are_those_of_pandas(followed: Followed) -> None:
    expected = rfm(followed).sort_index()
    found = followed.frame("select * from customer_profiles where last_order_on is not null order by customer_id")
    found = found.set_index("customer_id")
    assert list(found.index) == list(expected.index)
    for column in expected.columns:
        assert found[column].astype(float).round(4).tolist() == expected[column].astype(float).tolist(), column


def test_baskets_and_affinities_are_those_of_pandas(followed: Followed) -> None:
    lines = sold(followed)
    found = followed.frame("select * from product_affinities where item_level = 'product' and \"window\" = 'basket'")
    (grid,) = found["as_of"].dt.date.unique()
    assert as_of(followed) - timedelta(days=7) < grid <= as_of(followed) and grid.isoweekday() == 1
    positive = lines[(lines["quantity"] > 0) & (lines["amount"] >= 0)]
    items = positive.groupby("basket").agg(day=("day", "min"), items=("product", lambda each: frozenset(each)))
    items = items[items["day"] < grid]["items"]
    assert set(found["n_baskets"]) == {len(items)}
    alone = {item: sum(item in basket for basket in items) for item in set(positive["product"])}
    expected = {}
    for a, b in combinations(sorted(alone), 2):
        both = sum(a in basket and b in basket for basket in items)
        if both >= MIN_PAIR_COUNT:
            expected[a, b] = (alone[a], alone[b], both, round(both / alone[a], 9))
            expected[b, a] = (alone[b], alone[a], both, round(both / alone[b], 9))
    assert len(expected) > 10
    measures = {
        (row["antecedent"], row["consequent"]): (
            *(row[column] for column in ("n_antecedent", "n_consequent", "n_both")),
            round(row["confidence"], 9),
        )
        for _, row in found.iterrows()
    }
    assert measures == expected


def test_money_is_that_of_pandas_and_nothing_of_nobody_is_a_members(followed: Followed) -> None:
    lines, today = sold(followed), as_of(followed)
    window = lines[lines["day"] >= today - timedelta(days=WINDOW)]
    of_members = window[window["customer"] != ""]["amount"].sum()
    spend = followed.frame("select sum(spend) as spend from segments where scheme = 'rfm'")["spend"][0]
    assert float(spend) == pytest.approx(float(of_members), abs=1e-6)
    assert followed.frame("select * from customer_profiles where customer_id in ('', '0')").empty


def test_what_is_published_speaks_of_no_trade_that_is_not_the_shops(followed: Followed) -> None:
    page = (followed.warehouse / "published" / "report.html").read_text(encoding="utf-8")
    text = html.unescape(re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL))
    assert len(text) > 2000
    assert sorted({word[0].lower() for word in GROCERS.finditer(text)}) == []
    columns = "message, offer, product_adaptation, service_level, value_proposition, proof, tone_of_voice, channel"
    texts = followed.frame(f"select {columns} from treatments where owner <> 'b2b'").to_numpy().ravel()
    texts = [*texts, *followed.frame("select label, definition from segments").to_numpy().ravel()]
    assert sorted({word[0].lower() for each in texts for word in GROCERS.finditer(str(each))}) == []


def test_what_things_mean_is_not_guessed(followed: Followed) -> None:
    schemes = "'job_to_be_done', 'purchase_motive', 'lifestyle'"
    meant = followed.frame(f"select distinct segment from customer_segments where scheme in ({schemes})")
    assert set(meant["segment"]) == {"unknown"}
