"""Evidence with the pages of this project: sources taken from the published file, pages built, and seen in a browser.

Opt-in, because its packages are 600 MB and pages take minutes to build: `make test-evidence` (Node.js 18 or later).
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from tests.support import project
from tests.support.environments import clients_dir

pytestmark = pytest.mark.skipif(not os.environ.get("TEST_EVIDENCE"), reason="opt-in: make test-evidence")

PAGES = project.ROOT / "dashboards" / "evidence"
SPEND = "select month, segment_label, spend::double from v_spend_by_month where scheme = 'rfm' order by all"
# Without internet Evidence waits for its telemetry.
SILENT = {"SEND_ANONYMOUS_USAGE_STATS": "no", "DO_NOT_TRACK": "1"}


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **SILENT}, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, f"{command}:\n{(done.stdout + done.stderr)[-3000:]}"


@pytest.fixture(scope="module")
def built(demo_refresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    packages = clients_dir() / "evidence-39.1.13"
    packages.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(packages.with_suffix(".lock")):
        if not (packages / "node_modules" / "@evidence-dev").is_dir():
            packages.mkdir(exist_ok=True)
            shutil.copy(PAGES / "package.json", packages)
            run(packages, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock")
        site = tmp_path_factory.mktemp("evidence") / "site"
        shutil.copytree(PAGES, site)
        published = (demo_refresh / "published").resolve()
        (site / "sources" / "segments" / "segments.duckdb").symlink_to(published / "segments.duckdb")
        # Evidence builds inside the folder of its packages.
        shutil.move(packages / "node_modules", site / "node_modules")
        try:
            run(site, "npm", "run", "sources")
            run(site, "npm", "run", "build")
            yield site
        finally:
            shutil.move(site / "node_modules", packages / "node_modules")


def test_pages_hold_the_published_numbers(built: Path, demo_refresh: Path) -> None:
    (copy,) = built.glob("build/**/spend_by_month.parquet")
    with duckdb.connect(str((demo_refresh / "published").resolve() / "segments.duckdb"), read_only=True) as con:
        told = con.execute(SPEND).fetchall()
    shown = duckdb.sql(f"select month::date, segment_label, spend from '{copy}' order by all").fetchall()
    assert len(told) > 50 and shown == told


def test_the_page_shows_segments_by_their_names_in_a_browser(built: Path, demo_refresh: Path, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium (Debian: apt-get install chromium)")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(built / "build"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        seen = subprocess.run(
            [
                *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
                *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
                *(f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=25000", "--dump-dom"),
                f"http://127.0.0.1:{server.server_address[1]}/",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        server.shutdown()
    assert "Spend by segment and month" in seen.stdout and "<canvas" in seen.stdout
    with duckdb.connect(str((demo_refresh / "published").resolve() / "segments.duckdb"), read_only=True) as con:
        first = con.execute(f"select segment_label from ({SPEND}) limit 5").fetchall()
    assert [label for (label,) in first if label not in seen.stdout] == []
