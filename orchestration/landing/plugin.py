"""What runs before dbt's first query on DuckDB: the landing zone is normalised, and the demo written where there is none.

So a plain `dbt build` works alone. dbt starts several times a refresh; where nothing changed, this costs a look at each
file's size and time.
"""

from __future__ import annotations

from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.events.logging import AdapterLogger
from dbt_common.exceptions import DbtRuntimeError

from orchestration.landing.demo import write_demo
from orchestration.landing.errors import LandingError
from orchestration.landing.land import LandingReport, land
from orchestration.settings import Settings, SettingsError, read_settings

logger = AdapterLogger("Landing")


def prepare(settings: Settings) -> LandingReport:
    """Everything that the models read, brought up to date.

    Raises:
        LandingError: the landing zone cannot be used.
    """
    settings.build_file.parent.mkdir(parents=True, exist_ok=True)
    if settings.is_demo:
        write_demo(settings.demo_dir)
    return land(settings.source_dir, settings.landed_dir)


class Plugin(BasePlugin):
    """Named in profiles.yml."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        try:
            report = prepare(read_settings())
        except (LandingError, SettingsError) as error:
            raise DbtRuntimeError(str(error)) from None
        for warning in report.warnings:
            logger.warning(f"landing zone: {warning}")
