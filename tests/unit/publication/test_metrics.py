"""`make metrics` where it cannot ask anything; what it answers is tested on the merchant's build."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration import metrics


def test_without_anything_published_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    assert metrics.main(["query"]) == 2
    said = capsys.readouterr().err
    assert "nothing is published there; run `make refresh` first" in said and str(tmp_path) in said


def test_an_environment_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AS_OF", "yesterday")
    assert metrics.main([]) == 2
    assert "AS_OF" in capsys.readouterr().err
