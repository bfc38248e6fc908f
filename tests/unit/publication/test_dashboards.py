"""The Superset archive: whole, of the charts in the repository, and with the published file's place."""

from __future__ import annotations

import zipfile
from pathlib import Path

import yaml

from orchestration.dashboards import PLACE, SUPERSET, write_archive
from orchestration.publication.questions import questions


def test_charts_datasets_and_database_refer_to_each_other_and_to_views(tmp_path: Path) -> None:
    with zipfile.ZipFile(write_archive(tmp_path / "d.zip", Path("/data/w/published/segments.duckdb"))) as archive:
        texts = {name.removeprefix("segments/"): archive.read(name).decode() for name in archive.namelist()}
    assert set(texts) == {str(path.relative_to(SUPERSET)) for path in SUPERSET.rglob("*.yaml")}
    read = {name: yaml.safe_load(text) for name, text in texts.items()}
    database = read["databases/Segments.yaml"]
    assert database["sqlalchemy_uri"] == "duckdb:////data/w/published/segments.duckdb"
    assert PLACE not in database["sqlalchemy_uri"] and database["extra"]["engine_params"]["connect_args"]["read_only"]
    datasets = {d["uuid"]: d for name, d in read.items() if name.startswith("datasets/")}
    views = {question.name: question for question in questions()}
    for dataset in datasets.values():
        assert dataset["database_uuid"] == database["uuid"]
        columns = {column["column_name"] for column in dataset["columns"]}
        assert columns <= set(views[dataset["table_name"]].columns), dataset["table_name"]
    charts = {c["uuid"]: c for name, c in read.items() if name.startswith("charts/")}
    assert {chart["dataset_uuid"] for chart in charts.values()} == set(datasets)
    (dashboard,) = (d for name, d in read.items() if name.startswith("dashboards/"))
    shown = {
        item["meta"]["uuid"]
        for item in dashboard["position"].values()
        if isinstance(item, dict) and item["type"] == "CHART"
    }
    assert shown == set(charts)
