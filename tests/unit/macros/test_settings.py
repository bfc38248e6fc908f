"""What the macros of settings say where dbt is run by hand is what a refresh says in the same environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from orchestration.audiences.export import reads_demo
from orchestration.settings import read_settings
from tests.support.project import ROOT


def macros(environ: dict[str, str]) -> Any:
    """The macros of settings.sql; what one returns is printed."""
    source = (ROOT / "macros" / "settings.sql").read_text(encoding="utf-8")
    return (
        Environment(extensions=["jinja2.ext.do"])
        .from_string(source)
        .make_module({"return": lambda value: value, "env_var": environ.get, "var": lambda name, default=None: default})
    )


@pytest.mark.parametrize(
    ("given", "zone"),
    [
        ({}, "America/New_York"),
        ({"DEMO": "merchant"}, "Europe/Berlin"),
        ({"LANDING_DIR": "shop"}, "UTC"),
        ({"LANDING_DIR": "shop", "DEMO": "merchant"}, "UTC"),
        ({"MAPPING": "mapping.yml"}, "UTC"),
        ({"MAPPING": "mapping.yml", "DEMO": "merchant"}, "UTC"),
        ({"MAPPING": "mapping.yml", "STORE_TIMEZONE": "Asia/Tokyo"}, "Asia/Tokyo"),
    ],
)
def test_dbt_by_hand_takes_the_time_zone_and_the_demo_as_a_refresh_does(
    tmp_path: Path, given: dict[str, str], zone: str
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "mapping.yml").write_text("from: .\ntables: {}\n", encoding="utf-8")
    paths = {name: str(tmp_path / value) for name, value in given.items() if name in ("LANDING_DIR", "MAPPING")}
    environ = {**given, **paths, "WAREHOUSE_DIR": str(tmp_path / "wh")}
    settings = read_settings(environ)
    for said in (macros(environ), macros(settings.environment())):
        assert said.store_timezone() == settings.store_timezone == zone
        assert said.reads_demo() == str(reads_demo(settings))
