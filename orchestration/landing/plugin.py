"""Runs before dbt's first query on DuckDB: normalises the landing zone, writes the demo where there is none, and holds
DuckDB to the memory that it may take.

So a plain `dbt build` works alone. dbt starts several times a refresh; where nothing changed, this costs a look at each
file's size and time.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.events.logging import AdapterLogger
from dbt.flags import get_flags
from dbt_common.exceptions import DbtRuntimeError

from orchestration import memory
from orchestration.landing.errors import LandingError
from orchestration.landing.prepare import prepare
from orchestration.seeds.files import dressed
from orchestration.settings import ALREADY_LANDED, PROJECT_DIR, SHIPPED_SEEDS, SettingsError, read_settings
from orchestration.warehouse.project import project_vars

logger = AdapterLogger("Landing")


class Plugin(BasePlugin):
    """Named in profiles.yml."""

    def configure_connection(self, conn: Any) -> None:
        try:
            settings = read_settings()
            memory.hold(settings, {**project_vars(settings), **(getattr(get_flags(), "VARS", None) or {})})
            memory.keep(conn)
        except SettingsError as error:
            raise DbtRuntimeError(str(error)) from None

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        if os.environ.get(ALREADY_LANDED):
            return
        try:
            # dbt's own: by hand, vars and seeds may be others than those of the settings.
            seeds_dir = PROJECT_DIR / (os.environ.get("SEEDS_PATH", "").strip() or SHIPPED_SEEDS.name)
            _stop_before_a_spreadsheets_seeds(seeds_dir)
            report = prepare(read_settings(), seeds_dir, getattr(get_flags(), "VARS", None))
        except (LandingError, SettingsError) as error:
            raise DbtRuntimeError(str(error)) from None
        for warning in report.warnings:
            logger.warning(f"landing zone: {warning}")


def _stop_before_a_spreadsheets_seeds(seeds_dir: Path) -> None:
    """dbt itself reads a file as it stands; a refresh reads the same in plain clothes (overrides.prepare_seeds).

    Raises:
        SettingsError: a seed of the folder is saved as a spreadsheet saves it.
    """
    found = dressed(seeds_dir)
    if found:
        raise SettingsError(
            f"{seeds_dir}: {', '.join(found)} saved as a spreadsheet saves it (semicolons, a byte order mark or CRLF); "
            "`make settings` writes the folder of seeds that dbt can read, and prints how to call dbt with it"
        )
