"""How dbt's names appear in Dagster: a model's key is the name of its table, its group is its folder.

Belongs here: keys and groups. Does not belong here: what is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster import AssetKey
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

LANDING_KEY = AssetKey("landing")
# What is kept by as-of date, a partition a date (orchestration/backfill.py).
HISTORY_KEY = AssetKey("history")
LANDING_SOURCES = ("landing", "landed", "state")


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
    folders = [part for part in str(node["original_file_path"]).replace("\\", "/").split("/")[1:-1] if part != "marts"]
    return folders[0] if folders else "marts"


class Translator(DagsterDbtTranslator):
    """dagster-dbt's translator with the keys and groups above."""

    def __init__(self) -> None:
        # All landing tables are one asset.
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        """See `asset_key`."""
        return asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """See `group_name`."""
        return group_name(dbt_resource_props)
