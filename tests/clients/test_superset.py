"""Apache Superset 6.1 with the dashboard of this project: imported, asked, seen in a browser, and published anew.

Opt-in, because Superset is 860 MB: `make test-superset`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.dashboards import write_archive
from tests.support.environments import environment, installed

pytestmark = pytest.mark.skipif(not os.environ.get("TEST_SUPERSET"), reason="opt-in: make test-superset")

# The unsaid ones are what Superset 6.1 imports without asking for it, or in an older version than the registry gives.
REQUIREMENTS = ("apache-superset==6.1.0", "duckdb-engine==0.17.0", "duckdb==1.5.6")
UNSAID = ("cachetools", "flask-caching<2.4", "rich")
SUPERSET = "from superset.cli.main import superset; superset()"
# One machine, one test: nobody signs in.
CONFIG = """
import os
SECRET_KEY = "of a test on one machine, for a minute"
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.path.join(os.environ["SUPERSET_HOME"], "superset.db")
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
PREVENT_UNSAFE_DB_CONNECTIONS = False
AUTH_ROLE_PUBLIC = "Admin"
"""
SPEND = "select segment_label, sum(spend) from v_spend_by_month where scheme = 'rfm' group by all order by all"


@dataclass(frozen=True)
class Superset:
    """A running Superset, and the link through which it reads."""

    url: str
    published: Path

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return json.load(answer)

    def spend(self) -> list[tuple[str, float]]:
        """Spend by segment, by the dataset of the dashboard."""
        datasets = {row["table_name"]: row["id"] for row in self.get("/api/v1/dataset/")["result"]}
        query = {
            "datasource": {"id": datasets["v_spend_by_month"], "type": "table"},
            "queries": [
                {
                    "columns": ["segment_label"],
                    "metrics": ["spend"],
                    "filters": [{"col": "scheme", "op": "==", "val": "rfm"}],
                    "row_limit": 1000,
                }
            ],
            "result_format": "json",
            "result_type": "full",
            "force": True,
        }
        request = urllib.request.Request(
            self.url + "/api/v1/chart/data", json.dumps(query).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            (result,) = json.load(answer)["result"]
        return sorted((row["segment_label"], float(row["spend"])) for row in result["data"])


@pytest.fixture(scope="module")
def superset(demo_refresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    home = tmp_path_factory.mktemp("superset")
    published = home / "published"
    published.symlink_to((demo_refresh / "published").resolve())
    (home / "superset_config.py").write_text(CONFIG, encoding="utf-8")
    env = {
        **environment(installed("superset-6.1.0", *REQUIREMENTS, *UNSAID)),
        "SUPERSET_HOME": str(home),
        "SUPERSET_CONFIG_PATH": str(home / "superset_config.py"),
        "FLASK_APP": "superset",
    }
    command = [sys.executable, "-S", "-c", SUPERSET]
    archive = write_archive(home / "dashboard.zip", published / "segments.duckdb")
    person = ["--username", "admin", "--firstname", "a", "--lastname", "b", "--email", "a@example.com"]
    for arguments in (
        ["db", "upgrade"],
        ["fab", "create-admin", *person, "--password", "admin"],
        ["init"],
        ["import-dashboards", "-p", str(archive), "-u", "admin"],
    ):
        done = subprocess.run([*command, *arguments], env=env, cwd=home, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{arguments}:\n{(done.stdout + done.stderr)[-4000:]}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "run", "-h", "127.0.0.1", "-p", str(port)], env=env, cwd=home, stdout=log, stderr=log
        )
    try:
        found = Superset(f"http://127.0.0.1:{port}", published)
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(found.url + "/health", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < until, (home / "server.log").read_text()[-4000:]
                time.sleep(0.5)
        yield found
    finally:
        server.terminate()
        server.wait(timeout=60)


def in_sql(published: Path) -> list[tuple[str, float]]:
    with duckdb.connect(str(published / "segments.duckdb"), read_only=True) as con:
        return [(label, float(spend)) for label, spend in con.execute(SPEND).fetchall()]


def test_the_dashboard_is_there_with_its_charts(superset: Superset) -> None:
    assert [row["dashboard_title"] for row in superset.get("/api/v1/dashboard/")["result"]] == ["Segments in use"]
    assert {row["slice_name"] for row in superset.get("/api/v1/chart/")["result"]} == {
        "Spend by segment and month",
        "Members by segment",
        "What pays",
    }


def test_a_chart_says_what_sql_says(superset: Superset) -> None:
    told = in_sql(superset.published)
    assert len(told) > 5
    assert superset.spend() == [(label, pytest.approx(spend)) for label, spend in told]


def test_a_browser_shows_the_charts(superset: Superset, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "there is no chromium here: apt-get install chromium (.ci/run does)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 1100})
        page.goto(f"{superset.url}/superset/dashboard/segments-in-use/?standalone=1")
        # The line and the pie are drawn, the table has a row a scheme, and nothing is an error.
        page.locator("canvas").nth(1).wait_for(timeout=90_000)
        page.get_by_text("in the drawer", exact=True).first.wait_for(timeout=90_000)
        assert page.get_by_text("Unexpected error").count() == 0
        picture = page.screenshot(path=tmp_path / "dashboard.png")
        browser.close()
    assert len(picture) > 20_000


def test_the_next_version_is_shown_without_a_restart(superset: Superset, tmp_path: Path) -> None:
    """Last, because the link stays on the new version."""
    before = superset.spend()
    shutil.copy(superset.published / "segments.duckdb", tmp_path / "segments.duckdb")
    (tmp_path / "segments.duckdb").chmod(0o644)
    with duckdb.connect(str(tmp_path / "segments.duckdb")) as con:
        con.execute("update segment_months set spend = 2 * spend")
    link = superset.published.with_name("next")
    link.symlink_to(tmp_path)
    os.replace(link, superset.published)
    assert superset.spend() == [(label, pytest.approx(2 * spend)) for label, spend in before]
