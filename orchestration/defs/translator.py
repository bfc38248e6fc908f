"""How dbt's names appear in Dagster: a model's key is the name of its table, its group is its folder.

Belongs here: keys, groups, owners, links and descriptions. Does not belong here: what is built.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from dagster import (
    AssetCheckSpec,
    AssetKey,
    MetadataValue,
    TableColumn,
    TableColumnDep,
    TableColumnLineage,
    TableSchema,
)
from dagster._core.definitions.metadata.source_code import (
    CodeReferencesMetadataSet,
    CodeReferencesMetadataValue,
    LocalFileCodeReference,
)
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from orchestration.settings import PROJECT_DIR, SHIPPED_SEEDS
from orchestration.warehouse.checks import advice
from orchestration.warehouse.checks import description as check_description
from orchestration.warehouse.lineage import Origins

LANDING_KEY = AssetKey("landing")
CANDIDATE_KEY = AssetKey("candidate")
# What is kept by as-of date, a partition a date (orchestration/backfill.py).
HISTORY_KEY = AssetKey("history")
LANDING_SOURCES = ("landing", "landed", "state")
SCHEMES_SEED = "segment_schemes.csv"
INTERMEDIATE = "intermediate"
# Where docs/ can be read in a browser, as an address without the name of the page.
DOCS_URL = "DOCS_URL"
ENGINEERS, MARKETERS = "team:data-engineering", "team:marketing"
# Seeds that say what the shop does and means, and not how a column is read.
MARKETERS_SEEDS = (
    "category_meanings",
    "item_labels",
    "offer_exclusions",
    "personas",
    "prospect_schemes",
    "reviewed_treatments",
    "scheme_priorities",
    "segment_definitions",
    "template_subsets",
    "treatment_shares",
    "treatments",
    "uniform_treatments",
)
# The page that explains a group.
PAGES = {
    "affinities": "cross-sell",
    "companies": "companies",
    "intermediate_affinities": "cross-sell",
    "intermediate_behaviour": "schemes",
    "intermediate_clocks": "kept-tables",
    "intermediate_members": "schemes",
    "intermediate_memberships": "schemes",
    "intermediate_orders": "landing",
    "intermediate_profiles": "schemes",
    "landing": "landing",
    "outcomes": "experiments",
    "quality": "landing",
    "seeds": "change-it",
    "segments": "schemes",
    "semantic": "metrics",
    "staging": "landing",
    "treatments": "treatments",
}
PUBLISHED_TAG = "published"
COLUMN_SCHEMA, COLUMN_LINEAGE = "dagster/column_schema", "dagster/column_lineage"
# Of what a column comes from, so many are named in its words.
NAMED = 6


def asset_key(node: Mapping[str, Any]) -> AssetKey:
    """The table's name (dbt's alias), without schema or folder; the landing zone's tables are one asset, `landing`,
    which also writes what it found and sees to it that the state of earlier refreshes is there.

    The default puts the schema in front, and a dep under a wrong name is silently another asset.
    """
    if node["resource_type"] == "source":
        return LANDING_KEY if node["source_name"] in LANDING_SOURCES else AssetKey([node["source_name"], node["name"]])
    return AssetKey(node.get("alias") or node["name"])


def group_name(node: Mapping[str, Any]) -> str:
    """The folder: `seeds`, `staging`, the folder inside marts (`segments`, `affinities`, ...), or `intermediate` with
    the folder inside it (`intermediate_orders`, `intermediate_clocks`, ...)."""
    if node["resource_type"] == "seed":
        return "seeds"
    if node["resource_type"] == "source":
        return str(node["source_name"])
    folders = [part for part in _folders(node) if part != "marts"]
    if folders[:1] == [INTERMEDIATE]:
        return "_".join(folders[:2])
    return folders[0] if folders else "marts"


def owners(node: Mapping[str, Any]) -> list[str]:
    """Whom to ask: marketing about treatments and the seeds that say what the shop does, else data engineering."""
    is_marketers = group_name(node) == "treatments" or node.get("name") in MARKETERS_SEEDS
    return [MARKETERS if is_marketers else ENGINEERS]


def page(group: str) -> dict[str, Any]:
    """Metadata that names the page of docs/ about a group; empty where there is none."""
    return docs(PAGES[group]) if group in PAGES else {}


def docs(name: str) -> dict[str, Any]:
    """Metadata that names a page of docs/: a link where the environment's DOCS_URL says where they can be read, else
    the file."""
    where = os.environ.get(DOCS_URL, "").strip().rstrip("/")
    file = PROJECT_DIR / "docs" / f"{name}.md"
    return {"docs": MetadataValue.url(f"{where}/{file.name}") if where else MetadataValue.path(str(file))}


def is_published(node: Mapping[str, Any]) -> bool:
    """Whether the table of a model is in the published file."""
    meta = (node.get("config") or {}).get("meta") or node.get("meta") or {}
    return node["resource_type"] == "model" and _is_mart(node) and bool(meta.get("published", True))


def _is_mart(node: Mapping[str, Any]) -> bool:
    return _folders(node)[:1] == ("marts",)


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


def column_deps(
    manifest: Mapping[str, Any], origins: Mapping[str, Sequence[tuple[str, str]]]
) -> dict[str, list[TableColumnDep]]:
    """What the columns of a model are computed from, as Dagster names it; of the landing zone, table and column."""
    found: dict[str, list[TableColumnDep]] = {}
    for column, pairs in origins.items():
        found[column] = []
        for unique_id, name in pairs:
            node = manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
            key = asset_key(node)
            found[column].append(TableColumnDep(key, f"{node['name']}.{name}" if key == LANDING_KEY else name))
    return found


def with_origins(known: Mapping[str, Any], deps: Mapping[str, Sequence[TableColumnDep]]) -> dict[str, Any]:
    """Column lineage as metadata, and in the words of each column: Dagster's own UI shows the latter alone, catalogues
    and Dagster+ read the former."""
    if not deps:
        return {}
    metadata: dict[str, Any] = {COLUMN_LINEAGE: TableColumnLineage(deps)}
    schema = known.get(COLUMN_SCHEMA)
    if isinstance(schema, TableSchema):
        columns = [
            TableColumn(
                column.name,
                column.type,
                _from(column.description, deps.get(column.name, ())),
                column.constraints,
                column.tags,
            )
            for column in schema.columns
        ]
        metadata[COLUMN_SCHEMA] = TableSchema(columns, schema.constraints)
    return metadata


def _from(description: str | None, deps: Sequence[TableColumnDep]) -> str:
    """A column's description, and the first columns that it comes from."""
    words = " ".join((description or "").split())
    if not deps:
        return words
    named = [f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in deps]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return f"{words} From {', '.join(named[:NAMED])}{more}.".strip()


class Translator(DagsterDbtTranslator):
    """dagster-dbt's translator with the keys, groups and descriptions above."""

    def __init__(
        self,
        seeds_dir: Path = SHIPPED_SEEDS,
        manifest: Mapping[str, Any] | None = None,
        origins: Origins | None = None,
    ) -> None:
        # All landing tables are one asset.
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))
        self._schemes = seeds_dir / SCHEMES_SEED
        self._manifest = manifest or {"nodes": {}, "sources": {}}
        self._origins = origins or {}

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        """See `asset_key`."""
        return asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """See `group_name`."""
        return group_name(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """See `owners`."""
        return owners(dbt_resource_props)

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """dbt's tags, and `published` where the table is."""
        tags = super().get_tags(dbt_resource_props)
        return {**tags, PUBLISHED_TAG: ""} if is_published(dbt_resource_props) else tags

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """dagster-dbt's, the file that makes the table, the page about it, and where its columns come from."""
        file = PROJECT_DIR / str(dbt_resource_props["original_file_path"])
        reference = CodeReferencesMetadataValue(code_references=[LocalFileCodeReference(file_path=str(file))])
        known = super().get_metadata(dbt_resource_props)
        return {
            **known,
            **with_origins(known, column_deps(self._manifest, self._origins.get(dbt_resource_props["unique_id"], {}))),
            **CodeReferencesMetadataSet(code_references=reference),
            **page(group_name(dbt_resource_props)),
        }

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """As dbt describes it; a scheme as its seed does."""
        description = scheme_description(dbt_resource_props, self._schemes)
        return super().get_description(
            {**dbt_resource_props, "description": description} if description else dbt_resource_props
        )

    def get_asset_check_spec(
        self, asset_spec: Any, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> AssetCheckSpec | None:
        """As dagster-dbt makes it, with what the test checks, what a failure stops, and how its rows are found."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        words = (spec.description or check_description(manifest, unique_id) or "").strip()
        words = f"{words}. " if words and not words.endswith(".") else f"{words} "
        return spec._replace(description=f"{words}{advice(manifest, unique_id)}".strip())
