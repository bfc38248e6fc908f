"""`make metrics` where it cannot ask anything; what it answers is tested on the merchant's build."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration import metrics
from tests.support.project import ROOT

SEMANTIC = ROOT / "models" / "marts" / "semantic"


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


def test_the_cost_of_a_response_leaves_out_those_of_which_no_cost_is_known() -> None:
    declared = yaml.safe_load((SEMANTIC / "metrics.yml").read_text(encoding="utf-8"))["metrics"]
    types = {metric["name"]: metric["type_params"] for metric in declared}
    (table,) = [
        model
        for model in yaml.safe_load((SEMANTIC / "semantic_models.yml").read_text(encoding="utf-8"))["semantic_models"]
        if model["name"] == "segment_deliveries"
    ]
    measures = {measure["name"]: measure.get("expr", measure["name"]) for measure in table["measures"]}
    cost, responses = (
        measures[types[types["cost_per_response"][part]]["measure"]["name"]] for part in ("numerator", "denominator")
    )
    with duckdb.connect() as con:
        con.execute("create table deliveries as from (values (10.0, 2), (null, 50)) as t(cost, responses)")
        assert con.sql(f"select sum({cost}) / sum({responses}) from deliveries").fetchone() == (5,)
