"""Exit codes and words of `make refresh` after the link was switched; the steps are replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestration import refresh, terminal
from orchestration.defs import alerts
from orchestration.settings import Settings

PROBLEM = terminal.Problem("PostgreSQL", "connection refused. When that is repaired, make postgres publishes there")


@pytest.mark.parametrize(
    ("asked", "failures", "code", "said"),
    [
        ({"PUBLISH_POSTGRES_DSN": "host=x"}, [PROBLEM], refresh.NOT_EVERYWHERE, "make postgres publishes there"),
        ({"AUDIENCE_TARGET": "/out"}, [PROBLEM], refresh.NOT_EVERYWHERE, "Published here, but not everywhere"),
        ({"PUBLISH_POSTGRES_DSN": "host=x"}, [], refresh.PUBLISHED, "the scorecard"),
        ({"PUBLISH_POSTGRES_DSN": " "}, [PROBLEM], refresh.PUBLISHED, "a step after it failed"),
    ],
)
def test_a_version_that_is_not_everywhere_is_no_success(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    asked: dict[str, str],
    failures: list[terminal.Problem],
    code: int,
    said: str,
) -> None:
    settings = Settings(None, tmp_path, None, "UTC", "duckdb")
    for name in ("PUBLISH_POSTGRES_DSN", "AUDIENCE_TARGET"):
        monkeypatch.setenv(name, asked.get(name, ""))
    sent: list[Any] = []
    monkeypatch.setattr(alerts, "alert", lambda *given, **_: sent.append(given) or "alert sent")
    monkeypatch.setenv("ALERT_WEBHOOK_URL", "http://127.0.0.1:1/")

    def job(run_id: str, tags: dict[str, str], progress: terminal.Progress) -> bool:
        version = settings.versions_dir / tags[refresh.REFRESH_ID_TAG]
        version.mkdir(parents=True)
        (version / "manifest.json").write_text(json.dumps({}))
        settings.published_link.symlink_to(version)
        progress.failures += failures
        return not failures

    monkeypatch.setattr(refresh, "_run_job", job)
    monkeypatch.setattr(refresh, "_parse_ahead", lambda _: None)
    monkeypatch.setattr(terminal, "published", lambda *_: "the scorecard")
    assert refresh.run(settings) == code
    assert said in capfd.readouterr().out
    assert len(sent) == (code == refresh.NOT_EVERYWHERE)


def test_the_demo_over_a_shop_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ALERT_WEBHOOK_URL", raising=False)
    shop = tmp_path / "versions" / "20260101T000000Z-a"
    (shop / "audiences").mkdir(parents=True)
    (shop / "audiences" / "summary.json").write_text(json.dumps({"is_demo": False}))
    (tmp_path / "published").symlink_to(shop)
    monkeypatch.setattr(refresh, "_run_job", lambda *_: False)
    monkeypatch.setattr(refresh, "_parse_ahead", lambda _: None)
    for landing_dir, is_told in ((None, True), (tmp_path, False)):
        assert refresh.run(Settings(landing_dir, tmp_path, None, "UTC", "duckdb")) == refresh.STOPPED
        assert ("is not the demo's" in capfd.readouterr().out) == is_told


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"PUBLISH_POSTGRES_DSN": "s3cret-9876"}, "PUBLISH_POSTGRES_DSN cannot be read"),
        (
            {"PUBLISH_POSTGRES_DSN": "host=x", "PUBLISH_POSTGRES_SCHEMA": "My Schema"},
            "PUBLISH_POSTGRES_SCHEMA=My Schema",
        ),
        ({"AUDIENCE_TARGET": "no_such_module:Class"}, "no_such_module"),
        ({"AUDIENCE_TARGET": "postgres"}, "needs PUBLISH_POSTGRES_DSN"),
        ({"HISTORY_START": "2010"}, "HISTORY_START=2010: not an ISO date"),
    ],
)
def test_a_place_that_cannot_be_used_is_told_before_all_the_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    asked: dict[str, str],
    said: str,
) -> None:
    for name in ("LANDING_DIR", "MAPPING", "SETTINGS", "SEEDS_DIR", "AS_OF", "ALERT_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    assert refresh.main() == refresh.BAD_ENVIRONMENT
    told = capsys.readouterr().err
    assert said in told and "s3cret" not in told


def test_the_alert_says_that_it_is_published_and_where_it_is_not() -> None:
    told = alerts.message("r2", [PROBLEM], "r2")
    assert told["text"].splitlines() == [
        "The refresh is published, but not everywhere; r2 is published here.",
        "PostgreSQL: connection refused. When that is repaired, make postgres publishes there",
    ]
    assert "was not published" in alerts.message("r2", [PROBLEM, terminal.Problem("models", "x")], "r1")["text"]
