"""Runs before dbt's first query on DuckDB: normalises the landing zone, and writes the demo where there is none.

So a plain `dbt build` works alone. dbt starts several times a refresh; where nothing changed, this costs a look at each
file's size and time.
"""

from __future__ import annotations

import os
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError

from orchestration.landing.errors import LandingError
from orchestration.landing.prepare import prepare
from orchestration.settings import ALREADY_LANDED, SettingsError, read_settings

logger = AdapterLogger("Landing")


class Plugin(BasePlugin):
    """Named in profiles.yml."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        if os.environ.get(ALREADY_LANDED):
            return
        try:
            report = prepare(read_settings())
        except (LandingError, SettingsError) as error:
            raise DbtRuntimeError(str(error)) from None
        for warning in report.warnings:
            logger.warning(f"landing zone: {warning}")
