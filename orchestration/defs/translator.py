"""How dbt's names appear in Dagster: a model's key is the name of its table, its group is its folder.

Belongs here: keys, groups and descriptions. Does not belong here: what is built.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from dagster import AssetCheckSpec, AssetKey
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from orchestration.settings import SHIPPED_SEEDS
from orchestration.warehouse.checks import description as check_description

LANDING_KEY = AssetKey("landing")
# What is kept by as-of date, a partition a date (orchestration/backfill.py).
HISTORY_KEY = AssetKey("history")
LANDING_SOURCES = ("landing", "landed", "state")
SCHEMES_SEED = "segment_schemes.csv"


def asset_key(node: Mapping[str, Any]) -> AssetKey:
    """The table's name (dbt's alias), without schema or folder; the landing zone's tables are one asset, `landing`,
    which also writes what it found and sees to it that the state of earlier refreshes is there.

    The default puts the schema in front, and a dep under a wrong name is silently another asset.
    """
    if node["resource_type"] == "source":
        return LANDING_KEY if node["source_name"] in LANDING_SOURCES else AssetKey([node["source_name"], node["name"]])
    return AssetKey(node.get("alias") or node["name"])


def group_name(node: Mapping[str, Any]) -> str:
    """The folder: `seeds`, `staging`, `intermediate`, or the folder inside marts (`segments`, `affinities`, ...)."""
    if node["resource_type"] == "seed":
        return "seeds"
    if node["resource_type"] == "source":
        return str(node["source_name"])
    folders = [part for part in _folders(node) if part != "marts"]
    return folders[0] if folders else "marts"


def scheme_description(node: Mapping[str, Any], seed: Path) -> str | None:
    """What the seed `segment_schemes` says of a scheme, for the model of that scheme, which has no YAML of its own.

    None for every other node, and where the seed does not say.
    """
    if node["resource_type"] != "model" or "schemes" not in _folders(node) or not seed.is_file():
        return None
    with seed.open(encoding="utf-8-sig", errors="replace", newline="") as rows:
        described = {row.get("scheme"): row.get("description") for row in csv.DictReader(rows)}
    return described.get(node["name"]) or None


def _folders(node: Mapping[str, Any]) -> tuple[str, ...]:
    """The folders of a node's file below `models/`."""
    return PurePosixPath(str(node["original_file_path"]).replace("\\", "/")).parts[1:-1]


class Translator(DagsterDbtTranslator):
    """dagster-dbt's translator with the keys, groups and descriptions above."""

    def __init__(self, seeds_dir: Path = SHIPPED_SEEDS) -> None:
        # All landing tables are one asset.
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))
        self._schemes = seeds_dir / SCHEMES_SEED

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        """See `asset_key`."""
        return asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """See `group_name`."""
        return group_name(dbt_resource_props)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """As dbt describes it; a scheme as its seed does."""
        description = scheme_description(dbt_resource_props, self._schemes)
        return super().get_description(
            {**dbt_resource_props, "description": description} if description else dbt_resource_props
        )

    def get_asset_check_spec(
        self, asset_spec: Any, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> AssetCheckSpec | None:
        """As dagster-dbt makes it, with a sentence that says what the test checks."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec._replace(description=spec.description or check_description(manifest, unique_id)) if spec else None
