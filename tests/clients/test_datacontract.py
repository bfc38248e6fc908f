"""datacontract-cli on a published version: both contracts are valid, and the tables are what theirs promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from orchestration.contracts import LANDING_FILE, PUBLISHED_FILE
from tests.support.environments import environment, installed

REQUIREMENT = "datacontract-cli[duckdb]>=1.2,<2"


@pytest.fixture(scope="module")
def cli() -> dict[str, str]:
    return environment(installed("datacontract-1.2", REQUIREMENT))


def run(cli: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # -S: none of the project's packages, which the client's would meet.
    code = "import sys; sys.argv[0] = 'datacontract'; from datacontract.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-S", "-c", code, *arguments],
        cwd=folder,
        env=cli,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_both_contracts_are_valid(demo_refresh: Path, cli: dict[str, str]) -> None:
    for name in (LANDING_FILE, PUBLISHED_FILE):
        done = run(cli, demo_refresh / "published", "lint", name)
        assert done.returncode == 0 and "is valid" in done.stdout, done.stdout + done.stderr


def test_the_published_file_is_what_its_contract_promises(demo_refresh: Path, cli: dict[str, str]) -> None:
    done = run(cli, demo_refresh / "published", "test", PUBLISHED_FILE, "--server", "duckdb")
    assert done.returncode == 0 and "is valid" in done.stdout, (done.stdout + done.stderr)[-3000:]


def test_a_contract_that_promises_more_is_found_out(demo_refresh: Path, cli: dict[str, str], tmp_path: Path) -> None:
    contract = yaml.safe_load((demo_refresh / "published" / PUBLISHED_FILE).read_text(encoding="utf-8"))
    (segments,) = [table for table in contract["schema"] if table["name"] == "segments"]
    contract["schema"] = [segments]
    (position,) = [column for column in segments["properties"] if column["name"] == "market_position"]
    position["quality"][0]["arguments"]["validValues"] = ["mass"]
    (tmp_path / "segments.duckdb").symlink_to(demo_refresh / "published" / "segments.duckdb")
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    done = run(cli, tmp_path, "test", "broken.yaml", "--server", "duckdb")
    assert done.returncode != 0 and "market_position" in done.stdout, done.stdout
